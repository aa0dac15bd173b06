//! What the door does to every request, whatever its handler does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use axum::body::Body;
use common::*;
use http_kit::{Partner, Peer, Rules, ZoneRouter};

fn from(address: &str, mut request: axum::http::Request<Body>) -> axum::http::Request<Body> {
    request.extensions_mut().insert(Peer::Network(format!("{address}:40000").parse().unwrap()));
    request
}

/// Requests that end in every way a request can end.
async fn endings() -> Vec<(&'static str, Answer)> {
    let house = House::with(&[("http.cors_origins", "https://portal.example")]);
    let (admin, public) = (house.admin(), house.public());
    let preflight = [("origin", "https://portal.example"), ("access-control-request-method", "POST")];
    let key = [("authorization", "Bearer key_good")];
    vec![
        ("200", fetch(&admin, "/api/v1/things", &key).await),
        ("201", send(&admin, "/api/v1/things", &[], r#"{"name":"a"}"#).await),
        (
            "204",
            answer(admin.service(), request("OPTIONS", "/api/v1/things", &preflight, Body::empty())).await,
        ),
        ("400", send(&admin, "/api/v1/things", &[], "{").await),
        ("401", fetch(&admin, "/api/v1/things", &[]).await),
        ("404", fetch(&admin, "/nowhere", &[]).await),
        ("404", fetch(&public, "/own", &[]).await),
        ("405", answer(admin.service(), request("PUT", "/api/v1/things", &[], Body::empty())).await),
        ("413", answer(public.service(), request("POST", "/upload", &[], vec![0; 101])).await),
        ("422", send(&admin, "/api/v1/things", &[], r#"{"name":1}"#).await),
        ("500", fetch(&admin, "/trouble", &[]).await),
        ("500", fetch(&admin, "/boom", &[]).await),
        ("503", fetch(&admin, "/slow", &[]).await),
        ("200", fetch(&public, "/livez", &[]).await),
        ("200", fetch(&public, "/kept", &[]).await),
        ("200", answer(public.service(), request("HEAD", "/kept", &[], Body::empty())).await),
        ("404", answer(public.service(), request("HEAD", "/nowhere", &[], Body::empty())).await),
    ]
}

#[tokio::test]
async fn every_ending_carries_a_request_id_and_every_security_header() {
    for (expected, answer) in endings().await {
        assert_eq!(answer.status.to_string(), expected, "{}", answer.text());
        assert!(answer.header("x-request-id").starts_with("req_"));
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "require-trusted-types-for 'script'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
            ("x-robots-tag", "noindex, nofollow"),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {expected}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"));
        let kept = if answer.text() == "kept" || answer.header("cache-control").contains("60") {
            "public, max-age=60"
        } else {
            "no-store"
        };
        assert_eq!(answer.header("cache-control"), kept);
    }
}

#[tokio::test]
async fn every_refusal_has_the_houses_shape_with_its_own_request_id() {
    for (status, answer) in endings().await {
        if answer.status < 400 || answer.body.is_empty() || answer.text().starts_with('<') {
            continue;
        }
        let json = answer.json();
        assert_eq!(answer.header("content-type"), "application/json", "{status}");
        assert_eq!(json["success"], false);
        assert_eq!(json["requestId"], answer.header("x-request-id"));
        let error = json["error"].as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "details", "message", "remedy"]);
        assert!(error["message"].as_str().unwrap().len() > 5 && error["remedy"].as_str().unwrap().len() > 5);
        assert!(
            !answer.text().contains('{') || !answer.text().contains("{limit}"),
            "arguments are filled in"
        );
    }
}

#[tokio::test]
async fn the_same_refusal_comes_as_problem_details_when_asked_for_and_in_both_languages() {
    let house = House::new();
    let app = house.admin();
    let accept = ("accept", "application/problem+json, application/json;q=0.5");
    let answer = fetch(&app, "/nowhere", &[accept, ("accept-language", "pt-PT,pt;q=0.9")]).await;
    assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"));
    assert_eq!(answer.header("content-language"), "pt");
    let json = answer.json();
    assert_eq!(json["status"], 404);
    assert_eq!(json["title"], "NOT_FOUND");
    assert_eq!(json["type"], "urn:selo:error:NOT_FOUND");
    assert_eq!(json["detail"], "Não há nada aqui.");
    assert_eq!(json["requestId"], answer.header("x-request-id"));
    let english = fetch(&app, "/nowhere", &[]).await.json();
    assert_eq!(english["error"]["message"], "There is nothing here.");
    let field = send(&app, "/api/v1/things?lang=pt", &[accept], r#"{"name":1}"#).await.json();
    assert_eq!(field["errors"][0]["field"], "/name");
    assert!(field["errors"][0]["message"].as_str().unwrap().starts_with("Um campo"));
}

#[tokio::test]
async fn a_browser_of_the_public_zone_gets_a_page_and_of_the_admin_zone_json() {
    let house = House::new();
    let accept = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let page = fetch(&house.public(), "/nowhere?lang=pt", &accept).await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(page.text().contains("Não há nada aqui.") && page.text().contains(page.header("x-request-id")));
    assert_eq!(fetch(&house.admin(), "/nowhere", &accept).await.code(), "NOT_FOUND");
    assert_eq!(fetch(&house.public(), "/own", &accept).await.text(), "<!doctype html><p>gone");
}

#[tokio::test]
async fn a_method_that_is_not_there_names_those_that_are() {
    let answer =
        answer(House::new().admin().service(), request("DELETE", "/api/v1/things", &[], Body::empty())).await;
    assert_eq!((answer.status, answer.code().as_str()), (405, "METHOD_NOT_ALLOWED"));
    assert!(answer.header("allow").contains("GET") && answer.header("allow").contains("POST"));
}

#[tokio::test]
async fn what_one_zone_lists_does_not_exist_in_the_other() {
    let house = House::new();
    let key = [("authorization", "Bearer key_good")];
    assert_eq!(fetch(&house.public(), "/api/v1/things", &key).await.code(), "NOT_FOUND");
    assert_eq!(fetch(&house.admin(), "/search?text=a", &key).await.code(), "NOT_FOUND");
    assert_eq!(fetch(&house.public(), "/metrics", &[]).await.code(), "NOT_FOUND");
    assert_eq!(fetch(&house.admin(), "/metrics", &[]).await.status, 200);
}

#[tokio::test]
async fn nobody_outside_chooses_a_request_id_but_a_chain_is_kept_when_it_is_well_formed() {
    let app = House::new().public();
    let seen = |headers: &'static [(&'static str, &'static str)]| {
        let app = app.clone();
        async move {
            let answer = fetch(&app, "/who", headers).await;
            let own = answer.header("x-request-id").replace("req_", "corr_");
            let correlation = answer.json()["data"]["correlation"].as_str().unwrap().to_owned();
            (correlation.clone(), own == correlation)
        }
    };
    let (_, own) = seen(&[("x-request-id", "req_01jd8x4q9zt3v5w7y9a1c3e5g7")]).await;
    assert!(own);
    let (kept, _) = seen(&[("x-correlation-id", "corr_01jd8x4q9zt3v5w7y9a1c3e5g7")]).await;
    assert_eq!(kept, "corr_01jd8x4q9zt3v5w7y9a1c3e5g7");
    let (kept, own) =
        seen(&[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]).await;
    assert!(!own && kept.len() == 31);
    for broken in [
        &[("traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01")] as &[_],
        &[("traceparent", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
        &[("traceparent", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")],
        &[("traceparent", "nonsense")],
        &[("x-correlation-id", "corr_../../etc/passwd")],
        &[("x-correlation-id", "req_01jd8x4q9zt3v5w7y9a1c3e5g7")],
    ] {
        assert!(seen(broken).await.1, "{broken:?}");
    }
}

#[tokio::test]
async fn the_language_is_the_querys_then_the_cookies_then_the_browsers_then_english() {
    let app = House::new().public();
    let speaks = |target: &'static str, headers: &'static [(&'static str, &'static str)]| {
        let app = app.clone();
        async move { fetch(&app, target, headers).await.json()["data"]["lang"].as_str().unwrap().to_owned() }
    };
    assert_eq!(speaks("/who?lang=pt", &[("cookie", "selo-lang=en"), ("accept-language", "en")]).await, "pt");
    assert_eq!(speaks("/who", &[("cookie", "a=b; selo-lang=pt"), ("accept-language", "en")]).await, "pt");
    assert_eq!(speaks("/who?lang=fr", &[("accept-language", "pt-BR")]).await, "pt");
    assert_eq!(speaks("/who", &[("accept-language", "fr")]).await, "en");
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let house = House::with(&[("http.trusted_proxies", "10.0.0.0/8")]);
    let app = house.public();
    let seen = |peer: &'static str, forwarded: &'static str| {
        let app = app.clone();
        async move {
            let asked = from(peer, request("GET", "/who", &[("x-forwarded-for", forwarded)], Body::empty()));
            answer(app.service(), asked).await.json()["data"]["address"].as_str().unwrap().to_owned()
        }
    };
    assert_eq!(seen("192.0.2.9", "198.51.100.1").await, "192.0.2.9", "a stranger's word");
    assert_eq!(seen("10.0.0.1", "198.51.100.1").await, "198.51.100.1");
    assert_eq!(
        seen("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2").await,
        "198.51.100.1",
        "the last that is not ours"
    );
    assert_eq!(seen("10.0.0.1", "nonsense").await, "10.0.0.1");
}

#[tokio::test]
async fn failures_of_authentication_look_the_same_whatever_failed() {
    let app = House::new().admin();
    let mut seen = Vec::new();
    for headers in [
        vec![],
        vec![("authorization", "Bearer key_unknown")],
        vec![("authorization", "Bearer key_expired")],
        vec![("authorization", "Bearer key_deleted")],
        vec![("authorization", "Basic a2V5")],
        vec![("authorization", "Bearer")],
        vec![("cookie", "__Host-selo-session=stolen")],
    ] {
        let answer = fetch(&app, "/api/v1/things", &headers).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer realm=\"selo\""));
        let mut json = answer.json();
        json["requestId"] = "".into();
        seen.push(json);
    }
    assert!(seen.iter().all(|json| *json == seen[0]), "{seen:?}");
    let long = format!("Bearer {}", "x".repeat(5_000));
    assert_eq!(fetch(&app, "/api/v1/things", &[("authorization", &long)]).await.status, 401);
    let away = fetch(&app, "/api/v1/things", &[("authorization", "Bearer key_away")]).await;
    assert_eq!(away.status, 503, "the house's own trouble is no refusal");
}

#[tokio::test]
async fn a_known_caller_without_the_permission_is_forbidden_or_finds_nothing() {
    let house = House::new();
    let app = house.admin();
    let answered = send(&app, "/api/v1/things", &[("authorization", "")], "{}").await;
    assert_eq!(answered.status, 401, "of two headers none counts");
    let reader = [("authorization", "Bearer key_reader"), ("content-type", "application/json")];
    let refused = answer(app.service(), request("POST", "/api/v1/things", &reader, r#"{"name":"a"}"#)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "FORBIDDEN"));
    assert!(refused.text().contains("thing.make"));
    let session = [("cookie", "__Host-selo-session=key_reader")];
    assert_eq!(fetch(&app, "/api/v1/things", &session).await.status, 200);
    assert_eq!(fetch(&app, "/api/v1/things/nonsense", &session).await.code(), "ID_MALFORMED");
}

#[tokio::test]
async fn the_owner_at_the_local_socket_may_everything() {
    let mut asked = request("GET", "/api/v1/things", &[], Body::empty());
    asked.extensions_mut().insert(Peer::Owner);
    assert_eq!(answer(House::new().admin().service(), asked).await.status, 200);
}

#[tokio::test]
async fn a_session_is_of_no_use_to_another_sites_page() {
    let app = House::new().admin();
    let post = |headers: Vec<(&'static str, &'static str)>| {
        let app = app.clone();
        async move {
            let mut all = vec![("content-type", "application/json"), ("host", "selo.example")];
            all.extend(headers);
            answer(app.service(), request("POST", "/api/v1/things", &all, r#"{"name":"a"}"#)).await
        }
    };
    let cookie = ("cookie", "__Host-selo-session=key_good");
    assert_eq!(post(vec![cookie, ("origin", "https://selo.example")]).await.status, 201);
    let refused = post(vec![cookie, ("origin", "https://evil.example")]).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "CROSS_ORIGIN"));
    assert_eq!(post(vec![cookie]).await.code(), "CROSS_ORIGIN");
    assert_eq!(post(vec![("authorization", "Bearer key_good")]).await.status, 201, "a key is no cookie");
}

#[tokio::test]
async fn other_origins_read_only_what_is_open_or_listed() {
    let house = House::with(&[("http.cors_origins", "https://portal.example")]);
    let (admin, public) = (house.admin(), house.public());
    let evil = [("origin", "https://evil.example")];
    let open = fetch(&public, "/status/abc", &evil).await;
    assert_eq!(open.header("access-control-allow-origin"), "*");
    assert_eq!(open.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(fetch(&public, "/who", &evil).await.header("access-control-allow-origin"), "");
    let portal = fetch(&admin, "/api/v1/things", &[("origin", "https://portal.example")]).await;
    assert_eq!(portal.header("access-control-allow-origin"), "https://portal.example");
    assert!(portal.headers.get_all("vary").iter().any(|value| value == "origin"));
    let asks = |origin: &'static str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        answer(admin.service(), request("OPTIONS", "/api/v1/things", &headers, Body::empty()))
    };
    let permitted = asks("https://portal.example").await;
    assert!(permitted.header("access-control-allow-methods").contains("POST"));
    assert!(permitted.header("access-control-allow-headers").contains("idempotency-key"));
    assert_eq!(asks("https://evil.example").await.header("access-control-allow-methods"), "");
    let off = House::new().admin();
    let nobody = fetch(&off, "/api/v1/things", &[("origin", "https://portal.example")]).await;
    assert_eq!(nobody.header("access-control-allow-origin"), "", "off by default");
}

#[tokio::test]
async fn a_route_of_another_protocol_says_no_in_its_words_and_keeps_the_house_s_headers() {
    let app = House::with(&[("http.rate_check", "5")]).public();
    let ask = async |method: &str, body: &'static [u8]| {
        answer(app.service(), request(method, "/foreign", &[], Body::from(body))).await
    };
    assert_eq!(ask("POST", b"0123456789").await.text(), "{\"success\":true,\"data\":10,\"message\":null}");
    let large = ask("POST", b"0123456789x").await;
    assert_eq!((large.status, large.text().as_str()), (200, "413 BODY_TOO_LARGE"));
    assert!(large.header("x-request-id").starts_with("req_"));
    assert!(large.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(ask("PUT", b"").await.text(), "405 METHOD_NOT_ALLOWED");
    for _ in 0..2 {
        ask("POST", b"").await;
    }
    assert_eq!(ask("POST", b"").await.text(), "429 RATE_LIMITED");
}

#[tokio::test]
async fn who_asks_too_often_is_told_how_long_to_wait() {
    let house = House::with(&[("http.rate_entry", "6")]);
    let app = house.public();
    let knock = |peer: &'static str| {
        let app = app.clone();
        async move { answer(app.service(), from(peer, request("POST", "/entry", &[], Body::empty()))).await }
    };
    for left in (0..5).rev() {
        let passed = knock("192.0.2.1").await;
        assert_eq!(passed.status, 200);
        assert_eq!(passed.header("ratelimit-policy"), "\"entry\";q=6;w=60");
        assert!(
            passed.header("ratelimit").starts_with(&format!("\"entry\";r={left};t=")),
            "{}",
            passed.header("ratelimit")
        );
    }
    let refused = knock("192.0.2.1").await;
    assert_eq!(
        (refused.status, refused.code().as_str(), refused.header("retry-after")),
        (429, "RATE_LIMITED", "10")
    );
    assert_eq!(knock("192.0.2.2").await.status, 200, "another address");
    house.clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(knock("192.0.2.1").await.status, 200);
}

#[tokio::test]
async fn a_body_beyond_the_routes_limit_is_refused_with_or_without_its_length() {
    let app = House::new().public();
    let fits = answer(app.service(), request("POST", "/upload", &[], vec![0; 100])).await;
    assert_eq!(fits.json()["data"], 100);
    let announced =
        answer(app.service(), request("POST", "/upload", &[("content-length", "101")], vec![0; 101])).await;
    let pieces = futures_util::stream::iter((0..11).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 10])));
    let streamed = answer(app.service(), request("POST", "/upload", &[], Body::from_stream(pieces))).await;
    for refused in [announced, streamed] {
        assert_eq!((refused.status, refused.code().as_str()), (413, "BODY_TOO_LARGE"));
        assert!(refused.text().contains("100 bytes"));
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up_but_a_change_goes_on() {
    let house = House::new();
    let app = house.admin();
    let slow = fetch(&app, "/slow", &[]).await;
    assert_eq!(
        (slow.status, slow.code().as_str(), slow.header("retry-after")),
        (503, "REQUEST_TIMEOUT", "5")
    );
    let change = send(&app, "/slow-change", &[], r#"{"name":"slow"}"#).await;
    assert_eq!(change.code(), "REQUEST_TIMEOUT");
    house.fittings.tasks.close();
    house.fittings.tasks.wait().await;
    assert_eq!(house.shop.finished.load(std::sync::atomic::Ordering::SeqCst), 1, "it was carried to its end");
}

#[tokio::test]
async fn more_requests_than_the_house_takes_are_refused_at_once() {
    let house = House::with(&[("http.requests_max", "16")]);
    let app = house.admin();
    let many = (0..20).map(|_| {
        let app = app.clone();
        async move { send(&app, "/api/v1/things", &[], r#"{"name":"slow"}"#).await.status }
    });
    let statuses = futures_util::future::join_all(many).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 16);
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 4);
    assert_eq!(fetch(&app, "/livez", &[]).await.status, 200);
}

#[tokio::test]
async fn figures_are_counted_by_route_and_never_by_address() {
    let house = House::new();
    let app = house.admin();
    fetch(&app, "/api/v1/things/cred_01jd8x4q9zt3v5w7y9a1c3e5g7", &[("authorization", "Bearer key_good")])
        .await;
    fetch(&app, "/nobody/knows/this", &[]).await;
    let text = fetch(&app, "/metrics", &[]).await.text();
    let count =
        |labels: &str| text.contains(&format!("selo_http_request_duration_seconds_count{{{labels}}} 1\n"));
    assert!(count("zone=\"admin\",method=\"GET\",route=\"/api/v1/things/{id}\",status=\"200\""), "{text}");
    assert!(count("zone=\"admin\",method=\"GET\",route=\"unmatched\",status=\"404\""), "{text}");
    assert!(!text.contains("01jd8x4q9zt3v5w7y9a1c3e5g7") && !text.contains("nobody"));
}

#[tokio::test]
async fn readiness_asks_every_check_and_tells_names_only_inside() {
    let house = House::new();
    let fine = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let look = fine.clone();
    house.fittings.checks.add("store", move || {
        let fine = look.load(std::sync::atomic::Ordering::SeqCst);
        async move { if fine { Ok(()) } else { Err(base::error::INTERNAL.error()) } }
    });
    let (admin, public) = (house.admin(), house.public());
    assert_eq!(fetch(&admin, "/readyz?verbose", &[]).await.text(), "store: ok\nready\n");
    assert_eq!(fetch(&public, "/readyz?verbose", &[]).await.text(), "ready\n");
    fine.store(false, std::sync::atomic::Ordering::SeqCst);
    let away = fetch(&admin, "/readyz", &[]).await;
    assert_eq!((away.status, away.code().as_str()), (503, "NOT_READY"));
    assert!(away.text().contains("store"));
    assert!(!fetch(&public, "/readyz", &[]).await.text().contains("store"));
    assert_eq!(fetch(&public, "/livez", &[]).await.status, 200);
}

#[tokio::test]
async fn in_a_zone_of_the_known_a_stranger_hears_the_same_of_every_address() {
    let house = House::new();
    let hello = axum::routing::any(|| async { "hello" });
    let app = ZoneRouter::<Partner>::new()
        .page("/hello", Rules::read(), hello)
        .open(&house.fittings, &house.settings);
    let key = [("authorization", "Bearer key_good")];
    for path in ["/hello", "/livez", "/readyz", "/metrics", "/nowhere"] {
        for headers in [&[][..], &[("authorization", "Bearer key_deleted")][..]] {
            let refused = fetch(&app, path, headers).await;
            assert_eq!((refused.status, refused.code()), (401, "UNAUTHENTICATED".to_owned()), "{path}");
        }
    }
    assert_eq!(fetch(&app, "/hello", &key).await.text(), "hello");
    assert_eq!(fetch(&app, "/nowhere", &key).await.status, 404);
    assert_eq!(fetch(&app, "/metrics", &key).await.status, 404, "the house's figures are not theirs");
}
