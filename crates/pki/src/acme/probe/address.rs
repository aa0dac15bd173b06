//! Which machines a probe may reach.
//!
//! Whoever orders a certificate chooses the name, and so the address behind it: without this rule the house could be sent
//! against its own neighbours. Public addresses are open; everything else (loopback, private, link-local, unique-local,
//! shared, multicast, metadata of clouds, documentation, and the forms of IPv6 that carry such an address) only when the
//! operator opened its network.
//! Never here: a name, a look-up; what is judged is the address that is connected to.

use std::net::IpAddr;

use base::Result;
use http_kit::{Network, outgoing};

use crate::error;

/// The networks that the operator opened.
pub(super) const NETWORKS: &str = "acme.validate_networks";

/// The policy of one house.
#[derive(Debug, Clone, Default)]
pub(super) struct Policy {
    open: Vec<Network>,
}

impl Policy {
    /// Reads the list of networks.
    ///
    /// # Errors
    /// `PKI_SETTING` at the entry that is no network.
    pub fn parse(networks: &[String]) -> Result<Self> {
        let read = |text: &String| {
            Network::parse(text)
                .map_err(|_| error::SETTING.at(NETWORKS).with("value", text).with("reason", "no network"))
        };
        Ok(Self { open: networks.iter().map(read).collect::<Result<_>>()? })
    }

    /// Whether this address may be connected to.
    pub fn admits(&self, address: IpAddr) -> bool {
        outgoing::is_public(address) || self.open.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(networks: &[&str]) -> Policy {
        Policy::parse(&networks.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    const INNER: [&str; 18] = [
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
        "2001:db8::1",
    ];

    #[test]
    fn without_a_setting_only_public_machines_are_reached() {
        let policy = policy(&[]);
        for address in INNER {
            assert!(!policy.admits(address.parse().unwrap()), "{address}");
        }
        for address in ["9.9.9.9", "::ffff:9.9.9.9", "2620:fe::9"] {
            assert!(policy.admits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_opened_network_opens_itself_and_nothing_beside_it() {
        let policy = policy(&["10.0.0.0/8", "fd12:3456::/32"]);
        for (address, open) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", true),
            ("192.168.0.1", false),
            ("169.254.169.254", false),
            ("fd12:3456::1", true),
            ("fd12:3457::1", false),
            ("64:ff9b::10.0.0.1", false),
        ] {
            assert_eq!(policy.admits(address.parse().unwrap()), open, "{address}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in ["10.0.0.0/33", "inner", "10.0.0/8", ""] {
            let refused = Policy::parse(&[text.to_owned()]).unwrap_err();
            assert_eq!(refused.code().name, "PKI_SETTING", "{text}");
        }
    }
}
