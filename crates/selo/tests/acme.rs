//! The ACME server through its doors, by a client of the tests: what RFC 8555, 8738 and 9773 promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "acme/client.rs"]
mod client;

use std::time::Duration;

use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use client::{
    Client, JOSE, Key, base64url, binding, fault, hierarchy, prepared, problem, request, request_with, text,
};
use pki::acme::{ChallengeKind, ProbeFaultKind};
use proof::x509::{Certificate, KeyId};
use serde_json::{Value, json};
use testkit::{Answer, TestHouse, engines};

const DAY_S: i64 = 86_400;

/// The facts about a thing, by their types.
async fn facts(house: &TestHouse, resource: &str) -> Vec<String> {
    let found = house.get(&format!("/api/v1/audit?resource={resource}")).await.data();
    found["items"].as_array().unwrap().iter().map(|one| text(one, "eventType").to_owned()).collect()
}

/// The name by which RFC 9773 knows a certificate.
fn renewal_id(leaf: &[u8], issuing: &[u8]) -> String {
    let key = Certificate::parse(issuing).unwrap().key().unwrap();
    let serial = Certificate::parse(leaf).unwrap().serial().unwrap();
    format!("{}.{}", base64url(KeyId::of(&key).0), base64url(serial.content()))
}

fn names_of(leaf: &[u8]) -> Vec<String> {
    Certificate::parse(leaf).unwrap().names().unwrap().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_program_gets_a_certificate_by_itself_from_the_directory_to_the_chain() {
    for house in engines().await {
        let (house, world) = prepared(house, &[]).await;
        let client = Client::new(&house).await;
        let (url, order) = client.order(&["a.test", "b.test"]).await;
        assert_eq!((&order["status"], &order["profile"]), (&json!("pending"), &json!("server")));
        client.prove(&order).await;
        let seen = world.seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 2);
        for (_, _, token, answer) in &seen {
            assert_eq!(*answer, format!("{token}.{}", client.key.thumbprint()));
            // Some clients decode it and write it again.
            let bytes = URL_SAFE_NO_PAD.decode(token).expect("the one spelling of base64url");
            assert!(bytes.len() >= 16);
        }
        assert_eq!(client.look(&url).await.json()["status"], "ready");
        let finished = client.finalize(&order, &["b.test", "a.test"]).await;
        let chain = client.download(&finished.json()).await;
        assert_eq!(chain.len(), 2);
        let (leaf, issuing) =
            (Certificate::parse(&chain[0]).unwrap(), Certificate::parse(&chain[1]).unwrap());
        leaf.verify(&issuing.key().unwrap()).unwrap();
        assert_eq!(names_of(&chain[0]), ["dns:a.test", "dns:b.test"], "in the order of the order");
        let found = house.get("/api/v1/pki/certificates?profile=server").await.data();
        let one = &found["items"][0];
        assert_eq!(one["source"], "acme");
        house.settle().await;
        assert_eq!(facts(&house, text(one, "id")).await, ["certificate.issued"]);
    }
}

#[tokio::test]
async fn a_house_without_an_authority_says_how_to_get_one() {
    let house = TestHouse::new().await;
    let answer = house.public_get("/acme/directory").await;
    assert_eq!((answer.status, problem(&answer).as_str()), (404, "serverInternal"));
    assert!(text(&answer.json(), "detail").contains("selo pki init"));
}

#[tokio::test]
async fn acme_is_served_where_the_settings_want_it() {
    let (house, _) = prepared(TestHouse::new().await, &[("acme.zone", "admin")]).await;
    assert_eq!(house.public_get("/acme/directory").await.status, 404);
    assert_eq!(house.get("/acme/directory").await.status, 200);
    let house = house.set(&[("acme.enabled", "false")]).await;
    assert_eq!(house.public_get("/acme/directory").await.status, 404);
    let house = house.set(&[("acme.address", "https://ca.example")]).await;
    let directory = house.public_get("/acme/dev/directory").await.json();
    assert_eq!(text(&directory, "newOrder"), "https://ca.example/acme/dev/new-order");
}

#[tokio::test]
async fn a_directory_and_a_nonce_are_given_as_the_standard_wants_them() {
    let (house, _) = prepared(TestHouse::new().await, &[("acme.terms", "https://ca.example/terms")]).await;
    let mut client = Client::stranger(&house).await;
    let named = house.public_get("/acme/dev/directory").await;
    assert_eq!(named.json(), client.directory);
    assert_eq!(named.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(client.directory["meta"]["termsOfService"], "https://ca.example/terms");
    let profiles: Vec<&String> = client.directory["meta"]["profiles"].as_object().unwrap().keys().collect();
    assert_eq!(profiles, ["server", "service", "shortlived"]);
    assert_eq!(house.public_get("/acme/other/directory").await.status, 404);
    let path = client.url("newNonce");
    let path = path.strip_prefix(&*house.rooms.public_url).unwrap();
    for (method, status) in [(Method::HEAD, 200), (Method::GET, 204)] {
        let answer = house.public(method, path, "", "").await;
        assert_eq!((answer.status, answer.body.len()), (status, 0));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("replay-nonce").is_some());
        assert_eq!(answer.header("link"), Some("<http://localhost:8080/acme/dev/directory>;rel=\"index\""));
    }
    let answer = client.register(json!({})).await;
    assert_eq!((answer.status, problem(&answer).as_str()), (403, "userActionRequired"));
    assert_eq!(client.register(json!({"termsOfServiceAgreed": true})).await.status, 201);
    let posted = client.look("http://localhost:8080/acme/directory").await;
    assert_eq!((posted.status, posted.json()), (200, client.directory.clone()));
    assert_eq!(client.look(&client.url("newNonce")).await.status, 200);
}

#[tokio::test]
async fn an_account_is_opened_found_changed_and_closed() {
    for house in engines().await {
        let (house, _) = prepared(house, &[]).await;
        let mut client = Client::stranger(&house).await;
        let unknown = client.register(json!({"onlyReturnExisting": true})).await;
        assert_eq!((unknown.status, problem(&unknown).as_str()), (400, "accountDoesNotExist"));
        let created = client.register(json!({"contact": ["mailto:ana@example.org"]})).await;
        assert_eq!((created.status, &created.json()["contact"]), (201, &json!(["mailto:ana@example.org"])));
        let kid = client.kid.clone().unwrap();
        let again = client.register(json!({"contact": ["mailto:other@example.org"]})).await;
        assert_eq!((again.status, again.header("location")), (200, Some(kid.as_str())));
        let changed = client.post(&kid, json!({"contact": ["mailto:bela@example.org"]})).await;
        assert_eq!((changed.status, &changed.json()["contact"]), (200, &json!(["mailto:bela@example.org"])));
        assert_eq!(client.look(&kid).await.json(), changed.json());
        for (contact, kind) in [("tel:+351", "unsupportedContact"), ("mailto:a,b@c", "invalidContact")] {
            let refused = client.post(&kid, json!({"contact": [contact]})).await;
            assert_eq!((refused.status, problem(&refused).as_str()), (400, kind));
        }
        let closed = client.post(&kid, json!({"status": "deactivated"})).await;
        assert_eq!(closed.json()["status"], "deactivated");
        assert!(closed.json().get("contact").is_none(), "contacts are forgotten");
        let refused = client.look(&kid).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (401, "unauthorized"));
        let refused = client.register(json!({})).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (401, "unauthorized"));
        house.settle().await;
        let found = house.get("/api/v1/audit?limit=200").await.data();
        let all: Vec<&str> =
            found["items"].as_array().unwrap().iter().map(|one| text(one, "eventType")).collect();
        let count = |name: &str| all.iter().filter(|one| **one == name).count();
        for name in ["acme_account.created", "acme_account.changed", "acme_account.deactivated"] {
            assert_eq!(count(name), 1, "{name}");
        }
        assert!(!found.to_string().contains("example.org"), "facts hold no contact");
    }
}

#[tokio::test]
async fn an_account_takes_a_new_key_and_the_old_one_opens_nothing() {
    for house in engines().await {
        let (house, _) = prepared(house, &[]).await;
        let mut client = Client::new(&house).await;
        let other = Client::new(&house).await;
        let (url, kid) = (client.url("keyChange"), client.kid.clone().unwrap());
        let inner = |new: &Key, account: &str, old: &Value| {
            let header = json!({"alg": "ES256", "jwk": new.jwk(), "url": url});
            new.sign(&header, &json!({"account": account, "oldKey": old}).to_string())
        };
        let taken = client.post(&url, inner(&other.key, &kid, &client.key.jwk())).await;
        assert_eq!((taken.status, taken.header("location")), (409, other.kid.as_deref()));
        let fresh = Key::new();
        for wrong in [
            inner(&fresh, other.kid.as_deref().unwrap(), &client.key.jwk()),
            inner(&fresh, &kid, &other.key.jwk()),
            inner(&client.key, &kid, &client.key.jwk()),
        ] {
            assert_eq!(problem(&client.post(&url, wrong).await), "malformed");
        }
        assert_eq!(client.post(&url, inner(&fresh, &kid, &client.key.jwk())).await.status, 200);
        assert_eq!(problem(&client.look(&kid).await), "malformed", "the old key signs for nothing");
        client.key = fresh;
        assert_eq!(client.look(&kid).await.status, 200);
    }
}

#[tokio::test]
async fn an_order_is_finalized_once_and_the_same_request_again_gives_the_same_certificate() {
    for house in engines().await {
        let (house, _) = prepared(house, &[]).await;
        let client = Client::new(&house).await;
        let (url, order) = client.order(&["a.test"]).await;
        let early = client.finalize(&order, &["a.test"]).await;
        assert_eq!((early.status, problem(&early).as_str()), (403, "orderNotReady"));
        client.prove(&order).await;
        let csr = json!({"csr": request(&["a.test"])});
        let finalize = text(&order, "finalize");
        let (first, twice) =
            tokio::join!(client.post(finalize, csr.clone()), client.post(finalize, csr.clone()));
        assert_eq!((first.status, twice.status), (200, 200), "{} {}", first.text(), twice.text());
        let again = client.post(finalize, csr).await;
        assert_eq!(again.json(), client.look(&url).await.json());
        let other = client.finalize(&order, &["a.test"]).await;
        assert_eq!((other.status, problem(&other).as_str()), (403, "orderNotReady"));
        let found = house.get("/api/v1/pki/certificates?profile=server").await.data();
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        let certificate = text(&again.json(), "certificate").to_owned();
        let path = certificate.strip_prefix(&*house.rooms.public_url).unwrap();
        assert_eq!(house.public_get(path).await.status, 405, "only a signed request gets it");
    }
}

#[tokio::test]
async fn a_request_that_is_not_the_order_is_refused_and_the_order_stays_ready() {
    let (house, _) = prepared(TestHouse::new().await, &[]).await;
    let local = pki::local_key().unwrap();
    let mut client = Client::stranger(&house).await;
    client.key = Key::of(&local);
    client.register(json!({})).await;
    let (url, order) = client.order(&["a.test", "b.test"]).await;
    client.prove(&order).await;
    for names in [&["a.test"][..], &["a.test", "b.test", "c.test"], &["c.test"], &[]] {
        let refused = client.finalize(&order, names).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (400, "badCSR"), "{names:?}");
    }
    let own = json!({"csr": request_with(&local, &["a.test", "b.test"])});
    let refused = client.post(text(&order, "finalize"), own).await;
    assert_eq!((problem(&refused).as_str(), &refused.json()["code"]), ("badCSR", &json!("ACME_CSR_KEY")));
    for csr in ["", "AAAA", "not base64url", "MIIB"] {
        let refused = client.post(text(&order, "finalize"), json!({"csr": csr})).await;
        assert_eq!(problem(&refused), "badCSR", "{csr}");
    }
    assert_eq!(problem(&client.post(text(&order, "finalize"), json!({})).await), "malformed");
    assert_eq!(client.look(&url).await.json()["status"], "ready");
    assert_eq!(client.finalize(&order, &["a.test", "b.test"]).await.json()["status"], "valid");
}

#[tokio::test]
async fn addresses_wildcards_profiles_and_ends_can_be_ordered_as_far_as_settings_and_profile_go() {
    let settings = [("pki.allow_wildcards", "true"), ("acme.allow_profiles", "service,shortlived")];
    let (house, world) = prepared(TestHouse::new().await, &settings).await;
    let client = Client::new(&house).await;
    let (_, chain) = client.certificate(&["*.a.test", "ip:10.0.0.7", "ip:fd00::7"]).await;
    assert_eq!(names_of(&chain[0]), ["dns:*.a.test", "ip:10.0.0.7", "ip:fd00::7"]);
    let seen = world.seen.lock().unwrap().clone();
    let kinds: Vec<_> = seen.iter().map(|(kind, name, ..)| (*kind, name.as_str())).collect();
    let http = ChallengeKind::Http01;
    assert_eq!(kinds, [(ChallengeKind::Dns01, "a.test"), (http, "10.0.0.7"), (http, "fd00::7")]);
    let end = house.rooms.house.now().plus(Duration::from_secs(3 * 86_400)).whole_second();
    let ordered = client.try_order(&["b.test"], json!({"profile": "shortlived", "notAfter": end})).await;
    assert_eq!(ordered.json()["notAfter"], json!(end));
    client.prove(&ordered.json()).await;
    let finished = client.finalize(&ordered.json(), &["b.test"]).await.json();
    assert_eq!(finished["profile"], "shortlived");
    let leaf = client.download(&finished).await.remove(0);
    assert_eq!(Certificate::parse(&leaf).unwrap().validity().unwrap().not_after.seconds(), end.seconds());
    for (more, kind) in [
        (json!({"profile": "server"}), "invalidProfile"),
        (json!({"profile": "root"}), "invalidProfile"),
        (json!({"notBefore": "2026-08-02T00:00:00Z"}), "malformed"),
        (json!({"notAfter": "2027-08-02T00:00:00Z"}), "malformed"),
        (json!({"notAfter": "2026-07-02T00:00:00Z"}), "malformed"),
        (json!({"notAfter": "soon"}), "malformed"),
    ] {
        let refused = client.try_order(&["c.test"], more.clone()).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (400, kind), "{more}");
    }
}

#[tokio::test]
async fn der_is_given_to_who_asks_for_it() {
    let (house, _) = prepared(TestHouse::new().await, &[]).await;
    let client = Client::new(&house).await;
    let (url, chain) = client.certificate(&["a.test"]).await;
    let certificate = text(&client.look(&url).await.json(), "certificate").to_owned();
    let message = client.key.sign(&client.header(&certificate).await, "");
    let headers = [("content-type", JOSE), ("accept", "application/pkix-cert")];
    let path = certificate.strip_prefix(&*house.rooms.public_url).unwrap();
    let answer = house.public_with(Method::POST, path, &headers, message.to_string()).await;
    assert_eq!(answer.header("content-type"), Some("application/pkix-cert"));
    assert_eq!(answer.body, chain[0]);
}

#[tokio::test]
async fn what_was_proved_lately_need_not_be_proved_again_until_it_is_given_back() {
    for house in engines().await {
        let (house, world) = prepared(house, &[]).await;
        let client = Client::new(&house).await;
        client.certificate(&["a.test"]).await;
        let (_, order) = client.order(&["a.test"]).await;
        assert_eq!(order["status"], "ready");
        assert_eq!(client.finalize(&order, &["a.test"]).await.json()["status"], "valid");
        assert_eq!(world.seen.lock().unwrap().len(), 1);
        let (url, order) = client.order(&["a.test", "b.test"]).await;
        assert_eq!(order["status"], "pending");
        let authorization = order["authorizations"][0].as_str().unwrap();
        let given_back = client.post(authorization, json!({"status": "deactivated"})).await;
        assert_eq!(given_back.json()["status"], "deactivated");
        assert_eq!(client.look(&url).await.json()["status"], "invalid");
        assert_eq!(client.order(&["a.test"]).await.1["status"], "pending");
        let other = Client::new(&house).await;
        assert_eq!(other.order(&["b.test"]).await.1["status"], "pending", "a proof is its account's own");
        let (_, late) = client.order(&["c.test"]).await;
        client.prove(&late).await;
        house.clock.advance(Duration::from_secs(7 * 3_600));
        assert_eq!(client.order(&["c.test"]).await.1["status"], "pending", "a proof ends");
    }
}

#[tokio::test]
async fn a_proof_is_tried_three_times_and_says_why_it_failed() {
    for house in engines().await {
        let (house, world) = prepared(house, &[]).await;
        let client = Client::new(&house).await;
        let connection = || fault(ProbeFaultKind::Connection, true);
        // The second look succeeds.
        world.spoil("a.test", vec![connection()]);
        let (_, order) = client.order(&["a.test"]).await;
        let url = order["authorizations"][0].as_str().unwrap();
        begin(&client, url, "http-01").await;
        looked(&world, 1).await;
        again(&house).await;
        assert_eq!(client.decided(url).await["status"], "valid");
        // All three fail.
        world.spoil("b.test", vec![connection(), connection(), connection()]);
        let (order_url, order) = client.order(&["b.test"]).await;
        let url = order["authorizations"][0].as_str().unwrap();
        begin(&client, url, "http-01").await;
        for count in [3, 4] {
            looked(&world, count).await;
            again(&house).await;
        }
        let failed = client.decided(url).await;
        assert_eq!(failed["status"], "invalid");
        let challenges = failed["challenges"].as_array().unwrap();
        assert_eq!(challenges.len(), 1, "the one that was chosen");
        assert_eq!(challenges[0]["error"]["type"], "urn:ietf:params:acme:error:connection");
        let order = client.look(&order_url).await.json();
        assert_eq!((&order["status"], &order["error"]), (&json!("invalid"), &challenges[0]["error"]));
        // What cannot become better is not tried again.
        world.spoil("c.test", vec![fault(ProbeFaultKind::Unauthorized, false)]);
        let (_, order) = client.order(&["c.test"]).await;
        let failed = client.prove_by(order["authorizations"][0].as_str().unwrap(), "tls-alpn-01").await;
        assert_eq!(failed["challenges"][0]["error"]["type"], "urn:ietf:params:acme:error:unauthorized");
        house.settle().await;
        let found = house.get("/api/v1/audit?limit=200").await.data();
        let all: Vec<&str> =
            found["items"].as_array().unwrap().iter().map(|one| text(one, "eventType")).collect();
        let count = |name: &str| all.iter().filter(|one| **one == name).count();
        assert_eq!((count("acme_authorization.validated"), count("acme_authorization.failed")), (1, 2));
    }
}

/// Chooses a challenge.
async fn begin(client: &Client<'_>, authorization: &str, kind: &str) {
    let found = client.look(authorization).await.json();
    let challenges = found["challenges"].as_array().unwrap();
    let challenge = challenges.iter().find(|one| one["type"] == kind).unwrap();
    let answer = client.post(text(challenge, "url"), json!({})).await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("processing")));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(answer.headers.iter().any(|(_, value)| *value == format!("<{authorization}>;rel=\"up\"")));
}

/// Waits until the outside world was looked at so often.
async fn looked(world: &client::World, count: usize) {
    for _ in 0..2_000 {
        if world.seen.lock().unwrap().len() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("nobody looked {count} times");
}

/// Lets time pass until something is due, and takes it up.
async fn again(house: &TestHouse) {
    for _ in 0..2_000 {
        house.clock.advance(Duration::from_secs(1));
        if house.rooms.acme.prove_due().await.unwrap() > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("nothing is due");
}

#[tokio::test]
async fn a_proof_that_a_crash_cut_off_is_taken_up_by_the_next_process() {
    for house in engines().await {
        let (house, world) = prepared(house, &[]).await;
        let (kid, key, authorization);
        {
            let client = Client::new(&house).await;
            let (_, order) = client.order(&["never.test"]).await;
            authorization = order["authorizations"][0].as_str().unwrap().to_owned();
            world.hold("never.test");
            begin(&client, &authorization, "http-01").await;
            looked(&world, 1).await;
            (kid, key) = (client.kid, client.key);
        }
        let house = house.restart().await;
        let world = std::sync::Arc::new(client::World::default());
        house.rooms.acme.probe_with_for_test(world.clone());
        assert_eq!(house.rooms.acme.prove_due().await.unwrap(), 1);
        let directory = house.public_get("/acme/directory").await.json();
        let client = Client { house: &house, key, kid, directory };
        assert_eq!(client.decided(&authorization).await["status"], "valid");
        assert_eq!(house.rooms.acme.prove_due().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_house_without_its_store_says_so_and_the_order_stays_as_it_was() {
    let (house, _) = prepared(TestHouse::new().await, &[]).await;
    let client = Client::new(&house).await;
    let (url, order) = client.order(&["a.test"]).await;
    client.prove(&order).await;
    house.rooms.house.db.close().await;
    let away = client.finalize(&order, &["a.test"]).await;
    assert_eq!((away.status, problem(&away).as_str()), (503, "serverInternal"));
    let (kid, key, directory) = (client.kid, client.key, client.directory);
    let house = house.restart().await;
    let client = Client { house: &house, key, kid, directory };
    assert_eq!(client.look(&url).await.json()["status"], "ready");
    assert_eq!(client.finalize(&order, &["a.test"]).await.json()["status"], "valid");
}

#[tokio::test]
async fn a_certificate_that_a_crash_cut_off_leaves_an_order_that_says_so() {
    for house in engines().await {
        let (house, _) = prepared(house, &[]).await;
        let client = Client::new(&house).await;
        let (url, order) = client.order(&["a.test"]).await;
        client.prove(&order).await;
        let csr = request(&["a.test"]);
        let call = house.rooms.house.system("test");
        let handle = url.rsplit('/').next().unwrap();
        let kid = client.kid.clone().unwrap();
        let der = URL_SAFE_NO_PAD.decode(&csr).unwrap();
        house.rooms.acme.plan_only_for_test(&call, &kid, handle, &der).await.unwrap();
        let planned = client.look(&url).await;
        assert_eq!(
            (&planned.json()["status"], planned.header("retry-after")),
            (&json!("processing"), Some("1"))
        );
        let again = client.post(text(&order, "finalize"), json!({"csr": csr})).await;
        assert_eq!(again.json()["status"], "processing", "the same request is on its way");
        assert_eq!(problem(&client.finalize(&order, &["a.test"]).await), "orderNotReady");
        let (key, directory) = (client.key, client.directory);
        let house = house.restart().await;
        let client = Client { house: &house, key, kid: Some(kid), directory };
        let found = client.look(&url).await.json();
        assert_eq!(found["status"], "invalid");
        assert_eq!(found["error"]["code"], "ACME_ISSUING_GIVEN_UP");
        client.certificate(&["a.test"]).await;
    }
}

#[tokio::test]
async fn revoking_is_for_who_ordered_who_holds_the_key_and_who_controls_the_names() {
    for house in engines().await {
        let (house, _) = prepared(house, &[]).await;
        let (owner, other) = (Client::new(&house).await, Client::new(&house).await);
        let url = owner.url("revokeCert");
        let body = |der: &[u8], reason: Value| json!({"certificate": base64url(der), "reason": reason});
        let first = owner.certificate(&["a.test"]).await.1.remove(0);
        let refused = other.post(&url, body(&first, json!(4))).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (403, "unauthorized"));
        for reason in [json!(2), json!(6), json!(8), json!(300), json!("1"), json!(-1)] {
            let refused = owner.post(&url, body(&first, reason.clone())).await;
            assert_eq!(
                (refused.status, problem(&refused).as_str()),
                (400, "badRevocationReason"),
                "{reason}"
            );
        }
        assert_eq!(owner.post(&url, body(&first, json!(4))).await.status, 200);
        let again = owner.post(&url, body(&first, json!(4))).await;
        assert_eq!((again.status, problem(&again).as_str()), (400, "alreadyRevoked"));
        // Who controls every name revokes, but knows nothing of the key.
        let second = owner.certificate(&["b.test"]).await.1.remove(0);
        let (_, order) = other.order(&["b.test"]).await;
        other.prove(&order).await;
        let refused = other.post(&url, body(&second, json!(1))).await;
        assert_eq!(problem(&refused), "badRevocationReason");
        assert_eq!(other.post(&url, body(&second, json!(5))).await.status, 200);
        // The certificate's own key, and a compromised key takes its other certificates along.
        let local = pki::local_key().unwrap();
        let mut leaves = Vec::new();
        for name in ["c.test", "d.test"] {
            let (_, order) = owner.order(&[name]).await;
            owner.prove(&order).await;
            let csr = json!({"csr": request_with(&local, &[name])});
            let finished = owner.post(text(&order, "finalize"), csr).await.json();
            leaves.push(owner.download(&finished).await.remove(0));
        }
        let mut holder = Client::stranger(&house).await;
        let refused = holder.post_by_key(&url, &body(&leaves[0], json!(1)).to_string()).await;
        assert_eq!(problem(&refused), "unauthorized", "a key alone, and another one");
        holder.key = Key::of(&local);
        let done = holder.post_by_key(&url, &body(&leaves[0], json!(1)).to_string()).await;
        assert_eq!(done.status, 200, "{}", done.text());
        let gone = owner.post(&url, body(&leaves[1], json!(4))).await;
        assert_eq!(problem(&gone), "alreadyRevoked", "the same key");
        for wrong in [json!({}), json!({"certificate": "AAAA"}), json!({"certificate": 1})] {
            assert_eq!(problem(&owner.post(&url, wrong).await), "malformed");
        }
    }
}

#[tokio::test]
async fn an_account_that_calls_a_key_compromised_takes_no_other_certificate_along() {
    let (house, _) = prepared(TestHouse::new().await, &[]).await;
    let (victim, thief) = (Client::new(&house).await, Client::new(&house).await);
    let local = pki::local_key().unwrap();
    let mut leaves = Vec::new();
    let ask = async |client: &Client<'_>, name: &str| {
        let (_, order) = client.order(&[name]).await;
        client.prove(&order).await;
        let csr = json!({"csr": request_with(&local, &[name])});
        client.post(text(&order, "finalize"), csr).await
    };
    // The thief saw the victim's request: under another name it gets nothing for that key, under the same name it may renew.
    for (client, name) in [(&victim, "shared.test"), (&thief, "shared.test")] {
        let finished = ask(client, name).await.json();
        leaves.push(client.download(&finished).await.remove(0));
    }
    assert_eq!(problem(&ask(&thief, "thief.test").await), "badCSR");
    let body = json!({"certificate": base64url(&leaves[1]), "reason": 1});
    assert_eq!(thief.post(&thief.url("revokeCert"), body).await.status, 200);
    let found = house.get("/api/v1/pki/certificates?name=shared.test").await.data();
    let mut states: Vec<&str> =
        found["items"].as_array().unwrap().iter().map(|one| text(one, "state")).collect();
    states.sort_unstable();
    assert_eq!(states, ["issued", "revoked"]);
}

#[tokio::test]
async fn renewal_information_names_a_window_and_a_renewal_replaces_once() {
    for house in engines().await {
        let (house, _) = prepared(house, &[("acme.orders_per_hour", "2")]).await;
        let client = Client::new(&house).await;
        let chain = client.certificate(&["a.test"]).await.1;
        let id = renewal_id(&chain[0], &chain[1]);
        let window = async |id: &str| house.public_get(&format!("{}/{id}", client.url("renewalInfo"))).await;
        let told = window(&id).await;
        assert_eq!((told.status, told.header("retry-after")), (200, Some("21600")));
        let moment = |answer: &Answer, name: &str| {
            base::Time::parse(text(&answer.json()["suggestedWindow"], name)).unwrap().seconds()
        };
        let validity = Certificate::parse(&chain[0]).unwrap().validity().unwrap();
        let centre = (moment(&told, "start") + moment(&told, "end")) / 2 - validity.not_before.seconds();
        assert!((centre - 60 * DAY_S).abs() < 60, "{centre}");
        for unknown in ["", "x", "AAAA.AAAA", &id[1..], &format!("{id}A"), &id.replace('.', "..")] {
            let answer = window(unknown).await;
            assert_eq!(answer.status, 404, "{unknown}");
        }
        let strange = client.try_order(&["b.test"], json!({"replaces": id})).await;
        assert_eq!(problem(&strange), "malformed", "no name in common");
        let other = Client::new(&house).await;
        let foreign = other.try_order(&["a.test"], json!({"replaces": id})).await;
        assert_eq!(problem(&foreign), "malformed", "another account's certificate");
        // The hour has two orders; the first one made the certificate. Naming what is not due yet is no way around that.
        let replaces = async || client.try_order(&["a.test"], json!({"replaces": id})).await;
        let early = replaces().await;
        assert_eq!((early.status, &early.json()["replaces"]), (201, &json!(id)));
        assert_eq!(replaces().await.header("retry-after"), Some("1800"));
        // The early one has ended when the renewal is due: one is free, and further ones are not while it is open.
        house.clock.advance(Duration::from_secs(60 * 86_400));
        client.order(&["a.test"]).await;
        client.order(&["a.test"]).await;
        assert_eq!(client.try_order(&["a.test"], json!({})).await.status, 429);
        let renewed = replaces().await;
        assert_eq!(renewed.status, 201, "a renewal that is due is not counted: {}", renewed.text());
        let again = replaces().await;
        assert_eq!((again.status, problem(&again).as_str()), (429, "rateLimited"));
        house.clock.advance(Duration::from_secs(3_600));
        let again = replaces().await;
        assert_eq!(again.status, 201);
        // Two orders replace it, and the first that is finalized does.
        client.prove(&renewed.json()).await;
        client.prove(&again.json()).await;
        assert_eq!(client.finalize(&renewed.json(), &["a.test"]).await.json()["status"], "valid");
        let late = client.finalize(&again.json(), &["a.test"]).await;
        assert_eq!((late.status, problem(&late).as_str()), (409, "alreadyReplaced"));
        let twice = replaces().await;
        assert_eq!((twice.status, problem(&twice).as_str()), (409, "alreadyReplaced"));
        // A revoked certificate is to be renewed at once.
        let body = json!({"certificate": base64url(&chain[0]), "reason": 4});
        assert_eq!(client.post(&client.url("revokeCert"), body).await.status, 200);
        let told = window(&id).await;
        assert!(moment(&told, "start") < moment(&told, "end"));
        assert!(moment(&told, "end") < house.rooms.house.now().seconds());
    }
}

#[tokio::test]
async fn an_account_lists_its_orders_page_by_page() {
    let (house, _) = prepared(TestHouse::new().await, &[]).await;
    let client = Client::new(&house).await;
    client.certificate(&["a.test"]).await;
    let mut made = Vec::new();
    for _ in 0..120 {
        made.push(client.order(&["a.test"]).await.0);
    }
    let mut url = text(&client.look(client.kid.as_ref().unwrap()).await.json(), "orders").to_owned();
    let mut listed = Vec::new();
    loop {
        let page = client.look(&url).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let orders = page.json()["orders"].as_array().unwrap().clone();
        assert!(orders.len() <= 100);
        listed.extend(orders.iter().map(|one| one.as_str().unwrap().to_owned()));
        let next = page.headers.iter().find(|(name, value)| name == "link" && value.contains("rel=\"next\""));
        let Some((_, link)) = next else { break };
        url = link.split(['<', '>']).nth(1).unwrap().to_owned();
    }
    assert_eq!(listed.len(), 121);
    assert!(made.iter().all(|one| listed.contains(one)));
}

#[tokio::test]
async fn an_external_key_opens_as_many_accounts_as_it_may_and_says_what_they_get() {
    for house in engines().await {
        let (house, _) = prepared(house, &[("acme.require_external_account", "true")]).await;
        let mut client = Client::stranger(&house).await;
        assert_eq!(client.directory["meta"]["externalAccountRequired"], true);
        let refused = client.register(json!({})).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (403, "externalAccountRequired"));
        let wanted =
            json!({"profiles": ["shortlived"], "dns": ["dev.test"], "ip": ["10.1.0.0/16"], "uses": 1});
        let made = house.post("/api/v1/pki/external-keys", wanted).await.data();
        let (kid, secret, url) = (text(&made, "id"), text(&made, "hmacKey"), client.url("newAccount"));
        let bound = |key: &Key, kid: &str, secret: &str, url: &str| json!({"externalAccountBinding": binding(kid, secret, url, key)});
        let zero = base64url([0; 32]);
        for wrong in [
            bound(&client.key, kid, &zero, &url),
            bound(&Key::new(), kid, secret, &url),
            bound(&client.key, kid, secret, "https://elsewhere.example/"),
            bound(&client.key, "eab_00000000000000000000000000", secret, &url),
            bound(&client.key, "nobody", secret, &url),
        ] {
            let refused = client.register(wrong).await;
            assert_eq!((refused.status, problem(&refused).as_str()), (403, "unauthorized"));
        }
        let opened = client.register(bound(&client.key, kid, secret, &url)).await;
        assert_eq!(opened.status, 201, "{}", opened.text());
        assert_eq!(client.register(json!({})).await.status, 200, "the key is known by now");
        let mut second = Client::stranger(&house).await;
        let refused = second.register(bound(&second.key, kid, secret, &url)).await;
        assert_eq!(problem(&refused), "unauthorized", "it was good for one");
        let ordered = client.try_order(&["a.dev.test"], json!({})).await;
        assert_eq!((ordered.status, &ordered.json()["profile"]), (201, &json!("shortlived")));
        for (name, more, kind) in [
            ("a.test", json!({}), "rejectedIdentifier"),
            ("ip:10.0.0.1", json!({}), "rejectedIdentifier"),
            ("a.dev.test", json!({"profile": "server"}), "invalidProfile"),
        ] {
            assert_eq!(problem(&client.try_order(&[name], more).await), kind, "{name}");
        }
        let listed = house.get("/api/v1/pki/external-keys").await.data();
        assert_eq!(listed["items"][0]["state"], "used_up");
        assert!(!listed.to_string().contains(secret), "the secret is shown once");
        let revoke = format!("/api/v1/pki/external-keys/{kid}/revoke");
        assert_eq!(house.post(&revoke, json!({})).await.data()["state"], "revoked");
        assert_eq!(house.post(&revoke, json!({})).await.code(), "ACME_EXTERNAL_KEY_REVOKED");
        let closed = client.try_order(&["a.dev.test"], json!({})).await;
        assert_eq!((closed.status, problem(&closed).as_str()), (401, "unauthorized"));
        for wrong in [json!({"dns": ["a_b"]}), json!({"ip": ["x"]}), json!({"uses": 0}), json!({"days": 0})] {
            assert_eq!(
                house.post("/api/v1/pki/external-keys", wrong).await.code(),
                "ACME_EXTERNAL_KEY_INVALID"
            );
        }
        let authority = json!({"profiles": ["root"]});
        assert_eq!(house.post("/api/v1/pki/external-keys", authority).await.code(), "PKI_SETTING");
        house.settle().await;
        let mut told = facts(&house, kid).await;
        told.sort();
        assert_eq!(told, ["external_key.created", "external_key.revoked", "external_key.used"]);
    }
}

#[tokio::test]
async fn one_environment_knows_nothing_of_another() {
    let (house, _) = prepared(TestHouse::new().await, &[("acme.environment", "dev")]).await;
    hierarchy(&house, json!({"environment": "prod"})).await;
    let client = Client::new(&house).await;
    let (order, chain) = client.certificate(&["a.test"]).await;
    let other = |url: &str| url.replace("/acme/dev/", "/acme/prod/");
    for url in [client.kid.as_ref().unwrap(), &order, &client.url("newOrder")] {
        assert_eq!(problem(&client.look(&other(url)).await), "accountDoesNotExist", "{url}");
    }
    let id = renewal_id(&chain[0], &chain[1]);
    assert_eq!(house.public_get(&other(&format!("{}/{id}", client.url("renewalInfo")))).await.status, 404);
    let mut there = Client::stranger(&house).await;
    there.directory = house.public_get("/acme/prod/directory").await.json();
    there.key = client.key;
    assert_eq!(there.register(json!({})).await.status, 201, "an account of its own");
    let body = json!({"certificate": base64url(&chain[0])});
    assert_eq!(there.post(&there.url("revokeCert"), body).await.status, 404);
}
