//! What every verb needs: the store, the time, the dice.

use std::sync::Arc;

use base::{Call, Chance, Clock, Id, Time, id::IdKind};
use store::Db;

/// The handles that every room's service holds; cheap to clone.
#[derive(Clone)]
pub struct House {
    /// The store.
    pub db: Db,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub chance: Arc<dyn Chance>,
}

impl House {
    /// The present moment.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// A new id.
    pub fn id<K: IdKind>(&self) -> Id<K> {
        Id::new(self.now(), &*self.chance)
    }

    /// A call by the house itself, in the role of `name`.
    pub fn system(&self, name: &str) -> Call {
        Call::system(name, self.now(), &*self.chance)
    }
}
