//! A load over HTTP/1.1 on the loopback interface, made by `wrk`, and one small question of our own.
//!
//! Good for CPU per request, not for latency: `wrk` asks again on each connection as soon as it is answered, which is a
//! closed loop. Bounded in connections and in time.

use crate::guard::Guard;
use crate::{Trouble, process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(10);
const BODY_MAX: u64 = 16 * 1024 * 1024;
/// How much longer than its load `wrk` may live.
const GRACE: Duration = Duration::from_secs(20);

/// What a browser says when it asks for a page.
pub const PAGE: [&str; 2] = ["Accept: text/html", "Accept-Language: en"];

/// Asks for `path` on `connections` connections until the time is over; how many answers came, all of them 200.
pub fn run(
    port: u16,
    path: &str,
    headers: &[&str],
    connections: usize,
    time: Duration,
    guard: &Guard,
) -> Result<u64, Trouble> {
    let log = process::fresh_log("bench-load");
    let mut wrk = Command::new("wrk");
    wrk.arg("--threads=1")
        .arg(format!("--connections={connections}"))
        .arg(format!("--duration={}s", time.as_secs()))
        .args(headers.iter().flat_map(|header| ["--header", header]))
        .arg(format!("http://127.0.0.1:{port}{path}"));
    let ended = process::run(&mut wrk, &log, time + GRACE, guard)?;
    let said = crate::run::read(&log);
    let broken = |why: &str| Trouble::new(format!("wrk at {path}: {why}; see {}", crate::place::short(&log)));
    if !ended.well() {
        return Err(broken("it failed"));
    }
    if said.contains("Non-2xx") || said.contains("Socket errors") {
        return Err(broken("not every answer was good"));
    }
    answers(&said).ok_or_else(|| broken("it did not say how many were answered"))
}

/// Asks for `path` on a connection of its own each time, from so many threads, until the time is over; how many answers
/// came, all of them 200. For servers that know no other way, which `wrk` does not get along with.
pub fn alone(port: u16, path: &str, threads: usize, time: Duration) -> Result<u64, Trouble> {
    let end = Instant::now() + time;
    let ask = || {
        let mut answered = 0;
        while Instant::now() < end {
            match get(port, path) {
                Ok((200, _)) => answered += 1,
                Ok((status, _)) => return Err(Trouble::new(format!("{path} answers {status}"))),
                Err(error) => return Err(Trouble::new(format!("{path} does not answer: {error}"))),
            }
        }
        Ok(answered)
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
        let ended = asking.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(Trouble::new("a thread that asked panicked")))
        });
        ended.sum()
    })
}

/// The number in wrk's line `N requests in T, B read`.
fn answers(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains(" requests in "))?;
    line.split_ascii_whitespace().next()?.parse().ok().filter(|number| *number > 0)
}

/// Asks once, on a connection of its own.
pub fn get(port: u16, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    let mut stream = BufReader::new(stream);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nAccept: text/html\r\nAccept-Language: en\r\n\r\n"
    );
    stream.get_mut().write_all(request.as_bytes())?;
    read_answer(&mut stream)
}

fn read_answer(stream: &mut impl BufRead) -> std::io::Result<(u16, Vec<u8>)> {
    let wrong = || std::io::Error::new(std::io::ErrorKind::InvalidData, "not an HTTP answer");
    let status = read_line(stream)?.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(wrong)?;
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = read_line(stream)?;
        if header.is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(|_| wrong())?,
            "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if !chunked {
        stream.take(length.min(BODY_MAX)).read_to_end(&mut body)?;
        return Ok((status, body));
    }
    loop {
        let size = u64::from_str_radix(read_line(stream)?.trim(), 16).map_err(|_| wrong())?;
        if size.saturating_add(body.len() as u64) > BODY_MAX {
            return Err(wrong());
        }
        stream.by_ref().take(size).read_to_end(&mut body)?;
        read_line(stream)?;
        if size == 0 {
            return Ok((status, body));
        }
    }
}

fn read_line(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.take(64 * 1024).read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{answers, read_answer};

    #[test]
    fn the_number_of_answers_is_read_and_none_is_no_number() {
        let said = "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 8 connections\n  37221 requests in 1.10s, 438.12MB read\nRequests/sec:  33837.01\n";
        assert_eq!(answers(said), Some(37_221));
        assert_eq!(answers("  0 requests in 1.00s, 0.00B read"), None);
        assert_eq!(answers("unable to connect"), None);
    }

    #[test]
    fn an_answer_is_read_by_its_length_and_by_its_chunks() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1".as_slice();
        assert_eq!(read_answer(&mut &*whole).ok(), Some((200, b"hello".to_vec())));
        let chunks =
            b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
                .as_slice();
        assert_eq!(read_answer(&mut &*chunks).ok(), Some((404, b"hello".to_vec())));
        assert!(read_answer(&mut b"SSH-2.0".as_slice()).is_err());
    }
}
