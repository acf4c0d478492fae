//! The folder that holds snapshots.
//!
//! ```text
//! CURRENT               the pointer: manifest file and its BLAKE3, one line
//! manifests/00000007.json
//! segments/<digest>.seg
//! rejects/<source>.csv  rows that could not be used, of the last build
//! history.jsonl         what was published, when, by whom: one line each
//! LOCK                  held while the store is changed
//! building/             scratch files of a build under way, or of one that was killed
//! ```
//! The pointer is the only file that is ever replaced. Killed between any two steps of a
//! publish, the store serves the old snapshot or the new one:
//!
//! | killed after | what stands |
//! |---|---|
//! | the segment is written and renamed | the old snapshot, and a segment nobody names |
//! | the manifest is written | the old snapshot, and a manifest nobody names |
//! | the pointer is replaced | the new snapshot; its line in the history may be missing |
//!
//! What nobody names, and `building/`, is removed by the next publish.

use super::error::{LoadError, PublishError};
use super::files;
use super::manifest::{FORMAT, Manifest, SegmentEntry, SourceEntry};
use super::{LoadOptions, Snapshot};
use crate::index::BuildSummary;
use crate::report::Day;
use jiff::Timestamp;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

const CURRENT: &str = "CURRENT";
const LOCK: &str = "LOCK";
const MANIFESTS: &str = "manifests";
const SEGMENTS: &str = "segments";
const REJECTS: &str = "rejects";
const BUILDING: &str = "building";
const HISTORY: &str = "history.jsonl";

/// A folder with snapshots.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
}

/// What `CURRENT` points to: equal for as long as nothing new is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    manifest: String,
    digest: String,
}

/// The right to change a store, held until dropped.
#[derive(Debug)]
pub struct StoreWriter {
    store: Store,
    /// The lock lives as long as the open file: a process that dies gives it up.
    _lock: File,
}

/// What is published.
#[derive(Debug, Clone)]
pub struct Publication<'a> {
    /// The segment file, in [`StoreWriter::building`].
    pub segment: &'a Path,
    /// What the build said of it.
    pub summary: &'a BuildSummary,
    /// Its sources.
    pub sources: Vec<SourceEntry>,
    /// The day whose end decided which reports had expired.
    pub as_of: Day,
    /// The time of the build.
    pub built_at: Timestamp,
    /// Who publishes, for the history.
    pub by: &'a str,
}

impl Store {
    /// Opens a store that has a snapshot.
    ///
    /// # Errors
    /// [`LoadError::NotAStore`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, LoadError> {
        let path = path.into();
        if !path.join(CURRENT).is_file() {
            return Err(LoadError::NotAStore(path));
        }
        Ok(Self { path })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is published now.
    ///
    /// # Errors
    /// [`LoadError`] when the pointer can't be read.
    pub fn pointer(&self) -> Result<Pointer, LoadError> {
        let path = self.path.join(CURRENT);
        let text = fs::read_to_string(&path).map_err(LoadError::io(&path))?;
        let damaged = || {
            LoadError::damaged(
                &path,
                "expected one line: the name of a manifest and its digest",
            )
        };
        let line = text.strip_suffix('\n').ok_or_else(damaged)?;
        let (manifest, digest) = line.split_once(' ').ok_or_else(damaged)?;
        // The name comes from disk: it must not lead out of the store.
        if !manifest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
            || manifest.starts_with('.')
        {
            return Err(damaged());
        }
        Ok(Pointer {
            manifest: manifest.to_owned(),
            digest: digest.to_owned(),
        })
    }

    /// The manifest of a pointer, held against the digest there.
    ///
    /// # Errors
    /// [`LoadError`] when it is missing, damaged or of another format.
    pub fn manifest(&self, pointer: &Pointer) -> Result<Manifest, LoadError> {
        let path = self.path.join(MANIFESTS).join(&pointer.manifest);
        let bytes = fs::read(&path).map_err(LoadError::io(&path))?;
        if blake3::hash(&bytes).to_hex().as_str() != pointer.digest {
            return Err(LoadError::damaged(
                &path,
                "it does not match the digest in CURRENT",
            ));
        }
        // The version first: what else a newer form holds is not known here.
        #[derive(serde::Deserialize)]
        struct Version {
            format: u32,
        }
        let not_a_manifest =
            |error: serde_json::Error| LoadError::damaged(&path, error.to_string());
        let Version { format } = serde_json::from_slice(&bytes).map_err(not_a_manifest)?;
        if format != FORMAT {
            let what = format!("manifest format {format}, but this program reads format {FORMAT}");
            return Err(LoadError::damaged(&path, what));
        }
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(not_a_manifest)?;
        let plain = |entry: &SegmentEntry| {
            !entry.file.contains(['/', '\\']) && !entry.file.starts_with('.')
        };
        if manifest.segments.is_empty() || !manifest.segments.iter().all(plain) {
            return Err(LoadError::damaged(
                &path,
                "expected at least one segment, named by a plain file name",
            ));
        }
        Ok(manifest)
    }

    /// Opens and verifies the current snapshot, and warms it as the options say.
    ///
    /// # Errors
    /// [`LoadError`] with whatever is wrong with pointer, manifest or segments.
    pub fn load_current(&self, options: &LoadOptions) -> Result<Snapshot, LoadError> {
        self.load(&self.pointer()?, options)
    }

    /// Opens, verifies and warms the snapshot of a pointer.
    ///
    /// # Errors
    /// As [`load_current`](Self::load_current).
    pub fn load(&self, pointer: &Pointer, options: &LoadOptions) -> Result<Snapshot, LoadError> {
        Snapshot::load(self.manifest(pointer)?, &self.path.join(SEGMENTS), options)
    }

    /// Takes the right to change the store at `path`, which is made if it does not exist.
    /// Removes what a killed build has left.
    ///
    /// # Errors
    /// [`PublishError::Locked`] while another process has it, or what the system says.
    pub fn writer(path: impl Into<PathBuf>) -> Result<StoreWriter, PublishError> {
        let path = path.into();
        fs::create_dir_all(&path).map_err(PublishError::io(&path))?;
        let lock_path = path.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path);
        let lock = lock.map_err(PublishError::io(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(PublishError::Locked(lock_path)),
            Err(fs::TryLockError::Error(source)) => {
                return Err(PublishError::Io {
                    path: lock_path,
                    source,
                });
            }
        }
        for folder in [MANIFESTS, SEGMENTS, REJECTS] {
            let folder = path.join(folder);
            fs::create_dir_all(&folder).map_err(PublishError::io(&folder))?;
        }
        let writer = StoreWriter {
            store: Self { path },
            _lock: lock,
        };
        writer.remove_building()?;
        let building = writer.building();
        fs::create_dir(&building).map_err(PublishError::io(&building))?;
        Ok(writer)
    }
}

impl StoreWriter {
    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folder for the files of a build, empty at first, removed when this is dropped.
    pub fn building(&self) -> PathBuf {
        self.store.path.join(BUILDING)
    }

    /// The folder for rejected rows.
    pub fn rejects(&self) -> PathBuf {
        self.store.path.join(REJECTS)
    }

    /// The manifest of the current snapshot; `None` where nothing has been published yet.
    ///
    /// # Errors
    /// [`PublishError::Current`] when it can't be read: nothing can be published then.
    pub fn previous(&self) -> Result<Option<Manifest>, PublishError> {
        if !self.store.path.join(CURRENT).exists() {
            return Ok(None);
        }
        let pointer = self.store.pointer()?;
        Ok(Some(self.store.manifest(&pointer)?))
    }

    /// Makes a segment the current snapshot, alone, and returns its manifest. Removes segments
    /// and manifests that neither the new snapshot nor the one before it names.
    ///
    /// # Errors
    /// [`PublishError`]; the old snapshot then stays current.
    pub fn publish(&self, publication: &Publication<'_>) -> Result<Manifest, PublishError> {
        let path = &self.store.path;
        let previous = self.previous()?;
        let digest = publication.summary.digest.to_hex();
        let file = format!("{digest}.seg");
        let segment = path.join(SEGMENTS).join(&file);
        files::rename(publication.segment, &segment).map_err(PublishError::io(&segment))?;

        let manifest = Manifest {
            format: FORMAT,
            store: previous
                .as_ref()
                .map_or_else(random_id, |previous| previous.store.clone()),
            generation: previous
                .as_ref()
                .map_or(1, |previous| previous.generation + 1),
            built_at: publication.built_at,
            not_after: None,
            as_of: publication.as_of.to_string(),
            segments: vec![SegmentEntry {
                file,
                length: publication.summary.file_len,
                digest: digest.to_string(),
                documents: publication.summary.documents,
            }],
            sources: publication.sources.clone(),
        };
        let name = format!("{:08}.json", manifest.generation);
        let manifest_path = path.join(MANIFESTS).join(&name);
        let bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(std::io::Error::from)
            .map_err(PublishError::io(&manifest_path))?;
        files::write_whole(&manifest_path, &bytes).map_err(PublishError::io(&manifest_path))?;

        let current = path.join(CURRENT);
        let line = format!("{name} {}\n", blake3::hash(&bytes).to_hex());
        files::write_whole(&current, line.as_bytes()).map_err(PublishError::io(&current))?;
        self.append_history(&manifest, publication.by)?;
        self.remove_unnamed([Some(&manifest), previous.as_ref()].into_iter().flatten())?;
        Ok(manifest)
    }

    fn append_history(&self, manifest: &Manifest, by: &str) -> Result<(), PublishError> {
        let path = self.store.path.join(HISTORY);
        let line = serde_json::json!({
            "at": manifest.built_at,
            "event": "published",
            "generation": manifest.generation,
            "documents": manifest.segments.iter().map(|segment| segment.documents).sum::<u64>(),
            "by": by,
        });
        let append = || {
            let mut file = File::options().create(true).append(true).open(&path)?;
            writeln!(file, "{line}")?;
            file.sync_all()
        };
        append().map_err(PublishError::io(&path))
    }

    /// Removes segments and manifests that none of `named` needs. A server that has one mapped
    /// keeps its bytes until it lets go.
    fn remove_unnamed<'m>(
        &self,
        named: impl Iterator<Item = &'m Manifest> + Clone,
    ) -> Result<(), PublishError> {
        let segments: Vec<&str> = named
            .clone()
            .flat_map(|manifest| &manifest.segments)
            .map(|segment| segment.file.as_str())
            .collect();
        let manifests: Vec<String> = named
            .map(|manifest| format!("{:08}.json", manifest.generation))
            .collect();
        for (folder, keep) in [
            (SEGMENTS, segments),
            (MANIFESTS, manifests.iter().map(String::as_str).collect()),
        ] {
            let folder = self.store.path.join(folder);
            for entry in fs::read_dir(&folder).map_err(PublishError::io(&folder))? {
                let entry = entry.map_err(PublishError::io(&folder))?;
                if !entry
                    .file_name()
                    .to_str()
                    .is_some_and(|name| keep.contains(&name))
                {
                    fs::remove_file(entry.path()).map_err(PublishError::io(&entry.path()))?;
                }
            }
        }
        Ok(())
    }

    fn remove_building(&self) -> Result<(), PublishError> {
        let building = self.building();
        match fs::remove_dir_all(&building) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(PublishError::io(&building)(error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for StoreWriter {
    fn drop(&mut self) {
        // What can't be removed now is removed by the next writer.
        let _ = self.remove_building();
    }
}

/// 128 random bits, hexadecimal: tells one store from another.
fn random_id() -> String {
    let mut hasher = blake3::Hasher::new();
    for _ in 0..2 {
        // Each state is seeded by the system's random numbers.
        let state = std::collections::hash_map::RandomState::new();
        hasher.update(&std::hash::BuildHasher::hash_one(&state, std::process::id()).to_le_bytes());
    }
    hasher.update(&Timestamp::now().as_nanosecond().to_le_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}
