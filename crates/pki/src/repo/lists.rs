//! The SQL texts of revocation lists.

use base::{Result, Time};
use proof::x509::{Serial, crl::Reason};
use store::{Rx, Tx, sql, values};

use super::serial;
use crate::model::{AuthorityId, TenantId};

/// A revocation list as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct ListRow {
    pub(crate) version: i64,
    pub(crate) signed_version: i64,
    pub(crate) number: i64,
    pub(crate) der: Option<Vec<u8>>,
    pub(crate) this_update: Option<Time>,
    pub(crate) next_update: Option<Time>,
}

pub(crate) fn insert_list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    shard: u16,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.insert_list
            insert into pki_crl (tenant, authority, shard, version, number, signed_version, signed_number)
            values ($1, $2, $3, 0, 0, -1, 0)"
        ),
        &values![tenant, authority, i64::from(shard)],
    )?;
    Ok(())
}

pub(crate) fn list(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    shard: u16,
) -> Result<Option<ListRow>> {
    rx.optional(
        sql!(
            "-- pki.list
            select version, signed_version, signed_number, der, this_update, next_update
            from pki_crl where tenant = $1 and authority = $2 and shard = $3"
        ),
        &values![tenant, authority, i64::from(shard)],
        |row| {
            Ok(ListRow {
                version: row.get(0)?,
                signed_version: row.get(1)?,
                number: row.get(2)?,
                der: row.get(3)?,
                this_update: row.get(4)?,
                next_update: row.get(5)?,
            })
        },
    )
}

/// Says that the list of this shard changed.
pub(crate) fn touch_list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    shard: u16,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.touch_list
            update pki_crl set version = version + 1 where tenant = $1 and authority = $2 and shard = $3"
        ),
        &values![tenant, authority, i64::from(shard)],
    )?;
    Ok(())
}

/// Takes the next number of a list; no number is given twice.
pub(crate) fn take_number(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    shard: u16,
) -> Result<i64> {
    tx.one(
        sql!(
            "-- pki.take_number
            update pki_crl set number = number + 1 where tenant = $1 and authority = $2 and shard = $3
            returning number"
        ),
        &values![tenant, authority, i64::from(shard)],
        |row| row.get(0),
    )
}

/// Saves a signed list, unless one with a higher number is there.
pub(crate) fn save_list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    shard: u16,
    signed: &ListRow,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.save_list
            update pki_crl
            set signed_version = $4, signed_number = $5, der = $6, this_update = $7, next_update = $8
            where tenant = $1 and authority = $2 and shard = $3 and signed_number < $5"
        ),
        &values![
            tenant,
            authority,
            i64::from(shard),
            signed.version,
            signed.number,
            &signed.der,
            signed.this_update,
            signed.next_update
        ],
    )?;
    Ok(())
}

/// The revoked numbers of a shard that had not ended before `ended_after`.
pub(crate) fn revoked(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    shard: u16,
    ended_after: Time,
    mut each: impl FnMut(Serial, Time, Reason, Option<Time>) -> Result<()>,
) -> Result<()> {
    rx.each(
        sql!(
            "-- pki.revoked
            select serial, revoked_at, reason, invalid_since from pki_certificate
            where tenant = $1 and authority = $2 and shard = $3 and revoked_at is not null and not_after >= $4
            order by revoked_at, serial"
        ),
        &values![tenant, authority, i64::from(shard), ended_after],
        |row| {
            let reason: Option<u8> = row.get(2)?;
            let reason = reason.and_then(Reason::from_code).unwrap_or(Reason::Unspecified);
            each(serial(row, 0)?, row.get(1)?, reason, row.get(3)?)
        },
    )
}

/// Of an authority's signed lists: when the oldest was signed and when the first runs out.
pub(crate) fn list_times(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
) -> Result<(Option<Time>, Option<Time>)> {
    rx.one(
        sql!(
            "-- pki.list_times
            select min(this_update) as this_update, min(next_update) as next_update
            from pki_crl where tenant = $1 and authority = $2"
        ),
        &values![tenant, authority],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The shards of an authority whose list was signed once and no later than `before`.
pub(crate) fn old_lists(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    before: Time,
) -> Result<Vec<u16>> {
    rx.all(
        sql!(
            "-- pki.old_lists
            select shard from pki_crl where tenant = $1 and authority = $2 and this_update <= $3
            order by shard"
        ),
        &values![tenant, authority, before],
        |row| row.get(0),
    )
}

/// Lets the numbers of all lists jump, and every list be signed anew: what was signed after a backup had numbers that the
/// backup does not know.
pub(crate) fn jump_numbers(tx: &mut Tx<'_>, step: i64) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.jump_numbers
            update pki_crl set number = number + $1, version = version + 1"
        ),
        &values![step],
    )?;
    Ok(())
}
