//! The ACME server: programs prove that they hold a name and get their certificates without anybody's hand (RFC 8555).
//!
//! Never here: a connection to whoever asks; probes go out through [`Prober`] alone.

mod prober;

pub use prober::{ChallengeKind, Identifier, ProbeFault, ProbeFaultKind, Prober};
