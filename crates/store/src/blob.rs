//! Blobs: bytes under a key, in a folder now, elsewhere later, through `object_store`.
//!
//! What `LocalFileSystem` promises with `with_fsync(true)`, which we set: a put writes a file of its own, syncs it,
//! renames it into place and syncs the folder (and every folder it had to make), so a reader sees the old bytes or the
//! new ones and a put that returned survives a power cut. It does **not** sync deletions: after a power cut a deleted
//! blob may be back, so what must not be readable is sealed under a key that is destroyed.
//! Never here: a key that leaves its folder; keys are checked before they are paths.

use std::{path::Path as Folder, sync::Arc};

use base::{Error, Result};
use futures_util::TryStreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt as _, local::LocalFileSystem, path::Path};

use crate::error::{STORE_BLOB_KEY, STORE_BLOB_TOO_LARGE, STORE_DISK_FULL, STORE_IO, STORE_SETTINGS};

/// The largest blob, in bytes.
pub const BLOB_BYTES_MAX: usize = 64 << 20;
/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 512;
/// How many keys one listing gives.
pub const LIST_MAX: usize = 100_000;

/// A place for blobs. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    bytes_max: usize,
}

impl Blobs {
    /// Blobs in a folder, which is made when it is not there.
    pub fn folder(folder: &Folder) -> Result<Self> {
        let refused = |error: &dyn std::fmt::Display| {
            STORE_SETTINGS.error().with("reason", format!("{}: {error}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(|error| refused(&error))?;
        let store =
            LocalFileSystem::new_with_prefix(folder).map_err(|error| refused(&error))?.with_fsync(true);
        Ok(Self { store: Arc::new(store), bytes_max: BLOB_BYTES_MAX })
    }

    /// The same place with a smaller limit for one blob.
    #[must_use]
    pub fn limited_to(mut self, bytes_max: usize) -> Self {
        self.bytes_max = bytes_max.min(BLOB_BYTES_MAX);
        self
    }

    /// Keeps bytes under a key, in place of what was there; durable when it returns.
    pub async fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) -> Result<()> {
        let bytes: Vec<u8> = bytes.into();
        if bytes.len() > self.bytes_max {
            return Err(self.too_large());
        }
        self.store.put(&path(key)?, bytes.into()).await.map(drop).map_err(fault)
    }

    /// The bytes under a key, or nothing; `STORE_BLOB_TOO_LARGE` beyond the limit.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let found = match self.store.get(&path(key)?).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(fault(error)),
        };
        if found.meta.size > self.bytes_max as u64 {
            return Err(self.too_large());
        }
        found.bytes().await.map(|bytes| Some(bytes.to_vec())).map_err(fault)
    }

    /// Removes what is under a key, if anything.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(fault(error)),
        }
    }

    /// The keys below a prefix that ends at a slash (or all, for the empty prefix), sorted.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let prefix = prefix.trim_end_matches('/');
        let below = if prefix.is_empty() { None } else { Some(path(prefix)?) };
        let mut found = self.store.list(below.as_ref());
        let mut keys = Vec::new();
        while let Some(meta) = found.try_next().await.map_err(fault)? {
            if keys.len() >= LIST_MAX {
                return Err(crate::error::STORE_ROWS_SURPLUS.error().with("statement", "blob.list"));
            }
            keys.push(meta.location.to_string());
        }
        keys.sort_unstable();
        Ok(keys)
    }

    fn too_large(&self) -> Error {
        STORE_BLOB_TOO_LARGE.error().with("limit", self.bytes_max)
    }
}

/// A key as a path: lower-case letters, digits, `.`, `-`, `_`, in parts that do not begin with a dot.
fn path(key: &str) -> Result<Path> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(letters);
    if key.len() > KEY_BYTES_MAX || !key.split('/').all(part) {
        return Err(STORE_BLOB_KEY.error());
    }
    Path::parse(key).map_err(|error| STORE_BLOB_KEY.because(error))
}

fn fault(error: object_store::Error) -> Error {
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::StorageFull
        {
            return STORE_DISK_FULL.because(error);
        }
        source = cause.source();
    }
    STORE_IO.because(error)
}
