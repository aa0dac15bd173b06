//! Hostile documents: nothing panics, nothing takes long, whatever the bytes are.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail by panic, measures time and reads the environment"
)]

mod doc_support;

use std::time::{Duration, Instant};

use proof::json::{self, Limits};
use proof::ld::{self, Contexts, Dataset, Object, Options, Quad, Subject, Text};
use proof::verify::{Context, Lang, NoNetwork, Outcome, Report, TrustList, verify};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_795_000_000;

fn check(input: &[u8]) -> Report {
    let report = verify(input, &Context::new(NOW, &NoNetwork, &TrustList::default()));
    for lang in [Lang::Pt, Lang::En] {
        assert!(!report.to_json(lang)["checks"].as_array().unwrap().is_empty());
    }
    report
}

/// Any JSON, rich in the names that credentials use.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "@context",
        "@id",
        "@type",
        "@value",
        "@graph",
        "@list",
        "@set",
        "@reverse",
        "@language",
        "@included",
        "@nest",
        "id",
        "type",
        "issuer",
        "proof",
        "credentialSubject",
        "credentialStatus",
        "validFrom",
        "validUntil",
        "name",
        "achievement",
        "identifier",
        "evidence",
        "credentialSchema",
        "proofValue",
        "cryptosuite",
        "verificationMethod",
        "https://www.w3.org/2018/credentials#issuer",
        "x",
        "",
    ]);
    let texts = prop::sample::select(vec![
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "VerifiableCredential",
        "OpenBadgeCredential",
        "AchievementSubject",
        "DataIntegrityProof",
        "eddsa-rdfc-2022",
        "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        "urn:x",
        "_:b",
        "2026-01-01T00:00:00Z",
        "@json",
        "zabc",
        "",
        "BitstringStatusListEntry",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_a_report(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_ne!(check(&bytes).outcome, Outcome::Valid);
    }

    #[test]
    fn any_json_gives_a_report(mut value in any_json()) {
        if let Some(members) = value.as_object_mut() {
            members.entry("@context").or_insert(json!(["https://www.w3.org/ns/credentials/v2"]));
            members.entry("type").or_insert(json!(["VerifiableCredential"]));
        }
        prop_assert_ne!(check(value.to_string().as_bytes()).outcome, Outcome::Valid);
        for lenient in [false, true] {
            let options = Options { inline_contexts: true, lenient, base: None };
            let _ = ld::canonical_document(&value, Contexts::bundled(), &options);
        }
    }

    #[test]
    fn what_our_reader_accepts_another_reader_takes_for_the_same(text in "[\\[\\]{}\":,0-9eE.+\\-tfn\\\\u \n]{0,30}") {
        let ours = json::parse(text.as_bytes(), &Limits::default());
        let theirs = serde_json::from_str::<Value>(&text);
        if let Ok(ours) = ours {
            prop_assert_eq!(ours, theirs.unwrap());
        }
    }

    #[test]
    fn every_value_reads_back_from_its_canonical_text(value in any_json()) {
        if let Ok(text) = proof::canon::canonicalize(&value) {
            let back = json::parse_default(text.as_bytes()).unwrap();
            // a large double prints as an integer that is refused when it comes from outside
            if let Ok(again) = proof::canon::canonicalize(&back) {
                prop_assert_eq!(again, text);
            }
        }
    }
}

fn ring(count: u32, steps: &[u32]) -> Dataset<'static> {
    let link = |from: u32, to: u32| Quad {
        subject: Subject::Blank(from),
        predicate: Text::from("urn:p".to_owned()),
        object: Object::Blank(to),
        graph: None,
    };
    let quads = (0..count)
        .flat_map(|from| steps.iter().map(move |step| (from, (from + step) % count)))
        .map(|(from, to)| link(from, to))
        .collect();
    Dataset { quads, blank_count: count }
}

#[test]
fn no_knot_of_nodes_takes_long() {
    for count in [5, 10, 16, 32, 64, 65, 500, 1_000] {
        for steps in [&[1][..], &[1, 2], &[1, 2, 3], &[1, 5], &[1, 2, 3, 4, 5, 6, 7], &[1, 7, 11, 13]] {
            let started = Instant::now();
            let outcome = ld::canonicalize(&ring(count, steps));
            let took = started.elapsed();
            assert!(took < Duration::from_millis(1_000), "{count} {steps:?}: {took:?} {}", outcome.is_ok());
        }
    }
}

#[test]
fn the_largest_documents_are_judged_in_time() {
    let wrap = |subject: Value, context: Value| {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", context],
            "id": "urn:uuid:1",
            "type": ["VerifiableCredential"],
            "issuer": "did:example:1",
            "credentialSubject": subject,
            "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod",
                "verificationMethod": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
                "proofValue": "z2YwC8z3ap7yx1nZYCg4L3j3ApHsF8kgPdSb5xoS1VR7vPG3F561B52hYnQF9iseabecm3ijx4K1FBTQsCZahKZme"},
        })
    };
    let plain = json!({"p": "urn:p"});
    let own_context = json!({"p": "urn:p", "c": {"@id": "urn:c", "@context": {"q": "urn:q"}}});
    let many_terms: serde_json::Map<_, _> =
        (0..400).map(|n| (format!("t{n}"), json!(format!("urn:t{n}")))).collect();
    let long: String = "é\"\\\n".repeat(40_000);
    let documents = [
        ("one long text", wrap(json!({"p": long}), plain.clone())),
        ("many values", wrap(json!({"p": (0..19_000).collect::<Vec<_>>()}), plain.clone())),
        (
            "many nodes",
            wrap(json!({"p": (0..900).map(|n| json!({"p": n})).collect::<Vec<_>>()}), plain.clone()),
        ),
        ("many scopes", wrap(json!({"p": vec![json!({"c": {"q": "1"}}); 900]}), own_context.clone())),
        (
            "many contexts",
            wrap(json!({"p": vec![json!({"@context": {"r": "urn:r"}, "r": "1"}); 900]}), plain.clone()),
        ),
        (
            "many terms in many contexts",
            wrap(
                json!({"p": vec![json!({"@context": {"r": "urn:r"}, "r": "1"}); 900]}),
                Value::Object(many_terms),
            ),
        ),
        ("many proofs", {
            let mut document = wrap(json!({"p": (0..5_000).collect::<Vec<_>>()}), plain.clone());
            document["proof"] = json!(vec![document["proof"].clone(); 16]);
            document
        }),
    ];
    for (name, document) in documents {
        let text = document.to_string();
        let started = Instant::now();
        let report = check(text.as_bytes());
        let took = started.elapsed();
        println!("{name}: {} bytes, {took:?}, {:?}", text.len(), report.failures());
        assert!(!report.valid && took < Duration::from_secs(5), "{name}: {took:?}");
    }
}
