//! Strangers that are written in Python: a folder of their own with exactly the packages that
//! `interop/python/requirements.txt` names, and the leg in which pkilint judges what the authority signs.
//!
//! Never here: a package of the system's Python, or one that was not pinned.

use crate::counts::of_node;
use crate::guard::Guard;
use crate::legs;
use crate::run::{Report, read};
use crate::{Outcome, Trouble, place, process, tools};
use std::path::PathBuf;
use std::time::Duration;

/// The longest that installing the packages may take.
const INSTALL: Duration = Duration::from_secs(10 * 60);
/// The longest that making the artefacts and linting them may take; two cores need a few seconds.
const LINT: Duration = Duration::from_secs(60);
/// The longest that building the example may take, when nothing of it is built yet.
const BUILD: Duration = Duration::from_secs(15 * 60);

/// The folder of the Python packages.
pub fn folder() -> PathBuf {
    place::target().join("interop/python")
}

/// Sees that Python can make folders of its own; Debian keeps that part in a package apart.
pub fn provide(guard: &Guard) -> Outcome {
    let mut probe = place::command("python3");
    probe.args(["-c", "import ensurepip, tomllib, venv"]);
    if process::output(&mut probe).is_ok() {
        return Ok(true);
    }
    tools::install(&["python3", "python3-venv"], guard)?;
    process::output(&mut probe)
        .map(|_| true)
        .map_err(|trouble| Trouble::wrong_use(format!("Python 3.11 or newer with venv is needed: {trouble}")))
}

/// Installs what is pinned, unless what is installed already comes from the same list.
pub fn packages(guard: &Guard) -> Result<Report, Trouble> {
    let wanted = place::root().join("interop/python/requirements.txt");
    let list = std::fs::read(&wanted)
        .map_err(|error| Trouble::new(format!("cannot read {}: {error}", place::short(&wanted))))?;
    let stamp = folder().join(".selo-list");
    let ready = || Report { note: "packages as pinned".to_owned(), ..Report::default() };
    if std::fs::read(&stamp).is_ok_and(|before| before == list) {
        return Ok(ready());
    }
    let log = process::fresh_log("python-packages");
    let mut make = place::command("python3");
    make.args(["-m", "venv", "--clear"]).arg(folder());
    let mut fill = place::command(folder().join("bin/python"));
    fill.args(["-m", "pip", "install", "--no-deps", "--no-input", "--disable-pip-version-check", "-r"]);
    fill.arg(&wanted);
    for command in [&mut make, &mut fill] {
        let ended = process::run(command, &log, INSTALL, guard)?;
        if !ended.well() {
            return Err(Trouble::new(format!(
                "the Python packages of {} cannot be installed ({ended}); see {}",
                place::short(&wanted),
                place::short(&log)
            )));
        }
    }
    std::fs::write(&stamp, list)
        .map_err(|error| Trouble::new(format!("cannot write {}: {error}", stamp.display())))?;
    Ok(ready())
}

/// The leg: certificates of every profile and key, lists and answers, made anew and judged by pkilint.
pub fn pkilint(guard: &Guard) -> Result<Report, Trouble> {
    let log = process::fresh_log("pkilint");
    let artefacts = guard.scratch().join("pki-artefacts");
    let mut make = place::cargo();
    make.args(["run", "--quiet", "--locked", "--package", "proof", "--example", "pki_artefacts", "--"]);
    make.arg(&artefacts);
    let ended = process::run(&mut make, &log, BUILD, guard)?;
    if !ended.well() {
        return Ok(Report::from_log(&log));
    }
    let mut lint = place::command(folder().join("bin/python"));
    lint.arg("interop/python/lint.py").arg(&artefacts).arg("interop/pkilint-exceptions.toml");
    let ended = process::run(&mut lint, &log, LINT, guard)?;
    Ok(legs::judge(ended, of_node(&read(&log)), &log))
}
