//! The highest generation seen of each store, remembered where who writes to the store can't reach.
//!
//! A folder holds one small file for each store, named by its id: `<store id>.highest`, one line of the generation
//! and the BLAKE3 of store id, blank and generation, so that a changed digit shows. It is replaced whole, while the
//! folder is locked: several servers may share it.
//!
//! Where something is wrong, nothing is loaded: that a file is damaged tells nothing of what was in it, and a new
//! generation that can't be written down could be taken back unseen after a restart. A server that serves already
//! goes on with what it has. A file that is missing is a store that was never seen, so that removing it is the way
//! to begin anew.

use super::manifest::Manifest;
use crate::files::{self, File, Lock};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The longest id that a store may have, as it names a file.
const STORE_ID_MAX: usize = 64;
/// The most bytes that a file may have: a number and a digest take less than a hundred.
const FILE_MAX: u64 = 1024;

/// Remembers the highest generation seen of each store.
#[derive(Debug)]
pub struct HighestSeen {
    folder: PathBuf,
}

/// Why a snapshot is refused by what is remembered of its store, or by the memory's state.
#[derive(Debug, thiserror::Error)]
pub enum HighestSeenError {
    /// A newer snapshot was seen.
    #[error(
        "generation {generation} of store {store} is older than generation {highest}, which has been seen \
         (remembered in {file}): if the store was restored from a backup, publish above that, with `--above {highest}` \
         (`sltd-data build`, `delta` or `repair`)"
    )]
    Older {
        /// The id of the store.
        store: String,
        /// The generation that is current in it.
        generation: u64,
        /// The highest that was seen.
        highest: u64,
        /// Where that is remembered.
        file: PathBuf,
    },
    /// What is remembered can't be read or written.
    #[error(
        "the highest generation seen can't be remembered, so nothing new is accepted: {path}: {source}"
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// What is remembered is not what was written.
    #[error(
        "{0} is damaged, so nothing new is accepted: make sure that the store's current snapshot is its newest, then \
         remove this file"
    )]
    Damaged(PathBuf),
    /// A store's id can't name a file.
    #[error("store id {0:?}: expected up to {STORE_ID_MAX} letters and digits")]
    StoreId(String),
}

impl HighestSeen {
    /// Remembers in a folder, which must be there: made by itself, it would forget all when a disk was not mounted.
    ///
    /// # Errors
    /// [`HighestSeenError::Io`] if it is no folder that can be read.
    pub fn at(folder: impl Into<PathBuf>) -> Result<Self, HighestSeenError> {
        let folder = folder.into();
        files::list(&folder).map_err(HighestSeenError::io(&folder))?;
        Ok(Self { folder })
    }

    /// Whether a snapshot is at least as new as any that was seen of its store.
    ///
    /// # Errors
    /// [`HighestSeenError`].
    pub(super) fn admit(&self, manifest: &Manifest) -> Result<(), HighestSeenError> {
        let file = self.file(&manifest.store)?;
        match highest(&file, &manifest.store)? {
            Some(highest) if manifest.generation < highest => Err(HighestSeenError::Older {
                store: manifest.store.clone(),
                generation: manifest.generation,
                highest,
                file,
            }),
            _ => Ok(()),
        }
    }

    /// Remembers, durably when this returns, that a snapshot was seen; one that is older than what was seen since it
    /// was admitted is refused.
    ///
    /// # Errors
    /// [`HighestSeenError`].
    pub(super) fn remember(&self, manifest: &Manifest) -> Result<(), HighestSeenError> {
        let file = self.file(&manifest.store)?;
        let lock = File::open(&self.folder).and_then(Lock::wait);
        // For as long as a small file is written.
        let _lock = lock.map_err(HighestSeenError::io(&self.folder))?;
        self.admit(manifest)?;
        if highest(&file, &manifest.store)? == Some(manifest.generation) {
            return Ok(());
        }
        let line = line(&manifest.store, manifest.generation);
        files::write_whole(&file, line.as_bytes()).map_err(HighestSeenError::io(&file))
    }

    fn file(&self, store: &str) -> Result<PathBuf, HighestSeenError> {
        let plain = store.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain || !(1..=STORE_ID_MAX).contains(&store.len()) {
            return Err(HighestSeenError::StoreId(store.to_owned()));
        }
        Ok(self.folder.join(format!("{store}.highest")))
    }
}

/// The generation that a file remembers; `None` if it is not there.
fn highest(file: &Path, store: &str) -> Result<Option<u64>, HighestSeenError> {
    let damaged = || HighestSeenError::Damaged(file.to_owned());
    let text = match files::read_to_string(file, FILE_MAX) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(damaged()),
        Err(error) => return Err(HighestSeenError::io(file)(error)),
    };
    let (generation, _) = text.split_once(' ').ok_or_else(damaged)?;
    let generation = generation.parse().map_err(|_| damaged())?;
    if text == line(store, generation) {
        Ok(Some(generation))
    } else {
        Err(damaged())
    }
}

/// The content of a file.
fn line(store: &str, generation: u64) -> String {
    let digest = blake3::hash(format!("{store} {generation}").as_bytes());
    format!("{generation} {}\n", digest.to_hex())
}

impl HighestSeenError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_names_no_file_elsewhere() {
        let highest = HighestSeen::at("/").unwrap();
        let long = "a".repeat(STORE_ID_MAX + 1);
        for id in ["", "..", "../a", "a/b", "a.b", "a\0", "ä", &long] {
            let file = highest.file(id);
            assert!(
                matches!(file, Err(HighestSeenError::StoreId(_))),
                "{id:?}: {file:?}"
            );
        }
        let id = &long[1..];
        assert_eq!(
            highest.file(id).unwrap(),
            Path::new("/").join(format!("{id}.highest"))
        );
    }
}
