//! Reading certificates (RFC 5280 §4.1), ours and others'.
//!
//! [`Certificate::parse`] accepts whatever has the structure of a certificate, so that an inventory can show it and the
//! lint can name what is wrong with it; each value is read strictly when it is asked for.
//! Never here: a path, a decision of trust.

use super::constraints::NameConstraints;
use super::der::{DerError, Reader, SEQUENCE};
use super::extension::{self, AuthorityKeyId, BasicConstraints, Extension};
use super::names::{GeneralName, GeneralNameFault, Name};
use super::serial::Serial;
use super::time::Validity;
use super::{Oid, oid};
use crate::crypto::{self, CryptoError, KeyRefusal, SignatureAlgorithm, SubjectKey};

/// Longest certificate that is read.
pub const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

/// A certificate, borrowed from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The whole encoding.
    pub der: &'a [u8],
    /// What was signed.
    pub tbs: &'a [u8],
    /// 1, 2 or 3.
    pub version: u64,
    /// The content of the serial number's INTEGER, whatever it is.
    pub serial_content: &'a [u8],
    /// The AlgorithmIdentifier inside what was signed.
    pub inner_algorithm: &'a [u8],
    /// The AlgorithmIdentifier beside the signature.
    pub outer_algorithm: &'a [u8],
    /// Who signed.
    pub issuer: Name,
    /// Whose key it is.
    pub subject: Name,
    /// The SubjectPublicKeyInfo.
    pub spki: &'a [u8],
    /// The extensions in order.
    pub extensions: Vec<Extension<'a>>,
    /// Whether issuerUniqueID or subjectUniqueID are there.
    pub has_unique_ids: bool,
    /// The signature.
    pub signature: &'a [u8],
    validity: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads the structure.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn parse(der: &'a [u8]) -> Result<Self, DerError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(DerError::Large);
        }
        let mut outer = Reader::new(der);
        let mut certificate = outer.sequence()?;
        outer.finish()?;
        let tbs = certificate.element(SEQUENCE)?;
        let outer_algorithm = certificate.element(SEQUENCE)?.whole;
        let signature = certificate.bit_string()?;
        certificate.finish()?;

        let mut reader = Reader::new(tbs.body);
        let version = match reader.tagged(0)? {
            None => 1,
            Some(mut inner) => {
                let number = inner.small()?;
                inner.finish()?;
                // 0 is the default and may not be written out
                if !(1..=2).contains(&number) {
                    return Err(DerError::Value("version"));
                }
                number + 1
            }
        };
        let serial_content = reader.integer()?;
        let inner_algorithm = reader.element(SEQUENCE)?.whole;
        let issuer = Name::read(reader.any()?)?;
        let validity = reader.take(SEQUENCE)?;
        let subject = Name::read(reader.any()?)?;
        let spki = reader.element(SEQUENCE)?.whole;
        let issuer_unique_id = reader.optional(super::der::context(1))?;
        let subject_unique_id = reader.optional(super::der::context(2))?;
        let extensions = match reader.tagged(3)? {
            None => Vec::new(),
            Some(mut inner) => {
                let extensions = Extension::read_all(&mut inner)?;
                inner.finish()?;
                extensions
            }
        };
        reader.finish()?;
        Ok(Self {
            der,
            tbs: tbs.whole,
            version,
            serial_content,
            inner_algorithm,
            outer_algorithm,
            issuer,
            subject,
            spki,
            extensions,
            has_unique_ids: issuer_unique_id.is_some() || subject_unique_id.is_some(),
            signature,
            validity,
        })
    }

    /// The serial number; None for one that RFC 5280 does not allow.
    #[must_use]
    pub fn serial(&self) -> Option<Serial> {
        Serial::from_content(self.serial_content)
    }

    /// From and until when.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn validity(&self) -> Result<Validity, DerError> {
        Validity::read(Reader::new(self.validity))
    }

    /// The algorithm of the signature.
    ///
    /// # Errors
    /// [`DerError`] when it is not accepted.
    pub fn algorithm(&self) -> Result<SignatureAlgorithm, DerError> {
        SignatureAlgorithm::read(Reader::new(self.outer_algorithm).sequence()?)
    }

    /// The subject's key.
    ///
    /// # Errors
    /// [`KeyRefusal`].
    pub fn key(&self) -> Result<SubjectKey, KeyRefusal> {
        SubjectKey::from_spki(self.spki)
    }

    /// SHA-256 of the whole certificate.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        crypto::sha256(self.der)
    }

    /// Checks the signature by an issuer's key. Names, times and constraints are another question.
    ///
    /// # Errors
    /// [`CryptoError::KeyKind`] for an algorithm that is not accepted or two that differ, else
    /// [`CryptoError::Signature`].
    pub fn verify(&self, issuer: &SubjectKey) -> Result<(), CryptoError> {
        if self.inner_algorithm != self.outer_algorithm {
            return Err(CryptoError::KeyKind);
        }
        let algorithm = self.algorithm().map_err(|_| CryptoError::KeyKind)?;
        issuer.verify(algorithm, self.tbs, self.signature)
    }

    /// The first extension of a kind.
    #[must_use]
    pub fn extension(&self, kind: Oid) -> Option<&Extension<'a>> {
        self.extensions.iter().find(|extension| extension.oid == kind)
    }

    fn value<T>(
        &self,
        kind: Oid,
        read: impl FnOnce(&'a [u8]) -> Result<T, DerError>,
    ) -> Result<Option<T>, DerError> {
        self.extension(kind).map(|extension| read(extension.value)).transpose()
    }

    /// basicConstraints.
    ///
    /// # Errors
    /// [`DerError`], as for all that follow.
    pub fn basic_constraints(&self) -> Result<Option<BasicConstraints>, DerError> {
        self.value(oid::BASIC_CONSTRAINTS, BasicConstraints::read)
    }

    /// keyUsage.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn key_usage(&self) -> Result<Option<u16>, DerError> {
        self.value(oid::KEY_USAGE, extension::read_key_usage)
    }

    /// extKeyUsage; empty when absent.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn extended_key_usage(&self) -> Result<Vec<Oid>, DerError> {
        Ok(self.value(oid::EXTENDED_KEY_USAGE, extension::read_extended_key_usage)?.unwrap_or_default())
    }

    /// subjectKeyIdentifier.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn subject_key_id(&self) -> Result<Option<&'a [u8]>, DerError> {
        self.value(oid::SUBJECT_KEY_ID, extension::read_key_id)
    }

    /// authorityKeyIdentifier.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn authority_key_id(&self) -> Result<Option<AuthorityKeyId<'a>>, DerError> {
        self.value(oid::AUTHORITY_KEY_ID, AuthorityKeyId::read)
    }

    /// subjectAltName as names that may be issued; empty when absent.
    ///
    /// # Errors
    /// [`GeneralNameFault`] for a kind or form that Selo does not issue.
    pub fn names(&self) -> Result<Vec<GeneralName>, GeneralNameFault> {
        self.extension(oid::SUBJECT_ALT_NAME)
            .map_or(Ok(Vec::new()), |extension| GeneralName::read_all(extension.value))
    }

    /// nameConstraints.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn name_constraints(&self) -> Result<Option<NameConstraints>, DerError> {
        self.value(oid::NAME_CONSTRAINTS, NameConstraints::read)
    }

    /// Addresses of CRLs; empty when absent.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn crl_addresses(&self) -> Result<Vec<&'a str>, DerError> {
        Ok(self.value(oid::CRL_DISTRIBUTION_POINTS, extension::read_distribution_points)?.unwrap_or_default())
    }

    /// Methods and addresses of authorityInfoAccess; empty when absent.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn access(&self) -> Result<Vec<(Oid, &'a str)>, DerError> {
        Ok(self.value(oid::AUTHORITY_INFO_ACCESS, extension::read_authority_info_access)?.unwrap_or_default())
    }

    /// Policies; empty when absent.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn policies(&self) -> Result<Vec<Oid>, DerError> {
        Ok(self.value(oid::CERTIFICATE_POLICIES, extension::read_policies)?.unwrap_or_default())
    }

    /// Whether issuer and subject are one and the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
}
