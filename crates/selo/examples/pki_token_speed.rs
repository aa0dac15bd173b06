//! Certificates per second with the issuing key on a token, beside what the token's library signs alone. Run it with
//! `--release`.
//!
//! `cargo run --release -p selo --example pki_token_speed`; SoftHSM is found at `SELO_TEST_SOFTHSM` or at its usual place.
//! The program starts itself again with a token in a folder of its own. `pki-token-raw` is one session that does nothing but
//! sign, before and after the other; `pki-token-issue` are certificates that are planned, linted, signed on the token,
//! verified, logged and durable, 64 in flight.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops at the first surprise")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use base::{
    Id,
    config::{Config, variable},
    id::kind::SigningKey,
};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, ObjectClass},
    session::UserType,
    slot::Slot,
    types::AuthPin,
};
use keys::{Algorithm, OfflineKey};
use pki::{Asked, CeremonyOrder, Grade, RootSignatures};
use proof::x509::{
    DnsName, GeneralName,
    pem::{self, Label},
};
use selo::{
    cli::Cli,
    commands::house,
    home::Home,
    rooms::{self, Rooms},
};

const USUAL: &str = "/usr/lib/softhsm/libsofthsm2.so";
const FOLDER: &str = "PKI_TOKEN_SPEED_FOLDER";
const LABEL: &str = "speed";
const PIN: &str = "2468";
const IN_FLIGHT: usize = 64;
const CERTIFICATES: usize = 6_000;
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
    let (raw, slot) = token(library);
    std::fs::write(folder.join("pin"), PIN).unwrap();
    let sessions = variable("BENCH_SESSIONS").unwrap_or_else(|| keys::SESSIONS.to_string());
    let flags = [
        ("pki.keys", "token".to_owned()),
        ("keys.token.library", library.display().to_string()),
        ("keys.token.label", LABEL.to_owned()),
        ("keys.token.pin_file", folder.join("pin").display().to_string()),
        ("keys.token.sessions", sessions),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (rooms, key) = runtime.block_on(async {
        let config = Config::load(&rooms::settings_table(), None, std::iter::empty(), &flags).unwrap();
        let cli = <Cli as clap::Parser>::try_parse_from(["selo", "serve"]).unwrap();
        let home = Home::at(folder.join("home"));
        house::make(&home, &cli, &config, "http://localhost:8080").await.unwrap();
        let rooms = house::open_home(&home, &cli, &config).await.unwrap();
        let key = hierarchy(&rooms).await;
        (rooms, key)
    });
    let requests = requests();
    let alone = |name| {
        line(name, "one session, the library alone", || {
            let session = raw.open_ro_session(slot).unwrap();
            let wanted =
                [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(key.uuid().as_bytes().to_vec())];
            let private = session.find_objects(&wanted).unwrap().into_iter().next().expect("the key");
            let (began, mut count) = (Instant::now(), 0);
            while began.elapsed() < Duration::from_secs(seconds) {
                (0..TURN).for_each(|_| drop(session.sign(&Mechanism::Ecdsa, private, &[7; 32]).unwrap()));
                count += TURN;
            }
            count
        });
    };
    alone("pki-token-raw");
    let commits = rooms.house.db.figures().commits;
    let note = format!(
        "planned, linted, signed on the token, verified, logged; {IN_FLIGHT} in flight, durable (fsync)"
    );
    line("pki-token-issue", &note, || runtime.block_on(issue(&rooms, &requests)));
    eprintln!("{} commits", rooms.house.db.figures().commits - commits);
    alone("pki-token-raw-again");
    runtime.block_on(async {
        rooms.house.db.close().await;
        rooms.keys.close_token().await.unwrap();
    });
}

/// A hierarchy whose issuing key is on the token; that key.
async fn hierarchy(rooms: &Rooms) -> Id<SigningKey> {
    let call = rooms.house.system("speed");
    let root = OfflineKey::generate(Algorithm::P384, &*rooms.house.chance).unwrap();
    let order = CeremonyOrder { permitted_dns: vec!["speed.test".to_owned()], ..CeremonyOrder::default() };
    let spki = pki::root_spki(root.public()).unwrap();
    let planned = rooms.pki.plan_ceremony(&call, Id::NIL, order, &spki).await.unwrap();
    let signed = |bytes: &[u8]| root.sign(bytes).unwrap().x509();
    let signatures = RootSignatures {
        root: signed(&planned.root_tbs),
        issuing: signed(&planned.issuing_tbs),
        crl: signed(&planned.crl_tbs),
        shares: Vec::new(),
    };
    rooms.pki.finish_ceremony(&call, Id::NIL, planned.id.unwrap(), signatures).await.unwrap();
    let all = rooms.pki.authorities(Id::NIL).await.unwrap();
    all.into_iter().find_map(|one| one.key).expect("the issuing authority's key")
}

/// Requests by keys of their own, made before anything is measured.
fn requests() -> Arc<Vec<String>> {
    let one = |number: usize| {
        let name = DnsName::parse(&format!("s{number}.speed.test")).unwrap();
        let der = pki::request_der(&pki::local_key().unwrap(), &[GeneralName::Dns(name)]).unwrap();
        pem::encode(Label::CertificateRequest, &der)
    };
    Arc::new((0..CERTIFICATES).map(one).collect())
}

async fn issue(rooms: &Rooms, requests: &Arc<Vec<String>>) -> usize {
    let mut callers = tokio::task::JoinSet::new();
    for first in 0..IN_FLIGHT {
        let (pki, call, requests) = (rooms.pki.clone(), rooms.house.system("speed"), Arc::clone(requests));
        callers.spawn(async move {
            let mut count = 0;
            for csr in requests.iter().skip(first).step_by(IN_FLIGHT) {
                let asked =
                    Asked { profile: "server".to_owned(), csr: Some(csr.clone()), ..Asked::default() };
                pki.issue(&call, Id::NIL, Grade::Admin, asked).await.unwrap();
                count += 1;
            }
            count
        });
    }
    callers.join_all().await.into_iter().sum()
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
