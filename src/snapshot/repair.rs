//! Finding out what of a store is intact, and making the newest intact snapshot current again.
//!
//! - A pointer, manifest or signature that is damaged is restored as it was: of manifests and signatures there are two
//!   copies, and digests (or, where the pointer is lost, their being equal, or a trusted signature) say which is right.
//! - Where a segment of the current snapshot is damaged, or one of those kept beside it, the newest base that is intact is published under a new
//!   generation, with all changes that its lists do not know. Changes stand in two files, as they came and as they are
//!   served, and are lost only with both.
//! - Where no base is intact, a build over the damaged one goes on from the manifest.

use super::draft::{Draft, Published};
use super::error::{LoadError, PublishError};
use super::examination::{DamagedFile, Examination};
use super::manifest::{Act, Event, Manifest, not_undone};
use super::published_changes::{self, LostChanges};
use super::signature::SignatureError;
use super::store::Store;
use super::terms::Terms;
use super::turn::{self, Turn};
use super::writer::with_changes;
use crate::files;
use crate::index::{LoadMode, Segment};
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

/// What was found, and what was done about it.
#[derive(Debug)]
pub struct Repaired {
    /// Files that are damaged or missing, and what is wrong with each.
    pub damaged: Vec<DamagedFile>,
    /// The snapshots that the manifests tell of, newest first.
    pub snapshots: Vec<ExaminedSnapshot>,
    /// Segments and bytes in them that were read.
    pub read: (u64, u64),
    /// What was done.
    pub outcome: RepairOutcome,
    /// The first and the last of the generations that were published and of which no manifest is left.
    pub generations_lost: Option<(u64, u64)>,
    /// Lists that are not in the snapshot that is current now: source, and the instant that its list describes.
    pub lists_lost: Vec<(String, Timestamp)>,
    /// Changes that are lost.
    pub changes_lost: Vec<LostChanges>,
}

/// A snapshot that a manifest tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminedSnapshot {
    /// Its generation.
    pub generation: u64,
    /// What made it.
    pub event: Event,
    /// When it was published.
    pub published_at: Timestamp,
    /// Documents that it reports.
    pub documents: u64,
    /// Whether its base can be read.
    pub base_is_intact: bool,
    /// Whether all its segments can be read, those included that no server opens.
    pub is_intact: bool,
}

/// What a repair came to.
#[derive(Debug)]
pub enum RepairOutcome {
    /// What is current is intact, and nothing was changed.
    Intact,
    /// What is current is intact; files beside it were restored, or, as nothing was to be changed, would be.
    Restored,
    /// An intact snapshot was published, or, as nothing was to be changed, would be: over this base.
    Published {
        /// The generation that first published the base.
        base: u64,
        /// What was published.
        published: Option<Box<Published>>,
    },
    /// No base is intact. A build goes on from the manifest.
    NoBase,
    /// No manifest is intact.
    NoManifest,
    /// What is current is not signed with a trusted key, and nothing was changed: whoever wrote it may have written the
    /// copies, too.
    NotTrusted(SignatureError),
}

impl Store {
    /// Looks at every file of the store at `path`, and restores what can be restored, unless `dry_run`.
    ///
    /// # Errors
    /// [`PublishError`]; what was current stays so.
    pub fn repair(
        path: impl Into<PathBuf>,
        terms: Terms,
        act: Act<'_>,
        dry_run: bool,
    ) -> Result<Repaired, PublishError> {
        let path = path.into();
        let store = Self {
            path: path.clone(),
            terms,
        };
        match Self::open(&path) {
            // Not made here if it does not exist.
            Err(error @ LoadError::NotAStore(_)) => return Err(error.into()),
            Err(LoadError::NoPointer { .. }) | Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let (turn, _still) = match dry_run {
            true => (None, turn::keep_still(&store)?),
            false => (Some(Turn::take(&store)?), None),
        };
        let examination = Examination::new(&store)?;
        let mut repaired = Repaired {
            damaged: examination.damaged.clone(),
            snapshots: examination.snapshots(),
            read: examination.read(),
            outcome: RepairOutcome::NoManifest,
            generations_lost: None,
            lists_lost: Vec::new(),
            changes_lost: Vec::new(),
        };
        let Some(head) = examination.chain.first() else {
            return Ok(repaired);
        };
        if let Some(why) = &examination.distrusted {
            repaired.outcome = RepairOutcome::NotTrusted(why.clone());
            return Ok(repaired);
        }
        if !dry_run {
            examination.restore(&store)?;
        }
        let mut terms = store.terms.clone();
        if examination.seen > head.generation {
            // Servers may have seen what is lost: nothing is published under its generations again.
            repaired.generations_lost = Some((head.generation + 1, examination.seen));
            terms = terms.at_least_above(examination.seen);
        }
        let next = terms.generation_after(head.generation);
        let turn = turn.map(|mut turn| {
            turn.set_terms(terms);
            Arc::new(turn)
        });
        let above = next > head.generation + 1 || repaired.generations_lost.is_some();
        let lists = |base: Option<&Manifest>| lists_lost(head, base);
        if examination.is_intact(head) {
            repaired.changes_lost = published_changes::changes(&store, &examination.chain, head)?.1;
            repaired.outcome = match (above, examination.nothing_to_restore()) {
                (true, _) => RepairOutcome::Published {
                    base: head.base,
                    published: match &turn {
                        None => None,
                        Some(turn) => Some(Box::new(again(turn, act)?.publish(Vec::new())?)),
                    },
                },
                (false, true) => RepairOutcome::Intact,
                (false, false) => RepairOutcome::Restored,
            };
            return Ok(repaired);
        }
        let mut bases = not_undone(&examination.chain);
        let Some(base) = bases.find(|one| examination.base_is_intact(one)) else {
            repaired.lists_lost = lists(None);
            repaired.changes_lost = published_changes::changes(&store, &examination.chain, head)?.1;
            repaired.outcome = RepairOutcome::NoBase;
            return Ok(repaired);
        };
        repaired.lists_lost = lists(Some(base));
        let published = if let Some(turn) = &turn {
            let draft = over(turn, base, act)?;
            repaired.changes_lost = draft.lost().to_vec();
            let lost = repaired.lists_lost.iter();
            let lost = lost.map(|(name, as_of)| format!("lost: the list of {name} as of {as_of}"));
            let notes = lost.chain(draft.lost().iter().map(ToString::to_string));
            let notes = notes.collect();
            Some(Box::new(draft.publish(notes)?))
        } else {
            repaired.changes_lost = published_changes::changes(&store, &examination.chain, base)?.1;
            None
        };
        repaired.outcome = RepairOutcome::Published {
            base: base.base,
            published,
        };
        Ok(repaired)
    }
}

impl Examination {
    fn snapshots(&self) -> Vec<ExaminedSnapshot> {
        let examined = |manifest: &Manifest| ExaminedSnapshot {
            generation: manifest.generation,
            event: manifest.event,
            published_at: manifest.published_at,
            documents: manifest.documents,
            base_is_intact: self.base_is_intact(manifest),
            is_intact: self.is_intact(manifest),
        };
        // Of most only what they have changed is kept.
        let kept = self.chain.iter().enumerate();
        let kept = kept.filter(|(place, manifest)| *place < 2 || manifest.begins_base());
        kept.map(|(_, manifest)| examined(manifest)).collect()
    }

    /// Puts back what is damaged, the pointer last.
    fn restore(&self, store: &Store) -> Result<(), PublishError> {
        for path in &self.set_aside {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".damaged");
            files::rename(path, aside.as_ref()).map_err(PublishError::io(path))?;
        }
        for (path, bytes) in &self.writes {
            files::write_whole(path, bytes).map_err(PublishError::io(path))?;
        }
        if let Some(line) = &self.pointer {
            let path = store.path.join(Store::POINTER);
            files::write_whole(&path, line.as_bytes()).map_err(PublishError::io(&path))?;
        }
        Ok(())
    }

    fn nothing_to_restore(&self) -> bool {
        self.writes.is_empty() && self.set_aside.is_empty() && self.pointer.is_none()
    }
}

/// The lists of a snapshot that another base does not have.
fn lists_lost(head: &Manifest, base: Option<&Manifest>) -> Vec<(String, Timestamp)> {
    let has = base.map(Manifest::lists).unwrap_or_default();
    let lists = head.lists();
    let lost = head.sources.iter().filter(|source| {
        let list = lists.get(&source.name);
        list.is_some() && list != has.get(&source.name)
    });
    lost.map(|source| (source.name.clone(), source.as_of))
        .collect()
}

/// What is current under another generation.
fn again(turn: &Arc<Turn>, act: Act<'_>) -> Result<Draft, PublishError> {
    let (pointer, current) = turn.current()?;
    let manifest = current.next(&pointer, Event::Repair, act, &turn.store().terms);
    Draft::new(Arc::clone(turn), manifest, Vec::new())
}

/// The base of a snapshot, with all changes that its lists do not know.
fn over(turn: &Arc<Turn>, base: &Manifest, act: Act<'_>) -> Result<Draft, PublishError> {
    let store = turn.store();
    let (pointer, current) = turn.current()?;
    let next = current.next(&pointer, Event::Repair, act, &store.terms);
    let lists = base.sources.iter();
    let lists: Vec<_> = lists.filter(|one| one.list.is_some()).cloned().collect();
    let manifest = Manifest {
        // What is restored is as old as it is.
        built_at: match base.lists() == current.lists() {
            true => current.built_at,
            false => base.built_at,
        },
        as_of: base.as_of,
        base: base.base,
        base_built_at: base.base_built_at,
        segments: base.segments.iter().take(1).cloned().collect(),
        counts: Vec::new(),
        hidden: Vec::new(),
        sources: with_changes(&lists, next.generation, Some(current)),
        ..next
    };
    let mut segments: Vec<Arc<Segment>> = Vec::new();
    for entry in &manifest.segments {
        let segment = store.open_segment(base.generation, entry, LoadMode::Mmap)?;
        segments.push(Arc::new(segment));
    }
    let mut draft = Draft::new(Arc::clone(turn), manifest, segments)?;
    draft.carry()?;
    draft.count_hidden()?;
    Ok(draft)
}
