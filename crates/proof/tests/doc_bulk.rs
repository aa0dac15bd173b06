//! The fast path of bulk issuing must say exactly what the full path says, or say that it cannot.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail by panic, measures time and reads the environment"
)]

mod doc_support;

use doc_support::badge;
use proof::credential::{Badge, Identity};
use proof::integrity::{self, ProofOptions, Skeleton};
use proptest::prelude::*;
use serde_json::{Value, json};

fn options(created: &str) -> ProofOptions {
    ProofOptions::assertion("did:web:uni.example#key-1", created)
}

/// Badges of one shape: number 1's members with other texts.
fn row(number: usize, name: &str, email: &str) -> Badge {
    let mut row = badge(1);
    row.id = format!("urn:uuid:20000000-0000-4000-8000-{number:012x}");
    row.recipient.id = Some(format!("urn:uuid:30000000-0000-4000-8000-{number:012x}"));
    row.recipient.name = Some(name.to_owned());
    row.recipient.identities = vec![Identity::Hashed {
        kind: "emailAddress".into(),
        value: email.to_owned(),
        salt: format!("{number:032x}"),
    }];
    row.results[0].value = Some(number.to_string());
    row.status.as_mut().unwrap().index = number as u64;
    row
}

#[test]
fn a_thousand_rows_of_one_shape_have_the_bytes_of_the_full_path() {
    let example = row(0, "Exemplo", "a@b.example").to_json().unwrap();
    let skeleton = Skeleton::compile(&example, &options("2026-01-01T00:00:00Z")).unwrap();
    for number in 0..1_000 {
        let document = row(number, &format!("Inês {number} \"\\\n"), &format!("p{number}@x.example"));
        let document = document.to_json().unwrap();
        let options = options(&format!("2026-07-20T09:{:02}:{:02}Z", number / 60 % 60, number % 60));
        let fast = skeleton.prepare(&document, &options).expect("same shape");
        assert_eq!(fast, integrity::prepare(&document, &options).unwrap());
    }
}

#[test]
fn another_shape_is_reported_and_never_guessed() {
    let example = row(0, "Exemplo", "a@b.example").to_json().unwrap();
    let options = options("2026-01-01T00:00:00Z");
    let skeleton = Skeleton::compile(&example, &options).unwrap();
    let changed = |pointer: &str, name: &str, value: Value| {
        let mut document = example.clone();
        document.pointer_mut(pointer).unwrap()[name] = value;
        document
    };
    for document in [
        changed("", "extra", json!("x")),
        changed("", "@context", json!(["https://www.w3.org/ns/credentials/v2"])),
        changed("", "type", json!(["VerifiableCredential", "AchievementCredential"])),
        changed("", "id", json!("relative")),
        changed("", "id", json!("_:b0")),
        changed("", "id", json!("urn:with space")),
        changed("", "id", json!("https://other.example/scheme")),
        changed("", "name", json!(["a", "b"])),
        changed("", "name", json!(null)),
        changed("/credentialSubject", "creditsEarned", json!(3)),
        changed("/credentialSubject/achievement", "creditsAvailable", json!(60)),
        changed("/credentialSubject/identifier/1", "hashed", json!(false)),
        changed("/credentialSubject", "identifier", json!([])),
    ]
    .into_iter()
    .filter(|document| *document != example)
    {
        if let Some(fast) = skeleton.prepare(&document, &options) {
            assert_eq!(Ok(fast), integrity::prepare(&document, &options), "{document}");
            panic!("was taken for the same shape: {document}");
        }
    }
    // a document that is signed already keeps its shape
    let mut signed = example.clone();
    signed["proof"] = json!({"type": "DataIntegrityProof"});
    assert_eq!(
        skeleton.prepare(&signed, &options).unwrap().hash_data,
        integrity::prepare(&example, &options).unwrap().hash_data
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_in_any_field_gives_the_bytes_of_the_full_path(
        name in ".{0,40}", email in "[a-z@.]{0,20}", title in "\\PC{0,30}", number in 0_usize..1_000_000,
    ) {
        let example = row(0, "Exemplo", "a@b.example").to_json().unwrap();
        let options = options("2026-01-01T00:00:00Z");
        let skeleton = Skeleton::compile(&example, &options).unwrap();
        let mut document = row(number, &name, &email);
        document.name = title;
        let document = document.to_json().unwrap();
        if let Some(fast) = skeleton.prepare(&document, &options) {
            prop_assert_eq!(Ok(fast), integrity::prepare(&document, &options));
        } else {
            prop_assert!(false, "a text changed the shape");
        }
    }
}

#[test]
fn every_generated_shape_compiles() {
    for number in 0..60 {
        let document = badge(number).to_json().unwrap();
        let outcome = Skeleton::compile(&document, &options("2026-01-01T00:00:00Z"));
        assert!(outcome.is_ok(), "{number}");
    }
}
