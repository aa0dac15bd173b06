//! What the legs need of the machine, and getting it: as root with one apt-get, otherwise by naming that one line.
//!
//! Only what a chosen leg needs is asked for. Services that a package would start are not started.

use crate::guard::Guard;
use crate::{Outcome, Trouble, place, postgres, process};
use std::path::PathBuf;
use std::time::Duration;

/// A thing of the machine, how it is recognised and the Debian packages that bring it.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    program: &'static str,
    packages: &'static [&'static str],
}

pub const C_COMPILER: Tool = Tool { program: "cc", packages: &["build-essential"] };
pub const POSTGRES: Tool = Tool { program: "initdb", packages: &["postgresql"] };
pub const SOFTHSM: Tool = Tool { program: "softhsm2-util", packages: &["softhsm2"] };
pub const NODE: Tool = Tool { program: "node", packages: &["nodejs"] };
pub const NPM: Tool = Tool { program: "npm", packages: &["npm"] };
pub const CHROMIUM: Tool = Tool { program: "chromium", packages: &["chromium"] };
pub const NSS_TOOLS: Tool = Tool { program: "certutil", packages: &["libnss3-tools"] };
pub const PDF_TOOLS: Tool = Tool { program: "pdftoppm", packages: &["poppler-utils"] };
/// Of the package only `promtool` is used; its service is not started.
pub const PROMTOOL: Tool = Tool { program: "promtool", packages: &["prometheus"] };
pub const WRK: Tool = Tool { program: "wrk", packages: &["wrk"] };
pub const OPENSSL: Tool = Tool { program: "openssl", packages: &["openssl"] };
pub const DEHYDRATED: Tool = Tool { program: "dehydrated", packages: &["dehydrated"] };
pub const CURL: Tool = Tool { program: "curl", packages: &["curl"] };
pub const NGINX: Tool = Tool { program: "nginx", packages: &["nginx-light"] };
pub const REDIS: Tool = Tool { program: "redis-server", packages: &["redis-server"] };

/// The oldest Node that the web build and the judges run on.
const NODE_MAJOR: u32 = 20;
/// The target for which the pure crates are checked.
pub const WASM: &str = "wasm32-unknown-unknown";
const INSTALL: Duration = Duration::from_secs(15 * 60);

/// Makes sure that every tool is there; true when all are.
pub fn provide(tools: &[Tool], guard: &Guard) -> Outcome {
    let missing: Vec<&Tool> = tools.iter().filter(|tool| path_of(tool).is_none()).collect();
    if !missing.is_empty() {
        let mut packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages).copied().collect();
        packages.sort_unstable();
        packages.dedup();
        install(&packages, guard)?;
    }
    if let Some(tool) = tools.iter().find(|tool| path_of(tool).is_none()) {
        return Err(Trouble::wrong_use(format!(
            "`{}` is still missing after the installation",
            tool.program
        )));
    }
    if tools.iter().any(|tool| tool.program == NODE.program) {
        node_is_new_enough()?;
    }
    Ok(true)
}

/// The target for the browser, added by rustup when it is missing.
pub fn provide_wasm(guard: &Guard) -> Outcome {
    let sysroot = process::output(place::command("rustc").args(["--print", "sysroot"]))?;
    if PathBuf::from(sysroot.trim()).join("lib/rustlib").join(WASM).join("lib").is_dir() {
        return Ok(true);
    }
    let log = process::fresh_log("tools-rust");
    let added = process::run(place::command("rustup").args(["target", "add", WASM]), &log, INSTALL, guard);
    match added {
        Ok(ended) if ended.well() => Ok(true),
        _ => Err(Trouble::wrong_use(format!("the Rust target is missing: rustup target add {WASM}"))),
    }
}

/// Where a tool is, when it is there.
pub fn path_of(tool: &Tool) -> Option<PathBuf> {
    let mut folders = postgres::folders();
    folders.push(PathBuf::from("/usr/sbin"));
    place::find(tool.program, &folders)
}

/// Refuses a Node that is too old, with the remedy.
pub fn node_is_new_enough() -> Result<(), Trouble> {
    let said = process::output(place::command("node").arg("--version"))?;
    let major =
        said.trim().trim_start_matches('v').split('.').next().and_then(|word| word.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE_MAJOR) {
        return Ok(());
    }
    Err(Trouble::wrong_use(format!("Node is {}; install Node {NODE_MAJOR} or newer", said.trim())))
}

/// Installs Debian packages as root, or names the line that does.
pub fn install(packages: &[&str], guard: &Guard) -> Result<(), Trouble> {
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    let root = process::output(place::command("id").arg("-u")).is_ok_and(|user| user.trim() == "0");
    if !root || place::find("apt-get", &[]).is_none() {
        return Err(Trouble::wrong_use(format!("this machine lacks {}; run: {line}", packages.join(", "))));
    }
    println!("installing {}", packages.join(", "));
    let log = process::fresh_log("tools");
    process::run(place::command("apt-get").arg("update"), &log, INSTALL, guard)?;
    let installed = process::run(
        place::command("apt-get")
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // in single-user mode no service is started by being installed
            .env("RUNLEVEL", "1"),
        &log,
        INSTALL,
        guard,
    )?;
    if installed.well() {
        return Ok(());
    }
    Err(Trouble::wrong_use(format!(
        "installing failed ({installed}), see {}; run: {line}",
        place::short(&log)
    )))
}
