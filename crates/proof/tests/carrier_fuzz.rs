//! No bytes from outside make a reader of pictures or PDFs panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod carrier_support;

use carrier_support::{packed, stream, with_attachment, zlib};
use flate2::Crc;
use proof::{bake, pdf};
use proptest::prelude::*;

const JSON: &[u8] = b"{\"type\":[\"VerifiableCredential\"],\"a\":\"]]>&\"}";
const SVG: &[u8] = b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" a='1'><!-- c --><g><t>&lt;</t></g></svg>";

fn png() -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut checksum = Crc::new();
        checksum.update(kind);
        checksum.update(data);
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], kind, data, &checksum.sum().to_be_bytes()].concat()
    };
    let packed = [b"openbadgecredential\0\x01\0\0\0".to_vec(), zlib(JSON)].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
        chunk(b"iTXt", &packed),
        chunk(b"IDAT", &zlib(&[0, 255])),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

/// Repairs the checksums, so that changes reach what stands behind them.
fn mend(png: &mut [u8]) {
    let mut place = 8;
    while let Some(length) = png.get(place..place + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let end = place.saturating_add(8).saturating_add(length);
        let Some(body) = png.get(place + 4..end) else {
            return;
        };
        let mut checksum = Crc::new();
        checksum.update(body);
        let Some(field) = png.get_mut(end..end + 4) else {
            return;
        };
        field.copy_from_slice(&checksum.sum().to_be_bytes());
        place = end + 4;
    }
}

fn feed(bytes: &[u8]) {
    let _ = bake::png_extract(bytes);
    let _ = bake::svg_extract(bytes);
    let _ = pdf::extract(bytes);
    if let Ok(baked) = bake::png_bake(bytes, JSON) {
        assert_eq!(bake::png_extract(&baked).unwrap(), JSON);
    }
    if let Ok(baked) = bake::svg_bake(bytes, JSON) {
        assert_eq!(bake::svg_extract(&baked).unwrap(), JSON);
    }
}

fn carriers() -> [Vec<u8>; 6] {
    [
        png(),
        bake::svg_bake(SVG, JSON).unwrap(),
        SVG.to_vec(),
        with_attachment("credential.json", stream("/Filter /FlateDecode", &zlib(JSON))),
        packed(JSON, false),
        packed(JSON, true),
    ]
}

#[test]
fn every_single_changed_byte_of_a_carrier_is_survived() {
    for good in carriers() {
        for place in 0..good.len() {
            for change in [1u8, 0x20, 0x80, 0xff] {
                let mut changed = good.clone();
                changed[place] ^= change;
                feed(&changed);
                mend(&mut changed);
                feed(&changed);
            }
            feed(&good[..place]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        feed(&bytes);
        feed(&[b"\x89PNG\r\n\x1a\n", &bytes[..]].concat());
        feed(&[b"%PDF-1.7\n", &bytes[..], b"startxref\n9\n%%EOF"].concat());
    }

    #[test]
    fn random_markup_is_survived(text in "[<>/a:='\" !\\[\\]CDAT&;#x1-]{0,120}") {
        feed(format!("<svg>{text}</svg>").as_bytes());
        feed(text.as_bytes());
    }

    #[test]
    fn random_pdf_syntax_is_survived(text in "[<>/RS()\\[\\]0-9 \\\\%\\n-]{0,200}") {
        feed(format!("%PDF-1.7\nxref\n0 0\ntrailer {text}\nstartxref\n9\n%%EOF").as_bytes());
        feed(format!("%PDF-1.7\n1 0 obj {text}\nstartxref\n9\n%%EOF").as_bytes());
    }

    #[test]
    fn carriers_with_pieces_replaced_are_survived(
        which in 0usize..6, start in any::<usize>(), length in 0usize..40,
        piece in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = carriers()[which].clone();
        let start = start % bytes.len();
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, piece);
        feed(&bytes);
        mend(&mut bytes);
        feed(&bytes);
    }
}
