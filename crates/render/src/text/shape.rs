//! From text to pieces: stretches of one font, script and direction, shaped in font units.
//!
//! A piece never crosses a place where a line may break, and white space stands in pieces of its
//! own, so that lines can be put together from pieces without shaping again: sums are exact.
//! Fonts are chosen per cluster (a character and the marks on it). No size is known here.

use std::{collections::BTreeMap, ops::Range, sync::Arc, sync::Mutex};

use rustybuzz::{Direction, Feature, ShapePlan, UnicodeBuffer, ttf_parser};
use unicode_bidi::{BidiInfo, Level};
use unicode_linebreak::BreakOpportunity;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

use super::Faces;
use crate::{
    RenderError,
    boxes::{TextBox, TextDirection},
    error::Problem,
};

/// Most shaping plans that a template keeps.
const PLANS_MAX: usize = 256;

/// A shaped glyph, in font units, y upwards.
#[derive(Debug, Clone)]
pub(super) struct ShapedGlyph {
    pub id: u16,
    pub x_offset: i64,
    pub y_offset: i64,
    pub advance: i64,
    pub range: Range<usize>,
}

/// What a piece paints, in font units around its own origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    pub left: i64,
    pub right: i64,
    pub top: i64,
    pub bottom: i64,
}

/// A stretch of text of one font, script and direction.
#[derive(Debug)]
pub(super) struct Piece {
    pub font: usize,
    pub level: u8,
    pub is_space: bool,
    /// A line may end after this piece.
    pub may_break: bool,
    pub glyphs: Vec<ShapedGlyph>,
    pub advance: i64,
    /// The tracking that ends the piece and does not count at a line's end.
    pub tail: i64,
    pub ink: Option<Ink>,
}

/// A whole text, shaped.
#[derive(Debug)]
pub(super) struct Shaped {
    pub pieces: Vec<Piece>,
    pub is_right_to_left: bool,
}

/// Shaping plans by font, script, direction and language: making one costs more than using it.
#[derive(Default)]
pub(crate) struct Plans(Mutex<BTreeMap<PlanKey, Arc<ShapePlan>>>);

type PlanKey = (usize, u32, bool, bool, String);

impl std::fmt::Debug for Plans {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Plans")
    }
}

impl Plans {
    fn get(&self, key: PlanKey, make: impl FnOnce() -> ShapePlan) -> Arc<ShapePlan> {
        // A plan is a pure function of its key, so a lock broken by a panic leaves nothing wrong.
        let mut plans = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(plan) = plans.get(&key) {
            return Arc::clone(plan);
        }
        let plan = Arc::new(make());
        if plans.len() < PLANS_MAX {
            plans.insert(key, Arc::clone(&plan));
        }
        plan
    }
}

/// One character, with everything that decides in which piece it goes.
struct Unit {
    at: usize,
    character: char,
    level: u8,
    script: Script,
    font: usize,
    is_space: bool,
}

pub(super) fn shape(
    text_box: &TextBox,
    text: &str,
    faces: &Faces<'_>,
    plans: &Plans,
) -> Result<Shaped, RenderError> {
    let wanted = match text_box.direction {
        TextDirection::Auto => None,
        TextDirection::LeftToRight => Some(Level::ltr()),
        TextDirection::RightToLeft => Some(Level::rtl()),
    };
    let bidi = BidiInfo::new(text, wanted);
    let is_right_to_left = bidi
        .paragraphs
        .first()
        .map_or(text_box.direction == TextDirection::RightToLeft, |paragraph| paragraph.level.is_rtl());
    let units = units(text_box, text, &bidi.levels, faces)?;
    let breaks: Vec<usize> = unicode_linebreak::linebreaks(text)
        .filter(|(_, kind)| matches!(kind, BreakOpportunity::Allowed | BreakOpportunity::Mandatory))
        .map(|(at, _)| at)
        .collect();
    let mut next_break = breaks.iter().copied().peekable();
    let mut pieces = Vec::new();
    let mut rest = units.as_slice();
    while let Some(first) = rest.first() {
        while next_break.next_if(|at| *at <= first.at).is_some() {}
        let limit = next_break.peek().copied().unwrap_or(text.len());
        let same = |unit: &&Unit| {
            unit.at < limit
                && unit.font == first.font
                && unit.level == first.level
                && unit.is_space == first.is_space
                && unit.script == first.script
        };
        let length = rest.iter().take_while(same).count().max(1);
        let (now, later) = rest.split_at(length);
        rest = later;
        let end = rest.first().map_or(text.len(), |unit| unit.at);
        let mut piece = shape_piece(text_box, now, end, faces, plans)?;
        piece.may_break = end == limit;
        pieces.push(piece);
    }
    Ok(Shaped { pieces, is_right_to_left })
}

/// Gives each character its script and its font.
fn units(
    text_box: &TextBox,
    text: &str,
    levels: &[Level],
    faces: &Faces<'_>,
) -> Result<Vec<Unit>, RenderError> {
    let mut units: Vec<Unit> = Vec::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        units.push(Unit {
            at,
            character,
            level: levels.get(at).map_or(0, |level| level.number()),
            script: character.script(),
            font: 0,
            is_space: matches!(character, ' ' | '\u{3000}'),
        });
    }
    resolve_scripts(&mut units);
    let mut start = 0;
    let mut previous_font = None;
    while start < units.len() {
        let rest = units.get(start..).unwrap_or_default();
        let more = rest.iter().skip(1).take_while(|unit| joins(unit.character)).count();
        let end = start + 1 + more;
        let cluster = units.get_mut(start..end).unwrap_or_default();
        let font = font_for(text_box, cluster, previous_font, faces).map_err(|character| {
            RenderError::from(Problem::MissingGlyph {
                box_id: text_box.id.clone(),
                character,
                text: text.to_owned(),
            })
        })?;
        for unit in cluster.iter_mut() {
            unit.font = font;
        }
        previous_font = Some(font);
        start = end;
    }
    Ok(units)
}

/// Common and inherited characters take the script of what stands before them, or else after.
fn resolve_scripts(units: &mut [Unit]) {
    let real = |script: Script| !matches!(script, Script::Common | Script::Inherited);
    let first = units.iter().map(|unit| unit.script).find(|script| real(*script));
    let mut last = first.unwrap_or(Script::Latin);
    for unit in units {
        if real(unit.script) {
            last = unit.script;
        } else {
            unit.script = last;
        }
    }
}

/// Whether the character belongs to the cluster before it.
fn joins(character: char) -> bool {
    is_combining_mark(character) || matches!(character, '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// The first font of the chain that has the whole cluster, or the character that none has.
fn font_for(
    text_box: &TextBox,
    cluster: &[Unit],
    previous: Option<usize>,
    faces: &Faces<'_>,
) -> Result<usize, char> {
    let has = |font: usize, character: char| {
        is_invisible(character)
            || faces
                .get(font)
                .is_some_and(|(_, face)| face.glyph_index(character).is_some_and(|id| id.0 != 0))
    };
    let first = cluster.first().map_or(' ', |unit| unit.character);
    if let Some(unit) = cluster.iter().find(|unit| is_refused(unit.character)) {
        return Err(unit.character);
    }
    // Spaces and invisible characters stay with the text before them, so that runs are long.
    if (first == ' ' || is_invisible(first))
        && cluster.len() == 1
        && let Some(font) = previous.filter(|font| has(*font, first))
    {
        return Ok(font);
    }
    let whole = |font: &&usize| cluster.iter().all(|unit| has(**font, unit.character));
    if let Some(font) = text_box.fonts.iter().find(whole) {
        return Ok(*font);
    }
    let nowhere = |unit: &&Unit| !text_box.fonts.iter().any(|font| has(*font, unit.character));
    Err(cluster
        .iter()
        .find(nowhere)
        .map_or_else(|| cluster.get(1).map_or(first, |unit| unit.character), |unit| unit.character))
}

/// Characters that count as ones that no font can draw. Embeddings and overrides of direction: a
/// name that shows itself in another order than it is stored would be a forgery. And the byte
/// order mark, which archival PDF does not allow in text.
fn is_refused(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{feff}')
}

/// Characters that draw nothing by design (Default_Ignorable_Code_Point of Unicode).
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}'
    )
}

fn shape_piece(
    text_box: &TextBox,
    units: &[Unit],
    end: usize,
    faces: &Faces<'_>,
    plans: &Plans,
) -> Result<Piece, RenderError> {
    let gone = || Problem::Output { reason: "a font of the template cannot be opened".to_owned() };
    let first = units.first().ok_or_else(gone)?;
    let (font, face) = faces.get(first.font).ok_or_else(gone)?;
    let is_right_to_left = first.level % 2 == 1;
    let direction = if is_right_to_left { Direction::RightToLeft } else { Direction::LeftToRight };
    // Letters that join, as in Arabic, must not be pulled apart.
    let tracked = text_box.tracking != 0 && !is_right_to_left;
    let script_tag = ttf_parser::Tag::from_bytes(&script_bytes(first.script));
    let script = rustybuzz::Script::from_iso15924_tag(script_tag);
    let language: Option<rustybuzz::Language> = text_box.language_tag.parse().ok();
    let key = (first.font, script_tag.0, is_right_to_left, tracked, text_box.language_tag.clone());
    let plan =
        plans.get(key, || ShapePlan::new(face, direction, script, language.as_ref(), &features(tracked)));
    let mut buffer = UnicodeBuffer::new();
    for unit in units {
        // Safe because: a box's text is far below 4 GiB.
        buffer.add(unit.character, u32::try_from(unit.at).unwrap_or(u32::MAX));
    }
    buffer.set_direction(direction);
    if let Some(script) = script {
        buffer.set_script(script);
    }
    if let Some(language) = language {
        buffer.set_language(language);
    }
    let shaped = rustybuzz::shape_with_plan(face, &plan, buffer);
    let infos = shaped.glyph_infos();
    let positions = shaped.glyph_positions();
    let mut starts: Vec<usize> = infos.iter().map(|info| info.cluster as usize).collect();
    starts.sort_unstable();
    starts.dedup();
    let space = if tracked { text_box.tracking * font.units_per_em / 1_000 } else { 0 };
    let mut piece = Piece {
        font: first.font,
        level: first.level,
        is_space: first.is_space,
        may_break: false,
        glyphs: Vec::with_capacity(infos.len()),
        advance: 0,
        tail: 0,
        ink: None,
    };
    for (index, (info, position)) in infos.iter().zip(positions).enumerate() {
        let start = info.cluster as usize;
        let next = starts.partition_point(|other| *other <= start);
        let stop = starts.get(next).copied().unwrap_or(end);
        let id = u16::try_from(info.glyph_id).unwrap_or(0);
        let character = units.iter().find(|unit| unit.at == start).map_or(' ', |unit| unit.character);
        if id == 0 {
            return Err(Problem::MissingGlyph {
                box_id: text_box.id.clone(),
                character,
                text: units.iter().map(|unit| unit.character).collect(),
            }
            .into());
        }
        let ends_cluster = infos.get(index + 1).is_none_or(|following| following.cluster != info.cluster);
        let extra = if ends_cluster { space } else { 0 };
        let glyph = ShapedGlyph {
            id,
            x_offset: i64::from(position.x_offset),
            y_offset: i64::from(position.y_offset),
            advance: i64::from(position.x_advance) + extra,
            range: start..stop,
        };
        piece.tail = extra;
        if !piece.is_space {
            add_ink(&mut piece, face, &glyph);
        }
        piece.advance += glyph.advance;
        piece.glyphs.push(glyph);
    }
    Ok(piece)
}

fn add_ink(piece: &mut Piece, face: &ttf_parser::Face<'_>, glyph: &ShapedGlyph) {
    let Some(bounds) = face.glyph_bounding_box(ttf_parser::GlyphId(glyph.id)) else {
        return;
    };
    let x = piece.advance + glyph.x_offset;
    let here = Ink {
        left: x + i64::from(bounds.x_min),
        right: x + i64::from(bounds.x_max),
        top: glyph.y_offset + i64::from(bounds.y_max),
        bottom: glyph.y_offset + i64::from(bounds.y_min),
    };
    piece.ink = Some(match piece.ink {
        None => here,
        Some(ink) => Ink {
            left: ink.left.min(here.left),
            right: ink.right.max(here.right),
            top: ink.top.max(here.top),
            bottom: ink.bottom.min(here.bottom),
        },
    });
}

/// Kerning, ligatures and contextual forms on; ligatures off where letters are spaced out.
fn features(tracked: bool) -> Vec<Feature> {
    let set = |tag: &[u8; 4], value: u32| Feature::new(ttf_parser::Tag::from_bytes(tag), value, ..);
    vec![set(b"kern", 1), set(b"calt", 1), set(b"liga", u32::from(!tracked)), set(b"clig", 0)]
}

/// The script's four-letter name in ISO 15924.
fn script_bytes(script: Script) -> [u8; 4] {
    script.short_name().as_bytes().try_into().unwrap_or(*b"Zyyy")
}
