//! A whole house for tests: every room open, the clock in the test's hand, the dice seeded.
//!
//! Requests go through the real doors of both zones, without sockets. Nothing here sleeps, and nothing here decides:
//! what a test sees is what a user would see.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{Method, Request, header},
};
use base::{Chance, Clock, MockClock, Secret, SeededChance, SystemChance, Time, config::Config};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_kit::Peer;
use selo::{
    home::{Home, Letter},
    rooms::{self, Rooms},
    serve::Apps,
    tasks,
};
use serde_json::{Value, json};
use store::Settings;
use tower::ServiceExt;

/// When the tests' clock begins: 1 August 2026, noon.
pub const BEGIN: &str = "2026-08-01T12:00:00Z";
/// The tests' public address.
pub const PUBLIC_URL: &str = "http://localhost:8080";

/// A house of a test.
pub struct TestHouse {
    /// The rooms.
    pub rooms: Rooms,
    /// The clock, to be turned.
    pub clock: Arc<MockClock>,
    /// The home.
    pub home: Home,
    /// The doors, for tests with listeners of their own.
    pub apps: Apps,
    settings: Settings,
    flags: Vec<(String, String)>,
    /// The maintenance address and the name of the database, on PostgreSQL.
    postgres: Option<(String, String)>,
    _folder: Arc<tempfile::TempDir>,
}

/// A house as it stood once: its home and its database.
pub struct Backup {
    home: tempfile::TempDir,
    database: Option<String>,
}

/// An answer of a door.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The `data` of a success.
    pub fn data(&self) -> Value {
        let body = self.json();
        assert_eq!(body["success"], true, "{body}");
        body["data"].clone()
    }

    /// The error's code.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The places of engines that can be tested here: SQLite always, PostgreSQL when `SELO_TEST_POSTGRES` names one.
pub async fn engines() -> Vec<TestHouse> {
    let mut houses = vec![TestHouse::new().await];
    match selo_test_postgres() {
        Some(url) => houses.push(TestHouse::on_postgres(&url).await),
        None => eprintln!("SELO_TEST_POSTGRES is not set: this test ran on SQLite only"),
    }
    houses
}

fn selo_test_postgres() -> Option<String> {
    base::config::variable("SELO_TEST_POSTGRES")
}

impl TestHouse {
    /// A new house on SQLite.
    pub async fn new() -> Self {
        Self::at(PUBLIC_URL).await
    }

    /// A new house on SQLite under another public address.
    pub async fn at(public_url: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let home = Home::at(folder.path().join("home"));
        let settings = Settings { reserve_bytes: 0, ..Settings::sqlite(home.database()) };
        Self::make(folder, home, settings, public_url).await
    }

    /// A new house on a PostgreSQL that this test may make databases and roles in.
    pub async fn on_postgres(url: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let home = Home::at(folder.path().join("home"));
        let name = format!("selo_test_{}", (&SystemChance as &dyn Chance).handle());
        let (at, called) = (url.to_owned(), name.clone());
        let make = move || {
            store::bootstrap::create(&Secret::new(at), &called, &store::bootstrap::Passwords::default())
        };
        let settings = tokio::task::spawn_blocking(make).await.unwrap().unwrap();
        let mut house = Self::make(folder, home, settings, PUBLIC_URL).await;
        house.postgres = Some((url.to_owned(), name));
        house
    }

    async fn make(folder: Arc<tempfile::TempDir>, home: Home, settings: Settings, url: &str) -> Self {
        home.make().unwrap();
        let clock = Arc::new(MockClock::at(Time::parse(BEGIN).unwrap()));
        let chance = SeededChance::new(7);
        keys::create_file(&home.key_file(), "test", clock.now(), &chance).unwrap();
        let copy = settings.clone();
        tokio::task::spawn_blocking(move || store::migrate(&copy, &rooms::migrations()))
            .await
            .unwrap()
            .unwrap();
        let house = Self::open(folder, home, settings, clock, url, (11, Vec::new())).await;
        let call = house.rooms.house.system("init");
        house.rooms.audit.open(&call, url.split_once("://").unwrap().1).await.unwrap();
        house.rooms.identity.create_administrator(&call, "administrator").await.unwrap();
        house.home.seal(&Letter { format: 1, public_url: url.to_owned() }).unwrap();
        house.settle().await;
        house
    }

    async fn open(
        folder: Arc<tempfile::TempDir>,
        home: Home,
        settings: Settings,
        clock: Arc<MockClock>,
        url: &str,
        (seed, flags): (u64, Vec<(String, String)>),
    ) -> Self {
        let keys = keys::Keys::new(keys::KeyFile::open(&home.key_file(), "test").unwrap(), None);
        let chance = Arc::new(SeededChance::new(seed));
        let metrics = base::telemetry::Metrics::new();
        let as_clock: Arc<dyn Clock> = clock.clone();
        let (to, store, at) = (home.clone(), settings.clone(), url.to_owned());
        let config = Config::load(&rooms::settings_table(), None, std::iter::empty(), &flags).unwrap();
        let copy = config.clone();
        let open = move || Rooms::open(&to, &copy, &store, keys, &at, as_clock, chance, metrics);
        let rooms = tokio::task::spawn_blocking(open).await.unwrap().unwrap();
        let apps = Apps::open(&rooms, &config, &Default::default()).unwrap();
        Self { rooms, clock, home, apps, settings, flags, postgres: None, _folder: folder }
    }

    /// The same house after the process ended without a word and was started again.
    pub async fn restart(self) -> Self {
        let house = self.reopen().await;
        tasks::settle(&house.rooms).await.unwrap();
        house
    }

    async fn reopen(self) -> Self {
        self.rooms.house.db.close().await;
        // Long enough for the leases of the process before to run out.
        self.clock.advance(Duration::from_secs(31));
        // Other dice: a process that starts anew does not repeat the ids of the one before.
        let seed = u64::try_from(self.clock.now().micros()).unwrap() ^ 0x5e10;
        let url = self.rooms.public_url.to_string();
        let mut house =
            Self::open(self._folder, self.home, self.settings, self.clock, &url, (seed, self.flags)).await;
        house.postgres = self.postgres;
        house
    }

    /// Copies home and database while nobody is the house, and opens it again.
    pub async fn back_up(self) -> (Self, Backup) {
        self.rooms.house.db.close().await;
        let home = tempfile::tempdir().unwrap();
        copy(self.home.folder(), home.path());
        let database = self.postgres.as_ref().map(|(url, name)| {
            let kept = format!("{name}_kept");
            psql(url, &format!("create database {kept} template {name}"), name);
            kept
        });
        (self.restart().await, Backup { home, database })
    }

    /// The house as it stood in a backup, opened and not settled: what comes first is the test's to do.
    pub async fn put_back(self, backup: &Backup) -> Self {
        self.rooms.house.db.close().await;
        let home = self.home.folder().to_path_buf();
        std::fs::remove_dir_all(&home).unwrap();
        copy(backup.home.path(), &home);
        if let (Some((url, name)), Some(kept)) = (&self.postgres, &backup.database) {
            psql(url, &format!("drop database {name} with (force)"), name);
            psql(url, &format!("create database {name} template {kept}"), kept);
        }
        self.reopen().await
    }

    /// The same house, started again under other settings.
    pub async fn set(mut self, settings: &[(&str, &str)]) -> Self {
        self.flags = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.restart().await
    }

    /// Everything that would happen by itself: facts placed, subscribers told, checkpoints signed.
    pub async fn settle(&self) {
        self.clock.advance(Duration::from_millis(1));
        tasks::settle(&self.rooms).await.unwrap();
    }

    /// A request to the admin zone by the owner of the home.
    pub async fn admin(&self, method: Method, path: &str, media: &str, body: impl Into<Body>) -> Answer {
        let mut request = request(method, path, media, body);
        request.extensions_mut().insert(Peer::Owner);
        answer(self.apps.admin(), request).await
    }

    /// A request to the admin zone by somebody with these headers.
    pub async fn admin_as(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let mut request = request(method, path, "application/json", body.to_string());
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        answer(self.apps.admin(), request).await
    }

    /// GET in the admin zone by the owner.
    pub async fn get(&self, path: &str) -> Answer {
        self.admin(Method::GET, path, "", Body::empty()).await
    }

    /// POST of JSON in the admin zone by the owner.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.admin(Method::POST, path, "application/json", body.to_string()).await
    }

    /// A request to the public zone by a stranger.
    pub async fn public(&self, method: Method, path: &str, media: &str, body: impl Into<Body>) -> Answer {
        answer(self.apps.public(), request(method, path, media, body)).await
    }

    /// A request to the public zone by a stranger with these headers.
    pub async fn public_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = request(method, path, "", body);
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        answer(self.apps.public(), request).await
    }

    /// GET in the public zone. A whole address of the house is cut to its path.
    pub async fn public_get(&self, path: &str) -> Answer {
        self.public(
            Method::GET,
            path.strip_prefix(&*self.rooms.public_url).unwrap_or(path),
            "",
            Body::empty(),
        )
        .await
    }

    /// Holds a ceremony as the command line does; the certificates of the root and of the issuing authority.
    pub async fn hierarchy(&self, order: Value) -> (Vec<u8>, Vec<u8>) {
        let root = keys::OfflineKey::generate(keys::Algorithm::P384, &SystemChance).unwrap();
        let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
        let planned =
            self.post("/api/v1/pki/init", json!({"order": order, "rootPublicKey": spki})).await.data();
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        let sign = |name: &str| {
            STANDARD.encode(root.sign(&STANDARD.decode(text(&planned, name)).unwrap()).unwrap().x509())
        };
        let signed = json!({"root": sign("root"), "issuing": sign("issuing"), "crl": sign("crl")});
        let path = format!("/api/v1/pki/init/{}/finish", text(&planned, "id"));
        let made = self.post(&path, signed).await.data();
        let der = |name: &str| {
            proof::x509::pem::one(text(&made, name).as_bytes(), proof::x509::pem::Label::Certificate).unwrap()
        };
        (der("root"), der("issuing"))
    }

    /// Makes a tenant; its `{id, name, did}`.
    pub async fn tenant(&self, name: &str) -> Value {
        self.post("/api/v1/tenants", json!({"name": name})).await.data()
    }

    /// Issues a diploma; its summary.
    pub async fn issue(&self, name: &str, email: &str) -> Value {
        let row = json!({
            "name": name, "email": email, "degree": "Licenciatura em Direito", "field": "Direito",
            "grade": "17 (dezassete) valores", "date": "2026-07-31",
        });
        self.post("/api/v1/credentials", json!({"template": "diploma", "row": row})).await.data()
    }
}

/// Copies a folder with what is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, target) = {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            (entry, target)
        };
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs a statement at the maintenance database, after whoever still holds `database` was sent away.
fn psql(url: &str, statement: &str, database: &str) {
    let away = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'");
    for text in [away.as_str(), statement] {
        let ran = std::process::Command::new("psql")
            .args(["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "--dbname", url, "--command", text])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}

fn request(method: Method, path: &str, media: &str, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
    if !media.is_empty() {
        request = request.header(header::CONTENT_TYPE, media);
    }
    let mut request = request.body(body.into()).unwrap();
    request.extensions_mut().insert(Peer::Network(([127, 0, 0, 1], 40_000).into()));
    request
}

async fn answer(router: axum::Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let body = axum::body::to_bytes(response.into_body(), 256 * 1024 * 1024).await.unwrap();
    Answer { status, headers, body }
}
