//! Real sockets: listeners, protocols, limits, stopping, and the local socket with its client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use common::*;
use http_kit::{Admin, App, Client, Listener, Public, ServerLimits, Socket};
use hyper::{Method, body::Bytes};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const LIMITS: ServerLimits = ServerLimits {
    connections_max: 64,
    header_time: Duration::from_millis(200),
    stop_time: Duration::from_secs(2),
};

struct Served {
    address: std::net::SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Served {
    async fn start<Z: http_kit::Zone>(app: App<Z>, limits: ServerLimits) -> Self {
        let listener = Listener::<Z>::bind("127.0.0.1:0", "http.public_listen").await.unwrap();
        let (address, stop, tasks) = (listener.address(), CancellationToken::new(), TaskTracker::new());
        tasks.spawn(listener.serve(app, limits, stop.clone()));
        tasks.close();
        Self { address, stop, tasks }
    }
    async fn end(self) -> Duration {
        let began = Instant::now();
        self.stop.cancel();
        self.tasks.wait().await;
        began.elapsed()
    }
}

/// Everything that comes back for some bytes.
async fn exchange(address: std::net::SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut back = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut back)).await;
    String::from_utf8_lossy(&back).into_owned()
}

#[tokio::test]
async fn http_1_and_http_2_with_prior_knowledge_are_both_spoken() {
    let served = Served::start(House::new().public(), LIMITS).await;
    let answer = exchange(served.address, "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 200")
            && answer.contains("x-request-id: req_")
            && answer.contains("127.0.0.1")
    );

    let stream = TcpStream::connect(served.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let tasks = TaskTracker::new();
    tasks.spawn(connection);
    let request = hyper::Request::get("http://x/who").body(http_body_util::Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (hyper::Version::HTTP_2, 200));
    let request =
        hyper::Request::head("http://x/nowhere").body(http_body_util::Empty::<Bytes>::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), 404);
    drop(sender);
    served.end().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_remedy() {
    let first = Listener::<Public>::bind("127.0.0.1:0", "http.public_listen").await.unwrap();
    let address = first.address().to_string();
    let error = Listener::<Admin>::bind(&address, "http.admin_listen").await.err().unwrap();
    assert_eq!(error.code().name, "HTTP_PORT_TAKEN");
    assert!(
        error.cause(base::Lang::Pt).contains(&address)
            && error.remedy(base::Lang::En).contains("http.admin_listen")
    );
    let error = Listener::<Admin>::bind("nonsense", "http.admin_listen").await.err().unwrap();
    assert_eq!(error.code().name, "HTTP_ADDRESS_INVALID");
    let error = Listener::<Admin>::bind("192.0.2.1:80", "http.admin_listen").await.err().unwrap();
    assert_eq!(error.code().name, "HTTP_LISTEN_FAILED");
}

#[tokio::test]
async fn who_says_nothing_or_never_ends_its_head_is_hung_up_on() {
    let served = Served::start(House::new().public(), LIMITS).await;
    for bytes in [
        "",
        "P",
        "PRI * HTTP/2.0\r\n",
        "GET /who HTTP/1.1\r\nhost: x\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let began = Instant::now();
        exchange(served.address, bytes).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{bytes:?} held on for {:?}", began.elapsed());
    }
    served.end().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_or_no_http_is_refused() {
    let served = Served::start(House::new().public(), LIMITS).await;
    let many: String = (0..150).map(|number| format!("x-{number}: 1\r\n")).collect();
    let answer = exchange(served.address, &format!("GET /who HTTP/1.1\r\nhost: x\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let long = "a".repeat(40_000);
    let answer =
        exchange(served.address, &format!("GET /who HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(!exchange(served.address, "nonsense\r\n\r\n").await.contains("200"));
    served.end().await;
}

#[tokio::test]
async fn stopping_lets_a_request_in_hand_end_and_takes_no_new_one() {
    let house = House::new();
    let served = Served::start(house.admin(), LIMITS).await;
    let address = served.address;
    let body = r#"{"name":"slow"}"#;
    let head = "POST /api/v1/things HTTP/1.1\r\nhost: x\r\nauthorization: Bearer key_good\r\ncontent-type: application/json\r\n";
    let bytes = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let tasks = TaskTracker::new();
    let in_hand = tasks.spawn(async move { exchange(address, &bytes).await });
    tokio::time::sleep(Duration::from_millis(60)).await;
    let took = served.end().await;
    assert!(in_hand.await.unwrap().starts_with("HTTP/1.1 201"));
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let limits = ServerLimits {
        stop_time: Duration::from_millis(100),
        header_time: Duration::from_secs(10),
        ..LIMITS
    };
    let served = Served::start(House::new().admin(), limits).await;
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    idle.write_all(b"POST /api/v1/things HTTP/1.1\r\nhost: x\r\nauthorization: Bearer key_good\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let took = served.end().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let served = Served::start(House::new().public(), ServerLimits { connections_max: 1, ..LIMITS }).await;
    let held = TcpStream::connect(served.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let began = Instant::now();
    let answer = exchange(served.address, "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"));
    assert!(began.elapsed() > Duration::from_millis(100), "it waited until the silent one was hung up on");
    drop(held);
    served.end().await;
}

#[tokio::test]
async fn the_local_socket_is_the_owners_door_and_goes_away_with_the_house() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("selo.sock");
    std::fs::write(&path, "left behind by a dead house").unwrap();
    let client = Client::new(&path);
    let error = client.request(Method::GET, "/livez", &[], "").await.err().unwrap();
    assert_eq!(error.code().name, "SOCKET_ABSENT");
    assert!(!client.answers().await);

    let socket = Socket::bind(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    tasks.spawn(socket.serve(House::new().admin(), LIMITS, stop.clone()));
    tasks.close();

    assert!(client.answers().await);
    let headers = [("content-type", "application/json"), ("accept-language", "pt")];
    let answer = client.request(Method::POST, "/api/v1/things", &headers, r#"{"name":"a"}"#).await.unwrap();
    assert_eq!(answer.status.as_u16(), 201);
    assert_eq!(answer.json(1 << 20).await.unwrap()["data"]["lang"], "pt");
    let mut answer = client.request(Method::GET, "/livez", &[], "").await.unwrap();
    assert_eq!(answer.piece().await.unwrap().unwrap(), "alive\n");
    assert!(answer.piece().await.unwrap().is_none());
    let answer = client.request(Method::GET, "/metrics", &[], "").await.unwrap();
    assert_eq!(answer.bytes(10).await.err().unwrap().code().name, "BODY_TOO_LARGE");
    for _ in 0..50 {
        let answer = client.request(Method::GET, "/api/v1/things", &[], "").await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.headers.contains_key("ratelimit")), (200, false));
    }

    stop.cancel();
    tasks.wait().await;
    assert!(!path.exists());
}
