//! Fonts: the bundled ones and those that a tenant uploads, always named by their SHA-256.
//!
//! Two fonts of one family name are different fonts, so a template never says "Noto Serif" but
//! `sha256:04b8…`. System fonts are never looked at: the same template gives the same page on
//! every machine. Metrics come from the font file alone. The bundled files, their licence and the
//! command that makes them are in `fonts/`.

use std::sync::{Arc, OnceLock};

use rustybuzz::ttf_parser;
use sha2::{Digest, Sha256};

use crate::{Assets, RenderError, error::Problem, limits::ASSET_BYTES_MAX};

/// A font that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct BundledFont {
    /// Name for people and pickers, for example `Noto Serif Bold`.
    pub name: &'static str,
    /// SHA-256 of the file in lower-case hexadecimal: what a template writes after `sha256:`.
    pub sha256: &'static str,
    /// The font file (TrueType).
    pub bytes: &'static [u8],
}

/// How many fonts come with the program.
const COUNT: usize = 9;

static BUNDLED: [BundledFont; COUNT] = [
    BundledFont {
        name: "Noto Serif",
        sha256: "04b8a4b8ec97d89049b9d07cae3209c5579b94f9c82d22faa8a3f8b4ee287f53",
        bytes: include_bytes!("../fonts/NotoSerif-Regular.ttf"),
    },
    BundledFont {
        name: "Noto Serif Bold",
        sha256: "2a9b5f87ada3ff2bf80519bd2ea660420b6357aeb1d2d9a514997a5f9f295d60",
        bytes: include_bytes!("../fonts/NotoSerif-Bold.ttf"),
    },
    BundledFont {
        name: "Noto Serif Italic",
        sha256: "d442c2e7d03cd8fa19a2e4f9b2595da28c85c2ad9c4127ce9fb664887ddc7066",
        bytes: include_bytes!("../fonts/NotoSerif-Italic.ttf"),
    },
    BundledFont {
        name: "Noto Serif Display",
        sha256: "d63bd8a9ab521a233bc12c0b8c7271ac15a03f169fea4d8032951d9352707685",
        bytes: include_bytes!("../fonts/NotoSerifDisplay-Regular.ttf"),
    },
    BundledFont {
        name: "Noto Serif Display Italic",
        sha256: "66c563925bb592e58a03580cc75f0dbe5029c3f3cef4d295ca5481e501f0abe2",
        bytes: include_bytes!("../fonts/NotoSerifDisplay-Italic.ttf"),
    },
    BundledFont {
        name: "Noto Sans",
        sha256: "ea22ac623c0b3b571af264af16ade6de7eb8d6d4268186881cd94e5b5aa327f5",
        bytes: include_bytes!("../fonts/NotoSans-Regular.ttf"),
    },
    BundledFont {
        name: "Noto Sans Bold",
        sha256: "ac7f36b24dc4e1a1972cac516bc613fd3c2b609d445482fa03f530e134c272df",
        bytes: include_bytes!("../fonts/NotoSans-Bold.ttf"),
    },
    BundledFont {
        name: "Noto Naskh Arabic",
        sha256: "dfcb17a35d6f8215d10cbd02c72b177a1fc37a798df79088a458bd2614c5587c",
        bytes: include_bytes!("../fonts/NotoNaskhArabic-Regular.ttf"),
    },
    BundledFont {
        name: "Noto Naskh Arabic Bold",
        sha256: "e8259a934605bb24e4b844e421df80ab0e0681ebf633cbe70a93350479eaf168",
        bytes: include_bytes!("../fonts/NotoNaskhArabic-Bold.ttf"),
    },
];

/// Faces of the bundled fonts, opened when first used.
static FACES: [OnceLock<Option<rustybuzz::Face<'static>>>; COUNT] = [const { OnceLock::new() }; COUNT];

/// The bundled fonts for the PDF writer, opened when first used.
static PDF_FONTS: [OnceLock<Option<krilla::text::Font>>; COUNT] = [const { OnceLock::new() }; COUNT];

/// The fonts that come with the program.
pub fn bundled() -> &'static [BundledFont] {
    &BUNDLED
}

/// A font that a template uses.
#[derive(Debug)]
pub(crate) struct Font {
    pub sha256: String,
    pub units_per_em: i64,
    /// Height above the baseline, in font units (`hhea`).
    pub ascent: i64,
    /// Depth below the baseline, in font units, positive.
    pub descent: i64,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Bundled(usize),
    Uploaded { bytes: Arc<[u8]>, pdf: Box<OnceLock<Option<krilla::text::Font>>> },
}

/// Bytes of an uploaded font, shared with the PDF writer.
struct Shared(Arc<[u8]>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A face ready for shaping: borrowed when bundled, parsed for the call when uploaded.
pub(crate) enum Face<'a> {
    Kept(&'static rustybuzz::Face<'static>),
    Made(Box<rustybuzz::Face<'a>>),
}

impl<'a> std::ops::Deref for Face<'a> {
    type Target = rustybuzz::Face<'a>;

    fn deref(&self) -> &Self::Target {
        match self {
            Face::Kept(face) => face,
            Face::Made(face) => face,
        }
    }
}

impl Font {
    /// Finds the font by its hash, among the bundled ones first, and checks that it is fit for use.
    pub fn find(sha256: &str, assets: &dyn Assets) -> Result<Self, RenderError> {
        let refuse = |reason| RenderError::from(Problem::TemplateAsset { sha256: sha256.to_owned(), reason });
        let source = match BUNDLED.iter().position(|font| font.sha256 == sha256) {
            Some(index) => Source::Bundled(index),
            None => {
                let bytes = assets.bytes(sha256).ok_or_else(|| refuse("no such font"))?;
                if bytes.len() > ASSET_BYTES_MAX {
                    return Err(refuse("the font is larger than 5 MiB"));
                }
                if hex(&Sha256::digest(&bytes)) != sha256 {
                    return Err(refuse("the bytes do not have this hash"));
                }
                Source::Uploaded { bytes, pdf: Box::default() }
            }
        };
        let mut font = Self { sha256: sha256.to_owned(), units_per_em: 0, ascent: 0, descent: 0, source };
        let face = font.face().ok_or_else(|| refuse("not a font"))?;
        check(&face).map_err(refuse)?;
        let (em, ascent, descent) = (face.units_per_em(), face.ascender(), face.descender());
        drop(face);
        font.units_per_em = i64::from(em);
        font.ascent = i64::from(ascent).max(0);
        font.descent = i64::from(descent).min(0).abs();
        Ok(font)
    }

    /// The face for shaping and outlines.
    pub fn face(&self) -> Option<Face<'_>> {
        match &self.source {
            Source::Bundled(index) => FACES
                .get(*index)?
                .get_or_init(|| rustybuzz::Face::from_slice(BUNDLED.get(*index)?.bytes, 0))
                .as_ref()
                .map(Face::Kept),
            Source::Uploaded { bytes, .. } => {
                rustybuzz::Face::from_slice(bytes, 0).map(Box::new).map(Face::Made)
            }
        }
    }

    /// The font for the PDF writer.
    pub fn pdf(&self) -> Option<krilla::text::Font> {
        match &self.source {
            Source::Bundled(index) => PDF_FONTS
                .get(*index)?
                .get_or_init(|| krilla::text::Font::new(BUNDLED.get(*index)?.bytes.into(), 0))
                .clone(),
            Source::Uploaded { bytes, pdf } => pdf
                .get_or_init(|| {
                    let shared: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(Shared(Arc::clone(bytes)));
                    krilla::text::Font::new(shared.into(), 0)
                })
                .clone(),
        }
    }

    /// How many bytes an uploaded font adds to the template.
    pub fn uploaded_bytes(&self) -> usize {
        match &self.source {
            Source::Bundled(_) => 0,
            Source::Uploaded { bytes, .. } => bytes.len(),
        }
    }
}

/// Plain outlines, one instance, and the right to embed: all else could differ between outputs.
fn check(face: &ttf_parser::Face<'_>) -> Result<(), &'static str> {
    let tables = face.tables();
    if tables.colr.is_some() || tables.svg.is_some() || tables.sbix.is_some() {
        return Err("colour fonts are not drawn alike everywhere");
    }
    if face.is_variable() {
        return Err("a variable font is many fonts; make one instance of it");
    }
    if tables.glyf.is_none() && tables.cff.is_none() {
        return Err("the font has no outlines");
    }
    if !(16..=16_384).contains(&face.units_per_em()) {
        return Err("the font's em is out of range");
    }
    if !face.is_outline_embedding_allowed() || !permitted(face) {
        return Err("its licence does not permit embedding (OS/2 fsType)");
    }
    Ok(())
}

/// OpenType OS/2 fsType: 0 installable, 4 preview and print, 8 editable; 2 alone is restricted.
fn permitted(face: &ttf_parser::Face<'_>) -> bool {
    use ttf_parser::Permissions;
    !matches!(face.permissions(), Some(Permissions::Restricted))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoAssets;

    #[test]
    fn every_bundled_font_has_the_hash_that_names_it() {
        for font in bundled() {
            assert_eq!(hex(&Sha256::digest(font.bytes)), font.sha256, "{}", font.name);
        }
    }

    #[test]
    fn every_bundled_font_is_fit_for_use_and_small() {
        for font in bundled() {
            let found = Font::find(font.sha256, &NoAssets).unwrap();
            assert!(found.ascent > 0 && found.descent > 0 && found.pdf().is_some());
        }
        let total: usize = bundled().iter().map(|font| font.bytes.len()).sum();
        assert!(total < 2_500 * 1_024, "{total} bytes");
    }

    #[test]
    fn an_unknown_hash_and_wrong_bytes_are_refused() {
        struct Wrong;
        impl Assets for Wrong {
            fn bytes(&self, _sha256: &str) -> Option<Arc<[u8]>> {
                Some(Arc::from(&b"not a font"[..]))
            }
        }
        let unknown = "00".repeat(32);
        assert_eq!(Font::find(&unknown, &NoAssets).unwrap_err().code(), "RENDER_TEMPLATE_ASSET");
        assert!(Font::find(&unknown, &Wrong).unwrap_err().to_string().contains("hash"));
    }
}
