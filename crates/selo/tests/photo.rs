//! From the printed code back to the credential: screenshots and photographs of what the house itself draws.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "../../proof/tests/picture_support/mod.rs"]
mod picture_support;

mod common;

use axum::http::Method;
use common::Ground;
use picture_support::{Sheet, View};
use proof::qr::Qr;
use serde_json::{Value, json};
use testkit::TestHouse;

/// A hand that is not quite still, and a room that is not quite bright.
const VIEW: View = View { degrees: 5.0, tilt: 0.12, fills: 0.9, noise: 14.0 };

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[tokio::test]
async fn a_screenshot_and_a_photograph_of_a_diploma_and_of_a_badge_come_back_to_the_credential() {
    let house = TestHouse::new().await;
    house.tenant("Universidade de São Tomé").await;
    for template in ["diploma", "badge"] {
        let row = json!({"name": "Ana Conceição", "degree": "Licenciatura em Direito", "date": "2026-07-31"});
        let order = json!({"template": template, "row": row});
        let one = house.post("/api/v1/credentials", order).await.data();
        let id = one["id"].as_str().unwrap();
        let page = one["pageUrl"].as_str().unwrap();
        let handle = page.rsplit('/').next().unwrap();
        let document = house.get(&format!("/api/v1/credentials/{id}")).await.data()["document"]["id"].clone();
        assert!(document.as_str().is_some_and(|id| id.starts_with("urn:uuid:")));
        let behind = format!("/v/{handle}/credential.json");
        assert_eq!(
            house.get(&behind).await.json()["id"],
            document,
            "the owner of the home finds it by its handle"
        );
        assert_eq!(
            house.admin_as(Method::GET, &behind, &[], json!({})).await.status,
            401,
            "nobody else does"
        );
        let taken = house.get(&format!("/api/v1/credentials/{id}/files/diploma.png")).await.body.to_vec();
        let shown = house.public_get(&format!("{page}/picture.png")).await.body.to_vec();
        let (taken, shown) = (Sheet::of_png(&taken), Sheet::of_png(&shown));
        let pictures = [
            ("what is taken home, without what is inside", taken.to_png()),
            ("the picture of the page", shown.to_png()),
            ("the same, packed by a messenger", shown.to_jpeg(30, true)),
            ("a photograph", taken.photographed(2_000, 1_500, &VIEW).to_jpeg(14, true)),
        ];
        for (what, picture) in pictures {
            let media = "application/octet-stream";
            let report = house.public(Method::POST, "/api/v1/verify", media, picture.clone()).await.data();
            assert_eq!(report["outcome"], "valid", "{template}, {what}: {report}");
            assert_eq!(report["subject"]["name"], "Ana Conceição", "{template}, {what}");
            assert_eq!(report["credential"]["id"], document, "{template}, {what}");
            let answer = house.public(Method::POST, "/verify", media, picture).await.text();
            assert!(answer.contains("VALID") && answer.contains(handle), "{template}, {what}");
        }
    }
}

#[test]
fn the_command_line_reads_a_photo_of_its_own_code_and_names_the_host_of_any_other() {
    let ground = Ground::with_house();
    let one = ground.diploma("Ana Conceição");
    let photo = Sheet::of_png(&std::fs::read(text(&one, "png")).unwrap()).photographed(1_800, 1_300, &VIEW);
    std::fs::write(ground.file("photo.jpg"), photo.to_jpeg(14, true)).unwrap();
    let photo = ground.arg("photo.jpg");
    let report = ground.run(&["--json", "verify", &photo]).ends(0).json();
    assert_eq!((&report["outcome"], &report["trusted"]), (&json!("valid"), &json!(true)), "{report}");
    assert_eq!(report["subject"]["name"], "Ana Conceição");
    ground.run(&["verify", &photo, "--require-trust"]).ends(0);
    ground.run(&["revoke", text(&one, "id"), "--reason", "lost"]).ends(0);
    ground.run(&["verify", &photo]).ends(1);

    // Without the house there is nobody who could say.
    let address = text(&one, "page").to_owned();
    let host = address.split('/').nth(2).unwrap().to_owned();
    let report = ground.homeless(&["--json", "verify", &photo]).ends(4).json();
    assert_eq!(
        (&report["outcome"], &report["link"]),
        (&json!("unknown"), &json!({"address": address, "host": host}))
    );
    for (lang, words) in [("en", format!("only {host} can say")), ("pt", format!("só {host} pode dizer"))] {
        let said = ground.homeless(&["--lang", lang, "verify", &photo]).ends(4).out;
        assert!(said.contains(&address) && said.contains(&words), "{said}");
    }

    // A stranger's, one that the house does not have, and a picture of nothing.
    let handle = "00000000000000000000000000";
    for house in ["https://elsewhere.example".to_owned(), ground.url()] {
        let code = Sheet::of_code(&Qr::new(&format!("{house}/v/{handle}")).unwrap(), 6).to_png();
        std::fs::write(ground.file("code.png"), code).unwrap();
        let report = ground.run(&["--json", "verify", &ground.arg("code.png")]).ends(4).json();
        let reason =
            report["checks"].as_array().unwrap().iter().find(|check| check["result"] == "unknown").unwrap();
        assert!(reason["reason"].as_str().unwrap().contains(&house), "{reason}");
    }
    std::fs::write(ground.file("sky.jpg"), Sheet::new(400, 300, 180).to_jpeg(20, true)).unwrap();
    ground.run(&["verify", &ground.arg("sky.jpg")]).ends(2);
}

#[test]
fn the_same_photo_is_read_while_the_house_is_served() {
    let ground = Ground::with_house();
    let one = ground.diploma("João d'Alva");
    let code = Sheet::of_code(&Qr::new(text(&one, "page")).unwrap(), 5).to_jpeg(20, false);
    std::fs::write(ground.file("code.jpg"), code).unwrap();
    let served = ground.serve(&[]);
    ground.run(&["verify", &ground.arg("code.jpg")]).ends(0);
    served.stop();
}
