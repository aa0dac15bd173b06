//! OCSP requests and the CertID by which they ask.
//!
//! A signature on a request is not looked at (RFC 5019 §2.1.2 lets a responder do so); its form is.
//! Never here: a request answered in part; one malformed CertID refuses the whole.

use crate::crypto::{self, CryptoError};
use crate::x509::der::{DerError, Reader, Writer, context_constructed};
use crate::x509::extension::{self, Extension};
use crate::x509::names::Name;
use crate::x509::oid;
use crate::x509::serial::Serial;

/// Longest request.
pub const OCSP_REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Most certificates in one request.
pub const REQUESTS_MAX: usize = 10;
/// Longest nonce (RFC 9654).
pub const NONCE_BYTES_MAX: usize = 128;

/// How a CertID names the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdHash {
    /// SHA-1, as most clients ask; it names, it does not protect.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl IdHash {
    fn oid(self) -> crate::x509::Oid {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
        }
    }

    fn digest(self, bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(match self {
            Self::Sha1 => crypto::sha1(bytes)?.to_vec(),
            Self::Sha256 => crypto::sha256(bytes).to_vec(),
        })
    }
}

/// Which certificate is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertId {
    /// The hash of the next two.
    pub hash: IdHash,
    /// The hash of the issuer's name.
    pub issuer_name_hash: Vec<u8>,
    /// The hash of the issuer's key.
    pub issuer_key_hash: Vec<u8>,
    /// The certificate's number.
    pub serial: Serial,
    // NULL and absent parameters are both about; the answer repeats what the request has
    has_null: bool,
}

impl CertId {
    /// The CertID of a certificate, as most clients would write it.
    ///
    /// # Errors
    /// [`CryptoError::KeyKind`] for SHA-1 on wasm32.
    pub fn new(
        hash: IdHash,
        issuer: &Name,
        issuer_key: &crypto::SubjectKey,
        serial: Serial,
    ) -> Result<Self, CryptoError> {
        Ok(Self {
            hash,
            issuer_name_hash: hash.digest(issuer.der())?,
            issuer_key_hash: hash.digest(&crate::x509::key::key_octets(issuer_key))?,
            serial,
            has_null: true,
        })
    }

    /// Whether both speak of the same issuer.
    #[must_use]
    pub fn has_issuer_of(&self, other: &Self) -> bool {
        self.hash == other.hash
            && self.issuer_name_hash == other.issuer_name_hash
            && self.issuer_key_hash == other.issuer_key_hash
    }

    /// Writes the CertID.
    pub fn write(&self, out: &mut Writer) {
        out.sequence(|out| {
            out.sequence(|out| {
                out.oid(&self.hash.oid());
                if self.has_null {
                    out.null();
                }
            });
            out.octet_string(&self.issuer_name_hash);
            out.octet_string(&self.issuer_key_hash);
            self.serial.write(out);
        });
    }

    /// Reads a CertID.
    ///
    /// # Errors
    /// [`DerError`]; also for another hash.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut id = reader.sequence()?;
        let mut algorithm = id.sequence()?;
        let (hash, length) = match algorithm.oid()? {
            oid::SHA1 => (IdHash::Sha1, 20),
            oid::SHA256 => (IdHash::Sha256, 32),
            _ => return Err(DerError::Value("hash of a CertID")),
        };
        let has_null = !algorithm.is_empty();
        if has_null {
            algorithm.null()?;
        }
        algorithm.finish()?;
        let issuer_name_hash = id.octet_string()?;
        let issuer_key_hash = id.octet_string()?;
        if issuer_name_hash.len() != length || issuer_key_hash.len() != length {
            return Err(DerError::Value("hash of a CertID"));
        }
        let serial = Serial::read(&mut id)?;
        id.finish()?;
        Ok(Self {
            hash,
            issuer_name_hash: issuer_name_hash.to_vec(),
            issuer_key_hash: issuer_key_hash.to_vec(),
            serial,
            has_null,
        })
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    /// The certificates asked about: at least one.
    pub ids: Vec<CertId>,
    /// What the answer has to repeat.
    pub nonce: Option<Vec<u8>>,
}

impl OcspRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`DerError`]: malformed, over the limits, a nonce of no or too many octets, a critical extension that is not
    /// known. All of them are answered with malformedRequest.
    pub fn parse(der: &[u8]) -> Result<Self, DerError> {
        if der.len() > OCSP_REQUEST_BYTES_MAX {
            return Err(DerError::Large);
        }
        let mut outer = Reader::new(der);
        let mut request = outer.sequence()?;
        outer.finish()?;
        let mut tbs = request.sequence()?;
        if let Some(mut signature) = request.tagged(0)? {
            signature.sequence()?;
            signature.finish()?;
        }
        request.finish()?;
        if tbs.peek() == Some(context_constructed(0)) {
            // v1 is the default and may not be written out; there is no other
            return Err(DerError::Value("version"));
        }
        if let Some(mut requestor) = tbs.tagged(1)? {
            requestor.any()?;
            requestor.finish()?;
        }
        let mut list = tbs.sequence()?;
        let extensions = read_extensions(tbs.tagged(2)?)?;
        tbs.finish()?;
        let mut ids = Vec::new();
        while !list.is_empty() {
            if ids.len() == REQUESTS_MAX {
                return Err(DerError::Large);
            }
            let mut one = list.sequence()?;
            ids.push(CertId::read(&mut one)?);
            refuse_critical(&read_extensions(one.tagged(0)?)?)?;
            one.finish()?;
        }
        if ids.is_empty() {
            return Err(DerError::Value("list of requests"));
        }
        Ok(Self { ids, nonce: read_nonce(&extensions)? })
    }

    /// Writes a request, as an agent asks about its own certificate.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        Writer::build(|out| {
            out.sequence(|out| {
                out.sequence(|out| {
                    out.sequence(|out| self.ids.iter().for_each(|id| out.sequence(|out| id.write(out))));
                    if let Some(nonce) = &self.nonce {
                        out.nested(context_constructed(2), |out| out.sequence(|out| write_nonce(nonce, out)));
                    }
                });
            });
        })
    }
}

pub(super) fn write_nonce(nonce: &[u8], out: &mut Writer) {
    extension::write(out, &oid::OCSP_NONCE, false, |out| out.octet_string(nonce));
}

pub(super) fn read_nonce(extensions: &[Extension<'_>]) -> Result<Option<Vec<u8>>, DerError> {
    let mut nonce = None;
    for extension in extensions {
        if extension.oid == oid::OCSP_NONCE {
            let octets = extension::whole(extension.value, Reader::octet_string)?;
            if octets.is_empty() || octets.len() > NONCE_BYTES_MAX || nonce.is_some() {
                return Err(DerError::Value("nonce"));
            }
            nonce = Some(octets.to_vec());
        } else if extension.critical {
            return Err(DerError::Value("critical extension"));
        }
    }
    Ok(nonce)
}

pub(super) fn read_extensions(tagged: Option<Reader<'_>>) -> Result<Vec<Extension<'_>>, DerError> {
    let Some(mut reader) = tagged else { return Ok(Vec::new()) };
    let extensions = Extension::read_all(&mut reader)?;
    reader.finish()?;
    Ok(extensions)
}

fn refuse_critical(extensions: &[Extension<'_>]) -> Result<(), DerError> {
    if extensions.iter().any(|extension| extension.critical) {
        return Err(DerError::Value("critical extension"));
    }
    Ok(())
}
