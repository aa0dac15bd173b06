//! URIs in certificates (RFC 5280 §4.2.1.6): absolute, ASCII, and with a host that is a name or an address.
//!
//! Never here: a URI normalised or resolved.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::dns;

/// Longest URI, as long as a SPIFFE id may be.
pub const URI_BYTES_MAX: usize = 2048;

/// Why a text is no URI that may stand in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UriFault {
    /// More than [`URI_BYTES_MAX`] bytes.
    #[error("the URI is too long")]
    TooLong,
    /// A character that RFC 3986 does not allow, or a broken percent-encoding.
    #[error("the URI has a character that may not be there")]
    Character,
    /// No scheme, or nothing behind it.
    #[error("the URI is relative or empty")]
    Relative,
    /// Two slashes, and no name or address behind them.
    #[error("the URI's host is no name and no address")]
    Host,
    /// A list or an answer is fetched over plain `http://`: over TLS its check could need itself.
    #[error("the address does not begin with http://")]
    Http,
}

/// An absolute URI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(String);

impl Uri {
    /// Reads a URI.
    ///
    /// # Errors
    /// [`UriFault`].
    pub fn parse(text: &str) -> Result<Self, UriFault> {
        if text.len() > URI_BYTES_MAX {
            return Err(UriFault::TooLong);
        }
        if !has_uri_characters(text) {
            return Err(UriFault::Character);
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriFault::Relative)?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !is_scheme || rest.is_empty() {
            return Err(UriFault::Relative);
        }
        let uri = Self(text.to_owned());
        match uri.host() {
            Some(host) if !is_host(host) => Err(UriFault::Host),
            _ => Ok(uri),
        }
    }

    /// Reads the address of a list, an answer or an issuer's certificate: `http://` and a host.
    ///
    /// # Errors
    /// [`UriFault`].
    pub fn parse_http(text: &str) -> Result<Self, UriFault> {
        let uri = Self::parse(text)?;
        if text.starts_with("http://") { Ok(uri) } else { Err(UriFault::Http) }
    }

    /// The URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, without user and port; None when the URI has no authority.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if host.starts_with('[') {
            return Some(host.split_inclusive(']').next().unwrap_or_default());
        }
        Some(host.split(':').next().unwrap_or_default())
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

fn is_host(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok() || dns::check(host).is_ok(),
    }
}

fn has_uri_characters(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let good = match byte {
            b'%' => {
                matches!((bytes.next(), bytes.next()), (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte),
        };
        if !good {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_uris_are_read_and_others_refused() {
        for (text, host) in [
            ("spiffe://dev.example/a/b", Some("dev.example")),
            ("urn:selo:user:7", None),
            ("http://crl.example:8080/1.crl", Some("crl.example")),
            ("https://user@h.example?x", Some("h.example")),
            ("https://[::1]:8443/", Some("[::1]")),
            ("https://127.0.0.1/", Some("127.0.0.1")),
        ] {
            assert_eq!(Uri::parse(text).unwrap().host(), host);
        }
        for (text, fault) in [
            ("", UriFault::Relative),
            ("/a", UriFault::Relative),
            ("1a:b", UriFault::Relative),
            ("a:", UriFault::Relative),
            ("http:///x", UriFault::Host),
            ("http://a_b/", UriFault::Host),
            ("http://a b", UriFault::Character),
            ("http://a/%2", UriFault::Character),
            ("http://é", UriFault::Character),
            ("urn:a\0", UriFault::Character),
        ] {
            assert_eq!(Uri::parse(text), Err(fault), "{text}");
        }
        assert_eq!(Uri::parse_http("https://a.example/"), Err(UriFault::Http));
    }
}
