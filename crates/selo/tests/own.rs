//! The house's own certificates: its listener gets one when there is an authority, renews it as the clock turns, and shows
//! the next one to whoever comes next. The client is rustls with the clock of the house and the root alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::{Method, Request, header};
use base::{Clock, MockClock, Time};
use http_kit::{Listener, Peer, Public, ServerLimits, Tls};
use proof::x509::Certificate;
use rustls::{
    ClientConfig, NamedGroup, ProtocolVersion, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, UnixTime},
    time_provider::TimeProvider,
};
use selo::own::{Keeper, Looked, Order, Place};
use serde_json::json;
use testkit::TestHouse;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

const DAY: Duration = Duration::from_secs(86_400);
const LIMITS: ServerLimits = ServerLimits {
    connections_max: 64,
    header_time: Duration::from_secs(5),
    stop_time: Duration::from_secs(2),
};

/// The clock of the house, for rustls.
#[derive(Debug)]
struct Turned(Arc<MockClock>);

impl TimeProvider for Turned {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).unwrap();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// A house with a public listener whose certificate is the house's own.
struct Served {
    house: TestHouse,
    address: SocketAddr,
    keeper: Keeper,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Served {
    async fn under(name: &str) -> Self {
        let house = TestHouse::at("https://localhost:8443").await;
        let listener = Listener::<Public>::bind("127.0.0.1:0", "http.public_listen").await.unwrap();
        let (address, tls) = (listener.address(), Tls::waiting().unwrap());
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let serving =
            listener.with_tls(Some(tls.clone())).serve(house.apps.public.clone(), LIMITS, stop.clone());
        tasks.spawn(serving);
        tasks.close();
        let order = Order::listener("public", name, "");
        let keeper = Keeper::new(house.rooms.clone(), order, Place::Listener(tls, address));
        Self { house, address, keeper, stop, tasks }
    }

    fn client(&self, root: &[u8]) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root.to_vec())).unwrap();
        let mut provider = aws_lc_rs::default_provider();
        // As browsers do: the share of the hybrid exchange comes with the first message.
        provider.kx_groups.sort_by_key(|group| group.name() != NamedGroup::X25519MLKEM768);
        let clock = Arc::new(Turned(Arc::clone(&self.house.clock)));
        let mut config = ClientConfig::builder_with_details(Arc::new(provider), clock)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        Client { config: Arc::new(config), address: self.address }
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

/// A browser that trusts the root.
#[derive(Clone)]
struct Client {
    config: Arc<ClientConfig>,
    address: SocketAddr,
}

impl Client {
    async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::clone(&self.config)).connect("localhost".try_into().unwrap(), stream).await
    }

    /// The serial number that the listener shows.
    async fn serial(&self) -> String {
        let stream = self.connect().await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap();
        Certificate::parse(&shown[0]).unwrap().serial().unwrap().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_refuses_everybody_until_there_is_an_authority_and_then_speaks_the_hybrid_exchange() {
    let mut served = Served::under("localhost").await;
    assert_eq!(served.keeper.look().await.unwrap(), Looked::Waiting);
    let plain = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let mut back = Vec::new();
    tokio::io::AsyncWriteExt::write_all(&mut stream, plain).await.unwrap();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut back).await;
    assert!(!back.starts_with(b"HTTP/"), "nothing is answered in clear meanwhile");
    let refused = served.house.get("/api/v1/pki/certificates").await.data();
    assert_eq!(refused["items"], json!([]), "nothing was asked of an authority that is not there");

    let (root, _) = served.house.hierarchy(json!({})).await;
    let client = served.client(&root);
    assert!(client.connect().await.is_err(), "nothing to show yet");
    assert_eq!(served.keeper.look().await.unwrap(), Looked::Renewed);
    let stream = client.connect().await.unwrap();
    let session = stream.get_ref().1;
    assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(session.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519MLKEM768);
    assert_eq!(session.peer_certificates().unwrap().len(), 2, "leaf and issuing authority, no root");
    assert_eq!(session.peer_certificates().unwrap()[0].as_ref(), served.keeper.certificate().unwrap());

    let one = served.house.get("/api/v1/pki/certificates?profile=server").await.data()["items"][0].clone();
    assert_eq!(
        (&one["source"], &one["owner"], &one["names"]),
        (&json!("internal"), &json!("selo public"), &json!(["dns:localhost"]))
    );
    let figures = served.house.rooms.metrics.expose();
    let end = Time::parse(one["notAfter"].as_str().unwrap()).unwrap().seconds();
    let line = format!("selo_cert_not_after_seconds{{profile=\"server\",service=\"public\"}} {end}\n");
    assert!(figures.contains(&line), "{figures}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_renewals_by_the_clock_fail_no_handshake_and_show_no_certificate_that_has_ended() {
    let mut served = Served::under("localhost").await;
    let (root, _) = served.house.hierarchy(json!({})).await;
    served.keeper.look().await.unwrap();
    let client = served.client(&root);
    let (over, shaken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let hammering: Vec<_> = (0..2)
        .map(|_| {
            let (client, over, shaken) = (client.clone(), Arc::clone(&over), Arc::clone(&shaken));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    client.connect().await.expect("a handshake during a renewal");
                    shaken.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut before = client.serial().await;
    for _ in 0..5 {
        served.house.clock.advance(DAY * 18);
        assert_eq!(served.keeper.look().await.unwrap(), Looked::Kept);
        assert_eq!(client.serial().await, before);
        served.house.clock.advance(DAY * 2 + Duration::from_secs(60));
        assert_eq!(served.keeper.look().await.unwrap(), Looked::Renewed);
        let now = client.serial().await;
        assert_ne!(now, before);
        before = now;
    }
    over.store(true, Ordering::Relaxed);
    for one in hammering {
        one.await.unwrap();
    }
    assert!(shaken.load(Ordering::Relaxed) > 20);
    let overdue = served.house.get("/api/v1/pki/overdue").await.data();
    assert_eq!(overdue["items"], json!([]), "each is followed by the next");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_is_replaced_and_so_is_one_that_a_clock_gone_back_does_not_know() {
    let mut served = Served::under("localhost").await;
    let (root, _) = served.house.hierarchy(json!({})).await;
    served.keeper.look().await.unwrap();
    let client = served.client(&root);
    let first = client.serial().await;
    let path = format!("/api/v1/pki/certificates/{first}/revoke");
    assert_eq!(served.house.post(&path, json!({"reason": "superseded"})).await.status, 200);
    assert_eq!(served.keeper.look().await.unwrap(), Looked::Renewed);
    let second = client.serial().await;
    assert_ne!(second, first);
    let now = served.house.clock.now();
    served.house.clock.set(now.plus(DAY * 400));
    assert_eq!(served.keeper.look().await.unwrap(), Looked::Renewed);
    let third = client.serial().await;
    served.house.clock.set(now);
    // The authority trusts no clock that ran back, until somebody says that the certificate from the future is none.
    assert!(served.keeper.look().await.unwrap_err().is(&pki::error::CLOCK_BACK));
    let path = format!("/api/v1/pki/certificates/{third}/revoke");
    assert_eq!(served.house.post(&path, json!({"reason": "superseded"})).await.status, 200);
    served.house.clock.advance(DAY / 24);
    assert_eq!(served.keeper.look().await.unwrap(), Looked::Renewed);
    assert!(![second, third].contains(&client.serial().await));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_authority_may_not_give_is_refused_once_a_pause_and_not_every_few_seconds() {
    let mut served = Served::under("selo.example").await;
    served.house.hierarchy(json!({})).await;
    let refusals = || async {
        let figures = served.house.rooms.metrics.expose();
        let line = "selo_pki_refused_total{reason=\"PKI_NAME_CONSTRAINED\"} ";
        figures.lines().find_map(|one| one.strip_prefix(line)?.parse::<u32>().ok()).unwrap_or(0)
    };
    let failure = served.keeper.look().await.unwrap_err();
    assert_eq!(failure.code().name, "PKI_NAME_CONSTRAINED");
    for _ in 0..10 {
        served.house.clock.advance(Duration::from_secs(5));
        assert_eq!(served.keeper.look().await.unwrap(), Looked::Kept);
    }
    assert_eq!(refusals().await, 1);
    served.house.clock.advance(Duration::from_secs(10));
    assert!(served.keeper.look().await.is_err());
    assert_eq!(refusals().await, 2);
    served.end().await;
}

/// A request in clear, beside the public listener.
async fn in_clear(house: &TestHouse, method: Method, path: &str) -> (u16, String, bool) {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "evil.example");
    request = request.extension(Peer::Network(([127, 0, 0, 1], 40_000).into()));
    let answer = house.apps.plain().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    let place = answer.headers().get(header::LOCATION).map(|place| place.to_str().unwrap().to_owned());
    let strict = answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY);
    (answer.status().as_u16(), place.unwrap_or_default(), strict)
}

#[tokio::test]
async fn in_clear_there_are_lists_answers_and_certificates_and_a_way_to_the_rest() {
    let house = TestHouse::at("https://localhost:8443").await;
    let house = house.set(&[("http.plain_listen", "127.0.0.1:8080")]).await;
    house.hierarchy(json!({})).await;
    for one in house.get("/api/v1/pki/authorities").await.data()["items"].as_array().unwrap() {
        let handle = one["handle"].as_str().unwrap();
        let list = if one["kind"] == "root" { format!("{handle}.crl") } else { format!("{handle}/0.crl") };
        for path in [format!("/ca/{handle}.cer"), format!("/crl/{list}")] {
            assert_eq!(in_clear(&house, Method::GET, &path).await, (200, String::new(), false), "{path}");
        }
    }
    assert_eq!(in_clear(&house, Method::POST, "/ocsp").await.0, 200);
    for path in ["/", "/v/abc?x=1", "/api/v1/verify", "/api/v1/credentials", "/status/x", "/r/x", "/metrics"]
    {
        let moved = (308, format!("https://localhost:8443{path}"), false);
        assert_eq!(in_clear(&house, Method::GET, path).await, moved, "{path}");
    }
    assert_eq!(in_clear(&house, Method::POST, "/api/v1/verify").await.0, 308);
    assert_eq!(in_clear(&house, Method::GET, "/crl/unknown.crl").await.0, 404);
    let leaf =
        house.post("/api/v1/pki/certificates", json!({"profile": "server", "csr": csr("a.test")})).await;
    let der = proof::x509::pem::one(
        leaf.data()["certificate"].as_str().unwrap().as_bytes(),
        proof::x509::pem::Label::Certificate,
    )
    .unwrap();
    let text = String::from_utf8_lossy(&der).into_owned();
    assert!(text.contains("http://localhost:8080/ocsp"), "the address in clear is in the certificate");
}

fn csr(name: &str) -> String {
    let names = [proof::x509::GeneralName::Dns(proof::x509::DnsName::parse(name).unwrap())];
    let der = pki::request_der(&pki::local_key().unwrap(), &names).unwrap();
    proof::x509::pem::encode(proof::x509::pem::Label::CertificateRequest, &der)
}

#[tokio::test]
async fn a_house_without_https_has_nothing_to_point_to_in_clear() {
    let house = TestHouse::new().await;
    assert_eq!(in_clear(&house, Method::GET, "/v/abc").await.0, 404);
}

#[tokio::test]
async fn what_is_told_to_browsers_over_tls_is_not_told_in_clear() {
    let house = TestHouse::at("https://selo.example").await;
    let page = house.public_get("/").await;
    assert!(page.header("strict-transport-security").is_some());
    let (status, place, strict) = in_clear(&house, Method::GET, "/").await;
    assert_eq!((status, place.as_str(), strict), (308, "https://selo.example/", false));
}
