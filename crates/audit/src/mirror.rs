//! A log as somebody else kept it: its checkpoint and its bundles of entries, in the folders of C2SP tlog-tiles.
//!
//! A mirror is believed in nothing. Its checkpoint must carry the log's own signature, the tree over its entries must
//! have the root that was signed, and where the house has leaves they must be the same.
//! Never here: a leaf that was not under that signature.

use base::{Error, Result};
use events::{Log, LogRange};
use proof::{
    checkpoint,
    merkle::{self, Frontier, Hash},
    note,
    tile::{self, TILE_WIDTH, TileKind},
};
use store::blob::Blobs;

use crate::{error, service::Audit};

/// Leaves that a house may miss: more than a year of a busy authority.
const MISSING_MAX: usize = 4_000_000;

/// A mirror whose whole tree was computed and found to be the signed one.
pub struct Mirror {
    log: Log,
    folder: Blobs,
    /// Leaves under its checkpoint.
    size: u64,
    /// The first leaf that the house does not have.
    next: u64,
    /// Hashes of the leaves from `first` on, as they were when the root was computed.
    first: u64,
    hashes: Vec<Hash>,
}

impl Audit {
    /// Reads a mirror and compares it with the house's log.
    ///
    /// # Errors
    /// `LOG_MIRROR_REFUSED`, `LOG_NOT_FOUND`; the store's.
    pub async fn mirror(&self, log: Log, folder: Blobs) -> Result<Mirror> {
        let refused = |reason: String| refusal(log, &reason);
        let bytes =
            folder.get("checkpoint").await?.ok_or_else(|| refused("it has no checkpoint".to_owned()))?;
        let head = self.head(log).await?;
        let keys = self.verifiers(log, &head.origin).await?;
        let opened = checkpoint::open(&bytes, &keys, &head.origin).map_err(|e| refused(e.to_string()))?;
        let (size, root) = (opened.checkpoint.size(), *opened.checkpoint.root());
        let ours = self.house.db.read("audit.log_size", move |rx| events::log_size(rx, log)).await?;
        let mut mirror = Mirror { log, folder, size, next: ours, first: ours, hashes: Vec::new() };
        let mut frontier = Frontier::new();
        while frontier.size() < size {
            let from = frontier.size();
            let limit = u32::try_from(TILE_WIDTH).unwrap_or(u32::MAX);
            let range = LogRange { from, limit };
            let known = self.house.db.read("audit.leaves", move |rx| events::leaves(rx, log, range)).await?;
            let mut known = known.into_iter();
            for entry in mirror.bundle(from).await? {
                let hash = merkle::leaf_hash(&entry);
                match known.next() {
                    Some(leaf) if leaf.hash == hash => {}
                    Some(leaf) => return Err(refused(format!("leaf {} is another one here", leaf.index))),
                    None if mirror.hashes.len() >= MISSING_MAX => {
                        return Err(refused("too much is missing".to_owned()));
                    }
                    None => mirror.hashes.push(hash),
                }
                frontier.append(hash).map_err(|e| base::error::INTERNAL.because(e))?;
            }
        }
        if frontier.root() != root {
            return Err(refused("its entries have another root than its checkpoint".to_owned()));
        }
        Ok(mirror)
    }

    /// Refuses a house whose log is shorter than a checkpoint that the log's own key signed.
    ///
    /// # Errors
    /// `LOG_BEHIND`; `LOG_MIRROR_REFUSED` when the checkpoint is of none of the house's logs or not signed by it.
    pub async fn expect(&self, bytes: &[u8]) -> Result<()> {
        let unsigned = |reason: &str| error::MIRROR.error().with("log", "?").with("reason", reason);
        let note = note::Note::parse(bytes).map_err(|e| unsigned(&e.to_string()))?;
        let claimed = checkpoint::Checkpoint::parse(note.text()).map_err(|e| unsigned(&e.to_string()))?;
        for log in Log::ALL {
            let head = match self.head(log).await {
                Ok(head) if head.origin == claimed.origin() => head,
                Ok(_) => continue,
                Err(failure) if failure.is(&error::LOG_NOT_FOUND) => continue,
                Err(failure) => return Err(failure),
            };
            let keys = self.verifiers(log, &head.origin).await?;
            let opened =
                checkpoint::open(bytes, &keys, &head.origin).map_err(|e| refusal(log, &e.to_string()))?;
            let signed = opened.checkpoint.size();
            let found = self.house.db.read("audit.log_size", move |rx| events::log_size(rx, log)).await?;
            if found < signed {
                return Err(error::BEHIND
                    .error()
                    .with("log", log.name())
                    .with("found", found)
                    .with("signed", signed));
            }
            return Ok(());
        }
        Err(unsigned("it is of no log of this house"))
    }
}

fn refusal(log: Log, reason: &str) -> Error {
    error::MIRROR.error().with("log", log.name()).with("reason", reason)
}

impl Mirror {
    /// Leaves under its checkpoint.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Leaves that the house had when the mirror was opened.
    pub const fn had(&self) -> u64 {
        self.first
    }

    /// The next leaves that the house does not have, with the place of the first; nothing when it has all.
    ///
    /// # Errors
    /// `LOG_MIRROR_REFUSED` when the files are not what they were; the store's.
    pub async fn missing(&mut self) -> Result<Option<(u64, Vec<Vec<u8>>)>> {
        if self.next >= self.size {
            return Ok(None);
        }
        let from = self.next;
        let entries = self.bundle(from).await?;
        for (entry, at) in entries.iter().zip(from - self.first..) {
            let known = usize::try_from(at).ok().and_then(|at| self.hashes.get(at));
            if known != Some(&merkle::leaf_hash(entry)) {
                return Err(refusal(self.log, "its files changed while they were read"));
            }
        }
        self.next += entries.len() as u64;
        Ok(Some((from, entries)))
    }

    /// The entries from a place to the end of their bundle.
    async fn bundle(&self, from: u64) -> Result<Vec<Vec<u8>>> {
        let lost = || refusal(self.log, &format!("the bundle of leaf {from} is missing or malformed"));
        let id = tile::tile_at(TileKind::Entries, from / TILE_WIDTH, self.size).ok_or_else(lost)?;
        let (bytes, width) = match self.folder.get(&id.path()).await? {
            Some(bytes) => (bytes, id.width()),
            // A mirror that went on may hold the full bundle alone.
            None => (self.folder.get(&id.full().path()).await?.ok_or_else(lost)?, id.full().width()),
        };
        let entries = tile::decode_bundle(&bytes, width).map_err(|_| lost())?;
        let skipped = usize::try_from(from % TILE_WIDTH).unwrap_or(usize::MAX);
        let wanted = usize::from(id.width()).saturating_sub(skipped);
        let found: Vec<Vec<u8>> =
            entries.into_iter().skip(skipped).take(wanted).map(<[u8]>::to_vec).collect();
        if found.is_empty() { Err(lost()) } else { Ok(found) }
    }
}
