//! One report.

use super::Day;

/// What is reported of a document. The discriminants are the codes stored in segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ReportStatus {
    /// Stolen from its bearer.
    Stolen = 1,
    /// Lost by its bearer.
    Lost = 2,
    /// Stolen as a blank.
    StolenBlank = 3,
    /// Revoked by the issuer.
    Revoked = 4,
    /// Declared invalid by the issuer.
    Invalidated = 5,
}

impl ReportStatus {
    /// Every status, in order of its code.
    pub const ALL: [Self; 5] = [Self::Stolen, Self::Lost, Self::StolenBlank, Self::Revoked, Self::Invalidated];
    /// The code stored in segments.
    pub fn code(self) -> u8 {
        self as u8
    }
    /// The status of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }
    /// The name in lists: `stolen_blank`.
    pub fn name(self) -> &'static str {
        todo!()
    }
    /// The status a [`name`](Self::name) stands for.
    pub fn from_name(_name: &str) -> Option<Self> {
        todo!()
    }
}

/// The competent authority that owns a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Authority<'a> {
    /// The code reports name it by.
    pub code: &'a str,
    /// Its name; empty if the directory does not list the code.
    pub name: &'a str,
    /// How to reach it (telephone, e-mail, hours), as the directory has it; may be empty.
    pub contact: &'a str,
}

/// What one source says about one document, borrowed from the segment that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Report<'a> {
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
    /// The owner.
    pub authority: Option<Authority<'a>>,
    /// The owner's restriction code; empty: none.
    pub restriction: &'a str,
    /// Name of the source.
    pub source: &'a str,
    /// Whether the source is not the issuing State's own.
    pub third_party: bool,
    /// The owner's own reference; empty: none.
    pub owner_reference: &'a str,
}
