//! From a checked row to the Open Badges 3.0 document that will be signed.

use base::{Chance, Result};
use keys::SigningKeyInfo;
use proof::{
    credential::{Achievement, Badge, Criteria, Finding, Identity, Issuer, Recipient, ResultLine},
    did,
    status::Entry,
};
use serde_json::Value;

use crate::{error, rules::Order, template::Template};

/// Everything a document is made of.
pub(crate) struct Parts<'a> {
    pub(crate) tenant: &'a identity::Tenant,
    pub(crate) public_url: &'a str,
    pub(crate) template: &'a Template,
    pub(crate) order: &'a Order,
    pub(crate) status: Entry,
}

/// The document, complete but for its proof. Its id is random and says nothing about the house.
///
/// # Errors
/// `CREDENTIAL_DOCUMENT` when it would break a rule of VCDM 2.0 or Open Badges 3.0.
pub(crate) fn build(parts: &Parts<'_>, chance: &dyn Chance) -> Result<Value> {
    let order = parts.order;
    let day = format!("{}T00:00:00Z", order.date);
    let achievement_id = format!("{}/achievements/{}", parts.public_url, slug(parts, order));
    let identities = order.email.iter().map(|address| Identity::Hashed {
        kind: "emailAddress".to_owned(),
        value: address.clone(),
        salt: chance.handle(),
    });
    let badge = Badge {
        id: format!("urn:uuid:{}", random_uuid(chance)),
        name: order.degree.clone(),
        issuer: Issuer { id: parts.tenant.did.clone(), name: parts.tenant.name.clone(), ..Issuer::default() },
        valid_from: day.clone(),
        awarded_date: Some(day),
        recipient: Recipient {
            id: Some(format!("urn:uuid:{}", random_uuid(chance))),
            name: Some(order.name.clone()),
            identities: identities.collect(),
        },
        achievement: Achievement {
            id: achievement_id,
            name: order.degree.clone(),
            description: order.degree.clone(),
            criteria: Criteria { narrative: Some(order.degree.clone()), ..Criteria::default() },
            achievement_type: Some(parts.template.achievement_type.to_owned()),
            field_of_study: order.field.clone(),
            ..Achievement::default()
        },
        results: order
            .grade
            .iter()
            .map(|grade| ResultLine { value: Some(grade.clone()), ..ResultLine::default() })
            .collect(),
        status: Some(parts.status.clone()),
        ..Badge::default()
    };
    badge.to_json().map_err(|findings| refused(&findings))
}

fn refused(findings: &[Finding]) -> base::Error {
    let reason =
        findings.first().map_or_else(String::new, |first| format!("{} ({})", first.what, first.pointer));
    error::DOCUMENT.error().with("reason", reason)
}

/// A stable name for an achievement of a tenant: all who reach it share it, and it tells no text.
fn slug(parts: &Parts<'_>, order: &Order) -> String {
    let text =
        format!("{}\n{}\n{}", parts.tenant.id, order.degree, order.field.as_deref().unwrap_or_default());
    let digest = proof::crypto::sha256(text.as_bytes());
    base::id::base32(digest.first_chunk::<16>().copied().map_or(0, u128::from_be_bytes))
}

/// A random UUID (version 4).
fn random_uuid(chance: &dyn Chance) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(chance.bytes()).into_uuid()
}

/// The address of a tenant's key: for did:key the key itself, for did:web its id in the document.
pub(crate) fn verification_method(did: &str, key: &SigningKeyInfo) -> String {
    if did.starts_with("did:key:") {
        did::did_key_method(&key.public)
    } else {
        format!("{did}#{}", key.id.bare())
    }
}
