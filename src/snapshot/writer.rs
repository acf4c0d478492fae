//! Publishing a base: what was built from lists, with the changes that the lists do not know yet.

use super::copy::{self, Authorities};
use super::counts::Counts;
use super::draft::{Draft, open_built};
use super::error::PublishError;
use super::figures::{Figures, Reference};
use super::intervention::{Hold, Holder, UndoneList};
use super::manifest::{Act, Event, Manifest, SourceEntry, base_as_built};
use super::store::{Pointer, REJECTS, Store};
use super::terms::Terms;
use super::turn::{self, Turn};
use super::workplace::{Workplace, changing};
use crate::index::{BuildOptions, LoadMode, Said, Segment, SegmentBuilder};
use crate::report::Day;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The right to build for a store, held until dropped.
#[derive(Debug)]
pub struct StoreWriter {
    workplace: Workplace,
}

/// What a base was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its sources. One whose `list` is set reports what it does in the current base.
    pub sources: Vec<SourceEntry>,
    /// The day whose end decided which reports had expired.
    pub as_of: Day,
    /// The time of the build.
    pub built_at: Timestamp,
    /// Bases to keep from then on; unset: as many as before.
    pub bases_kept: Option<u32>,
}

/// A base that has been built and read back, and may be published.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub(super) path: PathBuf,
    pub(super) segment: Arc<Segment>,
    pub(super) origin: Origin,
}

impl Candidate {
    /// What it was built from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its segment.
    pub fn segment(&self) -> &Segment {
        &self.segment
    }
}

/// The base that is current: what a source keeps that is held.
#[derive(Debug)]
pub struct CurrentBase {
    /// The manifest.
    pub manifest: Manifest,
    segment: Result<Arc<Segment>, Unreadable>,
    /// The base as it was built, if it can be read: one that was compacted lacks what changes have replaced of lists.
    listed: Option<Arc<Segment>>,
}

/// A base that is damaged.
#[derive(Debug)]
struct Unreadable {
    damage: String,
    /// What it was measured by when it was published.
    figures: Figures,
}

impl CurrentBase {
    /// Documents by source and issuing State, changes included.
    pub fn figures(&self) -> Figures {
        match &self.segment {
            Ok(segment) => {
                let counts = Counts::read(&self.manifest.counts);
                Figures::of(&counts.added_to(segment.counts()))
            }
            Err(unreadable) => unreadable.figures.clone(),
        }
    }

    /// What is wrong with it; `None`: nothing. A damaged one can be replaced, but nothing be taken from it.
    pub fn damage(&self) -> Option<&str> {
        self.segment.as_ref().err().map(|one| one.damage.as_str())
    }

    /// Puts into a segment in the making what some sources report in their lists and what is in force on a day;
    /// returns the authorities that it names.
    ///
    /// # Errors
    /// [`PublishError`] when the base can't be read, or a scratch file not be written.
    pub fn copy_lists(
        &self,
        sources: &BTreeSet<String>,
        builder: &SegmentBuilder,
        today: Day,
        threads: usize,
    ) -> Result<Authorities<'_>, PublishError> {
        let listed = match (&self.listed, &self.segment) {
            (Some(listed), _) | (None, Ok(listed)) => listed,
            (None, Err(unreadable)) => {
                return Err(PublishError::HeldInDamagedBase {
                    sources: sources.iter().cloned().collect(),
                    damage: unreadable.damage.clone(),
                });
            }
        };
        copy::from(listed, builder, threads, |copy, key, documents| {
            for document in documents {
                let key = (key.0, key.1, document.document_type);
                let mut put = Ok(());
                document.each_statement(|mut statement| {
                    // What is dated came as a change, and comes again as one.
                    if statement.edition.is_some()
                        || !sources.contains(statement.source)
                        || put.is_err()
                    {
                        return;
                    }
                    if let Said::Reported(report) | Said::Overruled(report) = statement.said
                        && report.in_force(today)
                    {
                        statement.said = Said::Reported(report);
                        put = copy.put(&key, statement);
                    }
                })?;
                put?;
            }
            Ok(())
        })
    }
}

impl Store {
    /// Takes the right to build for the store at `path`, which is made if it does not exist.
    /// Removes what a killed build has left.
    ///
    /// # Errors
    /// [`PublishError::Locked`] while another process has it, or what the system says.
    pub fn writer(path: impl Into<PathBuf>) -> Result<StoreWriter, PublishError> {
        let store = Self {
            path: path.into(),
            terms: Terms::default(),
        };
        let workplace = Workplace::take_to_build(&store)?;
        let writer = StoreWriter { workplace };
        writer.tidy_aside()?;
        Ok(writer)
    }
}

impl StoreWriter {
    /// Publishes on other terms.
    #[must_use]
    pub fn with_terms(mut self, terms: Terms) -> Self {
        self.workplace.set_terms(terms);
        self
    }

    /// The store.
    pub fn store(&self) -> &Store {
        self.workplace.store()
    }

    /// The folder for the files of a build, empty at first, removed when this is dropped.
    pub fn building(&self) -> PathBuf {
        self.workplace.scratch().to_owned()
    }

    /// The folder for rejected rows.
    pub fn rejects(&self) -> PathBuf {
        self.store().path.join(REJECTS)
    }

    /// Does work that a delta must not be under way for, and keeps one from beginning meanwhile; does nothing while one
    /// is.
    ///
    /// # Errors
    /// What `work` or the system says.
    pub fn unless_changing(
        &self,
        work: impl FnOnce() -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        match changing(self.store())? {
            Some(_lock) => work(),
            None => Ok(()),
        }
    }

    /// Whether anything can be published over what is current at an instant, as far as that can be told before the
    /// work.
    ///
    /// # Errors
    /// [`PublishError`] when what is current can't be read, or the terms do not allow it.
    pub fn check(&self, at: Timestamp) -> Result<(), PublishError> {
        let store = self.store();
        if let Some(pointer) = turn::pointer(store)? {
            store.manifest(&pointer)?;
            turn::check_signing(store, &pointer)?;
        }
        Ok(store.terms.check(at)?)
    }

    /// The current base, which may be damaged; `None` where nothing has been published yet.
    ///
    /// # Errors
    /// [`PublishError::Current`] when the system does not let it be read, or the manifest can't be: nothing can be
    /// published then.
    pub fn current(&self) -> Result<Option<CurrentBase>, PublishError> {
        let store = self.store();
        let Some(pointer) = turn::pointer(store)? else {
            return Ok(None);
        };
        let manifest = store.manifest(&pointer)?;
        let Some(entry) = manifest.segments.first() else {
            return Ok(None);
        };
        let segment = match store.open_segment(manifest.generation, entry, LoadMode::Mmap) {
            Ok(segment) => Ok(Arc::new(segment)),
            Err(error) if error.is_damage() => {
                let reference = Reference::of(&store.chain(&pointer)?);
                Err(Unreadable {
                    damage: error.to_string(),
                    figures: reference.map(|one| one.figures).unwrap_or_default(),
                })
            }
            Err(error) => return Err(error.into()),
        };
        let listed = self.base_as_built(&pointer, &manifest)?;
        Ok(Some(CurrentBase {
            manifest,
            segment,
            listed,
        }))
    }

    /// The base of a snapshot as it was built; `None` where it is the one of the snapshot, or can't be read.
    fn base_as_built(
        &self,
        pointer: &Pointer,
        manifest: &Manifest,
    ) -> Result<Option<Arc<Segment>>, PublishError> {
        if manifest.begins_base() {
            return Ok(None);
        }
        let store = self.store();
        let chain = match store.chain(pointer) {
            Err(error) if error.is_damage() => return Ok(None),
            chain => chain?,
        };
        let Some(built) = base_as_built(&chain) else {
            return Ok(None);
        };
        let entry = built.segments.first();
        let Some(entry) = entry.filter(|entry| Some(*entry) != manifest.segments.first()) else {
            return Ok(None);
        };
        match store.open_segment(built.generation, entry, LoadMode::Mmap) {
            Ok(segment) => Ok(Some(Arc::new(segment))),
            Err(error) if error.is_damage() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads back a segment that was built in [`building`](Self::building), all of it.
    ///
    /// # Errors
    /// [`PublishError::ReadBack`].
    pub fn candidate(&self, path: &Path, origin: Origin) -> Result<Candidate, PublishError> {
        Ok(Candidate {
            path: path.to_owned(),
            segment: Arc::new(open_built(path)?),
            origin,
        })
    }

    /// The sources of which a candidate has another list, although an operator keeps them at the one that they have.
    ///
    /// # Errors
    /// [`PublishError`] when what is current can't be read.
    pub fn kept_by_operators(
        &self,
        candidate: &Candidate,
    ) -> Result<BTreeSet<String>, PublishError> {
        let store = self.store();
        let Some(pointer) = turn::pointer(store)? else {
            return Ok(BTreeSet::new());
        };
        let current = store.manifest(&pointer)?;
        let listed = candidate.origin.sources.iter();
        let kept = listed.filter(|source| {
            source.list.is_none() && current.operators_hold(&source.name).is_some()
        });
        Ok(kept.map(|source| source.name.clone()).collect())
    }

    /// The same candidate, but for sources that are held at what they report in the current base, or at nothing where
    /// it does not have them.
    ///
    /// # Errors
    /// [`PublishError`] when a segment can't be read or written.
    pub fn hold(
        &self,
        candidate: Candidate,
        held: &BTreeSet<String>,
        options: BuildOptions,
    ) -> Result<Candidate, PublishError> {
        let threads = options.threads;
        let path = self.building().join("held");
        let builder = SegmentBuilder::new(options);
        let current = self.current()?;
        let mut authorities = copy::from(
            &candidate.segment,
            &builder,
            threads,
            |copy, key, documents| {
                documents.iter().try_for_each(|document| {
                    let key = (key.0, key.1, document.document_type);
                    copy.put_some(&key, document, |statement| !held.contains(statement.source))
                })
            },
        )?;
        let mut origin = candidate.origin;
        let mut sources = Vec::new();
        if let Some(current) = &current {
            authorities.merge(current.copy_lists(held, &builder, origin.as_of, threads)?);
            let before = current.manifest.sources.iter();
            let held = before.filter(|source| held.contains(&source.name) && source.list.is_some());
            sources.extend(held.cloned());
        }
        origin.sources.retain(|source| !held.contains(&source.name));
        origin.sources.append(&mut sources);
        builder.finish(&path, &authorities.directory(), |_, _| {})?;
        self.candidate(&path, origin)
    }

    /// Puts together the snapshot that has a candidate for its base. Changes that were published since a source's list
    /// was made, and all of sources that the base does not have, are applied to it.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn draft(&self, candidate: &Candidate, act: Act<'_>) -> Result<Draft, PublishError> {
        let turn = Arc::new(Turn::take(self.store())?);
        let origin = &candidate.origin;
        let pointer = turn::pointer(self.store())?;
        let previous = turn.chain()?.first().cloned();
        let terms = &self.store().terms;
        let next = match (&pointer, &previous) {
            (Some(pointer), Some(previous)) => previous.next(pointer, Event::Build, act, terms),
            _ => Manifest::first(act, terms),
        };
        let before = previous.as_ref().map_or(&[][..], |before| &before.sources);
        let current = |source: &SourceEntry| {
            let mut before = before.iter();
            before.any(|before| before.name == source.name && before.edition() == source.edition())
        };
        // What is held was taken over from what was current then.
        let mut held = origin.sources.iter().filter(|source| source.list.is_some());
        if let Some(source) = held.find(|source| !current(source)) {
            return Err(PublishError::HeldListReplaced(source.name.clone()));
        }
        let generation = next.generation;
        let sources = with_changes(&origin.sources, generation, previous.as_ref());
        if let Some(previous) = &previous {
            kept_lists(previous, &sources)?;
        }
        let manifest = Manifest {
            built_at: origin.built_at,
            not_after: None,
            as_of: origin.as_of,
            base: generation,
            base_built_at: origin.built_at,
            bases_kept: origin.bases_kept.unwrap_or(next.bases_kept),
            segments: Vec::new(),
            kept: Vec::new(),
            counts: Vec::new(),
            hidden: Vec::new(),
            held: still_held(&next.held, &sources, previous.as_ref()),
            undone: still_undone(&next.undone, &sources),
            sources,
            ..next
        };
        let mut draft = Draft::new(turn, manifest, Vec::new())?;
        draft.add(candidate.path.clone(), Arc::clone(&candidate.segment));
        draft.carry()?;
        draft.count_hidden()?;
        draft.measure();
        Ok(draft)
    }

    /// Makes a segment that was built in [`building`](Self::building) the base of the current snapshot, and returns
    /// its manifest. What fails once it is current is not told; [`Draft::publish`] tells it.
    ///
    /// # Errors
    /// [`PublishError`]; the old snapshot then stays current.
    pub fn publish(
        &self,
        segment: &Path,
        origin: Origin,
        act: Act<'_>,
    ) -> Result<Manifest, PublishError> {
        let candidate = self.candidate(segment, origin)?;
        Ok(self.draft(&candidate, act)?.publish(Vec::new())?.manifest)
    }
}

/// The sources of a base, and those of which only changes are known.
pub(super) fn with_changes(
    listed: &[SourceEntry],
    generation: u64,
    previous: Option<&Manifest>,
) -> Vec<SourceEntry> {
    let before = previous.map_or(&[][..], |previous| &previous.sources);
    let mut sources = Vec::new();
    for source in listed {
        let before = before.iter().find(|before| before.name == source.name);
        let changed = before.and_then(|before| before.changed);
        // The same list, delivered again: changes made since it was published first stay later.
        let same = before.filter(|before| before.is_list_of(source));
        let same = same.and_then(|before| before.list);
        let mut entry = SourceEntry {
            list: source.list.or(same).or(Some(generation)),
            changed: changed.filter(|changed| *changed > source.as_of),
            ..source.clone()
        };
        // Changes that the list does not know may report what they, and it does not, exempt.
        if let Some(before) = before
            && changed.is_some_and(|changed| changed >= source.as_of)
        {
            entry.exempt_as(before);
        }
        sources.push(entry);
    }
    for source in before {
        if listed.iter().any(|listed| listed.name == source.name) {
            continue;
        }
        if source.removed {
            sources.push(source.clone());
        } else if let Some(changed) = source.changed {
            sources.push(SourceEntry {
                as_of: changed,
                list: None,
                digest: None,
                delivered: changed,
                rows: Default::default(),
                ..source.clone()
            });
        }
    }
    sources
}

/// Refuses another list of a source that an operator keeps at the one that it has.
fn kept_lists(previous: &Manifest, sources: &[SourceEntry]) -> Result<(), PublishError> {
    let edition = |sources: &[SourceEntry], name: &str| {
        let source = sources.iter().find(|source| source.name == name);
        source.and_then(SourceEntry::edition)
    };
    let operators = |hold: &&Hold| hold.holder == Holder::Operator;
    for hold in previous.held.iter().filter(operators) {
        let name = hold.source.as_str();
        if edition(sources, name) != edition(&previous.sources, name) {
            return Err(PublishError::Held(hold.clone()));
        }
    }
    Ok(())
}

/// The holds that a build leaves: those of operators, and those of guards over lists that it has not replaced.
fn still_held(held: &[Hold], sources: &[SourceEntry], previous: Option<&Manifest>) -> Vec<Hold> {
    let before = previous.map_or(&[][..], |previous| &previous.sources);
    let entry = |sources: &[SourceEntry], name: &str| {
        let mut sources = sources.iter();
        sources.find(|source| source.name == name).cloned()
    };
    // Taken over as it is; the same list, read again, has another account or time of delivery.
    let untouched = |hold: &&Hold| {
        let (now, before) = (entry(sources, &hold.source), entry(before, &hold.source));
        now.zip(before).is_some_and(|(now, before)| {
            now.edition() == before.edition() && now.delivered == before.delivered
        })
    };
    let stays = |hold: &&Hold| hold.holder == Holder::Operator || untouched(hold);
    held.iter().filter(stays).cloned().collect()
}

/// The undone lists that a build has not brought back.
fn still_undone(undone: &[UndoneList], sources: &[SourceEntry]) -> Vec<UndoneList> {
    let back = |one: &&UndoneList| {
        let mut sources = sources.iter();
        sources.any(|source| {
            source.name == one.source && source.digest.as_deref() == Some(one.digest.as_str())
        })
    };
    undone.iter().filter(|one| !back(one)).cloned().collect()
}
