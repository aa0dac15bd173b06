//! Revoke, suspend, reinstate: one row, one bit, one fact.

use base::{Call, Result};
use events::{Fact, Record};
use serde_json::json;

use super::{CredentialId, Credentials, TenantId};
use crate::{
    error, facts,
    model::{Change, Credential},
    repo, rules,
};

impl Credentials {
    /// Changes a credential's status; every list, page and cache shows it from the moment this returns.
    ///
    /// # Errors
    /// `CREDENTIAL_NOT_FOUND`, `REASON_NEEDED`, `CREDENTIAL_REVOKED`, `CREDENTIAL_STATE`; the store's.
    pub async fn change(
        &self,
        call: &Call,
        tenant: TenantId,
        id: CredentialId,
        change: Change,
        reason: &str,
    ) -> Result<Credential> {
        let reason = rules::reason(reason)?;
        let now = self.house.now();
        let kind = match change {
            Change::Revoke => &facts::CREDENTIAL_REVOKED,
            Change::Suspend => &facts::CREDENTIAL_SUSPENDED,
            Change::Reinstate => &facts::CREDENTIAL_REINSTATED,
        };
        let fact = Fact::new(kind, self.house.id(), now, id, json!({"credential": id})).of(tenant);
        let (keys, house, call) = (self.keys.clone(), self.house.clone(), call.for_tenant(tenant));
        self.house
            .db
            .tenant(tenant.uuid())
            .write(kind.name, move |tx| {
                let credential =
                    repo::by_id(tx, tenant, id)?.ok_or_else(|| error::NOT_FOUND.error().with("id", id))?;
                let to = credential.state.change(change)?;
                let mut fact = fact.clone();
                let mut reason_sealed = None;
                // A forgotten person's credential can still be revoked; only nobody can read why.
                if let Some(key) = super::living(keys.person(tx, tenant, credential.person))? {
                    let payload = json!({"reason": reason}).to_string();
                    let part = key.part(fact.id, payload.as_bytes(), &*house.chance)?;
                    fact = fact.sealing(part);
                    reason_sealed = Some(key.seal(
                        "credential_credential",
                        "reason_sealed",
                        id,
                        reason.as_bytes(),
                        &*house.chance,
                    )?);
                }
                if !repo::change_state(tx, &credential, to, reason_sealed.as_deref(), now)? {
                    return Err(error::RACE.error().retry_after(1));
                }
                repo::touch_list(tx, tenant, credential.list)?;
                tx.record(&call, &fact)?;
                Ok(Credential { state: to, status_at: Some(now), reason_sealed, ..credential })
            })
            .await
    }
}
