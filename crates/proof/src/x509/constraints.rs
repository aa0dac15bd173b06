//! Name constraints (RFC 5280 §4.2.1.10): what an issuing CA may name. Written into its certificate, and checked by us
//! before each issuance, so that nothing is signed that a relying party would refuse.
//!
//! Forms that are not known here count as not met: a constraint that cannot be judged forbids.
//! Never here: a name accepted because its kind was not thought of.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::der::{DerError, Reader, Writer, context_constructed};
use super::names::{DNS_TAG, EMAIL_TAG, GeneralName, IP_TAG, URI_TAG};

/// Most subtrees on each side.
pub const SUBTREES_MAX: usize = 256;

/// A part of the space of names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subtree {
    /// A DNS name and everything below it; the empty one is all of DNS.
    Dns(String),
    /// A network: an address and how many of its bits count.
    Ip(IpAddr, u8),
    /// One mailbox (`a@b`), the mailboxes of a host (`b`), or those of all hosts below (`.b`).
    Email(String),
    /// The host of a URI, or all hosts below (`.b`).
    Uri(String),
}

/// Why a name or a set of constraints is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintFault {
    /// A subtree that cannot be written.
    #[error("the constraint {0} is malformed")]
    Subtree(String),
    /// Neither permits nor excludes anything.
    #[error("the constraints are empty")]
    Empty,
    /// More than [`SUBTREES_MAX`].
    #[error("there are more than {SUBTREES_MAX} constraints")]
    TooMany,
    /// A name in an excluded subtree.
    #[error("{0} is excluded by the issuer's name constraints")]
    Excluded(String),
    /// A name in none of the permitted subtrees of its kind.
    #[error("{0} is not permitted by the issuer's name constraints")]
    NotPermitted(String),
    /// The constraints have a form that is not judged here.
    #[error("the issuer's name constraints have a form that is not judged here")]
    Unknown,
}

/// What an issuer may name: of each kind that is permitted at all, only what is permitted, and never what is excluded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
    has_unknown: bool,
}

impl NameConstraints {
    /// Constraints to be written into the certificate of an issuing CA.
    ///
    /// # Errors
    /// [`ConstraintFault`].
    pub fn new(permitted: Vec<Subtree>, excluded: Vec<Subtree>) -> Result<Self, ConstraintFault> {
        if permitted.is_empty() && excluded.is_empty() {
            return Err(ConstraintFault::Empty);
        }
        if permitted.len() > SUBTREES_MAX || excluded.len() > SUBTREES_MAX {
            return Err(ConstraintFault::TooMany);
        }
        for subtree in permitted.iter().chain(&excluded) {
            subtree.check()?;
        }
        Ok(Self { permitted, excluded, has_unknown: false })
    }

    /// What is permitted.
    #[must_use]
    pub fn permitted(&self) -> &[Subtree] {
        &self.permitted
    }

    /// What is excluded.
    #[must_use]
    pub fn excluded(&self) -> &[Subtree] {
        &self.excluded
    }

    /// Whether a subtree has a kind or form that is not judged here.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.has_unknown
    }

    /// Whether a name may be issued.
    ///
    /// # Errors
    /// [`ConstraintFault`] with the name.
    pub fn check(&self, name: &GeneralName) -> Result<(), ConstraintFault> {
        if self.has_unknown {
            return Err(ConstraintFault::Unknown);
        }
        if self.excluded.iter().any(|subtree| subtree.touches(name)) {
            return Err(ConstraintFault::Excluded(name.to_string()));
        }
        let mut of_kind = self.permitted.iter().filter(|subtree| subtree.is_of_kind(name)).peekable();
        if of_kind.peek().is_some() && !of_kind.any(|subtree| subtree.contains(name)) {
            return Err(ConstraintFault::NotPermitted(name.to_string()));
        }
        Ok(())
    }

    /// Writes the value of the extension.
    pub fn write(&self, out: &mut Writer) {
        out.sequence(|out| {
            for (number, subtrees) in [(0, &self.permitted), (1, &self.excluded)] {
                if !subtrees.is_empty() {
                    out.nested(context_constructed(number), |out| {
                        subtrees.iter().for_each(|subtree| out.sequence(|out| subtree.write(out)));
                    });
                }
            }
        });
    }

    /// Reads the value of the extension. A subtree of a kind or form that is not known here is remembered, and
    /// [`NameConstraints::check`] then permits nothing.
    ///
    /// # Errors
    /// [`DerError`]; empty constraints are malformed.
    pub fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut outer = Reader::new(value);
        let mut sides = outer.sequence()?;
        outer.finish()?;
        let mut constraints = Self::default();
        let permitted = sides.tagged(0)?;
        let excluded = sides.tagged(1)?;
        sides.finish()?;
        if permitted.is_none() && excluded.is_none() {
            return Err(DerError::Value("NameConstraints"));
        }
        if let Some(side) = permitted {
            constraints.permitted = read_side(side, &mut constraints.has_unknown)?;
        }
        if let Some(side) = excluded {
            constraints.excluded = read_side(side, &mut constraints.has_unknown)?;
        }
        Ok(constraints)
    }
}

fn read_side(mut side: Reader<'_>, has_unknown: &mut bool) -> Result<Vec<Subtree>, DerError> {
    if side.is_empty() {
        return Err(DerError::Value("NameConstraints"));
    }
    let mut subtrees = Vec::new();
    let mut count = 0;
    while !side.is_empty() {
        count += 1;
        if count > SUBTREES_MAX {
            return Err(DerError::Large);
        }
        let mut one = side.sequence()?;
        let base = one.any()?;
        // minimum is always 0 and not written, maximum is absent (RFC 5280)
        let plain = one.is_empty();
        match Subtree::read(base.tag, base.body) {
            Some(subtree) if plain && subtree.check().is_ok() => subtrees.push(subtree),
            _ => *has_unknown = true,
        }
    }
    Ok(subtrees)
}

impl Subtree {
    fn check(&self) -> Result<(), ConstraintFault> {
        let is_name = |name: &str| super::DnsName::parse(name).is_ok_and(|name| !name.is_wildcard());
        let is_host = |host: &str| is_name(host.strip_prefix('.').unwrap_or(host));
        let good = match self {
            Self::Dns(name) => name.is_empty() || is_name(name),
            Self::Uri(host) => is_host(host),
            Self::Email(text) if text.contains('@') => super::Email::parse(text).is_ok(),
            Self::Email(host) => is_host(host),
            Self::Ip(IpAddr::V4(address), bits) => *bits <= 32 && u32::from(*address) & !mask_v4(*bits) == 0,
            Self::Ip(IpAddr::V6(address), bits) => {
                *bits <= 128 && u128::from(*address) & !mask_v6(*bits) == 0
            }
        };
        if good { Ok(()) } else { Err(ConstraintFault::Subtree(format!("{self:?}"))) }
    }

    fn is_of_kind(&self, name: &GeneralName) -> bool {
        matches!(
            (self, name),
            (Self::Dns(_), GeneralName::Dns(_))
                | (Self::Ip(..), GeneralName::Ip(_))
                | (Self::Email(_), GeneralName::Email(_))
                | (Self::Uri(_), GeneralName::Uri(_))
        )
    }

    /// Whether the whole name lies inside.
    fn contains(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(base), GeneralName::Dns(name)) => is_at_or_below(name.base(), base),
            (Self::Ip(IpAddr::V4(net), bits), GeneralName::Ip(IpAddr::V4(address))) => {
                (u32::from(*net) ^ u32::from(*address)) & mask_v4(*bits) == 0
            }
            (Self::Ip(IpAddr::V6(net), bits), GeneralName::Ip(IpAddr::V6(address))) => {
                (u128::from(*net) ^ u128::from(*address)) & mask_v6(*bits) == 0
            }
            (Self::Email(base), GeneralName::Email(email)) if base.contains('@') => base == email.as_str(),
            (Self::Email(base), GeneralName::Email(email)) => is_host_of(email.domain(), base),
            (Self::Uri(base), GeneralName::Uri(uri)) => uri.host().is_some_and(|host| is_host_of(host, base)),
            _ => false,
        }
    }

    /// Whether a part of the name lies inside: a wildcard stands for names that may be excluded, and a URI without a
    /// host cannot be judged, so it is taken for an excluded one (RFC 5280 asks to refuse it).
    fn touches(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(base), GeneralName::Dns(name)) if name.is_wildcard() => {
                is_at_or_below(name.base(), base) || is_at_or_below(base, name.base())
            }
            (Self::Uri(_), GeneralName::Uri(uri)) if uri.host().is_none() => true,
            _ => self.contains(name),
        }
    }

    fn write(&self, out: &mut Writer) {
        match self {
            Self::Dns(name) => out.put(DNS_TAG, name.as_bytes()),
            Self::Email(text) => out.put(EMAIL_TAG, text.as_bytes()),
            Self::Uri(host) => out.put(URI_TAG, host.as_bytes()),
            Self::Ip(IpAddr::V4(address), bits) => {
                out.put(IP_TAG, &[address.octets(), mask_v4(*bits).to_be_bytes()].concat());
            }
            Self::Ip(IpAddr::V6(address), bits) => {
                out.put(IP_TAG, &[address.octets(), mask_v6(*bits).to_be_bytes()].concat());
            }
        }
    }

    fn read(tag: u8, body: &[u8]) -> Option<Self> {
        let text = || std::str::from_utf8(body).ok().filter(|text| text.is_ascii()).map(str::to_owned);
        match tag {
            DNS_TAG => text().map(Self::Dns),
            EMAIL_TAG => text().map(Self::Email),
            URI_TAG => text().map(Self::Uri),
            IP_TAG => {
                let (address, mask) = body.split_at_checked(body.len() / 2)?;
                if let (Ok(address), Ok(mask)) = (<[u8; 4]>::try_from(address), <[u8; 4]>::try_from(mask)) {
                    let bits = u32::from_be_bytes(mask).leading_ones() as u8;
                    let whole = mask_v4(bits) == u32::from_be_bytes(mask);
                    return whole.then(|| Self::Ip(IpAddr::V4(Ipv4Addr::from(address)), bits));
                }
                let (address, mask) = (<[u8; 16]>::try_from(address).ok()?, <[u8; 16]>::try_from(mask).ok()?);
                let bits = u128::from_be_bytes(mask).leading_ones() as u8;
                let whole = mask_v6(bits) == u128::from_be_bytes(mask);
                whole.then(|| Self::Ip(IpAddr::V6(Ipv6Addr::from(address)), bits))
            }
            _ => None,
        }
    }
}

fn mask_v4(bits: u8) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or(0)
}

fn mask_v6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0)
}

fn is_at_or_below(name: &str, base: &str) -> bool {
    let Some(rest) = name.strip_suffix(base) else { return false };
    base.is_empty() || rest.is_empty() || rest.ends_with('.')
}

fn is_host_of(host: &str, base: &str) -> bool {
    if base.starts_with('.') { host.len() > base.len() && host.ends_with(base) } else { host == base }
}

#[cfg(test)]
mod tests {
    use super::super::{DnsName, Email, Uri};
    use super::*;

    fn dns(name: &str) -> GeneralName {
        GeneralName::Dns(DnsName::parse(name).unwrap())
    }

    fn constraints() -> NameConstraints {
        NameConstraints::new(
            vec![
                Subtree::Dns("dev.example".into()),
                Subtree::Ip("10.0.0.0".parse().unwrap(), 8),
                Subtree::Email("dev.example".into()),
                Subtree::Uri(".dev.example".into()),
            ],
            vec![Subtree::Dns("prod.dev.example".into()), Subtree::Ip("::".parse().unwrap(), 0)],
        )
        .unwrap()
    }

    #[test]
    fn names_inside_pass_and_others_do_not() {
        let email = |text: &str| GeneralName::Email(Email::parse(text).unwrap());
        let uri = |text: &str| GeneralName::Uri(Uri::parse(text).unwrap());
        let ip = |text: &str| GeneralName::Ip(text.parse().unwrap());
        for good in [
            dns("dev.example"),
            dns("a.dev.example"),
            dns("*.a.dev.example"),
            ip("10.1.2.3"),
            email("a@dev.example"),
            uri("spiffe://x.dev.example/a"),
        ] {
            assert_eq!(constraints().check(&good), Ok(()), "{good}");
        }
        for bad in [
            dns("example"),
            dns("xdev.example"),
            dns("prod.dev.example"),
            dns("a.prod.dev.example"),
            dns("*.dev.example"),
            ip("11.0.0.1"),
            ip("::1"),
            email("a@x.dev.example"),
            uri("spiffe://dev.example/a"),
            uri("urn:a:b"),
        ] {
            assert!(constraints().check(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let value = Writer::build(|out| constraints().write(out));
        assert_eq!(NameConstraints::read(&value), Ok(constraints()));
        assert!(NameConstraints::read(&[0x30, 0]).is_err());
    }

    #[test]
    fn an_unknown_form_permits_nothing() {
        // permitted: a directoryName
        let value = [0x30, 8, 0xa0, 6, 0x30, 4, 0xa4, 2, 0x30, 0];
        let read = NameConstraints::read(&value).unwrap();
        assert_eq!(read.check(&dns("a.example")), Err(ConstraintFault::Unknown));
    }

    #[test]
    fn malformed_subtrees_are_refused() {
        for bad in [
            Subtree::Dns("*.a.example".into()),
            Subtree::Dns(".a.example".into()),
            Subtree::Ip("10.0.0.1".parse().unwrap(), 8),
            Subtree::Ip("10.0.0.0".parse().unwrap(), 33),
            Subtree::Email("@a".into()),
            Subtree::Uri("".into()),
        ] {
            assert!(NameConstraints::new(vec![bad.clone()], vec![]).is_err(), "{bad:?}");
        }
        assert_eq!(NameConstraints::new(vec![], vec![]), Err(ConstraintFault::Empty));
    }
}
