//! Secrets: values that are wiped when dropped and never printed, and tokens that are stored only as a hash.

use zeroize::{Zeroize, Zeroizing};

use crate::chance::Chance;

/// A value that has no `Debug` or `Display` text and is wiped when dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes the value into keeping.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Lends the value; the call stands out when code is read.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// A new token: `prefix_` and 256 random bits in base32. Show it once, keep only [`token_hash`].
pub fn token(prefix: &str, chance: &dyn Chance) -> Secret<String> {
    Secret::new(format!("{prefix}_{}{}", chance.handle(), chance.handle()))
}

/// What is stored of a token: SHA-256. A token has 256 random bits, so a slow hash would add nothing.
pub fn token_hash(token: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let mut out = [0u8; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// Whether two byte strings are equal, in a time that does not depend on where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}
