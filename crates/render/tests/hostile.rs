//! Hostile and mistaken templates: refused within limits, with the place and a reason.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod common;

use std::fmt::Write as _;

use common::{one_box, parse};
use render::{CODES, Language, NoAssets, Template};

const HEAD: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100mm" height="50mm" viewBox="0 0 100 50" data-selo-version="1">"#;

fn code_of(inside: &str) -> &'static str {
    parse(&format!("{HEAD}{inside}</svg>")).map_or_else(|error| error.code(), |_| "accepted")
}

#[test]
fn what_can_run_load_or_restyle_is_forbidden() {
    for inside in [
        "<script>alert(1)</script>",
        "<g><foreignObject width=\"1\" height=\"1\"/></g>",
        "<style>@import url(https://evil.example/a.css);</style>",
        "<rect width=\"1\" height=\"1\" style=\"fill:red\"/>",
        "<rect width=\"1\" height=\"1\" class=\"a\"/>",
        "<rect width=\"1\" height=\"1\" onload=\"alert(1)\"/>",
        "<rect width=\"1\" height=\"1\" ONCLICK=\"alert(1)\"/>",
        "<rect width=\"1\" height=\"1\"><animate attributeName=\"x\"/></rect>",
        "<rect width=\"1\" height=\"1\"><set attributeName=\"x\"/></rect>",
        "<filter id=\"f\"/>",
        "<defs><mask id=\"m\"/></defs>",
        "<text>hello</text>",
        "<g><text><tspan>hello</tspan></text></g>",
        "<a href=\"https://evil.example\"><rect width=\"1\" height=\"1\"/></a>",
        "<image width=\"1\" height=\"1\" href=\"https://evil.example/a.png\"/>",
        "<image width=\"1\" height=\"1\" xlink:href=\"file:///etc/passwd\"/>",
        "<image width=\"1\" height=\"1\" href=\"/etc/passwd\"/>",
        "<image width=\"1\" height=\"1\" href=\"data:image/svg+xml;base64,PHN2Zy8+\"/>",
        "<image width=\"1\" height=\"1\" href=\"javascript:alert(1)\"/>",
        "<use href=\"https://evil.example/a.svg#b\"/>",
        "<use xlink:href=\"other.svg#b\"/>",
        "<rect width=\"1\" height=\"1\" fill=\"url(https://evil.example/#a)\"/>",
        "<rect width=\"1\" height=\"1\" fill=\"URL( 'javascript:x' )\"/>",
        "<?xml-stylesheet href=\"https://evil.example/a.css\"?>",
        "<g data-selo-box=\"b\"><script/></g>",
        "<rect width=\"1\" height=\"1\" fill=\"&nbsp;\"/>",
    ] {
        assert_eq!(code_of(inside), "RENDER_TEMPLATE_FORBIDDEN", "{inside}");
    }
}

#[test]
fn declarations_and_entities_are_forbidden_before_they_can_grow() {
    let mut laughs = String::from("<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY a0 \"ha\">");
    for level in 1..30 {
        let _ = write!(laughs, "<!ENTITY a{level} \"&a{0};&a{0};&a{0};&a{0};\">", level - 1);
    }
    let _ = write!(laughs, "]>{HEAD}<g>&a29;</g></svg>");
    for svg in [
        laughs,
        format!("<!DOCTYPE svg SYSTEM \"file:///etc/passwd\">{HEAD}</svg>"),
        format!("<?xml-stylesheet href=\"a.css\"?>{HEAD}</svg>"),
    ] {
        assert_eq!(parse(&svg).unwrap_err().code(), "RENDER_TEMPLATE_FORBIDDEN");
    }
}

#[test]
fn what_version_1_does_not_know_is_refused_by_name() {
    let with_box = |attribute: &str| {
        let svg = one_box(
            &format!("data-x=\"1\" data-y=\"1\" data-w=\"50\" data-h=\"20\" data-size=\"10\" {attribute}"),
            "a",
        );
        parse(&svg).map_or_else(|error| error.code(), |_| "accepted")
    };
    assert_eq!(with_box(""), "accepted");
    for attribute in ["data-fit=\"ellipsis\"", "data-selo-if=\"/a\"", "data-new=\"1\"", "opacity=\"0.5\""] {
        assert_eq!(with_box(attribute), "RENDER_TEMPLATE_UNSUPPORTED", "{attribute}");
    }
    for inside in [
        "<g data-selo-if=\"/a\"/>",
        "<g data-selo-repeat=\"/a\" data-max=\"3\"/>",
        "<g data-selo-image=\"{{/a}}\"/>",
        "<g data-selo-qr=\"offer\" data-x=\"1\" data-y=\"1\" data-w=\"20\"/>",
        "<sodipodi xmlns=\"http://sodipodi.sourceforge.net\"/>",
        "<rect xmlns:i=\"http://www.inkscape.org\" i:label=\"a\" width=\"1\" height=\"1\"/>",
        "<rect width=\"1\" height=\"1\">loose text</rect>",
        "loose text",
        "<rect width=\"1\" height=\"1\"><rect width=\"1\" height=\"1\"/></rect>",
        "<stop offset=\"0\" stop-color=\"#000000\"/>",
        "<nonsense/>",
        "<defs><g><g data-selo-qr=\"verify\" data-x=\"1\" data-y=\"1\" data-w=\"20\"/></g></defs>",
        "<g opacity=\"0.5\"><g data-selo-qr=\"verify\" data-x=\"1\" data-y=\"1\" data-w=\"20\"/></g>",
        "<use href=\"#a\" xlink:href=\"#a\"/>",
    ] {
        assert_eq!(code_of(inside), "RENDER_TEMPLATE_UNSUPPORTED", "{inside}");
    }
}

#[test]
fn wrong_values_name_element_attribute_and_place() {
    let svg = format!("{HEAD}\n  <rect width=\"10\" height=\"5\" fill=\"red\"/></svg>");
    let error = parse(&svg).unwrap_err();
    assert_eq!(error.code(), "RENDER_TEMPLATE_ATTRIBUTE");
    let message = error.message(Language::English);
    assert!(message.contains("fill") && message.contains("<rect>") && message.contains("line 2"));
    for inside in [
        "<rect width=\"-1\" height=\"1\"/>",
        "<rect width=\"1e99\" height=\"1\"/>",
        "<rect width=\"100%\" height=\"1\"/>",
        "<rect height=\"1\"/>",
        "<path d=\"M 0 0 L\"/>",
        "<path d=\"M 0 0 L 1e30 0\"/>",
        "<path d=\"M0 0h1\" stroke-dasharray=\"0.000001\"/>",
        "<g id=\"a\"/><g id=\"a\"/>",
        "<g data-selo-qr=\"verify\" data-x=\"1\" data-y=\"1\" data-w=\"20\" data-dark=\"#bbbbbb\"/>",
        "<g data-selo-qr=\"verify\" data-x=\"1\" data-y=\"1\" data-w=\"20\" data-dark=\"#ffffff\" data-light=\"#000000\"/>",
    ] {
        assert_eq!(code_of(inside), "RENDER_TEMPLATE_ATTRIBUTE", "{inside}");
    }
}

#[test]
fn references_lead_into_defs_and_never_in_circles() {
    for inside in [
        "<use href=\"#nowhere\"/>",
        "<rect id=\"a\" width=\"1\" height=\"1\"/><use href=\"#a\"/>",
        "<defs><g id=\"a\"><use href=\"#a\"/></g></defs><use href=\"#a\"/>",
        "<defs><g id=\"a\"><use href=\"#b\"/></g><g id=\"b\"><use href=\"#a\"/></g></defs>",
        "<defs><rect id=\"a\" width=\"1\" height=\"1\"/></defs><rect width=\"1\" height=\"1\" fill=\"url(#a)\"/>",
        "<defs><clipPath id=\"c\"><rect width=\"1\" height=\"1\" clip-path=\"url(#c)\"/></clipPath></defs>",
    ] {
        assert_eq!(code_of(inside), "RENDER_TEMPLATE_REFERENCE", "{inside}");
    }
}

#[test]
fn every_limit_holds() {
    let boxes: String = (0..201).map(|i| format!("<g data-selo-box=\"b{i}\"/>")).collect();
    let mut laughs = String::from("<defs><rect id=\"l0\" width=\"1\" height=\"1\"/>");
    for level in 1..20 {
        let uses = format!("<use href=\"#l{}\"/>", level - 1).repeat(10);
        let _ = write!(laughs, "<g id=\"l{level}\">{uses}</g>");
    }
    laughs.push_str("</defs><use href=\"#l19\"/>");
    let mut chain = String::from("<defs><rect id=\"c0\" width=\"1\" height=\"1\"/>");
    for link in 1..20 {
        let (open, close) = ("<g>".repeat(10), "</g>".repeat(10));
        let _ = write!(chain, "<g id=\"c{link}\">{open}<use href=\"#c{}\"/>{close}</g>", link - 1);
    }
    chain.push_str("</defs><use href=\"#c19\"/>");
    let cases = [
        ("elements", "<g/>".repeat(5_001)),
        ("nesting", format!("{}{}", "<g>".repeat(40), "</g>".repeat(40))),
        ("deep nesting", format!("{}{}", "<g>".repeat(4_000), "</g>".repeat(4_000))),
        ("nodes", "<!-- a --> ".repeat(30_000)),
        ("boxes", boxes),
        ("path commands", format!("<path d=\"M0 0{}\"/>", "h1h-1".repeat(100_001))),
        ("laughing uses", laughs),
        ("a deep chain of uses", chain),
        ("layers", "<g opacity=\"0.5\"/>".repeat(1_001)),
    ];
    for (name, inside) in cases {
        assert_eq!(code_of(&inside), "RENDER_TEMPLATE_LIMIT", "{name}");
    }
    let large = format!("{HEAD}<!--{}--></svg>", "a".repeat(3 * 1024 * 1024));
    assert_eq!(parse(&large).unwrap_err().code(), "RENDER_TEMPLATE_TOO_LARGE");
    for size in [
        "width=\"1001mm\" height=\"500mm\"",
        "width=\"2mm\" height=\"1mm\"",
        "width=\"1e9mm\" height=\"1mm\"",
    ] {
        let svg = HEAD.replace("width=\"100mm\" height=\"50mm\"", size) + "</svg>";
        assert_eq!(parse(&svg).unwrap_err().code(), "RENDER_TEMPLATE_ATTRIBUTE", "{size}");
    }
    let squeezed = HEAD.replace("viewBox=\"0 0 100 50\"", "viewBox=\"0 0 100 90\"") + "</svg>";
    assert_eq!(parse(&squeezed).unwrap_err().code(), "RENDER_TEMPLATE_ATTRIBUTE");
}

#[test]
fn broken_files_are_errors_and_never_panics() {
    let whole = include_bytes!("../templates/badge.svg");
    for length in (0..whole.len()).step_by(997) {
        assert!(Template::parse(&whole[..length], &NoAssets).is_err());
    }
    let mut state: u64 = 7;
    for _ in 0..300 {
        let mut copy = whole[..].to_vec();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % copy.len();
            copy[at] = (state >> 20) as u8;
        }
        if let Err(error) = Template::parse(&copy, &NoAssets) {
            assert!(CODES.contains(&error.code()));
        }
    }
    for bytes in [&b""[..], b"\xff\xfe", b"<svg", b"<html/>", b"%PDF-1.7", b"\0\0\0"] {
        assert_eq!(Template::parse(bytes, &NoAssets).unwrap_err().code(), "RENDER_TEMPLATE_XML");
    }
}

#[test]
fn the_canonical_form_is_a_fixed_point_with_one_digest() {
    let messy = format!(
        "\u{feff}<?xml version='1.0'?><!-- by hand -->\n{HEAD}\n <g  fill='#123'\n id = \"g\" >\n  <!-- c --><rect y='2' x='1' width='3' height='4' stroke='#ffffff'/>\n</g><g/>\n</svg>\n"
    );
    let once = parse(&messy).unwrap();
    let twice = Template::parse(once.bytes(), &NoAssets).unwrap();
    assert_eq!(once.bytes(), twice.bytes());
    assert_eq!(once.digest(), twice.digest());
    assert_eq!(
        std::str::from_utf8(once.bytes()).unwrap(),
        "<svg xmlns=\"http://www.w3.org/2000/svg\" data-selo-version=\"1\" height=\"50mm\" viewBox=\"0 0 100 50\" width=\"100mm\"><g fill=\"#123\" id=\"g\"><rect height=\"4\" stroke=\"#ffffff\" width=\"3\" x=\"1\" y=\"2\"/></g><g/></svg>"
    );
    for template in [render::diploma().unwrap(), render::badge().unwrap()] {
        let again = Template::parse(template.bytes(), &NoAssets).unwrap();
        assert_eq!(again.bytes(), template.bytes());
        assert_eq!(again.digest(), template.digest());
    }
}

#[test]
fn every_problem_speaks_both_languages_and_names_a_remedy() {
    for inside in ["<script/>", "<nonsense/>", "<rect/>", "<use href=\"#a\"/>", "<"] {
        let error = parse(&format!("{HEAD}{inside}</svg>")).unwrap_err();
        for language in [Language::Portuguese, Language::English] {
            assert!(error.message(language).ends_with('.'));
            assert!(error.remedy(language).ends_with('.'));
        }
        assert_ne!(error.message(Language::Portuguese), error.message(Language::English));
        assert!(CODES.contains(&error.code()));
    }
}
