//! The table of rooms: every crate that owns tables, settings or routes, and how they are put together.
//!
//! This is the only place that knows all rooms. Ports that a room declares are plugged in here; whoever wants to know
//! which parts a house has reads this file.

use std::sync::Arc;

use audit::Audit;
use base::{
    Chance, Clock, Result,
    config::{Config, Setting},
    telemetry::Metrics,
};
use credential::Credentials;
use events::{Bus, House, Log, Sequencer, Subscription, jobs};
use identity::Identity;
use keys::Keys;
use pki::{
    Pki,
    acme::{Acme, NetProber},
};
use store::{Db, Engine, Migration, Settings, blob::Blobs};
use tokio::sync::Notify;

use crate::{home::Home, settings};

/// Every table of the house, ground first.
pub fn migrations() -> Vec<Migration> {
    [
        events::MIGRATIONS,
        keys::MIGRATIONS,
        audit::MIGRATIONS,
        identity::MIGRATIONS,
        pki::MIGRATIONS,
        credential::MIGRATIONS,
        crate::idempotency::MIGRATIONS,
    ]
    .concat()
}

/// Every table that belongs to no tenant, with its reason.
pub fn tables_without_tenant() -> Vec<(&'static str, &'static str)> {
    [
        store::migrate::TABLES_WITHOUT_TENANT,
        events::TABLES_WITHOUT_TENANT,
        audit::TABLES_WITHOUT_TENANT,
        identity::TABLES_WITHOUT_TENANT,
        pki::TABLES_WITHOUT_TENANT,
        credential::TABLES_WITHOUT_TENANT,
        crate::idempotency::TABLES_WITHOUT_TENANT,
    ]
    .concat()
}

/// Every setting of the house.
pub fn settings_table() -> Vec<&'static [Setting]> {
    vec![
        settings::SETTINGS,
        base::telemetry::SETTINGS,
        http_kit::SETTINGS,
        keys::SETTINGS,
        pki::SETTINGS,
        pki::acme::SETTINGS,
        pki::acme::PROBE_SETTINGS,
    ]
}

/// An opened house: every room's service.
#[derive(Clone)]
pub struct Rooms {
    /// Store, clock, dice.
    pub house: House,
    /// The key ring.
    pub keys: Keys,
    /// The evidence log.
    pub audit: Audit,
    /// Who is who.
    pub identity: Identity,
    /// The certificate authority.
    pub pki: Pki,
    /// Its server for programs that get certificates by themselves.
    pub acme: Acme,
    /// Credentials.
    pub credentials: Credentials,
    /// The public address.
    pub public_url: Arc<str>,
    /// Figures.
    pub metrics: Metrics,
    /// When the house's own certificates end.
    pub ends: crate::own::Ends,
    /// Rings when a group was committed.
    pub committed: Arc<Notify>,
    /// The name of this process in leases.
    holder: String,
}

impl Rooms {
    /// The same rooms with another server for programs.
    #[must_use]
    pub fn with_acme(&self, acme: Acme) -> Self {
        Self { acme, ..self.clone() }
    }

    /// Opens every room on a store that is migrated.
    ///
    /// # Errors
    /// `PKI_SETTING`; the store's.
    #[expect(clippy::too_many_arguments, reason = "what a house is made of, each from another place")]
    pub fn open(
        home: &Home,
        config: &Config,
        store: &Settings,
        keys: Keys,
        public_url: &str,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        metrics: Metrics,
    ) -> Result<Self> {
        let committed = Arc::new(Notify::new());
        let recorder = events::recorder(Arc::new(keys.clone()), Arc::clone(&committed));
        let db = Db::open(store, Some(recorder))?;
        crate::figures::register(&metrics, &db);
        let house = House { db, clock, chance };
        // On SQLite the home's lock leaves only one process, so a lease passes to the next one at once.
        let holder = match house.db.engine() {
            Engine::Sqlite => "home".to_owned(),
            Engine::Postgres => house.chance.handle(),
        };
        let blobs = Blobs::folder(&home.blobs())?;
        let audit = Audit::new(house.clone(), keys.clone(), blobs, holder.clone());
        let identity = Identity::new(house.clone(), keys.clone(), public_url);
        let pki_settings = pki::Settings::from_config(config, &settings::in_clear(config, public_url))?;
        let pki = Pki::new(house.clone(), keys.clone(), pki_settings, &holder, &metrics);
        let acme_settings = pki::acme::AcmeSettings::from_config(config, public_url)?;
        let prober = NetProber::from_config(config)?;
        let acme = Acme::new(pki.clone(), acme_settings, Arc::new(prober));
        let credentials = Credentials::new(house.clone(), keys.clone(), identity.clone(), public_url);
        let (public_url, ends) = (Arc::from(public_url), crate::own::Ends::new(&metrics));
        Ok(Self {
            house,
            keys,
            audit,
            identity,
            pki,
            acme,
            credentials,
            public_url,
            metrics,
            ends,
            committed,
            holder,
        })
    }

    /// Every tenant that the house knows.
    ///
    /// # Errors
    /// The store's.
    pub async fn tenants(&self) -> Result<Vec<base::Id<base::id::kind::Tenant>>> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.identity.tenants(base::page::PAGE_ITEMS_MAX, token.as_deref()).await?;
            found.extend(page.items.into_iter().map(|tenant| tenant.id));
            token = page.next_page_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Host and port of the public address, under which the logs are named.
    pub fn host(&self) -> &str {
        self.public_url.split_once("://").map_or(&*self.public_url, |(_, host)| host)
    }

    /// The host of the public address alone, without its port.
    pub fn host_name(&self) -> &str {
        settings::without_port(self.host())
    }

    /// Compares the keys on the token with those that the house knows. A key that is another one stops the start. A token
    /// that is away does not, since what is signed already can be served without it; whoever needs it is told.
    ///
    /// # Errors
    /// `KEYS_TOKEN_KEY_MISMATCH`.
    pub async fn check_token(&self) -> Result<()> {
        match self.keys.check_token(&self.house).await {
            Err(failure) if failure.is(&keys::error::TOKEN_KEY_MISMATCH) => Err(failure),
            Err(failure) => {
                tracing::error!(code = failure.code().name, "keys on the token cannot be used: {failure}");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// The sequencers of this process, one for each log; they matter on PostgreSQL only.
    pub fn sequencers(&self) -> Vec<Sequencer> {
        Log::ALL.into_iter().map(|log| Sequencer::new(self.house.clone(), log, self.holder.clone())).collect()
    }

    /// Gives back the leases of this process, so that the next one need not wait until they run out.
    ///
    /// # Errors
    /// The store's.
    pub async fn give_back_leases(&self) -> Result<()> {
        let (holder, now) = (self.holder.clone(), self.house.now());
        self.house.db.write("selo.release", move |tx| store::lease::release_all(tx, &holder, now)).await
    }

    /// Who is told of facts.
    pub fn bus(&self) -> Bus {
        let subscriptions: Vec<Subscription> = vec![
            credential::Erasing::subscription(self.house.clone()),
            crate::idempotency::Idempotency::forgetting(),
        ];
        Bus::new(self.house.clone(), subscriptions)
    }

    /// Which jobs this process runs.
    pub fn runner(&self) -> jobs::Runner {
        let works: Vec<Arc<dyn jobs::Work>> = vec![Arc::new(credential::BulkWork(self.credentials.clone()))];
        jobs::Runner::new(self.house.clone(), works)
    }
}
