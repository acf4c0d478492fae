//! The verdict table.

use super::{Query, Report};
use crate::document::{DocumentType, IssuingState};

/// The conclusion of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing reported: not a statement of validity.
    NoRecord,
    /// Reported.
    Hit,
    /// Perhaps reported: a person must look.
    Review,
    /// Could not be answered: read it again.
    Inconclusive,
    /// Stop and refer to the authority.
    Refer,
}

/// Why a verdict is what it is. STUB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {}

/// A set of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Reasons(u32);

/// A reported document with the number asked about.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its issuing State.
    pub issuing_state: IssuingState,
    /// Its type.
    pub document_type: DocumentType,
    /// One report of it.
    pub report: Report<'a>,
}

/// What [`judge`] concludes.
#[derive(Debug, Clone)]
pub struct Judgement<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// All reasons that apply.
    pub reasons: Reasons,
    /// The matches that may be shown.
    pub matches: Vec<Candidate<'a>>,
    /// Number of other known issuers with a report of the same number.
    pub same_number_other_issuers: u32,
}

/// Applies the verdict table. STUB signature.
pub fn judge<'a>(_query: &Query, _candidates: &[Candidate<'a>], _data_too_old: bool) -> Judgement<'a> {
    todo!()
}
