//! Tiles: a path and a bundle have one spelling; whatever a server answers, a reader of tiles gives a result or an error.
#![no_main]

use proof::merkle::verify_inclusion;
use proof::tile::{TILE_BYTES, TileId, TileReader, append, decode_bundle, encode_bundle, parse_tile};

fn seeds() -> Vec<Vec<u8>> {
    let bundle = encode_bundle(&[&b"one"[..], b"", b"three"]).expect("a bundle of ours");
    let served = |size: u64, tile: &[u8]| [&size.to_be_bytes()[..], tile].concat();
    let mut seeds =
        fuzz::texts(&["tile/0/x001/x234/067", "tile/entries/000.p/7", "tile/63/x999/x999/999.p/255"]);
    seeds.extend([
        bundle,
        served(300, &[7; TILE_BYTES]),
        served(1, &[7; 32]),
        served(1 << 62, &[7; TILE_BYTES]),
    ]);
    seeds
}

/// A server that answers each question with the same bytes.
fn served(bytes: &[u8]) {
    let Some((size, tile)) = bytes.split_first_chunk::<8>() else { return };
    let size = u64::from_be_bytes(*size);
    let mut reader = TileReader::new(size, |_| Ok::<_, ()>(tile.to_vec()));
    let root = reader.root();
    let index = size / 3;
    if let (Ok(root), Ok(proof)) = (&root, reader.inclusion_proof(index)) {
        // Full tiles of one answer are no tree, but a tree of one level is, and then the proof must lead to its root.
        let leaf = TileId::hashes(0, 0, 1).and_then(|first| parse_tile(first, tile));
        if let (true, Ok([leaf])) = (size == 1, leaf.as_deref()) {
            assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));
        }
    }
    let _ = reader.consistency_proof(index);
    if let Ok(written) = append(size, &[[1; 32], [2; 32]], |_| Ok::<_, ()>(tile.to_vec())) {
        assert!(written.iter().all(|(id, bytes)| bytes.len() == usize::from(id.width()) * 32));
    }
}

fn check(bytes: &[u8]) {
    if let Ok(path) = std::str::from_utf8(bytes)
        && let Ok(tile) = TileId::parse(path)
    {
        assert_eq!(tile.path(), path);
        assert_eq!(TileId::parse(&tile.full().path()), Ok(tile.full()));
    }
    for width in [1, 3, 256] {
        let Ok(entries) = decode_bundle(bytes, width) else { continue };
        assert_eq!(entries.len(), usize::from(width));
        let written = encode_bundle(&entries).expect("entries of a bundle");
        assert!(bytes.starts_with(&written));
    }
    served(bytes);
}

fuzz::target!(seeds, check);
