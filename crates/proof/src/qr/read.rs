//! Reading codes out of pictures: a photograph, a screenshot, a scan.
//!
//! ```text
//! picture ▶ grey ▶ sizes ▶ ink and paper ▶ finders ▶ triples ▶ grids ▶ modules ▶ text
//! ```
//! The grey picture is looked at in several sizes and with two measures of what is dark, and the first look that reads
//! a code ends it. Of other people's software we use what turns modules into text (`rqrr`), which is bounded by the size
//! of a code; everything that sees pixels is ours, because it must not trust them.
//! Never here: a clock. Time is bounded by counting what costs it.

use super::{
    dark::Dark,
    find::{self, Triple},
    grid::{self, Grid},
};
use crate::picture::{self, Grey, PictureError};

/// Codes that are read from one picture.
pub const CODES_MAX: usize = 8;
/// Triples of finders that are tried in one look.
const TRIPLES_MAX: usize = 64;
/// Modules that are turned into text, over all tries: a dozen of the largest codes, hundreds of usual ones.
const MODULES_MAX: usize = 400_000;
/// Sizes with fewer pixels than this are looked at last: a code that fills a tenth of the picture is gone there.
const FIRST_LOOK_PIXELS_MIN: usize = 400_000;
/// A picture of at most so many pixels is also looked at twice as large.
const DOUBLED_PIXELS_MAX: usize = 1_600_000;
/// A picture with a shorter side than this shows no code.
const SIDE_PIXELS_MIN: usize = 21;
/// How far the surroundings of a pixel reach, as parts of the longer side.
const SURROUNDINGS: [usize; 2] = [12, 40];
/// The least that the surroundings reach, in pixels.
const SURROUNDINGS_PIXELS_MIN: usize = 8;

/// The texts of the QR codes in a PNG or a JPEG, each once. None is a good answer.
///
/// # Errors
/// What keeps the picture from being looked at. A picture that ends too early is looked at as far as it goes, and is
/// an error only when no code is in it.
pub fn read(picture: &[u8]) -> Result<Vec<String>, PictureError> {
    let grey = picture::open(picture)?;
    let texts = texts(&grey);
    if texts.is_empty() && !grey.whole {
        return Err(PictureError::Damaged("it ends too early"));
    }
    Ok(texts)
}

fn texts(grey: &Grey) -> Vec<String> {
    let mut modules_left = MODULES_MAX;
    let mut sizes = Vec::new();
    let mut smaller = grey.half();
    while smaller.width.min(smaller.height) >= SIDE_PIXELS_MIN * 8 {
        let next = smaller.half();
        sizes.push(smaller);
        smaller = next;
    }
    // The coarsest that is fine enough first: noise is gone there, and it is quick.
    let small_first = sizes.iter().filter(|size| size.pixels.len() >= FIRST_LOOK_PIXELS_MIN);
    let smallest = sizes.iter().filter(|size| size.pixels.len() < FIRST_LOOK_PIXELS_MIN);
    let double = (grey.pixels.len() <= DOUBLED_PIXELS_MAX).then(|| grey.double());
    let looks = small_first.rev().chain([grey]).chain(double.as_ref()).chain(smallest);
    for size in looks {
        for part in SURROUNDINGS {
            let texts = look(size, part, &mut modules_left);
            if !texts.is_empty() {
                return texts;
            }
        }
    }
    Vec::new()
}

/// One look at one size.
fn look(grey: &Grey, part: usize, modules_left: &mut usize) -> Vec<String> {
    if grey.width.min(grey.height) < SIDE_PIXELS_MIN {
        return Vec::new();
    }
    let reach = (grey.width.max(grey.height) / part).max(SURROUNDINGS_PIXELS_MIN);
    let dark = Dark::new(grey, reach);
    let found = find::finders(&dark);
    let mut texts: Vec<String> = Vec::new();
    let mut taken: Vec<Triple> = Vec::new();
    for triple in find::triples(&found, TRIPLES_MAX) {
        if texts.len() >= CODES_MAX || taken.iter().any(|other| other.shares(&triple)) {
            continue;
        }
        if let Some(text) = decode(&dark, &triple, modules_left) {
            taken.push(triple);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
    texts
}

fn decode(dark: &Dark, triple: &Triple, modules_left: &mut usize) -> Option<String> {
    for side in grid::sides(dark, triple) {
        for grid in grid::grids(dark, triple, side).into_iter().filter(|grid| grid.keeps_time(dark, side)) {
            *modules_left = modules_left.checked_sub(side * side)?;
            if let Some(text) = text(dark, &grid, side) {
                return Some(text);
            }
        }
    }
    None
}

fn text(dark: &Dark, grid: &Grid, side: usize) -> Option<String> {
    let modules = rqrr::SimpleGrid::from_func(side, |column, row| grid.module(dark, column, row));
    let (_, text) = rqrr::Grid::new(modules).decode().ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    /// What a foreign crate does with modules must end well whatever they are: here with a format that is in order, so
    /// that everything behind it is reached.
    #[test]
    fn modules_of_every_size_that_mean_nothing_give_no_text_and_no_panic() {
        let mut seed = 1u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 62 == 0
        };
        for version in 1..=40 {
            let side = 17 + 4 * version;
            for format in [0x5412u32, 0x5125, 0x77c4, 0x355f, 0x1689] {
                let modules: Vec<bool> = (0..side * side).map(|_| random()).collect();
                let columns = [8, 8, 8, 8, 8, 8, 8, 8, 7, 5, 4, 3, 2, 1, 0];
                let rows = [0, 1, 2, 3, 4, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8];
                let square = rqrr::SimpleGrid::from_func(side, |column, row| {
                    let bit = columns.iter().zip(rows).position(|(x, y)| (*x, y) == (column, row));
                    bit.map_or(modules[row * side + column], |bit| format >> bit & 1 == 1)
                });
                let decoded = rqrr::Grid::new(square).decode();
                assert!(decoded.is_err(), "version {version}");
                assert_ne!(decoded.err(), Some(rqrr::DeQRError::FormatEcc), "version {version}");
            }
        }
    }
}
