//! Values that go into a statement: a closed list that means the same on both engines.
//!
//! SQLite keeps a UUID as 16 bytes, a time as text that sorts, JSON as text, a bool as 0 or 1; PostgreSQL has types of
//! its own for them. Never here: real numbers (amounts and scores are whole numbers) and anything of a server's clock.

use base::{Id, Time, id::IdKind};
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// Microseconds between 1970-01-01 and 2000-01-01, where PostgreSQL's times begin.
pub(crate) const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The first and the last moment that both engines keep and that sort as text: the years 1 to 9999, but for the last
/// day, which the calendar library leaves out.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_207_199_999_999;

/// A value for a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value, of any type.
    Null,
    /// A whole number (`bigint`).
    Int(i64),
    /// Text; also text that already is JSON, for a JSON column.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID.
    Uuid(Uuid),
    /// A moment, in microseconds.
    Time(Time),
    /// JSON. What will be signed is kept as bytes instead: PostgreSQL's `jsonb` orders keys anew.
    Json(serde_json::Value),
    /// Yes or no.
    Bool(bool),
}

/// The values of a statement in the order of their placeholders: `values![tenant, id, now]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr;)*) => {
        $(impl From<$type> for Value { fn from($value: $type) -> Self { $make } })*
    };
}

from! {
    i64 => |v| Self::Int(v);
    &i64 => |v| Self::Int(*v);
    i32 => |v| Self::Int(i64::from(v));
    u32 => |v| Self::Int(i64::from(v));
    &u32 => |v| Self::Int(i64::from(*v));
    u16 => |v| Self::Int(i64::from(v));
    u8 => |v| Self::Int(i64::from(v));
    bool => |v| Self::Bool(v);
    &bool => |v| Self::Bool(*v);
    &str => |v| Self::Text(v.to_owned());
    &&str => |v| Self::Text((*v).to_owned());
    String => |v| Self::Text(v);
    &String => |v| Self::Text(v.clone());
    Vec<u8> => |v| Self::Bytes(v);
    &Vec<u8> => |v| Self::Bytes(v.clone());
    &[u8] => |v| Self::Bytes(v.to_vec());
    Uuid => |v| Self::Uuid(v);
    &Uuid => |v| Self::Uuid(*v);
    Time => |v| Self::Time(v);
    &Time => |v| Self::Time(*v);
    serde_json::Value => |v| Self::Json(v);
    &serde_json::Value => |v| Self::Json(v.clone());
    &Value => |v| v.clone();
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}
impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}
impl<K: IdKind> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Uuid(id.uuid())
    }
}
impl<K: IdKind> From<&Id<K>> for Value {
    fn from(id: &Id<K>) -> Self {
        Self::Uuid(id.uuid())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
macro_rules! from_lent_options {
    ($($type:ty),*) => {
        $(impl From<&Option<$type>> for Value {
            fn from(value: &Option<$type>) -> Self {
                value.as_ref().map_or(Self::Null, Into::into)
            }
        })*
    };
}
from_lent_options!(i64, bool, String, Vec<u8>, Uuid, Time, serde_json::Value);

impl Value {
    /// What it is, for messages; never the value itself.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "a whole number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a uuid",
            Self::Time(_) => "a time",
            Self::Json(_) => "JSON",
            Self::Bool(_) => "a bool",
        }
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Int(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Uuid(uuid) => ToSqlOutput::Borrowed(ValueRef::Blob(uuid.as_bytes())),
            Self::Time(time) if !TIMES.contains(&time.micros()) => {
                let mismatch = Mismatch { given: "a time out of range", wanted: "a time".to_owned() };
                return Err(rusqlite::Error::ToSqlConversionFailure(Box::new(mismatch)));
            }
            Self::Time(time) => ToSqlOutput::Owned(Owned::Text(time.sortable())),
            Self::Json(json) => ToSqlOutput::Owned(Owned::Text(json.to_string())),
            Self::Bool(yes) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*yes))),
        })
    }
}

/// A value of one kind was bound where the statement has another type.
#[derive(Debug)]
struct Mismatch {
    given: &'static str,
    wanted: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was bound where the statement has {}", self.given, self.wanted)
    }
}
impl std::error::Error for Mismatch {}

type Sent = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value {
    fn to_sql(&self, of: &Type, out: &mut bytes::BytesMut) -> Sent {
        let mismatch = || Box::new(Mismatch { given: self.kind(), wanted: of.name().to_owned() });
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Int(number) if *of == Type::INT8 => out.extend_from_slice(&number.to_be_bytes()),
            Self::Int(number) if *of == Type::INT4 => {
                out.extend_from_slice(&i32::try_from(*number).map_err(|_| mismatch())?.to_be_bytes());
            }
            Self::Int(number) if *of == Type::INT2 => {
                out.extend_from_slice(&i16::try_from(*number).map_err(|_| mismatch())?.to_be_bytes());
            }
            Self::Text(text) if *of == Type::TEXT || *of == Type::VARCHAR || *of == Type::JSON => {
                out.extend_from_slice(text.as_bytes());
            }
            Self::Text(text) if *of == Type::JSONB => {
                out.extend_from_slice(&[1]);
                out.extend_from_slice(text.as_bytes());
            }
            Self::Bytes(bytes) if *of == Type::BYTEA => out.extend_from_slice(bytes),
            Self::Uuid(uuid) if *of == Type::UUID => out.extend_from_slice(uuid.as_bytes()),
            Self::Time(time) if *of == Type::TIMESTAMPTZ && TIMES.contains(&time.micros()) => {
                let micros = time.micros().checked_sub(POSTGRES_EPOCH_MICROS).ok_or_else(mismatch)?;
                out.extend_from_slice(&micros.to_be_bytes());
            }
            Self::Json(json) if *of == Type::JSON => out.extend_from_slice(json.to_string().as_bytes()),
            Self::Json(json) if *of == Type::JSONB => {
                out.extend_from_slice(&[1]);
                out.extend_from_slice(json.to_string().as_bytes());
            }
            Self::Bool(yes) if *of == Type::BOOL => out.extend_from_slice(&[u8::from(*yes)]),
            // A flag may also be declared as a whole number, as in the SQLite twin.
            Self::Bool(yes) if *of == Type::INT8 => out.extend_from_slice(&i64::from(*yes).to_be_bytes()),
            _ => return Err(mismatch()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
