//! The probe tls-alpn-01 (RFC 8737, RFC 8738): whoever answers under the name shows a certificate made for this challenge.
//!
//! The certificate vouches for itself and is never trusted: it counts because it was asked for with a protocol that
//! ordinary services refuse, and because it holds this challenge's digest. Its key must have signed the handshake.
//! Never here: a path to a root, a certificate that serves for anything else.

use std::{net::IpAddr, sync::Arc};

use proof::{
    crypto::sha256,
    x509::{Certificate, oid},
};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
};
use tokio_rustls::TlsConnector;

use super::{
    Host, Reach,
    fault::{self, Outcome},
};
use crate::acme::{
    Identifier,
    ProbeFaultKind::{RejectedIdentifier, Tls},
};

/// The protocol of the challenge.
pub(super) const PROTOCOL: &[u8] = b"acme-tls/1";

pub(super) async fn probe(reach: &Reach, identifier: &Identifier, key_authorization: &str) -> Outcome<()> {
    let host = Host::of(identifier);
    let name = match identifier {
        Identifier::Dns(name) => name.base().to_owned(),
        Identifier::Ip(address) => reverse(*address),
    };
    let name = ServerName::try_from(name).map_err(|_| {
        fault::lasting(RejectedIdentifier, format!("{identifier} cannot be asked for in TLS"))
    })?;
    let stream = reach.connect(&host, reach.tls_port).await?;
    let stream = TlsConnector::from(Arc::clone(&reach.challenges))
        .connect(name, stream)
        .await
        .map_err(|_| fault::passing(Tls, format!("{host} does not speak TLS for this challenge")))?;
    let (_, connection) = stream.get_ref();
    if connection.alpn_protocol() != Some(PROTOCOL) {
        return Err(fault::wrong(format!("{host} did not choose the protocol acme-tls/1")));
    }
    let leaf = connection.peer_certificates().and_then(|chain| chain.first());
    let leaf = leaf.ok_or_else(|| fault::wrong(format!("{host} showed no certificate")))?;
    judge(leaf, identifier, key_authorization).map_err(|reason| {
        fault::wrong(format!("the certificate of {host} does not answer the challenge: {reason}"))
    })
}

/// Judges the certificate (RFC 8737 §3): self-signed, this name alone, and the digest in a critical extension.
fn judge(der: &[u8], identifier: &Identifier, key_authorization: &str) -> Result<(), &'static str> {
    let certificate = Certificate::parse(der).map_err(|_| "it cannot be read")?;
    let key = certificate.key().map_err(|_| "its key is of no kind that is accepted")?;
    if !certificate.is_self_issued() || certificate.verify(&key).is_err() {
        return Err("it is not signed by itself");
    }
    let once = |kind| match certificate.extensions.iter().filter(|e| e.oid == kind).collect::<Vec<_>>()[..] {
        [one] => Some(one),
        _ => None,
    };
    once(oid::SUBJECT_ALT_NAME).ok_or("it has not exactly one subjectAltName")?;
    let names = certificate.names().map_err(|_| "its names cannot be read")?;
    if names != [identifier.general_name()] {
        return Err("it is not for this name alone");
    }
    let extension = once(oid::ACME_IDENTIFIER).ok_or("it has not exactly one acmeIdentifier")?;
    if !extension.critical {
        return Err("its acmeIdentifier is not critical");
    }
    match extension.acme_identifier() {
        Ok(digest) if digest == sha256(key_authorization.as_bytes()) => Ok(()),
        Ok(_) => Err("its acmeIdentifier is of another challenge"),
        Err(_) => Err("its acmeIdentifier is no digest"),
    }
}

/// The name that stands for an address in the handshake (RFC 8738 §6).
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(four) => {
            let [a, b, c, d] = four.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(six) => {
            let nibbles = six.octets().into_iter().rev().flat_map(|octet| [octet & 0xf, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

/// TLS 1.2 and 1.3 with anybody, offering one protocol.
///
/// # Errors
/// When the library has none of these versions.
pub(super) fn client(protocol: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let provider = aws_lc_rs::default_provider();
    let anybody = Anybody(provider.signature_verification_algorithms);
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(anybody))
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Accepts every certificate whose key signed the handshake. The library's own reading of certificates refuses
/// extensions that are critical and unknown to it, as acmeIdentifier must be; so only the key is read.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl Anybody {
    fn holds(
        &self,
        message: &[u8],
        der: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = Certificate::parse(der).map_err(|_| rustls::CertificateError::BadEncoding)?;
        let key = SubjectPublicKeyInfoDer::from(certificate.spki);
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.0)
    }
}

impl ServerCertVerifier for Anybody {
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
        self.holds(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.holds(message, certificate, signature)
    }

    /// Those of TLS 1.3, in TLS 1.2 as well: a key and its algorithm belong together there, so the key alone decides.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as Scheme;
        let modern = |scheme: &Scheme| {
            !matches!(scheme, Scheme::RSA_PKCS1_SHA256 | Scheme::RSA_PKCS1_SHA384 | Scheme::RSA_PKCS1_SHA512)
        };
        self.0.supported_schemes().into_iter().filter(modern).collect()
    }
}
