//! A small house behind the port: really signed documents, a list whose bits a test can set, a clock it can turn.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each user takes its part; a fixture that cannot go on has failed"
)]

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::{body::Body, http::Request};
use base::{Clock, MockClock, Result, SeededChance, Time, config::Config};
use http_body_util::BodyExt;
use http_kit::{App, Boxed, DoorSettings, Fittings, Public, SETTINGS};
use proof::{
    credential::{Achievement, Badge, Criteria, Identity, Issuer, Recipient, ResultLine},
    crypto::PublicKey,
    did,
    integrity::{ProofOptions, finish, prepare},
    status::{BitString, Entry, ListDescription, build_list},
    verify::{TrustList, TrustedIssuer},
};
use serde_json::Value;
use tower::ServiceExt;
use verify::{Document, Documents, Standing, Verifier, error_page, public_routes};

pub const URL: &str = "https://selo.example";
pub const LIST: &str = "https://selo.example/status/0123456789abcdefghjkmnpqrs";
pub const LISTED: &str = "Universidade de Coimbra";
/// 2026-11-24T14:00:00Z
pub const NOW: i64 = 1_795_528_800;

/// A key and the identifier that it is.
pub struct Signer {
    pair: Ed25519KeyPair,
    pub did: String,
    method: String,
}

impl Signer {
    pub fn new(seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = PublicKey::Ed25519(pair.public_key().as_ref().try_into().unwrap());
        Self { pair, did: did::did_key(&public), method: did::did_key_method(&public) }
    }

    pub fn sign(&self, document: &Value) -> Value {
        let prepared =
            prepare(document, &ProofOptions::assertion(&*self.method, "2026-07-01T09:00:00Z")).unwrap();
        let signature = self.pair.sign(&prepared.hash_data);
        finish(document, prepared, signature.as_ref())
    }
}

/// What a diploma says.
pub struct Order<'a> {
    pub holder: &'a str,
    pub degree: &'a str,
    pub issuer: &'a str,
    pub from: &'a str,
    pub until: Option<&'a str>,
    pub list: &'a str,
    pub purpose: &'a str,
}

impl Default for Order<'_> {
    fn default() -> Self {
        Self {
            holder: "Ana Sofia Magalhães de Albuquerque e Castro",
            degree: "Mestrado em Engenharia Informática",
            issuer: LISTED,
            from: "2026-07-01T00:00:00Z",
            until: None,
            list: LIST,
            purpose: "revocation",
        }
    }
}

pub fn diploma(signer: &Signer, order: &Order<'_>) -> Value {
    let badge = Badge {
        id: "urn:uuid:7b0f7a3e-2f0c-4b5d-9d0a-6f1f2c7e9a10".to_owned(),
        name: order.degree.to_owned(),
        issuer: Issuer { id: signer.did.clone(), name: order.issuer.to_owned(), ..Issuer::default() },
        valid_from: order.from.to_owned(),
        valid_until: order.until.map(str::to_owned),
        awarded_date: Some(order.from.to_owned()),
        recipient: Recipient {
            id: Some("urn:uuid:0f3a1c52-6a63-4f7e-8f5d-02a1b6b0c9d1".to_owned()),
            name: Some(order.holder.to_owned()),
            identities: vec![Identity::Hashed {
                kind: "emailAddress".to_owned(),
                value: "ana@example.org".to_owned(),
                salt: "0123456789abcdefghjkmnpqrs".to_owned(),
            }],
        },
        achievement: Achievement {
            id: format!("{URL}/achievements/0123456789abcdefghjkmnpqrs"),
            name: order.degree.to_owned(),
            description: order.degree.to_owned(),
            criteria: Criteria { narrative: Some(order.degree.to_owned()), ..Criteria::default() },
            achievement_type: Some("MasterDegree".to_owned()),
            field_of_study: Some("Engenharia Informática".to_owned()),
            ..Achievement::default()
        },
        results: vec![ResultLine { value: Some("18 (dezoito) valores".to_owned()), ..ResultLine::default() }],
        status: Some(Entry {
            list: order.list.to_owned(),
            index: 7,
            purpose: order.purpose.to_owned(),
            index_was_number: false,
        }),
        ..Badge::default()
    };
    signer.sign(&badge.to_json().unwrap())
}

/// What stands behind the port.
pub struct House {
    pub signer: Signer,
    pub clock: Arc<MockClock>,
    pub documents: Mutex<HashMap<String, Document>>,
    pub list: Mutex<Vec<u8>>,
    pub version: Mutex<String>,
    pub changed_at: Mutex<Option<Time>>,
    pub picture: Vec<u8>,
    /// How often a document was opened.
    pub opened: AtomicUsize,
}

impl House {
    pub fn new() -> Arc<Self> {
        Self::with_picture(b"\x89PNG\r\n\x1a\n".to_vec())
    }

    pub fn with_picture(picture: Vec<u8>) -> Arc<Self> {
        let house = Self {
            signer: Signer::new(7),
            clock: Arc::new(MockClock::at(Time::from_seconds(NOW))),
            documents: Mutex::default(),
            list: Mutex::default(),
            version: Mutex::new("1".to_owned()),
            changed_at: Mutex::default(),
            picture,
            opened: AtomicUsize::new(0),
        };
        house.set("revocation", false);
        Arc::new(house)
    }

    /// Signs the list anew, with the bit of every diploma here set or not.
    pub fn set(&self, purpose: &str, withdrawn: bool) {
        let mut bits = BitString::new(131_072).unwrap();
        bits.set(7, withdrawn).unwrap();
        let now = self.clock.now();
        let description = ListDescription {
            address: LIST.to_owned(),
            issuer: self.signer.did.clone(),
            purpose: purpose.to_owned(),
            valid_from: "2026-06-01T00:00:00Z".to_owned(),
            valid_until: Some(Time::from_seconds(now.seconds() + 86_400).rfc3339()),
            ttl_ms: Some(300_000),
        };
        let list = self.signer.sign(&build_list(&description, &bits).unwrap());
        *self.list.lock().unwrap() = list.to_string().into_bytes();
        if withdrawn {
            *self.changed_at.lock().unwrap() = Some(now);
        }
        self.version.lock().unwrap().push('+');
    }

    /// Puts a document behind a handle.
    pub fn put(&self, handle: &str, document: &Value) {
        let bytes = document.to_string().into_bytes();
        self.documents.lock().unwrap().insert(handle.to_owned(), Document::Live { bytes });
    }

    pub fn app(self: &Arc<Self>) -> App<Public> {
        let chance = Arc::new(SeededChance::new(1));
        let mut fittings = Fittings::new(self.clock.clone(), chance);
        fittings.error_page = Some(error_page);
        let config = Config::defaults(&[SETTINGS]).unwrap();
        let settings = DoorSettings::from_config(&config, URL).unwrap();
        public_routes(Verifier::new(self.clone(), self.clock.clone(), URL)).open(&fittings, &settings)
    }
}

impl Documents for House {
    fn document<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Document>>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let found = self.documents.lock().unwrap().get(handle).cloned();
        Box::pin(std::future::ready(Ok(found)))
    }
    fn status_list<'a>(&'a self, address: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>> {
        let found = (address == LIST).then(|| self.list.lock().unwrap().clone());
        Box::pin(std::future::ready(Ok(found)))
    }
    fn controller<'a>(&'a self, _did: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>> {
        Box::pin(std::future::ready(Ok(None)))
    }
    fn trust(&self) -> Boxed<'_, Result<TrustList>> {
        let issuer = TrustedIssuer {
            id: self.signer.did.clone(),
            name: LISTED.to_owned(),
            credential_types: Vec::new(),
        };
        Box::pin(std::future::ready(Ok(TrustList::new([issuer]))))
    }
    fn picture<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Arc<Vec<u8>>>>> {
        let known = matches!(self.documents.lock().unwrap().get(handle), Some(Document::Live { .. }));
        Box::pin(std::future::ready(Ok(known.then(|| Arc::new(self.picture.clone())))))
    }
    fn evidence<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>> {
        let known = matches!(self.documents.lock().unwrap().get(handle), Some(Document::Live { .. }));
        Box::pin(std::future::ready(Ok(known.then(|| b"c2sp.org/tlog-proof@v1\n".to_vec()))))
    }
    fn standing<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Standing>>> {
        let known = self.documents.lock().unwrap().contains_key(handle);
        let standing = known.then(|| Standing {
            suspended: false,
            version: self.version.lock().unwrap().clone(),
            changed_at: *self.changed_at.lock().unwrap(),
            evidence: true,
        });
        Box::pin(std::future::ready(Ok(standing)))
    }
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub async fn send(app: &App<Public>, request: Request<Body>) -> Answer {
    let response = app.service().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
    Answer { status, headers, body }
}

/// As a browser asks.
pub async fn get(app: &App<Public>, path: &str) -> Answer {
    send(app, Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap()).await
}

/// A form with these parts: name, file name (none for text), content.
pub fn form(path: &str, accept: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend(
            format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes(),
        );
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    Request::post(path)
        .header("content-type", "multipart/form-data; boundary=edge")
        .header("accept", accept)
        .body(Body::from(body))
        .unwrap()
}

/// A browser hands in a document.
pub async fn upload(app: &App<Public>, lang: &str, document: &[u8]) -> Answer {
    let path = format!("/verify?lang={lang}");
    send(app, form(&path, "text/html", &[("file", Some("x.json"), document), ("text", None, b"")])).await
}

/// A program hands in JSON.
pub async fn order(app: &App<Public>, body: impl Into<Body>) -> Answer {
    let request =
        Request::post("/api/v1/verify").header("content-type", "application/json").body(body.into());
    send(app, request.unwrap()).await
}
