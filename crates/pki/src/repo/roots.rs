//! The SQL texts of what a root is asked for, and of authorities that change their state.

use base::{
    Id, Result, Time,
    id::kind::{RootRequest, SigningKey},
};
use store::{Row, Rx, Tx, sql, values};

use crate::model::{AuthorityId, AuthorityState, TenantId};

/// A request to a root as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct RequestRow {
    pub(crate) tenant: TenantId,
    pub(crate) id: Id<RootRequest>,
    pub(crate) environment: String,
    pub(crate) root: AuthorityId,
    /// `planned`, `accepted`, `abandoned`.
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) plan: String,
    pub(crate) issuing_tbs: Option<Vec<u8>>,
    pub(crate) crl_tbs: Option<Vec<u8>>,
    pub(crate) key: Option<Id<SigningKey>>,
    pub(crate) asked_by: String,
    pub(crate) planned_at: Time,
    pub(crate) ended_at: Option<Time>,
}

/// Adds a request; false when the root has an open one.
pub(crate) fn insert_request(tx: &mut Tx<'_>, request: &RequestRow) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.insert_root_request
            insert into pki_root_request (tenant, id, environment, root, open_of, state, reason, plan, issuing_tbs,
                crl_tbs, key, asked_by, planned_at)
            values ($1, $2, $3, $4, $4, 'planned', $5, $6, $7, $8, $9, $10, $11)
            on conflict (tenant, open_of) do nothing"
        ),
        &values![
            request.tenant,
            request.id,
            request.environment.as_str(),
            request.root,
            request.reason.as_str(),
            request.plan.as_str(),
            &request.issuing_tbs,
            &request.crl_tbs,
            request.key,
            request.asked_by.as_str(),
            request.planned_at
        ],
    )?;
    Ok(rows == 1)
}

fn request_row(row: &Row<'_>) -> Result<RequestRow> {
    Ok(RequestRow {
        tenant: row.get(0)?,
        id: row.get(1)?,
        environment: row.get(2)?,
        root: row.get(3)?,
        state: row.get(4)?,
        reason: row.get(5)?,
        plan: row.get(6)?,
        issuing_tbs: row.get(7)?,
        crl_tbs: row.get(8)?,
        key: row.get(9)?,
        asked_by: row.get(10)?,
        planned_at: row.get(11)?,
        ended_at: row.get(12)?,
    })
}

pub(crate) fn request(rx: &mut Rx<'_>, tenant: TenantId, id: Id<RootRequest>) -> Result<Option<RequestRow>> {
    rx.optional(
        sql!(
            "-- pki.root_request
            select tenant, id, environment, root, state, reason, plan, issuing_tbs, crl_tbs, key, asked_by, planned_at,
                ended_at
            from pki_root_request where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        request_row,
    )
}

/// A page of a tenant's requests, newest first.
pub(crate) fn requests(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    before: Id<RootRequest>,
    limit: u32,
) -> Result<Vec<RequestRow>> {
    rx.all(
        sql!(
            "-- pki.root_requests
            select tenant, id, environment, root, state, reason, plan, issuing_tbs, crl_tbs, key, asked_by, planned_at,
                ended_at
            from pki_root_request where tenant = $1 and id < $2
            order by id desc
            limit $3"
        ),
        &values![tenant, before, i64::from(limit)],
        request_row,
    )
}

/// Closes a request; false when it was not open.
pub(crate) fn end_request(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: Id<RootRequest>,
    state: &str,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.end_root_request
            update pki_root_request set state = $3, ended_at = $4, open_of = null
            where tenant = $1 and id = $2 and state = 'planned'"
        ),
        &values![tenant, id, state, now],
    )?;
    Ok(rows == 1)
}

/// Moves an authority from one state to another; false when it was in a third.
pub(crate) fn move_authority(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AuthorityId,
    from: AuthorityState,
    to: AuthorityState,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.move_authority
            update pki_authority set state = $4 where tenant = $1 and id = $2 and state = $3"
        ),
        &values![tenant, id, from.name(), to.name()],
    )?;
    Ok(rows == 1)
}

/// Lets an environment have another root than this one.
pub(crate) fn release_root(tx: &mut Tx<'_>, tenant: TenantId, id: AuthorityId) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.release_root
            update pki_authority set root_of = null where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
    )?;
    Ok(())
}

/// Whether an authority issues, as the transaction that plans sees it. Where two transactions pass each other the
/// certificate counts as planned before its authority was retired.
pub(crate) fn is_active(tx: &mut Tx<'_>, tenant: TenantId, id: AuthorityId) -> Result<bool> {
    let state: Option<String> = tx.optional(
        sql!(
            "-- pki.authority_state
            select state from pki_authority where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        |row| row.get(0),
    )?;
    Ok(state.as_deref() == Some(AuthorityState::Active.name()))
}

/// Whether an authority has a certificate of a service that has not ended.
pub(crate) fn has_living(rx: &mut Rx<'_>, tenant: TenantId, id: AuthorityId, now: Time) -> Result<bool> {
    let found: Option<Time> = rx.optional(
        sql!(
            "-- pki.has_living
            select not_after from pki_certificate
            where tenant = $1 and authority = $2 and not_after > $3 and profile <> 'ocsp-responder'
            limit 1"
        ),
        &values![tenant, id, now],
        |row| row.get(0),
    )?;
    Ok(found.is_some())
}
