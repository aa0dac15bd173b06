//! Serving a house: its doors, its loops, and a graceful end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use base::{Result, config::Config};
use http_kit::{
    Admin, App, Caller, Clients, DoorSettings, Failure, Fittings, Listener, Pair, Partner, Plain, Public,
    Reply, Rules, ServerLimits, Socket, Tls, TlsFiles, ZoneRouter, redirecting,
};
use pki::acme::{Served, acme_routes};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cli::Cli,
    commands::{Exit, Voice, house},
    error,
    home::{Home, Lock},
    idempotency::Idempotency,
    own::{self, Keeper, Order, Place},
    partner,
    plugs::{LogProofs, Plugs},
    rooms::Rooms,
    settings,
    tasks::{self, Rhythm},
    web,
};

/// A checkpoint with the signatures of many witnesses.
const CHECKPOINT_BYTES_MAX: u64 = 64 * 1024;
/// The files of the TLS pair are looked at so often.
const TLS_LOOK_EVERY: Duration = Duration::from_secs(5);

/// The doors of a house, without listeners.
pub struct Apps {
    /// For the listener of everybody.
    pub public: App<Public>,
    /// For the listener of administrators, and the local socket.
    pub admin: App<Admin>,
    /// For the listener in clear, beside a public one with TLS.
    pub plain: App<Plain>,
    /// For the listener of partners.
    pub partner: App<Partner>,
}

impl Apps {
    /// Opens every zone; `tracker` is what stopping waits for.
    ///
    /// # Errors
    /// A setting that is wrong.
    pub fn open(rooms: &Rooms, config: &Config, tracker: &TaskTracker) -> Result<Self> {
        let settings = DoorSettings::from_config(config, &rooms.public_url)?;
        let fittings = fittings(rooms, tracker);
        let contact = config.text("house.security_contact").to_owned();
        let mut public = public_routes(rooms).merge(strangers(contact));
        let mut admin = admin_routes(rooms);
        match rooms.acme.served() {
            Served::Nowhere => {}
            Served::Public => public = public.merge(acme_routes(rooms.acme.clone())),
            Served::Admin => admin = admin.merge(acme_routes(rooms.acme.clone())),
        }
        let public = public.open(&fittings, &settings);
        let admin = admin.open(&fittings, &settings);
        // Whoever hears it in clear must not be told to come by https only (RFC 6797 §7.2).
        let in_clear = DoorSettings { https: false, ..settings.clone() };
        let nobody = Fittings { authenticate: None, idempotency: None, ..fittings.clone() };
        let plain = plain_routes(rooms).open(&nobody, &in_clear);
        // TLS ends here, so no proxy before it can say where somebody comes from; nor is there a page of another site.
        let face_to_face =
            DoorSettings { https: true, trusted_proxies: Vec::new(), cors_origins: Vec::new(), ..settings };
        let entry = partner::Entry::new(rooms, config.text("house.environment"));
        let partners = Fittings { authenticate: Some(Arc::new(entry)), error_page: None, ..fittings };
        let partner = partner_routes(rooms).open(&partners, &face_to_face);
        Ok(Self { public, admin, plain, partner })
    }

    /// The public zone.
    pub fn public(&self) -> Router {
        self.public.service()
    }

    /// The admin zone.
    pub fn admin(&self) -> Router {
        self.admin.service()
    }

    /// What is there in clear beside a public listener with TLS.
    pub fn plain(&self) -> Router {
        self.plain.service()
    }

    /// The partner zone.
    pub fn partner(&self) -> Router {
        self.partner.service()
    }
}

/// The listeners of a house; the zones that have none are not served.
pub struct Listeners {
    /// For everybody.
    pub public: Listener<Public>,
    /// For administrators.
    pub admin: Listener<Admin>,
    /// In clear, beside a public one with TLS.
    pub plain: Option<Listener<Plain>>,
    /// For partners.
    pub partner: Option<Listener<Partner>>,
}

/// A house that this process is: rooms, loops and doors, without listeners.
pub struct Inside {
    /// The rooms.
    pub rooms: Rooms,
    apps: Apps,
    tracker: TaskTracker,
    stop: CancellationToken,
    _lock: Lock,
}

impl Inside {
    /// Settles what a crash left, starts the loops and opens the apps.
    ///
    /// # Errors
    /// The store's; a setting that is wrong.
    pub async fn open(rooms: Rooms, config: &Config, lock: Lock) -> Result<Self> {
        let call = rooms.house.system("audit.open");
        rooms.audit.open(&call, rooms.host()).await?;
        let expected = config.text("audit.expect_checkpoint");
        if !expected.is_empty() {
            let note = crate::commands::read(std::path::Path::new(expected), CHECKPOINT_BYTES_MAX)?;
            rooms.audit.expect(&note).await?;
        }
        tasks::settle(&rooms).await?;
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let rhythm = Rhythm {
            checkpoint_every: config.duration("audit.checkpoint_every"),
            keep_sealed: config.duration("audit.keep_sealed"),
        };
        tasks::start(&rooms, rhythm, &tracker, &stop);
        let apps = Apps::open(&rooms, config, &tracker)?;
        Ok(Self { rooms, apps, tracker, stop, _lock: lock })
    }

    /// The admin zone, for commands that run in this process.
    pub fn admin(&self) -> Router {
        self.apps.admin()
    }

    /// What ends loops and listeners when it is cancelled.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Stops the loops, publishes what is left, closes the store.
    ///
    /// # Errors
    /// The store's.
    pub async fn close(self) -> Result<()> {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        let settled = tasks::settle(&self.rooms).await;
        self.rooms.house.db.close().await;
        if let Err(failure) = self.rooms.keys.close_token().await {
            tracing::warn!(code = failure.code().name, "the token was not closed: {failure}");
        }
        settled
    }
}

fn fittings(rooms: &Rooms, tracker: &TaskTracker) -> Fittings {
    let mut fittings = Fittings::new(Arc::clone(&rooms.house.clock), Arc::clone(&rooms.house.chance));
    fittings.metrics = rooms.metrics.clone();
    fittings.tasks = tracker.clone();
    fittings.authenticate = Some(Arc::new(identity::Entry(rooms.identity.clone())));
    fittings.idempotency = Some(Arc::new(Idempotency::new(rooms.house.clone(), rooms.keys.clone())));
    fittings.error_page = Some(verify::error_page);
    let db = rooms.house.db.clone();
    fittings.checks.add("store", move || {
        let db = db.clone();
        async move { db.read("selo.ready", |_| Ok(())).await }
    });
    fittings
}

fn verifier(rooms: &Rooms) -> verify::Verifier {
    let plugs = Arc::new(Plugs::new(rooms.clone()));
    verify::Verifier::new(plugs, Arc::clone(&rooms.house.clock), &rooms.public_url)
}

/// What partners' programs can reach: what a tenant's program does with an API key, and the check by API.
fn partner_routes(rooms: &Rooms) -> ZoneRouter<Partner> {
    credential::program_routes(rooms.credentials.clone()).merge(verify::program_routes(verifier(rooms)))
}

/// Everything strangers can reach.
fn public_routes(rooms: &Rooms) -> ZoneRouter<Public> {
    verify::public_routes(verifier(rooms))
        .merge(credential::public_routes(rooms.credentials.clone()))
        .merge(audit::public_routes(rooms.audit.clone()))
        .merge(pki::public_routes(rooms.pki.clone()))
}

/// What there is without TLS beside a public listener that speaks it: whatever a check of TLS could need itself. All
/// else is at the public address.
fn plain_routes(rooms: &Rooms) -> ZoneRouter<Plain> {
    let routes = pki::public_routes(rooms.pki.clone());
    match rooms.public_url.starts_with("https://") {
        true => routes.fallback_service(redirecting(&rooms.public_url)),
        false => routes,
    }
}

/// What robots and finders of weaknesses look for (RFC 9309, RFC 9116).
fn strangers(contact: String) -> ZoneRouter<Public> {
    let found = if contact.is_empty() {
        None
    } else {
        Some(format!("Contact: {contact}\nPreferred-Languages: pt, en\n"))
    };
    let security = move || {
        let found = found.clone();
        async move { found.ok_or_else(|| Failure(http_kit::error::NOT_FOUND.error())) }
    };
    ZoneRouter::new()
        .page("/robots.txt", Rules::free(), get(|| async { "User-agent: *\nDisallow: /v/\nDisallow: /r/\n" }))
        .page("/.well-known/security.txt", Rules::free(), get(security))
}

/// Everything administrators can reach.
fn admin_routes(rooms: &Rooms) -> ZoneRouter<Admin> {
    let roof = ZoneRouter::<Admin, Rooms>::new()
        .page("/api/v1/admin/link", Rules::entry(), post(link))
        .page("/openapi.json", Rules::read(), get(openapi))
        .with_state(rooms.clone());
    identity::admin_routes(rooms.identity.clone())
        .merge(credential::admin_routes(rooms.credentials.clone()))
        .merge(audit::admin_routes(rooms.audit.clone()))
        .merge(pki::admin_routes(pki::Doors {
            pki: rooms.pki.clone(),
            proofs: Arc::new(LogProofs(rooms.audit.clone())),
            acme: rooms.acme.clone(),
        }))
        .merge(roof)
        .merge(web::routes())
}

/// A new one-time link; only for the owner of the home, over the local socket.
async fn link(State(rooms): State<Rooms>, caller: Caller) -> Result<Reply<Value>, Failure> {
    if caller.permissions != http_kit::Permissions::All {
        return Err(http_kit::error::NOT_FOUND.error().into());
    }
    let token = rooms.identity.once(&caller.call).await?;
    Ok(Reply::ok(json!({"token": token.expose()})))
}

/// The contract, for the API reference.
async fn openapi() -> Result<axum::Json<Value>, Failure> {
    Ok(axum::Json(contract()?))
}

/// Serves a house until the process is told to stop.
///
/// # Errors
/// `HOME_BUSY`, `HTTP_PORT_TAKEN`, and those of opening a house.
pub async fn run(voice: Voice, cli: &Cli, home: &Home, config: &Config) -> Result<Exit> {
    home.letter()?;
    let lock = home.lock()?.ok_or_else(|| error::HOME_BUSY.error().with("home", home.folder().display()))?;
    let mut tls = Shown::from_config(config)?;
    let mut listeners = Listeners {
        public: Listener::bind(config.text("http.public_listen"), "http.public_listen")
            .await?
            .with_tls(tls.public.clone()),
        admin: Listener::bind(config.text("http.admin_listen"), "http.admin_listen")
            .await?
            .with_tls(tls.admin.clone()),
        plain: bind_if_named(config, "http.plain_listen").await?,
        partner: bind_if_named(config, "http.partner_listen").await?,
    };
    let rooms = house::open_home(home, cli, config).await?;
    rooms.check_token().await?;
    let inside = Inside::open(rooms, config, lock).await?;
    let stop = inside.stop.clone();
    if let (Some(tls), Some(files)) = (tls.public.clone(), tls.files.take()) {
        inside.tracker.spawn(follow_files(tls, files, stop.clone()));
    }
    let mut keepers = tls.keepers(&inside.rooms, config, &listeners);
    keepers.extend(for_database(&inside.rooms, config, home)?);
    if let Some(listener) = listeners.partner.take() {
        let (listener, keeper) = for_partners(&inside, config, listener)?;
        listeners.partner = Some(listener);
        keepers.push(keeper);
    }
    if tls.public.is_some() && !inside.rooms.public_url.starts_with("https://") {
        tracing::warn!(
            url = %inside.rooms.public_url,
            "the public listener speaks TLS, but the public address is http: what is printed and signed names that one"
        );
    }
    let serving = listen(&inside, home, config, listeners)?;
    own::keep(keepers, &inside.tracker, &stop);
    let address = inside.rooms.public_url.to_string();
    tracing::info!(url = %address, "the house is open");
    if !voice.json {
        voice.note(&format!("{} {address}", voice.lang.pick("open at", "aberta em")));
        voice.note(&format!(
            "{} {}",
            voice.lang.pick("administration at", "administração em"),
            house::admin_url(config)
        ));
    }
    until_told(&inside.rooms).await?;
    stop.cancel();
    serving.await;
    inside.close().await?;
    Ok(Exit::Done)
}

/// How the listeners speak TLS, if they do.
struct Shown {
    public: Option<Tls>,
    admin: Option<Tls>,
    /// The files of the public pair.
    files: Option<TlsFiles>,
    /// Whether the public pair is one of the house's own.
    is_own: bool,
}

impl Shown {
    fn from_config(config: &Config) -> Result<Self> {
        let of_public = Pair::of_public(config)?;
        let mut files = match of_public {
            Pair::Files => TlsFiles::from_config(config)?,
            Pair::Off | Pair::Own => None,
        };
        let public = match of_public {
            Pair::Own => Some(Tls::waiting()?),
            _ => files.as_mut().map(|files| files.read().and_then(Tls::new)).transpose()?,
        };
        let admin = match Pair::of_admin(config) {
            Pair::Own => Some(Tls::waiting()?),
            _ => None,
        };
        Ok(Self { public, admin, files, is_own: of_public == Pair::Own })
    }

    /// Who looks after the pairs of the house's own.
    fn keepers(&self, rooms: &Rooms, config: &Config, listeners: &Listeners) -> Vec<Keeper> {
        let mut keepers = Vec::new();
        if let Some(tls) = self.public.as_ref().filter(|_| self.is_own) {
            let address = listeners.public.address();
            keepers.push(keeper(rooms, config, ("public", rooms.host_name()), tls, address));
        }
        if let Some(tls) = &self.admin {
            let host = config.text("http.admin_name");
            keepers.push(keeper(rooms, config, ("admin", host), tls, listeners.admin.address()));
        }
        keepers
    }
}

fn keeper(
    rooms: &Rooms,
    config: &Config,
    (service, host): (&'static str, &str),
    tls: &Tls,
    address: SocketAddr,
) -> Keeper {
    let order = Order::listener(service, host, config.text("house.environment"));
    Keeper::new(rooms.clone(), order, Place::Listener(tls.clone(), address))
}

/// Who looks after the certificates with which the roles of PostgreSQL sign in.
fn for_database(rooms: &Rooms, config: &Config, home: &Home) -> Result<Vec<Keeper>> {
    if config.text("store.engine") != "postgres" || config.text("store.postgres_certificate") != "own" {
        return Ok(Vec::new());
    }
    let mut keepers = Vec::new();
    for key in settings::CERTIFIED_ROLES {
        let Some(url) = config.secret(key)? else { continue };
        let (url, role) = settings::with_own_certificate(key, &url, home)?;
        let order = Order::database(&role.name, rooms.host_name(), config.text("house.environment"));
        keepers.push(Keeper::new(rooms.clone(), order, Place::Database { file: role.file, url }));
    }
    Ok(keepers)
}

/// The listener of partners with its TLS, and who looks after its certificate.
fn for_partners(
    inside: &Inside,
    config: &Config,
    listener: Listener<Partner>,
) -> Result<(Listener<Partner>, Keeper)> {
    let rooms = &inside.rooms;
    let clients = Clients::default();
    let tls = Tls::for_clients(&clients, Arc::clone(&rooms.house.clock))?;
    let environment = config.text("house.environment").to_owned();
    inside.tracker.spawn(partner::follow(rooms.clone(), environment, clients, inside.stop.clone()));
    let host = match config.text("http.partner_name") {
        "" => rooms.host_name(),
        name => name,
    };
    let keeper = keeper(rooms, config, ("partner", host), &tls, listener.address());
    Ok((listener.with_tls(Some(tls)), keeper))
}

async fn bind_if_named<Z: http_kit::Zone>(config: &Config, setting: &str) -> Result<Option<Listener<Z>>> {
    match config.text(setting) {
        "" => Ok(None),
        address => Listener::bind(address, setting).await.map(Some),
    }
}

/// Opens the listeners of a house; what it gives ends when they are closed.
pub(crate) fn listen(
    inside: &Inside,
    home: &Home,
    config: &Config,
    listeners: Listeners,
) -> Result<impl Future<Output = ()> + use<>> {
    let limits = ServerLimits::from_config(config);
    let socket = Socket::bind(&home.socket())?;
    let (apps, stop) = (&inside.apps, &inside.stop);
    let mut all = vec![
        inside.tracker.spawn(listeners.public.serve(apps.public.clone(), limits, stop.clone())),
        inside.tracker.spawn(listeners.admin.serve(apps.admin.clone(), limits, stop.clone())),
        inside.tracker.spawn(socket.serve(apps.admin.clone(), limits, stop.clone())),
    ];
    if let Some(plain) = listeners.plain {
        all.push(inside.tracker.spawn(plain.serve(apps.plain.clone(), limits, stop.clone())));
    }
    if let Some(partner) = listeners.partner {
        all.push(inside.tracker.spawn(partner.serve(apps.partner.clone(), limits, stop.clone())));
    }
    Ok(async move {
        for one in all {
            // A listener that panicked has nothing left to end.
            let _ = one.await;
        }
    })
}

/// Shows the pair that the files hold whenever they change. One that cannot be used leaves the old one in place and is
/// said once: it may be half of a renewal.
async fn follow_files(tls: Tls, mut files: TlsFiles, stop: CancellationToken) {
    let mut complained = false;
    while tokio::time::timeout(TLS_LOOK_EVERY, stop.cancelled()).await.is_err() {
        match files.changed() {
            Ok(None) => {}
            Ok(Some(identity)) => {
                tls.replace(identity);
                complained = false;
                tracing::info!("a new TLS certificate is shown from now on");
            }
            Err(failure) if !complained => {
                complained = true;
                tracing::warn!(
                    code = failure.code().name,
                    "the TLS files changed and cannot be used; the old certificate stays: {failure:?}"
                );
            }
            Err(_) => {}
        }
    }
}

/// Waits for SIGTERM or SIGINT, or until the store says that the process must end.
pub(crate) async fn until_told(rooms: &Rooms) -> Result<()> {
    let broken = |e: std::io::Error| base::error::INTERNAL.because(e);
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        () = rooms.house.db.until_poisoned() => {
            // What the kernel was given may be lost: only a new start tells what is on the disk.
            tracing::error!("the disk refused to keep what was written; the process ends so that recovery can begin");
            std::process::exit(3)
        }
    }
}

/// The contract of both zones, as it is committed.
///
/// # Errors
/// `INTERNAL_ERROR` when it is no JSON, which it is.
pub fn contract() -> Result<Value> {
    let mut contract = verify::contract();
    for part in [identity::contract(), pki::contract(), credential::contract(), audit::contract()] {
        contract.merge(part);
    }
    contract.info.title = "Selo".to_owned();
    contract.info.version = "1".to_owned();
    contract.info.description = Some("Digital trust: issue, check, withdraw, and prove.".to_owned());
    serde_json::to_value(&contract).map_err(|e| base::error::INTERNAL.because(e))
}
