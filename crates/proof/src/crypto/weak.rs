//! RSA moduli that an attacker can factor: small factors, the mark of ROCA, factors that lie too close together.
//!
//! Works on public numbers alone, so nothing here needs constant time; all loops are bounded by the modulus' length,
//! which [`super::RSA_BITS_MAX`] bounds.
//! Never here: a secret number, a signature.

use super::KeyRefusal;

/// How many steps of Fermat's method are taken; a sound generator leaves factors some 2^1000 steps apart.
const FERMAT_STEPS: usize = 100;
/// Trial division goes up to this number.
const SMALL_FACTOR_MAX: u32 = 752;
/// Squares leave few remainders modulo these: of a hundred other numbers, ninety-nine need no root.
const SQUARE_MODULI: [u64; 4] = [64, 63, 65, 11];
/// A modulus of the faulty generator is, modulo each of these primes, a power of 65537 (Nemec and others, 2017).
const ROCA_PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// Judges a modulus, big-endian.
pub(super) fn judge(modulus: &[u8]) -> Result<(), KeyRefusal> {
    if (2..=SMALL_FACTOR_MAX).any(|factor| remainder(modulus, factor) == 0) {
        return Err(KeyRefusal::RsaFactor);
    }
    if ROCA_PRIMES.iter().all(|prime| is_power_of_65537(remainder(modulus, *prime), *prime)) {
        return Err(KeyRefusal::RsaRoca);
    }
    if has_close_factors(modulus) {
        return Err(KeyRefusal::RsaCloseFactors);
    }
    Ok(())
}

fn remainder(number: &[u8], by: u32) -> u32 {
    let by = u64::from(by);
    // four octets a step: the rest is below 2^10, so nothing overflows
    let rest = number
        .rchunks(4)
        .rev()
        .fold(0, |rest, chunk| chunk.iter().fold(rest, |rest, byte| rest << 8 | u64::from(*byte)) % by);
    rest as u32
}

fn is_power_of_65537(number: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 0..prime {
        if power == number {
            return true;
        }
        power = power * 65_537 % prime;
    }
    false
}

/// Fermat: n = a² − b² with a just above √n when the factors are close.
fn has_close_factors(modulus: &[u8]) -> bool {
    let n = Natural::from_bytes(modulus);
    let (mut a, rest) = n.root();
    // b² = a² − n for the first a with a² ≥ n: (r + 1)² − n = 2r + 1 − (n − r²)
    let mut square = Natural::default();
    if !rest.is_zero() {
        square = a.doubled_plus_one();
        square.subtract(&rest);
        a.add_one();
    }
    for _ in 0..FERMAT_STEPS {
        if square.is_square() {
            return true;
        }
        square.add(&a.doubled_plus_one());
        a.add_one();
    }
    false
}

/// A natural number, little-endian, without leading zeros.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Natural(Vec<u64>);

impl Natural {
    fn from_bytes(bytes: &[u8]) -> Self {
        let limbs =
            bytes.rchunks(8).map(|chunk| chunk.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte)));
        let mut number = Self(limbs.collect());
        number.trim();
        number
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn bits(&self) -> usize {
        self.0.last().map_or(0, |last| self.0.len() * 64 - last.leading_zeros() as usize)
    }

    fn is_less_than(&self, other: &Self) -> bool {
        let length = self.0.len().cmp(&other.0.len());
        length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev())).is_lt()
    }

    fn add_limb(&mut self, limb: u64) {
        let mut carry = limb;
        for digit in &mut self.0 {
            let (sum, over) = digit.overflowing_add(carry);
            *digit = sum;
            carry = u64::from(over);
            if carry == 0 {
                return;
            }
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    fn add_one(&mut self) {
        self.add_limb(1);
    }

    fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut carry = false;
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        for (digit, more) in self.0.iter_mut().zip(others) {
            let (sum, first) = digit.overflowing_add(more);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *digit = sum;
            carry = first || second;
        }
        if carry {
            self.0.push(1);
        }
    }

    /// Takes away a number that is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        for (digit, less) in self.0.iter_mut().zip(others) {
            let (difference, first) = digit.overflowing_sub(less);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            *digit = difference;
            borrow = first || second;
        }
        self.trim();
    }

    fn shift_left(&mut self, by: u32) {
        let mut carry = 0;
        for digit in &mut self.0 {
            let next = *digit >> (64 - by);
            *digit = *digit << by | carry;
            carry = next;
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    fn doubled_plus_one(&self) -> Self {
        let mut double = self.clone();
        double.shift_left(1);
        double.add_limb(1);
        double
    }

    fn two_bits(&self, at: usize) -> u64 {
        let pair = self.0.get(at / 64).copied().unwrap_or(0);
        pair >> (at % 64) & 3
    }

    /// The whole square root and what is left, digit by digit in base 2.
    fn root(&self) -> (Self, Self) {
        let mut root = Self::default();
        let mut rest = Self::default();
        for pair in (0..self.bits().div_ceil(2)).rev() {
            rest.shift_left(2);
            rest.add_limb(self.two_bits(pair * 2));
            rest.trim();
            let mut trial = root.clone();
            trial.shift_left(2);
            trial.add_limb(1);
            root.shift_left(1);
            if !rest.is_less_than(&trial) {
                rest.subtract(&trial);
                root.add_limb(1);
            }
        }
        (root, rest)
    }

    fn is_square(&self) -> bool {
        SQUARE_MODULI.iter().all(|modulus| self.leaves_a_square(*modulus)) && self.root().1.is_zero()
    }

    fn leaves_a_square(&self, modulus: u64) -> bool {
        let by = u128::from(modulus);
        let rest = self.0.iter().rev().fold(0, |rest, limb| (rest << 64 | u128::from(*limb)) % by);
        (0..by).any(|root| root * root % by == rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn natural(value: u128) -> Natural {
        Natural::from_bytes(&value.to_be_bytes())
    }

    #[test]
    fn roots_of_small_and_large_numbers_are_exact() {
        for value in (0..2000).chain([u128::from(u64::MAX), 1 << 64, (1 << 64) + 1, u128::MAX]) {
            let (root, rest) = natural(value).root();
            let expected = value.isqrt();
            assert_eq!((root, rest), (natural(expected), natural(value - expected * expected)), "{value}");
        }
        assert!(natural(0).is_square() && natural(1 << 64).is_square() && !natural(u128::MAX).is_square());
    }

    #[test]
    fn close_factors_are_found_and_far_ones_are_not() {
        let close = 4_294_967_291_u64 * 4_294_967_279;
        assert!(has_close_factors(&close.to_be_bytes()));
        let far = 4_294_967_291_u64 * 65_537;
        assert!(!has_close_factors(&far.to_be_bytes()));
        let square = 4_294_967_291_u64 * 4_294_967_291;
        assert!(has_close_factors(&square.to_be_bytes()));
    }

    #[test]
    fn the_subgroup_of_65537_is_recognised() {
        // modulo 11, 65537 is 10: the subgroup is {1, 10}
        let powers: Vec<u32> = (0..11).filter(|number| is_power_of_65537(*number, 11)).collect();
        assert_eq!(powers, [1, 10]);
    }
}
