//! Folding changes into the base, so that a check has one segment to ask.
//!
//! Every statement keeps its edition, and lists keep theirs: nothing that is said changes, nor what later lists and
//! changes make of it.

use super::changes::{any_holds, each_unit, has_report};
use super::copy;
use super::counts::Counts;
use super::draft::{Draft, open_built};
use super::error::PublishError;
use super::manifest::{Act, Event, Manifest};
use super::turn::Turn;
use super::writer::StoreWriter;
use super::{Holding, LoadOptions, Snapshot, Warm};
use crate::index::{BuildOptions, LoadMode, Segment, SegmentBuilder};
use std::path::PathBuf;
use std::sync::Arc;

/// A base with the changes in it that were current when it was made.
#[derive(Debug)]
pub struct Compacted {
    path: PathBuf,
    segment: Arc<Segment>,
    of: Snapshot,
}

impl StoreWriter {
    /// Builds the current base anew with the changes in it; deltas go on meanwhile. `None` where there are no changes.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn compact(&self, options: BuildOptions) -> Result<Option<Compacted>, PublishError> {
        let store = self.store();
        let load = LoadOptions {
            load: LoadMode::Mmap,
            warm: Some(Warm::Nothing),
        };
        let manifest = store.manifest(&store.pointer()?)?;
        let of = Snapshot::load(manifest, store, &load, Holding::Briefly)?;
        let Some((base, changed)) = of.segments().split_first() else {
            return Ok(None);
        };
        if changed.is_empty() {
            return Ok(None);
        }
        let threads = options.threads;
        let builder = SegmentBuilder::new(options);
        let mut authorities = copy::Authorities::default();
        for (place, segment) in of.segments().iter().enumerate() {
            let newer = of.segments().get(place + 1..).unwrap_or_default();
            let copied = copy::from(segment, &builder, threads, |copy, key, documents| {
                // What only hides what older segments say of it hides nothing any more.
                if any_holds(newer.iter().map(AsRef::as_ref), key)? || !has_report(documents)? {
                    return Ok(());
                }
                copy.put_unit(key, documents)
            })?;
            authorities.merge(copied);
        }
        let path = self.building().join("compacted");
        let mut directory = authorities.directory();
        let named: Vec<&str> = directory.iter().map(|authority| authority.code).collect();
        let others = base
            .authorities()
            .filter(|other| !named.contains(&other.code));
        let others: Vec<_> = others.collect();
        directory.extend(others);
        builder.finish(&path, &directory, |_, _| {})?;
        Ok(Some(Compacted {
            segment: Arc::new(open_built(&path)?),
            path,
            of,
        }))
    }

    /// Puts together what is current with a compacted base in place of that which it was made of. `None` where that is
    /// no longer current, or changes made meanwhile have undone some that are in the compacted base.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn draft_compacted(
        &self,
        compacted: &Compacted,
        act: Act<'_>,
    ) -> Result<Option<Draft>, PublishError> {
        let turn = Arc::new(Turn::take(self.store())?);
        let (pointer, current) = turn.current()?;
        let of = compacted.of.manifest();
        if current.segments.first() != of.segments.first() || current.lists() != of.lists() {
            return Ok(None);
        }
        let later = |entry: &&super::SegmentEntry| !of.segments.contains(entry);
        let later: Vec<_> = current.segments.iter().filter(later).cloned().collect();
        let terms = &self.store().terms;
        let next = current.next(&pointer, Event::Compact, act, terms);
        let manifest = Manifest {
            segments: Vec::new(),
            ..next
        };
        let mut opened = Vec::new();
        for entry in later {
            let segment = self
                .store()
                .open_segment(current.generation, &entry, LoadMode::Mmap);
            opened.push((entry, Arc::new(segment?)));
        }
        let segments: Vec<_> = opened.iter().map(|(_, segment)| &**segment).collect();
        if undoes_some(&compacted.of, current, &segments)? {
            return Ok(None);
        }
        let mut draft = Draft::new(Arc::clone(&turn), manifest, Vec::new())?;
        draft.add(compacted.path.clone(), Arc::clone(&compacted.segment));
        for (entry, segment) in opened {
            draft.reuse(entry, segment);
        }
        let base = compacted.of.segments().first();
        let base = base.map_or(&[][..], |base| base.counts());
        let plain = Counts::read(&current.counts).rebased(base, compacted.segment.counts());
        draft.count(&plain, &Counts::read(&current.hidden));
        Ok(Some(draft))
    }
}

/// Whether changes that are in the compacted base are no longer in what is current: nobody writes what only says again
/// what the base before them says, so that nothing in `later`, the segments since, hides them.
fn undoes_some(
    of: &Snapshot,
    current: &Manifest,
    later: &[&Segment],
) -> Result<bool, PublishError> {
    let Some((base, changed)) = of.segments().split_first() else {
        return Ok(false);
    };
    let entries = of.manifest().segments.iter().skip(1);
    let mut undoes = false;
    for (place, (segment, entry)) in changed.iter().zip(entries).enumerate() {
        if current.segments.contains(entry) {
            continue;
        }
        let newer = changed.get(place + 1..).unwrap_or_default();
        each_unit(segment, |key, documents| {
            let elsewhere = newer.iter().map(AsRef::as_ref);
            undoes |= !any_holds(elsewhere.chain(later.iter().copied()), &key)?
                && (has_report(documents)? || any_holds([&**base], &key)?);
            Ok(())
        })?;
    }
    Ok(undoes)
}
