//! `selo agent` beside real services: nginx, PostgreSQL and Redis get their certificates from a served house by ACME and
//! take each new one up while strangers shake hands with them all the time.
//!
//! A test whose service is not on this machine says so and does not run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::{Ground, Ran, Served, free_port};
use proof::x509::pem::{self, Label};
use rustls::{ClientConfig, ClientConnection, RootCertStore, pki_types::ServerName};
use serde_json::{Value, json};

const START_TIME: Duration = Duration::from_secs(20);

/// A house with an authority that looks at this machine, and the file of an agent beside it.
struct World {
    ground: Ground,
    house: Option<Served>,
    challenge: u16,
}

impl World {
    fn new() -> Self {
        let ground = Ground::with_house();
        ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
        // The services of the tests may not be of our user.
        fs::set_permissions(ground.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut world = Self { ground, house: None, challenge: free_port() };
        world.open();
        world
    }

    fn open(&mut self) {
        let port = format!("acme.http_port={}", self.challenge);
        let networks = "acme.validate_networks=127.0.0.0/8";
        self.house = Some(self.ground.serve(&["--set", &port, "--set", networks]));
    }

    /// Writes the agent's file with one certificate, `web`, for 127.0.0.1.
    fn write(&self, more: &str) {
        let text = format!(
            "state = \"{state}\"\nmetrics = \"{state}/agent.prom\"\nchallenge = {{ http = \"127.0.0.1:{port}\" }}\n\
             [account]\ndirectory = \"{url}/acme/directory\"\n\
             [[certificate]]\nname = \"web\"\nnames = [\"127.0.0.1\"]\nprofile = \"server\"\n{more}\n",
            state = self.ground.arg("agent"),
            port = self.challenge,
            url = self.ground.url(),
        );
        fs::write(self.ground.file("agent.toml"), text).unwrap();
    }

    fn agent(&self, more: &[&str]) -> Ran {
        let file = self.ground.arg("agent.toml");
        self.ground.homeless(&[&["--json", "agent", "--config", &file], more].concat())
    }

    /// One round; how the certificate is doing.
    fn round(&self, code: i32) -> Value {
        self.agent(&["--once"]).ends(code).json()["certificates"][0].clone()
    }

    /// Makes the next round renew: turns what the agent has planned into the past.
    fn make_due(&self) {
        let file = self.ground.file("agent/web/state.json");
        let mut state: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        state["planned"] = json!("2026-01-01T00:00:00Z");
        state["retry"] = Value::Null;
        fs::write(file, state.to_string()).unwrap();
    }

    fn roots(&self) -> RootCertStore {
        let root = fs::read(self.ground.file("ca/root.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(pem::one(&root, Label::Certificate).unwrap().into()).unwrap();
        roots
    }

    /// Renews three times while strangers shake hands with the service; nobody may notice.
    fn renews_under_load(&self, port: u16, hello: &'static [u8]) {
        let load = Load::start(&self.roots(), port, hello);
        let mut serials = vec![self.round(0)["serial"].clone()];
        for _ in 0..3 {
            self.make_due();
            let told = self.round(0);
            assert_eq!((&told["served"], &told["well"]), (&json!(true), &json!(true)), "{told}");
            assert!(!serials.contains(&told["serial"]), "{told}");
            serials.push(told["serial"].clone());
        }
        load.ends();
        let kept = fs::read_dir(self.ground.file("agent/web")).unwrap();
        let kept = kept.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        assert_eq!(kept, 2, "one generation is kept back");
        let figures = fs::read_to_string(self.ground.file("agent/agent.prom")).unwrap();
        assert!(figures.contains("selo_agent_served_serial_match{certificate=\"web\"} 1"), "{figures}");
    }
}

/// A service of the test, ended with it.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        common::signal(self.0.id(), "TERM");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if self.0.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until a port of this machine is open.
fn wait_for(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < START_TIME, "nobody listens at {port}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        ["/usr/sbin", "/usr/bin", "/usr/local/bin"].iter().map(PathBuf::from).collect();
    for version in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        folders.push(version.path().join("bin"));
    }
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|file| file.exists());
    if found.is_none() {
        println!("this machine has no {name}: the test was not run");
    }
    found
}

/// Handshakes that believe the house's root alone, one after the other from two threads.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    threads: Vec<thread::JoinHandle<Option<String>>>,
}

impl Load {
    fn start(roots: &RootCertStore, port: u16, hello: &'static [u8]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let config = Arc::new(config);
        let threads = (0..2)
            .map(|_| {
                let (stop, done, config) = (Arc::clone(&stop), Arc::clone(&done), Arc::clone(&config));
                thread::spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        if let Err(failed) = handshake(&config, port, hello) {
                            return Some(format!(
                                "after {} handshakes: {failed}",
                                done.load(Ordering::SeqCst)
                            ));
                        }
                        done.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(2));
                    }
                    None
                })
            })
            .collect();
        Self { stop, done, threads }
    }

    fn ends(self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            assert_eq!(thread.join().unwrap(), None);
        }
        assert!(self.done.load(Ordering::SeqCst) > 50, "{:?} handshakes", self.done);
    }
}

fn handshake(config: &Arc<ClientConfig>, port: u16, hello: &[u8]) -> std::io::Result<()> {
    let mut tcp = TcpStream::connect(("127.0.0.1", port))?;
    tcp.set_read_timeout(Some(Duration::from_secs(10)))?;
    if !hello.is_empty() {
        tcp.write_all(hello)?;
        let mut said = [0];
        tcp.read_exact(&mut said)?;
        if said != *b"S" {
            return Err(std::io::Error::other("no TLS"));
        }
    }
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    tls.send_close_notify();
    let _ = tls.complete_io(&mut tcp);
    Ok(())
}

#[test]
fn nginx_is_kept_new_and_what_fails_leaves_the_old_certificate_in_service() {
    let Some(nginx) = program("nginx") else { return };
    let mut world = World::new();
    let (folder, port) = (world.ground.folder.path().display().to_string(), free_port());
    let conf = format!(
        "daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;\n\
         events {{ worker_connections 64; }}\nhttp {{ access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;\n\
         fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;\n\
         server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/live/fullchain.pem;\n\
         ssl_certificate_key {folder}/live/key.pem; return 200 ok; }} }}\n"
    );
    let conf_file = world.ground.file("nginx.conf");
    fs::write(&conf_file, &conf).unwrap();
    world.write(&format!(
        "link = \"{folder}/live\"\nreload = {{ nginx = [\"-c\", \"{folder}/nginx.conf\"] }}\n\
         probe = {{ host = \"127.0.0.1\", port = {port} }}"
    ));
    assert_eq!(world.agent(&["status"]).ends(1).json()["certificates"][0]["mood"], Value::Null);

    // A service that needs its files to start finds them; that it could not be told is said.
    let first = world.round(1);
    assert_eq!(first["trouble"]["code"], "AGENT_RELOAD_FAILED", "{first}");
    let _nginx =
        Service(Command::new(&nginx).arg("-c").arg(&conf_file).stderr(Stdio::null()).spawn().unwrap());
    wait_for(port);
    let told = world.round(0);
    assert_eq!((&told["serial"], &told["mood"]), (&first["serial"], &json!("fine")), "{told}");
    world.renews_under_load(port, b"");

    // What nginx does not accept never reaches the service, and the files before come back.
    let load = Load::start(&world.roots(), port, b"");
    let before = world.agent(&["status"]).ends(0).json()["certificates"][0]["serial"].clone();
    let live = fs::read_link(world.ground.file("live")).unwrap();
    fs::write(&conf_file, "this is no configuration").unwrap();
    world.make_due();
    let failed = world.round(1);
    assert_eq!((&failed["trouble"]["code"], &failed["serial"]), (&json!("AGENT_RELOAD_FAILED"), &before));
    assert_eq!(fs::read_link(world.ground.file("live")).unwrap(), live);
    fs::write(&conf_file, &conf).unwrap();

    // An authority that is away changes nothing in service; it is said, and tried again later.
    world.house.take().unwrap().kill();
    world.make_due();
    let away = world.round(1);
    assert_eq!(
        (&away["trouble"]["code"], &away["served"]),
        (&json!("AGENT_AUTHORITY_REFUSED"), &json!(true))
    );
    let waiting = world.round(1);
    assert_eq!((&waiting["served"], &waiting["serial"]), (&json!(true), &before), "{waiting}");
    assert!(waiting["nextRenewal"].as_str() > Some("2026-06"), "{waiting}");
    world.open();
    world.make_due();
    let back = world.round(0);
    assert_ne!(back["serial"], before);
    load.ends();
}

#[test]
fn postgresql_is_kept_new_with_the_owner_that_its_key_needs() {
    let (Some(initdb), Some(postgres)) = (program("initdb"), program("postgres")) else { return };
    let world = World::new();
    let data = world.ground.file("data");
    fs::create_dir(&data).unwrap();
    let owner = server_user(&data);
    let as_server = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(&data).env("LC_ALL", "C").stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = owner {
            command.uid(user).gid(group);
        }
        command
    };
    let made = as_server(&initdb).args(["-A", "trust", "--no-sync", "-D"]).arg(&data).status().unwrap();
    assert!(made.success());
    // Whoever sets the service up makes the key's file with its owner once; the agent keeps both.
    let key = data.join("server.key");
    fs::write(&key, "").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    if let Some((user, group)) = owner {
        chown(&key, Some(user), Some(group)).unwrap();
    }
    let port = free_port();
    world.write(&format!(
        "files = {{ key = \"{0}/server.key\", fullchain = \"{0}/server.crt\" }}\nreload = {{ postgresql = \"{0}\" }}\n\
         probe = {{ host = \"127.0.0.1\", port = {port}, protocol = \"postgres\" }}",
        data.display()
    ));
    world.round(1);
    let mut command = as_server(&postgres);
    command.args(["-c", "ssl=on", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
    let _postgres = Service(command.args(["-p", &port.to_string(), "-D"]).arg(&data).spawn().unwrap());
    wait_for(port);
    const REQUEST: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    world.renews_under_load(port, REQUEST);
    let found = fs::metadata(&key).unwrap();
    assert_eq!(found.mode() & 0o777, 0o600);
    assert_eq!(found.uid(), owner.map_or_else(|| fs::metadata(&data).unwrap().uid(), |(user, _)| user));
}

/// PostgreSQL does not run as root: then the folder is given to its own user.
fn server_user(folder: &Path) -> Option<(u32, u32)> {
    if fs::metadata(folder).unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("the user postgres");
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    let (user, group) = (fields.next().unwrap(), fields.next().unwrap());
    chown(folder, Some(user), Some(group)).unwrap();
    Some((user, group))
}

#[test]
fn redis_is_kept_new_without_being_restarted() {
    let Some(redis) = program("redis-server") else { return };
    let world = World::new();
    let (folder, port) = (world.ground.folder.path().display().to_string(), free_port());
    world.write(&format!(
        "link = \"{folder}/live\"\nreload = {{ redis = \"{folder}/redis.sock\" }}\n\
         probe = {{ host = \"127.0.0.1\", port = {port} }}"
    ));
    world.round(1);
    let mut command = Command::new(redis);
    command.current_dir(world.ground.folder.path()).stdout(Stdio::null());
    command.args(["--port", "0", "--bind", "127.0.0.1", "--save", "", "--tls-auth-clients", "no"]);
    command.args(["--unixsocket", &format!("{folder}/redis.sock"), "--tls-port", &port.to_string()]);
    command.args(["--tls-cert-file", &format!("{folder}/live/fullchain.pem")]);
    command.args(["--tls-key-file", &format!("{folder}/live/key.pem")]);
    let _redis = Service(command.spawn().unwrap());
    wait_for(port);
    world.renews_under_load(port, b"");
}

#[test]
fn a_file_that_is_missing_or_wrong_is_said_and_nothing_is_done() {
    let ground = Ground::new();
    assert_eq!(ground.homeless(&["--json", "agent", "--once"]).ends(2).error(), "USAGE_INVALID");
    let file = ground.arg("agent.toml");
    assert_eq!(
        ground.homeless(&["--json", "agent", "--config", &file, "--once"]).ends(2).error(),
        "AGENT_CONFIG_INVALID"
    );
    fs::write(ground.file("agent.toml"), "colour = 1").unwrap();
    let refused = ground.homeless(&["--json", "agent", "--config", &file, "status"]).ends(2);
    assert!(refused.out.contains("colour"), "{}", refused.out);
}
