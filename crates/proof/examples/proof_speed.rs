//! How many credentials one core prepares, signs and checks per second: `cargo run --release -p proof --example proof_speed`.
//!
//! Prints CPU rates of one thread over a diploma of ordinary size, in the lines that `cargo xtask bench` reads.
//! Never here: a goal. `cargo xtask bench` knows them.
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

/// Measures for a second and a half, in CPU time, and prints one line of the protocol of `bench/README.md`.
fn rate(name: &str, note: &str, mut work: impl FnMut()) {
    for _ in 0..100 {
        work();
    }
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let mut count = 0_u32;
    while started.elapsed().as_secs_f64() < 1.5 {
        for _ in 0..50 {
            work();
        }
        count += 50;
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let items = f64::from(count);
    println!(
        "bench: name={name} rate={:.0} cpu_us={:.2} items={count} note=\"{note}; nothing is stored\"",
        items / wall,
        cpu * 1e6 / items
    );
}

/// User and system seconds of this process (`/proc/self/stat`, 100 ticks a second).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
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
    // So that the peer works on the same document.
    if let Ok(file) = std::env::var("BENCH_DOCUMENT") {
        std::fs::write(file, &text).unwrap();
    }

    rate("signature", "one Ed25519 signature", || {
        black_box(key.sign(black_box(&prepared.hash_data)));
    });
    rate("read-json", "strict JSON", || {
        black_box(proof::json::parse_default(text.as_bytes()).unwrap());
    });
    rate("rules", "VCDM and Open Badges", || {
        black_box(proof::credential::check(&document));
    });
    rate("expand", "JSON-LD to statements", || {
        black_box(ld::to_rdf(&document, Contexts::bundled(), &Options::default()).unwrap());
    });
    rate("canonicalise", "RDFC-1.0", || {
        black_box(ld::canonicalize(&quads).unwrap());
    });
    rate("issue-full", "prepare, sign, finish", || {
        let prepared = integrity::prepare(&document, &options).unwrap();
        let signature = key.sign(&prepared.hash_data);
        black_box(integrity::finish(&document, prepared, &signature));
    });
    let skeleton = Skeleton::compile(&document, &options).unwrap();
    rate("issue-template", "the same over a compiled template", || {
        let prepared = skeleton.prepare(&document, &options).unwrap();
        let signature = key.sign(&prepared.hash_data);
        black_box(integrity::finish(&document, prepared, &signature));
    });
    rate("issue-values", "build, check, sign over a compiled template", || {
        let document = diploma.to_json().unwrap();
        let prepared = skeleton.prepare(&document, &options).unwrap();
        let signature = key.sign(&prepared.hash_data);
        black_box(integrity::finish(&document, prepared, &signature));
    });
    let trust = TrustList::default();
    let context = Context::new(1_795_000_000, &NoNetwork, &trust);
    assert!(verify(text.as_bytes(), &context).valid);
    rate("verify", "from bytes to report", || {
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
