//! Text layout: from a box's text to glyphs at whole-number positions.
//!
//! The steps follow Unicode: direction (UAX 9), runs of one script (UAX 24), a font for each
//! cluster from the declared chain, shaping (HarfBuzz's rules), lines (UAX 14), then the largest
//! size that fits. Shaping happens once, in font units, because a size only scales it. Kerning,
//! ligatures and contextual forms are on, hyphenation is off. What cannot be drawn or does not fit
//! is an error; nothing is ever left out, cut off or replaced.

mod fit;
mod shape;

use std::ops::Range;

use crate::{
    RenderError,
    boxes::{Area, Matrix, TextBox},
    fonts::{Face, Font},
};
pub(crate) use shape::is_invisible;

/// A glyph at its place, in ticks. `x` and `y` are the pen's position on the page's y-down axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glyph {
    /// Glyph number in its font.
    pub id: u16,
    /// Left edge of the glyph's origin.
    pub x: i64,
    /// Baseline of the glyph.
    pub y: i64,
    /// Distance to the next glyph's pen position.
    pub advance: i64,
    /// The bytes of the text that this glyph stands for.
    pub range: Range<usize>,
}

/// Glyphs of one font on one line, from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Position in the template's list of fonts.
    pub(crate) font: usize,
    /// SHA-256 of the font, in lower-case hexadecimal.
    pub font_sha256: String,
    /// The glyphs.
    pub glyphs: Vec<Glyph>,
}

/// One line of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its runs, from left to right.
    pub runs: Vec<Run>,
    /// Baseline, in ticks.
    pub baseline: i64,
    /// Left edge and right edge of all ink and advances, in ticks.
    pub extent: (i64, i64),
}

/// A box whose text has its final place and size.
#[derive(Debug, Clone, PartialEq)]
pub struct LaidText {
    /// The box's name in the template.
    pub box_id: String,
    /// The text in normal form C.
    pub text: String,
    /// The size used, in ticks (1/1024 pt).
    pub size: i64,
    /// The box itself, in ticks: x, y, width, height.
    pub area: (i64, i64, i64, i64),
    /// Its lines, from top to bottom.
    pub lines: Vec<Line>,
    pub(crate) fill: [u8; 3],
    pub(crate) transform: Matrix,
    pub(crate) language_tag: String,
    /// Whether the text shows the link for verification.
    pub(crate) is_link: bool,
    /// Whether its letters are spaced out.
    pub(crate) is_tracked: bool,
}

impl Line {
    /// The stretch of the box's text that stands on this line.
    pub(crate) fn text<'a>(&self, whole: &'a str) -> Option<&'a str> {
        let ranges = || self.runs.iter().flat_map(|run| &run.glyphs).map(|glyph| &glyph.range);
        let start = ranges().map(|range| range.start).min()?;
        let end = ranges().map(|range| range.end).max()?;
        whole.get(start..end)
    }
}

/// The faces of a template, opened once for a whole page.
pub(crate) struct Faces<'a> {
    pub fonts: &'a [Font],
    pub faces: Vec<Option<Face<'a>>>,
}

impl<'a> Faces<'a> {
    pub fn open(fonts: &'a [Font]) -> Self {
        Self { fonts, faces: fonts.iter().map(Font::face).collect() }
    }

    fn get(&self, index: usize) -> Option<(&Font, &Face<'a>)> {
        Some((self.fonts.get(index)?, self.faces.get(index)?.as_ref()?))
    }
}

/// Lays the text out in its box.
pub(crate) fn lay_out(
    text_box: &TextBox,
    text: String,
    faces: &Faces<'_>,
    plans: &shape::Plans,
) -> Result<LaidText, RenderError> {
    let shaped = shape::shape(text_box, &text, faces, plans)?;
    let (size, lines) = fit::fit(text_box, &text, &shaped, faces)?;
    let Area { x, y, width, height } = text_box.area;
    Ok(LaidText {
        box_id: text_box.id.clone(),
        size,
        area: (x, y, width, height),
        lines,
        fill: text_box.fill,
        transform: text_box.transform,
        language_tag: text_box.language_tag.clone(),
        is_tracked: text_box.tracking != 0,
        is_link: text_box.content.pointers().any(|pointer| pointer == "/qr/verify"),
        text,
    })
}

pub(crate) use shape::Plans;
