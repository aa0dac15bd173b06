//! Revoking: one transaction, final; a compromised key takes every certificate that holds it along, and what is planned
//! with it. Many are revoked in batches, each certificate with its own fact.

use std::collections::BTreeSet;

use base::{Call, Id, Result, Time, id::kind::Event};
use events::{Fact, Record};
use proof::x509::crl::Reason;
use serde_json::json;
use store::Tx;

use super::{Pki, issue::abandoned_fact};
use crate::{
    error, facts,
    model::{AuthorityId, Certificate, CertificateId, State, TenantId},
    repo,
};

/// Certificates of one batch.
const BATCH_MAX: u32 = 500;
/// Facts of one transaction, each made before it: of a batch that is revoked, and of one that is given up.
const AT_ONCE_MAX: usize = 2 * BATCH_MAX as usize;

/// Which certificates are meant, when there are many.
#[derive(Debug, Clone)]
pub enum Selection {
    /// All that an authority signed.
    Of(AuthorityId),
    /// All with this key: SHA-256 of the SubjectPublicKeyInfo.
    WithKey([u8; 32]),
    /// These, by number or id.
    These(Vec<String>),
}

/// What one batch did.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Certificates in force that were meant before this batch.
    pub matched: u64,
    /// Those that this batch revoked, with all that it took along.
    pub revoked: u64,
    /// Those that are meant and still in force.
    pub left: u64,
    /// Names that no certificate has.
    pub unknown: Vec<String>,
}

/// What a compromised key takes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The key is barred, and every certificate that holds it goes.
    Key,
    /// The certificate alone: whoever asks has not shown that the key is theirs.
    Certificate,
}

/// How and why.
#[derive(Debug, Clone, Copy)]
struct Cause {
    reason: Reason,
    reach: Reach,
    invalid_since: Option<Time>,
    now: Time,
}

impl Cause {
    /// Whether the key is certified never again.
    fn bars(self) -> bool {
        self.reason == Reason::KeyCompromise && self.reach == Reach::Key
    }
}

impl Pki {
    /// Revokes a certificate; lists and answers say so from the moment this returns. Gives every certificate that was
    /// revoked, the named one first.
    ///
    /// # Errors
    /// `PKI_CERTIFICATE_NOT_FOUND`, `PKI_CERTIFICATE_REVOKED`, `PKI_CERTIFICATE_STATE`, `PKI_CERTIFICATE_OF_AUTHORITY`,
    /// `PKI_TIME_INVALID`; the store's.
    pub async fn revoke(
        &self,
        call: &Call,
        tenant: TenantId,
        named: &str,
        reason: Reason,
        invalid_since: Option<Time>,
    ) -> Result<Vec<Certificate>> {
        self.revoke_reaching(call, tenant, named, reason, invalid_since, Reach::Key).await
    }

    /// As [`Pki::revoke`], with what a compromised key takes along.
    pub(crate) async fn revoke_reaching(
        &self,
        call: &Call,
        tenant: TenantId,
        named: &str,
        reason: Reason,
        invalid_since: Option<Time>,
        reach: Reach,
    ) -> Result<Vec<Certificate>> {
        let certificate = self.certificate(tenant, named).await?;
        if certificate.profile.is_ca() {
            return Err(error::OF_AUTHORITY.error());
        }
        let cause = self.cause(reason, invalid_since, reach)?;
        let (id, events, following) = (certificate.id, self.facts_ahead(), call.for_tenant(tenant));
        let call = following.clone();
        let mut revoked = self
            .house
            .db
            .tenant(tenant.uuid())
            .write("pki.revoke", move |tx| {
                let named =
                    repo::by_id(tx, tenant, id)?.ok_or_else(|| error::NOT_FOUND.error().with("id", id))?;
                named.state.revoke()?;
                let mut all = vec![named];
                bar(tx, &all, cause)?;
                if let Some(spki) = all.first().map(|one| one.spki_sha256).filter(|_| cause.bars()) {
                    let siblings = repo::with_key(tx, tenant, &spki, State::Issued, BATCH_MAX)?;
                    all.extend(siblings.into_iter().filter(|one| one.id != id));
                }
                revoke_each(tx, &call, &mut all, cause, &events)?;
                Ok(all)
            })
            .await?;
        for _ in &revoked {
            self.figures.revoked(reason);
        }
        if let Some(spki) = revoked.first().map(|one| one.spki_sha256).filter(|_| cause.bars()) {
            revoked.extend(self.revoke_barred(&following, tenant, spki, cause).await?);
        }
        Ok(revoked)
    }

    /// Revokes whatever holds a barred key, batch after batch until none is left, and gives up what is planned with it.
    ///
    /// Each batch begins after the bar is committed. What was planned before is seen here, and whoever finishes it meets
    /// this batch at its row; what is planned and not seen here finishes later still, and sees the bar.
    async fn revoke_barred(
        &self,
        call: &Call,
        tenant: TenantId,
        spki: [u8; 32],
        cause: Cause,
    ) -> Result<Vec<Certificate>> {
        let mut all = Vec::new();
        loop {
            let (events, call) = (self.facts_ahead(), call.for_tenant(tenant));
            let (mut revoked, given_up) = self
                .house
                .db
                .tenant(tenant.uuid())
                .write("pki.revoke_barred", move |tx| {
                    let (of_issued, of_planned) = events.split_at(BATCH_MAX as usize);
                    let mut issued = repo::with_key(tx, tenant, &spki, State::Issued, BATCH_MAX)?;
                    revoke_each(tx, &call, &mut issued, cause, of_issued)?;
                    let planned = repo::with_key(tx, tenant, &spki, State::Planned, BATCH_MAX)?;
                    for (one, event) in planned.iter().zip(of_planned) {
                        give_up(tx, &call, one, *event, cause.now)?;
                    }
                    Ok((issued, planned.len()))
                })
                .await?;
            if revoked.is_empty() && given_up == 0 {
                return Ok(all);
            }
            for _ in &revoked {
                self.figures.revoked(cause.reason);
            }
            all.append(&mut revoked);
        }
    }

    /// Revokes a batch of many certificates; whoever wants all of them asks again until none is left. A preview revokes
    /// nothing and says how many are meant. A compromised key takes all of its certificates along at once, and is barred
    /// also where it has none.
    ///
    /// # Errors
    /// `PKI_AUTHORITY_UNKNOWN`, `PKI_TIME_INVALID`, `PKI_REVOCATIONS_TOO_MANY`; the store's.
    pub async fn revoke_many(
        &self,
        call: &Call,
        tenant: TenantId,
        selection: Selection,
        reason: Reason,
        invalid_since: Option<Time>,
        preview: bool,
    ) -> Result<Batch> {
        let cause = self.cause(reason, invalid_since, Reach::Key)?;
        let compromised = match &selection {
            Selection::WithKey(spki) if cause.bars() => Some(*spki),
            _ => None,
        };
        let selected = self.select(tenant, selection).await?;
        if let Some(spki) = compromised.filter(|_| !preview) {
            let now = cause.now;
            let db = self.house.db.tenant(tenant.uuid());
            db.write("pki.bar", move |tx| repo::bar(tx, tenant, &spki, "keyCompromise", now)).await?;
            let revoked = self.revoke_barred(call, tenant, spki, cause).await?.len() as u64;
            return Ok(Batch { matched: selected.matched, revoked, left: 0, unknown: selected.unknown });
        }
        if preview || selected.ids.is_empty() {
            let Selected { matched, unknown, .. } = selected;
            return Ok(Batch { matched, revoked: 0, left: matched, unknown });
        }
        let (ids, events) = (selected.ids, self.facts_ahead());
        let (following, here) = (call.clone(), call.for_tenant(tenant));
        let meant = ids.len() as u64;
        let first = self
            .house
            .db
            .tenant(tenant.uuid())
            .write("pki.revoke_many", move |tx| {
                let mut all: Vec<Certificate> = Vec::new();
                for id in &ids {
                    // What another transaction has revoked meanwhile is done.
                    all.extend(repo::by_id(tx, tenant, *id)?.filter(|one| one.state == State::Issued));
                }
                bar(tx, &all, cause)?;
                revoke_each(tx, &here, &mut all, cause, &events)?;
                Ok(all)
            })
            .await?;
        let mut revoked = first.len() as u64;
        for _ in 0..revoked {
            self.figures.revoked(reason);
        }
        let keys: BTreeSet<[u8; 32]> = first.iter().map(|one| one.spki_sha256).collect();
        for spki in keys.into_iter().filter(|_| cause.bars()) {
            revoked += self.revoke_barred(&following, tenant, spki, cause).await?.len() as u64;
        }
        let left = selected.matched.saturating_sub(meant);
        Ok(Batch { matched: selected.matched, revoked, left, unknown: selected.unknown })
    }

    fn cause(&self, reason: Reason, invalid_since: Option<Time>, reach: Reach) -> Result<Cause> {
        let now = self.house.now().whole_second();
        if invalid_since.is_some_and(|since| since > now) {
            return Err(error::MOMENT.at("invalidSince"));
        }
        Ok(Cause { reason, reach, invalid_since: invalid_since.map(Time::whole_second), now })
    }

    /// Ids of facts, made before the transaction so that its closure may run twice.
    fn facts_ahead(&self) -> Vec<Id<Event>> {
        (0..AT_ONCE_MAX).map(|_| self.house.id()).collect()
    }

    async fn select(&self, tenant: TenantId, selection: Selection) -> Result<Selected> {
        let db = self.house.db.tenant(tenant.uuid());
        match selection {
            Selection::Of(authority) => {
                let found = db
                    .read("pki.issued_by", move |rx| {
                        if repo::authority_by_id(rx, tenant, authority)?.is_none() {
                            return Err(error::AUTHORITY_UNKNOWN.error().with("id", authority));
                        }
                        let some = repo::issued_by(rx, tenant, authority, BATCH_MAX)?;
                        Ok((repo::count_issued_by(rx, tenant, authority)?, some))
                    })
                    .await?;
                let (matched, some) = found;
                let ids = some.into_iter().map(|one| one.id).collect();
                Ok(Selected { ids, matched, unknown: Vec::new() })
            }
            Selection::WithKey(spki) => {
                let all = db.read("pki.with_key", move |rx| repo::issued_with_key(rx, tenant, &spki)).await?;
                let all = all.into_iter().filter(|one| !one.profile.is_ca()).map(|one| one.id);
                Ok(Selected::all(all.collect(), Vec::new()))
            }
            Selection::These(names) => {
                if names.len() > BATCH_MAX as usize {
                    return Err(error::REVOCATIONS_MANY.error().with("limit", BATCH_MAX));
                }
                let (mut ids, mut unknown) = (Vec::new(), Vec::new());
                for named in names {
                    match self.certificate(tenant, &named).await {
                        Ok(one) if one.profile.is_ca() => unknown.push(named),
                        Ok(one) if one.state == State::Issued && !ids.contains(&one.id) => ids.push(one.id),
                        Ok(_) => {}
                        Err(failure) if failure.is(&error::NOT_FOUND) => unknown.push(named),
                        Err(failure) => return Err(failure),
                    }
                }
                Ok(Selected::all(ids, unknown))
            }
        }
    }
}

struct Selected {
    ids: Vec<CertificateId>,
    matched: u64,
    unknown: Vec<String>,
}

impl Selected {
    fn all(mut ids: Vec<CertificateId>, unknown: Vec<String>) -> Self {
        let matched = ids.len() as u64;
        ids.truncate(BATCH_MAX as usize);
        Self { ids, matched, unknown }
    }
}

/// Bars the keys of these certificates for ever, where they are compromised.
fn bar(tx: &mut Tx<'_>, all: &[Certificate], cause: Cause) -> Result<()> {
    let barred = all.iter().filter(|_| cause.bars());
    barred
        .into_iter()
        .try_for_each(|one| repo::bar(tx, one.tenant, &one.spki_sha256, "keyCompromise", cause.now))
}

/// Gives a plan up, so that its number counts as revoked; false when it was planned no more.
pub(super) fn give_up(
    tx: &mut Tx<'_>,
    call: &Call,
    planned: &Certificate,
    event: Id<Event>,
    now: Time,
) -> Result<bool> {
    if !repo::abandon(tx, planned.tenant, planned.id, now)? {
        return Ok(false);
    }
    repo::touch_list(tx, planned.tenant, planned.authority, planned.shard)?;
    tx.record(call, &abandoned_fact(planned, event, now))?;
    Ok(true)
}

fn revoke_each(
    tx: &mut Tx<'_>,
    call: &Call,
    all: &mut [Certificate],
    cause: Cause,
    events: &[Id<Event>],
) -> Result<()> {
    for (one, event) in all.iter_mut().zip(events) {
        one.state = State::Revoked;
        one.revoked_at = Some(cause.now);
        one.reason = Some(cause.reason);
        one.invalid_since = cause.invalid_since;
        if !repo::revoke(tx, one)? {
            return Err(error::REVOKED.error());
        }
        repo::touch_list(tx, one.tenant, one.authority, one.shard)?;
        tx.record(call, &revoked_fact(one, cause.bars(), *event, cause.now))?;
    }
    Ok(())
}

/// The fact that a certificate was revoked, and whether its key was barred with it.
pub(super) fn revoked_fact(certificate: &Certificate, barred: bool, id: Id<Event>, now: Time) -> Fact {
    let payload = json!({
        "certificate": certificate.id, "authority": certificate.authority,
        "serial": certificate.serial.to_string(),
        "reason": i64::from(certificate.reason.unwrap_or(Reason::Unspecified).code()),
        "invalidSince": certificate.invalid_since.map(Time::rfc3339), "barred": barred,
    });
    Fact::new(&facts::CERTIFICATE_REVOKED, id, now, certificate.id, payload).of(certificate.tenant)
}
