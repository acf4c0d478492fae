//! What it changes in a snapshot's counts that sources are out of service.
//!
//! Mostly the lists of a State's documents of a type come from sources of which all or none are out of service: then the
//! counts themselves say it. Only of the other documents each must be looked at.

use super::changes::{View, any_holds, each_unit, each_unit_of, find};
use super::counts::Tally;
use super::error::PublishError;
use super::precedence::{Retracted, UnitKey};
use crate::document::{DocumentType, IssuingState};
use crate::index::{CountOf, Document, Segment};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

type Pair = (IssuingState, DocumentType);

/// Of the lists of a State's documents of a type, which are out of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    None,
    All,
    Some,
}

/// Adds to `tally` what it changes that its sources are out of service.
///
/// # Errors
/// [`PublishError`] when a segment can't be read.
pub(super) fn hide(view: View<'_>, tally: &mut Tally<'_>) -> Result<(), PublishError> {
    let Some((base, changed)) = view.segments.split_first() else {
        return Ok(());
    };
    let pairs = hidden(base, tally.retracted);
    let of_pair = |pair: Pair| pairs.get(&pair).copied().unwrap_or(Hidden::None);
    for count in base.counts() {
        if of_pair((count.issuing_state, count.document_type)) == Hidden::All {
            tally.hide_count(count);
        }
    }
    for (place, segment) in changed.iter().enumerate() {
        let newer = changed.get(place + 1..).unwrap_or_default();
        each_unit(segment, |key, documents| {
            if any_holds(newer.iter().map(AsRef::as_ref), &key)? {
                return Ok(());
            }
            tally.hide(&key, &view.dated(documents)?);
            // What the base says of them counts no longer, but was counted.
            let mut of_base = find(base, &key)?;
            of_base.retain(|document| of_pair((key.1, document.document_type)) == Hidden::All);
            tally.show(&key, &view.dated(&of_base)?);
            Ok(())
        })?;
    }
    if base.holds_lists_only() && pairs.values().all(|hidden| *hidden != Hidden::Some) {
        return Ok(());
    }
    for part in scan(view, base, tally.retracted, &of_pair)? {
        tally.merge(part);
    }
    Ok(())
}

/// Counts for the documents of the base that are in no segment of changes, as far as its counts don't say it, on several
/// threads.
fn scan<'r>(
    view: View<'_>,
    base: &Segment,
    retracted: &'r Retracted,
    of_pair: &(dyn Fn(Pair) -> Hidden + Sync),
) -> Result<Vec<Tally<'r>>, PublishError> {
    let changed = view.segments.get(1..).unwrap_or_default();
    let next = AtomicUsize::new(0);
    let look = |tally: &mut Tally<'r>,
                key: UnitKey,
                documents: &[Document<'_>]|
     -> Result<(), PublishError> {
        let hidden = |document: &Document<'_>| of_pair((key.1, document.document_type));
        let (mut by_counts, mut hides) = (true, false);
        for document in documents {
            by_counts &= hidden(document) != Hidden::Some && document.is_of_lists_only()?;
            hides |= hidden(document) == Hidden::All;
        }
        if by_counts {
            return Ok(());
        }
        for document in documents {
            document.each_statement(|statement| hides |= retracted.contains(statement.source))?;
        }
        if !hides || any_holds(changed.iter().map(AsRef::as_ref), &key)? {
            return Ok(());
        }
        tally.hide(&key, &view.dated(documents)?);
        // What the counts say of these was taken for hidden.
        let mut all = documents.to_vec();
        all.retain(|document| hidden(document) == Hidden::All);
        tally.show(&key, &view.dated(&all)?);
        Ok(())
    };
    let work = || -> Result<Tally<'r>, PublishError> {
        let mut tally = Tally::new(retracted);
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= base.parts() {
                return Ok(tally);
            }
            each_unit_of(base, part, |key, documents| {
                look(&mut tally, key, documents)
            })?;
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        done.collect()
    })
}

/// Which of the sources of each State and type are out of service.
fn hidden(base: &Segment, retracted: &Retracted) -> BTreeMap<Pair, Hidden> {
    let mut pairs = BTreeMap::new();
    for count in base.counts() {
        if let CountOf::Source(source) = &count.of {
            let this = match retracted.contains(&**source) {
                true => Hidden::All,
                false => Hidden::None,
            };
            pairs
                .entry((count.issuing_state, count.document_type))
                .and_modify(|hidden| {
                    if *hidden != this {
                        *hidden = Hidden::Some;
                    }
                })
                .or_insert(this);
        }
    }
    pairs
}
