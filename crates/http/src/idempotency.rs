//! `Idempotency-Key`: the same request twice does its work once (draft-ietf-httpapi-idempotency-key-header).
//!
//! A key belongs to a tenant and actor and to one request (method, address, body). The first answer of 2xx is kept
//! and given again; a refusal is not kept, because nothing was done and asking again may be right.
//! Never kept: a cookie. A route whose answer shows a secret once must not be idempotent.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base::{Clock, Error, Result, Time};
use bytes::Bytes;

use crate::{
    Failure,
    caller::{Boxed, recognise},
    error::{
        BODY_TOO_LARGE, IDEMPOTENCY_FORGOTTEN, IDEMPOTENCY_IN_FLIGHT, IDEMPOTENCY_KEY, IDEMPOTENCY_REUSED,
        MALFORMED_REQUEST,
    },
};

/// The longest key.
pub const KEY_BYTES_MAX: usize = 255;
/// The longest answer that is kept; longer ones are given once.
pub const REPLY_BYTES_MAX: usize = 1 << 20;
/// After this long a claim that was never finished is free again: its process died.
pub const CLAIM_TIME_MAX: Duration = Duration::from_secs(300);
/// So long an answer is kept.
pub const REPLY_TIME: Duration = Duration::from_secs(24 * 3_600);

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEPT_HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The status.
    pub status: u16,
    /// Names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// What the store says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// New: the caller of `claim` now does the work and calls `finish`.
    Fresh,
    /// Done before, with this answer.
    Replay(Kept),
    /// Done before; the answer had to be forgotten.
    Forgotten,
    /// Somebody does it now.
    InFlight,
    /// The key was used for another request.
    Mismatch,
}

/// Where keys are kept; the database one belongs to the roof.
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Claims a key, atomically. `scope` is tenant and actor, `digest` the SHA-256 of the request. A claim older than
    /// [`CLAIM_TIME_MAX`] without an answer, and an answer older than [`REPLY_TIME`], count as absent.
    fn claim<'a>(&'a self, scope: &'a str, key: &'a str, digest: [u8; 32]) -> Boxed<'a, Result<Claim>>;
    /// Keeps the answer, or with none sets the key free again.
    fn finish<'a>(&'a self, scope: &'a str, key: &'a str, kept: Option<Kept>) -> Boxed<'a, Result<()>>;
}

/// Runs the handler once per key. Without the header, without a caller: as if this were not here.
pub(crate) async fn once(
    store: Option<&dyn IdempotencyStore>,
    body_bytes_max: usize,
    request: Request,
    next: Next,
) -> Response {
    let (Some(store), Some(value)) = (store, request.headers().get(KEY)) else {
        return next.run(request).await;
    };
    let Some(key) = key_of(value) else {
        return Failure(IDEMPOTENCY_KEY.at("Idempotency-Key")).into_response();
    };
    let (mut parts, body) = request.into_parts();
    let caller = match recognise(&mut parts).await {
        Ok(caller) => caller,
        Err(error) => return Failure(error).into_response(),
    };
    let body = match axum::body::to_bytes(body, body_bytes_max).await {
        Ok(body) => body,
        Err(error) => return Failure(unread(&error, body_bytes_max)).into_response(),
    };
    let tenant = caller.tenant.map_or_else(|| "-".to_owned(), |tenant| tenant.to_string());
    let scope = format!("{tenant}/{}/{}", caller.call.actor.kind.name(), caller.call.actor.id);
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let media = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let digest = digest(&[parts.method.as_str().as_bytes(), target.as_bytes(), media, &body]);
    match store.claim(&scope, &key, digest).await {
        Ok(Claim::Fresh) => {}
        Ok(Claim::Replay(kept)) => return replay(kept),
        Ok(Claim::Forgotten) => return Failure(IDEMPOTENCY_FORGOTTEN.error()).into_response(),
        Ok(Claim::InFlight) => return Failure(IDEMPOTENCY_IN_FLIGHT.error().retry_after(1)).into_response(),
        Ok(Claim::Mismatch) => return Failure(IDEMPOTENCY_REUSED.at("Idempotency-Key")).into_response(),
        Err(error) => return Failure(error).into_response(),
    }
    let ran = std::panic::AssertUnwindSafe(next.run(Request::from_parts(parts, Body::from(body))));
    let (response, kept) = match futures_util::FutureExt::catch_unwind(ran).await {
        Ok(response) => keep(response).await,
        Err(payload) => {
            // The key must be free again before the panic goes on to the door.
            let _ = store.finish(&scope, &key, None).await;
            std::panic::resume_unwind(payload)
        }
    };
    if let Err(error) = store.finish(&scope, &key, kept).await {
        tracing::warn!(code = error.code().name, "An answer could not be kept for its Idempotency-Key");
    }
    response
}

fn key_of(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?.trim();
    // The draft writes the key as a quoted string; most clients send it bare.
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits =
        !text.is_empty() && text.len() <= KEY_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| text.to_owned())
}

/// SHA-256 over length-prefixed parts, so that no two requests run into each other.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// Why a body could not be read.
pub(crate) fn unread(error: &(dyn std::error::Error + 'static), limit: usize) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return BODY_TOO_LARGE.error().with("limit", limit);
        }
        cause = error.source();
    }
    MALFORMED_REQUEST.error()
}

async fn keep(response: Response) -> (Response, Option<Kept>) {
    let hint = axum::body::HttpBody::size_hint(response.body()).upper();
    if !response.status().is_success() || hint.is_none_or(|upper| upper > REPLY_BYTES_MAX as u64) {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, REPLY_BYTES_MAX).await else {
        return (Failure(base::error::INTERNAL.error()).into_response(), None);
    };
    let text = |name: &HeaderName| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    let headers = KEPT_HEADERS.iter().filter_map(text).collect();
    let kept = Kept { status: parts.status.as_u16(), headers, body: body.clone() };
    (Response::from_parts(parts, Body::from(body)), Some(kept))
}

fn replay(kept: Kept) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    (status, headers, Body::from(kept.body)).into_response()
}

/// Keys in memory, for tests and for houses without a database.
pub struct MemoryIdempotency {
    clock: Arc<dyn Clock>,
    /// (scope, key) to what is known; locked for one look at a time.
    known: Mutex<HashMap<(String, String), Known>>,
}

struct Known {
    digest: [u8; 32],
    since: Time,
    kept: Option<Kept>,
}

impl MemoryIdempotency {
    const KEYS_MAX: usize = 10_000;

    /// No keys yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: Mutex::default() }
    }

    fn look(&self, scope: &str, key: &str, digest: [u8; 32]) -> Claim {
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let lasts = |known: &Known| if known.kept.is_some() { REPLY_TIME } else { CLAIM_TIME_MAX };
        known.retain(|_, entry| now.since(entry.since) < lasts(entry));
        match known.get(&(scope.to_owned(), key.to_owned())) {
            Some(entry) if entry.digest != digest => return Claim::Mismatch,
            Some(Known { kept: Some(kept), .. }) => return Claim::Replay(kept.clone()),
            Some(_) => return Claim::InFlight,
            None => {}
        }
        if known.len() >= Self::KEYS_MAX
            && let Some(oldest) =
                known.iter().min_by_key(|(_, entry)| entry.since).map(|(key, _)| key.clone())
        {
            known.remove(&oldest);
        }
        known.insert((scope.to_owned(), key.to_owned()), Known { digest, since: now, kept: None });
        Claim::Fresh
    }
}

impl IdempotencyStore for MemoryIdempotency {
    fn claim<'a>(&'a self, scope: &'a str, key: &'a str, digest: [u8; 32]) -> Boxed<'a, Result<Claim>> {
        Box::pin(async move { Ok(self.look(scope, key, digest)) })
    }

    fn finish<'a>(&'a self, scope: &'a str, key: &'a str, kept: Option<Kept>) -> Boxed<'a, Result<()>> {
        Box::pin(async move {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let name = (scope.to_owned(), key.to_owned());
            match kept {
                Some(kept) => {
                    if let Some(entry) = known.get_mut(&name) {
                        entry.kept = Some(kept);
                    }
                }
                None => {
                    known.remove(&name);
                }
            }
            Ok(())
        })
    }
}
