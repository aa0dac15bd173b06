//! From drafts to certificates: every profile with every kind of key passes the lint, equal drafts give equal bytes,
//! and what a profile does not allow is refused by name.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod x509_support;

use std::sync::Arc;

use proof::crypto::SubjectKey;
use proof::x509::{
    Attribute, Certificate, ConstraintFault, Draft, DraftFault, KeyId, Name, Pointers, Profile, Revocation,
    Uri, lint, oid,
};
use x509_support::*;

#[test]
fn every_profile_with_every_key_passes_the_lint() {
    let house = Hierarchy::new();
    let root = house.root.certificate();
    let issuing = house.issuing.certificate();
    assert_eq!(lint::certificate(&house.root.der, Profile::Root, None), []);
    assert_eq!(lint::certificate(&house.root.der, Profile::Root, Some(&root)), []);
    assert_eq!(lint::certificate(&house.issuing.der, Profile::Issuing, Some(&root)), []);
    assert_eq!(lint::certificate(&house.responder.der, Profile::OcspResponder, Some(&issuing)), []);
    for (kind, signer) in all_kinds() {
        for profile in end_entities() {
            let parts = Parts::of(profile);
            let draft = parts.draft(profile, signer.key());
            if profile == Profile::PacketRecipient && *kind == "ed25519" {
                assert_eq!(house.issuing.issue(&draft), Err(DraftFault::Key(profile)));
                continue;
            }
            let der =
                house.issuing.issue(&draft).unwrap_or_else(|fault| panic!("{profile:?} {kind}: {fault}"));
            assert_eq!(lint::certificate(&der, profile, Some(&issuing)), [], "{profile:?} {kind}");
            let certificate = Certificate::parse(&der).unwrap();
            assert_eq!(certificate.verify(house.issuing.signer.key()), Ok(()));
            assert!(certificate.verify(signer.key()).is_err());
        }
    }
}

#[test]
fn roots_of_every_kind_sign_issuing_cas_of_every_kind() {
    for (_, signer) in all_kinds() {
        let other = Arc::new(Signer::ed25519());
        let house = Hierarchy::of(Arc::clone(signer), other, None);
        let root = house.root.certificate();
        assert_eq!(lint::certificate(&house.root.der, Profile::Root, None), []);
        assert_eq!(lint::certificate(&house.issuing.der, Profile::Issuing, Some(&root)), []);
        assert_eq!(root.verify(house.root.signer.key()), Ok(()));
        assert_eq!(house.issuing.certificate().verify(house.root.signer.key()), Ok(()));
    }
}

#[test]
fn what_is_drafted_is_what_is_read() {
    let house = Hierarchy::new();
    let signer = Signer::p256();
    for profile in end_entities() {
        let parts = Parts::of(profile);
        let draft = parts.draft(profile, signer.key());
        let der = house.issuing.issue(&draft).unwrap();
        let read = Certificate::parse(&der).unwrap();
        assert_eq!(read.version, 3);
        assert_eq!(read.serial(), Some(draft.serial));
        assert_eq!(read.validity(), Ok(draft.validity));
        assert_eq!(read.subject, parts.subject);
        assert_eq!(read.issuer, house.issuing.certificate().subject);
        assert_eq!(read.key().as_ref(), Ok(signer.key()));
        assert_eq!(read.names(), Ok(parts.names.clone()));
        assert_eq!(read.policies(), Ok(parts.policies.clone()));
        assert_eq!(read.subject_key_id(), Ok(Some(&KeyId::of(signer.key()).0[..])));
        let authority = read.authority_key_id().unwrap().unwrap();
        assert_eq!(authority.key_id, house.issuing.certificate().subject_key_id().unwrap());
        let lists = profile.shape().revocation == Revocation::ListAndAnswers;
        let expected = if lists { vec!["http://pki.dev.example/crl/issuing-1/3.crl"] } else { vec![] };
        assert_eq!(read.crl_addresses(), Ok(expected));
        let ocsp = read.access().unwrap().iter().any(|(method, _)| *method == oid::ACCESS_OCSP);
        assert_eq!(ocsp, lists);
    }
    let constraints = house.issuing.certificate().name_constraints().unwrap();
    assert_eq!(constraints, Some(x509_support::constraints()));
}

#[test]
fn equal_drafts_give_equal_bytes_and_a_name_that_stands_twice_is_written_once() {
    let house = Hierarchy::new();
    let signer = Signer::p256();
    let mut parts = Parts::of(Profile::Service);
    let issuer = house.issuing.issuer();
    let draft = parts.draft(Profile::Service, signer.key());
    let serial = draft.serial;
    let once = draft.tbs(&issuer).unwrap();
    let again = Parts::of(Profile::Service);
    let draft = again.draft(Profile::Service, signer.key());
    assert_eq!(Draft { serial, ..draft }.tbs(&issuer).as_ref(), Ok(&once));
    parts.names.push(parts.names[0].clone());
    let draft = parts.draft(Profile::Service, signer.key());
    assert_eq!(Draft { serial, ..draft }.tbs(&issuer), Ok(once));
}

#[test]
fn stapling_is_demanded_of_servers_alone() {
    let house = Hierarchy::new();
    let signer = Signer::p256();
    let parts = Parts::of(Profile::Server);
    let draft = Draft { must_staple: true, ..parts.draft(Profile::Server, signer.key()) };
    let der = house.issuing.issue(&draft).unwrap();
    assert_eq!(lint::certificate(&der, Profile::Server, Some(&house.issuing.certificate())), []);
    assert!(Certificate::parse(&der).unwrap().extension(oid::TLS_FEATURE).is_some());
    let parts = Parts::of(Profile::Client);
    let draft = Draft { must_staple: true, ..parts.draft(Profile::Client, signer.key()) };
    assert!(matches!(house.issuing.issue(&draft), Err(DraftFault::NotTaken { .. })));
}

/// A service's draft with one thing changed.
fn refused(change: impl FnOnce(&mut Parts)) -> DraftFault {
    refused_as(Profile::Service, change)
}

fn refused_as(profile: Profile, change: impl FnOnce(&mut Parts)) -> DraftFault {
    let house = Hierarchy::new();
    let signer = Signer::p256();
    let mut parts = Parts::of(profile);
    change(&mut parts);
    house.issuing.issue(&parts.draft(profile, signer.key())).unwrap_err()
}

fn common(text: &str) -> Name {
    Name::new(&[(Attribute::CommonName, text)]).unwrap()
}

#[test]
fn names_that_a_profile_or_the_issuer_does_not_allow_are_refused() {
    assert_eq!(refused(|parts| parts.names.clear()), DraftFault::NameMissing);
    assert_eq!(refused(|parts| parts.subject = common("x")), DraftFault::CommonName("x".into()));
    assert!(matches!(refused(|parts| parts.names.push(uri("urn:a:b"))), DraftFault::NameKind { .. }));
    assert!(matches!(
        refused(|parts| parts.names.push(dns("svc.prod.example"))),
        DraftFault::Constraint(ConstraintFault::NotPermitted(_))
    ));
    let many = (0..101).map(|number| dns(&format!("n{number}.dev.example")));
    assert_eq!(refused(|parts| parts.names.extend(many)), DraftFault::NamesTooMany);
    let svid = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|text| uri(text)).collect();
        refused_as(Profile::Svid, |parts| parts.names = names)
    };
    assert_eq!(svid(&["spiffe://dev.example/a", "spiffe://dev.example/b"]), DraftFault::Spiffe);
    assert_eq!(svid(&["spiffe://dev.example"]), DraftFault::Spiffe);
    assert_eq!(svid(&["https://dev.example/a"]), DraftFault::Spiffe);
    assert!(matches!(
        refused_as(Profile::Operator, |parts| parts.names = vec![uri("urn:other:1")]),
        DraftFault::NameKind { .. }
    ));
    let nameless = |parts: &mut Parts| parts.subject = Name::empty();
    assert_eq!(refused_as(Profile::DbClient, nameless), DraftFault::SubjectEmpty);
    assert_eq!(refused_as(Profile::OcspResponder, nameless), DraftFault::SubjectEmpty);
    let without_common = Name::new(&[(Attribute::Organization, "o")]).unwrap();
    assert_eq!(
        refused_as(Profile::DbClient, |parts| parts.subject = without_common),
        DraftFault::CommonNameMissing
    );
}

#[test]
fn addresses_and_policies_are_demanded_and_bounded() {
    assert_eq!(refused(|parts| parts.pointers.crl = None), DraftFault::Pointer("CRL"));
    assert_eq!(refused(|parts| parts.pointers.ocsp = None), DraftFault::Pointer("OCSP responder"));
    assert_eq!(refused(|parts| parts.pointers.issuer = None), DraftFault::Pointer("issuer's certificate"));
    let secure = Uri::parse("https://pki.dev.example/1.crl").unwrap();
    assert!(matches!(refused(|parts| parts.pointers.crl = Some(secure)), DraftFault::PointerScheme(_)));
    assert!(matches!(refused(|parts| parts.policies = vec![policy(1); 2]), DraftFault::NotTaken { .. }));
    assert!(matches!(
        refused(|parts| parts.policies = (0..17).map(policy).collect()),
        DraftFault::NotTaken { .. }
    ));
}

#[test]
fn times_keys_and_usages_are_refused_by_name() {
    let house = Hierarchy::new();
    let signer = Signer::p256();
    let parts = Parts::of(Profile::Service);
    let draft = parts.draft(Profile::Service, signer.key());
    let issue = |draft: &Draft<'_>| house.issuing.issue(draft).unwrap_err();
    let long = Draft { validity: validity(NOW_S, 91), ..draft.clone() };
    assert_eq!(issue(&long), DraftFault::Lifetime(Profile::Service));
    let late = Draft { validity: validity(NOW_S + 1400 * DAY_S, 90), ..draft.clone() };
    assert_eq!(issue(&late), DraftFault::OutsideIssuer);
    let early = Draft { validity: validity(NOW_S - 401 * DAY_S, 90), ..draft.clone() };
    assert_eq!(issue(&early), DraftFault::OutsideIssuer);
    let own = Draft { key: house.issuing.signer.key(), ..draft.clone() };
    assert_eq!(issue(&own), DraftFault::IssuerKey);
    let usage = Draft { own_usage: Some(policy(1)), ..draft.clone() };
    assert_eq!(issue(&usage), DraftFault::OwnUsage(Profile::Service));
    let nc = constraints();
    let constrained = Draft { constraints: Some(&nc), ..draft.clone() };
    assert!(matches!(issue(&constrained), DraftFault::NotTaken { .. }));
    let parts = Parts::of(Profile::PacketSigner);
    let any = Draft {
        own_usage: Some(oid::ANY_EXTENDED_KEY_USAGE),
        ..parts.draft(Profile::PacketSigner, signer.key())
    };
    assert_eq!(issue(&any), DraftFault::OwnUsage(Profile::PacketSigner));
    let none = Draft { own_usage: None, ..any };
    assert_eq!(issue(&none), DraftFault::OwnUsage(Profile::PacketSigner));
    let pointers = Pointers::default();
    let root = Draft { profile: Profile::Root, names: &[], pointers: &pointers, policies: &[], ..draft };
    assert_eq!(issue(&root), DraftFault::RootIssuer);
}

#[test]
fn keys_read_as_they_were_written_and_have_one_identifier_each() {
    for (kind, signer) in all_kinds() {
        let spki = signer.key().to_spki();
        assert_eq!(SubjectKey::from_spki(&spki).as_ref(), Ok(signer.key()), "{kind}");
        assert_eq!(signer.key().judge(), Ok(()), "{kind}");
        let mut longer = spki.clone();
        longer.push(0);
        assert!(SubjectKey::from_spki(&longer).is_err(), "{kind}");
    }
}
