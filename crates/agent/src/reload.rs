//! Telling a service that its files are new.
//!
//! A configuration that the service itself refuses is found before the service is touched, where it has a way to say so.
//! Never here: a shell, a process named by its name, a wait without an end.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base::Result;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::Command,
    time::timeout,
};

use crate::{
    config::{Reload, Wanted},
    error, files,
};

/// A program, whole.
const PROGRAM: Duration = Duration::from_secs(60);
/// A word with Redis, whole.
const REDIS: Duration = Duration::from_secs(10);
/// As much of what a program said as is told on.
const SAID_BYTES_MAX: usize = 1_000;
const NUMBER_BYTES_MAX: u64 = 4_096;

/// Tells the service.
///
/// # Errors
/// `AGENT_RELOAD_FAILED`.
pub async fn reload(wanted: &Wanted) -> Result<()> {
    let Some(how) = &wanted.reload else { return Ok(()) };
    let outcome = match how {
        Reload::Nginx(words) => nginx(words).await,
        Reload::Postgresql(folder) => hang_up(&folder.join("postmaster.pid")),
        Reload::Signal(file) => hang_up(file),
        Reload::Redis(socket) => redis(socket, wanted.redis_files()).await,
        Reload::Systemd(unit) => run(&["systemctl", "reload", "--", unit].map(str::to_owned)).await,
        Reload::Command(words) => run(words).await,
    };
    outcome.map_err(|reason| error::RELOAD.error().with("reason", reason))
}

async fn nginx(words: &[String]) -> std::result::Result<(), String> {
    let with = |last: &[&str]| {
        let last = last.iter().map(|word| (*word).to_owned());
        std::iter::once("nginx".to_owned()).chain(words.iter().cloned()).chain(last).collect::<Vec<_>>()
    };
    run(&with(&["-t", "-q"])).await?;
    run(&with(&["-s", "reload"])).await
}

/// SIGHUP to the process whose number begins a file.
fn hang_up(file: &Path) -> std::result::Result<(), String> {
    let place = |reason: String| format!("{}: {reason}", file.display());
    let text = files::read(file, NUMBER_BYTES_MAX).map_err(|e| place(e.to_string()))?;
    let number = std::str::from_utf8(&text).ok().and_then(|text| text.lines().next()?.trim().parse().ok());
    // 0 and negative numbers would mean many processes, 1 the system.
    let number = number.filter(|number| *number > 1).and_then(Pid::from_raw);
    let number = number.ok_or_else(|| place("it holds no process number".to_owned()))?;
    kill_process(number, Signal::HUP).map_err(|e| place(e.to_string()))
}

/// Runs a program; what it said on failure is the reason.
pub(crate) async fn run(words: &[String]) -> std::result::Result<(), String> {
    let (program, rest) = words.split_first().ok_or("no program is named")?;
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = timeout(PROGRAM, command.output())
        .await
        .map_err(|_| format!("{program} took longer than {} s", PROGRAM.as_secs()))?
        .map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(said.get(..SAID_BYTES_MAX).unwrap_or(&said));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(format!("{program} ended with {}: {said}", output.status))
}

/// `CONFIG SET` for both files at once, so that no moment has a key without its certificate.
async fn redis(socket: &Path, names: Option<(PathBuf, PathBuf)>) -> std::result::Result<(), String> {
    let (cert, key) = names.ok_or("no files are named for Redis")?;
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let words = ["CONFIG", "SET", "tls-cert-file", &cert, "tls-key-file", &key];
    let mut message = format!("*{}\r\n", words.len());
    for word in words {
        message.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    let talk = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(message.as_bytes()).await?;
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n") && said.len() < SAID_BYTES_MAX {
            said.push(stream.read_u8().await?);
        }
        std::io::Result::Ok(said)
    };
    let said = timeout(REDIS, talk).await.map_err(|_| "Redis does not answer".to_owned())?;
    let said = said.map_err(|e| format!("{}: {e}", socket.display()))?;
    if said == b"+OK\r\n" {
        return Ok(());
    }
    Err(format!("Redis says {}", String::from_utf8_lossy(&said).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn a_program_that_fails_is_quoted_within_bounds() {
        run(&words(&["true"])).await.unwrap();
        let failed = run(&words(&["sh", "-c", "echo broken >&2; exit 3"])).await.unwrap_err();
        assert!(failed.contains("exit status: 3: broken"), "{failed}");
        let long = run(&words(&["sh", "-c", "yes | head -c 100000 >&2; exit 1"])).await.unwrap_err();
        assert!(long.len() < 2 * SAID_BYTES_MAX, "{}", long.len());
        assert!(run(&words(&["/no/such/program"])).await.is_err());
        assert!(run(&[]).await.is_err());
    }

    #[test]
    fn only_a_number_of_one_process_is_signalled() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.pid");
        for text in ["", "x", "0", "1", "-1", "99999999999", "2 3"] {
            std::fs::write(&file, text).unwrap();
            assert!(hang_up(&file).is_err(), "{text}");
        }
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        std::fs::write(&file, format!("{}\nmore\n", child.id())).unwrap();
        hang_up(&file).unwrap();
        use std::os::unix::process::ExitStatusExt as _;
        assert_eq!(child.wait().unwrap().signal(), Some(1));
    }

    #[tokio::test]
    async fn redis_is_told_both_files_in_one_word() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("redis.sock");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        for (answer, good) in [("+OK\r\n", true), ("-ERR no such file\r\n", false)] {
            let files = Some(("/c.pem".into(), "/k.pem".into()));
            let server = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut said = [0; 256];
                let length = stream.read(&mut said).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
                String::from_utf8(said[..length].to_vec()).unwrap()
            };
            let (outcome, said) = tokio::join!(redis(&socket, files), server);
            assert_eq!(outcome.is_ok(), good, "{outcome:?}");
            assert!(
                said.starts_with(
                    "*6\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$13\r\ntls-cert-file\r\n$6\r\n/c.pem\r\n"
                ),
                "{said}"
            );
        }
    }
}
