//! What the house says of its token in `/metrics`.

use base::telemetry::{Counter, Counters, Gauge, Histogram, Metrics};

/// Bounds in seconds: software tokens answer within a tenth of a millisecond, smart cards within a second.
const SIGN_BUCKETS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The figures of one token.
pub(super) struct Figures {
    /// Sessions that are open.
    pub(super) sessions: Gauge,
    /// How often the token was opened anew.
    pub(super) relogins: Counter,
    /// The time of one signature, its verification included.
    pub(super) sign_seconds: Histogram,
    /// Operations that failed, by code.
    pub(super) failures: Counters,
}

impl Figures {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            sessions: metrics.gauge("selo_keys_token_sessions", "Open sessions with the PKCS#11 token."),
            relogins: metrics.counter(
                "selo_keys_token_relogins_total",
                "How often the PKCS#11 token was opened anew after it was lost or idle.",
            ),
            sign_seconds: metrics.histogram(
                "selo_keys_token_sign_seconds",
                "Time of one signature on the PKCS#11 token, its verification included.",
                SIGN_BUCKETS,
            ),
            failures: metrics.counters(
                "selo_keys_token_failures_total",
                "Operations on the PKCS#11 token that failed, by code.",
                &["code"],
            ),
        }
    }
}
