//! Revoking: one transaction, final; a compromised key takes every certificate that holds it along.

use base::{Call, Result, Time};
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

/// What a compromised key takes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The key is barred, and every certificate that holds it goes.
    Key,
    /// The certificate alone: whoever asks has not shown that the key is theirs.
    Certificate,
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
        let now = self.house.now().whole_second();
        if invalid_since.is_some_and(|since| since > now) {
            return Err(error::MOMENT.at("invalidSince"));
        }
        let db = self.house.db.tenant(tenant.uuid());
        let (id, spki) = (certificate.id, certificate.spki_sha256);
        let events: Vec<base::Id<base::id::kind::Event>> =
            (0..=SIBLINGS_MAX).map(|_| self.house.id()).collect();
        let call = call.for_tenant(tenant);
        let revoked = db
            .write("pki.revoke", move |tx| {
                let named = repo::by_id(tx, tenant, id)?.ok_or_else(|| error::NOT_FOUND.error().with("id", id))?;
                named.state.revoke()?;
                let mut all = vec![named];
                if reason == Reason::KeyCompromise && reach == Reach::Key {
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
                    let payload = json!({
                        "certificate": one.id, "serial": one.serial.to_string(), "reason": i64::from(reason.code()),
                    });
                    tx.record(&call, &Fact::new(&facts::CERTIFICATE_REVOKED, *event, now, one.id, payload).of(tenant))?;
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
