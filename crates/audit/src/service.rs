//! The verbs of the evidence log: publish, prove, check, audit itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base::{
    Call, Id, Result,
    id::kind::{Event, Tenant},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::{Fact, House, Log, LogRange, Record};
use keys::{Algorithm, Keys, Purpose, SigningKeyInfo, Succession};
use proof::{
    checkpoint::Checkpoint,
    crypto::PublicKey,
    merkle,
    note::{self, KeyKind, SignatureLine, VerifierKey},
    tile::TileId,
    tlog_proof::{LogPolicy, TlogProof},
};
use serde_json::{Value, json};
use store::{blob::Blobs, lease};
use tokio::sync::Mutex;

use crate::{
    error, facts,
    model::{LogHead, LogReport, Proven},
    repo,
    tiles::{self, Edge},
};

/// So many leaves are tiled at once.
const CHUNK_LEAVES: u32 = 8_192;
/// A publisher that dies is replaced after this time.
const LEASE_SECONDS: u64 = 5;
/// The self-audit names so many problems and then stops.
const PROBLEMS_MAX: usize = 20;
/// The tenant of the house's own keys and facts.
const HOUSE: Id<Tenant> = Id::NIL;

/// The evidence log's service; cheap to clone.
#[derive(Clone)]
pub struct Audit {
    /// The house's handles.
    pub house: House,
    keys: Keys,
    blobs: Blobs,
    holder: String,
    /// The right edges, by log; whoever publishes holds the lock of its log.
    edges: Arc<BTreeMap<Log, Mutex<Option<Edge>>>>,
}

/// The purpose of a log's key.
const fn purpose(log: Log) -> Purpose {
    match log {
        Log::Cred => Purpose::LogCred,
        Log::Audit => Purpose::LogAudit,
    }
}

fn verifier(origin: &str, key: &SigningKeyInfo) -> Result<VerifierKey> {
    match &key.public {
        PublicKey::Ed25519(public) => {
            VerifierKey::new(origin, KeyKind::Ed25519, *public).map_err(|e| base::error::INTERNAL.because(e))
        }
        PublicKey::P256(_) | PublicKey::P384(_) => Err(base::error::INTERNAL.error()),
    }
}

impl Audit {
    /// The service of a house; `holder` names this process in leases.
    pub fn new(house: House, keys: Keys, blobs: Blobs, holder: String) -> Self {
        let edges = Log::ALL.into_iter().map(|log| (log, Mutex::new(None))).collect();
        Self { house, keys, blobs, holder, edges: Arc::new(edges) }
    }

    /// Opens the logs of a new house under `host` (host and port of its public address): key, origin and leaf 0.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(&self, call: &Call, host: &str) -> Result<()> {
        for log in Log::ALL {
            let origin = format!("{host}/log/{}", log.name());
            let key = self.keys.prepare_signing(HOUSE, purpose(log), Algorithm::Ed25519, &self.house)?;
            let vkey = verifier(&origin, &key.info)?.to_string();
            let kind = match log {
                Log::Cred => &facts::CRED_OPENED,
                Log::Audit => &facts::AUDIT_OPENED,
            };
            let payload = json!({"origin": origin, "format": "c2sp.org/tlog-tiles@v0.1.0", "vkey": vkey});
            let fact = Fact::new(kind, self.house.id(), self.house.now(), &origin, payload);
            let (keys, house, call) = (self.keys.clone(), self.house.clone(), call.clone());
            self.house
                .db
                .write("audit.open", move |tx| {
                    tx.record(&call, &fact)?;
                    keys.install_signing(tx, &call, &key, Succession::Sole, &house)?;
                    repo::insert(tx, log, &origin, key.info.id)
                })
                .await?;
        }
        Ok(())
    }

    /// A log's head.
    ///
    /// # Errors
    /// `LOG_NOT_FOUND`; the store's.
    pub async fn head(&self, log: Log) -> Result<LogHead> {
        self.house
            .db
            .read("audit.head", move |rx| repo::head(rx, log))
            .await?
            .ok_or_else(|| error::LOG_NOT_FOUND.error())
    }

    /// The keys that may have signed a log's checkpoints.
    ///
    /// # Errors
    /// The store's.
    pub async fn verifiers(&self, log: Log, origin: &str) -> Result<Vec<VerifierKey>> {
        let keys = self.keys.clone();
        self.house
            .db
            .read("audit.keys", move |rx| keys.signing_keys(rx, HOUSE, purpose(log)))
            .await?
            .iter()
            .map(|key| verifier(origin, key))
            .collect()
    }

    /// Tiles what is new and signs a checkpoint when the tree grew. False when there was nothing to do or another
    /// process publishes this log.
    ///
    /// # Errors
    /// `LOG_WOULD_FORK` when the database is behind a checkpoint that was signed before; the store's.
    pub async fn publish(&self, log: Log) -> Result<bool> {
        let Some(edge) = self.edges.get(&log) else { return Ok(false) };
        let mut edge = edge.lock().await;
        let (head, size) = self
            .house
            .db
            .read("audit.grown", move |rx| Ok((repo::head(rx, log)?, events::log_size(rx, log)?)))
            .await?;
        let Some(head) = head else { return Ok(false) };
        if size < head.size {
            return Err(error::FORK
                .error()
                .with("log", log.name())
                .with("found", size)
                .with("signed", head.size));
        }
        if edge.is_none() {
            self.refuse_rollback(log, size).await?;
        }
        if size == head.size && head.signed_at.is_some() {
            return Ok(false);
        }
        let (holder, now) = (self.holder.clone(), self.house.now());
        let lease_name = format!("audit.publisher.{}", log.name());
        let held = self
            .house
            .db
            .write("audit.claim", move |tx| {
                lease::claim(tx, &lease_name, &holder, now, Duration::from_secs(LEASE_SECONDS))
            })
            .await?;
        let Some(held) = held else { return Ok(false) };
        // Another process may have published since this one last did, so the edge must be at the durable size.
        let mut current = match edge.take() {
            Some(known) if known.size() == head.size => known,
            _ => Edge::load(&self.blobs, log, head.size).await.unwrap_or_else(|| Edge::empty(log)),
        };
        while current.size() < size {
            let from = current.size();
            let range = LogRange { from, limit: CHUNK_LEAVES };
            let leaves = self.house.db.read("audit.leaves", move |rx| events::leaves(rx, log, range)).await?;
            let Some(last) = leaves.last() else { break };
            if last.index + 1 != from + leaves.len() as u64 {
                return Err(error::FORK
                    .error()
                    .with("log", log.name())
                    .with("found", from)
                    .with("signed", last.index));
            }
            let written = current.append(&leaves)?;
            current.publish(&self.blobs, written).await?;
        }
        let (size, root) = (current.size(), current.frontier.root());
        let now = self.house.now();
        let durable = self
            .house
            .db
            .write("audit.advance", move |tx| {
                lease::check(tx, &held, now)?;
                repo::advance(tx, log, size, &root)
            })
            .await?;
        if !durable {
            return Err(error::FORK
                .error()
                .with("log", log.name())
                .with("found", size)
                .with("signed", head.size));
        }
        let checkpoint = self.sign(&head, size, root).await?;
        self.blobs.put(&checkpoint_key(log), checkpoint.clone()).await?;
        let now = self.house.now();
        self.house
            .db
            .write("audit.checkpoint", move |tx| repo::save_checkpoint(tx, log, size, &checkpoint, now))
            .await?;
        *edge = Some(current);
        Ok(true)
    }

    /// Refuses to go on with a database that is behind the last checkpoint, which lies outside of it beside the tiles.
    async fn refuse_rollback(&self, log: Log, size: u64) -> Result<()> {
        let Some(bytes) = self.blobs.get(&checkpoint_key(log)).await? else { return Ok(()) };
        let signed = note::Note::parse(&bytes).ok().and_then(|note| Checkpoint::parse(note.text()).ok());
        match signed.map(|checkpoint| checkpoint.size()) {
            Some(signed) if signed > size => {
                Err(error::FORK.error().with("log", log.name()).with("found", size).with("signed", signed))
            }
            _ => Ok(()),
        }
    }

    async fn sign(&self, head: &LogHead, size: u64, root: merkle::Hash) -> Result<Vec<u8>> {
        let checkpoint =
            Checkpoint::new(&head.origin, size, root).map_err(|e| base::error::INTERNAL.because(e))?;
        let message = note::to_sign(&checkpoint.to_text()).map_err(|e| base::error::INTERNAL.because(e))?;
        let signature = self.keys.sign(&self.house, HOUSE, head.key, vec![message]).await?;
        let log = head.log;
        let signer = self
            .verifiers(log, &head.origin)
            .await?
            .pop()
            .ok_or_else(|| keys::error::NO_KEY.error().with("purpose", purpose(log).name()))?;
        let lines: Vec<SignatureLine> = signature
            .into_iter()
            .map(|made| SignatureLine {
                name: head.origin.clone(),
                key_id: signer.id(),
                signature: made.bytes().to_vec(),
            })
            .collect();
        checkpoint.assemble(&lines).map_err(|e| base::error::INTERNAL.because(e))
    }

    /// A published tile, by its path below the log (`tile/0/000`, `tile/entries/000.p/3`).
    ///
    /// # Errors
    /// `LOG_NOT_FOUND`.
    pub async fn tile(&self, log: Log, path: &str) -> Result<Vec<u8>> {
        let id = TileId::parse(path).map_err(|_| error::LOG_NOT_FOUND.error())?;
        tiles::get(&self.blobs, log, id).await?.ok_or_else(|| error::LOG_NOT_FOUND.error())
    }

    /// The proof file of a fact (C2SP tlog-proof), with the leaf's bytes as `extra`.
    ///
    /// # Errors
    /// `LOG_RECORD_NOT_FOUND`; `LOG_NOT_MERGED` until a checkpoint covers it.
    pub async fn prove(&self, fact: Id<Event>) -> Result<Vec<u8>> {
        let unknown = || error::RECORD_NOT_FOUND.error().with("id", fact);
        let found = self
            .house
            .db
            .read("audit.place", move |rx| {
                let fact_row = events::fact_by_id(rx, fact)?;
                let Some(place) = events::leaf_of(rx, fact)? else { return Ok((fact_row, None)) };
                let log = Log::parse(&place.0);
                let leaf = match log {
                    Some(log) => events::leaves(rx, log, LogRange { from: place.1, limit: 1 })?.pop(),
                    None => None,
                };
                Ok((fact_row, log.zip(leaf)))
            })
            .await?;
        let (log, leaf) = match found {
            (None, _) => return Err(unknown()),
            (Some(_), None) => return Err(error::NOT_MERGED.error().retry_after(1)),
            (Some(_), Some(place)) => place,
        };
        let head = self.head(log).await?;
        let Some(checkpoint) = head.checkpoint.filter(|_| leaf.index < head.size) else {
            return Err(error::NOT_MERGED.error().retry_after(1));
        };
        // The head may be durable a moment before its checkpoint is signed: the proof is for what is signed.
        let policy = LogPolicy::new(&head.origin, &self.verifiers(log, &head.origin).await?, &[], 0)
            .map_err(|e| base::error::INTERNAL.because(e))?;
        let opened = policy.open(&checkpoint).map_err(|e| base::error::INTERNAL.because(e))?;
        let size = opened.checkpoint.size();
        if leaf.index >= size {
            return Err(error::NOT_MERGED.error().retry_after(1));
        }
        let ranges =
            merkle::inclusion_ranges(leaf.index, size).map_err(|e| base::error::INTERNAL.because(e))?;
        let near = tiles::around(&self.blobs, log, size, ranges).await?;
        let mut reader = proof::tile::TileReader::new(size, |id: TileId| near.get(&id).cloned().ok_or(()));
        let hashes = reader.inclusion_proof(leaf.index).map_err(|_| error::LOG_NOT_FOUND.error())?;
        TlogProof { extra: Some(leaf.entry), index: leaf.index, hashes, checkpoint }
            .to_bytes()
            .map_err(|e| base::error::INTERNAL.because(e))
    }

    /// Computes a whole log again: leaves from facts, tiles from leaves, the root under its checkpoint.
    ///
    /// # Errors
    /// The store's; what does not agree is in the report.
    pub async fn verify(&self, log: Log) -> Result<LogReport> {
        let head = self.head(log).await?;
        let mut problems = Vec::new();
        let mut edge = Edge::empty(log);
        while edge.size() < head.size && problems.len() < PROBLEMS_MAX {
            let from = edge.size();
            let limit = u32::try_from(head.size - from).unwrap_or(u32::MAX).min(CHUNK_LEAVES);
            let chunk = self
                .house
                .db
                .read("audit.audited", move |rx| events::audited(rx, log, LogRange { from, limit }))
                .await?;
            if chunk.is_empty() {
                problems.push(format!("leaf {from} of {} is missing", head.size));
                break;
            }
            for (row, index) in chunk.iter().zip(from..) {
                if let Some(problem) = disagreement(row, index) {
                    problems.push(problem);
                }
            }
            let leaves: Vec<events::Leaf> = chunk.into_iter().map(|row| row.leaf).collect();
            let written = edge.append(&leaves)?;
            for (id, bytes) in written.0 {
                // Unfinished tiles count only at the end: earlier ones may have been replaced by full ones.
                if !id.is_full() && edge.size() < head.size {
                    continue;
                }
                match tiles::get(&self.blobs, log, id).await? {
                    Some(published)
                        if published.starts_with(&bytes)
                            && (!id.is_full() || published.len() == bytes.len()) => {}
                    Some(_) => problems.push(format!("tile {} differs from its leaves", id.path())),
                    None => problems.push(format!("tile {} is missing", id.path())),
                }
            }
        }
        let root = edge.frontier.root();
        if edge.size() == head.size && root != head.root {
            problems.push("the root over all leaves is not the one that was signed".to_owned());
        }
        problems.extend(self.checkpoint_problem(log, &head).await?);
        let (facts, placed) = self.house.db.read("audit.census", events::census).await?;
        if facts != placed {
            problems.push(format!("{facts} facts but {placed} places in the logs"));
        }
        problems.truncate(PROBLEMS_MAX);
        Ok(LogReport {
            log: log.name().to_owned(),
            size: edge.size(),
            root: STANDARD.encode(root),
            ok: problems.is_empty(),
            problems,
        })
    }

    async fn checkpoint_problem(&self, log: Log, head: &LogHead) -> Result<Option<String>> {
        let Some(checkpoint) = &head.checkpoint else {
            return Ok((head.size > 0).then(|| "there is no checkpoint".to_owned()));
        };
        let policy = LogPolicy::new(&head.origin, &self.verifiers(log, &head.origin).await?, &[], 0)
            .map_err(|e| base::error::INTERNAL.because(e))?;
        Ok(match policy.open(checkpoint) {
            Err(wrong) => Some(format!("the checkpoint does not open: {wrong}")),
            Ok(opened) if opened.checkpoint.size() > head.size => {
                Some("the checkpoint is ahead of its log".to_owned())
            }
            Ok(opened) if opened.checkpoint.size() == head.size && *opened.checkpoint.root() != head.root => {
                Some("the checkpoint is of another tree".to_owned())
            }
            Ok(_) => None,
        })
    }

    /// Opens where a call came from, for whoever may search the audit.
    pub(crate) fn origin_of(&self, fact: &events::Recorded) -> Option<Value> {
        let sealed = fact.origin_sealed.as_ref()?;
        let plain = self.keys.open_origin(fact.tenant, fact.id, sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

fn checkpoint_key(log: Log) -> String {
    format!("log/{}/checkpoint", log.name())
}

/// How a leaf disagrees with the fact it was made of, if it does.
fn disagreement(row: &events::Audited, index: u64) -> Option<String> {
    let leaf = &row.leaf;
    if leaf.index != index {
        return Some(format!("leaf {index} is missing, the next is {}", leaf.index));
    }
    if merkle::leaf_hash(&leaf.entry) != leaf.hash {
        return Some(format!("leaf {index} ({}) has another hash than its bytes", leaf.fact));
    }
    let Ok(entry) = serde_json::from_slice::<Value>(&leaf.entry) else {
        return Some(format!("leaf {index} ({}) cannot be read", leaf.fact));
    };
    let digest = proof::canon::canonicalize(&row.payload)
        .map(|text| proof::crypto::hex(&proof::crypto::sha256(text.as_bytes())))
        .unwrap_or_default();
    let expected = [
        ("id", leaf.fact.to_string()),
        ("type", row.kind.clone()),
        ("time", row.time.rfc3339()),
        ("payload", digest),
    ];
    expected
        .iter()
        .find(|(name, value)| entry.get(*name).and_then(Value::as_str) != Some(value.as_str()))
        .map(|(name, _)| format!("leaf {index} ({}) and its fact differ in {name}", leaf.fact))
}

/// Checks a proof file against keys that the caller trusts, without any database. The leaf's bytes are in `extra`.
///
/// # Errors
/// `LOG_PROOF_UNREADABLE`, `LOG_PROOF_WRONG`.
pub fn check_proof(file: &[u8], origin: &str, keys: &[VerifierKey]) -> Result<Proven> {
    let unreadable = |reason: String| error::PROOF_UNREADABLE.error().with("reason", reason);
    let wrong = |reason: String| error::PROOF_WRONG.error().with("reason", reason);
    let proof = TlogProof::parse(file).map_err(|e| unreadable(e.to_string()))?;
    let entry = proof.extra.clone().ok_or_else(|| unreadable("it does not carry the leaf".to_owned()))?;
    let policy = LogPolicy::new(origin, keys, &[], 0).map_err(|e| wrong(e.to_string()))?;
    let opened = proof.verify(&entry, &policy).map_err(|e| wrong(e.to_string()))?;
    let key = opened.log_keys.first().cloned().ok_or_else(|| wrong("nobody signed".to_owned()))?;
    Ok(Proven { origin: origin.to_owned(), index: proof.index, size: opened.checkpoint.size(), entry, key })
}
