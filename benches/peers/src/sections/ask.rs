//! How ours is asked, wherever it is held against something.

use crate::given::Given;
use crate::value::Reported;
use crate::{Result, questions};
use sltd::document::DocumentNumber;
use sltd::index::{Damage, Segment};
use sltd::report::Query;
use sltd::snapshot::Snapshot;

/// The only segment of a snapshot.
///
/// # Errors
/// When it has several.
pub(super) fn only_segment(snapshot: &Snapshot) -> Result<&Segment> {
    match snapshot.segments() {
        [segment] => Ok(segment),
        _ => Err("expected a store with one segment".into()),
    }
}

/// The questions whose numbers nobody has reported.
///
/// # Errors
/// When questions or segment can't be read.
pub(super) fn absent(given: &Given, segment: &Segment) -> Result<Vec<Query>> {
    let mut absent = Vec::new();
    for query in questions::read(&given.queries)? {
        if let Some(number) = &query.number
            && !reported(segment, number)?
        {
            absent.push(query);
        }
    }
    Ok(absent)
}

/// Whether a number is reported, for certain.
// As a store's own loop, the filter's probe is not a call of its own.
#[inline(always)]
pub(super) fn reported(
    segment: &Segment,
    number: &DocumentNumber,
) -> std::result::Result<bool, Damage> {
    if segment.may_contain(number) {
        found(segment, number)
    } else {
        Ok(false)
    }
}

#[cold]
#[inline(never)]
fn found(segment: &Segment, number: &DocumentNumber) -> std::result::Result<bool, Damage> {
    segment.find(number).map(|documents| !documents.is_empty())
}

/// Hands on every report of every document with a number, in order, as a check does: filter, automaton, reports.
#[inline]
pub(super) fn each_report<'s>(
    segment: &'s Segment,
    number: &DocumentNumber,
    mut each: impl FnMut(Reported<'s>),
) -> std::result::Result<(), Damage> {
    if !segment.may_contain(number) {
        return Ok(());
    }
    for document in segment.find(number)? {
        let document = document?;
        document.each_report(|report| {
            each(Reported {
                issuing_state: document.issuing_state,
                document_type: document.document_type,
                report,
            });
        })?;
    }
    Ok(())
}
