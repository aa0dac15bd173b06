//! Faults on demand: make the Nth store call (a statement or a commit) of the whole store fail.
//!
//! Compiled in only with the feature `fault-injection`; without it the check is an empty function that the compiler
//! removes. Never in the release binary.

#[cfg(feature = "fault-injection")]
mod armed {
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    use base::Result;

    use crate::error::STORE_FAULT_INJECTED;

    /// Counts calls and makes one of them fail.
    #[derive(Default)]
    pub struct Faults {
        calls: AtomicU64,
        /// The number of the call that fails; 0 for none.
        fails_at: AtomicU64,
    }

    impl Faults {
        /// The `nth` call from now (1 is the next) fails, once; the count begins anew.
        pub fn fail_nth(&self, nth: u64) {
            self.calls.store(0, SeqCst);
            self.fails_at.store(nth, SeqCst);
        }

        /// Nothing fails any more; the count begins anew.
        pub fn disarm(&self) {
            self.fail_nth(0);
        }

        /// How many calls there were since the count began.
        pub fn calls(&self) -> u64 {
            self.calls.load(SeqCst)
        }

        pub(crate) fn check(&self) -> Result<()> {
            let call = self.calls.fetch_add(1, SeqCst) + 1;
            if call == self.fails_at.load(SeqCst) {
                return Err(STORE_FAULT_INJECTED.error());
            }
            Ok(())
        }
    }
}

#[cfg(feature = "fault-injection")]
pub use armed::Faults;

/// Nothing fails on demand in this build.
#[cfg(not(feature = "fault-injection"))]
#[derive(Default)]
pub(crate) struct Faults {
    nothing: (),
}

#[cfg(not(feature = "fault-injection"))]
impl Faults {
    #[inline(always)]
    pub(crate) const fn check(&self) -> base::Result<()> {
        let () = self.nothing;
        Ok(())
    }
}
