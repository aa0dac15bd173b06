//! Finder patterns: the three squares in the corners of a code (ISO/IEC 18004 §5.3.2.2), and which three belong together.
//!
//! A line through the middle of a finder crosses ink, paper, ink, paper, ink as 1 : 1 : 3 : 1 : 1, whatever the angle.
//! Why our own: the finder of the reader that we know copies the picture for every guess, so that a page full of
//! finders takes it hours, and asserts what a crafted picture breaks.
//! Never here: more finders, crossings or triples than the constants say.

use super::dark::Dark;

/// Different finders that are kept, the first ones of the picture.
const FINDERS_MAX: usize = 128;
/// Crossings that are looked at in both directions.
const CROSSINGS_MAX: usize = 40_000;
/// Modules between the middles of two finders: version 1, and version 40 with something to spare.
const MODULES_BETWEEN: std::ops::RangeInclusive<f64> = 10.0..=190.0;

/// A finder: its middle, and how large a module is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Finder {
    pub x: f64,
    pub y: f64,
    pub module: f64,
    /// Lines that crossed it.
    hits: f64,
}

/// Three finders of one code, turned so that the code reads left to right and top to bottom, or mirrored so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Triple {
    pub corner: Finder,
    pub right: Finder,
    pub below: Finder,
    /// How far it is from a square, smaller is better.
    strain: f64,
}

impl Triple {
    /// Whether a finder belongs to both.
    pub fn shares(&self, other: &Self) -> bool {
        let own = [self.corner, self.right, self.below];
        [other.corner, other.right, other.below].iter().any(|finder| own.contains(finder))
    }
}

/// A stretch of pixels of one kind.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    length: usize,
    ink: bool,
}

/// The finders of a picture.
pub(super) fn finders(dark: &Dark) -> Vec<Finder> {
    let mut found: Vec<Finder> = Vec::new();
    let mut runs: Vec<Run> = Vec::new();
    let mut crossings = 0;
    for y in 0..dark.height {
        split(dark.row(y), &mut runs);
        for five in runs.array_windows::<5>() {
            if !five[0].ink || module(five.map(|run| run.length)).is_none() {
                continue;
            }
            crossings += 1;
            if crossings > CROSSINGS_MAX {
                return found;
            }
            let x = five[2].start + five[2].length / 2;
            if let Some(finder) = cross(dark, x, y) {
                keep(&mut found, finder);
            }
        }
    }
    found
}

fn split(row: &[bool], runs: &mut Vec<Run>) {
    runs.clear();
    for (x, ink) in row.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.ink == *ink => run.length += 1,
            _ => runs.push(Run { start: x, length: 1, ink: *ink }),
        }
    }
}

/// The module of five stretches that could cross a finder.
fn module(lengths: [usize; 5]) -> Option<f64> {
    let total: usize = lengths.iter().sum();
    if total < 7 {
        return None;
    }
    let module = real(total) / 7.0;
    let fits =
        |length: usize, modules: f64| (real(length) - modules * module).abs() <= modules * module * 0.6;
    let [a, b, c, d, e] = lengths;
    (fits(a, 1.0) && fits(b, 1.0) && fits(c, 3.0) && fits(d, 1.0) && fits(e, 1.0)).then_some(module)
}

/// Crosses a finder upright, level through the middle that this gave, and both ways aslant: the stretches of a real one
/// are alike on every line through its middle, those of ink that happens to lie so are not.
fn cross(dark: &Dark, x: usize, y: usize) -> Option<Finder> {
    let pixel = |x: usize, y: usize, across: isize, down: isize| {
        let (x, y) = (x.checked_add_signed(across)?, y.checked_add_signed(down)?);
        (x < dark.width && y < dark.height).then(|| dark.at(x, y))
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a step within the picture")]
    let moved = |from: usize, by: f64| (real(from) + by).max(0.0) as usize;
    let (tall, by) = through(|step| pixel(x, y, 0, step))?;
    let (middle_y, level) = (real(y) + by, moved(y, by));
    let (wide, by) = through(|step| pixel(x, level, step, 0))?;
    let (middle_x, plumb) = (real(x) + by, moved(x, by));
    let falling = through(|step| pixel(plumb, level, step, step))?;
    let rising = through(|step| pixel(plumb, level, step, -step))?;
    let alike = similar(tall, wide, 1.8) && similar(falling.0, rising.0, 1.8);
    alike.then(|| Finder { x: middle_x, y: middle_y, module: f64::midpoint(tall, wide), hits: 1.0 })
}

/// The five stretches around a place inside the core: their module, and where the core's middle lies from there.
/// `pixel` tells of each step whether it is ink, or that it is outside.
fn through(pixel: impl Fn(isize) -> Option<bool>) -> Option<(f64, f64)> {
    if pixel(0) != Some(true) {
        return None;
    }
    let side = |direction: isize| {
        let mut step = 0;
        let mut stretch = |ink: bool| {
            let mut length = 0usize;
            while pixel(step + direction) == Some(ink) {
                step += direction;
                length += 1;
            }
            length
        };
        [stretch(true), stretch(false), stretch(true)]
    };
    let ([core_left, b, a], [core_right, d, e]) = (side(-1), side(1));
    let module = module([a, b, core_left + 1 + core_right, d, e])?;
    Some((module, (real(core_right) - real(core_left)) / 2.0 + 0.5))
}

/// Adds a crossing to the finder it belongs to, or as a new one.
fn keep(found: &mut Vec<Finder>, new: Finder) {
    let has_room = found.len() < FINDERS_MAX;
    let known = found.iter_mut().find(|old| {
        let reach = old.module.max(new.module) * 2.0;
        (old.x - new.x).abs() < reach && (old.y - new.y).abs() < reach && similar(old.module, new.module, 1.8)
    });
    match known {
        Some(old) => {
            let mean = |old_value: f64, new_value: f64| (old_value * old.hits + new_value) / (old.hits + 1.0);
            *old = Finder {
                x: mean(old.x, new.x),
                y: mean(old.y, new.y),
                module: mean(old.module, new.module),
                hits: old.hits + 1.0,
            };
        }
        None if has_room => found.push(new),
        None => {}
    }
}

fn similar(left: f64, right: f64, factor: f64) -> bool {
    left.max(right) <= left.min(right) * factor
}

/// Triples that could be the corners of a code, the squarest first, at most so many.
pub(super) fn triples(found: &[Finder], triples_max: usize) -> Vec<Triple> {
    let mut triples: Vec<Triple> = Vec::new();
    for (index, first) in found.iter().enumerate() {
        for (second_index, second) in found.iter().enumerate().skip(index + 1) {
            if !similar(first.module, second.module, 1.8) {
                continue;
            }
            triples.extend(
                found.iter().skip(second_index + 1).filter_map(|third| triple(*first, *second, *third)),
            );
        }
        // What cannot be among the best need not be kept.
        if triples.len() > 16 * triples_max {
            best(&mut triples, triples_max);
        }
    }
    best(&mut triples, triples_max);
    triples
}

fn best(triples: &mut Vec<Triple>, triples_max: usize) {
    triples.sort_by(|left, right| left.strain.total_cmp(&right.strain));
    triples.truncate(triples_max);
}

fn triple(a: Finder, b: Finder, c: Finder) -> Option<Triple> {
    let apart = |p: Finder, q: Finder| (p.x - q.x).hypot(p.y - q.y);
    let (ab, bc, ca) = (apart(a, b), apart(b, c), apart(c, a));
    // The corner lies opposite the longest side.
    let (corner, one, other, leg_one, leg_other, long) = if ab >= bc && ab >= ca {
        (c, a, b, ca, bc, ab)
    } else if bc >= ca {
        (a, b, c, ab, ca, bc)
    } else {
        (b, a, c, ab, bc, ca)
    };
    let module = (a.module + b.module + c.module) / 3.0;
    let sizes = [a.module, b.module, c.module];
    let (least, most) = sizes.iter().fold((f64::MAX, 0.0f64), |(l, m), size| (l.min(*size), m.max(*size)));
    let legs = (leg_one - leg_other).abs() / leg_one.max(leg_other);
    let angle = (leg_one.powi(2) + leg_other.powi(2) - long.powi(2)) / (2.0 * leg_one * leg_other);
    let spaced = MODULES_BETWEEN.contains(&(leg_one.min(leg_other) / module));
    // NaN, of two finders in one place, fails these comparisons.
    if !(spaced && most / least <= 1.8 && legs <= 0.45 && angle.abs() <= 0.45) {
        return None;
    }
    let turn = (one.x - corner.x) * (other.y - corner.y) - (one.y - corner.y) * (other.x - corner.x);
    let (right, below) = if turn > 0.0 { (one, other) } else { (other, one) };
    Some(Triple { corner, right, below, strain: legs + angle.abs() + (most / least - 1.0) })
}

/// A count of pixels as a length; pictures have at most 40 million.
#[expect(clippy::cast_precision_loss, reason = "below 2^52")]
pub(super) fn real(pixels: usize) -> f64 {
    pixels as f64
}
