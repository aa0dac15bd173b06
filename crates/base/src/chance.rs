//! Chance: where random bytes come from. The only place that asks the operating system is [`SystemChance`].

use std::sync::Mutex;

/// A source of random bytes.
pub trait Chance: Send + Sync + 'static {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Chance {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0u8; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number below `bound` without bias (rejection sampling); 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        if bound < 2 {
            return 0;
        }
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let value = u64::from_le_bytes(self.bytes());
            if value < limit {
                return value % bound;
            }
        }
    }

    /// A 128-bit handle for a public address: 26 base32 characters that nobody can guess.
    pub fn handle(&self) -> String {
        crate::id::base32(u128::from_be_bytes(self.bytes()))
    }
}

/// The operating system's random source, by way of aws-lc.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        // A house without randomness must not go on: every key, salt and handle would be guessable.
        #[expect(clippy::panic, reason = "going on without randomness would be worse than stopping")]
        if aws_lc_rs::rand::fill(bytes).is_err() {
            panic!("the operating system gives no random bytes");
        }
    }
}

/// Chance that a test can replay: SHA-256 over a seed and a counter. Never for production keys.
#[derive(Debug)]
pub struct SeededChance(Mutex<(u64, u64)>);

impl SeededChance {
    /// The sequence that belongs to `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new((seed, 0)))
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for block in bytes.chunks_mut(32) {
            state.1 += 1;
            let mut input = state.0.to_le_bytes().to_vec();
            input.extend_from_slice(&state.1.to_le_bytes());
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &input);
            block.copy_from_slice(digest.as_ref().get(..block.len()).unwrap_or_default());
        }
    }
}
