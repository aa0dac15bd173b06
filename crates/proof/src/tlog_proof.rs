//! Proof files (C2SP tlog-proof, `@v1`): one entry's place in a log, checkable without any network.
//!
//! Why: the file, the object and a policy are all a stranger needs; it stays good when the log's server is gone.
//! The policy names the log's keys and the witnesses, and how many of them must have cosigned.
//! The `extra` line is not authenticated: it may help to rebuild the entry, it proves nothing.
//! Never here: an entry taken from the file, a time that is trusted before everything else holds, a clock.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::checkpoint::{self, CheckpointError, Opened, parse_decimal, parse_hash};
use crate::merkle::{self, Hash, MAX_PROOF_HASHES, MerkleError};
use crate::note::{KeyKind, MAX_NOTE_BYTES, VerifierKey};

/// The first line of every proof file.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The largest `extra` value, in bytes.
pub const MAX_EXTRA_BYTES: usize = 64 * 1024;

/// The largest proof file: a note of full size and, above it, `extra` and 63 hashes.
pub const MAX_PROOF_BYTES: usize = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES;

/// How far in the future a cosignature may be dated, in seconds: clocks differ.
pub const MAX_CLOCK_SKEW_SECONDS: u64 = 5 * 60;

/// Why a proof file was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// More bytes than [`MAX_PROOF_BYTES`] or more hashes than 63.
    #[error("the proof file exceeds its limits")]
    TooLarge,
    /// A line that does not follow the format.
    #[error("line {line} of the proof file is malformed")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// The checkpoint in the file.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few of the policy's witnesses cosigned.
    #[error("{found} of the required {required} witnesses cosigned the checkpoint")]
    Quorum {
        /// Distinct witnesses that cosigned.
        found: usize,
        /// Witnesses that the policy requires.
        required: usize,
    },
    /// A cosignature is dated in the future.
    #[error("the witness {0} dates its cosignature in the future")]
    Future(String),
    /// The entry is not where the file says.
    #[error(transparent)]
    Merkle(#[from] MerkleError),
    /// A policy without a log key, with a key in the wrong list, twice the same key, or a quorum that cannot be reached.
    #[error("the policy is not usable: {0}")]
    Policy(&'static str),
}

/// Whom to believe: the keys of one log, the witnesses, and how many of these must have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPolicy {
    origin: String,
    keys: Vec<VerifierKey>,
    quorum: usize,
}

impl LogPolicy {
    /// A policy for the log `origin`. `log_keys` (type 0x01) are named like the origin; several during a rotation.
    /// `witnesses` (type 0x04) have different public keys; `quorum` of them must have cosigned (0: none).
    pub fn new(
        origin: &str,
        log_keys: &[VerifierKey],
        witnesses: &[VerifierKey],
        quorum: usize,
    ) -> Result<Self, ProofError> {
        if log_keys.is_empty() {
            return Err(ProofError::Policy("it names no key of the log"));
        }
        let log_key = |key: &VerifierKey| key.kind() == KeyKind::Ed25519 && key.name() == origin;
        if !log_keys.iter().all(log_key) {
            return Err(ProofError::Policy("a log key is not of this log"));
        }
        if !witnesses.iter().all(|key| key.kind() == KeyKind::CosignatureEd25519) {
            return Err(ProofError::Policy("a witness key is not for cosignatures"));
        }
        if quorum > witnesses.len() {
            return Err(ProofError::Policy("its quorum exceeds its witnesses"));
        }
        let keys: Vec<VerifierKey> = log_keys.iter().chain(witnesses).cloned().collect();
        let repeated = keys.iter().enumerate().any(|(position, key)| {
            let mut earlier = keys.iter().take(position);
            earlier.any(|other| other.public() == key.public())
        });
        if repeated {
            return Err(ProofError::Policy("it names the same key twice"));
        }
        Ok(Self { origin: origin.to_owned(), keys, quorum })
    }

    /// The log that this policy is about.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Opens a checkpoint under this policy: signed by the log, cosigned by the quorum.
    pub fn open(&self, checkpoint: &[u8]) -> Result<Opened, ProofError> {
        let opened = checkpoint::open(checkpoint, &self.keys, &self.origin)?;
        let found = opened.cosignatures.len();
        if found < self.quorum {
            return Err(ProofError::Quorum { found, required: self.quorum });
        }
        Ok(opened)
    }
}

/// A proof file's content. Nothing in it is believed before it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Unauthenticated bytes of the log's application, e.g. what the entry is rebuilt from.
    pub extra: Option<Vec<u8>>,
    /// The entry's position in the log.
    pub index: u64,
    /// The inclusion proof, leaf's sibling first.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, byte for byte.
    pub checkpoint: Vec<u8>,
}

impl TlogProof {
    /// The file's bytes. Refused when it could not be read again.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ProofError> {
        let mut file = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            file.push_str("extra ");
            file.push_str(&STANDARD.encode(extra));
            file.push('\n');
        }
        file.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            file.push_str(&STANDARD.encode(hash));
            file.push('\n');
        }
        file.push('\n');
        let mut bytes = file.into_bytes();
        bytes.extend_from_slice(&self.checkpoint);
        if Self::parse(&bytes)? != *self {
            return Err(ProofError::Malformed { line: 2 });
        }
        Ok(bytes)
    }

    /// Reads a proof file strictly. The checkpoint is taken verbatim and examined by the verification.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(ProofError::TooLarge);
        }
        let mut rest = bytes;
        let mut number = 0;
        let header = next_line(&mut rest, &mut number)?;
        if header != HEADER {
            return Err(ProofError::Malformed { line: number });
        }
        let mut line = next_line(&mut rest, &mut number)?;
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            let decoded = STANDARD.decode(encoded).map_err(|_| ProofError::Malformed { line: number })?;
            if decoded.len() > MAX_EXTRA_BYTES {
                return Err(ProofError::TooLarge);
            }
            extra = Some(decoded);
            line = next_line(&mut rest, &mut number)?;
        }
        let index = line
            .strip_prefix("index ")
            .and_then(parse_decimal)
            .ok_or(ProofError::Malformed { line: number })?;
        let mut hashes = Vec::new();
        loop {
            let line = next_line(&mut rest, &mut number)?;
            if line.is_empty() {
                break;
            }
            if hashes.len() == MAX_PROOF_HASHES {
                return Err(ProofError::TooLarge);
            }
            hashes.push(parse_hash(line).ok_or(ProofError::Malformed { line: number })?);
        }
        if rest.is_empty() {
            return Err(ProofError::Malformed { line: number });
        }
        if rest.len() > MAX_NOTE_BYTES {
            return Err(ProofError::TooLarge);
        }
        Ok(Self { extra, index, hashes, checkpoint: rest.to_vec() })
    }

    /// Checks that this very entry stands in the policy's log. Gives the checkpoint it was proven against.
    pub fn verify(&self, entry: &[u8], policy: &LogPolicy) -> Result<Opened, ProofError> {
        self.verify_leaf(&merkle::leaf_hash(entry), policy)
    }

    /// The same for a leaf hash that the caller computed itself; never give one that came with the proof.
    pub fn verify_leaf(&self, leaf: &Hash, policy: &LogPolicy) -> Result<Opened, ProofError> {
        let opened = policy.open(&self.checkpoint)?;
        let checkpoint = &opened.checkpoint;
        merkle::verify_inclusion(leaf, self.index, checkpoint.size(), &self.hashes, checkpoint.root())?;
        Ok(opened)
    }
}

/// Refuses cosignatures that are dated more than five minutes after `now` (POSIX seconds, the caller's clock).
pub fn refuse_future(opened: &Opened, now: u64) -> Result<(), ProofError> {
    let limit = now.saturating_add(MAX_CLOCK_SKEW_SECONDS);
    match opened.cosignatures.iter().find(|line| line.time > limit) {
        Some(line) => Err(ProofError::Future(line.key.name().to_owned())),
        None => Ok(()),
    }
}

fn next_line<'a>(rest: &mut &'a [u8], number: &mut usize) -> Result<&'a str, ProofError> {
    *number += 1;
    let malformed = ProofError::Malformed { line: *number };
    let end = rest.iter().position(|byte| *byte == b'\n');
    let Some((line, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
        return Err(malformed);
    };
    *rest = after.get(1..).unwrap_or_default();
    std::str::from_utf8(line).map_err(|_| malformed)
}
