//! Clients that show a certificate of this house: which authorities they come from, and whether one is in force now.
//!
//! The table decides at each question, not a list that was signed some time ago. Never here: who the client is.

use base::{Id, Result, Time};
use proof::x509::{Certificate as Shown, Profile};

use super::Pki;
use crate::{
    model::{Authority, AuthorityKind, AuthorityState, Certificate, State, TenantId},
    repo,
};

/// The house's own authorities stand under the nil tenant.
const HOUSE: TenantId = Id::NIL;

impl Pki {
    /// The certificates of the house's issuing authorities of an environment whose certificates still count; of the only
    /// environment when none is named, and none when there are several.
    ///
    /// # Errors
    /// The store's.
    pub async fn anchors(&self, environment: Option<&str>) -> Result<Vec<Vec<u8>>> {
        let authorities = self.authorities(HOUSE).await?;
        Ok(trusted(&authorities, environment, self.house.now()).map(|one| one.der.clone()).collect())
    }

    /// The row of a certificate that a client showed: one that an authority of the environment issued, byte for byte,
    /// of this profile, in force at this moment.
    ///
    /// # Errors
    /// The store's.
    pub async fn shown_by_client(
        &self,
        der: &[u8],
        profile: Profile,
        environment: Option<&str>,
    ) -> Result<Option<Certificate>> {
        let Some(serial) = Shown::parse(der).ok().and_then(|shown| shown.serial()) else { return Ok(None) };
        let now = self.house.now();
        let (rows, authorities) = self
            .house
            .db
            .tenant(HOUSE.uuid())
            .read("pki.shown_by_client", move |rx| {
                Ok((repo::by_serial(rx, HOUSE, &serial)?, repo::authorities(rx, HOUSE)?))
            })
            .await?;
        Ok(rows.into_iter().find(|row| {
            row.der.as_deref() == Some(der)
                && row.profile == profile
                && row.state == State::Issued
                && (row.not_before..row.not_after).contains(&now)
                && trusted(&authorities, environment, now).any(|one| one.id == row.authority)
        }))
    }
}

/// The issuing authorities of an environment whose certificates count now.
fn trusted<'a>(
    authorities: &'a [Authority],
    environment: Option<&str>,
    now: Time,
) -> impl Iterator<Item = &'a Authority> {
    let first = authorities.first().map(|one| one.environment.as_str());
    let is_only = authorities.iter().all(|one| Some(one.environment.as_str()) == first);
    let named = environment.map(str::to_owned).or_else(|| first.filter(|_| is_only).map(str::to_owned));
    authorities.iter().filter(move |one| {
        one.kind == AuthorityKind::Issuing
            && one.state != AuthorityState::Revoked
            && now < one.not_after
            && named.as_deref() == Some(one.environment.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(environment: &str, kind: AuthorityKind, state: AuthorityState) -> Authority {
        Authority {
            tenant: HOUSE,
            id: Id::NIL,
            environment: environment.to_owned(),
            kind,
            handle: String::new(),
            name: String::new(),
            certificate: Id::NIL,
            der: Vec::new(),
            spki_sha256: [0; 32],
            key: None,
            parent: None,
            state,
            shards: 1,
            not_before: Time::from_seconds(0),
            not_after: Time::from_seconds(100),
            created_at: Time::from_seconds(0),
        }
    }

    #[test]
    fn clients_of_roots_of_revoked_and_ended_authorities_and_of_other_environments_do_not_count() {
        use AuthorityKind::{Issuing, Root};
        use AuthorityState::{Active, Retired, Revoked};
        let dev = [
            authority("dev", Root, Active),
            authority("dev", Issuing, Retired),
            authority("dev", Issuing, Active),
            authority("dev", Issuing, Revoked),
        ];
        let at = |all: &[Authority], environment, second| {
            trusted(all, environment, Time::from_seconds(second)).count()
        };
        assert_eq!((at(&dev, None, 50), at(&dev, Some("dev"), 50)), (2, 2));
        assert_eq!((at(&dev, Some("prod"), 50), at(&dev, None, 100)), (0, 0));
        let both = [authority("dev", Issuing, Active), authority("prod", Issuing, Active)];
        assert_eq!((at(&both, None, 50), at(&both, Some("prod"), 50), at(&[], None, 50)), (0, 1, 0));
    }
}
