//! A small ACME client of the tests, and an outside world that answers as a test says. The client shares no code with
//! the server but the hash.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::http::Method;
use base::SystemChance;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http_kit::Boxed;
use keys::{Algorithm, OfflineKey};
use pki::acme::{CaaFault, CaaQuestion, ChallengeKind, Identifier, ProbeFault, ProbeFaultKind, Prober};
use proof::x509::{
    DnsName, GeneralName,
    pem::{self, Label},
};
use serde_json::{Value, json};
use testkit::{Answer, TestHouse};
use tokio::sync::Semaphore;

pub const JOSE: &str = "application/jose+json";
/// A test that waits longer hangs.
const LOOKS_MAX: usize = 2_000;

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The kind of a problem, without its prefix.
pub fn problem(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    kind.strip_prefix("urn:ietf:params:acme:error:").expect("an ACME type").to_owned()
}

/// A house with a hierarchy in the environment `dev`, under settings, and an outside world.
pub async fn prepared(house: TestHouse, settings: &[(&str, &str)]) -> (TestHouse, Arc<World>) {
    hierarchy(&house, json!({})).await;
    let mut all = vec![("http.rate_read", "1000000"), ("http.rate_write", "1000000")];
    all.extend_from_slice(settings);
    let house = house.set(&all).await;
    let world = Arc::new(World::default());
    house.rooms.acme.probe_with_for_test(world.clone());
    (house, world)
}

/// Holds a ceremony.
pub async fn hierarchy(house: &TestHouse, order: Value) {
    let root = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
    let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
    let planned = house.post("/api/v1/pki/init", json!({"order": order, "rootPublicKey": spki})).await.data();
    let sign = |name: &str| {
        let tbs = STANDARD.decode(text(&planned, name)).unwrap();
        STANDARD.encode(root.sign(&tbs).unwrap().x509())
    };
    let signed = json!({"root": sign("root"), "issuing": sign("issuing"), "crl": sign("crl"),
        "shareFingerprints": ["a", "b", "c"]});
    let finish = format!("/api/v1/pki/init/{}/finish", text(&planned, "id"));
    assert_eq!(house.post(&finish, signed).await.status, 201);
}

/// The world outside the house: every name answers rightly, but for those that a test spoils.
#[derive(Default)]
pub struct World {
    spoilt: Mutex<HashMap<String, Vec<ProbeFault>>>,
    held: Mutex<HashMap<String, Arc<Semaphore>>>,
    pub seen: Mutex<Vec<(ChallengeKind, String, String, String)>>,
    /// The names whose CAA records were asked for.
    pub asked: Mutex<Vec<String>>,
    silent: Mutex<Option<Arc<Semaphore>>>,
}

impl World {
    /// The next looks at a name meet these faults, one each.
    pub fn spoil(&self, name: &str, faults: Vec<ProbeFault>) {
        self.spoilt.lock().unwrap().insert(name.to_owned(), faults);
    }

    /// A look at a name does not end before [`World::let_go`].
    pub fn hold(&self, name: &str) {
        self.held.lock().unwrap().insert(name.to_owned(), Arc::new(Semaphore::new(0)));
    }

    /// Looks at a name end.
    pub fn let_go(&self, name: &str) {
        self.held.lock().unwrap().remove(name).expect("held").close();
    }

    /// Nobody says what the CAA records are until [`World::speak`].
    pub fn fall_silent(&self) {
        *self.silent.lock().unwrap() = Some(Arc::new(Semaphore::new(0)));
    }

    /// Everybody says that the CAA records permit all.
    pub fn speak(&self) {
        self.silent.lock().unwrap().take().expect("silent").close();
    }

    /// Waits until the CAA records of so many names were asked for.
    pub async fn asked(&self, count: usize) {
        for _ in 0..LOOKS_MAX {
            if self.asked.lock().unwrap().len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("nobody asked {count} times");
    }
}

pub fn fault(kind: ProbeFaultKind, retry: bool) -> ProbeFault {
    ProbeFault { kind, detail: "The test says no.".to_owned(), retry }
}

impl Prober for World {
    fn probe(
        &self,
        challenge: ChallengeKind,
        identifier: &Identifier,
        token: &str,
        key_authorization: &str,
    ) -> Boxed<'_, Result<(), ProbeFault>> {
        let name = identifier.value();
        let seen = (challenge, name.clone(), token.to_owned(), key_authorization.to_owned());
        self.seen.lock().unwrap().push(seen);
        let held = self.held.lock().unwrap().get(&name).cloned();
        let mut spoilt = self.spoilt.lock().unwrap();
        let fault = spoilt.get_mut(&name).filter(|faults| !faults.is_empty()).map(|faults| faults.remove(0));
        Box::pin(async move {
            if let Some(held) = held {
                // It opens by being closed.
                let _ = held.acquire().await;
            }
            fault.map_or(Ok(()), Err)
        })
    }

    fn permits(&self, question: CaaQuestion<'_>) -> Boxed<'_, Result<(), CaaFault>> {
        self.asked.lock().unwrap().push(question.name.base().to_owned());
        let silent = self.silent.lock().unwrap().clone();
        Box::pin(async move {
            if let Some(silent) = silent {
                // It opens by being closed.
                let _ = silent.acquire().await;
            }
            Ok(())
        })
    }
}

/// A P-256 account key.
pub struct Key(EcdsaKeyPair);

impl Key {
    pub fn new() -> Self {
        Self::of(&pki::local_key().unwrap())
    }

    pub fn of(key: &pki::LocalKey) -> Self {
        let der = pem::one(key.pem.expose().as_bytes(), Label::PrivateKey).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap())
    }

    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "x": base64url(&point[1..33]), "y": base64url(&point[33..])})
    }

    pub fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        base64url(proof::crypto::sha256(canonical.as_bytes()))
    }

    pub fn sign(&self, header: &Value, payload: &str) -> Value {
        let (protected, payload) = (base64url(header.to_string()), base64url(payload));
        let signed = format!("{protected}.{payload}");
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        json!({"protected": protected, "payload": payload, "signature": base64url(signature)})
    }
}

/// An external account binding.
pub fn binding(kid: &str, secret: &str, url: &str, key: &Key) -> Value {
    let header = json!({"alg": "HS256", "kid": kid, "url": url});
    let (protected, payload) = (base64url(header.to_string()), base64url(key.jwk().to_string()));
    let shared = hmac::Key::new(hmac::HMAC_SHA256, &URL_SAFE_NO_PAD.decode(secret).unwrap());
    let tag = hmac::sign(&shared, format!("{protected}.{payload}").as_bytes());
    json!({"protected": protected, "payload": payload, "signature": base64url(tag)})
}

/// A client with an account, or with a key alone.
pub struct Client<'a> {
    pub house: &'a TestHouse,
    pub key: Key,
    pub kid: Option<String>,
    pub directory: Value,
}

impl<'a> Client<'a> {
    /// A client that knows the directory and has no account yet.
    pub async fn stranger(house: &'a TestHouse) -> Self {
        let answer = house.public_get("/acme/directory").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self { house, key: Key::new(), kid: None, directory: answer.json() }
    }

    /// A client with an account.
    pub async fn new(house: &'a TestHouse) -> Self {
        let mut client = Self::stranger(house).await;
        let answer = client.register(json!({"termsOfServiceAgreed": true})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        client
    }

    pub fn url(&self, name: &str) -> String {
        text(&self.directory, name).to_owned()
    }

    /// Registers the key; takes the account's address when there is one.
    pub async fn register(&mut self, payload: Value) -> Answer {
        let url = self.url("newAccount");
        let answer = self.post_by_key(&url, &payload.to_string()).await;
        if answer.status < 300 {
            self.kid = Some(answer.header("location").unwrap().to_owned());
        }
        answer
    }

    pub async fn nonce(&self) -> String {
        let url = self.url("newNonce");
        let path = url.strip_prefix(&*self.house.rooms.public_url).unwrap();
        let answer = self.house.public(Method::HEAD, path, "", "").await;
        answer.header("replay-nonce").expect("a nonce").to_owned()
    }

    /// Sends a finished message.
    pub async fn send(&self, url: &str, message: &Value) -> Answer {
        let path = url.strip_prefix(&*self.house.rooms.public_url).unwrap_or(url);
        self.house.public(Method::POST, path, JOSE, message.to_string()).await
    }

    pub async fn header(&self, url: &str) -> Value {
        json!({"alg": "ES256", "kid": self.kid, "nonce": self.nonce().await, "url": url})
    }

    pub async fn post_raw(&self, url: &str, payload: &str) -> Answer {
        let message = self.key.sign(&self.header(url).await, payload);
        self.send(url, &message).await
    }

    pub async fn post(&self, url: &str, payload: Value) -> Answer {
        self.post_raw(url, &payload.to_string()).await
    }

    /// POST-as-GET.
    pub async fn look(&self, url: &str) -> Answer {
        self.post_raw(url, "").await
    }

    pub async fn post_by_key(&self, url: &str, payload: &str) -> Answer {
        let header = json!({"alg": "ES256", "jwk": self.key.jwk(), "nonce": self.nonce().await, "url": url});
        self.send(url, &self.key.sign(&header, payload)).await
    }

    /// Orders names; `ip:` before addresses. The answer, whatever it is.
    pub async fn try_order(&self, names: &[&str], more: Value) -> Answer {
        let identifiers: Vec<Value> = names
            .iter()
            .map(|name| match name.strip_prefix("ip:") {
                Some(address) => json!({"type": "ip", "value": address}),
                None => json!({"type": "dns", "value": name}),
            })
            .collect();
        let mut payload = json!({"identifiers": identifiers});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(&self.url("newOrder"), payload).await
    }

    /// Orders names; the order's address and the order.
    pub async fn order(&self, names: &[&str]) -> (String, Value) {
        let answer = self.try_order(names, json!({})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        (answer.header("location").unwrap().to_owned(), answer.json())
    }

    /// Chooses a challenge of an authorization; the answer.
    pub async fn choose(&self, authorization: &str, kind: &str) -> Answer {
        let found = self.look(authorization).await.json();
        let challenges = found["challenges"].as_array().unwrap();
        let challenge = challenges.iter().find(|one| one["type"] == kind).expect("the challenge");
        self.post(text(challenge, "url"), json!({})).await
    }

    /// Chooses a challenge of an authorization and waits until it is decided; its last state.
    pub async fn prove_by(&self, authorization: &str, kind: &str) -> Value {
        let found = self.look(authorization).await.json();
        if found["status"] == "pending" {
            let challenges = found["challenges"].as_array().unwrap();
            let challenge = challenges.iter().find(|one| one["type"] == kind).expect("the challenge");
            let answer = self.post(text(challenge, "url"), json!({})).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        self.decided(authorization).await
    }

    /// Waits until an authorization is decided.
    pub async fn decided(&self, authorization: &str) -> Value {
        for _ in 0..LOOKS_MAX {
            let found = self.look(authorization).await.json();
            if found["status"] != "pending" {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{authorization} is never decided");
    }

    /// Proves every name of an order.
    pub async fn prove(&self, order: &Value) {
        for authorization in order["authorizations"].as_array().unwrap() {
            let url = authorization.as_str().unwrap();
            let wildcard = self.look(url).await.json()["wildcard"] == true;
            let decided = self.prove_by(url, if wildcard { "dns-01" } else { "http-01" }).await;
            assert_eq!(decided["status"], "valid", "{decided}");
        }
    }

    /// Finalizes an order with a request for these names.
    pub async fn finalize(&self, order: &Value, names: &[&str]) -> Answer {
        self.post(text(order, "finalize"), json!({"csr": request(names)})).await
    }

    /// An order of one name that is ready: its address, and where to finalize it.
    pub async fn ready(&self, name: &str) -> (String, String) {
        let (url, order) = self.order(&[name]).await;
        self.prove(&order).await;
        (url, text(&order, "finalize").to_owned())
    }

    /// From order to certificate: the order's address, and the chain as DER.
    pub async fn certificate(&self, names: &[&str]) -> (String, Vec<Vec<u8>>) {
        let (url, order) = self.order(names).await;
        self.prove(&order).await;
        let finished = self.finalize(&order, names).await;
        assert_eq!(finished.status, 200, "{}", finished.text());
        (url, self.download(&finished.json()).await)
    }

    pub async fn download(&self, order: &Value) -> Vec<Vec<u8>> {
        assert_eq!(order["status"], "valid", "{order}");
        let answer = self.look(text(order, "certificate")).await;
        assert_eq!(answer.header("content-type"), Some("application/pem-certificate-chain"));
        pem::all(&answer.body, Label::Certificate).unwrap()
    }
}

/// A request for these names with a fresh key: base64url of DER.
pub fn request(names: &[&str]) -> String {
    request_with(&pki::local_key().unwrap(), names)
}

pub fn request_with(key: &pki::LocalKey, names: &[&str]) -> String {
    let names: Vec<GeneralName> = names
        .iter()
        .map(|name| match name.strip_prefix("ip:") {
            Some(address) => GeneralName::Ip(address.parse().unwrap()),
            None => GeneralName::Dns(DnsName::parse(name).unwrap()),
        })
        .collect();
    base64url(pki::request_der(key, &names).unwrap())
}
