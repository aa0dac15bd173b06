//! A strict look at JSON before it is read: depth, names that stand twice, numbers that fit (I-JSON, RFC 7493).
//!
//! serde would take the last of two equal names without a word; two readers that disagree about such a document are
//! an attack. Never here: building a tree; the look only counts.

use std::{cell::Cell, collections::HashSet, fmt};

use base::{Error, Result};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{JSON_DUPLICATE_KEY, JSON_SYNTAX, JSON_TOO_DEEP};

/// How deep objects and arrays may stand inside each other.
pub const JSON_DEPTH_MAX: usize = 64;

/// Why a look ended early; carried beside serde's own error, which is only text.
enum Fault {
    Deep,
    Twice(String),
}

/// Checks a document.
///
/// # Errors
/// `JSON_SYNTAX` with line and column, `JSON_TOO_DEEP`, `JSON_DUPLICATE_KEY` at its JSON pointer.
pub fn check(bytes: &[u8]) -> Result<()> {
    let fault = Cell::new(None);
    let path = Path::Root;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // The look counts depth itself and stops at 64, far before serde_json's own limit of 128.
    let looked =
        serde::de::DeserializeSeed::deserialize(Look { depth: 0, path: &path, fault: &fault }, &mut reader)
            .and_then(|()| reader.end());
    let Err(error) = looked else { return Ok(()) };
    Err(match fault.into_inner() {
        Some(Fault::Deep) => JSON_TOO_DEEP.error().with("limit", JSON_DEPTH_MAX),
        Some(Fault::Twice(pointer)) => JSON_DUPLICATE_KEY.at(pointer),
        None => syntax(&error),
    })
}

fn syntax(error: &serde_json::Error) -> Error {
    JSON_SYNTAX.error().with("line", error.line()).with("column", error.column())
}

/// Where the look stands, as a chain on the stack; only turned into text when something is wrong.
enum Path<'a> {
    Root,
    Name(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Name(parent, name) => {
                let name: String = name.chars().take(200).collect();
                write!(f, "{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Self::Item(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

struct Look<'a> {
    depth: usize,
    path: &'a Path<'a>,
    fault: &'a Cell<Option<Fault>>,
}

impl Look<'_> {
    fn deeper<E: serde::de::Error>(&self) -> std::result::Result<usize, E> {
        if self.depth >= JSON_DEPTH_MAX {
            self.fault.set(Some(Fault::Deep));
            return Err(E::custom("too deep"));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for Look<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        let depth = self.deeper()?;
        let mut index = 0;
        loop {
            let path = Path::Item(self.path, index);
            if items.next_element_seed(Look { depth, path: &path, fault: self.fault })?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<(), A::Error> {
        let depth = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path::Name(self.path, &name);
            if seen.contains(&name) {
                self.fault.set(Some(Fault::Twice(path.to_string())));
                return Err(serde::de::Error::custom("a name twice"));
            }
            members.next_value_seed(Look { depth, path: &path, fault: self.fault })?;
            seen.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_twice_is_found_at_its_pointer_even_when_written_differently() {
        let error = check(br#"{"row":[1,{"name":1,"n\u0061me":2}]}"#).unwrap_err();
        assert!(error.is(&JSON_DUPLICATE_KEY));
        assert_eq!(error.field(), Some("/row/1/name"));
        assert!(check(br#"{"a":{"x":1},"b":{"x":1}}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded_exactly() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(check(nested(JSON_DEPTH_MAX).as_bytes()).is_ok());
        assert!(check(nested(JSON_DEPTH_MAX + 1).as_bytes()).unwrap_err().is(&JSON_TOO_DEEP));
        assert!(check("[".repeat(10_000).as_bytes()).unwrap_err().is(&JSON_TOO_DEEP));
    }

    #[test]
    fn what_is_no_json_names_its_place() {
        for text in [
            "",
            "{",
            "{\"a\":1,}",
            "[1] 2",
            "\u{feff}{}",
            "nul",
            "\"\\ud800\"",
            "01",
            "1e999",
            "{\"a\":\"\n\"}",
        ] {
            assert!(check(text.as_bytes()).unwrap_err().is(&JSON_SYNTAX), "{text}");
        }
        assert!(check(&[b'"', 0xff, b'"']).unwrap_err().is(&JSON_SYNTAX));
    }
}
