//! Keys on a real token (SoftHSM): made, used, restarted, pulled out, replaced behind our back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base::{Id, Kind, id::kind::SigningKey};
use common::{Hsm, LABEL, PIN, TENANT, TestHouse, forge, objects, on_a_token};
use cryptoki::object::{Attribute, AttributeInfo, AttributeType, ObjectClass};
use keys::{Algorithm, Place, Purpose, SigningKeyInfo, Succession, error};
use proof::crypto::PublicKey;

const HOUR: Duration = Duration::from_secs(3_600);

fn messages(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("message {number}").into_bytes()).collect()
}

async fn made(on: &TestHouse, algorithm: Algorithm) -> SigningKeyInfo {
    let key = on.keys.prepare_on_token(TENANT, Purpose::CaIssuing, algorithm, &on.house).await.unwrap();
    on.install(&key, Succession::Beside).await.unwrap();
    key.info
}

/// Signs one message and checks the signature.
async fn signs(on: &TestHouse, key: &SigningKeyInfo) -> base::Result<()> {
    let signed = on.keys.sign(&on.house, TENANT, key.id, messages(1)).await?;
    key.public.verify(b"message 0", signed[0].bytes()).unwrap();
    Ok(())
}

async fn refused(on: &TestHouse, key: &SigningKeyInfo, code: &base::Code) {
    let refused = signs(on, key).await.unwrap_err();
    assert!(refused.is(code), "{refused:?}");
}

#[test]
fn a_key_on_the_token_signs_and_is_not_in_the_database() {
    on_a_token("a_key_on_the_token_signs_and_is_not_in_the_database", async |hsm: Hsm| {
        for on in hsm.houses().await {
            for algorithm in [Algorithm::P256, Algorithm::P384] {
                let key = made(&on, algorithm).await;
                assert!(matches!(key.public, PublicKey::P256(_) | PublicKey::P384(_)));
                let (keys, id) = (on.keys.clone(), key.id);
                let known =
                    on.house.db.read("test.key", move |rx| keys.signing(rx, TENANT, id)).await.unwrap();
                assert_eq!((known.place, known.public), (Place::Token, key.public));
                // More than one turn for each session, and more than there are sessions.
                let messages = messages(100);
                let signed = on.keys.sign(&on.house, TENANT, key.id, messages.clone()).await.unwrap();
                assert_eq!(signed.len(), messages.len());
                for (message, signature) in messages.iter().zip(&signed) {
                    key.public.verify(message, signature.bytes()).unwrap();
                }
            }
            on.keys.check_token(&on.house).await.unwrap();
            let store = on.house.db.engine();
            assert_eq!(on.figure("selo_keys_token_relogins_total"), 0.0, "{store:?}");
            assert!(on.figure("selo_keys_token_sign_seconds_count") >= 200.0);
            on.close().await;
        }
    });
}

#[test]
fn a_key_cannot_be_taken_out_and_a_discarded_one_is_gone() {
    on_a_token("a_key_cannot_be_taken_out_and_a_discarded_one_is_gone", async |hsm: Hsm| {
        let on = hsm.house().await;
        let purpose = Purpose::CaRoot;
        let key = on.keys.prepare_on_token(TENANT, purpose, Algorithm::P384, &on.house).await.unwrap();
        let (id, session) = (key.info.id, hsm.session());
        let private = objects(&session, ObjectClass::PRIVATE_KEY, id)[0];
        let value = session.get_attribute_info(private, &[AttributeType::Value]).unwrap();
        assert!(matches!(value[..], [AttributeInfo::Sensitive]), "{value:?}");
        let kept = [AttributeType::Extractable, AttributeType::Sensitive, AttributeType::NeverExtractable];
        let kept = session.get_attributes(private, &kept).unwrap();
        assert!(kept.contains(&Attribute::Extractable(false)) && kept.contains(&Attribute::Sensitive(true)));
        assert!(kept.contains(&Attribute::NeverExtractable(true)));
        on.keys.discard(key).await.unwrap();
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            assert!(objects(&session, class, id).is_empty(), "{class:?}");
        }
        on.close().await;
    });
}

#[test]
fn a_restart_and_a_logout_are_got_over_by_themselves() {
    on_a_token("a_restart_and_a_logout_are_got_over_by_themselves", async |hsm: Hsm| {
        let on = hsm.house().await;
        let key = made(&on, Algorithm::P256).await;
        signs(&on, &key).await.unwrap();
        for round in 1..=3 {
            hsm.restart();
            signs(&on, &key).await.unwrap();
            hsm.log_out();
            signs(&on, &key).await.unwrap();
            assert_eq!(on.figure("selo_keys_token_relogins_total"), f64::from(2 * round));
        }
        // A key is made on a token that was restarted, too.
        hsm.restart();
        let other = made(&on, Algorithm::P256).await;
        signs(&on, &other).await.unwrap();
        on.close().await;
    });
}

#[test]
fn an_idle_hour_breaks_nothing() {
    on_a_token("an_idle_hour_breaks_nothing", async |hsm: Hsm| {
        let on = hsm.house().await;
        let key = made(&on, Algorithm::P256).await;
        on.clock.advance(HOUR);
        signs(&on, &key).await.unwrap();
        assert_eq!(on.figure("selo_keys_token_relogins_total"), 1.0, "an idle link is not trusted");
        on.clock.advance(HOUR);
        hsm.restart();
        signs(&on, &key).await.unwrap();
        on.clock.advance(Duration::from_secs(60));
        signs(&on, &key).await.unwrap();
        assert_eq!(on.figure("selo_keys_token_relogins_total"), 2.0, "a minute is not idle");
        on.close().await;
    });
}

#[test]
fn a_token_that_is_away_says_so_and_is_used_again_when_it_is_back() {
    on_a_token("a_token_that_is_away_says_so_and_is_used_again_when_it_is_back", async |hsm: Hsm| {
        let on = hsm.house().await;
        let key = made(&on, Algorithm::P256).await;
        // Once with the key's place known, once with a fresh link that has not looked for it yet.
        for fresh in [false, true] {
            if fresh {
                hsm.restart();
                on.keys
                    .prepare_on_token(TENANT, Purpose::ServerTls, Algorithm::P256, &on.house)
                    .await
                    .unwrap();
            }
            hsm.take_away();
            for _ in 0..3 {
                let refused = signs(&on, &key).await.unwrap_err();
                assert!(refused.is(&error::TOKEN_AWAY), "{refused:?}");
                assert_eq!(refused.kind(), Kind::Unavailable);
                assert!(refused.retry_after_seconds().is_some());
            }
            let purpose = Purpose::CaIssuing;
            let none = on.keys.prepare_on_token(TENANT, purpose, Algorithm::P256, &on.house).await;
            assert!(none.err().unwrap().is(&error::TOKEN_AWAY), "no software key instead");
            hsm.bring_back();
            signs(&on, &key).await.unwrap();
        }
        on.close().await;
    });
}

#[test]
fn a_token_lost_in_the_middle_gives_whole_answers_or_a_clear_no() {
    on_a_token("a_token_lost_in_the_middle_gives_whole_answers_or_a_clear_no", async |hsm: Hsm| {
        let on = Arc::new(hsm.house().await);
        let key = Arc::new(made(&on, Algorithm::P256).await);
        let (good, bad, over) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (on, key, good, bad, over) =
                (on.clone(), key.clone(), good.clone(), bad.clone(), over.clone());
            callers.spawn(async move {
                while over.load(Ordering::SeqCst) == 0 {
                    let wanted = messages(40);
                    match on.keys.sign(&on.house, TENANT, key.id, wanted.clone()).await {
                        Ok(signed) => {
                            assert_eq!(signed.len(), wanted.len());
                            for (message, signature) in wanted.iter().zip(&signed) {
                                key.public.verify(message, signature.bytes()).unwrap();
                            }
                            good.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(refused) => {
                            assert!(refused.is(&error::TOKEN_AWAY), "{refused:?}");
                            bad.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }
            });
        }
        let more = async |count: &AtomicUsize| {
            let before = count.load(Ordering::SeqCst);
            while count.load(Ordering::SeqCst) < before + 3 {
                tokio::task::yield_now().await;
            }
        };
        let rounds = async {
            for _ in 0..4 {
                more(&good).await;
                hsm.take_away();
                more(&bad).await;
                hsm.bring_back();
            }
            more(&good).await;
            over.store(1, Ordering::SeqCst);
        };
        tokio::time::timeout(Duration::from_secs(120), rounds).await.expect("the rounds come to their end");
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        assert!(on.figure("selo_keys_token_sessions") <= 3.0);
        on.close().await;
    });
}

#[test]
fn a_refused_pin_is_never_given_twice() {
    on_a_token("a_refused_pin_is_never_given_twice", async |hsm: Hsm| {
        let on = Arc::new(hsm.house().await);
        let key = Arc::new(made(&on, Algorithm::P256).await);
        hsm.write_pin("9999");
        hsm.restart();
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let (on, key) = (on.clone(), key.clone());
            callers.spawn(async move { refused(&on, &key, &error::TOKEN_PIN).await });
        }
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        assert!(hsm.saw_a_wrong_pin());
        // Now that PIN would be right: whoever gave it a second time would get in.
        hsm.change_pin(PIN, "9999");
        refused(&on, &key, &error::TOKEN_PIN).await;
        on.clock.advance(HOUR);
        refused(&on, &key, &error::TOKEN_PIN).await;
        // A file that says something else is worth one try.
        hsm.change_pin("9999", "1357");
        hsm.write_pin("1357");
        signs(&on, &key).await.unwrap();
        assert!(
            on.metrics
                .expose()
                .contains("selo_keys_token_failures_total{code=\"KEYS_TOKEN_PIN_REFUSED\"} 12")
        );
        on.close().await;
    });
}

#[test]
fn a_key_that_somebody_replaced_or_took_is_noticed() {
    on_a_token("a_key_that_somebody_replaced_or_took_is_noticed", async |hsm: Hsm| {
        let on = hsm.house().await;
        let key = made(&on, Algorithm::P256).await;
        let whole = async |code: Option<&'static base::Code>| {
            for answer in [on.keys.check_token(&on.house).await, signs(&on, &key).await] {
                assert_eq!(answer.err().map(|refused| refused.code().name), code.map(|code| code.name));
            }
        };
        whole(None).await;
        let destroy = |class| {
            let session = hsm.session();
            for object in objects(&session, class, key.id) {
                session.destroy_object(object).unwrap();
            }
        };
        destroy(ObjectClass::PUBLIC_KEY);
        whole(None).await;
        destroy(ObjectClass::PRIVATE_KEY);
        whole(Some(&error::TOKEN_KEY_MISSING)).await;
        forge(&hsm.session(), key.id);
        whole(Some(&error::TOKEN_KEY_MISMATCH)).await;
        // Without the public half only the signature itself tells, and it is not given out.
        destroy(ObjectClass::PUBLIC_KEY);
        refused(&on, &key, &error::TOKEN_KEY_MISMATCH).await;
        forge(&hsm.session(), key.id);
        destroy(ObjectClass::PUBLIC_KEY);
        refused(&on, &key, &error::TOKEN_KEY_MISMATCH).await;
        on.close().await;
    });
}

#[test]
fn many_callers_share_few_sessions() {
    on_a_token("many_callers_share_few_sessions", async |hsm: Hsm| {
        let on = Arc::new(hsm.house().await);
        let key = Arc::new(made(&on, Algorithm::P256).await);
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (on, key) = (on.clone(), key.clone());
            callers.spawn(async move { signs(&on, &key).await.unwrap() });
        }
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        let open = on.figure("selo_keys_token_sessions");
        assert!((1.0..=3.0).contains(&open), "{open}");
        on.close().await;
    });
}

#[test]
fn what_is_set_wrong_is_told_apart() {
    on_a_token("what_is_set_wrong_is_told_apart", async |hsm: Hsm| {
        let on = hsm.house().await;
        let key = made(&on, Algorithm::P256).await;
        let ed25519 =
            on.keys.prepare_on_token(TENANT, Purpose::CaIssuing, Algorithm::Ed25519, &on.house).await;
        assert!(ed25519.err().unwrap().is(&error::TOKEN_ALGORITHM));
        let unreadable = &base::config::CONFIG_SECRET_UNREADABLE;
        let right = hsm.settings();
        for (settings, code) in [
            (None, &error::TOKEN_NOT_CONFIGURED),
            (
                Some(keys::TokenSettings { library: "/nowhere.so".into(), ..right.clone() }),
                &error::TOKEN_LIBRARY,
            ),
            (
                Some(keys::TokenSettings { label: format!("{LABEL}2"), ..right.clone() }),
                &error::TOKEN_MISSING,
            ),
            (Some(keys::TokenSettings { pin_file: hsm.folder.join("none"), ..right.clone() }), unreadable),
        ] {
            // Another key ring on the same database, as after a start with other settings.
            let other = on.with_token(&hsm.folder, settings);
            refused(&other, &key, code).await;
            let checked = other.keys.check_token(&other.house).await.unwrap_err();
            assert!(checked.is(code), "{checked:?}");
            other.keys.close_token().await.unwrap();
        }
        signs(&on, &key).await.unwrap();
        on.close().await;
    });
}

#[test]
fn a_key_keeps_its_place_when_the_house_starts_again() {
    on_a_token("a_key_keeps_its_place_when_the_house_starts_again", async |hsm: Hsm| {
        let on = hsm.house().await;
        let key = made(&on, Algorithm::P384).await;
        let id: Id<SigningKey> = key.id;
        let again = on.with_token(&hsm.folder, Some(hsm.settings()));
        on.keys.close_token().await.unwrap();
        let keys = again.keys.clone();
        let known = again
            .house
            .db
            .read("test.active", move |rx| keys.active(rx, TENANT, Purpose::CaIssuing))
            .await
            .unwrap();
        assert_eq!(known.id, id);
        again.keys.check_token(&again.house).await.unwrap();
        signs(&again, &known).await.unwrap();
        again.close().await;
    });
}
