//! A handshake with a listener, to see which certificate it really shows: one's own, or a service of somebody else.
//!
//! Nothing is believed of that certificate but that the other end holds its key; whoever looks compares it with the one
//! that is expected, byte for byte.
//! Never here: a chain that is believed, data sent beyond the handshake.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::Result;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
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
    let looking = async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        shown(stream, ServerName::IpAddress(address.ip().into())).await
    };
    match tokio::time::timeout(HANDSHAKE_TIME, looking).await {
        Ok(Ok(shown)) if shown == certificate => Ok(()),
        Ok(Ok(_)) => Err(wrong("it shows another certificate".to_owned())),
        Ok(Err(reason)) => Err(wrong(reason)),
        Err(_) => Err(wrong("it does not answer".to_owned())),
    }
}

/// The certificate (DER) that whoever answers on a connection shows, and whose key it holds. A service that refuses us
/// afterwards, because it wants a certificate of ours, has shown its own by then. TLS 1.2 and 1.3; no time limit.
///
/// # Errors
/// Why none came.
pub async fn shown(stream: TcpStream, name: ServerName<'static>) -> std::result::Result<Vec<u8>, String> {
    let seen = Arc::new(Seen { provider: Arc::new(provider()), shown: Mutex::default() });
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&seen.provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&seen) as _)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let outcome = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let shown = seen.shown.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (shown, outcome) {
        (Some(shown), _) => Ok(shown),
        (None, Err(error)) => Err(format!("it does not speak TLS: {error}")),
        (None, Ok(_)) => Err("it showed no certificate".to_owned()),
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

/// Notes the certificate of whoever holds its key.
#[derive(Debug)]
struct Seen {
    provider: Arc<CryptoProvider>,
    /// Written by a handshake once its signature holds.
    shown: Mutex<Option<Vec<u8>>>,
}

impl Seen {
    fn note(
        &self,
        certificate: &CertificateDer<'_>,
        held: std::result::Result<HandshakeSignatureValid, rustls::Error>,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        if held.is_ok() {
            *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate.to_vec());
        }
        held
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        self.note(certificate, verify_tls12_signature(message, certificate, signature, known))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        self.note(certificate, verify_tls13_signature(message, certificate, signature, known))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
