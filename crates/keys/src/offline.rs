//! A key that never enters the store: made in a ceremony, used there, split into shares and forgotten.
//!
//! Never here: a form of the key that could be saved, other than shares; a copy that outlives the value.

use aws_lc_rs::{
    agreement::{ECDH_P256, ECDH_P384, PrivateKey},
    encoding::AsBigEndian as _,
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use base::{Chance, Result, Secret};
use proof::crypto::PublicKey;
use zeroize::Zeroizing;

use crate::{
    error,
    shamir::{self, Share},
    signature::Signature,
    signing::{Algorithm, Signer},
};

/// A signing key in this process's memory alone; wiped when dropped.
pub struct OfflineKey {
    algorithm: Algorithm,
    /// The seed of Ed25519, or the number of an elliptic curve, as long as the curve's order.
    secret: Secret<Vec<u8>>,
    public: PublicKey,
}

impl OfflineKey {
    /// Makes a key.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the key cannot be generated.
    pub fn generate(algorithm: Algorithm, chance: &dyn Chance) -> Result<Self> {
        let fault = |_| base::error::INTERNAL.error();
        let Some(ecdsa) = algorithm.ecdsa() else {
            return Self::new(algorithm, Secret::new(chance.bytes::<32>().to_vec()));
        };
        let pair = EcdsaKeyPair::generate(ecdsa).map_err(fault)?;
        let number = pair.private_key().as_be_bytes().map_err(fault)?;
        Self::new(algorithm, Secret::new(number.as_ref().to_vec()))
    }

    /// The key that was split into these shares.
    ///
    /// # Errors
    /// See [`shamir::combine`]; `KEYS_SHARES_WRONG` when the shared secret is no key.
    pub fn from_shares(shares: &[Share]) -> Result<Self> {
        let whole = shamir::combine(shares)?;
        let wrong = || error::SHARES_WRONG.error();
        let (word, secret) = whole.expose().split_first().ok_or_else(wrong)?;
        let algorithm = Algorithm::ALL.into_iter().find(|known| byte(*known) == *word).ok_or_else(wrong)?;
        Self::new(algorithm, Secret::new(secret.to_vec())).map_err(|e| wrong().because(e))
    }

    fn new(algorithm: Algorithm, secret: Secret<Vec<u8>>) -> Result<Self> {
        let public = match algorithm {
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(secret.expose())
                    .map_err(|e| base::error::INTERNAL.because(e))?;
                algorithm.public(pair.public_key().as_ref())?
            }
            Algorithm::P256 | Algorithm::P384 => algorithm.public(&point(algorithm, secret.expose())?)?,
        };
        Ok(Self { algorithm, secret, public })
    }

    /// How it signs.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that verifies.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs one message. The signature is verified before it is given out.
    ///
    /// # Errors
    /// `INTERNAL_ERROR`.
    pub fn sign(&self, message: &[u8]) -> Result<Signature> {
        let secret = self.secret.expose();
        let signer = match self.algorithm.ecdsa() {
            None => Ed25519KeyPair::from_seed_unchecked(secret).map(Signer::Ed25519),
            Some(ecdsa) => {
                EcdsaKeyPair::from_private_key_and_public_key(ecdsa, secret, &point(self.algorithm, secret)?)
                    .map(|pair| Signer::Ecdsa(self.algorithm, pair))
            }
        };
        let signature = signer.map_err(|e| base::error::INTERNAL.because(e))?.sign(message)?;
        self.public.verify(message, signature.bytes()).map_err(|e| base::error::INTERNAL.because(e))?;
        Ok(signature)
    }

    /// Splits the key into `count` shares, any `threshold` of which give it back. The shares are put together again to
    /// see that they do. The key is only lent, since one that cannot be split must not be lost: drop it afterwards.
    ///
    /// # Errors
    /// `KEYS_SHARES_BOUNDS`.
    pub fn split(&self, threshold: u8, count: u8, chance: &dyn Chance) -> Result<Vec<Share>> {
        let mut whole = Zeroizing::new(Vec::with_capacity(1 + self.secret.expose().len()));
        whole.push(byte(self.algorithm));
        whole.extend_from_slice(self.secret.expose());
        let shares = shamir::split(&whole, threshold, count, chance)?;
        let again = Self::from_shares(&shares)?;
        if again.public != self.public {
            return Err(error::SHARES_WRONG.error());
        }
        Ok(shares)
    }
}

impl std::fmt::Debug for OfflineKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "offline key {}", self.public.to_multikey())
    }
}

/// The algorithm in front of a shared secret. Never changed: shares lie in safes for ten years.
const fn byte(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Ed25519 => 1,
        Algorithm::P256 => 2,
        Algorithm::P384 => 3,
    }
}

/// The point of a number on its curve, uncompressed.
fn point(algorithm: Algorithm, number: &[u8]) -> Result<Vec<u8>> {
    let curve = if algorithm == Algorithm::P384 { &ECDH_P384 } else { &ECDH_P256 };
    let key = PrivateKey::from_private_key(curve, number).map_err(|e| base::error::INTERNAL.because(e))?;
    let point = key.compute_public_key().map_err(|e| base::error::INTERNAL.because(e))?;
    Ok(point.as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemChance;

    #[test]
    fn a_key_comes_back_from_any_two_of_three_people_and_is_the_same() {
        for algorithm in Algorithm::ALL {
            let key = OfflineKey::generate(algorithm, &SystemChance).unwrap();
            let signature = key.sign(b"certificate").unwrap();
            let public = *key.public();
            let shares = key.split(2, 3, &SystemChance).unwrap();
            drop(key);
            let written: Vec<_> = shares.iter().map(Share::to_text).collect();
            for (one, other) in [(0, 1), (0, 2), (1, 2)] {
                let read =
                    [&written[one], &written[other]].map(|text| Share::from_text(text.expose()).unwrap());
                let again = OfflineKey::from_shares(&read).unwrap();
                assert_eq!((again.algorithm(), *again.public()), (algorithm, public));
                let other = again.sign(b"revocation list").unwrap();
                public.verify(b"revocation list", other.bytes()).unwrap();
            }
            public.verify(b"certificate", signature.bytes()).unwrap();
            assert!(OfflineKey::from_shares(&shares[..1]).err().unwrap().is(&error::SHARES_TOO_FEW));
        }
    }

    #[test]
    fn two_keys_are_two_and_their_shares_do_not_mix() {
        let one = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
        let other = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
        assert_ne!(one.public(), other.public());
        let (one, other) =
            (one.split(2, 2, &SystemChance).unwrap(), other.split(2, 2, &SystemChance).unwrap());
        let mixed = [one[0].clone(), other[1].clone()];
        assert!(OfflineKey::from_shares(&mixed).err().unwrap().is(&error::SHARES_MIXED));
    }

    #[test]
    fn a_shared_secret_that_is_no_key_is_refused() {
        // The curve's order is larger than no 48 bytes of ones; 9 is no algorithm.
        for secret in [[&[3][..], &[0xff; 48]].concat(), [&[9][..], &[1; 32]].concat()] {
            let shares = shamir::split(&secret, 2, 2, &SystemChance).unwrap();
            assert!(OfflineKey::from_shares(&shares).err().unwrap().is(&error::SHARES_WRONG));
        }
    }

    #[test]
    fn a_key_shows_its_public_half_only() {
        let key = OfflineKey::generate(Algorithm::P256, &SystemChance).unwrap();
        assert_eq!(format!("{key:?}"), format!("offline key {}", key.public().to_multikey()));
    }
}
