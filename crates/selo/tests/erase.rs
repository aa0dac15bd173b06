//! A person is forgotten: nothing of the person is left anywhere in the home, and the log still verifies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use events::Log;
use serde_json::json;
use std::path::Path;
use testkit::{TestHouse, engines};

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn occurrences(home: &Path, marker: &str) -> Vec<String> {
    let mut all = Vec::new();
    files(home, &mut all);
    let holds =
        |path: &Path| std::fs::read(path).unwrap().windows(marker.len()).any(|w| w == marker.as_bytes());
    all.iter().filter(|path| holds(path)).map(|path| path.display().to_string()).collect()
}

#[tokio::test]
async fn thirty_markers_of_a_person_occur_nowhere_afterwards() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    let markers: Vec<String> = (0..30).map(|n| format!("Xq{n}Zebedeu{}", n * 7919)).collect();
    let email = format!("{}@example.org", markers[0].to_lowercase());
    let mut pages = Vec::new();
    let mut person = String::new();
    for marker in &markers {
        let row = json!({
            "name": format!("Ana {marker}"), "email": email, "degree": format!("Direito {marker}"),
            "field": marker, "grade": "17", "date": "2026-07-31",
        });
        let key = format!("\"{marker}\"");
        let one = house
            .admin_as(
                axum::http::Method::POST,
                "/api/v1/credentials",
                &[("idempotency-key", key.trim_matches('"'))],
                json!({"template": "diploma", "row": row}),
            )
            .await;
        let one = if one.status == 401 {
            house.post("/api/v1/credentials", json!({"template": "diploma", "row": row})).await
        } else {
            one
        };
        let one = one.data();
        person = one["person"].as_str().unwrap().to_owned();
        pages.push(one["pageUrl"].as_str().unwrap().to_owned());
        let reason = json!({"reason": format!("because of {marker}")});
        house
            .post(&format!("/api/v1/credentials/{}/suspend", one["id"].as_str().unwrap()), reason)
            .await
            .data();
        house.public_get(&pages[pages.len() - 1]).await;
    }
    let csv = format!("name,email,degree,date\nAna {},{email},Direito,never\n", markers[1]);
    house.admin(axum::http::Method::POST, "/api/v1/batches?template=diploma", "text/csv", csv).await.data();
    house.rooms.runner().run_once().await.unwrap();
    house.settle().await;
    let erased = house.post(&format!("/api/v1/people/{person}/erase"), json!({})).await.data();
    assert_eq!(erased["credentials"], 30);
    house.settle().await;
    for marker in &markers {
        for form in [marker.clone(), marker.to_lowercase()] {
            let found = occurrences(house.home.folder(), &form);
            assert!(found.is_empty(), "{form} stands in {found:?}");
        }
    }
    for page in &pages {
        let shown = house.public_get(page).await.text();
        assert!(!markers.iter().any(|marker| shown.contains(marker)));
        assert!(shown.contains("WITHDRAWN"), "{shown}");
    }
    for log in Log::ALL {
        let report = house.rooms.audit.verify(log).await.unwrap();
        assert!(report.ok, "{report:?}");
    }
}

#[tokio::test]
async fn forgetting_is_final_and_the_address_is_a_new_person_afterwards() {
    for house in engines().await {
        house.tenant("Universidade").await;
        let one = house.issue("Ana Conceição", "ana@example.org").await;
        let json = house
            .get(&format!("/api/v1/credentials/{}/files/credential.json", one["id"].as_str().unwrap()))
            .await
            .body
            .to_vec();
        let person = one["person"].as_str().unwrap();
        house.post(&format!("/api/v1/people/{person}/erase"), json!({})).await.data();
        house.post(&format!("/api/v1/people/{person}/erase"), json!({})).await.data();
        let list = house.get("/api/v1/credentials").await.data();
        assert_eq!(list["items"][0]["status"], "erased");
        assert_eq!(list["items"][0]["recipientName"], serde_json::Value::Null);
        let again = house.issue("Ana Conceição", "ana@example.org").await;
        assert_ne!(again["person"], one["person"]);
        let report =
            house.public(axum::http::Method::POST, "/api/v1/verify", "application/json", json).await.data();
        assert_eq!(report["outcome"], "valid", "the copy in the person's own hands still verifies: {report}");
        assert_eq!(
            house.post("/api/v1/people/per_00000000000000000000000000/erase", json!({})).await.status,
            404
        );
    }
}
