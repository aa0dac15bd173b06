//! What the log `ca` knows and a database that was put back does not: each leaf becomes its fact again, and the rows that
//! followed from it become what they were.
//!
//! A certificate comes back as far as its fact tells: number, key, times, state. Its bytes and names are with whoever
//! holds it. An authority that began after the backup does not come back, since its key was in the database alone.
//! Never here: a new fact, a signature, a leaf that no signed checkpoint covers.

use std::collections::HashMap;

use base::{Result, Time};
use events::{Log, ReturnedLeaf};
use keys::Keys;
use proof::{
    crypto::hex,
    x509::{Profile, Serial, crl::Reason},
};
use store::Tx;

use super::{Pki, digest, read_serial};
use crate::{
    model::{Authority, AuthorityId, AuthorityState, Certificate, CertificateId, State, TenantId, renew_at},
    repo,
};

/// So far the numbers of lists jump when a database is put back: further than any list was signed in between, and small
/// enough for two thousand million times.
const NUMBERS_JUMP: i64 = 1 << 32;

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Leaves that were put back to their places.
    pub leaves: u64,
    /// Certificates that count as issued again.
    pub issued: u64,
    /// Certificates that count as revoked again.
    pub revoked: u64,
    /// Plans that count as given up again.
    pub abandoned: u64,
    /// Certificates of authorities that began after the backup, and so cannot be spoken for.
    pub orphans: u64,
    /// Authorities that began after the backup: their keys are gone.
    pub authorities_lost: Vec<String>,
}

/// Puts leaves back, in their order.
pub struct Replay {
    pki: Pki,
    /// Tenants by the pseudonym that leaves name them by.
    tenants: HashMap<String, TenantId>,
    replayed: Replayed,
}

impl Pki {
    /// Begins to put back what a database has lost; `tenants` are those that it knows.
    pub fn replay(&self, tenants: impl IntoIterator<Item = TenantId>) -> Replay {
        let pseudonym =
            |tenant: TenantId| (hex(&<Keys as events::Seals>::tenant(&self.keys, tenant)), tenant);
        let tenants = tenants.into_iter().chain([TenantId::NIL]).map(pseudonym).collect();
        Replay { pki: self.clone(), tenants, replayed: Replayed::default() }
    }
}

impl Replay {
    /// Puts a stretch of the log back, in one transaction; `from` is the place of its first leaf.
    ///
    /// # Errors
    /// `LOG_LEAF_UNREADABLE`; the store's. What was put back before stays, and the same mirror goes on from there.
    pub async fn put_back(&mut self, from: u64, entries: Vec<Vec<u8>>) -> Result<()> {
        let leaves = (from..)
            .zip(entries)
            .map(|(index, entry)| {
                let leaf = ReturnedLeaf::read(index, entry)?;
                // A tenant that began after the backup is not there any more: its records fall to the house.
                let tenant = self.tenants.get(&leaf.tenant).copied().unwrap_or(TenantId::NIL);
                Ok((leaf, tenant))
            })
            .collect::<Result<Vec<_>>>()?;
        let (first, before) = (self.replayed.leaves == 0, self.replayed.clone());
        let house = &self.pki.house;
        self.replayed = house
            .db
            .write("pki.replay", move |tx| {
                let mut replayed = before.clone();
                if first {
                    repo::jump_numbers(tx, NUMBERS_JUMP)?;
                }
                for (leaf, tenant) in &leaves {
                    leaf.restore(tx, Log::Ca, *tenant)?;
                    follow(tx, leaf, *tenant, &mut replayed)?;
                    replayed.leaves += 1;
                }
                Ok(replayed)
            })
            .await?;
        Ok(())
    }

    /// What came back.
    pub fn done(self) -> Replayed {
        self.replayed
    }
}

/// Makes the rows what they were after this fact.
fn follow(tx: &mut Tx<'_>, leaf: &ReturnedLeaf, tenant: TenantId, replayed: &mut Replayed) -> Result<()> {
    match leaf.kind.name {
        "certificate.issued" => match planned(tx, leaf, tenant)? {
            Some(certificate) => {
                if repo::finish_without_bytes(tx, tenant, certificate.id, leaf.time)? {
                    replayed.issued += 1;
                }
            }
            None => replayed.orphans += 1,
        },
        "certificate.revoked" => replayed.revoked += u64::from(revoke(tx, leaf, tenant)?),
        "certificate.abandoned" => {
            if let Some(certificate) = planned(tx, leaf, tenant)?
                && repo::abandon(tx, tenant, certificate.id, leaf.time)?
            {
                repo::touch_list(tx, tenant, certificate.authority, certificate.shard)?;
                replayed.abandoned += 1;
            }
        }
        "authority.created" => {
            let id: AuthorityId = read(leaf, "authority")?;
            if repo::authority_by_id(tx, tenant, id)?.is_none() {
                replayed.authorities_lost.push(id.to_string());
            }
        }
        "authority.retired" => move_on(tx, leaf, tenant, AuthorityState::Retired)?,
        "authority.revoked" => move_on(tx, leaf, tenant, AuthorityState::Revoked)?,
        _ => {}
    }
    Ok(())
}

fn broken(leaf: &ReturnedLeaf, name: &str) -> base::Error {
    let reason = format!("its {name} cannot be read");
    events::error::LEAF_UNREADABLE.error().with("index", leaf.index).with("reason", reason)
}

fn read<T: std::str::FromStr>(leaf: &ReturnedLeaf, name: &str) -> Result<T> {
    leaf.word(name).parse().map_err(|_| broken(leaf, name))
}

fn moment_of(leaf: &ReturnedLeaf, name: &str) -> Result<Time> {
    Time::parse(leaf.word(name)).ok_or_else(|| broken(leaf, name))
}

/// The row of a certificate that the fact speaks of; made when there is none. Nothing when its authority is not there.
fn planned(tx: &mut Tx<'_>, leaf: &ReturnedLeaf, tenant: TenantId) -> Result<Option<Certificate>> {
    let id: CertificateId = read(leaf, "certificate")?;
    if let Some(known) = repo::by_id(tx, tenant, id)? {
        return Ok(Some(known));
    }
    let Some(authority) = repo::authority_by_id(tx, tenant, read(leaf, "authority")?)? else {
        return Ok(None);
    };
    let certificate = certificate_of(leaf, &authority, id)?;
    repo::insert_planned(tx, &certificate)?;
    Ok(Some(certificate))
}

fn certificate_of(leaf: &ReturnedLeaf, authority: &Authority, id: CertificateId) -> Result<Certificate> {
    let serial: Serial = read_serial(leaf.word("serial")).ok_or_else(|| broken(leaf, "serial"))?;
    let profile = Profile::from_name(leaf.word("profile")).ok_or_else(|| broken(leaf, "profile"))?;
    let (not_before, not_after) = (moment_of(leaf, "notBefore")?, moment_of(leaf, "notAfter")?);
    Ok(Certificate {
        tenant: authority.tenant,
        id,
        authority: authority.id,
        serial,
        shard: serial.shard(authority.shards),
        profile,
        subject: String::new(),
        // What its names were nobody knows here; one of its own keeps it from following, or being followed by, another.
        names: vec![format!("spki:{}", leaf.word("spki"))],
        spki_sha256: digest(leaf.word("spki")).ok_or_else(|| broken(leaf, "spki"))?,
        not_before,
        renew_at: renew_at(not_before, not_after),
        not_after,
        state: State::Planned,
        tbs: Vec::new(),
        der: None,
        owner: String::new(),
        source: match leaf.word("source") {
            "" => "internal".to_owned(),
            source => source.to_owned(),
        },
        asked_by: leaf.actor().to_owned(),
        planned_at: leaf.time,
        issued_at: None,
        revoked_at: None,
        reason: None,
        invalid_since: None,
    })
}

fn revoke(tx: &mut Tx<'_>, leaf: &ReturnedLeaf, tenant: TenantId) -> Result<bool> {
    let Some(mut certificate) = repo::by_id(tx, tenant, read(leaf, "certificate")?)? else {
        return Ok(false);
    };
    let code = leaf.payload.get("reason").and_then(serde_json::Value::as_u64);
    let reason = code
        .and_then(|code| u8::try_from(code).ok())
        .and_then(Reason::from_code)
        .ok_or_else(|| broken(leaf, "reason"))?;
    certificate.state = State::Revoked;
    certificate.revoked_at = Some(leaf.time);
    certificate.reason = Some(reason);
    certificate.invalid_since = match leaf.word("invalidSince") {
        "" => None,
        text => Some(Time::parse(text).ok_or_else(|| broken(leaf, "invalidSince"))?),
    };
    if reason == Reason::KeyCompromise {
        repo::bar(tx, tenant, &certificate.spki_sha256, "keyCompromise", leaf.time)?;
    }
    repo::touch_list(tx, tenant, certificate.authority, certificate.shard)?;
    repo::revoke(tx, &certificate)
}

fn move_on(tx: &mut Tx<'_>, leaf: &ReturnedLeaf, tenant: TenantId, to: AuthorityState) -> Result<()> {
    let id: AuthorityId = read(leaf, "authority")?;
    let Some(authority) = repo::authority_by_id(tx, tenant, id)? else { return Ok(()) };
    if authority.state != AuthorityState::Revoked && authority.state != to {
        repo::move_authority(tx, tenant, id, authority.state, to)?;
    }
    Ok(())
}
