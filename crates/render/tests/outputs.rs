//! PNG, PDF and SVG of one page: complete, alike, and equal byte for byte each time.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod common;

use common::{
    CREDENTIAL, LINK, bare, codes, diploma_for, fill, meta, one_box, parse, pixels, poppler, sample,
};
use render::{Language, Page, PdfMeta, pdf, png, svg};

const NAMES: [&str; 6] = [
    "Maria da Conceição Araújo Guimarães",
    "Αικατερίνη Παπαδοπούλου",
    "Екатерина Щербакова",
    "محمد عبد الرحمن الهاشمي",
    "Wojciech Ząbkowski-Œuvrard ffi",
    "Maximiliano-Constantinopolitano-Wolfeschlegelsteinhausenbergerdorff da Silva",
];

fn page(name: &str) -> Page {
    diploma_for(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn equal_pages_give_equal_bytes() {
    let first = page(NAMES[0]);
    let written = (png(&first, 842).unwrap(), pdf(&first, &meta()).unwrap(), svg(&first));
    // A second template, read from the stored bytes, with other widths drawn in between.
    let template = render::Template::parse(render::diploma().unwrap().bytes(), &render::NoAssets).unwrap();
    let second = fill(&template, &sample()).unwrap();
    png(&second, 300).unwrap();
    png(&first, 421).unwrap();
    let again = (png(&second, 842).unwrap(), pdf(&second, &meta()).unwrap(), svg(&second));
    assert!(written == again);
    assert!(png(&first, 842).unwrap() == written.0, "the kept ground changes nothing");
    let other = pdf(&first, &PdfMeta { created: 1_784_073_601, ..meta() }).unwrap();
    assert!(other != written.1, "the date comes from the credential");
}

#[test]
fn a_png_has_only_chunks_that_never_change() {
    let bytes = png(&page(NAMES[0]), 842).unwrap();
    let mut kinds: Vec<String> = Vec::new();
    let mut at = 8;
    while at + 8 <= bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        kinds.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
        at += 12 + length;
    }
    kinds.dedup();
    assert_eq!(kinds, ["IHDR", "pHYs", "sRGB", "IDAT", "IEND"]);
    let (width, height, _) = pixels(&bytes);
    assert_eq!((width, height), (842, 595));
}

#[test]
fn widths_out_of_range_are_refused() {
    for width in [0, 15, 4_097, u32::MAX] {
        assert_eq!(png(&page("Ana"), width).unwrap_err().code(), "RENDER_OUTPUT");
    }
}

#[test]
fn the_qr_code_reads_from_every_width() {
    let badge = fill(&render::badge().unwrap(), &sample()).unwrap();
    for width in [842, 1_684, 2_480] {
        for page in [&page(NAMES[0]), &badge] {
            let picture = pixels(&png(page, width).unwrap());
            assert_eq!(codes(&picture), [LINK], "{width} px");
        }
    }
}

#[test]
fn the_badge_takes_the_links_of_long_hosts_and_keeps_two_pixels_for_a_module() {
    let badge = render::badge().unwrap();
    for host in
        ["localhost:8080", "credenciais.universidade-de-sao-tome-e-principe.example", &"a".repeat(150)]
    {
        let link = format!("https://{host}/v/3fq8rk2mz7t0v5x1c9d4b6n8wa");
        let page = badge.fill(&sample(), &render::Links { verify: &link }).unwrap();
        assert_eq!(codes(&pixels(&png(&page, 842).unwrap())), [link]);
    }
}

#[test]
fn a_link_too_long_for_its_square_is_refused() {
    let template = parse(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="50mm" height="50mm" viewBox="0 0 50 50" data-selo-version="1"><g data-selo-qr="verify" data-x="5" data-y="5" data-w="15"/></svg>"##,
    )
    .unwrap();
    let filled = |link: &str| template.fill(&sample(), &render::Links { verify: link });
    assert!(filled("https://selo.example/v/1").is_ok());
    let error = filled(&format!("https://selo.example/{}", "a".repeat(400))).unwrap_err();
    assert_eq!(error.code(), "RENDER_QR_TOO_DENSE");
    assert_eq!(filled(&"a".repeat(5_000)).unwrap_err().code(), "RENDER_QR_TOO_DENSE");
}

#[test]
fn the_pdf_holds_every_field_as_text() {
    for name in NAMES {
        let page = page(name);
        let bytes = pdf(&page, &meta()).unwrap();
        // Two reading orders: the plain one joins words that a line's end parts at a hyphen.
        let mut said = String::new();
        for order in ["-raw", "-layout"] {
            let Some(part) = poppler("pdftotext", &["-enc", "UTF-8", order], &bytes, &["-"]) else {
                return;
            };
            said.push_str(&String::from_utf8(part).unwrap());
        }
        // Poppler marks right-to-left stretches with invisible characters of direction.
        let marks = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let said = bare(&said).replace(marks, "");
        for text in page.texts() {
            assert!(said.contains(&bare(&text.text)), "{}: «{}» in {said}", text.box_id, text.text);
        }
    }
}

#[test]
fn invisible_and_composed_characters_break_no_document() {
    for name in
        ["Zoë\u{200d}Å", "Ana\u{ad}bela", "م\u{200c}ن", "a\u{301}\u{323}b\u{304}", "\u{300}x", "ffi ½ № ™"]
    {
        let page = diploma_for(name).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        assert!(pdf(&page, &meta()).is_ok(), "{name:?}");
    }
    for name in ["a\u{feff}b", "a\u{202b}b", "\u{0}", "\u{e000}", "\u{fffe}"] {
        let refused = diploma_for(name).map_or_else(|error| error.code(), |_| "drawn");
        assert_eq!(refused, "RENDER_MISSING_GLYPH", "{name:?}");
    }
}

#[test]
fn the_pdf_is_one_page_tagged_and_archival() {
    let bytes = pdf(&page(NAMES[0]), &meta()).unwrap();
    let document = lopdf::Document::load_mem(&bytes).unwrap();
    assert_eq!(document.get_pages().len(), 1);
    let catalog = document.catalog().unwrap();
    assert!(catalog.has(b"MarkInfo") && catalog.has(b"StructTreeRoot"));
    let text = String::from_utf8_lossy(&bytes);
    for promise in [
        "<pdfaid:part>3</pdfaid:part>",
        "<pdfaid:conformance>A</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
        "pt-PT",
    ] {
        assert!(text.contains(promise), "{promise}");
    }
    let Some(said) = poppler("pdfinfo", &[], &bytes, &[]) else { return };
    let said = String::from_utf8_lossy(&said).into_owned();
    for line in [
        "Pages:           1",
        "Author:          Universidade do Atlântico",
        "urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        "2026",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
}

#[test]
fn the_pdf_carries_the_credential_and_the_link() {
    let bytes = pdf(&page(NAMES[0]), &meta()).unwrap();
    let document = lopdf::Document::load_mem(&bytes).unwrap();
    let catalog = document.catalog().unwrap();
    let follow = |object: &lopdf::Object| document.dereference(object).unwrap().1.clone();
    let names = follow(catalog.get(b"Names").unwrap());
    let files = follow(names.as_dict().unwrap().get(b"EmbeddedFiles").unwrap());
    let pairs = follow(files.as_dict().unwrap().get(b"Names").unwrap());
    let pairs = pairs.as_array().unwrap();
    assert_eq!(pairs[0].as_str().unwrap(), b"credential.json");
    let spec = follow(&pairs[1]);
    let spec = spec.as_dict().unwrap();
    assert_eq!(spec.get(b"AFRelationship").unwrap().as_name().unwrap(), b"Data");
    let inside = follow(spec.get(b"EF").unwrap());
    let stream = follow(inside.as_dict().unwrap().get(b"F").unwrap());
    assert_eq!(stream.as_stream().unwrap().decompressed_content().unwrap(), CREDENTIAL);
    assert_eq!(follow(catalog.get(b"AF").unwrap()).as_array().unwrap().len(), 1);
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(
        text.matches(&format!("/URI({LINK})")).count() + text.matches(&format!("/URI ({LINK})")).count(),
        2
    );
}

/// Two rasterisers never agree on the grey of an edge or on lines thinner than a pixel. So a pixel
/// is alike when its colour lies within Delta E 5 of what the other picture has around that place.
#[test]
fn the_pdf_looks_like_the_png_and_its_code_reads() {
    for name in [NAMES[0], NAMES[3]] {
        let page = page(name);
        let bytes = pdf(&page, &meta()).unwrap();
        let size = ["-png", "-singlefile", "-scale-to-x", "1684", "-scale-to-y", "1191"];
        let Some(raster) = poppler("pdftoppm", &size, &bytes, &[]) else { return };
        let paper = pixels(&raster);
        let picture = pixels(&png(&page, 1_684).unwrap());
        assert_eq!((paper.0, paper.1), (picture.0, picture.1));
        assert_eq!(codes(&paper), [LINK]);
        let share = share_alike(&picture, &paper);
        assert!(share >= 0.995, "{name}: only {share:.4} of the picture is on paper");
        // Poppler widens lines thinner than a pixel, which makes the guilloche darker on paper.
        let back = share_alike(&paper, &picture);
        assert!(back >= 0.975, "{name}: only {back:.4} of the paper is in the picture");
        println!("{name}: {share:.4} of the picture on paper, {back:.4} of the paper in the picture");
        let other = pixels(&png(&diploma_for("Ana").unwrap(), 1_684).unwrap());
        assert!(share_alike(&other, &paper) < share - 0.002, "another name is another picture");
    }
}

/// The share of pixels of `one` that lie within Delta E 5 of the colours around that place in `other`.
fn share_alike(one: &(usize, usize, Vec<[u8; 3]>), other: &(usize, usize, Vec<[u8; 3]>)) -> f64 {
    let (width, height, _) = *one;
    let around: Vec<[f64; 3]> = other.2.iter().map(|colour| lab(*colour)).collect();
    let mut alike = 0_usize;
    for y in 1..height - 1 {
        for x in 1..width - 1 {
            let at = y * width + x;
            if one.2[at] == other.2[at] {
                alike += 1;
                continue;
            }
            let (mut low, mut high) = ([f64::MAX; 3], [f64::MIN; 3]);
            for row in [at - width, at, at + width] {
                for near in &around[row - 1..=row + 1] {
                    for channel in 0..3 {
                        low[channel] = low[channel].min(near[channel]);
                        high[channel] = high[channel].max(near[channel]);
                    }
                }
            }
            let here = lab(one.2[at]);
            let square: f64 =
                (0..3).map(|i| (low[i] - here[i]).max(here[i] - high[i]).max(0.0).powi(2)).sum();
            alike += usize::from(square <= 25.0);
        }
    }
    alike as f64 / ((width - 2) * (height - 2)) as f64
}

#[test]
fn texts_stand_where_the_layout_put_them() {
    let page = page("Ana Sousa");
    let bytes = pdf(&page, &meta()).unwrap();
    let Some(said) = poppler("pdftotext", &["-bbox"], &bytes, &["-"]) else { return };
    let said = String::from_utf8(said).unwrap();
    let line = said.lines().find(|line| line.contains(">Ana<")).unwrap();
    let number = |name: &str| -> f64 {
        let after = line.split_once(&format!("{name}=\"")).unwrap().1;
        after.split_once('"').unwrap().0.parse().unwrap()
    };
    let text = page.texts().find(|text| text.box_id == "name").unwrap();
    let first = &text.lines[0].runs[0].glyphs[0];
    let ours = first.x as f64 / render::TICKS_PER_POINT as f64;
    assert!((number("xMin") - ours).abs() < 0.5, "{ours} {line}");
}

#[test]
fn the_svg_is_whole_and_needs_nothing_else() {
    let drawing = svg(&page(NAMES[3]));
    for outside in ["http://", "https://", "<text", "font-family", "href=\"asset:", "{{"] {
        let inner = drawing.replace("http://www.w3.org/2000/svg", "").replace(LINK, "");
        assert!(!inner.contains(outside), "{outside}");
    }
    assert!(drawing.contains(NAMES[3]) && drawing.contains(LINK));
    let tree = usvg::Tree::from_str(&drawing, &usvg::Options::default()).unwrap();
    let mut pixmap = resvg::tiny_skia::Pixmap::new(842, 595).unwrap();
    let (across, down) = (842.0 / tree.size().width(), 595.0 / tree.size().height());
    let scale = resvg::tiny_skia::Transform::from_scale(across, down);
    resvg::render(&tree, scale, &mut pixmap.as_mut());
    let (_, _, ours) = pixels(&png(&page(NAMES[3]), 842).unwrap());
    let near = pixmap
        .pixels()
        .iter()
        .zip(&ours)
        .filter(|(a, b)| difference([a.red(), a.green(), a.blue()], **b) <= 5.0)
        .count();
    assert!(near as f64 / ours.len() as f64 > 0.98);
}

#[test]
fn the_badge_is_drawn_with_clear_corners() {
    let page = fill(&render::badge().unwrap(), &sample()).unwrap();
    let bytes = png(&page, 600).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut buffer).unwrap();
    assert_eq!(buffer[3], 0, "the corner is transparent");
    assert_eq!(buffer[(300 * 600 + 300) * 4 + 3], 255, "the middle is not");
    assert!(svg(&page).contains("Licenciatura em Engenharia Informática"));
    let small = PdfMeta { attachment: None, language: Language::English, ..meta() };
    assert!(pdf(&page, &small).unwrap().starts_with(b"%PDF-1.7"));
}

#[test]
fn boxes_turn_and_move_with_their_groups() {
    let place = "data-x=\"30\" data-y=\"20\" data-w=\"40\" data-h=\"10\" data-size=\"12\"";
    let plain = parse(&one_box(place, "Selo")).unwrap();
    let turned = parse(&one_box(&format!("{place} transform=\"rotate(180 50 25)\""), "Selo")).unwrap();
    let upright = pixels(&png(&fill(&plain, &sample()).unwrap(), 800).unwrap());
    let mut around = pixels(&png(&fill(&turned, &sample()).unwrap(), 800).unwrap());
    around.2.reverse();
    let near = upright.2.iter().zip(&around.2).filter(|(a, b)| difference(**a, **b) <= 12.0).count();
    assert!(near as f64 / upright.2.len() as f64 > 0.999);
    let dark = upright.2.iter().filter(|pixel| pixel[0] < 100).count();
    assert!(dark > 100, "something was drawn");
}

/// Distance of two colours in CIELAB (Delta E 1976).
fn difference(one: [u8; 3], other: [u8; 3]) -> f64 {
    if one == other {
        return 0.0;
    }
    let (a, b) = (lab(one), lab(other));
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
}

/// A colour in CIELAB (D65).
fn lab([r, g, b]: [u8; 3]) -> [f64; 3] {
    let linear = |value: u8| {
        let share = f64::from(value) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let (r, g, b) = (linear(r), linear(g), linear(b));
    let curve = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let x = curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47);
    let y = curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}
