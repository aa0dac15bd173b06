//! What a house asks of its offline root: the file, the shares, the answer; rotation under traffic; an authority that is
//! withdrawn. Chains and lists are judged by openssl.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use base::{Id, SystemChance};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{Ground, openssl};
use keys::{Algorithm, OfflineKey};
use pki::{Asked, Grade, RootRequest, WantedNames};
use proof::x509::pem::{self, Label};
use serde_json::{Value, json};
use testkit::{TestHouse, engines};

/// What openssl says of a leaf below an intermediate, with every list of the house.
fn judged(ground: &Ground, intermediate: &str, leaf: &str) -> (bool, String) {
    ground.judged("ca/root.pem", intermediate, leaf)
}

fn issue(ground: &Ground, name: &str) -> Value {
    let out = ground.arg(name);
    let dns = format!("{name}.test");
    ground
        .run(&["--json", "pki", "issue", "--profile", "server", "--dns", &dns, "--out", &out])
        .ends(0)
        .json()
}

/// Signs a request as two people would, without a house.
fn signed(ground: &Ground, request: &str, response: &str) {
    let shares = [ground.arg("ca/share-1.txt"), ground.arg("ca/share-3.txt")];
    let (request, response) = (ground.arg(request), ground.arg(response));
    let words = ["pki", "root", "sign-intermediate", &request, "--share", &shares[0], "--share", &shares[1]];
    ground.homeless(&[&words[..], &["--out", &response, "--yes"]].concat()).ends(0);
}

fn ground_with_hierarchy() -> Ground {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    ground
}

#[test]
fn the_next_authority_is_asked_for_in_a_file_signed_from_shares_elsewhere_and_taken_in_once() {
    let ground = ground_with_hierarchy();
    let before = issue(&ground, "before");
    let request = ground.arg("next.selo-request");
    let because = ["--because", "two thirds of its life are over"];
    ground.run(&[&["pki", "rotate", "--out", &request], &because[..]].concat()).ends(0);
    assert_eq!(
        ground.run(&["--json", "pki", "rotate", "--out", &ground.arg("other")]).ends(1).error(),
        "PKI_ROOT_REQUEST_OPEN"
    );
    let shown = ground.homeless(&["pki", "root", "show", &request]).ends(0).out;
    for part in [
        "two thirds of its life are over",
        "CN=Selo dev Issuing 2",
        "issuer: O=Selo, CN=Selo dev Root",
        "dns:internal",
        "SHA-256",
    ] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    let one = ground.arg("ca/share-2.txt");
    let answer = ground.arg("answer");
    let few = ["--json", "pki", "root", "sign", &request, "--share", &one, "--out", &answer, "--yes"];
    assert_eq!(ground.homeless(&few).ends(2).error(), "KEYS_SHARES_TOO_FEW");
    let unasked = ["--json", "pki", "root", "sign", &request, "--share", &one, "--out", &answer];
    assert_eq!(ground.homeless(&unasked).ends(2).error(), "NOT_AGREED");
    assert_eq!(ground.run_at_terminal("no", &unasked).ends(2).error(), "NOT_AGREED");
    let agreed = ground.run_at_terminal("Yes", &unasked).ends(2);
    assert_eq!(agreed.error(), "KEYS_SHARES_TOO_FEW", "whoever agrees is taken at their word");
    assert!(!ground.file("answer").exists(), "nothing is written of what was not signed");
    signed(&ground, "next.selo-request", "next.selo-response");

    let mut tampered: Value =
        serde_json::from_slice(&std::fs::read(ground.file("next.selo-response")).unwrap()).unwrap();
    let mut der = STANDARD.decode(tampered["parts"][0]["signed"].as_str().unwrap()).unwrap();
    *der.last_mut().unwrap() ^= 1;
    tampered["parts"][0]["signed"] = json!(STANDARD.encode(der));
    std::fs::write(ground.file("tampered"), tampered.to_string()).unwrap();
    let refused = ground.run(&["--json", "pki", "root", "accept", &ground.arg("tampered")]).ends(2);
    assert_eq!(refused.error(), "PKI_SIGNATURE_WRONG");

    let accept = ["--json", "pki", "root", "accept", &ground.arg("next.selo-response")];
    let made = ground.run(&[&accept[..], &["--out", &ground.arg("next")]].concat()).ends(0).json();
    assert_eq!((&made["issuing"]["state"], made["retired"].as_array().unwrap().len()), (&json!("active"), 1));
    assert_eq!(ground.run(&accept).ends(1).error(), "PKI_ROOT_REQUEST_GONE");
    let after = issue(&ground, "after");
    assert_eq!(after["authority"], made["issuing"]["id"]);
    assert_ne!(before["authority"], after["authority"]);
    for (intermediate, leaf) in
        [("ca/intermediate.pem", "before/cert.pem"), ("next/intermediate.pem", "after/cert.pem")]
    {
        let (good, said) = judged(&ground, &ground.arg(intermediate), &ground.arg(leaf));
        assert!(good, "{leaf}: {said}");
        // The chain that comes with a certificate is its own.
        let chain = leaf.replace("cert.pem", "chain.pem");
        let (good, said) = judged(&ground, &ground.arg(&chain), &ground.arg(leaf));
        assert!(good, "{chain}: {said}");
    }
    // The retired one still withdraws what it signed, and both views say so.
    ground.run(&["pki", "revoke", before["serial"].as_str().unwrap(), "--reason", "superseded"]).ends(0);
    let (good, said) = judged(&ground, &ground.arg("ca/intermediate.pem"), &ground.arg("before/cert.pem"));
    assert!(!good && said.contains("certificate revoked"), "{said}");
    let all = ground.run(&["--json", "pki", "root", "requests"]).ends(0).json();
    assert_eq!(all["items"][0]["state"], "accepted");
    ground.run(&["log", "verify"]).ends(0);
}

#[test]
fn a_withdrawn_authority_takes_its_leaves_along_and_its_successor_issues_under_the_same_root() {
    let ground = ground_with_hierarchy();
    let old = issue(&ground, "old");
    let authority = old["authority"].as_str().unwrap();
    let request = ground.arg("end.selo-request");
    let order =
        ["pki", "revoke-authority", authority, "--reason", "caCompromise", "--replace", "--out", &request];
    ground.run(&order).ends(0);
    let shown = ground.homeless(&["pki", "root", "show", &request]).ends(0).out;
    for part in ["number: 2", "caCompromise", "entries: 1", "CN=Selo dev Issuing 2"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    signed(&ground, "end.selo-request", "end.selo-response");
    // Until the answer is there everything goes on as before.
    let (good, said) = judged(&ground, &ground.arg("ca/intermediate.pem"), &ground.arg("old/cert.pem"));
    assert!(good, "{said}");
    let served = ground.serve(&[]);
    let accept = ["--json", "pki", "root", "accept", &ground.arg("end.selo-response")];
    let made = ground.run(&[&accept[..], &["--out", &ground.arg("next")]].concat()).ends(0).json();
    assert_eq!(made["revoked"], json!([authority]));
    assert_eq!(made["retired"], json!([]));
    let (good, said) = judged(&ground, &ground.arg("ca/intermediate.pem"), &ground.arg("old/cert.pem"));
    assert!(!good && said.contains("certificate revoked"), "{said}");
    issue(&ground, "new");
    let (good, said) = judged(&ground, &ground.arg("next/intermediate.pem"), &ground.arg("new/cert.pem"));
    assert!(good, "{said}");
    // The leaf itself is not touched in the table; whoever asks about it hears of its authority.
    let shown = ground.run(&["--json", "pki", "show", old["serial"].as_str().unwrap()]).ends(0).json();
    assert_eq!(shown["state"], "issued");
    let url = format!("http://127.0.0.1:{}/ocsp", served.public);
    let (_, said) = openssl(&[
        "ocsp",
        "-no_nonce",
        "-issuer",
        &ground.arg("ca/intermediate.pem"),
        "-cert",
        &ground.arg("old/cert.pem"),
        "-url",
        &url,
        "-CAfile",
        &ground.arg("ca/root.pem"),
        "-verify_other",
        &ground.arg("ca/intermediate.pem"),
    ]);
    assert!(said.contains("cert.pem: revoked") && said.contains("Reason: cACompromise"), "{said}");
    let (_, said) = openssl(&["crl", "-in", &ground.arg("next/root.crl.pem"), "-noout", "-crlnumber"]);
    assert!(said.contains("0x02") || said.contains("0x2") || said.contains("=02"), "{said}");
    drop(served);
    // Without a successor nothing is issued.
    let authority = made["issuing"]["id"].as_str().unwrap();
    let request = ground.arg("last.selo-request");
    ground.run(&["pki", "revoke-authority", authority, "--reason", "superseded", "--out", &request]).ends(0);
    signed(&ground, "last.selo-request", "last.selo-response");
    ground.run(&["pki", "root", "accept", &ground.arg("last.selo-response")]).ends(0);
    let none = ["--json", "pki", "issue", "--dns", "no.test", "--out", &ground.arg("none")];
    assert_eq!(ground.run(&none).ends(1).error(), "PKI_AUTHORITY_NOT_FOUND");
    let again =
        ["--json", "pki", "revoke-authority", authority, "--reason", "superseded", "--out", &ground.arg("x")];
    assert_eq!(ground.run(&again).ends(2).error(), "PKI_ROOT_ORDER_INVALID");
    ground.run(&["log", "verify"]).ends(0);
}

#[test]
fn what_is_given_up_counts_as_revoked_and_the_next_list_says_so() {
    let ground = ground_with_hierarchy();
    let (first, second) = (ground.arg("1.selo-request"), ground.arg("2.selo-request"));
    let planned = ground.run(&["--json", "pki", "rotate", "--out", &first]).ends(0).json();
    let id = planned["id"].as_str().unwrap();
    signed(&ground, "1.selo-request", "1.selo-response");
    ground.run(&["pki", "root", "abandon", id]).ends(0);
    assert_eq!(
        ground.run(&["--json", "pki", "root", "accept", &ground.arg("1.selo-response")]).ends(1).error(),
        "PKI_ROOT_REQUEST_GONE"
    );
    ground.run(&["pki", "root", "request-crl", "--out", &second]).ends(0);
    let shown = ground.homeless(&["pki", "root", "show", &second]).ends(0).out;
    assert!(shown.contains("entries: 1"), "{shown}");
    signed(&ground, "2.selo-request", "2.selo-response");
    ground.run(&["pki", "root", "accept", &ground.arg("2.selo-response")]).ends(0);
    issue(&ground, "after");
    let (good, said) = judged(&ground, &ground.arg("ca/intermediate.pem"), &ground.arg("after/cert.pem"));
    assert!(good, "{said}");
}

#[test]
fn a_root_signs_nothing_that_is_not_its_own_and_says_what_is_wrong() {
    let ground = ground_with_hierarchy();
    let request = ground.arg("a.selo-request");
    ground.run(&["pki", "rotate", "--out", &request]).ends(0);
    let file: Value = serde_json::from_slice(&std::fs::read(&request).unwrap()).unwrap();
    let code = |file: &Value| RootRequest::read(file.to_string().as_bytes()).unwrap_err().code().name;
    RootRequest::read(file.to_string().as_bytes()).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = file.clone();
        change(&mut changed);
        changed
    };
    let part = |tbs: &[u8], kind: &str| {
        let sha256 = proof::crypto::hex(&proof::crypto::sha256(tbs));
        json!({"kind": kind, "tbs": STANDARD.encode(tbs), "sha256": sha256})
    };
    let certificate =
        |name: &str| pem::one(&std::fs::read(ground.file(name)).unwrap(), Label::Certificate).unwrap();
    let tbs = |der: &[u8]| proof::x509::Certificate::parse(der).unwrap().tbs.to_vec();
    // A service, the root itself, an authority of another root.
    let leaf = tbs(&certificate("ca/server/cert.pem"));
    let root = tbs(&certificate("ca/root.pem"));
    for (bytes, kind) in [(&leaf, "issuing"), (&root, "issuing"), (&leaf, "crl")] {
        let changed = with(&|file| file["parts"] = json!([part(bytes, kind)]));
        assert_eq!(code(&changed), "PKI_ROOT_WOULD_NOT_SIGN");
    }
    let other = ground_with_hierarchy();
    let foreign = pem::one(&std::fs::read(other.file("ca/root.pem")).unwrap(), Label::Certificate).unwrap();
    type Change<'a> = &'a dyn Fn(&mut Value);
    let changes: [(Change<'_>, &str); 6] = [
        (&|file| file["format"] = json!("selo-root-request/2"), "PKI_EXCHANGE_UNREADABLE"),
        (&|file| file["parts"] = json!([]), "PKI_EXCHANGE_UNREADABLE"),
        (&|file| file["parts"][0]["sha256"] = json!("00"), "PKI_EXCHANGE_UNREADABLE"),
        (&|file| file["parts"][0]["tbs"] = json!("%"), "PKI_EXCHANGE_UNREADABLE"),
        (
            &|file| file["root"] = json!(STANDARD.encode(certificate("ca/intermediate.pem"))),
            "PKI_EXCHANGE_UNREADABLE",
        ),
        (&|file| file["more"] = json!(1), "PKI_EXCHANGE_UNREADABLE"),
    ];
    for (change, expected) in changes {
        assert_eq!(code(&with(change)), expected);
    }
    // The same names under another key: the shares decide.
    let changed = with(&|file| file["root"] = json!(STANDARD.encode(&foreign)));
    std::fs::write(ground.file("foreign"), changed.to_string()).unwrap();
    let (a, b) = (ground.arg("ca/share-1.txt"), ground.arg("ca/share-2.txt"));
    let sign = ["--json", "pki", "root", "sign", &ground.arg("foreign"), "--share", &a, "--share", &b];
    let ran = ground.homeless(&[&sign[..], &["--out", &ground.arg("no"), "--yes"]].concat()).ends(2);
    assert_eq!(ran.error(), "PKI_ROOT_KEY_OTHER");
    assert!(!ground.file("no").exists());
    let accept = ["--json", "pki", "root", "accept", &ground.arg("foreign")];
    ground.run(&accept).ends(2);
}

// ---- under traffic

/// Traffic that has not gone on by then does not go on.
const TRAFFIC_TIME: Duration = Duration::from_secs(60);

/// A house whose root's key the test holds.
async fn hierarchy(house: &TestHouse) -> (OfflineKey, Vec<u8>) {
    hierarchy_of(house, json!({})).await
}

async fn hierarchy_of(house: &TestHouse, order: Value) -> (OfflineKey, Vec<u8>) {
    let root = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
    let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
    let planned = house.post("/api/v1/pki/init", json!({"order": order, "rootPublicKey": spki})).await.data();
    let sign = |name: &str| {
        let tbs = STANDARD.decode(planned[name].as_str().unwrap()).unwrap();
        STANDARD.encode(root.sign(&tbs).unwrap().x509())
    };
    let signed = json!({"root": sign("root"), "issuing": sign("issuing"), "crl": sign("crl")});
    let finish = format!("/api/v1/pki/init/{}/finish", planned["id"].as_str().unwrap());
    let made = house.post(&finish, signed).await.data();
    (root, pem::one(made["root"].as_str().unwrap().as_bytes(), Label::Certificate).unwrap())
}

/// Asks, signs and takes in, as the command line does.
async fn answered(house: &TestHouse, root: &OfflineKey, order: Value) -> Value {
    let planned = house.post("/api/v1/pki/root-requests", order).await.data();
    let request = RootRequest::read(planned["file"].to_string().as_bytes()).unwrap();
    let response = serde_json::to_value(request.sign(root).unwrap()).unwrap();
    let accepted = house.post("/api/v1/pki/root-requests/accept", response).await;
    assert_eq!(accepted.status, 201, "{}", accepted.text());
    accepted.data()
}

fn asked(name: &str) -> Asked {
    let key = pki::local_key().unwrap();
    Asked {
        profile: "server".into(),
        names: WantedNames { dns: vec![name.into()], ..WantedNames::default() },
        csr: Some(pem::encode(Label::CertificateRequest, &pki::request_der(&key, &[]).unwrap())),
        ..Asked::default()
    }
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let file = folder.join(name);
    std::fs::write(&file, bytes).unwrap();
    file.display().to_string()
}

/// Waits until so many more were issued than now.
async fn more(issued: &AtomicU64, count: u64) {
    let enough = issued.load(Ordering::Relaxed) + count;
    let begun = Instant::now();
    while issued.load(Ordering::Relaxed) < enough {
        assert!(begun.elapsed() < TRAFFIC_TIME, "no traffic: fewer than {count} were issued");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authorities_change_under_traffic_without_one_error_and_each_certificate_verifies_with_its_chain() {
    for house in engines().await {
        let (root, root_der) = hierarchy(&house).await;
        let (stop, issued) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut traffic = Vec::new();
        for lane in 0..4 {
            let (pki, stop, issued) = (house.rooms.pki.clone(), Arc::clone(&stop), Arc::clone(&issued));
            let call = house.rooms.house.system("traffic");
            traffic.push(tokio::spawn(async move {
                let mut made = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let wanted = asked(&format!("n{}.lane{lane}.test", made.len()));
                    made.push(pki.issue(&call, Id::NIL, Grade::Admin, wanted).await.unwrap());
                    issued.fetch_add(1, Ordering::Relaxed);
                }
                made
            }));
        }
        let mut authorities = 1;
        for _ in 0..3 {
            more(&issued, 8).await;
            let made = answered(&house, &root, json!({"issuing": true, "reason": "rotation"})).await;
            assert_eq!(made["retired"].as_array().unwrap().len(), 1);
            authorities += 1;
        }
        more(&issued, 8).await;
        stop.store(true, Ordering::Relaxed);
        let mut issued = Vec::new();
        for lane in traffic {
            issued.extend(lane.await.unwrap());
        }
        let mut signers: Vec<_> = issued.iter().map(|one| one.certificate.authority).collect();
        signers.sort();
        signers.dedup();
        assert_eq!(signers.len(), authorities, "each authority issued while it was its turn");
        let folder = tempfile::tempdir().unwrap();
        let pem = |der: &[u8]| pem::encode(Label::Certificate, der);
        let root_file = write(folder.path(), "root.pem", pem(&root_der));
        let at = house.rooms.house.now().seconds().to_string();
        // One call of openssl for each authority: all its leaves, each below the chain that came with it.
        for signer in signers {
            let of: Vec<_> = issued.iter().filter(|one| one.certificate.authority == signer).collect();
            assert!(of.iter().all(|one| one.chain == of[0].chain));
            let chain = write(folder.path(), "chain.pem", pem(&of[0].chain[0]));
            let leaves: Vec<String> = of
                .iter()
                .enumerate()
                .map(|(n, one)| {
                    let der = one.certificate.der.as_deref().unwrap();
                    write(folder.path(), &format!("leaf-{n}.pem"), pem(der))
                })
                .collect();
            let verify =
                ["verify", "-x509_strict", "-attime", &at, "-CAfile", &root_file, "-untrusted", &chain];
            let words: Vec<&str> = verify.into_iter().chain(leaves.iter().map(String::as_str)).collect();
            let (good, said) = openssl(&words);
            assert!(good && said.matches(": OK").count() == leaves.len(), "{said}");
        }
    }
}

#[tokio::test]
async fn a_successor_names_the_policies_of_the_one_before_it_and_its_certificates_assert_them() {
    let house = TestHouse::new().await;
    let (root, _) = hierarchy_of(&house, json!({"policyArc": "1.3.6.1.4.1.32473.1.5"})).await;
    let call = house.rooms.house.system("test");
    let issue =
        async |name: &str| house.rooms.pki.issue(&call, Id::NIL, Grade::Admin, asked(name)).await.unwrap();
    let policies = |der: &[u8]| {
        let read = proof::x509::Certificate::parse(der).unwrap();
        read.policies().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let before = issue("a.test").await;
    let planned = house.post("/api/v1/pki/root-requests", json!({"issuing": true})).await.data();
    let request = RootRequest::read(planned["file"].to_string().as_bytes()).unwrap();
    let told = request.told().unwrap();
    let said = told[0].says.iter().find(|(name, _)| *name == "policies").expect("policies are shown");
    assert_eq!(said.1, policies(&before.chain[0]).join(", "));
    let response = serde_json::to_value(request.sign(&root).unwrap()).unwrap();
    house.post("/api/v1/pki/root-requests/accept", response).await.data();
    let after = issue("b.test").await;
    assert_ne!(before.chain[0], after.chain[0]);
    assert!(!policies(&before.chain[0]).is_empty());
    assert_eq!(policies(&before.chain[0]), policies(&after.chain[0]));
    assert_eq!(policies(after.certificate.der.as_deref().unwrap()), ["1.3.6.1.4.1.32473.1.5.2"]);
}

#[tokio::test]
async fn a_retired_authority_answers_until_it_has_ended_and_then_nobody_speaks_for_it() {
    let house = TestHouse::new().await;
    let (root, _) = hierarchy(&house).await;
    let call = house.rooms.house.system("test");
    let one = house.rooms.pki.issue(&call, Id::NIL, Grade::Admin, asked("a.test")).await.unwrap();
    answered(&house, &root, json!({"issuing": true})).await;
    let issuing = proof::x509::Certificate::parse(&one.chain[0]).unwrap();
    let key = issuing.key().unwrap();
    let hash = proof::x509::ocsp::IdHash::Sha1;
    let id = proof::x509::ocsp::CertId::new(hash, &issuing.subject, &key, one.certificate.serial).unwrap();
    let request = proof::x509::ocsp::OcspRequest { ids: vec![id], nonce: None }.write();
    let ask = || async {
        let media = "application/ocsp-request";
        house.public(axum::http::Method::POST, "/ocsp", media, request.clone()).await.body
    };
    let answer = ask().await;
    let said = proof::x509::ocsp::OcspResponse::parse(&answer).unwrap().singles[0].status;
    assert_eq!(said, proof::x509::ocsp::Status::Good);
    let figures = house.rooms.pki.look_up_figures().await;
    figures.unwrap();
    house.clock.advance(Duration::from_secs(1_830 * 86_400));
    assert_eq!(ask().await.to_vec(), proof::x509::ocsp::OcspError::Unauthorized.response().to_vec());
}

#[tokio::test]
async fn an_authority_past_two_thirds_of_its_life_is_a_figure_until_its_successor_issues() {
    let house = TestHouse::new().await;
    let (root, _) = hierarchy(&house).await;
    let overdue = || async {
        house.rooms.pki.look_up_figures().await.unwrap();
        let text = house.rooms.metrics.expose();
        let lines: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with("selo_ca_renewal_overdue{") && line.contains("Issuing"))
            .map(str::to_owned)
            .collect();
        assert_eq!(lines.len(), 1, "{text}");
        lines[0].ends_with(" 1")
    };
    assert!(!overdue().await);
    house.clock.advance(Duration::from_secs(1_225 * 86_400));
    assert!(overdue().await);
    answered(&house, &root, json!({"issuing": true})).await;
    assert!(!overdue().await);
}
