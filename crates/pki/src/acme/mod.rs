//! The ACME server: programs prove that they hold a name and get their certificates without anybody's hand (RFC 8555,
//! 8737, 8738, 9773, the draft of profiles).
//!
//! A request is let in once: strict form, this address, a fresh nonce, the signature of an account. Names are judged when
//! they are ordered and again when the certificate is made, which is the authority's one way of issuing.
//! Never here: a connection to whoever asks; probes go out through [`Prober`] alone. No order, authorization or
//! certificate of one account is seen by another; it answers as if it did not exist.

pub mod error;
pub mod facts;
mod http;
mod model;
mod nonce;
mod place;
mod probe;
mod prober;
mod problem;
mod quota;
pub(crate) mod repo;
mod rules;
mod service;
mod settings;

pub use http::acme_routes;
pub(crate) use http::external_routes;
pub use model::{ExternalKey, Grant};
pub use probe::{NetProber, SETTINGS as PROBE_SETTINGS};
pub use prober::{CaaFault, CaaQuestion, ChallengeKind, Identifier, ProbeFault, ProbeFaultKind, Prober};
pub use service::{Acme, MadeExternalKey, NewExternalKey};
pub use settings::{AcmeSettings, SETTINGS, Served};
