//! The agent beside a service: it keeps certificates new, puts them in place, and proves that the service shows them.
//!
//! It speaks ACME with any authority. What is in service changes only for something that was judged, and goes back when
//! the service does not show it. The old certificate stays in service for as long as nothing better is there.
//! Never here: a house and its store, a key that leaves this machine, a service that is stopped, a silent failure.

mod authority;
mod challenge;
pub mod config;
pub mod error;
mod figures;
mod files;
mod judge;
mod notify;
pub mod plan;
mod reload;
mod run;
mod served;
pub mod state;
mod transport;

pub use config::Config;
pub use run::{Agent, Status};
