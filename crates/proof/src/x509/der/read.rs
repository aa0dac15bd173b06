//! Reading DER from borrowed bytes.
//!
//! Never here: a copy, a recursion.

use super::{
    BIT_STRING, BOOLEAN, DerError, ENUMERATED, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET,
    context_constructed,
};
use crate::x509::Oid;

/// One value: its tag, its content, and both together with the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// Class, form and number.
    pub tag: u8,
    /// The content.
    pub body: &'a [u8],
    /// Tag, length and content.
    pub whole: &'a [u8],
}

/// Reads values one after another.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next tag.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DerError::Trailing`] when something is left.
    pub fn finish(self) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError::Trailing) }
    }

    /// The next value, whatever it is.
    ///
    /// # Errors
    /// [`DerError`] when tag or length are not DER or the bytes end.
    pub fn any(&mut self) -> Result<Element<'a>, DerError> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(DerError::End)?;
        if tag & 0x1f == 0x1f {
            return Err(DerError::LongTag);
        }
        let (&first, after_first) = after_tag.split_first().ok_or(DerError::End)?;
        let (length, content) =
            if first < 0x80 { (usize::from(first), after_first) } else { long_length(first, after_first)? };
        let (body, rest) = content.split_at_checked(length).ok_or(DerError::End)?;
        let whole = self.rest.get(..self.rest.len() - rest.len()).ok_or(DerError::End)?;
        self.rest = rest;
        Ok(Element { tag, body, whole })
    }

    /// The content of the next value, which must have this tag.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn take(&mut self, tag: u8) -> Result<&'a [u8], DerError> {
        self.element(tag).map(|element| element.body)
    }

    /// The next value, which must have this tag.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn element(&mut self, tag: u8) -> Result<Element<'a>, DerError> {
        match self.peek() {
            Some(found) if found == tag => self.any(),
            Some(found) => Err(DerError::Tag { expected: tag, found }),
            None => Err(DerError::End),
        }
    }

    /// The content of the next value if it has this tag.
    ///
    /// # Errors
    /// [`DerError`] when the tag is there and the value is not DER.
    pub fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, DerError> {
        if self.peek() == Some(tag) { self.any().map(|element| Some(element.body)) } else { Ok(None) }
    }

    /// What stands inside the next SEQUENCE.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn sequence(&mut self) -> Result<Reader<'a>, DerError> {
        self.take(SEQUENCE).map(Reader::new)
    }

    /// What stands inside the next SET.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn set(&mut self) -> Result<Reader<'a>, DerError> {
        self.take(SET).map(Reader::new)
    }

    /// What stands inside `[number]`, if it is there and constructed.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn tagged(&mut self, number: u8) -> Result<Option<Reader<'a>>, DerError> {
        Ok(self.optional(context_constructed(number))?.map(Reader::new))
    }

    /// A BOOLEAN.
    ///
    /// # Errors
    /// [`DerError`]; true is FF and nothing else.
    pub fn boolean(&mut self) -> Result<bool, DerError> {
        match self.take(BOOLEAN)? {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(DerError::Value("BOOLEAN")),
        }
    }

    /// A BOOLEAN DEFAULT FALSE: absent, or true.
    ///
    /// # Errors
    /// [`DerError`]; a default that is written out is not DER.
    pub fn boolean_default_false(&mut self) -> Result<bool, DerError> {
        if self.peek() != Some(BOOLEAN) {
            return Ok(false);
        }
        if self.boolean()? { Ok(true) } else { Err(DerError::Value("BOOLEAN")) }
    }

    /// The content of an INTEGER, in its shortest form, two's complement.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn integer(&mut self) -> Result<&'a [u8], DerError> {
        shortest(self.take(INTEGER)?)
    }

    /// The magnitude of an INTEGER that is not negative, without leading zeros; empty for zero.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn natural(&mut self) -> Result<&'a [u8], DerError> {
        match self.integer()? {
            [first, ..] if *first >= 0x80 => Err(DerError::Value("INTEGER")),
            [0, rest @ ..] => Ok(rest),
            body => Ok(body),
        }
    }

    /// A small INTEGER that is not negative.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn small(&mut self) -> Result<u64, DerError> {
        let body = self.natural()?;
        if body.len() > 8 {
            return Err(DerError::Large);
        }
        Ok(body.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// An ENUMERATED of one octet.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn enumerated(&mut self) -> Result<u8, DerError> {
        match self.take(ENUMERATED)? {
            [value] if *value < 0x80 => Ok(*value),
            _ => Err(DerError::Value("ENUMERATED")),
        }
    }

    /// A BIT STRING of whole octets.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn bit_string(&mut self) -> Result<&'a [u8], DerError> {
        match self.take(BIT_STRING)?.split_first() {
            Some((0, octets)) => Ok(octets),
            _ => Err(DerError::Value("BIT STRING")),
        }
    }

    /// A BIT STRING whose bits have names, the first as the highest of 16: trailing zeros are not written.
    ///
    /// # Errors
    /// [`DerError`]; [`DerError::Large`] for more than 16 bits.
    pub fn named_bits(&mut self) -> Result<u16, DerError> {
        named_bits(self.take(BIT_STRING)?)
    }

    /// The content of an OCTET STRING.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn octet_string(&mut self) -> Result<&'a [u8], DerError> {
        self.take(OCTET_STRING)
    }

    /// A NULL.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn null(&mut self) -> Result<(), DerError> {
        if self.take(NULL)?.is_empty() { Ok(()) } else { Err(DerError::Value("NULL")) }
    }

    /// An OBJECT IDENTIFIER.
    ///
    /// # Errors
    /// [`DerError`]; [`DerError::Large`] for one that is longer than an [`Oid`] holds.
    pub fn oid(&mut self) -> Result<Oid, DerError> {
        Oid::from_body(self.take(OBJECT_IDENTIFIER)?)
    }
}

/// The content of named bits; see [`Reader::named_bits`]. Also for implicitly tagged ones.
pub(crate) fn named_bits(body: &[u8]) -> Result<u16, DerError> {
    let (&unused, octets) = body.split_first().ok_or(DerError::Value("BIT STRING"))?;
    let value = match octets {
        [] => 0,
        [high] => u16::from(*high) << 8,
        [high, low] => u16::from(*high) << 8 | u16::from(*low),
        _ => return Err(DerError::Large),
    };
    // shortest form: the last bit that is written is a one, so the unused bits are the zeros after it
    let zeros_of_last_octet = octets.last().map_or(0, |last| last.trailing_zeros());
    if octets.last() == Some(&0) || u32::from(unused) != zeros_of_last_octet {
        return Err(DerError::Value("BIT STRING"));
    }
    Ok(value)
}

fn long_length(first: u8, bytes: &[u8]) -> Result<(usize, &[u8]), DerError> {
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(DerError::Length);
    }
    let (octets, rest) = bytes.split_at_checked(count).ok_or(DerError::End)?;
    let length = octets.iter().fold(0_u32, |length, byte| length << 8 | u32::from(*byte));
    if length < 0x80 || octets.first() == Some(&0) {
        return Err(DerError::Length);
    }
    Ok((usize::try_from(length).map_err(|_| DerError::Length)?, rest))
}

fn shortest(body: &[u8]) -> Result<&[u8], DerError> {
    match body {
        [] => Err(DerError::Value("INTEGER")),
        [0x00, second, ..] if *second < 0x80 => Err(DerError::Value("INTEGER")),
        [0xff, second, ..] if *second >= 0x80 => Err(DerError::Value("INTEGER")),
        _ => Ok(body),
    }
}
