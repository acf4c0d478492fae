//! What is asked.

use crate::document::mrz::Mrz;
use crate::document::{DocumentNumber, DocumentType, Issuer};

/// One question about one document. STUB: the owner of `report` refines it.
#[derive(Debug, Clone)]
pub struct Query {
    /// The number; `None` when the zone was unreadable.
    pub number: Option<DocumentNumber>,
    /// The issuer, where given.
    pub issuer: Option<Issuer>,
    /// The type, where given.
    pub document_type: Option<DocumentType>,
    /// Whether the number's own check digit failed.
    pub number_check_failed: bool,
    /// The zone it was read from.
    pub mrz: Option<Mrz>,
}
