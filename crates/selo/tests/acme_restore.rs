//! A backup is put back, and the log's mirror gives back what ACME took back since: keys, accounts, proofs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "acme/client.rs"]
mod client;

use std::{path::Path, process::Command};

use base::Id;
use client::{Client, Key, base64url, binding, prepared, problem, request_with, text};
use events::Log;
use pki::{Asked, Grade, Replayed, WantedNames};
use proof::x509::pem::{self, Label};
use serde_json::{Value, json};
use store::blob::Blobs;
use testkit::{TestHouse, engines};

fn mirror_of(house: &TestHouse) -> tempfile::TempDir {
    let kept = tempfile::tempdir().unwrap();
    let from = house.home.blobs().join("log/ca");
    let copied = Command::new("cp").arg("-a").arg(from).arg(kept.path().join("ca")).status().unwrap();
    assert!(copied.success());
    kept
}

async fn replayed(house: &TestHouse, mirror: &Path) -> Replayed {
    let mirror = Blobs::folder(mirror).unwrap();
    let mut mirror = house.rooms.audit.mirror(Log::Ca, mirror).await.unwrap();
    let mut replay = house.rooms.pki.replay(house.rooms.tenants().await.unwrap());
    while let Some((from, entries)) = mirror.missing().await.unwrap() {
        replay.put_back(from, entries).await.unwrap();
    }
    replay.done()
}

/// A program while the house is away: its key, its account, the directory.
type Known = (Key, Option<String>, Value);

fn known(client: Client<'_>) -> Known {
    (client.key, client.kid, client.directory)
}

fn again(house: &TestHouse, (key, kid, directory): Known) -> Client<'_> {
    Client { house, key, kid, directory }
}

fn bound(client: &Client<'_>, made: &Value) -> Value {
    let external = binding(text(made, "id"), text(made, "hmacKey"), &client.url("newAccount"), &client.key);
    json!({"externalAccountBinding": external})
}

#[tokio::test]
async fn what_acme_took_back_after_the_backup_stays_taken_back() {
    for house in engines().await {
        let (house, _) = prepared(house, &[]).await;
        let spent = house.post("/api/v1/pki/external-keys", json!({"uses": 1})).await.data();
        let taken = house.post("/api/v1/pki/external-keys", json!({"uses": 2})).await.data();
        let (closing, changing) = (Client::new(&house).await, Client::new(&house).await);
        let (proving, staying) = (Client::new(&house).await, Client::new(&house).await);
        let mut let_in = Client::stranger(&house).await;
        let opened = bound(&let_in, &taken);
        assert_eq!(let_in.register(opened).await.status, 201);
        let (_, order) = proving.order(&["a.test"]).await;
        proving.prove(&order).await;
        let proof = order["authorizations"][0].as_str().unwrap().to_owned();
        let all = [closing, changing, proving, staying, let_in].map(known);
        house.settle().await;
        let (house, backup) = house.back_up().await;

        let [closing, mut changing, proving, staying, let_in] = all.map(|one| again(&house, one));
        let (kid, url) = (closing.kid.clone().unwrap(), changing.url("keyChange"));
        assert_eq!(closing.post(&kid, json!({"status": "deactivated"})).await.status, 200);
        let (fresh, account) = (Key::new(), changing.kid.clone().unwrap());
        let inner = json!({"account": account, "oldKey": changing.key.jwk()}).to_string();
        let inner = fresh.sign(&json!({"alg": "ES256", "jwk": fresh.jwk(), "url": url}), &inner);
        assert_eq!(changing.post(&url, inner).await.status, 200);
        let old = std::mem::replace(&mut changing.key, fresh);
        assert_eq!(changing.look(&account).await.status, 200);
        changing.key = old;
        assert_eq!(proving.post(&proof, json!({"status": "deactivated"})).await.status, 200);
        let mut late = Client::stranger(&house).await;
        let opened = bound(&late, &spent);
        assert_eq!(late.register(opened).await.status, 201);
        let revoke = format!("/api/v1/pki/external-keys/{}/revoke", text(&taken, "id"));
        assert_eq!(house.post(&revoke, json!({})).await.data()["state"], "revoked");
        let all = [closing, changing, proving, staying, let_in].map(known);
        house.settle().await;
        let kept = mirror_of(&house);

        drop(late);
        let house = house.put_back(&backup).await;
        let done = replayed(&house, &kept.path().join("ca")).await;
        let told = (done.external_keys_revoked, done.accounts_closed, done.authorizations_given_back);
        assert_eq!(told, (1, 2, 1), "{done:?}");
        house.settle().await;
        let [closing, changing, proving, staying, let_in] = all.map(|one| again(&house, one));
        for client in [&closing, &changing, &let_in] {
            let refused = client.look(client.kid.as_deref().unwrap()).await;
            assert_eq!((refused.status, problem(&refused).as_str()), (401, "unauthorized"));
        }
        assert_eq!(staying.look(staying.kid.as_deref().unwrap()).await.status, 200);
        assert_eq!(proving.look(&proof).await.json()["status"], "deactivated");
        let keys = house.get("/api/v1/pki/external-keys").await.data();
        let state = |made: &Value| {
            let mut keys = keys["items"].as_array().unwrap().iter();
            text(keys.find(|one| one["id"] == made["id"]).unwrap(), "state").to_owned()
        };
        assert_eq!((state(&spent).as_str(), state(&taken).as_str()), ("used_up", "revoked"));
    }
}

#[tokio::test]
async fn an_accounts_own_claim_bars_no_key_when_it_is_replayed_and_what_came_back_owns_none() {
    let (house, world) = prepared(TestHouse::new().await, &[]).await;
    let client = known(Client::new(&house).await);
    house.settle().await;
    let (house, backup) = house.back_up().await;
    house.rooms.acme.probe_with_for_test(world);
    let client = again(&house, client);
    let local = pki::local_key().unwrap();
    let mut leaves = Vec::new();
    for _ in 0..2 {
        let (_, order) = client.order(&["a.test"]).await;
        client.prove(&order).await;
        let csr = json!({"csr": request_with(&local, &["a.test"])});
        let finished = client.post(text(&order, "finalize"), csr).await.json();
        leaves.push(client.download(&finished).await.remove(0));
    }
    let claim = json!({"certificate": base64url(&leaves[0]), "reason": 1});
    assert_eq!(client.post(&client.url("revokeCert"), claim).await.status, 200);
    drop(client);
    house.settle().await;
    let kept = mirror_of(&house);
    let house = house.put_back(&backup).await;
    let done = replayed(&house, &kept.path().join("ca")).await;
    assert_eq!((done.issued, done.revoked), (2, 1), "{done:?}");
    house.settle().await;
    let asked = Asked {
        profile: "server".into(),
        names: WantedNames { dns: vec!["b.test".into()], ..WantedNames::default() },
        csr: Some(pem::encode(Label::CertificateRequest, &pki::request_der(&local, &[]).unwrap())),
        ..Asked::default()
    };
    let call = house.rooms.house.system("test");
    house.rooms.pki.issue(&call, Id::NIL, Grade::Admin, asked).await.unwrap();
}
