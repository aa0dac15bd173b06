//! Accounts and external keys.

use base::{Result, Time};
use proof::{crypto::SubjectKey, x509::der::Writer};
use store::{Row, Rx, Tx, sql, values};

use super::{broken, list, written};
use crate::{
    acme::model::{Account, AccountId, AccountStatus, ExternalKey, ExternalKeyId, Grant},
    model::TenantId,
};

pub(crate) fn insert_account(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    account: &Account,
    thumbprint: &[u8; 32],
    now: Time,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.acme.insert_account
            insert into pki_acme_account (tenant, id, environment, handle, thumbprint, spki, contact, status,
                external_key, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, 'valid', $8, $9)"
        ),
        &values![
            tenant,
            account.id,
            account.environment.as_str(),
            account.handle.as_str(),
            thumbprint,
            Writer::build(|out| account.key.write_spki(out)),
            &account.contact,
            account.external_key,
            now
        ],
    )?;
    Ok(())
}

fn account_row(row: &Row<'_>) -> Result<Account> {
    let (spki, status): (Vec<u8>, String) = (row.get(3)?, row.get(5)?);
    let revoked: Option<Time> = row.get(10)?;
    Ok(Account {
        id: row.get(0)?,
        environment: row.get(1)?,
        handle: row.get(2)?,
        key: SubjectKey::from_spki(&spki).map_err(|e| base::error::INTERNAL.because(e))?,
        contact: row.get(4)?,
        // An account is as good as what let it in.
        status: match (status.as_str(), revoked) {
            ("valid", None) => AccountStatus::Valid,
            ("valid", Some(_)) => AccountStatus::Revoked,
            ("deactivated", _) => AccountStatus::Deactivated,
            _ => return Err(broken()),
        },
        external_key: row.get(6)?,
        grant: Grant { profiles: list(row.get(7)?)?, dns: list(row.get(8)?)?, ip: list(row.get(9)?)? },
    })
}

pub(crate) fn account_by_handle(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    environment: &str,
    handle: &str,
) -> Result<Option<Account>> {
    rx.optional(
        sql!(
            "-- pki.acme.account_by_handle
            select a.id, a.environment, a.handle, a.spki, a.contact, a.status, a.external_key,
                k.profiles, k.dns, k.ip, k.revoked_at
            from pki_acme_account a
                left join pki_acme_external_key k on k.tenant = a.tenant and k.id = a.external_key
            where a.tenant = $1 and a.environment = $2 and a.handle = $3"
        ),
        &values![tenant, environment, handle],
        account_row,
    )
}

pub(crate) fn account_by_key(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    environment: &str,
    thumbprint: &[u8; 32],
) -> Result<Option<Account>> {
    rx.optional(
        sql!(
            "-- pki.acme.account_by_key
            select a.id, a.environment, a.handle, a.spki, a.contact, a.status, a.external_key,
                k.profiles, k.dns, k.ip, k.revoked_at
            from pki_acme_account a
                left join pki_acme_external_key k on k.tenant = a.tenant and k.id = a.external_key
            where a.tenant = $1 and a.environment = $2 and a.thumbprint = $3"
        ),
        &values![tenant, environment, thumbprint],
        account_row,
    )
}

/// The account of an id, whatever its environment.
pub(crate) fn account_by_id(rx: &mut Rx<'_>, tenant: TenantId, id: AccountId) -> Result<Option<Account>> {
    rx.optional(
        sql!(
            "-- pki.acme.account_by_id
            select a.id, a.environment, a.handle, a.spki, a.contact, a.status, a.external_key,
                k.profiles, k.dns, k.ip, k.revoked_at
            from pki_acme_account a
                left join pki_acme_external_key k on k.tenant = a.tenant and k.id = a.external_key
            where a.tenant = $1 and a.id = $2"
        ),
        &values![tenant, id],
        account_row,
    )
}

/// Writes an account as it is, so that transactions which judge by several of its orders come one after the other.
pub(crate) fn touch_account(tx: &mut Tx<'_>, tenant: TenantId, id: AccountId) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.acme.touch_account
            update pki_acme_account set status = status where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
    )?;
    Ok(())
}

/// False when the account was closed meanwhile.
pub(crate) fn set_contact(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AccountId,
    contact: Option<&Vec<u8>>,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.set_contact
            update pki_acme_account set contact = $3 where tenant = $1 and id = $2 and status = 'valid'"
        ),
        &values![tenant, id, contact.cloned()],
    )?;
    Ok(rows == 1)
}

/// Closes an account and forgets its contacts; false when it was closed before.
pub(crate) fn deactivate_account(tx: &mut Tx<'_>, tenant: TenantId, id: AccountId) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.deactivate_account
            update pki_acme_account set status = 'deactivated', contact = null
            where tenant = $1 and id = $2 and status = 'valid'"
        ),
        &values![tenant, id],
    )?;
    Ok(rows == 1)
}

/// Gives an account another key; false when it has another one than `old` by now, or was closed.
pub(crate) fn change_key(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: AccountId,
    old: &[u8; 32],
    key: &SubjectKey,
    new: &[u8; 32],
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.change_key
            update pki_acme_account set spki = $4, thumbprint = $5
            where tenant = $1 and id = $2 and thumbprint = $3 and status = 'valid'"
        ),
        &values![tenant, id, old, Writer::build(|out| key.write_spki(out)), new],
    )?;
    Ok(rows == 1)
}

// ---- external keys

pub(crate) fn insert_external_key(tx: &mut Tx<'_>, tenant: TenantId, key: &ExternalKey) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.acme.insert_external_key
            insert into pki_acme_external_key (tenant, id, environment, secret, profiles, dns, ip, uses_left,
                expires_at, made_by, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ),
        &values![
            tenant,
            key.id,
            key.environment.as_str(),
            key.secret.as_slice(),
            written(key.grant.profiles.as_ref())?,
            written(key.grant.dns.as_ref())?,
            written(key.grant.ip.as_ref())?,
            key.uses_left,
            key.expires_at,
            key.made_by.as_str(),
            key.created_at
        ],
    )?;
    Ok(())
}

fn external_key_row(row: &Row<'_>) -> Result<ExternalKey> {
    Ok(ExternalKey {
        id: row.get(0)?,
        environment: row.get(1)?,
        secret: row.get(2)?,
        grant: Grant { profiles: list(row.get(3)?)?, dns: list(row.get(4)?)?, ip: list(row.get(5)?)? },
        uses_left: row.get(6)?,
        expires_at: row.get(7)?,
        revoked_at: row.get(8)?,
        made_by: row.get(9)?,
        created_at: row.get(10)?,
    })
}

pub(crate) fn external_key(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    id: ExternalKeyId,
) -> Result<Option<ExternalKey>> {
    rx.optional(
        sql!(
            "-- pki.acme.external_key
            select id, environment, secret, profiles, dns, ip, uses_left, expires_at, revoked_at, made_by, created_at
            from pki_acme_external_key where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        external_key_row,
    )
}

/// A page of external keys, newest first.
pub(crate) fn external_keys(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    before: ExternalKeyId,
    limit: u32,
) -> Result<Vec<ExternalKey>> {
    rx.all(
        sql!(
            "-- pki.acme.external_keys
            select id, environment, secret, profiles, dns, ip, uses_left, expires_at, revoked_at, made_by, created_at
            from pki_acme_external_key
            where tenant = $1 and id < $2
            order by id desc
            limit $3"
        ),
        &values![tenant, before, i64::from(limit)],
        external_key_row,
    )
}

/// Uses an external key once; false when nothing is left of it.
pub(crate) fn use_external_key(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: ExternalKeyId,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.use_external_key
            update pki_acme_external_key set uses_left = uses_left - 1
            where tenant = $1 and id = $2 and uses_left > 0 and revoked_at is null and expires_at > $3"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}

/// False when it was revoked before.
pub(crate) fn revoke_external_key(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: ExternalKeyId,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.revoke_external_key
            update pki_acme_external_key set revoked_at = $3
            where tenant = $1 and id = $2 and revoked_at is null"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}
