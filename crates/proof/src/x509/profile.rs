//! Profiles: the kinds of certificate that a Selo CA issues, each with its exact shape.
//!
//! A profile is a row of one table; there are no templates. End entities carry no basicConstraints: absent says the
//! same as empty, in fewer bytes and in one form for all hierarchies.
//! Never here: a name, a key, a moment.

use super::Oid;
use super::extension::{CRL_SIGN, DIGITAL_SIGNATURE, KEY_AGREEMENT, KEY_CERT_SIGN, KEY_ENCIPHERMENT};
use super::oid;
use crate::crypto::SubjectKey;

const DAY_S: i64 = 86_400;

/// A kind of certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// The offline root.
    Root,
    /// An issuing CA below the root.
    Issuing,
    /// A service that is server and client: the default.
    Service,
    /// A server alone.
    Server,
    /// A client alone.
    Client,
    /// A service for days, without revocation.
    Shortlived,
    /// A workload with a SPIFFE id.
    Svid,
    /// A client of PostgreSQL, whose common name is its role.
    DbClient,
    /// An operator in the administrative zone.
    Operator,
    /// An integration of a partner.
    Partner,
    /// An enrolment station.
    EdgeStation,
    /// Signs enrolment packets.
    PacketSigner,
    /// Receives encrypted enrolment packets.
    PacketRecipient,
    /// Signs documents.
    DocumentSigner,
    /// Signs credentials.
    CredentialIssuer,
    /// Answers OCSP for the CA that signed it.
    OcspResponder,
}

/// The extended key usage of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtendedUsage {
    /// None: CAs.
    None,
    /// These.
    These(&'static [Oid]),
    /// One of the organisation's own, which comes with the draft.
    Own,
}

/// Where a relying party learns about revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// Nowhere: a root.
    Root,
    /// CRL and the issuer's certificate: a CA below a root.
    List,
    /// CRL shard, OCSP and the issuer's certificate.
    ListAndAnswers,
    /// noRevAvail (RFC 9608) and the issuer's certificate.
    NotAvailable,
    /// Nothing at all: it ends within hours.
    Silent,
    /// ocsp-nocheck: an OCSP responder.
    NoCheck,
}

/// Which names a subject may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRule {
    /// DNS names.
    pub dns: bool,
    /// Addresses.
    pub ip: bool,
    /// URIs.
    pub uri: bool,
    /// Mail addresses.
    pub email: bool,
    /// At least one must be there.
    pub required: bool,
    /// The common name may differ from all of them.
    pub free_common_name: bool,
}

/// The shape of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Longest validity, in seconds.
    pub lifetime_s_max: i64,
    /// extKeyUsage.
    pub extended_usage: ExtendedUsage,
    /// Revocation.
    pub revocation: Revocation,
    /// Names.
    pub names: NameRule,
}

const NO_NAMES: NameRule =
    NameRule { dns: false, ip: false, uri: false, email: false, required: false, free_common_name: true };
const HOSTS: NameRule =
    NameRule { dns: true, ip: true, uri: false, email: false, required: true, free_common_name: false };
const CLIENTS: NameRule =
    NameRule { dns: true, ip: false, uri: true, email: true, required: true, free_common_name: false };
const SIGNERS: NameRule = NameRule { required: false, free_common_name: true, ..CLIENTS };
const BOTH: ExtendedUsage = ExtendedUsage::These(&[oid::SERVER_AUTH, oid::CLIENT_AUTH]);
const CLIENT_ONLY: ExtendedUsage = ExtendedUsage::These(&[oid::CLIENT_AUTH]);

const fn shape(
    days_max: i64,
    extended_usage: ExtendedUsage,
    revocation: Revocation,
    names: NameRule,
) -> Shape {
    Shape { lifetime_s_max: days_max * DAY_S, extended_usage, revocation, names }
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Root,
        Self::Issuing,
        Self::Service,
        Self::Server,
        Self::Client,
        Self::Shortlived,
        Self::Svid,
        Self::DbClient,
        Self::Operator,
        Self::Partner,
        Self::EdgeStation,
        Self::PacketSigner,
        Self::PacketRecipient,
        Self::DocumentSigner,
        Self::CredentialIssuer,
        Self::OcspResponder,
    ];

    /// The name in configuration, ACME and the interface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Issuing => "issuing",
            Self::Service => "service",
            Self::Server => "server",
            Self::Client => "client",
            Self::Shortlived => "shortlived",
            Self::Svid => "svid",
            Self::DbClient => "db-client",
            Self::Operator => "operator",
            Self::Partner => "partner",
            Self::EdgeStation => "edge-station",
            Self::PacketSigner => "packet-signer",
            Self::PacketRecipient => "packet-recipient",
            Self::DocumentSigner => "document-signer",
            Self::CredentialIssuer => "credential-issuer",
            Self::OcspResponder => "ocsp-responder",
        }
    }

    /// The profile of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    /// The profile's number below an arc of the organisation's own: the last arc of its policy, and of its extended key
    /// usage where that is the organisation's. Numbers are never given twice; authorities and their responders have none.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        match self {
            Self::Root | Self::Issuing | Self::OcspResponder => None,
            Self::Service => Some(1),
            Self::Server => Some(2),
            Self::Client => Some(3),
            Self::Shortlived => Some(4),
            Self::Svid => Some(5),
            Self::DbClient => Some(6),
            Self::Operator => Some(7),
            Self::Partner => Some(8),
            Self::EdgeStation => Some(9),
            Self::PacketSigner => Some(10),
            Self::PacketRecipient => Some(11),
            Self::DocumentSigner => Some(12),
            Self::CredentialIssuer => Some(13),
        }
    }

    /// The policy of this profile among those that an issuer may assert: the one that ends with its number.
    #[must_use]
    pub fn policy(self, asserted: &[Oid]) -> Option<Oid> {
        let number = self.number()?;
        asserted.iter().copied().find(|policy| policy.last_arc() == Some(number))
    }

    /// The policies of every profile below a hierarchy's arc, as its issuing CA lists them; None when one would be too
    /// long.
    #[must_use]
    pub fn policies_below(arc: &Oid) -> Option<Vec<Oid>> {
        Self::ALL.into_iter().filter_map(Self::number).map(|number| arc.child(number)).collect()
    }

    /// Whether the subject signs certificates.
    #[must_use]
    pub fn is_ca(self) -> bool {
        matches!(self, Self::Root | Self::Issuing)
    }

    /// The shape. Ten years have at most three leap days, five at most two.
    #[must_use]
    pub fn shape(self) -> Shape {
        let std = Revocation::ListAndAnswers;
        match self {
            Self::Root => shape(3653, ExtendedUsage::None, Revocation::Root, NO_NAMES),
            Self::Issuing => shape(1827, ExtendedUsage::None, Revocation::List, NO_NAMES),
            Self::Service => shape(90, BOTH, std, HOSTS),
            Self::Server => shape(90, ExtendedUsage::These(&[oid::SERVER_AUTH]), std, HOSTS),
            Self::Client | Self::Partner => shape(90, CLIENT_ONLY, std, CLIENTS),
            Self::Shortlived => shape(7, BOTH, Revocation::NotAvailable, HOSTS),
            Self::Svid => {
                let names = NameRule { dns: false, email: false, ..CLIENTS };
                shape(1, BOTH, Revocation::Silent, names)
            }
            Self::DbClient => shape(90, CLIENT_ONLY, std, NameRule { free_common_name: true, ..CLIENTS }),
            Self::Operator => shape(30, CLIENT_ONLY, std, NameRule { dns: false, ..CLIENTS }),
            Self::EdgeStation => shape(30, CLIENT_ONLY, std, NameRule { email: false, ..CLIENTS }),
            Self::PacketSigner | Self::PacketRecipient => {
                shape(366, ExtendedUsage::Own, std, NameRule { free_common_name: true, ..CLIENTS })
            }
            Self::DocumentSigner | Self::CredentialIssuer => shape(366, ExtendedUsage::Own, std, SIGNERS),
            Self::OcspResponder => {
                shape(7, ExtendedUsage::These(&[oid::OCSP_SIGNING]), Revocation::NoCheck, NO_NAMES)
            }
        }
    }

    /// keyUsage for a key; None when the key cannot do what the profile is for.
    #[must_use]
    pub fn key_usage(self, key: &SubjectKey) -> Option<u16> {
        let is_rsa = matches!(key, SubjectKey::Rsa(_));
        match self {
            Self::Root | Self::Issuing => Some(KEY_CERT_SIGN | CRL_SIGN),
            // RSA key transport is what old TLS clients of a server may still ask for
            Self::Service | Self::Server if is_rsa => Some(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT),
            Self::PacketRecipient => match key {
                SubjectKey::P256(_) | SubjectKey::P384(_) => Some(KEY_AGREEMENT),
                SubjectKey::Rsa(_) => Some(KEY_ENCIPHERMENT),
                SubjectKey::Ed25519(_) => None,
            },
            _ => Some(DIGITAL_SIGNATURE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_a_name_of_its_own() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.as_str()), Some(profile));
        }
        assert_eq!(Profile::from_name("timestamp"), None);
    }

    #[test]
    fn every_profile_of_a_service_has_a_policy_of_its_own_below_the_arc() {
        let arc = Oid::parse("1.3.6.1.4.1.32473.1").unwrap();
        let all = Profile::policies_below(&arc).unwrap();
        for profile in Profile::ALL {
            let found = profile.policy(&all);
            assert_eq!(found, profile.number().and_then(|number| arc.child(number)), "{}", profile.as_str());
        }
        let mut unlike = all.clone();
        unlike.sort_unstable();
        unlike.dedup();
        assert_eq!((all.len(), unlike.len()), (13, 13));
        assert_eq!(Profile::Server.policy(&[]), None);
    }
}
