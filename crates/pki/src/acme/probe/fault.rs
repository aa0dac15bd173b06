//! How a probe says that it failed.
//!
//! Never here: a byte of what the other side answered, which would let a probe read for whoever sent it.

use crate::acme::{ProbeFault, ProbeFaultKind};

/// What a step of a probe gives.
pub(super) type Outcome<T> = Result<T, ProbeFault>;

/// A failure that may pass.
pub(super) fn passing(kind: ProbeFaultKind, detail: impl Into<String>) -> ProbeFault {
    ProbeFault { kind, detail: detail.into(), retry: true }
}

/// A failure that stays until something is changed.
pub(super) fn lasting(kind: ProbeFaultKind, detail: impl Into<String>) -> ProbeFault {
    ProbeFault { kind, detail: detail.into(), retry: false }
}

/// Another answer than the one that was demanded.
pub(super) fn wrong(detail: impl Into<String>) -> ProbeFault {
    lasting(ProbeFaultKind::IncorrectResponse, detail)
}
