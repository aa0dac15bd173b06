//! A certificate and its key in one file of the home, for the line to PostgreSQL.
//!
//! The file is replaced whole, so that whoever reads it reads a pair; its owner alone may read it.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use base::{Result, Secret};
use proof::x509::{
    Certificate,
    pem::{self, Label},
};

use crate::error;

/// The longest file of a pair.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Replaces a pair, durably.
///
/// # Errors
/// `HOME_FILE`.
pub(super) fn replace(file: &Path, chain: &str, key: &Secret<String>) -> Result<()> {
    let broken = |e: std::io::Error| {
        error::HOME_FILE.error().with("file", file.display()).with("reason", e.kind()).because(e)
    };
    let next = file.with_extension("next");
    // One that a crash left may be another's to read: it is made anew.
    match fs::remove_file(&next) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(broken(e)),
        _ => {}
    }
    let mut open =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next).map_err(broken)?;
    open.write_all(chain.as_bytes())
        .and_then(|()| open.write_all(key.expose().as_bytes()))
        .and_then(|()| open.sync_all())
        .and_then(|()| fs::rename(&next, file))
        .map_err(broken)?;
    let folder = file.parent().unwrap_or(file);
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(broken)
}

/// The first certificate of a file, DER; nothing for a file that is not there or holds none.
pub(super) fn leaf(file: &Path) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    fs::File::open(file).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut text).ok()?;
    let end = "-----END CERTIFICATE-----";
    let text = String::from_utf8(text).ok()?;
    let first = text.get(..text.find(end)? + end.len())?;
    pem::one(first.as_bytes(), Label::Certificate).ok()
}

/// The serial number of a certificate as a decimal number, as PostgreSQL writes it.
pub(super) fn serial(der: &[u8]) -> Option<String> {
    let serial = Certificate::parse(der).ok()?.serial()?;
    let mut number: u128 = 0;
    for byte in serial.content() {
        number = number.checked_mul(256)?.checked_add(u128::from(*byte))?;
    }
    Some(number.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_pair_is_replaced_whole_and_read_back_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("postgres-selo_app.pem");
        assert!(leaf(&file).is_none());
        fs::write(file.with_extension("next"), "what a crash left").unwrap();
        for der in [b"first".to_vec(), b"second".to_vec()] {
            let chain = pem::encode(Label::Certificate, &der) + &pem::encode(Label::Certificate, b"above");
            replace(&file, &chain, &Secret::new(pem::encode(Label::PrivateKey, b"key"))).unwrap();
            assert_eq!(leaf(&file).unwrap(), der);
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(fs::read_to_string(&file).unwrap().contains("PRIVATE KEY"));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
