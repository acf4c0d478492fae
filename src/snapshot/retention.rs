//! What of a store is kept, and how the rest is removed.
//!
//! Kept are the current snapshot, the one before it (which a server may be about to open), those with which the last
//! bases were published, and all changes as they came since the oldest of these. What a server of this machine has
//! open is kept for as long as it has; a server on another machine keeps the bytes that it has mapped.

use super::error::{LoadError, PublishError};
use super::manifest::{Manifest, base_as_built, not_undone};
use super::store::{
    BUILDING, CANDIDATE, CHANGING, COPIES, LOCK, MANIFESTS, PUBLISHING, REJECTS, SEGMENTS,
    SIGNATURES, Store,
};
use super::turn::Turn;
use super::workplace::changing;
use crate::files::{self, File, Lock};
use std::collections::BTreeSet;
use std::io::ErrorKind;
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
    /// Of manifests, and of segments of withdrawals that are kept.
    copies: BTreeSet<String>,
}

impl Kept {
    /// By the manifests, newest first, of a store that keeps so many bases.
    fn of(chain: &[Manifest], bases_kept: u32) -> Self {
        let mut kept = Self {
            manifests: BTreeSet::new(),
            segments: BTreeSet::new(),
            copies: BTreeSet::new(),
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
                let files = manifest.segments.iter().chain(&manifest.kept);
                kept.segments
                    .extend(files.map(|segment| segment.file.clone()));
                let copies = manifest.kept.iter();
                kept.copies
                    .extend(copies.map(|segment| segment.file.clone()));
            }
            let delta = manifest.delta.as_ref();
            kept.segments
                .extend(delta.map(|delta| delta.segment.file.clone()));
            let name = Manifest::name(manifest.generation);
            kept.copies.insert(name.clone());
            kept.manifests.insert(name);
        }
        // What a held source keeps of its list, which changes may have been folded into since.
        let base = base_as_built(chain).and_then(|built| built.segments.first());
        kept.segments.extend(base.map(|base| base.file.clone()));
        kept
    }
}

impl Store {
    /// What [`prune`](Self::prune) would remove, and what it would leave because a server has it open.
    ///
    /// # Errors
    /// [`LoadError`] when the store can't be read.
    pub fn unneeded(&self, bases: u32) -> Result<Unneeded, LoadError> {
        let mut unneeded = unneeded(self, &self.chain(&self.pointer()?)?, bases)?;
        unneeded.files.extend(left_over(self)?);
        // What a publish that is under way is about to remove or to rename is not left over.
        let lock = self.path.join(LOCK);
        if files::exists(&lock).map_err(LoadError::io(&lock))?
            && matches!(File::open(&lock).and_then(Lock::exclusive), Ok(Some(_)))
        {
            add_all(&self.path.join(PUBLISHING), &mut unneeded.files)?;
        }
        Ok(unneeded)
    }

    /// Removes what is not needed to keep so many bases, at least the current one, with the changes since; returns what
    /// it has removed, and what it has left because a server has it open.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn prune(&self, bases: u32) -> Result<Unneeded, PublishError> {
        let turn = Turn::take(self)?;
        // A process that was killed may have published what is current, and not made it durable: what was current
        // before must not be removed until that is.
        files::sync_folder(&self.path).map_err(PublishError::io(&self.path))?;
        let mut unneeded = unneeded(self, turn.chain()?, bases)?;
        remove(self, &unneeded)?;
        let left = left_over(self)?;
        for (path, _) in &left {
            files::remove_file(path).map_err(PublishError::io(path))?;
        }
        unneeded.files.extend(left);
        match Self::writer(&self.path) {
            // It removes the folders, as every build does.
            Ok(writer) => drop(writer),
            Err(PublishError::Locked(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(unneeded)
    }
}

/// Files that a build or changes have left that were killed; none of those while a build or changes are under way.
///
/// # Errors
/// [`LoadError::Io`].
fn left_over(store: &Store) -> Result<Vec<(PathBuf, u64)>, LoadError> {
    let mut left = Vec::new();
    let lock = File::open(&store.path).and_then(Lock::exclusive);
    let Ok(Some(_lock)) = lock else {
        return Ok(left);
    };
    add_all(&store.path.join(BUILDING), &mut left)?;
    let aside = store.path.join(CANDIDATE);
    let origin = aside.join("origin.json");
    if !files::exists(&origin).map_err(LoadError::io(&origin))? {
        add_all(&aside, &mut left)?;
    }
    let mut temporary = Vec::new();
    add_files(&store.path, &mut temporary)?;
    // A delta that is under way writes into the folder of rejects.
    if let Ok(Some(_lock)) = changing(store) {
        add_all(&store.path.join(CHANGING), &mut left)?;
        add_all(&store.path.join(REJECTS), &mut temporary)?;
    }
    temporary.retain(|(path, _)| path.extension().is_some_and(|ending| ending == "tmp"));
    left.append(&mut temporary);
    Ok(left)
}

/// Adds all files below a folder, which may be missing.
fn add_all(folder: &Path, to: &mut Vec<(PathBuf, u64)>) -> Result<(), LoadError> {
    for folder in add_files(folder, to)? {
        add_all(&folder, to)?;
    }
    Ok(())
}

/// Adds the files of a folder, which may be missing; returns the folders in it.
fn add_files(folder: &Path, to: &mut Vec<(PathBuf, u64)>) -> Result<Vec<PathBuf>, LoadError> {
    let mut folders = Vec::new();
    let entries = match files::list(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(folders),
        entries => entries.map_err(LoadError::io(folder))?,
    };
    for entry in entries {
        let path = entry.path();
        let facts = match entry.metadata() {
            // Removed meanwhile, by who made it.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            facts => facts.map_err(LoadError::io(&path))?,
        };
        match facts.is_dir() {
            true => folders.push(path),
            false => to.push((path, facts.len())),
        }
    }
    Ok(folders)
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
    let folders = [
        (SEGMENTS, &kept.segments),
        (MANIFESTS, &kept.manifests),
        (COPIES, &kept.copies),
    ];
    for (folder, kept) in folders {
        let folder = store.path.join(folder);
        let entries = match files::list(&folder) {
            // Made by the next publish.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(LoadError::io(&folder))?,
        };
        for entry in entries {
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

/// Removes files.
///
/// # Errors
/// [`PublishError::Io`].
pub(super) fn remove(store: &Store, unneeded: &Unneeded) -> Result<(), PublishError> {
    // A manifest that came back after a loss of power without its segments would stop all builds: they read what the
    // manifests that are there name.
    for folder in [MANIFESTS, COPIES, SEGMENTS] {
        let folder = store.path.join(folder);
        let files = unneeded.files.iter();
        let mut files = files
            .filter(|(path, _)| path.starts_with(&folder))
            .peekable();
        let any = files.peek().is_some();
        for (path, _) in files {
            files::remove_file(path).map_err(PublishError::io(path))?;
        }
        if any {
            files::sync_folder(&folder).map_err(PublishError::io(&folder))?;
        }
    }
    Ok(())
}

/// Marks a file as in use for as long as what is returned lives. Where that is not possible (some network file systems)
/// it is not marked.
pub(super) fn mark_in_use(path: &Path) -> Option<Lock> {
    File::open(path).and_then(Lock::shared).ok()?
}

fn in_use(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => matches!(Lock::exclusive(file), Ok(None)),
        // Nobody can tell: it stays for now.
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}
