//! Names: their addresses, texts and CAA records, and the probe dns-01 (RFC 8555 §8.4).
//!
//! Nothing is kept from one probe to the next, this machine's own list of hosts is no evidence, and a name is always whole:
//! no search domain is tried behind it.
//! Never here: a zone of our own, an answer that is taken for an absence when it was an error.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use base::Result as Checked;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig},
    lookup::Lookup,
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, RecordType},
    },
};
use proof::crypto::sha256;

use super::{
    caa::Property,
    fault::{self, Outcome},
};
use crate::{
    acme::{ProbeFault, ProbeFaultKind::Dns},
    error,
};

/// The resolver that is asked.
pub(super) const RESOLVER: &str = "acme.resolver";
/// One question to one server; it is put twice, and once more over TCP.
const QUESTION: Duration = Duration::from_secs(2);
const TRIES: usize = 2;

/// Whoever answers about names; none when this system names no resolver.
pub(super) struct Names {
    resolver: Option<TokioResolver>,
}

impl Names {
    /// The resolver of the setting: `ip:port`, or empty for those of the system.
    ///
    /// # Errors
    /// `PKI_SETTING`.
    pub fn from_setting(text: &str) -> Checked<Self> {
        let wrong = |reason: &str| error::SETTING.at(RESOLVER).with("value", text).with("reason", reason);
        let builder = if text.is_empty() {
            TokioResolver::builder_tokio().ok()
        } else {
            let server: SocketAddr = text.parse().map_err(|_| wrong("no address with a port"))?;
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server(server)]);
            Some(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
        };
        let Some(mut builder) = builder else {
            tracing::warn!("this system names no resolver: names cannot be probed until acme.resolver does");
            return Ok(Self { resolver: None });
        };
        let options = builder.options_mut();
        options.timeout = QUESTION;
        options.attempts = TRIES;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.case_randomization = true;
        options.try_tcp_on_error = true;
        let resolver = builder.build().map_err(|_| wrong("no resolver can be made of it"))?;
        Ok(Self { resolver: Some(resolver) })
    }

    /// Every address of a name.
    pub async fn addresses(&self, name: &str) -> Outcome<Vec<IpAddr>> {
        let (four, six) =
            tokio::join!(self.look_up(name, RecordType::A), self.look_up(name, RecordType::AAAA));
        // One family may be broken while the other one answers; both broken is an error.
        let found: Vec<IpAddr> = match (four, six) {
            (Err(fault), Err(_)) => return Err(fault),
            (four, six) => {
                let both = four.ok().flatten().into_iter().chain(six.ok().flatten());
                both.flat_map(|found| {
                    found.answers().iter().filter_map(|r| address(&r.data)).collect::<Vec<_>>()
                })
                .collect()
            }
        };
        if found.is_empty() { Err(fault::passing(Dns, format!("{name} has no address"))) } else { Ok(found) }
    }

    /// Every TXT record of a name, the strings of each joined.
    pub async fn texts(&self, name: &str) -> Outcome<Vec<Vec<u8>>> {
        self.all(name, RecordType::TXT, |data| match data {
            RData::TXT(text) => Some(text.txt_data.concat()),
            _ => None,
        })
        .await
    }

    /// Every CAA record of a name; a name without any, and a name that is not there, have none.
    pub async fn caa(&self, name: &str) -> Outcome<Vec<Property>> {
        self.all(name, RecordType::CAA, |data| match data {
            RData::CAA(caa) => Some(Property {
                critical: caa.issuer_critical,
                tag: caa.tag.clone(),
                value: caa.value.clone(),
            }),
            _ => None,
        })
        .await
    }

    async fn all<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Outcome<Vec<T>> {
        let found = self.look_up(name, kind).await?;
        Ok(found.iter().flat_map(|found| found.answers()).filter_map(|record| read(&record.data)).collect())
    }

    /// One question; None when the answer is that there is nothing.
    async fn look_up(&self, name: &str, kind: RecordType) -> Outcome<Option<Lookup>> {
        let resolver =
            self.resolver.as_ref().ok_or_else(|| fault::passing(Dns, "no resolver is configured here"))?;
        let whole = Name::from_ascii(format!("{name}."))
            .map_err(|_| fault::lasting(Dns, format!("{name} is too long to be asked for")))?;
        match resolver.lookup(whole, kind).await {
            Ok(found) => Ok(Some(found)),
            Err(NetError::Dns(DnsError::NoRecordsFound(nothing)))
                if matches!(nothing.response_code, ResponseCode::NoError | ResponseCode::NXDomain) =>
            {
                Ok(None)
            }
            Err(NetError::Dns(DnsError::ResponseCode(code))) => {
                Err(fault::passing(Dns, format!("the look-up of {kind} for {name} was answered with {code}")))
            }
            Err(_) => Err(fault::passing(Dns, format!("the look-up of {kind} for {name} failed"))),
        }
    }
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp]
        .map(|protocol| {
            let mut connection = ConnectionConfig::new(protocol);
            connection.port = server.port();
            connection
        })
        .to_vec();
    NameServerConfig::new(server.ip(), true, connections)
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(four) => Some(four.0.into()),
        RData::AAAA(six) => Some(six.0.into()),
        _ => None,
    }
}

/// The probe: any TXT record of `_acme-challenge.` may be the digest.
pub(super) async fn probe(names: &Names, name: &str, key_authorization: &str) -> Result<(), ProbeFault> {
    let place = format!("_acme-challenge.{name}");
    let expected = URL_SAFE_NO_PAD.encode(sha256(key_authorization.as_bytes()));
    let texts = names.texts(&place).await?;
    if texts.is_empty() {
        return Err(fault::passing(Dns, format!("there is no TXT record at {place}")));
    }
    if texts.iter().any(|text| text == expected.as_bytes()) {
        return Ok(());
    }
    let count = texts.len();
    Err(fault::wrong(format!("none of the {count} TXT records at {place} is the digest of this challenge")))
}
