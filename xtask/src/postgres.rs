//! A private PostgreSQL for one run: its own folder, a free loopback port, fsync on, collation C.
//!
//! It refuses to run as root, so as root it runs as the user `postgres`, by setuid and setgid in the child itself.
//! It listens on the loopback interface and on a socket in its folder, nowhere else; the guard ends it.

use crate::guard::Guard;
use crate::{Trouble, place, process};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The user that Debian's package makes.
const USER: &str = "postgres";
/// The superuser inside the cluster; tests make their own databases and roles with it.
const SUPERUSER: &str = "postgres";
const READY: Duration = Duration::from_secs(30);
const INITDB: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);
/// Many test houses at a time, each with a small pool.
const CONNECTIONS: u32 = 300;

/// Where Debian keeps the server's programs, newest version first.
pub fn folders() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// Starts a cluster and gives the address of its maintenance database.
pub fn start(guard: &Guard) -> Result<String, Trouble> {
    let log = process::fresh_log("postgres");
    let data = guard.folder().join("postgres");
    std::fs::create_dir_all(&data)
        .map_err(|error| Trouble::new(format!("cannot make {}: {error}", data.display())))?;
    let identity = server_identity(guard.folder())?;
    if let Some((user, group)) = identity {
        std::os::unix::fs::chown(&data, Some(user), Some(group))
            .map_err(|error| Trouble::new(format!("cannot hand {} over: {error}", data.display())))?;
    }
    let mut initdb = as_server(&program("initdb")?, identity, &data);
    initdb
        .args(["--username", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata"])
        .arg(&data);
    let made = process::run(&mut initdb, &log, INITDB, guard)?;
    if !made.well() {
        return Err(Trouble::new(format!("initdb failed ({made}); see {}", place::short(&log))));
    }
    let port = free_port()?;
    let connections = format!("max_connections={CONNECTIONS}");
    let child = process::start(
        as_server(&program("postgres")?, identity, &data)
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-k"])
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=on", "-c", "full_page_writes=on"])
            .args(["-c", &connections, "-c", "shared_buffers=256MB", "-c", "max_locks_per_transaction=256"]),
        &log,
        guard,
    )?;
    guard.gone(child.id());
    guard.server(child.id());
    wait_until_ready(child, port, &log)?;
    Ok(format!("postgres://{SUPERUSER}@127.0.0.1:{port}/postgres"))
}

/// A port that nobody listens on at this moment.
pub fn free_port() -> Result<u16, Trouble> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Trouble::new(format!("no free loopback port: {error}")))
}

fn wait_until_ready(mut child: std::process::Child, port: u16, log: &Path) -> Result<(), Trouble> {
    let ready = program("pg_isready")?;
    let start = Instant::now();
    loop {
        let mut ask = place::command(&ready);
        ask.args(["-q", "-h", "127.0.0.1", "-U", SUPERUSER, "-d", "postgres", "-p", &port.to_string()]);
        let asked = ask.status();
        if asked.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        let ended = child.try_wait().is_ok_and(|status| status.is_some());
        if ended || start.elapsed() > READY {
            return Err(Trouble::new(format!("PostgreSQL did not come up; see {}", place::short(log))));
        }
        std::thread::sleep(POLL);
    }
}

fn program(name: &str) -> Result<PathBuf, Trouble> {
    place::find(name, &folders()).ok_or_else(|| {
        Trouble::wrong_use(format!("`{name}` is missing; install PostgreSQL: apt-get install -y postgresql"))
    })
}

/// The user and group that the server runs as: none when we are not root (it runs as we do).
fn server_identity(folder: &Path) -> Result<Option<(u32, u32)>, Trouble> {
    let owner = std::fs::metadata(folder).map(|data| data.uid());
    if !owner.is_ok_and(|user| user == 0) {
        return Ok(None);
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| Trouble::new(format!("cannot open {}: {error}", folder.display())))?;
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    identity_of(USER, &users).map(Some).ok_or_else(|| {
        Trouble::wrong_use(format!(
            "PostgreSQL does not run as root and there is no user `{USER}`; Debian's package makes it: \
             apt-get install -y postgresql"
        ))
    })
}

fn identity_of(user: &str, passwd: &str) -> Option<(u32, u32)> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(user))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn as_server(program: &Path, identity: Option<(u32, u32)>, data: &Path) -> Command {
    let mut command = place::command(program);
    // the server's user may not enter our working folder
    command.current_dir(data).env("LC_ALL", "C");
    if let Some((user, group)) = identity {
        command.uid(user).gid(group);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::identity_of;

    #[test]
    fn the_servers_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:8::/:\npostgres:x:108:113:,,,:/var/lib:/bin/bash\n";
        assert_eq!(identity_of("postgres", passwd), Some((108, 113)));
        assert_eq!(identity_of("nobody", passwd), None);
    }
}
