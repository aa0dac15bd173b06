//! `selo bench`: what `cargo xtask bench` measures end to end in a throw-away house. Prints one line for each figure.

mod acme;
mod inventory;
mod pki;

use std::{fmt::Write as _, path::Path, time::Instant};

use base::{
    Call, Id, Result, SystemChance,
    config::Config,
    id::kind::{Credential, Tenant},
};
use events::{Fact, Log, Record, jobs::JobState};
use serde_json::json;

use super::{Exit, Voice};
use crate::{cli::Cli, commands::house, home::Home, rooms, rooms::Rooms};

/// Rows of the measured table.
const ROWS: usize = 10_000;
/// Leaves of the measured log.
const LEAVES: usize = 1_000_000;
/// Leaves that one transaction adds.
const BATCH: usize = 256;

/// Runs a measurement: `bulk`, `log`, `pki` or `inventory`.
///
/// # Errors
/// The house's.
pub async fn run(voice: Voice, what: &str) -> Result<Exit> {
    let folder =
        std::env::temp_dir().join(format!("selo-bench-{}", (&SystemChance as &dyn base::Chance).handle()));
    let outcome = measure(voice, what, &folder).await;
    // Whatever came of it, the throw-away house goes.
    let _ = std::fs::remove_dir_all(&folder);
    outcome
}

async fn measure(voice: Voice, what: &str, folder: &Path) -> Result<Exit> {
    let home = Home::at(folder);
    let config = Config::defaults(&rooms::settings_table())?;
    let cli = <Cli as clap::Parser>::try_parse_from(["selo", "serve"])
        .map_err(|e| base::error::INTERNAL.because(e))?;
    house::make(&home, &cli, &config, "http://localhost:8080").await?;
    let rooms = house::open_home(&home, &cli, &config).await?;
    let call = rooms.house.system("bench");
    let tenant = rooms.identity.create_tenant(&call, "Bench").await?.id;
    let before = rooms.house.db.figures();
    match what {
        "log" => log(voice, &rooms, &call.for_tenant(tenant), tenant).await?,
        "pki" => pki::measure(&rooms, &call).await?,
        "inventory" => inventory::measure(&rooms, &call).await?,
        _ => bulk(&rooms, &call, tenant).await?,
    }
    let after = rooms.house.db.figures();
    voice.note(&format!("store: {before:?} → {after:?}"));
    rooms.house.db.close().await;
    Ok(Exit::Done)
}

/// A table of rows, until every credential of it is signed, stored and logged.
async fn bulk(rooms: &Rooms, call: &Call, tenant: Id<Tenant>) -> Result<()> {
    let mut table = String::from("name,email,degree,field,grade,date\n");
    for row in 0..ROWS {
        let _ = writeln!(
            table,
            "Graduate Number {row},g{row}@example.org,Licenciatura em Direito,Direito,17,2026-07-31"
        );
    }
    let watch = Watch::start();
    let job = rooms.credentials.receive(call, tenant, "diploma", table.into_bytes()).await?;
    let runner = rooms.runner();
    while runner.run_once().await? {}
    let job = rooms.credentials.job(tenant, job.id).await?;
    if job.state != JobState::Done || job.failed != 0 {
        return Err(base::error::INTERNAL.error());
    }
    watch.print("bulk", ROWS, "rows received, planned, signed, logged; durable (fsync) before each answer");
    Ok(())
}

/// A log of a million leaves: appended in batches, tiled and signed, then computed again.
async fn log(voice: Voice, rooms: &Rooms, call: &Call, tenant: Id<Tenant>) -> Result<()> {
    let db = rooms.house.db.tenant(tenant.uuid());
    let watch = Watch::start();
    let commits = rooms.house.db.figures().commits;
    for _ in 0..LEAVES / BATCH {
        let facts: Vec<Fact> = (0..BATCH).map(|_| fact(rooms, tenant)).collect();
        let call = call.clone();
        db.write("bench.append", move |tx| facts.iter().try_for_each(|fact| tx.record(&call, fact))).await?;
    }
    let leaves = LEAVES / BATCH * BATCH;
    let commits = rooms.house.db.figures().commits - commits;
    let note = format!(
        "facts in batches of {BATCH}, one batch in flight; {commits} commits, durable (fsync) before each answer"
    );
    watch.print("log-append", leaves, &note);

    let watch = Watch::start();
    rooms.audit.publish(Log::Cred).await?;
    watch.print("log-publish", leaves, "leaves tiled, each tile synced, one checkpoint signed");

    let watch = Watch::start();
    let report = rooms.audit.verify(Log::Cred).await?;
    let verified = usize::try_from(report.size).unwrap_or(0);
    if !report.ok || verified < leaves {
        voice.note(&format!("the log does not hold: {report:?}"));
        return Err(base::error::INTERNAL.error());
    }
    let note = "leaves held against facts, tiles against leaves, root against checkpoint";
    watch.print("log-verify", verified, note);
    Ok(())
}

/// A fact as issuing records it.
fn fact(rooms: &Rooms, tenant: Id<Tenant>) -> Fact {
    let credential: Id<Credential> = rooms.house.id();
    let payload = json!({
        "credential": credential, "template": "diploma", "templateDigest": "0".repeat(64), "key": credential,
        "job": null,
    });
    let kind = &credential::facts::CREDENTIAL_ISSUED;
    Fact::new(kind, rooms.house.id(), rooms.house.now(), credential, payload).of(tenant)
}

/// Wall and CPU time from here on.
struct Watch {
    wall: Instant,
    cpu: f64,
}

impl Watch {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_seconds() }
    }

    fn print(self, name: &str, items: usize, note: &str) {
        let (wall, cpu) = (self.wall.elapsed().as_secs_f64(), cpu_seconds() - self.cpu);
        let count = items as f64;
        println!(
            "bench: name={name} rate={:.0} cpu_us={:.2} items={items} note=\"{items} {note}\"",
            count / wall,
            cpu * 1e6 / count
        );
    }
}

/// User and system seconds of this process, from `/proc` (USER_HZ is 100).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or_else(Vec::new, |(_, rest)| rest.split_whitespace().collect());
    let ticks =
        |position: usize| fields.get(position).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
