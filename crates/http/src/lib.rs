//! The house's HTTP toolkit: one way to write a handler, one door that every request goes through.
//!
//! A room writes thin handlers that take [`Caller`] or [`Context`], [`Json`], [`Query`], [`PathId`], [`Paging`], [`Listed`] and
//! return [`Outcome`]`<`[`Reply`]`<T>>`; it mounts them on a [`ZoneRouter`]. The roof opens each zone with
//! [`ZoneRouter::open`] and serves it on a [`Listener`] of that zone.
//! Invariants: nothing leaves in a shape that was not agreed; a route of one zone is unknown in every other; each
//! response carries the security headers and a request id. Never here: a word about credentials, tenants or SQL.

pub mod assets;
pub mod caller;
pub mod client;
mod clients;
pub mod config;
mod door;
mod envelope;
pub mod error;
mod extract;
pub mod handshake;
mod headers;
mod health;
pub mod idempotency;
pub mod json;
mod limit;
pub mod outgoing;
pub mod page;
mod plain;
pub mod server;
pub mod tls;
mod zone;

pub use assets::Assets;
pub use caller::{Authenticate, Boxed, Caller, Context, Credentials, Peer, Permissions};
pub use client::Client;
pub use clients::{ClientCertificate, Clients};
pub use config::{DoorSettings, Network, Rates, SETTINGS};
pub use door::{App, Fittings};
pub use envelope::{ErrorBody, ErrorDetail, ErrorPage, ErrorReply, Items, Reply};
pub use error::*;
pub use extract::{Json, Listed, Paging, PathId, Query, read as read_json};
pub use health::Checks;
pub use idempotency::{IdempotencyStore, MemoryIdempotency};
pub use plain::redirecting;
pub use server::{Limits as ServerLimits, Listener, Socket};
pub use tls::{Pair, ServerIdentity, Tls, TlsFiles};
pub use utoipa_axum::routes;
pub use zone::{Admin, Class, Cors, Dialect, Partner, Plain, Public, Rules, Zone, ZoneRouter};
