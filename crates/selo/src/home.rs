//! The home: one folder, one house. The process that holds its lock *is* the house.
//!
//! `house.json` says what the house is called and which format it has; `keys/ring.json` is the sealed key ring;
//! `data/selo.db` the database (SQLite), `blobs/` what can be made again, `house.sock` the local door.
//! Never here: a home that is half made. `init` writes `house.json` last; until then there is no house.

use std::{
    fs,
    io::{IsTerminal, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base::{Chance, Result, Secret};
use serde::{Deserialize, Serialize};

use crate::error;

/// The format this program writes and understands.
const FORMAT: u32 = 1;
const LETTER_BYTES_MAX: u64 = 64 * 1024;
const PASSPHRASE_BYTES_MAX: u64 = 4 * 1024;

/// What a house says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Letter {
    /// The format of the home.
    pub format: u32,
    /// The public address; enters everything that is signed or printed.
    pub public_url: String,
}

/// A home, whether or not there is a house in it.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

/// The right to be the house; given back when dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "holding the open file is holding the lock")] fs::File);

impl Home {
    /// The home in a folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The database of a house on SQLite.
    pub fn database(&self) -> PathBuf {
        self.0.join("data").join("selo.db")
    }

    /// The sealed key ring.
    pub fn key_file(&self) -> PathBuf {
        self.0.join("keys").join("ring.json")
    }

    /// A passphrase that was made for a house nobody gave one.
    pub fn passphrase_file(&self) -> PathBuf {
        self.0.join("keys").join("passphrase")
    }

    /// The certificate and key with which a role signs in to PostgreSQL.
    pub fn postgres_certificate(&self, role: &str) -> PathBuf {
        self.0.join("keys").join(format!("postgres-{role}.pem"))
    }

    /// What can be made again: tiles and checkpoints.
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// The local door.
    pub fn socket(&self) -> PathBuf {
        self.0.join("house.sock")
    }

    /// The configuration file, if there is one.
    pub fn config_file(&self) -> Option<PathBuf> {
        Some(self.0.join("selo.toml")).filter(|file| file.is_file())
    }

    fn letter_file(&self) -> PathBuf {
        self.0.join("house.json")
    }

    /// Whether a house is here.
    pub fn is_made(&self) -> bool {
        self.letter_file().is_file()
    }

    /// Makes the folders of a new house, for its owner only.
    ///
    /// # Errors
    /// `HOME_EXISTS`, `HOME_FILE`.
    pub fn make(&self) -> Result<()> {
        if self.is_made() {
            return Err(error::HOME_EXISTS.error().with("home", self.0.display()));
        }
        for folder in [self.0.clone(), self.0.join("data"), self.0.join("keys"), self.blobs()] {
            if let Err(failed) = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder) {
                return Err(broken(&folder, failed));
            }
        }
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700)).map_err(|e| broken(&self.0, e))
    }

    /// Writes the letter; from then on there is a house here.
    ///
    /// # Errors
    /// `HOME_FILE`.
    pub fn seal(&self, letter: &Letter) -> Result<()> {
        let text = serde_json::to_vec_pretty(letter).map_err(|e| base::error::INTERNAL.because(e))?;
        let (file, next) = (self.letter_file(), self.letter_file().with_extension("next"));
        let written = private(&next).and_then(|mut out| out.write_all(&text).and_then(|()| out.sync_all()));
        written.and_then(|()| fs::rename(&next, &file)).map_err(|e| broken(&file, e))?;
        fs::File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(|e| broken(&self.0, e))
    }

    /// What the house says of itself.
    ///
    /// # Errors
    /// `HOME_NOT_FOUND`, `HOME_NEWER`, `HOME_FILE`.
    pub fn letter(&self) -> Result<Letter> {
        let file = self.letter_file();
        if !file.is_file() {
            return Err(error::HOME_MISSING.error().with("home", self.0.display()));
        }
        let bytes = read_bounded(&file, LETTER_BYTES_MAX)?;
        let format = serde_json::from_slice::<serde_json::Value>(&bytes)
            .ok()
            .and_then(|letter| letter.get("format")?.as_u64())
            .ok_or_else(|| {
                error::HOME_FILE.error().with("file", file.display()).with("reason", "not of its form")
            })?;
        if format > u64::from(FORMAT) {
            let newer = error::HOME_NEWER.error().with("home", self.0.display());
            return Err(newer.with("found", format).with("known", FORMAT));
        }
        serde_json::from_slice(&bytes).map_err(|e| {
            error::HOME_FILE.error().with("file", file.display()).with("reason", "not of its form").because(e)
        })
    }

    /// Takes the lock, or nothing when another process holds it.
    ///
    /// # Errors
    /// `HOME_FILE`.
    pub fn lock(&self) -> Result<Option<Lock>> {
        let path = self.0.join("house.lock");
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| broken(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(failed)) => Err(broken(&path, failed)),
        }
    }

    /// The passphrase: from the file that was named, from systemd, from the home, or asked for at a terminal.
    ///
    /// # Errors
    /// `HOME_FILE` when a named file cannot be read; `KEYS_WRONG_PASSPHRASE` when there is none and nobody to ask.
    pub fn passphrase(&self, named: Option<&Path>) -> Result<Secret<String>> {
        let credential = base::config::variable("CREDENTIALS_DIRECTORY")
            .map(|folder| PathBuf::from(folder).join("selo-passphrase"))
            .filter(|file| file.is_file());
        let own = Some(self.passphrase_file()).filter(|file| file.is_file());
        match named.map(Path::to_path_buf).or(credential).or(own) {
            Some(file) => read_passphrase(&file),
            None if std::io::stdin().is_terminal() => ask(),
            None => Err(keys::error::WRONG_PASSPHRASE.error().with("file", self.key_file().display())),
        }
    }

    /// The passphrase of a new house: the one that was named, or a new one that is kept in the home. True when it was
    /// made, which the caller says aloud.
    ///
    /// # Errors
    /// `HOME_FILE`.
    pub fn first_passphrase(
        &self,
        named: Option<&Path>,
        chance: &dyn Chance,
    ) -> Result<(Secret<String>, bool)> {
        let credential = base::config::variable("CREDENTIALS_DIRECTORY")
            .map(|folder| PathBuf::from(folder).join("selo-passphrase"))
            .filter(|file| file.is_file());
        if let Some(file) = named.map(Path::to_path_buf).or(credential) {
            return Ok((read_passphrase(&file)?, false));
        }
        let made = Secret::new(chance.handle());
        let file = self.passphrase_file();
        private(&file)
            .and_then(|mut out| out.write_all(made.expose().as_bytes()).and_then(|()| out.sync_all()))
            .map_err(|e| broken(&file, e))?;
        Ok((made, true))
    }
}

fn read_passphrase(file: &Path) -> Result<Secret<String>> {
    let bytes = read_bounded(file, PASSPHRASE_BYTES_MAX)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        error::HOME_FILE.error().with("file", file.display()).with("reason", "not text").because(e)
    })?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Asks at the terminal, with the echo off.
fn ask() -> Result<Secret<String>> {
    let silent = |fault: std::io::Error| {
        error::HOME_FILE.error().with("file", "terminal").with("reason", fault.kind())
    };
    let echo = |word: &str| std::process::Command::new("stty").arg(word).status();
    eprint!("Passphrase: ");
    echo("-echo").map_err(silent)?;
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    let _ = echo("echo");
    eprintln!();
    read.map_err(silent)?;
    Ok(Secret::new(line.trim_end_matches(['\n', '\r']).to_owned()))
}

fn private(path: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn broken(path: &Path, failed: std::io::Error) -> base::Error {
    error::HOME_FILE.error().with("file", path.display()).with("reason", failed.kind()).because(failed)
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(|e| broken(path, e))?.len();
    if size > limit {
        return Err(error::HOME_FILE.error().with("file", path.display()).with("reason", "too large"));
    }
    fs::read(path).map_err(|e| broken(path, e))
}

/// A public address in its one form: scheme and host, lower case, no path.
///
/// # Errors
/// `PUBLIC_URL_INVALID`.
pub fn public_url(text: &str) -> Result<String> {
    let wrong = || error::PUBLIC_URL.at("public-url").with("url", text);
    let trimmed = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let host =
        trimmed.strip_prefix("https://").or_else(|| trimmed.strip_prefix("http://")).ok_or_else(wrong)?;
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if host.is_empty() || host.len() > 253 || !host.chars().all(good) {
        return Err(wrong());
    }
    Ok(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_has_a_scheme_and_a_host_and_nothing_else() {
        assert_eq!(public_url("https://Selo.Example.ORG/").unwrap(), "https://selo.example.org");
        assert_eq!(public_url("http://localhost:8080").unwrap(), "http://localhost:8080");
        for wrong in ["selo.example.org", "ftp://x", "https://", "https://a/b", "https://a b", "https://a?b"]
        {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
