//! JSON Canonicalization Scheme (RFC 8785): one byte string per JSON value.
//!
//! A signature covers bytes, a document is a value; this is the bridge for everything that is signed without
//! JSON-LD (`eddsa-jcs-2022`, approval intents, consent receipts).
//! Never here: an integer that another reader would round (beyond 2^53), white space, a lossy number.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// Integers up to this size survive every reader that keeps numbers as IEEE-754 doubles.
pub const INTEGER_MAX: u64 = 1 << 53;

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonError {
    /// An integer whose size is beyond 2^53.
    #[error("the integer {0} cannot be kept exactly by every reader")]
    Integer(String),
    /// A number that is not finite.
    #[error("a number that is not finite")]
    Number,
}

/// The canonical bytes of a value.
///
/// # Errors
/// [`CanonError`] for an integer beyond 2^53 or a number that is not finite.
pub fn canonicalize(value: &Value) -> Result<String, CanonError> {
    let mut out = String::new();
    write_value(value, &mut out)?;
    Ok(out)
}

/// A double as ECMAScript prints it (RFC 8785 §3.2.2.3).
///
/// # Errors
/// [`CanonError::Number`] for NaN and the infinities.
pub fn number(value: f64) -> Result<String, CanonError> {
    let mut out = String::new();
    write_float(value, &mut out)?;
    Ok(out)
}

fn write_value(value: &Value, out: &mut String) -> Result<(), CanonError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, out)?,
    }
    Ok(())
}

fn write_object(members: &Map<String, Value>, out: &mut String) -> Result<(), CanonError> {
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push('{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        write_value(value, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                // writing into a String cannot fail
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn write_number(number: &Number, out: &mut String) -> Result<(), CanonError> {
    let integer = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    if let Some(size) = integer {
        if size > INTEGER_MAX {
            return Err(CanonError::Integer(number.to_string()));
        }
        let _ = write!(out, "{number}");
        return Ok(());
    }
    write_float(number.as_f64().ok_or(CanonError::Number)?, out)
}

fn write_float(value: f64, out: &mut String) -> Result<(), CanonError> {
    if !value.is_finite() {
        return Err(CanonError::Number);
    }
    if value == 0.0 {
        out.push('0');
        return Ok(());
    }
    if value < 0.0 {
        out.push('-');
    }
    // Rust prints the shortest digits that read back as the same double, as ECMAScript does.
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').ok_or(CanonError::Number)?;
    let exponent: i32 = exponent.parse().map_err(|_| CanonError::Number)?;
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let count = i32::try_from(digits.len()).map_err(|_| CanonError::Number)?;
    arrange(&digits, count, exponent + 1, out);
    Ok(())
}

/// ECMAScript's Number::toString: `digits` with the decimal point after `point` of them.
fn arrange(digits: &str, count: i32, point: i32, out: &mut String) {
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
    if count <= point && point <= 21 {
        out.push_str(digits);
        out.push_str(&zeros(point - count));
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    } else if -6 < point && point <= 0 {
        out.push_str("0.");
        out.push_str(&zeros(-point));
        out.push_str(digits);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        let exponent = point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "e{sign}{}", exponent.abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_ecmascript_prints_them() {
        for (bits, expected) in [
            (0x4340_0000_0000_0001_u64, "9007199254740994"),
            (0x4340_0000_0000_0002, "9007199254740996"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x8000_0000_0000_0000, "0"),
            (0, "0"),
            (1, "5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xc3df_ffff_ffff_ffff, "-9223372036854775000"),
            (0x4024_8000_0000_0000, "10.25"),
        ] {
            assert_eq!(number(f64::from_bits(bits)).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_not_finite_has_no_form() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(number(value), Err(CanonError::Number));
        }
    }

    #[test]
    fn integers_beyond_two_to_the_53_are_refused() {
        assert_eq!(
            canonicalize(&serde_json::json!([9007199254740992_u64])).as_deref(),
            Ok("[9007199254740992]")
        );
        assert!(canonicalize(&serde_json::json!(9007199254740993_u64)).is_err());
        assert!(canonicalize(&serde_json::json!(-9007199254740993_i64)).is_err());
        assert!(canonicalize(&serde_json::json!(u64::MAX)).is_err());
    }

    #[test]
    fn members_sort_by_utf16_units() {
        let value = serde_json::json!({"\u{fb33}": 1, "\u{1f600}": 2, "a": 3, "": 4});
        assert_eq!(canonicalize(&value).as_deref(), Ok("{\"\":4,\"a\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"));
    }
}
