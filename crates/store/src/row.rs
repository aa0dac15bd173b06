//! Rows that come out of a statement: a closed list of cells, read by position as the type that the caller names.
//!
//! Either engine's cell becomes the same Rust value or an error that names the column; nothing is converted silently
//! (text is never taken for a number). Never here: values in an error's text.

use base::{Error, Id, Result, Time, id::IdKind};
use postgres::types::{FromSql, Type};
use uuid::Uuid;

use crate::{error::STORE_TYPE, value::POSTGRES_EPOCH_MICROS};

/// One row, lent while a statement runs.
pub enum Row<'a> {
    /// From SQLite.
    #[doc(hidden)]
    Sqlite(&'a rusqlite::Row<'a>),
    /// From PostgreSQL.
    #[doc(hidden)]
    Postgres(&'a postgres::Row),
}

/// One cell, borrowed from its row.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A UUID (PostgreSQL).
    Uuid(Uuid),
    /// A moment (PostgreSQL).
    Time(Time),
    /// JSON text (PostgreSQL).
    Json(&'a str),
    /// Yes or no (PostgreSQL).
    Bool(bool),
    /// A type that we do not use, such as a real number or `numeric`.
    Other(&'static str),
}

impl Row<'_> {
    /// The value in column `index` (from 0) as a `T`; [`STORE_TYPE`] when it is something else or not there.
    pub fn get<T: FromCell>(&self, index: usize) -> Result<T> {
        let cell = self.cell(index)?;
        T::from_cell(cell).ok_or_else(|| mismatch(index, cell.kind(), T::WANTED))
    }

    /// The value in column `index` as it is.
    pub fn cell(&self, index: usize) -> Result<Cell<'_>> {
        match self {
            Self::Sqlite(row) => {
                use rusqlite::types::ValueRef;
                let value = row.get_ref(index).map_err(|_| mismatch(index, "nothing", "a column"))?;
                Ok(match value {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(number) => Cell::Int(number),
                    ValueRef::Real(_) => Cell::Other("a real number"),
                    ValueRef::Text(text) => {
                        std::str::from_utf8(text).map_or(Cell::Other("text that is not UTF-8"), Cell::Text)
                    }
                    ValueRef::Blob(bytes) => Cell::Bytes(bytes),
                })
            }
            Self::Postgres(row) => row.try_get(index).map_err(|_| mismatch(index, "nothing", "a column")),
        }
    }

    /// How many columns.
    pub fn width(&self) -> usize {
        match self {
            Self::Sqlite(row) => row.as_ref().column_count(),
            Self::Postgres(row) => row.len(),
        }
    }
}

fn mismatch(index: usize, found: &'static str, wanted: &'static str) -> Error {
    STORE_TYPE.error().with("column", index).with("found", found).with("wanted", wanted)
}

impl Cell<'_> {
    const fn kind(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "a whole number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a uuid",
            Self::Time(_) => "a time",
            Self::Json(_) => "JSON",
            Self::Bool(_) => "a bool",
            Self::Other(name) => name,
        }
    }
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(
        of: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *of {
            Type::INT8 => Self::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Self::Int(i64::from(i32::from_be_bytes(raw.try_into()?))),
            Type::INT2 => Self::Int(i64::from(i16::from_be_bytes(raw.try_into()?))),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Self::Text(std::str::from_utf8(raw)?)
            }
            Type::BYTEA => Self::Bytes(raw),
            Type::UUID => Self::Uuid(Uuid::from_slice(raw)?),
            Type::TIMESTAMPTZ => {
                let micros = i64::from_be_bytes(raw.try_into()?);
                Self::Time(Time::from_micros(micros.saturating_add(POSTGRES_EPOCH_MICROS)))
            }
            Type::JSON => Self::Json(std::str::from_utf8(raw)?),
            // The binary form of jsonb is a version, always 1, and the text.
            Type::JSONB => Self::Json(std::str::from_utf8(raw.strip_prefix(&[1]).unwrap_or(raw))?),
            Type::BOOL => Self::Bool(raw.first().is_some_and(|byte| *byte != 0)),
            Type::NUMERIC => Self::Other("numeric (cast it to bigint)"),
            _ => Self::Other("a type that the house does not use"),
        })
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What a cell can be read as. Closed in practice: the types that [`crate::Value`] is made from.
pub trait FromCell: Sized {
    /// What it wants, for messages.
    const WANTED: &'static str;
    /// The value, or nothing when the cell is something else.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {
        $(impl FromCell for $type {
            const WANTED: &'static str = concat!("a whole number (", stringify!($type), ")");
            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                match cell {
                    Cell::Int(number) => Self::try_from(number).ok(),
                    _ => None,
                }
            }
        })*
    };
}
whole_numbers!(i64, i32, u64, u32, u16, u8, usize);

impl FromCell for bool {
    const WANTED: &'static str = "a bool";
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Bool(yes) => Some(yes),
            Cell::Int(0) => Some(false),
            Cell::Int(1) => Some(true),
            _ => None,
        }
    }
}
impl FromCell for String {
    const WANTED: &'static str = "text";
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}
impl FromCell for Vec<u8> {
    const WANTED: &'static str = "bytes";
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}
impl<const N: usize> FromCell for [u8; N] {
    const WANTED: &'static str = "bytes of a fixed length";
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}
impl FromCell for Uuid {
    const WANTED: &'static str = "a uuid";
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Uuid(uuid) => Some(uuid),
            Cell::Bytes(bytes) => Self::from_slice(bytes).ok(),
            _ => None,
        }
    }
}
impl<K: IdKind> FromCell for Id<K> {
    const WANTED: &'static str = "an id";
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        Uuid::from_cell(cell).map(Self::from_uuid)
    }
}
impl FromCell for Time {
    const WANTED: &'static str = "a time";
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Time(time) => Some(time),
            Cell::Text(text) => Self::parse(text),
            _ => None,
        }
    }
}
impl FromCell for serde_json::Value {
    const WANTED: &'static str = "JSON";
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Json(text) | Cell::Text(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }
}
impl<T: FromCell> FromCell for Option<T> {
    const WANTED: &'static str = T::WANTED;
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            other => T::from_cell(other).map(Some),
        }
    }
}
