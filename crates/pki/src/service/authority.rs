//! What a ceremony and a request to a root have in common: how an authority begins.

use base::{Id, Result, Time, id::kind::Event};
use events::{Fact, House};
use proof::{crypto::sha256, x509::Pointers};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Pki;
use crate::{
    facts,
    model::{Authority, AuthorityId, CertificateId, Origin, TenantId},
};

/// An authority that is to be: its ids, and its word in public addresses.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NewAuthority {
    pub(super) authority: AuthorityId,
    pub(super) handle: String,
    pub(super) certificate: CertificateId,
}

impl NewAuthority {
    pub(super) fn new(house: &House) -> Self {
        Self { authority: house.id(), handle: house.chance.handle(), certificate: house.id() }
    }

    /// Where its certificate comes from; `root` signs it.
    pub(super) fn origin(&self, tenant: TenantId, root: AuthorityId, asked_by: &str, now: Time) -> Origin {
        Origin {
            tenant,
            id: self.certificate,
            authority: root,
            shard: 0,
            owner: String::new(),
            source: "ceremony".to_owned(),
            asked_by: asked_by.to_owned(),
            planned_at: now,
        }
    }
}

impl Pki {
    /// Where an authority below a root says that root's list and certificate are.
    pub(super) fn below(&self, root_handle: &str) -> Result<Pointers> {
        Ok(Pointers {
            crl: Some(self.address(&format!("crl/{root_handle}.crl"))?),
            ocsp: None,
            issuer: Some(self.address(&format!("ca/{root_handle}.cer"))?),
        })
    }
}

/// The fact that an authority begins; it fixes its certificate.
pub(super) fn created_fact(authority: &Authority, id: Id<Event>, now: Time) -> Fact {
    let payload = json!({
        "authority": authority.id, "kind": authority.kind.name(), "environment": authority.environment,
        "certificate": authority.certificate, "parent": authority.parent.map(|parent| parent.to_string()),
    });
    Fact::new(&facts::AUTHORITY_CREATED, id, now, authority.id, payload)
        .of(authority.tenant)
        .fixing("x509", sha256(&authority.der))
}
