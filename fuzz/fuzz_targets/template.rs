//! Templates of certificates: what the profile accepts is canonical, and can be filled and drawn in every form.
#![no_main]

use std::sync::LazyLock;

use render::{Language, Links, NoAssets, PdfMeta, Template, fonts, pdf, png, svg};
use serde_json::Value;

/// The width at which pages are drawn here: small, because a page may be fifty times as high as it is wide.
const WIDTH_PX: u32 = 64;

static CREDENTIAL: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_slice(include_bytes!("../../crates/render/tests/diploma.json"))
        .expect("a credential of ours")
});

fn seeds() -> Vec<Vec<u8>> {
    let font =
        |name: &str| fonts::bundled().iter().find(|font| font.name == name).map_or("", |font| font.sha256);
    let page = |inside: &str| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100mm\" height=\"50mm\" viewBox=\"0 0 100 50\" \
             data-selo-version=\"1\">{inside}</svg>"
        )
    };
    let text = format!(
        "<g data-selo-box=\"only\" data-font=\"sha256:{}\" data-fallback=\"sha256:{}\" data-x=\"1\" data-y=\"1\" \
         data-w=\"90\" data-h=\"40\" data-size=\"10\" data-lines=\"3\" data-fit=\"wrap\" data-min-pt=\"6\" \
         data-align=\"center\" transform=\"rotate(3)\">Olá {{{{/credentialSubject/achievement/name}}}}</g>",
        font("Noto Serif"),
        font("Noto Naskh Arabic"),
    );
    let drawing = "<defs><linearGradient id=\"a\"><stop offset=\"0\" stop-color=\"#fff\"/><stop offset=\"1\" \
         stop-color=\"#012345\"/></linearGradient><clipPath id=\"c\"><circle r=\"9\"/></clipPath><g id=\"u\"><path \
         d=\"M1 1h3v4a2 3 0 0 1 5 5Q1 2 3 4T5 6z\"/></g></defs><g clip-path=\"url(#c)\" opacity=\"0.5\"><use \
         href=\"#u\" x=\"3\"/></g><rect width=\"9\" height=\"9\" rx=\"2\" fill=\"url(#a)\" stroke=\"#000\" \
         stroke-dasharray=\"1 2\" transform=\"matrix(1 0 0 1 2 3) skewX(4)\"/><polygon points=\"1,1 2,3 4,0\"/>";
    let code = "<g data-selo-qr=\"verify\" data-x=\"5\" data-y=\"5\" data-w=\"30\" data-ec=\"M\"/>";
    let mut seeds: Vec<Vec<u8>> =
        [page(&text), page(drawing), page(code), page(&format!("{drawing}{text}{code}"))]
            .map(String::into_bytes)
            .into();
    for seed in &seeds {
        Template::parse(seed, &NoAssets).expect("a template of ours");
    }
    for builtin in [render::diploma(), render::badge()] {
        seeds.push(builtin.expect("a template of ours").bytes().to_vec());
    }
    seeds
}

fn check(bytes: &[u8]) {
    let template = match Template::parse(bytes, &NoAssets) {
        Ok(template) => template,
        Err(error) => {
            assert!(render::CODES.contains(&error.code()));
            return;
        }
    };
    let again = Template::parse(template.bytes(), &NoAssets).expect("the canonical form is accepted");
    assert_eq!((again.bytes(), again.digest()), (template.bytes(), template.digest()));
    let links = Links { verify: "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa" };
    let Ok(page) = template.fill(&CREDENTIAL, &links) else { return };
    let picture = png(&page, WIDTH_PX);
    assert!(picture.is_ok_and(|picture| picture.starts_with(b"\x89PNG")));
    assert!(svg(&page).starts_with("<svg"));
    let meta = PdfMeta {
        title: "Diploma",
        author: "Universidade do Atlântico",
        language: Language::Portuguese,
        credential_id: "urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        created: 1_784_073_600,
        attachment: None,
    };
    let document = pdf(&page, &meta);
    assert!(document.is_ok_and(|document| document.starts_with(b"%PDF-")));
}

fuzz::target!(seeds, check);
