//! RDF Dataset Canonicalization (RDFC-1.0): the same statements always give the same bytes.
//!
//! In ordinary credentials every blank node is told apart by its own statements, and the algorithm is hashing and
//! sorting. Nodes that look alike need the costly part (Hash N-Degree Quads), which works on a budget of steps: a dozen
//! nodes tied in a knot would otherwise keep a machine busy for hours ("dataset poisoning", RDFC-1.0 §7.1).
//! One gap is the standard's: nodes that differ only by the graphs in which they are named stay alike, and their order in the
//! document decides. A signature over such a document may not outlive a reordering; it never holds for another meaning.
//! Never here: an input that can make it run for long.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::{
    ALIKE_BLANK_NODES_MAX, CANONICAL_BYTES_MAX, Dataset, LdError, LdErrorKind, PERMUTATION_LIMIT, STEPS_MAX,
};

/// Statements that can write themselves as N-Quads lines.
pub trait Lines {
    /// Number of statements.
    fn count(&self) -> usize;
    /// Blank nodes are numbered from 0 up to this.
    fn blank_count(&self) -> u32;
    /// The blank nodes of one statement: subject, object, graph.
    fn blanks(&self, index: usize) -> [Option<u32>; 3];
    /// The predicate's address.
    fn predicate(&self, index: usize) -> &str;
    /// Writes one statement with its final line break; `label` writes a blank node.
    fn write(&self, index: usize, out: &mut String, label: &dyn Fn(u32, &mut String));
}

/// Canonical N-Quads and who became whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// The canonical N-Quads.
    pub text: String,
    /// For each blank node number its canonical label (without `_:`), where the node occurs.
    pub labels: BTreeMap<u32, String>,
}

/// The hash function of a canonicalisation: bytes in, lower-case hexadecimal out.
type Hash = fn(&[u8]) -> String;

fn limit(what: &'static str) -> LdError {
    LdError::new(LdErrorKind::Limit(what))
}

/// RDFC-1.0 with SHA-256.
///
/// # Errors
/// [`LdErrorKind::Limit`] when the dataset is built so that canonicalising it would take too long.
pub fn canonicalize(dataset: &Dataset<'_>) -> Result<Canonical, LdError> {
    canonicalize_lines(dataset)
}

/// RDFC-1.0 with SHA-256 over anything that writes statements.
///
/// # Errors
/// As [`canonicalize`].
pub fn canonicalize_lines(lines: &impl Lines) -> Result<Canonical, LdError> {
    canonicalize_by(lines, |bytes| crate::crypto::hex(&crate::crypto::sha256(bytes)))
}

/// RDFC-1.0 with SHA-384, as the P-384 suites use it.
///
/// # Errors
/// As [`canonicalize`].
pub fn canonicalize_sha384(lines: &impl Lines) -> Result<Canonical, LdError> {
    canonicalize_by(lines, |bytes| crate::crypto::hex(&crate::crypto::sha384(bytes)))
}

fn canonicalize_by(lines: &impl Lines, hash: Hash) -> Result<Canonical, LdError> {
    let labels = label_blanks(lines, hash)?;
    let label = |blank: u32, out: &mut String| {
        out.push_str("_:");
        out.push_str(labels.get(&blank).map_or("", String::as_str));
    };
    let mut buffer = String::with_capacity(lines.count() * 160);
    let mut ranges = Vec::with_capacity(lines.count());
    for index in 0..lines.count() {
        let start = buffer.len();
        lines.write(index, &mut buffer, &label);
        ranges.push(start..buffer.len());
        if buffer.len() > CANONICAL_BYTES_MAX {
            return Err(limit("too long"));
        }
    }
    let mut sorted: Vec<&str> = ranges.into_iter().filter_map(|range| buffer.get(range)).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let text = sorted.concat();
    Ok(Canonical { text, labels })
}

/// RDFC-1.0 §4.4.3: canonical labels of all blank nodes.
fn label_blanks(lines: &impl Lines, hash: Hash) -> Result<BTreeMap<u32, String>, LdError> {
    if lines.blank_count() == 0 {
        return Ok(BTreeMap::new());
    }
    let mentions = mentions(lines);
    let mut by_hash: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut first_degree = BTreeMap::new();
    for (blank, indices) in &mentions {
        let digest = hash_first_degree(lines, *blank, indices, hash);
        by_hash.entry(digest.clone()).or_default().push(*blank);
        first_degree.insert(*blank, digest);
    }
    let alike: usize = by_hash.values().map(Vec::len).filter(|n| *n > 1).sum();
    if alike > ALIKE_BLANK_NODES_MAX {
        return Err(limit("too many nodes without an address look alike"));
    }
    let mut canonical = Issuer::default();
    for blanks in by_hash.values() {
        if let [only] = blanks.as_slice() {
            canonical.issue(*only);
        }
    }
    let mut knots = Knots { lines, hash, mentions, first_degree, canonical, steps: 0 };
    for blanks in by_hash.values().filter(|blanks| blanks.len() > 1) {
        knots.untie(blanks)?;
    }
    let order = knots.canonical.order.iter().enumerate();
    Ok(order.map(|(rank, blank)| (*blank, format!("c14n{rank}"))).collect())
}

/// For each blank node the statements it occurs in, each statement once.
fn mentions(lines: &impl Lines) -> BTreeMap<u32, Vec<usize>> {
    let mut mentions: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    for index in 0..lines.count() {
        let blanks = lines.blanks(index);
        if blanks.iter().all(Option::is_none) {
            continue;
        }
        // A dataset is a set: a statement that stands twice in the document counts once.
        let mut own = String::new();
        lines.write(index, &mut own, &|other, out| {
            let _ = write!(out, "_:{other}");
        });
        if !seen.insert(own) {
            continue;
        }
        for blank in blanks.into_iter().flatten() {
            let list = mentions.entry(blank).or_default();
            if list.last() != Some(&index) {
                list.push(index);
            }
        }
    }
    mentions
}

/// Hash First Degree Quads (RDFC-1.0 §4.6).
fn hash_first_degree(lines: &impl Lines, blank: u32, indices: &[usize], hash: Hash) -> String {
    let mut texts: Vec<String> = indices
        .iter()
        .map(|index| {
            let mut text = String::new();
            lines.write(*index, &mut text, &|other, out| {
                out.push_str(if other == blank { "_:a" } else { "_:z" });
            });
            text
        })
        .collect();
    texts.sort_unstable();
    hash(texts.concat().as_bytes())
}

/// Blank nodes in the order in which they were given identifiers (RDFC-1.0 §4.5).
#[derive(Debug, Clone, Default)]
struct Issuer {
    order: Vec<u32>,
}

impl Issuer {
    fn issued(&self, blank: u32) -> Option<usize> {
        self.order.iter().position(|known| *known == blank)
    }

    /// The number of the identifier, and whether it is new.
    fn issue(&mut self, blank: u32) -> (usize, bool) {
        match self.issued(blank) {
            Some(rank) => (rank, false),
            None => {
                self.order.push(blank);
                (self.order.len() - 1, true)
            }
        }
    }
}

/// Tells apart the blank nodes that look alike at first sight.
struct Knots<'l, L> {
    lines: &'l L,
    hash: Hash,
    mentions: BTreeMap<u32, Vec<usize>>,
    first_degree: BTreeMap<u32, String>,
    canonical: Issuer,
    steps: usize,
}

impl<L: Lines> Knots<'_, L> {
    /// RDFC-1.0 §4.4.3 step 5 for the nodes of one first-degree hash.
    fn untie(&mut self, blanks: &[u32]) -> Result<(), LdError> {
        let mut results = Vec::with_capacity(blanks.len());
        for blank in blanks {
            if self.canonical.issued(*blank).is_some() {
                continue;
            }
            let mut issuer = Issuer::default();
            issuer.issue(*blank);
            results.push(self.hash_n_degree(*blank, &issuer)?);
        }
        results.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (_, issuer) in results {
            for blank in issuer.order {
                self.canonical.issue(blank);
            }
        }
        Ok(())
    }

    fn spend(&mut self, steps: usize) -> Result<(), LdError> {
        self.steps += steps;
        if self.steps > STEPS_MAX {
            return Err(limit("nodes without an address form a knot"));
        }
        Ok(())
    }

    /// Hash Related Blank Node (RDFC-1.0 §4.7).
    fn hash_related(&self, related: u32, index: usize, issuer: &Issuer, position: &str) -> String {
        let mut input = String::from(position);
        if position != "g" {
            input.push('<');
            input.push_str(self.lines.predicate(index));
            input.push('>');
        }
        // writing into a String cannot fail
        if let Some(rank) = self.canonical.issued(related) {
            let _ = write!(input, "_:c14n{rank}");
        } else if let Some(rank) = issuer.issued(related) {
            let _ = write!(input, "_:b{rank}");
        } else if let Some(digest) = self.first_degree.get(&related) {
            input.push_str(digest);
        }
        (self.hash)(input.as_bytes())
    }

    /// Hash N-Degree Quads (RDFC-1.0 §4.8). It recurses into alike nodes only, so [`ALIKE_BLANK_NODES_MAX`] bounds the
    /// depth and the budget the breadth.
    fn hash_n_degree(&mut self, blank: u32, issuer: &Issuer) -> Result<(String, Issuer), LdError> {
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let indices = self.mentions.get(&blank).cloned().unwrap_or_default();
        self.spend(indices.len())?;
        for index in indices {
            for (related, position) in self.lines.blanks(index).into_iter().zip(["s", "o", "g"]) {
                let Some(related) = related.filter(|related| *related != blank) else {
                    continue;
                };
                let group = groups.entry(self.hash_related(related, index, issuer, position)).or_default();
                if !group.contains(&related) {
                    group.push(related);
                }
            }
        }
        let mut data = String::new();
        let mut issuer = issuer.clone();
        for (digest, group) in groups {
            data.push_str(&digest);
            let (path, chosen) = self.best_path(group, &issuer)?;
            data.push_str(&path);
            issuer = chosen;
        }
        Ok(((self.hash)(data.as_bytes()), issuer))
    }

    /// RDFC-1.0 §4.8.3 step 5: of all orders of the nodes the one with the least path.
    fn best_path(&mut self, mut group: Vec<u32>, issuer: &Issuer) -> Result<(String, Issuer), LdError> {
        if group.len() > PERMUTATION_LIMIT {
            return Err(limit("nodes without an address form a knot"));
        }
        group.sort_unstable();
        let mut best: Option<(String, Issuer)> = None;
        loop {
            if let Some(candidate) =
                self.path(&group, issuer, best.as_ref().map(|(path, _)| path.as_str()))?
            {
                best = Some(candidate);
            }
            if !next_permutation(&mut group) {
                break;
            }
        }
        Ok(best.unwrap_or_else(|| (String::new(), issuer.clone())))
    }

    /// The path of one order; None as soon as it cannot be the least.
    fn path(
        &mut self,
        order: &[u32],
        issuer: &Issuer,
        best: Option<&str>,
    ) -> Result<Option<(String, Issuer)>, LdError> {
        let worse = |path: &str| best.is_some_and(|best| path.len() >= best.len() && path > best);
        self.spend(1 + issuer.order.len() / 8)?;
        let mut issuer = issuer.clone();
        let mut path = String::new();
        let mut deeper = Vec::new();
        for related in order {
            // writing into a String cannot fail
            if let Some(rank) = self.canonical.issued(*related) {
                let _ = write!(path, "_:c14n{rank}");
                continue;
            }
            let (rank, new) = issuer.issue(*related);
            if new {
                deeper.push(*related);
            }
            let _ = write!(path, "_:b{rank}");
        }
        if worse(&path) {
            return Ok(None);
        }
        for related in deeper {
            let (digest, after) = self.hash_n_degree(related, &issuer)?;
            let (rank, _) = issuer.issue(related);
            let _ = write!(path, "_:b{rank}<{digest}>");
            issuer = after;
            if worse(&path) {
                return Ok(None);
            }
        }
        let better = best.is_none_or(|best| path.as_str() < best);
        Ok(better.then_some((path, issuer)))
    }
}

/// The next order of the items; false after the last.
fn next_permutation(items: &mut [u32]) -> bool {
    let Some(pivot) = items.windows(2).rposition(|pair| matches!(pair, [a, b] if a < b)) else {
        return false;
    };
    let (front, tail) = items.split_at_mut(pivot + 1);
    if let Some(last) = front.last_mut()
        && let Some(successor) = tail.iter().rposition(|item| *item > *last)
        && let Some(successor) = tail.get_mut(successor)
    {
        std::mem::swap(last, successor);
    }
    tail.reverse();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_four_comes_once() {
        let mut items = [1, 2, 3, 4];
        let mut seen = HashSet::from([items]);
        while next_permutation(&mut items) {
            assert!(seen.insert(items));
        }
        assert_eq!(seen.len(), 24);
        assert!(!next_permutation(&mut []));
    }
}
