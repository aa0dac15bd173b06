//! QR codes: their fixed patterns, and a path that paints exactly their modules.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proof::qr::{Level, MAX_TEXT_BYTES, QUIET_ZONE, Qr};

const TEXT: &str = "https://selo.example/v/0123456789abcdefghjkmnpqrs";

/// Paints a path of `Mx yhwv1h-wz` rectangles; fails when two of them overlap or touch in a row.
fn paint(path: &str, side: usize) -> Vec<Vec<bool>> {
    let mut rows = vec![vec![false; side]; side];
    for rectangle in path.split_inclusive('z') {
        let body = rectangle.strip_prefix('M').unwrap().strip_suffix('z').unwrap();
        let (place, size) = body.split_once('h').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let (width, back) = size.split_once("v1h-").unwrap();
        assert_eq!(width, back);
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let width: usize = width.parse().unwrap();
        assert!(!rows[y][x - 1], "runs are merged");
        for cell in &mut rows[y][x..x + width] {
            assert!(!*cell);
            *cell = true;
        }
    }
    rows
}

#[test]
fn the_path_paints_the_modules_and_leaves_the_quiet_zone_light() {
    for text in ["", "A", TEXT, &"Ação ".repeat(200)] {
        let code = Qr::new(text).unwrap();
        let side = code.width_with_quiet_zone();
        assert_eq!(side, code.width() + 8);
        let painted = paint(&code.svg_path(), side);
        for (y, row) in painted.iter().enumerate() {
            for (x, dark) in row.iter().enumerate() {
                let inside = x >= QUIET_ZONE && y >= QUIET_ZONE;
                let expected = inside && code.is_dark(x - QUIET_ZONE, y - QUIET_ZONE);
                assert_eq!(*dark, expected, "{x} {y}");
            }
        }
        assert!(code.svg().contains(&code.svg_path()));
    }
}

#[test]
fn a_code_has_its_three_finders_and_its_timing_line() {
    let code = Qr::new(TEXT).unwrap();
    let width = code.width();
    assert_eq!(width % 4, 1);
    for (left, top) in [(0, 0), (width - 7, 0), (0, width - 7)] {
        for y in 0..7 {
            for x in 0..7 {
                let ring = x == 0 || x == 6 || y == 0 || y == 6;
                let core = (2..5).contains(&x) && (2..5).contains(&y);
                assert_eq!(code.is_dark(left + x, top + y), ring || core);
            }
        }
    }
    for x in 8..width - 8 {
        assert_eq!(code.is_dark(x, 6), x % 2 == 0);
    }
    assert!(!code.is_dark(width, 0) && !code.is_dark(0, usize::MAX));
    assert_eq!(code.rows().count(), width);
}

#[test]
fn the_same_text_gives_the_same_code_and_more_correction_never_a_smaller_one() {
    assert_eq!(Qr::new(TEXT), Qr::with_level(TEXT, Level::Medium));
    let levels = [Level::Low, Level::Medium, Level::Quartile, Level::High];
    let widths = levels.map(|level| Qr::with_level(TEXT, level).unwrap().width());
    assert!(widths.is_sorted(), "{widths:?}");
}

#[test]
fn a_text_that_fits_no_code_is_refused() {
    let longest = "x".repeat(MAX_TEXT_BYTES);
    assert_eq!(Qr::with_level(&longest, Level::Low).unwrap().width(), 177);
    Qr::new(&longest).unwrap_err();
    Qr::with_level(&format!("{longest}x"), Level::Low).unwrap_err();
    assert_eq!(Qr::new(&"x".repeat(2331)).unwrap().width(), 177);
    Qr::new(&"x".repeat(2332)).unwrap_err();
}
