//! The key ring: what signs, what seals, and what forgets.
//!
//! One sealed file holds the root and the epoch keys; everything else is derived from the root or wrapped by an epoch.
//! A person's key stands in one table only, wrapped by the epoch of the month: destroying the row forgets the person,
//! and destroying old epochs makes backups forget too.
//! Never here: a key in clear on disk or in a log, a signature of bytes that were not planned before, a signature
//! inside a transaction.

pub mod error;
pub mod facts;
mod file;
mod person;
mod repo;
mod ring;
mod seal;
mod signing;

pub use file::{KeyFile, create as create_file};
pub use person::PersonKey;
pub use ring::{Blind, EPOCH_DAYS, EPOCH_GRACE_DAYS, Keys, NewPerson, PreparedKey};
pub use seal::{Aad, SealingKey};
pub use signing::{Algorithm, KeyState, Purpose, SigningKeyInfo};

use store::Migration;

/// This crate's tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    room: "keys",
    name: "0001_keys",
    sqlite: include_str!("../migrations/sqlite/0001_keys.sql"),
    postgres: include_str!("../migrations/postgres/0001_keys.sql"),
}];
