//! The checks of signatures and of the keys behind them (spec verify §2, families proof and key).
//!
//! Used for the document itself and for the status list it points to.
//! Never here: trust. A key that belongs to its issuer says nothing yet about who the issuer is.

use serde_json::Value;

use super::code::{Code, Result};
use super::report::Check;
use super::resolve::Answer;
use super::{CLOCK_SKEW_SECONDS, Context};
use crate::credential::parse_time;
use crate::crypto::PublicKey;
use crate::did::{self, ControllerDocument, NoKey};
use crate::integrity::{self, Problem, Suite};
use crate::ld::{self, LdError, LdErrorKind};

/// What the proofs of one document amount to.
pub(super) struct Judgement {
    pub checks: Vec<Check>,
    /// Every proof that is understood holds, and one of them is by the issuer.
    pub proven: bool,
    /// A key could not be had: nothing speaks against the document, nothing for it.
    pub undecided: bool,
}

pub(super) fn check(code: Code, result: Result, field: impl Into<String>) -> Check {
    Check { code, result, field: Some(field.into()).filter(|field| !field.is_empty()), args: Vec::new() }
}

pub(super) fn check_with(
    code: Code,
    result: Result,
    field: impl Into<String>,
    arg: impl Into<String>,
) -> Check {
    Check { args: vec![arg.into()], ..check(code, result, field) }
}

/// Whose key it is, in relation to the issuer.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Whose {
    Issuer,
    /// Somebody else's, while the issuer's identifier could have keys of its own.
    Other,
    /// The issuer's identifier is of a kind that cannot have keys.
    Unrelated,
}

/// Checks every proof of a document.
pub(super) fn judge(document: &Value, issuer: Option<&str>, context: &Context<'_>) -> Judgement {
    let mut judgement = Judgement { checks: Vec::new(), proven: false, undecided: false };
    let proofs = match integrity::proofs(document) {
        Ok(proofs) => proofs,
        Err(_) => {
            let wrong = check_with(Code::ShapeType, Result::Fail, "/proof", "/proof");
            judgement.checks.push(wrong);
            return judgement;
        }
    };
    if proofs.is_empty() {
        judgement.checks.push(check(Code::ProofMissing, Result::Fail, "/proof"));
        meaning(document, context, &mut judgement.checks);
        return judgement;
    }
    let is_list = document.get("proof").is_some_and(Value::is_array);
    let mut whose = Vec::new();
    let (mut understood, mut unknown) = (0, Vec::new());
    let mut all_hold = true;
    for (index, proof) in proofs.iter().enumerate() {
        let pointer = if is_list { format!("/proof/{index}") } else { "/proof".to_owned() };
        let Some(suite) = Suite::of(proof) else {
            unknown.push((pointer, proof));
            continue;
        };
        understood += 1;
        let one = One { document, proof, suite, pointer, issuer, context };
        match one.judge(&mut judgement.checks) {
            Verdict::Holds(by) => whose.push((by, one.pointer.clone())),
            Verdict::Undecided => {
                judgement.undecided = true;
                all_hold = false;
            }
            Verdict::Fails => all_hold = false,
        }
    }
    for (pointer, proof) in unknown {
        unknown_proof(document, proof, &pointer, understood > 0, context, &mut judgement.checks);
    }
    if understood == 0 {
        meaning(document, context, &mut judgement.checks);
        all_hold = false;
    }
    let by_issuer = whose.iter().any(|(by, _)| *by != Whose::Other);
    for (by, pointer) in whose {
        let field = format!("{pointer}/verificationMethod");
        let result = match by {
            Whose::Issuer => Result::Pass,
            Whose::Unrelated => Result::Warn,
            Whose::Other if by_issuer => Result::Warn,
            Whose::Other => Result::Fail,
        };
        let arg = issuer.unwrap_or_default();
        judgement.checks.push(check_with(Code::KeyWrongController, result, field, arg));
    }
    let failed = judgement.checks.iter().any(|c| c.result == Result::Fail);
    judgement.proven = all_hold && by_issuer && !failed;
    judgement
}

/// A document whose proofs are not computed is still asked for its meaning, so that undefined fields are named.
fn meaning(document: &Value, context: &Context<'_>, checks: &mut Vec<Check>) {
    let mut bare = document.clone();
    if let Some(members) = bare.as_object_mut() {
        members.remove("proof");
    }
    let options = ld::Options { inline_contexts: true, ..ld::Options::default() };
    if let Err(error) = ld::to_rdf(&bare, context.contexts, &options) {
        checks.push(of_ld(&error, ""));
    }
}

/// A proof of unknown type: its terms must at least be defined.
fn unknown_proof(
    document: &Value,
    proof: &Value,
    pointer: &str,
    others: bool,
    context: &Context<'_>,
    checks: &mut Vec<Check>,
) {
    let name = ["cryptosuite", "type"]
        .iter()
        .find_map(|member| proof.get(*member).and_then(Value::as_str))
        .unwrap_or("?");
    let result = if others { Result::Warn } else { Result::Fail };
    checks.push(check_with(Code::ProofSuiteUnknown, result, pointer, name));
    if let Some(members) = document.as_object() {
        let config = integrity::rdfc_config(members, proof);
        let options = ld::Options { inline_contexts: true, ..ld::Options::default() };
        if let Err(error) = ld::to_rdf(&config, context.contexts, &options) {
            checks.push(of_ld(&error, pointer));
        }
    }
}

enum Verdict {
    Holds(Whose),
    Undecided,
    Fails,
}

struct One<'p> {
    document: &'p Value,
    proof: &'p Value,
    suite: Suite,
    pointer: String,
    issuer: Option<&'p str>,
    context: &'p Context<'p>,
}

impl One<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.proof.get(name).and_then(Value::as_str)
    }

    fn field(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }

    fn judge(&self, checks: &mut Vec<Check>) -> Verdict {
        let before = checks.len();
        if self.suite.is_legacy() {
            let name = self.suite.name();
            checks.push(check_with(Code::ProofSuiteLegacy, Result::Warn, &*self.pointer, name));
        }
        self.purpose(checks);
        self.times(checks);
        let key = self.key(checks);
        let verdict = match key {
            Key::Found(key, whose) => self.signature(&key, whose, checks),
            Key::Unreachable => {
                checks.push(check(Code::ProofValue, Result::Unknown, &*self.pointer));
                Verdict::Undecided
            }
            Key::Refused => {
                checks.push(check(Code::ProofValue, Result::Skipped, &*self.pointer));
                meaning(self.document, self.context, checks);
                Verdict::Fails
            }
        };
        let failed =
            checks.get(before..).is_some_and(|new| new.iter().any(|check| check.result == Result::Fail));
        if failed { Verdict::Fails } else { verdict }
    }

    fn purpose(&self, checks: &mut Vec<Check>) {
        let purpose = self.text("proofPurpose").unwrap_or("—");
        if purpose != "assertionMethod" {
            let field = self.field("proofPurpose");
            checks.push(check_with(Code::ProofPurpose, Result::Fail, field, purpose));
        }
        for (wanted, name, code) in [
            (self.context.domain, "domain", Code::ProofDomain),
            (self.context.challenge, "challenge", Code::ProofChallenge),
        ] {
            let Some(wanted) = wanted else { continue };
            let same = match self.proof.get(name) {
                Some(Value::String(given)) => given == wanted,
                Some(Value::Array(items)) => items.iter().any(|item| item == wanted),
                _ => false,
            };
            if !same {
                checks.push(check(code, Result::Fail, self.field(name)));
            }
        }
    }

    fn times(&self, checks: &mut Vec<Check>) {
        let mut read = |name: &str| {
            let value = self.proof.get(name)?;
            let moment = value.as_str().and_then(parse_time);
            if moment.is_none() {
                let field = self.field(name);
                checks.push(check_with(Code::TimeFormat, Result::Fail, field.clone(), field));
            }
            moment
        };
        let (created, expires) = (read("created"), read("expires"));
        if created.is_some_and(|created| created > self.context.now + CLOCK_SKEW_SECONDS) {
            let arg = self.text("created").unwrap_or_default();
            let field = self.field("created");
            checks.push(check_with(Code::ProofCreatedFuture, Result::Fail, field, arg));
        }
        if expires.is_some_and(|expires| expires < self.context.now) {
            let arg = self.text("expires").unwrap_or_default();
            let field = self.field("expires");
            checks.push(check_with(Code::ProofExpired, Result::Fail, field, arg));
        }
    }

    fn key(&self, checks: &mut Vec<Check>) -> Key {
        let field = self.field("verificationMethod");
        let Some(method) = self.text("verificationMethod") else {
            checks.push(check_with(Code::KeyUnresolved, Result::Fail, field, "—"));
            return Key::Refused;
        };
        let address = did::without_fragment(method);
        let document = if address.starts_with("did:key:") {
            ControllerDocument::of_did_key(method)
        } else if did::did_web_url(address).is_ok() || address.starts_with("https://") {
            match self.context.resolver.key_document(address) {
                Answer::Found { bytes, .. } => ControllerDocument::parse(&bytes, address),
                Answer::NotFound | Answer::Unreachable => {
                    checks.push(check_with(Code::KeyUnresolved, Result::Unknown, field, address));
                    return Key::Unreachable;
                }
            }
        } else {
            checks.push(check_with(Code::KeyUnresolved, Result::Fail, field, method));
            return Key::Refused;
        };
        let Ok(document) = document else {
            checks.push(check_with(Code::KeyUnresolved, Result::Fail, field, method));
            return Key::Refused;
        };
        // A did:key may be named without its fragment: there is only one key it can mean.
        let id = if address.starts_with("did:key:") {
            document.methods().first().map_or(method, |one| &one.id)
        } else {
            method
        };
        let (found, key) = match document.method(id, "assertionMethod") {
            Ok(found) => found,
            Err(NoKey::NotListed) => {
                checks.push(check_with(Code::KeyNotListed, Result::Fail, field, method));
                return Key::Refused;
            }
            Err(NoKey::UnknownKind) => {
                checks.push(check_with(Code::ProofSuiteUnknown, Result::Fail, field, method));
                return Key::Refused;
            }
        };
        let ended = [&found.revoked, &found.expires]
            .into_iter()
            .flatten()
            .find(|moment| parse_time(moment).is_none_or(|moment| moment <= self.context.now));
        if let Some(moment) = ended {
            let arg = moment.as_str();
            checks.push(check_with(Code::KeyRevoked, Result::Fail, field, arg));
        }
        Key::Found(key, self.whose(&document.id, &found.controller))
    }

    fn whose(&self, document: &str, controller: &str) -> Whose {
        match self.issuer {
            Some(issuer) if issuer == controller && document == controller => Whose::Issuer,
            Some(issuer) if issuer.starts_with("did:") || issuer.starts_with("https://") => Whose::Other,
            _ => Whose::Unrelated,
        }
    }

    fn signature(&self, key: &PublicKey, whose: Whose, checks: &mut Vec<Check>) -> Verdict {
        let outcome = integrity::verify_proof(self.document, self.proof, key, self.context.contexts);
        let field = self.field("proofValue");
        let problem = match outcome {
            Ok(()) => {
                checks.push(check(Code::ProofValue, Result::Pass, field));
                return Verdict::Holds(whose);
            }
            Err(problem) => problem,
        };
        checks.push(match problem {
            Problem::Ld(error) => {
                let mut found = of_ld(&error, "");
                // the options stand in the proof; its place in a list is known here
                if let Some(rest) = error.pointer.strip_prefix("/proof") {
                    found.field = Some(format!("{}{rest}", self.pointer));
                }
                found
            }
            Problem::PreviousProof => check(Code::ProofChain, Result::Fail, self.field("previousProof")),
            Problem::Suite => {
                let name = self.suite.name();
                check_with(Code::ProofSuiteUnknown, Result::Fail, field, name)
            }
            Problem::Form { pointer, .. } => {
                check_with(Code::ShapeContext, Result::Fail, pointer.clone(), pointer)
            }
            Problem::Canon(error) => check_with(Code::ProofTooComplex, Result::Fail, "", error.to_string()),
            Problem::KeyKind | Problem::ProofValue | Problem::Signature => {
                check(Code::ProofValue, Result::Fail, field)
            }
        });
        Verdict::Fails
    }
}

enum Key {
    Found(PublicKey, Whose),
    Unreachable,
    Refused,
}

/// The check that a JSON-LD error stands for. `base` is put before the place.
pub(super) fn of_ld(error: &LdError, base: &str) -> Check {
    let field = format!("{base}{}", error.pointer);
    let (code, arg) = match &error.kind {
        LdErrorKind::ContextUnknown(address) => (Code::ShapeContextUnknown, address.clone()),
        LdErrorKind::ContextInline | LdErrorKind::ContextInvalid(_) | LdErrorKind::Hidden(_) => {
            (Code::ShapeContext, field.clone())
        }
        LdErrorKind::Limit(what) => (Code::ProofTooComplex, (*what).to_owned()),
        LdErrorKind::UndefinedTerm(_) | LdErrorKind::RelativeIri(_) | LdErrorKind::Dropped(_) => {
            (Code::ShapeUndefinedTerm, field.clone())
        }
        LdErrorKind::Invalid(_) => (Code::ShapeType, field.clone()),
    };
    check_with(code, Result::Fail, field, arg)
}
