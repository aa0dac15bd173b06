//! Reading CRLs: the head at once, the entries one by one.
//!
//! Never here: a decision whether a list is fresh or complete enough; the caller knows the time and the certificate.

use super::{Entry, Reason};
use crate::crypto::{CryptoError, SignatureAlgorithm, SubjectKey};
use crate::x509::Oid;
use crate::x509::der::{
    DerError, GENERALIZED_TIME, Reader, SEQUENCE, UTC_TIME, context, context_constructed,
};
use crate::x509::extension::{self, AuthorityKeyId, Extension};
use crate::x509::names::Name;
use crate::x509::oid;
use crate::x509::serial::Serial;
use crate::x509::time::Moment;

/// Longest list that is read: two million entries, and some.
pub const CRL_BYTES_MAX: usize = 128 * 1024 * 1024;

/// issuingDistributionPoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistributionPoint<'a> {
    /// Addresses of the fullName.
    pub addresses: Vec<&'a str>,
    /// End entities alone.
    pub only_user_certificates: bool,
    /// CAs alone.
    pub only_ca_certificates: bool,
    /// Reasons are limited, the list is indirect, or it speaks of attribute certificates.
    pub has_other_limits: bool,
}

/// A CRL, borrowed from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl<'a> {
    /// What was signed.
    pub tbs: &'a [u8],
    /// The AlgorithmIdentifier inside what was signed.
    pub inner_algorithm: &'a [u8],
    /// The AlgorithmIdentifier beside the signature.
    pub outer_algorithm: &'a [u8],
    /// Who signed.
    pub issuer: Name,
    /// When the list was made.
    pub this_update: Moment,
    /// When the next one is due.
    pub next_update: Option<Moment>,
    /// The extensions in order.
    pub extensions: Vec<Extension<'a>>,
    /// The signature.
    pub signature: &'a [u8],
    /// 1 or 2.
    pub version: u64,
    pub(crate) entries: Option<&'a [u8]>,
}

impl<'a> Crl<'a> {
    /// Reads the head and checks that the rest has the structure of a list.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn parse(der: &'a [u8]) -> Result<Self, DerError> {
        if der.len() > CRL_BYTES_MAX {
            return Err(DerError::Large);
        }
        let mut outer = Reader::new(der);
        let mut list = outer.sequence()?;
        outer.finish()?;
        let tbs = list.element(SEQUENCE)?;
        let outer_algorithm = list.element(SEQUENCE)?.whole;
        let signature = list.bit_string()?;
        list.finish()?;

        let mut reader = Reader::new(tbs.body);
        let version = if reader.peek() == Some(SEQUENCE) { 1 } else { reader.small()?.saturating_add(1) };
        let inner_algorithm = reader.element(SEQUENCE)?.whole;
        let issuer = Name::read(reader.any()?)?;
        let this_update = Moment::read(&mut reader)?;
        let next_update = match reader.peek() {
            Some(UTC_TIME | GENERALIZED_TIME) => Some(Moment::read(&mut reader)?),
            _ => None,
        };
        let entries = reader.optional(SEQUENCE)?;
        let extensions = match reader.tagged(0)? {
            None => Vec::new(),
            Some(mut inner) => {
                let extensions = Extension::read_all(&mut inner)?;
                inner.finish()?;
                extensions
            }
        };
        reader.finish()?;
        Ok(Self {
            tbs: tbs.whole,
            inner_algorithm,
            outer_algorithm,
            issuer,
            this_update,
            next_update,
            extensions,
            signature,
            version,
            entries,
        })
    }

    /// The entries in order; reading ends at the first that is malformed.
    #[must_use]
    pub fn entries(&self) -> Entries<'a> {
        Entries { reader: Reader::new(self.entries.unwrap_or_default()) }
    }

    /// The entry of a serial number.
    ///
    /// # Errors
    /// [`DerError`] when an entry before it is malformed.
    pub fn find(&self, serial: &Serial) -> Result<Option<Entry>, DerError> {
        for entry in self.entries() {
            let entry = entry?;
            if entry.serial == *serial {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Checks the signature by an issuer's key.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn verify(&self, issuer: &SubjectKey) -> Result<(), CryptoError> {
        if self.inner_algorithm != self.outer_algorithm {
            return Err(CryptoError::KeyKind);
        }
        let mut outer = Reader::new(self.outer_algorithm);
        let algorithm =
            outer.sequence().and_then(SignatureAlgorithm::read).map_err(|_| CryptoError::KeyKind)?;
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

    /// cRLNumber.
    ///
    /// # Errors
    /// [`DerError`]; also for numbers beyond 64 bits.
    pub fn number(&self) -> Result<Option<u64>, DerError> {
        self.value(oid::CRL_NUMBER, |value| extension::whole(value, Reader::small))
    }

    /// The number of the full list that this delta changes.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn delta_base(&self) -> Result<Option<u64>, DerError> {
        self.value(oid::DELTA_CRL_INDICATOR, |value| extension::whole(value, Reader::small))
    }

    /// authorityKeyIdentifier.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn authority_key_id(&self) -> Result<Option<AuthorityKeyId<'a>>, DerError> {
        self.value(oid::AUTHORITY_KEY_ID, AuthorityKeyId::read)
    }

    /// issuingDistributionPoint.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn distribution_point(&self) -> Result<Option<DistributionPoint<'a>>, DerError> {
        self.value(oid::ISSUING_DISTRIBUTION_POINT, read_distribution_point)
    }
}

fn read_distribution_point(value: &[u8]) -> Result<DistributionPoint<'_>, DerError> {
    let flag = |reader: &mut Reader<'_>, number: u8| match reader.optional(context(number))? {
        None => Ok(false),
        Some([0xff]) => Ok(true),
        Some(_) => Err(DerError::Value("BOOLEAN")),
    };
    let mut reader = extension::whole(value, Reader::sequence)?;
    let addresses = match reader.optional(context_constructed(0))? {
        Some(name) => extension::read_full_name(Reader::new(name))?,
        None => Vec::new(),
    };
    let only_user_certificates = flag(&mut reader, 1)?;
    let only_ca_certificates = flag(&mut reader, 2)?;
    let reasons = reader.optional(context(3))?;
    let indirect = flag(&mut reader, 4)?;
    let attributes = flag(&mut reader, 5)?;
    reader.finish()?;
    let has_other_limits = reasons.is_some() || indirect || attributes;
    Ok(DistributionPoint { addresses, only_user_certificates, only_ca_certificates, has_other_limits })
}

/// The entries of a list.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    reader: Reader<'a>,
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, DerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let entry = read_entry(&mut self.reader);
        if entry.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(entry)
    }
}

/// An entry as it stands there, for the lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEntry {
    pub(crate) serial: Serial,
    pub(crate) revoked_at: Moment,
    pub(crate) reason_code: Option<u8>,
    pub(crate) invalid_since: Option<Moment>,
    pub(crate) has_critical: bool,
}

pub(crate) fn read_raw_entry(reader: &mut Reader<'_>) -> Result<RawEntry, DerError> {
    let mut one = reader.sequence()?;
    let serial = Serial::read(&mut one)?;
    let revoked_at = Moment::read(&mut one)?;
    let mut entry =
        RawEntry { serial, revoked_at, reason_code: None, invalid_since: None, has_critical: false };
    if !one.is_empty() {
        for extension in Extension::read_all(&mut one)? {
            entry.has_critical |= extension.critical;
            match extension.oid {
                oid::REASON_CODE => {
                    entry.reason_code = Some(extension::whole(extension.value, Reader::enumerated)?);
                }
                oid::INVALIDITY_DATE => {
                    entry.invalid_since = Some(extension::whole(extension.value, Moment::read_generalized)?);
                }
                _ if extension.critical => return Err(DerError::Value("critical extension")),
                _ => {}
            }
        }
    }
    one.finish()?;
    Ok(entry)
}

fn read_entry(reader: &mut Reader<'_>) -> Result<Entry, DerError> {
    let raw = read_raw_entry(reader)?;
    // a reason that is not in the product is still a revocation
    let reason = raw.reason_code.and_then(Reason::from_code).unwrap_or(Reason::Unspecified);
    Ok(Entry { serial: raw.serial, revoked_at: raw.revoked_at, reason, invalid_since: raw.invalid_since })
}
