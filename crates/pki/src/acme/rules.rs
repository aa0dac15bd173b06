//! Pure decisions: which identifiers can be ordered, which challenges prove them, whether a request names exactly what
//! was ordered, when a certificate is to be renewed, when a proof is tried again.

use std::{net::IpAddr, time::Duration};

use base::{Error, Result, Time};
use proof::x509::{Csr, DnsName, Email, GeneralName, NAMES_MAX, Profile, oid};
use serde_json::Value;

use super::{
    error,
    model::{Account, Grant, Ordered},
    prober::{ChallengeKind, Identifier},
};
use crate::settings::{Allowance, network};

/// Contacts of an account.
const CONTACTS_MAX: usize = 10;
/// Bytes of a contact.
const CONTACT_BYTES_MAX: usize = 320;
/// Characters of a text that a refusal repeats.
const SHOWN_CHARACTERS_MAX: usize = 80;
/// A proof is tried so often.
pub(crate) const ATTEMPTS_MAX: i64 = 3;
/// A certificate that lasts less is renewed at half of its life.
const SHORT_S: i64 = 10 * 24 * 3_600;

/// A client's text, as a refusal may repeat it.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn malformed(reason: &str) -> Error {
    error::MALFORMED.error().with("reason", reason)
}

/// Reads the identifiers of an order. What stands twice is kept once.
///
/// # Errors
/// `ACME_MALFORMED` for no list or one that is too long; `ACME_IDENTIFIER_KIND`, `ACME_IDENTIFIER`, or
/// `ACME_IDENTIFIERS` with one detail for each of several.
pub(crate) fn read_identifiers(list: Option<&Value>) -> Result<Vec<Ordered>> {
    let list = list.and_then(Value::as_array).ok_or_else(|| malformed("identifiers is no list"))?;
    if list.is_empty() || list.len() > NAMES_MAX {
        return Err(malformed(&format!("an order has 1 to {NAMES_MAX} identifiers")));
    }
    let mut names: Vec<Ordered> = Vec::with_capacity(list.len());
    let mut against = Vec::new();
    for one in list {
        let text = |name: &str| one.get(name).and_then(Value::as_str);
        let (Some(kind), Some(value)) = (text("type"), text("value")) else {
            return Err(malformed("an identifier has a type and a value, both texts"));
        };
        match read_identifier(kind, value) {
            Ok(name) if names.contains(&name) => {}
            Ok(name) => names.push(name),
            Err(refusal) => against.push(refusal.at(shown(&format!("{kind}:{value}")))),
        }
    }
    refuse_all(against)?;
    Ok(names)
}

/// One reason stands for itself, several stand together.
///
/// # Errors
/// The only reason; `ACME_IDENTIFIERS` with all of them as details.
pub(crate) fn refuse_all(mut against: Vec<Error>) -> Result<()> {
    match against.len() {
        0 => Ok(()),
        1 => against.pop().map_or(Ok(()), Err),
        _ => Err(against.into_iter().fold(error::IDENTIFIERS.error(), Error::detail)),
    }
}

fn read_identifier(kind: &str, value: &str) -> Result<Ordered> {
    let refused =
        |reason: String| error::IDENTIFIER.error().with("name", shown(value)).with("reason", reason);
    match kind {
        "dns" => {
            let name = DnsName::parse(&value.to_ascii_lowercase()).map_err(|e| refused(e.to_string()))?;
            let wildcard = name.is_wildcard();
            let base = if wildcard {
                DnsName::parse(name.base()).map_err(|e| refused(e.to_string()))?
            } else {
                name
            };
            Ok(Ordered { identifier: Identifier::Dns(base), wildcard })
        }
        "ip" => {
            let address: IpAddr = value.parse().map_err(|_| refused("it is no address".to_owned()))?;
            if address.to_canonical() != address || address.to_string() != value {
                return Err(refused(format!("it is written as {}", address.to_canonical())));
            }
            Ok(Ordered { identifier: Identifier::Ip(address), wildcard: false })
        }
        other => Err(error::IDENTIFIER_KIND.error().with("kind", shown(other))),
    }
}

/// What proves control of a name: a wildcard by DNS alone, an address never by it (RFC 8555 §8, RFC 8738 §4).
pub(crate) fn challenges(ordered: &Ordered) -> &'static [ChallengeKind] {
    match (&ordered.identifier, ordered.wildcard) {
        (Identifier::Dns(_), false) => {
            &[ChallengeKind::Http01, ChallengeKind::Dns01, ChallengeKind::TlsAlpn01]
        }
        (Identifier::Dns(_), true) => &[ChallengeKind::Dns01],
        (Identifier::Ip(_), _) => &[ChallengeKind::Http01, ChallengeKind::TlsAlpn01],
    }
}

/// Checks that a request names exactly what was ordered. A common name counts as a name.
///
/// # Errors
/// `ACME_CSR_NAMES`.
pub(crate) fn names_match(csr: &Csr, ordered: &[Ordered]) -> Result<()> {
    let refused = |reason: String| Err(error::CSR_NAMES.at("csr").with("reason", reason));
    let Some(wanted) = ordered.iter().map(Ordered::general_name).collect::<Option<Vec<GeneralName>>>() else {
        return refused("a name of the order stands in no certificate".to_owned());
    };
    let mut asked = csr.names.clone();
    for common in csr.subject.values(oid::COMMON_NAME) {
        let lower = common.to_ascii_lowercase();
        let read = match lower.parse::<IpAddr>() {
            Ok(address) => Some(GeneralName::Ip(address)),
            Err(_) => DnsName::parse(&lower).ok().map(GeneralName::Dns),
        };
        match read {
            Some(name) if asked.contains(&name) => {}
            Some(name) => asked.push(name),
            None => return refused(format!("the common name {} is no name", shown(common))),
        }
    }
    if let Some(extra) = asked.iter().find(|name| !wanted.contains(name)) {
        return refused(format!("{extra} was not ordered"));
    }
    if let Some(missing) = wanted.iter().find(|name| !asked.contains(name)) {
        return refused(format!("{missing} is missing"));
    }
    Ok(())
}

/// What an account may have: what its external key says, and the settings where it says nothing.
pub(crate) fn allowance(account: &Account, settings: &Allowance) -> Allowance {
    granted(&account.grant, settings)
}

fn granted(grant: &Grant, settings: &Allowance) -> Allowance {
    Allowance {
        profiles: match &grant.profiles {
            None => settings.profiles.clone(),
            Some(names) => names.iter().filter_map(|name| Profile::from_name(name)).collect(),
        },
        dns: grant.dns.clone().map_or_else(|| settings.dns.clone(), Some),
        ip: match &grant.ip {
            None => settings.ip.clone(),
            Some(list) => Some(list.iter().filter_map(|text| network(text)).collect()),
        },
    }
}

/// Reads the contacts of an account (RFC 8555 §7.3): mailto with one address each.
///
/// # Errors
/// `ACME_CONTACT`, `ACME_CONTACT_SCHEME`.
pub(crate) fn read_contacts(list: &Value) -> Result<Vec<String>> {
    let refused = |reason: &str| error::CONTACT.error().with("reason", reason);
    let list = list.as_array().ok_or_else(|| malformed("contact is no list"))?;
    if list.len() > CONTACTS_MAX {
        return Err(refused("there are more than ten"));
    }
    list.iter()
        .map(|one| {
            let text = one.as_str().ok_or_else(|| malformed("a contact is no text"))?;
            if text.len() > CONTACT_BYTES_MAX {
                return Err(refused("it is too long"));
            }
            let scheme = text.get(..7).unwrap_or_default();
            if !scheme.eq_ignore_ascii_case("mailto:") {
                return Err(error::CONTACT_SCHEME.error());
            }
            let address = text.get(7..).unwrap_or_default();
            // `?` would begin header fields, `,` a second address
            if address.contains(['?', ',', '%']) || Email::parse(address).is_err() {
                return Err(refused("it is not one mail address"));
            }
            Ok(text.to_owned())
        })
        .collect()
}

/// When a certificate is to be renewed (RFC 9773 §4.2): around two thirds of its life, around half of a short one; at
/// once when it is revoked.
pub(crate) fn renewal_window(not_before: Time, not_after: Time, revoked: bool, now: Time) -> (Time, Time) {
    if revoked {
        return (now.minus(Duration::from_secs(3_600)), now.minus(Duration::from_secs(1_800)));
    }
    let life_s = i64::try_from(not_after.since(not_before).as_secs()).unwrap_or(i64::MAX).max(100);
    let centre_s = if life_s < SHORT_S { life_s / 2 } else { life_s / 3 * 2 };
    let around_s = (life_s / 100).max(1);
    let at = |offset_s: i64| Time::from_seconds(not_before.seconds().saturating_add(offset_s));
    (at(centre_s - around_s), at(centre_s + around_s))
}

/// How long to wait before a proof is tried again; none when it was tried often enough.
pub(crate) fn wait_after(attempts: i64) -> Option<Duration> {
    match attempts {
        ..=1 => Some(Duration::from_secs(5)),
        2 => Some(Duration::from_secs(20)),
        ATTEMPTS_MAX.. => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(list: &Value) -> Result<Vec<String>> {
        Ok(read_identifiers(Some(list))?.iter().map(Ordered::text).collect())
    }

    fn dns(value: &str) -> Value {
        json!([{"type": "dns", "value": value}])
    }

    #[test]
    fn identifiers_are_read_in_order_and_once() {
        let list = json!([
            {"type": "dns", "value": "B.test"}, {"type": "ip", "value": "192.0.2.1"},
            {"type": "dns", "value": "*.a.test"}, {"type": "dns", "value": "b.test"}, {"type": "ip", "value": "2001:db8::1"},
        ]);
        assert_eq!(read(&list).unwrap(), ["dns:b.test", "ip:192.0.2.1", "dns:*.a.test", "ip:2001:db8::1"]);
    }

    #[test]
    fn hostile_identifiers_are_refused_with_their_reason() {
        for wrong in [
            "",
            "a\0.test",
            "a_b.test",
            "bücher.test",
            "xn--pypal-4ve.test",
            "*.test",
            "a.*.test",
            "1.2.3.4",
            "a.test.",
        ] {
            let refusal = read(&dns(wrong)).unwrap_err();
            assert!(refusal.is(&error::IDENTIFIER), "{wrong}");
            assert!(!refusal.cause(base::Lang::En).contains('\0'));
        }
        for wrong in ["a.test", "192.0.2.01", "2001:DB8::1", "::ffff:192.0.2.1", "192.0.2.0/24"] {
            assert!(
                read(&json!([{"type": "ip", "value": wrong}])).unwrap_err().is(&error::IDENTIFIER),
                "{wrong}"
            );
        }
        assert!(read(&json!([{"type": "email", "value": "a@b"}])).unwrap_err().is(&error::IDENTIFIER_KIND));
        let several = json!([{"type": "dns", "value": "a_"}, {"type": "dns", "value": "ok.test"}, {"type": "x", "value": ""}]);
        let refusal = read(&several).unwrap_err();
        assert!(refusal.is(&error::IDENTIFIERS));
        assert_eq!(refusal.details().len(), 2);
    }

    #[test]
    fn ten_thousand_identifiers_are_too_many_and_none_too_few() {
        let many: Vec<Value> =
            (0..10_000).map(|n| json!({"type": "dns", "value": format!("a{n}.test")})).collect();
        for wrong in [json!(many), json!([]), json!({}), json!("x"), json!([{"type": "dns"}]), json!([1])] {
            assert!(read(&wrong).unwrap_err().is(&error::MALFORMED));
        }
    }

    #[test]
    fn a_wildcard_is_proved_by_dns_and_an_address_never() {
        let kinds = |text: &str| challenges(&Ordered::parse(text).unwrap()).to_vec();
        assert_eq!(kinds("dns:*.a.test"), [ChallengeKind::Dns01]);
        assert_eq!(kinds("dns:a.test"), ChallengeKind::ALL);
        assert_eq!(kinds("ip:192.0.2.1"), [ChallengeKind::Http01, ChallengeKind::TlsAlpn01]);
    }

    #[test]
    fn contacts_are_one_mail_address_each() {
        assert_eq!(read_contacts(&json!(["mailto:a@b.test"])).unwrap(), ["mailto:a@b.test"]);
        assert!(read_contacts(&json!(["tel:+351"])).unwrap_err().is(&error::CONTACT_SCHEME));
        for wrong in [
            "mailto:a@b.test,c@d.test",
            "mailto:a@b.test?subject=x",
            "mailto:",
            "mailto:a",
            "mailto:a%40b.test",
        ] {
            assert!(read_contacts(&json!([wrong])).unwrap_err().is(&error::CONTACT), "{wrong}");
        }
    }

    #[test]
    fn renewal_is_due_around_two_thirds_or_half_and_at_once_when_revoked() {
        let day = 86_400;
        let from = Time::from_seconds(1_000_000);
        let until = |days: i64| Time::from_seconds(1_000_000 + days * day - 1);
        let now = Time::from_seconds(5_000_000);
        let (start, end) = renewal_window(from, until(90), false, now);
        let centre = (start.seconds() + end.seconds()) / 2 - from.seconds();
        assert!((centre - 60 * day).abs() < 60 && end > start);
        assert!(end.since(start).as_secs().abs_diff(2 * 90 * 864) < 4, "one hundredth on either side");
        let (start, end) = renewal_window(from, until(6), false, now);
        let centre = (start.seconds() + end.seconds()) / 2 - from.seconds();
        assert!((centre - 3 * day).abs() < 60 && end > start);
        let (start, end) = renewal_window(from, until(90), true, now);
        assert_eq!((now.since(start).as_secs(), now.since(end).as_secs()), (3_600, 1_800));
        let (start, end) = renewal_window(from, from, false, now);
        assert!(end > start, "whatever the certificate says");
    }

    #[test]
    fn a_proof_is_tried_three_times_within_a_minute() {
        let waits: Vec<_> = (1..=4).map_while(wait_after).collect();
        assert_eq!(waits.len() as i64 + 1, ATTEMPTS_MAX);
        assert!(waits.iter().sum::<Duration>() <= Duration::from_secs(60));
    }
}
