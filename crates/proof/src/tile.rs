//! Tiles (C2SP tlog-tiles v0.1.0): a log's hashes and entries cut into files of 256 that never change.
//!
//! Why: static files can be served, cached and mirrored by anybody, and every proof can be built from them.
//! A tile is written from leaf hashes and the partial tiles before it, so a lost tile can always be made again.
//! Entries travel in bundles of up to 256, each with a big-endian uint16 length.
//! Never here: IO (a closure fetches tiles), a hash of a partial tile, a path that can leave its folder.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use crate::merkle::{
    BuildError, Frontier, HASH_BYTES, Hash, MAX_TREE_SIZE, MerkleError, Node, consistency_proof,
    inclusion_proof, node_hash,
};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// Levels of the tree that one level of tiles covers.
pub const TILE_HEIGHT: u8 = 8;

/// The highest level a path may name; a tree of 2^63 leaves ends at level 7.
pub const MAX_TILE_LEVEL: u8 = 63;

/// The first tile index that is out of range.
pub const TILE_INDEX_END: u64 = 1 << 40;

/// The largest entry of a bundle, in bytes.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// The longest path that is read; the longest that is written is shorter.
pub const MAX_PATH_BYTES: usize = 64;

/// Bytes of a full tile of hashes: 8,192.
pub const TILE_BYTES: usize = 256 * HASH_BYTES;

/// Tiles that a [`TileReader`] keeps in memory (2 MiB).
const KEPT_TILES: usize = 256;

/// Why a tile, a bundle or a path was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TileError {
    /// No path of a tile, or not written in the one permitted way.
    #[error("this is not the path of a tile")]
    Path,
    /// The tile's bytes are not the hashes its position demands.
    #[error("the tile {tile} has {found} bytes where {expected} are needed")]
    Length {
        /// The tile.
        tile: TileId,
        /// Bytes that the position demands.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A bundle that ends within an entry, has entries too many or too few, or is followed by something.
    #[error("the bundle of entries is malformed")]
    Bundle,
    /// An entry of more than [`MAX_ENTRY_BYTES`].
    #[error("an entry exceeds {MAX_ENTRY_BYTES} bytes")]
    EntryTooLarge,
    /// A position outside the tree, or sizes that do not fit.
    #[error(transparent)]
    Merkle(#[from] MerkleError),
}

/// Why reading or writing tiles failed: their content, or the closure that fetches them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TileReadError<E> {
    /// What was fetched is malformed, or the question was wrong.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The closure's own error.
    #[error("a tile could not be fetched: {0}")]
    Fetch(E),
}

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of the tile level 0..=63; level 0 are the leaf hashes.
    Hashes(u8),
    /// The entries themselves, beside the tile of the same index at level 0.
    Entries,
}

/// One tile: kind, position, and how much of it is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl TileId {
    /// A tile of hashes, filled with `width` of 256.
    pub fn hashes(level: u8, index: u64, width: u16) -> Result<Self, TileError> {
        Self::new(TileKind::Hashes(level), index, width)
    }

    /// A bundle of `width` of 256 entries.
    pub fn entries(index: u64, width: u16) -> Result<Self, TileError> {
        Self::new(TileKind::Entries, index, width)
    }

    fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, TileError> {
        let level_fits = match kind {
            TileKind::Hashes(level) => level <= MAX_TILE_LEVEL,
            TileKind::Entries => true,
        };
        let width_fits = (1..=TILE_WIDTH).contains(&u64::from(width));
        if !level_fits || !width_fits || index >= TILE_INDEX_END {
            return Err(TileError::Path);
        }
        Ok(Self { kind, index, width })
    }

    /// Hashes with their level, or entries.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Position among the tiles of the same kind and level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in it, 1..=256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether it is filled and will never change.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// The same tile when filled: what to ask for when the partial one has been deleted.
    pub fn full(&self) -> Self {
        Self { width: TILE_WIDTH as u16, ..*self }
    }

    /// The path below the log's prefix, e.g. `tile/0/x001/x234/067` or `tile/entries/000.p/7`.
    pub fn path(&self) -> String {
        let level = match self.kind {
            TileKind::Hashes(level) => level.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };
        let mut groups = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups = format!("x{:03}/{groups}", rest % 1000);
            rest /= 1000;
        }
        if self.is_full() {
            format!("tile/{level}/{groups}")
        } else {
            format!("tile/{level}/{groups}.p/{}", self.width)
        }
    }

    /// Reads a path as [`TileId::path`] writes it, and nothing else: no leading slash, no other spelling of a number.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        if path.len() > MAX_PATH_BYTES {
            return Err(TileError::Path);
        }
        let rest = path.strip_prefix("tile/").ok_or(TileError::Path)?;
        let (level, rest) = rest.split_once('/').ok_or(TileError::Path)?;
        let kind = match level {
            "entries" => TileKind::Entries,
            digits => TileKind::Hashes(parse_number(digits)?),
        };
        let (groups, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH as u16),
            Some((groups, width)) => {
                let width: u16 = parse_number(width)?;
                if u64::from(width) >= TILE_WIDTH {
                    return Err(TileError::Path);
                }
                (groups, width)
            }
        };
        let mut index = 0u64;
        for group in groups.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(TileError::Path);
            }
            let value: u64 = digits.parse().map_err(|_| TileError::Path)?;
            index =
                index.checked_mul(1000).and_then(|index| index.checked_add(value)).ok_or(TileError::Path)?;
        }
        let tile = Self::new(kind, index, width)?;
        // One tile has one spelling: whatever else was let through above differs from it here.
        if tile.path() != path {
            return Err(TileError::Path);
        }
        Ok(tile)
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// The number of hashes at a tile level in a tree of `size` leaves: complete subtrees of 256^level leaves.
fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0)
}

/// The tile of this kind and index as it stands in a tree of `size` leaves; none if it is empty.
pub fn tile_at(kind: TileKind, index: u64, size: u64) -> Option<TileId> {
    let level = match kind {
        TileKind::Hashes(level) => level,
        TileKind::Entries => 0,
    };
    let start = index.checked_mul(TILE_WIDTH)?;
    let width = hashes_at(level, size).checked_sub(start)?.min(TILE_WIDTH);
    TileId::new(kind, index, width as u16).ok()
}

/// The tiles that a tree of `size` leaves has and one of `old` leaves has not (or not so full), level by level from 0.
/// With `old` 0 these are all tiles of hashes. Entry bundles are the same as the tiles of level 0.
pub fn new_tiles(old: u64, size: u64) -> impl Iterator<Item = TileId> {
    (0..TILE_HEIGHT).flat_map(move |level| {
        let kind = TileKind::Hashes(level);
        let (before, after) = (hashes_at(level, old), hashes_at(level, size));
        let range = if before < after { before / TILE_WIDTH..after.div_ceil(TILE_WIDTH) } else { 0..0 };
        range.filter_map(move |index| tile_at(kind, index, size))
    })
}

/// Splits a tile's bytes into hashes. A full tile may stand in for a partial one; its first hashes are used.
pub fn parse_tile(tile: TileId, bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
    let expected = usize::from(tile.width) * HASH_BYTES;
    if bytes.len() != expected && bytes.len() != TILE_BYTES {
        return Err(TileError::Length { tile, expected, found: bytes.len() });
    }
    let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
    Ok(hashes.iter().take(usize::from(tile.width)).copied().collect())
}

/// Computes every tile of hashes that changes when leaves are appended to a tree of `old` leaves, upper levels included.
/// `fetch` gives the bytes of the partial tiles at the old right edge (at most one for each level), or of full ones in their place.
/// The tiles come in the order in which they must be published: below before above.
pub fn append<E>(
    old: u64,
    leaves: &[Hash],
    mut fetch: impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<(TileId, Vec<u8>)>, TileReadError<E>> {
    let size = old
        .checked_add(leaves.len() as u64)
        .filter(|size| *size <= MAX_TREE_SIZE)
        .ok_or(TileError::Merkle(MerkleError::TreeFull))?;
    let mut written = Vec::new();
    let mut added = leaves.to_vec();
    for level in 0..TILE_HEIGHT {
        if added.is_empty() {
            break;
        }
        let before = hashes_at(level, old);
        let kind = TileKind::Hashes(level);
        let mut index = before / TILE_WIDTH;
        let mut hashes = Vec::with_capacity(TILE_WIDTH as usize);
        if !before.is_multiple_of(TILE_WIDTH) {
            let edge = tile_at(kind, index, old).ok_or(TileError::Path)?;
            hashes = parse_tile(edge, &fetch(edge).map_err(TileReadError::Fetch)?)?;
        }
        let mut above = Vec::new();
        for hash in added {
            hashes.push(hash);
            if hashes.len() as u64 == TILE_WIDTH {
                above.push(subtree_root(&hashes));
                let tile = tile_at(kind, index, size).ok_or(TileError::Path)?;
                written.push((tile, hashes.concat()));
                hashes.clear();
                index += 1;
            }
        }
        if !hashes.is_empty() {
            let tile = tile_at(kind, index, size).ok_or(TileError::Path)?;
            written.push((tile, hashes.concat()));
        }
        added = above;
    }
    Ok(written)
}

/// The root of a power-of-two number of hashes.
fn subtree_root(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied().unwrap_or(crate::merkle::EMPTY_ROOT)
}

/// Reads hashes of complete subtrees out of tiles, for roots and proofs over a tree of a given size.
/// Each tile is fetched once while it stays among the last ones used.
#[derive(Debug)]
pub struct TileReader<F> {
    size: u64,
    fetch: F,
    kept: BTreeMap<TileId, Vec<Hash>>,
}

impl<E, F: FnMut(TileId) -> Result<Vec<u8>, E>> TileReader<F> {
    /// A reader over the tree of `size` leaves. `fetch` gives a tile's bytes; it may answer with the full tile.
    pub fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch, kept: BTreeMap::new() }
    }

    /// The hash of one complete subtree.
    pub fn node(&mut self, node: Node) -> Result<Hash, TileReadError<E>> {
        let outside = TileError::Merkle(MerkleError::IndexOutsideTree { index: node.index, size: self.size });
        let Some((tile, within)) = tile_of(node, self.size) else {
            return Err(outside.into());
        };
        if !self.kept.contains_key(&tile) {
            let bytes = (self.fetch)(tile).map_err(TileReadError::Fetch)?;
            let hashes = parse_tile(tile, &bytes)?;
            if self.kept.len() >= KEPT_TILES {
                self.kept.clear();
            }
            self.kept.insert(tile, hashes);
        }
        let hashes = self.kept.get(&tile).and_then(|hashes| hashes.get(within));
        hashes.map(subtree_root).ok_or_else(|| outside.into())
    }

    /// The root over all leaves.
    pub fn root(&mut self) -> Result<Hash, TileReadError<E>> {
        Ok(self.frontier()?.root())
    }

    /// The right edge, ready to be appended to.
    pub fn frontier(&mut self) -> Result<Frontier, TileReadError<E>> {
        Frontier::read(self.size, |node| self.node(node)).map_err(flatten)
    }

    /// The proof that leaf `index` stands in this tree.
    pub fn inclusion_proof(&mut self, index: u64) -> Result<Vec<Hash>, TileReadError<E>> {
        inclusion_proof(index, self.size, |node| self.node(node)).map_err(flatten)
    }

    /// The proof that this tree begins with the tree of its first `old` leaves.
    pub fn consistency_proof(&mut self, old: u64) -> Result<Vec<Hash>, TileReadError<E>> {
        consistency_proof(old, self.size, |node| self.node(node)).map_err(flatten)
    }
}

fn flatten<E>(error: BuildError<TileReadError<E>>) -> TileReadError<E> {
    match error {
        BuildError::Merkle(error) => TileError::Merkle(error).into(),
        BuildError::Read(error) => error,
    }
}

/// The tile (as full as it is in a tree of `size` leaves) that holds the hashes below a complete subtree, and where in it they stand.
/// For asking a store for many tiles at once; none if the subtree is not complete within `size`.
pub fn tile_of(node: Node, size: u64) -> Option<(TileId, std::ops::Range<usize>)> {
    let level = node.level / TILE_HEIGHT;
    let within = u32::from(node.level % TILE_HEIGHT);
    let first = node.index.checked_mul(1 << within)?;
    let tile = tile_at(TileKind::Hashes(level), first / TILE_WIDTH, size)?;
    let start = (first % TILE_WIDTH) as usize;
    let end = start + (1 << within);
    (end <= usize::from(tile.width)).then_some((tile, start..end))
}

/// Writes a bundle of 1 to 256 entries.
pub fn encode_bundle<T: AsRef<[u8]>>(entries: &[T]) -> Result<Vec<u8>, TileError> {
    if entries.is_empty() || entries.len() as u64 > TILE_WIDTH {
        return Err(TileError::Bundle);
    }
    let mut bundle = Vec::new();
    for entry in entries {
        append_entry(&mut bundle, entry.as_ref())?;
    }
    Ok(bundle)
}

/// Adds one entry to a bundle that has room.
pub fn append_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLarge)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Splits a bundle into its entries, which are `width` (1..=256) or more when a full bundle stands in; the first `width` are given.
pub fn decode_bundle(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    if width == 0 || u64::from(width) > TILE_WIDTH {
        return Err(TileError::Bundle);
    }
    let mut entries = Vec::with_capacity(usize::from(width));
    let mut rest = bundle;
    while !rest.is_empty() {
        if entries.len() as u64 == TILE_WIDTH {
            return Err(TileError::Bundle);
        }
        let (length, body) = rest.split_first_chunk::<2>().ok_or(TileError::Bundle)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = body.split_at_checked(length).ok_or(TileError::Bundle)?;
        entries.push(entry);
        rest = after;
    }
    let found = entries.len() as u64;
    if found != u64::from(width) && found != TILE_WIDTH {
        return Err(TileError::Bundle);
    }
    entries.truncate(usize::from(width));
    Ok(entries)
}

/// A decimal number without leading zeros or signs.
fn parse_number<T: std::str::FromStr>(digits: &str) -> Result<T, TileError> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (digits.len() > 1 && digits.starts_with('0')) {
        return Err(TileError::Path);
    }
    digits.parse().map_err(|_| TileError::Path)
}
