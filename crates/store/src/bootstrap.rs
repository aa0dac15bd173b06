//! What an administrator does once on a PostgreSQL server: three roles and a database that belongs to the migration
//! role, ordered by bytes (collation `C`) as SQLite orders.
//!
//! Never here: a role that is a superuser or that row-level security does not bind.

use base::{Result, Secret};

use crate::{
    engine::postgres::{Connection, fault},
    error::STORE_SETTINGS,
    settings::Settings,
    tls::Address,
};
use std::time::Duration;

/// The role of tenants' verbs.
pub const ROLE_APPLICATION: &str = "selo_app";
/// The role of jobs and of verbs across tenants.
pub const ROLE_SYSTEM: &str = "selo_system";
/// The role that owns the tables.
pub const ROLE_MIGRATION: &str = "selo_migrate";
/// Held while roles and a database are made, so that two at once do not collide.
const LOCK: i64 = 0x5345_4c4f_0001;

/// A password for each role; `None` where the server needs none (peer, trust, certificates).
#[derive(Clone, Default)]
pub struct Passwords {
    /// For [`ROLE_APPLICATION`].
    pub application: Option<Secret<String>>,
    /// For [`ROLE_SYSTEM`].
    pub system: Option<Secret<String>>,
    /// For [`ROLE_MIGRATION`].
    pub migration: Option<Secret<String>>,
}

/// Makes the roles and the database where they are missing and sets the passwords; gives settings for them.
/// `administrator` is the URL of a role that may create roles and databases, on any database of the server.
/// The database's name has lower-case letters, digits and underscores.
pub fn create(administrator: &Secret<String>, database: &str, passwords: &Passwords) -> Result<Settings> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if database.is_empty() || database.len() > 63 || !database.bytes().all(plain) {
        return Err(STORE_SETTINGS
            .error()
            .with("reason", "a database's name has lower-case letters, digits and _"));
    }
    let mut connection = Connection::open(administrator, "selo-bootstrap", Duration::ZERO)?;
    let client = connection.client();
    let fault = |error: postgres::Error| fault(&error, "bootstrap");
    client.batch_execute("set lock_timeout = '60s'").map_err(fault)?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).map_err(fault)?;
    for (role, password) in [
        (ROLE_APPLICATION, &passwords.application),
        (ROLE_SYSTEM, &passwords.system),
        (ROLE_MIGRATION, &passwords.migration),
    ] {
        let known = client.query_opt("select 1 from pg_roles where rolname = $1", &[&role]).map_err(fault)?;
        let verb = if known.is_some() { "alter" } else { "create" };
        let secret =
            password.as_ref().map_or(String::new(), |given| format!(" password {}", quoted(given.expose())));
        client
            .batch_execute(&format!(
                "{verb} role {role} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls{secret}"
            ))
            .map_err(fault)?;
    }
    let known =
        client.query_opt("select 1 from pg_database where datname = $1", &[&database]).map_err(fault)?;
    if known.is_none() {
        // A superuser may give a database to any role; another administrator must be a member of it.
        client
            .batch_execute(&format!(
                "create database {database} owner {ROLE_MIGRATION} template template0 encoding 'UTF8' locale 'C'"
            ))
            .map_err(fault)?;
    }
    client
        .batch_execute(&format!(
            "revoke all on database {database} from public;
             grant connect on database {database} to {ROLE_APPLICATION}, {ROLE_SYSTEM}, {ROLE_MIGRATION}"
        ))
        .map_err(fault)?;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).map_err(fault)?;
    Ok(Settings::postgres(
        url(administrator, database, ROLE_APPLICATION, passwords.application.as_ref())?,
        url(administrator, database, ROLE_SYSTEM, passwords.system.as_ref())?,
        Some(url(administrator, database, ROLE_MIGRATION, passwords.migration.as_ref())?),
    ))
}

/// An SQL literal of a text, with backslashes taken as they are.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

/// The administrator's server as another role, in the form `key='value' …`.
fn url(
    administrator: &Secret<String>,
    database: &str,
    role: &str,
    password: Option<&Secret<String>>,
) -> Result<Secret<String>> {
    use postgres::config::Host;
    let config = Address::read(administrator)?.config;
    let value = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let mut text = format!("user={role} dbname={database}");
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        })
        .collect();
    if !hosts.is_empty() {
        text.push_str(&format!(" host={}", value(&hosts.join(","))));
    }
    let ports: Vec<String> = config.get_ports().iter().map(u16::to_string).collect();
    if !ports.is_empty() {
        text.push_str(&format!(" port={}", ports.join(",")));
    }
    if let Some(password) = password {
        text.push_str(&format!(" password={}", value(password.expose())));
    }
    Ok(Secret::new(text))
}
