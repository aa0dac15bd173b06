//! Bitstring Status List 1.0 (W3C): one bit per credential, packed and signed as a credential of its own.
//!
//! Index 0 is the left-most, most significant bit of the first byte (the opposite of the IETF list).
//! Never here: a list unpacked without a limit, an index answered that the list does not have.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde_json::{Map, Value, json};

/// Fewest entries of a list (herd privacy, §6.1): 16 KiB.
pub const ENTRIES_MIN: u64 = 131_072;
/// Entries of a new list unless asked otherwise (spec credentials §11).
pub const ENTRIES_DEFAULT: u64 = 1_048_576;
/// Longest packed list that is read, in characters of its text (spec credentials §11).
pub const PACKED_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Longest unpacked list, in bytes (spec credentials §11).
pub const UNPACKED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Packed to unpacked: DEFLATE cannot expand more than 1032-fold, so a higher ratio is a trick.
pub const RATIO_MAX: usize = 1032;
/// Bytes that any list may unpack to, whatever its ratio.
const RATIO_FREE: usize = 64 * 1024;
/// A status list credential may be this long as JSON text.
pub const LIST_DOCUMENT_BYTES_MAX: usize = PACKED_BYTES_MAX + 64 * 1024;

/// Why a list or entry was not accepted. The names of the standard's problem types are in [`StatusError::problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// The entry has the wrong form.
    #[error("the status entry has the wrong form: {0}")]
    Entry(&'static str),
    /// The list credential has the wrong form.
    #[error("the status list has the wrong form: {0}")]
    List(&'static str),
    /// The packed text cannot be unpacked.
    #[error("the status list cannot be unpacked")]
    Packed,
    /// Packed or unpacked list is too long.
    #[error("the status list is too long")]
    TooLarge,
    /// The list has fewer than [`ENTRIES_MIN`] entries.
    #[error("the status list is too short")]
    TooShort,
    /// The index is beyond the list.
    #[error("the index is beyond the list")]
    Range,
    /// List and entry differ in purpose.
    #[error("the list has another purpose")]
    Purpose,
}

impl StatusError {
    /// The problem type's name in the Recommendation (§5).
    #[must_use]
    pub fn problem(self) -> &'static str {
        match self {
            Self::Range => "RANGE_ERROR",
            Self::TooShort => "STATUS_LIST_LENGTH_ERROR",
            Self::Entry(_) | Self::List(_) => "MALFORMED_VALUE_ERROR",
            Self::Packed | Self::TooLarge | Self::Purpose => "STATUS_VERIFICATION_ERROR",
        }
    }
}

/// The bits of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitString {
    bytes: Vec<u8>,
}

impl BitString {
    /// A list of zeros; the number of entries is rounded up to whole bytes and to at least [`ENTRIES_MIN`].
    ///
    /// # Errors
    /// [`StatusError::TooLarge`] beyond [`UNPACKED_BYTES_MAX`] bytes.
    pub fn new(entries: u64) -> Result<Self, StatusError> {
        let bytes = entries.max(ENTRIES_MIN).div_ceil(8);
        let bytes = usize::try_from(bytes).map_err(|_| StatusError::TooLarge)?;
        if bytes > UNPACKED_BYTES_MAX {
            return Err(StatusError::TooLarge);
        }
        Ok(Self { bytes: vec![0; bytes] })
    }

    /// A list from its bytes.
    ///
    /// # Errors
    /// [`StatusError::TooShort`], [`StatusError::TooLarge`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, StatusError> {
        if bytes.len() > UNPACKED_BYTES_MAX {
            return Err(StatusError::TooLarge);
        }
        if (bytes.len() as u64) * 8 < ENTRIES_MIN {
            return Err(StatusError::TooShort);
        }
        Ok(Self { bytes })
    }

    /// The bytes, index 0 in the most significant bit of the first.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of entries.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.bytes.len() as u64 * 8
    }

    /// The bit of an entry.
    ///
    /// # Errors
    /// [`StatusError::Range`].
    pub fn get(&self, index: u64) -> Result<bool, StatusError> {
        let byte = usize::try_from(index / 8).map_err(|_| StatusError::Range)?;
        let byte = self.bytes.get(byte).ok_or(StatusError::Range)?;
        Ok(byte & (0x80 >> (index % 8)) != 0)
    }

    /// Sets the bit of an entry.
    ///
    /// # Errors
    /// [`StatusError::Range`].
    pub fn set(&mut self, index: u64, value: bool) -> Result<(), StatusError> {
        let byte = usize::try_from(index / 8).map_err(|_| StatusError::Range)?;
        let byte = self.bytes.get_mut(byte).ok_or(StatusError::Range)?;
        let mask = 0x80 >> (index % 8);
        if value {
            *byte |= mask;
        } else {
            *byte &= !mask;
        }
        Ok(())
    }

    /// Number of entries whose bit is set.
    #[must_use]
    pub fn count_set(&self) -> u64 {
        self.bytes.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Packed: GZIP without name and time, multibase `u`. The same bits always give the same text.
    ///
    /// # Errors
    /// [`StatusError::Packed`] when packing fails, which memory alone can cause.
    pub fn encode(&self) -> Result<String, StatusError> {
        let mut writer =
            GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::default());
        writer.write_all(&self.bytes).map_err(|_| StatusError::Packed)?;
        let packed = writer.finish().map_err(|_| StatusError::Packed)?;
        Ok(crate::crypto::multibase_base64url(&packed))
    }

    /// Unpacks `encodedList`. Lists of the working drafts, without the `u`, are accepted too.
    ///
    /// # Errors
    /// [`StatusError`] for damaged, too long and too short lists.
    pub fn decode(text: &str) -> Result<Self, StatusError> {
        if text.len() > PACKED_BYTES_MAX {
            return Err(StatusError::TooLarge);
        }
        let body = match text.strip_prefix('u') {
            Some(body) => body,
            // GZIP begins with 1f 8b 08, in base64 "H4sI"
            None if text.starts_with("H4sI") => text,
            None => return Err(StatusError::Packed),
        };
        let packed = URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).map_err(|_| StatusError::Packed)?;
        let limit = UNPACKED_BYTES_MAX.min(packed.len() * RATIO_MAX + RATIO_FREE);
        let bytes = unpack(&packed, limit)?;
        if bytes.len() > limit {
            return Err(StatusError::TooLarge);
        }
        Self::from_bytes(bytes)
    }
}

/// Unpacks up to one byte beyond the limit. Room is made by doubling, as a vector would by itself, but never beyond that:
/// a vector that is full at 32 MiB would take 64 to find out that nothing follows.
fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, StatusError> {
    let mut stream = GzDecoder::new(packed);
    let mut bytes = Vec::new();
    let mut room = RATIO_FREE;
    while bytes.len() <= limit {
        room = room.max(bytes.len()).min(limit + 1 - bytes.len());
        bytes.reserve_exact(room);
        let mut piece = stream.by_ref().take(room as u64);
        let read = piece.read_to_end(&mut bytes).map_err(|_| StatusError::Packed)?;
        if read < room {
            break;
        }
    }
    Ok(bytes)
}

/// A credential's reference into a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Address of the list credential.
    pub list: String,
    /// Index in the list.
    pub index: u64,
    /// `revocation`, `suspension` and so on.
    pub purpose: String,
    /// The index was a JSON number instead of a decimal text: accepted with a warning, never issued.
    pub index_was_number: bool,
}

impl Entry {
    /// The `credentialStatus` object: id is the list's address with the index as fragment.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "id": format!("{}#{}", self.list, self.index),
            "type": "BitstringStatusListEntry",
            "statusPurpose": self.purpose,
            "statusListIndex": self.index.to_string(),
            "statusListCredential": self.list,
        })
    }

    /// Reads a `credentialStatus` object of type `BitstringStatusListEntry` (or the earlier `StatusList2021Entry`).
    ///
    /// # Errors
    /// [`StatusError::Entry`]; entries of more than one bit are not accepted.
    pub fn read(value: &Value) -> Result<Self, StatusError> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let list = text("statusListCredential")
            .filter(|address| crate::ld::is_absolute_iri(address))
            .ok_or(StatusError::Entry("statusListCredential is no address"))?;
        let purpose = text("statusPurpose").ok_or(StatusError::Entry("statusPurpose"))?;
        if value.get("statusSize").is_some_and(|size| size != 1) {
            return Err(StatusError::Entry("statusSize other than 1"));
        }
        let (index, index_was_number) = match value.get("statusListIndex") {
            Some(Value::String(digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                (digits.parse().ok(), false)
            }
            Some(Value::Number(number)) => (number.as_u64(), true),
            _ => (None, false),
        };
        let index = index.ok_or(StatusError::Entry("statusListIndex is no decimal number"))?;
        Ok(Self { list: list.to_owned(), index, purpose: purpose.to_owned(), index_was_number })
    }
}

/// What a list credential says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListDescription {
    /// Address of the list credential; it is its `id`.
    pub address: String,
    /// The issuer's identifier: that of the credentials in the list.
    pub issuer: String,
    /// `revocation` or `suspension`.
    pub purpose: String,
    /// RFC 3339.
    pub valid_from: String,
    /// RFC 3339.
    pub valid_until: Option<String>,
    /// How long a copy may be kept, in milliseconds.
    pub ttl_ms: Option<u64>,
}

/// Builds the unsigned list credential (`BitstringStatusListCredential`).
///
/// # Errors
/// As [`BitString::encode`].
pub fn build_list(description: &ListDescription, bits: &BitString) -> Result<Value, StatusError> {
    let mut subject = Map::new();
    subject.insert("id".into(), json!(format!("{}#list", description.address)));
    subject.insert("type".into(), json!("BitstringStatusList"));
    subject.insert("statusPurpose".into(), json!(description.purpose));
    subject.insert("encodedList".into(), json!(bits.encode()?));
    if let Some(ttl) = description.ttl_ms {
        subject.insert("ttl".into(), json!(ttl));
    }
    let mut list = json!({
        "@context": [crate::credential::CONTEXT_V2],
        "id": description.address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": description.issuer,
        "validFrom": description.valid_from,
        "credentialSubject": subject,
    });
    if let (Some(until), Some(members)) = (&description.valid_until, list.as_object_mut()) {
        members.insert("validUntil".into(), json!(until));
    }
    Ok(list)
}

/// The content of a list credential. Its proof and issuer are checked elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The purposes the list serves.
    pub purposes: Vec<String>,
    /// The bits.
    pub bits: BitString,
    /// How long a copy may be kept, in milliseconds.
    pub ttl_ms: Option<u64>,
}

impl List {
    /// Reads a `BitstringStatusListCredential` (or the earlier `StatusList2021Credential`).
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn read(document: &Value) -> Result<Self, StatusError> {
        let has_type = |value: &Value, names: [&str; 2]| match value.get("type") {
            Some(Value::String(one)) => names.contains(&one.as_str()),
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_str).any(|one| names.contains(&one))
            }
            _ => false,
        };
        if !has_type(document, ["BitstringStatusListCredential", "StatusList2021Credential"]) {
            return Err(StatusError::List("it is no status list credential"));
        }
        let subject = document
            .get("credentialSubject")
            .filter(|subject| has_type(subject, ["BitstringStatusList", "StatusList2021"]))
            .ok_or(StatusError::List("its subject is no list"))?;
        let purposes: Vec<String> = match subject.get("statusPurpose") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let encoded =
            subject.get("encodedList").and_then(Value::as_str).ok_or(StatusError::List("it has no bits"))?;
        Ok(Self {
            purposes,
            bits: BitString::decode(encoded)?,
            ttl_ms: subject.get("ttl").and_then(Value::as_u64),
        })
    }

    /// The bit of an entry.
    ///
    /// # Errors
    /// [`StatusError::Purpose`], [`StatusError::Range`].
    pub fn value(&self, entry: &Entry) -> Result<bool, StatusError> {
        if !self.purposes.contains(&entry.purpose) {
            return Err(StatusError::Purpose);
        }
        self.bits.get(entry.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_zero_is_the_most_significant_bit() {
        let mut bits = BitString::new(0).unwrap();
        assert_eq!(bits.entries(), ENTRIES_MIN);
        bits.set(0, true).unwrap();
        bits.set(9, true).unwrap();
        assert_eq!(bits.as_bytes()[..2], [0x80, 0x40]);
        assert_eq!((bits.get(0), bits.get(1), bits.get(9)), (Ok(true), Ok(false), Ok(true)));
        bits.set(0, false).unwrap();
        assert_eq!(bits.count_set(), 1);
    }

    #[test]
    fn an_index_beyond_the_list_is_refused() {
        let mut bits = BitString::new(ENTRIES_MIN).unwrap();
        assert_eq!(bits.get(ENTRIES_MIN), Err(StatusError::Range));
        assert_eq!(bits.set(u64::MAX, true), Err(StatusError::Range));
        assert_eq!(StatusError::Range.problem(), "RANGE_ERROR");
    }

    #[test]
    fn packing_is_deterministic_and_reads_back() {
        let mut bits = BitString::new(ENTRIES_DEFAULT).unwrap();
        for index in (0..ENTRIES_DEFAULT).step_by(97) {
            bits.set(index, true).unwrap();
        }
        let text = bits.encode().unwrap();
        assert!(text.starts_with('u'));
        assert_eq!(text, bits.encode().unwrap());
        assert_eq!(BitString::decode(&text), Ok(bits));
    }

    #[test]
    fn a_bomb_and_a_short_list_are_refused_and_the_largest_takes_little_more_than_its_length() {
        let pack = |length: usize| {
            let mut writer = GzBuilder::new().write(Vec::new(), Compression::best());
            let chunk = vec![0_u8; 1 << 20];
            let mut left = length;
            while left > 0 {
                let part = left.min(chunk.len());
                writer.write_all(&chunk[..part]).unwrap();
                left -= part;
            }
            crate::crypto::multibase_base64url(&writer.finish().unwrap())
        };
        let bomb = pack(UNPACKED_BYTES_MAX + 1);
        assert_eq!(BitString::decode(&bomb), Err(StatusError::TooLarge));
        // Fuzzing found that the largest list took 64 MiB, the whole allowance of one input.
        let largest = BitString::decode(&pack(UNPACKED_BYTES_MAX)).unwrap();
        assert!(largest.bytes.capacity() <= UNPACKED_BYTES_MAX + 1);
        assert_eq!(BitString::decode(&pack(100)), Err(StatusError::TooShort));
        assert_eq!(BitString::decode(&"u".repeat(PACKED_BYTES_MAX + 1)), Err(StatusError::TooLarge));
        for damaged in ["", "u", "zabc", "uAAAA", "u!!!!"] {
            assert!(BitString::decode(damaged).is_err(), "{damaged}");
        }
    }

    #[test]
    fn an_entry_reads_back_and_its_index_is_text() {
        let entry = Entry {
            list: "https://a.example/status/1".into(),
            index: 94567,
            purpose: "revocation".into(),
            index_was_number: false,
        };
        let json = entry.to_json();
        assert_eq!(json["statusListIndex"], "94567");
        assert_eq!(Entry::read(&json), Ok(entry));
        for (name, value) in [
            ("statusListIndex", json!("-1")),
            ("statusListIndex", json!("1e3")),
            ("statusListIndex", json!("")),
            ("statusListCredential", json!("not an address")),
            ("statusSize", json!(2)),
        ] {
            let mut bad = json.clone();
            bad[name] = value;
            assert!(Entry::read(&bad).is_err(), "{bad}");
        }
    }
}
