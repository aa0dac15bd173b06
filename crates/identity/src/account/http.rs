//! The doors of accounts, for the house's administrators; and an account as a caller.

use axum::extract::State;
use base::{Actor, ActorKind, Call, Id, Time, id::kind};
use http_kit::{
    Admin, Caller, ErrorReply, Failure, Items, Json, PathId, Permissions, Query, Reply, ZoneRouter,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Account, NewAccount};
use crate::{http::Named, service::Identity};

pub(crate) fn routes() -> ZoneRouter<Admin, Identity> {
    ZoneRouter::new().routes(routes!(list, create)).routes(routes!(bind)).routes(routes!(close))
}

impl Account {
    /// The account as whoever asks for something.
    pub fn caller(&self, call: &Call) -> Caller {
        let mut call = call.clone();
        call.actor = Actor { kind: ActorKind::Institution, id: self.id.to_string() };
        call.tenant = Some(self.tenant);
        let permitted = self.permissions.iter().cloned().collect();
        Caller {
            call,
            tenant: Some(self.tenant),
            roles: Vec::new(),
            permissions: Permissions::Some(permitted),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
#[serde(rename_all = "camelCase")]
struct AccountBody {
    /// `acct_…`
    id: String,
    /// What the operator calls it.
    name: String,
    /// What it may do.
    permissions: Vec<String>,
    /// Addresses and networks it may come from; from everywhere when there are none.
    networks: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Time>,
}

impl From<Account> for AccountBody {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name,
            permissions: account.permissions,
            networks: account.networks,
            created_at: account.created_at,
            closed_at: account.closed_at,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAccount)]
#[serde(deny_unknown_fields)]
struct NewAccountBody {
    /// Lower-case letters, digits, hyphens and dots.
    #[schema(example = "bank-a.prod")]
    name: String,
    /// What it may do, permission by permission.
    #[schema(example = json!(["credential.issue", "credential.read"]))]
    permissions: Vec<String>,
    /// Addresses and networks it may come from; from everywhere when there are none.
    #[serde(default)]
    #[schema(example = json!(["192.0.2.0/24"]))]
    networks: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BoundCertificate {
    /// `cert_…`: a certificate of the profile `partner`.
    certificate: String,
}

/// A tenant's accounts of partners' programs.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", params(Named),
    responses((status = 200, body = inline(Reply<Items<AccountBody>>)), (status = 403, body = ErrorReply)))]
async fn list(
    State(identity): State<Identity>,
    caller: Caller,
    Query(named): Query<Named>,
) -> Result<Reply<Items<AccountBody>>, Failure> {
    caller.may("account.manage")?;
    let tenant = identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let items = identity.accounts(tenant.id).await?.into_iter().map(AccountBody::from).collect();
    Ok(Reply::ok(Items { items, next_page_token: None }))
}

/// Make an account for a partner's program. It enters nowhere until a certificate is bound to it.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", params(Named), request_body = NewAccountBody,
    responses((status = 201, body = inline(Reply<AccountBody>)), (status = 409, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn create(
    State(identity): State<Identity>,
    caller: Caller,
    Query(named): Query<Named>,
    Json(body): Json<NewAccountBody>,
) -> Result<Reply<AccountBody>, Failure> {
    caller.may("account.manage")?;
    let tenant = identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let wanted = NewAccount { name: body.name, permissions: body.permissions, networks: body.networks };
    Ok(Reply::created(identity.create_account(&caller.call, tenant.id, &wanted).await?.into()))
}

/// Bind a certificate to an account: whoever shows it enters the partner zone as this account, while it is in force.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/certificates", tag = "accounts",
    params(("id" = String, Path, description = "`acct_…`"), Named), request_body = BoundCertificate,
    responses((status = 200, body = inline(Reply<Option<String>>)), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
async fn bind(
    State(identity): State<Identity>,
    caller: Caller,
    PathId(id): PathId<kind::Account>,
    Query(named): Query<Named>,
    Json(body): Json<BoundCertificate>,
) -> Result<Reply<Option<String>>, Failure> {
    caller.may("account.manage")?;
    let tenant = identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let certificate: Id<kind::Certificate> = body
        .certificate
        .parse()
        .map_err(|_| http_kit::error::FIELD_WRONG.at("certificate").with("expected", "cert_…"))?;
    identity.bind_certificate(&caller.call, tenant.id, id, certificate).await?;
    Ok(Reply::ok(None))
}

/// Close an account, at once and for good.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}", tag = "accounts",
    params(("id" = String, Path, description = "`acct_…`"), Named),
    responses((status = 200, body = inline(Reply<Option<String>>)), (status = 404, body = ErrorReply)))]
async fn close(
    State(identity): State<Identity>,
    caller: Caller,
    PathId(id): PathId<kind::Account>,
    Query(named): Query<Named>,
) -> Result<Reply<Option<String>>, Failure> {
    caller.may("account.manage")?;
    let tenant = identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    identity.close_account(&caller.call, tenant.id, id).await?;
    Ok(Reply::ok(None))
}
