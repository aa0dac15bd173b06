//! The world around an ACME server, on this machine alone: a served house with TLS, names that lead to it, and what
//! answers its probes: a name server, a web server and a TLS server, each saying what stands in a folder.
//!
//! The names are those of `.test`; all lead to 127.0.0.1. Never here: a word of ACME; that is the clients' work.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustls::{
    ServerConfig, ServerConnection,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::common::{Ground, Ran, Served, finish, free_port};

/// How often a server looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);
/// A client of a server that says nothing is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A house that serves ACME, and its surroundings.
pub struct World {
    pub ground: Ground,
    _served: Served,
    /// Where http-01 and tls-alpn-01 are looked for.
    pub http: u16,
    pub tls: u16,
    /// A file for each TXT record set, named as the record is.
    pub records: PathBuf,
    _names: Server,
}

impl World {
    /// A new house with an authority and a certificate for itself. `settings` are further ones, `key=value`.
    pub fn new(settings: &[&str]) -> Self {
        let ground = Ground::new();
        let url = format!("https://localhost:{}", ground.public);
        ground.run(&["init", "--public-url", &url]).ends(0);
        ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
        let records = ground.file("records");
        std::fs::create_dir(&records).unwrap();
        let names = Server::names(&records);
        let (http, tls) = (free_port(), free_port());
        let mut own = vec![
            format!("http.public_tls_certificate={}", ground.arg("ca/server/chain.pem")),
            format!("http.public_tls_key={}", ground.arg("ca/server/key.pem")),
            format!("acme.http_port={http}"),
            format!("acme.tls_port={tls}"),
            format!("acme.resolver=127.0.0.1:{}", names.port),
            "acme.validate_networks=127.0.0.0/8".to_owned(),
        ];
        own.extend(settings.iter().map(|&setting| setting.to_owned()));
        let words: Vec<&str> = own.iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
        let served = ground.serve(&words);
        Self { ground, _served: served, http, tls, records, _names: names }
    }

    pub fn directory(&self) -> String {
        format!("https://localhost:{}/acme/directory", self.ground.public)
    }

    /// The root, as clients are given it.
    pub fn root(&self) -> String {
        self.ground.arg("ca/root.pem")
    }

    /// A folder that is made when it is not there.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.ground.file(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Answers http-01 at 127.0.0.1 with the files of a folder, until dropped.
    pub fn web(&self, folder: &Path) -> Server {
        self.web_at("127.0.0.1", folder)
    }

    /// The same at another address of this machine.
    pub fn web_at(&self, address: &str, folder: &Path) -> Server {
        Server::web(address, self.http, folder)
    }

    /// Answers tls-alpn-01 with `NAME.crt.pem` and `NAME.key.pem` of a folder, until dropped.
    pub fn handshakes(&self, folder: &Path) -> Server {
        Server::handshakes(self.tls, folder)
    }

    /// A script that a client calls.
    pub fn script(&self, name: &str, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.ground.file(name);
        std::fs::write(&file, format!("#!/bin/sh\nset -eu\n{text}")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        file.display().to_string()
    }

    /// Runs a client with an environment of its own.
    pub fn client(&self, program: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", self.ground.folder.path())
            .envs(environment.iter().copied())
            .current_dir(self.ground.folder.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        finish(command.spawn().unwrap())
    }

    /// What openssl says of a chain that a client was given, below the root alone: the chain must suffice.
    pub fn judged(&self, chain: &Path) -> String {
        let chain = chain.display().to_string();
        let words = [
            "verify",
            "-x509_strict",
            "-no-CApath",
            "-no-CAstore",
            "-CAfile",
            &self.root(),
            "-untrusted",
            &chain,
            &chain,
        ];
        self.openssl(&words)
    }

    pub fn openssl(&self, arguments: &[&str]) -> String {
        let ran = self.client(Path::new("openssl"), &[], arguments);
        format!("{}{}", ran.out, ran.err)
    }

    /// The number of the first certificate of a file, in the form of the command line.
    pub fn serial(&self, chain: &Path) -> String {
        let said = self.openssl(&["x509", "-in", &chain.display().to_string(), "-noout", "-serial"]);
        said.trim().trim_start_matches("serial=").to_ascii_lowercase()
    }

    /// What the house says of a certificate: its state.
    pub fn state(&self, serial: &str) -> String {
        let shown = self.ground.run(&["--json", "pki", "show", serial]).ends(0).json();
        shown["state"].as_str().unwrap().to_owned()
    }
}

/// A server of a test, ended when dropped.
pub struct Server {
    pub port: u16,
    wanted: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || !matches!(ended, Some(Err(_))), "a server of the test panicked");
    }
}

impl Server {
    fn start(port: u16, work: impl Fn() + Send + 'static) -> Self {
        let wanted = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&wanted);
        let thread = std::thread::spawn(move || {
            while seen.load(Ordering::Relaxed) {
                work();
            }
        });
        Self { port, wanted, thread: Some(thread) }
    }

    /// Each connection in turn; a client that goes away is its own affair.
    fn listen(
        address: &str,
        port: u16,
        answer: impl Fn(TcpStream) -> std::io::Result<()> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self::start(port, move || match listener.accept() {
            Ok((stream, _)) => {
                let patient =
                    |time| stream.set_read_timeout(time).and_then(|()| stream.set_write_timeout(time));
                let ready = stream.set_nonblocking(false).and_then(|()| patient(Some(PATIENCE)));
                let _gone = ready.and_then(|()| answer(stream));
            }
            Err(_) => std::thread::sleep(LOOK),
        })
    }

    fn names(records: &Path) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(LOOK)).unwrap();
        let (port, records) = (socket.local_addr().unwrap().port(), records.to_owned());
        Self::start(port, move || {
            let mut question = [0; 512];
            let Ok((length, from)) = socket.recv_from(&mut question) else { return };
            if let Some(answer) = reply(&question[..length], &records) {
                socket.send_to(&answer, from).unwrap();
            }
        })
    }

    fn web(address: &str, port: u16, folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self::listen(address, port, move |stream| {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let mut header = String::from("…");
            while !header.trim().is_empty() {
                header.clear();
                stream.read_line(&mut header)?;
            }
            let path = line.split(' ').nth(1).unwrap_or_default();
            let token =
                path.strip_prefix("/.well-known/acme-challenge/").filter(|token| !token.contains(['/', '.']));
            let body = token.and_then(|token| std::fs::read(folder.join(token)).ok());
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.get_mut().write_all(&[head.as_bytes(), &body].concat())
        })
    }

    fn handshakes(port: u16, folder: &Path) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config =
            builder.with_no_client_auth().with_cert_resolver(Arc::new(Folder(folder.to_owned())));
        config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
        let config = Arc::new(config);
        Self::listen("127.0.0.1", port, move |mut stream| {
            let mut connection = ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
            while connection.is_handshaking() {
                connection.complete_io(&mut stream)?;
            }
            // until the other side has seen all and hangs up
            stream.read_to_end(&mut Vec::new()).map(|_| ())
        })
    }
}

/// Certificates by name.
#[derive(Debug)]
struct Folder(PathBuf);

impl ResolvesServerCert for Folder {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let file = |kind: &str| Some(self.0.join(format!("{}.{kind}.pem", hello.server_name()?)));
        let certificate = CertificateDer::from_pem_file(file("crt")?).ok()?;
        let key = PrivateKeyDer::from_pem_file(file("key")?).ok()?;
        let key = aws_lc_rs::sign::any_supported_type(&key).ok()?;
        Some(Arc::new(CertifiedKey::new(vec![certificate], key)))
    }
}

const A: u16 = 1;
const TXT: u16 = 16;

/// Answers a question of DNS: an address for every name of `.test`, and the records of the folder.
fn reply(question: &[u8], records: &Path) -> Option<Vec<u8>> {
    let mut labels: Vec<String> = Vec::new();
    let mut at = 12;
    while *question.get(at)? != 0 {
        let length = usize::from(*question.get(at)?);
        let label = question.get(at + 1..at + 1 + length)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += 1 + length;
    }
    let asked = question.get(12..at + 5)?;
    let kind = u16::from_be_bytes([*question.get(at + 1)?, *question.get(at + 2)?]);
    let name = labels.join(".");
    let data: Vec<Vec<u8>> = match kind {
        A if name.ends_with(".test") => vec![vec![127, 0, 0, 1]],
        TXT => {
            let text = std::fs::read_to_string(records.join(&name)).unwrap_or_default();
            text.lines().map(|line| [&[line.len() as u8], line.as_bytes()].concat()).collect()
        }
        _ => Vec::new(),
    };
    let mut answer = question.get(..2)?.to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, data.len() as u8, 0, 0, 0, 0]);
    answer.extend(asked);
    for one in data {
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0]);
        answer.extend((one.len() as u16).to_be_bytes());
        answer.extend(one);
    }
    Some(answer)
}

/// Where a program is, or None after saying that the test is not run.
pub fn program(name: &str) -> Option<PathBuf> {
    let python = std::env::var_os("SELO_TEST_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop/python/bin"),
        PathBuf::from,
    );
    let folders = [python, "/usr/bin".into(), "/usr/sbin".into()];
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        println!("NOT RUN: {name} is absent");
    }
    found
}
