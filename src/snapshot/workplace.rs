//! The right to build for a store, or to make changes for it, with a folder for scratch files.
//!
//! One process at a time builds, and one makes changes; both go on side by side, and beside publications.

use super::error::PublishError;
use super::store::{BUILDING, CHANGING, REJECTS, Store};
use super::terms::Terms;
use super::turn::{make_anew, make_folders, patiently, remove_folder};
use crate::files::{File, Lock};
use std::path::{Path, PathBuf};

/// The right to build, or to make changes, held until dropped.
#[derive(Debug)]
pub(super) struct Workplace {
    store: Store,
    scratch: PathBuf,
    _lock: Lock,
}

impl Workplace {
    /// Takes the right to build, and removes what a killed build has left. The lock is one on the store's
    /// folder itself, so that no other file comes into being for it.
    ///
    /// # Errors
    /// [`PublishError::Locked`] while another process builds, or what the system says.
    pub(super) fn take_to_build(store: &Store) -> Result<Self, PublishError> {
        make_folders(store)?;
        let path = &store.path;
        let lock = File::open(path).and_then(Lock::exclusive);
        let lock = lock.map_err(PublishError::io(path))?;
        let lock = lock.ok_or_else(|| PublishError::Locked(path.clone()))?;
        Self::with(store, lock, BUILDING)
    }

    /// Waits for the right to make changes, and removes what killed changes have left. The lock is one on the folder of
    /// rejects: two deltas would write the same files there.
    ///
    /// # Errors
    /// [`PublishError::Locked`] when another delta takes too long, or what the system says.
    pub(super) fn take_to_change(store: &Store) -> Result<Self, PublishError> {
        make_folders(store)?;
        let lock = patiently(&store.path.join(REJECTS), || changing(store))?;
        Self::with(store, lock, CHANGING)
    }

    fn with(store: &Store, lock: Lock, scratch: &str) -> Result<Self, PublishError> {
        let scratch = store.path.join(scratch);
        make_anew(&scratch)?;
        Ok(Self {
            store: store.clone(),
            scratch,
            _lock: lock,
        })
    }

    /// Publishes on other terms.
    pub(super) fn set_terms(&mut self, terms: Terms) {
        self.store.terms = terms;
    }

    /// The store.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The folder for scratch files, empty at first, removed when this is dropped.
    pub(super) fn scratch(&self) -> &Path {
        &self.scratch
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // What can't be removed now is removed by the next one.
        let _ = remove_folder(&self.scratch);
    }
}

/// The lock of whoever makes changes; `None` while another process has it.
///
/// # Errors
/// What the system says.
pub(super) fn changing(store: &Store) -> std::io::Result<Option<Lock>> {
    File::open(&store.path.join(REJECTS)).and_then(Lock::exclusive)
}
