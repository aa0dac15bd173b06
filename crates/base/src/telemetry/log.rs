//! Log lines: JSON with the fields of the requirements (timestamp, level, service, correlationId, message, metadata),
//! or a line for people at a terminal. To stderr, one write per line.
//!
//! `correlationId` comes from the event or from the nearest span around it; the other fields of event and spans go
//! into `metadata` when their name is on [`FIELDS`]. Everything else is dropped, so that a careless field can
//! not carry a name or an address into a file that nobody erases. Values are cut, control characters are escaped.

use std::{
    fmt::Write as _,
    io::{IsTerminal, Write},
    sync::{Arc, Mutex},
};

use serde_json::{Map, Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    EnvFilter, Layer,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::{error::Result, time::Clock};

const VALUE_BYTES_MAX: usize = 1_024;
const MESSAGE_BYTES_MAX: usize = 2_048;
const FIELDS_PER_SPAN_MAX: usize = 32;
const SERVICE: &str = "selo";
const CORRELATION: &str = "correlationId";

/// The names that may stand in `metadata`. None of them holds what a person is called, wrote or sent; a room that
/// needs another name asks for it here, where the question is seen.
/// `path` is the route's pattern, never the address as asked for; `duration` is in milliseconds.
pub const FIELDS: &[&str] = &[
    "action",
    "actorType",
    "attempt",
    "batch",
    "bytes",
    "cause",
    "check",
    "code",
    "commit",
    "count",
    "crate",
    "credential",
    "depth",
    "direction",
    "done",
    "duration",
    "engine",
    "error",
    "event",
    "eventType",
    "factId",
    "failed",
    "field",
    "format",
    "group",
    "index",
    "job",
    "jobs",
    "kind",
    "leaf",
    "lease",
    "leaves",
    "limit",
    "line",
    "listen",
    "log",
    "method",
    "migration",
    "ms",
    "origin",
    "outcome",
    "page",
    "path",
    "phase",
    "pid",
    "port",
    "protocol",
    "queue",
    "remedy",
    "requestId",
    "retries",
    "retryAfter",
    "room",
    "rooms",
    "root",
    "route",
    "row",
    "rows",
    "seconds",
    "setting",
    "sha256",
    "signal",
    "size",
    "source",
    "state",
    "status",
    "statusCode",
    "store",
    "table",
    "template",
    "tenant",
    "topic",
    "total",
    "verb",
    "version",
    "zone",
];

crate::codes! {
    /// The filter of the log cannot be read.
    TELEMETRY_FILTER = "TELEMETRY_FILTER_INVALID", Invalid,
        en "The log filter cannot be read ({reason})." => "Write it as `info,target=debug`.",
        pt "O filtro do registo não pode ser lido ({reason})." => "Escreva-o como `info,destino=debug`.";
    /// A log was already set up in this process.
    TELEMETRY_TWICE = "TELEMETRY_TWICE", Internal,
        en "The log was set up twice." => "This is a fault of the program; please report it.",
        pt "O registo foi preparado duas vezes." => "É uma falha do programa; por favor comunique-a.";
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Json,
    /// For people, without colours.
    Human,
    /// For people, with colours.
    Colour,
}

impl Format {
    /// The form for a word of `telemetry.format`; `auto` looks whether stderr is a terminal.
    pub fn choose(word: &str) -> Self {
        match word {
            "json" => Self::Json,
            "auto" if !std::io::stderr().is_terminal() => Self::Json,
            _ if std::io::stderr().is_terminal() => Self::Colour,
            _ => Self::Human,
        }
    }
}

/// Sets up the log of this process, to stderr.
///
/// # Errors
/// `TELEMETRY_FILTER_INVALID`; `TELEMETRY_TWICE` when the process has a log already.
pub fn init(format: Format, filter: &str, clock: Arc<dyn Clock>) -> Result<()> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|error| TELEMETRY_FILTER.at("telemetry.filter").with("reason", &error).because(error))?;
    let layer = LogLayer::new(format, clock, std::io::stderr()).with_filter(filter);
    tracing_subscriber::registry().with(layer).try_init().map_err(|error| TELEMETRY_TWICE.because(error))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic becomes a line like any other, with its place. Of its message only texts that stand in the program itself
/// are written: a formatted one may hold anything.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let cause =
        panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(formatted message withheld)");
    tracing::error!(origin = place, cause, "The program panicked");
}

/// Writes events as lines; put it onto a `tracing_subscriber::Registry`.
pub struct LogLayer {
    format: Format,
    clock: Arc<dyn Clock>,
    /// Owns the output; locked for one whole line at a time.
    out: Mutex<Box<dyn Write + Send>>,
}

impl LogLayer {
    /// Lines of a form to an output.
    pub fn new(format: Format, clock: Arc<dyn Clock>, out: impl Write + Send + 'static) -> Self {
        Self { format, clock, out: Mutex::new(Box::new(out)) }
    }

    fn write(&self, line: &str) {
        let mut out = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A log that cannot be written must not stop the house; there is nobody left to tell.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }

    fn timestamp(&self) -> String {
        let micros = self.clock.now().micros();
        let timestamp = jiff::Timestamp::from_millisecond(micros.div_euclid(1_000)).unwrap_or_default();
        format!("{timestamp:.3}")
    }
}

/// What a span or an event carries.
#[derive(Default)]
struct Carried {
    correlation: Option<String>,
    message: String,
    fields: Map<String, Value>,
}

impl Carried {
    fn put(&mut self, field: &Field, value: Value) {
        let name = field.name();
        if FIELDS.contains(&name) && self.fields.len() < FIELDS_PER_SPAN_MAX {
            self.fields.insert(name.to_owned(), value);
        }
    }
    fn text(&mut self, field: &Field, text: &str) {
        match field.name() {
            "message" => self.message = cut(text, MESSAGE_BYTES_MAX),
            CORRELATION => self.correlation = Some(cut(text, VALUE_BYTES_MAX)),
            _ => self.put(field, Value::String(cut(text, VALUE_BYTES_MAX))),
        }
    }
}

impl Visit for Carried {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.text(field, &value.to_string());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Formatting a field that will be dropped could be costly, and is pointless.
        if matches!(field.name(), "message" | CORRELATION) || FIELDS.contains(&field.name()) {
            self.text(field, &format!("{value:?}"));
        }
    }
}

fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = (0..=bytes_max).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut carried = Carried::default();
        attributes.record(&mut carried);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(carried);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(carried) = span.extensions_mut().get_mut::<Carried>()
        {
            values.record(carried);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Carried::default();
        event.record(&mut own);
        let mut correlation = None;
        let mut fields = Map::new();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(carried) = span.extensions().get::<Carried>() {
                fields.extend(carried.fields.clone());
                correlation = carried.correlation.clone().or(correlation);
            }
        }
        fields.extend(own.fields);
        let correlation = own.correlation.or(correlation);
        let level = event.metadata().level().as_str();
        let line = match self.format {
            Format::Json => json_line(&self.timestamp(), level, correlation, &own.message, fields),
            Format::Human => human_line(&self.timestamp(), level, correlation, &own.message, &fields, false),
            Format::Colour => human_line(&self.timestamp(), level, correlation, &own.message, &fields, true),
        };
        self.write(&line);
    }
}

#[derive(serde::Serialize)]
struct Line<'a> {
    timestamp: &'a str,
    level: &'a str,
    service: &'static str,
    #[serde(rename = "correlationId")]
    correlation: Option<String>,
    message: &'a str,
    metadata: Map<String, Value>,
}

fn json_line(
    timestamp: &str,
    level: &str,
    correlation: Option<String>,
    message: &str,
    metadata: Map<String, Value>,
) -> String {
    let line = Line { timestamp, level, service: SERVICE, correlation, message, metadata };
    // Only strings, numbers and booleans are inside, so writing them cannot fail.
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

fn human_line(
    timestamp: &str,
    level: &str,
    correlation: Option<String>,
    message: &str,
    fields: &Map<String, Value>,
    colour: bool,
) -> String {
    let (paint, faint, plain) = match (colour, level) {
        (false, _) => ("", "", ""),
        (true, "ERROR") => ("\x1b[31;1m", "\x1b[2m", "\x1b[0m"),
        (true, "WARN") => ("\x1b[33m", "\x1b[2m", "\x1b[0m"),
        (true, "INFO") => ("\x1b[32m", "\x1b[2m", "\x1b[0m"),
        (true, _) => ("\x1b[34m", "\x1b[2m", "\x1b[0m"),
    };
    let clock = timestamp.get(11..23).unwrap_or(timestamp);
    let mut line = format!("{faint}{clock}{plain} {paint}{level:<5}{plain} {}", escaped(message));
    for (name, value) in fields {
        let value = match value {
            Value::String(text) if text.contains(' ') => format!("{:?}", escaped(text)),
            Value::String(text) => escaped(text),
            other => other.to_string(),
        };
        let _ = write!(line, " {faint}{name}={plain}{value}");
    }
    if let Some(correlation) = correlation {
        let _ = write!(line, " {faint}{}{plain}", escaped(&correlation));
    }
    line.push('\n');
    line
}

/// Line breaks and terminal controls in a value must not forge a line or paint the screen.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{MockClock, Time};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);
    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: Format, speak: impl FnOnce()) -> String {
        let page = Page::default();
        let clock = Arc::new(MockClock::at(Time::from_micros(1_771_149_600_000_999)));
        let subscriber = tracing_subscriber::registry().with(LogLayer::new(format, clock, page.clone()));
        tracing::subscriber::with_default(subscriber, speak);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_has_exactly_the_fields_of_the_requirements() {
        let line = written(Format::Json, || {
            let span = tracing::info_span!("request", correlationId = "corr_1", method = "POST");
            let _inside = span.enter();
            tracing::info!(path = "/api/v1/verify", statusCode = 200, duration = 45, "Request processed");
        });
        assert_eq!(
            line,
            "{\"timestamp\":\"2026-02-15T10:00:00.000Z\",\"level\":\"INFO\",\"service\":\"selo\",\
             \"correlationId\":\"corr_1\",\"message\":\"Request processed\",\"metadata\":{\"duration\":45,\
             \"method\":\"POST\",\"path\":\"/api/v1/verify\",\"statusCode\":200}}\n"
        );
    }

    #[test]
    fn a_field_that_is_not_on_the_list_is_dropped_even_from_a_span() {
        for format in [Format::Json, Format::Human, Format::Colour] {
            let line = written(format, || {
                let span = tracing::info_span!("request", email = "maria@example.org", zone = "public");
                let _inside = span.enter();
                tracing::warn!(recipientName = "Maria", code = "X", "Refused");
            });
            assert!(!line.contains("aria"), "{line}");
            assert!(line.contains("public") && line.contains("WARN"), "{line}");
        }
    }

    #[test]
    fn a_correlation_learnt_later_counts_and_the_inner_one_wins() {
        let lines = written(Format::Json, || {
            let outer = tracing::info_span!("request", correlationId = tracing::field::Empty);
            outer.record("correlationId", "corr_outer");
            let _outside = outer.enter();
            tracing::info!("one");
            let inner = tracing::info_span!("job", correlationId = "corr_inner");
            let _inside = inner.enter();
            tracing::info!("two");
        });
        let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(found[0]["correlationId"], "corr_outer");
        assert_eq!(found[1]["correlationId"], "corr_inner");
        let alone = written(Format::Json, || tracing::info!("alone"));
        assert!(alone.contains("\"correlationId\":null"));
    }

    #[test]
    fn a_value_cannot_forge_a_line_and_is_cut() {
        let line = written(Format::Human, || {
            tracing::info!(
                kind = "a\n12:00:00.000 ERROR b\x1b[2J",
                cause = "x".repeat(5_000),
                "hello\nworld"
            );
        });
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains('\x1b') && line.len() < 2_000, "{line}");
        assert!(line.starts_with("10:00:00.000 INFO  hello\\nworld"), "{line}");
    }

    #[test]
    fn the_list_of_fields_is_sorted_and_names_nothing_personal() {
        assert!(FIELDS.is_sorted());
        for personal in
            ["name", "email", "address", "agent", "recipientName", "subject", "body", "cookie", "reason"]
        {
            assert!(!FIELDS.contains(&personal));
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error() {
        let clock = Arc::new(MockClock::at(Time::from_seconds(0)));
        assert!(init(Format::Json, "info,x=loudly", clock).unwrap_err().is(&TELEMETRY_FILTER));
    }
}
