//! Nonces (RFC 8555 §6.5): given out without being kept, spent once.
//!
//! A nonce is its hour and a random number under a MAC of this process, so that giving out costs no memory and one of
//! another process is a stranger's. Only spent ones are kept, at most [`SPENT_MAX`]; when there are more, the oldest hours
//! are closed instead, and who holds a nonce of them is told to take another one.
//! Never here: a clock; the time comes with the call, and may go backwards.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::hmac;
use base::{Chance, Time};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// A nonce that is older is refused.
const LIFE_MICROS: i64 = 3_600_000_000;
/// Spent nonces that are kept, about 3 MiB.
const SPENT_MAX: usize = 65_536;
const MAC_BYTES: usize = 16;

/// When it was given out, and its random part.
type Mark = (i64, [u8; 8]);

/// The nonces of this process.
pub(crate) struct Nonces {
    key: hmac::Key,
    spent_max: usize,
    state: Mutex<Spent>,
}

#[derive(Default)]
struct Spent {
    marks: BTreeSet<Mark>,
    /// What was given out before this moment is refused. It only grows, also when the clock goes backwards.
    closed_until: i64,
}

impl Nonces {
    pub(crate) fn new(chance: &dyn Chance) -> Self {
        Self::with_room(chance, SPENT_MAX)
    }

    fn with_room(chance: &dyn Chance, spent_max: usize) -> Self {
        let secret: [u8; 32] = chance.bytes();
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret), spent_max, state: Mutex::default() }
    }

    fn seal(&self, mark: &Mark) -> [u8; 16 + MAC_BYTES] {
        let mut out = [0; 16 + MAC_BYTES];
        let mut message = [0; 16];
        for (place, byte) in message.iter_mut().zip(mark.0.to_be_bytes().into_iter().chain(mark.1)) {
            *place = byte;
        }
        let tag = hmac::sign(&self.key, &message);
        for (place, byte) in out.iter_mut().zip(message.iter().chain(tag.as_ref())) {
            *place = *byte;
        }
        out
    }

    /// A new nonce. After the clock went back it bears the moment until which everything is closed, so that it is taken.
    pub(crate) fn give(&self, now: Time, chance: &dyn Chance) -> String {
        let closed_until = self.state.lock().unwrap_or_else(PoisonError::into_inner).closed_until;
        URL_SAFE_NO_PAD.encode(self.seal(&(now.micros().max(closed_until), chance.bytes())))
    }

    /// Spends a nonce; false for one that is not ours, too old, or spent.
    pub(crate) fn spend(&self, nonce: &str, now: Time) -> bool {
        let Some(mark) = self.read(nonce) else { return false };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = now.micros().saturating_sub(LIFE_MICROS);
        if oldest > state.closed_until {
            state.close(oldest);
        }
        if mark.0 < state.closed_until || !state.marks.insert(mark) {
            return false;
        }
        if state.marks.len() > self.spent_max
            && let Some(first) = state.marks.first().map(|mark| mark.0)
        {
            state.close(first.saturating_add(1));
        }
        true
    }

    fn read(&self, nonce: &str) -> Option<Mark> {
        let bytes: [u8; 16 + MAC_BYTES] = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
        let (micros, rest) = bytes.split_first_chunk::<8>()?;
        let (random, _) = rest.split_first_chunk::<8>()?;
        let mark = (i64::from_be_bytes(*micros), *random);
        base::secret::same(&self.seal(&mark), &bytes).then_some(mark)
    }
}

impl Spent {
    fn close(&mut self, until: i64) {
        self.closed_until = until;
        self.marks = self.marks.split_off(&(until, [0; 8]));
    }
}

#[cfg(test)]
mod tests {
    use base::SeededChance;

    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(1_000_000 + seconds)
    }

    #[test]
    fn a_nonce_is_spent_once_and_within_an_hour() {
        let chance = SeededChance::new(1);
        let nonces = Nonces::new(&chance);
        let (first, second) = (nonces.give(at(0), &chance), nonces.give(at(0), &chance));
        assert_ne!(first, second);
        assert!(nonces.spend(&first, at(1)));
        assert!(!nonces.spend(&first, at(2)), "spent");
        assert!(nonces.spend(&second, at(3_600)));
        let late = nonces.give(at(4_000), &chance);
        assert!(!nonces.spend(&late, at(7_601)), "too old");
    }

    #[test]
    fn strangers_nonces_are_refused() {
        let chance = SeededChance::new(1);
        let (ours, theirs) = (Nonces::new(&chance), Nonces::new(&chance));
        assert!(!ours.spend(&theirs.give(at(0), &chance), at(0)));
        let mut altered = ours.give(at(0), &chance).into_bytes();
        altered[0] = if altered[0] == b'A' { b'B' } else { b'A' };
        assert!(!ours.spend(std::str::from_utf8(&altered).unwrap(), at(0)));
        for wrong in ["", "AAAA", "not base64", &"A".repeat(43), &"A".repeat(10_000)] {
            assert!(!ours.spend(wrong, at(0)), "{wrong}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_revives_no_spent_nonce() {
        let chance = SeededChance::new(1);
        let nonces = Nonces::new(&chance);
        let nonce = nonces.give(at(0), &chance);
        assert!(nonces.spend(&nonce, at(0)));
        // the hour passes, so the spent one need not be remembered
        let other = nonces.give(at(8_000), &chance);
        assert!(nonces.spend(&other, at(8_000)));
        assert!(!nonces.spend(&nonce, at(10)), "spent before the clock went back");
        assert!(!nonces.spend(&other, at(10)));
        let new = nonces.give(at(10), &chance);
        assert!(
            nonces.spend(&new, at(10)) && !nonces.spend(&new, at(10)),
            "and new ones are given as before"
        );
    }

    #[test]
    fn memory_is_bounded_and_what_was_spent_stays_spent() {
        let chance = SeededChance::new(1);
        let nonces = Nonces::with_room(&chance, 8);
        let all: Vec<String> = (0..32).map(|second| nonces.give(at(second), &chance)).collect();
        for nonce in &all {
            assert!(nonces.spend(nonce, at(32)));
        }
        assert!(nonces.state.lock().unwrap().marks.len() <= 8);
        assert!(all.iter().all(|nonce| !nonces.spend(nonce, at(33))));
        assert!(nonces.spend(&nonces.give(at(33), &chance), at(33)), "new ones are given as before");
    }
}
