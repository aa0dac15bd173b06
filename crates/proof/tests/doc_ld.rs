//! Our JSON-LD processing judged by somebody else's: the `json-ld` crate must give the same canonical form.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail by panic, measures time and reads the environment"
)]

mod doc_support;

use std::collections::HashMap;
use std::task::{Context as TaskContext, Poll, Waker};

use doc_support::{badge, contexts_with_examples, json, nquads, vectors};
use json_ld::rdf::RdfDirection;
use json_ld::rdf_types::RdfDisplay as _;
use json_ld::syntax::Parse as _;
use json_ld::{IriBuf, JsonLdProcessor as _, RemoteDocument};
use proof::ld::{self, BUNDLE, Contexts, LdErrorKind, Options};
use serde_json::{Value, json};

/// Runs a future that never waits.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the oracle waits for something"),
    }
}

fn remote(address: Option<&str>, text: &str) -> RemoteDocument {
    RemoteDocument::new(
        address.map(|address| IriBuf::new(address.to_owned()).unwrap()),
        Some("application/ld+json".parse().unwrap()),
        json_ld::syntax::Value::parse_str(text).unwrap().0,
    )
}

struct Oracle(HashMap<IriBuf, RemoteDocument>);

impl Oracle {
    fn new() -> Self {
        let mut known = HashMap::new();
        let mut add = |address: &str, text: &str| {
            known.insert(IriBuf::new(address.to_owned()).unwrap(), remote(Some(address), text));
        };
        for entry in BUNDLE {
            add(entry.address, std::str::from_utf8(entry.bytes).unwrap());
        }
        if let Some(folder) = vectors("contexts") {
            let text = doc_support::read(folder.join("credentials-examples-v2.jsonld"));
            add("https://www.w3.org/ns/credentials/examples/v2", &text);
        }
        Self(known)
    }

    fn canonical(&self, document: &Value) -> String {
        let mut generator = json_ld::rdf_types::generator::Blank::new_with_prefix("b".to_owned());
        let options = json_ld::Options {
            rdf_direction: Some(RdfDirection::I18nDatatype),
            ..json_ld::Options::default()
        };
        let document = remote(None, &document.to_string());
        let mut rdf = run(document.to_rdf_using(&mut generator, &self.0, options)).unwrap();
        let mut text = String::new();
        for quad in rdf.cloned_quads() {
            text.push_str(&format!("{} .\n", quad.rdf_display()));
        }
        ld::canonicalize(&nquads(&text).0).unwrap().text
    }
}

fn agree(oracle: &Oracle, document: &Value, contexts: &Contexts, name: &str) {
    let ours = ld::canonical_document(document, contexts, &Options::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(ours, oracle.canonical(document), "{name}");
    let dataset = ld::to_rdf(document, contexts, &Options::default()).unwrap();
    assert_eq!(Some(ours), doc_support::by_sophia(&dataset), "{name}");
}

fn bare_and_configs(document: &Value) -> Vec<Value> {
    let mut bare = document.clone();
    let proof = bare.as_object_mut().unwrap().remove("proof");
    let proofs = match proof {
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let mut all = vec![document.clone()];
    for mut config in proofs {
        config["@context"] = bare["@context"].clone();
        all.push(config);
    }
    all.push(bare);
    all
}

#[test]
fn the_oracle_agrees_on_every_open_badges_fixture() {
    let Some(folder) = vectors("ob3/fixtures") else { return };
    let oracle = Oracle::new();
    let mut compared = 0;
    for name in [
        "simple.json",
        "simple-context-alias.json",
        "simple-did-key-method.json",
        "simple-eddsa-2022.json",
        "simple-err-proof-value.json",
        "simple-err-expired.json",
        "complete.json",
        "endorsement-valid.json",
        "credential-status-revoked.json",
        "bit-string-list/credential-status-revoked-blank-nodes.json",
        "bit-string-list/testlist.json",
    ] {
        for part in bare_and_configs(&json(folder.join(name))) {
            agree(&oracle, &part, Contexts::bundled(), name);
            compared += 1;
        }
    }
    assert_eq!(compared, 33);
}

#[test]
fn the_oracle_agrees_on_the_eddsa_inputs() {
    let Some(folder) = vectors("vc-di-eddsa/TestVectors") else { return };
    let (oracle, contexts) = (Oracle::new(), contexts_with_examples());
    for name in [
        "unsigned.json",
        "eddsa-rdfc-2022/signedDataInt.json",
        "Ed25519Signature2020/signedEdSig.json",
        "proof-set-chain/signedProofSet2.json",
        "proof-set-chain/signedProofChain2.json",
    ] {
        for part in bare_and_configs(&json(folder.join(name))) {
            agree(&oracle, &part, &contexts, name);
        }
    }
}

#[test]
fn the_oracle_agrees_on_two_hundred_generated_badges() {
    let oracle = Oracle::new();
    for number in 0..200 {
        let document = badge(number).to_json().unwrap();
        agree(&oracle, &document, Contexts::bundled(), &format!("badge {number}"));
    }
}

fn with_inline(context: Value, rest: Value) -> Value {
    let mut document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", context],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential"],
        "issuer": "did:example:1",
    });
    document.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    document
}

#[test]
fn the_oracle_agrees_on_containers_and_scopes_of_inline_contexts() {
    let oracle = Oracle::new();
    let options = Options { inline_contexts: true, ..Options::default() };
    let base = "https://x.example/#";
    for (name, context, subject) in [
        (
            "list",
            json!({"p": {"@id": format!("{base}p"), "@container": "@list"}}),
            json!({"p": ["a", "b", 3, true, {"id": "urn:x"}]}),
        ),
        ("empty list", json!({"p": {"@id": format!("{base}p"), "@container": "@list"}}), json!({"p": []})),
        (
            "language map",
            json!({"p": {"@id": format!("{base}p"), "@container": "@language"}}),
            json!({"p": {"pt": "olá", "en": ["hello", "hi"]}}),
        ),
        (
            "index map",
            json!({"p": {"@id": format!("{base}p"), "@container": "@index"}}),
            json!({"p": {"a": "1", "b": {"id": "urn:b", "q:r": "x"}}, "q:r": "y"}),
        ),
        (
            "id map",
            json!({"p": {"@id": format!("{base}p"), "@container": "@id"}, "q": format!("{base}q")}),
            json!({"p": {"urn:a": {"q": "1"}, "urn:b": {"q": "2"}}}),
        ),
        (
            "type map",
            json!({"p": {"@id": format!("{base}p"), "@container": "@type"}, "q": format!("{base}q"), "T": format!("{base}T")}),
            json!({"p": {"T": {"q": "1"}}}),
        ),
        (
            "graph",
            json!({"p": {"@id": format!("{base}p"), "@container": "@graph"}, "q": format!("{base}q")}),
            json!({"p": {"id": "urn:g", "q": "1"}}),
        ),
        (
            "json",
            json!({"p": {"@id": format!("{base}p"), "@type": "@json"}}),
            json!({"p": {"z": [1, 2.5, null], "a": "é"}}),
        ),
        (
            "reverse",
            json!({"p": {"@reverse": format!("{base}p"), "@type": "@id"}}),
            json!({"p": "urn:other"}),
        ),
        (
            "nest",
            json!({"n": "@nest", "q": {"@id": format!("{base}q"), "@nest": "n"}}),
            json!({"n": {"q": "1"}}),
        ),
        (
            "prefix",
            json!({"x": {"@id": base, "@prefix": true}}),
            json!({"x:one": "1", "x:two": {"type": "x:T"}}),
        ),
        (
            "direction",
            json!({"p": format!("{base}p")}),
            json!({"p": {"@value": "שלום", "@language": "he", "@direction": "rtl"}}),
        ),
        (
            "numbers",
            json!({"p": format!("{base}p"), "f": {"@id": format!("{base}f"), "@type": "http://www.w3.org/2001/XMLSchema#float"}}),
            json!({"p": [1, -5, 1.5, 1e30, 0.1, true], "f": [42, 0.5]}),
        ),
        (
            "blank",
            json!({"p": {"@id": format!("{base}p"), "@type": "@id"}}),
            json!({"p": ["_:x", "_:y", "_:x"]}),
        ),
        (
            "vocab",
            json!({"p": {"@id": format!("{base}p"), "@type": "@vocab"}, "T": format!("{base}T")}),
            json!({"p": ["T", "urn:x"]}),
        ),
        (
            "scoped",
            json!({"p": {"@id": format!("{base}p"), "@context": {"q": format!("{base}q1")}}, "q": format!("{base}q0")}),
            json!({"p": {"q": "1"}, "q": "0"}),
        ),
    ] {
        let document = with_inline(context, json!({"credentialSubject": subject}));
        let document = if name == "index map" {
            let mut document = document;
            document["@context"][1]["q"] = json!({"@id": "https://q.example/", "@prefix": true});
            document
        } else {
            document
        };
        // forms that let readers of the JSON miss what is signed are understood, but never accepted for a signature
        let refused = ["index map", "nest", "reverse"].contains(&name);
        let ours = ld::canonical_document(&document, Contexts::bundled(), &options);
        assert_eq!(ours.is_err(), refused, "{name}: {ours:?}");
        let lenient = Options { lenient: refused, ..options.clone() };
        let ours = ld::canonical_document(&document, Contexts::bundled(), &lenient).unwrap();
        assert_eq!(ours, oracle.canonical(&document), "{name}");
    }
}

#[test]
fn what_a_signature_would_not_cover_is_refused_with_its_place() {
    let refused = |document: &Value| {
        let options = Options { inline_contexts: true, ..Options::default() };
        ld::to_rdf(document, Contexts::bundled(), &options).map(|_| ()).unwrap_err()
    };
    let good = badge(1).to_json().unwrap();
    for (pointer, value, expected) in [
        ("/extra", json!("x"), "/extra"),
        ("/credentialSubject/extra", json!(1), "/credentialSubject/extra"),
        ("/credentialSubject/achievement/extra", json!({"a": 1}), "/credentialSubject/achievement/extra"),
        ("/type", json!(["VerifiableCredential", "Undefined"]), "/type/1"),
        ("/description", json!(null), "/description"),
        ("/description", json!({"@value": "x", "@language": "not a tag"}), ""),
        ("/description", json!({"@language": "pt"}), "/description"),
        (
            "/evidence",
            json!([{"id": "urn:e", "type": ["Evidence"], "narrative": [null]}]),
            "/evidence/0/narrative/0",
        ),
        ("/@index", json!("text"), "/@index"),
    ] {
        let mut document = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = value;
        let error = refused(&document);
        assert!(error.is_data_loss(), "{pointer}: {error}");
        assert_eq!(error.pointer, expected, "{pointer}");
    }
    for relative in ["relative", "/abs", "#frag", "", "has space:x"] {
        let mut document = good.clone();
        document["credentialSubject"]["id"] = json!(relative);
        assert!(matches!(refused(&document).kind, LdErrorKind::RelativeIri(_)), "{relative}");
    }
}

#[test]
fn contexts_of_the_documents_own_are_for_verifying_only_and_capped() {
    let inline = with_inline(json!({"p": "urn:p"}), json!({"credentialSubject": {"p": "1"}}));
    let strict = ld::to_rdf(&inline, Contexts::bundled(), &Options::default()).unwrap_err();
    assert_eq!((strict.kind, strict.pointer.as_str()), (LdErrorKind::ContextInline, "/@context/1"));
    let options = Options { inline_contexts: true, ..Options::default() };
    let error = |document: &Value| ld::to_rdf(document, Contexts::bundled(), &options).unwrap_err();
    let many: serde_json::Map<_, _> =
        (0..ld::INLINE_TERMS_MAX + 1).map(|n| (format!("t{n}"), json!("urn:t"))).collect();
    let document = with_inline(Value::Object(many), json!({"credentialSubject": {"t1": "1"}}));
    assert!(matches!(error(&document).kind, LdErrorKind::Limit(_)));
    let mut document = inline.clone();
    document["@context"] = json!(vec!["https://www.w3.org/ns/credentials/v2"; ld::CONTEXTS_MAX + 1]);
    assert!(matches!(error(&document).kind, LdErrorKind::Limit(_)));
    // protected terms stay what they are
    let redefined = with_inline(json!({"name": "urn:mine"}), json!({"credentialSubject": {"id": "urn:s"}}));
    assert_eq!(error(&redefined).kind, LdErrorKind::ContextInvalid("protected term redefinition"));
    let nulled = with_inline(Value::Null, json!({}));
    assert!(matches!(error(&nulled).kind, LdErrorKind::ContextInvalid("invalid context nullification")));
}

#[test]
fn documents_beyond_the_limits_are_refused_quickly() {
    let started = std::time::Instant::now();
    let options = Options { inline_contexts: true, ..Options::default() };
    let error =
        |document: &Value| ld::canonical_document(document, Contexts::bundled(), &options).unwrap_err();
    let context = json!({"p": {"@id": "urn:p"}});
    let nodes: Vec<Value> = (0..ld::BLANK_NODES_MAX + 1).map(|n| json!({"p": n})).collect();
    let document = with_inline(context.clone(), json!({"credentialSubject": {"p": nodes}}));
    assert!(matches!(error(&document).kind, LdErrorKind::Limit(_)));
    let values: Vec<Value> = (0..ld::QUADS_MAX + 1).map(|n| json!(n)).collect();
    let document = with_inline(context.clone(), json!({"credentialSubject": {"p": values}}));
    assert!(matches!(error(&document).kind, LdErrorKind::Limit(_)));
    // a knot of nodes that all look alike
    let knot: Vec<Value> = (0..12)
        .map(|n| json!({"id": format!("_:n{n}"), "p": (0..12).filter(|m| *m != n).map(|m| json!({"id": format!("_:n{m}")})).collect::<Vec<_>>()}))
        .collect();
    let document = with_inline(context, json!({"credentialSubject": {"p": knot}}));
    assert!(matches!(error(&document).kind, LdErrorKind::Limit(_)));
    assert!(started.elapsed().as_secs() < 3, "{:?}", started.elapsed());
}
