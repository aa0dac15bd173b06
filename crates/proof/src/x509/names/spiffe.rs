//! SPIFFE ids: `spiffe://trust-domain/path`.
//!
//! Never here: percent-encoding, a port, a query, a fragment, an upper-case trust domain.

use std::fmt;

use super::Uri;

/// Longest id.
pub const SPIFFE_BYTES_MAX: usize = 2048;
/// Longest trust domain.
const TRUST_DOMAIN_BYTES_MAX: usize = 255;

/// Why a text is no SPIFFE id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SpiffeFault {
    /// Does not begin with `spiffe://`.
    #[error("the id does not begin with spiffe://")]
    Scheme,
    /// Too long.
    #[error("the id is too long")]
    TooLong,
    /// An empty trust domain, or a character that it may not have.
    #[error("the trust domain is empty or has a character that may not be there")]
    TrustDomain,
    /// An empty segment, `.`, `..`, or a character that a path may not have.
    #[error("the path has a segment that may not be there")]
    Path,
}

/// A SPIFFE id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    text: String,
    trust_domain_end: usize,
}

impl SpiffeId {
    /// Reads an id; the path may be absent, as in the id of a trust domain itself.
    ///
    /// # Errors
    /// [`SpiffeFault`].
    pub fn parse(text: &str) -> Result<Self, SpiffeFault> {
        const SCHEME: &str = "spiffe://";
        if text.len() > SPIFFE_BYTES_MAX {
            return Err(SpiffeFault::TooLong);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(SpiffeFault::Scheme)?;
        let (domain, path) = match rest.split_once('/') {
            Some((domain, path)) => (domain, Some(path)),
            None => (rest, None),
        };
        let domain_byte =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        if domain.is_empty() || domain.len() > TRUST_DOMAIN_BYTES_MAX || !domain.bytes().all(domain_byte) {
            return Err(SpiffeFault::TrustDomain);
        }
        let is_segment = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        };
        if path.is_some_and(|path| !path.split('/').all(is_segment)) {
            return Err(SpiffeFault::Path);
        }
        Ok(Self { text: text.to_owned(), trust_domain_end: SCHEME.len() + domain.len() })
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        self.text.get("spiffe://".len()..self.trust_domain_end).unwrap_or_default()
    }

    /// The path with its leading slash; empty for a trust domain's own id.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.trust_domain_end..).unwrap_or_default()
    }

    /// The id as a URI for a certificate; None when the trust domain is no name of a host (it has an underscore, say).
    #[must_use]
    pub fn to_uri(&self) -> Option<Uri> {
        Uri::parse(&self.text).ok()
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_others_refused() {
        let id = SpiffeId::parse("spiffe://dev.example/ns/a/sa/B_1").unwrap();
        assert_eq!((id.trust_domain(), id.path()), ("dev.example", "/ns/a/sa/B_1"));
        assert_eq!(SpiffeId::parse("spiffe://dev.example").unwrap().path(), "");
        for (text, fault) in [
            ("https://dev.example/a", SpiffeFault::Scheme),
            ("SPIFFE://dev.example/a", SpiffeFault::Scheme),
            ("spiffe://", SpiffeFault::TrustDomain),
            ("spiffe:///a", SpiffeFault::TrustDomain),
            ("spiffe://Dev/a", SpiffeFault::TrustDomain),
            ("spiffe://dev:1/a", SpiffeFault::TrustDomain),
            ("spiffe://u@dev/a", SpiffeFault::TrustDomain),
            ("spiffe://dev?x", SpiffeFault::TrustDomain),
            ("spiffe://dev/", SpiffeFault::Path),
            ("spiffe://dev/a/", SpiffeFault::Path),
            ("spiffe://dev//a", SpiffeFault::Path),
            ("spiffe://dev/../a", SpiffeFault::Path),
            ("spiffe://dev/a%20b", SpiffeFault::Path),
            ("spiffe://dev/a?b", SpiffeFault::Path),
            ("spiffe://dev/a#b", SpiffeFault::Path),
        ] {
            assert_eq!(SpiffeId::parse(text), Err(fault), "{text}");
        }
    }
}
