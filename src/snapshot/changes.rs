//! Segments of what has changed since a base was built.
//!
//! For every document that something new was said of, such a segment holds all that there is to say of it, the
//! base's part included: whoever checks a document asks the newest segment that has it and no other.

use super::copy::write;
use super::counts::Tally;
use super::error::PublishError;
use super::precedence::{Dated, Lists, resolve};
use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::index::{BuildSummary, Damage, Document, Said, Segment, Statement};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// A document, by what tells it from others.
pub(super) type Key = (DocumentNumber, IssuingState, DocumentType);

/// A snapshot as those see it who change it.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// The base, then segments of changes, newest last.
    pub segments: &'a [Arc<Segment>],
    /// The editions of the lists in the base.
    pub lists: &'a Lists,
}

impl<'a> View<'a> {
    /// All that is said of a document and has not been replaced by a list.
    pub(super) fn said(&self, key: &Key) -> Result<Vec<Dated<'a>>, Damage> {
        let mut said = Vec::new();
        for segment in self.segments.iter().rev() {
            if let Some(document) = find(segment, key)? {
                document.each_statement(|statement| {
                    said.extend(Dated::new(statement, self.lists));
                })?;
                break;
            }
        }
        Ok(said)
    }
}

/// A document of a segment.
pub(super) fn find<'s>(segment: &'s Segment, key: &Key) -> Result<Option<Document<'s>>, Damage> {
    let (number, state, document_type) = key;
    if !segment.may_contain(number) {
        return Ok(None);
    }
    for document in segment.find(number)? {
        let document = document?;
        if document.issuing_state == *state && document.document_type == *document_type {
            return Ok(Some(document));
        }
    }
    Ok(None)
}

/// Builds, at `path`, the segment that takes the place of `older` (segments of changes of `view`, its newest)
/// once the statements in `change` have been made; and adds to `tally` what that changes.
///
/// # Errors
/// [`PublishError`] when a segment can't be read or written.
pub(super) fn apply(
    view: View<'_>,
    change: &Segment,
    older: &[Arc<Segment>],
    files: (&Path, &Path),
    tally: &mut Tally<'_>,
) -> Result<BuildSummary, PublishError> {
    write(files, |copy| {
        each(change, |key, document| {
            let before = view.said(&key)?;
            let mut after = before.clone();
            document.each_statement(|statement| after.extend(Dated::new(statement, view.lists)))?;
            resolve(&mut after);
            tally.change(&key, &before, &after);
            let mut statements = after.iter().map(|one| one.statement);
            statements.try_for_each(|statement| copy.put(&key, statement))
        })?;
        for (index, segment) in older.iter().enumerate() {
            let newer = older.get(index + 1..).unwrap_or_default();
            each(segment, |key, document| {
                for newer in newer.iter().map(AsRef::as_ref).chain([change]) {
                    if find(newer, &key)?.is_some() {
                        return Ok(());
                    }
                }
                copy.put_all(&key, &document)
            })?;
        }
        Ok(())
    })
}

/// Builds, at `path`, one segment of all statements in segments of changes that no list of a snapshot with these
/// lists has replaced; `None` if there are none.
///
/// # Errors
/// [`PublishError`] when a segment can't be read or written.
pub(super) fn gather(
    deltas: &[Segment],
    lists: &Lists,
    files: (&Path, &Path),
) -> Result<Option<BuildSummary>, PublishError> {
    let summary = write(files, |copy| {
        for segment in deltas {
            each(segment, |key, document| {
                let mut statements = Vec::new();
                document.each_statement(|statement| statements.push(statement))?;
                // What is not dated is what a list says that was there before.
                let dated = |statement: &Statement<'_>| statement.edition.is_some();
                for mut statement in statements.into_iter().filter(dated) {
                    if Dated::new(statement, lists).is_some() {
                        // Whether it is overruled is decided anew; until then the same thing is said once.
                        if let Said::Overruled(report) = statement.said {
                            statement.said = Said::Reported(report);
                        }
                        copy.put(&key, statement)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok((summary.documents > 0).then_some(summary))
}

/// Builds, at a path, a segment of all statements of a segment but those of some sources.
///
/// # Errors
/// [`PublishError`] when a segment can't be read or written.
pub(super) fn without(
    segment: &Segment,
    sources: &BTreeSet<String>,
    files: (&Path, &Path),
) -> Result<BuildSummary, PublishError> {
    write(files, |copy| {
        each(segment, |key, document| {
            copy.put_some(&key, &document, |statement| {
                !sources.contains(statement.source)
            })
        })
    })
}

/// Calls `visit` with every document of a segment, until it fails.
pub(super) fn each<'s>(
    segment: &'s Segment,
    mut visit: impl FnMut(Key, Document<'s>) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let mut visited = Ok(());
    segment.for_each(|number, document| {
        if visited.is_ok() {
            let key = (number, document.issuing_state, document.document_type);
            visited = visit(key, document);
        }
    })?;
    visited
}
