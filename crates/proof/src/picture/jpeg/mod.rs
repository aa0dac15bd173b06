//! JPEG (ITU-T T.81): the brightness of a photograph, at a whole, half, quarter or eighth of its size.
//!
//! Why our own: the two decoders in Rust that could be had stop with a panic on crafted files, and both keep all
//! colours at full size. A code needs brightness alone, so the colours of a block are stepped over, and a block of a
//! picture that is halved is unfolded as four by four pixels. Sequential and progressive Huffman coding, eight bits.
//! Never here: arithmetic coding, lossless frames, CMYK, colour, orientation, a table that is used before it was given.

mod bits;
mod scan;

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use self::{
    bits::{Bits, Huffman},
    scan::{Scan, Stop},
};
use super::{Grey, PictureError, halvings};

/// Blocks that are looked at, counted anew in every scan: 40 million pixels in three colours take two million.
const BLOCKS_MAX: usize = 8_000_000;
/// Pixels of a progressive picture, whose coefficients stand in memory until its end.
const PROGRESSIVE_PIXELS_MAX: usize = 16_000_000;
/// Segments before, between and after the scans.
const SEGMENTS_MAX: usize = 4_096;
/// Blocks of all colours in one unit of an interleaved scan (T.81 §B.2.3).
const UNIT_BLOCKS_MAX: usize = 10;

/// Where the coefficients of a block stand, from the coarsest to the finest (T.81 figure A.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// One colour of the picture; the first is its brightness.
#[derive(Debug, Clone)]
struct Component {
    id: u8,
    across: usize,
    down: usize,
    quantisation: usize,
}

/// What the frame header says.
#[derive(Debug)]
struct Frame {
    progressive: bool,
    components: Vec<Component>,
    /// Units of an interleaved scan.
    units_across: usize,
    units_down: usize,
    /// Pixels of the brightness.
    width: usize,
    height: usize,
}

impl Frame {
    /// Blocks in a row of the brightness, the padding of units included.
    fn stride(&self) -> usize {
        self.units_across * self.components.first().map_or(1, |first| first.across)
    }
}

/// What was gathered on the way through the file.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    restart_units: usize,
    blocks_left: usize,
    picture: Option<Picture>,
}

/// The frame and what of it is known so far.
struct Picture {
    frame: Frame,
    unfolding: Unfolding,
    grey: Grey,
    /// Of a progressive picture, in natural order: block after block.
    coefficients: Vec<[i16; 64]>,
    scans: usize,
}

pub(super) fn read(bytes: &[u8]) -> Result<Grey, PictureError> {
    let mut reader = Reader {
        bytes,
        at: 2,
        quantisation: [None; 4],
        dc: Default::default(),
        ac: Default::default(),
        restart_units: 0,
        blocks_left: BLOCKS_MAX,
        picture: None,
    };
    let whole = match reader.segments() {
        Ok(()) => true,
        Err(Stop::Refused(error)) => return Err(error),
        // What came until then may hold the code.
        Err(Stop::Cut) => false,
    };
    let quantisation = reader.quantisation;
    let mut picture = reader
        .picture
        .filter(|picture| picture.scans > 0)
        .ok_or(PictureError::Damaged("the JPEG ends before its picture"))?;
    picture.unfold_all(&quantisation)?;
    Ok(Grey { whole, ..picture.grey })
}

impl<'a> Reader<'a> {
    /// From the start to the end of the image.
    fn segments(&mut self) -> Result<(), Stop> {
        for _ in 0..SEGMENTS_MAX {
            match self.marker()? {
                0xd9 => return Ok(()),
                code @ 0xc0..=0xc2 => self.frame(code == 0xc2)?,
                0xc4 => self.huffman()?,
                0xdb => self.quantisation()?,
                0xdd => {
                    let body = self.segment()?;
                    let [high, low] = *body.first_chunk().ok_or(damaged("a segment is too short"))?;
                    self.restart_units = usize::from(u16::from_be_bytes([high, low]));
                }
                0xda => self.scan()?,
                0xc3 | 0xc5..=0xcf | 0xdc => {
                    return Err(Stop::Refused(PictureError::Kind(
                        "a JPEG of a kind that cameras do not make",
                    )));
                }
                // Without a body: restarts that are not where they belong, and TEM.
                0xd0..=0xd8 | 0x01 => {}
                _ => {
                    self.segment()?;
                }
            }
        }
        Err(damaged("the JPEG has too many segments"))
    }

    /// The next marker; bytes before it are passed over, as they are by every reader.
    fn marker(&mut self) -> Result<u8, Stop> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let skipped = rest.iter().position(|byte| *byte == 0xff).ok_or(Stop::Cut)?;
            let code = *rest.get(skipped + 1).ok_or(Stop::Cut)?;
            self.at += skipped + 1;
            if !matches!(code, 0 | 0xff) {
                self.at += 1;
                return Ok(code);
            }
        }
    }

    /// The body of the segment whose marker was read.
    fn segment(&mut self) -> Result<&'a [u8], Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk::<2>().ok_or(Stop::Cut)?));
        let body = rest.get(2..length.max(2)).ok_or(Stop::Cut)?;
        self.at += length.max(2);
        Ok(body)
    }

    fn frame(&mut self, progressive: bool) -> Result<(), Stop> {
        let body = self.segment()?;
        if self.picture.is_some() {
            return Err(damaged("the JPEG has two frames"));
        }
        let short = damaged("the frame is too short");
        let ([bits, y1, y0, x1, x0, count], rest) = body.split_first_chunk::<6>().ok_or(short)?;
        let (height, width) = (u16::from_be_bytes([*y1, *y0]), u16::from_be_bytes([*x1, *x0]));
        if *bits != 8 || !matches!(count, 1 | 3) {
            return Err(Stop::Refused(PictureError::Kind("a JPEG that is neither grey nor three colours")));
        }
        let described = rest.as_chunks::<3>().0.get(..usize::from(*count));
        let mut components: Vec<Component> = described
            .ok_or(damaged("the frame is too short"))?
            .iter()
            .map(|[id, sampling, quantisation]| Component {
                id: *id,
                across: usize::from(sampling >> 4),
                down: usize::from(sampling & 15),
                quantisation: usize::from(*quantisation),
            })
            .collect();
        if let [only] = components.as_mut_slice() {
            // A single colour is its own measure (T.81 §A.2.2).
            (only.across, only.down) = (1, 1);
        }
        let sampled = |factor: usize| (1..=4).contains(&factor);
        let blocks: usize = components.iter().map(|one| one.across * one.down).sum();
        if !components.iter().all(|one| sampled(one.across) && sampled(one.down)) || blocks > UNIT_BLOCKS_MAX
        {
            return Err(damaged("the frame samples its colours in a way that cannot be"));
        }
        self.picture = Some(Picture::new(progressive, components, usize::from(width), usize::from(height))?);
        Ok(())
    }

    fn huffman(&mut self) -> Result<(), Stop> {
        let mut rest = self.segment()?;
        while let Some((head, after)) = rest.split_first() {
            let (table, after) = Huffman::read(after).ok_or(damaged("a table of codes is malformed"))?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(head & 15)).ok_or(damaged("a table of codes is malformed"))? =
                Some(table);
            rest = after;
        }
        Ok(())
    }

    fn quantisation(&mut self) -> Result<(), Stop> {
        let malformed = || damaged("a table of steps is malformed");
        let mut rest = self.segment()?;
        while let Some((head, after)) = rest.split_first() {
            let wide = head >> 4 != 0;
            let (steps, after) = after.split_at_checked(if wide { 128 } else { 64 }).ok_or_else(malformed)?;
            let mut table = [0u16; 64];
            for (index, place) in ZIGZAG.iter().enumerate() {
                let step = if wide {
                    steps.as_chunks::<2>().0.get(index).map(|pair| u16::from_be_bytes(*pair))
                } else {
                    steps.get(index).map(|step| u16::from(*step))
                };
                if let (Some(slot), Some(step)) = (table.get_mut(usize::from(*place)), step) {
                    *slot = step;
                }
            }
            *self.quantisation.get_mut(usize::from(head & 15)).ok_or_else(malformed)? = Some(table);
            rest = after;
        }
        Ok(())
    }

    fn scan(&mut self) -> Result<(), Stop> {
        let body = self.segment()?;
        let picture = self.picture.as_mut().ok_or(damaged("a scan comes before its frame"))?;
        let scan = Scan::read(body, &picture.frame)?;
        picture.scans += 1;
        let mut bits = Bits::new(self.bytes, self.at);
        let tables = scan::Tables { dc: &self.dc, ac: &self.ac, restart_units: self.restart_units };
        let step = picture.frame.components.first().map_or(0, |first| first.quantisation);
        let step = self.quantisation.get(step).copied().flatten();
        let done = scan.run(&mut bits, &tables, picture, step.as_ref(), &mut self.blocks_left);
        self.at = bits.place();
        done
    }
}

fn damaged(why: &'static str) -> Stop {
    Stop::Refused(PictureError::Damaged(why))
}

impl Picture {
    fn new(
        progressive: bool,
        components: Vec<Component>,
        width: usize,
        height: usize,
    ) -> Result<Self, PictureError> {
        let halvings = halvings(width, height)?;
        if progressive && width * height > PROGRESSIVE_PIXELS_MAX {
            return Err(PictureError::TooLarge("a progressive JPEG of more than 16 million pixels"));
        }
        let most = |factor: fn(&Component) -> usize| components.iter().map(factor).max().unwrap_or(1);
        let (across, down) = (most(|one| one.across), most(|one| one.down));
        let first = components.first().map_or((1, 1), |first| (first.across, first.down));
        let frame = Frame {
            progressive,
            units_across: width.div_ceil(8 * across),
            units_down: height.div_ceil(8 * down),
            width: (width * first.0).div_ceil(across),
            height: (height * first.1).div_ceil(down),
            components,
        };
        let (small, blocks) = (1usize << halvings, frame.stride() * frame.units_down * first.1);
        let grey = Grey::new(frame.width.div_ceil(small), frame.height.div_ceil(small));
        let coefficients = if progressive { vec![[0; 64]; blocks] } else { Vec::new() };
        Ok(Self { frame, unfolding: Unfolding::new(8 >> halvings), grey, coefficients, scans: 0 })
    }

    /// Unfolds what a progressive picture gathered.
    fn unfold_all(&mut self, quantisation: &[Option<[u16; 64]>; 4]) -> Result<(), PictureError> {
        let step = self.frame.components.first().map_or(0, |first| first.quantisation);
        let coefficients = std::mem::take(&mut self.coefficients);
        if coefficients.is_empty() {
            return Ok(());
        }
        let missing = PictureError::Damaged("the JPEG lacks a table of steps");
        let step = quantisation.get(step).copied().flatten().ok_or(missing)?;
        let stride = self.frame.stride().max(1);
        for (index, block) in coefficients.iter().enumerate() {
            self.put(index % stride, index / stride, block, &step);
        }
        Ok(())
    }

    /// Writes a block of the brightness into the grey picture.
    fn put(&mut self, column: usize, row: usize, coefficients: &[i16; 64], step: &[u16; 64]) {
        let side = self.unfolding.side;
        let (left, top) = (column * side, row * side);
        if left >= self.grey.width || top >= self.grey.height {
            return;
        }
        let pixels = self.unfolding.pixels(coefficients, step);
        let wide = side.min(self.grey.width - left);
        let rows = self.grey.pixels.chunks_exact_mut(self.grey.width).skip(top);
        for (target, line) in rows.zip(pixels.as_chunks::<8>().0).take(side) {
            if let (Some(target), Some(line)) = (target.get_mut(left..left + wide), line.get(..wide)) {
                target.copy_from_slice(line);
            }
        }
    }
}

/// The inverse cosine transform of T.81 §A.3.3 for blocks of 8, 4, 2 or 1 pixels a side: a smaller block takes the
/// coarse waves alone and looks at them where its pixels are.
struct Unfolding {
    side: usize,
    /// How strongly each wave shows in each pixel.
    waves: [[f32; 8]; 8],
}

impl Unfolding {
    fn new(side: usize) -> Self {
        let mut waves = [[0.0; 8]; 8];
        for (pixel, row) in (0u8..).zip(waves.iter_mut().take(side)) {
            for (wave, shows) in (0u8..).zip(row.iter_mut().take(side)) {
                let scale = if wave == 0 { FRAC_1_SQRT_2 } else { 1.0 };
                let middle = f32::from(2 * pixel + 1) / (2.0 * f32::from(u8::try_from(side).unwrap_or(8)));
                *shows = scale / 2.0 * (middle * f32::from(wave) * PI).cos();
            }
        }
        Self { side, waves }
    }

    /// The pixels of a block, eight to a line whatever its side.
    fn pixels(&self, coefficients: &[i16; 64], step: &[u16; 64]) -> [u8; 64] {
        let mut columns = [[0.0f32; 8]; 8];
        let waves = coefficients.as_chunks::<8>().0.iter().zip(step.as_chunks::<8>().0);
        for (vertical, (line, step)) in waves.take(self.side).enumerate() {
            for (horizontal, (value, step)) in line.iter().zip(step).take(self.side).enumerate() {
                if *value == 0 {
                    continue;
                }
                let value = f32::from(*value) * f32::from(*step);
                for (pixel, shows) in columns.iter_mut().zip(&self.waves) {
                    // Safe because: both come from enumerating at most eight.
                    pixel[vertical] += value * shows[horizontal];
                }
            }
        }
        let mut pixels = [0; 64];
        for (line, vertical) in pixels.as_chunks_mut::<8>().0.iter_mut().zip(&self.waves).take(self.side) {
            for (pixel, column) in line.iter_mut().zip(&columns).take(self.side) {
                let sum: f32 = column.iter().zip(vertical).map(|(value, shows)| value * shows).sum();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped to a byte"
                )]
                {
                    *pixel = (sum + 128.5).clamp(0.0, 255.0) as u8;
                }
            }
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_one_brightness_is_that_brightness_at_every_size() {
        for side in [1, 2, 4, 8] {
            let mut block = [0; 64];
            block[0] = 40;
            let pixels = Unfolding::new(side).pixels(&block, &[10; 64]);
            for line in pixels.as_chunks::<8>().0.iter().take(side) {
                assert_eq!(
                    line.get(..side).unwrap(),
                    [178, 178, 178, 178, 178, 178, 178, 178].get(..side).unwrap()
                );
            }
        }
    }

    #[test]
    fn a_wave_falls_from_left_to_right() {
        let mut block = [0; 64];
        block[1] = 30;
        for side in [2, 4, 8] {
            let pixels = Unfolding::new(side).pixels(&block, &[10; 64]);
            let line = pixels.get(..side).unwrap();
            assert!(line.is_sorted_by(|left, right| left > right), "{line:?}");
        }
    }
}
