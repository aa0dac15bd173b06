//! Distinguished names (RFC 5280 §4.1.2.4): built from typed parts, read from any certificate.
//!
//! Two names are equal when their bytes are: an issuer's name is copied as bytes into what it signs, which is what
//! RFC 5280 asks of a CA.
//! Never here: a name taken as bytes from a request.

use std::fmt;

use crate::x509::der::{
    BMP_STRING, DerError, Element, IA5_STRING, PRINTABLE_STRING, Reader, TELETEX_STRING, UNIVERSAL_STRING,
    UTF8_STRING, Writer,
};
use crate::x509::{Oid, oid};

/// Most parts of a name that is read.
pub const PARTS_MAX: usize = 32;
/// Longest encoding of a name that is read.
const NAME_BYTES_MAX: usize = 4096;

/// A part of a name that Selo writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// `C`: two upper-case letters.
    Country,
    /// `O`.
    Organization,
    /// `OU`.
    OrganizationalUnit,
    /// `L`.
    Locality,
    /// `ST`.
    State,
    /// `CN`.
    CommonName,
    /// `serialNumber` of the subject.
    SerialNumber,
}

impl Attribute {
    /// The attribute's identifier.
    #[must_use]
    pub fn oid(self) -> Oid {
        match self {
            Self::Country => oid::COUNTRY,
            Self::Organization => oid::ORGANIZATION,
            Self::OrganizationalUnit => oid::ORGANIZATIONAL_UNIT,
            Self::Locality => oid::LOCALITY,
            Self::State => oid::STATE,
            Self::CommonName => oid::COMMON_NAME,
            Self::SerialNumber => oid::SERIAL_NUMBER,
        }
    }

    /// UTF8String, but for the two that have only ever been PrintableString.
    fn tag(self) -> u8 {
        match self {
            Self::Country | Self::SerialNumber => PRINTABLE_STRING,
            _ => UTF8_STRING,
        }
    }

    /// Upper bounds of RFC 5280 appendix A.
    fn characters_max(self) -> usize {
        match self {
            Self::Country => 2,
            Self::Locality | Self::State => 128,
            Self::Organization | Self::OrganizationalUnit | Self::CommonName | Self::SerialNumber => 64,
        }
    }
}

/// Why a part cannot stand in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NameFault {
    /// Empty, or nothing but spaces, or with a space at an end.
    #[error("the part {0:?} is empty or has a space at an end")]
    Blank(Attribute),
    /// Longer than RFC 5280 allows.
    #[error("the part {0:?} is too long")]
    TooLong(Attribute),
    /// A character that this part may not have.
    #[error("the part {0:?} has a character that may not be there")]
    Character(Attribute),
    /// More than [`PARTS_MAX`] parts.
    #[error("the name has more than {PARTS_MAX} parts")]
    TooMany,
}

/// A part of a name, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// Which attribute.
    pub kind: Oid,
    /// The type of the value: the tag of its encoding.
    pub tag: u8,
    /// The text; empty for a value that is none.
    pub text: String,
}

/// A distinguished name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name {
    der: Vec<u8>,
    parts: Vec<Part>,
}

impl Name {
    /// The name without parts.
    #[must_use]
    pub fn empty() -> Self {
        Self { der: vec![0x30, 0], parts: Vec::new() }
    }

    /// A name from its parts, in this order.
    ///
    /// # Errors
    /// [`NameFault`].
    pub fn new(parts: &[(Attribute, &str)]) -> Result<Self, NameFault> {
        if parts.len() > PARTS_MAX {
            return Err(NameFault::TooMany);
        }
        for (attribute, value) in parts {
            check(*attribute, value)?;
        }
        let der = Writer::build(|out| {
            out.sequence(|out| {
                parts.iter().for_each(|(attribute, value)| write_part(out, *attribute, value))
            });
        });
        let part = |(attribute, value): &(Attribute, &str)| Part {
            kind: attribute.oid(),
            tag: attribute.tag(),
            text: (*value).to_owned(),
        };
        Ok(Self { der, parts: parts.iter().map(part).collect() })
    }

    /// Reads a name, of whichever certificate.
    ///
    /// # Errors
    /// [`DerError`] when it is no RDNSequence or larger than the limits. A part whose value is no text is kept
    /// without text.
    pub fn read(element: Element<'_>) -> Result<Self, DerError> {
        if element.whole.len() > NAME_BYTES_MAX {
            return Err(DerError::Large);
        }
        let mut outer = Reader::new(element.whole);
        let mut sequence = outer.sequence()?;
        outer.finish()?;
        let mut parts = Vec::new();
        while !sequence.is_empty() {
            let mut set = sequence.set()?;
            if set.is_empty() {
                return Err(DerError::Value("SET"));
            }
            while !set.is_empty() {
                if parts.len() == PARTS_MAX {
                    return Err(DerError::Large);
                }
                let mut part = set.sequence()?;
                let kind = part.oid()?;
                let value = part.any()?;
                part.finish()?;
                parts.push(Part { kind, tag: value.tag, text: text(value).unwrap_or_default() });
            }
        }
        Ok(Self { der: element.whole.to_vec(), parts })
    }

    /// The encoding.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether the name has no parts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The parts in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The values of one kind, in order.
    pub fn values(&self, kind: Oid) -> impl Iterator<Item = &str> {
        self.parts.iter().filter(move |part| part.kind == kind).map(|part| part.text.as_str())
    }

    /// The last common name, which is the most specific one.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.values(oid::COMMON_NAME).last()
    }
}

impl fmt::Display for Name {
    /// `C=PT, O=Example, CN=…`, in the order of the encoding.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Part { kind, text, .. }) in self.parts.iter().enumerate() {
            if at > 0 {
                out.write_str(", ")?;
            }
            match label(*kind) {
                Some(label) => out.write_str(label)?,
                None => write!(out, "{kind}")?,
            }
            out.write_str("=")?;
            for character in text.chars() {
                if character.is_control() {
                    write!(out, "\\{:02X}", u32::from(character))?;
                } else if matches!(character, ',' | '=' | '+' | '"' | '\\' | '<' | '>' | ';') {
                    write!(out, "\\{character}")?;
                } else {
                    write!(out, "{character}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Name({self})")
    }
}

fn label(kind: Oid) -> Option<&'static str> {
    let labels = [
        (oid::COUNTRY, "C"),
        (oid::ORGANIZATION, "O"),
        (oid::ORGANIZATIONAL_UNIT, "OU"),
        (oid::LOCALITY, "L"),
        (oid::STATE, "ST"),
        (oid::COMMON_NAME, "CN"),
        (oid::SERIAL_NUMBER, "serialNumber"),
        (oid::DOMAIN_COMPONENT, "DC"),
    ];
    labels.into_iter().find(|(oid, _)| *oid == kind).map(|(_, label)| label)
}

fn check(attribute: Attribute, value: &str) -> Result<(), NameFault> {
    if value.is_empty() || value.trim() != value {
        return Err(NameFault::Blank(attribute));
    }
    if value.chars().count() > attribute.characters_max() {
        return Err(NameFault::TooLong(attribute));
    }
    let good = match attribute {
        Attribute::Country => value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()),
        Attribute::SerialNumber => value.bytes().all(is_printable),
        _ => !value.chars().any(char::is_control),
    };
    if good { Ok(()) } else { Err(NameFault::Character(attribute)) }
}

fn write_part(out: &mut Writer, attribute: Attribute, value: &str) {
    out.set(|out| {
        out.sequence(|out| {
            out.oid(&attribute.oid());
            out.put(attribute.tag(), value.as_bytes());
        });
    });
}

fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}

/// The text of a directory string, whichever of the types it has.
fn text(element: Element<'_>) -> Option<String> {
    let body = element.body;
    match element.tag {
        UTF8_STRING => String::from_utf8(body.to_vec()).ok(),
        PRINTABLE_STRING | IA5_STRING => body.is_ascii().then(|| String::from_utf8_lossy(body).into_owned()),
        TELETEX_STRING => Some(body.iter().copied().map(char::from).collect()),
        BMP_STRING if body.len().is_multiple_of(2) => {
            let units = body
                .chunks_exact(2)
                .map(|unit| unit.iter().fold(0, |value, byte| value << 8 | u16::from(*byte)));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        UNIVERSAL_STRING if body.len().is_multiple_of(4) => body
            .chunks_exact(4)
            .map(|unit| char::from_u32(unit.iter().fold(0, |value, byte| value << 8 | u32::from(*byte))))
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_as_it_was_built() {
        let parts = [
            (Attribute::Country, "PT"),
            (Attribute::Organization, "Universidade de Évora"),
            (Attribute::CommonName, "Selo, Root + 1"),
        ];
        let name = Name::new(&parts).unwrap();
        let read = Name::read(Reader::new(name.der()).any().unwrap()).unwrap();
        assert_eq!(read, name);
        assert_eq!(name.to_string(), "C=PT, O=Universidade de Évora, CN=Selo\\, Root \\+ 1");
        assert_eq!(name.common_name(), Some("Selo, Root + 1"));
        assert_eq!(Name::new(&[]), Ok(Name::empty()));
    }

    #[test]
    fn parts_that_may_not_stand_are_refused() {
        let long = "a".repeat(65);
        for (attribute, value, fault) in [
            (Attribute::CommonName, "", NameFault::Blank(Attribute::CommonName)),
            (Attribute::CommonName, " a", NameFault::Blank(Attribute::CommonName)),
            (Attribute::CommonName, long.as_str(), NameFault::TooLong(Attribute::CommonName)),
            (Attribute::Country, "pt", NameFault::Character(Attribute::Country)),
            (Attribute::Country, "P", NameFault::Character(Attribute::Country)),
            (Attribute::SerialNumber, "a_b", NameFault::Character(Attribute::SerialNumber)),
            (Attribute::Organization, "a\0b", NameFault::Character(Attribute::Organization)),
        ] {
            assert_eq!(Name::new(&[(attribute, value)]), Err(fault), "{value:?}");
        }
    }
}
