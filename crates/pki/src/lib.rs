//! The certificate authority: a ceremony makes a hierarchy, services get certificates, and whoever asks learns at once
//! which of them are revoked.
//!
//! Every certificate goes one way: plan, lint on a copy that a throw-away key signed, commit, sign, verify, finish. One
//! table says what is revoked; CRLs and OCSP answers are views of it, signed on demand.
//! Never here: the key of a root or of a service, two signatures over one plan, a revocation that is taken back, a name
//! that the issuer's own constraints forbid.

pub mod acme;
pub mod error;
mod exchange;
pub mod facts;
mod http;
mod model;
mod order;
mod repo;
mod request;
mod rules;
mod service;
mod settings;

pub use exchange::{CheckedRequest, EXCHANGE_BYTES_MAX, PartKind, RootRequest, RootResponse, Told};
pub use http::{Doors, Proofs, admin_routes, contract, public_routes};
pub use keys::{LocalKey, local_key, request_der};
pub use model::{Authority, AuthorityKind, AuthorityState, Certificate, State};
pub use order::CeremonyOrder;
pub use request::root_spki;
pub use rules::Grade;
pub use rules::WantedNames;
pub use service::{
    Accepted, Asked, Batch, Counts, Environment, Explained, Happening, Held, Issued, ListState,
    LostAuthority, Overview, Pki, PlannedCeremony, Refusal, Replay, Replayed, Requested, RootOrder,
    RootSignatures, Search, Selection, SignedList,
};
pub use settings::{SETTINGS, Settings};

use store::Migration;

/// This room's tables.
pub const MIGRATIONS: &[Migration] = &[
    store::migration!("pki", "0001_pki"),
    store::migration!("pki", "0002_root_requests"),
    store::migration!("pki", "0003_inventory"),
    store::migration!("pki", "0004_acme"),
    store::migration!("pki", "0005_key"),
];

/// Tables that belong to no tenant: none. The house's own authorities stand under the nil tenant.
pub const TABLES_WITHOUT_TENANT: &[(&str, &str)] = &[];
