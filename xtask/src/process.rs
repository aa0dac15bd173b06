//! One child process of a leg: its output goes to a log, it has a limit of time, and the guard knows it.
//!
//! A child stands in a process group of its own, so that everything it starts can be ended with it.

use crate::guard::{Guard, signal};
use crate::{Trouble, place};
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Code(i32),
    /// A signal ended it.
    Signal,
    /// It was stopped because its time was over.
    Late,
}

impl Ended {
    pub fn well(self) -> bool {
        self == Self::Code(0)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(out, "exit code {code}"),
            Self::Signal => out.write_str("a signal ended it"),
            Self::Late => out.write_str("its time was over"),
        }
    }
}

/// Starts a child whose output is appended to `log`.
pub fn start(command: &mut Command, log: &Path, guard: &Guard) -> Result<Child, Trouble> {
    let said = format!("{:?}", command.get_program());
    let failed = |error: std::io::Error| Trouble::new(format!("cannot start {said}: {error}"));
    let out = OpenOptions::new().create(true).append(true).open(log).map_err(failed)?;
    let err = out.try_clone().map_err(failed)?;
    let child = command
        .stdout(out)
        .stderr(err)
        .env("TMPDIR", guard.scratch())
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    guard.group(child.id());
    Ok(child)
}

/// Runs a child to its end, or to the end of its time.
pub fn run(command: &mut Command, log: &Path, limit: Duration, guard: &Guard) -> Result<Ended, Trouble> {
    let mut child = start(command, log, guard)?;
    let start = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code().map_or(Ended::Signal, Ended::Code),
            Ok(None) if start.elapsed() > limit => {
                signal("KILL", &format!("-{}", child.id()));
                let _reaped = child.wait();
                break Ended::Late;
            }
            Ok(None) => std::thread::sleep(POLL),
            Err(error) => return Err(Trouble::new(format!("cannot wait for a child process: {error}"))),
        }
    };
    guard.gone(child.id());
    Ok(ended)
}

/// Runs a small child to its end and gives its standard output, or what it said on standard error.
pub fn output(command: &mut Command) -> Result<String, Trouble> {
    let said = format!("{:?}", command.get_program());
    let output = command.output().map_err(|error| Trouble::new(format!("cannot start {said}: {error}")))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(Trouble::new(format!("{said} ended with {}: {}", output.status, reason.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Makes a log empty and gives its path under the reports.
pub fn fresh_log(name: &str) -> std::path::PathBuf {
    let log = place::reports().join(format!("{}.log", name.replace(' ', "-")));
    if log.exists()
        && let Err(error) = std::fs::remove_file(&log)
    {
        eprintln!("xtask: cannot empty {}: {error}", log.display());
    }
    log
}
