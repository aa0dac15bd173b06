//! DER (X.690), as far as certificates, lists, answers and requests need it.
//!
//! Reading borrows and never recurses: each caller descends by its own code, so depth is bounded by the code and not
//! by the input. Writing is into one buffer. Every encoding that is not the shortest is refused.
//! Never here: BER, indefinite lengths, tags above 30, a guess.

mod read;
mod write;

pub use read::{Element, Reader};
pub use write::Writer;

/// BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// NULL.
pub const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// ENUMERATED.
pub const ENUMERATED: u8 = 0x0a;
/// UTF8String.
pub const UTF8_STRING: u8 = 0x0c;
/// PrintableString.
pub const PRINTABLE_STRING: u8 = 0x13;
/// TeletexString, read as Latin 1 as everybody does.
pub const TELETEX_STRING: u8 = 0x14;
/// IA5String.
pub const IA5_STRING: u8 = 0x16;
/// UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// UniversalString.
pub const UNIVERSAL_STRING: u8 = 0x1c;
/// BMPString.
pub const BMP_STRING: u8 = 0x1e;
/// SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;
/// SET and SET OF.
pub const SET: u8 = 0x31;

/// The tag `[number]` of a primitive.
#[must_use]
pub const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]` of something constructed.
#[must_use]
pub const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Why bytes are not the DER that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// The bytes end inside a value.
    #[error("the bytes end inside a value")]
    End,
    /// Another tag than the one expected.
    #[error("expected tag {expected:#04x}, found {found:#04x}")]
    Tag {
        /// The tag that the grammar asks for.
        expected: u8,
        /// The tag that stands there.
        found: u8,
    },
    /// A tag of the form for numbers above 30.
    #[error("a tag above 30")]
    LongTag,
    /// A length that is not in its shortest form, or indefinite, or over 4 GiB.
    #[error("a length that DER does not allow")]
    Length,
    /// The value is not in the one form that DER allows.
    #[error("a {0} in a form that DER does not allow")]
    Value(&'static str),
    /// Bytes after the end.
    #[error("something follows the end")]
    Trailing,
    /// More than this place allows.
    #[error("larger than allowed here")]
    Large,
}
