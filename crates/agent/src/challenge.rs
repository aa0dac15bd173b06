//! Showing control of names while an order is open: pages of our own listener or in a folder, or records by a program.
//!
//! What was placed is taken away again, whatever came of the order.
//! Never here: a page outside of `/.well-known/acme-challenge/`, a shell.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use instant_acme::ChallengeType;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};
use tokio_util::task::TaskTracker;

use crate::{config::Challenge, error, files, reload};

/// The way of pages.
pub const PREFIX: &str = "/.well-known/acme-challenge/";
/// Connections that the listener serves at once.
const CONNECTIONS_MAX: usize = 64;
/// A connection, whole.
const CONNECTION: Duration = Duration::from_secs(10);
const PAGE_MODE: u32 = 0o644;

/// The pages that are shown: key authorizations by token.
type Pages = Arc<Mutex<BTreeMap<String, String>>>;

/// Shows what an order needs to be shown.
pub struct Stage<'a> {
    challenge: &'a Challenge,
    /// Written here, read by the listener.
    pages: Pages,
    placed: Vec<Placed>,
}

enum Placed {
    File(PathBuf),
    Record { name: String, value: String },
}

impl<'a> Stage<'a> {
    /// An empty stage.
    pub fn new(challenge: &'a Challenge) -> Self {
        Self { challenge, pages: Pages::default(), placed: Vec::new() }
    }

    /// The kind that is shown here.
    pub const fn kind(&self) -> ChallengeType {
        match self.challenge {
            Challenge::Http(_) | Challenge::Webroot(_) => ChallengeType::Http01,
            Challenge::Dns(_) => ChallengeType::Dns01,
        }
    }

    /// The listener, when this stage has one: it serves until it is dropped.
    ///
    /// # Errors
    /// `AGENT_CHALLENGE_FAILED` when the address is taken.
    pub async fn listener(&self) -> Result<Option<Listener>> {
        let Challenge::Http(address) = self.challenge else { return Ok(None) };
        let listener =
            TcpListener::bind(address).await.map_err(|e| fault(&address.to_string(), e.to_string()))?;
        Ok(Some(Listener { listener, pages: Arc::clone(&self.pages), tasks: TaskTracker::new() }))
    }

    /// Shows control of one name.
    ///
    /// # Errors
    /// `AGENT_CHALLENGE_FAILED`.
    pub async fn place(&mut self, name: &str, token: &str, page: &str, record: &str) -> Result<()> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if token.is_empty() || token.len() > 256 || !token.bytes().all(plain) {
            return Err(fault(name, "the authority's token is no base64url".to_owned()));
        }
        match self.challenge {
            Challenge::Http(_) => {
                lock(&self.pages).insert(token.to_owned(), page.to_owned());
            }
            Challenge::Webroot(root) => {
                let folder = root.join(PREFIX.trim_start_matches('/'));
                let file = folder.join(token);
                files::folder(&folder)
                    .and_then(|()| files::replace(&file, page.as_bytes(), PAGE_MODE, PAGE_MODE))
                    .map_err(|e| fault(name, format!("{}: {e}", file.display())))?;
                self.placed.push(Placed::File(file));
            }
            Challenge::Dns(words) => {
                let place = format!("_acme-challenge.{name}");
                self.placed.push(Placed::Record { name: place.clone(), value: record.to_owned() });
                hook(words, "add", &place, record).await.map_err(|reason| fault(name, reason))?;
            }
        }
        Ok(())
    }

    /// Takes away what was placed. What cannot be taken away is said and left.
    pub async fn clear(&mut self) {
        lock(&self.pages).clear();
        for placed in std::mem::take(&mut self.placed) {
            let outcome = match (&placed, self.challenge) {
                (Placed::File(file), _) => std::fs::remove_file(file).map_err(|e| e.to_string()),
                (Placed::Record { name, value }, Challenge::Dns(words)) => {
                    hook(words, "remove", name, value).await
                }
                (Placed::Record { .. }, _) => Ok(()),
            };
            if let Err(reason) = outcome {
                tracing::warn!(reason, "what showed control of a name could not be taken away");
            }
        }
    }
}

async fn hook(words: &[String], verb: &str, name: &str, value: &str) -> std::result::Result<(), String> {
    let mut words = words.to_vec();
    words.extend([verb, name, value].map(str::to_owned));
    reload::run(&words).await
}

fn fault(name: &str, reason: String) -> base::Error {
    error::CHALLENGE.error().with("name", name).with("reason", reason)
}

fn lock(pages: &Pages) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
    pages.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves the pages of a stage.
pub struct Listener {
    listener: TcpListener,
    pages: Pages,
    tasks: TaskTracker,
}

impl Listener {
    /// Serves for ever. A connection has its time, and there are never too many.
    pub async fn serve(self) -> Infallible {
        let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(seat) = Arc::clone(&seats).acquire_owned().await else { std::future::pending().await };
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of descriptors, most likely: the connections that are there will end.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let pages = Arc::clone(&self.pages);
            self.tasks.spawn(async move {
                let service = service_fn(move |request| {
                    std::future::ready(Ok::<_, Infallible>(answer(&pages, &request)))
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(CONNECTION / 2)
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), service);
                // Whoever breaks off, or is slow, is left; the authority asks again.
                let _ = timeout(CONNECTION, connection).await;
                drop(seat);
            });
        }
    }
}

fn answer(pages: &Pages, request: &Request<Incoming>) -> Response<BoxBody<Bytes, Infallible>> {
    let token = request.uri().path().strip_prefix(PREFIX);
    let page =
        token.filter(|_| request.method() == Method::GET).and_then(|token| lock(pages).get(token).cloned());
    let mut response = match page {
        Some(page) => Response::new(Full::new(Bytes::from(page)).boxed()),
        None => {
            let mut nothing = Response::new(Empty::new().boxed());
            *nothing.status_mut() = StatusCode::NOT_FOUND;
            nothing
        }
    };
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/octet-stream"),
    );
    response
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::SocketAddr,
    };

    use super::*;

    fn ask(address: SocketAddr, line: &str) -> String {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nhost: a.example\r\n\r\n").unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    }

    #[tokio::test]
    async fn a_listener_shows_the_page_of_a_token_and_nothing_else() {
        let challenge = Challenge::Http("127.0.0.1:0".parse().unwrap());
        let mut stage = Stage::new(&challenge);
        let listener = stage.listener().await.unwrap().unwrap();
        let address = listener.listener.local_addr().unwrap();
        stage.place("a.example", "token", "token.thumb", "").await.unwrap();
        let asked = tokio::task::spawn_blocking(move || {
            ["GET {}token", "HEAD {}token", "POST {}token", "GET {}other", "GET /token", "GET {}../token"]
                .map(|line| ask(address, &line.replace("{}", PREFIX)))
        });
        let said =
            tokio::select! { said = asked => said.unwrap(), never = listener.serve() => match never {} };
        assert!(
            said[0].starts_with("HTTP/1.1 200") && said[0].ends_with("\r\n\r\ntoken.thumb"),
            "{}",
            said[0]
        );
        for other in &said[1..] {
            assert!(other.starts_with("HTTP/1.1 404") && !other.contains("thumb"), "{other}");
        }
        stage.clear().await;
        assert!(lock(&stage.pages).is_empty());
    }

    #[tokio::test]
    async fn a_folder_gets_the_page_and_loses_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let challenge = Challenge::Webroot(folder.path().to_owned());
        let mut stage = Stage::new(&challenge);
        assert!(stage.listener().await.unwrap().is_none());
        stage.place("a.example", "token", "token.thumb", "").await.unwrap();
        let file = folder.path().join(".well-known/acme-challenge/token");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "token.thumb");
        stage.clear().await;
        assert!(!file.exists());
        for token in ["", "..", "a/b", "a.b", &"x".repeat(257)] {
            let refused = stage.place("a.example", token, "page", "").await.unwrap_err();
            assert!(refused.is(&error::CHALLENGE), "{token}");
        }
    }

    #[tokio::test]
    async fn a_program_is_told_what_to_add_and_what_to_remove() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("told");
        let script = format!("echo \"$@\" >> {}", told.display());
        let words = ["sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
        let challenge = Challenge::Dns(words);
        let mut stage = Stage::new(&challenge);
        stage.place("a.example", "token", "", "digest").await.unwrap();
        stage.clear().await;
        let told = std::fs::read_to_string(told).unwrap();
        assert_eq!(told, "add _acme-challenge.a.example digest\nremove _acme-challenge.a.example digest\n");
        let challenge = Challenge::Dns(vec!["false".to_owned()]);
        let refused = Stage::new(&challenge).place("a.example", "token", "", "digest").await.unwrap_err();
        assert!(refused.is(&error::CHALLENGE));
    }
}
