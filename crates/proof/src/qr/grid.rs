//! From three finders to modules: how many there are, where each lies, and what it shows.
//!
//! The fourth point of the perspective is the alignment pattern near the free corner (ISO/IEC 18004 §5.3.6); where none is
//! found, and in version 1, the three finders are taken for a parallelogram.
//! Never here: a place that is believed to lie inside the picture.

use super::{dark::Dark, find::Triple};

/// Modules of a side: version 1 and version 40.
const SIDES: [usize; 2] = [21, 177];
/// From this side on the distances leave the number of modules less sure.
const LARGE_SIDE: usize = 81;
/// Modules from where the alignment pattern should be to where it is looked for.
const ALIGNMENT_REACH: (f64, f64) = (3.0, 8.0);
/// Of the 25 modules of an alignment pattern so many must be right.
const ALIGNMENT_MATCHES_MIN: usize = 21;

/// Of twenty modules of the timing lines so many must be right.
const TIMING_TWENTIETHS_MIN: usize = 16;

/// A point of the picture.
type Point = (f64, f64);

/// How many modules a side may have, the likeliest first.
pub(super) fn sides(dark: &Dark, triple: &Triple) -> Vec<usize> {
    let (corner, right, below) = points(triple);
    let modules = |to: Point| {
        let along = [across(dark, corner, to), across(dark, to, corner)];
        let (sum, count) =
            along.iter().flatten().fold((0.0, 0.0), |(sum, count), module| (sum + module, count + 1.0));
        let module = if count > 0.0 { sum / count } else { triple.corner.module };
        (to.0 - corner.0).hypot(to.1 - corner.1) / module
    };
    let between = f64::midpoint(modules(right), modules(below));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and bounded")]
    let version = ((between + 7.0 - 17.0) / 4.0).round().clamp(1.0, 40.0) as usize;
    let near = 17 + 4 * version;
    let mut sides = vec![near, near + 4, near.saturating_sub(4)];
    if near >= LARGE_SIDE {
        sides.extend([near + 8, near.saturating_sub(8)]);
    }
    let [least, most] = SIDES;
    sides.retain(|side| (least..=most).contains(side));
    sides
}

fn points(triple: &Triple) -> (Point, Point, Point) {
    let Triple { corner, right, below, .. } = triple;
    ((corner.x, corner.y), (right.x, right.y), (below.x, below.y))
}

/// The module of a finder along a line: from its middle both ways to its outer edges are seven modules.
fn across(dark: &Dark, middle: Point, toward: Point) -> Option<f64> {
    let length = (toward.0 - middle.0).hypot(toward.1 - middle.1);
    if length < 1.0 {
        return None;
    }
    let step = ((toward.0 - middle.0) / length / 4.0, (toward.1 - middle.1) / length / 4.0);
    let edge = |sign: f64| {
        let mut changes = 0;
        let mut ink = true;
        let mut steps = 0.0;
        while steps * 4.0 < length * 16.0 {
            steps += 1.0;
            let at = (middle.0 + sign * steps * step.0, middle.1 + sign * steps * step.1);
            if dark.near(at) != ink {
                ink = !ink;
                changes += 1;
                if changes == 3 {
                    return Some(steps / 4.0);
                }
            }
        }
        None
    };
    Some((edge(1.0)? + edge(-1.0)?) / 7.0)
}

/// The ways of laying a grid of this side over the code, the likeliest first.
pub(super) fn grids(dark: &Dark, triple: &Triple, side: usize) -> Vec<Grid> {
    let (corner, right, below) = points(triple);
    let span = super::find::real(side) - 7.0;
    let (far, near) = (span + 3.5, 3.5);
    let free = (right.0 + below.0 - corner.0, right.1 + below.1 - corner.1);
    let plain =
        Grid::new([((near, near), corner), ((far, near), right), ((near, far), below), ((far, far), free)]);
    let aligned = plain.as_ref().filter(|_| side > 21).and_then(|plain| {
        let wanted = (far - 3.0, far - 3.0);
        let found = alignment(dark, plain, wanted, span / 8.0)?;
        Grid::new([((near, near), corner), ((far, near), right), ((near, far), below), (wanted, found)])
    });
    aligned.into_iter().chain(plain).collect()
}

/// Where the alignment pattern is that should be at `wanted`.
fn alignment(dark: &Dark, plain: &Grid, wanted: Point, reach: f64) -> Option<Point> {
    let (least, most) = ALIGNMENT_REACH;
    let reach = reach.clamp(least, most);
    let mut best: Vec<Point> = Vec::new();
    let mut matches_best = ALIGNMENT_MATCHES_MIN;
    let mut dy = -reach;
    while dy <= reach {
        let mut dx = -reach;
        while dx <= reach {
            let place = (wanted.0 + dx, wanted.1 + dy);
            let matches = alignment_matches(dark, plain, place);
            if matches > matches_best {
                best.clear();
                matches_best = matches;
            }
            if matches == matches_best {
                best.push(place);
            }
            dx += 0.25;
        }
        dy += 0.25;
    }
    // The nearest one, and the middle of those around it that are as good.
    let apart = |p: Point, q: Point| (p.0 - q.0).hypot(p.1 - q.1);
    let nearest = best.iter().copied().min_by(|p, q| apart(*p, wanted).total_cmp(&apart(*q, wanted)))?;
    let around: Vec<Point> = best.into_iter().filter(|place| apart(*place, nearest) <= 1.0).collect();
    let count = super::find::real(around.len());
    let sum = around.iter().fold((0.0, 0.0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
    Some(plain.place((sum.0 / count, sum.1 / count)))
}

/// How many of the 25 modules are as in an alignment pattern around this place.
fn alignment_matches(dark: &Dark, plain: &Grid, (x, y): Point) -> usize {
    let offsets = [-2.0f64, -1.0, 0.0, 1.0, 2.0];
    let mut matches = 0;
    for dy in offsets {
        for dx in offsets {
            let ring = dx.abs().max(dy.abs());
            let ink = ring != 1.0;
            matches += usize::from(dark.near(plain.place((x + dx, y + dy))) == ink);
        }
    }
    matches
}

/// A perspective: where the places of a code lie in the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Of `x' = (a x + b y + c) / (g x + h y + 1)` and the like.
    terms: [f64; 8],
}

impl Grid {
    /// The perspective that takes each first point to its second; `None` when there is none.
    fn new(pairs: [(Point, Point); 4]) -> Option<Self> {
        let mut rows = Vec::with_capacity(8);
        for ((x, y), (u, v)) in pairs {
            rows.push([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u]);
            rows.push([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v]);
        }
        solve(rows).map(|terms| Self { terms })
    }

    /// Where a place of the code lies in the picture.
    pub fn place(&self, (x, y): Point) -> Point {
        let [a, b, c, d, e, f, g, h] = self.terms;
        let depth = g * x + h * y + 1.0;
        ((a * x + b * y + c) / depth, (d * x + e * y + f) / depth)
    }

    /// Whether the two timing lines, ink and paper by turns, lie where a code of this side has them (§5.3.3): a grid
    /// of another side, or over no code at all, ends here.
    pub fn keeps_time(&self, dark: &Dark, side: usize) -> bool {
        let (first, last) = (8, side.saturating_sub(8));
        let right =
            |column: usize, row: usize| self.module(dark, column, row) == (column + row).is_multiple_of(2);
        let matches: usize =
            (first..last).map(|at| usize::from(right(at, 6)) + usize::from(right(6, at))).sum();
        matches * 20 >= TIMING_TWENTIETHS_MIN * 2 * last.saturating_sub(first)
    }

    /// What a module shows: ink when most of five places in it are.
    pub fn module(&self, dark: &Dark, column: usize, row: usize) -> bool {
        let (x, y) = (super::find::real(column) + 0.5, super::find::real(row) + 0.5);
        let places = [(x, y), (x - 0.25, y), (x + 0.25, y), (x, y - 0.25), (x, y + 0.25)];
        places.into_iter().filter(|place| dark.near(self.place(*place))).count() > 2
    }
}

/// Solves eight equations of eight unknowns, each row with its right side last.
fn solve(mut rows: Vec<[f64; 9]>) -> Option<[f64; 8]> {
    for column in 0..8 {
        let size = |row: &[f64; 9]| row.get(column).copied().unwrap_or_default().abs();
        let (pivot, _) =
            rows.iter().enumerate().skip(column).max_by(|(_, p), (_, q)| size(p).total_cmp(&size(q)))?;
        rows.swap(column, pivot);
        let lead = *rows.get(column)?;
        let head = *lead.get(column)?;
        if head.abs() < 1e-9 {
            return None;
        }
        for (index, row) in rows.iter_mut().enumerate() {
            let factor = if index == column { 0.0 } else { row.get(column)? / head };
            for (value, above) in row.iter_mut().zip(&lead) {
                *value -= factor * above;
            }
        }
    }
    let mut terms = [0.0; 8];
    for (index, (term, row)) in terms.iter_mut().zip(&rows).enumerate() {
        *term = row.last()? / row.get(index)?;
    }
    terms.iter().all(|term| term.is_finite()).then_some(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perspective_takes_each_point_to_its_own() {
        let pairs = [
            ((3.5, 3.5), (40.0, 31.0)),
            ((33.5, 3.5), (310.0, 55.0)),
            ((3.5, 33.5), (22.0, 290.0)),
            ((30.5, 30.5), (290.0, 301.0)),
        ];
        let grid = Grid::new(pairs).unwrap();
        for (from, to) in pairs {
            let (x, y) = grid.place(from);
            assert!((x - to.0).abs() < 1e-6 && (y - to.1).abs() < 1e-6, "{x} {y} {to:?}");
        }
        assert!(Grid::new([((1.0, 1.0), (1.0, 1.0)); 4]).is_none());
    }
}
