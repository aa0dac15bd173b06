//! Extractors that refuse in the house's own words: JSON, query, ids in paths, paging.
//!
//! JSON is read strictly: depth and size are bounded, a name twice in one object is refused, an error names its field
//! as a JSON pointer (RFC 6901). Never here: a default that hides a mistake of the caller.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderMap, Uri, header, request::Parts},
};
use base::{Error, Id, PageToken, Result, error, id::IdKind, page};
use serde::de::DeserializeOwned;

use crate::{
    Failure,
    error::{
        FIELD_MISSING, FIELD_UNKNOWN, FIELD_WRONG, JSON_SYNTAX, NOT_FOUND, PAGE_LIMIT, UNSUPPORTED_MEDIA_TYPE,
    },
    json,
};

/// A JSON body of this form.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = axum::response::Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        use axum::response::IntoResponse;
        if !is_json(request.headers()) {
            let error = UNSUPPORTED_MEDIA_TYPE.error().with("expected", "application/json");
            return Err(Failure(error).into_response());
        }
        // A body that is too long keeps the framework's 413, which the door renders.
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        read(&body).map(Self).map_err(|error| Failure(error).into_response())
    }
}

/// Reads JSON of this form strictly, as the extractor does.
///
/// # Errors
/// `JSON_SYNTAX`, `JSON_TOO_DEEP`, `JSON_DUPLICATE_KEY`, `FIELD_MISSING`, `FIELD_UNKNOWN`, `FIELD_WRONG`.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    json::check(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| explain(&error))
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

/// Turns serde's sentence into a code of ours; the sentences' beginnings are part of serde's public contract of
/// `de::Error` (missing_field, unknown_field, invalid_type, invalid_value).
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let text = error.inner().to_string();
    let place = pointer(error.path());
    if error.inner().is_syntax() || error.inner().is_eof() {
        return JSON_SYNTAX
            .at(place)
            .with("line", error.inner().line())
            .with("column", error.inner().column());
    }
    if let Some(name) = quoted_after(&text, "missing field ") {
        return FIELD_MISSING.at(format!("{place}/{}", escaped(name)));
    }
    if let Some(name) = quoted_after(&text, "unknown field ") {
        // The path already ends in the unknown name when serde met it as a key.
        let name = escaped(name);
        let place = if place.ends_with(&format!("/{name}")) { place } else { format!("{place}/{name}") };
        return FIELD_UNKNOWN.at(place);
    }
    FIELD_WRONG.at(place).with("expected", expected(&text))
}

fn quoted_after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_prefix('`')?.split_once('`').map(|(name, _)| name)
}

/// What serde expected, without what it found: a refusal need not repeat the caller's data.
fn expected(text: &str) -> String {
    let text = text.split(" at line ").next().unwrap_or(text);
    let wanted = text.split_once("expected ").map_or(text, |(_, wanted)| wanted);
    wanted.chars().take(200).collect()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => out.push_str(&format!("/{index}")),
            Segment::Map { key } => out.push_str(&format!("/{}", escaped(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    out
}

fn escaped(name: &str) -> String {
    name.chars().take(200).collect::<String>().replace('~', "~0").replace('/', "~1")
}

/// Parameters of the query; `lang` belongs to the door and may always be there.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self(query(&parts.uri, |name| name != "lang")?))
    }
}

/// The parameters whose names are wanted.
fn query<T: DeserializeOwned>(uri: &Uri, wanted: impl Fn(&str) -> bool) -> Result<T> {
    let text = uri.query().unwrap_or_default();
    let kept: Vec<&str> =
        text.split('&').filter(|pair| pair.split('=').next().is_some_and(&wanted)).collect();
    let rebuilt: Uri = format!("/?{}", kept.join("&")).parse().map_err(|_| error::VALIDATION.error())?;
    axum::extract::Query::try_from_uri(&rebuilt).map(|axum::extract::Query(value)| value).map_err(
        |rejection| {
            let text = rejection.body_text();
            let text = text.split_once("query string: ").map_or(text.as_str(), |(_, rest)| rest);
            if let Some(name) = quoted_after(text, "missing field ") {
                return FIELD_MISSING.at(name);
            }
            if let Some((_, name)) = text.split_once("unknown field `") {
                return FIELD_UNKNOWN.at(name.split('`').next().unwrap_or_default());
            }
            match text.split_once(": ") {
                Some((name, reason)) if !name.contains(' ') => {
                    FIELD_WRONG.at(name).with("expected", expected(reason))
                }
                _ => FIELD_WRONG.at("query").with("expected", expected(text)),
            }
        },
    )
}

/// The path's parameter `id`. What is no id of this kind cannot exist, so it answers 404.
pub struct PathId<K>(pub Id<K>);

impl<S: Send + Sync, K: IdKind> FromRequestParts<S> for PathId<K> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| NOT_FOUND.error())?;
        let found = params.iter().find(|(name, _)| *name == "id").map(|(_, value)| value.to_owned());
        Ok(Self(found.ok_or_else(|| NOT_FOUND.error())?.parse()?))
    }
}

/// `limit` and `pageToken` of a list. As an argument of its own it knows no other parameter; a list that has some
/// takes [`Listed`].
#[derive(Debug, Clone, PartialEq, Eq, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many items, 1 to 200; 50 when nobody says.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false, required = false)]
    pub limit: u32,
    /// Where the page begins, as the page before said.
    #[param(rename = "pageToken")]
    pub page_token: Option<String>,
}

impl Paging {
    /// The token's parts, when there is a token.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`.
    pub fn token(&self, parts: usize) -> Result<Option<PageToken>> {
        self.page_token.as_deref().map(|text| PageToken::decode(text, parts)).transpose()
    }
}

impl<S: Sync> FromRequestParts<S> for Paging {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self::read(&parts.uri, |name| name != "lang")?)
    }
}

impl Paging {
    const NAMES: [&str; 2] = ["limit", "pageToken"];

    fn read(uri: &Uri, wanted: impl Fn(&str) -> bool) -> Result<Self> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Raw {
            limit: Option<u32>,
            page_token: Option<String>,
        }
        let raw: Raw = query(uri, wanted)?;
        let limit = raw.limit.unwrap_or(page::PAGE_ITEMS_DEFAULT);
        if !(1..=page::PAGE_ITEMS_MAX).contains(&limit) {
            return Err(PAGE_LIMIT.at("limit").with("max", page::PAGE_ITEMS_MAX));
        }
        Ok(Self { limit, page_token: raw.page_token.filter(|token| !token.is_empty()) })
    }
}

/// A list's own parameters, and the place in it. `T` names its parameters only; with `deny_unknown_fields` a name that
/// neither knows is refused.
#[derive(Debug, Clone)]
pub struct Listed<T>(pub T, pub Paging);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Listed<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let own = query(&parts.uri, |name| name != "lang" && !Paging::NAMES.contains(&name))?;
        Ok(Self(own, Paging::read(&parts.uri, |name| Paging::NAMES.contains(&name))?))
    }
}
