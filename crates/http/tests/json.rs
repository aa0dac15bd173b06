//! What bodies, queries and paths are refused for, and at which field.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::*;

#[tokio::test]
async fn a_body_that_is_wrong_names_code_and_field() {
    let app = House::new().admin();
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let very_deep = "[".repeat(10_000);
    for (body, status, code, field) in [
        ("{", 400, "JSON_SYNTAX", ""),
        ("", 400, "JSON_SYNTAX", ""),
        ("{\"name\":\"a\"} x", 400, "JSON_SYNTAX", ""),
        (deep.as_str(), 400, "JSON_TOO_DEEP", ""),
        (very_deep.as_str(), 400, "JSON_TOO_DEEP", ""),
        (r#"{"name":"a","name":"b"}"#, 400, "JSON_DUPLICATE_KEY", "/name"),
        (
            r#"{"name":"a","rows":[{"size":1},{"size":2,"size":3}]}"#,
            400,
            "JSON_DUPLICATE_KEY",
            "/rows/1/size",
        ),
        ("{}", 422, "FIELD_MISSING", "/name"),
        (r#"{"name":"a","rows":[{"size":1},{}]}"#, 422, "FIELD_MISSING", "/rows/1/size"),
        (r#"{"name":"a","nmae":"b"}"#, 422, "FIELD_UNKNOWN", "/nmae"),
        (r#"{"name":7}"#, 422, "FIELD_WRONG", "/name"),
        (r#"{"name":"a","rows":[{"size":-1}]}"#, 422, "FIELD_WRONG", "/rows/0/size"),
    ] {
        let answer = send(&app, "/api/v1/things", &[], body).await;
        let shown: String = body.chars().take(60).collect();
        assert_eq!(
            (answer.status, answer.code().as_str(), answer.field().as_str()),
            (status, code, field),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_refusal_does_not_repeat_what_was_sent() {
    let app = House::new().admin();
    let answer = send(&app, "/api/v1/things", &[], r#"{"name":"a","rows":"maria@example.org"}"#).await;
    assert_eq!((answer.status, answer.field().as_str()), (422, "/rows"));
    assert!(!answer.text().contains("maria"), "{}", answer.text());
}

#[tokio::test]
async fn only_json_is_read_as_json() {
    let app = House::new().admin();
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let answer = answer(
            app.service(),
            request(
                "POST",
                "/api/v1/things",
                &[("authorization", "Bearer key_good"), ("content-type", media)],
                "{\"name\":\"a\"}",
            ),
        )
        .await;
        assert_eq!((answer.status, answer.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{media}");
    }
    let key = ("authorization", "Bearer key_good");
    let vendor = [key, ("content-type", "application/merge-patch+json; charset=utf-8")];
    assert_eq!(
        answer(app.service(), request("POST", "/api/v1/things", &vendor, "{\"name\":\"a\"}")).await.status,
        201
    );
}

#[tokio::test]
async fn a_query_that_is_wrong_names_its_parameter() {
    let app = House::new().public();
    assert_eq!(fetch(&app, "/search?text=caf%C3%A9&lang=pt", &[]).await.json()["data"], "café None");
    for (target, code, field) in [
        ("/search", "FIELD_MISSING", "text"),
        ("/search?text=a&size=big", "FIELD_WRONG", "size"),
        ("/search?text=a&colour=red", "FIELD_UNKNOWN", "colour"),
    ] {
        let answer = fetch(&app, target, &[]).await;
        assert_eq!(
            (answer.status, answer.code().as_str(), answer.field().as_str()),
            (422, code, field),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_page_is_bounded_and_a_strange_token_refused() {
    let app = House::new().admin();
    let key = [("authorization", "Bearer key_good")];
    let ask = |query: &'static str| {
        let app = app.clone();
        async move { fetch(&app, &format!("/api/v1/things?{query}"), &key).await }
    };
    assert_eq!(ask("limit=2&lang=pt").await.json()["data"]["items"].as_array().unwrap().len(), 2);
    for (query, code, field) in [
        ("limit=0", "PAGE_LIMIT_INVALID", "limit"),
        ("limit=201", "PAGE_LIMIT_INVALID", "limit"),
        ("limit=many", "FIELD_WRONG", "limit"),
        ("pageToken=zz", "PAGE_TOKEN_INVALID", "pageToken"),
        ("limits=2", "FIELD_UNKNOWN", "limits"),
    ] {
        let answer = ask(query).await;
        assert_eq!((answer.code().as_str(), answer.field().as_str()), (code, field), "{query}");
    }
}

#[tokio::test]
async fn an_id_of_another_kind_or_form_is_not_found() {
    let app = House::new().admin();
    let key = [("authorization", "Bearer key_good")];
    let good = "/api/v1/things/cred_01jd8x4q9zt3v5w7y9a1c3e5g7";
    assert_eq!(fetch(&app, good, &key).await.status, 200);
    for id in ["per_01jd8x4q9zt3v5w7y9a1c3e5g7", "cred_01JD8X4Q9ZT3V5W7Y9A1C3E5G7", "cred_", "%ff", "x%00y"] {
        let answer = fetch(&app, &format!("/api/v1/things/{id}"), &key).await;
        assert_eq!(answer.status, 404, "{id}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_contract_holds_what_the_handlers_say() {
    let routes = admin_routes(Shop::default());
    let contract = serde_json::to_value(routes.contract()).unwrap();
    let list = &contract["paths"]["/api/v1/things"]["get"];
    let names: Vec<_> =
        list["parameters"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["limit", "pageToken"]);
    assert!(contract["paths"]["/api/v1/things"]["post"]["requestBody"].is_object());
    assert!(contract["paths"]["/api/v1/things/{id}"]["get"].is_object());
    let reply = contract["components"]["schemas"].to_string();
    assert!(
        reply.contains("success") && !reply.contains("\"headers\"") && !reply.contains("\"status\""),
        "{reply}"
    );
    let listed: Vec<String> = routes.list().iter().map(|(_, path, _)| path.clone()).collect();
    assert!(listed.contains(&"/api/v1/things".to_owned()) && listed.contains(&"/boom".to_owned()));
}
