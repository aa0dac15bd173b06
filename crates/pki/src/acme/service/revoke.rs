//! Revoking (RFC 8555 §7.6), in three ways: by the account that ordered, by an account that has proved its control of
//! every name, by the certificate's own key.
//!
//! That a key is compromised is believed of whoever signs with it, and of the account that ordered the certificate for
//! that one alone: a request can be copied, so an account that names a key has not shown that it holds it.

use base::{Call, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proof::x509::{self, crl::Reason};
use serde_json::Value;

use super::{Acme, Admitted, By, HOUSE, malformed};
use crate::{
    acme::{error, model::Account, repo},
    model::Certificate,
    repo as pki_repo,
    service::Reach,
};

/// How the asker may speak of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It holds the certificate's key.
    Key,
    /// It ordered it.
    Ordered,
    /// It controls all its names.
    Controls,
}

impl Acme {
    /// Revokes a certificate for whoever may.
    ///
    /// # Errors
    /// `ACME_MALFORMED`, `ACME_NOT_FOUND`, `ACME_REVOKE_FORBIDDEN`, `ACME_REVOKE_REASON`, `PKI_CERTIFICATE_REVOKED`,
    /// `PKI_CERTIFICATE_OF_AUTHORITY`; the store's.
    pub(crate) async fn revoke(&self, call: &Call, environment: &str, admitted: &Admitted) -> Result<()> {
        let payload = admitted.object()?;
        let text = payload.get("certificate").and_then(Value::as_str);
        let der = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let der = der.ok_or_else(|| malformed("certificate is no base64url without padding"))?;
        let reason = read_reason(payload.get("reason"))?;
        let found = self.exactly(environment, &der).await?;
        let standing = self.standing(admitted, &found, &der).await?;
        let reach = match (standing, reason) {
            (Standing::Key, _) => Reach::Key,
            (Standing::Controls, Reason::KeyCompromise) => {
                return Err(error::REVOKE_REASON.error().with("reason", reason.code()));
            }
            (Standing::Ordered | Standing::Controls, _) => Reach::Certificate,
        };
        let call = match &admitted.by {
            By::Account(account) => Self::call_of(call, account),
            By::Key(_) => call.for_tenant(HOUSE),
        };
        let id = found.id.to_string();
        self.pki.revoke_reaching(&call, HOUSE, &id, reason, None, reach).await.map(drop)
    }

    /// The certificate of exactly these bytes, if the house issued it in this environment.
    async fn exactly(&self, environment: &str, der: &[u8]) -> Result<Certificate> {
        let nothing = || error::NOTHING.error();
        let serial = x509::Certificate::parse(der).ok().and_then(|read| read.serial()).ok_or_else(nothing)?;
        let (der, environment) = (der.to_vec(), environment.to_owned());
        let found = self
            .db()
            .read("pki.acme.exactly", move |rx| {
                for one in pki_repo::by_serial(rx, HOUSE, &serial)? {
                    let authority = pki_repo::authority_by_id(rx, HOUSE, one.authority)?;
                    let here = authority.is_some_and(|authority| authority.environment == environment);
                    if here && one.der.as_deref() == Some(der.as_slice()) {
                        return Ok(Some(one));
                    }
                }
                Ok(None)
            })
            .await?;
        found.ok_or_else(nothing)
    }

    async fn standing(&self, admitted: &Admitted, found: &Certificate, der: &[u8]) -> Result<Standing> {
        let forbidden = || error::REVOKE_FORBIDDEN.error();
        match &admitted.by {
            By::Key(key) => {
                let certified = x509::Certificate::parse(der).ok().and_then(|read| read.key().ok());
                if certified.as_ref() == Some(key) { Ok(Standing::Key) } else { Err(forbidden()) }
            }
            By::Account(account) => self.standing_of(account, found).await?.ok_or_else(forbidden),
        }
    }

    async fn standing_of(&self, account: &Account, found: &Certificate) -> Result<Option<Standing>> {
        let (account, now) = (account.id, self.pki.house.now());
        let (certificate, names) = (found.id, found.names.clone());
        self.db()
            .read("pki.acme.standing", move |rx| {
                if repo::account_of(rx, HOUSE, certificate)? == Some(account) {
                    return Ok(Some(Standing::Ordered));
                }
                for name in &names {
                    if repo::proof_of(rx, HOUSE, account, name, now)?.is_none() {
                        return Ok(None);
                    }
                }
                Ok((!names.is_empty()).then_some(Standing::Controls))
            })
            .await
    }
}

fn read_reason(value: Option<&Value>) -> Result<Reason> {
    let Some(value) = value else { return Ok(Reason::Unspecified) };
    let code = value.as_u64().and_then(|code| u8::try_from(code).ok());
    code.and_then(Reason::from_requester).ok_or_else(|| {
        let shown: String = value.to_string().chars().take(32).collect();
        error::REVOKE_REASON.error().with("reason", shown)
    })
}
