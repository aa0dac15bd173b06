//! Allowances of requests per address and class: GCRA (the virtual scheduling form of ITU-T I.371), in memory.
//!
//! One number per address and class: the theoretical arrival time. The table is bounded; when it is full of
//! addresses that are still counted, further ones share one allowance. Never here: an account or a token.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base::{Error, Time};

use crate::{config::Rates, error::RATE_LIMITED, zone::Class};

/// The most addresses and classes counted at once (about 4 MiB).
pub const ADDRESSES_MAX: usize = 65_536;
const MINUTE_MICROS: i64 = 60_000_000;
const SWEEP_MICROS: i64 = 1_000_000;

/// The counters of a zone.
pub(crate) struct Limits {
    rates: Rates,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// (address, class) to the theoretical arrival time in microseconds.
    arrivals: HashMap<(u128, Class), i64>,
    /// When the table was last swept, so that a flood cannot make every request sweep it.
    swept: i64,
}

/// What the counter says about one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    class: Class,
    /// Requests per minute.
    rate: u32,
    /// How many more may come at once.
    left: i64,
    /// Seconds until everything may come at once again.
    full_in: i64,
    /// Seconds to wait, when refused.
    wait: Option<u32>,
}

impl Limits {
    pub(crate) fn new(rates: Rates) -> Self {
        Self { rates, table: Mutex::default() }
    }

    /// Counts one request; none for classes that are not counted.
    pub(crate) fn take(&self, address: Option<IpAddr>, class: Class, now: Time) -> Option<Verdict> {
        let rate = match class {
            Class::Read => self.rates.read,
            Class::Write => self.rates.write,
            Class::Heavy => self.rates.heavy,
            Class::Entry => self.rates.entry,
            Class::Check => self.rates.check,
            Class::Free => return None,
        };
        let step = MINUTE_MICROS / i64::from(rate.max(1));
        let burst = i64::from((rate / 6).max(5).min(rate));
        let now = now.micros();
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let key = table.room_for((network_of(address), class), now);
        // What lies beyond an allowance was counted before the clock went back, and holds nobody.
        let counted = table.arrivals.get(&key).copied().filter(|arrival| *arrival <= now + step * burst);
        let arrival = counted.unwrap_or(now).max(now);
        let ahead = arrival - now;
        let refused = ahead > step * (burst - 1);
        let arrival = if refused { arrival } else { arrival + step };
        if !refused {
            table.arrivals.insert(key, arrival);
        }
        let ahead_now = arrival - now;
        Some(Verdict {
            class,
            rate,
            left: ((step * burst - ahead_now) / step).max(0),
            full_in: seconds_up(ahead_now),
            wait: refused.then(|| u32::try_from(seconds_up(ahead - step * (burst - 1))).unwrap_or(60).max(1)),
        })
    }
}

impl Table {
    fn room_for(&mut self, key: (u128, Class), now: i64) -> (u128, Class) {
        if self.arrivals.len() < ADDRESSES_MAX || self.arrivals.contains_key(&key) {
            return key;
        }
        if now - self.swept >= SWEEP_MICROS || now < self.swept {
            self.swept = now;
            self.arrivals.retain(|_, arrival| *arrival > now);
        }
        if self.arrivals.len() < ADDRESSES_MAX { key } else { (u128::MAX, key.1) }
    }
}

fn seconds_up(micros: i64) -> i64 {
    (micros.max(0) + 999_999) / 1_000_000
}

/// IPv4 by address, IPv6 by /64: one household has a whole /64 at its disposal.
fn network_of(address: Option<IpAddr>) -> u128 {
    match address.map(|address| address.to_canonical()) {
        None => 0,
        Some(IpAddr::V4(four)) => u128::from(u32::from(four)) | 0xffff << 32,
        Some(IpAddr::V6(six)) => u128::from(six) & !u128::from(u64::MAX),
    }
}

impl Verdict {
    /// The refusal, when it is one.
    pub(crate) fn refusal(&self) -> Option<Error> {
        self.wait.map(|wait| RATE_LIMITED.error().with("seconds", wait).retry_after(wait))
    }

    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        let name = self.class.name();
        let policy = format!("\"{name}\";q={};w=60", self.rate);
        let state = format!("\"{name}\";r={};t={}", self.left, self.full_in);
        for (header, text) in [("ratelimit-policy", policy), ("ratelimit", state)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(HeaderName::from_static(header), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates { read: 60, write: 60, heavy: 60, entry: 6, check: 60 };

    fn at(millis: i64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds_and_time_heals() {
        let limits = Limits::new(RATES);
        let address = Some("192.0.2.1".parse().unwrap());
        let take = |millis| limits.take(address, Class::Read, at(millis)).unwrap();
        assert!((0..10).all(|_| take(0).wait.is_none()), "a sixth of the minute's allowance at once");
        let refused = take(0);
        assert_eq!((refused.wait, refused.left), (Some(1), 0));
        assert!(take(999).wait.is_some() && take(1_000).wait.is_none() && take(1_001).wait.is_some());
        assert_eq!(take(600_000).left, 9);
    }

    #[test]
    fn a_clock_that_goes_back_holds_nobody() {
        let limits = Limits::new(RATES);
        assert!(limits.take(None, Class::Read, at(7_200_000)).unwrap().wait.is_none());
        assert!(limits.take(None, Class::Read, at(0)).unwrap().wait.is_none());
    }

    #[test]
    fn addresses_and_classes_are_counted_apart_and_a_household_together() {
        let limits = Limits::new(RATES);
        let take =
            |address: &str, class| limits.take(Some(address.parse().unwrap()), class, at(0)).unwrap().wait;
        while take("2001:db8::1", Class::Entry).is_none() {}
        assert!(take("2001:db8::ffff:2", Class::Entry).is_some());
        assert!(take("2001:db8:0:1::1", Class::Entry).is_none());
        assert!(take("2001:db8::1", Class::Read).is_none());
        assert!(limits.take(None, Class::Free, at(0)).is_none());
    }

    #[test]
    fn the_table_does_not_grow_without_end() {
        let limits = Limits::new(RATES);
        for number in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 1_000 {
            limits.take(Some(IpAddr::from(number.to_be_bytes())), Class::Read, at(0));
        }
        assert!(limits.table.lock().unwrap().arrivals.len() <= ADDRESSES_MAX + 1);
        limits.take(Some("198.51.100.1".parse().unwrap()), Class::Read, at(3_600_000));
        assert_eq!(limits.table.lock().unwrap().arrivals.len(), 1);
    }
}
