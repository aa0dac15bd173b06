//! Where things are: the project's root, the build folder, the folder of reports, and the environment.
//!
//! The one place of this crate that reads the environment.

#![expect(
    clippy::disallowed_methods,
    reason = "xtask runs before there is a house; base::config is not for it"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set by cargo for programs that it runs; a cargo inside must not inherit them, or build scripts run again.
const INHERITED: [&str; 13] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_BIN_NAME",
    "LD_LIBRARY_PATH",
];

/// The folder that holds `house.toml` and the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    match variable("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Logs, screenshots and other reports of the last run; created when asked for.
pub fn reports() -> PathBuf {
    let folder = target().join("xtask");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        eprintln!("xtask: cannot make {}: {error}", folder.display());
    }
    folder
}

/// The `selo` binary of a profile (`debug` or `release`).
pub fn selo(profile: &str) -> PathBuf {
    target().join(profile).join("selo")
}

/// A command with its working folder at the root, no standard input, and none of cargo's variables for this program.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(std::process::Stdio::null()).env("CARGO_TERM_COLOR", "never");
    for name in INHERITED {
        command.env_remove(name);
    }
    command
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    command(variable("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// One variable of the environment.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The full path of a program: the folders given first, then the PATH.
pub fn find(program: &str, first: &[PathBuf]) -> Option<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    first
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// A file of ours under the root, named the way people write it.
pub fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
