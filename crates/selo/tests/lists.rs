//! Lists that fail when something is missing: statements, schemas, tenants, facts, codes, routes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use axum::http::Method;
use base::{Lang, error::CODES};
use events::FACT_TYPES;
use selo::rooms;
use serde_json::{Value, json};
use testkit::{TestHouse, engines};

#[tokio::test]
async fn every_statement_prepares_on_every_engine_and_gives_the_same_columns() {
    let mut before: Option<Vec<store::check::Prepared>> = None;
    for house in engines().await {
        let prepared = store::check::statements(&house.rooms.house.db).await.unwrap();
        assert!(prepared.len() > 60, "{} statements", prepared.len());
        assert_eq!(store::check::refused(&prepared), Vec::<String>::new());
        let mut names = BTreeSet::new();
        let twice: Vec<&str> =
            prepared.iter().map(|one| one.sql.name()).filter(|name| !names.insert(*name)).collect();
        assert_eq!(twice, Vec::<&str>::new(), "figures would mix two statements of one name");
        if let Some(other) = &before {
            assert_eq!(store::check::differences(other, &prepared), Vec::<String>::new());
        }
        before = Some(prepared);
    }
}

#[tokio::test]
async fn twin_migrations_give_equal_tables_and_the_schema_is_the_committed_one() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema");
    let mut before: Option<store::schema::Schema> = None;
    for house in engines().await {
        let db = &house.rooms.house.db;
        let schema = store::schema::read(db).await.unwrap();
        if let Some(other) = &before {
            assert_eq!(store::schema::differences(other, &schema), Vec::<String>::new());
        }
        let name = match db.engine() {
            store::Engine::Sqlite => "sqlite.txt",
            store::Engine::Postgres => "postgres.txt",
        };
        let file = format!("{root}/{name}");
        if base::config::variable("SELO_TEST_UPDATE").is_some() {
            std::fs::create_dir_all(root).unwrap();
            std::fs::write(&file, schema.text()).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(committed, schema.text(), "{file} is old: cargo xtask schema");
        before = Some(schema);
    }
}

#[tokio::test]
async fn every_table_has_its_tenant_first_or_a_reason_why_not() {
    for house in engines().await {
        let problems =
            store::check::tenancy(&house.rooms.house.db, &rooms::tables_without_tenant()).await.unwrap();
        assert_eq!(problems, Vec::<String>::new());
    }
}

#[test]
fn every_fact_has_a_schema_a_log_and_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    assert!(FACT_TYPES.len() >= 18, "{}", FACT_TYPES.len());
    for kind in FACT_TYPES {
        assert!(names.insert(kind.name), "{} twice", kind.name);
        let schema = kind.schema();
        assert_eq!(schema["title"], kind.name);
        assert_eq!(schema["additionalProperties"], false);
        assert!(["cred", "audit", "ca"].contains(&kind.log.name()));
        assert!(["credential.generated", "audit.events"].contains(&kind.topic), "{}", kind.topic);
    }
}

#[test]
fn every_code_is_used_once_and_speaks_both_languages() {
    let mut names = BTreeSet::new();
    for code in CODES {
        assert!(names.insert(code.name), "{} twice", code.name);
        for lang in Lang::ALL {
            let text = code.text(lang);
            assert!(!text.cause.is_empty() && !text.remedy.is_empty(), "{}", code.name);
        }
        let arguments = |text: &str| {
            text.split('{')
                .skip(1)
                .filter_map(|rest| rest.split('}').next())
                .map(str::to_owned)
                .collect::<BTreeSet<_>>()
        };
        // RENDER_IMPOSSIBLE has whole sentences as arguments, one for each language.
        if code.name != "RENDER_IMPOSSIBLE" {
            assert_eq!(arguments(code.en.cause), arguments(code.pt.cause), "{}", code.name);
        }
    }
}

/// Every operation of the contract, with its method and a path that could exist.
fn operations() -> Vec<(Method, String)> {
    let contract = selo::serve::contract().unwrap();
    let mut found = Vec::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let path =
                path.replace("{id}", "cred_00000000000000000000000000").replace("{file}", "credential.json");
            found.push((method, path));
        }
    }
    found
}

#[tokio::test]
async fn nobody_gets_into_the_admin_zone_without_being_known() {
    let house = TestHouse::new().await;
    house.tenant("Universidade").await;
    let open = [(Method::POST, "/api/v1/session"), (Method::POST, "/api/v1/verify")];
    let mut looked_at = 0;
    for (method, path) in operations() {
        if open.iter().any(|(m, p)| *m == method && *p == path) {
            continue;
        }
        looked_at += 1;
        for headers in [
            vec![],
            vec![("authorization", "Bearer selo_0000000000000000000000000000000000000000000000000000")],
            vec![("cookie", "__Host-selo-session=sess_0000000000000000000000000000000000000000000000000000")],
        ] {
            let answer = house.admin_as(method.clone(), &path, &headers, json!({})).await;
            assert!(
                matches!(answer.status, 401 | 403)
                    || (answer.status == 404 && answer.code() != "CREDENTIAL_NOT_FOUND"),
                "{method} {path} with {headers:?} gave {}: {}",
                answer.status,
                answer.text()
            );
        }
    }
    assert!(looked_at >= 20, "{looked_at} operations");
}

#[tokio::test]
async fn a_key_of_one_tenant_sees_nothing_of_another() {
    for house in engines().await {
        let first = house.tenant("First").await;
        let second = house.tenant("Second").await;
        let tenant = |one: &Value| one["id"].as_str().unwrap().to_owned();
        let row = json!({"name": "Ana", "degree": "Direito", "date": "2026-07-31"});
        let order = json!({"template": "diploma", "row": row});
        let one = house.post(&format!("/api/v1/credentials?tenant={}", tenant(&first)), order).await.data();
        let key = house
            .post(
                &format!("/api/v1/api-keys?tenant={}", tenant(&second)),
                json!({"name": "k", "roles": ["issuer_admin"]}),
            )
            .await
            .data();
        let bearer = format!("Bearer {}", key["key"].as_str().unwrap());
        let headers = [("authorization", bearer.as_str())];
        let id = one["id"].as_str().unwrap();
        for (method, path) in [
            (Method::GET, format!("/api/v1/credentials/{id}")),
            (Method::GET, format!("/api/v1/credentials/{id}/files/credential.json")),
            (Method::POST, format!("/api/v1/credentials/{id}/revoke")),
            (Method::GET, format!("/api/v1/credentials/{id}?tenant={}", tenant(&first))),
            (Method::GET, format!("/api/v1/audit/proof/{id}")),
        ] {
            let answer = house.admin_as(method.clone(), &path, &headers, json!({"reason": "x"})).await;
            assert!(
                matches!(answer.status, 404 | 503),
                "{method} {path}: {} {}",
                answer.status,
                answer.text()
            );
        }
        let list = house.admin_as(Method::GET, "/api/v1/credentials", &headers, json!({})).await.data();
        assert_eq!(list["items"].as_array().unwrap().len(), 0);
        assert_eq!(
            house.admin_as(Method::POST, "/api/v1/tenants", &headers, json!({"name": "x"})).await.status,
            403
        );
        let revoked = format!("/api/v1/api-keys/{}?tenant={}", key["id"].as_str().unwrap(), tenant(&second));
        assert_eq!(house.admin(Method::DELETE, &revoked, "", "").await.status, 200);
        assert_eq!(house.admin_as(Method::GET, "/api/v1/credentials", &headers, json!({})).await.status, 401);
    }
}

#[tokio::test]
async fn the_one_time_link_works_once_and_for_fifteen_minutes() {
    let house = TestHouse::new().await;
    let token = || async {
        house.post("/api/v1/admin/link", json!({})).await.data()["token"].as_str().unwrap().to_owned()
    };
    let enter = |token: String| {
        let house = &house;
        async move { house.admin_as(Method::POST, "/api/v1/session", &[], json!({"token": token})).await }
    };
    let first = token().await;
    let entered = enter(first.clone()).await;
    assert_eq!(entered.status, 200, "{}", entered.text());
    let cookie = entered.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.starts_with("__Host-selo-session=")
            && cookie.contains("HttpOnly")
            && cookie.contains("Secure"),
        "{cookie}"
    );
    assert_eq!(enter(first).await.code(), "ONE_TIME_LINK_INVALID");
    let late = token().await;
    house.clock.advance(std::time::Duration::from_secs(15 * 60 + 1));
    assert_eq!(enter(late).await.code(), "ONE_TIME_LINK_INVALID");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let headers = [("cookie", cookie.as_str()), ("origin", "http://localhost")];
    assert_eq!(house.admin_as(Method::GET, "/api/v1/session", &headers, json!({})).await.status, 200);
    let strange = [("cookie", cookie.as_str()), ("origin", "https://evil.example")];
    assert_eq!(
        house.admin_as(Method::POST, "/api/v1/tenants", &strange, json!({"name": "x"})).await.status,
        403
    );
    assert_eq!(house.admin_as(Method::DELETE, "/api/v1/session", &headers, json!({})).await.status, 200);
    assert_eq!(house.admin_as(Method::GET, "/api/v1/session", &headers, json!({})).await.status, 401);
}

#[tokio::test]
async fn the_same_key_issues_once_whatever_happens_in_between() {
    for mut house in engines().await {
        house.tenant("Universidade").await;
        let key =
            house.post("/api/v1/api-keys", json!({"name": "k", "roles": ["issuer_admin"]})).await.data();
        let bearer = format!("Bearer {}", key["key"].as_str().unwrap());
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "row-1")];
        let row = json!({"name": "Ana", "degree": "Direito", "date": "2026-07-31"});
        let order = json!({"template": "diploma", "row": row});
        let first = house.admin_as(Method::POST, "/api/v1/credentials", &headers, order.clone()).await;
        assert_eq!(first.status, 201, "{}", first.text());
        house = house.restart().await;
        let again = house.admin_as(Method::POST, "/api/v1/credentials", &headers, order.clone()).await;
        assert_eq!((again.status, again.data()["id"].clone()), (201, first.data()["id"].clone()));
        let other = json!({"template": "diploma", "row": {"name": "Bela", "degree": "Direito", "date": "2026-07-31"}});
        let misused = house.admin_as(Method::POST, "/api/v1/credentials", &headers, other).await;
        assert!(matches!(misused.status, 409 | 422), "{}", misused.text());
        // Somebody is forgotten, and with them every answer that might name them: the work is not done again.
        let somebody = house.issue("Zulmira", "z@example.org").await["person"].as_str().unwrap().to_owned();
        house.post(&format!("/api/v1/people/{somebody}/erase"), json!({})).await.data();
        house.settle().await;
        let late = house.admin_as(Method::POST, "/api/v1/credentials", &headers, order).await;
        assert_eq!(late.code(), "IDEMPOTENCY_ANSWER_FORGOTTEN", "{}", late.text());
        let list = house.get("/api/v1/credentials").await.data();
        assert_eq!(list["items"].as_array().unwrap().len(), 2, "one of them forgotten");
    }
}
