//! Files that services read: written beside, made durable, and put in place in one step.
//!
//! Each generation of a certificate is a folder of the agent that never changes once it has its name. A link is swung from
//! one to the next; plain files are replaced one by one, the key first, and keep their owner and mode.
//! Never here: a file that is half written under its final name, a key that others may read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};

use crate::config::Wanted;

/// The certificate alone, in a generation's folder.
pub const CERT: &str = "cert.pem";
/// Its issuers.
pub const CHAIN: &str = "chain.pem";
/// Both.
pub const FULLCHAIN: &str = "fullchain.pem";
/// The key.
pub const KEY: &str = "key.pem";

const KEY_MODE: u32 = 0o600;
const OPEN_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;
/// A PEM file of ours is never longer.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// Reads a file of bounded length.
///
/// # Errors
/// The system's, and `InvalidData` for a longer file.
pub fn read(file: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("longer than {bytes_max} bytes")));
    }
    Ok(bytes)
}

/// Replaces a file in one step, durably. One that is there keeps its owner and, within `mode_max`, its mode.
///
/// # Errors
/// The system's; then the old file is still there.
pub fn replace(file: &Path, bytes: &[u8], mode: u32, mode_max: u32) -> io::Result<()> {
    let before = fs::metadata(file).ok();
    let beside = beside(file)?;
    write(&beside, bytes, mode, before.as_ref().map(|data| (data, mode_max)))?;
    fs::rename(&beside, file)?;
    settle(file)
}

fn write(file: &Path, bytes: &[u8], mode: u32, like: Option<(&fs::Metadata, u32)>) -> io::Result<()> {
    // What an interrupted run left is not continued.
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut open = OpenOptions::new().write(true).create_new(true).mode(KEY_MODE).open(file)?;
    open.write_all(bytes)?;
    let mode = match like {
        Some((data, mode_max)) => {
            chown(file, Some(data.uid()), Some(data.gid()))?;
            data.mode() & mode_max
        }
        None => mode,
    };
    open.set_permissions(fs::Permissions::from_mode(mode))?;
    open.sync_all()
}

/// The name beside a file under which its successor is written.
fn beside(file: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(".new");
    Ok(file.with_file_name(beside))
}

/// Makes the folder's entry durable.
fn settle(file: &Path) -> io::Result<()> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Makes a folder that others may pass through.
///
/// # Errors
/// The system's.
pub fn folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(FOLDER_MODE))
}

/// What a service needs, as PEM.
#[derive(Debug)]
pub struct Set<'a> {
    /// The certificate alone.
    pub cert: &'a str,
    /// Its issuers.
    pub chain: &'a str,
    /// The key.
    pub key: &'a str,
}

/// The generations of one certificate.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The shelf of a certificate in the agent's folder.
    ///
    /// # Errors
    /// The system's.
    pub fn open(state: &Path, name: &str) -> io::Result<Self> {
        let path = state.join(name);
        folder(&path)?;
        Ok(Self { folder: path })
    }

    /// The folder of a generation.
    pub fn generation(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }

    /// The numbers of the generations that are there, oldest first.
    ///
    /// # Errors
    /// The system's.
    pub fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Lays down a new generation, durable as a whole; its number. The key has the owner of `like`'s key.
    ///
    /// # Errors
    /// The system's; then no generation has that number.
    pub fn lay(&self, set: &Set<'_>, like: Option<u64>) -> io::Result<u64> {
        let number = self.numbers()?.last().copied().unwrap_or(0) + 1;
        let beside = self.folder.join(format!(".{number}.new"));
        match fs::remove_dir_all(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir(&beside)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(FOLDER_MODE))?;
        let owner = like.and_then(|number| fs::metadata(self.generation(number).join(KEY)).ok());
        write(&beside.join(KEY), set.key.as_bytes(), KEY_MODE, owner.as_ref().map(|data| (data, 0o640)))?;
        let full = format!("{}{}", set.cert, set.chain);
        for (name, text) in [(CERT, set.cert), (CHAIN, set.chain), (FULLCHAIN, &full)] {
            write(&beside.join(name), text.as_bytes(), OPEN_MODE, None)?;
        }
        File::open(&beside)?.sync_all()?;
        let folder = self.generation(number);
        fs::rename(&beside, &folder)?;
        settle(&folder)?;
        Ok(number)
    }

    /// Puts a generation where the service reads it.
    ///
    /// # Errors
    /// The system's. A link is then still the old one; of plain files some may be new.
    pub fn publish(&self, number: u64, wanted: &Wanted) -> io::Result<()> {
        let from = fs::canonicalize(self.generation(number))?;
        if let Some(link) = &wanted.link {
            swing(link, &from)?;
        }
        let files = &wanted.files;
        for (place, name, mode, mode_max) in [
            (&files.key, KEY, KEY_MODE, 0o640),
            (&files.chain, CHAIN, OPEN_MODE, 0o666),
            (&files.fullchain, FULLCHAIN, OPEN_MODE, 0o666),
            (&files.cert, CERT, OPEN_MODE, 0o666),
        ] {
            if let Some(place) = place {
                replace(place, &read(&from.join(name), PEM_BYTES_MAX)?, mode, mode_max)?;
            }
        }
        Ok(())
    }

    /// Removes a generation that did not come into service.
    ///
    /// # Errors
    /// The system's.
    pub fn drop_generation(&self, number: u64) -> io::Result<()> {
        fs::remove_dir_all(self.generation(number))
    }

    /// Removes all generations but these two.
    ///
    /// # Errors
    /// The system's.
    pub fn prune(&self, current: u64, before: Option<u64>) -> io::Result<()> {
        for number in self.numbers()? {
            if number != current && Some(number) != before {
                self.drop_generation(number)?;
            }
        }
        Ok(())
    }

    /// The certificate with its chain of a generation.
    ///
    /// # Errors
    /// The system's.
    pub fn fullchain(&self, number: u64) -> io::Result<Vec<u8>> {
        read(&self.generation(number).join(FULLCHAIN), PEM_BYTES_MAX)
    }
}

/// Swings a link in one step.
fn swing(link: &Path, target: &Path) -> io::Result<()> {
    if fs::symlink_metadata(link).is_ok_and(|data| !data.is_symlink()) {
        return Err(io::Error::other(format!("{} is there and is no link", link.display())));
    }
    let beside = beside(link)?;
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(target, &beside)?;
    fs::rename(&beside, link)?;
    settle(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Set<'static> = Set { cert: "cert\n", chain: "chain\n", key: "key\n" };

    fn wanted(folder: &Path) -> Wanted {
        toml::from_str(&format!(
            "name = \"web\"\nnames = [\"a.example\"]\nlink = \"{0}/live\"\nfiles = {{ key = \"{0}/k.pem\", fullchain = \"{0}/f.pem\" }}",
            folder.display()
        ))
        .unwrap()
    }

    #[test]
    fn a_generation_is_laid_down_whole_and_published_in_one_step() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = wanted(folder.path());
        let shelf = Shelf::open(folder.path(), "web").unwrap();
        assert_eq!(shelf.lay(&SET, None).unwrap(), 1);
        shelf.publish(1, &wanted).unwrap();
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text("live/fullchain.pem"), "cert\nchain\n");
        assert_eq!((text("f.pem"), text("k.pem")), ("cert\nchain\n".to_owned(), "key\n".to_owned()));
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().mode() & 0o777;
        assert_eq!((mode("live/key.pem"), mode("k.pem"), mode("f.pem")), (0o600, 0o600, 0o644));
        // A mode that the operator chose stays, but a key is never for everybody.
        fs::set_permissions(folder.path().join("k.pem"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(folder.path().join("f.pem"), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(shelf.lay(&Set { key: "new\n", ..SET }, Some(1)).unwrap(), 2);
        shelf.publish(2, &wanted).unwrap();
        assert_eq!((text("live/key.pem"), text("k.pem")), ("new\n".to_owned(), "new\n".to_owned()));
        assert_eq!((mode("k.pem"), mode("f.pem")), (0o640, 0o600));
        shelf.publish(1, &wanted).unwrap();
        assert_eq!((text("live/key.pem"), text("k.pem")), ("key\n".to_owned(), "key\n".to_owned()));
    }

    #[test]
    fn two_generations_are_kept_and_what_was_interrupted_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path(), "web").unwrap();
        fs::create_dir(folder.path().join("web/.1.new")).unwrap();
        fs::write(folder.path().join("web/.1.new/key.pem"), "half").unwrap();
        for number in 1..=4 {
            assert_eq!(shelf.lay(&SET, None).unwrap(), number);
        }
        shelf.prune(4, Some(2)).unwrap();
        assert_eq!(shelf.numbers().unwrap(), [2, 4]);
        shelf.drop_generation(4).unwrap();
        assert_eq!(shelf.numbers().unwrap(), [2]);
    }

    #[test]
    fn a_folder_in_the_place_of_the_link_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path(), "web").unwrap();
        shelf.lay(&SET, None).unwrap();
        fs::create_dir(folder.path().join("live")).unwrap();
        assert!(shelf.publish(1, &wanted(folder.path())).is_err());
        assert!(folder.path().join("live").is_dir());
    }

    #[test]
    fn a_long_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        fs::write(&file, [b'x'; 11]).unwrap();
        assert_eq!(read(&file, 11).unwrap().len(), 11);
        assert_eq!(read(&file, 10).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
