//! Merkle trees of RFC 6962 over SHA-256: hashing, growing, proving and checking.
//!
//! Why our own: this arithmetic is the product's evidence, so no foreign crate decides what is true; two foreign ones judge it in the tests.
//! A hash is `[u8; 32]` by type, so an empty or short hash cannot reach a comparison.
//! Proofs are built from the hashes of complete subtrees, wherever they are stored (tiles, a database, memory).
//! Never here: IO, a panic on outside input, a proof accepted with a hash too many or too few.

use std::ops::Range;

use thiserror::Error;

/// A SHA-256 hash: of a leaf, of an inner node or of a whole tree.
pub type Hash = [u8; HASH_BYTES];

/// Bytes of one hash.
pub const HASH_BYTES: usize = 32;

/// The largest number of leaves a tree may have: 2^63 − 1.
pub const MAX_TREE_SIZE: u64 = (1 << 63) - 1;

/// The largest number of hashes in a proof; a tree of fewer than 2^63 leaves never needs more.
pub const MAX_PROOF_HASHES: usize = 63;

/// The root of the tree without leaves: SHA-256 of nothing (RFC 6962 §2.1).
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

/// Why a tree, a proof or a position was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MerkleError {
    /// The leaf's index is not below the tree's size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    IndexOutsideTree {
        /// Zero-based position of the leaf.
        index: u64,
        /// Number of leaves of the tree.
        size: u64,
    },
    /// The older size is zero, or larger than the newer one.
    #[error("a tree of {size} leaves cannot grow out of one of {old} leaves in a provable way")]
    Sizes {
        /// Number of leaves of the older tree.
        old: u64,
        /// Number of leaves of the newer tree.
        size: u64,
    },
    /// The range is no subtree of the tree: misaligned, reversed or past the end.
    #[error("[{start}, {end}) is not a subtree of a tree of {size} leaves")]
    NotASubtree {
        /// First leaf of the range.
        start: u64,
        /// Leaf after the last one of the range.
        end: u64,
        /// Number of leaves of the tree.
        size: u64,
    },
    /// The proof has another number of hashes than the positions demand.
    #[error("the proof does not have exactly as many hashes as the positions demand")]
    ProofLength,
    /// The proof leads to another root than the one given.
    #[error("the proof leads to another root")]
    RootMismatch,
    /// The parts of a stored tree do not belong together.
    #[error("a tree of {size} leaves is described by {expected} hashes, not {found}")]
    FrontierParts {
        /// Number of leaves.
        size: u64,
        /// Hashes that this size needs.
        expected: usize,
        /// Hashes that were given.
        found: usize,
    },
    /// The tree would exceed [`MAX_TREE_SIZE`].
    #[error("the tree has reached its largest size")]
    TreeFull,
}

/// Why a proof could not be built: the question was wrong, or a hash could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError<E> {
    /// The question makes no sense for this tree.
    #[error(transparent)]
    Merkle(#[from] MerkleError),
    /// The reader of stored hashes failed.
    #[error("a stored hash could not be read: {0}")]
    Read(E),
}

/// A complete subtree: `2^level` leaves from `index · 2^level` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// 0 for a leaf, at most 62.
    pub level: u8,
    /// Position among the subtrees of this level, from the left.
    pub index: u64,
}

fn sha256(bytes: &[u8]) -> Hash {
    crate::crypto::sha256(bytes)
}

/// Hash of a leaf: SHA-256(0x00 ‖ entry), RFC 6962 §2.1.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut input = Vec::with_capacity(entry.len() + 1);
    input.push(LEAF_PREFIX);
    input.extend_from_slice(entry);
    sha256(&input)
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962 §2.1.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [NODE_PREFIX; 1 + 2 * HASH_BYTES];
    let (first, second) = input[1..].split_at_mut(HASH_BYTES);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    sha256(&input)
}

/// Checks that a leaf stands at `index` of the tree with `size` leaves and this root (RFC 6962 §2.1.1).
/// Give the hash of the entry itself ([`leaf_hash`]), never one that came with the proof.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), MerkleError> {
    if root_of_inclusion(leaf, index, size, proof)? == *root {
        Ok(())
    } else {
        Err(MerkleError::RootMismatch)
    }
}

/// The root that an inclusion proof leads to. Compare it with a root that you trust.
pub fn root_of_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash]) -> Result<Hash, MerkleError> {
    if index >= size {
        return Err(MerkleError::IndexOutsideTree { index, size });
    }
    // Below `inner` levels the paths of this leaf and of the last leaf differ, so siblings stand on both sides;
    // above it we are on the right edge and only left siblings exist.
    let inner = bit_length(index ^ (size - 1));
    let border = shift_right(index, inner).count_ones();
    if proof.len() as u64 != u64::from(inner) + u64::from(border) {
        return Err(MerkleError::ProofLength);
    }
    let mut hash = *leaf;
    for (level, sibling) in (0u32..).zip(proof) {
        hash = if level < inner && shift_right(index, level) & 1 == 0 {
            node_hash(&hash, sibling)
        } else {
            node_hash(sibling, &hash)
        };
    }
    Ok(hash)
}

/// Checks that the tree (`new_size`, `new_root`) begins with exactly the leaves of (`old_size`, `old_root`) (RFC 6962 §2.1.2).
/// An old size of 0 is refused: nothing can be proven about it.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), MerkleError> {
    if old_size == 0 || old_size > new_size {
        return Err(MerkleError::Sizes { old: old_size, size: new_size });
    }
    verify_subtree_consistency(0, old_size, old_root, new_size, new_root, proof)
}

/// Whether `[start, end)` may be a subtree: not reversed, and `start` a multiple of the smallest power of two that is
/// not below `end − start` (draft-ietf-plants-merkle-tree-certs). The empty range is a subtree.
pub fn is_subtree(start: u64, end: u64) -> bool {
    let Some(width) = end.checked_sub(start) else {
        return false;
    };
    if width <= 1 {
        return true;
    }
    match width.checked_next_power_of_two() {
        Some(power) => start.is_multiple_of(power),
        None => start == 0,
    }
}

/// Checks that a leaf stands at `index` (counted in the whole tree) of the subtree `[start, end)` with this root.
pub fn verify_subtree_inclusion(
    leaf: &Hash,
    index: u64,
    start: u64,
    end: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), MerkleError> {
    if !is_subtree(start, end) {
        return Err(MerkleError::NotASubtree { start, end, size: end });
    }
    if index < start || index >= end {
        return Err(MerkleError::IndexOutsideTree { index, size: end });
    }
    verify_inclusion(leaf, index - start, end - start, proof, root)
}

/// Checks that the subtree `[start, end)` with `subtree_root` lies in the tree (`size`, `root`)
/// (draft-ietf-plants-merkle-tree-certs, verifying a subtree consistency proof).
/// An empty subtree is only accepted with an empty proof and [`EMPTY_ROOT`]; it says nothing about the tree.
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    subtree_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), MerkleError> {
    if !is_subtree(start, end) || end > size {
        return Err(MerkleError::NotASubtree { start, end, size });
    }
    if start == end {
        return match (proof.is_empty(), *subtree_root == EMPTY_ROOT) {
            (false, _) => Err(MerkleError::ProofLength),
            (true, false) => Err(MerkleError::RootMismatch),
            (true, true) => Ok(()),
        };
    }
    // Positions of the subtree's first leaf, of its last leaf and of the tree's last leaf; all three climb together.
    let mut first = start;
    let mut last = end - 1;
    let mut tree_last = size - 1;
    while first != last && (last == tree_last || last & 1 == 1) {
        first >>= 1;
        last >>= 1;
        tree_last >>= 1;
    }
    // A complete subtree's own root is where both climbs begin; otherwise the proof brings the first common node.
    let mut rest = proof;
    let mut subtree_hash = *subtree_root;
    if first != last {
        let (seed, others) = proof.split_first().ok_or(MerkleError::ProofLength)?;
        subtree_hash = *seed;
        rest = others;
    }
    let mut tree_hash = subtree_hash;
    for sibling in rest {
        if tree_last == 0 {
            return Err(MerkleError::ProofLength);
        }
        if last & 1 == 1 || last == tree_last {
            if first < last {
                subtree_hash = node_hash(sibling, &subtree_hash);
            }
            tree_hash = node_hash(sibling, &tree_hash);
            while last & 1 == 0 && last != 0 {
                first >>= 1;
                last >>= 1;
                tree_last >>= 1;
            }
        } else {
            tree_hash = node_hash(&tree_hash, sibling);
        }
        first >>= 1;
        last >>= 1;
        tree_last >>= 1;
    }
    if tree_last != 0 {
        return Err(MerkleError::ProofLength);
    }
    if subtree_hash == *subtree_root && tree_hash == *root { Ok(()) } else { Err(MerkleError::RootMismatch) }
}

/// The ranges of leaves whose roots make up the inclusion proof, in the proof's order (leaf's sibling first).
pub fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range<u64>>, MerkleError> {
    if index >= size || size > MAX_TREE_SIZE {
        return Err(MerkleError::IndexOutsideTree { index, size });
    }
    let (mut low, mut high) = (0, size);
    let mut ranges = Vec::new();
    while high - low > 1 {
        let middle = low + split_width(high - low);
        if index < middle {
            ranges.push(middle..high);
            high = middle;
        } else {
            ranges.push(low..middle);
            low = middle;
        }
    }
    ranges.reverse();
    Ok(ranges)
}

/// The ranges of leaves whose roots make up the proof that `old` leaves begin the tree of `size` leaves, in the proof's order.
pub fn consistency_ranges(old: u64, size: u64) -> Result<Vec<Range<u64>>, MerkleError> {
    if old == 0 || old > size || size > MAX_TREE_SIZE {
        return Err(MerkleError::Sizes { old, size });
    }
    subtree_consistency_ranges(0, old, size)
}

/// The ranges of leaves whose roots prove that the subtree `[start, end)` lies in the tree of `size` leaves, in the proof's order.
pub fn subtree_consistency_ranges(start: u64, end: u64, size: u64) -> Result<Vec<Range<u64>>, MerkleError> {
    if !is_subtree(start, end) || end > size || size > MAX_TREE_SIZE {
        return Err(MerkleError::NotASubtree { start, end, size });
    }
    if start == end {
        return Ok(Vec::new());
    }
    let (mut low, mut high) = (0, size);
    // The part of the subtree still searched for; once it has been cut, its root is no longer known to the verifier.
    let mut wanted = start;
    let mut cut = false;
    let mut ranges = Vec::new();
    while (wanted, end) != (low, high) {
        let middle = low + split_width(high - low);
        if end <= middle {
            ranges.push(middle..high);
            high = middle;
            continue;
        }
        ranges.push(low..middle);
        low = middle;
        if wanted < middle {
            wanted = middle;
            cut = true;
        }
    }
    if cut {
        ranges.push(low..high);
    }
    ranges.reverse();
    Ok(ranges)
}

/// The complete subtrees that cover an aligned range of leaves, from left to right; largest first.
pub fn range_nodes(range: Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut low = range.start;
    while low < range.end {
        let width = bit_length(range.end - low) - 1;
        let level = if low == 0 { width } else { width.min(low.trailing_zeros()) };
        nodes.push(Node {
            // Safe because: a u64 has at most 64 bits, so a level is at most 63.
            level: level as u8,
            index: low >> level,
        });
        low += 1 << level;
    }
    nodes
}

/// The root of an aligned range of leaves, from the hashes of its complete subtrees.
pub fn hash_range<E>(range: Range<u64>, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    let mut root = None;
    for node in range_nodes(range).into_iter().rev() {
        let left = read(node)?;
        root = Some(match root {
            None => left,
            Some(right) => node_hash(&left, &right),
        });
    }
    Ok(root.unwrap_or(EMPTY_ROOT))
}

/// Builds the inclusion proof of leaf `index` in the tree of `size` leaves; `read` gives the hashes of complete subtrees.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, BuildError<E>> {
    hash_ranges(inclusion_ranges(index, size)?, read)
}

/// Builds the proof that the first `old` leaves of the tree of `size` leaves are the older tree.
pub fn consistency_proof<E>(
    old: u64,
    size: u64,
    read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, BuildError<E>> {
    hash_ranges(consistency_ranges(old, size)?, read)
}

/// Builds the proof that the subtree `[start, end)` lies in the tree of `size` leaves.
pub fn subtree_consistency_proof<E>(
    start: u64,
    end: u64,
    size: u64,
    read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, BuildError<E>> {
    hash_ranges(subtree_consistency_ranges(start, end, size)?, read)
}

fn hash_ranges<E>(
    ranges: Vec<Range<u64>>,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, BuildError<E>> {
    ranges.into_iter().map(|range| hash_range(range, &mut read).map_err(BuildError::Read)).collect()
}

/// The right edge of a growing tree: enough to append and to know the root, in at most 63 hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees from left to right, largest first; one for each set bit of `size`.
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Restores a stored edge. Refused when the number of hashes is not the number of set bits of `size`.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self, MerkleError> {
        let expected = size.count_ones() as usize;
        if size > MAX_TREE_SIZE {
            return Err(MerkleError::TreeFull);
        }
        if hashes.len() != expected {
            return Err(MerkleError::FrontierParts { size, expected, found: hashes.len() });
        }
        Ok(Self { size, hashes })
    }

    /// Reads the edge of a tree of `size` leaves out of stored hashes.
    pub fn read<E>(size: u64, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Self, BuildError<E>> {
        if size > MAX_TREE_SIZE {
            return Err(BuildError::Merkle(MerkleError::TreeFull));
        }
        let hashes = range_nodes(0..size)
            .into_iter()
            .map(|node| read(node).map_err(BuildError::Read))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { size, hashes })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes to store beside [`Frontier::size`], largest subtree first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Appends one leaf, given its hash ([`leaf_hash`]).
    pub fn append(&mut self, leaf: Hash) -> Result<(), MerkleError> {
        self.append_with(leaf, |_, _| ())
    }

    /// Appends one leaf and tells every complete subtree that it finishes, the leaf itself first.
    pub fn append_with(
        &mut self,
        leaf: Hash,
        mut finished: impl FnMut(Node, &Hash),
    ) -> Result<(), MerkleError> {
        if self.size >= MAX_TREE_SIZE {
            return Err(MerkleError::TreeFull);
        }
        let mut hash = leaf;
        let mut node = Node { level: 0, index: self.size };
        finished(node, &hash);
        while node.index & 1 == 1 {
            let Some(left) = self.hashes.pop() else {
                break;
            };
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            finished(node, &hash);
        }
        self.hashes.push(hash);
        self.size += 1;
        Ok(())
    }

    /// The root of the tree as it stands.
    pub fn root(&self) -> Hash {
        let mut edge = self.hashes.iter().rev();
        let Some(last) = edge.next() else {
            return EMPTY_ROOT;
        };
        edge.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// A whole tree in memory: every complete subtree's hash. For evidence bundles, re-verification and tests.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    frontier: Frontier,
    levels: Vec<Vec<Hash>>,
}

impl MemoryTree {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree over these leaf hashes.
    pub fn from_leaves(leaves: &[Hash]) -> Self {
        let mut tree = Self::new();
        for leaf in leaves {
            tree.push(*leaf);
        }
        tree
    }

    /// Appends one leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let levels = &mut self.levels;
        // Memory ends long before 2^63 leaves, so an append is never refused for size.
        let _ = self.frontier.append_with(leaf, |node, hash| {
            let level = usize::from(node.level);
            if levels.len() <= level {
                levels.resize_with(level + 1, Vec::new);
            }
            if let Some(hashes) = levels.get_mut(level) {
                hashes.push(*hash);
            }
        });
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The root over the first `size` leaves.
    pub fn root_at(&self, size: u64) -> Result<Hash, MerkleError> {
        hash_range(0..size, |node| self.node(node))
    }

    /// The hash of a complete subtree.
    pub fn node(&self, node: Node) -> Result<Hash, MerkleError> {
        usize::try_from(node.index)
            .ok()
            .and_then(|index| self.levels.get(usize::from(node.level))?.get(index))
            .copied()
            .ok_or(MerkleError::IndexOutsideTree { index: node.index, size: self.size() })
    }

    /// Proof that leaf `index` stands in the tree of the first `size` leaves.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, MerkleError> {
        flatten(inclusion_proof(index, size, |node| self.node(node)))
    }

    /// Proof that the tree of the first `size` leaves begins with the tree of the first `old` leaves.
    pub fn consistency_proof(&self, old: u64, size: u64) -> Result<Vec<Hash>, MerkleError> {
        flatten(consistency_proof(old, size, |node| self.node(node)))
    }
}

fn flatten<T>(result: Result<T, BuildError<MerkleError>>) -> Result<T, MerkleError> {
    result.map_err(|error| match error {
        BuildError::Merkle(error) | BuildError::Read(error) => error,
    })
}

/// The largest power of two below `width`, for a width of at least 2.
fn split_width(width: u64) -> u64 {
    1 << (bit_length(width - 1) - 1)
}

fn bit_length(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// `value >> bits`, and 0 where Rust's shift would overflow.
fn shift_right(value: u64, bits: u32) -> u64 {
    value.checked_shr(bits).unwrap_or(0)
}
