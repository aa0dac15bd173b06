//! Serial numbers (RFC 5280 §4.1.2.2).
//!
//! Never here: randomness; sixteen random octets come in with the call.

use std::fmt;

use super::der::{DerError, Reader, Writer};

/// Longest serial number that RFC 5280 allows, in octets.
pub const SERIAL_BYTES_MAX: usize = 20;

/// A positive serial number of at most [`SERIAL_BYTES_MAX`] octets of content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial {
    // the content of the INTEGER, right-aligned, so that numbers compare as numbers
    octets: [u8; SERIAL_BYTES_MAX],
}

impl Serial {
    /// A serial number from sixteen random octets: the highest bits become 01, so that it is positive and always
    /// takes sixteen octets; 126 random bits stay.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        let mut octets = [0; SERIAL_BYTES_MAX];
        for (place, byte) in octets.iter_mut().skip(SERIAL_BYTES_MAX - 16).zip(random) {
            *place = byte;
        }
        if let Some(first) = octets.get_mut(SERIAL_BYTES_MAX - 16) {
            *first = *first & 0x3f | 0x40;
        }
        Self { octets }
    }

    /// A serial number from the content of an INTEGER. None when it is zero, negative, too long or not in its
    /// shortest form.
    #[must_use]
    pub fn from_content(content: &[u8]) -> Option<Self> {
        let first = *content.first()?;
        let padded = first == 0 && content.get(1).is_none_or(|second| *second < 0x80);
        if content.len() > SERIAL_BYTES_MAX || first >= 0x80 || padded {
            return None;
        }
        let mut octets = [0; SERIAL_BYTES_MAX];
        for (place, byte) in octets.iter_mut().rev().zip(content.iter().rev()) {
            *place = *byte;
        }
        Some(Self { octets })
    }

    /// Reads an INTEGER.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        Self::from_content(reader.integer()?).ok_or(DerError::Value("serial number"))
    }

    /// Writes an INTEGER.
    pub fn write(&self, out: &mut Writer) {
        out.natural(&self.octets);
    }

    /// The content of the INTEGER, with its leading zero if it has one (as ARI certificate ids want it).
    #[must_use]
    pub fn content(&self) -> &[u8] {
        let zeros = self.octets.iter().take_while(|octet| **octet == 0).count();
        let pads = self.octets.get(zeros).is_some_and(|first| *first >= 0x80);
        self.octets.get(zeros - usize::from(pads)..).unwrap_or_default()
    }

    /// The shard of a CRL that lists this number: its low 16 bits modulo the count of shards.
    #[must_use]
    pub fn shard(&self, count: u16) -> u16 {
        let [.., high, low] = self.octets;
        u16::from_be_bytes([high, low]) % count.max(1)
    }
}

impl fmt::Display for Serial {
    /// Lower-case hexadecimal of the content.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&crate::crypto::hex(self.content()))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Serial({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ones_always_take_sixteen_octets() {
        for random in [[0; 16], [0xff; 16], [0x80; 16]] {
            let serial = Serial::from_random(random);
            assert_eq!(serial.content().len(), 16);
            assert_eq!(serial.content()[0] >> 6, 1);
            assert_eq!(Serial::from_content(serial.content()), Some(serial));
        }
    }

    #[test]
    fn others_are_read_with_their_leading_zero_and_faulty_ones_are_not() {
        for content in [&[1][..], &[0, 0x80], &[0, 0xff, 1], &[0x7f; 20]] {
            assert_eq!(Serial::from_content(content).unwrap().content(), content);
        }
        for content in [&[][..], &[0], &[0x80], &[0, 0x7f], &[1; 21], &[0, 0]] {
            assert_eq!(Serial::from_content(content), None, "{content:?}");
        }
        assert_eq!(Serial::from_content(&[1, 0x02, 0x05]).unwrap().shard(256), 5);
        assert_eq!(Serial::from_content(&[7]).unwrap().shard(0), 0);
    }
}
