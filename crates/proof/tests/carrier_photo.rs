//! Codes are read out of photographs, screenshots and scans.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod picture_support;

use picture_support::{Sheet, View};
use proof::qr::{self, Level, Qr};

const LINK: &str = "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa";

const STRAIGHT: View = View { degrees: 0.0, tilt: 0.0, fills: 0.9, noise: 0.0 };

/// A sheet of paper with a code in its corner, as a diploma has it.
fn paper(code: &Qr, scale: usize) -> Sheet {
    let code = Sheet::of_code(code, scale);
    let mut paper = Sheet::new(code.width * 5, code.width * 7 / 2, 245);
    paper.put(&code, code.width * 4 - 20, code.width * 2);
    // Lines of writing.
    for line in 0..6 {
        for x in 0..code.width * 2 {
            for y in 0..scale * 2 {
                if !(x / (scale * 3)).is_multiple_of(3) {
                    paper.pixels
                        [(code.width / 2 + line * scale * 8 + y) * paper.width + code.width / 2 + x] = 40;
                }
            }
        }
    }
    paper
}

#[test]
fn a_code_is_read_at_every_size_level_and_length() {
    for level in [Level::Low, Level::Medium, Level::Quartile, Level::High] {
        for text in ["A", LINK, "São Tomé e Príncipe", &"Aa1-".repeat(100), &"x".repeat(1_200)] {
            let code = Qr::with_level(text, level).unwrap();
            for scale in [2, 3, 5, 8] {
                let read = qr::read(&Sheet::of_code(&code, scale).to_png());
                assert_eq!(
                    read.as_deref(),
                    Ok([text.to_owned()].as_slice()),
                    "{scale} px, {level:?}, {} bytes",
                    text.len()
                );
            }
        }
    }
}

#[test]
fn a_photograph_is_read_turned_tilted_in_bad_light_and_with_noise() {
    let paper = paper(&Qr::new(LINK).unwrap(), 8);
    for degrees in [0.0, 3.0, 17.0, 45.0, 90.0, 133.0, 180.0, 268.0] {
        for tilt in [0.0, 0.15, 0.3] {
            let view = View { degrees, tilt, fills: 0.6, noise: 24.0 };
            let photo = paper.photographed(1_280, 960, &view);
            let file = if tilt == 0.15 { photo.to_png() } else { photo.to_jpeg(16, true) };
            assert_eq!(qr::read(&file).as_deref(), Ok([LINK.to_owned()].as_slice()), "{degrees}° {tilt}");
        }
    }
}

#[test]
fn a_small_screenshot_that_was_scaled_and_packed_hard_is_read() {
    let paper = paper(&Qr::new(LINK).unwrap(), 8);
    for (width, height, step) in [(900, 640, 40), (760, 540, 30), (1_200, 900, 70)] {
        let file = paper.photographed(width, height, &View { fills: 1.0, ..STRAIGHT }).to_jpeg(step, false);
        assert_eq!(qr::read(&file).as_deref(), Ok([LINK.to_owned()].as_slice()), "{width} px");
    }
}

#[test]
fn a_whole_credential_fits_into_a_code_and_comes_back() {
    let text = format!("{{\"@context\":[],\"proof\":\"{}\"}}", "zQm9".repeat(420));
    let code = Sheet::of_code(&Qr::with_level(&text, Level::Low).unwrap(), 6);
    let photo = code.photographed(1_800, 1_500, &View { degrees: 4.0, tilt: 0.06, fills: 0.9, noise: 12.0 });
    assert_eq!(qr::read(&photo.to_jpeg(12, true)).as_deref(), Ok([text].as_slice()));
}

#[test]
fn several_codes_are_all_read_and_a_picture_without_one_has_none() {
    let mut sheet = Sheet::new(900, 400, 250);
    for (place, text) in ["one", "two", "one"].into_iter().enumerate() {
        sheet.put(&Sheet::of_code(&Qr::new(text).unwrap(), 8), 20 + place * 290, 60);
    }
    let mut read = qr::read(&sheet.to_png()).unwrap();
    read.sort();
    assert_eq!(read, ["one", "two"]);
    assert_eq!(qr::read(&Sheet::new(640, 480, 200).to_png()), Ok(Vec::new()));
    assert_eq!(qr::read(&Sheet::new(1, 1, 0).to_jpeg(8, true)), Ok(Vec::new()));
}

#[test]
fn colours_transparency_depth_and_interlacing_do_not_matter() {
    let code = Sheet::of_code(&Qr::new(LINK).unwrap(), 3);
    let (width, height) = (u32::try_from(code.width).unwrap(), u32::try_from(code.height).unwrap());
    let encode = |colour: png::ColorType, depth: png::BitDepth, data: &[u8]| {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        encoder.set_palette(vec![20, 40, 70, 255, 250, 240]);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        file
    };
    let dark = |pixel: &u8| *pixel < 128;
    let ink_on_nothing: Vec<u8> =
        code.pixels.iter().flat_map(|pixel| [0, 0, 0, if dark(pixel) { 255 } else { 0 }]).collect();
    let navy: Vec<u8> =
        code.pixels.iter().flat_map(|pixel| if dark(pixel) { [20, 41, 74] } else { [255; 3] }).collect();
    let deep: Vec<u8> = code.pixels.iter().flat_map(|pixel| [*pixel, 7]).collect();
    let indexed: Vec<u8> = code.pixels.iter().map(|pixel| u8::from(!dark(pixel))).collect();
    let (eight, sixteen) = (png::BitDepth::Eight, png::BitDepth::Sixteen);
    for file in [
        encode(png::ColorType::Rgba, eight, &ink_on_nothing),
        encode(png::ColorType::Rgb, eight, &navy),
        encode(png::ColorType::Grayscale, sixteen, &deep),
        encode(png::ColorType::Indexed, eight, &indexed),
        interlaced(&code),
    ] {
        assert_eq!(qr::read(&file).as_deref(), Ok([LINK.to_owned()].as_slice()));
    }
}

/// The seven grids of an interlaced PNG, written by hand: no writer that we have does it.
fn interlaced(sheet: &Sheet) -> Vec<u8> {
    let grids =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];
    let mut rows = Vec::new();
    for (left, top, across, down) in grids {
        for y in (top..sheet.height).step_by(down) {
            rows.push(0);
            rows.extend((left..sheet.width).step_by(across).map(|x| sheet.pixels[y * sheet.width + x]));
        }
    }
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut checksum = flate2::Crc::new();
        checksum.update(kind);
        checksum.update(data);
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], kind, data, &checksum.sum().to_be_bytes()].concat()
    };
    let side = |pixels: usize| u32::try_from(pixels).unwrap().to_be_bytes();
    let header = [&side(sheet.width)[..], &side(sheet.height), &[8, 0, 0, 0, 1]].concat();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &rows).unwrap();
    let packed = packed.finish().unwrap();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", &packed), chunk(b"IEND", &[])]
        .concat()
}

#[test]
fn a_photograph_of_twelve_million_pixels_is_read_in_time() {
    let photo = paper(&Qr::new(LINK).unwrap(), 12).photographed(
        4_000,
        3_000,
        &View { degrees: 5.0, tilt: 0.1, fills: 0.9, noise: 16.0 },
    );
    let file = photo.to_jpeg(10, true);
    let began = std::time::Instant::now();
    assert_eq!(qr::read(&file).as_deref(), Ok([LINK.to_owned()].as_slice()));
    println!("{} bytes in {:?}", file.len(), began.elapsed());
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}
