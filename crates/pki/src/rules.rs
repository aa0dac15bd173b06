//! Pure decisions: which names were asked for, and who may have them.
//!
//! A decision names every reason against, not only the first, so that `explain` can show them all.

use std::{net::IpAddr, sync::Arc};

use base::{Error, Result};
use proof::x509::{DnsName, Email, GeneralName, NAMES_MAX, NameConstraints, Profile, Subtree, Uri};

use crate::{
    error,
    settings::{Allowance, Settings},
};

/// Characters of an owner's text.
const OWNER_CHARACTERS_MAX: usize = 200;
/// Characters of a name that a refusal repeats.
const SHOWN_CHARACTERS_MAX: usize = 80;

/// As whom somebody asks: decides which of the settings count.
#[derive(Debug, Clone)]
pub enum Grade {
    /// The owner of the home and the house's administrators.
    Admin,
    /// The role `issuer_admin`.
    Issuer,
    /// The house itself, for its responders.
    House,
    /// A program that proved its control of the names, with what it may have.
    Acme(Arc<Allowance>),
}

/// Names as somebody wrote them.
#[derive(Debug, Clone, Default)]
pub struct WantedNames {
    /// DNS names.
    pub dns: Vec<String>,
    /// Addresses.
    pub ip: Vec<String>,
    /// URIs.
    pub uri: Vec<String>,
    /// Mail addresses.
    pub email: Vec<String>,
}

/// Reads names, in the order of the kinds; what stands twice is kept once.
///
/// # Errors
/// `PKI_NAMES_TOO_MANY`; `VALIDATION_ERROR` with one detail for each name that is not right.
pub(crate) fn read_names(wanted: &WantedNames) -> Result<Vec<GeneralName>> {
    let count = wanted.dns.len() + wanted.ip.len() + wanted.uri.len() + wanted.email.len();
    if count > NAMES_MAX {
        return Err(error::NAMES_MANY.error().with("limit", NAMES_MAX));
    }
    let mut names = Vec::with_capacity(count);
    let mut wrong: Option<Error> = None;
    let mut take = |field: String, text: &str, read: std::result::Result<GeneralName, String>| match read {
        Ok(name) if names.contains(&name) => {}
        Ok(name) => names.push(name),
        Err(reason) => {
            let one = error::NAME.at(field).with("name", shown(text)).with("reason", reason);
            wrong = Some(match wrong.take() {
                None => base::error::VALIDATION.error().detail(one),
                Some(wrong) => wrong.detail(one),
            });
        }
    };
    for (at, text) in wanted.dns.iter().enumerate() {
        let lower = text.to_ascii_lowercase();
        take(
            format!("dns/{at}"),
            text,
            DnsName::parse(&lower).map(GeneralName::Dns).map_err(|e| e.to_string()),
        );
    }
    for (at, text) in wanted.ip.iter().enumerate() {
        let read = text.parse::<IpAddr>().map(GeneralName::Ip).map_err(|_| "it is no address".to_owned());
        take(format!("ip/{at}"), text, read);
    }
    for (at, text) in wanted.uri.iter().enumerate() {
        take(format!("uri/{at}"), text, Uri::parse(text).map(GeneralName::Uri).map_err(|e| e.to_string()));
    }
    for (at, text) in wanted.email.iter().enumerate() {
        take(
            format!("email/{at}"),
            text,
            Email::parse(text).map(GeneralName::Email).map_err(|e| e.to_string()),
        );
    }
    match wrong {
        Some(wrong) => Err(wrong),
        None => Ok(names),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Every reason against these names under this profile for this asker; empty when there is none.
pub(crate) fn objections(
    settings: &Settings,
    grade: &Grade,
    profile: Profile,
    names: &[GeneralName],
) -> Vec<Error> {
    let (allowance, prefix) = match grade {
        Grade::House => return Vec::new(),
        Grade::Admin => (&settings.admin, "pki.allow_admin"),
        Grade::Issuer => (&settings.issuer, "pki.allow_issuer"),
        Grade::Acme(allowance) => (&**allowance, "acme.allow"),
    };
    let mut against = Vec::new();
    if !allowance.profiles.contains(&profile) {
        let setting = format!("{prefix}_profiles");
        against.push(
            error::PROFILE_FORBIDDEN.at("profile").with("profile", profile.as_str()).with("setting", setting),
        );
    }
    for name in names {
        if matches!(name, GeneralName::Dns(dns) if dns.is_wildcard()) && !settings.wildcards {
            against.push(error::WILDCARD.at("names").with("name", name));
        }
        if !is_allowed(allowance, name) {
            let kind = if matches!(name, GeneralName::Ip(_)) { "ip" } else { "dns" };
            let setting = format!("{prefix}_{kind}");
            against.push(error::NAME_FORBIDDEN.at("names").with("name", name).with("setting", setting));
        }
    }
    against
}

/// Whether an allowance covers a name. Hosts of URIs and mail addresses count as DNS names; a URI without a host needs
/// an allowance for everything.
fn is_allowed(allowance: &Allowance, name: &GeneralName) -> bool {
    let host = match name {
        GeneralName::Ip(_) => {
            let Some(networks) = &allowance.ip else { return true };
            return networks.iter().any(|(address, bits)| lies_in(name, Subtree::Ip(*address, *bits)));
        }
        GeneralName::Dns(dns) => Some(dns.base()),
        GeneralName::Email(email) => Some(email.domain()),
        GeneralName::Uri(uri) => uri.host(),
    };
    let Some(suffixes) = &allowance.dns else { return true };
    host.is_some_and(|host| {
        suffixes.iter().any(|suffix| {
            host.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    })
}

fn lies_in(name: &GeneralName, subtree: Subtree) -> bool {
    NameConstraints::new(vec![subtree], Vec::new()).is_ok_and(|constraints| constraints.check(name).is_ok())
}

/// The common name of a certificate: the one asked for where the profile lives by it, else the first name that fits. An
/// address is none: clients read a common name as a DNS name.
pub(crate) fn common_name(profile: Profile, asked: Option<&str>, names: &[GeneralName]) -> Option<String> {
    if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
        return Some(asked.to_owned());
    }
    if profile == Profile::Svid {
        return None;
    }
    let names = names.iter().filter(|name| !matches!(name, GeneralName::Ip(_)));
    names.map(GeneralName::text).find(|text| text.chars().count() <= 64)
}

/// A DNS name with its labels turned round, so that what lies below a suffix lies together: `org.example.a.`
pub(crate) fn reversed(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 1);
    for label in name.rsplit('.') {
        out.push_str(label);
        out.push('.');
    }
    out
}

/// Checks the text that says who looks after a certificate.
///
/// # Errors
/// `PKI_OWNER_INVALID`.
pub(crate) fn owner(text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > OWNER_CHARACTERS_MAX || text.chars().any(char::is_control) {
        return Err(error::OWNER.at("owner").with("limit", OWNER_CHARACTERS_MAX));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use base::config::Config;

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let flags: Vec<_> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let config = Config::load(&[crate::settings::SETTINGS], None, std::iter::empty(), &flags).unwrap();
        Settings::from_config(&config, "https://selo.example:8443").unwrap()
    }

    fn names(dns: &[&str], ip: &[&str], uri: &[&str]) -> Vec<GeneralName> {
        let own = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        read_names(&WantedNames { dns: own(dns), ip: own(ip), uri: own(uri), email: vec![] }).unwrap()
    }

    fn codes(against: Vec<Error>) -> Vec<&'static str> {
        against.iter().map(|one| one.code().name).collect()
    }

    #[test]
    fn a_common_name_is_the_first_name_that_is_no_address() {
        let name = |text: &str| GeneralName::Dns(DnsName::parse(text).unwrap());
        let address = GeneralName::Ip("127.0.0.1".parse().unwrap());
        let common = |names: &[GeneralName]| common_name(Profile::Server, None, names);
        assert_eq!(common(&[address.clone(), name("a.test"), name("b.test")]).as_deref(), Some("a.test"));
        assert_eq!(common(&[address]), None);
    }

    #[test]
    fn the_role_of_issuers_gets_nothing_that_is_not_listed() {
        let asked = names(&["a.dev.example"], &["10.0.0.1"], &[]);
        let none = settings(&[]);
        assert_eq!(
            codes(objections(&none, &Grade::Issuer, Profile::Server, &asked)),
            ["PKI_PROFILE_FORBIDDEN", "PKI_NAME_FORBIDDEN", "PKI_NAME_FORBIDDEN"]
        );
        let some = settings(&[
            ("pki.allow_issuer_profiles", "server"),
            ("pki.allow_issuer_dns", "dev.example"),
            ("pki.allow_issuer_ip", "10.0.0.0/24"),
        ]);
        assert_eq!(codes(objections(&some, &Grade::Issuer, Profile::Server, &asked)), Vec::<&str>::new());
        let beside = names(&["xdev.example", "dev.example.org"], &["10.0.1.1"], &["spiffe://other/a"]);
        assert_eq!(objections(&some, &Grade::Issuer, Profile::Server, &beside).len(), 4);
    }

    #[test]
    fn nobody_gets_the_profile_of_an_authority_and_no_setting_opens_it() {
        for profile in [Profile::Root, Profile::Issuing, Profile::OcspResponder] {
            assert_eq!(
                codes(objections(&settings(&[]), &Grade::Admin, profile, &[])),
                ["PKI_PROFILE_FORBIDDEN"]
            );
            let flags = [("pki.allow_admin_profiles".to_owned(), profile.as_str().to_owned())];
            let config =
                Config::load(&[crate::settings::SETTINGS], None, std::iter::empty(), &flags).unwrap();
            assert!(Settings::from_config(&config, "http://localhost").unwrap_err().is(&error::SETTING));
        }
    }

    #[test]
    fn wildcards_need_a_setting() {
        let asked = names(&["*.dev.example"], &[], &[]);
        assert_eq!(
            codes(objections(&settings(&[]), &Grade::Admin, Profile::Server, &asked)),
            ["PKI_WILDCARD_FORBIDDEN"]
        );
        let open = settings(&[("pki.allow_wildcards", "true")]);
        assert!(objections(&open, &Grade::Admin, Profile::Server, &asked).is_empty());
    }

    #[test]
    fn hostile_names_are_refused_by_name_and_without_their_control_characters() {
        let wanted = WantedNames {
            dns: vec!["a\0.example".into(), "xn--pypal-4ve.example".into(), "bücher.example".into()],
            ip: vec!["1.2.3".into()],
            ..WantedNames::default()
        };
        let failure = read_names(&wanted).unwrap_err();
        assert_eq!(failure.details().len(), 4);
        assert!(
            failure.details().iter().all(|detail| detail.args.iter().all(|(_, text)| !text.contains('\0')))
        );
        let many = WantedNames { dns: vec!["a.example".into(); 10_000], ..WantedNames::default() };
        assert!(read_names(&many).unwrap_err().is(&error::NAMES_MANY));
    }

    #[test]
    fn names_below_a_suffix_lie_together() {
        assert_eq!(reversed("a.dev.example"), "example.dev.a.");
        assert!(reversed("a.dev.example").starts_with(&reversed("dev.example")));
        assert!(!reversed("a.xdev.example").starts_with(&reversed("dev.example")));
    }

    #[test]
    fn addresses_in_certificates_follow_the_public_host_without_tls() {
        assert_eq!(settings(&[]).address, "http://selo.example:8443");
        assert_eq!(settings(&[("pki.address", "http://pki.example/")]).address, "http://pki.example");
        for wrong in ["https://pki.example", "http://pki.example/x", "pki.example", "http://"] {
            let flags = [("pki.address".to_owned(), wrong.to_owned())];
            let config =
                Config::load(&[crate::settings::SETTINGS], None, std::iter::empty(), &flags).unwrap();
            assert!(Settings::from_config(&config, "http://localhost").is_err(), "{wrong}");
        }
    }
}
