//! The command line's way to the house: HTTP/1.1 over the local socket in the home.
//!
//! One connection per exchange; the body of the answer streams. Never here: the network.

use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use base::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio_util::task::TaskTracker;

use crate::error::{BODY_TOO_LARGE, MALFORMED_REQUEST, SOCKET_ABSENT, SOCKET_BROKEN};

/// A client of the house that holds a home.
#[derive(Debug, Clone)]
pub struct Client {
    path: PathBuf,
    tasks: TaskTracker,
}

/// What the house answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
}

impl Client {
    /// A client for the socket at `path`; nothing is opened yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), tasks: TaskTracker::new() }
    }

    /// Whether somebody answers at the socket.
    pub async fn answers(&self) -> bool {
        UnixStream::connect(&self.path).await.is_ok()
    }

    /// One exchange. `target` is path and query; `headers` are names in any case with their values.
    ///
    /// # Errors
    /// `SOCKET_ABSENT` when nobody serves, `SOCKET_BROKEN` when the exchange breaks, `MALFORMED_REQUEST` for a target or
    /// header that HTTP cannot carry.
    pub async fn request(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let absent = |error| SOCKET_ABSENT.error().with("path", self.path.display()).because(error);
        let stream = UnixStream::connect(&self.path).await.map_err(absent)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| SOCKET_BROKEN.because(error))?;
        self.tasks.spawn(async move {
            // The exchange reports its own end; the driver has nothing to add.
            let _ = connection.await;
        });
        let mut request = Request::builder().method(method).uri(target).header("host", "selo");
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).map_err(|error| MALFORMED_REQUEST.because(error))?;
            let value = HeaderValue::try_from(*value).map_err(|error| MALFORMED_REQUEST.because(error))?;
            request = request.header(name, value);
        }
        let request =
            request.body(Full::new(body.into())).map_err(|error| MALFORMED_REQUEST.because(error))?;
        let response = sender.send_request(request).await.map_err(|error| SOCKET_BROKEN.because(error))?;
        let (parts, body) = response.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

impl Answer {
    /// The next piece of the body; none at its end.
    ///
    /// # Errors
    /// `SOCKET_BROKEN`.
    pub async fn piece(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| SOCKET_BROKEN.because(error))?;
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// The whole body, up to `bytes_max`.
    ///
    /// # Errors
    /// `BODY_TOO_LARGE`, `SOCKET_BROKEN`.
    pub async fn bytes(self, bytes_max: usize) -> Result<Bytes> {
        match Limited::new(self.body, bytes_max).collect().await {
            Ok(whole) => Ok(whole.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(BODY_TOO_LARGE.error().with("limit", bytes_max))
            }
            Err(_) => Err(SOCKET_BROKEN.error()),
        }
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    /// As [`Answer::bytes`], and `SOCKET_BROKEN` when it is no JSON.
    pub async fn json(self, bytes_max: usize) -> Result<serde_json::Value> {
        let bytes = self.bytes(bytes_max).await?;
        serde_json::from_slice(&bytes).map_err(|error| SOCKET_BROKEN.because(error))
    }
}
