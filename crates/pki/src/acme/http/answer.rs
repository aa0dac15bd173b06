//! Answers of ACME: every one to a signed request carries a new nonce and the way to the directory, errors too.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Result};
use http_kit::Failure;
use serde_json::Value;

use super::super::{problem, service::Acme};

const NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// A successful answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    headers: Vec<(HeaderName, String)>,
}

impl Answer {
    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, body: Vec::new(), headers: Vec::new() }
    }

    pub(super) fn json(status: StatusCode, body: Value) -> Self {
        let headers = vec![(header::CONTENT_TYPE, "application/json".to_owned())];
        Self { status, body: body.to_string().into_bytes(), headers }
    }

    pub(super) fn bytes(media: &str, body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, body, headers: vec![(header::CONTENT_TYPE, media.to_owned())] }
    }

    fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn location(self, url: String) -> Self {
        self.with(header::LOCATION, url)
    }

    pub(super) fn link(self, url: &str, relation: &str) -> Self {
        self.with(header::LINK, format!("<{url}>;rel=\"{relation}\""))
    }

    pub(super) fn retry_after(self, seconds: u32) -> Self {
        self.with(header::RETRY_AFTER, seconds.to_string())
    }

    /// May be kept on the way so long.
    pub(super) fn kept(self, seconds: u32) -> Self {
        self.with(header::CACHE_CONTROL, format!("public, max-age={seconds}"))
    }

    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            // A value that no header can hold is left out.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// A failure in the words of ACME: the door's dialect on these routes, whoever refused.
pub(super) fn refused(failure: &Error, _: StatusCode) -> Response {
    let (status, document) = problem::document(failure);
    let mut response = (status, document.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    problem::headers(failure, headers);
    response
}

/// The answer to a request that nobody signs.
pub(super) fn open(answer: Result<Answer>) -> Response {
    answer.map_or_else(|failure| Failure(failure).into_response(), Answer::into_response)
}

/// The answer to a signed request.
pub(super) fn signed(acme: &Acme, environment: &str, answer: Result<Answer>) -> Response {
    let mut response = open(answer);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let index = format!("<{}>;rel=\"index\"", acme.url(environment, "directory"));
    for (name, value) in [(NONCE, acme.nonce()), (header::LINK, index)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.append(name, value);
        }
    }
    response
}
