//! One scan: blocks of the brightness are read, blocks of colour are stepped over (T.81 §F.2, §G.2).
//!
//! Each block that is looked at is counted against the file's budget, whichever scan it stands in.
//! Never here: a scan that names a colour or a table which is not there, a coefficient beyond the sixty-fourth.

use super::{
    Frame, Picture, ZIGZAG,
    bits::{Bits, Huffman},
    damaged,
};
use crate::picture::PictureError;

/// Why reading ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// The file ends, or its bits make no sense from here on; what came before is kept.
    Cut,
    /// The file is refused.
    Refused(PictureError),
}

impl From<PictureError> for Stop {
    fn from(error: PictureError) -> Self {
        Self::Refused(error)
    }
}

/// The tables that are in force.
pub(super) struct Tables<'t> {
    pub dc: &'t [Option<Huffman>; 4],
    pub ac: &'t [Option<Huffman>; 4],
    pub restart_units: usize,
}

/// A colour of a scan.
struct Part {
    component: usize,
    dc: usize,
    ac: usize,
}

/// The header of a scan.
pub(super) struct Scan {
    parts: Vec<Part>,
    /// The first and the last coefficient.
    first: usize,
    last: usize,
    /// Bits of each coefficient that are known from earlier scans begin here; zero in the first one.
    high: u8,
    /// Bits that come later.
    low: u8,
}

/// What is carried from block to block.
#[derive(Default)]
struct State {
    /// The last block's mean, for each colour of the frame.
    means: [i32; 3],
    /// Blocks that are known to have nothing more in this band.
    empty_run: u32,
}

impl Scan {
    pub fn read(body: &[u8], frame: &Frame) -> Result<Self, Stop> {
        let malformed = || damaged("a scan is malformed");
        let (count, rest) = body.split_first().ok_or_else(malformed)?;
        let (named, rest) = rest.split_at_checked(2 * usize::from(*count)).ok_or_else(malformed)?;
        let [first, last, bits] = *rest.first_chunk().ok_or_else(malformed)?;
        let mut parts: Vec<Part> = Vec::new();
        for [id, tables] in named.as_chunks::<2>().0 {
            let component = frame.components.iter().position(|one| one.id == *id).ok_or_else(malformed)?;
            if parts.iter().any(|part| part.component == component) {
                return Err(malformed());
            }
            parts.push(Part { component, dc: usize::from(tables >> 4), ac: usize::from(tables & 15) });
        }
        let (first, last, high, low) = (usize::from(first), usize::from(last), bits >> 4, bits & 15);
        let scan = if frame.progressive {
            Self { parts, first, last, high, low }
        } else {
            Self { parts, first: 0, last: 63, high: 0, low: 0 }
        };
        let band = match (frame.progressive, scan.first) {
            (false, _) => true,
            (true, 0) => scan.last == 0,
            (true, _) => scan.last >= scan.first && scan.last < 64 && scan.parts.len() == 1,
        };
        if !band || scan.parts.is_empty() || scan.low > 13 {
            return Err(malformed());
        }
        Ok(scan)
    }

    /// Reads the scan, or as much of it as there is.
    pub fn run(
        &self,
        bits: &mut Bits<'_>,
        tables: &Tables<'_>,
        picture: &mut Picture,
        step: Option<&[u16; 64]>,
        blocks_left: &mut usize,
    ) -> Result<(), Stop> {
        // Colour by itself is of no use; the way to the next marker is all that is wanted of it.
        if !self.parts.iter().any(|part| part.component == 0) {
            return Ok(());
        }
        let alone = self.parts.len() == 1;
        let (across, down) = if alone {
            (picture.frame.width.div_ceil(8), picture.frame.height.div_ceil(8))
        } else {
            (picture.frame.units_across, picture.frame.units_down)
        };
        let mut state = State::default();
        for unit in 0..across * down {
            if tables.restart_units > 0 && unit > 0 && unit % tables.restart_units == 0 {
                bits.restart()?;
                state = State::default();
            }
            for part in &self.parts {
                let sampling = picture.frame.components.get(part.component);
                let (wide, tall) = sampling.filter(|_| !alone).map_or((1, 1), |one| (one.across, one.down));
                for block in 0..wide * tall {
                    *blocks_left = blocks_left
                        .checked_sub(1)
                        .ok_or(PictureError::TooLarge("its scans go over it too often"))?;
                    let column = unit % across * wide + block % wide;
                    let row = unit / across * tall + block / wide;
                    self.block(bits, tables, part, (column, row), picture, step, &mut state)?;
                }
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "everything that a block depends on")]
    fn block(
        &self,
        bits: &mut Bits<'_>,
        tables: &Tables<'_>,
        part: &Part,
        (column, row): (usize, usize),
        picture: &mut Picture,
        step: Option<&[u16; 64]>,
        state: &mut State,
    ) -> Result<(), Stop> {
        let missing = || damaged("a scan names a table that was not given");
        let dc = tables.dc.get(part.dc).and_then(Option::as_ref);
        let ac = tables.ac.get(part.ac).and_then(Option::as_ref);
        let mean = state.means.get_mut(part.component).ok_or_else(missing)?;
        if !picture.frame.progressive {
            let mut block = [0i16; 64];
            sequential(bits, dc.ok_or_else(missing)?, ac.ok_or_else(missing)?, mean, &mut block)?;
            if part.component == 0 {
                picture.put(column, row, &block, step.ok_or_else(missing)?);
            }
            return Ok(());
        }
        let mut colour = [0i16; 64];
        let at = row * picture.frame.stride() + column;
        let block = match part.component {
            0 => picture.coefficients.get_mut(at).ok_or(Stop::Cut)?,
            _ => &mut colour,
        };
        match (self.first, self.high) {
            (0, 0) => {
                *mean =
                    mean.saturating_add(difference(bits, dc.ok_or_else(missing)?)?).clamp(-32_768, 32_767);
                *slot(block, 0)? = narrow(*mean << self.low);
            }
            (0, _) => {
                if bits.bit()? {
                    *slot(block, 0)? |= 1 << self.low;
                }
            }
            (_, 0) => self.coarse(bits, ac.ok_or_else(missing)?, block, state)?,
            _ => self.finer(bits, ac.ok_or_else(missing)?, block, state)?,
        }
        Ok(())
    }

    /// The first bits of a band (T.81 §G.1.2.2).
    fn coarse(
        &self,
        bits: &mut Bits<'_>,
        table: &Huffman,
        block: &mut [i16; 64],
        state: &mut State,
    ) -> Result<(), Stop> {
        if state.empty_run > 0 {
            state.empty_run -= 1;
            return Ok(());
        }
        let mut at = self.first;
        while at <= self.last {
            let symbol = bits.symbol(table)?;
            let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            match (zeros, size) {
                (15, 0) => at += 16,
                (_, 0) => {
                    state.empty_run = empty_run(bits, zeros)? - 1;
                    break;
                }
                _ => {
                    at += zeros;
                    let value = bits.signed(size)?;
                    *slot(block, at)? = narrow(value << self.low);
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// One more bit of everything in a band (T.81 §G.1.2.3).
    fn finer(
        &self,
        bits: &mut Bits<'_>,
        table: &Huffman,
        block: &mut [i16; 64],
        state: &mut State,
    ) -> Result<(), Stop> {
        let one = 1i16 << self.low;
        let mut at = self.first;
        while at <= self.last && state.empty_run == 0 {
            let symbol = bits.symbol(table)?;
            let (mut zeros, size) = (symbol >> 4, symbol & 15);
            let value = match (zeros, size) {
                (15, 0) => 0,
                (_, 0) => {
                    state.empty_run = empty_run(bits, usize::from(zeros))?;
                    break;
                }
                _ if bits.bit()? => one,
                _ => -one,
            };
            // Over what is known, with a bit for each, to the place that so many zeros lead to.
            while at <= self.last {
                let known = slot(block, at)?;
                at += 1;
                if *known != 0 {
                    refine(bits, known, one)?;
                } else if zeros == 0 {
                    *known = value;
                    break;
                } else {
                    zeros -= 1;
                }
            }
        }
        if state.empty_run > 0 {
            while at <= self.last {
                let known = slot(block, at)?;
                if *known != 0 {
                    refine(bits, known, one)?;
                }
                at += 1;
            }
            state.empty_run -= 1;
        }
        Ok(())
    }
}

/// How many blocks from here on have nothing more, this one included.
fn empty_run(bits: &mut Bits<'_>, size: usize) -> Result<u32, Stop> {
    let size = u32::try_from(size).unwrap_or(0);
    let more = bits.number(size)?;
    Ok((1 << size) + u32::try_from(more).unwrap_or(0))
}

fn refine(bits: &mut Bits<'_>, known: &mut i16, one: i16) -> Result<(), Stop> {
    if bits.bit()? && *known & one == 0 {
        *known = known.saturating_add(if *known > 0 { one } else { -one });
    }
    Ok(())
}

/// A coefficient by its place in the order of the file.
fn slot(block: &mut [i16; 64], at: usize) -> Result<&mut i16, Stop> {
    ZIGZAG.get(at).and_then(|place| block.get_mut(usize::from(*place))).ok_or(Stop::Cut)
}

fn narrow(value: i32) -> i16 {
    i16::try_from(value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))).unwrap_or(0)
}

fn difference(bits: &mut Bits<'_>, table: &Huffman) -> Result<i32, Stop> {
    let size = bits.symbol(table)?;
    if size > 15 {
        return Err(Stop::Cut);
    }
    bits.signed(u32::from(size))
}

/// A whole block (T.81 §F.2.2).
fn sequential(
    bits: &mut Bits<'_>,
    dc: &Huffman,
    ac: &Huffman,
    mean: &mut i32,
    block: &mut [i16; 64],
) -> Result<(), Stop> {
    *mean = mean.saturating_add(difference(bits, dc)?).clamp(-32_768, 32_767);
    *slot(block, 0)? = narrow(*mean);
    let mut at = 1;
    while at < 64 {
        let symbol = bits.symbol(ac)?;
        let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (zeros, size) {
            (15, 0) => at += 16,
            (_, 0) => break,
            _ => {
                at += zeros;
                let value = bits.signed(size)?;
                *slot(block, at)? = narrow(value);
                at += 1;
            }
        }
    }
    Ok(())
}
