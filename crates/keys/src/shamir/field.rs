//! Arithmetic of GF(2⁸) modulo x⁸ + x⁴ + x³ + x + 1 (FIPS 197 §4), without tables or branches on values, so that its
//! time tells nothing about a secret.

/// The product of two elements.
pub(super) const fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    let mut bit = 0;
    while bit < 8 {
        // All ones when the bit is set, otherwise all zeros.
        product ^= a & (b & 1).wrapping_neg();
        let overflow = (a >> 7).wrapping_neg();
        a = (a << 1) ^ (overflow & 0x1b);
        b >>= 1;
        bit += 1;
    }
    product
}

/// The inverse of an element, `a²⁵⁴`; zero gives zero.
pub(super) const fn invert(a: u8) -> u8 {
    // 254 = 0b1111_1110: square seven times, and multiply in each power but the first.
    let mut power = a;
    let mut result = 1;
    let mut step = 0;
    while step < 7 {
        power = multiply(power, power);
        result = multiply(result, power);
        step += 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_standard() {
        // FIPS 197 §4.2: {57} • {83} = {c1}, {57} • {13} = {fe}.
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert_eq!(multiply(0x57, 0x13), 0xfe);
    }

    #[test]
    fn every_element_but_zero_has_its_inverse() {
        assert_eq!(invert(0), 0);
        for element in 1..=255 {
            assert_eq!(multiply(element, invert(element)), 1, "{element}");
        }
    }

    #[test]
    fn multiplication_commutes_and_distributes() {
        for a in 0..=255_u8 {
            for b in 0..=255_u8 {
                assert_eq!(multiply(a, b), multiply(b, a));
                assert_eq!(multiply(a, b ^ 0x6d), multiply(a, b) ^ multiply(a, 0x6d));
            }
        }
    }
}
