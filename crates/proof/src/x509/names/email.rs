//! Mail addresses as rfc822Name (RFC 5280 §4.2.1.6): a plain local part and a DNS name.
//!
//! Never here: quoted local parts, comments, letters beyond ASCII.

use std::fmt;

use super::GeneralNameFault;
use super::dns;

/// Longest local part (RFC 5321).
const LOCAL_BYTES_MAX: usize = 64;

/// A mail address. The domain is lower-case; the local part is kept as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// [`GeneralNameFault::Email`].
    pub fn parse(text: &str) -> Result<Self, GeneralNameFault> {
        let (local, domain) = text.rsplit_once('@').ok_or(GeneralNameFault::Email)?;
        let is_atom = |atom: &str| {
            !atom.is_empty()
                && atom
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
        };
        if local.len() > LOCAL_BYTES_MAX || !local.split('.').all(is_atom) || dns::check(domain).is_err() {
            return Err(GeneralNameFault::Email);
        }
        Ok(Self(text.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
