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
    let needed = |key: &'static str| config.secret(key)?.ok_or_else(|| store::error::STORE_SETTINGS.at(key));
    let migration = config.secret("store.postgres_migration")?;
    Ok(Settings::postgres(needed("store.postgres_application")?, needed("store.postgres_system")?, migration))
}
