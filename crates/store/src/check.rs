//! Checks for tests and for `selo doctor`: every registered statement prepares on both engines with the same
//! parameters and columns, and every table without a tenant is on a list with its reason.
//!
//! Never here: a change of anything.

use std::collections::BTreeSet;

use base::Result;

use crate::{
    db::{Db, Inspected},
    engine::Shape,
    schema,
    sql::{STATEMENTS, Sql},
};

/// What an engine said of a registered statement.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The statement.
    pub sql: &'static Sql,
    /// How many placeholders.
    pub parameters: usize,
    /// The names of its columns, in order.
    pub columns: Vec<String>,
    /// Why the engine refuses it.
    pub refused: Option<String>,
}

/// Prepares every registered statement that is for the engine of `db`, in the order of their names.
pub async fn statements(db: &Db) -> Result<Vec<Prepared>> {
    let engine = db.engine();
    let mut all: Vec<&'static Sql> =
        STATEMENTS.iter().copied().filter(|sql| sql.engine.is_none_or(|only| only == engine)).collect();
    all.sort_by_key(|sql| (sql.name(), sql.file, sql.line));
    db.inspect(move |mut connection| {
        Ok(all
            .into_iter()
            .map(|sql| {
                let shape = match &mut connection {
                    Inspected::Sqlite(connection) => connection.shape(sql),
                    Inspected::Postgres(connection) => connection.shape(sql),
                };
                match shape {
                    Ok(Shape { parameters, columns }) => Prepared { sql, parameters, columns, refused: None },
                    Err(error) => Prepared {
                        sql,
                        parameters: 0,
                        columns: Vec::new(),
                        refused: Some(format!("{error:?}")),
                    },
                }
            })
            .collect())
    })
    .await
}

/// What is wrong with the statements of one engine: refused ones, and ones without a name.
pub fn refused(prepared: &[Prepared]) -> Vec<String> {
    let place = |sql: &Sql| format!("{}:{} {}", sql.file, sql.line, sql.name());
    let mut wrong = Vec::new();
    for one in prepared {
        if let Some(reason) = &one.refused {
            wrong.push(format!("{}: {reason}", place(one.sql)));
        }
        if !one.sql.is_named() {
            wrong.push(format!("{}: the first line must be a comment with its name", place(one.sql)));
        }
    }
    wrong
}

/// Where two engines differ about a statement: parameters, or names and number of columns.
pub fn differences(one: &[Prepared], other: &[Prepared]) -> Vec<String> {
    let mut wrong = Vec::new();
    for mine in one.iter().filter(|prepared| prepared.sql.engine.is_none()) {
        let Some(theirs) = other.iter().find(|theirs| std::ptr::eq(theirs.sql, mine.sql)) else {
            wrong.push(format!("{} is missing on the other engine", mine.sql.name()));
            continue;
        };
        if mine.parameters != theirs.parameters {
            wrong.push(format!(
                "{}: {} and {} placeholders",
                mine.sql.name(),
                mine.parameters,
                theirs.parameters
            ));
        }
        if mine.columns != theirs.columns {
            wrong.push(format!("{}: columns {:?} and {:?}", mine.sql.name(), mine.columns, theirs.columns));
        }
    }
    wrong
}

/// Tables that break promise 5 of the design: without a column `tenant` and not on the list, on the list though they
/// have one or are not there, or with a tenant that is not the first column of the primary key.
/// `without_tenant` are pairs of table and reason.
pub async fn tenancy(db: &Db, without_tenant: &[(&str, &str)]) -> Result<Vec<String>> {
    let schema = schema::read(db).await?;
    let listed: BTreeSet<&str> = without_tenant.iter().map(|(table, _)| *table).collect();
    let mut wrong = Vec::new();
    for (table, reason) in without_tenant {
        if reason.trim().is_empty() {
            wrong.push(format!("{table} is listed without a reason"));
        }
        if !schema.tables.contains_key(*table) && *table != "store_migration" {
            wrong.push(format!("{table} is listed and does not exist"));
        }
    }
    for (name, table) in &schema.tables {
        match (table.columns.get("tenant"), listed.contains(name.as_str())) {
            (None, false) => {
                wrong.push(format!("{name} has no column tenant and is not listed with a reason"))
            }
            (Some(_), true) => wrong.push(format!("{name} is listed and has a column tenant")),
            (Some(column), false) if column.key != Some(1) => {
                wrong.push(format!("{name}: tenant is not the first column of the primary key"));
            }
            _ => {}
        }
        if db.engine() == crate::Engine::Postgres && table.columns.contains_key("tenant") && !table.guarded {
            wrong.push(format!("{name} has no forced row-level security"));
        }
    }
    Ok(wrong)
}
