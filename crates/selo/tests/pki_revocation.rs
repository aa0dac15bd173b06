//! What relying parties hear of revocation: lists, answers, and the responder behind them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod pki_support;

use std::time::Duration;

use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use pki_support::*;
use proof::x509::{
    Certificate, Serial,
    crl::Crl,
    ocsp::{CertId, IdHash, OcspRequest, OcspResponse, Status},
};
use serde_json::json;
use testkit::{TestHouse, engines};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn lists_are_signed_again_when_they_change_or_grow_old_and_their_numbers_only_grow() {
    for house in engines().await {
        hierarchy(&house).await;
        let authorities = house.get("/api/v1/pki/authorities").await.data();
        let handle = text(&authorities["items"][1], "handle").to_owned();
        let one = issue(&house, "server", "a.test").await;
        let shard = serial_of(&der(&one)).shard(16);
        let fetch = || async {
            let answer = house.public_get(&format!("/crl/{handle}/{shard}.crl")).await;
            assert_eq!(answer.status, 200);
            answer
        };
        let number = |der: &[u8]| {
            let list = Crl::parse(der).unwrap();
            (list.number().unwrap().unwrap(), list.entries().count())
        };
        let first = fetch().await;
        assert_eq!(number(&first.body), (1, 0));
        assert_eq!(fetch().await.body, first.body, "nothing changed, so nothing is signed");
        let etag = first.header("etag").unwrap().to_owned();
        assert!(first.header("last-modified").is_some() && first.header("expires").is_some());
        house
            .post(&format!("/api/v1/pki/certificates/{}/revoke", text(&one, "id")), json!({"reason": "0"}))
            .await
            .data();
        let second = fetch().await;
        assert_eq!(number(&second.body), (2, 1));
        assert_ne!(second.header("etag"), Some(etag.as_str()));
        house.clock.advance(DAY / 2);
        assert_eq!(number(&fetch().await.body), (3, 1));
        // The certificate has ended: it stands in one list more, and then no longer.
        house.clock.advance(DAY * 90);
        assert_eq!(number(&fetch().await.body), (4, 1));
        house.clock.advance(DAY);
        assert_eq!(number(&fetch().await.body), (5, 0));
        for wrong in [
            "/crl/x.crl",
            "/crl/x/0.crl",
            "/ca/x.cer",
            &format!("/crl/{handle}.crl"),
            &format!("/crl/{handle}/16.crl"),
            &format!("/crl/{handle}/00.crl"),
            &format!("/crl/{handle}/0"),
        ] {
            assert_eq!(house.public_get(wrong).await.status, 404, "{wrong}");
        }
        let issuer = house.public_get(&format!("/ca/{handle}.cer")).await;
        assert_eq!(issuer.header("content-type"), Some("application/pkix-cert"));
        assert!(Certificate::parse(&issuer.body).is_ok());
    }
}

#[tokio::test]
async fn ocsp_answers_by_get_and_post_with_and_without_nonce_and_errors_are_five_bytes() {
    for house in engines().await {
        let (root, issuing) = hierarchy(&house).await;
        let one = issue(&house, "server", "a.test").await;
        let certificate = Certificate::parse(&issuing).unwrap();
        let key = certificate.key().unwrap();
        let id = |serial| CertId::new(IdHash::Sha1, &certificate.subject, &key, serial).unwrap();
        let ours = id(serial_of(&der(&one)));
        let post = |body: Vec<u8>| house.public(Method::POST, "/ocsp", "application/ocsp-request", body);
        let plain = OcspRequest { ids: vec![ours.clone()], nonce: None }.write();
        let by_post = post(plain.clone()).await;
        let escaped = STANDARD.encode(&plain).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        for path in [format!("/ocsp/{escaped}"), format!("/ocsp/{}", STANDARD.encode(&plain))] {
            let by_get = house.public_get(&path).await;
            assert_eq!(by_get.body, by_post.body, "the kept answer is given again: {path}");
            assert!(by_get.header("cache-control").unwrap().contains("max-age"));
        }
        assert_eq!(by_post.header("cache-control"), Some("no-store"));
        for _ in 0..1_000 {
            assert_eq!(post(plain.clone()).await.body, by_post.body, "asking again signs nothing");
        }
        let nonce = OcspRequest { ids: vec![ours.clone()], nonce: Some(vec![9; 32]) }.write();
        let answer = post(nonce).await;
        assert_eq!(OcspResponse::parse(&answer.body).unwrap().nonce, Some(vec![9; 32]));
        let never = Serial::from_random([3; 16]);
        let several = OcspRequest { ids: vec![ours.clone(), id(never)], nonce: None }.write();
        let answer = post(several).await;
        let answer = OcspResponse::parse(&answer.body).unwrap();
        let statuses: Vec<Status> = answer.singles.iter().map(|single| single.status).collect();
        assert_eq!(statuses, [Status::Good, Status::Unknown]);
        let root_certificate = Certificate::parse(&root).unwrap();
        let foreign =
            CertId::new(IdHash::Sha1, &root_certificate.subject, &root_certificate.key().unwrap(), never);
        let foreign = foreign.unwrap();
        for ids in [vec![foreign.clone()], vec![ours, foreign]] {
            let answer = post(OcspRequest { ids, nonce: None }.write()).await;
            assert_eq!((answer.status, &answer.body[..]), (200, &[0x30, 3, 0x0a, 1, 6][..]));
        }
        for garbage in [vec![], vec![0x30], b"GET / HTTP/1.1".to_vec(), [plain.as_slice(), &[0]].concat()] {
            assert_eq!(&post(garbage).await.body[..], [0x30, 3, 0x0a, 1, 1]);
        }
        assert_eq!(&house.public_get("/ocsp/!!!").await.body[..], [0x30, 3, 0x0a, 1, 1]);
        let long = format!("/ocsp/{}", "A".repeat(256));
        assert_eq!(&house.public_get(&long).await.body[..], [0x30, 3, 0x0a, 1, 1]);
        // The door speaks OCSP too: too much, and too often.
        let much = house.public(Method::POST, "/ocsp", "application/ocsp-request", vec![0x30; 1 << 20]).await;
        assert_eq!(&much.body[..], [0x30, 3, 0x0a, 1, 1]);
        let slow = house.set(&[("http.rate_check", "5")]).await;
        let mut last = slow.public_get(&long).await;
        for _ in 0..5 {
            last = slow.public_get(&long).await;
        }
        assert_eq!(
            (last.header("content-type"), &last.body[..]),
            (Some("application/ocsp-response"), &[0x30, 3, 0x0a, 1, 3][..])
        );
    }
}

#[tokio::test]
async fn the_responder_is_renewed_on_its_fourth_day_and_old_answers_are_not_given_again() {
    for mut house in engines().await {
        let (root, issuing) = hierarchy(&house).await;
        let one = issue(&house, "service", "a.test").await;
        let serial = serial_of(&der(&one));
        let responders = |house: TestHouse| async {
            let found = house.get("/api/v1/pki/certificates?profile=ocsp-responder").await.data();
            (found["items"].as_array().unwrap().len(), house)
        };
        for (days, expected) in [(0, 1), (3, 1), (1, 2), (3, 2), (30, 3)] {
            house.clock.advance(DAY * days);
            assert_eq!(asked(&house, &root, &issuing, serial, IdHash::Sha1).await, Status::Good);
            let (count, same) = responders(house).await;
            house = same;
            assert_eq!(count, expected, "after {days} more days");
        }
        house = house.restart().await;
        assert_eq!(asked(&house, &root, &issuing, serial, IdHash::Sha1).await, Status::Good);
        house.clock.advance(DAY * 4);
        house.rooms.pki.renew_responders().await.unwrap();
        assert_eq!(responders(house).await.0, 4, "the loop renews before anybody asks");
    }
}
