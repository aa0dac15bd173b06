//! The verbs of the evidence log: publish, prove and check; the self-audit has its own file.

mod verify;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base::{
    Call, Id, Result,
    id::kind::{Credential, Event, Tenant},
};
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
    model::{LogHead, Proven},
    repo,
    tiles::{self, Edge},
};

/// So many leaves are tiled at once: a fraction of a second's work, so that the lease outlives it by far.
const CHUNK_LEAVES: u32 = 8_192;
/// A publisher that dies is replaced after this time.
const LEASE_SECONDS: u64 = 5;
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
        Log::Ca => Purpose::LogCa,
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

    /// Opens the logs that the house does not have yet under `host` (host and port of its public address): key, origin
    /// and leaf 0. A new house gets all of them, one that was made by an older program those that came since.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(&self, call: &Call, host: &str) -> Result<()> {
        for log in Log::ALL {
            if self.house.db.read("audit.head", move |rx| repo::head(rx, log)).await?.is_some() {
                continue;
            }
            let origin = format!("{host}/log/{}", log.name());
            let key = self.keys.prepare_signing(HOUSE, purpose(log), Algorithm::Ed25519, &self.house)?;
            let vkey = verifier(&origin, &key.info)?.to_string();
            let kind = match log {
                Log::Cred => &facts::CRED_OPENED,
                Log::Audit => &facts::AUDIT_OPENED,
                Log::Ca => &facts::CA_OPENED,
            };
            let payload = json!({"origin": origin, "format": "c2sp.org/tlog-tiles@v0.1.0", "vkey": vkey});
            let fact = Fact::new(kind, self.house.id(), self.house.now(), &origin, payload);
            let (keys, house, call) = (self.keys.clone(), self.house.clone(), call.clone());
            self.house
                .db
                .write("audit.open", move |tx| {
                    // Another process may have opened it in the meantime.
                    if repo::head(tx, log)?.is_some() {
                        return Ok(());
                    }
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

    /// Tiles what is new and signs checkpoints until the log has not grown any more. False when there was nothing to do
    /// or another process publishes this log.
    ///
    /// # Errors
    /// `LOG_WOULD_FORK` when the database is behind a checkpoint that was signed before; the store's.
    pub async fn publish(&self, log: Log) -> Result<bool> {
        let mut published = false;
        while self.publish_chunk(log).await? {
            published = true;
        }
        Ok(published)
    }

    /// Tiles at most [`CHUNK_LEAVES`] leaves and signs a checkpoint over them: a backlog of any length is published in
    /// steps that each fit into one lease.
    async fn publish_chunk(&self, log: Log) -> Result<bool> {
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
        // Another process may have published since this one last did, so the edge must be at the durable size.
        let mut current = match edge.take() {
            Some(known) if known.size() == head.size => known,
            _ => self.edge_at(log, head.size).await?,
        };
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
        self.tile_chunk(log, &mut current, size).await?;
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

    /// The right edge of a log of `size` leaves: from its tiles or, where they are missing or wrong, made again with
    /// them. What tiles hold is determined by the leaves, so this needs no lease.
    async fn edge_at(&self, log: Log, size: u64) -> Result<Edge> {
        if let Some(edge) = Edge::load(&self.blobs, log, size).await {
            return Ok(edge);
        }
        let mut edge = Edge::empty(log);
        while edge.size() < size {
            self.tile_chunk(log, &mut edge, size).await?;
        }
        Ok(edge)
    }

    /// Appends the next leaves, [`CHUNK_LEAVES`] at most, to an edge that is to grow to `size`, and publishes their
    /// tiles.
    async fn tile_chunk(&self, log: Log, edge: &mut Edge, size: u64) -> Result<()> {
        let from = edge.size();
        let limit = u32::try_from(size - from).unwrap_or(u32::MAX).min(CHUNK_LEAVES);
        if limit == 0 {
            return Ok(());
        }
        let range = LogRange { from, limit };
        let leaves = self.house.db.read("audit.leaves", move |rx| events::leaves(rx, log, range)).await?;
        let whole = leaves.len() == limit as usize
            && leaves.last().is_some_and(|last| last.index + 1 == from + u64::from(limit));
        if !whole {
            return Err(error::FORK.error().with("log", log.name()).with("found", from).with("signed", size));
        }
        let written = edge.append(&leaves)?;
        edge.publish(&self.blobs, written).await
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

    /// The proof file of the record that a credential was issued; `tenant` is whose it must be, or anybody's.
    ///
    /// # Errors
    /// As [`Audit::prove`].
    pub async fn prove_issued(
        &self,
        tenant: Option<Id<Tenant>>,
        credential: Id<Credential>,
    ) -> Result<Vec<u8>> {
        let issued = self
            .house
            .db
            .read("audit.issued", move |rx| {
                events::first_of_resource(rx, "credential.issued", &credential.to_string())
            })
            .await?
            .filter(|fact| tenant.is_none_or(|own| fact.tenant == own))
            .ok_or_else(|| error::RECORD_NOT_FOUND.error().with("id", credential))?;
        self.prove(issued.id).await
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
