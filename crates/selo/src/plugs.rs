//! Ports of rooms, plugged into other rooms' front doors. Only the roof may know both sides.

use std::sync::Arc;

use base::Result;
use credential::Document as Issued;
use http_kit::Boxed;
use proof::verify::{TrustList, TrustedIssuer};
use verify::{Document, Documents, Standing};

use crate::rooms::Rooms;

/// The proofs of certificates, from `audit`.
pub struct LogProofs(pub audit::Audit);

impl pki::Proofs for LogProofs {
    fn prove(&self, fact: base::Id<base::id::kind::Event>) -> Boxed<'_, Result<Vec<u8>>> {
        Box::pin(self.0.prove(fact))
    }
}

/// What `verify` needs to find, from `credential` and `identity`.
pub struct Plugs(Rooms);

impl Plugs {
    /// The plugs of a house.
    pub fn new(rooms: Rooms) -> Self {
        Self(rooms)
    }

    async fn find(&self, handle: &str) -> Result<Option<Document>> {
        Ok(self.0.credentials.public_document(handle).await?.map(|found| match found {
            Issued::Live { bytes, .. } => Document::Live { bytes },
            Issued::Erased { at } => Document::Erased { at },
        }))
    }

    async fn list(&self, address: &str) -> Result<Option<Vec<u8>>> {
        let Some(handle) =
            address.strip_prefix(&*self.0.public_url).and_then(|rest| rest.strip_prefix("/status/"))
        else {
            return Ok(None);
        };
        Ok(self.0.credentials.status_list(handle).await?.map(|list| list.as_ref().clone()))
    }

    async fn key_document(&self, did: &str) -> Result<Option<Vec<u8>>> {
        let Some(tenant) = did.rsplit_once(":issuers:").and_then(|(_, id)| format!("ten_{id}").parse().ok())
        else {
            return Ok(None);
        };
        let document = self.0.credentials.did_document(tenant).await?;
        Ok(document.filter(|found| found["id"] == did).map(|found| found.to_string().into_bytes()))
    }

    async fn tenants(&self) -> Result<TrustList> {
        let mut issuers = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.0.identity.tenants(base::page::PAGE_ITEMS_MAX, token.as_deref()).await?;
            issuers.extend(page.items.into_iter().map(|tenant| TrustedIssuer {
                id: tenant.did,
                name: tenant.name,
                credential_types: Vec::new(),
            }));
            token = page.next_page_token;
            if token.is_none() {
                return Ok(TrustList::new(issuers));
            }
        }
    }

    async fn standing_of(&self, handle: &str) -> Result<Option<Standing>> {
        let found = self.0.credentials.standing(handle).await?;
        Ok(found.map(|(version, changed_at)| Standing {
            suspended: version.starts_with("suspended:"),
            version,
            changed_at,
            evidence: true,
        }))
    }

    async fn drawing(&self, handle: &str) -> Result<Option<Arc<Vec<u8>>>> {
        match self.0.credentials.public_document(handle).await? {
            Some(Issued::Live { bytes, credential }) => {
                self.0.credentials.page_picture(&credential, bytes).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Plugs {
    async fn record_of(&self, handle: &str) -> Result<Option<Vec<u8>>> {
        match self.0.credentials.public_document(handle).await? {
            Some(Issued::Live { credential, .. }) => {
                self.0.audit.prove_issued(Some(credential.tenant), credential.id).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Documents for Plugs {
    fn document<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Document>>> {
        Box::pin(self.find(handle))
    }

    fn status_list<'a>(&'a self, address: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>> {
        Box::pin(self.list(address))
    }

    fn controller<'a>(&'a self, did: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>> {
        Box::pin(self.key_document(did))
    }

    fn trust(&self) -> Boxed<'_, Result<TrustList>> {
        Box::pin(self.tenants())
    }

    fn evidence<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>> {
        Box::pin(self.record_of(handle))
    }

    fn standing<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Standing>>> {
        Box::pin(self.standing_of(handle))
    }

    fn picture<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Arc<Vec<u8>>>>> {
        Box::pin(self.drawing(handle))
    }

    fn mark(&self) -> Option<u64> {
        self.0.house.db.commits()
    }
}
