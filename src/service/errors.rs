//! The one table that turns what can go wrong into what goes over the wire.
//!
//! Messages name the field, the position and what was expected. None repeats a document number: it
//! would end up in the logs of every client.

use crate::proto::{self, ItemErrorCode};
use std::collections::HashMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// What is wrong with one field of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// Path of the field in the request, such as `number`.
    pub(super) field: &'static str,
    /// Position of the fault in the field, in characters from 1; `None` if the whole field is meant.
    pub(super) position: Option<usize>,
    /// What kind of fault it is, where an item can have it.
    pub(super) code: ItemErrorCode,
    /// What is wrong, where, and what was expected.
    pub(super) description: String,
}

impl Violation {
    /// A fault of a field as a whole.
    pub(super) fn of(field: &'static str, description: impl Into<String>) -> Self {
        Self {
            field,
            position: None,
            code: ItemErrorCode::Unspecified,
            description: description.into(),
        }
    }

    /// The same, of a kind that items can have.
    pub(super) fn coded(self, code: ItemErrorCode) -> Self {
        Self { code, ..self }
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
            code: self.code.into(),
        }
    }
}

/// The most faults that an answer names.
const VIOLATIONS_MAX: usize = 16;

/// Why a call, as a whole, has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallError {
    /// The request is understood but fields are wrong; one violation at least.
    Malformed(Vec<Violation>),
    /// The request is not a message of the contract.
    Undecodable(String),
    /// The server has no such method.
    NoMethod,
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
    /// The server's memory is used up, and there was no room for the call in time.
    OutOfMemory,
    /// The call waited for its client while others needed its memory, or for too long.
    Stalled,
    /// The request did not arrive in time.
    NotReceived,
    /// A job was ended, of which all items before `next_item` are answered.
    JobEnded { cause: Box<Self>, next_item: u64 },
    /// A defect of the server, caught at the call boundary.
    Defect,
}

impl From<Violation> for CallError {
    fn from(violation: Violation) -> Self {
        Self::Malformed(vec![violation])
    }
}

impl From<Vec<Violation>> for CallError {
    fn from(violations: Vec<Violation>) -> Self {
        Self::Malformed(violations)
    }
}

impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Malformed(violations) => malformed(violations),
            CallError::Undecodable(why) => {
                // An empty field is the message as a whole.
                bad_request(
                    format!("the request is not a message of this method: {why}"),
                    vec![FieldViolation::new("", why)],
                )
            }
            // The path is not repeated: a confused client may have put a number there.
            CallError::NoMethod => Status::unimplemented(
                "the server has no such method: compare the service and method with those of the \
                 contract, sltd/v1/*.proto, or ask grpc.reflection.v1.ServerReflection for them",
            ),
            // The size is left out, so that all methods say the same: not all know it.
            CallError::TooLarge { limit, .. } => Status::resource_exhausted(format!(
                "the message is larger than {limit} bytes, the most that this method takes"
            )),
            CallError::Compressed => {
                let mut status = Status::unimplemented(
                    "compressed messages are not accepted: send them with grpc-encoding identity",
                );
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
            CallError::OutOfMemory => Status::resource_exhausted(
                "the server's memory for requests and answers is used up: call again later",
            ),
            CallError::Stalled => Status::resource_exhausted(
                "the call was ended because it waited for its client while it held memory that others needed",
            ),
            CallError::NotReceived => Status::deadline_exceeded(
                "the request did not arrive in time: expected a whole message within 10 s, and 1 s more for each 32 KiB",
            ),
            CallError::JobEnded { cause, next_item } => job_ended(&Self::from(*cause), next_item),
            CallError::Defect => Status::internal("a defect of the server; it has been logged"),
        }
    }
}

fn malformed(mut violations: Vec<Violation>) -> Status {
    violations.truncate(VIOLATIONS_MAX);
    let said: Vec<String> = violations
        .iter()
        .map(
            |Violation {
                 field, description, ..
             }| format!("{field}: {description}"),
        )
        .collect();
    let violations = violations.into_iter();
    let violations =
        violations.map(|violation| FieldViolation::new(violation.field, violation.description));
    bad_request(said.join("; "), violations.collect())
}

fn bad_request(message: String, violations: Vec<FieldViolation>) -> Status {
    let details = ErrorDetails::with_bad_request(violations);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The status of a job that was ended: the cause's, and where to go on.
fn job_ended(cause: &Status, next_item: u64) -> Status {
    let message = format!("{}; go on from item {next_item}", cause.message());
    let next_item = HashMap::from([("next_item".to_owned(), next_item.to_string())]);
    let details = ErrorDetails::with_error_info("JOB_ENDED", "sltd.v1", next_item);
    Status::with_error_details(cause.code(), message, details)
}

/// What the contract says where tonic, which decodes the messages of a stream, says otherwise.
///
/// tonic answers a message over the limit, in bytes, with OUT_OF_RANGE (gRPC: RESOURCE_EXHAUSTED), and one
/// that cannot be decoded with INTERNAL, as if it were the server's fault.
pub(super) fn of_received(status: Status, limit: usize) -> Status {
    match status.code() {
        // tonic's words tell the size; all methods say the same instead.
        Code::OutOfRange => CallError::TooLarge { size: 0, limit }.into(),
        // The flag says so where no header has. tonic knows no better code for it.
        Code::Internal if status.message().contains("compressed-flag") => {
            CallError::Compressed.into()
        }
        Code::Internal => CallError::Undecodable("a message cannot be decoded".to_owned()).into(),
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_names_field_position_and_what_was_expected() {
        let violation = Violation {
            field: "number",
            position: Some(3),
            code: ItemErrorCode::Character,
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
        assert_eq!(item.code(), ItemErrorCode::Character);
    }

    #[test]
    fn all_violations_are_named_up_to_a_bound() {
        let violations = |count| {
            let one = |n: usize| Violation::of("field", format!("fault {n}"));
            (1..=count).map(one).collect::<Vec<_>>()
        };
        for (count, named) in [(1, 1), (2, 2), (16, 16), (17, 16), (1_000, 16)] {
            let status = Status::from(CallError::from(violations(count)));
            let details = status.get_details_bad_request().unwrap();
            assert_eq!(details.field_violations.len(), named);
            assert_eq!(status.message().split("; ").count(), named);
        }
    }

    #[test]
    fn a_job_that_is_ended_says_where_to_go_on() {
        for cause in [
            CallError::Stalled,
            CallError::OutOfMemory,
            CallError::NotReceived,
        ] {
            let code = Status::from(cause.clone()).code();
            let ended = CallError::JobEnded {
                cause: Box::new(cause),
                next_item: 65_536,
            };
            let status = Status::from(ended);
            assert_eq!(status.code(), code);
            assert!(
                status.message().ends_with("go on from item 65536"),
                "{status:?}"
            );
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.metadata["next_item"], "65536");
        }
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
            (CallError::NoMethod, Code::Unimplemented),
            (CallError::Deadline, Code::DeadlineExceeded),
            (CallError::Gone, Code::Cancelled),
            (CallError::NoSnapshot, Code::Unavailable),
            (CallError::Ending, Code::Unavailable),
            (CallError::OutOfMemory, Code::ResourceExhausted),
            (CallError::Stalled, Code::ResourceExhausted),
            (CallError::NotReceived, Code::DeadlineExceeded),
            (CallError::Defect, Code::Internal),
        ];
        for (error, code) in cases {
            assert_eq!(Status::from(error.clone()).code(), code, "{error:?}");
        }
    }
}
