//! Every SQL text of credentials, lists and rows.

use base::{
    Id, Result, Time,
    id::kind::{self, Job, Person, StatusList},
};
use store::{Row, Rx, Tx, sql, values};

use crate::model::{Credential, List, State};

type TenantId = Id<kind::Tenant>;
type CredentialId = Id<kind::Credential>;

// ---- lists

pub(crate) fn insert_list(tx: &mut Tx<'_>, list: &List, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.insert_list
            insert into credential_list (tenant, id, handle, size, used, seed_sealed, version, signed_version,
                created_at)
            values ($1, $2, $3, $4, $5, $6, 0, -1, $7)"
        ),
        &values![
            list.tenant,
            list.id,
            list.handle.as_str(),
            i64::from(list.size),
            i64::from(list.used),
            list.seed_sealed.as_slice(),
            now
        ],
    )?;
    Ok(())
}

fn list_row(row: &Row<'_>) -> Result<List> {
    Ok(List {
        tenant: row.get(0)?,
        id: row.get(1)?,
        handle: row.get(2)?,
        size: row.get(3)?,
        used: row.get(4)?,
        seed_sealed: row.get(5)?,
        version: row.get(6)?,
        signed: row.get(7)?,
        signed_version: row.get(8)?,
        signed_at: row.get(9)?,
    })
}

/// The newest list with a free place.
pub(crate) fn open_list(rx: &mut Rx<'_>, tenant: TenantId) -> Result<Option<List>> {
    rx.optional(
        sql!(
            "-- credential.open_list
            select tenant, id, handle, size, used, seed_sealed, version, signed, signed_version, signed_at
            from credential_list where tenant = $1 and used < size
            order by id desc
            limit 1"
        ),
        &values![tenant],
        list_row,
    )
}

pub(crate) fn list_by_handle(rx: &mut Rx<'_>, handle: &str) -> Result<Option<List>> {
    rx.optional(
        sql!(
            "-- credential.list_by_handle
            select tenant, id, handle, size, used, seed_sealed, version, signed, signed_version, signed_at
            from credential_list where handle = $1"
        ),
        &values![handle],
        list_row,
    )
}

/// Takes `count` places at the end of what is used; the first of them, or nothing when others were faster.
pub(crate) fn take_places(tx: &mut Tx<'_>, list: &List, count: u32) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- credential.take_places
            update credential_list set used = used + $4
            where tenant = $1 and id = $2 and used = $3 and used + $4 <= size"
        ),
        &values![list.tenant, list.id, i64::from(list.used), i64::from(count)],
    )?;
    Ok(rows == 1)
}

/// Says that a status in this list changed.
pub(crate) fn touch_list(tx: &mut Tx<'_>, tenant: TenantId, list: Id<StatusList>) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.touch_list
            update credential_list set version = version + 1 where tenant = $1 and id = $2"
        ),
        &values![tenant, list],
    )?;
    Ok(())
}

/// Saves a signed list, unless a newer one is there.
pub(crate) fn save_signed(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    list: Id<StatusList>,
    version: i64,
    signed: &[u8],
    now: Time,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.save_signed
            update credential_list set signed = $4, signed_version = $3, signed_at = $5
            where tenant = $1 and id = $2 and signed_version <= $3"
        ),
        &values![tenant, list, version, signed, now],
    )?;
    Ok(())
}

/// The places whose bit is set.
pub(crate) fn set_places(rx: &mut Rx<'_>, tenant: TenantId, list: Id<StatusList>) -> Result<Vec<u32>> {
    let mut places = Vec::new();
    rx.each(
        sql!(
            "-- credential.set_places
            select idx from credential_credential
            where tenant = $1 and list = $2 and state in ('revoked', 'suspended')"
        ),
        &values![tenant, list],
        |row| {
            places.push(row.get(0)?);
            Ok(())
        },
    )?;
    Ok(places)
}

// ---- credentials

pub(crate) fn insert_planned(tx: &mut Tx<'_>, credential: &Credential, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.insert_planned
            insert into credential_credential (tenant, id, person, template, template_digest, state, list, idx, key,
                handle, recipient_handle, plan_sealed, job, line, planned_at)
            values ($1, $2, $3, $4, $5, 'planned', $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        ),
        &values![
            credential.tenant,
            credential.id,
            credential.person,
            credential.template.as_str(),
            credential.template_digest.as_slice(),
            credential.list,
            i64::from(credential.index),
            credential.key,
            credential.handle.as_str(),
            credential.recipient_handle.as_str(),
            credential.plan_sealed.clone(),
            credential.job.map(|(job, _)| job),
            credential.job.map(|(_, line)| i64::from(line)),
            now
        ],
    )?;
    Ok(())
}

/// Puts the signature's result in; false when it was finished or given up meanwhile.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: CredentialId,
    body_sealed: &[u8],
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- credential.finish
            update credential_credential
            set state = 'issued', body_sealed = $3, plan_sealed = null, issued_at = $4
            where tenant = $1 and id = $2 and state = 'planned'"
        ),
        &values![tenant, id, body_sealed, now],
    )?;
    Ok(rows == 1)
}

pub(crate) fn abandon(tx: &mut Tx<'_>, tenant: TenantId, id: CredentialId, now: Time) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- credential.abandon
            update credential_credential set state = 'abandoned', plan_sealed = null, status_at = $3
            where tenant = $1 and id = $2 and state = 'planned'"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}

fn credential_row(row: &Row<'_>) -> Result<Credential> {
    let state: String = row.get(5)?;
    let job: Option<Id<Job>> = row.get(14)?;
    let line: Option<u32> = row.get(15)?;
    Ok(Credential {
        tenant: row.get(0)?,
        id: row.get(1)?,
        person: row.get(2)?,
        template: row.get(3)?,
        template_digest: row.get(4)?,
        state: State::parse(&state).ok_or_else(|| base::error::INTERNAL.error())?,
        list: row.get(6)?,
        index: row.get(7)?,
        key: row.get(8)?,
        handle: row.get(9)?,
        recipient_handle: row.get(10)?,
        plan_sealed: row.get(11)?,
        body_sealed: row.get(12)?,
        reason_sealed: row.get(13)?,
        job: job.zip(line),
        issued_at: row.get(16)?,
        status_at: row.get(17)?,
        erased_at: row.get(18)?,
    })
}

pub(crate) fn by_id(rx: &mut Rx<'_>, tenant: TenantId, id: CredentialId) -> Result<Option<Credential>> {
    rx.optional(
        sql!(
            "-- credential.by_id
            select tenant, id, person, template, template_digest, state, list, idx, key, handle, recipient_handle,
                plan_sealed, body_sealed, reason_sealed, job, line, issued_at, status_at, erased_at
            from credential_credential where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        credential_row,
    )
}

pub(crate) fn by_handle(rx: &mut Rx<'_>, handle: &str) -> Result<Option<Credential>> {
    rx.optional(
        sql!(
            "-- credential.by_handle
            select tenant, id, person, template, template_digest, state, list, idx, key, handle, recipient_handle,
                plan_sealed, body_sealed, reason_sealed, job, line, issued_at, status_at, erased_at
            from credential_credential where handle = $1"
        ),
        &values![handle],
        credential_row,
    )
}

pub(crate) fn by_recipient_handle(rx: &mut Rx<'_>, handle: &str) -> Result<Option<Credential>> {
    rx.optional(
        sql!(
            "-- credential.by_recipient_handle
            select tenant, id, person, template, template_digest, state, list, idx, key, handle, recipient_handle,
                plan_sealed, body_sealed, reason_sealed, job, line, issued_at, status_at, erased_at
            from credential_credential where recipient_handle = $1"
        ),
        &values![handle],
        credential_row,
    )
}

/// What a public page depends on, without opening anything: state, the list's version, status time, erasure.
pub(crate) type Standing = (String, i64, Option<Time>, Option<Time>);

pub(crate) fn standing(rx: &mut Rx<'_>, handle: &str) -> Result<Option<Standing>> {
    rx.optional(
        sql!(
            "-- credential.standing
            select c.state, l.version, c.status_at, c.erased_at
            from credential_credential c join credential_list l on l.tenant = c.tenant and l.id = c.list
            where c.handle = $1"
        ),
        &values![handle],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )
}

/// A page of a tenant's credentials, newest first; an empty state or no person do not filter.
pub(crate) fn page(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    state: &str,
    person: Option<Id<Person>>,
    before: CredentialId,
    limit: u32,
) -> Result<Vec<Credential>> {
    rx.all(
        sql!(
            "-- credential.page
            select tenant, id, person, template, template_digest, state, list, idx, key, handle, recipient_handle,
                plan_sealed, body_sealed, reason_sealed, job, line, issued_at, status_at, erased_at
            from credential_credential
            where tenant = $1 and id < $2 and state in ('issued', 'suspended', 'revoked')
                and ($3 = '' or state = $3)
                and person = coalesce($4, person)
            order by id desc
            limit $5"
        ),
        &values![tenant, before, state, person, i64::from(limit)],
        credential_row,
    )
}

/// Credentials that were planned before `before` and never finished.
pub(crate) fn stale_plans(rx: &mut Rx<'_>, before: Time, limit: u32) -> Result<Vec<Credential>> {
    rx.all(
        sql!(
            "-- credential.stale_plans
            select tenant, id, person, template, template_digest, state, list, idx, key, handle, recipient_handle,
                plan_sealed, body_sealed, reason_sealed, job, line, issued_at, status_at, erased_at
            from credential_credential
            where state = 'planned' and planned_at <= $1
            order by planned_at
            limit $2"
        ),
        &values![before, i64::from(limit)],
        credential_row,
    )
}

pub(crate) fn change_state(
    tx: &mut Tx<'_>,
    credential: &Credential,
    to: State,
    reason_sealed: Option<&[u8]>,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- credential.change_state
            update credential_credential set state = $4, reason_sealed = $5, status_at = $6
            where tenant = $1 and id = $2 and state = $3"
        ),
        &values![
            credential.tenant,
            credential.id,
            credential.state.name(),
            to.name(),
            reason_sealed.map(<[u8]>::to_vec),
            now
        ],
    )?;
    Ok(rows == 1)
}

/// Wipes everything sealed of a person's credentials and rows.
pub(crate) fn wipe_person(tx: &mut Tx<'_>, tenant: TenantId, person: Id<Person>, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.wipe_person
            update credential_credential
            set plan_sealed = null, body_sealed = null, reason_sealed = null, erased_at = $3
            where tenant = $1 and person = $2"
        ),
        &values![tenant, person, now],
    )?;
    tx.execute(
        sql!(
            "-- credential.wipe_rows
            update credential_row set row_sealed = null, error_sealed = null where tenant = $1 and person = $2"
        ),
        &values![tenant, person],
    )?;
    Ok(())
}

/// How many credentials a person has.
pub(crate) fn count_of_person(rx: &mut Rx<'_>, tenant: TenantId, person: Id<Person>) -> Result<u64> {
    rx.one(
        sql!(
            "-- credential.count_of_person
            select count(*) as credentials from credential_credential where tenant = $1 and person = $2 and state <> 'abandoned'"
        ),
        &values![tenant, person],
        |row| row.get(0),
    )
}

// ---- rows of a table

/// A row of a table that was handed in.
pub(crate) struct TableRow {
    pub(crate) line: u32,
    pub(crate) person: Id<Person>,
    pub(crate) row_sealed: Option<Vec<u8>>,
    pub(crate) outcome: String,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) error_code: Option<String>,
    pub(crate) error_field: Option<String>,
    pub(crate) error_sealed: Option<Vec<u8>>,
}

pub(crate) fn insert_row(tx: &mut Tx<'_>, tenant: TenantId, job: Id<Job>, row: &TableRow) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.insert_row
            insert into credential_row (tenant, job, line, person, row_sealed, outcome, error_code, error_field,
                error_sealed)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (tenant, job, line) do nothing"
        ),
        &values![
            tenant,
            job,
            i64::from(row.line),
            row.person,
            row.row_sealed.clone(),
            row.outcome.as_str(),
            row.error_code.clone(),
            row.error_field.clone(),
            row.error_sealed.clone()
        ],
    )?;
    Ok(())
}

pub(crate) fn rows(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    job: Id<Job>,
    outcome: &str,
    after_line: u32,
    limit: u32,
) -> Result<Vec<TableRow>> {
    rx.all(
        sql!(
            "-- credential.rows
            select line, person, row_sealed, outcome, credential, error_code, error_field, error_sealed
            from credential_row
            where tenant = $1 and job = $2 and line > $3 and ($4 = '' or outcome = $4)
            order by line
            limit $5"
        ),
        &values![tenant, job, i64::from(after_line), outcome, i64::from(limit)],
        |row| {
            Ok(TableRow {
                line: row.get(0)?,
                person: row.get(1)?,
                row_sealed: row.get(2)?,
                outcome: row.get(3)?,
                credential: row.get(4)?,
                error_code: row.get(5)?,
                error_field: row.get(6)?,
                error_sealed: row.get(7)?,
            })
        },
    )
}

/// Says how a row ended; a row that ended before stays as it is.
pub(crate) fn end_row(tx: &mut Tx<'_>, tenant: TenantId, job: Id<Job>, row: &TableRow) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.end_row
            update credential_row
            set outcome = $4, credential = $5, error_code = $6, error_field = $7, error_sealed = $8
            where tenant = $1 and job = $2 and line = $3 and outcome = 'waiting'"
        ),
        &values![
            tenant,
            job,
            i64::from(row.line),
            row.outcome.as_str(),
            row.credential,
            row.error_code.clone(),
            row.error_field.clone(),
            row.error_sealed.clone()
        ],
    )?;
    Ok(())
}

/// How many rows of a table ended, and how many of them failed.
pub(crate) fn row_counts(rx: &mut Rx<'_>, tenant: TenantId, job: Id<Job>) -> Result<(i64, i64)> {
    rx.one(
        sql!(
            "-- credential.row_counts
            select cast(coalesce(sum(case when outcome <> 'waiting' then 1 else 0 end), 0) as bigint) as ended,
                cast(coalesce(sum(case when outcome = 'failed' then 1 else 0 end), 0) as bigint) as failed
            from credential_row where tenant = $1 and job = $2"
        ),
        &values![tenant, job],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The ids of a job's rows that were planned under their line, so that a resumed job plans none twice.
pub(crate) fn by_job_line(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    job: Id<Job>,
    line: u32,
) -> Result<Option<(CredentialId, String)>> {
    rx.optional(
        sql!(
            "-- credential.by_job_line
            select id, state from credential_credential where tenant = $1 and job = $2 and line = $3"
        ),
        &values![tenant, job, i64::from(line)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

// ---- batches

pub(crate) fn insert_batch(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    job: Id<Job>,
    template: &str,
    columns: &str,
    now: Time,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.insert_batch
            insert into credential_batch (tenant, job, template, columns, state, received_at)
            values ($1, $2, $3, $4, 'receiving', $5)"
        ),
        &values![tenant, job, template, columns, now],
    )?;
    Ok(())
}

/// Says that all rows of a batch are stored.
pub(crate) fn complete_batch(tx: &mut Tx<'_>, tenant: TenantId, job: Id<Job>) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.complete_batch
            update credential_batch set state = 'complete' where tenant = $1 and job = $2"
        ),
        &values![tenant, job],
    )?;
    Ok(())
}

/// A batch's template and column names.
pub(crate) fn batch(rx: &mut Rx<'_>, tenant: TenantId, job: Id<Job>) -> Result<Option<(String, String)>> {
    rx.optional(
        sql!(
            "-- credential.batch
            select template, columns from credential_batch where tenant = $1 and job = $2"
        ),
        &values![tenant, job],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Batches whose upload never came to its end.
pub(crate) fn broken_batches(rx: &mut Rx<'_>, before: Time) -> Result<Vec<(TenantId, Id<Job>)>> {
    rx.all(
        sql!(
            "-- credential.broken_batches
            select tenant, job from credential_batch where state = 'receiving' and received_at < $1 limit 100"
        ),
        &values![before],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(crate) fn delete_batch(tx: &mut Tx<'_>, tenant: TenantId, job: Id<Job>) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.delete_rows
            delete from credential_row where tenant = $1 and job = $2"
        ),
        &values![tenant, job],
    )?;
    tx.execute(
        sql!(
            "-- credential.delete_batch
            delete from credential_batch where tenant = $1 and job = $2"
        ),
        &values![tenant, job],
    )?;
    Ok(())
}

// ---- for tests that stand where a crash would leave a house

#[cfg(debug_assertions)]
pub(crate) fn by_id_anywhere(rx: &mut Rx<'_>, id: CredentialId) -> Result<Option<Credential>> {
    rx.optional(
        sql!(
            "-- credential.by_id_anywhere
            select tenant, id, person, template, template_digest, state, list, idx, key, handle, recipient_handle,
                plan_sealed, body_sealed, reason_sealed, job, line, issued_at, status_at, erased_at
            from credential_credential where id = $1"
        ),
        &values![id],
        credential_row,
    )
}

#[cfg(debug_assertions)]
pub(crate) fn unfinish(tx: &mut Tx<'_>, credential: &Credential, plan: &[u8]) -> Result<()> {
    tx.execute(
        sql!(
            "-- credential.unfinish
            update credential_credential
            set state = 'planned', body_sealed = null, issued_at = null, plan_sealed = $3
            where tenant = $1 and id = $2"
        ),
        &values![credential.tenant, credential.id, plan],
    )
    .map(drop)
}
