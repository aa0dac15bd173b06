//! The settings of the door, and their checked form.

use std::{net::IpAddr, time::Duration};

use axum::http::{HeaderValue, Uri};
use base::{
    Result,
    config::{Config, Setting, SettingKind},
};

use crate::error::HTTP_SETTING;

const fn integer(min: i64, max: i64, unit: &'static str) -> SettingKind {
    SettingKind::Integer { min, max, unit }
}

const fn seconds(min: u64, max: u64) -> SettingKind {
    SettingKind::Duration { min: Duration::from_secs(min), max: Duration::from_secs(max) }
}

/// The settings of this part.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "http.public_listen",
        SettingKind::Text,
        "127.0.0.1:8080",
        "Address and port of the public zone.",
        "Endereço e porta da zona pública.",
    ),
    Setting::new(
        "http.admin_listen",
        SettingKind::Text,
        "127.0.0.1:8081",
        "Address and port of the administrators' zone; never reachable from the internet.",
        "Endereço e porta da zona dos administradores; nunca acessível a partir da internet.",
    ),
    Setting::new(
        "http.plain_listen",
        SettingKind::Text,
        "",
        "Address and port for plain HTTP beside a public listener with TLS: revocation lists and answers, and a redirect to the public address. Empty: none.",
        "Endereço e porta para HTTP simples ao lado de uma escuta pública com TLS: listas e respostas de revogação, e um reencaminhamento para o endereço público. Vazio: nenhum.",
    ),
    Setting::new(
        "http.partner_listen",
        SettingKind::Text,
        "",
        "Address and port of the partners' zone: TLS with a client certificate of this house's authority. Empty: none.",
        "Endereço e porta da zona dos parceiros: TLS com um certificado de cliente da autoridade desta casa. Vazio: nenhum.",
    ),
    Setting::new(
        "http.public_tls",
        SettingKind::Enum(&["off", "files", "own"]),
        "off",
        "TLS of the public listener: off, from files, or with a certificate of this house's own authority. Unset, files count when they are named.",
        "TLS da escuta pública: off, de ficheiros (files), ou com um certificado da autoridade desta casa (own). Sem valor, contam os ficheiros que forem indicados.",
    ),
    Setting::new(
        "http.admin_tls",
        SettingKind::Enum(&["off", "own"]),
        "off",
        "TLS of the administrators' listener: off, or with a certificate of this house's own authority.",
        "TLS da escuta dos administradores: off, ou com um certificado da autoridade desta casa (own).",
    ),
    Setting::new(
        crate::tls::CERTIFICATE_SETTING,
        SettingKind::Path,
        "",
        "PEM file with the public listener's certificate and its chain; read again when it changes. Empty: no TLS.",
        "Ficheiro PEM com o certificado da escuta pública e a sua cadeia; relido quando muda. Vazio: sem TLS.",
    ),
    Setting::new(
        crate::tls::KEY_SETTING,
        SettingKind::Path,
        "",
        "PEM file with the key of that certificate.",
        "Ficheiro PEM com a chave desse certificado.",
    ),
    Setting::new(
        "http.connections_max",
        integer(16, 100_000, "connections"),
        "4096",
        "Connections held at once per listener; further ones wait.",
        "Ligações mantidas em simultâneo por escuta; as restantes esperam.",
    ),
    Setting::new(
        "http.requests_max",
        integer(16, 100_000, "requests"),
        "1024",
        "Requests in hand at once per zone; further ones get 503.",
        "Pedidos em curso por zona; os restantes recebem 503.",
    ),
    Setting::new(
        "http.header_time",
        seconds(1, 60),
        "10s",
        "How long a connection may take to send its request's head.",
        "Quanto tempo uma ligação pode demorar a enviar o cabeçalho do pedido.",
    ),
    Setting::new(
        "http.stop_time",
        seconds(0, 10),
        "10s",
        "How long requests in hand may take to end when the house stops.",
        "Quanto tempo os pedidos em curso têm para terminar quando a casa para.",
    ),
    Setting::new(
        "http.cors_origins",
        SettingKind::List,
        "",
        "Origins whose pages may read the API, e.g. https://portal.example.",
        "Origens cujas páginas podem ler a API, p. ex. https://portal.example.",
    ),
    Setting::new(
        "http.trusted_proxies",
        SettingKind::List,
        "",
        "Addresses or networks (10.0.0.0/8) of reverse proxies whose X-Forwarded-For counts.",
        "Endereços ou redes (10.0.0.0/8) de proxies inversos cujo X-Forwarded-For conta.",
    ),
    Setting::new(
        "http.rate_read",
        integer(1, 1_000_000, "requests/minute"),
        "1200",
        "Look-ups per address and minute.",
        "Consultas por endereço e minuto.",
    ),
    Setting::new(
        "http.rate_write",
        integer(1, 1_000_000, "requests/minute"),
        "600",
        "Changes per address and minute.",
        "Alterações por endereço e minuto.",
    ),
    Setting::new(
        "http.rate_heavy",
        integer(1, 1_000_000, "requests/minute"),
        "120",
        "Uploads and verifications per address and minute.",
        "Envios e verificações por endereço e minuto.",
    ),
    Setting::new(
        "http.rate_entry",
        integer(1, 1_000_000, "requests/minute"),
        "20",
        "Attempts to sign in per address and minute.",
        "Tentativas de entrada por endereço e minuto.",
    ),
    Setting::new(
        "http.rate_check",
        integer(1, 10_000_000, "requests/minute"),
        "60000",
        "Questions per address and minute whether something still holds: revocation lists, OCSP, renewal information.",
        "Perguntas por endereço e minuto sobre se algo ainda vale: listas de revogação, OCSP, informação de renovação.",
    ),
];

/// Requests per minute and address, by class.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Look-ups.
    pub read: u32,
    /// Changes.
    pub write: u32,
    /// Uploads and verifications.
    pub heavy: u32,
    /// Attempts to sign in.
    pub entry: u32,
    /// Whether something still holds.
    pub check: u32,
}

/// The door's settings, checked.
#[derive(Debug, Clone)]
pub struct DoorSettings {
    /// Whether browsers are told to come by https only (`public_url` is https, and not this machine's own).
    pub https: bool,
    /// Requests in hand at once.
    pub requests_max: usize,
    /// Origins whose pages may read the answers.
    pub cors_origins: Vec<HeaderValue>,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<Network>,
    /// The allowances.
    pub rates: Rates,
}

impl DoorSettings {
    /// Reads the settings; `public_url` decides about HSTS.
    ///
    /// # Errors
    /// `HTTP_SETTING_INVALID` for an origin or network that is none.
    pub fn from_config(config: &Config, public_url: &str) -> Result<Self> {
        let rate = |key| u32::try_from(config.integer(key)).unwrap_or(1).max(1);
        Ok(Self {
            https: is_strict(public_url),
            requests_max: config.size("http.requests_max"),
            cors_origins: config
                .list("http.cors_origins")
                .iter()
                .map(|text| origin(text))
                .collect::<Result<_>>()?,
            trusted_proxies: config
                .list("http.trusted_proxies")
                .iter()
                .map(|text| Network::parse(text))
                .collect::<Result<_>>()?,
            rates: Rates {
                read: rate("http.rate_read"),
                write: rate("http.rate_write"),
                heavy: rate("http.rate_heavy"),
                entry: rate("http.rate_entry"),
                check: rate("http.rate_check"),
            },
        })
    }
}

/// Whether browsers are told to come by https only. Not for `localhost`: it would count for every port and every program
/// of the visitor's machine, the house's own administration without TLS too. For numbers it counts nowhere (RFC 6797 §8.1.1).
fn is_strict(public_url: &str) -> bool {
    let Some(host) = public_url.strip_prefix("https://") else { return false };
    let name = host.split(':').next().unwrap_or(host);
    name != "localhost" && !name.ends_with(".localhost")
}

/// An origin as browsers write it (RFC 6454 §7): scheme, host, port; no path, no `*`, no `null`.
fn origin(text: &str) -> Result<HeaderValue> {
    let refuse = || {
        HTTP_SETTING
            .at("http.cors_origins")
            .with("value", text)
            .with("expected", "https://host or https://host:port")
    };
    let uri: Uri = text.parse().map_err(|_| refuse())?;
    let plain =
        uri.scheme_str().zip(uri.authority()).map(|(scheme, authority)| format!("{scheme}://{authority}"));
    if plain.as_deref() != Some(text)
        || !matches!(uri.scheme_str(), Some("https" | "http"))
        || text.contains('@')
    {
        return Err(refuse());
    }
    HeaderValue::try_from(text).map_err(|_| refuse())
}

/// An address or a network in CIDR notation (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: u128,
    v6: bool,
    bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `::1` and the like.
    ///
    /// # Errors
    /// `HTTP_SETTING_INVALID`.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse =
            || HTTP_SETTING.at("http.trusted_proxies").with("value", text).with("expected", "10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| refuse())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let (number, width) = number(address);
        let bits = bits.unwrap_or(width);
        if bits > width {
            return Err(refuse());
        }
        Ok(Self {
            address: number,
            v6: address.is_ipv6(),
            bits: if address.is_ipv6() { bits } else { bits + 96 },
        })
    }

    /// Whether an address is inside; an IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let (number, _) = number(address);
        let same = self.bits == 0 || (number ^ self.address) >> (128 - u32::from(self.bits)) == 0;
        address.is_ipv6() == self.v6 && same
    }
}

fn number(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(four) => (u128::from(u32::from(four)), 32),
        IpAddr::V6(six) => (u128::from(six), 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_a_door() {
        let config = Config::defaults(&[SETTINGS]).unwrap();
        let door = DoorSettings::from_config(&config, "https://selo.example").unwrap();
        assert!(door.https && door.cors_origins.is_empty() && door.requests_max == 1024);
    }

    #[test]
    fn browsers_are_not_told_to_come_to_this_machine_by_https_only() {
        for (address, strict) in [
            ("https://selo.example", true),
            ("https://selo.example:8443", true),
            ("https://localhost.example", true),
            ("https://localhost", false),
            ("https://localhost:8443", false),
            ("https://selo.localhost:8443", false),
            ("http://selo.example", false),
        ] {
            assert_eq!(is_strict(address), strict, "{address}");
        }
    }

    #[test]
    fn networks_contain_what_they_say() {
        let inside = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(inside("10.0.0.0/8", "10.255.1.2") && !inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("::1", "::1") && !inside("::1", "::2"));
        assert!(inside("127.0.0.1", "::ffff:127.0.0.1") && inside("0.0.0.0/0", "8.8.8.8"));
        assert!(!inside("0.0.0.0/0", "2001:db8::1") && inside("::/0", "2001:db8::1"));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::1/129", "host"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_origin_has_scheme_and_host_and_nothing_more() {
        assert!(origin("https://portal.example").is_ok() && origin("http://localhost:5173").is_ok());
        for text in ["*", "null", "https://portal.example/", "portal.example", "ftp://x", "https://a@b"] {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
