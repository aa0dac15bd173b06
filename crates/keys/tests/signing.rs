//! Signing keys in the database: every algorithm, who follows whom, and rows from before keys had a place.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{path::Path, time::Duration};

use base::{Id, id::kind::SigningKey};
use common::{TENANT, TestHouse, engines, tables};
use keys::{Algorithm, KeyState, Place, PreparedKey, Purpose, SigningKeyInfo, Succession, error};
use store::{sql, values};

async fn houses(folder: &Path) -> Vec<TestHouse> {
    let path = folder.to_owned();
    let make = move || {
        let engines = engines(&path);
        engines.iter().for_each(|store| drop(store::migrate(store, &tables()).unwrap()));
        engines
    };
    let mut houses = Vec::new();
    for store in tokio::task::spawn_blocking(make).await.unwrap() {
        houses.push(TestHouse::open(folder, &store, None).await);
    }
    houses
}

/// A new key, a moment after the one before, so that their ids stand in that order.
fn prepared(on: &TestHouse, purpose: Purpose, algorithm: Algorithm) -> PreparedKey {
    on.clock.advance(Duration::from_millis(1));
    on.keys.prepare_signing(TENANT, purpose, algorithm, &on.house).unwrap()
}

async fn states(on: &TestHouse, purpose: Purpose) -> Vec<KeyState> {
    let keys = on.keys.clone();
    let all = on.house.db.read("test.keys", move |rx| keys.signing_keys(rx, TENANT, purpose)).await.unwrap();
    all.iter().map(|key| key.state).collect()
}

async fn active(on: &TestHouse, purpose: Purpose) -> base::Result<SigningKeyInfo> {
    let keys = on.keys.clone();
    on.house.db.read("test.active", move |rx| keys.active(rx, TENANT, purpose)).await
}

#[tokio::test]
async fn every_algorithm_signs_few_and_many_messages_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    for on in houses(folder.path()).await {
        for algorithm in Algorithm::ALL {
            let key = prepared(&on, Purpose::CaIssuing, algorithm);
            on.install(&key, Succession::Beside).await.unwrap();
            for count in [0, 1, 40] {
                let messages: Vec<Vec<u8>> = (0..count).map(|number: u8| vec![number; 20]).collect();
                let signed = on.keys.sign(&on.house, TENANT, key.info.id, messages.clone()).await.unwrap();
                assert_eq!(signed.len(), messages.len());
                for (message, signature) in messages.iter().zip(&signed) {
                    assert_eq!(signature.bytes().len(), algorithm.signature_bytes());
                    key.info.public.verify(message, signature.bytes()).unwrap();
                }
            }
        }
        let unknown: Id<SigningKey> = on.house.id();
        let refused = on.keys.sign(&on.house, TENANT, unknown, vec![vec![1]]).await.unwrap_err();
        assert!(refused.is(&error::SIGN));
    }
}

#[tokio::test]
async fn each_authority_keeps_its_key_when_another_gets_one() {
    use KeyState::{Active, Retired};
    let folder = tempfile::tempdir().unwrap();
    for on in houses(folder.path()).await {
        let purpose = Purpose::CaIssuing;
        let [first, second, third] = [(); 3].map(|()| prepared(&on, purpose, Algorithm::P256));
        on.install(&first, Succession::Beside).await.unwrap();
        on.install(&second, Succession::Beside).await.unwrap();
        assert_eq!(states(&on, purpose).await, [Active, Active]);
        on.install(&third, Succession::After(first.info.id)).await.unwrap();
        assert_eq!(states(&on, purpose).await, [Retired, Active, Active]);
        // What is retired, of another purpose, or unknown is followed by nobody, and nothing is installed.
        let stranger = prepared(&on, Purpose::OcspResponder, Algorithm::P256);
        on.install(&stranger, Succession::Beside).await.unwrap();
        for old in [first.info.id, stranger.info.id, on.house.id()] {
            let fourth = prepared(&on, purpose, Algorithm::P256);
            let refused = on.install(&fourth, Succession::After(old)).await.unwrap_err();
            assert!(refused.is(&error::NO_KEY), "{refused}");
        }
        assert_eq!(states(&on, purpose).await.len(), 3);
        // A retired key finishes what was planned.
        on.keys.sign(&on.house, TENANT, first.info.id, vec![vec![1]]).await.unwrap();
    }
}

#[tokio::test]
async fn a_sole_key_follows_the_one_before_and_a_retired_one_leaves_none() {
    use KeyState::{Active, Retired};
    let folder = tempfile::tempdir().unwrap();
    for on in houses(folder.path()).await {
        let purpose = Purpose::Assertion;
        let [first, second] = [(); 2].map(|()| prepared(&on, purpose, Algorithm::Ed25519));
        on.install(&first, Succession::Sole).await.unwrap();
        on.install(&second, Succession::Sole).await.unwrap();
        assert_eq!(states(&on, purpose).await, [Retired, Active]);
        assert_eq!(active(&on, purpose).await.unwrap().id, second.info.id);
        for was_active in [true, false] {
            let (keys, house, call) = (on.keys.clone(), on.house.clone(), on.house.system("test"));
            let (id, fact) = (second.info.id, on.house.id());
            let retired = on
                .house
                .db
                .write("test.retire", move |tx| keys.retire_signing(tx, &call, TENANT, id, fact, &house));
            assert_eq!(retired.await.unwrap(), was_active);
        }
        assert_eq!(states(&on, purpose).await, [Retired, Retired]);
        assert!(active(&on, purpose).await.unwrap_err().is(&error::NO_KEY));
    }
}

#[tokio::test]
async fn the_newest_key_is_found_among_hundreds_of_retired_ones() {
    let folder = tempfile::tempdir().unwrap();
    for on in houses(folder.path()).await {
        let purpose = Purpose::OcspResponder;
        let all: Vec<PreparedKey> = (0..210).map(|_| prepared(&on, purpose, Algorithm::Ed25519)).collect();
        for key in &all {
            on.install(key, Succession::Sole).await.unwrap();
        }
        let last = all.last().unwrap().info.id;
        assert_eq!(active(&on, purpose).await.unwrap().id, last);
        assert_eq!(states(&on, purpose).await.last(), Some(&KeyState::Active));
    }
}

#[tokio::test]
async fn rows_from_before_keys_had_a_place_are_sealed_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let before = move || {
        let first = [events::MIGRATIONS, &keys::MIGRATIONS[..1]].concat();
        let engines = engines(&path);
        engines.iter().for_each(|store| drop(store::migrate(store, &first).unwrap()));
        engines
    };
    for store in tokio::task::spawn_blocking(before).await.unwrap() {
        let on = TestHouse::open(folder.path(), &store, None).await;
        let key = prepared(&on, Purpose::LogCred, Algorithm::Ed25519).info;
        let row = key.clone();
        let insert = move |tx: &mut store::Tx<'_>| {
            tx.execute(
                sql!(
                    "-- test.insert_key_of_before
                    insert into keys_signing
                        (tenant, id, purpose, algorithm, public, private_sealed, state, created_at)
                    values ($1, $2, $3, $4, $5, $6, $7, $8)"
                ),
                &values![
                    TENANT,
                    row.id,
                    row.purpose.name(),
                    row.algorithm.name(),
                    row.public.to_multikey().as_bytes(),
                    [7_u8; 40],
                    "active",
                    row.created_at
                ],
            )
        };
        on.house.db.write("test.insert", insert).await.unwrap();
        on.house.db.close().await;
        let copy = store.clone();
        tokio::task::spawn_blocking(move || store::migrate(&copy, &tables()).unwrap()).await.unwrap();
        let on = TestHouse::open(folder.path(), &store, None).await;
        let found = active(&on, Purpose::LogCred).await.unwrap();
        assert_eq!((found.id, found.public, found.place), (key.id, key.public, Place::Sealed));
        // The program from before still writes its rows.
        let again = key.id;
        on.house
            .db
            .write("test.delete", move |tx| {
                let text = sql!("-- test.delete_key\ndelete from keys_signing where tenant = $1 and id = $2");
                tx.execute(text, &values![TENANT, again])
            })
            .await
            .unwrap();
        on.house.db.write("test.insert", insert).await.unwrap();
        assert_eq!(active(&on, Purpose::LogCred).await.unwrap().place, Place::Sealed);
    }
}
