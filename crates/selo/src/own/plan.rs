//! When a certificate of the house's own is renewed: pure, so that a test turns the clock.

use std::time::Duration;

use base::Time;

/// The first wait after a failure, doubled with each further one.
const PAUSE_MIN: Duration = Duration::from_secs(60);
/// The longest wait after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);
/// Renewals of many houses are spread over this part of a life, before two thirds of it: one in so many.
const SPREAD: u64 = 20;

/// How long a certificate that is in use counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) not_before: Time,
    pub(super) renew_at: Time,
    pub(super) not_after: Time,
}

impl Life {
    /// The life of a certificate; `dice` decide how long before two thirds of it the next one is made.
    pub(super) fn new(not_before: Time, not_after: Time, dice: [u8; 8]) -> Self {
        let whole = not_after.since(not_before).as_secs();
        let spread = (whole / SPREAD).max(1);
        let early = u64::from_le_bytes(dice) % spread;
        let after = (whole / 3 * 2).saturating_sub(early);
        Self { not_before, renew_at: not_before.plus(Duration::from_secs(after)), not_after }
    }

    /// Whether another one is to be made. A clock that went back before this one began counts too: whoever looks at the
    /// clock of this machine would not accept it.
    pub(super) fn is_due(&self, now: Time) -> bool {
        now < self.not_before || now >= self.renew_at
    }
}

/// When a failed attempt is made again, and whether that is now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience {
    failures: u32,
    since: Option<Time>,
}

impl Patience {
    /// Notes a failure.
    pub(super) fn failed(&mut self, now: Time) {
        self.failures = self.failures.saturating_add(1);
        self.since = Some(now);
    }

    /// Begins anew after a success.
    pub(super) fn calm(&mut self) {
        *self = Self::default();
    }

    fn pause(&self) -> Duration {
        PAUSE_MIN.saturating_mul(1_u32 << self.failures.saturating_sub(1).min(16)).min(PAUSE_MAX)
    }

    /// Whether the wait after the last failure is over. A clock that went back ends it: it could last for years.
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.since.is_none_or(|since| now < since || now.since(since) >= self.pause())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    #[test]
    fn a_certificate_is_renewed_within_a_twentieth_before_two_thirds_of_its_life() {
        let (from, to) = (at(1_000_000), at(1_000_000 + 30 * DAY as i64));
        let mut before = None;
        for dice in 0..1_000_u64 {
            let life = Life::new(from, to, (dice * 7_919).to_le_bytes());
            let days = life.renew_at.since(from).as_secs_f64() / DAY as f64;
            assert!((18.5..=20.0).contains(&days), "{days}");
            assert!(!life.is_due(from) && life.is_due(life.renew_at) && life.is_due(to));
            assert!(before != Some(life.renew_at), "the dice count");
            before = Some(life.renew_at);
        }
    }

    #[test]
    fn a_clock_that_went_back_before_its_beginning_makes_another_due() {
        let life = Life::new(at(1_000), at(2_000), [0; 8]);
        assert!(life.is_due(at(999)) && !life.is_due(at(1_000)));
    }

    #[test]
    fn a_life_of_a_second_is_no_trouble() {
        assert!(Life::new(at(5), at(6), [255; 8]).is_due(at(6)));
        assert!(Life::new(at(5), at(5), [255; 8]).is_due(at(5)));
    }

    #[test]
    fn failures_are_tried_again_ever_later_and_at_least_every_hour() {
        let mut patience = Patience::default();
        assert!(patience.is_over(at(0)));
        let mut waits = Vec::new();
        for _ in 0..40 {
            patience.failed(at(0));
            waits.push((0..).step_by(60).find(|second| patience.is_over(at(*second))).unwrap());
        }
        assert_eq!(waits[..4], [60, 120, 240, 480]);
        assert!(waits.iter().all(|wait| *wait <= 3_600) && waits[39] == 3_600);
        assert!(patience.is_over(at(-1)), "a clock that went back");
        patience.calm();
        assert!(patience.is_over(at(0)));
    }
}
