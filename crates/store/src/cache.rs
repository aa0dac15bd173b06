//! The cache: bytes that can be computed again, kept for a while. In memory now; an engine of its own later.
//!
//! Bounded in entries and in bytes; what was used longest ago goes first. A value that is being computed is computed
//! once, however many ask for it. Never here: the only copy of anything, or a key that holds a secret (hash it first).

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base::{Clock, Result, Time};

/// How many entries a cache in memory keeps.
pub const ENTRIES_MAX: usize = 10_000;
/// How many bytes of keys and values a cache in memory keeps.
pub const BYTES_MAX: usize = 32 << 20;

/// A cache. Cheap to clone.
#[derive(Clone)]
pub enum Cache {
    /// In this process's memory.
    Memory(Arc<Memory>),
}

/// Entries in memory.
pub struct Memory {
    clock: Arc<dyn Clock>,
    entries_max: usize,
    bytes_max: usize,
    /// Owned by whoever holds the lock, for the length of one look or change; never held while something is computed.
    state: Mutex<State>,
    /// One gate per key that is being computed; the entry goes when the last who waits for it leaves.
    flights: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct State {
    /// Sorted, so that a prefix is a range.
    entries: BTreeMap<String, Entry>,
    /// From the turn of its last use to the key.
    uses: BTreeMap<u64, String>,
    turn: u64,
    bytes: usize,
}

struct Entry {
    value: Arc<[u8]>,
    until: Time,
    used: u64,
}

impl Cache {
    /// A cache in memory with the usual bounds.
    pub fn memory(clock: Arc<dyn Clock>) -> Self {
        Self::memory_of(clock, ENTRIES_MAX, BYTES_MAX)
    }

    /// A cache in memory with bounds of its own.
    pub fn memory_of(clock: Arc<dyn Clock>, entries_max: usize, bytes_max: usize) -> Self {
        Self::Memory(Arc::new(Memory {
            clock,
            entries_max,
            bytes_max,
            state: Mutex::default(),
            flights: Mutex::default(),
        }))
    }

    /// The value under a key, unless its time is over.
    pub async fn get(&self, key: &str) -> Result<Option<Arc<[u8]>>> {
        let Self::Memory(memory) = self;
        Ok(memory.get(key))
    }

    /// Keeps a value for a time; one that is larger than the whole cache is not kept.
    pub async fn put(&self, key: &str, value: impl Into<Arc<[u8]>>, time: Duration) -> Result<()> {
        let Self::Memory(memory) = self;
        memory.put(key, value.into(), time);
        Ok(())
    }

    /// Forgets a key.
    pub async fn purge(&self, key: &str) -> Result<()> {
        let Self::Memory(memory) = self;
        memory.lock().remove(key);
        Ok(())
    }

    /// Forgets every key that begins so; the empty prefix forgets everything.
    pub async fn purge_prefix(&self, prefix: &str) -> Result<()> {
        let Self::Memory(memory) = self;
        let mut state = memory.lock();
        let keys: Vec<String> = state
            .entries
            .range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
            .map(|(key, _)| key.clone())
            .take_while(|key| key.starts_with(prefix))
            .collect();
        keys.iter().for_each(|key| state.remove(key));
        Ok(())
    }

    /// The value under a key, computed and kept if it is not there. Who asks while it is computed waits for it; an
    /// error is given to the one who computed and the next one tries again.
    pub async fn get_or_compute<F, Fut>(&self, key: &str, time: Duration, compute: F) -> Result<Arc<[u8]>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Vec<u8>>>,
    {
        let Self::Memory(memory) = self;
        if let Some(value) = memory.get(key) {
            return Ok(value);
        }
        let flight = Flight::board(memory, key);
        let gate = Arc::clone(&flight.gate);
        let _turn = gate.lock().await;
        if let Some(value) = memory.get(key) {
            return Ok(value);
        }
        let value: Arc<[u8]> = compute().await?.into();
        memory.put(key, Arc::clone(&value), time);
        Ok(value)
    }

    /// How many entries and bytes are kept now.
    pub fn size(&self) -> (usize, usize) {
        let Self::Memory(memory) = self;
        let state = memory.lock();
        (state.entries.len(), state.bytes)
    }
}

/// One who waits for a key to be computed, or computes it; leaves also when its task is dropped.
struct Flight<'a> {
    memory: &'a Memory,
    key: &'a str,
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl<'a> Flight<'a> {
    fn board(memory: &'a Memory, key: &'a str) -> Self {
        let mut flights = memory.flights.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = Arc::clone(flights.entry(key.to_owned()).or_default());
        Self { memory, key, gate }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut flights = self.memory.flights.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's, this one's and the local clone of the one who holds the gate: others would make it more.
        if Arc::strong_count(&self.gate) <= 2 {
            flights.remove(self.key);
        }
    }
}

impl Memory {
    fn get(&self, key: &str) -> Option<Arc<[u8]>> {
        let now = self.clock.now();
        let mut state = self.lock();
        let state = &mut *state;
        state.turn += 1;
        let turn = state.turn;
        let entry = state.entries.get_mut(key)?;
        if entry.until <= now {
            state.remove(key);
            return None;
        }
        state.uses.remove(&entry.used);
        entry.used = turn;
        state.uses.insert(turn, key.to_owned());
        Some(Arc::clone(&entry.value))
    }

    fn put(&self, key: &str, value: Arc<[u8]>, time: Duration) {
        let until = self.clock.now().plus(time);
        let mut state = self.lock();
        state.remove(key);
        let size = key.len() + value.len();
        if size > self.bytes_max || self.entries_max == 0 {
            return;
        }
        state.turn += 1;
        let used = state.turn;
        state.bytes += size;
        state.uses.insert(used, key.to_owned());
        state.entries.insert(key.to_owned(), Entry { value, until, used });
        while state.entries.len() > self.entries_max || state.bytes > self.bytes_max {
            let Some((_, oldest)) = state.uses.first_key_value() else { return };
            let oldest = oldest.clone();
            state.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= key.len() + entry.value.len();
            self.uses.remove(&entry.used);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use base::MockClock;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn cache(entries_max: usize, bytes_max: usize) -> (Arc<MockClock>, Cache) {
        let clock = Arc::new(MockClock::at(Time::from_seconds(1_000)));
        let seen: Arc<dyn Clock> = Arc::clone(&clock) as _;
        (clock, Cache::memory_of(seen, entries_max, bytes_max))
    }

    #[tokio::test]
    async fn a_value_is_there_until_its_time_is_over() {
        let (clock, cache) = cache(10, 1_000);
        cache.put("a", *b"1", MINUTE).await.unwrap();
        clock.advance(MINUTE - Duration::from_micros(1));
        assert_eq!(cache.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
        clock.advance(Duration::from_micros(1));
        assert_eq!(cache.get("a").await.unwrap(), None);
        assert_eq!(cache.size(), (0, 0));
    }

    #[tokio::test]
    async fn what_was_used_longest_ago_goes_first() {
        let (_, cache) = cache(2, 1_000);
        cache.put("a", *b"1", MINUTE).await.unwrap();
        cache.put("b", *b"2", MINUTE).await.unwrap();
        cache.get("a").await.unwrap();
        cache.put("c", *b"3", MINUTE).await.unwrap();
        assert_eq!(cache.get("b").await.unwrap(), None);
        assert!(cache.get("a").await.unwrap().is_some() && cache.get("c").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn bytes_are_bounded_and_what_is_too_large_is_not_kept() {
        let (_, cache) = cache(100, 10);
        cache.put("a", [0; 6], MINUTE).await.unwrap();
        cache.put("b", [0; 6], MINUTE).await.unwrap();
        assert_eq!(cache.size(), (1, 7));
        cache.put("c", [0; 10], MINUTE).await.unwrap();
        assert_eq!(cache.get("c").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_prefix_is_forgotten_and_its_neighbours_are_not() {
        let (_, cache) = cache(100, 1_000);
        for key in ["t1:", "t1:a", "t1:b", "t10:a", "t2:a"] {
            cache.put(key, *b"x", MINUTE).await.unwrap();
        }
        cache.purge_prefix("t1:").await.unwrap();
        assert_eq!(cache.size().0, 2);
        cache.purge("t10:a").await.unwrap();
        cache.purge_prefix("").await.unwrap();
        assert_eq!(cache.size(), (0, 0));
    }

    #[tokio::test]
    async fn many_who_ask_at_once_have_it_computed_once_and_an_error_is_not_kept() {
        let (_, cache) = cache(100, 1_000);
        let failed = cache.get_or_compute("k", MINUTE, || async { Err(base::error::INTERNAL.error()) }).await;
        assert!(failed.is_err());
        let computed = Arc::new(AtomicU32::new(0));
        let mut askers = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (cache, computed) = (cache.clone(), Arc::clone(&computed));
            askers.spawn(async move {
                cache
                    .get_or_compute("k", MINUTE, || async {
                        computed.fetch_add(1, SeqCst);
                        tokio::task::yield_now().await;
                        Ok(b"value".to_vec())
                    })
                    .await
                    .unwrap()
            });
        }
        while let Some(value) = askers.join_next().await {
            assert_eq!(&*value.unwrap(), b"value");
        }
        assert_eq!(computed.load(SeqCst), 1);
        let Cache::Memory(memory) = &cache;
        assert!(memory.flights.lock().unwrap().is_empty());
    }
}
