//! `selo bench`: what `cargo xtask bench` measures end to end in a throw-away house. Prints one line for each figure.

use std::{fmt::Write as _, time::Instant};

use base::{Result, SystemChance, config::Config};
use events::{Log, jobs::JobState};

use super::{Exit, Voice};
use crate::{cli::Cli, commands::house, home::Home, rooms};

const ROWS: usize = 10_000;

/// Runs a measurement: `bulk` or `log`.
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

async fn measure(voice: Voice, what: &str, folder: &std::path::Path) -> Result<Exit> {
    let home = Home::at(folder);
    let config = Config::defaults(&rooms::settings_table())?;
    let cli = <Cli as clap::Parser>::try_parse_from(["selo", "serve"])
        .map_err(|e| base::error::INTERNAL.because(e))?;
    house::make(&home, &cli, &config, "http://localhost:8080").await?;
    let rooms = house::open_home(&home, &cli, &config).await?;
    let call = rooms.house.system("bench");
    let tenant = rooms.identity.create_tenant(&call, "Bench").await?;
    let mut table = String::from("name,email,degree,field,grade,date\n");
    for row in 0..ROWS {
        let _ = writeln!(
            table,
            "Graduate Number {row},g{row}@example.org,Licenciatura em Direito,Direito,17,2026-07-31"
        );
    }
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let before = rooms.house.db.figures();
    let job = rooms.credentials.receive(&call, tenant.id, "diploma", table.into_bytes()).await?;
    let runner = rooms.runner();
    while runner.run_once().await? {}
    let job = rooms.credentials.job(tenant.id, job.id).await?;
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    if job.state != JobState::Done || job.failed != 0 {
        return Err(base::error::INTERNAL.error());
    }
    let after = rooms.house.db.figures();
    voice.note(&format!("store: {before:?} → {after:?}"));
    println!(
        "bench: name=bulk rate={:.0} cpu_us={:.0} note=\"{ROWS} rows received, planned, signed, logged; durable (fsync) before each answer\"",
        ROWS as f64 / wall,
        cpu * 1e6 / ROWS as f64
    );
    if what == "log" {
        let (cpu, wall) = (cpu_seconds(), Instant::now());
        rooms.audit.publish(Log::Cred).await?;
        let report = rooms.audit.verify(Log::Cred).await?;
        let seconds = wall.elapsed().as_secs_f64();
        println!(
            "bench: name=log-verify rate={:.0} cpu_us={:.1} note=\"{} leaves tiled, signed, computed again, ok={}\"",
            report.size as f64 / seconds,
            (cpu_seconds() - cpu) * 1e6 / report.size.max(1) as f64,
            report.size,
            report.ok
        );
    }
    rooms.house.db.close().await;
    Ok(Exit::Done)
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
