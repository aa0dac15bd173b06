//! Credentials in pictures: what goes in comes out, and hostile pictures are refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use proof::bake::{MAX_IMAGE_BYTES, png_bake, png_extract, svg_bake, svg_extract};

const JSON: &[u8] = "{\"name\":\"Conceição ]]> & <João>\"}".as_bytes();
const TOKEN: &[u8] = b"eyJhbGciOiJFZERTQSJ9.e30.c2ln_-";

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = Crc::new();
    checksum.update(kind);
    checksum.update(data);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], kind, data, &checksum.sum().to_be_bytes()].concat()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A white picture of one pixel, with these chunks between header and data.
fn png(extra: &[Vec<u8>]) -> Vec<u8> {
    let header = [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0];
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(chunk(b"IHDR", &header));
    bytes.extend(extra.concat());
    bytes.extend(chunk(b"IDAT", &zlib(&[0, 255])));
    bytes.extend(chunk(b"IEND", &[]));
    bytes
}

fn count(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).filter(|w| *w == needle).count()
}

#[test]
fn a_png_gives_back_what_was_baked_and_keeps_its_other_chunks() {
    let plain = png(&[chunk(b"tEXt", b"Author\0A. B.")]);
    for credential in [JSON, TOKEN] {
        let baked = png_bake(&plain, credential).unwrap();
        assert_eq!(png_extract(&baked).unwrap(), credential);
        assert_eq!(&baked[..33], &plain[..33]);
        // Header (8 + 25 bytes), then our chunk: length, kind, keyword and five zero bytes.
        assert_eq!(&baked[37..41], b"iTXt");
        assert_eq!(&baked[41..65], b"openbadgecredential\0\0\0\0\0");
        assert_eq!(&baked[baked.len() - plain.len() + 33..], &plain[33..]);
    }
}

#[test]
fn baking_a_png_again_replaces_the_credential() {
    let once = png_bake(&png(&[]), JSON).unwrap();
    let twice = png_bake(&once, TOKEN).unwrap();
    assert_eq!(png_extract(&twice).unwrap(), TOKEN);
    assert_eq!(count(&twice, b"openbadgecredential"), 1);
    assert_eq!(png_bake(&once, JSON).unwrap(), once);
}

#[test]
fn compressed_and_older_chunks_are_read_and_the_newer_standard_wins() {
    let compressed = [b"openbadgecredential\0\x01\0pt\0\0".to_vec(), zlib(JSON)].concat();
    assert_eq!(png_extract(&png(&[chunk(b"iTXt", &compressed)])).unwrap(), JSON);
    let old_text = chunk(b"tEXt", b"openbadges\0https://example.org/a.json");
    let old = png(std::slice::from_ref(&old_text));
    assert_eq!(png_extract(&old).unwrap(), b"https://example.org/a.json");
    let old_packed = [b"openbadges\0\0".to_vec(), zlib(TOKEN)].concat();
    assert_eq!(png_extract(&png(&[chunk(b"zTXt", &old_packed)])).unwrap(), TOKEN);
    let both = png_bake(&png(&[old_text]), JSON).unwrap();
    assert_eq!(png_extract(&both).unwrap(), JSON);
}

#[test]
fn pngs_without_a_credential_damaged_ones_and_bombs_have_their_codes() {
    let code = |bytes: &[u8]| png_extract(bytes).unwrap_err().code();
    assert_eq!(code(&png(&[])), "FORMAT_UNKNOWN");
    assert_eq!(code(b""), "PARSE_IMAGE");
    assert_eq!(code(b"GIF89a"), "PARSE_IMAGE");
    let baked = png_bake(&png(&[]), JSON).unwrap();
    for cut in 0..baked.len() {
        assert_eq!(code(&baked[..cut]), "PARSE_IMAGE", "{cut}");
    }
    for place in 0..baked.len() {
        let mut damaged = baked.clone();
        damaged[place] ^= 0x20;
        assert_eq!(code(&damaged), "PARSE_IMAGE", "{place}");
    }
    for start in [
        &b"openbadgecredential\0\x02\0\0\0"[..],
        b"openbadgecredential\0\0\x01\0\0",
        b"openbadgecredential\0\0",
    ] {
        assert_eq!(code(&png(&[chunk(b"iTXt", start)])), "PARSE_IMAGE");
    }
    let packed = |data: &[u8]| {
        let body = [b"openbadgecredential\0\x01\0\0\0".to_vec(), zlib(data)].concat();
        png(&[chunk(b"iTXt", &body)])
    };
    assert_eq!(code(&packed(&vec![0; 40_000_000])), "FORMAT_TOO_LARGE");
    assert_eq!(code(&packed(&vec![b' '; 300_000])), "FORMAT_TOO_LARGE");
    let mut noise = Vec::new();
    let mut state = 1u32;
    for _ in 0..1_048_577 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push((state >> 24) as u8);
    }
    let large = [&b"openbadgecredential\0\0\0\0\0"[..], &noise].concat();
    assert_eq!(code(&png(&[chunk(b"iTXt", &large)])), "FORMAT_TOO_LARGE");
    assert_eq!(code(&vec![0; MAX_IMAGE_BYTES + 1]), "FORMAT_TOO_LARGE");
    let empty = chunk(b"teSt", b"");
    assert_eq!(code(&png(&vec![empty; 100_001])), "FORMAT_TOO_LARGE");
}

#[test]
fn what_is_no_text_is_not_baked() {
    for bad in [&b""[..], b"  ", b"\xff\xfe", b"{\"a\":\"\0\"}"] {
        assert_eq!(png_bake(&png(&[]), bad).unwrap_err().code(), "FORMAT_UNKNOWN");
        assert_eq!(svg_bake(b"<svg></svg>", bad).unwrap_err().code(), "FORMAT_UNKNOWN");
    }
    let token = svg_bake(b"<svg></svg>", b"not a \"token\"");
    assert_eq!(token.unwrap_err().code(), "FORMAT_UNKNOWN");
    let large = vec![b'a'; 1_048_577];
    assert_eq!(png_bake(&png(&[]), &large).unwrap_err().code(), "FORMAT_TOO_LARGE");
}

const SVG: &str = "<?xml version=\"1.0\"?>\n<!-- <svg> --><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox='0 0 9 9'>\n<style><![CDATA[a>b{}]]></style><text>1 &lt; 2 &euro;</text><g><path d=\"M0 0\"/></g></svg>\n";

#[test]
fn an_svg_gives_back_what_was_baked_and_keeps_the_rest() {
    for credential in [JSON, TOKEN] {
        let baked = svg_bake(SVG.as_bytes(), credential).unwrap();
        assert_eq!(svg_extract(&baked).unwrap(), credential);
        let text = String::from_utf8(baked).unwrap();
        assert!(text.contains("<svg xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\" xmlns=\"http://www.w3.org/2000/svg\" viewBox='0 0 9 9'><openbadges:credential"));
        let start = text.find("<openbadges:").unwrap();
        let end = text.find("</openbadges:credential>").unwrap() + 24;
        let rest = format!("{}{}", &text[..start], &text[end..]);
        assert_eq!(rest.replace(" xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\"", ""), SVG);
    }
    let token = String::from_utf8(svg_bake(SVG.as_bytes(), TOKEN).unwrap()).unwrap();
    assert!(token.contains(" verify=\"eyJhbGciOiJFZERTQSJ9.e30.c2ln_-\"></openbadges:credential>"));
}

#[test]
fn baking_an_svg_again_replaces_the_credential() {
    let once = svg_bake(SVG.as_bytes(), JSON).unwrap();
    let twice = svg_bake(&once, TOKEN).unwrap();
    assert_eq!(svg_extract(&twice).unwrap(), TOKEN);
    assert_eq!(count(&twice, b"<openbadges:credential"), 1);
    assert_eq!(count(&twice, b"xmlns:openbadges"), 1);
    assert_eq!(svg_bake(&once, JSON).unwrap(), once);
}

#[test]
fn an_svg_of_open_badges_2_is_read_and_can_carry_the_newer_one() {
    let old = r#"<svg xmlns:openbadges="http://openbadges.org"><openbadges:assertion verify="https://example.org/a"><![CDATA[{"id":1}]]></openbadges:assertion></svg>"#;
    assert_eq!(svg_extract(old.as_bytes()).unwrap(), br#"{"id":1}"#);
    let baked = svg_bake(old.as_bytes(), JSON).unwrap();
    assert_eq!(svg_extract(&baked).unwrap(), JSON);
    let only = r#"<svg xmlns:x="http://openbadges.org"><x:assertion verify="https://example.org/a?b=1&amp;c=2"/></svg>"#;
    assert_eq!(svg_extract(only.as_bytes()).unwrap(), b"https://example.org/a?b=1&c=2");
}

/// Fuzzing found a picture that held two credentials after baking: one that stood there under a prefix without a meaning
/// was passed over when the old ones were taken out, and our declaration on the root then gave the prefix its meaning.
#[test]
fn an_element_whose_prefix_nobody_declared_is_refused_before_baking_could_declare_it() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><openbadges:credential verify="e30"/></svg>"#;
    assert_eq!(svg_bake(svg, JSON).map_err(|error| error.code()), Err("PARSE_IMAGE"));
    assert_eq!(svg_extract(svg).map_err(|error| error.code()), Err("PARSE_IMAGE"));
}

#[test]
fn the_namespace_decides_and_not_the_prefix() {
    let other = r#"<svg xmlns:openbadges="urn:else"><openbadges:credential>{}</openbadges:credential></svg>"#;
    assert_eq!(svg_extract(other.as_bytes()).unwrap_err().code(), "FORMAT_UNKNOWN");
    let named = r#"<svg xmlns:b="https://purl.imsglobal.org/ob/v3p0"><g><b:credential> {&quot;a&quot;:&#x31;} </b:credential></g></svg>"#;
    assert_eq!(svg_extract(named.as_bytes()).unwrap(), br#"{"a":1}"#);
    let ended =
        r#"<svg><g xmlns:b="https://purl.imsglobal.org/ob/v3p0"/><b:credential>{}</b:credential></svg>"#;
    assert_eq!(svg_extract(ended.as_bytes()).unwrap_err().code(), "PARSE_IMAGE");
    let hidden = r#"<svg xmlns:b="https://purl.imsglobal.org/ob/v3p0"><!-- <b:credential>{}</b:credential> --><![CDATA[<b:credential>{}</b:credential>]]></svg>"#;
    assert_eq!(svg_extract(hidden.as_bytes()).unwrap_err().code(), "FORMAT_UNKNOWN");
}

#[test]
fn svgs_that_are_malformed_or_hostile_have_their_codes() {
    let code = |text: &str| svg_extract(text.as_bytes()).unwrap_err().code();
    for text in [
        "",
        "text",
        "<html></html>",
        "<svg",
        "<svg>",
        "<svg/>",
        "<svg></svg",
        "<svg></g>",
        "<svg><g></svg></g>",
        "<svg></svg><svg></svg>",
        "<svg></svg>text",
        "<svg a=1></svg>",
        "<svg a='1'b='2'></svg>",
        "<svg a='1' a='2'></svg>",
        "<svg a></svg>",
        "<svg><!-- </svg>",
        "<svg><![CDATA[</svg>",
        "<svg a='<'></svg>",
        "<!DOCTYPE svg [<!ENTITY a \"aaaa\">]><svg>&a;</svg>",
        "<svg><!ENTITY a 'b'></svg>",
        "<svg xmlns='http://www.w3.org/1999/xhtml'></svg>",
        "< svg></svg>",
        "<svg><></></svg>",
    ] {
        assert_eq!(code(text), "PARSE_IMAGE", "{text}");
    }
    let entity =
        r#"<svg xmlns:b="https://purl.imsglobal.org/ob/v3p0"><b:credential>&other;</b:credential></svg>"#;
    assert_eq!(code(entity), "PARSE_IMAGE");
    assert_eq!(svg_extract(b"<svg>\xff</svg>").unwrap_err().code(), "PARSE_IMAGE");
    assert_eq!(code("<svg></svg>"), "FORMAT_UNKNOWN");
    let empty = r#"<svg xmlns:b="https://purl.imsglobal.org/ob/v3p0"><b:credential/></svg>"#;
    assert_eq!(code(empty), "FORMAT_UNKNOWN");
    assert_eq!(code(&"<svg>".repeat(2_000_000)), "FORMAT_TOO_LARGE");
    let many = format!("<svg{}></svg>", (0..300).map(|n| format!(" a{n}=''")).collect::<String>());
    assert_eq!(code(&many), "PARSE_IMAGE");
    let large = format!(
        r#"<svg xmlns:b="https://purl.imsglobal.org/ob/v3p0"><b:credential>{}</b:credential></svg>"#,
        "x".repeat(1_048_577)
    );
    assert_eq!(code(&large), "FORMAT_TOO_LARGE");
    let deep = format!("{}{}", "<svg>".repeat(257), "</svg>".repeat(257));
    assert_eq!(code(&deep), "FORMAT_TOO_LARGE");
}

#[test]
fn large_hostile_pictures_are_decided_within_two_seconds() {
    let fill = |start: &str, piece: &str, end: &str| {
        let count = (MAX_IMAGE_BYTES - start.len() - end.len()) / piece.len();
        [start, &piece.repeat(count), end].concat()
    };
    let spaces: String = (0..30).map(|n| format!(" xmlns:n{n}='urn:{n}'")).collect();
    for svg in [
        fill("<svg>", "<a/>", "</svg>"),
        fill(&format!("<svg{spaces}>"), "<a:b/>", "</svg>"),
        fill("<svg>", "<!---->", "</svg>"),
        fill("<svg>", "&", "</svg>"),
        fill("<svg ", "a", "='1'></svg>"),
        fill("<svg a='", "b", "'></svg>"),
        fill("<svg>", "<", "</svg>"),
        fill("<", "<!--", ">"),
        fill("<svg>", "<![CDATA[]]>", "</svg>"),
        fill(
            "<svg xmlns:b='https://purl.imsglobal.org/ob/v3p0'>",
            "<b:credential>a</b:credential>",
            "</svg>",
        ),
        fill(
            "<svg xmlns:b='https://purl.imsglobal.org/ob/v3p0'><b:credential>",
            "&#x31;",
            "</b:credential></svg>",
        ),
    ] {
        let start = Instant::now();
        let extracted = svg_extract(svg.as_bytes()).map_err(|error| error.code());
        let baked = svg_bake(svg.as_bytes(), TOKEN).map_err(|error| error.code());
        let elapsed = start.elapsed();
        println!("{:.60}… {:?} {:?} {elapsed:?}", svg, extracted.map(|e| e.len()), baked.map(|b| b.len()));
        assert!(elapsed < Duration::from_secs(2), "{svg:.60}… took {elapsed:?}");
    }
}
