//! Identifiers of issuers: did:key, did:web, and the documents that list an issuer's keys.
//!
//! A key counts only when the issuer's own document lists it for the purpose (Controlled Identifiers 1.0, DID 1.0).
//! Fetching is the caller's; here addresses are computed and documents read.
//! Never here: a key taken from the fragment of an address without a document that lists it (did:key excepted, where
//! the identifier is the key).

use serde_json::{Map, Value, json};

use crate::crypto::PublicKey;
use crate::json::{JsonError, Limits};

/// Largest controller document that is read, in bytes (spec credentials §10).
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Verification methods read from one document.
pub const METHODS_MAX: usize = 256;
/// Longest identifier, in bytes.
pub const DID_BYTES_MAX: usize = 2048;

/// Why an identifier or document was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DidError {
    /// The identifier is not of the expected method or form.
    #[error("{0:?} is no identifier of this form")]
    Form(String),
    /// The key inside a did:key cannot be used.
    #[error("the key in the identifier cannot be used: {0}")]
    Key(#[from] crate::crypto::CryptoError),
    /// The document is no JSON.
    #[error("the document is damaged: {0}")]
    Json(#[from] JsonError),
    /// The document breaks a rule.
    #[error("the document breaks a rule: {0}")]
    Document(&'static str),
}

/// The did:key of a key: `did:key:z…`.
#[must_use]
pub fn did_key(key: &PublicKey) -> String {
    format!("did:key:{}", key.to_multikey())
}

/// The verification method of a did:key: `did:key:z…#z…`.
#[must_use]
pub fn did_key_method(key: &PublicKey) -> String {
    let multikey = key.to_multikey();
    format!("did:key:{multikey}#{multikey}")
}

/// The key of a did:key, with or without its fragment; a fragment must repeat the key.
///
/// # Errors
/// [`DidError::Form`] for another method or a wrong fragment, [`DidError::Key`] for a key of unknown kind.
pub fn resolve_did_key(did: &str) -> Result<PublicKey, DidError> {
    let form = || DidError::Form(shortened(did));
    if did.len() > DID_BYTES_MAX {
        return Err(form());
    }
    let rest = did.strip_prefix("did:key:").ok_or_else(form)?;
    let (multikey, fragment) = match rest.split_once('#') {
        Some((multikey, fragment)) => (multikey, Some(fragment)),
        None => (rest, None),
    };
    if fragment.is_some_and(|fragment| fragment != multikey) {
        return Err(form());
    }
    Ok(PublicKey::from_multikey(multikey)?)
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The address of a did:web's document (did:web method §3.2): `…/.well-known/did.json` or `…/path/did.json`.
///
/// # Errors
/// [`DidError::Form`] when the text is no did:web of a host name.
pub fn did_web_url(did: &str) -> Result<String, DidError> {
    let form = || DidError::Form(shortened(did));
    if did.len() > DID_BYTES_MAX {
        return Err(form());
    }
    let rest = did.strip_prefix("did:web:").ok_or_else(form)?;
    let mut parts = rest.split(':');
    let host = parts.next().unwrap_or_default().replace("%3A", ":").replace("%3a", ":");
    if !is_host(&host) {
        return Err(form());
    }
    let mut url = format!("https://{host}");
    let mut has_path = false;
    for part in parts {
        // A URL reader takes `%2e` in a step for the dot that it stands for, so `%2e%2e` leads up as `..` does.
        let plain = part.to_ascii_lowercase().replace("%2e", ".");
        let good = !matches!(plain.as_str(), "" | "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte))
            && !plain.contains("%2f");
        if !good {
            return Err(form());
        }
        url.push('/');
        url.push_str(part);
        has_path = true;
    }
    url.push_str(if has_path { "/did.json" } else { "/.well-known/did.json" });
    Ok(url)
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let name_good = !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    // Rust reads `+80` as a number, a URL reader does not.
    let port_good = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    name_good && port_good
}

/// The did:web of an https address: host, port and path of the address become the identifier.
///
/// # Errors
/// [`DidError::Form`] for another scheme, a query, a fragment or a user name.
pub fn did_web_from_url(url: &str) -> Result<String, DidError> {
    let form = || DidError::Form(shortened(url));
    let rest = url.strip_prefix("https://").ok_or_else(form)?;
    if rest.contains(['?', '#', '@']) {
        return Err(form());
    }
    let mut parts = rest.trim_end_matches('/').split('/');
    let host = parts.next().unwrap_or_default().to_ascii_lowercase();
    let mut did = format!("did:web:{}", host.replace(':', "%3A"));
    for part in parts {
        did.push(':');
        did.push_str(part);
    }
    did_web_url(&did)?;
    Ok(did)
}

/// One key for [`build_document`].
#[derive(Debug, Clone)]
pub struct DocumentKey {
    /// Fragment of the method's id; it never changes once published.
    pub fragment: String,
    /// The key.
    pub key: PublicKey,
    /// When the key was withdrawn (RFC 3339), if it was.
    pub revoked: Option<String>,
    /// Also usable to authenticate, not only to sign statements.
    pub authentication: bool,
}

/// A service entry for [`build_document`].
#[derive(Debug, Clone)]
pub struct Service {
    /// Fragment of the service's id.
    pub fragment: String,
    /// Its type.
    pub kind: String,
    /// Its address.
    pub endpoint: String,
}

/// Builds a DID document: Multikey methods, all of them under `assertionMethod`, old keys included.
#[must_use]
pub fn build_document(
    did: &str,
    keys: &[DocumentKey],
    also_known_as: &[String],
    services: &[Service],
) -> Value {
    let id = |fragment: &str| format!("{did}#{fragment}");
    let methods: Vec<Value> = keys
        .iter()
        .map(|key| {
            let mut method = json!({
                "id": id(&key.fragment),
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.key.to_multikey(),
            });
            if let (Some(revoked), Some(members)) = (&key.revoked, method.as_object_mut()) {
                members.insert("revoked".into(), Value::String(revoked.clone()));
            }
            method
        })
        .collect();
    let ids: Vec<String> = keys.iter().map(|key| id(&key.fragment)).collect();
    let authentication: Vec<String> = keys
        .iter()
        .filter(|key| key.authentication && key.revoked.is_none())
        .map(|key| id(&key.fragment))
        .collect();
    let mut document = Map::new();
    document.insert(
        "@context".into(),
        json!(["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]),
    );
    document.insert("id".into(), json!(did));
    if !also_known_as.is_empty() {
        document.insert("alsoKnownAs".into(), json!(also_known_as));
    }
    document.insert("verificationMethod".into(), Value::Array(methods));
    document.insert("assertionMethod".into(), json!(ids));
    if !authentication.is_empty() {
        document.insert("authentication".into(), json!(authentication));
    }
    if !services.is_empty() {
        let services: Vec<Value> = services
            .iter()
            .map(|service| {
                json!({
                    "id": id(&service.fragment),
                    "type": service.kind,
                    "serviceEndpoint": service.endpoint,
                })
            })
            .collect();
        document.insert("service".into(), Value::Array(services));
    }
    Value::Object(document)
}

/// A key as a controller document lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Absolute id.
    pub id: String,
    /// Who controls it.
    pub controller: String,
    /// The key; None when it is of a kind not known here.
    pub key: Option<PublicKey>,
    /// When it was withdrawn (RFC 3339), if it was.
    pub revoked: Option<String>,
    /// Until when it may be used (RFC 3339), if limited.
    pub expires: Option<String>,
}

/// A DID document or controller document, as far as it concerns keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerDocument {
    /// The controller's identifier.
    pub id: String,
    methods: Vec<Method>,
    relationships: Vec<(String, Vec<String>)>,
    /// The document is one key without relationships (Open Badges: a key by its address).
    bare: bool,
}

/// Why a document yields no key for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoKey {
    /// The document does not know the method at all, or not for this purpose.
    NotListed,
    /// The method's key is of a kind not known here.
    UnknownKind,
}

impl ControllerDocument {
    /// Reads a document that was found at `address` (the DID or URL without fragment). Accepted are DID documents,
    /// controller documents, one Multikey or one JWK.
    ///
    /// # Errors
    /// [`DidError::Json`] for damaged JSON, [`DidError::Document`] when the document is not the one of `address`.
    pub fn parse(bytes: &[u8], address: &str) -> Result<Self, DidError> {
        let limits = Limits { bytes: DOCUMENT_BYTES_MAX, ..Limits::default() };
        let value = crate::json::parse(bytes, &limits)?;
        let members = value.as_object().ok_or(DidError::Document("it is no object"))?;
        if members.contains_key("kty") {
            let key = PublicKey::from_jwk(&value).ok();
            return Ok(Self::bare_key(address, address, address, key, members));
        }
        let id = text(members, "id").ok_or(DidError::Document("it has no id"))?;
        let is_key = members.contains_key("publicKeyMultibase") || members.contains_key("publicKeyJwk");
        if is_key {
            if without_fragment(id) != address {
                return Err(DidError::Document("its id is another"));
            }
            let method =
                read_method(members, address).ok_or(DidError::Document("a malformed verification method"))?;
            // Whoever owns the address may claim any controller; the document speaks only for its own address.
            return Ok(Self::bare_key(address, &method.id, &method.controller, method.key, members));
        }
        if id != address {
            return Err(DidError::Document("its id is another"));
        }
        Self::read(members, id)
    }

    fn bare_key(
        address: &str,
        id: &str,
        controller: &str,
        key: Option<PublicKey>,
        members: &Map<String, Value>,
    ) -> Self {
        Self {
            id: address.to_owned(),
            methods: vec![Method {
                id: id.to_owned(),
                controller: controller.to_owned(),
                key,
                revoked: text(members, "revoked").map(str::to_owned),
                expires: text(members, "expires").map(str::to_owned),
            }],
            relationships: Vec::new(),
            bare: true,
        }
    }

    fn read(members: &Map<String, Value>, id: &str) -> Result<Self, DidError> {
        let mut methods = Vec::new();
        let mut relationships = Vec::new();
        let malformed = DidError::Document("a malformed verification method");
        for item in array(members, "verificationMethod") {
            let method =
                item.as_object().and_then(|item| read_method(item, id)).ok_or_else(|| malformed.clone())?;
            methods.push(method);
        }
        for name in [
            "assertionMethod",
            "authentication",
            "keyAgreement",
            "capabilityInvocation",
            "capabilityDelegation",
        ] {
            let mut ids = Vec::new();
            for item in array(members, name) {
                match item {
                    Value::String(reference) => ids.push(absolute(reference, id)),
                    Value::Object(embedded) => {
                        let method = read_method(embedded, id).ok_or_else(|| malformed.clone())?;
                        ids.push(method.id.clone());
                        methods.push(method);
                    }
                    _ => return Err(malformed),
                }
            }
            if ids.len() > METHODS_MAX {
                return Err(DidError::Document("too many verification methods"));
            }
            relationships.push((name.to_owned(), ids));
        }
        if methods.len() > METHODS_MAX {
            return Err(DidError::Document("too many verification methods"));
        }
        Ok(Self { id: id.to_owned(), methods, relationships, bare: false })
    }

    /// The document that a did:key stands for.
    ///
    /// # Errors
    /// As [`resolve_did_key`].
    pub fn of_did_key(did: &str) -> Result<Self, DidError> {
        let key = resolve_did_key(did)?;
        let controller = did_key(&key);
        let method = did_key_method(&key);
        Ok(Self {
            id: controller.clone(),
            methods: vec![Method {
                id: method.clone(),
                controller,
                key: Some(key),
                revoked: None,
                expires: None,
            }],
            relationships: vec![
                ("assertionMethod".into(), vec![method.clone()]),
                ("authentication".into(), vec![method]),
            ],
            bare: false,
        })
    }

    /// Every method of the document.
    #[must_use]
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The method with this id, provided that the document lists it for the purpose (for example `assertionMethod`).
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn method(&self, id: &str, purpose: &str) -> Result<(&Method, PublicKey), NoKey> {
        let listed = self.bare
            || self
                .relationships
                .iter()
                .any(|(name, ids)| name == purpose && ids.iter().any(|listed| listed == id));
        if !listed {
            return Err(NoKey::NotListed);
        }
        let method = self.methods.iter().find(|method| method.id == id).ok_or(NoKey::NotListed)?;
        let key = method.key.ok_or(NoKey::UnknownKind)?;
        Ok((method, key))
    }
}

fn read_method(members: &Map<String, Value>, base: &str) -> Option<Method> {
    let id = absolute(text(members, "id")?, base);
    let controller = text(members, "controller")?.to_owned();
    let key = if let Some(multikey) = text(members, "publicKeyMultibase") {
        PublicKey::from_multikey(multikey).ok()
    } else {
        members.get("publicKeyJwk").and_then(|jwk| PublicKey::from_jwk(jwk).ok())
    };
    Some(Method {
        id,
        controller,
        key,
        revoked: text(members, "revoked").map(str::to_owned),
        expires: text(members, "expires").map(str::to_owned),
    })
}

fn text<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    members.get(name).and_then(Value::as_str)
}

fn array<'v>(members: &'v Map<String, Value>, name: &str) -> &'v [Value] {
    match members.get(name) {
        Some(Value::Array(items)) => items,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

fn absolute(id: &str, base: &str) -> String {
    if id.starts_with('#') { format!("{base}{id}") } else { id.to_owned() }
}

/// An address without its fragment.
#[must_use]
pub fn without_fragment(address: &str) -> &str {
    address.split_once('#').map_or(address, |(front, _)| front)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";

    fn key() -> PublicKey {
        PublicKey::from_multikey(KEY).unwrap()
    }

    #[test]
    fn a_did_key_is_its_key() {
        assert_eq!(did_key(&key()), format!("did:key:{KEY}"));
        assert_eq!(resolve_did_key(&did_key_method(&key())), Ok(key()));
        assert_eq!(resolve_did_key(&did_key(&key())), Ok(key()));
        for bad in [
            format!("did:key:{KEY}#z6Mkother"),
            format!("did:kee:{KEY}"),
            "did:key:".to_owned(),
            "did:key:zzz".to_owned(),
        ] {
            assert!(resolve_did_key(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_p256_did_key_resolves() {
        let did = "did:key:zDnaegE6RR3atJtHKwTRTWHsJ3kNHqFwv7n9YjTgmU7TyfU76";
        assert!(matches!(resolve_did_key(did), Ok(PublicKey::P256(_))));
        assert_eq!(did_key(&resolve_did_key(did).unwrap()), did);
    }

    #[test]
    fn a_did_web_names_one_address() {
        for (did, url) in [
            ("did:web:a.example", "https://a.example/.well-known/did.json"),
            ("did:web:a.example:b:c", "https://a.example/b/c/did.json"),
            ("did:web:localhost%3A8443:x", "https://localhost:8443/x/did.json"),
        ] {
            assert_eq!(did_web_url(did).as_deref(), Ok(url));
        }
        for bad in [
            "did:web:",
            "did:web:a/b",
            "did:web:a:..:b",
            "did:web:a::b",
            "did:web:u@a",
            "did:web:a:%2F",
            "did:web:a?x",
            "did:web:a%3A0",
            "did:web:a%3Ab",
            "did:web:a%3A+80",
        ] {
            assert!(did_web_url(bad).is_err(), "{bad}");
        }
        assert_eq!(
            did_web_from_url("https://A.example:8443/t/1/").as_deref(),
            Ok("did:web:a.example%3A8443:t:1")
        );
        assert!(did_web_from_url("http://a.example").is_err());
    }

    /// Fuzzing found `did:web:a:%2e%2E:b`: its document would have been fetched from `https://a/b/did.json`, the place of
    /// `did:web:a:b`, because readers of URLs undo percent signs before they follow dots.
    #[test]
    fn a_did_web_never_leads_up_however_its_dots_are_written() {
        for step in ["%2e", "%2E%2e", ".%2e", "%2E.", ".."] {
            assert!(did_web_url(&format!("did:web:a:{step}:b")).is_err(), "{step}");
            assert!(did_web_from_url(&format!("https://a/{step}/b")).is_err(), "{step}");
        }
        assert_eq!(did_web_url("did:web:a:v1%2e2").as_deref(), Ok("https://a/v1%2e2/did.json"));
    }

    #[test]
    fn a_built_document_reads_back_with_old_keys_still_listed() {
        let did = "did:web:a.example";
        let keys = [
            DocumentKey { fragment: "key-1".into(), key: key(), revoked: None, authentication: true },
            DocumentKey {
                fragment: "key-0".into(),
                key: key(),
                revoked: Some("2026-01-01T00:00:00Z".into()),
                authentication: true,
            },
        ];
        let built = build_document(did, &keys, &["https://a.example".into()], &[]);
        let read = ControllerDocument::parse(built.to_string().as_bytes(), did).unwrap();
        let (method, found) = read.method("did:web:a.example#key-0", "assertionMethod").unwrap();
        assert_eq!((found, method.revoked.is_some()), (key(), true));
        assert!(read.method("did:web:a.example#key-0", "authentication").is_err());
        assert!(read.method("did:web:a.example#key-2", "assertionMethod").is_err());
        assert!(ControllerDocument::parse(built.to_string().as_bytes(), "did:web:b.example").is_err());
    }

    #[test]
    fn a_key_by_its_address_is_accepted_as_multikey_or_jwk() {
        let address = "https://a.example/issuer";
        let id = format!("{address}#{KEY}");
        let one = json!({"id": id, "type": "Multikey", "controller": address, "publicKeyMultibase": KEY});
        let document = ControllerDocument::parse(one.to_string().as_bytes(), address).unwrap();
        assert_eq!(document.method(&id, "assertionMethod").unwrap().1, key());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let document = ControllerDocument::parse(jwk.to_string().as_bytes(), address).unwrap();
        assert!(document.method(address, "assertionMethod").is_ok());
    }
}
