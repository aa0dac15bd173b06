//! PNG: row by row through the decoder of the `png` crate, each row added to the small picture at once.
//!
//! Interlaced pictures come in seven coarse grids of rows; where a row's pixels belong is counted here.
//! What is transparent is shown on white paper.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::{Grey, PictureError, halvings};

/// What the decoder itself may allocate: a few rows of the widest picture, and chunks.
const DECODER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The seven grids of an interlaced picture: first column, first row, columns apart, rows apart (ISO/IEC 15948 §8.2).
const GRIDS: [[usize; 4]; 7] =
    [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

pub(super) fn read(bytes: &[u8]) -> Result<Grey, PictureError> {
    let damaged = |_| PictureError::Damaged("the PNG cannot be decoded");
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: DECODER_BYTES_MAX });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    let side = |pixels: u32| usize::try_from(pixels).unwrap_or(usize::MAX);
    let (width, height, interlaced) = (side(header.width), side(header.height), header.interlaced);
    let mut cells = Cells::new(width, height, halvings(width, height)?);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let channels = match reader.output_color_type() {
        (colour, BitDepth::Eight) => colour,
        _ => return Err(PictureError::Kind("a depth of colour that is not read")),
    };
    let plain = [[0, 0, 1, 1]];
    let grids: &[[usize; 4]] = if interlaced { &GRIDS } else { &plain };
    let mut whole = true;
    'rows: for [left, top, across, down] in grids {
        if *left >= width {
            continue;
        }
        for y in (*top..height).step_by(*down) {
            match reader.next_row() {
                Ok(Some(row)) => cells.add(y, *left, *across, row.data(), channels),
                // What came until then may hold the code.
                Ok(None) | Err(_) => {
                    whole = false;
                    break 'rows;
                }
            }
        }
    }
    Ok(Grey { whole, ..cells.means() })
}

/// Sums of brightness, one for each pixel of the small picture.
struct Cells {
    width: usize,
    height: usize,
    by: u32,
    across: usize,
    /// At most 64 pixels of 255 each.
    sums: Vec<u16>,
}

impl Cells {
    fn new(width: usize, height: usize, by: u32) -> Self {
        let (across, down) = (width.div_ceil(1 << by), height.div_ceil(1 << by));
        Self { width, height, by, across, sums: vec![0; across * down] }
    }

    /// Adds the pixels of a row that begins at `left` and takes every `step`th column.
    fn add(&mut self, y: usize, left: usize, step: usize, row: &[u8], colour: ColorType) {
        let by = self.by;
        let start = (y >> by) * self.across;
        let Some(cells) = self.sums.get_mut(start..start + self.across) else { return };
        let columns = (left..self.width).step_by(step);
        let mut put = |x: usize, brightness: u32| {
            if let Some(cell) = cells.get_mut(x >> by) {
                *cell = cell.saturating_add(u16::try_from(brightness).unwrap_or(u16::MAX));
            }
        };
        match colour {
            ColorType::Grayscale | ColorType::Indexed => {
                columns.zip(row).for_each(|(x, grey)| put(x, u32::from(*grey)));
            }
            ColorType::GrayscaleAlpha => {
                let pixels = row.as_chunks::<2>().0;
                columns.zip(pixels).for_each(|(x, [grey, alpha])| put(x, on_paper(u32::from(*grey), *alpha)));
            }
            ColorType::Rgb => {
                columns.zip(row.as_chunks::<3>().0).for_each(|(x, [r, g, b])| put(x, grey(*r, *g, *b)));
            }
            ColorType::Rgba => {
                let pixels = row.as_chunks::<4>().0;
                columns
                    .zip(pixels)
                    .for_each(|(x, [r, g, b, alpha])| put(x, on_paper(grey(*r, *g, *b), *alpha)));
            }
        }
    }

    fn means(&self) -> Grey {
        let side = 1usize << self.by;
        let mut picture = Grey::new(self.across, self.sums.len() / self.across.max(1));
        let rows = picture
            .pixels
            .chunks_exact_mut(self.across.max(1))
            .zip(self.sums.chunks_exact(self.across.max(1)));
        for (y, (pixels, sums)) in rows.enumerate() {
            let tall = side.min(self.height - y * side);
            for (x, (pixel, sum)) in pixels.iter_mut().zip(sums).enumerate() {
                let wide = side.min(self.width - x * side);
                *pixel = u8::try_from(usize::from(*sum) / (tall * wide).max(1)).unwrap_or(u8::MAX);
            }
        }
        picture
    }
}

/// Brightness as the eye weighs the colours (ITU-R BT.601).
fn grey(r: u8, g: u8, b: u8) -> u32 {
    (u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114) / 1_000
}

fn on_paper(brightness: u32, alpha: u8) -> u32 {
    (brightness * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255
}
