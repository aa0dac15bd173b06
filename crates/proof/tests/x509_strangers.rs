//! Strangers judge what we build: rustls-webpki and x509-parser as libraries, openssl as a program.
//!
//! Where openssl is absent its tests say so and were not run.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod x509_support;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use proof::x509::crl::{CrlDraft, Entry, Reason, Scope};
use proof::x509::ocsp::{OcspRequest, ResponderId, ResponseDraft, Single, Status, assemble_response};
use proof::x509::{Certificate, Csr, NameConstraints, Profile, Revocation, Subtree, Uri, assemble, pem};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::FromDer as _;
use x509_support::*;

fn root_crl(house: &Hierarchy, revoked: &[Entry]) -> Vec<u8> {
    let issuer = house.root.issuer();
    let draft = CrlDraft {
        issuer: &issuer,
        number: 3,
        this_update: moment(NOW_S - DAY_S),
        next_update: moment(NOW_S + 300 * DAY_S),
        scope: Scope::Everything,
        freshest: None,
        delta_base: None,
    };
    let tbs = draft.tbs(revoked.iter().copied()).unwrap();
    assemble(&tbs, issuer.algorithm, &house.root.signer.sign(&tbs))
}

fn shard_crl(house: &Hierarchy, revoked: &[Entry]) -> Vec<u8> {
    let issuer = house.issuing.issuer();
    let url = Uri::parse_http("http://pki.dev.example/crl/issuing-1/3.crl").unwrap();
    let draft = CrlDraft {
        issuer: &issuer,
        number: 4,
        this_update: moment(NOW_S - 3600),
        next_update: moment(NOW_S + DAY_S),
        scope: Scope::Shard(&url),
        freshest: None,
        delta_base: None,
    };
    let tbs = draft.tbs(revoked.iter().copied()).unwrap();
    assemble(&tbs, issuer.algorithm, &house.issuing.signer.sign(&tbs))
}

fn entry_of(der: &[u8]) -> Entry {
    Entry {
        serial: Certificate::parse(der).unwrap().serial().unwrap(),
        revoked_at: moment(NOW_S - 7200),
        reason: Reason::KeyCompromise,
        invalid_since: Some(moment(NOW_S - 9000)),
    }
}

fn leaf(house: &Hierarchy, profile: Profile, signer: &Signer) -> Vec<u8> {
    house.issuing.issue(&Parts::of(profile).draft(profile, signer.key())).unwrap()
}

/// What webpki says about a leaf, with or without a shard's CRL.
fn webpki_says(
    house: &Hierarchy,
    leaf: &[u8],
    is_client: bool,
    crl: Option<&[u8]>,
) -> Result<(), webpki::Error> {
    let root = CertificateDer::from(house.root.der.as_slice());
    let anchors = [webpki::anchor_from_trusted_cert(&root)?];
    let between = [CertificateDer::from(house.issuing.der.as_slice())];
    let leaf = CertificateDer::from(leaf);
    let certificate = webpki::EndEntityCert::try_from(&leaf)?;
    let usage = if is_client { webpki::KeyUsage::client_auth() } else { webpki::KeyUsage::server_auth() };
    let list = match crl {
        Some(der) => Some(webpki::CertRevocationList::from(webpki::OwnedCertRevocationList::from_der(der)?)),
        None => None,
    };
    let lists: Vec<&webpki::CertRevocationList<'_>> = list.iter().collect();
    let options = webpki::RevocationOptionsBuilder::new(&lists).ok().map(|options| {
        options
            .with_depth(webpki::RevocationCheckDepth::EndEntity)
            .with_expiration_policy(webpki::ExpirationPolicy::Enforce)
            .build()
    });
    let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW_S as u64));
    certificate.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        &between,
        time,
        usage,
        options,
        None,
    )?;
    if !is_client {
        for name in ["svc.dev.example", "a.svc.dev.example", "10.1.2.3"] {
            certificate.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap())?;
        }
    }
    Ok(())
}

#[test]
fn webpki_accepts_servers_and_clients_of_every_key_and_every_issuer() {
    // webpki does not judge mail addresses and refuses them below any constraint of theirs
    let hosts = vec![Subtree::Dns("dev.example".into()), Subtree::Ip("10.0.0.0".parse().unwrap(), 8)];
    let hosts = NameConstraints::new(hosts, vec![Subtree::Ip("::".parse().unwrap(), 0)]).unwrap();
    for (kind, ca) in all_kinds() {
        let house = Hierarchy::of(Arc::clone(ca), Arc::new(Signer::p256()), Some(&hosts));
        let crl = shard_crl(&house, &[]);
        for (_, signer) in all_kinds() {
            for profile in [Profile::Service, Profile::Server, Profile::Shortlived] {
                let der = leaf(&house, profile, signer);
                let crl =
                    (profile.shape().revocation == Revocation::ListAndAnswers).then_some(crl.as_slice());
                assert_eq!(webpki_says(&house, &der, false, crl), Ok(()), "{kind} {profile:?}");
            }
            for profile in
                [Profile::Service, Profile::Client, Profile::Svid, Profile::DbClient, Profile::Operator]
            {
                let der = leaf(&house, profile, signer);
                assert_eq!(webpki_says(&house, &der, true, None), Ok(()), "{kind} {profile:?}");
            }
        }
    }
}

#[test]
fn webpki_refuses_a_revoked_one_and_one_outside_the_constraints() {
    let house = Hierarchy::new();
    let der = leaf(&house, Profile::Service, &Signer::p256());
    let crl = shard_crl(&house, &[entry_of(&der)]);
    assert_eq!(webpki_says(&house, &der, false, Some(&crl)), Err(webpki::Error::CertRevoked));
    // signed although the draft refuses it: the constraints in the issuing CA's certificate hold by themselves
    let mut parts = Parts::of(Profile::Service);
    parts.names.push(dns("svc.prod.example"));
    let signer = Signer::p256();
    let issuer = proof::x509::Issuer { constraints: None, ..house.issuing.issuer() };
    let tbs = parts.draft(Profile::Service, signer.key()).tbs(&issuer).unwrap();
    let der = assemble(&tbs, issuer.algorithm, &house.issuing.signer.sign(&tbs));
    assert_eq!(webpki_says(&house, &der, false, None), Err(webpki::Error::NameConstraintViolation));
}

#[test]
fn x509_parser_reads_every_profile_as_we_do() {
    use x509_parser::extensions::{GeneralName, ParsedExtension};
    let house = Hierarchy::new();
    let mut all = vec![house.root.der.clone(), house.issuing.der.clone(), house.responder.der.clone()];
    for (_, signer) in all_kinds() {
        let able = end_entities().filter(|profile| profile.key_usage(signer.key()).is_some());
        all.extend(able.map(|profile| leaf(&house, profile, signer)));
    }
    for der in &all {
        let (rest, theirs) = x509_parser::certificate::X509Certificate::from_der(der).unwrap();
        let ours = Certificate::parse(der).unwrap();
        assert!(rest.is_empty());
        assert_eq!(theirs.raw_serial(), ours.serial_content);
        assert_eq!(theirs.subject().as_raw(), ours.subject.der());
        assert_eq!(theirs.issuer().as_raw(), ours.issuer.der());
        assert_eq!(theirs.public_key().raw, ours.spki);
        let validity = ours.validity().unwrap();
        assert_eq!(theirs.validity().not_before.timestamp(), validity.not_before.seconds());
        assert_eq!(theirs.validity().not_after.timestamp(), validity.not_after.seconds());
        for extension in theirs.extensions() {
            assert_eq!(extension.parsed_extension().error(), None, "{}", extension.oid);
        }
        let names = theirs.subject_alternative_name().unwrap().map(|names| names.value.general_names.clone());
        for (theirs, ours) in names.unwrap_or_default().iter().zip(ours.names().unwrap()) {
            match theirs {
                GeneralName::DNSName(text) | GeneralName::URI(text) | GeneralName::RFC822Name(text) => {
                    assert_eq!(*text, ours.text());
                }
                GeneralName::IPAddress(octets) => assert_eq!(octets.len(), 4),
                other => panic!("{other:?}"),
            }
        }
        let constrained = theirs
            .extensions()
            .iter()
            .any(|extension| matches!(extension.parsed_extension(), ParsedExtension::NameConstraints(_)));
        assert_eq!(constrained, ours.name_constraints().unwrap().is_some());
    }
}

#[test]
fn x509_parser_reads_lists_as_we_do() {
    let house = Hierarchy::new();
    let der = leaf(&house, Profile::Service, &Signer::p256());
    let crl = shard_crl(&house, &[entry_of(&der)]);
    let (rest, theirs) = x509_parser::revocation_list::CertificateRevocationList::from_der(&crl).unwrap();
    assert!(rest.is_empty());
    let ours = proof::x509::crl::Crl::parse(&crl).unwrap();
    assert_eq!(theirs.crl_number().unwrap().to_string(), ours.number().unwrap().unwrap().to_string());
    let entries: Vec<_> = theirs.iter_revoked_certificates().collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].raw_serial(), Certificate::parse(&der).unwrap().serial_content);
    assert_eq!(entries[0].reason_code().unwrap().1.0, Reason::KeyCompromise.code());
    assert_eq!(entries[0].invalidity_date().unwrap().1.timestamp(), NOW_S - 9000);
}

/// A folder with what openssl is to look at.
struct Desk(tempfile::TempDir);

impl Desk {
    /// None, after saying so, when there is no openssl.
    fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            println!("NOT RUN: openssl is absent");
            return None;
        }
        Some(Self(tempfile::tempdir().unwrap()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    fn pem(&self, name: &str, label: pem::Label, der: &[u8]) -> String {
        self.write(name, pem::encode(label, der).as_bytes())
    }

    /// Runs openssl; true when it ended well, and all that it said.
    fn openssl(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new("openssl").args(arguments).current_dir(self.0.path()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    fn certificate(&self, name: &str, der: &[u8]) -> String {
        self.pem(name, pem::Label::Certificate, der)
    }
}

fn verify(desk: &Desk, house: &Hierarchy, leaf: &[u8], crls: &[Vec<u8>], more: &[&str]) -> (bool, String) {
    let root = desk.certificate("root.pem", &house.root.der);
    let issuing = desk.certificate("issuing.pem", &house.issuing.der);
    let leaf = desk.certificate("leaf.pem", leaf);
    let lists: String = crls.iter().map(|crl| pem::encode(pem::Label::Crl, crl)).collect();
    let lists = desk.write("crls.pem", lists.as_bytes());
    let time = NOW_S.to_string();
    let mut arguments = vec!["verify", "-x509_strict", "-attime", &time, "-no-CApath", "-no-CAstore"];
    arguments.extend(["-CAfile", &root, "-untrusted", &issuing]);
    if !crls.is_empty() {
        arguments.extend(["-crl_check_all", "-extended_crl", "-CRLfile", &lists]);
    }
    arguments.extend(more);
    arguments.push(&leaf);
    desk.openssl(&arguments)
}

#[test]
fn openssl_verifies_every_profile_strictly_with_every_list() {
    let Some(desk) = Desk::new() else { return };
    let house = Hierarchy::new();
    let crls = [root_crl(&house, &[]), shard_crl(&house, &[])];
    for (kind, signer) in all_kinds() {
        for profile in end_entities().filter(|profile| profile.key_usage(signer.key()).is_some()) {
            let der = leaf(&house, profile, signer);
            let lists =
                if profile.shape().revocation == Revocation::ListAndAnswers { &crls[..] } else { &[] };
            let purpose = match profile {
                Profile::Service | Profile::Server | Profile::Shortlived => &["-purpose", "sslserver"][..],
                Profile::OcspResponder => &["-purpose", "ocsphelper"],
                Profile::Client | Profile::Svid | Profile::DbClient | Profile::Operator => {
                    &["-purpose", "sslclient"]
                }
                _ => &[],
            };
            let (well, said) = verify(&desk, &house, &der, lists, purpose);
            assert!(well && said.contains("leaf.pem: OK"), "{kind} {profile:?}: {said}");
        }
    }
}

#[test]
fn openssl_checks_names_policies_and_chains_of_every_key() {
    let Some(desk) = Desk::new() else { return };
    for (kind, ca) in all_kinds() {
        let house = Hierarchy::of(Arc::clone(ca), Arc::clone(ca_below(kind)), None);
        let der = leaf(&house, Profile::Service, &Signer::p256());
        let crls = [root_crl(&house, &[]), shard_crl(&house, &[])];
        let policy = policy(1).to_string();
        for more in [
            &["-verify_hostname", "a.svc.dev.example"][..],
            &["-verify_ip", "10.1.2.3"],
            &["-policy", &policy, "-explicit_policy"],
        ] {
            let (well, said) = verify(&desk, &house, &der, &crls, more);
            assert!(well && said.contains("leaf.pem: OK"), "{kind}: {said}");
        }
        assert!(!verify(&desk, &house, &der, &crls, &["-verify_hostname", "other.example"]).0);
    }
}

/// An issuing key of another kind than the root's, so that both sign once with each.
fn ca_below(kind: &str) -> &'static Arc<Signer> {
    let at = all_kinds().iter().position(|(name, _)| *name == kind).unwrap();
    &all_kinds()[(at + 1) % all_kinds().len()].1
}

#[test]
fn openssl_sees_revocation_in_both_lists() {
    let Some(desk) = Desk::new() else { return };
    let house = Hierarchy::new();
    let der = leaf(&house, Profile::Service, &Signer::p256());
    let (well, said) =
        verify(&desk, &house, &der, &[root_crl(&house, &[]), shard_crl(&house, &[entry_of(&der)])], &[]);
    assert!(!well && said.contains("certificate revoked"), "{said}");
    let revoked = root_crl(&house, &[entry_of(&house.issuing.der)]);
    let (well, said) = verify(&desk, &house, &der, &[revoked, shard_crl(&house, &[])], &[]);
    assert!(!well && said.contains("certificate revoked"), "{said}");
    let list = desk.write("shard.crl", &shard_crl(&house, &[]));
    let issuing = desk.certificate("issuing.pem", &house.issuing.der);
    let (_, said) =
        desk.openssl(&["crl", "-in", &list, "-inform", "DER", "-CAfile", &issuing, "-noout", "-verify"]);
    assert!(said.contains("verify OK"), "{said}");
    let (_, said) = desk.openssl(&["crl", "-in", &list, "-inform", "DER", "-noout", "-crlnumber"]);
    assert!(said.to_lowercase().contains("crlnumber=0x04") || said.contains("crlNumber=04"), "{said}");
}

#[test]
fn openssl_asks_and_understands_the_answers() {
    let Some(desk) = Desk::new() else { return };
    let house = Hierarchy::new();
    let der = leaf(&house, Profile::Service, &Signer::p256());
    let root = desk.certificate("root.pem", &house.root.der);
    let issuing = desk.certificate("issuing.pem", &house.issuing.der);
    let leaf = desk.certificate("leaf.pem", &der);
    let revoked = Status::Revoked { at: moment(NOW_S - 7200), reason: Reason::Superseded };
    for hash in ["-sha1", "-sha256"] {
        for nonce in ["-nonce", "-no_nonce"] {
            let request =
                ["ocsp", "-issuer", &issuing, hash, "-cert", &leaf, nonce, "-reqout", "request.der"];
            assert!(desk.openssl(&request).0);
            let asked = OcspRequest::parse(&std::fs::read(desk.path("request.der")).unwrap()).unwrap();
            assert_eq!(asked.nonce.is_some(), nonce == "-nonce");
            assert_eq!(Some(asked.ids[0].serial), Certificate::parse(&der).unwrap().serial());
            for (status, word) in [(Status::Good, "good"), (revoked, "revoked"), (Status::Unknown, "unknown")]
            {
                desk.write("response.der", &answer(&house, &asked, status));
                let time = NOW_S.to_string();
                // the nonce, if any, is the one of the request that is read
                let mut judge = vec!["ocsp", "-issuer", &issuing, hash, "-cert", &leaf, "-no_nonce"];
                judge.extend(["-reqin", "request.der", "-respin", "response.der", "-CAfile", &root]);
                judge.extend(["-verify_other", &issuing, "-attime", &time, "-no-CApath", "-no-CAstore"]);
                // the times of an answer are held against the machine's clock, which is not the test's
                judge.extend(["-validity_period", "2000000000"]);
                let (_, said) = desk.openssl(&judge);
                assert!(said.contains("Response verify OK"), "{said}");
                assert!(said.contains(&format!("leaf.pem: {word}")), "{said}");
                assert!(
                    !said.contains("Nonce Verify error") && !said.contains("no nonce in response"),
                    "{said}"
                );
            }
        }
    }
}

fn answer(house: &Hierarchy, asked: &OcspRequest, status: Status) -> Vec<u8> {
    let single = |id: &proof::x509::ocsp::CertId| Single {
        id: id.clone(),
        status,
        this_update: moment(NOW_S),
        next_update: moment(NOW_S + DAY_S),
    };
    let singles: Vec<Single> = asked.ids.iter().map(single).collect();
    let draft = ResponseDraft {
        responder: ResponderId::of(house.responder.signer.key()).unwrap(),
        produced_at: moment(NOW_S),
        responder_ends: house.responder.certificate().validity().unwrap().not_after,
        singles: &singles,
        nonce: asked.nonce.as_deref(),
    };
    let tbs = draft.tbs().unwrap();
    let signature = house.responder.signer.sign(&tbs);
    assemble_response(&tbs, house.responder.signer.algorithm(), &signature, &house.responder.der)
}

#[test]
fn requests_of_openssl_are_read() {
    let Some(desk) = Desk::new() else { return };
    for key in [
        &["-newkey", "rsa:2048"][..],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        // openssl signs with SHA-256 here, whatever the curve
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha512"],
        &["-newkey", "ed25519"],
    ] {
        let mut arguments = vec!["req", "-new", "-nodes", "-keyout", "key.pem", "-out", "request.pem"];
        arguments.extend(["-subj", "/O=Évora/CN=svc.dev.example", "-utf8"]);
        arguments
            .extend(["-addext", "subjectAltName=DNS:svc.dev.example,IP:10.0.0.1,URI:spiffe://dev.example/a"]);
        arguments.extend([
            "-addext",
            "keyUsage=critical,digitalSignature",
            "-addext",
            "tlsfeature=status_request",
        ]);
        arguments.extend(key);
        let (well, said) = desk.openssl(&arguments);
        assert!(well, "{said}");
        let csr = Csr::from_pem(&std::fs::read(desk.path("request.pem")).unwrap()).unwrap();
        let names: Vec<String> = csr.names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["dns:svc.dev.example", "ip:10.0.0.1", "uri:spiffe://dev.example/a"]);
        assert_eq!(csr.subject.to_string(), "O=Évora, CN=svc.dev.example");
        assert!(csr.must_staple && csr.key_usage == Some(0x8000));
    }
    let mut arguments = vec!["req", "-new", "-nodes", "-keyout", "key.pem", "-out", "request.pem", "-newkey"];
    arguments.extend([
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-pkeyopt",
        "ec_param_enc:explicit",
        "-subj",
        "/CN=a",
    ]);
    assert!(desk.openssl(&arguments).0);
    let refused = Csr::from_pem(&std::fs::read(desk.path("request.pem")).unwrap()).unwrap_err();
    assert_eq!(refused, proof::x509::CsrFault::Key(proof::crypto::KeyRefusal::ExplicitCurve));
}
