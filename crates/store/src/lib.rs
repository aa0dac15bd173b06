//! The store: one query layer for SQLite and PostgreSQL. A room hands it a named closure; the closure runs on the
//! store's own thread, reads and writes through registered SQL texts, and is answered when its commit is durable.
//!
//! Invariants: acknowledged means durable · one SQL text for both engines · on SQLite one fsync serves a group of
//! closures and none hurts its neighbours · on PostgreSQL a tenant's closure cannot see another tenant's row ·
//! everything has a limit with a name in [`settings`]. Never here: a word about facts, credentials or people; a
//! transaction that stays open while something else is waited for; SQL made at run time.

pub mod blob;
pub mod bootstrap;
pub mod cache;
pub mod check;
mod db;
mod engine;
pub mod error;
mod fault;
mod figures;
mod hook;
mod job;
pub mod lease;
pub mod migrate;
mod queue;
mod reserve;
mod row;
pub mod schema;
pub mod settings;
mod sql;
mod tenancy;
mod tls;
mod tx;
mod value;

pub use db::{Db, TenantDb};
pub use engine::Engine;
pub use error::is_unique_violation;
#[cfg(feature = "fault-injection")]
pub use fault::Faults;
pub use figures::{BUCKETS_MICROS, Figures, Histogram};
pub use hook::{CommitHook, Staged};
pub use migrate::{Applied, Migration, migrate};
pub use row::{Cell, FromCell, Row};
pub use settings::{Place, Settings};
pub use sql::{STATEMENTS, Sql};
pub use tls::{OWN as OWN_CERTIFICATE, certificate_shown};
pub use tx::{Rx, Scope, Tx};
pub use value::Value;

// The macro `sql!` names the crate by this path, so that a room needs no line of its own for it.
#[doc(hidden)]
pub use base::linkme;
