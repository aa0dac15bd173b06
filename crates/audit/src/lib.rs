//! The evidence log: every fact is a leaf of a Merkle tree whose signed heads anybody can keep.
//!
//! Facts get their place in the store; this room turns them into C2SP tiles and checkpoints, proves that one of them
//! stands where it stands, and audits itself by computing everything again.
//! Never here: a checkpoint that is signed before its size and root are durable, a smaller tree after a larger one,
//! personal data in anything that is published.

pub mod error;
pub mod facts;
mod http;
mod mirror;
mod model;
mod repo;
mod service;
mod tiles;

pub use http::{admin_routes, contract, public_routes};
pub use mirror::Mirror;
pub use model::{LogHead, LogReport, Proven};
pub use service::{Audit, check_proof};

use store::Migration;

/// This room's tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    room: "audit",
    name: "0001_log",
    sqlite: include_str!("../migrations/sqlite/0001_log.sql"),
    postgres: include_str!("../migrations/postgres/0001_log.sql"),
}];

/// Tables that belong to no tenant, each with its reason.
pub const TABLES_WITHOUT_TENANT: &[(&str, &str)] = &[("audit_log", "the heads of the house's logs")];
