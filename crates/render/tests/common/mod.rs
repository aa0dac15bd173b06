//! What the tests of this crate share: a sample credential, pages made from it, and poppler.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::process::Command;

use render::{Attachment, Language, Links, Page, PdfMeta, RenderError, Template};
use serde_json::Value;

pub const LINK: &str = "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa";
pub const CREDENTIAL: &[u8] = include_bytes!("../diploma.json");
pub const NAME: &str = "/credentialSubject/identifier/0/identityHash";

pub fn sample() -> Value {
    serde_json::from_slice(CREDENTIAL).unwrap()
}

pub fn sample_with(pointer: &str, value: &str) -> Value {
    let mut data = sample();
    *data.pointer_mut(pointer).unwrap() = Value::String(value.to_owned());
    data
}

pub fn fill(template: &Template, data: &Value) -> Result<Page, RenderError> {
    template.fill(data, &Links { verify: LINK })
}

pub fn diploma_for(name: &str) -> Result<Page, RenderError> {
    fill(&render::diploma().unwrap(), &sample_with(NAME, name))
}

pub fn meta() -> PdfMeta<'static> {
    PdfMeta {
        title: "Licenciatura em Engenharia Informática",
        author: "Universidade do Atlântico",
        language: Language::Portuguese,
        credential_id: "urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        created: 1_784_073_600,
        attachment: Some(Attachment {
            name: "credential.json",
            media_type: "application/json",
            bytes: CREDENTIAL,
        }),
    }
}

/// A template with one text box of the given attributes, on a page of 100 mm by 50 mm.
pub fn one_box(attributes: &str, text: &str) -> String {
    let fonts = render::fonts::bundled();
    let find = |name: &str| fonts.iter().find(|font| font.name == name).unwrap().sha256;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="50mm" viewBox="0 0 100 50" data-selo-version="1"><rect width="100" height="50" fill="#ffffff"/><g data-selo-box="only" data-font="sha256:{}" data-fallback="sha256:{}" {attributes}>{text}</g></svg>"##,
        find("Noto Serif"),
        find("Noto Naskh Arabic"),
    )
}

pub fn parse(svg: &str) -> Result<Template, RenderError> {
    Template::parse(svg.as_bytes(), &render::NoAssets)
}

/// Pixels of a PNG: width, height, and red, green, blue of each.
pub fn pixels(png_bytes: &[u8]) -> (usize, usize, Vec<[u8; 3]>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png_bytes)).read_info().unwrap();
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut buffer).unwrap();
    let channels = info.color_type.samples();
    let colours = buffer[..info.buffer_size()]
        .chunks(channels)
        .map(|pixel| match pixel {
            [grey] | [grey, _] => [*grey; 3],
            [r, g, b, ..] => [*r, *g, *b],
            [] => unreachable!(),
        })
        .collect();
    (info.width as usize, info.height as usize, colours)
}

/// All QR codes in a picture.
pub fn codes((width, height, colours): &(usize, usize, Vec<[u8; 3]>)) -> Vec<String> {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(*width, *height, |x, y| {
        let [r, g, b] = colours[y * width + x];
        ((u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114) / 1_000) as u8
    });
    image.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

/// Runs a poppler tool on a PDF; `None`, with a sentence, when the tool is not installed.
pub fn poppler(tool: &str, before: &[&str], pdf: &[u8], after: &[&str]) -> Option<Vec<u8>> {
    let folder = std::env::temp_dir().join(format!(
        "render-test-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("page.pdf");
    std::fs::write(&file, pdf).unwrap();
    let answer = Command::new(tool).args(before).arg(&file).args(after).output();
    std::fs::remove_dir_all(&folder).unwrap();
    match answer {
        Ok(answer) => {
            let said = String::from_utf8_lossy(&answer.stderr);
            assert!(answer.status.success(), "{tool}: {said}");
            Some(answer.stdout)
        }
        Err(_) => {
            println!("NOT RUN: {tool} is missing; install poppler-utils to run this test");
            None
        }
    }
}

/// Text without any white space, for comparing across line breaks.
pub fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
