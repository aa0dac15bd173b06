//! The SQL texts of certificates, their names and barred keys.

use base::{Result, Time};
use proof::x509::{Profile, Serial, crl::Reason};
use store::{Row, Rx, Tx, sql, values};

use super::{broken, serial};
use crate::model::{AuthorityId, Certificate, CertificateId, State, TenantId};

/// The names as they are stored, and the digest by which certificates of the same names are found.
fn names_of(certificate: &Certificate) -> Result<(String, [u8; 32])> {
    let names = serde_json::to_string(&certificate.names).map_err(|e| base::error::INTERNAL.because(e))?;
    let digest = proof::crypto::sha256(names.as_bytes());
    Ok((names, digest))
}

/// A certificate before it is signed, with the digest by which certificates of the same names are found.
pub(crate) fn insert_planned(tx: &mut Tx<'_>, certificate: &Certificate) -> Result<()> {
    let (names, digest) = names_of(certificate)?;
    tx.execute(
        sql!(
            "-- pki.insert_planned
            insert into pki_certificate (tenant, id, authority, serial, shard, profile, subject, names, names_sha256,
                spki_sha256, not_before, renew_at, not_after, state, tbs, owner, source, asked_by, planned_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'planned', $14, $15, $16, $17, $18)"
        ),
        &values![
            certificate.tenant,
            certificate.id,
            certificate.authority,
            certificate.serial.content(),
            i64::from(certificate.shard),
            certificate.profile.as_str(),
            certificate.subject.as_str(),
            names,
            digest,
            certificate.spki_sha256,
            certificate.not_before,
            certificate.renew_at,
            certificate.not_after,
            certificate.tbs.as_slice(),
            certificate.owner.as_str(),
            certificate.source.as_str(),
            certificate.asked_by.as_str(),
            certificate.planned_at
        ],
    )?;
    Ok(())
}

/// A name of a certificate, for searches from either end.
pub(crate) fn insert_name(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    certificate: CertificateId,
    position: usize,
    name: &str,
    reversed: &str,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.insert_name
            insert into pki_name (tenant, certificate, position, name, reversed) values ($1, $2, $3, $4, $5)"
        ),
        &values![tenant, certificate, i64::try_from(position).unwrap_or(i64::MAX), name, reversed],
    )?;
    Ok(())
}

/// Puts the signed certificate in; false when it was finished or given up meanwhile.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: CertificateId,
    der: &[u8],
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.finish
            update pki_certificate set state = 'issued', der = $3, issued_at = $4
            where tenant = $1 and id = $2 and state = 'planned'"
        ),
        &values![tenant, id, der, now],
    )?;
    Ok(rows == 1)
}

/// As [`finish`], of a certificate whose bytes were lost with a database; false when it was not planned.
pub(crate) fn finish_without_bytes(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: CertificateId,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.finish_without_bytes
            update pki_certificate set state = 'issued', issued_at = $3
            where tenant = $1 and id = $2 and state = 'planned'"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}

/// Gives a plan up: its number counts as revoked from now on.
pub(crate) fn abandon(tx: &mut Tx<'_>, tenant: TenantId, id: CertificateId, now: Time) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.abandon
            update pki_certificate set state = 'abandoned', revoked_at = $3, reason = 0
            where tenant = $1 and id = $2 and state = 'planned'"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}

pub(crate) fn revoke(tx: &mut Tx<'_>, certificate: &Certificate) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.revoke
            update pki_certificate set state = 'revoked', revoked_at = $3, reason = $4, invalid_since = $5
            where tenant = $1 and id = $2 and state = 'issued'"
        ),
        &values![
            certificate.tenant,
            certificate.id,
            certificate.revoked_at,
            certificate.reason.map(|reason| i64::from(reason.code())),
            certificate.invalid_since
        ],
    )?;
    Ok(rows == 1)
}

fn certificate_row(row: &Row<'_>) -> Result<Certificate> {
    let (profile, names, state): (String, String, String) = (row.get(5)?, row.get(7)?, row.get(12)?);
    let reason: Option<u8> = row.get(21)?;
    Ok(Certificate {
        tenant: row.get(0)?,
        id: row.get(1)?,
        authority: row.get(2)?,
        serial: serial(row, 3)?,
        shard: row.get(4)?,
        profile: Profile::from_name(&profile).ok_or_else(broken)?,
        subject: row.get(6)?,
        names: serde_json::from_str(&names).map_err(|e| base::error::INTERNAL.because(e))?,
        spki_sha256: row.get(8)?,
        not_before: row.get(9)?,
        renew_at: row.get(10)?,
        not_after: row.get(11)?,
        state: State::parse(&state).ok_or_else(broken)?,
        tbs: row.get(13)?,
        der: row.get(14)?,
        owner: row.get(15)?,
        source: row.get(16)?,
        asked_by: row.get(17)?,
        planned_at: row.get(18)?,
        issued_at: row.get(19)?,
        revoked_at: row.get(20)?,
        reason: reason.and_then(Reason::from_code),
        invalid_since: row.get(22)?,
    })
}

pub(crate) fn by_id(rx: &mut Rx<'_>, tenant: TenantId, id: CertificateId) -> Result<Option<Certificate>> {
    rx.optional(
        sql!(
            "-- pki.by_id
            select tenant, id, authority, serial, shard, profile, subject, names, spki_sha256, not_before, renew_at,
                not_after, state, tbs, der, owner, source, asked_by, planned_at, issued_at, revoked_at, reason,
                invalid_since
            from pki_certificate where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        certificate_row,
    )
}

/// The certificates of a number: of several authorities they could be several.
pub(crate) fn by_serial(rx: &mut Rx<'_>, tenant: TenantId, serial: &Serial) -> Result<Vec<Certificate>> {
    rx.all(
        sql!(
            "-- pki.by_serial
            select tenant, id, authority, serial, shard, profile, subject, names, spki_sha256, not_before, renew_at,
                not_after, state, tbs, der, owner, source, asked_by, planned_at, issued_at, revoked_at, reason,
                invalid_since
            from pki_certificate
            where tenant = $1 and serial = $2
                and authority in (select id from pki_authority where tenant = $1)"
        ),
        &values![tenant, serial.content()],
        certificate_row,
    )
}

/// Certificates of services that hold a key and are in a state; those that end first come first.
pub(crate) fn with_key(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    spki_sha256: &[u8; 32],
    state: State,
    limit: u32,
) -> Result<Vec<Certificate>> {
    rx.all(
        sql!(
            "-- pki.with_key
            select tenant, id, authority, serial, shard, profile, subject, names, spki_sha256, not_before, renew_at,
                not_after, state, tbs, der, owner, source, asked_by, planned_at, issued_at, revoked_at, reason,
                invalid_since
            from pki_certificate
            where tenant = $1 and spki_sha256 = $2 and state = $3 and profile not in ('root', 'issuing')
            order by not_after, id
            limit $4"
        ),
        &values![tenant, spki_sha256, state.name(), i64::from(limit)],
        certificate_row,
    )
}

/// The certificates in force that hold a key.
pub(crate) fn issued_with_key(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    spki_sha256: &[u8; 32],
) -> Result<Vec<Certificate>> {
    rx.all(
        sql!(
            "-- pki.issued_with_key
            select tenant, id, authority, serial, shard, profile, subject, names, spki_sha256, not_before, renew_at,
                not_after, state, tbs, der, owner, source, asked_by, planned_at, issued_at, revoked_at, reason,
                invalid_since
            from pki_certificate where tenant = $1 and spki_sha256 = $2 and state = 'issued'"
        ),
        &values![tenant, spki_sha256],
        certificate_row,
    )
}

/// Certificates of services in force that an authority signed, oldest first.
pub(crate) fn issued_by(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    limit: u32,
) -> Result<Vec<Certificate>> {
    rx.all(
        sql!(
            "-- pki.issued_by
            select tenant, id, authority, serial, shard, profile, subject, names, spki_sha256, not_before, renew_at,
                not_after, state, tbs, der, owner, source, asked_by, planned_at, issued_at, revoked_at, reason,
                invalid_since
            from pki_certificate
            where tenant = $1 and authority = $2 and state = 'issued'
                and profile not in ('root', 'issuing', 'ocsp-responder')
            order by id
            limit $3"
        ),
        &values![tenant, authority, i64::from(limit)],
        certificate_row,
    )
}

/// How many certificates of services in force an authority signed.
pub(crate) fn count_issued_by(rx: &mut Rx<'_>, tenant: TenantId, authority: AuthorityId) -> Result<u64> {
    let count: i64 = rx.one(
        sql!(
            "-- pki.count_issued_by
            select count(*) as issued from pki_certificate
            where tenant = $1 and authority = $2 and state = 'issued'
                and profile not in ('root', 'issuing', 'ocsp-responder')"
        ),
        &values![tenant, authority],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Plans of services that were made before `before` and never finished. Those of authorities belong to a ceremony.
pub(crate) fn stale_plans(rx: &mut Rx<'_>, before: Time, limit: u32) -> Result<Vec<Certificate>> {
    rx.all(
        sql!(
            "-- pki.stale_plans
            select tenant, id, authority, serial, shard, profile, subject, names, spki_sha256, not_before, renew_at,
                not_after, state, tbs, der, owner, source, asked_by, planned_at, issued_at, revoked_at, reason,
                invalid_since
            from pki_certificate
            where state = 'planned' and planned_at <= $1 and profile not in ('root', 'issuing')
            order by planned_at
            limit $2"
        ),
        &values![before, i64::from(limit)],
        certificate_row,
    )
}

/// Certificates in force whose last third began and that no later one of the same names and profile follows, those that
/// end first; `after` is the last one of the page before, with its end.
pub(crate) fn overdue(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    now: Time,
    (end, after): (Time, CertificateId),
    limit: u32,
) -> Result<Vec<Certificate>> {
    rx.all(
        sql!(
            "-- pki.overdue
            select tenant, id, authority, serial, shard, profile, subject, names, spki_sha256, not_before, renew_at,
                not_after, state, tbs, der, owner, source, asked_by, planned_at, issued_at, revoked_at, reason,
                invalid_since
            from pki_certificate c
            where tenant = $1 and state = 'issued' and renew_at <= $2 and not_after > $2
                and not_after >= $3 and (not_after > $3 or id > $4)
                and profile not in ('root', 'issuing', 'ocsp-responder')
                and not exists (
                    select 1 from pki_certificate r
                    where r.tenant = $1 and r.names_sha256 = c.names_sha256 and r.profile = c.profile
                        and r.state = 'issued' and r.not_after > c.not_after
                )
            order by not_after, id
            limit $5"
        ),
        &values![tenant, now, end, after, i64::from(limit)],
        certificate_row,
    )
}

/// A tenant's certificates in force that end next: profile, subject, end.
pub(crate) fn next_to_end(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    now: Time,
    limit: u32,
) -> Result<Vec<(String, String, Time)>> {
    rx.all(
        sql!(
            "-- pki.next_to_end
            select profile, subject, not_after from pki_certificate
            where tenant = $1 and state = 'issued' and not_after > $2
            order by not_after
            limit $3"
        ),
        &values![tenant, now, i64::from(limit)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// What an answer about a number depends on: state, since when, why.
pub(crate) type Standing = (State, Option<Time>, Option<Reason>);

pub(crate) fn standing(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    serial: &Serial,
) -> Result<Option<Standing>> {
    rx.optional(
        sql!(
            "-- pki.standing
            select state, revoked_at, reason from pki_certificate
            where tenant = $1 and authority = $2 and serial = $3"
        ),
        &values![tenant, authority, serial.content()],
        |row| {
            let (state, reason): (String, Option<u8>) = (row.get(0)?, row.get(2)?);
            let state = State::parse(&state).ok_or_else(broken)?;
            Ok((state, row.get(1)?, reason.and_then(Reason::from_code)))
        },
    )
}

// ---- barred keys

/// Bars a key for ever; barred twice is barred once.
pub(crate) fn bar(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    spki_sha256: &[u8; 32],
    cause: &str,
    now: Time,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.bar
            insert into pki_barred (tenant, spki_sha256, cause, since) values ($1, $2, $3, $4)
            on conflict (tenant, spki_sha256) do nothing"
        ),
        &values![tenant, spki_sha256, cause, now],
    )?;
    Ok(())
}

pub(crate) fn is_barred(rx: &mut Rx<'_>, tenant: TenantId, spki_sha256: &[u8; 32]) -> Result<bool> {
    let found = rx.optional(
        sql!(
            "-- pki.is_barred
            select cause from pki_barred where tenant = $1 and spki_sha256 = $2"
        ),
        &values![tenant, spki_sha256],
        |row| row.get::<String>(0),
    )?;
    Ok(found.is_some())
}

/// Whether the key is in force in a certificate of other names that somebody else asked for, and in none of these names:
/// a renewal is for everybody who may have the names. One whose bytes were lost with a database does not count: nobody knows
/// its names any more.
pub(crate) fn is_anothers_key(rx: &mut Rx<'_>, certificate: &Certificate, now: Time) -> Result<bool> {
    let (_, digest) = names_of(certificate)?;
    let found = rx.optional(
        sql!(
            "-- pki.is_anothers_key
            select owner from pki_certificate
            where tenant = $1 and spki_sha256 = $2 and state = 'issued' and not_after > $3
                and der is not null and asked_by <> $4 and names_sha256 <> $5
                and not exists (select 1 from pki_certificate r
                    where r.tenant = $1 and r.spki_sha256 = $2 and r.state = 'issued' and r.not_after > $3
                        and r.names_sha256 = $5)
            limit 1"
        ),
        &values![certificate.tenant, certificate.spki_sha256, now, certificate.asked_by.as_str(), digest],
        |row| row.get::<String>(0),
    )?;
    Ok(found.is_some())
}

/// When the newest certificate in force was planned.
pub(crate) fn newest_in_force(rx: &mut Rx<'_>, tenant: TenantId) -> Result<Option<Time>> {
    rx.optional(
        sql!(
            "-- pki.newest_in_force
            select planned_at from pki_certificate
            where tenant = $1 and state = 'issued' order by id desc limit 1"
        ),
        &values![tenant],
        |row| row.get::<Time>(0),
    )
}
