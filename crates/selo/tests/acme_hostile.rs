//! The ACME server against those who mean it harm: every message that is not exactly what it should be, every address of
//! somebody else, every name that nobody may have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "acme/client.rs"]
mod client;

use std::time::Duration;

use axum::http::Method;
use client::{Client, JOSE, base64url, prepared, problem, request, text};
use serde_json::{Value, json};
use testkit::{TestHouse, engines};

#[tokio::test]
async fn a_nonce_is_good_once_and_every_refusal_brings_another() {
    for house in engines().await {
        let (house, _) = prepared(house, &[]).await;
        let client = Client::new(&house).await;
        let url = client.kid.clone().unwrap();
        let message = client.key.sign(&client.header(&url).await, "");
        assert_eq!(client.send(&url, &message).await.status, 200);
        let again = client.send(&url, &message).await;
        assert_eq!((again.status, problem(&again).as_str()), (400, "badNonce"));
        let mut header = client.header(&url).await;
        header["nonce"] = json!(again.header("replay-nonce").unwrap());
        assert_eq!(client.send(&url, &client.key.sign(&header, "")).await.status, 200);
        for nonce in ["AAAA", &base64url([7; 32]), &base64url([7; 600])] {
            header["nonce"] = json!(nonce);
            assert_eq!(problem(&client.send(&url, &client.key.sign(&header, "")).await), "badNonce");
        }
        header = client.header(&url).await;
        house.clock.advance(Duration::from_secs(3_601));
        assert_eq!(problem(&client.send(&url, &client.key.sign(&header, "")).await), "badNonce", "too old");
        header = client.header(&url).await;
        let now = house.rooms.house.now();
        house.clock.set(now.minus(Duration::from_secs(7_200)));
        let early = client.send(&url, &client.key.sign(&header, "")).await;
        assert_eq!(early.status, 200, "a clock that went back stops nobody: {}", early.text());
        assert_eq!(client.look(&url).await.json()["status"], "valid");
    }
}

#[tokio::test]
async fn a_nonce_of_another_process_is_refused_and_its_successor_taken() {
    let (house, _) = prepared(TestHouse::new().await, &[]).await;
    let client = Client::new(&house).await;
    let url = client.kid.clone().unwrap();
    let message = client.key.sign(&client.header(&url).await, "");
    let (kid, key, directory) = (client.kid, client.key, client.directory);
    let house = house.restart().await;
    let client = Client { house: &house, key, kid, directory };
    assert_eq!(problem(&client.send(&url, &message).await), "badNonce");
    assert_eq!(client.look(&url).await.status, 200);
}

#[tokio::test]
async fn a_message_that_is_not_exactly_what_it_should_be_is_refused() {
    let (house, _) = prepared(TestHouse::new().await, &[]).await;
    let client = Client::new(&house).await;
    let url = client.kid.clone().unwrap();
    let with = async |change: &dyn Fn(&mut Value)| {
        let mut header = client.header(&url).await;
        change(&mut header);
        client.send(&url, &client.key.sign(&header, "")).await
    };
    for algorithm in ["none", "HS256", "RS512", "es256", ""] {
        let refused = with(&|header| header["alg"] = json!(algorithm)).await;
        assert_eq!(
            (refused.status, problem(&refused).as_str()),
            (400, "badSignatureAlgorithm"),
            "{algorithm}"
        );
        assert_eq!(refused.json()["algorithms"], json!(["ES256", "ES384", "EdDSA", "RS256"]));
        assert!(refused.header("replay-nonce").is_some());
    }
    for (what, kind) in [
        ("url-host", "malformed"),
        ("url-path", "malformed"),
        ("url-query", "malformed"),
        ("url-case", "malformed"),
        ("no-url", "malformed"),
        ("no-nonce", "malformed"),
        ("both", "malformed"),
        ("neither", "malformed"),
        ("crit", "malformed"),
        ("b64", "malformed"),
        ("kid-other-host", "accountDoesNotExist"),
        ("kid-handle", "accountDoesNotExist"),
        ("kid-bare", "accountDoesNotExist"),
        ("another-algorithm", "malformed"),
    ] {
        let refused = with(&|header| {
            let members = header.as_object_mut().unwrap();
            match what {
                "url-host" => members["url"] = json!(url.replace("localhost", "127.0.0.1")),
                "url-path" => members["url"] = json!(format!("{url}/")),
                "url-query" => members["url"] = json!(format!("{url}?a=b")),
                "url-case" => members["url"] = json!(url.replace("http", "HTTP")),
                "no-url" => drop(members.remove("url")),
                "no-nonce" => drop(members.remove("nonce")),
                "both" => drop(members.insert("jwk".into(), client.key.jwk())),
                "neither" => drop(members.remove("kid")),
                "crit" => drop(members.insert("crit".into(), json!(["exp"]))),
                "b64" => drop(members.insert("b64".into(), json!(false))),
                "kid-other-host" => members["kid"] = json!(url.replace("localhost", "evil.example")),
                "kid-handle" => members["kid"] = json!(format!("{}x", &url[..url.len() - 1])),
                "kid-bare" => members["kid"] = json!("1"),
                _ => members["alg"] = json!("EdDSA"),
            }
        })
        .await;
        assert_eq!((refused.status, problem(&refused).as_str()), (400, kind), "{what}");
    }
    let mut altered = client.key.sign(&client.header(&url).await, "");
    altered["payload"] = json!(base64url(r#"{"status":"deactivated"}"#));
    assert_eq!(problem(&client.send(&url, &altered).await), "malformed");
    let mut more = client.key.sign(&client.header(&url).await, "");
    more["header"] = json!({"kid": url});
    assert_eq!(problem(&client.send(&url, &more).await), "malformed");
    let by_key = client.post_by_key(&url, "").await;
    assert_eq!(problem(&by_key), "malformed", "a key alone where an account is demanded");
    let path = url.strip_prefix(&*house.rooms.public_url).unwrap();
    for body in ["", "{}", "[]", "null", "\u{0}", "{\"protected\":1}", &"[".repeat(50_000)] {
        let refused = house.public(Method::POST, path, JOSE, body.to_owned()).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (400, "malformed"));
    }
    for media in ["application/json", "text/plain", ""] {
        let message = client.key.sign(&client.header(&url).await, "");
        let refused = house.public(Method::POST, path, media, message.to_string()).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (415, "malformed"), "{media}");
    }
    assert_eq!(client.look(&url).await.json()["status"], "valid", "nothing of it changed anything");
}

#[tokio::test]
async fn a_kid_with_somebody_elses_signature_is_nobody() {
    let (house, _) = prepared(TestHouse::new().await, &[]).await;
    let (client, other) = (Client::new(&house).await, Client::new(&house).await);
    let url = client.kid.clone().unwrap();
    let forged = other.key.sign(&client.header(&url).await, r#"{"status":"deactivated"}"#);
    assert_eq!(problem(&client.send(&url, &forged).await), "malformed");
    assert_eq!(client.look(&url).await.json()["status"], "valid");
    let weak = json!({"kty": "RSA", "e": "AQAB", "n": base64url([0xff; 64])});
    let new_account = client.url("newAccount");
    for jwk in [
        weak,
        json!({"kty": "oct", "k": "AAAA"}),
        json!({}),
        json!("x"),
        json!({"kty": "EC", "crv": "P-256"}),
    ] {
        let header = json!({"alg": "RS256", "jwk": jwk, "nonce": client.nonce().await, "url": new_account});
        let refused = client.send(&new_account, &client.key.sign(&header, "{}")).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (400, "badPublicKey"), "{header}");
    }
}

/// Every address of an account, with what is posted there.
async fn addresses(client: &Client<'_>) -> Vec<(String, String)> {
    let (order_url, order) = client.order(&["pending.test"]).await;
    let (valid_url, _) = client.certificate(&["valid.test"]).await;
    let valid = client.look(&valid_url).await.json();
    let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
    let found = client.look(&authorization).await.json();
    let kid = client.kid.clone().unwrap();
    let mut all = vec![
        (format!("{kid}/orders"), String::new()),
        (kid.clone(), String::new()),
        (kid, r#"{"status":"deactivated"}"#.to_owned()),
        (order_url, String::new()),
        (text(&order, "finalize").to_owned(), json!({"csr": request(&["pending.test"])}).to_string()),
        (text(&valid, "certificate").to_owned(), String::new()),
        (authorization.clone(), String::new()),
        (authorization, r#"{"status":"deactivated"}"#.to_owned()),
    ];
    for challenge in found["challenges"].as_array().unwrap() {
        all.push((text(challenge, "url").to_owned(), "{}".to_owned()));
        all.push((text(challenge, "url").to_owned(), String::new()));
    }
    all
}

#[tokio::test]
async fn what_belongs_to_one_account_does_not_exist_for_another() {
    for house in engines().await {
        let (house, world) = prepared(house, &[]).await;
        let (one, other) = (Client::new(&house).await, Client::new(&house).await);
        let (ours, theirs) = (addresses(&one).await, addresses(&other).await);
        let looked = world.seen.lock().unwrap().len();
        let mut pairs = 0;
        for (client, all) in [(&other, &ours), (&one, &theirs)] {
            for (url, payload) in all {
                let refused = client.post_raw(url, payload).await;
                assert_eq!((refused.status, problem(&refused).as_str()), (404, "malformed"), "{url}");
                let nowhere = client.post_raw(&nowhere(url), payload).await;
                let (same, known) = (nowhere.json(), refused.json());
                assert_eq!((nowhere.status, same), (refused.status, known), "as if it did not exist: {url}");
                pairs += 1;
            }
        }
        assert!(pairs >= 28, "{pairs}");
        assert_eq!(world.seen.lock().unwrap().len(), looked, "nobody was looked at for somebody else");
        for (client, all) in [(&one, &ours), (&other, &theirs)] {
            for (url, _) in all.iter().filter(|(_, payload)| payload.is_empty()) {
                assert_eq!(client.look(url).await.status, 200, "{url}");
            }
        }
    }
}

/// The same address with a handle that nobody has.
fn nowhere(url: &str) -> String {
    url.split('/')
        .map(|part| if part.len() == 26 { "0".repeat(26) } else { part.to_owned() })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn names_that_nobody_may_have_are_refused_when_they_are_ordered() {
    let (house, world) = prepared(TestHouse::new().await, &[]).await;
    let client = Client::new(&house).await;
    for name in [
        "a\0.test",
        "a_b.test",
        "bücher.test",
        "xn--pypal-4ve.test",
        "a..test",
        "a.test.",
        "-a.test",
        "1.2.3.4",
        "*.*.test",
        "a.*.test",
        "*.test",
        "*.a.test",
        "example.org",
        "ip:8.8.8.8",
        "ip:10.0.0.01",
        "ip:::ffff:10.0.0.1",
        "ip:10.0.0.0/8",
        "ip:a.test",
    ] {
        let refused = client.try_order(&[name], json!({})).await;
        assert!(matches!(refused.status, 400 | 403), "{name}: {}", refused.text());
        assert_eq!(problem(&refused), "rejectedIdentifier", "{name}");
        assert!(text(&refused.json(), "detail").len() > 20);
        let place = refused.json()["identifier"]["type"].clone();
        assert_eq!(place, if name.starts_with("ip:") { "ip" } else { "dns" }, "{name}");
    }
    let wildcard = client.try_order(&["*.a.test"], json!({})).await;
    assert_eq!(wildcard.json()["code"], "PKI_WILDCARD_FORBIDDEN");
    let several = client.try_order(&["example.org", "good.test", "a_b.test"], json!({})).await;
    assert_eq!(problem(&several), "rejectedIdentifier", "what cannot be read is said first");
    let several = client.try_order(&["example.org", "good.test", "example.com"], json!({})).await;
    let found = several.json();
    assert_eq!((problem(&several).as_str(), found["subproblems"].as_array().unwrap().len()), ("compound", 2));
    assert_eq!(found["subproblems"][1]["identifier"], json!({"type": "dns", "value": "example.com"}));
    let refused = client
        .post(&client.url("newOrder"), json!({"identifiers": [{"type": "email", "value": "a@b.test"}]}))
        .await;
    assert_eq!(problem(&refused), "unsupportedIdentifier");
    let many: Vec<String> = (0..101).map(|n| format!("a{n}.test")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(problem(&client.try_order(&many, json!({})).await), "malformed");
    let flood: Vec<String> = (0..10_000).map(|n| format!("a{n}.test")).collect();
    let flood: Vec<&str> = flood.iter().map(String::as_str).collect();
    let refused = client.try_order(&flood, json!({})).await;
    assert!(matches!(refused.status, 400 | 413), "{}", refused.status);
    assert!(world.seen.lock().unwrap().is_empty(), "nobody was looked at");
    let hundred: Vec<String> = (0..100).map(|n| format!("a{n}.test")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    assert_eq!(
        client.try_order(&hundred, json!({})).await.status,
        201,
        "a hundred are as many as there may be"
    );
}

/// After a failure too many no further proof is begun.
async fn no_further_proof(client: &Client<'_>, authorization: &str) {
    let found = client.look(authorization).await.json();
    for _ in 0..500 {
        // The failure is counted a moment after it was seen; a payload that is no object chooses nothing.
        let answer = client.post(text(&found["challenges"][0], "url"), json!([])).await;
        if answer.status == 429 {
            assert_eq!(problem(&answer), "rateLimited");
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("a further proof would be begun");
}

#[tokio::test]
async fn quotas_hold_back_a_program_that_went_wrong() {
    let settings =
        [("acme.pending_max", "3"), ("acme.failed_per_hour", "1"), ("acme.accounts_per_hour", "2")];
    let (house, world) = prepared(TestHouse::new().await, &settings).await;
    let client = Client::new(&house).await;
    for name in ["a.test", "b.test", "c.test"] {
        client.order(&[name]).await;
    }
    let refused = client.try_order(&["d.test"], json!({})).await;
    assert_eq!((refused.status, problem(&refused).as_str()), (429, "rateLimited"));
    assert!(refused.header("retry-after").is_some());
    let other = Client::new(&house).await;
    let mut third = Client::stranger(&house).await;
    let refused = third.register(json!({})).await;
    assert_eq!((refused.status, problem(&refused).as_str()), (429, "rateLimited"), "accounts of one address");
    world.spoil("a.test", vec![client::fault(pki::acme::ProbeFaultKind::Dns, false)]);
    let (_, order) = other.order(&["a.test"]).await;
    let failed = other.prove_by(order["authorizations"][0].as_str().unwrap(), "dns-01").await;
    assert_eq!(failed["status"], "invalid");
    let (_, order) = other.order(&["b.test"]).await;
    no_further_proof(&other, order["authorizations"][0].as_str().unwrap()).await;
}

/// The payload of a finalize request for one name, with a fresh key.
fn csr(name: &str) -> Value {
    json!({"csr": request(&[name])})
}

#[tokio::test]
async fn an_account_whose_names_are_slow_holds_up_nobody_else_and_an_order_is_finalized_once_at_a_time() {
    let (house, world) = prepared(TestHouse::new().await, &[]).await;
    let (slow, other) = (Client::new(&house).await, Client::new(&house).await);
    let names = ["a.test", "b.test", "c.test", "d.test", "e.test"];
    let mut finalize = Vec::new();
    for name in names {
        finalize.push(slow.ready(name).await.1);
    }
    let (_, beside) = other.ready("f.test").await;
    world.fall_silent();
    let post = async |place: usize| slow.post(&finalize[place], csr(names[place])).await;
    let rest = async {
        world.asked(3).await;
        let same = async {
            // The fourth place waits for its turn at the first order, and asks nobody.
            slow.post(&finalize[0], csr(names[0])).await
        };
        let after = async {
            for _ in 0..20 {
                other.look(other.kid.as_deref().unwrap()).await;
            }
            assert_eq!(world.asked.lock().unwrap().len(), 3);
            let refused = slow.post(&finalize[4], csr(names[4])).await;
            world.speak();
            refused
        };
        tokio::join!(same, after)
    };
    let (one, two, three, (same, refused)) = tokio::join!(post(0), post(1), post(2), rest);
    assert_eq!((one.status, two.status, three.status), (200, 200, 200), "{}", one.text());
    assert_eq!((same.status, problem(&same).as_str()), (403, "orderNotReady"), "another request had it");
    assert_eq!((refused.status, problem(&refused).as_str()), (429, "rateLimited"));
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(other.post(&beside, csr("f.test")).await.status, 200);
    assert_eq!(post(4).await.status, 200, "its places are free again");
}

#[tokio::test]
async fn an_account_that_is_closed_while_it_orders_gets_nothing() {
    for house in engines().await {
        let (house, world) = prepared(house, &[]).await;
        let client = Client::new(&house).await;
        let (_, finalize) = client.ready("a.test").await;
        world.fall_silent();
        let kid = client.kid.clone().unwrap();
        let close = async {
            world.asked(1).await;
            let closed = client.post(&kid, json!({"status": "deactivated"})).await;
            assert_eq!(closed.status, 200, "{}", closed.text());
            world.speak();
        };
        let (refused, ()) = tokio::join!(client.post(&finalize, csr("a.test")), close);
        assert_eq!((refused.status, problem(&refused).as_str()), (401, "unauthorized"), "{}", refused.text());
        let found = house.get("/api/v1/pki/certificates?profile=server").await.data();
        assert_eq!(found["items"], json!([]));
        let names = json!([{"type": "dns", "value": "b.test"}]);
        let refused = house.rooms.acme.place_only_for_test(&kid, &names).await.unwrap_err();
        assert!(refused.is(&pki::acme::error::ACCOUNT_CLOSED), "{refused:?}");
    }
}

#[tokio::test]
async fn an_account_whose_external_key_is_revoked_while_it_orders_gets_nothing() {
    let (house, world) = prepared(TestHouse::new().await, &[]).await;
    let made = house.post("/api/v1/pki/external-keys", json!({"uses": 1})).await.data();
    let mut client = Client::stranger(&house).await;
    let bound =
        client::binding(text(&made, "id"), text(&made, "hmacKey"), &client.url("newAccount"), &client.key);
    assert_eq!(client.register(json!({"externalAccountBinding": bound})).await.status, 201);
    let (_, finalize) = client.ready("a.test").await;
    world.fall_silent();
    let revoke = async {
        world.asked(1).await;
        let path = format!("/api/v1/pki/external-keys/{}/revoke", text(&made, "id"));
        assert_eq!(house.post(&path, json!({})).await.status, 200);
        world.speak();
    };
    let (refused, ()) = tokio::join!(client.post(&finalize, csr("a.test")), revoke);
    assert_eq!((refused.status, problem(&refused).as_str()), (401, "unauthorized"), "{}", refused.text());
}

/// The names that were looked at, in this order.
fn looked_at(world: &client::World) -> Vec<String> {
    world.seen.lock().unwrap().iter().map(|(_, name, _, _)| name.clone()).collect()
}

#[tokio::test]
async fn an_account_whose_proofs_are_slow_leaves_places_to_the_others_and_nobody_overtakes() {
    for house in engines().await {
        let (house, world) = prepared(house, &[]).await;
        let (slow, other) = (Client::new(&house).await, Client::new(&house).await);
        let names = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"];
        let (_, order) = slow.order(&names).await;
        for (name, authorization) in names.iter().zip(order["authorizations"].as_array().unwrap()) {
            world.hold(name);
            let chosen = slow.choose(authorization.as_str().unwrap(), "dns-01").await;
            assert_eq!((chosen.status, &chosen.json()["status"]), (200, &json!("processing")));
        }
        assert_eq!(house.rooms.acme.prove_due().await.unwrap(), 0, "the account has its places");
        let (_, order) = other.order(&["g.test"]).await;
        let authorization = order["authorizations"][0].as_str().unwrap();
        assert_eq!(other.choose(authorization, "dns-01").await.status, 200);
        assert!(!looked_at(&world).contains(&"g.test".to_owned()), "two were due before");
        assert_eq!(house.rooms.acme.prove_due().await.unwrap(), 1, "who has places is not held up");
        assert_eq!(other.decided(authorization).await["status"], "valid");
        assert_eq!(looked_at(&world), ["a.test", "b.test", "c.test", "d.test", "g.test"]);
        world.let_go("a.test");
        world.let_go("b.test");
        let mut taken = 0;
        while taken < 2 {
            taken += house.rooms.acme.prove_due().await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for name in ["c.test", "d.test", "e.test", "f.test"] {
            world.let_go(name);
        }
    }
}

#[tokio::test]
async fn a_failed_proof_counts_also_when_its_authorization_is_given_back() {
    for retry in [true, false] {
        let (house, world) = prepared(TestHouse::new().await, &[("acme.failed_per_hour", "1")]).await;
        let client = Client::new(&house).await;
        let (_, order) = client.order(&["a.test", "b.test"]).await;
        let [first, second] = [0, 1].map(|place| order["authorizations"][place].as_str().unwrap());
        world.hold("a.test");
        world.spoil("a.test", vec![client::fault(pki::acme::ProbeFaultKind::Dns, retry)]);
        assert_eq!(client.choose(first, "dns-01").await.status, 200);
        assert_eq!(client.post(first, json!({"status": "deactivated"})).await.status, 200);
        world.let_go("a.test");
        no_further_proof(&client, second).await;
    }
}

#[tokio::test]
async fn a_failed_proof_counts_when_its_authorization_is_given_back_between_two_looks() {
    let (house, world) = prepared(TestHouse::new().await, &[("acme.failed_per_hour", "1")]).await;
    let client = Client::new(&house).await;
    let (_, order) = client.order(&["a.test", "b.test"]).await;
    let [first, second] = [0, 1].map(|place| order["authorizations"][place].as_str().unwrap());
    world.spoil("a.test", vec![client::fault(pki::acme::ProbeFaultKind::Dns, true)]);
    assert_eq!(client.choose(first, "dns-01").await.status, 200);
    while looked_at(&world).is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(client.post(first, json!({"status": "deactivated"})).await.status, 200);
    no_further_proof(&client, second).await;
}

#[tokio::test]
async fn a_request_that_is_refused_counts_so_that_nobody_fills_the_log_with_refusals() {
    for house in engines().await {
        let (house, _) = prepared(house, &[("acme.failed_per_hour", "2")]).await;
        let client = Client::new(&house).await;
        let key = pki::local_key().unwrap();
        let barred = json!({"csr": client::request_with(&key, &["a.test"])});
        let (url, finalize) = client.ready("a.test").await;
        assert_eq!(client.post(&finalize, barred.clone()).await.status, 200);
        let certificate = client.download(&client.look(&url).await.json()).await.remove(0);
        let (signer, revoke) = (client::Key::of(&key), client.url("revokeCert"));
        let header =
            json!({"alg": "ES256", "jwk": signer.jwk(), "nonce": client.nonce().await, "url": revoke});
        let compromised = json!({"certificate": base64url(&certificate), "reason": 1}).to_string();
        assert_eq!(client.send(&revoke, &signer.sign(&header, &compromised)).await.status, 200);
        let (url, finalize) = client.ready("a.test").await;
        for _ in 0..2 {
            let refused = client.post(&finalize, barred.clone()).await;
            assert_eq!((refused.status, problem(&refused).as_str()), (403, "badCSR"), "{}", refused.text());
        }
        let refused = client.post(&finalize, barred.clone()).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (429, "rateLimited"));
        assert_eq!(refused.header("retry-after"), Some("1800"));
        house.settle().await;
        let found = house.get("/api/v1/audit?limit=200").await.data();
        let all = found["items"].as_array().unwrap().iter().map(|one| text(one, "eventType"));
        assert_eq!(all.filter(|one| *one == "certificate.refused").count(), 2);
        house.clock.advance(Duration::from_secs(1_800));
        assert_eq!(client.post(&finalize, csr("a.test")).await.status, 200, "the order stayed ready");
        assert_eq!(client.look(&url).await.json()["status"], "valid");
    }
}

#[tokio::test]
async fn renewal_information_is_bounded_by_the_door_alone() {
    let settings = [("http.rate_check", "2"), ("acme.orders_per_hour", "1")];
    let (house, _) = prepared(TestHouse::new().await, &settings).await;
    let client = Client::new(&house).await;
    client.order(&["a.test"]).await;
    assert_eq!(client.try_order(&["a.test"], json!({})).await.status, 429);
    let url = format!("{}/AAAA.AAAA", client.url("renewalInfo"));
    for _ in 0..2 {
        assert_eq!(house.public_get(&url).await.status, 404, "who may not order any more may ask");
    }
    let often = house.public_get(&url).await;
    assert_eq!((often.status, problem(&often).as_str()), (429, "rateLimited"));
    assert!(often.header("retry-after").is_some());
}

#[tokio::test]
async fn an_order_is_remembered_as_long_as_its_certificate_lives() {
    for house in engines().await {
        let settings = [("acme.allow_profiles", "document-signer"), ("pki.usage_arc", "1.3.6.1.4.1.32473.1")];
        let (house, _) = prepared(house, &settings).await;
        let client = Client::new(&house).await;
        let (url, chain) = client.certificate(&["a.test"]).await;
        let (unused, _) = client.order(&["b.test"]).await;
        let day = Duration::from_secs(86_400);
        house.clock.advance(day * 100);
        while house.rooms.acme.forget_ended().await.unwrap() > 0 {}
        assert_eq!(client.look(&unused).await.status, 404, "nothing came of it");
        assert_eq!(client.look(&url).await.json()["status"], "valid");
        let body = json!({"certificate": base64url(&chain[0]), "reason": 4});
        let revoked = client.post(&client.url("revokeCert"), body).await;
        assert_eq!(revoked.status, 200, "who ordered it may revoke it: {}", revoked.text());
        house.clock.advance(day * 366);
        while house.rooms.acme.forget_ended().await.unwrap() > 0 {}
        assert_eq!(client.look(&url).await.status, 404);
    }
}
