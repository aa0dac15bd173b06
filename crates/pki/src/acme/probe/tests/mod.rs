//! The probes against real sockets of this machine: a name server, web servers and TLS servers that behave as a test wants.
//!
//! Never here: the network beyond this machine.

mod http;
mod names;
mod tls;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use base::config::Config;
use hickory_resolver::proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata},
};

use super::*;
use crate::acme::ProbeFault;

/// Long enough for a loaded machine, short enough for a test that waits for it.
const SHORT: Limits = Limits { whole: Duration::from_millis(800), connect: Duration::from_millis(400) };

const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
const KEY_AUTHORIZATION: &str =
    "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";

/// A house with these settings.
fn house(settings: &[(&str, String)], limits: Limits) -> NetProber {
    let flags: Vec<(String, String)> =
        settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let config = Config::load(&[SETTINGS], None, std::iter::empty(), &flags).unwrap();
    NetProber::with_limits(&config, limits).unwrap()
}

fn name(text: &str) -> Identifier {
    Identifier::Dns(DnsName::parse(text).unwrap())
}

fn kind(outcome: Outcome<()>) -> Option<ProbeFaultKind> {
    outcome.err().map(|fault: ProbeFault| fault.kind)
}

/// What a name server says to one question.
#[derive(Debug, Clone)]
enum Reply {
    /// These records, under the name that was asked for.
    Records(Vec<RData>),
    /// An alias, and the records under the name that it leads to.
    Alias(&'static str, Vec<RData>),
    /// Only a code.
    Code(ResponseCode),
}

/// A name server of this machine, over UDP and TCP, and what it was asked.
struct NameServer {
    port: u16,
    asked: Arc<Mutex<Vec<(String, RecordType)>>>,
}

type Answerer = dyn Fn(&str, RecordType, usize) -> Reply + Send + Sync;

impl NameServer {
    /// `answer` gets the name, the kind and how often this pair was asked before. Over UDP it is cut when `cut`.
    fn start(cut: bool, answer: impl Fn(&str, RecordType, usize) -> Reply + Send + Sync + 'static) -> Self {
        // A port that is free for both.
        let (udp, tcp) = std::iter::repeat_with(|| {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            let tcp = TcpListener::bind(udp.local_addr().unwrap());
            (udp, tcp)
        })
        .find_map(|(udp, tcp)| tcp.ok().map(|tcp| (udp, tcp)))
        .unwrap();
        let port = udp.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Answerer> = Arc::new(answer);
        let (noted, said) = (Arc::clone(&asked), Arc::clone(&answer));
        thread::spawn(move || {
            let mut packet = [0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut packet) {
                let reply = say(&packet[..length], cut, &noted, &*said);
                let _ = udp.send_to(&reply, from);
            }
        });
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let (mut stream, noted, answer) = (stream.unwrap(), Arc::clone(&noted), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut length = [0; 2];
                    while stream.read_exact(&mut length).is_ok() {
                        let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
                        stream.read_exact(&mut packet).unwrap();
                        let reply = say(&packet, false, &noted, &*answer);
                        let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
                        let _ = stream.write_all(&[&length[..], &reply].concat());
                    }
                });
            }
        });
        Self { port, asked }
    }

    /// Every name is 127.0.0.1, and there is nothing else.
    fn here() -> Self {
        Self::start(false, |_, kind, _| match kind {
            RecordType::A => Reply::Records(vec![four([127, 0, 0, 1])]),
            _ => Reply::Records(Vec::new()),
        })
    }

    fn setting(&self) -> (&'static str, String) {
        (dns::RESOLVER, format!("127.0.0.1:{}", self.port))
    }

    fn asked(&self, kind: RecordType) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(_, k)| *k == kind).map(|(name, _)| name.clone()).collect()
    }
}

fn say(packet: &[u8], cut: bool, asked: &Mutex<Vec<(String, RecordType)>>, answer: &Answerer) -> Vec<u8> {
    let question = Message::from_vec(packet).unwrap();
    let query = question.queries[0].clone();
    let written = query.name().to_ascii();
    let name = written.trim_end_matches('.').to_ascii_lowercase();
    let kind = query.query_type();
    let mut reply = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    reply.metadata.recursion_available = true;
    reply.add_query(query.clone());
    if cut {
        reply.metadata.truncation = true;
        return reply.to_vec().unwrap();
    }
    let before = {
        let mut asked = asked.lock().unwrap();
        let before = asked.iter().filter(|one| **one == (name.clone(), kind)).count();
        asked.push((name.clone(), kind));
        before
    };
    let mut records = |owner: &Name, data: Vec<RData>| {
        for one in data {
            reply.add_answer(Record::from_rdata(owner.clone(), 300, one));
        }
    };
    match answer(&name, kind, before) {
        Reply::Records(data) => records(query.name(), data),
        Reply::Alias(target, data) => {
            let target = Name::from_ascii(target).unwrap();
            records(query.name(), vec![RData::CNAME(rdata::CNAME(target.clone()))]);
            records(&target, data);
        }
        Reply::Code(code) => reply.metadata.response_code = code,
    }
    reply.to_vec().unwrap()
}

fn four(octets: [u8; 4]) -> RData {
    RData::A(rdata::A(Ipv4Addr::from(octets)))
}

fn text(strings: &[&str]) -> RData {
    RData::TXT(rdata::TXT::new(strings.iter().map(|one| (*one).to_owned()).collect()))
}

/// A web server that answers each request by its path, and remembers the heads.
struct Web {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Web {
    fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", answer)
    }

    fn at(address: &str, answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (noted, answer) = (Arc::clone(&heads), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, noted, answer) = (stream.unwrap(), Arc::clone(&noted), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
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

    fn setting(&self) -> (&'static str, String) {
        ("acme.http_port", self.port.to_string())
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn page(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn good_page() -> Vec<u8> {
    page("200 OK", "", KEY_AUTHORIZATION.as_bytes())
}

fn open(networks: &str) -> (&'static str, String) {
    (address::NETWORKS, networks.to_owned())
}

#[tokio::test]
async fn a_setting_that_cannot_be_read_is_named() {
    for (key, value) in [
        (dns::RESOLVER, "127.0.0.1"),
        (dns::RESOLVER, "ns.example:53"),
        (address::NETWORKS, "inside"),
        (CAA_IDENTITY, "https://ca.example"),
    ] {
        let flags = [(key.to_owned(), value.to_owned())];
        let config = Config::load(&[SETTINGS], None, std::iter::empty(), &flags).unwrap();
        let refused = NetProber::from_config(&config).err().unwrap();
        assert_eq!(refused.code().name, "PKI_SETTING", "{key} = {value}");
    }
    let known: BTreeMap<_, _> = SETTINGS.iter().map(|setting| (setting.key, setting.default)).collect();
    assert_eq!(known["acme.http_port"], "80");
    assert_eq!(known["acme.tls_port"], "443");
}
