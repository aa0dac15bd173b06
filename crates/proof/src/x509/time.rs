//! Moments as certificates write them: whole seconds, UTC, UTCTime to 2049 and GeneralizedTime from 2050.
//!
//! Never here: a fraction of a second, an offset, the current time.

use std::fmt;

use super::der::{DerError, GENERALIZED_TIME, Reader, UTC_TIME, Writer};

/// 1950-01-01T00:00:00Z, the first moment of UTCTime.
const FIRST_S: i64 = -631_152_000;
/// 2050-01-01T00:00:00Z, the first moment that UTCTime cannot say.
const AFTER_UTC_TIME_S: i64 = 2_524_608_000;
/// 9999-12-31T23:59:59Z, which RFC 5280 gives to certificates without a known end.
const LAST_S: i64 = 253_402_300_799;

/// A second between 1950 and 9999, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// A moment from seconds since 1970; None outside 1950 to 9999.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        (FIRST_S..=LAST_S).contains(&seconds).then_some(Self(seconds))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// The moment some seconds later (earlier when negative); None outside 1950 to 9999.
    #[must_use]
    pub fn after(self, seconds: i64) -> Option<Self> {
        Self::from_seconds(self.0.checked_add(seconds)?)
    }

    /// Writes it as RFC 5280 §4.1.2.5 asks.
    pub fn write(self, out: &mut Writer) {
        if self.0 < AFTER_UTC_TIME_S {
            // Safe because: the digits are fourteen and a Z.
            out.put(UTC_TIME, &self.digits()[2..]);
        } else {
            self.write_generalized(out);
        }
    }

    /// Writes it as GeneralizedTime, as OCSP and invalidityDate ask.
    pub fn write_generalized(self, out: &mut Writer) {
        out.put(GENERALIZED_TIME, &self.digits());
    }

    /// Reads a Time of RFC 5280.
    ///
    /// # Errors
    /// [`DerError`] for another form, a fraction, an offset, or a year in the wrong of the two types.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        if reader.peek() == Some(UTC_TIME) {
            let text = reader.take(UTC_TIME)?;
            let century = match text.first() {
                Some(b'0'..=b'4') => b"20",
                _ => b"19",
            };
            return Self::from_digits(&[&century[..], text].concat());
        }
        let moment = Self::read_generalized(reader)?;
        if moment.0 < AFTER_UTC_TIME_S {
            return Err(DerError::Value("GeneralizedTime"));
        }
        Ok(moment)
    }

    /// Reads a GeneralizedTime of any year.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read_generalized(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        Self::from_digits(reader.take(GENERALIZED_TIME)?)
    }

    /// `YYYYMMDDhhmmssZ`.
    fn digits(self) -> [u8; 15] {
        let (year, month, day) = civil(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        let mut text = *b"00000000000000Z";
        let parts = [year / 100, year % 100, month, day, second / 3600, second / 60 % 60, second % 60];
        for (place, part) in text.chunks_exact_mut(2).zip(parts) {
            place.copy_from_slice(&[b'0' + (part / 10) as u8, b'0' + (part % 10) as u8]);
        }
        text
    }

    fn from_digits(text: &[u8]) -> Result<Self, DerError> {
        let wrong = DerError::Value("time");
        let (digits, zone) = text.split_at_checked(14).ok_or(wrong)?;
        if zone != b"Z" || !digits.iter().all(u8::is_ascii_digit) {
            return Err(wrong);
        }
        let mut parts = digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0')));
        let mut next = || parts.next().ok_or(wrong);
        let year = next()? * 100 + next()?;
        let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
        let in_range = (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
        if !in_range || day < 1 {
            return Err(wrong);
        }
        let days = days_since_1970(year, month, day);
        if civil(days) != (year, month, day) {
            return Err(wrong);
        }
        Self::from_seconds(days * 86_400 + hour * 3600 + minute * 60 + second).ok_or(wrong)
    }
}

impl fmt::Display for Moment {
    /// RFC 3339.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Moment({self})")
    }
}

/// From and until when, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Validity {
    /// The first second.
    pub not_before: Moment,
    /// The last second.
    pub not_after: Moment,
}

impl Validity {
    /// A validity of exactly this many seconds. Both ends belong to it, so the last is one second earlier than the sum.
    /// None when nothing is left or the end lies past 9999.
    #[must_use]
    pub fn lasting(not_before: Moment, seconds: i64) -> Option<Self> {
        (seconds > 0).then_some(())?;
        Some(Self { not_before, not_after: not_before.after(seconds - 1)? })
    }

    /// Seconds, both ends included.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.not_after.0 - self.not_before.0 + 1
    }

    /// Whether a moment lies inside.
    #[must_use]
    pub fn contains(&self, moment: Moment) -> bool {
        (self.not_before..=self.not_after).contains(&moment)
    }

    /// Writes the SEQUENCE of both.
    pub fn write(&self, out: &mut Writer) {
        out.sequence(|out| {
            self.not_before.write(out);
            self.not_after.write(out);
        });
    }

    /// Reads the SEQUENCE of both.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(mut reader: Reader<'_>) -> Result<Self, DerError> {
        let not_before = Moment::read(&mut reader)?;
        let not_after = Moment::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { not_before, not_after })
    }
}

/// Days since 1970 of a date of the Gregorian calendar. Years begin in March, so that the leap day is their last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// Year, month and day of a count of days since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seconds: i64) -> Vec<u8> {
        let moment = Moment::from_seconds(seconds).unwrap();
        Writer::build(|out| moment.write(out))
    }

    #[test]
    fn the_type_changes_at_2050() {
        assert_eq!(written(AFTER_UTC_TIME_S - 1), b"\x17\x0d491231235959Z");
        assert_eq!(written(AFTER_UTC_TIME_S), b"\x18\x0f20500101000000Z");
        assert_eq!(written(LAST_S), b"\x18\x0f99991231235959Z");
        assert_eq!(written(FIRST_S), b"\x17\x0d500101000000Z");
        assert_eq!(Moment::from_seconds(LAST_S + 1), None);
    }

    #[test]
    fn days_through_all_centuries_are_the_calendar_s() {
        let start = jiff::civil::date(1950, 1, 1);
        for days in (0..2_940_000).step_by(17) {
            let Some(moment) = Moment::from_seconds(FIRST_S + days * 86_400) else { continue };
            let day = start.checked_add(jiff::Span::new().days(days)).unwrap();
            assert_eq!(moment.to_string(), format!("{day}T00:00:00Z"));
            let der = Writer::build(|out| moment.write(out));
            assert_eq!(Moment::read(&mut Reader::new(&der)), Ok(moment));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "20251301000000Z",
            "20230229000000Z",
            "21000229000000Z",
            "20250230000000Z",
            "20250101240000Z",
            "20250101000060Z",
            "2025010100000Z",
            "20500101000000.5Z",
            "20500101000000+00",
            "205001010000Z",
            "20250101000000z",
        ] {
            let der = Writer::build(|out| out.put(GENERALIZED_TIME, text.as_bytes()));
            assert!(Moment::read_generalized(&mut Reader::new(&der)).is_err(), "{text}");
        }
        let early = Writer::build(|out| out.put(GENERALIZED_TIME, b"20491231235959Z"));
        assert!(Moment::read(&mut Reader::new(&early)).is_err());
        let short = Writer::build(|out| out.put(UTC_TIME, b"4912312359Z"));
        assert!(Moment::read(&mut Reader::new(&short)).is_err());
    }

    #[test]
    fn ninety_days_last_ninety_days() {
        let start = Moment::from_seconds(1_700_000_000).unwrap();
        let validity = Validity::lasting(start, 90 * 86_400).unwrap();
        assert_eq!(validity.seconds(), 90 * 86_400);
        assert_eq!(validity.not_after.seconds() - start.seconds(), 90 * 86_400 - 1);
        assert_eq!(Validity::lasting(start, 0), None);
    }
}
