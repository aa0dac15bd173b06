//! The SQL texts of searches in the inventory. Each follows one index and stops after a page, so that a page costs the
//! same in a house of ten certificates and of a million; the other conditions are looked at on the way.
//!
//! PostgreSQL plans some of these without knowing their values, and a bound on `not_after` then looks as if it led to few
//! certificates, even when it holds for all. `coalesce(not_after, not_after)` is the same value and no reason to follow
//! the index of ends.

use base::{Id, Result, Time};
use store::{Rx, Sql, sql, values};

use crate::model::{CertificateId, TenantId};

/// What a search is narrowed by. Empty texts do not filter; times are bounds that always hold otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) state: String,
    pub(crate) profile: String,
    pub(crate) owner: String,
    /// Ends then or later.
    pub(crate) from: Time,
    /// Ends before.
    pub(crate) until: Time,
}

/// From which text (with it) to which (without it).
pub(crate) type Bounds = (String, String);

/// Which index is followed, and so in which order certificates come.
#[derive(Debug, Clone)]
pub(crate) enum Along {
    /// Newest first.
    Time,
    /// Newest first.
    State,
    /// Newest first.
    Profile,
    /// Newest first.
    Owner,
    /// Those that end first.
    End,
    /// Those that end first, of one state.
    EndOfState,
    /// By name; of one name the newest first.
    Name(Bounds),
    /// By name from its end; of one name the newest first.
    Suffix(Bounds),
}

/// The ids of a page, after the certificate that was seen last.
pub(crate) fn page(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    along: &Along,
    filter: &Filter,
    last: Option<CertificateId>,
    limit: u32,
) -> Result<Vec<CertificateId>> {
    let before = last.unwrap_or(Id::LAST);
    match along {
        Along::Time => newest(rx, tenant, filter, before, limit),
        Along::State => newest_of_state(rx, tenant, filter, before, limit),
        Along::Profile => newest_of_profile(rx, tenant, filter, before, limit),
        Along::Owner => newest_of_owner(rx, tenant, filter, before, limit),
        Along::End | Along::EndOfState => {
            let (from, after) = match last {
                None => (filter.from, Id::NIL),
                Some(id) => (end_of(rx, tenant, id)?.unwrap_or(Time::LATEST), id),
            };
            let filter = Filter { from, ..filter.clone() };
            match along {
                Along::EndOfState => ending_of_state(rx, tenant, &filter, after, limit),
                _ => ending(rx, tenant, &filter, after, limit),
            }
        }
        Along::Name(bounds) => {
            let from = match last {
                None => bounds.0.clone(),
                Some(id) => name_of(rx, tenant, id, bounds)?.unwrap_or_else(|| bounds.1.clone()),
            };
            by_text(rx, forward(), tenant, filter, (&bounds.0, &from, &bounds.1), before, limit)
        }
        Along::Suffix(bounds) => {
            let from = match last {
                None => bounds.0.clone(),
                Some(id) => reversed_of(rx, tenant, id, bounds)?.unwrap_or_else(|| bounds.1.clone()),
            };
            by_text(rx, backward(), tenant, filter, (&bounds.0, &from, &bounds.1), before, limit)
        }
    }
}

fn newest(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    filter: &Filter,
    before: CertificateId,
    limit: u32,
) -> Result<Vec<CertificateId>> {
    rx.all(
        sql!(
            "-- pki.newest
            select id from pki_certificate
            where tenant = $1 and id < $2 and coalesce(not_after, not_after) >= $3
                and coalesce(not_after, not_after) < $4
            order by id desc
            limit $5"
        ),
        &values![tenant, before, filter.from, filter.until, i64::from(limit)],
        |row| row.get(0),
    )
}

fn newest_of_state(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    filter: &Filter,
    before: CertificateId,
    limit: u32,
) -> Result<Vec<CertificateId>> {
    rx.all(
        sql!(
            "-- pki.newest_of_state
            select id from pki_certificate
            where tenant = $1 and state = $2 and id < $3 and coalesce(not_after, not_after) >= $4
                and coalesce(not_after, not_after) < $5
            order by id desc
            limit $6"
        ),
        &values![tenant, filter.state.as_str(), before, filter.from, filter.until, i64::from(limit)],
        |row| row.get(0),
    )
}

fn newest_of_profile(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    filter: &Filter,
    before: CertificateId,
    limit: u32,
) -> Result<Vec<CertificateId>> {
    rx.all(
        sql!(
            "-- pki.newest_of_profile
            select id from pki_certificate
            where tenant = $1 and profile = $2 and id < $3 and coalesce(not_after, not_after) >= $4
                and coalesce(not_after, not_after) < $5
                and ($6 = '' or state = $6)
            order by id desc
            limit $7"
        ),
        &values![
            tenant,
            filter.profile.as_str(),
            before,
            filter.from,
            filter.until,
            filter.state.as_str(),
            i64::from(limit)
        ],
        |row| row.get(0),
    )
}

fn newest_of_owner(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    filter: &Filter,
    before: CertificateId,
    limit: u32,
) -> Result<Vec<CertificateId>> {
    rx.all(
        sql!(
            "-- pki.newest_of_owner
            select id from pki_certificate
            where tenant = $1 and owner = $2 and id < $3 and coalesce(not_after, not_after) >= $4
                and coalesce(not_after, not_after) < $5
                and ($6 = '' or state = $6) and ($7 = '' or profile = $7)
            order by id desc
            limit $8"
        ),
        &values![
            tenant,
            filter.owner.as_str(),
            before,
            filter.from,
            filter.until,
            filter.state.as_str(),
            filter.profile.as_str(),
            i64::from(limit)
        ],
        |row| row.get(0),
    )
}

/// `filter.from` is the end of the certificate `after`, or where the search begins.
fn ending(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    filter: &Filter,
    after: CertificateId,
    limit: u32,
) -> Result<Vec<CertificateId>> {
    rx.all(
        sql!(
            "-- pki.ending
            select id from pki_certificate
            where tenant = $1 and not_after >= $2 and not_after < $3 and (not_after > $2 or id > $4)
                and ($5 = '' or profile = $5)
            order by not_after, id
            limit $6"
        ),
        &values![tenant, filter.from, filter.until, after, filter.profile.as_str(), i64::from(limit)],
        |row| row.get(0),
    )
}

fn ending_of_state(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    filter: &Filter,
    after: CertificateId,
    limit: u32,
) -> Result<Vec<CertificateId>> {
    rx.all(
        sql!(
            "-- pki.ending_of_state
            select id from pki_certificate
            where tenant = $1 and state = $2 and not_after >= $3 and not_after < $4 and (not_after > $3 or id > $5)
                and ($6 = '' or profile = $6)
            order by not_after, id
            limit $7"
        ),
        &values![
            tenant,
            filter.state.as_str(),
            filter.from,
            filter.until,
            after,
            filter.profile.as_str(),
            i64::from(limit)
        ],
        |row| row.get(0),
    )
}

/// Follows the index of names from one of their ends. A certificate of several such names stands where the first of them
/// does. The bounds are where the search began, where this page begins, and where the search ends. With `|| ''` a planner
/// cannot follow the index of names to find that first name, and looks among the names of the certificate, of which
/// there are few.
fn by_text(
    rx: &mut Rx<'_>,
    statement: &'static Sql,
    tenant: TenantId,
    filter: &Filter,
    (begin, from, to): (&str, &str, &str),
    before: CertificateId,
    limit: u32,
) -> Result<Vec<CertificateId>> {
    rx.all(
        statement,
        &values![
            tenant,
            begin,
            from,
            to,
            before,
            filter.from,
            filter.until,
            filter.state.as_str(),
            filter.profile.as_str(),
            filter.owner.as_str(),
            i64::from(limit)
        ],
        |row| row.get(0),
    )
}

fn forward() -> &'static Sql {
    sql!(
        "-- pki.by_name
        select n.certificate from pki_name n
        join pki_certificate c on c.tenant = $1 and c.id = n.certificate
        where n.tenant = $1 and n.name >= $3 and n.name < $4 and (n.name > $3 or n.certificate < $5)
            and not exists (
                select 1 from pki_name m
                where m.tenant = $1 and m.certificate = n.certificate and m.name || '' >= $2
                    and (m.name < n.name or (m.name = n.name and m.position < n.position))
            )
            and coalesce(c.not_after, c.not_after) >= $6 and coalesce(c.not_after, c.not_after) < $7
            and ($8 = '' or c.state = $8) and ($9 = '' or c.profile = $9)
            and ($10 = '' or c.owner = $10)
        order by n.name, n.certificate desc
        limit $11"
    )
}

fn backward() -> &'static Sql {
    sql!(
        "-- pki.by_suffix
        select n.certificate from pki_name n
        join pki_certificate c on c.tenant = $1 and c.id = n.certificate
        where n.tenant = $1 and n.reversed >= $3 and n.reversed < $4 and (n.reversed > $3 or n.certificate < $5)
            and not exists (
                select 1 from pki_name m
                where m.tenant = $1 and m.certificate = n.certificate and m.reversed || '' >= $2
                    and (m.reversed < n.reversed or (m.reversed = n.reversed and m.position < n.position))
            )
            and coalesce(c.not_after, c.not_after) >= $6 and coalesce(c.not_after, c.not_after) < $7
            and ($8 = '' or c.state = $8) and ($9 = '' or c.profile = $9)
            and ($10 = '' or c.owner = $10)
        order by n.reversed, n.certificate desc
        limit $11"
    )
}

pub(crate) fn end_of(rx: &mut Rx<'_>, tenant: TenantId, id: CertificateId) -> Result<Option<Time>> {
    rx.optional(
        sql!(
            "-- pki.end_of
            select not_after from pki_certificate where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        |row| row.get(0),
    )
}

/// The first of a certificate's names between two bounds.
fn name_of(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    id: CertificateId,
    (from, to): &Bounds,
) -> Result<Option<String>> {
    rx.one(
        sql!(
            "-- pki.name_of
            select min(name) as name from pki_name
            where tenant = $1 and certificate = $2 and name >= $3 and name < $4"
        ),
        &values![tenant, id, from.as_str(), to.as_str()],
        |row| row.get(0),
    )
}

fn reversed_of(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    id: CertificateId,
    (from, to): &Bounds,
) -> Result<Option<String>> {
    rx.one(
        sql!(
            "-- pki.reversed_of
            select min(reversed) as reversed from pki_name
            where tenant = $1 and certificate = $2 and reversed >= $3 and reversed < $4"
        ),
        &values![tenant, id, from.as_str(), to.as_str()],
        |row| row.get(0),
    )
}
