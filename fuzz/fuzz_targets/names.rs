//! Names in certificates: each has one spelling, and none is more than its kind allows.
#![no_main]

use fuzz::authority;
use proof::jws::acme::RenewalId;
use proof::x509::der::{Reader, Writer};
use proof::x509::{DnsName, Email, GeneralName, KeyId, NAMES_MAX, Name, NameConstraints, Oid, SpiffeId, Uri};

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = fuzz::texts(&[
        "*.svc.dev.example",
        "xn--bcher-kva.example",
        "xn--80ak6aa92e",
        "0x7f.0x1",
        "ana+b@dev.example",
        "https://user@[::1]:8443/a?b#c%20",
        "urn:selo:user:7",
        "spiffe://dev.example/ns/a/sa/B_1",
        "1.3.6.1.4.1.32473.1.4294967295",
    ]);
    let id = RenewalId { authority: KeyId([7; 20]), serial: authority::unused_serial() };
    seeds.push(id.to_string().into_bytes());
    seeds.extend(authority::names_der());
    seeds.extend(authority::subjects().iter().map(|name| name.der().to_vec()));
    seeds.push(Writer::build(|out| authority::constraints().write(out)));
    seeds
}

fn text(text: &str) {
    if let Ok(name) = DnsName::parse(text) {
        assert_eq!(name.as_str(), text);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(text.len() <= 253 && !name.base().is_empty());
        assert!(
            name.base().split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(plain))
        );
        assert!(text.parse::<std::net::IpAddr>().is_err());
        reads_back(GeneralName::Dns(name));
    }
    if let Ok(mail) = Email::parse(text) {
        assert_eq!(mail.as_str(), text);
        assert!(DnsName::parse(mail.domain()).is_ok_and(|domain| !domain.is_wildcard()));
        reads_back(GeneralName::Email(mail));
    }
    if let Ok(uri) = Uri::parse(text) {
        assert_eq!(uri.as_str(), text);
        assert!(text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control() || byte == b' '));
        assert!(uri.host().is_none_or(|host| !host.is_empty()));
        reads_back(GeneralName::Uri(uri));
    }
    if let Ok(id) = SpiffeId::parse(text) {
        assert_eq!(format!("spiffe://{}{}", id.trust_domain(), id.path()), text);
        assert!(id.to_uri().is_none_or(|uri| uri.host() == Some(id.trust_domain())));
    }
    if let Some(oid) = Oid::parse(text) {
        assert_eq!(oid.to_string(), text);
        assert_eq!(Oid::from_body(oid.body()), Ok(oid));
    }
    if let Some(id) = RenewalId::parse(text) {
        assert_eq!(id.to_string(), text);
    }
}

fn reads_back(name: GeneralName) {
    let der = Writer::build(|out| out.sequence(|out| name.write(out)));
    assert_eq!(GeneralName::read_all(&der), Ok(vec![name]));
}

fn check(bytes: &[u8]) {
    if let Ok(text_) = std::str::from_utf8(bytes) {
        text(text_);
    }
    let found = GeneralName::read_all(bytes);
    if let Ok(names) = &found {
        assert!((1..=NAMES_MAX).contains(&names.len()));
        let again = Writer::build(|out| out.sequence(|out| names.iter().for_each(|name| name.write(out))));
        assert_eq!(again, bytes);
    }
    if let Ok(name) = Reader::new(bytes).any().and_then(Name::read) {
        assert!(bytes.starts_with(name.der()));
        assert!(!name.to_string().chars().any(char::is_control));
    }
    if let Ok(constraints) = NameConstraints::read(bytes) {
        let again = Writer::build(|out| constraints.write(out));
        assert!(constraints.has_unknown() || again == bytes, "constraints have one spelling");
        // a name outside all that is permitted, and one of each kind: no answer panics
        for name in found.iter().flatten().chain(&authority::Parts::of(proof::x509::Profile::Operator).names)
        {
            let verdict = constraints.check(name);
            assert!(verdict.is_err() || !constraints.has_unknown(), "what is not judged forbids");
        }
    }
}

fuzz::target!(seeds, check);
