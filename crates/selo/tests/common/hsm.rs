//! A SoftHSM token for a house that runs as a child: made by SoftHSM's own tool, in the ground's folder, found by the
//! child through SOFTHSM2_CONF and the settings in the home.

use std::{io::Write as _, path::PathBuf, process::Command};

use super::Ground;

const USUAL: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];

/// A house whose issuing keys are made on a token; nothing, said where it is seen, when SoftHSM is missing.
pub fn ground(name: &str) -> Option<Ground> {
    let library = USUAL.iter().map(PathBuf::from).find(|path| path.is_file());
    let tool = Command::new("softhsm2-util").arg("--version").output();
    let (Some(library), Ok(_)) = (library, tool) else {
        // Past the harness, which keeps what a good test says to itself.
        let said = format!("NOT RUN: {name}: SoftHSM is missing (apt-get install softhsm2)\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        return None;
    };
    let mut ground = Ground::new();
    std::fs::create_dir(ground.file("tokens")).unwrap();
    let conf = format!("directories.tokendir = {}\nlog.level = ERROR\n", ground.arg("tokens"));
    std::fs::write(ground.file("softhsm2.conf"), conf).unwrap();
    ground.environment.insert("SOFTHSM2_CONF".to_owned(), ground.arg("softhsm2.conf"));
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "selo", "--so-pin", "87654321", "--pin", "2468"])
        .env("SOFTHSM2_CONF", ground.file("softhsm2.conf"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::write(ground.file("pin"), "2468\n").unwrap();
    ground.make_house();
    let settings = format!(
        "[pki]\nkeys = \"token\"\n\n[keys.token]\nlibrary = \"{}\"\nlabel = \"selo\"\npin_file = \"{}\"\n",
        library.display(),
        ground.arg("pin")
    );
    std::fs::write(ground.home().join("selo.toml"), settings).unwrap();
    Some(ground)
}

/// Pulls the token out.
pub fn take_away(ground: &Ground) {
    std::fs::rename(ground.file("tokens"), ground.file("away")).unwrap();
}

/// Puts it in again.
pub fn bring_back(ground: &Ground) {
    std::fs::rename(ground.file("away"), ground.file("tokens")).unwrap();
}
