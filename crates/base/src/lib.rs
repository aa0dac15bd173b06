//! The ground under every room: identifiers, time, chance, secrets, errors, paging, configuration, telemetry and the
//! context of a call.
//!
//! Rooms never ask the operating system for the time or for random bytes; both come in with the house (`Clock`,
//! `Chance`), so that a test can turn the clock and replay the dice.
//! Never here: a word about credentials, tenants' rules or SQL. Never in an error: a secret or personal data.

pub mod call;
pub mod chance;
pub mod config;
pub mod error;
pub mod id;
pub mod lang;
pub mod page;
pub mod secret;
pub mod telemetry;
pub mod time;

pub use call::{Actor, ActorKind, Call};
pub use chance::{Chance, SeededChance, SystemChance};
pub use error::{Code, Error, Kind, Result};
pub use id::Id;
pub use lang::Lang;
pub use page::{Page, PageToken};
pub use secret::Secret;
pub use time::{Clock, MockClock, SystemClock, Time};

// The macros name these crates by this path, so that a room needs no line of its own for them.
#[doc(hidden)]
pub use linkme;
