//! `cargo xtask demo`: from a clone to the links, in a few calm lines.
//!
//! Builds the web front end and the release binary, then becomes `selo demo`: that command starts the house, runs the
//! main job, prints the links and serves until ctrl-c. Its house is new each time, unless `--keep` is given.

use crate::guard::Guard;
use crate::run::seconds;
use crate::{Outcome, Trouble, legs, place, process, tools};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const BUILD: Duration = Duration::from_secs(60 * 60);
const WEB: Duration = Duration::from_secs(10 * 60);
const POLL: Duration = Duration::from_millis(500);

/// Runs the demo. Comes back only when something is missing: the process becomes selo.
pub fn command(words: &[String]) -> Outcome {
    let mut passed = vec!["demo".to_owned()];
    let mut keep = false;
    for word in words {
        match word.as_str() {
            "--once" | "--json" => passed.push(word.clone()),
            "--keep" => keep = true,
            other => {
                return Err(Trouble::wrong_use(format!(
                    "`demo` does not know `{other}`: cargo xtask demo [--once [--json]] [--keep]"
                )));
            }
        }
    }
    node_is_there()?;
    {
        let guard = Guard::start()?;
        tools::provide(&[tools::C_COMPILER], &guard)?;
        web(&guard)?;
        let mut build = place::cargo();
        build.args(["build", "--release", "--package", "selo", "--locked"]);
        step("building the binary (minutes, the first time)", &mut build, "demo-build", BUILD, &guard)?;
    }
    let mut selo = Command::new(place::selo("release"));
    selo.current_dir(place::root());
    // to keep the house is to let selo choose its home as ever: $SELO_HOME, else ./selo-home
    if !keep {
        selo.arg("--home").arg(fresh_home()?);
    }
    let error = selo.args(passed).exec();
    Err(Trouble::new(format!("cannot start {}: {error}", place::selo("release").display())))
}

/// A home of the demonstration's own, empty each time.
fn fresh_home() -> Result<std::path::PathBuf, Trouble> {
    let home = place::reports().join("demo-home");
    if home.exists() {
        std::fs::remove_dir_all(&home)
            .map_err(|error| Trouble::new(format!("cannot empty {}: {error}", home.display())))?;
    }
    Ok(home)
}

fn node_is_there() -> Result<(), Trouble> {
    if !place::root().join("web/package.json").is_file() {
        return Ok(());
    }
    if place::find("node", &[]).is_none() || place::find("npm", &[]).is_none() {
        return Err(Trouble::wrong_use(
            "the web front end is built with Node 20 or newer and npm, and they are not here: install them, \
             on Debian with apt-get install -y nodejs npm",
        ));
    }
    tools::node_is_new_enough()
}

fn web(guard: &Guard) -> Result<(), Trouble> {
    let folder = place::root().join("web");
    if !folder.join("package.json").is_file() {
        return Ok(());
    }
    let log = process::fresh_log("demo-web-packages");
    legs::install(&folder, &log, guard)?;
    let mut build = place::command("npm");
    build.args(["run", "build"]).current_dir(&folder);
    step("building the web front end", &mut build, "demo-web", WEB, guard)
}

/// One line that counts on while the work runs; the last line of its log tells where it is.
fn step(
    words: &str,
    command: &mut Command,
    name: &str,
    limit: Duration,
    guard: &Guard,
) -> Result<(), Trouble> {
    let log = process::fresh_log(name);
    let start = Instant::now();
    eprintln!("{words} …");
    let ended = std::thread::scope(|scope| {
        let (done, finished) = std::sync::mpsc::channel::<()>();
        let watched = &log;
        scope.spawn(move || watch(watched, &finished));
        let ended = process::run(command, &log, limit, guard);
        drop(done);
        ended
    })?;
    if ended.well() {
        eprintln!("  done in {}", seconds(start.elapsed()));
        return Ok(());
    }
    for line in crate::counts::reasons(&crate::run::read(&log)) {
        eprintln!("    {line}");
    }
    Err(Trouble::new(format!("{words}: failed ({ended}); all of it: {}", place::short(&log))))
}

/// Shows how many crates are compiled, rewriting one line, when somebody watches.
fn watch(log: &Path, finished: &std::sync::mpsc::Receiver<()>) {
    use std::io::IsTerminal;
    use std::sync::mpsc::RecvTimeoutError;
    let start = Instant::now();
    let terminal = std::io::stderr().is_terminal();
    while let Err(RecvTimeoutError::Timeout) = finished.recv_timeout(POLL) {
        if terminal {
            let text = crate::run::read(log);
            let compiled = text.lines().filter(|line| line.trim_start().starts_with("Compiling ")).count();
            let shown = if compiled > 0 { format!("{compiled} crates, ") } else { String::new() };
            eprint!("\r  {shown}{}   \r", seconds(start.elapsed()));
        }
    }
}
