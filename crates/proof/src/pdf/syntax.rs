//! The objects of a PDF's syntax (ISO 32000-2 §7.2, §7.3), read one at a time.
//!
//! Each byte that is looked at and each value that is built draws on the caller's budget, so the whole reading of a file is
//! bounded however often it points to the same place. Nesting is bounded too.
//! Never here: an index that is not checked, a float (numbers with a fraction are only passed over).

use super::PdfError;

/// The deepest nesting of arrays and dictionaries.
const MAX_DEPTH: usize = 32;

/// What one value costs beside its bytes; it keeps the memory of built values below 16 MiB.
const VALUE_COST: usize = 64;

/// What may still be spent on one file.
#[derive(Debug)]
pub(super) struct Budget(pub(super) usize);

impl Budget {
    pub(super) fn spend(&mut self, cost: usize) -> Result<(), PdfError> {
        self.0 =
            self.0.checked_sub(cost).ok_or(PdfError::TooLarge("it is built in too complicated a way"))?;
        Ok(())
    }
}

/// A value. Streams are dictionaries here; their data is found by the file's reader.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    /// `null`, `true`, `false` or a number with a fraction: nothing that is asked for here.
    Other,
    Integer(i64),
    Name(Vec<u8>),
    String(Vec<u8>),
    Array(Vec<Object>),
    Dictionary(Dictionary),
    /// Number and generation of an indirect object.
    Reference(u32, u16),
}

/// Keys and values in the order of the file; of a repeated key the first counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Dictionary(Vec<(Vec<u8>, Object)>);

impl Dictionary {
    pub(super) fn get(&self, key: &str) -> Option<&Object> {
        let mut entries = self.0.iter();
        entries.find(|(name, _)| name == key.as_bytes()).map(|(_, value)| value)
    }

    /// A direct, non-negative integer.
    pub(super) fn number(&self, key: &str) -> Option<usize> {
        match self.get(key) {
            Some(Object::Integer(value)) => usize::try_from(*value).ok(),
            _ => None,
        }
    }
}

/// A place in some bytes.
#[derive(Debug)]
pub(super) struct Lexer<'a, 'b> {
    bytes: &'a [u8],
    position: usize,
    budget: &'b mut Budget,
}

const MALFORMED: PdfError = PdfError::Pdf("an object is malformed");

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c | 0)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'a, 'b> Lexer<'a, 'b> {
    pub(super) fn new(bytes: &'a [u8], position: usize, budget: &'b mut Budget) -> Self {
        Self { bytes, position, budget }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn bump(&mut self) -> Result<Option<u8>, PdfError> {
        let byte = self.peek();
        if byte.is_some() {
            self.budget.spend(1)?;
            self.position += 1;
        }
        Ok(byte)
    }

    /// Passes over white space and comments.
    pub(super) fn space(&mut self) -> Result<(), PdfError> {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while let Some(byte) = self.peek()
                    && byte != b'\n'
                    && byte != b'\r'
                {
                    self.bump()?;
                }
            } else if is_space(byte) {
                self.bump()?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// The bytes up to the next white space or delimiter; maybe none.
    fn word(&mut self) -> Result<&'a [u8], PdfError> {
        let start = self.position;
        while let Some(byte) = self.peek()
            && !is_space(byte)
            && !is_delimiter(byte)
        {
            self.bump()?;
        }
        Ok(self.bytes.get(start..self.position).unwrap_or_default())
    }

    /// Passes over this keyword, if it stands here (after white space).
    pub(super) fn keyword(&mut self, keyword: &str) -> Result<bool, PdfError> {
        self.space()?;
        let start = self.position;
        if self.word()? == keyword.as_bytes() {
            return Ok(true);
        }
        self.position = start;
        Ok(false)
    }

    /// A non-negative integer (after white space), or nothing passed over.
    pub(super) fn unsigned(&mut self) -> Result<Option<u64>, PdfError> {
        self.space()?;
        let start = self.position;
        let number = parse_unsigned(self.word()?);
        if number.is_none() {
            self.position = start;
        }
        Ok(number)
    }

    /// The next value.
    pub(super) fn object(&mut self) -> Result<Object, PdfError> {
        self.value(0)
    }

    fn value(&mut self, depth: usize) -> Result<Object, PdfError> {
        if depth > MAX_DEPTH {
            return Err(PdfError::TooLarge("its objects are nested too deeply"));
        }
        self.budget.spend(VALUE_COST)?;
        self.space()?;
        match self.peek().ok_or(MALFORMED)? {
            b'/' => self.name().map(Object::Name),
            b'(' => self.literal_string(),
            b'[' => {
                self.bump()?;
                let mut items = Vec::new();
                loop {
                    self.space()?;
                    if self.peek() == Some(b']') {
                        self.bump()?;
                        return Ok(Object::Array(items));
                    }
                    items.push(self.value(depth + 1)?);
                }
            }
            b'<' => {
                self.bump()?;
                if self.peek() != Some(b'<') {
                    return self.hex_string();
                }
                self.bump()?;
                let mut entries = Vec::new();
                loop {
                    self.space()?;
                    if self.peek() == Some(b'>') {
                        self.bump()?;
                        return match self.bump()? {
                            Some(b'>') => Ok(Object::Dictionary(Dictionary(entries))),
                            _ => Err(MALFORMED),
                        };
                    }
                    let key = self.name()?;
                    entries.push((key, self.value(depth + 1)?));
                }
            }
            _ => self.number_or_word(),
        }
    }

    fn name(&mut self) -> Result<Vec<u8>, PdfError> {
        if self.bump()? != Some(b'/') {
            return Err(MALFORMED);
        }
        let word = self.word()?;
        let mut name = Vec::with_capacity(word.len());
        let mut rest = word;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if *byte == b'#'
                && let Some(([high, low], after)) = rest.split_first_chunk::<2>()
                && let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low))
            {
                name.push(high << 4 | low);
                rest = after;
            } else {
                name.push(*byte);
            }
        }
        Ok(name)
    }

    fn literal_string(&mut self) -> Result<Object, PdfError> {
        self.bump()?;
        let mut text = Vec::new();
        let mut open = 1usize;
        loop {
            match self.bump()?.ok_or(MALFORMED)? {
                b'(' => {
                    open += 1;
                    text.push(b'(');
                }
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Ok(Object::String(text));
                    }
                    text.push(b')');
                }
                b'\\' => text.extend(self.escape()?),
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Result<Option<u8>, PdfError> {
        let byte = self.bump()?.ok_or(MALFORMED)?;
        Ok(Some(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'\n' => return Ok(None),
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.bump()?;
                }
                return Ok(None);
            }
            b'0'..=b'7' => {
                let mut value = byte - b'0';
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else {
                        break;
                    };
                    self.bump()?;
                    value = value.wrapping_mul(8).wrapping_add(digit - b'0');
                }
                value
            }
            other => other,
        }))
    }

    /// After the opening angle bracket.
    fn hex_string(&mut self) -> Result<Object, PdfError> {
        let start = self.position;
        loop {
            let end = self.position;
            if self.bump()?.ok_or(MALFORMED)? == b'>' {
                let digits = self.bytes.get(start..end).unwrap_or_default();
                return hex_bytes(digits).map(Object::String).ok_or(MALFORMED);
            }
        }
    }

    fn number_or_word(&mut self) -> Result<Object, PdfError> {
        let word = self.word()?;
        if matches!(word, b"null" | b"true" | b"false") {
            return Ok(Object::Other);
        }
        if let Some(number) = parse_unsigned(word) {
            let behind = self.position;
            // `12 0 R` is a reference; two numbers in a row are not.
            if let Some(generation) = self.unsigned()?
                && self.keyword("R")?
                && let (Ok(number), Ok(generation)) = (u32::try_from(number), u16::try_from(generation))
            {
                return Ok(Object::Reference(number, generation));
            }
            self.position = behind;
            return Ok(i64::try_from(number).map_or(Object::Other, Object::Integer));
        }
        let mut sign_and_digits = word;
        if let Some((b'+' | b'-', rest)) = word.split_first() {
            sign_and_digits = rest;
        }
        let number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        if sign_and_digits.is_empty() || !sign_and_digits.iter().all(number) {
            return Err(MALFORMED);
        }
        // No negative number or fraction is of any use on the way to an attachment.
        Ok(Object::Other)
    }
}

/// Bytes from hexadecimal digits with white space among them; a missing last digit is 0.
pub(super) fn hex_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.iter().filter(|byte| !is_space(**byte));
    let digits: Vec<u8> = digits.map(|byte| hex_digit(*byte)).collect::<Option<_>>()?;
    let byte = |pair: &[u8]| match pair {
        [high, low] => high << 4 | low,
        [high] => high << 4,
        _ => 0,
    };
    Some(digits.chunks(2).map(byte).collect())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

fn parse_unsigned(word: &[u8]) -> Option<u64> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}
