//! The order in which places of a status list are taken: a keyed permutation, so that every place is taken once and
//! nobody can tell from two indices which credential was issued first.
//!
//! A Feistel network of four rounds over the next even number of bits, walked until the value falls into the list.

use aws_lc_rs::hmac;

const ROUNDS: u8 = 4;

/// The `position`-th place of a list of `size` places; `position` < `size`.
pub(crate) fn place(seed: &[u8; 32], size: u32, position: u32) -> u32 {
    let bits = (u32::BITS - size.saturating_sub(1).leading_zeros()).max(2).next_multiple_of(2);
    let half = bits / 2;
    let mask = (1u64 << half) - 1;
    let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
    let mut value = u64::from(position);
    loop {
        let (mut left, mut right) = (value >> half, value & mask);
        for round in 0..ROUNDS {
            let mut message = vec![round];
            message.extend_from_slice(&right.to_be_bytes());
            let tag = hmac::sign(&key, &message);
            let word = tag.as_ref().first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
            (left, right) = (right, left ^ (word & mask));
        }
        value = (left << half) | right;
        if value < u64::from(size) {
            return u32::try_from(value).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_taken_once_in_an_order_that_the_seed_decides() {
        for size in [1u32, 2, 7, 1_000, 4_096] {
            let mut seen = vec![false; size as usize];
            for position in 0..size {
                let place = place(&[9; 32], size, position) as usize;
                assert!(!std::mem::replace(&mut seen[place], true), "place {place} of {size} twice");
            }
        }
        let first: Vec<u32> = (0..32).map(|position| place(&[1; 32], 131_072, position)).collect();
        let other: Vec<u32> = (0..32).map(|position| place(&[2; 32], 131_072, position)).collect();
        assert_ne!(first, other);
        assert!(first.windows(2).any(|pair| pair[0] > pair[1]), "not in sequence");
    }
}
