//! The verbs of credentials: this file holds the service and what it reads; each change has its own file.

mod bulk;
mod erase;
mod issue;
mod status;

use std::{collections::BTreeMap, sync::Arc};

use base::{
    Id, Page, PageToken, Result, Time,
    id::kind::{self, Job, Person},
};
use events::House;
use identity::{Identity, normalise_email};
use keys::{Keys, Purpose};
use proof::did::{DocumentKey, build_document};
use serde_json::Value;

pub use bulk::{BULK, BulkWork, RowOutcome};
pub use erase::Erasing;
pub use issue::Issued;

use crate::{
    error,
    list::Lists,
    model::{Credential, State},
    pictures::Pictures,
    repo,
};

type TenantId = Id<kind::Tenant>;
type CredentialId = Id<kind::Credential>;

/// The service of credentials; cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    /// The house's handles.
    pub house: House,
    pub(crate) keys: Keys,
    /// Who the tenants are.
    pub identity: Identity,
    pub(crate) pictures: Arc<Pictures>,
    pub(crate) lists: Arc<Lists>,
    pub(crate) public_url: Arc<str>,
}

/// A credential with what its issuer may see of it.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The row.
    pub credential: Credential,
    /// The signed document; nothing once the person is forgotten.
    pub document: Option<Value>,
    /// Why its status changed.
    pub reason: Option<String>,
    /// What happened to it, oldest first.
    pub history: Vec<events::Recorded>,
}

/// What a public page shows: the signed bytes, or that they are gone.
#[derive(Debug, Clone)]
pub enum Document {
    /// The signed credential.
    Live {
        /// Its bytes.
        bytes: Vec<u8>,
        /// The row.
        credential: Box<Credential>,
    },
    /// The person was forgotten.
    Erased {
        /// When.
        at: Time,
    },
}

impl Credentials {
    /// The service of a house.
    pub fn new(house: House, keys: Keys, identity: Identity, public_url: &str) -> Self {
        let public_url: Arc<str> = Arc::from(public_url.trim_end_matches('/'));
        let lists = Arc::new(Lists::new(house.clone(), keys.clone(), Arc::clone(&public_url)));
        Self { house, keys, identity, pictures: Arc::default(), lists, public_url }
    }

    /// The address of a credential's public page.
    pub fn page_url(&self, handle: &str) -> String {
        format!("{}/v/{handle}", self.public_url)
    }

    /// The address of a credential's recipient page.
    pub fn recipient_url(&self, handle: &str) -> String {
        format!("{}/r/{handle}", self.public_url)
    }

    /// A credential of a tenant.
    ///
    /// # Errors
    /// `CREDENTIAL_NOT_FOUND`; the store's.
    pub async fn credential(&self, tenant: TenantId, id: CredentialId) -> Result<Credential> {
        self.house
            .db
            .tenant(tenant.uuid())
            .read("credential.by_id", move |rx| repo::by_id(rx, tenant, id))
            .await?
            .filter(|credential| !matches!(credential.state, State::Planned | State::Abandoned))
            .ok_or_else(|| error::NOT_FOUND.error().with("id", id))
    }

    /// A credential with its document, its reason and its history.
    ///
    /// # Errors
    /// `CREDENTIAL_NOT_FOUND`; the store's.
    pub async fn detail(&self, tenant: TenantId, id: CredentialId) -> Result<Detail> {
        let credential = self.credential(tenant, id).await?;
        let (keys, copy) = (self.keys.clone(), credential.clone());
        let (document, reason, history) = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("credential.detail", move |rx| {
                let history = events::payloads_of_resource(rx, tenant, &copy.id.to_string())?;
                if copy.erased_at.is_some() {
                    return Ok((None, None, history));
                }
                let Some(key) = living(keys.person(rx, tenant, copy.person))? else {
                    return Ok((None, None, history));
                };
                let document = open_body(&key, &copy)?.map(|bytes| parse(&bytes)).transpose()?;
                let reason = match &copy.reason_sealed {
                    None => None,
                    Some(sealed) => {
                        let plain = key.open("credential_credential", "reason_sealed", copy.id, sealed)?;
                        Some(String::from_utf8_lossy(&plain).into_owned())
                    }
                };
                Ok((document, reason, history))
            })
            .await?;
        Ok(Detail { credential, document, reason, history })
    }

    /// A page of a tenant's credentials with their documents, newest first.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`; the store's.
    pub async fn page(
        &self,
        tenant: TenantId,
        state: Option<State>,
        email: Option<&str>,
        limit: u32,
        token: Option<&str>,
    ) -> Result<Page<(Credential, Option<Value>)>> {
        let before = match token {
            None => Id::LAST,
            Some(text) => PageToken::decode(text, 1)?.0.first().map_or(Ok(Id::LAST), |id| id.parse())?,
        };
        let keys = self.keys.clone();
        let blind = email.map(|address| self.keys.blind(tenant, "email", &normalise_email(address)));
        let found = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("credential.page", move |rx| {
                let person: Option<Id<Person>> = match &blind {
                    None => None,
                    Some(blind) => match identity::persons_by_index(rx, tenant, "email", blind)? {
                        Some(person) => Some(person),
                        None => return Ok(Vec::new()),
                    },
                };
                let state = state.map_or("", State::name);
                let credentials = repo::page(rx, tenant, state, person, before, limit + 1)?;
                let mut opened = BTreeMap::new();
                let mut out = Vec::with_capacity(credentials.len());
                for credential in credentials {
                    let key = match opened.entry(credential.person) {
                        std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                        std::collections::btree_map::Entry::Vacant(new) => {
                            new.insert(living(keys.person(rx, tenant, credential.person))?)
                        }
                    };
                    let document = match key {
                        Some(key) => open_body(key, &credential)?.map(|bytes| parse(&bytes)).transpose()?,
                        None => None,
                    };
                    out.push((credential, document));
                }
                Ok(out)
            })
            .await?;
        Ok(Page::cut(found, limit, |(credential, _)| PageToken(vec![credential.id.to_string()])))
    }

    /// The document behind a public page's handle; nothing for an unknown one.
    ///
    /// # Errors
    /// The store's.
    pub async fn public_document(&self, handle: &str) -> Result<Option<Document>> {
        let (keys, handle) = (self.keys.clone(), handle.to_owned());
        self.house
            .db
            .read("credential.public_document", move |rx| {
                let found = repo::by_handle(rx, &handle)?;
                found.map_or(Ok(None), |credential| document_of(rx, &keys, credential))
            })
            .await
    }

    /// What a public page depends on, cheaply: a version that differs whenever the page would, and when the status last
    /// changed.
    ///
    /// # Errors
    /// The store's.
    pub async fn standing(&self, handle: &str) -> Result<Option<(String, Option<Time>)>> {
        let handle = handle.to_owned();
        let found = self.house.db.read("credential.standing", move |rx| repo::standing(rx, &handle)).await?;
        Ok(found.map(|(state, version, status_at, erased_at)| {
            (format!("{state}:{version}:{}", erased_at.is_some()), status_at)
        }))
    }

    /// The document behind a recipient page's handle; nothing for an unknown one.
    ///
    /// # Errors
    /// The store's.
    pub async fn recipient_document(&self, handle: &str) -> Result<Option<Document>> {
        let (keys, handle) = (self.keys.clone(), handle.to_owned());
        self.house
            .db
            .read("credential.recipient_document", move |rx| {
                let found = repo::by_recipient_handle(rx, &handle)?;
                found.map_or(Ok(None), |credential| document_of(rx, &keys, credential))
            })
            .await
    }

    /// The signed status list at an address of ours; nothing for an unknown one.
    ///
    /// # Errors
    /// The store's.
    pub async fn status_list(&self, handle: &str) -> Result<Option<Arc<Vec<u8>>>> {
        self.lists.signed(&self.identity, handle).await
    }

    /// A tenant's jobs, newest first.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`; the store's.
    pub async fn jobs(
        &self,
        tenant: TenantId,
        limit: u32,
        token: Option<String>,
    ) -> Result<Page<events::jobs::Job>> {
        self.house
            .db
            .tenant(tenant.uuid())
            .read("credential.jobs", move |rx| events::jobs::list(rx, tenant, limit, token.as_deref()))
            .await
    }

    /// The controller document of a tenant that is did:web, with every key that ever signed; nothing for others.
    ///
    /// # Errors
    /// The store's.
    pub async fn did_document(&self, tenant: TenantId) -> Result<Option<Value>> {
        let Ok(issuer) = self.identity.tenant(tenant).await else { return Ok(None) };
        if !issuer.did.starts_with("did:web:") {
            return Ok(None);
        }
        let keys = self.keys.clone();
        let known = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("credential.keys", move |rx| keys.signing_keys(rx, tenant, Purpose::Assertion))
            .await?;
        let keys: Vec<DocumentKey> = known
            .into_iter()
            .map(|key| DocumentKey {
                fragment: key.id.bare(),
                key: key.public,
                revoked: None,
                authentication: false,
            })
            .collect();
        Ok(Some(build_document(&issuer.did, &keys, &[], &[])))
    }

    /// The progress of a tenant's table.
    ///
    /// # Errors
    /// `JOB_NOT_FOUND`; the store's.
    pub async fn job(&self, tenant: TenantId, id: Id<Job>) -> Result<events::jobs::Job> {
        self.house
            .db
            .tenant(tenant.uuid())
            .read("credential.job", move |rx| events::jobs::by_id(rx, tenant, id))
            .await
    }
}

/// A person's key, or nothing when the person is forgotten.
pub(crate) fn living(key: Result<keys::PersonKey>) -> Result<Option<keys::PersonKey>> {
    match key {
        Ok(key) => Ok(Some(key)),
        Err(failure) if failure.is(&keys::error::PERSON_FORGOTTEN) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The signed bytes of a credential.
pub(crate) fn open_body(key: &keys::PersonKey, credential: &Credential) -> Result<Option<Vec<u8>>> {
    let sealed = credential.body_sealed.as_ref();
    sealed.map(|sealed| key.open("credential_credential", "body_sealed", credential.id, sealed)).transpose()
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|e| base::error::INTERNAL.because(e))
}

fn document_of(rx: &mut store::Rx<'_>, keys: &Keys, credential: Credential) -> Result<Option<Document>> {
    if let Some(at) = credential.erased_at {
        return Ok(Some(Document::Erased { at }));
    }
    if matches!(credential.state, State::Planned | State::Abandoned) {
        return Ok(None);
    }
    let Some(key) = living(keys.person(rx, credential.tenant, credential.person))? else {
        let erased = identity::person_erased_at(rx, credential.tenant, credential.person)?.flatten();
        return Ok(Some(Document::Erased { at: erased.unwrap_or_default() }));
    };
    Ok(open_body(&key, &credential)?.map(|bytes| Document::Live { bytes, credential: Box::new(credential) }))
}
