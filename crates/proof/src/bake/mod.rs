//! Baking: a credential inside the picture that shows it (Open Badges 3.0, PNG and SVG; 2.0 is recognised when reading).
//!
//! Why: people pass pictures on; the signed document travels with them and can be taken out and checked.
//! A picture holds one credential: baking again replaces it. Nothing else of the picture is changed.
//! What is taken out is bytes that nobody has judged yet.
//! Never here: decoding of pixels, an XML entity or document type, an unbounded inflation.

mod png;
mod svg;

use thiserror::Error;

/// The largest picture that is read or written: 10 MiB.
pub const MAX_IMAGE_BYTES: usize = 10 * 1024 * 1024;

/// The largest credential in a picture: 1 MiB.
pub const MAX_CREDENTIAL_BYTES: usize = 1024 * 1024;

/// The largest factor by which a compressed credential may grow.
pub const MAX_INFLATE_RATIO: usize = 100;

/// Why a picture was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BakeError {
    /// The picture is damaged or is not of this kind.
    #[error("the picture is damaged: {0}")]
    Image(&'static str),
    /// The picture is sound and holds no credential.
    #[error("the picture holds no credential")]
    NoCredential,
    /// The picture or the credential exceeds a limit.
    #[error("the picture or the credential in it is too large: {0}")]
    TooLarge(&'static str),
    /// The bytes to be baked are no text that the carrier could hold.
    #[error("this credential cannot be put into a picture: {0}")]
    Credential(&'static str),
}

impl BakeError {
    /// The stable code: `PARSE_IMAGE`, `FORMAT_UNKNOWN` (no credential inside, or nothing that could be one) or `FORMAT_TOO_LARGE`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Image(_) => "PARSE_IMAGE",
            Self::NoCredential | Self::Credential(_) => "FORMAT_UNKNOWN",
            Self::TooLarge(_) => "FORMAT_TOO_LARGE",
        }
    }
}

/// Puts a credential (JSON with an embedded proof, or a compact JWS) into a PNG as its `iTXt` chunk `openbadgecredential`,
/// directly after `IHDR`. Earlier credentials of Open Badges 3.0 are removed; all other chunks stay byte for byte.
/// Errors: `PARSE_IMAGE`, `FORMAT_TOO_LARGE`, `FORMAT_UNKNOWN` (the credential is not UTF-8, or holds a zero byte).
pub fn png_bake(png: &[u8], credential: &[u8]) -> Result<Vec<u8>, BakeError> {
    check_sizes(png, credential)?;
    check_text(credential)?;
    limit(png::bake(png, credential)?)
}

/// Takes the credential out of a PNG: the first chunk `openbadgecredential`, else the first `openbadges` (Open Badges 2.0:
/// JSON, a compact JWS or the address of an assertion). Compressed chunks are read.
/// Errors: `PARSE_IMAGE`, `FORMAT_TOO_LARGE`, `FORMAT_UNKNOWN` (none inside).
pub fn png_extract(png: &[u8]) -> Result<Vec<u8>, BakeError> {
    check_sizes(png, &[])?;
    png::extract(png)
}

/// Puts a credential into an SVG as the first element `openbadges:credential` of its root: JSON as CDATA, a compact JWS as the
/// attribute `verify`. Earlier credentials of Open Badges 3.0 are removed; all else stays byte for byte.
/// Errors: `PARSE_IMAGE` (also when the SVG has a document type), `FORMAT_TOO_LARGE`, `FORMAT_UNKNOWN` (the credential is no text).
pub fn svg_bake(svg: &[u8], credential: &[u8]) -> Result<Vec<u8>, BakeError> {
    check_sizes(svg, credential)?;
    let credential = check_text(credential)?;
    limit(svg::bake(as_text(svg)?, credential)?)
}

/// Takes the credential out of an SVG: `openbadges:credential` of Open Badges 3.0, else `openbadges:assertion` of 2.0.
/// Errors: `PARSE_IMAGE`, `FORMAT_TOO_LARGE`, `FORMAT_UNKNOWN` (none inside).
pub fn svg_extract(svg: &[u8]) -> Result<Vec<u8>, BakeError> {
    check_sizes(svg, &[])?;
    svg::extract(as_text(svg)?)
}

fn check_sizes(image: &[u8], credential: &[u8]) -> Result<(), BakeError> {
    if image.len() > MAX_IMAGE_BYTES {
        return Err(BakeError::TooLarge("the picture exceeds 10 MiB"));
    }
    if credential.len() > MAX_CREDENTIAL_BYTES {
        return Err(BakeError::TooLarge("the credential exceeds 1 MiB"));
    }
    Ok(())
}

fn limit(image: Vec<u8>) -> Result<Vec<u8>, BakeError> {
    check_sizes(&image, &[])?;
    Ok(image)
}

/// A credential that both carriers can hold: UTF-8, not empty, no control characters except white space.
fn check_text(credential: &[u8]) -> Result<&str, BakeError> {
    let text = std::str::from_utf8(credential).map_err(|_| BakeError::Credential("it is not UTF-8"))?;
    if text.trim().is_empty() {
        return Err(BakeError::Credential("it is empty"));
    }
    let control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    if text.bytes().any(control) {
        return Err(BakeError::Credential("it holds a control character"));
    }
    Ok(text)
}

fn as_text(svg: &[u8]) -> Result<&str, BakeError> {
    std::str::from_utf8(svg).map_err(|_| BakeError::Image("the SVG is not UTF-8"))
}
