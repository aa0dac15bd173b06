//! A secret in several hands: Shamir's sharing over GF(2⁸). Any `threshold` of the shares give the secret back, fewer
//! tell nothing about it.
//!
//! What is shared is the secret and eight bytes of its hash, so a wrong or foreign share is noticed and no share shows
//! anything to compare with. A share carries the number of its set, its own number and the threshold.
//! Never here: a table or a branch on secret values; a share that is printed by itself.

mod field;
mod text;

use base::{Chance, Result, Secret, secret::same};
use zeroize::Zeroizing;

use crate::error;

/// The most shares of one secret.
pub const SHARES_MAX: u8 = 16;
/// The fewest shares that give a secret back.
pub const THRESHOLD_MIN: u8 = 2;
/// The shortest secret.
pub const SECRET_BYTES_MIN: usize = 16;
/// The longest secret.
pub const SECRET_BYTES_MAX: usize = 64;

const FORMAT: u8 = 1;
const SET_BYTES: usize = 4;
const PROOF_BYTES: usize = 8;
/// Format, threshold and number, length, set.
const HEADER_BYTES: usize = 3 + SET_BYTES;
const PROOF_DOMAIN: &[u8] = b"selo/shamir/1";

/// One person's part of a secret. It is as secret as the whole once enough of them meet.
#[derive(Clone)]
pub struct Share {
    set: [u8; SET_BYTES],
    threshold: u8,
    number: u8,
    body: Secret<Vec<u8>>,
}

impl Share {
    /// Its number in the set, from 1.
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// How many shares of the set give the secret back.
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    /// What may be written into a protocol: the set it belongs to, in hexadecimal.
    pub fn set(&self) -> String {
        proof::crypto::hex(&self.set)
    }

    /// What may be written into a protocol: a hash of this share, in hexadecimal, that shows later that it is the same.
    pub fn fingerprint(&self) -> String {
        let mut whole = Zeroizing::new(b"selo/share-fingerprint/1".to_vec());
        whole.extend_from_slice(&self.to_bytes());
        proof::crypto::hex(proof::crypto::sha256(&whole).first_chunk::<16>().unwrap_or(&[0; 16]))
    }

    /// The text to be written down: groups of five, the last letter of each a check.
    pub fn to_text(&self) -> Secret<String> {
        text::write(&self.to_bytes())
    }

    /// Reads what a person wrote down.
    ///
    /// # Errors
    /// `KEYS_SHARE_MISTYPED` with the group to look at; `KEYS_SHARE_MALFORMED`.
    pub fn from_text(written: &str) -> Result<Self> {
        let bytes = text::read(written, |bytes| Some(HEADER_BYTES + usize::from(*bytes.get(2)?)))?;
        let wrong = || error::SHARE.error();
        let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(wrong)?;
        let [format, counts, _, set @ ..] = *header;
        let secret = body.len().checked_sub(PROOF_BYTES).ok_or_else(wrong)?;
        let (threshold, number) = ((counts >> 4) + 1, (counts & 15) + 1);
        if format != FORMAT
            || threshold < THRESHOLD_MIN
            || !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&secret)
        {
            return Err(wrong());
        }
        Ok(Self { set, threshold, number, body: Secret::new(body.to_vec()) })
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let body = self.body.expose();
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + body.len()));
        bytes.push(FORMAT);
        bytes.push(((self.threshold - 1) << 4) | (self.number - 1));
        bytes.push(u8::try_from(body.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(&self.set);
        bytes.extend_from_slice(body);
        bytes
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "share {} of set {}, {} needed", self.number, self.set(), self.threshold)
    }
}

/// Splits a secret into `count` shares, any `threshold` of which give it back.
///
/// # Errors
/// `KEYS_SHARES_BOUNDS`.
pub fn split(secret: &[u8], threshold: u8, count: u8, chance: &dyn Chance) -> Result<Vec<Share>> {
    if !(THRESHOLD_MIN..=SHARES_MAX).contains(&threshold)
        || !(threshold..=SHARES_MAX).contains(&count)
        || !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&secret.len())
    {
        return Err(error::SHARES_BOUNDS.error());
    }
    let set = chance.bytes();
    let mut whole = Zeroizing::new(Vec::with_capacity(secret.len() + PROOF_BYTES));
    whole.extend_from_slice(secret);
    whole.extend_from_slice(&proof_of(secret));
    let mut bodies: Vec<Zeroizing<Vec<u8>>> =
        (0..count).map(|_| Zeroizing::new(Vec::with_capacity(whole.len()))).collect();
    for byte in whole.iter() {
        // One polynomial for each byte: the byte itself, then random coefficients, which may be zero.
        let mut polynomial = Zeroizing::new([0_u8; SHARES_MAX as usize]);
        let (constant, random) = polynomial.split_at_mut(1);
        constant.copy_from_slice(std::slice::from_ref(byte));
        chance.fill(random.get_mut(..usize::from(threshold) - 1).unwrap_or_default());
        for (x, body) in (1..).zip(&mut bodies) {
            body.push(polynomial.iter().rev().fold(0, |sum, next| field::multiply(sum, x) ^ next));
        }
    }
    let shares = (1..).zip(bodies).map(|(number, body)| Share {
        set,
        threshold,
        number,
        body: Secret::new(body.to_vec()),
    });
    Ok(shares.collect())
}

/// Gives the secret back. All shares that are given must fit, also those beyond the threshold.
///
/// # Errors
/// `KEYS_SHARES_TOO_FEW`; `KEYS_SHARES_MIXED` when they are of several sets or one comes twice; `KEYS_SHARES_WRONG`
/// when together they give no secret.
pub fn combine(shares: &[Share]) -> Result<Secret<Vec<u8>>> {
    let needed = shares.first().map_or(THRESHOLD_MIN, |first| first.threshold);
    let mixed = shares.iter().enumerate().any(|(place, share)| {
        let earlier = shares.get(..place).unwrap_or_default();
        shares.first().is_some_and(|first| !share.is_beside(first))
            || earlier.iter().any(|other| other.number == share.number)
    });
    if mixed {
        return Err(error::SHARES_MIXED.error());
    }
    if shares.len() < usize::from(needed) {
        return Err(error::SHARES_TOO_FEW.error().with("given", shares.len()).with("needed", needed));
    }
    let length = shares.first().map_or(0, |first| first.body.expose().len());
    let mut whole = Zeroizing::new(vec![0_u8; length]);
    for share in shares {
        let weight = weight(share.number, shares);
        for (sum, byte) in whole.iter_mut().zip(share.body.expose()) {
            *sum ^= field::multiply(*byte, weight);
        }
    }
    let (secret, proof) = whole
        .split_at_checked(length.saturating_sub(PROOF_BYTES))
        .ok_or_else(|| error::SHARES_WRONG.error())?;
    if !same(proof, &proof_of(secret)) {
        return Err(error::SHARES_WRONG.error());
    }
    Ok(Secret::new(secret.to_vec()))
}

impl Share {
    fn is_beside(&self, other: &Self) -> bool {
        self.set == other.set
            && self.threshold == other.threshold
            && self.body.expose().len() == other.body.expose().len()
    }
}

/// What the share of this number counts for at zero: the product of `xⱼ / (xⱼ − xᵢ)` over the others (Lagrange).
fn weight(number: u8, shares: &[Share]) -> u8 {
    shares.iter().map(|share| share.number).filter(|other| *other != number).fold(1, |product, other| {
        field::multiply(product, field::multiply(other, field::invert(other ^ number)))
    })
}

/// Eight bytes by which a secret is recognised when it was put together again.
fn proof_of(secret: &[u8]) -> [u8; PROOF_BYTES] {
    let mut whole = Zeroizing::new(PROOF_DOMAIN.to_vec());
    whole.extend_from_slice(secret);
    proof::crypto::sha256(&whole).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SeededChance;
    use proptest::prelude::*;

    /// Every way to take some of the shares, as a mask.
    fn some(shares: &[Share], mask: u32) -> Vec<Share> {
        let taken = shares.iter().enumerate().filter(|(place, _)| mask >> place & 1 == 1);
        taken.map(|(_, share)| share.clone()).collect()
    }

    /// Tries all subsets of one splitting: enough give the secret back, fewer are refused.
    fn every_subset(secret: &[u8], threshold: u8, count: u8, seed: u64) {
        let shares = split(secret, threshold, count, &SeededChance::new(seed)).unwrap();
        for mask in 0..1_u32 << count {
            let few = some(&shares, mask);
            match combine(&few) {
                Ok(back) => {
                    assert!(few.len() >= usize::from(threshold), "{few:?} were too few");
                    assert_eq!(back.expose(), secret);
                }
                Err(refused) => {
                    assert!(few.len() < usize::from(threshold), "{few:?} were enough");
                    assert!(refused.is(&error::SHARES_TOO_FEW));
                }
            }
        }
    }

    #[test]
    fn every_subset_of_every_small_splitting_behaves() {
        for count in THRESHOLD_MIN..=7 {
            for threshold in THRESHOLD_MIN..=count {
                every_subset(&[0x5e; SECRET_BYTES_MIN], threshold, count, 1);
            }
        }
    }

    #[test]
    fn the_largest_splitting_behaves() {
        let shares = split(&[7; SECRET_BYTES_MAX], 16, 16, &SeededChance::new(2)).unwrap();
        assert_eq!(combine(&shares).unwrap().expose(), &[7; SECRET_BYTES_MAX]);
        assert!(combine(&shares[1..]).err().unwrap().is(&error::SHARES_TOO_FEW));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_secret_comes_back_from_every_large_enough_subset(
            secret in prop::collection::vec(any::<u8>(), SECRET_BYTES_MIN..=SECRET_BYTES_MAX),
            (threshold, count) in (2_u8..=9).prop_flat_map(|count| (2..=count, Just(count))),
            seed in any::<u64>(),
        ) {
            every_subset(&secret, threshold, count, seed);
        }

        #[test]
        fn a_share_reads_back_from_its_text_and_an_altered_one_gives_no_secret(
            secret in prop::collection::vec(any::<u8>(), SECRET_BYTES_MIN..=SECRET_BYTES_MAX),
            seed in any::<u64>(), at in any::<prop::sample::Index>(), change in 1_u8..,
        ) {
            let shares = split(&secret, 2, 3, &SeededChance::new(seed)).unwrap();
            let mut read: Vec<Share> =
                shares.iter().map(|share| Share::from_text(share.to_text().expose()).unwrap()).collect();
            for (share, again) in shares.iter().zip(&read) {
                prop_assert_eq!(share.to_bytes(), again.to_bytes());
                prop_assert_eq!(share.fingerprint(), again.fingerprint());
            }
            let whole = combine(&read[1..]).unwrap();
            prop_assert_eq!(whole.expose(), &secret);
            let mut body = read[1].body.expose().clone();
            let at = at.index(body.len());
            body[at] ^= change;
            read[1].body = Secret::new(body);
            for given in [&read[..2], &read[1..], &read[..]] {
                prop_assert!(combine(given).err().unwrap().is(&error::SHARES_WRONG));
            }
        }

        #[test]
        fn no_text_makes_the_reader_stumble(text in ".{0,200}", letters in "[0-9A-HJKMNP-TV-Z -]{0,300}") {
            prop_assert!(Share::from_text(&text).is_err());
            prop_assert!(Share::from_text(&letters).is_err());
        }
    }

    #[test]
    fn shares_of_two_sets_or_one_share_twice_are_refused() {
        let chance = SeededChance::new(3);
        let (one, other) = (split(&[1; 32], 2, 3, &chance).unwrap(), split(&[1; 32], 2, 3, &chance).unwrap());
        for mixed in [[&one[0], &other[1]], [&one[0], &one[0]]] {
            let given: Vec<Share> = mixed.into_iter().cloned().collect();
            assert!(combine(&given).err().unwrap().is(&error::SHARES_MIXED));
        }
    }

    #[test]
    fn fewer_shares_than_needed_fit_every_secret() {
        // With one share of two, each value of the secret's byte belongs to exactly one slope: nothing is told.
        let share = 0x9d_u8;
        let slopes: std::collections::BTreeSet<u8> =
            (0..=255_u8).map(|secret| field::multiply(share ^ secret, field::invert(3))).collect();
        assert_eq!(slopes.len(), 256);
    }

    #[test]
    fn what_is_out_of_bounds_is_not_split() {
        let chance = SeededChance::new(4);
        for (length, threshold, count) in
            [(15, 2, 3), (65, 2, 3), (32, 1, 3), (32, 4, 3), (32, 2, 17), (32, 17, 17), (32, 0, 0)]
        {
            assert!(
                split(&vec![0; length], threshold, count, &chance).err().unwrap().is(&error::SHARES_BOUNDS),
                "{length} {threshold} {count}"
            );
        }
    }

    #[test]
    fn a_share_shows_its_place_and_nothing_else() {
        let share = &split(&[9; 32], 2, 3, &SeededChance::new(5)).unwrap()[1];
        assert_eq!(format!("{share:?}"), format!("share 2 of set {}, 2 needed", share.set()));
    }
}
