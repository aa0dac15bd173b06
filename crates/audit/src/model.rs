//! The nouns of the evidence log.

use base::{Id, Time, id::kind::SigningKey};
use events::Log;
use proof::{merkle::Hash, note::VerifierKey};

/// The head of a log as it stands in the store.
#[derive(Debug, Clone)]
pub struct LogHead {
    /// Which log.
    pub log: Log,
    /// Its name in checkpoints; never changes.
    pub origin: String,
    /// The key that signs it.
    pub key: Id<SigningKey>,
    /// The size that was last made durable for a signature.
    pub size: u64,
    /// The root at that size.
    pub root: Hash,
    /// The last signed checkpoint.
    pub checkpoint: Option<Vec<u8>>,
    /// When it was signed.
    pub signed_at: Option<Time>,
}

/// What the self-audit found in one log.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct LogReport {
    /// The log.
    pub log: String,
    /// How many leaves were computed again.
    pub size: u64,
    /// How many more records wait for a checkpoint over them; it follows within seconds.
    pub waiting: u64,
    /// The root over all of them, base64.
    pub root: String,
    /// Whether everything agreed.
    pub ok: bool,
    /// What did not agree, each with its place.
    pub problems: Vec<String>,
}

/// A proof, and what it was checked against.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The log's origin.
    pub origin: String,
    /// The place in the log.
    pub index: u64,
    /// The size of the checkpoint.
    pub size: u64,
    /// The leaf's bytes.
    pub entry: Vec<u8>,
    /// The key whose signature held.
    pub key: VerifierKey,
}
