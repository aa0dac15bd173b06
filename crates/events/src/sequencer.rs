//! The sequencer: gives waiting facts their place in a log, under a lease with a fencing token.
//!
//! Only PostgreSQL has facts that wait; on SQLite the group's writer places them in the same commit. It never
//! compares ids with "greater than the last": what waits is a row, and a row that is placed is deleted with it.

use std::time::Duration;

use base::Result;
use store::lease;

use crate::{House, fact::Log, repo};

/// At most so many facts are placed in one transaction.
const BATCH_FACTS_MAX: u32 = 1_000;
/// A sequencer that dies is replaced after this time.
const LEASE_SECONDS: u64 = 5;

/// The sequencer of one log, in one process.
pub struct Sequencer {
    house: House,
    log: Log,
    holder: String,
}

impl Sequencer {
    /// A sequencer that will try to hold the log's lease under the name `holder`.
    pub fn new(house: House, log: Log, holder: String) -> Self {
        Self { house, log, holder }
    }

    /// Places what waits; returns how many facts were placed. Zero when another process holds the lease.
    ///
    /// # Errors
    /// The store's.
    pub async fn run_once(&self) -> Result<u64> {
        let (log, holder, now) = (self.log, self.holder.clone(), self.house.now());
        self.house
            .db
            .write("events.sequence", move |tx| {
                let name = format!("events.sequencer.{}", log.name());
                let Some(held) = lease::claim(tx, &name, &holder, now, Duration::from_secs(LEASE_SECONDS))?
                else {
                    return Ok(0);
                };
                lease::check(tx, &held, now)?;
                let waiting = repo::take_pending(tx, log, BATCH_FACTS_MAX)?;
                let next = if waiting.is_empty() { 0 } else { repo::next_index(tx, log)? };
                for ((fact, entry), index) in waiting.iter().zip(next..) {
                    repo::insert_leaf(tx, log, index, *fact, &proof::merkle::leaf_hash(entry))?;
                }
                Ok(waiting.len() as u64)
            })
            .await
    }
}
