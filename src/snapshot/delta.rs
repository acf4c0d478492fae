//! Publishing changes to the current snapshot: additions and withdrawals, live within seconds.

use super::changes::{self, Key, View};
use super::counts::Counts;
use super::error::PublishError;
use super::manifest::{DeltaEntry, DeltaSource, Event, Manifest, SourceEntry};
use super::precedence::Lists;
use super::store::{Pointer, REJECTS, Store};
use super::turn::Turn;
use super::writer::open;
use super::{LoadError, LoadOptions, Snapshot, Warm};
use crate::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use crate::index::{
    BuildOptions, BuildSummary, Damage, Edition, LoadMode, Said, Segment, SegmentBuilder,
};
use crate::report::Authority;
use jiff::Timestamp;
use std::path::PathBuf;

/// Most segments of changes that a snapshot has: each of them may be asked about a document.
const SEGMENTS_MAX: usize = 8;
/// A segment of changes is merged into the next newer one when that is not this many times smaller: so that few
/// segments are there, and what is in one is written again only a few times.
const GROWTH: u64 = 4;

/// Changes in the making; holds the right to change what is current until dropped.
#[derive(Debug)]
pub struct Delta {
    turn: Turn,
    pointer: Pointer,
    snapshot: Snapshot,
    lists: Lists,
}

/// What a row of changes comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearing {
    /// It changes what is known.
    Changes,
    /// The source's list, or something that it has said of every document of the row, is later.
    Superseded,
    /// There is nothing to withdraw. These are the documents with the number that are reported.
    Unmatched(Vec<(IssuingState, DocumentType)>),
}

/// The source of a row of changes.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    /// Its name.
    pub source: &'a str,
    /// Whether it is not the issuing State's own.
    pub third_party: bool,
    /// When it speaks.
    pub edition: Edition,
}

impl Store {
    /// Waits for the right to change the current snapshot of this store, and opens it.
    ///
    /// # Errors
    /// [`PublishError`] when another process has the right for too long, or the snapshot can't be read.
    pub fn delta(&self) -> Result<Delta, PublishError> {
        let turn = Turn::take(self)?;
        let (pointer, manifest) = turn
            .current()?
            .ok_or_else(|| LoadError::NotAStore(self.path.clone()))?;
        let options = LoadOptions {
            load: LoadMode::Mmap,
            warm: Some(Warm::Nothing),
        };
        let lists = manifest.lists();
        let snapshot = Snapshot::load(manifest, self, &options, &[])?;
        Ok(Delta {
            turn,
            pointer,
            snapshot,
            lists,
        })
    }
}

impl Delta {
    /// The snapshot that is changed.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The folder for rejected rows.
    pub fn rejects(&self) -> PathBuf {
        self.turn.store().path.join(REJECTS)
    }

    /// The edition of changes that describe an instant.
    pub fn edition(&self, as_of: Timestamp) -> Edition {
        Edition {
            as_of,
            generation: self.snapshot.generation() + 1,
        }
    }

    /// Takes the changes, each with its edition.
    pub fn builder(&self, memory: u64, threads: usize) -> SegmentBuilder {
        SegmentBuilder::new(BuildOptions {
            memory,
            threads,
            scratch: self.turn.scratch(),
        })
    }

    /// What it comes to when a source reports documents.
    ///
    /// # Errors
    /// [`Damage`] when the current snapshot can't be read.
    pub fn report(
        &self,
        numbers: NumberRange,
        (state, document_type): (IssuingState, DocumentType),
        speaker: Speaker<'_>,
    ) -> Result<Bearing, Damage> {
        for number in numbers {
            if !self.superseded(&(number, state, document_type), speaker)? {
                return Ok(Bearing::Changes);
            }
        }
        Ok(Bearing::Superseded)
    }

    /// What it comes to when a source withdraws documents: it must have reported one, or, as the issuing State's
    /// own, anybody.
    ///
    /// # Errors
    /// [`Damage`] when the current snapshot can't be read.
    pub fn withdraw(
        &self,
        numbers: NumberRange,
        (state, document_type): (IssuingState, DocumentType),
        speaker: Speaker<'_>,
    ) -> Result<Bearing, Damage> {
        let mut superseded = true;
        for number in numbers {
            let key = (number, state, document_type);
            if self.superseded(&key, speaker)? {
                continue;
            }
            superseded = false;
            let said = self.view().said(&key)?;
            if said.iter().any(|one| {
                one.stands() && (!speaker.third_party || one.statement.source == speaker.source)
            }) {
                return Ok(Bearing::Changes);
            }
        }
        if superseded {
            return Ok(Bearing::Superseded);
        }
        Ok(Bearing::Unmatched(self.reported(numbers.start())?))
    }

    /// Whether the source's list, or something it has said of the document, is later.
    fn superseded(&self, key: &Key, speaker: Speaker<'_>) -> Result<bool, Damage> {
        let edition = speaker.edition;
        if self
            .lists
            .get(speaker.source)
            .is_some_and(|list| edition <= *list)
        {
            return Ok(true);
        }
        let said = self.view().said(key)?;
        Ok(said.iter().any(|one| {
            let owners_withdrawal =
                !one.statement.third_party && matches!(one.statement.said, Said::Withdrawn { .. });
            let later = one.edition > edition;
            later
                && (one.statement.source == speaker.source
                    || speaker.third_party && owners_withdrawal)
        }))
    }

    /// The documents with a number that are reported.
    fn reported(
        &self,
        number: DocumentNumber,
    ) -> Result<Vec<(IssuingState, DocumentType)>, Damage> {
        let mut keys = Vec::new();
        for segment in self.snapshot.segments() {
            for document in segment.find(&number)? {
                let document = document?;
                keys.push((document.issuing_state, document.document_type));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let mut reported = Vec::new();
        for (state, document_type) in keys {
            let said = self.view().said(&(number, state, document_type))?;
            if said.iter().any(|one| one.stands()) {
                reported.push((state, document_type));
            }
        }
        Ok(reported)
    }

    fn view(&self) -> View<'_> {
        View {
            segments: self.snapshot.segments(),
            lists: &self.lists,
        }
    }

    /// Writes down the changes given to a builder of [`builder`](Self::builder), as they came. `authorities` is the
    /// directory for the codes that they name.
    ///
    /// # Errors
    /// [`PublishError`]; the old snapshot then stays current.
    pub fn build(
        &self,
        builder: SegmentBuilder,
        authorities: &[Authority<'_>],
    ) -> Result<BuildSummary, PublishError> {
        Ok(builder.finish(&self.path(), authorities, |_, _| {})?)
    }

    fn path(&self) -> PathBuf {
        self.turn.scratch().join("delta")
    }

    /// Publishes what [`build`](Self::build) has written down; `sources` are those of the changes, with what
    /// became of their rows.
    ///
    /// # Errors
    /// [`PublishError`]; the old snapshot then stays current.
    pub fn publish(
        self,
        summary: &BuildSummary,
        sources: &[SourceEntry],
        (built_at, by): (Timestamp, &str),
    ) -> Result<Manifest, PublishError> {
        let before = self.snapshot.manifest();
        let generation = before.generation + 1;
        let mut manifest = Manifest {
            generation,
            previous: Some(self.pointer.digest.clone()),
            event: Event::Delta,
            built_at,
            sources: changed(&before.sources, sources),
            delta: None,
            ..before.clone()
        };
        let path = self.path();
        if summary.documents > 0 {
            let delta = open(generation, &path)?;
            self.merge(&delta, &mut manifest)?;
            manifest.delta = Some(DeltaEntry {
                segment: self.turn.keep(&path, summary)?,
                sources: sources
                    .iter()
                    .map(|source| DeltaSource {
                        name: source.name.clone(),
                        as_of: source.as_of,
                        rows: source.rows,
                    })
                    .collect(),
            });
        }
        self.turn.publish(&manifest, by)?;
        Ok(manifest)
    }

    /// Replaces the newest segments of changes by one with the delta in it.
    fn merge(&self, delta: &Segment, manifest: &mut Manifest) -> Result<(), PublishError> {
        let segments = self.snapshot.segments();
        let mut kept = segments.len();
        let mut documents = delta.documents();
        while let Some(newest) = segments.get(1..kept).and_then(<[_]>::last)
            && (newest.documents() < GROWTH * documents || kept > SEGMENTS_MAX)
        {
            documents += newest.documents();
            kept -= 1;
        }
        let older = segments.get(kept..).unwrap_or_default();
        let scratch = self.turn.scratch();
        let path = scratch.join("changes");
        let mut counts = Counts::read(&manifest.counts);
        let documents_before = counts.documents();
        let summary = changes::apply(self.view(), delta, older, (&scratch, &path), &mut counts)?;
        manifest.segments.truncate(kept);
        manifest.segments.push(self.turn.keep(&path, &summary)?);
        let more = counts.documents() - documents_before;
        manifest.documents = manifest.documents.saturating_add_signed(more);
        manifest.counts = counts.write();
        Ok(())
    }
}

/// The sources of a snapshot after changes of some of them.
fn changed(before: &[SourceEntry], changes: &[SourceEntry]) -> Vec<SourceEntry> {
    let mut sources = before.to_vec();
    for change in changes {
        match sources.iter_mut().find(|source| source.name == change.name) {
            Some(source) => {
                source.changed = source.changed.max(Some(change.as_of));
                if source.list.is_none() {
                    source.as_of = source.newest();
                }
            }
            None => sources.push(SourceEntry {
                list: None,
                changed: Some(change.as_of),
                rows: Default::default(),
                ..change.clone()
            }),
        }
    }
    sources
}
