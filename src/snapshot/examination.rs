//! Every file of a store, read: which of them are what was written.

use super::error::{LoadError, PublishError};
use super::history;
use super::manifest::{Manifest, SegmentEntry};
use super::signature::{FILE_MAX, SignatureError, Signatures};
use super::store::{COPIES, MANIFEST_MAX, MANIFESTS, Pointer, Store, parse};
use crate::files;
use crate::index::{LoadMode, Segment};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A file that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// Whether a repair puts back what was written.
    pub can_be_restored: bool,
}

/// What was found.
pub(super) struct Examination {
    /// The manifests that are intact or can be restored, from the current one back.
    pub(super) chain: Vec<Manifest>,
    pub(super) damaged: Vec<DamagedFile>,
    /// Files to be put back.
    pub(super) writes: Vec<(PathBuf, Vec<u8>)>,
    /// Files that are beyond restoring, and in the way.
    pub(super) set_aside: Vec<PathBuf>,
    /// The line of the pointer, if it is to be put back.
    pub(super) pointer: Option<String>,
    /// Where the pointer is lost, the highest generation that was published by all that tells of it.
    pub(super) seen: u64,
    /// Why what is current is not to be trusted, where the terms name keys that are.
    pub(super) distrusted: Option<SignatureError>,
    /// Files of segments that are intact, and their lengths.
    segments: BTreeMap<String, u64>,
}

/// The two copies of a file; `None`: it is not there.
type Copies = [(PathBuf, Result<Option<Vec<u8>>, String>); 2];

impl Examination {
    /// Reads all files of a store.
    ///
    /// # Errors
    /// [`PublishError`] when the store's folders can't be read.
    pub(super) fn new(store: &Store) -> Result<Self, PublishError> {
        let mut examination = Self {
            chain: Vec::new(),
            damaged: Vec::new(),
            writes: Vec::new(),
            set_aside: Vec::new(),
            pointer: None,
            seen: 0,
            distrusted: None,
            segments: BTreeMap::new(),
        };
        if let Some(pointer) = examination.head(store)? {
            examination.follow(store, pointer);
        }
        examination.open_segments(store);
        Ok(examination)
    }

    /// Whether all segments of a snapshot are intact, those included that no server opens: later changes need them.
    pub(super) fn is_intact(&self, manifest: &Manifest) -> bool {
        let mut segments = manifest.segments.iter().chain(&manifest.kept);
        segments.all(|entry| self.segments.contains_key(&entry.file))
    }

    /// Whether the base of a snapshot is intact.
    pub(super) fn base_is_intact(&self, manifest: &Manifest) -> bool {
        let base = manifest.segments.first();
        base.is_some_and(|entry| self.segments.contains_key(&entry.file))
    }

    /// Segments that are intact, and their bytes.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.segments.len() as u64, self.segments.values().sum())
    }

    /// The manifest that is current, or was before the pointer was damaged.
    fn head(&mut self, store: &Store) -> Result<Option<Pointer>, PublishError> {
        let path = store.path.join(Store::POINTER);
        let named = match store.pointer() {
            Ok(pointer) => match self.named(store, &pointer) {
                Some(_) => return Ok(Some(pointer)),
                None => Some(pointer),
            },
            Err(_) => None,
        };
        let generations = store.generations()?;
        let mut names = generations.iter().rev().copied().map(Manifest::name);
        // Of one changed byte in the pointer, the digest in it tells which manifest it named, or else the newest was.
        let by_digest = named.as_ref().and_then(|pointer| {
            names.clone().find_map(|manifest| {
                let renamed = Pointer {
                    manifest: manifest.clone(),
                    ..pointer.clone()
                };
                Some((self.named(store, &renamed)?, manifest))
            })
        });
        if by_digest.is_none() {
            let named = named.as_ref();
            let named = named.and_then(|pointer| Manifest::generation_of(&pointer.manifest));
            self.seen = history::highest(store).max(named).unwrap_or_default();
        }
        let found =
            by_digest.or_else(|| names.find_map(|name| Some((self.agreed(store, &name)?, name))));
        let what = match &named {
            None => "it does not name a manifest and its digest",
            Some(_) => "it names no manifest that is there",
        };
        self.found(&path, what, found.is_some());
        let Some((bytes, name)) = found else {
            return Ok(None);
        };
        let pointer = Pointer {
            digest: blake3::hash(&bytes).to_hex().to_string(),
            manifest: name,
        };
        self.restore_copies(&copies(store, &pointer.manifest), &bytes);
        self.pointer = Some(pointer.line());
        Ok(Some(pointer))
    }

    /// The manifest of a pointer, of which one copy at least has the digest there.
    fn named(&mut self, store: &Store, pointer: &Pointer) -> Option<Vec<u8>> {
        let copies = copies(store, &pointer.manifest);
        let bytes = copies.iter().find_map(|(_, read)| {
            let bytes = read.as_ref().ok()?.as_ref()?;
            (blake3::hash(bytes).to_hex().as_str() == pointer.digest).then(|| bytes.clone())
        })?;
        self.restore_copies(&copies, &bytes);
        Some(bytes)
    }

    /// A manifest that no digest vouches for: both of its copies do, or a trusted signature, or there is one only.
    fn agreed(&self, store: &Store, name: &str) -> Option<Vec<u8>> {
        let path = store.path.join(MANIFESTS).join(name);
        let copies = copies(store, name);
        let read = copies
            .iter()
            .filter_map(|(_, read)| read.as_ref().ok()?.as_ref());
        let mut sound: Vec<&Vec<u8>> = read
            .filter(|bytes| {
                let parsed = parse(&path, bytes);
                parsed.is_ok_and(|manifest| Manifest::name(manifest.generation) == name)
            })
            .collect();
        if store.terms.trusted().is_some() {
            sound.retain(|bytes| {
                let signatures = signature_copies(store, name);
                let mut signatures = signatures.iter().filter_map(|(_, read)| parsed(read));
                signatures.any(|signatures| is_signed(store, bytes, &signatures))
            });
        }
        sound.dedup();
        match sound[..] {
            [bytes] => Some(bytes.clone()),
            _ => None,
        }
    }

    /// Looks at the signatures of a manifest. Those of the current one vouch for all before it, whose own are put back
    /// only where it is plain which are right.
    fn signatures(&mut self, store: &Store, name: &str, manifest: &[u8], current: bool) {
        let copies = signature_copies(store, name);
        if copies.iter().all(|(_, read)| matches!(read, Ok(None))) {
            return;
        }
        let sound = copies.iter().filter(|(_, read)| {
            parsed(read).is_some_and(|signatures| {
                store.terms.trusted().is_none() || is_signed(store, manifest, &signatures)
            })
        });
        let mut sound: Vec<&Vec<u8>> = sound
            .filter_map(|(_, read)| read.as_ref().ok()?.as_ref())
            .collect();
        sound.dedup();
        match sound[..] {
            [bytes] => {
                let bytes = bytes.clone();
                self.restore_copies(&copies, &bytes);
            }
            _ if !current => {}
            [] if self.distrusted.is_some() => {
                // Not signed anew: who has written what stands here is not known.
                for (path, _) in &copies {
                    self.found(path, "no trusted key has signed", false);
                }
            }
            [] => {
                // Signed anew, if that is possible.
                let signed = Signatures::sign(manifest, store.terms.signing_keys());
                let signed = signed.map(|signatures| signatures.to_string().into_bytes());
                for (path, _) in &copies {
                    self.found(path, "it holds no signatures", signed.is_some());
                    let write = signed.clone().map(|bytes| (path.clone(), bytes));
                    self.writes.extend(write);
                }
            }
            _ => {
                for (path, _) in &copies {
                    let what = "it differs from its copy; --trusted-keys tells which is right";
                    self.found(path, what, false);
                }
            }
        }
    }

    /// Follows the manifests back from the current one.
    fn follow(&mut self, store: &Store, pointer: Pointer) {
        let mut next = Some(pointer);
        while let Some(pointer) = next {
            let path = store.path.join(MANIFESTS).join(&pointer.manifest);
            let bytes = self.named(store, &pointer);
            let manifest = bytes.as_ref();
            let manifest = manifest.and_then(|bytes| parse(&path, bytes).ok());
            let Some(manifest) = manifest else {
                let copies = copies(store, &pointer.manifest);
                // What is older than what is kept is not there.
                let gone = copies.iter().all(|(_, read)| matches!(read, Ok(None)));
                if !gone {
                    for (path, read) in copies {
                        self.found(&path, "it does not match its digest", false);
                        if !matches!(read, Ok(None)) {
                            self.set_aside.push(path);
                        }
                    }
                }
                return;
            };
            let current = self.chain.is_empty();
            let bytes = bytes.unwrap_or_default();
            if current {
                self.distrusted = distrust(store, &manifest, &bytes);
            }
            self.signatures(store, &pointer.manifest, &bytes, current);
            next = manifest.previous();
            self.chain.push(manifest);
        }
    }

    /// Opens all segments that the manifests name and that are kept.
    fn open_segments(&mut self, store: &Store) {
        let mut damaged = BTreeMap::new();
        for (place, manifest) in self.chain.iter().enumerate() {
            let whole = place < 2 || manifest.begins_base();
            let whole = whole.then(|| manifest.segments.iter().chain(&manifest.kept));
            let delta = manifest.delta.as_ref().map(|delta| &delta.segment);
            for entry in whole.into_iter().flatten().chain(delta) {
                if self.segments.contains_key(&entry.file) || damaged.contains_key(&entry.file) {
                    continue;
                }
                match open(store, manifest.generation, entry) {
                    Ok(length) => {
                        self.segments.insert(entry.file.clone(), length);
                    }
                    Err(error) => {
                        let path = store.segment_path(entry);
                        damaged.insert(entry.file.clone(), (path, damage_of(error)));
                    }
                }
            }
        }
        self.restore_kept(store, &mut damaged);
        for (path, what) in damaged.into_values() {
            self.found(&path, what, false);
        }
    }

    /// Puts down that segments that keep withdrawals are to be put back, or their copies, where the other one is intact.
    fn restore_kept(&mut self, store: &Store, damaged: &mut BTreeMap<String, (PathBuf, String)>) {
        let chain = self.chain.iter().enumerate();
        let whole = chain.filter(|(place, manifest)| *place < 2 || manifest.begins_base());
        let kept = whole.flat_map(|(_, manifest)| {
            let kept = manifest.kept.iter();
            kept.map(|entry| (entry.file.clone(), (manifest.generation, entry.clone())))
        });
        let kept: BTreeMap<_, _> = kept.collect();
        for (file, (generation, entry)) in kept {
            let (path, copy) = (store.segment_path(&entry), store.copy_path(&entry));
            let opened = store.open_segment_at(&copy, generation, &entry, LoadMode::Mmap);
            let (from, to, what) = match (damaged.get(&file), opened) {
                (None, Ok(_)) => continue,
                (None, Err(error)) => (&path, &copy, damage_of(error)),
                // Both: told as damaged below.
                (Some(_), Err(_)) => continue,
                (Some((_, what)), Ok(_)) => (&copy, &path, what.clone()),
            };
            let Ok(bytes) = files::read(from, entry.length) else {
                continue;
            };
            self.found(to, what, true);
            if damaged.remove(&file).is_some() {
                self.segments.insert(file, bytes.len() as u64);
            }
            self.writes.push((to.clone(), bytes));
        }
    }

    /// Puts down that copies are to be put back that differ from what was written.
    fn restore_copies(&mut self, copies: &Copies, bytes: &[u8]) {
        for (path, read) in copies {
            let what = match read {
                Ok(Some(read)) if read == bytes => continue,
                Ok(Some(_)) => "it is not what was written".to_owned(),
                Ok(None) => "it is missing".to_owned(),
                Err(error) => error.clone(),
            };
            if self.writes.iter().all(|(other, _)| other != path) {
                self.found(path, what, true);
                self.writes.push((path.clone(), bytes.to_vec()));
            }
        }
    }

    fn found(&mut self, path: &Path, what: impl Into<String>, can_be_restored: bool) {
        self.damaged.push(DamagedFile {
            path: path.to_owned(),
            what: what.into(),
            can_be_restored,
        });
    }
}

impl Store {
    /// Opens and verifies the changes of a manifest as they came, which no server opens; `None` where it brought none.
    ///
    /// # Errors
    /// [`LoadError`] with whatever is wrong with their segment.
    pub fn open_changes(&self, manifest: &Manifest) -> Result<Option<Segment>, LoadError> {
        let delta = manifest.delta.as_ref();
        let open = |entry| self.open_segment(manifest.generation, entry, LoadMode::Mmap);
        delta.map(|delta| open(&delta.segment)).transpose()
    }

    /// Opens and verifies the segments of what a manifest keeps beside its changes, which no server opens.
    ///
    /// # Errors
    /// [`LoadError`] with whatever is wrong with one.
    pub fn open_kept(&self, manifest: &Manifest) -> Result<Vec<Segment>, LoadError> {
        let kept = manifest.kept.iter();
        let open = |entry| self.open_segment(manifest.generation, entry, LoadMode::Mmap);
        kept.map(open).collect()
    }

    /// The same, of damaged ones their copies.
    pub(super) fn kept_segments(&self, manifest: &Manifest) -> Result<Vec<Segment>, LoadError> {
        let kept = manifest.kept.iter();
        kept.map(|entry| self.open_kept_segment(manifest.generation, entry))
            .collect()
    }

    /// The copies of a manifest and its signatures, from which a repair restores them, that are not what they should be.
    pub fn damaged_copies(&self, manifest: &Manifest) -> Vec<PathBuf> {
        let name = Manifest::name(manifest.generation);
        let pairs = [copies(self, &name), signature_copies(self, &name)].into_iter();
        let damaged = pairs.filter(|[(_, file), (_, copy)]| file.is_err() || file != copy);
        damaged.map(|[_, (path, _)]| path).collect()
    }

    /// The copies of what a manifest keeps beside its changes that are not what they should be.
    pub fn damaged_copies_of_kept(&self, manifest: &Manifest) -> Vec<PathBuf> {
        let kept = manifest.kept.iter();
        let damaged = kept.filter(|entry| {
            let path = self.copy_path(entry);
            let copy = self.open_segment_at(&path, manifest.generation, entry, LoadMode::Mmap);
            copy.is_err()
        });
        damaged.map(|entry| self.copy_path(entry)).collect()
    }
}

fn open(store: &Store, generation: u64, entry: &SegmentEntry) -> Result<u64, LoadError> {
    let segment = store.open_segment(generation, entry, LoadMode::Mmap)?;
    Ok(segment.file_len())
}

/// What is wrong with a file.
fn damage_of(error: LoadError) -> String {
    match error {
        LoadError::Segment { source, .. } => source.damage.to_string(),
        error => error.to_string(),
    }
}

/// Both copies of a manifest.
fn copies(store: &Store, name: &str) -> Copies {
    [MANIFESTS, COPIES].map(|folder| {
        let path = store.path.join(folder).join(name);
        let read = match files::read(&path, MANIFEST_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        (path, read)
    })
}

/// Both copies of the signatures of a manifest.
fn signature_copies(store: &Store, name: &str) -> Copies {
    [MANIFESTS, COPIES].map(|folder| {
        let path = store.signatures_path(folder, name);
        let read = match files::read_up_to(&path, FILE_MAX as u64 + 1) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        (path, read)
    })
}

fn parsed(read: &Result<Option<Vec<u8>>, String>) -> Option<Signatures> {
    Signatures::parse(read.as_ref().ok()?.as_ref()?).ok()
}

/// Whether a key that the terms trust has signed a manifest.
fn is_signed(store: &Store, manifest: &[u8], signatures: &Signatures) -> bool {
    let trusted = store.terms.trusted();
    trusted.is_some_and(|trusted| trusted.signers(manifest, signatures).is_ok())
}

/// Why a manifest is not to be trusted by what either copy of its signatures says; `None` where it is, or where the terms
/// trust whatever is whole.
fn distrust(store: &Store, manifest: &Manifest, bytes: &[u8]) -> Option<SignatureError> {
    let trusted = store.terms.trusted()?;
    let mut why = SignatureError::Unsigned;
    for (_, read) in &signature_copies(store, &Manifest::name(manifest.generation)) {
        let Some(signatures) = parsed(read) else {
            continue;
        };
        let signers = trusted.signers(bytes, &signatures);
        match signers.and_then(|signers| signers.valid_at(manifest.published_at)) {
            Ok(()) => return None,
            Err(error) => why = error,
        }
    }
    Some(why)
}
