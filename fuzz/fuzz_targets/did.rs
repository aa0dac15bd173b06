//! Identifiers, keys and the documents that list them: a key has one spelling, an address leads nowhere else.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fuzz::papers::{self, Signer};
use proof::crypto::{PublicKey, multibase_base58, multibase_base64url, multibase_decode};
use proof::did::{self, ControllerDocument, DID_BYTES_MAX, METHODS_MAX};
use serde_json::json;

fn seeds() -> Vec<Vec<u8>> {
    let key = PublicKey::Ed25519(Signer::new(7).public());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(Signer::new(7).public())});
    let mut embedded = papers::key_document();
    embedded["assertionMethod"] = json!([embedded["verificationMethod"][0], "#other"]);
    let mut seeds = fuzz::texts(&[
        "did:web:uni.example",
        "did:web:uni.example%3A8443:users:ana",
        "did:web:uni.example:%2e%2E:x",
        "https://uni.example:8443/users/ana",
        "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "uAAECAwQ",
        r#"{"id":"did:web:uni.example#k","controller":"urn:x","publicKeyMultibase":"z6Mk","revoked":"2026"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    ]);
    seeds.extend([did::did_key(&key), did::did_key_method(&key), key.to_multikey()].map(String::into_bytes));
    seeds.extend([papers::key_document(), embedded, jwk].map(|document| document.to_string().into_bytes()));
    seeds
}

fn identifier(text: &str) {
    if let Ok(key) = did::resolve_did_key(text) {
        assert_eq!(did::without_fragment(text), did::did_key(&key));
        let document = ControllerDocument::of_did_key(text).expect("the key is there");
        assert!(document.method(&did::did_key_method(&key), "assertionMethod").is_ok());
    }
    if let Ok(key) = PublicKey::from_multikey(text) {
        assert_eq!(key.to_multikey(), text);
    }
    if let Ok(bytes) = multibase_decode(text) {
        let again =
            if text.starts_with('z') { multibase_base58(&bytes) } else { multibase_base64url(&bytes) };
        assert_eq!(again, text);
    }
    for url in [did::did_web_url(text), did::did_web_from_url(text).and_then(|did| did::did_web_url(&did))] {
        let Ok(url) = url else { continue };
        let path = url.strip_prefix("https://").expect("a did:web is fetched over TLS");
        assert!(url.len() <= DID_BYTES_MAX + 64 && url.ends_with("/did.json"));
        let authority = path.split('/').next().unwrap_or_default();
        assert!(
            authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte)),
            "{url}"
        );
        assert!(!path.contains(['?', '#', '@', '\\', ' ']));
        // As the URL standard reads a path: a step that leads up or nowhere, written out or in percent signs.
        let leads_elsewhere =
            |step: &str| matches!(step.to_lowercase().replace("%2e", ".").as_str(), "" | "." | "..");
        assert!(!path.split('/').any(leads_elsewhere), "{text} leads to {url}");
    }
}

fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        identifier(text);
    }
    let Ok(document) = ControllerDocument::parse(bytes, papers::DID_WEB) else { return };
    assert_eq!(document.id, papers::DID_WEB);
    assert!(document.methods().len() <= METHODS_MAX);
    for method in document.methods() {
        if let Ok((found, key)) = document.method(&method.id, "assertionMethod") {
            assert_eq!((&found.id, found.key), (&method.id, Some(key)));
        }
    }
}

fuzz::target!(seeds, check);
