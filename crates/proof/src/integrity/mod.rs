//! Data Integrity proofs (W3C VC Data Integrity 1.0): what is hashed, what is signed, what is checked.
//!
//! Signing takes three steps, because the key lives elsewhere: [`prepare`] says which 64 bytes are to be signed,
//! somebody signs them, [`finish`] puts the signature in. [`verify_proof`] repeats the first and checks.
//! Never here: a secret key, a proof over a document of which a part is not covered (see [`crate::ld`]).

mod skeleton;

pub use skeleton::Skeleton;

use serde_json::{Map, Value};

use crate::canon::{self, CanonError};
use crate::crypto::{self, PublicKey};
use crate::ld::{self, Contexts, LdError};

/// Proofs that one document may carry.
pub const PROOFS_MAX: usize = 16;

/// The cryptographic suites, by their names in `cryptosuite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// `eddsa-rdfc-2022`: RDFC-1.0, SHA-256, Ed25519. Our default.
    EddsaRdfc2022,
    /// `eddsa-jcs-2022`: RFC 8785, SHA-256, Ed25519.
    EddsaJcs2022,
    /// `ecdsa-rdfc-2019` with P-256: RDFC-1.0, SHA-256, ECDSA.
    EcdsaRdfc2019,
    /// `eddsa-2022`: the earlier name of `eddsa-rdfc-2022`. Checked, never made.
    Eddsa2022,
    /// The proof type `Ed25519Signature2020`. Checked, never made.
    Ed25519Signature2020,
}

impl Suite {
    /// The suite of a proof, by its `type` and `cryptosuite`.
    #[must_use]
    pub fn of(proof: &Value) -> Option<Self> {
        let text = |name: &str| proof.get(name).and_then(Value::as_str);
        match (text("type")?, text("cryptosuite")) {
            ("DataIntegrityProof", Some("eddsa-rdfc-2022")) => Some(Self::EddsaRdfc2022),
            ("DataIntegrityProof", Some("eddsa-jcs-2022")) => Some(Self::EddsaJcs2022),
            ("DataIntegrityProof", Some("ecdsa-rdfc-2019")) => Some(Self::EcdsaRdfc2019),
            ("DataIntegrityProof", Some("eddsa-2022")) => Some(Self::Eddsa2022),
            ("Ed25519Signature2020", _) => Some(Self::Ed25519Signature2020),
            _ => None,
        }
    }

    /// The name in `cryptosuite`; the type for suites that have none.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EcdsaRdfc2019 => "ecdsa-rdfc-2019",
            Self::Eddsa2022 => "eddsa-2022",
            Self::Ed25519Signature2020 => "Ed25519Signature2020",
        }
    }

    /// True for suites that are only accepted with a warning.
    #[must_use]
    pub fn is_legacy(self) -> bool {
        matches!(self, Self::Eddsa2022 | Self::Ed25519Signature2020)
    }

    fn fits(self, key: &PublicKey) -> bool {
        matches!(
            (self, key),
            (Self::EcdsaRdfc2019, PublicKey::P256(_))
                | (
                    Self::EddsaRdfc2022 | Self::EddsaJcs2022 | Self::Eddsa2022 | Self::Ed25519Signature2020,
                    PublicKey::Ed25519(_)
                )
        )
    }
}

/// What a proof says besides its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofOptions {
    /// The suite.
    pub suite: Suite,
    /// `verificationMethod`: address of the key.
    pub verification_method: String,
    /// `proofPurpose`: `assertionMethod` for credentials.
    pub proof_purpose: String,
    /// `created`: RFC 3339 with offset, whole seconds.
    pub created: String,
    /// `expires`: RFC 3339 with offset.
    pub expires: Option<String>,
    /// `domain`.
    pub domain: Option<String>,
    /// `challenge`.
    pub challenge: Option<String>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `id` of the proof itself: an address.
    pub id: Option<String>,
    /// `previousProof`: ids of proofs of the document that this one confirms.
    pub previous_proof: Vec<String>,
}

impl ProofOptions {
    /// A credential's proof: `eddsa-rdfc-2022`, purpose `assertionMethod`.
    #[must_use]
    pub fn assertion(verification_method: impl Into<String>, created: impl Into<String>) -> Self {
        Self {
            suite: Suite::EddsaRdfc2022,
            verification_method: verification_method.into(),
            proof_purpose: "assertionMethod".into(),
            created: created.into(),
            expires: None,
            domain: None,
            challenge: None,
            nonce: None,
            id: None,
            previous_proof: Vec::new(),
        }
    }

    /// The proof as JSON, without `proofValue` (and without `@context`).
    fn to_proof(&self) -> Map<String, Value> {
        let mut proof = Map::new();
        let mut put = |name: &str, value: &str| {
            proof.insert(name.to_owned(), Value::String(value.to_owned()));
        };
        put("type", "DataIntegrityProof");
        put("cryptosuite", self.suite.name());
        put("created", &self.created);
        put("verificationMethod", &self.verification_method);
        put("proofPurpose", &self.proof_purpose);
        for (name, value) in [
            ("id", &self.id),
            ("expires", &self.expires),
            ("domain", &self.domain),
            ("challenge", &self.challenge),
            ("nonce", &self.nonce),
        ] {
            if let Some(value) = value {
                put(name, value);
            }
        }
        match self.previous_proof.as_slice() {
            [] => {}
            [one] => put("previousProof", one),
            several => {
                let several = several.iter().cloned().map(Value::String).collect();
                proof.insert("previousProof".into(), Value::Array(several));
            }
        }
        proof
    }
}

/// What is to be signed, and the proof that waits for the signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Hash of the proof's options, then hash of the document: exactly these bytes are signed.
    pub hash_data: [u8; 64],
    /// The proof without `proofValue`.
    pub proof: Value,
}

/// Why a proof cannot be made or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The document or proof has parts that a signature would not cover, or unknown contexts.
    #[error(transparent)]
    Ld(#[from] LdError),
    /// The document has no RFC 8785 form.
    #[error(transparent)]
    Canon(#[from] CanonError),
    /// Document or proof have the wrong form at this pointer.
    #[error("{pointer}: {what}")]
    Form {
        /// RFC 6901 pointer.
        pointer: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A suite that is not known here, or may not be used for making proofs.
    #[error("the suite is not accepted")]
    Suite,
    /// `previousProof` names no proof of the document.
    #[error("the proof confirms another proof that is not there")]
    PreviousProof,
    /// Key and suite do not belong together.
    #[error("the key is not of the suite's kind")]
    KeyKind,
    /// `proofValue` is no signature of the suite's form.
    #[error("the proof value is malformed")]
    ProofValue,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
}

fn form(pointer: &str, what: &'static str) -> Problem {
    Problem::Form { pointer: pointer.to_owned(), what }
}

/// Says what has to be signed to secure a document, with the bundled contexts.
///
/// # Errors
/// [`Problem`]: nothing that is only partly covered gets as far as a signature.
pub fn prepare(document: &Value, options: &ProofOptions) -> Result<Prepared, Problem> {
    prepare_with(document, options, Contexts::bundled())
}

/// [`prepare`] with a set of contexts of the caller's.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with(
    document: &Value,
    options: &ProofOptions,
    contexts: &Contexts,
) -> Result<Prepared, Problem> {
    if options.suite.is_legacy() {
        return Err(Problem::Suite);
    }
    let members = document.as_object().ok_or_else(|| form("", "a document is an object"))?;
    let mut proof = options.to_proof();
    if options.suite == Suite::EddsaJcs2022
        && let Some(context) = members.get("@context")
    {
        proof.insert("@context".into(), context.clone());
    }
    let proof = Value::Object(proof);
    let hash_data = hash_data(members, &proof, contexts, &ld::Options::default())?;
    Ok(Prepared { hash_data, proof })
}

/// Puts the signature over [`Prepared::hash_data`] in: the secured document. A proof the document already has stays.
#[must_use]
pub fn finish(document: &Value, prepared: Prepared, signature: &[u8]) -> Value {
    let mut document = document.clone();
    let mut proof = prepared.proof;
    if let Some(members) = proof.as_object_mut() {
        let value = crypto::multibase_base58(signature);
        members.insert("proofValue".into(), Value::String(value));
    }
    if let Some(members) = document.as_object_mut() {
        let all = match members.remove("proof") {
            None => proof,
            Some(Value::Array(mut earlier)) => {
                earlier.push(proof);
                Value::Array(earlier)
            }
            Some(earlier) => Value::Array(vec![earlier, proof]),
        };
        members.insert("proof".into(), all);
    }
    document
}

/// The proofs of a document: its `proof`, one or a list.
///
/// # Errors
/// [`Problem::Form`] when `proof` is something else or longer than [`PROOFS_MAX`].
pub fn proofs(document: &Value) -> Result<&[Value], Problem> {
    let found = match document.get("proof") {
        None => &[],
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    if found.len() > PROOFS_MAX {
        return Err(form("/proof", "too many proofs"));
    }
    if found.iter().any(|proof| !proof.is_object()) {
        return Err(form("/proof", "a proof is an object"));
    }
    Ok(found)
}

/// Checks one proof of a document with a key. `document` may still carry its proofs; they are needed for chains.
///
/// # Errors
/// [`Problem`]; [`Problem::Signature`] when everything is well formed and the signature does not hold.
pub fn verify_proof(
    document: &Value,
    proof: &Value,
    key: &PublicKey,
    contexts: &Contexts,
) -> Result<(), Problem> {
    let suite = Suite::of(proof).ok_or(Problem::Suite)?;
    let members = document.as_object().ok_or_else(|| form("", "a document is an object"))?;
    let text = proof
        .get("proofValue")
        .and_then(Value::as_str)
        .filter(|text| text.starts_with('z'))
        .ok_or(Problem::ProofValue)?;
    let signature = crypto::multibase_decode(text).map_err(|_| Problem::ProofValue)?;
    let signature: [u8; 64] = signature.try_into().map_err(|_| Problem::ProofValue)?;
    if !suite.fits(key) {
        return Err(Problem::KeyKind);
    }
    let options = ld::Options { inline_contexts: true, ..ld::Options::default() };
    let hash_data = hash_data(members, proof, contexts, &options)?;
    key.verify(&hash_data, &signature).map_err(|_| Problem::Signature)
}

/// The 64 bytes that a proof signs (vc-di-eddsa §3.2.4, §3.3.4): hash of the options, hash of the document.
fn hash_data(
    document: &Map<String, Value>,
    proof: &Value,
    contexts: &Contexts,
    options: &ld::Options,
) -> Result<[u8; 64], Problem> {
    let suite = Suite::of(proof).ok_or(Problem::Suite)?;
    let unsecured = unsecured(document, proof)?;
    let (config, document) = if suite == Suite::EddsaJcs2022 {
        jcs_forms(unsecured, proof)?
    } else {
        let config = rdfc_config(document, proof);
        (
            ld::canonical_document(&config, contexts, options).map_err(in_proof)?,
            ld::canonical_document(&unsecured, contexts, options)?,
        )
    };
    Ok(join(crypto::sha256(config.as_bytes()), crypto::sha256(document.as_bytes())))
}

fn in_proof(error: LdError) -> LdError {
    if error.pointer.starts_with("/@context") { error } else { error.inside("proof") }
}

fn join(config: [u8; 32], document: [u8; 32]) -> [u8; 64] {
    let mut joined = [0; 64];
    let (front, back) = joined.split_at_mut(32);
    front.copy_from_slice(&config);
    back.copy_from_slice(&document);
    joined
}

/// The document without proofs, or with those that this proof confirms.
fn unsecured(document: &Map<String, Value>, proof: &Value) -> Result<Value, Problem> {
    let mut copy: Map<String, Value> = document
        .iter()
        .filter(|(name, _)| *name != "proof")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let wanted: Vec<&str> = match proof.get("previousProof") {
        None => return Ok(Value::Object(copy)),
        Some(Value::String(id)) => vec![id],
        Some(Value::Array(ids)) => {
            ids.iter().map(|id| id.as_str().ok_or(Problem::PreviousProof)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(Problem::PreviousProof),
    };
    let single;
    let existing: &[Value] = match document.get("proof") {
        None => &[],
        Some(Value::Array(items)) => items,
        Some(one) => {
            single = std::slice::from_ref(one);
            single
        }
    };
    let mut confirmed = Vec::new();
    for id in wanted {
        let found = existing
            .iter()
            .find(|other| other.get("id").and_then(Value::as_str) == Some(id))
            .ok_or(Problem::PreviousProof)?;
        confirmed.push(found.clone());
    }
    copy.insert("proof".into(), Value::Array(confirmed));
    Ok(Value::Object(copy))
}

/// The proof's options as a document of their own, in the document's context.
pub(crate) fn rdfc_config(document: &Map<String, Value>, proof: &Value) -> Value {
    let mut config: Map<String, Value> = proof.as_object().cloned().unwrap_or_default();
    config.remove("proofValue");
    if let Some(context) = document.get("@context") {
        config.insert("@context".into(), context.clone());
    }
    Value::Object(config)
}

/// vc-di-eddsa §3.3: RFC 8785 of options and document, the latter under the proof's context.
fn jcs_forms(mut unsecured: Value, proof: &Value) -> Result<(String, String), Problem> {
    let mut config: Map<String, Value> = proof.as_object().cloned().unwrap_or_default();
    config.remove("proofValue");
    if let Some(context) = config.get("@context") {
        let given = unsecured.get("@context").unwrap_or(&Value::Null);
        if !starts_with(given, context) {
            return Err(form("/proof/@context", "the proof's contexts are not those of the document"));
        }
        if let Some(members) = unsecured.as_object_mut() {
            members.insert("@context".into(), context.clone());
        }
    }
    Ok((canon::canonicalize(&Value::Object(config))?, canon::canonicalize(&unsecured)?))
}

fn starts_with(all: &Value, front: &Value) -> bool {
    let list = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        single => vec![single.clone()],
    };
    list(all).starts_with(&list(front))
}
