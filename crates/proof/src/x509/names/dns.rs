//! DNS names as certificates may carry them: lower-case A-labels, letters, digits and hyphens (RFC 5280 §4.2.1.6,
//! RFC 5890).
//!
//! Look-alikes: a label of Punycode must decode, and may not mix the Latin, Greek and Cyrillic scripts, whose letters
//! are drawn alike. Whole-label look-alikes (a label of Cyrillic alone) are left to policy, which knows the house's names.
//! Never here: a U-label turned into an A-label, a case changed, a trailing dot dropped.

use std::fmt;
use std::net::IpAddr;

use super::punycode;

/// Longest name.
pub const DNS_BYTES_MAX: usize = 253;
/// Longest label.
pub const LABEL_BYTES_MAX: usize = 63;

/// Why a text is no DNS name that may stand in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DnsFault {
    /// Empty, or an empty label: two dots, a leading or a trailing one.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// More than [`DNS_BYTES_MAX`] bytes, or a label of more than [`LABEL_BYTES_MAX`].
    #[error("the name or one of its labels is too long")]
    TooLong,
    /// Letters beyond ASCII: such a name is written as A-labels (`xn--…`).
    #[error("the name has letters beyond ASCII; write it in its A-label form")]
    NotAscii,
    /// A zero byte or another control character.
    #[error("the name has a control character")]
    Control,
    /// An upper-case letter.
    #[error("the name has an upper-case letter")]
    UpperCase,
    /// An underscore: lawful in DNS, not in the name of a host.
    #[error("the name has an underscore")]
    Underscore,
    /// Another character than letters, digits and hyphens.
    #[error("the name has a character that is no letter, digit or hyphen")]
    Character,
    /// A label that begins or ends with a hyphen, or has two at places three and four without being an A-label.
    #[error("a label has hyphens where they may not be")]
    Hyphen,
    /// An address written as a name.
    #[error("the name is an IP address")]
    Address,
    /// A `*` that is not the whole left-most label.
    #[error("a wildcard is more or less than the whole left-most label")]
    WildcardPlace,
    /// A wildcard directly below a public suffix, or on nothing.
    #[error("a wildcard over a public suffix")]
    WildcardSuffix,
    /// An A-label that is not the Punycode of anything.
    #[error("an A-label does not decode")]
    Punycode,
    /// An A-label that mixes scripts whose letters look alike.
    #[error("an A-label mixes scripts that look alike")]
    MixedScripts,
}

/// A DNS name, perhaps with a wildcard as its left-most label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// Reads a name. A wildcard may stand before two labels or more: without a list of public suffixes, a single
    /// label is taken for one.
    ///
    /// # Errors
    /// [`DnsFault`].
    pub fn parse(text: &str) -> Result<Self, DnsFault> {
        Self::parse_with(text, |base| !base.contains('.'))
    }

    /// Reads a name with another rule for wildcards: what stands below `*.` may be no public suffix.
    ///
    /// # Errors
    /// [`DnsFault`].
    pub fn parse_with(text: &str, is_public_suffix: impl Fn(&str) -> bool) -> Result<Self, DnsFault> {
        match text.strip_prefix("*.") {
            None => check(text)?,
            Some(base) => {
                check(base)?;
                if text.len() > DNS_BYTES_MAX {
                    return Err(DnsFault::TooLong);
                }
                if is_public_suffix(base) {
                    return Err(DnsFault::WildcardSuffix);
                }
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the left-most label is `*`.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without its wildcard.
    #[must_use]
    pub fn base(&self) -> &str {
        self.0.strip_prefix("*.").unwrap_or(&self.0)
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Checks a name without wildcard.
pub(super) fn check(name: &str) -> Result<(), DnsFault> {
    if !name.is_ascii() {
        return Err(DnsFault::NotAscii);
    }
    if name.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(DnsFault::Control);
    }
    if is_address(name) {
        return Err(DnsFault::Address);
    }
    if name.contains('*') {
        return Err(DnsFault::WildcardPlace);
    }
    if name.len() > DNS_BYTES_MAX {
        return Err(DnsFault::TooLong);
    }
    name.split('.').try_for_each(check_label)
}

/// An address, or what resolvers take for one: a name whose last label is a number.
fn is_address(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    if bare.parse::<IpAddr>().is_ok() {
        return true;
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let decimal = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal =
        last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    decimal || hexadecimal
}

fn check_label(label: &str) -> Result<(), DnsFault> {
    if label.is_empty() {
        return Err(DnsFault::EmptyLabel);
    }
    if label.len() > LABEL_BYTES_MAX {
        return Err(DnsFault::TooLong);
    }
    for byte in label.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => {}
            b'A'..=b'Z' => return Err(DnsFault::UpperCase),
            b'_' => return Err(DnsFault::Underscore),
            _ => return Err(DnsFault::Character),
        }
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(DnsFault::Hyphen);
    }
    if let Some(encoded) = label.strip_prefix("xn--") {
        return check_a_label(encoded);
    }
    if label.get(2..4) == Some("--") {
        return Err(DnsFault::Hyphen);
    }
    Ok(())
}

fn check_a_label(encoded: &str) -> Result<(), DnsFault> {
    let decoded = punycode::decode(encoded).ok_or(DnsFault::Punycode)?;
    // an A-label without a letter beyond ASCII is a second spelling of a plain one
    if decoded.iter().all(char::is_ascii) || decoded.iter().any(|c| c.is_control() || c.is_uppercase()) {
        return Err(DnsFault::Punycode);
    }
    let scripts: [fn(char) -> bool; 3] = [is_latin, is_greek, is_cyrillic];
    if scripts.iter().filter(|script| decoded.iter().any(|c| script(*c))).count() > 1 {
        return Err(DnsFault::MixedScripts);
    }
    Ok(())
}

fn is_latin(character: char) -> bool {
    character.is_alphabetic()
        && matches!(character, 'a'..='z' | '\u{aa}'..='\u{24f}' | '\u{250}'..='\u{2af}' | '\u{1e00}'..='\u{1eff}')
}

fn is_greek(character: char) -> bool {
    matches!(character, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}')
}

fn is_cyrillic(character: char) -> bool {
    matches!(character, '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_read() {
        for name in [
            "example.org",
            "postgres",
            "a-1.b.example",
            "*.svc.example",
            "xn--bcher-kva.example",
            "xn--80ak6aa92e.example",
            "xn--fiqs8s",
            "1.example",
            &format!("{}.example", "a".repeat(63)),
        ] {
            assert_eq!(DnsName::parse(name).map(|name| name.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn each_other_text_has_its_fault() {
        let long = "a".repeat(64);
        let longer = format!("{0}.{0}.{0}.{0}", "a".repeat(63));
        for (name, fault) in [
            ("", DnsFault::EmptyLabel),
            ("example.org.", DnsFault::EmptyLabel),
            (".example.org", DnsFault::EmptyLabel),
            ("a..b", DnsFault::EmptyLabel),
            (long.as_str(), DnsFault::TooLong),
            (longer.as_str(), DnsFault::TooLong),
            ("bücher.example", DnsFault::NotAscii),
            ("a\0.example", DnsFault::Control),
            ("Example.org", DnsFault::UpperCase),
            ("_acme.example", DnsFault::Underscore),
            ("a b.example", DnsFault::Character),
            ("-a.example", DnsFault::Hyphen),
            ("a-.example", DnsFault::Hyphen),
            ("ab--c.example", DnsFault::Hyphen),
            ("127.0.0.1", DnsFault::Address),
            ("::1", DnsFault::Address),
            ("[::1]", DnsFault::Address),
            ("example.123", DnsFault::Address),
            ("0x7f.0x1", DnsFault::Address),
            ("*", DnsFault::WildcardPlace),
            ("a*.example.org", DnsFault::WildcardPlace),
            ("a.*.example.org", DnsFault::WildcardPlace),
            ("*.*.example.org", DnsFault::WildcardPlace),
            ("*.org", DnsFault::WildcardSuffix),
            ("*.", DnsFault::EmptyLabel),
            ("xn--a", DnsFault::Punycode),
            ("xn--abc-", DnsFault::Hyphen),
            ("xn--ls8h=", DnsFault::Character),
            // "pаypal" with a Cyrillic а
            ("xn--pypal-4ve.example", DnsFault::MixedScripts),
        ] {
            assert_eq!(DnsName::parse(name), Err(fault), "{name}");
        }
    }

    #[test]
    fn the_rule_for_wildcards_can_be_sharper() {
        let suffixes = |base: &str| base == "co.example";
        assert_eq!(DnsName::parse_with("*.co.example", suffixes), Err(DnsFault::WildcardSuffix));
        assert!(DnsName::parse_with("*.a.co.example", suffixes).is_ok());
    }
}
