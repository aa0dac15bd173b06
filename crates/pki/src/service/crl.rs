//! Revocation lists: one for each shard, signed when somebody asks and a number was added since, or when the signed
//! one grows old. The table of certificates is the truth.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use base::{Result, Time};
use proof::x509::{
    self, Issuer,
    crl::{CrlDraft, Entry, Scope},
    lint,
};

use super::{Pki, parsed, refuse};
use crate::{
    error,
    model::{Authority, AuthorityId, AuthorityKind, moment},
    repo::{self, ListRow},
};

/// A shard's list is good for so long, and signed again at half of it.
pub(crate) const VALIDITY: Duration = Duration::from_secs(24 * 3_600);

/// A signed list.
#[derive(Debug, Clone)]
pub struct SignedList {
    /// Its bytes.
    pub der: Vec<u8>,
    /// Its number.
    pub number: i64,
    /// Since when.
    pub this_update: Time,
    /// Until when.
    pub next_update: Time,
}

/// One signer for each list in this process: whoever comes second takes what the first one made.
#[derive(Default)]
pub(super) struct Lists(Mutex<HashMap<(AuthorityId, u16), Turn>>);

type Turn = Arc<tokio::sync::Mutex<()>>;

impl Lists {
    fn turn(&self, authority: AuthorityId, shard: u16) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry((authority, shard)).or_default())
    }
}

impl Pki {
    /// The list at a public address: a shard of an issuing authority, or the list of a root; nothing for an unknown one.
    ///
    /// # Errors
    /// The store's; the key ring's.
    pub async fn list(&self, handle: &str, shard: Option<u16>) -> Result<Option<SignedList>> {
        let Some(authority) = self.authority(handle).await? else { return Ok(None) };
        let shard = match (authority.kind, shard) {
            (AuthorityKind::Root, None) => 0,
            (AuthorityKind::Issuing, Some(shard)) if shard < authority.shards => shard,
            _ => return Ok(None),
        };
        if let Some(signed) = self.fresh(&authority, shard).await? {
            return Ok(Some(signed));
        }
        let turn = self.lists.turn(authority.id, shard);
        let _held = turn.lock().await;
        if let Some(signed) = self.fresh(&authority, shard).await? {
            return Ok(Some(signed));
        }
        self.sign_list(&authority, shard).await.map(Some)
    }

    /// Signs again every list that has passed half of its time, so that whoever asks next need not wait, and so that an old
    /// list is a sign of trouble. What nobody ever asked for is not signed.
    ///
    /// # Errors
    /// The store's; the key ring's.
    pub async fn renew_lists(&self) -> Result<()> {
        let now = self.house.now();
        let authorities = self.house.db.read("pki.every_authority", repo::every_authority).await?;
        for one in authorities.iter().filter(|one| one.kind == AuthorityKind::Issuing && now < one.not_after)
        {
            let (tenant, id, before) = (one.tenant, one.id, now.minus(VALIDITY / 2));
            let db = self.house.db.tenant(tenant.uuid());
            let old = db.read("pki.old_lists", move |rx| repo::old_lists(rx, tenant, id, before)).await?;
            for shard in old {
                self.list(&one.handle, Some(shard)).await?;
            }
        }
        Ok(())
    }

    /// The list that is signed already, while it says what the table says and is young enough. A root's list is signed
    /// by people and served as long as it stands.
    async fn fresh(&self, authority: &Authority, shard: u16) -> Result<Option<SignedList>> {
        let (tenant, id, now) = (authority.tenant, authority.id, self.house.now());
        let row = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("pki.list", move |rx| repo::list(rx, tenant, id, shard))
            .await?;
        let offline = authority.kind == AuthorityKind::Root;
        Ok(row.and_then(|row| {
            let signed = SignedList {
                der: row.der?,
                number: row.number,
                this_update: row.this_update?,
                next_update: row.next_update?,
            };
            let young = now.since(signed.this_update) < VALIDITY / 2 && now >= signed.this_update;
            (offline || (row.signed_version == row.version && young)).then_some(signed)
        }))
    }

    /// Signs a list: number, entries, bytes, lint, save. What is signed follows from the table, which is its plan.
    async fn sign_list(&self, authority: &Authority, shard: u16) -> Result<SignedList> {
        let (tenant, id) = (authority.tenant, authority.id);
        let db = self.house.db.tenant(tenant.uuid());
        let began = Instant::now();
        let now = self.house.now().whole_second();
        let number = db.write("pki.take_number", move |tx| repo::take_number(tx, tenant, id, shard)).await?;
        let (version, entries) = db
            .read("pki.revoked", move |rx| {
                // Version and entries are of one picture.
                let version = repo::list(rx, tenant, id, shard)?.map_or(0, |row| row.version);
                let mut entries = Vec::new();
                // One that has ended stays for one list more.
                repo::revoked(rx, tenant, id, shard, now.minus(VALIDITY), |serial, at, reason, since| {
                    let invalid_since = since.map(moment).transpose()?;
                    entries.push(Entry { serial, revoked_at: moment(at)?, reason, invalid_since });
                    Ok(())
                })?;
                Ok((version, entries))
            })
            .await?;
        let certificate = parsed(&authority.der)?;
        let issuer = Issuer::from_certificate(&certificate).map_err(|e| base::error::INTERNAL.because(e))?;
        let address = self.address(&format!("crl/{}/{shard}.crl", authority.handle))?;
        let next = now.plus(VALIDITY);
        let draft = CrlDraft {
            issuer: &issuer,
            number: u64::try_from(number).map_err(|e| base::error::INTERNAL.because(e))?,
            this_update: moment(now)?,
            next_update: moment(next)?,
            scope: Scope::Shard(&address),
            freshest: None,
            delta_base: None,
        };
        let tbs = draft.tbs(entries).map_err(|e| base::error::INTERNAL.because(e))?;
        let signature = self.sign_as(authority, &tbs).await?;
        let der = x509::assemble(&tbs, issuer.algorithm, &signature);
        self.figures.list_signed(&authority.name, shard, der.len(), began.elapsed());
        // For lists a signature that does not hold is a finding.
        refuse(&lint::crl(&der, &certificate)).map_err(|e| error::SIGNED_WRONG.because(e))?;
        let row = ListRow {
            version,
            signed_version: version,
            number,
            der: Some(der.clone()),
            this_update: Some(now),
            next_update: Some(next),
        };
        let saved = db.write("pki.save_list", move |tx| repo::save_list(tx, tenant, id, shard, &row)).await;
        // The table is the truth and this is a copy: on a full disk whoever asks still gets the list.
        if let Err(failure) = saved {
            tracing::warn!(code = failure.code().name, "a signed revocation list could not be kept");
        }
        Ok(SignedList { der, number, this_update: now, next_update: next })
    }
}
