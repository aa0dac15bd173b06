//! From intent to the exact bytes that a CA signs, and from bytes and signature to a certificate.
//!
//! A draft is everything that one certificate says. [`Draft::tbs`] refuses what its profile does not allow and then
//! writes; the order of extensions is the same for all, so equal drafts give equal bytes.
//! Never here: a clock, chance, a private key.

use super::certificate::Certificate;
use super::constraints::{ConstraintFault, NameConstraints};
use super::der::{SEQUENCE, Writer, context_constructed};
use super::extension::{self, AuthorityKeyId, BasicConstraints};
use super::key::KeyId;
use super::names::{GeneralName, NAMES_MAX, Name, SpiffeId, Uri};
use super::profile::{ExtendedUsage, Profile, Revocation};
use super::serial::Serial;
use super::time::Validity;
use super::{Oid, oid};
use crate::crypto::{SignatureAlgorithm, SubjectKey};

/// The number of the TLS extension status_request, which a certificate may demand (RFC 7633).
pub const STATUS_REQUEST: u64 = 5;
/// Most policies in one certificate: an issuing CA names those of every profile.
const POLICIES_MAX: usize = 16;

/// Who signs: what a certificate says about its issuer, and what the issuer's own certificate allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The issuer's name.
    pub name: Name,
    /// The issuer's subject key identifier.
    pub key_id: KeyId,
    /// What its key signs with.
    pub algorithm: SignatureAlgorithm,
    /// Nothing it signs begins earlier or ends later.
    pub validity: Validity,
    /// What it may name.
    pub constraints: Option<NameConstraints>,
}

impl Issuer {
    /// A root, which signs itself.
    #[must_use]
    pub fn root(name: Name, key: &SubjectKey, validity: Validity) -> Self {
        Self { name, key_id: KeyId::of(key), algorithm: key.issuing_algorithm(), validity, constraints: None }
    }

    /// An issuer from its own certificate.
    ///
    /// # Errors
    /// [`DraftFault::Issuer`] when it is no CA's certificate of ours.
    pub fn from_certificate(certificate: &Certificate<'_>) -> Result<Self, DraftFault> {
        let fault = |_| DraftFault::Issuer;
        let key = certificate.key().map_err(|_| DraftFault::Issuer)?;
        let key_id = certificate.subject_key_id().map_err(fault)?.ok_or(DraftFault::Issuer)?;
        let basic = certificate.basic_constraints().map_err(fault)?;
        if !basic.is_some_and(|basic| basic.ca) || certificate.subject.is_empty() {
            return Err(DraftFault::Issuer);
        }
        Ok(Self {
            name: certificate.subject.clone(),
            key_id: KeyId(key_id.try_into().map_err(|_| DraftFault::Issuer)?),
            algorithm: key.issuing_algorithm(),
            validity: certificate.validity().map_err(fault)?,
            constraints: certificate.name_constraints().map_err(fault)?,
        })
    }
}

/// Where relying parties find what they need. A profile takes those that it has a place for and demands those that it
/// needs; all are `http://`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointers {
    /// The CRL (of a sharded issuer: the shard of this serial number).
    pub crl: Option<Uri>,
    /// The OCSP responder.
    pub ocsp: Option<Uri>,
    /// The issuer's certificate.
    pub issuer: Option<Uri>,
}

/// Everything that one certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft<'a> {
    /// Its kind.
    pub profile: Profile,
    /// Its number.
    pub serial: Serial,
    /// From and until when.
    pub validity: Validity,
    /// The subject's distinguished name; may be empty where there are other names.
    pub subject: &'a Name,
    /// The subject's other names, in order; one that stands twice is written once.
    pub names: &'a [GeneralName],
    /// The subject's key.
    pub key: &'a SubjectKey,
    /// Addresses.
    pub pointers: &'a Pointers,
    /// Policies of the hierarchy.
    pub policies: &'a [Oid],
    /// The extended key usage of profiles that take one of the organisation's own.
    pub own_usage: Option<Oid>,
    /// What an issuing CA may name.
    pub constraints: Option<&'a NameConstraints>,
    /// Whether a server must staple OCSP (RFC 7633).
    pub must_staple: bool,
}

/// Why a draft cannot become a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftFault {
    /// The issuer's certificate is not one of a CA of ours.
    #[error("the issuer's certificate is not that of a certificate authority")]
    Issuer,
    /// A root's subject and issuer differ.
    #[error("a root names itself as its issuer")]
    RootIssuer,
    /// Longer than the profile allows, or ending before it begins.
    #[error("the profile {} allows at most {} seconds", .0.as_str(), .0.shape().lifetime_s_max)]
    Lifetime(Profile),
    /// Begins before its issuer or outlives it.
    #[error("the certificate would begin before its issuer or outlive it")]
    OutsideIssuer,
    /// The subject is empty and must not be.
    #[error("the subject is empty")]
    SubjectEmpty,
    /// The common name is none of the other names.
    #[error("the common name {0:?} is none of the certificate's names")]
    CommonName(String),
    /// No common name where the profile lives by it.
    #[error("the common name is missing")]
    CommonNameMissing,
    /// A name that the profile does not take.
    #[error("the profile {} does not take {name}", profile.as_str())]
    NameKind {
        /// The profile.
        profile: Profile,
        /// The name.
        name: String,
    },
    /// No name.
    #[error("the certificate has no name")]
    NameMissing,
    /// Too many names.
    #[error("the certificate has more than {NAMES_MAX} names")]
    NamesTooMany,
    /// Not exactly one SPIFFE id.
    #[error("an svid has exactly one SPIFFE id with a path")]
    Spiffe,
    /// A name outside the issuer's constraints.
    #[error("{0}")]
    Constraint(#[from] ConstraintFault),
    /// A key that cannot do what the profile is for.
    #[error("a key of this kind cannot serve the profile {}", .0.as_str())]
    Key(Profile),
    /// The key of the issuer itself.
    #[error("the key is the issuer's own")]
    IssuerKey,
    /// An address that the profile needs.
    #[error("the address of the {0} is missing")]
    Pointer(&'static str),
    /// An address that does not begin with `http://`.
    #[error("{0} does not begin with http://")]
    PointerScheme(String),
    /// The organisation's own usage is missing, or given where the profile takes none.
    #[error("the profile {} takes its own extended key usage exactly when it has one", .0.as_str())]
    OwnUsage(Profile),
    /// Constraints, policies or stapling where the profile has no place for them, or too many policies.
    #[error("the profile {} does not take {what}", profile.as_str())]
    NotTaken {
        /// The profile.
        profile: Profile,
        /// What it does not take.
        what: &'static str,
    },
}

impl Draft<'_> {
    /// The exact bytes to be signed by this issuer.
    ///
    /// # Errors
    /// [`DraftFault`] with the first rule that is broken.
    pub fn tbs(&self, issuer: &Issuer) -> Result<Vec<u8>, DraftFault> {
        self.check(issuer)?;
        let usage = self.profile.key_usage(self.key).ok_or(DraftFault::Key(self.profile))?;
        Ok(self.write(issuer, usage))
    }

    fn check(&self, issuer: &Issuer) -> Result<(), DraftFault> {
        let seconds = self.validity.seconds();
        if seconds < 1 || seconds > self.profile.shape().lifetime_s_max {
            return Err(DraftFault::Lifetime(self.profile));
        }
        if self.validity.not_before < issuer.validity.not_before
            || self.validity.not_after > issuer.validity.not_after
        {
            return Err(DraftFault::OutsideIssuer);
        }
        let is_issuers_key = KeyId::of(self.key) == issuer.key_id;
        if self.profile == Profile::Root {
            if !is_issuers_key || *self.subject != issuer.name {
                return Err(DraftFault::RootIssuer);
            }
        } else if is_issuers_key {
            return Err(DraftFault::IssuerKey);
        }
        if issuer.name.is_empty() {
            return Err(DraftFault::Issuer);
        }
        self.check_names(issuer)?;
        self.check_subject()?;
        self.check_pointers()?;
        self.check_extras()
    }

    fn check_names(&self, issuer: &Issuer) -> Result<(), DraftFault> {
        let rule = self.profile.shape().names;
        if self.names.len() > NAMES_MAX {
            return Err(DraftFault::NamesTooMany);
        }
        if self.names.is_empty() && rule.required {
            return Err(DraftFault::NameMissing);
        }
        for name in self.names {
            let taken = match name {
                GeneralName::Dns(_) => rule.dns,
                GeneralName::Ip(_) => rule.ip,
                GeneralName::Email(_) => rule.email,
                GeneralName::Uri(uri) if self.profile == Profile::Operator => {
                    uri.as_str().starts_with("urn:selo:user:")
                }
                GeneralName::Uri(_) => rule.uri,
            };
            if !taken {
                return Err(DraftFault::NameKind { profile: self.profile, name: name.to_string() });
            }
            if let Some(constraints) = &issuer.constraints {
                constraints.check(name)?;
            }
        }
        if self.profile == Profile::Svid {
            let [GeneralName::Uri(uri)] = self.names else { return Err(DraftFault::Spiffe) };
            let id = SpiffeId::parse(uri.as_str()).map_err(|_| DraftFault::Spiffe)?;
            if id.path().is_empty() {
                return Err(DraftFault::Spiffe);
            }
        }
        Ok(())
    }

    fn check_subject(&self) -> Result<(), DraftFault> {
        if self.subject.is_empty() && (self.names.is_empty() || self.profile == Profile::DbClient) {
            return Err(DraftFault::SubjectEmpty);
        }
        let is_a_name = |common: &str| self.names.iter().any(|name| name.text() == common);
        match self.subject.common_name() {
            None if self.profile == Profile::DbClient => Err(DraftFault::CommonNameMissing),
            Some(common) if !self.profile.shape().names.free_common_name && !is_a_name(common) => {
                Err(DraftFault::CommonName(common.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn check_pointers(&self) -> Result<(), DraftFault> {
        let Pointers { crl, ocsp, issuer } = self.pointers;
        for address in [crl, ocsp, issuer].into_iter().flatten() {
            if !address.as_str().starts_with("http://") {
                return Err(DraftFault::PointerScheme(address.to_string()));
            }
        }
        let revocation = self.profile.shape().revocation;
        let lists = matches!(revocation, Revocation::List | Revocation::ListAndAnswers);
        if lists && crl.is_none() {
            return Err(DraftFault::Pointer("CRL"));
        }
        if lists && issuer.is_none() {
            return Err(DraftFault::Pointer("issuer's certificate"));
        }
        if revocation == Revocation::ListAndAnswers && ocsp.is_none() {
            return Err(DraftFault::Pointer("OCSP responder"));
        }
        Ok(())
    }

    fn check_extras(&self) -> Result<(), DraftFault> {
        let wants_own = self.profile.shape().extended_usage == ExtendedUsage::Own;
        if wants_own != self.own_usage.is_some() || self.own_usage == Some(oid::ANY_EXTENDED_KEY_USAGE) {
            return Err(DraftFault::OwnUsage(self.profile));
        }
        let repeated = self
            .policies
            .iter()
            .enumerate()
            .any(|(at, policy)| self.policies.iter().take(at).any(|earlier| earlier == policy));
        if repeated
            || self.policies.len() > POLICIES_MAX
            || (self.profile == Profile::Root && !self.policies.is_empty())
        {
            return Err(DraftFault::NotTaken { profile: self.profile, what: "these policies" });
        }
        if self.constraints.is_some() && self.profile != Profile::Issuing {
            return Err(DraftFault::NotTaken { profile: self.profile, what: "name constraints" });
        }
        if self.must_staple && !matches!(self.profile, Profile::Service | Profile::Server) {
            return Err(DraftFault::NotTaken { profile: self.profile, what: "stapling" });
        }
        Ok(())
    }

    fn write(&self, issuer: &Issuer, usage: u16) -> Vec<u8> {
        let mut out = Writer::with_capacity(1024);
        out.sequence(|out| {
            out.nested(context_constructed(0), |out| out.small(2));
            self.serial.write(out);
            issuer.algorithm.write(out);
            out.raw(issuer.name.der());
            self.validity.write(out);
            out.raw(self.subject.der());
            self.key.write_spki(out);
            out.nested(context_constructed(3), |out| {
                out.nested(SEQUENCE, |out| self.write_extensions(issuer, usage, out));
            });
        });
        out.finish()
    }

    /// One order for all profiles.
    fn write_extensions(&self, issuer: &Issuer, usage: u16, out: &mut Writer) {
        let shape = self.profile.shape();
        if self.profile.is_ca() {
            let path_length = if self.profile == Profile::Issuing { Some(0) } else { None };
            extension::write(out, &oid::BASIC_CONSTRAINTS, true, |out| {
                BasicConstraints { ca: true, path_length }.write(out);
            });
        }
        extension::write(out, &oid::KEY_USAGE, true, |out| out.named_bits(usage));
        self.write_extended_usage(shape.extended_usage, out);
        extension::write(out, &oid::SUBJECT_KEY_ID, false, |out| out.octet_string(&KeyId::of(self.key).0));
        if self.profile != Profile::Root {
            extension::write(out, &oid::AUTHORITY_KEY_ID, false, |out| {
                AuthorityKeyId::write(&issuer.key_id, out)
            });
        }
        if !self.names.is_empty() {
            extension::write(out, &oid::SUBJECT_ALT_NAME, self.subject.is_empty(), |out| {
                self.write_names(out)
            });
        }
        if let Some(constraints) = self.constraints {
            extension::write(out, &oid::NAME_CONSTRAINTS, true, |out| constraints.write(out));
        }
        if !self.policies.is_empty() {
            extension::write(out, &oid::CERTIFICATE_POLICIES, false, |out| {
                extension::write_policies(self.policies, out);
            });
        }
        self.write_revocation(shape.revocation, out);
        if self.must_staple {
            extension::write(out, &oid::TLS_FEATURE, false, |out| {
                out.sequence(|out| out.small(STATUS_REQUEST))
            });
        }
    }

    fn write_extended_usage(&self, usage: ExtendedUsage, out: &mut Writer) {
        let own = self.own_usage;
        let usages: &[Oid] = match usage {
            ExtendedUsage::None => return,
            ExtendedUsage::These(usages) => usages,
            ExtendedUsage::Own => own.as_slice(),
        };
        extension::write(out, &oid::EXTENDED_KEY_USAGE, false, |out| {
            out.sequence(|out| usages.iter().for_each(|usage| out.oid(usage)));
        });
    }

    fn write_names(&self, out: &mut Writer) {
        out.sequence(|out| {
            for (at, name) in self.names.iter().enumerate() {
                if !self.names.iter().take(at).any(|earlier| earlier == name) {
                    name.write(out);
                }
            }
        });
    }

    fn write_revocation(&self, revocation: Revocation, out: &mut Writer) {
        let lists = matches!(revocation, Revocation::List | Revocation::ListAndAnswers);
        if let Some(crl) = self.pointers.crl.as_ref().filter(|_| lists) {
            extension::write(out, &oid::CRL_DISTRIBUTION_POINTS, false, |out| {
                extension::write_distribution_point(crl.as_str(), out);
            });
        }
        let answers = revocation == Revocation::ListAndAnswers;
        let ocsp = self.pointers.ocsp.as_ref().filter(|_| answers).map(Uri::as_str);
        let fetches = lists || revocation == Revocation::NotAvailable;
        let issuer = self.pointers.issuer.as_ref().filter(|_| fetches).map(Uri::as_str);
        if ocsp.is_some() || issuer.is_some() {
            extension::write(out, &oid::AUTHORITY_INFO_ACCESS, false, |out| {
                extension::write_authority_info_access(ocsp, issuer, out);
            });
        }
        match revocation {
            Revocation::NotAvailable => extension::write(out, &oid::NO_REV_AVAIL, false, Writer::null),
            Revocation::NoCheck => extension::write(out, &oid::OCSP_NO_CHECK, false, Writer::null),
            _ => {}
        }
    }
}

/// Puts signed bytes and their signature together: a certificate or a CRL. The algorithm is the one that stands in the
/// signed bytes; an ECDSA signature is in its DER form.
#[must_use]
pub fn assemble(tbs: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    let mut out = Writer::with_capacity(tbs.len() + signature.len() + 64);
    out.sequence(|out| {
        out.raw(tbs);
        algorithm.write(out);
        out.bit_string(signature);
    });
    out.finish()
}
