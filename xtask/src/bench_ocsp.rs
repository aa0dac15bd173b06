//! OCSP over HTTP beside `openssl ocsp`, which signs each answer and closes each connection.
//!
//! Both sign on P-256 and are asked by the same threads, turn by turn. What is compared is CPU time of the server for an
//! answer, each on a connection of its own; what we do on kept connections stands in rows of its own.

use crate::bench::{Row, Table, grouped, median};
use crate::bench_house::{House, cpu_ms};
use crate::guard::Guard;
use crate::{Trouble, load, place, postgres, process, tools};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

/// The NAMEs by which these are chosen; `pki` chooses them too.
pub const NAMES: [&str; 1] = ["ocsp"];

const PAIRS: usize = 5;
const CONNECTIONS: usize = 8;
const LOAD: Duration = Duration::from_secs(3);
const WARM: Duration = Duration::from_secs(1);
const READY: Duration = Duration::from_secs(20);
/// How many times cheaper than the peer an answer is to be.
const WANTED: f64 = 20.0;

/// A responder, and where it is asked what.
struct Asked<'a> {
    server: &'a Child,
    port: u16,
    path: &'a str,
    /// Whether each question has a connection of its own.
    alone: bool,
}

impl Asked<'_> {
    fn load(&self, time: Duration, guard: &Guard) -> Result<u64, Trouble> {
        if self.alone {
            return load::alone(self.port, self.path, CONNECTIONS, time);
        }
        load::run(self.port, self.path, &[], CONNECTIONS, time, guard)
    }

    /// One measurement.
    fn rate(&self, guard: &Guard) -> Result<Rate, Trouble> {
        let before = cpu_ms(self.server.id());
        let answered = self.load(LOAD, guard)? as f64;
        let cpu = cpu_ms(self.server.id()) - before;
        if cpu <= 0.0 {
            return Err(Trouble::new("the answers cost no CPU time that could be measured"));
        }
        Ok(Rate { per_core: answered * 1e3 / cpu, end_to_end: answered / LOAD.as_secs_f64() })
    }
}

/// Answers in a second of the server's CPU time, and in a second of everybody's.
#[derive(Debug, Clone, Copy)]
struct Rate {
    per_core: f64,
    end_to_end: f64,
}

/// Measures.
pub fn measure(guard: &Guard, table: &mut Table) -> Result<(), Trouble> {
    tools::provide(&[tools::OPENSSL, tools::WRK], guard)?;
    let folder = guard.folder().join("bench-ocsp");
    std::fs::create_dir_all(&folder)
        .map_err(|error| Trouble::new(format!("cannot make {}: {error}", folder.display())))?;
    let house = House::new("bench-ocsp-house", guard)?;
    let ca = folder.join("ca");
    house.run(&["pki", "init", "--out", &ca.to_string_lossy()])?;
    let (selo, _) = house.serve()?;
    let (issuer, leaf) = (ca.join("intermediate.pem"), ca.join("server/cert.pem"));
    let kept = question(&folder, &issuer, &leaf, "-no_nonce")?;
    let signed = question(&folder, &issuer, &leaf, "-nonce")?;
    let (peer, port, asked) = start_peer(&folder, guard)?;
    let ours = |path, alone| Asked { server: &selo, port: house.public, path, alone };
    let rounds = [
        ours(&kept, true),
        ours(&signed, true),
        ours(&kept, false),
        ours(&signed, false),
        Asked { server: &peer, port, path: &asked, alone: true },
    ];
    let mut rates: [Vec<Rate>; 5] = Default::default();
    for one in &rounds {
        one.load(WARM, guard)?;
    }
    for _ in 0..PAIRS {
        for (one, rates) in rounds.iter().zip(&mut rates) {
            rates.push(one.rate(guard)?);
        }
    }
    let [ready_alone, signed_alone, ready, signed, theirs] = &rates;
    for (what, ours, goal) in [
        ("OCSP over HTTP, signed before", ready, 20_000.0),
        ("OCSP over HTTP, signed before, a connection each", ready_alone, 20_000.0),
        ("OCSP over HTTP, signed on demand", signed, 8_000.0),
        ("OCSP over HTTP, signed on demand, a connection each", signed_alone, 8_000.0),
    ] {
        table.rows.push(row(what, ours, theirs, goal));
    }
    house.stop(peer);
    house.stop(selo);
    Ok(())
}

fn row(what: &str, ours: &[Rate], theirs: &[Rate], goal: f64) -> Row {
    let pairs = ours.iter().zip(theirs);
    let ratios: Vec<f64> = pairs.map(|(ours, theirs)| ours.per_core / theirs.per_core).collect();
    let (low, high) =
        ratios.iter().fold((f64::MAX, 0.0_f64), |(low, high), ratio| (low.min(*ratio), high.max(*ratio)));
    let middle = |rates: &[Rate], of: fn(&Rate) -> f64| grouped(median(rates.iter().map(of).collect()));
    let per_core = |rates: &[Rate]| middle(rates, |rate| rate.per_core);
    let end_to_end = |rates: &[Rate]| middle(rates, |rate| rate.end_to_end);
    Row {
        what: what.to_owned(),
        goal: format!("{}/s, {WANTED:.0}x", grouped(goal)),
        measured: format!("{}/s", per_core(ours)),
        against: format!("openssl ocsp {}/s", per_core(theirs)),
        ratio: format!("{:.1}x ({low:.1} to {high:.1})", median(ratios)),
        note: format!(
            "end to end {}/s against {}/s, {CONNECTIONS} at once, P-256 both; the peer signs each answer and closes each connection",
            end_to_end(ours),
            end_to_end(theirs)
        ),
    }
}

fn openssl(folder: &Path, words: &[&str]) -> Result<String, Trouble> {
    process::output(place::command("openssl").args(words).current_dir(folder))
}

/// A question as a path for GET: base64 with the letters escaped that a path may not hold.
fn question(folder: &Path, issuer: &Path, leaf: &Path, nonce: &str) -> Result<String, Trouble> {
    let (issuer, leaf) = (issuer.to_string_lossy(), leaf.to_string_lossy());
    openssl(folder, &["ocsp", "-issuer", &issuer, "-cert", &leaf, nonce, "-reqout", "question.der"])?;
    let text = openssl(folder, &["base64", "-A", "-in", "question.der"])?;
    Ok(format!("/ocsp/{}", escaped(text.trim())))
}

fn escaped(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// The peer with an authority of its own, and the path at which its one certificate is asked about.
fn start_peer(folder: &Path, guard: &Guard) -> Result<(Child, u16, String), Trouble> {
    let folder: PathBuf = folder.join("peer");
    let failed = |error: std::io::Error| Trouble::new(format!("cannot prepare openssl ocsp: {error}"));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let make = |name: &str, more: &[&str]| {
        let (file, key_file, subject) = (format!("{name}.pem"), format!("{name}.key"), format!("/CN={name}"));
        let words = ["req", "-x509", "-out", &file, "-keyout", &key_file, "-subj", &subject];
        openssl(&folder, &[&words[..], &key, more].concat())
    };
    let below = ["-CA", "ca.pem", "-CAkey", "ca.key"];
    make("ca", &[])?;
    make("responder", &[&below[..], &["-addext", "extendedKeyUsage=OCSPSigning"]].concat())?;
    make("leaf", &[&below[..], &["-set_serial", "0x1000"]].concat())?;
    std::fs::write(folder.join("index.txt"), "V\t350101000000Z\t\t1000\tunknown\t/CN=leaf\n")
        .map_err(failed)?;
    let asked = question(&folder, Path::new("ca.pem"), Path::new("leaf.pem"), "-no_nonce")?;
    let path = asked.trim_start_matches("/ocsp").to_owned();
    let port = postgres::free_port()?;
    let log = process::fresh_log("bench-openssl-ocsp");
    let mut command = place::command("openssl");
    command.current_dir(&folder).args([
        "ocsp",
        "-port",
        &port.to_string(),
        "-index",
        "index.txt",
        "-CA",
        "ca.pem",
    ]);
    command.args(["-rsigner", "responder.pem", "-rkey", "responder.key", "-ignore_err"]);
    let child = process::start(&mut command, &log, guard)?;
    let start = Instant::now();
    while !load::get(port, &path).is_ok_and(|(status, _)| status == 200) {
        if start.elapsed() > READY {
            return Err(Trouble::new(format!("openssl ocsp does not answer; see {}", place::short(&log))));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok((child, port, path))
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_question_is_one_piece_of_a_path() {
        assert_eq!(escaped("MEMw+/A="), "MEMw%2B%2FA%3D");
    }
}
