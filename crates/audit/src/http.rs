//! The doors of the evidence log: checkpoints and tiles for everybody, proofs and the search for those who may.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base::{
    Id, Page, PageToken, Result, Time,
    id::kind::{Credential, Event, Tenant},
};
use events::{Log, Recorded, Search};
use http_kit::{Admin, Caller, ErrorReply, Failure, Items, Listed, Paging, Public, Reply, Rules, ZoneRouter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::{error, model::LogReport, service::Audit};

/// The self-audit of a large log takes a while.
const VERIFY_WITHIN: std::time::Duration = std::time::Duration::from_secs(600);

/// What every listener's strangers may read: checkpoints of all logs, tiles of `cred` and `ca`.
pub fn public_routes(audit: Audit) -> ZoneRouter<Public> {
    ZoneRouter::new()
        .page("/log/{log}/checkpoint", Rules::read().open_to_every_origin(), get(checkpoint))
        .page("/log/{log}/vkey", Rules::read().open_to_every_origin(), get(vkey))
        .page("/log/cred/tile/{*path}", Rules::read().open_to_every_origin(), get(cred_tile))
        .page("/log/ca/tile/{*path}", Rules::read().open_to_every_origin(), get(ca_tile))
        .with_state(audit)
}

/// What administrators and auditors may read.
pub fn admin_routes(audit: Audit) -> ZoneRouter<Admin> {
    routes_of().with_state(audit)
}

fn routes_of() -> ZoneRouter<Admin, Audit> {
    ZoneRouter::new()
        .page("/log/{log}/checkpoint", Rules::read(), get(checkpoint))
        .page("/log/{log}/vkey", Rules::read(), get(vkey))
        .page("/log/{log}/tile/{*path}", Rules::read(), get(any_tile))
        .routes(routes!(search))
        .routes(routes!(prove))
        .routes_with(Rules::heavy().answer_within(VERIFY_WITHIN), routes!(verify))
}

fn bytes(media: &'static str, cache: &'static str, body: Vec<u8>) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn log_named(name: &str) -> Result<Log> {
    Log::parse(name).ok_or_else(|| error::LOG_NOT_FOUND.error())
}

/// C2SP tlog-tiles: the newest signed checkpoint, fresh for a second.
async fn checkpoint(State(audit): State<Audit>, Path(log): Path<String>) -> Result<Response, Failure> {
    let head = audit.head(log_named(&log)?).await?;
    let note = head.checkpoint.ok_or_else(|| error::NOT_MERGED.error().retry_after(1))?;
    Ok(bytes("text/plain; charset=utf-8", "public, max-age=1", note))
}

/// The keys that sign the log, one vkey a line (C2SP signed-note).
async fn vkey(State(audit): State<Audit>, Path(log): Path<String>) -> Result<Response, Failure> {
    let log = log_named(&log)?;
    let head = audit.head(log).await?;
    let keys = audit.verifiers(log, &head.origin).await?;
    let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
    Ok(bytes("text/plain; charset=utf-8", "public, max-age=300", text.into_bytes()))
}

async fn cred_tile(State(audit): State<Audit>, Path(path): Path<String>) -> Result<Response, Failure> {
    public_tile(&audit, Log::Cred, &path).await
}

async fn ca_tile(State(audit): State<Audit>, Path(path): Path<String>) -> Result<Response, Failure> {
    public_tile(&audit, Log::Ca, &path).await
}

async fn public_tile(audit: &Audit, log: Log, path: &str) -> Result<Response, Failure> {
    let tile = audit.tile(log, &format!("tile/{path}")).await?;
    Ok(bytes("application/octet-stream", "public, max-age=31536000, immutable", tile))
}

async fn any_tile(
    State(audit): State<Audit>,
    caller: Caller,
    Path((log, path)): Path<(String, String)>,
) -> Result<Response, Failure> {
    caller.may_see("log.verify")?;
    let tile = audit.tile(log_named(&log)?, &format!("tile/{path}")).await?;
    Ok(bytes("application/octet-stream", "private, max-age=3600", tile))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SearchQuery {
    /// `ten_…`; the house itself when nothing is named and the caller stands above the tenants
    tenant: Option<String>,
    /// Who did it: `user_…`, `key_…`
    actor: Option<String>,
    /// The thing it is about: `cred_…`, `per_…`
    resource: Option<String>,
    /// `corr_…`
    correlation_id: Option<String>,
    /// Not before (RFC 3339)
    from: Option<String>,
    /// Before (RFC 3339)
    to: Option<String>,
}

/// A record of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditRecord {
    /// `evt_…`
    id: String,
    /// The log it stands in.
    log: String,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Time,
    #[schema(example = "credential.revoked")]
    event_type: String,
    /// `user`, `institution`, `system`, `anonymous`
    actor_type: String,
    actor_id: String,
    resource_type: String,
    resource_id: String,
    #[schema(example = "revoke")]
    action: String,
    /// The public part of the fact.
    #[schema(value_type = Object)]
    details: Value,
    ip_address: Option<String>,
    user_agent: Option<String>,
    correlation_id: String,
}

/// Search the audit trail, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(SearchQuery, Paging),
    responses((status = 200, body = inline(Reply<Items<AuditRecord>>)), (status = 403, body = ErrorReply)))]
async fn search(
    State(audit): State<Audit>,
    caller: Caller,
    Listed(query, paging): Listed<SearchQuery>,
) -> Result<Reply<Items<AuditRecord>>, Failure> {
    caller.may("audit.read")?;
    let named: Option<Id<Tenant>> = query.tenant.as_deref().map(str::parse).transpose()?;
    let tenant = match (caller.tenant, named) {
        (Some(own), Some(named)) if own != named => return Err(http_kit::error::NOT_FOUND.error().into()),
        (Some(own), _) => own,
        (None, named) => named.unwrap_or(Id::NIL),
    };
    let moment = |text: &Option<String>, field: &str, default: Time| match text {
        None => Ok(default),
        Some(text) => Time::parse(text).ok_or_else(|| error::TIME.at(field)),
    };
    let from = moment(&query.from, "from", Time::EPOCH)?;
    let to = moment(&query.to, "to", Time::LATEST)?;
    let before = match paging.page_token.as_deref() {
        None => None,
        Some(text) => PageToken::decode(text, 1)?.0.first().map(|id| id.parse()).transpose()?,
    };
    let limit = paging.limit;
    let (actor, resource, correlation) = (
        query.actor.unwrap_or_default(),
        query.resource.unwrap_or_default(),
        query.correlation_id.unwrap_or_default(),
    );
    let found = audit
        .house
        .db
        .read("audit.search", move |rx| {
            let wanted = Search {
                tenant,
                actor: &actor,
                resource: &resource,
                correlation: &correlation,
                from,
                to,
                before,
                limit: limit + 1,
            };
            events::search(rx, &wanted)
        })
        .await?;
    let page: Page<Recorded> = Page::cut(found, limit, |fact| PageToken(vec![fact.id.to_string()]));
    Ok(Reply::ok(page.map(|fact| record(&audit, fact)).into()))
}

fn record(audit: &Audit, fact: Recorded) -> AuditRecord {
    let origin = audit.origin_of(&fact);
    let text = |name: &str| origin.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let action = events::FACT_TYPES.iter().find(|kind| kind.name == fact.kind).map_or("", |kind| kind.action);
    AuditRecord {
        id: fact.id.to_string(),
        ip_address: text("ipAddress"),
        user_agent: text("userAgent"),
        log: fact.log,
        timestamp: fact.time,
        action: action.to_owned(),
        event_type: fact.kind,
        actor_type: fact.actor_kind,
        actor_id: fact.actor_id,
        resource_type: fact.resource_type,
        resource_id: fact.resource_id,
        details: fact.payload,
        correlation_id: fact.correlation,
    }
}

/// The proof that a fact, or the issuing of a credential, stands in its log (C2SP tlog-proof).
#[utoipa::path(get, path = "/api/v1/audit/proof/{id}", tag = "audit",
    params(("id" = String, Path, description = "`evt_…` or `cred_…`")),
    responses((status = 200, content_type = "text/plain", body = String), (status = 404, body = ErrorReply), (status = 503, body = ErrorReply)))]
async fn prove(
    State(audit): State<Audit>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let unknown = || error::RECORD_NOT_FOUND.error().with("id", &id);
    let proof = match id.parse::<Id<Event>>() {
        Ok(fact) => audit.prove(fact).await?,
        Err(_) => {
            let credential: Id<Credential> = id.parse().map_err(|_| unknown())?;
            audit.prove_issued(caller.tenant, credential).await?
        }
    };
    Ok(bytes("text/plain; charset=utf-8", "no-store", proof))
}

/// What the self-audit found.
#[derive(Debug, Serialize, ToSchema)]
struct Reports {
    logs: Vec<LogReport>,
}

/// Compute every log again: leaves from facts, tiles from leaves, roots under checkpoints.
#[utoipa::path(post, path = "/api/v1/log/verify", operation_id = "verify_log", tag = "audit",
    responses((status = 200, body = inline(Reply<Reports>)), (status = 403, body = ErrorReply)))]
async fn verify(State(audit): State<Audit>, caller: Caller) -> Result<Reply<Reports>, Failure> {
    caller.may("log.verify")?;
    let mut logs = Vec::new();
    for log in Log::ALL {
        logs.push(audit.verify(log).await?);
    }
    Ok(Reply::ok(Reports { logs }))
}

/// The contract of this room's routes.
pub fn contract() -> utoipa::openapi::OpenApi {
    routes_of().contract().clone()
}
