//! Certificate requests (PKCS #10, RFC 2986): a key, the proof that the requester has it, and the names asked for.
//!
//! The subject and what the request says about usage are advice; names are taken as values and never as bytes.
//! What is not known is refused with its identifier, so that nobody believes it was granted.
//! Never here: a decision whether the names belong to the requester.

use super::der::{DerError, Reader, SEQUENCE};
use super::extension::{self, BasicConstraints, Extension};
use super::names::{DNS_TAG, GeneralName, GeneralNameFault, Name};
use super::{Oid, oid, pem};
use crate::crypto::{KeyRefusal, SignatureAlgorithm, SubjectKey};

/// Longest request.
pub const CSR_BYTES_MAX: usize = 16 * 1024;
/// Most attributes of a request.
const ATTRIBUTES_MAX: usize = 16;

/// Why a request is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrFault {
    /// Longer than [`CSR_BYTES_MAX`].
    #[error("the request is longer than {CSR_BYTES_MAX} bytes")]
    TooLarge,
    /// No PEM of a certificate request.
    #[error("the request is no PEM: {0}")]
    Pem(#[from] pem::PemFault),
    /// No request of RFC 2986.
    #[error("the request is malformed: {0}")]
    Form(#[from] DerError),
    /// The key.
    #[error("{0}")]
    Key(#[from] KeyRefusal),
    /// The signature does not hold: the requester has not shown that the key is theirs.
    #[error("the signature by the requested key does not hold")]
    Possession,
    /// An attribute that is not known.
    #[error("the attribute {0} is not accepted")]
    Attribute(Oid),
    /// An extension that is not known.
    #[error("the extension {0} is not accepted")]
    Extension(Oid),
    /// One extension or attribute twice.
    #[error("{0} stands twice")]
    Twice(Oid),
    /// A request to become a CA.
    #[error("the request asks to become a certificate authority")]
    AsksForCa,
    /// A name.
    #[error("{0}")]
    Name(#[from] GeneralNameFault),
}

/// A request whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csr {
    /// The key that will be certified.
    pub key: SubjectKey,
    /// The subject asked for: advice.
    pub subject: Name,
    /// The names asked for, in order, without duplicates. DNS names are in lower case.
    pub names: Vec<GeneralName>,
    /// keyUsage asked for: advice.
    pub key_usage: Option<u16>,
    /// extKeyUsage asked for: advice.
    pub extended_key_usage: Vec<Oid>,
    /// Whether the requester wants a certificate that demands stapled OCSP (RFC 7633).
    pub must_staple: bool,
}

impl Csr {
    /// Reads PEM.
    ///
    /// # Errors
    /// [`CsrFault`].
    pub fn from_pem(text: &[u8]) -> Result<Self, CsrFault> {
        if text.len() > CSR_BYTES_MAX * 2 {
            return Err(CsrFault::TooLarge);
        }
        Self::from_der(&pem::one(text, pem::Label::CertificateRequest)?)
    }

    /// Reads DER and checks the signature.
    ///
    /// # Errors
    /// [`CsrFault`].
    pub fn from_der(der: &[u8]) -> Result<Self, CsrFault> {
        if der.len() > CSR_BYTES_MAX {
            return Err(CsrFault::TooLarge);
        }
        let mut outer = Reader::new(der);
        let mut request = outer.sequence()?;
        outer.finish()?;
        let information = request.element(SEQUENCE)?;
        let algorithm = SignatureAlgorithm::read(request.sequence()?)?;
        let signature = request.bit_string()?;
        request.finish()?;

        let mut reader = Reader::new(information.body);
        if reader.small()? != 0 {
            return Err(DerError::Value("version").into());
        }
        let subject = Name::read(reader.any()?)?;
        let key = SubjectKey::from_spki(reader.element(SEQUENCE)?.whole)?;
        let attributes = reader.tagged(0)?;
        reader.finish()?;
        // cheap before dear: the signature is checked before an RSA key is looked at closely
        key.verify(algorithm, information.whole, signature).map_err(|_| CsrFault::Possession)?;
        key.judge()?;

        let empty = Self {
            key,
            subject,
            names: Vec::new(),
            key_usage: None,
            extended_key_usage: Vec::new(),
            must_staple: false,
        };
        match attributes {
            Some(attributes) => empty.with_attributes(attributes),
            None => Ok(empty),
        }
    }

    fn with_attributes(mut self, mut attributes: Reader<'_>) -> Result<Self, CsrFault> {
        let mut seen = Vec::new();
        while !attributes.is_empty() {
            let mut attribute = attributes.sequence()?;
            let kind = attribute.oid()?;
            if seen.len() == ATTRIBUTES_MAX {
                return Err(DerError::Large.into());
            }
            if kind != oid::EXTENSION_REQUEST {
                return Err(CsrFault::Attribute(kind));
            }
            if seen.contains(&kind) {
                return Err(CsrFault::Twice(kind));
            }
            seen.push(kind);
            let mut values = attribute.set()?;
            attribute.finish()?;
            let extensions = Extension::read_all(&mut values)?;
            values.finish()?;
            self.read_extensions(&extensions)?;
        }
        Ok(self)
    }

    fn read_extensions(&mut self, extensions: &[Extension<'_>]) -> Result<(), CsrFault> {
        for (at, extension) in extensions.iter().enumerate() {
            if extensions.iter().take(at).any(|earlier| earlier.oid == extension.oid) {
                return Err(CsrFault::Twice(extension.oid));
            }
            match extension.oid {
                oid::SUBJECT_ALT_NAME => self.names = read_names(extension.value)?,
                oid::KEY_USAGE => self.key_usage = Some(extension::read_key_usage(extension.value)?),
                oid::EXTENDED_KEY_USAGE => {
                    self.extended_key_usage = extension::read_extended_key_usage(extension.value)?;
                }
                oid::BASIC_CONSTRAINTS => {
                    if BasicConstraints::read(extension.value)?.ca {
                        return Err(CsrFault::AsksForCa);
                    }
                }
                // the identifier is computed by us, by one method
                oid::SUBJECT_KEY_ID => {
                    extension::read_key_id(extension.value)?;
                }
                oid::TLS_FEATURE => {
                    if extension::read_tls_features(extension.value)? != [super::STATUS_REQUEST] {
                        return Err(CsrFault::Extension(extension.oid));
                    }
                    self.must_staple = true;
                }
                other => return Err(CsrFault::Extension(other)),
            }
        }
        Ok(())
    }
}

/// The names of a request. DNS knows no case, so upper-case letters are no fault here.
fn read_names(value: &[u8]) -> Result<Vec<GeneralName>, GeneralNameFault> {
    let mut outer = Reader::new(value);
    let mut reader = outer.sequence()?;
    outer.finish()?;
    let mut names = Vec::new();
    let mut count = 0;
    while !reader.is_empty() {
        count += 1;
        if count > super::NAMES_MAX {
            return Err(GeneralNameFault::TooMany);
        }
        let mut element = reader.any()?;
        let lower = element.body.to_ascii_lowercase();
        if element.tag == DNS_TAG {
            element.body = &lower;
        }
        let name = GeneralName::from_element(element)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { Err(GeneralNameFault::Empty) } else { Ok(names) }
}
