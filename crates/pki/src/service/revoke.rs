//! Revoking: one transaction, final; a compromised key takes every certificate that holds it along.

use base::{Call, Id, Result, Time, id::kind::Event};
use events::{Fact, Record};
use proof::x509::crl::Reason;
use serde_json::json;

use super::Pki;
use crate::{
    error, facts,
    model::{Certificate, State, TenantId},
    repo,
};

/// Certificates that one compromised key may take along: each needs a fact that is made before the transaction.
const SIBLINGS_MAX: usize = 1_000;

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
        let certificate = self.certificate(tenant, named).await?;
        if certificate.profile.is_ca() {
            return Err(error::OF_AUTHORITY.error());
        }
        let now = self.house.now().whole_second();
        if invalid_since.is_some_and(|since| since > now) {
            return Err(error::MOMENT.at("invalidSince"));
        }
        let db = self.house.db.tenant(tenant.uuid());
        let (id, spki) = (certificate.id, certificate.spki_sha256);
        let events: Vec<Id<Event>> = (0..=SIBLINGS_MAX).map(|_| self.house.id()).collect();
        let call = call.for_tenant(tenant);
        let revoked = db
            .write("pki.revoke", move |tx| {
                let named =
                    repo::by_id(tx, tenant, id)?.ok_or_else(|| error::NOT_FOUND.error().with("id", id))?;
                named.state.revoke()?;
                let mut all = vec![named];
                if reason == Reason::KeyCompromise {
                    repo::bar(tx, tenant, &spki, "keyCompromise", now)?;
                    let siblings = repo::issued_with_key(tx, tenant, &spki)?;
                    all.extend(siblings.into_iter().filter(|one| one.id != id).take(SIBLINGS_MAX));
                }
                for (one, event) in all.iter_mut().zip(&events) {
                    one.state = State::Revoked;
                    one.revoked_at = Some(now);
                    one.reason = Some(reason);
                    one.invalid_since = invalid_since.map(Time::whole_second);
                    if !repo::revoke(tx, one)? {
                        return Err(error::REVOKED.error());
                    }
                    repo::touch_list(tx, tenant, one.authority, one.shard)?;
                    tx.record(&call, &revoked_fact(one, *event, now))?;
                }
                Ok(all)
            })
            .await?;
        for _ in &revoked {
            self.figures.revoked(reason);
        }
        Ok(revoked)
    }
}

/// The fact that a certificate was revoked.
pub(super) fn revoked_fact(certificate: &Certificate, id: Id<Event>, now: Time) -> Fact {
    let payload = json!({
        "certificate": certificate.id, "authority": certificate.authority,
        "serial": certificate.serial.to_string(),
        "reason": i64::from(certificate.reason.unwrap_or(Reason::Unspecified).code()),
        "invalidSince": certificate.invalid_since.map(Time::rfc3339),
    });
    Fact::new(&facts::CERTIFICATE_REVOKED, id, now, certificate.id, payload).of(certificate.tenant)
}
