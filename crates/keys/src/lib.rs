//! The key ring: what signs, what seals, and what forgets.
//!
//! One sealed file holds the root and the epoch keys; everything else is derived from the root or wrapped by an epoch.
//! A person's key stands in one table only, wrapped by the epoch of the month: destroying the row forgets the person,
//! and destroying old epochs makes backups forget too.
//! A signing key lives sealed in the database or on a PKCS#11 token, which its row says; a root's key can live nowhere
//! but in the shares of several people.
//! Never here: a key in clear on disk or in a log, a signature of bytes that were not planned before, a signature
//! inside a transaction, a software key in the place of a token's.

pub mod error;
pub mod facts;
mod file;
mod offline;
mod person;
mod repo;
mod request;
mod ring;
mod seal;
pub mod shamir;
mod signature;
mod signing;
mod token;

pub use file::{KeyFile, create as create_file};
pub use offline::OfflineKey;
pub use person::PersonKey;
pub use request::{Curve, LocalKey, local_key, local_key_on, request_der};
pub use ring::{Blind, EPOCH_DAYS, EPOCH_GRACE_DAYS, Keys, NewPerson, PreparedKey};
pub use seal::{Aad, SealingKey};
pub use signature::Signature;
pub use signing::{Algorithm, KeyState, Place, Purpose, SigningKeyInfo, Succession};
pub use token::{SESSIONS, SESSIONS_MAX, SETTINGS, Token, TokenSettings};

use store::Migration;

/// This crate's tables.
pub const MIGRATIONS: &[Migration] =
    &[store::migration!("keys", "0001_keys"), store::migration!("keys", "0002_place")];
