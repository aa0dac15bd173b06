//! The worker threads of a PostgreSQL store: each has one connection and runs one closure at a time in a transaction
//! of its own, REPEATABLE READ, run again after a conflict.
//!
//! A line that breaks before the commit means that nothing was changed; one that breaks during the commit is settled
//! by looking for what was staged. Never here: a reply while the outcome of a commit is unknown.

use std::{sync::Arc, time::Duration};

use base::{Error, Result, Secret, SystemChance};

use crate::{
    engine::{self, Engine, postgres},
    error::{Fault, RETRY_AFTER_SECONDS, STORE_COMMIT_IN_DOUBT, STORE_CONFLICT, STORE_UNAVAILABLE},
    figures::Counters,
    hook::{CommitHook, Staged},
    job::{Order, Shared, guarded},
    queue::Queue,
    settings::RETRIES_MAX,
    tx::{Scope, Surroundings, Tx},
};

/// The first pause before a transaction is run again; it doubles, with jitter, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(2);
const PAUSE_LONGEST: Duration = Duration::from_millis(250);
/// How often, and after what pauses, a connection is tried again to settle a commit in doubt.
const DOUBT_TRIES_MAX: u32 = 12;
const DOUBT_PAUSE: Duration = Duration::from_millis(500);

pub(crate) struct Worker {
    url: Secret<String>,
    name: &'static str,
    shared: Arc<Shared>,
    hook: Option<Arc<dyn CommitHook>>,
    /// Made when there is work; given up when the line breaks.
    connection: Option<postgres::Connection>,
}

/// How one run of a transaction ended.
enum Run {
    /// Committed, with or without anything staged.
    Committed { staged: bool },
    /// Nothing was changed.
    Refused(Error),
    /// Nothing was changed, and the same may succeed when it is run again at once.
    Conflict(Error),
    /// The line broke during the commit.
    Doubt(Vec<Staged>),
}

/// Connects once as each role and refuses what the store cannot live with.
pub(crate) fn check(application: &Secret<String>, system: &Secret<String>, timeout: Duration) -> Result<()> {
    postgres::Connection::open(application, "selo-check", timeout)?.check_server(false)?;
    postgres::Connection::open(system, "selo-check", timeout)?.check_server(true)
}

impl Worker {
    pub(crate) fn new(
        url: Secret<String>,
        name: &'static str,
        shared: Arc<Shared>,
        hook: Option<Arc<dyn CommitHook>>,
    ) -> Self {
        Self { url, name, shared, hook, connection: None }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(&mut self, queue: &Queue<Order>) {
        while let Some(orders) = queue.wait(1) {
            for mut order in orders {
                let outcome = self.order(&mut order);
                let staged = matches!(outcome, Ok(true));
                order.settle(outcome.map(drop), &self.shared.counters);
                if let Some(hook) = self.hook.as_ref().filter(|_| staged) {
                    let told = guarded(Engine::Postgres, "after_commit", || {
                        hook.after_commit(Engine::Postgres);
                        Ok(())
                    });
                    if let Err(error) = told {
                        tracing::error!(error = ?error, "the hook after a commit panicked");
                    }
                }
            }
        }
    }

    /// Runs an order until its outcome is known; whether something was staged.
    fn order(&mut self, order: &mut Order) -> Result<bool> {
        let mut pause = PAUSE_FIRST;
        let mut doubted: Option<Vec<Staged>> = None;
        for _ in 0..=RETRIES_MAX {
            let conflict = match self.once(order) {
                Run::Committed { staged } => return Ok(staged),
                Run::Doubt(staged) => {
                    if self.was_committed(order.scope, &staged)? {
                        return Ok(true);
                    }
                    doubted = Some(staged);
                    STORE_COMMIT_IN_DOUBT.error()
                }
                Run::Refused(error) => {
                    // The commit that was in doubt may have arrived after we looked, and now stands in the way.
                    if let Some(staged) = &doubted
                        && self.was_committed(order.scope, staged)?
                    {
                        return Ok(true);
                    }
                    return Err(error);
                }
                Run::Conflict(error) if order.reads_only => return Err(error),
                Run::Conflict(error) => error,
            };
            Counters::add(&self.shared.counters.retries);
            sleep_with_jitter(pause);
            pause = pause.saturating_mul(2).min(PAUSE_LONGEST);
            if conflict.is(&STORE_COMMIT_IN_DOUBT) {
                tracing::warn!(
                    verb = order.name,
                    "a commit in doubt was found not to have happened; it runs again"
                );
            }
        }
        Err(STORE_CONFLICT.error().retry_after(RETRY_AFTER_SECONDS))
    }

    fn once(&mut self, order: &mut Order) -> Run {
        if !order.reads_only {
            Counters::add(&self.shared.counters.groups);
        }
        if let Err(error) = self.begin(order) {
            return Run::Refused(error);
        }
        let Some(connection) = self.connection.as_mut() else {
            return Run::Refused(STORE_UNAVAILABLE.error());
        };
        let around = Surroundings {
            scope: order.scope,
            guard: &self.shared.guard,
            faults: &self.shared.faults,
            limit: self.shared.verb_timeout,
        };
        let mut tx = Tx::new(engine::Connection::Postgres(connection), around);
        let mut outcome = order.attempt(&mut tx);
        let staged = tx.take_staged();
        if let (Ok(()), false, Some(hook)) = (&outcome, staged.is_empty(), &self.hook) {
            let answer = guarded(Engine::Postgres, "before_commit", || hook.before_commit(&mut tx, &staged));
            outcome = tx.verdict(answer);
        }
        drop(tx);
        if let Err(error) = outcome {
            self.roll_back();
            return if postgres::is_conflict(&error) { Run::Conflict(error) } else { Run::Refused(error) };
        }
        if order.reads_only {
            self.roll_back();
            return Run::Committed { staged: false };
        }
        self.commit(staged)
    }

    fn commit(&mut self, staged: Vec<Staged>) -> Run {
        if let Err(error) = self.shared.faults.check() {
            self.roll_back();
            return Run::Refused(error);
        }
        let Some(connection) = self.connection.as_mut() else {
            return Run::Refused(STORE_UNAVAILABLE.error());
        };
        match connection.control("commit") {
            Ok(()) => {
                Counters::add(&self.shared.counters.commits);
                Run::Committed { staged: !staged.is_empty() }
            }
            Err(error) if error.is(&STORE_UNAVAILABLE) => {
                self.connection = None;
                if staged.is_empty() || self.hook.is_none() {
                    return Run::Refused(in_doubt(&error));
                }
                Run::Doubt(staged)
            }
            Err(error) => {
                self.roll_back();
                if postgres::is_conflict(&error) { Run::Conflict(error) } else { Run::Refused(error) }
            }
        }
    }

    /// Opens a transaction; makes a new connection when the old one turns out to be broken.
    fn begin(&mut self, order: &Order) -> Result<()> {
        let text = opening(order.scope, order.reads_only);
        let known = self.connection.as_ref().is_some_and(|connection| !connection.is_closed());
        if known && let Some(connection) = self.connection.as_mut() {
            match connection.control(&text) {
                Ok(()) => return Ok(()),
                Err(error) if error.is(&STORE_UNAVAILABLE) => {}
                Err(error) => {
                    self.connection = None;
                    return Err(error);
                }
            }
        }
        if self.connection.take().is_some() {
            Counters::add(&self.shared.counters.reconnects);
        }
        let mut connection = postgres::Connection::open(&self.url, self.name, self.shared.verb_timeout)?;
        connection.control(&text)?;
        self.connection = Some(connection);
        Ok(())
    }

    fn roll_back(&mut self) {
        let Some(connection) = self.connection.as_mut() else { return };
        // A connection that cannot even roll back is given up; the server rolls back when the line ends.
        if connection.is_closed() || connection.control("rollback").is_err() {
            self.connection = None;
            Counters::add(&self.shared.counters.reconnects);
        }
    }

    /// Looks whether a commit whose reply never came was made after all.
    fn was_committed(&mut self, scope: Scope, staged: &[Staged]) -> Result<bool> {
        let (Some(hook), Some(first)) = (self.hook.clone(), staged.first()) else {
            return Err(STORE_COMMIT_IN_DOUBT.error());
        };
        let mut last = STORE_COMMIT_IN_DOUBT.error();
        for attempt in 0..DOUBT_TRIES_MAX {
            if attempt > 0 {
                sleep_with_jitter(DOUBT_PAUSE);
            }
            match self.look(&*hook, scope, first) {
                Ok(found) => return Ok(found),
                Err(error) => last = in_doubt(&error),
            }
        }
        Err(last)
    }

    fn look(&mut self, hook: &dyn CommitHook, scope: Scope, first: &Staged) -> Result<bool> {
        self.connection = None;
        let mut connection = postgres::Connection::open(&self.url, self.name, self.shared.verb_timeout)?;
        connection.control(&opening(scope, true))?;
        let around = Surroundings {
            scope,
            guard: &self.shared.guard,
            faults: &self.shared.faults,
            limit: self.shared.verb_timeout,
        };
        let mut found = false;
        let mut tx = Tx::new(engine::Connection::Postgres(&mut connection), around);
        guarded(Engine::Postgres, "committed", || {
            found = hook.committed(&mut tx, first.as_ref())?;
            Ok(())
        })?;
        drop(tx);
        connection.control("rollback")?;
        self.connection = Some(connection);
        Ok(found)
    }
}

/// The text that opens a transaction. A UUID's text has only hexadecimal digits and dashes, so it is safe in there.
fn opening(scope: Scope, reads_only: bool) -> String {
    let mode = if reads_only { "read only" } else { "read write" };
    match scope {
        Scope::System => format!("begin isolation level repeatable read {mode}"),
        Scope::Tenant(tenant) => {
            format!("begin isolation level repeatable read {mode}; set local selo.tenant = '{tenant}'")
        }
    }
}

fn in_doubt(error: &Error) -> Error {
    STORE_COMMIT_IN_DOUBT.because(Fault {
        engine: Engine::Postgres,
        code: "commit".to_owned(),
        message: format!("{error:?}"),
        statement: "commit".to_owned(),
    })
}

fn sleep_with_jitter(pause: Duration) {
    let chance: &dyn base::Chance = &SystemChance;
    let most = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
    std::thread::sleep(Duration::from_micros(most / 2 + chance.below(most / 2 + 1)));
}
