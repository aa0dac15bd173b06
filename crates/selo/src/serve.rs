//! Serving a house: its doors, its loops, and a graceful end.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use base::{Result, config::Config};
use http_kit::{
    Admin, App, Caller, DoorSettings, Failure, Fittings, Listener, Public, Reply, Rules, ServerLimits,
    Socket, Tls, TlsFiles, ZoneRouter,
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
    plugs::{LogProofs, Plugs},
    rooms::Rooms,
    tasks::{self, Rhythm},
    web,
};

/// The files of the TLS pair are looked at so often.
const TLS_LOOK_EVERY: Duration = Duration::from_secs(5);

/// The doors of a house, without listeners.
pub struct Apps {
    public: App<Public>,
    admin: App<Admin>,
}

impl Apps {
    /// Opens both zones; `tracker` is what stopping waits for.
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
        Ok(Self { public, admin })
    }

    /// The public zone.
    pub fn public(&self) -> Router {
        self.public.service()
    }

    /// The admin zone.
    pub fn admin(&self) -> Router {
        self.admin.service()
    }
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

/// Everything strangers can reach.
fn public_routes(rooms: &Rooms) -> ZoneRouter<Public> {
    verify::public_routes(verify::Verifier::new(
        Arc::new(Plugs::new(rooms.clone())),
        Arc::clone(&rooms.house.clock),
        &rooms.public_url,
    ))
    .merge(credential::public_routes(rooms.credentials.clone()))
    .merge(audit::public_routes(rooms.audit.clone()))
    .merge(pki::public_routes(rooms.pki.clone()))
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
    let mut files = TlsFiles::from_config(config)?;
    let tls = files.as_mut().map(|files| files.read().and_then(Tls::new)).transpose()?;
    let public = Listener::<Public>::bind(config.text("http.public_listen"), "http.public_listen")
        .await?
        .with_tls(tls.clone());
    let admin = Listener::<Admin>::bind(config.text("http.admin_listen"), "http.admin_listen").await?;
    let rooms = house::open_home(home, cli, config).await?;
    rooms.check_token().await?;
    let inside = Inside::open(rooms, config, lock).await?;
    let stop = inside.stop.clone();
    if let (Some(tls), Some(files)) = (tls, files) {
        inside.tracker.spawn(follow_files(tls, files, stop.clone()));
    }
    let serving = listen(&inside, home, config, public, admin)?;
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

/// Opens the listeners of a house; what it gives ends when they are closed.
pub(crate) fn listen(
    inside: &Inside,
    home: &Home,
    config: &Config,
    public: Listener<Public>,
    admin: Listener<Admin>,
) -> Result<impl Future<Output = ()> + use<>> {
    let limits = ServerLimits::from_config(config);
    let socket = Socket::bind(&home.socket())?;
    let stop = inside.stop.clone();
    let all = (
        inside.tracker.spawn(public.serve(inside.apps.public.clone(), limits, stop.clone())),
        inside.tracker.spawn(admin.serve(inside.apps.admin.clone(), limits, stop.clone())),
        inside.tracker.spawn(socket.serve(inside.apps.admin.clone(), limits, stop)),
    );
    Ok(async move {
        // A listener that panicked has nothing left to end.
        let _ = tokio::join!(all.0, all.1, all.2);
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
