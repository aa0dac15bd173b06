//! A store for a test, on either engine: SQLite in a temporary folder always, PostgreSQL in a fresh database when
//! `SELO_TEST_POSTGRES` holds the URL of a superuser. Without it each test says that the PostgreSQL half did not run.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use std::{future::Future, sync::Arc};

use base::{Result, Time};
use store::{CommitHook, Db, Engine, Migration, Rx, Settings, Staged, Tx, sql, values};
use uuid::Uuid;

pub const TRIAL: &[Migration] = &[Migration {
    room: "trial",
    name: "0001_start",
    sqlite: "create table trial_thing (tenant blob not null, id blob not null, name text not null, note text, payload blob,
                at text, amount integer, flag integer, primary key (tenant, id)) strict, without rowid;
             create unique index trial_thing_name on trial_thing (tenant, name);
             create table trial_fact (id blob not null primary key, tenant blob not null, body text not null) strict, without rowid;",
    postgres: "create table trial_thing (tenant uuid not null, id uuid not null, name text not null, note jsonb, payload bytea,
                at timestamptz, amount bigint, flag boolean, primary key (tenant, id));
             create unique index trial_thing_name on trial_thing (tenant, name);
             create table trial_fact (id uuid not null primary key, tenant uuid not null, body text not null);",
}];

/// What a verb stages for the hook.
pub struct Fact {
    pub id: Uuid,
    pub tenant: Uuid,
    pub body: String,
}

/// Writes facts down before the commit, as the events room does.
#[derive(Default)]
pub struct Facts {
    pub told: std::sync::atomic::AtomicU64,
}

impl CommitHook for Facts {
    fn before_commit(&self, tx: &mut Tx<'_>, staged: &[Staged]) -> Result<()> {
        for thing in staged {
            let fact = thing.downcast_ref::<Fact>().expect("only facts are staged here");
            tx.execute(
                sql!("-- trial.record\ninsert into trial_fact (id, tenant, body) values ($1, $2, $3)"),
                &values![fact.id, fact.tenant, &fact.body],
            )?;
        }
        Ok(())
    }

    fn after_commit(&self, _: Engine) {
        self.told.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }

    fn committed(&self, tx: &mut Tx<'_>, staged: &(dyn std::any::Any + Send)) -> Result<bool> {
        let fact = staged.downcast_ref::<Fact>().expect("only facts are staged here");
        let found = tx.optional(
            sql!("-- trial.recorded\nselect id from trial_fact where id = $1"),
            &values![fact.id],
            |row| row.get::<Uuid>(0),
        )?;
        Ok(found.is_some())
    }
}

/// An open store that cleans up after itself.
pub struct House {
    pub db: Db,
    pub settings: Settings,
    pub facts: Arc<Facts>,
    pub folder: tempfile::TempDir,
    database: Option<Database>,
}

struct Database {
    url: String,
    name: String,
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut client) = postgres::Client::connect(&self.url, postgres::NoTls) {
            drop(client.batch_execute(&format!("drop database if exists {} with (force)", self.name)));
        }
    }
}

impl House {
    pub fn sqlite(migrations: &[Migration]) -> Self {
        Self::sqlite_with(migrations, |_| {})
    }

    pub fn sqlite_with(migrations: &[Migration], change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut settings = Settings::sqlite(folder.path().join("house.db"));
        settings.reserve_bytes = 0;
        change(&mut settings);
        Self::open(settings, migrations, folder, None)
    }

    fn open(
        settings: Settings,
        migrations: &[Migration],
        folder: tempfile::TempDir,
        database: Option<Database>,
    ) -> Self {
        store::migrate(&settings, migrations).expect("migrations apply");
        let facts = Arc::new(Facts::default());
        let hook: Arc<dyn CommitHook> = Arc::clone(&facts) as _;
        let db = Db::open(&settings, Some(hook)).expect("the store opens");
        Self { db, settings, facts, folder, database }
    }

    /// A house in a fresh database of the test's PostgreSQL, if there is one.
    pub fn postgres(migrations: &[Migration]) -> Option<Self> {
        Self::postgres_with(migrations, |_| {})
    }

    pub fn postgres_with(migrations: &[Migration], change: impl FnOnce(&mut Settings)) -> Option<Self> {
        let url = postgres_url()?;
        let chance: &dyn base::Chance = &base::SystemChance;
        let name = format!("selo_test_{}", chance.handle());
        let mut settings = store::bootstrap::create(
            &base::Secret::new(url.clone()),
            &name,
            &store::bootstrap::Passwords::default(),
        )
        .expect("roles and a database");
        change(&mut settings);
        let folder = tempfile::tempdir().expect("a temporary folder");
        Some(Self::open(settings, migrations, folder, Some(Database { url, name })))
    }

    pub fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("house.db")
    }
}

/// The URL of a superuser, when the PostgreSQL half is to run.
pub fn postgres_url() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a test asks its environment for the server it may use")]
    std::env::var("SELO_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// A runtime like the house's.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Runs a test on each engine that is there.
pub fn on_each_engine<F, Fut>(test: F)
where
    F: Fn(Arc<House>) -> Fut,
    Fut: Future<Output = ()>,
{
    for house in [Some(House::sqlite(TRIAL)), House::postgres(TRIAL)] {
        let Some(house) = house.map(Arc::new) else {
            eprintln!("SELO_TEST_POSTGRES is not set: the PostgreSQL half of this test did not run");
            continue;
        };
        run(async {
            test(Arc::clone(&house)).await;
            house.db.close().await;
        });
    }
}

pub fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn noon() -> Time {
    Time::parse("2026-11-24T12:00:00.000001Z").unwrap()
}

/// Reads one name and writes a thing and its fact: the smallest verb there is.
pub fn put(tx: &mut Tx<'_>, tenant: Uuid, id: Uuid, name: &str) -> Result<()> {
    tx.optional(
        sql!("-- trial.find\nselect name from trial_thing where tenant = $1 and id = $2"),
        &values![tenant, id],
        |row| row.get::<String>(0),
    )?;
    tx.execute(
        sql!("-- trial.put\ninsert into trial_thing (tenant, id, name, at) values ($1, $2, $3, $4)"),
        &values![tenant, id, name, noon()],
    )?;
    tx.stage(Box::new(Fact { id, tenant, body: format!("put {name}") }));
    Ok(())
}

pub fn count(rx: &mut Rx<'_>, tenant: Uuid) -> Result<i64> {
    rx.one(
        sql!("-- trial.count\nselect count(*) as amount from trial_thing where tenant = $1"),
        &values![tenant],
        |row| row.get(0),
    )
}

pub fn count_facts(rx: &mut Rx<'_>, tenant: Uuid) -> Result<i64> {
    rx.one(
        sql!("-- trial.count_facts\nselect count(*) as amount from trial_fact where tenant = $1"),
        &values![tenant],
        |row| row.get(0),
    )
}
