//! Signing keys: what they are for, where they live, what state they are in, and how one signs in this process.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    },
};
use base::{Chance, Id, Result, Secret, Time, id::kind};
use proof::crypto::PublicKey;

use crate::{error, signature::Signature};

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Credentials and status lists of a tenant.
    Assertion,
    /// Checkpoints of the log `cred`.
    LogCred,
    /// Checkpoints of the log `audit`.
    LogAudit,
    /// Checkpoints of the log `ca`.
    LogCa,
    /// Certificates of issuing authorities and their revocation list. Each authority has a key of its own.
    CaRoot,
    /// Certificates of services and people, and their revocation lists. Each authority has a key of its own.
    CaIssuing,
    /// Answers about the state of certificates (RFC 6960), for one authority each.
    OcspResponder,
    /// The handshakes of a listener of this house.
    ServerTls,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 8] = [
        Self::Assertion,
        Self::LogCred,
        Self::LogAudit,
        Self::LogCa,
        Self::CaRoot,
        Self::CaIssuing,
        Self::OcspResponder,
        Self::ServerTls,
    ];

    /// The word in SQL and facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::LogCred => "log.cred",
            Self::LogAudit => "log.audit",
            Self::LogCa => "log.ca",
            Self::CaRoot => "ca.root",
            Self::CaIssuing => "ca.issuing",
            Self::OcspResponder => "ocsp.responder",
            Self::ServerTls => "tls.server",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256, `r ‖ s` in 64 bytes.
    P256,
    /// ECDSA on P-384 with SHA-384, `r ‖ s` in 96 bytes.
    P384,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Ed25519, Self::P256, Self::P384];

    /// The word in SQL and facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::P384 => "p384",
        }
    }

    /// The length of its signatures.
    pub const fn signature_bytes(self) -> usize {
        match self {
            Self::Ed25519 | Self::P256 => 64,
            Self::P384 => 96,
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The public key of these bytes: 32 of Ed25519, or a point in SEC 1 form.
    pub(crate) fn public(self, bytes: &[u8]) -> Result<PublicKey> {
        let fault = |e| base::error::INTERNAL.because(e);
        match self {
            Self::Ed25519 => {
                bytes.try_into().map(PublicKey::Ed25519).map_err(|e| base::error::INTERNAL.because(e))
            }
            Self::P256 => PublicKey::p256_from_sec1(bytes).map_err(fault),
            Self::P384 => PublicKey::p384_from_sec1(bytes).map_err(fault),
        }
    }

    pub(crate) const fn ecdsa(self) -> Option<&'static EcdsaSigningAlgorithm> {
        match self {
            Self::Ed25519 => None,
            Self::P256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::P384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
        }
    }
}

/// Where the private part of a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the database, sealed under the root; it signs in this process.
    Sealed,
    /// On a PKCS#11 token, which never lets it out.
    Token,
}

impl Place {
    /// The word in SQL and facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Token => "token",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Sealed, Self::Token].into_iter().find(|place| place.name() == name)
    }
}

/// What state a key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Signs.
    Active,
    /// Begins nothing new, and stays published so that what it signed verifies.
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

/// What a new key means for the others of its purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Succession {
    /// There is one key at a time for the purpose: the new one retires whichever signs now.
    Sole,
    /// The new key stands beside the others, as each authority has its own.
    Beside,
    /// The new key retires this one; the others go on.
    After(Id<kind::SigningKey>),
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
    /// Where its private part lives.
    pub place: Place,
    /// Whether it still signs.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Time,
}

/// A key that signs in this process.
pub(crate) enum Signer {
    Ed25519(Ed25519KeyPair),
    Ecdsa(Algorithm, EcdsaKeyPair),
}

impl Signer {
    /// Makes a key: the secret bytes to be sealed (an Ed25519 seed, or PKCS#8), and the public key.
    pub(crate) fn generate(
        algorithm: Algorithm,
        chance: &dyn Chance,
    ) -> Result<(Secret<Vec<u8>>, PublicKey)> {
        let fault = |_| base::error::INTERNAL.error();
        let Some(ecdsa) = algorithm.ecdsa() else {
            let seed = Secret::new(chance.bytes::<32>().to_vec());
            let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose())
                .map_err(|e| base::error::INTERNAL.because(e))?;
            let public = algorithm.public(pair.public_key().as_ref())?;
            return Ok((seed, public));
        };
        let pair = EcdsaKeyPair::generate(ecdsa).map_err(fault)?;
        let public = algorithm.public(pair.public_key().as_ref())?;
        let secret = pair.to_pkcs8v1().map_err(fault)?.as_ref().to_vec();
        Ok((Secret::new(secret), public))
    }

    /// The key of these secret bytes, as [`Signer::generate`] makes them.
    pub(crate) fn load(algorithm: Algorithm, secret: &[u8], id: Id<kind::SigningKey>) -> Result<Self> {
        let wrong = || error::SIGN.error().with("key", id);
        match algorithm.ecdsa() {
            None => Ed25519KeyPair::from_seed_unchecked(secret).map(Self::Ed25519).map_err(|_| wrong()),
            Some(ecdsa) => EcdsaKeyPair::from_pkcs8(ecdsa, secret)
                .map(|pair| Self::Ecdsa(algorithm, pair))
                .map_err(|_| wrong()),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature> {
        match self {
            Self::Ed25519(pair) => Signature::new(Algorithm::Ed25519, pair.sign(message).as_ref()),
            Self::Ecdsa(algorithm, pair) => {
                let signed =
                    pair.sign(&SystemRandom::new(), message).map_err(|e| base::error::INTERNAL.because(e))?;
                Signature::new(*algorithm, signed.as_ref())
            }
        }
    }
}
