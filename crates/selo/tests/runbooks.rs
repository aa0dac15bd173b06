//! Every runbook's script, run as an operator would run it against a real house, first without and then with `--do`.
//! What came of it is judged by openssl.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use common::{Ground, Ran, hsm, openssl};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/runbooks"))
}

/// Runs a script that finds nothing but `selo` and the system's own tools.
fn script(ground: &Ground, name: &str, arguments: &[&str]) -> Ran {
    let bin = ground.file("bin");
    if !bin.exists() {
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_selo"), bin.join("selo")).unwrap();
    }
    let mut command = Command::new("/bin/sh");
    command
        .arg(folder().join(name))
        .args(arguments)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("LANG", "C.UTF-8")
        .env("SELO_HOME", ground.home())
        .envs(&ground.environment)
        .current_dir(ground.folder.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    common::finish(command.spawn().unwrap())
}

fn judged(ground: &Ground, root: &str, intermediate: &str, leaf: &str) -> (bool, String) {
    ground.judged(root, intermediate, &format!("{leaf}/cert.pem"))
}

fn issue(ground: &Ground, name: &str) -> Value {
    let (dns, out) = (format!("{name}.test"), ground.arg(name));
    let words = ["--json", "pki", "issue", "--profile", "server", "--dns", &dns, "--out", &out];
    ground.run(&words).ends(0).json()
}

fn authorities(ground: &Ground) -> Vec<(String, String)> {
    let all = ground.run(&["--json", "pki", "authorities"]).ends(0).json();
    let word = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    all["items"].as_array().unwrap().iter().map(|one| (word(one, "name"), word(one, "state"))).collect()
}

fn states(ground: &Ground) -> Vec<String> {
    authorities(ground).into_iter().map(|(_, state)| state).collect()
}

fn signed(ground: &Ground, request: &str, response: &str) {
    let (one, other) = (ground.arg("ca/share-1.txt"), ground.arg("ca/share-2.txt"));
    let (request, response) = (ground.arg(request), ground.arg(response));
    let words =
        ["pki", "root", "sign", &request, "--share", &one, "--share", &other, "--out", &response, "--yes"];
    ground.homeless(&words).ends(0);
}

#[test]
fn every_script_has_its_page_and_every_page_its_script_and_says_how_it_is_used() {
    let named = |folder: PathBuf, ending: &str| -> BTreeSet<String> {
        std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(ending).map(str::to_owned))
            .collect()
    };
    let scripts = named(folder(), ".sh");
    assert_eq!(scripts, named(folder().join("../../docs/runbooks"), ".md"));
    assert_eq!(scripts.len(), 5);
    let ground = Ground::new();
    for name in scripts {
        let ran = script(&ground, &format!("{name}.sh"), &[]).ends(2);
        assert!(ran.err.contains(&format!("{name}.sh")), "{name}: {}", ran.err);
        let text = std::fs::read_to_string(folder().join(format!("{name}.sh"))).unwrap();
        assert!(text.contains(&format!("docs/runbooks/{name}.md")), "{name}");
    }
}

#[test]
fn a_compromised_intermediate_is_withdrawn_and_replaced() {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let old = issue(&ground, "old");
    let authority = old["authority"].as_str().unwrap();
    let request = ground.arg("end.selo-request");
    let script = |arguments: &[&str]| script(&ground, "compromised-intermediate.sh", arguments);
    let looked = script(&["ask", authority, &request]).ends(0);
    assert!(looked.out.contains("2 would be revoked"), "{}", looked.out);
    assert!(!ground.file("end.selo-request").exists());
    script(&["--do", "ask", authority, &request]).ends(0);
    signed(&ground, "end.selo-request", "end.selo-response");
    let response = ground.arg("end.selo-response");
    script(&["accept", &response, &ground.arg("next")]).ends(0);
    assert_eq!(states(&ground), ["active", "active"]);
    script(&["--do", "accept", &response, &ground.arg("next")]).ends(0);
    assert_eq!(states(&ground), ["active", "revoked", "active"]);
    let (good, said) = judged(&ground, "ca/root.pem", "ca/intermediate.pem", "old");
    assert!(!good && said.contains("certificate revoked"), "{said}");
    issue(&ground, "new");
    let (good, said) = judged(&ground, "ca/root.pem", "next/intermediate.pem", "new");
    assert!(good, "{said}");
}

#[test]
fn a_lost_token_is_replaced_by_another_place_that_somebody_names() {
    let Some(ground) = hsm::ground("a_lost_token_is_replaced_by_another_place_that_somebody_names") else {
        return;
    };
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let old = issue(&ground, "old");
    let authority = old["authority"].as_str().unwrap();
    hsm::take_away(&ground);
    let request = ground.arg("end.selo-request");
    let script = |arguments: &[&str]| script(&ground, "lost-hsm.sh", arguments);
    script(&["ask", authority, &request]).ends(0);
    let refused = script(&["--do", "ask", authority, &request]);
    assert_ne!(refused.code, Some(0), "never a software key by itself");
    assert!(
        refused.err.contains("KEYS_TOKEN_") && !ground.file("end.selo-request").exists(),
        "{}",
        refused.err
    );
    script(&["--do", "ask", authority, &request, "sealed"]).ends(0);
    signed(&ground, "end.selo-request", "end.selo-response");
    script(&["--do", "accept", &ground.arg("end.selo-response"), &ground.arg("next")]).ends(0);
    assert_eq!(states(&ground), ["active", "revoked", "active"]);
    issue(&ground, "new");
    let chain = [ground.arg("next/intermediate.pem"), ground.arg("new/cert.pem")];
    let (good, said) = openssl(&[
        "verify",
        "-x509_strict",
        "-CAfile",
        &ground.arg("ca/root.pem"),
        "-untrusted",
        &chain[0],
        &chain[1],
    ]);
    assert!(good, "{said}");
}

#[test]
fn a_root_that_ends_is_followed_by_another_in_the_same_environment() {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let old = issue(&ground, "old");
    std::fs::write(
        ground.file("order.toml"),
        "environment = \"dev\"\npermitted_dns = [\"test\"]\nservice_names = []\n",
    )
    .unwrap();
    let order = ground.arg("order.toml");
    script(&ground, "expired-root.sh", &[&order, &ground.arg("rehearsal")]).ends(0);
    assert_eq!(states(&ground), ["active", "active"]);
    assert!(!ground.file("rehearsal/share-1.txt").exists());
    script(&ground, "expired-root.sh", &["--do", &order, &ground.arg("second")]).ends(0);
    let found: BTreeSet<(String, String)> = authorities(&ground).into_iter().collect();
    let expected = [
        ("Selo dev Issuing 1", "retired"),
        ("Selo dev Issuing 2", "active"),
        ("Selo dev Root", "retired"),
        ("Selo dev Root 2", "active"),
    ];
    assert_eq!(found, expected.map(|(name, state)| (name.to_owned(), state.to_owned())).into());
    issue(&ground, "new");
    for (root, intermediate, leaf) in
        [("ca/root.pem", "ca/intermediate.pem", "old"), ("second/root.pem", "second/intermediate.pem", "new")]
    {
        let (good, said) = judged(&ground, root, intermediate, leaf);
        assert!(good, "{leaf}: {said}");
    }
    // Each root speaks for its own: the new one does not make the old one's leaves good.
    let (good, _) = judged(&ground, "second/root.pem", "ca/intermediate.pem", "old");
    assert!(!good);
    // The old root is asked for its list as before, by name.
    let all = ground.run(&["--json", "pki", "authorities"]).ends(0).json();
    let root = all["items"].as_array().unwrap().iter().find(|one| one["name"] == "Selo dev Root").unwrap();
    let list = ground.arg("list.selo-request");
    let root = root["id"].as_str().unwrap();
    ground.run(&["pki", "root", "request-crl", "--root", root, "--out", &list]).ends(0);
    signed(&ground, "list.selo-request", "list.selo-response");
    ground.run(&["pki", "root", "accept", &ground.arg("list.selo-response")]).ends(0);
    // The old one still withdraws what it signed.
    let end = ground.arg("end.selo-request");
    let authority = old["authority"].as_str().unwrap();
    ground.run(&["pki", "revoke-authority", authority, "--reason", "superseded", "--out", &end]).ends(0);
    signed(&ground, "end.selo-request", "end.selo-response");
    ground.run(&["pki", "root", "accept", &ground.arg("end.selo-response")]).ends(0);
    let (good, said) = judged(&ground, "ca/root.pem", "ca/intermediate.pem", "old");
    assert!(!good && said.contains("certificate revoked"), "{said}");
}

#[test]
fn many_certificates_are_revoked_after_a_preview_that_revokes_none() {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let some: Vec<Value> = (0..4).map(|number| issue(&ground, &format!("n{number}"))).collect();
    let serial = |at: usize| some[at]["serial"].as_str().unwrap();
    let list =
        format!("# two of them\n{}\n{} # and a word\nnever\n\n", serial(0), some[1]["id"].as_str().unwrap());
    std::fs::write(ground.file("list"), list).unwrap();
    let script = |arguments: &[&str]| script(&ground, "mass-revocation.sh", arguments);
    let in_force = || {
        let found =
            ground.run(&["--json", "pki", "list", "--profile", "server", "--state", "issued"]).ends(0).json();
        found["items"].as_array().unwrap().len()
    };
    // A name that nobody has is said, by the exit code too; what is known is done all the same.
    let looked = script(&["superseded", "--file", &ground.arg("list")]).ends(1);
    assert!(
        looked.out.contains("2 would be revoked") && looked.out.contains("never is no certificate"),
        "{}",
        looked.out
    );
    assert_eq!(in_force(), 4);
    std::fs::write(ground.file("list"), format!("{}\n{}\n", serial(0), serial(1))).unwrap();
    let done = script(&["--do", "superseded", "--file", &ground.arg("list")]).ends(0);
    assert!(done.out.contains("2 revoked") && done.out.contains("0 would be revoked"), "{}", done.out);
    assert_eq!(in_force(), 2);
    let key = some[2]["spkiSha256"].as_str().unwrap();
    script(&["--do", "keyCompromise", "--key", key]).ends(0);
    assert_eq!(in_force(), 1);
    let authority = some[3]["authority"].as_str().unwrap();
    script(&["--do", "cessationOfOperation", "--all-of", authority]).ends(0);
    assert_eq!(in_force(), 0);
    for leaf in ["n0", "n1", "n2", "n3", "ca/server"] {
        let (good, said) = judged(&ground, "ca/root.pem", "ca/intermediate.pem", leaf);
        assert!(!good && said.contains("certificate revoked"), "{leaf}: {said}");
    }
    // Each has its own record.
    let id = some[3]["id"].as_str().unwrap();
    ground.run(&["log", "verify"]).ends(0);
    let shown = ground.run(&["--json", "pki", "show", id]).ends(0).json();
    assert_eq!(shown["reason"], "cessationOfOperation");
    for (words, code) in
        [(["--all-of", "ca_never"], "PKI_AUTHORITY_UNKNOWN"), (["--key", "00"], "PKI_SELECTION_INVALID")]
    {
        let ran = ground.run(&[&["--json", "pki", "revoke", "--reason", "superseded"], &words[..]].concat());
        assert_eq!(ran.error(), code);
    }
}

#[test]
fn yesterdays_backup_is_brought_up_to_today_before_the_house_opens() {
    let ground = Ground::with_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    issue(&ground, "calm");
    let copied = |from: &str, to: &str| {
        let ran = Command::new("cp").args(["-a", &ground.arg(from), &ground.arg(to)]).status().unwrap();
        assert!(ran.success());
    };
    copied("home", "backup");
    let since = issue(&ground, "since");
    let next_list = |name: &str| {
        let (request, response) = (ground.arg(&format!("{name}.ask")), ground.arg(&format!("{name}.answer")));
        ground.run(&["pki", "root", "request-crl", "--out", &request]).ends(0);
        let (one, two) = (ground.arg("ca/share-1.txt"), ground.arg("ca/share-2.txt"));
        let sign = ["pki", "root", "sign", &request, "--share", &one, "--share", &two, "--out", &response];
        ground.homeless(&[&sign[..], &["--yes"]].concat()).ends(0);
        ground.run(&["pki", "root", "accept", &response]).ends(0);
    };
    next_list("since");
    ground.run(&["pki", "revoke", since["serial"].as_str().unwrap(), "--reason", "keyCompromise"]).ends(0);
    let mirror = ground.arg("mirror");
    ground.run(&["log", "mirror", "ca", "--out", &mirror]).ends(0);
    std::fs::remove_dir_all(ground.home()).unwrap();
    copied("backup", "home");
    let looked = script(&ground, "restore.sh", &[&mirror]).ends(0);
    assert!(looked.out.contains("+ selo pki replay"), "{}", looked.out);
    // A root's list was signed after the backup: the script stops until the root was asked for the next one.
    let stopped = script(&ground, "restore.sh", &["--do", &mirror]).ends(1);
    assert!(stopped.out.contains("selo pki root request-crl"), "{}", stopped.out);
    assert!(!stopped.out.contains("+ selo log verify"), "{}", stopped.out);
    next_list("after");
    script(&ground, "restore.sh", &["--do", &mirror]).ends(0);
    for (leaf, expected) in [("calm", true), ("since", false)] {
        let (good, said) = judged(&ground, "ca/root.pem", "ca/intermediate.pem", leaf);
        assert_eq!(good, expected, "{leaf}: {said}");
    }
}
