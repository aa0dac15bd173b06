//! Credentials: the rules of VCDM 2.0 and Open Badges 3.0, and a builder for what we issue.
//!
//! One set of rules serves both sides: the issuer refuses to sign what the verifier would refuse to accept.
//! Never here: a signature, a plain e-mail address in a credential, a field no context defines.

mod badge;
mod fields;
mod model;
mod rules;
mod time;

pub use badge::{
    Achievement, Badge, Criteria, Evidence, Identity, Image, Issuer, Recipient, ResultDescription,
    ResultLine, identity_hash,
};
pub use fields::{FIELDS_MAX, Field, signed_fields};
pub use rules::{Finding, Findings, Version, check};
pub use time::parse_time;

/// First context of a VCDM 2.0 credential.
pub const CONTEXT_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// First context of a VCDM 1.1 credential: checked, never issued.
pub const CONTEXT_V1: &str = "https://www.w3.org/2018/credentials/v1";
/// Context of Open Badges 3.0 that we issue with.
pub const CONTEXT_OB3: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";
/// Context that defines the types of 1EdTech's forms, refresh services and revocation lists.
pub const CONTEXT_OB3_EXTENSIONS: &str = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json";
/// The form that Open Badges publishes for achievement credentials.
pub const SCHEMA_OB3: &str =
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json";
