//! A handshake with a listener of one's own, to see which certificate it really shows.
//!
//! The other end is pinned: it must show exactly the certificate that is expected, and prove that it holds its key.
//! Never here: a chain that is believed, a byte of HTTP.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use base::Result;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{error::HTTP_TLS_SHOWN, tls::provider};

/// A listener of this very process answers at once, or something is wrong.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

/// Shakes hands with the listener at an address and sees that it shows this certificate (DER) and holds its key. An
/// address for every interface is reached over the loopback.
///
/// # Errors
/// `HTTP_TLS_NOT_SHOWN` when it shows another, does not hold the key, or does not answer in [`HANDSHAKE_TIME`].
pub async fn shows(address: SocketAddr, certificate: &[u8]) -> Result<()> {
    let address = reachable(address);
    let wrong = |reason: String| HTTP_TLS_SHOWN.error().with("address", address).with("reason", reason);
    let provider = Arc::new(provider());
    let pinned = Pinned { certificate: certificate.to_vec(), provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| base::error::INTERNAL.because(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth();
    let shaking = async {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::IpAddress(address.ip().into());
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    match tokio::time::timeout(HANDSHAKE_TIME, shaking).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(wrong(error.to_string())),
        Err(_) => Err(wrong("it does not answer".to_owned())),
    }
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

/// Accepts one certificate and no other, whatever its names and times: it is known already.
#[derive(Debug)]
struct Pinned {
    certificate: Vec<u8>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        if shown.as_ref() == self.certificate {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 alone is spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
