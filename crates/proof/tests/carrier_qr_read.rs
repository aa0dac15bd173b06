//! QR codes are read back by a foreign reader, as pixels.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proof::qr::{Level, QUIET_ZONE, Qr};
use proptest::prelude::*;

/// What a foreign reader sees in the code drawn with four pixels for each module.
fn read(code: &Qr) -> String {
    const SCALE: usize = 4;
    let side = code.width_with_quiet_zone() * SCALE;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        let module = |place: usize| (place / SCALE).checked_sub(QUIET_ZONE);
        let dark = module(x).zip(module(y)).is_some_and(|(x, y)| code.is_dark(x, y));
        if dark { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    let (_, text) = grids[0].decode().unwrap();
    text
}

#[test]
fn a_foreign_reader_reads_every_level_and_length() {
    for level in [Level::Low, Level::Medium, Level::Quartile, Level::High] {
        for text in [
            "A",
            "12345",
            "https://selo.example/v/0123456789abcdefghjkmnpqrs",
            "São Tomé e Príncipe",
            &"Aa1-".repeat(250),
        ] {
            assert_eq!(read(&Qr::with_level(text, level).unwrap()), text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_foreign_reader_reads_any_text(text in "[ -~]{1,300}") {
        prop_assert_eq!(read(&Qr::new(&text).unwrap()), text);
    }
}
