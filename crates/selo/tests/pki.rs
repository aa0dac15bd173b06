//! The certificate authority through its doors: a ceremony, certificates, refusals, revocation, what a crash leaves.
//! Whether certificates, lists and answers are right is judged by openssl, as somebody else's program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod pki_support;

use std::time::Duration;

use axum::http::Method;
use base::{Id, SystemChance};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::openssl;
use keys::{Algorithm, OfflineKey};
use pki::{Asked, Grade, WantedNames};
use pki_support::*;
use proof::x509::{
    Certificate, Serial,
    crl::{Crl, Reason},
    ocsp::{IdHash, Status},
    pem::{self, Label},
};
use serde_json::{Value, json};
use store::{sql, values};
use testkit::{TestHouse, engines};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_certificate_lives_from_the_ceremony_to_its_revocation_and_openssl_agrees_with_every_step() {
    for house in engines().await {
        let (root, issuing) = hierarchy(&house).await;
        let profiles = ["service", "server", "shortlived"];
        for profile in profiles {
            let leaf = der(&issue(&house, profile, "a.test").await);
            // A short-lived certificate names no list, and then -crl_check_all finds none for it.
            if profile != "shortlived" {
                let (good, said) = judged(&house, &root, &issuing, &leaf).await;
                assert!(good, "{profile}: {said}");
            }
        }
        let one = issue(&house, "server", "b.test").await;
        let other = issue(&house, "server", "c.test").await;
        let (leaf, serial) = (der(&one), serial_of(&der(&one)));
        for hash in [IdHash::Sha1, IdHash::Sha256] {
            assert_eq!(asked(&house, &root, &issuing, serial, hash).await, Status::Good);
        }
        let never = Serial::from_random([7; 16]);
        assert_eq!(asked(&house, &root, &issuing, never, IdHash::Sha1).await, Status::Unknown);
        let revoke = format!("/api/v1/pki/certificates/{}/revoke", text(&one, "serial"));
        let since = "2026-07-31T10:00:00Z";
        let revoked =
            house.post(&revoke, json!({"reason": "superseded", "invalidSince": since})).await.data();
        assert_eq!(
            (&revoked["items"][0]["state"], &revoked["items"][0]["invalidSince"]),
            (&json!("revoked"), &json!(since))
        );
        let status = asked(&house, &root, &issuing, serial, IdHash::Sha1).await;
        assert!(matches!(status, Status::Revoked { reason: Reason::Superseded, .. }), "{status:?}");
        let (good, said) = judged(&house, &root, &issuing, &leaf).await;
        assert!(!good && said.contains("certificate revoked"), "{said}");
        let (good, said) = judged(&house, &root, &issuing, &der(&other)).await;
        assert!(good, "{said}");
        assert_eq!(
            house.post(&revoke, json!({"reason": "superseded"})).await.code(),
            "PKI_CERTIFICATE_REVOKED"
        );
        house.settle().await;
        let id = text(&one, "id");
        let proof = house.get(&format!("/api/v1/pki/certificates/{id}/proof")).await;
        let vkey = house.public_get("/log/ca/vkey").await.text();
        let key = proof::note::VerifierKey::parse(vkey.trim()).unwrap();
        let proven = audit::check_proof(&proof.body, key.name(), std::slice::from_ref(&key)).unwrap();
        let leaf_entry: Value = serde_json::from_slice(&proven.entry).unwrap();
        assert_eq!(leaf_entry["type"], "certificate.issued");
        assert_eq!(leaf_entry["object"]["sha256"], proof::crypto::hex(&proof::crypto::sha256(&leaf)));
    }
}

#[tokio::test]
async fn with_an_arc_of_ones_own_certificates_name_their_policy_and_signers_their_usage() {
    for house in engines().await {
        let order = json!({"policyArc": "1.3.6.1.4.1.32473.1.5"});
        let made = ceremony(&house, order).await.data();
        let signer = json!({"profile": "packet-signer", "csr": request(&["edge.test"])});
        let refused = house.post("/api/v1/pki/certificates", signer.clone()).await;
        assert_eq!(refused.code(), "PKI_PROFILE_FORBIDDEN");
        let open = [("pki.allow_admin_profiles", "server,packet-signer")];
        let house = house.set(&open).await;
        let refused = house.post("/api/v1/pki/certificates", signer.clone()).await;
        assert_eq!(refused.code(), "PKI_USAGE_ARC_NEEDED");
        let house = house.set(&[open[0], ("pki.usage_arc", "1.3.6.1.4.1.32473.2")]).await;
        let signer = house.post("/api/v1/pki/certificates", signer).await.data();
        let folder = tempfile::tempdir().unwrap();
        let root = write(folder.path(), "root.pem", text(&made, "root"));
        let issuing = write(folder.path(), "issuing.pem", text(&made, "issuing"));
        let server = issue(&house, "server", "a.test").await;
        for (name, certificate, number) in [("server", &server, 2), ("signer", &signer, 10)] {
            let leaf = write(folder.path(), name, text(certificate, "certificate"));
            let holds = |policy: String| {
                let path = ["-CAfile", &root, "-untrusted", &issuing, "-attime", &at(&house)];
                let asked =
                    ["verify", "-x509_strict", "-explicit_policy", "-policy_check", "-policy", &policy];
                openssl(&[&asked[..], &path, &[leaf.as_str()]].concat()).0
            };
            assert!(holds(format!("1.3.6.1.4.1.32473.1.5.{number}")), "{name}");
            // another profile, and the same profile of another environment
            assert!(!holds("1.3.6.1.4.1.32473.1.5.3".to_owned()), "{name}");
            assert!(!holds(format!("1.3.6.1.4.1.32473.1.1.{number}")), "{name}");
        }
        let (_, said) =
            openssl(&["x509", "-in", &format!("{}/signer", folder.path().display()), "-noout", "-text"]);
        assert!(said.contains("1.3.6.1.4.1.32473.2.10"), "{said}");
    }
}

#[tokio::test]
async fn an_environment_has_one_hierarchy_and_a_dry_run_leaves_nothing() {
    for house in engines().await {
        let root = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
        let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
        let dry = json!({"order": {"dryRun": true}, "rootPublicKey": spki});
        let rehearsed = house.post("/api/v1/pki/init", dry).await.data();
        assert_eq!(rehearsed["id"], Value::Null);
        assert!(house.get("/api/v1/pki/certificates").await.data()["items"].as_array().unwrap().is_empty());
        hierarchy(&house).await;
        assert_eq!(ceremony(&house, json!({})).await.code(), "PKI_ENVIRONMENT_TAKEN");
        assert_eq!(ceremony(&house, json!({"environment": "Prod"})).await.code(), "PKI_CEREMONY_INVALID");
        let prod = ceremony(&house, json!({"environment": "prod", "permittedDns": ["prod.example"]})).await;
        assert_eq!(prod.status, 201, "{}", prod.text());
        let body = json!({"profile": "server", "csr": request(&["a.prod.example"])});
        assert_eq!(
            house.post("/api/v1/pki/certificates", body.clone()).await.code(),
            "PKI_ENVIRONMENT_NEEDED"
        );
        let named = |environment: &str| {
            let mut body = body.clone();
            body["environment"] = json!(environment);
            body
        };
        assert_eq!(house.post("/api/v1/pki/certificates", named("prod")).await.status, 201);
        assert_eq!(house.post("/api/v1/pki/certificates", named("dev")).await.code(), "PKI_NAME_CONSTRAINED");
        assert_eq!(
            house.post("/api/v1/pki/certificates", named("sit")).await.code(),
            "PKI_AUTHORITY_NOT_FOUND"
        );
    }
}

#[tokio::test]
async fn what_the_root_did_not_sign_makes_no_hierarchy() {
    let house = TestHouse::new().await;
    let (root, stranger) = (
        OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap(),
        OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap(),
    );
    let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
    let planned = house.post("/api/v1/pki/init", json!({"order": {}, "rootPublicKey": spki})).await.data();
    let finish = format!("/api/v1/pki/init/{}/finish", text(&planned, "id"));
    let signed_by = |keys: [&OfflineKey; 3]| {
        let mut body = json!({});
        for (name, key) in ["root", "issuing", "crl"].into_iter().zip(keys) {
            let tbs = STANDARD.decode(text(&planned, name)).unwrap();
            body[name] = json!(STANDARD.encode(key.sign(&tbs).unwrap().x509()));
        }
        body
    };
    for keys in [[&stranger, &root, &root], [&root, &stranger, &root], [&root, &root, &stranger]] {
        assert_eq!(house.post(&finish, signed_by(keys)).await.code(), "PKI_SIGNATURE_WRONG");
    }
    assert!(house.get("/api/v1/pki/authorities").await.data()["items"].as_array().unwrap().is_empty());
    assert_eq!(house.post(&finish, signed_by([&root; 3])).await.status, 201);
    assert_eq!(house.post(&finish, signed_by([&root; 3])).await.code(), "PKI_CEREMONY_GONE");
}

#[tokio::test]
async fn the_transcript_is_canonical_and_signed_by_the_issuing_authority_and_its_hash_is_in_the_log() {
    let house = TestHouse::new().await;
    let order = json!({"place": "Évora", "operators": ["o-1"], "witnesses": ["w-1", "w-2"]});
    let made = ceremony(&house, order).await.data();
    let transcript = &made["transcript"];
    let canonical = proof::canon::canonicalize(&transcript["transcript"]).unwrap();
    let digest = proof::crypto::hex(&proof::crypto::sha256(canonical.as_bytes()));
    assert_eq!(text(transcript, "sha256"), digest);
    let issuing = pem::one(text(&made, "issuing").as_bytes(), Label::Certificate).unwrap();
    let key = Certificate::parse(&issuing).unwrap().key().unwrap();
    let signature = text(transcript, "signature");
    let signature: Vec<u8> = (0..signature.len() / 2)
        .map(|at| u8::from_str_radix(&signature[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    key.verify(key.issuing_algorithm(), canonical.as_bytes(), &signature).unwrap();
    assert_eq!(transcript["transcript"]["shareFingerprints"], json!(["a", "b", "c"]));
    let id = text(&transcript["transcript"], "ceremony");
    let found = house.get(&format!("/api/v1/audit?resource={id}")).await.data();
    assert_eq!(found["items"][0]["eventType"], "ceremony.held");
    assert_eq!(
        (&found["items"][0]["log"], &found["items"][0]["details"]["transcript"]),
        (&json!("ca"), &json!(digest))
    );
}

#[tokio::test]
async fn each_bad_request_has_its_code_and_leaves_a_record_without_what_was_asked() {
    let house = TestHouse::new().await;
    hierarchy(&house).await;
    let csr = request(&["a.test"]);
    let mut forged = pem::one(csr.as_bytes(), Label::CertificateRequest).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    let forged = pem::encode(Label::CertificateRequest, &forged);
    let authority = house.get("/api/v1/pki/authorities").await.data()["items"][1]["certificate"].clone();
    let authority = pem::one(authority.as_str().unwrap().as_bytes(), Label::Certificate).unwrap();
    let own_key = pem::encode(Label::PublicKey, Certificate::parse(&authority).unwrap().spki);
    let weak = pem::encode(Label::PublicKey, &rsa_1024());
    let many: Vec<String> = (0..10_000).map(|number| format!("n{number}.test")).collect();
    let wanted = |change: Value| {
        let mut body = json!({"profile": "server", "dns": ["a.test"], "csr": csr});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let cases = [
        (wanted(json!({"csr": forged})), "PKI_REQUEST_INVALID"),
        (wanted(json!({"csr": "nonsense"})), "PKI_REQUEST_INVALID"),
        (wanted(json!({"csr": null})), "PKI_KEY_NEEDED"),
        (wanted(json!({"csr": null, "publicKey": weak})), "PKI_KEY_REFUSED"),
        (wanted(json!({"csr": null, "publicKey": own_key})), "PKI_KEY_REFUSED"),
        (wanted(json!({"dns": ["example.org"]})), "PKI_NAME_CONSTRAINED"),
        (wanted(json!({"ip": ["8.8.8.8"]})), "PKI_NAME_CONSTRAINED"),
        (wanted(json!({"dns": ["*.a.test"]})), "PKI_WILDCARD_FORBIDDEN"),
        (wanted(json!({"dns": many})), "PKI_NAMES_TOO_MANY"),
        (wanted(json!({"dns": ["xn--pypal-4ve.test"]})), "VALIDATION_ERROR"),
        (wanted(json!({"dns": ["a\0.test"]})), "VALIDATION_ERROR"),
        (wanted(json!({"dns": ["a_b.test", "-a.test"]})), "VALIDATION_ERROR"),
        (wanted(json!({"profile": "root"})), "PKI_PROFILE_FORBIDDEN"),
        (wanted(json!({"profile": "issuing"})), "PKI_PROFILE_FORBIDDEN"),
        (wanted(json!({"profile": "ocsp-responder"})), "PKI_PROFILE_FORBIDDEN"),
        (wanted(json!({"profile": "none"})), "PKI_PROFILE_UNKNOWN"),
        (wanted(json!({"lifetimeSeconds": 91 * 86_400})), "PKI_LIFETIME"),
        (wanted(json!({"lifetimeSeconds": 0})), "PKI_LIFETIME"),
        (wanted(json!({"uri": ["https://a.test/"]})), "PKI_PROFILE_RULE"),
        (wanted(json!({"owner": "x".repeat(201)})), "PKI_OWNER_INVALID"),
    ];
    let count = cases.len();
    for (body, code) in cases {
        let shown: String = body.to_string().chars().take(160).collect();
        let answer = house.post("/api/v1/pki/certificates", body.clone()).await;
        assert_eq!(answer.code(), code, "{shown}: {}", answer.text());
        if !matches!(code, "PKI_KEY_NEEDED") {
            let explained = house.post("/api/v1/pki/explain", body).await.data();
            assert_eq!(explained["allowed"], false, "{shown}");
            assert!(!explained["reasons"].as_array().unwrap().is_empty(), "{shown}");
        }
    }
    let refused = house.get("/api/v1/audit?limit=200").await.data();
    let refused: Vec<&Value> = refused["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|fact| fact["eventType"] == "certificate.refused")
        .collect();
    assert_eq!(refused.len(), count);
    assert!(refused.iter().all(|fact| !fact["details"].to_string().contains("test")));
    let left = house.get("/api/v1/pki/certificates?state=planned").await.data();
    assert!(left["items"].as_array().unwrap().is_empty(), "a refusal plans nothing");
}

#[tokio::test]
async fn one_key_serves_one_owner_and_renews_for_everybody() {
    for house in engines().await {
        hierarchy(&house).await;
        let open = [("pki.allow_issuer_profiles", "server"), ("pki.allow_issuer_dns", "test")];
        let house = house.set(&open).await;
        let key = pki::local_key().unwrap();
        let asked = |name: &str| Asked {
            profile: "server".to_owned(),
            csr: Some(request_with(&key, &[name])),
            ..Asked::default()
        };
        let [one, other] = ["one", "other"].map(|who| {
            let mut call = house.rooms.house.system("test");
            call.actor.id = who.to_owned();
            call
        });
        let issue = |call, name| house.rooms.pki.issue(call, Id::NIL, Grade::Issuer, asked(name));
        issue(&one, "a.test").await.unwrap();
        issue(&one, "b.test").await.unwrap();
        issue(&other, "a.test").await.unwrap();
        let refused = issue(&other, "c.test").await.unwrap_err();
        assert_eq!(refused.code().name, "PKI_KEY_TAKEN");
        let explained =
            house.rooms.pki.explain(&other, Id::NIL, Grade::Issuer, &asked("c.test")).await.unwrap();
        assert!(explained.reasons.iter().any(|reason| reason.code().name == "PKI_KEY_TAKEN"));
        house.clock.advance(91 * DAY);
        issue(&other, "c.test").await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_ran_back_issues_nothing_and_a_certificate_from_the_future_is_no_trap() {
    for house in engines().await {
        hierarchy(&house).await;
        let wanted = json!({"profile": "server", "csr": request(&["a.test"])});
        house.clock.advance(DAY);
        issue(&house, "server", "b.test").await;
        house.clock.set(house.rooms.house.now().minus(Duration::from_secs(5)));
        issue(&house, "server", "c.test").await;
        house.clock.set(house.rooms.house.now().minus(Duration::from_secs(3_600)));
        let refused = house.post("/api/v1/pki/certificates", wanted.clone()).await;
        assert_eq!((refused.status, refused.code().as_str()), (503, "PKI_CLOCK_BACK"));
        let audit = house.get("/api/v1/audit?limit=10").await.text();
        assert!(audit.contains("PKI_CLOCK_BACK"), "{audit}");
        for one in ["b.test", "c.test"] {
            let found = house.get(&format!("/api/v1/pki/certificates?name={one}")).await.data();
            let revoke = format!("/api/v1/pki/certificates/{}/revoke", text(&found["items"][0], "serial"));
            house.post(&revoke, json!({"reason": "superseded"})).await.data();
        }
        assert_eq!(house.post("/api/v1/pki/certificates", wanted).await.status, 201);
    }
}

/// The SubjectPublicKeyInfo of an RSA key of 1,024 bits.
fn rsa_1024() -> Vec<u8> {
    let (good, said) = openssl(&["genrsa", "1024"]);
    assert!(good, "{said}");
    let folder = tempfile::tempdir().unwrap();
    let begin = said.find("-----BEGIN").unwrap();
    let key = write(folder.path(), "key.pem", &said[begin..]);
    let out = folder.path().join("public.der").display().to_string();
    let (good, said) = openssl(&["rsa", "-in", &key, "-pubout", "-outform", "DER", "-out", &out]);
    assert!(good, "{said}");
    std::fs::read(out).unwrap()
}

#[tokio::test]
async fn a_compromised_key_is_barred_and_takes_its_siblings_along() {
    for house in engines().await {
        let (root, issuing) = hierarchy(&house).await;
        let key = pki::local_key().unwrap();
        let mut made = Vec::new();
        for name in ["a.test", "b.test"] {
            let body = json!({"profile": "server", "csr": request_with(&key, &[name])});
            made.push(house.post("/api/v1/pki/certificates", body).await.data());
        }
        let other = issue(&house, "server", "c.test").await;
        let path = format!("/api/v1/pki/certificates/{}/revoke", text(&made[0], "id"));
        for wrong in ["certificateHold", "6", "2", "8", "10", "because"] {
            assert_eq!(house.post(&path, json!({"reason": wrong})).await.code(), "PKI_REASON_UNKNOWN");
        }
        let late = json!({"reason": "1", "invalidSince": "2099-01-01T00:00:00Z"});
        assert_eq!(house.post(&path, late).await.code(), "PKI_TIME_INVALID");
        house.clock.advance(Duration::from_millis(1));
        let revoked = house.post(&path, json!({"reason": "keyCompromise"})).await.data();
        assert_eq!(revoked["items"].as_array().unwrap().len(), 2);
        for one in &made {
            let status = asked(&house, &root, &issuing, serial_of(&der(one)), IdHash::Sha256).await;
            assert!(matches!(status, Status::Revoked { reason: Reason::KeyCompromise, .. }), "{status:?}");
            let facts = house.get(&format!("/api/v1/audit?resource={}", text(one, "id"))).await.data();
            let facts: Vec<&str> =
                facts["items"].as_array().unwrap().iter().map(|fact| text(fact, "eventType")).collect();
            assert_eq!(facts, ["certificate.revoked", "certificate.issued"]);
        }
        assert_eq!(
            asked(&house, &root, &issuing, serial_of(&der(&other)), IdHash::Sha256).await,
            Status::Good
        );
        let again = json!({"profile": "server", "csr": request_with(&key, &["d.test"])});
        assert_eq!(house.post("/api/v1/pki/certificates", again.clone()).await.code(), "PKI_KEY_BARRED");
        let explained = house.post("/api/v1/pki/explain", again).await.data();
        assert_eq!(explained["reasons"][0]["code"], "PKI_KEY_BARRED");
        let of_authority = house.get("/api/v1/pki/certificates?profile=issuing").await.data();
        let id = text(&of_authority["items"][0], "id");
        let refused =
            house.post(&format!("/api/v1/pki/certificates/{id}/revoke"), json!({"reason": "1"})).await;
        assert_eq!(refused.code(), "PKI_CERTIFICATE_OF_AUTHORITY");
    }
}

fn wanted(key: &pki::LocalKey, name: &str) -> Asked {
    Asked {
        profile: "server".into(),
        names: WantedNames { dns: vec![name.into()], ..WantedNames::default() },
        csr: Some(request_with(key, &[name])),
        ..Asked::default()
    }
}

#[tokio::test]
async fn what_is_planned_while_its_key_is_barred_is_given_up_whoever_comes_first() {
    for house in engines().await {
        let (root, issuing) = hierarchy(&house).await;
        let (call, pki) = (house.rooms.house.system("test"), house.rooms.pki.clone());
        let planned = async |key: &pki::LocalKey, name: &str| {
            pki.plan_only_for_test(&call, Id::NIL, &wanted(key, name)).await.unwrap()
        };
        // The bar sees the plan.
        let key = pki::local_key().unwrap();
        let first = pki.issue(&call, Id::NIL, Grade::Admin, wanted(&key, "a.test")).await.unwrap();
        let seen = planned(&key, "b.test").await;
        let named = first.certificate.id.to_string();
        pki.revoke(&call, Id::NIL, &named, Reason::KeyCompromise, None).await.unwrap();
        // The bar does not see the plan, and the plan sees the bar when it is finished.
        let key = pki::local_key().unwrap();
        let unseen = planned(&key, "c.test").await;
        let (spki, since) = (unseen.spki_sha256, house.rooms.house.now());
        let bar = sql!(
            "-- test.bar
            insert into pki_barred (tenant, spki_sha256, cause, since) values ($1, $2, 'keyCompromise', $3)"
        );
        let nobody: base::Id<base::id::kind::Tenant> = Id::NIL;
        let barred = house
            .rooms
            .house
            .db
            .write("test.bar", move |tx| tx.execute(bar, &values![nobody, spki, since]).map(|_| ()));
        barred.await.unwrap();
        for plan in [seen, unseen] {
            let (serial, id) = (plan.serial, plan.id);
            let failure = pki.finish_for_test(&call, plan).await.unwrap_err();
            assert_eq!(failure.code().name, "PKI_KEY_BARRED");
            let shown = house.get(&format!("/api/v1/pki/certificates/{id}")).await.data();
            assert_eq!((&shown["state"], &shown["certificate"]), (&json!("abandoned"), &Value::Null));
            let status = asked(&house, &root, &issuing, serial, IdHash::Sha256).await;
            assert!(matches!(status, Status::Revoked { .. }), "{status:?}");
            house.settle().await;
            let facts = house.get(&format!("/api/v1/audit?resource={id}")).await.data();
            assert_eq!(facts["items"].as_array().unwrap().len(), 1, "{facts}");
            assert_eq!(facts["items"][0]["eventType"], "certificate.abandoned");
        }
    }
}

#[tokio::test]
async fn a_compromised_key_takes_along_however_many_hold_it() {
    let house = TestHouse::new().await;
    hierarchy(&house).await;
    let (call, pki) = (house.rooms.house.system("test"), house.rooms.pki.clone());
    let key = pki::local_key().unwrap();
    let mut last = None;
    for number in 0..1_005 {
        let one = wanted(&key, &format!("n{number}.test"));
        last = Some(pki.issue(&call, Id::NIL, Grade::Admin, one).await.unwrap().certificate);
    }
    let last = last.unwrap();
    let all = pki.revoke(&call, Id::NIL, &last.id.to_string(), Reason::KeyCompromise, None).await.unwrap();
    assert_eq!((all[0].id, all.len()), (last.id, 1_005));
    let selection = pki::Selection::WithKey(last.spki_sha256);
    let left = pki.revoke_many(&call, Id::NIL, selection, Reason::Superseded, None, true).await.unwrap();
    assert_eq!(left.matched, 0);
}

#[tokio::test]
async fn a_compromised_key_is_barred_before_it_has_a_certificate_but_not_by_a_preview() {
    for house in engines().await {
        hierarchy(&house).await;
        let key = pki::local_key().unwrap();
        let body = |name: &str| json!({"profile": "server", "csr": request_with(&key, &[name])});
        let issue = async |name: &str| house.post("/api/v1/pki/certificates", body(name)).await;
        let first =
            Certificate::parse(&der(&issue("a.test").await.data())).unwrap().key().unwrap().spki_sha256();
        let call = house.rooms.house.system("test");
        let key_of = || pki::Selection::WithKey(first);
        let pki = &house.rooms.pki;
        let many = async |reason: Reason, preview: bool| {
            pki.revoke_many(&call, Id::NIL, key_of(), reason, None, preview).await.unwrap()
        };
        assert_eq!(many(Reason::Superseded, false).await.revoked, 1);
        assert_eq!(many(Reason::KeyCompromise, true).await.matched, 0);
        let again = issue("b.test").await;
        assert_eq!(again.status, 201, "{}", again.text());
        assert_eq!(many(Reason::Superseded, false).await.revoked, 1);
        let none = many(Reason::KeyCompromise, false).await;
        assert_eq!((none.matched, none.revoked, none.left), (0, 0, 0));
        assert_eq!(issue("c.test").await.code(), "PKI_KEY_BARRED");
    }
}

#[tokio::test]
async fn what_a_crash_leaves_planned_is_given_up_and_its_number_counts_as_revoked() {
    for mut house in engines().await {
        let (root, issuing) = hierarchy(&house).await;
        let call = house.rooms.house.system("test");
        let asked_for = Asked {
            profile: "server".into(),
            names: WantedNames { dns: vec!["a.test".into()], ..WantedNames::default() },
            csr: Some(request(&["a.test"])),
            ..Asked::default()
        };
        let planned = house.rooms.pki.plan_only_for_test(&call, Id::NIL, &asked_for).await.unwrap();
        assert_eq!(asked(&house, &root, &issuing, planned.serial, IdHash::Sha1).await, Status::Unknown);
        house = house.restart().await;
        let status = asked(&house, &root, &issuing, planned.serial, IdHash::Sha1).await;
        assert!(matches!(status, Status::Revoked { reason: Reason::Unspecified, .. }), "{status:?}");
        let listed = lists(&house).await;
        let listed = pem::all(listed.as_bytes(), Label::Crl).unwrap();
        let found = listed.iter().any(|list| {
            let list = Crl::parse(list).unwrap();
            list.entries().any(|entry| entry.unwrap().serial == planned.serial)
        });
        assert!(found, "the number stands in its list");
        let shown = house.get(&format!("/api/v1/pki/certificates/{}", planned.id)).await.data();
        assert_eq!((&shown["state"], &shown["certificate"]), (&json!("abandoned"), &Value::Null));
        let facts = house.get(&format!("/api/v1/audit?resource={}", planned.id)).await.data();
        assert_eq!(facts["items"][0]["eventType"], "certificate.abandoned");
        assert_eq!(facts["items"].as_array().unwrap().len(), 1);
        assert_eq!(
            house
                .post(&format!("/api/v1/pki/certificates/{}/revoke", planned.id), json!({"reason": "1"}))
                .await
                .code(),
            "PKI_CERTIFICATE_STATE"
        );
        let (good, said) =
            judged(&house, &root, &issuing, &der(&issue(&house, "server", "b.test").await)).await;
        assert!(good, "{said}");
    }
}

#[tokio::test]
async fn a_ceremony_that_nobody_finished_is_given_up_and_leaves_room_for_another() {
    let mut house = TestHouse::new().await;
    let root = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
    let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
    let planned = house.post("/api/v1/pki/init", json!({"order": {}, "rootPublicKey": spki})).await.data();
    house = house.restart().await;
    let id = text(&planned, "id");
    let facts = house.get(&format!("/api/v1/audit?resource={id}")).await.data();
    assert_eq!(facts["items"][0]["eventType"], "ceremony.abandoned");
    let finish = format!("/api/v1/pki/init/{id}/finish");
    let late = house.post(&finish, json!({"root": "", "issuing": "", "crl": ""})).await;
    assert_eq!(late.code(), "PKI_CEREMONY_GONE");
    let abandoned = house.get("/api/v1/pki/certificates?state=abandoned").await.data();
    assert_eq!(abandoned["items"].as_array().unwrap().len(), 2);
    hierarchy(&house).await;
}

#[tokio::test]
async fn no_certificate_outlives_its_issuer() {
    let house = TestHouse::new().await;
    let (root, issuing) = hierarchy(&house).await;
    house.clock.advance(DAY * (1_826 - 60));
    let long = json!({"profile": "server", "csr": request(&["a.test"])});
    assert_eq!(house.post("/api/v1/pki/certificates", long).await.code(), "PKI_LIFETIME");
    let short = json!({"profile": "server", "csr": request(&["a.test"]), "lifetimeSeconds": 30 * 86_400});
    let one = house.post("/api/v1/pki/certificates", short).await.data();
    assert_eq!(asked(&house, &root, &issuing, serial_of(&der(&one)), IdHash::Sha1).await, Status::Good);
    // Two days before its end the authority gets a responder that ends with it, and none afterwards.
    house.clock.advance(DAY * 57);
    assert!(matches!(
        asked(&house, &root, &issuing, serial_of(&der(&one)), IdHash::Sha1).await,
        Status::Good
    ));
    house.clock.advance(DAY * 30);
    house.rooms.pki.renew_responders().await.unwrap();
}

#[tokio::test]
async fn the_inventory_is_searched_from_either_end_of_a_name_paged_exported_and_forecast() {
    for house in engines().await {
        hierarchy(&house).await;
        for (name, owner) in
            [("a.dev.test", "ana"), ("b.dev.test", "ana"), ("a.xdev.test", "=rui"), ("z.internal", "")]
        {
            let body = json!({"profile": "server", "csr": request(&[name]), "owner": owner});
            house.clock.advance(Duration::from_millis(1));
            assert_eq!(house.post("/api/v1/pki/certificates", body).await.status, 201);
        }
        let names = |page: &Value| -> Vec<String> {
            page["items"].as_array().unwrap().iter().map(|one| text(one, "subject").to_owned()).collect()
        };
        let found = |query: &str| {
            let path = format!("/api/v1/pki/certificates?{query}");
            let house = &house;
            async move { names(&house.get(&path).await.data()) }
        };
        assert_eq!(found("suffix=dev.test").await, ["a.dev.test", "b.dev.test"]);
        assert_eq!(found("name=a.").await, ["a.dev.test", "a.xdev.test"]);
        assert_eq!(found("owner=ana&profile=server&state=issued").await, ["b.dev.test", "a.dev.test"]);
        assert_eq!(found("expiresBefore=2026-08-02T00:00:00Z").await, Vec::<String>::new());
        assert_eq!(house.get("/api/v1/pki/certificates?state=lost").await.code(), "PKI_FILTER_UNKNOWN");
        let mut all = Vec::new();
        let mut path = "/api/v1/pki/certificates?profile=server&limit=3".to_owned();
        loop {
            let page = house.get(&path).await.data();
            all.extend(names(&page));
            let Some(token) = page["nextPageToken"].as_str() else { break };
            path = format!("/api/v1/pki/certificates?profile=server&limit=3&pageToken={token}");
        }
        assert_eq!(all, ["z.internal", "a.xdev.test", "b.dev.test", "a.dev.test"]);
        let csv = house.get("/api/v1/pki/export").await.text();
        assert_eq!(csv.lines().count(), 1 + 2 + 4);
        assert!(csv.contains(",'=rui,") && !csv.contains(",=rui"), "{csv}");
        let csv = house.get("/api/v1/pki/export?suffix=dev.test&owner=ana").await.text();
        assert_eq!(csv.lines().count(), 1 + 2, "{csv}");
        let exported = house.get("/api/v1/pki/export?format=json").await.json();
        assert_eq!(exported.as_array().unwrap().len(), 6);
        house.clock.advance(DAY * 61);
        let renewed = json!({"profile": "server", "csr": request(&["a.dev.test"]), "owner": "ana"});
        assert_eq!(house.post("/api/v1/pki/certificates", renewed).await.status, 201);
        let overdue = house.get("/api/v1/pki/overdue").await.data();
        assert_eq!(names(&overdue), ["b.dev.test", "a.xdev.test", "z.internal"]);
        house.rooms.pki.look_up_figures().await.unwrap();
        let figures = house.rooms.metrics.expose();
        for line in [
            "selo_cert_renewal_overdue{profile=\"server\"} 3",
            "selo_pki_issued_total{profile=\"server\"} 5",
            "selo_cert_not_after_seconds{profile=\"server\",service=\"z.internal\"}",
            "selo_ca_not_after_seconds{issuer=\"Selo dev Issuing 1\",environment=\"dev\"}",
        ] {
            assert!(figures.contains(line), "{line} is not in\n{figures}");
        }
    }
}

#[tokio::test]
async fn a_tenants_program_sees_nothing_of_the_houses_authority_and_a_role_gets_what_the_settings_open() {
    for mut house in engines().await {
        hierarchy(&house).await;
        let one = issue(&house, "server", "a.test").await;
        house.tenant("Universidade").await;
        let key =
            house.post("/api/v1/api-keys", json!({"name": "k", "roles": ["issuer_admin"]})).await.data();
        let bearer = format!("Bearer {}", text(&key, "key"));
        let headers = [("authorization", bearer.as_str())];
        let id = text(&one, "id");
        for path in ["/api/v1/pki/certificates", "/api/v1/pki/authorities", "/api/v1/pki/overdue"] {
            let page = house.admin_as(Method::GET, path, &headers, json!({})).await.data();
            assert!(page["items"].as_array().unwrap().is_empty(), "{path}");
        }
        for path in [
            format!("/api/v1/pki/certificates/{id}"),
            format!("/api/v1/pki/certificates/{}", text(&one, "serial")),
            format!("/api/v1/pki/certificates/{id}/proof"),
        ] {
            assert_eq!(house.admin_as(Method::GET, &path, &headers, json!({})).await.status, 404, "{path}");
        }
        let body = json!({"profile": "server", "csr": request(&["a.test"])});
        let refused = house.admin_as(Method::POST, "/api/v1/pki/certificates", &headers, body).await;
        assert_eq!(refused.code(), "PKI_AUTHORITY_NOT_FOUND");
        let revoke = format!("/api/v1/pki/certificates/{id}/revoke");
        assert_eq!(house.admin_as(Method::POST, &revoke, &headers, json!({"reason": "1"})).await.status, 403);
        let wanted = |name: &str| Asked {
            profile: "server".into(),
            names: WantedNames { dns: vec![name.into()], ..WantedNames::default() },
            csr: Some(request(&[name])),
            ..Asked::default()
        };
        let call = house.rooms.house.system("test");
        let refused =
            house.rooms.pki.issue(&call, Id::NIL, Grade::Issuer, wanted("a.dev.test")).await.unwrap_err();
        assert!(refused.is(&pki::error::PROFILE_FORBIDDEN), "{refused}");
        house =
            house.set(&[("pki.allow_issuer_profiles", "server"), ("pki.allow_issuer_dns", "dev.test")]).await;
        house.rooms.pki.issue(&call, Id::NIL, Grade::Issuer, wanted("a.dev.test")).await.unwrap();
        let refused =
            house.rooms.pki.issue(&call, Id::NIL, Grade::Issuer, wanted("a.test")).await.unwrap_err();
        assert!(refused.is(&pki::error::NAME_FORBIDDEN), "{refused}");
    }
}

#[tokio::test]
async fn one_idempotency_key_issues_one_certificate() {
    let house = TestHouse::new().await;
    hierarchy(&house).await;
    let token = house.post("/api/v1/admin/link", json!({})).await.data();
    let entered = house.admin_as(Method::POST, "/api/v1/session", &[], token).await;
    let cookie = entered.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let headers = [("cookie", cookie.as_str()), ("origin", "http://localhost"), ("idempotency-key", "one")];
    let body = json!({"profile": "server", "csr": request(&["a.test"])});
    let first = house.admin_as(Method::POST, "/api/v1/pki/certificates", &headers, body.clone()).await.data();
    let again = house.admin_as(Method::POST, "/api/v1/pki/certificates", &headers, body).await.data();
    assert_eq!(first["serial"], again["serial"]);
    let found = house.get("/api/v1/pki/certificates?profile=server").await.data();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}
