//! The demands of ACME (RFC 8555): request, external account binding, key change, and the certificate ids of ARI
//! (RFC 9773).
//!
//! `url` and `nonce` are given back; the server compares the one with the address that was asked for, byte for byte,
//! and spends the other.
//! Never here: a look-up of an account, a decision about rights.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Algorithm, Jws, JwsFault, parse_jwk};
use crate::crypto::SubjectKey;
use crate::x509::{KeyId, Serial};

/// Longest address, key id or nonce.
pub const TEXT_BYTES_MAX: usize = 2048;

/// Whose key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The key itself: a new account, or the key of a certificate to be revoked.
    Key(SubjectKey),
    /// The address of an account.
    Account(String),
}

/// A request, read and not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    jws: Jws,
    algorithm: Algorithm,
    signer: Signer,
    nonce: String,
    url: String,
}

impl Request {
    /// Reads a request body.
    ///
    /// # Errors
    /// [`JwsFault`].
    pub fn parse(body: &[u8]) -> Result<Self, JwsFault> {
        let jws = Jws::parse(body)?;
        let algorithm = jws.algorithm()?;
        let signer = match (jws.member("jwk"), jws.member("kid")) {
            (Some(jwk), None) => Signer::Key(parse_jwk(jwk, algorithm)?),
            (None, Some(_)) => Signer::Account(header(&jws, "kid")?),
            _ => return Err(JwsFault::Header("exactly one of jwk and kid is demanded")),
        };
        let nonce = header(&jws, "nonce")?;
        if nonce.is_empty() || URL_SAFE_NO_PAD.decode(&nonce).is_err() {
            return Err(JwsFault::Header("the nonce is no base64url"));
        }
        let url = header(&jws, "url")?;
        Ok(Self { jws, algorithm, signer, nonce, url })
    }

    /// What it is signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whose key signed, as the header says.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The nonce to be spent.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The address to be compared with the one that was asked for.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The payload, when the signature holds: by the header's own key, or by the account's, which the server found.
    ///
    /// # Errors
    /// [`JwsFault::Signature`].
    pub fn verify(&self, key: &SubjectKey) -> Result<Payload<'_>, JwsFault> {
        // a key of the header and another one of the server would be two stories
        if matches!(&self.signer, Signer::Key(own) if own != key) {
            return Err(JwsFault::Signature);
        }
        self.jws.verify(key).map(Payload)
    }
}

/// A request whose signature held, with its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified(Request);

impl Request {
    /// The same request, when the signature holds; as [`Request::verify`], for those who keep it.
    ///
    /// # Errors
    /// [`JwsFault::Signature`].
    pub fn into_verified(self, key: &SubjectKey) -> Result<Verified, JwsFault> {
        self.verify(key)?;
        Ok(Verified(self))
    }
}

impl Verified {
    /// Whose key signed, as the header says.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        &self.0.signer
    }

    /// The address that was signed.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> Payload<'_> {
        Payload(&self.0.jws.payload)
    }
}

/// A payload whose signature held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a>(&'a [u8]);

impl<'a> Payload<'a> {
    /// Whether the request only reads: POST-as-GET. An empty object is something else.
    #[must_use]
    pub fn is_post_as_get(self) -> bool {
        self.0.is_empty()
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The object that the payload holds.
    ///
    /// # Errors
    /// [`JwsFault::Json`], [`JwsFault::Payload`] for something else than an object.
    pub fn object(self) -> Result<Value, JwsFault> {
        object(self.0)
    }
}

fn object(bytes: &[u8]) -> Result<Value, JwsFault> {
    let value = super::read(bytes, super::JWS_BYTES_MAX)?;
    if value.is_object() { Ok(value) } else { Err(JwsFault::Payload("no object")) }
}

fn header(jws: &Jws, name: &str) -> Result<String, JwsFault> {
    let text = jws.text(name).ok_or(JwsFault::Header("kid, nonce and url are texts"))?;
    if text.len() > TEXT_BYTES_MAX || text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(JwsFault::Header("kid, nonce or url is too long or has control characters"));
    }
    Ok(text.to_owned())
}

/// External account binding (RFC 8555 §7.3.4), read and not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalBinding {
    jws: Jws,
    key_id: String,
}

impl ExternalBinding {
    /// Reads the member `externalAccountBinding` of a newAccount payload.
    ///
    /// # Errors
    /// [`JwsFault`]; a nonce or a key may not be there.
    pub fn parse(value: &Value) -> Result<Self, JwsFault> {
        let jws = Jws::from_value(value)?;
        if jws.member("nonce").is_some() || jws.member("jwk").is_some() {
            return Err(JwsFault::Header("a binding has neither nonce nor jwk"));
        }
        let key_id = header(&jws, "kid")?;
        Ok(Self { jws, key_id })
    }

    /// Which shared key it is bound with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Checks it: the MAC by the shared key, the address of the outer request, the account's key inside.
    ///
    /// # Errors
    /// [`JwsFault`].
    pub fn verify(&self, shared: &[u8], url: &str, account: &SubjectKey) -> Result<(), JwsFault> {
        let payload = self.jws.verify_mac(shared)?;
        if self.jws.text("url") != Some(url) {
            return Err(JwsFault::Header("the binding's url is not that of the request"));
        }
        if !is_key(&object(payload)?, account) {
            return Err(JwsFault::Payload("the binding is for another key"));
        }
        Ok(())
    }
}

/// Whether a JWK is this key, whatever else it says about itself.
fn is_key(jwk: &Value, key: &SubjectKey) -> bool {
    Algorithm::ALL.into_iter().any(|algorithm| parse_jwk(jwk, algorithm).is_ok_and(|found| found == *key))
}

/// Reads and checks the message inside a keyChange request (RFC 8555 §7.3.5): signed by the new key, which is given
/// back, for this account and its old key, at the address of the outer request.
///
/// # Errors
/// [`JwsFault`].
pub fn key_change(
    payload: Payload<'_>,
    url: &str,
    account: &str,
    old_key: &SubjectKey,
) -> Result<SubjectKey, JwsFault> {
    let inner = Jws::from_value(&payload.object()?)?;
    if inner.member("nonce").is_some() || inner.member("kid").is_some() {
        return Err(JwsFault::Header("the inner message has neither nonce nor kid"));
    }
    let jwk = inner.member("jwk").ok_or(JwsFault::Header("the inner message has no jwk"))?;
    let new_key = parse_jwk(jwk, inner.algorithm()?)?;
    let statement = object(inner.verify(&new_key)?)?;
    if inner.text("url") != Some(url) {
        return Err(JwsFault::Header("the inner url is not that of the request"));
    }
    if statement.get("account").and_then(Value::as_str) != Some(account) {
        return Err(JwsFault::Payload("the account is another"));
    }
    if !statement.get("oldKey").is_some_and(|jwk| is_key(jwk, old_key)) {
        return Err(JwsFault::Payload("the old key is another"));
    }
    if new_key == *old_key {
        return Err(JwsFault::Payload("the new key is the old one"));
    }
    Ok(new_key)
}

/// Which certificate a client asks renewal information for (RFC 9773 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RenewalId {
    /// The issuer's key.
    pub authority: KeyId,
    /// The certificate's number.
    pub serial: Serial,
}

impl RenewalId {
    /// Reads the text of an address or of `replaces`. None for what is none; identifiers that are not twenty octets
    /// long belong to no issuer of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (authority, serial) = text.split_once('.')?;
        if text.len() > 64 {
            return None;
        }
        let authority = URL_SAFE_NO_PAD.decode(authority).ok()?.try_into().ok()?;
        let serial = Serial::from_content(&URL_SAFE_NO_PAD.decode(serial).ok()?)?;
        Some(Self { authority: KeyId(authority), serial })
    }
}

impl std::fmt::Display for RenewalId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authority = URL_SAFE_NO_PAD.encode(self.authority.0);
        write!(out, "{authority}.{}", URL_SAFE_NO_PAD.encode(self.serial.content()))
    }
}
