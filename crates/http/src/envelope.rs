//! The shapes that leave the house: [`Reply`] for success, and for failures the house's shape, RFC 9457 when asked
//! for, or a page for a browser of the public zone.
//!
//! Only this file turns a `base::Error` into bytes. Never here: the error's source; that is for the log.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Lang};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A successful answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reply<T> {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// What was asked for.
    data: T,
    /// A sentence for people, or null.
    message: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    status: u16,
    #[serde(skip)]
    #[schema(ignore)]
    headers: Vec<(&'static str, String)>,
}

impl<T> Reply<T> {
    /// 200 with data.
    pub const fn ok(data: T) -> Self {
        Self { success: true, data, message: None, status: 200, headers: Vec::new() }
    }
    /// 201 with data.
    pub const fn created(data: T) -> Self {
        Self { success: true, data, message: None, status: 201, headers: Vec::new() }
    }
    /// 202 with data: it will be done later.
    pub const fn accepted(data: T) -> Self {
        Self { success: true, data, message: None, status: 202, headers: Vec::new() }
    }
    /// Adds a sentence for people, in the caller's language.
    #[must_use]
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.message = Some(text.into());
        self
    }
    /// Adds a header; a value that no header can hold is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
    /// The data inside.
    pub fn into_data(self) -> T {
        self.data
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let body = match serde_json::to_vec(&self) {
            Ok(body) => body,
            Err(error) => {
                return crate::Failure(base::error::INTERNAL.because(error)).into_response();
            }
        };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = with_type(status, "application/json", body);
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// A page of a list as it stands in `data`; the schema twin of `base::Page`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Items<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

impl<T> From<base::Page<T>> for Items<T> {
    fn from(page: base::Page<T>) -> Self {
        Self { items: page.items, next_page_token: page.next_page_token }
    }
}

/// The house's error shape, for the contract.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorReply {
    /// Always false.
    #[schema(example = false)]
    pub success: bool,
    /// What went wrong.
    pub error: ErrorBody,
    /// The request's id, also in the header `X-Request-Id`.
    #[schema(example = "req_01jd8x4q9zt3v5w7y9a1c3e5g7")]
    pub request_id: String,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Stable and documented.
    #[schema(example = "VALIDATION_ERROR")]
    pub code: &'static str,
    /// What happened, in the caller's language.
    pub message: String,
    /// What to do about it, in the caller's language.
    pub remedy: String,
    /// Which places, when there are any.
    pub details: Vec<ErrorDetail>,
}

/// One place that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// A JSON pointer, a column, a parameter.
    #[schema(example = "/row/email")]
    pub field: String,
    /// The code of this place.
    pub code: &'static str,
    /// Cause and remedy, in the caller's language.
    pub message: String,
}

/// Renders a page for a browser of the public zone: the error, the language, the request's id. `None` gives JSON.
pub type ErrorPage = fn(&Error, Lang, &str) -> Option<String>;

/// The shape that the caller asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    House,
    Problem,
    Page,
}

impl Shape {
    /// Looks into `Accept` (RFC 9110 §12.5.1): problem+json when it is named, a page when HTML is named and JSON is not.
    pub(crate) fn asked(headers: &HeaderMap) -> Self {
        let mut html = false;
        for value in headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
            for part in value.split(',').take(32) {
                let mut pieces = part.split(';').map(str::trim);
                let media = pieces.next().unwrap_or_default();
                if pieces.any(|piece| matches!(piece, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")) {
                    continue;
                }
                if media.eq_ignore_ascii_case("application/problem+json") {
                    return Self::Problem;
                }
                if media.eq_ignore_ascii_case("application/json") {
                    return Self::House;
                }
                html |= media.eq_ignore_ascii_case("text/html");
            }
        }
        if html { Self::Page } else { Self::House }
    }
}

fn details(error: &Error, lang: Lang) -> Vec<ErrorDetail> {
    let several = error.details().iter().map(|detail| ErrorDetail {
        field: detail.field.clone(),
        code: detail.code.name,
        message: detail.message(lang),
    });
    let alone = error.field().filter(|_| error.details().is_empty()).map(|field| ErrorDetail {
        field: field.to_owned(),
        code: error.code().name,
        message: format!("{} {}", error.cause(lang), error.remedy(lang)),
    });
    several.chain(alone).collect()
}

/// The house's shape.
pub(crate) fn house_shape(error: &Error, lang: Lang, request: &str) -> ErrorReply {
    ErrorReply {
        success: false,
        error: ErrorBody {
            code: error.code().name,
            message: error.cause(lang).into_owned(),
            remedy: error.remedy(lang).into_owned(),
            details: details(error, lang),
        },
        request_id: request.to_owned(),
    }
}

/// RFC 9457. `type` is a name of ours, not an address; `title` does not change with the occurrence (§3.1.3).
pub(crate) fn problem_shape(error: &Error, status: StatusCode, lang: Lang, request: &str) -> Value {
    json!({
        "type": format!("urn:selo:error:{}", error.code().name),
        "title": error.code().name,
        "status": status.as_u16(),
        "detail": error.cause(lang),
        "instance": format!("urn:selo:request:{request}"),
        "code": error.code().name,
        "remedy": error.remedy(lang),
        "errors": details(error, lang),
        "requestId": request,
    })
}

/// Turns an error into a whole response.
pub(crate) fn render(
    error: &Error,
    status: StatusCode,
    shape: Shape,
    lang: Lang,
    request: &str,
    page: Option<ErrorPage>,
) -> Response {
    let html = if shape == Shape::Page { page.and_then(|page| page(error, lang, request)) } else { None };
    let mut response = match (html, shape) {
        (Some(html), _) => with_type(status, "text/html; charset=utf-8", html),
        (None, Shape::Problem) => {
            let body = problem_shape(error, status, lang, request).to_string();
            with_type(status, "application/problem+json", body)
        }
        (None, _) => {
            // Only strings and a boolean are inside, so writing them cannot fail.
            let body = serde_json::to_vec(&house_shape(error, lang, request)).unwrap_or_default();
            with_type(status, "application/json", body)
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-language, cookie"));
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"selo\""));
    }
    response
}

fn with_type(status: StatusCode, media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
