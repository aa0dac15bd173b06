//! How the agent speaks with an authority: one bounded exchange after another over HTTP/1.1.
//!
//! Never here: a redirect that is followed, a body without a bound, a certificate that neither the configured authorities
//! nor the system vouch for.

use std::{
    future::Future,
    io,
    net::IpAddr,
    path::Path,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::Result as Checked;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use http_kit::outgoing;
use hyper::{
    Request, Response, Uri,
    client::conn::http1,
    header::{HOST, HeaderValue, RETRY_AFTER},
};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use proof::x509::pem::{self, Label};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::lookup_host,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{error, files};

/// One exchange, whole.
const EXCHANGE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
const BODY_BYTES_MAX: usize = 1024 * 1024;
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The way to one authority.
#[derive(Clone)]
pub struct Transport {
    tls: Arc<ClientConfig>,
    /// The pause that the last refusal asked for; written by each exchange.
    asked: Arc<Mutex<Option<Duration>>>,
}

impl Transport {
    /// Trusts the authorities of a PEM file, else those of the system.
    ///
    /// # Errors
    /// `AGENT_STATE_BROKEN` when there are none.
    pub fn new(ca: Option<&Path>) -> Checked<Self> {
        let mut roots = RootCertStore::empty();
        let place =
            ca.map_or_else(|| "the system's list of authorities".to_owned(), |ca| ca.display().to_string());
        let wrong = |reason: String| error::STATE.error().with("file", &place).with("reason", reason);
        match ca {
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Some(ca) => {
                let text = files::read(ca, pem::PEM_BYTES_MAX as u64).map_err(|e| wrong(e.to_string()))?;
                for der in pem::all(&text, Label::Certificate).map_err(|e| wrong(e.to_string()))? {
                    roots.add(der.into()).map_err(|e| wrong(e.to_string()))?;
                }
            }
        }
        if roots.is_empty() {
            return Err(wrong("it has no certificates".to_owned()));
        }
        let mut tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: Arc::new(tls), asked: Arc::default() })
    }

    /// The pause that the last refusal asked for.
    pub fn asked(&self) -> Option<Duration> {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(self, mut request: Request<BodyWrapper<Bytes>>) -> io::Result<Response<Full<Bytes>>> {
        let other = |text: &str| io::Error::other(text.to_owned());
        let uri = request.uri().clone();
        let host = uri.host().ok_or_else(|| other("the address has no host"))?.to_owned();
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") => false,
            _ => return Err(other("the address is neither https nor http to this machine")),
        };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let machines: Vec<_> = lookup_host((name.as_str(), port)).await?.collect();
        let stream = outgoing::connect(&machines, CONNECT).await.ok_or_else(|| other("nobody answers"))?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        request.headers_mut().insert(HOST, HeaderValue::try_from(authority).map_err(io::Error::other)?);
        *request.uri_mut() = uri.path_and_query().map_or_else(Uri::default, |path| Uri::from(path.clone()));
        let response = if secure {
            let name = match name.parse::<IpAddr>() {
                Ok(address) => ServerName::from(address),
                Err(_) => ServerName::try_from(name).map_err(io::Error::other)?,
            };
            say(TlsConnector::from(self.tls).connect(name, stream).await?, request).await?
        } else {
            say(stream, request).await?
        };
        let pause = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) =
            pause.filter(|_| !response.status().is_success()).map(Duration::from_secs);
        Ok(response)
    }
}

impl HttpClient for Transport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let exchange = self.clone().exchange(request);
        Box::pin(async move {
            let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
            let response = timeout(EXCHANGE, exchange).await.unwrap_or_else(late);
            response.map(BytesResponse::from).map_err(|error| Error::Other(Box::new(error)))
        })
    }
}

async fn say<S>(stream: S, request: Request<BodyWrapper<Bytes>>) -> io::Result<Response<Full<Bytes>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let mut exchange = pin!(async {
        let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
        let bytes = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Response::from_parts(head, Full::new(bytes)))
    });
    // The connection may end before its last bytes are taken out of it; then the exchange finishes alone.
    tokio::select! {
        biased;
        response = &mut exchange => response,
        _ = connection => exchange.await,
    }
}
