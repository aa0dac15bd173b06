//! The doors of checking: pages for people, JSON for programs. A failed check is 200 with `outcome: invalid`; only a
//! request that is itself no request is refused.

use axum::{
    extract::{FromRequest, Multipart, Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::Error;
use http_kit::{Context, ErrorReply, Failure, OwnShape, Public, Reply, Rules, Zone, ZoneRouter, page};
use proof::verify::{KnownHolder, PDF_BYTES_MAX};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::{
    error, pages,
    service::{Options, Shown, Verifier, lang},
};

/// A form's frame around the largest document.
const FORM_BYTES: usize = 64 * 1024;
/// Parts of a form that are looked at.
const PARTS_MAX: usize = 8;

/// The routes of the public zone.
pub fn public_routes(verifier: Verifier) -> ZoneRouter<Public> {
    let heavy = check_rules();
    ZoneRouter::new()
        .page("/", Rules::read().indexable(), get(landing))
        .page("/verify", heavy, post(handed_in).get(landing))
        .page("/v/{handle}", Rules::read(), get(public_page))
        .page("/v/{handle}/picture.png", Rules::read(), get(picture))
        .page("/v/{handle}/record.tlog-proof", Rules::read(), get(evidence))
        .routes_with(heavy.not_idempotent(), routes!(check))
        .with_state(verifier)
        .merge(page::routes())
}

/// The check by API alone, in whatever zone a program comes by.
pub fn program_routes<Z: Zone>(verifier: Verifier) -> ZoneRouter<Z> {
    ZoneRouter::new().routes_with(check_rules().not_idempotent(), routes!(check)).with_state(verifier)
}

/// Checking costs us, and takes the largest document there is.
const fn check_rules() -> Rules {
    Rules::heavy().body_bytes(PDF_BYTES_MAX + FORM_BYTES)
}

/// The contract of these routes.
pub fn contract() -> utoipa::openapi::OpenApi {
    ZoneRouter::<Public, Verifier>::new().routes(routes!(check)).contract().clone()
}

fn html(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    response
}

async fn landing(State(verifier): State<Verifier>, Context(call): Context) -> Response {
    html(StatusCode::OK, pages::landing(call.lang, &verifier.host(), None))
}

async fn public_page(
    State(verifier): State<Verifier>,
    Context(call): Context,
    Path(handle): Path<String>,
) -> Result<Response, Failure> {
    Ok(html(StatusCode::OK, verifier.page(&handle, call.lang).await?))
}

async fn picture(State(verifier): State<Verifier>, Path(handle): Path<String>) -> Result<Response, Failure> {
    let picture = verifier.picture(&handle).await?;
    let mut response = Response::new(picture.as_ref().clone().into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    Ok(response)
}

/// C2SP tlog-proof: for anybody's tools, with nothing in it that the public log does not say.
async fn evidence(State(verifier): State<Verifier>, Path(handle): Path<String>) -> Result<Response, Failure> {
    let mut response = Response::new(verifier.evidence(&handle).await?.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"record.tlog-proof\""),
    );
    Ok(response)
}

async fn handed_in(
    State(verifier): State<Verifier>,
    Context(call): Context,
    request: Request,
) -> Result<Response, Response> {
    // What can be mended is said above the form, so that nobody has to go back.
    let again = |problem: Error| {
        if problem.kind().status() != 400 {
            return Failure(problem).into_response();
        }
        let page = pages::landing(call.lang, &verifier.host(), Some(&problem));
        let mut response = html(StatusCode::BAD_REQUEST, page);
        response.extensions_mut().insert(OwnShape);
        response
    };
    let bytes = match handed(request).await {
        Ok(bytes) => bytes,
        Err(Refusal::Ours(problem)) => return Err(again(problem)),
        Err(Refusal::Framework(response)) => return Err(response),
    };
    let shown = verifier.verify_handed_in(&bytes, &Options::default()).await.map_err(again)?;
    let path = match &shown {
        Shown::Checked { handle: Some(handle), .. } => format!("/v/{handle}"),
        _ => "/verify".to_owned(),
    };
    Ok(html(StatusCode::OK, pages::checked(&shown, call.lang, &verifier.host(), &path)))
}

/// Why nothing could be taken out of a request.
enum Refusal {
    Ours(Error),
    /// The framework's own answer (415, 413), which the door gives its shape.
    Framework(Response),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Ours(problem) => Failure(problem).into_response(),
            Self::Framework(response) => response,
        }
    }
}

fn media(request: &Request) -> &str {
    request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The one file or text of a form, or a plain body.
async fn handed(request: Request) -> Result<Vec<u8>, Refusal> {
    if !media(&request).starts_with("multipart/form-data") {
        let body = axum::body::Bytes::from_request(request, &()).await;
        return body.map(Into::into).map_err(|refused| Refusal::Framework(refused.into_response()));
    }
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|_| Refusal::Ours(error::UPLOAD.error()))?;
    let mut found: Option<Vec<u8>> = None;
    for _ in 0..PARTS_MAX {
        let Some(field) = form.next_field().await.map_err(unreadable)? else {
            return found.ok_or_else(|| Refusal::Ours(error::NOTHING.error()));
        };
        let wanted = matches!(field.name(), Some("file" | "text"));
        let bytes = field.bytes().await.map_err(unreadable)?;
        if !wanted || bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if found.is_some() {
            return Err(Refusal::Ours(error::SEVERAL.error()));
        }
        found = Some(bytes.into());
    }
    Err(Refusal::Ours(error::UPLOAD.error()))
}

/// A form that is too long keeps its 413; any other trouble is ours to explain.
fn unreadable(refused: axum::extract::multipart::MultipartError) -> Refusal {
    if refused.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::Framework(refused.into_response());
    }
    Refusal::Ours(error::UPLOAD.error())
}

/// What is known of the holder beforehand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// The kind of identity.
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "emailAddress")]
    kind: String,
    /// Its value.
    #[schema(example = "ana@example.org")]
    value: String,
}

/// The JSON form of a check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CheckOrder<'a> {
    /// The credential as an object, or as a string that holds it, or a link to its public page.
    #[serde(borrow)]
    #[schema(value_type = Object)]
    credential: &'a RawValue,
    /// Whether an issuer that is not on the list makes the outcome invalid; otherwise it is a warning.
    #[serde(default)]
    require_trust: bool,
    /// What is known of the holder; then the credential must be this holder's.
    known: Option<Known>,
}

/// One check, as programs read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckBody {
    /// Stable code; passing checks carry the main code of their family.
    #[schema(example = "PROOF_VALUE")]
    code: String,
    /// What came out.
    #[schema(example = "pass", pattern = "^(pass|fail|warn|unknown|skipped)$")]
    result: String,
    /// Why, in the caller's language.
    reason: String,
    /// What to do; empty for nothing.
    remedy: String,
    /// JSON pointer (RFC 6901) to the member concerned.
    field: Option<String>,
}

/// The answer of a check. The members are those of the command line's `selo verify --json`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportBody {
    /// valid, invalid, or unknown for what could not be decided.
    #[schema(example = "valid", pattern = "^(valid|invalid|unknown)$")]
    outcome: String,
    /// The outcome is valid.
    valid: bool,
    /// The issuer is on the trust list.
    trusted: bool,
    /// The kind of credential.
    #[schema(example = "open-badge3")]
    format: Option<String>,
    /// What it came in.
    #[schema(example = "json")]
    carrier: Option<String>,
    /// Who issued it.
    #[schema(value_type = Object)]
    issuer: Value,
    /// Whom it is about.
    #[schema(value_type = Object)]
    subject: Value,
    /// Every signed value.
    #[schema(value_type = Vec<Object>)]
    fields: Value,
    /// From when until when.
    #[schema(value_type = Object)]
    validity: Value,
    /// What the issuer says of it now.
    #[schema(value_type = Object)]
    status: Value,
    /// Every check in its order.
    checks: Vec<CheckBody>,
    /// The page of another house that a picture's QR code leads to: `address` and `host`. It was not asked.
    #[schema(value_type = Option<Object>)]
    link: Option<Value>,
    /// When it was checked (RFC 3339, UTC).
    verified_at: String,
}

/// Check a credential.
///
/// Takes a multipart form with one `file`, JSON `{"credential": …}`, or the document itself as the body: JSON, PNG, SVG,
/// PDF, or a PNG or JPEG that shows its QR code. A document that does not hold is a good answer: 200 with
/// `outcome: invalid` and the reasons. A code of this house is answered as its page is; one of another house is not
/// followed: `outcome: unknown`, and `link` names it.
#[utoipa::path(post, path = "/api/v1/verify", tag = "verify", operation_id = "verify",
    request_body(content(
        (inline(CheckOrder<'static>) = "application/json"),
        (String = "multipart/form-data"),
        (String = "application/octet-stream"))),
    responses(
        (status = 200, description = "What the check came to", body = inline(Reply<ReportBody>)),
        (status = 400, description = "The request itself is wrong", body = ErrorReply),
        (status = 404, description = "The link handed in leads nowhere", body = ErrorReply),
        (status = 413, description = "Larger than accepted", body = ErrorReply),
        (status = 429, description = "Too many requests", body = ErrorReply)))]
async fn check(
    State(verifier): State<Verifier>,
    Context(call): Context,
    request: Request,
) -> Result<Response, Response> {
    let is_json = media(&request).to_ascii_lowercase().contains("json");
    let body = handed(request).await.map_err(IntoResponse::into_response)?;
    let fail = |problem: Error| Failure(problem).into_response();
    let (bytes, options) = if is_json { order(body).map_err(fail)? } else { (body, Options::default()) };
    let shown = verifier.verify_handed_in(&bytes, &options).await.map_err(fail)?;
    let data = match shown {
        Shown::Checked { report, at, .. } => {
            let mut data = report.to_json(lang(call.lang));
            data["verifiedAt"] = Value::String(at.whole_second().rfc3339());
            data
        }
        Shown::Erased { at } => serde_json::json!({
            "outcome": "unknown", "valid": false, "trusted": false, "checks": [], "erasedAt": at.rfc3339(),
        }),
    };
    Ok(Reply::ok(data).into_response())
}

/// Takes the credential out of the JSON exactly as it was sent, so that a name that stands twice is seen by the check.
fn order(body: Vec<u8>) -> Result<(Vec<u8>, Options), Error> {
    #[derive(Deserialize)]
    struct Bare {
        #[serde(rename = "@context")]
        _context: serde::de::IgnoredAny,
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(error::NOTHING.error());
    }
    let order: CheckOrder<'_> = match serde_json::from_slice(&body) {
        Ok(order) => order,
        // The document itself, without an envelope.
        Err(_) if serde_json::from_slice::<Bare>(&body).is_ok() => return Ok((body, Options::default())),
        Err(refused) => return Err(error::UPLOAD.error().because(refused)),
    };
    let raw = order.credential.get();
    let bytes =
        serde_json::from_str::<String>(raw).map_or_else(|_| raw.as_bytes().to_vec(), String::into_bytes);
    let holder = order.known.map(|known| KnownHolder { kind: known.kind, value: known.value });
    Ok((bytes, Options { require_trust: order.require_trust, holder }))
}
