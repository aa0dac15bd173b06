//! Keys of a house: rotation with overlap, epochs that roll, blind indexes that rotate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use serde_json::json;
use testkit::TestHouse;

#[tokio::test]
async fn what_an_old_key_signed_stays_good_after_rotation() {
    let house = TestHouse::at("https://selo.example.org").await;
    let tenant = house.tenant("Universidade").await;
    assert!(tenant["did"].as_str().unwrap().starts_with("did:web:selo.example.org:issuers:"));
    let before = house.issue("Ana", "ana@example.org").await;
    let key = house.post("/api/v1/keys/rotate", json!({})).await.data()["key"].clone();
    let after = house.issue("Bela", "bela@example.org").await;
    for one in [&before, &after] {
        let page = house.public_get(one["pageUrl"].as_str().unwrap()).await.text();
        assert!(page.contains("VALID"), "{page}");
    }
    let id = tenant["id"].as_str().unwrap().trim_start_matches("ten_").to_owned();
    let document = house.public_get(&format!("/issuers/{id}/did.json")).await.json();
    let methods = document["assertionMethod"].as_array().unwrap();
    assert_eq!(methods.len(), 2, "{document}");
    let new = key.as_str().unwrap().trim_start_matches("sig_");
    assert!(methods.iter().any(|method| method.as_str().unwrap().ends_with(new)), "{document} {new}");
}

#[tokio::test]
async fn an_issuer_that_is_named_by_its_key_does_not_rotate() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    let refused = house.post("/api/v1/keys/rotate", json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "KEYS_ROTATION_DID_KEY"));
}

#[tokio::test]
async fn an_epoch_rolls_after_thirty_days_and_everything_still_opens() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    let one = house.issue("Ana Conceição", "ana@example.org").await;
    let call = house.rooms.house.system("test");
    let roll = || house.rooms.keys.roll_epoch(&house.rooms.house, &call);
    assert_eq!(roll().await.unwrap(), 0, "not yet");
    let ring = std::fs::read(house.home.key_file()).unwrap();
    house.clock.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(roll().await.unwrap(), 1, "wrapped anew");
    let late = house.issue("Bela Lima", "bela@example.org").await;
    house.clock.advance(Duration::from_secs(5 * 86_400));
    assert_eq!(roll().await.unwrap(), 0, "the old epoch goes");
    assert_ne!(std::fs::read(house.home.key_file()).unwrap(), ring);
    assert!(house.public_get(late["pageUrl"].as_str().unwrap()).await.text().contains("Bela Lima"));
    let house = house.restart().await;
    let page = house.public_get(one["pageUrl"].as_str().unwrap()).await.text();
    assert!(page.contains("Ana Conceição"));
    // A database with an old key file, as a backup of the key file from before the roll would be.
    std::fs::write(house.home.key_file(), &ring).unwrap();
    let house = house.restart().await;
    let page = house.public_get(one["pageUrl"].as_str().unwrap()).await.text();
    assert!(!page.contains("Ana Conceição"), "the old epoch opens nothing that was wrapped anew");
}

#[tokio::test]
async fn a_person_is_found_while_the_index_rotates() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    let before = house.issue("Ana", "ana@example.org").await;
    house.rooms.keys.rotate_index(&house.rooms.house).unwrap();
    let after = house.issue("Ana", "ana@example.org").await;
    assert_eq!(before["person"], after["person"]);
}
