//! The Merkle arithmetic against a naive tree, the public vectors and a foreign implementation.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod log_support;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ct_merkle::digest::typenum::U32;
use ct_merkle::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use log_support::{entry, leaves, naive_consistency, naive_path, naive_root, vectors};
use proof::merkle::{
    EMPTY_ROOT, Frontier, Hash, MAX_PROOF_HASHES, MAX_TREE_SIZE, MemoryTree, MerkleError, Node,
    consistency_ranges, inclusion_ranges, is_subtree, leaf_hash, node_hash, range_nodes,
    subtree_consistency_proof, verify_consistency, verify_inclusion, verify_subtree_consistency,
    verify_subtree_inclusion,
};
use proptest::prelude::*;

const SIZES: u64 = 300;

#[test]
fn the_empty_root_is_the_hash_of_nothing() {
    assert_eq!(STANDARD.encode(EMPTY_ROOT), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(Frontier::new().root(), EMPTY_ROOT);
    assert_eq!(MemoryTree::new().root(), EMPTY_ROOT);
}

#[test]
fn a_leaf_is_never_hashed_like_a_node() {
    let (left, right) = (leaf_hash(b"a"), leaf_hash(b"b"));
    let pair = [left, right].concat();
    assert_ne!(leaf_hash(&pair), node_hash(&left, &right));
}

#[test]
fn every_size_up_to_300_grows_to_the_naive_root() {
    let all = leaves(SIZES);
    let mut frontier = Frontier::new();
    let tree = MemoryTree::from_leaves(&all);
    for (size, leaf) in all.iter().enumerate() {
        let expected = naive_root(&all[..size]);
        assert_eq!(frontier.root(), expected, "frontier of {size}");
        assert_eq!(tree.root_at(size as u64).unwrap(), expected);
        let parts = frontier.hashes().to_vec();
        assert_eq!(Frontier::from_parts(size as u64, parts).unwrap(), frontier);
        frontier.append(*leaf).unwrap();
    }
    assert_eq!(frontier.root(), tree.root());
}

#[test]
fn every_inclusion_proof_up_to_300_is_the_naive_path_and_verifies() {
    let all = leaves(SIZES);
    let tree = MemoryTree::from_leaves(&all);
    for size in 1..=SIZES {
        let root = tree.root_at(size).unwrap();
        for index in 0..size {
            let proof = tree.inclusion_proof(index, size).unwrap();
            // The naive path costs a whole tree each time, so it judges every size at a few places.
            if index < 3 || index + 3 > size || index == size / 2 {
                assert_eq!(proof, naive_path(index as usize, &all[..size as usize]));
            }
            let leaf = &all[index as usize];
            verify_inclusion(leaf, index, size, &proof, &root).unwrap();
            let other = (index + 1) % size;
            if other != index {
                verify_inclusion(leaf, other, size, &proof, &root).unwrap_err();
            }
        }
    }
}

#[test]
fn every_consistency_proof_up_to_300_is_the_naive_one_and_verifies() {
    let all = leaves(SIZES);
    let tree = MemoryTree::from_leaves(&all);
    let roots: Vec<Hash> = (0..=SIZES).map(|size| tree.root_at(size).unwrap()).collect();
    for size in 1..=SIZES {
        let root = &roots[size as usize];
        for old in 1..=size {
            let proof = tree.consistency_proof(old, size).unwrap();
            if old < 3 || old + 3 > size || old == size / 2 {
                let naive = naive_consistency(old as usize, &all[..size as usize], true);
                assert_eq!(proof, naive);
            }
            let old_root = &roots[old as usize];
            verify_consistency(old, old_root, size, root, &proof).unwrap();
            // Either root alone being right is not enough.
            let wrong = [7; 32];
            verify_consistency(old, &wrong, size, root, &proof).unwrap_err();
            verify_consistency(old, old_root, size, &wrong, &proof).unwrap_err();
            let mut longer = proof.clone();
            longer.push(wrong);
            verify_consistency(old, old_root, size, root, &longer).unwrap_err();
            if let Some((_, shorter)) = proof.split_last() {
                verify_consistency(old, old_root, size, root, shorter).unwrap_err();
            }
        }
    }
}

#[test]
fn every_subtree_up_to_70_is_proven_inside_every_tree() {
    let all = leaves(70);
    let tree = MemoryTree::from_leaves(&all);
    let mut seen = 0;
    for size in 1..=70u64 {
        let root = tree.root_at(size).unwrap();
        for start in 0..size {
            for end in start + 1..=size {
                if !is_subtree(start, end) {
                    continue;
                }
                seen += 1;
                let part = naive_root(&all[start as usize..end as usize]);
                let read = |node| tree.node(node);
                let proof = subtree_consistency_proof(start, end, size, read).unwrap();
                verify_subtree_consistency(start, end, &part, size, &root, &proof).unwrap();
                verify_subtree_consistency(start, end, &[1; 32], size, &root, &proof).unwrap_err();
                verify_subtree_consistency(start, end, &part, size, &[1; 32], &proof).unwrap_err();
            }
        }
    }
    assert_eq!(seen, 8909);
}

/// Our SHA-256 in the shape the foreign tree asks for.
#[derive(Clone, Default)]
struct Sha256(Vec<u8>);

impl HashMarker for Sha256 {}

impl Update for Sha256 {
    fn update(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }
}

impl OutputSizeUser for Sha256 {
    type OutputSize = U32;
}

impl FixedOutput for Sha256 {
    fn finalize_into(self, out: &mut Output<Self>) {
        out.copy_from_slice(&proof::crypto::sha256(&self.0));
    }
}

#[test]
fn a_foreign_implementation_accepts_our_roots_and_proofs_and_builds_the_same() {
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut ours = MemoryTree::new();
    let mut earlier = Vec::new();
    for n in 0..70u64 {
        theirs.push(entry(n));
        ours.push(leaf_hash(&entry(n)));
        let size = n + 1;
        let root = theirs.root();
        assert_eq!(root.as_bytes().as_slice(), ours.root());
        for index in 0..size {
            let proof = ours.inclusion_proof(index, size).unwrap();
            let foreign = ct_merkle::InclusionProof::<Sha256>::try_from_bytes(proof.concat());
            root.verify_inclusion(&entry(index), index, &foreign.unwrap()).unwrap();
            let built = theirs.prove_inclusion(index as usize);
            assert_eq!(built.as_bytes(), proof.concat());
        }
        for (position, old_root) in earlier.iter().enumerate() {
            let old = position as u64 + 1;
            let proof = ours.consistency_proof(old, size).unwrap();
            let foreign = ct_merkle::ConsistencyProof::<Sha256>::try_from_bytes(proof.concat());
            root.verify_consistency(old_root, &foreign.unwrap()).unwrap();
            let built = theirs.prove_consistency((size - old) as usize);
            assert_eq!(built.as_bytes(), proof.concat());
        }
        earlier.push(root);
    }
}

#[test]
fn positions_near_the_end_of_the_numbers_are_refused_without_overflow() {
    let hash = [0; 32];
    let many = vec![hash; 130];
    for size in [0, 1, MAX_TREE_SIZE, MAX_TREE_SIZE + 1, u64::MAX] {
        for index in [0, 1, size.saturating_sub(1), size, u64::MAX] {
            for proof in [&many[..0], &many[..63], &many[..64], &many[..]] {
                let _ = verify_inclusion(&hash, index, size, proof, &hash);
                let _ = verify_consistency(index, &hash, size, &hash, proof);
                let _ = verify_subtree_inclusion(&hash, index, index, size, proof, &hash);
                let _ = verify_subtree_consistency(index, size, &hash, u64::MAX, &hash, proof);
                let _ = verify_subtree_consistency(index, size, &hash, size, &hash, proof);
            }
            let _ = inclusion_ranges(index, size);
            let _ = consistency_ranges(index, size);
        }
    }
    assert_eq!(
        verify_inclusion(&hash, 0, 0, &[], &hash),
        Err(MerkleError::IndexOutsideTree { index: 0, size: 0 })
    );
    let deepest = inclusion_ranges(0, MAX_TREE_SIZE).unwrap();
    assert_eq!(deepest.len(), MAX_PROOF_HASHES);
    let full = Frontier::from_parts(MAX_TREE_SIZE, vec![hash; 63]);
    assert_eq!(full.unwrap().append(hash), Err(MerkleError::TreeFull));
    Frontier::from_parts(5, vec![hash; 3]).unwrap_err();
}

#[test]
fn a_range_is_covered_by_its_largest_complete_subtrees() {
    let node = |level, index| Node { level, index };
    assert_eq!(range_nodes(0..0), []);
    assert_eq!(range_nodes(0..7), [node(2, 0), node(1, 2), node(0, 6)]);
    assert_eq!(range_nodes(8..11), [node(1, 4), node(0, 10)]);
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
}

/// A 12-byte root that the vectors accept; here a hash has 32 bytes, so these four are refused on purpose.
const REFUSED_ON_PURPOSE: [&str; 4] = [
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
    "subtreeconsistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
    "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-one-subtree-root-valid-tree-root-random-proof-is-empty.json",
    "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty.json",
];

#[test]
fn all_518_public_proof_cases_are_decided_as_they_say() {
    let Some(folder) = vectors("merkle") else {
        return;
    };
    let mut files = Vec::new();
    walk(&folder, &mut files);
    assert_eq!(files.len(), 518);
    let mut refused = Vec::new();
    for file in &files {
        let case = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        let kind = name.split('/').next().unwrap();
        let accepted = decide(kind, &case);
        let expected = !case["wantErr"].as_bool().unwrap();
        if expected && !accepted && REFUSED_ON_PURPOSE.contains(&name) {
            refused.push(name.to_owned());
            continue;
        }
        assert_eq!(accepted, expected, "{name}: {}", case["desc"]);
    }
    refused.sort();
    assert_eq!(refused, REFUSED_ON_PURPOSE);
}

fn decide(kind: &str, case: &serde_json::Value) -> bool {
    let number = |name: &str| case[name].as_u64().unwrap();
    let hash = |value: &serde_json::Value| -> Option<Hash> {
        let bytes = STANDARD.decode(value.as_str()?).ok()?;
        bytes.try_into().ok()
    };
    let proof: Option<Vec<Hash>> = match &case["proof"] {
        serde_json::Value::Null => Some(Vec::new()),
        list => list.as_array().unwrap().iter().map(hash).collect(),
    };
    let Some(proof) = proof else {
        return false;
    };
    let verdict = match kind {
        "inclusion" => (|| {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            let (index, size) = (number("leafIdx"), number("treeSize"));
            Some(verify_inclusion(&leaf, index, size, &proof, &root).is_ok())
        })(),
        "consistency" => (|| {
            let (old, new) = (hash(&case["root1"])?, hash(&case["root2"])?);
            let (old_size, new_size) = (number("size1"), number("size2"));
            Some(verify_consistency(old_size, &old, new_size, &new, &proof).is_ok())
        })(),
        "subtreeinclusion" => (|| {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            let (index, start, end) = (number("leafIdx"), number("start"), number("end"));
            Some(verify_subtree_inclusion(&leaf, index, start, end, &proof, &root).is_ok())
        })(),
        "subtreeconsistency" => (|| {
            let (part, root) = (hash(&case["root1"])?, hash(&case["root2"])?);
            let (start, end, size) = (number("start"), number("end"), number("size"));
            Some(verify_subtree_consistency(start, end, &part, size, &root, &proof).is_ok())
        })(),
        other => panic!("a folder that nobody reads: {other}"),
    };
    verdict.unwrap_or(false)
}

proptest! {
    #[test]
    fn one_flipped_bit_anywhere_refuses_an_inclusion_proof(
        size in 2u64..2000, seed in any::<u64>(), bit in 0usize..256, which in any::<usize>(),
    ) {
        let all = leaves(size);
        let tree = MemoryTree::from_leaves(&all);
        let index = seed % size;
        let root = tree.root();
        let mut hashes = vec![all[index as usize], root];
        hashes.extend(tree.inclusion_proof(index, size).unwrap());
        let position = which % hashes.len();
        hashes[position][bit / 8] ^= 1 << (bit % 8);
        let verdict = verify_inclusion(&hashes[0], index, size, &hashes[2..], &hashes[1]);
        prop_assert_eq!(verdict, Err(MerkleError::RootMismatch));
    }

    #[test]
    fn one_flipped_bit_anywhere_refuses_a_consistency_proof(
        size in 2u64..2000, seed in any::<u64>(), bit in 0usize..256, which in any::<usize>(),
    ) {
        let tree = MemoryTree::from_leaves(&leaves(size));
        let old = seed % (size - 1) + 1;
        let mut hashes = vec![tree.root_at(old).unwrap(), tree.root()];
        hashes.extend(tree.consistency_proof(old, size).unwrap());
        let position = which % hashes.len();
        hashes[position][bit / 8] ^= 1 << (bit % 8);
        let verdict = verify_consistency(old, &hashes[0], size, &hashes[1], &hashes[2..]);
        prop_assert_eq!(verdict, Err(MerkleError::RootMismatch));
    }
}
