//! The store as rooms see it: named closures that read or write, on either engine.
//!
//! A closure runs on the writer's or a worker's thread, never on the caller's task; a caller that goes away stops
//! nothing half way. Never here: a way to hold a transaction open while something else is waited for.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use base::{Result, Secret};
use tokio::sync::{Notify, mpsc, oneshot};
use uuid::Uuid;

use crate::{
    engine::{
        Engine,
        sqlite::Connection,
        workers::{self, Worker},
        writer::{self, Work, Writer},
    },
    error::STORE_IO,
    fault::Faults,
    figures::{Counters, Figures},
    hook::CommitHook,
    job::{self, Answer, Order, Shared, closed},
    queue::Queue,
    reserve,
    settings::{Place, Settings},
    tenancy::Guard,
    tx::{Rx, Scope, Tx},
};

/// An open store. Cheap to clone; the last clone that is dropped closes it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

/// A store in one tenant's scope.
#[derive(Clone)]
pub struct TenantDb {
    db: Db,
    tenant: Uuid,
}

struct Inner {
    queues: Queues,
    shared: Arc<Shared>,
    /// Taken once, by `close`. Each thread holds a sender until it ends.
    ended: Mutex<Option<mpsc::Receiver<()>>>,
    reserve: Option<(PathBuf, u64)>,
}

enum Queues {
    Sqlite { writes: Arc<Queue<Work>>, reads: Arc<Queue<Order>> },
    Postgres { system: Arc<Queue<Order>>, application: Arc<Queue<Order>>, system_url: Secret<String> },
}

impl Db {
    /// Opens a store that was migrated before; blocks for a few milliseconds. The hook is called before each commit
    /// that something was staged for.
    pub fn open(settings: &Settings, hook: Option<Arc<dyn CommitHook>>) -> Result<Self> {
        match &settings.place {
            Place::Sqlite { file } => Self::open_sqlite(settings, file.clone(), hook),
            Place::Postgres { application, system, .. } => {
                Self::open_postgres(settings, application, system, hook)
            }
        }
    }

    fn open_sqlite(settings: &Settings, file: PathBuf, hook: Option<Arc<dyn CommitHook>>) -> Result<Self> {
        let connection = Connection::writer(&file)?;
        let guard = Guard::of_sqlite(connection.raw())
            .map_err(|error| crate::engine::sqlite::fault(error, "open"))?;
        let readers =
            (0..settings.readers.max(1)).map(|_| Connection::reader(&file)).collect::<Result<Vec<_>>>()?;
        let reserve = reserve::path(&file);
        reserve::hold(&reserve, settings.reserve_bytes)?;
        let shared = shared(settings, guard);
        let writes = Arc::new(Queue::new(settings.queue_max, settings.queue_patience));
        let reads = Arc::new(Queue::new(settings.queue_max, settings.queue_patience));
        let (alive, ended) = mpsc::channel(1);
        let writer = Writer::new(connection, Arc::clone(&shared), hook, settings.group_max);
        let queue = Arc::clone(&writes);
        spawn("store-writer", alive.clone(), move || writer.run(&queue))?;
        for reader in readers {
            let (queue, shared) = (Arc::clone(&reads), Arc::clone(&shared));
            spawn("store-reader", alive.clone(), move || writer::read(&reader, &shared, &queue))?;
        }
        Ok(Self(Arc::new(Inner {
            queues: Queues::Sqlite { writes, reads },
            shared,
            ended: Mutex::new(Some(ended)),
            reserve: Some((reserve, settings.reserve_bytes)),
        })))
    }

    fn open_postgres(
        settings: &Settings,
        application: &Secret<String>,
        system: &Secret<String>,
        hook: Option<Arc<dyn CommitHook>>,
    ) -> Result<Self> {
        workers::check(application, system, settings.verb_timeout)?;
        let shared = shared(settings, Guard::default());
        let (alive, ended) = mpsc::channel(1);
        let pool = |url: &Secret<String>, name: &'static str, count: usize| -> Result<Arc<Queue<Order>>> {
            let queue = Arc::new(Queue::new(settings.queue_max, settings.queue_patience));
            for _ in 0..count.max(1) {
                let mut worker = Worker::new(url.clone(), name, Arc::clone(&shared), hook.clone());
                let queue = Arc::clone(&queue);
                spawn(name, alive.clone(), move || worker.run(&queue))?;
            }
            Ok(queue)
        };
        let system_queue = pool(system, "selo-system", settings.system_connections)?;
        let application = pool(application, "selo-app", settings.readers)?;
        Ok(Self(Arc::new(Inner {
            queues: Queues::Postgres { system: system_queue, application, system_url: system.clone() },
            shared,
            ended: Mutex::new(Some(ended)),
            reserve: None,
        })))
    }

    /// Runs a verb that writes, in the system's scope, and answers when its commit is durable. `verb` names it in
    /// figures (`room.verb`). The closure may run again after a conflict, so ids and times are chosen before it.
    ///
    /// Errors: what the closure returns; `STORE_BUSY`, `STORE_TIMEOUT`, `STORE_CONFLICT`, `STORE_UNAVAILABLE`,
    /// `STORE_DISK_FULL`, `STORE_IO`, `STORE_POISONED`, `STORE_PANIC`, `STORE_CLOSED`, `STORE_COMMIT_IN_DOUBT`.
    pub async fn write<T, F>(&self, verb: &'static str, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.write_in(verb, Scope::System, run).await
    }

    /// Runs a closure that only reads, in the system's scope, over one consistent picture of the data.
    pub async fn read<T, F>(&self, name: &'static str, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Rx<'_>) -> Result<T> + Send + 'static,
    {
        self.read_in(name, Scope::System, run).await
    }

    /// The same store in one tenant's scope. On PostgreSQL its closures run as the application role with
    /// `selo.tenant` set for the transaction, so that row-level security hides every other tenant's rows. On SQLite
    /// they run as any other; debug builds refuse a statement on a tenant's table that does not bind this tenant.
    pub fn tenant(&self, tenant: Uuid) -> TenantDb {
        TenantDb { db: self.clone(), tenant }
    }

    async fn write_in<T, F>(&self, verb: &'static str, scope: Scope, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (order, answer) = job::write(verb, scope, run);
        match &self.0.queues {
            Queues::Sqlite { writes, .. } => writes.push(Work::Verb(order)).await?,
            Queues::Postgres { system, application, .. } => {
                pool(scope, system, application).push(order).await?
            }
        }
        await_answer(answer).await
    }

    async fn read_in<T, F>(&self, name: &'static str, scope: Scope, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Rx<'_>) -> Result<T> + Send + 'static,
    {
        let (order, answer) = job::read(name, scope, run);
        match &self.0.queues {
            Queues::Sqlite { reads, .. } => reads.push(order).await?,
            Queues::Postgres { system, application, .. } => {
                pool(scope, system, application).push(order).await?
            }
        }
        await_answer(answer).await
    }

    /// Which engine.
    pub fn engine(&self) -> Engine {
        match self.0.queues {
            Queues::Sqlite { .. } => Engine::Sqlite,
            Queues::Postgres { .. } => Engine::Postgres,
        }
    }

    /// How many commits there were, on SQLite, where all of them are this process's own: what was read is still true
    /// while the number stays as it was before the reading. It grows before the verb is answered. On PostgreSQL
    /// nothing, because others write too.
    pub fn commits(&self) -> Option<u64> {
        match self.0.queues {
            Queues::Sqlite { .. } => Some(self.0.shared.counters.commits.load(Ordering::SeqCst)),
            Queues::Postgres { .. } => None,
        }
    }

    /// A copy of all figures.
    pub fn figures(&self) -> Figures {
        let depth = match &self.0.queues {
            Queues::Sqlite { writes, reads } => writes.depth() + reads.depth(),
            Queues::Postgres { system, application, .. } => system.depth() + application.depth(),
        };
        self.0.shared.counters.copy(depth)
    }

    /// Whether a sync to disk failed. The process must then end: what the kernel was given may be lost, and only the
    /// recovery of a new start tells what is really on the disk.
    pub fn poisoned(&self) -> bool {
        self.0.shared.poisoned.load(Ordering::SeqCst)
    }

    /// Waits until [`Self::poisoned`] is true.
    pub async fn until_poisoned(&self) {
        loop {
            let bell = self.0.shared.poison_bell.notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            if self.poisoned() {
                return;
            }
            bell.await;
        }
    }

    /// SQLite: makes sure that nothing erased stays readable in the WAL, by copying it into the database file and
    /// cutting it to nothing. Call it after an erasure was committed. PostgreSQL: does nothing (its WAL is the
    /// operator's to keep or recycle). `STORE_BUSY` when a reader kept the WAL in use for several seconds.
    pub async fn scrub(&self) -> Result<()> {
        self.between_groups(|writer| writer.empty_wal()).await
    }

    /// SQLite: rewrites the whole database file and then [`scrub`](Self::scrub)s, so that no page keeps a stale copy
    /// of a row that was moved before it was deleted. Takes time and space in the size of the database.
    pub async fn rewrite(&self) -> Result<()> {
        self.between_groups(|writer| writer.rewrite().and_then(|()| writer.empty_wal())).await
    }

    async fn between_groups(
        &self,
        act: impl FnOnce(&mut Writer) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let Queues::Sqlite { writes, .. } = &self.0.queues else { return Ok(()) };
        let (reply, answer) = oneshot::channel();
        let act = Box::new(move |writer: &mut Writer| drop(reply.send(act(writer))));
        writes.push(Work::Between(act)).await?;
        await_answer(answer).await
    }

    /// Gives the reserved disk space back, so that there is room to clean up; whether there was a reserve.
    pub fn release_reserve(&self) -> Result<bool> {
        self.0.reserve.as_ref().map_or(Ok(false), |(file, _)| reserve::release(file))
    }

    /// Holds the reserve again; whether there was room for it.
    pub fn hold_reserve(&self) -> Result<bool> {
        self.0.reserve.as_ref().map_or(Ok(false), |(file, bytes)| reserve::hold(file, *bytes))
    }

    /// Takes no more work, finishes what is queued, and waits for the threads to end.
    pub async fn close(&self) {
        self.0.stop();
        let ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut ended) = ended {
            // Nothing is ever sent: the channel ends when the last thread drops its sender.
            while ended.recv().await.is_some() {}
        }
    }

    /// Makes store calls fail on demand, for torture tests.
    #[cfg(feature = "fault-injection")]
    pub fn faults(&self) -> &Faults {
        &self.0.shared.faults
    }

    /// Runs something on a connection of its own kind, for checks: SQLite's writer between two groups, or a new
    /// PostgreSQL connection as the system role.
    pub(crate) async fn inspect<T: Send + 'static>(
        &self,
        act: impl FnOnce(Inspected<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        match &self.0.queues {
            Queues::Sqlite { writes, .. } => {
                let act = Box::new(move |writer: &mut Writer| {
                    drop(reply.send(act(Inspected::Sqlite(writer.connection()))));
                });
                writes.push(Work::Between(act)).await?;
            }
            Queues::Postgres { system_url, .. } => {
                let (url, timeout) = (system_url.clone(), self.0.shared.verb_timeout);
                std::thread::spawn(move || {
                    let outcome = crate::engine::postgres::Connection::open(&url, "selo-check", timeout)
                        .and_then(|mut connection| act(Inspected::Postgres(&mut connection)));
                    drop(reply.send(outcome));
                });
            }
        }
        await_answer(answer).await
    }
}

/// A connection lent to a check.
pub(crate) enum Inspected<'a> {
    Sqlite(&'a Connection),
    Postgres(&'a mut crate::engine::postgres::Connection),
}

fn pool<'a>(scope: Scope, system: &'a Queue<Order>, application: &'a Queue<Order>) -> &'a Queue<Order> {
    match scope {
        Scope::System => system,
        Scope::Tenant(_) => application,
    }
}

async fn await_answer<T>(answer: Answer<T>) -> Result<T> {
    answer.await.unwrap_or_else(|_| Err(closed()))
}

fn shared(settings: &Settings, guard: Guard) -> Arc<Shared> {
    Arc::new(Shared {
        counters: Counters::shared(),
        guard,
        faults: Faults::default(),
        poisoned: AtomicBool::new(false),
        poison_bell: Notify::new(),
        verb_timeout: settings.verb_timeout,
    })
}

fn spawn(name: &str, alive: mpsc::Sender<()>, run: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            run();
            drop(alive);
        })
        .map(drop)
        .map_err(|error| STORE_IO.because(error))
}

impl TenantDb {
    /// The tenant.
    pub const fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// The store behind it.
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// As [`Db::write`], for this tenant.
    pub async fn write<T, F>(&self, verb: &'static str, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.db.write_in(verb, Scope::Tenant(self.tenant), run).await
    }

    /// As [`Db::read`], for this tenant.
    pub async fn read<T, F>(&self, name: &'static str, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Rx<'_>) -> Result<T> + Send + 'static,
    {
        self.db.read_in(name, Scope::Tenant(self.tenant), run).await
    }
}

impl Inner {
    fn stop(&self) {
        match &self.queues {
            Queues::Sqlite { writes, reads } => {
                writes.close();
                reads.close();
            }
            Queues::Postgres { system, application, .. } => {
                system.close();
                application.close();
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}
