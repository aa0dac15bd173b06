//! The house's figures for `/metrics`: the store's, the facts by type, and how verbs fared. Base units, bounded labels.

use base::telemetry::{Metrics, Sample, SampleKind};
use store::Db;

/// Registers the figures of an open house.
pub fn register(metrics: &Metrics, db: &Db) {
    metrics.collect(base::telemetry::metrics::process);
    let db = db.clone();
    metrics.collect(move || store_samples(&db));
    metrics.collect(|| {
        let facts = events::written().into_iter();
        facts
            .map(|(kind, count)| Sample {
                name: "selo_facts_total",
                help: "Facts written by this process, by type: what happened, counted.",
                kind: SampleKind::Counter,
                labels: vec![("type", kind.to_owned())],
                value: count as f64,
            })
            .collect()
    });
}

fn store_samples(db: &Db) -> Vec<Sample> {
    let figures = db.figures();
    let counter = |name, help, value: u64| Sample {
        name,
        help,
        kind: SampleKind::Counter,
        labels: Vec::new(),
        value: value as f64,
    };
    let mut samples = vec![
        counter("selo_store_writes_total", "Closures that wrote.", figures.writes),
        counter("selo_store_reads_total", "Closures that read.", figures.reads),
        counter("selo_store_groups_total", "Groups of closures that shared a commit.", figures.groups),
        counter("selo_store_commits_total", "Commits, each one sync to disk.", figures.commits),
        counter("selo_store_retries_total", "Closures that ran again after a conflict.", figures.retries),
        counter("selo_store_reconnects_total", "Connections to the database made again.", figures.reconnects),
        Sample {
            name: "selo_store_queue_depth",
            help: "Closures that wait for their turn.",
            kind: SampleKind::Gauge,
            labels: Vec::new(),
            value: figures.queue_depth as f64,
        },
    ];
    for (verb, took) in figures.verbs {
        let of = |name, help, value: f64| Sample {
            name,
            help,
            kind: SampleKind::Counter,
            labels: vec![("verb", verb.to_owned())],
            value,
        };
        samples.push(of("selo_verb_total", "Verbs that ran, by name.", took.count as f64));
        samples.push(of("selo_verb_errors_total", "Verbs that failed, by name.", took.errors as f64));
        samples.push(of(
            "selo_verb_seconds_total",
            "Time that verbs took from queue to answer, by name, in seconds.",
            took.sum_micros as f64 / 1e6,
        ));
    }
    samples
}
