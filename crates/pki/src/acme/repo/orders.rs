//! Orders, and the certificates that came of them.

use base::{Result, Time};
use proof::x509::Profile;
use store::{Row, Rx, Tx, sql, values};

use super::broken;
use crate::{
    acme::model::{AccountId, AuthorizationId, Order, OrderId, Ordered},
    model::{CertificateId, State, TenantId},
};

pub(crate) fn insert_order(tx: &mut Tx<'_>, tenant: TenantId, order: &Order, expires_at: Time) -> Result<()> {
    let names: Vec<String> = order.names.iter().map(Ordered::text).collect();
    tx.execute(
        sql!(
            "-- pki.acme.insert_order
            insert into pki_acme_order (tenant, id, handle, account, identifiers, profile, replaces, not_after,
                expires_at, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        ),
        &values![
            tenant,
            order.id,
            order.handle.as_str(),
            order.account,
            serde_json::to_string(&names).map_err(|e| base::error::INTERNAL.because(e))?,
            order.profile.as_str(),
            &order.replaces,
            order.not_after,
            expires_at,
            order.created_at
        ],
    )?;
    Ok(())
}

/// Says that an order stands on an authorization.
pub(crate) fn insert_part(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    order: OrderId,
    position: usize,
    authorization: AuthorizationId,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.acme.insert_part
            insert into pki_acme_order_part (tenant, acme_order, position, acme_authorization)
            values ($1, $2, $3, $4)"
        ),
        &values![tenant, order, i64::try_from(position).unwrap_or(i64::MAX), authorization],
    )?;
    Ok(())
}

fn order_row(row: &Row<'_>) -> Result<Order> {
    let (names, profile): (String, String) = (row.get(3)?, row.get(4)?);
    let names: Vec<String> = serde_json::from_str(&names).map_err(|e| base::error::INTERNAL.because(e))?;
    let (certificate, state): (Option<CertificateId>, Option<String>) = (row.get(8)?, row.get(11)?);
    let certificate = match (certificate, state) {
        (Some(id), Some(state)) => Some((id, State::parse(&state).ok_or_else(broken)?)),
        (None, _) => None,
        (Some(_), None) => return Err(broken()),
    };
    Ok(Order {
        id: row.get(0)?,
        handle: row.get(1)?,
        account: row.get(2)?,
        names: names.iter().map(|text| Ordered::parse(text).ok_or_else(broken)).collect::<Result<_>>()?,
        profile: Profile::from_name(&profile).ok_or_else(broken)?,
        replaces: row.get(5)?,
        not_after: row.get(6)?,
        csr_sha256: row.get(7)?,
        certificate,
        expires_at: row.get(9)?,
        created_at: row.get(10)?,
    })
}

/// An order of an account.
pub(crate) fn order_by_handle(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    account: AccountId,
    handle: &str,
) -> Result<Option<Order>> {
    rx.optional(
        sql!(
            "-- pki.acme.order_by_handle
            select o.id, o.handle, o.account, o.identifiers, o.profile, o.replaces, o.not_after, o.csr_sha256,
                o.certificate, o.expires_at, o.created_at, c.state
            from pki_acme_order o
                left join pki_certificate c on c.tenant = o.tenant and c.id = o.certificate
            where o.tenant = $1 and o.account = $2 and o.handle = $3"
        ),
        &values![tenant, account, handle],
        order_row,
    )
}

/// A page of an account's orders that are of use, newest first.
pub(crate) fn orders_of(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    account: AccountId,
    before: OrderId,
    now: Time,
    limit: u32,
) -> Result<Vec<(OrderId, String)>> {
    rx.all(
        sql!(
            "-- pki.acme.orders_of
            select id, handle from pki_acme_order
            where tenant = $1 and account = $2 and id < $3 and (certificate is not null or expires_at > $4)
            order by id desc
            limit $5"
        ),
        &values![tenant, account, before, now, i64::from(limit)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Binds an order to the certificate that is planned for it; false when it has one.
pub(crate) fn claim_order(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    order: OrderId,
    certificate: CertificateId,
    csr_sha256: &[u8; 32],
) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- pki.acme.claim_order
            update pki_acme_order set certificate = $3, csr_sha256 = $4
            where tenant = $1 and id = $2 and certificate is null"
        ),
        &values![tenant, order, certificate, csr_sha256],
    )?;
    Ok(rows == 1)
}

/// The account that ordered a certificate.
pub(crate) fn account_of(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    certificate: CertificateId,
) -> Result<Option<AccountId>> {
    rx.optional(
        sql!(
            "-- pki.acme.account_of
            select account from pki_acme_order where tenant = $1 and certificate = $2"
        ),
        &values![tenant, certificate],
        |row| row.get(0),
    )
}

/// Whether a certificate came of an order that replaces this one.
pub(crate) fn is_replaced(rx: &mut Rx<'_>, tenant: TenantId, replaces: &str) -> Result<bool> {
    rx.one(
        sql!(
            "-- pki.acme.is_replaced
            select count(*) as orders from (
                select 1 as one from pki_acme_order
                where tenant = $1 and replaces = $2 and certificate is not null
                limit 1
            ) found"
        ),
        &values![tenant, replaces],
        |row| row.get::<i64>(0).map(|orders| orders > 0),
    )
}

/// Whether an order that replaces this one can still be finalized.
pub(crate) fn is_being_replaced(
    rx: &mut Rx<'_>,
    tenant: TenantId,
    replaces: &str,
    now: Time,
) -> Result<bool> {
    rx.one(
        sql!(
            "-- pki.acme.is_being_replaced
            select count(*) as orders from (
                select 1 as one from pki_acme_order
                where tenant = $1 and replaces = $2 and certificate is null and expires_at > $3
                limit 1
            ) found"
        ),
        &values![tenant, replaces, now],
        |row| row.get::<i64>(0).map(|orders| orders > 0),
    )
}

/// Orders that ended before a moment, and their certificates with them: as long as one lives, its order says whose it is.
pub(crate) fn ended_orders(rx: &mut Rx<'_>, before: Time, limit: u32) -> Result<Vec<(TenantId, OrderId)>> {
    rx.all(
        sql!(
            "-- pki.acme.ended_orders
            select o.tenant, o.id
            from pki_acme_order o
                left join pki_certificate c on c.tenant = o.tenant and c.id = o.certificate
            where o.expires_at < $1 and (c.id is null or c.not_after < $1)
            order by o.expires_at
            limit $2"
        ),
        &values![before, i64::from(limit)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(crate) fn delete_order(tx: &mut Tx<'_>, tenant: TenantId, id: OrderId) -> Result<()> {
    tx.execute(
        sql!(
            "-- pki.acme.delete_order_parts
            delete from pki_acme_order_part where tenant = $1 and acme_order = $2"
        ),
        &values![tenant, id],
    )?;
    tx.execute(
        sql!(
            "-- pki.acme.delete_order
            delete from pki_acme_order where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
    )?;
    Ok(())
}
