//! What operators look at: the overview of the authority, what happened to a certificate, what was refused; and the
//! figures that alerts are made of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use base::SystemChance;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use keys::{Algorithm, OfflineKey};
use proof::x509::{
    DnsName, GeneralName,
    pem::{self, Label},
};
use serde_json::{Value, json};
use testkit::{TestHouse, engines};

const DAY: Duration = Duration::from_secs(86_400);

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

async fn hierarchy(house: &TestHouse, environment: &str) {
    let root = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
    let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
    let order = json!({"order": {"environment": environment}, "rootPublicKey": spki});
    let planned = house.post("/api/v1/pki/init", order).await.data();
    let sign = |name: &str| {
        let tbs = STANDARD.decode(text(&planned, name)).unwrap();
        STANDARD.encode(root.sign(&tbs).unwrap().x509())
    };
    let signed = json!({"root": sign("root"), "issuing": sign("issuing"), "crl": sign("crl")});
    let finish = format!("/api/v1/pki/init/{}/finish", text(&planned, "id"));
    assert_eq!(house.post(&finish, signed).await.status, 201);
}

fn request(name: &str) -> String {
    let names = [GeneralName::Dns(DnsName::parse(name).unwrap())];
    pem::encode(Label::CertificateRequest, &pki::request_der(&pki::local_key().unwrap(), &names).unwrap())
}

async fn issue(house: &TestHouse, environment: &str, name: &str, days: u64) -> Value {
    let body = json!({"profile": "server", "csr": request(name), "environment": environment,
        "lifetimeSeconds": days * 86_400});
    let answer = house.post("/api/v1/pki/certificates", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.data()
}

#[tokio::test]
async fn the_overview_counts_each_environment_by_itself() {
    for house in engines().await {
        let empty = house.get("/api/v1/pki/overview").await.data();
        assert_eq!(empty["environments"], json!([]));
        assert_eq!(empty["log"]["name"], "ca");
        hierarchy(&house, "dev").await;
        hierarchy(&house, "prod").await;
        let revoked = issue(&house, "dev", "gone.test", 90).await;
        for (name, days) in [("day.test", 1), ("week.test", 6), ("month.test", 29), ("long.test", 90)] {
            issue(&house, "dev", name, days).await;
        }
        issue(&house, "prod", "other.test", 90).await;
        let path = format!("/api/v1/pki/certificates/{}/revoke", text(&revoked, "id"));
        assert_eq!(house.post(&path, json!({"reason": "superseded"})).await.status, 200);
        house.clock.advance(DAY * 5);
        house.settle().await;
        let overview = house.get("/api/v1/pki/overview").await.data();
        let [dev, prod] = overview["environments"].as_array().unwrap().as_slice() else {
            panic!("{overview}")
        };
        // The day has ended, the week is past two thirds of its life.
        let expected = json!({"issued": 5, "inForce": 3, "revoked": 1, "overdue": 1, "within30Days": 2,
            "within14Days": 1, "within7Days": 1, "within1Day": 1});
        assert_eq!(dev["counts"], expected);
        assert_eq!(prod["counts"]["issued"], 1);
        let kinds: Vec<&str> =
            dev["authorities"].as_array().unwrap().iter().map(|one| text(one, "kind")).collect();
        assert_eq!((text(dev, "name"), kinds), ("dev", vec!["root", "issuing"]));
        assert_eq!(dev["lists"].as_array().unwrap().len(), 1 + 16);
        assert!(overview["log"]["size"].as_u64().unwrap() >= 8, "{overview}");
    }
}

#[tokio::test]
async fn a_certificate_tells_what_happened_to_it_and_where_the_proof_of_that_is() {
    for house in engines().await {
        hierarchy(&house, "dev").await;
        let one = issue(&house, "dev", "a.test", 90).await;
        house.clock.advance(DAY);
        let path = format!("/api/v1/pki/certificates/{}", text(&one, "id"));
        house.post(&format!("{path}/revoke"), json!({"reason": "keyCompromise"})).await;
        house.settle().await;
        for named in [text(&one, "id"), text(&one, "serial")] {
            let told = house.get(&format!("/api/v1/pki/certificates/{named}/timeline")).await.data();
            let whats: Vec<&str> = items(&told).iter().map(|one| text(one, "what")).collect();
            assert_eq!(whats, ["planned", "issued", "revoked"]);
            assert_eq!(items(&told)[2]["reason"], "keyCompromise");
            assert!(items(&told)[0]["fact"].is_null() && items(&told)[0]["proof"].is_null());
            for happening in &items(&told)[1..] {
                assert!(happening["index"].is_u64(), "{happening}");
                let proof = house.get(text(happening, "proof")).await;
                assert!(proof.text().starts_with("c2sp.org/tlog-proof@v1\n"), "{}", proof.text());
            }
        }
        assert_eq!(
            house.get("/api/v1/pki/certificates/00ff/timeline").await.code(),
            "PKI_CERTIFICATE_NOT_FOUND"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_reason_in_both_languages_and_without_what_was_asked_for() {
    for house in engines().await {
        hierarchy(&house, "dev").await;
        let wildcard = house
            .post("/api/v1/pki/certificates", json!({"profile": "server", "csr": request("*.secret.test")}));
        assert_eq!(wildcard.await.code(), "PKI_WILDCARD_FORBIDDEN");
        let mut requests = Vec::new();
        for profile in ["root", "none", "server"] {
            house.clock.advance(Duration::from_millis(1));
            let asked = json!({"profile": profile, "dns": ["x.secret.test"]});
            let refused = house.post("/api/v1/pki/certificates", asked).await;
            requests.push(refused.json()["requestId"].as_str().unwrap().to_owned());
        }
        let first = house.get("/api/v1/pki/refusals?limit=3").await;
        assert!(!first.text().contains("secret"), "{}", first.text());
        let first = first.data();
        let codes: Vec<&str> = items(&first).iter().map(|one| text(one, "code")).collect();
        assert_eq!(codes, ["PKI_KEY_NEEDED", "PKI_PROFILE_UNKNOWN", "PKI_KEY_NEEDED"]);
        let told: Vec<&str> = items(&first).iter().rev().map(|one| text(one, "request")).collect();
        assert_eq!(told, requests);
        assert!(items(&first)[1]["profile"].is_null() && items(&first)[0]["profile"] == "server");
        let next = format!("/api/v1/pki/refusals?limit=3&pageToken={}", text(&first, "nextPageToken"));
        let last = house.get(&next).await.data();
        assert_eq!(text(&items(&last)[0], "message"), "The name … has a wildcard, and none are issued.");
        let portuguese = house.get(&format!("{next}&lang=pt")).await.data();
        assert_eq!(
            text(&items(&portuguese)[0], "message"),
            "O nome … tem um carácter universal, e não são emitidos."
        );
        assert!(last["nextPageToken"].is_null());
    }
}

#[tokio::test]
async fn every_search_is_paged_in_its_order_without_loss_and_without_repeats() {
    for house in engines().await {
        hierarchy(&house, "dev").await;
        for (name, days, owner) in
            [("c.b.test", 30, "ana"), ("a.test", 60, "rui"), ("b.test", 10, "ana"), ("a.test", 10, "ana")]
        {
            house.clock.advance(Duration::from_millis(1));
            let body = json!({"profile": "server", "csr": request(name), "owner": owner,
                "lifetimeSeconds": days * 86_400});
            assert_eq!(house.post("/api/v1/pki/certificates", body).await.status, 201);
        }
        let two = json!({"profile": "server", "csr": request("z.test"), "dns": ["z.test", "a.z.test"], "owner": "rui"});
        house.clock.advance(Duration::from_millis(1));
        assert_eq!(house.post("/api/v1/pki/certificates", two).await.status, 201);
        let soon = house.rooms.house.now().plus(DAY * 31).rfc3339();
        let later = house.rooms.house.now().plus(DAY * 20).rfc3339();
        for (search, expected) in [
            ("profile=server".to_owned(), "z.test a.test b.test a.test c.b.test"),
            ("state=issued&profile=server".to_owned(), "z.test a.test b.test a.test c.b.test"),
            ("owner=ana".to_owned(), "a.test b.test c.b.test"),
            ("suffix=test".to_owned(), "a.test a.test b.test c.b.test z.test"),
            ("suffix=b.test".to_owned(), "b.test c.b.test"),
            // One certificate of two names that begin so is one certificate.
            ("name=a".to_owned(), "a.test a.test z.test"),
            (format!("expiresBefore={soon}"), "b.test a.test c.b.test"),
            (format!("state=issued&expiresBefore={soon}&expiresAfter={later}"), "c.b.test"),
            (format!("owner=ana&expiresBefore={later}"), "a.test b.test"),
        ] {
            for limit in [1, 2, 50] {
                let mut found = Vec::new();
                let mut token = String::new();
                loop {
                    let path = format!("/api/v1/pki/certificates?{search}&limit={limit}{token}");
                    let page = house.get(&path).await.data();
                    found.extend(items(&page).iter().map(|one| text(one, "subject").to_owned()));
                    let Some(next) = page["nextPageToken"].as_str() else { break };
                    token = format!("&pageToken={next}");
                }
                assert_eq!(found.join(" "), expected, "{search} by {limit}");
            }
        }
        let ended = house.get("/api/v1/pki/certificates?expiresAfter=never").await;
        assert_eq!(ended.code(), "PKI_TIME_INVALID");
    }
}
