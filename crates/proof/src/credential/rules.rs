//! The rules a credential must obey before it is signed and before it is believed (spec credentials §3 and §5).
//!
//! Every breach is reported with its place, not only the first, so that a page can list them all.
//! Never here: the signature, the time of day, anything that needs another document.

use serde_json::{Map, Value};

use super::model::{ACHIEVEMENT_SUBJECT, BADGE, Class, ENDORSEMENT_SUBJECT, Kind};
use super::{CONTEXT_V1, CONTEXT_V2, parse_time};
use crate::json::pointer_step;
use crate::ld::{CONTEXTS_MAX, is_absolute_iri};
use crate::verify::Code;

/// Breaches reported for one document at most.
pub const FINDINGS_MAX: usize = 50;

/// A breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub code: Code,
    /// RFC 6901 pointer to the member concerned.
    pub pointer: String,
    /// What is wrong, for logs.
    pub what: &'static str,
}

/// The data model's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// VCDM 2.0.
    V2,
    /// VCDM 1.1: checked, never issued.
    V1,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The version the first context names, 2.0 when it names none.
    pub version: Version,
    /// Breaches; none means that the document may be signed or believed.
    pub breaches: Vec<Finding>,
    /// The document is an Open Badges 3.0 achievement or endorsement.
    pub is_badge: bool,
}

/// Checks a credential against VCDM and, where its type says so, Open Badges 3.0.
#[must_use]
pub fn check(document: &Value) -> Findings {
    let mut walk = Walk { breaches: Vec::new() };
    let mut findings = Findings { version: Version::V2, breaches: Vec::new(), is_badge: false };
    let Some(members) = document.as_object() else {
        walk.add(Code::ShapeType, "", "a credential is an object");
        findings.breaches = walk.breaches;
        return findings;
    };
    findings.version = walk.contexts(members);
    walk.types(members);
    if let Some(id) = members.get("id")
        && !is_address(id)
    {
        walk.add(Code::ShapeId, "/id", "one absolute address");
    }
    walk.issuer(members);
    for name in ["name", "description"] {
        if members.get(name).is_some_and(|value| !is_words(value)) {
            walk.add(Code::ShapeType, &pointer_step(name), "a text");
        }
    }
    walk.subject(members);
    walk.dates(members, findings.version);
    walk.typed_members(members);
    walk.proof(members);
    findings.is_badge = walk.badge(members);
    findings.breaches = walk.breaches;
    findings
}

fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(is_absolute_iri)
}

/// A text, a language value object, or a list of those.
fn is_words(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Object(members) => {
            members.get("@value").is_some_and(Value::is_string)
                && members.iter().all(|(name, value)| match name.as_str() {
                    "@value" => true,
                    "@language" => value.is_string(),
                    "@direction" => value == "ltr" || value == "rtl",
                    _ => false,
                })
        }
        Value::Array(items) => {
            !items.is_empty() && items.iter().all(|item| !item.is_array() && is_words(item))
        }
        _ => false,
    }
}

fn has_type(members: &Map<String, Value>) -> bool {
    match members.get("type") {
        Some(Value::String(one)) => !one.is_empty(),
        Some(Value::Array(items)) => !items.is_empty() && items.iter().all(Value::is_string),
        _ => false,
    }
}

fn type_contains(members: &Map<String, Value>, wanted: &str) -> bool {
    match members.get("type") {
        Some(Value::String(one)) => one == wanted,
        Some(Value::Array(items)) => items.iter().any(|item| item == wanted),
        _ => false,
    }
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

/// The pointer of an item: lists add the index.
fn item_pointer(pointer: &str, value: &Value, index: usize) -> String {
    if value.is_array() { format!("{pointer}/{index}") } else { pointer.to_owned() }
}

struct Walk {
    breaches: Vec<Finding>,
}

impl Walk {
    fn add(&mut self, code: Code, pointer: &str, what: &'static str) {
        let known = self.breaches.iter().any(|breach| breach.code == code && breach.pointer == pointer);
        if !known && self.breaches.len() < FINDINGS_MAX {
            self.breaches.push(Finding { code, pointer: pointer.to_owned(), what });
        }
    }

    fn contexts(&mut self, members: &Map<String, Value>) -> Version {
        let Some(Value::Array(contexts)) = members.get("@context") else {
            self.add(Code::ShapeContext, "/@context", "an ordered list");
            return Version::V2;
        };
        if contexts.len() > CONTEXTS_MAX {
            self.add(Code::ShapeContext, "/@context", "too many");
        }
        for (index, context) in contexts.iter().enumerate() {
            if !context.is_object() && !is_address(context) {
                let pointer = format!("/@context/{index}");
                self.add(Code::ShapeContext, &pointer, "an address or an object");
            }
        }
        match contexts.first().and_then(Value::as_str) {
            Some(CONTEXT_V2) => Version::V2,
            Some(CONTEXT_V1) => Version::V1,
            _ => {
                self.add(Code::ShapeContext, "/@context/0", "the data model's context");
                Version::V2
            }
        }
    }

    fn types(&mut self, members: &Map<String, Value>) {
        if !has_type(members) || !type_contains(members, "VerifiableCredential") {
            self.add(Code::ShapeType, "/type", "VerifiableCredential");
        }
    }

    fn issuer(&mut self, members: &Map<String, Value>) {
        match members.get("issuer") {
            Some(Value::String(id)) if is_absolute_iri(id) => {}
            Some(Value::Object(issuer)) => {
                if !issuer.get("id").is_some_and(is_address) {
                    self.add(Code::ShapeIssuer, "/issuer/id", "an absolute address");
                }
                for name in ["name", "description"] {
                    if issuer.get(name).is_some_and(|value| !is_words(value)) {
                        let pointer = format!("/issuer/{name}");
                        self.add(Code::ShapeIssuer, &pointer, "a text");
                    }
                }
            }
            _ => self.add(Code::ShapeIssuer, "/issuer", "an address or an object"),
        }
    }

    fn subject(&mut self, members: &Map<String, Value>) {
        const NAME: &str = "/credentialSubject";
        let Some(value) = members.get("credentialSubject") else {
            return self.add(Code::ShapeSubject, NAME, "required");
        };
        if items(value).is_empty() {
            self.add(Code::ShapeSubject, NAME, "not empty");
        }
        for (index, item) in items(value).iter().enumerate() {
            let pointer = item_pointer(NAME, value, index);
            match item.as_object() {
                Some(subject) if !subject.is_empty() => {
                    if subject.get("id").is_some_and(|id| !is_address(id)) {
                        let pointer = format!("{pointer}/id");
                        self.add(Code::ShapeSubject, &pointer, "an absolute address");
                    }
                }
                _ => self.add(Code::ShapeSubject, &pointer, "an object with members"),
            }
        }
    }

    fn dates(&mut self, members: &Map<String, Value>, version: Version) {
        let (from, until) = match version {
            Version::V2 => ("validFrom", "validUntil"),
            Version::V1 => ("issuanceDate", "expirationDate"),
        };
        let mut read = |name: &str| -> Option<i64> {
            let value = members.get(name)?;
            let moment = value.as_str().and_then(parse_time);
            if moment.is_none() {
                self.add(Code::TimeFormat, &pointer_step(name), "date, time and offset");
            }
            moment
        };
        let (start, end) = (read(from), read(until));
        if version == Version::V1 && !members.contains_key(from) {
            self.add(Code::ShapeDates, &pointer_step(from), "required");
        }
        if let (Some(start), Some(end)) = (start, end)
            && start > end
        {
            self.add(Code::ShapeDates, &pointer_step(until), "before its start");
        }
    }

    /// Members whose objects need a `type` each.
    fn typed_members(&mut self, members: &Map<String, Value>) {
        for (name, code, id_required) in [
            ("credentialStatus", Code::ShapeStatus, false),
            ("credentialSchema", Code::ShapeSchemaRef, true),
            ("evidence", Code::ShapeEvidence, false),
            ("termsOfUse", Code::ShapeType, false),
            ("refreshService", Code::ShapeType, false),
            ("renderMethod", Code::ShapeType, false),
        ] {
            let Some(value) = members.get(name) else {
                continue;
            };
            for (index, item) in items(value).iter().enumerate() {
                let pointer = item_pointer(&pointer_step(name), value, index);
                let Some(object) = item.as_object() else {
                    self.add(code, &pointer, "an object");
                    continue;
                };
                if !has_type(object) {
                    self.add(code, &format!("{pointer}/type"), "required");
                }
                match object.get("id") {
                    Some(id) if !is_address(id) => {
                        self.add(code, &format!("{pointer}/id"), "an absolute address");
                    }
                    None if id_required => self.add(code, &format!("{pointer}/id"), "required"),
                    _ => {}
                }
            }
        }
    }

    fn proof(&mut self, members: &Map<String, Value>) {
        let Some(value) = members.get("proof") else {
            return;
        };
        if items(value).iter().any(|item| !item.is_object()) {
            self.add(Code::ShapeType, "/proof", "an object or a list of objects");
        }
    }

    /// Open Badges 3.0; false when the type is another.
    fn badge(&mut self, members: &Map<String, Value>) -> bool {
        let achievement =
            type_contains(members, "OpenBadgeCredential") || type_contains(members, "AchievementCredential");
        let endorsement = type_contains(members, "EndorsementCredential");
        if !achievement && !endorsement {
            return false;
        }
        let has_context =
            members.get("@context").and_then(|contexts| contexts.get(1)).and_then(Value::as_str).is_some_and(
                |address| {
                    address.starts_with("https://purl.imsglobal.org/spec/ob/v3p0/context")
                        && address.ends_with(".json")
                },
            );
        if !has_context {
            self.add(Code::ShapeContext, "/@context/1", "the Open Badges context");
        }
        let dated = members.contains_key("validFrom") || members.contains_key("issuanceDate");
        if !dated {
            self.add(Code::ShapeDates, "/validFrom", "required");
        }
        self.members(&BADGE, members, "");
        let class = if achievement { &ACHIEVEMENT_SUBJECT } else { &ENDORSEMENT_SUBJECT };
        if let Some(subject) = members.get("credentialSubject") {
            self.value(Kind::Node(class), subject, "/credentialSubject");
            let named = subject.get("id").is_some() || subject.get("identifier").is_some();
            if achievement && !named {
                let what = "an id or an identifier";
                self.add(Code::ShapeSubject, "/credentialSubject/id", what);
            }
        }
        if endorsement && !members.contains_key("name") {
            self.add(Code::ShapeType, "/name", "required");
        }
        let several = members.get("credentialStatus").is_some_and(|status| items(status).len() > 1);
        if several {
            self.add(Code::ShapeStatus, "/credentialStatus", "one at most");
        }
        true
    }

    fn members(&mut self, class: &Class, members: &Map<String, Value>, pointer: &str) {
        for member in class.members {
            let pointer = format!("{pointer}/{}", member.name);
            match members.get(member.name) {
                None if member.required => self.add(code_for(&pointer), &pointer, "required"),
                None => {}
                Some(value) if member.many => {
                    if items(value).is_empty() {
                        self.add(code_for(&pointer), &pointer, "not empty");
                    }
                    for (index, item) in items(value).iter().enumerate() {
                        self.value(member.kind, item, &item_pointer(&pointer, value, index));
                    }
                }
                Some(value) => self.value(member.kind, value, &pointer),
            }
        }
    }

    fn value(&mut self, kind: Kind, value: &Value, pointer: &str) {
        let wrong = match kind {
            Kind::Text => (!value.is_string()).then_some("a text"),
            Kind::Uri => (!is_address(value)).then_some("an absolute address"),
            Kind::Number => (!value.is_number()).then_some("a number"),
            Kind::Bool => (!value.is_boolean()).then_some("true or false"),
            Kind::Time => value.as_str().and_then(parse_time).is_none().then_some("date, time and offset"),
            Kind::Choice(allowed, extensible) => {
                let fits = value
                    .as_str()
                    .is_some_and(|text| allowed.contains(&text) || (extensible && text.starts_with("ext:")));
                (!fits).then_some("one of the known values")
            }
            Kind::NodeOrUri(_) if value.is_string() => (!is_address(value)).then_some("an absolute address"),
            Kind::Node(class) | Kind::NodeOrUri(class) => {
                return self.node(class, value, pointer);
            }
        };
        if let Some(what) = wrong {
            let code = if matches!(kind, Kind::Time) { Code::TimeFormat } else { code_for(pointer) };
            self.add(code, pointer, what);
        }
    }

    fn node(&mut self, class: &Class, value: &Value, pointer: &str) {
        let Some(members) = value.as_object() else {
            return self.add(code_for(pointer), pointer, "an object");
        };
        if let Some(name) = class.name
            && !type_contains(members, name)
        {
            let pointer = format!("{pointer}/type");
            self.add(code_for(&pointer), &pointer, name);
        }
        self.members(class, members, pointer);
    }
}

/// Which code a breach has is decided by the part of the document it lies in.
fn code_for(pointer: &str) -> Code {
    if pointer.starts_with("/issuer") {
        Code::ShapeIssuer
    } else if pointer.starts_with("/credentialSubject") {
        Code::ShapeSubject
    } else if pointer.starts_with("/evidence") {
        Code::ShapeEvidence
    } else if pointer == "/id" {
        Code::ShapeId
    } else {
        Code::ShapeType
    }
}
