//! tls-alpn-01: the one certificate that counts, and each way to miss it.

use proof::crypto::sha256;
use rcgen::{CertificateParams, CertifiedKey, CustomExtension, Issuer, KeyPair, SanType};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::PrivatePkcs8KeyDer,
    server::{ClientHello, ResolvesServerCert},
    sign,
};

use super::*;
use crate::acme::{ChallengeKind::TlsAlpn01, ProbeFaultKind as Kind, probe::tls::PROTOCOL};

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12, &rustls::version::TLS13];

/// A TLS server of this machine that remembers the names it was asked for.
pub(super) struct Server {
    pub port: u16,
    names: Names,
}

type Names = Arc<Mutex<Vec<Option<String>>>>;

/// Shows one certificate and notes the name that was asked for.
#[derive(Debug)]
struct Noting {
    shown: Arc<sign::CertifiedKey>,
    names: Names,
}

impl ResolvesServerCert for Noting {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<sign::CertifiedKey>> {
        self.names.lock().unwrap().push(hello.server_name().map(str::to_owned));
        Some(Arc::clone(&self.shown))
    }
}

impl Server {
    /// Shows one certificate; `page` is what it answers when something was said to it.
    pub fn start(
        protocols: &[&[u8]],
        made: CertifiedKey<KeyPair>,
        versions: &[&'static SupportedProtocolVersion],
        page: Option<Vec<u8>>,
    ) -> Self {
        // Whether key and certificate belong together is not checked here: a test may want that they do not.
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let key = aws_lc_rs::sign::any_supported_type(&key.into()).unwrap();
        let shown = sign::CertifiedKey::new(vec![made.cert.der().clone()], key);
        let names = Names::default();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Noting { shown: Arc::new(shown), names: Arc::clone(&names) }));
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut tcp = stream.unwrap();
                let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                while tls.is_handshaking() && tls.complete_io(&mut tcp).is_ok() {}
                let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
                if let Some(page) = &page
                    && stream.read(&mut [0; 2048]).is_ok_and(|bytes| bytes > 0)
                {
                    let _ = stream.write_all(page);
                }
            }
        });
        Self { port, names }
    }
}

/// What a test changes about the certificate.
struct Wanted {
    names: Vec<SanType>,
    extensions: Vec<CustomExtension>,
}

impl Wanted {
    fn right() -> Self {
        Self {
            names: vec![dns("a.example")],
            extensions: vec![CustomExtension::new_acme_identifier(&sha256(KEY_AUTHORIZATION.as_bytes()))],
        }
    }

    fn params(self) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.subject_alt_names = self.names;
        params.custom_extensions = self.extensions;
        params
    }

    fn made(self) -> CertifiedKey<KeyPair> {
        let signing_key = KeyPair::generate().unwrap();
        let cert = self.params().self_signed(&signing_key).unwrap();
        CertifiedKey { cert, signing_key }
    }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

async fn probed(server: &Server, identifier: &Identifier, limits: Limits) -> Outcome<()> {
    let settings =
        [NameServer::here().setting(), ("acme.tls_port", server.port.to_string()), open("127.0.0.1")];
    house(&settings, limits).probe(TlsAlpn01, identifier, TOKEN, KEY_AUTHORIZATION).await
}

fn answering(made: CertifiedKey<KeyPair>) -> Server {
    Server::start(&[PROTOCOL], made, BOTH, None)
}

#[tokio::test]
async fn the_certificate_of_the_challenge_is_recognised_in_both_versions_of_tls() {
    for version in BOTH {
        let server = Server::start(&[PROTOCOL], Wanted::right().made(), &[version], None);
        assert_eq!(probed(&server, &name("a.example"), LIMITS).await, Ok(()), "{version:?}");
        assert_eq!(*server.names.lock().unwrap(), [Some("a.example".to_owned())]);
    }
}

#[tokio::test]
async fn an_address_is_asked_for_by_its_reverse_name() {
    let address: IpAddr = "127.0.0.1".parse().unwrap();
    let server = answering(Wanted { names: vec![SanType::IpAddress(address)], ..Wanted::right() }.made());
    assert_eq!(probed(&server, &Identifier::Ip(address), LIMITS).await, Ok(()));
    assert_eq!(*server.names.lock().unwrap(), [Some("1.0.0.127.in-addr.arpa".to_owned())]);
    let by_name = answering(Wanted { names: vec![dns("1.0.0.127.in-addr.arpa")], ..Wanted::right() }.made());
    assert_eq!(kind(probed(&by_name, &Identifier::Ip(address), LIMITS).await), Some(Kind::IncorrectResponse));
}

#[tokio::test]
async fn any_other_certificate_is_no_proof() {
    let digest = sha256(KEY_AUTHORIZATION.as_bytes());
    let identifier = || CustomExtension::new_acme_identifier(&digest);
    let uncritical = || {
        let mut extension = identifier();
        extension.set_criticality(false);
        extension
    };
    let raw = |content: &[u8]| {
        let mut extension =
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 31], content.to_vec());
        extension.set_criticality(true);
        extension
    };
    let cases: Vec<(&str, Vec<SanType>, Vec<CustomExtension>)> = vec![
        ("two names", vec![dns("a.example"), dns("b.example")], vec![identifier()]),
        ("the name twice", vec![dns("a.example"), dns("a.example")], vec![identifier()]),
        ("another name", vec![dns("b.example")], vec![identifier()]),
        ("a wildcard", vec![dns("*.example")], vec![identifier()]),
        ("no name", vec![], vec![identifier()]),
        ("not critical", vec![dns("a.example")], vec![uncritical()]),
        ("no digest", vec![dns("a.example")], vec![]),
        ("another digest", vec![dns("a.example")], vec![CustomExtension::new_acme_identifier(&sha256(b"x"))]),
        ("the digest without its wrapping", vec![dns("a.example")], vec![raw(&digest)]),
        ("a short digest", vec![dns("a.example")], vec![raw(&[&[4, 31][..], &digest[..31]].concat())]),
        (
            "bytes behind the digest",
            vec![dns("a.example")],
            vec![raw(&[&[4, 32][..], &digest, &[0]].concat())],
        ),
        ("two digests", vec![dns("a.example")], vec![identifier(), identifier()]),
    ];
    for (what, names, extensions) in cases {
        let server = answering(Wanted { names, extensions }.made());
        let fault = probed(&server, &name("a.example"), LIMITS).await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (Kind::IncorrectResponse, false), "{what}: {fault:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_somebody_else_signed_is_no_proof() {
    let authority = KeyPair::generate().unwrap();
    let issuer = Issuer::new(CertificateParams::default(), &authority);
    let signing_key = KeyPair::generate().unwrap();
    let cert = Wanted::right().params().signed_by(&signing_key, &issuer).unwrap();
    let server = answering(CertifiedKey { cert, signing_key });
    let fault = probed(&server, &name("a.example"), LIMITS).await.unwrap_err();
    assert!(fault.detail.contains("signed by itself"), "{fault:?}");
}

#[tokio::test]
async fn a_key_that_does_not_belong_to_the_certificate_does_not_finish_the_handshake() {
    for version in BOTH {
        let made = CertifiedKey { signing_key: KeyPair::generate().unwrap(), ..Wanted::right().made() };
        let server = Server::start(&[PROTOCOL], made, &[version], None);
        assert_eq!(kind(probed(&server, &name("a.example"), LIMITS).await), Some(Kind::Tls), "{version:?}");
    }
}

#[tokio::test]
async fn another_protocol_no_protocol_and_no_tls_are_told_apart() {
    let other = Server::start(&[b"h2", b"http/1.1"], Wanted::right().made(), BOTH, None);
    assert_eq!(kind(probed(&other, &name("a.example"), LIMITS).await), Some(Kind::Tls));
    let none = Server::start(&[], Wanted::right().made(), BOTH, None);
    assert_eq!(kind(probed(&none, &name("a.example"), LIMITS).await), Some(Kind::IncorrectResponse));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = Server { port: listener.local_addr().unwrap().port(), names: Arc::default() };
    thread::spawn(move || listener.accept().unwrap().0.write_all(b"220 mail.example ESMTP\r\n").unwrap());
    assert_eq!(kind(probed(&plain, &name("a.example"), LIMITS).await), Some(Kind::Tls));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let waiting = Server { port: silent.local_addr().unwrap().port(), names: Arc::default() };
    let fault = probed(&waiting, &name("a.example"), SHORT).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (Kind::Connection, true));
}
