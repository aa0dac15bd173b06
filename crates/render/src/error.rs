//! What can go wrong, said so that the reader knows which box, which character, and what to do.
//!
//! A template error names line and column of the SVG; a fill error names the box and the value.
//! Every problem has a stable code, a sentence in Portuguese and English, and a remedy in both.
//! A problem never carries more of a person's data than the one value that did not fit.

use std::fmt;

/// The language of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Portuguese, as written in Portugal.
    Portuguese,
    /// English.
    English,
}

impl Language {
    /// The language tag that PDF and HTML carry (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Portuguese => "pt-PT",
            Self::English => "en-GB",
        }
    }

    fn pick(self, portuguese: String, english: String) -> String {
        match self {
            Self::Portuguese => portuguese,
            Self::English => english,
        }
    }
}

/// Every code that this crate can answer with.
pub const CODES: &[&str] = &[
    "RENDER_TEMPLATE_TOO_LARGE",
    "RENDER_TEMPLATE_XML",
    "RENDER_TEMPLATE_FORBIDDEN",
    "RENDER_TEMPLATE_UNSUPPORTED",
    "RENDER_TEMPLATE_ATTRIBUTE",
    "RENDER_TEMPLATE_LIMIT",
    "RENDER_TEMPLATE_REFERENCE",
    "RENDER_TEMPLATE_ASSET",
    "RENDER_TEMPLATE_TOKEN",
    "RENDER_FIELD_MISSING",
    "RENDER_FIELD_FORMAT",
    "RENDER_TEXT_TOO_LONG",
    "RENDER_MISSING_GLYPH",
    "RENDER_OVERFLOW",
    "RENDER_QR_TOO_DENSE",
    "RENDER_OUTPUT",
];

/// A place in the template's text, both counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.line, self.column)
    }
}

/// What went wrong, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The file is larger than [`crate::limits::TEMPLATE_BYTES_MAX`].
    TemplateTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The file is not well-formed XML, or not UTF-8.
    TemplateXml {
        /// The reader's words.
        reason: String,
        /// Where, if the reader knew.
        place: Option<Place>,
    },
    /// Something that a template may never contain.
    TemplateForbidden {
        /// The element, attribute or declaration.
        what: String,
        /// Where.
        place: Option<Place>,
    },
    /// Something that version 1 of the profile does not know.
    TemplateUnsupported {
        /// The element, attribute or value.
        what: String,
        /// Where.
        place: Option<Place>,
    },
    /// An attribute is missing or has a value that the profile does not allow.
    TemplateAttribute {
        /// The element's name.
        element: String,
        /// The attribute's name.
        attribute: String,
        /// What is allowed, in a few English words or as a form.
        expected: &'static str,
        /// Where.
        place: Option<Place>,
    },
    /// A limit was passed.
    TemplateLimit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// Where it was passed.
        place: Option<Place>,
    },
    /// A reference to an id that does not exist, stands outside `defs`, or refers to itself.
    TemplateReference {
        /// The id.
        id: String,
    },
    /// A font or image that is not there or not usable.
    TemplateAsset {
        /// Its SHA-256 in lower-case hexadecimal.
        sha256: String,
        /// Why it is of no use, in English.
        reason: &'static str,
    },
    /// A token `{{…}}` that cannot be read.
    TemplateToken {
        /// The box.
        box_id: String,
        /// The token as written.
        token: String,
        /// Why, in English.
        reason: &'static str,
    },
    /// The credential has no such field, and the token names no default.
    FieldMissing {
        /// The box.
        box_id: String,
        /// The field (RFC 6901).
        pointer: String,
    },
    /// The field's value cannot be written in the format that the token asks for.
    FieldFormat {
        /// The box.
        box_id: String,
        /// The field (RFC 6901).
        pointer: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The text of a box has more than [`crate::limits::BOX_TEXT_CHARS_MAX`] characters.
    TextTooLong {
        /// The box.
        box_id: String,
        /// How many characters it has.
        characters: usize,
    },
    /// None of the box's fonts can draw the character.
    MissingGlyph {
        /// The box.
        box_id: String,
        /// The character.
        character: char,
        /// The whole text.
        text: String,
    },
    /// The text does not fit the box, even at the smallest size that the template allows.
    Overflow {
        /// The box.
        box_id: String,
        /// The whole text.
        text: String,
    },
    /// The link is too long for a QR code that can be read at the size of its box.
    QrTooDense {
        /// The box.
        box_id: String,
        /// Length of the link in bytes.
        bytes: usize,
    },
    /// The picture or document could not be written.
    Output {
        /// Why, in English.
        reason: String,
    },
}

/// The one error of this crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderError(Box<Problem>);

impl From<Problem> for RenderError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl std::error::Error for RenderError {}

impl fmt::Display for RenderError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code(), self.message(Language::English))
    }
}

impl RenderError {
    /// What went wrong, as data.
    pub fn problem(&self) -> &Problem {
        &self.0
    }

    /// The stable code, one of [`CODES`].
    pub fn code(&self) -> &'static str {
        match &*self.0 {
            Problem::TemplateTooLarge { .. } => "RENDER_TEMPLATE_TOO_LARGE",
            Problem::TemplateXml { .. } => "RENDER_TEMPLATE_XML",
            Problem::TemplateForbidden { .. } => "RENDER_TEMPLATE_FORBIDDEN",
            Problem::TemplateUnsupported { .. } => "RENDER_TEMPLATE_UNSUPPORTED",
            Problem::TemplateAttribute { .. } => "RENDER_TEMPLATE_ATTRIBUTE",
            Problem::TemplateLimit { .. } => "RENDER_TEMPLATE_LIMIT",
            Problem::TemplateReference { .. } => "RENDER_TEMPLATE_REFERENCE",
            Problem::TemplateAsset { .. } => "RENDER_TEMPLATE_ASSET",
            Problem::TemplateToken { .. } => "RENDER_TEMPLATE_TOKEN",
            Problem::FieldMissing { .. } => "RENDER_FIELD_MISSING",
            Problem::FieldFormat { .. } => "RENDER_FIELD_FORMAT",
            Problem::TextTooLong { .. } => "RENDER_TEXT_TOO_LONG",
            Problem::MissingGlyph { .. } => "RENDER_MISSING_GLYPH",
            Problem::Overflow { .. } => "RENDER_OVERFLOW",
            Problem::QrTooDense { .. } => "RENDER_QR_TOO_DENSE",
            Problem::Output { .. } => "RENDER_OUTPUT",
        }
    }

    /// The box that the problem is about.
    pub fn box_id(&self) -> Option<&str> {
        match &*self.0 {
            Problem::TemplateToken { box_id, .. }
            | Problem::FieldMissing { box_id, .. }
            | Problem::FieldFormat { box_id, .. }
            | Problem::TextTooLong { box_id, .. }
            | Problem::MissingGlyph { box_id, .. }
            | Problem::Overflow { box_id, .. }
            | Problem::QrTooDense { box_id, .. } => Some(box_id),
            _ => None,
        }
    }

    /// The credential's field that the problem is about (RFC 6901).
    pub fn field(&self) -> Option<&str> {
        match &*self.0 {
            Problem::FieldMissing { pointer, .. } | Problem::FieldFormat { pointer, .. } => Some(pointer),
            _ => None,
        }
    }

    /// Where in the template's text.
    pub fn place(&self) -> Option<Place> {
        match &*self.0 {
            Problem::TemplateXml { place, .. }
            | Problem::TemplateForbidden { place, .. }
            | Problem::TemplateUnsupported { place, .. }
            | Problem::TemplateAttribute { place, .. }
            | Problem::TemplateLimit { place, .. } => *place,
            _ => None,
        }
    }

    /// What happened, in one sentence.
    pub fn message(&self, language: Language) -> String {
        let at = self.place().map_or_else(String::new, |place| {
            language.pick(
                format!(" (linha {}, coluna {})", place.line, place.column),
                format!(" (line {}, column {})", place.line, place.column),
            )
        });
        match &*self.0 {
            Problem::TemplateTooLarge { bytes } => language.pick(
                format!("O modelo tem {bytes} bytes e é demasiado grande."),
                format!("The template has {bytes} bytes and is too large."),
            ),
            Problem::TemplateXml { reason, .. } => language.pick(
                format!("O modelo não é XML bem formado{at}: {reason}."),
                format!("The template is not well-formed XML{at}: {reason}."),
            ),
            Problem::TemplateForbidden { what, .. } => language.pick(
                format!("O modelo contém algo proibido{at}: {what}."),
                format!("The template contains something forbidden{at}: {what}."),
            ),
            Problem::TemplateUnsupported { what, .. } => language.pick(
                format!("O modelo usa algo que a versão 1 não conhece{at}: {what}."),
                format!("The template uses something that version 1 does not know{at}: {what}."),
            ),
            Problem::TemplateAttribute { element, attribute, expected, .. } => language.pick(
                format!("O atributo {attribute} de <{element}>{at} deve ser: {expected}."),
                format!("The attribute {attribute} of <{element}>{at} must be: {expected}."),
            ),
            Problem::TemplateLimit { what, limit, .. } => language.pick(
                format!("O modelo passa o limite{at}: {what}, no máximo {limit}."),
                format!("The template passes a limit{at}: {what}, at most {limit}."),
            ),
            Problem::TemplateReference { id } => language.pick(
                format!("A referência «{id}» não leva a um elemento dentro de <defs>, ou leva a si própria."),
                format!(
                    "The reference “{id}” does not lead to an element inside <defs>, or leads to itself."
                ),
            ),
            Problem::TemplateAsset { sha256, reason } => language.pick(
                format!("O ficheiro sha256:{sha256} não pode ser usado: {reason}."),
                format!("The file sha256:{sha256} cannot be used: {reason}."),
            ),
            Problem::TemplateToken { box_id, token, reason } => language.pick(
                format!("O campo {token} da caixa «{box_id}» não se entende: {reason}."),
                format!("The token {token} of box “{box_id}” cannot be read: {reason}."),
            ),
            Problem::FieldMissing { box_id, pointer } => language.pick(
                format!("A credencial não tem o campo {pointer} que a caixa «{box_id}» mostra."),
                format!("The credential lacks the field {pointer} that box “{box_id}” shows."),
            ),
            Problem::FieldFormat { box_id, pointer, expected } => language.pick(
                format!("O campo {pointer} da caixa «{box_id}» deve ser: {expected}."),
                format!("The field {pointer} of box “{box_id}” must be: {expected}."),
            ),
            Problem::TextTooLong { box_id, characters } => language.pick(
                format!("O texto da caixa «{box_id}» tem {characters} caracteres: são demasiados."),
                format!("The text of box “{box_id}” has {characters} characters: too many."),
            ),
            Problem::MissingGlyph { box_id, character, text } => {
                let named = name_of(*character);
                language.pick(
                    format!("Nenhum tipo de letra da caixa «{box_id}» tem o carácter {named}, em «{text}»."),
                    format!("No font of box “{box_id}” has the character {named}, in “{text}”."),
                )
            }
            Problem::Overflow { box_id, text } => language.pick(
                format!("O texto «{text}» não cabe na caixa «{box_id}», nem no menor tamanho permitido."),
                format!("The text “{text}” does not fit box “{box_id}”, even at the smallest size allowed."),
            ),
            Problem::QrTooDense { box_id, bytes } => language.pick(
                format!("A ligação de {bytes} bytes não dá um código QR legível na caixa «{box_id}»."),
                format!("A link of {bytes} bytes gives no legible QR code in box “{box_id}”."),
            ),
            Problem::Output { reason } => language.pick(
                format!("O documento não pôde ser escrito: {reason}."),
                format!("The document could not be written: {reason}."),
            ),
        }
    }

    /// What to do about it, in one sentence.
    pub fn remedy(&self, language: Language) -> String {
        let (portuguese, english) = match &*self.0 {
            Problem::TemplateTooLarge { .. } | Problem::TemplateLimit { .. } => (
                "Simplifique o desenho: menos pontos, menos elementos, imagens mais pequenas.",
                "Simplify the drawing: fewer points, fewer elements, smaller images.",
            ),
            Problem::TemplateXml { .. } => (
                "Corrija o ficheiro nesse lugar e envie-o outra vez, em UTF-8.",
                "Mend the file at that place and send it again, in UTF-8.",
            ),
            Problem::TemplateForbidden { .. } => (
                "Retire-o: um modelo é só desenho, sem programas, estilos nem ligações para fora.",
                "Remove it: a template is drawing only, without programs, styles or outside links.",
            ),
            Problem::TemplateUnsupported { .. } => (
                "Converta-o em formas simples (rect, path, g) ou retire-o.",
                "Convert it into plain shapes (rect, path, g) or remove it.",
            ),
            Problem::TemplateAttribute { .. } => {
                ("Escreva o valor na forma indicada.", "Write the value in the form that is named.")
            }
            Problem::TemplateReference { .. } => (
                "Ponha o elemento dentro de <defs> com esse id, sem círculos.",
                "Put the element inside <defs> with that id, without circles.",
            ),
            Problem::TemplateAsset { .. } => (
                "Envie o ficheiro primeiro, ou escolha outro.",
                "Upload the file first, or choose another one.",
            ),
            Problem::TemplateToken { .. } => (
                "Escreva {{/campo}} ou {{/campo|formato:argumento}} com um formato conhecido.",
                "Write {{/field}} or {{/field|format:argument}} with a known format.",
            ),
            Problem::FieldMissing { .. } => (
                "Preencha o campo, ou dê ao modelo um valor com |default:.",
                "Fill in the field, or give the template a value with |default:.",
            ),
            Problem::FieldFormat { .. } => {
                ("Corrija o valor do campo nos dados.", "Correct the field's value in the data.")
            }
            Problem::TextTooLong { .. } | Problem::Overflow { .. } => (
                "Encurte o texto, ou dê à caixa mais espaço ou um tamanho mínimo menor.",
                "Shorten the text, or give the box more room or a smaller minimum size.",
            ),
            Problem::MissingGlyph { .. } => (
                "Retire o carácter, ou acrescente ao modelo um tipo de letra que o tenha.",
                "Remove the character, or add a font that has it to the template.",
            ),
            Problem::QrTooDense { .. } => (
                "Use um endereço público mais curto ou uma caixa maior.",
                "Use a shorter public address or a larger box.",
            ),
            Problem::Output { .. } => (
                "Escolha uma largura permitida; se o erro persistir, comunique-o com o modelo.",
                "Choose an allowed width; if it persists, report it together with the template.",
            ),
        };
        language.pick(portuguese.to_owned(), english.to_owned())
    }
}

/// `U+1F600` and the character; a control or invisible character only by its number.
fn name_of(character: char) -> String {
    let number = u32::from(character);
    if character.is_control() || crate::text::is_invisible(character) {
        return format!("U+{number:04X}");
    }
    format!("U+{number:04X} {character}")
}
