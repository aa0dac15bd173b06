//! The settings of the house as a whole, and the store's settings that follow from them.

use std::{path::PathBuf, time::Duration};

use base::{
    Result, Secret,
    config::{Config, Setting, SettingKind},
};
use store::Settings;

use crate::home::Home;

const DAY: u64 = 86_400;

/// The house's own settings.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "store.engine",
        SettingKind::Enum(&["sqlite", "postgres"]),
        "sqlite",
        "where the data is: sqlite (a file in the home) or postgres",
        "onde estão os dados: sqlite (um ficheiro na casa) ou postgres",
    ),
    Setting::secret(
        "store.postgres_application",
        "",
        "address of PostgreSQL as the application's role, e.g. postgres://selo_app:…@host/selo",
        "endereço do PostgreSQL com o papel da aplicação, p. ex. postgres://selo_app:…@host/selo",
    ),
    Setting::secret(
        "store.postgres_system",
        "",
        "address of PostgreSQL as the role of jobs across tenants (selo_system)",
        "endereço do PostgreSQL com o papel dos trabalhos entre entidades (selo_system)",
    ),
    Setting::secret(
        "store.postgres_migration",
        "",
        "address of PostgreSQL as the owner of the tables (selo_migrate); needed by init and by upgrades only",
        "endereço do PostgreSQL como dono das tabelas (selo_migrate); só necessário em init e em atualizações",
    ),
    Setting::new(
        "store.postgres_certificate",
        SettingKind::Enum(&["off", "own"]),
        "off",
        "own: the house signs in to PostgreSQL with short-lived certificates of its own authority, one for each role, which it renews",
        "own: a casa entra no PostgreSQL com certificados de curta duração da sua autoridade, um por papel, que ela renova",
    ),
    Setting::new(
        "house.security_contact",
        SettingKind::Text,
        "",
        "where to report a weakness, for /.well-known/security.txt: mailto:… or https://…; empty for none",
        "onde comunicar uma fraqueza, para /.well-known/security.txt: mailto:… ou https://…; vazio para nenhum",
    ),
    Setting::new(
        "house.environment",
        SettingKind::Text,
        "",
        "environment of the authority that certifies this house's own listeners, its line to PostgreSQL and its partners; empty for the only one",
        "ambiente da autoridade que certifica as escutas desta casa, a sua ligação ao PostgreSQL e os seus parceiros; vazio para o único",
    ),
    Setting::new(
        "http.admin_name",
        SettingKind::Text,
        "localhost",
        "name or address under which administrators reach their listener, for its own certificate",
        "nome ou endereço com que os administradores chegam à sua escuta, para o certificado próprio",
    ),
    Setting::new(
        "http.partner_name",
        SettingKind::Text,
        "",
        "name or address under which partners reach their listener, for its own certificate; empty for the host of the public address",
        "nome ou endereço com que os parceiros chegam à sua escuta, para o certificado próprio; vazio para a máquina do endereço público",
    ),
    Setting::new(
        "audit.keep_sealed",
        SettingKind::Duration { min: Duration::from_secs(DAY), max: Duration::from_secs(36_500 * DAY) },
        "730d",
        "how long the personal parts of audit records are kept; the leaves of the log stay",
        "durante quanto tempo se guardam as partes pessoais dos registos; as folhas do registo ficam",
    ),
    Setting::new(
        "audit.expect_checkpoint",
        SettingKind::Text,
        "",
        "a file with a checkpoint of one of the logs, e.g. of a mirror; a house whose log is shorter does not open; empty for none",
        "um ficheiro com um ponto de controlo de um dos registos, p. ex. de um espelho; uma casa com registo mais curto não abre; vazio para nenhum",
    ),
    Setting::new(
        "audit.checkpoint_every",
        SettingKind::Duration { min: Duration::from_millis(50), max: Duration::from_secs(60) },
        "1s",
        "how often a grown log gets a signed checkpoint",
        "com que frequência um registo que cresceu recebe um ponto de controlo assinado",
    ),
];

/// The store's settings.
///
/// # Errors
/// `CONFIG_SECRET_UNREADABLE`; `STORE_SETTINGS` when PostgreSQL is chosen and not addressed.
pub fn store(config: &Config, home: &Home) -> Result<Settings> {
    if config.text("store.engine") != "postgres" {
        return Ok(Settings::sqlite(home.database()));
    }
    let needed = |key: &'static str| {
        let url = config.secret(key)?.ok_or_else(|| store::error::STORE_SETTINGS.at(key))?;
        match config.text("store.postgres_certificate") {
            "own" => with_own_certificate(key, &url, home).map(|(url, _)| url),
            _ => Ok(url),
        }
    };
    let migration = config.secret("store.postgres_migration")?;
    Ok(Settings::postgres(needed("store.postgres_application")?, needed("store.postgres_system")?, migration))
}

/// The roles whose certificates the house renews: the settings of their addresses.
pub(crate) const CERTIFIED_ROLES: [&str; 2] = ["store.postgres_application", "store.postgres_system"];

/// A role of PostgreSQL that signs in by a certificate of the house's own.
pub(crate) struct CertifiedRole {
    /// The role's name.
    pub(crate) name: String,
    /// Chain and key.
    pub(crate) file: PathBuf,
}

/// An address whose connections show the certificate that the house keeps for its role in the home.
///
/// # Errors
/// `STORE_SETTINGS` for an address without a role's name.
pub(crate) fn with_own_certificate(
    key: &'static str,
    url: &Secret<String>,
    home: &Home,
) -> Result<(Secret<String>, CertifiedRole)> {
    let wrong = || {
        let reason = "postgres_certificate=own needs postgres://ROLE@host/database?sslmode=verify-full&sslrootcert=FILE";
        store::error::STORE_SETTINGS.at(key).with("reason", reason)
    };
    let name = url::Url::parse(url.expose()).map_err(|_| wrong())?.username().to_owned();
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    // The name becomes that of a file.
    if name.is_empty() || name.len() > 63 || !name.bytes().all(is_word) {
        return Err(wrong());
    }
    let file = home.postgres_certificate(&name);
    let joint = if url.expose().contains('?') { '&' } else { '?' };
    let place = crate::commands::segment(&file.display().to_string());
    let whole = format!("{}{joint}{}={place}", url.expose(), store::OWN_CERTIFICATE);
    Ok((Secret::new(whole), CertifiedRole { name, file }))
}

/// The address at which the house is reached in clear: the public one, or, when there is a listener for plain HTTP
/// beside a public one with TLS, its host with that listener's port. It stands in certificates.
pub(crate) fn in_clear(config: &Config, public_url: &str) -> String {
    let port = config.text("http.plain_listen").rsplit_once(':').map(|(_, port)| port);
    match (public_url.strip_prefix("https://"), port) {
        (Some(host), Some("80")) => format!("http://{}", without_port(host)),
        (Some(host), Some(port)) => format!("http://{}:{port}", without_port(host)),
        _ => public_url.to_owned(),
    }
}

/// A host of an address without the port behind it; an IPv6 address keeps its brackets.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(listen: &str, public_url: &str) -> String {
        let flags = [("http.plain_listen".to_owned(), listen.to_owned())];
        let config = Config::load(&[http_kit::SETTINGS], None, std::iter::empty(), &flags).unwrap();
        in_clear(&config, public_url)
    }

    #[test]
    fn certificates_name_the_port_that_answers_in_clear() {
        assert_eq!(at("0.0.0.0:80", "https://selo.example"), "http://selo.example");
        assert_eq!(at("0.0.0.0:80", "https://selo.example:8443"), "http://selo.example");
        assert_eq!(at("127.0.0.1:8080", "https://localhost:8443"), "http://localhost:8080");
        assert_eq!(at("[::1]:8080", "https://[::1]:8443"), "http://[::1]:8080");
        assert_eq!(at("", "https://selo.example:8443"), "https://selo.example:8443");
        assert_eq!(at("0.0.0.0:80", "http://localhost:8080"), "http://localhost:8080");
    }

    #[test]
    fn a_role_signs_in_with_the_file_that_carries_its_name() {
        let home = Home::at("/srv/selo one");
        let own =
            |url: &str| with_own_certificate("store.postgres_system", &Secret::new(url.to_owned()), &home);
        let (url, role) = own("postgres://selo_app:x@db/selo?sslmode=verify-full&sslrootcert=/r").unwrap();
        assert_eq!(role.file, PathBuf::from("/srv/selo one/keys/postgres-selo_app.pem"));
        assert!(url.expose().ends_with(
            "sslrootcert=/r&selo_certificate=%2Fsrv%2Fselo%20one%2Fkeys%2Fpostgres-selo_app%2Epem"
        ));
        for wrong in
            ["postgres://db/selo", "user=selo_app host=db", "postgres://..%2Fx@db/selo", "postgres://A@db"]
        {
            let failure = own(wrong).err().unwrap();
            assert_eq!(failure.field(), Some("store.postgres_system"), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_left_when_its_port_is_taken_away() {
        for (whole, host) in [
            ("a.example", "a.example"),
            ("a.example:80", "a.example"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(without_port(whole), host);
        }
    }
}
