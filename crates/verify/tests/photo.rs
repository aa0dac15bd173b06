//! A photo of a QR code through the door: our own page is answered, a stranger's is named, nothing is a clear refusal.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../proof/tests/picture_support/mod.rs"]
mod picture_support;

mod common;

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use common::*;
use picture_support::{Sheet, View};
use proof::qr::Qr;
use serde_json::json;

const HANDLE: &str = "7k3m9q2w5x8z1c4v6b0n2h5j8g";
const GREEN: &str = "class=\"outcome good\"";

/// What a phone makes of a code.
fn photo(text: &str) -> Vec<u8> {
    let view = View { degrees: 6.0, tilt: 0.15, fills: 0.7, noise: 20.0 };
    Sheet::of_code(&Qr::new(text).unwrap(), 8).photographed(1_200, 900, &view).to_jpeg(16, true)
}

#[tokio::test]
async fn a_photo_of_our_own_code_is_answered_as_its_page_and_as_its_link() {
    let house = House::new();
    house.put(HANDLE, &diploma(&house.signer, &Order::default()));
    let app = house.app();
    let link = format!("{URL}/v/{HANDLE}");
    let file = photo(&link);
    for (lang, word) in [("en", "VALID"), ("pt", "VÁLIDO")] {
        let page = upload(&app, lang, &file).await;
        let path = format!("/verify?lang={lang}");
        let pasted = send(&app, form(&path, "text/html", &[("text", None, link.as_bytes())])).await;
        assert_eq!((page.status, page.text()), (200, pasted.text()), "the same page as for the pasted link");
        assert!(page.text().contains(GREEN) && page.text().contains(&format!(">{word}</h1>")));
    }
    let answer = send(&app, form("/api/v1/verify", "*/*", &[("file", Some("photo.jpg"), &file)])).await;
    let data = answer.json()["data"].clone();
    assert_eq!((&data["outcome"], &data["link"]), (&json!("valid"), &json!(null)), "{data}");
    house.set("revocation", true);
    assert!(upload(&app, "en", &file).await.text().contains("REVOKED"));
    house.documents.lock().unwrap().clear();
    assert_eq!(upload(&app, "en", &file).await.status, 404, "as for a pasted link that leads nowhere");
}

#[tokio::test]
async fn a_code_of_a_strangers_house_is_undecided_and_its_host_is_named_and_nobody_is_sent_there() {
    let house = House::new();
    house.put(HANDLE, &diploma(&house.signer, &Order::default()));
    let app = house.app();
    let address = format!("https://se1o.example/v/{HANDLE}");
    let file = photo(&address);
    for (lang, word, leads) in
        [("en", "NOT DECIDED", "Where the code leads"), ("pt", "POR DECIDIR", "Aonde conduz o código")]
    {
        let answer = upload(&app, lang, &file).await;
        let page = answer.text();
        let head = page.split("</section>").next().unwrap_or_default();
        assert_eq!(answer.status, 200);
        assert!(head.contains(&format!(">{word}</h1>")) && head.contains("outcome wait\""), "{head}");
        assert!(head.contains("<strong><bdi>se1o.example</bdi></strong>"), "the host stands out: {head}");
        assert!(page.contains(leads) && page.contains(&address), "{page}");
        assert!(!page.contains("href=\"https://se1o") && !page.contains("http-equiv"), "no way leads there");
        assert!(answer.headers.get("location").is_none() && !page.contains(GREEN));
        assert!(page.len() < 50_000);
    }
    let answer = send(&app, form("/api/v1/verify", "*/*", &[("file", Some("photo.jpg"), &file)])).await;
    let data = answer.json()["data"].clone();
    assert_eq!((answer.status, &data["outcome"], &data["valid"]), (200, &json!("unknown"), &json!(false)));
    assert_eq!(data["link"], json!({"address": address, "host": "se1o.example"}));
    assert_eq!(house.opened.load(Ordering::SeqCst), 0, "no document was looked for");
}

#[tokio::test]
async fn a_picture_without_a_code_is_a_clear_refusal_in_both_languages() {
    let house = House::new();
    let app = house.app();
    let blank = Sheet::new(640, 480, 210);
    for file in [blank.to_png(), blank.to_jpeg(20, true), photo("https://evil.example/login")] {
        for (lang, reason, remedy) in [
            ("en", "This file holds no credential we can read.", "take it again: one code alone"),
            (
                "pt",
                "Este ficheiro não contém nenhuma credencial que saibamos ler.",
                "fotografe-o de novo: só um",
            ),
        ] {
            let answer = upload(&app, lang, &file).await;
            let page = answer.text();
            assert_eq!(answer.status, 200);
            assert!(
                page.contains(reason) && page.contains(remedy) && page.contains("outcome bad\""),
                "{page}"
            );
            assert!(!page.contains("evil.example"));
        }
    }
}

#[tokio::test]
async fn the_form_takes_photos_and_says_so_and_does_not_force_the_camera() {
    let house = House::new();
    let app = house.app();
    for (lang, words) in [("en", "a photo of its QR code"), ("pt", "uma fotografia do seu código QR")] {
        let page = get(&app, &format!("/?lang={lang}")).await.text();
        assert!(page.contains(words), "{page}");
        for kind in ["image/png", "image/jpeg", ".jpg", ".jpeg"] {
            assert!(page.contains(kind), "{kind}");
        }
        assert!(!page.contains("capture"));
    }
}

#[tokio::test]
async fn hostile_pictures_are_answered_in_time_and_hold_up_nobody() {
    let house = House::new();
    house.put(HANDLE, &diploma(&house.signer, &Order::default()));
    let app = house.app();
    let noise: Vec<u8> =
        (0..2_400_000u32).map(|n| if n.wrapping_mul(2_654_435_761) >> 31 == 0 { 20 } else { 230 }).collect();
    let noise = Sheet { width: 2_000, height: 1_200, pixels: noise }.to_png();
    let cut = photo("https://a.example");
    let hostile = [&noise[..], &cut[..cut.len() / 3], b"\xff\xd8\xff\xc0", b"\x89PNG\r\n\x1a\n"];
    let address = format!("/v/{HANDLE}");
    let began = Instant::now();
    for file in hostile {
        let (answer, page) = tokio::join!(upload(&app, "en", file), get(&app, &address));
        assert_eq!((answer.status, page.status), (200, 200));
        assert!(answer.text().contains("outcome bad\"") && page.text().contains(GREEN));
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
