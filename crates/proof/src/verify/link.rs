//! The link that a printed code holds: a public page's address, `https://host/v/<handle>`.
//!
//! Read strictly, because it comes out of a stranger's picture and is shown to people: a scheme, a host, the path, the
//! handle, and nothing before, between or after them that could make one host look like another.
//! Never here: a request to the address.

use serde_json::{Value, json};

/// Characters of a handle: 128 bits in base32.
const HANDLE_CHARS: usize = 26;
/// The longest name of a host, with its port.
const HOST_BYTES_MAX: usize = 253;

/// The address of a public page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLink {
    address: String,
    host: std::ops::Range<usize>,
}

impl PageLink {
    /// Reads a link of our own form; `None` for everything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let (host, handle) = rest.split_once("/v/")?;
        let in_host = |byte: u8| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
        };
        let in_handle = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let formed = (1..=HOST_BYTES_MAX).contains(&host.len())
            && host.bytes().all(in_host)
            && handle.len() == HANDLE_CHARS
            && handle.bytes().all(in_handle);
        let start = text.len() - rest.len();
        formed.then(|| Self { address: text.to_owned(), host: start..start + host.len() })
    }

    /// The whole address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The host that alone can say what stands behind it, with its port if it names one.
    #[must_use]
    pub fn host(&self) -> &str {
        self.address.get(self.host.clone()).unwrap_or_default()
    }

    /// The handle, when the link belongs to the house of this public address (without a slash at its end).
    #[must_use]
    pub fn handle_at(&self, public_url: &str) -> Option<&str> {
        self.address.strip_prefix(public_url)?.strip_prefix("/v/")
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"address": self.address, "host": self.host()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDLE: &str = "3fq8rk2mz7t0v5x1c9d4b6n8wa";

    #[test]
    fn our_own_form_is_read_and_belongs_to_one_house() {
        for (house, host) in [
            ("https://selo.example", "selo.example"),
            ("http://localhost:8080", "localhost:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            let link = PageLink::parse(&format!("{house}/v/{HANDLE}")).unwrap();
            assert_eq!((link.host(), link.handle_at(house)), (host, Some(HANDLE)));
            for other in ["https://selo.exampl", "https://other.example", "http://localhost:808", ""] {
                assert_eq!(link.handle_at(other), None, "{house} {other}");
            }
        }
    }

    #[test]
    fn nothing_that_pretends_is_a_link() {
        for wrong in [
            "",
            "selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
            "ftp://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
            "https:///v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
            "https://selo.example@evil.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
            "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa?x",
            "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa/",
            "https://selo.example/x/v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
            "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8w",
            "https://SELO.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
            "https://sélo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
            "https://selo.example\n/v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
            "javascript://x/v/3fq8rk2mz7t0v5x1c9d4b6n8wa",
        ] {
            assert_eq!(PageLink::parse(wrong), None, "{wrong}");
        }
        let long = format!("https://{}/v/{HANDLE}", "a".repeat(254));
        assert_eq!(PageLink::parse(&long), None);
    }
}
