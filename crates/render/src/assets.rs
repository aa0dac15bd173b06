//! Fonts and images that a template names by their SHA-256: where they come from, and which are fit.
//!
//! The caller hands the bytes over; this crate compares them with the hash and reads only the
//! image's head (kind, size, colours). Bombs are refused by their declared size before anybody
//! decodes them. Nothing is fetched.

use std::{collections::BTreeMap, io::Cursor, sync::Arc};

use sha2::{Digest, Sha256};

use crate::{
    RenderError,
    error::Problem,
    fonts::hex,
    limits::{ASSET_BYTES_MAX, ASSETS_BYTES_MAX, IMAGE_PIXELS_MAX},
    profile::{Child, Element},
    values,
};

/// Where a template's own fonts and images come from.
pub trait Assets {
    /// The bytes whose SHA-256, in lower-case hexadecimal, is `sha256`.
    fn bytes(&self, sha256: &str) -> Option<Arc<[u8]>>;
}

/// No fonts but the bundled ones, no images.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAssets;

impl Assets for NoAssets {
    fn bytes(&self, _sha256: &str) -> Option<Arc<[u8]>> {
        None
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageKind {
    Png,
    Jpeg,
}

/// An image that has been checked.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub kind: ImageKind,
    pub bytes: Arc<Vec<u8>>,
}

/// Loads and checks every image of the template. `fonts_bytes` is what its fonts weigh already.
pub(crate) fn images(
    root: &Element,
    assets: &dyn Assets,
    fonts_bytes: usize,
) -> Result<BTreeMap<String, Image>, RenderError> {
    let mut found = BTreeMap::new();
    let mut total = fonts_bytes;
    collect(root, assets, &mut found, &mut total)?;
    Ok(found)
}

fn collect(
    element: &Element,
    assets: &dyn Assets,
    found: &mut BTreeMap<String, Image>,
    total: &mut usize,
) -> Result<(), RenderError> {
    if element.name == "image"
        && let Some(hash) = element.attribute("href").and_then(values::asset)
        && !found.contains_key(hash)
    {
        let image = load(hash, assets)?;
        *total += image.bytes.len();
        if *total > ASSETS_BYTES_MAX {
            return Err(Problem::TemplateLimit {
                what: "bytes of fonts and images",
                limit: ASSETS_BYTES_MAX,
                place: None,
            }
            .into());
        }
        found.insert(hash.to_owned(), image);
    }
    for child in &element.children {
        if let Child::Element(child) = child {
            collect(child, assets, found, total)?;
        }
    }
    Ok(())
}

fn load(hash: &str, assets: &dyn Assets) -> Result<Image, RenderError> {
    let refuse = |reason| RenderError::from(Problem::TemplateAsset { sha256: hash.to_owned(), reason });
    let bytes = assets.bytes(hash).ok_or_else(|| refuse("no such image"))?;
    if bytes.len() > ASSET_BYTES_MAX {
        return Err(refuse("the image is larger than 5 MiB"));
    }
    if hex(&Sha256::digest(&bytes)) != hash {
        return Err(refuse("the bytes do not have this hash"));
    }
    let (kind, width, height) = head(&bytes).map_err(refuse)?;
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > IMAGE_PIXELS_MAX {
        return Err(refuse("an image has 1 to 40 million pixels"));
    }
    let image = Image { kind, bytes: Arc::new(bytes.to_vec()) };
    if !decodes(&image) {
        return Err(refuse("the image is damaged"));
    }
    Ok(image)
}

/// Whether the image can be read to its end: a damaged one would simply be missing from the page.
fn decodes(image: &Image) -> bool {
    match image.kind {
        ImageKind::Png => {
            let Ok(mut reader) = png::Decoder::new(Cursor::new(image.bytes.as_slice())).read_info() else {
                return false;
            };
            loop {
                match reader.next_row() {
                    Ok(Some(_)) => {}
                    Ok(None) => return true,
                    Err(_) => return false,
                }
            }
        }
        // A JPEG has no transparency: if it can be drawn, one pixel of it is opaque.
        ImageKind::Jpeg => drawn_once(image).is_some_and(|alpha| alpha == 255),
    }
}

/// The opacity of the image, drawn as one pixel.
fn drawn_once(image: &Image) -> Option<u8> {
    const ONE_PIXEL: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\">\
        <image width=\"1\" height=\"1\" preserveAspectRatio=\"none\" href=\"asset:\"/></svg>";
    let bytes = Arc::clone(&image.bytes);
    let options = usvg::Options {
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(move |_, _| Some(usvg::ImageKind::JPEG(Arc::clone(&bytes)))),
        },
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(ONE_PIXEL, &options).ok()?;
    let mut pixel = resvg::tiny_skia::Pixmap::new(1, 1)?;
    resvg::render(&tree, resvg::tiny_skia::Transform::identity(), &mut pixel.as_mut());
    pixel.pixel(0, 0).map(|pixel| pixel.alpha())
}

/// Kind, width and height of an image, from its head.
fn head(bytes: &[u8]) -> Result<(ImageKind, u32, u32), &'static str> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    if let Some(rest) = bytes.strip_prefix(PNG) {
        let number = |at: usize| {
            let four: Option<[u8; 4]> = rest.get(at..at + 4).and_then(|b| b.try_into().ok());
            four.map(u32::from_be_bytes)
        };
        return match (number(0), number(4)) {
            (Some(width), Some(height)) => Ok((ImageKind::Png, width, height)),
            _ => Err("the PNG ends early"),
        };
    }
    match bytes.strip_prefix(b"\xff\xd8") {
        Some(rest) => jpeg_head(rest),
        None => Err("an image is PNG or JPEG"),
    }
}

/// Walks the segments of a JPEG to its frame header (ITU T.81, B.2.2).
fn jpeg_head(mut rest: &[u8]) -> Result<(ImageKind, u32, u32), &'static str> {
    const EARLY: &str = "the JPEG ends early";
    loop {
        let (marker, after) = match rest {
            [0xff, 0xff, ..] => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            [0xff, marker, after @ ..] => (*marker, after),
            _ => return Err(EARLY),
        };
        let [high, low, body @ ..] = after else {
            return Err(EARLY);
        };
        let length = usize::from(*high) * 256 + usize::from(*low);
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            let [_, h1, h0, w1, w0, components, ..] = body else {
                return Err(EARLY);
            };
            if !matches!(components, 1 | 3) {
                return Err("a JPEG is grey or RGB; CMYK is not drawn alike everywhere");
            }
            let side = |high: u8, low: u8| u32::from(high) * 256 + u32::from(low);
            return Ok((ImageKind::Jpeg, side(*w1, *w0), side(*h1, *h0)));
        }
        rest = length.checked_sub(2).and_then(|skip| body.get(skip..)).ok_or(EARLY)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_bombs_are_seen() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 1, 0, 0, 0, 0, 0, 9]);
        assert_eq!(head(&png), Ok((ImageKind::Png, 65_536, 9)));
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 17, 8, 0, 20, 0, 30, 3, 0];
        assert_eq!(head(&jpeg), Ok((ImageKind::Jpeg, 30, 20)));
        let cmyk = [0xff, 0xd8, 0xff, 0xc2, 0, 17, 8, 0, 20, 0, 30, 4, 0];
        assert!(head(&cmyk).unwrap_err().contains("CMYK"));
        for wrong in [&b"GIF89a"[..], b"", b"\xff\xd8\xff", b"<svg/>"] {
            assert!(head(wrong).is_err());
        }
    }
}
