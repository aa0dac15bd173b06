//! SubjectPublicKeyInfo (RFC 5280 §4.1.2.7, RFC 5480, RFC 8410): which keys are accepted, in which one form.
//!
//! One method names keys everywhere: the leftmost 160 bits of SHA-256 of the key (RFC 7093 §2 method 1). It is as
//! long as the classical one, needs no SHA-1, and so works in every build.
//! Never here: a key accepted in a second form; equal keys have equal bytes.

use super::der::{Element, Reader, Writer};
use super::{Oid, oid};
use crate::crypto::{self, KeyRefusal, SubjectKey};

/// Longest SubjectPublicKeyInfo that is read.
pub const SPKI_BYTES_MAX: usize = 2048;

/// A subject key identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 20]);

impl KeyId {
    /// The identifier of a key.
    #[must_use]
    pub fn of(key: &SubjectKey) -> Self {
        let mut id = [0; 20];
        for (place, byte) in id.iter_mut().zip(crypto::sha256(&key_octets(key))) {
            *place = byte;
        }
        Self(id)
    }
}

impl SubjectKey {
    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`KeyRefusal`] with the reason.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyRefusal> {
        if der.len() > SPKI_BYTES_MAX {
            return Err(KeyRefusal::Form);
        }
        let (kind, parameters, key) = split(der).ok_or(KeyRefusal::Form)?;
        match kind {
            oid::EC_PUBLIC_KEY => ec(parameters, key),
            oid::ED25519 if parameters.is_none() => Self::ed25519(key),
            oid::RSA_ENCRYPTION if parameters.is_some_and(|element| element.whole == [5, 0]) => rsa(key),
            oid::ED25519 | oid::RSA_ENCRYPTION => Err(KeyRefusal::Form),
            oid::DSA => Err(KeyRefusal::Dsa),
            _ => Err(KeyRefusal::Algorithm),
        }
    }

    /// Writes the SubjectPublicKeyInfo.
    pub fn write_spki(&self, out: &mut Writer) {
        out.sequence(|out| {
            out.sequence(|out| match self {
                Self::Ed25519(_) => out.oid(&oid::ED25519),
                Self::P256(_) => {
                    out.oid(&oid::EC_PUBLIC_KEY);
                    out.oid(&oid::P256);
                }
                Self::P384(_) => {
                    out.oid(&oid::EC_PUBLIC_KEY);
                    out.oid(&oid::P384);
                }
                Self::Rsa(_) => {
                    out.oid(&oid::RSA_ENCRYPTION);
                    out.null();
                }
            });
            out.bit_string(&key_octets(self));
        });
    }

    /// The SubjectPublicKeyInfo.
    #[must_use]
    pub fn to_spki(&self) -> Vec<u8> {
        Writer::build(|out| self.write_spki(out))
    }

    /// SHA-256 of the SubjectPublicKeyInfo: how a key is looked for.
    #[must_use]
    pub fn spki_sha256(&self) -> [u8; 32] {
        crypto::sha256(&self.to_spki())
    }
}

/// What stands in the BIT STRING.
pub(crate) fn key_octets(key: &SubjectKey) -> Vec<u8> {
    match key {
        SubjectKey::Ed25519(key) => key.to_vec(),
        SubjectKey::P256(point) => point.to_vec(),
        SubjectKey::P384(point) => point.to_vec(),
        SubjectKey::Rsa(key) => Writer::build(|out| {
            out.sequence(|out| {
                out.natural(key.modulus());
                out.natural(key.exponent());
            });
        }),
    }
}

fn split(der: &[u8]) -> Option<(Oid, Option<Element<'_>>, &[u8])> {
    let mut outer = Reader::new(der);
    let mut spki = outer.sequence().ok()?;
    outer.finish().ok()?;
    let mut algorithm = spki.sequence().ok()?;
    let kind = algorithm.oid().ok()?;
    let parameters = if algorithm.is_empty() { None } else { Some(algorithm.any().ok()?) };
    algorithm.finish().ok()?;
    let key = spki.bit_string().ok()?;
    spki.finish().ok()?;
    Some((kind, parameters, key))
}

fn ec(parameters: Option<Element<'_>>, key: &[u8]) -> Result<SubjectKey, KeyRefusal> {
    let parameters = parameters.ok_or(KeyRefusal::Form)?;
    if parameters.tag == super::der::SEQUENCE {
        return Err(KeyRefusal::ExplicitCurve);
    }
    match Reader::new(parameters.whole).oid().map_err(|_| KeyRefusal::Form)? {
        oid::P256 => SubjectKey::p256(key),
        oid::P384 => SubjectKey::p384(key),
        _ => Err(KeyRefusal::Curve),
    }
}

fn rsa(key: &[u8]) -> Result<SubjectKey, KeyRefusal> {
    let mut outer = Reader::new(key);
    let mut parts = outer.sequence().map_err(|_| KeyRefusal::Form)?;
    let modulus = parts.natural().map_err(|_| KeyRefusal::Form)?;
    let exponent = parts.natural().map_err(|_| KeyRefusal::Form)?;
    parts.finish().map_err(|_| KeyRefusal::Form)?;
    outer.finish().map_err(|_| KeyRefusal::Form)?;
    SubjectKey::rsa(modulus, exponent)
}
