//! The figure of ACME: from an order to the chain, many clients at once, through the doors of the house.
//!
//! Every client is an account of its own and asks one request after the other, as real ones do; its own signatures are in
//! the measured time. Never here: a network, TLS, and a name that is looked at: the probe says yes.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use base::{Error, Result, config::Config, error::INTERNAL};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_kit::Boxed;
use keys::LocalKey;
use pki::acme::{Acme, AcmeSettings, ChallengeKind, Identifier, ProbeFault, Prober};
use proof::{
    jws,
    x509::{DnsName, GeneralName},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::Watch;
use crate::{rooms::Rooms, serve::Apps};

/// Clients at once.
const CLIENTS: usize = 32;
/// Certificates of each client.
const ROUNDS: usize = 40;
/// Times that a client looks whether something is decided; each look follows the last at once.
const LOOKS_MAX: usize = 10_000;
/// An answer that is longer is no answer.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Limits that would be in the way.
const SETTINGS: [(&str, &str); 3] =
    [("http.rate_read", "1000000"), ("http.rate_write", "1000000"), ("acme.accounts_per_hour", "1000000")];

/// Finds every name in the hands of whoever says so.
struct Yes;

impl Prober for Yes {
    fn probe(&self, _: ChallengeKind, _: &Identifier, _: &str, _: &str) -> Boxed<'_, Result<(), ProbeFault>> {
        Box::pin(async { Ok(()) })
    }
}

/// Orders certificates in a house that has an authority.
///
/// # Errors
/// The house's.
pub(super) async fn measure(rooms: &Rooms) -> Result<()> {
    let flags: Vec<(String, String)> =
        SETTINGS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let config = Config::load(&crate::rooms::settings_table(), None, std::iter::empty(), &flags)?;
    let settings = AcmeSettings::from_config(&config, &rooms.public_url)?;
    let acme = Acme::new(rooms.pki.clone(), settings, Arc::new(Yes));
    let rooms = rooms.with_acme(acme);
    let door = Apps::open(&rooms, &config, &TaskTracker::new())?.public();
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Client::register(door.clone(), number).await?);
    }
    let watch = Watch::start();
    let mut working = JoinSet::new();
    for mut client in clients {
        working.spawn(async move {
            for round in 0..ROUNDS {
                client.certificate(round).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = working.join_next().await {
        ended.map_err(|e| INTERNAL.because(e))??;
    }
    let note = format!(
        "certificates: order, challenge, finalize, download, durable; {CLIENTS} clients whose signatures count; no network, the probe says yes"
    );
    watch.print("pki-acme", CLIENTS * ROUNDS, &note);
    Ok(())
}

/// An answer.
struct Told {
    headers: HeaderMap,
    body: Bytes,
}

impl Told {
    fn header(&self, name: &str) -> Result<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).ok_or_else(|| INTERNAL.error())
    }

    fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).map_err(|e| INTERNAL.because(e))
    }
}

/// A text inside what the server said.
fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).ok_or_else(|| INTERNAL.error())
}

/// An account, and the nonce of its last answer.
struct Client {
    door: Router,
    number: usize,
    key: LocalKey,
    account: Option<String>,
    nonce: String,
    new_order: String,
}

impl Client {
    async fn register(door: Router, number: usize) -> Result<Self> {
        let directory = ask(&door, Method::GET, "/acme/directory", "", String::new()).await?.json()?;
        let nonce = ask(&door, Method::HEAD, text(&directory, "/newNonce")?, "", String::new()).await?;
        let new_order = text(&directory, "/newOrder")?.to_owned();
        let nonce = nonce.header("replay-nonce")?.to_owned();
        let mut client = Self { door, number, key: keys::local_key()?, account: None, nonce, new_order };
        let wanted = json!({"termsOfServiceAgreed": true}).to_string();
        let told = client.post(text(&directory, "/newAccount")?, &wanted).await?;
        client.account = Some(told.header("location")?.to_owned());
        Ok(client)
    }

    async fn post(&mut self, url: &str, payload: &str) -> Result<Told> {
        let mut header = json!({"alg": "ES256", "nonce": self.nonce, "url": url});
        match &self.account {
            Some(account) => header["kid"] = json!(account),
            None => header["jwk"] = jws::to_jwk(&self.key.public),
        }
        let protected = URL_SAFE_NO_PAD.encode(header.to_string());
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let signature = self.key.sign_fixed(format!("{protected}.{payload}").as_bytes())?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let message = json!({"protected": protected, "payload": payload, "signature": signature}).to_string();
        let told = ask(&self.door, Method::POST, url, "application/jose+json", message).await?;
        told.header("replay-nonce")?.clone_into(&mut self.nonce);
        Ok(told)
    }

    /// Looks until something is decided.
    async fn decided(&mut self, url: &str) -> Result<Value> {
        for _ in 0..LOOKS_MAX {
            let found = self.post(url, "").await?.json()?;
            if !matches!(text(&found, "/status")?, "pending" | "processing") {
                return Ok(found);
            }
            tokio::task::yield_now().await;
        }
        Err(INTERNAL.error())
    }

    /// From the order to the chain.
    async fn certificate(&mut self, round: usize) -> Result<()> {
        let name = format!("c{}-{round}.bench.test", self.number);
        let order = json!({"identifiers": [{"type": "dns", "value": name}]}).to_string();
        let new_order = self.new_order.clone();
        let order = self.post(&new_order, &order).await?.json()?;
        let authorization = text(&order, "/authorizations/0")?;
        let found = self.post(authorization, "").await?.json()?;
        self.post(text(&found, "/challenges/0/url")?, "{}").await?;
        self.decided(authorization).await?;
        let name = DnsName::parse(&name).map_err(|e| INTERNAL.because(e))?;
        let csr = keys::request_der(&keys::local_key()?, &[GeneralName::Dns(name)])?;
        let csr = json!({"csr": URL_SAFE_NO_PAD.encode(csr)}).to_string();
        let finished = self.post(text(&order, "/finalize")?, &csr).await?.json()?;
        let chain = self.post(text(&finished, "/certificate")?, "").await?;
        if chain.body.starts_with(b"-----BEGIN CERTIFICATE-----") { Ok(()) } else { Err(INTERNAL.error()) }
    }
}

/// One request through the public door; a whole address is cut to its path.
async fn ask(door: &Router, method: Method, url: &str, media: &str, body: String) -> Result<Told> {
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    let path = path.map_or_else(|| url.to_owned(), |path| format!("/{path}"));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", media)
        .body(Body::from(body))
        .map_err(|e| INTERNAL.because(e))?;
    let Ok(answer) = door.clone().oneshot(request).await;
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(|e| INTERNAL.because(e))?;
    if head.status >= StatusCode::BAD_REQUEST {
        return Err(INTERNAL.because(std::io::Error::other(String::from_utf8_lossy(&body).into_owned())));
    }
    Ok(Told { headers: head.headers, body })
}
