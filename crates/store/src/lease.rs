//! Leases: what only one process may do at a time, on either engine, with a fencing token.
//!
//! Whoever holds a lease may be frozen and wake up after it passed on. So the work itself, in its own transaction,
//! asks [`check`] with the token it was given; the token grows with every change of hands and never shrinks.
//! Never here: a clock of its own; the caller says what time it is.

use std::time::Duration;

use base::{Result, Time};

use crate::{error::STORE_LEASE_LOST, sql, tx::Tx, values};

/// A lease that was held when it was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is for, such as `events.sequencer.cred`.
    pub name: String,
    /// Which process: a random text per start.
    pub holder: String,
    /// Grows with every change of hands.
    pub token: u64,
    /// Until when, unless renewed.
    pub until: Time,
}

/// Takes a lease that is free or has run out, or prolongs the holder's own (its token then stays the same).
/// `None` while somebody else holds it. Runs in the system's scope.
pub fn claim(
    tx: &mut Tx<'_>,
    name: &str,
    holder: &str,
    now: Time,
    length: Duration,
) -> Result<Option<Lease>> {
    let until = now.plus(length);
    let token = tx.optional(
        sql!(
            "-- store.lease.claim
            insert into store_lease (name, holder, token, until)
            values ($1, $2, 1, $3)
            on conflict (name) do update set
                token = case
                    when store_lease.holder = excluded.holder and store_lease.until > $4 then store_lease.token
                    else store_lease.token + 1
                end,
                holder = excluded.holder,
                until = excluded.until
            where store_lease.holder = excluded.holder or store_lease.until <= $4
            returning token"
        ),
        &values![name, holder, until, now],
        |row| row.get(0),
    )?;
    Ok(token.map(|token| Lease { name: name.to_owned(), holder: holder.to_owned(), token, until }))
}

/// Prolongs a lease; `STORE_LEASE_LOST` when it has run out or passed on.
pub fn renew(tx: &mut Tx<'_>, lease: &Lease, now: Time, length: Duration) -> Result<Lease> {
    let until = now.plus(length);
    let renewed = tx.execute(
        sql!(
            "-- store.lease.renew
            update store_lease set until = $4
            where name = $1 and holder = $2 and token = $3 and until > $5"
        ),
        &values![&lease.name, &lease.holder, token(lease), until, now],
    )?;
    if renewed == 1 { Ok(Lease { until, ..lease.clone() }) } else { Err(lost(lease)) }
}

/// Gives a lease back before its time. Its token is kept, so that the next holder's is larger.
pub fn release(tx: &mut Tx<'_>, lease: &Lease, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- store.lease.release
            update store_lease set until = $4
            where name = $1 and holder = $2 and token = $3"
        ),
        &values![&lease.name, &lease.holder, token(lease), now],
    )
    .map(drop)
}

/// Gives back everything that a holder holds, at a graceful end: the next process need not wait.
pub fn release_all(tx: &mut Tx<'_>, holder: &str, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- store.lease.release_all
            update store_lease set until = $2
            where holder = $1 and until > $2"
        ),
        &values![holder, now],
    )
    .map(drop)
}

/// Refuses, with `STORE_LEASE_LOST`, a transaction of somebody whose lease has run out or passed on. It touches the
/// lease's row, so that on PostgreSQL a claim at the same time and this transaction cannot both commit.
pub fn check(tx: &mut Tx<'_>, lease: &Lease, now: Time) -> Result<()> {
    let held = tx.execute(
        sql!(
            "-- store.lease.check
            update store_lease set token = token
            where name = $1 and holder = $2 and token = $3 and until > $4"
        ),
        &values![&lease.name, &lease.holder, token(lease), now],
    )?;
    if held == 1 { Ok(()) } else { Err(lost(lease)) }
}

fn token(lease: &Lease) -> i64 {
    i64::try_from(lease.token).unwrap_or(i64::MAX)
}

fn lost(lease: &Lease) -> base::Error {
    STORE_LEASE_LOST.error().with("lease", &lease.name)
}
