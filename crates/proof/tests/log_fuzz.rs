//! No bytes from outside make a parser of the log's formats panic, and what is accepted is written back as it was.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod log_support;

use log_support::{Signer, leaves};
use proof::checkpoint::{self, Checkpoint};
use proof::merkle::MemoryTree;
use proof::note::{Note, VerifierKey};
use proof::tile::{TileId, decode_bundle, encode_bundle};
use proof::tlog_proof::TlogProof;
use proptest::prelude::*;

const ORIGIN: &str = "log.example.gov.st/prod/cred";

fn proof_file() -> Vec<u8> {
    let log = Signer::log(ORIGIN, 1);
    let witness = Signer::witness("witness.example/w1", 2);
    let tree = MemoryTree::from_leaves(&leaves(100));
    let checkpoint = Checkpoint::new(ORIGIN, 100, tree.root()).unwrap();
    let text = checkpoint.to_text();
    let lines = [log.sign(&text), witness.cosign(&text, 1_700_000_000)];
    let proof = TlogProof {
        extra: Some(b"salt".to_vec()),
        index: 42,
        hashes: tree.inclusion_proof(42, 100).unwrap(),
        checkpoint: checkpoint.assemble(&lines).unwrap(),
    };
    proof.to_bytes().unwrap()
}

/// Gives all parsers the bytes; each either refuses them or can write them again exactly.
fn feed(bytes: &[u8]) {
    let keys = [Signer::log(ORIGIN, 1).key, Signer::witness("witness.example/w1", 2).key];
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_bytes(), bytes);
        let _ = note.verify(&keys);
    }
    let _ = checkpoint::open(bytes, &keys, ORIGIN);
    if let Ok(proof) = TlogProof::parse(bytes) {
        assert_eq!(proof.to_bytes().unwrap(), bytes);
        feed(&proof.checkpoint);
    }
    for width in [1, 2, 256] {
        if let Ok(entries) = decode_bundle(bytes, width)
            && entries.len() == usize::from(width)
            && encode_bundle(&entries).unwrap().len() == bytes.len()
        {
            assert_eq!(encode_bundle(&entries).unwrap(), bytes);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_text(), text);
        }
        if let Ok(key) = VerifierKey::parse(text) {
            assert_eq!(key.to_string(), text);
        }
        if let Ok(tile) = TileId::parse(text) {
            assert_eq!(tile.path(), text);
        }
    }
}

#[test]
fn every_single_changed_bit_of_a_proof_file_is_survived() {
    let good = proof_file();
    for place in 0..good.len() {
        let mut changed = good.clone();
        changed[place] ^= 1 << (place % 8);
        feed(&changed);
        feed(&good[..place]);
        feed(&good[place..]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        feed(&bytes);
    }

    #[test]
    fn random_text_of_the_formats_own_characters_is_survived(
        text in "[tile/0-9x.p\\n+= —AQ]{0,80}",
    ) {
        feed(text.as_bytes());
        feed(format!("tile/{text}").as_bytes());
    }

    #[test]
    fn a_proof_file_with_pieces_replaced_is_survived(
        start in 0usize..900, length in 0usize..40, piece in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = proof_file();
        let start = start.min(bytes.len());
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, piece);
        feed(&bytes);
    }

    #[test]
    fn every_tile_path_is_read_as_it_was_written(
        level in 0u8..=63, index in 0u64..1 << 40, width in 1u16..=256,
    ) {
        for tile in [TileId::hashes(level, index, width), TileId::entries(index, width)] {
            let tile = tile.unwrap();
            prop_assert_eq!(TileId::parse(&tile.path()), Ok(tile));
        }
    }

    #[test]
    fn every_bundle_is_read_as_it_was_written(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..=256),
    ) {
        let bundle = encode_bundle(&entries).unwrap();
        let width = u16::try_from(entries.len()).unwrap();
        prop_assert_eq!(decode_bundle(&bundle, width).unwrap(), entries);
    }
}
