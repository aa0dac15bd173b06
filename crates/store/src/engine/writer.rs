//! The one writer of a SQLite store: it drains a queue of closures, runs each inside a savepoint of one transaction,
//! calls the hook once, commits once, and then answers everybody. One fsync serves the whole group.
//!
//! A closure that fails, panics or takes too long loses only its own savepoint. A full disk or a failing one fails the
//! whole group; after a failed sync the writer refuses everything, because only a restart tells what is on the disk.
//! Never here: an answer before the commit returned.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use base::{Error, Result};

use crate::{
    engine::{self, Engine, sqlite},
    error::{Fault, RETRY_AFTER_SECONDS, STORE_BUSY, STORE_POISONED, is_of_the_disk},
    figures::Counters,
    hook::{CommitHook, Staged},
    job::{Order, Shared, guarded},
    queue::Queue,
    settings::{GROUP_TIME_MAX, WAL_PAGES_MAX},
    tx::{Scope, Surroundings, Tx},
};

/// How often `scrub` asks again while readers still look at the WAL; each time waits for SQLite's busy timeout.
const SCRUB_TRIES_MAX: u32 = 3;

/// What the writer's queue holds.
pub(crate) enum Work {
    /// A verb.
    Verb(Order),
    /// Something to do between two groups.
    Between(Between),
}

pub(crate) struct Writer {
    connection: sqlite::Connection,
    shared: Arc<Shared>,
    hook: Option<Arc<dyn CommitHook>>,
    group_max: usize,
}

/// How a closure's attempt ended.
enum Attempt {
    Done(Vec<Staged>),
    /// It failed and its savepoint was rolled back.
    Refused(Error),
    /// It failed and took the whole transaction with it (an interrupted write does).
    Toppled(Error),
}

/// How a group ended.
enum End {
    /// Everybody was answered.
    Settled,
    /// The transaction is gone; these run again.
    Again(Vec<Order>),
    /// The hook refused the group; these run again, each alone.
    Alone(Vec<Order>),
}

impl Writer {
    pub(crate) fn new(
        connection: sqlite::Connection,
        shared: Arc<Shared>,
        hook: Option<Arc<dyn CommitHook>>,
        group_max: usize,
    ) -> Self {
        Self { connection, shared, hook, group_max: group_max.max(1) }
    }

    /// Works until the queue is closed and empty; then leaves a database without a WAL.
    pub(crate) fn run(mut self, queue: &Queue<Work>) {
        while let Some(first) = queue.wait(self.group_max) {
            let between = self.group(first, Some(queue));
            for act in between {
                act(&mut self);
            }
            self.copy_wal_when_due();
        }
        if !self.shared.poisoned.load(Ordering::SeqCst)
            && let Err(error) = self.empty_wal()
        {
            tracing::warn!(error = ?error, "the write-ahead log could not be emptied at closing");
        }
    }

    /// Runs a group, and runs it again without those who toppled it; gives back what is to be done between groups.
    fn group(&mut self, work: Vec<Work>, queue: Option<&Queue<Work>>) -> Vec<Between> {
        let mut between = Vec::new();
        let mut orders = sort(work, &mut between);
        let mut queue = queue;
        loop {
            if orders.is_empty() && queue.is_none() {
                return between;
            }
            match self.once(orders, queue, &mut between) {
                End::Settled => return between,
                End::Again(rest) => {
                    Counters::add(&self.shared.counters.retries);
                    orders = rest;
                    queue = None;
                }
                End::Alone(rest) => {
                    Counters::add(&self.shared.counters.retries);
                    for order in rest {
                        between.extend(self.group(vec![Work::Verb(order)], None));
                    }
                    return between;
                }
            }
        }
    }

    fn once(&mut self, orders: Vec<Order>, queue: Option<&Queue<Work>>, between: &mut Vec<Between>) -> End {
        if orders.is_empty() {
            return End::Settled;
        }
        if self.shared.poisoned.load(Ordering::SeqCst) {
            return self.fail_all(orders, &STORE_POISONED.error());
        }
        if let Err(error) = self.connection.control("begin immediate") {
            return self.fail_all(orders, &error);
        }
        Counters::add(&self.shared.counters.groups);
        let begun = Instant::now();
        let mut waiting = orders.into_iter();
        let mut done: Vec<Order> = Vec::new();
        let mut refused: Vec<(Order, Error)> = Vec::new();
        let mut staged: Vec<Staged> = Vec::new();
        loop {
            for mut order in waiting.by_ref() {
                match self.attempt(&mut order) {
                    Attempt::Done(things) => {
                        staged.extend(things);
                        done.push(order);
                    }
                    Attempt::Refused(error) if is_of_the_disk(&error) => {
                        self.roll_back();
                        done.push(order);
                        done.extend(waiting);
                        done.extend(refused.into_iter().map(|(order, _)| order));
                        return self.fail_all(done, &error);
                    }
                    Attempt::Refused(error) => refused.push((order, error)),
                    Attempt::Toppled(error) => {
                        self.roll_back();
                        let disk = is_of_the_disk(&error);
                        done.extend(refused.into_iter().map(|(order, _)| order));
                        done.extend(waiting);
                        if disk {
                            done.push(order);
                            return self.fail_all(done, &error);
                        }
                        order.settle(Err(error), &self.shared.counters);
                        return End::Again(done);
                    }
                }
            }
            let size = done.len() + refused.len();
            let Some(queue) = queue else { break };
            if size >= self.group_max || begun.elapsed() > GROUP_TIME_MAX || !between.is_empty() {
                break;
            }
            let more = sort(queue.more(self.group_max - size), between);
            if more.is_empty() {
                break;
            }
            waiting = more.into_iter();
        }
        self.shared.counters.group_largest.fetch_max(done.len() as u64, Ordering::Relaxed);
        self.finish(done, refused, &staged)
    }

    /// The hook, the commit, the answers.
    fn finish(&mut self, done: Vec<Order>, refused: Vec<(Order, Error)>, staged: &[Staged]) -> End {
        if done.is_empty() {
            self.roll_back();
            self.answer(done, refused);
            return End::Settled;
        }
        if let Err(error) = self.call_hook(staged) {
            self.roll_back();
            let mut all = done;
            all.extend(refused.into_iter().map(|(order, _)| order));
            if all.len() > 1 && !is_of_the_disk(&error) {
                return End::Alone(all);
            }
            return self.fail_all(all, &error);
        }
        let committed = self.shared.faults.check().and_then(|()| self.connection.control("commit"));
        if let Err(error) = committed {
            if sqlite::is_failed_sync(&error) {
                self.poison(&error);
            }
            self.roll_back();
            let mut all = done;
            all.extend(refused.into_iter().map(|(order, _)| order));
            return self.fail_all(all, &error);
        }
        Counters::add(&self.shared.counters.commits);
        self.answer(done, refused);
        if let Some(hook) = self.hook.as_ref().filter(|_| !staged.is_empty()) {
            let told = guarded(Engine::Sqlite, "after_commit", || {
                hook.after_commit(Engine::Sqlite);
                Ok(())
            });
            if let Err(error) = told {
                tracing::error!(error = ?error, "the hook after a commit panicked");
            }
        }
        End::Settled
    }

    fn answer(&self, done: Vec<Order>, refused: Vec<(Order, Error)>) {
        for order in done {
            order.settle(Ok(()), &self.shared.counters);
        }
        for (order, error) in refused {
            order.settle(Err(error), &self.shared.counters);
        }
    }

    fn attempt(&self, order: &mut Order) -> Attempt {
        if let Err(error) = self.connection.control("savepoint verb") {
            return Attempt::Refused(error);
        }
        self.connection.limit.arm(self.shared.verb_timeout);
        let mut tx = self.tx(order.scope);
        let answer = order.attempt(&mut tx);
        let things = tx.take_staged();
        self.connection.limit.disarm();
        let error = match answer.and_then(|()| self.connection.control("release verb")) {
            Ok(()) => return Attempt::Done(things),
            Err(error) => error,
        };
        if self.connection.is_outside_transaction() {
            return Attempt::Toppled(error);
        }
        let undone = self
            .connection
            .control("rollback to verb")
            .and_then(|()| self.connection.control("release verb"));
        match undone {
            Ok(()) => Attempt::Refused(error),
            // The savepoint cannot be undone: the group's work must not be committed with half of this one in it.
            Err(_) => Attempt::Toppled(error),
        }
    }

    fn call_hook(&self, staged: &[Staged]) -> Result<()> {
        let Some(hook) = self.hook.as_ref().filter(|_| !staged.is_empty()) else { return Ok(()) };
        self.connection.limit.arm(self.shared.verb_timeout);
        let mut tx = self.tx(Scope::System);
        let answer = guarded(Engine::Sqlite, "before_commit", || hook.before_commit(&mut tx, staged));
        let answer = tx.verdict(answer);
        self.connection.limit.disarm();
        answer
    }

    fn tx(&self, scope: Scope) -> Tx<'_> {
        let around = Surroundings {
            scope,
            guard: &self.shared.guard,
            faults: &self.shared.faults,
            limit: self.shared.verb_timeout,
        };
        Tx::new(engine::Connection::Sqlite(&self.connection), around)
    }

    fn roll_back(&self) {
        if self.connection.is_outside_transaction() {
            return;
        }
        if let Err(error) = self.connection.control("rollback") {
            tracing::error!(error = ?error, "a group could not be rolled back");
        }
    }

    fn fail_all(&self, orders: Vec<Order>, error: &Error) -> End {
        for order in orders {
            order.settle(Err(error.clone()), &self.shared.counters);
        }
        End::Settled
    }

    fn poison(&self, error: &Error) {
        tracing::error!(error = ?error, "a sync to disk failed; the process must end and recover from its log");
        self.shared.poisoned.store(true, Ordering::SeqCst);
        self.shared.poison_bell.notify_waiters();
    }

    /// Copies the WAL into the database file when it has grown; readers go on meanwhile.
    fn copy_wal_when_due(&self) {
        if self.connection.wal_pages() < WAL_PAGES_MAX || self.shared.poisoned.load(Ordering::SeqCst) {
            return;
        }
        self.connection.wal_was_copied();
        Counters::add(&self.shared.counters.checkpoints);
        if let Err(error) = self.checkpoint("pragma wal_checkpoint(passive)") {
            tracing::warn!(error = ?error, "the write-ahead log could not be copied; it will be tried again");
            if sqlite::is_failed_sync(&error) {
                self.poison(&error);
            }
        }
    }

    /// Copies the whole WAL into the database file and cuts it to nothing.
    pub(crate) fn empty_wal(&mut self) -> Result<()> {
        for _ in 0..SCRUB_TRIES_MAX {
            Counters::add(&self.shared.counters.checkpoints);
            match self.checkpoint("pragma wal_checkpoint(truncate)") {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    if sqlite::is_failed_sync(&error) {
                        self.poison(&error);
                    }
                    return Err(error);
                }
            }
        }
        Err(STORE_BUSY.error().retry_after(RETRY_AFTER_SECONDS).because(Fault {
            engine: Engine::Sqlite,
            code: "checkpoint".to_owned(),
            message: "a reader kept the write-ahead log in use".to_owned(),
            statement: "scrub".to_owned(),
        }))
    }

    /// Whether the checkpoint went through to its end.
    fn checkpoint(&self, text: &'static str) -> Result<bool> {
        let busy: i64 = self
            .connection
            .raw()
            .query_row(text, [], |row| row.get(0))
            .map_err(|error| sqlite::fault(error, "checkpoint"))?;
        Ok(busy == 0)
    }

    /// Rewrites the whole database file, so that no page keeps a copy of what was deleted or moved.
    pub(crate) fn rewrite(&mut self) -> Result<()> {
        self.connection.raw().execute_batch("vacuum").map_err(|error| sqlite::fault(error, "vacuum"))
    }

    pub(crate) fn connection(&self) -> &sqlite::Connection {
        &self.connection
    }
}

type Between = Box<dyn FnOnce(&mut Writer) + Send>;

fn sort(work: Vec<Work>, between: &mut Vec<Between>) -> Vec<Order> {
    let mut orders = Vec::with_capacity(work.len());
    for item in work {
        match item {
            Work::Verb(order) => orders.push(order),
            Work::Between(act) => between.push(act),
        }
    }
    orders
}

/// A thread that reads: each order in a transaction of its own, so that it sees one picture.
pub(crate) fn read(connection: &sqlite::Connection, shared: &Shared, queue: &Queue<Order>) {
    while let Some(orders) = queue.wait(1) {
        for mut order in orders {
            let outcome = read_one(connection, shared, &mut order);
            order.settle(outcome, &shared.counters);
        }
    }
}

fn read_one(connection: &sqlite::Connection, shared: &Shared, order: &mut Order) -> Result<()> {
    connection.control("begin")?;
    connection.limit.arm(shared.verb_timeout);
    let around = Surroundings {
        scope: order.scope,
        guard: &shared.guard,
        faults: &shared.faults,
        limit: shared.verb_timeout,
    };
    let mut tx = Tx::new(engine::Connection::Sqlite(connection), around);
    let outcome = order.attempt(&mut tx);
    connection.limit.disarm();
    if !connection.is_outside_transaction() {
        connection.control("rollback")?;
    }
    outcome
}
