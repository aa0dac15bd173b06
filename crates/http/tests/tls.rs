//! TLS: what a listener shows, how it speaks, and how it changes its certificate while it serves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use base::config::Config;
use common::*;
use http_kit::{Listener, Public, SETTINGS, ServerIdentity, ServerLimits, Tls, TlsFiles};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::{
    ClientConfig, NamedGroup, ProtocolVersion, RootCertStore, SupportedProtocolVersion, crypto::aws_lc_rs,
    pki_types::CertificateDer,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const LIMITS: ServerLimits = ServerLimits {
    connections_max: 64,
    header_time: Duration::from_secs(10),
    stop_time: Duration::from_secs(2),
};

/// A certificate for localhost that signs itself, and its key, as PEM.
fn pair() -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    (params.self_signed(&key).unwrap(), key)
}

fn identity((certificate, key): &(rcgen::Certificate, KeyPair)) -> ServerIdentity {
    ServerIdentity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

struct Served {
    address: std::net::SocketAddr,
    tls: Tls,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Served {
    async fn start(identity: ServerIdentity) -> Self {
        Self::with(identity, LIMITS).await
    }

    async fn with(identity: ServerIdentity, limits: ServerLimits) -> Self {
        let tls = Tls::new(identity).unwrap();
        let listener = Listener::<Public>::bind("127.0.0.1:0", "http.public_listen").await.unwrap();
        let (address, stop, tasks) = (listener.address(), CancellationToken::new(), TaskTracker::new());
        let listener = listener.with_tls(Some(tls.clone()));
        tasks.spawn(listener.serve(House::new().public(), limits, stop.clone()));
        tasks.close();
        Self { address, tls, stop, tasks }
    }

    async fn connect(
        &self,
        root: &rcgen::Certificate,
        version: &'static SupportedProtocolVersion,
        protocol: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root.der().to_vec())).unwrap();
        // As browsers do: the share of the hybrid exchange comes with the first message.
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups.sort_by_key(|group| group.name() != NamedGroup::X25519MLKEM768);
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut back = vec![0; 64 * 1024];
    let length = stream.read(&mut back).await.unwrap();
    String::from_utf8_lossy(&back[..length]).into_owned()
}

#[tokio::test]
async fn a_listener_speaks_version_1_3_with_the_hybrid_exchange_and_nothing_older() {
    let shown = pair();
    let served = Served::start(identity(&shown)).await;
    let mut stream = served.connect(&shown.0, &rustls::version::TLS13, b"http/1.1").await.unwrap();
    let session = stream.get_ref().1;
    assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let group = session.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519MLKEM768);
    assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
    let stream = served.connect(&shown.0, &rustls::version::TLS13, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert!(served.connect(&shown.0, &rustls::version::TLS12, b"http/1.1").await.is_err());
    served.end().await;
}

#[tokio::test]
async fn a_replaced_certificate_is_shown_to_the_next_and_disturbs_nobody() {
    let (first, second) = (pair(), pair());
    let served = Served::start(identity(&first)).await;
    let mut early = served.connect(&first.0, &rustls::version::TLS13, b"http/1.1").await.unwrap();
    assert!(ask(&mut early).await.starts_with("HTTP/1.1 200"));
    served.tls.replace(identity(&second));
    assert!(served.connect(&first.0, &rustls::version::TLS13, b"http/1.1").await.is_err());
    let mut late = served.connect(&second.0, &rustls::version::TLS13, b"http/1.1").await.unwrap();
    assert!(ask(&mut late).await.starts_with("HTTP/1.1 200"));
    assert!(ask(&mut early).await.starts_with("HTTP/1.1 200"), "the old connection goes on");
    served.end().await;
}

#[tokio::test]
async fn who_does_not_finish_a_handshake_or_speaks_plainly_is_hung_up_on() {
    let limits = ServerLimits { header_time: Duration::from_millis(300), ..LIMITS };
    let served = Served::with(identity(&pair()), limits).await;
    for bytes in ["", "\x16\x03\x01\x02\x00", "GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n"] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut back = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut back)).await;
        assert!(ended.is_ok(), "{bytes:?} was not hung up on");
        assert!(!back.starts_with(b"HTTP/"), "nothing is answered in clear");
    }
    served.end().await;
}

fn files(certificate: &Path, key: &Path) -> base::Result<Option<TlsFiles>> {
    let set = [
        ("http.public_tls_certificate", certificate.to_str().unwrap()),
        ("http.public_tls_key", key.to_str().unwrap()),
    ];
    let set: Vec<_> = set
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    TlsFiles::from_config(&Config::load(&[SETTINGS], None, std::iter::empty(), &set).unwrap())
}

#[test]
fn files_are_read_again_when_they_change_and_refused_when_they_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let write = |file: &Path, text: &str| {
        std::fs::write(file, text).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let (first, second) = (pair(), pair());
    write(&certificate, &first.0.pem());
    write(&key, &first.1.serialize_pem());
    let mut known = files(&certificate, &key).unwrap().unwrap();
    assert_eq!(known.read().unwrap().chain().next(), Some(first.0.der().as_ref()));
    assert!(known.changed().unwrap().is_none());

    // Half of a renewal: the new certificate with the old key.
    write(&certificate, &format!("{}\n", second.0.pem()));
    assert_eq!(known.changed().unwrap_err().code().name, "HTTP_TLS_PAIR_INVALID");
    write(&key, &second.1.serialize_pem());
    assert_eq!(known.changed().unwrap().unwrap().chain().next(), Some(second.0.der().as_ref()));

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(known.read().unwrap_err().code().name, "HTTP_TLS_KEY_OPEN");
    std::fs::remove_file(&key).unwrap();
    assert_eq!(known.read().unwrap_err().code().name, "HTTP_TLS_FILE_UNREADABLE");
    assert!(files(Path::new(""), Path::new("")).unwrap().is_none());
    let half = files(&certificate, Path::new("")).unwrap_err();
    assert_eq!((half.code().name, half.field()), ("HTTP_TLS_FILE_UNREADABLE", Some("http.public_tls_key")));
    for broken in ["", "no PEM at all", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"] {
        let refused = ServerIdentity::from_pem(broken.as_bytes(), second.1.serialize_pem().as_bytes());
        assert_eq!(refused.unwrap_err().code().name, "HTTP_TLS_PAIR_INVALID", "{broken}");
    }
}
