//! A share as text that a person writes down: Crockford base32 in groups of five, the fifth a check.
//!
//! The check symbol of a group is a sum over GF(2⁵), so one wrong symbol, two neighbours exchanged, or two groups
//! exchanged never pass, and the reader is told in which group to look. Four bytes of SHA-256 over the whole catch
//! what is left. `O` is read as `0`, `I` and `L` as `1`; case, spaces and hyphens do not matter.

use base::{Result, Secret};
use zeroize::Zeroizing;

use crate::error;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP_SYMBOLS: usize = 4;
/// Longer texts are no share.
const TEXT_BYTES_MAX: usize = 512;
const CHECKSUM_BYTES: usize = 4;
const CHECKSUM_DOMAIN: &[u8] = b"selo/share/1";

/// Writes bytes as groups.
pub(super) fn write(bytes: &[u8]) -> Secret<String> {
    let mut whole = Zeroizing::new(bytes.to_vec());
    whole.extend_from_slice(&checksum(bytes));
    let symbols = Zeroizing::new(symbols(&whole));
    // Reserved in full, so that no half-written copy is left behind by growing.
    let mut text = String::with_capacity(symbols.len() * 2);
    for (group, four) in symbols.chunks(GROUP_SYMBOLS).enumerate() {
        if group > 0 {
            text.push('-');
        }
        for symbol in four.iter().chain([&check(group, four)]) {
            // Safe because: a symbol has five bits and the alphabet 32 letters.
            text.push(char::from(ALPHABET[usize::from(symbol & 31)]));
        }
    }
    Secret::new(text)
}

/// Reads groups; what follows the bytes whose length `length` tells must be filling.
///
/// # Errors
/// `KEYS_SHARE_MALFORMED`; `KEYS_SHARE_MISTYPED` with the group, counted from 1.
pub(super) fn read(text: &str, length: impl FnOnce(&[u8]) -> Option<usize>) -> Result<Zeroizing<Vec<u8>>> {
    let malformed = || error::SHARE.error();
    if text.len() > TEXT_BYTES_MAX {
        return Err(malformed());
    }
    let written: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-').collect());
    let mut bytes = Zeroizing::new(Vec::with_capacity(TEXT_BYTES_MAX));
    let (mut bits, mut held) = (0_u32, 0_u32);
    for (group, letters) in written.chunks(GROUP_SYMBOLS + 1).enumerate() {
        let mistyped = || error::SHARE_MISTYPED.error().with("group", group + 1);
        let mut five = Zeroizing::new([0; GROUP_SYMBOLS + 1]);
        if letters.len() != five.len() {
            return Err(mistyped());
        }
        for (slot, letter) in five.iter_mut().zip(letters) {
            *slot = symbol(*letter).ok_or_else(mistyped)?;
        }
        let (last, four) = five.split_last().ok_or_else(malformed)?;
        if check(group, four) != *last {
            return Err(mistyped());
        }
        for symbol in four {
            held = (held << 5) | u32::from(*symbol);
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((held >> bits) & 0xff).unwrap_or_default());
            }
        }
    }
    let length = length(&bytes).ok_or_else(malformed)?;
    let (content, rest) = bytes.split_at_checked(length).ok_or_else(malformed)?;
    let (sum, filling) = rest.split_at_checked(CHECKSUM_BYTES).ok_or_else(malformed)?;
    // The last group has twenty bits, so filling is shorter than that, and all zero.
    let filled = filling.len() <= 2 && filling.iter().all(|byte| *byte == 0) && held & ((1 << bits) - 1) == 0;
    if sum != checksum(content) || !filled {
        return Err(malformed());
    }
    Ok(Zeroizing::new(content.to_vec()))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut whole = Zeroizing::new(CHECKSUM_DOMAIN.to_vec());
    whole.extend_from_slice(bytes);
    proof::crypto::sha256(&whole).first_chunk().copied().unwrap_or_default()
}

/// Five bits each, most significant first, filled with zeros to whole groups.
fn symbols(bytes: &[u8]) -> Vec<u8> {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| (byte >> (7 - at % 8)) & 1);
    let count = (bytes.len() * 8).div_ceil(5 * GROUP_SYMBOLS) * GROUP_SYMBOLS;
    (0..count).map(|at| (0..5).fold(0, |symbol, place| (symbol << 1) | bit(at * 5 + place))).collect()
}

fn symbol(letter: u8) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    ALPHABET.iter().position(|known| *known == letter).and_then(|place| u8::try_from(place).ok())
}

/// `g + a·s₁ + a²·s₂ + a³·s₃ + a⁴·s₄` in GF(2⁵) modulo x⁵ + x² + 1, where `a` is x and `g` the group's number.
fn check(group: usize, four: &[u8]) -> u8 {
    let number = u8::try_from(group % 32).unwrap_or_default();
    // Horner from behind: each step multiplies by x.
    let times_x = |value: u8| ((value << 1) ^ ((value >> 4).wrapping_neg() & 0b10_0101)) & 31;
    four.iter().rev().fold(0, |sum, symbol| times_x(sum ^ symbol)) ^ number
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 23] = *b"\x17a text of fixed length";

    fn length(bytes: &[u8]) -> Option<usize> {
        bytes.first().map(|byte| usize::from(*byte))
    }

    #[test]
    fn a_text_reads_back_however_it_was_copied() {
        let text = write(&BYTES);
        for copied in [
            text.expose().clone(),
            text.expose().to_lowercase().replace('-', " "),
            text.expose().replace('0', "o").replace('1', "l").replace('-', "\n"),
        ] {
            assert_eq!(&**read(&copied, length).unwrap(), BYTES);
        }
    }

    #[test]
    fn every_wrong_letter_is_found_in_its_group() {
        let text = write(&BYTES);
        for place in 0..text.expose().len() {
            let mut letters = text.expose().clone().into_bytes();
            if letters[place] == b'-' {
                continue;
            }
            for wrong in ALPHABET {
                if letters[place] == *wrong {
                    continue;
                }
                let right = std::mem::replace(&mut letters[place], *wrong);
                let refused = read(std::str::from_utf8(&letters).unwrap(), length).err().unwrap();
                assert!(refused.is(&error::SHARE_MISTYPED), "{refused}");
                assert_eq!(refused.args()[0].1, (place / 6 + 1).to_string());
                letters[place] = right;
            }
        }
    }

    #[test]
    fn neighbours_and_groups_that_changed_places_are_found() {
        let text = write(&BYTES);
        let plain: Vec<u8> = text.expose().bytes().filter(|byte| *byte != b'-').collect();
        for place in 0..plain.len() - 1 {
            let mut letters = plain.clone();
            letters.swap(place, place + 1);
            if letters != plain {
                assert!(read(std::str::from_utf8(&letters).unwrap(), length).is_err(), "{place}");
            }
        }
        let mut groups: Vec<&str> = text.expose().split('-').collect();
        groups.swap(2, 5);
        assert!(read(&groups.concat(), length).is_err());
    }

    #[test]
    fn what_is_no_share_is_refused() {
        let text = write(&BYTES);
        let whole = text.expose();
        for bad in
            ["", "U", "00000", "é", &whole[..whole.len() - 6], &format!("{whole}-{whole}"), &"0".repeat(600)]
        {
            assert!(read(bad, length).is_err(), "{bad}");
        }
    }
}
