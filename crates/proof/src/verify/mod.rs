//! The one `verify()`: bytes in, a report out.
//!
//! It recognises what it was given, reads it, and judges form, signature, key, issuer, status, time and holder in the
//! order of spec verify §2. Whether a document is *valid* and whether its issuer is *trusted* are two questions with two
//! answers in the report.
//! Never here: a fetch on behalf of a document that is not proven, a green answer while something could not be decided.

mod code;
mod link;
mod proofs;
mod recognise;
mod report;
mod resolve;
mod run;
mod status_check;

pub use code::{Code, Family, Lang, Result};
pub use link::PageLink;
pub use recognise::{Carrier, FILE_BYTES_MAX, Format, PDF_BYTES_MAX};
pub use report::{Check, IssuerView, Outcome, Report, StatusState, StatusView, SubjectView, Validity, View};
pub use resolve::{Answer, FETCHES_MAX, Gathered, NoNetwork, Resolver, Want};

use std::collections::HashMap;

use crate::ld::Contexts;

/// Clocks may differ by this many seconds for what begins; what has ended has ended (spec credentials §18).
pub const CLOCK_SKEW_SECONDS: i64 = 60;
/// A status answer older than this is reported as old, in seconds.
pub const STATUS_AGE_MAX_SECONDS: u64 = 24 * 3600;

/// An issuer on the trust list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustedIssuer {
    /// DID or https address, exactly as in the credentials.
    pub id: String,
    /// The name to be shown: it comes from the list, never from the document.
    pub name: String,
    /// Types of credentials the issuer may issue; empty for all.
    #[serde(default)]
    pub credential_types: Vec<String>,
}

/// Whom the verifier trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustList {
    issuers: HashMap<String, TrustedIssuer>,
}

impl TrustList {
    /// A list of these issuers; of two with one id the last counts.
    #[must_use]
    pub fn new(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Self {
        Self { issuers: issuers.into_iter().map(|issuer| (issuer.id.clone(), issuer)).collect() }
    }

    /// The issuer with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&TrustedIssuer> {
        self.issuers.get(id)
    }

    /// Number of issuers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.issuers.len()
    }

    /// True for a list without issuers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.issuers.is_empty()
    }
}

/// What the verifier knows of the holder beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHolder {
    /// `identityType`, for example `emailAddress`.
    pub kind: String,
    /// The value.
    pub value: String,
}

/// Everything a check depends on besides the document.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The moment of the check, in seconds since 1970.
    pub now: i64,
    /// Gives key documents and status lists.
    pub resolver: &'c dyn Resolver,
    /// Whom the verifier trusts.
    pub trust: &'c TrustList,
    /// An issuer who is not on the list makes the document invalid instead of giving a warning.
    pub require_trust: bool,
    /// The contexts known; [`Contexts::bundled`] outside tests.
    pub contexts: &'c Contexts,
    /// What is known of the holder; then the credential must be this holder's.
    pub holder: Option<&'c KnownHolder>,
    /// A status answer older than this is reported as old, in seconds.
    pub status_age_max: u64,
    /// `domain` that the proof must have.
    pub domain: Option<&'c str>,
    /// `challenge` that the proof must have.
    pub challenge: Option<&'c str>,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .field("require_trust", &self.require_trust)
            .finish_non_exhaustive()
    }
}

impl<'c> Context<'c> {
    /// The usual context: bundled contexts, an unknown issuer is a warning, nothing known of the holder.
    #[must_use]
    pub fn new(now: i64, resolver: &'c dyn Resolver, trust: &'c TrustList) -> Self {
        Self {
            now,
            resolver,
            trust,
            require_trust: false,
            contexts: Contexts::bundled(),
            holder: None,
            status_age_max: STATUS_AGE_MAX_SECONDS,
            domain: None,
            challenge: None,
        }
    }
}

/// Judges a document: JSON (Open Badges 3.0, VCDM 2.0, VCDM 1.1), a PNG, SVG or PDF that carries one, or a PNG or JPEG
/// that shows one's QR code. When the code holds a page's link, the outcome is unknown and [`Report::link`] has it: the
/// caller knows whether the page is its own.
///
/// Total: every input gives a report, none an error or a panic.
#[must_use]
pub fn verify(input: &[u8], context: &Context<'_>) -> Report {
    run::verify(input, context)
}
