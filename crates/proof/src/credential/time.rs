//! Moments as credentials write them: XSD dateTimeStamp, so the offset is required.
//!
//! Never here: a local time, the current time.

/// Seconds since 1970 of a `YYYY-MM-DDThh:mm:ss[.f](Z|±hh:mm)` text; None when it is anything else.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    if !has_form(text.as_bytes()) {
        return None;
    }
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(moment.as_second())
}

fn has_form(text: &[u8]) -> bool {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let is = |at: usize, byte: u8| text.get(at) == Some(&byte);
    let front = text.len() <= 64
        && digits(0..4)
        && is(4, b'-')
        && digits(5..7)
        && is(7, b'-')
        && digits(8..10)
        && is(10, b'T')
        && digits(11..13)
        && is(13, b':')
        && digits(14..16)
        && is(16, b':')
        && digits(17..19);
    if !front {
        return false;
    }
    let mut at = 19;
    if is(at, b'.') {
        let start = at + 1;
        at = start;
        while text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if at == start {
            return false;
        }
    }
    if is(at, b'Z') {
        return text.len() == at + 1;
    }
    (is(at, b'+') || is(at, b'-'))
        && digits(at + 1..at + 3)
        && is(at + 3, b':')
        && digits(at + 4..at + 6)
        && text.len() == at + 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_needs_date_time_and_offset() {
        assert_eq!(parse_time("1970-01-01T00:00:10Z"), Some(10));
        assert_eq!(parse_time("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_time("2022-11-10T07:38:00.25-08:00"), Some(1_668_094_680));
        for bad in [
            "",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-01-01 00:00:00Z",
            "2020-13-01T00:00:00Z",
            "2020-02-30T00:00:00Z",
            "2020-01-01T25:00:00Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00z",
            "2020-01-01T00:00:00+0100",
            "2020-01-01T00:00:00Z ",
            "+2020-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
