//! JSON Web Signatures as ACME uses them (RFC 7515, RFC 8555 §6.2): flattened JSON, strict.
//!
//! [`Jws::parse`] reads without trusting, so that a server can look up whose key it is; [`Jws::verify`] gives the payload
//! out only when the signature holds. ACME's own demands on the header stand in [`acme`].
//! Never here: `none`, a key taken from anywhere but the account or the header's `jwk`, a nonce remembered, an address
//! normalised.

pub mod acme;
mod jwk;

pub use jwk::{JwkFault, key_authorization, parse_jwk, thumbprint, to_jwk};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::crypto::{CryptoError, KeyRefusal, MacAlgorithm, SignatureAlgorithm, SubjectKey};
use crate::json::{self, Limits};

/// Longest message, as received.
pub const JWS_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of message, header and payload.
const DEPTH_MAX: usize = 16;
/// Longest protected header, decoded: a JWK of RSA-8192 and an address fit.
const HEADER_BYTES_MAX: usize = 8 * 1024;

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsFault {
    /// Longer than [`JWS_BYTES_MAX`].
    #[error("the message is longer than {JWS_BYTES_MAX} bytes")]
    TooLarge,
    /// No JSON, or one member twice.
    #[error("{0}")]
    Json(String),
    /// A member is absent, of another type, or one that may not be there.
    #[error("the message has not exactly the members protected, payload and signature, all texts")]
    Members,
    /// No base64url without padding, or not in its one form.
    #[error("{0} is no base64url without padding")]
    Base64(&'static str),
    /// The header lacks something or has what it may not have.
    #[error("the header: {0}")]
    Header(&'static str),
    /// An algorithm that is not accepted: `none`, a MAC, or one that is not on the list.
    #[error("the algorithm {0:?} is not accepted; ES256, ES384, EdDSA and RS256 are")]
    Algorithm(String),
    /// The key in the header.
    #[error("{0}")]
    Jwk(#[from] JwkFault),
    /// The signature does not hold by this key.
    #[error("the signature does not hold")]
    Signature,
    /// The payload is not what is demanded.
    #[error("the payload: {0}")]
    Payload(&'static str),
}

impl From<CryptoError> for JwsFault {
    fn from(_: CryptoError) -> Self {
        Self::Signature
    }
}

impl From<KeyRefusal> for JwsFault {
    fn from(refusal: KeyRefusal) -> Self {
        Self::Jwk(JwkFault::Key(refusal))
    }
}

/// What a message is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// All that are accepted, in the order in which a server names them.
    pub const ALL: [Self; 4] = [Self::Es256, Self::Es384, Self::EdDsa, Self::Rs256];

    /// The name in a header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    fn scheme(self) -> SignatureAlgorithm {
        match self {
            Self::Es256 => SignatureAlgorithm::EcdsaSha256,
            Self::Es384 => SignatureAlgorithm::EcdsaSha384,
            Self::EdDsa => SignatureAlgorithm::Ed25519,
            Self::Rs256 => SignatureAlgorithm::RsaSha256,
        }
    }
}

/// The name of a MAC in a header.
fn mac_from_name(name: &str) -> Option<MacAlgorithm> {
    match name {
        "HS256" => Some(MacAlgorithm::HmacSha256),
        "HS384" => Some(MacAlgorithm::HmacSha384),
        "HS512" => Some(MacAlgorithm::HmacSha512),
        _ => None,
    }
}

/// A message in its three parts, read and not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jws {
    header: Map<String, Value>,
    signed: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Jws {
    /// Reads the flattened JSON form.
    ///
    /// # Errors
    /// [`JwsFault`].
    pub fn parse(body: &[u8]) -> Result<Self, JwsFault> {
        Self::from_value(&read(body, JWS_BYTES_MAX)?)
    }

    /// Reads the flattened JSON form from a message inside another one.
    ///
    /// # Errors
    /// [`JwsFault`].
    pub fn from_value(value: &Value) -> Result<Self, JwsFault> {
        let members = value.as_object().ok_or(JwsFault::Members)?;
        // an unprotected header, or several signatures, would be a fourth member
        if members.len() != 3 {
            return Err(JwsFault::Members);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str).ok_or(JwsFault::Members);
        let (protected, payload, signature) = (text("protected")?, text("payload")?, text("signature")?);
        let header = read(&decode("the header", protected)?, HEADER_BYTES_MAX)?;
        let Value::Object(header) = header else { return Err(JwsFault::Header("no object")) };
        // nobody may demand what we do not understand, and an unencoded payload (RFC 7797) is not understood
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(JwsFault::Header("crit and b64 are not accepted"));
        }
        Ok(Self {
            header,
            signed: format!("{protected}.{payload}"),
            payload: decode("the payload", payload)?,
            signature: decode("the signature", signature)?,
        })
    }

    /// A text of the protected header.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// A member of the protected header.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.header.get(name)
    }

    /// The algorithm of the header.
    ///
    /// # Errors
    /// [`JwsFault::Algorithm`] for one that is not accepted.
    pub fn algorithm(&self) -> Result<Algorithm, JwsFault> {
        let name = self.text("alg").ok_or(JwsFault::Header("alg is no text"))?;
        Algorithm::from_name(name).ok_or_else(|| JwsFault::Algorithm(name.chars().take(32).collect()))
    }

    /// The payload, when the signature by this key holds.
    ///
    /// # Errors
    /// [`JwsFault::Algorithm`], [`JwsFault::Signature`].
    pub fn verify(&self, key: &SubjectKey) -> Result<&[u8], JwsFault> {
        key.verify_fixed(self.algorithm()?.scheme(), self.signed.as_bytes(), &self.signature)?;
        Ok(&self.payload)
    }

    /// The payload, when the MAC by this shared key holds. Only external account binding knows MACs.
    ///
    /// # Errors
    /// [`JwsFault::Algorithm`] for no MAC; [`JwsFault::Signature`], also for a key shorter than the MAC.
    pub fn verify_mac(&self, key: &[u8]) -> Result<&[u8], JwsFault> {
        let name = self.text("alg").ok_or(JwsFault::Header("alg is no text"))?;
        let mac = mac_from_name(name).ok_or_else(|| JwsFault::Algorithm(name.chars().take(32).collect()))?;
        if key.len() < mac.bytes() {
            return Err(JwsFault::Signature);
        }
        mac.verify(key, self.signed.as_bytes(), &self.signature)?;
        Ok(&self.payload)
    }
}

fn read(text: &[u8], bytes_max: usize) -> Result<Value, JwsFault> {
    if text.len() > bytes_max {
        return Err(JwsFault::TooLarge);
    }
    let limits = Limits { bytes: bytes_max, depth: DEPTH_MAX };
    json::parse(text, &limits).map_err(|error| JwsFault::Json(error.to_string()))
}

fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, JwsFault> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsFault::Base64(what))
}
