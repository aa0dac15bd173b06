//! What plain HTTP answers beside a listener with TLS, to everything that it does not serve itself: the same path at the
//! public https address.
//!
//! The host of the answer is the house's own, whatever the request says. Never here: a word of a request's `Host`.

use std::convert::Infallible;

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};

use crate::error::{Failure, NOT_FOUND};

/// Sends every request to the same path and query below an https address (`https://selo.example`), for good and with
/// its method (RFC 9110 §15.4.9).
pub fn redirecting(https: &str) -> MethodRouter<(), Infallible> {
    let address = https.trim_end_matches('/').to_owned();
    axum::routing::any(move |request: Request| {
        let answer = moved(&address, request.uri());
        async move { answer }
    })
}

fn moved(address: &str, asked: &Uri) -> Response {
    // A path begins with a slash, or the host would not end where it ends; `*` of OPTIONS does not.
    let path = asked.path_and_query().map(|path| path.as_str()).filter(|path| path.starts_with('/'));
    match HeaderValue::try_from(format!("{address}{}", path.unwrap_or("/"))) {
        Ok(place) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, place)]).into_response(),
        Err(_) => Failure(NOT_FOUND.error()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_asked_the_answer_points_to_the_house() {
        for (asked, place) in [
            ("/v/abc?x=1", "https://selo.example/v/abc?x=1"),
            ("/", "https://selo.example/"),
            ("//evil.example/x", "https://selo.example//evil.example/x"),
            ("http://evil.example/x", "https://selo.example/x"),
            ("*", "https://selo.example/"),
            ("/.evil.example", "https://selo.example/.evil.example"),
        ] {
            let answer = moved("https://selo.example", &asked.parse().unwrap());
            assert_eq!(answer.status(), 308, "{asked}");
            assert_eq!(answer.headers()[header::LOCATION], place, "{asked}");
        }
    }
}
