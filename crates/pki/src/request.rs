//! Keys and requests of those who ask: a key pair that is made where it will be used, and a certificate request
//! (PKCS #10, RFC 2986) that proves its possession.
//!
//! Never here: a key that goes to the house.

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, EcdsaKeyPair,
        KeyPair as _, ParsedPublicKey, VerificationAlgorithm,
    },
};
use base::{Result, Secret};
use proof::{
    crypto::{PublicKey, SignatureAlgorithm, SubjectKey},
    x509::{
        GeneralName, Name,
        der::{Writer, context_constructed},
        extension, oid,
        pem::{self, Label},
    },
};

/// A P-256 key pair in this process's memory.
pub struct LocalKey {
    pair: EcdsaKeyPair,
    /// PKCS #8 (RFC 5958) as PEM, to be written into a file of its owner alone.
    pub pem: Secret<String>,
    /// The public half.
    pub public: SubjectKey,
}

/// Makes a P-256 key pair.
///
/// # Errors
/// `INTERNAL_ERROR` when it cannot be made.
pub fn local_key() -> Result<LocalKey> {
    let fault = |_| base::error::INTERNAL.error();
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(fault)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(fault)?;
    let pem = Secret::new(pem::encode(Label::PrivateKey, pkcs8.as_ref()));
    let public =
        SubjectKey::p256(pair.public_key().as_ref()).map_err(|e| base::error::INTERNAL.because(e))?;
    Ok(LocalKey { pair, pem, public })
}

/// A certificate request for these names, signed with the key. The subject stays empty: the authority makes it.
///
/// # Errors
/// `INTERNAL_ERROR` when the key does not sign.
pub fn request_der(key: &LocalKey, names: &[GeneralName]) -> Result<Vec<u8>> {
    let information = Writer::build(|out| {
        out.sequence(|out| {
            out.small(0);
            out.raw(Name::empty().der());
            key.public.write_spki(out);
            out.nested(context_constructed(0), |out| {
                if !names.is_empty() {
                    write_names(names, out);
                }
            });
        });
    });
    let signature =
        key.pair.sign(&SystemRandom::new(), &information).map_err(|_| base::error::INTERNAL.error())?;
    Ok(Writer::build(|out| {
        out.sequence(|out| {
            out.raw(&information);
            SignatureAlgorithm::EcdsaSha256.write(out);
            out.bit_string(signature.as_ref());
        });
    }))
}

fn write_names(names: &[GeneralName], out: &mut Writer) {
    out.sequence(|out| {
        out.oid(&oid::EXTENSION_REQUEST);
        out.set(|out| {
            out.sequence(|out| {
                extension::write(out, &oid::SUBJECT_ALT_NAME, true, |out| {
                    out.sequence(|out| names.iter().for_each(|name| name.write(out)));
                });
            });
        });
    });
}

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
    use proof::x509::{Csr, DnsName};

    use super::*;

    #[test]
    fn a_request_reads_back_and_proves_its_key() {
        let key = local_key().unwrap();
        let names = vec![
            GeneralName::Dns(DnsName::parse("a.example").unwrap()),
            GeneralName::Ip("10.0.0.1".parse().unwrap()),
        ];
        let der = request_der(&key, &names).unwrap();
        let read = Csr::from_der(&der).unwrap();
        assert_eq!((read.key, read.names), (key.public.clone(), names));
        assert!(Csr::from_der(&request_der(&key, &[]).unwrap()).unwrap().names.is_empty());
        let mut broken = der;
        *broken.last_mut().unwrap() ^= 1;
        assert!(Csr::from_der(&broken).is_err());
    }

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
