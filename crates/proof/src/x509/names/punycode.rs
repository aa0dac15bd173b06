//! Punycode (RFC 3492), decoding only: to look at what an A-label would show.
//!
//! Never here: encoding, normalisation.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

/// The characters behind the part of an A-label that follows `xn--`; None when it decodes to nothing.
pub(super) fn decode(encoded: &str) -> Option<Vec<char>> {
    let (basic, extended) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut output: Vec<char> = basic.chars().collect();
    let mut digits = extended.bytes();
    let (mut n, mut at, mut bias) = (INITIAL_N, 0_u32, INITIAL_BIAS);
    while digits.len() > 0 {
        let before = at;
        let mut weight = 1_u32;
        let mut k = BASE;
        loop {
            let digit = digit(digits.next()?)?;
            at = at.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let count = u32::try_from(output.len()).ok()? + 1;
        bias = adapt(at - before, count, before == 0);
        n = n.checked_add(at / count)?;
        at %= count;
        output.insert(usize::try_from(at).ok()?, char::from_u32(n)?);
        at += 1;
    }
    Some(output)
}

fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'a'..=b'z' => Some(u32::from(byte - b'a')),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 26),
        _ => None,
    }
}

fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / count;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_the_standard_decode() {
        for (encoded, expected) in [
            ("bcher-kva", "bücher"),
            ("fiqs8s", "中国"),
            ("egbpdaj6bu4bxfgehfvwxn", "ليهمابتكلموشعربي؟"),
            ("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"),
            ("80ak6aa92e", "аррӏе"),
        ] {
            let decoded: String = decode(encoded).unwrap().into_iter().collect();
            assert_eq!(decoded, expected);
        }
        for encoded in ["99999999", "a!", "b", "é"] {
            assert_eq!(decode(encoded), None, "{encoded}");
        }
    }
}
