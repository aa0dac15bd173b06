//! Probes over the network: http-01, dns-01, tls-alpn-01, and what CAA records permit.
//!
//! Whoever orders chooses where a probe goes, so each goes only where the policy of addresses admits, judged after every
//! look-up and connected to exactly what was judged; each has a limit of time and size, and tells nothing of what it read.
//! Never here: a proxy, a cache, a certificate that is trusted, a second try.

mod address;
mod caa;
mod dns;
mod fault;
mod http;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use base::{
    Result,
    config::{Config, Setting, SettingKind},
};
use http_kit::{Boxed, outgoing};
use proof::x509::DnsName;
use rustls::ClientConfig;
use tokio::{net::TcpStream, time::timeout};

use self::{address::Policy, dns::Names, fault::Outcome};
use super::{CaaFault, CaaQuestion, ChallengeKind, Identifier, ProbeFaultKind, Prober};
use crate::error;

const PORT: SettingKind = SettingKind::Integer { min: 1, max: 65_535, unit: "port" };

/// The settings of the probes.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        address::NETWORKS,
        SettingKind::List,
        "",
        "networks (10.0.0.0/8) beside the public internet where names and addresses may be probed",
        "redes (10.0.0.0/8), além da internet pública, onde nomes e endereços podem ser verificados",
    ),
    Setting::new(
        dns::RESOLVER,
        SettingKind::Text,
        "",
        "DNS resolver of the probes as ip:port; empty for those of the system",
        "servidor DNS das verificações como ip:porta; vazio para os do sistema",
    ),
    Setting::new(
        "acme.http_port",
        PORT,
        "80",
        "port of the probe http-01; another one than 80 only for trials",
        "porta da verificação http-01; outra que não 80 só para ensaios",
    ),
    Setting::new(
        "acme.tls_port",
        PORT,
        "443",
        "port of the probe tls-alpn-01; another one than 443 only for trials",
        "porta da verificação tls-alpn-01; outra que não 443 só para ensaios",
    ),
    Setting::new(
        CAA_IDENTITY,
        SettingKind::Text,
        "",
        "this authority's domain in CAA records; empty: CAA records are not asked, as for a private authority",
        "domínio desta autoridade nos registos CAA; vazio: não são consultados, como numa autoridade privada",
    ),
];

const CAA_IDENTITY: &str = "acme.caa_identity";

/// How long things may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// A whole probe, with names, redirects and the body.
    whole: Duration,
    /// TCP to the machines of one name.
    connect: Duration,
}

const LIMITS: Limits = Limits { whole: Duration::from_secs(10), connect: Duration::from_secs(5) };

/// Probes over the network.
pub struct NetProber(Arc<Reach>);

/// What every probe needs.
struct Reach {
    names: Names,
    policy: Policy,
    http_port: u16,
    tls_port: u16,
    caa_identity: Option<String>,
    /// TLS that is spoken with anybody, for pages and for challenges.
    pages: Arc<ClientConfig>,
    challenges: Arc<ClientConfig>,
    limits: Limits,
}

impl NetProber {
    /// The probes as the settings want them. The system's list of resolvers is read once.
    ///
    /// # Errors
    /// `PKI_SETTING` at the setting that cannot be read.
    pub fn from_config(config: &Config) -> Result<Self> {
        Self::with_limits(config, LIMITS)
    }

    fn with_limits(config: &Config, limits: Limits) -> Result<Self> {
        let port = |key| u16::try_from(config.integer(key)).unwrap_or(1);
        let identity = config.text(CAA_IDENTITY);
        if !identity.is_empty() {
            DnsName::parse(identity).map_err(|fault| {
                error::SETTING.at(CAA_IDENTITY).with("value", identity).with("reason", fault.to_string())
            })?;
        }
        let tls = |protocol| {
            tls::client(protocol).map_err(|fault| error::SETTING.at("acme.tls_port").because(fault))
        };
        Ok(Self(Arc::new(Reach {
            names: Names::from_setting(config.text(dns::RESOLVER))?,
            policy: Policy::parse(config.list(address::NETWORKS))?,
            http_port: port("acme.http_port"),
            tls_port: port("acme.tls_port"),
            caa_identity: (!identity.is_empty()).then(|| identity.to_owned()),
            pages: tls(b"http/1.1")?,
            challenges: tls(tls::PROTOCOL)?,
            limits,
        })))
    }
}

impl Prober for NetProber {
    fn probe(
        &self,
        challenge: ChallengeKind,
        identifier: &Identifier,
        token: &str,
        key_authorization: &str,
    ) -> Boxed<'_, Outcome<()>> {
        let (identifier, token) = (identifier.clone(), token.to_owned());
        let key_authorization = key_authorization.to_owned();
        let reach = &self.0;
        Box::pin(async move {
            let probe = async {
                match (challenge, &identifier) {
                    (ChallengeKind::Http01, _) => {
                        http::probe(reach, &identifier, &token, &key_authorization).await
                    }
                    (ChallengeKind::TlsAlpn01, _) => tls::probe(reach, &identifier, &key_authorization).await,
                    (ChallengeKind::Dns01, Identifier::Dns(name)) => {
                        dns::probe(&reach.names, name.base(), &key_authorization).await
                    }
                    (ChallengeKind::Dns01, Identifier::Ip(_)) => Err(fault::lasting(
                        ProbeFaultKind::RejectedIdentifier,
                        "an address has no name to put a TXT record under",
                    )),
                }
            };
            timeout(reach.limits.whole, probe).await.unwrap_or_else(|_| {
                Err(fault::passing(ProbeFaultKind::Connection, "the probe took too long"))
            })
        })
    }

    fn permits(&self, question: CaaQuestion<'_>) -> Boxed<'_, std::result::Result<(), CaaFault>> {
        let (name, account) = (question.name.clone(), question.account.to_owned());
        let (wildcard, method) = (question.wildcard, question.method);
        let reach = &self.0;
        Box::pin(async move {
            let Some(identity) = &reach.caa_identity else { return Ok(()) };
            let question = CaaQuestion { name: &name, wildcard, account: &account, method };
            timeout(reach.limits.whole, caa::judge(&reach.names, identity, question)).await.unwrap_or_else(
                |_| {
                    Err(CaaFault {
                        detail: "looking up the CAA records took too long".to_owned(),
                        retry: true,
                    })
                },
            )
        })
    }
}

impl Reach {
    /// Connects to a machine of this name, or to this address, and to nothing that the policy does not admit. One machine
    /// of a name that is not admitted spoils them all.
    async fn connect(&self, host: &Host<'_>, port: u16) -> Outcome<TcpStream> {
        let addresses = match host {
            Host::Name(name) => self.names.addresses(name).await?,
            Host::Address(address) => vec![*address],
        };
        if !addresses.iter().all(|address| self.policy.admits(*address)) {
            let detail =
                format!("an address of {host} is not public, and acme.validate_networks does not open it");
            return Err(fault::lasting(ProbeFaultKind::Unauthorized, detail));
        }
        let machines: Vec<SocketAddr> = addresses.into_iter().map(|address| (address, port).into()).collect();
        let nobody = || format!("nobody answers at port {port} of {host}");
        outgoing::connect(&machines, self.limits.connect)
            .await
            .ok_or_else(|| fault::passing(ProbeFaultKind::Connection, nobody()))
    }
}

/// Where a connection goes.
#[derive(Debug, Clone, Copy)]
enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl<'a> Host<'a> {
    fn of(identifier: &'a Identifier) -> Self {
        match identifier {
            Identifier::Dns(name) => Self::Name(name.base()),
            Identifier::Ip(address) => Self::Address(*address),
        }
    }
}

impl std::fmt::Display for Host<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::Address(address) => address.fmt(out),
        }
    }
}
