//! AlgorithmIdentifier of signatures (RFC 5280, 5758, 8410), and the forms of an ECDSA signature.
//!
//! Parameters are absent for ECDSA and Ed25519 and NULL for RSA; every other form is refused.
//! Never here: SHA-1, RSASSA-PSS.

use super::der::{DerError, Reader, Writer};
use super::{Oid, oid};
use crate::crypto::SignatureAlgorithm;

impl SignatureAlgorithm {
    const ALL: [Self; 7] = [
        Self::Ed25519,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
    ];

    /// The algorithm's identifier.
    #[must_use]
    pub fn oid(self) -> Oid {
        match self {
            Self::Ed25519 => oid::ED25519,
            Self::EcdsaSha256 => oid::ECDSA_SHA256,
            Self::EcdsaSha384 => oid::ECDSA_SHA384,
            Self::EcdsaSha512 => oid::ECDSA_SHA512,
            Self::RsaSha256 => oid::RSA_SHA256,
            Self::RsaSha384 => oid::RSA_SHA384,
            Self::RsaSha512 => oid::RSA_SHA512,
        }
    }

    fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }

    /// Writes the AlgorithmIdentifier.
    pub fn write(self, out: &mut Writer) {
        out.sequence(|out| {
            out.oid(&self.oid());
            if self.is_rsa() {
                out.null();
            }
        });
    }

    /// Reads the content of an AlgorithmIdentifier.
    ///
    /// # Errors
    /// [`DerError`]: malformed, an algorithm that is not accepted, or parameters of another form.
    pub fn read(mut reader: Reader<'_>) -> Result<Self, DerError> {
        let found = reader.oid()?;
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.oid() == found);
        let algorithm = known.ok_or(DerError::Value("signature algorithm"))?;
        if algorithm.is_rsa() {
            reader.null()?;
        }
        reader.finish()?;
        Ok(algorithm)
    }
}

/// Turns an ECDSA signature of r‖s, as hardware gives it, into the DER that certificates carry. None for an odd or
/// empty length.
#[must_use]
pub fn ecdsa_der(fixed: &[u8]) -> Option<Vec<u8>> {
    if fixed.is_empty() || !fixed.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = fixed.split_at_checked(fixed.len() / 2)?;
    Some(Writer::build(|out| {
        out.sequence(|out| {
            out.natural(r);
            out.natural(s);
        });
    }))
}
