//! The sealed key file: root and epoch keys, opened by a passphrase (Argon2id, RFC 9106).
//!
//! It lies outside the database on purpose: a backup of the database holds only wrapped keys, and once an epoch is
//! gone from this file, no backup can open what that epoch wrapped.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Params, Version};
use base::{Chance, Result, Secret, Time};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroize;

use crate::{
    error,
    seal::{Aad, SealingKey},
};

/// Argon2id as OWASP recommends for an interactive unlock: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const FILE_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Outer {
    format: u32,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    sealed: String,
}

#[derive(Serialize, Deserialize, Clone, Zeroize)]
pub(crate) struct EpochKey {
    pub(crate) number: u32,
    pub(crate) key: [u8; 32],
    pub(crate) created_micros: i64,
}

#[derive(Serialize, Deserialize, Clone, Zeroize)]
pub(crate) struct Contents {
    pub(crate) root: [u8; 32],
    pub(crate) index_version: u8,
    pub(crate) epochs: Vec<EpochKey>,
}

/// An opened key file.
pub struct KeyFile {
    path: PathBuf,
    kek: SealingKey,
    outer: Outer,
    pub(crate) contents: Secret<Contents>,
}

const fn aad() -> Aad<'static> {
    Aad { tenant: Uuid::nil(), table: "keys", column: "file", row: Uuid::nil(), version: 1 }
}

fn kek(passphrase: &str, outer: &Outer) -> Result<SealingKey> {
    let params = Params::new(outer.memory_kib, outer.passes, outer.lanes, Some(32))
        .map_err(|e| base::error::INTERNAL.error().with("reason", e))?;
    let salt = STANDARD.decode(&outer.salt).map_err(|e| base::error::INTERNAL.because(e))?;
    let mut key = [0u8; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.trim_end_matches(['\n', '\r']).as_bytes(), &salt, &mut key)
        .map_err(|e| base::error::INTERNAL.error().with("reason", e))?;
    Ok(SealingKey::new(0, key))
}

/// Makes a key file with a new root and a first epoch; refuses to overwrite one.
///
/// # Errors
/// `KEYS_FILE_UNREADABLE` when it cannot be written or is already there.
pub fn create(path: &Path, passphrase: &str, now: Time, chance: &dyn Chance) -> Result<KeyFile> {
    if path.exists() {
        return Err(error::FILE.error().with("file", path.display()));
    }
    let outer = Outer {
        format: 1,
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode(chance.bytes::<16>()),
        sealed: String::new(),
    };
    let contents = Contents {
        root: chance.bytes(),
        index_version: 1,
        epochs: vec![EpochKey { number: 1, key: chance.bytes(), created_micros: now.micros() }],
    };
    let mut file = KeyFile {
        path: path.to_owned(),
        kek: kek(passphrase, &outer)?,
        outer,
        contents: Secret::new(contents),
    };
    file.save(chance)?;
    Ok(file)
}

impl KeyFile {
    /// Opens the file.
    ///
    /// # Errors
    /// `KEYS_FILE_UNREADABLE`; `KEYS_WRONG_PASSPHRASE`.
    pub fn open(path: &Path, passphrase: &str) -> Result<Self> {
        let unreadable = || error::FILE.error().with("file", path.display());
        let size = fs::metadata(path).map_err(|e| unreadable().because(e))?.len();
        if size > FILE_BYTES_MAX {
            return Err(unreadable());
        }
        let bytes = fs::read(path).map_err(|e| unreadable().because(e))?;
        let outer: Outer = serde_json::from_slice(&bytes).map_err(|e| unreadable().because(e))?;
        // A file from outside must not make us take gigabytes for the passphrase.
        if outer.format != 1 || outer.memory_kib > 1024 * 1024 || outer.passes > 16 || outer.lanes > 16 {
            return Err(unreadable());
        }
        let kek = kek(passphrase, &outer)?;
        let sealed = STANDARD.decode(&outer.sealed).map_err(|e| unreadable().because(e))?;
        let mut plain = kek
            .open(&aad(), &sealed)
            .map_err(|_| error::WRONG_PASSPHRASE.error().with("file", path.display()))?;
        let contents = serde_json::from_slice(&plain).map_err(|e| unreadable().because(e));
        plain.zeroize();
        Ok(Self { path: path.to_owned(), kek, outer, contents: Secret::new(contents?) })
    }

    /// Reads the contents again, as another process may have written them; the passphrase's key is still known.
    pub(crate) fn reread(&mut self) -> Result<()> {
        let unreadable = || error::FILE.error().with("file", self.path.display());
        let bytes = fs::read(&self.path).map_err(|e| unreadable().because(e))?;
        let outer: Outer = serde_json::from_slice(&bytes).map_err(|e| unreadable().because(e))?;
        let sealed = STANDARD.decode(&outer.sealed).map_err(|e| unreadable().because(e))?;
        let mut plain = self.kek.open(&aad(), &sealed).map_err(|e| unreadable().because(e))?;
        let contents = serde_json::from_slice(&plain).map_err(|e| unreadable().because(e));
        plain.zeroize();
        self.contents = Secret::new(contents?);
        Ok(())
    }

    /// Puts new contents in the place of the old ones, durably: the old file stays whole until the new one is on disk.
    pub(crate) fn replace(&mut self, contents: Contents, chance: &dyn Chance) -> Result<()> {
        self.contents = Secret::new(contents);
        self.save(chance)
    }

    fn save(&mut self, chance: &dyn Chance) -> Result<()> {
        let unwritable = |e: std::io::Error| error::FILE.error().with("file", self.path.display()).because(e);
        let mut plain =
            serde_json::to_vec(self.contents.expose()).map_err(|e| base::error::INTERNAL.because(e))?;
        let sealed = self.kek.seal(&aad(), &plain, chance);
        plain.zeroize();
        self.outer.sealed = STANDARD.encode(sealed?);
        let text = serde_json::to_vec_pretty(&self.outer).map_err(|e| base::error::INTERNAL.because(e))?;
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(folder).map_err(unwritable)?;
        let next = self.path.with_extension("next");
        let mut file = create_private(&next).map_err(unwritable)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(unwritable)?;
        fs::rename(&next, &self.path).map_err(unwritable)?;
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)
    }
}

fn create_private(path: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SeededChance;

    #[test]
    fn the_file_opens_with_its_passphrase_only_and_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, chance) = (folder.path().join("ring.json"), SeededChance::new(1));
        let made = create(&path, "correct horse\n", Time::from_seconds(0), &chance).unwrap();
        let opened = KeyFile::open(&path, "correct horse").unwrap();
        assert_eq!(opened.contents.expose().root, made.contents.expose().root);
        let refused = KeyFile::open(&path, "wrong horse").err().unwrap();
        assert!(refused.is(&error::WRONG_PASSPHRASE));
        assert!(create(&path, "x", Time::from_seconds(0), &chance).is_err(), "never overwritten");
    }
}
