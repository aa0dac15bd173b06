//! Signatures per second on a token: the library alone, and the key ring around it. Run it with `--release`.
//!
//! `cargo run --release -p keys --example token_speed`; SoftHSM is found at `SELO_TEST_SOFTHSM` or at its usual place. The
//! program starts itself again with a token in a folder of its own, and takes `BENCH_SECONDS` for each line:
//! `token-raw` one session that does nothing but sign, `token-raw-many` as many as the ring opens, `token-one` single
//! messages of 64 callers through the ring, `token-batch` batches of 500. The ring also verifies each signature.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops at the first surprise")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use base::{Clock, Id, SystemChance, SystemClock, config::variable, telemetry::Metrics};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use events::House;
use keys::{Algorithm, Keys, Purpose, Succession, Token, TokenSettings};
use store::{Db, Settings};

const USUAL: &str = "/usr/lib/softhsm/libsofthsm2.so";
const FOLDER: &str = "TOKEN_SPEED_FOLDER";
const LABEL: &str = "speed";
const PIN: &str = "2468";
const CALLERS: usize = 64;
const BATCH: usize = 500;
const TURN: usize = 100;

fn main() {
    let library = variable("SELO_TEST_SOFTHSM").map_or_else(|| PathBuf::from(USUAL), PathBuf::from);
    assert!(library.is_file(), "SoftHSM is missing: apt-get install softhsm2");
    if let Some(folder) = variable(FOLDER) {
        return measure(Path::new(&folder), &library);
    }
    let folder = tempfile::tempdir().unwrap();
    let (tokens, conf) = (folder.path().join("tokens"), folder.path().join("softhsm2.conf"));
    std::fs::create_dir(&tokens).unwrap();
    std::fs::write(&conf, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()))
        .unwrap();
    let ended = std::process::Command::new(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .env("SOFTHSM2_CONF", conf)
        .status();
    assert!(ended.unwrap().success(), "the measurement failed");
}

fn measure(folder: &Path, library: &Path) {
    let seconds = variable("BENCH_SECONDS").map_or(2, |text| text.parse().expect("a number of seconds"));
    let length = Duration::from_secs(seconds);
    let (raw, slot) = token(library);
    std::fs::write(folder.join("pin"), PIN).unwrap();
    let settings = TokenSettings {
        library: library.to_owned(),
        label: LABEL.to_owned(),
        pin_file: folder.join("pin"),
        sessions: keys::SESSIONS,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let token = Token::new(settings, Arc::clone(&clock), &Metrics::new());
    keys::create_file(&folder.join("ring.json"), "speed", clock.now(), &SystemChance).unwrap();
    let keys = Keys::new(keys::KeyFile::open(&folder.join("ring.json"), "speed").unwrap(), Some(token));
    let store = Settings::sqlite(folder.join("speed.db"));
    store::migrate(&store, &[events::MIGRATIONS, keys::MIGRATIONS].concat()).unwrap();
    let db = Db::open(&store, Some(events::recorder(Arc::new(keys.clone()), Arc::default()))).unwrap();
    let house = House { db, clock, chance: Arc::new(SystemChance) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let key = runtime.block_on(async {
        let purpose = Purpose::CaIssuing;
        let key = keys.prepare_on_token(Id::NIL, purpose, Algorithm::P256, &house).await.unwrap();
        let (ring, at, made, call) = (keys.clone(), house.clone(), key.clone(), house.system("speed"));
        let install =
            move |tx: &mut store::Tx<'_>| ring.install_signing(tx, &call, &made, Succession::Beside, &at);
        house.db.write("speed.install", install).await.unwrap();
        key.info.id
    });

    let session = raw.open_ro_session(slot).unwrap();
    let private = find(&session, key.uuid().as_bytes());
    line("token-raw", "one session, the library alone", || {
        let (began, mut count) = (Instant::now(), 0);
        while began.elapsed() < length {
            (0..TURN).for_each(|_| drop(session.sign(&Mechanism::Ecdsa, private, &[7; 32]).unwrap()));
            count += TURN;
        }
        count
    });
    line("token-raw-many", "as many sessions as the ring opens, the library alone", || {
        let began = Instant::now();
        std::thread::scope(|scope| {
            let signing = (0..keys::SESSIONS).map(|_| {
                let raw = &raw;
                scope.spawn(move || {
                    let (session, mut count) = (raw.open_ro_session(slot).unwrap(), 0);
                    while began.elapsed() < length {
                        session.sign(&Mechanism::Ecdsa, private, &[7; 32]).unwrap();
                        count += 1;
                    }
                    count
                })
            });
            signing.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).sum()
        })
    });
    for (name, callers, messages, note) in [
        ("token-one", CALLERS, 1, "the key ring, single messages of 64 callers, each verified"),
        ("token-batch", 1, BATCH, "the key ring, batches of 500, each verified"),
    ] {
        line(name, note, || {
            let began = Instant::now();
            runtime.block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                for _ in 0..callers {
                    let (keys, house) = (keys.clone(), house.clone());
                    tasks.spawn(async move {
                        let mut count = 0;
                        while began.elapsed() < length {
                            let planned = vec![vec![7; 700]; messages];
                            count += keys.sign(&house, Id::NIL, key, planned).await.unwrap().len();
                        }
                        count
                    });
                }
                tasks.join_all().await.into_iter().sum()
            })
        });
    }
}

/// A new token, initialised, and its slot.
fn token(library: &Path) -> (Pkcs11, Slot) {
    let raw = Pkcs11::new(library).unwrap();
    raw.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let officer_pin = AuthPin::from("87654321");
    let free = raw.get_slots_with_token().unwrap().into_iter().next().expect("a free slot");
    raw.init_token(free, &officer_pin, LABEL).unwrap();
    let slots = raw.get_slots_with_token().unwrap();
    let ours = |slot: &Slot| raw.get_token_info(*slot).unwrap().label() == LABEL;
    let slot = slots.into_iter().find(ours).expect("the new token");
    let officer = raw.open_rw_session(slot).unwrap();
    officer.login(UserType::So, Some(&officer_pin)).unwrap();
    officer.init_pin(&AuthPin::from(PIN)).unwrap();
    drop(officer);
    (raw, slot)
}

fn find(session: &Session, id: &[u8]) -> ObjectHandle {
    let wanted = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(id.to_vec())];
    session.find_objects(&wanted).unwrap().into_iter().next().expect("the key")
}

/// Runs one measurement and prints its line (`bench/README.md`).
fn line(name: &str, note: &str, work: impl FnOnce() -> usize) {
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let count = u32::try_from(work()).unwrap();
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let (rate, cpu_us) = (f64::from(count) / seconds, cpu / f64::from(count) * 1e6);
    println!("bench: name={name} rate={rate:.1} cpu_us={cpu_us:.2} items={count} note=\"{note}\"");
}

/// User and system seconds of this process (`/proc/self/stat`, 100 ticks a second).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
