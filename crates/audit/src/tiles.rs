//! Tiles on their way to the blob store and back: `log/<name>/tile/…` exactly as they are served (C2SP tlog-tiles).
//!
//! A tile is determined by the leaves, so nothing here needs to be durable: what is missing is written again.

use std::collections::BTreeMap;

use base::Result;
use events::{Leaf, Log};
use futures_util::{StreamExt as _, TryStreamExt as _};
use proof::{
    merkle::{self, Frontier, Hash},
    tile::{self, TILE_WIDTH, TileId, TileKind, TileReadError},
};
use store::blob::Blobs;

use crate::error;

/// Tiles that are written at once; each is synced by itself, and the disk does several syncs in one.
const PUTS_AT_ONCE: usize = 8;

/// The right edge of a log's tiles: where to go on.
pub(crate) struct Edge {
    log: Log,
    pub(crate) frontier: Frontier,
    /// The unfinished tiles, one for each level, as bytes.
    partial: BTreeMap<TileId, Vec<u8>>,
    /// The unfinished bundle of entries.
    bundle: Vec<u8>,
}

/// What an append produced.
pub(crate) struct Written(pub(crate) Vec<(TileId, Vec<u8>)>);

impl Edge {
    /// The edge of an empty log.
    pub(crate) fn empty(log: Log) -> Self {
        Self { log, frontier: Frontier::new(), partial: BTreeMap::new(), bundle: Vec::new() }
    }

    /// The edge of a log of `size` leaves, read from its tiles; nothing when a tile is missing or wrong.
    pub(crate) async fn load(blobs: &Blobs, log: Log, size: u64) -> Option<Self> {
        let mut partial = BTreeMap::new();
        let nodes = merkle::range_nodes(0..size);
        for node in nodes {
            let (tile, _) = tile::tile_of(node, size)?;
            partial.insert(tile, get(blobs, log, tile).await.ok()??);
        }
        let fetch = |tile: TileId| partial.get(&tile).cloned().ok_or(());
        let frontier = tile::TileReader::new(size, fetch).frontier().ok()?;
        let bundle = match size % TILE_WIDTH {
            0 => Vec::new(),
            _ => get(blobs, log, tile::tile_at(TileKind::Entries, size / TILE_WIDTH, size)?).await.ok()??,
        };
        Some(Self { log, frontier, partial, bundle })
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Appends leaves: bundles of entries first, then tiles from below to above.
    pub(crate) fn append(&mut self, leaves: &[Leaf]) -> Result<Written> {
        let fault = |e: tile::TileError| base::error::INTERNAL.because(e);
        let old = self.size();
        let size = old + leaves.len() as u64;
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf.hash).collect();
        let mut out = Vec::new();
        for (leaf, index) in leaves.iter().zip(old..) {
            tile::append_entry(&mut self.bundle, &leaf.entry).map_err(fault)?;
            if (index + 1) % TILE_WIDTH == 0 {
                let full = TileId::entries(index / TILE_WIDTH, 256).map_err(fault)?;
                out.push((full, std::mem::take(&mut self.bundle)));
            }
            self.frontier.append(leaf.hash).map_err(|e| base::error::INTERNAL.because(e))?;
        }
        if let (false, Some(id)) =
            (self.bundle.is_empty(), tile::tile_at(TileKind::Entries, size / TILE_WIDTH, size))
        {
            out.push((id, self.bundle.clone()));
        }
        let partial = std::mem::take(&mut self.partial);
        let tiles =
            tile::append(old, &hashes, |id| partial.get(&id).cloned().ok_or(())).map_err(|e| match e {
                TileReadError::Tile(e) => fault(e),
                TileReadError::Fetch(()) => error::LOG_NOT_FOUND.error(),
            })?;
        // Unfinished tiles of levels that did not grow stay as they are.
        self.partial = partial.into_iter().filter(|(id, _)| !id.is_full() && unchanged(*id, size)).collect();
        self.partial.extend(tiles.iter().filter(|(id, _)| !id.is_full()).cloned());
        out.extend(tiles);
        Ok(Written(out))
    }

    /// Publishes what an append produced, several at a time: only the checkpoint must come after all of them.
    pub(crate) async fn publish(&self, blobs: &Blobs, written: Written) -> Result<()> {
        let puts = written
            .0
            .into_iter()
            .map(|(id, bytes)| async move { blobs.put(&key(self.log, id), bytes).await });
        futures_util::stream::iter(puts).buffer_unordered(PUTS_AT_ONCE).try_collect().await
    }
}

/// Whether an unfinished tile is the same in a tree of `size` leaves.
fn unchanged(id: TileId, size: u64) -> bool {
    tile::tile_at(id.kind(), id.index(), size) == Some(id)
}

fn key(log: Log, id: TileId) -> String {
    format!("log/{}/{}", log.name(), id.path())
}

/// A tile's bytes; a full tile in place of an unfinished one that is gone.
pub(crate) async fn get(blobs: &Blobs, log: Log, id: TileId) -> Result<Option<Vec<u8>>> {
    match blobs.get(&key(log, id)).await? {
        Some(bytes) => Ok(Some(bytes)),
        None if !id.is_full() => blobs.get(&key(log, id.full())).await,
        None => Ok(None),
    }
}

/// The tiles that hold these nodes in a tree of `size` leaves, fetched.
pub(crate) async fn around(
    blobs: &Blobs,
    log: Log,
    size: u64,
    ranges: Vec<std::ops::Range<u64>>,
) -> Result<BTreeMap<TileId, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for node in ranges.into_iter().flat_map(merkle::range_nodes) {
        let Some((id, _)) = tile::tile_of(node, size) else { continue };
        if let std::collections::btree_map::Entry::Vacant(new) = found.entry(id) {
            new.insert(get(blobs, log, id).await?.ok_or_else(|| error::LOG_NOT_FOUND.error())?);
        }
    }
    Ok(found)
}
