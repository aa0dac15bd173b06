//! The line to PostgreSQL: in clear, or TLS 1.3 that checks the server's certificate and name.
//!
//! An address says it as libpq's does: `?sslmode=verify-full&sslrootcert=FILE`, and with `&sslcert=FILE&sslkey=FILE` the
//! house shows a certificate of its own. The files are read for each new connection, so certificates may be short-lived.
//! One that the house renews by itself comes first (`&selo_certificate=FILE`); where it opens nothing, as before the first
//! one and after a long absence, the others and the password are tried.
//! Never here: TLS that does not check whom it talks to. The weaker modes of libpq are refused, not weakened further.

use std::{io::Read as _, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use base::{Error, Result, Secret};
use postgres::{Client, Config, config::SslMode};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    engine::postgres::{Connection, fault},
    error::STORE_SETTINGS,
    settings::VERB_TIMEOUT,
};

/// The word of an address for the file that the house renews.
pub const OWN: &str = "selo_certificate";

/// An address, read: what the driver understands, and how the line is made.
pub(crate) struct Address {
    pub(crate) config: Config,
    files: Option<Files>,
}

/// The files that the address names.
#[derive(Default)]
struct Files {
    roots: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    /// Chain and key in one, renewed by the house; it may not be there yet.
    own: Option<String>,
}

/// What the house shows of itself.
type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The longest file of a chain and its key.
const PAIR_BYTES_MAX: u64 = 1 << 20;

fn refuse(reason: impl Into<String>) -> Error {
    STORE_SETTINGS.error().with("reason", reason.into())
}

impl Address {
    /// Reads `postgres://…` or `key=value …`; only the first form may speak of TLS.
    ///
    /// # Errors
    /// `STORE_SETTINGS` for an address that cannot be read, or that asks for a TLS which checks less than everything.
    pub(crate) fn read(url: &Secret<String>) -> Result<Self> {
        let (plain, tls) = split(url.expose())?;
        let config = plain.parse::<Config>().map_err(|_| refuse("the URL of PostgreSQL cannot be read"))?;
        Ok(Self { config, files: tls })
    }

    /// Connects; blocks.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE` when nobody answers or the line cannot be trusted; `STORE_SETTINGS` for a file that cannot
    /// be used.
    pub(crate) fn connect(mut self) -> Result<Client> {
        let Some(files) = &self.files else {
            return self.config.connect(postgres::NoTls).map_err(|error| fault(&error, "connect"));
        };
        self.config.ssl_mode(SslMode::Require);
        if let Some(pair) = files.own_pair() {
            match self.config.connect(files.connector(Some(pair))?) {
                Ok(client) => return Ok(client),
                Err(error) => tracing::warn!(
                    "the house's own certificate opened no line to PostgreSQL, what else the address has is tried: {error}"
                ),
            }
        }
        let connector = files.connector(files.named_pair()?)?;
        self.config.connect(connector).map_err(|error| fault(&error, "connect"))
    }
}

/// Takes what speaks of TLS out of a URL's query.
fn split(url: &str) -> Result<(String, Option<Files>)> {
    let Some((front, query)) = url.split_once('?').filter(|_| url.contains("://")) else {
        return Ok((url.to_owned(), None));
    };
    let (mut files, mut mode, mut rest) = (Files::default(), None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value)?;
        match name {
            "sslmode" => mode = Some(value),
            "sslrootcert" => files.roots = Some(value),
            "sslcert" => files.certificate = Some(value),
            "sslkey" => files.key = Some(value),
            OWN => files.own = Some(value),
            _ => rest.push(pair),
        }
    }
    let plain = if rest.is_empty() { front.to_owned() } else { format!("{front}?{}", rest.join("&")) };
    let named = [&files.roots, &files.certificate, &files.key, &files.own];
    let names_files = named.into_iter().any(Option::is_some);
    match mode.as_deref() {
        None | Some("disable") if !names_files => Ok((plain, None)),
        Some("verify-full") if files.roots.is_none() => {
            Err(refuse("sslmode=verify-full needs sslrootcert, the file of the authority to trust"))
        }
        Some("verify-full") if files.certificate.is_some() != files.key.is_some() => {
            Err(refuse("sslcert and sslkey go together"))
        }
        Some("verify-full") => Ok((plain, Some(files))),
        _ => Err(refuse(
            "TLS to PostgreSQL is sslmode=verify-full with sslrootcert, or none (sslmode=disable)",
        )),
    }
}

/// Percent-decoding (RFC 3986 §2.1) of a value in the query.
fn decoded(value: &str) -> Result<String> {
    let wrong = || refuse("a value in the URL of PostgreSQL is not percent-encoded as it should be");
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(wrong);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| wrong())?);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

impl Files {
    /// The pair that the address names.
    fn named_pair(&self) -> Result<Option<Pair>> {
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Ok(Some((certificates(certificate)?, private_key(key)?))),
            _ => Ok(None),
        }
    }

    /// The pair that the house renews, when it is there and can be read. Both come from one look at one file, so they
    /// belong together.
    fn own_pair(&self) -> Option<Pair> {
        let file = self.own.as_deref()?;
        match pair(file) {
            Ok(pair) => pair,
            Err(failure) => {
                tracing::warn!("the house's own certificate for PostgreSQL cannot be used: {failure:?}");
                None
            }
        }
    }

    fn connector(&self, pair: Option<Pair>) -> Result<MakeRustlsConnect> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(self.roots.as_deref().unwrap_or_default())? {
            roots.add(certificate).map_err(|error| refuse(format!("sslrootcert: {error}")))?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| base::error::INTERNAL.because(error))?
            .with_root_certificates(roots);
        let config = match pair {
            // The library's words about a key could hold parts of it; they are left out.
            Some((chain, key)) => config
                .with_client_auth_cert(chain, key)
                .map_err(|_| refuse("the key does not belong to the certificate for PostgreSQL"))?,
            None => config.with_no_client_auth(),
        };
        Ok(MakeRustlsConnect::new(config))
    }
}

/// A chain and its key in one file; nothing when there is no such file.
fn pair(file: &str) -> Result<Option<Pair>> {
    let broken = |error: &dyn std::fmt::Display| refuse(format!("{file}: {error}"));
    let open = match std::fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        open => open.map_err(|error| broken(&error))?,
    };
    let found = open.metadata().map_err(|error| broken(&error))?;
    if found.permissions().mode() & 0o077 != 0 {
        return Err(broken(&"other users of this machine may read this key; chmod 600"));
    }
    let mut bytes = Vec::new();
    open.take(PAIR_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| broken(&error))?;
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| broken(&"it holds no private key"))?;
    if chain.is_empty() { Err(broken(&"it holds no certificate")) } else { Ok(Some((chain, key))) }
}

/// Connects anew and says the serial number of the certificate that the server was shown, as a decimal number; blocks.
///
/// # Errors
/// `STORE_UNAVAILABLE`, `STORE_SETTINGS` as for every connection.
pub fn certificate_shown(url: &Secret<String>) -> Result<Option<String>> {
    let mut connection = Connection::open(url, "selo-check", VERB_TIMEOUT)?;
    let shown = connection
        .client()
        .query_one("select cast(client_serial as text) from pg_stat_ssl where pid = pg_backend_pid()", &[]);
    shown.map(|row| row.get(0)).map_err(|error| fault(&error, "connect"))
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |error: &dyn std::fmt::Display| refuse(format!("{file}: {error}"));
    let found: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(|error| wrong(&error))?
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| wrong(&error))?;
    if found.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(found) }
}

fn private_key(file: &str) -> Result<PrivateKeyDer<'static>> {
    let wrong = |reason: &str| refuse(format!("{file}: {reason}"));
    let found = std::fs::metadata(Path::new(file)).map_err(|error| wrong(&error.kind().to_string()))?;
    if found.permissions().mode() & 0o007 != 0 {
        return Err(wrong("every user of this machine may read this key; chmod o-rwx"));
    }
    PrivateKeyDer::from_pem_file(file).map_err(|_| wrong("it is no private key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(url: &str) -> String {
        split(url).err().map_or_else(String::new, |error| error.cause(base::Lang::En).into_owned())
    }

    #[test]
    fn an_address_without_a_word_of_tls_is_left_as_it_is() {
        for plain in [
            "postgres://selo_app:p%3F@db/selo",
            "user=selo_app host=db",
            "postgres://db/selo?connect_timeout=3",
        ] {
            let (left, tls) = split(plain).unwrap();
            assert_eq!((left.as_str(), tls.is_none()), (plain, true));
        }
        let (left, tls) = split("postgres://db/selo?sslmode=disable&connect_timeout=3").unwrap();
        assert_eq!((left.as_str(), tls.is_none()), ("postgres://db/selo?connect_timeout=3", true));
    }

    #[test]
    fn tls_checks_everything_or_is_refused() {
        let (left, tls) = split(
            "postgres://db/selo?sslmode=verify-full&sslrootcert=%2Fetc%2Fselo%2Fca%20one.pem&sslcert=/c.pem&sslkey=/k.pem",
        )
        .unwrap();
        let files = tls.unwrap();
        assert_eq!(left, "postgres://db/selo");
        assert_eq!(files.roots.as_deref(), Some("/etc/selo/ca one.pem"));
        assert_eq!((files.certificate.as_deref(), files.key.as_deref()), (Some("/c.pem"), Some("/k.pem")));
        for weak in ["allow", "prefer", "require", "verify-ca"] {
            assert!(reason(&format!("postgres://db/selo?sslmode={weak}")).contains("verify-full"), "{weak}");
        }
        assert!(reason("postgres://db/selo?sslrootcert=/ca.pem").contains("sslmode"), "no mode");
        assert!(reason("postgres://db/selo?sslmode=verify-full").contains("sslrootcert"));
        assert!(
            reason("postgres://db/selo?sslmode=verify-full&sslrootcert=/a&sslkey=/k").contains("sslcert")
        );
        assert!(reason("postgres://db/selo?sslrootcert=%zz").contains("percent"));
        assert!(reason("postgres://db/selo?selo_certificate=/own.pem").contains("verify-full"));
    }

    #[test]
    fn a_pair_of_the_house_is_read_in_one_look_and_not_at_all_when_others_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("own.pem");
        let file = place.to_str().unwrap();
        assert!(pair(file).unwrap().is_none(), "there may be none yet");
        let made = rcgen::generate_simple_self_signed(vec!["db".to_owned()]).unwrap();
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        for (text, mode, good) in [
            (format!("{chain}{key}"), 0o600, true),
            (format!("{key}{chain}"), 0o600, true),
            (format!("{chain}{key}"), 0o640, false),
            (chain.clone(), 0o600, false),
            (key.clone(), 0o600, false),
            (String::new(), 0o600, false),
        ] {
            std::fs::write(&place, text).unwrap();
            std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(pair(file).is_ok_and(|pair| pair.is_some()), good, "{mode:o}");
        }
    }
}
