//! JSON-LD 1.1 in, canonical N-Quads out: the meaning of a document as bytes that can be signed.
//!
//! Expansion and to-RDF follow the JSON-LD 1.1 Processing Algorithms and API for what credentials use, in *safe mode*:
//! whatever those algorithms would drop silently (a term no context defines, a relative address, a null) is an error
//! that names its place, because a field that is dropped is a field the signature does not cover.
//! Never here: a context from the network, a document without limits, a canonicalisation that can be made to hang.

mod c14n;
mod context;
mod contexts;
mod define;
mod expand;
mod iri;
mod maps;
mod rdf;

pub use c14n::{Canonical, Lines, canonicalize, canonicalize_lines, canonicalize_sha384};
pub use contexts::{BUNDLE, BundledContext, Contexts};
pub use iri::is_absolute_iri;
pub(crate) use rdf::write_escaped;
pub use rdf::{Dataset, Object, Quad, Subject};

use serde_json::Value;

/// Quads one document may make (spec credentials §4.6).
pub const QUADS_MAX: usize = 20_000;
/// Blank nodes one document may have (spec credentials §4.6).
pub const BLANK_NODES_MAX: usize = 1_000;
/// Blank nodes that look alike at first sight and need the costly part of RDFC-1.0.
pub const ALIKE_BLANK_NODES_MAX: usize = 200;
/// Items in one `@context` (spec credentials §4.6).
pub const CONTEXTS_MAX: usize = 16;
/// Blank nodes whose order is found by trying all orders (spec credentials §4.6).
pub const PERMUTATION_LIMIT: usize = 6;
/// Steps that telling alike blank nodes apart may take: well below 250 ms (spec credentials §4.6).
pub const STEPS_MAX: usize = 200_000;
/// Local contexts applied while one document is expanded; those that are cached do not count.
pub const CONTEXT_STEPS_MAX: usize = 2_000;
/// Terms that the inline contexts of one document may define together.
pub const INLINE_TERMS_MAX: usize = 500;
/// Longest canonical form, in bytes.
pub const CANONICAL_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Deepest nesting that is expanded, the same as the JSON reader's (spec credentials §4.6).
pub const DEPTH_MAX: usize = crate::json::DEPTH_MAX;

/// Text that belongs to the document (so that its place is known) or to a context.
#[derive(Debug, Clone)]
pub enum Text<'d> {
    /// Borrowed from the document exactly as it stands there.
    Doc(&'d str),
    /// Made from a context or by processing.
    Made(std::sync::Arc<str>),
}

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Text::Doc(text) => text,
            Text::Made(text) => text,
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
impl Eq for Text<'_> {}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text::Made(text.into())
    }
}

/// Why a document has no meaning that could be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LdErrorKind {
    /// A context that is not bundled; nothing is ever fetched.
    #[error("the context {0} is not one we know")]
    ContextUnknown(String),
    /// A context object inside the document where none is allowed.
    #[error("a context written into the document itself is not accepted here")]
    ContextInline,
    /// A context that breaks the rules (the error code of the JSON-LD API).
    #[error("the contexts contradict the rules: {0}")]
    ContextInvalid(&'static str),
    /// A member name or type that no context defines.
    #[error("{0:?} is defined by no context, so a signature would not cover it")]
    UndefinedTerm(String),
    /// A member or type under another name than the term that the contexts have for it.
    #[error("{0:?} hides a term that the contexts have for the same thing")]
    Hidden(String),
    /// An identifier that is no absolute address.
    #[error("{0:?} is no absolute address, so a signature would not cover it")]
    RelativeIri(String),
    /// A value the algorithms would drop.
    #[error("a value that a signature would not cover: {0}")]
    Dropped(&'static str),
    /// A form the algorithms refuse (the error code of the JSON-LD API).
    #[error("{0}")]
    Invalid(&'static str),
    /// A limit of this module.
    #[error("the document is too complex: {0}")]
    Limit(&'static str),
}

/// A refused document, with the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}", if pointer.is_empty() { String::new() } else { format!("{pointer}: ") })]
pub struct LdError {
    /// What is wrong.
    pub kind: LdErrorKind,
    /// RFC 6901 pointer into the document; empty for the root.
    pub pointer: String,
}

impl LdError {
    pub(crate) fn new(kind: LdErrorKind) -> Self {
        Self { kind, pointer: String::new() }
    }

    pub(crate) fn inside(mut self, name: &str) -> Self {
        self.pointer.insert_str(0, &crate::json::pointer_step(name));
        self
    }

    pub(crate) fn at(self, index: usize) -> Self {
        self.inside(&index.to_string())
    }

    /// True where JSON-LD would have lost data (`DATA_LOSS_DETECTION_ERROR` of Data Integrity).
    #[must_use]
    pub fn is_data_loss(&self) -> bool {
        matches!(
            self.kind,
            LdErrorKind::UndefinedTerm(_) | LdErrorKind::RelativeIri(_) | LdErrorKind::Dropped(_)
        )
    }
}

/// How a document is processed.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Context objects inside the document are accepted (on verify only), within [`INLINE_TERMS_MAX`].
    pub inline_contexts: bool,
    /// The processing algorithms' own behaviour: drop instead of refuse. For conformance tests, never for signatures.
    pub lenient: bool,
    /// Base address for relative references; none for signatures.
    pub base: Option<String>,
}

/// Expands a document and turns it into quads, in safe mode.
///
/// # Errors
/// [`LdError`] with the place of the first thing that a signature would not cover, or that breaks a rule or limit.
pub fn to_rdf<'d>(
    document: &'d Value,
    contexts: &Contexts,
    options: &Options,
) -> Result<Dataset<'d>, LdError> {
    let mut work = context::Work::new(contexts, options);
    let items = expand::expand_document(document, &mut work)?;
    rdf::dataset(items, options.lenient)
}

/// The canonical N-Quads of a document: expand, to-RDF, RDFC-1.0 with SHA-256.
///
/// # Errors
/// As [`to_rdf`] and [`canonicalize`].
pub fn canonical_document(
    document: &Value,
    contexts: &Contexts,
    options: &Options,
) -> Result<String, LdError> {
    let dataset = to_rdf(document, contexts, options)?;
    Ok(canonicalize(&dataset)?.text)
}
