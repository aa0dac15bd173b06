//! `selo verify --online` against a server of this test, on this machine over plain http.
//!
//! Shows what is found, what is not there, and where a bound or a rule cuts.
//! Never here: the network beyond this machine; TLS and the table of addresses are tested beside the code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use proof::{
    status::LIST_DOCUMENT_BYTES_MAX,
    verify::{Answer, Want},
};
use selo::online::fetch;

const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// A server that answers each request by its path, and remembers the paths and the heads.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    fn on(listener: TcpListener, answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (noted, answer) = (Arc::clone(&heads), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, noted, answer) = (stream.unwrap(), Arc::clone(&noted), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        if reader.read_line(&mut head).unwrap_or(0) == 0 {
                            break;
                        }
                    }
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    noted.lock().unwrap().push(head);
                    answer(&path, &mut stream);
                });
            }
        });
        Self { port, heads }
    }

    /// Always the same answer.
    fn saying(text: impl Into<Vec<u8>>) -> Self {
        let text = text.into();
        Self::start(move |_, stream| drop(stream.write_all(&text)))
    }

    fn address(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    fn list(&self, path: &str) -> Want {
        Want::StatusList(self.address(path))
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut text =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    text.extend_from_slice(body);
    text
}

fn found(bytes: &[u8], age: u64) -> Answer {
    Answer::Found { bytes: bytes.to_vec(), age }
}

#[tokio::test]
async fn a_list_is_found_at_its_address_with_the_age_that_a_cache_gives() {
    let server = Server::saying(whole("200 OK", "age: 42\r\n", b"{\"id\":\"x\"}"));
    assert_eq!(fetch(&server.list("/status/1?a=b#part")).await, found(b"{\"id\":\"x\"}", 42));
    let head = server.heads().concat().to_ascii_lowercase();
    assert!(head.starts_with("get /status/1?a=b http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nhost: localhost:{}\r\n", server.port)), "{head}");
    for secret in ["cookie", "authorization", "referer", "origin"] {
        assert!(!head.contains(&format!("\r\n{secret}:")), "{head}");
    }
}

#[tokio::test]
async fn this_machine_is_asked_under_its_plain_spellings_and_under_no_other() {
    let server = Server::saying(whole("200 OK", "", b"{}"));
    for host in ["localhost", "127.0.0.1"] {
        let want = Want::StatusList(format!("http://{host}:{}/x", server.port));
        assert_eq!(fetch(&want).await, found(b"{}", 0), "{host}");
    }
    let asked = server.heads().len();
    assert_eq!(asked, 2);
    for host in ["127.1", "2130706433", "0x7f000001", "0.0.0.0", "user@localhost", "[::ffff:127.0.0.1]"] {
        let want = Want::StatusList(format!("http://{host}:{}/x", server.port));
        assert_eq!(fetch(&want).await, Answer::Unreachable, "{host}");
    }
    for address in ["https://localhost", "https://127.0.0.1"] {
        let want = Want::StatusList(format!("{address}:{}/x", server.port));
        assert_eq!(fetch(&want).await, Answer::Unreachable, "{address}");
    }
    let want = Want::KeyDocument(format!("did:web:localhost%3A{}", server.port));
    assert_eq!(fetch(&want).await, Answer::Unreachable);
    assert_eq!(server.heads().len(), asked);
}

#[tokio::test]
async fn this_machine_is_asked_over_ipv6_too() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        println!("this machine has no IPv6: the test was not run");
        return;
    };
    let server = Server::on(listener, |_, stream| drop(stream.write_all(&whole("200 OK", "", b"{}"))));
    let want = Want::StatusList(format!("http://[::1]:{}/x", server.port));
    assert_eq!(fetch(&want).await, found(b"{}", 0));
}

#[tokio::test]
async fn what_is_gone_is_not_found_and_every_other_status_is_no_answer() {
    for status in ["404 Not Found", "410 Gone"] {
        let server = Server::saying(whole(status, "", b"no"));
        assert_eq!(fetch(&server.list("/x")).await, Answer::NotFound, "{status}");
    }
    for status in
        ["204 No Content", "206 Partial Content", "401 Unauthorized", "403 Forbidden", "429 Wait", "500 Oh"]
    {
        let server = Server::saying(whole(status, "", b""));
        assert_eq!(fetch(&server.list("/x")).await, Answer::Unreachable, "{status}");
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_its_bound_and_not_one_byte_further() {
    let server = Server::start(|path, stream| {
        let bytes = vec![b' '; path.trim_start_matches('/').parse().unwrap()];
        let _ = stream.write_all(&whole("200 OK", "", &bytes));
    });
    for (bytes_max, document) in [(LIST_DOCUMENT_BYTES_MAX, false), (DOCUMENT_BYTES_MAX, true)] {
        for (bytes, good) in [(bytes_max, true), (bytes_max + 1, false)] {
            let address = server.address(&format!("/{bytes}"));
            let want = if document { Want::KeyDocument(address) } else { Want::StatusList(address) };
            match fetch(&want).await {
                Answer::Found { bytes: got, .. } => assert!(good && got.len() == bytes, "{bytes}"),
                other => assert!(!good && other == Answer::Unreachable, "{bytes}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_endless_body_an_endless_head_and_a_broken_body_are_no_answers() {
    let endless_body = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        let piece = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
        while stream.write_all(piece.as_bytes()).is_ok() {}
    });
    let started = Instant::now();
    assert_eq!(fetch(&endless_body.list("/x")).await, Answer::Unreachable);
    let endless_head = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        while stream.write_all(&[b'x'; 1024]).is_ok() {}
    });
    assert_eq!(fetch(&endless_head.list("/x")).await, Answer::Unreachable);
    assert!(started.elapsed() < Duration::from_secs(9), "size cuts, not time: {:?}", started.elapsed());
    let broken = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}");
    assert_eq!(fetch(&broken.list("/x")).await, Answer::Unreachable);
    let packed = Server::saying(whole("200 OK", "content-encoding: gzip\r\n", b"\x1f\x8b"));
    assert_eq!(fetch(&packed.list("/x")).await, Answer::Unreachable);
    let other_protocol = Server::saying("220 mail.example ESMTP\r\n");
    assert_eq!(fetch(&other_protocol.list("/x")).await, Answer::Unreachable);
}

#[tokio::test]
async fn a_slow_answer_is_cut_after_ten_seconds() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let started = Instant::now();
    assert_eq!(fetch(&server.list("/x")).await, Answer::Unreachable);
    let took = started.elapsed();
    assert!((9.5..15.0).contains(&took.as_secs_f64()), "{took:?}");
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let server = Server::start(|path, stream| {
        let left: u32 = path.trim_start_matches('/').parse().unwrap();
        let answer = match left.checked_sub(1) {
            None => whole("200 OK", "", b"{}"),
            Some(next) => whole("307 Elsewhere", &format!("location: {next}\r\n"), b""),
        };
        let _ = stream.write_all(&answer);
    });
    assert_eq!(fetch(&server.list("/3")).await, found(b"{}", 0));
    assert_eq!(server.heads().len(), 4);
    assert_eq!(fetch(&server.list("/4")).await, Answer::Unreachable);
    assert_eq!(server.heads().len(), 8);
}

#[tokio::test]
async fn a_redirect_to_another_scheme_or_machine_is_refused_before_anybody_is_asked() {
    let other = Server::saying(whole("200 OK", "", b"{}"));
    let port = other.port;
    for location in [
        format!("https://localhost:{port}/x"),
        format!("https://127.0.0.1:{port}/x"),
        format!("http://user@localhost:{port}/x"),
        format!("http://127.0.0.2:{port}/x"),
        format!("http://0.0.0.0:{port}/x"),
        format!("http://[::ffff:127.0.0.1]:{port}/x"),
        format!("http:\\\\localhost:{port}\\x"),
        "http://a.example/x".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/hostname".to_owned(),
        String::new(),
    ] {
        for status in ["301 Moved", "302 Found", "303 See", "307 There", "308 Forever"] {
            // Nothing at all in place of an empty address.
            let header =
                if location.is_empty() { String::new() } else { format!("location: {location}\r\n") };
            let server = Server::saying(whole(status, &header, b""));
            assert_eq!(fetch(&server.list("/x")).await, Answer::Unreachable, "{status} {location}");
            assert_eq!(server.heads().len(), 1, "{status} {location}");
        }
    }
    assert_eq!(other.heads(), Vec::<String>::new());
    let server = Server::saying(whole("302 Found", &format!("location: http://127.0.0.1:{port}/x\r\n"), b""));
    assert_eq!(fetch(&server.list("/x")).await, found(b"{}", 0), "another port of this machine");
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_answer() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(fetch(&Want::StatusList(format!("http://127.0.0.1:{port}/x"))).await, Answer::Unreachable);
}
