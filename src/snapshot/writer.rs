//! Publishing a base: what was built from lists, with the changes that the lists do not know yet.

use super::changes::{self, View};
use super::counts::Counts;
use super::error::PublishError;
use super::manifest::{DeltaEntry, Event, FORMAT, Manifest, SourceEntry};
use super::precedence::Lists;
use super::store::{Pointer, REJECTS, Store};
use super::turn::{self, Turn, Workplace};
use crate::index::{BuildSummary, Edition, LoadMode, Segment};
use crate::report::Day;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The right to build for a store, held until dropped.
#[derive(Debug)]
pub struct StoreWriter {
    workplace: Workplace,
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
    /// Takes the right to build for the store at `path`, which is made if it does not exist.
    /// Removes what a killed build has left.
    ///
    /// # Errors
    /// [`PublishError::Locked`] while another process has it, or what the system says.
    pub fn writer(path: impl Into<PathBuf>) -> Result<StoreWriter, PublishError> {
        let store = Self { path: path.into() };
        let workplace = Workplace::take(&store)?;
        Ok(StoreWriter { workplace })
    }
}

impl StoreWriter {
    /// The store.
    pub fn store(&self) -> &Store {
        self.workplace.store()
    }

    /// The folder for the files of a build, empty at first, removed when this is dropped.
    pub fn building(&self) -> PathBuf {
        self.workplace.scratch()
    }

    /// The folder for rejected rows.
    pub fn rejects(&self) -> PathBuf {
        self.store().path.join(REJECTS)
    }

    /// The manifest of the current snapshot; `None` where nothing has been published yet.
    ///
    /// # Errors
    /// [`PublishError::Current`] when it can't be read: nothing can be published then.
    pub fn previous(&self) -> Result<Option<Manifest>, PublishError> {
        Ok(turn::current(self.store())?.map(|(_, manifest)| manifest))
    }

    /// Makes a segment the base of the current snapshot and returns its manifest. Changes that were published
    /// since a source's list was made, and all of sources that the base does not have, are applied to it.
    ///
    /// # Errors
    /// [`PublishError`]; the old snapshot then stays current.
    pub fn publish(&self, publication: &Publication<'_>) -> Result<Manifest, PublishError> {
        let turn = Turn::take(self.store())?;
        let current = turn.current()?;
        let previous = current.as_ref().map(|(_, manifest)| manifest);
        let generation = previous.map_or(1, |previous| previous.generation + 1);
        let sources = with_changes(&publication.sources, generation, previous);
        let base = turn.keep(publication.segment, publication.summary)?;
        let mut manifest = Manifest {
            format: FORMAT,
            store: previous.map_or_else(random_id, |previous| previous.store.clone()),
            generation,
            previous: current.as_ref().map(|(pointer, _)| pointer.digest.clone()),
            event: Event::Build,
            built_at: publication.built_at,
            not_after: None,
            as_of: publication.as_of.to_string(),
            base: generation,
            documents: publication.summary.reported,
            segments: vec![base],
            counts: Vec::new(),
            sources,
            delta: None,
        };
        if let Some((pointer, _)) = &current {
            carry(&turn, pointer, &mut manifest)?;
        }
        turn.publish(&manifest, publication.by)?;
        Ok(manifest)
    }
}

/// The sources of a base, and those of which only changes are known.
fn with_changes(
    listed: &[SourceEntry],
    generation: u64,
    previous: Option<&Manifest>,
) -> Vec<SourceEntry> {
    let before = previous.map_or(&[][..], |previous| &previous.sources);
    let changed = |name: &str| {
        let before = before.iter().find(|source| source.name == name)?;
        before.changed
    };
    let mut sources: Vec<SourceEntry> = listed
        .iter()
        .map(|source| SourceEntry {
            list: Some(generation),
            changed: changed(&source.name).filter(|changed| *changed > source.as_of),
            ..source.clone()
        })
        .collect();
    for source in before {
        if let Some(changed) = source.changed
            && !listed.iter().any(|listed| listed.name == source.name)
        {
            sources.push(SourceEntry {
                as_of: changed,
                list: None,
                rows: Default::default(),
                ..source.clone()
            });
        }
    }
    sources
}

/// Applies to a snapshot that consists of a base all changes up to the pointer's that its lists do not hold.
fn carry(turn: &Turn, pointer: &Pointer, manifest: &mut Manifest) -> Result<(), PublishError> {
    let store = turn.store();
    let lists = manifest.lists();
    let mut deltas = Vec::new();
    let chain = store.chain(pointer)?;
    // What came before the oldest manifest stands in the changes that it had.
    if let Some(oldest) = chain.last() {
        for entry in oldest.segments.iter().skip(1) {
            deltas.push(store.open_segment(oldest.generation, entry, LoadMode::Mmap)?);
        }
    }
    for earlier in chain.into_iter().rev() {
        let generation = earlier.generation;
        if let Some(delta) = earlier
            .delta
            .filter(|delta| matters(delta, generation, &lists))
        {
            deltas.push(store.open_segment(generation, &delta.segment, LoadMode::Mmap)?);
        }
    }
    let scratch = turn.scratch();
    let gathered = scratch.join("gathered");
    if changes::gather(&deltas, &lists, (&scratch, &gathered))?.is_none() {
        return Ok(());
    }
    let gathered = open(manifest.generation, &gathered)?;
    let mut segments = Vec::new();
    for entry in &manifest.segments {
        let segment = store.open_segment(manifest.generation, entry, LoadMode::Mmap)?;
        segments.push(Arc::new(segment));
    }
    let view = View {
        segments: &segments,
        lists: &lists,
    };
    let path = scratch.join("changes");
    let mut counts = Counts::default();
    let summary = changes::apply(view, &gathered, &[], (&scratch, &path), &mut counts)?;
    manifest.segments.push(turn.keep(&path, &summary)?);
    manifest.documents = manifest.documents.saturating_add_signed(counts.documents());
    manifest.counts = counts.write();
    Ok(())
}

/// Whether any source of a delta is ahead of its list.
fn matters(delta: &DeltaEntry, generation: u64, lists: &Lists) -> bool {
    delta.sources.iter().any(|source| {
        let edition = Edition {
            as_of: source.as_of,
            generation,
        };
        lists.get(&source.name).is_none_or(|list| edition > *list)
    })
}

/// Opens a segment just built, which reads back all of it.
pub(super) fn open(generation: u64, path: &Path) -> Result<Segment, PublishError> {
    let opened = Segment::open(path, LoadMode::Mmap);
    Ok(opened.map_err(|source| super::LoadError::Segment { generation, source })?)
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
