//! Each defect that a CA must refuse to issue is found by its rule: in the certificates of x509-limbo, and in our own
//! certificates after one change.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod x509_support;

use std::collections::BTreeSet;

use proof::x509::der::{Reader, SEQUENCE, Writer, context_constructed};
use proof::x509::lint::{self, Finding, Kind};
use proof::x509::{Certificate, Oid, Profile, extension, oid, pem};
use x509_support::*;

/// Which certificate of a case has the defect.
#[derive(Clone, Copy)]
enum Which {
    Leaf,
    Intermediate,
    Root,
}
use Which::{Intermediate, Leaf, Root};

/// Case of x509-limbo, the certificate with the defect, the rule that finds it. Two cases about intermediates
/// (`intermediate-ca-missing-basic-constraints`, `ica-ku-keycertsign`) come without that intermediate; their defects
/// stand in `CA_CHANGES`.
const LIMBO: &[(&str, Which, &str)] = &[
    ("rfc5280::serial::too-long", Leaf, "selo.serial.form"),
    ("rfc5280::serial::zero", Leaf, "selo.serial.form"),
    ("rfc5280::serial::negative", Leaf, "selo.serial.form"),
    ("webpki::san::san-critical-with-nonempty-subject", Leaf, "selo.san.critical"),
    ("rfc5280::san::noncritical-with-empty-subject", Leaf, "selo.san.critical"),
    ("rfc5280::san::malformed", Leaf, "selo.san.form"),
    ("rfc5280::san::ip-in-dns", Leaf, "selo.san.form"),
    ("rfc5280::san::underscore-dns", Leaf, "selo.san.form"),
    ("webpki::san::wildcard-embedded-ulabel-san", Leaf, "selo.san.form"),
    ("webpki::san::unicode-emoji-san", Leaf, "selo.san.form"),
    ("webpki::san::wildcard-embedded-leftmost-san", Leaf, "selo.san.form"),
    ("webpki::san::wildcard-not-in-leftmost-san", Leaf, "selo.san.form"),
    ("webpki::san::san-wildcard-only", Leaf, "selo.san.form"),
    ("webpki::san::san-wildcard-only-tld", Leaf, "selo.san.form"),
    ("webpki::san::public-suffix-wildcard-san", Leaf, "selo.san.form"),
    ("webpki::san::no-san", Leaf, "selo.san.present"),
    ("webpki::cn::not-in-san", Leaf, "selo.name.common"),
    ("webpki::cn::case-mismatch", Leaf, "selo.name.common"),
    ("webpki::cn::punycode-not-in-san", Leaf, "selo.name.common"),
    ("webpki::cn::utf8-vs-punycode-mismatch", Leaf, "selo.name.common"),
    ("webpki::cn::ipv4-hex-mismatch", Leaf, "selo.name.common"),
    ("webpki::cn::ipv4-leading-zeros-mismatch", Leaf, "selo.name.common"),
    ("webpki::cn::ipv6-uppercase-mismatch", Leaf, "selo.name.common"),
    ("webpki::cn::ipv6-uncompressed-mismatch", Leaf, "selo.name.common"),
    ("webpki::cn::ipv6-non-rfc5952-mismatch", Leaf, "selo.name.common"),
    ("webpki::ee-basicconstraints-ca", Leaf, "selo.basic.leaf"),
    ("webpki::ca-as-leaf", Leaf, "selo.basic.leaf"),
    ("rfc5280::leaf-ku-keycertsign", Leaf, "selo.ku.leaf"),
    ("rfc5280::nc::not-allowed-in-ee-noncritical", Leaf, "selo.nc.leaf"),
    ("rfc5280::nc::not-allowed-in-ee-critical", Leaf, "selo.nc.leaf"),
    ("rfc5280::intermediate-ca-without-ca-bit", Intermediate, "selo.basic.ca"),
    ("rfc5280::root-missing-basic-constraints", Root, "selo.basic.ca"),
    ("rfc5280::root-non-critical-basic-constraints", Root, "selo.basic.critical"),
    ("rfc5280::root-inconsistent-ca-extensions", Root, "selo.ku.ca"),
    ("rfc5280::ca-empty-subject", Root, "selo.name.subject"),
    ("rfc5280::ee-empty-issuer", Leaf, "selo.name.issuer"),
    ("rfc5280::aki::leaf-missing-aki", Leaf, "selo.aki.present"),
    ("rfc5280::aki::intermediate-missing-aki", Intermediate, "selo.aki.present"),
    ("rfc5280::aki::critical-aki", Root, "selo.aki.critical"),
    ("webpki::aki::root-with-aki-missing-keyidentifier", Root, "selo.aki.form"),
    ("webpki::aki::root-with-aki-authoritycertissuer", Root, "selo.aki.form"),
    ("webpki::aki::root-with-aki-authoritycertserialnumber", Root, "selo.aki.form"),
    ("webpki::aki::root-with-aki-all-fields", Root, "selo.aki.form"),
    ("webpki::aki::root-with-aki-ski-mismatch", Root, "selo.aki.present"),
    ("rfc5280::ski::critical-ski", Root, "selo.ski.critical"),
    ("rfc5280::ski::root-missing-ski", Root, "selo.ski.present"),
    ("rfc5280::ski::intermediate-missing-ski", Intermediate, "selo.ski.present"),
    ("webpki::eku::ee-critical-eku", Leaf, "selo.eku.critical"),
    ("webpki::eku::ee-anyeku", Leaf, "selo.eku.any"),
    ("webpki::eku::ee-without-eku", Leaf, "selo.eku.present"),
    ("rfc5280::eku::ee-eku-empty", Leaf, "selo.eku.form"),
    ("webpki::eku::root-has-eku", Root, "selo.eku.root"),
    ("rfc5280::ee-critical-aia-invalid", Leaf, "selo.aia.critical"),
    ("webpki::malformed-aia", Leaf, "selo.aia.form"),
    ("rfc5280::pc::ica-noncritical-pc", Intermediate, "selo.extensions.known"),
    ("rfc5280::nc::permitted-dns-match-noncritical", Root, "selo.nc.critical"),
    ("webpki::nc::intermediate-permitted-excluded-subtrees-both-null", Intermediate, "selo.nc.form"),
    (
        "webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences",
        Intermediate,
        "selo.nc.form",
    ),
    ("rfc5280::nc::invalid-dnsname-wildcard", Root, "selo.nc.form"),
    ("rfc5280::nc::invalid-dnsname-leading-period", Root, "selo.nc.form"),
    ("rfc5280::nc::invalid-ipv4-address", Root, "selo.nc.form"),
    ("rfc5280::nc::invalid-ipv6-address", Root, "selo.nc.form"),
    ("rfc5280::nc::invalid-email-address", Root, "selo.nc.form"),
    ("rfc5280::nc::permitted-dns-mismatch", Leaf, "selo.issuer.constraints"),
    ("rfc5280::nc::excluded-dns-match", Leaf, "selo.issuer.constraints"),
    ("rfc5280::nc::permitted-ip-mismatch", Leaf, "selo.issuer.constraints"),
    ("rfc5280::nc::excluded-ipv4-match", Leaf, "selo.issuer.constraints"),
    ("rfc5280::nc::excluded-ipv6-match", Leaf, "selo.issuer.constraints"),
    ("rfc5280::nc::excluded-match-permitted-and-excluded", Leaf, "selo.issuer.constraints"),
    ("rfc5280::duplicate-extensions", Leaf, "selo.extensions.unique"),
    ("rfc5280::unknown-critical-extension-ee", Leaf, "selo.extensions.known"),
    ("rfc5280::unknown-critical-extension-root", Root, "selo.extensions.known"),
    ("rfc5280::unknown-critical-extension-intermediate", Intermediate, "selo.extensions.known"),
    ("rfc5280::mismatching-signature-algorithm", Leaf, "selo.form.algorithms_equal"),
    ("webpki::v1-cert", Leaf, "selo.form.version"),
    ("webpki::forbidden-p192-leaf", Leaf, "selo.key.accepted"),
    ("webpki::forbidden-p192-root", Root, "selo.key.accepted"),
    ("webpki::forbidden-dsa-leaf", Leaf, "selo.key.accepted"),
    ("webpki::forbidden-dsa-root", Root, "selo.key.accepted"),
    ("webpki::forbidden-weak-rsa-in-leaf", Leaf, "selo.key.accepted"),
    ("webpki::forbidden-weak-rsa-key-in-root", Root, "selo.key.accepted"),
    ("webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf", Leaf, "selo.key.accepted"),
    ("webpki::forbidden-rsa-not-divisible-by-8-in-root", Root, "selo.key.accepted"),
    ("webpki::explicit-curve", Root, "selo.key.accepted"),
];

fn ids(findings: &[Finding]) -> BTreeSet<&'static str> {
    findings.iter().map(|finding| finding.id).collect()
}

#[test]
fn the_defects_of_x509_limbo_are_found_by_their_rules() {
    let Some(folder) = vectors("x509-limbo") else { return };
    let limbo: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("limbo.json")).unwrap()).unwrap();
    let cases = limbo["testcases"].as_array().unwrap();
    let der = |text: &serde_json::Value| pem_der(text.as_str().unwrap());
    let mut missed = Vec::new();
    for (id, which, rule) in LIMBO {
        let case = cases.iter().find(|case| case["id"] == *id).unwrap_or_else(|| panic!("{id} is no case"));
        let root = der(&case["trusted_certs"][0]);
        let between: Vec<Vec<u8>> =
            case["untrusted_intermediates"].as_array().unwrap().iter().map(der).collect();
        let leaf = der(&case["peer_certificate"]);
        let above_leaf = between.first().unwrap_or(&root);
        let found = match which {
            Leaf => lint::foreign_certificate(
                &leaf,
                Kind::EndEntity,
                Certificate::parse(above_leaf).ok().as_ref(),
            ),
            Intermediate => {
                let issuer = Certificate::parse(&root).ok();
                lint::foreign_certificate(&between[0], Kind::Ca, issuer.as_ref())
            }
            Root => lint::foreign_certificate(&root, Kind::Root, None),
        };
        if !ids(&found).contains(rule) {
            missed.push(format!("{id}: {rule} not in {:?}", ids(&found)));
        }
        assert!(lint::refuses(&found));
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Limbo's PEM; its certificates are not all such that a strict reader of PEM minds.
fn pem_der(text: &str) -> Vec<u8> {
    pem::one(text.as_bytes(), pem::Label::Certificate).unwrap()
}

/// The parts of a certificate, to be changed and put together again; the signature does not matter to the lint.
struct Edit {
    fields: Vec<Vec<u8>>,
    extensions: Vec<(Oid, bool, Vec<u8>)>,
    outer_algorithm: Vec<u8>,
}

const SERIAL: usize = 1;
const ALGORITHM: usize = 2;
const ISSUER: usize = 3;
const VALIDITY: usize = 4;
const SUBJECT: usize = 5;
const KEY: usize = 6;

impl Edit {
    fn of(der: &[u8]) -> Self {
        let certificate = Certificate::parse(der).unwrap();
        let mut reader = Reader::new(certificate.tbs).sequence().unwrap();
        let fields = (0..7).map(|_| reader.any().unwrap().whole.to_vec()).collect();
        let extensions = certificate.extensions.iter().map(|one| (one.oid, one.critical, one.value.to_vec()));
        Self {
            fields,
            extensions: extensions.collect(),
            outer_algorithm: certificate.outer_algorithm.to_vec(),
        }
    }

    fn der(&self) -> Vec<u8> {
        Writer::build(|out| {
            out.sequence(|out| {
                out.sequence(|out| {
                    self.fields.iter().for_each(|field| out.raw(field));
                    if self.extensions.is_empty() {
                        return;
                    }
                    out.nested(context_constructed(3), |out| {
                        out.nested(SEQUENCE, |out| {
                            for (oid, critical, value) in &self.extensions {
                                extension::write(out, oid, *critical, |out| out.raw(value));
                            }
                        });
                    });
                });
                out.raw(&self.outer_algorithm);
                out.bit_string(&[0; 64]);
            });
        })
    }

    fn at(&mut self, oid: Oid) -> &mut (Oid, bool, Vec<u8>) {
        self.extensions.iter_mut().find(|one| one.0 == oid).unwrap()
    }

    fn without(&mut self, oid: Oid) {
        self.extensions.retain(|one| one.0 != oid);
    }

    fn flip(&mut self, oid: Oid) {
        let extension = self.at(oid);
        extension.1 = !extension.1;
    }

    fn value(&mut self, oid: Oid, fill: impl FnOnce(&mut Writer)) {
        self.at(oid).2 = Writer::build(fill);
    }
}

type Change = fn(&mut Edit);

fn general_names(out: &mut Writer, names: &[(u8, &[u8])]) {
    out.sequence(|out| names.iter().for_each(|(tag, body)| out.put(*tag, body)));
}

/// One change of a service's certificate and the rule that finds it.
const LEAF_CHANGES: &[(&str, Change, &str)] = &[
    ("v1", |edit| edit.fields[0] = vec![], "selo.form.version"),
    ("serial zero", |edit| edit.fields[SERIAL] = vec![2, 1, 0], "selo.serial.form"),
    ("serial negative", |edit| edit.fields[SERIAL] = vec![2, 1, 0x80], "selo.serial.form"),
    (
        "serial of 21 octets",
        |edit| edit.fields[SERIAL] = [&[2, 21][..], &[1; 21]].concat(),
        "selo.serial.form",
    ),
    ("serial too short", |edit| edit.fields[SERIAL] = vec![2, 1, 1], "selo.profile.serial"),
    (
        "another algorithm inside",
        |edit| edit.fields[ALGORITHM] = vec![0x30, 5, 6, 3, 0x2b, 0x65, 0x70],
        "selo.form.algorithms_equal",
    ),
    ("no issuer", |edit| edit.fields[ISSUER] = vec![0x30, 0], "selo.name.issuer"),
    ("another issuer", |edit| edit.fields[ISSUER] = name("Other").der().to_vec(), "selo.issuer.name"),
    ("its own issuer", |edit| edit.fields[ISSUER] = edit.fields[SUBJECT].clone(), "selo.issuer.self"),
    (
        "fractional seconds",
        |edit| {
            edit.fields[VALIDITY] = Writer::build(|out| {
                out.sequence(|out| {
                    out.put(0x18, b"20261120000000.5Z");
                    out.put(0x17, b"261121000000Z");
                });
            });
        },
        "selo.validity.form",
    ),
    (
        "too long",
        |edit| edit.fields[VALIDITY] = Writer::build(|out| validity(NOW_S, 91).write(out)),
        "selo.profile.lifetime",
    ),
    (
        "outlives its issuer",
        |edit| edit.fields[VALIDITY] = Writer::build(|out| validity(NOW_S, 3000).write(out)),
        "selo.issuer.validity",
    ),
    ("no subject", |edit| edit.fields[SUBJECT] = vec![0x30, 0], "selo.san.critical"),
    ("another common name", |edit| edit.fields[SUBJECT] = name("x").der().to_vec(), "selo.name.common"),
    ("an extension twice", |edit| edit.extensions.push(edit.extensions[0].clone()), "selo.extensions.unique"),
    ("order changed", |edit| edit.extensions.reverse(), "selo.profile.order"),
    (
        "unknown critical extension",
        |edit| edit.extensions.push((policy(7), true, vec![5, 0])),
        "selo.extensions.known",
    ),
    (
        "policyConstraints",
        |edit| edit.extensions.push((oid::POLICY_CONSTRAINTS, false, vec![0x30, 0])),
        "selo.extensions.known",
    ),
    ("no keyUsage", |edit| edit.without(oid::KEY_USAGE), "selo.ku.present"),
    ("keyUsage not critical", |edit| edit.flip(oid::KEY_USAGE), "selo.ku.critical"),
    ("keyCertSign", |edit| edit.value(oid::KEY_USAGE, |out| out.named_bits(0x8400)), "selo.ku.leaf"),
    ("keyEncipherment on EC", |edit| edit.value(oid::KEY_USAGE, |out| out.named_bits(0xa000)), "selo.ku.key"),
    (
        "another usage",
        |edit| edit.value(oid::KEY_USAGE, |out| out.named_bits(0xc000)),
        "selo.profile.key_usage",
    ),
    ("no extended usage", |edit| edit.without(oid::EXTENDED_KEY_USAGE), "selo.eku.present"),
    ("extended usage critical", |edit| edit.flip(oid::EXTENDED_KEY_USAGE), "selo.eku.critical"),
    (
        "any extended usage",
        |edit| {
            edit.value(oid::EXTENDED_KEY_USAGE, |out| {
                out.sequence(|out| out.oid(&oid::ANY_EXTENDED_KEY_USAGE))
            });
        },
        "selo.eku.any",
    ),
    (
        "empty extended usage",
        |edit| edit.value(oid::EXTENDED_KEY_USAGE, |out| out.raw(&[0x30, 0])),
        "selo.eku.form",
    ),
    (
        "another extended usage",
        |edit| edit.value(oid::EXTENDED_KEY_USAGE, |out| out.sequence(|out| out.oid(&oid::CLIENT_AUTH))),
        "selo.profile.extended_usage",
    ),
    ("no key identifier", |edit| edit.without(oid::SUBJECT_KEY_ID), "selo.ski.present"),
    ("key identifier critical", |edit| edit.flip(oid::SUBJECT_KEY_ID), "selo.ski.critical"),
    (
        "another key identifier",
        |edit| edit.value(oid::SUBJECT_KEY_ID, |out| out.octet_string(&[1; 20])),
        "selo.ski.form",
    ),
    ("no issuer's key", |edit| edit.without(oid::AUTHORITY_KEY_ID), "selo.aki.present"),
    ("issuer's key critical", |edit| edit.flip(oid::AUTHORITY_KEY_ID), "selo.aki.critical"),
    (
        "issuer's key with a serial",
        |edit| {
            edit.value(oid::AUTHORITY_KEY_ID, |out| {
                out.sequence(|out| {
                    out.put(0x80, &[1; 20]);
                    out.put(0x82, &[1]);
                });
            });
        },
        "selo.aki.form",
    ),
    (
        "another issuer's key",
        |edit| edit.value(oid::AUTHORITY_KEY_ID, |out| out.sequence(|out| out.put(0x80, &[1; 20]))),
        "selo.aki.equal",
    ),
    ("no names", |edit| edit.without(oid::SUBJECT_ALT_NAME), "selo.san.present"),
    ("names critical", |edit| edit.flip(oid::SUBJECT_ALT_NAME), "selo.san.critical"),
    (
        "names malformed",
        |edit| edit.value(oid::SUBJECT_ALT_NAME, |out| out.raw(b"\x04\x00")),
        "selo.san.form",
    ),
    (
        "underscore",
        |edit| edit.value(oid::SUBJECT_ALT_NAME, |out| general_names(out, &[(0x82, b"a_b.dev.example")])),
        "selo.san.form",
    ),
    (
        "a name twice",
        |edit| {
            edit.value(oid::SUBJECT_ALT_NAME, |out| {
                general_names(out, &[(0x82, b"svc.dev.example"), (0x82, b"svc.dev.example")]);
            });
        },
        "selo.san.unique",
    ),
    (
        "a name of another kind",
        |edit| edit.value(oid::SUBJECT_ALT_NAME, |out| general_names(out, &[(0x86, b"urn:a:b")])),
        "selo.profile.names",
    ),
    (
        "a name outside the constraints",
        |edit| edit.value(oid::SUBJECT_ALT_NAME, |out| general_names(out, &[(0x82, b"a.other.example")])),
        "selo.issuer.constraints",
    ),
    (
        "says that it is a CA",
        |edit| edit.extensions.insert(0, (oid::BASIC_CONSTRAINTS, true, vec![0x30, 3, 1, 1, 0xff])),
        "selo.basic.leaf",
    ),
    (
        "empty basicConstraints",
        |edit| edit.extensions.insert(0, (oid::BASIC_CONSTRAINTS, true, vec![0x30, 0])),
        "selo.profile.basic",
    ),
    (
        "name constraints",
        |edit| {
            let value = Writer::build(|out| constraints().write(out));
            edit.extensions.push((oid::NAME_CONSTRAINTS, true, value));
        },
        "selo.nc.leaf",
    ),
    ("no policies", |edit| edit.without(oid::CERTIFICATE_POLICIES), "selo.profile.policies"),
    ("policies critical", |edit| edit.flip(oid::CERTIFICATE_POLICIES), "selo.extensions.not_critical"),
    (
        "policies malformed",
        |edit| edit.value(oid::CERTIFICATE_POLICIES, |out| out.null()),
        "selo.policies.form",
    ),
    ("access critical", |edit| edit.flip(oid::AUTHORITY_INFO_ACCESS), "selo.aia.critical"),
    ("access malformed", |edit| edit.value(oid::AUTHORITY_INFO_ACCESS, |out| out.null()), "selo.aia.form"),
    (
        "access over TLS",
        |edit| {
            edit.value(oid::AUTHORITY_INFO_ACCESS, |out| {
                extension::write_authority_info_access(Some("https://a.example/"), None, out);
            });
        },
        "selo.aia.form",
    ),
    ("no access", |edit| edit.without(oid::AUTHORITY_INFO_ACCESS), "selo.profile.revocation"),
    ("list malformed", |edit| edit.value(oid::CRL_DISTRIBUTION_POINTS, |out| out.null()), "selo.crldp.form"),
    (
        "revocation and none",
        |edit| edit.extensions.push((oid::NO_REV_AVAIL, false, vec![5, 0])),
        "selo.revocation.none",
    ),
    (
        "DSA",
        |edit| {
            edit.fields[KEY] = Writer::build(|out| {
                out.sequence(|out| {
                    out.sequence(|out| out.oid(&oid::DSA));
                    out.bit_string(&[1]);
                });
            });
        },
        "selo.key.accepted",
    ),
];

#[test]
fn each_change_of_a_service_s_certificate_is_found_by_its_rule() {
    let house = Hierarchy::new();
    let signer = Signer::p256();
    let parts = Parts::of(Profile::Service);
    let der = house.issuing.issue(&parts.draft(Profile::Service, signer.key())).unwrap();
    let issuing = house.issuing.certificate();
    let lint = |der: &[u8]| lint::certificate(der, Profile::Service, Some(&issuing));
    assert_eq!(lint(&Edit::of(&der).der()), [], "unchanged");
    for (what, change, rule) in LEAF_CHANGES {
        let mut edit = Edit::of(&der);
        change(&mut edit);
        let found = lint(&edit.der());
        assert!(ids(&found).contains(rule), "{what}: {rule} is not in {:?}", ids(&found));
    }
    let mut edit = Edit::of(&der);
    edit.without(oid::CERTIFICATE_POLICIES);
    let found = lint(&edit.der());
    assert!(
        !lint::refuses(&found) && found.len() == 1,
        "a warning is recorded and refuses nothing: {found:?}"
    );
    let mut edit = Edit::of(&der);
    edit.fields[KEY] = house.issuing.signer.key().to_spki();
    assert!(ids(&lint(&edit.der())).contains("selo.issuer.key"));
}

/// One change of an issuing CA's certificate and the rule that finds it.
const CA_CHANGES: &[(&str, Change, &str)] = &[
    ("no basicConstraints", |edit| edit.without(oid::BASIC_CONSTRAINTS), "selo.basic.ca"),
    ("basicConstraints not critical", |edit| edit.flip(oid::BASIC_CONSTRAINTS), "selo.basic.critical"),
    (
        "path length 1",
        |edit| edit.value(oid::BASIC_CONSTRAINTS, |out| out.raw(&[0x30, 6, 1, 1, 0xff, 2, 1, 1])),
        "selo.profile.basic",
    ),
    ("no keyUsage", |edit| edit.without(oid::KEY_USAGE), "selo.ku.present"),
    ("no keyCertSign", |edit| edit.value(oid::KEY_USAGE, |out| out.named_bits(0x0200)), "selo.ku.ca"),
    ("no cRLSign", |edit| edit.value(oid::KEY_USAGE, |out| out.named_bits(0x0400)), "selo.ku.ca"),
    ("no subject", |edit| edit.fields[SUBJECT] = vec![0x30, 0], "selo.name.subject"),
    ("no key identifier", |edit| edit.without(oid::SUBJECT_KEY_ID), "selo.ski.present"),
    ("constraints not critical", |edit| edit.flip(oid::NAME_CONSTRAINTS), "selo.nc.critical"),
    (
        "empty constraints",
        |edit| edit.value(oid::NAME_CONSTRAINTS, |out| out.raw(&[0x30, 0])),
        "selo.nc.form",
    ),
    (
        "no revocation for a CA",
        |edit| edit.extensions.push((oid::NO_REV_AVAIL, false, vec![5, 0])),
        "selo.revocation.none",
    ),
];

#[test]
fn each_change_of_an_issuing_ca_is_found_by_its_rule() {
    let house = Hierarchy::new();
    let root = house.root.certificate();
    for (what, change, rule) in CA_CHANGES {
        let mut edit = Edit::of(&house.issuing.der);
        change(&mut edit);
        let found = lint::certificate(&edit.der(), Profile::Issuing, Some(&root));
        assert!(ids(&found).contains(rule), "{what}: {rule} is not in {:?}", ids(&found));
    }
    // below an issuing CA, whose path length is 0, there is no CA
    let found = lint::certificate(&house.issuing.der, Profile::Issuing, Some(&house.issuing.certificate()));
    assert!(ids(&found).contains("selo.issuer.path_length"));
    let found = lint::certificate(&house.root.der, Profile::Issuing, None);
    assert!(ids(&found).contains("selo.aki.present"));
    let leaf = house.responder.certificate();
    let found = lint::certificate(&house.responder.der, Profile::OcspResponder, Some(&leaf));
    assert!(ids(&found).contains("selo.issuer.is_ca"));
}

#[test]
fn every_rule_about_certificates_is_seen_to_find_something() {
    let tables = LIMBO.iter().map(|one| one.2).chain(LEAF_CHANGES.iter().map(|one| one.2));
    let mut seen: BTreeSet<&str> = tables.chain(CA_CHANGES.iter().map(|one| one.2)).collect();
    seen.extend(["selo.issuer.key", "selo.issuer.path_length", "selo.issuer.is_ca"]);
    // these four stand in tests of their own
    seen.extend(own_tests());
    let all: BTreeSet<&str> = lint::certificate_rules().map(|rule| rule.id).collect();
    assert_eq!(all.difference(&seen).collect::<Vec<_>>(), Vec::<&&str>::new());
}

fn own_tests() -> [&'static str; 4] {
    ["selo.form.unique_ids", "selo.form.algorithm", "selo.name.encoding", "selo.issuer.algorithm"]
}

#[test]
fn rules_that_need_other_changes_find_them_too() {
    let house = Hierarchy::new();
    let signer = Signer::p256();
    let parts = Parts::of(Profile::Service);
    let der = house.issuing.issue(&parts.draft(Profile::Service, signer.key())).unwrap();
    let issuing = house.issuing.certificate();
    let lint = |edit: &Edit| ids(&lint::certificate(&edit.der(), Profile::Service, Some(&issuing)));

    let mut edit = Edit::of(&der);
    edit.fields.push(vec![0x81, 2, 0, 1]);
    assert!(lint(&edit).contains("selo.form.unique_ids"));

    let mut edit = Edit::of(&der);
    let sha512 = Writer::build(|out| proof::crypto::SignatureAlgorithm::EcdsaSha512.write(out));
    edit.fields[ALGORITHM] = sha512.clone();
    edit.outer_algorithm = sha512;
    let found = lint(&edit);
    assert!(found.contains("selo.form.algorithm") && found.contains("selo.issuer.algorithm"));

    let mut edit = Edit::of(&der);
    // C as UTF8String
    let country = b"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x0c\x02PT";
    edit.fields[SUBJECT] = country.to_vec();
    assert!(lint(&edit).contains("selo.name.encoding"));
}

#[test]
fn what_is_no_certificate_is_one_finding() {
    for der in [&[][..], &[0x30, 0], b"hello"] {
        let found = lint::certificate(der, Profile::Service, None);
        assert_eq!(ids(&found), BTreeSet::from(["selo.form.der"]));
        assert!(lint::refuses(&found));
    }
}
