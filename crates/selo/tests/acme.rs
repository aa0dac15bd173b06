//! The ACME server through its doors, by a client of the tests: what RFC 8555 promises, and what must not happen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "acme/client.rs"]
mod client;

use axum::http::Method;
use client::{Client, prepared, problem, text};
use proof::x509::Certificate;
use serde_json::json;
use testkit::{TestHouse, engines};

#[tokio::test]
async fn a_program_gets_a_certificate_by_itself_from_the_directory_to_the_chain() {
    for house in engines().await {
        let (house, world) = prepared(house, &[]).await;
        let client = Client::new(&house).await;
        let (_, order) = client.order(&["a.test", "b.test"]).await;
        assert_eq!((&order["status"], &order["profile"]), (&json!("pending"), &json!("server")));
        client.prove(&order).await;
        let seen = world.seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 2);
        for (_, _, token, answer) in &seen {
            assert_eq!(*answer, format!("{token}.{}", client.key.thumbprint()));
        }
        let finished = client.finalize(&order, &["b.test", "a.test"]).await;
        let chain = client.download(&finished.json()).await;
        assert_eq!(chain.len(), 2);
        let (leaf, issuing) =
            (Certificate::parse(&chain[0]).unwrap(), Certificate::parse(&chain[1]).unwrap());
        leaf.verify(&issuing.key().unwrap()).unwrap();
        let names: Vec<String> = leaf.names().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["dns:a.test", "dns:b.test"], "in the order in which they were ordered");
        let found = house.get("/api/v1/pki/certificates?profile=server").await.data();
        assert_eq!(found["items"][0]["source"], "acme");
    }
}

#[tokio::test]
async fn a_house_without_an_authority_says_how_to_get_one() {
    let house = TestHouse::new().await;
    let answer = house.public_get("/acme/directory").await;
    assert_eq!((answer.status, problem(&answer).as_str()), (404, "serverInternal"));
    assert!(text(&answer.json(), "detail").contains("selo pki init"));
    let _ = Method::GET;
}
