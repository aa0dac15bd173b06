//! Writing DER into one buffer.
//!
//! A nested value is written in place and its length is put before it afterwards, so a list of a million entries needs
//! no second copy of itself.
//! Never here: an encoding that is not the shortest.

use super::{BIT_STRING, BOOLEAN, ENUMERATED, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET};
use crate::x509::Oid;

/// Writes values one after another.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for this many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// A value that `fill` writes.
    #[must_use]
    pub fn build(fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut writer = Self::new();
        fill(&mut writer);
        writer.bytes
    }

    /// A finished encoding.
    pub fn raw(&mut self, der: &[u8]) {
        self.bytes.extend_from_slice(der);
    }

    /// A value of this tag with this content.
    pub fn put(&mut self, tag: u8, body: &[u8]) {
        self.bytes.push(tag);
        let (length, used) = length_octets(body.len());
        self.bytes.extend(length.iter().take(used));
        self.bytes.extend_from_slice(body);
    }

    /// A value of this tag with what `fill` writes inside.
    pub fn nested<T>(&mut self, tag: u8, fill: impl FnOnce(&mut Self) -> T) -> T {
        self.bytes.push(tag);
        let start = self.bytes.len();
        let result = fill(self);
        let (length, used) = length_octets(self.bytes.len() - start);
        self.bytes.splice(start..start, length.into_iter().take(used));
        result
    }

    /// A SEQUENCE.
    pub fn sequence<T>(&mut self, fill: impl FnOnce(&mut Self) -> T) -> T {
        self.nested(SEQUENCE, fill)
    }

    /// A SET whose members the caller writes in order.
    pub fn set<T>(&mut self, fill: impl FnOnce(&mut Self) -> T) -> T {
        self.nested(SET, fill)
    }

    /// A BOOLEAN that is true.
    pub fn yes(&mut self) {
        self.put(BOOLEAN, &[0xff]);
    }

    /// An INTEGER that is not negative, from big-endian octets.
    pub fn natural(&mut self, octets: &[u8]) {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let magnitude = octets.get(zeros..).unwrap_or_default();
        let pad = magnitude.first().is_none_or(|first| *first >= 0x80);
        self.bytes.push(INTEGER);
        let (length, used) = length_octets(magnitude.len() + usize::from(pad));
        self.bytes.extend(length.iter().take(used));
        if pad {
            self.bytes.push(0);
        }
        self.bytes.extend_from_slice(magnitude);
    }

    /// A small INTEGER.
    pub fn small(&mut self, value: u64) {
        self.natural(&value.to_be_bytes());
    }

    /// An ENUMERATED below 128.
    pub fn enumerated(&mut self, value: u8) {
        self.put(ENUMERATED, &[value & 0x7f]);
    }

    /// A BIT STRING of whole octets.
    pub fn bit_string(&mut self, octets: &[u8]) {
        self.bytes.push(BIT_STRING);
        let (length, used) = length_octets(octets.len() + 1);
        self.bytes.extend(length.iter().take(used));
        self.bytes.push(0);
        self.bytes.extend_from_slice(octets);
    }

    /// A BIT STRING whose bits have names, the first as the highest of 16.
    pub fn named_bits(&mut self, bits: u16) {
        let [high, low] = bits.to_be_bytes();
        match (high, low) {
            (0, 0) => self.put(BIT_STRING, &[0]),
            (_, 0) => self.put(BIT_STRING, &[high.trailing_zeros() as u8, high]),
            _ => self.put(BIT_STRING, &[low.trailing_zeros() as u8, high, low]),
        }
    }

    /// An OCTET STRING.
    pub fn octet_string(&mut self, octets: &[u8]) {
        self.put(OCTET_STRING, octets);
    }

    /// A NULL.
    pub fn null(&mut self) {
        self.put(NULL, &[]);
    }

    /// An OBJECT IDENTIFIER.
    pub fn oid(&mut self, oid: &Oid) {
        self.put(OBJECT_IDENTIFIER, oid.body());
    }
}

/// The length in its shortest form, and how many of the octets it takes. Lengths end at 4 GiB, as they do in reading.
fn length_octets(length: usize) -> ([u8; 5], usize) {
    let [.., a, b, c, d] = (length as u64).to_be_bytes();
    match length {
        0..0x80 => ([d, 0, 0, 0, 0], 1),
        0x80..0x100 => ([0x81, d, 0, 0, 0], 2),
        0x100..0x1_0000 => ([0x82, c, d, 0, 0], 3),
        0x1_0000..0x100_0000 => ([0x83, b, c, d, 0], 4),
        _ => ([0x84, a, b, c, d], 5),
    }
}
