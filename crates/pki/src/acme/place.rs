//! Places that an account takes while something of its own is under way: so many at once, so that no account takes what
//! belongs to all. Each process counts for itself; a place is free again when it is dropped, however its work ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base::Id;
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};

use super::model::AccountId;

/// What is under way, by account.
type UnderWay<K> = HashMap<AccountId, Vec<(Id<K>, Arc<Turns<()>>)>>;

/// The places of this process for one kind of work. An account without work has no entry.
pub(crate) struct Places<K> {
    per_account_max: usize,
    under_way: Mutex<UnderWay<K>>,
}

/// One place, for one thing.
pub(crate) struct Place<K> {
    of: Arc<Places<K>>,
    account: AccountId,
    thing: Id<K>,
    turns: Arc<Turns<()>>,
}

impl<K> Places<K> {
    pub(crate) fn new(per_account_max: usize) -> Arc<Self> {
        Arc::new(Self { per_account_max, under_way: Mutex::default() })
    }

    /// A place for this thing; none when the account has all that it may.
    pub(crate) fn take(self: &Arc<Self>, account: AccountId, thing: Id<K>) -> Option<Place<K>> {
        let mut under_way = self.under_way();
        let own = under_way.entry(account).or_default();
        if own.len() >= self.per_account_max {
            return None;
        }
        let same = own.iter().find(|(known, _)| *known == thing);
        let turns = same.map(|(_, turns)| Arc::clone(turns)).unwrap_or_default();
        own.push((thing, Arc::clone(&turns)));
        Some(Place { of: Arc::clone(self), account, thing, turns })
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay<K>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Place<K> {
    /// The turn of this place, if no other place for the same thing has it.
    pub(crate) fn turn_now(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.turns).try_lock_owned().ok()
    }

    /// Waits until no other place for the same thing has its turn.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turns).lock_owned().await
    }
}

impl<K> Drop for Place<K> {
    fn drop(&mut self) {
        let mut under_way = self.of.under_way();
        let Some(own) = under_way.get_mut(&self.account) else { return };
        if let Some(position) = own.iter().position(|(known, _)| *known == self.thing) {
            own.swap_remove(position);
        }
        if own.is_empty() {
            under_way.remove(&self.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use base::{
        SystemChance, Time,
        id::{IdKind, kind},
    };

    use super::*;

    fn id<K: IdKind>() -> Id<K> {
        Id::new(Time::EPOCH, &SystemChance)
    }

    #[test]
    fn an_account_has_its_places_and_takes_none_of_anothers() {
        let places = Places::new(2);
        let (one, other): (AccountId, AccountId) = (id(), id());
        let first = places.take(one, id::<kind::AcmeOrder>()).unwrap();
        let second = places.take(one, id()).unwrap();
        assert!(places.take(one, id()).is_none());
        assert!(places.take(other, id()).is_some());
        drop(first);
        let again = places.take(one, id()).unwrap();
        drop((second, again));
        assert!(places.under_way().is_empty(), "nothing is kept of those who do nothing");
    }

    #[tokio::test]
    async fn one_thing_is_done_by_one_place_after_the_other() {
        let places = Places::new(4);
        let (account, thing) = (id(), id::<kind::AcmeOrder>());
        let first = places.take(account, thing).unwrap();
        let second = places.take(account, thing).unwrap();
        let turn = first.turn_now().unwrap();
        assert!(second.turn_now().is_none());
        let another = places.take(account, id()).unwrap();
        assert!(another.turn_now().is_some(), "another thing waits for nobody");
        drop(turn);
        drop(second.turn().await);
    }
}
