//! The nouns of the authority.

use std::time::Duration;

use base::{Error, Id, Result, Time, id::kind};
use proof::x509::{Draft, Moment, Profile, Serial, crl::Reason};

use crate::error;

pub(crate) type TenantId = Id<kind::Tenant>;
pub(crate) type AuthorityId = Id<kind::Authority>;
pub(crate) type CertificateId = Id<kind::Certificate>;

/// What an authority signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityKind {
    /// Issuing authorities and their list; its key is in no computer.
    Root,
    /// Services and people.
    Issuing,
}

impl AuthorityKind {
    /// The word in SQL and API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Issuing => "issuing",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Root, Self::Issuing].into_iter().find(|kind| kind.name() == name)
    }
}

/// Where an authority stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityState {
    /// Issues.
    Active,
    /// Issues nothing new; signs its lists and answers until its last certificate has ended.
    Retired,
    /// Withdrawn by its root.
    Revoked,
}

impl AuthorityState {
    /// The word in SQL and API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Retired, Self::Revoked].into_iter().find(|state| state.name() == name)
    }
}

/// A certificate authority.
#[derive(Debug, Clone)]
pub struct Authority {
    /// Whose it is; the nil tenant is the house.
    pub tenant: TenantId,
    /// Its id.
    pub id: AuthorityId,
    /// The environment whose hierarchy it belongs to.
    pub environment: String,
    /// What it signs.
    pub kind: AuthorityKind,
    /// Its word in public addresses.
    pub handle: String,
    /// Its common name.
    pub name: String,
    /// Its certificate's row.
    pub certificate: CertificateId,
    /// Its certificate.
    pub der: Vec<u8>,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// Its key in the ring; none for an offline root.
    pub key: Option<Id<kind::SigningKey>>,
    /// Who signed its certificate; none for a root.
    pub parent: Option<AuthorityId>,
    /// Where it stands.
    pub state: AuthorityState,
    /// How many revocation lists it has.
    pub shards: u16,
    /// From when.
    pub not_before: Time,
    /// Until when.
    pub not_after: Time,
    /// When it was made.
    pub created_at: Time,
}

/// Where a certificate stands. `Expired` is not here: it follows from the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The bytes to be signed are durable; nobody has the certificate yet.
    Planned,
    /// In force.
    Issued,
    /// Withdrawn for good.
    Revoked,
    /// Planned and given up; its number counts as revoked.
    Abandoned,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Planned, Self::Issued, Self::Revoked, Self::Abandoned];

    /// The word in SQL and API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state after a revocation.
    ///
    /// # Errors
    /// `PKI_CERTIFICATE_REVOKED` (revoked is final), `PKI_CERTIFICATE_STATE`.
    pub fn revoke(self) -> Result<Self, Error> {
        match self {
            Self::Issued => Ok(Self::Revoked),
            Self::Revoked => Err(error::REVOKED.error()),
            Self::Planned | Self::Abandoned => Err(error::STATE.error().with("state", self.name())),
        }
    }
}

/// A certificate as it stands in the store.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Whose authority issued it.
    pub tenant: TenantId,
    /// Its id.
    pub id: CertificateId,
    /// Who signed it.
    pub authority: AuthorityId,
    /// Its number.
    pub serial: Serial,
    /// The revocation list that would name it.
    pub shard: u16,
    /// Its kind.
    pub profile: Profile,
    /// The subject's common name, or nothing.
    pub subject: String,
    /// Its names, each with its kind (`dns:a.example`).
    pub names: Vec<String>,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// From when.
    pub not_before: Time,
    /// When two thirds of its life are over.
    pub renew_at: Time,
    /// Until when.
    pub not_after: Time,
    /// Where it stands.
    pub state: State,
    /// The planned bytes.
    pub tbs: Vec<u8>,
    /// The certificate.
    pub der: Option<Vec<u8>>,
    /// Who looks after it.
    pub owner: String,
    /// `api`, `cli`, `acme` or `internal`.
    pub source: String,
    /// The actor who asked.
    pub asked_by: String,
    /// When it was planned.
    pub planned_at: Time,
    /// When it was issued.
    pub issued_at: Option<Time>,
    /// Since when it counts as revoked.
    pub revoked_at: Option<Time>,
    /// Why.
    pub reason: Option<Reason>,
    /// Since when it was not to be trusted.
    pub invalid_since: Option<Time>,
}

/// Where a planned certificate comes from: what its bytes do not say.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) tenant: TenantId,
    pub(crate) id: CertificateId,
    pub(crate) authority: AuthorityId,
    pub(crate) shard: u16,
    pub(crate) owner: String,
    pub(crate) source: String,
    pub(crate) asked_by: String,
    pub(crate) planned_at: Time,
}

impl Certificate {
    /// A certificate as it is planned: the bytes, what they say, and where it comes from.
    pub(crate) fn planned(draft: &Draft<'_>, tbs: Vec<u8>, origin: Origin) -> Self {
        let (not_before, not_after) = (time(draft.validity.not_before), time(draft.validity.not_after));
        Self {
            tenant: origin.tenant,
            id: origin.id,
            authority: origin.authority,
            serial: draft.serial,
            shard: origin.shard,
            profile: draft.profile,
            subject: draft.subject.common_name().unwrap_or_default().to_owned(),
            names: draft.names.iter().map(ToString::to_string).collect(),
            spki_sha256: draft.key.spki_sha256(),
            not_before,
            renew_at: renew_at(not_before, not_after),
            not_after,
            state: State::Planned,
            tbs,
            der: None,
            owner: origin.owner,
            source: origin.source,
            asked_by: origin.asked_by,
            planned_at: origin.planned_at,
            issued_at: None,
            revoked_at: None,
            reason: None,
            invalid_since: None,
        }
    }
}

/// The reasons that a requester may give, with their words in the interface.
pub(crate) const REASONS: [(&str, Reason); 6] = [
    ("unspecified", Reason::Unspecified),
    ("keyCompromise", Reason::KeyCompromise),
    ("affiliationChanged", Reason::AffiliationChanged),
    ("superseded", Reason::Superseded),
    ("cessationOfOperation", Reason::CessationOfOperation),
    ("privilegeWithdrawn", Reason::PrivilegeWithdrawn),
];

/// The reason for a revocation of an authority, which a requester of certificates may not give.
const CA_COMPROMISE: (&str, Reason) = ("caCompromise", Reason::CaCompromise);

/// The word of a reason.
pub(crate) fn reason_name(reason: Reason) -> &'static str {
    REASONS
        .iter()
        .chain([&CA_COMPROMISE])
        .find(|(_, known)| *known == reason)
        .map_or("unspecified", |(name, _)| name)
}

/// The reason of a word, whatever its case and hyphens, or of a number of RFC 5280.
///
/// # Errors
/// `PKI_REASON_UNKNOWN`, also for reasons that a requester may not give.
pub(crate) fn parse_reason(text: &str) -> Result<Reason> {
    let folded = |text: &str| text.replace(['-', '_'], "").to_lowercase();
    let by_number = text.parse().ok().and_then(Reason::from_requester);
    let by_name = || REASONS.iter().find(|(name, _)| folded(name) == folded(text)).map(|(_, reason)| *reason);
    by_number.or_else(by_name).ok_or_else(|| {
        let known = REASONS.map(|(name, _)| name).join(", ");
        let short: String = text.chars().take(64).collect();
        error::REASON.at("reason").with("reason", short).with("known", known)
    })
}

/// As [`parse_reason`], for an authority: its key may be compromised too.
///
/// # Errors
/// `PKI_REASON_UNKNOWN`.
pub(crate) fn parse_authority_reason(text: &str) -> Result<Reason> {
    let folded = text.replace(['-', '_'], "").to_lowercase();
    if folded == CA_COMPROMISE.0.to_lowercase() || folded == "2" {
        return Ok(Reason::CaCompromise);
    }
    parse_reason(text)
}

/// A moment of X.509; fractions of a second are cut.
pub(crate) fn moment(time: Time) -> Result<Moment> {
    Moment::from_seconds(time.seconds()).ok_or_else(|| error::MOMENT.error())
}

/// A moment of the house.
pub(crate) fn time(moment: Moment) -> Time {
    Time::from_seconds(moment.seconds())
}

/// When two thirds of a life are over; the second it ends with belongs to it.
pub(crate) fn renew_at(not_before: Time, not_after: Time) -> Time {
    let whole_s = not_after.since(not_before).as_secs() + 1;
    not_before.plus(Duration::from_secs(whole_s / 3 * 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_seconds_and_never_after_its_end() {
        let at = Time::from_seconds;
        // Three seconds from the 100th to the 102nd; one second alone; an end before the beginning.
        for (from, to, expected) in [(100, 102, 102), (100, 101, 100), (100, 100, 100), (100, 50, 100)] {
            assert_eq!(renew_at(at(from), at(to)), at(expected), "{from} to {to}");
        }
        assert_eq!(renew_at(at(0), at(89)), at(60));
        assert_eq!(renew_at(at(0), at(88)), at(58), "whole seconds, rounded down");
    }

    #[test]
    fn revoked_is_final_and_what_nobody_has_cannot_be_revoked() {
        assert_eq!(State::Issued.revoke().unwrap(), State::Revoked);
        assert!(State::Revoked.revoke().unwrap_err().is(&error::REVOKED));
        for state in [State::Planned, State::Abandoned] {
            assert!(state.revoke().unwrap_err().is(&error::STATE));
        }
    }

    #[test]
    fn the_key_of_an_authority_may_be_compromised_and_that_of_a_service_is_another_reason() {
        for text in ["caCompromise", "ca-compromise", "cACompromise", "2"] {
            assert_eq!(parse_authority_reason(text).unwrap(), Reason::CaCompromise);
        }
        assert_eq!(parse_authority_reason("superseded").unwrap(), Reason::Superseded);
        assert_eq!(reason_name(Reason::CaCompromise), "caCompromise");
        assert!(parse_authority_reason("certificateHold").is_err());
    }

    #[test]
    fn reasons_are_read_by_word_and_number_and_others_refused() {
        for text in ["keyCompromise", "key-compromise", "KEYCOMPROMISE", "1"] {
            assert_eq!(parse_reason(text).unwrap(), Reason::KeyCompromise);
        }
        for text in ["2", "6", "7", "8", "10", "certificateHold", "cACompromise", "", "removeFromCRL"] {
            assert!(parse_reason(text).unwrap_err().is(&error::REASON), "{text}");
        }
    }
}
