//! Keys of the ring as certificates have them.
//!
//! Never here: a key that goes to the house; whoever asks makes its own (`keys::local_key`).

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ParsedPublicKey, VerificationAlgorithm},
};
use base::Result;
use proof::crypto::{PublicKey, SubjectKey};

/// The key of a ring as certificates have it: the point of a curve is written whole.
///
/// # Errors
/// `INTERNAL_ERROR` for a point that is none.
pub(crate) fn subject_key(key: &PublicKey) -> Result<SubjectKey> {
    let whole = |algorithm: &'static dyn VerificationAlgorithm, point: &[u8]| -> Result<SubjectKey> {
        let parsed = ParsedPublicKey::new(algorithm, point).map_err(|e| base::error::INTERNAL.because(e))?;
        let spki: PublicKeyX509Der<'_> = parsed.as_der().map_err(|_| base::error::INTERNAL.error())?;
        SubjectKey::from_spki(spki.as_ref()).map_err(|e| base::error::INTERNAL.because(e))
    };
    match key {
        PublicKey::Ed25519(key) => Ok(SubjectKey::Ed25519(*key)),
        PublicKey::P256(point) => whole(&ECDSA_P256_SHA256_ASN1, point),
        PublicKey::P384(point) => whole(&ECDSA_P384_SHA384_ASN1, point),
    }
}

/// As [`subject_key`], for the public key of a root that is made outside of the house.
///
/// # Errors
/// `INTERNAL_ERROR` for a point that is none.
pub fn root_spki(key: &PublicKey) -> Result<Vec<u8>> {
    Ok(subject_key(key)?.to_spki())
}

#[cfg(test)]
mod tests {
    use keys::{Algorithm, OfflineKey};

    use super::*;

    #[test]
    fn keys_of_the_ring_are_written_whole() {
        for algorithm in [Algorithm::P256, Algorithm::P384, Algorithm::Ed25519] {
            let key = OfflineKey::generate(algorithm, &base::SystemChance).unwrap();
            let subject = subject_key(key.public()).unwrap();
            let signed = key.sign(b"message").unwrap();
            subject.verify(subject.issuing_algorithm(), b"message", &signed.x509()).unwrap();
        }
    }
}
