//! A signature, in the form its key makes it and in the form certificates carry it.

use base::Result;

use crate::signing::Algorithm;

/// A signature: 64 bytes of Ed25519, or `r ‖ s` in 64 (P-256) or 96 bytes (P-384).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl Signature {
    /// Bytes that a key made; of another length they are no signature.
    pub(crate) fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<Self> {
        if bytes.len() != algorithm.signature_bytes() {
            return Err(base::error::INTERNAL.error().with("reason", "a signature of another length"));
        }
        Ok(Self { algorithm, bytes: bytes.to_vec() })
    }

    /// How it was made.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The signature as JOSE, COSE, notes and data integrity proofs have it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature as X.509 has it: for ECDSA the DER of `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 §2.2.3), for
    /// Ed25519 its 64 bytes (RFC 8410 §6).
    pub fn x509(&self) -> Vec<u8> {
        if self.algorithm == Algorithm::Ed25519 {
            return self.bytes.clone();
        }
        let (r, s) = self.bytes.split_at(self.bytes.len() / 2);
        let mut body = integer(r);
        body.append(&mut integer(s));
        tagged(0x30, &body)
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A DER INTEGER of an unsigned big-endian number: no leading zeros, but one before a set high bit.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let mut digits = number.get(zeros..).unwrap_or_default().to_vec();
    if digits.first().is_none_or(|byte| byte & 0x80 != 0) {
        digits.insert(0, 0);
    }
    tagged(0x02, &digits)
}

/// Tag, length and content; the contents here are shorter than 128 bytes.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag, u8::try_from(content.len()).unwrap_or(u8::MAX)];
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{
            ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
        },
    };

    #[test]
    fn numbers_are_written_as_der_wants_them() {
        assert_eq!(integer(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[0, 0]), [2, 1, 0]);
    }

    #[test]
    fn a_library_for_certificates_accepts_the_der_form() {
        for (algorithm, verifier) in
            [(Algorithm::P256, &ECDSA_P256_SHA256_ASN1), (Algorithm::P384, &ECDSA_P384_SHA384_ASN1)]
        {
            let pair = EcdsaKeyPair::generate(algorithm.ecdsa().unwrap()).unwrap();
            // Enough of them that some r or s begins with a zero or a set bit.
            for number in 0..200_u32 {
                let message = number.to_be_bytes();
                let signed = pair.sign(&SystemRandom::new(), &message).unwrap();
                let signature = Signature::new(algorithm, signed.as_ref()).unwrap();
                UnparsedPublicKey::new(verifier, pair.public_key().as_ref())
                    .verify(&message, &signature.x509())
                    .unwrap();
            }
        }
    }

    #[test]
    fn bytes_of_another_length_are_no_signature() {
        assert!(Signature::new(Algorithm::P384, &[1; 64]).is_err());
        assert!(Signature::new(Algorithm::Ed25519, &[1; 96]).is_err());
    }
}
