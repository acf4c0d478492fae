//! What of a store is kept, and how the rest is removed.
//!
//! Kept are the current snapshot, the one before it (which a server may be about to open), those with which the last
//! bases were published, and all changes as they came since the oldest of these. What a server of this machine has
//! open is kept for as long as it has; a server on another machine keeps the bytes that it has mapped.

use super::error::{LoadError, PublishError};
use super::files;
use super::manifest::{Manifest, not_undone};
use super::store::{MANIFESTS, SEGMENTS, SIGNATURES, Store};
use super::turn::Turn;
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Bases kept in a store of which nothing else was said, the current one included.
pub(super) const BASES_KEPT: u32 = 7;

/// Files of a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unneeded {
    /// Those that nothing kept needs: file and length in bytes.
    pub files: Vec<(PathBuf, u64)>,
    /// Those among them that a server has open, and that stay for that.
    pub in_use: Vec<(PathBuf, u64)>,
}

/// The names of files that are kept.
struct Kept {
    manifests: BTreeSet<String>,
    segments: BTreeSet<String>,
}

impl Kept {
    /// By the manifests, newest first, of a store that keeps so many bases.
    fn of(chain: &[Manifest], bases_kept: u32) -> Self {
        let mut kept = Self {
            manifests: BTreeSet::new(),
            segments: BTreeSet::new(),
        };
        // What was undone is kept as long as what was before it, and doesn't count.
        let bases = not_undone(chain).filter(|manifest| manifest.begins_base());
        let oldest = bases.take(bases_kept.max(1) as usize).last();
        let oldest = oldest.map_or(0, |oldest| oldest.generation);
        // With the one before the current, all that it consists of: changes are applied anew from its base on.
        let oldest = chain
            .get(1)
            .map_or(oldest, |before| before.base.min(oldest));
        for manifest in chain {
            if manifest.generation < oldest {
                break;
            }
            if kept.manifests.len() < 2 || manifest.begins_base() {
                let files = manifest.segments.iter();
                kept.segments
                    .extend(files.map(|segment| segment.file.clone()));
            }
            let delta = manifest.delta.as_ref();
            kept.segments
                .extend(delta.map(|delta| delta.segment.file.clone()));
            kept.manifests.insert(Manifest::name(manifest.generation));
        }
        kept
    }
}

impl Store {
    /// What [`prune`](Self::prune) would remove, and what it would leave because a server has it open.
    ///
    /// # Errors
    /// [`LoadError`] when the store can't be read.
    pub fn unneeded(&self, bases: u32) -> Result<Unneeded, LoadError> {
        unneeded(self, &self.chain(&self.pointer()?)?, bases)
    }

    /// Removes what is not needed to keep so many bases, at least the current one, with the changes since; returns what
    /// it has removed, and what it has left because a server has it open.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn prune(&self, bases: u32) -> Result<Unneeded, PublishError> {
        let turn = Turn::take(self)?;
        let unneeded = unneeded(self, turn.chain()?, bases)?;
        // What a killed publish has made current may not be durable yet, and what it replaces goes now.
        files::sync_folder(&self.path).map_err(PublishError::io(&self.path))?;
        remove(self, &unneeded)?;
        Ok(unneeded)
    }
}

/// What the store holds beyond what is kept.
///
/// # Errors
/// [`LoadError::Io`].
pub(super) fn unneeded(
    store: &Store,
    chain: &[Manifest],
    bases: u32,
) -> Result<Unneeded, LoadError> {
    let kept = Kept::of(chain, bases);
    let mut unneeded = Unneeded::default();
    for (folder, kept) in [(SEGMENTS, kept.segments), (MANIFESTS, kept.manifests)] {
        let folder = store.path.join(folder);
        for entry in fs::read_dir(&folder).map_err(LoadError::io(&folder))? {
            let entry = entry.map_err(LoadError::io(&folder))?;
            let path = entry.path();
            let name = entry.file_name();
            // Signatures are kept with what they are of.
            let of = |name: &str| name.strip_suffix(SIGNATURES).unwrap_or(name).to_owned();
            if name.to_str().is_some_and(|name| kept.contains(&of(name))) {
                continue;
            }
            let length = entry.metadata().map_err(LoadError::io(&path))?.len();
            let files = match in_use(&path) {
                true => &mut unneeded.in_use,
                false => &mut unneeded.files,
            };
            files.push((path, length));
        }
    }
    unneeded.files.sort();
    unneeded.in_use.sort();
    Ok(unneeded)
}

/// Removes files: first the manifests, oldest first, and durably, so that none comes back after a loss of power whose
/// segments are gone.
///
/// # Errors
/// [`PublishError::Io`].
pub(super) fn remove(store: &Store, unneeded: &Unneeded) -> Result<(), PublishError> {
    let manifests = store.path.join(MANIFESTS);
    let files = unneeded.files.iter().map(|(path, _)| path);
    let (first, then): (Vec<_>, Vec<_>) = files.partition(|path| path.starts_with(&manifests));
    for path in &first {
        fs::remove_file(path).map_err(PublishError::io(path))?;
    }
    if !first.is_empty() {
        files::sync_folder(&manifests).map_err(PublishError::io(&manifests))?;
    }
    for path in then {
        fs::remove_file(path).map_err(PublishError::io(path))?;
    }
    Ok(())
}

/// Marks a file as in use for as long as what is returned lives. Where that is not possible (some network file systems)
/// it is not marked.
pub(super) fn mark_in_use(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    file.try_lock_shared().ok()?;
    Some(file)
}

/// Whether a server has a file open; also where that can't be told.
fn in_use(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}
