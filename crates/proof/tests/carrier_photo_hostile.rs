//! Pictures that mean harm: nothing panics, nothing takes long, whatever the bytes or the pixels are.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panic, and measures time"
)]

mod picture_support;

use std::time::{Duration, Instant};

use picture_support::{Sheet, View};
use proof::{
    picture::PictureError,
    qr::{self, Qr},
};
use proptest::prelude::*;

const LINK: &str = "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa";
/// What one picture may take here; a release build is several times faster.
const TIME_MAX: Duration = Duration::from_secs(5);
/// The plaque of a badge, packed by libjpeg: progressive, three colours at half size, a restart in every row.
const PROGRESSIVE: &[u8] = include_bytes!("photo-progressive.jpg");

fn timed(name: &str, picture: &[u8]) -> Result<Vec<String>, PictureError> {
    let began = Instant::now();
    let read = qr::read(picture);
    println!("{name}: {:?} in {:?}", read.as_ref().map(Vec::len), began.elapsed());
    assert!(began.elapsed() < TIME_MAX, "{name}: {:?}", began.elapsed());
    read
}

/// A PNG's signature and header, and data that nobody needs to see.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 6, 0, 0, 0]);
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut checksum = flate2::Crc::new();
        checksum.update(kind);
        checksum.update(data);
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], kind, data, &checksum.sum().to_be_bytes()].concat()
    };
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", &[0x78, 1]), chunk(b"IEND", &[])]
        .concat()
}

#[test]
fn pictures_larger_than_the_limit_are_refused_by_their_header() {
    for (width, height) in [(40_000, 40_000), (u32::MAX >> 1, 1), (20_001, 20), (8_000, 5_001)] {
        assert!(
            matches!(timed("bomb", &png_of(width, height)), Err(PictureError::TooLarge(_))),
            "{width} {height}"
        );
    }
    let mut huge = Sheet::new(8, 8, 0).to_jpeg(8, true);
    let frame = huge.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    huge[frame + 5..frame + 9].fill(0xff);
    assert!(matches!(timed("jpeg bomb", &huge), Err(PictureError::TooLarge(_))));
    huge[frame + 5..frame + 9].fill(0);
    assert!(matches!(timed("jpeg of nothing", &huge), Err(PictureError::Damaged(_))));
}

#[test]
fn ten_thousand_finders_take_no_longer_than_a_photograph() {
    let finder = Sheet::of_code(&Qr::new("x").unwrap(), 2);
    let mut sheet = Sheet::new(2_000, 2_000, 250);
    for place in 0..10_000 {
        let (left, top) = (place % 100 * 20, place / 100 * 20);
        for row in 0..18 {
            // The top left corner of a code with one module of paper around it.
            let from = (row + 6) * finder.width + 6;
            let start = (top + row) * 2_000 + left;
            sheet.pixels[start..start + 18].copy_from_slice(&finder.pixels[from..from + 18]);
        }
    }
    assert_eq!(timed("finders", &sheet.to_png()), Ok(Vec::new()));
}

#[test]
fn noise_stripes_and_emptiness_of_the_largest_size_end_in_time() {
    let mut seed = 7u64;
    let mut sheet = Sheet::new(8_000, 5_000, 255);
    assert_eq!(timed("white", &sheet.to_png()), Ok(Vec::new()));
    for (place, pixel) in sheet.pixels.iter_mut().enumerate() {
        *pixel = if place / 24 % 7 < 3 { 0 } else { 255 };
    }
    assert_eq!(timed("stripes", &sheet.to_png()), Ok(Vec::new()));
    for pixel in &mut sheet.pixels {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *pixel = if seed >> 63 == 0 { 20 } else { 230 };
    }
    let small = Sheet { width: 2_500, height: 2_500, pixels: sheet.pixels[..6_250_000].to_vec() };
    assert_eq!(timed("noise", &small.to_png()), Ok(Vec::new()));
}

#[test]
fn many_large_codes_that_cannot_be_corrected_end_in_time() {
    let code = Qr::new(&"y".repeat(2_000)).unwrap();
    let mut spoiled = Sheet::of_code(&code, 2);
    // Everything but finders and timing lines.
    for y in 30..spoiled.height - 30 {
        for x in 30..spoiled.width - 30 {
            if (x / 2 * 7 + y / 2 * 3) % 4 == 0 {
                let place = y * spoiled.width + x;
                spoiled.pixels[place] = 255 - spoiled.pixels[place];
            }
        }
    }
    let mut sheet = Sheet::new(spoiled.width * 5, spoiled.height * 5, 255);
    for place in 0..25 {
        sheet.put(&spoiled, place % 5 * spoiled.width, place / 5 * spoiled.height);
    }
    assert_eq!(timed("spoiled codes", &sheet.to_png()), Ok(Vec::new()));
}

/// A progressive JPEG of this size with so many scans that each say nothing.
fn deep(side: u16, scans: usize) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    file.extend([1; 64]);
    file.extend([0xff, 0xc2, 0, 11, 8]);
    file.extend([side.to_be_bytes(), side.to_be_bytes()].concat());
    file.extend([1, 1, 0x11, 0]);
    // One code of one bit: a run of 2^14 and more blocks without anything.
    file.extend([0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0]);
    for _ in 0..scans {
        file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0]);
        let runs = usize::from(side / 8).pow(2) / 16_384 + 1;
        file.extend(vec![0; runs * 15 / 8 + 2]);
    }
    file.extend([0xff, 0xd9]);
    file
}

#[test]
fn a_progressive_picture_with_endless_scans_is_refused() {
    assert_eq!(timed("few scans", &deep(2_000, 8)), Ok(Vec::new()));
    assert!(matches!(timed("deep", &deep(4_000, 3_000)), Err(PictureError::TooLarge(_))));
    assert!(matches!(timed("segments", &deep(16, 8_000)), Err(PictureError::Damaged(_))));
    assert!(matches!(timed("wide", &deep(4_400, 1)), Err(PictureError::TooLarge(_))));
}

#[test]
fn a_picture_that_was_cut_is_read_as_far_as_it_goes_and_otherwise_called_damaged() {
    let code = Sheet::of_code(&Qr::new(LINK).unwrap(), 4);
    let mut sheet = Sheet::new(code.width * 2, code.height * 3, 240);
    sheet.put(&code, 30, 10);
    for file in [sheet.to_jpeg(12, true), sheet.to_jpeg(12, false), sheet.to_png()] {
        let mut read = 0;
        for part in 0..40 {
            match qr::read(&file[..file.len() * part / 40]) {
                Ok(texts) => {
                    assert_eq!(texts, [LINK]);
                    read += 1;
                }
                Err(PictureError::Damaged(_) | PictureError::Kind(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert!(read >= 1, "the code stands in the upper half");
    }
}

#[test]
fn a_progressive_jpeg_of_another_writer_is_read() {
    let read = qr::read(PROGRESSIVE).unwrap();
    assert_eq!(read, [LINK]);
}

#[test]
fn every_changed_byte_of_a_jpeg_is_survived() {
    // Every byte of the headers and tables, and here and there one of the data.
    let small = Sheet::new(40, 30, 128).to_jpeg(60, true);
    for (good, headers) in [(small.as_slice(), 400), (PROGRESSIVE, 0)] {
        for place in (0..good.len()).filter(|place| *place < headers || place % 61 == 0) {
            for change in [1u8, 0x10, 0x80, 0xff] {
                let mut changed = good.to_vec();
                changed[place] ^= change;
                let _ = qr::read(&changed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn jpegs_with_pieces_replaced_are_survived(
        which in any::<bool>(), start in any::<usize>(), length in 0usize..60,
        piece in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut bytes =
            if which { PROGRESSIVE.to_vec() } else { Sheet::of_code(&Qr::new("x").unwrap(), 3).to_jpeg(30, false) };
        let start = start % bytes.len();
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, piece);
        let _ = qr::read(&bytes);
    }

    #[test]
    fn random_bytes_behind_each_mark_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for mark in [&b"\xff\xd8\xff"[..], b"\xff\xd8\xff\xc2\0\x0b\x08\0\x40\0\x40\x01\x01\x11\0", b"\x89PNG\r\n\x1a\n"] {
            let _ = qr::read(&[mark, &bytes].concat());
        }
    }

    #[test]
    fn codes_whose_modules_lie_are_survived(
        text in "[ -~]{1,120}", flips in prop::collection::vec((any::<usize>(), any::<usize>()), 0..400),
        degrees in 0.0f64..360.0,
    ) {
        let mut sheet = Sheet::of_code(&Qr::new(&text).unwrap(), 3);
        let side = sheet.width / 3;
        for (x, y) in flips {
            let (x, y) = (x % side * 3, y % side * 3);
            for place in (0..9).map(|at| (y + at / 3) * sheet.width + x + at % 3) {
                sheet.pixels[place] = 255 - sheet.pixels[place];
            }
        }
        let view = View { degrees, tilt: 0.2, fills: 0.7, noise: 10.0 };
        let photo = sheet.photographed(260, 240, &view);
        for read in qr::read(&photo.to_png()).unwrap() {
            prop_assert_eq!(&read, &text);
        }
    }
}
