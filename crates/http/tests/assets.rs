//! Files of the web pages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::*;
use http_kit::{Admin, App, Assets, ZoneRouter};

fn app() -> App<Admin> {
    let house = House::new();
    let files: [(&str, &[u8]); 8] = [
        ("index.html", b"<!doctype html><div id=root></div>"),
        ("assets/index-B1x9_zQp.js", b"console.log(1)"),
        ("assets/index-B1x9_zQp.js.br", b"brotli"),
        ("assets/index-B1x9_zQp.js.gz", b"gzip"),
        ("assets/selo-0123456789ab.css", b"p{}"),
        ("assets/mark.svg", b"<svg/>"),
        ("assets/some-template.css", b"a{}"),
        ("assets/alone.tar.gz", b"x"),
    ];
    let assets = Assets::new(files.map(|(name, bytes)| (name, bytes.to_vec())));
    let routes: ZoneRouter<Admin> =
        assets.below("/assets/").merge(assets.app("index.html")).merge(admin_routes(house.shop.clone()));
    routes.open(&house.fittings, &house.settings)
}

#[tokio::test]
async fn a_hashed_name_is_kept_for_ever_and_every_other_is_asked_for_again() {
    let app = app();
    for (name, keep, media) in [
        (
            "/assets/index-B1x9_zQp.js",
            "public, max-age=31536000, immutable",
            "text/javascript; charset=utf-8",
        ),
        ("/assets/selo-0123456789ab.css", "public, max-age=31536000, immutable", "text/css; charset=utf-8"),
        ("/assets/mark.svg", "no-cache", "image/svg+xml"),
        ("/assets/some-template.css", "no-cache", "text/css; charset=utf-8"),
        ("/assets/alone.tar.gz", "no-cache", "application/octet-stream"),
    ] {
        let answer = fetch(&app, name, &[]).await;
        assert_eq!(
            (answer.status, answer.header("cache-control"), answer.header("content-type")),
            (200, keep, media),
            "{name}"
        );
        let tag = answer.header("etag").to_owned();
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let again = fetch(&app, name, &[("if-none-match", &known)]).await;
            assert_eq!(
                (again.status, again.body.len(), again.header("etag")),
                (304, 0, tag.as_str()),
                "{name} {known}"
            );
        }
    }
}

#[tokio::test]
async fn the_smallest_form_that_the_browser_reads_is_sent() {
    let app = app();
    let get = |coding: &'static str| {
        let app = app.clone();
        async move { fetch(&app, "/assets/index-B1x9_zQp.js", &[("accept-encoding", coding)]).await }
    };
    assert_eq!(get("gzip, deflate, br").await.text(), "brotli");
    assert_eq!(get("gzip, br;q=0").await.text(), "gzip");
    assert_eq!(get("identity").await.text(), "console.log(1)");
    let answer = get("gzip").await;
    assert_eq!((answer.header("content-encoding"), answer.header("vary")), ("gzip", "accept-encoding"));
}

#[tokio::test]
async fn the_apps_own_addresses_open_its_first_page_and_the_api_stays_the_api() {
    let app = app();
    let browser = [("accept", "text/html,*/*")];
    assert!(fetch(&app, "/", &browser).await.text().contains("root"));
    assert!(fetch(&app, "/credentials/cred_x", &browser).await.text().contains("root"));
    assert_eq!(fetch(&app, "/api/v1/nothing", &browser).await.code(), "NOT_FOUND");
    assert_eq!(
        fetch(&app, "/credentials/cred_x", &[("accept", "application/json")]).await.code(),
        "NOT_FOUND"
    );
    assert_eq!(fetch(&app, "/assets/gone-12345678.js", &browser).await.code(), "NOT_FOUND");
    assert_eq!(fetch(&app, "/assets/../Cargo.toml", &[]).await.code(), "NOT_FOUND");
    assert_eq!(fetch(&app, "/assets/%2e%2e%2fCargo.toml", &[]).await.code(), "NOT_FOUND");
}
