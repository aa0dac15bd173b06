//! No bytes panic, and what is built reads back: properties over names, certificates, lists, answers and requests.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod x509_support;

use std::sync::LazyLock;

use proof::crypto::SubjectKey;
use proof::jws::acme::{ExternalBinding, RenewalId, Request};
use proof::jws::{Jws, parse_jwk, to_jwk};
use proof::x509::crl::{Crl, CrlDraft, Entry, Reason, Scope};
use proof::x509::der::{Reader, Writer};
use proof::x509::lint::{self, Kind};
use proof::x509::ocsp::{CertId, IdHash, OcspRequest, OcspResponse};
use proof::x509::{
    Attribute, Certificate, Csr, DnsName, Email, GeneralName, KeyId, Moment, Name, NameConstraints, Oid,
    Profile, Serial, SpiffeId, Uri, assemble, pem,
};
use proptest::prelude::*;
use x509_support::*;

/// One house for all cases.
static HOUSE: LazyLock<Hierarchy> = LazyLock::new(Hierarchy::new);
static LEAF: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let signer = Signer::p256();
    HOUSE.issuing.issue(&Parts::of(Profile::Service).draft(Profile::Service, signer.key())).unwrap()
});

/// Everything that reads bytes from outside reads these.
fn read_all(bytes: &[u8]) {
    let issuing = HOUSE.issuing.certificate();
    let _ = Csr::from_der(bytes);
    let _ = Csr::from_pem(bytes);
    let _ = SubjectKey::from_spki(bytes);
    let _ = NameConstraints::read(bytes);
    let _ = GeneralName::read_all(bytes);
    let _ = OcspRequest::parse(bytes);
    let _ = OcspResponse::parse(bytes);
    let _ = pem::decode(bytes);
    let _ = Jws::parse(bytes);
    let _ = Request::parse(bytes);
    let _ = lint::crl(bytes, &issuing);
    let _ = lint::ocsp_response(bytes, &issuing, moment(NOW_S));
    for kind in [Kind::Root, Kind::Ca, Kind::EndEntity] {
        let _ = lint::foreign_certificate(bytes, kind, Some(&issuing));
    }
    if let Ok(certificate) = Certificate::parse(bytes) {
        for profile in Profile::ALL {
            let _ = lint::certificate(bytes, profile, Some(&certificate));
        }
        let _ = certificate.subject.to_string();
    }
    if let Ok(crl) = Crl::parse(bytes) {
        let _ = crl.entries().count();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = (DnsName::parse(text), Email::parse(text), Uri::parse(text), SpiffeId::parse(text));
        let _ = (Oid::parse(text), RenewalId::parse(text));
        let _ = serde_json::from_str(text).map(|value: serde_json::Value| ExternalBinding::parse(&value));
    }
}

fn crl_of(entries: &[Entry]) -> Vec<u8> {
    let issuer = HOUSE.issuing.issuer();
    let draft = CrlDraft {
        issuer: &issuer,
        number: 1,
        this_update: moment(NOW_S),
        next_update: moment(NOW_S + DAY_S),
        scope: Scope::Everything,
        freshest: None,
        delta_base: None,
    };
    let tbs = draft.tbs(entries.iter().copied()).unwrap();
    assemble(&tbs, issuer.algorithm, &HOUSE.issuing.signer.sign(&tbs))
}

fn any_moment() -> impl Strategy<Value = Moment> {
    (-631_152_000_i64..253_402_300_799).prop_map(moment)
}

fn any_serial() -> impl Strategy<Value = Serial> {
    any::<[u8; 16]>().prop_map(Serial::from_random)
}

fn any_name() -> impl Strategy<Value = GeneralName> {
    prop_oneof![
        "[a-z][a-z0-9]{0,20}(\\.[a-z][a-z0-9]{0,20}){0,3}".prop_map(|text| dns(&text)),
        any::<[u8; 4]>().prop_map(|octets| GeneralName::Ip(octets.into())),
        any::<[u8; 16]>().prop_map(|octets| GeneralName::Ip(octets.into())),
        "[a-z]{1,10}@[a-z]{1,10}\\.example".prop_map(|text| GeneralName::Email(Email::parse(&text).unwrap())),
        "urn:[a-z]{2,9}:[a-zA-Z0-9:]{1,30}".prop_map(|text| uri(&text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_panic_nobody(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn random_text_panics_nobody(text in "\\PC{0,80}") {
        read_all(text.as_bytes());
    }

    #[test]
    fn changed_certificates_panic_nobody(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        for der in [&*LEAF, &HOUSE.issuing.der, &HOUSE.responder.der] {
            let mut bytes = der.clone();
            for (at, byte) in &changes {
                let length = bytes.len();
                bytes[at % length] = *byte;
            }
            read_all(&bytes);
            read_all(&bytes[..changes[0].0 % bytes.len()]);
        }
    }

    #[test]
    fn changed_lists_and_requests_panic_nobody(at in any::<usize>(), byte in any::<u8>()) {
        let entry = Entry {
            serial: serial(1),
            revoked_at: moment(NOW_S - 1),
            reason: Reason::Superseded,
            invalid_since: Some(moment(NOW_S - 2)),
        };
        let id = CertId::new(IdHash::Sha1, &name("x"), HOUSE.issuing.signer.key(), serial(2)).unwrap();
        let request = OcspRequest { ids: vec![id], nonce: Some(vec![1; 9]) }.write();
        for der in [crl_of(&[entry]), request] {
            let mut bytes = der;
            let length = bytes.len();
            bytes[at % length] = byte;
            read_all(&bytes);
        }
    }

    #[test]
    fn what_reads_as_der_was_written_as_der(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut reader = Reader::new(&bytes);
        while let Ok(element) = reader.any() {
            prop_assert_eq!(Writer::build(|out| out.put(element.tag, element.body)), element.whole);
        }
    }

    #[test]
    fn moments_serials_and_names_read_as_they_were_written(
        moment in any_moment(),
        serial in any_serial(),
        names in proptest::collection::vec(any_name(), 1..20),
    ) {
        let der = Writer::build(|out| moment.write(out));
        prop_assert_eq!(Moment::read(&mut Reader::new(&der)), Ok(moment));
        let der = Writer::build(|out| serial.write(out));
        prop_assert_eq!(Serial::read(&mut Reader::new(&der)), Ok(serial));
        prop_assert_eq!(der.len(), 18);
        let der = Writer::build(|out| out.sequence(|out| names.iter().for_each(|name| name.write(out))));
        prop_assert_eq!(GeneralName::read_all(&der), Ok(names));
    }

    #[test]
    fn subjects_read_as_they_were_built(common in "\\PC{1,40}", organization in "\\PC{1,40}") {
        let parts = [(Attribute::Organization, organization.as_str()), (Attribute::CommonName, common.as_str())];
        if let Ok(name) = Name::new(&parts) {
            let read = Name::read(Reader::new(name.der()).any().unwrap()).unwrap();
            prop_assert_eq!(&read, &name);
            prop_assert_eq!(read.common_name(), Some(common.as_str()));
        }
    }

    #[test]
    fn lists_read_as_they_were_built(entries in proptest::collection::vec((any_serial(), 0_usize..6, any::<bool>()), 0..40)) {
        let reasons = [0, 1, 3, 4, 5, 9];
        let entries: Vec<Entry> = entries
            .into_iter()
            .map(|(serial, reason, dated)| Entry {
                serial,
                revoked_at: moment(NOW_S - 7),
                reason: Reason::from_code(reasons[reason]).unwrap(),
                invalid_since: dated.then(|| moment(NOW_S - 8)),
            })
            .collect();
        let der = crl_of(&entries);
        let read: Result<Vec<Entry>, _> = Crl::parse(&der).unwrap().entries().collect();
        prop_assert_eq!(read, Ok(entries));
    }

    #[test]
    fn renewal_ids_and_identifiers_read_as_they_were_written(
        authority in any::<[u8; 20]>(),
        serial in any_serial(),
        arcs in proptest::collection::vec(any::<u32>(), 0..6),
    ) {
        let id = RenewalId { authority: KeyId(authority), serial };
        prop_assert_eq!(RenewalId::parse(&id.to_string()), Some(id));
        let arcs = [&[1, 3][..], &arcs].concat();
        let oid = Oid::from_arcs(&arcs).unwrap();
        prop_assert_eq!(Oid::parse(&oid.to_string()), Some(oid));
        prop_assert_eq!(Oid::from_body(oid.body()), Ok(oid));
    }
}

#[test]
fn keys_read_from_the_jwk_that_they_are_written_as() {
    for (kind, signer) in all_kinds() {
        let algorithm = match signer.key() {
            SubjectKey::P256(_) => proof::jws::Algorithm::Es256,
            SubjectKey::P384(_) => proof::jws::Algorithm::Es384,
            SubjectKey::Ed25519(_) => proof::jws::Algorithm::EdDsa,
            SubjectKey::Rsa(_) => proof::jws::Algorithm::Rs256,
        };
        assert_eq!(parse_jwk(&to_jwk(signer.key()), algorithm).as_ref(), Ok(signer.key()), "{kind}");
    }
}

#[test]
fn endless_nesting_and_false_lengths_are_refused_at_once() {
    let mut bytes = Vec::new();
    for _ in 0..60_000 {
        bytes.extend([0x30, 0x80]);
    }
    let started = std::time::Instant::now();
    read_all(&bytes);
    read_all(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]);
    assert!(started.elapsed().as_millis() < 500);
}
