//! Segments of what has changed since a base was built.
//!
//! Of every [unit](super::precedence::Unit) that something new was said of, such a segment holds all that answers may
//! depend on, the base's part included: whoever checks a document asks the newest segment that holds its unit and no
//! other. What answers do not depend on so far stands in segments of another row, which no server opens.

use super::copy::{self, write};
use super::counts::Tally;
use super::error::PublishError;
use super::precedence::{Dated, Lists, Unit, UnitKey};
use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::index::{BuildSummary, Damage, Document, Said, Segment, Statement};
use crate::report::Day;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

/// A document, by what tells it from others.
pub(super) type Key = (DocumentNumber, IssuingState, DocumentType);

/// A snapshot as those see it who change it.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// The base, then segments of changes, newest last.
    pub segments: &'a [Arc<Segment>],
    /// Segments of what answers do not depend on so far, newest last.
    pub kept: &'a [Arc<Segment>],
    /// The editions of the lists in the base.
    pub lists: &'a Lists,
}

impl<'a> View<'a> {
    /// What answers may depend on of what is said of the documents of a unit.
    pub(super) fn statements_about(&self, key: &UnitKey) -> Result<Vec<Dated<'a>>, Damage> {
        self.newest(self.segments, key)
    }

    /// What else has been said of them and no list has replaced. What an older one of these segments holds of the unit has
    /// been replaced by something newer in them, or in those of the snapshot.
    pub(super) fn kept_of(&self, key: &UnitKey) -> Result<Vec<Dated<'a>>, Damage> {
        self.newest(self.kept, key)
    }

    fn newest(
        &self,
        segments: &'a [Arc<Segment>],
        key: &UnitKey,
    ) -> Result<Vec<Dated<'a>>, Damage> {
        for segment in segments.iter().rev() {
            let documents = find(segment, key)?;
            if !documents.is_empty() {
                return self.dated(&documents);
            }
        }
        Ok(Vec::new())
    }

    /// What is said of documents and no list has replaced.
    pub(super) fn dated(&self, documents: &[Document<'a>]) -> Result<Vec<Dated<'a>>, Damage> {
        dated(documents, self.lists)
    }
}

/// What is said of documents and no list has replaced.
pub(super) fn dated<'s>(
    documents: &[Document<'s>],
    lists: &Lists,
) -> Result<Vec<Dated<'s>>, Damage> {
    let mut said = Vec::new();
    for document in documents {
        document.each_statement(|statement| {
            said.extend(Dated::new(document.document_type, statement, lists));
        })?;
    }
    Ok(said)
}

/// The documents of a unit in a segment.
pub(super) fn find<'s>(segment: &'s Segment, key: &UnitKey) -> Result<Vec<Document<'s>>, Damage> {
    let (number, state) = key;
    if !segment.may_contain(number) {
        return Ok(Vec::new());
    }
    let of_unit = segment.find(number)?.filter(|document| match document {
        Ok(document) => document.issuing_state == *state,
        Err(_) => true,
    });
    of_unit.collect()
}

/// The States of which any of some segments has a document with a number.
pub(super) fn find_states(
    segments: &[Arc<Segment>],
    number: &DocumentNumber,
) -> Result<BTreeSet<IssuingState>, Damage> {
    let mut states = BTreeSet::new();
    for segment in segments.iter().filter(|one| one.may_contain(number)) {
        for document in segment.find(number)? {
            states.insert(document?.issuing_state);
        }
    }
    Ok(states)
}

/// Whether any of some segments holds a unit.
pub(super) fn any_holds<'s>(
    segments: impl IntoIterator<Item = &'s Segment>,
    key: &UnitKey,
) -> Result<bool, Damage> {
    for segment in segments {
        if !find(segment, key)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether anything is reported of documents, shown or silenced.
pub(super) fn has_report(documents: &[Document<'_>]) -> Result<bool, Damage> {
    let mut reported = false;
    for document in documents {
        document.each_statement(|statement| {
            reported |= matches!(statement.said, Said::Reported(_) | Said::Overruled(_));
        })?;
    }
    Ok(reported)
}

/// Which of the segments of a snapshot an application of changes takes the place of.
#[derive(Clone, Copy)]
pub(super) struct Replaced {
    /// The segments that stay, the base included.
    pub staying: usize,
    /// Those that stay of what answers do not depend on.
    pub kept_staying: usize,
}

/// Documents in the segments that an application of changes has built; without any, a segment is not needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Applied {
    /// In that of changes.
    pub documents: u64,
    /// In that of what answers do not depend on.
    pub kept: u64,
}

/// Builds, at two paths, the segments that take the place of the newest of a view once the statements in `change` have
/// been made: that of changes, and that of what answers do not depend on. Adds to `tally` what that changes.
///
/// # Errors
/// [`PublishError`] when a segment can't be read or written.
pub(super) fn apply(
    view: View<'_>,
    change: &Segment,
    replaced: Replaced,
    (scratch, paths): (&Path, [&Path; 2]),
    today: Day,
    tally: &mut Tally<'_>,
) -> Result<Applied, PublishError> {
    let (staying_segments, older) = view.segments.split_at(replaced.staying);
    let (_, older_kept) = view.kept.split_at(replaced.kept_staying);
    let staying = || staying_segments.iter().map(AsRef::as_ref);
    let [changed_path, kept_path] = paths;
    let mut kept_documents = 0;
    let summary = write((scratch, changed_path), |changed| {
        let summary = write((scratch, kept_path), |kept| {
            each_unit(change, |key, documents| {
                let before = view.statements_about(&key)?;
                let mut said = before.clone();
                said.extend(view.kept_of(&key)?);
                said.extend(view.dated(documents)?);
                let after = Unit::resolve(said, today);
                tally.change(&key, &before, after.statements());
                let answers: Vec<_> = after.of_answers().collect();
                if !answers.is_empty() {
                    // What changes no answer is not written.
                    if !same(&answers, &view.newest(staying_segments, &key)?) {
                        let mut answers = answers.into_iter();
                        answers.try_for_each(|one| changed.put_dated(&key, one))?;
                    }
                } else if any_holds(staying(), &key)? {
                    let mut instead = after.instead_of_reports();
                    instead.try_for_each(|one| changed.put_dated(&key, one))?;
                }
                after.kept().try_for_each(|one| kept.put_dated(&key, one))
            })?;
            copy_older(older_kept, change, kept, |_, _| Ok(true))
        })?;
        kept_documents = summary.documents;
        copy_older(older, change, changed, |key, documents| {
            Ok(has_report(documents)? || any_holds(staying(), key)?)
        })
    })?;
    Ok(Applied {
        documents: summary.documents,
        kept: kept_documents,
    })
}

/// Whether the same is said.
fn same(some: &[&Dated<'_>], others: &[Dated<'_>]) -> bool {
    let some: HashSet<&Dated<'_>> = some.iter().copied().collect();
    let others: HashSet<&Dated<'_>> = others.iter().collect();
    some == others
}

/// Copies the units of segments, newest last, that neither newer ones nor `change` hold and that are wanted.
fn copy_older<'s>(
    segments: &'s [Arc<Segment>],
    change: &Segment,
    copy: &mut copy::Copy<'_, 's>,
    wanted: impl Fn(&UnitKey, &[Document<'s>]) -> Result<bool, Damage>,
) -> Result<(), PublishError> {
    for (place, segment) in segments.iter().enumerate() {
        let newer = segments.get(place + 1..).unwrap_or_default();
        each_unit(segment, |key, documents| {
            let newer = newer.iter().map(AsRef::as_ref).chain([change]);
            if any_holds(newer, &key)? || !wanted(&key, documents)? {
                return Ok(());
            }
            copy.put_unit(&key, documents)
        })?;
    }
    Ok(())
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
            each_unit(segment, |key, documents| {
                let said = dated(documents, lists)?.into_iter();
                // What has no edition of its own is what a list says that was there before.
                let said = said.filter(|one| one.statement.edition.is_some());
                for mut one in said {
                    // Whether it is silenced is decided anew; until then the same thing is said once.
                    if let Some(report) = one.report() {
                        one.statement.said = Said::Reported(report);
                    }
                    copy.put_dated(&key, &one)?;
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
    let wanted = |statement: &Statement<'_>| !sources.contains(statement.source);
    write(files, |copy| {
        each_unit(segment, |key, documents| {
            for document in documents {
                let key = (key.0, key.1, document.document_type);
                copy.put_some(&key, document, wanted)?;
            }
            Ok(())
        })
    })
}

/// Calls `visit` with every unit of a segment and its documents, until it fails.
pub(super) fn each_unit<'s>(
    segment: &'s Segment,
    mut visit: impl FnMut(UnitKey, &[Document<'s>]) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    (0..segment.parts()).try_for_each(|part| each_unit_of(segment, part, &mut visit))
}

/// [`each_unit`] of one part of a segment.
pub(super) fn each_unit_of<'s>(
    segment: &'s Segment,
    part: usize,
    mut visit: impl FnMut(UnitKey, &[Document<'s>]) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let mut visited = Ok(());
    let mut unit: Option<UnitKey> = None;
    let mut documents = Vec::new();
    segment.for_each_of(part, |number, document| {
        if visited.is_err() {
            return;
        }
        let key = (number, document.issuing_state);
        // The documents of a unit stand together.
        if let Some(before) = unit.filter(|before| *before != key) {
            visited = visit(before, &documents);
            documents.clear();
        }
        unit = Some(key);
        documents.push(document);
    })?;
    visited?;
    unit.map_or(Ok(()), |key| visit(key, &documents))
}
