//! Boxes: where text and QR codes stand, read once from their attributes.
//!
//! A box's attributes are its own: it inherits nothing from the groups around it but their
//! transforms. Lengths become ticks here, by whole numbers. A box that names no font, or whose QR
//! colours a camera could not tell apart, is an error of the template.

use crate::{
    Language, RenderError,
    error::Problem,
    fixed::{SIZE_STEP, TICKS_PER_POINT, decimal, scale},
    limits::{FONT_CHAIN_MAX, LINES_MAX},
    profile::RawBox,
    token::Content,
    values::{self, colour, is_sha256},
};

/// A matrix `[a b c d e f]` in points of the page.
pub(crate) type Matrix = [f64; 6];

/// From user units to ticks: `ticks = tenthousandths * numerator / denominator`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units {
    pub numerator: i64,
    pub denominator: i64,
}

impl Units {
    fn ticks(self, tenthousandths: i64) -> i64 {
        scale(tenthousandths, self.numerator, self.denominator)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Start,
    Center,
    End,
    Justify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerticalAlign {
    Top,
    Middle,
    Bottom,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// One line; smaller until it fits, then an error.
    Shrink,
    /// Up to so many lines, then smaller, then an error.
    Wrap(usize),
    /// One line at the given size, or an error.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextDirection {
    Auto,
    LeftToRight,
    RightToLeft,
}

/// A rectangle in ticks, in the box's own space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
}

/// A text box.
#[derive(Debug)]
pub(crate) struct TextBox {
    pub id: String,
    pub content: Content,
    pub area: Area,
    pub align: Align,
    pub vertical: VerticalAlign,
    pub fit: Fit,
    /// Wanted and smallest size, in ticks.
    pub size: i64,
    pub size_min: i64,
    /// Distance of baselines, in thousandths of the size.
    pub leading: i64,
    /// Extra space after each character, in thousandths of the size.
    pub tracking: i64,
    /// Positions in the template's list of fonts.
    pub fonts: Vec<usize>,
    pub language: Language,
    /// The language tag as written, for shaping and for the PDF.
    pub language_tag: String,
    pub direction: TextDirection,
    pub fill: [u8; 3],
    /// All transforms around and on the box, in points.
    pub transform: Matrix,
    /// The box's own transform as written.
    pub own_transform: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Correction {
    Low,
    Medium,
    Quartile,
    High,
}

/// A QR box: a square whose quiet zone of four modules is part of it.
#[derive(Debug)]
pub(crate) struct QrBox {
    pub area: Area,
    pub correction: Correction,
    pub dark: [u8; 3],
    pub light: [u8; 3],
    /// All transforms around and on the box, in points.
    pub transform: Matrix,
    /// The box's own transform as written.
    pub own_transform: Option<String>,
}

/// Reads attributes of one box.
struct Attributes<'a> {
    raw: &'a RawBox,
    units: Units,
}

impl<'a> Attributes<'a> {
    fn problem(&self, attribute: &str, expected: &'static str) -> RenderError {
        Problem::TemplateAttribute {
            element: "g".to_owned(),
            attribute: attribute.to_owned(),
            expected,
            place: Some(self.raw.place),
        }
        .into()
    }

    fn length(&self, name: &str, least: i64) -> Result<i64, RenderError> {
        const EXPECTED: &str = "a number in user units with at most four decimals";
        let value = self
            .raw
            .attribute(name)
            .and_then(|text| decimal(text, 4))
            .filter(|value| *value >= least && *value <= 1_000_000_000)
            .ok_or_else(|| self.problem(name, EXPECTED))?;
        Ok(self.units.ticks(value))
    }

    fn thousandths(
        &self,
        name: &str,
        default: i64,
        allowed: std::ops::RangeInclusive<i64>,
        expected: &'static str,
    ) -> Result<i64, RenderError> {
        match self.raw.attribute(name) {
            None => Ok(default),
            Some(text) => decimal(text, 3)
                .filter(|value| allowed.contains(value))
                .ok_or_else(|| self.problem(name, expected)),
        }
    }

    fn points(&self, name: &str) -> Result<Option<i64>, RenderError> {
        let Some(text) = self.raw.attribute(name) else {
            return Ok(None);
        };
        let hundredths = decimal(text, 2)
            .filter(|value| (300..=40_000).contains(value) && value % 25 == 0)
            .ok_or_else(|| self.problem(name, "points from 3 to 400 in steps of 0.25"))?;
        Ok(Some(hundredths * TICKS_PER_POINT / 100))
    }

    fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
        default: T,
        expected: &'static str,
    ) -> Result<T, RenderError> {
        match self.raw.attribute(name) {
            None => Ok(default),
            Some(text) => words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, value)| *value)
                .ok_or_else(|| self.problem(name, expected)),
        }
    }

    fn colour(&self, name: &str, default: [u8; 3]) -> Result<[u8; 3], RenderError> {
        match self.raw.attribute(name) {
            None => Ok(default),
            Some(text) => colour(text).ok_or_else(|| self.problem(name, "#rrggbb")),
        }
    }

    fn transform(&self) -> Result<Option<Matrix>, RenderError> {
        match self.raw.attribute("transform") {
            None => Ok(None),
            Some(text) => {
                values::transform(text).map(Some).ok_or_else(|| self.problem("transform", "SVG transforms"))
            }
        }
    }
}

/// Reads a text box. `font` turns a hash into its position in the template's list of fonts.
/// Answers the box and its own transform in user units.
pub(crate) fn text_box(
    raw: &RawBox,
    units: Units,
    font: &mut dyn FnMut(&str) -> Result<usize, RenderError>,
) -> Result<(TextBox, Option<Matrix>), RenderError> {
    let read = Attributes { raw, units };
    let id = raw
        .attribute("data-selo-box")
        .filter(|id| values::id(id))
        .ok_or_else(|| read.problem("data-selo-box", "a letter, then letters, digits, . _ -"))?;
    if let Some(lock) = raw.attribute("data-selo-lock") {
        values::check(lock, values::Kind::Lock)
            .map_err(|expected| read.problem("data-selo-lock", expected))?;
    }
    if raw.attribute("data-fit") == Some("ellipsis") {
        return Err(Problem::TemplateUnsupported {
            what: "data-fit=\"ellipsis\"".to_owned(),
            place: Some(raw.place),
        }
        .into());
    }
    let size = read
        .points("data-size")?
        .ok_or_else(|| read.problem("data-size", "points from 3 to 400 in steps of 0.25"))?;
    let size_min = read.points("data-min-pt")?.unwrap_or(size);
    if size_min > size {
        return Err(read.problem("data-min-pt", "not larger than data-size"));
    }
    let lines = match raw.attribute("data-lines") {
        None => None,
        Some(text) => Some(
            decimal(text, 0)
                .filter(|lines| (1..=LINES_MAX).contains(lines))
                .ok_or_else(|| read.problem("data-lines", "a whole number from 1 to 40"))?,
        ),
    };
    let fit = match raw.attribute("data-fit").unwrap_or("shrink") {
        "shrink" if lines.is_none() => Fit::Shrink,
        "none" if lines.is_none() && raw.attribute("data-min-pt").is_none() => Fit::None,
        "wrap" => Fit::Wrap(usize::try_from(lines.unwrap_or(LINES_MAX)).unwrap_or(1)),
        "shrink" | "none" => {
            return Err(read.problem("data-fit", "wrap when data-lines is given; none has no data-min-pt"));
        }
        _ => return Err(read.problem("data-fit", "shrink, wrap or none")),
    };
    let mut fonts = Vec::new();
    let first = raw.attribute("data-font").unwrap_or_default();
    let more = raw.attribute("data-fallback").unwrap_or_default();
    for (name, text) in [("data-font", first), ("data-fallback", more)] {
        for part in text.split(' ').filter(|part| !part.is_empty()) {
            let hash = part
                .strip_prefix("sha256:")
                .filter(|hash| is_sha256(hash))
                .ok_or_else(|| read.problem(name, "sha256: and 64 lower-case hexadecimal digits"))?;
            let index = font(hash)?;
            if !fonts.contains(&index) {
                fonts.push(index);
            }
        }
    }
    if first.is_empty() || first.contains(' ') {
        return Err(read.problem("data-font", "one font: sha256: and 64 lower-case hexadecimal digits"));
    }
    if fonts.len() > FONT_CHAIN_MAX {
        return Err(read.problem("data-fallback", "at most seven fonts"));
    }
    let language_tag = raw.attribute("data-lang").unwrap_or("pt").to_owned();
    if !language_tag_is_sane(&language_tag) {
        return Err(read.problem("data-lang", "a language tag such as pt or en-GB"));
    }
    let language = if language_tag == "pt" || language_tag.starts_with("pt-") {
        Language::Portuguese
    } else {
        Language::English
    };
    let text_box = TextBox {
        content: Content::parse(id, &raw.text)?,
        id: id.to_owned(),
        area: Area {
            x: read.length("data-x", -1_000_000_000)?,
            y: read.length("data-y", -1_000_000_000)?,
            width: read.length("data-w", 1)?,
            height: read.length("data-h", 1)?,
        },
        align: read.word(
            "data-align",
            &[
                ("start", Align::Start),
                ("center", Align::Center),
                ("end", Align::End),
                ("justify", Align::Justify),
            ],
            Align::Start,
            "start, center, end or justify",
        )?,
        vertical: read.word(
            "data-valign",
            &[
                ("top", VerticalAlign::Top),
                ("middle", VerticalAlign::Middle),
                ("bottom", VerticalAlign::Bottom),
            ],
            VerticalAlign::Top,
            "top, middle or bottom",
        )?,
        fit,
        size,
        size_min,
        leading: read.thousandths("data-leading", 1_250, 800..=4_000, "a number from 0.8 to 4")?,
        tracking: read.thousandths("data-tracking", 0, -100..=1_000, "ems from -0.1 to 1")?,
        fonts,
        language,
        language_tag,
        direction: read.word(
            "data-dir",
            &[
                ("auto", TextDirection::Auto),
                ("ltr", TextDirection::LeftToRight),
                ("rtl", TextDirection::RightToLeft),
            ],
            TextDirection::Auto,
            "auto, ltr or rtl",
        )?,
        fill: read.colour("fill", [0, 0, 0])?,
        transform: IDENTITY,
        own_transform: raw.attribute("transform").map(str::to_owned),
    };
    debug_assert!(size % SIZE_STEP == 0, "sizes are whole quarter points");
    Ok((text_box, read.transform()?))
}

pub(crate) const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

fn language_tag_is_sane(tag: &str) -> bool {
    (2..=35).contains(&tag.len())
        && tag.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// Reads a QR box, and its own transform in user units.
pub(crate) fn qr_box(raw: &RawBox, units: Units) -> Result<(QrBox, Option<Matrix>), RenderError> {
    let read = Attributes { raw, units };
    if raw.attribute("data-selo-qr") != Some("verify") {
        return Err(Problem::TemplateUnsupported {
            what: "a QR box other than data-selo-qr=\"verify\"".to_owned(),
            place: Some(raw.place),
        }
        .into());
    }
    let side = read.length("data-w", 1)?;
    let qr = QrBox {
        area: Area {
            x: read.length("data-x", -1_000_000_000)?,
            y: read.length("data-y", -1_000_000_000)?,
            width: side,
            height: side,
        },
        correction: read.word(
            "data-ec",
            &[
                ("L", Correction::Low),
                ("M", Correction::Medium),
                ("Q", Correction::Quartile),
                ("H", Correction::High),
            ],
            Correction::Medium,
            "L, M, Q or H",
        )?,
        dark: read.colour("data-dark", [0, 0, 0])?,
        light: read.colour("data-light", [255, 255, 255])?,
        transform: IDENTITY,
        own_transform: raw.attribute("transform").map(str::to_owned),
    };
    if !contrast_suffices(qr.dark, qr.light) {
        return Err(read.problem("data-dark", "dark on light with a contrast of at least 4:1"));
    }
    Ok((qr, read.transform()?))
}

/// Contrast of at least 4:1 by relative luminance (WCAG 2.2), the dark colour being the dark one.
fn contrast_suffices(dark: [u8; 3], light: [u8; 3]) -> bool {
    let linear = |value: u8| {
        let share = f64::from(value) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |[r, g, b]: [u8; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    luminance(light) + 0.05 >= 4.0 * (luminance(dark) + 0.05)
}
