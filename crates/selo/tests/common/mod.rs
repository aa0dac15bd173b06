//! The built program as a child process: run a command, serve a house, speak HTTP to it by hand.
//!
//! The child sees a scrubbed environment (PATH and LANG only), so that no setting of the machine decides a test, and
//! ports that were free a moment ago. HTTP is written by hand here: what a test asks and hears owes nothing to the
//! program under test. Never here: a look into the house from inside its own process.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

pub mod hsm;

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// A command that takes longer hangs.
const COMMAND_TIME: Duration = Duration::from_secs(90);
/// A house that is not open by then does not open.
const START_TIME: Duration = Duration::from_secs(20);
const EXCHANGE_TIME: Duration = Duration::from_secs(20);

/// A folder with a home in it, two ports, and what the environment of children holds besides PATH and LANG.
pub struct Ground {
    pub folder: tempfile::TempDir,
    pub public: u16,
    pub admin: u16,
    pub environment: BTreeMap<String, String>,
}

/// How a command ended and what it said.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A house that a child process serves; killed when dropped.
pub struct Served {
    child: Option<Child>,
    pub socket: PathBuf,
    pub public: u16,
}

/// An answer over HTTP.
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Ran {
    /// The one JSON value on stdout; anything else there is a fault.
    pub fn json(&self) -> Value {
        let told = format!("stdout {:?}, stderr {:?}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|wrong| panic!("not one JSON value ({wrong}): {told}"))
    }

    /// The code of the failure, as `--json` says it.
    pub fn error(&self) -> String {
        let value = self.json();
        assert_eq!(value["success"], false, "{value}");
        for part in ["message", "remedy"] {
            assert!(value["error"][part].as_str().is_some_and(|text| !text.is_empty()), "no {part}: {value}");
        }
        value["error"]["code"].as_str().unwrap().to_owned()
    }

    /// Ends the test when the command did not end with this exit code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout {:?}\nstderr {:?}", self.out, self.err);
        self
    }
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `data` of a success.
    pub fn data(&self) -> Value {
        let body: Value =
            serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()));
        assert_eq!(body["success"], true, "{body}");
        body["data"].clone()
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Ground {
    /// An empty folder; no house yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (public, admin) = (free_port(), free_port());
        Self { folder, public, admin, environment: BTreeMap::new() }
    }

    /// A house with a tenant.
    pub fn with_house() -> Self {
        let ground = Self::new();
        ground.make_house();
        ground
    }

    /// Makes the house and a tenant.
    pub fn make_house(&self) {
        self.run(&["init", "--public-url", &self.url()]).ends(0);
        self.run(&["tenant", "create", "Universidade de São Tomé"]).ends(0);
    }

    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.public)
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path as an argument.
    pub fn arg(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    fn command(&self, home: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selo"));
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .envs(&self.environment)
            .current_dir(self.folder.path())
            .arg("--home")
            .arg(home)
            .args(["--set", &format!("http.public_listen=127.0.0.1:{}", self.public)])
            .args(["--set", &format!("http.admin_listen=127.0.0.1:{}", self.admin)])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command in this ground's home.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in(&self.home(), arguments)
    }

    /// Runs a command in some home, and waits for its end.
    pub fn run_in(&self, home: &Path, arguments: &[&str]) -> Ran {
        finish(self.command(home, arguments).spawn().unwrap())
    }

    /// Runs a command in this ground's home at a terminal where somebody types this line; what it said on stdout.
    pub fn run_at_terminal(&self, line: &str, arguments: &[&str]) -> Ran {
        let (command, said) = (self.command(&self.home(), arguments), self.file("said"));
        let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap());
        let words: Vec<String> =
            std::iter::once(command.get_program()).chain(command.get_args()).map(quoted).collect();
        let mut terminal = Command::new("script");
        terminal
            .args(["-qec", &format!("{} > '{}'", words.join(" "), said.display()), "/dev/null"])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("SHELL", "/bin/sh")
            .envs(&self.environment)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = terminal.spawn().expect("script (bsdutils) is needed for this test");
        child.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        let ran = finish(child);
        Ran { out: std::fs::read_to_string(said).unwrap(), err: ran.out, ..ran }
    }

    /// Runs a command where no house is.
    pub fn homeless(&self, arguments: &[&str]) -> Ran {
        self.run_in(&self.file("nowhere"), arguments)
    }

    /// Serves the house; comes back when it answers.
    pub fn serve(&self, more: &[&str]) -> Served {
        // Nobody reads the log of the served house; into a file, for whoever looks at a failure.
        let log = std::fs::File::create(self.file("serve.log")).unwrap();
        let arguments = [more, &["serve"]].concat();
        let mut command = self.command(&self.home(), &arguments);
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut served =
            Served { child: Some(child), socket: self.home().join("house.sock"), public: self.public };
        let begun = Instant::now();
        while !served.ready() {
            let ended = served.child.as_mut().unwrap().try_wait().unwrap();
            let log = || std::fs::read_to_string(self.file("serve.log")).unwrap_or_default();
            assert!(ended.is_none(), "the house did not open: {ended:?} {}", log());
            assert!(begun.elapsed() < START_TIME, "the house does not open: {}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
        served
    }

    /// Whether openssl accepts a chain with all lists of the house, and what it said; files of this ground.
    pub fn judged(&self, root: &str, intermediate: &str, leaf: &str) -> (bool, String) {
        self.run(&["pki", "crl", "--out", &self.arg("lists")]).ends(0);
        let strict = ["verify", "-x509_strict", "-crl_check_all"];
        let files = ["-CAfile", &self.arg(root), "-untrusted", &self.arg(intermediate)];
        let lists = ["-CRLfile", &self.arg("lists/crls.pem"), &self.arg(leaf)];
        openssl(&[&strict[..], &files, &lists].concat())
    }

    /// Writes a table.
    pub fn table(&self, name: &str, rows: &[&str]) -> String {
        let mut text = "name,email,degree,field,grade,date\n".to_owned();
        for row in rows {
            text.push_str(row);
            text.push('\n');
        }
        std::fs::write(self.file(name), text).unwrap();
        self.arg(name)
    }

    /// Issues one diploma; its entry in the answer of `issue`.
    pub fn diploma(&self, name: &str) -> Value {
        let table = self.table(
            "one.csv",
            &[&format!("{name},a@example.org,Licenciatura em Direito,Direito,17,2026-07-31")],
        );
        let out = self.arg("out");
        let told = self
            .run(&["--json", "issue", "--template", "diploma", "--rows", &table, "--out", &out])
            .ends(0)
            .json();
        told["credentials"][0].clone()
    }
}

/// Waits for the end of a child, at most [`COMMAND_TIME`].
pub fn finish(child: Child) -> Ran {
    let id = child.id();
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if receiver.recv_timeout(COMMAND_TIME) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            signal(id, "KILL");
        }
    });
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    drop(sender);
    guard.join().unwrap();
    Ran {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Sends a signal to a process of ours.
pub fn signal(id: u32, name: &str) {
    Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().unwrap();
}

impl Served {
    fn ready(&self) -> bool {
        exchange(UnixStream::connect(&self.socket), "GET", "/readyz", "", b"")
            .is_ok_and(|reply| reply.status == 200)
    }

    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// A request over the local socket.
    pub fn local(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        local(&self.socket, method, path, &body).unwrap()
    }

    /// GET over TCP, as a stranger; a whole address is cut to its path.
    pub fn get(&self, address: &str) -> Reply {
        let path = address.strip_prefix(&format!("http://localhost:{}", self.public)).unwrap_or(address);
        exchange(TcpStream::connect(("127.0.0.1", self.public)), "GET", path, "", b"").unwrap()
    }

    /// kill -9.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; how it ended and how long that took.
    pub fn stop(mut self) -> (Option<i32>, Duration) {
        let mut child = self.child.take().unwrap();
        let begun = Instant::now();
        signal(child.id(), "TERM");
        while begun.elapsed() < Duration::from_secs(30) {
            if let Some(status) = child.try_wait().unwrap() {
                return (status.code(), begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("SIGTERM did not end the house in 30 s");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A request over a local socket.
pub fn local(socket: &Path, method: &str, path: &str, body: &[u8]) -> std::io::Result<Reply> {
    let media = if body.is_empty() { "" } else { "application/json" };
    exchange(UnixStream::connect(socket), method, path, media, body)
}

/// A connection that can be given a patience.
pub trait Patient: Read + Write {
    fn patience(&self, time: Duration) -> std::io::Result<()>;
}

impl Patient for UnixStream {
    fn patience(&self, time: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(time)).and_then(|()| self.set_write_timeout(Some(time)))
    }
}

impl Patient for TcpStream {
    fn patience(&self, time: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(time)).and_then(|()| self.set_write_timeout(Some(time)))
    }
}

/// One HTTP/1.1 exchange. A broken connection or half an answer is an error, so that nothing counts as acknowledged
/// that was not told in full.
pub fn exchange<S: Patient>(
    stream: std::io::Result<S>,
    method: &str,
    path: &str,
    media: &str,
    body: &[u8],
) -> std::io::Result<Reply> {
    let mut stream = stream?;
    stream.patience(EXCHANGE_TIME)?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    if !media.is_empty() {
        head.push_str(&format!("content-type: {media}\r\n"));
    }
    if method != "GET" {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    // In one piece: a server may answer and close before it read a body that comes later.
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| std::io::Error::other("half an answer"))
}

fn parse(answer: &[u8]) -> Option<Reply> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(answer.get(..end)?).into_owned();
    let rest = answer.get(end + 4..)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        head.lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Some(Reply { status, body: chunks(rest)? });
    }
    match header("content-length") {
        Some(length) if length.parse::<usize>().ok()? != rest.len() => None,
        _ => Some(Reply { status, body: rest.to_vec() }),
    }
}

fn chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..line)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = rest.get(line + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

/// Runs openssl; whether it said yes, and all that it said.
pub fn openssl(arguments: &[&str]) -> (bool, String) {
    let ran = Command::new("openssl").args(arguments).output().expect("openssl is needed for this test");
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (ran.status.success(), said)
}

/// The row of one diploma, as the API takes it.
pub fn row(name: &str, email: &str) -> Value {
    json!({"template": "diploma", "row": {
        "name": name, "email": email, "degree": "Licenciatura em Direito", "field": "Direito",
        "grade": "17 (dezassete) valores", "date": "2026-07-31",
    }})
}
