//! Status lists: places taken in a secret order, bits from the table of credentials, signed on demand.
//!
//! The table is the truth; a list is signed when somebody asks for it and a status has changed since, or when the
//! signed one grows old. A neighbour's index tells nothing: places are taken by a keyed permutation.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::{
    Id, Result, Time,
    id::kind::{self, StatusList},
};
use events::House;
use identity::Identity;
use keys::{Aad, Keys, Purpose};
use proof::{
    integrity::{self, ProofOptions},
    status::{BitString, ListDescription, build_list},
};

use crate::{document, error, model::List, permutation, repo};

/// Places of a list: the smallest that the standard allows, so that a download is small.
const LIST_PLACES: u32 = 131_072;
/// Verifiers may keep a list so long.
const TTL: Duration = Duration::from_secs(300);
/// A signed list is valid so long, and signed again at half of it.
const VALIDITY: Duration = Duration::from_secs(24 * 3_600);
/// Places that a process takes at once, so that issuing one credential needs no write of its own for it.
const BLOCK_PLACES: u32 = 64;
/// Others may take places at the same moment; so often we try again.
const TRIES_MAX: u32 = 16;
/// Signed lists that are kept in memory.
const SIGNED_KEPT_MAX: usize = 256;

type TenantId = Id<kind::Tenant>;

/// A place in a list.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) list: Id<StatusList>,
    pub(crate) handle: Arc<str>,
    pub(crate) index: u32,
}

/// A signed list in memory: which version, when, its bytes.
type Signed = (i64, Time, Arc<Vec<u8>>);

/// Places and signed lists of a house.
pub(crate) struct Lists {
    house: House,
    keys: Keys,
    public_url: Arc<str>,
    /// Places that were taken and not yet given away, by tenant. Whoever holds the lock gives them away.
    spare: Mutex<HashMap<TenantId, Vec<Place>>>,
    /// Signed lists by handle, with their version and when they were signed.
    signed: Mutex<HashMap<String, Signed>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seed_aad(list: &List) -> Aad<'static> {
    Aad {
        tenant: list.tenant.uuid(),
        table: "credential_list",
        column: "seed_sealed",
        row: list.id.uuid(),
        version: 1,
    }
}

impl Lists {
    pub(crate) fn new(house: House, keys: Keys, public_url: Arc<str>) -> Self {
        Self { house, keys, public_url, spare: Mutex::default(), signed: Mutex::default() }
    }

    /// The address of a list.
    pub(crate) fn address(&self, handle: &str) -> String {
        format!("{}/status/{handle}", self.public_url)
    }

    /// `count` places that nobody else has or will have.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn take(&self, tenant: TenantId, count: usize) -> Result<Vec<Place>> {
        let mut taken = Vec::with_capacity(count);
        loop {
            {
                let mut spare = lock(&self.spare);
                let kept = spare.entry(tenant).or_default();
                while taken.len() < count {
                    match kept.pop() {
                        Some(place) => taken.push(place),
                        None => break,
                    }
                }
            }
            if taken.len() == count {
                return Ok(taken);
            }
            let missing = u32::try_from(count - taken.len()).unwrap_or(u32::MAX);
            let block = self.reserve(tenant, missing.max(BLOCK_PLACES)).await?;
            lock(&self.spare).entry(tenant).or_default().extend(block);
        }
    }

    /// Takes the next places of the tenant's open list, or of a new list.
    async fn reserve(&self, tenant: TenantId, wanted: u32) -> Result<Vec<Place>> {
        for _ in 0..TRIES_MAX {
            let db = self.house.db.tenant(tenant.uuid());
            let open = db.read("credential.open_list", move |rx| repo::open_list(rx, tenant)).await?;
            let list = match open {
                Some(list) => list,
                None => self.create(tenant).await?,
            };
            let count = wanted.min(list.size - list.used);
            let copy = list.clone();
            let won =
                db.write("credential.take_places", move |tx| repo::take_places(tx, &copy, count)).await?;
            if won {
                let seed = self.keys.tenant_key(tenant).open(&seed_aad(&list), &list.seed_sealed)?;
                let seed: [u8; 32] = seed
                    .try_into()
                    .map_err(|_| keys::error::UNSEAL.error().with("place", "credential_list.seed_sealed"))?;
                let handle: Arc<str> = Arc::from(list.handle.as_str());
                return Ok((list.used..list.used + count)
                    .map(|position| Place {
                        list: list.id,
                        handle: Arc::clone(&handle),
                        index: permutation::place(&seed, list.size, position),
                    })
                    .collect());
            }
        }
        Err(error::RACE.error().retry_after(1))
    }

    async fn create(&self, tenant: TenantId) -> Result<List> {
        let seed: [u8; 32] = self.house.chance.bytes();
        let mut list = List {
            tenant,
            id: self.house.id(),
            handle: self.house.chance.handle(),
            size: LIST_PLACES,
            used: 0,
            seed_sealed: Vec::new(),
            version: 0,
            signed: None,
            signed_version: -1,
            signed_at: None,
        };
        list.seed_sealed = self.keys.tenant_key(tenant).seal(&seed_aad(&list), &seed, &*self.house.chance)?;
        let (copy, now) = (list.clone(), self.house.now());
        self.house
            .db
            .tenant(tenant.uuid())
            .write("credential.create_list", move |tx| repo::insert_list(tx, &copy, now))
            .await?;
        Ok(list)
    }

    /// A list as it stands now, signed; nothing for an unknown handle.
    ///
    /// # Errors
    /// The store's; the key ring's.
    pub(crate) async fn signed(&self, identity: &Identity, handle: &str) -> Result<Option<Arc<Vec<u8>>>> {
        let wanted = handle.to_owned();
        let Some(list) =
            self.house.db.read("credential.list", move |rx| repo::list_by_handle(rx, &wanted)).await?
        else {
            return Ok(None);
        };
        let now = self.house.now();
        let fresh = |signed_at: Time| now.since(signed_at) < VALIDITY / 2;
        if let Some((version, signed_at, bytes)) = lock(&self.signed).get(handle)
            && *version == list.version
            && fresh(*signed_at)
        {
            return Ok(Some(Arc::clone(bytes)));
        }
        if let (Some(bytes), Some(signed_at)) = (&list.signed, list.signed_at)
            && list.signed_version == list.version
            && fresh(signed_at)
        {
            let bytes = Arc::new(bytes.clone());
            self.keep(handle, list.version, signed_at, &bytes);
            return Ok(Some(bytes));
        }
        let bytes = Arc::new(self.sign(identity, &list, now).await?);
        self.keep(handle, list.version, now, &bytes);
        Ok(Some(bytes))
    }

    fn keep(&self, handle: &str, version: i64, signed_at: Time, bytes: &Arc<Vec<u8>>) {
        let mut signed = lock(&self.signed);
        if signed.len() >= SIGNED_KEPT_MAX {
            signed.clear();
        }
        signed.insert(handle.to_owned(), (version, signed_at, Arc::clone(bytes)));
    }

    /// Signs a list in three steps: what will be signed follows from the table alone, so the table is its plan.
    async fn sign(&self, identity: &Identity, list: &List, now: Time) -> Result<Vec<u8>> {
        let tenant = identity.tenant(list.tenant).await?;
        let (tenant_id, list_id, keys) = (list.tenant, list.id, self.keys.clone());
        let db = self.house.db.tenant(tenant_id.uuid());
        // The version was read before the bits: a change in between makes the bits newer than the version says, never
        // older.
        let (places, key) = db
            .read("credential.list_bits", move |rx| {
                Ok((
                    repo::set_places(rx, tenant_id, list_id)?,
                    keys.active(rx, tenant_id, Purpose::Assertion)?,
                ))
            })
            .await?;
        let fault = |e: proof::status::StatusError| base::error::INTERNAL.because(e);
        let mut bits = BitString::new(u64::from(list.size)).map_err(fault)?;
        for place in places {
            bits.set(u64::from(place), true).map_err(fault)?;
        }
        let now = now.whole_second();
        let description = ListDescription {
            address: self.address(&list.handle),
            issuer: tenant.did.clone(),
            purpose: "revocation".to_owned(),
            valid_from: now.rfc3339(),
            valid_until: Some(now.plus(VALIDITY).rfc3339()),
            ttl_ms: Some(u64::try_from(TTL.as_millis()).unwrap_or(u64::MAX)),
        };
        let unsigned = build_list(&description, &bits).map_err(fault)?;
        let method = document::verification_method(&tenant.did, &key);
        let options = ProofOptions::assertion(method, now.rfc3339());
        let prepared =
            integrity::prepare(&unsigned, &options).map_err(|e| base::error::INTERNAL.because(e))?;
        let signature = self
            .keys
            .sign(&self.house, tenant_id, key.id, vec![prepared.hash_data.to_vec()])
            .await?
            .pop()
            .ok_or_else(|| keys::error::SIGN.error().with("key", key.id))?;
        let signed = integrity::finish(&unsigned, prepared, signature.bytes());
        let bytes = serde_json::to_vec(&signed).map_err(|e| base::error::INTERNAL.because(e))?;
        let (version, copy) = (list.version, bytes.clone());
        let saved = db
            .write("credential.save_signed", move |tx| {
                repo::save_signed(tx, tenant_id, list_id, version, &copy, now)
            })
            .await;
        // The table is the truth and this is a copy: on a full disk a check still gets its answer.
        if let Err(failure) = saved {
            tracing::warn!(code = failure.code().name, "a signed status list could not be kept");
        }
        Ok(bytes)
    }
}
