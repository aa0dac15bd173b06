//! The same request twice does its work once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{sync::atomic::Ordering, time::Duration};

use common::*;

const KEY: (&str, &str) = ("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324");

#[tokio::test]
async fn the_first_answer_is_given_again_without_doing_the_work_again() {
    let house = House::new();
    let app = house.admin();
    let first = send(&app, "/api/v1/things", &[KEY], r#"{"name":"a"}"#).await;
    let quoted = ("idempotency-key", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"");
    let second = send(&app, "/api/v1/things", &[quoted], r#"{"name":"a"}"#).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!(second.header("location"), "/api/v1/things/1");
    assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), ("", "true"));
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_eq!(house.shop.made.load(Ordering::SeqCst), 1);
    send(&app, "/api/v1/things", &[], r#"{"name":"a"}"#).await;
    assert_eq!(house.shop.made.load(Ordering::SeqCst), 2, "without a key it is a new request");
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller() {
    let house = House::new();
    let app = house.admin();
    send(&app, "/api/v1/things", &[KEY], r#"{"name":"a"}"#).await;
    let other = send(&app, "/api/v1/things", &[KEY], r#"{"name":"b"}"#).await;
    assert_eq!((other.status, other.code().as_str()), (422, "IDEMPOTENCY_KEY_REUSED"));
    let owner = {
        let mut asked = request(
            "POST",
            "/api/v1/things",
            &[KEY, ("content-type", "application/json")],
            r#"{"name":"b"}"#,
        );
        asked.extensions_mut().insert(http_kit::Peer::Owner);
        answer(app.service(), asked).await
    };
    assert_eq!(owner.status, 201, "another caller's key is another key");
}

#[tokio::test]
async fn two_at_once_do_it_once_and_the_second_is_told_to_wait() {
    let house = House::new();
    let app = house.admin();
    let ask = || send(&app, "/api/v1/things", &[KEY], r#"{"name":"slow"}"#);
    let (first, second) = tokio::join!(ask(), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        ask().await
    });
    assert_eq!(first.status, 201);
    assert_eq!(
        (second.status, second.code().as_str(), second.header("retry-after")),
        (409, "IDEMPOTENCY_IN_FLIGHT", "1")
    );
    assert_eq!(house.shop.made.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_client_that_goes_away_finds_the_answer_when_it_comes_back() {
    let house = House::new();
    let app = house.admin();
    let impatient = send(&app, "/api/v1/things", &[KEY], r#"{"name":"slow"}"#);
    assert!(tokio::time::timeout(Duration::from_millis(30), impatient).await.is_err());
    house.fittings.tasks.close();
    house.fittings.tasks.wait().await;
    let again = send(&app, "/api/v1/things", &[KEY], r#"{"name":"slow"}"#).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(house.shop.made.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refusal_and_a_panic_set_the_key_free_again() {
    let house = House::new();
    let app = house.admin();
    for (name, status) in [("refuse", 422), ("panic", 500)] {
        let key = ("idempotency-key", name);
        let body = format!("{{\"name\":\"{name}\"}}");
        assert_eq!(send(&app, "/api/v1/things", &[key], &body).await.status, status);
        let again = send(&app, "/api/v1/things", &[key], &body).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (status, ""));
    }
    assert_eq!(house.shop.made.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let house = House::new();
    let app = house.admin();
    send(&app, "/api/v1/things", &[KEY], r#"{"name":"a"}"#).await;
    house.clock.advance(Duration::from_secs(24 * 3_600 + 1));
    assert_eq!(
        send(&app, "/api/v1/things", &[KEY], r#"{"name":"a"}"#).await.header("idempotency-replayed"),
        ""
    );
}

#[tokio::test]
async fn a_key_has_a_form_and_needs_a_caller() {
    let house = House::new();
    let app = house.admin();
    let long = "x".repeat(256);
    for key in ["", "\"\"", "a b", long.as_str()] {
        let answer = send(&app, "/api/v1/things", &[("idempotency-key", key)], r#"{"name":"a"}"#).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "IDEMPOTENCY_KEY_INVALID"), "{key}");
    }
    let headers = [KEY, ("content-type", "application/json")];
    let nobody = answer(app.service(), request("POST", "/api/v1/things", &headers, r#"{"name":"a"}"#)).await;
    assert_eq!(nobody.status, 401);
    assert_eq!(house.shop.made.load(Ordering::SeqCst), 0);
    send(&app, "/api/v1/things", &[KEY], r#"{"name":"a"}"#).await;
    let asked = house.asked.load(Ordering::SeqCst);
    send(&app, "/api/v1/things", &[("idempotency-key", "n2")], r#"{"name":"a"}"#).await;
    assert_eq!(house.asked.load(Ordering::SeqCst), asked + 1, "the caller is recognised once per request");
}
