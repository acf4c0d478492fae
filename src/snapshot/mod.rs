//! Many segments as one: manifest, store, and the check of a document against them.
//!
//! A [`Store`] is a folder with one pointer to the [`Manifest`] of the current snapshot;
//! [`Store::load_current`] opens that [`Snapshot`], and [`Snapshot::check`] answers a query from
//! it. [`StoreWriter::publish`] gives it a new base, [`Delta::publish`] changes it; both atomically.
//!
//! Nothing here reads the clock on its own: callers say what time it is.

mod changes;
mod check;
mod counts;
mod coverage;
mod delta;
mod error;
mod files;
mod manifest;
mod precedence;
mod store;
mod turn;
mod writer;

pub use check::{Answer, Moment};
pub use counts::{CountChange, Counted};
pub use coverage::{Coverage, CoverageLevel};
pub use delta::{Bearing, Delta, Speaker};
pub use error::{LoadError, PublishError};
pub use manifest::{
    DeltaEntry, DeltaSource, Event, Manifest, RowAccount, SegmentEntry, SourceEntry,
};
pub use store::{Pointer, Store};
pub use writer::{Publication, StoreWriter};

use crate::index::{Count, LoadMode, OpenError, Segment, UnionFilter};
use counts::Counts;
use coverage::CoverageTable;
use jiff::Timestamp;
use std::sync::Arc;

/// What is brought into memory before a snapshot is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Warm {
    /// Everything.
    All,
    /// The filter only: two bytes a document, enough for documents that nobody reported.
    Filter,
    /// Nothing: for those who look at a few documents.
    #[serde(skip)]
    Nothing,
}

/// How a snapshot is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadOptions {
    /// How segments are held.
    pub load: LoadMode,
    /// What is warmed; `None`: everything, where it takes less than half of the memory available.
    pub warm: Option<Warm>,
}

/// A loaded, verified snapshot.
#[derive(Debug)]
pub struct Snapshot {
    manifest: Manifest,
    /// Shared with the snapshots before and after that have them too.
    segments: Vec<Arc<Segment>>,
    /// Of all segments but the base: asked in place of their own.
    changed: Option<UnionFilter>,
    counts: Vec<Count>,
    coverage: CoverageTable,
}

impl Snapshot {
    /// Opens, verifies and warms the segments of a manifest, but for those that are open in another snapshot.
    fn load(
        manifest: Manifest,
        store: &Store,
        options: &LoadOptions,
        open: &[Arc<Segment>],
    ) -> Result<Self, LoadError> {
        let mut segments = Vec::with_capacity(manifest.segments.len());
        for entry in &manifest.segments {
            let is_open =
                |segment: &&Arc<Segment>| segment.digest().to_hex().as_str() == entry.digest;
            if let Some(segment) = open.iter().find(is_open) {
                segments.push(Arc::clone(segment));
                continue;
            }
            let mut segment = store.open_segment(manifest.generation, entry, options.load)?;
            let bytes: u64 = manifest.segments.iter().map(|segment| segment.length).sum();
            let warm = options
                .warm
                .unwrap_or_else(|| match crate::memory::available() {
                    Some(available) if bytes > available / 2 => Warm::Filter,
                    _ => Warm::All,
                });
            let warmed = match warm {
                Warm::All => segment.warm(),
                Warm::Filter => segment.warm_filter(),
                Warm::Nothing => Ok(()),
            };
            warmed.map_err(|damage| {
                LoadError::segment(manifest.generation, &store.segment_path(entry), damage)
            })?;
            segments.push(Arc::new(segment));
        }
        let changes = segments.iter().skip(1).map(AsRef::as_ref);
        let changed = UnionFilter::of(changes).map_err(|damage| LoadError::Segment {
            generation: manifest.generation,
            source: OpenError {
                path: store.path().to_owned(),
                damage,
            },
        })?;
        // The base counts its own; the manifest says what changes have changed of that.
        let base = segments.first().map_or(&[][..], |base| base.counts());
        let counts = Counts::read(&manifest.counts).added_to(base);
        Ok(Self {
            coverage: CoverageTable::new(&manifest, &counts),
            manifest,
            segments,
            changed,
            counts,
        })
    }

    /// One that holds nothing.
    #[cfg(test)]
    pub(crate) fn without_segments() -> Self {
        let manifest = Manifest {
            format: manifest::FORMAT,
            store: String::new(),
            generation: 1,
            previous: None,
            event: Event::Build,
            built_at: Timestamp::UNIX_EPOCH,
            not_after: None,
            as_of: String::new(),
            base: 1,
            documents: 0,
            segments: Vec::new(),
            counts: Vec::new(),
            sources: Vec::new(),
            delta: None,
        };
        Self {
            coverage: CoverageTable::new(&manifest, &[]),
            segments: Vec::new(),
            changed: None,
            counts: Vec::new(),
            manifest,
        }
    }

    /// What it consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its segments: the base, then those of changes, newest last.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// Documents by issuing State, type, source and status, changes included.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// Its generation, which rises with every publish.
    pub fn generation(&self) -> u64 {
        self.manifest.generation
    }

    /// When it was built.
    pub fn built_at(&self) -> Timestamp {
        self.manifest.built_at
    }

    /// The oldest instant that the data of any of its sources describe.
    pub fn data_as_of(&self) -> Timestamp {
        self.manifest.data_as_of()
    }

    /// Distinct documents reported.
    pub fn documents(&self) -> u64 {
        self.manifest.documents
    }
}
