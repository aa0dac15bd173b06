//! Tenants: the check of debug builds that a statement in a tenant's scope binds that tenant, and (PostgreSQL) the
//! row-level security that is put on every table with a column `tenant`.
//!
//! On SQLite the scope changes nothing at run time, so a forgotten `tenant = $1` would pass every test; the guard
//! makes it fail there too. Never here: a list of tables; the column `tenant` is the list.

use std::collections::BTreeSet;

use base::Result;
use uuid::Uuid;

use crate::{
    error::{Fault, STORE_OTHER_TENANT},
    sql::Sql,
    value::Value,
};

/// Knows which tables belong to tenants; empty in release builds and on PostgreSQL, which checks for itself.
#[derive(Default)]
pub(crate) struct Guard {
    tables: BTreeSet<String>,
}

impl Guard {
    /// Reads the names of the tables that have a column `tenant`.
    pub(crate) fn of_sqlite(connection: &rusqlite::Connection) -> rusqlite::Result<Self> {
        if !cfg!(debug_assertions) {
            return Ok(Self::default());
        }
        let mut statement = connection.prepare(
            "select m.name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and c.name = 'tenant'",
        )?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok(Self { tables: names.collect::<rusqlite::Result<_>>()? })
    }

    /// Refuses a statement that names a tenant's table without binding the tenant of the scope.
    pub(crate) fn check(&self, tenant: Uuid, sql: &'static Sql, values: &[Value]) -> Result<()> {
        if self.tables.is_empty() || values.contains(&Value::Uuid(tenant)) {
            return Ok(());
        }
        let mut words = sql
            .text
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')));
        match words.find(|word| self.tables.contains(*word)) {
            None => Ok(()),
            Some(table) => Err(STORE_OTHER_TENANT.because(Fault {
                engine: crate::Engine::Sqlite,
                code: "debug".to_owned(),
                message: format!("the text names {table} and does not bind the tenant of its scope"),
                statement: sql.name().to_owned(),
            })),
        }
    }
}
