//! The two engines behind one closed enum: a connection runs a registered statement with portable values and lends
//! each row. Everything above this folder is written once for both.
//!
//! Never here: a decision when to commit, retry or give up; that is `writer` (SQLite) and `workers` (PostgreSQL).

pub(crate) mod postgres;
pub(crate) mod sqlite;
pub(crate) mod workers;
pub(crate) mod writer;

use std::fmt;

use base::Result;

use crate::{row::Row, sql::Sql, value::Value};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Engine {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL 15 or later.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// A connection lent to a transaction.
pub(crate) enum Connection<'a> {
    Sqlite(&'a sqlite::Connection),
    Postgres(&'a mut postgres::Connection),
}

impl Connection<'_> {
    pub(crate) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    pub(crate) fn execute(&mut self, sql: &'static Sql, values: &[Value]) -> Result<u64> {
        match self {
            Self::Sqlite(connection) => connection.execute(sql, values),
            Self::Postgres(connection) => connection.execute(sql, values),
        }
    }

    /// Runs a statement and lends each row. The outer error is the engine's, the inner one the callback's.
    pub(crate) fn each(
        &mut self,
        sql: &'static Sql,
        values: &[Value],
        each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<Result<()>> {
        match self {
            Self::Sqlite(connection) => connection.each(sql, values, each),
            Self::Postgres(connection) => connection.each(sql, values, each),
        }
    }
}

/// What preparing a statement told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) parameters: usize,
    pub(crate) columns: Vec<String>,
}
