//! A backup is put back, and the log's mirror gives back what happened since: no revocation is lost. openssl says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{path::Path, process::Command};

use base::{Id, SystemChance};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{Ground, openssl};
use events::Log;
use keys::{Algorithm, OfflineKey};
use pki::{Asked, Grade, Replayed, WantedNames};
use proof::x509::{
    Certificate, Serial,
    crl::{Crl, Reason},
    ocsp::{CertId, IdHash, OcspRequest, OcspResponse, Status},
    pem::{self, Label},
};
use serde_json::{Value, json};
use store::blob::Blobs;
use testkit::{TestHouse, engines};

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// What openssl says of a leaf, with every list of the house.
fn judged(ground: &Ground, leaf: &str) -> (bool, String) {
    ground.judged("ca/root.pem", "ca/intermediate.pem", &format!("{leaf}/cert.pem"))
}

fn issue(ground: &Ground, name: &str) -> String {
    let (dns, out) = (format!("{name}.test"), ground.arg(name));
    let issue = ["--json", "pki", "issue", "--profile", "server", "--dns", &dns, "--out", &out];
    ground.run(&issue).ends(0).json()["serial"].as_str().unwrap().to_owned()
}

fn revoke(ground: &Ground, serial: &str, reason: &str) {
    ground.run(&["pki", "revoke", serial, "--reason", reason]).ends(0);
}

/// The number of the list that would name a serial number.
fn list_number(ground: &Ground, leaf: &str) -> u64 {
    let leaf = std::fs::read(ground.file(&format!("{leaf}/cert.pem"))).unwrap();
    let leaf = pem::one(&leaf, Label::Certificate).unwrap();
    let leaf = Certificate::parse(&leaf).unwrap();
    let address = leaf.crl_addresses().unwrap()[0].to_owned();
    let name = address.rsplit_once("/crl/").unwrap().1.replace('/', "-");
    let list = std::fs::read(ground.file(&format!("lists/{name}"))).unwrap();
    Crl::parse(&list).unwrap().number().unwrap().unwrap()
}

/// A house with a backup of one moment and a mirror of a later one.
struct Fallen {
    ground: Ground,
    mirror: String,
    /// Issued before the backup, revoked after it.
    old: String,
}

fn fallen() -> Fallen {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let (old, stolen) = (issue(&ground, "old"), issue(&ground, "stolen"));
    issue(&ground, "calm");
    copy(&ground.home(), &ground.file("backup"));
    let new = issue(&ground, "new");
    issue(&ground, "living");
    revoke(&ground, &old, "superseded");
    revoke(&ground, &new, "cessationOfOperation");
    revoke(&ground, &stolen, "keyCompromise");
    for gone in ["old", "new", "stolen"] {
        let (good, said) = judged(&ground, gone);
        assert!(!good && said.contains("certificate revoked"), "{gone}: {said}");
    }
    let mirror = ground.arg("mirror");
    ground.run(&["log", "mirror", "ca", "--out", &mirror]).ends(0);
    Fallen { ground, mirror, old }
}

fn put_back(ground: &Ground) {
    std::fs::remove_dir_all(ground.home()).unwrap();
    copy(&ground.file("backup"), &ground.home());
}

#[test]
fn a_restored_house_knows_every_revocation_after_the_log_was_replayed_and_the_log_goes_on() {
    let Fallen { ground, mirror, old } = fallen();
    let number = list_number(&ground, "old");
    put_back(&ground);
    // Shown what was signed once, the earlier state does not open: it would say good of what is revoked.
    let expected = format!("audit.expect_checkpoint={mirror}/checkpoint");
    let shown = ["--json", "--set", &expected, "pki", "show", &old];
    assert_eq!(ground.run(&shown).ends(1).error(), "LOG_BEHIND");
    let done = ground.run(&["--json", "pki", "replay", "--log", &mirror]).ends(0).json();
    assert_eq!(
        (&done["issued"], &done["revoked"], &done["orphans"], done["size"] == done["checkpoint"]),
        (&json!(2), &json!(3), &json!(0), true),
        "{done}"
    );
    assert_eq!(ground.run(&shown).ends(0).json()["state"], "revoked");
    for (leaf, revoked) in
        [("old", true), ("new", true), ("stolen", true), ("calm", false), ("living", false)]
    {
        let (good, said) = judged(&ground, leaf);
        assert_eq!(good, !revoked, "{leaf}: {said}");
        assert_eq!(said.contains("certificate revoked"), revoked, "{leaf}: {said}");
    }
    assert!(list_number(&ground, "old") > number, "the numbers of lists only grow");
    let served = ground.serve(&["--set", &expected]);
    let url = format!("http://127.0.0.1:{}/ocsp", served.public);
    for (leaf, word) in [("old", "revoked"), ("new", "revoked"), ("stolen", "revoked"), ("living", "good")] {
        let issuing = ground.arg("ca/intermediate.pem");
        let file = ground.arg(&format!("{leaf}/cert.pem"));
        let (_, said) = openssl(&[
            "ocsp",
            "-no_nonce",
            "-issuer",
            &issuing,
            "-cert",
            &file,
            "-url",
            &url,
            "-CAfile",
            &ground.arg("ca/root.pem"),
            "-verify_other",
            &issuing,
        ]);
        assert!(said.contains("Response verify OK") && said.contains(&format!("cert.pem: {word}")), "{said}");
    }
    drop(served);
    // A key that was barred after the backup is barred.
    let key = ground.arg("stolen/key.pem");
    let csr = ground.arg("again.csr");
    openssl(&[
        "req",
        "-new",
        "-key",
        &key,
        "-subj",
        "/",
        "-addext",
        "subjectAltName=DNS:x.test",
        "-out",
        &csr,
    ]);
    let again = ["--json", "pki", "issue", "--profile", "server", "--csr", &csr, "--out", &ground.arg("x")];
    assert_eq!(ground.run(&again).ends(1).error(), "PKI_KEY_BARRED");
    // The log goes on where the mirror ends: the same mirror is still a part of it, and audits itself.
    issue(&ground, "later");
    ground.run(&["log", "verify"]).ends(0);
    let nothing = ground.run(&["--json", "pki", "replay", "--log", &mirror]).ends(0).json();
    assert_eq!(nothing["leaves"], 0);
    ground.run(&["log", "mirror", "ca", "--out", &mirror]).ends(0);
    let nothing = ground.run(&["--json", "pki", "replay", "--log", &mirror]).ends(0).json();
    assert_eq!((&nothing["leaves"], &nothing["had"]), (&json!(0), &nothing["checkpoint"]));
    ground.run(&["pki", "export", "--out", &ground.arg("all.csv")]).ends(0);
}

#[test]
fn a_mirror_is_believed_in_nothing_and_a_refused_one_changes_nothing() {
    let Fallen { ground, mirror, old } = fallen();
    put_back(&ground);
    let replay = |folder: &str| ground.run(&["--json", "pki", "replay", "--log", folder]);
    let size = |value: Value| value["logs"][2]["size"].as_u64().unwrap();
    let before = size(ground.run(&["--json", "log", "verify"]).ends(0).json());
    let spoiled = |name: &str, change: &dyn Fn(&Path)| {
        let folder = ground.file(name);
        copy(Path::new(&mirror), &folder);
        change(&folder);
        folder.display().to_string()
    };
    let bundle = std::fs::read_dir(ground.file("mirror/tile/entries/000.p")).unwrap().next().unwrap();
    let bundle = Path::new("tile/entries/000.p").join(bundle.unwrap().file_name());
    let flipped = |folder: &Path, file: &Path, at: usize| {
        let mut bytes = std::fs::read(folder.join(file)).unwrap();
        let at = at.min(bytes.len() - 2);
        bytes[at] ^= 1;
        std::fs::write(folder.join(file), bytes).unwrap();
    };
    type Harm<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Harm<'_>); 5] = [
        ("late", &|folder| flipped(folder, &bundle, usize::MAX)),
        ("early", &|folder| flipped(folder, &bundle, 100)),
        ("unsigned", &|folder| flipped(folder, Path::new("checkpoint"), usize::MAX)),
        ("short", &|folder| std::fs::write(folder.join(&bundle), b"").unwrap()),
        ("bare", &|folder| std::fs::remove_file(folder.join("checkpoint")).unwrap()),
    ];
    for (name, change) in cases {
        assert_eq!(replay(&spoiled(name, change)).ends(1).error(), "LOG_MIRROR_REFUSED", "{name}");
    }
    let other = Ground::with_house();
    other.run(&["log", "mirror", "ca", "--out", &ground.arg("foreign")]).ends(0);
    assert_eq!(replay(&ground.arg("foreign")).ends(1).error(), "LOG_MIRROR_REFUSED");
    assert_eq!(replay(&ground.arg("nowhere")).ends(2).error(), "FILE_UNREADABLE");
    let served = ground.serve(&[]);
    assert_eq!(replay(&mirror).ends(1).error(), "HOME_BUSY");
    drop(served);
    assert_eq!(size(ground.run(&["--json", "log", "verify"]).ends(0).json()), before);
    assert_eq!(ground.run(&["--json", "pki", "show", &old]).ends(0).json()["state"], "issued");
    replay(&mirror).ends(0);
    assert_eq!(ground.run(&["--json", "pki", "show", &old]).ends(0).json()["state"], "revoked");
}

// ---- on every engine

async fn hierarchy(house: &TestHouse) -> OfflineKey {
    let root = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
    let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
    let planned = house.post("/api/v1/pki/init", json!({"order": {}, "rootPublicKey": spki})).await.data();
    let sign = |name: &str| {
        let tbs = STANDARD.decode(planned[name].as_str().unwrap()).unwrap();
        STANDARD.encode(root.sign(&tbs).unwrap().x509())
    };
    let signed = json!({"root": sign("root"), "issuing": sign("issuing"), "crl": sign("crl")});
    let finish = format!("/api/v1/pki/init/{}/finish", planned["id"].as_str().unwrap());
    house.post(&finish, signed).await.data();
    root
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

async fn status(house: &TestHouse, issuing: &[u8], serial: Serial) -> Status {
    let issuing = Certificate::parse(issuing).unwrap();
    let key = issuing.key().unwrap();
    let id = CertId::new(IdHash::Sha256, &issuing.subject, &key, serial).unwrap();
    let request = OcspRequest { ids: vec![id], nonce: None }.write();
    let media = "application/ocsp-request";
    let answer = house.public(axum::http::Method::POST, "/ocsp", media, request).await;
    OcspResponse::parse(&answer.body).unwrap().singles[0].status
}

/// The entry of a number in the list of its shard.
async fn listed(house: &TestHouse, leaf: &[u8], serial: Serial) -> Option<Reason> {
    let address = Certificate::parse(leaf).unwrap().crl_addresses().unwrap()[0].to_owned();
    let path = address.split_once("/crl/").map(|(_, rest)| format!("/crl/{rest}")).unwrap();
    let list = house.public_get(&path).await.body;
    Crl::parse(&list).unwrap().find(&serial).unwrap().map(|entry| entry.reason)
}

async fn replayed(house: &TestHouse, mirror: &Path) -> base::Result<Replayed> {
    let mut mirror = house.rooms.audit.mirror(Log::Ca, Blobs::folder(mirror)?).await?;
    let mut replay = house.rooms.pki.replay(house.rooms.tenants().await?);
    while let Some((from, entries)) = mirror.missing().await? {
        replay.put_back(from, entries).await?;
    }
    Ok(replay.done())
}

#[tokio::test]
async fn yesterdays_backup_and_the_mirror_give_todays_revocations_on_every_engine() {
    for house in engines().await {
        hierarchy(&house).await;
        let call = house.rooms.house.system("test");
        let before = house.rooms.pki.issue(&call, Id::NIL, Grade::Admin, asked("a.test")).await.unwrap();
        house.settle().await;
        let (house, backup) = house.back_up().await;
        // More than one bundle of leaves, so that the mirror has full and unfinished ones.
        let mut since = Vec::new();
        for number in 0..260 {
            let wanted = asked(&format!("n{number}.test"));
            since.push(house.rooms.pki.issue(&call, Id::NIL, Grade::Admin, wanted).await.unwrap());
        }
        let planned = house.rooms.pki.plan_only_for_test(&call, Id::NIL, &asked("lost.test")).await.unwrap();
        house.clock.advance(std::time::Duration::from_secs(60));
        house.rooms.pki.abandon_stale(true).await.unwrap();
        let gone = [&before.certificate, &since[7].certificate];
        for one in gone {
            let named = one.id.to_string();
            house.rooms.pki.revoke(&call, Id::NIL, &named, Reason::Superseded, None).await.unwrap();
        }
        house.settle().await;
        let kept = tempfile::tempdir().unwrap();
        let mirror = kept.path().join("ca");
        copy(&house.home.blobs().join("log/ca"), &mirror);
        let size = house.rooms.audit.head(Log::Ca).await.unwrap().size;

        let house = house.put_back(&backup).await;
        let expected = std::fs::read(mirror.join("checkpoint")).unwrap();
        let failure = house.rooms.audit.expect(&expected).await.unwrap_err();
        assert!(failure.is(&audit::error::BEHIND), "{failure}");
        let done = replayed(&house, &mirror).await.unwrap();
        assert_eq!((done.issued, done.revoked, done.abandoned, done.orphans), (260, 2, 1, 0), "{done:?}");
        house.rooms.audit.expect(&expected).await.unwrap();
        house.settle().await;
        let issuing = &before.chain[0];
        for one in gone {
            let said = status(&house, issuing, one.serial).await;
            assert!(matches!(said, Status::Revoked { reason: Reason::Superseded, .. }), "{said:?}");
            let der = one.der.as_deref().unwrap();
            assert_eq!(listed(&house, der, one.serial).await, Some(Reason::Superseded));
        }
        assert!(matches!(status(&house, issuing, planned.serial).await, Status::Revoked { .. }));
        for living in since.iter().skip(8).step_by(50) {
            assert_eq!(status(&house, issuing, living.certificate.serial).await, Status::Good);
        }
        // The row that came back is renewed in the second that the lost one would have been.
        let lost = &since[8].certificate;
        let found = house.get(&format!("/api/v1/pki/certificates/{}", lost.serial)).await.data();
        assert_eq!(found["renewAt"], lost.renew_at.rfc3339());
        assert!(house.rooms.audit.head(Log::Ca).await.unwrap().size >= size);
        let report = house.rooms.audit.verify(Log::Ca).await.unwrap();
        assert!(report.ok, "{report:?}");
        assert_eq!(replayed(&house, &mirror).await.unwrap(), Replayed::default());
        // What came back is revoked like any other, and the audit search finds its facts.
        let id = since[9].certificate.id.to_string();
        let named = since[9].certificate.serial.to_string();
        house.rooms.pki.revoke(&call, Id::NIL, &named, Reason::Superseded, None).await.unwrap();
        house.settle().await;
        let found = house.get(&format!("/api/v1/audit?resource={id}")).await.data();
        let kinds: Vec<&str> =
            found["items"].as_array().unwrap().iter().map(|one| one["eventType"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["certificate.revoked", "certificate.issued"]);
    }
}

#[tokio::test]
async fn an_authority_that_began_after_the_backup_is_named_and_its_certificates_are_not_spoken_for() {
    let house = TestHouse::new().await;
    let root = hierarchy(&house).await;
    let call = house.rooms.house.system("test");
    let before = house.rooms.pki.issue(&call, Id::NIL, Grade::Admin, asked("a.test")).await.unwrap();
    house.settle().await;
    let (house, backup) = house.back_up().await;
    let planned = house.post("/api/v1/pki/root-requests", json!({"issuing": true})).await.data();
    let request = pki::RootRequest::read(planned["file"].to_string().as_bytes()).unwrap();
    let response = serde_json::to_value(request.sign(&root).unwrap()).unwrap();
    let made = house.post("/api/v1/pki/root-requests/accept", response).await.data();
    house.rooms.pki.issue(&call, Id::NIL, Grade::Admin, asked("b.test")).await.unwrap();
    house.settle().await;
    let kept = tempfile::tempdir().unwrap();
    let mirror = kept.path().join("ca");
    copy(&house.home.blobs().join("log/ca"), &mirror);
    let house = house.put_back(&backup).await;
    let done = replayed(&house, &mirror).await.unwrap();
    let [lost] = &done.authorities_lost[..] else { panic!("{done:?}") };
    assert_eq!(lost.authority.to_string(), made["issuing"]["id"].as_str().unwrap());
    assert_eq!(done.orphans, 1);
    house.settle().await;
    let all = house.get("/api/v1/pki/authorities").await.data();
    let states: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "retired"], "the root, and the one that was followed");
    assert_eq!(status(&house, &before.chain[0], before.certificate.serial).await, Status::Good);
    // Its root is asked for its end by its certificate, and for the next one in the same file.
    let certificate = lost.certificate.to_string();
    let none = json!({"revoke": [{"authority": lost.authority.to_string(), "reason": "superseded"}]});
    assert_eq!(house.post("/api/v1/pki/root-requests", none).await.code(), "PKI_AUTHORITY_UNKNOWN");
    let leaf = before.certificate.id.to_string();
    let no_authority = json!({"revoke": [{"authority": leaf, "reason": "superseded"}]});
    assert_eq!(house.post("/api/v1/pki/root-requests", no_authority).await.code(), "PKI_AUTHORITY_UNKNOWN");
    let end = json!({"issuing": true, "revoke": [{"authority": certificate, "reason": "caCompromise"}]});
    let accepted = answered(&house, &root, end.clone()).await;
    assert_eq!(accepted["revoked"], json!([certificate]));
    let shown = house.get(&format!("/api/v1/pki/certificates/{certificate}")).await.data();
    assert_eq!(shown["state"], "revoked");
    let list = pem::one(accepted["crl"].as_str().unwrap().as_bytes(), Label::Crl).unwrap();
    let serial: Vec<Serial> =
        Crl::parse(&list).unwrap().entries().map(|entry| entry.unwrap().serial).collect();
    assert_eq!(
        serial.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [shown["serial"].as_str().unwrap()]
    );
    assert_eq!(house.post("/api/v1/pki/root-requests", end).await.code(), "PKI_ROOT_ORDER_INVALID");
    house.settle().await;
    assert!(house.rooms.audit.verify(Log::Ca).await.unwrap().ok);
}

/// Asks, signs and takes in, as the command line does.
async fn answered(house: &TestHouse, root: &OfflineKey, order: Value) -> Value {
    let planned = house.post("/api/v1/pki/root-requests", order).await;
    assert_eq!(planned.status, 201, "{}", planned.text());
    house.post("/api/v1/pki/root-requests/accept", root_says(root, &planned.data())).await.data()
}

fn root_says(root: &OfflineKey, planned: &Value) -> Value {
    let request = pki::RootRequest::read(planned["file"].to_string().as_bytes()).unwrap();
    serde_json::to_value(request.sign(root).unwrap()).unwrap()
}

#[tokio::test]
async fn a_roots_list_that_was_signed_after_the_backup_is_missed_and_the_next_one_follows_it() {
    for house in engines().await {
        let root = hierarchy(&house).await;
        let all = house.get("/api/v1/pki/authorities").await.data();
        let of = |kind: &str| {
            let all = all["items"].as_array().unwrap().iter();
            all.clone().find(|one| one["kind"] == kind).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let order = json!({"revoke": [{"authority": of("issuing"), "reason": "caCompromise"}]});
        let planned = house.post("/api/v1/pki/root-requests", order).await.data();
        house.settle().await;
        let (house, backup) = house.back_up().await;
        let response = root_says(&root, &planned);
        let accept = "/api/v1/pki/root-requests/accept";
        let made = house.post(accept, response.clone()).await.data();
        let number = |made: &Value| {
            let list = pem::one(made["crl"].as_str().unwrap().as_bytes(), Label::Crl).unwrap();
            let list = Crl::parse(&list).unwrap();
            (list.number().unwrap().unwrap(), list.entries().count())
        };
        let (lost, entries) = number(&made);
        assert_eq!(entries, 1);
        house.settle().await;
        let kept = tempfile::tempdir().unwrap();
        let mirror = kept.path().join("ca");
        copy(&house.home.blobs().join("log/ca"), &mirror);
        let house = house.put_back(&backup).await;
        let done = replayed(&house, &mirror).await.unwrap();
        let roots: Vec<String> = done.root_lists_lost.iter().map(ToString::to_string).collect();
        assert_eq!(roots, [of("root")]);
        house.settle().await;
        // The request is open as it was in the backup. What it asked for has happened, and does not happen twice.
        assert_eq!(house.post(accept, response).await.code(), "PKI_ROOT_ORDER_INVALID");
        let abandon = format!("/api/v1/pki/root-requests/{}/abandon", planned["id"].as_str().unwrap());
        assert_eq!(house.post(&abandon, json!({})).await.status, 200);
        let next = number(&answered(&house, &root, json!({"list": true})).await);
        assert!(next.0 > lost && next.1 == 1, "{next:?} after {lost}");
    }
}
