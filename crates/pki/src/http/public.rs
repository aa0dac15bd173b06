//! What strangers ask of an authority: its certificate, its lists, its answers. Plain HTTP, since a check of revocation
//! over TLS could need itself.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{Error, Kind, Time};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_kit::{Failure, Rules, Zone, ZoneRouter};
use proof::x509::ocsp::{OCSP_REQUEST_BYTES_MAX, OcspError};

use crate::service::{Pki, Reply, SignedList};

/// Longest request in an address, as base64 (RFC 5019 §5).
const GET_BYTES_MAX: usize = 255;

/// What relying parties ask for, in the public zone and in that of plain HTTP.
pub fn public_routes<Z: Zone>(pki: Pki) -> ZoneRouter<Z> {
    let ocsp = Rules::check().body_bytes(OCSP_REQUEST_BYTES_MAX).in_dialect(ocsp_refusal);
    ZoneRouter::new()
        .page("/ocsp", ocsp, post(ocsp_post))
        .page("/ocsp/{*request}", ocsp, get(ocsp_get))
        .merge(lists())
        .with_state(pki)
}

/// Lists and certificates, which administrators read as well.
pub(super) fn lists<Z: Zone>() -> ZoneRouter<Z, Pki> {
    let open = Rules::check().open_to_every_origin();
    ZoneRouter::new()
        .page("/crl/{handle}", open, get(root_list))
        .page("/crl/{handle}/{shard}", open, get(shard_list))
        .page("/ca/{handle}", open, get(certificate))
}

fn nothing() -> Failure {
    http_kit::error::NOT_FOUND.error().into()
}

/// What the door refuses, as OCSP says it (RFC 6960 §2.3): five bytes without a signature.
fn ocsp_refusal(failure: &Error, _: StatusCode) -> Response {
    let status = match failure.kind() {
        Kind::Malformed | Kind::Invalid | Kind::TooLarge => OcspError::MalformedRequest,
        Kind::TooMany | Kind::Unavailable | Kind::Full => OcspError::TryLater,
        _ => OcspError::InternalError,
    };
    let mut response = status.response().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/ocsp-response"));
    response
}

async fn ocsp_post(State(pki): State<Pki>, body: Bytes) -> Response {
    // RFC 5019 §6.1: only what was asked by GET may be kept on the way.
    answered(Reply { cache: None, ..pki.answer(&body).await }, pki.house.now())
}

async fn ocsp_get(State(pki): State<Pki>, Path(request): Path<String>) -> Response {
    let der = if request.len() > GET_BYTES_MAX { None } else { STANDARD.decode(&request).ok() };
    // What is no base64 is answered like every other request that is none.
    answered(pki.answer(&der.unwrap_or_default()).await, pki.house.now())
}

fn answered(reply: Reply, now: Time) -> Response {
    let digest = proof::crypto::hex(&proof::crypto::sha256(&reply.bytes));
    let body = Arc::try_unwrap(reply.bytes).unwrap_or_else(|shared| shared.as_ref().clone());
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/ocsp-response"));
    match reply.cache {
        None => {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        Some((since, until)) => kept(headers, now, since, until, &digest),
    }
    response
}

/// How long an answer or a list may be kept on the way: at most until half of what is left of it, so that a
/// revocation is seen.
fn kept(headers: &mut HeaderMap, now: Time, since: Time, until: Time, tag: &str) {
    let seconds = (until.since(now).as_secs() / 2).min(KEPT_SECONDS_MAX);
    let texts = [
        (header::CACHE_CONTROL, format!("public, max-age={seconds}, no-transform, must-revalidate")),
        (header::ETAG, format!("\"{tag}\"")),
        (header::LAST_MODIFIED, http_date(since)),
        (header::EXPIRES, http_date(until)),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
}

/// Lists and answers are kept on the way no longer: a revocation must be seen at once.
const KEPT_SECONDS_MAX: u64 = 10;

/// IMF-fixdate (RFC 9110 §5.6.7).
fn http_date(time: Time) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = time.whole_second().rfc3339();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let weekday = usize::try_from(time.seconds().div_euclid(86_400).rem_euclid(7)).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().unwrap_or_default().saturating_sub(1);
    format!(
        "{}, {} {} {} {} GMT",
        DAYS.get(weekday).copied().unwrap_or_default(),
        part(8, 10),
        MONTHS.get(month).copied().unwrap_or_default(),
        part(0, 4),
        part(11, 19)
    )
}

async fn root_list(
    State(pki): State<Pki>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Result<Response, Failure> {
    let handle = file.strip_suffix(".crl").ok_or_else(nothing)?;
    let list = pki.list(handle, None).await?.ok_or_else(nothing)?;
    Ok(list_file(&headers, list, pki.house.now()))
}

async fn shard_list(
    State(pki): State<Pki>,
    headers: HeaderMap,
    Path((handle, file)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let number = file.strip_suffix(".crl").ok_or_else(nothing)?;
    // One spelling each: a list is one file with one address.
    let shard: u16 = number.parse().map_err(|_| nothing())?;
    if shard.to_string() != number {
        return Err(nothing());
    }
    let list = pki.list(&handle, Some(shard)).await?.ok_or_else(nothing)?;
    Ok(list_file(&headers, list, pki.house.now()))
}

fn list_file(asked: &HeaderMap, list: SignedList, now: Time) -> Response {
    let tag = proof::crypto::hex(&proof::crypto::sha256(&list.der));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known.is_some_and(|known| known.contains(&tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        list.der.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pkix-crl"));
    kept(headers, now, list.this_update, list.next_update, &tag);
    response
}

async fn certificate(State(pki): State<Pki>, Path(file): Path<String>) -> Result<Response, Failure> {
    let handle = file.strip_suffix(".cer").ok_or_else(nothing)?;
    let authority = pki.authority(handle).await?.ok_or_else(nothing)?;
    let mut response = authority.der.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pkix-cert"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_wants_them() {
        let time = Time::parse("1994-11-06T08:49:37Z").unwrap();
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
