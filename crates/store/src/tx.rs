//! What a closure gets: [`Rx`] reads, [`Tx`] writes and is also an `Rx`, so that one `repo` function serves both.
//!
//! A statement that fails ends the closure's work on both engines alike: PostgreSQL aborts the transaction, so on
//! SQLite every later statement is refused too, and a closure that answers `Ok` after a failure still fails.
//! Never here: `begin`, `commit`, or anything that waits for something else than the store.

use std::{
    ops::{Deref, DerefMut},
    time::{Duration, Instant},
};

use base::{Error, Result};
use uuid::Uuid;

use crate::{
    engine::{Connection, Engine},
    error::{
        Fault, RETRY_AFTER_SECONDS, STORE_ROW_MISSING, STORE_ROWS_SURPLUS, STORE_STATEMENT, STORE_TIMEOUT,
    },
    fault::Faults,
    hook::Staged,
    row::Row,
    settings::ROWS_MAX,
    sql::Sql,
    tenancy::Guard,
    value::Value,
};

/// For whom a transaction runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The house itself: jobs, sequencers, verbs across tenants.
    System,
    /// One tenant; PostgreSQL shows no other tenant's rows.
    Tenant(Uuid),
}

/// What every transaction shares with its store.
pub(crate) struct Surroundings<'a> {
    pub(crate) scope: Scope,
    pub(crate) guard: &'a Guard,
    pub(crate) faults: &'a Faults,
    pub(crate) limit: Duration,
}

/// A transaction that reads: one consistent picture of the data.
pub struct Rx<'a> {
    connection: Connection<'a>,
    around: Surroundings<'a>,
    until: Instant,
    failed: Option<Error>,
}

/// A transaction that writes, and reads its own writes.
pub struct Tx<'a> {
    rx: Rx<'a>,
    staged: Vec<Staged>,
}

impl<'a> Rx<'a> {
    fn new(connection: Connection<'a>, around: Surroundings<'a>) -> Self {
        let until = Instant::now() + around.limit;
        Self { connection, around, until, failed: None }
    }

    /// Which engine runs it. Rooms need not ask: their texts are the same on both.
    pub const fn engine(&self) -> Engine {
        self.connection.engine()
    }

    /// For whom it runs.
    pub const fn scope(&self) -> Scope {
        self.around.scope
    }

    /// The one row of a statement; [`STORE_ROW_MISSING`] when there is none, [`STORE_ROWS_SURPLUS`] when there are more.
    pub fn one<T>(
        &mut self,
        sql: &'static Sql,
        values: &[Value],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.optional(sql, values, read)?.ok_or_else(|| STORE_ROW_MISSING.error())
    }

    /// The row of a statement, if there is one; [`STORE_ROWS_SURPLUS`] when there are more.
    pub fn optional<T>(
        &mut self,
        sql: &'static Sql,
        values: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut found = None;
        self.each(sql, values, |row| {
            if found.is_some() {
                return Err(STORE_ROWS_SURPLUS.error().with("statement", sql.name()));
            }
            found = Some(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Every row of a statement, in its order; [`STORE_ROWS_SURPLUS`] beyond [`ROWS_MAX`]. Page what can grow.
    pub fn all<T>(
        &mut self,
        sql: &'static Sql,
        values: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            if found.len() >= ROWS_MAX {
                return Err(STORE_ROWS_SURPLUS.error().with("statement", sql.name()));
            }
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Lends each row in turn; an error of `each` ends the reading and is given back.
    pub fn each(
        &mut self,
        sql: &'static Sql,
        values: &[Value],
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.before(sql, values)?;
        match self.connection.each(sql, values, &mut each) {
            Ok(answer) => answer,
            Err(error) => Err(self.fail(error)),
        }
    }

    fn execute(&mut self, sql: &'static Sql, values: &[Value]) -> Result<u64> {
        self.before(sql, values)?;
        self.connection.execute(sql, values).map_err(|error| self.fail(error))
    }

    fn before(&mut self, sql: &'static Sql, values: &[Value]) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let checked = self.check(sql, values);
        checked.map_err(|error| self.fail(error))
    }

    fn check(&self, sql: &'static Sql, values: &[Value]) -> Result<()> {
        if Instant::now() > self.until {
            return Err(too_long());
        }
        if sql.engine.is_some_and(|only| only != self.engine()) {
            return Err(STORE_STATEMENT.error().with("statement", sql.name()).because(Fault {
                engine: self.engine(),
                code: "engine".to_owned(),
                message: "the text is for the other engine".to_owned(),
                statement: sql.name().to_owned(),
            }));
        }
        if let Scope::Tenant(tenant) = self.around.scope {
            self.around.guard.check(tenant, sql, values)?;
        }
        self.around.faults.check()
    }

    fn fail(&mut self, error: Error) -> Error {
        self.failed = Some(error.clone());
        error
    }

    /// What the closure's end really means: a failure inside or too much time overrules an `Ok`.
    pub(crate) fn verdict(&self, answer: Result<()>) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        answer?;
        if Instant::now() > self.until { Err(too_long()) } else { Ok(()) }
    }
}

fn too_long() -> Error {
    STORE_TIMEOUT.error().retry_after(RETRY_AFTER_SECONDS)
}

impl<'a> Tx<'a> {
    pub(crate) fn new(connection: Connection<'a>, around: Surroundings<'a>) -> Self {
        Self { rx: Rx::new(connection, around), staged: Vec::new() }
    }

    /// Runs a statement that gives no rows; how many rows it changed.
    pub fn execute(&mut self, sql: &'static Sql, values: &[Value]) -> Result<u64> {
        self.rx.execute(sql, values)
    }

    /// Hands something to the hook before the commit; dropped when this closure's work is undone.
    pub fn stage(&mut self, thing: Staged) {
        self.staged.push(thing);
    }

    pub(crate) fn take_staged(&mut self) -> Vec<Staged> {
        std::mem::take(&mut self.staged)
    }
}

impl<'a> Deref for Tx<'a> {
    type Target = Rx<'a>;
    fn deref(&self) -> &Rx<'a> {
        &self.rx
    }
}
impl<'a> DerefMut for Tx<'a> {
    fn deref_mut(&mut self) -> &mut Rx<'a> {
        &mut self.rx
    }
}
