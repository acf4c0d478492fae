//! Going back to an earlier base, and forward again.

use super::changes::{any_holds, each_unit};
use super::draft::Draft;
use super::error::PublishError;
use super::intervention::{Pin, UndoneList};
use super::manifest::{Act, Event, Manifest, not_undone};
use super::store::Store;
use super::turn::Turn;
use super::writer::with_changes;
use crate::index::{LoadMode, Said};
use std::sync::Arc;

/// Which base to go back to, and what to take along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollback {
    /// The generation that first published the base; `None`: the one before the current base.
    pub to: Option<u64>,
    /// Whether changes published since, and before, are applied to it: all that its lists do not know yet.
    pub with_changes: bool,
}

impl Store {
    /// Puts together a snapshot of an earlier base, pinned: no build replaces it until it is unpinned.
    ///
    /// # Errors
    /// [`PublishError::NoBase`] when there is no such base, and whatever else can go wrong.
    pub fn roll_back(&self, rollback: Rollback, act: Act<'_>) -> Result<Draft, PublishError> {
        let turn = Arc::new(Turn::take(self)?);
        let (pointer, current) = turn.current()?;
        let chain = turn.chain()?;
        let mut bases = chain.iter().filter(|manifest| manifest.begins_base());
        let base = match rollback.to {
            Some(wanted) => bases.clone().find(|base| base.generation == wanted),
            None => {
                not_undone(chain).find(|base| base.begins_base() && base.generation < current.base)
            }
        };
        let Some(base) = base else {
            return Err(PublishError::NoBase {
                wanted: rollback.to,
                kept: bases.by_ref().map(|base| base.generation).collect(),
            });
        };
        let next = current.next(&pointer, Event::Rollback, act, &self.terms);
        let generation = next.generation;
        // A base has the changes with it that were carried into it then.
        let listed: Vec<_> = base
            .sources
            .iter()
            .filter(|source| source.list.is_some())
            .cloned()
            .collect();
        let before = rollback.with_changes.then_some(current);
        let dropped_withdrawals = match rollback.with_changes {
            true => None,
            false => Some(kept_withdrawals(self, current)?),
        };
        let mut manifest = Manifest {
            built_at: act.at,
            as_of: base.as_of,
            base: base.generation,
            base_built_at: base.base_built_at,
            segments: base.segments.iter().take(1).cloned().collect(),
            kept: Vec::new(),
            counts: Vec::new(),
            hidden: Vec::new(),
            sources: with_changes(&listed, generation, before),
            pinned: Some(Pin {
                since: generation,
                at: act.at,
                by: act.by.to_owned(),
                reason: act.reason.to_owned(),
                undone: current.base,
                dropped: (!rollback.with_changes).then(|| {
                    let mut since = chain
                        .iter()
                        .filter(|one| one.generation >= current.changes_since);
                    since.by_ref().filter(|one| one.delta.is_some()).count() as u64
                }),
                dropped_withdrawals,
            }),
            undone: undone_lists(chain, base, generation),
            ..next
        };
        if !rollback.with_changes {
            manifest.changes_since = generation;
        }
        let mut segments = Vec::new();
        for entry in &manifest.segments {
            let segment = self.open_segment(generation, entry, LoadMode::Mmap)?;
            segments.push(Arc::new(segment));
        }
        let mut draft = Draft::new(Arc::clone(&turn), manifest, segments)?;
        draft.carry()?;
        draft.count_hidden()?;
        draft.measure();
        Ok(draft)
    }

    /// Puts together what is current with its base unpinned.
    ///
    /// # Errors
    /// [`PublishError::NotPinned`], and whatever else can go wrong.
    pub fn unpin(&self, act: Act<'_>) -> Result<Draft, PublishError> {
        let turn = Arc::new(Turn::take(self)?);
        let (pointer, current) = turn.current()?;
        if current.pinned.is_none() {
            return Err(PublishError::NotPinned);
        }
        let manifest = Manifest {
            pinned: None,
            ..current.next(&pointer, Event::Unpin, act, &self.terms)
        };
        Draft::new(Arc::clone(&turn), manifest, Vec::new())
    }
}

/// How many withdrawals by the States' own sources a snapshot keeps.
fn kept_withdrawals(store: &Store, manifest: &Manifest) -> Result<u64, PublishError> {
    let kept = store.kept_segments(manifest)?;
    let mut withdrawals = 0;
    for (place, segment) in kept.iter().enumerate() {
        let newer = kept.get(place + 1..).unwrap_or_default();
        each_unit(segment, |key, documents| {
            if any_holds(newer, &key)? {
                return Ok(());
            }
            for document in documents {
                document.each_statement(|statement| {
                    let withdrawal = matches!(statement.said, Said::Withdrawn { .. });
                    withdrawals += u64::from(withdrawal && !statement.third_party);
                })?;
            }
            Ok(())
        })?;
    }
    Ok(withdrawals)
}

/// The lists that were published after a base and that it does not have, with those that were undone before.
fn undone_lists(chain: &[Manifest], base: &Manifest, since: u64) -> Vec<UndoneList> {
    let before = chain.first().map_or(&[][..], |current| &current.undone);
    let mut undone = before.to_vec();
    let builds = chain
        .iter()
        .take_while(|one| one.generation > base.generation);
    for source in builds.flat_map(|build| &build.sources) {
        let (Some(list), Some(digest)) = (source.list, &source.digest) else {
            continue;
        };
        let known = undone
            .iter()
            .any(|one| one.source == source.name && one.digest == *digest);
        if list > base.generation && !known {
            undone.push(UndoneList {
                source: source.name.clone(),
                digest: digest.clone(),
                list,
                since,
            });
        }
    }
    // What is in force again is not undone.
    let in_force = |one: &UndoneList| {
        let mut sources = base.sources.iter();
        sources.any(|source| {
            source.name == one.source && source.digest.as_deref() == Some(one.digest.as_str())
        })
    };
    undone.retain(|one| !in_force(one));
    undone
}
