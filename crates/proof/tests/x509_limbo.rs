//! Shapes of x509-limbo beyond its defects (`x509_lint.rs`): what an issuer may name, what another reader sees in the same
//! bytes, and that we can issue what verifiers accept.
//!
//! Never here: a copy of a case; they are read from the vectors.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod x509_support;

use std::sync::Arc;
use std::time::Duration;

use proof::x509::crl::Crl;
use proof::x509::{Certificate, GeneralName, Profile, pem};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::Value;
use x509_parser::prelude::FromDer as _;
use x509_support::*;

/// Cases about name constraints that differ for an issuer, with the reason. One that does not differ any more fails.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "rfc5280::nc::permitted-dn-match",
        "constraints on distinguished names are not judged, and what is not judged forbids",
    ),
    (
        "rfc5280::nc::nc-forbids-othername-noop",
        "constraints on otherName are not judged, and what is not judged forbids",
    ),
    (
        "rfc5280::nc::permitted-dns-match-noncritical",
        "the authority's form is wrong, not the leaf's names: the lint finds it",
    ),
    (
        "rfc5280::nc::not-allowed-in-ee-noncritical",
        "the leaf's form is wrong, not its names: the lint finds it",
    ),
    ("rfc5280::nc::not-allowed-in-ee-critical", "the leaf's form is wrong, not its names: the lint finds it"),
    (
        "rfc5280::nc::intermediate-with-san-rejected-by-intermediate-nc",
        "an authority has the wrong name; ours have none",
    ),
    (
        "rfc5280::nc::intermediate-with-san-rejected-by-root-nc",
        "an authority has the wrong name; ours have none",
    ),
];

fn cases() -> Option<Vec<Value>> {
    let folder = vectors("x509-limbo")?;
    let limbo: Value = serde_json::from_slice(&std::fs::read(folder.join("limbo.json")).unwrap()).unwrap();
    limbo["testcases"].as_array().cloned()
}

fn ders(case: &Value, list: &str) -> Vec<Vec<u8>> {
    case[list].as_array().into_iter().flatten().map(der).collect()
}

fn der(text: &Value) -> Vec<u8> {
    pem::one(text.as_str().unwrap().as_bytes(), pem::Label::Certificate).unwrap()
}

/// Whether the authorities above would let us issue a certificate with the names of this one.
fn may_issue(leaf: &[u8], above: &[Vec<u8>]) -> bool {
    let Ok(leaf) = Certificate::parse(leaf) else { return false };
    let Ok(names) = leaf.names() else { return false };
    above.iter().all(|authority| {
        let Ok(authority) = Certificate::parse(authority) else { return false };
        match authority.name_constraints() {
            Err(_) => false,
            Ok(None) => true,
            Ok(Some(constraints)) => names.iter().all(|name| constraints.check(name).is_ok()),
        }
    })
}

#[test]
fn what_limbo_s_constraints_forbid_is_not_issued() {
    let Some(cases) = cases() else { return };
    let mut wrong = Vec::new();
    let mut counts = (0, 0);
    for case in cases.iter().filter(|case| case["id"].as_str().unwrap().contains("::nc::")) {
        let id = case["id"].as_str().unwrap();
        let above = [ders(case, "untrusted_intermediates"), ders(case, "trusted_certs")].concat();
        let may = may_issue(&der(&case["peer_certificate"]), &above);
        let accepted = case["expected_result"] == "SUCCESS";
        let differs = DIFFERENT.iter().any(|(known, _)| *known == id);
        if (may != accepted) != differs {
            wrong.push(format!("{id}: accepted {accepted}, issued {may}, known to differ {differs}"));
        }
        if accepted { counts.0 += 1 } else { counts.1 += 1 }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts, (18, 34));
}

#[test]
fn another_reader_sees_the_same_in_every_certificate_and_list_of_limbo() {
    let Some(cases) = cases() else { return };
    let (mut both, mut ours_alone, mut theirs_alone) = (0, 0, 0);
    for case in &cases {
        let all = [
            ders(case, "trusted_certs"),
            ders(case, "untrusted_intermediates"),
            vec![der(&case["peer_certificate"])],
        ];
        for der in all.concat() {
            let theirs = x509_parser::certificate::X509Certificate::from_der(&der);
            match (Certificate::parse(&der), theirs) {
                (Ok(ours), Ok((rest, theirs))) => {
                    assert!(rest.is_empty());
                    assert_eq!(theirs.raw_serial(), ours.serial_content);
                    assert_eq!(theirs.subject().as_raw(), ours.subject.der());
                    assert_eq!(theirs.issuer().as_raw(), ours.issuer.der());
                    assert_eq!(theirs.public_key().raw, ours.spki);
                    assert_eq!(theirs.extensions().len(), ours.extensions.len());
                    both += 1;
                }
                (Ok(_), Err(_)) => ours_alone += 1,
                (Err(_), Ok(_)) => theirs_alone += 1,
                (Err(_), Err(_)) => {}
            }
        }
        for list in case["crls"].as_array().into_iter().flatten() {
            let der = pem::one(list.as_str().unwrap().as_bytes(), pem::Label::Crl).unwrap();
            let ours = Crl::parse(&der).unwrap();
            let (_, theirs) =
                x509_parser::revocation_list::CertificateRevocationList::from_der(&der).unwrap();
            assert_eq!(theirs.iter_revoked_certificates().count(), ours.entries().count());
            assert_eq!(theirs.issuer().as_raw(), ours.issuer.der());
        }
    }
    assert_eq!((both, ours_alone, theirs_alone), (1946, 0, 2));
}

/// Names of a certificate that a verifier accepts, when they are of the kinds that hosts have.
fn names_of_a_host(der: &[u8]) -> Option<Vec<GeneralName>> {
    let names = Certificate::parse(der).ok()?.names().ok()?;
    let of_host = |name: &GeneralName| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_));
    (!names.is_empty() && names.iter().all(of_host)).then_some(names)
}

#[test]
fn every_shape_of_names_that_verifiers_accept_is_issued_and_accepted() {
    let Some(cases) = cases() else { return };
    let house = Hierarchy::of(Arc::new(Signer::p384()), Arc::new(Signer::p256()), None);
    let key = Signer::p256();
    let (mut issued, mut others) = (0, 0);
    for case in cases.iter().filter(|case| case["expected_result"] == "SUCCESS") {
        let peer = der(&case["peer_certificate"]);
        let Some(names) = names_of_a_host(&peer) else {
            // mailboxes, a distinguished name, and the hundreds of names of two public sites
            others += 1;
            continue;
        };
        let subject = proof::x509::Name::empty();
        let parts = Parts { subject, names, ..Parts::of(Profile::Server) };
        let leaf = house.issuing.issue(&parts.draft(Profile::Server, key.key())).unwrap();
        let expected = case["expected_peer_name"]["value"].as_str().map(str::to_owned);
        accepted(&house, &leaf, expected.as_deref());
        issued += 1;
    }
    assert_eq!((issued, others), (100, 8));
}

/// Asserts that webpki accepts a leaf of the house, and under this name.
fn accepted(house: &Hierarchy, leaf: &[u8], name: Option<&str>) {
    let root = CertificateDer::from(house.root.der.as_slice());
    let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
    let between = [CertificateDer::from(house.issuing.der.as_slice())];
    let leaf = CertificateDer::from(leaf);
    let certificate = webpki::EndEntityCert::try_from(&leaf).unwrap();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW_S as u64));
    let usage = webpki::KeyUsage::server_auth();
    let (known, none) = (webpki::ALL_VERIFICATION_ALGS, None);
    certificate.verify_for_usage(known, &anchors, &between, time, usage, none, None).unwrap();
    if let Some(name) = name.and_then(|name| ServerName::try_from(name.to_owned()).ok()) {
        certificate.verify_is_valid_for_subject_name(&name).unwrap();
    }
}
