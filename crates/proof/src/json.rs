//! Strict JSON: the door through which every document from outside enters.
//!
//! Two readers that take one text differently are the classical attack on signed documents, so what RFC 8259
//! leaves open is refused here: duplicate member names, lone surrogates, numbers without a finite value.
//! Size and depth are bounded before anything is built.
//! Never here: a recursion deeper than [`Limits::depth`], a guess, a panic.

use serde_json::{Map, Number, Value};

/// Largest document read by default: 256 KiB (spec credentials §4.6).
pub const BYTES_MAX: usize = 256 * 1024;
/// Deepest nesting read by default (spec credentials §4.6).
pub const DEPTH_MAX: usize = 64;

/// What a document may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text in bytes.
    pub bytes: usize,
    /// Number of arrays and objects inside each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: BYTES_MAX, depth: DEPTH_MAX }
    }
}

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonErrorKind {
    /// The text is longer than [`Limits::bytes`]; nothing of it was read.
    #[error("the text has {actual} bytes, at most {limit} are read")]
    TooLarge {
        /// Bytes handed in.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Nested deeper than [`Limits::depth`].
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// One member name twice in one object.
    #[error("the member {name:?} stands twice in one object")]
    DuplicateKey {
        /// The name.
        name: String,
    },
    /// A `\uD800`-like escape without its other half.
    #[error("half of a surrogate pair")]
    LoneSurrogate,
    /// A number without a finite value.
    #[error("a number that cannot be represented")]
    Number,
    /// The bytes are no UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// Anything else that RFC 8259 does not allow.
    #[error("{0}")]
    Syntax(&'static str),
}

/// A refused text, with the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}{}: {kind}", if pointer.is_empty() { String::new() } else { format!(" (at {pointer})") })]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// RFC 6901 pointer to the innermost value that was being read; empty for the root.
    pub pointer: String,
}

/// Reads one JSON text (RFC 8259) into a value, within the limits.
///
/// # Errors
/// [`JsonError`] with line, column and pointer; a text over the byte limit is refused without being read.
pub fn parse(text: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    if text.len() > limits.bytes {
        let kind = JsonErrorKind::TooLarge { actual: text.len(), limit: limits.bytes };
        return Err(JsonError { kind, line: 1, column: 1, pointer: String::new() });
    }
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            return Err(place(text, Fault::at(error.valid_up_to(), JsonErrorKind::Encoding)));
        }
    };
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, depth: 0, depth_max: limits.depth };
    reader.document().map_err(|fault| place(text.as_bytes(), fault))
}

/// [`parse`] with the default limits.
///
/// # Errors
/// As [`parse`].
pub fn parse_default(text: &[u8]) -> Result<Value, JsonError> {
    parse(text, &Limits::default())
}

/// One step of a JSON pointer, escaped as RFC 6901 §3 asks, with its leading slash.
#[must_use]
pub fn pointer_step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A fault while the way back to the root is still being collected (innermost step first).
struct Fault {
    at: usize,
    kind: JsonErrorKind,
    path: Vec<String>,
}

impl Fault {
    fn at(at: usize, kind: JsonErrorKind) -> Self {
        Self { at, kind, path: Vec::new() }
    }

    fn inside(mut self, name: &str) -> Self {
        self.path.push(pointer_step(name));
        self
    }
}

fn place(text: &[u8], fault: Fault) -> JsonError {
    let before = text.get(..fault.at).unwrap_or(text);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let last_line = before.get(line_start..).unwrap_or_default();
    let column = last_line.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() + 1;
    let pointer = fault.path.iter().rev().map(String::as_str).collect();
    JsonError { kind: fault.kind, line, column, pointer }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    depth_max: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Value, Fault> {
        let value = self.value()?;
        self.blank();
        if self.at < self.bytes.len() {
            return Err(self.syntax("something follows the end of the document"));
        }
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn syntax(&self, what: &'static str) -> Fault {
        Fault::at(self.at, JsonErrorKind::Syntax(what))
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value, Fault> {
        self.blank();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.syntax("a value was expected")),
            None => Err(self.syntax("the text ends too early")),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Value, Fault>) -> Result<Value, Fault> {
        if self.depth >= self.depth_max {
            let kind = JsonErrorKind::TooDeep { limit: self.depth_max };
            return Err(Fault::at(self.at, kind));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Fault> {
        let mut members = Map::new();
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            self.blank();
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a member name was expected"));
            }
            let name_at = self.at;
            let name = self.string()?;
            if members.contains_key(&name) {
                let kind = JsonErrorKind::DuplicateKey { name: name.clone() };
                return Err(Fault::at(name_at, kind).inside(&name));
            }
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.syntax("a colon was expected").inside(&name));
            }
            self.at += 1;
            match self.value() {
                Ok(value) => members.insert(name, value),
                Err(fault) => return Err(fault.inside(&name)),
            };
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(members));
                }
                _ => return Err(self.syntax("a comma or a closing brace was expected")),
            }
        }
    }

    fn array(&mut self) -> Result<Value, Fault> {
        let mut items = Vec::new();
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            match self.value() {
                Ok(value) => items.push(value),
                Err(fault) => return Err(fault.inside(&items.len().to_string())),
            }
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(items));
                }
                _ => return Err(self.syntax("a comma or a closing bracket was expected")),
            }
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word.as_bytes()) {
            return Err(self.syntax("an unknown word"));
        }
        self.at = end;
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.syntax("a digit was expected"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        let mut whole = true;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.syntax("a number with a leading zero"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        number_value(text, whole).ok_or_else(|| Fault::at(start, JsonErrorKind::Number))
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut result = String::new();
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(byte) if byte != b'"' && byte != b'\\' && byte >= 0x20) {
                self.at += 1;
            }
            result.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(result);
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut result)?;
                }
                Some(_) => return Err(self.syntax("a control character inside a text")),
                None => return Err(self.syntax("the text ends inside a string")),
            }
        }
    }

    fn escape(&mut self, result: &mut String) -> Result<(), Fault> {
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(result),
            _ => return Err(self.syntax("an unknown escape")),
        };
        self.at += 1;
        result.push(character);
        Ok(())
    }

    fn unicode(&mut self, result: &mut String) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        let first = self.hex4()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                    return Err(Fault::at(start, JsonErrorKind::LoneSurrogate));
                }
                self.at += 2;
                let second = self.hex4()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(Fault::at(start, JsonErrorKind::LoneSurrogate));
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            _ => first,
        };
        match char::from_u32(code) {
            Some(character) => result.push(character),
            None => return Err(Fault::at(start, JsonErrorKind::LoneSurrogate)),
        }
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self
                .peek()
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or_else(|| self.syntax("four hexadecimal digits were expected"))?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

fn number_value(text: &str, whole: bool) -> Option<Value> {
    if whole && text != "-0" {
        if let Ok(integer) = text.parse::<u64>() {
            return Some(Value::Number(integer.into()));
        }
        if let Ok(integer) = text.parse::<i64>() {
            return Some(Value::Number(integer.into()));
        }
    }
    let float = text.parse::<f64>().ok()?;
    Number::from_f64(float).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> JsonError {
        match parse_default(text.as_bytes()) {
            Ok(value) => panic!("{text} was read as {value}"),
            Err(error) => error,
        }
    }

    #[test]
    fn an_ordinary_document_reads_as_serde_reads_it() {
        let text = r#" {"a":[1,-2,3.5e-3,true,false,null,""],"b":{"c":"\u00e9\ud83d\ude00\n\/"},"d":-0,"e":18446744073709551615} "#;
        let ours = parse_default(text.as_bytes());
        assert_eq!(ours.ok(), serde_json::from_str::<Value>(text).ok());
    }

    #[test]
    fn a_member_twice_is_refused_with_its_place() {
        let error = refused("{\"a\":{\n  \"b\":1,\n  \"b\":2}}");
        assert_eq!(error.kind, JsonErrorKind::DuplicateKey { name: "b".into() });
        assert_eq!((error.line, error.column), (3, 3));
        assert_eq!(error.pointer, "/a/b");
    }

    #[test]
    fn an_escaped_name_is_the_same_name() {
        assert!(matches!(refused(r#"{"a":1,"\u0061":2}"#).kind, JsonErrorKind::DuplicateKey { .. }));
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#"["\ud800x"]"#] {
            assert_eq!(refused(text).kind, JsonErrorKind::LoneSurrogate, "{text}");
        }
    }

    #[test]
    fn what_the_grammar_does_not_allow_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "nul",
            "\"a",
            "\"\t\"",
            "\"\\x\"",
            "{a:1}",
            "[1 2]",
            "1 2",
            "NaN",
            "Infinity",
            "'a'",
            "\u{feff}1",
        ] {
            refused(text);
        }
        assert_eq!(refused("1e999").kind, JsonErrorKind::Number);
        assert_eq!(parse_default(b"\"\xff\"").map_err(|e| e.kind), Err(JsonErrorKind::Encoding));
    }

    #[test]
    fn a_hundred_megabytes_are_refused_by_size_at_once() {
        let text = vec![b' '; 100_000_000];
        let started = std::time::Instant::now();
        assert!(matches!(parse_default(&text).map_err(|e| e.kind), Err(JsonErrorKind::TooLarge { .. })));
        assert!(started.elapsed().as_millis() < 100);
    }

    #[test]
    fn ten_thousand_levels_are_refused_without_overflow() {
        let limits = Limits { bytes: 1 << 20, depth: DEPTH_MAX };
        for open in ["[", "{\"a\":"] {
            let text = open.repeat(10_000);
            let error = parse(text.as_bytes(), &limits).map_err(|e| e.kind);
            assert_eq!(error, Err(JsonErrorKind::TooDeep { limit: DEPTH_MAX }));
        }
    }

    #[test]
    fn depth_is_counted_exactly() {
        let text = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert!(parse_default(text.as_bytes()).is_ok());
        let text = format!("{}{}", "[".repeat(65), "]".repeat(65));
        assert!(parse_default(text.as_bytes()).is_err());
    }

    #[test]
    fn a_pointer_escapes_tilde_and_slash() {
        let error = refused("{\"a/b~c\":[0,x]}");
        assert_eq!(error.pointer, "/a~1b~0c/1");
    }
}
