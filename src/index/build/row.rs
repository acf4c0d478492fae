//! What is put into a segment.

use super::super::tables::Edition;
use crate::document::{DocumentType, IssuingState, NumberRange};
use crate::report::{Day, ReportStatus};

/// One report of one document, or of each document of a range.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The documents' numbers; for a single document a range of one.
    pub numbers: NumberRange,
    /// Who issued them.
    pub issuing_state: IssuingState,
    /// Their type.
    pub document_type: DocumentType,
    /// What is reported.
    pub status: ReportStatus,
    /// The source's own word for it; empty where it used ours.
    pub source_status: &'a str,
    /// Day of loss or theft.
    pub date_of_loss: Option<Day>,
    /// Day of the report.
    pub date_reported: Option<Day>,
    /// The last day on which the report is in force, as the owner set it.
    pub review_date: Option<Day>,
    /// Code of the owning authority; empty: none.
    pub authority: &'a str,
    /// Code of the owner's restriction; empty: none.
    pub restriction: &'a str,
    /// Name of the source.
    pub source: &'a str,
    /// Whether the source is not the issuing State's own.
    pub third_party: bool,
    /// The owner's own reference, at most [`REFERENCE_MAX`](crate::index::REFERENCE_MAX) bytes; empty: none.
    pub owner_reference: &'a str,
}

/// That a source no longer reports a document, or each document of a range.
#[derive(Debug, Clone, Copy)]
pub struct Withdrawal<'a> {
    /// The documents' numbers; for a single document a range of one.
    pub numbers: NumberRange,
    /// Who issued them.
    pub issuing_state: IssuingState,
    /// Their type.
    pub document_type: DocumentType,
    /// Name of the source.
    pub source: &'a str,
    /// Whether the source is not the issuing State's own.
    pub third_party: bool,
    /// Why; empty: not said.
    pub reason: &'a str,
}

/// Where what a source says stands among all that was said of a document: for segments of changes,
/// where a later statement of a source takes the place of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// When it was said; `None`: the edition of the source's list.
    pub edition: Option<Edition>,
    /// Kept, but not shown: something later was said already.
    pub overruled: bool,
}
