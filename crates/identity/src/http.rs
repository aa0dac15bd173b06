//! The doors of who is who: entering and leaving, tenants, API keys, forgetting a person, and recognising callers.

use axum::{extract::State, http::HeaderMap};
use base::{Actor, ActorKind, Call, Id, Result, Time, id::kind};
use http_kit::{
    Admin, Authenticate, Boxed, Caller, Context, Credentials, ErrorReply, Failure, Items, Json, Paging,
    PathId, Peer, Permissions, Query, Reply, Rules, ZoneRouter,
    caller::{SESSION_COOKIE, cookie, session_cookie, session_cookie_gone},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::{
    error,
    model::{ApiKey, Tenant},
    rules::{Role, permissions},
    service::Identity,
};

/// Recognises callers; plugged into the door by the roof.
pub struct Entry(pub Identity);

impl Authenticate for Entry {
    fn authenticate<'a>(&'a self, call: &'a Call, credentials: Credentials) -> Boxed<'a, Result<Caller>> {
        Box::pin(self.0.recognise(call, credentials))
    }
}

impl Identity {
    async fn recognise(&self, call: &Call, credentials: Credentials) -> Result<Caller> {
        let unknown = || http_kit::error::UNAUTHENTICATED.error();
        match credentials {
            Credentials::Owner => {
                let mut call = call.clone();
                call.actor = Actor::system("owner");
                Ok(Caller::owner(call))
            }
            Credentials::Session(token) => {
                let session = self.session(token.expose()).await?.ok_or_else(unknown)?;
                Ok(caller(call, ActorKind::User, session.user.id.to_string(), None, session.user.roles))
            }
            Credentials::ApiKey(token) => {
                let key = self.api_key(token.expose()).await?.ok_or_else(unknown)?;
                Ok(caller(call, ActorKind::Institution, key.id.to_string(), Some(key.tenant), key.roles))
            }
            // Certificates are the roof's to recognise: this room knows accounts, not authorities.
            Credentials::Certificate(_) | Credentials::None => Err(unknown()),
        }
    }

    /// The tenant that a caller's request is about: the caller's own, the one it names, or the only one there is.
    ///
    /// # Errors
    /// `TENANT_NOT_FOUND` also for a tenant that is not the caller's; `TENANT_NEEDED`.
    pub async fn tenant_for(&self, caller: &Caller, named: Option<&str>) -> Result<Tenant> {
        let named: Option<Id<kind::Tenant>> =
            named.map(str::parse).transpose().map_err(|_| error::TENANT_NOT_FOUND.at("tenant"))?;
        match (caller.tenant, named) {
            (Some(own), Some(named)) if own != named => Err(error::TENANT_NOT_FOUND.error()),
            (Some(own), _) => self.tenant(own).await,
            (None, named) => self.meant_tenant(named).await,
        }
    }
}

fn caller(
    call: &Call,
    kind: ActorKind,
    id: String,
    tenant: Option<Id<kind::Tenant>>,
    roles: Vec<String>,
) -> Caller {
    let known: Vec<Role> = roles.iter().filter_map(|role| Role::parse(role)).collect();
    let mut call = call.clone();
    call.actor = Actor { kind, id };
    call.tenant = tenant;
    let permitted = permissions(&known).into_iter().map(str::to_owned).collect();
    Caller { call, tenant, roles, permissions: Permissions::Some(permitted) }
}

/// The routes of the admin zone.
pub fn admin_routes(identity: Identity) -> ZoneRouter<Admin> {
    routes_of().with_state(identity)
}

fn routes_of() -> ZoneRouter<Admin, Identity> {
    ZoneRouter::new()
        .routes_with(Rules::entry().not_idempotent(), routes!(enter))
        .routes_with(Rules::read(), routes!(whoami))
        .routes(routes!(leave))
        .routes(routes!(list_tenants, create_tenant))
        .routes(routes!(rotate_key))
        .routes(routes!(list_api_keys))
        .routes_with(Rules::write().not_idempotent(), routes!(create_api_key))
        .routes(routes!(revoke_api_key))
        .merge(crate::account::routes())
}

/// Which tenant a request is about; needed only when the caller stands above several.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// `ten_…`
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OnceBody {
    /// The token of the one-time link.
    #[schema(example = "once_…")]
    token: String,
}

/// Somebody with an id and a name.
#[derive(Debug, Serialize, ToSchema)]
struct NamedBody {
    /// `user_…` or `ten_…`
    id: String,
    /// What to call it.
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionBody {
    user: NamedBody,
    /// The tenant, when the house has only one.
    tenant: Option<NamedBody>,
    roles: Vec<String>,
}

impl Identity {
    async fn session_body(&self, user: NamedBody, roles: Vec<String>) -> Result<SessionBody> {
        let tenant = match self.meant_tenant(None).await {
            Ok(tenant) => Some(NamedBody { id: tenant.id.to_string(), name: tenant.name }),
            Err(_) => None,
        };
        Ok(SessionBody { user, tenant, roles })
    }
}

/// Enter by a one-time link: works once, for 15 minutes, on the machine of the house.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = OnceBody,
    responses((status = 200, body = inline(Reply<SessionBody>)), (status = 401, body = ErrorReply), (status = 403, body = ErrorReply)))]
async fn enter(
    State(identity): State<Identity>,
    Context(call): Context,
    peer: Option<axum::Extension<Peer>>,
    Json(body): Json<OnceBody>,
) -> Result<Reply<SessionBody>, Failure> {
    let near = match peer.map(|axum::Extension(peer)| peer) {
        Some(Peer::Network(address)) => address.ip().to_canonical().is_loopback(),
        Some(Peer::Owner) => true,
        None => false,
    };
    if !near {
        return Err(error::ONCE_LOOPBACK.error().into());
    }
    let (cookie, session) = identity.enter(&call, &body.token).await?;
    let seconds = session.expires_at.since(identity.house.now()).as_secs();
    let user = NamedBody { id: session.user.id.to_string(), name: session.user.name };
    let body = identity.session_body(user, session.user.roles).await?;
    Ok(Reply::ok(body).header("set-cookie", session_cookie(&cookie, seconds)))
}

/// Who is asking.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = inline(Reply<SessionBody>)), (status = 401, body = ErrorReply)))]
async fn whoami(State(identity): State<Identity>, caller: Caller) -> Result<Reply<SessionBody>, Failure> {
    let user = NamedBody { id: caller.call.actor.id.clone(), name: caller.call.actor.id.clone() };
    Ok(Reply::ok(identity.session_body(user, caller.roles).await?))
}

/// Leave.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = inline(Reply<Option<String>>)), (status = 401, body = ErrorReply)))]
async fn leave(
    State(identity): State<Identity>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Reply<Option<String>>, Failure> {
    if let Some(token) = cookie(&headers, SESSION_COOKIE) {
        identity.leave(&caller.call, token).await?;
    }
    Ok(Reply::ok(None).header("set-cookie", session_cookie_gone()))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
#[serde(rename_all = "camelCase")]
struct TenantBody {
    /// `ten_…`
    id: String,
    /// The institution's name, as it stands on what it issues.
    name: String,
    /// Its issuer identifier.
    did: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl From<Tenant> for TenantBody {
    fn from(tenant: Tenant) -> Self {
        Self { id: tenant.id.to_string(), name: tenant.name, did: tenant.did, created_at: tenant.created_at }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTenant {
    /// The institution's full name.
    #[schema(example = "Universidade de São Tomé e Príncipe")]
    name: String,
}

/// The tenants of the house.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "tenants", params(Paging),
    responses((status = 200, body = inline(Reply<Items<TenantBody>>)), (status = 401, body = ErrorReply)))]
async fn list_tenants(
    State(identity): State<Identity>,
    caller: Caller,
    paging: Paging,
) -> Result<Reply<Items<TenantBody>>, Failure> {
    caller.may("tenant.read")?;
    let page = match caller.tenant {
        Some(own) => base::Page { items: vec![identity.tenant(own).await?], next_page_token: None },
        None => identity.tenants(paging.limit, paging.page_token.as_deref()).await?,
    };
    Ok(Reply::ok(page.map(TenantBody::from).into()))
}

/// Make a tenant with its first issuing key.
#[utoipa::path(post, path = "/api/v1/tenants", tag = "tenants", request_body = NewTenant,
    responses((status = 201, body = inline(Reply<TenantBody>)), (status = 422, body = ErrorReply)))]
async fn create_tenant(
    State(identity): State<Identity>,
    caller: Caller,
    Json(body): Json<NewTenant>,
) -> Result<Reply<TenantBody>, Failure> {
    caller.may("tenant.create")?;
    Ok(Reply::created(identity.create_tenant(&caller.call, &body.name).await?.into()))
}

/// A new issuing key.
#[derive(Debug, Serialize, ToSchema)]
struct RotatedKey {
    /// `sig_…`
    key: String,
}

/// Give a tenant a new issuing key. What the old one signed stays good.
#[utoipa::path(post, path = "/api/v1/keys/rotate", tag = "tenants", params(Named),
    responses((status = 200, body = inline(Reply<RotatedKey>)), (status = 409, body = ErrorReply)))]
async fn rotate_key(
    State(identity): State<Identity>,
    caller: Caller,
    Query(named): Query<Named>,
) -> Result<Reply<RotatedKey>, Failure> {
    caller.may("keys.rotate")?;
    let tenant = identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let key = identity.rotate_key(&caller.call, tenant.id).await?;
    Ok(Reply::ok(RotatedKey { key: key.to_string() }))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
#[serde(rename_all = "camelCase")]
struct ApiKeyBody {
    /// `key_…`
    id: String,
    /// What it is for.
    name: String,
    roles: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Time>,
    /// The key itself, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl ApiKeyBody {
    fn of(key: ApiKey, token: Option<String>) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            roles: key.roles,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
            key: token,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApiKey {
    /// What it is for.
    #[schema(example = "student records system")]
    name: String,
    /// `issuer_admin`, `auditor`
    roles: Vec<String>,
}

/// A tenant's keys for programs.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "api-keys", params(Named),
    responses((status = 200, body = inline(Reply<Items<ApiKeyBody>>)), (status = 403, body = ErrorReply)))]
async fn list_api_keys(
    State(identity): State<Identity>,
    caller: Caller,
    Query(named): Query<Named>,
) -> Result<Reply<Items<ApiKeyBody>>, Failure> {
    caller.may("api_key.manage")?;
    let tenant = identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let keys = identity.api_keys(tenant.id).await?;
    let items = keys.into_iter().map(|key| ApiKeyBody::of(key, None)).collect();
    Ok(Reply::ok(Items { items, next_page_token: None }))
}

/// Make a key for a program. It is shown once; keep it.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "api-keys", params(Named), request_body = NewApiKey,
    responses((status = 201, body = inline(Reply<ApiKeyBody>)), (status = 422, body = ErrorReply)))]
async fn create_api_key(
    State(identity): State<Identity>,
    caller: Caller,
    Query(named): Query<Named>,
    Json(body): Json<NewApiKey>,
) -> Result<Reply<ApiKeyBody>, Failure> {
    caller.may("api_key.manage")?;
    let tenant = identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let (token, key) = identity.create_api_key(&caller.call, tenant.id, &body.name, &body.roles).await?;
    Ok(Reply::created(ApiKeyBody::of(key, Some(token.expose().clone()))))
}

/// Revoke a key at once.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "api-keys", params(("id" = String, Path, description = "`key_…`"), Named),
    responses((status = 200, body = inline(Reply<Option<String>>)), (status = 404, body = ErrorReply)))]
async fn revoke_api_key(
    State(identity): State<Identity>,
    caller: Caller,
    PathId(id): PathId<kind::ApiKey>,
    Query(named): Query<Named>,
) -> Result<Reply<Option<String>>, Failure> {
    caller.may("api_key.manage")?;
    let tenant = identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    identity.revoke_api_key(&caller.call, tenant.id, id).await?;
    Ok(Reply::ok(None))
}

/// The contract of this room's routes.
pub fn contract() -> utoipa::openapi::OpenApi {
    routes_of().contract().clone()
}
