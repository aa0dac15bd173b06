//! The doors of the authority: lists, answers and certificates for everybody; issuing, revoking and the inventory for
//! administrators.

mod ceremony;
mod many;
mod overview;
mod public;
mod roots;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use base::{Error, Id, Lang, Result, Time, id::kind};
use http_kit::{
    Admin, Boxed, Caller, ErrorReply, Failure, Items, Json, Listed, Paging, Permissions, Query, Reply, Rules,
    ZoneRouter,
};
use proof::x509::{Profile, lint, pem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use overview::overview_routes;
use public::lists;
pub use public::public_routes;

use crate::{
    acme::{Acme, external_routes},
    error,
    model::{Authority, Certificate, State as Standing, TenantId, parse_reason, reason_name},
    rules::{Grade, WantedNames},
    service::{Asked, Pki, Search},
};

/// Where a certificate's proof comes from; the roof plugs the evidence log in.
pub trait Proofs: Send + Sync + 'static {
    /// The proof file of a fact (C2SP tlog-proof).
    fn prove(&self, fact: Id<kind::Event>) -> Boxed<'_, Result<Vec<u8>>>;
}

/// What the doors of the admin zone need.
#[derive(Clone)]
pub struct Doors {
    /// The room.
    pub pki: Pki,
    /// The evidence log.
    pub proofs: Arc<dyn Proofs>,
    /// The ACME server, whose external keys administrators make.
    pub acme: Acme,
}

/// The routes of the admin zone.
pub fn admin_routes(doors: Doors) -> ZoneRouter<Admin> {
    let (pki, acme) = (doors.pki.clone(), doors.acme.clone());
    routes_of().with_state(doors).merge(lists().with_state(pki)).merge(external_routes().with_state(acme))
}

/// The contract of this room's routes.
pub fn contract() -> utoipa::openapi::OpenApi {
    let mut contract = routes_of().contract().clone();
    contract.merge(external_routes().contract().clone());
    contract
}

fn routes_of() -> ZoneRouter<Admin, Doors> {
    ZoneRouter::new()
        .routes(routes!(authorities))
        .routes(routes!(list, issue))
        .routes_with(Rules::read(), routes!(explain))
        .routes(routes!(detail))
        .routes(routes!(revoke))
        .routes(routes!(proof_of))
        .routes(routes!(overdue))
        .routes_with(Rules::heavy(), routes!(export))
        .merge(ceremony::routes_of())
        .merge(overview_routes())
        .merge(roots::routes_of())
        .merge(many::routes_of())
}

/// Whose authorities a caller sees: a tenant's program its tenant's, everybody else the house's.
fn tenant_of(caller: &Caller) -> TenantId {
    caller.tenant.unwrap_or(Id::NIL)
}

fn grade_of(caller: &Caller) -> Grade {
    let is_admin = caller.permissions == Permissions::All || caller.has("pki.init");
    if is_admin { Grade::Admin } else { Grade::Issuer }
}

// ---- authorities

/// An authority.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuthorityBody {
    /// `ca_…`
    id: String,
    environment: String,
    /// `root` or `issuing`
    kind: &'static str,
    /// `active`, `retired`, `revoked`
    state: &'static str,
    name: String,
    /// Its word in public addresses.
    handle: String,
    /// The authority that signed its certificate; absent for a root.
    parent: Option<String>,
    /// How many revocation lists it has.
    shards: u16,
    #[schema(value_type = String, format = DateTime)]
    not_before: Time,
    #[schema(value_type = String, format = DateTime)]
    not_after: Time,
    /// PEM.
    certificate: String,
}

impl From<Authority> for AuthorityBody {
    fn from(one: Authority) -> Self {
        Self {
            id: one.id.to_string(),
            environment: one.environment,
            kind: one.kind.name(),
            state: one.state.name(),
            name: one.name,
            handle: one.handle,
            parent: one.parent.map(|id| id.to_string()),
            shards: one.shards,
            not_before: one.not_before,
            not_after: one.not_after,
            certificate: pem::encode(pem::Label::Certificate, &one.der),
        }
    }
}

/// The authorities by environment, the root first.
#[utoipa::path(get, path = "/api/v1/pki/authorities", tag = "pki",
    responses((status = 200, body = inline(Reply<Items<AuthorityBody>>)), (status = 403, body = ErrorReply)))]
async fn authorities(
    State(doors): State<Doors>,
    caller: Caller,
) -> Result<Reply<Items<AuthorityBody>>, Failure> {
    caller.may("pki.read")?;
    let all = doors.pki.authorities(tenant_of(&caller)).await?;
    Ok(Reply::ok(Items { items: all.into_iter().map(AuthorityBody::from).collect(), next_page_token: None }))
}

// ---- certificates

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewCertificate {
    #[schema(example = "server")]
    profile: String,
    /// DNS names; the names of the request count when no names are given here.
    #[serde(default)]
    dns: Vec<String>,
    /// Addresses.
    #[serde(default)]
    ip: Vec<String>,
    #[serde(default)]
    uri: Vec<String>,
    #[serde(default)]
    email: Vec<String>,
    /// The common name, where the profile lives by it: the role of `db-client`.
    common_name: Option<String>,
    /// A certificate request (PKCS #10), PEM.
    csr: Option<String>,
    /// A public key (SubjectPublicKeyInfo), PEM, instead of a request.
    public_key: Option<String>,
    /// The profile's longest when nobody says.
    lifetime_seconds: Option<u64>,
    /// Who looks after it.
    #[serde(default)]
    owner: String,
    /// The environment, when there are several.
    environment: Option<String>,
}

impl NewCertificate {
    fn asked(self, caller: &Caller) -> Asked {
        let source = if caller.permissions == Permissions::All { "cli" } else { "api" };
        Asked {
            profile: self.profile,
            names: WantedNames { dns: self.dns, ip: self.ip, uri: self.uri, email: self.email },
            common_name: self.common_name,
            csr: self.csr,
            public_key: self.public_key,
            lifetime: self.lifetime_seconds.map(Duration::from_secs),
            until: None,
            owner: self.owner,
            environment: self.environment,
            source: source.to_owned(),
        }
    }
}

/// A certificate in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CertificateSummary {
    /// `cert_…`
    id: String,
    /// Hexadecimal.
    serial: String,
    /// `ca_…`
    authority: String,
    profile: &'static str,
    /// `planned`, `issued`, `revoked`, `abandoned`
    state: &'static str,
    /// The common name.
    subject: String,
    /// Each with its kind: `dns:a.example`.
    names: Vec<String>,
    owner: String,
    /// `api`, `cli`, `acme`, `internal`, `ceremony`
    source: String,
    /// SHA-256 of the SubjectPublicKeyInfo.
    spki_sha256: String,
    #[schema(value_type = String, format = DateTime)]
    not_before: Time,
    /// When two thirds of its life are over.
    #[schema(value_type = String, format = DateTime)]
    renew_at: Time,
    #[schema(value_type = String, format = DateTime)]
    not_after: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    issued_at: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Time>,
    /// Why it was revoked.
    reason: Option<&'static str>,
    #[schema(value_type = Option<String>, format = DateTime)]
    invalid_since: Option<Time>,
}

impl From<&Certificate> for CertificateSummary {
    fn from(one: &Certificate) -> Self {
        Self {
            id: one.id.to_string(),
            serial: one.serial.to_string(),
            authority: one.authority.to_string(),
            profile: one.profile.as_str(),
            state: one.state.name(),
            subject: one.subject.clone(),
            names: one.names.clone(),
            owner: one.owner.clone(),
            source: one.source.clone(),
            spki_sha256: proof::crypto::hex(&one.spki_sha256),
            not_before: one.not_before,
            renew_at: one.renew_at,
            not_after: one.not_after,
            issued_at: one.issued_at,
            revoked_at: one.revoked_at,
            reason: one.reason.map(reason_name),
            invalid_since: one.invalid_since,
        }
    }
}

/// A certificate, whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CertificateBody {
    #[serde(flatten)]
    summary: CertificateSummary,
    /// PEM; absent while nobody has it.
    certificate: Option<String>,
    /// The certificate and those above it without the root, PEM.
    chain: Option<String>,
}

async fn body_of(doors: &Doors, one: &Certificate) -> Result<CertificateBody> {
    let chain = match &one.der {
        None => None,
        Some(der) => {
            let above = doors.pki.chain(one.tenant, one.authority).await?;
            let all = std::iter::once(der.as_slice()).chain(above.iter().map(Vec::as_slice));
            Some(pem::encode_chain(all))
        }
    };
    let certificate = one.der.as_ref().map(|der| pem::encode(pem::Label::Certificate, der));
    Ok(CertificateBody { summary: one.into(), certificate, chain })
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SearchQuery {
    /// Only certificates with a name that begins so.
    name: Option<String>,
    /// Only certificates with a DNS name that ends with these labels.
    suffix: Option<String>,
    /// `planned`, `issued`, `revoked`, `abandoned`
    state: Option<String>,
    profile: Option<String>,
    owner: Option<String>,
    /// Only certificates that end before (RFC 3339).
    expires_before: Option<String>,
    /// Only certificates that end then or later (RFC 3339).
    expires_after: Option<String>,
}

impl SearchQuery {
    fn search(self) -> Result<Search> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let unknown = |field: &str, value: &str, known: String| {
            let short: String = value.chars().take(64).collect();
            error::FILTER.at(field).with("value", short).with("known", known)
        };
        let state = given(self.state);
        if let Some(name) = state.as_deref().filter(|name| Standing::parse(name).is_none()) {
            return Err(unknown("state", name, Standing::ALL.map(Standing::name).join(", ")));
        }
        let profile = given(self.profile);
        if let Some(name) = profile.as_deref().filter(|name| Profile::from_name(name).is_none()) {
            return Err(unknown("profile", name, Profile::ALL.map(Profile::as_str).join(", ")));
        }
        let moment = |text: Option<String>, field: &str| match given(text) {
            None => Ok(None),
            Some(text) => Time::parse(&text).map(Some).ok_or_else(|| error::MOMENT.at(field)),
        };
        let lower = |text: Option<String>| given(text).map(|text| text.to_ascii_lowercase());
        Ok(Search {
            name: lower(self.name),
            suffix: lower(self.suffix),
            state,
            profile,
            owner: given(self.owner),
            expires_before: moment(self.expires_before, "expiresBefore")?,
            expires_after: moment(self.expires_after, "expiresAfter")?,
        })
    }
}

/// Certificates, newest first. A search by name or suffix goes by the name, one by `expiresBefore` by the end unless an
/// owner is named.
#[utoipa::path(get, path = "/api/v1/pki/certificates", tag = "pki", params(SearchQuery, Paging),
    responses((status = 200, body = inline(Reply<Items<CertificateSummary>>)), (status = 403, body = ErrorReply)))]
async fn list(
    State(doors): State<Doors>,
    caller: Caller,
    Listed(query, paging): Listed<SearchQuery>,
) -> Result<Reply<Items<CertificateSummary>>, Failure> {
    caller.may("pki.read")?;
    let token = paging.page_token.as_deref();
    let page = doors.pki.page(tenant_of(&caller), query.search()?, paging.limit, token).await?;
    Ok(Reply::ok(page.map(|one| CertificateSummary::from(&one)).into()))
}

/// Issue a certificate.
#[utoipa::path(post, path = "/api/v1/pki/certificates", tag = "pki", request_body = NewCertificate,
    responses((status = 201, body = inline(Reply<CertificateBody>)), (status = 403, body = ErrorReply), (status = 409, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn issue(
    State(doors): State<Doors>,
    caller: Caller,
    Json(body): Json<NewCertificate>,
) -> Result<Reply<CertificateBody>, Failure> {
    caller.may("pki.issue")?;
    let (tenant, grade, asked) = (tenant_of(&caller), grade_of(&caller), body.asked(&caller));
    let issued = doors.pki.issue(&caller.call, tenant, grade, asked).await?;
    Ok(Reply::created(body_of(&doors, &issued.certificate).await?))
}

/// A reason against.
#[derive(Debug, Serialize, ToSchema)]
struct Against {
    #[schema(example = "PKI_NAME_FORBIDDEN")]
    code: &'static str,
    field: Option<String>,
    /// In the caller's language.
    message: String,
    remedy: String,
}

impl Against {
    fn all(failure: &Error, lang: Lang) -> Vec<Self> {
        if failure.details().is_empty() {
            return vec![Self {
                code: failure.code().name,
                field: failure.field().map(str::to_owned),
                message: failure.cause(lang).into_owned(),
                remedy: failure.remedy(lang).into_owned(),
            }];
        }
        failure
            .details()
            .iter()
            .map(|detail| {
                let [message, remedy] = detail.sentences(lang);
                Self { code: detail.code.name, field: Some(detail.field.clone()), message, remedy }
            })
            .collect()
    }
}

/// Something the lint found.
#[derive(Debug, Serialize, ToSchema)]
struct FindingBody {
    /// `selo.<area>.<rule>`
    rule: &'static str,
    /// `warning` or `error`
    severity: &'static str,
    citation: &'static str,
    detail: String,
}

impl From<lint::Finding> for FindingBody {
    fn from(found: lint::Finding) -> Self {
        let severity = if found.severity == lint::Severity::Error { "error" } else { "warning" };
        Self { rule: found.id, severity, citation: found.citation, detail: found.detail }
    }
}

/// What would happen.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    /// Whether it would be issued.
    allowed: bool,
    /// Every reason against.
    reasons: Vec<Against>,
    /// The authority that would sign.
    authority: String,
    environment: String,
    names: Vec<String>,
    /// How long it would last.
    lifetime_seconds: Option<u64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    not_after: Option<Time>,
    /// What the lint would say.
    findings: Vec<FindingBody>,
}

/// Say whether a certificate would be issued, for how long, and every reason against. Nothing is stored.
#[utoipa::path(post, path = "/api/v1/pki/explain", tag = "pki", request_body = NewCertificate,
    responses((status = 200, body = inline(Reply<Explanation>)), (status = 403, body = ErrorReply)))]
async fn explain(
    State(doors): State<Doors>,
    caller: Caller,
    Json(body): Json<NewCertificate>,
) -> Result<Reply<Explanation>, Failure> {
    caller.may("pki.issue")?;
    let (tenant, grade, asked) = (tenant_of(&caller), grade_of(&caller), body.asked(&caller));
    let found = doors.pki.explain(&caller.call, tenant, grade, &asked).await?;
    let lang = caller.call.lang;
    // Both ends belong to a validity, so it lasts one second longer than their difference.
    let lifetime_seconds = found.validity.map(|(from, to)| to.since(from).as_secs() + 1);
    Ok(Reply::ok(Explanation {
        allowed: found.reasons.is_empty(),
        reasons: found.reasons.iter().flat_map(|failure| Against::all(failure, lang)).collect(),
        authority: found.authority.name,
        environment: found.authority.environment,
        names: found.names,
        lifetime_seconds,
        not_before: found.validity.map(|(from, _)| from),
        not_after: found.validity.map(|(_, to)| to),
        findings: found.findings.into_iter().map(FindingBody::from).collect(),
    }))
}

/// A certificate with its chain.
#[utoipa::path(get, path = "/api/v1/pki/certificates/{id}", tag = "pki",
    params(("id" = String, Path, description = "`cert_…` or the serial number, hexadecimal")),
    responses((status = 200, body = inline(Reply<CertificateBody>)), (status = 404, body = ErrorReply)))]
async fn detail(
    State(doors): State<Doors>,
    caller: Caller,
    Path(named): Path<String>,
) -> Result<Reply<CertificateBody>, Failure> {
    caller.may("pki.read")?;
    let found = doors.pki.certificate(tenant_of(&caller), &named).await?;
    Ok(Reply::ok(body_of(&doors, &found).await?))
}

/// Why a certificate is revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Revocation {
    /// `unspecified`, `keyCompromise`, `affiliationChanged`, `superseded`, `cessationOfOperation`, `privilegeWithdrawn`, or
    /// the number of RFC 5280.
    #[schema(example = "superseded")]
    reason: String,
    /// Since when it was not to be trusted (RFC 3339).
    invalid_since: Option<String>,
}

/// Revoke a certificate, for good. A compromised key takes every certificate that holds it along.
#[utoipa::path(post, path = "/api/v1/pki/certificates/{id}/revoke", tag = "pki", request_body = Revocation,
    params(("id" = String, Path, description = "`cert_…` or the serial number, hexadecimal")),
    responses((status = 200, body = inline(Reply<Items<CertificateSummary>>)), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
async fn revoke(
    State(doors): State<Doors>,
    caller: Caller,
    Path(named): Path<String>,
    Json(body): Json<Revocation>,
) -> Result<Reply<Items<CertificateSummary>>, Failure> {
    caller.may("pki.revoke")?;
    let reason = parse_reason(&body.reason)?;
    let since = match body.invalid_since {
        None => None,
        Some(text) => Some(Time::parse(&text).ok_or_else(|| error::MOMENT.at("invalidSince"))?),
    };
    let revoked = doors.pki.revoke(&caller.call, tenant_of(&caller), &named, reason, since).await?;
    Ok(Reply::ok(Items {
        items: revoked.iter().map(CertificateSummary::from).collect(),
        next_page_token: None,
    }))
}

/// The proof that the issuing of a certificate stands in the log `ca` (C2SP tlog-proof).
#[utoipa::path(get, path = "/api/v1/pki/certificates/{id}/proof", tag = "pki",
    params(("id" = String, Path, description = "`cert_…` or the serial number, hexadecimal")),
    responses((status = 200, content_type = "text/plain", body = String), (status = 404, body = ErrorReply), (status = 503, body = ErrorReply)))]
async fn proof_of(
    State(doors): State<Doors>,
    caller: Caller,
    Path(named): Path<String>,
) -> Result<Response, Failure> {
    caller.may("pki.read")?;
    let fact = doors.pki.issued_fact(tenant_of(&caller), &named).await?;
    let proof = doors.proofs.prove(fact).await?;
    let mut response = proof.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Certificates in force that have passed two thirds of their life and that none of the same names follows, those that
/// end first.
#[utoipa::path(get, path = "/api/v1/pki/overdue", tag = "pki", params(Paging),
    responses((status = 200, body = inline(Reply<Items<CertificateSummary>>)), (status = 403, body = ErrorReply)))]
async fn overdue(
    State(doors): State<Doors>,
    caller: Caller,
    paging: Paging,
) -> Result<Reply<Items<CertificateSummary>>, Failure> {
    caller.may("pki.read")?;
    let page = doors.pki.overdue(tenant_of(&caller), paging.limit, paging.page_token.as_deref()).await?;
    Ok(Reply::ok(page.map(|one| CertificateSummary::from(&one)).into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExportQuery {
    /// `csv` or `json`; `csv` when nobody says
    format: Option<String>,
    /// Only certificates with a name that begins so.
    name: Option<String>,
    /// Only certificates with a DNS name that ends with these labels.
    suffix: Option<String>,
    /// `planned`, `issued`, `revoked`, `abandoned`
    state: Option<String>,
    profile: Option<String>,
    owner: Option<String>,
    /// Only certificates that end before (RFC 3339).
    expires_before: Option<String>,
    /// Only certificates that end then or later (RFC 3339).
    expires_after: Option<String>,
}

impl ExportQuery {
    fn search(self) -> Result<Search> {
        let Self { format: _, name, suffix, state, profile, owner, expires_before, expires_after } = self;
        SearchQuery { name, suffix, state, profile, owner, expires_before, expires_after }.search()
    }
}

/// The inventory, or what a search finds in it, at most 100,000 certificates.
#[utoipa::path(get, path = "/api/v1/pki/export", tag = "pki", params(ExportQuery),
    responses((status = 200, content_type = "text/csv", body = String), (status = 422, body = ErrorReply)))]
async fn export(
    State(doors): State<Doors>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Failure> {
    caller.may("pki.read")?;
    let format = query.format.as_deref().unwrap_or("csv");
    if !matches!(format, "csv" | "json") {
        let short: String = format.chars().take(64).collect();
        return Err(error::FILTER.at("format").with("value", short).with("known", "csv, json").into());
    }
    let is_json = format == "json";
    let all = doors.pki.export(tenant_of(&caller), query.search()?).await?;
    let (media, body) = if is_json {
        let rows: Vec<CertificateSummary> = all.iter().map(CertificateSummary::from).collect();
        ("application/json", serde_json::to_vec(&rows).map_err(|e| base::error::INTERNAL.because(e))?)
    } else {
        ("text/csv; charset=utf-8", table(&all)?)
    };
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The inventory as a table. What a spreadsheet would take for a formula gets an apostrophe.
fn table(all: &[Certificate]) -> Result<Vec<u8>> {
    let fault = |e: csv::Error| base::error::INTERNAL.because(e);
    let plain = |text: &str| {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        if formula { format!("'{text}") } else { text.to_owned() }
    };
    let time = |time: Option<Time>| time.map(Time::rfc3339).unwrap_or_default();
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "id",
        "serial",
        "profile",
        "state",
        "subject",
        "names",
        "owner",
        "source",
        "not_before",
        "not_after",
        "renew_at",
        "issued_at",
        "revoked_at",
        "reason",
        "spki_sha256",
    ])
    .map_err(fault)?;
    for one in all {
        out.write_record([
            one.id.to_string(),
            one.serial.to_string(),
            one.profile.as_str().to_owned(),
            one.state.name().to_owned(),
            plain(&one.subject),
            plain(&one.names.join(" ")),
            plain(&one.owner),
            one.source.clone(),
            one.not_before.rfc3339(),
            one.not_after.rfc3339(),
            one.renew_at.rfc3339(),
            time(one.issued_at),
            time(one.revoked_at),
            one.reason.map(reason_name).unwrap_or_default().to_owned(),
            proof::crypto::hex(&one.spki_sha256),
        ])
        .map_err(fault)?;
    }
    out.into_inner().map_err(|e| base::error::INTERNAL.because(e.into_error()))
}
