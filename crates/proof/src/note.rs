//! Signed notes (C2SP signed-note v1.0.0): a text and, below it, the lines of those who signed it.
//!
//! Why: checkpoints and witness statements travel in this envelope, and tools that we did not write read it.
//! The signer is outside: [`to_sign`] gives the bytes to be signed, [`assemble`] puts the answers together.
//! Signatures of unknown keys are ignored; one wrong signature of a known key refuses the whole note.
//! Never here: a private key, a note repaired by guessing, a name compared after normalisation.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// The largest note that is read or written: 256 KiB.
pub const MAX_NOTE_BYTES: usize = 256 * 1024;

/// The largest number of signature lines that is read or written.
pub const MAX_SIGNATURES: usize = 64;

/// The longest key name, in bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// The latest time a cosignature may state: 2^63 − 1 seconds.
pub const MAX_COSIGNATURE_SECONDS: u64 = (1 << 63) - 1;

const SIGNATURE_PREFIX: &str = "\u{2014} ";
const KEY_ID_BYTES: usize = 4;
const ED25519_KEY_BYTES: usize = 32;
const ED25519_SIGNATURE_BYTES: usize = 64;
const TIME_BYTES: usize = 8;

/// Why a note, a key or a signature was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// More bytes or signature lines than [`MAX_NOTE_BYTES`] and [`MAX_SIGNATURES`] allow.
    #[error("the note exceeds its limits")]
    TooLarge,
    /// Not UTF-8, a control character, no final newline.
    #[error("the note's text is malformed")]
    MalformedText,
    /// No empty line before the signatures, or none below it.
    #[error("the note has no signatures")]
    NoSignatures,
    /// A line below the text that is no signature line.
    #[error("signature line {line} of the note is malformed")]
    MalformedSignature {
        /// Counted from 1 below the empty line.
        line: usize,
    },
    /// An empty key name, or one with a space, a `+` or more than [`MAX_NAME_BYTES`].
    #[error("the key name is malformed")]
    MalformedName,
    /// A verifier key that does not follow `name+id+key`, or whose id is not the one of its key.
    #[error("the verifier key is malformed")]
    MalformedKey,
    /// A verifier key of a type that is not checked here.
    #[error("verifier keys of type {0:#04x} are not supported")]
    UnsupportedKey(u8),
    /// The signature of a key that we know does not verify.
    #[error("the signature by {0} is wrong")]
    WrongSignature(String),
    /// Nobody whom we know signed the note.
    #[error("the note bears no signature by a known key")]
    NoKnownSignature,
    /// A time past [`MAX_COSIGNATURE_SECONDS`].
    #[error("the cosignature's time is out of range")]
    Time,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Type 0x01: Ed25519 over the text, as a log signs its checkpoint.
    Ed25519,
    /// Type 0x04: Ed25519 over a time and the text, as a witness cosigns (C2SP tlog-cosignature).
    CosignatureEd25519,
}

impl KeyKind {
    /// The type byte in verifier keys and key ids.
    pub fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureEd25519 => 0x04,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, NoteError> {
        match byte {
            0x01 => Ok(Self::Ed25519),
            0x04 => Ok(Self::CosignatureEd25519),
            other => Err(NoteError::UnsupportedKey(other)),
        }
    }
}

/// A key that notes are checked with; as text a "vkey": `name+8 hex digits+base64(type ‖ public key)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    public: [u8; ED25519_KEY_BYTES],
}

impl VerifierKey {
    /// A key from its parts; the id is computed.
    pub fn new(name: &str, kind: KeyKind, public: [u8; ED25519_KEY_BYTES]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, kind, &public), kind, public })
    }

    /// Reads a vkey. Refused when its id is not the one computed from name and key.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        if vkey.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::MalformedKey);
        };
        check_name(name)?;
        let key = STANDARD.decode(key).map_err(|_| NoteError::MalformedKey)?;
        let (kind, public) = key.split_first().ok_or(NoteError::MalformedKey)?;
        let kind = KeyKind::from_byte(*kind)?;
        let public = public.try_into().map_err(|_| NoteError::MalformedKey)?;
        let parsed = Self::new(name, kind, public)?;
        if format!("{:08x}", parsed.id) != id {
            return Err(NoteError::MalformedKey);
        }
        Ok(parsed)
    }

    /// The key's name; for a log it is the origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), big-endian.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What this key signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The raw Ed25519 public key.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Checks one signature body over a text; gives the stated time of a cosignature.
    fn check(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        match self.kind {
            KeyKind::Ed25519 => ed25519_verify(&self.public, text.as_bytes(), signature).then_some(None),
            KeyKind::CosignatureEd25519 => {
                let (time, signature) = signature.split_first_chunk::<TIME_BYTES>()?;
                let time = u64::from_be_bytes(*time);
                let message = cosignature_message(time, text).ok()?;
                ed25519_verify(&self.public, &message, signature).then_some(Some(time))
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

/// The id of a key: first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), big-endian.
pub fn key_id(name: &str, kind: KeyKind, public: &[u8; 32]) -> u32 {
    let mut input = Vec::with_capacity(name.len() + 2 + public.len());
    input.extend_from_slice(name.as_bytes());
    input.push(b'\n');
    input.push(kind.byte());
    input.extend_from_slice(public);
    let digest = crate::crypto::sha256(&input);
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// One line below a note's text: who signed, with which key, and the raw signature (for a cosignature: time ‖ signature).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub key_id: u32,
    /// The signature's bytes without the key id; at least one.
    pub signature: Vec<u8>,
}

impl SignatureLine {
    /// Reads `— name base64(key id ‖ signature)`, without the newline.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        check_name(name).ok()?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<KEY_ID_BYTES>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self { name: name.to_owned(), key_id: u32::from_be_bytes(*id), signature: signature.to_vec() })
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(f, "{SIGNATURE_PREFIX}{} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A signature that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'k> {
    /// The key that signed.
    pub key: &'k VerifierKey,
    /// POSIX seconds that a cosignature states; none for a plain signature.
    pub time: Option<u64>,
}

/// A parsed note. Nothing in it is believed before [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// Reads a note strictly: UTF-8, no control characters, one empty line before the signatures, a final newline.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::MalformedText)?;
        if has_control_character(note) {
            return Err(NoteError::MalformedText);
        }
        // The last empty line separates; the text keeps its own newline.
        let (body, lines) = note.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (position, line) in lines.split('\n').enumerate() {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooLarge);
            }
            let signature =
                SignatureLine::parse(line).ok_or(NoteError::MalformedSignature { line: position + 1 })?;
            signatures.push(signature);
        }
        Ok(Self { text: format!("{body}\n"), signatures })
    }

    /// The text with its final newline: what was signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, known or not, in their order.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds lines (a witness's answer); checked only for form and limits.
    pub fn add(&mut self, lines: Vec<SignatureLine>) -> Result<(), NoteError> {
        let mut signatures = self.signatures.clone();
        signatures.extend(lines);
        assemble(&self.text, &signatures)?;
        self.signatures = signatures;
        Ok(())
    }

    /// The note as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        write_note(&self.text, &self.signatures)
    }

    /// Checks every signature whose name and id belong to a known key. Each key is reported once, in the note's order.
    /// Refused when one of them is wrong, or when none is known.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<Verified<'k>>, NoteError> {
        let mut verified: Vec<Verified<'k>> = Vec::new();
        for line in &self.signatures {
            let Some(key) = keys.iter().find(|key| key.id == line.key_id && key.name == line.name) else {
                continue;
            };
            let Some(time) = key.check(&self.text, &line.signature) else {
                return Err(NoteError::WrongSignature(line.name.clone()));
            };
            // A key that signed twice is one signer.
            if verified.iter().all(|earlier| earlier.key != key) {
                verified.push(Verified { key, time });
            }
        }
        if verified.is_empty() {
            return Err(NoteError::NoKnownSignature);
        }
        Ok(verified)
    }
}

/// The bytes that an Ed25519 (0x01) key signs for this text. Refused when the text is no note text.
pub fn to_sign(text: &str) -> Result<Vec<u8>, NoteError> {
    check_text(text)?;
    Ok(text.as_bytes().to_vec())
}

/// The bytes that a witness's Ed25519 key (0x04) signs: `cosignature/v1`, the time in POSIX seconds, the text.
pub fn cosignature_message(time: u64, text: &str) -> Result<Vec<u8>, NoteError> {
    check_text(text)?;
    if time > MAX_COSIGNATURE_SECONDS {
        return Err(NoteError::Time);
    }
    Ok(format!("cosignature/v1\ntime {time}\n{text}").into_bytes())
}

/// The signature body of a cosignature line: the time as eight big-endian bytes, then the raw signature.
pub fn cosignature_body(time: u64, signature: &[u8; 64]) -> Vec<u8> {
    let mut body = time.to_be_bytes().to_vec();
    body.extend_from_slice(signature);
    body
}

/// Puts a note together. Refused when the text or a name is malformed, no line is given, or a limit is exceeded.
pub fn assemble(text: &str, signatures: &[SignatureLine]) -> Result<Vec<u8>, NoteError> {
    check_text(text)?;
    if signatures.is_empty() {
        return Err(NoteError::NoSignatures);
    }
    if signatures.len() > MAX_SIGNATURES {
        return Err(NoteError::TooLarge);
    }
    for (position, line) in signatures.iter().enumerate() {
        check_name(&line.name)?;
        if line.signature.is_empty() {
            return Err(NoteError::MalformedSignature { line: position + 1 });
        }
    }
    let note = write_note(text, signatures);
    if note.len() > MAX_NOTE_BYTES {
        return Err(NoteError::TooLarge);
    }
    Ok(note)
}

fn write_note(text: &str, signatures: &[SignatureLine]) -> Vec<u8> {
    let mut note = format!("{text}\n");
    for line in signatures {
        note.push_str(&line.to_string());
        note.push('\n');
    }
    note.into_bytes()
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > MAX_NOTE_BYTES {
        return Err(NoteError::TooLarge);
    }
    if !text.ends_with('\n') || has_control_character(text) {
        return Err(NoteError::MalformedText);
    }
    Ok(())
}

fn has_control_character(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' && byte != b'\n')
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let malformed = name.is_empty()
        || name.len() > MAX_NAME_BYTES
        || name.contains('+')
        || name.chars().any(|c| c.is_whitespace() || c < ' ');
    if malformed {
        return Err(NoteError::MalformedName);
    }
    Ok(())
}

fn ed25519_verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    if signature.len() != ED25519_SIGNATURE_BYTES {
        return false;
    }
    crate::crypto::PublicKey::Ed25519(*public).verify(message, signature).is_ok()
}
