//! What a fact is, which types there are, and how one is recorded.
//!
//! A fact has a public part without personal data (`payload`), a sealed part under a person's key bound by a salted
//! commitment, and the finished bytes of its log leaf (`entry`, RFC 8785). The types are a closed list, collected at
//! link time; a payload that is not of its type's schema fails the verb.

use std::{any::Any, sync::Arc};

use base::{
    Call, Id, Result, Time,
    id::kind::{Event, Person, Tenant},
};
use serde_json::{Map, Value, json};
use store::{CommitHook, Engine, Tx};

use proof::crypto::hex;

use crate::{error, repo};

/// The evidence logs. Origins and indices never change; `enrol` joins with its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Log {
    /// Credentials: public tiles.
    Cred,
    /// Acts of administration: tiles for auditors, checkpoint public.
    Audit,
    /// Certificates and their authorities: public tiles.
    Ca,
}

impl Log {
    /// Every log.
    pub const ALL: [Self; 3] = [Self::Cred, Self::Audit, Self::Ca];

    /// The word in SQL, addresses and origins.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cred => "cred",
            Self::Audit => "audit",
            Self::Ca => "ca",
        }
    }

    /// Whether leaves hold the payload itself beside its hash, so that a mirror is enough to rebuild what was lost. Only
    /// where everything in it is public anyway: serial numbers, keys and times of certificates.
    pub const fn leaves_hold_payloads(self) -> bool {
        matches!(self, Self::Ca)
    }

    /// The log of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|log| log.name() == name)
    }
}

/// What a field of a payload may hold. There is no free text: what a person wrote belongs into the sealed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// An id, a code, a digest, a handle's hash: at most 256 characters without spaces.
    Word,
    /// A whole number.
    Integer,
    /// A moment.
    Time,
    /// A word that may be absent.
    OptionalWord,
    /// Yes or no.
    Flag,
}

/// A field of a payload.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name, camelCase.
    pub name: &'static str,
    /// What it may hold.
    pub kind: FieldKind,
}

/// A type of fact.
#[derive(Debug)]
pub struct FactType {
    /// `credential.issued`
    pub name: &'static str,
    /// The log it stands in.
    pub log: Log,
    /// The topic it goes out on.
    pub topic: &'static str,
    /// The version of its payload.
    pub version: &'static str,
    /// `credential`: what sort of thing it is about.
    pub resource: &'static str,
    /// `issue`: what was done.
    pub action: &'static str,
    /// The payload.
    pub fields: &'static [Field],
}

/// Every type that is linked into the program.
#[base::linkme::distributed_slice]
#[linkme(crate = base::linkme)]
pub static FACT_TYPES: [&'static FactType];

/// Declares fact types.
#[macro_export]
macro_rules! facts {
    ($($(#[$doc:meta])* $ident:ident = $name:literal, log $log:ident, topic $topic:literal, version $version:literal,
        $resource:ident . $action:ident { $($field:ident : $kind:ident),* $(,)? })*) => {
        $(
            $(#[$doc])*
            pub static $ident: $crate::FactType = $crate::FactType {
                name: $name,
                log: $crate::Log::$log,
                topic: $topic,
                version: $version,
                resource: stringify!($resource),
                action: stringify!($action),
                fields: &[$($crate::Field { name: stringify!($field), kind: $crate::FieldKind::$kind }),*],
            };
            #[expect(unsafe_code, reason = "linkme places a static in a link section; no unsafe block is ours")]
            const _: () = {
                #[::base::linkme::distributed_slice($crate::FACT_TYPES)]
                #[linkme(crate = ::base::linkme)]
                static ENTRY: &$crate::FactType = &$ident;
            };
        )*
    };
}

impl FactType {
    /// The JSON Schema (2020-12) of its payload.
    pub fn schema(&self) -> Value {
        let properties: Map<String, Value> = self
            .fields
            .iter()
            .map(|field| {
                let shape = match field.kind {
                    FieldKind::Word => json!({"type": "string", "maxLength": 256}),
                    FieldKind::OptionalWord => json!({"type": ["string", "null"], "maxLength": 256}),
                    FieldKind::Flag => json!({"type": "boolean"}),
                    FieldKind::Integer => json!({"type": "integer"}),
                    FieldKind::Time => json!({"type": "string", "format": "date-time"}),
                };
                (field.name.to_owned(), shape)
            })
            .collect();
        let required: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name, "type": "object", "additionalProperties": false,
            "required": required, "properties": properties,
            "x-log": self.log.name(), "x-topic": self.topic, "x-version": self.version,
        })
    }

    fn check(&self, payload: &Map<String, Value>) -> Result<()> {
        let wrong =
            |name: &str| Err(error::FACT_SHAPE.error().with("field", format!("{}.{name}", self.name)));
        for field in self.fields {
            let good = match (field.kind, payload.get(field.name)) {
                (FieldKind::Word, Some(Value::String(word))) => is_word(word),
                (FieldKind::OptionalWord, Some(Value::String(word))) => is_word(word),
                (FieldKind::OptionalWord, Some(Value::Null)) => true,
                (FieldKind::Flag, Some(Value::Bool(_))) => true,
                (FieldKind::Integer, Some(Value::Number(number))) => number.is_i64(),
                (FieldKind::Time, Some(Value::String(text))) => Time::parse(text).is_some(),
                _ => false,
            };
            if !good {
                return wrong(field.name);
            }
        }
        match payload.keys().find(|key| self.fields.iter().all(|field| field.name != **key)) {
            Some(stranger) => wrong(stranger),
            None => Ok(()),
        }
    }
}

fn is_word(word: &str) -> bool {
    word.len() <= 256 && !word.contains(char::is_whitespace)
}

/// The personal part of a fact, sealed by the caller under the person's key.
#[derive(Debug, Clone)]
pub struct SealedPart {
    /// `SHA-256(0x53454C4F01 ‖ salt ‖ canonical payload)`: hides by its 32-byte salt, binds by its hash.
    pub commit: [u8; 32],
    /// The ciphertext of salt and payload.
    pub bytes: Vec<u8>,
    /// The person's pseudonym under the person's own key.
    pub subject: [u8; 16],
    /// Whose key it is.
    pub person: Id<Person>,
}

/// A fact about to be recorded. Made before the closure that records it, so that a closure that runs twice records
/// the same fact.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Its type.
    pub kind: &'static FactType,
    /// Its id.
    pub id: Id<Event>,
    /// When it happened.
    pub time: Time,
    /// The tenant; the nil tenant is the house itself.
    pub tenant: Option<Id<Tenant>>,
    /// The id of the thing it is about, in its public form.
    pub resource: String,
    /// The public part.
    pub payload: Map<String, Value>,
    /// What kind of public object it fixes, and the object's SHA-256.
    pub object: Option<(&'static str, [u8; 32])>,
    /// The personal part.
    pub sealed: Option<SealedPart>,
}

impl Fact {
    /// A fact of `kind` about `resource`, with its public payload.
    pub fn new(
        kind: &'static FactType,
        id: Id<Event>,
        time: Time,
        resource: impl ToString,
        payload: Value,
    ) -> Self {
        let payload = match payload {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Self {
            kind,
            id,
            time,
            tenant: None,
            resource: resource.to_string(),
            payload,
            object: None,
            sealed: None,
        }
    }

    /// Names the tenant.
    #[must_use]
    pub fn of(mut self, tenant: Id<Tenant>) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Fixes a public object by its hash.
    #[must_use]
    pub fn fixing(mut self, kind: &'static str, digest: [u8; 32]) -> Self {
        self.object = Some((kind, digest));
        self
    }

    /// Adds the personal part.
    #[must_use]
    pub fn sealing(mut self, part: SealedPart) -> Self {
        self.sealed = Some(part);
        self
    }
}

/// What facts need of the key ring, which stands above this crate: pseudonyms and the sealing of where a call came
/// from. Implemented by `keys`, plugged in by the roof.
pub trait Seals: Send + Sync + 'static {
    /// The tenant's pseudonym in log leaves.
    fn tenant(&self, tenant: Id<Tenant>) -> [u8; 16];
    /// The actor's pseudonym in log leaves, unlinkable between tenants.
    fn actor(&self, tenant: Id<Tenant>, actor: &str) -> [u8; 16];
    /// Seals address and user agent; opened only for the audit search.
    fn seal_origin(&self, tenant: Id<Tenant>, fact: Id<Event>, plain: &[u8]) -> Result<Vec<u8>>;
}

/// A fact with the call it happened in, as it is staged for the commit hook.
pub(crate) struct Staged {
    pub(crate) fact: Fact,
    pub(crate) call: Call,
}

/// `tx.record(…)`: the one way to say that something happened.
pub trait Record {
    /// Records `fact` in this transaction; it is written when the transaction commits, or not at all.
    ///
    /// # Errors
    /// `FACT_SHAPE` when the payload is not of its type.
    fn record(&mut self, call: &Call, fact: &Fact) -> Result<()>;
}

impl Record for Tx<'_> {
    fn record(&mut self, call: &Call, fact: &Fact) -> Result<()> {
        fact.kind.check(&fact.payload)?;
        self.stage(Box::new(Staged { fact: fact.clone(), call: call.clone() }));
        Ok(())
    }
}

/// The tenant under which the house's own facts stand.
pub(crate) const fn house_tenant() -> Id<Tenant> {
    Id::NIL
}

/// The leaf's bytes (RFC 8785): ids, pseudonyms, hashes and codes, never personal data.
fn entry(staged: &Staged, seals: &dyn Seals) -> Result<Vec<u8>> {
    let Staged { fact, call } = staged;
    let tenant = fact.tenant.unwrap_or_else(house_tenant);
    let mut leaf = Map::new();
    leaf.insert("v".into(), json!(1));
    leaf.insert("id".into(), json!(fact.id));
    leaf.insert("type".into(), json!(fact.kind.name));
    leaf.insert("time".into(), json!(fact.time));
    leaf.insert("tenant".into(), json!(hex(&seals.tenant(tenant))));
    leaf.insert(
        "actor".into(),
        json!({"kind": call.actor.kind.name(), "id": hex(&seals.actor(tenant, &call.actor.id))}),
    );
    leaf.insert("request".into(), json!(call.request));
    leaf.insert("payload".into(), json!(hex(&proof::crypto::sha256(&canonical(&fact.payload)?))));
    if fact.kind.log.leaves_hold_payloads() {
        leaf.insert("data".into(), Value::Object(fact.payload.clone()));
    }
    if let Some((kind, digest)) = &fact.object {
        leaf.insert("object".into(), json!({"kind": kind, "sha256": hex(digest)}));
    }
    if let Some(sealed) = &fact.sealed {
        leaf.insert("subject".into(), json!(hex(&sealed.subject)));
        leaf.insert("commit".into(), json!(hex(&sealed.commit)));
    }
    canonical(&leaf)
}

fn canonical(map: &Map<String, Value>) -> Result<Vec<u8>> {
    proof::canon::canonicalize(&Value::Object(map.clone()))
        .map(String::into_bytes)
        .map_err(|e| base::error::INTERNAL.because(e))
}

/// The commit hook: writes the group's facts, and on SQLite their places in the logs, in the same transaction.
pub fn recorder(seals: Arc<dyn Seals>, committed: Arc<tokio::sync::Notify>) -> Arc<dyn CommitHook> {
    Arc::new(Recorder { seals, committed })
}

/// How many facts of each type this process has written, in the order of [`FACT_TYPES`].
static WRITTEN: std::sync::LazyLock<Vec<std::sync::atomic::AtomicU64>> =
    std::sync::LazyLock::new(|| FACT_TYPES.iter().map(|_| Default::default()).collect());

/// How many facts of each type this process has written; a group that was rolled back and written again counts twice.
pub fn written() -> Vec<(&'static str, u64)> {
    let counts = WRITTEN.iter().map(|count| count.load(std::sync::atomic::Ordering::Relaxed));
    FACT_TYPES.iter().map(|kind| kind.name).zip(counts).collect()
}

struct Recorder {
    seals: Arc<dyn Seals>,
    committed: Arc<tokio::sync::Notify>,
}

impl CommitHook for Recorder {
    fn before_commit(&self, tx: &mut Tx<'_>, staged: &[store::Staged]) -> Result<()> {
        let mut logged: Vec<(Log, Id<Event>, [u8; 32])> = Vec::with_capacity(staged.len());
        for thing in staged {
            let Some(staged) = thing.downcast_ref::<Staged>() else { continue };
            let entry = entry(staged, &*self.seals)?;
            let tenant = staged.fact.tenant.unwrap_or_else(house_tenant);
            let origin = match (&staged.call.address, &staged.call.agent) {
                (None, None) => None,
                (address, agent) => {
                    let plain = json!({"ipAddress": address, "userAgent": agent}).to_string();
                    Some(self.seals.seal_origin(tenant, staged.fact.id, plain.as_bytes())?)
                }
            };
            logged.push((staged.fact.kind.log, staged.fact.id, proof::merkle::leaf_hash(&entry)));
            repo::insert_fact(tx, &staged.fact, &staged.call, tenant, &entry, origin)?;
            let position = FACT_TYPES.iter().position(|kind| kind.name == staged.fact.kind.name);
            if let Some(count) = position.and_then(|position| WRITTEN.get(position)) {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
        if logged.is_empty() {
            return Ok(());
        }
        match tx.engine() {
            Engine::Sqlite => {
                for log in Log::ALL {
                    let mut next = None;
                    for (_, fact, hash) in logged.iter().filter(|(of, _, _)| *of == log) {
                        let index = match next {
                            Some(index) => index,
                            None => repo::next_index(tx, log)?,
                        };
                        repo::insert_leaf(tx, log, index, *fact, hash)?;
                        next = Some(index + 1);
                    }
                }
                Ok(())
            }
            Engine::Postgres => {
                logged.iter().try_for_each(|(log, fact, _)| repo::insert_pending(tx, *log, *fact))
            }
        }
    }

    fn after_commit(&self, _engine: Engine) {
        self.committed.notify_waiters();
    }

    fn committed(&self, tx: &mut Tx<'_>, staged: &(dyn Any + Send)) -> Result<bool> {
        match staged.downcast_ref::<Staged>() {
            Some(staged) => repo::fact_exists(tx, staged.fact.id),
            None => Ok(false),
        }
    }
}
