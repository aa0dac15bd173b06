//! A house that certifies its own listeners, as a child process: https refuses everybody, `selo pki init` is run beside it,
//! and a moment later openssl accepts what it shows; revocation is asked in clear. `selo trust` for a user of the test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::{Ground, exchange, free_port};

/// A new certificate is there a moment after the authority; a slow machine takes longer.
const SOON: Duration = Duration::from_secs(30);

/// What openssl says of a listener that must be trusted by this root alone, under this name.
fn handshake(port: u16, root: &str, name: &str) -> (bool, String) {
    let ran = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-CAfile", root, "-servername", name])
        .args(["-verify_hostname", name, "-verify_return_error", "-x509_strict", "-tls1_3", "-showcerts"])
        .stdin(Stdio::null())
        .output()
        .expect("openssl is needed for this test");
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (ran.status.success(), said)
}

fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < SOON, "{what}: not within {SOON:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn two_words_make_https_and_nothing_is_restarted() {
    let ground = Ground::new();
    let (clear, root) = (free_port(), ground.arg("ca/root.pem"));
    ground.run(&["init", "--public-url", &format!("https://localhost:{}", ground.public)]).ends(0);
    let plain = format!("http.plain_listen=127.0.0.1:{clear}");
    let served =
        ground.serve(&["--set", "http.public_tls=own", "--set", "http.admin_tls=own", "--set", &plain]);
    assert!(!handshake(ground.public, &root, "localhost").0, "no certificate, no handshake");
    let stranger = exchange(TcpStream::connect(("127.0.0.1", ground.public)), "GET", "/", "", b"");
    assert!(stranger.is_err(), "nothing in clear on a listener that speaks TLS");

    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    for port in [ground.public, ground.admin] {
        until("a certificate is shown", || handshake(port, &root, "localhost").0);
    }
    let (_, said) = handshake(ground.public, &root, "localhost");
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
    assert!(!handshake(ground.public, &root, "other.test").0, "another name");
    assert!(!handshake(ground.public, "/dev/null", "localhost").0, "another root");

    // The address of revocation in the certificate answers in clear, and the rest points to the public address.
    let leaf = said.split("-----END CERTIFICATE-----").next().unwrap();
    let leaf = &leaf[leaf.find("-----BEGIN").unwrap()..];
    std::fs::write(ground.file("leaf.pem"), format!("{leaf}-----END CERTIFICATE-----\n")).unwrap();
    let ask = Command::new("openssl")
        .args(["ocsp", "-issuer", &ground.arg("ca/intermediate.pem"), "-cert", &ground.arg("leaf.pem")])
        .args(["-CAfile", &root, "-url", &format!("http://localhost:{clear}/ocsp")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ask.stdout).into_owned() + &String::from_utf8_lossy(&ask.stderr);
    assert!(said.contains("Response verify OK") && said.contains("leaf.pem: good"), "{said}");
    let address = Command::new("openssl")
        .args(["x509", "-noout", "-ocsp_uri", "-in", &ground.arg("leaf.pem")])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&address.stdout).trim(), format!("http://localhost:{clear}/ocsp"));
    let moved = exchange(TcpStream::connect(("127.0.0.1", clear)), "GET", "/v/abc", "", b"").unwrap();
    assert_eq!(moved.status, 308);

    let all = ground.run(&["--json", "pki", "list", "--profile", "server"]).ends(0).json();
    let owners: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|one| one["owner"].as_str().unwrap()).collect();
    assert!(owners.contains(&"selo public") && owners.contains(&"selo admin"), "{owners:?}");
    let link = ground.run(&["--json", "admin", "link"]).ends(0).json();
    assert!(link["entry"].as_str().unwrap().starts_with("http"), "{link}");
    drop(served);
}

#[test]
fn tls_settings_that_cannot_be_meant_are_refused_at_the_start() {
    let ground = Ground::with_house();
    let files = ground.run(&["--json", "--set", "http.public_tls=files", "serve"]).ends(2);
    assert_eq!(files.error(), "HTTP_SETTING_INVALID");
    let word = ground.run(&["--json", "--set", "http.public_tls=always", "serve"]).ends(2);
    assert_eq!(word.error(), "CONFIG_INVALID");
}

#[test]
fn browsers_of_a_user_trust_the_root_after_asking_and_no_longer_when_told() {
    if Command::new("certutil").arg("-H").output().is_err() {
        eprintln!("certutil (libnss3-tools) is missing: this test did not run");
        return;
    }
    let mut ground = Ground::with_house();
    let user = ground.file("user");
    std::fs::create_dir(&user).unwrap();
    ground.environment.insert("HOME".to_owned(), user.display().to_string());
    let none = ground.run(&["trust", "install", "--browser", "--yes"]).ends(1);
    assert!(none.out.contains("selo pki init"), "{}", none.out);
    assert_eq!(ground.run(&["--json", "trust", "list"]).ends(1).json(), serde_json::json!({"roots": []}));
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let install = ["--json", "trust", "install", "--browser"];
    for asked in [ground.run(&install), ground.run_at_terminal("y", &install)] {
        assert_eq!(asked.ends(2).error(), "NOT_AGREED", "only a whole yes counts");
        assert!(!user.join(".pki").exists());
    }

    let trusted = |ground: &Ground| {
        let list = ground.run(&["--json", "trust", "list"]).ends(0).json();
        list["roots"][0]["trustedIn"].as_array().unwrap().len()
    };
    assert_eq!(trusted(&ground), 0);
    for _ in 0..2 {
        let done = ground.run(&["--json", "trust", "install", "--browser", "--yes"]).ends(0).json();
        let place = user.join(".pki/nssdb").display().to_string();
        assert_eq!(done["roots"][0]["trustedIn"], serde_json::json!([place]));
    }
    let fingerprint = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in", &ground.arg("ca/root.pem")])
        .output()
        .unwrap();
    let fingerprint = String::from_utf8(fingerprint.stdout).unwrap();
    let fingerprint = fingerprint.trim().rsplit_once('=').unwrap().1.replace(':', "").to_lowercase();
    let list = ground.run(&["--json", "trust", "list"]).ends(0).json();
    assert_eq!(list["roots"][0]["sha256"], fingerprint.as_str());

    // The tool that browsers' databases come with says for what it is trusted: servers, nothing else.
    let database = format!("sql:{}", user.join(".pki/nssdb").display());
    let shown = Command::new("certutil").args(["-L", "-d", &database]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let label = format!("selo-{}", &fingerprint[..16]);
    let line = shown.lines().find(|line| line.starts_with(&label)).unwrap_or_else(|| panic!("{shown}"));
    assert!(line.trim_end().ends_with("C,,"), "{line}");

    ground.run(&["trust", "remove", "--browser", "--yes"]).ends(0);
    assert_eq!(trusted(&ground), 0);
    ground.run(&["trust", "remove", "--browser", "--yes"]).ends(0);
}

/// GET over TLS with a client certificate, by openssl; what came back.
fn ask_as(ground: &Ground, port: u16, folder: &str, path: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["s_client", "-quiet", "-ign_eof", "-tls1_3", "-connect", &format!("127.0.0.1:{port}")])
        .args(["-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error"])
        .args(["-CAfile", &ground.arg("ca/root.pem")])
        .args([
            "-cert",
            &ground.arg(&format!("{folder}/cert.pem")),
            "-key",
            &ground.arg(&format!("{folder}/key.pem")),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is needed for this test");
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), request.as_bytes()).unwrap();
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}

#[test]
fn a_partner_gets_an_account_and_a_certificate_from_the_command_line_and_loses_both() {
    let ground = Ground::with_house();
    let port = free_port();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let served = ground.serve(&["--set", &format!("http.partner_listen=127.0.0.1:{port}")]);
    let new = ["--json", "account", "new", "bank-a.prod", "--permissions", "credential.read,template.read"];
    let made = ground.run(&[&new[..], &["--allow-ip", "127.0.0.0/8"]].concat()).ends(0).json();
    assert_eq!(made["permissions"], serde_json::json!(["template.read", "credential.read"]));
    assert_eq!(ground.run(&new).ends(1).error(), "ACCOUNT_NAME_TAKEN");
    let wrong = ["--json", "account", "new", "b", "--permissions", "pki.init"];
    assert_eq!(ground.run(&wrong).ends(2).error(), "ACCOUNT_PERMISSION_INVALID");

    let issue = |account: &str, out: &str| {
        let words = ["--json", "pki", "issue", "--profile", "partner", "--dns", "bank-a.test"];
        ground.run(&[&words[..], &["--account", account, "--out", &ground.arg(out)]].concat())
    };
    assert_eq!(issue("nobody", "none").ends(1).error(), "ACCOUNT_NOT_FOUND");
    assert!(!ground.file("none/cert.pem").exists(), "no certificate for nobody");
    let issued = issue("bank-a.prod", "bank").ends(0).json();
    assert_eq!(issued["account"], made["id"]);
    let list = "/api/v1/credentials";
    until("the partner enters", || ask_as(&ground, port, "bank", list).starts_with("HTTP/1.1 200"));
    assert!(ask_as(&ground, port, "bank", "/api/v1/tenants").starts_with("HTTP/1.1 404"));

    ground.run(&["pki", "revoke", issued["serial"].as_str().unwrap(), "--reason", "superseded"]).ends(0);
    assert!(ask_as(&ground, port, "bank", list).starts_with("HTTP/1.1 401"), "revoked");
    issue("bank-a.prod", "next").ends(0);
    assert!(ask_as(&ground, port, "next", list).starts_with("HTTP/1.1 200"));
    ground.run(&["account", "close", "bank-a.prod"]).ends(0);
    assert!(ask_as(&ground, port, "next", list).starts_with("HTTP/1.1 401"), "closed");
    let all = ground.run(&["--json", "account", "list"]).ends(0).json();
    assert!(all["items"][0]["closedAt"].is_string(), "{all}");
    drop(served);
}
