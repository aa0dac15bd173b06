//! The order of the checks (spec verify §2) and what they amount to.
//!
//! recognise → parse → shape → proof → issuer → status → time → schema → holder.
//! Never here: a check that is left out in silence; what was not done is reported as skipped.

use serde_json::Value;

use super::code::{Code, Family, Result};
use super::proofs::{self, check, check_with};
use super::recognise::{self, Carrier, Format, Opened};
use super::report::{Check, IssuerView, Outcome, Report, StatusState, StatusView, SubjectView, Validity};
use super::{CLOCK_SKEW_SECONDS, Context, status_check};
use crate::credential::{self, Version, parse_time};
use crate::json::{self, JsonErrorKind, Limits};

/// Identities of a holder that are compared.
const IDENTITIES_MAX: usize = 50;

pub(super) fn verify(input: &[u8], context: &Context<'_>) -> Report {
    let mut report = Report {
        outcome: Outcome::Invalid,
        valid: false,
        format: None,
        carrier: None,
        issuer: None,
        subject: None,
        fields: Vec::new(),
        validity: Validity::default(),
        status: StatusView { state: StatusState::NotChecked, age: None, list: None, index: None },
        checks: Vec::new(),
        credential: None,
        link: None,
    };
    if let Some(document) = read(input, &mut report) {
        judge(&document, context, &mut report);
        report.credential = Some(document);
    }
    finish(report)
}

/// Recognise and parse.
fn read(input: &[u8], report: &mut Report) -> Option<Value> {
    let (carrier, text) = match recognise::open(input) {
        Ok(Opened::Document(carrier, text)) => (carrier, text),
        Ok(Opened::Link(link)) => {
            report.carrier = Some(Carrier::Photo);
            // No document was seen, so nothing is said of one.
            report.checks.push(check(Code::FormatUnknown, Result::Pass, ""));
            report.checks.push(Check {
                args: vec![link.address().to_owned(), link.host().to_owned()],
                ..check(Code::TokenUnknown, Result::Unknown, "")
            });
            report.link = Some(link);
            return None;
        }
        Err((code, carrier, why)) => {
            report.carrier = carrier;
            report.checks.push(check_with(code, Result::Fail, "", why));
            return None;
        }
    };
    report.carrier = Some(carrier);
    let document = match json::parse(&text, &Limits::default()) {
        Ok(document) => document,
        Err(error) => {
            let place = format!("{}:{}", error.line, error.column);
            let (code, arg) = match error.kind {
                JsonErrorKind::TooLarge { .. } => (Code::FormatTooLarge, place),
                JsonErrorKind::DuplicateKey { name } => (Code::ParseDuplicateKey, name),
                _ => (Code::ParseJson, place),
            };
            report.checks.push(check_with(code, Result::Fail, error.pointer, arg));
            return None;
        }
    };
    if document.get("@context").is_none() && document.get("type").is_none() {
        report.checks.push(check(Code::FormatUnknown, Result::Fail, ""));
        return None;
    }
    report.checks.push(check(Code::FormatUnknown, Result::Pass, ""));
    let parsed = match carrier {
        Carrier::Json => Code::ParseJson,
        Carrier::Png | Carrier::Svg | Carrier::Photo => Code::ParseImage,
        Carrier::Pdf => Code::ParsePdf,
    };
    report.checks.push(check(parsed, Result::Pass, ""));
    Some(document)
}

fn issuer_id(document: &Value) -> Option<&str> {
    let issuer = document.get("issuer")?;
    issuer.as_str().or_else(|| issuer.get("id")?.as_str())
}

fn judge(document: &Value, context: &Context<'_>, report: &mut Report) {
    let findings = credential::check(document);
    report.format = Some(match (findings.version, findings.is_badge) {
        (Version::V1, _) => Format::Vcdm1,
        (Version::V2, true) => Format::OpenBadge3,
        (Version::V2, false) => Format::Vcdm2,
    });
    shape(document, &findings, context, report);
    let shape_broken = !findings.breaches.is_empty();
    let issuer = issuer_id(document);
    let judgement = proofs::judge(document, issuer, context);
    for found in judgement.checks {
        add(report, found);
    }
    pass_shape(report);
    trust(document, issuer, judgement.proven, context, report);
    let expired = time(document, findings.version, context, report);
    if judgement.proven && !expired {
        let mut checks = Vec::new();
        report.status = status_check::ask(document, issuer, context, &mut checks);
        for found in checks {
            add(report, found);
        }
    } else {
        let skipped = check(Code::StatusRevoked, Result::Skipped, "/credentialStatus");
        report.checks.push(skipped);
    }
    schema(document, shape_broken, report);
    holder(document, context, report);
    if judgement.proven {
        report.fields = credential::signed_fields(document);
    }
    report.subject = subject(document);
}

/// Adds a check once per code and place.
fn add(report: &mut Report, found: Check) {
    let known = report.checks.iter().any(|other| other.code == found.code && other.field == found.field);
    if !known {
        report.checks.push(found);
    }
}

fn shape(document: &Value, findings: &credential::Findings, context: &Context<'_>, report: &mut Report) {
    for breach in &findings.breaches {
        let field = breach.pointer.clone();
        add(report, check_with(breach.code, Result::Fail, field.clone(), field));
    }
    if findings.version == Version::V1 {
        let field = "/@context/0";
        add(report, check_with(Code::ShapeContext, Result::Warn, field, "VCDM 1.1"));
    }
    let contexts = document.get("@context").and_then(Value::as_array);
    for (index, address) in contexts.into_iter().flatten().enumerate() {
        if address.is_object() {
            // the signature covers what the names mean, not the names that the document itself invents
            let field = format!("/@context/{index}");
            add(report, check_with(Code::ShapeContext, Result::Warn, field.clone(), field));
        }
        if let Some(address) = address.as_str()
            && !context.contexts.knows(address)
        {
            let field = format!("/@context/{index}");
            add(report, check_with(Code::ShapeContextUnknown, Result::Fail, field, address));
        }
    }
}

/// A pass for the shape, when nothing of it failed.
fn pass_shape(report: &mut Report) {
    let failed = report
        .checks
        .iter()
        .any(|check| check.code.family() == Family::Shape && check.result == Result::Fail);
    if !failed {
        report.checks.push(check(Code::ShapeType, Result::Pass, ""));
    }
}

fn trust(document: &Value, issuer: Option<&str>, proven: bool, context: &Context<'_>, report: &mut Report) {
    const POINTER: &str = "/issuer";
    let Some(id) = issuer else { return };
    let claimed_name =
        document.get("issuer").and_then(|issuer| issuer.get("name")).and_then(words).map(str::to_owned);
    let mut view = IssuerView { id: id.to_owned(), name: None, claimed_name, trusted: false };
    let refusal = if context.require_trust { Result::Fail } else { Result::Warn };
    // An identifier that can have no keys of its own can be anybody's.
    let can_be_known = id.starts_with("did:") || id.starts_with("https://");
    let found = context.trust.find(id).filter(|_| can_be_known);
    let result = match found {
        _ if !proven => check(Code::IssuerUntrusted, Result::Skipped, POINTER),
        None => check(Code::IssuerUntrusted, refusal, POINTER),
        Some(trusted) => {
            let types: Vec<&str> = match document.get("type") {
                Some(Value::String(one)) => vec![one],
                Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            let allowed = trusted.credential_types.is_empty()
                || trusted.credential_types.iter().any(|kind| types.contains(&kind.as_str()));
            view.name = Some(trusted.name.clone());
            view.trusted = allowed;
            if allowed {
                check(Code::IssuerUntrusted, Result::Pass, POINTER)
            } else {
                let arg = types.last().copied().unwrap_or_default();
                check_with(Code::IssuerTypeNotAllowed, refusal, POINTER, arg)
            }
        }
    };
    add(report, result);
    report.issuer = Some(view);
}

/// A text or the text of a language value object (the first of several).
fn words(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(members) => members.get("@value").and_then(Value::as_str),
        Value::Array(items) => items.first().filter(|item| !item.is_array()).and_then(words),
        _ => None,
    }
}

/// True when the document has expired.
fn time(document: &Value, version: Version, context: &Context<'_>, report: &mut Report) -> bool {
    let (from, until) = match version {
        Version::V2 => ("validFrom", "validUntil"),
        Version::V1 => ("issuanceDate", "expirationDate"),
    };
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    report.validity = Validity { from: text(from), until: text(until) };
    let moment = |text: &Option<String>| text.as_deref().and_then(parse_time);
    let start = moment(&report.validity.from);
    let end = moment(&report.validity.until);
    let early = start.is_some_and(|start| start > context.now + CLOCK_SKEW_SECONDS);
    let expired = end.is_some_and(|end| end < context.now);
    if early {
        let arg = report.validity.from.clone().unwrap_or_default();
        add(report, check_with(Code::TimeNotYet, Result::Fail, format!("/{from}"), arg));
    }
    if expired {
        let arg = report.validity.until.clone().unwrap_or_default();
        add(report, check_with(Code::TimeExpired, Result::Fail, format!("/{until}"), arg));
    }
    let malformed =
        report.checks.iter().any(|check| check.code == Code::TimeFormat && check.result == Result::Fail);
    if !early && !expired && !malformed {
        add(report, check(Code::TimeExpired, Result::Pass, format!("/{until}")));
    }
    expired
}

/// The published form of Open Badges is what our own rules check; others are not consulted.
fn schema(document: &Value, shape_broken: bool, report: &mut Report) {
    const POINTER: &str = "/credentialSchema";
    let Some(value) = document.get("credentialSchema") else {
        return;
    };
    let single = std::slice::from_ref(value);
    for (index, item) in value.as_array().map_or(single, Vec::as_slice).iter().enumerate() {
        let pointer = if value.is_array() { format!("{POINTER}/{index}") } else { POINTER.to_owned() };
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
        let ours = id.starts_with("https://purl.imsglobal.org/spec/ob/v3p0/schema/json");
        let found = match (ours, shape_broken) {
            (true, false) => check(Code::SchemaFail, Result::Pass, pointer),
            (true, true) => check(Code::SchemaFail, Result::Skipped, pointer),
            (false, _) => check_with(Code::SchemaUnavailable, Result::Warn, pointer, id),
        };
        add(report, found);
    }
}

fn identities(document: &Value) -> &[Value] {
    let found = document.get("credentialSubject").and_then(|subject| subject.get("identifier"));
    match found {
        Some(Value::Array(items)) => items.get(..IDENTITIES_MAX.min(items.len())).unwrap_or(items),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

fn holder(document: &Value, context: &Context<'_>, report: &mut Report) {
    const POINTER: &str = "/credentialSubject/identifier";
    let Some(known) = context.holder else { return };
    let text = |value: &'_ Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let same = identities(document).iter().any(|identity| {
        if text(identity, "identityType").as_deref() != Some(&known.kind) {
            return false;
        }
        let Some(given) = text(identity, "identityHash") else {
            return false;
        };
        if identity.get("hashed") == Some(&Value::Bool(true)) {
            let salt = text(identity, "salt").unwrap_or_default();
            given == credential::identity_hash(&known.kind, &known.value, &salt)
        } else {
            given.trim().to_lowercase() == known.value.trim().to_lowercase()
        }
    });
    let result = if same { Result::Pass } else { Result::Fail };
    add(report, check(Code::IdentityHashMismatch, result, POINTER));
}

fn subject(document: &Value) -> Option<SubjectView> {
    let value = document.get("credentialSubject")?;
    let first = value.as_array().map_or(Some(value), |items| items.first())?;
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let in_identities = identities(document).iter().find(|identity| {
        text(identity, "identityType").as_deref() == Some("name")
            && identity.get("hashed") == Some(&Value::Bool(false))
    });
    Some(SubjectView {
        id: text(first, "id"),
        name: in_identities
            .and_then(|identity| text(identity, "identityHash"))
            .or_else(|| first.get("name").and_then(words).map(str::to_owned)),
    })
}

/// Sorts the checks into the order of the specification and draws the conclusion.
fn finish(mut report: Report) -> Report {
    report.checks.sort_by_key(|check| stage(check.code.family()));
    let has = |result: Result| report.checks.iter().any(|check| check.result == result);
    report.outcome = if has(Result::Fail) {
        Outcome::Invalid
    } else if has(Result::Unknown) {
        Outcome::Unknown
    } else {
        Outcome::Valid
    };
    report.valid = report.outcome == Outcome::Valid;
    report
}

fn stage(family: Family) -> u8 {
    match family {
        Family::Format => 0,
        Family::Parse => 1,
        Family::Shape => 2,
        Family::Proof | Family::Disclosure => 3,
        Family::Key => 4,
        Family::Issuer => 5,
        Family::Status => 6,
        Family::Time => 7,
        Family::Schema => 8,
        Family::Holder => 9,
        Family::Display => 10,
        Family::Log => 11,
        Family::Token => 12,
    }
}
