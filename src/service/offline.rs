//! A check without a server: the same question read and the same answer written, in one process.

use super::errors::Violation;
use super::{convert, lookup, question};
use crate::index::Damage;
use crate::proto;
use crate::snapshot::{Moment, Snapshot};
use jiff::Timestamp;

/// Why a check without a server has no answer.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A field of the question can't be understood. Never repeats a document number.
    #[error("{field}: {description}")]
    Malformed {
        /// The field, such as `number`.
        field: &'static str,
        /// What is wrong, where, and what was expected.
        description: String,
    },
    /// The snapshot's bytes are no longer those that were verified.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

impl From<Violation> for OfflineError {
    fn from(violation: Violation) -> Self {
        Self::Malformed {
            field: violation.field,
            description: violation.description,
        }
    }
}

/// Answers a request from a loaded snapshot as the server would at the instant `now`, with no limit
/// to the snapshot's age.
///
/// # Errors
/// [`OfflineError`] for a question that the server would refuse as malformed, or a snapshot whose
/// bytes have changed.
pub fn check_offline(
    snapshot: &Snapshot,
    request: &proto::CheckDocumentRequest,
    now: Timestamp,
) -> Result<proto::CheckDocumentResponse, OfflineError> {
    let query = question::read(request)?;
    let answer = snapshot.check(&query, Moment::at(now))?;
    Ok(lookup::response(
        &query,
        &answer,
        convert::snapshot(snapshot),
    ))
}
