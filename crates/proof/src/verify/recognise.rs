//! Recognises what was handed in and takes the credential's JSON out of it.
//!
//! By content, never by a file's name or declared type.
//! Never here: the reading of pictures and PDF themselves (see `bake` and `pdf`).

use super::Code;

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
}

/// A file that was not recognised, too large or damaged: code and the place or reason.
pub(super) type Refusal = (Code, Option<Carrier>, String);

/// Finds out what the bytes are and gives the JSON text inside.
pub(super) fn open(input: &[u8]) -> Result<(Carrier, Vec<u8>), Refusal> {
    let front = input.get(..MARK_BYTES.min(input.len())).unwrap_or(input);
    let is_pdf = front.windows(5).any(|five| five == b"%PDF-");
    let limit = if is_pdf { PDF_BYTES_MAX } else { FILE_BYTES_MAX };
    if input.len() > limit {
        return Err((Code::FormatTooLarge, None, String::new()));
    }
    if is_pdf {
        return crate::pdf::extract(input)
            .map(|text| (Carrier::Pdf, text))
            .map_err(|error| refusal(error.code(), Carrier::Pdf, &error));
    }
    if front.starts_with(b"\x89PNG\r\n\x1a\n") {
        return crate::bake::png_extract(input)
            .map(|text| (Carrier::Png, text))
            .map_err(|error| refusal(error.code(), Carrier::Png, &error));
    }
    match front.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok((Carrier::Json, input.to_vec())),
        Some(b'<' | 0xef) if looks_like_svg(input) => crate::bake::svg_extract(input)
            .map(|text| (Carrier::Svg, text))
            .map_err(|error| refusal(error.code(), Carrier::Svg, &error)),
        _ => Err((Code::FormatUnknown, None, String::new())),
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
