//! The command line as scripts see it: exit codes, one JSON value, files, sentences.
//!
//! Every test drives the built program as a child process, mostly in a house of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use common::{Ground, row};
use serde_json::{Value, json};

const GOOD: &str =
    "Ana Conceição,ana@example.org,Licenciatura em Direito,Direito,17 (dezassete) valores,2026-07-31";
const BROKEN: &str = "Celeste Trindade,celeste@example.org,Licenciatura em Letras,Letras,18,31/07/2026";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn checks(report: &Value, result: &str) -> Vec<String> {
    let all = report["checks"].as_array().unwrap();
    all.iter().filter(|check| check["result"] == result).map(|check| text(check, "code").to_owned()).collect()
}

#[test]
fn init_makes_a_house_once_and_prints_the_one_time_link() {
    let ground = Ground::new();
    let made = ground.run(&["--json", "init", "--public-url", &ground.url()]).ends(0).json();
    assert!(text(&made, "entry").starts_with(&format!("http://localhost:{}/enter#", ground.admin)), "{made}");
    assert_eq!(made["publicUrl"], ground.url());
    let again = ground.run(&["--json", "init"]).ends(1);
    assert_eq!(again.error(), "HOME_EXISTS");
    let people = ground.run(&["init"]).ends(1);
    assert!(
        people.out.is_empty() && people.err.contains("HOME_EXISTS"),
        "errors go to stderr: {}",
        people.out
    );
    assert_eq!(
        ground.run(&["--json", "init", "--public-url", "ftp://x"]).ends(2).error(),
        "PUBLIC_URL_INVALID"
    );
    let link = ground.run(&["admin", "link"]).ends(0).out;
    assert!(link.starts_with("http://localhost:") && link.contains("/enter#once_"), "{link}");
}

#[test]
fn init_says_things_in_the_callers_language() {
    let ground = Ground::new();
    let made = ground.run(&["--lang", "pt", "init"]).ends(0);
    assert!(
        made.out.contains("Há uma casa nova em") && made.err.contains("frase-passe"),
        "{}{}",
        made.out,
        made.err
    );
    let refused = ground.run(&["--lang", "pt", "--json", "init"]).ends(1).json();
    assert!(text(&refused["error"], "message").starts_with("Já há uma casa"), "{refused}");
    let nothing = ground.homeless(&["--lang", "pt", "--json", "log", "verify"]).ends(1).json();
    assert!(text(&nothing["error"], "message").starts_with("Não há nenhuma casa"), "{nothing}");
    let mut portuguese = Ground::new();
    portuguese.environment.insert("LANG".to_owned(), "pt_PT.UTF-8".to_owned());
    assert!(
        portuguese.run(&["doctor"]).ends(1).err.contains("Não há nenhuma casa"),
        "LANG counts when --lang is absent"
    );
}

#[test]
fn every_command_that_needs_a_house_says_that_there_is_none() {
    let ground = Ground::new();
    let table = ground.table("table.csv", &[GOOD]);
    let out = ground.arg("out");
    let commands: &[&[&str]] = &[
        &["serve"],
        &["issue", "--template", "diploma", "--rows", &table, "--out", &out],
        &["revoke", "cred_x", "--reason", "x"],
        &["suspend", "cred_x", "--reason", "x"],
        &["reinstate", "cred_x", "--reason", "x"],
        &["log", "verify"],
        &["log", "prove", "cred_x", "--out", &out],
        &["log", "checkpoint"],
        &["person", "erase", "per_x"],
        &["tenant", "create", "U"],
        &["tenant", "list"],
        &["admin", "link"],
        &["doctor"],
    ];
    for command in commands {
        let ran = ground.homeless(&[&["--json"], *command].concat()).ends(1);
        assert_eq!(ran.error(), "HOME_NOT_FOUND", "{command:?}");
        assert_eq!(ran.out.trim().lines().count(), 1, "one value on one line: {}", ran.out);
    }
    assert!(!ground.file("nowhere").exists(), "asking makes nothing");
}

#[test]
fn wrong_use_ends_with_2_and_help_with_0() {
    let ground = Ground::new();
    for wrong in [
        &["--bogus"][..],
        &["frobnicate"],
        &["revoke", "cred_x"],
        &["issue"],
        &["--set", "a=b", "config", "check"],
    ] {
        let ran = ground.homeless(wrong).ends(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{wrong:?}: {}", ran.out);
    }
    assert_eq!(ground.homeless(&["--json", "frobnicate"]).ends(2).error(), "USAGE_INVALID");
    let both = ["--set", "http.rate_read=5", "config", "print", "--json", "--set=http.rate_write=7"];
    let printed = ground.homeless(&both).ends(0).out;
    assert!(printed.contains(r#""value":"5""#) && printed.contains(r#""value":"7""#), "{printed}");
    for right in [&["--help"][..], &["--version"], &["log", "--help"]] {
        assert!(!ground.homeless(right).ends(0).out.is_empty(), "{right:?}");
    }
}

#[test]
fn a_table_gives_three_files_for_each_good_row_and_names_the_broken_one() {
    let ground = Ground::with_house();
    let table = ground.table("table.csv", &[GOOD, BROKEN]);
    let out = ground.arg("out");
    let told = ground
        .run(&["--json", "issue", "--template", "diploma", "--rows", &table, "--out", &out])
        .ends(0)
        .json();
    assert_eq!(
        (told["credentials"].as_array().unwrap().len(), told["failedRows"].as_array().unwrap().len()),
        (1, 1)
    );
    let failed = &told["failedRows"][0];
    assert_eq!(
        (&failed["line"], &failed["error"]["field"], &failed["error"]["code"]),
        (&json!(3), &json!("date"), &json!("CELL_DATE"))
    );
    assert_eq!(text(&failed["error"], "remedy"), "Write year-month-day.");
    let list = std::fs::read_to_string(Path::new(&out).join("failed.csv")).unwrap();
    assert!(
        list.contains("Celeste Trindade") && list.contains("CELL_DATE") && !list.contains("Ana"),
        "{list}"
    );
    let one = &told["credentials"][0];
    for (file, magic) in [("json", &b"{"[..]), ("png", b"\x89PNG"), ("pdf", b"%PDF")] {
        let path = text(one, file);
        assert!(std::fs::read(path).unwrap().starts_with(magic), "{file}");
        let report = ground.run(&["--json", "verify", path]).ends(0).json();
        assert_eq!(
            (&report["outcome"], &report["valid"]),
            (&json!("valid"), &json!(true)),
            "{file}: {report}"
        );
        for member in ["format", "issuer", "subject", "checks"] {
            assert!(!report[member].is_null(), "{file}: no {member}");
        }
        for check in report["checks"].as_array().unwrap() {
            for member in ["code", "result", "reason", "remedy"] {
                assert!(check[member].is_string(), "{file}: {check}");
            }
        }
    }
    let all_broken = ground.table("broken.csv", &[BROKEN]);
    ground.run(&["issue", "--template", "diploma", "--rows", &all_broken, "--out", &out]).ends(1);
    let people = ground
        .run(&["issue", "--template", "diploma", "--rows", &table, "--out", &out, "--lang", "pt"])
        .ends(0);
    assert!(
        people.out.contains("1 credenciais emitidas") && people.out.contains("1 linhas falharam"),
        "{}",
        people.out
    );
}

#[test]
fn a_table_that_cannot_be_used_is_refused_by_name_and_nothing_is_issued() {
    let ground = Ground::with_house();
    let out = ground.arg("out");
    let issue = |rows: &str, template: &str| {
        ground.run(&["--json", "issue", "--template", template, "--rows", rows, "--out", &out])
    };
    assert_eq!(issue(&ground.arg("absent.csv"), "diploma").ends(2).error(), "FILE_UNREADABLE");
    assert_eq!(issue(&ground.table("good.csv", &[GOOD]), "nothing").ends(1).error(), "TEMPLATE_NOT_FOUND");
    std::fs::write(ground.file("columns.csv"), "name,date\nAna,2026-07-31\n").unwrap();
    assert_eq!(issue(&ground.arg("columns.csv"), "diploma").ends(2).error(), "CSV_COLUMN_MISSING");
    // 0x81 is nothing in Windows-1252, and no UTF-8 either.
    std::fs::write(ground.file("noise.csv"), b"name,degree,date\nA\x81\xe3o,Direito,2026-07-31\n").unwrap();
    assert_eq!(issue(&ground.arg("noise.csv"), "diploma").ends(2).error(), "CSV_ENCODING");
    assert!(std::fs::read_dir(&out).map_or(0, Iterator::count) == 0, "no file was written");
    assert!(ground.run(&["log", "verify"]).ends(0).out.contains("cred: 1 leaves"), "no leaf was added");
}

#[test]
fn a_credential_altered_by_one_byte_is_a_clear_no_and_other_files_are_unreadable() {
    let ground = Ground::with_house();
    let one = ground.diploma("Ana Conceição");
    let whole = std::fs::read_to_string(text(&one, "json")).unwrap();
    let altered = whole.replacen("Licenciatura", "Licenciaturo", 1);
    assert_ne!(altered, whole);
    std::fs::write(ground.file("altered.json"), altered).unwrap();
    let report = ground.run(&["--json", "verify", &ground.arg("altered.json")]).ends(1).json();
    assert_eq!(report["outcome"], "invalid");
    assert!(checks(&report, "fail").iter().any(|code| code.starts_with("PROOF_")), "{report}");
    let noise: Vec<u8> = (0..4_096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
    for (name, bytes) in [
        ("noise", &noise[..]),
        ("empty", b""),
        ("letter", b"Dear Ana,\n"),
        ("other.json", b"{}"),
        ("list.json", b"[1]"),
    ] {
        std::fs::write(ground.file(name), bytes).unwrap();
        let ran = ground.run(&["--json", "verify", &ground.arg(name)]).ends(2);
        assert_eq!(checks(&ran.json(), "fail"), ["FORMAT_UNKNOWN"], "{name}");
    }
    assert_eq!(ground.run(&["--json", "verify", &ground.arg("absent")]).ends(2).error(), "FILE_UNREADABLE");
}

#[test]
fn without_a_house_the_status_is_unknown_until_a_snapshot_answers() {
    let ground = Ground::with_house();
    let one = ground.diploma("João d'Alva");
    let file = text(&one, "json");
    let credential: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let list = text(&credential["credentialStatus"], "statusListCredential").to_owned();
    let served = ground.serve(&[]);
    let bytes = served.get(&list);
    assert_eq!(bytes.status, 200, "{list}");
    served.stop();
    let snapshot = ground.file("snapshot");
    std::fs::create_dir(&snapshot).unwrap();
    std::fs::write(snapshot.join("list.json"), &bytes.body).unwrap();
    let snapshot = snapshot.display().to_string();
    for ending in ["json", "png", "pdf"] {
        let file = text(&one, ending);
        let report = ground.homeless(&["--json", "verify", file]).ends(4).json();
        assert_eq!(
            (&report["outcome"], checks(&report, "unknown")),
            (&json!("unknown"), vec!["STATUS_UNREACHABLE".to_owned()])
        );
        let report =
            ground.homeless(&["--json", "verify", file, "--status-snapshot", &snapshot]).ends(0).json();
        assert_eq!(report["outcome"], "valid", "{ending}");
        assert_eq!(report["issuer"]["trusted"], false, "nobody is known without a house");
    }
    let empty = ground.file("empty");
    std::fs::create_dir(&empty).unwrap();
    ground.homeless(&["verify", file, "--status-snapshot", &empty.display().to_string()]).ends(4);

    let issuer = text(&credential["issuer"], "id");
    let trusted = json!({"issuers": [{"id": issuer, "name": "Universidade de São Tomé"}]});
    std::fs::write(ground.file("trust.json"), trusted.to_string()).unwrap();
    std::fs::write(ground.file("nobody.json"), "{\"issuers\":[]}").unwrap();
    std::fs::write(ground.file("wrong.json"), "{\"who\":[]}").unwrap();
    let verify = |trust: &str, more: &[&str]| {
        let trust = ground.arg(trust);
        ground.homeless(
            &[&["--json", "verify", file, "--status-snapshot", &snapshot, "--trust", &trust], more].concat(),
        )
    };
    let known = verify("trust.json", &["--require-trust"]).ends(0).json();
    assert_eq!(
        (&known["issuer"]["trusted"], &known["issuer"]["name"]),
        (&json!(true), &json!("Universidade de São Tomé"))
    );
    let stranger = verify("nobody.json", &[]).ends(0).json();
    assert_eq!(checks(&stranger, "warn"), ["ISSUER_UNTRUSTED"]);
    let refused = verify("nobody.json", &["--require-trust"]).ends(1).json();
    assert_eq!(checks(&refused, "fail"), ["ISSUER_UNTRUSTED"]);
    assert_eq!(verify("wrong.json", &[]).ends(2).error(), "TRUST_LIST_INVALID");
    let people = ground.homeless(&["--lang", "pt", "verify", file, "--status-snapshot", &snapshot]).ends(0);
    assert!(people.out.starts_with("VÁLIDO\n"), "{}", people.out);
}

#[test]
fn a_revocation_while_the_house_serves_is_on_the_public_page_in_under_2_seconds() {
    let ground = Ground::with_house();
    let one = ground.diploma("Inês Vaz");
    let (id, page) = (text(&one, "id"), text(&one, "page"));
    let served = ground.serve(&[]);
    assert!(served.get(page).text().contains("<h1 id=\"outcome\">VALID</h1>"));
    for (verb, status) in [("suspend", "suspended"), ("reinstate", "issued"), ("revoke", "revoked")] {
        let begun = Instant::now();
        let told = ground.run(&["--json", verb, id, "--reason", "under review"]).ends(0).json();
        assert_eq!((text(&told, "id"), text(&told, "status")), (id, status));
        let shown = served.get(page).text();
        assert!(begun.elapsed() < Duration::from_secs(2), "{verb} took {:?}", begun.elapsed());
        let valid = shown.contains("<h1 id=\"outcome\">VALID</h1>");
        assert_eq!(valid, verb == "reinstate", "{verb}");
        assert!(verb != "revoke" || shown.contains("REVOKED"), "{shown}");
    }
    let report = ground.run(&["--json", "verify", text(&one, "pdf")]).ends(1).json();
    assert_eq!(checks(&report, "fail"), ["STATUS_REVOKED"]);
    assert_eq!(
        ground.run(&["--json", "reinstate", id, "--reason", "x"]).ends(1).error(),
        "CREDENTIAL_REVOKED"
    );
    assert_eq!(ground.run(&["--json", "revoke", id, "--reason", " "]).ends(2).error(), "REASON_NEEDED");
    let portuguese = ground.run(&["--lang", "pt", "--json", "revoke", id, "--reason", "x"]).ends(1).json();
    assert!(
        text(&portuguese["error"], "message").contains("revogad"),
        "the house answers in the caller's language: {portuguese}"
    );
}

#[test]
fn an_id_that_is_none_is_a_clear_no_and_reaches_no_other_address() {
    let ground = Ground::with_house();
    for id in
        ["cred_00000000000000000000000000", "not an id", "cred_x?limit=1", "../tenants", "a/b", "ção", "%"]
    {
        let ran = ground.run(&["--json", "revoke", id, "--reason", "x"]);
        assert!(matches!(ran.code, Some(1 | 2)), "{id}: {:?} {}", ran.code, ran.out);
        assert_ne!(ran.error(), "METHOD_NOT_ALLOWED", "{id}");
        let ran = ground.run(&["--json", "person", "erase", id]);
        assert!(matches!(ran.code, Some(1 | 2)), "{id}: {:?} {}", ran.code, ran.out);
        let ran = ground.run(&["--json", "log", "prove", id, "--out", &ground.arg("proof")]);
        assert!(matches!(ran.code, Some(1 | 2)), "{id}: {:?} {}", ran.code, ran.out);
        assert!(!ground.file("proof").exists(), "{id}");
    }
}

#[test]
fn the_log_is_computed_again_and_its_proofs_hold_without_a_house() {
    let ground = Ground::with_house();
    let one = ground.diploma("Ana Conceição");
    let logs = ground.run(&["--json", "log", "verify"]).ends(0).json();
    assert_eq!((&logs["ok"], logs["logs"].as_array().unwrap().len()), (&json!(true), 3));
    let proof = ground.arg("proof");
    ground.run(&["log", "prove", text(&one, "id"), "--out", &proof]).ends(0);
    let held = ground.run(&["--lang", "pt", "log", "verify", &proof]).ends(0).out;
    assert!(held.contains(" está em 1 de 2 no registo "), "{held}");
    let found = ground.run(&["--lang", "pt", "doctor"]).ends(0).out;
    for words in ["guardada na casa", "key ring: abre", "tables: desta versão"] {
        assert!(found.contains(words), "{words} is not in\n{found}");
    }
    let held = ground.run(&["--json", "log", "verify", &proof]).ends(0).json();
    assert_eq!((&held["ok"], &held["entry"]["type"]), (&json!(true), &json!("credential.issued")));
    assert_eq!(
        ground
            .run(&["--json", "log", "prove", "cred_00000000000000000000000000", "--out", &proof])
            .ends(1)
            .error(),
        "LOG_RECORD_NOT_FOUND"
    );

    let served = ground.serve(&[]);
    let vkey = served.get("/log/cred/vkey").text().trim().to_owned();
    let public = served.get("/log/cred/checkpoint").text();
    let printed = ground.run(&["--json", "log", "checkpoint"]).ends(0).json();
    assert_eq!(
        text(&printed, "checkpoint").lines().next(),
        Some(format!("localhost:{}/log/cred", ground.public).as_str())
    );
    assert_eq!(
        text(&printed, "checkpoint").lines().nth(2),
        public.lines().nth(2),
        "the same root as strangers see"
    );
    served.stop();

    ground.homeless(&["log", "verify", &proof, "--vkey", &vkey]).ends(0);
    let altered = std::fs::read_to_string(&proof).unwrap().replacen("index ", "index 1", 1);
    std::fs::write(ground.file("altered"), altered).unwrap();
    assert_eq!(
        ground
            .homeless(&["--json", "log", "verify", &ground.arg("altered"), "--vkey", &vkey])
            .ends(1)
            .error(),
        "LOG_PROOF_WRONG"
    );
    std::fs::write(ground.file("noise"), b"no proof at all").unwrap();
    assert_eq!(
        ground.homeless(&["--json", "log", "verify", &ground.arg("noise"), "--vkey", &vkey]).ends(2).error(),
        "LOG_PROOF_UNREADABLE"
    );
    assert_eq!(
        ground.homeless(&["--json", "log", "verify", &proof, "--vkey", "x"]).ends(2).error(),
        "LOG_PROOF_UNREADABLE"
    );
    assert_eq!(ground.run(&["--json", "log", "checkpoint", "nothing"]).ends(1).error(), "LOG_NOT_FOUND");
}

#[test]
fn commands_at_the_same_time_wait_for_each_other_where_nobody_serves() {
    let ground = Ground::with_house();
    std::thread::scope(|scope| {
        let all: Vec<_> =
            (0..4).map(|_| scope.spawn(|| ground.run(&["--json", "log", "verify"]).ends(0).json())).collect();
        for one in all {
            assert!(one.join().unwrap()["logs"].is_array());
        }
    });
}

#[test]
fn a_person_is_erased_and_the_log_still_verifies() {
    let ground = Ground::with_house();
    let one = ground.diploma("Zulmira Quaresma");
    let told = ground.run(&["--json", "person", "erase", text(&one, "id")]).ends(0).json();
    assert_eq!((text(&told, "person"), &told["credentials"]), (text(&one, "person"), &json!(1)));
    ground.run(&["log", "verify"]).ends(0);
    let served = ground.serve(&[]);
    assert!(!served.get(text(&one, "page")).text().contains("Zulmira"));
    let list = served.local("GET", "/api/v1/credentials", &Value::Null).text();
    assert!(!list.contains("Zulmira"), "{list}");
    served.stop();
    for entry in std::fs::read_dir(ground.home().join("data")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(7).any(|seven| seven == b"Zulmira"), "{}", path.display());
    }
    assert_eq!(
        ground
            .run(&["--json", "person", "erase", "per_00000000000000000000000000"])
            .ends(1)
            .error()
            .split('_')
            .next(),
        Some("PERSON")
    );
}

#[test]
fn the_configuration_is_checked_and_every_value_says_where_it_comes_from() {
    let mut ground = Ground::with_house();
    ground.run(&["config", "check"]).ends(0);
    std::fs::write(ground.home().join("selo.toml"), "[http]\nrate_raed = 5\n").unwrap();
    let refused = ground.run(&["--json", "config", "check"]).ends(2);
    let detail = &refused.json()["error"]["details"][0];
    assert_eq!(text(detail, "code"), "CONFIG_MISSPELT_KEY");
    assert!(
        text(detail, "message").contains("http.rate_read")
            && text(detail, "field").ends_with("selo.toml:2:1"),
        "{detail}"
    );
    for command in [&["serve"][..], &["log", "verify"], &["doctor"]] {
        assert_eq!(
            ground.run(&[&["--json"], command].concat()).ends(2).error(),
            "CONFIG_INVALID",
            "{command:?}"
        );
    }
    std::fs::write(ground.home().join("selo.toml"), "[http]\nrate_read = 5\n").unwrap();
    ground.environment.insert("SELO_HTTP_RATE_WRITE".to_owned(), "6".to_owned());
    let printed = ground.run(&["--json", "config", "print", "--origin"]).ends(0).json();
    let entry = |key: &str| {
        printed["settings"].as_array().unwrap().iter().find(|entry| entry["key"] == key).unwrap().clone()
    };
    assert!(text(&entry("http.rate_read"), "origin").contains("selo.toml"), "{}", entry("http.rate_read"));
    assert!(text(&entry("http.rate_write"), "origin").contains("SELO_HTTP_RATE_WRITE"));
    assert!(text(&entry("http.public_listen"), "origin").contains("--set"));
    assert_eq!(entry("http.rate_heavy")["origin"], "default");
    assert_eq!(
        ground.run(&["--json", "--set", "http.rate_read=many", "config", "check"]).ends(2).error(),
        "CONFIG_INVALID"
    );
    assert!(ground.run(&["config", "print", "--origin"]).ends(0).out.contains("http.rate_read = 5  # "));
}

#[test]
fn the_doctor_finds_a_house_well_and_open_rights_ill() {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::with_house();
    let well = ground.run(&["--json", "doctor"]).ends(0).json();
    assert_eq!(well["ok"], true, "{well}");
    std::fs::set_permissions(ground.home().join("keys/ring.json"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    let ill = ground.run(&["--json", "doctor"]).ends(1).json();
    let wrong: Vec<&str> = ill["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["ok"] == false)
        .map(|c| text(c, "check"))
        .collect();
    assert_eq!(wrong, ["keys"], "{ill}");
}

#[test]
fn one_home_is_served_once_and_a_taken_port_is_named() {
    let ground = Ground::with_house();
    let served = ground.serve(&[]);
    assert_eq!(ground.run(&["--json", "serve"]).ends(1).error(), "HOME_BUSY");
    ground.run_in(&ground.file("other"), &["init"]).ends(0);
    let taken = ground.run_in(&ground.file("other"), &["--json", "serve"]).ends(1);
    assert_eq!(taken.error(), "HTTP_PORT_TAKEN");
    assert_eq!(taken.json()["error"]["field"], "http.public_listen");
    assert!(text(&taken.json()["error"], "message").contains(&ground.public.to_string()));
    assert_eq!(served.get("/readyz").status, 200, "the first goes on");
    // Commands go to the house that serves, whatever their own settings say.
    ground.run(&["tenant", "list"]).ends(0);
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let ground = Ground::new();
    std::fs::write(ground.file("right"), "correct horse\n").unwrap();
    std::fs::write(ground.file("wrong"), "battery staple\n").unwrap();
    let (right, wrong) = (ground.arg("right"), ground.arg("wrong"));
    let made = ground.run(&["--json", "--passphrase-file", &right, "init"]).ends(0).json();
    assert_eq!(made["passphraseMade"], false);
    assert!(!ground.home().join("keys/passphrase").exists());
    for command in [&["serve"][..], &["log", "verify"], &["tenant", "create", "U"]] {
        let told = ground.run(&[&["--json", "--passphrase-file", &wrong], command].concat()).ends(1);
        assert_eq!(told.error(), "KEYS_WRONG_PASSPHRASE", "{command:?}");
        let none = ground.run(&[&["--json"], command].concat()).ends(1);
        assert_eq!(none.error(), "KEYS_WRONG_PASSPHRASE", "{command:?}, nobody to ask");
    }
    ground.run(&["--passphrase-file", &right, "log", "verify"]).ends(0);
}

#[test]
fn a_home_written_by_a_newer_version_is_left_alone() {
    let ground = Ground::with_house();
    let letter = ground.home().join("house.json");
    let text = std::fs::read_to_string(&letter).unwrap();
    let mut newer: Value = serde_json::from_str(&text).unwrap();
    newer["format"] = json!(2);
    newer["somethingNew"] = json!({});
    std::fs::write(&letter, newer.to_string()).unwrap();
    let database = std::fs::read(ground.home().join("data/selo.db")).unwrap();
    for command in [&["serve"][..], &["log", "verify"], &["tenant", "create", "U"], &["doctor"]] {
        assert_eq!(ground.run(&[&["--json"], command].concat()).ends(1).error(), "HOME_NEWER", "{command:?}");
    }
    assert_eq!(std::fs::read(ground.home().join("data/selo.db")).unwrap(), database, "nothing was changed");
    std::fs::write(&letter, text).unwrap();
    ground.run(&["log", "verify"]).ends(0);
}

#[test]
fn sigterm_ends_a_house_in_good_order_even_while_it_works() {
    let ground = Ground::with_house();
    let served = ground.serve(&[]);
    let (code, took) = served.stop();
    assert!(code == Some(0) && took < Duration::from_secs(10), "{code:?} after {took:?}");
    assert!(!ground.home().join("house.sock").exists(), "no socket is left behind");
    let served = ground.serve(&[]);
    let socket = served.socket.clone();
    let clients: Vec<_> = (0..3)
        .map(|client| {
            let socket = socket.clone();
            std::thread::spawn(move || {
                let mut acknowledged = 0;
                for number in 0..500 {
                    let body = row(&format!("Graduate {client} {number}"), "g@example.org").to_string();
                    match common::local(&socket, "POST", "/api/v1/credentials", body.as_bytes()) {
                        Ok(reply) if reply.status == 201 => acknowledged += 1,
                        _ => break,
                    }
                }
                acknowledged
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(600));
    let (code, took) = served.stop();
    assert!(code == Some(0) && took < Duration::from_secs(10), "{code:?} after {took:?}");
    let acknowledged: u64 = clients.into_iter().map(|client| client.join().unwrap()).sum();
    assert!(acknowledged > 0, "there was work");
    let logs = ground.run(&["--json", "log", "verify"]).ends(0).json();
    let cred = logs["logs"].as_array().unwrap().iter().find(|log| log["log"] == "cred").unwrap().clone();
    assert!(cred["size"].as_u64().unwrap() > acknowledged, "{acknowledged} acknowledged: {cred}");
}

#[test]
fn the_demo_runs_the_main_job_and_its_diplomas_verify() {
    let ground = Ground::new();
    let table = ground.table("few.csv", &[GOOD, BROKEN]);
    let told = ground.run(&["--json", "demo", "--once", "--rows", &table]).ends(0).json();
    for member in ["tenant", "credentials", "failedRows", "links", "log", "authority"] {
        assert!(!told[member].is_null(), "no {member}: {told}");
    }
    for link in ["recipient", "verify", "issuer"] {
        assert!(text(&told["links"], link).starts_with("http://localhost:"), "{link}");
    }
    assert_eq!((&told["log"]["size"], &told["failedRows"][0]["line"]), (&json!(2), &json!(3)));
    let one = &told["credentials"][0];
    for file in ["json", "png", "pdf"] {
        assert!(Path::new(text(one, file)).starts_with(ground.home()), "under the home");
        ground.run(&["verify", text(one, file)]).ends(0);
    }
    let authority = &told["authority"];
    assert_eq!(authority["refused"], "PKI_NAME_CONSTRAINED");
    for (serial, state) in [("server", "issued"), ("revoked", "revoked")] {
        let shown = ground.run(&["--json", "pki", "show", text(authority, serial)]).ends(0).json();
        assert_eq!(shown["state"], state);
    }
    assert!(Path::new(text(authority, "root")).is_file());
}

/// A small file system of its own; taken away when dropped.
struct Mount(std::path::PathBuf);

impl Mount {
    fn small(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs"])
            .arg(at)
            .output();
        mounted.is_ok_and(|done| done.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn on_a_full_disk_writes_are_refused_reads_go_on_and_room_mends_it() {
    let ground = Ground::new();
    let Some(_mount) = Mount::small(&ground.home(), "120m") else {
        eprintln!("no file system can be mounted here (not root): the full disk was not tried");
        return;
    };
    ground.make_house();
    let one = ground.diploma("Ana Conceição");
    let served = ground.serve(&[]);
    assert_eq!(served.get(text(&one, "page")).status, 200);
    let filler = ground.home().join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    let block = vec![0_u8; 64 * 1024];
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
    while std::io::Write::write_all(&mut file, &[0; 512]).is_ok() {}
    drop(file);
    let mut refused = None;
    let mut issued = 0;
    for number in 0..400 {
        let reply =
            served.local("POST", "/api/v1/credentials", &row(&format!("Graduate {number}"), "g@example.org"));
        if reply.status == 201 {
            issued += 1;
            continue;
        }
        refused = Some(reply);
        break;
    }
    let refused = refused.expect("a full disk takes no more");
    let body: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(
        (refused.status, text(&body["error"], "code")),
        (507, "STORE_DISK_FULL"),
        "after {issued}: {body}"
    );
    let change = ground.run(&["--json", "revoke", text(&one, "id"), "--reason", "x"]).ends(3);
    assert_eq!(change.error(), "STORE_DISK_FULL");
    let page = served.get(text(&one, "page"));
    assert!(
        page.text().contains("<h1 id=\"outcome\">VALID</h1>"),
        "reading goes on: {} {}",
        page.status,
        page.text()
    );
    std::fs::remove_file(&filler).unwrap();
    let begun = Instant::now();
    loop {
        let again = ground.run(&["--json", "revoke", text(&one, "id"), "--reason", "x"]);
        if again.code == Some(0) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "room does not mend it: {}", again.out);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(served.get(text(&one, "page")).text().contains("REVOKED"));
    let (code, _) = served.stop();
    assert_eq!(code, Some(0));
    ground.run(&["log", "verify"]).ends(0);
}
