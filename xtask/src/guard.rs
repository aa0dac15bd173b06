//! The guard: a second process that ends what this one started and removes its folders, however this one ends.
//!
//! It stands in a process group of its own, so that ctrl-c in the terminal does not reach it, and reads lines from a
//! pipe: `group PID`, `server PID`, `gone PID`, `folder PATH`. When the pipe closes, because we finished, were
//! interrupted or were killed, it ends what is still there, by process id, first gently, then not.
//! It never touches a process or a folder that was not named to it.

use crate::{Outcome, Trouble, place};
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The hidden command by which this program becomes its own guard.
pub const COMMAND: &str = "guard-of-started-processes";
/// How long a process may take to end by itself before it is ended.
const GENTLE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// The line to the guard, and the private folder that it will remove.
pub struct Guard {
    line: Mutex<Option<ChildStdin>>,
    process: Mutex<Child>,
    folder: PathBuf,
}

impl Guard {
    /// Starts the guard and makes a private folder under the system's temporary folder.
    pub fn start() -> Result<Self, Trouble> {
        let failed = |error: std::io::Error| Trouble::new(format!("cannot start the guard process: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        let mut process = Command::new(program)
            .arg(COMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let line = process.stdin.take();
        let folder = std::env::temp_dir().join(format!("selo-xtask-{}", std::process::id()));
        let guard = Self { line: Mutex::new(line), process: Mutex::new(process), folder };
        guard.say(&format!("folder {}", guard.folder.display()));
        std::fs::create_dir_all(guard.scratch()).map_err(|error| {
            Trouble::new(format!("cannot make the temporary folder {}: {error}", guard.folder.display()))
        })?;
        Ok(guard)
    }

    /// The private folder; readable by other users, so that PostgreSQL's own user gets through.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where children put their temporary files (TMPDIR).
    pub fn scratch(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// Names a process group that is to end with us.
    pub fn group(&self, leader: u32) {
        self.say(&format!("group {leader}"));
    }

    /// Names a server that ends on SIGINT (PostgreSQL's fast stop).
    pub fn server(&self, process: u32) {
        self.say(&format!("server {process}"));
    }

    /// Says that a process has ended and was waited for, so that its number may belong to somebody else.
    pub fn gone(&self, process: u32) {
        self.say(&format!("gone {process}"));
    }

    fn say(&self, words: &str) {
        if let Ok(mut line) = self.line.lock()
            && let Some(pipe) = line.as_mut()
            && let Err(error) = writeln!(pipe, "{words}")
        {
            eprintln!("xtask: the guard does not listen: {error}");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Ok(mut line) = self.line.lock() {
            line.take();
        }
        if let Ok(mut process) = self.process.lock() {
            let _ended = process.wait();
        }
    }
}

/// Whom the guard watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ward {
    Group(u32),
    Server(u32),
}

impl Ward {
    fn number(self) -> u32 {
        match self {
            Self::Group(number) | Self::Server(number) => number,
        }
    }

    /// What `kill` calls it: a minus names a whole group.
    fn target(self) -> String {
        match self {
            Self::Group(number) => format!("-{number}"),
            Self::Server(number) => number.to_string(),
        }
    }

    /// True while it runs; one that has ended and only waits to be reaped is not alive.
    fn alive(self) -> bool {
        std::fs::read_dir("/proc").into_iter().flatten().flatten().any(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            running(&stat).is_some_and(|(process, group)| match self {
                Self::Group(number) => group == number,
                Self::Server(number) => process == number,
            })
        })
    }
}

/// Process and group of a line of `/proc/PID/stat`, unless it is a zombie. The name in brackets may hold anything.
fn running(stat: &str) -> Option<(u32, u32)> {
    let (front, back) = stat.rsplit_once(')')?;
    let process = front.split(' ').next()?.parse().ok()?;
    let mut fields = back.split_ascii_whitespace();
    let state = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some((process, group))
}

/// The guard's own life: listen, and when the line closes, tidy up.
pub fn serve() -> Outcome {
    let mut wards: Vec<Ward> = Vec::new();
    let mut folders: Vec<PathBuf> = Vec::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("group", number)) => wards.extend(number.parse().ok().map(Ward::Group)),
            Some(("server", number)) => wards.extend(number.parse().ok().map(Ward::Server)),
            Some(("gone", number)) => wards.retain(|ward| ward.number().to_string() != number),
            Some(("folder", path)) => folders.push(PathBuf::from(path)),
            _ => {}
        }
    }
    for ward in wards.iter().rev() {
        end(*ward);
    }
    for folder in folders.iter().filter(|folder| folder.exists()) {
        if let Err(error) = std::fs::remove_dir_all(folder) {
            eprintln!("xtask: {} is left behind: {error}", folder.display());
        }
    }
    Ok(true)
}

fn end(ward: Ward) {
    let gentle = match ward {
        Ward::Group(_) => "TERM",
        Ward::Server(_) => "INT",
    };
    signal(gentle, &ward.target());
    let start = Instant::now();
    while ward.alive() {
        if start.elapsed() > GENTLE {
            signal("KILL", &ward.target());
            return;
        }
        std::thread::sleep(POLL);
    }
}

/// Sends a signal with the shell's own `kill` (always there); true when somebody received it.
pub fn signal(name: &str, target: &str) -> bool {
    place::command("sh")
        .args(["-c", "kill -s \"$0\" -- \"$1\"", name, target])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::running;

    #[test]
    fn a_process_is_read_from_its_stat_line_whatever_its_name() {
        assert_eq!(running("12 (a ) b) S 1 77 77 0 -1"), Some((12, 77)));
        assert_eq!(running("12 (selo) Z 1 77 77 0 -1"), None);
        assert_eq!(running(""), None);
    }
}
