//! Whom a listener lets in by certificate: whoever holds the key of a client certificate that one of these authorities
//! signed and that has not ended. Whether it was revoked, and who it is, is asked at each request.
//!
//! The authorities are replaced while the listener serves; while there are none, nobody enters. Connections are not
//! resumed: whoever comes again is looked at again. Never here: a certificate that is optional, a name.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base::{Clock, Result};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    time_provider::TimeProvider,
};

use crate::tls::provider;

/// A chain of certificates that a client shows, at most: its own, and those between it and an authority.
const SHOWN_MAX: usize = 4;

/// The certificate that a client showed in the handshake, DER. It stands in a request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate(pub Arc<[u8]>);

/// The authorities whose clients enter; cheap to clone, all clones are one.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Who judges the next handshake. Whoever replaces it holds the lock for one assignment.
    judge: Arc<RwLock<Option<Arc<dyn ClientCertVerifier>>>>,
    provider: Arc<CryptoProvider>,
}

impl Default for Clients {
    fn default() -> Self {
        Self { judge: Arc::default(), provider: Arc::new(provider()) }
    }
}

impl Clients {
    /// Lets in the clients of these authorities (DER) from the next handshake on; of none, nobody.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` for what is no certificate of an authority.
    pub fn replace(&self, authorities: &[Vec<u8>]) -> Result<()> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots
                .add(CertificateDer::from(authority.clone()))
                .map_err(|error| base::error::INTERNAL.because(error))?;
        }
        let judge = match roots.is_empty() {
            true => None,
            false => {
                let builder =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
                // Who our authorities are is nothing that a stranger must hear.
                let judge = builder.clear_root_hint_subjects().build();
                Some(judge.map_err(|error| base::error::INTERNAL.because(error))?)
            }
        };
        *self.judge.write().unwrap_or_else(PoisonError::into_inner) = judge;
        Ok(())
    }
}

impl ClientCertVerifier for Clients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> std::result::Result<ClientCertVerified, rustls::Error> {
        let judge = self.judge.read().unwrap_or_else(PoisonError::into_inner).clone();
        match judge.filter(|_| between.len() < SHOWN_MAX) {
            Some(judge) => judge.verify_client_cert(shown, between, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
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
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The clock of the house, for handshakes.
pub(crate) struct HouseTime(pub(crate) Arc<dyn Clock>);

impl std::fmt::Debug for HouseTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HouseTime")
    }
}

impl TimeProvider for HouseTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
