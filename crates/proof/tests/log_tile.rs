//! Tiles, bundles and their paths.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod log_support;

use std::collections::BTreeMap;

use log_support::{leaves, naive_consistency, naive_path, naive_root};
use proof::merkle::{Frontier, Hash, MAX_TREE_SIZE, MemoryTree, Node};
use proof::tile::{
    MAX_ENTRY_BYTES, TileError, TileId, TileKind, TileReadError, TileReader, append, decode_bundle,
    encode_bundle, new_tiles, parse_tile, tile_at, tile_of,
};
use proptest::prelude::*;

#[derive(Debug, PartialEq)]
struct Missing;

/// A folder of tiles, grown by appends of the given sizes.
fn grow(all: &[Hash], steps: &[usize]) -> (BTreeMap<TileId, Vec<u8>>, u64) {
    let mut store: BTreeMap<TileId, Vec<u8>> = BTreeMap::new();
    let mut size = 0;
    for step in steps {
        let end = (size + step).min(all.len());
        let fetch = |tile| store.get(&tile).cloned().ok_or(Missing);
        let written = append(size as u64, &all[size..end], fetch).unwrap();
        let announced: Vec<TileId> = new_tiles(size as u64, end as u64).collect();
        let ids: Vec<TileId> = written.iter().map(|(tile, _)| *tile).collect();
        assert_eq!(ids, announced, "{size} → {end}");
        store.extend(written);
        size = end;
    }
    (store, size as u64)
}

#[test]
fn a_tree_of_70_000_has_the_tiles_that_the_standard_counts() {
    let tiles: Vec<TileId> = new_tiles(0, 70_000).collect();
    let count = |level, full| {
        let of_level = tiles.iter().filter(|t| t.kind() == TileKind::Hashes(level));
        of_level.filter(|t| t.is_full() == full).count()
    };
    assert_eq!((count(0, true), count(0, false)), (273, 1));
    assert_eq!((count(1, true), count(1, false)), (1, 1));
    assert_eq!((count(2, true), count(2, false)), (0, 1));
    assert_eq!(tiles.len(), 277);
    let partial: Vec<String> = tiles.iter().filter(|t| !t.is_full()).map(TileId::path).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
}

#[test]
fn a_tree_of_256_has_one_full_tile_and_one_of_width_one_above() {
    let paths: Vec<String> = new_tiles(0, 256).map(|t| t.path()).collect();
    assert_eq!(paths, ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(new_tiles(0, 0).count(), 0);
    assert_eq!(new_tiles(256, 256).count(), 0);
}

#[test]
fn paths_are_written_and_read_in_exactly_one_way() {
    let good = [
        ("tile/0/000", TileId::hashes(0, 0, 256)),
        ("tile/0/x001/x234/067", TileId::hashes(0, 1_234_067, 256)),
        ("tile/0/x001/x234/067.p/5", TileId::hashes(0, 1_234_067, 5)),
        ("tile/63/999.p/255", TileId::hashes(63, 999, 255)),
        ("tile/entries/x001/000.p/1", TileId::entries(1000, 1)),
        ("tile/7/x001/x099/x511/x627/775", TileId::hashes(7, (1 << 40) - 1, 256)),
    ];
    for (path, tile) in good {
        let tile = tile.unwrap();
        assert_eq!(tile.path(), path);
        assert_eq!(TileId::parse(path), Ok(tile));
    }
    for path in [
        "",
        "/tile/0/000",
        "tile/0/000/",
        "tile//000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/data/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/x001/x234",
        "tile/0/001/234",
        "tile/0/xx01/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/2",
        "tile/0/../000",
        "tile/0/x001/../000",
        "tile/0/٠٠٠",
        "tile/0/000 ",
        "tile/0/x001/x099/x511/x627/776",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/000\n",
        "TILE/0/000",
        "checkpoint",
    ] {
        assert_eq!(TileId::parse(path), Err(TileError::Path), "{path:?}");
    }
}

#[test]
fn tiles_grown_in_any_steps_are_the_same_and_give_every_root_and_proof() {
    let all = leaves(1500);
    let memory = MemoryTree::from_leaves(&all);
    for steps in [vec![1500], vec![1; 1500], vec![255, 1, 1, 255, 300, 688], vec![256, 256, 988]] {
        let (store, size) = grow(&all, &steps);
        assert_eq!(size, 1500);
        for tile in new_tiles(0, size) {
            let hashes = parse_tile(tile, &store[&tile]).unwrap();
            let TileKind::Hashes(level) = tile.kind() else {
                panic!("no hashes");
            };
            for (place, hash) in hashes.iter().enumerate() {
                let index = tile.index() * 256 + place as u64;
                let expected = memory.node(Node { level: level * 8, index }).unwrap();
                assert_eq!(*hash, expected);
            }
        }
        let mut fetched = 0;
        let mut reader = TileReader::new(size, |tile| {
            fetched += 1;
            store.get(&tile).cloned().ok_or(Missing)
        });
        assert_eq!(reader.root().unwrap(), naive_root(&all));
        for index in [0, 1, 255, 256, 1023, 1279, 1280, 1499] {
            let proof = reader.inclusion_proof(index).unwrap();
            assert_eq!(proof, naive_path(index as usize, &all));
        }
        for old in [1, 2, 255, 256, 257, 1024, 1400, 1499, 1500] {
            let proof = reader.consistency_proof(old).unwrap();
            assert_eq!(proof, naive_consistency(old as usize, &all, true));
        }
        let frontier = reader.frontier().unwrap();
        assert_eq!(frontier.root(), memory.root());
        // Of six tiles at level 0 these proofs need five, and one above: none is fetched twice.
        assert_eq!(fetched, 6);
    }
}

#[test]
fn the_full_tile_stands_in_for_a_deleted_partial_one() {
    let all = leaves(600);
    let (store, _) = grow(&all, &[300, 300]);
    let deleted = TileId::hashes(0, 1, 144).unwrap();
    assert!(!store.contains_key(&deleted));
    let only_full = |tile: TileId| {
        let stored = store.get(&tile).or_else(|| store.get(&tile.full()));
        stored.cloned().ok_or(Missing)
    };
    let mut reader = TileReader::new(400, only_full);
    assert_eq!(reader.inclusion_proof(399).unwrap(), naive_path(399, &all[..400]));
    let written = append(300, &all[300..512], only_full).unwrap();
    assert_eq!(written[0].1, store[&TileId::hashes(0, 1, 256).unwrap()]);
}

#[test]
fn a_tile_of_the_wrong_length_and_a_missing_one_are_reported() {
    let all = leaves(300);
    let (store, size) = grow(&all, &[300]);
    let mut reader = TileReader::new(size, |tile: TileId| {
        let mut bytes = store.get(&tile).cloned().ok_or(Missing)?;
        bytes.pop();
        Ok::<_, Missing>(bytes)
    });
    assert!(matches!(reader.root(), Err(TileReadError::Tile(TileError::Length { .. }))));
    let mut reader = TileReader::new(size, |_| Err(Missing));
    assert_eq!(reader.root(), Err(TileReadError::Fetch(Missing)));
    let mut reader = TileReader::new(size, |tile| store.get(&tile).cloned().ok_or(Missing));
    assert!(matches!(reader.inclusion_proof(300), Err(TileReadError::Tile(TileError::Merkle(_)))));
    let full = append(MAX_TREE_SIZE, &all[..1], |_| Err(Missing));
    assert!(matches!(full, Err(TileReadError::Tile(TileError::Merkle(_)))));
}

#[test]
fn a_subtree_stands_in_the_tile_that_covers_it() {
    let node = |level, index| Node { level, index };
    let (tile, range) = tile_of(node(3, 33), 70_000).unwrap();
    assert_eq!((tile.path().as_str(), range), ("tile/0/001", 8..16));
    let (tile, range) = tile_of(node(16, 0), 70_000).unwrap();
    assert_eq!((tile.path().as_str(), range), ("tile/2/000.p/1", 0..1));
    assert_eq!(tile_of(node(16, 1), 70_000), None);
    assert_eq!(tile_of(node(62, u64::MAX), u64::MAX), None);
    assert_eq!(tile_at(TileKind::Entries, 273, 70_000).unwrap().width(), 112);
    assert_eq!(tile_at(TileKind::Entries, 274, 70_000), None);
}

#[test]
fn bundles_carry_entries_of_every_permitted_length() {
    let entries = [vec![], vec![7], vec![9; MAX_ENTRY_BYTES]];
    let bundle = encode_bundle(&entries).unwrap();
    assert_eq!(&bundle[..5], [0, 0, 0, 1, 7]);
    assert_eq!(decode_bundle(&bundle, 3).unwrap(), entries);
    for width in [0, 1, 2, 4, 257] {
        assert_eq!(decode_bundle(&bundle, width), Err(TileError::Bundle));
    }
    assert_eq!(decode_bundle(&bundle[..bundle.len() - 1], 3), Err(TileError::Bundle));
    assert_eq!(decode_bundle(&[0], 1), Err(TileError::Bundle));
    let long = [vec![0; MAX_ENTRY_BYTES + 1]];
    assert_eq!(encode_bundle(&long), Err(TileError::EntryTooLarge));
    assert_eq!(encode_bundle::<Vec<u8>>(&[]), Err(TileError::Bundle));
    let many = vec![b"x"; 257];
    assert_eq!(encode_bundle(&many), Err(TileError::Bundle));
    let full = encode_bundle(&many[..256]).unwrap();
    assert_eq!(decode_bundle(&full, 256).unwrap().len(), 256);
    assert_eq!(decode_bundle(&full, 10).unwrap().len(), 10);
    assert_eq!(decode_bundle(&[full, vec![0, 0]].concat(), 256), Err(TileError::Bundle));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_growth_ends_in_the_root_of_the_frontier(steps in prop::collection::vec(1usize..700, 1..8)) {
        let total: usize = steps.iter().sum();
        let all = leaves(total as u64);
        let (store, size) = grow(&all, &steps);
        let mut frontier = Frontier::new();
        for leaf in &all {
            frontier.append(*leaf).unwrap();
        }
        let mut reader = TileReader::new(size, |tile| store.get(&tile).cloned().ok_or(Missing));
        prop_assert_eq!(reader.frontier().unwrap(), frontier);
    }
}
