//! What a check must be able to find, as a port that the roof plugs in.
//!
//! The judge sees only bytes; this says where they come from. Never here: a network address that is not ours.

use std::sync::Arc;

use base::{Result, Time};
use http_kit::Boxed;
use proof::verify::TrustList;

/// What stands behind a public page's handle.
#[derive(Debug, Clone)]
pub enum Document {
    /// A signed credential.
    Live {
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The holder asked to be forgotten.
    Erased {
        /// When.
        at: Time,
    },
}

/// What is cheaply known of a handle without opening its document: enough to tell whether a rendered page still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Differs whenever anything the page depends on has changed: the credential's status, its list, its erasure.
    /// Read before the document, so that a page is never kept under a version younger than itself.
    pub version: String,
    /// Whether the withdrawal in the list is a pause: an Open Badge has one status entry, so the list alone cannot say.
    pub suspended: bool,
    /// When the status last changed; shown beside a withdrawal, as the house's word.
    pub changed_at: Option<Time>,
    /// Whether the proof that it is in the public evidence log can be fetched ([`Documents::evidence`]).
    pub evidence: bool,
}

/// Finds documents, status lists, controllers' keys and the house's own issuers.
pub trait Documents: Send + Sync + 'static {
    /// The document of a public page.
    fn document<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Document>>>;
    /// A status list by its address; nothing for an address that is not ours.
    fn status_list<'a>(&'a self, address: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>>;
    /// A controller document by its DID; nothing for one that is not ours.
    fn controller<'a>(&'a self, did: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>>;
    /// The issuers that this house vouches for: its tenants.
    fn trust(&self) -> Boxed<'_, Result<TrustList>>;
    /// The picture of a public page.
    fn picture<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Arc<Vec<u8>>>>>;
    /// The proof that the document's issuing stands in the public evidence log (C2SP tlog-proof); nothing for an unknown
    /// handle.
    fn evidence<'a>(&'a self, handle: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>>>;
    /// What is cheaply known of a handle. A house that cannot say renders every page anew.
    fn standing<'a>(&'a self, _handle: &'a str) -> Boxed<'a, Result<Option<Standing>>> {
        Box::pin(std::future::ready(Ok(None)))
    }
    /// A number that stays the same as long as nothing in the house was changed; nothing when that cannot be told
    /// without asking, as where several processes share a database.
    fn mark(&self) -> Option<u64> {
        None
    }
}
