//! Settings of the store: where the data is, and a name for every limit.
//!
//! A URL of PostgreSQL holds a password, so it is a `Secret` and has no `Debug` text. Never here: reading of files or
//! of the environment; the house's configuration does that and fills this in.

use std::{path::PathBuf, time::Duration};

use base::Secret;

/// How long one closure may take.
pub const VERB_TIMEOUT: Duration = Duration::from_secs(5);
/// How long PostgreSQL may wait for a lock.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// How many closures one commit may serve.
pub const GROUP_MAX: usize = 256;
/// How long a group may grow before it is committed.
pub const GROUP_TIME_MAX: Duration = Duration::from_millis(20);
/// How many orders may wait.
pub const QUEUE_MAX: usize = 1_024;
/// How long a task waits for room in the queue.
pub const QUEUE_PATIENCE: Duration = Duration::from_secs(2);
/// How much disk is kept back for an administrator who has to clean up. Must be well over twice the WAL's limit
/// ([`WAL_PAGES_MAX`]): cleaning writes to the log first, and the log's pages then need room in the database file.
pub const RESERVE_BYTES: u64 = 64 << 20;
/// How many rows one statement may give.
pub const ROWS_MAX: usize = 100_000;
/// How often a transaction is run again after a conflict.
pub const RETRIES_MAX: u32 = 10;
/// Pages of the WAL after which the writer copies them into the database file (4 MiB).
pub const WAL_PAGES_MAX: u32 = 1_000;

/// Where the data is.
#[derive(Clone)]
pub enum Place {
    /// One file, in a folder that only its owner may read; made when it is not there.
    Sqlite {
        /// The database file. Beside it stand its `-wal` and `-shm` files and `reserve`.
        file: PathBuf,
    },
    /// A database that is there already (see [`crate::bootstrap`]), as three roles.
    Postgres {
        /// URL for the role `selo_app`: sees one tenant at a time.
        application: Secret<String>,
        /// URL for the role `selo_system`: jobs and verbs across tenants.
        system: Secret<String>,
        /// URL for the role `selo_migrate`, owner of the tables; only [`crate::migrate`] uses it.
        migration: Option<Secret<String>>,
    },
}

/// Everything that can be chosen. [`Settings::sqlite`] and [`Settings::postgres`] give the defaults.
#[derive(Clone)]
pub struct Settings {
    /// Where the data is.
    pub place: Place,
    /// Threads that read (SQLite), or connections as the application role (PostgreSQL).
    pub readers: usize,
    /// Connections as the system role (PostgreSQL).
    pub system_connections: usize,
    /// How many closures one commit may serve (SQLite).
    pub group_max: usize,
    /// How many orders may wait, per queue.
    pub queue_max: usize,
    /// How long a task waits for room in a queue.
    pub queue_patience: Duration,
    /// How long one closure may take, on either engine.
    pub verb_timeout: Duration,
    /// How much disk to keep back (SQLite); 0 for none.
    pub reserve_bytes: u64,
}

impl Settings {
    /// SQLite in a file.
    pub fn sqlite(file: impl Into<PathBuf>) -> Self {
        Self::with(Place::Sqlite { file: file.into() })
    }

    /// PostgreSQL, by a URL for each role (`postgres://selo_app:…@host/database`).
    pub fn postgres(
        application: Secret<String>,
        system: Secret<String>,
        migration: Option<Secret<String>>,
    ) -> Self {
        Self::with(Place::Postgres { application, system, migration })
    }

    fn with(place: Place) -> Self {
        Self {
            place,
            readers: 4,
            system_connections: 4,
            group_max: GROUP_MAX,
            queue_max: QUEUE_MAX,
            queue_patience: QUEUE_PATIENCE,
            verb_timeout: VERB_TIMEOUT,
            reserve_bytes: RESERVE_BYTES,
        }
    }
}
