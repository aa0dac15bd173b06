//! Figures: counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4).
//!
//! A family has a name in base units (`_seconds`, `_bytes`, `_total`), a help text and fixed label names; it holds at
//! most [`SERIES_MAX`] combinations of label values, further ones are counted together as `other`.
//! Never in a label: an id, an address, anything a stranger can invent.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// The most combinations of label values in one family.
pub const SERIES_MAX: usize = 512;
/// What label values become when a family is full.
pub const OVERFLOW: &str = "other";
const LABEL_BYTES_MAX: usize = 128;
/// The unit of times in `/proc/self/stat`: Linux fixes USER_HZ at 100 for every architecture we run on (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// What a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    /// Only grows; the name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A figure that is looked up when somebody asks.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The family.
    pub name: &'static str,
    /// Its help text.
    pub help: &'static str,
    /// What it is.
    pub kind: SampleKind,
    /// Names and values of labels.
    pub labels: Vec<(&'static str, String)>,
    /// The figure.
    pub value: f64,
}

/// A number that only grows.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }
    /// `count` more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
    /// How many so far.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }
    /// Adds to it; negative numbers take away.
    pub fn add(&self, change: f64) {
        add_float(&self.0, change);
    }
    /// What it shows.
    pub fn value(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

fn add_float(cell: &AtomicU64, change: f64) {
    let add = |bits| Some((f64::from_bits(bits) + change).to_bits());
    // The closure always gives a value, so the update cannot be refused.
    let _ = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
}

/// A distribution over fixed bounds.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    bounds: &'static [f64],
    /// One per bound and one above the last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds, counts, sum: AtomicU64::new(0) }))
    }
    /// Counts one observation, in the family's unit.
    pub fn observe(&self, value: f64) {
        let slot = self.0.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.0.counts.get(slot) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        add_float(&self.0.sum, value);
    }
    /// How many observations so far.
    pub fn count(&self) -> u64 {
        self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// One family: label values to figures.
struct Family<T> {
    help: &'static str,
    labels: &'static [&'static str],
    series: RwLock<BTreeMap<Vec<String>, T>>,
    make: Box<dyn Fn() -> T + Send + Sync>,
}

impl<T: Clone> Family<T> {
    fn with(&self, values: &[&str]) -> T {
        let key: Vec<String> = self
            .labels
            .iter()
            .enumerate()
            .map(|(position, _)| {
                values.get(position).copied().unwrap_or_default().chars().take(LABEL_BYTES_MAX).collect()
            })
            .collect();
        if let Some(found) = self.series.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return found.clone();
        }
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let full = series.len() >= SERIES_MAX && !series.contains_key(&key);
        let key = if full { vec![OVERFLOW.to_owned(); self.labels.len()] } else { key };
        series.entry(key).or_insert_with(|| (self.make)()).clone()
    }
}

macro_rules! families {
    ($($(#[$doc:meta])* $name:ident of $item:ident;)*) => {
        $($(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Arc<Family<$item>>);
        impl $name {
            /// The figure with these label values, in the order of the family's label names.
            pub fn with(&self, values: &[&str]) -> $item {
                self.0.with(values)
            }
        })*
    };
}
families! {
    /// Counters of one name.
    Counters of Counter;
    /// Gauges of one name.
    Gauges of Gauge;
    /// Histograms of one name.
    Histograms of Histogram;
}

#[derive(Clone)]
enum Any {
    Counters(Counters),
    Gauges(Gauges),
    Histograms(Histograms),
}

type Collector = Box<dyn Fn() -> Vec<Sample> + Send + Sync>;

#[derive(Default)]
struct Inner {
    families: Mutex<BTreeMap<&'static str, Any>>,
    collectors: Mutex<Vec<Collector>>,
}

/// The figures of a house; cheap to clone, all clones are one.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Inner>);

impl Metrics {
    /// No figures yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counters `name` (ends in `_total`). Asking again for the same name gives the same family.
    pub fn counters(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Counters {
        debug_assert!(name.ends_with("_total"), "{name}: counters end in _total");
        let fresh = Counters(family(help, labels, Counter::default));
        match self.register(name, Any::Counters(fresh.clone())) {
            Any::Counters(known) => known,
            _ => fresh,
        }
    }

    /// Gauges `name`.
    pub fn gauges(&self, name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Gauges {
        let fresh = Gauges(family(help, labels, Gauge::default));
        match self.register(name, Any::Gauges(fresh.clone())) {
            Any::Gauges(known) => known,
            _ => fresh,
        }
    }

    /// Histograms `name` over rising bounds, in base units.
    pub fn histograms(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        bounds: &'static [f64],
    ) -> Histograms {
        debug_assert!(bounds.is_sorted(), "{name}: bounds rise");
        let fresh = Histograms(family(help, labels, move || Histogram::new(bounds)));
        match self.register(name, Any::Histograms(fresh.clone())) {
            Any::Histograms(known) => known,
            _ => fresh,
        }
    }

    /// A counter without labels.
    pub fn counter(&self, name: &'static str, help: &'static str) -> Counter {
        self.counters(name, help, &[]).with(&[])
    }

    /// A gauge without labels.
    pub fn gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        self.gauges(name, help, &[]).with(&[])
    }

    /// A histogram without labels.
    pub fn histogram(&self, name: &'static str, help: &'static str, bounds: &'static [f64]) -> Histogram {
        self.histograms(name, help, &[], bounds).with(&[])
    }

    /// Figures that are looked up each time somebody asks: process, store, bus.
    pub fn collect(&self, collector: impl Fn() -> Vec<Sample> + Send + Sync + 'static) {
        self.0.collectors.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(collector));
    }

    fn register(&self, name: &'static str, fresh: Any) -> Any {
        let mut families = self.0.families.lock().unwrap_or_else(PoisonError::into_inner);
        let known = families.entry(name).or_insert_with(|| fresh.clone()).clone();
        debug_assert!(
            std::mem::discriminant(&known) == std::mem::discriminant(&fresh),
            "{name} exists as another kind of figure"
        );
        known
    }

    /// Everything as text, `text/plain; version=0.0.4`.
    pub fn expose(&self) -> String {
        let mut out = String::with_capacity(16 << 10);
        for (name, any) in self.0.families.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            match any {
                Any::Counters(Counters(family)) => {
                    each(&mut out, name, "counter", family, |out, labels, counter| {
                        line(out, name, labels, &counter.value().to_string());
                    });
                }
                Any::Gauges(Gauges(family)) => each(&mut out, name, "gauge", family, |out, labels, gauge| {
                    line(out, name, labels, &gauge.value().to_string());
                }),
                Any::Histograms(Histograms(family)) => {
                    each(&mut out, name, "histogram", family, |out, labels, histogram| {
                        expose_histogram(out, name, labels, histogram);
                    })
                }
            }
        }
        self.expose_collected(&mut out);
        out
    }

    fn expose_collected(&self, out: &mut String) {
        let mut samples: Vec<Sample> = Vec::new();
        for collector in self.0.collectors.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            samples.extend(collector().into_iter().take(SERIES_MAX));
        }
        samples.sort_by(|a, b| a.name.cmp(b.name));
        let mut before = "";
        for sample in &samples {
            if sample.name != before {
                let kind = if sample.kind == SampleKind::Counter { "counter" } else { "gauge" };
                head(out, sample.name, sample.help, kind);
                before = sample.name;
            }
            let labels: Vec<(&str, &str)> =
                sample.labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            line(out, sample.name, &labels, &sample.value.to_string());
        }
    }
}

fn family<T>(
    help: &'static str,
    labels: &'static [&'static str],
    make: impl Fn() -> T + Send + Sync + 'static,
) -> Arc<Family<T>> {
    Arc::new(Family { help, labels, series: RwLock::new(BTreeMap::new()), make: Box::new(make) })
}

fn each<T: Clone>(
    out: &mut String,
    name: &str,
    kind: &str,
    family: &Family<T>,
    mut write: impl FnMut(&mut String, &[(&str, &str)], &T),
) {
    let series = family.series.read().unwrap_or_else(PoisonError::into_inner);
    if series.is_empty() {
        return;
    }
    head(out, name, family.help, kind);
    for (values, figure) in series.iter() {
        let labels: Vec<(&str, &str)> =
            family.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
        write(out, &labels, figure);
    }
}

fn expose_histogram(out: &mut String, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
    let bucket = format!("{name}_bucket");
    let mut total = 0;
    for (position, count) in histogram.0.counts.iter().enumerate() {
        total += count.load(Ordering::Relaxed);
        let bound = histogram.0.bounds.get(position).map_or_else(|| "+Inf".to_owned(), f64::to_string);
        let mut labels = labels.to_vec();
        labels.push(("le", &bound));
        line(out, &bucket, &labels, &total.to_string());
    }
    let sum = f64::from_bits(histogram.0.sum.load(Ordering::Relaxed));
    line(out, &format!("{name}_sum"), labels, &sum.to_string());
    line(out, &format!("{name}_count"), labels, &total.to_string());
}

fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &[(&str, &str)], value: &str) {
    out.push_str(name);
    for (position, (label, text)) in labels.iter().enumerate() {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(out, "{}{label}=\"{text}\"", if position == 0 { '{' } else { ',' });
    }
    if !labels.is_empty() {
        out.push('}');
    }
    let _ = writeln!(out, " {value}");
}

/// The figures of this process from `/proc`: CPU time, resident memory, open files, threads, start.
/// What cannot be read is left out. Give it to [`Metrics::collect`].
pub fn process() -> Vec<Sample> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let gauge = |name, help, value| Sample { name, help, kind: SampleKind::Gauge, labels: Vec::new(), value };
    let stat = read("/proc/self/stat");
    // The second field is the program's name in parentheses and may hold anything; count from behind it.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let field =
        |number: usize| fields.get(number.saturating_sub(3)).and_then(|text| text.parse::<f64>().ok());
    let status = read("/proc/self/status");
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let boot = || {
        read("/proc/stat").lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok())
    };
    let mut samples = Vec::new();
    if let (Some(user), Some(system)) = (field(14), field(15)) {
        samples.push(Sample {
            name: "process_cpu_seconds_total",
            help: "User and system CPU time spent, in seconds.",
            kind: SampleKind::Counter,
            labels: Vec::new(),
            value: (user + system) / TICKS_PER_SECOND,
        });
    }
    if let Some(kib) = kib("VmRSS:") {
        samples.push(gauge("process_resident_memory_bytes", "Resident memory, in bytes.", kib * 1_024.0));
    }
    if let Some(kib) = kib("VmSize:") {
        samples.push(gauge("process_virtual_memory_bytes", "Virtual memory, in bytes.", kib * 1_024.0));
    }
    if let Some(threads) = kib("Threads:") {
        samples.push(gauge("process_threads", "Operating system threads.", threads));
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        samples.push(gauge("process_open_fds", "Open file descriptors.", open.count() as f64));
    }
    if let (Some(start), Some(boot)) = (field(22), boot()) {
        let seconds = boot + start / TICKS_PER_SECOND;
        samples.push(gauge(
            "process_start_time_seconds",
            "Start of the process, in seconds since 1970.",
            seconds,
        ));
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_help_type_and_cumulative_buckets() {
        let metrics = Metrics::new();
        metrics.counters("selo_things_total", "Things.", &["kind"]).with(&["a\"b"]).add(3);
        let seconds = metrics.histogram("selo_verb_duration_seconds", "Time of verbs.", &[0.1, 1.0]);
        seconds.observe(0.1);
        seconds.observe(0.5);
        seconds.observe(7.0);
        metrics.gauge("selo_queue_items", "Waiting.").set(2.5);
        assert_eq!(
            metrics.expose(),
            "# HELP selo_queue_items Waiting.\n# TYPE selo_queue_items gauge\nselo_queue_items 2.5\n\
             # HELP selo_things_total Things.\n# TYPE selo_things_total counter\nselo_things_total{kind=\"a\\\"b\"} 3\n\
             # HELP selo_verb_duration_seconds Time of verbs.\n# TYPE selo_verb_duration_seconds histogram\n\
             selo_verb_duration_seconds_bucket{le=\"0.1\"} 1\nselo_verb_duration_seconds_bucket{le=\"1\"} 2\n\
             selo_verb_duration_seconds_bucket{le=\"+Inf\"} 3\nselo_verb_duration_seconds_sum 7.6\n\
             selo_verb_duration_seconds_count 3\n"
        );
    }

    #[test]
    fn a_family_is_bounded_and_the_rest_is_counted_together() {
        let metrics = Metrics::new();
        let counters = metrics.counters("selo_x_total", "X.", &["y"]);
        for number in 0..SERIES_MAX + 50 {
            counters.with(&[&number.to_string()]).increment();
        }
        assert_eq!(counters.with(&[OVERFLOW]).value(), 50);
        assert_eq!(metrics.expose().lines().count(), SERIES_MAX + 3);
    }

    #[test]
    fn asking_twice_for_a_name_gives_the_same_figure() {
        let metrics = Metrics::new();
        metrics.counter("selo_x_total", "X.").increment();
        assert_eq!(metrics.clone().counter("selo_x_total", "X.").value(), 1);
    }

    #[test]
    fn the_process_shows_its_own_figures() {
        let metrics = Metrics::new();
        metrics.collect(process);
        let text = metrics.expose();
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_start_time_seconds",
            "process_threads",
        ] {
            assert!(
                text.contains(&format!("# HELP {name} ")) && text.contains(&format!("\n{name} ")),
                "{text}"
            );
        }
    }
}
