//! The reserve: a file that holds disk space back, so that an administrator can still clean up on a full disk.
//!
//! Its blocks are allocated, not written; releasing it is deleting it. Never here: a refusal to start because there is
//! no room for it; the house then runs and says so.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use base::Result;
use rustix::fs::{FallocateFlags, fallocate};

use crate::error::STORE_IO;

/// The name of the file, beside the database.
const NAME: &str = "reserve";

pub(crate) fn path(database: &Path) -> PathBuf {
    database.with_file_name(NAME)
}

/// Makes the reserve if there is room; whether it is there now.
pub(crate) fn hold(file: &Path, bytes: u64) -> Result<bool> {
    if bytes == 0 {
        return Ok(false);
    }
    if std::fs::metadata(file).is_ok_and(|known| known.len() >= bytes) {
        return Ok(true);
    }
    let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
    let held = made.is_ok_and(|made| fallocate(&made, FallocateFlags::empty(), 0, bytes).is_ok());
    if !held {
        release(file)?;
        tracing::warn!(bytes, "there is no room for the reserve; free space before the disk is full");
    }
    Ok(held)
}

/// Gives the space back; whether there was any.
pub(crate) fn release(file: &Path) -> Result<bool> {
    match std::fs::remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(STORE_IO.because(error)),
    }
}
