//! Errors: one struct for the whole house, made from a *code* that a room declares with its texts.
//!
//! A code carries its cause and remedy in every language, so an error without a translation does not compile. The
//! struct adds the place (`field`), the arguments of the sentence, and the source for the log.
//! Which to use where: a room's verbs return [`Result`]; `proof` and `render` have enums of their own and the room
//! that calls them maps them to its codes; only `http` and the command line turn an [`Error`] into a shape.
//! Never in `args`: a secret, or personal data beyond what the caller sent.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::lang::Lang;

/// The result of the house's verbs.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of no it is; decides the HTTP status and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be understood.
    Malformed,
    /// The request is understood and breaks a rule of its form.
    Invalid,
    /// Nobody we know is asking.
    Unauthenticated,
    /// The asker may not.
    Forbidden,
    /// There is no such thing, or the asker may not know of it.
    NotFound,
    /// The thing is in a state that does not allow it.
    Conflict,
    /// More than we accept.
    TooLarge,
    /// A form we do not read.
    Unsupported,
    /// Too often.
    TooMany,
    /// Something we need is away; try again.
    Unavailable,
    /// No room on a disk.
    Full,
    /// Our own fault.
    Internal,
}

impl Kind {
    /// The HTTP status (RFC 9110; 507 of RFC 4918, 422 of RFC 9110).
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Invalid => 422,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Unsupported => 415,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::Full => 507,
        }
    }

    /// The exit code of the command line: 1 a clear no, 2 wrong use, 3 trouble of our own.
    pub const fn exit(self) -> u8 {
        match self {
            Self::Malformed | Self::Invalid | Self::TooLarge | Self::Unsupported => 2,
            Self::Unauthenticated | Self::Forbidden | Self::NotFound | Self::Conflict => 1,
            Self::TooMany | Self::Unavailable | Self::Full | Self::Internal => 3,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::TooMany | Self::Unavailable | Self::Full)
    }
}

/// What happened and what to do about it, in one language. `{name}` stands for an argument.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// What happened.
    pub cause: &'static str,
    /// What the reader can do.
    pub remedy: &'static str,
}

/// A stable, documented, translated error code.
#[derive(Debug)]
pub struct Code {
    /// Upper case, never changes its meaning.
    pub name: &'static str,
    /// What sort of no.
    pub kind: Kind,
    /// English.
    pub en: Text,
    /// Portuguese.
    pub pt: Text,
}

/// Every code that is linked into the program.
#[linkme::distributed_slice]
pub static CODES: [&'static Code];

impl Code {
    /// An error of this code.
    pub const fn error(&'static self) -> Error {
        Error {
            code: self,
            field: None,
            args: Vec::new(),
            details: Vec::new(),
            retry_after_seconds: None,
            source: None,
            told: None,
        }
    }

    /// An error of this code at a field (a JSON pointer, a column, an option).
    pub fn at(&'static self, field: impl Into<String>) -> Error {
        self.error().at(field)
    }

    /// An error of this code with the cause behind it, for the log only.
    pub fn because(&'static self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.error().because(source)
    }

    /// The text in a language.
    pub fn text(&self, lang: Lang) -> Text {
        lang.pick(self.en, self.pt)
    }
}

/// Declares codes: name, kind, cause and remedy in English and Portuguese.
#[macro_export]
macro_rules! codes {
    ($($(#[$doc:meta])* $ident:ident = $name:literal, $kind:ident,
        en $en_cause:literal => $en_remedy:literal,
        pt $pt_cause:literal => $pt_remedy:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $ident: $crate::error::Code = $crate::error::Code {
                name: $name,
                kind: $crate::error::Kind::$kind,
                en: $crate::error::Text { cause: $en_cause, remedy: $en_remedy },
                pt: $crate::error::Text { cause: $pt_cause, remedy: $pt_remedy },
            };
            #[expect(unsafe_code, reason = "linkme places a static in a link section; no unsafe block is ours")]
            const _: () = {
                #[$crate::linkme::distributed_slice($crate::error::CODES)]
                #[linkme(crate = $crate::linkme)]
                static ENTRY: &$crate::error::Code = &$ident;
            };
        )*
    };
}

codes! {
    /// Something broke inside; the log has the reason under the request id.
    INTERNAL = "INTERNAL_ERROR", Internal,
        en "Something went wrong on our side." => "Try again; if it stays, give the request id to the operator.",
        pt "Algo correu mal do nosso lado." => "Tente de novo; se persistir, indique o identificador do pedido ao operador.";
    /// The request's fields break rules; `details` says which.
    VALIDATION = "VALIDATION_ERROR", Invalid,
        en "Some fields are not right." => "Mend the fields that are named and send again.",
        pt "Alguns campos não estão corretos." => "Corrija os campos indicados e envie de novo.";
    /// An error that another process told and this one does not know by its code.
    TOLD = "TOLD_BY_THE_HOUSE", Conflict,
        en "{message}" => "{remedy}",
        pt "{message}" => "{remedy}";
    /// An id that is not of its form.
    ID_MALFORMED = "ID_MALFORMED", NotFound,
        en "This is not an id of the form {prefix}_…" => "Copy the id as it was given to you.",
        pt "Isto não é um identificador da forma {prefix}_…" => "Copie o identificador tal como lhe foi dado.";
    /// A page token that we did not make.
    PAGE_TOKEN = "PAGE_TOKEN_INVALID", Malformed,
        en "The page token is not one of ours." => "Begin again without a page token.",
        pt "O marcador de página não é nosso." => "Recomece sem marcador de página.";
}

/// One of several things that are wrong with a request.
#[derive(Debug, Clone)]
pub struct Detail {
    /// Which field, row or option.
    pub field: String,
    /// Which code.
    pub code: &'static Code,
    /// The arguments of its sentence.
    pub args: Vec<(&'static str, String)>,
    /// The sentence in the words of another process.
    pub told: Option<String>,
}

/// An error of the house.
#[derive(Clone)]
pub struct Error {
    code: &'static Code,
    field: Option<String>,
    args: Vec<(&'static str, String)>,
    details: Vec<Detail>,
    retry_after_seconds: Option<u32>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// Cause and remedy in the words of another process.
    told: Option<Box<(String, String)>>,
}

impl Error {
    /// The code.
    pub const fn code(&self) -> &'static Code {
        self.code
    }

    /// Whether it is this code.
    pub fn is(&self, code: &Code) -> bool {
        self.code.name == code.name
    }

    /// What sort of no.
    pub const fn kind(&self) -> Kind {
        self.code.kind
    }

    /// The place: a JSON pointer, a column, an option.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Several places, when there are several.
    pub fn details(&self) -> &[Detail] {
        &self.details
    }

    /// When to try again.
    pub const fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// Names the place.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Gives an argument of the sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// Keeps what caused it, for the log.
    #[must_use]
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Adds one of several places.
    #[must_use]
    pub fn detail(mut self, other: Self) -> Self {
        self.details.push(Detail {
            field: other.field.unwrap_or_default(),
            code: other.code,
            args: other.args,
            told: None,
        });
        self
    }

    /// What happened, as a sentence.
    pub fn cause(&self, lang: Lang) -> Cow<'static, str> {
        if let Some(told) = &self.told {
            return Cow::Owned(told.0.clone());
        }
        fill(self.code.text(lang).cause, &self.args)
    }

    /// What to do, as a sentence.
    pub fn remedy(&self, lang: Lang) -> Cow<'static, str> {
        if let Some(told) = &self.told {
            return Cow::Owned(told.1.clone());
        }
        fill(self.code.text(lang).remedy, &self.args)
    }

    /// An error as another process told it: found again by its code, so that kind and exit code are its own. Its
    /// sentences are already in a language; a code that this program does not know becomes [`TOLD`].
    pub fn told(
        code: &str,
        message: String,
        remedy: String,
        details: impl Iterator<Item = (String, String, String)>,
    ) -> Self {
        let known = CODES.iter().find(|known| known.name == code).copied().unwrap_or(&TOLD);
        let mut error = known.error().with("message", &message).with("remedy", &remedy);
        error.told = Some(Box::new((message, remedy))).filter(|told| !told.0.is_empty());
        for (field, code, message) in details {
            let known = CODES.iter().find(|known| known.name == code).copied().unwrap_or(&TOLD);
            error.details.push(Detail { field, code: known, args: Vec::new(), told: Some(message) });
        }
        error
    }

    /// Every argument, for messages in a machine's form.
    pub fn args(&self) -> &[(&'static str, String)] {
        &self.args
    }
}

impl Detail {
    /// Cause and remedy, as sentences.
    pub fn message(&self, lang: Lang) -> String {
        let [cause, remedy] = self.sentences(lang);
        if remedy.is_empty() { cause } else { format!("{cause} {remedy}") }
    }

    /// Cause and remedy apart. A detail that another house told has both in the first.
    pub fn sentences(&self, lang: Lang) -> [String; 2] {
        if let Some(told) = &self.told {
            return [told.clone(), String::new()];
        }
        let text = self.code.text(lang);
        [text.cause, text.remedy].map(|sentence| fill(sentence, &self.args).into_owned())
    }
}

/// Puts arguments into a sentence; an argument that is not given stays visible as `{name}`.
fn fill(text: &'static str, args: &[(&'static str, String)]) -> Cow<'static, str> {
    if !text.contains('{') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match args.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => {
                out.push('{');
                out.push_str(name);
                out.push('}');
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name, self.cause(Lang::En))?;
        match &self.field {
            Some(field) => write!(f, " (at {field})"),
            None => Ok(()),
        }
    }
}
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut source: Option<&dyn std::error::Error> =
            self.source.as_deref().map(|s| s as &dyn std::error::Error);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_takes_its_arguments_and_shows_the_missing_ones() {
        let error = ID_MALFORMED.error().with("prefix", "cred");
        assert_eq!(error.cause(Lang::En), "This is not an id of the form cred_…");
        assert_eq!(ID_MALFORMED.error().cause(Lang::Pt), "Isto não é um identificador da forma {prefix}_…");
    }

    #[test]
    fn codes_are_collected() {
        assert!(CODES.iter().any(|code| code.name == "INTERNAL_ERROR"));
    }
}
