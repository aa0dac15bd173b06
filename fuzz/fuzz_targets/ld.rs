//! JSON-LD to canonical statements: safe mode changes nothing of what it accepts, and the form is sorted, each line once.
#![no_main]

use fuzz::papers;
use proof::json;
use proof::ld::{self, Contexts, Options};
use serde_json::json;

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        papers::signed().iter().map(|paper| paper.to_string().into_bytes()).collect();
    let own = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", {
            "@vocab": "urn:v:", "p": "urn:p", "q": {"@id": "urn:q", "@type": "@id"},
            "l": {"@id": "urn:l", "@container": "@list"}, "m": {"@id": "urn:m", "@container": "@language"},
            "i": {"@id": "urn:i", "@container": "@index"}, "r": {"@reverse": "urn:r"}, "n": "@nest",
            "s": {"@id": "urn:s", "@context": {"t": "urn:t"}}, "j": {"@id": "urn:j", "@type": "@json"},
            "g": {"@id": "urn:g", "@container": ["@graph", "@id"]}, "x:": null,
        }],
        "id": "urn:a",
        "type": ["VerifiableCredential"],
        "p": [1, 1.5, true, "x", {"@value": "y", "@language": "pt", "@direction": "ltr"}],
        "q": ["urn:b", "_:c"], "l": [1, [2], []], "m": {"pt": "olá", "en": ["hello"]}, "i": {"a": 1, "b": {"id": "urn:d"}},
        "r": {"id": "urn:e"}, "n": {"p": 2}, "s": {"t": "u"}, "j": {"any": [1, null]}, "g": {"urn:h": {"p": 3}},
        "@included": [{"id": "urn:k", "p": 4}], "@graph": [{"p": 5}],
    });
    seeds.push(own.to_string().into_bytes());
    seeds
}

fn check(bytes: &[u8]) {
    let Ok(document) = json::parse_default(bytes) else { return };
    let options = |lenient| Options { inline_contexts: true, lenient, base: None };
    let lenient = ld::canonical_document(&document, Contexts::bundled(), &options(true));
    let Ok(text) = ld::canonical_document(&document, Contexts::bundled(), &options(false)) else { return };
    assert_eq!(lenient.as_deref(), Ok(text.as_str()), "what nothing was dropped from stays the same");
    assert!(text.is_empty() || text.ends_with(" .\n"));
    assert!(text.lines().is_sorted_by(|earlier, later| earlier < later));
    let closed = Options { inline_contexts: false, ..options(false) };
    if let Ok(same) = ld::canonical_document(&document, Contexts::bundled(), &closed) {
        assert_eq!(same, text);
    }
}

fuzz::target!(seeds, check);
