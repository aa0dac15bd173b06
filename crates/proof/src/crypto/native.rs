//! The primitives by aws-lc-rs: everywhere but in the browser.
//!
//! Never here: anything besides hashing and the checking of signatures.

use aws_lc_rs::{digest, signature};

use super::CryptoError;

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

pub(super) fn sha384(bytes: &[u8]) -> [u8; 48] {
    let mut out = [0; 48];
    out.copy_from_slice(digest::digest(&digest::SHA384, bytes).as_ref());
    out
}

pub(super) fn ed25519_verify(key: &[u8], message: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
    signature::UnparsedPublicKey::new(&signature::ED25519, key)
        .verify(message, sig)
        .map_err(|_| CryptoError::Signature)
}

pub(super) fn p256_is_point(point: &[u8]) -> bool {
    signature::ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).is_ok()
}

pub(super) fn p256_verify(key: &[u8], message: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
    signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, key)
        .verify(message, sig)
        .map_err(|_| CryptoError::Signature)
}

pub(super) fn p384_is_point(point: &[u8]) -> Result<bool, CryptoError> {
    Ok(signature::ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).is_ok())
}

pub(super) fn p384_verify(key: &[u8], message: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
    signature::UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, key)
        .verify(message, sig)
        .map_err(|_| CryptoError::Signature)
}
