//! Renewal information (RFC 9773): when a certificate is to be followed by another one. Anybody may ask.

use base::{Result, Time};
use proof::{jws::acme::RenewalId, x509::KeyId};

use super::{Acme, HOUSE};
use crate::{
    acme::{error, rules},
    model::{Certificate, State},
    repo,
    service::parsed,
};

impl Acme {
    /// When a certificate of an environment is to be renewed.
    ///
    /// # Errors
    /// `ACME_NOT_FOUND`; the store's.
    pub(crate) async fn renewal(&self, environment: &str, id: &str) -> Result<(Time, Time)> {
        let nothing = || error::NOTHING.error();
        let id = RenewalId::parse(id).filter(|read| read.to_string() == id).ok_or_else(nothing)?;
        let one = self.certificate_of(environment, id).await?.ok_or_else(nothing)?;
        let revoked = one.state == State::Revoked;
        Ok(rules::renewal_window(one.not_before, one.not_after, revoked, self.pki.house.now()))
    }

    /// The certificate that RFC 9773 names so, if the house issued it in this environment.
    pub(super) async fn certificate_of(
        &self,
        environment: &str,
        id: RenewalId,
    ) -> Result<Option<Certificate>> {
        let found = self
            .db()
            .read("pki.acme.renewal", move |rx| {
                let mut found = Vec::new();
                for one in repo::by_serial(rx, HOUSE, &id.serial)? {
                    if let Some(authority) = repo::authority_by_id(rx, HOUSE, one.authority)? {
                        found.push((one, authority));
                    }
                }
                Ok(found)
            })
            .await?;
        for (one, authority) in found {
            let key = parsed(&authority.der)?.key().map_err(|e| base::error::INTERNAL.because(e))?;
            let known = matches!(one.state, State::Issued | State::Revoked) && !one.profile.is_ca();
            if known && authority.environment == environment && KeyId::of(&key) == id.authority {
                return Ok(Some(one));
            }
        }
        Ok(None)
    }
}
