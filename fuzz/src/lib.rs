//! What the fuzz targets share: the bounds that every input is held to, and the papers that are changed.
//!
//! A target is two functions: `seeds`, what to begin with, made by the house's own builders; and `check`, what must hold
//! of any bytes. [`target!`] puts the bounds around it. The time is the engine's (`-timeout=5`), the memory is ours.
//! Never here: an input that is kept out because it is inconvenient.

pub mod authority;
pub mod carriers;
pub mod papers;

use std::alloc::System;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use cap::Cap;

/// What one input may take beside what was there before it (docs/threat-model.md).
pub const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Counts every allocation of Rust, and remembers the most there ever was. It refuses none: a refusal would be an error
/// that a reader may pass off as one of the input's.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// The most that was there before an input: contexts, fonts and whatever else is kept.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Makes a program of a target's two functions.
#[macro_export]
macro_rules! target {
    ($seeds:expr, $check:expr) => {
        libfuzzer_sys::fuzz_target!(init: $crate::plant($seeds()), |bytes: &[u8]| {
            $crate::within_memory(|| $check(bytes));
        });
    };
}

/// Does the work, and sees that it took no more than [`MEMORY_BYTES_MAX`].
///
/// The engine runs inputs on one thread, so a new height is this input's doing.
pub fn within_memory(work: impl FnOnce()) {
    KEPT.fetch_max(MEMORY.allocated(), Ordering::Relaxed);
    work();
    let taken = MEMORY.max_allocated().saturating_sub(KEPT.load(Ordering::Relaxed));
    assert!(
        taken <= MEMORY_BYTES_MAX,
        "the input took {taken} bytes of memory, at most {MEMORY_BYTES_MAX} are promised"
    );
}

/// Writes the seeds into the corpus: the first folder among the program's arguments. Without one (a single input is tried
/// again) there is nothing to plant.
pub fn plant(seeds: Vec<Vec<u8>>) {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with('-') && Path::new(word).is_dir());
    let Some(folder) = folder else { return };
    for (number, seed) in seeds.iter().enumerate() {
        let file = Path::new(&folder).join(format!("seed-{number}"));
        std::fs::write(&file, seed).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// Seeds that are texts.
pub fn texts(seeds: &[&str]) -> Vec<Vec<u8>> {
    seeds.iter().map(|text| text.as_bytes().to_vec()).collect()
}
