//! Leaves that come back from a mirror, after a database was put back to an earlier day.
//!
//! A leaf of a log whose leaves hold their payload is enough to write its fact again: same id, same bytes, same place.
//! Nothing is signed and nothing new is said. What the house alone knew of the act (who it was by name, from where) is
//! gone: the actor is the pseudonym that the leaf holds.
//! Never here: a leaf at a place that is taken, or one that leaves a gap.

use base::{
    Error, Id, Result, Time,
    id::kind::{Event, Request, Tenant},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Tx;

use proof::{crypto::hex, merkle};

use crate::{
    error,
    fact::{FACT_TYPES, FactType, Log},
    repo,
};

/// A leaf, read and compared with its own hashes.
#[derive(Debug, Clone)]
pub struct ReturnedLeaf {
    /// Its place.
    pub index: u64,
    /// The type of its fact.
    pub kind: &'static FactType,
    /// The fact's id.
    pub id: Id<Event>,
    /// When it happened.
    pub time: Time,
    /// The tenant's pseudonym, hexadecimal.
    pub tenant: String,
    /// The public part.
    pub payload: Map<String, Value>,
    /// SHA-256 of the public object that it fixes, hexadecimal.
    pub object: Option<String>,
    actor: Actor,
    request: Id<Request>,
    entry: Vec<u8>,
}

#[derive(Debug, Clone, Deserialize)]
struct Actor {
    kind: String,
    id: String,
}

#[derive(Deserialize)]
struct Object {
    sha256: String,
}

#[derive(Deserialize)]
struct Entry {
    v: u64,
    id: Id<Event>,
    #[serde(rename = "type")]
    kind: String,
    time: Time,
    tenant: String,
    actor: Actor,
    request: Id<Request>,
    payload: String,
    data: Option<Map<String, Value>>,
    object: Option<Object>,
}

impl ReturnedLeaf {
    /// Reads a leaf's bytes.
    ///
    /// # Errors
    /// `LOG_LEAF_UNREADABLE` when it is none of this program's, or older than leaves that hold their payload.
    pub fn read(index: u64, entry: Vec<u8>) -> Result<Self> {
        let wrong = |reason: &str| -> Error {
            error::LEAF_UNREADABLE.error().with("index", index).with("reason", reason)
        };
        let read: Entry = serde_json::from_slice(&entry).map_err(|e| wrong("it is no leaf").because(e))?;
        let kind = FACT_TYPES
            .iter()
            .find(|kind| kind.name == read.kind)
            .ok_or_else(|| wrong("its type is not known to this program"))?;
        let data = read.data.ok_or_else(|| wrong("it holds no payload"))?;
        let digest = proof::canon::canonicalize(&Value::Object(data.clone()))
            .map(|text| hex(&proof::crypto::sha256(text.as_bytes())))
            .map_err(|e| base::error::INTERNAL.because(e))?;
        if read.v != 1 || digest != read.payload {
            return Err(wrong("its payload has another hash"));
        }
        Ok(Self {
            index,
            kind,
            id: read.id,
            time: read.time,
            tenant: read.tenant,
            payload: data,
            object: read.object.map(|object| object.sha256),
            actor: read.actor,
            request: read.request,
            entry,
        })
    }

    /// A word of the payload; empty when it has none of that name.
    pub fn word(&self, name: &str) -> &str {
        self.payload.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The pseudonym of who did it.
    pub fn actor(&self) -> &str {
        &self.actor.id
    }

    /// Writes the fact and its place. A fact that is there and waits for its place gets it.
    ///
    /// # Errors
    /// `LOG_LEAF_UNREADABLE` when the place is not the next one, or the fact stands there with other bytes; the store's.
    pub fn restore(&self, tx: &mut Tx<'_>, log: Log, tenant: Id<Tenant>) -> Result<()> {
        let wrong = |reason: &str| {
            Err(error::LEAF_UNREADABLE.error().with("index", self.index).with("reason", reason))
        };
        let index = i64::try_from(self.index).map_err(|e| base::error::INTERNAL.because(e))?;
        if self.kind.log != log || repo::next_index(tx, log)? != index {
            return wrong("it is not the next of this log");
        }
        match repo::entry_of(tx, self.id)? {
            Some(known) if known != self.entry => return wrong("its fact is another one here"),
            Some(_) => repo::delete_pending(tx, self.id)?,
            None => {
                // A fact is about the thing whose id its payload names first, or about the request.
                let resource = match self.word(&camel(self.kind.resource)) {
                    "" => self.request.to_string(),
                    named => named.to_owned(),
                };
                let row = repo::RestoredFact {
                    tenant,
                    id: self.id,
                    kind: self.kind,
                    time: self.time,
                    actor: (&self.actor.kind, &self.actor.id),
                    resource: &resource,
                    correlation: format!("corr_{}", self.request.bare()),
                    payload: Value::Object(self.payload.clone()),
                    entry: &self.entry,
                };
                repo::insert_restored(tx, &row)?;
            }
        }
        repo::insert_leaf(tx, log, index, self.id, &merkle::leaf_hash(&self.entry))
    }
}

/// `root_request` as it stands in a payload: `rootRequest`.
fn camel(word: &str) -> String {
    let mut parts = word.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_without_its_payload_or_with_another_is_refused() {
        let base = serde_json::json!({
            "v": 1, "id": Id::<Event>::NIL, "type": "none", "time": "2026-08-01T12:00:00Z", "tenant": "00",
            "actor": {"kind": "system", "id": "00"}, "request": Id::<Request>::NIL, "payload": "00",
        });
        for entry in [b"".to_vec(), b"{}".to_vec(), b"[]".to_vec(), base.to_string().into_bytes()] {
            let failure = ReturnedLeaf::read(0, entry).unwrap_err();
            assert!(failure.is(&error::LEAF_UNREADABLE), "{failure}");
        }
    }
}
