//! The self-audit of a log: each leaf held against its fact, each tile against its leaves, the root against what was
//! signed.
//!
//! Three steps overlap, each a chunk behind the one before: rows are read, hashes are computed, tiles are compared with
//! what is published. So a large log takes as long as its slowest step and no more memory than three chunks.
//! Never here: a repair. What does not agree is named and left as it is.

use std::borrow::Cow;

use base::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::{Audited, Log, LogRange};
use futures_util::{StreamExt as _, TryStreamExt as _};
use proof::{
    crypto::{hex, sha256},
    merkle,
    tile::TileId,
    tlog_proof::LogPolicy,
};

use super::{Audit, CHUNK_LEAVES};
use crate::{
    model::{LogHead, LogReport},
    tiles::{self, Edge, Written},
};

/// The self-audit names so many problems and then stops.
const PROBLEMS_MAX: usize = 20;
/// Published tiles that are fetched at once.
const TILES_AT_ONCE: usize = 8;

impl Audit {
    /// Computes a whole log again: leaves from facts, tiles from leaves, the root under its checkpoint.
    ///
    /// # Errors
    /// The store's; what does not agree is in the report.
    pub async fn verify(&self, log: Log) -> Result<LogReport> {
        let head = self.head(log).await?;
        let mut problems = Vec::new();
        let mut edge = Edge::empty(log);
        let mut chunk = self.audited(log, 0, head.size).await?;
        let mut tiles = Vec::new();
        while edge.size() < head.size && problems.len() < PROBLEMS_MAX {
            if chunk.is_empty() {
                problems.push(format!("leaf {} of {} is missing", edge.size(), head.size));
                break;
            }
            let after = edge.size() + chunk.len() as u64;
            let computing = tokio::task::spawn_blocking(move || compute(edge, chunk, head.size));
            let (next, computed, differing) = tokio::join!(
                self.audited(log, after, head.size),
                computing,
                self.differing_tiles(log, std::mem::take(&mut tiles))
            );
            let computed = computed.map_err(|failed| base::error::INTERNAL.because(failed))??;
            chunk = next?;
            problems.extend(computed.problems);
            problems.extend(differing?);
            (edge, tiles) = (computed.edge, computed.tiles);
        }
        problems.extend(self.differing_tiles(log, tiles).await?);
        let root = edge.frontier.root();
        if edge.size() == head.size && root != head.root {
            problems.push("the root over all leaves is not the one that was signed".to_owned());
        }
        problems.extend(self.checkpoint_problem(log, &head).await?);
        let size = edge.size();
        let (facts, placed, waiting) = self
            .house
            .db
            .read("audit.census", move |rx| {
                let (facts, placed) = events::census(rx)?;
                Ok((facts, placed, events::waiting_from(rx, log, size)?))
            })
            .await?;
        if facts != placed {
            problems.push(format!("{facts} facts but {placed} places in the logs"));
        }
        problems.truncate(PROBLEMS_MAX);
        Ok(LogReport {
            log: log.name().to_owned(),
            size,
            waiting,
            root: STANDARD.encode(root),
            ok: problems.is_empty(),
            problems,
        })
    }

    /// The next leaves from `from` on, with their facts; none at the end.
    async fn audited(&self, log: Log, from: u64, size: u64) -> Result<Vec<Audited>> {
        if from >= size {
            return Ok(Vec::new());
        }
        let limit = u32::try_from(size - from).unwrap_or(u32::MAX).min(CHUNK_LEAVES);
        let range = LogRange { from, limit };
        self.house.db.read("audit.audited", move |rx| events::audited(rx, log, range)).await
    }

    /// Compares tiles with what is published, several at a time.
    async fn differing_tiles(&self, log: Log, tiles: Vec<(TileId, Vec<u8>)>) -> Result<Vec<String>> {
        let compared = futures_util::stream::iter(tiles).map(async |(id, bytes)| {
            let published = tiles::get(&self.blobs, log, id).await?;
            Ok::<_, base::Error>(match published {
                // A full tile may stand in place of an unfinished one.
                Some(found) if found.starts_with(&bytes) && (!id.is_full() || found.len() == bytes.len()) => {
                    None
                }
                Some(_) => Some(format!("tile {} differs from its leaves", id.path())),
                None => Some(format!("tile {} is missing", id.path())),
            })
        });
        compared.buffered(TILES_AT_ONCE).try_filter_map(async |problem| Ok(problem)).try_collect().await
    }

    async fn checkpoint_problem(&self, log: Log, head: &LogHead) -> Result<Option<String>> {
        let Some(checkpoint) = &head.checkpoint else {
            return Ok((head.size > 0).then(|| "there is no checkpoint".to_owned()));
        };
        let policy = LogPolicy::new(&head.origin, &self.verifiers(log, &head.origin).await?, &[], 0)
            .map_err(|e| base::error::INTERNAL.because(e))?;
        Ok(match policy.open(checkpoint) {
            Err(wrong) => Some(format!("the checkpoint does not open: {wrong}")),
            Ok(opened) if opened.checkpoint.size() > head.size => {
                Some("the checkpoint is ahead of its log".to_owned())
            }
            Ok(opened) if opened.checkpoint.size() == head.size && *opened.checkpoint.root() != head.root => {
                Some("the checkpoint is of another tree".to_owned())
            }
            Ok(_) => None,
        })
    }
}

/// What became of a chunk of leaves.
struct Computed {
    edge: Edge,
    /// The tiles that must be published as they are here.
    tiles: Vec<(TileId, Vec<u8>)>,
    problems: Vec<String>,
}

/// Holds a chunk of leaves against its facts and appends it to the tree.
fn compute(mut edge: Edge, chunk: Vec<Audited>, size: u64) -> Result<Computed> {
    let problems =
        chunk.iter().zip(edge.size()..).filter_map(|(row, index)| disagreement(row, index)).collect();
    let leaves: Vec<events::Leaf> = chunk.into_iter().map(|row| row.leaf).collect();
    let Written(mut tiles) = edge.append(&leaves)?;
    // Unfinished tiles count only at the end: earlier ones may have been replaced by full ones.
    tiles.retain(|(id, _)| id.is_full() || edge.size() == size);
    Ok(Computed { edge, tiles, problems })
}

/// What a leaf says of its fact; the other members are in its hash.
#[derive(serde::Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    payload: Cow<'a, str>,
}

/// How a leaf disagrees with the fact it was made of, if it does.
fn disagreement(row: &Audited, index: u64) -> Option<String> {
    let leaf = &row.leaf;
    if leaf.index != index {
        return Some(format!("leaf {index} is missing, the next is {}", leaf.index));
    }
    if merkle::leaf_hash(&leaf.entry) != leaf.hash {
        return Some(format!("leaf {index} ({}) has another hash than its bytes", leaf.fact));
    }
    let Ok(entry) = serde_json::from_slice::<Entry<'_>>(&leaf.entry) else {
        return Some(format!("leaf {index} ({}) cannot be read", leaf.fact));
    };
    let digest = proof::canon::canonicalize(&row.payload)
        .map(|text| hex(&sha256(text.as_bytes())))
        .unwrap_or_default();
    let compared = [
        ("id", entry.id, leaf.fact.to_string()),
        ("type", entry.kind, row.kind.clone()),
        ("time", entry.time, row.time.rfc3339()),
        ("payload", entry.payload, digest),
    ];
    let (name, ..) = compared.iter().find(|(_, said, expected)| said != expected)?;
    Some(format!("leaf {index} ({}) and its fact differ in {name}", leaf.fact))
}
