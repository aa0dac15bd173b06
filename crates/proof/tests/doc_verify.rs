//! The one verify(), against the Open Badges fixtures and against documents of our own that were tampered with.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail by panic, measures time and reads the environment"
)]

mod carrier_support;
mod doc_support;

use std::collections::HashMap;

use doc_support::{TestKey, json, vectors};
use proof::credential::{
    Achievement, Badge, Criteria, Identity, Issuer, Recipient, ResultDescription, ResultLine,
};
use proof::did;
use proof::integrity::{self, ProofOptions};
use proof::ld::{self, Contexts, Options};
use proof::status::{self, BitString, Entry, ListDescription};
use proof::verify::{
    Answer, Carrier, Code, Context, Format, Gathered, KnownHolder, Lang, NoNetwork, Outcome, Report,
    Resolver, Result as Outcome1, StatusState, TrustList, TrustedIssuer, Want, verify,
};
use serde_json::{Value, json};

const NOW: i64 = 1_795_000_000; // 18 November 2026
const LIST: &str = "https://uni.example/status/k3v9";

/// Key documents and lists for tests.
#[derive(Default)]
struct Stub {
    keys: HashMap<String, Vec<String>>,
    lists: HashMap<String, Answer>,
}

impl Stub {
    /// Lists the keys that the proofs of a document name in the fragment, under the address before it.
    fn keys_of(mut self, document: &Value) -> Self {
        let single = std::slice::from_ref(&document["proof"]);
        for proof in document["proof"].as_array().map_or(single, Vec::as_slice) {
            let method = proof["verificationMethod"].as_str().unwrap_or_default();
            if let Some((address, key)) = method.split_once('#') {
                self.keys.entry(address.to_owned()).or_default().push(key.to_owned());
            }
        }
        self
    }

    fn list(mut self, address: &str, list: &Value) -> Self {
        let bytes = list.to_string().into_bytes();
        self.lists.insert(address.to_owned(), Answer::Found { bytes, age: 5 });
        self
    }
}

impl Resolver for Stub {
    fn key_document(&self, address: &str) -> Answer {
        let Some(keys) = self.keys.get(address) else { return Answer::NotFound };
        let methods: Vec<Value> = keys
            .iter()
            .map(|key| json!({"id": format!("{address}#{key}"), "type": "Multikey", "controller": address, "publicKeyMultibase": key}))
            .collect();
        let ids: Vec<String> = keys.iter().map(|key| format!("{address}#{key}")).collect();
        let document = json!({"id": address, "verificationMethod": methods, "assertionMethod": ids});
        Answer::Found { bytes: document.to_string().into_bytes(), age: 0 }
    }

    fn status_list(&self, address: &str) -> Answer {
        self.lists.get(address).cloned().unwrap_or(Answer::Unreachable)
    }
}

fn check(input: &[u8], resolver: &dyn Resolver) -> Report {
    verify(input, &Context::new(NOW, resolver, &TrustList::default()))
}

fn fixture(name: &str) -> Option<(Vec<u8>, Value)> {
    let folder = vectors("ob3/fixtures")?;
    Some((std::fs::read(folder.join(name)).unwrap(), json(folder.join(name))))
}

fn judge_fixture(name: &str) -> Option<Report> {
    let (bytes, document) = fixture(name)?;
    let mut stub = Stub::default().keys_of(&document);
    if name.starts_with("bit-string-list") {
        let list = fixture("bit-string-list/testlist.json")?.1;
        stub = stub.keys_of(&list);
        let address = document["credentialStatus"]["statusListCredential"].as_str().unwrap();
        stub = stub.list(address, &list);
    }
    if name == "credential-status-revoked.json" {
        let address = document["credentialStatus"]["id"].as_str().unwrap();
        let list = json!({"id": address, "issuer": document["issuer"]["id"],
            "revokedCredential": [{"id": document["id"], "revoked": true}]});
        stub = stub.list(address, &list);
    }
    Some(check(&bytes, &stub))
}

#[test]
fn every_open_badges_fixture_comes_out_as_its_read_me_says() {
    let expectations: [(&str, Outcome, &[Code]); 18] = [
        ("simple.json", Outcome::Valid, &[]),
        ("simple-context-alias.json", Outcome::Valid, &[]),
        ("simple-did-key-method.json", Outcome::Valid, &[]),
        ("simple-eddsa-2022.json", Outcome::Valid, &[]),
        ("endorsement-valid.json", Outcome::Valid, &[]),
        ("simple-multiple-proofs.json", Outcome::Invalid, &[Code::ShapeUndefinedTerm]),
        ("simple-err-proof-value.json", Outcome::Invalid, &[Code::ProofValue]),
        ("simple-err-proof-method-no-scheme.json", Outcome::Invalid, &[Code::KeyUnresolved]),
        ("simple-err-proof-method-unknown-scheme.json", Outcome::Invalid, &[Code::KeyUnresolved]),
        ("simple-err-expired.json", Outcome::Invalid, &[Code::TimeExpired]),
        ("simple-err-issuer-type.json", Outcome::Invalid, &[Code::ShapeIssuer, Code::ShapeUndefinedTerm]),
        (
            "simple-err-issuer-otheridentifier-type.json",
            Outcome::Invalid,
            &[Code::ShapeIssuer, Code::ShapeUndefinedTerm],
        ),
        (
            "simple-err-credential-subject-type.json",
            Outcome::Invalid,
            &[Code::ShapeSubject, Code::ShapeUndefinedTerm],
        ),
        (
            "simple-err-credential-subject-profile-type.json",
            Outcome::Invalid,
            &[Code::ShapeSubject, Code::ShapeUndefinedTerm],
        ),
        (
            "simple-err-credential-subject-achievement-result-description-type.json",
            Outcome::Invalid,
            &[Code::ShapeSubject, Code::ShapeUndefinedTerm],
        ),
        ("credential-status-revoked.json", Outcome::Invalid, &[Code::StatusRevoked]),
        (
            "bit-string-list/credential-status-revoked-blank-nodes.json",
            Outcome::Invalid,
            &[Code::StatusRevoked],
        ),
        ("complete.json", Outcome::Invalid, &[]),
    ];
    let mut wrong = Vec::new();
    for (name, outcome, codes) in expectations {
        let Some(report) = judge_fixture(name) else { return };
        let failures = report.failures();
        let named = codes.iter().all(|code| failures.contains(code));
        println!("{name}: {:?}", report.outcome);
        for check in &report.checks {
            println!("    {} {:?} {:?} {:?}", check.code, check.result, check.field, check.args);
        }
        if report.outcome != outcome || !named {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A diploma as we issue it, unsigned.
fn diploma() -> Badge {
    let base = "https://uni.example";
    Badge {
        id: "urn:uuid:0f2c3a52-6a5b-4a86-8b2c-9d1f6f1f0001".into(),
        name: "Licenciatura em Engenharia Informática".into(),
        issuer: Issuer {
            id: "did:web:uni.example".into(),
            name: "Universidade Exemplo".into(),
            url: Some(base.into()),
            ..Issuer::default()
        },
        valid_from: "2026-07-20T00:00:00Z".into(),
        awarded_date: Some("2026-07-18T00:00:00Z".into()),
        recipient: Recipient {
            id: Some("urn:uuid:7a0c3a52-6a5b-4a86-8b2c-9d1f6f1f0002".into()),
            name: Some("Inês \"Nini\" de Sá".into()),
            identities: vec![Identity::Hashed {
                kind: "emailAddress".into(),
                value: " Ines@Uni.example ".into(),
                salt: "5a1f00c0ffee5a1f00c0ffee5a1f00c0".into(),
            }],
        },
        achievement: Achievement {
            id: format!("{base}/achievements/lei"),
            name: "Licenciatura em Engenharia Informática".into(),
            description: "Primeiro ciclo, 180 ECTS".into(),
            criteria: Criteria {
                id: Some(format!("{base}/achievements/lei#criteria")),
                narrative: Some("Aprovação em todas as unidades curriculares.".into()),
            },
            achievement_type: Some("BachelorDegree".into()),
            field_of_study: Some("Engenharia Informática".into()),
            credits_available: Some(180.0),
            result_descriptions: vec![ResultDescription {
                id: format!("{base}/achievements/lei#final"),
                name: "Classificação final".into(),
                result_type: "RawScore".into(),
                value_min: Some("0".into()),
                value_max: Some("20".into()),
                ..ResultDescription::default()
            }],
            ..Achievement::default()
        },
        results: vec![ResultLine {
            description: Some(format!("{base}/achievements/lei#final")),
            value: Some("17".into()),
            status: None,
        }],
        status: Some(Entry {
            list: LIST.into(),
            index: 94_567,
            purpose: "revocation".into(),
            index_was_number: false,
        }),
        ..Badge::default()
    }
}

fn key() -> TestKey {
    TestKey::from_seed(&[7; 32])
}

fn sign_as(document: &Value, key: &TestKey, issuer: &str) -> Value {
    let method = format!("{issuer}#{}", key.public().to_multikey());
    let options = ProofOptions::assertion(method, "2026-07-20T09:00:00Z");
    let prepared = integrity::prepare(document, &options).unwrap();
    let signature = key.sign(&prepared.hash_data);
    integrity::finish(document, prepared, &signature)
}

fn signed(badge: &Badge) -> Value {
    sign_as(&badge.to_json().unwrap(), &key(), "did:web:uni.example")
}

fn list_with(indices: &[u64], change: impl FnOnce(&mut ListDescription)) -> Value {
    let mut bits = BitString::new(0).unwrap();
    for index in indices {
        bits.set(*index, true).unwrap();
    }
    let mut description = ListDescription {
        address: LIST.into(),
        issuer: "did:web:uni.example".into(),
        purpose: "revocation".into(),
        valid_from: "2026-07-01T00:00:00Z".into(),
        valid_until: None,
        ttl_ms: Some(300_000),
    };
    change(&mut description);
    let issuer = description.issuer.clone();
    sign_as(&status::build_list(&description, &bits).unwrap(), &key(), &issuer)
}

fn house() -> Stub {
    let mut stub = Stub::default();
    let own = key().public().to_multikey();
    stub.keys.insert("did:web:uni.example".into(), vec![own.clone()]);
    stub.keys.insert("did:web:other.example".into(), vec![own]);
    stub.list(LIST, &list_with(&[3], |_| {}))
}

fn trust() -> TrustList {
    TrustList::new([TrustedIssuer {
        id: "did:web:uni.example".into(),
        name: "Universidade Exemplo, E. P.".into(),
        credential_types: Vec::new(),
    }])
}

fn verify_ours(document: &Value, resolver: &dyn Resolver) -> Report {
    verify(document.to_string().as_bytes(), &Context::new(NOW, resolver, &trust()))
}

#[test]
fn our_diploma_is_valid_trusted_and_shows_every_field_as_signed() {
    let report = verify_ours(&signed(&diploma()), &house());
    assert_eq!(report.outcome, Outcome::Valid, "{:#?}", report.checks);
    assert!(report.valid && report.trusted());
    assert_eq!(report.format, Some(Format::OpenBadge3));
    assert!(report.with(Outcome1::Warn).is_empty(), "{:#?}", report.checks);
    let passed = report.with(Outcome1::Pass);
    for code in [
        Code::FormatUnknown,
        Code::ParseJson,
        Code::ShapeType,
        Code::ProofValue,
        Code::KeyWrongController,
        Code::IssuerUntrusted,
        Code::StatusRevoked,
        Code::TimeExpired,
    ] {
        assert!(passed.contains(&code), "{code}");
    }
    let issuer = report.issuer.as_ref().unwrap();
    assert_eq!(issuer.name.as_deref(), Some("Universidade Exemplo, E. P."));
    assert_eq!(issuer.claimed_name.as_deref(), Some("Universidade Exemplo"));
    assert_eq!(report.subject.as_ref().unwrap().name.as_deref(), Some("Inês \"Nini\" de Sá"));
    assert_eq!((report.status.state, report.status.index), (StatusState::Active, Some(94_567)));
    for (label, value) in [
        ("recipient.name", "Inês \"Nini\" de Sá"),
        ("achievement.name", "Licenciatura em Engenharia Informática"),
        ("achievement.fieldOfStudy", "Engenharia Informática"),
        ("result.value", "17"),
        ("validFrom", "2026-07-20T00:00:00Z"),
        ("issuer.name", "Universidade Exemplo"),
    ] {
        let field = report.fields.iter().find(|field| field.label == label).unwrap();
        assert_eq!(field.value, value);
        let document = report.credential.as_ref().unwrap();
        assert_eq!(document.pointer(&field.pointer), Some(&field.value));
    }
    assert!(!signed(&diploma()).to_string().to_lowercase().contains("ines@"));
}

#[test]
fn a_report_reads_in_both_languages() {
    let report = verify_ours(&signed(&diploma()), &house());
    let pt = report.to_json(Lang::Pt);
    assert_eq!(pt["outcome"], "valid");
    assert_eq!(pt["trusted"], true);
    assert_eq!(serde_json::to_value(report.view(Lang::En)).unwrap()["valid"], true);
    for check in pt["checks"].as_array().unwrap() {
        let members: Vec<_> = check.as_object().unwrap().keys().map(String::as_str).collect();
        for name in ["code", "result", "reason", "remedy", "field"] {
            assert!(members.contains(&name), "{check}");
        }
    }
}

/// A small generator, so that the changes are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

#[test]
fn a_thousand_single_byte_changes_are_all_refused_by_a_named_check() {
    let text = signed(&diploma()).to_string().into_bytes();
    let house = house();
    assert!(verify_ours(&serde_json::from_slice(&text).unwrap(), &house).valid);
    let mut random = Random(0x5e10);
    let trust = trust();
    let context = Context::new(NOW, &house, &trust);
    let mut reasons: HashMap<Code, usize> = HashMap::new();
    let mut changed = 0;
    while changed < 1_000 {
        let at = random.below(text.len());
        let byte = b' ' + u8::try_from(random.below(95)).unwrap();
        if text[at] == byte {
            continue;
        }
        let mut altered = text.clone();
        altered[at] = byte;
        // A change that leaves the same value (white space, say) is no change of the document.
        let same = serde_json::from_slice::<Value>(&altered).ok() == serde_json::from_slice(&text).ok();
        if same {
            continue;
        }
        changed += 1;
        let report = verify(&altered, &context);
        assert!(!report.valid, "byte {at} became {byte}: {}", String::from_utf8_lossy(&altered));
        let first =
            report.checks.iter().find(|check| matches!(check.result, Outcome1::Fail | Outcome1::Unknown));
        let first = first.expect("a named check");
        assert!(first.reason(Lang::Pt).len() > 10 && first.remedy(Lang::En).len() > 10);
        *reasons.entry(first.code).or_default() += 1;
    }
    println!("{reasons:?}");
    assert!(reasons.len() >= 4, "{reasons:?}");
}

#[test]
fn every_signed_field_is_covered_one_by_one() {
    let document = signed(&diploma());
    let house = house();
    let report = verify_ours(&document, &house);
    for field in &report.fields {
        let mut altered = document.clone();
        let value = altered.pointer_mut(&field.pointer).unwrap();
        *value = match &field.value {
            Value::String(text) => Value::String(format!("{text}x")),
            Value::Bool(flag) => Value::Bool(!flag),
            Value::Number(_) => json!(181),
            other => panic!("{other}"),
        };
        assert!(!verify_ours(&altered, &house).valid, "{}", field.pointer);
    }
    assert!(report.fields.len() > 30, "{}", report.fields.len());
}

fn altered(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = signed(&diploma());
    change(&mut document);
    document
}

fn re_signed(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = diploma().to_json().unwrap();
    change(&mut document);
    sign_as(&document, &key(), "did:web:uni.example")
}

#[test]
fn each_kind_of_trouble_has_its_code() {
    let house = house();
    let outcome = |document: &Value| verify_ours(document, &house);

    let report = outcome(&altered(|d| d["@context"][1] = json!("https://unknown.example/context")));
    assert_eq!(report.check(Code::ShapeContextUnknown).unwrap().field.as_deref(), Some("/@context/1"));

    let report = outcome(&altered(|d| d["credentialSubject"]["nickname"] = json!("Nini")));
    let found = report.check(Code::ShapeUndefinedTerm).unwrap();
    assert_eq!(found.field.as_deref(), Some("/credentialSubject/nickname"));
    assert_eq!(report.status.state, StatusState::NotChecked);

    let report = outcome(&altered(|d| {
        d.as_object_mut().unwrap().remove("proof");
    }));
    assert_eq!(report.failures(), [Code::ProofMissing]);

    let report = outcome(&re_signed(|d| d["validUntil"] = json!("2026-08-01T00:00:00Z")));
    assert_eq!(report.failures(), [Code::TimeExpired]);
    assert_eq!(report.check(Code::StatusRevoked).unwrap().result, Outcome1::Skipped);

    let report = outcome(&re_signed(|d| d["validFrom"] = json!("2027-01-01T00:00:00Z")));
    assert_eq!(report.failures(), [Code::TimeNotYet]);

    let report = outcome(&altered(|d| d["proof"]["proofPurpose"] = json!("authentication")));
    assert!(report.failures().contains(&Code::ProofPurpose));

    let report = outcome(&altered(|d| d["proof"]["cryptosuite"] = json!("bbs-2023")));
    assert!(report.failures().contains(&Code::ProofSuiteUnknown));

    let report = outcome(&altered(|d| d["proof"]["created"] = json!("2030-01-01T00:00:00Z")));
    assert!(report.failures().contains(&Code::ProofCreatedFuture));

    let report = outcome(&altered(|d| d["proof"]["previousProof"] = json!("urn:uuid:1")));
    assert!(report.failures().contains(&Code::ProofChain));

    let report = outcome(&altered(|d| d["proof"] = json!("none")));
    assert!(report.failures().contains(&Code::ShapeType));

    let report = outcome(&altered(|d| d["name"] = json!(null)));
    assert!(!report.valid);
}

#[test]
fn a_stranger_is_valid_but_not_trusted_unless_trust_is_required() {
    let badge = Badge {
        issuer: Issuer {
            id: did::did_key(&key().public()),
            name: "Universidade Exemplo".into(),
            ..Issuer::default()
        },
        status: None,
        ..diploma()
    };
    let document = badge.to_json().unwrap();
    let options = ProofOptions::assertion(did::did_key_method(&key().public()), "2026-07-20T09:00:00Z");
    let prepared = integrity::prepare(&document, &options).unwrap();
    let signature = key().sign(&prepared.hash_data);
    let document = integrity::finish(&document, prepared, &signature);
    let report = verify_ours(&document, &NoNetwork);
    assert_eq!(report.outcome, Outcome::Valid);
    assert!(!report.trusted());
    assert_eq!(report.issuer.as_ref().unwrap().name, None);
    assert_eq!(report.with(Outcome1::Warn), [Code::IssuerUntrusted, Code::StatusMissing]);
    let (text, trust) = (document.to_string(), trust());
    let strict = Context { require_trust: true, ..Context::new(NOW, &NoNetwork, &trust) };
    assert_eq!(verify(text.as_bytes(), &strict).failures(), [Code::IssuerUntrusted]);
}

#[test]
fn a_key_of_somebody_else_does_not_make_the_issuer_the_issuer() {
    // the other house signs, but writes our name
    let document = sign_as(&diploma().to_json().unwrap(), &key(), "did:web:other.example");
    let report = verify_ours(&document, &house());
    assert_eq!(report.failures(), [Code::KeyWrongController]);
    assert!(!report.trusted());
    assert_eq!(report.issuer.as_ref().unwrap().name, None);
}

/// Statements stay the same when a document is rewritten under other names or nested otherwise, so a signature over
/// statements still holds. None of that may hide a part from those who read the JSON.
#[test]
fn a_document_rewritten_to_the_same_statements_cannot_hide_its_end_or_its_status() {
    let mut badge = diploma();
    badge.valid_until = Some("2026-08-01T00:00:00Z".into());
    let expired = signed(&badge);
    let withdrawn = signed(&diploma());
    let house = house().list(LIST, &list_with(&[94_567], |_| {}));
    let cred = "https://www.w3.org/2018/credentials#";
    let date = "http://www.w3.org/2001/XMLSchema#dateTime";
    let moved = |document: &Value, name: &str, put: &dyn Fn(&mut Value, Value)| {
        let mut document = document.clone();
        let value = document.as_object_mut().unwrap().remove(name).unwrap();
        put(&mut document, value);
        document
    };
    let inline = |document: &mut Value, context: Value| {
        document["@context"].as_array_mut().unwrap().push(context);
    };
    let rewritten: Vec<(&str, Value)> = vec![
        (
            "full address",
            moved(&expired, "validUntil", &|d, v| {
                d[format!("{cred}validUntil")] = json!({"@value": v, "@type": date});
            }),
        ),
        (
            "inline term",
            moved(&expired, "validUntil", &|d, v| {
                inline(d, json!({"until": {"@id": format!("{cred}validUntil"), "@type": date}}));
                d["until"] = v;
            }),
        ),
        (
            "inline prefix",
            moved(&expired, "validUntil", &|d, v| {
                inline(d, json!({"c": {"@id": cred, "@prefix": true}}));
                d["c:validUntil"] = json!({"@value": v, "@type": date});
            }),
        ),
        (
            "status under its address",
            moved(&withdrawn, "credentialStatus", &|d, v| {
                d[format!("{cred}credentialStatus")] = v;
            }),
        ),
        (
            "status under an inline term",
            moved(&withdrawn, "credentialStatus", &|d, v| {
                inline(d, json!({"s": {"@id": format!("{cred}credentialStatus"), "@type": "@id"}}));
                d["s"] = v;
            }),
        ),
        (
            "status in an included node",
            moved(&withdrawn, "credentialStatus", &|d, v| {
                d["@included"] =
                    json!([{"id": d["id"], "type": ["VerifiableCredential"], "credentialStatus": v}]);
            }),
        ),
        (
            "status behind a reverse",
            moved(&withdrawn, "credentialStatus", &|d, v| {
                let node = json!({"id": d["id"], "type": ["VerifiableCredential"], "credentialStatus": v});
                d["credentialSubject"]["@reverse"] = json!({format!("{cred}credentialSubject"): node});
            }),
        ),
        (
            "status behind an inline reverse",
            moved(&withdrawn, "credentialStatus", &|d, v| {
                inline(d, json!({"of": {"@reverse": format!("{cred}credentialSubject")}}));
                let node = json!({"id": d["id"], "type": ["VerifiableCredential"], "credentialStatus": v});
                d["credentialSubject"]["of"] = node;
            }),
        ),
        (
            "status in a nest",
            moved(&withdrawn, "credentialStatus", &|d, v| {
                inline(d, json!({"n": "@nest"}));
                d["n"] = json!({"credentialStatus": v});
            }),
        ),
        ("type by its address", {
            let mut d = withdrawn.clone();
            d["type"][1] = json!("https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential");
            d
        }),
        ("keyword instead of term", moved(&withdrawn, "id", &|d, v| d["@id"] = v)),
    ];
    let statements = |document: &Value| {
        let options = Options { inline_contexts: true, lenient: true, base: None };
        let mut bare = document.clone();
        bare.as_object_mut().unwrap().remove("proof");
        ld::canonical_document(&bare, Contexts::bundled(), &options).unwrap()
    };
    let originals = [statements(&expired), statements(&withdrawn)];
    for (name, document) in rewritten {
        assert!(originals.contains(&statements(&document)), "{name} is no such rewriting");
        let report = verify_ours(&document, &house);
        let failures = report.failures();
        assert_eq!(report.outcome, Outcome::Invalid, "{name}");
        assert!(failures.contains(&Code::ShapeContext), "{name}: {failures:?}");
        assert!(!report.trusted(), "{name}");
    }
}

#[test]
fn a_key_document_speaks_only_for_its_own_address() {
    struct Evil;
    impl Resolver for Evil {
        fn key_document(&self, address: &str) -> Answer {
            // somebody's key, claiming to be controlled by the university
            let key = json!({"id": format!("{address}#k"), "type": "Multikey", "controller": "did:web:uni.example",
                "publicKeyMultibase": key().public().to_multikey()});
            Answer::Found { bytes: key.to_string().into_bytes(), age: 0 }
        }
        fn status_list(&self, _address: &str) -> Answer {
            Answer::Unreachable
        }
    }
    let badge = Badge { status: None, ..diploma() };
    let document = badge.to_json().unwrap();
    let options = ProofOptions::assertion("https://evil.example/key#k", "2026-07-20T09:00:00Z");
    let prepared = integrity::prepare(&document, &options).unwrap();
    let signature = key().sign(&prepared.hash_data);
    let report = verify_ours(&integrity::finish(&document, prepared, &signature), &Evil);
    assert_eq!(report.failures(), [Code::KeyWrongController]);
    assert!(!report.trusted());
}

#[test]
fn trust_may_be_limited_to_kinds_of_credentials() {
    let limited = TrustList::new([TrustedIssuer {
        id: "did:web:uni.example".into(),
        name: "U".into(),
        credential_types: vec!["EndorsementCredential".into()],
    }]);
    let (house, text) = (house(), signed(&diploma()).to_string());
    let report = verify(text.as_bytes(), &Context::new(NOW, &house, &limited));
    assert_eq!(report.with(Outcome1::Warn), [Code::IssuerTypeNotAllowed]);
    assert!(report.valid && !report.trusted());
}

#[test]
fn the_status_list_must_be_the_issuers_own_and_in_order() {
    let document = signed(&diploma());
    let with = |list: Value| verify_ours(&document, &house().list(LIST, &list));

    let report = with(list_with(&[94_567], |_| {}));
    assert_eq!((report.failures(), report.status.state), (vec![Code::StatusRevoked], StatusState::Revoked));

    let report = with(list_with(&[], |d| d.purpose = "suspension".into()));
    assert_eq!(report.failures(), [Code::StatusPurpose]);

    let report = with(list_with(&[], |d| d.issuer = "did:web:other.example".into()));
    assert_eq!(report.failures(), [Code::StatusListInvalid]);

    let report = with(list_with(&[], |d| d.valid_until = Some("2026-08-01T00:00:00Z".into())));
    assert_eq!(report.failures(), [Code::StatusListInvalid]);

    let report = with(list_with(&[], |d| d.address = "https://uni.example/status/other".into()));
    assert_eq!(report.failures(), [Code::StatusListInvalid]);

    let mut forged = list_with(&[94_567], |_| {});
    forged["credentialSubject"]["encodedList"] = json!(BitString::new(0).unwrap().encode().unwrap());
    assert_eq!(with(forged).failures(), [Code::StatusListInvalid]);

    let far = Badge {
        status: Some(Entry {
            list: LIST.into(),
            index: 10_000_000,
            purpose: "revocation".into(),
            index_was_number: false,
        }),
        ..diploma()
    };
    assert_eq!(verify_ours(&signed(&far), &house()).failures(), [Code::StatusIndexRange]);
}

#[test]
fn what_cannot_be_asked_is_unknown_and_never_green() {
    let document = signed(&diploma());
    let mut silent = house();
    silent.lists.clear();
    let report = verify_ours(&document, &silent);
    assert_eq!((report.outcome, report.valid), (Outcome::Unknown, false));
    assert_eq!(report.with(Outcome1::Unknown), [Code::StatusUnreachable]);

    let report = verify_ours(&document, &NoNetwork);
    assert_eq!(report.outcome, Outcome::Unknown);
    assert!(report.with(Outcome1::Unknown).contains(&Code::KeyUnresolved));
    assert!(report.fields.is_empty(), "unproven fields are not shown as signed");
}

#[test]
fn an_old_answer_is_said_to_be_old() {
    let mut stub = house();
    let bytes = list_with(&[], |_| {}).to_string().into_bytes();
    stub.lists.insert(LIST.into(), Answer::Found { bytes, age: 8 * 24 * 3600 });
    let report = verify_ours(&signed(&diploma()), &stub);
    assert_eq!(report.with(Outcome1::Warn), [Code::StatusStale]);
}

#[test]
fn no_status_is_asked_for_an_unproven_document() {
    struct Watch(Stub, std::cell::Cell<usize>);
    impl Resolver for Watch {
        fn key_document(&self, address: &str) -> Answer {
            self.0.key_document(address)
        }
        fn status_list(&self, address: &str) -> Answer {
            self.1.set(self.1.get() + 1);
            self.0.status_list(address)
        }
    }
    let watch = Watch(house(), std::cell::Cell::new(0));
    verify_ours(&altered(|d| d["name"] = json!("Doutoramento")), &watch);
    assert_eq!(watch.1.get(), 0);
    verify_ours(&signed(&diploma()), &watch);
    assert_eq!(watch.1.get(), 1);
}

#[test]
fn a_caller_that_fetches_later_is_told_what_to_fetch() {
    let document = signed(&diploma());
    let stub = house();
    let mut gathered = Gathered::new();
    let mut rounds = 0;
    let report = loop {
        let report = verify_ours(&document, &gathered);
        let missing = gathered.take_missing();
        if missing.is_empty() {
            break report;
        }
        for want in missing {
            let answer = match &want {
                Want::KeyDocument(address) => stub.key_document(address),
                Want::StatusList(address) => stub.status_list(address),
            };
            gathered.insert(want, answer);
        }
        rounds += 1;
        assert!(rounds < 5);
    };
    assert!(report.valid);
    assert_eq!(rounds, 2);
}

#[test]
fn the_holder_can_be_compared_with_an_address_known_beforehand() {
    let (document, house, trust) = (signed(&diploma()).to_string(), house(), trust());
    for (value, same) in [("ines@uni.example", true), ("INES@uni.example ", true), ("rui@uni.example", false)]
    {
        let known = KnownHolder { kind: "emailAddress".into(), value: value.into() };
        let context = Context { holder: Some(&known), ..Context::new(NOW, &house, &trust) };
        let report = verify(document.as_bytes(), &context);
        assert_eq!(report.valid, same, "{value}");
    }
}

#[test]
fn hostile_files_are_refused_at_the_door() {
    let refused = |input: &[u8]| check(input, &NoNetwork).failures();
    let text = signed(&diploma()).to_string();
    assert_eq!(refused(b""), [Code::FormatUnknown]);
    assert_eq!(refused(b"hello"), [Code::FormatUnknown]);
    assert_eq!(refused(b"{}"), [Code::FormatUnknown]);
    assert_eq!(refused(b"[1]"), [Code::FormatUnknown]);
    assert_eq!(refused(&text.as_bytes()[..text.len() - 1]), [Code::ParseJson]);
    assert_eq!(refused(&vec![b'{'; 20_000_000]), [Code::FormatTooLarge]);
    assert_eq!(refused(format!("{{\"a\":\"{}\"}}", "x".repeat(300_000)).as_bytes()), [Code::FormatTooLarge]);
    let twice = text.replacen("{\"@context\"", "{\"name\":\"Outro\",\"@context\"", 1);
    assert_eq!(refused(twice.as_bytes()), [Code::ParseDuplicateKey]);
    let deep = format!("{{\"type\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(refused(deep.as_bytes()), [Code::ParseJson]);
}

/// One grey pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
    \0\0\0\nIDAT\x78\x9c\x63\x68\0\0\0\x82\0\x81\x77\xcd\x72\xb6\0\0\0\0IEND\xae\x42\x60\x82";

#[test]
fn a_credential_inside_a_png_svg_or_pdf_is_judged_like_its_json() {
    let text = signed(&diploma()).to_string();
    let (house, trust) = (house(), trust());
    let context = Context::new(NOW, &house, &trust);
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>"#;
    let carriers = |text: &str| {
        [
            (Carrier::Png, proof::bake::png_bake(PNG, text.as_bytes()).unwrap()),
            (Carrier::Svg, proof::bake::svg_bake(svg, text.as_bytes()).unwrap()),
            (
                Carrier::Pdf,
                carrier_support::with_attachment(
                    "credential.json",
                    carrier_support::stream("", text.as_bytes()),
                ),
            ),
        ]
    };
    for (carrier, file) in carriers(&text) {
        let report = verify(&file, &context);
        assert!(report.valid, "{carrier:?}: {:#?}", report.checks);
        assert_eq!(report.carrier, Some(carrier));
    }
    for (carrier, file) in carriers(&text.replace("\"17\"", "\"19\"")) {
        assert_eq!(verify(&file, &context).failures(), [Code::ProofValue], "{carrier:?}");
    }
    for (empty, code) in [
        (PNG, Code::FormatUnknown),
        (&svg[..], Code::FormatUnknown),
        (&b"%PDF-1.7 nothing"[..], Code::ParsePdf),
    ] {
        assert_eq!(verify(empty, &context).failures(), [code]);
    }
}

#[test]
fn the_builder_refuses_what_the_verifier_would_refuse() {
    let broken = [
        Badge { id: "not an address".into(), ..diploma() },
        Badge { valid_from: "2026-07-20".into(), ..diploma() },
        Badge { valid_until: Some("2020-01-01T00:00:00Z".into()), ..diploma() },
        Badge { recipient: Recipient::default(), ..diploma() },
        Badge {
            achievement: Achievement { achievement_type: Some("Trophy".into()), ..diploma().achievement },
            ..diploma()
        },
        Badge { issuer: Issuer { id: "uni".into(), ..diploma().issuer }, ..diploma() },
    ];
    for badge in broken {
        let breaches = badge.to_json().unwrap_err();
        assert!(!breaches.is_empty());
        for breach in breaches {
            assert!(breach.pointer.starts_with('/'), "{breach:?}");
        }
    }
    assert!(Badge { with_schema: true, ..diploma() }.to_json().is_ok());
    let with_schema = signed(&Badge { with_schema: true, ..diploma() });
    assert!(verify_ours(&with_schema, &house()).valid);
}
