//! The right to change what is current, and the steps of a publish.
//!
//! A build reads its lists and a delta its changes before they take this right, so that an urgent publication, such as
//! a retraction, need not wait for them.

use super::error::{Afterwards, LoadError, PublishError};
use super::history::{self, Happened};
use super::manifest::{Manifest, SegmentEntry};
use super::retention;
use super::signature::Signatures;
use super::store::{
    CANDIDATE, COPIES, CURRENT, LOCK, MANIFESTS, PUBLISHING, Pointer, REJECTS, SEGMENTS, Store,
    UNPUBLISHED,
};
use super::terms::Terms;
use crate::files::{self, File, Lock};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a publish waits for another one, which takes seconds at the most.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks whether the other is done.
const PAUSE: Duration = Duration::from_millis(10);

/// The right to change what is current, held until dropped: by one process at a time. Who prepares a publication
/// [ahead](Self::ahead) takes the right only when it is made.
#[derive(Debug)]
pub(super) struct Turn {
    store: Store,
    current: OnceLock<Current>,
    scratch: PathBuf,
    scratch_files: AtomicU32,
    lock: OnceLock<Lock>,
}

/// What was current when it was read first.
#[derive(Debug)]
struct Current {
    /// `None` where nothing had been published yet.
    pointer: Option<Pointer>,
    /// The manifests that are kept, newest first.
    chain: Vec<Manifest>,
}

impl Turn {
    /// Waits for the right to change the store, whose folders are made where they are missing.
    ///
    /// # Errors
    /// [`PublishError::Locked`] when another process has it for too long, or what the system says.
    pub(super) fn take(store: &Store) -> Result<Self, PublishError> {
        make_folders(store)?;
        let lock = lock_to_publish(store)?;
        let scratch = store.path.join(PUBLISHING);
        make_anew(&scratch)?;
        if files::exists(&store.path.join(CURRENT)).is_ok_and(|there| there) {
            // Left by a first publish that was killed once it was done. If it stays, the next turn removes it.
            let _ = files::remove_file(&store.path.join(UNPUBLISHED));
        }
        Ok(Self {
            store: store.clone(),
            current: OnceLock::new(),
            scratch,
            scratch_files: AtomicU32::new(0),
            lock: OnceLock::from(lock),
        })
    }

    /// Prepares a publication without the right to make it, which [`claim`](Self::claim) takes. The scratch folder is
    /// this turn's alone.
    ///
    /// # Errors
    /// [`PublishError::Io`] when the scratch folder can't be made.
    pub(super) fn without_lock(store: &Store, scratch: PathBuf) -> Result<Self, PublishError> {
        make_anew(&scratch)?;
        Ok(Self {
            store: store.clone(),
            current: OnceLock::new(),
            scratch,
            scratch_files: AtomicU32::new(0),
            lock: OnceLock::new(),
        })
    }

    /// Waits for the right to change the store, unless this turn has it already.
    ///
    /// # Errors
    /// [`PublishError::Overtaken`] when something else has been published since this turn read what is current;
    /// [`PublishError::Locked`] when another process has the right for too long, or what the system says.
    pub(super) fn claim(&self) -> Result<(), PublishError> {
        if self.lock.get().is_some() {
            return Ok(());
        }
        let lock = lock_to_publish(&self.store)?;
        if pointer(&self.store)? != self.read()?.pointer {
            return Err(PublishError::Overtaken);
        }
        self.lock.get_or_init(|| lock);
        Ok(())
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

    /// A name in it that no other file has.
    pub(super) fn scratch_file(&self, name: &str) -> PathBuf {
        let number = self.scratch_files.fetch_add(1, Ordering::Relaxed);
        self.scratch.join(format!("{name}-{number}"))
    }

    /// What is current.
    ///
    /// # Errors
    /// [`PublishError::Current`] when nothing has been published yet, or it can't be read.
    pub(super) fn current(&self) -> Result<(Pointer, &Manifest), PublishError> {
        let nothing = || LoadError::NotAStore(self.store.path.clone());
        let current = self.read()?;
        let pointer = current.pointer.clone().ok_or_else(nothing)?;
        let manifest = current.chain.first().ok_or_else(nothing)?;
        Ok((pointer, manifest))
    }

    /// The manifests that are kept, newest first; none where nothing has been published yet.
    ///
    /// # Errors
    /// [`PublishError::Current`] when one can't be read: nothing can be published then.
    pub(super) fn chain(&self) -> Result<&[Manifest], PublishError> {
        Ok(&self.read()?.chain)
    }

    fn read(&self) -> Result<&Current, PublishError> {
        if let Some(current) = self.current.get() {
            return Ok(current);
        }
        let pointer = pointer(&self.store)?;
        let chain = match &pointer {
            Some(pointer) => self.store.chain(pointer)?,
            None => Vec::new(),
        };
        Ok(self.current.get_or_init(|| Current { pointer, chain }))
    }

    /// Gives a segment that has been built its place in the store.
    pub(super) fn keep(&self, built: &Path, entry: &SegmentEntry) -> Result<(), PublishError> {
        let path = self.store.segment_path(entry);
        let mut built = built.to_owned();
        if built.starts_with(self.store.path.join(CANDIDATE)) {
            // What was put aside stays there until it is published. Where a file can't have two names, it is lost if
            // that fails.
            let linked = self.scratch_file("candidate");
            if files::link(&built, &linked).is_ok() {
                built = linked;
            }
        }
        files::rename(&built, &path).map_err(PublishError::io(&path))
    }

    /// Makes a manifest current, whose segments have their places; notes it in the history, and removes
    /// what nothing that is kept needs any more. It is signed as the terms of the store say; if that would not make
    /// it acceptable on these terms, it is not published. What fails once it is current is returned.
    ///
    /// # Errors
    /// [`PublishError`]. The old snapshot then stays current, but for [`PublishError::Uncertain`].
    pub(super) fn publish(
        &self,
        manifest: &Manifest,
        happened: &Happened,
    ) -> Result<Vec<Afterwards>, PublishError> {
        let path = &self.store.path;
        let before = pointer(&self.store)?;
        if let Some(before) = &before {
            check_signing(&self.store, before)?;
        }
        if before.is_none() {
            // Manifests without a pointer are otherwise those of a store that has lost it.
            let unpublished = path.join(UNPUBLISHED);
            files::write_whole(&unpublished, b"").map_err(PublishError::io(&unpublished))?;
        }
        let name = Manifest::name(manifest.generation);
        let manifest_path = path.join(MANIFESTS).join(&name);
        let bytes = serde_json::to_vec_pretty(manifest)
            .map_err(std::io::Error::from)
            .map_err(PublishError::io(&manifest_path))?;
        let signatures = self.store.terms.sign(&bytes, manifest.published_at)?;
        for folder in [COPIES, MANIFESTS] {
            self.write_signatures(folder, &name, signatures.as_ref())?;
            let path = path.join(folder).join(&name);
            files::write_whole(&path, &bytes).map_err(PublishError::io(&path))?;
        }
        let pointer = Pointer {
            manifest: name,
            digest: blake3::hash(&bytes).to_hex().to_string(),
        };
        let current = path.join(CURRENT);
        if let Err(source) = files::write_whole(&current, pointer.line().as_bytes()) {
            // Servers may have taken it over already, although its name is not durable.
            return Err(match self::pointer(&self.store) {
                Ok(stands) if stands == before => PublishError::io(&current)(source),
                _ => PublishError::Uncertain {
                    generation: manifest.generation,
                    path: current,
                    source,
                },
            });
        }
        // If it stays, the next turn removes it.
        let _ = files::remove_file(&path.join(UNPUBLISHED));
        let history = history::append(&self.store, happened).map_err(Afterwards::History);
        let removed = self.remove_unneeded(manifest).map_err(Afterwards::Removal);
        let failed = [history, removed].into_iter().filter_map(Result::err);
        Ok(failed.collect())
    }

    fn remove_unneeded(&self, current: &Manifest) -> Result<(), PublishError> {
        let mut chain = vec![current.clone()];
        chain.extend_from_slice(self.chain()?);
        let unneeded = retention::unneeded(&self.store, &chain, current.bases_kept)?;
        retention::remove(&self.store, &unneeded)
    }

    /// Puts signatures where those of a manifest belong. Without any, those are removed that a killed publish of
    /// the same generation has left: they are not of this one.
    fn write_signatures(
        &self,
        folder: &str,
        manifest: &str,
        signatures: Option<&Signatures>,
    ) -> Result<(), PublishError> {
        let path = self.store.signatures_path(folder, manifest);
        let written = match signatures {
            Some(signatures) => files::write_whole(&path, signatures.to_string().as_bytes()),
            None => files::remove_file(&path).map(|_| ()),
        };
        written.map_err(PublishError::io(&path))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // What can't be removed now is removed by the next turn.
        let _ = remove_folder(&self.scratch);
    }
}

/// What is current in a store; `None` where nothing has been published yet.
///
/// # Errors
/// [`PublishError::Current`] where that can't be told.
pub(super) fn pointer(store: &Store) -> Result<Option<Pointer>, PublishError> {
    match store.pointer() {
        Err(LoadError::NotAStore(_)) => Ok(None),
        pointer => Ok(Some(pointer?)),
    }
}

/// Whether what is published over a snapshot is signed if that is.
///
/// # Errors
/// [`PublishError::UnsignedOverSigned`], or what the system says.
pub(super) fn check_signing(store: &Store, before: &Pointer) -> Result<(), PublishError> {
    if !store.terms.lack_signatures() {
        return Ok(());
    }
    let path = store.signatures_path(MANIFESTS, before.manifest());
    match files::exists(&path).map_err(PublishError::io(&path))? {
        true => Err(PublishError::UnsignedOverSigned),
        false => Ok(()),
    }
}

/// Keeps others from changing the store while it is looked at: where it can be locked, since who looks may be allowed
/// to read it only, and its disk may have been made read-only because it fails.
///
/// # Errors
/// [`PublishError::Locked`] when another process has the right to change it for too long.
pub(super) fn keep_still(store: &Store) -> Result<Option<Lock>, PublishError> {
    let path = store.path.join(LOCK);
    match patiently(&path, || File::open(&path).and_then(Lock::shared)) {
        Err(PublishError::Io { .. }) => Ok(None),
        lock => lock.map(Some),
    }
}

/// Waits for the lock without which nobody changes what is current.
fn lock_to_publish(store: &Store) -> Result<Lock, PublishError> {
    let path = store.path.join(LOCK);
    patiently(&path, || File::append(&path).and_then(Lock::exclusive))
}

/// Tries to lock a file until another process has let go of it.
pub(super) fn patiently(
    path: &Path,
    lock: impl Fn() -> std::io::Result<Option<Lock>>,
) -> Result<Lock, PublishError> {
    let mut left = PATIENCE;
    loop {
        if let Some(lock) = lock().map_err(PublishError::io(path))? {
            return Ok(lock);
        }
        left = left
            .checked_sub(PAUSE)
            .ok_or_else(|| PublishError::Locked(path.to_owned()))?;
        std::thread::sleep(PAUSE);
    }
}

/// Makes the folders of a store that are missing.
pub(super) fn make_folders(store: &Store) -> Result<(), PublishError> {
    for folder in [MANIFESTS, COPIES, SEGMENTS, REJECTS] {
        let folder = store.path.join(folder);
        files::create_folders(&folder).map_err(PublishError::io(&folder))?;
    }
    let current = store.path.join(CURRENT);
    if !files::exists(&current).map_err(PublishError::io(&current))? {
        // A process that was killed may have made the store, and not made that durable.
        let folder = files::folder_of(&store.path);
        files::sync_folder(folder).map_err(PublishError::io(folder))?;
    }
    Ok(())
}

/// Makes a folder, empty, whatever was there.
pub(super) fn make_anew(folder: &Path) -> Result<(), PublishError> {
    remove_folder(folder)?;
    files::create_folder(folder).map_err(PublishError::io(folder))
}

/// Removes a folder with all that is in it, if it is there.
pub(super) fn remove_folder(folder: &Path) -> Result<(), PublishError> {
    let removed = files::remove_folder(folder).map_err(PublishError::io(folder));
    removed.map(|_| ())
}
