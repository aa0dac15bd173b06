//! Documents that our own keys signed: what a forger would begin with.
//!
//! The keys are made of fixed seeds, so the papers are the same in every run. Nobody but this file signs with them: whatever
//! else a verifier takes for signed is forged.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use proof::credential::{
    Achievement, Badge, Criteria, Identity, Issuer, Recipient, ResultDescription, ResultLine,
};
use proof::crypto::PublicKey;
use proof::did;
use proof::integrity::{self, ProofOptions, Suite};
use proof::note::{self, KeyKind, SignatureLine, VerifierKey};
use proof::status::{self, BitString, Entry, ListDescription};
use serde_json::Value;

/// The issuer whose keys stand in a document at its address.
pub const DID_WEB: &str = "did:web:uni.example";
/// The status list of the papers.
pub const LIST: &str = "https://uni.example/status/k3v9";
/// The name on the papers.
pub const NAME: &str = "Inês \"Nini\" de Sá";
/// The moment at which papers are judged: November 2026.
pub const NOW: i64 = 1_795_000_000;

/// A key that signs.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// A key from a seed of one repeated byte.
    pub fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("any 32 bytes are a seed"))
    }

    /// Its public half.
    pub fn public(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().expect("an Ed25519 key has 32 bytes")
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().expect("an Ed25519 signature has 64 bytes")
    }

    /// A document with this key's proof.
    pub fn secure(&self, document: &Value, issuer: &str, suite: Suite) -> Value {
        let method = format!("{issuer}#{}", PublicKey::Ed25519(self.public()).to_multikey());
        let options = ProofOptions { suite, ..ProofOptions::assertion(method, "2026-07-20T09:00:00Z") };
        let prepared = integrity::prepare(document, &options).expect("a paper can be signed");
        let signature = self.sign(&prepared.hash_data);
        integrity::finish(document, prepared, &signature)
    }

    /// This key under a name, for notes.
    pub fn note_key(&self, name: &str, kind: KeyKind) -> VerifierKey {
        VerifierKey::new(name, kind, self.public()).expect("a name of ours")
    }

    /// A log's signature below a note.
    pub fn sign_note(&self, name: &str, text: &str) -> SignatureLine {
        let signature = self.sign(&note::to_sign(text).expect("a text of ours"));
        line(&self.note_key(name, KeyKind::Ed25519), signature.to_vec())
    }

    /// A witness's signature below a note.
    pub fn cosign_note(&self, name: &str, text: &str, time: u64) -> SignatureLine {
        let signature = self.sign(&note::cosignature_message(time, text).expect("a text of ours"));
        line(&self.note_key(name, KeyKind::CosignatureEd25519), note::cosignature_body(time, &signature))
    }
}

fn line(key: &VerifierKey, signature: Vec<u8>) -> SignatureLine {
    SignatureLine { name: key.name().to_owned(), key_id: key.id(), signature }
}

/// A diploma as it is signed, without its proof.
pub fn diploma(issuer: &str, status: Option<Entry>) -> Value {
    let base = "https://uni.example/achievements/lei";
    let badge = Badge {
        id: "urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff".into(),
        name: "Licenciatura em Engenharia Informática".into(),
        issuer: Issuer { id: issuer.into(), name: "Universidade Exemplo".into(), ..Issuer::default() },
        valid_from: "2026-07-20T00:00:00Z".into(),
        valid_until: Some("2036-07-20T00:00:00Z".into()),
        recipient: Recipient {
            id: None,
            name: Some(NAME.into()),
            identities: vec![Identity::Hashed {
                kind: "emailAddress".into(),
                value: "ines@uni.example".into(),
                salt: "5f0c".repeat(8),
            }],
        },
        achievement: Achievement {
            id: base.into(),
            name: "Licenciatura em Engenharia Informática".into(),
            description: "Três anos.".into(),
            criteria: Criteria { id: None, narrative: Some("180 ECTS.".into()) },
            result_descriptions: vec![ResultDescription {
                id: format!("{base}#final"),
                name: "Classificação final".into(),
                result_type: "RawScore".into(),
                value_min: Some("0".into()),
                value_max: Some("20".into()),
                ..ResultDescription::default()
            }],
            ..Achievement::default()
        },
        results: vec![ResultLine {
            description: Some(format!("{base}#final")),
            value: Some("17".into()),
            status: None,
        }],
        status,
        ..Badge::default()
    };
    badge.to_json().expect("a diploma keeps the rules")
}

/// Everything the issuer of the papers ever signed: diplomas of each suite and with each kind of issuer, and the list.
pub fn signed() -> Vec<Value> {
    let key = Signer::new(7);
    let did_key = did::did_key(&PublicKey::Ed25519(key.public()));
    let entry =
        |index| Entry { list: LIST.into(), index, purpose: "revocation".into(), index_was_number: false };
    vec![
        key.secure(&diploma(&did_key, None), &did_key, Suite::EddsaRdfc2022),
        key.secure(&diploma(&did_key, None), &did_key, Suite::EddsaJcs2022),
        key.secure(&diploma(DID_WEB, Some(entry(94_567))), DID_WEB, Suite::EddsaRdfc2022),
        key.secure(&diploma(DID_WEB, Some(entry(3))), DID_WEB, Suite::EddsaRdfc2022),
        status_list(),
    ]
}

/// The signed list of the papers, on which entry 3 is revoked.
pub fn status_list() -> Value {
    let mut bits = BitString::new(0).expect("the smallest list");
    bits.set(3, true).expect("within the list");
    let description = ListDescription {
        address: LIST.into(),
        issuer: DID_WEB.into(),
        purpose: "revocation".into(),
        valid_from: "2026-07-01T00:00:00Z".into(),
        valid_until: None,
        ttl_ms: Some(300_000),
    };
    let list = status::build_list(&description, &bits).expect("a list can be packed");
    Signer::new(7).secure(&list, DID_WEB, Suite::EddsaRdfc2022)
}

/// The document at the issuer's address.
pub fn key_document() -> Value {
    let key = PublicKey::Ed25519(Signer::new(7).public());
    let fragment = key.to_multikey();
    did::build_document(
        DID_WEB,
        &[did::DocumentKey { fragment, key, revoked: None, authentication: false }],
        &[],
        &[],
    )
}
