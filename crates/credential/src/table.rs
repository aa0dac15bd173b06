//! Tables that people hand in: CSV in UTF-8 or Windows-1252, comma, semicolon or tab, a first line with names.
//!
//! The whole file is refused for what concerns the whole file; what concerns a row is said of that row, with its line.
//! Nothing is evaluated: a cell is text.

use std::collections::BTreeMap;

use base::{Error, Result};

use crate::{error, template::Template};

/// The largest table.
pub(crate) const TABLE_BYTES_MAX: usize = 200 * 1024 * 1024;
/// The most rows.
pub(crate) const ROWS_MAX: usize = 100_000;

/// A table: its column names, and each row with its line or what is wrong with it.
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<TableLine>,
}

/// A row as it was read.
pub(crate) struct TableLine {
    /// The line on which it begins, the head being line 1.
    pub(crate) line: u32,
    /// Its cells by column, or as they came when their number is wrong.
    pub(crate) cells: Vec<String>,
    /// What is wrong with the row as a row.
    pub(crate) wrong: Option<Error>,
}

impl Table {
    /// Reads a table for a template.
    ///
    /// # Errors
    /// What concerns the whole file: `CSV_ENCODING`, `CSV_COLUMN_*`, `CSV_EMPTY`, `CSV_ROWS_TOO_MANY`.
    pub(crate) fn read(bytes: &[u8], template: &Template) -> Result<Self> {
        let text = decode(bytes)?;
        let delimiter = delimiter(&text);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let head = records
            .next()
            .transpose()
            .map_err(|e| error::ENCODING.error().with("line", 1).because(e))?
            .ok_or_else(|| error::ROWS_NONE.error())?;
        let columns: Vec<String> = head.iter().map(|name| name.trim().to_lowercase()).collect();
        check_head(&columns, template)?;
        let mut rows = Vec::new();
        let mut seen: BTreeMap<Vec<String>, u32> = BTreeMap::new();
        let mut lines = Lines { text: text.as_bytes(), byte: 0, line: 1 };
        for record in records {
            let record = record.map_err(|e| {
                let line = e.position().map_or(0, csv::Position::line);
                error::ENCODING.error().with("line", line).because(e)
            })?;
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if rows.len() == ROWS_MAX {
                return Err(error::ROWS_TOO_MANY.error().with("limit", ROWS_MAX));
            }
            let line = lines.at(record.position().map_or(0, csv::Position::byte));
            let cells: Vec<String> = record.iter().map(str::to_owned).collect();
            let mut wrong = None;
            if cells.len() != columns.len() {
                wrong = Some(
                    error::ROW_WIDTH
                        .error()
                        .with("line", line)
                        .with("found", cells.len())
                        .with("expected", columns.len()),
                );
            } else if let Some(first) = seen.get(&cells) {
                wrong = Some(error::ROW_TWICE.error().with("line", line).with("first", first));
            } else {
                seen.insert(cells.clone(), line);
            }
            rows.push(TableLine { line, cells, wrong });
        }
        if rows.is_empty() {
            return Err(error::ROWS_NONE.error());
        }
        Ok(Self { columns, rows })
    }

    /// A row's cells by column.
    pub(crate) fn named(&self, line: &TableLine) -> BTreeMap<String, String> {
        self.columns.iter().cloned().zip(line.cells.iter().cloned()).collect()
    }
}

fn check_head(columns: &[String], template: &Template) -> Result<()> {
    let mut wrong = base::error::VALIDATION.error();
    for (position, name) in columns.iter().enumerate() {
        if columns.iter().take(position).any(|earlier| earlier == name) {
            wrong = wrong.detail(error::COLUMN_TWICE.at(name.as_str()).with("column", name));
        } else if template.columns.iter().all(|column| column.name != name) {
            let known = template.column_names();
            wrong = wrong
                .detail(error::COLUMN_UNKNOWN.at(name.as_str()).with("column", name).with("columns", known));
        }
    }
    for column in template.columns.iter().filter(|column| column.required) {
        if columns.iter().all(|name| name != column.name) {
            let known = template.column_names();
            wrong = wrong.detail(
                error::COLUMN_MISSING.at(column.name).with("column", column.name).with("columns", known),
            );
        }
    }
    match wrong.details() {
        [] => Ok(()),
        // One thing wrong is said as itself, so that its code is the answer's code.
        [only] => Err(only
            .args
            .iter()
            .fold(only.code.at(only.field.clone()), |e, (name, value)| e.with(name, value))),
        _ => Err(wrong),
    }
}

/// Counts the lines of a text, going forward: where a row begins as an editor shows it, empty lines included.
struct Lines<'a> {
    text: &'a [u8],
    byte: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line of the first character at or behind a byte that is no line end.
    fn at(&mut self, byte: u64) -> u32 {
        let wanted = usize::try_from(byte).unwrap_or(usize::MAX);
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        while let Some(next) = self.text.get(self.byte).filter(|next| self.byte < wanted || is_end(next)) {
            self.line += u32::from(*next == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

/// UTF-8 with or without mark, else Windows-1252; what has NUL bytes is neither.
fn decode(bytes: &[u8]) -> Result<String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Some(position) = bytes.iter().position(|byte| *byte == 0) {
        return Err(error::ENCODING.error().with("line", line_of(bytes, position)));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(at) => {
            let (text, _, wrong) = encoding_rs::WINDOWS_1252.decode(bytes);
            // The five bytes that Windows-1252 leaves undefined decode to control characters.
            let undefined = text.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c));
            if wrong || undefined {
                return Err(error::ENCODING.error().with("line", line_of(bytes, at.valid_up_to())));
            }
            Ok(text.into_owned())
        }
    }
}

fn line_of(bytes: &[u8], position: usize) -> usize {
    bytes.iter().take(position).filter(|byte| **byte == b'\n').count() + 1
}

/// The one of comma, semicolon and tab that stands most often in the first line.
fn delimiter(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| head.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// A cell as it goes out: quoted, and with an apostrophe before what a spreadsheet would take for a formula.
pub(crate) fn escape_cell(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Table> {
        Table::read(bytes, Template::find("diploma").unwrap())
    }

    #[test]
    fn semicolons_marks_and_windows_1252_are_read() {
        let table = read("\u{feff}name;degree;date\nJosé;Direito;2026-07-31\n".as_bytes()).unwrap();
        assert_eq!(table.rows[0].cells, ["José", "Direito", "2026-07-31"]);
        let table = read(b"name,degree,date\nJos\xe9,Direito,2026-07-31\n").unwrap();
        assert_eq!(table.rows[0].cells[0], "José");
    }

    #[test]
    fn what_concerns_the_file_refuses_the_file() {
        let code = |bytes: &[u8]| read(bytes).err().unwrap().code().name;
        assert_eq!(code(b"name,date\nA,2026-01-01\n"), "CSV_COLUMN_MISSING");
        assert_eq!(code(b"name,degree,date,shoe\nA,B,2026-01-01,4\n"), "CSV_COLUMN_UNKNOWN");
        assert_eq!(code(b"name,name,degree,date\nA,A,B,2026-01-01\n"), "CSV_COLUMN_TWICE");
        assert_eq!(code(b"name,degree,date\n"), "CSV_EMPTY");
        assert_eq!(code(b""), "CSV_EMPTY");
        assert_eq!(code(b"name,degree,date\nA\x81,B,2026-01-01\n"), "CSV_ENCODING");
        assert_eq!(code(b"n\0a\0m\0e\0"), "CSV_ENCODING");
        let mut huge = b"name,degree,date\n".to_vec();
        for row in 0..=ROWS_MAX {
            huge.extend_from_slice(format!("N{row},D,2026-01-01\n").as_bytes());
        }
        assert_eq!(code(&huge), "CSV_ROWS_TOO_MANY");
    }

    #[test]
    fn what_concerns_a_row_is_said_of_its_line() {
        let table = read(b"name,degree,date\nA,B\nC,D,2026-01-01\n\nC,D,2026-01-01\n").unwrap();
        let wrong: Vec<(u32, Option<&str>)> =
            table.rows.iter().map(|row| (row.line, row.wrong.as_ref().map(|e| e.code().name))).collect();
        assert_eq!(wrong, [(2, Some("CSV_ROW_WIDTH")), (3, None), (5, Some("CSV_ROW_TWICE"))]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_a_table_or_a_reason(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            text in "[ a,;\t\"\r\nÀ=0-9-]{0,120}",
            head in proptest::sample::select(vec!["", "name,degree,date\n", "\u{feff}name;degree;date\r\n", "\n\"name\"\tdegree\tdate\r"]),
        ) {
            for tail in [&bytes[..], text.as_bytes()] {
                let Ok(table) = read(&[head.as_bytes(), tail].concat()) else { continue };
                let lines: Vec<u32> = table.rows.iter().map(|row| row.line).collect();
                proptest::prop_assert!(!lines.is_empty() && lines.is_sorted());
                for row in &table.rows {
                    let whole = row.cells.len() == table.columns.len();
                    proptest::prop_assert!(whole || row.wrong.is_some());
                    proptest::prop_assert!(row.wrong.is_some() || table.named(row).len() == table.columns.len());
                }
            }
        }
    }

    #[test]
    fn cells_that_look_like_formulas_are_disarmed_on_the_way_out() {
        assert_eq!(escape_cell("=1+1"), "'=1+1");
        assert_eq!(escape_cell("Ana"), "Ana");
    }
}
