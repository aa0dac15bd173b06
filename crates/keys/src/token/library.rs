//! A PKCS#11 library in this process: loaded once, initialised once at a time, restarted when the token was.
//!
//! The standard initialises a library for a whole process, so the libraries stand in one list here, however many tokens
//! use them. `C_Finalize` while another call runs is undefined, hence the door: operations hold it open together, a
//! restart has it alone. The last user finalises the library, since some crash when a process ends with it initialised.
//! It is never unloaded; some do not survive that either.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as Device, RvError},
};

use super::fault::Fault;
use crate::error;

static LIBRARIES: Mutex<BTreeMap<PathBuf, Arc<Library>>> = Mutex::new(BTreeMap::new());

/// The use of a library by one token. Who drops the last one finalises the library.
pub(super) struct Use(Arc<Library>);

impl std::ops::Deref for Use {
    type Target = Library;

    fn deref(&self) -> &Library {
        &self.0
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut door = self.0.door.write().unwrap_or_else(PoisonError::into_inner);
        door.users -= 1;
        if door.users == 0 {
            self.0.finalise(&mut door);
        }
    }
}

/// A loaded library.
pub(super) struct Library {
    context: Pkcs11,
    door: RwLock<Door>,
}

/// What the door guards.
struct Door {
    /// Counts initialisations. Handles of sessions and objects hold for one of them; afterwards the same number may
    /// mean another session.
    initialisation: u64,
    ready: bool,
    /// How many tokens of this house use the library.
    users: usize,
}

/// The right to call the library; while it is held, nobody restarts it.
pub(super) struct Inside<'a> {
    pub(super) context: &'a Pkcs11,
    door: RwLockReadGuard<'a, Door>,
}

impl Inside<'_> {
    /// Which initialisation this is.
    pub(super) fn initialisation(&self) -> u64 {
        self.door.initialisation
    }
}

impl Library {
    /// The library at a path, loaded when it is asked for first.
    ///
    /// # Errors
    /// `KEYS_TOKEN_LIBRARY`.
    pub(super) fn load(path: &Path) -> Result<Use, Fault> {
        let mut known = LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner);
        let library = match known.get(path) {
            Some(library) => Arc::clone(library),
            None => {
                let context = Pkcs11::new(path)
                    .map_err(|e| error::TOKEN_LIBRARY.because(e).with("library", path.display()))?;
                let door = RwLock::new(Door { initialisation: 0, ready: false, users: 0 });
                let library = Arc::new(Self { context, door });
                known.insert(path.to_owned(), Arc::clone(&library));
                library
            }
        };
        library.door.write().unwrap_or_else(PoisonError::into_inner).users += 1;
        Ok(Use(library))
    }

    /// Enters, initialising the library when it is not.
    ///
    /// # Errors
    /// The library's.
    pub(super) fn enter(&self) -> Result<Inside<'_>, Fault> {
        loop {
            let door = self.door.read().unwrap_or_else(PoisonError::into_inner);
            if door.ready {
                return Ok(Inside { context: &self.context, door });
            }
            drop(door);
            let mut door = self.door.write().unwrap_or_else(PoisonError::into_inner);
            if !door.ready {
                self.initialise(&mut door)?;
            }
        }
    }

    /// Enters if it is still the initialisation that is meant; nothing is initialised.
    pub(super) fn enter_again(&self, initialisation: u64) -> Option<Inside<'_>> {
        let door = self.door.read().unwrap_or_else(PoisonError::into_inner);
        let same = door.ready && door.initialisation == initialisation;
        same.then_some(Inside { context: &self.context, door })
    }

    /// Finalises and initialises the library, after whoever is inside has left. Does nothing when somebody did it since
    /// the initialisation that the caller `saw`.
    ///
    /// # Errors
    /// The library's; it is tried again when somebody enters.
    pub(super) fn restart(&self, saw: u64) -> Result<(), Fault> {
        let mut door = self.door.write().unwrap_or_else(PoisonError::into_inner);
        if door.initialisation != saw {
            return Ok(());
        }
        self.finalise(&mut door);
        self.initialise(&mut door)
    }

    fn finalise(&self, door: &mut Door) {
        if std::mem::replace(&mut door.ready, false)
            && let Err(refused) = self.context.clone().finalize()
        {
            tracing::warn!(reason = %refused, "the token's library did not let itself be finalised");
        }
    }

    fn initialise(&self, door: &mut Door) -> Result<(), Fault> {
        door.initialisation += 1;
        match self.context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Device::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {
                door.ready = true;
                Ok(())
            }
            Err(refused) => Err(refused.into()),
        }
    }
}
