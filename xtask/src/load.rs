//! A small load over HTTP/1.1 on the loopback interface: some connections, each asking again as soon as it is answered.
//!
//! Good for CPU per request, not for latency: it is a closed loop and says so. Bounded in requests and in time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(10);
const BODY_MAX: u64 = 16 * 1024 * 1024;

/// What came of a load.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answered {
    pub well: u64,
    pub badly: u64,
    pub wall: Duration,
}

/// Asks for `path` until the time is over.
pub fn run(port: u16, path: &str, connections: usize, time: Duration) -> Answered {
    let start = Instant::now();
    let mut total = Answered::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(move || {
                    let mut mine = Answered::default();
                    let mut line = None;
                    while start.elapsed() < time {
                        match get_on(&mut line, port, path) {
                            Ok((200, _)) => mine.well += 1,
                            _ => {
                                mine.badly += 1;
                                line = None;
                            }
                        }
                    }
                    mine
                })
            })
            .collect();
        for worker in workers {
            let mine = worker.join().unwrap_or_default();
            total.well += mine.well;
            total.badly += mine.badly;
        }
    });
    total.wall = start.elapsed();
    total
}

/// Asks once, on a connection of its own.
pub fn get(port: u16, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    get_on(&mut None, port, path)
}

fn get_on(line: &mut Option<BufReader<TcpStream>>, port: u16, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = match line.take() {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), WAIT)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(WAIT))?;
            BufReader::new(stream)
        }
    };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: text/html\r\nAccept-Language: en\r\n\r\n"
    );
    stream.get_mut().write_all(request.as_bytes())?;
    let answer = read_answer(&mut stream)?;
    *line = Some(stream);
    Ok(answer)
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
    use super::read_answer;

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
