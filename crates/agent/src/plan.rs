//! When a certificate is renewed, and when what failed is tried again. Pure: times and chance come in with the call.
//!
//! Never here: a clock, a wait, a file.

use std::time::Duration;

use base::{Chance, Time};
use serde::{Deserialize, Serialize};

/// The usual part of a life after which a certificate is renewed: day 60 of 90.
pub const FRACTION: f64 = 2.0 / 3.0;
/// The shortest and longest pause that an authority or the back-off may ask for.
pub const PAUSE_MIN: Duration = Duration::from_secs(60);
/// See [`PAUSE_MIN`].
pub const PAUSE_MAX: Duration = Duration::from_secs(24 * 3600);
/// The longest pause of our own while a certificate is already over.
const PAUSE_EXPIRED_MAX: Duration = Duration::from_secs(3600);
/// Our own pauses leave room for so many tries before the end.
const TRIES_LEFT: u32 = 16;
/// Renewals are spread over this part of a life on either side.
const SPREAD: f64 = 0.01;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// From and until when a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// The first moment.
    pub not_before: Time,
    /// The last moment.
    pub not_after: Time,
}

impl Life {
    /// How long.
    pub fn length(&self) -> Duration {
        self.not_after.since(self.not_before)
    }

    /// The moment of renewal: the fraction of the life, spread so that machines set up together do not come together.
    pub fn renewal(&self, fraction: f64, chance: &dyn Chance) -> Time {
        let part = fraction + SPREAD * (2.0 * unit(chance) - 1.0);
        self.not_before.plus(self.length().mul_f64(part.clamp(0.05, 0.95)))
    }

    /// How near the end is.
    pub fn mood(&self, now: Time) -> Mood {
        let left = self.not_after.since(now);
        if left.is_zero() {
            Mood::Expired
        } else if left < DAY.min(self.length() / 12) {
            Mood::Dire
        } else if left < (7 * DAY).min(self.length() / 6) {
            Mood::Soon
        } else if left < self.length().mul_f64(1.0 / 3.0 - 2.0 * SPREAD) {
            Mood::Late
        } else {
            Mood::Fine
        }
    }
}

/// How near the end of a certificate is. Lives of days have the same steps in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mood {
    /// Nothing to say.
    Fine,
    /// Less than a third is left: renewal should have happened.
    Late,
    /// Less than seven days.
    Soon,
    /// Less than a day.
    Dire,
    /// Over.
    Expired,
}

/// The window that the authority suggests (RFC 9773), and the moment in it that was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its begin.
    pub start: Time,
    /// Its end.
    pub end: Time,
    /// The moment for this certificate.
    pub chosen: Time,
}

impl Window {
    /// Draws the moment, each of the window being as likely; None for a window that ends before it begins.
    pub fn draw(start: Time, end: Time, chance: &dyn Chance) -> Option<Self> {
        let chosen = start.plus(end.since(start).mul_f64(unit(chance)));
        (start < end).then_some(Self { start, end, chosen })
    }
}

/// When to renew: the planned moment, earlier when the authority suggests so, later only after a failure.
pub fn due(planned: Time, window: Option<&Window>, retry: Option<Time>) -> Time {
    let wanted = window.map_or(planned, |window| window.chosen.min(planned));
    retry.map_or(wanted, |retry| wanted.max(retry))
}

/// How long to wait after so many failures in a row. What the authority asks for is kept, within bounds; our own pause
/// doubles, and stays short enough for many more tries before the end.
pub fn pause(
    failures: u32,
    asked: Option<Duration>,
    life: Option<&Life>,
    now: Time,
    chance: &dyn Chance,
) -> Duration {
    if let Some(asked) = asked {
        return asked.clamp(PAUSE_MIN, PAUSE_MAX);
    }
    let longest = life.map_or(PAUSE_EXPIRED_MAX, |life| match life.not_after.since(now) {
        Duration::ZERO => PAUSE_EXPIRED_MAX,
        left => (left / TRIES_LEFT).clamp(PAUSE_MIN, PAUSE_MAX),
    });
    let doubled = PAUSE_MIN.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(longest);
    doubled.mul_f64(0.75 + 0.5 * unit(chance)).clamp(PAUSE_MIN, PAUSE_MAX)
}

/// From 0 to 1.
fn unit(chance: &dyn Chance) -> f64 {
    let drawn = u32::from_le_bytes(chance.bytes());
    f64::from(drawn) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::{cmp::Reverse, collections::BinaryHeap};

    use base::SeededChance;

    use super::*;

    fn at(days: f64) -> Time {
        Time::EPOCH.plus(DAY.mul_f64(days))
    }

    fn life(from: f64, days: f64) -> Life {
        Life { not_before: at(from), not_after: at(from + days) }
    }

    #[test]
    fn ninety_days_are_renewed_around_day_sixty_and_not_all_at_once() {
        let chance = SeededChance::new(1);
        let drawn: Vec<Time> = (0..1_000).map(|_| life(0.0, 90.0).renewal(FRACTION, &chance)).collect();
        assert!(drawn.iter().all(|time| (at(59.0)..at(61.0)).contains(time)));
        let (first, last) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!(last.since(*first) > DAY, "{first} to {last}");
    }

    #[test]
    fn a_window_makes_it_earlier_and_never_later_and_a_failure_makes_it_wait() {
        let chance = SeededChance::new(2);
        let window = Window::draw(at(10.0), at(12.0), &chance).unwrap();
        assert!((at(10.0)..=at(12.0)).contains(&window.chosen));
        assert_eq!(due(at(60.0), Some(&window), None), window.chosen);
        let late = Window::draw(at(70.0), at(72.0), &chance).unwrap();
        assert_eq!(due(at(60.0), Some(&late), None), at(60.0));
        assert_eq!(due(at(60.0), None, Some(at(60.5))), at(60.5));
        assert_eq!(due(at(60.0), None, Some(at(59.0))), at(60.0));
        assert_eq!(Window::draw(at(12.0), at(12.0), &chance), None);
    }

    #[test]
    fn pauses_double_within_bounds_and_what_is_asked_for_is_kept_within_them_too() {
        let chance = SeededChance::new(3);
        let life = life(0.0, 90.0);
        let ask = |seconds| pause(1, Some(Duration::from_secs(seconds)), Some(&life), at(60.0), &chance);
        assert_eq!((ask(1), ask(3_600), ask(1_000_000)), (PAUSE_MIN, Duration::from_secs(3_600), PAUSE_MAX));
        for failures in 0..64 {
            let own = pause(failures, None, Some(&life), at(60.0), &chance);
            assert!((PAUSE_MIN..=PAUSE_MAX).contains(&own), "{failures}: {own:?}");
            let near_the_end = pause(failures, None, Some(&life), at(89.5), &chance);
            assert!(near_the_end < DAY / 20, "{failures}: {near_the_end:?}");
            let over = pause(failures, None, Some(&life), at(99.0), &chance);
            assert!(over <= PAUSE_EXPIRED_MAX.mul_f64(1.25), "{failures}: {over:?}");
        }
        assert!(pause(5, None, None, at(0.0), &chance) > pause(1, None, None, at(0.0), &chance));
    }

    #[test]
    fn the_mood_falls_step_by_step() {
        let long = life(0.0, 90.0);
        let moods = [59.0, 61.0, 62.0, 82.9, 83.1, 88.9, 89.1, 89.99, 90.0].map(|day| long.mood(at(day)));
        use Mood::{Dire, Expired, Fine, Late, Soon};
        assert_eq!(moods, [Fine, Fine, Late, Late, Soon, Soon, Dire, Dire, Expired]);
        let short = life(0.0, 7.0);
        assert_eq!([0.1, 5.0, 6.0, 6.9].map(|day| short.mood(at(day))), [Fine, Late, Soon, Dire]);
    }

    /// What stands for one certificate in the simulation.
    struct One {
        life: Life,
        cycles: u32,
        failures: u32,
    }

    /// Runs so many certificates of this life through five renewals each, on a clock that jumps from event to event.
    /// The authority is away for the given stretches, one fifth of the time; half of its refusals ask for a pause.
    fn simulate(count: usize, days: f64, longest_away: f64, seed: u64) -> (usize, usize, usize) {
        let chance = SeededChance::new(seed);
        let horizon = days * 6.0;
        // Stretches away and their four times longer stretches of service.
        let mut away = Vec::new();
        let mut day = days * unit(&chance);
        while day < horizon {
            let stretch = longest_away * (0.1 + 0.9 * unit(&chance));
            away.push((at(day), at(day + stretch)));
            day += stretch * 5.0;
        }
        let is_away = |now: Time| away.iter().any(|(from, to)| (*from..*to).contains(&now));
        let total: Duration = away.iter().map(|(from, to)| to.since(*from)).sum();
        let share = total.as_secs_f64() / at(horizon).since(Time::EPOCH).as_secs_f64();
        assert!((0.15..0.25).contains(&share), "the authority is away {share}");

        let mut ones: Vec<One> = Vec::new();
        let mut events = BinaryHeap::new();
        for index in 0..count {
            let life = life(unit(&chance) * days * 0.1, days);
            events.push(Reverse((life.renewal(FRACTION, &chance), index)));
            ones.push(One { life, cycles: 0, failures: 0 });
        }
        let (mut expired, mut failed, mut renewed) = (0, 0, 0);
        while let Some(Reverse((now, index))) = events.pop() {
            let one = &mut ones[index];
            if one.life.mood(now) == Mood::Expired {
                expired += 1;
            }
            if is_away(now) {
                failed += 1;
                one.failures += 1;
                let asked = (unit(&chance) < 0.5).then(|| Duration::from_secs_f64(7_200.0 * unit(&chance)));
                let retry = now.plus(pause(one.failures, asked, Some(&one.life), now, &chance));
                events.push(Reverse((due(now, None, Some(retry)), index)));
                continue;
            }
            one.life = Life { not_before: now, not_after: now.plus(DAY.mul_f64(days)) };
            one.failures = 0;
            one.cycles += 1;
            renewed += 1;
            if one.cycles < 5 {
                let window = Window::draw(
                    now.plus(DAY.mul_f64(days * 0.66)),
                    now.plus(DAY.mul_f64(days * 0.67)),
                    &chance,
                );
                let planned = one.life.renewal(FRACTION, &chance);
                events.push(Reverse((due(planned, window.as_ref(), None), index)));
            }
        }
        (expired, failed, renewed)
    }

    #[test]
    fn ten_thousand_certificates_through_five_renewals_with_the_authority_away_a_fifth_of_the_time() {
        let (expired, failed, renewed) = simulate(10_000, 90.0, 6.0, 4);
        assert_eq!((expired, renewed), (0, 50_000));
        assert!(failed > 5_000, "{failed} failures: the authority was away when it mattered");
    }

    #[test]
    fn certificates_of_a_week_outlive_an_authority_that_is_away_for_a_day() {
        let (expired, failed, renewed) = simulate(1_000, 7.0, 1.0, 5);
        assert_eq!((expired, renewed), (0, 5_000));
        assert!(failed > 500, "{failed}");
    }
}
