//! Jobs: work that outlives a request, with progress, a deadline, retries with jitter and a fencing token.
//!
//! A job is a row. Whoever claims it writes its token into it; every step that saves progress names the token, so a
//! process that was frozen and wakes up late changes nothing. A step and its progress commit in one transaction: a job
//! that is killed at any moment goes on where it stood.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use base::{
    Id, Page, PageToken, Result, Time,
    id::kind::{Job as JobKind, Tenant},
};
use serde_json::Value;
use store::{Row, Rx, Tx, sql, values};

use crate::{House, bus::backoff, error};

/// A process that dies loses its job after this time.
const LEASE: Duration = Duration::from_secs(30);
/// A job fails for good after so many attempts.
const ATTEMPTS_MAX: i64 = 5;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Somebody works on it.
    Running,
    /// Finished; some of its items may have failed, each with its reason.
    Done,
    /// Given up, with a code.
    Failed,
}

impl JobState {
    const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "done" => Self::Done,
            _ => Self::Failed,
        }
    }
}

/// A job as it stands in the store.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its tenant.
    pub tenant: Id<Tenant>,
    /// Its id.
    pub id: Id<JobKind>,
    /// What sort of work.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// What the work needs to know; ids and settings, never personal data.
    pub input: Value,
    /// How many items there are.
    pub total: i64,
    /// How many are finished, failed ones included.
    pub done: i64,
    /// How many of them failed.
    pub failed: i64,
    /// How often it was begun.
    pub attempts: i64,
    /// The fencing token of who works on it.
    pub token: i64,
    /// Why it was given up.
    pub error_code: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// When it must have ended.
    pub deadline: Time,
}

/// A job to be made.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its tenant.
    pub tenant: Id<Tenant>,
    /// Its id.
    pub id: Id<JobKind>,
    /// What sort of work.
    pub kind: &'static str,
    /// What the work needs to know; ids and settings, never personal data.
    pub input: Value,
    /// How many items there are.
    pub total: u64,
    /// When it is made, and may begin.
    pub now: Time,
    /// When it must have ended.
    pub deadline: Time,
}

/// Makes a job in the transaction of the verb that wants it.
///
/// # Errors
/// The store's.
pub fn enqueue(tx: &mut Tx<'_>, new: &NewJob) -> Result<()> {
    tx.execute(
        sql!(
            "-- events.job_insert
            insert into events_job (tenant, id, kind, state, input, total, done, failed, attempts, not_before,
                deadline, lease_token, created_at)
            values ($1, $2, $3, 'queued', $4, $5, 0, 0, 0, $6, $7, 0, $6)"
        ),
        &values![
            new.tenant,
            new.id,
            new.kind,
            new.input.clone(),
            i64::try_from(new.total).unwrap_or(i64::MAX),
            new.now,
            new.deadline
        ],
    )?;
    Ok(())
}

fn job(row: &Row<'_>) -> Result<Job> {
    let state: String = row.get(3)?;
    Ok(Job {
        tenant: row.get(0)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        state: JobState::parse(&state),
        input: row.get(4)?,
        total: row.get(5)?,
        done: row.get(6)?,
        failed: row.get(7)?,
        attempts: row.get(8)?,
        token: row.get(9)?,
        error_code: row.get(10)?,
        created_at: row.get(11)?,
        finished_at: row.get(12)?,
        deadline: row.get(13)?,
    })
}

/// A job by its id.
///
/// # Errors
/// `JOB_NOT_FOUND`; the store's.
pub fn by_id(rx: &mut Rx<'_>, tenant: Id<Tenant>, id: Id<JobKind>) -> Result<Job> {
    rx.optional(
        sql!(
            "-- events.job_by_id
            select tenant, id, kind, state, input, total, done, failed, attempts, lease_token, error_code,
                created_at, finished_at, deadline
            from events_job where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        job,
    )?
    .ok_or_else(|| error::JOB_UNKNOWN.error())
}

/// A tenant's jobs, newest first.
///
/// # Errors
/// The store's; `PAGE_TOKEN_INVALID`.
pub fn list(rx: &mut Rx<'_>, tenant: Id<Tenant>, limit: u32, token: Option<&str>) -> Result<Page<Job>> {
    let before: Id<JobKind> = match token {
        None => Id::LAST,
        Some(text) => {
            PageToken::decode(text, 1)?.0.first().map(|id| id.parse()).transpose()?.unwrap_or(Id::LAST)
        }
    };
    let jobs = rx.all(
        sql!(
            "-- events.job_list
            select tenant, id, kind, state, input, total, done, failed, attempts, lease_token, error_code,
                created_at, finished_at, deadline
            from events_job where tenant = $1 and id < $2
            order by id desc
            limit $3"
        ),
        &values![tenant, before, i64::from(limit) + 1],
        job,
    )?;
    Ok(Page::cut(jobs, limit, |job| PageToken(vec![job.id.to_string()])))
}

/// Saves progress in the transaction of the step that made it; refuses a token that is no longer the job's.
///
/// # Errors
/// `STORE_LEASE_LOST` when another process has taken the job; the store's.
pub fn progress(tx: &mut Tx<'_>, job: &Job, done: i64, failed: i64, now: Time) -> Result<()> {
    let rows = tx.execute(
        sql!(
            "-- events.job_progress
            update events_job set done = $4, failed = $5, lease_until = $6
            where tenant = $1 and id = $2 and lease_token = $3 and state = 'running'"
        ),
        &values![job.tenant, job.id, job.token, done, failed, now.plus(LEASE)],
    )?;
    if rows == 1 { Ok(()) } else { Err(store::error::STORE_LEASE_LOST.error().with("lease", job.id)) }
}

fn claim(tx: &mut Tx<'_>, now: Time) -> Result<Option<Job>> {
    let due: Option<(Id<Tenant>, Id<JobKind>)> = tx.optional(
        sql!(
            "-- events.job_due
            select tenant, id from events_job
            where (state = 'queued' and not_before <= $1) or (state = 'running' and lease_until < $1)
            order by not_before
            limit 1"
        ),
        &values![now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((tenant, id)) = due else { return Ok(None) };
    tx.execute(
        sql!(
            "-- events.job_claim
            update events_job
            set state = 'running', lease_token = lease_token + 1, lease_until = $3, attempts = attempts + 1
            where tenant = $1 and id = $2"
        ),
        &values![tenant, id, now.plus(LEASE)],
    )?;
    by_id(tx, tenant, id).map(Some)
}

fn finish(
    tx: &mut Tx<'_>,
    job: &Job,
    state: JobState,
    code: Option<&str>,
    not_before: Time,
    now: Time,
) -> Result<()> {
    let finished = match state {
        JobState::Done | JobState::Failed => Some(now),
        JobState::Queued | JobState::Running => None,
    };
    tx.execute(
        sql!(
            "-- events.job_finish
            update events_job set state = $4, error_code = $5, not_before = $6, finished_at = $7, lease_until = null
            where tenant = $1 and id = $2 and lease_token = $3"
        ),
        &values![job.tenant, job.id, job.token, state.name(), code, not_before, finished],
    )?;
    Ok(())
}

/// The work of one kind of job.
pub trait Work: Send + Sync + 'static {
    /// The kind it does.
    fn kind(&self) -> &'static str;
    /// Does it, or goes on with it; saves its steps with [`progress`].
    fn run<'a>(&'a self, job: &'a Job) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;
}

/// Runs the jobs of the kinds it knows.
pub struct Runner {
    house: House,
    works: Vec<Arc<dyn Work>>,
}

impl Runner {
    /// A runner for these kinds.
    pub fn new(house: House, works: Vec<Arc<dyn Work>>) -> Self {
        Self { house, works }
    }

    /// Claims and runs one job that is due; false when none is.
    ///
    /// # Errors
    /// The store's; a job's own failure is recorded in its row.
    pub async fn run_once(&self) -> Result<bool> {
        let now = self.house.now();
        let Some(job) = self.house.db.write("events.job_claim", move |tx| claim(tx, now)).await? else {
            return Ok(false);
        };
        let outcome = match self.works.iter().find(|work| work.kind() == job.kind) {
            None => Err(error::JOB_KIND.error().with("kind", &job.kind)),
            Some(_) if self.house.now() > job.deadline => Err(error::JOB_DEADLINE.error()),
            Some(work) => work.run(&job).await,
        };
        let now = self.house.now();
        let (state, code, not_before) = match &outcome {
            Ok(()) => (JobState::Done, None, now),
            Err(failure) if failure.kind().retryable() && job.attempts < ATTEMPTS_MAX => {
                let attempt = u32::try_from(job.attempts).unwrap_or(u32::MAX);
                (
                    JobState::Queued,
                    Some(failure.code().name),
                    now.plus(backoff(attempt, Duration::from_secs(1), &self.house)),
                )
            }
            Err(failure) => (JobState::Failed, Some(failure.code().name), now),
        };
        if let Err(failure) = &outcome {
            tracing::warn!(code = failure.code().name, job = %job.id, kind = %job.kind, "a job did not finish: {failure:?}");
        }
        self.house
            .db
            .write("events.job_finish", move |tx| finish(tx, &job, state, code, not_before, now))
            .await?;
        Ok(true)
    }
}
