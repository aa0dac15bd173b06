//! Accounts of partners' programs: who enters the partner zone, with which certificate, from where, to do what.
//!
//! One account for each integration of each environment. An account names its permissions one by one, so that none
//! holds more than it needs. What it enters with is bound to it here, never read from a name in a certificate.
//! Never here: a password or key of an account, a permission of the house's own administrators.

mod http;
mod repo;
mod rules;
mod service;

use std::net::IpAddr;

use base::{Id, Time, id::kind};
use http_kit::Network;

pub(crate) use http::routes;
pub use service::NewAccount;

/// An account of a partner's program.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its tenant.
    pub tenant: Id<kind::Tenant>,
    /// Its id.
    pub id: Id<kind::Account>,
    /// What the operator calls it.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Addresses and networks it may come from; from everywhere when there are none.
    pub networks: Vec<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it was closed.
    pub closed_at: Option<Time>,
}

impl Account {
    /// Whether the account may come from an address. An address that is not known is no good one when there is a list.
    pub fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        self.networks.is_empty()
            || address.is_some_and(|address| {
                let mut networks = self.networks.iter().filter_map(|text| Network::parse(text).ok());
                networks.any(|network| network.contains(address))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(networks: &[&str]) -> Account {
        Account {
            tenant: Id::NIL,
            id: Id::NIL,
            name: "bank-a".to_owned(),
            permissions: Vec::new(),
            networks: networks.iter().map(|one| (*one).to_owned()).collect(),
            created_at: Time::from_seconds(0),
            closed_at: None,
        }
    }

    #[test]
    fn an_account_with_a_list_comes_from_there_and_from_nowhere_else() {
        let at = |text: &str| Some(text.parse().unwrap());
        let listed = from(&["192.0.2.0/24", "2001:db8::7"]);
        assert!(listed.may_come_from(at("192.0.2.200")) && listed.may_come_from(at("2001:db8::7")));
        assert!(listed.may_come_from(at("::ffff:192.0.2.1")), "IPv4 in the clothes of IPv6");
        assert!(!listed.may_come_from(at("192.0.3.1")) && !listed.may_come_from(at("2001:db8::8")));
        assert!(!listed.may_come_from(None));
        assert!(from(&[]).may_come_from(at("198.51.100.1")) && from(&[]).may_come_from(None));
        assert!(
            !from(&["broken"]).may_come_from(at("198.51.100.1")),
            "a list that cannot be read opens nothing"
        );
    }
}
