//! The primitives by RustCrypto: in the browser, where aws-lc-rs does not build.
//!
//! Natively it is compiled for the tests alone, which run one vector suite on both.
//! Never here: anything besides hashing and the checking of signatures.

use ed25519_dalek::Verifier as _;
use sha2::Digest as _;

use super::CryptoError;

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

pub(super) fn sha384(bytes: &[u8]) -> [u8; 48] {
    sha2::Sha384::digest(bytes).into()
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

/// Nothing that a browser checks is signed on P-384.
pub(super) fn p384_is_point(_point: &[u8]) -> Result<bool, CryptoError> {
    Err(CryptoError::KeyKind)
}

pub(super) fn p384_verify(_key: &[u8], _message: &[u8], _sig: &[u8]) -> Result<(), CryptoError> {
    Err(CryptoError::KeyKind)
}
