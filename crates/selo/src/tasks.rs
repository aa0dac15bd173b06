//! What a house does by itself: sequence, publish checkpoints, deliver facts, run jobs, clear up.
//!
//! Every loop is woken by a commit or by its own clock, survives an error (which is logged once), and ends when the
//! house stops. Nothing here decides anything: each step is a verb of a room that any other process could run as well.

use std::{future::Future, time::Duration};

use base::Result;
use events::Log;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::rooms::Rooms;

/// A loop that has nothing to do looks again after this time, whoever rings.
const IDLE: Duration = Duration::from_millis(500);
/// After an error a loop waits so long.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// Plans that a crash left are looked for so often, and first at the start.
const STALE_EVERY: Duration = Duration::from_secs(30);
/// Retention, epochs and broken uploads are looked after so often.
const TIDY_EVERY: Duration = Duration::from_secs(3_600);

/// How the loops of a house are set.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// How often a grown log gets a checkpoint.
    pub checkpoint_every: Duration,
    /// How long the sealed parts of facts are kept.
    pub keep_sealed: Duration,
}

/// Starts every loop; they end when `stop` is cancelled.
pub fn start(rooms: &Rooms, rhythm: Rhythm, tracker: &TaskTracker, stop: &CancellationToken) {
    for sequencer in
        rooms.sequencers().into_iter().filter(|_| rooms.house.db.engine() == store::Engine::Postgres)
    {
        let (rooms, stop) = (rooms.clone(), stop.clone());
        tracker.spawn(async move {
            repeat("sequencer", &stop, || async {
                let placed = sequencer.run_once().await?;
                if placed == 0 {
                    woken(&rooms, IDLE / 5).await;
                }
                Ok(())
            })
            .await;
        });
    }
    for log in Log::ALL {
        let (rooms, stop) = (rooms.clone(), stop.clone());
        tracker.spawn(async move {
            repeat("publisher", &stop, || async {
                rooms.audit.publish(log).await?;
                tokio::time::sleep(rhythm.checkpoint_every).await;
                Ok(())
            })
            .await;
        });
    }
    let (inner, ended) = (rooms.clone(), stop.clone());
    tracker.spawn(async move {
        let bus = inner.bus();
        repeat("bus", &ended, || async {
            if bus.run_once().await? == 0 {
                woken(&inner, IDLE).await;
            }
            Ok(())
        })
        .await;
    });
    let (inner, ended) = (rooms.clone(), stop.clone());
    tracker.spawn(async move {
        let runner = inner.runner();
        repeat("jobs", &ended, || async {
            if !runner.run_once().await? {
                woken(&inner, IDLE).await;
            }
            Ok(())
        })
        .await;
    });
    let (inner, ended) = (rooms.clone(), stop.clone());
    tracker.spawn(async move {
        repeat("plans", &ended, || async {
            tokio::time::sleep(STALE_EVERY).await;
            inner.credentials.finish_stale(STALE_EVERY).await.map(drop)
        })
        .await;
    });
    let (inner, ended) = (rooms.clone(), stop.clone());
    tracker.spawn(async move {
        repeat("authority", &ended, || async {
            inner.pki.abandon_stale(false).await?;
            inner.pki.renew_responders().await?;
            inner.pki.renew_lists().await?;
            inner.pki.look_up_figures().await?;
            tokio::time::sleep(STALE_EVERY).await;
            Ok(())
        })
        .await;
    });
    let (inner, ended) = (rooms.clone(), stop.clone());
    tracker.spawn(async move {
        repeat("acme", &ended, || async {
            if inner.acme.prove_due().await? == 0 {
                tokio::time::sleep(IDLE).await;
            }
            Ok(())
        })
        .await;
    });
    let (inner, ended) = (rooms.clone(), stop.clone());
    tracker.spawn(async move {
        repeat("tidy", &ended, || async {
            while events::forget_older_than(&inner.house, rhythm.keep_sealed).await? > 0 {}
            inner.credentials.clear_broken().await?;
            while inner.acme.forget_ended().await? > 0 {}
            let call = inner.house.system("keys.roll_epoch");
            inner.keys.roll_epoch(&inner.house, &call).await?;
            tokio::time::sleep(TIDY_EVERY).await;
            Ok(())
        })
        .await;
    });
}

/// Finishes what a crash left, before the doors open: plans first, then the places of facts and their checkpoints.
///
/// # Errors
/// The store's.
pub async fn settle(rooms: &Rooms) -> Result<()> {
    while rooms.credentials.finish_stale(Duration::ZERO).await? > 0 {}
    // On SQLite this process is the only one, so whatever is still planned will never be signed.
    while rooms.pki.abandon_stale(rooms.house.db.engine() == store::Engine::Sqlite).await? > 0 {}
    for sequencer in
        rooms.sequencers().into_iter().filter(|_| rooms.house.db.engine() == store::Engine::Postgres)
    {
        while sequencer.run_once().await? > 0 {}
    }
    let bus = rooms.bus();
    while bus.run_once().await? > 0 {}
    for log in Log::ALL {
        rooms.audit.publish(log).await?;
    }
    rooms.give_back_leases().await
}

/// Waits for a commit, at most `longest`.
async fn woken(rooms: &Rooms, longest: Duration) {
    // Running out of time is as good as being woken.
    let _ = tokio::time::timeout(longest, rooms.committed.notified()).await;
}

async fn repeat<F: Future<Output = Result<()>>>(
    name: &'static str,
    stop: &CancellationToken,
    mut step: impl FnMut() -> F,
) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            done = step() => {
                if let Err(failure) = done {
                    tracing::error!(task = name, code = failure.code().name, "a step of the house failed and will be tried again: {failure:?}");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
        }
    }
}
