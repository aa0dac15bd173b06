//! PDF: the page as a document for decades (PDF/A-3, tagged for PDF/UA), with the credential inside.
//!
//! The drawing comes from the same trees as the PNG; texts are real text in embedded subset fonts,
//! so they can be searched, copied and read aloud; the signed credential is attached as data, and
//! the QR code is a link to the page that checks it. Dates and identifiers come from the
//! credential: no clock is read, equal input gives equal bytes.

use krilla::{
    Document, SerializeSettings,
    action::{Action, LinkAction},
    annotation::{Annotation, LinkAnnotation, Target},
    color::rgb,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    embed::{AssociationKind, EmbeddedFile, MimeType},
    geom::{PathBuilder, Point, Rect, Size, Transform},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule},
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag, Tag, TagGroup, TagTree},
    text::{GlyphId, KrillaGlyph},
};
use krilla_svg::{SurfaceExt, SvgSettings};

use crate::{
    Language, Page, RenderError,
    boxes::{Matrix, QrBox},
    error::Problem,
    fixed::points,
    fonts::Font,
    limits::ATTACHMENT_BYTES_MAX,
    page::Filled,
    qr::Code,
    template::Slot,
    text::{LaidText, Line, Run},
};

const SECONDS_PER_DAY: i64 = 86_400;

/// What a document says about itself.
#[derive(Debug, Clone, Copy)]
pub struct PdfMeta<'a> {
    /// The title, for example "Diploma — Maria da Conceição".
    pub title: &'a str,
    /// The issuer's name.
    pub author: &'a str,
    /// The document's main language.
    pub language: Language,
    /// The credential's id (`urn:uuid:…`); the document's identifiers derive from it.
    pub credential_id: &'a str,
    /// When the credential was issued, in seconds since 1970-01-01 UTC.
    pub created: i64,
    /// The signed credential.
    pub attachment: Option<Attachment<'a>>,
}

/// A file inside the document, related to it as its data.
#[derive(Debug, Clone, Copy)]
pub struct Attachment<'a> {
    /// File name, usually `credential.json`.
    pub name: &'a str,
    /// Media type, for example `application/json`.
    pub media_type: &'a str,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// Writes the page as a PDF of exactly one page.
///
/// # Errors
/// `RENDER_OUTPUT` when the attachment is larger than [`crate::limits::ATTACHMENT_BYTES_MAX`] or the
/// document would break PDF/A-3.
pub fn pdf(page: &Page, meta: &PdfMeta<'_>) -> Result<Vec<u8>, RenderError> {
    let template = &page.template;
    let mut document = Document::new_with(settings()?);
    document.set_metadata(metadata(meta));
    if let Some(attachment) = &meta.attachment {
        attach(&mut document, attachment, meta)?;
    }
    let (width, height) = (template.width_points, template.height_points);
    let size = Size::from_wh(width, height).ok_or_else(|| output("the page has no size"))?;
    let paper = PageSettings::from_wh(width, height).ok_or_else(|| output("the page has no size"))?;
    let mut sheet = document.start_page_with(paper);
    let mut surface = sheet.surface();
    let mut marks: Vec<Mark> = Vec::new();
    for index in 0..template.layers.len() {
        if let Some(Some(tree)) = template.layers.get(index) {
            let whole = Rect::from_xywh(0.0, 0.0, width, height);
            let artifact = Artifact::new(ArtifactType::Background, whole);
            surface.start_tagged(ContentTag::Artifact(artifact));
            let drawn = surface.draw_svg(tree, size, SvgSettings::default());
            surface.end_tagged();
            drawn.ok_or_else(|| output("the drawing cannot be written"))?;
        }
        match (template.slots.get(index), page.filled.get(index)) {
            (Some(Slot::Qr(qr)), Some(Filled::Qr(code))) => {
                let id = surface.start_tagged(ContentTag::Other);
                surface.push_transform(&matrix(&qr.transform));
                let area = (qr.area.x, qr.area.y, qr.area.width, qr.area.height);
                rectangles(&mut surface, &[area], qr.light);
                modules(&mut surface, code, qr);
                surface.pop();
                surface.end_tagged();
                marks.push(Mark::Code { id, rect: link_rect(area, &qr.transform) });
            }
            (_, Some(Filled::Text(text))) if !text.lines.is_empty() => {
                let ids = write_text(&mut surface, text, &template.fonts)?;
                let rect = text.is_link.then(|| link_rect(text.area, &text.transform)).flatten();
                marks.push(Mark::Text { ids, language: text.language_tag.clone(), rect });
            }
            _ => {}
        }
    }
    surface.finish();
    let tree = tag(&mut sheet, marks, &page.verify, meta.language);
    sheet.finish();
    document.set_tag_tree(tree);
    // PDF/UA wants a way to navigate, even on one page.
    let top = XyzDestination::new(0, Point::from_xy(0.0, 0.0));
    let mut outline = Outline::new();
    outline.push_child(OutlineNode::new(meta.title.to_owned(), top));
    document.set_outline(outline);
    document.finish().map_err(|error| output(&format!("{error:?}")))
}

fn output(reason: &str) -> RenderError {
    Problem::Output { reason: reason.to_owned() }.into()
}

fn settings() -> Result<SerializeSettings, RenderError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| output(&format!("{error:?}")))?;
    Ok(SerializeSettings {
        configuration,
        enable_tagging: true,
        compress_content_streams: true,
        ..SerializeSettings::default()
    })
}

fn metadata(meta: &PdfMeta<'_>) -> Metadata {
    Metadata::new()
        .title(meta.title.to_owned())
        .authors(vec![meta.author.to_owned()])
        .keywords(vec![meta.credential_id.to_owned()])
        .creator("Selo".to_owned())
        .language(meta.language.tag().to_owned())
        .document_id(meta.credential_id.to_owned())
        .creation_date(date(meta.created))
}

fn attach(
    document: &mut Document,
    attachment: &Attachment<'_>,
    meta: &PdfMeta<'_>,
) -> Result<(), RenderError> {
    if attachment.bytes.len() > ATTACHMENT_BYTES_MAX {
        return Err(output("the attachment is larger than 16 MiB"));
    }
    let description = match meta.language {
        Language::Portuguese => "A credencial assinada que este documento mostra",
        Language::English => "The signed credential that this document shows",
    };
    let mime_type = MimeType::new(attachment.media_type).or_else(|| MimeType::new("application/json"));
    document
        .embed_file(EmbeddedFile {
            path: attachment.name.to_owned(),
            mime_type,
            description: Some(description.to_owned()),
            association_kind: AssociationKind::Data,
            data: attachment.bytes.to_vec().into(),
            modification_date: Some(date(meta.created)),
            compress: Some(true),
            location: None,
        })
        .ok_or_else(|| output("two attachments have one name"))
}

/// A content of the page that the structure tree refers to.
enum Mark {
    Text { ids: Vec<Identifier>, language: String, rect: Option<Rect> },
    Code { id: Identifier, rect: Option<Rect> },
}

/// Builds the structure that a screen reader follows, and the links.
fn tag(sheet: &mut krilla::page::Page<'_>, marks: Vec<Mark>, verify: &str, language: Language) -> TagTree {
    let alt = match language {
        Language::Portuguese => format!("Código QR: verificar esta credencial em {verify}"),
        Language::English => format!("QR code: check this credential at {verify}"),
    };
    let mut link = |rect: Rect| {
        let target = Target::Action(Action::Link(LinkAction::new(verify.to_owned())));
        let annotation = Annotation::new_link(LinkAnnotation::new(rect, target), Some(alt.clone()));
        sheet.add_tagged_annotation(annotation)
    };
    let mut tree = TagTree::new().with_lang(Some(language.tag().to_owned()));
    for mark in marks {
        match mark {
            Mark::Text { ids, language, rect } => {
                let mut paragraph = TagGroup::new(Tag::P.with_lang(Some(language)));
                match rect {
                    Some(rect) => {
                        let mut group = TagGroup::new(Tag::Link);
                        ids.into_iter().for_each(|id| group.push(id));
                        group.push(link(rect));
                        paragraph.push(group);
                    }
                    None => ids.into_iter().for_each(|id| paragraph.push(id)),
                }
                tree.push(paragraph);
            }
            Mark::Code { id, rect } => {
                let mut figure = TagGroup::new(Tag::Figure(Some(alt.clone())));
                figure.push(id);
                let mut paragraph = TagGroup::new(Tag::P);
                match rect {
                    Some(rect) => {
                        let mut group = TagGroup::new(Tag::Link);
                        group.push(figure);
                        group.push(link(rect));
                        paragraph.push(group);
                    }
                    None => paragraph.push(figure),
                }
                tree.push(paragraph);
            }
        }
    }
    tree
}

fn colour_fill([r, g, b]: [u8; 3]) -> Fill {
    Fill { paint: rgb::Color::new(r, g, b).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn rectangles(surface: &mut Surface<'_>, areas: &[(i64, i64, i64, i64)], colour: [u8; 3]) {
    let mut builder = PathBuilder::new();
    for (x, y, width, height) in areas {
        if let Some(rect) = Rect::from_ltrb(points(*x), points(*y), points(x + width), points(y + height)) {
            builder.push_rect(rect);
        }
    }
    if let Some(path) = builder.finish() {
        surface.set_stroke(None);
        surface.set_fill(Some(colour_fill(colour)));
        surface.draw_path(&path);
    }
}

/// Writes the dark modules in their own units: whole numbers are short in the file.
fn modules(surface: &mut Surface<'_>, code: &Code, qr: &QrBox) {
    let (across, stretches) = code.modules();
    let module = points(qr.area.width) / across;
    let mut builder = PathBuilder::new();
    for (x, y, length) in stretches {
        if let Some(rect) = Rect::from_xywh(x, y, length, 1.0) {
            builder.push_rect(rect);
        }
    }
    let Some(path) = builder.finish() else { return };
    let (left, top) = (points(qr.area.x), points(qr.area.y));
    surface.push_transform(&Transform::from_row(module, 0.0, 0.0, module, left, top));
    surface.set_stroke(None);
    surface.set_fill(Some(colour_fill(qr.dark)));
    surface.draw_path(&path);
    surface.pop();
}

/// Writes the lines of a box, each as one piece of marked content.
fn write_text(
    surface: &mut Surface<'_>,
    text: &LaidText,
    fonts: &[Font],
) -> Result<Vec<Identifier>, RenderError> {
    let mut ids = Vec::with_capacity(text.lines.len());
    surface.set_stroke(None);
    surface.set_fill(Some(colour_fill(text.fill)));
    for line in &text.lines {
        // Letters that stand apart read as single letters: say what they spell.
        let spelled = text.is_tracked.then(|| line.text(&text.text)).flatten();
        let span = SpanTag::empty().with_actual_text(spelled);
        ids.push(surface.start_tagged(ContentTag::Span(span)));
        surface.push_transform(&matrix(&text.transform));
        for run in &line.runs {
            write_run(surface, text, line, run, fonts)?;
        }
        surface.pop();
        surface.end_tagged();
    }
    Ok(ids)
}

fn write_run(
    surface: &mut Surface<'_>,
    text: &LaidText,
    line: &Line,
    run: &Run,
    fonts: &[Font],
) -> Result<(), RenderError> {
    let font = fonts
        .get(run.font)
        .and_then(Font::pdf)
        .ok_or_else(|| output("a font of the template cannot be opened"))?;
    let Some(first) = run.glyphs.first() else {
        return Ok(());
    };
    let size = points(text.size);
    let mut pen = first.x;
    let mut glyphs = Vec::with_capacity(run.glyphs.len() + 1);
    for glyph in &run.glyphs {
        glyphs.push(KrillaGlyph {
            glyph_id: GlyphId::new(u32::from(glyph.id)),
            text_range: glyph.range.clone(),
            x_advance: points(glyph.advance) / size,
            x_offset: points(glyph.x - pen) / size,
            y_offset: points(line.baseline - glyph.y) / size,
            y_advance: 0.0,
            location: None,
        });
        pen += glyph.advance;
    }
    if let Some(space) = space_after(text, run, fonts) {
        glyphs.push(space);
    }
    let start = Point::from_xy(points(first.x), points(line.baseline));
    surface.draw_glyphs(start, &glyphs, font, &text.text, size, false);
    Ok(())
}

/// The space at which a line was broken: it draws nothing, but whoever copies the text gets it.
fn space_after(text: &LaidText, run: &Run, fonts: &[Font]) -> Option<KrillaGlyph> {
    let last = run.glyphs.last()?;
    let end = last.range.end;
    let rising = run.glyphs.windows(2).all(|pair| match pair {
        [one, other] => one.range.start <= other.range.start,
        _ => true,
    });
    let broken = text.text.get(end..)?.starts_with(' ');
    let elsewhere = text
        .lines
        .iter()
        .flat_map(|line| &line.runs)
        .flat_map(|run| &run.glyphs)
        .any(|glyph| glyph.range.start == end);
    if !rising || !broken || elsewhere {
        return None;
    }
    let face = fonts.get(run.font)?.face()?;
    let id = face.glyph_index(' ')?;
    Some(KrillaGlyph {
        glyph_id: GlyphId::new(u32::from(id.0)),
        text_range: end..end + 1,
        x_advance: 0.0,
        x_offset: 0.0,
        y_offset: 0.0,
        y_advance: 0.0,
        location: None,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "drawing works in f32")]
fn matrix([a, b, c, d, e, f]: &Matrix) -> Transform {
    Transform::from_row(*a as f32, *b as f32, *c as f32, *d as f32, *e as f32, *f as f32)
}

/// The upright rectangle around a box after its transforms.
#[expect(clippy::cast_possible_truncation, reason = "drawing works in f32")]
fn link_rect((x, y, width, height): (i64, i64, i64, i64), own: &Matrix) -> Option<Rect> {
    let [a, b, c, d, e, f] = own;
    let corner = |x: i64, y: i64| {
        let (x, y) = (f64::from(points(x)), f64::from(points(y)));
        ((a * x + c * y + e) as f32, (b * x + d * y + f) as f32)
    };
    let corners = [corner(x, y), corner(x + width, y), corner(x, y + height), corner(x + width, y + height)];
    let (mut left, mut top) = (f32::MAX, f32::MAX);
    let (mut right, mut bottom) = (f32::MIN, f32::MIN);
    for (x, y) in corners {
        left = left.min(x);
        right = right.max(x);
        top = top.min(y);
        bottom = bottom.max(y);
    }
    Rect::from_ltrb(left, top, right, bottom)
}

/// The calendar date of seconds since 1970, in UTC (proleptic Gregorian).
fn date(seconds: i64) -> DateTime {
    // 0000-01-01 to 9999-12-31.
    let seconds = seconds.clamp(-62_167_219_200, 253_402_300_799);
    let (day, rest) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    // Days are counted from 1 March of a year divisible by 400, so that leap days come last.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let small = |value: i64| u8::try_from(value).unwrap_or(0);
    DateTime::new(u16::try_from(year).unwrap_or(0))
        .month(small(month))
        .day(small(day_of_month))
        .hour(small(rest / 3_600))
        .minute(small(rest / 60 % 60))
        .second(small(rest % 60))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_calendar_dates() {
        let expected = |year, month, day, hour, minute, second| {
            DateTime::new(year)
                .month(month)
                .day(day)
                .hour(hour)
                .minute(minute)
                .second(second)
                .utc_offset_hour(0)
                .utc_offset_minute(0)
        };
        assert_eq!(date(0), expected(1970, 1, 1, 0, 0, 0));
        assert_eq!(date(951_782_400), expected(2000, 2, 29, 0, 0, 0));
        assert_eq!(date(1_795_512_622), expected(2026, 11, 24, 9, 30, 22));
        assert_eq!(date(-1), expected(1969, 12, 31, 23, 59, 59));
    }
}
