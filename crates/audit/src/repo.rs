//! Every SQL text of the evidence log's heads.

use base::{Id, Result, Time, id::kind::SigningKey};
use events::Log;
use proof::merkle::Hash;
use store::{Rx, Tx, sql, values};

use crate::model::LogHead;

pub(crate) fn insert(tx: &mut Tx<'_>, log: Log, origin: &str, key: Id<SigningKey>) -> Result<()> {
    tx.execute(
        sql!(
            "-- audit.insert
            insert into audit_log (log, origin, key, size, root) values ($1, $2, $3, 0, $4)"
        ),
        &values![log.name(), origin, key, proof::merkle::EMPTY_ROOT.as_slice()],
    )?;
    Ok(())
}

pub(crate) fn head(rx: &mut Rx<'_>, log: Log) -> Result<Option<LogHead>> {
    rx.optional(
        sql!(
            "-- audit.head
            select origin, key, size, root, checkpoint, signed_at from audit_log where log = $1"
        ),
        &values![log.name()],
        |row| {
            let size: i64 = row.get(2)?;
            Ok(LogHead {
                log,
                origin: row.get(0)?,
                key: row.get(1)?,
                size: u64::try_from(size).unwrap_or(0),
                root: row.get(3)?,
                checkpoint: row.get(4)?,
                signed_at: row.get(5)?,
            })
        },
    )
}

/// Makes size and root durable before they are signed; false when a larger tree was already.
pub(crate) fn advance(tx: &mut Tx<'_>, log: Log, size: u64, root: &Hash) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- audit.advance
            update audit_log set size = $2, root = $3, signed_at = null where log = $1 and (size < $2 or (size = $2 and root = $3))"
        ),
        &values![log.name(), i64::try_from(size).unwrap_or(i64::MAX), root.as_slice()],
    )?;
    Ok(rows == 1)
}

pub(crate) fn save_checkpoint(
    tx: &mut Tx<'_>,
    log: Log,
    size: u64,
    checkpoint: &[u8],
    now: Time,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- audit.save_checkpoint
            update audit_log set checkpoint = $3, signed_at = $4 where log = $1 and size = $2"
        ),
        &values![log.name(), i64::try_from(size).unwrap_or(i64::MAX), checkpoint, now],
    )?;
    Ok(())
}
