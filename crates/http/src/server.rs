//! Listeners: a TCP listener per zone and the local socket, for HTTP/1.1 and HTTP/2 (with prior knowledge).
//!
//! A listener takes an [`App`] of its own zone only, with TLS or without; the local socket serves the admin zone to the
//! owner of the home. Connections, handshakes, heads and idle time are bounded; stopping lets requests in hand end.
//! Never here: a word about who a client is.

use std::{
    future::ready,
    io,
    marker::PhantomData,
    net::SocketAddr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base::{Result, config::Config};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{
    App,
    caller::Peer,
    clients::ClientCertificate,
    error::{HTTP_ADDRESS, HTTP_LISTEN, HTTP_PORT_TAKEN},
    tls::Tls,
    zone::{Admin, Zone},
};

/// The most headers of one request.
pub const HEADERS_MAX: usize = 100;
/// The most bytes of one request's head.
pub const HEAD_BYTES_MAX: usize = 32 << 10;
/// The most requests that one HTTP/2 connection holds at once.
pub const STREAMS_MAX: u32 = 128;
/// After so long a connection is asked to end, so that none lasts for ever.
pub const CONNECTION_TIME_MAX: Duration = Duration::from_secs(3_600);
/// How long we wait before accepting again when the operating system has no descriptor for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections held at once.
    pub connections_max: usize,
    /// How long the head of a request may take, the first and each further one.
    pub header_time: Duration,
    /// How long requests in hand may take to end when stopping.
    pub stop_time: Duration,
}

impl Limits {
    /// Reads the settings.
    pub fn from_config(config: &Config) -> Self {
        Self {
            connections_max: config.size("http.connections_max"),
            header_time: config.duration("http.header_time"),
            stop_time: config.duration("http.stop_time"),
        }
    }
}

/// A TCP listener of a zone.
pub struct Listener<Z> {
    inner: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
    zone: PhantomData<fn() -> Z>,
}

impl<Z: Zone> Listener<Z> {
    /// Listens on `host:port`; `setting` is what the remedy names (`http.public_listen`).
    ///
    /// # Errors
    /// `HTTP_ADDRESS_INVALID`, `HTTP_PORT_TAKEN`, `HTTP_LISTEN_FAILED`.
    pub async fn bind(address: &str, setting: &str) -> Result<Self> {
        let refuse = || HTTP_ADDRESS.at(setting).with("address", address);
        let wanted: SocketAddr = match address.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}").parse().map_err(|_| refuse())?,
            None => address.parse().map_err(|_| refuse())?,
        };
        let inner = TcpListener::bind(wanted).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                HTTP_PORT_TAKEN.at(setting).with("address", address).with("setting", setting).because(error)
            }
            _ => HTTP_LISTEN.at(setting).with("address", address).with("reason", &error).because(error),
        })?;
        let address = inner.local_addr().map_err(|error| HTTP_LISTEN.at(setting).because(error))?;
        Ok(Self { inner, address, tls: None, zone: PhantomData })
    }

    /// Where it really listens (the port that was chosen for `:0`).
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Speaks TLS on every connection, or on none.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Serves until `stop`, then lets requests in hand end within `stop_time`, then closes.
    pub async fn serve(self, app: App<Z>, limits: Limits, stop: CancellationToken) {
        let connections = Connections::new(app.service(), limits);
        loop {
            let Some(permit) = connections.permit(&stop).await else { break };
            let accepted = tokio::select! {
                accepted = self.inner.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    // Small answers should not wait for more; a socket that refuses is still usable.
                    let _ = stream.set_nodelay(true);
                    let peer = Peer::Network(peer);
                    match self.tls.as_ref().map(Tls::acceptor) {
                        None => connections.take(ready(Some((stream, None))), peer, permit),
                        // A handshake that fails is the client's affair, as everything on its connection is.
                        Some(acceptor) => {
                            let opening = async move {
                                let stream = acceptor.accept(stream).await.ok()?;
                                let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                                let client = shown.map(|leaf| ClientCertificate(Arc::from(leaf.as_ref())));
                                Some((stream, client))
                            };
                            connections.take(opening, peer, permit);
                        }
                    }
                }
                Err(error) => pause(&error).await,
            }
        }
        drop(self.inner);
        connections.end().await;
    }
}

/// The local socket in the home: mode 0600, admin zone, for the owner alone.
pub struct Socket {
    inner: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl Socket {
    /// Listens at `path`. The caller holds the home's lock, so a file that is already there is a dead one's and is
    /// replaced. The directory must be closed to others; between bind and chmod it alone protects the socket.
    ///
    /// # Errors
    /// `HTTP_LISTEN_FAILED`.
    pub fn bind(path: &Path) -> Result<Self> {
        let refuse = |error: io::Error| {
            HTTP_LISTEN.error().with("address", path.display()).with("reason", &error).because(error)
        };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refuse(error)),
            _ => {}
        }
        let inner = UnixListener::bind(path).map_err(refuse)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(refuse)?;
        let owner = std::fs::metadata(path).map_err(refuse)?.uid();
        Ok(Self { inner, path: path.to_owned(), owner })
    }

    /// Serves until `stop`; whoever is not the owner (or root) is hung up on before a byte is read.
    pub async fn serve(self, app: App<Admin>, limits: Limits, stop: CancellationToken) {
        let connections = Connections::new(app.service(), limits);
        loop {
            let Some(permit) = connections.permit(&stop).await else { break };
            let accepted = tokio::select! {
                accepted = self.inner.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, _)) => match stream.peer_cred() {
                    Ok(peer) if peer.uid() == self.owner || peer.uid() == 0 => {
                        connections.take(ready(Some((stream, None))), Peer::Owner, permit);
                    }
                    _ => tracing::warn!("Somebody who does not own the home knocked at its socket"),
                },
                Err(error) => pause(&error).await,
            }
        }
        // A socket file without a listener would only mislead the next command.
        let _ = std::fs::remove_file(&self.path);
        connections.end().await;
    }
}

async fn pause(error: &io::Error) {
    tracing::warn!(cause = %error.kind(), "A connection could not be accepted");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// The connections of one listener.
struct Connections {
    router: axum::Router,
    limits: Limits,
    room: Arc<Semaphore>,
    tasks: TaskTracker,
    /// Cancelled when requests in hand should end.
    ending: CancellationToken,
    /// Cancelled when their time is up.
    over: CancellationToken,
}

impl Connections {
    fn new(router: axum::Router, limits: Limits) -> Self {
        Self {
            router,
            limits,
            room: Arc::new(Semaphore::new(limits.connections_max.max(1))),
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
            over: CancellationToken::new(),
        }
    }

    /// Room for one more connection; none when stopping.
    async fn permit(&self, stop: &CancellationToken) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            permit = Arc::clone(&self.room).acquire_owned() => permit.ok(),
            () = stop.cancelled() => None,
        }
    }

    /// Serves a connection once it is open; opening it may take as long as a head may.
    fn take<I>(
        &self,
        opening: impl Future<Output = Option<(I, Option<ClientCertificate>)>> + Send + 'static,
        peer: Peer,
        permit: OwnedSemaphorePermit,
    ) where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (router, limits) = (self.router.clone(), self.limits);
        let (ending, over) = (self.ending.clone(), self.over.clone());
        self.tasks.spawn(async move {
            let _permit = permit;
            let serving = async {
                if let Ok(Some((stream, client))) = tokio::time::timeout(limits.header_time, opening).await {
                    converse(stream, (peer, client), router, limits, ending).await;
                }
            };
            tokio::select! {
                () = serving => {}
                () = over.cancelled() => {}
            }
        });
    }

    async fn end(self) {
        self.ending.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.limits.stop_time, self.tasks.wait()).await.is_err() {
            self.over.cancel();
            self.tasks.wait().await;
        }
    }
}

async fn converse<I>(
    stream: I,
    (peer, client): (Peer, Option<ClientCertificate>),
    router: axum::Router,
    limits: Limits,
    ending: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Set by the first request. hyper's own timer starts only after the protocol is known, and a connection that
    // sends nothing, or half a preface, would wait for ever.
    let spoke = Arc::new(AtomicBool::new(false));
    let said = Arc::clone(&spoke);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        said.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(peer);
        if let Some(client) = &client {
            request.extensions_mut().insert(client.clone());
        }
        router.clone().oneshot(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(limits.header_time);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let silent = tokio::time::sleep(limits.header_time);
    let old = tokio::time::sleep(CONNECTION_TIME_MAX);
    tokio::pin!(silent, old);
    let (mut may_speak, mut may_stay) = (true, true);
    loop {
        tokio::select! {
            // What goes wrong on a connection is its client's affair and was answered or is gone.
            _ = connection.as_mut() => return,
            () = silent.as_mut(), if may_speak => {
                if !spoke.load(Ordering::Relaxed) {
                    return;
                }
                may_speak = false;
            }
            () = old.as_mut(), if may_stay => {
                may_stay = false;
                connection.as_mut().graceful_shutdown();
            }
            () = ending.cancelled(), if may_stay => {
                may_stay = false;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
