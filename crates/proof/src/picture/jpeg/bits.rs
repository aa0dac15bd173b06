//! The bits of a scan, and the tables that turn them into numbers.
//!
//! A reader stops before a marker and never looks past it; bits beyond it are "cut", not zero.
//! Never here: a table that is not a tree (T.81 annex C).

use super::scan::Stop;

/// Bits looked up at once.
const QUICK_BITS: u32 = 9;
/// The longest code.
const CODE_BITS_MAX: usize = 16;

/// Bits from a place in the file up to the next marker.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, the first one highest.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, held: 0, count: 0 }
    }

    /// Where the file goes on after this scan.
    pub fn place(&self) -> usize {
        self.at
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let Some(byte) = self.bytes.get(self.at).copied() else { return };
            if byte == 0xff {
                // A stuffed zero makes it data; anything else is a marker.
                if self.bytes.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next bits without taking them; zeros stand for those that are not there.
    fn peek(&mut self, bits: u32) -> u64 {
        if self.count < bits {
            self.fill();
        }
        self.held >> (64 - bits)
    }

    fn take(&mut self, bits: u32) -> Result<(), Stop> {
        self.count = self.count.checked_sub(bits).ok_or(Stop::Cut)?;
        self.held <<= bits;
        Ok(())
    }

    /// A number of 0 to 16 bits.
    pub fn number(&mut self, bits: u32) -> Result<i32, Stop> {
        if bits == 0 {
            return Ok(0);
        }
        let number = self.peek(bits);
        self.take(bits)?;
        Ok(i32::try_from(number).unwrap_or(i32::MAX))
    }

    /// A number of so many bits, negative when its first bit is zero (T.81 figure F.12).
    pub fn signed(&mut self, bits: u32) -> Result<i32, Stop> {
        let number = self.number(bits)?;
        let positive = bits == 0 || number >> (bits - 1) == 1;
        Ok(if positive { number } else { number - (1 << bits) + 1 })
    }

    /// One bit.
    pub fn bit(&mut self) -> Result<bool, Stop> {
        Ok(self.number(1)? == 1)
    }

    /// The symbol of the next code.
    pub fn symbol(&mut self, table: &Huffman) -> Result<u8, Stop> {
        let ahead = self.peek(16);
        // Safe because: a number of nine bits is below 512.
        let (symbol, length) = table.quick[(ahead >> (16 - QUICK_BITS)) as usize & 511];
        if length > 0 {
            self.take(u32::from(length))?;
            return Ok(symbol);
        }
        let (symbol, length) = table.slow(ahead).ok_or(Stop::Cut)?;
        self.take(length)?;
        Ok(symbol)
    }

    /// Drops what is left before the next marker and steps over it when it is a restart.
    pub fn restart(&mut self) -> Result<(), Stop> {
        (self.held, self.count) = (0, 0);
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.first_chunk() {
            Some([0xff, 0xd0..=0xd7]) => {
                self.at += 2;
                Ok(())
            }
            _ => Err(Stop::Cut),
        }
    }
}

/// A table of codes.
pub(super) struct Huffman {
    /// Symbol and length of the code that so many bits begin with; length 0 for longer codes.
    quick: [(u8, u8); 1 << QUICK_BITS],
    /// For each length: its first code, where its symbols begin, and how many there are.
    lengths: [(u64, usize, u64); CODE_BITS_MAX + 1],
    symbols: Vec<u8>,
}

impl Huffman {
    /// Reads a table from a segment; gives what follows it.
    pub fn read(segment: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = segment.split_first_chunk::<CODE_BITS_MAX>()?;
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        let (symbols, rest) = rest.split_at_checked(total).filter(|_| total <= 256)?;
        let mut table = Self {
            quick: [(0, 0); 1 << QUICK_BITS],
            lengths: [(0, 0, 0); CODE_BITS_MAX + 1],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut start) = (0u64, 0usize);
        for ((length, count), slot) in (1u8..).zip(counts).zip(table.lengths.iter_mut().skip(1)) {
            code <<= 1;
            *slot = (code, start, u64::from(*count));
            for symbol in symbols.iter().skip(start).take(usize::from(*count)) {
                if code >> length != 0 {
                    return None;
                }
                if u32::from(length) <= QUICK_BITS {
                    let spare = QUICK_BITS - u32::from(length);
                    let first = usize::try_from(code << spare).ok()?;
                    table.quick.get_mut(first..first + (1 << spare))?.fill((*symbol, length));
                }
                code += 1;
            }
            start += usize::from(*count);
        }
        Some((table, rest))
    }

    /// The code that these sixteen bits begin with.
    fn slow(&self, ahead: u64) -> Option<(u8, u32)> {
        (1u32..).zip(self.lengths.iter().skip(1)).find_map(|(length, (first, start, count))| {
            let beyond = (ahead >> (16 - length)).checked_sub(*first).filter(|beyond| beyond < count)?;
            let symbol = self.symbols.get(start + usize::try_from(beyond).ok()?)?;
            Some((*symbol, length))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(counts: &[u8], symbols: &[u8]) -> Option<Huffman> {
        let mut segment = [0; 16].to_vec();
        segment[..counts.len()].copy_from_slice(counts);
        segment.extend_from_slice(symbols);
        Huffman::read(&segment).map(|(table, rest)| {
            assert!(rest.is_empty());
            table
        })
    }

    #[test]
    fn codes_short_and_long_lead_to_their_symbols_and_the_end_is_seen() {
        // 0, 10, and one of eleven bits: 110_0000_0000.
        let table = table(&[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1], &[7, 8, 9]).unwrap();
        let bytes = [0b0101_1000, 0b0000_0011, 0xff, 0xd9];
        let mut bits = Bits::new(&bytes, 0);
        for expected in [7, 8, 9] {
            assert_eq!(bits.symbol(&table).ok(), Some(expected));
        }
        assert_eq!((bits.number(2).ok(), bits.bit().ok(), bits.place()), (Some(3), None, 2));
    }

    #[test]
    fn stuffed_bytes_are_one_and_signs_are_as_in_the_standard() {
        let mut bits = Bits::new(&[0xff, 0, 0b0100_0000], 0);
        assert_eq!(
            (bits.number(8).ok(), bits.signed(2).ok(), bits.signed(2).ok()),
            (Some(255), Some(-2), Some(-3))
        );
        assert_eq!(bits.signed(0).ok(), Some(0));
    }

    #[test]
    fn a_table_that_is_no_tree_is_refused() {
        assert!(table(&[3], &[1, 2, 3]).is_none());
        assert!(table(&[2, 1], &[1, 2, 3]).is_none());
        assert!(Huffman::read(&[1; 20]).is_none());
        assert!(Huffman::read(&[0; 15]).is_none());
    }
}
