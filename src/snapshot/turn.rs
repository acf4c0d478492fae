//! The right to change what is current, and the steps of a publish.

use super::error::PublishError;
use super::files;
use super::manifest::{Manifest, SegmentEntry};
use super::store::{
    BUILDING, CURRENT, HISTORY, LOCK, MANIFESTS, PUBLISHING, Pointer, REJECTS, SEGMENTS, Store,
};
use crate::index::BuildSummary;
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a publish waits for another one, which takes seconds at the most.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks whether the other is done.
const PAUSE: Duration = Duration::from_millis(10);
/// Bases whose snapshots are kept, the current one included.
const BASES_KEPT: usize = 7;

/// The right to change what is current, held until dropped: by one process at a time.
#[derive(Debug)]
pub(super) struct Turn {
    store: Store,
    /// The lock lives as long as the open file: a process that dies gives it up.
    _lock: File,
}

impl Turn {
    /// Waits for the right to change the store, whose folders are made where they are missing.
    ///
    /// # Errors
    /// [`PublishError::Locked`] when another process has it for too long, or what the system says.
    pub(super) fn take(store: &Store) -> Result<Self, PublishError> {
        let path = store.path.join(LOCK);
        make_folders(store)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(PublishError::io(&path))?;
        let mut left = PATIENCE;
        while !try_lock(&lock, &path)? {
            left = left
                .checked_sub(PAUSE)
                .ok_or_else(|| PublishError::Locked(path.clone()))?;
            std::thread::sleep(PAUSE);
        }
        make_anew(&store.path.join(PUBLISHING))?;
        Ok(Self {
            store: store.clone(),
            _lock: lock,
        })
    }

    /// The store.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The folder for scratch files, empty at first, removed when this is dropped.
    pub(super) fn scratch(&self) -> PathBuf {
        self.store.path.join(PUBLISHING)
    }

    /// What is current; `None` where nothing has been published yet.
    ///
    /// # Errors
    /// [`PublishError::Current`] when it can't be read: nothing can be published then.
    pub(super) fn current(&self) -> Result<Option<(Pointer, Manifest)>, PublishError> {
        current(&self.store)
    }

    /// Gives a segment that has been built its place in the store.
    pub(super) fn keep(
        &self,
        built: &Path,
        summary: &BuildSummary,
    ) -> Result<SegmentEntry, PublishError> {
        let digest = summary.digest.to_hex();
        let file = format!("{digest}.seg");
        let path = self.store.path.join(SEGMENTS).join(&file);
        files::rename(built, &path).map_err(PublishError::io(&path))?;
        Ok(SegmentEntry {
            file,
            length: summary.file_len,
            digest: digest.to_string(),
            documents: summary.documents,
        })
    }

    /// Makes a manifest current, whose segments have their places; notes it in the history, and removes
    /// what nothing that is kept needs any more.
    ///
    /// # Errors
    /// [`PublishError`]. Up to the pointer the old snapshot then stays current.
    pub(super) fn publish(&self, manifest: &Manifest, by: &str) -> Result<(), PublishError> {
        let path = &self.store.path;
        let name = Manifest::name(manifest.generation);
        let manifest_path = path.join(MANIFESTS).join(&name);
        let bytes = serde_json::to_vec_pretty(manifest)
            .map_err(std::io::Error::from)
            .map_err(PublishError::io(&manifest_path))?;
        files::write_whole(&manifest_path, &bytes).map_err(PublishError::io(&manifest_path))?;
        let pointer = Pointer {
            manifest: name,
            digest: blake3::hash(&bytes).to_hex().to_string(),
        };
        let current = path.join(CURRENT);
        let line = format!("{} {}\n", pointer.manifest, pointer.digest);
        files::write_whole(&current, line.as_bytes()).map_err(PublishError::io(&current))?;
        self.append_history(manifest, by)?;
        self.remove_unneeded(&pointer)
    }

    fn append_history(&self, manifest: &Manifest, by: &str) -> Result<(), PublishError> {
        let path = self.store.path.join(HISTORY);
        let line = serde_json::json!({
            "at": manifest.built_at,
            "event": manifest.event,
            "generation": manifest.generation,
            "documents": manifest.documents,
            "by": by,
        });
        let append = || {
            let mut file = File::options().create(true).append(true).open(&path)?;
            writeln!(file, "{line}")?;
            file.sync_all()
        };
        append().map_err(PublishError::io(&path))
    }

    /// Removes segments and manifests that nothing kept needs: kept are the current snapshot, the one before it,
    /// which a server may be about to open, those as the last bases were published, and all deltas as they came
    /// since the oldest of these. A server that has a segment mapped keeps its bytes until it lets go.
    fn remove_unneeded(&self, pointer: &Pointer) -> Result<(), PublishError> {
        let chain = self.store.chain(pointer)?;
        let mut manifests = BTreeSet::new();
        let mut segments = BTreeSet::new();
        let mut bases = 0;
        for manifest in chain {
            let is_base = manifest.base == manifest.generation;
            if manifests.len() < 2 || is_base {
                segments.extend(manifest.segments.into_iter().map(|segment| segment.file));
            }
            segments.extend(manifest.delta.map(|delta| delta.segment.file));
            manifests.insert(Manifest::name(manifest.generation));
            bases += usize::from(is_base);
            if bases == BASES_KEPT {
                break;
            }
        }
        for (folder, kept) in [(SEGMENTS, segments), (MANIFESTS, manifests)] {
            let folder = self.store.path.join(folder);
            for entry in fs::read_dir(&folder).map_err(PublishError::io(&folder))? {
                let entry = entry.map_err(PublishError::io(&folder))?;
                let name = entry.file_name();
                if !name.to_str().is_some_and(|name| kept.contains(name)) {
                    fs::remove_file(entry.path()).map_err(PublishError::io(&entry.path()))?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // What can't be removed now is removed by the next turn.
        let _ = remove_folder(&self.scratch());
    }
}

/// The right to build for a store, held until dropped: by one process at a time. Publishes of others go on.
#[derive(Debug)]
pub(super) struct Workplace {
    store: Store,
    _lock: File,
}

impl Workplace {
    /// Takes the right to build, and removes what a killed build has left. The lock is one on the store's
    /// folder itself, so that no other file comes into being for it.
    ///
    /// # Errors
    /// [`PublishError::Locked`] while another process builds, or what the system says.
    pub(super) fn take(store: &Store) -> Result<Self, PublishError> {
        make_folders(store)?;
        let path = &store.path;
        let lock = File::open(path).map_err(PublishError::io(path))?;
        if !try_lock(&lock, path)? {
            return Err(PublishError::Locked(path.clone()));
        }
        make_anew(&path.join(BUILDING))?;
        Ok(Self {
            store: store.clone(),
            _lock: lock,
        })
    }

    /// The store.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The folder for scratch files, empty at first, removed when this is dropped.
    pub(super) fn scratch(&self) -> PathBuf {
        self.store.path.join(BUILDING)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // What can't be removed now is removed by the next build.
        let _ = remove_folder(&self.scratch());
    }
}

/// What is current in a store; `None` where nothing has been published yet.
pub(super) fn current(store: &Store) -> Result<Option<(Pointer, Manifest)>, PublishError> {
    if !store.path.join(CURRENT).exists() {
        return Ok(None);
    }
    let pointer = store.pointer()?;
    let manifest = store.manifest(&pointer)?;
    Ok(Some((pointer, manifest)))
}

fn make_folders(store: &Store) -> Result<(), PublishError> {
    for folder in [MANIFESTS, SEGMENTS, REJECTS] {
        let folder = store.path.join(folder);
        fs::create_dir_all(&folder).map_err(PublishError::io(&folder))?;
    }
    Ok(())
}

fn try_lock(file: &File, path: &Path) -> Result<bool, PublishError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(PublishError::io(path)(source)),
    }
}

fn make_anew(folder: &Path) -> Result<(), PublishError> {
    remove_folder(folder)?;
    fs::create_dir(folder).map_err(PublishError::io(folder))
}

fn remove_folder(folder: &Path) -> Result<(), PublishError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(PublishError::io(folder)(error)),
        _ => Ok(()),
    }
}
