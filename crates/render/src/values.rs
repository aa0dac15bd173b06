//! Values of attributes: each kind has a strict form, and what does not match it is refused.
//!
//! The forms are narrower than SVG's own: colours are `#rrggbb`, numbers have no units, references
//! lead to an id of the same file or to an asset by its hash. So no parser further down the line
//! sees anything surprising. Nothing here touches the file system or the network.

use svgtypes::{SimplePathSegment, SimplifyingPathParser};

use crate::{
    fixed::decimal,
    limits::{DASHES_MAX, NUMBER_MAX, SIDE_UM},
};

const ID_BYTES_MAX: usize = 64;
const LOCKS: [&str; 5] = ["position", "size", "text", "style", "delete"];

/// The form of an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Positive,
    Fraction,
    Colour,
    Paint,
    LocalUrl,
    LocalHref,
    AssetHref,
    Id,
    Lock,
    Transform,
    Dashes,
    PathData,
    Points,
    Millimetres,
    ViewBox,
    AspectRatio,
    OneOf(&'static [&'static str]),
}

/// Whether the value reaches outside the file: an address, a path, a program, embedded data.
pub(crate) fn is_outside(value: &str, kind: Kind) -> bool {
    match kind {
        Kind::LocalHref => !value.starts_with('#'),
        Kind::AssetHref => !value.starts_with("asset:"),
        Kind::Paint | Kind::LocalUrl => {
            let lower = value.to_ascii_lowercase();
            lower.starts_with("url(") && !lower.starts_with("url(#")
        }
        _ => {
            let lower = value.to_ascii_lowercase();
            lower.contains("javascript:") || lower.contains("://") || lower.contains("@import")
        }
    }
}

/// Checks a value. Answers how many path commands it holds, or the form that is expected.
pub(crate) fn check(value: &str, kind: Kind) -> Result<usize, &'static str> {
    let (good, expected) = match kind {
        Kind::Number => (number(value).is_some(), "a number without unit"),
        Kind::Positive => {
            (number(value).is_some_and(|number| number >= 0.0), "a number from 0 upwards without unit")
        }
        Kind::Fraction => {
            (number(value).is_some_and(|number| (0.0..=1.0).contains(&number)), "a number from 0 to 1")
        }
        Kind::Colour => (colour(value).is_some(), "#rrggbb"),
        Kind::Paint => (
            value == "none" || colour(value).is_some() || local_url(value).is_some(),
            "none, #rrggbb or url(#id)",
        ),
        Kind::LocalUrl => (value == "none" || local_url(value).is_some(), "none or url(#id)"),
        Kind::LocalHref => (local_href(value).is_some(), "#id"),
        Kind::AssetHref => (asset(value).is_some(), "asset: and a SHA-256 in lower-case hexadecimal"),
        Kind::Id => (id(value), "a letter, then letters, digits, . _ - (64 at most)"),
        Kind::Lock => (
            value.split(',').all(|lock| LOCKS.contains(&lock)),
            "position, size, text, style, delete, separated by commas",
        ),
        Kind::Transform => (transform(value).is_some(), "SVG transforms"),
        Kind::Dashes => (dashes(value), "none, or up to 16 numbers from 0 upwards"),
        Kind::PathData => return path_commands(value).ok_or("SVG path data"),
        Kind::Points => return points(value).ok_or("pairs of numbers"),
        Kind::Millimetres => (millimetres(value).is_some(), "20mm to 1000mm, with at most three decimals"),
        Kind::ViewBox => (view_box(value).is_some(), "0 0 width height"),
        Kind::AspectRatio => (aspect_ratio(value), "none, or xMidYMid meet and the like"),
        Kind::OneOf(words) => (words.contains(&value), one_of(words)),
    };
    if good { Ok(0) } else { Err(expected) }
}

fn one_of(words: &'static [&'static str]) -> &'static str {
    match words.len() {
        1 => words.first().copied().unwrap_or_default(),
        _ => "one of the words of the profile",
    }
}

/// A finite number of bounded size.
pub(crate) fn number(text: &str) -> Option<f64> {
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    if text.is_empty() || text.len() > 32 || !text.bytes().all(plain) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    (value.is_finite() && value.abs() <= NUMBER_MAX).then_some(value)
}

/// `#rgb` or `#rrggbb`.
pub(crate) fn colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#')?;
    let nibbles: Option<Vec<u8>> =
        digits.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    match *nibbles?.as_slice() {
        [r, g, b] => Some([r * 17, g * 17, b * 17]),
        [r, s, g, h, b, c] => Some([r * 16 + s, g * 16 + h, b * 16 + c]),
        _ => None,
    }
}

/// The id in `url(#id)`.
pub(crate) fn local_url(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("url(#")?.strip_suffix(')')?;
    id(inside).then_some(inside)
}

/// The id in `#id`.
pub(crate) fn local_href(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('#')?;
    id(inside).then_some(inside)
}

/// The hash in `asset:<sha256>`.
pub(crate) fn asset(text: &str) -> Option<&str> {
    text.strip_prefix("asset:").filter(|hash| is_sha256(hash))
}

/// 64 lower-case hexadecimal digits.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

pub(crate) fn id(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    first && text.len() <= ID_BYTES_MAX && bytes.all(rest)
}

/// `297mm` in micrometres.
pub(crate) fn millimetres(text: &str) -> Option<i64> {
    let um = decimal(text.strip_suffix("mm")?, 3)?;
    SIDE_UM.contains(&um).then_some(um)
}

/// Width and height of `0 0 width height`, in ten-thousandths of a user unit.
pub(crate) fn view_box(text: &str) -> Option<(i64, i64)> {
    let mut parts = text.split(' ');
    let (x, y) = (parts.next()?, parts.next()?);
    let (width, height) = (decimal(parts.next()?, 4)?, decimal(parts.next()?, 4)?);
    let sane = |side: i64| (10_000..=1_000_000_000).contains(&side);
    let good = x == "0" && y == "0" && parts.next().is_none() && sane(width) && sane(height);
    good.then_some((width, height))
}

/// The matrix `[a b c d e f]` of a list of SVG transforms.
pub(crate) fn transform(text: &str) -> Option<[f64; 6]> {
    let read: svgtypes::Transform = text.parse().ok()?;
    let matrix = [read.a, read.b, read.c, read.d, read.e, read.f];
    let sane = |value: &f64| value.is_finite() && value.abs() <= NUMBER_MAX;
    matrix.iter().all(sane).then_some(matrix)
}

fn dashes(text: &str) -> bool {
    if text == "none" {
        return true;
    }
    let mut sum = 0.0;
    let mut count = 0_usize;
    for part in text.split([' ', ',']).filter(|part| !part.is_empty()) {
        match number(part) {
            Some(value) if value >= 0.0 => sum += value,
            _ => return false,
        }
        count += 1;
    }
    (1..=DASHES_MAX).contains(&count) && sum > 0.05
}

fn path_commands(text: &str) -> Option<usize> {
    let sane = |values: &[f64]| values.iter().all(|v| v.is_finite() && v.abs() <= NUMBER_MAX);
    let mut count = 0_usize;
    for segment in SimplifyingPathParser::from(text) {
        let good = match segment.ok()? {
            SimplePathSegment::MoveTo { x, y } | SimplePathSegment::LineTo { x, y } => sane(&[x, y]),
            SimplePathSegment::Quadratic { x1, y1, x, y } => sane(&[x1, y1, x, y]),
            SimplePathSegment::CurveTo { x1, y1, x2, y2, x, y } => sane(&[x1, y1, x2, y2, x, y]),
            SimplePathSegment::ClosePath => true,
        };
        if !good {
            return None;
        }
        count += 1;
    }
    Some(count)
}

fn points(text: &str) -> Option<usize> {
    let mut count = 0_usize;
    for part in text.split([' ', ',']).filter(|part| !part.is_empty()) {
        number(part)?;
        count += 1;
    }
    count.is_multiple_of(2).then_some(count / 2)
}

fn aspect_ratio(text: &str) -> bool {
    let (align, fit) = text.split_once(' ').unwrap_or((text, "meet"));
    let aligned = align == "none"
        || ["xMin", "xMid", "xMax"]
            .iter()
            .any(|x| align.strip_prefix(x).is_some_and(|y| matches!(y, "YMin" | "YMid" | "YMax")));
    aligned && matches!(fit, "meet" | "slice")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_knows_its_form() {
        let good: &[(&str, Kind)] = &[
            ("-1.5e2", Kind::Number),
            ("0.5", Kind::Fraction),
            ("#0af", Kind::Colour),
            ("url(#gold)", Kind::Paint),
            ("none", Kind::LocalUrl),
            ("position,text", Kind::Lock),
            ("rotate(45 10 10) scale(2)", Kind::Transform),
            ("1 2,3", Kind::Dashes),
            ("297mm", Kind::Millimetres),
            ("0 0 297 210", Kind::ViewBox),
            ("xMidYMid slice", Kind::AspectRatio),
        ];
        for (value, kind) in good {
            assert_eq!(check(value, *kind), Ok(0), "{value}");
        }
        let wrong: &[(&str, Kind)] = &[
            ("1px", Kind::Number),
            ("NaN", Kind::Number),
            ("1e300", Kind::Number),
            ("-1", Kind::Positive),
            ("1.1", Kind::Fraction),
            ("red", Kind::Colour),
            ("#12345", Kind::Colour),
            ("url(#a b)", Kind::Paint),
            ("asset:12", Kind::AssetHref),
            ("1id", Kind::Id),
            ("rotate(", Kind::Transform),
            ("0 0", Kind::Dashes),
            ("M 0 0 L", Kind::PathData),
            ("M 0 0 L 1e9 0", Kind::PathData),
            ("1 2 3", Kind::Points),
            ("1001mm", Kind::Millimetres),
            ("19mm", Kind::Millimetres),
            ("297px", Kind::Millimetres),
            ("0 0 0 10", Kind::ViewBox),
            ("1 0 10 10", Kind::ViewBox),
        ];
        for (value, kind) in wrong {
            assert!(check(value, *kind).is_err(), "{value}");
        }
    }

    #[test]
    fn path_commands_are_counted() {
        assert_eq!(check("M0 0 h10 v10 z", Kind::PathData), Ok(4));
        assert_eq!(check("0,0 10,0 10,10", Kind::Points), Ok(3));
    }

    #[test]
    fn what_reaches_outside_is_seen() {
        for (value, kind) in [
            ("https://evil.example/a", Kind::AssetHref),
            ("data:image/png;base64,AA", Kind::AssetHref),
            ("other.svg#a", Kind::LocalHref),
            ("URL(https://evil.example)", Kind::Paint),
            ("javascript:alert(1)", Kind::Number),
        ] {
            assert!(is_outside(value, kind), "{value}");
        }
    }
}
