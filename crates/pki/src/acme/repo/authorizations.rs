//! Authorizations, and the attempts to prove them.

use base::{Result, Time};
use store::{Row, Rx, Tx, sql, values};

use super::broken;
use crate::{
    acme::{
        model::{AccountId, Authorization, AuthorizationId, AuthorizationState, OrderId, Ordered},
        prober::ChallengeKind,
    },
    model::TenantId,
};

pub(crate) fn insert_authorization(tx: &mut Tx<'_>, tenant: TenantId, one: &Authorization) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.acme.insert_authorization
            insert into pki_acme_authorization (tenant, id, handle, account, identifier, wildcard, token, status,
                attempts, expires_at)
            values ($1, $2, $3, $4, $5, $6, $7, 'pending', 0, $8)"
        ),
        &values![
            tenant,
            one.id,
            one.handle.as_str(),
            one.account,
            one.ordered.text(),
            i64::from(one.ordered.wildcard),
            one.token.as_str(),
            one.expires_at
        ],
    )?;
    Ok(())
}

fn authorization_row(row: &Row<'_>) -> Result<Authorization> {
    let (identifier, state): (String, String) = (row.get(3)?, row.get(5)?);
    let (challenge, error): (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
    Ok(Authorization {
        id: row.get(0)?,
        handle: row.get(1)?,
        account: row.get(2)?,
        ordered: Ordered::parse(&identifier).ok_or_else(broken)?,
        token: row.get(4)?,
        state: AuthorizationState::parse(&state).ok_or_else(broken)?,
        challenge: challenge.map(|name| ChallengeKind::parse(&name).ok_or_else(broken)).transpose()?,
        error: error
            .map(|text| serde_json::from_str(&text).map_err(|e| base::error::INTERNAL.because(e)))
            .transpose()?,
        attempts: row.get(8)?,
        validated_at: row.get(9)?,
        expires_at: row.get(10)?,
    })
}

/// An authorization of an account.
pub(crate) fn authorization_by_handle(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    account: AccountId,
    handle: &str,
) -> Result<Option<Authorization>> {
    rx.optional(
        sql!(
            "-- pki.acme.authorization_by_handle
            select id, handle, account, identifier, token, status, challenge, error, attempts, validated_at, expires_at
            from pki_acme_authorization
            where tenant = $1 and account = $2 and handle = $3"
        ),
        &values![tenant, account, handle],
        authorization_row,
    )
}

pub(crate) fn authorization_by_id(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    id: AuthorizationId,
) -> Result<Option<Authorization>> {
    rx.optional(
        sql!(
            "-- pki.acme.authorization_by_id
            select id, handle, account, identifier, token, status, challenge, error, attempts, validated_at, expires_at
            from pki_acme_authorization
            where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        authorization_row,
    )
}

/// The authorizations of an order, in its order.
pub(crate) fn authorizations_of(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    order: OrderId,
) -> Result<Vec<Authorization>> {
    rx.all(
        sql!(
            "-- pki.acme.authorizations_of
            select a.id, a.handle, a.account, a.identifier, a.token, a.status, a.challenge, a.error, a.attempts,
                a.validated_at, a.expires_at
            from pki_acme_order_part p
                join pki_acme_authorization a on a.tenant = p.tenant and a.id = p.acme_authorization
            where p.tenant = $1 and p.acme_order = $2
            order by p.position"
        ),
        &values![tenant, order],
        authorization_row,
    )
}

/// The proof of an account for a name that counts the longest, if it counts until `until`.
pub(crate) fn proof_of(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    account: AccountId,
    identifier: &str,
    until: Time,
) -> Result<Option<Authorization>> {
    rx.optional(
        sql!(
            "-- pki.acme.proof_of
            select id, handle, account, identifier, token, status, challenge, error, attempts, validated_at, expires_at
            from pki_acme_authorization
            where tenant = $1 and account = $2 and status = 'valid' and identifier = $3 and expires_at > $4
            order by expires_at desc, id
            limit 1"
        ),
        &values![tenant, account, identifier, until],
        authorization_row,
    )
}

/// How many authorizations of an account wait for their proof, counted up to a limit.
pub(crate) fn count_pending(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    account: AccountId,
    now: Time,
    limit: i64,
) -> Result<i64> {
    rx.one(
        sql!(
            "-- pki.acme.count_pending
            select count(*) as pending from (
                select 1 as one from pki_acme_authorization
                where tenant = $1 and account = $2 and status = 'pending' and expires_at > $3
                limit $4
            ) found"
        ),
        &values![tenant, account, now, limit],
        |row| row.get(0),
    )
}

/// Chooses a challenge. Whoever has it until `next_attempt_at` tries; false when one was chosen before.
pub(crate) fn choose_challenge(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AuthorizationId,
    challenge: ChallengeKind,
    attempts: i64,
    next_attempt_at: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.choose_challenge
            update pki_acme_authorization set challenge = $3, attempts = $4, next_attempt_at = $5
            where tenant = $1 and id = $2 and status = 'pending' and challenge is null"
        ),
        &values![tenant, id, challenge.name(), attempts, next_attempt_at],
    )?;
    Ok(rows == 1)
}

/// Authorizations whose next attempt is due, longest due first, few of each account: whoever has many due holds up nobody.
pub(crate) fn due(
    rx: &mut Rx<'_>,
    now: Time,
    per_account: i64,
    limit: u32,
) -> Result<Vec<(AuthorizationId, AccountId)>> {
    rx.all(
        sql!(
            "-- pki.acme.due
            select id, account from (
                select id, account, next_attempt_at,
                    row_number() over (partition by tenant, account order by next_attempt_at, id) as place
                from pki_acme_authorization
                where next_attempt_at <= $1
            ) found
            where place <= $2
            order by next_attempt_at, id
            limit $3"
        ),
        &values![now, per_account, i64::from(limit)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Whether any attempt is due.
pub(crate) fn is_due(rx: &mut Rx<'_>, now: Time) -> Result<bool> {
    rx.one(
        sql!(
            "-- pki.acme.is_due
            select count(*) as due from (
                select 1 as one from pki_acme_authorization where next_attempt_at <= $1 limit 1
            ) found"
        ),
        &values![now],
        |row| row.get::<i64>(0).map(|due| due > 0),
    )
}

/// Takes an attempt that is due: nobody else has it before `until`. False when somebody was faster.
pub(crate) fn take_attempt(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AuthorizationId,
    attempts: i64,
    until: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.take_attempt
            update pki_acme_authorization set attempts = attempts + 1, next_attempt_at = $4
            where tenant = $1 and id = $2 and attempts = $3 and status = 'pending'"
        ),
        &values![tenant, id, attempts, until],
    )?;
    Ok(rows == 1)
}

/// The attempt failed and is made again at `at`. Whoever lost the attempt changes nothing.
pub(crate) fn try_again(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AuthorizationId,
    attempts: i64,
    at: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.try_again
            update pki_acme_authorization set next_attempt_at = $4
            where tenant = $1 and id = $2 and attempts = $3 and status = 'pending'"
        ),
        &values![tenant, id, attempts, at],
    )?;
    Ok(rows == 1)
}

/// Control is proved, and counts until `expires_at`. Whoever lost the attempt changes nothing.
pub(crate) fn set_valid(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AuthorizationId,
    attempts: i64,
    now: Time,
    expires_at: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.set_valid
            update pki_acme_authorization
            set status = 'valid', validated_at = $4, expires_at = $5, next_attempt_at = null
            where tenant = $1 and id = $2 and attempts = $3 and status = 'pending'"
        ),
        &values![tenant, id, attempts, now, expires_at],
    )?;
    Ok(rows == 1)
}

/// Control is not proved, for good.
pub(crate) fn set_invalid(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AuthorizationId,
    attempts: i64,
    error: &str,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.set_invalid
            update pki_acme_authorization set status = 'invalid', error = $4, next_attempt_at = null
            where tenant = $1 and id = $2 and attempts = $3 and status = 'pending'"
        ),
        &values![tenant, id, attempts, error],
    )?;
    Ok(rows == 1)
}

/// Gives an authorization back; false when there is nothing to give back.
pub(crate) fn deactivate_authorization(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AuthorizationId,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.deactivate_authorization
            update pki_acme_authorization set status = 'deactivated', next_attempt_at = null
            where tenant = $1 and id = $2 and status in ('pending', 'valid')"
        ),
        &values![tenant, id],
    )?;
    Ok(rows == 1)
}

/// Authorizations that ended before a moment.
pub(crate) fn ended_authorizations(
    rx: &mut Rx<'_>,
    before: Time,
    limit: u32,
) -> Result<Vec<(TenantId, AuthorizationId)>> {
    rx.all(
        sql!(
            "-- pki.acme.ended_authorizations
            select tenant, id from pki_acme_authorization where expires_at < $1 order by expires_at limit $2"
        ),
        &values![before, i64::from(limit)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(crate) fn delete_authorization(tx: &mut Tx<'_>, tenant: TenantId, id: AuthorizationId) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.acme.delete_authorization
            delete from pki_acme_authorization where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
    )?;
    Ok(())
}
