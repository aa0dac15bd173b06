//! A signed request as it came: context, address, headers and body, before anything of it is believed.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use base::{Call, Result};
use http_kit::{Context, Failure};

use super::super::{
    error,
    service::{Acme, Admitted, malformed},
};

/// The one media type of a request (RFC 8555 §6.2).
const MEDIA: &str = "application/jose+json";

/// A signed request.
#[derive(Debug)]
pub(super) struct Posted {
    /// The call it is.
    pub(super) call: Call,
    /// Whether the client prefers a certificate as DER.
    pub(super) wants_der: bool,
    path: String,
    right_media: bool,
    body: Option<Bytes>,
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let context = Context::from_request_parts(&mut parts, state).await;
        let Context(call) = context.map_err(Failure::into_response)?;
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
        let right_media = media(&parts.headers).is_some_and(|media| media.eq_ignore_ascii_case(MEDIA));
        let wants_der = prefers_der(&parts.headers);
        // A body that breaks off, or is longer than the route allows, is told so like every other malformed one.
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await.ok();
        Ok(Self { call, wants_der, path, right_media, body })
    }
}

impl Posted {
    /// Lets the request in.
    ///
    /// # Errors
    /// `ACME_MEDIA_TYPE`, `ACME_MALFORMED`, and those of [`Acme::admit`].
    pub(super) async fn admit(&self, acme: &Acme, environment: &str) -> Result<Admitted> {
        if !self.right_media {
            return Err(error::MEDIA.error());
        }
        let body = self.body.as_ref().ok_or_else(|| malformed("the body is too long, or broke off"))?;
        acme.admit(environment, &self.path, body).await
    }
}

/// The media type, without its parameters.
fn media(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// Whether DER is named and PEM is not: what a client does not name it does not prefer.
fn prefers_der(headers: &HeaderMap) -> bool {
    let accepted: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|one| one.split(';').next())
        .map(str::trim)
        .collect();
    let names = |media: &str| accepted.iter().any(|one| one.eq_ignore_ascii_case(media));
    names("application/pkix-cert") && !names("application/pem-certificate-chain")
}
