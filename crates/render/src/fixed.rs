//! Whole numbers for layout, so that every machine and the browser give equal positions.
//!
//! A *tick* is 1/1024 of a point. Lengths in the template are decimal texts that become whole
//! ten-thousandths of a user unit and then ticks by one rational factor. No float enters here;
//! floats appear only where outlines are handed to the rasteriser or the PDF writer.

/// Ticks in a point (a point is 1/72 inch).
pub const TICKS_PER_POINT: i64 = 1_024;
/// The step in which a text may shrink: a quarter of a point.
pub const SIZE_STEP: i64 = TICKS_PER_POINT / 4;

/// Reads `-12.3456` as a whole number of `10^-places`. `None` for anything else, for more digits
/// after the point than `places`, and for more than nine digits before it.
pub fn decimal(text: &str, places: u32) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let lone_point = digits.contains('.') && fraction.is_empty();
    if whole.is_empty() || whole.len() > 9 || lone_point || !plain(whole) || !plain(fraction) {
        return None;
    }
    let missing = places.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let scale = 10_i64.checked_pow(places)?;
    let mut value = whole.parse::<i64>().ok()?.checked_mul(scale)?;
    if !fraction.is_empty() {
        let part = fraction.parse::<i64>().ok()?;
        value = value.checked_add(part.checked_mul(10_i64.checked_pow(missing)?)?)?;
    }
    Some(if negative { -value } else { value })
}

/// `value * numerator / denominator`, rounded to the nearest, halves upwards. `denominator > 0`.
pub fn scale(value: i64, numerator: i64, denominator: i64) -> i64 {
    let denominator = i128::from(denominator.max(1));
    let product = i128::from(value) * i128::from(numerator);
    let rounded = (2 * product + denominator).div_euclid(2 * denominator);
    // Safe because: inputs are bounded by the limits of the profile, far below 63 bits.
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// Ticks as points, for drawing only.
#[expect(clippy::cast_precision_loss, reason = "a page has far fewer than 2^24 visible steps")]
pub fn points(ticks: i64) -> f32 {
    (ticks as f64 / TICKS_PER_POINT as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        assert_eq!(decimal("12.5", 4), Some(125_000));
        assert_eq!(decimal("-0.25", 2), Some(-25));
        assert_eq!(decimal("7", 0), Some(7));
        for wrong in ["", ".", "1.", ".5", "1e3", "+1", "1,5", "1.23456", "9999999999", "٣"] {
            assert_eq!(decimal(wrong, 4), None, "{wrong}");
        }
    }

    #[test]
    fn scaling_rounds_halves_upwards_on_both_sides_of_zero() {
        assert_eq!(scale(5, 1, 2), 3);
        assert_eq!(scale(-5, 1, 2), -2);
        assert_eq!(scale(1_000, 72, 254), 283);
    }
}
