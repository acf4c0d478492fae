//! What a layout reads in a row.

use sltd::document::{DocumentNumber, DocumentType, IssuingState};
use sltd::report::{Day, ReportStatus};

use crate::config::SourceConfig;

/// A row as its layout reads it, before the rules that hold for all layouts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) number: DocumentNumber,
    /// The cell that the number, or its second part, was read from; empty: as the number.
    pub(super) cell: &'a str,
    /// The field that it was read from, as the layout names it.
    pub(super) number_field: &'static str,
    pub(super) range_end: Option<DocumentNumber>,
    pub(super) issuing_state: IssuingState,
    pub(super) document_type: DocumentType,
    pub(super) says: Says<'a>,
    pub(super) source_status: &'a str,
    pub(super) date_of_loss: Option<Day>,
    pub(super) date_reported: Option<Day>,
    pub(super) review_date: Option<Day>,
    pub(super) authority: &'a str,
    pub(super) restriction: &'a str,
    pub(super) owner_reference: &'a str,
}

/// What a row says of its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says<'a> {
    /// That they are reported.
    Reported(ReportStatus),
    /// That they no longer are.
    Withdrawn { reason: &'a str },
    /// That a withdrawal of them was wrong.
    Unwithdrawn { reason: &'a str },
}

impl<'a> Reading<'a> {
    /// A withdrawal.
    pub(super) fn withdrawn(
        number: DocumentNumber,
        issuing_state: IssuingState,
        document_type: DocumentType,
        reason: &'a str,
    ) -> Self {
        Self {
            number,
            cell: "",
            number_field: "number",
            range_end: None,
            issuing_state,
            document_type,
            says: Says::Withdrawn { reason },
            source_status: "",
            date_of_loss: None,
            date_reported: None,
            review_date: None,
            authority: "",
            restriction: "",
            owner_reference: "",
        }
    }

    /// A row that says nothing more; what the source fixes applies.
    pub(super) fn new(
        source: &'a SourceConfig,
        number: DocumentNumber,
        issuing_state: IssuingState,
        document_type: DocumentType,
        status: ReportStatus,
    ) -> Self {
        Self {
            says: Says::Reported(status),
            authority: source.authority.as_deref().unwrap_or(""),
            restriction: source.restriction.as_deref().unwrap_or(""),
            ..Self::withdrawn(number, issuing_state, document_type, "")
        }
    }
}
