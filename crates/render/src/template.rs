//! A template, parsed once and used for every credential that names it.
//!
//! Reading checks everything that does not depend on a credential: the profile, references, fonts,
//! images, tokens. The drawing between the boxes is parsed into trees that are shared by PNG and
//! PDF and by all pages. The digest is that of the canonical bytes, which are what is stored and
//! signed. A template never changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    Assets, Links, NoAssets, Page, RenderError,
    assets::{self, Image, ImageKind},
    boxes::{self, IDENTITY, Matrix, QrBox, TextBox, Units},
    error::Problem,
    fixed::TICKS_PER_POINT,
    fonts::Font,
    limits::{FONTS_MAX, LAYERS_BYTES_MAX, TEMPLATE_BYTES_MAX},
    page::Filled,
    profile::{self, Child, Element},
    qr, references,
    text::{self, Faces, Plans},
    values, write,
};

/// A box of the template.
#[derive(Debug)]
pub(crate) enum Slot {
    Text(TextBox),
    Qr(QrBox),
}

pub(crate) struct Inner {
    pub bytes: Vec<u8>,
    pub digest: [u8; 32],
    pub width_um: i64,
    pub height_um: i64,
    pub width_points: f32,
    pub height_points: f32,
    /// For drawing only.
    pub points_per_unit: f64,
    pub root: Element,
    pub slots: Vec<Slot>,
    /// The drawing before each box, and after the last: one more than there are boxes.
    pub layers: Vec<Option<usvg::Tree>>,
    pub fonts: Vec<Font>,
    pub images: BTreeMap<String, Image>,
    pub plans: Plans,
    pub ground: crate::png::Ground,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Template")
            .field("digest", &crate::fonts::hex(&self.digest))
            .field("boxes", &self.slots.len())
            .finish_non_exhaustive()
    }
}

/// A template that has been read and found good. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Template(Arc<Inner>);

impl Template {
    /// Reads a template. The fonts and images it names come from the bundle or from `assets`.
    ///
    /// # Errors
    /// A `RENDER_TEMPLATE_…` code with line and column where there is one.
    pub fn parse(svg: &[u8], assets: &dyn Assets) -> Result<Self, RenderError> {
        let root = profile::read(svg)?;
        references::check(&root)?;
        let bytes = write::canonical(&root).into_bytes();
        if bytes.len() > TEMPLATE_BYTES_MAX {
            return Err(Problem::TemplateTooLarge { bytes: bytes.len() }.into());
        }
        let frame = Frame::read(&root)?;
        let mut fonts: Vec<Font> = Vec::new();
        let mut slots = Vec::new();
        collect_slots(&root, &frame, IDENTITY, &mut slots, &mut |hash| {
            if let Some(index) = fonts.iter().position(|font| font.sha256 == hash) {
                return Ok(index);
            }
            if fonts.len() >= FONTS_MAX {
                return Err(Problem::TemplateLimit { what: "fonts", limit: FONTS_MAX, place: None }.into());
            }
            fonts.push(Font::find(hash, assets)?);
            Ok(fonts.len() - 1)
        })?;
        let images = assets::images(&root, assets, fonts.iter().map(Font::uploaded_bytes).sum())?;
        let layers = layers(&root, &frame, slots.len(), &images)?;
        Ok(Self(Arc::new(Inner {
            digest: Sha256::digest(&bytes).into(),
            bytes,
            width_um: frame.width_um,
            height_um: frame.height_um,
            width_points: frame.width_points(),
            height_points: frame.height_points(),
            points_per_unit: frame.points_per_unit(),
            root,
            slots,
            layers,
            fonts,
            images,
            plans: Plans::default(),
            ground: crate::png::Ground::default(),
        })))
    }

    /// The canonical bytes: what to store, to serve and to hash. Reading them gives them again.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// SHA-256 of [`Template::bytes`].
    pub fn digest(&self) -> [u8; 32] {
        self.0.digest
    }

    /// The credential's fields that the texts show (RFC 6901), sorted, each once.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = self
            .0
            .slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Text(text_box) => Some(text_box.content.pointers()),
                Slot::Qr(_) => None,
            })
            .flatten()
            .filter(|pointer| !pointer.starts_with("/qr/"))
            .collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// Lays out one page. `data` is the unsigned credential.
    ///
    /// # Errors
    /// `RENDER_FIELD_MISSING`, `RENDER_FIELD_FORMAT`, `RENDER_TEXT_TOO_LONG`,
    /// `RENDER_MISSING_GLYPH`, `RENDER_OVERFLOW` or `RENDER_QR_TOO_DENSE`, each naming its box.
    pub fn fill(&self, data: &Value, links: &Links<'_>) -> Result<Page, RenderError> {
        let faces = Faces::open(&self.0.fonts);
        let mut filled = Vec::with_capacity(self.0.slots.len());
        for slot in &self.0.slots {
            filled.push(match slot {
                Slot::Text(text_box) => {
                    let text = text_box.content.fill(&text_box.id, text_box.language, data, links)?;
                    Filled::Text(text::lay_out(text_box, text, &faces, &self.0.plans)?)
                }
                Slot::Qr(qr_box) => Filled::Qr(qr::encode(qr_box, "qr:verify", links.verify)?),
            });
        }
        drop(faces);
        Ok(Page { template: Arc::clone(&self.0), filled, verify: links.verify.to_owned() })
    }
}

/// Page size and the factor from user units to ticks.
struct Frame {
    width_um: i64,
    height_um: i64,
    view_box: String,
    view_width: i64,
    units: Units,
}

impl Frame {
    fn read(root: &Element) -> Result<Self, RenderError> {
        let problem = |attribute: &str, expected| {
            RenderError::from(Problem::TemplateAttribute {
                element: "svg".to_owned(),
                attribute: attribute.to_owned(),
                expected,
                place: None,
            })
        };
        let side = |name: &str| {
            root.attribute(name).and_then(values::millimetres).ok_or_else(|| problem(name, "20mm to 1000mm"))
        };
        let (width_um, height_um) = (side("width")?, side("height")?);
        let view_box = root.attribute("viewBox").unwrap_or_default().to_owned();
        let (view_width, view_height) =
            values::view_box(&view_box).ok_or_else(|| problem("viewBox", "0 0 width height"))?;
        let (one, other) =
            (i128::from(width_um) * i128::from(view_height), i128::from(height_um) * i128::from(view_width));
        if (one - other).abs() * 1_000 > one {
            return Err(problem("viewBox", "of the same proportions as width and height"));
        }
        Ok(Self {
            width_um,
            height_um,
            view_box,
            view_width,
            units: Units { numerator: width_um * 72 * TICKS_PER_POINT, denominator: view_width * 25_400 },
        })
    }

    fn width_points(&self) -> f32 {
        points_of_um(self.width_um)
    }

    fn height_points(&self) -> f32 {
        points_of_um(self.height_um)
    }

    /// Points per user unit, for drawing only.
    #[expect(clippy::cast_precision_loss, reason = "both numbers are far below 2^53")]
    fn points_per_unit(&self) -> f64 {
        (self.width_um as f64 * 72.0 / 25_400.0) / (self.view_width as f64 / 10_000.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a page is at most 1,000,000 micrometres wide")]
#[expect(clippy::cast_possible_truncation, reason = "drawing works in f32")]
fn points_of_um(um: i64) -> f32 {
    (um as f64 * 72.0 / 25_400.0) as f32
}

/// Reads the boxes in document order, each with the transforms of the groups around it.
fn collect_slots(
    element: &Element,
    frame: &Frame,
    outer: Matrix,
    slots: &mut Vec<Slot>,
    font: &mut dyn FnMut(&str) -> Result<usize, RenderError>,
) -> Result<(), RenderError> {
    let own = element.attribute("transform").and_then(values::transform);
    let here = own.map_or(outer, |own| times(outer, own));
    for child in &element.children {
        match child {
            Child::Element(child) => collect_slots(child, frame, here, slots, font)?,
            Child::Box(raw) if raw.is_qr() => {
                let (mut qr, own) = boxes::qr_box(raw, frame.units)?;
                qr.transform = in_points(own.map_or(here, |own| times(here, own)), frame);
                slots.push(Slot::Qr(qr));
            }
            Child::Box(raw) => {
                let (mut text, own) = boxes::text_box(raw, frame.units, font)?;
                text.transform = in_points(own.map_or(here, |own| times(here, own)), frame);
                slots.push(Slot::Text(text));
            }
        }
    }
    Ok(())
}

/// The matrix that does `inner` first and then `outer`.
fn times(outer: Matrix, inner: Matrix) -> Matrix {
    let [a, b, c, d, e, f] = outer;
    let [g, h, i, j, k, l] = inner;
    [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f]
}

/// The same motion when lengths are points instead of user units.
fn in_points([a, b, c, d, e, f]: Matrix, frame: &Frame) -> Matrix {
    let scale = frame.points_per_unit();
    [a, b, c, d, e * scale, f * scale]
}

/// Parses the drawing between the boxes.
fn layers(
    root: &Element,
    frame: &Frame,
    boxes: usize,
    images: &BTreeMap<String, Image>,
) -> Result<Vec<Option<usvg::Tree>>, RenderError> {
    let shared = images.clone();
    let options = usvg::Options {
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(move |href, _| {
                let image = shared.get(values::asset(href)?)?;
                Some(match image.kind {
                    ImageKind::Png => usvg::ImageKind::PNG(Arc::clone(&image.bytes)),
                    ImageKind::Jpeg => usvg::ImageKind::JPEG(Arc::clone(&image.bytes)),
                })
            }),
        },
        ..usvg::Options::default()
    };
    let mut total = 0;
    let mut layers = Vec::with_capacity(boxes + 1);
    for layer in 0..=boxes {
        let Some(inside) = write::layer(root, layer) else {
            layers.push(None);
            continue;
        };
        total += inside.len();
        if total > LAYERS_BYTES_MAX {
            return Err(Problem::TemplateLimit {
                what: "bytes of drawing between boxes, definitions counted each time",
                limit: LAYERS_BYTES_MAX,
                place: None,
            }
            .into());
        }
        let document =
            write::layer_document(&inside, &frame.view_box, frame.width_points(), frame.height_points());
        let tree = usvg::Tree::from_str(&document, &options)
            .map_err(|error| Problem::TemplateXml { reason: error.to_string(), place: None })?;
        layers.push(Some(tree));
    }
    Ok(layers)
}

/// The built-in diploma: A4 landscape, Portuguese and English.
///
/// # Errors
/// None that a test would not have found; the built-in file is read like any other.
pub fn diploma() -> Result<Template, RenderError> {
    static READ: OnceLock<Result<Template, RenderError>> = OnceLock::new();
    READ.get_or_init(|| Template::parse(include_bytes!("../templates/diploma.svg"), &NoAssets)).clone()
}

/// The built-in badge: a square.
///
/// # Errors
/// None that a test would not have found; the built-in file is read like any other.
pub fn badge() -> Result<Template, RenderError> {
    static READ: OnceLock<Result<Template, RenderError>> = OnceLock::new();
    READ.get_or_init(|| Template::parse(include_bytes!("../templates/badge.svg"), &NoAssets)).clone()
}
