//! What the bench needs: a house as full as a large one, without issuing every certificate. Nothing here is recorded or
//! signed, so none of these verbs belongs into a house that anybody relies on; no route and no other command calls them.

use std::time::Duration;

use base::{Id, Result, Time, id::kind};
use proof::x509::{Profile, Serial, crl::Reason};

use super::Pki;
use crate::{
    model::{Authority, Certificate, State},
    repo, rules,
};

/// Services, each with its certificates one after the other.
const SERVICES: u64 = 250_000;
const OWNERS: u64 = 2_000;
const DOMAINS: u64 = 500;
const LIFE: Duration = Duration::from_secs(90 * 86_400);
const RENEWED_AFTER: Duration = Duration::from_secs(60 * 86_400);
/// What one transaction inserts.
const BATCH: u64 = 1_000;
/// One of so many services is never renewed the last time, and one certificate of so many is revoked.
const LATE_OF: u64 = 100;
const REVOKED_OF: u64 = 50;
/// As long as those of a server with one name.
const BYTES: usize = 520;

impl Pki {
    /// Fills an authority with so many certificates of services that were renewed every 60 days, the last ones within the
    /// last 60 days. One of a hundred services was not renewed, one of fifty certificates is revoked.
    ///
    /// # Errors
    /// The store's.
    pub async fn fill_for_bench(&self, authority: &Authority, count: u64) -> Result<()> {
        let rounds = count.div_ceil(SERVICES).max(1);
        let (now, spread) = (self.house.now(), RENEWED_AFTER.as_secs());
        let mut batch = Vec::new();
        for number in 0..count {
            // The oldest round first, and within it the oldest certificate: as a house grows.
            let (round, service) = (number / SERVICES, number % SERVICES);
            let age = (rounds - 1 - round) * spread + spread - service * spread / SERVICES;
            let issued = now.minus(Duration::from_secs(age));
            let is_last = round + 1 == rounds;
            if is_last && service.is_multiple_of(LATE_OF) {
                continue;
            }
            let revoked = number.is_multiple_of(REVOKED_OF).then(|| issued.plus(Duration::from_secs(3_600)));
            batch.push(self.made_up(authority, service, issued, revoked, BYTES));
            if batch.len() as u64 == BATCH {
                self.insert(std::mem::take(&mut batch)).await?;
            }
        }
        self.insert(batch).await
    }

    /// Fills an authority with so many revoked certificates.
    ///
    /// # Errors
    /// The store's.
    pub async fn fill_revoked_for_bench(&self, authority: &Authority, count: u64) -> Result<()> {
        let now = self.house.now();
        for first in (0..count).step_by(usize::try_from(BATCH).unwrap_or(usize::MAX)) {
            let batch = (first..count.min(first + BATCH))
                .map(|number| self.made_up(authority, number, now, Some(now), 0))
                .collect();
            self.insert(batch).await?;
        }
        Ok(())
    }

    fn made_up(
        &self,
        authority: &Authority,
        service: u64,
        issued: Time,
        revoked: Option<Time>,
        bytes: usize,
    ) -> Certificate {
        let serial = Serial::from_random(self.house.chance.bytes());
        let name = format!("s{service:06}.d{:03}.bench.test", service % DOMAINS);
        let profile = match service % 20 {
            0 => Profile::Svid,
            1 | 2 => Profile::Client,
            _ => Profile::Server,
        };
        Certificate {
            tenant: authority.tenant,
            id: Id::<kind::Certificate>::new(issued, &*self.house.chance),
            authority: authority.id,
            serial,
            shard: serial.shard(authority.shards),
            profile,
            subject: name.clone(),
            names: vec![format!("dns:{name}")],
            spki_sha256: self.house.chance.bytes(),
            not_before: issued.whole_second(),
            renew_at: issued.whole_second().plus(RENEWED_AFTER),
            not_after: issued.whole_second().plus(LIFE),
            state: if revoked.is_some() { State::Revoked } else { State::Issued },
            tbs: vec![0x30; bytes],
            der: Some(vec![0x30; bytes]),
            owner: format!("team-{:04}", service % OWNERS),
            source: "bench".to_owned(),
            asked_by: "bench".to_owned(),
            planned_at: issued,
            issued_at: Some(issued),
            revoked_at: revoked.map(Time::whole_second),
            reason: revoked.map(|_| Reason::Superseded),
            invalid_since: None,
        }
    }

    async fn insert(&self, batch: Vec<Certificate>) -> Result<()> {
        let Some(first) = batch.first() else { return Ok(()) };
        let tenant = first.tenant;
        self.house
            .db
            .tenant(tenant.uuid())
            .write("pki.fill", move |tx| {
                for one in &batch {
                    repo::insert_whole(tx, one)?;
                    repo::insert_name(tx, tenant, one.id, 0, &one.subject, &rules::reversed(&one.subject))?;
                }
                Ok(())
            })
            .await
    }
}
