//! What people see: an outcome for every document, in two languages, without scripts, small, and never a false green.

mod common;

use std::{sync::atomic::Ordering, time::Duration};

use base::Time;
use common::*;
use verify::Document;

const HANDLE: &str = "7k3m9q2w5x8z1c4v6b0n2h5j8g";
const PAGE: &str = "/v/7k3m9q2w5x8z1c4v6b0n2h5j8g";
const GREEN: &str = "class=\"outcome good\"";
/// The largest page.
const PAGE_BYTES_MAX: usize = 50_000;

fn order_of(purpose: &str) -> Order<'_> {
    Order { purpose, ..Order::default() }
}

#[tokio::test]
async fn a_good_diploma_of_a_known_issuer_is_valid_and_green_and_shows_everything() {
    let house = House::new();
    house.put(HANDLE, &diploma(&house.signer, &Order::default()));
    let app = house.app();
    for (lang, word, issued, learned) in [
        ("en", "VALID", "Issued by ", "What this does not prove"),
        ("pt", "VÁLIDO", "Emitido por ", "O que isto não prova"),
    ] {
        let answer = get(&app, &format!("{PAGE}?lang={lang}")).await;
        let page = answer.text();
        assert_eq!(answer.status, 200);
        assert!(page.contains(GREEN) && page.contains(&format!("id=\"outcome\">{word}</h1>")), "{page}");
        for text in [
            issued,
            learned,
            LISTED,
            "Ana Sofia Magalhães de Albuquerque e Castro",
            "18 (dezoito) valores",
            "Mestrado em Engenharia Informática",
            &format!("{PAGE}/picture.png"),
            "/record.tlog-proof",
            "selo.example",
            &house.signer.did,
            &format!("<html lang=\"{lang}\">"),
        ] {
            assert!(page.contains(text), "{lang}: {text}");
        }
        assert!(!page.contains("PROOF_VALUE"), "a check that passed needs no code name");
        assert!(page.len() < PAGE_BYTES_MAX);
    }
}

#[tokio::test]
async fn each_outcome_has_its_word_in_both_languages_and_only_one_is_green() {
    struct Case {
        name: &'static str,
        en: &'static str,
        pt: &'static str,
        class: &'static str,
        document: Vec<u8>,
        purpose: &'static str,
        withdrawn: bool,
    }
    let house = House::new();
    let app = house.app();
    let own = |order: Order<'_>| diploma(&house.signer, &order).to_string().into_bytes();
    let tampered = String::from_utf8(own(Order::default())).unwrap().replace("18 (dezoito)", "20 (vinte)");
    let case = |name, en, pt, class, document| Case {
        name,
        en,
        pt,
        class,
        document,
        purpose: "revocation",
        withdrawn: false,
    };
    let cases = [
        case("valid", "VALID", "VÁLIDO", "good", own(Order::default())),
        Case { withdrawn: true, ..case("revoked", "REVOKED", "REVOGADO", "bad", own(Order::default())) },
        Case {
            withdrawn: true,
            purpose: "suspension",
            ..case("suspended", "SUSPENDED", "SUSPENSO", "bad", own(order_of("suspension")))
        },
        case(
            "expired",
            "EXPIRED",
            "EXPIRADO",
            "bad",
            own(Order { until: Some("2026-11-01T00:00:00Z"), ..Order::default() }),
        ),
        case(
            "early",
            "NOT YET VALID",
            "AINDA NÃO VÁLIDO",
            "bad",
            own(Order { from: "2027-03-01T00:00:00Z", ..Order::default() }),
        ),
        case("tampered", "NOT VALID", "NÃO VÁLIDO", "bad", tampered.into_bytes()),
        case(
            "stranger",
            "NOT DECIDED",
            "POR DECIDIR",
            "wait",
            diploma(&Signer::new(9), &Order { list: "https://other.example/status/1", ..Order::default() })
                .to_string()
                .into_bytes(),
        ),
        case("no credential", "NOT VALID", "NÃO VÁLIDO", "bad", b"hello".to_vec()),
        case(
            "status away",
            "NOT DECIDED",
            "POR DECIDIR",
            "wait",
            own(Order { list: "https://away.example/status/1", ..Order::default() }),
        ),
    ];
    for case in cases {
        house.set(case.purpose, case.withdrawn);
        for (lang, word) in [("en", case.en), ("pt", case.pt)] {
            let answer = upload(&app, lang, &case.document).await;
            let page = answer.text();
            let head = page.split("</section>").next().unwrap_or_default();
            assert_eq!(answer.status, 200, "{}", case.name);
            assert!(head.contains(&format!(">{word}</h1>")), "{} {lang}: {head}", case.name);
            assert!(head.contains(&format!("outcome {}\"", case.class)), "{} {lang}: {head}", case.name);
            assert_eq!(page.contains(GREEN), case.name == "valid", "{}", case.name);
            assert!(page.len() < PAGE_BYTES_MAX, "{}: {}", case.name, page.len());
        }
    }
}

#[tokio::test]
async fn a_stranger_whose_signature_is_good_is_amber_and_its_own_name_is_not_taken_for_granted() {
    let house = House::new();
    let app = house.app();
    // No list to ask, and signed by a key that is on no list, under the listed university's name.
    let mut plain = diploma(&Signer::new(9), &Order::default());
    let members = plain.as_object_mut().unwrap();
    members.remove("proof");
    members.remove("credentialStatus");
    let document = Signer::new(9).sign(&plain);
    let page = upload(&app, "en", document.to_string().as_bytes()).await.text();
    assert!(page.contains("outcome warn\"") && page.contains("ISSUER NOT KNOWN") && !page.contains(GREEN));
    assert!(page.contains("can be chosen by anyone") && page.contains("Name it gives itself"));
    assert!(!page.contains("Name on the list"));
}

#[tokio::test]
async fn a_known_issuer_without_a_list_is_not_said_to_have_been_asked() {
    let house = House::new();
    let mut plain = diploma(&house.signer, &Order::default());
    plain.as_object_mut().unwrap().retain(|name, _| name != "proof" && name != "credentialStatus");
    let document = house.signer.sign(&plain).to_string();
    for (lang, said, unsaid) in [
        ("en", "the document names no place to ask", "has not withdrawn"),
        ("pt", "o documento não indica onde perguntar", "não o retirou"),
    ] {
        let page = upload(&house.app(), lang, document.as_bytes()).await.text();
        let head = page.split("</section>").next().unwrap_or_default();
        assert!(head.contains(said) && !head.contains(unsaid), "{head}");
    }
}

#[tokio::test]
async fn a_revocation_shows_at_once_with_its_day_though_the_page_is_kept() {
    let house = House::new();
    house.put(HANDLE, &diploma(&house.signer, &Order::default()));
    let app = house.app();
    for _ in 0..5 {
        assert!(get(&app, PAGE).await.text().contains(GREEN));
    }
    assert_eq!(house.opened.load(Ordering::SeqCst), 1, "four of the five came from memory");
    house.set("revocation", true);
    let page = get(&app, PAGE).await.text();
    assert!(page.contains("REVOKED") && page.contains("on 24 November 2026") && !page.contains(GREEN));
    let page = get(&app, &format!("{PAGE}?lang=pt")).await.text();
    assert!(page.contains("REVOGADO") && page.contains("em 24 de novembro de 2026"));
    house.set("revocation", false);
    assert!(get(&app, PAGE).await.text().contains(GREEN), "reinstated");
}

#[tokio::test]
async fn a_kept_page_ends_when_the_document_expires() {
    let house = House::new();
    let until = Some("2026-11-24T14:00:20Z");
    house.put(HANDLE, &diploma(&house.signer, &Order { until, ..Order::default() }));
    let app = house.app();
    assert!(get(&app, PAGE).await.text().contains(GREEN));
    house.clock.advance(Duration::from_secs(21));
    assert!(get(&app, PAGE).await.text().contains("EXPIRED"));
}

#[tokio::test]
async fn what_could_not_be_decided_is_asked_anew_each_time() {
    let house = House::new();
    let list = "https://away.example/status/1";
    house.put(HANDLE, &diploma(&house.signer, &Order { list, ..Order::default() }));
    let app = house.app();
    for round in 1..4 {
        assert!(get(&app, PAGE).await.text().contains("NOT DECIDED"));
        assert_eq!(house.opened.load(Ordering::SeqCst), round);
    }
}

#[tokio::test]
async fn an_erased_page_says_withdrawn_and_keeps_nothing_of_the_person() {
    let house = House::new();
    house.put(HANDLE, &diploma(&house.signer, &Order::default()));
    let app = house.app();
    assert!(get(&app, PAGE).await.text().contains("Ana Sofia"));
    let at = Time::from_seconds(NOW);
    house.documents.lock().unwrap().insert(HANDLE.to_owned(), Document::Erased { at });
    house.version.lock().unwrap().push('e');
    for (lang, word, why) in [
        ("en", "WITHDRAWN", "at the holder's request on 24 November 2026"),
        ("pt", "RETIRADO", "a pedido do titular em 24 de novembro de 2026"),
    ] {
        let answer = get(&app, &format!("{PAGE}?lang={lang}")).await;
        let page = answer.text();
        assert_eq!(answer.status, 200);
        assert!(page.contains(word) && page.contains(why) && page.contains("outcome wait\""), "{page}");
        assert!(!page.contains("Ana") && !page.contains("Coimbra") && !page.contains("picture.png"));
    }
    assert_eq!(get(&app, &format!("{PAGE}/picture.png")).await.status, 404);
}

#[tokio::test]
async fn every_handle_that_is_not_there_gets_the_same_page() {
    let house = House::new();
    let app = house.app();
    let mut pages = Vec::new();
    for handle in
        ["00000000000000000000000000", "short", "ABCDEFGHJKMNPQRSTVWXYZ0123", "zzzzzzzzzzzzzzzzzzzzzzzzzz"]
    {
        let answer = get(&app, &format!("/v/{handle}")).await;
        assert_eq!(answer.status, 404, "{handle}");
        let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
        let page = answer.text();
        assert!(page.contains("This link does not work") && page.contains(&id));
        pages.push(page.replace(&id, ""));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "pages differ");
}

#[tokio::test]
async fn hostile_names_are_shown_and_never_run() {
    let house = House::new();
    let evil = "<script>alert(1)</script>\"><img src=x onerror=alert(1)>";
    let order = Order { holder: evil, degree: "</textarea><svg onload=alert(1)>", ..Order::default() };
    let document = diploma(&house.signer, &order);
    house.put(HANDLE, &document);
    let app = house.app();
    let shown = get(&app, PAGE).await.text();
    let uploaded = upload(&app, "pt", document.to_string().as_bytes()).await.text();
    for page in [shown, uploaded] {
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        for harm in ["<script", "<img src=x", "<svg onload", "</textarea><svg"] {
            assert!(!page.contains(harm), "{harm}");
        }
    }
}

#[tokio::test]
async fn pages_need_no_script_and_nothing_from_elsewhere() {
    let house = House::new();
    house.put(HANDLE, &diploma(&house.signer, &Order::default()));
    let app = house.app();
    for path in ["/", PAGE, "/v/none", "/?lang=pt", "/verify"] {
        let answer = get(&app, path).await;
        let page = answer.text().replace("http://www.w3.org/2000/svg", "");
        for banned in [
            "<script",
            "javascript:",
            " style=",
            "<style",
            " onclick",
            "src=\"http",
            "href=\"http",
            "<iframe",
        ] {
            assert!(!page.contains(banned), "{path}: {banned}");
        }
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
        assert!(answer.headers.get("set-cookie").is_none() && answer.headers["cache-control"] == "no-store");
        let sheet = page.split("href=\"").find(|part| part.starts_with("/assets/selo-")).unwrap();
        let sheet = get(&app, sheet.split('"').next().unwrap()).await;
        assert_eq!(
            (sheet.status, sheet.headers["content-type"].to_str().unwrap()),
            (200, "text/css; charset=utf-8")
        );
    }
    assert_eq!(get(&app, "/").await.headers.get("x-robots-tag"), None, "the first page may be found");
    assert!(get(&app, PAGE).await.headers["x-robots-tag"].to_str().unwrap().contains("noindex"));
}

#[tokio::test]
async fn a_page_stays_small_however_large_the_document_is() {
    let house = House::new();
    let app = house.app();
    let long = "x".repeat(20_000);
    let mut document =
        diploma(&house.signer, &Order { degree: &long, holder: &"ñ<".repeat(4_000), ..Order::default() });
    document["credentialSubject"]["result"] =
        (0..900).map(|n| serde_json::json!({"type": ["Result"], "value": format!("{n} &&&&")})).collect();
    let hostile = serde_json::json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"],
        "issuer": {"id": "did:key:zBad", "name": "<".repeat(9_000)}, "credentialSubject": (0..3_000).map(|n| serde_json::json!({format!("m{n}"): n})).collect::<Vec<_>>()});
    document.as_object_mut().unwrap().remove("proof");
    let signed = house.signer.sign(&document);
    for document in [signed, hostile] {
        let answer = upload(&app, "en", document.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.len() < PAGE_BYTES_MAX, "{}", answer.body.len());
    }
}

#[tokio::test]
async fn the_language_switch_keeps_the_place_even_for_an_uploaded_file() {
    let house = House::new();
    let document = diploma(&house.signer, &Order::default());
    house.put(HANDLE, &document);
    let app = house.app();
    assert!(get(&app, PAGE).await.text().contains(&format!("href=\"{PAGE}?lang=pt\"")));
    let page = upload(&app, "en", document.to_string().as_bytes()).await.text();
    assert!(page.contains("action=\"/verify?lang=pt\""));
    let carried = page.split("name=\"text\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let carried =
        carried.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let again =
        send(&app, form("/verify?lang=pt", "text/html", &[("text", None, carried.as_bytes())])).await.text();
    assert!(again.contains("VÁLIDO") && again.contains(GREEN));
}

#[tokio::test]
async fn a_pasted_link_opens_our_page_and_a_foreign_one_is_named() {
    let house = House::new();
    house.put(HANDLE, &diploma(&house.signer, &Order::default()));
    let app = house.app();
    let paste = |text: String| {
        let app = app.clone();
        async move { send(&app, form("/verify?lang=en", "text/html", &[("text", None, text.as_bytes())])).await }
    };
    for link in [format!("{URL}{PAGE}"), format!(" {URL}{PAGE}/?lang=pt \n")] {
        let page = paste(link).await.text();
        assert!(page.contains(GREEN) && page.contains("picture.png"));
    }
    let foreign = paste(format!("https://selo.example@evil.example{PAGE}")).await;
    assert_eq!(foreign.status, 400);
    assert!(foreign.text().contains("evil.example") && foreign.text().contains("<form"));
    assert_eq!(paste(format!("{URL}/v/none")).await.status, 404);
}

#[tokio::test]
async fn a_form_without_a_document_comes_back_with_its_reason_above_it() {
    let house = House::new();
    let app = house.app();
    for (lang, words) in [("en", "There is nothing to check."), ("pt", "Não há nada para verificar.")] {
        let answer = upload(&app, lang, b"").await;
        assert_eq!(answer.status, 400);
        assert!(
            answer.text().contains(words) && answer.text().contains("role=\"alert\""),
            "{}",
            answer.text()
        );
    }
}
