//! A snapshot that is put together and may then be made current, or not.

use super::changes::{self, Replaced, View};
use super::counts::{Counts, Tally};
use super::error::{Afterwards, PublishError};
use super::figures::{Figures, Measure, Reference};
use super::hiding;
use super::history::{self, Happened, Happening};
use super::intervention::{Hold, Holder};
use super::manifest::{Act, DeltaEntry, Event, Manifest, SegmentEntry};
use super::precedence::{Lists, Retracted};
use super::published_changes::{self, LostChanges};
use super::turn::{self, Turn};
use super::{Holding, LoadOptions, Snapshot, Warm};
use crate::files;
use crate::index::{Count, CountOf, LoadMode, Segment};
use crate::report::Day;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A snapshot that may be made current. Holds the right to change the store until it is dropped, but for one of changes,
/// which takes that right when it is published.
#[derive(Debug)]
pub struct Draft {
    turn: Arc<Turn>,
    before: Option<Manifest>,
    reference: Option<Reference>,
    manifest: Manifest,
    /// Those of the manifest.
    segments: Vec<Arc<Segment>>,
    /// Files that get their places in the store once it is published.
    built: Vec<(PathBuf, SegmentEntry)>,
    lost: Vec<LostChanges>,
}

/// A snapshot that was made current, durably.
#[derive(Debug)]
pub struct Published {
    /// Its manifest.
    pub manifest: Manifest,
    /// What failed afterwards: the snapshot is current all the same.
    pub warnings: Vec<Afterwards>,
}

impl Draft {
    /// One that consists of the segments of a manifest, which are in the store.
    pub(super) fn new(
        turn: Arc<Turn>,
        mut manifest: Manifest,
        segments: Vec<Arc<Segment>>,
    ) -> Result<Self, PublishError> {
        let terms = &turn.store().terms;
        manifest.not_after = terms.not_after(manifest.built_at, manifest.not_after);
        let chain = turn.chain()?;
        Ok(Self {
            before: chain.first().cloned(),
            reference: Reference::of(chain),
            turn,
            manifest,
            segments,
            built: Vec::new(),
            lost: Vec::new(),
        })
    }

    /// Changes that it lacks because their files are damaged.
    pub fn lost(&self) -> &[LostChanges] {
        &self.lost
    }

    /// What would be published.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What is current; `None` where nothing has been published yet.
    pub fn before(&self) -> Option<&Manifest> {
        self.before.as_ref()
    }

    /// What it is measured against; `None` where nothing has been published yet.
    pub fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    /// Its segments: the base, then those of changes.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The snapshot that it would be, and the one that is current, if there is one: to be compared.
    ///
    /// # Errors
    /// [`PublishError`] when a segment can't be read.
    pub fn snapshots(&self) -> Result<(Option<Snapshot>, Snapshot), PublishError> {
        let options = LoadOptions {
            load: LoadMode::Mmap,
            warm: Some(Warm::Nothing),
        };
        let before = match &self.before {
            None => None,
            Some(before) => {
                let (store, before) = (self.turn.store(), before.clone());
                Some(Snapshot::load(before, store, &options, Holding::Briefly)?)
            }
        };
        let marks = vec![None; self.segments.len()];
        let after = Snapshot::of(self.manifest.clone(), self.segments.clone(), marks)?;
        Ok((before, after))
    }

    /// Documents by source and issuing State, of sources out of service too.
    pub fn figures(&self) -> Figures {
        Figures::of(&self.counts())
    }

    /// All counts, those of sources out of service included.
    fn counts(&self) -> Vec<Count> {
        let base = self.segments.first();
        let base = base.map_or(&[][..], |base| base.counts());
        Counts::read(&self.manifest.counts).added_to(base)
    }

    /// Takes a segment into it that was built at a path.
    pub(super) fn add(&mut self, path: PathBuf, segment: Arc<Segment>) {
        let entry = SegmentEntry::of(&segment);
        self.manifest.segments.push(entry.clone());
        self.segments.push(segment);
        self.built.push((path, entry));
    }

    /// Takes a segment into it that is in the store.
    pub(super) fn reuse(&mut self, entry: SegmentEntry, segment: Arc<Segment>) {
        self.manifest.segments.push(entry);
        self.segments.push(segment);
    }

    /// Leaves the first few of its segments.
    fn truncate(&mut self, segments: usize) {
        self.manifest.segments.truncate(segments);
        self.segments.truncate(segments);
    }

    /// Takes a segment of what no answer depends on into it that was built at a path.
    fn keep(&mut self, path: PathBuf, segment: &Segment) {
        let entry = SegmentEntry::of(segment);
        self.manifest.kept.push(entry.clone());
        self.built.push((path, entry));
    }

    /// Takes the changes that it brings into it, as they came.
    pub(super) fn bring(&mut self, path: PathBuf, delta: DeltaEntry) {
        self.built.push((path, delta.segment.clone()));
        self.manifest.delta = Some(delta);
    }

    /// Sets what is counted.
    pub(super) fn count(&mut self, plain: &Counts, hidden: &Counts) {
        self.manifest.counts = plain.write();
        self.manifest.hidden = hidden.write();
        let base = self.segments.first();
        let base = base.map_or(0, |base| reported(base));
        let more = plain.documents() + hidden.documents();
        self.manifest.documents = base.saturating_add_signed(more);
    }

    /// Counts anew what it changes that sources are out of service: reads all of it where any is.
    pub(super) fn count_hidden(&mut self) -> Result<(), PublishError> {
        let retracted = self.retracted();
        let mut tally = Tally::new(&retracted);
        if !retracted.is_empty() {
            let lists = self.manifest.lists();
            let view = View {
                segments: &self.segments,
                kept: &[],
                lists: &lists,
            };
            hiding::hide(view, &mut tally)?;
        }
        let plain = Counts::read(&self.manifest.counts);
        self.count(&plain, &tally.hidden);
        Ok(())
    }

    /// Takes the sources that a guard holds, with the reasons.
    pub fn hold_by_guard<'h>(&mut self, held: impl IntoIterator<Item = (&'h str, String)>) {
        let before = self.before.as_ref().map_or(&[][..], |before| &before.held);
        let manifest = &mut self.manifest;
        for (source, reason) in held {
            match manifest.held.iter_mut().find(|hold| hold.source == source) {
                Some(hold) if hold.holder == Holder::Operator => {}
                Some(hold) => hold.reason = reason,
                None => {
                    // One that has no list yet has been held since its first.
                    let mut before = before.iter();
                    let lasting = before.find(|hold| hold.source == source);
                    manifest.held.push(match lasting {
                        Some(hold) => Hold {
                            reason,
                            ..hold.clone()
                        },
                        None => Hold {
                            source: source.to_owned(),
                            holder: Holder::Guard,
                            since: manifest.generation,
                            at: manifest.published_at,
                            by: manifest.by.clone(),
                            reason,
                        },
                    });
                }
            }
        }
    }

    /// Whether it consists of the segments that are current, so that it shows the same documents.
    pub fn has_current_segments(&self) -> bool {
        self.before.as_ref().is_some_and(|before| {
            let of_manifest = |manifest: &Manifest| {
                let digests = manifest
                    .segments
                    .iter()
                    .map(|segment| segment.digest.clone());
                (digests.collect::<Vec<_>>(), manifest.retracted_sources())
            };
            of_manifest(before) == of_manifest(&self.manifest)
        })
    }

    /// Says that it shows the same documents as what is current: it is then no further base to go back to.
    pub fn continue_base(&mut self) {
        if let Some(before) = &self.before {
            self.manifest.base = before.base;
            self.manifest.measure = None;
        }
    }

    /// Lets what comes after it be measured against it.
    pub(super) fn measure(&mut self) {
        self.manifest.measure = Some(Measure {
            documents: self.manifest.documents,
            figures: self.figures().write(),
        });
    }

    /// Lets what comes after it be measured against it in some figures, by source and code of the issuing State, and
    /// with `overall` in the number of documents: for what was accepted once and need not be again.
    pub fn accept(&mut self, which: impl Fn(&str, &str) -> bool, overall: bool) {
        let Some(reference) = &self.reference else {
            return;
        };
        let mut figures = reference.figures.clone();
        figures.replace(&self.figures(), which);
        self.manifest.measure = Some(Measure {
            documents: match overall {
                true => self.manifest.documents,
                false => reference.documents,
            },
            figures: figures.write(),
        });
    }

    pub(super) fn retracted(&self) -> Retracted {
        self.manifest.retracted_sources()
    }

    /// Applies to one that consists of a base all changes published so far that its lists do not hold.
    pub(super) fn carry(&mut self) -> Result<(), PublishError> {
        let lists = self.manifest.lists();
        let (deltas, lost) =
            published_changes::changes(self.turn.store(), self.turn.chain()?, &self.manifest)?;
        self.lost = lost;
        let gathered = self.turn.scratch_file("gathered");
        if changes::gather(&deltas, &lists, (self.turn.scratch(), &gathered))?.is_none() {
            return Ok(());
        }
        let gathered = open_built(&gathered)?;
        let retracted = self.retracted();
        let mut tally = Tally::new(&retracted);
        let replaced = Replaced {
            staying: self.segments.len(),
            kept_staying: 0,
        };
        self.apply(&gathered, (&[], &lists), replaced, &mut tally)?;
        self.count(&tally.plain, &tally.hidden);
        Ok(())
    }

    /// Applies changes to it; `kept` are its segments of what no answer depends on. Those built take the place of its
    /// newest ones.
    pub(super) fn apply(
        &mut self,
        change: &Segment,
        (kept, lists): (&[Arc<Segment>], &Lists),
        replaced: Replaced,
        tally: &mut Tally<'_>,
    ) -> Result<(), PublishError> {
        let [changed_path, kept_path] =
            ["changes", "kept"].map(|name| self.turn.scratch_file(name));
        let view = View {
            segments: &self.segments,
            kept,
            lists,
        };
        let paths: [&Path; 2] = [&changed_path, &kept_path];
        let today = Day::from_timestamp(self.manifest.built_at);
        let files = (self.turn.scratch(), paths);
        let built = changes::apply(view, change, replaced, files, today, tally)?;
        self.truncate(replaced.staying);
        self.manifest.kept.truncate(replaced.kept_staying);
        if built.documents > 0 {
            let changed = Arc::new(open_built(&changed_path)?);
            self.add(changed_path, changed);
        }
        if built.kept > 0 {
            let kept = open_built(&kept_path)?;
            self.keep(kept_path, &kept);
        }
        Ok(())
    }

    /// Makes it current. `notes` are for the history.
    ///
    /// # Errors
    /// [`PublishError`]; what was current stays so, but for [`PublishError::Uncertain`]. [`PublishError::Overtaken`] where
    /// it was prepared without the right to publish it, and something else was published meanwhile.
    pub fn publish(self, notes: Vec<String>) -> Result<Published, PublishError> {
        self.turn.claim()?;
        let pinned = self
            .before
            .as_ref()
            .and_then(|before| before.pinned.as_ref());
        if let (Event::Build, Some(pin)) = (self.manifest.event, pinned) {
            return Err(PublishError::Pinned(pin.clone()));
        }
        // Before a file is moved: what can't be published stays where it was.
        let store = self.turn.store();
        store.terms.check(self.manifest.published_at)?;
        if let Some(before) = turn::pointer(store)? {
            turn::check_signing(store, &before)?;
        }
        for (path, entry) in &self.built {
            if self.manifest.kept.contains(entry) {
                // The changes that brought what is in it may be gone.
                let copy = store.copy_path(entry);
                files::copy_whole(path, &copy).map_err(PublishError::io(&copy))?;
            }
            self.turn.keep(path, entry)?;
        }
        let before = self.before.as_ref().map_or(0, |before| before.documents);
        let happened = Happened::published(&self.manifest, before, notes);
        let warnings = self.turn.publish(&self.manifest, &happened)?;
        Ok(Published {
            manifest: self.manifest,
            warnings,
        })
    }

    /// Leaves what is current as it is, and notes in the history why.
    ///
    /// # Errors
    /// [`PublishError::Io`] when the history can't be written; as [`publish`](Self::publish) where it was prepared
    /// without the right to publish it.
    pub fn give_up(
        self,
        event: Happening,
        act: Act<'_>,
        notes: Vec<String>,
    ) -> Result<(), PublishError> {
        self.turn.claim()?;
        let before = self.before.as_ref();
        let happened = Happened::not_published(event, before, self.manifest.documents, act, notes);
        history::append(self.turn.store(), &happened)
    }
}

/// Documents that a segment reports.
pub(super) fn reported(segment: &Segment) -> u64 {
    let all = segment.counts().iter();
    let all = all.filter(|count| count.of == CountOf::All);
    all.map(|count| count.documents).sum()
}

/// Opens a segment just built, which reads back all of it.
///
/// # Errors
/// [`PublishError::ReadBack`].
pub(super) fn open_built(path: &Path) -> Result<Segment, PublishError> {
    Segment::open(path, LoadMode::Mmap).map_err(PublishError::ReadBack)
}
