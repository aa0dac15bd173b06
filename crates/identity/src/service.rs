//! The verbs of who is who.

use std::{sync::Arc, time::Duration};

use base::{
    Call, Id, Page, PageToken, Result, Secret,
    id::kind::{self, Person},
    secret,
};
use events::{Fact, House, Record};
use keys::{Algorithm, Keys, Purpose, Succession};
use serde_json::json;

use crate::{
    error, facts,
    model::{ApiKey, PersonRef, Session, Tenant, User},
    repo,
    rules::Role,
};

/// A one-time link works so long.
pub const ONCE_MINUTES: u64 = 15;
/// An administrator's session lasts so long.
const SESSION_HOURS: u64 = 12;
const NAME_CHARACTERS_MAX: usize = 200;

/// The service of who is who; cheap to clone.
#[derive(Clone)]
pub struct Identity {
    /// The house's handles.
    pub house: House,
    keys: Keys,
    public_url: Arc<str>,
}

impl Identity {
    /// The service of a house under its public address.
    pub fn new(house: House, keys: Keys, public_url: &str) -> Self {
        Self { house, keys, public_url: Arc::from(public_url.trim_end_matches('/')) }
    }

    /// Makes a tenant with its first issuing key. Its issuer identifier is did:web when the house's address is https,
    /// else did:key of that first key; it never changes by itself.
    ///
    /// # Errors
    /// `TENANT_NAME_INVALID`; the store's.
    pub async fn create_tenant(&self, call: &Call, name: &str) -> Result<Tenant> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX || name.chars().any(char::is_control)
        {
            return Err(error::TENANT_NAME.at("name"));
        }
        let id = self.house.id();
        let key = self.keys.prepare_signing(id, Purpose::Assertion, Algorithm::Ed25519, &self.house)?;
        let did = match self.public_url.strip_prefix("https://") {
            Some(host) => {
                format!("did:web:{}:issuers:{}", host.replace(':', "%3A").replace('/', ":"), id.bare())
            }
            None => proof::did::did_key(&key.info.public),
        };
        let tenant = Tenant { id, name: name.to_owned(), did, created_at: self.house.now() };
        let fact = Fact::new(
            &facts::TENANT_CREATED,
            self.house.id(),
            tenant.created_at,
            id,
            json!({"tenant": id, "did": tenant.did}),
        )
        .of(id);
        let (made, keys, house, call) =
            (tenant.clone(), self.keys.clone(), self.house.clone(), call.for_tenant(id));
        self.house
            .db
            .write("identity.create_tenant", move |tx| {
                repo::insert_tenant(tx, &made)?;
                keys.install_signing(tx, &call, &key, Succession::Sole, &house)?;
                tx.record(&call, &fact)
            })
            .await?;
        Ok(tenant)
    }

    /// Gives a tenant a new issuing key. The old one signs no more and stays published, so that what it signed verifies.
    ///
    /// # Errors
    /// `KEYS_ROTATION_DID_KEY` for an issuer that is named by its key; `TENANT_NOT_FOUND`; the store's.
    pub async fn rotate_key(&self, call: &Call, tenant: Id<kind::Tenant>) -> Result<Id<kind::SigningKey>> {
        let known = self.tenant(tenant).await?;
        if known.did.starts_with("did:key:") {
            return Err(keys::error::ROTATION_DID_KEY.error());
        }
        let key = self.keys.prepare_signing(tenant, Purpose::Assertion, Algorithm::Ed25519, &self.house)?;
        let (id, keys, house, call) =
            (key.info.id, self.keys.clone(), self.house.clone(), call.for_tenant(tenant));
        self.house
            .db
            .tenant(tenant.uuid())
            .write("identity.rotate_key", move |tx| {
                keys.install_signing(tx, &call, &key, Succession::Sole, &house)
            })
            .await?;
        Ok(id)
    }

    /// A page of tenants, oldest first.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`; the store's.
    pub async fn tenants(&self, limit: u32, token: Option<&str>) -> Result<Page<Tenant>> {
        let after = match token {
            None => repo::HOUSE,
            Some(text) => PageToken::decode(text, 1)?.0.first().map_or(Ok(repo::HOUSE), |id| id.parse())?,
        };
        let tenants =
            self.house.db.read("identity.tenants", move |rx| repo::tenants(rx, after, limit + 1)).await?;
        Ok(Page::cut(tenants, limit, |tenant| PageToken(vec![tenant.id.to_string()])))
    }

    /// A tenant.
    ///
    /// # Errors
    /// `TENANT_NOT_FOUND`; the store's.
    pub async fn tenant(&self, id: Id<kind::Tenant>) -> Result<Tenant> {
        self.house
            .db
            .read("identity.tenant", move |rx| repo::tenant(rx, id))
            .await?
            .ok_or_else(|| error::TENANT_NOT_FOUND.error())
    }

    /// The tenant that a call of the house's own administrator means: the one it names, or the only one.
    ///
    /// # Errors
    /// `TENANT_NEEDED` when there are several; `TENANT_NOT_FOUND`.
    pub async fn meant_tenant(&self, named: Option<Id<kind::Tenant>>) -> Result<Tenant> {
        if let Some(id) = named {
            return self.tenant(id).await;
        }
        let mut first = self.tenants(1, None).await?;
        match (first.items.pop(), first.next_page_token) {
            (Some(tenant), None) => Ok(tenant),
            (Some(_), Some(_)) => Err(error::TENANT_NEEDED.at("tenant")),
            (None, _) => Err(error::TENANT_NOT_FOUND.error()),
        }
    }

    /// Makes the first administrator of a new house.
    ///
    /// # Errors
    /// The store's.
    pub async fn create_administrator(&self, call: &Call, name: &str) -> Result<User> {
        let user = User {
            id: self.house.id(),
            name: name.to_owned(),
            roles: vec![Role::SuperAdmin.name().to_owned()],
        };
        let now = self.house.now();
        let fact = Fact::new(&facts::USER_CREATED, self.house.id(), now, user.id, json!({"user": user.id}));
        let (made, call) = (user.clone(), call.clone());
        self.house
            .db
            .write("identity.create_user", move |tx| {
                repo::insert_user(tx, &made, now)?;
                tx.record(&call, &fact)
            })
            .await?;
        Ok(user)
    }

    /// A one-time link for the administrator: works once, for 15 minutes, on the machine of the house.
    ///
    /// # Errors
    /// The store's; `INTERNAL_ERROR` in a house without administrator.
    pub async fn once(&self, call: &Call) -> Result<Secret<String>> {
        let user = self
            .house
            .db
            .read("identity.first_user", repo::first_user)
            .await?
            .ok_or_else(|| base::error::INTERNAL.error())?;
        let token = secret::token("once", &*self.house.chance);
        let hash = secret::token_hash(token.expose());
        let now = self.house.now();
        let expires_at = now.plus(Duration::from_secs(ONCE_MINUTES * 60));
        let fact = Fact::new(
            &facts::LINK_CREATED,
            self.house.id(),
            now,
            user.id,
            json!({"user": user.id, "expiresAt": expires_at}),
        );
        let call = call.clone();
        self.house
            .db
            .write("identity.once", move |tx| {
                repo::insert_once(tx, &hash, user.id, expires_at)?;
                tx.record(&call, &fact)
            })
            .await?;
        Ok(token)
    }

    /// Enters by a one-time link: uses it up and begins a session.
    ///
    /// # Errors
    /// `ONE_TIME_LINK_INVALID`.
    pub async fn enter(&self, call: &Call, token: &str) -> Result<(Secret<String>, Session)> {
        let once = secret::token_hash(token);
        let cookie = secret::token("sess", &*self.house.chance);
        let hash = secret::token_hash(cookie.expose());
        let (id, fact_id, now) = (self.house.id::<kind::Session>(), self.house.id(), self.house.now());
        let expires_at = now.plus(Duration::from_secs(SESSION_HOURS * 3_600));
        let call = call.clone();
        let session = self
            .house
            .db
            .write("identity.enter", move |tx| {
                let user = repo::use_once(tx, &once, now)?.ok_or_else(|| error::ONCE_INVALID.error())?;
                let mut call = call.clone();
                call.actor = base::Actor { kind: base::ActorKind::User, id: user.id.to_string() };
                let session = Session { id, user, expires_at };
                repo::insert_session(tx, &hash, &session, now)?;
                let payload = json!({"session": id, "user": session.user.id, "expiresAt": expires_at});
                tx.record(&call, &Fact::new(&facts::SESSION_STARTED, fact_id, now, id, payload))?;
                Ok(session)
            })
            .await?;
        Ok((cookie, session))
    }

    /// The session of a cookie's token.
    ///
    /// # Errors
    /// The store's.
    pub async fn session(&self, token: &str) -> Result<Option<Session>> {
        let (hash, now) = (secret::token_hash(token), self.house.now());
        self.house.db.read("identity.session", move |rx| repo::session(rx, &hash, now)).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The store's.
    pub async fn leave(&self, call: &Call, token: &str) -> Result<()> {
        let Some(session) = self.session(token).await? else { return Ok(()) };
        let (hash, now) = (secret::token_hash(token), self.house.now());
        let fact = Fact::new(
            &facts::SESSION_ENDED,
            self.house.id(),
            now,
            session.id,
            json!({"session": session.id}),
        );
        let call = call.clone();
        self.house
            .db
            .write("identity.leave", move |tx| {
                if repo::end_session(tx, &hash, now)? {
                    tx.record(&call, &fact)?;
                }
                Ok(())
            })
            .await
    }

    /// Makes a key for programs; the key is shown this once.
    ///
    /// # Errors
    /// `ROLE_UNKNOWN`; the store's.
    pub async fn create_api_key(
        &self,
        call: &Call,
        tenant: Id<kind::Tenant>,
        name: &str,
        roles: &[String],
    ) -> Result<(Secret<String>, ApiKey)> {
        if let Some(role) =
            roles.iter().find(|role| Role::parse(role).is_none_or(|role| role == Role::SuperAdmin))
        {
            let known: Vec<&str> =
                Role::ALL.into_iter().filter(|role| *role != Role::SuperAdmin).map(Role::name).collect();
            return Err(error::ROLE_UNKNOWN.at("roles").with("role", role).with("roles", known.join(", ")));
        }
        let token = secret::token("selo", &*self.house.chance);
        let hash = secret::token_hash(token.expose());
        let key = ApiKey {
            tenant,
            id: self.house.id(),
            name: name.chars().take(NAME_CHARACTERS_MAX).collect(),
            roles: roles.to_vec(),
            created_at: self.house.now(),
            revoked_at: None,
        };
        let fact = Fact::new(
            &facts::API_KEY_CREATED,
            self.house.id(),
            key.created_at,
            key.id,
            json!({"apiKey": key.id}),
        )
        .of(tenant);
        let (made, call) = (key.clone(), call.for_tenant(tenant));
        self.house
            .db
            .write("identity.create_api_key", move |tx| {
                repo::insert_api_key(tx, &made, &hash)?;
                tx.record(&call, &fact)
            })
            .await?;
        Ok((token, key))
    }

    /// The key of a token.
    ///
    /// # Errors
    /// The store's.
    pub async fn api_key(&self, token: &str) -> Result<Option<ApiKey>> {
        let hash = secret::token_hash(token);
        self.house.db.read("identity.api_key", move |rx| repo::api_key_by_hash(rx, &hash)).await
    }

    /// A tenant's keys, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn api_keys(&self, tenant: Id<kind::Tenant>) -> Result<Vec<ApiKey>> {
        self.house.db.read("identity.api_keys", move |rx| repo::api_keys(rx, tenant)).await
    }

    /// Revokes a key at once.
    ///
    /// # Errors
    /// `API_KEY_NOT_FOUND`; the store's.
    pub async fn revoke_api_key(
        &self,
        call: &Call,
        tenant: Id<kind::Tenant>,
        id: Id<kind::ApiKey>,
    ) -> Result<()> {
        let now = self.house.now();
        let fact =
            Fact::new(&facts::API_KEY_REVOKED, self.house.id(), now, id, json!({"apiKey": id})).of(tenant);
        let call = call.for_tenant(tenant);
        self.house
            .db
            .write("identity.revoke_api_key", move |tx| {
                if !repo::revoke_api_key(tx, tenant, id, now)? {
                    return Err(error::API_KEY_NOT_FOUND.error());
                }
                tx.record(&call, &fact)
            })
            .await
    }

    /// Forgets a person: the key is destroyed, and with it everything it sealed. Rooms that hold ciphertext of the
    /// person wipe it when they hear of the fact. Forgetting twice is no error.
    ///
    /// # Errors
    /// `PERSON_NOT_FOUND`; the store's.
    pub async fn erase_person(
        &self,
        call: &Call,
        tenant: Id<kind::Tenant>,
        person: Id<Person>,
    ) -> Result<PersonRef> {
        let now = self.house.now();
        let fact = Fact::new(&facts::PERSON_ERASED, self.house.id(), now, person, json!({"person": person}))
            .of(tenant);
        let (keys, call) = (self.keys.clone(), call.for_tenant(tenant));
        self.house
            .db
            .write("identity.erase_person", move |tx| {
                let found =
                    repo::person(tx, tenant, person)?.ok_or_else(|| error::PERSON_NOT_FOUND.error())?;
                if found.erased {
                    return Ok(found);
                }
                repo::forget_person(tx, tenant, person, now)?;
                keys.destroy_person(tx, tenant, person)?;
                events::forget_person(tx, tenant, person)?;
                tx.record(&call, &fact)?;
                Ok(PersonRef { id: person, erased: true })
            })
            .await
    }
}
