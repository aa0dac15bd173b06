//! Fonts and images that a template brings along: found by hash, checked, drawn, or refused.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod common;

use std::{collections::BTreeMap, sync::Arc};

use common::{fill, meta, pixels, sample};
use render::{Assets, Template, pdf, png, svg};
use sha2::{Digest, Sha256};

#[derive(Default)]
struct Shelf(BTreeMap<String, Arc<[u8]>>);

impl Shelf {
    fn put(&mut self, bytes: &[u8]) -> String {
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.insert(hash.clone(), Arc::from(bytes));
        hash
    }
}

impl Assets for Shelf {
    fn bytes(&self, sha256: &str) -> Option<Arc<[u8]>> {
        self.0.get(sha256).cloned()
    }
}

/// A baseline JPEG of one grey pixel block, 8 by 8.
const JPEG: &[u8] = &[
    0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00, 0x01, 0x01, 0x00, 0x00, 0x01, 0x00,
    0x01, 0x00, 0x00, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x10, 0x0b, 0x0c, 0x0e, 0x0c, 0x0a, 0x10, 0x0e, 0x0d,
    0x0e, 0x12, 0x11, 0x10, 0x13, 0x18, 0x28, 0x1a, 0x18, 0x16, 0x16, 0x18, 0x31, 0x23, 0x25, 0x1d, 0x28,
    0x3a, 0x33, 0x3d, 0x3c, 0x39, 0x33, 0x38, 0x37, 0x40, 0x48, 0x5c, 0x4e, 0x40, 0x44, 0x57, 0x45, 0x37,
    0x38, 0x50, 0x6d, 0x51, 0x57, 0x5f, 0x62, 0x67, 0x68, 0x67, 0x3e, 0x4d, 0x71, 0x79, 0x70, 0x64, 0x78,
    0x5c, 0x65, 0x67, 0x63, 0xff, 0xc0, 0x00, 0x0b, 0x08, 0x00, 0x08, 0x00, 0x08, 0x01, 0x01, 0x11, 0x00,
    0xff, 0xc4, 0x00, 0x14, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xc4, 0x00, 0x14, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00,
    0x00, 0x3f, 0x00, 0x3f, 0xff, 0xd9,
];

/// A PNG of 4 by 4 red pixels.
fn red_png() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 4, 4);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[200, 0, 0].repeat(16)).unwrap();
    writer.finish().unwrap();
    out
}

fn with_image(hash: &str) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="40mm" height="40mm" viewBox="0 0 40 40" data-selo-version="1"><rect width="40" height="40" fill="#ffffff"/><image x="10" y="10" width="20" height="20" href="asset:{hash}"/></svg>"##
    )
}

#[test]
fn images_are_drawn_in_all_outputs() {
    let mut shelf = Shelf::default();
    for (bytes, wanted) in [(red_png(), [200, 0, 0]), (JPEG.to_vec(), [128, 128, 128])] {
        let hash = shelf.put(&bytes);
        let template = Template::parse(with_image(&hash).as_bytes(), &shelf).unwrap();
        let page = fill(&template, &sample()).unwrap();
        let (width, _, colours) = pixels(&png(&page, 40).unwrap());
        let middle = colours[20 * width + 20];
        assert!(middle.iter().zip(wanted).all(|(a, b): (&u8, u8)| a.abs_diff(b) <= 2), "{middle:?}");
        assert_eq!(colours[2 * width + 2], [255, 255, 255]);
        assert!(svg(&page).contains("href=\"data:image/"));
        assert!(pdf(&page, &meta()).unwrap().windows(14).any(|part| part == b"/Subtype/Image"));
    }
}

#[test]
fn unfit_images_are_refused_with_their_hash() {
    let mut shelf = Shelf::default();
    let damaged = {
        let mut bytes = red_png();
        let at = bytes.len() - 20;
        bytes[at] ^= 0xff;
        bytes
    };
    let cut = &JPEG[..JPEG.len() / 2];
    let unknown = "ab".repeat(32);
    let wrong = shelf.put(b"other");
    shelf.0.insert(wrong.clone(), Arc::from(red_png()));
    for hash in [
        shelf.put(&damaged),
        shelf.put(cut),
        shelf.put(b"GIF89a"),
        shelf.put(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        shelf.put(&vec![0; 6 * 1024 * 1024]),
        unknown,
        wrong,
    ] {
        let error = Template::parse(with_image(&hash).as_bytes(), &shelf).unwrap_err();
        assert_eq!(error.code(), "RENDER_TEMPLATE_ASSET");
        assert!(error.to_string().contains(&hash));
    }
}

#[test]
fn an_uploaded_font_is_used_like_a_bundled_one() {
    let sans = render::fonts::bundled().iter().find(|font| font.name == "Noto Sans").unwrap();
    // The same font with four bytes after its end: another hash, equal outlines.
    let mut bytes = sans.bytes.to_vec();
    bytes.extend([0; 4]);
    let mut shelf = Shelf::default();
    let hash = shelf.put(&bytes);
    let text = |font: &str| {
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="80mm" height="20mm" viewBox="0 0 80 20" data-selo-version="1"><rect width="80" height="20" fill="#ffffff"/><g data-selo-box="a" data-x="2" data-y="2" data-w="76" data-h="16" data-size="20" data-min-pt="8" data-font="sha256:{font}">{{{{/issuer/name}}}}</g></svg>"##
        )
    };
    let draw = |font: &str| {
        let template = Template::parse(text(font).as_bytes(), &shelf).unwrap();
        let page = fill(&template, &sample()).unwrap();
        assert!(pdf(&page, &meta()).is_ok());
        png(&page, 400).unwrap()
    };
    assert!(draw(&hash) == draw(sans.sha256));
    let error = Template::parse(text(&"cd".repeat(32)).as_bytes(), &shelf).unwrap_err();
    assert_eq!(error.code(), "RENDER_TEMPLATE_ASSET");
}

#[test]
fn templates_and_pages_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Template>();
    shared::<render::Page>();
    let template = render::diploma().unwrap();
    let written: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let run = || scope.spawn(|| png(&fill(&template, &sample()).unwrap(), 400).unwrap());
        let threads: Vec<_> = (0..4).map(|_| run()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(written.windows(2).all(|pair| pair[0] == pair[1]));
}
