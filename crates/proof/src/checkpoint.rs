//! Checkpoints (C2SP tlog-checkpoint v1.0.0): a log's signed statement of its size and root.
//!
//! Why: whoever keeps a checkpoint can later prove what the log held, and that it only grew.
//! A log's key is named like its origin; a key of another log never opens this log's checkpoint.
//! We write no extension lines; those of others are tolerated and never trusted.
//! Never here: the decision to sign (the log's signer keeps the last size and root), a clock.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::merkle::{EMPTY_ROOT, Hash, MAX_TREE_SIZE};
use crate::note::{self, KeyKind, Note, NoteError, SignatureLine, VerifierKey};

/// The largest number of extension lines that is read.
pub const MAX_EXTENSION_LINES: usize = 16;

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The envelope or a signature in it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The three lines are not origin, size and root hash.
    #[error("the checkpoint's text is malformed")]
    Malformed,
    /// Another log's checkpoint.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    Origin {
        /// The origin asked for.
        expected: String,
        /// The origin in the text.
        found: String,
    },
    /// No signature by a key configured for this origin.
    #[error("no key of the log {0} signed the checkpoint")]
    NotSignedByLog(String),
    /// Size 0 with another root than the empty one.
    #[error("a log without entries has one possible root, and this is another")]
    EmptyRoot,
}

/// The statement: this log has `size` leaves under `root`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extension lines. The origin must be usable as a key name; the size at most 2^63 − 1.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if size > MAX_TREE_SIZE {
            return Err(CheckpointError::Malformed);
        }
        // The log's key has the origin as its name, so the rules of names hold.
        VerifierKey::new(origin, KeyKind::Ed25519, [0; 32])?;
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Reads a note's text strictly: origin, decimal size, base64 root, then non-empty extension lines.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Malformed)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Malformed);
        };
        let size = parse_decimal(size).ok_or(CheckpointError::Malformed)?;
        let root = parse_hash(root).ok_or(CheckpointError::Malformed)?;
        let mut checkpoint = Self::new(origin, size, root)?;
        for line in lines {
            if line.is_empty() || checkpoint.extensions.len() == MAX_EXTENSION_LINES {
                return Err(CheckpointError::Malformed);
            }
            checkpoint.extensions.push(line.to_owned());
        }
        Ok(checkpoint)
    }

    /// The log's name: a scheme-less URL prefix, e.g. `log.example.gov.st/prod/ca`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root over these leaves.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// Further lines of another log's checkpoint: unaudited, for display at most.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// The note text: what the log signs ([`note::to_sign`]) and witnesses cosign ([`note::cosignature_message`]).
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The signed checkpoint as bytes, from the answers of the signers.
    pub fn assemble(&self, signatures: &[SignatureLine]) -> Result<Vec<u8>, CheckpointError> {
        Ok(note::assemble(&self.to_text(), signatures)?)
    }
}

/// A cosignature that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's key.
    pub key: VerifierKey,
    /// POSIX seconds at which the witness saw the checkpoint, as it says.
    pub time: u64,
}

/// A checkpoint whose signature by the log was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The statement.
    pub checkpoint: Checkpoint,
    /// The keys of the log that signed; at least one.
    pub log_keys: Vec<VerifierKey>,
    /// The known witnesses that cosigned, each key once.
    pub cosignatures: Vec<Cosignature>,
}

/// Reads a signed checkpoint of the log `origin`.
/// `keys` holds the log's keys (type 0x01, named like the origin) and those of witnesses (type 0x04) that one knows.
/// Refused when the log is another one, when no key of the log signed, or when any known key's signature is wrong.
pub fn open(bytes: &[u8], keys: &[VerifierKey], origin: &str) -> Result<Opened, CheckpointError> {
    let note = Note::parse(bytes)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin != origin {
        return Err(CheckpointError::Origin { expected: origin.to_owned(), found: checkpoint.origin });
    }
    if checkpoint.size == 0 && checkpoint.root != EMPTY_ROOT {
        return Err(CheckpointError::EmptyRoot);
    }
    let mut log_keys = Vec::new();
    let mut cosignatures = Vec::new();
    for verified in note.verify(keys)? {
        match (verified.key.kind(), verified.time) {
            (KeyKind::Ed25519, _) if verified.key.name() == origin => {
                log_keys.push(verified.key.clone());
            }
            (KeyKind::CosignatureEd25519, Some(time)) => {
                cosignatures.push(Cosignature { key: verified.key.clone(), time })
            }
            _ => {}
        }
    }
    if log_keys.is_empty() {
        return Err(CheckpointError::NotSignedByLog(origin.to_owned()));
    }
    Ok(Opened { checkpoint, log_keys, cosignatures })
}

/// A decimal number as the log formats write it: ASCII digits only, no leading zero, at most 2^63 − 1.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok().filter(|value| *value <= MAX_TREE_SIZE)
}

/// A hash in padded standard base64.
pub(crate) fn parse_hash(text: &str) -> Option<Hash> {
    // A hash is 44 characters; longer lines are not worth decoding.
    const HASH_CHARACTERS: usize = 44;
    if text.len() != HASH_CHARACTERS {
        return None;
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}
