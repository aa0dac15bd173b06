//! The settings of the authority, and their checked form.

use std::net::IpAddr;

use base::{
    Result,
    config::{Config, Setting, SettingKind},
};
use proof::x509::{DnsName, Oid, Profile, Uri};

use crate::error;

/// The settings of this room.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "pki.address",
        SettingKind::Text,
        "",
        "http:// address in certificates for CRLs, OCSP and issuers, without a path; empty for the host of the public address",
        "endereço http:// nos certificados para CRL, OCSP e emissores, sem caminho; vazio para a máquina do endereço público",
    ),
    Setting::new(
        "pki.keys",
        SettingKind::Enum(&["sealed", "token"]),
        "sealed",
        "where keys of new issuing authorities live: sealed in the database, or on the token",
        "onde vivem as chaves de novas autoridades emissoras: seladas na base de dados, ou no dispositivo",
    ),
    Setting::new(
        "pki.usage_arc",
        SettingKind::Text,
        "",
        "arc of the organisation (1.3.6.1.4.1.32473.2) for the key usages of packet, document and credential signers; empty for none",
        "arco da organização (1.3.6.1.4.1.32473.2) para as utilizações de chave de assinantes de pacotes, documentos e credenciais; vazio para nenhum",
    ),
    Setting::new(
        "pki.crl_shards",
        SettingKind::Integer { min: 1, max: 1_024, unit: "lists" },
        "16",
        "how many revocation lists a new issuing authority has; fixed for its life",
        "quantas listas de revogação tem uma nova autoridade emissora; fixo durante a sua vida",
    ),
    Setting::new(
        "pki.allow_wildcards",
        SettingKind::Bool,
        "false",
        "whether names with a wildcard are issued",
        "se são emitidos nomes com carácter universal",
    ),
    Setting::new(
        "pki.allow_admin_profiles",
        SettingKind::List,
        "service,server,client,shortlived,svid,db-client,operator,partner,edge-station",
        "profiles that administrators of the house may issue",
        "perfis que os administradores da casa podem emitir",
    ),
    Setting::new(
        "pki.allow_admin_dns",
        SettingKind::List,
        "*",
        "DNS suffixes that administrators may name; * for all that the authority may",
        "sufixos DNS que os administradores podem indicar; * para todos os da autoridade",
    ),
    Setting::new(
        "pki.allow_admin_ip",
        SettingKind::List,
        "*",
        "networks (10.0.0.0/8) that administrators may name; * for all that the authority may",
        "redes (10.0.0.0/8) que os administradores podem indicar; * para todas as da autoridade",
    ),
    Setting::new(
        "pki.allow_issuer_profiles",
        SettingKind::List,
        "",
        "profiles that the role issuer_admin may issue; none unless listed",
        "perfis que a função issuer_admin pode emitir; nenhum se não forem indicados",
    ),
    Setting::new(
        "pki.allow_issuer_dns",
        SettingKind::List,
        "",
        "DNS suffixes that the role issuer_admin may name",
        "sufixos DNS que a função issuer_admin pode indicar",
    ),
    Setting::new(
        "pki.allow_issuer_ip",
        SettingKind::List,
        "",
        "networks that the role issuer_admin may name",
        "redes que a função issuer_admin pode indicar",
    ),
];

/// What somebody of a grade may have.
#[derive(Debug, Clone, Default)]
pub struct Allowance {
    /// Profiles.
    pub profiles: Vec<Profile>,
    /// DNS suffixes; none means all that the issuer may name.
    pub dns: Option<Vec<String>>,
    /// Networks; none means all that the issuer may name.
    pub ip: Option<Vec<(IpAddr, u8)>>,
}

/// The settings, read and checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `http://` and host, without a slash at the end.
    pub address: String,
    /// Whether keys of new issuing authorities are made on the token.
    pub on_token: bool,
    /// The arc below which the organisation's own key usages lie, by the profile's number.
    pub usage_arc: Option<Oid>,
    /// Revocation lists of a new issuing authority.
    pub shards: u16,
    /// Whether wildcards are issued.
    pub wildcards: bool,
    /// What administrators may have.
    pub admin: Allowance,
    /// What the role `issuer_admin` may have.
    pub issuer: Allowance,
}

impl Settings {
    /// Reads the settings of a house with this public address.
    ///
    /// # Errors
    /// `PKI_SETTING` at the setting that cannot be read.
    pub fn from_config(config: &Config, public_url: &str) -> Result<Self> {
        let given = config.text("pki.address");
        let host = public_url.split_once("://").map_or(public_url, |(_, host)| host);
        let address =
            if given.is_empty() { format!("http://{host}") } else { given.trim_end_matches('/').to_owned() };
        let rest = address.strip_prefix("http://").unwrap_or_default();
        if rest.contains(['/', '?', '#', '@']) {
            return Err(wrong("pki.address", &address, "it has a path".to_owned()));
        }
        Uri::parse_http(&format!("{address}/ocsp"))
            .map_err(|e| wrong("pki.address", &address, e.to_string()))?;
        let usage_arc = match config.text("pki.usage_arc") {
            "" => None,
            text => Some(
                Oid::parse(text)
                    .ok_or_else(|| wrong("pki.usage_arc", text, "it is no object identifier".to_owned()))?,
            ),
        };
        Ok(Self {
            usage_arc,
            on_token: config.text("pki.keys") == "token",
            shards: u16::try_from(config.integer("pki.crl_shards")).unwrap_or(1),
            wildcards: config.bool("pki.allow_wildcards"),
            admin: allowance(
                config,
                "pki.allow_admin_profiles",
                "pki.allow_admin_dns",
                "pki.allow_admin_ip",
            )?,
            issuer: allowance(
                config,
                "pki.allow_issuer_profiles",
                "pki.allow_issuer_dns",
                "pki.allow_issuer_ip",
            )?,
            address,
        })
    }
}

/// Reads what three settings allow.
///
/// # Errors
/// `PKI_SETTING` at the setting that cannot be read.
pub(crate) fn allowance(
    config: &Config,
    profiles: &'static str,
    dns: &'static str,
    ip: &'static str,
) -> Result<Allowance> {
    Ok(Allowance {
        profiles: config.list(profiles).iter().map(|name| issuable(profiles, name)).collect::<Result<_>>()?,
        dns: listed(config.list(dns), |name| {
            DnsName::parse(name).map(|name| name.to_string()).map_err(|e| wrong(dns, name, e.to_string()))
        })?,
        ip: listed(config.list(ip), |text| {
            network(text).ok_or_else(|| wrong(ip, text, "no network".to_owned()))
        })?,
    })
}

fn wrong(key: &'static str, value: &str, reason: String) -> base::Error {
    error::SETTING.at(key).with("value", value).with("reason", reason)
}

/// A profile that settings may open: never those of authorities and of the responder.
pub(crate) fn issuable(key: &'static str, name: &str) -> Result<Profile> {
    let refused = |reason: &str| error::SETTING.at(key).with("value", name).with("reason", reason);
    match Profile::from_name(name) {
        None => Err(refused("there is no such profile")),
        Some(Profile::Root | Profile::Issuing | Profile::OcspResponder) => {
            Err(refused("the house alone issues this profile"))
        }
        Some(profile) => Ok(profile),
    }
}

/// None for `*`, else each entry read.
fn listed<T>(entries: &[String], read: impl Fn(&str) -> Result<T>) -> Result<Option<Vec<T>>> {
    if entries.iter().any(|entry| entry == "*") {
        return Ok(None);
    }
    entries.iter().map(|entry| read(entry)).collect::<Result<Vec<T>>>().map(Some)
}

/// A network as `10.0.0.0/8`; an address alone is a network of one.
pub(crate) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(longest), |bits| bits.parse().ok()).filter(|bits| *bits <= longest)?;
    Some((address, bits))
}
