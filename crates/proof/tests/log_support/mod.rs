//! What the tests of the log's formats share: a naive tree, signers, places of vectors.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::path::PathBuf;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use proof::merkle::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
use proof::note::{KeyKind, SignatureLine, VerifierKey, cosignature_body, cosignature_message, to_sign};

/// The folder of a set of vectors; none (with a line that says so) when it is not there.
pub fn vectors(set: &str) -> Option<PathBuf> {
    let base = std::env::var_os("SELO_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = base.join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("NOT RUN: the vectors {} are absent", folder.display());
    None
}

/// Leaf hashes of `count` different entries.
pub fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&entry(n))).collect()
}

/// The n-th entry of the test logs.
pub fn entry(n: u64) -> Vec<u8> {
    format!("{{\"n\":{n}}}").into_bytes()
}

/// RFC 6962 §2.1 word for word.
pub fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(naive_split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// RFC 6962 §2.1.1 word for word.
pub fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let split = naive_split(leaves.len());
    let (left, right) = leaves.split_at(split);
    let (mut path, sibling) = if index < split {
        (naive_path(index, left), right)
    } else {
        (naive_path(index - split, right), left)
    };
    path.push(naive_root(sibling));
    path
}

/// RFC 6962 §2.1.2 word for word.
pub fn naive_consistency(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let split = naive_split(leaves.len());
    let (left, right) = leaves.split_at(split);
    let (mut proof, sibling) = if old <= split {
        (naive_consistency(old, left, whole), right)
    } else {
        (naive_consistency(old - split, right, false), left)
    };
    proof.push(naive_root(sibling));
    proof
}

fn naive_split(count: usize) -> usize {
    let mut split = 1;
    while split * 2 < count {
        split *= 2;
    }
    split
}

/// A key that signs notes, from a fixed seed.
pub struct Signer {
    pair: Ed25519KeyPair,
    pub key: VerifierKey,
}

impl Signer {
    pub fn new(name: &str, kind: KeyKind, seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        let key = VerifierKey::new(name, kind, public).unwrap();
        Self { pair, key }
    }

    pub fn log(name: &str, seed: u8) -> Self {
        Self::new(name, KeyKind::Ed25519, seed)
    }

    pub fn witness(name: &str, seed: u8) -> Self {
        Self::new(name, KeyKind::CosignatureEd25519, seed)
    }

    pub fn sign(&self, text: &str) -> SignatureLine {
        self.line(self.pair.sign(&to_sign(text).unwrap()).as_ref().to_vec())
    }

    pub fn cosign(&self, text: &str, time: u64) -> SignatureLine {
        let signature = self.pair.sign(&cosignature_message(time, text).unwrap());
        self.line(cosignature_body(time, signature.as_ref().try_into().unwrap()))
    }

    fn line(&self, signature: Vec<u8>) -> SignatureLine {
        SignatureLine { name: self.key.name().to_owned(), key_id: self.key.id(), signature }
    }
}
