//! kill -9 at random moments under load: nothing acknowledged is lost, nothing half done is seen, the log is whole.
//!
//! Clients of their own issue diplomas over the local socket and write down every id that was acknowledged; then the
//! process is killed, started again, and asked from outside. `SELO_TEST_KILLS` is the number of kills (default 40 on
//! SQLite and 10 on PostgreSQL, when `SELO_TEST_POSTGRES` names a server); `SELO_TEST_SEED` repeats a run's moments.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use base::{Chance, Secret, SeededChance, SystemChance};
use common::{Ground, Served, local, row};
use serde_json::Value;

const CLIENTS: usize = 4;
/// Three kills of four come so long after the first acknowledgement of a life, so that the house is in the midst of it.
const WORK_MS_MAX: u64 = 150;
/// Every fourth kill comes so long after the start, whatever the house is doing.
const START_MS_MIN: u64 = 5;
const START_MS_MAX: u64 = 400;
const FIRST_MAX: Duration = Duration::from_secs(5);
/// The whole log is computed again after so many kills, and at the end.
const LOG_EVERY: usize = 10;
/// A house that needs longer to answer after a kill does not recover in bounds.
const READY_MAX: Duration = Duration::from_secs(10);

/// What was acknowledged: the credential's id and the address of its page.
type Journal = Arc<Mutex<Vec<(String, String)>>>;

fn variable(name: &str) -> Option<String> {
    base::config::variable(name)
}

fn random(chance: &dyn Chance, from: u64, to: u64) -> u64 {
    let mut bytes = [0; 8];
    chance.fill(&mut bytes);
    from + u64::from_le_bytes(bytes) % (to - from)
}

/// Issues diplomas until the house is gone. Only a whole answer of 201 counts as acknowledged.
fn client(socket: &Path, journal: &Journal, stop: &AtomicBool, number: &AtomicUsize) {
    while !stop.load(Ordering::Relaxed) {
        let one = number.fetch_add(1, Ordering::Relaxed);
        let body = row(&format!("Graduate {one}"), &format!("g{one}@example.org")).to_string();
        match local(socket, "POST", "/api/v1/credentials", body.as_bytes()) {
            Ok(reply) if reply.status == 201 => {
                let data = reply.data();
                let text = |name: &str| data[name].as_str().unwrap().to_owned();
                journal.lock().unwrap().push((text("id"), text("pageUrl")));
            }
            Ok(reply) if reply.status < 500 => panic!("refused: {}", reply.text()),
            // A refusal because the house is ending, or a broken connection: not acknowledged.
            _ => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// One life: load until a random moment, then kill -9.
fn live_and_die(
    served: Served,
    journal: &Journal,
    number: &Arc<AtomicUsize>,
    moment: Duration,
    at_work: bool,
) {
    let known = journal.lock().unwrap().len();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (socket, journal, stop, number) =
                (served.socket.clone(), journal.clone(), stop.clone(), number.clone());
            std::thread::spawn(move || client(&socket, &journal, &stop, &number))
        })
        .collect();
    let begun = Instant::now();
    while at_work && journal.lock().unwrap().len() == known && begun.elapsed() < FIRST_MAX {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(moment);
    served.kill();
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
}

/// Every credential that the house shows, by id: its status.
fn shown(served: &Served) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut token = String::new();
    loop {
        let page = served.local("GET", &format!("/api/v1/credentials?limit=200{token}"), &Value::Null).data();
        for one in page["items"].as_array().unwrap() {
            let known = all
                .insert(one["id"].as_str().unwrap().to_owned(), one["status"].as_str().unwrap().to_owned());
            assert!(known.is_none(), "shown twice: {one}");
        }
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => return all,
        }
    }
}

/// Waits until the log's checkpoint covers everything, then gives the ids of its `credential.issued` facts, read from
/// the tiles that strangers read.
fn issued_leaves(served: &Served, least: usize) -> BTreeSet<String> {
    let begun = Instant::now();
    let mut checkpoint;
    let size = loop {
        checkpoint = served.get("/log/cred/checkpoint").text();
        let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
        if size as usize > least {
            break size;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the log does not catch up: {checkpoint} of {least}"
        );
        std::thread::sleep(Duration::from_millis(100));
    };
    let mut leaves = BTreeSet::new();
    for tile in 0..size.div_ceil(256) {
        let width = (size - tile * 256).min(256);
        let name = format!("{:03}", tile % 1_000);
        let name = if tile >= 1_000 { format!("x{:03}/{name}", tile / 1_000) } else { name };
        let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
        let path = format!("/log/cred/tile/entries/{name}{partial}");
        let bundle = served.get(&path);
        assert_eq!(bundle.status, 200, "{path}: {}", bundle.text());
        for entry in proof::tile::decode_bundle(&bundle.body, u16::try_from(width).unwrap()).unwrap() {
            let entry: Value = serde_json::from_slice(entry).unwrap();
            if entry["type"] == "credential.issued" {
                let id = entry["id"].as_str().unwrap().to_owned();
                assert!(leaves.insert(id), "twice in the log: {entry}");
            }
        }
    }
    leaves
}

/// The whole log, computed again by the house and found good.
fn log_is_whole(served: &Served) {
    let report = served.local("POST", "/api/v1/log/verify", &serde_json::json!({})).data();
    let logs = report["logs"].as_array().unwrap();
    assert!(logs.len() == 3 && logs.iter().all(|log| log["ok"] == true), "{report}");
}

fn holds_under_kills(ground: &Ground, engine: &str, kills: usize) {
    let seed = variable("SELO_TEST_SEED").and_then(|seed| seed.parse().ok()).unwrap_or(0x5e10);
    let chance = SeededChance::new(seed);
    let settings = [
        "--set",
        "http.rate_read=1000000",
        "--set",
        "http.rate_heavy=1000000",
        "--set",
        "telemetry.filter=error",
    ];
    let (journal, number) = (Journal::default(), Arc::new(AtomicUsize::new(0)));
    let (begun, mut slowest, mut checked, mut lives_with_work) = (Instant::now(), Duration::ZERO, 0, 0);
    let mut served = ground.serve(&settings);
    for kill in 1..=kills {
        let at_work = kill % 4 != 0;
        let (from, to) = if at_work { (0, WORK_MS_MAX) } else { (START_MS_MIN, START_MS_MAX) };
        let moment = Duration::from_micros(random(&chance, from * 1_000, to * 1_000));
        live_and_die(served, &journal, &number, moment, at_work);
        let start = Instant::now();
        served = ground.serve(&settings);
        slowest = slowest.max(start.elapsed());
        let acknowledged = journal.lock().unwrap().clone();
        lives_with_work += usize::from(acknowledged.len() > checked);
        for (id, page) in &acknowledged[checked..] {
            let reply = served.get(page);
            let text = reply.text();
            assert!(
                reply.status == 200 && text.contains("<h1 id=\"outcome\">VALID</h1>"),
                "seed {seed}, kill {kill}, {engine}: {id} was acknowledged and its page says {}: {text}",
                reply.status
            );
        }
        checked = acknowledged.len();
        if kill % LOG_EVERY == 0 {
            log_is_whole(&served);
        }
    }
    let acknowledged = journal.lock().unwrap().clone();
    let ids: BTreeSet<String> = acknowledged.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids.len(), acknowledged.len(), "an id was given twice");
    assert!(
        ids.len() > kills / 4 && lives_with_work > kills / 4,
        "too little load to show anything: {} in {lives_with_work} lives",
        ids.len()
    );
    let shown = shown(&served);
    for id in &ids {
        assert_eq!(shown.get(id).map(String::as_str), Some("issued"), "{engine}: {id} was acknowledged");
    }
    for (id, status) in &shown {
        assert_eq!(status, "issued", "{engine}: {id} is half done");
    }
    log_is_whole(&served);
    // State and log say the same: each credential that is shown has one fact of its issue, and there are none besides.
    let leaves = issued_leaves(&served, shown.len());
    assert!(leaves.len() >= ids.len(), "{} leaves, {} acknowledged", leaves.len(), ids.len());
    let key = proof::note::VerifierKey::parse(served.get("/log/cred/vkey").text().trim()).unwrap();
    let mut proven = BTreeSet::new();
    for id in shown.keys() {
        let file = served.local("GET", &format!("/api/v1/audit/proof/{id}"), &Value::Null);
        assert_eq!(file.status, 200, "{engine}: {id} is not in the log: {}", file.text());
        let held = audit::check_proof(&file.body, key.name(), std::slice::from_ref(&key)).unwrap();
        let entry: Value = serde_json::from_slice(&held.entry).unwrap();
        assert_eq!(entry["type"], "credential.issued", "{id}");
        assert!(proven.insert(entry["id"].as_str().unwrap().to_owned()), "{id} shares its fact");
    }
    assert_eq!(proven, leaves, "{engine}: the log and the list differ");
    let listed: BTreeSet<String> = shown.keys().cloned().collect();
    // No place in a status list is given twice.
    let mut places = BTreeSet::new();
    for id in &listed {
        let file =
            served.local("GET", &format!("/api/v1/credentials/{id}/files/credential.json"), &Value::Null);
        let credential: Value =
            serde_json::from_slice(&file.body).unwrap_or_else(|_| panic!("{id}: {}", file.text()));
        let status = &credential["credentialStatus"];
        let place = format!("{}#{}", status["statusListCredential"], status["statusListIndex"]);
        assert!(status["statusListIndex"].is_string() && places.insert(place), "{id}: {status}");
    }
    for (id, page) in &acknowledged {
        assert!(served.get(page).text().contains("<h1 id=\"outcome\">VALID</h1>"), "{engine}: {id}");
    }
    let (code, _) = served.stop();
    assert_eq!(code, Some(0), "and it still ends in good order");
    ground.run(&["log", "verify"]).ends(0);
    assert!(slowest < READY_MAX, "ready again after {slowest:?}");
    eprintln!(
        "{engine}: {kills} kills in {:.1} s, {} acknowledged, {} issued, 0 lost, slowest start {} ms, seed {seed}",
        begun.elapsed().as_secs_f32(),
        ids.len(),
        listed.len(),
        slowest.as_millis()
    );
}

fn kills(default: usize) -> usize {
    variable("SELO_TEST_KILLS").and_then(|count| count.parse().ok()).unwrap_or(default)
}

#[test]
fn nothing_acknowledged_is_lost_when_a_house_on_sqlite_is_killed_at_random_moments() {
    let ground = Ground::with_house();
    holds_under_kills(&ground, "SQLite", kills(40));
}

#[test]
fn nothing_acknowledged_is_lost_when_a_house_on_postgresql_is_killed_at_random_moments() {
    let Some(server) = variable("SELO_TEST_POSTGRES") else {
        eprintln!("SELO_TEST_POSTGRES is not set: kills on PostgreSQL were not run");
        return;
    };
    let name = format!("selo_kill_{}", (&SystemChance as &dyn Chance).handle());
    let made = store::bootstrap::create(&Secret::new(server), &name, &store::bootstrap::Passwords::default())
        .unwrap();
    let store::Place::Postgres { application, system, migration } = made.place else {
        panic!("no PostgreSQL")
    };
    let mut ground = Ground::new();
    for (variable, address) in [
        ("SELO_STORE_POSTGRES_APPLICATION", Some(application)),
        ("SELO_STORE_POSTGRES_SYSTEM", Some(system)),
        ("SELO_STORE_POSTGRES_MIGRATION", migration),
    ] {
        ground.environment.insert(variable.to_owned(), address.unwrap().expose().clone());
    }
    ground.environment.insert("SELO_STORE_ENGINE".to_owned(), "postgres".to_owned());
    ground.make_house();
    holds_under_kills(&ground, "PostgreSQL", kills(10));
}
