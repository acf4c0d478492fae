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
use super::workplace::Workplace;
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

/// So many times changes are prepared while others may publish. If others have published each time, the right to publish
/// is taken first.
const ATTEMPTS_AHEAD: u32 = 4;

/// Changes in the making. Holds the right to make changes until dropped; others publish meanwhile.
#[derive(Debug)]
pub struct Delta {
    of: Opened,
    attempts: u32,
    // Dropped last: the scratch files of all attempts are in its folder.
    workplace: Workplace,
}

/// The snapshot that is changed, opened.
#[derive(Debug)]
struct Opened {
    turn: Arc<Turn>,
    pointer: Pointer,
    snapshot: Snapshot,
    /// Of what no answer depends on.
    kept: Vec<Arc<Segment>>,
    lists: Lists,
}

impl Store {
    /// Waits for the right to make changes to this store, and opens its current snapshot.
    ///
    /// # Errors
    /// [`PublishError`] when another process makes changes for too long, or the snapshot can't be read.
    pub fn delta(&self) -> Result<Delta, PublishError> {
        let workplace = Workplace::take_to_change(self)?;
        let mut attempts = 0;
        Ok(Delta {
            of: Opened::of_what_is_current(&workplace, &mut attempts)?,
            attempts,
            workplace,
        })
    }
}

impl Opened {
    fn of_what_is_current(workplace: &Workplace, attempts: &mut u32) -> Result<Self, PublishError> {
        let store = workplace.store();
        loop {
            *attempts += 1;
            if *attempts > ATTEMPTS_AHEAD {
                return Self::new(Turn::take(store)?);
            }
            let scratch = workplace.scratch().join(attempts.to_string());
            let before = turn::pointer(store)?;
            match Self::new(Turn::without_lock(store, scratch)?) {
                // Its files may have been removed while it was opened.
                Err(_) if turn::pointer(store)? != before => {}
                opened => return opened,
            }
        }
    }

    fn new(turn: Turn) -> Result<Self, PublishError> {
        let turn = Arc::new(turn);
        let store = turn.store();
        let (pointer, manifest) = turn.current()?;
        // Better known now than after the work.
        turn::check_signing(store, &pointer)?;
        let options = LoadOptions {
            load: LoadMode::Mmap,
            warm: Some(Warm::Nothing),
        };
        let lists = manifest.lists();
        let snapshot = Snapshot::load(manifest.clone(), store, &options, Holding::Briefly)?;
        let kept = store.kept_segments(manifest)?.into_iter();
        let kept = kept.map(Arc::new).collect();
        Ok(Self {
            pointer,
            snapshot,
            kept,
            lists,
            turn,
        })
    }
}

impl Delta {
    /// The snapshot that is changed.
    pub fn snapshot(&self) -> &Snapshot {
        &self.of.snapshot
    }

    /// Begins again with the snapshot that is current now, after [`PublishError::Overtaken`]: what becomes of the rows,
    /// and whether a guard trips, may be different over it.
    ///
    /// # Errors
    /// [`PublishError`] when it can't be read; [`PublishError::Locked`] when this takes the right to publish, since
    /// others have published again and again, and another process has it for too long.
    pub fn renew(&mut self) -> Result<(), PublishError> {
        self.of = Opened::of_what_is_current(&self.workplace, &mut self.attempts)?;
        Ok(())
    }

    /// The folder for rejected rows.
    pub fn rejects(&self) -> PathBuf {
        self.workplace.store().path.join(REJECTS)
    }

    fn terms(&self) -> &Terms {
        &self.workplace.store().terms
    }

    /// Takes the rows of the changes; `memory` bytes of what comes of them are held, more goes through scratch files.
    pub fn rows(&self, memory: u64, threads: usize) -> ChangeRows {
        ChangeRows::new(BuildOptions {
            memory,
            threads,
            scratch: self.workplace.scratch().to_owned(),
        })
    }

    /// Writes down what the rows come to, and says what becomes of each on a day. `authorities` is the directory for the
    /// codes that they name.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn build(
        &self,
        rows: &ChangeRows,
        authorities: &[Authority<'_>],
        today: Day,
    ) -> Result<Changes, PublishError> {
        let path = self.of.turn.scratch_file("delta");
        let before = Before {
            view: self.view(),
            retracted: self.of.snapshot.manifest().retracted_sources(),
            generation: self.terms().generation_after(self.of.snapshot.generation()),
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
            segments: self.of.snapshot.segments(),
            kept: &self.of.kept,
            lists: &self.of.lists,
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
        let path = self.of.turn.scratch_file("delta");
        let files = (self.of.turn.scratch(), path);
        changes::without(&changes.segment, sources, (files.0, &files.1))?;
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
        let before = self.of.snapshot.manifest();
        let manifest = Manifest {
            built_at: act.at,
            sources: changed(&before.sources, sources),
            ..before.next(&self.of.pointer, Event::Delta, act, self.terms())
        };
        let segments = self.of.snapshot.segments().to_vec();
        let mut draft = Draft::new(Arc::clone(&self.of.turn), manifest, segments)?;
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
        let segments = self.of.snapshot.segments();
        let changed = segments.get(1..).unwrap_or_default();
        let replaced = Replaced {
            staying: segments.len() - changed.len() + staying(changed, delta.documents()),
            kept_staying: staying(&self.of.kept, delta.documents()),
        };
        let retracted = draft.retracted();
        let mut tally = Tally {
            plain: Counts::read(&draft.manifest().counts),
            hidden: Counts::read(&draft.manifest().hidden),
            retracted: &retracted,
        };
        draft.apply(delta, (&self.of.kept, &self.of.lists), replaced, &mut tally)?;
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
