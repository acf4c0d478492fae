//! What two snapshots say differently.

use super::Snapshot;
use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::index::{Damage, Documents, Statement, Walk};
use crate::report::Report;
use std::iter::Peekable;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A document of which a snapshot shows a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'s> {
    /// Who issued it.
    pub issuing_state: IssuingState,
    /// Its type.
    pub document_type: DocumentType,
    /// The reports, of sources in service.
    pub reports: Vec<Report<'s>>,
}

/// What is to be told of two snapshots, put together on several threads.
pub trait Differences: Default + Send {
    /// A number of which the snapshots show different things; documents in order of issuing State and type.
    fn differs(&mut self, before: &[Shown<'_>], after: &[Shown<'_>]);

    /// Takes what another thread has put together.
    fn merge(&mut self, other: Self);
}

/// Compares all that two snapshots show, expired reports included.
///
/// # Errors
/// [`Damage`] when a segment can't be read.
pub fn compare<T: Differences>(
    before: &Snapshot,
    after: &Snapshot,
    threads: usize,
) -> Result<T, Damage> {
    // The parts of the larger base, so that threads have about the same to do.
    let parts_of = |snapshot: &Snapshot| -> Vec<DocumentNumber> {
        let base = snapshot.segments().first();
        base.map_or_else(Vec::new, |base| base.part_firsts().skip(1).collect())
    };
    let (of_before, of_after) = (parts_of(before), parts_of(after));
    let mut bounds = vec![None];
    let firsts = match of_before.len() > of_after.len() {
        true => of_before,
        false => of_after,
    };
    bounds.extend(firsts.into_iter().map(Some));
    bounds.push(None);
    let next = AtomicUsize::new(0);
    let work = || -> Result<T, Damage> {
        let mut tally = T::default();
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            let Some([from, to]) = bounds.get(part..part + 2) else {
                return Ok(tally);
            };
            compare_between(before, after, (from.as_ref(), to.as_ref()), &mut tally)?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut tally = T::default();
        for thread in threads {
            match thread.join() {
                Ok(other) => tally.merge(other?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(tally)
    })
}

fn compare_between<T: Differences>(
    before: &Snapshot,
    after: &Snapshot,
    (from, to): (Option<&DocumentNumber>, Option<&DocumentNumber>),
    tally: &mut T,
) -> Result<(), Damage> {
    let (mut before, mut after) = (Shows::new(before, from), Shows::new(after, from));
    let (mut shown_before, mut shown_after) = (Vec::new(), Vec::new());
    let mut statements = Vec::new();
    loop {
        let next = [before.next_number()?, after.next_number()?];
        let Some(number) = next.into_iter().flatten().min() else {
            return Ok(());
        };
        if to.is_some_and(|to| number >= *to) {
            return Ok(());
        }
        if before.says_the_same(&mut after, &number, &mut statements)? {
            continue;
        }
        before.take(&number, &mut shown_before)?;
        after.take(&number, &mut shown_after)?;
        if shown_before != shown_after {
            tally.differs(&shown_before, &shown_after);
        }
    }
}

/// A walk through all segments of a snapshot at once.
struct Shows<'s> {
    snapshot: &'s Snapshot,
    /// The newest first.
    walks: Vec<Peekable<Walk<'s>>>,
}

impl<'s> Shows<'s> {
    fn new(snapshot: &'s Snapshot, from: Option<&DocumentNumber>) -> Self {
        let newest_first = snapshot.segments.iter().rev();
        Self {
            snapshot,
            walks: newest_first
                .map(|segment| segment.walk(from).peekable())
                .collect(),
        }
    }

    /// The number that comes next.
    fn next_number(&mut self) -> Result<Option<DocumentNumber>, Damage> {
        let mut next = None;
        for walk in &mut self.walks {
            let Some(peeked) = walk.next_if(|peeked| peeked.is_err()) else {
                let number = walk.peek().and_then(|peeked| peeked.as_ref().ok());
                next = match (next, number) {
                    (Some(next), Some((number, _))) => Some(std::cmp::min(next, *number)),
                    (next, number) => next.or(number.map(|(number, _)| *number)),
                };
                continue;
            };
            peeked?;
        }
        Ok(next)
    }

    /// Whether the bases of both, and nothing else in them, hold a number, and say the same of it in the same order:
    /// then goes on behind it. Mostly it is so, and nothing need be put together then.
    fn says_the_same(
        &mut self,
        other: &mut Self,
        number: &DocumentNumber,
        statements: &mut Vec<(IssuingState, DocumentType, Statement<'s>)>,
    ) -> Result<bool, Damage> {
        if self.snapshot.hiding.is_some() || other.snapshot.hiding.is_some() {
            return Ok(false);
        }
        let (Some(mine), Some(others)) = (self.in_base(number), other.in_base(number)) else {
            return Ok(false);
        };
        statements.clear();
        for document in mine {
            let document = document?;
            let key = (document.issuing_state, document.document_type);
            document.each_statement(|statement| statements.push((key.0, key.1, statement)))?;
        }
        let (mut place, mut same) = (0, true);
        for document in others {
            let document = document?;
            let key = (document.issuing_state, document.document_type);
            document.each_statement(|statement| {
                same &= statements.get(place) == Some(&(key.0, key.1, statement));
                place += 1;
            })?;
        }
        if !same || place != statements.len() {
            return Ok(false);
        }
        for shows in [self, other] {
            if let Some(base) = shows.walks.last_mut() {
                base.next();
            }
        }
        Ok(true)
    }

    /// The documents with a number in the base, if no other segment has it.
    fn in_base(&mut self, number: &DocumentNumber) -> Option<Documents<'s>> {
        let (base, changed) = self.walks.split_last_mut()?;
        let at_number = |walk: &mut Peekable<Walk<'s>>| match walk.peek() {
            Some(Ok((next, documents))) if next == number => Some(documents.clone()),
            _ => None,
        };
        if changed.iter_mut().any(|walk| at_number(walk).is_some()) {
            return None;
        }
        at_number(base)
    }

    /// Sets `shown` to the documents with a number that are shown, and goes on behind it.
    fn take(&mut self, number: &DocumentNumber, shown: &mut Vec<Shown<'s>>) -> Result<(), Damage> {
        shown.clear();
        let mut seen = Vec::new();
        for walk in &mut self.walks {
            let is_next = |peeked: &Result<(DocumentNumber, Documents<'s>), Damage>| {
                peeked.as_ref().is_ok_and(|(next, _)| next == number)
            };
            let Some(documents) = walk.next_if(is_next) else {
                continue;
            };
            let newer = seen.len();
            let documents = documents?.1;
            self.snapshot.each_report(
                documents,
                (&mut seen, newer),
                |state, of_type, report| match shown.last_mut() {
                    Some(last) if (last.issuing_state, last.document_type) == (state, of_type) => {
                        last.reports.push(report);
                    }
                    _ => shown.push(Shown {
                        issuing_state: state,
                        document_type: of_type,
                        reports: vec![report],
                    }),
                },
            )?;
        }
        shown.sort_unstable_by_key(|shown| (shown.issuing_state, shown.document_type));
        for shown in shown {
            // By all of it: reports that differ in little must not seem to have changed by standing in another order.
            shown.reports.sort_unstable();
        }
        Ok(())
    }
}
