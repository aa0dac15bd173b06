//! Signing keys: what they are for, what state they are in, and the signature itself.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base::{Chance, Id, Result, Time, id::kind};
use proof::crypto::PublicKey;

use crate::error;

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Credentials and status lists of a tenant.
    Assertion,
    /// Checkpoints of the log `cred`.
    LogCred,
    /// Checkpoints of the log `audit`.
    LogAudit,
}

impl Purpose {
    /// The word in SQL and facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::LogCred => "log.cred",
            Self::LogAudit => "log.audit",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Assertion, Self::LogCred, Self::LogAudit].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256, `r ‖ s` in 64 bytes.
    P256,
}

impl Algorithm {
    /// The word in SQL and facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Ed25519, Self::P256].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// What state a key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Signs.
    Active,
    /// Signs no more, and stays published so that what it signed verifies.
    Retired,
}

impl KeyState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    pub(crate) fn parse(name: &str) -> Self {
        if name == "active" { Self::Active } else { Self::Retired }
    }
}

/// What everybody may know of a signing key.
#[derive(Debug, Clone)]
pub struct SigningKeyInfo {
    /// Its id.
    pub id: Id<kind::SigningKey>,
    /// What it is for.
    pub purpose: Purpose,
    /// How it signs.
    pub algorithm: Algorithm,
    /// The key that verifies.
    pub public: PublicKey,
    /// Whether it still signs.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Time,
}

/// A key that signs in this process.
pub(crate) enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl Signer {
    /// Makes a key: the secret bytes to be sealed, and the public key.
    pub(crate) fn generate(algorithm: Algorithm, chance: &dyn Chance) -> Result<(Vec<u8>, PublicKey)> {
        let fault = |_| base::error::INTERNAL.error();
        match algorithm {
            Algorithm::Ed25519 => {
                let seed: [u8; 32] = chance.bytes();
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
                    .map_err(|e| base::error::INTERNAL.because(e))?;
                let public = PublicKey::Ed25519(
                    pair.public_key().as_ref().try_into().map_err(|e| base::error::INTERNAL.because(e))?,
                );
                Ok((seed.to_vec(), public))
            }
            Algorithm::P256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(fault)?;
                let public = PublicKey::p256_from_sec1(pair.public_key().as_ref())
                    .map_err(|e| base::error::INTERNAL.because(e))?;
                let secret = pair.to_pkcs8v1().map_err(fault)?.as_ref().to_vec();
                Ok((secret, public))
            }
        }
    }

    /// The key of these secret bytes.
    pub(crate) fn load(algorithm: Algorithm, secret: &[u8], id: Id<kind::SigningKey>) -> Result<Self> {
        let wrong = || error::SIGN.error().with("key", id);
        match algorithm {
            Algorithm::Ed25519 => {
                Ed25519KeyPair::from_seed_unchecked(secret).map(Self::Ed25519).map_err(|_| wrong())
            }
            Algorithm::P256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, secret)
                .map(Self::P256)
                .map_err(|_| wrong()),
        }
    }

    /// 64 bytes: an Ed25519 signature, or `r ‖ s`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64]> {
        let bytes = match self {
            Self::Ed25519(pair) => pair.sign(message),
            Self::P256(pair) => {
                pair.sign(&SystemRandom::new(), message).map_err(|e| base::error::INTERNAL.because(e))?
            }
        };
        bytes.as_ref().try_into().map_err(|e| base::error::INTERNAL.because(e))
    }
}
