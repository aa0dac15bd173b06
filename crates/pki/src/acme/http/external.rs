//! The administrators' doors of external keys.

use axum::extract::State;
use base::{Result, Time, id::kind};
use http_kit::{Admin, Caller, ErrorReply, Failure, Items, Json, Paging, PathId, Reply, Rules, ZoneRouter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::super::{
    model::ExternalKey,
    service::{Acme, NewExternalKey},
};

/// The permission to let strangers' programs in.
const PERMISSION: &str = "pki.external_keys";

/// The routes of the admin zone.
pub(crate) fn external_routes() -> ZoneRouter<Admin, Acme> {
    ZoneRouter::new()
        .routes_with(Rules::write().not_idempotent(), routes!(make, list))
        .routes(routes!(revoke))
}

/// What an external key is to allow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewKey {
    /// The environment, when there are several.
    environment: Option<String>,
    /// Profiles that its accounts may order; those of the settings when none is named.
    #[serde(default)]
    profiles: Vec<String>,
    /// DNS suffixes that its accounts may order; those of the settings when none is named.
    #[serde(default)]
    #[schema(example = json!(["dev.example"]))]
    dns: Vec<String>,
    /// Networks that its accounts may order; those of the settings when none is named.
    #[serde(default)]
    ip: Vec<String>,
    /// How many accounts it opens.
    #[serde(default = "one")]
    #[schema(example = 1)]
    uses: i64,
    /// For how many days it opens accounts; they stay afterwards.
    #[serde(default = "a_week")]
    #[schema(example = 7)]
    days: i64,
}

const fn one() -> i64 {
    1
}

const fn a_week() -> i64 {
    7
}

/// An external key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeyBody {
    /// `eab_…`: what clients call the key id (`kid`).
    id: String,
    environment: String,
    /// `open`, `used_up`, `expired`, `revoked`
    state: &'static str,
    /// Absent for those of the settings.
    profiles: Option<Vec<String>>,
    /// Absent for those of the settings.
    dns: Option<Vec<String>>,
    /// Absent for those of the settings.
    ip: Option<Vec<String>>,
    /// How many accounts it still opens.
    uses_left: i64,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Time>,
    /// The actor who made it.
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl KeyBody {
    fn of(one: ExternalKey, now: Time) -> Self {
        Self {
            id: one.id.to_string(),
            state: one.state(now),
            environment: one.environment,
            profiles: one.grant.profiles,
            dns: one.grant.dns,
            ip: one.grant.ip,
            uses_left: one.uses_left,
            expires_at: one.expires_at,
            revoked_at: one.revoked_at,
            made_by: one.made_by,
            created_at: one.created_at,
        }
    }
}

/// An external key with its secret, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MadeKey {
    #[serde(flatten)]
    key: KeyBody,
    /// The shared key, base64url, as clients take it. It is not shown again.
    hmac_key: String,
}

/// Make an external key, with which somebody opens accounts of ACME. Its secret is shown once.
#[utoipa::path(post, path = "/api/v1/pki/external-keys", tag = "pki", request_body = NewKey,
    responses((status = 201, body = inline(Reply<MadeKey>)), (status = 403, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn make(
    State(acme): State<Acme>,
    caller: Caller,
    Json(body): Json<NewKey>,
) -> Result<Reply<MadeKey>, Failure> {
    caller.may(PERMISSION)?;
    let wanted = NewExternalKey {
        environment: body.environment,
        profiles: body.profiles,
        dns: body.dns,
        ip: body.ip,
        uses: body.uses,
        days: body.days,
    };
    let made = acme.make_external_key(&caller.call, wanted).await?;
    let hmac_key = made.secret.expose().clone();
    Ok(Reply::created(MadeKey { key: KeyBody::of(made.key, acme.pki.house.now()), hmac_key }))
}

/// External keys, newest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/pki/external-keys", tag = "pki", params(Paging),
    responses((status = 200, body = inline(Reply<Items<KeyBody>>)), (status = 403, body = ErrorReply)))]
async fn list(
    State(acme): State<Acme>,
    caller: Caller,
    paging: Paging,
) -> Result<Reply<Items<KeyBody>>, Failure> {
    caller.may(PERMISSION)?;
    let now = acme.pki.house.now();
    let page = acme.external_keys(paging.limit, paging.page_token.as_deref()).await?;
    Ok(Reply::ok(page.map(|one| KeyBody::of(one, now)).into()))
}

/// Take an external key back, for good: the accounts that it opened are closed with it.
#[utoipa::path(post, path = "/api/v1/pki/external-keys/{id}/revoke", tag = "pki",
    params(("id" = String, Path, description = "`eab_…`")),
    responses((status = 200, body = inline(Reply<KeyBody>)), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
async fn revoke(
    State(acme): State<Acme>,
    caller: Caller,
    PathId(id): PathId<kind::ExternalKey>,
) -> Result<Reply<KeyBody>, Failure> {
    caller.may(PERMISSION)?;
    let revoked = acme.revoke_external_key(&caller.call, id).await?;
    Ok(Reply::ok(KeyBody::of(revoked, acme.pki.house.now())))
}
