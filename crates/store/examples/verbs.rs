//! Durable verbs per second on SQLite: each reads one row, writes one and stages one fact that a hook inserts before
//! the group's commit (WAL, synchronous=FULL). 64 are in flight. Run it with `--release`.
//!
//! `cargo run --release -p store --example verbs -- [VERBS] [FOLDER]`; the folder decides which disk is measured.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops at the first surprise")]

use std::{any::Any, path::PathBuf, sync::Arc, time::Instant};

use base::{Result, Time};
use store::{CommitHook, Db, Engine, Migration, Settings, Staged, Tx, sql, values};
use uuid::Uuid;

const TABLES: &[Migration] = &[Migration {
    room: "bench",
    name: "0001_start",
    sqlite: "create table bench_thing (tenant blob not null, id blob not null, name text not null, body text not null,
                 at text not null, version integer not null, primary key (tenant, id)) strict, without rowid;
             create table bench_fact (tenant blob not null, id blob not null, body text not null, at text not null,
                 primary key (tenant, id)) strict, without rowid;",
    postgres: "",
}];

const IN_FLIGHT: u128 = 64;
const BODY: &str = r#"{"achievement":"Licenciatura em Engenharia","status":12345,"digest":"3b0c44298fc1c149afbf4c8996fb92"}"#;

struct Facts;

impl CommitHook for Facts {
    fn before_commit(&self, tx: &mut Tx<'_>, staged: &[Staged]) -> Result<()> {
        for thing in staged {
            let id = thing.downcast_ref::<Uuid>().expect("only ids are staged here");
            tx.execute(
                sql!("-- bench.fact\ninsert into bench_fact (tenant, id, body, at) values ($1, $2, $3, $4)"),
                &values![Uuid::nil(), id, BODY, Time::from_seconds(1_790_000_000)],
            )?;
        }
        Ok(())
    }

    fn after_commit(&self, _: Engine) {}

    fn committed(&self, _: &mut Tx<'_>, _: &(dyn Any + Send)) -> Result<bool> {
        Ok(false)
    }
}

fn verb(tx: &mut Tx<'_>, number: u128) -> Result<()> {
    let id = Uuid::from_u128(number % 50_000);
    tx.optional(
        sql!("-- bench.find\nselect version from bench_thing where tenant = $1 and id = $2"),
        &values![Uuid::nil(), id],
        |row| row.get::<i64>(0),
    )?;
    tx.execute(
        sql!(
            "-- bench.put
            insert into bench_thing (tenant, id, name, body, at, version) values ($1, $2, $3, $4, $5, 1)
            on conflict (tenant, id) do update set version = bench_thing.version + 1"
        ),
        &values![Uuid::nil(), id, "Ana", BODY, Time::from_seconds(1_790_000_000)],
    )?;
    // Spread like the random half of a UUIDv7 behind its time.
    tx.stage(Box::new(Uuid::from_u128(
        number << 64 | number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & u128::from(u64::MAX),
    )));
    Ok(())
}

/// User and system seconds of this process (`/proc/self/stat`, 100 ticks a second).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let verbs: u128 = arguments.next().map_or(100_000, |text| text.parse().expect("a number of verbs"));
    let folder =
        tempfile::tempdir_in(arguments.next().map_or_else(std::env::temp_dir, PathBuf::from)).unwrap();
    let settings = Settings::sqlite(folder.path().join("bench.db"));
    store::migrate(&settings, TABLES).unwrap();
    let db = Db::open(&settings, Some(Arc::new(Facts))).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (began, cpu) = (Instant::now(), cpu_seconds());
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..IN_FLIGHT {
            let db = db.clone();
            callers.spawn(async move {
                for number in (caller..verbs).step_by(IN_FLIGHT as usize) {
                    db.write("bench.verb", move |tx| verb(tx, number)).await.unwrap();
                }
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        let figures = db.figures();
        let syncs = figures.commits + 2 * figures.checkpoints;
        let count = figures.writes as f64;
        // The protocol of `bench/README.md`.
        println!(
            "bench: name=verbs rate={:.0} cpu_us={:.1} items={verbs} fsyncs={syncs} note=\"one read, one write, one fact each, {IN_FLIGHT} in flight; {:.0} verbs a sync; durable (fsync) before each answer\"",
            count / seconds,
            cpu / count * 1e6,
            count / syncs as f64,
        );
        db.close().await;
    });
}
