//! The SQL texts of the overview: how many certificates stand where, and which lists were signed.

use base::{Result, Time};
use store::{Rx, sql, values};

use crate::model::{AuthorityId, TenantId};

/// How the certificates that one authority gave to services stand. Those of authorities and responders are not among
/// them: the house looks after these itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountsRow {
    pub(crate) authority: AuthorityId,
    pub(crate) issued: i64,
    pub(crate) in_force: i64,
    pub(crate) revoked: i64,
    /// In force and ending before each of the moments that were asked for.
    pub(crate) ending: [i64; 4],
}

pub(crate) fn counts(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    now: Time,
    before: [Time; 4],
) -> Result<Vec<CountsRow>> {
    let [first, second, third, fourth] = before;
    rx.all(
        sql!(
            "-- pki.counts
            select authority, count(case when state in ('issued', 'revoked') then 1 end) as issued,
                count(case when state = 'issued' and not_after > $2 then 1 end) as in_force,
                count(case when state = 'revoked' then 1 end) as revoked,
                count(case when state = 'issued' and not_after > $2 and not_after <= $3 then 1 end) as first,
                count(case when state = 'issued' and not_after > $2 and not_after <= $4 then 1 end) as second,
                count(case when state = 'issued' and not_after > $2 and not_after <= $5 then 1 end) as third,
                count(case when state = 'issued' and not_after > $2 and not_after <= $6 then 1 end) as fourth
            from pki_certificate
            where tenant = $1 and profile not in ('root', 'issuing', 'ocsp-responder')
            group by authority
            order by authority"
        ),
        &values![tenant, now, first, second, third, fourth],
        |row| {
            Ok(CountsRow {
                authority: row.get(0)?,
                issued: row.get(1)?,
                in_force: row.get(2)?,
                revoked: row.get(3)?,
                ending: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?],
            })
        },
    )
}

/// Certificates in force of one authority and profile that are past two thirds of their life and followed by none.
#[derive(Debug, Clone)]
pub(crate) struct OverdueRow {
    pub(crate) authority: AuthorityId,
    pub(crate) profile: String,
    pub(crate) overdue: i64,
    /// Those of them that end before each of the moments that were asked for.
    pub(crate) ending: [i64; 4],
}

pub(crate) fn count_overdue(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    now: Time,
    before: [Time; 4],
) -> Result<Vec<OverdueRow>> {
    let [first, second, third, fourth] = before;
    rx.all(
        sql!(
            "-- pki.count_overdue
            select authority, profile, count(*) as overdue,
                count(case when not_after <= $3 then 1 end) as first,
                count(case when not_after <= $4 then 1 end) as second,
                count(case when not_after <= $5 then 1 end) as third,
                count(case when not_after <= $6 then 1 end) as fourth
            from pki_certificate c
            where tenant = $1 and state = 'issued' and not_after > $2 and renew_at <= $2
                and profile not in ('root', 'issuing', 'ocsp-responder')
                and not exists (
                    select 1 from pki_certificate r
                    where r.tenant = $1 and r.names_sha256 = c.names_sha256 and r.profile = c.profile
                        and r.state = 'issued' and r.not_after > c.not_after
                )
            group by authority, profile
            order by authority, profile"
        ),
        &values![tenant, now, first, second, third, fourth],
        |row| {
            Ok(OverdueRow {
                authority: row.get(0)?,
                profile: row.get(1)?,
                overdue: row.get(2)?,
                ending: [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?],
            })
        },
    )
}

/// How many plans of all tenants were given up since a moment.
pub(crate) fn abandoned_since(rx: &mut Rx<'_>, since: Time) -> Result<i64> {
    rx.one(
        sql!(
            "-- pki.abandoned_since
            select count(*) as abandoned from pki_certificate where state = 'abandoned' and planned_at >= $1"
        ),
        &values![since],
        |row| row.get(0),
    )
}

/// A list as it was signed last; never signed when it has no time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedRow {
    pub(crate) authority: AuthorityId,
    pub(crate) shard: u16,
    pub(crate) number: i64,
    pub(crate) this_update: Option<Time>,
    pub(crate) next_update: Option<Time>,
}

pub(crate) fn signed_lists(rx: &mut Rx<'_>, tenant: TenantId) -> Result<Vec<SignedRow>> {
    rx.all(
        sql!(
            "-- pki.signed_lists
            select authority, shard, signed_number, this_update, next_update from pki_crl
            where tenant = $1
            order by authority, shard"
        ),
        &values![tenant],
        |row| {
            Ok(SignedRow {
                authority: row.get(0)?,
                shard: row.get(1)?,
                number: row.get(2)?,
                this_update: row.get(3)?,
                next_update: row.get(4)?,
            })
        },
    )
}
