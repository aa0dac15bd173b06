//! The ACME server: programs prove that they hold a name and get their certificates without anybody's hand (RFC 8555).
//!
//! Never here: a connection to whoever asks; probes go out through [`Prober`] alone.

mod probe;
mod prober;

pub use probe::{NetProber, SETTINGS as PROBE_SETTINGS};
pub use prober::{CaaFault, CaaQuestion, ChallengeKind, Identifier, ProbeFault, ProbeFaultKind, Prober};
