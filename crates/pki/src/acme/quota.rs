//! How much one asker may do: GCRA in memory, one number for each asker and kind. Each process counts for itself, and
//! forgets at its end: these are brakes against programs that went wrong, no accounts of anything.
//!
//! Never here: the first order that replaces a certificate when that is due; it is not counted.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use base::{Error, Time};

use super::error;

/// Askers counted at once. When all places are taken by askers that still count, further ones share one place.
const ASKERS_MAX: usize = 65_536;
const HOUR_MICROS: i64 = 3_600_000_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    /// New accounts of an address.
    Accounts,
    /// New orders of an account.
    Orders,
    /// Failed proofs of an account, and its requests that were refused a certificate.
    Failures,
}

impl Counted {
    /// The setting that says how many an hour.
    const fn setting(self) -> &'static str {
        match self {
            Self::Accounts => "acme.accounts_per_hour",
            Self::Orders => "acme.orders_per_hour",
            Self::Failures => "acme.failed_per_hour",
        }
    }
}

/// The counters of this process.
#[derive(Default)]
pub(crate) struct Quotas(Mutex<HashMap<(Counted, String), i64>>);

impl Quotas {
    /// Counts one, or refuses it when an hour's worth was used up.
    ///
    /// # Errors
    /// `ACME_TOO_OFTEN` with the time after which one more is free.
    pub(crate) fn take(&self, kind: Counted, asker: &str, per_hour: i64, now: Time) -> Result<(), Error> {
        self.judge(kind, asker, per_hour, now, true)
    }

    /// Whether one more would be refused; counts nothing.
    ///
    /// # Errors
    /// As [`Quotas::take`].
    pub(crate) fn check(&self, kind: Counted, asker: &str, per_hour: i64, now: Time) -> Result<(), Error> {
        self.judge(kind, asker, per_hour, now, false)
    }

    /// Takes back one that was counted, if it still counts.
    pub(crate) fn give_back(&self, kind: Counted, asker: &str, per_hour: i64) {
        let step = HOUR_MICROS / per_hour.max(1);
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(arrival) = table.get_mut(&(kind, asker.to_owned())) {
            *arrival = arrival.saturating_sub(step);
        }
    }

    fn judge(&self, kind: Counted, asker: &str, per_hour: i64, now: Time, counts: bool) -> Result<(), Error> {
        let now = now.micros();
        let step = HOUR_MICROS / per_hour.max(1);
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (kind, asker.to_owned());
        if table.len() >= ASKERS_MAX && !table.contains_key(&key) {
            table.retain(|_, arrival| *arrival > now);
            if table.len() >= ASKERS_MAX {
                key.1 = String::new();
            }
        }
        // A clock that went back must not hold anybody longer than a full quota would.
        let arrival = table.get(&key).copied().unwrap_or(now).clamp(now, now.saturating_add(HOUR_MICROS));
        let wait = arrival.saturating_add(step).saturating_sub(now.saturating_add(HOUR_MICROS));
        if wait > 0 {
            let seconds = u32::try_from((wait + 999_999) / 1_000_000).unwrap_or(u32::MAX);
            return Err(error::OFTEN.error().with("setting", kind.setting()).retry_after(seconds.max(1)));
        }
        if counts {
            table.insert(key, arrival.saturating_add(step));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hours_worth_may_come_at_once_and_then_one_by_one() {
        let quotas = Quotas::default();
        let now = Time::from_seconds(1_000);
        for _ in 0..3 {
            quotas.take(Counted::Orders, "a", 3, now).unwrap();
        }
        let refused = quotas.take(Counted::Orders, "a", 3, now).unwrap_err();
        assert!(refused.is(&error::OFTEN));
        assert_eq!(refused.retry_after_seconds(), Some(1_200));
        quotas.take(Counted::Orders, "b", 3, now).unwrap();
        quotas.take(Counted::Failures, "a", 3, now).unwrap();
        let later = Time::from_seconds(1_000 + 1_200);
        quotas.check(Counted::Orders, "a", 3, later).unwrap();
        quotas.take(Counted::Orders, "a", 3, later).unwrap();
        assert!(quotas.take(Counted::Orders, "a", 3, later).is_err());
    }

    #[test]
    fn what_is_given_back_is_free_again_and_nobody_gains_by_it() {
        let quotas = Quotas::default();
        let now = Time::from_seconds(1_000);
        quotas.give_back(Counted::Failures, "a", 1);
        quotas.take(Counted::Failures, "a", 1, now).unwrap();
        assert!(quotas.check(Counted::Failures, "a", 1, now).is_err());
        for _ in 0..3 {
            quotas.give_back(Counted::Failures, "a", 1);
        }
        quotas.take(Counted::Failures, "a", 1, now).unwrap();
        assert!(quotas.take(Counted::Failures, "a", 1, now).is_err());
    }

    #[test]
    fn a_clock_that_goes_back_holds_nobody_for_longer_than_an_hour() {
        let quotas = Quotas::default();
        for _ in 0..2 {
            quotas.take(Counted::Orders, "a", 2, Time::from_seconds(100_000)).unwrap();
        }
        let refused = quotas.take(Counted::Orders, "a", 2, Time::from_seconds(0)).unwrap_err();
        assert!(refused.retry_after_seconds().is_some_and(|seconds| seconds <= 3_600));
    }

    #[test]
    fn the_table_is_bounded() {
        let quotas = Quotas::default();
        let now = Time::from_seconds(1_000);
        for asker in 0..ASKERS_MAX + 10 {
            quotas.take(Counted::Accounts, &asker.to_string(), 1_000, now).unwrap();
        }
        assert!(quotas.0.lock().unwrap().len() <= ASKERS_MAX + 1);
    }
}
