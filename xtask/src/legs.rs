//! `cargo xtask test`: everything that tells whether the house stands, in one run with one closing line.
//!
//! One debug build serves all legs; the tests themselves run on SQLite and, with `SELO_TEST_POSTGRES`, on PostgreSQL.
//! A leg whose folder does not exist has nothing to say and is not listed. Fuzzing is a leg of its own, not here.

use crate::counts::{Counts, of_cargo, of_node, reasons};
use crate::guard::Guard;
use crate::run::{Report, Run, read};
use crate::tools::{self, Tool};
use crate::{Outcome, Trouble, dependencies, generate, place, postgres, process, python, tidy};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The longest that building may take; a clean clone needs about ten minutes on two cores.
const BUILD: Duration = Duration::from_secs(40 * 60);
/// The longest that a leg of tests may take.
const TESTS: Duration = Duration::from_secs(25 * 60);
/// The longest that a small leg may take.
const SMALL: Duration = Duration::from_secs(5 * 60);

/// Where the private PostgreSQL is; tests make databases and roles of their own there.
pub const POSTGRES: &str = "SELO_TEST_POSTGRES";

/// Rules that Prometheus evaluates, and their trials.
const ALERTS: &str = "deploy/prometheus/selo-alerts.yml";
const AGENT_ALERTS: &str = "deploy/prometheus/selo-agent-alerts.yml";
const ALERT_TRIALS: &str = "deploy/prometheus/selo-alerts.test.yml";
/// Where the programs of the pinned Python packages are; tests that need one say when it is absent.
const PYTHON: &str = "SELO_TEST_PYTHON";

/// What was chosen on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Choice {
    sqlite_only: bool,
    rust_only: bool,
    /// Words for cargo's test harness; with them only the Rust tests run.
    filter: Vec<String>,
}

impl Choice {
    fn of(words: &[String]) -> Result<Self, Trouble> {
        let mut choice = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--sqlite-only" => choice.sqlite_only = true,
                "--rust-only" => choice.rust_only = true,
                "--" => choice.filter = words.by_ref().cloned().collect(),
                other => {
                    return Err(Trouble::wrong_use(format!(
                        "`test` does not know `{other}`: cargo xtask test [--sqlite-only] [--rust-only] [-- FILTER]"
                    )));
                }
            }
        }
        Ok(choice)
    }

    /// With a filter only the Rust tests run.
    fn only_some(&self) -> bool {
        !self.filter.is_empty()
    }
}

/// What the project has so far; a leg appears with its folder.
#[derive(Debug, Clone, Copy)]
struct Parts {
    web: bool,
    interop: bool,
    /// Judges that are written in Python.
    python: bool,
    browser: bool,
    binary: bool,
    wasm: bool,
    alerts: bool,
}

impl Parts {
    fn of(choice: &Choice) -> Self {
        let has = |file: &str| place::root().join(file).is_file();
        let more = !choice.rust_only && !choice.only_some();
        let binary = has("crates/selo/src/main.rs");
        Self {
            web: more && has("web/package.json"),
            interop: more && binary && has("interop/package.json"),
            python: more && has("interop/python/requirements.txt"),
            browser: more && binary && has("web/e2e/package.json"),
            binary,
            wasm: has("crates/proof/Cargo.toml") && has("crates/render/Cargo.toml"),
            alerts: more && has(ALERTS),
        }
    }

    fn tools(self, sqlite_only: bool) -> Vec<Tool> {
        let mut tools = vec![
            tools::C_COMPILER,
            tools::SOFTHSM,
            tools::NSS_TOOLS,
            tools::OPENSSL,
            tools::DEHYDRATED,
            tools::CURL,
            tools::NGINX,
            tools::REDIS,
        ];
        if !sqlite_only {
            tools.push(tools::POSTGRES);
        }
        if self.alerts {
            tools.push(tools::PROMTOOL);
        }
        if self.web || self.interop || self.browser {
            tools.extend([tools::NODE, tools::NPM]);
        }
        if self.browser {
            tools.extend([tools::CHROMIUM, tools::PDF_TOOLS]);
        }
        tools
    }
}

/// Runs the legs; true when all is well.
pub fn command(words: &[String]) -> Outcome {
    let choice = Choice::of(words)?;
    let parts = Parts::of(&choice);
    let guard = Guard::start()?;
    tools::provide(&parts.tools(choice.sqlite_only), &guard)?;
    if parts.wasm && !choice.only_some() {
        tools::provide_wasm(&guard)?;
    }
    if parts.python {
        python::provide(&guard)?;
    }

    let mut run = Run::new();
    // the Rust tests call them too
    let python = parts.python && run.leg("python", || python::packages(&guard));
    let mut address = None;
    if choice.sqlite_only {
        run.leave_out("sqlite only, by choice: nothing was tried on PostgreSQL");
    } else {
        run.leg("postgresql", || {
            address = Some(postgres::start(&guard)?);
            Ok(Report { note: "private, fsync on".to_owned(), ..Report::default() })
        });
    }
    if choice.only_some() {
        run.leave_out(format!("only the Rust tests that match {}, by choice", choice.filter.join(" ")));
        rust_tests(&mut run, &choice, address.as_deref(), &guard);
        return Ok(run.close());
    }
    if choice.rust_only {
        run.leave_out("Rust only, by choice: no web, no strangers, no browser");
    }

    run.leg("tidy", tidy::report);
    let format = ["fmt", "--all", "--check", "--", "--color", "never"];
    run.leg("format", || quiet(place::cargo().args(format), "format", SMALL, &guard));
    if parts.web {
        run.leg("web", || web(&guard));
    }
    run.leg("clippy", || {
        let words = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        quiet(place::cargo().args(words), "clippy", BUILD, &guard)
    });
    let built = run.leg("build", || {
        quiet(
            place::cargo().args(["build", "--workspace", "--all-targets", "--locked"]),
            "build",
            BUILD,
            &guard,
        )
    });
    if built {
        rust_tests(&mut run, &choice, address.as_deref(), &guard);
    }
    if parts.wasm {
        run.leg("wasm32", || {
            let words = ["check", "-p", "proof", "-p", "render", "--locked", "--target", tools::WASM];
            quiet(place::cargo().args(words), "wasm32", BUILD, &guard)
        });
    }
    run.leg("dependencies", dependencies::house);
    if built && python {
        run.leg("pkilint", || python::pkilint(&guard));
    }
    if parts.alerts {
        run.leg("alerts", || alerts(&guard));
    }
    if built && parts.binary {
        run.leg("contract", || generate::compare(&guard));
        if parts.interop {
            run.leg("strangers", || node(Path::new("interop"), "strangers", &guard));
        }
        if parts.browser {
            run.leg("browser", || node(Path::new("web/e2e"), "browser", &guard));
        }
    }
    Ok(run.close())
}

fn rust_tests(run: &mut Run, choice: &Choice, address: Option<&str>, guard: &Guard) {
    run.leg("rust tests", || {
        let log = process::fresh_log("rust-tests");
        let mut command = place::cargo();
        command.args(["test", "--workspace", "--no-fail-fast", "--locked"]);
        if choice.only_some() {
            command.arg("--").args(&choice.filter);
        }
        command.env(PYTHON, python::folder().join("bin"));
        if let Some(address) = address {
            command.env(POSTGRES, address);
        }
        let ended = process::run(&mut command, &log, BUILD + TESTS, guard)?;
        Ok(judge(ended, of_cargo(&read(&log)), &log))
    });
}

/// Installs what a Node project pins, then runs its own runner.
fn node(folder: &Path, name: &str, guard: &Guard) -> Result<Report, Trouble> {
    let log = process::fresh_log(name);
    let folder = place::root().join(folder);
    install(&folder, &log, guard)?;
    let mut command = place::command("node");
    command
        .arg("run.mjs")
        .current_dir(&folder)
        .env("SELO_BIN", place::selo("debug"))
        .env("SELO_SHOTS", place::reports().join("shots"));
    let ended = process::run(&mut command, &log, TESTS, guard)?;
    Ok(judge(ended, of_node(&read(&log)), &log))
}

/// `npm ci`, unless what is installed already comes from the same lock file.
pub fn install(folder: &Path, log: &Path, guard: &Guard) -> Result<(), Trouble> {
    let modules = folder.join("node_modules");
    let stamp = modules.join(".selo-lock");
    let lock = std::fs::read(folder.join("package-lock.json")).map_err(|error| {
        Trouble::new(format!("{} has no package-lock.json: {error}", place::short(folder)))
    })?;
    if std::fs::read(&stamp).is_ok_and(|before| before == lock) {
        return Ok(());
    }
    let mut command = place::command("npm");
    command
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(folder)
        // the browser is Debian's; no package fetches one of its own
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    let ended = process::run(&mut command, log, SMALL, guard)?;
    if !ended.well() {
        return Err(Trouble::new(format!(
            "npm ci in {} failed ({ended}); see {}",
            place::short(folder),
            place::short(log)
        )));
    }
    std::fs::write(&stamp, lock)
        .map_err(|error| Trouble::new(format!("cannot write {}: {error}", stamp.display())))
}

/// The web front end: installed, type-checked, built, and tested when it has tests.
fn web(guard: &Guard) -> Result<Report, Trouble> {
    let log = process::fresh_log("web");
    let folder = place::root().join("web");
    install(&folder, &log, guard)?;
    let mut total = Counts::default();
    for script in ["build", "test"] {
        let mut command = place::command("npm");
        command.args(["run", "--if-present", script]).current_dir(&folder);
        let ended = process::run(&mut command, &log, SMALL, guard)?;
        if !ended.well() {
            return Ok(Report::from_log(&log));
        }
    }
    total.add(of_node(&read(&log)));
    Ok(if total.ran() > 0 { Report { counts: total, ..Report::default() } } else { Report::held("built") })
}

/// The alert rules: read by Prometheus's own tool, and each tried on made-up figures.
fn alerts(guard: &Guard) -> Result<Report, Trouble> {
    let promtool = tools::path_of(&tools::PROMTOOL)
        .ok_or_else(|| Trouble::wrong_use("promtool is missing: apt-get install prometheus"))?;
    for words in [&["check", "rules", ALERTS, AGENT_ALERTS][..], &["test", "rules", ALERT_TRIALS]] {
        let report = quiet(place::command(&promtool).args(words), "alerts", SMALL, guard)?;
        if report.counts.failed > 0 {
            return Ok(report);
        }
    }
    Ok(Report::held("each alert speaks and is silent"))
}

/// A leg that is one check and says nothing when it holds.
fn quiet(command: &mut Command, name: &str, limit: Duration, guard: &Guard) -> Result<Report, Trouble> {
    let log = process::fresh_log(name);
    let ended = process::run(command, &log, limit, guard)?;
    Ok(if ended.well() { Report::held("") } else { Report::from_log(&log) })
}

/// A leg of tests: what they say of themselves, and a broken end as one more failure.
pub fn judge(ended: process::Ended, mut counts: Counts, log: &Path) -> Report {
    let mut shown = Vec::new();
    if !ended.well() || counts.failed > 0 || counts.ran() == 0 {
        let text = read(log);
        shown = reasons(&text).into_iter().map(str::to_owned).collect();
        shown.push(format!("(all of it: {})", place::short(log)));
    }
    if counts.failed == 0 && !ended.well() {
        shown.push(format!("no test says that it failed, but: {ended}"));
        counts.failed = 1;
    }
    if counts.ran() == 0 {
        shown.push("no test ran".to_owned());
        counts.failed = 1;
    }
    Report { counts, note: String::new(), shown }
}

#[cfg(test)]
mod tests {
    use super::Choice;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_follows_two_dashes_goes_to_the_test_harness() {
        let choice = Choice::of(&words("--sqlite-only -- erase --exact")).expect("understood");
        assert_eq!(choice, Choice { sqlite_only: true, rust_only: false, filter: words("erase --exact") });
        assert!(Choice::of(&words("--sqlite")).is_err());
    }
}
