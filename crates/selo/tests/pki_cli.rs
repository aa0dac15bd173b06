//! `selo pki …` as a child process, with and without a house that is served; openssl asks the served house as any
//! relying party would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use common::Ground;
use keys::{OfflineKey, shamir::Share};
use proof::x509::{
    Certificate,
    pem::{self, Label},
};
use serde_json::Value;

fn openssl(arguments: &[&str]) -> String {
    common::openssl(arguments).1
}

/// What openssl says of a chain with every list of the house.
fn judged(ground: &Ground, leaf: &str) -> String {
    ground.judged("ca/root.pem", "ca/intermediate.pem", leaf).1
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn certificate(path: &Path) -> Vec<u8> {
    pem::one(&std::fs::read(path).unwrap(), Label::Certificate).unwrap()
}

#[test]
fn one_command_makes_a_hierarchy_whose_root_comes_back_from_two_shares() {
    let ground = Ground::with_house();
    let out = ground.arg("ca");
    let made = ground.run(&["--json", "pki", "init", "--out", &out]).ends(0).json();
    assert_eq!((&made["threshold"], &made["shares"]), (&2.into(), &3.into()));
    assert!(judged(&ground, &ground.arg("ca/server/cert.pem")).contains("cert.pem: OK"));
    for private in ["ca/share-1.txt", "ca/share-2.txt", "ca/share-3.txt", "ca/server/key.pem"] {
        assert_eq!(mode(&ground.file(private)), 0o600, "{private}");
    }
    let shares = ["ca/share-3.txt", "ca/share-1.txt"]
        .map(|name| Share::from_text(std::fs::read_to_string(ground.file(name)).unwrap().trim()).unwrap());
    let root = OfflineKey::from_shares(&shares).unwrap();
    let der = certificate(&ground.file("ca/root.pem"));
    assert_eq!(pki::root_spki(root.public()).unwrap(), Certificate::parse(&der).unwrap().spki);
    let transcript = std::fs::read_to_string(ground.file("ca/transcript.json")).unwrap();
    for share in &shares {
        assert!(transcript.contains(&share.fingerprint()) && !transcript.contains(share.to_text().expose()));
    }
    // The key of the first certificate is the one that was made here.
    let public = openssl(&["pkey", "-in", &ground.arg("ca/server/key.pem"), "-pubout"]);
    assert_eq!(public, openssl(&["x509", "-in", &ground.arg("ca/server/cert.pem"), "-noout", "-pubkey"]));
    let again = ground.run(&["--json", "pki", "init", "--out", &out]).ends(2);
    assert_eq!(again.error(), "FILE_UNWRITABLE");
    let elsewhere = ground.run(&["--json", "pki", "init", "--out", &ground.arg("other")]).ends(1);
    assert_eq!(elsewhere.error(), "PKI_ENVIRONMENT_TAKEN");
    assert!(!ground.file("other/share-1.txt").exists());
}

#[test]
fn a_certificate_is_issued_proven_revoked_and_exported_from_the_command_line_alone() {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let out = ground.arg("one");
    let issue = ["--json", "pki", "issue", "--profile", "server", "--dns", "a.test", "--ip", "10.0.0.1"];
    let more = ["--days", "30", "--owner", "ana", "--out", out.as_str()];
    let one = ground.run(&[&issue[..], &more[..]].concat()).ends(0).json();
    let leaf = ground.arg("one/cert.pem");
    assert!(judged(&ground, &leaf).contains("cert.pem: OK"));
    assert_eq!(mode(&ground.file("one/key.pem")), 0o600);
    let chain = std::fs::read(ground.file("one/chain.pem")).unwrap();
    assert_eq!(pem::all(&chain, Label::Certificate).unwrap().len(), 2);
    let vkey_less =
        ground.run(&["--json", "log", "verify", &ground.arg("one/cert.tlog-proof")]).ends(0).json();
    assert_eq!(vkey_less["entry"]["type"], "certificate.issued");
    assert_eq!(ground.run(&[&issue[..], &more[..]].concat()).ends(2).error(), "FILE_UNWRITABLE");
    let serial = one["serial"].as_str().unwrap();
    let shown = ground.run(&["--json", "pki", "show", serial]).ends(0).json();
    assert_eq!((&shown["owner"], &shown["state"]), (&"ana".into(), &"issued".into()));
    let found = ground.run(&["--json", "pki", "list", "--suffix", "test"]).ends(0).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let refused =
        ["--json", "pki", "issue", "--profile", "server", "--dns", "example.org", "--out", &ground.arg("no")];
    assert_eq!(ground.run(&refused).ends(1).error(), "PKI_NAME_CONSTRAINED");
    assert!(!ground.file("no/key.pem").exists(), "no key without a certificate");
    let why = ground
        .run(&["--json", "pki", "explain", "--profile", "server", "--dns", "example.org"])
        .ends(1)
        .json();
    assert_eq!(why["reasons"][0]["code"], "PKI_NAME_CONSTRAINED");
    ground.run(&["pki", "explain", "--profile", "server", "--dns", "b.test"]).ends(0);
    assert_eq!(
        ground.run(&["--json", "pki", "revoke", serial, "--reason", "never"]).ends(2).error(),
        "PKI_REASON_UNKNOWN"
    );
    ground.run(&["pki", "revoke", serial, "--reason", "superseded"]).ends(0);
    assert_eq!(
        ground.run(&["--json", "pki", "revoke", serial, "--reason", "superseded"]).ends(1).error(),
        "PKI_CERTIFICATE_REVOKED"
    );
    assert!(judged(&ground, &leaf).contains("certificate revoked"));
    ground.run(&["pki", "export", "--out", &ground.arg("all.csv")]).ends(0);
    let table = std::fs::read_to_string(ground.file("all.csv")).unwrap();
    assert!(table.lines().any(|line| line.contains(serial) && line.contains(",revoked,")), "{table}");
}

#[test]
fn the_inventory_is_searched_and_exported_in_part_and_a_certificate_and_its_proof_are_fetched_again() {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let issue = |name: &str, profile: &str, days: &str, owner: &str| {
        let (dns, out) = (format!("{name}.test"), ground.arg(name));
        let words = ["--json", "pki", "issue", "--profile", profile, "--dns", &dns, "--days", days];
        ground.run(&[&words[..], &["--owner", owner, "--out", &out]].concat()).ends(0).json()
    };
    let short = issue("short", "server", "2", "ana");
    let long = issue("long", "client", "30", "rui & ana");
    let (first, last) = (short["notAfter"].as_str().unwrap(), long["notAfter"].as_str().unwrap());
    let filters: [(&[&str], &[&Value]); 8] = [
        (&["--suffix", "test"], &[&long, &short]),
        (&["--suffix", "test", "--expires-before", last], &[&short]),
        (&["--suffix", "test", "--expires-after", last], &[&long]),
        (&["--suffix", "test", "--expires-after", first, "--expires-before", last], &[&short]),
        (&["--name", "long"], &[&long]),
        (&["--owner", "rui & ana"], &[&long]),
        (&["--suffix", "test", "--profile", "server"], &[&short]),
        (&["--suffix", "test", "--state", "revoked"], &[]),
    ];
    for (at, (filter, expected)) in filters.into_iter().enumerate() {
        let mut expected: Vec<&str> = expected.iter().map(|one| one["serial"].as_str().unwrap()).collect();
        expected.sort_unstable();
        let serials = |value: &Value, list: &str| {
            let items = value.pointer(list).unwrap().as_array().unwrap().iter();
            let mut serials: Vec<String> =
                items.map(|one| one["serial"].as_str().unwrap().to_owned()).collect();
            serials.sort_unstable();
            serials
        };
        let found = ground.run(&[&["--json", "pki", "list"], filter].concat()).ends(0).json();
        assert_eq!(serials(&found, "/items"), expected, "{filter:?}");
        let file = ground.arg(&format!("part-{at}.json"));
        ground.run(&[&["pki", "export", "--format", "json", "--out", &file], filter].concat()).ends(0);
        let written: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(serials(&written, ""), expected, "{filter:?}");
    }
    let when = ["--json", "pki", "export", "--expires-after", "soon", "--out", &ground.arg("no")];
    assert_eq!(ground.run(&when).ends(2).error(), "PKI_TIME_INVALID");
    assert!(!ground.file("no").exists());
    let both = ["--json", "pki", "list", "--overdue", "--expires-after", last];
    assert_eq!(ground.run(&both).ends(2).error(), "USAGE_INVALID");

    let again = ground.arg("again");
    let show = ["--json", "pki", "show", short["serial"].as_str().unwrap(), "--out", &again];
    let shown = ground.run(&show).ends(0).json();
    assert_eq!(shown["files"].as_array().unwrap().len(), 3);
    for file in ["cert.pem", "chain.pem"] {
        let [first, second] = ["short", "again"].map(|folder| ground.file(&format!("{folder}/{file}")));
        assert_eq!(std::fs::read(first).unwrap(), std::fs::read(second).unwrap(), "{file}");
    }
    let proof = ground.run(&["--json", "log", "verify", &ground.arg("again/cert.tlog-proof")]).ends(0).json();
    assert_eq!(proof["entry"]["data"]["certificate"], short["id"], "{proof}");
    assert!(!ground.file("again/key.pem").exists());
    assert_eq!(ground.run(&show).ends(2).error(), "FILE_UNWRITABLE", "nothing is written over");
}

#[test]
fn a_request_from_elsewhere_is_signed_and_its_key_stays_there() {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    for (name, key) in [("ec", "ec"), ("rsa", "rsa:2048"), ("ed", "ed25519")] {
        let (key_file, csr) = (ground.arg(&format!("{name}.key")), ground.arg(&format!("{name}.csr")));
        let mut make = vec!["req", "-new", "-newkey", key, "-nodes", "-keyout", &key_file, "-out", &csr];
        if name == "ec" {
            make.extend(["-pkeyopt", "ec_paramgen_curve:P-384"]);
        }
        make.extend(["-subj", "/CN=ignored", "-addext", "subjectAltName=DNS:c.test"]);
        openssl(&make);
        let out = ground.arg(&format!("out-{name}"));
        ground.run(&["pki", "issue", "--profile", "service", "--csr", &csr, "--out", &out]).ends(0);
        let leaf = ground.arg(&format!("out-{name}/cert.pem"));
        let said = judged(&ground, &leaf);
        assert!(said.contains("cert.pem: OK"), "{name}: {said}");
        assert!(!ground.file(&format!("out-{name}/key.pem")).exists());
        assert!(openssl(&["x509", "-in", &leaf, "-noout", "-subject"]).contains("CN = c.test"));
    }
}

#[test]
fn openssl_asks_a_served_house_and_hears_of_a_revocation_at_once() {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let served = ground.serve(&[]);
    ground
        .run(&["pki", "issue", "--profile", "server", "--dns", "a.test", "--out", &ground.arg("one")])
        .ends(0);
    let (root, issuing, leaf) =
        (ground.arg("ca/root.pem"), ground.arg("ca/intermediate.pem"), ground.arg("one/cert.pem"));
    let url = format!("http://127.0.0.1:{}/ocsp", ground.public);
    let ask = |more: &[&str]| {
        let mut words = vec!["ocsp", "-issuer", &issuing];
        words.extend(more);
        words.extend(["-cert", &leaf, "-url", &url, "-CAfile", &root, "-verify_other", &issuing]);
        openssl(&words)
    };
    for more in [&["-no_nonce"][..], &["-nonce"], &["-no_nonce", "-sha256"]] {
        let said = ask(more);
        assert!(said.contains("Response verify OK") && said.contains("cert.pem: good"), "{said}");
        assert!(!said.to_lowercase().contains("warning"), "{said}");
    }
    let serial = openssl(&["x509", "-in", &leaf, "-noout", "-serial"]);
    let serial = serial.trim().trim_start_matches("serial=");
    ground.run(&["pki", "revoke", serial, "--reason", "keyCompromise"]).ends(0);
    let said = ask(&["-no_nonce"]);
    assert!(said.contains("Response verify OK") && said.contains("cert.pem: revoked"), "{said}");
    assert!(said.contains("Reason: keyCompromise"), "{said}");
    let pointer = openssl(&["x509", "-in", &leaf, "-noout", "-ext", "crlDistributionPoints"]);
    let address = pointer.lines().find_map(|line| line.trim().strip_prefix("URI:")).unwrap();
    let list = served.get(address.strip_prefix(&ground.url()).unwrap());
    std::fs::write(ground.file("list.crl"), &list.body).unwrap();
    let said = openssl(&[
        "crl",
        "-inform",
        "DER",
        "-in",
        &ground.arg("list.crl"),
        "-CAfile",
        &issuing,
        "-noout",
        "-text",
    ]);
    assert!(said.contains("verify OK") && said.contains(&serial.to_uppercase()), "{said}");
    let foreign = openssl(&["ocsp", "-issuer", &root, "-cert", &issuing, "-url", &url]);
    assert!(foreign.contains("unauthorized (6)"), "{foreign}");
    let reports = ground.run(&["--json", "log", "verify"]).ends(0).json();
    let ca = reports["logs"].as_array().unwrap().iter().find(|log| log["log"] == "ca").unwrap().clone();
    assert!(ca["ok"] == true && ca["size"].as_u64().unwrap() > 6, "{ca}");
    ground.run(&["log", "checkpoint", "ca"]).ends(0);
}

#[test]
fn a_file_says_what_a_ceremony_makes_and_a_rehearsal_keeps_nothing() {
    let ground = Ground::with_house();
    let file = ground.file("order.toml");
    let order = "environment = \"prod\"\norganisation = \"Universidade de Évora\"\ncountry = \"PT\"\nplace = \"sala 1\"\n\
        operators = [\"o-1\"]\nwitnesses = [\"w-1\"]\npermitted_dns = [\"uevora.example\"]\nshares = 5\nthreshold = 3\n\
        service_names = [\"pki.uevora.example\", \"10.1.2.3\"]\n";
    std::fs::write(&file, order).unwrap();
    let ceremony = file.display().to_string();
    let rehearsal =
        ["--json", "pki", "init", "--ceremony", &ceremony, "--dry-run", "--out", &ground.arg("dry")];
    let rehearsed = ground.run(&rehearsal).ends(0).json();
    assert_eq!(rehearsed["dryRun"], true);
    assert!(!ground.file("dry/share-1.txt").exists());
    let said = openssl(&[
        "verify",
        "-x509_strict",
        "-CAfile",
        &ground.arg("dry/root.pem"),
        &ground.arg("dry/intermediate.pem"),
    ]);
    assert!(said.contains("intermediate.pem: OK"), "{said}");
    ground.run(&["pki", "init", "--ceremony", &ceremony, "--out", &ground.arg("ca")]).ends(0);
    assert!(ground.file("ca/share-5.txt").exists());
    assert!(judged(&ground, &ground.arg("ca/server/cert.pem")).contains("cert.pem: OK"));
    let issuing = openssl(&["x509", "-in", &ground.arg("ca/intermediate.pem"), "-noout", "-text"]);
    for part in ["C = PT", "pathlen:0", "X509v3 Name Constraints: critical", "DNS:uevora.example"] {
        assert!(issuing.contains(part), "{part} is not in\n{issuing}");
    }
    let transcript: Value =
        serde_json::from_str(&std::fs::read_to_string(ground.file("ca/transcript.json")).unwrap()).unwrap();
    assert_eq!(transcript["transcript"]["place"], "sala 1");
    for (wrong, code) in [
        ("colour = 1\n", "CEREMONY_FILE_INVALID"),
        ("environment =", "CEREMONY_FILE_INVALID"),
        ("environment = \"x\"\nthreshold = 1\n", "PKI_CEREMONY_INVALID"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        let ran = ground
            .run(&["--json", "pki", "init", "--ceremony", &ceremony, "--out", &ground.arg("no")])
            .ends(2);
        assert_eq!(ran.error(), code, "{wrong}");
    }
}

#[test]
fn an_external_key_is_shown_once_listed_and_taken_back() {
    let ground = Ground::with_house();
    assert_eq!(
        ground.run(&["--json", "pki", "eab", "new"]).ends(1).error(),
        "PKI_AUTHORITY_NOT_FOUND",
        "nobody would know for whose hierarchy"
    );
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let order = ["--json", "pki", "eab", "new", "--dns", "dev.test", "--profile", "server", "--uses", "2"];
    let made = ground.run(&order).ends(0).json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["hmacKey"].as_str().unwrap());
    assert!(id.starts_with("eab_") && secret.len() == 86, "{made}");
    let listed = ground.run(&["pki", "eab", "list"]).ends(0).out;
    assert!(listed.contains(id) && listed.contains("open") && !listed.contains(secret), "{listed}");
    let gone = ground.run(&["--json", "pki", "eab", "revoke", id]).ends(0).json();
    assert_eq!((&gone["state"], &gone["dns"]), (&"revoked".into(), &Value::from(vec!["dev.test"])));
    assert_eq!(
        ground.run(&["--json", "pki", "eab", "revoke", id]).ends(1).error(),
        "ACME_EXTERNAL_KEY_REVOKED"
    );
}
