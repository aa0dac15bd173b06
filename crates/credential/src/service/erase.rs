//! When a person is forgotten: wipe the ciphertext, the pictures and the caches.
//!
//! The key is destroyed by `identity` in the verb itself, so nothing can be opened from that moment; this removes what
//! is left over, and is told by the fact like everybody else.

use std::sync::Arc;

use base::{
    Id, Result,
    id::kind::{Person, Tenant},
};
use events::{Event, Log, Subscription};
use store::Tx;

use super::Credentials;
use crate::repo;

/// The subscription that wipes.
pub struct Erasing;

impl Erasing {
    /// The subscription of a house.
    pub fn subscription(house: events::House) -> Subscription {
        Subscription {
            consumer: "credential.erasing",
            log: Log::Audit,
            types: &["person.erased"],
            handler: Arc::new(move |tx: &mut Tx<'_>, event: &Event| {
                let tenant: Id<Tenant> = event.fact.tenant;
                let person: Id<Person> = event.fact.resource_id.parse()?;
                repo::wipe_person(tx, tenant, person, house.now())
            }),
        }
    }
}

impl Credentials {
    /// Wipes what is left of a forgotten person at once: rows, pictures, caches, and the copies in the write-ahead
    /// log. Returns how many credentials the person had.
    ///
    /// # Errors
    /// The store's.
    pub async fn wipe_person(&self, tenant: Id<Tenant>, person: Id<Person>) -> Result<u64> {
        let now = self.house.now();
        let count = self
            .house
            .db
            .tenant(tenant.uuid())
            .write("credential.wipe_person", move |tx| {
                repo::wipe_person(tx, tenant, person, now)?;
                repo::count_of_person(tx, tenant, person)
            })
            .await?;
        self.pictures.clear();
        self.house.db.scrub().await?;
        Ok(count)
    }
}
