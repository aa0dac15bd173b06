//! Every SQL text of the key ring.

use base::{
    Id, Result, Time,
    id::kind::{Person, SigningKey, Tenant},
};
use proof::crypto::PublicKey;
use store::{Row, Rx, Tx, sql, values};

use crate::{
    error,
    signing::{Algorithm, KeyState, Place, Purpose, SigningKeyInfo},
};

/// So many keys of one purpose are looked at, the newest.
const KEYS_MAX: i64 = 200;
/// So many keys on the token are compared when a house opens.
const TOKEN_KEYS_MAX: i64 = 1_000;

pub(crate) fn insert_signing(
    tx: &mut Tx<'_>,
    tenant: Id<Tenant>,
    key: &SigningKeyInfo,
    private_sealed: Option<&[u8]>,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- keys.insert_signing
            insert into keys_signing
                (tenant, id, purpose, algorithm, public, private_sealed, state, created_at, place)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        &values![
            tenant,
            key.id,
            key.purpose.name(),
            key.algorithm.name(),
            key.public.to_multikey().as_bytes(),
            private_sealed,
            key.state.name(),
            key.created_at,
            key.place.name()
        ],
    )?;
    Ok(())
}

/// Retires a key; false when it was not active.
pub(crate) fn retire(tx: &mut Tx<'_>, tenant: Id<Tenant>, id: Id<SigningKey>, now: Time) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- keys.retire
            update keys_signing set state = 'retired', retired_at = $3
            where tenant = $1 and id = $2 and state = 'active'"
        ),
        &values![tenant, id, now],
    )?;
    Ok(rows == 1)
}

fn info(row: &Row<'_>) -> Result<SigningKeyInfo> {
    let id: Id<SigningKey> = row.get(0)?;
    let wrong = || error::SIGN.error().with("key", id);
    let (purpose, algorithm, state): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(4)?);
    let multikey: Vec<u8> = row.get(3)?;
    let multikey = String::from_utf8(multikey).map_err(|_| wrong())?;
    let place: String = row.get(6)?;
    Ok(SigningKeyInfo {
        id,
        purpose: Purpose::parse(&purpose).ok_or_else(wrong)?,
        algorithm: Algorithm::parse(&algorithm).ok_or_else(wrong)?,
        public: PublicKey::from_multikey(&multikey).map_err(|_| wrong())?,
        place: Place::parse(&place).ok_or_else(wrong)?,
        state: KeyState::parse(&state),
        created_at: row.get(5)?,
    })
}

/// A tenant's keys for a purpose, oldest first: the newest [`KEYS_MAX`] of them.
pub(crate) fn signing_keys(
    rx: &mut Rx<'_>,
    tenant: Id<Tenant>,
    purpose: Purpose,
) -> Result<Vec<SigningKeyInfo>> {
    let mut keys = rx.all(
        sql!(
            "-- keys.signing_keys
            select id, purpose, algorithm, public, state, created_at, place
            from keys_signing where tenant = $1 and purpose = $2
            order by id desc
            limit $3"
        ),
        &values![tenant, purpose.name(), KEYS_MAX],
        info,
    )?;
    keys.reverse();
    Ok(keys)
}

/// A tenant's active keys for a purpose, newest first.
pub(crate) fn active_keys(
    rx: &mut Rx<'_>,
    tenant: Id<Tenant>,
    purpose: Purpose,
) -> Result<Vec<SigningKeyInfo>> {
    rx.all(
        sql!(
            "-- keys.active_keys
            select id, purpose, algorithm, public, state, created_at, place
            from keys_signing where tenant = $1 and purpose = $2 and state = 'active'
            order by id desc
            limit $3"
        ),
        &values![tenant, purpose.name(), KEYS_MAX],
        info,
    )
}

/// A key, and its sealed private part when it has one.
pub(crate) fn private(
    rx: &mut Rx<'_>,
    tenant: Id<Tenant>,
    id: Id<SigningKey>,
) -> Result<Option<(SigningKeyInfo, Option<Vec<u8>>)>> {
    rx.optional(
        sql!(
            "-- keys.private
            select id, purpose, algorithm, public, state, created_at, place, private_sealed
            from keys_signing where tenant = $1 and id = $2"
        ),
        &values![tenant, id],
        |row| Ok((info(row)?, row.get(7)?)),
    )
}

/// Every tenant's keys on the token, retired ones included, since they may still have to finish something.
pub(crate) fn keys_on_token(rx: &mut Rx<'_>) -> Result<Vec<SigningKeyInfo>> {
    rx.all(
        sql!(
            "-- keys.keys_on_token
            select id, purpose, algorithm, public, state, created_at, place
            from keys_signing where place = 'token'
            order by id desc
            limit $1"
        ),
        &values![TOKEN_KEYS_MAX],
        info,
    )
}

pub(crate) fn insert_person(
    tx: &mut Tx<'_>,
    tenant: Id<Tenant>,
    person: Id<Person>,
    epoch: u32,
    wrapped: &[u8],
) -> Result<()> {
    tx.execute(
        sql!(
            "-- keys.insert_person
            insert into keys_person (tenant, person, epoch, wrapped) values ($1, $2, $3, $4)"
        ),
        &values![tenant, person, i64::from(epoch), wrapped],
    )?;
    Ok(())
}

pub(crate) fn person(
    rx: &mut Rx<'_>,
    tenant: Id<Tenant>,
    person: Id<Person>,
) -> Result<Option<(i64, Vec<u8>)>> {
    rx.optional(
        sql!(
            "-- keys.person
            select epoch, wrapped from keys_person where tenant = $1 and person = $2"
        ),
        &values![tenant, person],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(crate) fn destroy_person(tx: &mut Tx<'_>, tenant: Id<Tenant>, person: Id<Person>) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- keys.destroy_person
            delete from keys_person where tenant = $1 and person = $2"
        ),
        &values![tenant, person],
    )?;
    Ok(rows == 1)
}

/// A person's row: tenant, person, epoch, wrapped key.
pub(crate) type PersonRow = (Id<Tenant>, Id<Person>, i64, Vec<u8>);

pub(crate) fn persons_before_epoch(rx: &mut Rx<'_>, epoch: u32, limit: u32) -> Result<Vec<PersonRow>> {
    rx.all(
        sql!(
            "-- keys.persons_before_epoch
            select tenant, person, epoch, wrapped from keys_person where epoch < $1 limit $2"
        ),
        &values![i64::from(epoch), i64::from(limit)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )
}

pub(crate) fn rewrap(
    tx: &mut Tx<'_>,
    tenant: Id<Tenant>,
    person: Id<Person>,
    epoch: u32,
    wrapped: &[u8],
) -> Result<()> {
    tx.execute(
        sql!(
            "-- keys.rewrap
            update keys_person set epoch = $3, wrapped = $4 where tenant = $1 and person = $2 and epoch < $3"
        ),
        &values![tenant, person, i64::from(epoch), wrapped],
    )?;
    Ok(())
}
