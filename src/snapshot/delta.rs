//! Publishing changes to the current snapshot: additions and withdrawals, live within seconds.

use super::changes::{self, Replaced, View};
use super::counts::{Counts, Tally};
use super::draft::{Draft, open_built};
use super::error::PublishError;
use super::manifest::{Act, DeltaEntry, DeltaSource, Event, Manifest, SegmentEntry, SourceEntry};
use super::precedence::Lists;
use super::rows::{Before, ChangeAccount, ChangeRows, NotedRow, Outcome};
use super::store::{Pointer, REJECTS, Store};
use super::terms::Terms;
use super::turn::{self, Turn};
use super::{Holding, LoadOptions, Snapshot, Warm};
use crate::index::{BuildOptions, LoadMode, Segment};
use crate::report::{Authority, Day};
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
    /// Of what no answer depends on.
    kept: Vec<Arc<Segment>>,
    lists: Lists,
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
        let kept = self.kept_segments(manifest)?.into_iter();
        let kept = kept.map(Arc::new).collect();
        Ok(Delta {
            turn,
            pointer,
            snapshot,
            kept,
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

    fn terms(&self) -> &Terms {
        &self.turn.store().terms
    }

    /// Takes the rows of the changes; `memory` bytes of what comes of them are held, more goes through scratch files.
    pub fn rows(&self, memory: u64, threads: usize) -> ChangeRows {
        ChangeRows::new(BuildOptions {
            memory,
            threads,
            scratch: self.turn.scratch(),
        })
    }

    /// Writes down what the rows come to, and says what becomes of each on a day. `authorities` is the directory for the
    /// codes that they name.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn build(
        &self,
        rows: ChangeRows,
        authorities: &[Authority<'_>],
        today: Day,
    ) -> Result<Changes, PublishError> {
        let path = self.turn.scratch_file("delta");
        let before = Before {
            view: self.view(),
            retracted: self.snapshot.manifest().retracted_sources(),
            generation: self.terms().generation_after(self.snapshot.generation()),
            today,
        };
        let outcome = rows.build(&before, &path, authorities)?;
        let segment = open_built(&path)?;
        Ok(Changes {
            path,
            segment,
            outcome,
        })
    }

    fn view(&self) -> View<'_> {
        View {
            segments: self.snapshot.segments(),
            kept: &self.kept,
            lists: &self.lists,
        }
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
        changes::without(&changes.segment, sources, (&files.0, &files.1))?;
        let segment = open_built(&files.1)?;
        Ok(Changes {
            path: files.1,
            segment,
            outcome: changes.outcome.clone(),
        })
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
                segment: SegmentEntry::of_changes(&changes.segment),
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
        let changed = segments.get(1..).unwrap_or_default();
        let replaced = Replaced {
            staying: segments.len() - changed.len() + staying(changed, delta.documents()),
            kept_staying: staying(&self.kept, delta.documents()),
        };
        let retracted = draft.retracted();
        let mut tally = Tally {
            plain: Counts::read(&draft.manifest().counts),
            hidden: Counts::read(&draft.manifest().hidden),
            retracted: &retracted,
        };
        draft.apply(delta, (&self.kept, &self.lists), replaced, &mut tally)?;
        draft.count(&tally.plain, &tally.hidden);
        Ok(())
    }
}

/// How many of some segments stay when one of about so many documents comes after them.
fn staying(segments: &[Arc<Segment>], mut documents: u64) -> usize {
    let mut staying = segments.len();
    while let Some(newest) = segments.get(..staying).and_then(<[_]>::last)
        && (newest.documents() < GROWTH * documents || staying >= SEGMENTS_MAX)
    {
        documents += newest.documents();
        staying -= 1;
    }
    staying
}

/// Changes, written down.
#[derive(Debug)]
pub struct Changes {
    path: PathBuf,
    segment: Segment,
    outcome: Outcome,
}

impl Changes {
    /// What became of the rows of a source that describe an instant.
    pub fn account(&self, source: &str, as_of: Timestamp) -> ChangeAccount {
        self.outcome.account(source, as_of)
    }

    /// Rows that withdraw or take back, and change nothing that is shown, or not for good.
    pub fn noted(&self) -> &[NotedRow] {
        &self.outcome.noted
    }

    /// Documents of which each source withdraws a report that is shown.
    pub fn withdrawn(&self) -> BTreeMap<String, u64> {
        self.outcome.withdrawn()
    }
}

/// The sources of a snapshot after changes of some of them.
fn changed(before: &[SourceEntry], changes: &[SourceEntry]) -> Vec<SourceEntry> {
    let mut sources = before.to_vec();
    for change in changes {
        match sources.iter_mut().find(|source| source.name == change.name) {
            Some(source) => {
                source.changed = source.changed.max(Some(change.as_of));
                source.exempt_as(change);
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
