//! Typed identifiers: a UUIDv7 inside, a prefix and 26 lower-case Crockford base32 characters outside (`cred_…`).
//!
//! An id is no secret and no capability; what must not be guessed is a token or a handle (`base::secret`).
//! Every kind stands in the one list below, so that a prefix is never used twice.

use std::{fmt, marker::PhantomData, str::FromStr};

use uuid::Uuid;

use crate::{chance::Chance, error, time::Time};

/// A kind of identifier; implemented only by the list below.
pub trait IdKind: Send + Sync + 'static {
    /// What stands before the underscore.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {
        /// The kinds of things that have an id.
        pub mod kind {
            $($(#[$doc])* #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)] pub struct $name;
              impl super::IdKind for $name { const PREFIX: &'static str = $prefix; })*
            /// Every prefix, for the test that none is used twice.
            pub const PREFIXES: &[&str] = &[$($prefix),*];
        }
    };
}

kinds! {
    /// A tenant: a university, a bank, an office.
    Tenant = "ten";
    /// A person known to a tenant.
    Person = "per";
    /// Somebody who may act: an administrator, later every account.
    User = "user";
    /// A key for programs.
    ApiKey = "key";
    /// An account of a partner's program.
    Account = "acct";
    /// An entry of an administrator's browser.
    Session = "sess";
    /// An issued (or planned) credential.
    Credential = "cred";
    /// A template of credentials.
    Template = "tpl";
    /// A status list.
    StatusList = "list";
    /// A fact.
    Event = "evt";
    /// A request; as `corr_…` the first request of a chain.
    Request = "req";
    /// A background job.
    Job = "job";
    /// A signing key of the ring.
    SigningKey = "sig";
    /// A certificate, planned or issued.
    Certificate = "cert";
    /// A certificate authority.
    Authority = "ca";
    /// A ceremony in which a hierarchy was made.
    Ceremony = "cer";
    /// What a house asks of its offline root.
    RootRequest = "rreq";
    /// An account of a program that gets certificates by itself (ACME).
    AcmeAccount = "acme";
    /// What such a program ordered.
    AcmeOrder = "ord";
    /// Whether such a program controls a name.
    AcmeAuthorization = "authz";
    /// A shared key that lets somebody open such an account.
    ExternalKey = "eab";
}

/// An identifier of one kind.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl<K: IdKind> Id<K> {
    /// A new id: time (milliseconds) in front, 74 random bits behind (RFC 9562 §5.7).
    pub fn new(now: Time, chance: &dyn Chance) -> Self {
        let mut random = [0u8; 10];
        chance.fill(&mut random);
        let millis = u64::try_from(now.micros().max(0) / 1_000).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(), PhantomData)
    }

    /// The id that a stored UUID stands for.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The smallest id: as a tenant, the house itself; as a bound, before everything.
    pub const NIL: Self = Self::from_uuid(Uuid::nil());
    /// The largest id: as a bound, after everything.
    pub const LAST: Self = Self::from_uuid(Uuid::max());

    /// The UUID inside.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The same number under another kind, e.g. the first request's id as the correlation of a chain.
    pub const fn cast<L: IdKind>(self) -> Id<L> {
        Id(self.0, PhantomData)
    }

    /// The 26 characters without the prefix.
    pub fn bare(self) -> String {
        base32(self.0.as_u128())
    }
}

/// 128 bits as 26 Crockford base32 characters, most significant first.
pub fn base32(mut value: u128) -> String {
    let mut out = [b'0'; 26];
    for slot in out.iter_mut().rev() {
        // Safe because: the index is five bits wide and the alphabet has 32 characters.
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    out.iter().map(|&b| char::from(b)).collect()
}

/// The inverse of [`base32`]; refuses other lengths, other characters and values above 128 bits.
pub fn from_base32(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    let mut value: u128 = 0;
    for (position, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|&c| c == byte)? as u128;
        if position == 0 && digit > 7 {
            return None;
        }
        value = (value << 5) | digit;
    }
    Some(value)
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, base32(self.0.as_u128()))
    }
}
impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K: IdKind> FromStr for Id<K> {
    type Err = error::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(from_base32)
            .map(|value| Self(Uuid::from_u128(value), PhantomData))
            .ok_or_else(|| error::ID_MALFORMED.error().with("prefix", K::PREFIX))
    }
}
impl<K: IdKind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: IdKind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom(format!("an id of the form {}_…", K::PREFIX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::SeededChance;

    #[test]
    fn an_id_reads_back_and_refuses_another_kinds_prefix() {
        let chance = SeededChance::new(7);
        let id = Id::<kind::Credential>::new(Time::from_micros(1_700_000_000_000_000), &chance);
        let text = id.to_string();
        assert_eq!(text.len(), "cred_".len() + 26);
        assert_eq!(text.parse::<Id<kind::Credential>>().unwrap(), id);
        assert!(text.parse::<Id<kind::Person>>().is_err());
        assert!(text.to_uppercase().parse::<Id<kind::Credential>>().is_err());
    }

    #[test]
    fn ids_made_later_sort_later() {
        let chance = SeededChance::new(1);
        let early = Id::<kind::Event>::new(Time::from_micros(1_000_000), &chance);
        let late = Id::<kind::Event>::new(Time::from_micros(2_000_000), &chance);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn no_prefix_is_used_twice() {
        let mut seen = std::collections::BTreeSet::new();
        assert!(kind::PREFIXES.iter().all(|prefix| seen.insert(prefix)));
    }
}
