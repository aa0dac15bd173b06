//! Closures on their way from a task to a thread and their answers on the way back.
//!
//! A job keeps its closure's value until the commit is durable and only then answers. When nobody waits any more the
//! answer is dropped, not the work. Never here: a closure that unwinds into a worker's loop.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use base::{Error, Result};
use tokio::sync::oneshot;

use crate::{
    error::{Fault, STORE_CLOSED, STORE_PANIC},
    figures::Counters,
    tx::{Rx, Scope, Tx},
};

/// A closure with its value and its waiter, without their types.
pub(crate) trait Job: Send {
    /// Runs the closure; its value stays in the job. A write may be run again.
    fn attempt(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    /// Answers the waiter: with the kept value, or with the error.
    fn settle(&mut self, outcome: Result<()>);
}

/// A job in a queue.
pub(crate) struct Order {
    pub(crate) name: &'static str,
    pub(crate) scope: Scope,
    pub(crate) reads_only: bool,
    since: Instant,
    job: Box<dyn Job>,
}

impl Order {
    pub(crate) fn new(name: &'static str, scope: Scope, reads_only: bool, job: Box<dyn Job>) -> Self {
        Self { name, scope, reads_only, since: Instant::now(), job }
    }

    /// Runs the closure; a panic becomes an error.
    pub(crate) fn attempt(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let answer = guarded(tx.engine(), self.name, || self.job.attempt(tx));
        tx.verdict(answer)
    }

    /// Answers, and counts.
    pub(crate) fn settle(mut self, outcome: Result<()>, counters: &Counters) {
        let counter = if self.reads_only { &counters.reads } else { &counters.writes };
        Counters::add(counter);
        counters.took(self.name, self.since.elapsed(), outcome.is_err());
        self.job.settle(outcome);
    }
}

/// Runs what others wrote; a panic becomes [`STORE_PANIC`].
pub(crate) fn guarded(engine: crate::Engine, name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(STORE_PANIC.because(Fault {
            engine,
            code: "panic".to_owned(),
            message: "the closure panicked; the message is on standard error".to_owned(),
            statement: name.to_owned(),
        }))
    })
}

struct Write<T, F> {
    run: F,
    value: Option<T>,
    reply: Option<oneshot::Sender<Result<T>>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send + 'static,
    F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
{
    fn attempt(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        // A value stays when a later run fails: a commit in doubt may turn out to have been made.
        self.value = Some((self.run)(tx)?);
        Ok(())
    }

    fn settle(&mut self, outcome: Result<()>) {
        answer(&mut self.reply, self.value.take(), outcome);
    }
}

struct Read<T, F> {
    run: Option<F>,
    value: Option<T>,
    reply: Option<oneshot::Sender<Result<T>>>,
}

impl<T, F> Job for Read<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Rx<'_>) -> Result<T> + Send + 'static,
{
    fn attempt(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Some(run) = self.run.take() else { return Err(STORE_CLOSED.error()) };
        self.value = Some(run(tx)?);
        Ok(())
    }

    fn settle(&mut self, outcome: Result<()>) {
        answer(&mut self.reply, self.value.take(), outcome);
    }
}

fn answer<T>(reply: &mut Option<oneshot::Sender<Result<T>>>, value: Option<T>, outcome: Result<()>) {
    let Some(reply) = reply.take() else { return };
    let answer = outcome.and_then(|()| value.ok_or_else(closed));
    // When nobody waits any more, the work stands all the same.
    drop(reply.send(answer));
}

/// What a waiter gets when its order was dropped without an answer.
pub(crate) fn closed() -> Error {
    STORE_CLOSED.error().retry_after(crate::error::RETRY_AFTER_SECONDS)
}

pub(crate) type Answer<T> = oneshot::Receiver<Result<T>>;

pub(crate) fn write<T, F>(name: &'static str, scope: Scope, run: F) -> (Order, Answer<T>)
where
    T: Send + 'static,
    F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Order::new(name, scope, false, Box::new(Write { run, value: None, reply: Some(reply) })), answer)
}

pub(crate) fn read<T, F>(name: &'static str, scope: Scope, run: F) -> (Order, Answer<T>)
where
    T: Send + 'static,
    F: FnOnce(&mut Rx<'_>) -> Result<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (
        Order::new(name, scope, true, Box::new(Read { run: Some(run), value: None, reply: Some(reply) })),
        answer,
    )
}

/// What all threads of a store share.
pub(crate) struct Shared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) guard: crate::tenancy::Guard,
    pub(crate) faults: crate::fault::Faults,
    pub(crate) poisoned: std::sync::atomic::AtomicBool,
    pub(crate) poison_bell: tokio::sync::Notify,
    pub(crate) verb_timeout: std::time::Duration,
}
