//! Figures of the store: counters and latency histograms by verb, for `/metrics` and for tests that count commits.
//!
//! Threads add, readers copy; nothing is reset. Names of verbs are literals, so the list of histograms is bounded by
//! the program's text. Never here: anything of a request.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Upper bounds of the latency buckets, in microseconds; what is slower falls into one more bucket.
pub const BUCKETS_MICROS: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000,
];

/// How long verbs of one name took, from the call to the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many fell into each bucket of [`BUCKETS_MICROS`], and last those beyond (not cumulative).
    pub counts: [u64; BUCKETS_MICROS.len() + 1],
    /// How many in all.
    pub count: u64,
    /// Their sum, in microseconds.
    pub sum_micros: u64,
    /// How many ended with an error.
    pub errors: u64,
}

/// A copy of all figures at one moment.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Closures of `write` that ended, well or not.
    pub writes: u64,
    /// Closures of `read` that ended, well or not.
    pub reads: u64,
    /// Groups that were run (SQLite) or write transactions (PostgreSQL).
    pub groups: u64,
    /// Commits that succeeded; on SQLite each costs one fsync.
    pub commits: u64,
    /// Checkpoints of the WAL (SQLite); each costs two more fsyncs.
    pub checkpoints: u64,
    /// Times that a group or a transaction was run again.
    pub retries: u64,
    /// Times that a connection had to be made again (PostgreSQL).
    pub reconnects: u64,
    /// Orders waiting now.
    pub queue_depth: u64,
    /// The largest group so far.
    pub group_largest: u64,
    /// Latency by verb, sorted by name.
    pub verbs: Vec<(&'static str, Histogram)>,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) writes: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) reconnects: AtomicU64,
    pub(crate) group_largest: AtomicU64,
    /// Taken by worker threads for the length of one addition, and by `figures()` for the length of a copy.
    verbs: Mutex<BTreeMap<&'static str, Histogram>>,
}

impl Counters {
    pub(crate) fn shared() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn took(&self, verb: &'static str, time: Duration, failed: bool) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS_MICROS.iter().position(|limit| micros <= *limit).unwrap_or(BUCKETS_MICROS.len());
        let mut verbs = self.verbs.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = verbs.entry(verb).or_default();
        if let Some(count) = histogram.counts.get_mut(bucket) {
            *count += 1;
        }
        histogram.count += 1;
        histogram.sum_micros = histogram.sum_micros.saturating_add(micros);
        histogram.errors += u64::from(failed);
    }

    pub(crate) fn copy(&self, queue_depth: usize) -> Figures {
        let verbs = self.verbs.lock().unwrap_or_else(PoisonError::into_inner);
        Figures {
            writes: self.writes.load(Relaxed),
            reads: self.reads.load(Relaxed),
            groups: self.groups.load(Relaxed),
            commits: self.commits.load(Relaxed),
            checkpoints: self.checkpoints.load(Relaxed),
            retries: self.retries.load(Relaxed),
            reconnects: self.reconnects.load(Relaxed),
            queue_depth: queue_depth as u64,
            group_largest: self.group_largest.load(Relaxed),
            verbs: verbs.iter().map(|(name, histogram)| (*name, histogram.clone())).collect(),
        }
    }
}
