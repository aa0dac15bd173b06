//! The doors of what a root is asked for: plan and list requests, take answers in, give requests up.

use axum::extract::State;
use base::{Result, Time, id::kind};
use http_kit::{Admin, Caller, ErrorReply, Failure, Items, Json, Paging, PathId, Reply, ZoneRouter};
use proof::x509::pem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{AuthorityBody, Doors, tenant_of};
use crate::{
    error,
    exchange::{RootRequest, RootResponse},
    model::parse_authority_reason,
    service::{Accepted, Requested, RootOrder},
};

pub(super) fn routes_of() -> ZoneRouter<Admin, Doors> {
    ZoneRouter::new().routes(routes!(requests, ask)).routes(routes!(accept)).routes(routes!(abandon))
}

/// An authority that is to be withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Withdrawal {
    /// `ca_…`; where the authority was lost with a database the id or number of its certificate.
    authority: String,
    /// As for certificates, and `caCompromise`.
    #[schema(example = "caCompromise")]
    reason: String,
}

/// What a root is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewRequest {
    /// The environment, when there are several.
    environment: Option<String>,
    /// The root, `ca_…`, when it is not the one in use.
    root: Option<String>,
    /// The next issuing authority, in place of the one that issues now.
    #[serde(default)]
    issuing: bool,
    /// The root's next revocation list.
    #[serde(default)]
    list: bool,
    /// Authorities that are to be withdrawn; the list comes with them.
    #[serde(default)]
    revoke: Vec<Withdrawal>,
    /// Where the key of a new authority is made: `sealed` or `token`; as the settings say when nobody does.
    keys: Option<String>,
    /// Why, in words, for whoever holds the root's shares.
    #[serde(default)]
    reason: String,
}

/// A request to a root.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RequestBody {
    /// `rreq_…`
    id: String,
    environment: String,
    /// `planned`, `accepted`, `abandoned`
    state: String,
    reason: String,
    asked_by: String,
    #[schema(value_type = String, format = DateTime)]
    planned_at: Time,
    /// When it was answered or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Time>,
    /// The file for whoever holds the root's shares.
    file: RootRequest,
}

impl From<Requested> for RequestBody {
    fn from(one: Requested) -> Self {
        Self {
            id: one.id.to_string(),
            environment: one.file.environment.clone(),
            state: one.state,
            reason: one.file.reason.clone(),
            asked_by: one.asked_by,
            planned_at: one.file.planned_at,
            ended_at: one.ended_at,
            file: one.file,
        }
    }
}

/// Plan what a root is asked for: an issuing authority, its next list, the end of an authority.
#[utoipa::path(post, path = "/api/v1/pki/root-requests", tag = "pki", request_body = NewRequest,
    responses((status = 201, body = inline(Reply<RequestBody>)), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn ask(
    State(doors): State<Doors>,
    caller: Caller,
    Json(body): Json<NewRequest>,
) -> Result<Reply<RequestBody>, Failure> {
    caller.may("pki.init")?;
    let authority = |text: &str| {
        let short: String = text.chars().filter(|letter| !letter.is_control()).take(64).collect();
        text.parse().map_err(|_| error::AUTHORITY_UNKNOWN.error().with("id", short))
    };
    let root = body.root.as_deref().map(authority).transpose()?;
    let revoke = body
        .revoke
        .iter()
        .map(|one| Ok((one.authority.clone(), parse_authority_reason(&one.reason)?)))
        .collect::<Result<Vec<_>>>()?;
    let on_token = match body.keys.as_deref() {
        None => None,
        Some("sealed") => Some(false),
        Some("token") => Some(true),
        Some(_) => {
            return Err(error::ROOT_ORDER
                .at("keys")
                .with("reason", "keys are sealed, or on the token")
                .into());
        }
    };
    let order = RootOrder {
        root,
        on_token,
        environment: body.environment,
        issuing: body.issuing,
        list: body.list,
        revoke,
        reason: body.reason,
    };
    let planned = doors.pki.ask_root(&caller.call, tenant_of(&caller), order).await?;
    Ok(Reply::created(planned.into()))
}

/// What roots were asked for, newest first.
#[utoipa::path(get, path = "/api/v1/pki/root-requests", tag = "pki", params(Paging),
    responses((status = 200, body = inline(Reply<Items<RequestBody>>)), (status = 403, body = ErrorReply)))]
async fn requests(
    State(doors): State<Doors>,
    caller: Caller,
    paging: Paging,
) -> Result<Reply<Items<RequestBody>>, Failure> {
    caller.may("pki.read")?;
    let token = paging.page_token.as_deref();
    let page = doors.pki.root_requests(tenant_of(&caller), paging.limit, token).await?;
    Ok(Reply::ok(page.map(RequestBody::from).into()))
}

/// What a root's answer made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AcceptedBody {
    /// The new authority, which issues from now on.
    issuing: Option<AuthorityBody>,
    /// The root's new revocation list, PEM.
    crl: Option<String>,
    /// Authorities that issue no more and still answer.
    retired: Vec<String>,
    /// Authorities that were withdrawn, with everything that they signed; a lost one by its certificate.
    revoked: Vec<String>,
}

impl From<Accepted> for AcceptedBody {
    fn from(made: Accepted) -> Self {
        Self {
            issuing: made.issuing.map(AuthorityBody::from),
            crl: made.list.map(|der| pem::encode(pem::Label::Crl, &der)),
            retired: made.retired.iter().map(ToString::to_string).collect(),
            revoked: made.revoked,
        }
    }
}

/// Take a root's answer in: the planned bytes under its signature, or nothing.
#[utoipa::path(post, path = "/api/v1/pki/root-requests/accept", tag = "pki", request_body = RootResponse,
    responses((status = 201, body = inline(Reply<AcceptedBody>)), (status = 409, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn accept(
    State(doors): State<Doors>,
    caller: Caller,
    Json(body): Json<RootResponse>,
) -> Result<Reply<AcceptedBody>, Failure> {
    caller.may("pki.init")?;
    let made = doors.pki.accept_root(&caller.call, tenant_of(&caller), &body).await?;
    Ok(Reply::created(made.into()))
}

/// A request that was given up.
#[derive(Debug, Serialize, ToSchema)]
struct AbandonedBody {
    /// `rreq_…`
    id: String,
    /// `abandoned`
    state: &'static str,
}

/// Give an open request up. What it planned counts as revoked, since it may have been signed.
#[utoipa::path(post, path = "/api/v1/pki/root-requests/{id}/abandon", tag = "pki",
    params(("id" = String, Path, description = "`rreq_…`")),
    responses((status = 200, body = inline(Reply<AbandonedBody>)), (status = 409, body = ErrorReply)))]
async fn abandon(
    State(doors): State<Doors>,
    caller: Caller,
    PathId(id): PathId<kind::RootRequest>,
) -> Result<Reply<AbandonedBody>, Failure> {
    caller.may("pki.init")?;
    doors.pki.abandon_root(&caller.call, tenant_of(&caller), id).await?;
    Ok(Reply::ok(AbandonedBody { id: id.to_string(), state: "abandoned" }))
}
