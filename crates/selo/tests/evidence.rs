//! The evidence log of a house: everything that happened is in it, strangers can check it, tampering is named.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use audit::check_proof;
use std::time::Duration;

use base::{Id, id::kind};
use events::{Fact, Log, Record};
use proof::note::VerifierKey;
use serde_json::json;
use testkit::{TestHouse, engines};

async fn busy(house: &TestHouse) -> Vec<String> {
    house.tenant("Universidade").await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let one = house.issue(&format!("Graduate {number}"), &format!("g{number}@example.org")).await;
        ids.push(one["id"].as_str().unwrap().to_owned());
    }
    // Facts of one millisecond have no order.
    house.clock.advance(Duration::from_millis(1));
    house.post(&format!("/api/v1/credentials/{}/revoke", ids[0]), json!({"reason": "test"})).await;
    house.settle().await;
    ids
}

#[tokio::test]
async fn logs_are_opened_once_and_a_house_that_has_them_keeps_them() {
    for house in engines().await {
        let heads = || async {
            let mut all = Vec::new();
            for log in Log::ALL {
                let head = house.rooms.audit.head(log).await.unwrap();
                all.push((head.origin, head.key, head.size));
            }
            all
        };
        let before = heads().await;
        let call = house.rooms.house.system("test");
        house.rooms.audit.open(&call, "another.example").await.unwrap();
        house.settle().await;
        assert_eq!(heads().await, before);
        assert!(before.iter().all(|(origin, ..)| origin.starts_with("localhost:8080/log/")));
    }
}

#[tokio::test]
async fn the_whole_log_is_computed_again_and_agrees() {
    for house in engines().await {
        busy(&house).await;
        for log in Log::ALL {
            let report = house.rooms.audit.verify(log).await.unwrap();
            assert!(report.ok, "{report:?}");
            // Leaf 0 says what the log is; nothing happened to a certificate here.
            assert!(report.size > u64::from(log != Log::Ca));
        }
        // Leaf 0, five issued, one revoked.
        assert_eq!(house.rooms.audit.verify(Log::Cred).await.unwrap().size, 7);
    }
}

#[tokio::test]
async fn a_proof_holds_for_its_record_and_for_nothing_else() {
    for house in engines().await {
        let ids = busy(&house).await;
        let vkey = house.public_get("/log/cred/vkey").await.text();
        let key = VerifierKey::parse(vkey.trim()).unwrap();
        let file = house.get(&format!("/api/v1/audit/proof/{}", ids[2])).await;
        assert_eq!(file.status, 200, "{}", file.text());
        let proven = check_proof(&file.body, key.name(), std::slice::from_ref(&key)).unwrap();
        assert!(String::from_utf8_lossy(&proven.entry).contains("credential.issued"));
        let text = file.text();
        let altered = text.replacen("index ", "index 1", 1);
        assert!(check_proof(altered.as_bytes(), key.name(), std::slice::from_ref(&key)).is_err());
        let stranger = VerifierKey::new(key.name(), key.kind(), [7; 32]).unwrap();
        assert!(check_proof(&file.body, key.name(), &[stranger]).is_err());
        assert_eq!(house.get("/api/v1/audit/proof/cred_00000000000000000000000000").await.status, 404);
    }
}

#[tokio::test]
async fn a_public_page_gives_everybody_the_proof_of_its_record() {
    for house in engines().await {
        house.tenant("Universidade").await;
        let one = house.issue("Ana Conceição", "ana@example.org").await;
        let page = one["pageUrl"].as_str().unwrap().to_owned();
        let address = format!("{page}/record.tlog-proof");
        assert_eq!(house.public_get(&address).await.status, 503, "no checkpoint covers it yet");
        house.settle().await;
        let html = house.public_get(&page).await.text();
        let path = address.strip_prefix("http://localhost:8080").unwrap();
        assert!(html.contains(&format!("href=\"{path}\"")), "the page links to its proof");
        let file = house.public_get(&address).await;
        assert_eq!(file.status, 200, "{}", file.text());
        let vkey = house.public_get("/log/cred/vkey").await.text();
        let key = VerifierKey::parse(vkey.trim()).unwrap();
        let proven = check_proof(&file.body, key.name(), std::slice::from_ref(&key)).unwrap();
        let entry = String::from_utf8_lossy(&proven.entry).into_owned();
        assert!(entry.contains("credential.issued") && !entry.contains("Ana"), "{entry}");
        assert_eq!(house.public_get("/v/0123456789abcdefghjkmnpqrs/record.tlog-proof").await.status, 404);
        house.post(&format!("/api/v1/people/{}/erase", one["person"].as_str().unwrap()), json!({})).await;
        assert_eq!(house.public_get(&address).await.status, 404, "a forgotten person's page says no more");
    }
}

#[tokio::test]
async fn strangers_read_the_public_log_and_not_the_administrative_one() {
    let house = TestHouse::new().await;
    busy(&house).await;
    let checkpoint = house.public_get("/log/cred/checkpoint").await;
    assert_eq!(checkpoint.status, 200);
    assert!(checkpoint.text().starts_with("localhost:8080/log/cred\n7\n"), "{}", checkpoint.text());
    assert_eq!(house.public_get("/log/audit/checkpoint").await.status, 200, "its head is public");
    let entries = house.public_get("/log/cred/tile/entries/000.p/7").await;
    assert_eq!(entries.status, 200);
    let decoded = proof::tile::decode_bundle(&entries.body, 7).unwrap();
    let hashes = house.public_get("/log/cred/tile/0/000.p/7").await.body;
    for (entry, hash) in decoded.iter().zip(hashes.chunks(32)) {
        assert_eq!(proof::merkle::leaf_hash(entry), hash);
        assert!(!String::from_utf8_lossy(entry).contains("Graduate"), "no personal data in a leaf");
    }
    assert_eq!(house.public_get("/log/audit/tile/0/000.p/7").await.status, 404, "its tiles are not");
    for path in ["/log/cred/tile/0/0", "/log/cred/tile/../../keys/ring.json", "/log/nothing/checkpoint"] {
        assert_eq!(house.public_get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_log_that_grew_is_consistent_with_its_earlier_checkpoint() {
    let house = TestHouse::new().await;
    busy(&house).await;
    let key = VerifierKey::parse(house.public_get("/log/cred/vkey").await.text().trim()).unwrap();
    let open = |bytes: &[u8]| {
        proof::checkpoint::open(bytes, std::slice::from_ref(&key), key.name()).unwrap().checkpoint
    };
    let old = open(&house.public_get("/log/cred/checkpoint").await.body);
    for number in 0..300 {
        house.issue(&format!("Later {number}"), &format!("l{number}@example.org")).await;
    }
    house.settle().await;
    let new = open(&house.public_get("/log/cred/checkpoint").await.body);
    assert_eq!((old.size(), new.size()), (7, 307));
    let mut tiles = std::collections::BTreeMap::new();
    for range in proof::merkle::consistency_ranges(old.size(), new.size()).unwrap() {
        for node in proof::merkle::range_nodes(range) {
            let (tile, _) = proof::tile::tile_of(node, new.size()).unwrap();
            let answer = house.public_get(&format!("/log/cred/{}", tile.path())).await;
            assert_eq!(answer.status, 200, "{}", tile.path());
            tiles.insert(tile, answer.body.to_vec());
        }
    }
    let mut reader = proof::tile::TileReader::new(new.size(), |id| tiles.get(&id).cloned().ok_or(()));
    let steps = reader.consistency_proof(old.size()).unwrap();
    proof::merkle::verify_consistency(old.size(), old.root(), new.size(), new.root(), &steps).unwrap();
    assert!(house.rooms.audit.verify(Log::Cred).await.unwrap().ok);
}

#[tokio::test]
async fn an_altered_fact_a_missing_leaf_and_a_lost_tile_are_each_named() {
    let house = TestHouse::new().await;
    busy(&house).await;
    let tile = house.home.blobs().join("log/cred/tile/0/000.p/7");
    let bytes = std::fs::read(&tile).unwrap();
    let mut wrong = bytes.clone();
    wrong[5] ^= 1;
    std::fs::write(&tile, &wrong).unwrap();
    let report = house.rooms.audit.verify(Log::Cred).await.unwrap();
    assert!(!report.ok && report.problems[0].contains("tile/0/000"), "{report:?}");
    std::fs::write(&tile, &bytes).unwrap();
    assert!(house.rooms.audit.verify(Log::Cred).await.unwrap().ok);
    std::fs::remove_file(&tile).unwrap();
    let report = house.rooms.audit.verify(Log::Cred).await.unwrap();
    assert!(!report.ok && report.problems[0].contains("missing"), "{report:?}");
}

#[tokio::test]
async fn the_audit_search_finds_by_actor_resource_correlation_and_time() {
    for house in engines().await {
        let ids = busy(&house).await;
        let tenant = house.get("/api/v1/tenants").await.data()["items"][0]["id"].as_str().unwrap().to_owned();
        let all = house.get(&format!("/api/v1/audit?tenant={tenant}&limit=200")).await.data();
        assert!(all["items"].as_array().unwrap().len() >= 7, "{all}");
        for (wrong, code) in [("actr=key_x", "FIELD_UNKNOWN"), ("limit=0", "PAGE_LIMIT_INVALID")] {
            let refused = house.get(&format!("/api/v1/audit?tenant={tenant}&{wrong}")).await;
            assert_eq!(refused.code(), code, "a filter that nobody knows must not answer with everything");
        }
        let about = house.get(&format!("/api/v1/audit?tenant={tenant}&resource={}", ids[0])).await.data();
        let kinds: Vec<&str> =
            about["items"].as_array().unwrap().iter().map(|f| f["eventType"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["credential.revoked", "credential.issued"], "newest first");
        let correlation = about["items"][0]["correlationId"].as_str().unwrap();
        let chain =
            house.get(&format!("/api/v1/audit?tenant={tenant}&correlationId={correlation}")).await.data();
        assert_eq!(chain["items"].as_array().unwrap().len(), 1);
        let later =
            house.get(&format!("/api/v1/audit?tenant={tenant}&from=2027-01-01T00:00:00Z")).await.data();
        assert_eq!(later["items"].as_array().unwrap().len(), 0);
        assert_eq!(house.get(&format!("/api/v1/audit?tenant={tenant}&from=yesterday")).await.status, 400);
    }
}

/// Records facts without anything that they speak of: only their places count here.
async fn crowd(house: &TestHouse, count: usize) {
    let house = &house.rooms.house;
    let call = house.system("crowd");
    let facts: Vec<Fact> = (0..count)
        .map(|_| {
            let credential: Id<kind::Credential> = house.id();
            let payload = json!({"credential": credential});
            Fact::new(&credential::facts::CREDENTIAL_SUSPENDED, house.id(), house.now(), credential, payload)
        })
        .collect();
    house
        .db
        .write("test.crowd", move |tx| facts.iter().try_for_each(|fact| tx.record(&call, fact)))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_long_backlog_is_published_in_steps_that_each_end_with_a_checkpoint() {
    // Once a backlog had to be tiled within one lease of five seconds: a larger one was begun again for ever.
    let house = TestHouse::new().await;
    house.settle().await;
    for _ in 0..4 {
        crowd(&house, 5_000).await;
    }
    let checkpoints = || {
        let figures = house.rooms.house.db.figures();
        figures.verbs.iter().find(|(name, _)| *name == "audit.checkpoint").map_or(0, |(_, taken)| taken.count)
    };
    let before = checkpoints();
    let report = house.rooms.audit.verify(Log::Cred).await.unwrap();
    assert_eq!((report.ok, report.size, report.waiting), (true, 1, 20_000), "what waits is said");
    assert!(house.rooms.audit.publish(Log::Cred).await.unwrap());
    assert_eq!(checkpoints() - before, 3, "20,000 leaves in steps of 8,192");
    let report = house.rooms.audit.verify(Log::Cred).await.unwrap();
    assert!(report.ok && report.size == 20_001 && report.waiting == 0, "{report:?}");
    assert!(!house.rooms.audit.publish(Log::Cred).await.unwrap(), "nothing is left to do");
}
