//! CAA: what the holder of a name says about who may certify it (RFC 8659, RFC 8657).
//!
//! Pure rules over one set of records, and the climb to the set that counts. What cannot be read permits nobody.
//! Never here: a guess at what a malformed record meant.

use super::dns::Names;
use crate::acme::{CaaFault, CaaQuestion};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// Whether a reader that does not know the tag must refuse.
    pub critical: bool,
    /// `issue`, `issuewild`, `iodef`, or something newer.
    pub tag: String,
    /// What it says.
    pub value: Vec<u8>,
}

/// Climbs from the name to the first set of records there is, and asks it. No records at all permit everybody.
pub(super) async fn judge(names: &Names, identity: &str, question: CaaQuestion<'_>) -> Result<(), CaaFault> {
    let mut name = question.name.base();
    loop {
        let set = names.caa(name).await.map_err(|fault| CaaFault {
            detail: format!("the CAA records of {name} could not be read: {}", fault.detail),
            retry: fault.retry,
        })?;
        if !set.is_empty() {
            return permits(&set, identity, question).map_err(|reason| CaaFault {
                detail: format!("the CAA records of {name} do not permit this: {reason}"),
                retry: false,
            });
        }
        match name.split_once('.') {
            Some((_, parent)) => name = parent,
            None => return Ok(()),
        }
    }
}

/// Asks one set of records (RFC 8659 §4).
fn permits(set: &[Property], identity: &str, question: CaaQuestion<'_>) -> Result<(), &'static str> {
    let known = ["issue", "issuewild", "iodef"];
    if set.iter().any(|p| p.critical && !known.iter().any(|tag| p.tag.eq_ignore_ascii_case(tag))) {
        return Err("a critical property is not known here");
    }
    let tagged = |tag: &'static str| set.iter().filter(move |p| p.tag.eq_ignore_ascii_case(tag));
    let counts =
        if question.wildcard && tagged("issuewild").next().is_some() { "issuewild" } else { "issue" };
    if tagged(counts).next().is_none() {
        return Ok(());
    }
    let mut reason = "they name other authorities";
    for property in tagged(counts) {
        let Some(issuer) = Issuer::read(&property.value) else { continue };
        if !issuer.domain.eq_ignore_ascii_case(identity) {
            continue;
        }
        match issuer.conditions(question) {
            Ok(()) => return Ok(()),
            Err(unmet) => reason = unmet,
        }
    }
    Err(reason)
}

/// An issue-value: a domain, maybe empty, and parameters.
struct Issuer<'a> {
    domain: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Issuer<'a> {
    /// Reads `ca.example; accounturi=…; validationmethods=…`; None when the grammar does not hold.
    fn read(value: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let (domain, rest) = text.split_once(';').map_or((text, None), |(domain, rest)| (domain, Some(rest)));
        let domain = trim(domain);
        if !domain.is_empty() && !domain.split('.').all(is_label) {
            return None;
        }
        let parameters = match rest.map(trim) {
            None | Some("") => Vec::new(),
            Some(rest) => rest.split(';').map(Self::parameter).collect::<Option<_>>()?,
        };
        Some(Self { domain, parameters })
    }

    fn parameter(text: &'a str) -> Option<(&'a str, &'a str)> {
        let (tag, value) = text.split_once('=')?;
        let (tag, value) = (trim(tag), trim(value));
        (is_label(tag) && value.bytes().all(|byte| byte.is_ascii_graphic())).then_some((tag, value))
    }

    /// RFC 8657: an account and methods, when they are named. Named twice, they cannot be met.
    fn conditions(&self, question: CaaQuestion<'_>) -> Result<(), &'static str> {
        if let Some(account) = self.only("accounturi")?
            && account != question.account
        {
            return Err("they name another account");
        }
        if let Some(methods) = self.only("validationmethods")?
            && !methods.split(',').any(|method| method == question.method.name())
        {
            return Err("they do not name this way of proving control");
        }
        Ok(())
    }

    fn only(&self, tag: &str) -> Result<Option<&'a str>, &'static str> {
        let mut values = self.parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case(tag));
        match (values.next(), values.next()) {
            (first, None) => Ok(first.map(|(_, value)| *value)),
            _ => Err("they name a condition twice"),
        }
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Letters and digits, with hyphens between them.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use proof::x509::DnsName;

    use super::*;
    use crate::acme::ChallengeKind;

    fn property(tag: &str, value: &str) -> Property {
        Property { critical: false, tag: tag.to_owned(), value: value.as_bytes().to_vec() }
    }

    fn asked(set: &[Property], wildcard: bool) -> Result<(), &'static str> {
        let name = DnsName::parse("a.example").unwrap();
        let question = CaaQuestion {
            name: &name,
            wildcard,
            account: "https://ca.example/acme/account/7",
            method: ChallengeKind::Dns01,
        };
        permits(set, "ca.example", question)
    }

    #[test]
    fn a_set_without_the_property_that_counts_permits_everybody() {
        assert_eq!(asked(&[property("iodef", "mailto:a@b.example")], false), Ok(()));
        assert_eq!(asked(&[property("issuewild", ";")], false), Ok(()));
        assert!(asked(&[property("issuewild", ";")], true).is_err());
        assert!(asked(&[property("issue", "other.example")], true).is_err());
        assert_eq!(
            asked(&[property("issue", "other.example"), property("issuewild", "ca.example")], true),
            Ok(())
        );
    }

    #[test]
    fn one_property_that_names_us_is_enough_and_malformed_ones_name_nobody() {
        for (value, open) in [
            ("ca.example", true),
            (" CA.Example ", true),
            ("ca.example;", true),
            ("ca.example; colour=blue", true),
            ("ca.example;a=", true),
            ("", false),
            (";", false),
            ("other.example", false),
            ("ca.example.", false),
            ("ca.example colour=blue", false),
            ("ca.example;;", false),
            ("ca.example; colour", false),
            ("ca.example; -a=b", false),
            ("ca.example; a=b c", false),
            ("ca.example; a=b;", false),
            ("ca\u{301}.example", false),
        ] {
            assert_eq!(asked(&[property("issue", value)], false).is_ok(), open, "{value:?}");
            assert_eq!(asked(&[property("ISSUE", value), property("issue", ";")], false).is_ok(), open);
        }
        assert!(asked(&[Property { value: vec![0xff], ..property("issue", "") }], false).is_err());
    }

    #[test]
    fn account_and_method_are_conditions_and_cannot_be_named_twice() {
        let ours = "accounturi=https://ca.example/acme/account/7";
        for (parameters, open) in [
            (ours.to_owned(), true),
            (format!("{ours}; validationmethods=http-01,dns-01"), true),
            ("validationmethods=dns-01".to_owned(), true),
            ("ValidationMethods=dns-01".to_owned(), true),
            ("validationmethods=http-01".to_owned(), false),
            ("validationmethods=".to_owned(), false),
            (format!("{ours}0"), false),
            (format!("{ours}; {ours}"), false),
            (format!("{ours}; validationmethods=tls-alpn-01"), false),
        ] {
            let value = format!("ca.example; {parameters}");
            assert_eq!(asked(&[property("issue", &value)], false).is_ok(), open, "{value}");
        }
    }

    #[test]
    fn a_critical_property_that_is_not_known_forbids_whatever_else_stands_there() {
        let critical = Property { critical: true, ..property("future", "x") };
        let ours = property("issue", "ca.example");
        assert!(asked(&[ours.clone(), critical], false).is_err());
        assert_eq!(asked(&[ours.clone(), property("future", "x")], false), Ok(()));
        assert_eq!(asked(&[Property { critical: true, ..ours }], false), Ok(()));
    }
}
