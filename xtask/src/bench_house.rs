//! Figures of a served house: start, memory, size of the binary, and CPU per public page beside nginx.
//!
//! CPU time of a server is the difference of its ticks in `/proc/PID/stat` before and after, its children included.

use crate::bench::{Row, Table, grouped, median};
use crate::guard::{Guard, signal};
use crate::{Trouble, load, place, postgres, process, tools};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The NAMEs by which these are chosen.
pub const NAMES: [&str; 2] = ["page", "start"];

const STARTS: usize = 5;
const PAIRS: usize = 5;
const CONNECTIONS: usize = 8;
const LOAD: Duration = Duration::from_secs(4);
const WARM: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(3);
const READY: Duration = Duration::from_secs(20);
const COMMAND: Duration = Duration::from_secs(120);
/// `sysconf(_SC_CLK_TCK)` is 100 on every Linux that we run on.
const TICK_MS: f64 = 10.0;

/// A house made for measuring.
pub struct House<'a> {
    pub guard: &'a Guard,
    home: std::path::PathBuf,
    pub public: u16,
    admin: u16,
}

impl<'a> House<'a> {
    /// Makes a house of its own in the guard's folder.
    pub fn new(name: &str, guard: &'a Guard) -> Result<Self, Trouble> {
        let home = guard.folder().join(name);
        let house = Self { guard, home, public: postgres::free_port()?, admin: postgres::free_port()? };
        house.run(&["init", "--public-url", &format!("http://localhost:{}", house.public)])?;
        Ok(house)
    }

    fn selo(&self) -> Command {
        let mut command = place::command(place::selo("release"));
        command
            .arg("--home")
            .arg(&self.home)
            .arg("--json")
            .env("SELO_HTTP_PUBLIC_LISTEN", format!("127.0.0.1:{}", self.public))
            .env("SELO_HTTP_ADMIN_LISTEN", format!("127.0.0.1:{}", self.admin))
            .env("TMPDIR", self.guard.scratch());
        for rate in ["READ", "WRITE", "HEAVY", "ENTRY"] {
            command.env(format!("SELO_HTTP_RATE_{rate}"), "1000000");
        }
        command
    }

    /// Runs a command of the house; what it said.
    pub fn run(&self, words: &[&str]) -> Result<String, Trouble> {
        let log = process::fresh_log("bench-selo");
        let mut command = self.selo();
        command.args(words);
        let ended = process::run(&mut command, &log, COMMAND, self.guard)?;
        if ended.well() {
            return Ok(crate::run::read(&log));
        }
        Err(Trouble::new(format!("selo {} failed ({ended}); see {}", words.join(" "), place::short(&log))))
    }

    /// Serves until ready; gives the process and the time it took.
    pub fn serve(&self) -> Result<(Child, Duration), Trouble> {
        let log = process::fresh_log("bench-serve");
        let start = Instant::now();
        let mut command = self.selo();
        let child = process::start(command.arg("serve"), &log, self.guard)?;
        while !load::get(self.public, "/readyz").is_ok_and(|(status, _)| status == 200) {
            if start.elapsed() > READY {
                return Err(Trouble::new(format!("selo serve is not ready; see {}", place::short(&log))));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok((child, start.elapsed()))
    }

    /// Ends a process that was started for measuring.
    pub fn stop(&self, mut child: Child) {
        signal("TERM", &child.id().to_string());
        let _ended = child.wait();
        self.guard.gone(child.id());
    }
}

/// Measures; the page beside nginx only when asked for.
pub fn measure(page: bool, guard: &Guard, table: &mut Table) -> Result<(), Trouble> {
    let house = House::new("bench-house", guard)?;
    start_and_size(&house, table)?;
    if page {
        beside_nginx(&house, table)?;
    }
    Ok(())
}

fn start_and_size(house: &House<'_>, table: &mut Table) -> Result<(), Trouble> {
    let mut starts = Vec::new();
    let mut memory = 0.0;
    for turn in 0..STARTS {
        let (child, time) = house.serve()?;
        starts.push(time.as_secs_f64() * 1e3);
        if turn + 1 == STARTS {
            std::thread::sleep(IDLE);
            memory = resident_mib(child.id());
        }
        house.stop(child);
    }
    let size = std::fs::metadata(place::selo("release")).map(|file| file.len()).unwrap_or_default();
    let size = size as f64 / 1e6;
    let start = median(starts);
    table.rows.push(limit(
        "start to ready",
        "300 ms",
        format!("{start:.0} ms"),
        start / 300.0,
        "median of 5 starts of an existing home",
    ));
    table.rows.push(limit(
        "idle resident memory",
        "60 MiB",
        format!("{memory:.0} MiB"),
        memory / 60.0,
        "3 s after being ready",
    ));
    table.rows.push(limit("binary with web", "60 MB", format!("{size:.1} MB"), size / 60.0, ""));
    Ok(())
}

fn limit(what: &str, goal: &str, measured: String, share: f64, note: &str) -> Row {
    Row {
        what: what.to_owned(),
        goal: format!("at most {goal}"),
        measured,
        against: "its limit".to_owned(),
        ratio: format!("{share:.2} of it"),
        note: note.to_owned(),
    }
}

fn beside_nginx(house: &House<'_>, table: &mut Table) -> Result<(), Trouble> {
    tools::provide(&[tools::NGINX, tools::WRK], house.guard)?;
    let (selo, _) = house.serve()?;
    house.run(&["tenant", "create", "Universidade de Medida"])?;
    let rows = place::root().join("examples/diplomas.csv");
    let out = house.guard.scratch().join("bench-out");
    let issued = house.run(&[
        "issue",
        "--template",
        "diploma",
        "--rows",
        &rows.to_string_lossy(),
        "--out",
        &out.to_string_lossy(),
    ])?;
    let path = page_of(&issued).ok_or_else(|| Trouble::new("`selo issue` named no page"))?;
    load::run(house.public, &path, &load::PAGE, CONNECTIONS, WARM, house.guard)?;
    let (status, body) = load::get(house.public, &path)
        .map_err(|error| Trouble::new(format!("the page does not answer: {error}")))?;
    if status != 200 {
        return Err(Trouble::new(format!("the page answers {status}")));
    }
    let (nginx, port) = start_nginx(&body, house.guard)?;
    load::run(port, "/page", &load::PAGE, CONNECTIONS, WARM, house.guard)?;
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let ours = per_cpu_second(&selo, house.public, &path, house.guard)?;
        let theirs = per_cpu_second(&nginx, port, "/page", house.guard)?;
        pairs.push((ours, theirs));
    }
    house.stop(nginx);
    house.stop(selo);
    let ratios: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours / theirs).collect();
    let (low, high) =
        ratios.iter().fold((f64::MAX, 0.0_f64), |(low, high), ratio| (low.min(*ratio), high.max(*ratio)));
    let middle = |ours: bool| median(pairs.iter().map(|(a, b)| if ours { *a } else { *b }).collect());
    table.rows.push(Row {
        what: "public verification page, warm".to_owned(),
        goal: "50 % of nginx".to_owned(),
        measured: format!("{}/s", grouped(middle(true))),
        against: format!("nginx {}/s", grouped(middle(false))),
        ratio: format!("{:.0} % ({:.0} to {:.0})", median(ratios) * 100.0, low * 100.0, high * 100.0),
        note: format!(
            "{} bytes, {CONNECTIONS} connections of wrk, closed loop; both write a line of log for each request",
            body.len()
        ),
    });
    Ok(())
}

/// Requests per second of the server's CPU time.
fn per_cpu_second(server: &Child, port: u16, path: &str, guard: &Guard) -> Result<f64, Trouble> {
    let before = cpu_ms(server.id());
    let answered = load::run(port, path, &load::PAGE, CONNECTIONS, LOAD, guard)?;
    let cpu = cpu_ms(server.id()) - before;
    if cpu <= 0.0 {
        return Err(Trouble::new(format!("{path} cost no CPU time that could be measured")));
    }
    Ok(answered as f64 * 1e3 / cpu)
}

fn start_nginx(body: &[u8], guard: &Guard) -> Result<(Child, u16), Trouble> {
    let folder = guard.folder().join("nginx");
    let failed = |error: std::io::Error| Trouble::new(format!("cannot prepare nginx: {error}"));
    std::fs::create_dir_all(folder.join("pages")).map_err(failed)?;
    std::fs::write(folder.join("pages/page"), body).map_err(failed)?;
    let port = postgres::free_port()?;
    let template = std::fs::read_to_string(place::root().join("bench/nginx.conf")).map_err(failed)?;
    let filled =
        template.replace("{{FOLDER}}", &folder.to_string_lossy()).replace("{{PORT}}", &port.to_string());
    let file = folder.join("nginx.conf");
    std::fs::write(&file, filled).map_err(failed)?;
    let program = tools::path_of(&tools::NGINX).ok_or_else(|| Trouble::wrong_use("nginx is missing"))?;
    let log = process::fresh_log("bench-nginx");
    let child =
        process::start(place::command(program).arg("-c").arg(&file).arg("-p").arg(&folder), &log, guard)?;
    let start = Instant::now();
    while !load::get(port, "/page").is_ok_and(|(status, _)| status == 200) {
        if start.elapsed() > READY {
            return Err(Trouble::new(format!("nginx does not serve the page; see {}", place::short(&log))));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok((child, port))
}

/// The path of the first public page in what `selo issue --json` said.
fn page_of(said: &str) -> Option<String> {
    let (_, after) = said.split_once("\"page\"")?;
    let address = after.split('"').nth(1)?;
    let (_, path) = address.split_once("://")?.1.split_once('/')?;
    Some(format!("/{path}"))
}

/// CPU milliseconds of a process and its children so far.
pub fn cpu_ms(process: u32) -> f64 {
    let ticks: u64 = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| ticks_of(&std::fs::read_to_string(entry.path().join("stat")).ok()?, process))
        .sum();
    ticks as f64 * TICK_MS
}

/// User and system ticks of a stat line, when it is of that process or of a child of it.
fn ticks_of(stat: &str, process: u32) -> Option<u64> {
    let (front, back) = stat.rsplit_once(')')?;
    let number: u32 = front.split(' ').next()?.parse().ok()?;
    let fields: Vec<&str> = back.split_ascii_whitespace().collect();
    let parent: u32 = fields.get(1)?.parse().ok()?;
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    (number == process || parent == process).then_some(ticks)
}

fn resident_mib(process: u32) -> f64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"))
        .unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.split_ascii_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN)
        / 1024.0
}

#[cfg(test)]
mod tests {
    use super::{page_of, ticks_of};

    #[test]
    fn the_ticks_of_a_server_include_those_of_its_workers() {
        let master = "10 (nginx) S 1 10 10 0 -1 0 0 0 0 0 5 2 0 0 20 0 1 0";
        let worker = "11 (nginx) S 10 10 10 0 -1 0 0 0 0 0 70 30 0 0 20 0 1 0";
        assert_eq!(ticks_of(master, 10), Some(7));
        assert_eq!(ticks_of(worker, 10), Some(100));
        assert_eq!(ticks_of(worker, 12), None);
    }

    #[test]
    fn the_first_page_is_found_by_its_path() {
        let said =
            r#"{"credentials":[{"id":"cred_1","page":"http://localhost:4000/v/abc","status":"issued"}]}"#;
        assert_eq!(page_of(said).as_deref(), Some("/v/abc"));
        assert_eq!(page_of("{}"), None);
    }
}
