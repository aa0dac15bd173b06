//! The settings of the ACME server, and their checked form.

use base::{
    Result,
    config::{Config, Setting, SettingKind},
};

use crate::{
    error,
    settings::{Allowance, allowance},
};

const fn per_hour(unit: &'static str) -> SettingKind {
    SettingKind::Integer { min: 1, max: 100_000_000, unit }
}

/// The settings of this part.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "acme.enabled",
        SettingKind::Bool,
        "true",
        "whether programs may get certificates by ACME; it answers once there is an issuing authority",
        "se os programas podem obter certificados por ACME; responde assim que exista uma autoridade emissora",
    ),
    Setting::new(
        "acme.zone",
        SettingKind::Enum(&["public", "admin"]),
        "public",
        "the zone whose listener serves ACME",
        "a zona cuja escuta serve o ACME",
    ),
    Setting::new(
        "acme.address",
        SettingKind::Text,
        "",
        "https:// address under which clients reach that listener, without a path; empty for the public address",
        "endereço https:// pelo qual os clientes chegam a essa escuta, sem caminho; vazio para o endereço público",
    ),
    Setting::new(
        "acme.environment",
        SettingKind::Text,
        "",
        "the environment of /acme/directory; empty for the only one",
        "o ambiente de /acme/directory; vazio para o único",
    ),
    Setting::new(
        "acme.require_external_account",
        SettingKind::Bool,
        "false",
        "whether an account needs an external key (selo pki eab new)",
        "se uma conta precisa de uma chave externa (selo pki eab new)",
    ),
    Setting::new(
        "acme.allow_profiles",
        SettingKind::List,
        "server,service,shortlived",
        "profiles that accounts may order, the first one by default",
        "perfis que as contas podem pedir, o primeiro por omissão",
    ),
    Setting::new(
        "acme.allow_dns",
        SettingKind::List,
        "*",
        "DNS suffixes that accounts may order; * for all that the authority may",
        "sufixos DNS que as contas podem pedir; * para todos os da autoridade",
    ),
    Setting::new(
        "acme.allow_ip",
        SettingKind::List,
        "*",
        "networks (10.0.0.0/8) that accounts may order; * for all that the authority may",
        "redes (10.0.0.0/8) que as contas podem pedir; * para todas as da autoridade",
    ),
    Setting::new(
        "acme.terms",
        SettingKind::Text,
        "",
        "address of the terms of service that a new account agrees to; empty for none",
        "endereço dos termos de serviço que uma nova conta aceita; vazio para nenhuns",
    ),
    Setting::new(
        "acme.accounts_per_hour",
        per_hour("accounts/hour"),
        "500",
        "new accounts per address and hour",
        "novas contas por endereço e hora",
    ),
    Setting::new(
        "acme.orders_per_hour",
        per_hour("orders/hour"),
        "10000",
        "new orders per account and hour; one that replaces a certificate when that is due is not counted",
        "novas encomendas por conta e hora; a que substitui um certificado quando chega a altura não conta",
    ),
    Setting::new(
        "acme.pending_max",
        SettingKind::Integer { min: 1, max: 1_000_000, unit: "authorizations" },
        "1000",
        "authorizations of an account that wait for their proof at once",
        "autorizações de uma conta que esperam a sua prova em simultâneo",
    ),
    Setting::new(
        "acme.failed_per_hour",
        per_hour("failures/hour"),
        "200",
        "failed proofs and refused certificates per account and hour; then it begins no further ones",
        "provas falhadas e certificados recusados por conta e hora; depois não começa outros",
    ),
];

/// Where ACME is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// Nowhere.
    Nowhere,
    /// To everybody.
    Public,
    /// Among the administrators' routes.
    Admin,
}

/// The settings, read and checked.
#[derive(Debug, Clone)]
pub struct AcmeSettings {
    /// Where it is served.
    pub served: Served,
    /// Scheme and host, without a slash at the end.
    pub address: String,
    /// The environment of `/acme/directory`.
    pub environment: Option<String>,
    /// Whether an account needs an external key.
    pub external: bool,
    /// What accounts may have whose external key says nothing else.
    pub allowance: Allowance,
    /// The terms that a new account agrees to.
    pub terms: Option<String>,
    /// This authority's domain in CAA records.
    pub caa_identity: Option<String>,
    /// New accounts per address and hour.
    pub accounts_per_hour: i64,
    /// New orders per account and hour.
    pub orders_per_hour: i64,
    /// Authorizations of an account that wait at once.
    pub pending_max: i64,
    /// Failed proofs and refused certificates per account and hour.
    pub failed_per_hour: i64,
}

impl AcmeSettings {
    /// Reads the settings of a house with this public address.
    ///
    /// # Errors
    /// `PKI_SETTING` at the setting that cannot be read.
    pub fn from_config(config: &Config, public_url: &str) -> Result<Self> {
        let given = |key: &'static str| Some(config.text(key).to_owned()).filter(|text| !text.is_empty());
        let address = given("acme.address").unwrap_or_else(|| public_url.to_owned());
        let address = address.trim_end_matches('/').to_owned();
        let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if !host.is_some_and(|host| !host.is_empty() && host.chars().all(plain)) {
            return Err(error::SETTING
                .at("acme.address")
                .with("value", &address)
                .with("reason", "it is no https:// address without a path"));
        }
        let allowance = allowance(config, "acme.allow_profiles", "acme.allow_dns", "acme.allow_ip")?;
        if allowance.profiles.is_empty() {
            return Err(error::SETTING
                .at("acme.allow_profiles")
                .with("value", "")
                .with("reason", "at least one profile is needed"));
        }
        let served = match (config.bool("acme.enabled"), config.text("acme.zone")) {
            (false, _) => Served::Nowhere,
            (true, "admin") => Served::Admin,
            (true, _) => Served::Public,
        };
        Ok(Self {
            served,
            address,
            environment: given("acme.environment"),
            external: config.bool("acme.require_external_account"),
            allowance,
            terms: given("acme.terms"),
            caa_identity: given("acme.caa_identity"),
            accounts_per_hour: config.integer("acme.accounts_per_hour"),
            orders_per_hour: config.integer("acme.orders_per_hour"),
            pending_max: config.integer("acme.pending_max"),
            failed_per_hour: config.integer("acme.failed_per_hour"),
        })
    }
}
