//! The folder that holds snapshots.
//!
//! ```text
//! CURRENT               the pointer: manifest file and its BLAKE3, one line
//! manifests/00000007.json
//! manifests/00000007.json.sig  its signatures, if it is signed
//! copies/               a copy of each of these, and of segments that keep withdrawals: `repair` restores them
//! segments/<digest>.seg
//! segments/<digest>.delta      changes as they came, beside those that are served
//! rejects/<source>.csv  rows that could not be used, of the last build
//! history.jsonl         what was published, when, by whom: one line each
//! UNPUBLISHED           there until the first publish is done
//! LOCK                  held while what is current is changed
//! candidate/            a base that was built and not published: its segment, and what it was built from
//! building/             scratch files of a build under way, or of one that was killed
//! changing/             the same of changes
//! publishing/           the same of a publish
//! ```
//! Who builds holds a lock on the folder itself, and who makes changes one on `rejects`: a build, a delta and other
//! publications go on side by side, and wait for each other only to publish.
//!
//! The pointer is the only file that is ever replaced. Killed between any two steps of a
//! publish, the store serves the old snapshot or the new one:
//!
//! | killed after | what stands |
//! |---|---|
//! | the segment is written and renamed | the old snapshot, and a segment nobody names |
//! | the copies are written | the old snapshot, and copies of nothing |
//! | the signatures are written | the old snapshot, and signatures of nothing |
//! | the manifest is written | the old snapshot, and a manifest nobody names |
//! | the pointer is replaced | the new snapshot; its line in the history may be missing |
//!
//! A store whose manifests are there without a pointer has lost it, unless `UNPUBLISHED` says that its first publish was
//! killed before there was one: nothing is published over manifests that servers may have seen.
//!
//! What nobody names is removed by the next publish, the scratch folders by the next build or publish.

use super::error::LoadError;
use super::manifest::{FORMAT, Manifest, SegmentEntry};
use super::signature::{FILE_MAX, KeyId, SignatureError, Signatures};
use super::terms::Terms;
use super::{Holding, LoadOptions, Snapshot};
use crate::files;
use crate::index::{Damage, LoadMode, Segment};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(super) const CURRENT: &str = "CURRENT";
pub(super) const UNPUBLISHED: &str = "UNPUBLISHED";
pub(super) const LOCK: &str = "LOCK";
pub(super) const MANIFESTS: &str = "manifests";
pub(super) const COPIES: &str = "copies";
pub(super) const SEGMENTS: &str = "segments";
/// What the name of a file with signatures has more than that of the manifest which they are of.
pub(super) const SIGNATURES: &str = ".sig";
pub(super) const REJECTS: &str = "rejects";
pub(super) const BUILDING: &str = "building";
pub(super) const CHANGING: &str = "changing";
pub(super) const PUBLISHING: &str = "publishing";
pub(super) const CANDIDATE: &str = "candidate";
pub(super) const HISTORY: &str = "history.jsonl";

/// The most bytes that the pointer may have: a name and a digest take a hundred.
const POINTER_MAX: u64 = 1024;
/// The most bytes that a manifest may have, or another file about a build: thousands of sources, counted by State, take
/// some MB.
pub(super) const MANIFEST_MAX: u64 = 64 << 20;
/// The most bytes of the history that are read: a line has some hundred.
pub(super) const HISTORY_MAX: u64 = 256 << 20;

/// How often a snapshot may be replaced and removed while it is being opened, before that counts as an error.
pub(super) const OVERTAKEN_MAX: u32 = 8;

/// A folder with snapshots.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) path: PathBuf,
    pub(super) terms: Terms,
}

/// What `CURRENT` points to: equal for as long as nothing new is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    pub(super) manifest: String,
    pub(super) digest: String,
}

impl Pointer {
    /// File name of the manifest that it names.
    pub fn manifest(&self) -> &str {
        &self.manifest
    }

    /// The content of its file.
    pub(super) fn line(&self) -> String {
        format!("{} {}\n", self.manifest, self.digest)
    }
}

impl Store {
    /// Name of the file in its folder that says what is published; replaced by each publish.
    pub const POINTER: &str = CURRENT;

    /// Opens a store that has a snapshot.
    ///
    /// # Errors
    /// [`LoadError::NotAStore`], [`LoadError::NoPointer`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, LoadError> {
        let path = path.into();
        let current = path.join(CURRENT);
        let store = Self {
            path: path.clone(),
            terms: Terms::default(),
        };
        match files::exists(&current) {
            Ok(true) => Ok(store),
            Ok(false) => Err(store.without_pointer()),
            // The path is a file's.
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                Err(LoadError::NotAStore(path))
            }
            Err(error) => Err(LoadError::io(&current)(error)),
        }
    }

    /// The same store on other terms.
    #[must_use]
    pub fn with_terms(self, terms: Terms) -> Self {
        Self { terms, ..self }
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
        let text = match files::read_to_string(&path, POINTER_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(self.without_pointer());
            }
            read => read.map_err(LoadError::io(&path))?,
        };
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

    /// What is wrong with a folder in which no pointer is.
    fn without_pointer(&self) -> LoadError {
        let not_a_store = LoadError::NotAStore(self.path.clone());
        let unpublished = self.path.join(UNPUBLISHED);
        match files::exists(&unpublished) {
            Ok(true) => return not_a_store,
            Ok(false) => {}
            Err(error) => return LoadError::io(&unpublished)(error),
        }
        match self.generations() {
            Err(error) => error,
            Ok(generations) => match generations.last() {
                Some(newest) => LoadError::NoPointer {
                    path: self.path.clone(),
                    newest: *newest,
                },
                None => not_a_store,
            },
        }
    }

    /// The generations whose manifests, or copies of them, are there, in order.
    pub(super) fn generations(&self) -> Result<Vec<u64>, LoadError> {
        let mut generations = Vec::new();
        for folder in [MANIFESTS, COPIES] {
            let folder = self.path.join(folder);
            let entries = match files::list(&folder) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                entries => entries.map_err(LoadError::io(&folder))?,
            };
            let names = entries.iter().map(std::fs::DirEntry::file_name);
            generations.extend(names.filter_map(|name| Manifest::generation_of(name.to_str()?)));
        }
        generations.sort_unstable();
        generations.dedup();
        Ok(generations)
    }

    /// The manifest of a pointer, held against the digest there and the terms of the store: signatures, and the
    /// highest generation seen.
    ///
    /// # Errors
    /// [`LoadError`] when it is missing, damaged, of another format or not acceptable on these terms.
    pub fn manifest(&self, pointer: &Pointer) -> Result<Manifest, LoadError> {
        let path = self.manifest_path(pointer);
        let distrusted = LoadError::signature(&path);
        let bytes = self.manifest_bytes(pointer)?;
        let trusted = self.terms.trusted();
        let signers = match &trusted {
            None => None,
            Some(trusted) => {
                let signatures = self.signatures(pointer)?;
                let signatures = signatures.ok_or(distrusted(SignatureError::Unsigned))?;
                Some(trusted.signers(&bytes, &signatures).map_err(&distrusted)?)
            }
        };
        let manifest = parse(&path, &bytes)?;
        if let Some(signers) = signers {
            signers
                .valid_at(manifest.published_at)
                .map_err(&distrusted)?;
        }
        if let Some(highest) = self.terms.highest() {
            highest.admit(&manifest)?;
        }
        Ok(manifest)
    }

    /// The signatures of a pointer's manifest, which nobody has checked yet; `None` if it is not signed.
    ///
    /// # Errors
    /// [`LoadError`] when they can't be read or are malformed.
    pub fn signatures(&self, pointer: &Pointer) -> Result<Option<Signatures>, LoadError> {
        let path = self.signatures_path(MANIFESTS, &pointer.manifest);
        // One byte more than there may be shows that there are more.
        match files::read_up_to(&path, FILE_MAX as u64 + 1) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LoadError::io(&path)(error)),
            Ok(text) => {
                let parsed = Signatures::parse(&text).map_err(LoadError::signature(&path));
                parsed.map(Some)
            }
        }
    }

    /// The bytes of a manifest, held against the digest of the pointer.
    fn manifest_bytes(&self, pointer: &Pointer) -> Result<Vec<u8>, LoadError> {
        let path = self.manifest_path(pointer);
        let bytes = files::read(&path, MANIFEST_MAX).map_err(LoadError::io(&path))?;
        if blake3::hash(&bytes).to_hex().as_str() != pointer.digest {
            return Err(LoadError::damaged(
                &path,
                "it does not match the digest in CURRENT, or in the manifest after it",
            ));
        }
        Ok(bytes)
    }

    /// Opens and verifies the current snapshot, and warms it as the options say.
    ///
    /// # Errors
    /// [`LoadError`] with whatever is wrong with pointer, manifest or segments.
    pub fn load_current(&self, options: &LoadOptions) -> Result<Snapshot, LoadError> {
        Ok(self.load_what_is_current(options)?.1)
    }

    /// [`load_current`](Self::load_current), with the pointer to it.
    ///
    /// # Errors
    /// As of [`load_current`](Self::load_current).
    pub fn load_what_is_current(
        &self,
        options: &LoadOptions,
    ) -> Result<(Pointer, Snapshot), LoadError> {
        let mut pointer = self.pointer()?;
        for _ in 0..OVERTAKEN_MAX {
            match self.load(&pointer, options) {
                Ok(snapshot) => return Ok((pointer, snapshot)),
                Err(error) => {
                    let now = self.pointer()?;
                    if now == pointer {
                        return Err(error);
                    }
                    pointer = now;
                }
            }
        }
        let snapshot = self.load(&pointer, options)?;
        Ok((pointer, snapshot))
    }

    /// Opens, verifies and warms the snapshot of a pointer.
    ///
    /// # Errors
    /// As [`load_current`](Self::load_current).
    pub fn load(&self, pointer: &Pointer, options: &LoadOptions) -> Result<Snapshot, LoadError> {
        let manifest = self.manifest(pointer)?;
        let snapshot = Snapshot::load(manifest, self, options, Holding::InUse(None))?;
        self.remembered(pointer, snapshot)
    }

    /// Loads the snapshot of a pointer beside another one, loaded with the same options: the segments that it has
    /// open are shared, and neither verified nor warmed again.
    ///
    /// # Errors
    /// As [`load_current`](Self::load_current).
    pub fn load_beside(
        &self,
        pointer: &Pointer,
        options: &LoadOptions,
        beside: &Snapshot,
    ) -> Result<Snapshot, LoadError> {
        let manifest = self.manifest(pointer)?;
        let in_use = Holding::InUse(Some(beside));
        let snapshot = Snapshot::load(manifest, self, options, in_use)?;
        self.remembered(pointer, snapshot)
    }

    /// A snapshot that has been opened whole, once it is remembered that it was seen.
    fn remembered(&self, pointer: &Pointer, mut snapshot: Snapshot) -> Result<Snapshot, LoadError> {
        if let Some(highest) = self.terms.highest() {
            highest.remember(snapshot.manifest())?;
        }
        snapshot.signed_by = self.signers(pointer);
        Ok(snapshot)
    }

    /// The keys that have signed the manifest of a pointer: those that are trusted and have, or, where none must have,
    /// those that its signatures name. None where that can't be told: only for show.
    fn signers(&self, pointer: &Pointer) -> Vec<KeyId> {
        let Ok(Some(signatures)) = self.signatures(pointer) else {
            return Vec::new();
        };
        let Some(trusted) = self.terms.trusted() else {
            return signatures.keys().collect();
        };
        let Ok(bytes) = self.manifest_bytes(pointer) else {
            return Vec::new();
        };
        let signers = trusted.signers(&bytes, &signatures);
        signers.map_or_else(|_| Vec::new(), |signers| signers.ids())
    }

    /// Loads the snapshot of a manifest of this store.
    ///
    /// # Errors
    /// [`LoadError`] when a segment is missing or damaged.
    pub fn load_manifest(
        &self,
        manifest: &Manifest,
        options: &LoadOptions,
    ) -> Result<Snapshot, LoadError> {
        Snapshot::load(manifest.clone(), self, options, Holding::InUse(None))
    }

    /// Whether all segments of a manifest are kept.
    pub fn has_segments(&self, manifest: &Manifest) -> bool {
        let mut segments = manifest.segments.iter();
        segments.all(|entry| self.segment_path(entry).exists())
    }

    /// The manifests from that of a pointer back to the oldest that is kept, each held against the digest that
    /// its successor has of it: so the signatures of the first, if asked for, vouch for all.
    ///
    /// # Errors
    /// [`LoadError`] when one is damaged or of another format.
    pub fn chain(&self, pointer: &Pointer) -> Result<Vec<Manifest>, LoadError> {
        let mut chain = vec![self.manifest(pointer)?];
        while let Some(pointer) = chain.last().and_then(Manifest::previous) {
            let bytes = match self.manifest_bytes(&pointer) {
                // What is older is not kept. One that can't be read is another matter: it may hold changes.
                Err(LoadError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => break,
                bytes => bytes?,
            };
            chain.push(parse(&self.manifest_path(&pointer), &bytes)?);
        }
        Ok(chain)
    }

    /// Opens a segment that a manifest names.
    pub(super) fn open_segment(
        &self,
        generation: u64,
        entry: &SegmentEntry,
        load: LoadMode,
    ) -> Result<Segment, LoadError> {
        self.open_segment_at(&self.segment_path(entry), generation, entry, load)
    }

    /// Opens a segment that a manifest keeps beside its changes, or, where that is damaged, the copy of it.
    pub(super) fn open_kept_segment(
        &self,
        generation: u64,
        entry: &SegmentEntry,
    ) -> Result<Segment, LoadError> {
        let open = |path: PathBuf| self.open_segment_at(&path, generation, entry, LoadMode::Mmap);
        open(self.segment_path(entry)).or_else(|error| match error.is_damage() {
            true => open(self.copy_path(entry)).map_err(|_| error),
            false => Err(error),
        })
    }

    pub(super) fn open_segment_at(
        &self,
        path: &Path,
        generation: u64,
        entry: &SegmentEntry,
        load: LoadMode,
    ) -> Result<Segment, LoadError> {
        let open = || {
            Segment::open(path, load).map_err(|source| LoadError::Segment { generation, source })
        };
        let segment = match open() {
            // What a disk or a share can't read once, it often can the next time.
            Err(LoadError::Segment { source, .. }) if matches!(source.damage, Damage::Io(_)) => {
                open()?
            }
            opened => opened?,
        };
        let digest = segment.digest().to_hex();
        if digest.as_str() != entry.digest {
            let damage = Damage::NotTheOneNamed {
                expected: entry.digest.clone(),
                got: digest.to_string(),
            };
            return Err(LoadError::segment(generation, path, damage));
        }
        Ok(segment)
    }

    pub(super) fn segment_path(&self, entry: &SegmentEntry) -> PathBuf {
        self.path.join(SEGMENTS).join(&entry.file)
    }

    /// Where the copy of a segment is that a manifest keeps beside its changes.
    pub(super) fn copy_path(&self, entry: &SegmentEntry) -> PathBuf {
        self.path.join(COPIES).join(&entry.file)
    }

    fn manifest_path(&self, pointer: &Pointer) -> PathBuf {
        self.path.join(MANIFESTS).join(&pointer.manifest)
    }

    /// Where the signatures of a manifest's file are, in a folder of the store.
    pub(super) fn signatures_path(&self, folder: &str, manifest: &str) -> PathBuf {
        self.path
            .join(folder)
            .join(format!("{manifest}{SIGNATURES}"))
    }
}

/// Reads the bytes of a manifest.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Manifest, LoadError> {
    // The version first: what else a newer form holds is not known here.
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let not_a_manifest = |error: serde_json::Error| LoadError::damaged(path, error.to_string());
    let Version { format } = serde_json::from_slice(bytes).map_err(not_a_manifest)?;
    if format != FORMAT {
        let what = format!("manifest format {format}, but this program reads format {FORMAT}");
        return Err(LoadError::damaged(path, what));
    }
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(not_a_manifest)?;
    let plain =
        |entry: &SegmentEntry| !entry.file.contains(['/', '\\']) && !entry.file.starts_with('.');
    if manifest.segments.is_empty() || !manifest.files().all(plain) {
        return Err(LoadError::damaged(
            path,
            "expected at least one segment, named by a plain file name",
        ));
    }
    Ok(manifest)
}
