//! Certificate revocation lists (RFC 5280 §5): full, by shard, delta.
//!
//! Never here: which certificates are revoked; the entries come in with the call, in any order and number.

mod build;
mod parse;

pub use build::{CrlDraft, CrlFault, Scope};
pub use parse::{CRL_BYTES_MAX, Crl, DistributionPoint, Entries};

pub(crate) use parse::read_raw_entry;

use super::serial::Serial;
use super::time::Moment;

/// Why a certificate was revoked (RFC 5280 §5.3.1): the reasons that Selo records. There is no certificateHold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Not said: such an entry has no reasonCode.
    Unspecified,
    /// The subject's key is in other hands.
    KeyCompromise,
    /// The CA's key is in other hands: for certificates of CAs.
    CaCompromise,
    /// The subject belongs to somebody else now.
    AffiliationChanged,
    /// Another certificate took its place.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// Expired since; in deltas only.
    RemoveFromCrl,
    /// A right was withdrawn.
    PrivilegeWithdrawn,
}

impl Reason {
    const ALL: [Self; 8] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
    ];

    /// The number of RFC 5280.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
        }
    }

    /// The reason of a number; None for those that are not in the product.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The reason that a requester may give for an end entity's certificate: 0, 1, 3, 4, 5 or 9.
    #[must_use]
    pub fn from_requester(code: u8) -> Option<Self> {
        Self::from_code(code).filter(|reason| !matches!(reason, Self::CaCompromise | Self::RemoveFromCrl))
    }
}

/// One revoked certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its serial number.
    pub serial: Serial,
    /// Since when.
    pub revoked_at: Moment,
    /// Why.
    pub reason: Reason,
    /// Since when it is known or feared that the certificate was not to be trusted.
    pub invalid_since: Option<Moment>,
}
