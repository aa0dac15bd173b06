//! The SQL text by which the bench makes a house as full as a large one.

use base::Result;
use store::{Tx, sql, values};

use crate::model::Certificate;

/// A certificate in whatever state, as if it had gone the whole way.
pub(crate) fn insert_whole(tx: &mut Tx<'_>, certificate: &Certificate) -> Result<()> {
    let names = serde_json::to_string(&certificate.names).map_err(|e| base::error::INTERNAL.because(e))?;
    let digest = proof::crypto::sha256(names.as_bytes());
    tx.execute(
        sql!(
            "-- pki.insert_whole
            insert into pki_certificate (tenant, id, authority, serial, shard, profile, subject, names, names_sha256,
                spki_sha256, not_before, renew_at, not_after, state, tbs, der, owner, source, asked_by, planned_at,
                issued_at, revoked_at, reason)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                $22, $23)"
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
            certificate.state.name(),
            certificate.tbs.as_slice(),
            &certificate.der,
            certificate.owner.as_str(),
            certificate.source.as_str(),
            certificate.asked_by.as_str(),
            certificate.planned_at,
            certificate.issued_at,
            certificate.revoked_at,
            certificate.reason.map(|reason| i64::from(reason.code()))
        ],
    )?;
    Ok(())
}
