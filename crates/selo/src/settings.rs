//! The settings of the house as a whole, and the store's settings that follow from them.

use std::time::Duration;

use base::{
    Result,
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
    let needed = |key: &'static str| config.secret(key)?.ok_or_else(|| store::error::STORE_SETTINGS.at(key));
    let migration = config.secret("store.postgres_migration")?;
    Ok(Settings::postgres(needed("store.postgres_application")?, needed("store.postgres_system")?, migration))
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
