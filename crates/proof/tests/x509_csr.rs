//! Certificate requests: what clients send is read, what they must not ask for is refused by name.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod x509_support;

use proof::crypto::{KeyRefusal, SubjectKey};
use proof::x509::der::{SEQUENCE, Writer, context_constructed};
use proof::x509::names::{DnsFault, GeneralNameFault};
use proof::x509::{Csr, CsrFault, Name, Oid, extension, oid, pem};
use x509_support::*;

type Part<'a> = &'a dyn Fn(&mut Writer);

/// A request signed by this key.
fn request(signer: &Signer, key: &SubjectKey, subject: &Name, attributes: Part<'_>) -> Vec<u8> {
    let information = Writer::build(|out| {
        out.sequence(|out| {
            out.small(0);
            out.raw(subject.der());
            key.write_spki(out);
            out.nested(context_constructed(0), |out| attributes(out));
        });
    });
    proof::x509::assemble(&information, signer.algorithm(), &signer.sign(&information))
}

fn extension_request(out: &mut Writer, extensions: Part<'_>) {
    out.sequence(|out| {
        out.oid(&oid::EXTENSION_REQUEST);
        out.set(|out| out.sequence(|out| extensions(out)));
    });
}

/// A request with these extensions, read.
fn with(extensions: Part<'_>) -> Result<Csr, CsrFault> {
    let signer = Signer::p256();
    let attributes = |out: &mut Writer| extension_request(out, extensions);
    Csr::from_der(&request(&signer, signer.key(), &Name::empty(), &attributes))
}

fn names(out: &mut Writer, names: &[(u8, &[u8])]) {
    extension::write(out, &oid::SUBJECT_ALT_NAME, false, |out| {
        out.nested(SEQUENCE, |out| names.iter().for_each(|(tag, body)| out.put(*tag, body)));
    });
}

#[test]
fn requests_of_every_key_are_read_from_der_and_pem() {
    for (kind, signer) in all_kinds() {
        let subject = name("svc.dev.example");
        let ask = |out: &mut Writer| {
            extension_request(out, &|out| names(out, &[(0x82, b"A.dev.example"), (0x87, &[10, 0, 0, 1])]));
        };
        let der = request(signer, signer.key(), &subject, &ask);
        let csr = Csr::from_der(&der).unwrap_or_else(|fault| panic!("{kind}: {fault}"));
        assert_eq!((&csr.key, &csr.subject), (signer.key(), &subject));
        let texts: Vec<String> = csr.names.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["dns:a.dev.example", "ip:10.0.0.1"]);
        let text = pem::encode(pem::Label::CertificateRequest, &der);
        assert_eq!(Csr::from_pem(text.as_bytes()), Ok(csr));
    }
}

#[test]
fn usage_is_advice_and_stapling_a_wish() {
    let csr = with(&|out| {
        extension::write(out, &oid::KEY_USAGE, true, |out| out.named_bits(0x8000));
        extension::write(out, &oid::EXTENDED_KEY_USAGE, false, |out| {
            out.sequence(|out| out.oid(&oid::SERVER_AUTH))
        });
        extension::write(out, &oid::BASIC_CONSTRAINTS, true, |out| out.raw(&[0x30, 0]));
        extension::write(out, &oid::SUBJECT_KEY_ID, false, |out| out.octet_string(&[1; 20]));
        extension::write(out, &oid::TLS_FEATURE, false, |out| out.sequence(|out| out.small(5)));
    })
    .unwrap();
    assert_eq!(csr.key_usage, Some(0x8000));
    assert_eq!(csr.extended_key_usage, [oid::SERVER_AUTH]);
    assert!(csr.must_staple && csr.names.is_empty());
}

#[test]
fn a_name_that_stands_twice_is_asked_for_once_in_the_order_of_the_request() {
    let csr =
        with(&|out| names(out, &[(0x82, b"b.example"), (0x82, b"a.example"), (0x82, b"B.EXAMPLE")])).unwrap();
    let texts: Vec<String> = csr.names.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["dns:b.example", "dns:a.example"]);
}

#[test]
fn what_may_not_be_asked_for_is_refused_by_name() {
    let ca = with(&|out| {
        extension::write(out, &oid::BASIC_CONSTRAINTS, true, |out| out.raw(&[0x30, 3, 1, 1, 0xff]))
    });
    assert_eq!(ca, Err(CsrFault::AsksForCa));
    let unknown = with(&|out| extension::write(out, &policy(5), false, Writer::null));
    assert_eq!(unknown, Err(CsrFault::Extension(policy(5))));
    let acme =
        with(&|out| extension::write(out, &oid::ACME_IDENTIFIER, true, |out| out.octet_string(&[0; 32])));
    assert_eq!(acme, Err(CsrFault::Extension(oid::ACME_IDENTIFIER)));
    let features = with(&|out| {
        extension::write(out, &oid::TLS_FEATURE, false, |out| out.sequence(|out| out.small(17)));
    });
    assert_eq!(features, Err(CsrFault::Extension(oid::TLS_FEATURE)));
    let twice = with(&|out| {
        names(out, &[(0x82, b"a.example")]);
        names(out, &[(0x82, b"b.example")]);
    });
    assert_eq!(twice, Err(CsrFault::Twice(oid::SUBJECT_ALT_NAME)));

    let password = Oid::parse("1.2.840.113549.1.9.7").unwrap();
    let signer = Signer::p256();
    let attributes = |out: &mut Writer| {
        out.sequence(|out| {
            out.oid(&password);
            out.set(|out| out.put(0x0c, b"secret"));
        });
    };
    let der = request(&signer, signer.key(), &Name::empty(), &attributes);
    assert_eq!(Csr::from_der(&der), Err(CsrFault::Attribute(password)));
}

#[test]
fn names_that_are_none_are_refused_with_their_fault() {
    let fault = |tag: u8, body: &'static [u8]| match with(&|out| names(out, &[(tag, body)])) {
        Err(CsrFault::Name(fault)) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(0x82, b"a_b.example"), GeneralNameFault::Dns(DnsFault::Underscore));
    assert_eq!(fault(0x82, "bücher.example".as_bytes()), GeneralNameFault::Dns(DnsFault::NotAscii));
    assert_eq!(fault(0x82, b"a\0.example"), GeneralNameFault::Dns(DnsFault::Control));
    assert_eq!(fault(0x82, b"10.0.0.1"), GeneralNameFault::Dns(DnsFault::Address));
    assert_eq!(fault(0x87, b"12345"), GeneralNameFault::Ip);
    assert_eq!(fault(0x81, b"nobody"), GeneralNameFault::Email);
    assert_eq!(fault(0x88, &[0x2a]), GeneralNameFault::Kind(8));
    assert_eq!(fault(0xa4, &[0x30, 0]), GeneralNameFault::Kind(4));
    let many: Vec<(u8, &[u8])> = vec![(0x82, b"a.example"); 101];
    assert_eq!(with(&|out| names(out, &many)), Err(CsrFault::Name(GeneralNameFault::TooMany)));
    assert_eq!(with(&|out| names(out, &[])), Err(CsrFault::Name(GeneralNameFault::Empty)));
}

#[test]
fn who_has_not_the_key_gets_no_certificate() {
    let (signer, other) = (Signer::p256(), Signer::p256());
    let der = request(&signer, other.key(), &Name::empty(), &|_| {});
    assert_eq!(Csr::from_der(&der), Err(CsrFault::Possession));
    let mixed = request(&Signer::ed25519(), signer.key(), &Name::empty(), &|_| {});
    assert_eq!(Csr::from_der(&mixed), Err(CsrFault::Possession));
    let der = request(&signer, signer.key(), &Name::empty(), &|_| {});
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        assert!(Csr::from_der(&changed).is_err(), "octet {at}");
    }
}

#[test]
fn requests_over_their_bounds_are_refused() {
    assert_eq!(Csr::from_der(&vec![0x30; 16 * 1024 + 1]), Err(CsrFault::TooLarge));
    assert_eq!(Csr::from_pem(&vec![b'-'; 64 * 1024]), Err(CsrFault::TooLarge));
    let signer = Signer::p256();
    let many = |out: &mut Writer| {
        extension_request(out, &|out| {
            (0..65).for_each(|number| extension::write(out, &policy(number), false, Writer::null));
        });
    };
    assert!(matches!(
        Csr::from_der(&request(&signer, signer.key(), &Name::empty(), &many)),
        Err(CsrFault::Form(_))
    ));
}

#[test]
fn limbo_s_weak_keys_have_their_reasons() {
    let Some(folder) = vectors("x509-limbo") else { return };
    let limbo: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("limbo.json")).unwrap()).unwrap();
    let key = |id: &str, field: &str| {
        let case = limbo["testcases"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap();
        let text = if field == "root" { &case["trusted_certs"][0] } else { &case["peer_certificate"] };
        let der = pem::one(text.as_str().unwrap().as_bytes(), pem::Label::Certificate).unwrap();
        proof::x509::Certificate::parse(&der).unwrap().key().unwrap_err()
    };
    assert_eq!(key("webpki::forbidden-p192-leaf", "leaf"), KeyRefusal::Curve);
    assert_eq!(key("webpki::forbidden-dsa-leaf", "leaf"), KeyRefusal::Dsa);
    assert_eq!(key("webpki::explicit-curve", "root"), KeyRefusal::ExplicitCurve);
    assert!(matches!(key("webpki::forbidden-weak-rsa-in-leaf", "leaf"), KeyRefusal::RsaSmall { .. }));
    let length = key("webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf", "leaf");
    assert!(matches!(length, KeyRefusal::RsaLength { .. }));
}
