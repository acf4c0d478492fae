//! Segments of what has changed since a base was built.
//!
//! For every document that something new was said of, such a segment holds all that there is to say of it, the
//! base's part included: whoever checks a document asks the newest segment that has it and no other.

use super::counts::Counts;
use super::error::PublishError;
use super::precedence::{Dated, Lists, resolve};
use crate::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use crate::index::{
    BuildOptions, BuildSummary, Damage, Document, Inserter, Row, Said, Segment, SegmentBuilder,
    Standing, Statement, Withdrawal,
};
use crate::report::{Authority, Report};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Rows of changes held in memory; more go through scratch files.
const MEMORY: u64 = 256 << 20;

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
/// once the statements in `change` have been made; and adds to `counts` what that changes.
///
/// # Errors
/// [`PublishError`] when a segment can't be read or written.
pub(super) fn apply(
    view: View<'_>,
    change: &Segment,
    older: &[Arc<Segment>],
    files: (&Path, &Path),
    counts: &mut Counts,
) -> Result<BuildSummary, PublishError> {
    write(files, |changed| {
        each(change, |key, document| {
            let before = view.said(&key)?;
            let mut after = before.clone();
            document.each_statement(|statement| after.extend(Dated::new(statement, view.lists)))?;
            resolve(&mut after);
            counts.change(&key, &before, &after);
            let mut statements = after.iter().map(|one| one.statement);
            statements.try_for_each(|statement| changed.put(&key, statement))
        })?;
        for (index, segment) in older.iter().enumerate() {
            let newer = older.get(index + 1..).unwrap_or_default();
            each(segment, |key, document| {
                for newer in newer.iter().map(AsRef::as_ref).chain([change]) {
                    if find(newer, &key)?.is_some() {
                        return Ok(());
                    }
                }
                changed.put_all(&key, &document)
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
    let summary = write(files, |changed| {
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
                        changed.put(&key, statement)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok((summary.documents > 0).then_some(summary))
}

/// Builds a segment at a path, with a folder for scratch files, of what `fill` puts into it.
fn write<'s>(
    (scratch, path): (&Path, &Path),
    fill: impl FnOnce(&mut Changed<'_, 's>) -> Result<(), PublishError>,
) -> Result<BuildSummary, PublishError> {
    let builder = SegmentBuilder::new(BuildOptions {
        memory: MEMORY,
        threads: 1,
        scratch: scratch.to_owned(),
    });
    let mut changed = Changed {
        inserter: builder.inserter(),
        authorities: Authorities::default(),
    };
    fill(&mut changed)?;
    let Changed {
        inserter,
        authorities,
    } = changed;
    inserter.finish()?;
    let directory = authorities.directory();
    Ok(builder.finish(path, &directory, |_, _| {})?)
}

/// Calls `visit` with every document of a segment, until it fails.
fn each<'s>(
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

/// A segment of changes in the making.
struct Changed<'b, 's> {
    inserter: Inserter<'b>,
    authorities: Authorities<'s>,
}

impl<'s> Changed<'_, 's> {
    fn put_all(&mut self, key: &Key, document: &Document<'s>) -> Result<(), PublishError> {
        let mut put = Ok(());
        document.each_statement(|statement| {
            if put.is_ok() {
                put = self.put(key, statement);
            }
        })?;
        put
    }

    fn put(&mut self, key: &Key, statement: Statement<'s>) -> Result<(), PublishError> {
        let (number, issuing_state, document_type) = *key;
        let numbers = NumberRange::single(number);
        let (report, overruled) = match statement.said {
            Said::Reported(report) => (report, false),
            Said::Overruled(report) => (report, true),
            Said::Withdrawn { reason } => {
                let withdrawal = Withdrawal {
                    numbers,
                    issuing_state,
                    document_type,
                    source: statement.source,
                    third_party: statement.third_party,
                    reason,
                };
                let standing = Standing {
                    edition: statement.edition,
                    overruled: false,
                };
                return Ok(self.inserter.withdraw(&withdrawal, standing)?);
            }
        };
        self.authorities.note(&report);
        let row = Row {
            numbers,
            issuing_state,
            document_type,
            status: report.status,
            source_status: report.source_status,
            date_of_loss: report.date_of_loss,
            date_reported: report.date_reported,
            review_date: report.review_date,
            authority: report.authority.map_or("", |authority| authority.code),
            restriction: report.restriction,
            source: report.source,
            third_party: report.third_party,
            owner_reference: report.owner_reference,
        };
        let standing = Standing {
            edition: statement.edition,
            overruled,
        };
        Ok(self.inserter.insert_as(&row, standing)?)
    }
}

/// The authorities that reports name; of several entries of one code, the one met last.
#[derive(Default)]
struct Authorities<'s>(BTreeMap<&'s str, Authority<'s>>);

impl<'s> Authorities<'s> {
    fn note(&mut self, report: &Report<'s>) {
        if let Some(authority) = report.authority {
            self.0.insert(authority.code, authority);
        }
    }

    fn directory(self) -> Vec<Authority<'s>> {
        self.0.into_values().collect()
    }
}
