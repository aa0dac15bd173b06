//! Errors in the words of ACME: problem documents (RFC 9457) with the types of RFC 8555 §6.7, RFC 9773 and the draft of
//! profiles. The code of the house and its remedy stand beside them.
//!
//! Never here: an error's source; that is for the log.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use base::{
    Error, Lang,
    error::{Code, Detail},
};
use http_kit::error as door;
use proof::jws::{Algorithm, JwsFault};
use serde_json::{Map, Value, json};

use super::{
    error,
    prober::{ProbeFault, ProbeFaultKind},
};
use crate::error as pki;

const PREFIX: &str = "urn:ietf:params:acme:error:";

/// A type of problem with its HTTP status.
type Kind = (&'static str, u16);

/// The type of every code that a client can meet here. What is not listed is trouble of our own.
static KINDS: &[(&Code, Kind)] = &[
    (&error::MALFORMED, ("malformed", 400)),
    (&error::MEDIA, ("malformed", 415)),
    (&error::NONCE, ("badNonce", 400)),
    (&error::ALGORITHM, ("badSignatureAlgorithm", 400)),
    (&error::KEY, ("badPublicKey", 400)),
    (&error::ACCOUNT_NONE, ("accountDoesNotExist", 400)),
    (&error::ACCOUNT_CLOSED, ("unauthorized", 401)),
    (&error::SIGNATURE, ("malformed", 400)),
    (&error::TERMS, ("userActionRequired", 403)),
    (&error::EXTERNAL_NEEDED, ("externalAccountRequired", 403)),
    (&error::EXTERNAL_REFUSED, ("unauthorized", 403)),
    (&error::CONTACT, ("invalidContact", 400)),
    (&error::CONTACT_SCHEME, ("unsupportedContact", 400)),
    (&error::KEY_TAKEN, ("malformed", 409)),
    (&error::IDENTIFIER_KIND, ("unsupportedIdentifier", 400)),
    (&error::IDENTIFIER, ("rejectedIdentifier", 400)),
    (&error::IDENTIFIERS, ("compound", 400)),
    (&error::PROFILE, ("invalidProfile", 400)),
    (&error::REPLACED, ("alreadyReplaced", 409)),
    (&error::NOT_READY, ("orderNotReady", 403)),
    (&error::CSR_NAMES, ("badCSR", 400)),
    (&error::CSR_KEY, ("badCSR", 400)),
    (&error::CAA, ("caa", 403)),
    (&error::NOTHING, ("malformed", 404)),
    (&error::GIVEN_UP, ("serverInternal", 503)),
    (&error::CLAIMED, ("orderNotReady", 403)),
    (&error::REVOKE_FORBIDDEN, ("unauthorized", 403)),
    (&error::REVOKE_REASON, ("badRevocationReason", 400)),
    (&error::OFTEN, ("rateLimited", 429)),
    (&pki::AUTHORITY_NONE, ("serverInternal", 404)),
    (&pki::AUTHORITY_NEEDED, ("serverInternal", 404)),
    (&pki::PROFILE_UNKNOWN, ("invalidProfile", 400)),
    (&pki::PROFILE_FORBIDDEN, ("invalidProfile", 403)),
    (&pki::NAME_FORBIDDEN, ("rejectedIdentifier", 403)),
    (&pki::WILDCARD, ("rejectedIdentifier", 403)),
    (&pki::CONSTRAINED, ("rejectedIdentifier", 403)),
    (&pki::NAME, ("rejectedIdentifier", 400)),
    (&pki::REQUEST, ("badCSR", 400)),
    (&pki::KEY, ("badCSR", 400)),
    (&pki::KEY_BARRED, ("badCSR", 403)),
    (&pki::LIFETIME, ("malformed", 400)),
    (&pki::DRAFT, ("badCSR", 400)),
    (&pki::LINT, ("badCSR", 400)),
    (&pki::REVOKED, ("alreadyRevoked", 400)),
    (&pki::STATE, ("malformed", 409)),
    (&pki::OF_AUTHORITY, ("unauthorized", 403)),
    (&pki::KEY_TAKEN, ("badCSR", 409)),
    (&pki::USAGE_ARC, ("invalidProfile", 403)),
    (&door::RATE_LIMITED, ("rateLimited", 429)),
    (&door::BODY_TOO_LARGE, ("malformed", 413)),
    (&door::METHOD_NOT_ALLOWED, ("malformed", 405)),
];

fn kind_of(code: &Code) -> Kind {
    let known = KINDS.iter().find(|(known, _)| known.name == code.name);
    known.map_or(("serverInternal", code.kind.status().max(500)), |(_, kind)| *kind)
}

/// What a message of the client's was refused for, as a code of this room.
pub(crate) fn refused_message(fault: JwsFault) -> Error {
    match &fault {
        JwsFault::Algorithm(_) => {
            let known = Algorithm::ALL.map(Algorithm::as_str).join(", ");
            error::ALGORITHM.error().with("reason", &fault).with("known", known)
        }
        JwsFault::Jwk(refusal) => error::KEY.error().with("reason", refusal),
        JwsFault::Signature => error::SIGNATURE.error(),
        _ => error::MALFORMED.error().with("reason", &fault),
    }
}

/// An error as a problem document, with its HTTP status.
pub(crate) fn document(failure: &Error) -> (StatusCode, Value) {
    let (kind, status) = kind_of(failure.code());
    let mut problem = Map::new();
    problem.insert("type".into(), json!(format!("{PREFIX}{kind}")));
    problem.insert(
        "detail".into(),
        json!(format!("{} {}", failure.cause(Lang::En), failure.remedy(Lang::En)).trim_end()),
    );
    problem.insert("status".into(), json!(status));
    problem.insert("code".into(), json!(failure.code().name));
    if kind == "badSignatureAlgorithm" {
        problem.insert("algorithms".into(), json!(Algorithm::ALL.map(Algorithm::as_str)));
    }
    if let Some(identifier) = failure.field().and_then(identifier) {
        problem.insert("identifier".into(), identifier);
    }
    if !failure.details().is_empty() {
        let all: Vec<Value> = failure.details().iter().map(subproblem).collect();
        problem.insert("subproblems".into(), json!(all));
    }
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Value::Object(problem))
}

fn subproblem(detail: &Detail) -> Value {
    let mut problem = json!({
        "type": format!("{PREFIX}{}", kind_of(detail.code).0),
        "detail": detail.message(Lang::En),
        "code": detail.code.name,
    });
    if let (Some(identifier), Some(members)) = (identifier(&detail.field), problem.as_object_mut()) {
        members.insert("identifier".into(), identifier);
    }
    problem
}

/// The identifier that a place names, when it names one.
fn identifier(field: &str) -> Option<Value> {
    let (kind, value) = field.split_once(':')?;
    Some(json!({"type": kind, "value": value}))
}

/// What stands in the headers beside a problem.
pub(crate) fn headers(failure: &Error, headers: &mut HeaderMap) {
    let argument = |name: &str| failure.args().iter().find(|(known, _)| *known == name).map(|(_, text)| text);
    let mut put = |name: HeaderName, text: String| {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.append(name, value);
        }
    };
    if let Some(seconds) = failure.retry_after_seconds() {
        put(header::RETRY_AFTER, seconds.to_string());
    }
    if let Some(location) = argument("location") {
        put(header::LOCATION, location.clone());
    }
    if let Some(terms) = argument("terms") {
        put(header::LINK, format!("<{terms}>;rel=\"terms-of-service\""));
    }
}

/// Why a proof failed, as it stands in a challenge; the word of its type goes into the fact.
pub(crate) fn of_fault(fault: &ProbeFault, identifier: &str) -> (&'static str, Value) {
    let kind = match fault.kind {
        ProbeFaultKind::Connection => "connection",
        ProbeFaultKind::Dns => "dns",
        ProbeFaultKind::IncorrectResponse => "incorrectResponse",
        ProbeFaultKind::Tls => "tls",
        ProbeFaultKind::Unauthorized => "unauthorized",
        ProbeFaultKind::RejectedIdentifier => "rejectedIdentifier",
    };
    (kind, failed(kind, &fault.detail, identifier))
}

/// A proof that failed for another reason than what the probe saw.
pub(crate) fn failed(kind: &str, detail: &str, identifier: &str) -> Value {
    let (word, value) = identifier.split_once(':').unwrap_or(("dns", identifier));
    json!({
        "type": format!("{PREFIX}{kind}"), "detail": detail, "status": 403,
        "identifier": {"type": word, "value": value},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_reasons_are_told_with_the_identifier_of_each() {
        let failure = error::IDENTIFIERS
            .error()
            .detail(error::IDENTIFIER.at("dns:a_.test").with("name", "a_.test").with("reason", "r"))
            .detail(pki::WILDCARD.at("dns:*.a.test").with("name", "*.a.test"));
        let (status, problem) = document(&failure);
        assert_eq!((status.as_u16(), &problem["type"]), (400, &json!("urn:ietf:params:acme:error:compound")));
        let second = &problem["subproblems"][1];
        assert_eq!(second["type"], "urn:ietf:params:acme:error:rejectedIdentifier");
        assert_eq!(second["identifier"], json!({"type": "dns", "value": "*.a.test"}));
        assert_eq!(second["code"], "PKI_WILDCARD_FORBIDDEN");
    }

    #[test]
    fn our_own_trouble_says_nothing_of_our_inside() {
        let failure = base::error::INTERNAL.because(std::io::Error::other("secret path"));
        let (status, problem) = document(&failure);
        assert_eq!(
            (status.as_u16(), &problem["type"]),
            (500, &json!("urn:ietf:params:acme:error:serverInternal"))
        );
        assert!(!problem.to_string().contains("secret path"));
    }

    #[test]
    fn a_refused_algorithm_names_those_that_are_accepted() {
        let failure = refused_message(JwsFault::Algorithm("HS256".to_owned()));
        let (_, problem) = document(&failure);
        assert_eq!(problem["algorithms"], json!(["ES256", "ES384", "EdDSA", "RS256"]));
    }
}
