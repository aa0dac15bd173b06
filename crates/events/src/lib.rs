//! Facts: each thing whose state changes leaves exactly one, in the transaction that changed it.
//!
//! The evidence log, the bus, jobs and search all read facts; there is no second way to be told. On SQLite the group's
//! writer gives a fact its place in its log within the same commit; on PostgreSQL a sequencer does, under a lease.
//! Never here: an id that is compared with "greater than the last one seen", a delivery that is forgotten, a topic
//! or an event of another shape than the contract's.

mod bus;
pub mod error;
mod fact;
mod house;
pub mod jobs;
mod repo;
mod restore;
mod sequencer;

pub use bus::{Bus, Event, Handler, Subscription, forget_older_than};
pub use fact::{
    FACT_TYPES, Fact, FactType, Field, FieldKind, Log, Record, SealedPart, Seals, recorder, written,
};
pub use house::House;
pub use repo::{
    Audited, Leaf, LogRange, Recorded, Search, audited, census, fact_by_id, first_of_resource, forget_person,
    leaf_of, leaves, log_size, of_type, payloads_of_resource, search, waiting_from,
};
pub use restore::ReturnedLeaf;
pub use sequencer::Sequencer;

use store::Migration;

/// This crate's tables.
pub const MIGRATIONS: &[Migration] =
    &[store::migration!("events", "0001_facts"), store::migration!("events", "0002_by_type")];

/// Tables that belong to no tenant, each with its reason.
pub const TABLES_WITHOUT_TENANT: &[(&str, &str)] = &[
    ("events_pending", "order of arrival over all tenants, fact ids only"),
    ("events_leaf", "one log over all tenants, fact ids and hashes only"),
    ("events_cursor", "how far a consumer of the house has read"),
    ("events_inbox", "which facts a consumer of the house has handled"),
    ("events_dead", "which facts a consumer of the house could not handle"),
];
