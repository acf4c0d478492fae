//! Publishing changes to the current snapshot: additions and withdrawals, live within seconds.

use super::changes::{self, Key, View};
use super::counts::{Counts, Tally};
use super::draft::{Draft, open_built};
use super::error::PublishError;
use super::manifest::{Act, DeltaEntry, DeltaSource, Event, Manifest, SegmentEntry, SourceEntry};
use super::precedence::Lists;
use super::store::{Pointer, REJECTS, Store};
use super::terms::Terms;
use super::turn::{self, Turn};
use super::{Holding, LoadOptions, Snapshot, Warm};
use crate::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use crate::index::{
    BuildOptions, BuildSummary, Damage, Edition, LoadMode, Said, Segment, SegmentBuilder,
};
use crate::report::Authority;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Most segments of changes that a snapshot has: each of them may be asked about a document.
const SEGMENTS_MAX: usize = 8;
/// A segment of changes is merged into the next newer one when that is not this many times smaller: so that few
/// segments are there, and what is in one is written again only a few times.
const GROWTH: u64 = 4;

/// Changes in the making; holds the right to change what is current until dropped.
#[derive(Debug)]
pub struct Delta {
    turn: Arc<Turn>,
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
        let turn = Arc::new(Turn::take(self)?);
        let (pointer, manifest) = turn.current()?;
        // Better known now than after the work.
        turn::check_signing(self, &pointer)?;
        let options = LoadOptions {
            load: LoadMode::Mmap,
            warm: Some(Warm::Nothing),
        };
        let lists = manifest.lists();
        let snapshot = Snapshot::load(manifest.clone(), self, &options, Holding::Briefly)?;
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
            generation: self.terms().generation_after(self.snapshot.generation()),
        }
    }

    fn terms(&self) -> &Terms {
        &self.turn.store().terms
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
    /// [`PublishError`].
    pub fn build(
        &self,
        builder: SegmentBuilder,
        authorities: &[Authority<'_>],
    ) -> Result<Changes, PublishError> {
        let path = self.turn.scratch_file("delta");
        let summary = builder.finish(&path, authorities, |_, _| {})?;
        Changes::open(path, summary)
    }

    /// The changes of all but some sources.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn without(
        &self,
        changes: &Changes,
        sources: &BTreeSet<String>,
    ) -> Result<Changes, PublishError> {
        let path = self.turn.scratch_file("delta");
        let files = (self.turn.scratch(), path);
        let summary = changes::without(&changes.segment, sources, (&files.0, &files.1))?;
        Changes::open(files.1, summary)
    }

    /// Puts together the snapshot with changes; `sources` are theirs, with what became of their rows.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn draft(
        &self,
        changes: &Changes,
        sources: &[SourceEntry],
        act: Act<'_>,
    ) -> Result<Draft, PublishError> {
        let before = self.snapshot.manifest();
        let manifest = Manifest {
            built_at: act.at,
            sources: changed(&before.sources, sources),
            ..before.next(&self.pointer, Event::Delta, act, self.terms())
        };
        let segments = self.snapshot.segments().to_vec();
        let mut draft = Draft::new(Arc::clone(&self.turn), manifest, segments)?;
        if changes.segment.documents() > 0 {
            self.merge(&changes.segment, &mut draft)?;
            let entry = DeltaEntry {
                segment: SegmentEntry::of(&changes.segment),
                sources: sources
                    .iter()
                    .map(|source| DeltaSource {
                        name: source.name.clone(),
                        as_of: source.as_of,
                        rows: source.rows,
                    })
                    .collect(),
            };
            draft.bring(changes.path.clone(), entry);
        }
        Ok(draft)
    }

    /// Replaces the newest segments of changes by one with the delta in it.
    fn merge(&self, delta: &Segment, draft: &mut Draft) -> Result<(), PublishError> {
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
        let path = self.turn.scratch_file("changes");
        let retracted = draft.retracted();
        let mut tally = Tally {
            plain: Counts::read(&draft.manifest().counts),
            hidden: Counts::read(&draft.manifest().hidden),
            retracted: &retracted,
        };
        changes::apply(self.view(), delta, older, (&scratch, &path), &mut tally)?;
        draft.truncate(kept);
        let merged = open_built(&path)?;
        draft.add(path, Arc::new(merged));
        draft.count(&tally.plain, &tally.hidden);
        Ok(())
    }
}

/// Changes as they came, written down.
#[derive(Debug)]
pub struct Changes {
    path: PathBuf,
    segment: Segment,
    /// What was written.
    pub summary: BuildSummary,
}

impl Changes {
    fn open(path: PathBuf, summary: BuildSummary) -> Result<Self, PublishError> {
        Ok(Self {
            segment: open_built(&path)?,
            path,
            summary,
        })
    }

    /// Documents that each source withdraws.
    ///
    /// # Errors
    /// [`PublishError`] when the changes can't be read.
    pub fn withdrawn(&self) -> Result<BTreeMap<String, u64>, PublishError> {
        let mut withdrawn = BTreeMap::new();
        changes::each(&self.segment, |_, document| {
            document.each_statement(|statement| {
                if let Said::Withdrawn { .. } = statement.said {
                    *withdrawn.entry(statement.source.to_owned()).or_default() += 1;
                }
            })?;
            Ok(())
        })?;
        Ok(withdrawn)
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
                    source.delivered = source.as_of;
                }
            }
            None => sources.push(SourceEntry {
                list: None,
                digest: None,
                delivered: change.as_of,
                changed: Some(change.as_of),
                rows: Default::default(),
                ..change.clone()
            }),
        }
    }
    sources
}
