//! One key on the token: made there, and its signatures verified before anybody sees them.

use std::time::Instant;

use aws_lc_rs::{
    digest,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey},
};
use base::{Id, Result, id::kind::SigningKey};
use cryptoki::{
    mechanism::Mechanism,
    object::{Attribute, AttributeType, ObjectClass},
};
use proof::crypto::PublicKey;

use super::{
    fault::Fault,
    pool::{Hand, names},
};
use crate::{error, signature::Signature, signing::Algorithm};

/// The curve P-256 as `CKA_EC_PARAMS` names it: OBJECT IDENTIFIER 1.2.840.10045.3.1.7.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// The curve P-384: OBJECT IDENTIFIER 1.3.132.0.34.
const P384: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// What the house knows of a key on the token.
pub(crate) struct TokenKey {
    pub(super) id: Id<SigningKey>,
    pub(super) algorithm: Algorithm,
    pub(super) public: PublicKey,
    verifier: ParsedPublicKey,
}

impl TokenKey {
    /// The key with this id and public half.
    ///
    /// # Errors
    /// `KEYS_TOKEN_ALGORITHM`.
    pub(crate) fn new(id: Id<SigningKey>, algorithm: Algorithm, public: PublicKey) -> Result<Self> {
        let verifier = match &public {
            PublicKey::P256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point),
            PublicKey::P384(point) => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point),
            PublicKey::Ed25519(_) => return Err(unsuited(algorithm)),
        };
        let verifier = verifier.map_err(|e| error::SIGN.error().with("key", id).because(e))?;
        Ok(Self { id, algorithm, public, verifier })
    }
}

/// No key of this algorithm can live on a token.
fn unsuited(algorithm: Algorithm) -> base::Error {
    error::TOKEN_ALGORITHM.error().with("algorithm", algorithm.name())
}

/// Signs messages one after the other, each signature verified with the key that the house knows.
pub(super) fn sign(hand: &Hand<'_>, key: &TokenKey, messages: &[Vec<u8>]) -> Result<Vec<Signature>, Fault> {
    let hash = if key.algorithm == Algorithm::P384 { &digest::SHA384 } else { &digest::SHA256 };
    let private = hand.private(key)?;
    let mut signatures = Vec::with_capacity(messages.len());
    for message in messages {
        let began = Instant::now();
        let digest = digest::digest(hash, message);
        let bytes = hand.session.sign(&Mechanism::Ecdsa, private, digest.as_ref())?;
        let signature = Signature::new(key.algorithm, &bytes).map_err(Fault::Broken)?;
        key.verifier
            .verify_digest_sig(&digest, signature.bytes())
            // Looked at once more on a new link, since a device may also stumble.
            .map_err(|e| Fault::Lost(error::TOKEN_KEY_MISMATCH.because(e).with("key", key.id)))?;
        hand.figures().sign_seconds.observe(base::telemetry::seconds(began.elapsed()));
        signatures.push(signature);
    }
    Ok(signatures)
}

/// Makes a key on the token: it signs, and never leaves.
pub(super) fn generate(
    hand: &Hand<'_>,
    id: Id<SigningKey>,
    algorithm: Algorithm,
) -> Result<PublicKey, Fault> {
    let curve = match algorithm {
        Algorithm::P256 => P256.to_vec(),
        Algorithm::P384 => P384.to_vec(),
        Algorithm::Ed25519 => return Err(unsuited(algorithm).into()),
    };
    // What a try before this one may have left when the token was lost in its middle.
    destroy(hand, id)?;
    let both = names(id).to_vec();
    let public = [
        both.clone(),
        vec![
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(curve),
        ],
    ];
    let private = [
        both,
        vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Derive(false),
        ],
    ];
    let (public, private) =
        hand.session.generate_key_pair(&Mechanism::EccKeyPairGen, &public.concat(), &private.concat())?;
    let kept =
        hand.session.get_attributes(private, &[AttributeType::Extractable, AttributeType::Sensitive])?;
    if !kept.contains(&Attribute::Extractable(false)) || !kept.contains(&Attribute::Sensitive(true)) {
        destroy(hand, id)?;
        return Err(error::TOKEN_EXTRACTABLE.error().into());
    }
    let point = hand.point(public)?.unwrap_or_default();
    Ok(algorithm.public(&point)?)
}

/// Destroys a key on the token, both halves, as far as they are there.
pub(super) fn destroy(hand: &Hand<'_>, id: Id<SigningKey>) -> Result<(), Fault> {
    for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
        for object in hand.find(id, class)? {
            hand.session.destroy_object(object)?;
        }
    }
    Ok(())
}
