//! The agent's file: one account, one way to show control of names, and the certificates that are kept new.
//!
//! Unknown words are refused, and what contradicts itself is named before anything is done.
//! Never here: a secret; the file names files that hold them.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use base::Result;
use http_kit::outgoing;
use keys::Curve;
use proof::x509::{DnsName, GeneralName};
use serde::Deserialize;

use crate::{error, plan};

/// Longest file that is read.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Certificates of one agent.
pub const CERTIFICATES_MAX: usize = 1_000;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The agent's own folder: the account, what it knows, two generations of each certificate.
    pub state: PathBuf,
    /// Where figures go, in the text form of Prometheus.
    pub metrics: Option<PathBuf>,
    /// Whom to ask.
    pub account: Account,
    /// How control of names is shown.
    pub challenge: Challenge,
    /// What is kept new.
    #[serde(rename = "certificate")]
    pub certificates: Vec<Wanted>,
}

/// The account at an authority.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The address of the ACME directory: https, or http to this very machine.
    pub directory: String,
    /// PEM file with the authorities that vouch for the directory's own TLS; else those of the system.
    pub ca: Option<PathBuf>,
    /// The external key that opens the account.
    pub external: Option<External>,
}

/// An external account key (RFC 8555 §7.3.4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// Its name.
    pub key_id: String,
    /// The file with its HMAC key as base64url.
    pub key_file: PathBuf,
}

/// How control of names is shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Challenge {
    /// http-01: the agent itself listens there while an order is open.
    Http(SocketAddr),
    /// http-01: files under `.well-known/acme-challenge` of a folder that a web server shows.
    Webroot(PathBuf),
    /// dns-01: a program and its first words, run with `add|remove NAME VALUE` behind them.
    Dns(Vec<String>),
}

/// A certificate that is kept new.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Its name here: letters, digits, `-`, `_`.
    pub name: String,
    /// The names in it: DNS names and addresses.
    pub names: Vec<String>,
    /// The profile to order; else the authority's choice.
    pub profile: Option<String>,
    /// The curve of its key.
    #[serde(default)]
    pub key: Curve,
    /// A symbolic link that is swung to the folder of the newest generation (`cert.pem`, `chain.pem`, `fullchain.pem`, `key.pem`).
    pub link: Option<PathBuf>,
    /// Plain files that are replaced one by one.
    #[serde(default)]
    pub files: Files,
    /// How the service takes up what is new.
    pub reload: Option<Reload>,
    /// Where the service shows its certificate.
    pub probe: Option<Probe>,
    /// After which part of its life it is renewed.
    #[serde(default = "fraction")]
    pub renew_after: f64,
}

const fn fraction() -> f64 {
    plan::FRACTION
}

/// Plain files.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The certificate alone.
    pub cert: Option<PathBuf>,
    /// Its issuers.
    pub chain: Option<PathBuf>,
    /// Both.
    pub fullchain: Option<PathBuf>,
    /// The key, mode 0600.
    pub key: Option<PathBuf>,
}

/// How a service takes up new files.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reload {
    /// `nginx -t`, and only then `nginx -s reload`; with these words before each (`-c FILE`).
    Nginx(Vec<String>),
    /// SIGHUP to the server whose data folder this is.
    Postgresql(PathBuf),
    /// `CONFIG SET tls-cert-file … tls-key-file …` over its local socket.
    Redis(PathBuf),
    /// `systemctl reload UNIT`.
    Systemd(String),
    /// A program and its words; success is exit code 0.
    Command(Vec<String>),
    /// SIGHUP to the process whose number a file holds.
    Signal(PathBuf),
}

/// Where a service shows its certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The machine.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is said before TLS.
    #[serde(default)]
    pub protocol: Protocol,
    /// The name to ask for; else the certificate's first.
    pub server_name: Option<String>,
}

/// What is said before TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Nothing: TLS from the first byte, as Redis has it too.
    #[default]
    Tls,
    /// PostgreSQL's request for TLS.
    Postgres,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// `AGENT_CONFIG_INVALID` with the place.
    pub fn read(file: &Path) -> Result<Self> {
        let wrong =
            |reason: String| error::CONFIG.error().with("file", file.display()).with("reason", reason);
        let bytes = crate::files::read(file, FILE_BYTES_MAX).map_err(|e| wrong(e.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text".to_owned()))?;
        let config: Self = toml::from_str(&text).map_err(|e| wrong(e.to_string().trim_end().to_owned()))?;
        config.check().map_err(wrong)?;
        Ok(config)
    }

    fn check(&self) -> std::result::Result<(), String> {
        let directory = outgoing::read(&self.account.directory)
            .map_err(|reason| format!("account.directory cannot be asked: {reason}"))?;
        let local = matches!(directory.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if directory.scheme() != "https" && !local {
            return Err("account.directory is neither https nor http to this machine".to_owned());
        }
        if self.certificates.is_empty() || self.certificates.len() > CERTIFICATES_MAX {
            return Err(format!("there must be 1 to {CERTIFICATES_MAX} [[certificate]]"));
        }
        if matches!(&self.challenge, Challenge::Dns(words) if words.is_empty()) {
            return Err("challenge.dns names no program".to_owned());
        }
        let mut seen = BTreeSet::new();
        for wanted in &self.certificates {
            if !seen.insert(&wanted.name) {
                return Err(format!("two certificates have the name {}", wanted.name));
            }
            wanted
                .check(&self.challenge)
                .map_err(|reason| format!("certificate {}: {reason}", wanted.name))?;
        }
        Ok(())
    }
}

impl Wanted {
    fn check(&self, challenge: &Challenge) -> std::result::Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(plain) {
            return Err("its name is not 1 to 64 letters, digits, - and _".to_owned());
        }
        if !(0.1..=0.9).contains(&self.renew_after) {
            return Err("renew_after is not between 0.1 and 0.9".to_owned());
        }
        let names = self.general_names()?;
        let by_page = !matches!(challenge, Challenge::Dns(_));
        for name in &names {
            match name {
                GeneralName::Dns(name) if name.is_wildcard() && by_page => {
                    return Err(format!("{name} needs challenge.dns"));
                }
                GeneralName::Ip(address) if !by_page => {
                    return Err(format!("{address} cannot be shown by DNS"));
                }
                _ => {}
            }
        }
        if self.link.is_none()
            && (self.files.key.is_none() || (self.files.cert.is_none() && self.files.fullchain.is_none()))
        {
            return Err("neither link nor files for certificate and key".to_owned());
        }
        if let Some(Reload::Command(words)) = &self.reload
            && words.is_empty()
        {
            return Err("reload.command names no program".to_owned());
        }
        if matches!(self.reload, Some(Reload::Redis(_))) && self.redis_files().is_none() {
            return Err("reload.redis needs link, or files.fullchain and files.key".to_owned());
        }
        Ok(())
    }

    /// The names, checked, each once.
    ///
    /// # Errors
    /// The reason, for whoever wrote the file.
    pub fn general_names(&self) -> std::result::Result<BTreeSet<GeneralName>, String> {
        if self.names.is_empty() {
            return Err("it has no names".to_owned());
        }
        let read = |text: &String| match text.parse::<IpAddr>() {
            Ok(address) => Ok(GeneralName::Ip(address)),
            Err(_) => DnsName::parse(text).map(GeneralName::Dns).map_err(|fault| format!("{text}: {fault}")),
        };
        self.names.iter().map(read).collect()
    }

    /// The files that Redis is told to read: certificate with chain, and key.
    pub fn redis_files(&self) -> Option<(PathBuf, PathBuf)> {
        match &self.link {
            Some(link) => Some((link.join(crate::files::FULLCHAIN), link.join(crate::files::KEY))),
            None => Some((self.files.fullchain.clone()?, self.files.key.clone()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
state = "/var/lib/selo-agent"
challenge = { http = "0.0.0.0:80" }
[account]
directory = "https://ca.example/acme/directory"
[[certificate]]
name = "web"
names = ["a.example", "10.0.0.1"]
link = "/etc/web"
reload = { nginx = [] }
probe = { host = "127.0.0.1", port = 443 }
"#;

    fn read(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.toml");
        std::fs::write(&file, text).unwrap();
        Config::read(&file)
    }

    #[test]
    fn a_file_is_read_with_its_defaults() {
        let config = read(GOOD).unwrap();
        let wanted = &config.certificates[0];
        assert_eq!((wanted.key, wanted.renew_after), (Curve::P256, plan::FRACTION));
        assert_eq!(wanted.general_names().unwrap().len(), 2);
        assert_eq!(wanted.probe.as_ref().unwrap().protocol, Protocol::Tls);
        for reload in [
            "{ postgresql = \"/var/lib/postgresql\" }",
            "{ redis = \"/run/redis.sock\" }",
            "{ systemd = \"nginx.service\" }",
            "{ command = [\"true\"] }",
            "{ signal = \"/run/x.pid\" }",
        ] {
            read(&GOOD.replace("{ nginx = [] }", reload)).unwrap_or_else(|e| panic!("{reload}: {e:?}"));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_reason() {
        for (from, to, reason) in [
            ("https://ca", "http://ca", "directory"),
            ("https://ca", "file://ca", "directory"),
            ("[account]", "[account]\ncolour = 1", "colour"),
            ("name = \"web\"", "name = \"../web\"", "name"),
            ("\"a.example\"", "\"a_b\"", "a_b"),
            ("\"a.example\"", "\"*.a.example\"", "dns"),
            ("{ http = \"0.0.0.0:80\" }", "{ dns = [\"hook\"] }", "DNS"),
            ("{ http = \"0.0.0.0:80\" }", "{ dns = [] }", "program"),
            ("link = \"/etc/web\"", "files = { key = \"/k\" }", "link"),
            ("link = \"/etc/web\"", "", "link"),
            ("names = [", "renew_after = 0.95\nnames = [", "renew_after"),
            ("[\"a.example\", \"10.0.0.1\"]", "[]", "names"),
            ("{ nginx = [] }", "{ apache = [] }", "apache"),
        ] {
            let refused = read(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(refused.is(&error::CONFIG), "{refused:?}");
            let said = refused.cause(base::Lang::En).into_owned();
            assert!(said.contains(reason), "{to}: {said}");
        }
        let twice = format!("{GOOD}{}", &GOOD[GOOD.find("[[").unwrap()..]);
        assert!(read(&twice).unwrap_err().cause(base::Lang::En).contains("two certificates"));
    }
}
