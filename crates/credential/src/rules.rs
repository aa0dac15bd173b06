//! Pure decisions: what a row must look like before anything is planned.

use std::collections::BTreeMap;

use base::{Result, Time};
use identity::normalise_email;
use unicode_normalization::UnicodeNormalization;

use crate::{
    error,
    template::{Column, ColumnKind, Template},
};

/// A reason for a change of status has at most so many characters.
const REASON_CHARACTERS_MAX: usize = 500;

/// What is to be said about a person: a row that has been checked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Order {
    /// The name, NFC.
    pub(crate) name: String,
    /// The address, normalised.
    pub(crate) email: Option<String>,
    /// The degree or achievement.
    pub(crate) degree: String,
    /// The field of study.
    pub(crate) field: Option<String>,
    /// The grade.
    pub(crate) grade: Option<String>,
    /// The day, `2026-07-31`.
    pub(crate) date: String,
}

/// Checks a row, all cells at once.
///
/// # Errors
/// `VALIDATION_ERROR` with one detail for each cell that is not right.
pub(crate) fn order(template: &Template, cells: &BTreeMap<String, String>) -> Result<Order> {
    let mut wrong = base::error::VALIDATION.error();
    let mut good: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for column in template.columns {
        match cell(column, cells.get(column.name).map_or("", String::as_str)) {
            Ok(value) => {
                good.insert(column.name, value);
            }
            Err(failure) => wrong = wrong.detail(failure.at(column.name)),
        }
    }
    for stranger in
        cells.keys().filter(|name| template.columns.iter().all(|column| column.name != name.as_str()))
    {
        wrong = wrong.detail(
            error::COLUMN_UNKNOWN
                .at(stranger.as_str())
                .with("column", stranger)
                .with("columns", template.column_names()),
        );
    }
    if !wrong.details().is_empty() {
        return Err(wrong);
    }
    let mut take = |name: &str| good.remove(name).flatten();
    Ok(Order {
        name: take("name").unwrap_or_default(),
        email: take("email").map(|address| normalise_email(&address)),
        degree: take("degree").unwrap_or_default(),
        field: take("field"),
        grade: take("grade"),
        date: take("date").unwrap_or_default(),
    })
}

fn cell(column: &Column, raw: &str) -> Result<Option<String>> {
    let text: String = raw.trim().nfc().collect();
    if text.is_empty() {
        return if column.required {
            Err(error::CELL_EMPTY.error().with("column", column.name))
        } else {
            Ok(None)
        };
    }
    let characters = text.chars().count();
    if characters > column.characters_max {
        return Err(error::CELL_TOO_LONG
            .error()
            .with("column", column.name)
            .with("found", characters)
            .with("limit", column.characters_max));
    }
    if text.chars().any(|c| c.is_control() || is_bidi_control(c)) {
        return Err(error::CELL_CONTROL.error().with("column", column.name));
    }
    if let Some(first) = text.chars().next().filter(|first| matches!(first, '=' | '+' | '-' | '@')) {
        return Err(error::CELL_FORMULA.error().with("column", column.name).with("character", first));
    }
    match column.kind {
        ColumnKind::Text => Ok(Some(text)),
        ColumnKind::Date if is_date(&text) => Ok(Some(text)),
        ColumnKind::Date => Err(error::CELL_DATE.error().with("column", column.name)),
        ColumnKind::Email if is_email(&text) => Ok(Some(text)),
        ColumnKind::Email => Err(error::CELL_EMAIL.error().with("column", column.name)),
    }
}

/// Characters that turn the direction of what follows: they could make a diploma read otherwise than it is signed.
const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && Time::parse(&format!("{text}T00:00:00Z")).is_some()
}

/// One `@` with something on both sides, a dot in the domain, no spaces: the rest only a mail server knows.
fn is_email(text: &str) -> bool {
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && !domain.contains('@')
                && domain.split('.').count() > 1
                && domain.split('.').all(|label| !label.is_empty())
                && !text.contains(char::is_whitespace)
        }
        None => false,
    }
}

/// Checks a reason for a change of status.
///
/// # Errors
/// `REASON_NEEDED`.
pub(crate) fn reason(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_CHARACTERS_MAX || text.chars().any(char::is_control) {
        return Err(error::REASON.at("reason"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(&str, &str)]) -> BTreeMap<String, String> {
        cells.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn codes(cells: &[(&str, &str)]) -> Vec<&'static str> {
        let template = Template::find("diploma").unwrap();
        match order(template, &row(cells)) {
            Ok(_) => Vec::new(),
            Err(failure) => failure.details().iter().map(|detail| detail.code.name).collect(),
        }
    }

    #[test]
    fn a_good_row_is_normalised() {
        let template = Template::find("diploma").unwrap();
        let order = order(
            template,
            &row(&[
                ("name", "  Jose\u{301} Gonc\u{327}alves "),
                ("email", "Jose@Example.ORG"),
                ("degree", "Licenciatura"),
                ("date", "2026-07-31"),
            ]),
        )
        .unwrap();
        assert_eq!(order.name, "José Gonçalves");
        assert_eq!(order.email.as_deref(), Some("jose@example.org"));
        assert_eq!(order.grade, None);
    }

    #[test]
    fn every_wrong_cell_is_named_at_once() {
        let found = codes(&[
            ("name", ""),
            ("email", "nobody"),
            ("degree", "=HYPERLINK(\"x\")"),
            ("date", "31/07/2026"),
            ("grade", &"x".repeat(41)),
            ("shoe", "42"),
        ]);
        assert_eq!(
            found,
            ["CELL_EMPTY", "CELL_EMAIL", "CELL_FORMULA", "CELL_TOO_LONG", "CELL_DATE", "CSV_COLUMN_UNKNOWN"]
        );
        assert_eq!(
            codes(&[("name", "A\u{202E}na"), ("degree", "x"), ("date", "2026-02-30")]),
            ["CELL_CONTROL", "CELL_DATE"]
        );
    }
}
