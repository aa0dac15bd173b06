//! A bounded queue between tasks and threads: tasks wait for room, threads wait for work and may take many at once.
//!
//! The lock is held only to push or to take, never while work is done. Never here: an unbounded wait of a task; when
//! there is no room within the limit the task gets [`STORE_BUSY`].

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base::Result;
use tokio::sync::Semaphore;

use crate::error::{RETRY_AFTER_SECONDS, STORE_BUSY, STORE_CLOSED};

pub(crate) struct Queue<T> {
    /// Owned by whoever holds the lock, for the length of a push or a take.
    state: Mutex<State<T>>,
    work: Condvar,
    room: Semaphore,
    patience: Duration,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize, patience: Duration) -> Self {
        Self {
            state: Mutex::new(State { items: VecDeque::new(), closed: false }),
            work: Condvar::new(),
            room: Semaphore::new(capacity.max(1)),
            patience,
        }
    }

    /// Puts work at the end; waits for room, but not longer than the queue's patience.
    pub(crate) async fn push(&self, item: T) -> Result<()> {
        let permit = match self.room.try_acquire() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout(self.patience, self.room.acquire())
                .await
                .map_err(|_| STORE_BUSY.error().retry_after(RETRY_AFTER_SECONDS))?
                .map_err(|_| STORE_CLOSED.error().retry_after(RETRY_AFTER_SECONDS))?,
        };
        let mut state = self.lock();
        if state.closed {
            return Err(STORE_CLOSED.error().retry_after(RETRY_AFTER_SECONDS));
        }
        // The room that the permit stands for is given back when a thread takes the item.
        permit.forget();
        state.items.push_back(item);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Waits for work and takes up to `most`; `None` when the queue is closed and empty.
    pub(crate) fn wait(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        loop {
            if !state.items.is_empty() {
                return Some(self.take(&mut state, most));
            }
            if state.closed {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes up to `most` of what is there now.
    pub(crate) fn more(&self, most: usize) -> Vec<T> {
        let mut state = self.lock();
        self.take(&mut state, most)
    }

    /// No more pushes; threads finish what is there.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.room.close();
        self.work.notify_all();
    }

    pub(crate) fn depth(&self) -> usize {
        self.lock().items.len()
    }

    fn take(&self, state: &mut State<T>, most: usize) -> Vec<T> {
        let count = state.items.len().min(most);
        let taken: Vec<T> = state.items.drain(..count).collect();
        self.room.add_permits(taken.len());
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
