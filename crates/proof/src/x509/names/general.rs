//! GeneralName (RFC 5280 §4.2.1.6): the four kinds that Selo issues.
//!
//! Never here: otherName, directoryName, x400Address, ediPartyName, registeredID; they are refused by their number.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{DnsFault, DnsName, Email, Uri, UriFault};
use crate::x509::der::{DerError, Element, Reader, Writer, context};

/// Most names in one certificate or request.
pub const NAMES_MAX: usize = 100;

pub(crate) const EMAIL_TAG: u8 = context(1);
pub(crate) const DNS_TAG: u8 = context(2);
pub(crate) const URI_TAG: u8 = context(6);
pub(crate) const IP_TAG: u8 = context(7);

/// Why a name is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum GeneralNameFault {
    /// The encoding is broken.
    #[error("the names are malformed")]
    Form,
    /// No name at all.
    #[error("there is no name")]
    Empty,
    /// More than [`NAMES_MAX`].
    #[error("there are more than {NAMES_MAX} names")]
    TooMany,
    /// A kind that Selo does not issue.
    #[error("names of kind [{0}] are not accepted")]
    Kind(u8),
    /// A DNS name.
    #[error("{0}")]
    Dns(#[from] DnsFault),
    /// An address of neither 4 nor 16 octets.
    #[error("the address has neither 4 nor 16 octets")]
    Ip,
    /// A URI.
    #[error("{0}")]
    Uri(#[from] UriFault),
    /// A mail address.
    #[error("the mail address is malformed")]
    Email,
}

impl From<DerError> for GeneralNameFault {
    fn from(_: DerError) -> Self {
        Self::Form
    }
}

/// One name of a subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GeneralName {
    /// A DNS name.
    Dns(DnsName),
    /// An address.
    Ip(IpAddr),
    /// A URI.
    Uri(Uri),
    /// A mail address.
    Email(Email),
}

impl GeneralName {
    /// Writes the name.
    pub fn write(&self, out: &mut Writer) {
        match self {
            Self::Dns(name) => out.put(DNS_TAG, name.as_str().as_bytes()),
            Self::Ip(IpAddr::V4(address)) => out.put(IP_TAG, &address.octets()),
            Self::Ip(IpAddr::V6(address)) => out.put(IP_TAG, &address.octets()),
            Self::Uri(uri) => out.put(URI_TAG, uri.as_str().as_bytes()),
            Self::Email(email) => out.put(EMAIL_TAG, email.as_str().as_bytes()),
        }
    }

    /// Reads one name as it may be issued.
    ///
    /// # Errors
    /// [`GeneralNameFault`].
    pub fn from_element(element: Element<'_>) -> Result<Self, GeneralNameFault> {
        match element.tag {
            DNS_TAG => Ok(Self::Dns(DnsName::parse(text(element.body).ok_or(DnsFault::NotAscii)?)?)),
            URI_TAG => Ok(Self::Uri(Uri::parse(text(element.body).ok_or(UriFault::Character)?)?)),
            EMAIL_TAG => Ok(Self::Email(Email::parse(text(element.body).ok_or(GeneralNameFault::Email)?)?)),
            IP_TAG => address(element.body).map(Self::Ip).ok_or(GeneralNameFault::Ip),
            tag if tag & 0xc0 == 0x80 => Err(GeneralNameFault::Kind(tag & 0x1f)),
            _ => Err(GeneralNameFault::Form),
        }
    }

    /// Reads GeneralNames: the content of a subjectAltName extension, whole.
    ///
    /// # Errors
    /// [`GeneralNameFault`].
    pub fn read_all(der: &[u8]) -> Result<Vec<Self>, GeneralNameFault> {
        let mut outer = Reader::new(der);
        let mut reader = outer.sequence()?;
        outer.finish()?;
        let mut names = Vec::new();
        while !reader.is_empty() {
            if names.len() == NAMES_MAX {
                return Err(GeneralNameFault::TooMany);
            }
            names.push(Self::from_element(reader.any()?)?);
        }
        if names.is_empty() {
            return Err(GeneralNameFault::Empty);
        }
        Ok(names)
    }

    /// The name without its kind; an address as RFC 5952 writes it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Dns(name) => name.to_string(),
            Self::Ip(address) => address.to_string(),
            Self::Uri(uri) => uri.to_string(),
            Self::Email(email) => email.to_string(),
        }
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Dns(_) => "dns",
            Self::Ip(_) => "ip",
            Self::Uri(_) => "uri",
            Self::Email(_) => "email",
        };
        write!(out, "{kind}:{}", self.text())
    }
}

fn text(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok().filter(|text| text.is_ascii())
}

fn address(body: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(body) {
        return Some(IpAddr::V4(Ipv4Addr::from(octets)));
    }
    <[u8; 16]>::try_from(body).ok().map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))
}
