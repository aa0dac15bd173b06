//! The local door: how the command line talks to the house, whether it is another process or this one.
//!
//! If somebody holds the home's lock, requests go over the local socket; if nobody does, this process is the house for
//! the length of the command and the same router answers in memory. A command cannot tell the difference.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
};
use base::{Lang, Result};
use http_kit::Client;
use serde_json::Value;
use tower::ServiceExt;

use crate::{error, home::Home};

/// An answer larger than this is not read.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Evidence is ready within two seconds; we ask so often.
const READY_TRIES: u32 = 50;
const READY_PAUSE: Duration = Duration::from_millis(100);

enum Way {
    Socket(std::path::PathBuf),
    Inside(Router),
}

/// A door to a house.
pub struct Door {
    way: Way,
    home: String,
    public_url: String,
    lang: Lang,
}

/// What the house said.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Door {
    /// A door over the local socket.
    pub fn socket(home: &Home, public_url: String, lang: Lang) -> Self {
        Self { way: Way::Socket(home.socket()), home: home.folder().display().to_string(), public_url, lang }
    }

    /// A door into this very process.
    pub fn inside(router: Router, home: &Home, public_url: String, lang: Lang) -> Self {
        Self { way: Way::Inside(router), home: home.folder().display().to_string(), public_url, lang }
    }

    /// The house's public address.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Asks for something.
    ///
    /// # Errors
    /// `HOUSE_UNREACHABLE`.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.call(Method::GET, path, "", Vec::new()).await
    }

    /// Takes something away.
    ///
    /// # Errors
    /// `HOUSE_UNREACHABLE`.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.call(Method::DELETE, path, "", Vec::new()).await
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// `HOUSE_UNREACHABLE`.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.call(Method::POST, path, "application/json", body.to_string().into_bytes()).await
    }

    /// Sends bytes of a media type.
    ///
    /// # Errors
    /// `HOUSE_UNREACHABLE`.
    pub async fn send(&self, path: &str, media: &str, body: Vec<u8>) -> Result<Answer> {
        self.call(Method::POST, path, media, body).await
    }

    /// Asks until it is there: the body of what comes within a few seconds of a write.
    ///
    /// # Errors
    /// What the house says when it does not come.
    pub async fn get_when_ready(&self, path: &str) -> Result<Vec<u8>> {
        let mut tries = 0;
        loop {
            let answer = self.get(path).await?;
            tries += 1;
            match answer.status {
                200 => return Ok(answer.body),
                503 if tries < READY_TRIES => tokio::time::sleep(READY_PAUSE).await,
                _ => return Err(answer.refusal()),
            }
        }
    }

    async fn call(&self, method: Method, path: &str, media: &str, body: Vec<u8>) -> Result<Answer> {
        let silent = || error::HOUSE_SILENT.error().with("home", &self.home);
        match &self.way {
            Way::Socket(socket) => {
                let mut headers = vec![("accept-language", self.lang.tag())];
                if !media.is_empty() {
                    headers.push(("content-type", media));
                }
                let answer = Client::new(socket)
                    .request(method, path, &headers, body)
                    .await
                    .map_err(|failed| silent().because(failed))?;
                let status = answer.status.as_u16();
                let body = answer.bytes(ANSWER_BYTES_MAX).await.map_err(|failed| silent().because(failed))?;
                Ok(Answer { status, body: body.to_vec() })
            }
            Way::Inside(router) => {
                let mut request = Request::builder()
                    .method(method)
                    .uri(path)
                    .header(header::HOST, "localhost")
                    .header(header::ACCEPT_LANGUAGE, self.lang.tag());
                if !media.is_empty() {
                    request = request.header(header::CONTENT_TYPE, media);
                }
                let mut request =
                    request.body(Body::from(body)).map_err(|e| base::error::INTERNAL.because(e))?;
                request.extensions_mut().insert(http_kit::Peer::Owner);
                let response = match router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                let status = response.status().as_u16();
                let body = axum::body::to_bytes(response.into_body(), ANSWER_BYTES_MAX)
                    .await
                    .map_err(|e| base::error::INTERNAL.because(e))?;
                Ok(Answer { status, body: body.to_vec() })
            }
        }
    }
}

impl Answer {
    /// The `data` of a success; the house's error otherwise.
    ///
    /// # Errors
    /// The error that the house gave.
    pub fn data(self) -> Result<Value> {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        if body.get("success") == Some(&Value::Bool(true)) {
            return Ok(body.get("data").cloned().unwrap_or(Value::Null));
        }
        Err(self.refusal())
    }

    /// The house's error, as one of ours: its code decides kind and texts, its details stay.
    pub fn refusal(&self) -> base::Error {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let told =
            |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        base::error::Error::told(
            &told("/error/code"),
            told("/error/message"),
            told("/error/remedy"),
            body.pointer("/error/details").and_then(Value::as_array).into_iter().flatten().map(|detail| {
                let text =
                    |name: &str| detail.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                (text("field"), text("code"), text("message"))
            }),
        )
    }
}
