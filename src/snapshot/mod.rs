//! Many segments as one: manifest, store, and the check of a document against them.
//!
//! A [`Store`] is a folder with one pointer to the [`Manifest`] of the current snapshot;
//! [`Store::load_current`] opens that [`Snapshot`], and [`Snapshot::check`] answers a query from
//! it. What is current is replaced by way of a [`Draft`], atomically: of a base ([`StoreWriter::draft`]) or of changes
//! ([`Delta::draft`]). [`Terms`] say whose signatures are asked for, and who signs.
//!
//! Nothing here reads the clock on its own: callers say what time it is.

mod aside;
mod changes;
mod check;
mod compact;
mod copy;
mod counts;
mod coverage;
mod delta;
mod differences;
mod draft;
mod error;
mod examination;
mod figures;
mod hiding;
mod highest;
mod history;
mod hold;
mod intervention;
mod manifest;
mod precedence;
mod published_changes;
mod repair;
mod retention;
mod retract;
mod rollback;
mod row_account;
mod rows;
pub mod signature;
mod store;
mod terms;
mod turn;
mod workplace;
mod writer;

pub use check::{Answer, Moment};
pub use compact::Compacted;
pub use copy::Authorities;
pub use counts::{CountChange, Counted};
pub use coverage::{Coverage, CoverageLevel};
pub use delta::{Changes, Delta};
pub use differences::{Differences, Shown, compare};
pub use draft::{Draft, Published};
pub use error::{Afterwards, LoadError, PublishError};
pub use examination::DamagedFile;
pub use figures::{Figure, Figures, Measure, Reference};
pub use highest::{HighestSeen, HighestSeenError};
pub use history::{Happened, Happening};
pub use intervention::{Hold, Holder, Pin, Retraction, UndoneList};
pub use manifest::{
    Act, DeltaEntry, DeltaSource, Event, Manifest, PlaceholderExemption, Plausibility, Previous,
    SegmentEntry, SourceEntry,
};
pub use published_changes::LostChanges;
pub use repair::{ExaminedSnapshot, RepairOutcome, Repaired};
pub use retention::Unneeded;
pub use rollback::Rollback;
pub use row_account::RowAccount;
pub use rows::{
    Change, ChangeAccount, ChangeInserter, ChangeRows, NotedRow, RowPosition, StillReported,
};
pub use store::{Pointer, Store};
pub use terms::{Terms, TermsFiles};
pub use writer::{Candidate, CurrentBase, Origin, StoreWriter};

use crate::document::Placeholders;
use crate::files::Lock;
use crate::index::{Count, Damage, LoadMode, Segment, UnionFilter};
use counts::Counts;
use coverage::CoverageTable;
use jiff::Timestamp;
use precedence::{Lists, Retracted};
use signature::KeyId;
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
    /// For each segment that it is in use.
    marks: Vec<Option<Arc<Lock>>>,
    /// Of all segments but the base: asked in place of their own.
    changed: Option<UnionFilter>,
    counts: Vec<Count>,
    coverage: CoverageTable,
    /// Set where sources are out of service: what is said is then weighed without them.
    hiding: Option<Hiding>,
    /// The keys that have signed its manifest, as far as that is known.
    signed_by: Vec<KeyId>,
    /// With what its sources exempt.
    placeholders: Placeholders,
}

/// What it takes to leave sources out.
#[derive(Debug)]
struct Hiding {
    sources: Retracted,
    lists: Lists,
}

/// For how long a snapshot is loaded.
#[derive(Clone, Copy)]
enum Holding<'a> {
    /// By who changes the store, and knows what it needs.
    Briefly,
    /// To be asked: its files are marked as in use. What another snapshot has open is shared.
    InUse(Option<&'a Snapshot>),
}

impl Snapshot {
    /// What stands for "no number" to those who ask of it: without the numbers that its sources say their States really
    /// issue.
    pub fn placeholders(&self) -> &Placeholders {
        &self.placeholders
    }

    /// The snapshot of a manifest whose segments these are.
    fn of(
        manifest: Manifest,
        segments: Vec<Arc<Segment>>,
        marks: Vec<Option<Arc<Lock>>>,
    ) -> Result<Self, Damage> {
        let changes = segments.iter().skip(1).map(AsRef::as_ref);
        let changed = UnionFilter::of(changes)?;
        // The base counts its own; the manifest says what changes have changed of that.
        let base = segments.first().map_or(&[][..], |base| base.counts());
        let all = Counts::read(&manifest.counts).added_to_with_emptied(base);
        let mut counts = Counts::read(&manifest.hidden).added_to_with_emptied(&all);
        let coverage = CoverageTable::new(&manifest, &counts, &all);
        counts.retain(|count| count.documents > 0);
        let hiding = (!manifest.retracted.is_empty()).then(|| Hiding {
            sources: manifest.retracted_sources(),
            lists: manifest.lists(),
        });
        Ok(Self {
            coverage,
            placeholders: manifest.placeholders(),
            manifest,
            segments,
            marks,
            changed,
            counts,
            hiding,
            signed_by: Vec::new(),
        })
    }

    /// Opens, verifies and warms the segments of a manifest, but for those that are open in another snapshot.
    fn load(
        manifest: Manifest,
        store: &Store,
        options: &LoadOptions,
        holding: Holding<'_>,
    ) -> Result<Self, LoadError> {
        let mut segments = Vec::with_capacity(manifest.segments.len());
        let mut marks = Vec::with_capacity(manifest.segments.len());
        for entry in &manifest.segments {
            if let Holding::InUse(Some(other)) = holding
                && let Some((segment, mark)) = other.open(&entry.digest)
            {
                segments.push(Arc::clone(segment));
                marks.push(mark.clone());
                continue;
            }
            marks.push(match holding {
                Holding::Briefly => None,
                Holding::InUse(_) => {
                    retention::mark_in_use(&store.segment_path(entry)).map(Arc::new)
                }
            });
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
        let generation = manifest.generation;
        Self::of(manifest, segments, marks)
            .map_err(|damage| LoadError::segment(generation, store.path(), damage))
    }

    /// A segment that it has open, by its digest, with the mark that it is in use.
    fn open(&self, digest: &str) -> Option<(&Arc<Segment>, &Option<Arc<Lock>>)> {
        let mut open = self.segments.iter().zip(&self.marks);
        open.find(|(segment, _)| {
            !segment.is_suspect() && segment.digest().to_hex().as_str() == digest
        })
    }

    /// One that holds nothing.
    #[cfg(test)]
    pub(crate) fn without_segments() -> Self {
        let act = Act {
            at: Timestamp::UNIX_EPOCH,
            by: "",
            reason: "",
        };
        let manifest = Manifest::first(act, &Terms::default());
        Self {
            coverage: CoverageTable::new(&manifest, &[], &[]),
            segments: Vec::new(),
            marks: Vec::new(),
            hiding: None,
            signed_by: Vec::new(),
            placeholders: Placeholders::EVERYWHERE,
            changed: None,
            counts: Vec::new(),
            manifest,
        }
    }

    /// What it consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The keys that have signed it: those trusted that have, or, where none must have, those that its signatures
    /// name.
    pub fn signed_by(&self) -> &[KeyId] {
        &self.signed_by
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
