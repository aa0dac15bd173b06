//! Every SQL text of who is who.

use base::{
    Id, Result, Time,
    id::kind::{self, Person, User as UserKind},
};
use serde_json::{Value, json};
use store::{Row, Rx, Tx, sql, values};

use crate::model::{ApiKey, PersonRef, Session, Tenant, User};

type TenantId = Id<kind::Tenant>;

/// The tenant of the house's own users.
pub(crate) const HOUSE: TenantId = Id::NIL;

pub(crate) fn insert_tenant(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    tx.execute(
        sql!(
            "-- identity.insert_tenant
            insert into identity_tenant (tenant, name, did, created_at) values ($1, $2, $3, $4)"
        ),
        &values![tenant.id, tenant.name.as_str(), tenant.did.as_str(), tenant.created_at],
    )?;
    Ok(())
}

fn tenant_row(row: &Row<'_>) -> Result<Tenant> {
    Ok(Tenant { id: row.get(0)?, name: row.get(1)?, did: row.get(2)?, created_at: row.get(3)? })
}

pub(crate) fn tenants(rx: &mut Rx<'_>, after: TenantId, limit: u32) -> Result<Vec<Tenant>> {
    rx.all(
        sql!(
            "-- identity.tenants
            select tenant, name, did, created_at from identity_tenant where tenant > $1 order by tenant limit $2"
        ),
        &values![after, i64::from(limit)],
        tenant_row,
    )
}

pub(crate) fn tenant(rx: &mut Rx<'_>, id: TenantId) -> Result<Option<Tenant>> {
    rx.optional(
        sql!(
            "-- identity.tenant
            select tenant, name, did, created_at from identity_tenant where tenant = $1"
        ),
        &values![id],
        tenant_row,
    )
}

/// Makes a person; false when another verb has made the same person meanwhile.
///
/// # Errors
/// The store's.
pub fn insert_person(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: Id<Person>,
    kind: &str,
    identifier: Option<(&[u8], &[u8])>,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- identity.insert_person
            insert into identity_person (tenant, id, kind, identifier_index, identifier_sealed, created_at)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (tenant, kind, identifier_index) do nothing"
        ),
        &values![
            tenant,
            id,
            kind,
            identifier.map(|(index, _)| index.to_vec()),
            identifier.map(|(_, sealed)| sealed.to_vec()),
            now
        ],
    )?;
    Ok(rows == 1)
}

/// The person whose identifier has one of these blind indexes.
///
/// # Errors
/// The store's.
pub fn persons_by_index(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    kind: &str,
    blind: &keys::Blind,
) -> Result<Option<Id<Person>>> {
    let previous = blind.previous.as_ref().unwrap_or(&blind.current);
    rx.optional(
        sql!(
            "-- identity.person_by_index
            select id from identity_person
            where tenant = $1 and kind = $2 and identifier_index in ($3, $4)
            limit 1"
        ),
        &values![tenant, kind, blind.current.as_slice(), previous.as_slice()],
        |row| row.get(0),
    )
}

/// When a person was forgotten; nothing when there is no such person.
///
/// # Errors
/// The store's.
pub fn person_erased_at(rx: &mut Rx<'_>, tenant: TenantId, id: Id<Person>) -> Result<Option<Option<Time>>> {
    rx.optional(
        sql!(
            "-- identity.person_erased_at
            select erased_at from identity_person where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        |row| row.get(0),
    )
}

pub(crate) fn person(rx: &mut Rx<'_>, tenant: TenantId, id: Id<Person>) -> Result<Option<PersonRef>> {
    Ok(person_erased_at(rx, tenant, id)?.map(|erased| PersonRef { id, erased: erased.is_some() }))
}

/// Takes the identifier off a person and marks the person as forgotten.
///
/// # Errors
/// The store's.
pub fn forget_person(tx: &mut Tx<'_>, tenant: TenantId, id: Id<Person>, now: Time) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- identity.forget_person
            update identity_person set identifier_index = null, identifier_sealed = null, erased_at = $3
            where tenant = $1 and id = $2 and erased_at is null"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}

pub(crate) fn insert_user(tx: &mut Tx<'_>, user: &User, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- identity.insert_user
            insert into identity_user (tenant, id, name, roles, created_at) values ($1, $2, $3, $4, $5)"
        ),
        &values![HOUSE, user.id, user.name.as_str(), json!(user.roles), now],
    )?;
    Ok(())
}

pub(crate) fn words(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn first_user(rx: &mut Rx<'_>) -> Result<Option<User>> {
    rx.optional(
        sql!(
            "-- identity.first_user
            select id, name, roles from identity_user where tenant = $1 order by id limit 1"
        ),
        &values![HOUSE],
        |row| Ok(User { id: row.get(0)?, name: row.get(1)?, roles: words(&row.get(2)?) }),
    )
}

pub(crate) fn insert_once(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    user: Id<UserKind>,
    expires_at: Time,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- identity.insert_once
            insert into identity_once (tenant, hash, user_id, expires_at) values ($1, $2, $3, $4)"
        ),
        &values![HOUSE, hash.as_slice(), user, expires_at],
    )?;
    Ok(())
}

/// Uses a one-time link up; nothing when it is unknown, used or expired.
pub(crate) fn use_once(tx: &mut Tx<'_>, hash: &[u8; 32], now: Time) -> Result<Option<User>> {
    let used = tx.execute(
        sql!(
            "-- identity.use_once
            update identity_once set used_at = $3
            where tenant = $1 and hash = $2 and used_at is null and expires_at > $3"
        ),
        &values![HOUSE, hash.as_slice(), now],
    )?;
    if used == 0 {
        return Ok(None);
    }
    tx.optional(
        sql!(
            "-- identity.user_of_once
            select u.id, u.name, u.roles from identity_once o
            join identity_user u on u.tenant = o.tenant and u.id = o.user_id
            where o.tenant = $1 and o.hash = $2"
        ),
        &values![HOUSE, hash.as_slice()],
        |row| Ok(User { id: row.get(0)?, name: row.get(1)?, roles: words(&row.get(2)?) }),
    )
}

pub(crate) fn insert_session(tx: &mut Tx<'_>, hash: &[u8; 32], session: &Session, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- identity.insert_session
            insert into identity_session (tenant, hash, id, user_id, created_at, expires_at)
            values ($1, $2, $3, $4, $5, $6)"
        ),
        &values![HOUSE, hash.as_slice(), session.id, session.user.id, now, session.expires_at],
    )?;
    Ok(())
}

pub(crate) fn session(rx: &mut Rx<'_>, hash: &[u8; 32], now: Time) -> Result<Option<Session>> {
    rx.optional(
        sql!(
            "-- identity.session
            select s.id, s.expires_at, u.id, u.name, u.roles from identity_session s
            join identity_user u on u.tenant = s.tenant and u.id = s.user_id
            where s.tenant = $1 and s.hash = $2 and s.ended_at is null and s.expires_at > $3"
        ),
        &values![HOUSE, hash.as_slice(), now],
        |row| {
            Ok(Session {
                id: row.get(0)?,
                expires_at: row.get(1)?,
                user: User { id: row.get(2)?, name: row.get(3)?, roles: words(&row.get(4)?) },
            })
        },
    )
}

pub(crate) fn end_session(tx: &mut Tx<'_>, hash: &[u8; 32], now: Time) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- identity.end_session
            update identity_session set ended_at = $3 where tenant = $1 and hash = $2 and ended_at is null"
        ),
        &values![HOUSE, hash.as_slice(), now],
    )?;
    Ok(rows == 1)
}

pub(crate) fn insert_api_key(tx: &mut Tx<'_>, key: &ApiKey, hash: &[u8; 32]) -> Result<()> {
    tx.execute(
        sql!(
            "-- identity.insert_api_key
            insert into identity_api_key (tenant, id, name, roles, hash, created_at)
            values ($1, $2, $3, $4, $5, $6)"
        ),
        &values![key.tenant, key.id, key.name.as_str(), json!(key.roles), hash.as_slice(), key.created_at],
    )?;
    Ok(())
}

fn api_key_row(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        tenant: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        roles: words(&row.get(3)?),
        created_at: row.get(4)?,
        revoked_at: row.get(5)?,
    })
}

pub(crate) fn api_key_by_hash(rx: &mut Rx<'_>, hash: &[u8; 32]) -> Result<Option<ApiKey>> {
    rx.optional(
        sql!(
            "-- identity.api_key_by_hash
            select tenant, id, name, roles, created_at, revoked_at from identity_api_key
            where hash = $1 and revoked_at is null"
        ),
        &values![hash.as_slice()],
        api_key_row,
    )
}

pub(crate) fn api_keys(rx: &mut Rx<'_>, tenant: TenantId) -> Result<Vec<ApiKey>> {
    rx.all(
        sql!(
            "-- identity.api_keys
            select tenant, id, name, roles, created_at, revoked_at from identity_api_key
            where tenant = $1 order by id desc limit 200"
        ),
        &values![tenant],
        api_key_row,
    )
}

pub(crate) fn revoke_api_key(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: Id<kind::ApiKey>,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- identity.revoke_api_key
            update identity_api_key set revoked_at = $3 where tenant = $1 and id = $2 and revoked_at is null"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}
