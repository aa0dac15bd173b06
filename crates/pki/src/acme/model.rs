//! The nouns of ACME: accounts, external keys, orders, authorizations. Where an order stands is not stored; it follows
//! from its authorizations, its certificate and the time, so the two can never disagree.

use base::{Id, Time, id::kind};
use proof::{
    crypto::SubjectKey,
    x509::{DnsName, GeneralName, Profile},
};

use super::prober::{ChallengeKind, Identifier};
use crate::model::{CertificateId, State};

pub(crate) type AccountId = Id<kind::AcmeAccount>;
pub(crate) type OrderId = Id<kind::AcmeOrder>;
pub(crate) type AuthorizationId = Id<kind::AcmeAuthorization>;
pub(crate) type ExternalKeyId = Id<kind::ExternalKey>;

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountStatus {
    /// It may order.
    Valid,
    /// Its holder closed it.
    Deactivated,
    /// The house closed it: its external key is revoked.
    Revoked,
}

impl AccountStatus {
    /// The word of RFC 8555 §7.1.6.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Deactivated => "deactivated",
            Self::Revoked => "revoked",
        }
    }
}

/// What an external key allows, instead of the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Names of profiles; none for those of the settings.
    pub profiles: Option<Vec<String>>,
    /// DNS suffixes; none for those of the settings.
    pub dns: Option<Vec<String>>,
    /// Networks; none for those of the settings.
    pub ip: Option<Vec<String>>,
}

/// Somebody's program.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose hierarchy it asks.
    pub environment: String,
    /// Its word in addresses.
    pub handle: String,
    /// Its key.
    pub key: SubjectKey,
    /// Its contacts, sealed.
    pub contact: Option<Vec<u8>>,
    /// Where it stands.
    pub status: AccountStatus,
    /// What let it in.
    pub external_key: Option<ExternalKeyId>,
    /// What its external key allows.
    pub grant: Grant,
}

/// A shared key that lets somebody open accounts.
#[derive(Debug, Clone)]
pub struct ExternalKey {
    /// Its id, the `kid` of a binding.
    pub id: ExternalKeyId,
    /// For whose hierarchy.
    pub environment: String,
    /// The key, sealed.
    pub secret: Vec<u8>,
    /// What its accounts may have.
    pub grant: Grant,
    /// How many accounts it still opens.
    pub uses_left: i64,
    /// Until when.
    pub expires_at: Time,
    /// Since when it opens nothing.
    pub revoked_at: Option<Time>,
    /// The actor who made it.
    pub made_by: String,
    /// When.
    pub created_at: Time,
}

/// A name that was ordered: what is to be proved, and whether a wildcard stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// What is to be proved, without a wildcard.
    pub identifier: Identifier,
    /// Whether every name one label below is meant.
    pub wildcard: bool,
}

impl Ordered {
    /// The value as the client wrote it.
    pub fn value(&self) -> String {
        if self.wildcard { format!("*.{}", self.identifier.value()) } else { self.identifier.value() }
    }

    /// As it stands in a certificate. None for a wildcard that no certificate may have.
    pub fn general_name(&self) -> Option<GeneralName> {
        match &self.identifier {
            Identifier::Dns(_) => DnsName::parse(&self.value()).ok().map(GeneralName::Dns),
            Identifier::Ip(address) => Some(GeneralName::Ip(*address)),
        }
    }

    /// Its text in the store: `dns:*.a.example`.
    pub(crate) fn text(&self) -> String {
        format!("{}:{}", self.identifier.kind(), self.value())
    }

    /// Reads its text in the store.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("dns", name) => {
                let name = DnsName::parse(name).ok()?;
                let wildcard = name.is_wildcard();
                let base = if wildcard { DnsName::parse(name.base()).ok()? } else { name };
                Some(Self { identifier: Identifier::Dns(base), wildcard })
            }
            ("ip", address) => {
                Some(Self { identifier: Identifier::Ip(address.parse().ok()?), wildcard: false })
            }
            _ => None,
        }
    }
}

/// Where an authorization stands, as the store has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationState {
    /// Not proved yet.
    Pending,
    /// Proved.
    Valid,
    /// Tried and not proved.
    Invalid,
    /// Given back.
    Deactivated,
}

impl AuthorizationState {
    const ALL: [Self; 4] = [Self::Pending, Self::Valid, Self::Invalid, Self::Deactivated];

    /// The word in SQL and protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Deactivated => "deactivated",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Whether an account controls a name.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// Its id.
    pub id: AuthorizationId,
    /// Its word in addresses.
    pub handle: String,
    /// Whose it is.
    pub account: AccountId,
    /// What is to be proved.
    pub ordered: Ordered,
    /// What every challenge of it is answered with.
    pub token: String,
    /// Where it stands.
    pub state: AuthorizationState,
    /// The challenge that was chosen.
    pub challenge: Option<ChallengeKind>,
    /// Why it was not proved: a problem document.
    pub error: Option<serde_json::Value>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was proved.
    pub validated_at: Option<Time>,
    /// Until when it counts, or may be proved.
    pub expires_at: Time,
}

impl Authorization {
    /// The word of its standing (RFC 8555 §7.1.6).
    pub fn status(&self, now: Time) -> &'static str {
        match self.state {
            AuthorizationState::Valid if self.expires_at <= now => "expired",
            AuthorizationState::Pending if self.expires_at <= now => "invalid",
            state => state.name(),
        }
    }

    /// Whether it proves control at this moment.
    pub fn counts(&self, now: Time) -> bool {
        self.state == AuthorizationState::Valid && now < self.expires_at
    }
}

/// What was ordered.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its word in addresses.
    pub handle: String,
    /// Whose it is.
    pub account: AccountId,
    /// The names, in the order in which they were given.
    pub names: Vec<Ordered>,
    /// The kind of certificate.
    pub profile: Profile,
    /// The certificate that it replaces, as RFC 9773 names it.
    pub replaces: Option<String>,
    /// The end that was asked for.
    pub not_after: Option<Time>,
    /// SHA-256 of the request it was finalized with.
    pub csr_sha256: Option<[u8; 32]>,
    /// What came of it, and where that stands.
    pub certificate: Option<(CertificateId, State)>,
    /// Until when it can be finalized.
    pub expires_at: Time,
    /// When it was made.
    pub created_at: Time,
}

/// Where an order stands (RFC 8555 §7.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Something is to be proved.
    Pending,
    /// It can be finalized.
    Ready,
    /// The certificate is planned.
    Processing,
    /// The certificate is there.
    Valid,
    /// Nothing will come of it.
    Invalid,
}

impl OrderStatus {
    /// The word in the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Processing => "processing",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }
}

impl Order {
    /// Where it stands, with its authorizations, at this moment.
    pub fn status(&self, parts: &[Authorization], now: Time) -> OrderStatus {
        match self.certificate {
            Some((_, State::Issued | State::Revoked)) => return OrderStatus::Valid,
            Some((_, State::Planned)) => return OrderStatus::Processing,
            Some((_, State::Abandoned)) => return OrderStatus::Invalid,
            None => {}
        }
        if self.expires_at <= now {
            return OrderStatus::Invalid;
        }
        if parts.iter().all(|part| part.counts(now)) {
            return OrderStatus::Ready;
        }
        if parts.iter().any(|part| !matches!(part.status(now), "pending" | "valid")) {
            return OrderStatus::Invalid;
        }
        OrderStatus::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(state: AuthorizationState, expires_at: i64) -> Authorization {
        Authorization {
            id: Id::NIL,
            handle: String::new(),
            account: Id::NIL,
            ordered: Ordered::parse("dns:a.test").unwrap(),
            token: String::new(),
            state,
            challenge: None,
            error: None,
            attempts: 0,
            validated_at: None,
            expires_at: Time::from_seconds(expires_at),
        }
    }

    fn order(certificate: Option<State>) -> Order {
        Order {
            id: Id::NIL,
            handle: String::new(),
            account: Id::NIL,
            names: Vec::new(),
            profile: Profile::Server,
            replaces: None,
            not_after: None,
            csr_sha256: None,
            certificate: certificate.map(|state| (Id::NIL, state)),
            expires_at: Time::from_seconds(100),
            created_at: Time::EPOCH,
        }
    }

    #[test]
    fn an_order_is_as_good_as_the_worst_of_its_authorizations() {
        use AuthorizationState::{Deactivated, Invalid, Pending, Valid};
        let now = Time::from_seconds(50);
        let status = |parts: &[Authorization]| order(None).status(parts, now);
        assert_eq!(status(&[part(Valid, 60), part(Valid, 60)]), OrderStatus::Ready);
        assert_eq!(status(&[part(Valid, 60), part(Pending, 60)]), OrderStatus::Pending);
        for worst in [part(Invalid, 60), part(Deactivated, 60), part(Valid, 50), part(Pending, 50)] {
            assert_eq!(status(&[part(Valid, 60), worst, part(Pending, 60)]), OrderStatus::Invalid);
        }
        assert_eq!(order(None).status(&[part(Valid, 200)], Time::from_seconds(100)), OrderStatus::Invalid);
    }

    #[test]
    fn what_came_of_an_order_decides_however_old_its_authorizations_are() {
        let late = Time::from_seconds(1_000);
        let status = |state| order(Some(state)).status(&[part(AuthorizationState::Valid, 60)], late);
        assert_eq!(status(State::Planned), OrderStatus::Processing);
        assert_eq!(status(State::Issued), OrderStatus::Valid);
        assert_eq!(status(State::Revoked), OrderStatus::Valid);
        assert_eq!(status(State::Abandoned), OrderStatus::Invalid);
    }

    #[test]
    fn ordered_names_read_back() {
        for text in ["dns:a.test", "dns:*.a.test", "ip:192.0.2.7", "ip:2001:db8::1"] {
            let read = Ordered::parse(text).unwrap();
            assert_eq!(read.text(), text);
            assert!(read.general_name().is_some());
        }
        for wrong in ["a.test", "dns:*.test", "dns:A.test", "uri:x", "ip:a.test"] {
            assert!(Ordered::parse(wrong).is_none(), "{wrong}");
        }
    }
}
