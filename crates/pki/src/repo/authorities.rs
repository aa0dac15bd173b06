//! The SQL texts of authorities, their responders and their ceremonies.

use base::{
    Id, Result, Time,
    id::kind::{Ceremony, SigningKey},
};
use store::{Row, Rx, Tx, sql, values};

use super::broken;
use crate::model::{Authority, AuthorityId, AuthorityKind, AuthorityState, CertificateId, TenantId};

/// Adds an authority; false when the environment has a root already.
pub(crate) fn insert_authority(tx: &mut Tx<'_>, authority: &Authority) -> Result<bool> {
    let root_of = (authority.kind == AuthorityKind::Root).then(|| authority.environment.clone());
    let rows = tx.execute(
        sql!(
            "-- pki.insert_authority
            insert into pki_authority (tenant, id, environment, root_of, kind, handle, name, certificate, der,
                spki_sha256, key, parent, state, shards, not_before, not_after, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            on conflict (tenant, root_of) do nothing"
        ),
        &values![
            authority.tenant,
            authority.id,
            authority.environment.as_str(),
            root_of,
            authority.kind.name(),
            authority.handle.as_str(),
            authority.name.as_str(),
            authority.certificate,
            authority.der.as_slice(),
            authority.spki_sha256,
            authority.key,
            authority.parent,
            authority.state.name(),
            i64::from(authority.shards),
            authority.not_before,
            authority.not_after,
            authority.created_at
        ],
    )?;
    Ok(rows == 1)
}

fn authority_row(row: &Row<'_>) -> Result<Authority> {
    let kind: String = row.get(3)?;
    let state: String = row.get(11)?;
    Ok(Authority {
        tenant: row.get(0)?,
        id: row.get(1)?,
        environment: row.get(2)?,
        kind: AuthorityKind::parse(&kind).ok_or_else(broken)?,
        handle: row.get(4)?,
        name: row.get(5)?,
        certificate: row.get(6)?,
        der: row.get(7)?,
        spki_sha256: row.get(8)?,
        key: row.get(9)?,
        parent: row.get(10)?,
        state: AuthorityState::parse(&state).ok_or_else(broken)?,
        shards: row.get(12)?,
        not_before: row.get(13)?,
        not_after: row.get(14)?,
        created_at: row.get(15)?,
    })
}

/// A tenant's authorities by environment, the root first.
pub(crate) fn authorities(rx: &mut Rx<'_>, tenant: TenantId) -> Result<Vec<Authority>> {
    rx.all(
        sql!(
            "-- pki.authorities
            select tenant, id, environment, kind, handle, name, certificate, der, spki_sha256, key, parent, state,
                shards, not_before, not_after, created_at
            from pki_authority where tenant = $1
            order by environment, kind desc, id"
        ),
        &values![tenant],
        authority_row,
    )
}

/// The authorities of all tenants that issue, for answers and figures.
pub(crate) fn every_authority(rx: &mut Rx<'_>) -> Result<Vec<Authority>> {
    rx.all(
        sql!(
            "-- pki.every_authority
            select tenant, id, environment, kind, handle, name, certificate, der, spki_sha256, key, parent, state,
                shards, not_before, not_after, created_at
            from pki_authority
            order by tenant, environment, kind desc, id"
        ),
        &values![],
        authority_row,
    )
}

pub(crate) fn authority_by_id(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    id: AuthorityId,
) -> Result<Option<Authority>> {
    rx.optional(
        sql!(
            "-- pki.authority_by_id
            select tenant, id, environment, kind, handle, name, certificate, der, spki_sha256, key, parent, state,
                shards, not_before, not_after, created_at
            from pki_authority where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        authority_row,
    )
}

pub(crate) fn authority_by_handle(rx: &mut Rx<'_>, handle: &str) -> Result<Option<Authority>> {
    rx.optional(
        sql!(
            "-- pki.authority_by_handle
            select tenant, id, environment, kind, handle, name, certificate, der, spki_sha256, key, parent, state,
                shards, not_before, not_after, created_at
            from pki_authority where handle = $1"
        ),
        &values![handle],
        authority_row,
    )
}

// ---- responders

/// A responder as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct ResponderRow {
    pub(crate) key: Id<SigningKey>,
    pub(crate) der: Vec<u8>,
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
}

pub(crate) fn insert_responder(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
    certificate: CertificateId,
    responder: &ResponderRow,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.insert_responder
            insert into pki_responder (tenant, authority, certificate, key, der, not_before, not_after)
            values ($1, $2, $3, $4, $5, $6, $7)"
        ),
        &values![
            tenant,
            authority,
            certificate,
            responder.key,
            responder.der.as_slice(),
            responder.not_before,
            responder.not_after
        ],
    )?;
    Ok(())
}

/// The newest responder of an authority.
pub(crate) fn responder(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    authority: AuthorityId,
) -> Result<Option<ResponderRow>> {
    rx.optional(
        sql!(
            "-- pki.responder
            select key, der, not_before, not_after from pki_responder
            where tenant = $1 and authority = $2
            order by certificate desc
            limit 1"
        ),
        &values![tenant, authority],
        |row| {
            Ok(ResponderRow {
                key: row.get(0)?,
                der: row.get(1)?,
                not_before: row.get(2)?,
                not_after: row.get(3)?,
            })
        },
    )
}

// ---- ceremonies

/// A ceremony as it stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct CeremonyRow {
    pub(crate) tenant: TenantId,
    pub(crate) id: Id<Ceremony>,
    pub(crate) environment: String,
    /// `planned`, `signed` (the hierarchy stands), `held` (the transcript is signed), `abandoned`.
    pub(crate) state: String,
    pub(crate) request: String,
    pub(crate) key: Id<SigningKey>,
    pub(crate) crl_tbs: Vec<u8>,
    pub(crate) transcript: Option<String>,
}

pub(crate) fn insert_ceremony(tx: &mut Tx<'_>, ceremony: &CeremonyRow, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.insert_ceremony
            insert into pki_ceremony (tenant, id, environment, state, request, key, crl_tbs, planned_at)
            values ($1, $2, $3, 'planned', $4, $5, $6, $7)"
        ),
        &values![
            ceremony.tenant,
            ceremony.id,
            ceremony.environment.as_str(),
            ceremony.request.as_str(),
            ceremony.key,
            ceremony.crl_tbs.as_slice(),
            now
        ],
    )?;
    Ok(())
}

fn ceremony_row(row: &Row<'_>) -> Result<CeremonyRow> {
    Ok(CeremonyRow {
        tenant: row.get(0)?,
        id: row.get(1)?,
        environment: row.get(2)?,
        state: row.get(3)?,
        request: row.get(4)?,
        key: row.get(5)?,
        crl_tbs: row.get(6)?,
        transcript: row.get(7)?,
    })
}

pub(crate) fn ceremony(rx: &mut Rx<'_>, tenant: TenantId, id: Id<Ceremony>) -> Result<Option<CeremonyRow>> {
    rx.optional(
        sql!(
            "-- pki.ceremony
            select tenant, id, environment, state, request, key, crl_tbs, transcript
            from pki_ceremony where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        ceremony_row,
    )
}

/// Ceremonies that were planned before `planned` and never signed, and those whose transcript waits for its signature.
pub(crate) fn open_ceremonies(rx: &mut Rx<'_>, planned: Time, signed: Time) -> Result<Vec<CeremonyRow>> {
    rx.all(
        sql!(
            "-- pki.open_ceremonies
            select tenant, id, environment, state, request, key, crl_tbs, transcript from pki_ceremony
            where (state = 'planned' and planned_at <= $1) or (state = 'signed' and held_at <= $2)
            order by planned_at
            limit 100"
        ),
        &values![planned, signed],
        ceremony_row,
    )
}

/// The hierarchy stands: keeps the transcript that will be signed. False when the ceremony was over.
pub(crate) fn sign_ceremony(
    tx: &mut Tx<'_>,
    ceremony: &CeremonyRow,
    transcript: &str,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.sign_ceremony
            update pki_ceremony set state = 'signed', transcript = $3, held_at = $4
            where tenant = $1 and id = $2 and state = 'planned'"
        ),
        &values![ceremony.tenant, ceremony.id, transcript, now],
    )?;
    Ok(rows == 1)
}

/// Keeps the signature over the transcript; false when it was there.
pub(crate) fn hold_ceremony(tx: &mut Tx<'_>, ceremony: &CeremonyRow, signature: &[u8]) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.hold_ceremony
            update pki_ceremony set state = 'held', signature = $3
            where tenant = $1 and id = $2 and state = 'signed'"
        ),
        &values![ceremony.tenant, ceremony.id, signature],
    )?;
    Ok(rows == 1)
}

pub(crate) fn abandon_ceremony(tx: &mut Tx<'_>, ceremony: &CeremonyRow) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.abandon_ceremony
            update pki_ceremony set state = 'abandoned' where tenant = $1 and id = $2 and state = 'planned'"
        ),
        &values![ceremony.tenant, ceremony.id],
    )?;
    Ok(rows == 1)
}
