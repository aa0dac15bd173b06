//! The little of TOML that `Cargo.toml` and `house.toml` use: sections, keys, strings and lists of strings.
//!
//! Enough to know which crate depends on which, with line numbers for whoever has to mend it. Not a TOML reader:
//! a value that is neither a string nor a list stays raw text.

use crate::{Trouble, place};
use std::path::Path;

/// One `key = value`, with the section it stands in and the comment lines right above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub section: String,
    pub key: String,
    /// The raw value; several lines are joined by a space.
    pub value: String,
    pub line: usize,
    /// True when the line above is a comment, or belongs to a run of keys under one.
    pub explained: bool,
}

/// A file, entry by entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    pub entries: Vec<Entry>,
    /// Sections in order, also those without entries.
    pub sections: Vec<String>,
}

impl Document {
    /// Reads a file; a missing one is an error that names it.
    pub fn read(path: &Path) -> Result<Self, Trouble> {
        std::fs::read_to_string(path)
            .map(|text| Self::parse(&text))
            .map_err(|error| Trouble::new(format!("cannot read {}: {error}", place::short(path))))
    }

    /// Reads a text.
    pub fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let mut section = String::new();
        let mut explained = false;
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let line = line.trim();
            if line.is_empty() {
                explained = false;
            } else if line.starts_with('#') {
                explained = true;
            } else if let Some(name) = line.strip_prefix('[') {
                section = name.trim_matches(|sign| sign == '[' || sign == ']').trim().to_owned();
                document.sections.push(section.clone());
                explained = false;
            } else if let Some((key, value)) = line.split_once('=') {
                let mut value = without_comment(value).to_owned();
                while depth(&value) > 0 {
                    let Some((_, more)) = lines.next() else { break };
                    value.push(' ');
                    value.push_str(without_comment(more));
                }
                document.entries.push(Entry {
                    section: section.clone(),
                    key: key.trim().trim_matches('"').to_owned(),
                    value: value.trim().to_owned(),
                    line: number + 1,
                    explained,
                });
            }
        }
        document
    }

    /// The entries of one section.
    pub fn section<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.section == name)
    }

    /// A list of strings; empty when it is not there.
    pub fn list(&self, section: &str, key: &str) -> Vec<String> {
        let found = self.section(section).find(|entry| entry.key == key);
        found.map(|entry| strings(&entry.value)).unwrap_or_default()
    }

    /// The names under `[dependencies]`, and under those of a target; not those of tests.
    pub fn dependencies(&self) -> Vec<(String, usize)> {
        let mut names: Vec<(String, usize)> = self
            .entries
            .iter()
            .filter(|entry| is_dependencies(&entry.section))
            .map(|entry| (entry.key.trim_end_matches(".workspace").to_owned(), entry.line))
            .collect();
        let tables = self.sections.iter().filter_map(|name| name.strip_prefix("dependencies."));
        names.extend(tables.map(|name| (name.to_owned(), 1)));
        names
    }
}

fn is_dependencies(section: &str) -> bool {
    section == "dependencies" || (section.starts_with("target.") && section.ends_with(".dependencies"))
}

/// The quoted words of a value.
pub fn strings(value: &str) -> Vec<String> {
    value.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (place, sign) in line.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            '#' if !quoted => return line.get(..place).unwrap_or(line),
            _ => {}
        }
    }
    line
}

fn depth(value: &str) -> i32 {
    let mut quoted = false;
    let mut depth = 0;
    for sign in value.chars() {
        match sign {
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::Document;

    const TEXT: &str = r##"
[package]
name = "verify" # the room

[dependencies]
# base: the ground
base.workspace = true
axum = { version = "0.8", features = [
  "json",  # [not closed by this ]
] }

[target.'cfg(unix)'.dependencies]
libc.workspace = true

[dependencies.proof]
path = "../proof"

[dev-dependencies]
credential.workspace = true
"##;

    #[test]
    fn dependencies_are_named_without_those_of_tests() {
        let names: Vec<String> =
            Document::parse(TEXT).dependencies().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["base", "axum", "libc", "proof"]);
    }

    #[test]
    fn lists_run_over_lines_and_comments_are_no_part_of_them() {
        let document = Document::parse("[a]\nwords = [\"x\", # \"no\"\n  \"y\"]\n");
        assert_eq!(document.list("a", "words"), ["x", "y"]);
        assert!(document.list("a", "others").is_empty());
    }

    #[test]
    fn an_entry_knows_whether_a_comment_stands_above_it() {
        let document = Document::parse(TEXT);
        let explained = |key: &str| document.entries.iter().any(|entry| entry.key == key && entry.explained);
        assert!(explained("base.workspace"));
        assert!(!explained("name"));
    }
}
