//! ACME's messages: nothing passes but what our keys signed, byte for byte, with a header that says how.
//!
//! An input is a message, or `sign ` and two lines, header and payload: the account's key signs them.
#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fuzz::authority::{self, KEYS, Signer};
use proof::jws::acme::{ExternalBinding, Payload, Request, Signer as Who, key_change};
use proof::jws::{Algorithm, Jws, parse_jwk, to_jwk};
use serde_json::{Value, json};

const URL: &str = "https://pki.dev.example/acme/new-order";
const ACCOUNT: &str = "https://pki.dev.example/acme/account/7";
/// Shared with one who may open an account.
const SHARED: [u8; 32] = [5; 32];

/// Payloads that were signed before any input.
const PAYLOADS: [&str; 3] = [
    "",
    "{}",
    r#"{"identifiers":[{"type":"dns","value":"svc.dev.example"}],"notAfter":"2026-12-01T00:00:00Z"}"#,
];

fn account() -> &'static Signer {
    &KEYS[0]
}

fn header(key: &str, value: Value) -> String {
    json!({"alg": "EdDSA", key: value, "nonce": "b7sT4zQ0", "url": URL}).to_string()
}

fn message(signer: &Signer, header: &[u8], payload: &[u8]) -> String {
    let (header, payload) = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = signer.sign(format!("{header}.{payload}").as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(signature);
    json!({"protected": header, "payload": payload, "signature": signature}).to_string()
}

/// A key change as a client writes it: the new key signs inside, the old one outside.
static CHANGE: LazyLock<String> = LazyLock::new(|| {
    let new = Signer::ed25519();
    let header = json!({"alg": "EdDSA", "jwk": to_jwk(new.key()), "url": URL}).to_string();
    let payload = json!({"account": ACCOUNT, "oldKey": to_jwk(account().key())}).to_string();
    message(&new, header.as_bytes(), payload.as_bytes())
});

fn binding() -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "kid": "k1", "url": URL}).to_string());
    let payload = URL_SAFE_NO_PAD.encode(to_jwk(account().key()).to_string());
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &SHARED);
    let code = aws_lc_rs::hmac::sign(&key, format!("{header}.{payload}").as_bytes());
    json!({"protected": header, "payload": payload, "signature": URL_SAFE_NO_PAD.encode(code)}).to_string()
}

fn seeds() -> Vec<Vec<u8>> {
    let by_account = header("kid", ACCOUNT.into());
    let by_key = header("jwk", to_jwk(account().key()));
    let mut seeds = Vec::new();
    for header in [&by_account, &by_key] {
        for payload in PAYLOADS.into_iter().chain([CHANGE.as_str(), &binding()]) {
            let text = message(account(), header.as_bytes(), payload.as_bytes());
            let request = Request::parse(text.as_bytes()).expect("a message of ours");
            assert!(request.verify(account().key()).is_ok(), "a message of ours holds");
            seeds.push(text.into_bytes());
            seeds.push(authority::signing(format!("{header}\n{payload}").as_bytes()));
        }
    }
    let other: Value = serde_json::from_str(&binding()).expect("a binding of ours");
    let other = ExternalBinding::parse(&other).expect("a binding of ours");
    assert!(other.verify(&SHARED, URL, account().key()).is_ok(), "a binding of ours holds");
    seeds.push(binding().into_bytes());
    seeds.extend(KEYS.iter().map(|signer| to_jwk(signer.key()).to_string().into_bytes()));
    seeds
}

/// A key that is read has one spelling, and is none that is refused.
fn key(value: &Value) {
    for algorithm in Algorithm::ALL {
        if let Ok(key) = parse_jwk(value, algorithm) {
            assert_eq!(parse_jwk(&to_jwk(&key), algorithm).as_ref(), Ok(&key));
            assert!(key.judge().is_ok());
            for (name, text) in to_jwk(&key).as_object().expect("a JWK is an object") {
                assert_eq!(value.get(name), Some(text), "a key has one spelling");
            }
        }
    }
}

/// What a payload that held may carry: a key change that nobody made does not pass.
fn inside(payload: Payload<'_>) {
    if let Ok(new) = key_change(payload, URL, ACCOUNT, account().key()) {
        assert_ne!(new, *account().key());
        let ours = KEYS.iter().any(|signer| *signer.key() == new);
        assert!(!ours, "our keys signed no change");
    }
    assert_eq!(payload.is_post_as_get(), payload.bytes().is_empty());
}

fn read(text: &[u8], signed: Option<(&[u8], &[u8])>) {
    let Ok(request) = Request::parse(text) else { return };
    assert!(!request.nonce().is_empty() && URL_SAFE_NO_PAD.decode(request.nonce()).is_ok());
    for signer in KEYS.iter() {
        let Ok(payload) = request.verify(signer.key()) else { continue };
        assert!(
            matches!(request.signer(), Who::Account(_))
                || *request.signer() == Who::Key(signer.key().clone())
        );
        inside(payload);
        match signed {
            Some((header, content)) => {
                let header: Value = serde_json::from_slice(header).expect("another reader accepts it too");
                assert_eq!(header["alg"], request.algorithm().as_str());
                assert_eq!(header["url"], request.url());
                assert!(header.get("jwk").is_some() != header.get("kid").is_some());
                assert_eq!(payload.bytes(), content);
            }
            None => {
                let known = |one: &str| payload.bytes() == one.as_bytes();
                assert!(
                    PAYLOADS.into_iter().any(known) || known(&CHANGE) || known(&binding()),
                    "our key did not sign this"
                );
            }
        }
    }
}

fn check(bytes: &[u8]) {
    if let Some(content) = authority::to_sign(bytes) {
        let at = content.iter().position(|byte| *byte == b'\n').unwrap_or(content.len());
        let (header, payload) = content.split_at(at);
        let payload = payload.get(1..).unwrap_or_default();
        read(message(account(), header, payload).as_bytes(), Some((header, payload)));
        return;
    }
    read(bytes, None);
    let _ = Jws::parse(bytes);
    let Ok(value) = proof::json::parse_default(bytes) else { return };
    key(&value);
    if let Ok(binding_) = ExternalBinding::parse(&value) {
        let holds = binding_.verify(&SHARED, URL, account().key()).is_ok();
        let ours: Value = serde_json::from_str(&binding()).expect("a binding of ours");
        assert!(!holds || value == ours, "nobody who knows the shared key wrote this");
    }
}

fuzz::target!(seeds, check);
