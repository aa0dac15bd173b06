//! Pictures as grey squares: a PNG or a JPEG, made small enough to be looked at while it is decoded.
//!
//! Why: a photograph of a diploma has twelve million pixels, and a reader of codes needs two million. A picture is
//! halved as often as needed during decoding, so that its full size never stands in memory.
//! Colour, orientation, profiles and every chunk or segment that says something about the picture are passed over.
//! Never here: an allocation that a header asks for before it was compared with the limits.

mod jpeg;
mod png;

use thiserror::Error;

/// Pixels of the largest picture (spec verify §1).
pub const PIXELS_MAX: usize = 40_000_000;
/// Pixels of one side.
pub const SIDE_PIXELS_MAX: usize = 20_000;
/// Pixels of a grey picture; a larger one is halved until it is no larger.
pub const GREY_PIXELS_MAX: usize = 6_400_000;

/// Why a picture could not be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PictureError {
    /// It is damaged.
    #[error("the picture is damaged: {0}")]
    Damaged(&'static str),
    /// It is of a kind that is not read.
    #[error("the picture is of a kind that is not read here: {0}")]
    Kind(&'static str),
    /// It exceeds a limit.
    #[error("the picture is too large: {0}")]
    TooLarge(&'static str),
}

/// Brightness, row by row: 0 is black.
#[derive(Debug, Clone)]
pub(crate) struct Grey {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
    /// Whether the file held all of it.
    pub whole: bool,
}

/// Decodes a picture.
pub(crate) fn open(bytes: &[u8]) -> Result<Grey, PictureError> {
    if is_png(bytes) {
        png::read(bytes)
    } else if is_jpeg(bytes) {
        jpeg::read(bytes)
    } else {
        Err(PictureError::Kind("neither PNG nor JPEG"))
    }
}

/// Whether these bytes begin as a picture that would be decoded: however few they are, that takes time.
#[must_use]
pub fn is_picture(bytes: &[u8]) -> bool {
    is_png(bytes) || is_jpeg(bytes)
}

/// Whether these bytes begin as a PNG.
pub(crate) fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
}

/// Whether these bytes begin as a JPEG.
pub(crate) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8\xff")
}

/// How far a picture of this size is reduced: the logarithm of a divisor of both sides.
fn halvings(width: usize, height: usize) -> Result<u32, PictureError> {
    if width == 0 || height == 0 {
        return Err(PictureError::Damaged("it has no pixels"));
    }
    if width > SIDE_PIXELS_MAX || height > SIDE_PIXELS_MAX || width * height > PIXELS_MAX {
        return Err(PictureError::TooLarge("it has more than 40 million pixels"));
    }
    Ok((0..3).find(|by| (width * height) >> (2 * by) <= GREY_PIXELS_MAX).unwrap_or(3))
}

impl Grey {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![u8::MAX; width * height], whole: true }
    }

    /// Half of both sides, each pixel the mean of four.
    pub fn half(&self) -> Self {
        let mut half = Self::new(self.width / 2, self.height / 2);
        let mut rows = self.pixels.chunks_exact(self.width.max(1));
        for target in half.pixels.chunks_exact_mut(half.width.max(1)) {
            let (Some(upper), Some(lower)) = (rows.next(), rows.next()) else { break };
            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            for (pixel, ([a, b], [c, d])) in target.iter_mut().zip(pairs) {
                let sum = u16::from(*a) + u16::from(*b) + u16::from(*c) + u16::from(*d);
                *pixel = u8::try_from(sum / 4).unwrap_or(u8::MAX);
            }
        }
        half
    }

    /// Twice both sides, with pixels between pixels: codes whose modules are two pixels wide need it.
    pub fn double(&self) -> Self {
        let mut double = Self::new(self.width * 2, self.height * 2);
        let last = self.height.saturating_sub(1);
        let row = |y: usize| self.pixels.chunks_exact(self.width.max(1)).nth(y.min(last)).unwrap_or_default();
        for (y, target) in double.pixels.chunks_exact_mut(self.width.max(1) * 2).enumerate() {
            // A new pixel lies a quarter of an old one away from the nearer row and column.
            let near = row(y / 2);
            let far = row(if y % 2 == 0 { (y / 2).saturating_sub(1) } else { y / 2 + 1 });
            let mixed = |x: usize| {
                let x = x.min(self.width.saturating_sub(1));
                let at = |row: &[u8]| u16::from(row.get(x).copied().unwrap_or(u8::MAX));
                3 * at(near) + at(far)
            };
            for (x, pair) in target.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                let own = 3 * mixed(x);
                let sums = [own + mixed(x.saturating_sub(1)), own + mixed(x + 1)];
                *pair = sums.map(|sum| u8::try_from(sum / 16).unwrap_or(u8::MAX));
            }
        }
        double
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_halved_until_it_is_small_enough_and_no_further() {
        assert_eq!(halvings(842, 595), Ok(0));
        assert_eq!(halvings(4_000, 3_000), Ok(1));
        assert_eq!(halvings(6_000, 4_000), Ok(1));
        assert_eq!(halvings(8_000, 5_000), Ok(2));
        assert!(matches!(halvings(40_000, 40_000), Err(PictureError::TooLarge(_))));
        assert!(matches!(halvings(20_001, 1), Err(PictureError::TooLarge(_))));
        assert!(matches!(halvings(0, 5), Err(PictureError::Damaged(_))));
    }

    #[test]
    fn half_and_double_keep_what_they_show() {
        let grey = Grey { width: 4, height: 2, pixels: vec![0, 20, 100, 100, 40, 60, 100, 100], whole: true };
        let half = grey.half();
        assert_eq!((half.width, half.height, half.pixels.as_slice()), (2, 1, [30, 100].as_slice()));
        let double = grey.double();
        assert_eq!((double.width, double.height), (8, 4));
        assert_eq!(double.pixels.first(), Some(&0), "the corner has no neighbour");
        assert_eq!(double.pixels.last(), Some(&100));
        assert_eq!(double.half().pixels.len(), grey.pixels.len());
        let line = Grey { width: 1, height: 1, pixels: vec![7], whole: true };
        assert_eq!(line.half().pixels.len(), 0);
        assert_eq!(line.double().pixels, [7; 4]);
    }
}
