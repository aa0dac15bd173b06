//! The verbs of the ACME server: this file holds the service and what every request goes through; each thing that is done
//! has its own file.

mod account;
mod external;
mod finalize;
mod order;
mod proving;
mod renewal;
mod revoke;

use std::sync::Arc;
#[cfg(debug_assertions)]
use std::sync::OnceLock;

use base::{Actor, Call, Id, Result, call::ActorKind, id::kind};
use proof::{
    crypto::SubjectKey,
    jws::acme::{Request, Signer, Verified},
    x509::Profile,
};
use tokio::sync::Semaphore;

pub use external::{MadeExternalKey, NewExternalKey};
pub(crate) use order::Placed;

use super::{
    error,
    model::{Account, AccountId, AccountStatus},
    nonce::Nonces,
    place::Places,
    prober::Prober,
    problem::refused_message,
    quota::Quotas,
    repo,
    settings::{AcmeSettings, Served},
};
use crate::{model::TenantId, service::Pki};

/// Whose authorities ACME speaks for: the house's.
pub(crate) const HOUSE: TenantId = Id::NIL;
/// Proofs that are looked at at once.
const PROBES_MAX: usize = 64;
/// Those of one account among them.
const PROBES_PER_ACCOUNT_MAX: usize = 4;
/// Requests of one account that are made certificates at once, those that wait for their turn at an order among them.
const FINALIZING_PER_ACCOUNT_MAX: usize = 4;

/// The ACME server of a house; cheap to clone.
#[derive(Clone)]
pub struct Acme {
    pub(crate) pki: Pki,
    pub(crate) settings: Arc<AcmeSettings>,
    nonces: Arc<Nonces>,
    quotas: Arc<Quotas>,
    prober: Arc<dyn Prober>,
    probes: Arc<Semaphore>,
    proving: Arc<Places<kind::AcmeAuthorization>>,
    finalizing: Arc<Places<kind::AcmeOrder>>,
    #[cfg(debug_assertions)]
    instead: Arc<OnceLock<Arc<dyn Prober>>>,
}

/// A request that was let in: signed, fresh, for this address.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// What was signed.
    pub(crate) message: Verified,
    /// By whom: an account, or a key alone.
    pub(crate) by: By,
}

/// Who signed.
#[derive(Debug)]
pub(crate) enum By {
    /// A key alone.
    Key(SubjectKey),
    /// An account that may act.
    Account(Account),
}

impl Admitted {
    /// The account, where one is demanded.
    ///
    /// # Errors
    /// `ACME_MALFORMED` when a key alone signed.
    pub(crate) fn account(&self) -> Result<&Account> {
        match &self.by {
            By::Account(account) => Ok(account),
            By::Key(_) => Err(malformed("this request is signed by an account, with kid")),
        }
    }

    /// Refuses what is more than a look.
    ///
    /// # Errors
    /// `ACME_MALFORMED` for a payload where none is expected.
    pub(crate) fn only_looks(&self) -> Result<()> {
        if self.message.payload().is_post_as_get() {
            Ok(())
        } else {
            Err(malformed("the payload is not empty"))
        }
    }

    /// The payload as an object.
    ///
    /// # Errors
    /// `ACME_MALFORMED`.
    pub(crate) fn object(&self) -> Result<serde_json::Value> {
        self.message.payload().object().map_err(refused_message)
    }
}

/// Refuses an account that was closed.
fn may_act(account: &Account) -> Result<()> {
    match account.status {
        AccountStatus::Valid => Ok(()),
        closed => Err(error::ACCOUNT_CLOSED.error().with("state", closed.name())),
    }
}

/// Refuses an account that was closed since it was let in; asked in the transaction that does something for it.
fn still_open(rx: &mut store::Rx<'_>, account: AccountId) -> Result<()> {
    let found = repo::account_by_id(rx, HOUSE, account)?;
    may_act(&found.ok_or_else(|| error::ACCOUNT_NONE.error())?)
}

pub(crate) fn malformed(reason: &str) -> base::Error {
    error::MALFORMED.error().with("reason", reason)
}

/// What a directory says beyond its addresses.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) environment: String,
    pub(crate) profiles: Vec<Profile>,
}

impl Acme {
    /// The server of a house.
    pub fn new(pki: Pki, settings: AcmeSettings, prober: Arc<dyn Prober>) -> Self {
        let nonces = Nonces::new(&*pki.house.chance);
        Self {
            pki,
            settings: Arc::new(settings),
            nonces: Arc::new(nonces),
            quotas: Arc::default(),
            prober,
            probes: Arc::new(Semaphore::new(PROBES_MAX)),
            proving: Places::new(PROBES_PER_ACCOUNT_MAX),
            finalizing: Places::new(FINALIZING_PER_ACCOUNT_MAX),
            #[cfg(debug_assertions)]
            instead: Arc::default(),
        }
    }

    /// Where it is to be served.
    pub fn served(&self) -> Served {
        self.settings.served
    }

    /// Lets a test answer for the outside world. Only in builds with debug assertions.
    #[cfg(debug_assertions)]
    pub fn probe_with_for_test(&self, prober: Arc<dyn Prober>) {
        // A second one would be a mistake of the test, which then sees the first one's answers.
        let _ = self.instead.set(prober);
    }

    fn prober(&self) -> &dyn Prober {
        #[cfg(debug_assertions)]
        if let Some(instead) = self.instead.get() {
            return &**instead;
        }
        &*self.prober
    }

    /// An address below an environment.
    pub(crate) fn url(&self, environment: &str, rest: &str) -> String {
        format!("{}/acme/{environment}/{rest}", self.settings.address)
    }

    /// A new nonce.
    pub(crate) fn nonce(&self) -> String {
        self.nonces.give(self.pki.house.now(), &*self.pki.house.chance)
    }

    /// The directory of an environment, or of the one that needs no name.
    ///
    /// # Errors
    /// `PKI_AUTHORITY_NOT_FOUND`, `PKI_ENVIRONMENT_NEEDED`; the store's.
    pub(crate) async fn directory(&self, environment: Option<&str>) -> Result<Directory> {
        let wanted = environment.or(self.settings.environment.as_deref());
        let authority = self.pki.issuing(HOUSE, wanted).await?;
        Ok(Directory {
            environment: authority.environment,
            profiles: self.settings.allowance.profiles.clone(),
        })
    }

    /// Lets a request in (RFC 8555 §6): strict form, this address, a fresh nonce, the signature of an account or of a key.
    ///
    /// # Errors
    /// `ACME_MALFORMED`, `ACME_ALGORITHM`, `ACME_KEY`, `ACME_NONCE`, `ACME_SIGNATURE`, `ACME_ACCOUNT_NOT_FOUND`,
    /// `ACME_ACCOUNT_CLOSED`; the store's.
    pub(crate) async fn admit(&self, environment: &str, path: &str, body: &[u8]) -> Result<Admitted> {
        let request = Request::parse(body).map_err(refused_message)?;
        let address = request.url().strip_prefix(self.settings.address.as_str());
        if address != Some(path) {
            return Err(malformed("url is not the address of this request"));
        }
        if !self.nonces.spend(request.nonce(), self.pki.house.now()) {
            return Err(error::NONCE.error());
        }
        match request.signer().clone() {
            Signer::Key(key) => {
                let message = request.into_verified(&key).map_err(refused_message)?;
                Ok(Admitted { message, by: By::Key(key) })
            }
            Signer::Account(kid) => {
                let account = self.account_at(environment, &kid).await?;
                let message = request.into_verified(&account.key).map_err(refused_message)?;
                // Said only to those who hold the key.
                may_act(&account)?;
                Ok(Admitted { message, by: By::Account(account) })
            }
        }
    }

    /// The account of an address.
    async fn account_at(&self, environment: &str, kid: &str) -> Result<Account> {
        let unknown = || error::ACCOUNT_NONE.error();
        let handle = kid.strip_prefix(&self.url(environment, "account/")).ok_or_else(unknown)?.to_owned();
        let environment = environment.to_owned();
        let read = move |rx: &mut store::Rx<'_>| repo::account_by_handle(rx, HOUSE, &environment, &handle);
        self.db().read("pki.acme.account", read).await?.ok_or_else(unknown)
    }

    fn db(&self) -> store::TenantDb {
        self.pki.house.db.tenant(HOUSE.uuid())
    }

    /// The call of an account: facts name it as the actor.
    fn call_of(call: &Call, account: &Account) -> Call {
        let actor = Actor { kind: ActorKind::Institution, id: account.id.to_string() };
        Call { actor, ..call.for_tenant(HOUSE) }
    }
}
