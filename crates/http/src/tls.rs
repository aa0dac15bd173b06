//! TLS for a listener: version 1.3 alone, hybrid key exchange first (X25519 with ML-KEM-768), and a chain with its key
//! that can be replaced while the listener serves.
//!
//! A connection keeps what it was shown; the next one is shown what is newest. Files that do not fit are named and the
//! old pair stays in use. A listener whose certificate is still to come refuses every handshake until it is there.
//! Never here: an older version of TLS, a key that every user of the machine may read, an answer in clear meanwhile.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use base::{
    Clock, Error, Result,
    config::{Config, Origin},
};
use rustls::{
    ConfigBuilder, ServerConfig, WantsVerifier,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WantsServerCert},
    sign::CertifiedKey,
    time_provider::{DefaultTimeProvider, TimeProvider},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    clients::{Clients, HouseTime},
    error::{HTTP_SETTING, HTTP_TLS_FILE, HTTP_TLS_KEY_OPEN, HTTP_TLS_PAIR},
};

/// The longest file of a chain or key.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The longest chain.
const CHAIN_MAX: usize = 8;
/// The setting that names the chain's file.
pub const CERTIFICATE_SETTING: &str = "http.public_tls_certificate";
/// The setting that names the key's file.
pub const KEY_SETTING: &str = "http.public_tls_key";

/// The setting that says where the public listener's pair comes from.
pub const PUBLIC_SETTING: &str = "http.public_tls";
/// The setting that says where the administrators' listener's pair comes from.
pub const ADMIN_SETTING: &str = "http.admin_tls";

/// Where a listener's pair comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// None: the listener speaks plain HTTP.
    Off,
    /// The files that the settings name.
    Files,
    /// The house's own authority.
    Own,
}

impl Pair {
    /// Of the public listener. Files that are named count while nobody says otherwise.
    ///
    /// # Errors
    /// `HTTP_SETTING_INVALID` for files without a name.
    pub fn of_public(config: &Config) -> Result<Self> {
        let named = config.path(CERTIFICATE_SETTING).is_some() || config.path(KEY_SETTING).is_some();
        match config.text(PUBLIC_SETTING) {
            "own" => Ok(Self::Own),
            "files" if !named => Err(HTTP_SETTING
                .at(PUBLIC_SETTING)
                .with("value", "files")
                .with("expected", format!("files with {CERTIFICATE_SETTING} and {KEY_SETTING}"))),
            "files" => Ok(Self::Files),
            _ if named && config.origin(PUBLIC_SETTING) == Some(&Origin::Default) => Ok(Self::Files),
            _ => Ok(Self::Off),
        }
    }

    /// Of the administrators' listener.
    pub fn of_admin(config: &Config) -> Self {
        if config.text(ADMIN_SETTING) == "own" { Self::Own } else { Self::Off }
    }
}

/// What a listener shows, and how it speaks; cheap to clone.
#[derive(Debug, Clone)]
pub struct Tls {
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
}

/// The pair that the next connection is shown. Whoever replaces it holds the lock for one assignment.
#[derive(Debug)]
struct Shown(RwLock<Option<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A chain and its key.
#[derive(Debug, Clone)]
pub struct ServerIdentity(Arc<CertifiedKey>);

impl ServerIdentity {
    /// Reads a chain (leaf first) and a key (PKCS #8, SEC 1 or PKCS #1) as PEM.
    ///
    /// # Errors
    /// `HTTP_TLS_PAIR_INVALID` when one of them cannot be read, or the key is another certificate's.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self> {
        let wrong = |reason: String| HTTP_TLS_PAIR.error().with("reason", reason);
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .take(CHAIN_MAX + 1)
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| wrong(format!("the chain: {error}")))?;
        if chain.is_empty() || chain.len() > CHAIN_MAX {
            return Err(wrong(format!("the chain has {} certificates, not 1 to {CHAIN_MAX}", chain.len())));
        }
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|_| wrong("the key is no private key".to_owned()))?;
        // The library's words about a key could hold parts of it; they are left out.
        let pair = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|_| wrong("the key does not belong to the chain's first certificate".to_owned()))?;
        Ok(Self(Arc::new(pair)))
    }

    /// The chain, leaf first, as DER.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.0.cert.iter().map(AsRef::as_ref)
    }
}

/// aws-lc-rs, with the hybrid exchange first.
pub(crate) fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![
        aws_lc_rs::kx_group::X25519MLKEM768,
        aws_lc_rs::kx_group::X25519,
        aws_lc_rs::kx_group::SECP256R1,
        aws_lc_rs::kx_group::SECP384R1,
    ];
    provider
}

fn builder(clock: Arc<dyn TimeProvider>) -> Result<ConfigBuilder<ServerConfig, WantsVerifier>> {
    ServerConfig::builder_with_details(Arc::new(provider()), clock)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| base::error::INTERNAL.because(error))
}

fn showing(builder: ConfigBuilder<ServerConfig, WantsServerCert>) -> (Arc<Shown>, ServerConfig) {
    let shown = Arc::new(Shown(RwLock::new(None)));
    let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&shown) as _;
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A change that is replayed must not be carried out twice, so nothing is taken before the handshake ends.
    config.max_early_data_size = 0;
    (shown, config)
}

impl Tls {
    /// Speaks TLS 1.3 and shows this pair.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the library cannot be set up.
    pub fn new(identity: ServerIdentity) -> Result<Self> {
        let tls = Self::waiting()?;
        tls.replace(identity);
        Ok(tls)
    }

    /// Speaks TLS 1.3 and refuses every handshake until there is a pair to show ([`Tls::replace`]).
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the library cannot be set up.
    pub fn waiting() -> Result<Self> {
        let (shown, config) = showing(builder(Arc::new(DefaultTimeProvider))?.with_no_client_auth());
        Ok(Self { shown, config: Arc::new(config) })
    }

    /// As [`Tls::waiting`], and lets in only whom `clients` lets in, by the clock of the house.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the library cannot be set up.
    pub fn for_clients(clients: &Clients, clock: Arc<dyn Clock>) -> Result<Self> {
        let builder = builder(Arc::new(HouseTime(clock)))?;
        let (shown, mut config) = showing(builder.with_client_cert_verifier(Arc::new(clients.clone())));
        // Whoever resumed a connection would enter by what was true of the one before.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { shown, config: Arc::new(config) })
    }

    /// Shows another pair from the next connection on.
    pub fn replace(&self, identity: ServerIdentity) {
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Some(identity.0);
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// The two files that a pair is read from, and what they looked like when they were last read.
#[derive(Debug)]
pub struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    seen: Option<[Look; 2]>,
}

/// Length and moment of change: enough to see that a file was replaced.
type Look = (u64, Option<SystemTime>);

impl TlsFiles {
    /// The files that the settings name; none when neither is set.
    ///
    /// # Errors
    /// `HTTP_TLS_FILE_UNREADABLE` when only one of the two is set.
    pub fn from_config(config: &Config) -> Result<Option<Self>> {
        match (config.path(CERTIFICATE_SETTING), config.path(KEY_SETTING)) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key, seen: None })),
            (Some(_), None) => Err(unreadable(Path::new(""), "it is not set").at(KEY_SETTING)),
            (None, Some(_)) => Err(unreadable(Path::new(""), "it is not set").at(CERTIFICATE_SETTING)),
        }
    }

    /// Reads both files.
    ///
    /// # Errors
    /// `HTTP_TLS_FILE_UNREADABLE`, `HTTP_TLS_KEY_OPEN` when every user of the machine may read the key,
    /// `HTTP_TLS_PAIR_INVALID`.
    pub fn read(&mut self) -> Result<ServerIdentity> {
        let mode = metadata(&self.key)?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(HTTP_TLS_KEY_OPEN.at(KEY_SETTING).with("file", self.key.display()));
        }
        let seen = self.look()?;
        let identity = ServerIdentity::from_pem(&bytes(&self.certificate)?, &bytes(&self.key)?)?;
        self.seen = Some(seen);
        Ok(identity)
    }

    /// Reads both files again when one of them has changed; nothing when none has.
    ///
    /// # Errors
    /// As [`TlsFiles::read`]; also between the replacing of one file and of the other, so ask again a little later.
    pub fn changed(&mut self) -> Result<Option<ServerIdentity>> {
        if self.seen == Some(self.look()?) {
            return Ok(None);
        }
        self.read().map(Some)
    }

    fn look(&self) -> Result<[Look; 2]> {
        let one = |file: &Path| metadata(file).map(|found| (found.len(), found.modified().ok()));
        Ok([one(&self.certificate)?, one(&self.key)?])
    }
}

fn unreadable(file: &Path, reason: impl std::fmt::Display) -> Error {
    HTTP_TLS_FILE.error().with("file", file.display()).with("reason", reason)
}

fn metadata(file: &Path) -> Result<std::fs::Metadata> {
    std::fs::metadata(file).map_err(|error| unreadable(file, error.kind()))
}

fn bytes(file: &Path) -> Result<Vec<u8>> {
    if metadata(file)?.len() > FILE_BYTES_MAX {
        return Err(unreadable(file, format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    std::fs::read(file).map_err(|error| unreadable(file, error.kind()))
}
