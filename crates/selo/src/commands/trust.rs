//! `selo trust …`: this machine and its user's browsers trust the root of the house, or no longer.
//!
//! The operating system's own tools do it: `update-ca-certificates` for the machine, `certutil` of NSS for browsers.
//! What is put there carries the root's fingerprint in its name, so that it is found again and nothing else is touched.
//! Never here: trust that nobody was asked for, a change to a store that another program made.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use base::Result;
use proof::{
    crypto::{hex, sha256},
    x509::pem::{self, Label},
};
use serde_json::{Value, json};

use super::{Exit, Voice, agreed, text, write};
use crate::{
    cli::{TrustCommand, TrustPlaces},
    door::Door,
    error,
};

/// Where Debian and its relatives look for authorities of the machine's owner.
const SYSTEM_FOLDER: &str = "/usr/local/share/ca-certificates";
/// Reads that folder anew.
const SYSTEM_REFRESH: &str = "update-ca-certificates";
/// Profiles of one browser that are looked at.
const PROFILES_MAX: usize = 64;

/// A root of the house.
struct Root {
    name: String,
    der: Vec<u8>,
    fingerprint: String,
}

impl Root {
    /// Its name in stores: what one looks for afterwards.
    fn label(&self) -> String {
        format!("selo-{}", self.fingerprint.get(..16).unwrap_or_default())
    }
}

/// A store of trusted authorities.
enum Store {
    /// Of the machine.
    System {
        /// Where certificates are put.
        folder: PathBuf,
        /// What reads them.
        refresh: &'static str,
    },
    /// Of a user's browser: a folder with an NSS database.
    Browser(PathBuf),
}

/// Runs `selo trust …`.
///
/// # Errors
/// `NOT_AGREED`, `TRUST_TOOL_MISSING`, `TRUST_TOOL_FAILED`, `TRUST_NOT_ROOT`, `FILE_UNWRITABLE`; the house's.
pub async fn run(voice: Voice, door: &Door, command: &TrustCommand) -> Result<Exit> {
    let roots = roots(door).await?;
    if roots.is_empty() {
        let none = voice.lang.pick(
            "The house has no root yet: selo pki init --out DIR",
            "A casa ainda não tem raiz: selo pki init --out PASTA",
        );
        voice.say(&json!({"roots": []}), || none.to_owned());
        return Ok(Exit::No);
    }
    match command {
        TrustCommand::Install(places) => change(voice, &roots, places, "install"),
        TrustCommand::Remove(places) => change(voice, &roots, places, "remove"),
        TrustCommand::List => list(voice, &roots),
    }
}

async fn roots(door: &Door) -> Result<Vec<Root>> {
    let authorities = door.get("/api/v1/pki/authorities").await?.data()?;
    let all = authorities.get("items").and_then(Value::as_array).into_iter().flatten();
    all.filter(|one| text(one, "/kind") == "root")
        .map(|one| {
            let der = pem::one(text(one, "/certificate").as_bytes(), Label::Certificate)
                .map_err(|e| base::error::INTERNAL.because(e))?;
            Ok(Root { name: text(one, "/name").to_owned(), fingerprint: hex(&sha256(&der)), der })
        })
        .collect()
}

fn change(voice: Voice, roots: &[Root], places: &TrustPlaces, word: &str) -> Result<Exit> {
    let stores = stores(places)?;
    for root in roots {
        voice.note(&format!("{}\n  SHA-256 {}", root.name, spaced(&root.fingerprint)));
    }
    for store in &stores {
        voice.note(&format!("  → {}", store.shown()));
    }
    if !places.yes && !agreed(voice, question(voice, word))? {
        return Err(error::NOT_AGREED.error());
    }
    for store in &stores {
        for root in roots {
            match word {
                "install" => store.install(root)?,
                _ => store.remove(root)?,
            }
        }
        store.refresh()?;
    }
    list(voice, roots)
}

/// What is asked before a store is changed.
fn question(voice: Voice, word: &str) -> &'static str {
    match word {
        "install" => voice.lang.pick(
            "Whoever holds this root's key could then certify any name to this machine. Compare the fingerprint with the ceremony's. Trust it?",
            "Quem tiver a chave desta raiz poderá certificar qualquer nome perante esta máquina. Compare a impressão com a da cerimónia. Confiar?",
        ),
        _ => voice.lang.pick("Trust it no longer?", "Deixar de confiar?"),
    }
}

fn list(voice: Voice, roots: &[Root]) -> Result<Exit> {
    let stores = every_store();
    let mut found = Vec::new();
    for root in roots {
        let holding: Vec<String> =
            stores.iter().filter(|store| store.holds(root).unwrap_or(false)).map(Store::shown).collect();
        found.push(json!({"name": root.name, "sha256": root.fingerprint, "trustedIn": holding}));
    }
    voice.say(&json!({"roots": found}), || {
        let mut out = String::new();
        for root in &found {
            out.push_str(&format!("{}\n  SHA-256 {}\n", text(root, "/name"), spaced(text(root, "/sha256"))));
            for place in root.get("trustedIn").and_then(Value::as_array).into_iter().flatten() {
                out.push_str(&format!("  ✓ {}\n", place.as_str().unwrap_or_default()));
            }
        }
        out
    });
    Ok(Exit::Done)
}

/// The stores that are meant; without a word the browsers, and the machine when this user may change it.
fn stores(places: &TrustPlaces) -> Result<Vec<Store>> {
    let is_root = is_superuser();
    if places.system && !is_root {
        return Err(error::TRUST_NOT_ROOT.error());
    }
    let (mut system, mut browser) = (places.system, places.browser);
    if !system && !browser {
        (system, browser) = (is_root, true);
    }
    let mut stores = Vec::new();
    if system {
        stores.push(system_store());
    }
    if browser {
        stores.extend(browser_stores());
    }
    Ok(stores)
}

fn every_store() -> Vec<Store> {
    let mut all = vec![system_store()];
    all.extend(browser_stores());
    all
}

fn system_store() -> Store {
    Store::System { folder: PathBuf::from(SYSTEM_FOLDER), refresh: SYSTEM_REFRESH }
}

fn is_superuser() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// The user's NSS databases: the one that Chromium reads, made when it is not there, and those of Firefox's profiles.
fn browser_stores() -> Vec<Store> {
    let Some(home) = base::config::variable("HOME").filter(|home| !home.is_empty()).map(PathBuf::from) else {
        return Vec::new();
    };
    let mut folders = vec![home.join(".pki/nssdb")];
    let profiles = std::fs::read_dir(home.join(".mozilla/firefox")).into_iter().flatten().flatten();
    let with_database = profiles.map(|entry| entry.path()).filter(|path| path.join("cert9.db").is_file());
    folders.extend(with_database.take(PROFILES_MAX));
    folders.into_iter().map(Store::Browser).collect()
}

impl Store {
    fn shown(&self) -> String {
        match self {
            Self::System { folder, .. } => folder.display().to_string(),
            Self::Browser(folder) => folder.display().to_string(),
        }
    }

    fn holds(&self, root: &Root) -> Result<bool> {
        match self {
            Self::System { folder, .. } => Ok(file_of(folder, root).is_file()),
            Self::Browser(folder) if !folder.join("cert9.db").is_file() => Ok(false),
            Self::Browser(folder) => certutil(folder, &["-L", "-n", &root.label()]),
        }
    }

    fn install(&self, root: &Root) -> Result<()> {
        match self {
            Self::System { folder, .. } => {
                write(&file_of(folder, root), pem::encode(Label::Certificate, &root.der).as_bytes())
            }
            Self::Browser(folder) => {
                if self.holds(root)? {
                    return Ok(());
                }
                if !folder.join("cert9.db").is_file() {
                    std::fs::create_dir_all(folder).map_err(|e| {
                        error::OUTPUT
                            .error()
                            .with("file", folder.display())
                            .with("reason", e.kind())
                            .because(e)
                    })?;
                    done(certutil(folder, &["-N", "--empty-password"])?)?;
                }
                // certutil takes a certificate from a file only.
                let file = folder.join(format!("{}.pem", root.label()));
                write(&file, pem::encode(Label::Certificate, &root.der).as_bytes())?;
                let named = file.display().to_string();
                // `C`: trusted to certify servers, and for nothing else.
                let added = certutil(folder, &["-A", "-n", &root.label(), "-t", "C,,", "-i", &named]);
                // The copy has done its work; one that stays is public anyway.
                let _ = std::fs::remove_file(&file);
                done(added?)
            }
        }
    }

    fn remove(&self, root: &Root) -> Result<()> {
        if !self.holds(root)? {
            return Ok(());
        }
        match self {
            Self::System { folder, .. } => {
                let file = file_of(folder, root);
                std::fs::remove_file(&file).map_err(|e| {
                    error::OUTPUT.error().with("file", file.display()).with("reason", e.kind()).because(e)
                })
            }
            Self::Browser(folder) => done(certutil(folder, &["-D", "-n", &root.label()])?),
        }
    }

    fn refresh(&self) -> Result<()> {
        match self {
            // Links whose file is gone go with it, so nothing has to be cleared before.
            Self::System { refresh, .. } => {
                done(ran(&mut Command::new(refresh), refresh, "ca-certificates")?)
            }
            Self::Browser(_) => Ok(()),
        }
    }
}

fn file_of(folder: &Path, root: &Root) -> PathBuf {
    folder.join(format!("{}.crt", root.label()))
}

fn certutil(folder: &Path, words: &[&str]) -> Result<bool> {
    let database = format!("sql:{}", folder.display());
    ran(Command::new("certutil").args(["-d", &database]).args(words), "certutil", "libnss3-tools")
}

/// Runs a tool to its end; whether it said yes.
fn ran(command: &mut Command, tool: &str, package: &str) -> Result<bool> {
    let missing = |e: std::io::Error| {
        error::TRUST_TOOL_MISSING.error().with("tool", tool).with("package", package).because(e)
    };
    let output = command.stdin(std::process::Stdio::null()).output().map_err(missing)?;
    if !output.status.success() {
        tracing::debug!(tool, "{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.status.success())
}

fn done(said_yes: bool) -> Result<()> {
    if said_yes { Ok(()) } else { Err(error::TRUST_TOOL_FAILED.error()) }
}

/// A fingerprint in groups of four, as people compare it.
fn spaced(fingerprint: &str) -> String {
    let mut out = String::with_capacity(fingerprint.len() * 5 / 4);
    for (at, letter) in fingerprint.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            out.push(' ');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Root {
        let der = b"a root's certificate".to_vec();
        Root { name: "Root".to_owned(), fingerprint: hex(&sha256(&der)), der }
    }

    #[test]
    fn the_machines_store_gets_one_file_and_loses_that_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("other.crt"), "another's").unwrap();
        let store = Store::System { folder: folder.path().to_path_buf(), refresh: "true" };
        let root = root();
        assert!(!store.holds(&root).unwrap());
        store.install(&root).unwrap();
        store.install(&root).unwrap();
        store.refresh().unwrap();
        assert!(store.holds(&root).unwrap());
        let written = std::fs::read(file_of(folder.path(), &root)).unwrap();
        assert_eq!(pem::one(&written, Label::Certificate).unwrap(), root.der);
        store.remove(&root).unwrap();
        store.remove(&root).unwrap();
        assert!(!store.holds(&root).unwrap() && folder.path().join("other.crt").is_file());
    }

    #[test]
    fn a_tool_that_is_not_there_is_named_with_its_package() {
        let failure =
            ran(&mut Command::new("selo-has-no-such-tool"), "certutil", "libnss3-tools").unwrap_err();
        assert!(failure.is(&error::TRUST_TOOL_MISSING));
        assert!(failure.remedy(base::Lang::En).contains("libnss3-tools"));
        let store = Store::System { folder: PathBuf::new(), refresh: "false" };
        assert!(store.refresh().unwrap_err().is(&error::TRUST_TOOL_FAILED));
    }

    #[test]
    fn fingerprints_are_shown_in_groups() {
        assert_eq!(spaced("00ff12ab34"), "00FF 12AB 34");
    }
}
