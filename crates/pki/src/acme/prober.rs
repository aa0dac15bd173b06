//! The seam to the outside: whether somebody controls a name is looked up through [`Prober`], and nowhere else.
//!
//! Never here: a decision about who may have a name, a retry, the store.

use std::{fmt, net::IpAddr};

use http_kit::Boxed;
use proof::x509::{DnsName, GeneralName};

/// What is to be proved: control of a DNS name or of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identifier {
    /// A DNS name, lower-case A-labels. In an authorization it never has a wildcard.
    Dns(DnsName),
    /// An address.
    Ip(IpAddr),
}

impl Identifier {
    /// The word of its type (RFC 8555 §9.7.7, RFC 8738).
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Ip(_) => "ip",
        }
    }

    /// Its text: addresses as RFC 5952 writes them.
    pub fn value(&self) -> String {
        match self {
            Self::Dns(name) => name.as_str().to_owned(),
            Self::Ip(address) => address.to_string(),
        }
    }

    /// As it stands in a certificate.
    pub fn general_name(&self) -> GeneralName {
        match self {
            Self::Dns(name) => GeneralName::Dns(name.clone()),
            Self::Ip(address) => GeneralName::Ip(*address),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.kind(), self.value())
    }
}

/// How control is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChallengeKind {
    /// A page under `/.well-known/acme-challenge/` (RFC 8555 §8.3).
    Http01,
    /// A TXT record under `_acme-challenge.` (RFC 8555 §8.4).
    Dns01,
    /// A certificate of its own, asked for with ALPN `acme-tls/1` (RFC 8737).
    TlsAlpn01,
}

impl ChallengeKind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Http01, Self::Dns01, Self::TlsAlpn01];

    /// The word in protocol, address and SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::Dns01 => "dns-01",
            Self::TlsAlpn01 => "tls-alpn-01",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What kind of failure a probe met; each has its problem of RFC 8555 §6.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeFaultKind {
    /// Nobody answered there.
    Connection,
    /// The name could not be looked up.
    Dns,
    /// The answer is not the one that was demanded.
    IncorrectResponse,
    /// TLS failed.
    Tls,
    /// The policy of this house does not go there: an address that is not public and was not opened.
    Unauthorized,
    /// This name cannot be probed in this way.
    RejectedIdentifier,
}

/// Why a probe failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeFault {
    /// What kind of failure.
    pub kind: ProbeFaultKind,
    /// What happened, for whoever asked: one English sentence without control characters.
    pub detail: String,
    /// Whether trying again may help.
    pub retry: bool,
}

/// Looks whether a name answers as its holder would. Implementations hold their own limits of size and time: a probe
/// ends within 15 seconds, whatever the other side does.
pub trait Prober: Send + Sync + 'static {
    /// Looks once.
    fn probe(
        &self,
        challenge: ChallengeKind,
        identifier: &Identifier,
        token: &str,
        key_authorization: &str,
    ) -> Boxed<'_, Result<(), ProbeFault>>;

    /// Looks whether the holder of a name lets this authority certify it (CAA, RFC 8659). An authority without a domain
    /// of its own does not ask.
    fn permits(&self, _question: CaaQuestion<'_>) -> Boxed<'_, Result<(), CaaFault>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What is asked of the CAA records of a name.
#[derive(Debug, Clone, Copy)]
pub struct CaaQuestion<'a> {
    /// The name, without its wildcard.
    pub name: &'a DnsName,
    /// Whether a certificate for `*.name` is wanted.
    pub wildcard: bool,
    /// The address of the account (RFC 8657 `accounturi`).
    pub account: &'a str,
    /// How control was proved (RFC 8657 `validationmethods`).
    pub method: ChallengeKind,
}

/// Why the records forbid it, or could not be read; the problem `caa` of RFC 8555 §6.7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaaFault {
    /// What happened, for whoever asked: one English sentence without control characters.
    pub detail: String,
    /// Whether trying again may help.
    pub retry: bool,
}
