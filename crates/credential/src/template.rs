//! The built-in templates: which columns a row has, which credential comes of it, how it looks.

use std::sync::LazyLock;

use base::{Lang, Result};

use crate::error;

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Any text.
    Text,
    /// An e-mail address; identifies the person, and enters the credential only as a salted hash.
    Email,
    /// A date of the form 2026-07-31.
    Date,
}

/// A column of a template's table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in the first line, lower case.
    pub name: &'static str,
    /// What it is called for people.
    pub label: [&'static str; 2],
    /// What its cells hold.
    pub kind: ColumnKind,
    /// Whether a cell may be empty.
    pub required: bool,
    /// The longest cell, in characters.
    pub characters_max: usize,
    /// An example.
    pub example: &'static str,
}

impl Column {
    /// What it is called for people.
    pub fn label(&self, lang: Lang) -> &'static str {
        let [en, pt] = self.label;
        lang.pick(en, pt)
    }
}

/// A template.
#[derive(Debug)]
pub struct Template {
    /// Its name.
    pub name: &'static str,
    /// What it is called for people.
    pub label: [&'static str; 2],
    /// The Open Badges achievement type.
    pub achievement_type: &'static str,
    /// The columns of its table.
    pub columns: &'static [Column],
    /// Its drawing, parsed once.
    pub drawing: &'static LazyLock<std::result::Result<render::Template, render::RenderError>>,
}

const NAME: Column = Column {
    name: "name",
    label: ["Name", "Nome"],
    kind: ColumnKind::Text,
    required: true,
    characters_max: 200,
    example: "Ana Conceição",
};
const EMAIL: Column = Column {
    name: "email",
    label: ["E-mail", "Correio eletrónico"],
    kind: ColumnKind::Email,
    required: false,
    characters_max: 254,
    example: "ana@example.org",
};
const DATE: Column = Column {
    name: "date",
    label: ["Date", "Data"],
    kind: ColumnKind::Date,
    required: true,
    characters_max: 10,
    example: "2026-07-31",
};

static DIPLOMA: LazyLock<std::result::Result<render::Template, render::RenderError>> =
    LazyLock::new(render::diploma);
static BADGE: LazyLock<std::result::Result<render::Template, render::RenderError>> =
    LazyLock::new(render::badge);

/// The templates every tenant has.
pub static TEMPLATES: [Template; 2] = [
    Template {
        name: "diploma",
        label: ["Diploma", "Diploma"],
        achievement_type: "Diploma",
        columns: &[
            NAME,
            EMAIL,
            Column {
                name: "degree",
                label: ["Degree", "Grau"],
                kind: ColumnKind::Text,
                required: true,
                characters_max: 200,
                example: "Licenciatura em Direito",
            },
            Column {
                name: "field",
                label: ["Field of study", "Área de estudo"],
                kind: ColumnKind::Text,
                required: false,
                characters_max: 200,
                example: "Direito",
            },
            Column {
                name: "grade",
                label: ["Grade", "Classificação"],
                kind: ColumnKind::Text,
                required: false,
                characters_max: 40,
                example: "17 (dezassete) valores",
            },
            DATE,
        ],
        drawing: &DIPLOMA,
    },
    Template {
        name: "badge",
        label: ["Badge", "Distintivo"],
        achievement_type: "Badge",
        columns: &[
            NAME,
            EMAIL,
            Column {
                name: "degree",
                label: ["Achievement", "Conquista"],
                kind: ColumnKind::Text,
                required: true,
                characters_max: 120,
                example: "First aid",
            },
            DATE,
        ],
        drawing: &BADGE,
    },
];

impl Template {
    /// The template of that name.
    ///
    /// # Errors
    /// `TEMPLATE_NOT_FOUND`.
    pub fn find(name: &str) -> Result<&'static Self> {
        TEMPLATES.iter().find(|template| template.name == name).ok_or_else(|| {
            let known: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
            error::TEMPLATE.at("template").with("template", name).with("known", known.join(", "))
        })
    }

    /// Its drawing.
    ///
    /// # Errors
    /// `RENDER_IMPOSSIBLE` when a built-in drawing does not parse, which a test rules out.
    pub fn drawing(&self) -> Result<&'static render::Template> {
        self.drawing.as_ref().map_err(drawing_error)
    }

    /// SHA-256 of the drawing's bytes; stands in the fact of every credential.
    ///
    /// # Errors
    /// As [`Template::drawing`].
    pub fn digest(&self) -> Result<[u8; 32]> {
        self.drawing().map(render::Template::digest)
    }

    /// The names of its columns.
    pub fn column_names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        names.join(", ")
    }
}

/// A drawing's error as one of the house's; the sentence is the renderer's, which names box and character.
pub(crate) fn drawing_error(wrong: &render::RenderError) -> base::Error {
    let (english, portuguese) = (render::Language::English, render::Language::Portuguese);
    let failure = error::RENDER
        .error()
        .with("reason", wrong.message(english))
        .with("remedy", wrong.remedy(english))
        .with("motivo", wrong.message(portuguese))
        .with("solucao", wrong.remedy(portuguese));
    match wrong.field().or(wrong.box_id()) {
        Some(place) => failure.at(place),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_drawings_parse() {
        for template in &TEMPLATES {
            assert!(template.digest().is_ok(), "{}", template.name);
        }
    }
}
