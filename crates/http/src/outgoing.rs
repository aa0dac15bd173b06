//! Asking an address that a stranger named: what is sound to read, which machines are public, one bounded GET.
//!
//! Who asks decides which machines may be asked, judges them after the name was resolved and connects to exactly what it
//! judged; the pieces for that are here, and nothing here resolves a name.
//! Never here: proxies, cookies, credentials, a redirect that is followed, a second try.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    time::Duration,
};

use axum::http::{
    HeaderMap, Request, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HOST, HeaderName, LOCATION, USER_AGENT},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use url::{Position, Url};

/// An address longer than this is not read.
pub const ADDRESS_BYTES_MAX: usize = 4096;
/// Machines of one name that are tried.
pub const MACHINES_MAX: usize = 4;
/// Status line and headers of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Why an address is not asked: for the log, and for whoever named it.
pub type Refusal = &'static str;

/// Reads an http or https address whose host is written as it will be used: a machine has one spelling, so that what a
/// reader sees, what is checked and what is asked are the same.
///
/// # Errors
/// The reason.
pub fn read(address: &str) -> Result<Url, Refusal> {
    sober(address)?;
    let url = Url::parse(address).map_err(|_| "it is no address")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it carries a user name");
    }
    let written = address.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let host = url.host_str().unwrap_or_default();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    if !written.is_some_and(|w| w.eq_ignore_ascii_case(host) || w.eq_ignore_ascii_case(&with_port)) {
        return Err("the host is written in an unusual way");
    }
    if host.is_empty() {
        return Err("it has no host");
    }
    if host.ends_with('.') {
        return Err("the host ends with a dot");
    }
    Ok(url)
}

/// Where the `Location` of an answer from `here` leads.
///
/// # Errors
/// The reason.
pub fn follow(here: &Url, location: &str) -> Result<Url, Refusal> {
    if location.is_empty() {
        return Err("a redirect to nowhere");
    }
    sober(location)?;
    read(here.join(location).map_err(|_| "the redirect is no address")?.as_str())
}

/// Visible ASCII of bounded length without the backslash that some readers take for a slash.
fn sober(address: &str) -> Result<(), Refusal> {
    let good =
        address.len() <= ADDRESS_BYTES_MAX && address.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if good { Ok(()) } else { Err("characters or length that an address cannot have") }
}

/// Tries the machines one after the other; each has its share of the time. None when none answers.
pub async fn connect(machines: &[SocketAddr], time: Duration) -> Option<TcpStream> {
    let tried = machines.len().clamp(1, MACHINES_MAX);
    let share = time / u32::try_from(tried).unwrap_or(1);
    for machine in machines.iter().take(tried) {
        if let Ok(Ok(stream)) = timeout(share, TcpStream::connect(machine)).await {
            return Some(stream);
        }
    }
    None
}

/// What an answer said.
#[derive(Debug)]
pub struct Got {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body of a 200; empty for every other status, which is not read further.
    pub body: Bytes,
}

impl Got {
    /// Where the answer sends us: None when it is no redirect, an empty text for a redirect to nowhere.
    pub fn elsewhere(&self) -> Option<&str> {
        matches!(self.status.as_u16(), 301..=303 | 307 | 308).then(|| self.text(LOCATION).unwrap_or_default())
    }

    /// A header that is text.
    pub fn text(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why a GET brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GetFault {
    /// HTTP cannot carry the address.
    Address,
    /// The exchange broke, or was no HTTP.
    Broken,
    /// The body is packed although nobody asked for that.
    Packed,
    /// The body is larger than its bound.
    Large,
}

impl fmt::Display for GetFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Address => "HTTP cannot carry the address",
            Self::Broken => "the exchange broke",
            Self::Packed => "the body is packed",
            Self::Large => "the body is too large",
        })
    }
}

impl std::error::Error for GetFault {}

/// One GET over HTTP/1.1 (RFC 9110, RFC 9112) on a connection to the machine of `url`.
///
/// # Errors
/// [`GetFault`].
pub async fn get<S>(stream: S, url: &Url, accept: &str, body_bytes_max: usize) -> Result<Got, GetFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let broken = |_| GetFault::Broken;
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, "selo")
        .header(ACCEPT, accept)
        .header(ACCEPT_ENCODING, "identity")
        .body(Empty::<Bytes>::new())
        .map_err(|_| GetFault::Address)?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut exchange = pin!(async {
        let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let mut got = Got { status: head.status, headers: head.headers, body: Bytes::new() };
        if got.status == StatusCode::OK {
            if got.text(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
                return Err(GetFault::Packed);
            }
            let whole = Limited::new(body, body_bytes_max).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() { GetFault::Large } else { GetFault::Broken }
            })?;
            got.body = whole.to_bytes();
        }
        Ok(got)
    });
    // The connection may end before its last bytes are taken out of it; then the exchange finishes alone.
    tokio::select! {
        biased;
        got = &mut exchange => got,
        _ = connection => exchange.await,
    }
}

/// Whether an address belongs to the public internet (IANA special-purpose registries, RFC 6890).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    !matches!(
        ip.octets(),
        [0 | 10 | 127 | 224.., ..] // this network, private, loopback, multicast, reserved, broadcast
            | [100, 64..=127, ..] // carrier-grade NAT (RFC 6598)
            | [169, 254, ..] // link-local, and the metadata of clouds
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _] // protocols, documentation
            | [192, 88, 99, _] // 6to4 relays
            | [198, 18 | 19, ..] // benchmarks
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Forms that carry an IPv4 address are judged by it; otherwise only global unicast, 2000::/3, can be public.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let carried = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => carried(high, low), // IPv4-mapped
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => carried(high, low), // NAT64 (RFC 6052)
        [0x2002, high, low, ..] => carried(high, low),            // 6to4
        [0x2001, 0..=0x1ff, ..] => false,                         // protocols, Teredo, ORCHID
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,   // documentation
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_public_or_not() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4003::1",
            "2001:4860:4860::8888",
            "2001:200::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ];
        for ip in public {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        let inner = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:8.8.8.8",
            "64:ff9b::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::1",
            "2002:c0a8:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for ip in inner {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
