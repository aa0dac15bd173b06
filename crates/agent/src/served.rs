//! What a service shows: one handshake with it, and the certificate that came.
//!
//! Nothing is believed of that certificate; it is compared with the installed one, byte for byte. A service that refuses
//! us afterwards, because it wants a certificate of ours, has shown its own by then.
//! Never here: data sent to the service beyond the handshake.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http_kit::outgoing;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::config::{Probe, Protocol};

/// One look, whole.
const LOOK: Duration = Duration::from_secs(10);
/// PostgreSQL's request for TLS: length 8, code 80877103.
const POSTGRES_TLS: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The certificate that a service shows, DER.
///
/// # Errors
/// Why none came.
pub async fn look(probe: &Probe, name: &str) -> Result<Vec<u8>, String> {
    timeout(LOOK, handshake(probe, name)).await.unwrap_or_else(|_| Err("it took too long".to_owned()))
}

async fn handshake(probe: &Probe, name: &str) -> Result<Vec<u8>, String> {
    let machines: Vec<_> = lookup_host((probe.host.as_str(), probe.port))
        .await
        .map_err(|_| "its name is not known".to_owned())?
        .collect();
    let mut stream = outgoing::connect(&machines, LOOK / 2).await.ok_or("nobody answers")?;
    if probe.protocol == Protocol::Postgres {
        ask_postgres(&mut stream).await?;
    }
    let name = match name.parse::<IpAddr>() {
        Ok(address) => ServerName::from(address),
        Err(_) => ServerName::try_from(name.to_owned()).map_err(|_| format!("{name} is no name for TLS"))?,
    };
    let seen = Arc::new(Seen { provider: Arc::new(aws_lc_rs::default_provider()), shown: Mutex::default() });
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

async fn ask_postgres(stream: &mut TcpStream) -> Result<(), String> {
    let broken = |_| "it broke off".to_owned();
    stream.write_all(&POSTGRES_TLS).await.map_err(broken)?;
    match stream.read_u8().await.map_err(broken)? {
        b'S' => Ok(()),
        b'N' => Err("it has TLS switched off".to_owned()),
        _ => Err("it is no PostgreSQL".to_owned()),
    }
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
        held: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
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
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        self.note(certificate, verify_tls12_signature(message, certificate, signature, known))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        self.note(certificate, verify_tls13_signature(message, certificate, signature, known))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
