//! SQLite through rusqlite: opening with the settings that make a commit durable, running statements, naming faults.
//!
//! A connection belongs to one thread. `$n` is a named parameter for SQLite, so it is bound by its name and not by
//! the order in which it occurs. Never here: a statement without a time limit once [`Limit`] is armed.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use base::{Error, Result};
use rusqlite::{OpenFlags, ffi};

use crate::{
    engine::{Engine, Shape},
    error::{
        Fault, RETRY_AFTER_SECONDS, STORE_BUSY, STORE_CONSTRAINT, STORE_CORRUPT, STORE_DISK_FULL, STORE_IO,
        STORE_STATEMENT, STORE_TIMEOUT, STORE_UNIQUE,
    },
    row::Row,
    sql::Sql,
    value::Value,
};

/// How long SQLite waits for another process's lock, in milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection.
const STATEMENTS_MAX: usize = 512;
/// Virtual machine steps between two looks at the clock (well under a millisecond).
const STEPS_BETWEEN_LOOKS: i32 = 2_000;
/// Page cache of the writer and of each reader, in KiB.
const WRITER_CACHE_KIB: i64 = 16_384;
const READER_CACHE_KIB: i64 = 2_048;

/// The moment at which the running closure must end; looked at by SQLite's progress handler.
pub(crate) struct Limit {
    epoch: Instant,
    /// Nanoseconds after `epoch`; `u64::MAX` when nothing is limited. Written by the connection's own thread.
    until: AtomicU64,
}

impl Limit {
    fn new() -> Arc<Self> {
        Arc::new(Self { epoch: Instant::now(), until: AtomicU64::new(u64::MAX) })
    }

    pub(crate) fn arm(&self, time: Duration) {
        let until = self.epoch.elapsed().saturating_add(time);
        self.until.store(u64::try_from(until.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(crate) fn disarm(&self) {
        self.until.store(u64::MAX, Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        let until = self.until.load(Relaxed);
        until != u64::MAX && self.epoch.elapsed().as_nanos() > u128::from(until)
    }
}

/// One connection, on one thread.
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    pub(crate) limit: Arc<Limit>,
    /// Pages in the WAL after the last commit; written by SQLite's hook on this thread.
    wal_pages: Arc<AtomicU32>,
}

impl Connection {
    /// The connection that writes. Makes the file when it is not there, readable by its owner only.
    pub(crate) fn writer(file: &Path) -> Result<Self> {
        make_private(file)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let raw = rusqlite::Connection::open_with_flags(file, flags).map_err(opening)?;
        raw.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
        let mode: String =
            raw.query_row("pragma journal_mode = wal", [], |row| row.get(0)).map_err(opening)?;
        if mode != "wal" {
            return Err(crate::error::STORE_SETTINGS
                .error()
                .with("reason", "this file system has no write-ahead log"));
        }
        raw.execute_batch(&format!(
            "pragma synchronous = full; pragma secure_delete = on; pragma foreign_keys = on; pragma temp_store = memory;
             pragma trusted_schema = off; pragma cell_size_check = on; pragma wal_autocheckpoint = 0;
             pragma cache_size = -{WRITER_CACHE_KIB};"
        ))
        .map_err(opening)?;
        Self::finish(raw)
    }

    /// A connection that only reads.
    pub(crate) fn reader(file: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let raw = rusqlite::Connection::open_with_flags(file, flags).map_err(opening)?;
        raw.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
        raw.execute_batch(&format!(
            "pragma query_only = on; pragma temp_store = memory; pragma trusted_schema = off;
             pragma cell_size_check = on; pragma cache_size = -{READER_CACHE_KIB};"
        ))
        .map_err(opening)?;
        Self::finish(raw)
    }

    fn finish(mut raw: rusqlite::Connection) -> Result<Self> {
        raw.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        let limit = Limit::new();
        let watched = Arc::clone(&limit);
        raw.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || watched.is_over())).map_err(opening)?;
        let wal_pages = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&wal_pages);
        raw.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            counted.store(u32::try_from(pages).unwrap_or(0), Relaxed);
            Ok(())
        }))
        .map_err(opening)?;
        Ok(Self { raw, limit, wal_pages })
    }

    pub(crate) fn raw(&self) -> &rusqlite::Connection {
        &self.raw
    }

    pub(crate) fn wal_pages(&self) -> u32 {
        self.wal_pages.load(Relaxed)
    }

    pub(crate) fn wal_was_copied(&self) {
        self.wal_pages.store(0, Relaxed);
    }

    /// Whether no transaction is open: an interrupted write or a full disk ends it without being asked.
    pub(crate) fn is_outside_transaction(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// Runs one of the writer's own short texts (`begin`, `savepoint`, `commit` …).
    pub(crate) fn control(&self, text: &'static str) -> Result<()> {
        let mut statement = self.raw.prepare_cached(text).map_err(|error| fault(error, text))?;
        statement.raw_execute().map(drop).map_err(|error| fault(error, text))
    }

    pub(crate) fn execute(&self, sql: &'static Sql, values: &[Value]) -> Result<u64> {
        let mut statement = self.bound(sql, values)?;
        let changed = statement.raw_execute().map_err(|error| fault(error, sql.name()))?;
        Ok(changed as u64)
    }

    pub(crate) fn each(
        &self,
        sql: &'static Sql,
        values: &[Value],
        each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<Result<()>> {
        let mut statement = self.bound(sql, values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(|error| fault(error, sql.name()))? {
            if let Err(refused) = each(&Row::Sqlite(row)) {
                return Ok(Err(refused));
            }
        }
        Ok(Ok(()))
    }

    fn bound(&self, sql: &'static Sql, values: &[Value]) -> Result<rusqlite::CachedStatement<'_>> {
        let mut statement = self.raw.prepare_cached(sql.text).map_err(|error| fault(error, sql.name()))?;
        let count = statement.parameter_count();
        let mut highest = 0;
        for position in 1..=count {
            let number = placeholder(statement.parameter_name(position));
            let value = number.checked_sub(1).and_then(|index| values.get(index));
            let Some(value) = value else {
                return Err(wrong_count(sql, number, values.len()));
            };
            highest = highest.max(number);
            statement.raw_bind_parameter(position, value).map_err(|error| fault(error, sql.name()))?;
        }
        if highest != values.len() {
            return Err(wrong_count(sql, highest, values.len()));
        }
        Ok(statement)
    }

    /// Prepares a statement and tells its shape.
    pub(crate) fn shape(&self, sql: &'static Sql) -> Result<Shape> {
        let statement = self.raw.prepare(sql.text).map_err(|error| fault(error, sql.name()))?;
        let parameters = (1..=statement.parameter_count())
            .map(|at| placeholder(statement.parameter_name(at)))
            .max()
            .unwrap_or(0);
        Ok(Shape { parameters, columns: statement.column_names().map(str::to_owned).collect() })
    }
}

/// The number in `$12`; 0 for anything else.
fn placeholder(name: Option<&str>) -> usize {
    name.and_then(|name| name.strip_prefix('$')).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn wrong_count(sql: &'static Sql, wanted: usize, given: usize) -> Error {
    STORE_STATEMENT.error().with("statement", sql.name()).because(Fault {
        engine: Engine::Sqlite,
        code: "parameters".to_owned(),
        message: format!("{given} values were given, the text has placeholder ${wanted}"),
        statement: sql.name().to_owned(),
    })
}

/// Makes the file with mode 0600 when it is not there; SQLite gives its WAL the same mode.
fn make_private(file: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Err(STORE_DISK_FULL.because(error)),
        Err(error) => {
            Err(crate::error::STORE_SETTINGS.error().with("reason", format!("{}: {error}", file.display())))
        }
    }
}

fn opening(error: rusqlite::Error) -> Error {
    fault(error, "open")
}

/// A driver's error as one of the house's.
pub(crate) fn fault(error: rusqlite::Error, statement: &str) -> Error {
    let extended = error.sqlite_extended_error_code().unwrap_or(0);
    let code = match extended & 0xff {
        ffi::SQLITE_FULL => &STORE_DISK_FULL,
        ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY => &STORE_IO,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => &STORE_CORRUPT,
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => &STORE_BUSY,
        ffi::SQLITE_INTERRUPT => &STORE_TIMEOUT,
        ffi::SQLITE_CONSTRAINT => match extended {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => &STORE_UNIQUE,
            _ => &STORE_CONSTRAINT,
        },
        _ => &STORE_STATEMENT,
    };
    let fault = Fault {
        engine: Engine::Sqlite,
        code: extended.to_string(),
        message: error.to_string(),
        statement: statement.to_owned(),
    };
    let answer = code.because(fault);
    if code.name == STORE_STATEMENT.name {
        return answer.with("statement", statement);
    }
    if code.kind.retryable() { answer.retry_after(RETRY_AFTER_SECONDS) } else { answer }
}

/// Whether a sync failed: then the kernel may have forgotten what it was given, and only a restart tells the truth.
pub(crate) fn is_failed_sync(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Fault>());
    source.is_some_and(|fault| {
        [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC]
            .iter()
            .any(|code| fault.code == code.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(extended: i32) -> Error {
        fault(rusqlite::Error::SqliteFailure(ffi::Error::new(extended), None), "commit")
    }

    #[test]
    fn only_a_failed_sync_poisons_and_other_troubles_of_the_disk_do_not() {
        assert!(
            is_failed_sync(&failed(ffi::SQLITE_IOERR_FSYNC)) && failed(ffi::SQLITE_IOERR_FSYNC).is(&STORE_IO)
        );
        assert!(is_failed_sync(&failed(ffi::SQLITE_IOERR_DIR_FSYNC)));
        assert!(
            !is_failed_sync(&failed(ffi::SQLITE_IOERR_WRITE))
                && failed(ffi::SQLITE_IOERR_WRITE).is(&STORE_IO)
        );
        assert!(!is_failed_sync(&failed(ffi::SQLITE_FULL)) && failed(ffi::SQLITE_FULL).is(&STORE_DISK_FULL));
    }

    #[test]
    fn a_placeholder_is_read_by_its_number() {
        assert_eq!(
            [Some("$1"), Some("$12"), Some(":a"), Some("$x"), None].map(placeholder),
            [1, 12, 0, 0, 0]
        );
    }
}
