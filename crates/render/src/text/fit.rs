//! From pieces to lines that fit the box: sizes in steps of a quarter point, whole numbers only.
//!
//! A text fits when every line's advances and ink lie within the box's width, and all lines, by
//! the first font's height and by their ink, within its height. The largest size that fits wins;
//! if none does, the error names box and text. Centred lines are balanced.

use std::{cmp::Reverse, ops::Range};

use super::{
    Faces, Glyph, Line, Run,
    shape::{Piece, Shaped},
};
use crate::{
    RenderError,
    boxes::{Align, Fit, TextBox, VerticalAlign},
    error::Problem,
    fixed::{SIZE_STEP, scale},
};

/// One line before it has a place: pieces in the order in which they are drawn.
struct Draft {
    pieces: Vec<usize>,
    /// Width of all advances, in ticks.
    advance: i64,
    /// Ink that reaches beyond the pen, in ticks; never less than the advances.
    left: i64,
    right: i64,
    /// Ink above and below the baseline, in ticks.
    above: i64,
    below: i64,
}

struct Measure<'a> {
    text_box: &'a TextBox,
    shaped: &'a Shaped,
    faces: &'a Faces<'a>,
}

pub(super) fn fit(
    text_box: &TextBox,
    text: &str,
    shaped: &Shaped,
    faces: &Faces<'_>,
) -> Result<(i64, Vec<Line>), RenderError> {
    let measure = Measure { text_box, shaped, faces };
    if shaped.pieces.iter().all(|piece| piece.is_space) {
        return Ok((text_box.size, Vec::new()));
    }
    let overflow =
        || RenderError::from(Problem::Overflow { box_id: text_box.id.clone(), text: text.to_owned() });
    // Sizes are size - step * SIZE_STEP; find the first step that fits.
    let steps = match text_box.fit {
        Fit::None => 0,
        Fit::Shrink | Fit::Wrap(_) => (text_box.size - text_box.size_min) / SIZE_STEP,
    };
    let size_of = |step: i64| text_box.size - step * SIZE_STEP;
    let (mut low, mut high) = (0, steps);
    let mut best = None;
    while low <= high {
        let middle = i64::midpoint(low, high);
        match measure.attempt(size_of(middle)) {
            Some(drafts) => {
                best = Some((size_of(middle), drafts));
                high = middle - 1;
            }
            None => low = middle + 1,
        }
    }
    let (size, drafts) = best.ok_or_else(overflow)?;
    Ok((size, measure.place(size, &drafts)))
}

impl Measure<'_> {
    fn ticks(&self, font: usize, units: i64, size: i64) -> i64 {
        let em = self.faces.fonts.get(font).map_or(1_000, |font| font.units_per_em);
        scale(units, size, em)
    }

    fn advance(&self, piece: &Piece, size: i64) -> i64 {
        self.ticks(piece.font, piece.advance, size)
    }

    /// The lines at this size, or `None` if they do not fit.
    fn attempt(&self, size: i64) -> Option<Vec<Draft>> {
        let width = self.text_box.area.width;
        let drafts = match self.text_box.fit {
            Fit::Shrink | Fit::None => vec![self.draft(0..self.shaped.pieces.len(), size)],
            Fit::Wrap(lines_max) => {
                let ranges = self.break_lines(size, width, lines_max)?;
                let count = ranges.len();
                let ranges = match self.text_box.align {
                    Align::Center if count > 1 => self.balance(size, width, count).unwrap_or(ranges),
                    _ => ranges,
                };
                ranges.into_iter().map(|range| self.draft(range, size)).collect()
            }
        };
        let wide = drafts.iter().any(|draft| draft.right - draft.left > width);
        let (top, bottom, between) = self.heights(size, &drafts);
        let inner: i64 = between.iter().sum();
        let high = top + inner + bottom > self.text_box.area.height;
        (!wide && !high).then_some(drafts)
    }

    /// Takes as many pieces into each line as fit. `None` when there are too many lines or a
    /// single unbreakable stretch is too wide.
    fn break_lines(&self, size: i64, width: i64, lines_max: usize) -> Option<Vec<Range<usize>>> {
        let pieces = &self.shaped.pieces;
        let mut lines = Vec::new();
        let mut start = 0;
        // Width of the line up to the last place where it may break, and what came after it.
        let mut used = 0;
        let mut pending_space = 0;
        let mut at = 0;
        while at < pieces.len() {
            let rest = pieces.get(at..).unwrap_or_default();
            let length = rest.iter().position(|piece| piece.may_break).map_or(rest.len(), |i| i + 1);
            let stretch = rest.get(..length).unwrap_or_default();
            let (mut visible, mut trailing) = (0, 0);
            for piece in stretch {
                let advance = self.advance(piece, size);
                if piece.is_space {
                    trailing += advance;
                } else {
                    visible += trailing + advance;
                    trailing = 0;
                }
            }
            if used + pending_space + visible > width {
                if at == start || visible > width {
                    return None;
                }
                lines.push(start..at);
                if lines.len() >= lines_max {
                    return None;
                }
                start = at;
                used = 0;
                pending_space = 0;
            }
            used += pending_space + visible;
            pending_space = trailing;
            at += length;
        }
        if start < pieces.len() {
            lines.push(start..pieces.len());
        }
        (lines.len() <= lines_max).then_some(lines)
    }

    /// The same number of lines with the longest as short as possible.
    fn balance(&self, size: i64, width: i64, count: usize) -> Option<Vec<Range<usize>>> {
        let (mut low, mut high) = (width / 4, width);
        let mut best = None;
        for _ in 0..16 {
            let middle = i64::midpoint(low, high);
            match self.break_lines(size, middle, count) {
                Some(ranges) => {
                    best = Some(ranges);
                    high = middle;
                }
                None => low = middle,
            }
        }
        best.filter(|ranges| ranges.len() == count)
    }

    /// Orders the pieces of a line as they are drawn, without white space at its end.
    fn draft(&self, range: Range<usize>, size: i64) -> Draft {
        let pieces = &self.shaped.pieces;
        let piece = |index: usize| pieces.get(index);
        let mut order: Vec<usize> = range.collect();
        while order.last().and_then(|index| piece(*index)).is_some_and(|piece| piece.is_space) {
            order.pop();
        }
        reorder(&mut order, |index| piece(index).map_or(0, |piece| piece.level));
        let mut draft = Draft { pieces: order, advance: 0, left: 0, right: 0, above: 0, below: 0 };
        for index in &draft.pieces {
            let Some(piece) = pieces.get(*index) else { continue };
            if let Some(ink) = piece.ink {
                let ticks = |units| self.ticks(piece.font, units, size);
                draft.left = draft.left.min(draft.advance + ticks(ink.left));
                draft.right = draft.right.max(draft.advance + ticks(ink.right));
                draft.above = draft.above.max(ticks(ink.top));
                draft.below = draft.below.max(-ticks(ink.bottom));
            }
            draft.advance += self.advance(piece, size);
        }
        if let Some(last) = draft.pieces.last().and_then(|index| pieces.get(*index)) {
            draft.advance -= self.ticks(last.font, last.tail, size);
        }
        draft.right = draft.right.max(draft.advance);
        draft
    }

    /// Height above the first baseline, depth below the last, and the distances between.
    fn heights(&self, size: i64, drafts: &[Draft]) -> (i64, i64, Vec<i64>) {
        let first_font = self.text_box.fonts.first().copied().unwrap_or(0);
        let (ascent, descent) =
            self.faces.fonts.get(first_font).map_or((0, 0), |font| (font.ascent, font.descent));
        let above = drafts.first().map_or(0, |draft| draft.above);
        let below = drafts.last().map_or(0, |draft| draft.below);
        let leading = scale(size, self.text_box.leading, 1_000);
        let between = drafts
            .windows(2)
            .map(|pair| match pair {
                [upper, lower] => leading.max(upper.below + lower.above),
                _ => leading,
            })
            .collect();
        (
            self.ticks(first_font, ascent, size).max(above),
            self.ticks(first_font, descent, size).max(below),
            between,
        )
    }

    fn place(&self, size: i64, drafts: &[Draft]) -> Vec<Line> {
        let area = self.text_box.area;
        let (top, bottom, between) = self.heights(size, drafts);
        let inner: i64 = between.iter().sum();
        let free = area.height - top - inner - bottom;
        let mut baseline = area.y
            + top
            + match self.text_box.vertical {
                VerticalAlign::Top => 0,
                VerticalAlign::Middle => free / 2,
                VerticalAlign::Bottom => free,
            };
        let last = drafts.len().saturating_sub(1);
        let mut lines = Vec::with_capacity(drafts.len());
        for (index, draft) in drafts.iter().enumerate() {
            lines.push(self.line(size, draft, baseline, index == last));
            baseline += between.get(index).copied().unwrap_or(0);
        }
        lines
    }

    fn line(&self, size: i64, draft: &Draft, baseline: i64, is_last: bool) -> Line {
        let area = self.text_box.area;
        let rest = area.width - (draft.right - draft.left);
        let right_to_left = self.shaped.is_right_to_left;
        let spaces = draft
            .pieces
            .iter()
            .filter(|index| self.shaped.pieces.get(**index).is_some_and(|piece| piece.is_space))
            .count();
        let justified = self.text_box.align == Align::Justify && !is_last && spaces > 0;
        let shift = match self.text_box.align {
            _ if justified => 0,
            Align::Center => rest / 2,
            Align::End if right_to_left => 0,
            Align::End => rest,
            Align::Start | Align::Justify if right_to_left => rest,
            Align::Start | Align::Justify => 0,
        };
        let mut spare = Spare { rest: if justified { rest } else { 0 }, spaces };
        let left = area.x + shift;
        let mut pen = left - draft.left;
        let mut runs: Vec<Run> = Vec::new();
        for index in &draft.pieces {
            let Some(piece) = self.shaped.pieces.get(*index) else { continue };
            let extra = if piece.is_space { spare.take() } else { 0 };
            let mut glyphs = self.glyphs(piece, size, pen, baseline);
            if let Some(glyph) = glyphs.last_mut() {
                glyph.advance += extra;
            }
            pen += self.advance(piece, size) + extra;
            match runs.last_mut() {
                Some(run) if run.font == piece.font => run.glyphs.append(&mut glyphs),
                _ => runs.push(Run {
                    font: piece.font,
                    font_sha256: self
                        .faces
                        .fonts
                        .get(piece.font)
                        .map_or_else(String::new, |font| font.sha256.clone()),
                    glyphs,
                }),
            }
        }
        let right = if justified { area.x + area.width } else { left + draft.right - draft.left };
        Line { runs, baseline, extent: (left, right) }
    }

    fn glyphs(&self, piece: &Piece, size: i64, pen: i64, baseline: i64) -> Vec<Glyph> {
        let ticks = |units| self.ticks(piece.font, units, size);
        let mut units = 0;
        let mut glyphs = Vec::with_capacity(piece.glyphs.len());
        for glyph in &piece.glyphs {
            let here = ticks(units);
            units += glyph.advance;
            glyphs.push(Glyph {
                id: glyph.id,
                x: pen + here + ticks(glyph.x_offset),
                y: baseline - ticks(glyph.y_offset),
                advance: ticks(units) - here,
                range: glyph.range.clone(),
            });
        }
        glyphs
    }
}

/// The space that a justified line still has to give away.
struct Spare {
    rest: i64,
    spaces: usize,
}

impl Spare {
    fn take(&mut self) -> i64 {
        let share = self.rest / i64::try_from(self.spaces.max(1)).unwrap_or(1);
        self.rest -= share;
        self.spaces = self.spaces.saturating_sub(1);
        share
    }
}

/// Rule L2 of UAX 9: from the highest level down to the lowest odd one, turn every stretch around.
fn reorder(order: &mut [usize], level: impl Fn(usize) -> u8) {
    let mut levels: Vec<u8> = order.iter().map(|index| level(*index)).collect();
    let mut heights: Vec<u8> = levels.clone();
    heights.sort_unstable_by_key(|height| Reverse(*height));
    heights.dedup();
    let Some(lowest_odd) = heights.iter().copied().filter(|height| height % 2 == 1).min() else {
        return;
    };
    let highest = heights.first().copied().unwrap_or(0);
    for height in (lowest_odd..=highest).rev() {
        let mut start = 0;
        while start < levels.len() {
            let rest = levels.get(start..).unwrap_or_default();
            let length = rest.iter().take_while(|level| **level >= height).count();
            if length > 0 {
                if let Some(stretch) = order.get_mut(start..start + length) {
                    stretch.reverse();
                }
                if let Some(stretch) = levels.get_mut(start..start + length) {
                    stretch.reverse();
                }
            }
            start += length.max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reordered(levels: &[u8]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..levels.len()).collect();
        reorder(&mut order, |index| levels.get(index).copied().unwrap_or(0));
        order
    }

    #[test]
    fn levels_turn_stretches_around() {
        assert_eq!(reordered(&[0, 0, 0]), [0, 1, 2]);
        assert_eq!(reordered(&[1, 1, 1]), [2, 1, 0]);
        assert_eq!(reordered(&[0, 1, 1, 0]), [0, 2, 1, 3]);
        assert_eq!(reordered(&[1, 2, 2, 1]), [3, 1, 2, 0]);
        assert_eq!(reordered(&[1, 2, 3, 2]), [1, 2, 3, 0]);
    }

    #[test]
    fn spare_space_is_given_away_completely() {
        let mut spare = Spare { rest: 10, spaces: 3 };
        assert_eq!([spare.take(), spare.take(), spare.take()], [3, 3, 4]);
    }
}
