//! The ring itself: opened once, held in memory, handed to every room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use aws_lc_rs::hmac;
use base::{
    Call, Id, Result, Secret,
    id::kind::{Event, Person, SigningKey, Tenant},
};
use events::{Fact, House, Record, Seals};
use serde_json::json;
use store::{Rx, Tx, lease};

use crate::{
    error, facts,
    file::{Contents, EpochKey, KeyFile},
    person::{PersonKey, cut16},
    repo,
    seal::{Aad, SealingKey},
    signature::Signature,
    signing::{Algorithm, KeyState, Place, Purpose, Signer, SigningKeyInfo, Succession},
    token::{Token, TokenKey},
};

/// So many person keys are wrapped anew in one transaction.
const REWRAP_PERSONS_MAX: u32 = 500;
/// An epoch key wraps new keys for so long.
pub const EPOCH_DAYS: u64 = 30;
/// An old epoch key is destroyed so long after its successor was made: whoever wrapped a key under it a moment before
/// the roll, in whichever process, is long done, and was wrapped anew by then.
pub const EPOCH_GRACE_DAYS: u64 = 5;

/// Whoever looks after the epochs and dies is replaced after this time.
const EPOCH_LEASE: std::time::Duration = std::time::Duration::from_secs(600);
const DAY_SECONDS: u64 = 86_400;

/// The blind index of a value: what a sealed column can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind {
    /// Under the current index key; what is written.
    pub current: Vec<u8>,
    /// Under the one before, while rows are indexed anew.
    pub previous: Option<Vec<u8>>,
}

/// The key ring; cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    root: Secret<[u8; 32]>,
    file: Mutex<KeyFile>,
    signers: RwLock<HashMap<Id<SigningKey>, Holder>>,
    token: Option<Token>,
}

/// Who holds the private part of a key.
#[derive(Clone)]
enum Holder {
    Here(Algorithm, Arc<Signer>),
    Token(Arc<TokenKey>),
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keys {
    /// The ring of an opened key file, and of the token when one is configured.
    pub fn new(file: KeyFile, token: Option<Token>) -> Self {
        let root = Secret::new(file.contents.expose().root);
        Self(Arc::new(Inner { root, file: Mutex::new(file), signers: RwLock::new(HashMap::new()), token }))
    }

    /// A key derived from the root for one use (HMAC as a PRF over a label and a context).
    fn derive(&self, label: &str, context: &[u8]) -> [u8; 32] {
        let mut keyed = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.0.root.expose()));
        keyed.update(label.as_bytes());
        keyed.update(&[0]);
        keyed.update(context);
        let mut key = [0u8; 32];
        key.copy_from_slice(keyed.sign().as_ref());
        key
    }

    /// The key that seals a tenant's things that are nobody's own, e.g. where a call came from.
    pub fn tenant_key(&self, tenant: Id<Tenant>) -> SealingKey {
        SealingKey::new(1, self.derive("selo/tenant", tenant.uuid().as_bytes()))
    }

    /// The blind index of a normalised value: HMAC-SHA-256 under the tenant's index key, cut to 16 bytes, with the
    /// index version in front.
    pub fn blind(&self, tenant: Id<Tenant>, field: &str, value: &str) -> Blind {
        let version = lock(&self.0.file).contents.expose().index_version;
        let at = |version: u8| {
            let mut context = tenant.uuid().as_bytes().to_vec();
            context.push(version);
            context.extend_from_slice(field.as_bytes());
            let key = hmac::Key::new(hmac::HMAC_SHA256, &self.derive("selo/index", &context));
            let mut out = vec![version];
            out.extend_from_slice(&cut16(hmac::sign(&key, value.as_bytes()).as_ref()));
            out
        };
        Blind { current: at(version), previous: version.checked_sub(1).filter(|v| *v > 0).map(at) }
    }

    /// Begins a new index version; rows are indexed anew by their rooms, and both versions are found meanwhile.
    ///
    /// # Errors
    /// The key file's.
    pub fn rotate_index(&self, house: &House) -> Result<u8> {
        let mut file = lock(&self.0.file);
        let mut contents = file.contents.expose().clone();
        contents.index_version = contents.index_version.saturating_add(1);
        let version = contents.index_version;
        file.replace(contents, &*house.chance)?;
        Ok(version)
    }

    /// An epoch key: the newest, or the one of a number. An unknown number may be newer than what this process read,
    /// so the file is read again before it is called destroyed.
    fn epoch(&self, number: Option<i64>) -> Result<(u32, SealingKey)> {
        let mut file = lock(&self.0.file);
        let find = |contents: &Contents| {
            let found = match number {
                None => contents.epochs.last(),
                Some(number) => contents.epochs.iter().find(|epoch| i64::from(epoch.number) == number),
            };
            found.map(|epoch| (epoch.number, SealingKey::new(epoch.number, epoch.key)))
        };
        if let Some(found) = find(file.contents.expose()) {
            return Ok(found);
        }
        file.reread()?;
        find(file.contents.expose()).ok_or_else(|| error::PERSON_FORGOTTEN.error())
    }

    fn wrap_aad(tenant: Id<Tenant>, person: Id<Person>) -> Aad<'static> {
        Aad { tenant: tenant.uuid(), table: "keys_person", column: "wrapped", row: person.uuid(), version: 1 }
    }

    /// Makes the key of a new person, wrapped; [`Keys::install_person`] stores it in the transaction that makes the
    /// person, so that a closure may run twice.
    ///
    /// # Errors
    /// The cipher's.
    pub fn prepare_person(&self, tenant: Id<Tenant>, person: Id<Person>, house: &House) -> Result<NewPerson> {
        let key: [u8; 32] = house.chance.bytes();
        let (epoch, wrapping) = self.epoch(None)?;
        let wrapped = wrapping.seal(&Self::wrap_aad(tenant, person), &key, &*house.chance)?;
        Ok(NewPerson { key: PersonKey { tenant, person, key: SealingKey::new(0, key) }, epoch, wrapped })
    }

    /// Stores a new person's wrapped key.
    ///
    /// # Errors
    /// The store's.
    pub fn install_person(&self, tx: &mut Tx<'_>, new: &NewPerson) -> Result<()> {
        repo::insert_person(tx, new.key.tenant, new.key.person, new.epoch, &new.wrapped)
    }

    /// A person's key.
    ///
    /// # Errors
    /// `PERSON_ERASED` when it is destroyed; `KEYS_UNSEAL` when it was altered.
    pub fn person(&self, rx: &mut Rx<'_>, tenant: Id<Tenant>, person: Id<Person>) -> Result<PersonKey> {
        let (number, wrapped) =
            repo::person(rx, tenant, person)?.ok_or_else(|| error::PERSON_FORGOTTEN.error())?;
        let (_, epoch) = self.epoch(Some(number))?;
        let key = epoch.open(&Self::wrap_aad(tenant, person), &wrapped)?;
        let key: [u8; 32] =
            key.try_into().map_err(|_| error::UNSEAL.error().with("place", "keys_person.wrapped"))?;
        Ok(PersonKey { tenant, person, key: SealingKey::new(0, key) })
    }

    /// Destroys a person's key: what it sealed is gone. False when it was gone already.
    ///
    /// # Errors
    /// The store's.
    pub fn destroy_person(&self, tx: &mut Tx<'_>, tenant: Id<Tenant>, person: Id<Person>) -> Result<bool> {
        repo::destroy_person(tx, tenant, person)
    }

    /// Looks after the epochs: makes a new one when the newest is older than [`EPOCH_DAYS`], wraps every person key
    /// under the newest, and destroys older epoch keys once [`EPOCH_GRACE_DAYS`] have passed. Returns the number of
    /// keys wrapped anew. One process at a time does this, under a lease; the others read the file again.
    ///
    /// # Errors
    /// The store's and the key file's.
    pub async fn roll_epoch(&self, house: &House, call: &Call) -> Result<u64> {
        let (now, holder) = (house.now(), house.chance.handle());
        let held = house
            .db
            .write("keys.epoch_claim", move |tx| lease::claim(tx, "keys.epoch", &holder, now, EPOCH_LEASE))
            .await?;
        let Some(held) = held else {
            lock(&self.0.file).reread()?;
            return Ok(0);
        };
        let rolled = self.roll_under_lease(house, call, now).await;
        house.db.write("keys.epoch_release", move |tx| lease::release(tx, &held, now)).await?;
        rolled
    }

    async fn roll_under_lease(&self, house: &House, call: &Call, now: base::Time) -> Result<u64> {
        let (number, made, several) = {
            let mut file = lock(&self.0.file);
            file.reread()?;
            let contents = file.contents.expose();
            let newest = contents.epochs.last().ok_or_else(|| error::PERSON_FORGOTTEN.error())?;
            let (number, created) = (newest.number, base::Time::from_micros(newest.created_micros));
            if now.since(created).as_secs() < EPOCH_DAYS * DAY_SECONDS {
                (number, created, contents.epochs.len() > 1)
            } else {
                let mut next: Contents = contents.clone();
                next.epochs.push(EpochKey {
                    number: number + 1,
                    key: house.chance.bytes(),
                    created_micros: now.micros(),
                });
                file.replace(next, &*house.chance)?;
                (number + 1, now, true)
            }
        };
        if !several {
            return Ok(0);
        }
        let wrapped = self.wrap_anew(house, number).await?;
        if now.since(made).as_secs() < EPOCH_GRACE_DAYS * DAY_SECONDS {
            return Ok(wrapped);
        }
        let payload = json!({"epoch": number, "persons": wrapped});
        let fact = Fact::new(&facts::EPOCH_ROLLED, house.id(), now, format!("epoch_{number}"), payload);
        let call = call.clone();
        house.db.write("keys.roll_epoch", move |tx| tx.record(&call, &fact)).await?;
        let mut file = lock(&self.0.file);
        let mut contents = file.contents.expose().clone();
        contents.epochs.retain(|epoch| epoch.number == number);
        file.replace(contents, &*house.chance)?;
        Ok(wrapped)
    }

    /// Wraps every person key that is under an older epoch under epoch `number`.
    async fn wrap_anew(&self, house: &House, number: u32) -> Result<u64> {
        let (_, key) = self.epoch(Some(i64::from(number)))?;
        let mut total = 0;
        loop {
            let rows = house
                .db
                .read("keys.persons_before_epoch", move |rx| {
                    repo::persons_before_epoch(rx, number, REWRAP_PERSONS_MAX)
                })
                .await?;
            if rows.is_empty() {
                return Ok(total);
            }
            let mut fresh = Vec::with_capacity(rows.len());
            for (tenant, person, old, wrapped) in rows {
                let (_, old) = self.epoch(Some(old))?;
                let plain = Secret::new(old.open(&Self::wrap_aad(tenant, person), &wrapped)?);
                let wrapped = key.seal(&Self::wrap_aad(tenant, person), plain.expose(), &*house.chance)?;
                fresh.push((tenant, person, wrapped));
            }
            total += fresh.len() as u64;
            house
                .db
                .write("keys.rewrap", move |tx| {
                    fresh.iter().try_for_each(|(tenant, person, wrapped)| {
                        repo::rewrap(tx, *tenant, *person, number, wrapped)
                    })
                })
                .await?;
        }
    }

    /// Stores a new signing key in the caller's transaction, and retires what it takes the place of. The key is made
    /// beforehand by [`Keys::prepare_signing`] or [`Keys::prepare_on_token`], so that the closure may run twice.
    ///
    /// # Errors
    /// `KEYS_NONE_ACTIVE` when the key it should follow is no active one of its purpose; the store's.
    pub fn install_signing(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        prepared: &PreparedKey,
        succession: Succession,
        house: &House,
    ) -> Result<()> {
        let PreparedKey { tenant, info, private_sealed, fact } = prepared;
        let active = repo::active_keys(tx, *tenant, info.purpose)?;
        let followed = match succession {
            Succession::Sole => active,
            Succession::Beside => Vec::new(),
            Succession::After(old) => {
                let found = active.into_iter().find(|key| key.id == old);
                vec![found.ok_or_else(|| error::NO_KEY.error().with("purpose", info.purpose.name()))?]
            }
        };
        for old in &followed {
            repo::retire(tx, *tenant, old.id, house.now())?;
        }
        repo::insert_signing(tx, *tenant, info, private_sealed.as_deref())?;
        let payload = json!({
            "key": info.id, "purpose": info.purpose.name(), "algorithm": info.algorithm.name(),
            "place": info.place.name(), "replaces": followed.first().map(|old| old.id.to_string()),
        });
        let fact = Fact::new(&facts::KEY_CREATED, *fact, info.created_at, info.id, payload)
            .of(*tenant)
            .fixing("multikey", proof::crypto::sha256(info.public.to_multikey().as_bytes()));
        tx.record(call, &fact)
    }

    /// Retires a key that no other follows: it begins nothing new, finishes what was planned, and stays published.
    /// False when it was not active. `fact` is made before the transaction, so that the closure may run twice.
    ///
    /// # Errors
    /// `KEYS_SIGN` when there is no such key; the store's.
    pub fn retire_signing(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        tenant: Id<Tenant>,
        id: Id<SigningKey>,
        fact: Id<Event>,
        house: &House,
    ) -> Result<bool> {
        let info = self.signing(tx, tenant, id)?;
        let now = house.now();
        if !repo::retire(tx, tenant, id, now)? {
            return Ok(false);
        }
        let payload = json!({"key": id, "purpose": info.purpose.name()});
        tx.record(call, &Fact::new(&facts::KEY_RETIRED, fact, now, id, payload).of(tenant))?;
        Ok(true)
    }

    /// Makes a signing key whose private part is kept sealed in the database.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the key cannot be generated.
    pub fn prepare_signing(
        &self,
        tenant: Id<Tenant>,
        purpose: Purpose,
        algorithm: Algorithm,
        house: &House,
    ) -> Result<PreparedKey> {
        let (secret, public) = Signer::generate(algorithm, &*house.chance)?;
        let info = SigningKeyInfo {
            id: house.id(),
            purpose,
            algorithm,
            public,
            place: Place::Sealed,
            state: KeyState::Active,
            created_at: house.now(),
        };
        let private_sealed =
            self.signing_key(tenant).seal(&signing_aad(tenant, info.id), secret.expose(), &*house.chance)?;
        Ok(PreparedKey { tenant, info, private_sealed: Some(private_sealed), fact: house.id() })
    }

    /// Makes a signing key on the token (P-256 or P-384). Whoever then cannot install it gives it to
    /// [`Keys::discard`].
    ///
    /// # Errors
    /// `KEYS_TOKEN_NOT_CONFIGURED`, `KEYS_TOKEN_ALGORITHM`, `KEYS_TOKEN_AWAY` and the other errors of a token. There is
    /// never a software key instead.
    pub async fn prepare_on_token(
        &self,
        tenant: Id<Tenant>,
        purpose: Purpose,
        algorithm: Algorithm,
        house: &House,
    ) -> Result<PreparedKey> {
        let id = house.id();
        let public = self.token()?.generate(id, algorithm).await?;
        let info = SigningKeyInfo {
            id,
            purpose,
            algorithm,
            public,
            place: Place::Token,
            state: KeyState::Active,
            created_at: house.now(),
        };
        Ok(PreparedKey { tenant, info, private_sealed: None, fact: house.id() })
    }

    /// Destroys a key that was made and not installed. A sealed one is gone with the value.
    ///
    /// # Errors
    /// The token's.
    pub async fn discard(&self, prepared: PreparedKey) -> Result<()> {
        match prepared.info.place {
            Place::Sealed => Ok(()),
            Place::Token => self.token()?.destroy(prepared.info.id).await,
        }
    }

    /// Whether a token is configured, so that keys can be made on it.
    pub fn has_token(&self) -> bool {
        self.0.token.is_some()
    }

    fn token(&self) -> Result<&Token> {
        self.0.token.as_ref().ok_or_else(|| error::TOKEN_NOT_CONFIGURED.error())
    }

    /// Logs out of the token, if there is one. To be done before the process ends, since the libraries of some tokens do
    /// not survive an end in the middle.
    ///
    /// # Errors
    /// `KEYS_TOKEN_AWAY` when the token does not answer.
    pub async fn close_token(&self) -> Result<()> {
        match &self.0.token {
            Some(token) => token.close().await,
            None => Ok(()),
        }
    }

    /// Looks whether the token opens and holds the keys that the house knows, as they are. Nothing is asked of a house
    /// without a token and without keys on one.
    ///
    /// # Errors
    /// `KEYS_TOKEN_KEY_MISMATCH`, `KEYS_TOKEN_KEY_MISSING`, `KEYS_TOKEN_NOT_CONFIGURED` and the other errors of a token;
    /// the store's.
    pub async fn check_token(&self, house: &House) -> Result<()> {
        let known = house.db.read("keys.keys_on_token", repo::keys_on_token).await?;
        if known.is_empty() && !self.has_token() {
            return Ok(());
        }
        let keys: Result<Vec<TokenKey>> =
            known.into_iter().map(|key| TokenKey::new(key.id, key.algorithm, key.public)).collect();
        self.token()?.check(keys?).await
    }

    fn signing_key(&self, tenant: Id<Tenant>) -> SealingKey {
        SealingKey::new(2, self.derive("selo/signing", tenant.uuid().as_bytes()))
    }

    /// What everybody may know of a key.
    ///
    /// # Errors
    /// `KEYS_SIGN` when there is no such key; the store's.
    pub fn signing(&self, rx: &mut Rx<'_>, tenant: Id<Tenant>, id: Id<SigningKey>) -> Result<SigningKeyInfo> {
        let found = repo::private(rx, tenant, id)?;
        found.map(|(info, _)| info).ok_or_else(|| error::SIGN.error().with("key", id))
    }

    /// A tenant's keys for a purpose, oldest first, retired ones included; of very many the newest.
    ///
    /// # Errors
    /// The store's.
    pub fn signing_keys(
        &self,
        rx: &mut Rx<'_>,
        tenant: Id<Tenant>,
        purpose: Purpose,
    ) -> Result<Vec<SigningKeyInfo>> {
        repo::signing_keys(rx, tenant, purpose)
    }

    /// The key that signs for a purpose now; where several do, the newest.
    ///
    /// # Errors
    /// `KEYS_NONE_ACTIVE`; the store's.
    pub fn active(&self, rx: &mut Rx<'_>, tenant: Id<Tenant>, purpose: Purpose) -> Result<SigningKeyInfo> {
        repo::active_keys(rx, tenant, purpose)?
            .into_iter()
            .next()
            .ok_or_else(|| error::NO_KEY.error().with("purpose", purpose.name()))
    }

    /// Signs messages that were planned before: all of them, in their order, or none. No transaction may be open, since
    /// a key may live on a token.
    ///
    /// # Errors
    /// `KEYS_SIGN` when there is no such key or it cannot be opened; `KEYS_TOKEN_AWAY` and the other errors of a token.
    pub async fn sign(
        &self,
        house: &House,
        tenant: Id<Tenant>,
        id: Id<SigningKey>,
        messages: Vec<Vec<u8>>,
    ) -> Result<Vec<Signature>> {
        let (algorithm, signer) = match self.holder(house, tenant, id).await? {
            Holder::Token(key) => return self.token()?.sign(&key, messages).await,
            Holder::Here(algorithm, signer) => (algorithm, signer),
        };
        let few = messages.len() <= at_once(algorithm);
        let all = move || messages.iter().map(|message| signer.sign(message)).collect();
        if few {
            return all();
        }
        tokio::task::spawn_blocking(all).await.map_err(|e| base::error::INTERNAL.because(e))?
    }

    async fn holder(&self, house: &House, tenant: Id<Tenant>, id: Id<SigningKey>) -> Result<Holder> {
        if let Some(holder) = self.0.signers.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(holder.clone());
        }
        let wrong = || error::SIGN.error().with("key", id);
        let (info, sealed) = house
            .db
            .read("keys.private", move |rx| repo::private(rx, tenant, id))
            .await?
            .ok_or_else(wrong)?;
        let holder = match info.place {
            Place::Token => Holder::Token(Arc::new(TokenKey::new(id, info.algorithm, info.public)?)),
            Place::Sealed => {
                let sealed = sealed.ok_or_else(wrong)?;
                let secret = Secret::new(self.signing_key(tenant).open(&signing_aad(tenant, id), &sealed)?);
                Holder::Here(info.algorithm, Arc::new(Signer::load(info.algorithm, secret.expose(), id)?))
            }
        };
        self.0.signers.write().unwrap_or_else(PoisonError::into_inner).insert(id, holder.clone());
        Ok(holder)
    }

    /// Opens where a call came from, for the audit search.
    ///
    /// # Errors
    /// `KEYS_UNSEAL`.
    pub fn open_origin(&self, tenant: Id<Tenant>, fact: Id<Event>, sealed: &[u8]) -> Result<Vec<u8>> {
        self.tenant_key(tenant).open(&origin_aad(tenant, fact), sealed)
    }
}

/// A new person's key and its wrapped form, made before the transaction that installs it.
#[derive(Clone)]
pub struct NewPerson {
    /// The key, ready to seal.
    pub key: PersonKey,
    epoch: u32,
    wrapped: Vec<u8>,
}

/// The material of a signing key, made before the transaction that installs it.
#[derive(Clone)]
pub struct PreparedKey {
    tenant: Id<Tenant>,
    /// What everybody may know of it.
    pub info: SigningKeyInfo,
    /// None for a key that lives on the token.
    private_sealed: Option<Vec<u8>>,
    fact: Id<Event>,
}

/// So many signatures are made on the caller's thread; more go to a blocking one. P-384 takes a millisecond each.
const fn at_once(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Ed25519 | Algorithm::P256 => 15,
        Algorithm::P384 => 0,
    }
}

fn signing_aad(tenant: Id<Tenant>, id: Id<SigningKey>) -> Aad<'static> {
    Aad { tenant: tenant.uuid(), table: "keys_signing", column: "private_sealed", row: id.uuid(), version: 1 }
}

fn origin_aad(tenant: Id<Tenant>, fact: Id<Event>) -> Aad<'static> {
    Aad { tenant: tenant.uuid(), table: "events_fact", column: "origin_sealed", row: fact.uuid(), version: 1 }
}

/// What facts need of the ring. It draws nonces from the operating system, since a fact is sealed by the group's
/// writer, which has no house at hand.
impl Seals for Keys {
    fn tenant(&self, tenant: Id<Tenant>) -> [u8; 16] {
        cut16(&self.derive("selo/pseudonym.tenant", tenant.uuid().as_bytes()))
    }

    fn actor(&self, tenant: Id<Tenant>, actor: &str) -> [u8; 16] {
        let mut context = tenant.uuid().as_bytes().to_vec();
        context.extend_from_slice(actor.as_bytes());
        cut16(&self.derive("selo/pseudonym.actor", &context))
    }

    fn seal_origin(&self, tenant: Id<Tenant>, fact: Id<Event>, plain: &[u8]) -> Result<Vec<u8>> {
        self.tenant_key(tenant).seal(&origin_aad(tenant, fact), plain, &base::SystemChance)
    }
}
