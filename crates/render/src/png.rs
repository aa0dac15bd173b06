//! PNG: the page's layers, outlines and codes on one pixel map, and an encoder without surprises.
//!
//! The file carries sRGB and the physical size and nothing else that could change from day to day:
//! no time, no program name. Opaque pages are written without alpha. The drawing below the first
//! box is the same for every credential, so its pixels are kept for the last width asked for.

use std::sync::{Arc, Mutex};

use resvg::tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Transform};
use rustybuzz::ttf_parser;

use crate::{
    Page, RenderError,
    boxes::Matrix,
    error::Problem,
    fixed::points,
    fonts::{Face, Font},
    limits::{GROUND_WIDTH_MAX, PNG_PIXELS_MAX, PNG_WIDTH},
    page::Filled,
    qr::Code,
    template::{Inner, Slot},
    text::LaidText,
};

/// The pixels below the first box, for the last width that was asked for.
#[derive(Default)]
pub(crate) struct Ground(Mutex<Option<Arc<Pixmap>>>);

impl std::fmt::Debug for Ground {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Ground")
    }
}

/// Writes the page as a PNG of the given width. Equal pages give equal bytes.
///
/// # Errors
/// `RENDER_OUTPUT` when the width is outside [`crate::limits::PNG_WIDTH`] or the picture would have
/// more than [`crate::limits::PNG_PIXELS_MAX`] pixels.
pub fn png(page: &Page, width_px: u32) -> Result<Vec<u8>, RenderError> {
    let pixmap = paint(page, width_px)?;
    encode(&pixmap, &page.template).map_err(|error| output(&error.to_string()))
}

fn output(reason: &str) -> RenderError {
    Problem::Output { reason: reason.to_owned() }.into()
}

fn height_px(template: &Inner, width_px: u32) -> Result<u32, RenderError> {
    if !PNG_WIDTH.contains(&width_px) {
        return Err(output("a picture is 16 to 4,096 pixels wide"));
    }
    let height = crate::fixed::scale(i64::from(width_px), template.height_um, template.width_um);
    let height = u32::try_from(height.max(1)).unwrap_or(u32::MAX);
    if u64::from(width_px) * u64::from(height) > PNG_PIXELS_MAX {
        return Err(output("the picture would have too many pixels"));
    }
    Ok(height)
}

fn paint(page: &Page, width_px: u32) -> Result<Pixmap, RenderError> {
    let template = &page.template;
    let height = height_px(template, width_px)?;
    let scale = Scale::new(template, width_px, height);
    let mut pixmap = ground(template, width_px, height, &scale)?;
    let faces: Vec<Option<Face<'_>>> = template.fonts.iter().map(Font::face).collect();
    for (index, slot) in template.slots.iter().enumerate() {
        match (slot, page.filled.get(index)) {
            (Slot::Qr(qr), Some(Filled::Qr(code))) => {
                let transform = scale.with(&qr.transform);
                let area = (qr.area.x, qr.area.y, qr.area.width, qr.area.height);
                fill(&mut pixmap, rectangles(&[area]), qr.light, transform);
                match pixel_code(code, area, transform) {
                    Some(path) => fill(&mut pixmap, Some(path), qr.dark, Transform::identity()),
                    None => {
                        let path = rectangles(&code.rectangles(&qr.area));
                        fill(&mut pixmap, path, qr.dark, transform);
                    }
                }
            }
            (_, Some(Filled::Text(text))) => {
                let path = outlines(text, &template.fonts, &faces);
                fill(&mut pixmap, path, text.fill, scale.with(&text.transform));
            }
            _ => {}
        }
        if let Some(Some(tree)) = template.layers.get(index + 1) {
            resvg::render(tree, scale.plain, &mut pixmap.as_mut());
        }
    }
    Ok(pixmap)
}

/// The drawing below the first box, from memory when the width is the same as last time.
fn ground(template: &Inner, width: u32, height: u32, scale: &Scale) -> Result<Pixmap, RenderError> {
    let lock = || template.ground.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let kept = lock().as_ref().filter(|kept| kept.width() == width).map(Arc::clone);
    if let Some(kept) = kept {
        return Ok((*kept).clone());
    }
    let mut pixmap = Pixmap::new(width, height).ok_or_else(|| output("there is no room for the picture"))?;
    if let Some(Some(tree)) = template.layers.first() {
        resvg::render(tree, scale.plain, &mut pixmap.as_mut());
    }
    if width <= GROUND_WIDTH_MAX {
        *lock() = Some(Arc::new(pixmap.clone()));
    }
    Ok(pixmap)
}

struct Scale {
    plain: Transform,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "widths are at most 4,096")]
    fn new(template: &Inner, width: u32, height: u32) -> Self {
        let (x, y) = (width as f32 / template.width_points, height as f32 / template.height_points);
        Self { plain: Transform::from_scale(x, y) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "drawing works in f32")]
    fn with(&self, [a, b, c, d, e, f]: &Matrix) -> Transform {
        let own = Transform::from_row(*a as f32, *b as f32, *c as f32, *d as f32, *e as f32, *f as f32);
        self.plain.pre_concat(own)
    }
}

fn fill(pixmap: &mut Pixmap, path: Option<Path>, [r, g, b]: [u8; 3], transform: Transform) {
    let Some(path) = path else { return };
    let mut paint = Paint::default();
    paint.set_color(Color::from_rgba8(r, g, b, 255));
    paint.anti_alias = true;
    pixmap.fill_path(&path, &paint, FillRule::Winding, transform, None);
}

fn rectangles(areas: &[(i64, i64, i64, i64)]) -> Option<Path> {
    let mut builder = PathBuilder::with_capacity(areas.len() * 5, areas.len() * 4);
    for (x, y, width, height) in areas {
        let (left, top) = (points(*x), points(*y));
        let (right, bottom) = (points(x + width), points(y + height));
        if let Some(rect) = Rect::from_ltrb(left, top, right, bottom) {
            builder.push_rect(rect);
        }
    }
    builder.finish()
}

/// The modules of an upright code on whole pixels, because cameras read grey edges badly.
fn pixel_code(code: &Code, area: (i64, i64, i64, i64), transform: Transform) -> Option<Path> {
    let upright = transform.kx == 0.0 && transform.ky == 0.0;
    if !upright || transform.sx <= 0.0 || transform.sy <= 0.0 {
        return None;
    }
    let (x, y, width, height) = area;
    let centre = (
        points(2 * x + width) / 2.0 * transform.sx + transform.tx,
        points(2 * y + height) / 2.0 * transform.sy + transform.ty,
    );
    let side = points(width) * transform.sx.min(transform.sy);
    let mut builder = PathBuilder::new();
    for (x, y, width, height) in code.pixels(centre, side)? {
        builder.push_rect(Rect::from_xywh(x, y, width, height)?);
    }
    builder.finish()
}

/// All glyphs of a box as one path, in points.
fn outlines(text: &LaidText, fonts: &[Font], faces: &[Option<Face<'_>>]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for run in text.lines.iter().flat_map(|line| &line.runs) {
        let (Some(font), Some(Some(face))) = (fonts.get(run.font), faces.get(run.font)) else {
            continue;
        };
        for glyph in &run.glyphs {
            let mut pen = OutlinePen::new(&mut builder, glyph.x, glyph.y, text.size, font);
            face.outline_glyph(ttf_parser::GlyphId(glyph.id), &mut pen);
        }
    }
    builder.finish()
}

/// Writes a glyph's outline at its place.
struct OutlinePen<'a> {
    builder: &'a mut PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl<'a> OutlinePen<'a> {
    #[expect(clippy::cast_precision_loss, reason = "an em has at most 16,384 units")]
    fn new(builder: &'a mut PathBuilder, x: i64, y: i64, size: i64, font: &Font) -> Self {
        let scale = points(size) / font.units_per_em as f32;
        Self { builder, x: points(x), y: points(y), scale }
    }

    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl ttf_parser::OutlineBuilder for OutlinePen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (x1, y1) = self.at(x1, y1);
        let (x, y) = self.at(x, y);
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (x1, y1) = self.at(x1, y1);
        let (x2, y2) = self.at(x2, y2);
        let (x, y) = self.at(x, y);
        self.builder.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

fn encode(pixmap: &Pixmap, template: &Inner) -> Result<Vec<u8>, png::EncodingError> {
    let pixels = pixmap.pixels();
    let opaque = pixels.iter().all(|pixel| pixel.alpha() == 255);
    let channels = if opaque { 3 } else { 4 };
    let mut data = Vec::with_capacity(pixels.len() * channels);
    for pixel in pixels {
        if opaque {
            data.extend_from_slice(&[pixel.red(), pixel.green(), pixel.blue()]);
        } else {
            let plain = pixel.demultiply();
            data.extend_from_slice(&[plain.red(), plain.green(), plain.blue(), plain.alpha()]);
        }
    }
    let mut out = Vec::with_capacity(data.len() / 4);
    let mut encoder = png::Encoder::new(&mut out, pixmap.width(), pixmap.height());
    encoder.set_color(if opaque { png::ColorType::Rgb } else { png::ColorType::Rgba });
    encoder.set_depth(png::BitDepth::Eight);
    // Drawings with large even areas pack better, and twice as fast, without row filters.
    encoder.set_deflate_compression(png::DeflateCompression::Level(3));
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let per_metre = i64::from(pixmap.width()) * 1_000_000 / template.width_um.max(1);
    let per_metre = u32::try_from(per_metre).unwrap_or(0);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(out)
}

/// A glyph's outline as SVG path data, in points; used by the SVG writer.
pub(crate) fn outline_path(text: &LaidText, fonts: &[Font]) -> Option<Path> {
    let faces: Vec<Option<Face<'_>>> = fonts.iter().map(Font::face).collect();
    outlines(text, fonts, &faces)
}
