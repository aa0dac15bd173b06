//! `--online`: asking an address on the network for a status list or a key document, once, within bounds.
//!
//! The address comes out of a file that a stranger handed in, so it is judged before anything is opened: https to
//! public machines only, or plain http to this very machine when the address says so. What was judged is what is
//! connected to, and every redirect is judged anew. Why something was refused goes to the log (level debug).
//! Never here: proxies, cookies, credentials, a second try, a certificate that the system does not trust.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::http::{StatusCode, header::AGE};
use http_kit::outgoing::{self, Refusal, is_public};
use proof::verify::{Answer, Want};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::{Host, Url};

/// The whole question, with names, redirects and the body.
const WHOLE: Duration = Duration::from_secs(10);
/// TCP and TLS to one place.
const CONNECT: Duration = Duration::from_secs(5);
/// Times that an answer may send us elsewhere.
const REDIRECTS_MAX: usize = 3;
/// A key document.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
const WELCOME: &str = "application/vc, application/did, application/ld+json, application/json, */*;q=0.1";

/// Asks once: a status list by its address, a key document by its did:web or its address.
///
/// 404 and 410 are [`Answer::NotFound`]; whatever else keeps the document away is [`Answer::Unreachable`]. The age is
/// what a cache on the way says (`Age`, RFC 9111 §5.1), else 0 seconds. Takes at most ten seconds.
pub async fn fetch(want: &Want) -> Answer {
    let answer = timeout(WHOLE, follow(want)).await.unwrap_or(Err("it took too long"));
    answer.unwrap_or_else(|reason| {
        tracing::debug!(?want, reason, "not fetched");
        Answer::Unreachable
    })
}

async fn follow(want: &Want) -> Result<Answer, Refusal> {
    let (address, bytes_max, stays) = match want {
        Want::StatusList(address) => (address.clone(), proof::status::LIST_DOCUMENT_BYTES_MAX, false),
        Want::KeyDocument(address) => match proof::did::did_web_url(address) {
            Ok(url) => (url, DOCUMENT_BYTES_MAX, true),
            Err(_) => (address.clone(), DOCUMENT_BYTES_MAX, false),
        },
    };
    let mut place = Place::read(&address)?;
    for _ in 0..=REDIRECTS_MAX {
        match place.ask(bytes_max).await? {
            Step::End(answer) => return Ok(answer),
            Step::Elsewhere(location) => place = place.next(&location, stays)?,
        }
    }
    Err("too many redirects")
}

enum Step {
    End(Answer),
    Elsewhere(String),
}

/// An address that may be asked, as far as can be said before its name is resolved.
#[derive(Debug)]
struct Place {
    url: Url,
    /// http to this machine; otherwise https to a public one.
    plain: bool,
}

impl Place {
    /// Judges an address. Its host must be written as it will be used: a machine has one spelling, so that what a
    /// reader sees, what is checked and what is asked are the same.
    fn read(address: &str) -> Result<Self, Refusal> {
        Self::of(outgoing::read(address)?)
    }

    fn of(url: Url) -> Result<Self, Refusal> {
        let plain = url.scheme() == "http";
        let ip = match url.host().ok_or("it has no host")? {
            Host::Domain("localhost") => None,
            Host::Domain(_) if plain => return Err("http to another machine"),
            Host::Domain(_) => None,
            Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
        };
        if plain && ip.is_some_and(|ip| ip != Ipv4Addr::LOCALHOST && ip != Ipv6Addr::LOCALHOST) {
            return Err("http to another machine");
        }
        if !plain && ip.is_some_and(|ip| !is_public(ip)) {
            return Err("the machine may not be asked");
        }
        Ok(Self { url, plain })
    }

    /// Where an answer sends us. `stays` keeps us at the same host and port (did:web).
    fn next(&self, location: &str, stays: bool) -> Result<Self, Refusal> {
        let next = Self::of(outgoing::follow(&self.url, location)?)?;
        if next.plain != self.plain {
            return Err("redirect to another scheme");
        }
        let elsewhere = next.url.host() != self.url.host()
            || next.url.port_or_known_default() != self.url.port_or_known_default();
        if stays && elsewhere { Err("redirect to another host") } else { Ok(next) }
    }

    fn admits(&self, ip: IpAddr) -> bool {
        if self.plain { ip.is_loopback() } else { is_public(ip) }
    }

    /// The machines behind the name: one that may not be asked spoils all.
    async fn machines(&self) -> Result<Vec<SocketAddr>, Refusal> {
        let port = self.url.port_or_known_default().ok_or("it has no port")?;
        let found: Vec<SocketAddr> = match self.url.host().ok_or("it has no host")? {
            Host::Ipv4(ip) => vec![(ip, port).into()],
            Host::Ipv6(ip) => vec![(ip, port).into()],
            Host::Domain(name) => {
                lookup_host((name, port)).await.map_err(|_| "the name is not known")?.collect()
            }
        };
        if !found.iter().all(|machine| self.admits(machine.ip())) {
            return Err("the machine may not be asked");
        }
        Ok(found)
    }

    async fn ask(&self, bytes_max: usize) -> Result<Step, Refusal> {
        let machines = self.machines().await?;
        let until = Instant::now() + CONNECT;
        let stream = outgoing::connect(&machines, CONNECT).await.ok_or("no machine answers")?;
        if self.plain {
            return self.exchange(stream, bytes_max).await;
        }
        let tls = self.secure(stream, system_trust()?);
        let stream = timeout_at(until, tls).await.map_err(|_| "TLS took too long")??;
        self.exchange(stream, bytes_max).await
    }

    async fn secure(
        &self,
        stream: TcpStream,
        trust: Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Refusal> {
        let name = match self.url.host().ok_or("it has no host")? {
            Host::Domain(name) => {
                ServerName::try_from(name.to_owned()).map_err(|_| "no name for a certificate")?
            }
            Host::Ipv4(ip) => ServerName::from(IpAddr::V4(ip)),
            Host::Ipv6(ip) => ServerName::from(IpAddr::V6(ip)),
        };
        TlsConnector::from(trust).connect(name, stream).await.map_err(|error| {
            tracing::debug!(host = self.url.host_str(), %error, "no TLS");
            "TLS failed"
        })
    }

    async fn exchange<S>(&self, stream: S, bytes_max: usize) -> Result<Step, Refusal>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let got = outgoing::get(stream, &self.url, WELCOME, bytes_max).await.map_err(|fault| {
            tracing::debug!(host = self.url.host_str(), %fault, "no answer");
            "the exchange failed"
        })?;
        if let Some(location) = got.elsewhere() {
            return Ok(Step::Elsewhere(location.to_owned()));
        }
        match got.status {
            StatusCode::OK => {
                let age = got.text(AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
                Ok(Step::End(Answer::Found { bytes: got.body.to_vec(), age }))
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Step::End(Answer::NotFound)),
            _ => Err("another status"),
        }
    }
}

/// TLS 1.2 and 1.3 with the certificates that the operating system trusts, read once (`SSL_CERT_FILE` replaces them).
fn system_trust() -> Result<Arc<ClientConfig>, Refusal> {
    static TRUST: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let made = TRUST.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() { None } else { trust(roots) }
    });
    made.clone().ok_or("this system has no trusted certificates")
}

fn trust(roots: RootCertStore) -> Option<Arc<ClientConfig>> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(Arc::new(config))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::net::TcpListener;

    use http_kit::outgoing::ADDRESS_BYTES_MAX;

    use super::*;

    #[test]
    fn an_address_is_asked_only_when_it_names_a_public_machine_by_https_or_this_one_by_http() {
        let asked = [
            "https://a.example",
            "https://a.example/",
            "HTTPS://A.Example/status/1",
            "https://a.example:443/x",
            "https://a.example:8443/x?y=1#z",
            "https://xn--bcher-kva.example/",
            "https://8.8.8.8/x",
            "https://[2606:4700::1111]/x",
            "https://[64:ff9b::808:808]/x",
            "https://localhost/x", // its machine is refused once the name is resolved
            "https://a.example/@b:c",
            "http://localhost:8080/status/1",
            "http://localhost/",
            "http://LOCALHOST/",
            "http://127.0.0.1:8080/x",
            "http://[::1]:8080/x",
        ];
        for address in asked {
            assert!(Place::read(address).is_ok(), "{address}: {:?}", Place::read(address).err());
        }
        let long = format!("https://a.example/{}", "x".repeat(ADDRESS_BYTES_MAX));
        let refused = [
            "",
            "a.example",
            "//a.example/x",
            "ftp://a.example/x",
            "file:///etc/passwd",
            "gopher://127.0.0.1:6379/_x",
            "data:application/json,{}",
            "did:web:a.example",
            "https:",
            "https:a.example",
            "https:/a.example",
            "https://",
            "https:///a.example/x",
            "https://?x",
            "http://a.example/x",
            "http://8.8.8.8/x",
            "http://127.0.0.2/x",
            "http://0.0.0.0/x",
            "http://0/x",
            "http://localhost./x",
            "http://localhost.example/x",
            "http://a.localhost/x",
            "http://127.0.0.1./x",
            "http://127.1/x",
            "http://2130706433/x",
            "http://017700000001/x",
            "http://0x7f000001/x",
            "http://0x7f.0.0.1/x",
            "http://0177.0.0.1/x",
            "http://%6cocalhost/x",
            "http://[::ffff:127.0.0.1]/x",
            "http://[0:0:0:0:0:0:0:1]/x",
            "http://[::]/x",
            "http://[fe80::1%25eth0]/x",
            "http://localhost@a.example/x",
            "http://a.example@localhost/x",
            "http://a.example#@localhost/x",
            "http://a.example\\@localhost/x",
            "https://user@a.example/x",
            "https://user:word@a.example/x",
            "https://:@a.example/x",
            "https://@a.example/x",
            "https://a.example./x",
            "https://a.example:/x",
            "https://a.example:0443/x",
            "https://a.example:99999/x",
            "https://a.example\\x",
            "https://a.exam\tple/x",
            "https://a.example/x\r\nHost: b",
            " https://a.example/x",
            "https://bücher.example/x",
            "https://a%2eexample/x",
            "https://127.0.0.1/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest/meta-data/",
            "https://2852039166/x",
            "https://0xa9fea9fe/x",
            "https://0251.0376.0251.0376/x",
            "https://134744072/x",
            "https://192.168.1/x",
            "https://1.2.3.4.5/x",
            "https://[::1]/x",
            "https://[::ffff:a9fe:a9fe]/x",
            "https://[fd00:ec2::254]/x",
            "https://[fe80::1]/x",
            &long,
        ];
        for address in refused {
            assert!(Place::read(address).is_err(), "{address}");
        }
    }

    #[test]
    fn a_redirect_keeps_the_scheme_and_for_did_web_the_host() {
        let place = Place::read("https://a.example/status/1").unwrap();
        for (location, wandering, staying) in [
            ("/status/2", true, true),
            ("2?x=y", true, true),
            ("https://a.example:443/z", true, true),
            ("https://A.EXAMPLE/z", true, true),
            ("https://a.example:8443/z", true, false),
            ("https://b.example/z", true, false),
            ("//b.example/z", true, false),
            ("https://user@a.example/z", false, false),
            ("https://a.example./z", false, false),
            ("http://a.example/z", false, false),
            ("http://localhost/z", false, false),
            ("https://169.254.169.254/z", false, false),
            ("//2852039166/z", false, false),
            ("\\\\b.example/z", false, false),
            ("file:///etc/passwd", false, false),
            ("/a b", false, false),
        ] {
            assert_eq!(place.next(location, false).is_ok(), wandering, "{location}");
            assert_eq!(place.next(location, true).is_ok(), staying, "{location}, did:web");
        }
        let here = Place::read("http://localhost:8080/status/1").unwrap();
        assert!(here.next("http://127.0.0.1:8081/z", false).is_ok());
        assert!(here.next("https://a.example/z", false).is_err());
        assert!(here.next("http://a.example/z", false).is_err());
    }

    #[tokio::test]
    async fn a_name_is_judged_by_the_machines_behind_it() {
        let secure = Place::read("https://localhost/x").unwrap();
        assert_eq!(secure.machines().await, Err("the machine may not be asked"));
        let plain = Place::read("http://localhost:8080/x").unwrap();
        let machines = plain.machines().await.unwrap();
        assert!(!machines.is_empty() && machines.iter().all(|machine| machine.ip().is_loopback()));
    }

    /// A TLS server for one exchange, its port, and the certificate for `a.example` that it shows.
    fn tls_server(
        version: &'static rustls::SupportedProtocolVersion,
    ) -> (u16, RootCertStore, std::thread::JoinHandle<()>) {
        let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let mut tcp = listener.accept().unwrap().0;
            let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
            let mut head = [0; 2048];
            // Whoever does not trust the certificate ends the handshake here.
            if stream.read(&mut head).is_ok_and(|bytes| bytes > 0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nage: 7\r\n\r\n{}").unwrap();
            }
        });
        (port, roots, server)
    }

    #[tokio::test]
    async fn tls_is_spoken_with_whom_the_roots_vouch_for_and_with_nobody_else() {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            for (name, by_roots, expected) in
                [("a.example", true, true), ("b.example", true, false), ("a.example", false, false)]
            {
                let (port, roots, server) = tls_server(version);
                let config = if by_roots { trust(roots) } else { trust(RootCertStore::empty()) }.unwrap();
                let place = Place::read(&format!("https://{name}:{port}/x")).unwrap();
                let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                match place.secure(stream, config).await {
                    Ok(stream) => {
                        assert!(expected, "{name}, trusted roots: {by_roots}");
                        let step = place.exchange(stream, DOCUMENT_BYTES_MAX).await.unwrap();
                        let Step::End(answer) = step else { panic!("a redirect") };
                        assert_eq!(answer, Answer::Found { bytes: b"{}".to_vec(), age: 7 });
                    }
                    Err(reason) => assert!(!expected, "{name}: {reason}"),
                }
                server.join().unwrap();
            }
        }
    }
}
