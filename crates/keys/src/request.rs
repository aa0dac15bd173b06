//! Keys and requests of those who ask for a certificate: a key pair that is made where it will be used, and a
//! certificate request (PKCS #10, RFC 2986) that proves its possession.
//!
//! Never here: a key of the ring, a key that leaves this process but into a file of its owner.

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base::{Result, Secret};
use proof::{
    crypto::{SignatureAlgorithm, SubjectKey},
    x509::{
        GeneralName, Name,
        der::{Reader, Writer, context_constructed},
        extension, oid,
        pem::{self, Label},
    },
};

/// The curve of a local key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Curve {
    /// P-256, signing with SHA-256.
    #[default]
    P256,
    /// P-384, signing with SHA-384.
    P384,
}

/// A key pair in this process's memory.
pub struct LocalKey {
    pair: EcdsaKeyPair,
    algorithm: SignatureAlgorithm,
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
    local_key_on(Curve::P256)
}

/// Makes a key pair on a curve.
///
/// # Errors
/// `INTERNAL_ERROR` when it cannot be made.
pub fn local_key_on(curve: Curve) -> Result<LocalKey> {
    let fault = |_| base::error::INTERNAL.error();
    let (signing, algorithm) = match curve {
        Curve::P256 => (&ECDSA_P256_SHA256_ASN1_SIGNING, SignatureAlgorithm::EcdsaSha256),
        Curve::P384 => (&ECDSA_P384_SHA384_ASN1_SIGNING, SignatureAlgorithm::EcdsaSha384),
    };
    let pair = EcdsaKeyPair::generate(signing).map_err(fault)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(fault)?;
    let pem = Secret::new(pem::encode(Label::PrivateKey, pkcs8.as_ref()));
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| base::error::INTERNAL.error())?;
    let public = SubjectKey::from_spki(spki.as_ref()).map_err(|e| base::error::INTERNAL.because(e))?;
    Ok(LocalKey { pair, algorithm, pem, public })
}

impl LocalKey {
    /// Signs a message as JSON Web Signatures have it: r and s, each as wide as the curve.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the key does not sign.
    pub fn sign_fixed(&self, message: &[u8]) -> Result<Vec<u8>> {
        let width = if self.algorithm == SignatureAlgorithm::EcdsaSha256 { 32 } else { 48 };
        let fault = |_| base::error::INTERNAL.error();
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(fault)?;
        let unread = |e| base::error::INTERNAL.because(e);
        let mut numbers = Reader::new(signature.as_ref()).sequence().map_err(unread)?;
        let mut fixed = Vec::with_capacity(2 * width);
        for _ in 0..2 {
            let number = numbers.natural().map_err(unread)?;
            fixed.resize(fixed.len() + width.saturating_sub(number.len()), 0);
            fixed.extend_from_slice(number);
        }
        Ok(fixed)
    }
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
            key.algorithm.write(out);
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

#[cfg(test)]
mod tests {
    use proof::x509::{Csr, DnsName};

    use super::*;

    #[test]
    fn a_signature_of_fixed_width_holds_on_both_curves() {
        for (curve, width) in [(Curve::P256, 64), (Curve::P384, 96)] {
            let key = local_key_on(curve).unwrap();
            // now and then a number is shorter than the curve is wide
            for round in 0..300_u32 {
                let message = round.to_be_bytes();
                let signature = key.sign_fixed(&message).unwrap();
                assert_eq!(signature.len(), width);
                key.public.verify_fixed(key.algorithm, &message, &signature).unwrap();
            }
        }
    }

    #[test]
    fn a_request_reads_back_and_proves_its_key() {
        for curve in [Curve::P256, Curve::P384] {
            let key = local_key_on(curve).unwrap();
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
    }
}
