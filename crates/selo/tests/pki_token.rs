//! An authority whose key lives on a token: made there in the ceremony, away and back in the middle of things. What it
//! signs is judged by openssl; where the key is, by what it can do without the token.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{Ground, Ran, hsm, openssl};

fn issue(ground: &Ground, name: &str) -> Ran {
    let (dns, out) = (format!("{name}.test"), ground.arg(name));
    ground.run(&["--json", "pki", "issue", "--profile", "server", "--dns", &dns, "--out", &out])
}

fn judged(ground: &Ground, leaf: &str) -> (bool, String) {
    ground.judged("ca/root.pem", "ca/intermediate.pem", &format!("{leaf}/cert.pem"))
}

fn count(ground: &Ground, state: &str) -> usize {
    let found =
        ground.run(&["--json", "pki", "list", "--profile", "server", "--state", state]).ends(0).json();
    found["items"].as_array().unwrap().len()
}

#[test]
fn an_authority_on_a_token_issues_with_it_alone_and_gets_over_its_absence() {
    let Some(ground) = hsm::ground("an_authority_on_a_token_issues_with_it_alone_and_gets_over_its_absence")
    else {
        return;
    };
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    issue(&ground, "first").ends(0);
    let (good, said) = judged(&ground, "first");
    assert!(good, "{said}");
    let served = ground.serve(&[]);
    let begun = issue(&ground, "second").ends(0).json();
    hsm::take_away(&ground);
    let refused = issue(&ground, "third");
    assert!(refused.error().starts_with("KEYS_TOKEN_"), "{}", refused.error());
    assert!(!ground.file("third/key.pem").exists() && !ground.file("third/cert.pem").exists());
    // What needs no token goes on: the table, revocation, lists that are signed.
    assert_eq!(count(&ground, "issued"), 2);
    ground.run(&["pki", "revoke", begun["serial"].as_str().unwrap(), "--reason", "superseded"]).ends(0);
    hsm::bring_back(&ground);
    issue(&ground, "fourth").ends(0);
    let (good, said) = judged(&ground, "fourth");
    assert!(good, "{said}");
    let (good, said) = judged(&ground, "second");
    assert!(!good && said.contains("certificate revoked"), "{said}");
    served.stop();
    // What was planned without a token was never signed; the next start gives it up, and nothing is half done.
    assert_eq!((count(&ground, "planned"), count(&ground, "abandoned")), (0, 1));
    assert_eq!((count(&ground, "issued"), count(&ground, "revoked")), (2, 1));
    ground.run(&["log", "verify"]).ends(0);
    // Without the token, and with a setting that would make new keys in software, the old key is not replaced.
    hsm::take_away(&ground);
    let words =
        ["--json", "--set", "pki.keys=sealed", "pki", "issue", "--dns", "x.test", "--out", &ground.arg("x")];
    let refused = ground.run(&words);
    assert!(refused.error().starts_with("KEYS_TOKEN_"), "{}", refused.error());
}

#[test]
fn the_next_authority_is_made_on_the_token_too_and_an_abandoned_request_leaves_the_old_one_issuing() {
    let name =
        "the_next_authority_is_made_on_the_token_too_and_an_abandoned_request_leaves_the_old_one_issuing";
    let Some(ground) = hsm::ground(name) else { return };
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    hsm::take_away(&ground);
    let refused = ground.run(&["--json", "pki", "rotate", "--out", &ground.arg("none")]);
    assert!(refused.error().starts_with("KEYS_TOKEN_"), "{}", refused.error());
    assert!(!ground.file("none").exists());
    let words = ["--json", "pki", "rotate", "--keys", "anywhere", "--out", &ground.arg("none")];
    assert_eq!(ground.run(&words).ends(2).error(), "PKI_ROOT_ORDER_INVALID");
    hsm::bring_back(&ground);
    let request = ground.arg("next.selo-request");
    let planned = ground.run(&["--json", "pki", "rotate", "--out", &request]).ends(0).json();
    ground.run(&["pki", "root", "abandon", planned["id"].as_str().unwrap()]).ends(0);
    issue(&ground, "before").ends(0);
    let request = ground.arg("again.selo-request");
    ground.run(&["pki", "rotate", "--out", &request]).ends(0);
    let (one, other) = (ground.arg("ca/share-1.txt"), ground.arg("ca/share-2.txt"));
    let answer = ground.arg("again.selo-response");
    let sign =
        ["pki", "root", "sign", &request, "--share", &one, "--share", &other, "--out", &answer, "--yes"];
    ground.homeless(&sign).ends(0);
    ground.run(&["pki", "root", "accept", &answer, "--out", &ground.arg("next")]).ends(0);
    issue(&ground, "after").ends(0);
    let chain = [ground.arg("next/intermediate.pem"), ground.arg("after/cert.pem")];
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
    hsm::take_away(&ground);
    let refused = issue(&ground, "gone");
    assert!(refused.error().starts_with("KEYS_TOKEN_"), "{}", refused.error());
}
