//! A run of legs: one calm line each, results added up, failures shown, and the one closing line.
//!
//! A leg that breaks (cannot start, runs out of time, ends badly without naming a failed test) counts as one failed.

use crate::counts::{Counts, reasons};
use crate::{Trouble, place};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a leg gives back.
#[derive(Debug, Default)]
pub struct Report {
    pub counts: Counts,
    /// A few words for the leg's line.
    pub note: String,
    /// Lines to show because something failed.
    pub shown: Vec<String>,
}

impl Report {
    /// A leg that is one check, and held.
    pub fn held(note: impl Into<String>) -> Self {
        Self { counts: Counts { passed: 1, ..Counts::default() }, note: note.into(), shown: Vec::new() }
    }

    /// A leg that is one check, and did not hold.
    pub fn broke(shown: Vec<String>) -> Self {
        Self { counts: Counts { failed: 1, ..Counts::default() }, note: String::new(), shown }
    }

    /// A leg that is one check, told by its log.
    pub fn from_log(log: &Path) -> Self {
        let text = read(log);
        let mut shown: Vec<String> = reasons(&text).into_iter().map(str::to_owned).collect();
        shown.push(format!("(all of it: {})", place::short(log)));
        Self::broke(shown)
    }
}

/// The whole text of a log; a program may have written bytes that are no text.
pub fn read(log: &Path) -> String {
    std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The run so far.
#[derive(Debug)]
pub struct Run {
    start: Instant,
    total: Counts,
    broken: Vec<String>,
    /// What was left out by choice, said before the closing line.
    left_out: Vec<String>,
}

impl Run {
    pub fn new() -> Self {
        Self { start: Instant::now(), total: Counts::default(), broken: Vec::new(), left_out: Vec::new() }
    }

    /// Says that something is not part of this run, by choice.
    pub fn leave_out(&mut self, sentence: impl Into<String>) {
        self.left_out.push(sentence.into());
    }

    /// Runs one leg and prints its line; true when nothing of it failed.
    pub fn leg(&mut self, name: &str, work: impl FnOnce() -> Result<Report, Trouble>) -> bool {
        let start = Instant::now();
        let waiting = std::io::stdout().is_terminal();
        if waiting {
            print!("{name:<16} …");
            let _flushed = std::io::stdout().flush();
        }
        let report = work().unwrap_or_else(|trouble| Report::broke(vec![trouble.to_string()]));
        let well = report.counts.failed == 0;
        let word = if well { "ok" } else { "FAILED" };
        let start_of_line = if waiting { "\r" } else { "" };
        let line =
            format!("{start_of_line}{name:<16} {word:<7}{:>8}  {}", seconds(start.elapsed()), said(&report));
        println!("{}", line.trim_end());
        for shown in &report.shown {
            println!("    {shown}");
        }
        self.total.add(report.counts);
        if !well {
            self.broken.push(name.to_owned());
        }
        let _flushed = std::io::stdout().flush();
        well
    }

    /// Prints the closing lines; true when nothing failed and something passed.
    pub fn close(self) -> bool {
        println!();
        if !self.broken.is_empty() {
            println!("failed: {}", self.broken.join(", "));
        }
        for sentence in &self.left_out {
            println!("{sentence}");
        }
        if self.total.left_out > 0 {
            println!("{} tests say themselves that they were not run", self.total.left_out);
        }
        println!("{} in all", seconds(self.start.elapsed()));
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        self.total.failed == 0 && self.total.passed > 0
    }
}

fn said(report: &Report) -> String {
    let mut words = Vec::new();
    if report.counts.ran() > 1 {
        words.push(format!("{} passed", report.counts.passed));
        if report.counts.failed > 0 {
            words.push(format!("{} failed", report.counts.failed));
        }
    }
    if report.counts.left_out > 0 {
        words.push(format!("{} not run", report.counts.left_out));
    }
    if !report.note.is_empty() {
        words.push(report.note.clone());
    }
    words.join(", ")
}

/// A time as people read it.
pub fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole >= 60 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
