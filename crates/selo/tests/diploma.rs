//! One diploma, from the row of a table to a revoked status bit, on every engine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::{Value, json};
use testkit::{TestHouse, engines};

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[tokio::test]
async fn a_diploma_is_issued_and_its_page_says_valid_and_who_issued_it() {
    for house in engines().await {
        house.tenant("Universidade de São Tomé e Príncipe").await;
        let one = house.issue("Ana Conceição", "ana@example.org").await;
        assert_eq!(field(&one, "status"), "issued");
        let english = house.public_get(field(&one, "pageUrl")).await;
        assert_eq!(english.status, 200, "{}", english.text());
        for word in [
            "VALID",
            "Universidade de São Tomé e Príncipe",
            "Ana Conceição",
            "Licenciatura em Direito",
            "Direito",
        ] {
            assert!(english.text().contains(word), "{word} is missing");
        }
        let portuguese = house.public_get(&format!("{}?lang=pt", field(&one, "pageUrl"))).await.text();
        assert!(portuguese.contains("VÁLIDO") && portuguese.contains("lang=\"pt\""));
        assert!(!english.text().contains("<script"), "the page needs no script");
        assert!(english.text().len() < 50_000, "{} bytes", english.text().len());
    }
}

#[tokio::test]
async fn json_png_and_pdf_all_carry_the_credential_and_verify_by_upload() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    let one = house.issue("João d'Alva", "joao@example.org").await;
    let id = field(&one, "id");
    for (file, media) in [
        ("credential.json", "application/vc"),
        ("diploma.png", "image/png"),
        ("diploma.pdf", "application/pdf"),
    ] {
        let taken = house.get(&format!("/api/v1/credentials/{id}/files/{file}")).await;
        assert_eq!(taken.status, 200, "{file}: {}", taken.text());
        assert_eq!(taken.header("content-type"), Some(media), "{file}");
        let answer =
            house.public(axum::http::Method::POST, "/api/v1/verify", media, taken.body.to_vec()).await;
        let report = answer.data();
        assert_eq!(report["outcome"], "valid", "{file}: {report}");
        assert_eq!(report["issuer"]["name"], "Universidade", "{file}: the name comes from the house's list");
        let page = house.public(axum::http::Method::POST, "/verify", media, taken.body.to_vec()).await;
        assert!(page.text().contains("VALID"), "{file}");
    }
}

#[tokio::test]
async fn a_revoked_diploma_says_so_everywhere_at_once_and_for_good() {
    for house in engines().await {
        house.tenant("Universidade").await;
        let one = house.issue("Inês Vaz", "ines@example.org").await;
        let id = field(&one, "id");
        let json = house.get(&format!("/api/v1/credentials/{id}/files/credential.json")).await.body.to_vec();
        let suspended =
            house.post(&format!("/api/v1/credentials/{id}/suspend"), json!({"reason": "under review"})).await;
        assert_eq!(suspended.data()["status"], "suspended");
        let page = house.public_get(field(&one, "pageUrl")).await.text();
        assert!(page.contains("<title>SUSPENDED"), "{page}");
        let reinstated =
            house.post(&format!("/api/v1/credentials/{id}/reinstate"), json!({"reason": "cleared"})).await;
        assert_eq!(reinstated.data()["status"], "issued");
        assert!(house.public_get(field(&one, "pageUrl")).await.text().contains("VALID"));
        let revoked =
            house.post(&format!("/api/v1/credentials/{id}/revoke"), json!({"reason": "wrong person"})).await;
        assert_eq!(revoked.data()["status"], "revoked");
        let page = house.public_get(field(&one, "pageUrl")).await.text();
        assert!(page.contains("REVOKED"), "{page}");
        let report = house
            .public(axum::http::Method::POST, "/api/v1/verify", "application/json", json.clone())
            .await
            .data();
        assert_eq!(report["outcome"], "invalid");
        let codes: Vec<&str> =
            report["checks"].as_array().unwrap().iter().map(|c| c["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&"STATUS_REVOKED"), "{codes:?}");
        for verb in ["revoke", "suspend", "reinstate"] {
            let again = house.post(&format!("/api/v1/credentials/{id}/{verb}"), json!({"reason": "x"})).await;
            assert_eq!((again.status, again.code().as_str()), (409, "CREDENTIAL_REVOKED"), "{verb}");
        }
    }
}

#[tokio::test]
async fn a_change_of_status_needs_a_reason() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    let one = house.issue("Ana", "ana@example.org").await;
    let path = format!("/api/v1/credentials/{}/revoke", field(&one, "id"));
    for reason in ["", "   ", &"x".repeat(501)] {
        let answer = house.post(&path, json!({"reason": reason})).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "REASON_NEEDED"));
    }
    assert_eq!(
        house.get("/api/v1/credentials?status=issued").await.data()["items"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_wrong_row_is_refused_with_every_cell_and_nothing_is_half_done() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    let row = json!({"name": "", "degree": "=1+1", "date": "31/07/2026"});
    let answer = house.post("/api/v1/credentials", json!({"template": "diploma", "row": row})).await;
    assert_eq!((answer.status, answer.code().as_str()), (422, "VALIDATION_ERROR"));
    let details = answer.json()["error"]["details"].clone();
    let fields: Vec<&str> =
        details.as_array().unwrap().iter().map(|d| d["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "degree", "date"]);
    for name in ["Ana 😀", "漢字"] {
        let row = json!({"name": name, "degree": "Direito", "date": "2026-07-31"});
        let answer = house.post("/api/v1/credentials", json!({"template": "diploma", "row": row})).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "RENDER_IMPOSSIBLE"), "{}", answer.text());
    }
    let long = "Maria ".repeat(33);
    let row = json!({"name": long.trim(), "degree": "Direito", "date": "2026-07-31"});
    let answer = house.post("/api/v1/credentials", json!({"template": "diploma", "row": row})).await;
    assert!(
        answer.status == 422 || answer.status == 201,
        "fits or is refused, never clipped: {}",
        answer.text()
    );
    let issued = house.get("/api/v1/credentials").await.data()["items"].as_array().unwrap().len();
    assert_eq!(issued, usize::from(answer.status == 201));
}

#[tokio::test]
async fn one_address_is_one_person_and_is_found_by_it() {
    for house in engines().await {
        house.tenant("Universidade").await;
        let first = house.issue("Ana Conceição", "Ana@Example.org").await;
        let second = house.issue("Ana Conceição", "ana@example.org ").await;
        let other = house.issue("Bela Lima", "bela@example.org").await;
        assert_eq!(first["person"], second["person"]);
        assert_ne!(first["person"], other["person"]);
        let found = house.get("/api/v1/credentials?email=ANA@example.org").await.data();
        assert_eq!(found["items"].as_array().unwrap().len(), 2);
        let none = house.get("/api/v1/credentials?email=nobody@example.org").await.data();
        assert_eq!(none["items"].as_array().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn what_a_crash_left_between_plan_and_finish_is_finished_at_the_next_start() {
    for house in engines().await {
        house.tenant("Universidade").await;
        let one = house.issue("Ana", "ana@example.org").await;
        // As if the process had ended after the plan was durable and before the signature was saved.
        house.rooms.credentials.forget_finish_for_test(field(&one, "id").parse().unwrap()).await.unwrap();
        assert_eq!(house.public_get(field(&one, "pageUrl")).await.status, 404, "planned is not public");
        let house = house.restart().await;
        let page = house.public_get(field(&one, "pageUrl")).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("VALID"));
    }
}
