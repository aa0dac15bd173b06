//! Hashes, public keys and the checking of signatures.
//!
//! The only place of this crate that touches a cryptographic library: aws-lc-rs natively, RustCrypto on wasm32, one
//! vector suite on both. Keys come as Multikey (W3C Controlled Identifiers) or JWK (RFC 7517, RFC 8037);
//! keys of certificates, requests and ACME accounts are [`SubjectKey`]s. What the browser's libraries do not cover
//! (P-384, RSA, SHA-1) answers [`CryptoError::KeyKind`] there.
//! Never here: a secret key, randomness, a signature being made, SHA-1 below a signature.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(any(target_arch = "wasm32", test))]
mod portable;
mod subject;
mod weak;

pub use subject::{KeyRefusal, RSA_BITS_MAX, RSA_BITS_MIN, RsaKey, SignatureAlgorithm, SubjectKey};

#[cfg(not(target_arch = "wasm32"))]
use native as engine;
#[cfg(target_arch = "wasm32")]
use portable as engine;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Longest multibase text that is decoded (a key or a signature, never a document).
pub const MULTIBASE_TEXT_MAX: usize = 1024;
/// Multicodec prefix of an Ed25519 public key.
const MULTICODEC_ED25519: [u8; 2] = [0xed, 0x01];
/// Multicodec prefix of a compressed P-256 public key.
const MULTICODEC_P256: [u8; 2] = [0x80, 0x24];
/// Multicodec prefix of a compressed P-384 public key.
const MULTICODEC_P384: [u8; 2] = [0x81, 0x24];

/// Why a key, signature or encoded text was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The text is no multibase of the expected alphabet.
    #[error("the text is no base58btc or base64url multibase")]
    Multibase,
    /// The key is of a kind that is not known here.
    #[error("the key is of an unknown kind")]
    KeyKind,
    /// The key has the wrong length or is no point of its curve.
    #[error("the key is malformed")]
    KeyForm,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
}

/// A key that checks signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublicKey {
    /// Ed25519 (RFC 8032), 32 bytes.
    Ed25519([u8; 32]),
    /// ECDSA on P-256 (FIPS 186-5), the compressed point, 33 bytes.
    P256([u8; 33]),
    /// ECDSA on P-384 (FIPS 186-5), the compressed point, 49 bytes. Not known in the browser.
    P384([u8; 49]),
}

impl PublicKey {
    /// Checks a signature over a message. Ed25519: 64 bytes. P-256: ECDSA with SHA-256, r‖s in 64 bytes. P-384: ECDSA
    /// with SHA-384, r‖s in 96 bytes.
    ///
    /// # Errors
    /// [`CryptoError::KeyForm`] when the key is no point of its curve, [`CryptoError::KeyKind`] for P-384 in the
    /// browser, else [`CryptoError::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let expected = match self {
            Self::Ed25519(_) | Self::P256(_) => 64,
            Self::P384(_) => 96,
        };
        if signature.len() != expected {
            return Err(CryptoError::Signature);
        }
        match self {
            Self::Ed25519(key) => engine::ed25519_verify(key, message, signature),
            Self::P256(key) => engine::p256_verify(key, message, signature),
            Self::P384(key) => engine::p384_verify(key, message, signature),
        }
    }

    /// The key as Multikey text: `z6Mk…`, `zDn…` or `z82…`.
    #[must_use]
    pub fn to_multikey(&self) -> String {
        let mut bytes = Vec::with_capacity(51);
        match self {
            Self::Ed25519(key) => {
                bytes.extend_from_slice(&MULTICODEC_ED25519);
                bytes.extend_from_slice(key);
            }
            Self::P256(key) => {
                bytes.extend_from_slice(&MULTICODEC_P256);
                bytes.extend_from_slice(key);
            }
            Self::P384(key) => {
                bytes.extend_from_slice(&MULTICODEC_P384);
                bytes.extend_from_slice(key);
            }
        }
        multibase_base58(&bytes)
    }

    /// Reads Multikey text.
    ///
    /// # Errors
    /// [`CryptoError::Multibase`], [`CryptoError::KeyKind`] for other multicodecs (secret keys among them),
    /// [`CryptoError::KeyForm`] for a wrong length.
    pub fn from_multikey(text: &str) -> Result<Self, CryptoError> {
        if !text.starts_with('z') {
            return Err(CryptoError::Multibase);
        }
        let bytes = multibase_decode(text)?;
        let (prefix, key) = bytes.split_at_checked(2).ok_or(CryptoError::KeyForm)?;
        if prefix == MULTICODEC_ED25519 {
            return Ok(Self::Ed25519(key.try_into().map_err(|_| CryptoError::KeyForm)?));
        }
        if prefix == MULTICODEC_P256 {
            return Self::p256_from_sec1(key);
        }
        if prefix == MULTICODEC_P384 {
            return Self::p384_from_sec1(key);
        }
        Err(CryptoError::KeyKind)
    }

    /// Reads a JWK: `{"kty":"OKP","crv":"Ed25519","x"}` or `{"kty":"EC","crv":"P-256","x","y"}`, also of P-384.
    ///
    /// # Errors
    /// [`CryptoError::KeyKind`] for other keys and for one that carries its secret part `d`,
    /// [`CryptoError::KeyForm`] for missing or malformed members.
    pub fn from_jwk(jwk: &Value) -> Result<Self, CryptoError> {
        if jwk.get("d").is_some() {
            return Err(CryptoError::KeyKind);
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => Ok(Self::Ed25519(coordinate(text("x"))?)),
            (Some("EC"), Some("P-256")) => Self::p256_from_sec1(&uncompressed::<32>(text("x"), text("y"))?),
            (Some("EC"), Some("P-384")) => Self::p384_from_sec1(&uncompressed::<48>(text("x"), text("y"))?),
            _ => Err(CryptoError::KeyKind),
        }
    }

    /// Reads a P-256 point in SEC 1 form, compressed (33 bytes) or not (65 bytes).
    ///
    /// # Errors
    /// [`CryptoError::KeyForm`] when it is no point of the curve.
    pub fn p256_from_sec1(point: &[u8]) -> Result<Self, CryptoError> {
        if !engine::p256_is_point(point) {
            return Err(CryptoError::KeyForm);
        }
        compressed(point).map(Self::P256)
    }

    /// Reads a P-384 point in SEC 1 form, compressed (49 bytes) or not (97 bytes).
    ///
    /// # Errors
    /// [`CryptoError::KeyForm`] when it is no point of the curve, [`CryptoError::KeyKind`] in the browser.
    pub fn p384_from_sec1(point: &[u8]) -> Result<Self, CryptoError> {
        if !engine::p384_is_point(point)? {
            return Err(CryptoError::KeyForm);
        }
        compressed(point).map(Self::P384)
    }
}

/// The compressed form (`N` bytes) of a SEC 1 point that was found to be one.
fn compressed<const N: usize>(point: &[u8]) -> Result<[u8; N], CryptoError> {
    let mut key = [0_u8; N];
    match (point.first(), point.len()) {
        (Some(2 | 3), length) if length == N => key.copy_from_slice(point),
        (Some(4), length) if length == 2 * N - 1 => {
            let (front, y) = point.split_at_checked(N).ok_or(CryptoError::KeyForm)?;
            key.copy_from_slice(front);
            let odd = y.last().ok_or(CryptoError::KeyForm)? & 1;
            if let Some(first) = key.first_mut() {
                *first = 2 + odd;
            }
        }
        _ => return Err(CryptoError::KeyForm),
    }
    Ok(key)
}

/// The SEC 1 form `04 ‖ x ‖ y` of two coordinates of a JWK, `N` bytes each.
fn uncompressed<const N: usize>(x: Option<&str>, y: Option<&str>) -> Result<Vec<u8>, CryptoError> {
    let mut point = vec![0x04];
    point.extend_from_slice(&coordinate::<N>(x)?);
    point.extend_from_slice(&coordinate::<N>(y)?);
    Ok(point)
}

fn coordinate<const N: usize>(text: Option<&str>) -> Result<[u8; N], CryptoError> {
    let text = text.ok_or(CryptoError::KeyForm)?;
    if text.len() > MULTIBASE_TEXT_MAX {
        return Err(CryptoError::KeyForm);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CryptoError::KeyForm)?;
    bytes.try_into().map_err(|_| CryptoError::KeyForm)
}

/// SHA-256 (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    engine::sha256(bytes)
}

/// SHA-384 (FIPS 180-4).
#[must_use]
pub fn sha384(bytes: &[u8]) -> [u8; 48] {
    engine::sha384(bytes)
}

/// SHA-512 (FIPS 180-4).
#[must_use]
pub fn sha512(bytes: &[u8]) -> [u8; 64] {
    engine::sha512(bytes)
}

/// SHA-1 (FIPS 180-4), for the names that RFC 6960 gives to issuers and responders; no signature rests on it.
///
/// # Errors
/// [`CryptoError::KeyKind`] on wasm32, where it is not there.
pub fn sha1(bytes: &[u8]) -> Result<[u8; 20], CryptoError> {
    engine::sha1(bytes)
}

/// The hash below a message authentication code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacAlgorithm {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}

impl MacAlgorithm {
    /// Bytes of the code; a key may not be shorter (RFC 7518 §3.2).
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }

    /// Checks a whole, untruncated code (RFC 2104) in constant time.
    ///
    /// # Errors
    /// [`CryptoError::Signature`]; [`CryptoError::KeyKind`] on wasm32.
    pub fn verify(self, key: &[u8], message: &[u8], code: &[u8]) -> Result<(), CryptoError> {
        engine::hmac_verify(self, key, message, code)
    }
}

/// `z` and base58btc.
#[must_use]
pub fn multibase_base58(bytes: &[u8]) -> String {
    format!("z{}", bs58::encode(bytes).into_string())
}

/// `u` and base64url without padding.
#[must_use]
pub fn multibase_base64url(bytes: &[u8]) -> String {
    format!("u{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Decodes a short multibase text of the alphabets `z` (base58btc) and `u` (base64url without padding).
///
/// # Errors
/// [`CryptoError::Multibase`] for another alphabet, a wrong character or more than [`MULTIBASE_TEXT_MAX`] characters.
pub fn multibase_decode(text: &str) -> Result<Vec<u8>, CryptoError> {
    if text.len() > MULTIBASE_TEXT_MAX {
        return Err(CryptoError::Multibase);
    }
    if let Some(rest) = text.strip_prefix('z') {
        return bs58::decode(rest).into_vec().map_err(|_| CryptoError::Multibase);
    }
    if let Some(rest) = text.strip_prefix('u') {
        return URL_SAFE_NO_PAD.decode(rest).map_err(|_| CryptoError::Multibase);
    }
    Err(CryptoError::Multibase)
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Safe because: four bits are always below sixteen.
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        // Safe because: four bits are always below sixteen.
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    };

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
    }

    /// RFC 8032 §7.1: public key, message, signature.
    const ED25519: [[&str; 3]; 3] = [
        [
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
    ];

    type Verify = fn(&[u8], &[u8], &[u8]) -> Result<(), CryptoError>;

    #[test]
    fn both_engines_accept_the_ed25519_vectors_and_refuse_changed_ones() {
        for verify in [native::ed25519_verify as Verify, portable::ed25519_verify] {
            for [key, message, signature] in ED25519 {
                let (key, message, signature) = (bytes(key), bytes(message), bytes(signature));
                assert_eq!(verify(&key, &message, &signature), Ok(()));
                for at in 0..64 {
                    let mut changed = signature.clone();
                    changed[at] ^= 1;
                    assert!(verify(&key, &message, &changed).is_err(), "byte {at}");
                }
                assert!(verify(&key, b"other", &signature).is_err());
            }
        }
    }

    #[test]
    fn both_engines_agree_on_p256() {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let point = pair.public_key().as_ref();
        let key = PublicKey::p256_from_sec1(point).unwrap();
        let PublicKey::P256(compressed) = key else { panic!("another kind") };
        let signature = pair.sign(&random, b"message").unwrap();
        for verify in [native::p256_verify as Verify, portable::p256_verify] {
            assert_eq!(verify(&compressed, b"message", signature.as_ref()), Ok(()));
            assert!(verify(&compressed, b"massage", signature.as_ref()).is_err());
        }
        for is_point in [native::p256_is_point, portable::p256_is_point] {
            assert!(is_point(point) && is_point(&compressed));
            let mut off = point.to_vec();
            off[64] ^= 1;
            assert!(!is_point(&off) && !is_point(&[]) && !is_point(&[2; 33][..32]));
        }
        assert_eq!(PublicKey::from_multikey(&key.to_multikey()), Ok(key));
        assert!(key.to_multikey().starts_with("zDn"));
    }

    #[test]
    fn p384_is_known_natively_and_refused_by_kind_in_the_browser() {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let key = PublicKey::p384_from_sec1(point).unwrap();
        let PublicKey::P384(compressed) = key else { panic!("another kind") };
        assert_eq!(PublicKey::p384_from_sec1(&compressed), Ok(key));
        assert_eq!(PublicKey::from_multikey(&key.to_multikey()), Ok(key));
        assert!(key.to_multikey().starts_with("z82"));
        let jwk = serde_json::json!({"kty": "EC", "crv": "P-384",
            "x": URL_SAFE_NO_PAD.encode(&point[1..49]), "y": URL_SAFE_NO_PAD.encode(&point[49..])});
        assert_eq!(PublicKey::from_jwk(&jwk), Ok(key));
        let mut off = point.to_vec();
        off[96] ^= 1;
        for bad in [&off[..], &point[..96], &compressed[..48], &[]] {
            assert_eq!(PublicKey::p384_from_sec1(bad), Err(CryptoError::KeyForm));
        }

        let signature = pair.sign(&random, b"message").unwrap();
        assert_eq!(key.verify(b"message", signature.as_ref()), Ok(()));
        assert_eq!(key.verify(b"massage", signature.as_ref()), Err(CryptoError::Signature));
        assert_eq!(key.verify(b"message", &signature.as_ref()[..64]), Err(CryptoError::Signature));
        assert_eq!(portable::p384_is_point(point), Err(CryptoError::KeyKind));
        assert_eq!(
            portable::p384_verify(&compressed, b"message", signature.as_ref()),
            Err(CryptoError::KeyKind)
        );
    }

    #[test]
    fn both_engines_hash_alike() {
        for text in [&b""[..], b"abc", &[0x61; 1000]] {
            assert_eq!(native::sha256(text), portable::sha256(text));
            assert_eq!(native::sha384(text), portable::sha384(text));
            assert_eq!(native::sha512(text), portable::sha512(text));
        }
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(b"abc")), expected);
    }

    #[test]
    fn what_the_browser_does_not_cover_answers_by_kind() {
        let rsa = SignatureAlgorithm::RsaSha256;
        let ecdsa = SignatureAlgorithm::EcdsaSha384;
        assert_eq!(portable::sha1(b""), Err(CryptoError::KeyKind));
        assert_eq!(portable::hmac_verify(MacAlgorithm::HmacSha256, b"", b"", b""), Err(CryptoError::KeyKind));
        assert_eq!(portable::p384_verify_der(ecdsa, &[], b"", b""), Err(CryptoError::KeyKind));
        assert_eq!(portable::p384_verify(&[], b"", b""), Err(CryptoError::KeyKind));
        assert_eq!(portable::p384_is_point(&[]), Err(CryptoError::KeyKind));
        assert_eq!(portable::p256_verify_der(ecdsa, &[], b"", b""), Err(CryptoError::KeyKind));
        assert_eq!(portable::rsa_verify(rsa, &[], &[], b"", b""), Err(CryptoError::KeyKind));
    }

    #[test]
    fn both_engines_agree_on_p256_in_der() {
        let random = SystemRandom::new();
        let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let signature = pair.sign(&random, b"message").unwrap();
        for verify in [native::p256_verify_der, portable::p256_verify_der] {
            let point = pair.public_key().as_ref();
            let check = |message| verify(SignatureAlgorithm::EcdsaSha256, point, message, signature.as_ref());
            assert_eq!(check(b"message"), Ok(()));
            assert_eq!(check(b"massage"), Err(CryptoError::Signature));
        }
    }

    #[test]
    fn keys_read_from_jwk_and_not_from_secret_ones() {
        let jwk = serde_json::json!({"kty": "OKP", "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let key = PublicKey::from_jwk(&jwk).unwrap();
        let expected = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(key, PublicKey::Ed25519(bytes(expected).try_into().unwrap()));
        let mut secret = jwk.clone();
        secret["d"] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".into();
        assert_eq!(PublicKey::from_jwk(&secret), Err(CryptoError::KeyKind));
        let p256 = serde_json::json!({"kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        assert!(matches!(PublicKey::from_jwk(&p256), Ok(PublicKey::P256(_))));
        for bad in [
            serde_json::json!({}),
            serde_json::json!({"kty": "RSA"}),
            serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
        ] {
            assert!(PublicKey::from_jwk(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_multikey_is_refused() {
        for bad in ["", "z", "z0", "u7QHX", "z6Mk", "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"] {
            assert!(PublicKey::from_multikey(bad).is_err(), "{bad}");
        }
        assert_eq!(multibase_decode(&"z1".repeat(600)), Err(CryptoError::Multibase));
    }
}
