//! The order of a ceremony: the one declarative input from which a hierarchy is made.
//!
//! Everything that the two certificates will say follows from it; what is missing gets a value that is safe and local.
//! Never here: a key, a time.

use base::Result;
use proof::x509::{Attribute, Name, NameConstraints, Oid, Profile, Subtree};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{error, settings::network};

/// Entries of one list of an order.
const ENTRIES_MAX: usize = 32;
/// Characters of one text of an order.
const CHARACTERS_MAX: usize = 200;

/// What a ceremony is to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CeremonyOrder {
    /// The environment whose hierarchy it is: `dev`, `prod`, …; each has one.
    #[schema(example = "dev")]
    pub environment: String,
    /// The organisation, as it stands in the authorities' names.
    #[schema(example = "Universidade de Évora")]
    pub organisation: String,
    /// Its country, two letters, or nothing.
    #[schema(example = "PT")]
    pub country: String,
    /// Where the ceremony takes place.
    pub place: String,
    /// Who carries it out, by pseudonym.
    pub operators: Vec<String>,
    /// Who watches, by pseudonym.
    pub witnesses: Vec<String>,
    /// The root's common name; made from organisation and environment when empty.
    pub root_name: String,
    /// The issuing authority's common name; made likewise.
    pub issuing_name: String,
    /// DNS suffixes that the issuing authority may name, and mail and URI hosts below them.
    pub permitted_dns: Vec<String>,
    /// Networks that it may name.
    pub permitted_ip: Vec<String>,
    /// The arc of the organisation's own below which this hierarchy has a policy for each profile, as
    /// `1.3.6.1.4.1.32473.1.5`; empty for certificates that name no policy. No two hierarchies share one.
    pub policy_arc: String,
    /// How many shares give the root's key back.
    pub threshold: u8,
    /// How many shares there are.
    pub shares: u8,
    /// Names of the first service certificate.
    pub service_names: Vec<String>,
    /// Try everything with a throw-away root, and keep nothing.
    pub dry_run: bool,
    /// Take the place of the hierarchy that the environment has: that one issues no more and still answers.
    pub successor: bool,
}

impl Default for CeremonyOrder {
    fn default() -> Self {
        let own = |list: &[&str]| list.iter().map(|entry| (*entry).to_owned()).collect();
        Self {
            environment: "dev".to_owned(),
            organisation: "Selo".to_owned(),
            country: String::new(),
            place: String::new(),
            operators: Vec::new(),
            witnesses: Vec::new(),
            root_name: String::new(),
            issuing_name: String::new(),
            permitted_dns: own(&["localhost", "test", "internal"]),
            permitted_ip: own(&[
                "127.0.0.0/8",
                "10.0.0.0/8",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "::1/128",
                "fc00::/7",
            ]),
            policy_arc: String::new(),
            threshold: 2,
            shares: 3,
            service_names: own(&["localhost"]),
            dry_run: false,
            successor: false,
        }
    }
}

/// What an order says, checked.
pub(crate) struct Names {
    pub(crate) root: Name,
    pub(crate) issuing: Name,
    pub(crate) constraints: NameConstraints,
    pub(crate) policies: Vec<Oid>,
}

impl CeremonyOrder {
    /// Gives a successor names of its own, where the order names none: those that come after so many roots and issuing
    /// authorities of its environment.
    pub(crate) fn number_names(&mut self, roots: usize, issuing: usize) {
        let numbered = |level: &str, before: usize| {
            format!("{} {} {level} {}", self.organisation, self.environment, before + 1)
        };
        let (root, below) = (numbered("Root", roots), numbered("Issuing", issuing));
        if self.root_name.is_empty() {
            self.root_name = root;
        }
        if self.issuing_name.is_empty() {
            self.issuing_name = below;
        }
    }

    /// The authorities' names and the constraints.
    ///
    /// # Errors
    /// `PKI_CEREMONY_INVALID` at the field that is not right.
    pub(crate) fn check(&self) -> Result<Names> {
        let wrong = |field: &str, reason: String| error::CEREMONY.at(field).with("reason", reason);
        let is_word = |text: &str| {
            (1..=32).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !is_word(&self.environment) {
            return Err(wrong("environment", "lower-case letters, digits and hyphens, 1 to 32".to_owned()));
        }
        let lists =
            [&self.operators, &self.witnesses, &self.permitted_dns, &self.permitted_ip, &self.service_names];
        let texts = lists.into_iter().flatten().chain([&self.place]);
        if lists.iter().any(|list| list.len() > ENTRIES_MAX)
            || texts
                .into_iter()
                .any(|text| text.chars().count() > CHARACTERS_MAX || text.chars().any(char::is_control))
        {
            return Err(wrong("", format!("at most {ENTRIES_MAX} entries of {CHARACTERS_MAX} characters")));
        }
        if self.threshold < 2 || self.threshold > self.shares {
            return Err(wrong("threshold", "2 or more, and not more than there are shares".to_owned()));
        }
        let name = |field: &str, given: &str, level: &str| -> Result<Name> {
            let made = format!("{} {} {level}", self.organisation, self.environment);
            let common = if given.is_empty() { made.as_str() } else { given };
            let mut parts = Vec::new();
            if !self.country.is_empty() {
                parts.push((Attribute::Country, self.country.as_str()));
            }
            parts.push((Attribute::Organization, self.organisation.as_str()));
            parts.push((Attribute::CommonName, common));
            Name::new(&parts).map_err(|e| wrong(field, e.to_string()))
        };
        let (root, issuing) = (
            name("rootName", &self.root_name, "Root")?,
            name("issuingName", &self.issuing_name, "Issuing 1")?,
        );
        if root == issuing {
            return Err(wrong("issuingName", "root and issuing authority have one name".to_owned()));
        }
        Ok(Names { root, issuing, constraints: self.constraints()?, policies: self.policies()? })
    }

    /// What the issuing authority may assert; nothing without an arc.
    fn policies(&self) -> Result<Vec<Oid>> {
        if self.policy_arc.is_empty() {
            return Ok(Vec::new());
        }
        Oid::parse(&self.policy_arc).and_then(|arc| Profile::policies_below(&arc)).ok_or_else(|| {
            let reason = "an arc of the organisation, as 1.3.6.1.4.1.32473.1.5".to_owned();
            error::CEREMONY.at("policyArc").with("reason", reason)
        })
    }

    /// Both lists are needed: a kind of name without a permitted subtree would be permitted whole.
    fn constraints(&self) -> Result<NameConstraints> {
        let wrong = |field: &str, reason: String| error::CEREMONY.at(field).with("reason", reason);
        let mut permitted = Vec::new();
        let mut excluded = Vec::new();
        for suffix in &self.permitted_dns {
            permitted.push(Subtree::Dns(suffix.clone()));
        }
        for suffix in &self.permitted_dns {
            permitted.extend([Subtree::Email(suffix.clone()), Subtree::Email(format!(".{suffix}"))]);
            permitted.extend([Subtree::Uri(suffix.clone()), Subtree::Uri(format!(".{suffix}"))]);
        }
        for text in &self.permitted_ip {
            let (address, bits) =
                network(text).ok_or_else(|| wrong("permittedIp", format!("{text} is no network")))?;
            permitted.push(Subtree::Ip(address, bits));
        }
        if self.permitted_dns.is_empty() {
            return Err(wrong("permittedDns", "at least one suffix is needed".to_owned()));
        }
        if self.permitted_ip.is_empty() {
            // Of a kind that nothing is said of everything may be named, so everything is excluded.
            for all in ["0.0.0.0/0", "::/0"] {
                excluded.extend(network(all).map(|(address, bits)| Subtree::Ip(address, bits)));
            }
        }
        NameConstraints::new(permitted, excluded).map_err(|e| wrong("permittedDns", e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use proof::x509::{DnsName, GeneralName};

    use super::*;

    #[test]
    fn an_order_without_a_word_is_good_and_local() {
        let names = CeremonyOrder::default().check().unwrap();
        assert_eq!(names.root.common_name(), Some("Selo dev Root"));
        let dns = |name: &str| GeneralName::Dns(DnsName::parse(name).unwrap());
        assert!(names.constraints.check(&dns("db.internal")).is_ok());
        assert!(names.constraints.check(&dns("example.org")).is_err());
        assert!(names.constraints.check(&GeneralName::Ip("8.8.8.8".parse().unwrap())).is_err());
    }

    #[test]
    fn a_successor_has_names_of_its_own_unless_the_order_gives_some() {
        let mut order =
            CeremonyOrder { successor: true, root_name: "Raiz".into(), ..CeremonyOrder::default() };
        order.number_names(1, 3);
        assert_eq!((order.root_name.as_str(), order.issuing_name.as_str()), ("Raiz", "Selo dev Issuing 4"));
    }

    #[test]
    fn each_wrong_part_is_named() {
        let with = |change: fn(&mut CeremonyOrder)| {
            let mut order = CeremonyOrder::default();
            change(&mut order);
            order.check().err().and_then(|e| e.field().map(str::to_owned)).unwrap_or_default()
        };
        assert_eq!(with(|order| order.environment = "Prod!".into()), "environment");
        assert_eq!(with(|order| order.threshold = 1), "threshold");
        assert_eq!(with(|order| order.shares = 1), "threshold");
        assert_eq!(with(|order| order.country = "Portugal".into()), "rootName");
        assert_eq!(with(|order| order.permitted_dns = vec![]), "permittedDns");
        assert_eq!(with(|order| order.permitted_dns = vec!["*.a.example".into()]), "permittedDns");
        assert_eq!(with(|order| order.permitted_ip = vec!["10.0.0.0/33".into()]), "permittedIp");
        assert_eq!(with(|order| order.root_name = "x".repeat(65)), "rootName");
        assert_eq!(with(|order| order.policy_arc = "1.3.six".into()), "policyArc");
    }

    #[test]
    fn without_networks_no_address_may_be_named() {
        let order = CeremonyOrder { permitted_ip: vec![], ..CeremonyOrder::default() };
        let constraints = order.check().unwrap().constraints;
        for address in ["127.0.0.1", "::1"] {
            assert!(constraints.check(&GeneralName::Ip(address.parse().unwrap())).is_err());
        }
    }
}
