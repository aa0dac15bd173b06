//! Recognises what was handed in and takes the credential's JSON out of it.
//!
//! By content, never by a file's name or declared type. A picture that carries nothing is looked at: the QR code it shows
//! holds a public page's link, or a whole small credential.
//! Never here: the reading of pictures and PDF themselves (see `bake`, `qr` and `pdf`).

use super::{Code, link::PageLink};
use crate::{
    bake::BakeError,
    picture::{PictureError, is_jpeg, is_png},
    qr,
};

/// Largest file, in bytes (spec verify §1).
pub const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Largest PDF, in bytes (spec verify §1).
pub const PDF_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Where the marks of a format must stand.
const MARK_BYTES: usize = 1024;

/// Kinds of files that are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Open Badges 3.0 over VCDM 2.0.
    OpenBadge3,
    /// Another credential over VCDM 2.0.
    Vcdm2,
    /// A credential over VCDM 1.1.
    Vcdm1,
}

/// What the credential came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// JSON by itself.
    Json,
    /// A baked PNG.
    Png,
    /// A baked SVG.
    Svg,
    /// A PDF with the credential attached.
    Pdf,
    /// A picture that shows a QR code.
    Photo,
}

/// What was inside a file.
pub(super) enum Opened {
    /// A credential's JSON text, and what it came in.
    Document(Carrier, Vec<u8>),
    /// The link of a public page, in a picture.
    Link(PageLink),
}

/// A file that was not recognised, too large or damaged: code and the place or reason.
pub(super) type Refusal = (Code, Option<Carrier>, String);

/// Finds out what the bytes are and takes out what is inside.
pub(super) fn open(input: &[u8]) -> Result<Opened, Refusal> {
    let front = input.get(..MARK_BYTES.min(input.len())).unwrap_or(input);
    let is_pdf = front.windows(5).any(|five| five == b"%PDF-");
    let limit = if is_pdf { PDF_BYTES_MAX } else { FILE_BYTES_MAX };
    if input.len() > limit {
        return Err((Code::FormatTooLarge, None, String::new()));
    }
    if is_pdf {
        return crate::pdf::extract(input)
            .map(|text| Opened::Document(Carrier::Pdf, text))
            .map_err(|error| refusal(error.code(), Carrier::Pdf, &error));
    }
    if is_png(input) {
        return match crate::bake::png_extract(input) {
            Ok(text) => Ok(Opened::Document(Carrier::Png, text)),
            Err(BakeError::NoCredential) => shown(input, Carrier::Png),
            Err(error) => Err(refusal(error.code(), Carrier::Png, &error)),
        };
    }
    if is_jpeg(input) {
        return shown(input, Carrier::Photo);
    }
    match front.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok(Opened::Document(Carrier::Json, input.to_vec())),
        Some(b'<' | 0xef) if looks_like_svg(input) => crate::bake::svg_extract(input)
            .map(|text| Opened::Document(Carrier::Svg, text))
            .map_err(|error| refusal(error.code(), Carrier::Svg, &error)),
        _ => Err((Code::FormatUnknown, None, String::new())),
    }
}

/// What a picture shows in its QR code. Codes that hold something else are passed over; two that both could be meant
/// are as good as none, because nobody can say which of them the eye took for the document's.
fn shown(picture: &[u8], carrier: Carrier) -> Result<Opened, Refusal> {
    let texts = qr::read(picture).map_err(|error| {
        let code = match error {
            PictureError::Damaged(_) => Code::ParseImage,
            PictureError::Kind(_) => Code::FormatUnknown,
            PictureError::TooLarge(_) => Code::FormatTooLarge,
        };
        (code, Some(carrier), error.to_string())
    })?;
    let mut meant = texts.into_iter().filter_map(|text| match PageLink::parse(&text) {
        Some(link) => Some(Opened::Link(link)),
        None => {
            text.trim_start().starts_with('{').then(|| Opened::Document(Carrier::Photo, text.into_bytes()))
        }
    });
    match (meant.next(), meant.next()) {
        (Some(only), None) => Ok(only),
        _ => Err((Code::FormatUnknown, Some(carrier), String::new())),
    }
}

fn looks_like_svg(input: &[u8]) -> bool {
    const SEARCHED: usize = 16 * 1024;
    let front = input.get(..SEARCHED.min(input.len())).unwrap_or(input);
    front.windows(4).any(|four| four == b"<svg") || front.windows(5).any(|five| five == b":svg ")
}

fn refusal(code: &str, carrier: Carrier, error: &impl std::fmt::Display) -> Refusal {
    let code = Code::from_name(code).unwrap_or(Code::FormatUnknown);
    (code, Some(carrier), error.to_string())
}
