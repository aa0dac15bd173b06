//! The SQL texts of accounts.

use base::{Id, Result, Time, id::kind};
use serde_json::json;
use store::{Row, Rx, Tx, sql, values};

use super::Account;
use crate::repo::words;

type TenantId = Id<kind::Tenant>;
type AccountId = Id<kind::Account>;

/// Accounts of one list.
const ACCOUNTS_MAX: i64 = 1_000;

/// Makes an account; false when the tenant has one of that name.
pub(super) fn insert(tx: &mut Tx<'_>, account: &Account) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- identity.insert_account
            insert into identity_account (tenant, id, name, permissions, networks, created_at)
            values ($1, $2, $3, $4, $5, $6)
            on conflict do nothing"
        ),
        &values![
            account.tenant,
            account.id,
            account.name.as_str(),
            json!(account.permissions),
            json!(account.networks),
            account.created_at
        ],
    )?;
    Ok(rows == 1)
}

fn account_row(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        tenant: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        permissions: words(&row.get(3)?),
        networks: words(&row.get(4)?),
        created_at: row.get(5)?,
        closed_at: row.get(6)?,
    })
}

pub(super) fn all(rx: &mut Rx<'_>, tenant: TenantId) -> Result<Vec<Account>> {
    rx.all(
        sql!(
            "-- identity.accounts
            select tenant, id, name, permissions, networks, created_at, closed_at from identity_account
            where tenant = $1 order by id desc limit $2"
        ),
        &values![tenant, ACCOUNTS_MAX],
        account_row,
    )
}

pub(super) fn by_id(rx: &mut Rx<'_>, tenant: TenantId, id: AccountId) -> Result<Option<Account>> {
    rx.optional(
        sql!(
            "-- identity.account
            select tenant, id, name, permissions, networks, created_at, closed_at from identity_account
            where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        account_row,
    )
}

/// The open account that a certificate enters as, of whatever tenant.
pub(super) fn by_certificate(rx: &mut Rx<'_>, certificate: Id<kind::Certificate>) -> Result<Option<Account>> {
    rx.optional(
        sql!(
            "-- identity.account_by_certificate
            select a.tenant, a.id, a.name, a.permissions, a.networks, a.created_at, a.closed_at
            from identity_account_certificate c
            join identity_account a on a.tenant = c.tenant and a.id = c.account
            where c.certificate = $1 and a.closed_at is null"
        ),
        &values![certificate],
        account_row,
    )
}

/// Binds a certificate to an account; false when it is one's already.
pub(super) fn bind(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    account: AccountId,
    certificate: Id<kind::Certificate>,
    now: Time,
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- identity.bind_account_certificate
            insert into identity_account_certificate (tenant, certificate, account, bound_at)
            values ($1, $2, $3, $4)
            on conflict do nothing"
        ),
        &values![tenant, certificate, account, now],
    )?;
    Ok(rows == 1)
}

pub(super) fn close(tx: &mut Tx<'_>, tenant: TenantId, id: AccountId, now: Time) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- identity.close_account
            update identity_account set closed_at = $3 where tenant = $1 and id = $2 and closed_at is null"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}
