//! The schema as the engine has it, in a form that is the same for both, so that twins can be compared and the
//! result committed beside the code.
//!
//! SQLite keeps uuid and bytes as `blob`, times and JSON as `text`, bool as `integer`; so a twin's type is compared by
//! that class. Never here: row-level security's policies; `check::tenancy` asks whether they are forced.

use std::{collections::BTreeMap, fmt::Write as _};

use base::Result;

use crate::{
    db::{Db, Inspected},
    engine::{postgres, sqlite},
};

/// All tables, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// By name, without `store_migration` and the engine's own.
    pub tables: BTreeMap<String, Table>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// By name.
    pub columns: BTreeMap<String, Column>,
    /// `unique(a, b)` or `index(a, b)`, sorted; without the primary key's.
    pub indexes: Vec<String>,
    /// Whether row-level security is forced (PostgreSQL only).
    pub guarded: bool,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The engine's own name of the type.
    pub kind: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// Its place in the primary key, from 1.
    pub key: Option<u32>,
}

/// Tables that are the store's bookkeeping and no twin's business.
const SKIPPED: &str = "store_migration";

/// Reads the schema of an open store.
pub async fn read(db: &Db) -> Result<Schema> {
    db.inspect(|connection| match connection {
        Inspected::Sqlite(connection) => {
            of_sqlite(connection.raw()).map_err(|error| sqlite::fault(error, "schema.read"))
        }
        Inspected::Postgres(connection) => {
            of_postgres(connection.client()).map_err(|error| postgres::fault(&error, "schema.read"))
        }
    })
    .await
}

fn of_sqlite(raw: &rusqlite::Connection) -> rusqlite::Result<Schema> {
    let mut schema = Schema::default();
    let mut columns = raw.prepare(
        "select m.name, c.name, lower(c.type), c.\"notnull\", c.pk from sqlite_master m join pragma_table_info(m.name) c
         where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'",
    )?;
    let mut rows = columns.query([])?;
    while let Some(row) = rows.next()? {
        let (table, name): (String, String) = (row.get(0)?, row.get(1)?);
        let key: u32 = row.get(4)?;
        let column = Column {
            kind: row.get(2)?,
            nullable: row.get::<_, i64>(3)? == 0 && key == 0,
            key: (key > 0).then_some(key),
        };
        schema.add(table, name, column);
    }
    let mut indexes = raw.prepare(
        "select m.name, i.\"unique\", group_concat(c.name, ', ' order by c.seqno) from sqlite_master m
         join pragma_index_list(m.name) i
         join pragma_index_info(i.name) c
         where m.type = 'table' and i.origin <> 'pk' group by m.name, i.name",
    )?;
    let mut rows = indexes.query([])?;
    while let Some(row) = rows.next()? {
        let columns: Option<String> = row.get(2)?;
        schema.add_index(&row.get::<_, String>(0)?, row.get(1)?, &columns.unwrap_or_default());
    }
    schema.sort();
    Ok(schema)
}

fn of_postgres(client: &mut ::postgres::Client) -> std::result::Result<Schema, ::postgres::Error> {
    let mut schema = Schema::default();
    let columns = client.query(
        "select t.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                array_position(k.conkey, a.attnum), t.relrowsecurity and t.relforcerowsecurity
         from pg_class t
         join pg_namespace s on s.oid = t.relnamespace and s.nspname = 'public'
         join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
         left join pg_constraint k on k.conrelid = t.oid and k.contype = 'p'
         where t.relkind in ('r', 'p')",
        &[],
    )?;
    for row in columns {
        let (table, name): (String, String) = (row.get(0), row.get(1));
        let key: Option<i32> = row.get(4);
        let guarded: bool = row.get(5);
        let column = Column {
            kind: row.get(2),
            nullable: !row.get::<_, bool>(3),
            key: key.and_then(|place| u32::try_from(place).ok()),
        };
        schema.add(table.clone(), name, column);
        if let Some(table) = schema.tables.get_mut(&table) {
            table.guarded = guarded;
        }
    }
    let indexes = client.query(
        "select t.relname::text, i.indisunique, string_agg(coalesce(a.attname::text, ''), ', ' order by p.place)
         from pg_index i
         join pg_class t on t.oid = i.indrelid
         join pg_namespace s on s.oid = t.relnamespace and s.nspname = 'public'
         cross join lateral unnest(i.indkey::int2[]) with ordinality as p (number, place)
         left join pg_attribute a on a.attrelid = t.oid and a.attnum = p.number and p.number > 0
         where not i.indisprimary
         group by t.relname, i.indexrelid, i.indisunique",
        &[],
    )?;
    for row in indexes {
        schema.add_index(row.get(0), row.get(1), row.get(2));
    }
    schema.sort();
    Ok(schema)
}

impl Schema {
    fn add(&mut self, table: String, name: String, column: Column) {
        if table != SKIPPED {
            self.tables.entry(table).or_default().columns.insert(name, column);
        }
    }

    fn add_index(&mut self, table: &str, unique: bool, columns: &str) {
        if let Some(table) = self.tables.get_mut(table) {
            table.indexes.push(format!("{}({columns})", if unique { "unique" } else { "index" }));
        }
    }

    fn sort(&mut self) {
        self.tables.values_mut().for_each(|table| table.indexes.sort_unstable());
    }

    /// The schema as text, to be committed and compared.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (name, table) in &self.tables {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{name}");
            for (name, column) in &table.columns {
                let null = if column.nullable { "null" } else { "not null" };
                let key = column.key.map_or(String::new(), |place| format!(" key {place}"));
                let _ = writeln!(out, "    {name} {} {null}{key}", column.kind);
            }
            for index in &table.indexes {
                let _ = writeln!(out, "    {index}");
            }
        }
        out
    }
}

/// SQLite's class of a type of either engine.
fn class(kind: &str) -> &str {
    match kind {
        "uuid" | "bytea" | "blob" => "blob",
        "text" | "timestamp with time zone" | "jsonb" | "json" | "character varying" => "text",
        "bigint" | "integer" | "smallint" | "int" | "boolean" => "integer",
        other => other,
    }
}

/// Where twins differ: tables, columns, class of type, nullability, place in the primary key, indexes.
pub fn differences(one: &Schema, other: &Schema) -> Vec<String> {
    let mut wrong = Vec::new();
    let names = one.tables.keys().chain(other.tables.keys()).collect::<std::collections::BTreeSet<_>>();
    for name in names {
        let (Some(mine), Some(theirs)) = (one.tables.get(name), other.tables.get(name)) else {
            wrong.push(format!("table {name} is on one engine only"));
            continue;
        };
        let columns =
            mine.columns.keys().chain(theirs.columns.keys()).collect::<std::collections::BTreeSet<_>>();
        for column in columns {
            let (Some(mine), Some(theirs)) = (mine.columns.get(column), theirs.columns.get(column)) else {
                wrong.push(format!("column {name}.{column} is on one engine only"));
                continue;
            };
            if class(&mine.kind) != class(&theirs.kind) {
                wrong.push(format!("column {name}.{column} is {} and {}", mine.kind, theirs.kind));
            }
            if mine.nullable != theirs.nullable {
                wrong.push(format!("column {name}.{column} may be null on one engine only"));
            }
            if mine.key != theirs.key {
                wrong.push(format!(
                    "column {name}.{column} has place {:?} and {:?} in the key",
                    mine.key, theirs.key
                ));
            }
        }
        if mine.indexes != theirs.indexes {
            wrong.push(format!("indexes of {name} are {:?} and {:?}", mine.indexes, theirs.indexes));
        }
    }
    wrong
}
