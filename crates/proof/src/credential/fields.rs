//! The signed fields of a credential, flat: what a page shows beside the picture.
//!
//! Every value the signature covers is listed, so that nothing a picture shows can stand without its signed value.
//! Never here: contexts, proofs.

use serde_json::Value;

use crate::json::pointer_step;

/// Fields listed at most.
pub const FIELDS_MAX: usize = 2_000;

/// One signed value.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Field {
    /// RFC 6901 pointer.
    pub pointer: String,
    /// Key of the label in a catalogue: a short one for what diplomas show (`recipient.name`, `achievement.name`,
    /// `result.value` …), else the member names joined by dots.
    pub label: String,
    /// The value: text, number, true or false.
    pub value: Value,
}

/// Every signed value, in the document's order.
#[must_use]
pub fn signed_fields(document: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    if let Some(members) = document.as_object() {
        for (name, value) in members {
            if name != "@context" && name != "proof" {
                collect(value, &pointer_step(name), name, &mut fields);
            }
        }
    }
    for field in &mut fields {
        field.label = label(document, field);
    }
    fields
}

fn collect(value: &Value, pointer: &str, path: &str, fields: &mut Vec<Field>) {
    if fields.len() >= FIELDS_MAX {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name != "@context" {
                    let pointer = format!("{pointer}{}", pointer_step(name));
                    collect(value, &pointer, &format!("{path}.{name}"), fields);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{pointer}/{index}"), path, fields);
            }
        }
        leaf => {
            fields.push(Field { pointer: pointer.to_owned(), label: path.to_owned(), value: leaf.clone() })
        }
    }
}

fn label(document: &Value, field: &Field) -> String {
    let short = match field.label.as_str() {
        "issuer.name" => "issuer.name",
        "validFrom" | "issuanceDate" => "validFrom",
        "validUntil" | "expirationDate" => "validUntil",
        "awardedDate" => "awardedDate",
        "name" => "credential.name",
        "description" => "credential.description",
        "credentialSubject.achievement.name" => "achievement.name",
        "credentialSubject.achievement.description" => "achievement.description",
        "credentialSubject.achievement.achievementType" => "achievement.type",
        "credentialSubject.achievement.fieldOfStudy" => "achievement.fieldOfStudy",
        "credentialSubject.achievement.specialization" => "achievement.specialization",
        "credentialSubject.achievement.criteria.narrative" => "achievement.criteria",
        "credentialSubject.result.value" => "result.value",
        "credentialSubject.result.status" => "result.status",
        "credentialSubject.creditsEarned" => "creditsEarned",
        "credentialSubject.licenseNumber" => "licenseNumber",
        "credentialSubject.activityStartDate" => "activityStartDate",
        "credentialSubject.activityEndDate" => "activityEndDate",
        "credentialSubject.identifier.identityHash" => return identity_label(document, field),
        other => other,
    };
    short.to_owned()
}

/// `recipient.name` for a name in the clear, `recipient.emailAddress` and so on for the others.
fn identity_label(document: &Value, field: &Field) -> String {
    let kind = field
        .pointer
        .rsplit_once('/')
        .and_then(|(parent, _)| document.pointer(parent))
        .and_then(|identity| identity.get("identityType"))
        .and_then(Value::as_str)
        .unwrap_or("identity");
    format!("recipient.{kind}")
}
