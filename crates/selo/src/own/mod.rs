//! Certificates that the house issues to itself: for its listeners, and for its line to PostgreSQL.
//!
//! Each has a keeper of its own. It waits for an authority, asks it as anybody would, puts the new pair into use, and
//! proves by a handshake or a new connection that it is in use. Two thirds through its life, or when it was revoked, another follows.
//! Never here: a key of a listener on a disk, an attempt without a pause after a failure, plain HTTP meanwhile.

mod files;
mod plan;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::{
    Id, Result, Secret, Time,
    telemetry::{Metrics, Sample, SampleKind},
};
use http_kit::{ServerIdentity, Tls, handshake};
use pki::{Asked, AuthorityKind, AuthorityState, Certificate, Grade, Issued, LocalKey, State, WantedNames};
use proof::x509::{
    DnsName, GeneralName, Profile,
    pem::{self, Label},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{error, rooms::Rooms};
use plan::{Life, Patience};

/// How often a keeper looks at its certificate.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Until there is an authority, a keeper looks more often: somebody waits for it.
const WAIT_EVERY: Duration = Duration::from_secs(1);
/// A listener's certificate lasts so long. Its key ends with the process, so what a restart leaves should end soon.
const LISTENER_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// A certificate for PostgreSQL lasts so long: what is stolen with the home ends by itself.
const DATABASE_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// What a certificate of the house is for.
#[derive(Debug, Clone)]
pub struct Order {
    /// The word in figures and logs: `public`, `admin`, `partner`, `postgres selo_app`.
    pub service: String,
    profile: &'static str,
    names: WantedNames,
    /// The role of PostgreSQL that it is for.
    role: Option<String>,
    lifetime: Duration,
    environment: Option<String>,
}

impl Order {
    /// For a listener under a name or an address; `environment` when there are several.
    pub fn listener(service: &str, host: &str, environment: &str) -> Self {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let names = match host.parse::<IpAddr>() {
            Ok(address) => WantedNames { ip: vec![address.to_string()], ..WantedNames::default() },
            Err(_) => WantedNames { dns: vec![host], ..WantedNames::default() },
        };
        let environment = Some(environment.to_owned()).filter(|name| !name.is_empty());
        let service = service.to_owned();
        Self { service, profile: "server", names, role: None, lifetime: LISTENER_LIFE, environment }
    }

    /// For a role of PostgreSQL, from a house under a name.
    pub fn database(role: &str, host: &str, environment: &str) -> Self {
        let names = WantedNames { dns: vec![host.to_owned()], ..WantedNames::default() };
        Self {
            service: format!("postgres {role}"),
            profile: "db-client",
            names,
            role: Some(role.to_owned()),
            lifetime: DATABASE_LIFE,
            ..Self::listener("", host, environment)
        }
    }

    /// The names as a request carries them.
    fn requested(&self) -> Vec<GeneralName> {
        let dns = self.names.dns.iter().filter_map(|name| DnsName::parse(name).ok().map(GeneralName::Dns));
        let ip = self.names.ip.iter().filter_map(|name| name.parse().ok().map(GeneralName::Ip));
        dns.chain(ip).collect()
    }
}

/// Where a certificate is used.
#[derive(Debug, Clone)]
pub enum Place {
    /// A listener, at the address where it really listens.
    Listener(Tls, SocketAddr),
    /// A file that new connections to PostgreSQL read.
    Database {
        /// Chain and key.
        file: PathBuf,
        /// The address whose connections show it.
        url: Secret<String>,
    },
}

/// The certificate in use.
struct Held {
    id: Id<base::id::kind::Certificate>,
    authority: Id<base::id::kind::Authority>,
    life: Life,
    der: Vec<u8>,
    /// Whether it was seen in use.
    proven: bool,
}

/// What a look at a certificate came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// There is no authority yet.
    Waiting,
    /// Nothing to do.
    Kept,
    /// Another one is in use.
    Renewed,
}

/// Keeps one certificate of the house in force.
pub struct Keeper {
    rooms: Rooms,
    order: Order,
    place: Place,
    held: Option<Held>,
    patience: Patience,
}

/// When the certificates in use end, by service, for whoever asks for figures.
#[derive(Clone, Default)]
pub struct Ends(Arc<Mutex<BTreeMap<(&'static str, String), Time>>>);

impl Ends {
    /// The figures of a house.
    pub fn new(metrics: &Metrics) -> Self {
        let ends = Self::default();
        let shown = ends.clone();
        metrics.collect(move || shown.samples());
        ends
    }

    fn samples(&self) -> Vec<Sample> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.iter()
            .map(|((profile, service), end)| Sample {
                name: "selo_cert_not_after_seconds",
                help: "When certificates end, those that end first, in seconds since 1970.",
                kind: SampleKind::Gauge,
                labels: vec![("profile", (*profile).to_owned()), ("service", service.clone())],
                value: end.seconds() as f64,
            })
            .collect()
    }

    fn put(&self, order: &Order, end: Time) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((order.profile, order.service.clone()), end);
    }
}

impl Keeper {
    /// A keeper that holds nothing yet.
    pub fn new(rooms: Rooms, order: Order, place: Place) -> Self {
        Self { rooms, order, place, held: None, patience: Patience::default() }
    }

    /// The certificate in use, DER.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.held.as_ref().map(|held| held.der.as_slice())
    }

    /// Looks at the certificate and renews it when it is due; after a failure not before its pause is over.
    ///
    /// # Errors
    /// The authority's, the store's, `HTTP_TLS_NOT_SHOWN`. The certificate before stays in use.
    pub async fn look(&mut self) -> Result<Looked> {
        let now = self.rooms.house.now();
        if !self.patience.is_over(now) {
            return Ok(Looked::Kept);
        }
        let looked = self.look_now(now).await;
        match &looked {
            Ok(_) => self.patience.calm(),
            Err(_) => self.patience.failed(now),
        }
        looked
    }

    async fn look_now(&mut self, now: Time) -> Result<Looked> {
        if self.held.is_none() {
            self.adopt().await?;
        }
        if let Some(held) = self.held.as_ref().filter(|held| !held.life.is_due(now))
            && self.is_in_force(held).await?
        {
            if !held.proven {
                self.prove().await?;
            }
            return Ok(Looked::Kept);
        }
        if !self.has_authority().await? {
            return Ok(Looked::Waiting);
        }
        let (issued, key) = self.issue().await?;
        self.put(&issued, &key)?;
        self.prove().await?;
        Ok(Looked::Renewed)
    }

    /// Takes up the certificate that a process before left in its file, if it is one of the house's in force.
    async fn adopt(&mut self) -> Result<()> {
        let Place::Database { file, .. } = &self.place else { return Ok(()) };
        let Some(der) = files::leaf(file) else { return Ok(()) };
        let Some(profile) = Profile::from_name(self.order.profile) else { return Ok(()) };
        let environment = self.order.environment.as_deref();
        let known = self.rooms.pki.shown_by_client(&der, profile, environment).await?;
        if let Some(certificate) = known.filter(|known| Some(&known.subject) == self.order.role.as_ref()) {
            self.hold(&certificate, der);
        }
        Ok(())
    }

    /// Whether an authority could issue it; an attempt without one would only be refused, and a refusal is recorded.
    async fn has_authority(&self) -> Result<bool> {
        let all = self.rooms.pki.authorities(Id::NIL).await?;
        let mut able = all.iter().filter(|one| {
            one.kind == AuthorityKind::Issuing
                && one.state == AuthorityState::Active
                && self.order.environment.as_ref().is_none_or(|name| *name == one.environment)
        });
        Ok(able.next().is_some())
    }

    /// Whether neither the certificate nor its authority was revoked.
    async fn is_in_force(&self, held: &Held) -> Result<bool> {
        let certificate = self.rooms.pki.certificate(Id::NIL, &held.id.to_string()).await?;
        let authorities = self.rooms.pki.authorities(Id::NIL).await?;
        let is_trusted =
            authorities.iter().any(|one| one.id == held.authority && one.state != AuthorityState::Revoked);
        Ok(certificate.state == State::Issued && is_trusted)
    }

    async fn issue(&self) -> Result<(Issued, LocalKey)> {
        let key = pki::local_key()?;
        let request = pki::request_der(&key, &self.order.requested())?;
        let asked = Asked {
            profile: self.order.profile.to_owned(),
            names: self.order.names.clone(),
            csr: Some(pem::encode(Label::CertificateRequest, &request)),
            lifetime: Some(self.order.lifetime),
            common_name: self.order.role.clone(),
            owner: format!("selo {}", self.order.service),
            environment: self.order.environment.clone(),
            source: "internal".to_owned(),
            ..Asked::default()
        };
        let call = self.rooms.house.system("own.renew");
        Ok((self.rooms.pki.issue(&call, Id::NIL, Grade::House, asked).await?, key))
    }

    /// Puts a new pair into use.
    fn put(&mut self, issued: &Issued, key: &LocalKey) -> Result<()> {
        let der = issued.certificate.der.clone().ok_or_else(|| base::error::INTERNAL.error())?;
        let mut chain = pem::encode(Label::Certificate, &der);
        chain.extend(issued.chain.iter().map(|above| pem::encode(Label::Certificate, above)));
        match &self.place {
            Place::Listener(tls, _) => {
                tls.replace(ServerIdentity::from_pem(chain.as_bytes(), key.pem.expose().as_bytes())?);
            }
            Place::Database { file, .. } => files::replace(file, &chain, &key.pem)?,
        }
        self.hold(&issued.certificate, der);
        Ok(())
    }

    fn hold(&mut self, certificate: &Certificate, der: Vec<u8>) {
        let dice: [u8; 8] = self.rooms.house.chance.bytes();
        let life = Life::new(certificate.not_before, certificate.not_after, dice);
        self.rooms.ends.put(&self.order, certificate.not_after);
        self.held =
            Some(Held { id: certificate.id, authority: certificate.authority, life, der, proven: false });
    }

    /// Sees that the pair is in use.
    async fn prove(&mut self) -> Result<()> {
        let Some(held) = self.held.as_mut() else { return Ok(()) };
        match &self.place {
            Place::Listener(_, address) => handshake::shows(*address, &held.der).await?,
            Place::Database { url, .. } => {
                let url = url.clone();
                let shown = tokio::task::spawn_blocking(move || store::certificate_shown(&url))
                    .await
                    .map_err(|e| base::error::INTERNAL.because(e))??;
                if shown != files::serial(&held.der) {
                    return Err(error::OWN_UNUSED.error().with("service", &self.order.service));
                }
            }
        }
        held.proven = true;
        Ok(())
    }
}

/// Keeps certificates until the house stops. A failure is said once, until its reason changes.
pub fn keep(keepers: Vec<Keeper>, tracker: &TaskTracker, stop: &CancellationToken) {
    for mut keeper in keepers {
        let stop = stop.clone();
        tracker.spawn(async move {
            let mut told: Option<&'static str> = None;
            let mut pause = Duration::ZERO;
            while tokio::time::timeout(pause, stop.cancelled()).await.is_err() {
                let service = keeper.order.service.as_str().to_owned();
                pause = LOOK_EVERY;
                match keeper.look().await {
                    Ok(Looked::Kept) => {}
                    Ok(Looked::Renewed) => {
                        told = None;
                        tracing::info!(service, "a new certificate of the house's own is in use");
                    }
                    Ok(Looked::Waiting) => {
                        pause = WAIT_EVERY;
                        if told.replace("") != Some("") {
                            tracing::warn!(
                                service,
                                "no certificate of the house's own before there is an authority: selo pki init"
                            );
                        }
                    }
                    Err(failure) => {
                        let code = failure.code().name;
                        if told.replace(code) != Some(code) {
                            tracing::error!(
                                service,
                                code,
                                "no new certificate for the house itself: {failure:?}"
                            );
                        }
                    }
                }
            }
        });
    }
}
