//! How many credentials one core prepares, signs and checks per second: `cargo run --release --example speed -p proof`.
//!
//! Prints CPU rates of one thread over a diploma of ordinary size.
//! Never here: a goal. The goals stand in the specification, the figures in the README.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement may fail by panic, measures time and reads the environment"
)]

#[path = "../tests/doc_support/mod.rs"]
mod doc_support;

use std::hint::black_box;
use std::time::Instant;

use doc_support::{TestKey, badge};
use proof::did;
use proof::integrity::{self, ProofOptions, Skeleton};
use proof::ld::{self, Contexts, Options};
use proof::status::BitString;
use proof::verify::{Context, NoNetwork, TrustList, verify};

fn rate(name: &str, mut work: impl FnMut()) {
    for _ in 0..100 {
        work();
    }
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed().as_secs_f64() < 1.5 {
        for _ in 0..50 {
            work();
        }
        count += 50;
    }
    let each = started.elapsed().as_secs_f64() / f64::from(count);
    println!("{name:<46} {:>9.0}/s {:>9.1} µs", 1.0 / each, each * 1e6);
}

fn main() {
    let key = TestKey::from_seed(&[9; 32]);
    let mut diploma = badge(1);
    diploma.issuer.id = did::did_key(&key.public());
    diploma.status = None;
    let document = diploma.to_json().unwrap();
    let method = did::did_key_method(&key.public());
    let options = ProofOptions::assertion(method, "2026-07-20T09:00:00Z");
    let prepared = integrity::prepare(&document, &options).unwrap();
    let signature = key.sign(&prepared.hash_data);
    let signed = integrity::finish(&document, prepared.clone(), &signature);
    let text = signed.to_string();
    let quads = ld::to_rdf(&document, Contexts::bundled(), &Options::default()).unwrap();
    println!("{} bytes signed, {} statements", text.len(), quads.quads.len());

    rate("Ed25519 signature alone", || {
        black_box(key.sign(black_box(&prepared.hash_data)));
    });
    rate("read JSON", || {
        black_box(proof::json::parse_default(text.as_bytes()).unwrap());
    });
    rate("rules of VCDM and Open Badges", || {
        black_box(proof::credential::check(&document));
    });
    rate("expand to statements", || {
        black_box(ld::to_rdf(&document, Contexts::bundled(), &Options::default()).unwrap());
    });
    rate("canonicalise", || {
        black_box(ld::canonicalize(&quads).unwrap());
    });
    rate("issue, full path (prepare, sign, finish)", || {
        let prepared = integrity::prepare(&document, &options).unwrap();
        let signature = key.sign(&prepared.hash_data);
        black_box(integrity::finish(&document, prepared, &signature));
    });
    let skeleton = Skeleton::compile(&document, &options).unwrap();
    rate("issue, skeleton (prepare, sign, finish)", || {
        let prepared = skeleton.prepare(&document, &options).unwrap();
        let signature = key.sign(&prepared.hash_data);
        black_box(integrity::finish(&document, prepared, &signature));
    });
    rate("issue from values (build, check, skeleton, sign)", || {
        let document = diploma.to_json().unwrap();
        let prepared = skeleton.prepare(&document, &options).unwrap();
        let signature = key.sign(&prepared.hash_data);
        black_box(integrity::finish(&document, prepared, &signature));
    });
    let trust = TrustList::default();
    let context = Context::new(1_795_000_000, &NoNetwork, &trust);
    assert!(verify(text.as_bytes(), &context).valid);
    rate("verify, from bytes to report", || {
        black_box(verify(text.as_bytes(), &context));
    });
    let mut bits = BitString::new(1_048_576).unwrap();
    let mut random = 0x5e10_u64;
    while bits.count_set() < 10_486 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        bits.set(random % 1_048_576, true).unwrap();
    }
    let packed = bits.encode().unwrap();
    let started = Instant::now();
    black_box(bits.encode().unwrap());
    println!(
        "pack a list of 1,048,576 at 1 %: {:.1} ms, {} characters",
        started.elapsed().as_secs_f64() * 1e3,
        packed.len()
    );
}
