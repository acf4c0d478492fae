//! A check without a server: the way of a unary call from message to message, in one process.

use super::clock::Clock;
use super::errors::CallError;
use super::lookup;
use super::serving::{Ages, Current, Serving};
use crate::proto;
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// Why a check without a server has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfflineError {
    /// Fields of the question can't be understood: all of them, one at least.
    #[error("{}", words(.0))]
    Malformed(Vec<MalformedField>),
    /// The bytes are no question.
    #[error("expected an encoded CheckDocumentRequest: {0}")]
    Undecodable(String),
    /// The snapshot's bytes are no longer those that were verified.
    #[error("the snapshot is damaged: its bytes are no longer those that were verified")]
    Damaged,
}

/// A field of a question that can't be understood. Never repeats a document number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedField {
    /// The field, such as `number`.
    pub field: &'static str,
    /// What is wrong, where, and what was expected.
    pub description: String,
}

fn words(fields: &[MalformedField]) -> String {
    let words = |MalformedField { field, description }: &_| format!("{field}: {description}");
    fields.iter().map(words).collect::<Vec<_>>().join("; ")
}

impl From<CallError> for OfflineError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Malformed(violations) => {
                let fields = violations.into_iter().map(|violation| MalformedField {
                    field: violation.field,
                    description: violation.description,
                });
                Self::Malformed(fields.collect())
            }
            CallError::Undecodable(why) => Self::Undecodable(why),
            // Without a network nothing else happens to a call.
            _ => Self::Damaged,
        }
    }
}

/// A snapshot that is asked as a server's is, but for the network: by programs that embed it, and by
/// those that measure the way of a call. It never becomes too old.
///
/// ```no_run
/// use sltd::service::Offline;
/// use sltd::snapshot::{LoadOptions, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let offline = Offline::new(Store::open("var/store")?.load_current(&LoadOptions::default())?);
/// let answer = offline.check_document(&sltd::proto::CheckDocumentRequest {
///     number: "C01X00T47".to_owned(),
///     ..Default::default()
/// })?;
/// println!("{:?}", answer.verdict());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Offline {
    serving: Serving,
}

impl Offline {
    /// Asks this snapshot.
    pub fn new(snapshot: Snapshot) -> Self {
        let serving = Serving::new(Clock::system());
        serving.swap(Some(Arc::new(Current::new(snapshot, Ages::default()))));
        Self { serving }
    }

    /// Answers `CheckDocument`.
    ///
    /// # Errors
    /// [`OfflineError::Malformed`] for a question that the server would refuse with INVALID_ARGUMENT,
    /// or [`OfflineError::Damaged`].
    pub fn check_document(
        &self,
        request: &proto::CheckDocumentRequest,
    ) -> Result<proto::CheckDocumentResponse, OfflineError> {
        Ok(lookup::check_message(&self.serving, request)?)
    }

    /// [`check_document`](Self::check_document) from bytes to bytes: appends the encoded
    /// `CheckDocumentResponse` for an encoded `CheckDocumentRequest` to `reply`. Allocates nothing
    /// for a document that nobody reported, where `reply` has room.
    ///
    /// # Errors
    /// [`OfflineError`]; `reply` may then hold part of an answer.
    pub fn check_encoded(&self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), OfflineError> {
        lookup::check_document(&self.serving, request, reply)?;
        Ok(())
    }
}
