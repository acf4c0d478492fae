//! The one table that turns what can go wrong into what goes over the wire.
//!
//! Messages name the field, the position and what was expected. None repeats a document number: it
//! would end up in the logs of every client.

use crate::proto;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// What is wrong with one field of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// Path of the field in the request, such as `number`.
    pub(super) field: &'static str,
    /// Position of the fault in the field, in characters from 1; `None` if the whole field is meant.
    pub(super) position: Option<usize>,
    /// What is wrong, where, and what was expected.
    pub(super) description: String,
}

impl Violation {
    /// A fault of a field as a whole.
    pub(super) fn of(field: &'static str, description: impl Into<String>) -> Self {
        Self {
            field,
            position: None,
            description: description.into(),
        }
    }

    /// The fault as an item's error.
    pub(super) fn into_item_error(self) -> proto::ItemError {
        proto::ItemError {
            field: self.field.to_owned(),
            position: self
                .position
                .and_then(|position| u32::try_from(position).ok())
                .unwrap_or(0),
            description: self.description,
        }
    }
}

/// Why a call, as a whole, has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallError {
    /// The request is understood but a field is wrong.
    Malformed(Violation),
    /// The request is not a message of the contract.
    Undecodable(String),
    /// A message is larger than the limit, both in bytes.
    TooLarge { size: usize, limit: usize },
    /// The message is compressed, which the server does not take.
    Compressed,
    /// The caller's own deadline has passed.
    Deadline,
    /// The caller went away before the request was complete.
    Gone,
    /// No snapshot is being served: not yet, or it was found damaged.
    NoSnapshot,
    /// The server ends, and the call would go on for as long as the server runs.
    Ending,
    /// A defect of the server, caught at the call boundary.
    Defect,
}

impl From<Violation> for CallError {
    fn from(violation: Violation) -> Self {
        Self::Malformed(violation)
    }
}

impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Malformed(violation) => malformed(violation),
            CallError::Undecodable(why) => Status::invalid_argument(format!(
                "the request is not a message of this method: {why}"
            )),
            CallError::TooLarge { size, limit } => Status::resource_exhausted(format!(
                "the message has {size} bytes, expected at most {limit}: send fewer items at a time"
            )),
            CallError::Compressed => {
                let mut status =
                    Status::unimplemented("compressed messages are not taken, expected identity");
                status.metadata_mut().insert(
                    "grpc-accept-encoding",
                    tonic::metadata::MetadataValue::from_static("identity"),
                );
                status
            }
            CallError::Deadline => Status::deadline_exceeded("the deadline of the call has passed"),
            CallError::Gone => Status::cancelled("the request was cut off"),
            CallError::NoSnapshot => Status::unavailable(
                "no snapshot is being served: try another server, or again later",
            ),
            CallError::Ending => Status::unavailable("the server is ending: call another one"),
            CallError::Defect => Status::internal("a defect of the server; it has been logged"),
        }
    }
}

fn malformed(violation: Violation) -> Status {
    let Violation {
        field, description, ..
    } = violation;
    let message = format!("{field}: {description}");
    let violations = vec![FieldViolation::new(field, description)];
    let details = ErrorDetails::with_bad_request(violations);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// What the contract says where tonic, which decodes the messages of a stream, says otherwise.
///
/// tonic answers a message over the limit with OUT_OF_RANGE (gRPC: RESOURCE_EXHAUSTED), and one that
/// cannot be decoded with INTERNAL, as if it were the server's fault.
pub(super) fn of_received(status: Status) -> Status {
    match status.code() {
        Code::OutOfRange => Status::resource_exhausted(status.message()),
        Code::Internal => CallError::Undecodable("a message cannot be decoded".to_owned()).into(),
        _ => status,
    }
}

/// The same of a job's chunks.
pub(super) fn of_received_chunk(status: Status) -> Status {
    of_received(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_names_field_position_and_what_was_expected() {
        let violation = Violation {
            field: "number",
            position: Some(3),
            description: "character 3: expected a letter".to_owned(),
        };
        let status = Status::from(CallError::from(violation.clone()));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "number: character 3: expected a letter");
        let details = status.get_details_bad_request().unwrap();
        assert_eq!(details.field_violations.len(), 1);
        assert_eq!(details.field_violations[0].field, "number");
        assert_eq!(
            details.field_violations[0].description,
            "character 3: expected a letter"
        );
        let item = violation.into_item_error();
        assert_eq!((item.field.as_str(), item.position), ("number", 3));
    }

    #[test]
    fn every_error_has_its_code() {
        let cases = [
            (CallError::Undecodable(String::new()), Code::InvalidArgument),
            (
                CallError::TooLarge { size: 2, limit: 1 },
                Code::ResourceExhausted,
            ),
            (CallError::Compressed, Code::Unimplemented),
            (CallError::Deadline, Code::DeadlineExceeded),
            (CallError::Gone, Code::Cancelled),
            (CallError::NoSnapshot, Code::Unavailable),
            (CallError::Ending, Code::Unavailable),
            (CallError::Defect, Code::Internal),
        ];
        for (error, code) in cases {
            assert_eq!(Status::from(error.clone()).code(), code, "{error:?}");
        }
    }
}
