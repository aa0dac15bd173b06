//! The primitives by aws-lc-rs: everywhere but in the browser.
//!
//! Never here: anything besides hashing and the checking of signatures.

use aws_lc_rs::{digest, hmac, signature};

use super::{CryptoError, MacAlgorithm, SignatureAlgorithm};

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

pub(super) fn sha512(bytes: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    out.copy_from_slice(digest::digest(&digest::SHA512, bytes).as_ref());
    out
}

pub(super) fn sha1(bytes: &[u8]) -> Result<[u8; 20], CryptoError> {
    let mut out = [0; 20];
    out.copy_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
    Ok(out)
}

pub(super) fn hmac_verify(
    algorithm: MacAlgorithm,
    key: &[u8],
    message: &[u8],
    code: &[u8],
) -> Result<(), CryptoError> {
    let algorithm = match algorithm {
        MacAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
        MacAlgorithm::HmacSha384 => hmac::HMAC_SHA384,
        MacAlgorithm::HmacSha512 => hmac::HMAC_SHA512,
    };
    hmac::verify(&hmac::Key::new(algorithm, key), message, code).map_err(|_| CryptoError::Signature)
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
    ecdsa_verify(&signature::ECDSA_P256_SHA256_FIXED, key, message, sig)
}

pub(super) fn p256_verify_der(
    algorithm: SignatureAlgorithm,
    point: &[u8],
    message: &[u8],
    sig: &[u8],
) -> Result<(), CryptoError> {
    let by = match algorithm {
        SignatureAlgorithm::EcdsaSha256 => &signature::ECDSA_P256_SHA256_ASN1,
        SignatureAlgorithm::EcdsaSha384 => &signature::ECDSA_P256_SHA384_ASN1,
        SignatureAlgorithm::EcdsaSha512 => &signature::ECDSA_P256_SHA512_ASN1,
        _ => return Err(CryptoError::KeyKind),
    };
    ecdsa_verify(by, point, message, sig)
}

pub(super) fn p384_verify_der(
    algorithm: SignatureAlgorithm,
    point: &[u8],
    message: &[u8],
    sig: &[u8],
) -> Result<(), CryptoError> {
    let by = match algorithm {
        SignatureAlgorithm::EcdsaSha256 => &signature::ECDSA_P384_SHA256_ASN1,
        SignatureAlgorithm::EcdsaSha384 => &signature::ECDSA_P384_SHA384_ASN1,
        SignatureAlgorithm::EcdsaSha512 => &signature::ECDSA_P384_SHA512_ASN1,
        _ => return Err(CryptoError::KeyKind),
    };
    ecdsa_verify(by, point, message, sig)
}

fn ecdsa_verify(
    by: &'static signature::EcdsaVerificationAlgorithm,
    point: &[u8],
    message: &[u8],
    sig: &[u8],
) -> Result<(), CryptoError> {
    signature::UnparsedPublicKey::new(by, point).verify(message, sig).map_err(|_| CryptoError::Signature)
}

pub(super) fn p384_verify(point: &[u8], message: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
    ecdsa_verify(&signature::ECDSA_P384_SHA384_FIXED, point, message, sig)
}

pub(super) fn p384_is_point(point: &[u8]) -> Result<bool, CryptoError> {
    Ok(signature::ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).is_ok())
}

pub(super) fn rsa_verify(
    algorithm: SignatureAlgorithm,
    modulus: &[u8],
    exponent: &[u8],
    message: &[u8],
    sig: &[u8],
) -> Result<(), CryptoError> {
    let by = match algorithm {
        SignatureAlgorithm::RsaSha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::RsaSha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::RsaSha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        _ => return Err(CryptoError::KeyKind),
    };
    let key = signature::RsaPublicKeyComponents { n: modulus, e: exponent };
    key.verify(by, message, sig).map_err(|_| CryptoError::Signature)
}
