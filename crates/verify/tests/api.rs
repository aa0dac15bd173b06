//! What programs get: the report in the envelope, and a refusal only for what is no request.

mod common;

use axum::{body::Body, http::Request};
use common::*;
use serde_json::{Value, json};

#[tokio::test]
async fn a_credential_is_judged_as_json_as_a_file_as_text_in_json_and_as_the_bare_document() {
    let house = House::new();
    let app = house.app();
    let document = diploma(&house.signer, &Order::default());
    let text = document.to_string();
    let bare = Request::post("/api/v1/verify").body(Body::from(text.clone())).unwrap();
    let answers = [
        order(&app, json!({"credential": document}).to_string()).await,
        order(&app, json!({"credential": text}).to_string()).await,
        order(&app, text.clone()).await,
        send(&app, form("/api/v1/verify", "*/*", &[("file", Some("diploma.json"), text.as_bytes())])).await,
        send(&app, bare).await,
    ];
    for answer in answers {
        let body = answer.json();
        assert_eq!((answer.status, &body["success"]), (200, &json!(true)), "{body}");
        let data = &body["data"];
        assert_eq!(
            (&data["outcome"], &data["valid"], &data["trusted"]),
            (&json!("valid"), &json!(true), &json!(true))
        );
        assert_eq!(data["issuer"]["name"], LISTED);
        assert_eq!(data["verifiedAt"], "2026-11-24T14:00:00Z");
        let checks = data["checks"].as_array().unwrap();
        assert!(
            checks.len() >= 6
                && checks.iter().all(|check| check["reason"].as_str().is_some_and(|r| !r.is_empty()))
        );
    }
}

#[tokio::test]
async fn a_document_that_does_not_hold_is_a_good_answer_in_the_language_asked_for() {
    let house = House::new();
    let app = house.app();
    let text = diploma(&house.signer, &Order::default()).to_string().replace("dezoito", "dezanove");
    let request = Request::post("/api/v1/verify")
        .header("content-type", "application/json")
        .header("accept-language", "pt")
        .body(Body::from(format!("{{\"credential\":{text}}}")))
        .unwrap();
    let answer = send(&app, request).await;
    let data = answer.json()["data"].clone();
    assert_eq!((answer.status, &data["outcome"], &data["valid"]), (200, &json!("invalid"), &json!(false)));
    let failed = data["checks"].as_array().unwrap().iter().find(|check| check["result"] == "fail").unwrap();
    assert_eq!(failed["code"], "PROOF_VALUE");
    assert!(failed["reason"].as_str().unwrap().contains("alterado"), "{failed}");
    assert_eq!(data["fields"], json!([]), "nothing unsigned is passed on as signed");
}

#[tokio::test]
async fn a_name_that_stands_twice_inside_the_credential_reaches_the_check() {
    let house = House::new();
    let text = diploma(&house.signer, &Order::default()).to_string();
    let twice = text.replacen('{', "{\"name\":\"another\",", 1);
    let data = order(&house.app(), format!("{{\"credential\":{twice}}}")).await.json()["data"].clone();
    assert_eq!(data["outcome"], "invalid");
    assert_eq!(data["checks"][0]["code"], "PARSE_DUPLICATE_KEY", "{data}");
}

#[tokio::test]
async fn trust_can_be_required_and_the_holder_can_be_known() {
    let house = House::new();
    let app = house.app();
    let outcome = |body: Value| {
        let app = app.clone();
        async move { order(&app, body.to_string()).await.json()["data"]["outcome"].clone() }
    };
    let own = diploma(&house.signer, &Order::default());
    assert_eq!(
        outcome(json!({"credential": own, "known": {"type": "emailAddress", "value": " Ana@Example.org"}}))
            .await,
        "valid"
    );
    assert_eq!(
        outcome(json!({"credential": own, "known": {"type": "emailAddress", "value": "eva@example.org"}}))
            .await,
        "invalid"
    );
    let mut plain = own.clone();
    plain.as_object_mut().unwrap().remove("proof");
    plain.as_object_mut().unwrap().remove("credentialStatus");
    plain["issuer"]["id"] = json!(Signer::new(9).did);
    let strange = Signer::new(9).sign(&plain);
    assert_eq!(outcome(json!({"credential": strange})).await, "valid");
    assert_eq!(outcome(json!({"credential": strange, "requireTrust": true})).await, "invalid");
}

#[tokio::test]
async fn only_what_is_no_request_is_refused() {
    let house = House::new();
    let app = house.app();
    for (body, code) in [
        ("", "NOTHING_TO_CHECK"),
        ("{", "UPLOAD_UNREADABLE"),
        ("[]", "UPLOAD_UNREADABLE"),
        ("{\"credential\":{},\"nonsense\":1}", "UPLOAD_UNREADABLE"),
        ("{\"credential\":{},\"credential\":{}}", "UPLOAD_UNREADABLE"),
        ("{\"credential\":\"https://elsewhere.example/v/x\"}", "LINK_OF_ANOTHER_HOUSE"),
    ] {
        let answer = order(&app, body.to_owned()).await;
        assert_eq!((answer.status, answer.json()["error"]["code"].as_str().unwrap()), (400, code), "{body}");
        assert!(!answer.json()["error"]["remedy"].as_str().unwrap().contains('{'));
    }
    let link = json!({"credential": format!("{URL}/v/00000000000000000000000000")}).to_string();
    assert_eq!(order(&app, link).await.status, 404);
    let two: [(&str, Option<&str>, &[u8]); 2] = [("file", Some("a"), b"{}"), ("text", None, b"{}")];
    let answer = send(&app, form("/api/v1/verify", "*/*", &two)).await;
    assert_eq!((answer.status, answer.json()["error"]["code"].as_str().unwrap()), (400, "SEVERAL_DOCUMENTS"));
    let large = vec![b'x'; 27 * 1024 * 1024];
    assert_eq!(order(&app, large.clone()).await.status, 413);
    let file: [(&str, Option<&str>, &[u8]); 1] = [("file", Some("a"), &large)];
    assert_eq!(send(&app, form("/verify", "text/html", &file)).await.status, 413);
}

#[tokio::test]
async fn deep_and_strange_json_gets_a_report_and_not_a_panic() {
    let house = House::new();
    let app = house.app();
    let deep = format!("{{\"credential\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        deep,
        "{\"credential\":null}".to_owned(),
        "{\"credential\":{}}".to_owned(),
        "{\"credential\":17}".to_owned(),
    ] {
        let answer = order(&app, body).await;
        assert!(matches!(answer.status, 200 | 400), "{}", answer.status);
        if answer.status == 200 {
            assert_eq!(answer.json()["data"]["outcome"], "invalid");
        }
    }
}

#[test]
fn the_contract_names_the_call_and_its_answers() {
    let contract = serde_json::to_value(verify::contract()).unwrap();
    let call = &contract["paths"]["/api/v1/verify"]["post"];
    assert_eq!(call["operationId"], "verify");
    for status in ["200", "400", "404", "413", "429"] {
        assert!(call["responses"].get(status).is_some(), "{status}");
    }
    assert!(call["requestBody"]["content"]["multipart/form-data"].is_object(), "{call}");
    assert!(call.to_string().contains("verifiedAt"));
}
