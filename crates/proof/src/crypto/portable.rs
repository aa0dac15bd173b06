//! The primitives by RustCrypto: in the browser, where aws-lc-rs does not build.
//!
//! Natively it is compiled for the tests alone, which run one vector suite on both.
//! Never here: anything besides hashing and the checking of signatures.

use ed25519_dalek::Verifier as _;
use sha2::Digest as _;

use super::{CryptoError, MacAlgorithm, SignatureAlgorithm};

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

pub(super) fn sha384(bytes: &[u8]) -> [u8; 48] {
    sha2::Sha384::digest(bytes).into()
}

pub(super) fn sha512(bytes: &[u8]) -> [u8; 64] {
    sha2::Sha512::digest(bytes).into()
}

pub(super) fn sha1(_bytes: &[u8]) -> Result<[u8; 20], CryptoError> {
    Err(CryptoError::KeyKind)
}

pub(super) fn hmac_verify(
    _algorithm: MacAlgorithm,
    _key: &[u8],
    _message: &[u8],
    _code: &[u8],
) -> Result<(), CryptoError> {
    Err(CryptoError::KeyKind)
}

pub(super) fn ed25519_verify(key: &[u8], message: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
    let key: &[u8; 32] = key.try_into().map_err(|_| CryptoError::KeyForm)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| CryptoError::KeyForm)?;
    let sig = ed25519_dalek::Signature::from_slice(sig).map_err(|_| CryptoError::Signature)?;
    key.verify(message, &sig).map_err(|_| CryptoError::Signature)
}

pub(super) fn p256_is_point(point: &[u8]) -> bool {
    p256::ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok()
}

pub(super) fn p256_verify(key: &[u8], message: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| CryptoError::KeyForm)?;
    let sig = p256::ecdsa::Signature::from_slice(sig).map_err(|_| CryptoError::Signature)?;
    p256::ecdsa::signature::Verifier::verify(&key, message, &sig).map_err(|_| CryptoError::Signature)
}

pub(super) fn p256_verify_der(
    algorithm: SignatureAlgorithm,
    point: &[u8],
    message: &[u8],
    sig: &[u8],
) -> Result<(), CryptoError> {
    if algorithm != SignatureAlgorithm::EcdsaSha256 {
        return Err(CryptoError::KeyKind);
    }
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| CryptoError::KeyForm)?;
    let sig = p256::ecdsa::Signature::from_der(sig).map_err(|_| CryptoError::Signature)?;
    p256::ecdsa::signature::Verifier::verify(&key, message, &sig).map_err(|_| CryptoError::Signature)
}

pub(super) fn p384_verify_der(
    _algorithm: SignatureAlgorithm,
    _point: &[u8],
    _message: &[u8],
    _sig: &[u8],
) -> Result<(), CryptoError> {
    Err(CryptoError::KeyKind)
}

pub(super) fn p384_verify(_point: &[u8], _message: &[u8], _sig: &[u8]) -> Result<(), CryptoError> {
    Err(CryptoError::KeyKind)
}

pub(super) fn p384_is_point(_point: &[u8]) -> Result<bool, CryptoError> {
    Err(CryptoError::KeyKind)
}

pub(super) fn rsa_verify(
    _algorithm: SignatureAlgorithm,
    _modulus: &[u8],
    _exponent: &[u8],
    _message: &[u8],
    _sig: &[u8],
) -> Result<(), CryptoError> {
    Err(CryptoError::KeyKind)
}
