//! The verbs of the authority: this file holds the service and what it reads; each change has its own file.

mod authority;
mod ceremony;
mod clients;
mod crl;
mod figures;
mod fill;
mod inventory;
mod issue;
mod ocsp;
mod overview;
mod replay;
mod revoke;
mod roots;

use std::{sync::Arc, time::Duration};

use base::{Id, Result, telemetry::Metrics};
use events::House;
use keys::{Algorithm, Keys, OfflineKey};
use proof::{
    crypto::SignatureAlgorithm,
    x509::{self, Serial, lint},
};

pub use ceremony::{Held, PlannedCeremony, RootSignatures};
pub use crl::SignedList;
pub use inventory::Search;
pub use issue::{Asked, Explained, Issued};
pub(crate) use issue::{InPlan, is_refusal, refused_request};
pub use ocsp::Reply;
pub use overview::{Counts, Environment, Happening, ListState, Overview, Refusal};
pub use replay::{LostAuthority, Replay, Replayed};
pub(crate) use revoke::Reach;
pub use revoke::{Batch, Selection};
pub use roots::{Accepted, Requested, RootOrder};

use crate::{
    error,
    model::{Authority, AuthorityKind, AuthorityState, Certificate, CertificateId, TenantId},
    repo,
    settings::Settings,
};

/// A plan that was not finished by then is given up.
const STALE: Duration = Duration::from_secs(30);
/// A ceremony takes people, so it may take longer.
const STALE_CEREMONY: Duration = Duration::from_secs(3_600);

/// The service of the authority; cheap to clone.
#[derive(Clone)]
pub struct Pki {
    /// The house's handles.
    pub house: House,
    pub(crate) keys: Keys,
    pub(crate) settings: Arc<Settings>,
    holder: Arc<str>,
    figures: Arc<figures::Figures>,
    lists: Arc<crl::Lists>,
    answers: Arc<ocsp::Answers>,
    throwaway: Arc<Throwaway>,
}

/// Keys that sign copies for the lint and nothing else; made once in the life of a process.
#[derive(Default)]
struct Throwaway {
    p256: tokio::sync::OnceCell<OfflineKey>,
    p384: tokio::sync::OnceCell<OfflineKey>,
}

impl Pki {
    /// The service of a house; `holder` names this process in leases.
    pub fn new(house: House, keys: Keys, settings: Settings, holder: &str, metrics: &Metrics) -> Self {
        Self {
            house,
            keys,
            settings: Arc::new(settings),
            holder: Arc::from(holder),
            figures: Arc::new(figures::Figures::new(metrics)),
            lists: Arc::default(),
            answers: Arc::default(),
            throwaway: Arc::default(),
        }
    }

    /// A tenant's authorities by environment, the root first.
    ///
    /// # Errors
    /// The store's.
    pub async fn authorities(&self, tenant: TenantId) -> Result<Vec<Authority>> {
        self.house
            .db
            .tenant(tenant.uuid())
            .read("pki.authorities", move |rx| repo::authorities(rx, tenant))
            .await
    }

    /// The authority behind a public address; nothing for an unknown one.
    ///
    /// # Errors
    /// The store's.
    pub async fn authority(&self, handle: &str) -> Result<Option<Authority>> {
        let handle = handle.to_owned();
        self.house.db.read("pki.authority", move |rx| repo::authority_by_handle(rx, &handle)).await
    }

    /// The authority that issues in an environment; the only one when none is named.
    pub(crate) async fn issuing(&self, tenant: TenantId, environment: Option<&str>) -> Result<Authority> {
        let environment = environment.filter(|name| !name.is_empty());
        let all = self.authorities(tenant).await?.into_iter();
        let mut active: Vec<Authority> = all
            .filter(|one| one.kind == AuthorityKind::Issuing && one.state == AuthorityState::Active)
            .filter(|one| environment.is_none_or(|name| one.environment == name))
            .collect();
        let mut environments: Vec<&str> = active.iter().map(|one| one.environment.as_str()).collect();
        environments.dedup();
        if environments.len() > 1 {
            return Err(error::AUTHORITY_NEEDED.at("environment").with("known", environments.join(", ")));
        }
        active.pop().ok_or_else(|| error::AUTHORITY_NONE.error())
    }

    /// A certificate by its id or its serial number.
    ///
    /// # Errors
    /// `PKI_CERTIFICATE_NOT_FOUND`; the store's.
    pub async fn certificate(&self, tenant: TenantId, named: &str) -> Result<Certificate> {
        let unknown = || {
            let short: String = named.chars().filter(|c| !c.is_control()).take(64).collect();
            error::NOT_FOUND.error().with("id", short)
        };
        let db = self.house.db.tenant(tenant.uuid());
        if let Ok(id) = named.parse::<CertificateId>() {
            return db.read("pki.by_id", move |rx| repo::by_id(rx, tenant, id)).await?.ok_or_else(unknown);
        }
        let serial = read_serial(named).ok_or_else(unknown)?;
        let mut found = db.read("pki.by_serial", move |rx| repo::by_serial(rx, tenant, &serial)).await?;
        // Two authorities may have given one number; then only the id says which is meant.
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            _ => Err(unknown()),
        }
    }

    /// The chain of an authority: its certificate and those above it, without the root.
    ///
    /// # Errors
    /// The store's.
    pub async fn chain(
        &self,
        tenant: TenantId,
        authority: Id<base::id::kind::Authority>,
    ) -> Result<Vec<Vec<u8>>> {
        self.house
            .db
            .tenant(tenant.uuid())
            .read("pki.chain", move |rx| {
                let mut chain = Vec::new();
                let mut next = Some(authority);
                while let Some(id) = next.take() {
                    let Some(one) = repo::authority_by_id(rx, tenant, id)? else { break };
                    if one.kind == AuthorityKind::Issuing {
                        chain.push(one.der);
                        next = one.parent;
                    }
                }
                Ok(chain)
            })
            .await
    }

    /// The fact that a certificate was issued.
    ///
    /// # Errors
    /// `PKI_CERTIFICATE_NOT_FOUND`; the store's.
    pub async fn issued_fact(&self, tenant: TenantId, named: &str) -> Result<Id<base::id::kind::Event>> {
        let certificate = self.certificate(tenant, named).await?;
        let resource = certificate.id.to_string();
        let found = self
            .house
            .db
            .read("pki.issued_fact", move |rx| {
                events::first_of_resource(rx, crate::facts::CERTIFICATE_ISSUED.name, &resource)
            })
            .await?;
        found.map(|fact| fact.id).ok_or_else(|| error::NOT_FOUND.error().with("id", named))
    }

    /// Lints what would be signed, on a copy that a throw-away key signed.
    async fn lint(
        &self,
        tbs: &[u8],
        algorithm: SignatureAlgorithm,
        profile: x509::Profile,
        issuer: Option<&x509::Certificate<'_>>,
    ) -> Result<Vec<lint::Finding>> {
        let copy = self.copy(tbs, algorithm).await?;
        Ok(lint::certificate(&copy, profile, issuer))
    }

    /// Planned bytes under the signature of a throw-away key of the issuer's algorithm.
    async fn copy(&self, tbs: &[u8], algorithm: SignatureAlgorithm) -> Result<Vec<u8>> {
        let (cell, kind) = match algorithm {
            SignatureAlgorithm::EcdsaSha384 => (&self.throwaway.p384, Algorithm::P384),
            _ => (&self.throwaway.p256, Algorithm::P256),
        };
        let key = cell.get_or_try_init(|| async { OfflineKey::generate(kind, &*self.house.chance) }).await?;
        Ok(x509::assemble(tbs, algorithm, &key.sign(tbs)?.x509()))
    }

    /// An address of this house, as it stands in certificates.
    fn address(&self, path: &str) -> Result<x509::Uri> {
        x509::Uri::parse_http(&format!("{}/{path}", self.settings.address))
            .map_err(|e| base::error::INTERNAL.because(e))
    }
}

/// Refuses what the lint finds wrong.
fn refuse(findings: &[lint::Finding]) -> Result<()> {
    match findings.iter().find(|finding| finding.severity >= lint::Severity::Error) {
        None => Ok(()),
        Some(finding) => {
            Err(error::LINT.error().with("rule", format!("{} ({})", finding.id, finding.detail)))
        }
    }
}

/// A certificate of our own, read again.
pub(crate) fn parsed(der: &[u8]) -> Result<x509::Certificate<'_>> {
    x509::Certificate::parse(der).map_err(|e| base::error::INTERNAL.because(e))
}

/// 32 bytes in hexadecimal.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    let bytes: Option<Vec<u8>> = (0..text.len())
        .step_by(2)
        .map(|at| text.get(at..at + 2).filter(|pair| !pair.starts_with('+')))
        .map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    bytes?.try_into().ok()
}

/// A serial number as lower- or upper-case hexadecimal, with or without colons.
fn read_serial(text: &str) -> Option<Serial> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    if digits.is_empty() || digits.len() > 2 * x509::SERIAL_BYTES_MAX || !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().filter(|hex| !hex.starts_with('+')))
        .map(|hex| hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()))
        .collect::<Option<_>>()?;
    Serial::from_content(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_read_as_people_copy_them() {
        let serial = Serial::from_random([0x2a; 16]);
        assert_eq!(read_serial(&serial.to_string()), Some(serial));
        let with_colons = "6A:2A:2A:2A:2A:2A:2A:2A:2A:2A:2A:2A:2A:2A:2A:2A";
        assert_eq!(read_serial(with_colons), Some(serial));
        for wrong in ["", "0", "00", "zz", "+1", &"11".repeat(21), "é1"] {
            assert_eq!(read_serial(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_32_bytes_and_nothing_else() {
        assert_eq!(digest(&"0a".repeat(32)), Some([10; 32]));
        for wrong in ["", "0a", &"0a".repeat(33), &"zz".repeat(32), &"é".repeat(32), &"+1".repeat(32)] {
            assert_eq!(digest(wrong), None, "{wrong}");
        }
    }
}
