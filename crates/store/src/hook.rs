//! The hook before a commit: where `events` turns what verbs staged into facts, in the same transaction.
//!
//! `store` knows nothing of facts; it only promises when it calls. Never here: a call without a transaction open,
//! except [`CommitHook::after_commit`].

use std::any::Any;

use base::Result;

use crate::{engine::Engine, tx::Tx};

/// Something a verb staged for the hook.
pub type Staged = Box<dyn Any + Send>;

/// Plugged in once, when the store is opened.
pub trait CommitHook: Send + Sync + 'static {
    /// Runs inside the transaction when at least one thing was staged: once per group on SQLite, with the things of
    /// all surviving closures in their order; once per transaction on PostgreSQL. When it fails on a group of
    /// several, the group is rolled back and each verb runs again on its own, so that one bad thing hurts one verb.
    fn before_commit(&self, tx: &mut Tx<'_>, staged: &[Staged]) -> Result<()>;

    /// After the commit is durable and the waiters are answered. Must not block: it runs on the writer's thread.
    fn after_commit(&self, engine: Engine) {
        let _ = engine;
    }

    /// PostgreSQL, commit in doubt: was this staged thing committed? (Looks for the fact by its id.)
    fn committed(&self, tx: &mut Tx<'_>, staged: &(dyn Any + Send)) -> Result<bool>;
}
