//! Keys of subjects: what stands in a certificate, a certificate request or the JWK of an ACME account.
//!
//! A key that exists has the right form: a point of its curve, an RSA modulus of a size that is accepted. Whether an
//! RSA key is known to be weak costs more and is asked apart, once, when a stranger brings the key.
//! Never here: ASN.1 (that is `x509`), a secret key.

use super::{CryptoError, engine, weak};

/// Smallest RSA modulus that is accepted.
pub const RSA_BITS_MIN: usize = 2048;
/// Largest RSA modulus that is accepted; larger ones make others work.
pub const RSA_BITS_MAX: usize = 8192;
/// Longest RSA exponent: longer ones make every check of a signature slow.
const RSA_EXPONENT_BYTES_MAX: usize = 4;
/// Smallest RSA exponent that is accepted.
const RSA_EXPONENT_MIN: u32 = 65_537;

/// Why a public key is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeyRefusal {
    /// The encoding is not the one that the standard gives this kind of key.
    #[error("the key is malformed")]
    Form,
    /// An algorithm that is not known here.
    #[error("keys of this algorithm are not accepted")]
    Algorithm,
    /// DSA.
    #[error("DSA keys are not accepted")]
    Dsa,
    /// A curve other than P-256 and P-384.
    #[error("keys on this curve are not accepted")]
    Curve,
    /// A curve given by its parameters and not by its name: another curve may hide behind a known one.
    #[error("a curve given by explicit parameters is not accepted")]
    ExplicitCurve,
    /// No point of the curve, or a compressed one.
    #[error("the key is no uncompressed point of its curve")]
    Point,
    /// An RSA modulus under [`RSA_BITS_MIN`].
    #[error("an RSA key of {bits} bits is too small")]
    RsaSmall {
        /// Bits of the modulus.
        bits: usize,
    },
    /// An RSA modulus over [`RSA_BITS_MAX`].
    #[error("an RSA key of {bits} bits is too large")]
    RsaLarge {
        /// Bits of the modulus.
        bits: usize,
    },
    /// An RSA modulus whose length is no whole number of octets.
    #[error("an RSA key of {bits} bits is not accepted: the length is no multiple of 8")]
    RsaLength {
        /// Bits of the modulus.
        bits: usize,
    },
    /// An RSA exponent that is even, under 65537 or longer than 32 bits.
    #[error("the RSA exponent is even, too small or too large")]
    RsaExponent,
    /// An RSA modulus with a small factor.
    #[error("the RSA modulus has a small factor")]
    RsaFactor,
    /// The mark that a faulty generator leaves (CVE-2017-15361).
    #[error("the RSA key comes from a faulty generator (ROCA)")]
    RsaRoca,
    /// Two factors so close that Fermat's method finds them.
    #[error("the factors of the RSA modulus are too close")]
    RsaCloseFactors,
    /// The kind is sound, but this build cannot work with it.
    #[error("this build cannot work with keys of this kind")]
    Unsupported,
}

/// What a signature of a certificate, CRL, OCSP response or request is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureAlgorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA with SHA-256.
    EcdsaSha256,
    /// ECDSA with SHA-384.
    EcdsaSha384,
    /// ECDSA with SHA-512: read in requests, never made.
    EcdsaSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaSha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaSha512,
}

/// An RSA public key of an accepted size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaKey {
    /// The modulus, big-endian, without leading zeros.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The exponent, big-endian, without leading zeros.
    #[must_use]
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// Bits of the modulus.
    #[must_use]
    pub fn bits(&self) -> usize {
        bits(&self.modulus)
    }
}

/// A public key of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SubjectKey {
    /// Ed25519, 32 bytes.
    Ed25519([u8; 32]),
    /// P-256, the uncompressed point.
    P256([u8; 65]),
    /// P-384, the uncompressed point.
    P384([u8; 97]),
    /// RSA.
    Rsa(RsaKey),
}

impl SubjectKey {
    /// An Ed25519 key.
    ///
    /// # Errors
    /// [`KeyRefusal::Form`] for another length.
    pub fn ed25519(key: &[u8]) -> Result<Self, KeyRefusal> {
        Ok(Self::Ed25519(key.try_into().map_err(|_| KeyRefusal::Form)?))
    }

    /// A P-256 key from its uncompressed point (SEC 1).
    ///
    /// # Errors
    /// [`KeyRefusal::Point`].
    pub fn p256(point: &[u8]) -> Result<Self, KeyRefusal> {
        let bytes: [u8; 65] = point.try_into().map_err(|_| KeyRefusal::Point)?;
        if !engine::p256_is_point(&bytes) {
            return Err(KeyRefusal::Point);
        }
        Ok(Self::P256(bytes))
    }

    /// A P-384 key from its uncompressed point (SEC 1).
    ///
    /// # Errors
    /// [`KeyRefusal::Point`]; [`KeyRefusal::Unsupported`] on wasm32.
    pub fn p384(point: &[u8]) -> Result<Self, KeyRefusal> {
        let bytes: [u8; 97] = point.try_into().map_err(|_| KeyRefusal::Point)?;
        if !engine::p384_is_point(&bytes).map_err(|_| KeyRefusal::Unsupported)? {
            return Err(KeyRefusal::Point);
        }
        Ok(Self::P384(bytes))
    }

    /// An RSA key from modulus and exponent, big-endian, without leading zeros.
    ///
    /// # Errors
    /// [`KeyRefusal`] by size and form; [`SubjectKey::judge`] looks deeper.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyRefusal> {
        if modulus.first().is_none_or(|first| *first == 0) || exponent.first().is_none_or(|first| *first == 0)
        {
            return Err(KeyRefusal::Form);
        }
        let bits = bits(modulus);
        if bits < RSA_BITS_MIN {
            return Err(KeyRefusal::RsaSmall { bits });
        }
        if bits > RSA_BITS_MAX {
            return Err(KeyRefusal::RsaLarge { bits });
        }
        if !bits.is_multiple_of(8) {
            return Err(KeyRefusal::RsaLength { bits });
        }
        if exponent.len() > RSA_EXPONENT_BYTES_MAX {
            return Err(KeyRefusal::RsaExponent);
        }
        let value = exponent.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
        if value < RSA_EXPONENT_MIN || value.is_multiple_of(2) {
            return Err(KeyRefusal::RsaExponent);
        }
        Ok(Self::Rsa(RsaKey { modulus: modulus.to_vec(), exponent: exponent.to_vec() }))
    }

    /// Looks for keys that are known to be weak: small factors, ROCA, close factors. For keys that strangers bring;
    /// the list of Debian's generator of 2008 is not consulted (its keys of 2048 bits are older than any client).
    ///
    /// # Errors
    /// [`KeyRefusal`] with the weakness.
    pub fn judge(&self) -> Result<(), KeyRefusal> {
        match self {
            Self::Rsa(key) => weak::judge(&key.modulus),
            Self::Ed25519(_) | Self::P256(_) | Self::P384(_) => Ok(()),
        }
    }

    /// What this key signs with when it belongs to an issuer.
    #[must_use]
    pub fn issuing_algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Ed25519(_) => SignatureAlgorithm::Ed25519,
            Self::P256(_) => SignatureAlgorithm::EcdsaSha256,
            Self::P384(_) => SignatureAlgorithm::EcdsaSha384,
            Self::Rsa(_) => SignatureAlgorithm::RsaSha256,
        }
    }

    /// Checks a signature in the form of X.509: ECDSA as DER.
    ///
    /// # Errors
    /// [`CryptoError::KeyKind`] when key and algorithm do not belong together, else [`CryptoError::Signature`].
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match (self, algorithm) {
            (Self::Ed25519(key), SignatureAlgorithm::Ed25519) => {
                engine::ed25519_verify(key, message, signature)
            }
            (Self::P256(point), _) => engine::p256_verify_der(algorithm, point, message, signature),
            (Self::P384(point), _) => engine::p384_verify_der(algorithm, point, message, signature),
            (Self::Rsa(key), _) => {
                engine::rsa_verify(algorithm, &key.modulus, &key.exponent, message, signature)
            }
            (Self::Ed25519(_), _) => Err(CryptoError::KeyKind),
        }
    }

    /// Checks a signature in the form of JOSE: ECDSA as r‖s of fixed width, each curve with its own hash.
    ///
    /// # Errors
    /// As [`SubjectKey::verify`].
    pub fn verify_fixed(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match (self, algorithm) {
            (Self::P256(point), SignatureAlgorithm::EcdsaSha256) => {
                engine::p256_verify(point, message, signature)
            }
            (Self::P384(point), SignatureAlgorithm::EcdsaSha384) => {
                engine::p384_verify(point, message, signature)
            }
            (Self::P256(_) | Self::P384(_), _) => Err(CryptoError::KeyKind),
            (Self::Ed25519(_) | Self::Rsa(_), _) => self.verify(algorithm, message, signature),
        }
    }
}

fn bits(number: &[u8]) -> usize {
    let Some(first) = number.first() else { return 0 };
    number.len() * 8 - first.leading_zeros() as usize
}
