//! `cargo xtask bench`: every figure of the house beside its goal, and beside a peer that did the same work in the same
//! minutes.
//!
//! Release builds, ours and theirs turn by turn, CPU time where cores are compared, the median of the ratios with their
//! range. Nothing is called fast without saying against what, nor written without saying what was durable. A program
//! that cannot be measured is named, and makes the command fail.

use crate::guard::Guard;
use crate::{Outcome, Trouble, legs, place, process, tools};
use crate::{bench_house, bench_ocsp};
use std::path::{Path, PathBuf};
use std::time::Duration;

const BUILD: Duration = Duration::from_secs(60 * 60);
const RUN: Duration = Duration::from_secs(10 * 60);
/// How often a measurement that has a peer is repeated, turn by turn.
const PAIRS: usize = 5;
/// How often one without a peer is repeated.
const TIMES: usize = 3;

/// One line of a measured program.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub name: String,
    /// Items per second of wall time.
    pub rate: f64,
    /// CPU microseconds of one item.
    pub cpu_us: f64,
    pub items: f64,
    pub fsyncs: Option<f64>,
    /// Microseconds that 95 of 100 stay below.
    pub p95_us: Option<f64>,
    pub note: String,
}

impl Line {
    /// Items per second of CPU time.
    pub fn per_core(&self) -> f64 {
        1e6 / self.cpu_us
    }
}

/// Reads the lines of the protocol out of what a program said (`bench/README.md`).
pub fn lines(said: &str) -> Vec<Line> {
    said.lines().filter_map(|line| line.trim().strip_prefix("bench: ")).filter_map(line_of).collect()
}

fn line_of(words: &str) -> Option<Line> {
    let (plain, note) = words.split_once("note=").map_or((words, ""), |(plain, note)| (plain, note));
    let value = |key: &str| {
        let found = plain.split_ascii_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        found.map(str::to_owned)
    };
    let number =
        |key: &str| value(key).and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    Some(Line {
        name: value("name")?,
        rate: number("rate")?,
        cpu_us: number("cpu_us")?,
        items: number("items").unwrap_or_default(),
        fsyncs: number("fsyncs"),
        p95_us: number("p95_us"),
        note: note.trim().trim_matches('"').to_owned(),
    })
}

/// What a figure is compared with.
#[derive(Debug, Clone, Copy)]
pub enum Measure {
    /// Items per CPU second, at least so many.
    PerCore(f64),
    /// Items per second, end to end, at least so many.
    EndToEnd(f64),
    /// CPU milliseconds of one item, at most so many.
    Milliseconds(f64),
    /// Milliseconds of wall time that 95 of 100 items stay below, at most so many.
    Within(f64),
    /// Items per second, end to end, as a share of another line of the same run.
    ShareOf(&'static str, f64),
}

/// One figure of the house.
#[derive(Debug, Clone, Copy)]
struct Figure {
    what: &'static str,
    /// The `name=` of our line.
    line: &'static str,
    measure: Measure,
    /// The peer's word for `bench/peer.mjs`, and how many times faster we want to be.
    peer: Option<(&'static str, f64)>,
}

/// A program of ours that prints lines, and the figures in them.
struct Program {
    /// The NAMEs by which it is chosen.
    names: &'static [&'static str],
    made: Made,
    /// What it needs of the machine.
    needs: &'static [tools::Tool],
    figures: &'static [Figure],
}

enum Made {
    Example { package: &'static str, example: &'static str },
    Selo { what: &'static str },
}

const PROGRAMS: [Program; 9] = [
    Program {
        names: &["issue", "verify"],
        made: Made::Example { package: "proof", example: "proof_speed" },
        needs: &[],
        figures: &[
            Figure {
                what: "issue eddsa-rdfc-2022, full path",
                line: "issue-full",
                measure: Measure::PerCore(1000.0),
                peer: Some(("issue", 14.0)),
            },
            Figure {
                what: "issue eddsa-rdfc-2022, template path",
                line: "issue-template",
                measure: Measure::PerCore(2000.0),
                peer: Some(("issue", 14.0)),
            },
            Figure {
                what: "verify eddsa-rdfc-2022",
                line: "verify",
                measure: Measure::PerCore(2000.0),
                peer: Some(("verify", 10.0)),
            },
        ],
    },
    Program {
        names: &["print"],
        made: Made::Example { package: "render", example: "render_speed" },
        needs: &[],
        figures: &[
            Figure {
                what: "PDF of a one-page diploma",
                line: "pdf",
                measure: Measure::Milliseconds(10.0),
                peer: None,
            },
            Figure { what: "PNG at 842 px", line: "png", measure: Measure::Milliseconds(35.0), peer: None },
        ],
    },
    Program {
        names: &["verbs"],
        made: Made::Example { package: "store", example: "verbs" },
        needs: &[],
        figures: &[Figure {
            what: "durable verbs on SQLite, 64 in flight",
            line: "verbs",
            measure: Measure::EndToEnd(3000.0),
            peer: None,
        }],
    },
    Program {
        names: &["token"],
        made: Made::Example { package: "keys", example: "token_speed" },
        needs: &[tools::SOFTHSM],
        figures: &[
            Figure {
                what: "sign P-256 on SoftHSM and verify, 64 callers",
                line: "token-one",
                measure: Measure::EndToEnd(2500.0),
                peer: None,
            },
            Figure {
                what: "the same, SoftHSM alone on one session",
                line: "token-raw",
                measure: Measure::EndToEnd(2500.0),
                peer: None,
            },
        ],
    },
    Program {
        names: &["pki", "pki-token"],
        made: Made::Example { package: "selo", example: "pki_token_speed" },
        needs: &[tools::SOFTHSM],
        figures: &[Figure {
            what: "certificates issued by a key on SoftHSM, against SoftHSM alone",
            line: "pki-token-issue",
            measure: Measure::ShareOf("pki-token-raw", 0.7),
            peer: None,
        }],
    },
    Program {
        names: &["bulk"],
        made: Made::Selo { what: "bulk" },
        needs: &[],
        figures: &[Figure {
            what: "CSV of 10,000 rows, end to end",
            line: "bulk",
            measure: Measure::EndToEnd(850.0),
            peer: None,
        }],
    },
    Program {
        names: &["pki"],
        made: Made::Selo { what: "pki" },
        needs: &[],
        figures: &[
            Figure {
                what: "certificates issued, 64 in flight",
                line: "pki-issue",
                measure: Measure::EndToEnd(2000.0),
                peer: None,
            },
            Figure {
                what: "ACME: order, challenge, finalize, download",
                line: "pki-acme",
                measure: Measure::EndToEnd(300.0),
                peer: None,
            },
            Figure {
                what: "P-256 signatures alone: the limit",
                line: "pki-sign-raw",
                measure: Measure::PerCore(11_000.0),
                peer: None,
            },
            Figure {
                what: "OCSP, signed on demand (without the network)",
                line: "pki-ocsp-signed",
                measure: Measure::PerCore(8000.0),
                peer: None,
            },
            Figure {
                what: "OCSP, signed before (without the network)",
                line: "pki-ocsp-ready",
                measure: Measure::PerCore(20_000.0),
                peer: None,
            },
        ],
    },
    Program {
        names: &["inventory"],
        made: Made::Selo { what: "inventory" },
        needs: &[],
        figures: &[
            within("1 M certificates, searched by the beginning of a name", "inventory-name", 50.0),
            within("the same, by domain", "inventory-suffix", 50.0),
            within("the same, by owner", "inventory-owner", 50.0),
            within("the same, by state and end", "inventory-state-end", 50.0),
            within("the same, by profile", "inventory-profile", 50.0),
            within("the same, page 1,000 of all", "inventory-page", 50.0),
            within("the lists of 1 M revoked, 16 shards, all", "inventory-lists", 2000.0),
        ],
    },
    Program {
        names: &["log"],
        made: Made::Selo { what: "log" },
        needs: &[],
        figures: &[
            Figure {
                what: "log: leaves appended in batches of 256",
                line: "log-append",
                measure: Measure::EndToEnd(10_000.0),
                peer: None,
            },
            Figure {
                what: "log: 1 M leaves verified again (in 10 s)",
                line: "log-verify",
                measure: Measure::EndToEnd(100_000.0),
                peer: None,
            },
        ],
    },
];

const fn within(what: &'static str, line: &'static str, milliseconds: f64) -> Figure {
    Figure { what, line, measure: Measure::Within(milliseconds), peer: None }
}

/// One row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    pub what: String,
    pub goal: String,
    pub measured: String,
    pub against: String,
    pub ratio: String,
    pub note: String,
}

/// Runs the chosen measurements, or all.
pub fn command(words: &[String]) -> Outcome {
    let known: Vec<&str> = PROGRAMS
        .iter()
        .flat_map(|program| program.names)
        .chain(&bench_house::NAMES)
        .chain(&bench_ocsp::NAMES)
        .copied()
        .collect();
    if let Some(unknown) = words.iter().find(|word| !known.contains(&word.as_str())) {
        return Err(Trouble::wrong_use(format!(
            "there is no measurement `{unknown}`; there are {}",
            known.join(", ")
        )));
    }
    let chosen = |names: &[&str]| words.is_empty() || words.iter().any(|word| names.contains(&word.as_str()));
    let guard = Guard::start()?;
    let mut table = Table::default();
    for program in PROGRAMS.iter().filter(|program| chosen(program.names)) {
        eprintln!("measuring {}", program.names.join(", "));
        if let Err(trouble) = measure(program, &guard, &mut table) {
            table.trouble(program.names.join(", "), &trouble);
        }
    }
    if chosen(&bench_house::NAMES) {
        eprintln!("measuring {}", bench_house::NAMES.join(", "));
        let page = words.is_empty() || words.iter().any(|word| word == "page");
        let build = build_selo(&guard);
        if let Err(trouble) = build.and_then(|()| bench_house::measure(page, &guard, &mut table)) {
            table.trouble(bench_house::NAMES.join(", "), &trouble);
        }
    }
    if chosen(&bench_ocsp::NAMES) || chosen(&["pki"]) {
        eprintln!("measuring {}", bench_ocsp::NAMES.join(", "));
        if let Err(trouble) = build_selo(&guard).and_then(|()| bench_ocsp::measure(&guard, &mut table)) {
            table.trouble(bench_ocsp::NAMES.join(", "), &trouble);
        }
    }
    Ok(table.print())
}

fn build_selo(guard: &Guard) -> Result<(), Trouble> {
    let web = place::root().join("web");
    let log = process::fresh_log("bench-build");
    if web.join("package.json").is_file() {
        tools::provide(&[tools::NODE, tools::NPM], guard)?;
        legs::install(&web, &log, guard)?;
        let mut build = place::command("npm");
        build.args(["run", "build"]).current_dir(&web);
        run_well(&mut build, &log, guard)?;
    }
    run_well(place::cargo().args(["build", "--release", "--package", "selo", "--locked"]), &log, guard)
}

fn run_well(command: &mut std::process::Command, log: &Path, guard: &Guard) -> Result<(), Trouble> {
    let ended = process::run(command, log, BUILD, guard)?;
    if ended.well() { Ok(()) } else { Err(Trouble::new(format!("{ended}; see {}", place::short(log)))) }
}

fn measure(program: &Program, guard: &Guard, table: &mut Table) -> Result<(), Trouble> {
    let (binary, words): (PathBuf, Vec<&str>) = match program.made {
        Made::Example { package, example } => (build_example(package, example, guard)?, Vec::new()),
        Made::Selo { what } => {
            build_selo(guard)?;
            (place::selo("release"), vec!["bench", what])
        }
    };
    tools::provide(program.needs, guard)?;
    let mut peers: Vec<&str> = program.figures.iter().filter_map(|figure| Some(figure.peer?.0)).collect();
    peers.dedup();
    if !peers.is_empty() {
        tools::provide(&[tools::NODE, tools::NPM], guard)?;
        legs::install(&place::root().join("interop"), &process::fresh_log("bench-peer-packages"), guard)?;
    }
    let document = guard.scratch().join("bench-credential.json");
    let mut rounds: Vec<(Vec<Line>, Vec<Line>)> = Vec::new();
    for _ in 0..if peers.is_empty() { TIMES } else { PAIRS } {
        let mut ours = place::command(&binary);
        ours.args(&words).env("BENCH_DOCUMENT", &document);
        let ours = said(&mut ours, guard)?;
        let mut theirs = Vec::new();
        for peer in &peers {
            let mut command = place::command("node");
            command.arg("bench/peer.mjs").arg(peer).env("BENCH_DOCUMENT", &document);
            theirs.extend(said(&mut command, guard)?);
        }
        rounds.push((ours, theirs));
    }
    for figure in program.figures {
        table.rows.push(row(figure, &rounds)?);
    }
    Ok(())
}

/// Builds an example and keeps a copy: two crates may call theirs the same.
fn build_example(package: &str, example: &str, guard: &Guard) -> Result<PathBuf, Trouble> {
    let log = process::fresh_log(&format!("bench-build-{package}"));
    let mut build = place::cargo();
    build.args(["build", "--release", "--package", package, "--example", example, "--locked"]);
    run_well(&mut build, &log, guard)?;
    let built = place::target().join("release/examples").join(example);
    let kept = guard.folder().join(format!("{package}-{example}"));
    std::fs::copy(&built, &kept)
        .map_err(|error| Trouble::new(format!("cannot copy {}: {error}", built.display())))?;
    Ok(kept)
}

/// Runs a program to its end and gives its lines.
fn said(command: &mut std::process::Command, guard: &Guard) -> Result<Vec<Line>, Trouble> {
    let log = process::fresh_log("bench-run");
    let program = command.get_program().to_string_lossy().into_owned();
    let ended = process::run(command, &log, RUN, guard)?;
    let found = lines(&crate::run::read(&log));
    if !ended.well() || found.is_empty() {
        let copy = process::fresh_log("bench-broken");
        let _copied = std::fs::copy(&log, &copy);
        return Err(Trouble::new(format!(
            "{program} printed {} lines of the bench protocol ({ended}); see {}",
            found.len(),
            place::short(&copy)
        )));
    }
    Ok(found)
}

fn row(figure: &Figure, rounds: &[(Vec<Line>, Vec<Line>)]) -> Result<Row, Trouble> {
    let named = |lines: &[Line], name: &str| lines.iter().find(|line| line.name == name).cloned();
    let ours: Vec<Line> = rounds.iter().filter_map(|(ours, _)| named(ours, figure.line)).collect();
    let Some(newest) = ours.last() else {
        return Err(Trouble::new(format!("no line `name={}` was printed for: {}", figure.line, figure.what)));
    };
    let middle = |value: fn(&Line) -> f64| median(ours.iter().map(value).collect());
    let (goal, measured, reached) = match figure.measure {
        Measure::PerCore(goal) => (
            format!("{}/s", grouped(goal)),
            format!("{}/s", grouped(middle(Line::per_core))),
            middle(Line::per_core) / goal,
        ),
        Measure::EndToEnd(goal) => (
            format!("{}/s", grouped(goal)),
            format!("{}/s", grouped(middle(|line| line.rate))),
            middle(|line| line.rate) / goal,
        ),
        Measure::ShareOf(line, goal) => {
            let share = |(ours, _): &(Vec<Line>, Vec<Line>)| {
                Some(named(ours, figure.line)?.rate / named(ours, line)?.rate)
            };
            let share = median(rounds.iter().filter_map(share).collect());
            (
                format!("{:.0} % of {line}", goal * 100.0),
                format!("{}/s, {:.0} %", grouped(middle(|line| line.rate)), share * 100.0),
                share / goal,
            )
        }
        Measure::Milliseconds(goal) => (
            format!("{goal} ms"),
            format!("{:.1} ms", middle(|line| line.cpu_us) / 1e3),
            goal * 1e3 / middle(|line| line.cpu_us),
        ),
        Measure::Within(goal) => {
            let p95 = middle(|line| line.p95_us.unwrap_or(f64::INFINITY));
            (format!("p95 {goal} ms"), format!("{:.1} ms", p95 / 1e3), goal * 1e3 / p95)
        }
    };
    let mut note = newest.note.clone();
    if let Some(fsyncs) = newest.fsyncs.filter(|_| newest.items > 0.0) {
        note = format!("{note}; {:.3} fsync each", fsyncs / newest.items);
    }
    let Some((word, wanted)) = figure.peer else {
        return Ok(Row {
            what: figure.what.to_owned(),
            goal,
            measured,
            against: "its goal".to_owned(),
            ratio: format!("{reached:.2}"),
            note,
        });
    };
    let peer = format!("peer-{word}");
    let pairs: Vec<(f64, f64)> = rounds
        .iter()
        .filter_map(|(ours, theirs)| {
            Some((named(ours, figure.line)?.per_core(), named(theirs, &peer)?.per_core()))
        })
        .collect();
    let ratios: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours / theirs).collect();
    let (low, high) =
        ratios.iter().fold((f64::MAX, 0.0_f64), |(low, high), ratio| (low.min(*ratio), high.max(*ratio)));
    Ok(Row {
        what: figure.what.to_owned(),
        goal: format!("{goal}, {wanted}x"),
        measured,
        against: format!(
            "@digitalbazaar/vc {}/s",
            grouped(median(pairs.iter().map(|(_, theirs)| *theirs).collect()))
        ),
        ratio: format!("{:.1}x ({low:.1} to {high:.1})", median(ratios)),
        note,
    })
}

/// The middle one of some figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A figure as people read it: `12,345`.
pub fn grouped(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// The table, and what could not be measured.
#[derive(Debug, Default)]
pub struct Table {
    pub rows: Vec<Row>,
    troubles: Vec<String>,
}

impl Table {
    fn trouble(&mut self, what: String, trouble: &Trouble) {
        self.troubles.push(format!("{what}: {trouble}"));
    }

    /// Prints the table and keeps it among the reports; true when everything was measured.
    fn print(&self) -> bool {
        let head = ["what", "goal", "measured", "against", "ratio", "durable, and what else to know"]
            .map(str::to_owned);
        let mut cells = vec![head];
        cells.extend(
            self.rows
                .iter()
                .cloned()
                .map(|row| [row.what, row.goal, row.measured, row.against, row.ratio, row.note]),
        );
        let widths: Vec<usize> = (0..6)
            .map(|column| {
                cells.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in &cells {
            let line: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            text.push_str(&format!("{}\n", line.join("  ").trim_end()));
        }
        text.push_str("\nRates are per CPU second unless \"end to end\" or \"durable\"; ours and the peer ran turn by turn; the ratio is the median of the pairs (range).\n");
        for trouble in &self.troubles {
            text.push_str(&format!("not measured: {trouble}\n"));
        }
        println!("{text}");
        if let Err(error) = std::fs::write(place::reports().join("bench.txt"), text) {
            eprintln!("xtask: the table was not kept: {error}");
        }
        self.troubles.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{grouped, lines, median};

    #[test]
    fn a_line_of_the_protocol_is_read_and_others_are_not() {
        let said = "warming up\nbench: name=verify rate=2000 cpu_us=480.5 items=4000 fsyncs=2 note=\"name=none; durable: nothing\"\nbench: name=broken\n";
        let found = lines(said);
        assert_eq!(found.len(), 1);
        let line = found.first().expect("one line");
        assert_eq!(
            (line.name.as_str(), line.rate, line.cpu_us, line.fsyncs),
            ("verify", 2000.0, 480.5, Some(2.0))
        );
        assert_eq!(line.note, "name=none; durable: nothing");
    }

    #[test]
    fn the_middle_is_not_moved_by_one_that_runs_away() {
        assert!((median(vec![3.0, 900.0, 1.0]) - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn figures_are_grouped_by_thousands() {
        assert_eq!([grouped(999.0), grouped(1000.0), grouped(1_234_567.4)], ["999", "1,000", "1,234,567"]);
    }
}
