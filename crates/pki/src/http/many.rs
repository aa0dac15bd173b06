//! The door of mass revocation: one batch at a time, with a preview.

use axum::extract::State;
use base::{Result, Time};
use http_kit::{Admin, Caller, ErrorReply, Failure, Json, Reply, ZoneRouter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Doors, tenant_of};
use crate::{
    error,
    model::parse_reason,
    service::{Batch, Selection},
};

pub(super) fn routes_of() -> ZoneRouter<Admin, Doors> {
    ZoneRouter::new().routes(routes!(revoke_many))
}

/// Many certificates that are to be revoked; one of the three ways to say which.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Revocations {
    /// All that this authority signed: `ca_…`.
    authority: Option<String>,
    /// All with this key: SHA-256 of the SubjectPublicKeyInfo, hexadecimal.
    spki_sha256: Option<String>,
    /// These, by serial number or `cert_…`; at most 500.
    certificates: Option<Vec<String>>,
    /// As for one certificate.
    #[schema(example = "superseded")]
    reason: String,
    /// Since when they were not to be trusted (RFC 3339).
    invalid_since: Option<String>,
    /// Say how many are meant, and revoke none.
    #[serde(default)]
    preview: bool,
}

impl Revocations {
    fn selection(&mut self) -> Result<Selection> {
        let short = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(64).collect() };
        match (self.authority.take(), self.spki_sha256.take(), self.certificates.take()) {
            (Some(authority), None, None) => {
                let unknown = || error::AUTHORITY_UNKNOWN.error().with("id", short(&authority));
                authority.parse().map(Selection::Of).map_err(|_| unknown())
            }
            (None, Some(key), None) => {
                let digest = crate::service::digest(&key);
                digest.map(Selection::WithKey).ok_or_else(|| error::SELECTION.at("spkiSha256"))
            }
            (None, None, Some(names)) => Ok(Selection::These(names)),
            _ => Err(error::SELECTION.at("authority")),
        }
    }
}

/// What a batch did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BatchBody {
    /// Certificates in force that were meant before this batch.
    matched: u64,
    /// Those that this batch revoked, with those that share a compromised key.
    revoked: u64,
    /// Those that are meant and still in force: ask again until there are none.
    left: u64,
    /// Names that no certificate of a service has.
    unknown: Vec<String>,
}

/// Revoke a batch of many certificates, for good: ask again until none is left. Each has its own record.
#[utoipa::path(post, path = "/api/v1/pki/revocations", tag = "pki", request_body = Revocations,
    responses((status = 200, body = inline(Reply<BatchBody>)), (status = 404, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn revoke_many(
    State(doors): State<Doors>,
    caller: Caller,
    Json(mut body): Json<Revocations>,
) -> Result<Reply<BatchBody>, Failure> {
    caller.may("pki.revoke")?;
    let (selection, reason) = (body.selection()?, parse_reason(&body.reason)?);
    let since = match &body.invalid_since {
        None => None,
        Some(text) => Some(Time::parse(text).ok_or_else(|| error::MOMENT.at("invalidSince"))?),
    };
    let (pki, tenant) = (&doors.pki, tenant_of(&caller));
    let done = pki.revoke_many(&caller.call, tenant, selection, reason, since, body.preview).await?;
    let Batch { matched, revoked, left, unknown } = done;
    Ok(Reply::ok(BatchBody { matched, revoked, left, unknown }))
}
