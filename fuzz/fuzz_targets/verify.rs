//! The one `verify()`: whatever the bytes are, nothing is valid, trusted or shown as signed but what our key signed.
//!
//! The keys of the papers stand in this program alone, so a fuzzer cannot sign. An input is a file as it is handed in, or
//! `edit N` and lines `POINTER JSON`: changes of the paper N, which get deeper than changed bytes do.
#![no_main]

use std::sync::LazyLock;

use fuzz::{carriers, papers};
use proof::ld::{self, Contexts};
use proof::verify::{Answer, Context, Lang, Report, Resolver, TrustList, TrustedIssuer, verify};
use proof::{bake, canon};
use serde_json::{Value, json};

/// What our key signed, as documents, as statements (RDFC suites) and as texts (JCS).
struct Signed {
    documents: Vec<Value>,
    meanings: Vec<Option<String>>,
    texts: Vec<String>,
    trust: TrustList,
    outside: Outside,
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let documents = papers::signed();
    let issuers = documents.iter().map(|document| {
        let issuer = &document["issuer"];
        let id = issuer.as_str().or(issuer["id"].as_str()).unwrap_or_default().to_owned();
        TrustedIssuer { id, name: "Universidade Exemplo, E. P.".into(), credential_types: Vec::new() }
    });
    Signed {
        meanings: documents.iter().map(meaning).collect(),
        texts: documents.iter().map(text).collect(),
        trust: TrustList::new(issuers),
        outside: Outside {
            key: papers::key_document().to_string().into_bytes(),
            list: papers::status_list().to_string().into_bytes(),
        },
        documents,
    }
});

/// What the world answers: the issuer's keys and its list.
struct Outside {
    key: Vec<u8>,
    list: Vec<u8>,
}

impl Resolver for Outside {
    fn key_document(&self, address: &str) -> Answer {
        match address {
            papers::DID_WEB => Answer::Found { bytes: self.key.clone(), age: 0 },
            _ => Answer::NotFound,
        }
    }

    fn status_list(&self, address: &str) -> Answer {
        match address {
            papers::LIST => Answer::Found { bytes: self.list.clone(), age: 5 },
            _ => Answer::Unreachable,
        }
    }
}

fn bare(document: &Value) -> Value {
    let mut bare = document.clone();
    if let Some(members) = bare.as_object_mut() {
        members.remove("proof");
    }
    bare
}

/// What a document states, whatever its form.
fn meaning(document: &Value) -> Option<String> {
    let options = ld::Options { inline_contexts: true, ..ld::Options::default() };
    ld::canonical_document(&bare(document), Contexts::bundled(), &options).ok()
}

/// A document's members. JCS covers the contexts through the proof, which may name fewer than the document does.
fn text(document: &Value) -> String {
    let mut bare = bare(document);
    bare["@context"].take();
    canon::canonicalize(&bare).unwrap_or_default()
}

fn seeds() -> Vec<Vec<u8>> {
    let papers = &SIGNED.documents;
    let mut seeds: Vec<Vec<u8>> = papers.iter().map(|paper| paper.to_string().into_bytes()).collect();
    let valid: Vec<bool> = seeds.iter().map(|seed| judge(seed).valid).collect();
    assert_eq!(valid, [true, true, true, false, true], "papers hold, but for the revoked one");
    let first = seeds[0].clone();
    seeds.push(bake::png_bake(&carriers::png(&[]), &first).expect("a paper fits into a picture"));
    seeds.push(bake::svg_bake(carriers::SVG, &first).expect("a paper fits into a picture"));
    seeds.push(carriers::pdf(&first));
    seeds.push(carriers::packed_pdf(&first));
    seeds.extend(fuzz::texts(&[
        "edit 0\n/name \"another\"\n/proof/created \"2026-07-21T00:00:00Z\"",
        "edit 0\n/credentialSubject/identifier/0/identityHash [\"a\",\"b\"]",
        "edit 1\n/@context/2 {\"name\":\"https://schema.org/nickname\"}",
        "edit 2\n/credentialStatus/statusListIndex \"4\"\n/issuer \"did:web:uni.example\"",
        "edit 3\n/proof [{\"type\":\"DataIntegrityProof\"}]\n/validUntil {\"@value\":\"2027\"}",
        "edit 0\n/issuer/id \"urn:x\"\n/proof/previousProof \"urn:y\"\n/credentialSubject [{}]",
    ]));
    let heavy = json!({
        "@context": papers[0]["@context"],
        "type": ["VerifiableCredential"],
        "credentialSubject": vec![json!({"": 0}); 30_000],
        "proof": vec![papers[0]["proof"].clone(); 16],
    });
    seeds.push(heavy.to_string().into_bytes());
    seeds
}

/// Puts a value at a pointer, making the last step if it is not there.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.insert(last.replace("~1", "/").replace("~0", "~"), value);
        }
        Some(Value::Array(items)) => {
            match last.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                Some(item) => *item = value,
                None => items.push(value),
            }
        }
        _ => {}
    }
}

/// The paper that an input of edits describes.
fn edited(bytes: &[u8]) -> Option<Vec<u8>> {
    let (number, edits) = std::str::from_utf8(bytes).ok()?.strip_prefix("edit ")?.split_once('\n')?;
    let mut document = SIGNED.documents.get(number.parse::<usize>().ok()?)?.clone();
    for line in edits.lines() {
        let (pointer, value) = line.split_once(' ')?;
        put(&mut document, pointer, serde_json::from_str(value).ok()?);
    }
    Some(document.to_string().into_bytes())
}

fn judge(bytes: &[u8]) -> Report {
    verify(bytes, &Context::new(papers::NOW, &SIGNED.outside, &SIGNED.trust))
}

fn check(bytes: &[u8]) {
    let edited = edited(bytes);
    let report = judge(edited.as_deref().unwrap_or(bytes));
    for lang in [Lang::En, Lang::Pt] {
        assert!(!report.to_json(lang)["checks"].as_array().is_none_or(Vec::is_empty));
    }
    if !report.valid && !report.trusted() && report.fields.is_empty() {
        return;
    }
    let document = report.credential.as_ref().expect("what is valid was read");
    let meaning = meaning(document);
    let known =
        (meaning.is_some() && SIGNED.meanings.contains(&meaning)) || SIGNED.texts.contains(&text(document));
    assert!(known, "nobody signed this: {document}");
    let name = report.subject.and_then(|subject| subject.name);
    assert!(name.as_deref().is_none_or(|name| name == papers::NAME), "nobody signed this name: {name:?}");
}

fuzz::target!(seeds, check);
