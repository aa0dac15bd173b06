//! What the tests of this crate share: a house of its own for each test, and a SoftHSM token in a process of its own.
//!
//! SoftHSM finds its folder by a variable of the process, and a PKCS#11 library is initialised for a whole process. So
//! a test that needs a token runs itself again as a child with that variable; nothing is shared between two tests.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test file uses its part of this; a test may fail by panic"
)]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use base::{
    Chance, Clock, Id, MockClock, Secret, SystemChance, Time, config::variable, id::kind, telemetry::Metrics,
};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use events::House;
use keys::{Keys, PreparedKey, Succession, Token, TokenSettings};
use store::{Db, Migration, Settings};

/// The name of the test whose child this process is.
const CHILD: &str = "SELO_TEST_CHILD";
const FOLDER: &str = "SELO_TEST_CHILD_FOLDER";
/// Where SoftHSM's library is, when not at a usual place.
const LIBRARY: &str = "SELO_TEST_SOFTHSM";
const USUAL: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];

pub const TENANT: Id<kind::Tenant> = Id::NIL;
pub const LABEL: &str = "selo";
pub const PIN: &str = "2468";
const OFFICER_PIN: &str = "87654321";
/// P-256 as `CKA_EC_PARAMS` names it.
pub const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

pub fn tables() -> Vec<Migration> {
    [events::MIGRATIONS, keys::MIGRATIONS].concat()
}

/// A database of each engine that can be tested here, empty.
pub fn engines(folder: &Path) -> Vec<Settings> {
    let sqlite = Settings { reserve_bytes: 0, ..Settings::sqlite(folder.join("selo.db")) };
    let Some(url) = variable("SELO_TEST_POSTGRES") else {
        eprintln!("SELO_TEST_POSTGRES is not set: this test ran on SQLite only");
        return vec![sqlite];
    };
    let name = format!("selo_test_{}", (&SystemChance as &dyn Chance).handle());
    let passwords = store::bootstrap::Passwords::default();
    vec![sqlite, store::bootstrap::create(&Secret::new(url), &name, &passwords).unwrap()]
}

/// A house with a key ring and nothing else.
pub struct TestHouse {
    pub house: House,
    pub keys: Keys,
    pub clock: Arc<MockClock>,
    pub metrics: Metrics,
}

impl TestHouse {
    /// Opens a house on a database that is migrated, with the key file beside it.
    pub async fn open(folder: &Path, store: &Settings, token: Option<TokenSettings>) -> Self {
        let clock = Arc::new(MockClock::at(Time::from_seconds(1_790_000_000)));
        let metrics = Metrics::new();
        let ring = folder.join("ring.json");
        if !ring.exists() {
            keys::create_file(&ring, "test", clock.now(), &SystemChance).unwrap();
        }
        let as_clock: Arc<dyn Clock> = clock.clone();
        let token = token.map(|settings| Token::new(settings, as_clock, &metrics));
        let keys = Keys::new(keys::KeyFile::open(&ring, "test").unwrap(), token);
        let recorder = events::recorder(Arc::new(keys.clone()), Arc::default());
        let store = store.clone();
        let db = tokio::task::spawn_blocking(move || Db::open(&store, Some(recorder)));
        let db = db.await.unwrap().unwrap();
        Self {
            house: House { db, clock: clock.clone(), chance: Arc::new(SystemChance) },
            keys,
            clock,
            metrics,
        }
    }

    /// Another key ring on the same database.
    pub fn with_token(&self, folder: &Path, token: Option<TokenSettings>) -> Self {
        let as_clock: Arc<dyn Clock> = self.clock.clone();
        let metrics = Metrics::new();
        let token = token.map(|settings| Token::new(settings, as_clock, &metrics));
        let keys = Keys::new(keys::KeyFile::open(&folder.join("ring.json"), "test").unwrap(), token);
        Self { house: self.house.clone(), keys, clock: self.clock.clone(), metrics }
    }

    pub async fn install(&self, key: &PreparedKey, succession: Succession) -> base::Result<()> {
        let (keys, house, key, call) =
            (self.keys.clone(), self.house.clone(), key.clone(), self.house.system("test"));
        self.house
            .db
            .write("test.install", move |tx| keys.install_signing(tx, &call, &key, succession, &house))
            .await
    }

    /// Ends the house as a process would that is told to stop.
    pub async fn close(&self) {
        self.house.db.close().await;
        self.keys.close_token().await.unwrap();
    }

    /// The value of a figure without labels.
    pub fn figure(&self, name: &str) -> f64 {
        let text = self.metrics.expose();
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).split(' ').next_back().unwrap().parse().unwrap()
    }
}

/// A SoftHSM token in this process.
pub struct Hsm {
    pub folder: PathBuf,
    library: PathBuf,
    /// The library as another program would hold it; ours initialises it again.
    raw: Pkcs11,
}

/// Runs `body` with a token, in a process of its own. Without SoftHSM it says so where it is seen.
pub fn on_a_token(name: &str, body: impl AsyncFnOnce(Hsm)) {
    let usual = || USUAL.iter().map(PathBuf::from).find(|path| path.is_file());
    let Some(library) = variable(LIBRARY).map(PathBuf::from).or_else(usual) else {
        // Past the harness, which keeps what a good test says to itself.
        let said = writeln!(
            std::io::stderr(),
            "NOT RUN: {name}: SoftHSM is missing (apt-get install softhsm2, or name its library in {LIBRARY})"
        );
        said.unwrap();
        return;
    };
    if variable(CHILD).as_deref() == Some(name) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(body(Hsm::new(PathBuf::from(variable(FOLDER).unwrap()), library)));
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tokens")).unwrap();
    let conf = folder.path().join("softhsm2.conf");
    let tokens = folder.path().join("tokens");
    fs::write(&conf, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display())).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .envs([
            (CHILD, name.as_ref()),
            (FOLDER, folder.path().as_os_str()),
            ("SOFTHSM2_CONF", conf.as_os_str()),
        ])
        .output()
        .unwrap();
    let (said, warned) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{name} failed: {}\n{said}\n{warned}", child.status);
    assert!(said.contains("1 passed"), "{name} did not run:\n{said}\n{warned}");
    eprint!("{warned}");
}

fn pin(text: &str) -> AuthPin {
    AuthPin::from(text)
}

impl Hsm {
    fn new(folder: PathBuf, library: PathBuf) -> Self {
        let raw = Pkcs11::new(&library).unwrap();
        let hsm = Self { folder, library, raw };
        hsm.initialise();
        let free = hsm.raw.get_slots_with_token().unwrap()[0];
        hsm.raw.init_token(free, &pin(OFFICER_PIN), LABEL).unwrap();
        let officer = hsm.raw.open_rw_session(hsm.slot()).unwrap();
        officer.login(UserType::So, Some(&pin(OFFICER_PIN))).unwrap();
        officer.init_pin(&pin(PIN)).unwrap();
        drop(officer);
        hsm.raw.clone().finalize().unwrap();
        hsm.write_pin(PIN);
        hsm
    }

    fn initialise(&self) {
        self.raw.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    }

    fn slot(&self) -> Slot {
        let mut slots = self.raw.get_slots_with_token().unwrap().into_iter();
        slots.find(|slot| self.raw.get_token_info(*slot).unwrap().label() == LABEL).unwrap()
    }

    pub fn settings(&self) -> TokenSettings {
        TokenSettings {
            library: self.library.clone(),
            label: LABEL.to_owned(),
            pin_file: self.folder.join("pin"),
            sessions: 3,
        }
    }

    /// Writes the PIN file that the settings name.
    pub fn write_pin(&self, text: &str) {
        fs::write(self.folder.join("pin"), format!("{text}\n")).unwrap();
    }

    /// A house on each engine, with this token.
    pub async fn houses(&self) -> Vec<TestHouse> {
        let folder = self.folder.clone();
        let make = move || {
            let engines = engines(&folder);
            engines.iter().for_each(|store| drop(store::migrate(store, &tables()).unwrap()));
            engines
        };
        let mut houses = Vec::new();
        for store in tokio::task::spawn_blocking(make).await.unwrap() {
            houses.push(TestHouse::open(&self.folder, &store, Some(self.settings())).await);
        }
        houses
    }

    /// One house on SQLite.
    pub async fn house(&self) -> TestHouse {
        let mut houses = self.houses().await;
        houses.truncate(1);
        houses.pop().unwrap()
    }

    /// The token forgets its sessions, as one does that was switched off and on.
    pub fn restart(&self) {
        self.raw.clone().finalize().unwrap();
        self.initialise();
    }

    /// Somebody logs the token out.
    pub fn log_out(&self) {
        self.raw.open_ro_session(self.slot()).unwrap().logout().unwrap();
    }

    /// Somebody changes the user's PIN.
    pub fn change_pin(&self, old: &str, new: &str) {
        self.raw.open_rw_session(self.slot()).unwrap().set_pin(&pin(old), &pin(new)).unwrap();
    }

    /// Whether a wrong PIN was given since the last login.
    pub fn saw_a_wrong_pin(&self) -> bool {
        self.raw.get_token_info(self.slot()).unwrap().user_pin_count_low()
    }

    /// Pulls the token out.
    pub fn take_away(&self) {
        fs::rename(self.folder.join("tokens"), self.folder.join("away")).unwrap();
    }

    /// Puts it in again.
    pub fn bring_back(&self) {
        fs::rename(self.folder.join("away"), self.folder.join("tokens")).unwrap();
    }

    /// A session of another program, which shares the login of this process.
    pub fn session(&self) -> Session {
        self.raw.open_rw_session(self.slot()).unwrap()
    }
}

impl Drop for Hsm {
    /// SoftHSM crashes when a process ends with it initialised; here it may be so by [`Hsm::restart`].
    fn drop(&mut self) {
        let _ = self.raw.clone().finalize();
    }
}

/// The objects of a key, as another program sees them.
pub fn objects(session: &Session, class: ObjectClass, id: Id<kind::SigningKey>) -> Vec<ObjectHandle> {
    session.find_objects(&[Attribute::Class(class), Attribute::Id(id.uuid().as_bytes().to_vec())]).unwrap()
}

/// Puts another key pair under the name of a key.
pub fn forge(session: &Session, id: Id<kind::SigningKey>) {
    let names = [
        Attribute::Token(true),
        Attribute::Id(id.uuid().as_bytes().to_vec()),
        Attribute::Label(id.to_string().into_bytes()),
    ];
    let public = [&names[..], &[Attribute::EcParams(P256.to_vec())]].concat();
    let private = [&names[..], &[Attribute::Private(true), Attribute::Sign(true)]].concat();
    session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
}
