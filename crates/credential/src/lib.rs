//! Credentials: what a tenant signs about a person, from the row of a table to a revoked status bit.
//!
//! Issuing is plan → sign → finish: the exact bytes to be signed are durable before a key sees them, no transaction is
//! open while it signs, and a job finishes or voids what a crash left planned. Everything personal is sealed under the
//! person's own key; clear are ids, digests, status places and times.
//! Never here: an index that tells a neighbour something, a status that comes back from revoked, a clipped name.

mod document;
pub mod error;
pub mod facts;
mod http;
mod list;
mod model;
mod pages;
mod permutation;
mod pictures;
mod repo;
mod rules;
mod service;
mod table;
mod template;

pub use http::{admin_routes, contract, program_routes, public_routes};
pub use model::{Credential, State};
pub use service::{BULK, BulkWork, Credentials, Detail, Document, Erasing, Issued, RowOutcome};
pub use template::{TEMPLATES, Template};

use store::Migration;

/// This room's tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    room: "credential",
    name: "0001_credential",
    sqlite: include_str!("../migrations/sqlite/0001_credential.sql"),
    postgres: include_str!("../migrations/postgres/0001_credential.sql"),
}];

/// Tables that belong to no tenant: none.
pub const TABLES_WITHOUT_TENANT: &[(&str, &str)] = &[];
