//! What the document tests share: where the vectors are, an N-Quads reader, the test key.
//!
//! Vectors are found under `SELO_VECTORS`, by default `../shared/data` beside the workspace; where they are absent a
//! test says so and was not run.
//! Never here: a rule of the product.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file uses its part of this; a test may fail by panic and is told its folders by the environment"
)]

use std::collections::HashMap;
use std::path::PathBuf;

use proof::ld::{Contexts, Dataset, Object, Quad, Subject, Text};

/// The folder of one vector set, or None after saying that the test is not run.
pub fn vectors(set: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SELO_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("NOT RUN: no vectors at {}", folder.display());
    None
}

pub fn read(path: impl AsRef<std::path::Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn json(path: impl AsRef<std::path::Path>) -> serde_json::Value {
    serde_json::from_str(&read(path)).unwrap()
}

/// The bundle and the examples context that the EdDSA vectors use.
pub fn contexts_with_examples() -> Contexts {
    let folder = vectors("contexts").unwrap();
    let examples = std::fs::read(folder.join("credentials-examples-v2.jsonld")).unwrap();
    Contexts::with_extra(&[("https://www.w3.org/ns/credentials/examples/v2", &examples)])
}

/// Reads N-Quads; blank nodes are numbered in order of appearance. Returns the labels by number.
pub fn nquads(text: &str) -> (Dataset<'static>, Vec<String>) {
    let mut reader = NQuads { numbers: HashMap::new(), labels: Vec::new() };
    let mut quads = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        quads.push(reader.line(line));
    }
    let blank_count = u32::try_from(reader.labels.len()).unwrap();
    (Dataset { quads, blank_count }, reader.labels)
}

struct NQuads {
    numbers: HashMap<String, u32>,
    labels: Vec<String>,
}

impl NQuads {
    fn line(&mut self, line: &str) -> Quad<'static> {
        let mut rest = line;
        let subject = self.subject(&mut rest);
        let Subject::Iri(predicate) = self.subject(&mut rest) else {
            panic!("a blank predicate: {line}");
        };
        let object = self.object(&mut rest);
        rest = rest.trim_start();
        let graph = (!rest.starts_with('.')).then(|| self.subject(&mut rest));
        assert_eq!(rest.trim_start().chars().next(), Some('.'), "{line}");
        Quad { subject, predicate, object, graph }
    }

    fn subject(&mut self, rest: &mut &str) -> Subject<'static> {
        *rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('<') {
            let end = inner.find('>').unwrap();
            let iri = unescape(&inner[..end]);
            *rest = &inner[end + 1..];
            return Subject::Iri(Text::from(iri));
        }
        let inner = rest.strip_prefix("_:").unwrap_or_else(|| panic!("{rest}"));
        let end = inner.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(inner.len());
        let label = inner[..end].to_owned();
        *rest = &inner[end..];
        let next = u32::try_from(self.labels.len()).unwrap();
        let number = *self.numbers.entry(label.clone()).or_insert(next);
        if number == next {
            self.labels.push(label);
        }
        Subject::Blank(number)
    }

    fn object(&mut self, rest: &mut &str) -> Object<'static> {
        *rest = rest.trim_start();
        if !rest.starts_with('"') {
            return match self.subject(rest) {
                Subject::Iri(iri) => Object::Iri(iri),
                Subject::Blank(number) => Object::Blank(number),
            };
        }
        let bytes = rest.as_bytes();
        let mut end = 1;
        while bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let lexical = Text::from(unescape(&rest[1..end]));
        *rest = &rest[end + 1..];
        let (mut datatype, mut language) = (None, None);
        if let Some(inner) = rest.strip_prefix("^^<") {
            let end = inner.find('>').unwrap();
            let iri = unescape(&inner[..end]);
            if iri != "http://www.w3.org/2001/XMLSchema#string" {
                datatype = Some(Text::from(iri));
            }
            *rest = &inner[end + 1..];
        } else if let Some(inner) = rest.strip_prefix('@') {
            let end = inner.find(char::is_whitespace).unwrap();
            language = Some(Text::from(inner[..end].to_owned()));
            *rest = &inner[end..];
        }
        Object::Literal { lexical, datatype, language }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().unwrap() {
            't' => out.push('\t'),
            'b' => out.push('\u{8}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            'f' => out.push('\u{c}'),
            'u' => out.push(code(&mut chars, 4)),
            'U' => out.push(code(&mut chars, 8)),
            other => out.push(other),
        }
    }
    out
}

fn code(chars: &mut std::str::Chars<'_>, digits: usize) -> char {
    let hex: String = chars.take(digits).collect();
    char::from_u32(u32::from_str_radix(&hex, 16).unwrap()).unwrap()
}

/// An Ed25519 key of the tests.
pub struct TestKey(aws_lc_rs::signature::Ed25519KeyPair);

impl TestKey {
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(seed).unwrap())
    }

    /// From `privateKeyMultibase`.
    pub fn from_multikey(text: &str) -> Self {
        let bytes = proof::crypto::multibase_decode(text).unwrap();
        assert_eq!(bytes[..2], [0x80, 0x26]);
        Self::from_seed(bytes[2..34].try_into().unwrap())
    }

    pub fn public(&self) -> proof::crypto::PublicKey {
        use aws_lc_rs::signature::KeyPair as _;
        proof::crypto::PublicKey::Ed25519(self.0.public_key().as_ref().try_into().unwrap())
    }

    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().unwrap()
    }
}

/// A badge with number-dependent parts: texts that need escaping, optional members, several results.
pub fn badge(number: usize) -> proof::credential::Badge {
    use proof::credential::{
        Achievement, Badge, Criteria, Evidence, Identity, Image, Issuer, Recipient, ResultDescription,
        ResultLine,
    };
    let odd = number % 2 == 1;
    let words = ["Ação", "\"aspas\"", "linha\nnova", "tab\t", "日本", "\u{1f600}", "a\\b", "\u{7f}\u{1}"];
    let word = |offset: usize| {
        let first = words[(number + offset) % words.len()];
        let second = words[(number / 7 + offset) % words.len()];
        format!("{first} {number} {second}")
    };
    let base = "https://uni.example/a";
    let results = number % 3;
    Badge {
        id: format!("urn:uuid:00000000-0000-4000-8000-{number:012x}"),
        name: word(0),
        description: odd.then(|| word(1)),
        issuer: Issuer {
            id: "did:web:uni.example".into(),
            name: word(2),
            url: odd.then(|| "https://uni.example/".into()),
            email: number.is_multiple_of(5).then(|| "info@uni.example".into()),
            image: number
                .is_multiple_of(4)
                .then(|| Image { id: "https://uni.example/logo.png".into(), caption: Some(word(3)) }),
            ..Issuer::default()
        },
        valid_from: "2026-07-20T00:00:00Z".into(),
        valid_until: (number % 4 == 1).then(|| "2036-07-20T00:00:00Z".into()),
        awarded_date: odd.then(|| "2026-07-18T00:00:00+01:00".into()),
        recipient: Recipient {
            id: Some(format!("urn:uuid:10000000-0000-4000-8000-{number:012x}")),
            name: Some(word(4)),
            identities: if number.is_multiple_of(3) {
                Vec::new()
            } else {
                vec![Identity::Hashed {
                    kind: "emailAddress".into(),
                    value: format!("p{number}@uni.example"),
                    salt: format!("{number:032x}"),
                }]
            },
        },
        achievement: Achievement {
            id: format!("{base}/{}", number % 10),
            name: word(5),
            description: word(6),
            criteria: Criteria {
                id: Some(format!("{base}/{}#criteria", number % 10)),
                narrative: Some(word(7)),
            },
            achievement_type: Some("Diploma".into()),
            field_of_study: odd.then(|| word(1)),
            credits_available: odd.then_some(180.0),
            tags: (0..number % 4).map(word).collect(),
            result_descriptions: (0..results)
                .map(|n| ResultDescription {
                    id: format!("{base}/r{n}"),
                    name: word(n),
                    result_type: "LetterGrade".into(),
                    allowed_values: vec!["C".into(), "B".into(), "A".into()],
                    ..ResultDescription::default()
                })
                .collect(),
            ..Achievement::default()
        },
        results: (0..results)
            .map(|n| ResultLine {
                description: Some(format!("{base}/r{n}")),
                value: Some(format!("{}", 10 + n)),
                status: None,
            })
            .collect(),
        credits_earned: number.is_multiple_of(6).then_some(7.5),
        evidence: (0..number % 2)
            .map(|n| Evidence { id: Some(format!("{base}/e{n}")), name: Some(word(n)), narrative: None })
            .collect(),
        status: Some(proof::status::Entry {
            list: "https://uni.example/status/1".into(),
            index: number as u64 * 31,
            purpose: "revocation".into(),
            index_was_number: false,
        }),
        with_schema: number % 5 == 2,
        ..Badge::default()
    }
}

/// Canonical N-Quads with the labels of `sophia_c14n`, or None when it finds the dataset too complex. Nodes that are
/// interchangeable may have each other's labels; the text is the same.
pub fn by_sophia(dataset: &Dataset<'_>) -> Option<String> {
    use proof::ld::Lines as _;
    use sophia_api::MownStr;
    use sophia_api::quad::Spog;
    use sophia_api::term::{BnodeId, IriRef, LanguageTag, SimpleTerm};
    use sophia_c14n::rdfc10;
    let iri = |text: &str| SimpleTerm::Iri(IriRef::new_unchecked(MownStr::from(text.to_owned())));
    let blank =
        |number: u32| SimpleTerm::BlankNode(BnodeId::new_unchecked(MownStr::from(format!("b{number}"))));
    let subject = |subject: &Subject<'_>| match subject {
        Subject::Iri(text) => iri(text.as_str()),
        Subject::Blank(number) => blank(*number),
    };
    let owned = |text: &Text<'_>| MownStr::from(text.as_str().to_owned());
    let object = |object: &Object<'_>| match object {
        Object::Iri(text) => iri(text.as_str()),
        Object::Blank(number) => blank(*number),
        Object::Literal { lexical, language: Some(language), .. } => {
            SimpleTerm::LiteralLanguage(owned(lexical), LanguageTag::new_unchecked(owned(language)), None)
        }
        Object::Literal { lexical, datatype, .. } => {
            let string = Text::from("http://www.w3.org/2001/XMLSchema#string".to_owned());
            let datatype = datatype.as_ref().unwrap_or(&string);
            SimpleTerm::LiteralDatatype(owned(lexical), IriRef::new_unchecked(owned(datatype)))
        }
    };
    let quads: std::collections::HashSet<Spog<SimpleTerm<'static>>> = dataset
        .quads
        .iter()
        .map(|quad| {
            let spo = [subject(&quad.subject), iri(quad.predicate.as_str()), object(&quad.object)];
            (spo, quad.graph.as_ref().map(subject))
        })
        .collect();
    let (_, map) = rdfc10::relabel(&quads).ok()?;
    let label = |number: u32, out: &mut String| {
        out.push_str("_:");
        out.push_str(map[format!("b{number}").as_str()].as_str());
    };
    let mut lines: Vec<String> = (0..dataset.count())
        .map(|index| {
            let mut line = String::new();
            dataset.write(index, &mut line, &label);
            line
        })
        .collect();
    lines.sort_unstable();
    lines.dedup();
    Some(lines.concat())
}
