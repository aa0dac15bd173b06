//! Files of the web pages, out of the binary: typed, tagged, compressed ahead of time when the build made it so.
//!
//! A name that carries its content's hash (`index-B1x9_zQp.js`) may be kept for ever; every other is asked for again
//! and answered 304 when unchanged. Only names in the list are found; nothing is read from a disk.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;

use crate::{
    Failure,
    error::NOT_FOUND,
    zone::{Rules, Zone, ZoneRouter},
};

/// How many characters of hash Vite writes into a file name.
const HASH_CHARS: usize = 8;

struct Asset {
    bytes: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    media: &'static str,
    tag: HeaderValue,
    hashed: bool,
}

/// A set of files; cheap to clone.
#[derive(Clone, Default)]
pub struct Assets(Arc<HashMap<String, Asset>>);

impl Assets {
    /// Takes names (`assets/index-B1x9_zQp.js`, no slash in front) and contents. `NAME.br` and `NAME.gz` are the
    /// compressed forms of `NAME` when that is there too.
    pub fn new(files: impl IntoIterator<Item = (impl Into<String>, impl Into<Bytes>)>) -> Self {
        let mut all: HashMap<String, Bytes> =
            files.into_iter().map(|(name, bytes)| (name.into(), bytes.into())).collect();
        let names: Vec<String> = all.keys().cloned().collect();
        let plain = names.iter().filter(|name| {
            let original = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz"));
            original.is_none_or(|original| !names.iter().any(|other| other == original))
        });
        let mut assets = HashMap::new();
        for name in plain {
            let (brotli, gzip) = (all.remove(&format!("{name}.br")), all.remove(&format!("{name}.gz")));
            let Some(bytes) = all.remove(name) else { continue };
            let (media, tag, hashed) = (media_of(name), tag_of(&bytes), is_hashed(name));
            assets.insert(name.clone(), Asset { bytes, brotli, gzip, media, tag, hashed });
        }
        Self(Arc::new(assets))
    }

    /// The names of the files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Answers with a file; none when there is no such name.
    pub fn answer(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let asset = self.0.get(name)?;
        let keep = if asset.hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
        let mut response = if is_known(headers, &asset.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            body_of(asset, headers)
        };
        let out = response.headers_mut();
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        out.insert(header::ETAG, asset.tag.clone());
        if asset.brotli.is_some() || asset.gzip.is_some() {
            out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        Some(response)
    }

    /// Serves the files below `prefix` (`/assets/`); their names in the list begin with the prefix too.
    pub fn below<Z: Zone>(&self, prefix: &str) -> ZoneRouter<Z> {
        let (assets, folder) = (self.clone(), prefix.trim_start_matches('/').to_owned());
        let serve = move |Path(rest): Path<String>, headers: HeaderMap| {
            let found = assets.answer(&format!("{folder}{rest}"), &headers);
            async move { found.unwrap_or_else(|| Failure(NOT_FOUND.error()).into_response()) }
        };
        ZoneRouter::new().page(&format!("{prefix}{{*rest}}"), Rules::free(), get(serve))
    }

    /// The whole web app: its files at their names, and `index` for every other address that a browser opens as a
    /// page, so that the app's own addresses can be bookmarked. Addresses below `/api/` stay 404.
    pub fn app<Z: Zone>(&self, index: &'static str) -> ZoneRouter<Z> {
        let assets = self.clone();
        let serve = tower::service_fn(move |request: Request| {
            let response = assets.page(&request, index);
            async move { Ok::<_, Infallible>(response) }
        });
        ZoneRouter::new().fallback_service(serve)
    }

    fn page(&self, request: &Request, index: &str) -> Response {
        let missing = || Failure(NOT_FOUND.error()).into_response();
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return missing();
        }
        let name = request.uri().path().trim_start_matches('/');
        if !name.is_empty()
            && let Some(found) = self.answer(name, request.headers())
        {
            return found;
        }
        let accept =
            request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let navigates =
            accept.contains("text/html") && !name.starts_with("api/") && !name.starts_with("assets/");
        if !navigates {
            return missing();
        }
        self.answer(index, request.headers()).unwrap_or_else(missing)
    }
}

fn body_of(asset: &Asset, headers: &HeaderMap) -> Response {
    let (bytes, encoding) = match (&asset.brotli, &asset.gzip) {
        (Some(bytes), _) if accepts(headers, "br") => (bytes, Some("br")),
        (_, Some(bytes)) if accepts(headers, "gzip") => (bytes, Some("gzip")),
        _ => (&asset.bytes, None),
    };
    let mut response = Response::new(Body::from(bytes.clone()));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let value =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(',').any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        pieces.next() == Some(coding) && !pieces.any(|piece| matches!(piece, "q=0" | "q=0.0"))
    })
}

fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let value = headers.get(header::IF_NONE_MATCH).map(HeaderValue::as_bytes).unwrap_or_default();
    value.split(|byte| *byte == b',').any(|known| {
        let known = known.trim_ascii();
        known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes() || known == b"*"
    })
}

fn tag_of(bytes: &[u8]) -> HeaderValue {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let hex: String = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    // Safe because: a quoted hexadecimal text is a header value; were it not, an empty tag only costs a download.
    HeaderValue::try_from(format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the name ends in `-HASH.ext`: eight characters of base64url as Vite writes it (they may hold a dash), or a
/// longer run of letters and digits; a hash has a digit or a capital in it.
fn is_hashed(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    let tail = stem.len().checked_sub(HASH_CHARS).and_then(|start| stem.split_at_checked(start));
    let short = tail.filter(|(front, _)| front.ends_with('-')).map(|(_, hash)| hash);
    let long = stem.rsplit_once('-').map(|(_, hash)| hash).filter(|hash| hash.len() > HASH_CHARS);
    short.or(long).is_some_and(|hash| {
        hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && hash.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    })
}

fn media_of(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
