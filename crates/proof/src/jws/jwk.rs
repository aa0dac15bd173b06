//! JSON Web Keys of accounts (RFC 7517, RFC 7518, RFC 8037) and their thumbprints (RFC 7638).
//!
//! A key has one spelling: coordinates of full width, numbers without leading zeros, base64url without padding.
//! Never here: a secret key, a symmetric key, a certificate chain.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Algorithm;
use crate::crypto::{self, KeyRefusal, RSA_BITS_MAX, SubjectKey};

/// Members that say that a key is secret (RFC 7518 §6).
const SECRET: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a JWK is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum JwkFault {
    /// Not an object, or a member is absent or malformed.
    #[error("the JWK is malformed")]
    Form,
    /// It holds a secret.
    #[error("the JWK holds a secret")]
    Secret,
    /// `alg`, `use` or `key_ops` forbid what the key is used for.
    #[error("the JWK is not meant for checking signatures by this algorithm")]
    Purpose,
    /// The key itself.
    #[error("{0}")]
    Key(#[from] KeyRefusal),
}

/// Reads the key of a JWK that checks signatures by this algorithm, and judges it.
///
/// # Errors
/// [`JwkFault`].
pub fn parse_jwk(jwk: &Value, algorithm: Algorithm) -> Result<SubjectKey, JwkFault> {
    let members = jwk.as_object().ok_or(JwkFault::Form)?;
    if SECRET.iter().any(|name| members.contains_key(*name)) {
        return Err(JwkFault::Secret);
    }
    check_purpose(members, algorithm)?;
    let text = |name: &str| members.get(name).and_then(Value::as_str).ok_or(JwkFault::Form);
    let key = match (text("kty")?, algorithm) {
        ("EC", Algorithm::Es256 | Algorithm::Es384) => {
            let (curve, width) = if algorithm == Algorithm::Es256 { ("P-256", 32) } else { ("P-384", 48) };
            if text("crv")? != curve {
                return Err(JwkFault::Key(KeyRefusal::Curve));
            }
            let mut point = vec![4];
            point.extend(coordinate(text("x")?, width)?);
            point.extend(coordinate(text("y")?, width)?);
            if algorithm == Algorithm::Es256 { SubjectKey::p256(&point)? } else { SubjectKey::p384(&point)? }
        }
        ("OKP", Algorithm::EdDsa) if text("crv")? == "Ed25519" => {
            SubjectKey::ed25519(&coordinate(text("x")?, 32)?)?
        }
        ("RSA", Algorithm::Rs256) => SubjectKey::rsa(&octets(text("n")?)?, &octets(text("e")?)?)?,
        _ => return Err(JwkFault::Key(KeyRefusal::Algorithm)),
    };
    key.judge()?;
    Ok(key)
}

fn check_purpose(members: &Map<String, Value>, algorithm: Algorithm) -> Result<(), JwkFault> {
    let fits = |name: &str, value: &str| members.get(name).is_none_or(|found| found.as_str() == Some(value));
    let operations = members.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|list| list.iter().any(|one| one.as_str() == Some("verify")))
    });
    if fits("alg", algorithm.as_str()) && fits("use", "sig") && operations {
        return Ok(());
    }
    Err(JwkFault::Purpose)
}

fn octets(text: &str) -> Result<Vec<u8>, JwkFault> {
    if text.len() > RSA_BITS_MAX / 6 + 2 {
        return Err(JwkFault::Form);
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwkFault::Form)
}

fn coordinate(text: &str, width: usize) -> Result<Vec<u8>, JwkFault> {
    let octets = octets(text)?;
    if octets.len() == width { Ok(octets) } else { Err(JwkFault::Form) }
}

/// The members that RFC 7638 §3.2 demands of a key, in the order of their names. All values are base64url or names of
/// curves, so none needs escaping.
fn members(key: &SubjectKey) -> Vec<(&'static str, String)> {
    let text = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
    let point = |curve: &str, point: &[u8]| {
        let halves = point.get(1..).and_then(|xy| xy.split_at_checked(xy.len() / 2));
        let (x, y) = halves.unwrap_or_default();
        vec![("crv", curve.to_owned()), ("kty", "EC".to_owned()), ("x", text(x)), ("y", text(y))]
    };
    match key {
        SubjectKey::Ed25519(key) => {
            vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", text(key))]
        }
        SubjectKey::P256(octets) => point("P-256", octets),
        SubjectKey::P384(octets) => point("P-384", octets),
        SubjectKey::Rsa(key) => {
            vec![("e", text(key.exponent())), ("kty", "RSA".to_owned()), ("n", text(key.modulus()))]
        }
    }
}

/// The JWK of a key, with its required members alone.
#[must_use]
pub fn to_jwk(key: &SubjectKey) -> Value {
    members(key).into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

/// The thumbprint of a key (RFC 7638, SHA-256).
#[must_use]
pub fn thumbprint(key: &SubjectKey) -> [u8; 32] {
    let fields = members(key).into_iter().map(|(name, value)| format!("\"{name}\":\"{value}\""));
    crypto::sha256(format!("{{{}}}", fields.collect::<Vec<_>>().join(",")).as_bytes())
}

/// What an account answers a challenge with (RFC 8555 §8.1): token, dot, thumbprint.
#[must_use]
pub fn key_authorization(token: &str, key: &SubjectKey) -> String {
    format!("{token}.{}", URL_SAFE_NO_PAD.encode(thumbprint(key)))
}
