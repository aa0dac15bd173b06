//! Migrations: twin folders, one for each engine, with equal names; each is applied once, in a transaction.
//!
//! A database knows what was applied to it (`store_migration`). A name that this program does not know means that a
//! newer one wrote the data: it is refused. A text that changed after it was applied is refused too.
//! Never here: a way back. Migrations expand first and contract later, so that the program before still runs.

use std::{collections::BTreeMap, path::Path, time::Duration};

use base::{Clock as _, Result, Secret, SystemClock};

use crate::{
    bootstrap::{ROLE_APPLICATION, ROLE_MIGRATION, ROLE_SYSTEM},
    engine::{postgres, sqlite},
    error::{STORE_MIGRATION_CHANGED, STORE_NEWER, STORE_OLDER, STORE_SETTINGS},
    settings::{Place, Settings},
};

/// One step of a room's schema, in both dialects.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The room, which is also the prefix of its tables.
    pub room: &'static str,
    /// `0001_name`; sorts in the order of application within its room.
    pub name: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

/// What [`migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// `room/name` of what was applied now, in order.
    pub now: Vec<String>,
    /// How many were there before.
    pub before: usize,
}

/// A migration from the twin folders `migrations/sqlite` and `migrations/postgres` of the crate that says it:
/// `store::migration!("credential", "0001_start")`.
#[macro_export]
macro_rules! migration {
    ($room:literal, $name:literal) => {
        $crate::Migration {
            room: $room,
            name: $name,
            sqlite: ::core::include_str!(::core::concat!(
                ::core::env!("CARGO_MANIFEST_DIR"),
                "/migrations/sqlite/",
                $name,
                ".sql"
            )),
            postgres: ::core::include_str!(::core::concat!(
                ::core::env!("CARGO_MANIFEST_DIR"),
                "/migrations/postgres/",
                $name,
                ".sql"
            )),
        }
    };
}

/// The store's own tables; [`migrate`] applies them before all others.
pub const OWN: &[Migration] = &[crate::migration!("store", "0001_lease")];

/// The store's own tables that belong to no tenant, with the reason; see `check::tenancy`.
pub const TABLES_WITHOUT_TENANT: &[(&str, &str)] = &[
    ("store_lease", "a lease is held by a process of the house, for all tenants"),
    ("store_migration", "the schema is the same for all tenants"),
];

/// Brings a database up to this program: applies, in the order given, what was not applied yet. Blocking; on SQLite
/// nobody else may have the file open, on PostgreSQL several processes may call it at once.
///
/// Errors: `STORE_NEWER`, `STORE_MIGRATION_CHANGED`, and whatever the engine says of a text.
pub fn migrate(settings: &Settings, migrations: &[Migration]) -> Result<Applied> {
    let all: Vec<Migration> = OWN.iter().chain(migrations).copied().collect();
    distinct(&all)?;
    match &settings.place {
        Place::Sqlite { file } => on_sqlite(file, &all),
        Place::Postgres { migration: Some(url), .. } => on_postgres(url, &all),
        Place::Postgres { migration: None, .. } => {
            Err(STORE_SETTINGS.error().with("reason", "there is no URL for the role selo_migrate"))
        }
    }
}

fn distinct(all: &[Migration]) -> Result<()> {
    let mut last: BTreeMap<&str, &str> = BTreeMap::new();
    for migration in all {
        if let Some(before) = last.insert(migration.room, migration.name)
            && before >= migration.name
        {
            let reason = format!("migration {}/{} is out of order", migration.room, migration.name);
            return Err(STORE_SETTINGS.error().with("reason", reason));
        }
    }
    Ok(())
}

/// What is known of applied migrations: digest by (room, name).
type Known = BTreeMap<(String, String), String>;

/// Which of `all` are still to be applied; refuses unknown and changed ones.
fn pending(all: &[Migration], known: &Known, text: fn(&Migration) -> &'static str) -> Result<Vec<Migration>> {
    for (room, name) in known.keys() {
        if !all.iter().any(|migration| migration.room == room && migration.name == name) {
            return Err(STORE_NEWER.error().with("migration", format!("{room}/{name}")));
        }
    }
    let mut pending = Vec::new();
    for migration in all {
        match known.get(&(migration.room.to_owned(), migration.name.to_owned())) {
            None => pending.push(*migration),
            Some(digest) if *digest == digest_of(text(migration)) => {}
            Some(_) => return Err(STORE_MIGRATION_CHANGED.error().with("migration", label(migration))),
        }
    }
    Ok(pending)
}

fn label(migration: &Migration) -> String {
    format!("{}/{}", migration.room, migration.name)
}

fn digest_of(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

const SQLITE_TABLE: &str = "create table if not exists store_migration (
    room text not null, name text not null, digest text not null, applied_at text not null,
    primary key (room, name)) strict, without rowid";

fn on_sqlite(file: &Path, all: &[Migration]) -> Result<Applied> {
    let connection = sqlite::Connection::writer(file)?;
    let raw = connection.raw();
    let fault = |error| sqlite::fault(error, "migrate");
    raw.execute_batch(SQLITE_TABLE).map_err(fault)?;
    let known = known_to_sqlite(raw).map_err(fault)?;
    let pending = pending(all, &known, |migration| migration.sqlite)?;
    let mut applied = Applied { now: Vec::new(), before: known.len() };
    for migration in pending {
        let done = apply_to_sqlite(raw, &migration);
        if let Err(error) = done {
            if !raw.is_autocommit() {
                raw.execute_batch("rollback").map_err(fault)?;
            }
            return Err(sqlite::fault(error, &label(&migration)));
        }
        applied.now.push(label(&migration));
    }
    raw.execute_batch("pragma wal_checkpoint(truncate)").map_err(fault)?;
    Ok(applied)
}

fn known_to_sqlite(raw: &rusqlite::Connection) -> rusqlite::Result<Known> {
    let mut statement = raw.prepare("select room, name, digest from store_migration")?;
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    rows.collect()
}

fn apply_to_sqlite(raw: &rusqlite::Connection, migration: &Migration) -> rusqlite::Result<()> {
    raw.execute_batch("begin immediate")?;
    raw.execute_batch(migration.sqlite)?;
    raw.execute(
        "insert into store_migration (room, name, digest, applied_at) values (?1, ?2, ?3, ?4)",
        (migration.room, migration.name, digest_of(migration.sqlite), SystemClock.now().sortable()),
    )?;
    raw.execute_batch("commit")
}

/// Held while migrations are applied, so that several processes may start at once.
const POSTGRES_LOCK: i64 = 0x5345_4c4f_0002;

const POSTGRES_TABLE: &str = "create table if not exists store_migration (
    room text not null, name text not null, digest text not null, applied_at timestamptz not null,
    primary key (room, name))";

fn on_postgres(url: &Secret<String>, all: &[Migration]) -> Result<Applied> {
    let mut connection = postgres::Connection::open(url, "selo-migrate", Duration::ZERO)?;
    let client = connection.client();
    let fault = |error: ::postgres::Error| postgres::fault(&error, "migrate");
    client
        .batch_execute("set lock_timeout = '60s'; set idle_in_transaction_session_timeout = 0")
        .map_err(fault)?;
    client.execute("select pg_advisory_lock($1)", &[&POSTGRES_LOCK]).map_err(fault)?;
    client.batch_execute(POSTGRES_TABLE).map_err(fault)?;
    let known = known_to_postgres(client).map_err(fault)?;
    let pending = pending(all, &known, |migration| migration.postgres)?;
    let mut applied = Applied { now: Vec::new(), before: known.len() };
    for migration in pending {
        apply_to_postgres(client, &migration).map_err(|error| postgres::fault(&error, &label(&migration)))?;
        applied.now.push(label(&migration));
    }
    secure(client).map_err(fault)?;
    client.execute("select pg_advisory_unlock($1)", &[&POSTGRES_LOCK]).map_err(fault)?;
    Ok(applied)
}

fn known_to_postgres(client: &mut ::postgres::Client) -> std::result::Result<Known, ::postgres::Error> {
    let rows = client.query("select room, name, digest from store_migration", &[])?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect())
}

fn apply_to_postgres(
    client: &mut ::postgres::Client,
    migration: &Migration,
) -> std::result::Result<(), ::postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(migration.postgres)?;
    transaction.execute(
        "insert into store_migration (room, name, digest, applied_at) values ($1, $2, $3, ($4::text)::timestamptz)",
        &[&migration.room, &migration.name, &digest_of(migration.postgres), &SystemClock.now().sortable()],
    )?;
    transaction.commit()
}

/// Grants to the two working roles, and row-level security on every table with a column `tenant`: the application
/// role sees the tenant that its transaction names and no other; the owner is bound too, by `force`.
fn secure(client: &mut ::postgres::Client) -> std::result::Result<(), ::postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(&format!(
        "grant usage on schema public to {ROLE_APPLICATION}, {ROLE_SYSTEM};
         grant select, insert, update, delete on all tables in schema public to {ROLE_APPLICATION}, {ROLE_SYSTEM};
         revoke insert, update, delete on store_migration from {ROLE_APPLICATION}, {ROLE_SYSTEM}"
    ))?;
    let tables = transaction.query(
        "select quote_ident(t.relname) from pg_class t
         join pg_namespace s on s.oid = t.relnamespace and s.nspname = 'public'
         join pg_attribute a on a.attrelid = t.oid and a.attname = 'tenant' and not a.attisdropped
         where t.relkind in ('r', 'p') order by 1",
        &[],
    )?;
    // An unset setting reads as null at first and as empty after a transaction that set it: both mean no tenant.
    let own = "tenant = (select nullif(current_setting('selo.tenant', true), '')::uuid)";
    for row in tables {
        let table: String = row.get(0);
        transaction.batch_execute(&format!(
            "alter table {table} enable row level security;
             alter table {table} force row level security;
             drop policy if exists own_tenant on {table};
             create policy own_tenant on {table} to {ROLE_APPLICATION} using ({own}) with check ({own});
             drop policy if exists every_tenant on {table};
             create policy every_tenant on {table} to {ROLE_SYSTEM}, {ROLE_MIGRATION} using (true) with check (true);"
        ))?;
    }
    transaction.commit()
}

/// Refuses a database whose migrations are not exactly these; changes nothing.
///
/// Errors: `STORE_OLDER`, `STORE_NEWER`, `STORE_MIGRATION_CHANGED`, and whatever the engine says.
pub fn check(settings: &Settings, migrations: &[Migration]) -> Result<()> {
    let all: Vec<Migration> = OWN.iter().chain(migrations).copied().collect();
    let left = match &settings.place {
        Place::Sqlite { file } => {
            let connection = sqlite::Connection::reader(file)?;
            let known =
                known_to_sqlite(connection.raw()).map_err(|error| sqlite::fault(error, "migrate.check"))?;
            pending(&all, &known, |migration| migration.sqlite)?
        }
        Place::Postgres { system, .. } => {
            let mut connection = postgres::Connection::open(system, "selo-check", settings.verb_timeout)?;
            let known = known_to_postgres(connection.client())
                .map_err(|error| postgres::fault(&error, "migrate.check"))?;
            pending(&all, &known, |migration| migration.postgres)?
        }
    };
    match left.first() {
        None => Ok(()),
        Some(first) => Err(STORE_OLDER.error().with("migration", label(first))),
    }
}
