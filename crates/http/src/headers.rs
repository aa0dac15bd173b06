//! Headers that every response carries, cross-origin reading, and the proof that a change comes from our own page.
//!
//! No inline script or style is ever allowed, so a page needs no nonce and can be cached. Never here: an exception
//! for one page.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use base::{Error, Result};

use crate::{
    error::CROSS_ORIGIN,
    zone::{Cors, Rules},
};

/// Content Security Policy Level 3, with Trusted Types: only our own files, no frame around us, no plug-in.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";
const FEATURES: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), \
     geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), \
     publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()";
const ALLOW_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const ALLOW_HEADERS: &str =
    "accept, accept-language, authorization, content-type, idempotency-key, traceparent";
const EXPOSE_HEADERS: &str =
    "etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, x-request-id";

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What stands on every response of a zone.
pub(crate) fn security(https: bool) -> Vec<(HeaderName, HeaderValue)> {
    let mut list = vec![
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("permissions-policy"), HeaderValue::from_static(FEATURES)),
    ];
    if https {
        list.push((header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")));
    }
    list
}

/// Headers that depend on the route: who may embed and index it, and whether it may be kept.
pub(crate) fn by_route(headers: &mut HeaderMap, rules: &Rules) {
    let corp = if rules.cors == Cors::Open { "cross-origin" } else { "same-origin" };
    headers.insert(CORP, HeaderValue::from_static(corp));
    if !rules.indexable {
        headers.entry(ROBOTS).or_insert(HeaderValue::from_static("noindex, nofollow"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Lets a page of another origin read the answer, when route or operator allow it (Fetch §3.3).
pub(crate) fn cross_origin(
    asked: Option<&HeaderValue>,
    method: &Method,
    rules: &Rules,
    listed: &[HeaderValue],
    headers: &mut HeaderMap,
) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if rules.cors == Cors::Open && reads {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSE_HEADERS));
        return true;
    }
    if listed.is_empty() {
        return false;
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = asked.filter(|origin| listed.contains(origin)) else { return false };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSE_HEADERS));
    true
}

/// The method that a preflight asks about; none when the request is no preflight (Fetch §4.8).
pub(crate) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Method> {
    if method != Method::OPTIONS || !headers.contains_key(header::ORIGIN) {
        return None;
    }
    Method::from_bytes(headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?.as_bytes()).ok()
}

/// What a permitted preflight is told.
pub(crate) fn preflight_answer(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ALLOW_METHODS));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOW_HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}

/// Refuses a change that another site's page set off in this browser.
///
/// `Sec-Fetch-Site` decides when it is there, because a browser sends `Origin: null` with a form under our own
/// `Referrer-Policy` (Fetch §3.2). Without both headers no current browser is asking; then only a request with
/// cookies is refused, since nothing else of a browser's could be misused.
///
/// # Errors
/// `CROSS_ORIGIN`.
pub(crate) fn own_page(method: &Method, headers: &HeaderMap, listed: &[HeaderValue]) -> Result<()> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| listed.contains(origin)) {
        return Ok(());
    }
    let ours = match (headers.get(FETCH_SITE).map(HeaderValue::as_bytes), origin) {
        (Some(site), _) => matches!(site, b"same-origin" | b"none"),
        (None, Some(origin)) => same_host(origin, headers),
        (None, None) => !headers.contains_key(header::COOKIE),
    };
    if ours { Ok(()) } else { Err(refusal()) }
}

fn refusal() -> Error {
    CROSS_ORIGIN.error()
}

fn same_host(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && host == origin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(method: Method, pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        own_page(&method, &headers, &[HeaderValue::from_static("https://portal.example")]).is_ok()
    }

    #[test]
    fn changes_from_other_sites_are_refused_and_our_own_pass() {
        let host = ("host", "selo.example");
        let cookie = ("cookie", "__Host-selo-session=x");
        assert!(judged(Method::GET, &[host, cookie, ("origin", "https://evil.example")]));
        assert!(judged(Method::POST, &[host, cookie, ("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(judged(Method::POST, &[host, cookie, ("origin", "https://selo.example")]));
        assert!(judged(
            Method::POST,
            &[host, cookie, ("origin", "https://portal.example"), ("sec-fetch-site", "cross-site")]
        ));
        assert!(judged(Method::POST, &[host]), "a program without cookies");
        for refused in [
            vec![host, cookie],
            vec![host, cookie, ("origin", "https://evil.example")],
            vec![host, cookie, ("origin", "null")],
            vec![host, cookie, ("sec-fetch-site", "same-site"), ("origin", "https://selo.example")],
            vec![host, ("origin", "https://selo.example.evil.example")],
            vec![host, ("sec-fetch-site", "cross-site")],
        ] {
            assert!(!judged(Method::POST, &refused), "{refused:?}");
        }
    }
}
