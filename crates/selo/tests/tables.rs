//! Tables: many rows at once, each with its own outcome, whatever happens in between.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use axum::http::Method;
use serde_json::Value;
use testkit::{Answer, TestHouse, engines};

const DEMO: &str = include_str!("../../../examples/diplomas.csv");

async fn hand_in(house: &TestHouse, csv: impl Into<String>) -> Answer {
    house.admin(Method::POST, "/api/v1/batches?template=diploma", "text/csv", csv.into()).await
}

async fn run(house: &TestHouse, job: &Value) -> Value {
    let id = job["id"].as_str().unwrap();
    while house.rooms.runner().run_once().await.unwrap() {}
    house.get(&format!("/api/v1/jobs/{id}")).await.data()
}

#[tokio::test]
async fn the_demos_table_gives_24_diplomas_and_names_the_broken_row() {
    for house in engines().await {
        house.tenant("Universidade").await;
        let job = hand_in(&house, DEMO).await;
        assert_eq!(job.status, 202, "{}", job.text());
        let job = run(&house, &job.data()).await;
        assert_eq!(
            (&job["state"], &job["total"], &job["done"], &job["failed"]),
            (&"done".into(), &25.into(), &25.into(), &1.into())
        );
        let id = job["id"].as_str().unwrap();
        let failed = house.get(&format!("/api/v1/jobs/{id}/rows?outcome=failed&lang=pt")).await.data();
        let row = &failed["items"][0];
        assert_eq!(
            (&row["line"], &row["error"]["code"], &row["error"]["field"]),
            (&23.into(), &"CELL_DATE".into(), &"date".into())
        );
        assert!(row["error"]["message"].as_str().unwrap().contains("2026-07-31"), "{row}");
        let table = house.get(&format!("/api/v1/jobs/{id}/failed.csv")).await.text();
        assert!(table.contains("Celeste Trindade") && table.contains("CELL_DATE"), "{table}");
        let list = house.get("/api/v1/credentials?limit=200").await.data();
        assert_eq!(list["items"].as_array().unwrap().len(), 24);
        let mended = table.lines().nth(1).unwrap().replace("31/07/2026", "2026-07-31");
        let mended = format!(
            "name,email,degree,field,grade,date\n{}\n",
            mended.splitn(7, ',').take(6).collect::<Vec<_>>().join(",")
        );
        let job = hand_in(&house, mended).await.data();
        assert_eq!(run(&house, &job).await["failed"], 0, "mended and handed in again");
    }
}

#[tokio::test]
async fn a_job_that_is_cut_off_goes_on_and_issues_each_row_once() {
    for mut house in engines().await {
        house.tenant("Universidade").await;
        let mut csv = String::from("name,email,degree,date\n");
        for row in 0..40 {
            csv.push_str(&format!("Graduate {row},g{row}@example.org,Direito,2026-07-31\n"));
        }
        let job = hand_in(&house, csv).await.data();
        // Half of the rows are planned under their lines, as if the process had ended between plan and finish.
        house
            .rooms
            .credentials
            .plan_half_for_test(job["id"].as_str().unwrap().parse().unwrap())
            .await
            .unwrap();
        house = house.restart().await;
        let job = run(&house, &job).await;
        assert_eq!((&job["done"], &job["failed"]), (&40.into(), &0.into()), "{job}");
        let list = house.get("/api/v1/credentials?limit=200").await.data();
        let mut names: Vec<&str> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["recipientName"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), list["items"].as_array().unwrap().len()), (40, 40));
    }
}

#[tokio::test]
async fn a_table_that_is_wrong_as_a_whole_is_refused_as_a_whole() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    for (csv, code) in [
        ("name,date\nAna,2026-07-31\n", "CSV_COLUMN_MISSING"),
        ("name,degree,date\n", "CSV_EMPTY"),
        ("name,degree,date,shoe\nA,B,2026-07-31,42\n", "CSV_COLUMN_UNKNOWN"),
    ] {
        let answer = hand_in(&house, csv).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, code), "{}", answer.text());
    }
    let unknown = house.admin(Method::POST, "/api/v1/batches?template=nothing", "text/csv", "a\n").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "TEMPLATE_NOT_FOUND"));
    assert_eq!(
        house.get("/api/v1/jobs").await.data()["items"].as_array().unwrap().len(),
        0,
        "nothing half done"
    );
}
