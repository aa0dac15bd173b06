//! Telemetry: what the house says about itself while it runs, as log lines ([`log`]) and figures ([`metrics`]).
//!
//! Both are closed lists on purpose: a field of a log line that is not on the list is dropped, and a figure has a
//! bounded number of label values, so neither can carry personal data or grow without end.
//! Never here: sending anything anywhere. Lines go to stderr, figures are fetched.

pub mod log;
pub mod metrics;

use std::time::Duration;

use crate::config::{Setting, SettingKind};

pub use log::{FIELDS, Format, LogLayer, init};
pub use metrics::{Counter, Counters, Gauge, Gauges, Histogram, Histograms, Metrics, Sample, SampleKind};

/// The settings of this part.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "telemetry.format",
        SettingKind::Enum(&["auto", "json", "human"]),
        "auto",
        "Form of the log: json, human, or auto (human on a terminal).",
        "Forma do registo: json, human, ou auto (human num terminal).",
    ),
    Setting::new(
        "telemetry.filter",
        SettingKind::Text,
        "info,hyper=warn,hyper_util=warn,h2=warn,tower=warn,tokio_postgres=warn,krilla=error,usvg=error",
        "Which levels are logged, by target, as tracing's EnvFilter reads it.",
        "Que níveis são registados, por destino, na forma do EnvFilter de tracing.",
    ),
];

/// The upper bounds, in seconds, for times of answers and verbs.
pub const SECONDS_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// A length of time in seconds, as figures count it.
pub const fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
