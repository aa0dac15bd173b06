//! `cargo xtask fuzz`: every parser gets bytes that nobody would write, for a while, and the table says what came of it.
//!
//! A leg of its own, not part of `test`: it needs a nightly compiler and `cargo-fuzz`, and finds more the longer it runs.
//! What it learns (the corpus) and what it catches (the artifacts) stay under `target/fuzz/`. The fuzz workspace is kept
//! at the versions of the house, so that what is fuzzed is what is shipped.
//! Never here: a bound that differs between targets, or an input that is forgiven.

use crate::guard::Guard;
use crate::run::{read, seconds};
use crate::{Outcome, Trouble, cargo_toml, dependencies, place, process, tools};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The version of `cargo-fuzz` that is installed when none is there.
const CARGO_FUZZ: &str = "0.13.2";
/// How long each target runs unless `--seconds` says otherwise.
const SECONDS: u64 = 60;
/// The longest that one input may take (docs/threat-model.md); libFuzzer keeps one that takes longer.
const INPUT_SECONDS_MAX: u64 = 5;
/// The process as a whole: sanitizer, engine and corpus. What one input may take (64 MiB) is counted inside the target.
const PROCESS_MIB_MAX: u64 = 1024;
/// The longest input that is tried: more than any document, less than any file limit.
const INPUT_BYTES_MAX: u64 = 1024 * 1024;
/// The longest that building may take; two cores need about ten minutes the first time.
const BUILD: Duration = Duration::from_secs(60 * 60);
/// What a target may take beyond its time: to start, to read its corpus, to say goodbye.
const GRACE: Duration = Duration::from_secs(5 * 60);

const USE: &str = "cargo xtask fuzz [TARGET…] [--seconds N] [--install]";

/// What was chosen on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    targets: Vec<String>,
    seconds: u64,
    install: bool,
}

impl Choice {
    fn of(words: &[String], known: &[String]) -> Result<Self, Trouble> {
        let mut choice = Self { targets: Vec::new(), seconds: SECONDS, install: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--install" => choice.install = true,
                "--seconds" => {
                    let number =
                        words.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                    let what = format!("`--seconds` needs a whole number from 1 upwards: {USE}");
                    choice.seconds = number.ok_or_else(|| Trouble::wrong_use(what))?;
                }
                name if known.iter().any(|target| target == name) => choice.targets.push(name.to_owned()),
                other => {
                    let known = known.join(", ");
                    return Err(Trouble::wrong_use(format!(
                        "`fuzz` does not know `{other}`: {USE}; targets are {known}"
                    )));
                }
            }
        }
        if choice.targets.is_empty() {
            choice.targets = known.to_vec();
        }
        Ok(choice)
    }
}

/// Runs the targets, one after the other; true when none was brought down.
pub fn command(words: &[String]) -> Outcome {
    let choice = Choice::of(words, &targets()?)?;
    let guard = Guard::start()?;
    tools::provide(&[tools::C_COMPILER], &guard)?;
    provide(choice.install, &guard)?;
    follow_the_house()?;
    let licences = dependencies::fuzz()?;
    if licences.counts.failed > 0 {
        return Err(Trouble::new(licences.shown.join("\n")));
    }
    build(&guard)?;
    println!("{:<12}{:>12}{:>10}{:>8}  found", "target", "runs", "edges", "new");
    let mut well = true;
    for target in &choice.targets {
        let (said, ended) = run(target, choice.seconds, &guard)?;
        let found = said.found(ended, target);
        println!(
            "{target:<12}{:>12}{:>10}{:>+8}  {}",
            said.runs,
            said.edges,
            said.new_edges(),
            found.as_deref().unwrap_or("nothing")
        );
        well &= found.is_none();
    }
    Ok(well)
}

/// The targets by name, as the fuzz workspace lists them.
fn targets() -> Result<Vec<String>, Trouble> {
    let manifest = cargo_toml::Document::read(&folder().join("Cargo.toml"))?;
    let names = manifest.section("bin").filter(|entry| entry.key == "name");
    Ok(names.flat_map(|entry| cargo_toml::strings(&entry.value)).collect())
}

fn folder() -> PathBuf {
    place::root().join("fuzz")
}

/// Where everything is kept that must not be in the repository.
fn kept(what: &str, target: &str) -> Result<PathBuf, Trouble> {
    let folder = place::target().join("fuzz").join(what).join(target);
    std::fs::create_dir_all(&folder)
        .map_err(|error| Trouble::new(format!("cannot make {}: {error}", place::short(&folder))))?;
    Ok(folder)
}

/// A command of the nightly toolchain; the one that runs us is pinned to another.
fn nightly(program: &str) -> Command {
    let mut command = place::command("rustup");
    command.args(["run", "nightly", program]);
    command
}

/// Sees that compiler and `cargo-fuzz` are there; installs them only when asked to.
fn provide(install: bool, guard: &Guard) -> Result<(), Trouble> {
    let mut rustup = place::command("rustup");
    rustup.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
    let mut cargo = place::cargo();
    cargo.args(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked"]);
    let needs = [
        ("the nightly compiler", nightly("rustc").arg("--version").output(), rustup),
        ("cargo-fuzz", nightly("cargo").args(["fuzz", "--version"]).output(), cargo),
    ];
    for (what, found, mut remedy) in needs {
        if found.is_ok_and(|output| output.status.success()) {
            continue;
        }
        let line = line_of(&remedy);
        if !install {
            return Err(Trouble::wrong_use(format!(
                "{what} is missing: run `{line}`, or add --install and I do it"
            )));
        }
        println!("installing {what}");
        let log = process::fresh_log("fuzz-install");
        let ended = process::run(&mut remedy, &log, BUILD, guard)?;
        if !ended.well() {
            return Err(Trouble::wrong_use(format!(
                "installing {what} failed ({ended}), see {}; run: {line}",
                place::short(&log)
            )));
        }
    }
    Ok(())
}

/// A command as one would type it.
fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Brings the lock of the fuzz workspace in line with the house's, when they name different versions of one package.
fn follow_the_house() -> Result<(), Trouble> {
    let file = folder().join("Cargo.lock");
    let text = |file: &Path| {
        std::fs::read_to_string(file)
            .map_err(|error| Trouble::new(format!("cannot read {}: {error}", place::short(file))))
    };
    let (house, ours) = (text(&place::root().join("Cargo.lock"))?, text(&file)?);
    let Some(followed) = followed(&house, &ours) else { return Ok(()) };
    std::fs::write(&file, followed)
        .map_err(|error| Trouble::new(format!("cannot write {}: {error}", place::short(&file))))?;
    println!("fuzz/Cargo.lock follows Cargo.lock again; commit it");
    Ok(())
}

/// The house's lock and, beside it, the packages that the fuzz workspace has alone; none when the versions agree. What is
/// too much, cargo leaves out when it reads it.
fn followed(house: &str, ours: &str) -> Option<String> {
    const PACKAGE: &str = "\n[[package]]\n";
    let package = |block: &str| {
        let mut lines = block.lines();
        Some((lines.next()?.to_owned(), lines.next()?.to_owned()))
    };
    let known: BTreeSet<(String, String)> = house.split(PACKAGE).skip(1).filter_map(package).collect();
    let named = |name: &str| known.iter().any(|(known, _)| known == name);
    let blocks: Vec<(&str, (String, String))> =
        ours.split(PACKAGE).skip(1).filter_map(|block| Some((block, package(block)?))).collect();
    if blocks.iter().all(|(_, one)| !named(&one.0) || known.contains(one)) {
        return None;
    }
    let alone =
        blocks.iter().filter(|(_, (name, _))| !named(name)).map(|(block, _)| format!("{PACKAGE}{block}"));
    Some(house.to_owned() + &alone.collect::<String>())
}

/// `cargo fuzz` with where it builds.
fn cargo_fuzz(verb: &str) -> Command {
    let mut command = nightly("cargo");
    command
        .args(["fuzz", verb, "--fuzz-dir", "fuzz", "--target-dir"])
        .arg(place::target().join("fuzz/build"));
    command
}

fn build(guard: &Guard) -> Result<(), Trouble> {
    let log = process::fresh_log("fuzz-build");
    let start = Instant::now();
    let ended = process::run(&mut cargo_fuzz("build"), &log, BUILD, guard)?;
    if !ended.well() {
        let reasons = read(&log);
        crate::counts::reasons(&reasons).iter().for_each(|line| eprintln!("    {line}"));
        return Err(Trouble::new(format!(
            "the targets do not build ({ended}); all of it: {}",
            place::short(&log)
        )));
    }
    println!("built in {}", seconds(start.elapsed()));
    Ok(())
}

/// Runs one target for its time.
fn run(target: &str, seconds: u64, guard: &Guard) -> Result<(Said, process::Ended), Trouble> {
    let log = process::fresh_log(&format!("fuzz-{target}"));
    let mut command = cargo_fuzz("run");
    command.arg(target).arg(kept("corpus", target)?).arg("--").args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={PROCESS_MIB_MAX}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        format!("-artifact_prefix={}/", kept("artifacts", target)?.display()),
        "-print_final_stats=1".to_owned(),
    ]);
    let ended = process::run(&mut command, &log, Duration::from_secs(seconds) + GRACE, guard)?;
    Ok((Said::of(&read(&log)), ended))
}

/// What libFuzzer said of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    runs: u64,
    /// Places of the code that were reached: by the corpus as it was, and in the end.
    edges_before: u64,
    edges: u64,
    /// The input that brought the target down.
    caught: Option<String>,
}

impl Said {
    fn of(log: &str) -> Self {
        let mut said = Self::default();
        for line in log.lines() {
            if let Some(runs) = line.strip_prefix("stat::number_of_executed_units:") {
                said.runs = runs.trim().parse().unwrap_or_default();
            } else if let Some((_, file)) = line.split_once("Test unit written to ") {
                said.caught = Some(file.trim().to_owned());
            } else if let Some((_, covered)) = line.split_once(" cov: ") {
                said.edges = covered.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
                if line.contains("INITED") {
                    said.edges_before = said.edges;
                }
            }
        }
        said
    }

    fn new_edges(&self) -> i64 {
        i64::try_from(self.edges.saturating_sub(self.edges_before)).unwrap_or(i64::MAX)
    }

    /// What somebody has to look at; nothing when the run ended well.
    fn found(&self, ended: process::Ended, target: &str) -> Option<String> {
        match &self.caught {
            Some(file) => Some(place::short(Path::new(file))),
            None if ended.well() => None,
            None => Some(format!("{ended}; see target/xtask/fuzz-{target}.log")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Said, followed};
    use crate::process::Ended;

    fn words(line: &str) -> Vec<String> {
        line.split_ascii_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn without_a_name_every_target_runs_for_a_minute() {
        let known = words("json pdf");
        let all = Choice { targets: known.clone(), seconds: 60, install: false };
        assert_eq!(Choice::of(&[], &known).expect("understood"), all);
        let some = Choice { targets: words("pdf"), seconds: 7, install: true };
        assert_eq!(Choice::of(&words("pdf --seconds 7 --install"), &known).expect("understood"), some);
        for wrong in ["png", "--seconds", "--seconds 0", "--seconds ten"] {
            assert!(Choice::of(&words(wrong), &known).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_run_is_read_from_what_the_engine_says() {
        let log = "#9\tINITED cov: 120 ft: 300 corp: 4/1Kb\n#50\tNEW    cov: 125 ft: 310\n#99\tDONE   cov: 130 ft: 320\n\
                   stat::number_of_executed_units: 99\n";
        let said = Said::of(log);
        assert_eq!(said, Said { runs: 99, edges_before: 120, edges: 130, caught: None });
        assert_eq!(said.new_edges(), 10);
        assert_eq!(said.found(Ended::Code(0), "json"), None);
        assert!(said.found(Ended::Late, "json").is_some(), "a run that does not end is no good run");
    }

    #[test]
    fn the_input_that_brought_a_target_down_is_named() {
        let said = Said::of(
            "==1== ERROR: libFuzzer: timeout\nartifact_prefix='x/'; Test unit written to x/timeout-1\n",
        );
        assert_eq!(said.found(Ended::Code(70), "json").as_deref(), Some("x/timeout-1"));
    }

    #[test]
    fn a_lock_that_names_another_version_follows_the_house() {
        let package = |name: &str, version: &str| {
            format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n")
        };
        let house = format!("version = 4\n{}", package("serde", "1.0.2"));
        let own = package("cap", "0.1.2");
        let behind = format!("version = 4\n{own}{}", package("serde", "1.0.1"));
        assert_eq!(followed(&house, &behind), Some(format!("{house}{own}")));
        assert_eq!(followed(&house, &format!("version = 4\n{own}{}", package("serde", "1.0.2"))), None);
    }
}
