//! Signing keys on a PKCS#11 token: a hardware security module, a smart card, SoftHSM.
//!
//! A key is made on the token and never leaves it; the house keeps its public half, its id is `CKA_ID` and `CKA_LABEL`.
//! Signing runs on blocking threads, at most one for each session. A token that was restarted, pulled out or left idle
//! is opened anew and the operation tried once more; after that the caller is told that the token is away.
//! Never here: a software key in the place of one that does not answer; a signature that was not verified; a PIN that
//! was refused, given again.

mod fault;
mod figures;
mod key;
mod library;
mod pool;
mod settings;

use std::{sync::Arc, time::Duration};

use base::{Clock, Id, Result, id::kind::SigningKey, telemetry::Metrics};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use proof::crypto::PublicKey;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

pub(crate) use key::TokenKey;
pub use settings::{SESSIONS, SESSIONS_MAX, SETTINGS, TokenSettings};

use self::{fault::away, figures::Figures, pool::Pool};
use crate::{signature::Signature, signing::Algorithm};

/// So many messages a session signs before others have their turn.
const TURN_MESSAGES_MAX: usize = 16;
/// So long a caller waits for a session.
const SESSION_PATIENCE: Duration = Duration::from_secs(30);
/// So long a caller waits for the token's answer. A token that never answers keeps its session.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

/// A token that was configured; cheap to clone. Nothing touches the device before it is needed.
#[derive(Clone)]
pub struct Token(Arc<Inner>);

struct Inner {
    sessions: usize,
    /// One permit for each session.
    turns: Arc<Semaphore>,
    pool: Pool,
}

impl Token {
    /// The token of these settings; its figures go to `metrics`.
    pub fn new(settings: TokenSettings, clock: Arc<dyn Clock>, metrics: &Metrics) -> Self {
        let sessions = settings.sessions.clamp(1, SESSIONS_MAX);
        let pool = Pool::new(settings, clock, Figures::new(metrics));
        Self(Arc::new(Inner { sessions, turns: Arc::new(Semaphore::new(sessions)), pool }))
    }

    /// Makes a key on the token.
    pub(crate) async fn generate(&self, id: Id<SigningKey>, algorithm: Algorithm) -> Result<PublicKey> {
        self.on_a_session(move |pool| pool.run(|hand| key::generate(hand, id, algorithm))).await
    }

    /// Destroys a key on the token; it may be gone already.
    pub(crate) async fn destroy(&self, id: Id<SigningKey>) -> Result<()> {
        self.on_a_session(move |pool| pool.run(|hand| key::destroy(hand, id))).await
    }

    /// Logs in and compares the keys that the house knows with what the token holds.
    pub(crate) async fn check(&self, keys: Vec<TokenKey>) -> Result<()> {
        self.on_a_session(move |pool| {
            pool.run(|hand| keys.iter().try_for_each(|key| hand.look_up(key).map(drop)))
        })
        .await
    }

    /// Signs messages, several at once, and gives the signatures in the messages' order: all of them, or none.
    pub(crate) async fn sign(&self, key: &Arc<TokenKey>, messages: Vec<Vec<u8>>) -> Result<Vec<Signature>> {
        let turn = messages.len().div_ceil(self.0.sessions).clamp(1, TURN_MESSAGES_MAX);
        let turns = turns(messages, turn).into_iter().map(|messages| {
            let key = Arc::clone(key);
            self.on_a_session(move |pool| pool.run(|hand| key::sign(hand, &key, &messages)))
        });
        let signed: Vec<Vec<Signature>> = stream::iter(turns).buffered(self.0.sessions).try_collect().await?;
        Ok(signed.into_iter().flatten().collect())
    }

    /// Logs out and gives the library back, once nobody uses it. Whoever signs afterwards opens the token again.
    pub(crate) async fn close(&self) -> Result<()> {
        let inner = Arc::clone(&self.0);
        let closed = spawn_blocking(move || inner.pool.close_all());
        timeout(ANSWER_PATIENCE, closed).await.map_err(away)?.map_err(|e| base::error::INTERNAL.because(e))
    }

    /// Runs `work` on a blocking thread when a session is free for it.
    async fn on_a_session<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Pool) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = timeout(SESSION_PATIENCE, Arc::clone(&self.0.turns).acquire_owned())
            .await
            .map_err(away)?
            .map_err(|e| base::error::INTERNAL.because(e))?;
        let inner = Arc::clone(&self.0);
        let answer = spawn_blocking(move || {
            let done = work(&inner.pool);
            drop(turn);
            done
        });
        timeout(ANSWER_PATIENCE, answer).await.map_err(away)?.map_err(|e| base::error::INTERNAL.because(e))?
    }
}

/// The messages in their order, in pieces of at most `size`.
fn turns(messages: Vec<Vec<u8>>, size: usize) -> Vec<Vec<Vec<u8>>> {
    let mut pieces = Vec::with_capacity(messages.len().div_ceil(size));
    let mut messages = messages.into_iter().peekable();
    while messages.peek().is_some() {
        pieces.push(messages.by_ref().take(size).collect());
    }
    pieces
}
