//! Generated files that are committed: the HTTP contract and the dumps of the database schema.
//!
//! The contract is what `selo openapi` prints; a test of the roof writes the schema when `SELO_TEST_UPDATE` is set and
//! compares it otherwise, so that plain `cargo test` keeps it true as well.

use crate::guard::Guard;
use crate::run::Report;
use crate::{Outcome, Trouble, legs, place, postgres, process, tools};
use std::time::Duration;

const CONTRACT: &str = "openapi/selo.json";
const BUILD: Duration = Duration::from_secs(40 * 60);
/// Tests that own a committed file write it when this is set to `1`.
const UPDATE: &str = "SELO_TEST_UPDATE";

/// `cargo xtask openapi [--check]`.
pub fn openapi(words: &[String]) -> Outcome {
    let check = match words {
        [] => false,
        [word] if word == "--check" => true,
        _ => return Err(Trouble::wrong_use("cargo xtask openapi [--check]")),
    };
    let guard = Guard::start()?;
    let log = process::fresh_log("build");
    let built = process::run(place::cargo().args(["build", "--package", "selo"]), &log, BUILD, &guard)?;
    if !built.well() {
        return Err(Trouble::new(format!("selo does not build; see {}", place::short(&log))));
    }
    if check {
        let report = compare(&guard)?;
        report.shown.iter().for_each(|line| println!("{line}"));
        return Ok(report.counts.failed == 0);
    }
    let file = place::root().join(CONTRACT);
    std::fs::write(&file, printed(&guard)?)
        .map_err(|error| Trouble::new(format!("cannot write {}: {error}", file.display())))?;
    println!("written: {CONTRACT}");
    Ok(true)
}

/// Compares the committed contract with what the handlers say.
pub fn compare(guard: &Guard) -> Result<Report, Trouble> {
    let committed = std::fs::read_to_string(place::root().join(CONTRACT)).unwrap_or_default();
    let said = printed(guard)?;
    if committed == said {
        return Ok(Report::held(format!("{CONTRACT} is current")));
    }
    let difference = committed.lines().zip(said.lines()).position(|(before, now)| before != now);
    let line = difference.unwrap_or_else(|| committed.lines().count().min(said.lines().count()));
    let at = |text: &str| text.lines().nth(line).unwrap_or("(end)").trim().to_owned();
    Ok(Report::broke(vec![
        format!(
            "{CONTRACT} is not what the handlers say, from line {}; write it: cargo xtask openapi",
            line + 1
        ),
        format!("committed: {}", at(&committed)),
        format!("handlers:  {}", at(&said)),
    ]))
}

fn printed(guard: &Guard) -> Result<String, Trouble> {
    let home = guard.scratch().join("openapi-home");
    let text = process::output(
        place::command(place::selo("debug")).arg("--home").arg(home).args(["--json", "openapi"]),
    )?;
    Ok(format!("{}\n", text.trim_end()))
}

/// `cargo xtask schema`.
pub fn schema(words: &[String]) -> Outcome {
    if !words.is_empty() {
        return Err(Trouble::wrong_use("cargo xtask schema"));
    }
    let guard = Guard::start()?;
    tools::provide(&[tools::C_COMPILER, tools::POSTGRES], &guard)?;
    let address = postgres::start(&guard)?;
    let log = process::fresh_log("schema");
    let mut command = place::cargo();
    command
        .args(["test", "--package", "selo", "--test", "lists", "--", "schema_is_the_committed_one"])
        .env(UPDATE, "1")
        .env(legs::POSTGRES, address);
    let ended = process::run(&mut command, &log, BUILD, &guard)?;
    if !ended.well() {
        return Err(Trouble::new(format!(
            "the schema was not written ({ended}); see {}",
            place::short(&log)
        )));
    }
    println!("written: the schema dumps; `git diff` shows what changed");
    Ok(true)
}
