//! The doors of credentials: issue, look up, change, take home; tables and their jobs; status lists for everybody.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base::{
    Lang, Time,
    id::kind::{self, Job},
};
use http_kit::{
    Admin, Caller, Context, ErrorReply, Failure, Items, Json, Listed, Paging, PathId, Permissions, Public,
    Query, Reply, Rules, Zone, ZoneRouter,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::{
    error,
    model::{Change, Credential, State as Standing},
    pages,
    pictures::{Form, no_such_form},
    service::{Credentials, Document, Issued},
    table::TABLE_BYTES_MAX,
    template::{TEMPLATES, Template},
};

/// The routes of the public zone: recipients' pages and status lists.
pub fn public_routes(credentials: Credentials) -> ZoneRouter<Public> {
    ZoneRouter::new()
        .page("/r/{handle}", Rules::read(), get(recipient))
        .page("/r/{handle}/{file}", Rules::heavy(), get(recipient_file))
        .page("/status/{handle}", Rules::check().open_to_every_origin(), get(status_list))
        .page("/issuers/{tenant}/did.json", Rules::read().open_to_every_origin(), get(did_document))
        .with_state(credentials)
}

/// The routes of the admin zone.
pub fn admin_routes(credentials: Credentials) -> ZoneRouter<Admin> {
    routes_of().with_state(credentials)
}

/// What a tenant's program does, in whatever zone it comes by: issue, look up, change, take home.
pub fn program_routes<Z: Zone>(credentials: Credentials) -> ZoneRouter<Z> {
    for_programs().with_state(credentials)
}

fn for_programs<Z: Zone>() -> ZoneRouter<Z, Credentials> {
    ZoneRouter::new()
        .routes(routes!(templates))
        .routes(routes!(list, issue))
        .routes(routes!(detail))
        .routes(routes!(revoke))
        .routes(routes!(suspend))
        .routes(routes!(reinstate))
        .routes_with(Rules::heavy(), routes!(download))
        .routes_with(Rules::heavy().body_bytes(TABLE_BYTES_MAX).not_idempotent(), routes!(receive))
        .routes(routes!(jobs))
        .routes(routes!(job))
        .routes(routes!(rows))
        .routes(routes!(failed))
}

fn routes_of() -> ZoneRouter<Admin, Credentials> {
    for_programs().routes(routes!(erase)).page("/status/{handle}", Rules::check(), get(status_list)).page(
        "/v/{handle}/credential.json",
        Rules::read(),
        get(behind_page),
    )
}

// ---- shapes

/// Which tenant a request is about; needed only when the caller stands above several.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Named {
    /// `ten_…`
    tenant: Option<String>,
}

/// A credential in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CredentialSummary {
    /// `cred_…`
    id: String,
    /// `per_…`
    person: String,
    /// `issued`, `suspended`, `revoked`, `erased`
    status: &'static str,
    /// The template's name.
    template: String,
    /// Absent once the person is forgotten.
    recipient_name: Option<String>,
    achievement: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    issued_at: Option<Time>,
    /// When the status last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    status_at: Option<Time>,
    /// The public verification page.
    page_url: String,
    /// The recipient's page; absent once the person is forgotten.
    recipient_url: Option<String>,
}

impl CredentialSummary {
    fn of(credentials: &Credentials, credential: &Credential, document: Option<&Value>) -> Self {
        let text = |pointer: &str| document?.pointer(pointer)?.as_str().map(str::to_owned);
        let status = if document.is_none() { "erased" } else { credential.state.name() };
        Self {
            id: credential.id.to_string(),
            person: credential.person.to_string(),
            status,
            template: credential.template.clone(),
            recipient_name: text("/credentialSubject/identifier/0/identityHash"),
            achievement: text("/credentialSubject/achievement/name"),
            issued_at: credential.issued_at,
            status_at: credential.status_at,
            page_url: credentials.page_url(&credential.handle),
            recipient_url: document.map(|_| credentials.recipient_url(&credential.recipient_handle)),
        }
    }
}

/// Something that happened to a credential.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HistoryEntry {
    /// `credential.issued`, `credential.revoked`, …
    #[serde(rename = "type")]
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    actor: String,
    /// `evt_…`: ask the log for its proof.
    fact_id: String,
}

/// A credential with everything its issuer may see.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CredentialDetail {
    #[serde(flatten)]
    summary: CredentialSummary,
    /// Why the status last changed.
    reason: Option<String>,
    /// The signed document; absent once the person is forgotten.
    #[schema(value_type = Option<Object>)]
    document: Option<Value>,
    history: Vec<HistoryEntry>,
}

// ---- templates

/// A column of a template's table.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TemplateColumn {
    /// Its name in the first line of a table.
    name: &'static str,
    /// What to call it, in the caller's language.
    label: &'static str,
    required: bool,
    /// The longest cell, in characters.
    characters_max: usize,
    example: &'static str,
}

/// A template.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TemplateBody {
    /// Its name.
    id: &'static str,
    /// What to call it, in the caller's language.
    name: &'static str,
    /// The Open Badges achievement type.
    kind: &'static str,
    /// SHA-256 of its drawing; stands in the fact of every credential.
    digest: String,
    columns: Vec<TemplateColumn>,
}

/// The templates.
#[utoipa::path(get, path = "/api/v1/templates", tag = "templates",
    responses((status = 200, body = inline(Reply<Items<TemplateBody>>)), (status = 403, body = ErrorReply)))]
async fn templates(Context(call): Context, caller: Caller) -> Result<Reply<Items<TemplateBody>>, Failure> {
    caller.may("template.read")?;
    let lang = call.lang;
    let body = |template: &'static Template| -> Result<TemplateBody, Failure> {
        let [en, pt] = template.label;
        Ok(TemplateBody {
            id: template.name,
            name: lang.pick(en, pt),
            kind: template.achievement_type,
            digest: proof::crypto::hex(&template.digest()?),
            columns: template
                .columns
                .iter()
                .map(|column| TemplateColumn {
                    name: column.name,
                    label: column.label(lang),
                    required: column.required,
                    characters_max: column.characters_max,
                    example: column.example,
                })
                .collect(),
        })
    };
    let items = TEMPLATES.iter().map(body).collect::<Result<Vec<_>, _>>()?;
    Ok(Reply::ok(Items { items, next_page_token: None }))
}

// ---- credentials

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListQuery {
    /// `ten_…`
    tenant: Option<String>,
    /// `issued`, `suspended`, `revoked`
    status: Option<String>,
    /// Only credentials of the person with this e-mail address.
    email: Option<String>,
}

/// A tenant's credentials, newest first.
#[utoipa::path(get, path = "/api/v1/credentials", tag = "credentials", params(ListQuery, Paging),
    responses((status = 200, body = inline(Reply<Items<CredentialSummary>>)), (status = 403, body = ErrorReply)))]
async fn list(
    State(credentials): State<Credentials>,
    caller: Caller,
    Listed(query, paging): Listed<ListQuery>,
) -> Result<Reply<Items<CredentialSummary>>, Failure> {
    caller.may("credential.read")?;
    let tenant = credentials.identity.tenant_for(&caller, query.tenant.as_deref()).await?;
    let state = match query.status.as_deref().filter(|status| !status.is_empty()) {
        None => None,
        Some(name) => Some(
            Standing::parse(name).ok_or_else(|| error::STATUS_UNKNOWN.at("status").with("status", name))?,
        ),
    };
    let email = query.email.as_deref().filter(|email| !email.trim().is_empty());
    let page = credentials.page(tenant.id, state, email, paging.limit, paging.page_token.as_deref()).await?;
    let summary = |(credential, document): (Credential, Option<Value>)| {
        CredentialSummary::of(&credentials, &credential, document.as_ref())
    };
    Ok(Reply::ok(page.map(summary).into()))
}

/// One row to be issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCredential {
    /// The template's name.
    #[schema(example = "diploma")]
    template: String,
    /// The cells by column.
    #[schema(example = json!({"name": "Ana Conceição", "degree": "Licenciatura em Direito", "date": "2026-07-31"}))]
    row: BTreeMap<String, String>,
}

/// Issue one credential.
#[utoipa::path(post, path = "/api/v1/credentials", tag = "credentials", params(Named), request_body = NewCredential,
    responses((status = 201, body = inline(Reply<CredentialSummary>)), (status = 404, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn issue(
    State(credentials): State<Credentials>,
    caller: Caller,
    Query(named): Query<Named>,
    Json(body): Json<NewCredential>,
) -> Result<Reply<CredentialSummary>, Failure> {
    caller.may("credential.issue")?;
    let tenant = credentials.identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let Issued { credential, document } =
        credentials.issue(&caller.call, tenant.id, &body.template, &body.row).await?;
    Ok(Reply::created(CredentialSummary::of(&credentials, &credential, Some(&document))))
}

/// A credential with its document and history.
#[utoipa::path(get, path = "/api/v1/credentials/{id}", tag = "credentials",
    params(("id" = String, Path, description = "`cred_…`"), Named),
    responses((status = 200, body = inline(Reply<CredentialDetail>)), (status = 404, body = ErrorReply)))]
async fn detail(
    State(credentials): State<Credentials>,
    caller: Caller,
    PathId(id): PathId<kind::Credential>,
    Query(named): Query<Named>,
) -> Result<Reply<CredentialDetail>, Failure> {
    caller.may("credential.read")?;
    let tenant = credentials.identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let detail = credentials.detail(tenant.id, id).await?;
    let summary = CredentialSummary::of(&credentials, &detail.credential, detail.document.as_ref());
    let history = detail
        .history
        .into_iter()
        .map(|fact| HistoryEntry {
            kind: fact.kind,
            at: fact.time,
            actor: fact.actor_id,
            fact_id: fact.id.to_string(),
        })
        .collect();
    Ok(Reply::ok(CredentialDetail { summary, reason: detail.reason, document: detail.document, history }))
}

/// Why a status changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// 1 to 500 characters, for the record.
    #[schema(example = "issued to the wrong person")]
    reason: String,
}

async fn change(
    credentials: &Credentials,
    caller: &Caller,
    id: base::Id<kind::Credential>,
    named: Named,
    to: Change,
    reason: &str,
) -> Result<Reply<CredentialSummary>, Failure> {
    caller.may("credential.status")?;
    let tenant = credentials.identity.tenant_for(caller, named.tenant.as_deref()).await?;
    credentials.change(&caller.call, tenant.id, id, to, reason).await?;
    let detail = credentials.detail(tenant.id, id).await?;
    Ok(Reply::ok(CredentialSummary::of(credentials, &detail.credential, detail.document.as_ref())))
}

/// Revoke a credential, for good.
#[utoipa::path(post, path = "/api/v1/credentials/{id}/revoke", tag = "credentials", request_body = Reason,
    params(("id" = String, Path, description = "`cred_…`"), Named),
    responses((status = 200, body = inline(Reply<CredentialSummary>)), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
async fn revoke(
    State(credentials): State<Credentials>,
    caller: Caller,
    PathId(id): PathId<kind::Credential>,
    Query(named): Query<Named>,
    Json(body): Json<Reason>,
) -> Result<Reply<CredentialSummary>, Failure> {
    change(&credentials, &caller, id, named, Change::Revoke, &body.reason).await
}

/// Suspend a credential, for now.
#[utoipa::path(post, path = "/api/v1/credentials/{id}/suspend", tag = "credentials", request_body = Reason,
    params(("id" = String, Path, description = "`cred_…`"), Named),
    responses((status = 200, body = inline(Reply<CredentialSummary>)), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
async fn suspend(
    State(credentials): State<Credentials>,
    caller: Caller,
    PathId(id): PathId<kind::Credential>,
    Query(named): Query<Named>,
    Json(body): Json<Reason>,
) -> Result<Reply<CredentialSummary>, Failure> {
    change(&credentials, &caller, id, named, Change::Suspend, &body.reason).await
}

/// Bring a suspended credential back into force.
#[utoipa::path(post, path = "/api/v1/credentials/{id}/reinstate", tag = "credentials", request_body = Reason,
    params(("id" = String, Path, description = "`cred_…`"), Named),
    responses((status = 200, body = inline(Reply<CredentialSummary>)), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
async fn reinstate(
    State(credentials): State<Credentials>,
    caller: Caller,
    PathId(id): PathId<kind::Credential>,
    Query(named): Query<Named>,
    Json(body): Json<Reason>,
) -> Result<Reply<CredentialSummary>, Failure> {
    change(&credentials, &caller, id, named, Change::Reinstate, &body.reason).await
}

fn file(form: Form, body: Vec<u8>) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(form.disposition()));
    response
}

/// A credential to take home: `credential.json`, `diploma.png` or `diploma.pdf`, each with the document inside.
#[utoipa::path(get, path = "/api/v1/credentials/{id}/files/{file}", tag = "credentials",
    params(("id" = String, Path, description = "`cred_…`"), ("file" = String, Path, description = "`credential.json`, `diploma.png`, `diploma.pdf`"), Named),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404, body = ErrorReply)))]
async fn download(
    State(credentials): State<Credentials>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
    Query(named): Query<Named>,
) -> Result<Response, Failure> {
    caller.may("credential.read")?;
    let form = Form::parse(&name).ok_or_else(no_such_form)?;
    let tenant = credentials.identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let credential = credentials.credential(tenant.id, id.parse()?).await?;
    match credentials.public_document(&credential.handle).await? {
        Some(Document::Live { bytes, credential }) => {
            Ok(file(form, credentials.form(&credential, bytes, form).await?))
        }
        _ => Err(keys::error::PERSON_FORGOTTEN.error().into()),
    }
}

/// The document behind a public page, for the owner of the home at the command line; nobody else finds this address.
async fn behind_page(
    State(credentials): State<Credentials>,
    caller: Caller,
    Path(handle): Path<String>,
) -> Result<Response, Failure> {
    let missing = || error::NOT_FOUND.error().with("id", &handle);
    if caller.permissions != Permissions::All {
        return Err(missing().into());
    }
    match credentials.public_document(&handle).await? {
        Some(Document::Live { bytes, .. }) => Ok(file(Form::Json, bytes)),
        _ => Err(missing().into()),
    }
}

// ---- tables and jobs

/// The progress of a table.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobBody {
    /// `job_…`
    id: String,
    #[schema(example = "credential.bulk")]
    kind: String,
    /// `queued`, `running`, `done`, `failed`
    #[schema(value_type = String)]
    state: events::jobs::JobState,
    /// How many rows there are.
    total: i64,
    /// How many ended, failed ones included.
    done: i64,
    /// How many of them failed.
    failed: i64,
    /// Why the job itself was given up.
    error_code: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Time>,
}

impl From<events::jobs::Job> for JobBody {
    fn from(job: events::jobs::Job) -> Self {
        Self {
            id: job.id.to_string(),
            kind: job.kind,
            state: job.state,
            total: job.total,
            done: job.done,
            failed: job.failed,
            error_code: job.error_code,
            created_at: job.created_at,
            finished_at: job.finished_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct BatchQuery {
    /// `ten_…`
    tenant: Option<String>,
    /// The template's name.
    template: String,
}

/// Hand in a table (CSV, UTF-8 or Windows-1252; the first line names the columns). A job issues its rows.
#[utoipa::path(post, path = "/api/v1/batches", tag = "jobs", params(BatchQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 202, body = inline(Reply<JobBody>)), (status = 413, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn receive(
    State(credentials): State<Credentials>,
    caller: Caller,
    Query(query): Query<BatchQuery>,
    body: Bytes,
) -> Result<Reply<JobBody>, Failure> {
    caller.may("credential.issue")?;
    let tenant = credentials.identity.tenant_for(&caller, query.tenant.as_deref()).await?;
    let job = credentials.receive(&caller.call, tenant.id, &query.template, body.to_vec()).await?;
    Ok(Reply::accepted(job.into()))
}

/// A tenant's jobs, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(Named, Paging),
    responses((status = 200, body = inline(Reply<Items<JobBody>>)), (status = 403, body = ErrorReply)))]
async fn jobs(
    State(credentials): State<Credentials>,
    caller: Caller,
    Listed(query, paging): Listed<Named>,
) -> Result<Reply<Items<JobBody>>, Failure> {
    caller.may("job.read")?;
    let tenant = credentials.identity.tenant_for(&caller, query.tenant.as_deref()).await?;
    let page = credentials.jobs(tenant.id, paging.limit, paging.page_token).await?;
    Ok(Reply::ok(page.map(JobBody::from).into()))
}

/// The progress of a job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "`job_…`"), Named),
    responses((status = 200, body = inline(Reply<JobBody>)), (status = 404, body = ErrorReply)))]
async fn job(
    State(credentials): State<Credentials>,
    caller: Caller,
    PathId(id): PathId<Job>,
    Query(named): Query<Named>,
) -> Result<Reply<JobBody>, Failure> {
    caller.may("job.read")?;
    let tenant = credentials.identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    Ok(Reply::ok(credentials.job(tenant.id, id).await?.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RowsQuery {
    /// `ten_…`
    tenant: Option<String>,
    /// `waiting`, `issued`, `failed`; all when nothing is named
    outcome: Option<String>,
}

/// What is wrong with a row.
#[derive(Debug, Serialize, ToSchema)]
struct RowError {
    #[schema(example = "CELL_DATE")]
    code: String,
    /// The column.
    field: Option<String>,
    /// What is wrong, in the caller's language.
    message: String,
    /// What to do, in the caller's language.
    remedy: String,
}

/// How a row of a table ended.
#[derive(Debug, Serialize, ToSchema)]
struct RowBody {
    /// Its line in the table, the head being line 1.
    line: u32,
    /// `waiting`, `issued`, `failed`
    outcome: String,
    /// `cred_…`
    credential: Option<String>,
    error: Option<RowError>,
}

/// The rows of a table, in the order of their lines.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/rows", tag = "jobs",
    params(("id" = String, Path, description = "`job_…`"), RowsQuery, Paging),
    responses((status = 200, body = inline(Reply<Items<RowBody>>)), (status = 404, body = ErrorReply)))]
async fn rows(
    State(credentials): State<Credentials>,
    caller: Caller,
    PathId(id): PathId<Job>,
    Listed(query, paging): Listed<RowsQuery>,
) -> Result<Reply<Items<RowBody>>, Failure> {
    caller.may("job.read")?;
    let lang = caller.call.lang;
    let tenant = credentials.identity.tenant_for(&caller, query.tenant.as_deref()).await?;
    let outcome = query.outcome.unwrap_or_default();
    let page =
        credentials.rows(tenant.id, id, &outcome, lang, paging.limit, paging.page_token.as_deref()).await?;
    let items = page.map(|row| {
        let told = row.message.unwrap_or_default();
        let error = row.code.map(|code| RowError { code, field: row.field, message: told.0, remedy: told.1 });
        RowBody {
            line: row.line,
            outcome: row.outcome,
            credential: row.credential.map(|id| id.to_string()),
            error,
        }
    });
    Ok(Reply::ok(items.into()))
}

/// The failed rows as a table: the original columns, the error's code and its sentence. Mend it and hand it in again.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/failed.csv", tag = "jobs",
    params(("id" = String, Path, description = "`job_…`"), Named),
    responses((status = 200, content_type = "text/csv", body = String), (status = 404, body = ErrorReply)))]
async fn failed(
    State(credentials): State<Credentials>,
    caller: Caller,
    PathId(id): PathId<Job>,
    Query(named): Query<Named>,
) -> Result<Response, Failure> {
    caller.may("job.read")?;
    let tenant = credentials.identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    let body = credentials.failed_table(tenant.id, id, caller.call.lang).await?;
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"failed.csv\""));
    Ok(response)
}

// ---- people

/// A person who was forgotten.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ErasedBody {
    /// `per_…`
    person: String,
    /// How many credentials the person had; they stay in the log, and copies in the person's hands still verify.
    credentials: u64,
}

/// Forget a person: the key that seals everything personal is destroyed. It cannot be undone.
#[utoipa::path(post, path = "/api/v1/people/{id}/erase", tag = "people",
    params(("id" = String, Path, description = "`per_…`"), Named),
    responses((status = 200, body = inline(Reply<ErasedBody>)), (status = 404, body = ErrorReply)))]
async fn erase(
    State(credentials): State<Credentials>,
    caller: Caller,
    PathId(id): PathId<kind::Person>,
    Query(named): Query<Named>,
) -> Result<Reply<ErasedBody>, Failure> {
    caller.may("person.erase")?;
    let tenant = credentials.identity.tenant_for(&caller, named.tenant.as_deref()).await?;
    credentials.identity.erase_person(&caller.call, tenant.id, id).await?;
    let count = credentials.wipe_person(tenant.id, id).await?;
    Ok(Reply::ok(ErasedBody { person: id.to_string(), credentials: count }))
}

// ---- for everybody

/// A signed status list (W3C Bitstring Status List 1.0).
async fn status_list(
    State(credentials): State<Credentials>,
    Path(handle): Path<String>,
) -> Result<Response, Failure> {
    let list = credentials.status_list(&handle).await?.ok_or_else(|| http_kit::error::NOT_FOUND.error())?;
    let mut response = list.as_ref().clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vc"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}

/// The controller document of a tenant that is did:web.
async fn did_document(
    State(credentials): State<Credentials>,
    Path(tenant): Path<String>,
) -> Result<Response, Failure> {
    let unknown = || http_kit::error::NOT_FOUND.error();
    let id = format!("ten_{tenant}").parse().map_err(|_| unknown())?;
    let document = credentials.did_document(id).await?.ok_or_else(unknown)?;
    let mut response = document.to_string().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/did+json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}

/// The recipient's page: the diploma, its downloads and its status. Works without a login and without scripts.
async fn recipient(
    State(credentials): State<Credentials>,
    Context(call): Context,
    Path(handle): Path<String>,
) -> Result<Response, Failure> {
    let found =
        credentials.recipient_document(&handle).await?.ok_or_else(|| http_kit::error::NOT_FOUND.error())?;
    let page = pages::recipient(&credentials, &handle, &found, call.lang).await?;
    let mut response = (StatusCode::OK, page).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

async fn recipient_file(
    State(credentials): State<Credentials>,
    Path((handle, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let found =
        credentials.recipient_document(&handle).await?.ok_or_else(|| http_kit::error::NOT_FOUND.error())?;
    let Document::Live { bytes, credential } = found else {
        return Err(keys::error::PERSON_FORGOTTEN.error().into());
    };
    if name == "picture.png" {
        let picture = credentials.page_picture(&credential, bytes).await?;
        let mut response = picture.as_ref().clone().into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
        return Ok(response);
    }
    let form = Form::parse(&name).ok_or_else(no_such_form)?;
    Ok(file(form, credentials.form(&credential, bytes, form).await?))
}

/// What a status is called for people.
pub(crate) fn standing(state: Standing, lang: Lang) -> &'static str {
    match state {
        Standing::Issued => lang.pick("valid", "válido"),
        Standing::Suspended => lang.pick("suspended", "suspenso"),
        Standing::Revoked => lang.pick("revoked", "revogado"),
        Standing::Planned | Standing::Abandoned => "",
    }
}

/// The contract of this room's routes.
pub fn contract() -> utoipa::openapi::OpenApi {
    routes_of().contract().clone()
}
