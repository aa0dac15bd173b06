//! The partner zone over real connections: who shows a certificate in force of an open account enters and does what the
//! account may, and whoever else is refused, whatever else they show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Body;
use base::{Clock, MockClock};
use http_body_util::BodyExt as _;
use http_kit::{Clients, Listener, Partner, ServerLimits, Tls};
use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use proof::x509::{DnsName, GeneralName, pem};
use rustls::{
    ClientConfig, RootCertStore,
    client::ResolvesClientCert,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    sign::CertifiedKey,
    time_provider::TimeProvider,
};
use selo::{
    own::{Keeper, Order, Place},
    partner,
};
use serde_json::{Value, json};
use testkit::{TestHouse, engines};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const DAY: Duration = Duration::from_secs(86_400);
const LIMITS: ServerLimits = ServerLimits {
    connections_max: 64,
    header_time: Duration::from_secs(5),
    stop_time: Duration::from_secs(2),
};
const DIPLOMA: &str = r#"{"template":"diploma","row":{"name":"Ana","degree":"Direito","date":"2026-07-31"}}"#;

#[derive(Debug)]
struct Turned(Arc<MockClock>);

impl TimeProvider for Turned {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.now().seconds().try_into().unwrap())))
    }
}

/// Shows one pair, whether or not it is one.
#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesClientCert for Fixed {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A house with a listener for partners, as `selo serve` opens it.
struct Served {
    house: TestHouse,
    root: Vec<u8>,
    address: SocketAddr,
    clients: Clients,
    keeper: Keeper,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What a client holds: a chain and its key.
#[derive(Clone)]
struct Shown {
    id: String,
    serial: String,
    chain: Vec<CertificateDer<'static>>,
    key: String,
}

impl Served {
    async fn open(house: TestHouse) -> Self {
        let (root, _) = house.hierarchy(json!({})).await;
        Self::with(house, root, "").await
    }

    async fn with(house: TestHouse, root: Vec<u8>, environment: &str) -> Self {
        let clients = Clients::default();
        let tls = Tls::for_clients(&clients, Arc::clone(&house.rooms.house.clock)).unwrap();
        let listener = Listener::<Partner>::bind("127.0.0.1:0", "http.partner_listen").await.unwrap();
        let address = listener.address();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let app = house.apps.partner.clone();
        tasks.spawn(listener.with_tls(Some(tls.clone())).serve(app, LIMITS, stop.clone()));
        tasks.close();
        let order = Order::listener("partner", "localhost", "dev");
        let mut keeper = Keeper::new(house.rooms.clone(), order, Place::Listener(tls, address));
        keeper.look().await.unwrap();
        partner::admit(&house.rooms, environment, &clients).await.unwrap();
        Self { house, root, address, clients, keeper, stop, tasks }
    }

    /// A certificate of a profile for a name, from the API.
    async fn certificate(&self, profile: &str, name: &str, environment: &str) -> Shown {
        let key = pki::local_key().unwrap();
        let names = [GeneralName::Dns(DnsName::parse(name).unwrap())];
        let csr = pki::request_der(&key, &names).unwrap();
        let csr = pem::encode(pem::Label::CertificateRequest, &csr);
        let body = json!({"profile": profile, "csr": csr, "environment": environment});
        let issued = self.house.post("/api/v1/pki/certificates", body).await.data();
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        let all = text("chain");
        let chain = CertificateDer::pem_slice_iter(all.as_bytes()).map(Result::unwrap).collect();
        Shown { id: text("id"), serial: text("serial"), chain, key: key.pem.expose().clone() }
    }

    /// An account of a tenant that enters with a new certificate.
    async fn account(&self, tenant: &Value, name: &str, permissions: &[&str], networks: &[&str]) -> Shown {
        let tenant = tenant["id"].as_str().unwrap();
        let body = json!({"name": name, "permissions": permissions, "networks": networks});
        let made = self.house.post(&format!("/api/v1/accounts?tenant={tenant}"), body).await.data();
        let shown = self.certificate("partner", &format!("{name}.test"), "dev").await;
        let path = format!("/api/v1/accounts/{}/certificates?tenant={tenant}", made["id"].as_str().unwrap());
        self.house.post(&path, json!({"certificate": shown.id})).await.data();
        shown
    }

    async fn connect(&self, shown: Option<&Shown>) -> std::io::Result<Visit> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.root.clone())).unwrap();
        let clock = Arc::new(Turned(Arc::clone(&self.house.clock)));
        let builder = ClientConfig::builder_with_details(Arc::new(aws_lc_rs::default_provider()), clock)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some(shown) => {
                let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
                let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
                let pair = CertifiedKey::new(shown.chain.clone(), key);
                builder.with_client_cert_resolver(Arc::new(Fixed(Arc::new(pair))))
            }
        };
        let stream = TcpStream::connect(self.address).await?;
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect("localhost".try_into().unwrap(), stream).await?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        Ok(Visit(sender))
    }

    /// Whether somebody gets as far as an answer, whatever it says.
    async fn is_heard(&self, shown: Option<&Shown>) -> bool {
        match self.connect(shown).await {
            Err(_) => false,
            // A client hears that it was refused only after it believed the handshake to be over.
            Ok(mut visit) => visit.try_ask("GET", "/api/v1/credentials", &[], "").await.is_some(),
        }
    }

    async fn status(&self, shown: &Shown) -> u16 {
        self.connect(Some(shown)).await.unwrap().ask("GET", "/api/v1/credentials", "").await.0
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

/// One connection that is kept.
struct Visit(SendRequest<Body>);

impl Visit {
    async fn try_ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<(u16, String)> {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        self.0.ready().await.ok()?;
        let answer = self.0.send_request(request.body(Body::from(body.to_owned())).unwrap()).await.ok()?;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.ok()?.to_bytes();
        Some((status, String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.try_ask(method, path, &[], body).await.expect("an answer")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_issues_reads_and_checks_as_its_account_may_and_finds_nothing_else() {
    for house in engines().await {
        let tenant = house.tenant("Universidade").await;
        let served = Served::open(house).await;
        let bank =
            served.account(&tenant, "bank-a.prod", &["credential.issue", "credential.read"], &[]).await;
        let mut visit = served.connect(Some(&bank)).await.unwrap();
        let (status, issued) = visit.ask("POST", "/api/v1/credentials", DIPLOMA).await;
        assert_eq!(status, 201, "{issued}");
        let issued: Value = serde_json::from_str(&issued).unwrap();
        let id = issued["data"]["id"].as_str().unwrap();
        let file = format!("/api/v1/credentials/{id}/files/credential.json");
        let (status, document) = visit.ask("GET", &file, "").await;
        assert_eq!(status, 200);
        let (status, checked) = visit.ask("POST", "/api/v1/verify", &document).await;
        assert!(status == 200 && checked.contains("\"valid\""), "{status} {checked}");
        let (status, list) = visit.ask("GET", "/api/v1/credentials", "").await;
        assert!(status == 200 && list.contains(id));
        let revoke = format!("/api/v1/credentials/{id}/revoke");
        let (status, refused) = visit.ask("POST", &revoke, r#"{"reason":"x"}"#).await;
        assert!(status == 403 && refused.contains("credential.status"), "{status} {refused}");
        for path in [
            "/",
            "/metrics",
            "/openapi.json",
            "/api/v1/tenants",
            "/api/v1/api-keys",
            "/api/v1/accounts",
            "/api/v1/pki/certificates",
            "/api/v1/session",
            "/api/v1/audit/search",
            "/v/abc",
            "/ocsp",
        ] {
            assert_eq!(visit.ask("GET", path, "").await.0, 404, "{path}");
        }
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_no_certificate_or_a_strangers_is_not_even_heard() {
    let house = TestHouse::new().await;
    let tenant = house.tenant("Universidade").await;
    let served = Served::open(house).await;
    let bank = served.account(&tenant, "bank-a", &["credential.read"], &[]).await;
    assert_eq!(served.status(&bank).await, 200);
    assert!(!served.is_heard(None).await, "no certificate");

    // A stranger's authority that calls itself as ours, and a certificate that signs itself.
    let made = rcgen::generate_simple_self_signed(vec!["bank-a.test".to_owned()]).unwrap();
    let own =
        Shown { chain: vec![made.cert.der().clone()], key: made.signing_key.serialize_pem(), ..bank.clone() };
    assert!(!served.is_heard(Some(&own)).await, "a certificate that signs itself");
    let other = Served::open(TestHouse::new().await).await;
    let tenant = other.house.tenant("Outra").await;
    let foreign = other.account(&tenant, "bank-a", &["credential.read"], &[]).await;
    assert_eq!(other.status(&foreign).await, 200);
    assert!(!served.is_heard(Some(&foreign)).await, "another house's, under the same names");
    // Ours in front of another's key: who does not hold the key is nobody.
    let stolen = Shown { key: foreign.key.clone(), ..bank.clone() };
    assert!(!served.is_heard(Some(&stolen)).await, "a certificate without its key");

    served.clients.replace(&[]).unwrap();
    assert!(!served.is_heard(Some(&bank)).await, "without an authority nobody enters");
    other.end().await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_house_that_is_no_partners_gets_one_answer_whatever_is_wrong() {
    let house = TestHouse::new().await;
    let tenant = house.tenant("Universidade").await;
    let served = Served::open(house).await;
    let elsewhere = served.account(&tenant, "elsewhere", &["credential.read"], &["192.0.2.0/24"]).await;
    let closed = served.account(&tenant, "closed", &["credential.read"], &["127.0.0.0/8"]).await;
    assert_eq!(served.status(&closed).await, 200);
    let all = served.house.get("/api/v1/accounts").await.data();
    let id =
        all["items"].as_array().unwrap().iter().find(|one| one["name"] == "closed").unwrap()["id"].clone();
    let path = format!("/api/v1/accounts/{}", id.as_str().unwrap());
    assert_eq!(served.house.admin(axum::http::Method::DELETE, &path, "", "").await.status, 200);
    let mut bodies = Vec::new();
    for (why, shown) in [
        ("another profile", served.certificate("client", "bank-a.test", "dev").await),
        ("no account", served.certificate("partner", "bank-a.test", "dev").await),
        ("another network", elsewhere.clone()),
        ("a closed account", closed),
    ] {
        let mut visit = served.connect(Some(&shown)).await.unwrap();
        let (status, body) = visit.ask("GET", "/api/v1/credentials", "").await;
        assert_eq!(status, 401, "{why}: {body}");
        let mut body: Value = serde_json::from_str(&body).unwrap();
        body["requestId"] = Value::Null;
        bodies.push(body);
        // The check by API asks for no caller elsewhere; here nobody is answered who is not known.
        for path in ["/api/v1/verify", "/livez", "/nowhere"] {
            assert_eq!(visit.ask("POST", path, "{}").await.0, 401, "{why} {path}");
        }
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    // What a client says of where it comes from counts as little as the key that it sends along.
    let tenant = tenant["id"].as_str().unwrap();
    let body = json!({"name": "k", "roles": ["issuer_admin"]});
    let key = served.house.post(&format!("/api/v1/api-keys?tenant={tenant}"), body).await.data();
    let bearer = format!("Bearer {}", key["key"].as_str().unwrap());
    let headers = [("x-forwarded-for", "192.0.2.7"), ("authorization", bearer.as_str())];
    let mut visit = served.connect(Some(&elsewhere)).await.unwrap();
    let (status, _) = visit.try_ask("GET", "/api/v1/credentials", &headers, "").await.unwrap();
    assert_eq!(status, 401);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_is_shut_out_at_its_next_request_on_a_connection_that_it_keeps() {
    for house in engines().await {
        let tenant = house.tenant("Universidade").await;
        let served = Served::open(house).await;
        let bank = served.account(&tenant, "bank-a", &["credential.read"], &[]).await;
        let other = served.account(&tenant, "bank-b", &["credential.read"], &[]).await;
        let mut visit = served.connect(Some(&bank)).await.unwrap();
        assert_eq!(visit.ask("GET", "/api/v1/credentials", "").await.0, 200);
        let path = format!("/api/v1/pki/certificates/{}/revoke", bank.serial);
        served.house.post(&path, json!({"reason": "keyCompromise"})).await.data();
        assert_eq!(visit.ask("GET", "/api/v1/credentials", "").await.0, 401, "on the same connection");
        assert_eq!(served.status(&bank).await, 401, "on a new one");
        assert_eq!(served.status(&other).await, 200, "nobody else is touched");
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_has_ended_enters_no_more_and_one_that_follows_it_does() {
    let house = TestHouse::new().await;
    let tenant = house.tenant("Universidade").await;
    let mut served = Served::open(house).await;
    let bank = served.account(&tenant, "bank-a", &["credential.read"], &[]).await;
    let mut kept = served.connect(Some(&bank)).await.unwrap();
    assert_eq!(kept.ask("GET", "/api/v1/credentials", "").await.0, 200);
    served.house.clock.advance(DAY * 91);
    served.keeper.look().await.unwrap();
    assert_eq!(kept.ask("GET", "/api/v1/credentials", "").await.0, 401, "on the connection that it kept");
    assert!(!served.is_heard(Some(&bank)).await, "on a new one not even heard");
    let next = served.certificate("partner", "bank-a.test", "dev").await;
    let account = served.house.get("/api/v1/accounts").await.data()["items"][0]["id"].clone();
    let path = format!("/api/v1/accounts/{}/certificates", account.as_str().unwrap());
    served.house.post(&path, json!({"certificate": next.id})).await.data();
    assert_eq!(served.status(&next).await, 200);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_sees_its_own_tenant_and_each_zone_its_own_environment() {
    let house = TestHouse::new().await.set(&[("house.environment", "dev")]).await;
    let (first, second) = (house.tenant("First").await, house.tenant("Second").await);
    let (root, _) = house.hierarchy(json!({})).await;
    house.hierarchy(json!({"environment": "test", "organisation": "Other"})).await;
    let served = Served::with(house, root, "dev").await;
    let one = served.account(&first, "same-name", &["credential.issue", "credential.read"], &[]).await;
    let two = served.account(&second, "same-name", &["credential.issue", "credential.read"], &[]).await;
    let (_, issued) =
        served.connect(Some(&one)).await.unwrap().ask("POST", "/api/v1/credentials", DIPLOMA).await;
    let issued: Value = serde_json::from_str(&issued).unwrap();
    let path = format!("/api/v1/credentials/{}", issued["data"]["id"].as_str().unwrap());
    assert_eq!(served.connect(Some(&one)).await.unwrap().ask("GET", &path, "").await.0, 200);
    let mut visit = served.connect(Some(&two)).await.unwrap();
    assert_eq!(visit.ask("GET", &path, "").await.0, 404);
    let named = format!("{path}?tenant={}", first["id"].as_str().unwrap());
    assert_eq!(visit.ask("GET", &named, "").await.0, 404);
    let test = served.certificate("partner", "bank-a.test", "test").await;
    assert!(!served.is_heard(Some(&test)).await, "another environment's authority");
    // Even one that the handshake let in is asked about again, in the table.
    partner::admit(&served.house.rooms, "test", &served.clients).await.unwrap();
    assert_eq!(served.status(&test).await, 401);
    served.end().await;
}

#[tokio::test]
async fn accounts_are_refused_with_the_reason() {
    for house in engines().await {
        let tenant = house.tenant("Universidade").await["id"].as_str().unwrap().to_owned();
        let new = |body: Value| {
            let house = &house;
            async move { house.post("/api/v1/accounts", body).await }
        };
        let good =
            json!({"name": "bank-a", "permissions": ["credential.read"], "networks": ["192.0.2.0/24"]});
        let made = new(good.clone()).await.data();
        assert_eq!((&made["networks"], &made["closedAt"]), (&json!(["192.0.2.0/24"]), &Value::Null));
        for (change, code) in [
            (json!({}), "ACCOUNT_NAME_TAKEN"),
            (json!({"name": "Bank A"}), "ACCOUNT_NAME_INVALID"),
            (json!({"name": "b", "permissions": ["tenant.create"]}), "ACCOUNT_PERMISSION_INVALID"),
            (json!({"name": "b", "permissions": []}), "ACCOUNT_PERMISSION_INVALID"),
            (json!({"name": "b", "networks": ["10.0.0.0/99"]}), "ACCOUNT_NETWORK_INVALID"),
        ] {
            let mut body = good.clone();
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(new(body).await.code(), code);
        }
        let path = format!("/api/v1/accounts/{}", made["id"].as_str().unwrap());
        let certificates = format!("{path}/certificates");
        let bound = json!({"certificate": "cert_00000000000000000000000001"});
        house.post(&certificates, bound.clone()).await.data();
        assert_eq!(house.post(&certificates, bound).await.code(), "ACCOUNT_CERTIFICATE_TAKEN");
        let wrong = json!({"certificate": "key_00000000000000000000000001"});
        assert_eq!(house.post(&certificates, wrong).await.status, 422);
        let delete = || house.admin(axum::http::Method::DELETE, &path, "", "");
        assert_eq!(delete().await.status, 200);
        assert_eq!(delete().await.code(), "ACCOUNT_NOT_FOUND");
        let late = json!({"certificate": "cert_00000000000000000000000002"});
        assert_eq!(house.post(&certificates, late).await.code(), "ACCOUNT_NOT_FOUND");
        house.settle().await;
        let about = format!("/api/v1/audit?tenant={tenant}&resource={}", made["id"].as_str().unwrap());
        let told = house.get(&about).await.data();
        let mut types: Vec<&str> =
            told["items"].as_array().unwrap().iter().map(|one| one["eventType"].as_str().unwrap()).collect();
        types.sort_unstable();
        assert_eq!(types, ["account.certified", "account.closed", "account.created"]);
    }
}
