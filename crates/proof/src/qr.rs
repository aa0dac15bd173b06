//! QR codes as modules and as one path, for pages and the renderer; and read out of pictures ([`read`]).
//!
//! Why as a path: it prints at any size, needs no pixels and is one element however large the code is.
//! Error correction M by default (about 15 % may be lost); a quiet zone of four modules on every side (ISO/IEC 18004).
//! The same text always gives the same code.
//! Never here: colours, logos laid over the code, text that is not shown as it is.

mod dark;
mod find;
mod grid;
mod read;

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};
use thiserror::Error;

pub use self::read::{CODES_MAX, read};

/// Light modules around the code on every side.
pub const QUIET_ZONE: usize = 4;

/// The longest text that any code can hold: version 40, level L, bytes.
pub const MAX_TEXT_BYTES: usize = 2953;

/// The text does not fit into the largest code of this level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a text of {bytes} bytes does not fit into a QR code of this level")]
pub struct QrTooLong {
    /// Bytes of the text.
    pub bytes: usize,
}

/// How much of the code may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// About 7 %: for dense codes on screens.
    Low,
    /// About 15 %: what we use unless told otherwise.
    #[default]
    Medium,
    /// About 25 %.
    Quartile,
    /// About 30 %: for print that gets dirty.
    High,
}

/// A QR code without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qr {
    width: usize,
    dark: Vec<bool>,
}

impl Qr {
    /// The code of a text at level M.
    pub fn new(text: &str) -> Result<Self, QrTooLong> {
        Self::with_level(text, Level::default())
    }

    /// The code of a text, in the smallest version that holds it.
    pub fn with_level(text: &str, level: Level) -> Result<Self, QrTooLong> {
        let too_long = QrTooLong { bytes: text.len() };
        // Digits are packed more tightly than bytes, but nothing that we encode is a number of 3,000 digits.
        if text.len() > MAX_TEXT_BYTES {
            return Err(too_long);
        }
        let level = match level {
            Level::Low => ECL::L,
            Level::Medium => ECL::M,
            Level::Quartile => ECL::Q,
            Level::High => ECL::H,
        };
        let code = QRBuilder::new(text).ecl(level).build().map_err(|_| too_long)?;
        let modules = code.size * code.size;
        Ok(Self {
            width: code.size,
            dark: code.data.iter().take(modules).map(|module| module.value()).collect(),
        })
    }

    /// Modules on each side, without quiet zone: 21 to 177.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Modules on each side with the quiet zone: the side of the view box for [`Qr::svg_path`].
    pub fn width_with_quiet_zone(&self) -> usize {
        self.width + 2 * QUIET_ZONE
    }

    /// Whether a module is dark, counted from the top left without quiet zone; outside all is light.
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        let inside = column < self.width && row < self.width;
        inside && self.dark.get(row * self.width + column).copied().unwrap_or(false)
    }

    /// The rows of the code without quiet zone; `true` is dark.
    pub fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.dark.chunks(self.width.max(1))
    }

    /// All dark modules as one SVG path in units of a module, quiet zone included: fill it, without stroke, on a light square
    /// of [`Qr::width_with_quiet_zone`]. Dark modules beside each other are one rectangle.
    pub fn svg_path(&self) -> String {
        let mut path = String::new();
        for (row, modules) in self.rows().enumerate() {
            let mut column = 0;
            for run in modules.chunk_by(|left, right| left == right) {
                if run.first() == Some(&true) {
                    let (x, y, width) = (column + QUIET_ZONE, row + QUIET_ZONE, run.len());
                    // Safe because: writing to a String cannot fail.
                    let _ = write!(path, "M{x} {y}h{width}v1h-{width}z");
                }
                column += run.len();
            }
        }
        path
    }

    /// A whole SVG document of the code: a light square and the dark path, in black and white.
    pub fn svg(&self) -> String {
        let side = self.width_with_quiet_zone();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{}\"/></svg>",
            self.svg_path()
        )
    }
}
