//! P-384 against the published vectors of Wycheproof (r‖s form).

#![allow(clippy::unwrap_used, reason = "a test fails by panic")]

mod doc_support;

use doc_support::{json, vectors};
use proof::crypto::PublicKey;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

#[test]
fn every_p384_vector_is_judged_as_published() {
    let Some(folder) = vectors("wycheproof") else { return };
    let file = json(folder.join("ecdsa_secp384r1_sha384_p1363_test.json"));
    let mut judged = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let point = bytes(group["publicKey"]["uncompressed"].as_str().unwrap());
        let key = PublicKey::p384_from_sec1(&point).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let text = |name: &str| bytes(test[name].as_str().unwrap());
            let holds = key.verify(&text("msg"), &text("sig")).is_ok();
            assert_eq!(holds, test["result"] == "valid", "{test}");
            judged += 1;
        }
    }
    assert_eq!(judged, file["numberOfTests"].as_u64().unwrap());
}
