//! What a list comes to, row by row.

use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange, RangeError};
use sltd::report::{Day, ReportStatus};
use sltd::snapshot::RowPosition;

/// One usable row, normalised, borrowed from the chunk it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The number, or the first one of a range.
    pub number: DocumentNumber,
    /// The last number of a range, inclusive; `None` or equal to `number`: a single document.
    /// The pair has been checked by [`NumberRange`].
    pub range_end: Option<DocumentNumber>,
    /// The State that issued the document.
    pub issuing_state: IssuingState,
    /// The type of the document.
    pub document_type: DocumentType,
    /// What is reported of it.
    pub status: ReportStatus,
    /// The source's own word for the status; empty where it used ours.
    pub source_status: &'a str,
    /// Day of loss or theft.
    pub date_of_loss: Option<Day>,
    /// Day of the report.
    pub date_reported: Option<Day>,
    /// The last day on which the report is in force, as the owner set it.
    pub review_date: Option<Day>,
    /// Code of the owning authority; may be empty.
    pub authority: &'a str,
    /// Code of the owner's restriction; empty: none.
    pub restriction: &'a str,
    /// The owner's own reference; empty: none.
    pub owner_reference: &'a str,
    /// Whether the source does not own the reports of this issuing State.
    pub third_party: bool,
}

impl<'a> Row<'a> {
    /// The row as the index takes it, reported by this source.
    pub(crate) fn of_source(&self, source: &'a str) -> Result<sltd::index::Row<'a>, RangeError> {
        Ok(sltd::index::Row {
            numbers: numbers(self.number, self.range_end)?,
            issuing_state: self.issuing_state,
            document_type: self.document_type,
            status: self.status,
            source_status: self.source_status,
            date_of_loss: self.date_of_loss,
            date_reported: self.date_reported,
            review_date: self.review_date,
            authority: self.authority,
            restriction: self.restriction,
            source,
            third_party: self.third_party,
            owner_reference: self.owner_reference,
        })
    }
}

fn numbers(
    number: DocumentNumber,
    range_end: Option<DocumentNumber>,
) -> Result<NumberRange, RangeError> {
    range_end.map_or(Ok(NumberRange::single(number)), |end| {
        NumberRange::new(number, end)
    })
}

/// A withdrawal of reports, normalised, borrowed from the chunk it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawal<'a> {
    /// The number, or the first one of a range.
    pub number: DocumentNumber,
    /// The last number of a range, as in a [`Row`].
    pub range_end: Option<DocumentNumber>,
    /// The State that issued the document.
    pub issuing_state: IssuingState,
    /// The type of the document.
    pub document_type: DocumentType,
    /// Why; may be empty.
    pub reason: &'a str,
    /// Whether the source does not own the reports of this issuing State.
    pub third_party: bool,
}

impl<'a> Withdrawal<'a> {
    /// The withdrawal as the index takes it, by this source.
    pub(crate) fn of_source(
        &self,
        source: &'a str,
    ) -> Result<sltd::index::Withdrawal<'a>, RangeError> {
        Ok(sltd::index::Withdrawal {
            numbers: numbers(self.number, self.range_end)?,
            issuing_state: self.issuing_state,
            document_type: self.document_type,
            source,
            third_party: self.third_party,
            reason: self.reason,
        })
    }
}

/// What a sink makes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is taken.
    Taken,
    /// The source has said something later already: without effect.
    Superseded,
    /// It can't be used, for this reason.
    Refused(String),
}

/// What a sink could not do, as the sink words it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

impl SinkError {
    pub(crate) fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// Where a worker hands its rows. Each worker has a sink of its own.
pub trait RowSink: Send {
    /// Takes one row. An error ends the reading of the source.
    fn row(&mut self, row: &Row<'_>) -> Result<Fate, SinkError>;

    /// Takes one withdrawal, which only sources of changes have.
    fn withdraw(&mut self, _: &Withdrawal<'_>) -> Result<Fate, SinkError> {
        Ok(Fate::Refused("changes are not taken here".to_owned()))
    }

    /// Takes one `unwithdraw`, which only sources of changes have.
    fn unwithdraw(&mut self, _: &Withdrawal<'_>) -> Result<Fate, SinkError> {
        Ok(Fate::Refused("changes are not taken here".to_owned()))
    }

    /// Takes a row that has expired; told of sources of changes only, where it replaces earlier reports.
    fn expired(&mut self, _: &Row<'_>) -> Result<(), SinkError> {
        Ok(())
    }

    /// Says where the row that is handed over next stands; told of sources of changes only.
    fn set_position(&mut self, _: RowPosition) {}

    /// Called once, after the worker's last row, unless the reading has failed.
    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
