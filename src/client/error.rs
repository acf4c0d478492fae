//! Why there is no answer.

use crate::proto::{ItemError, ItemErrorCode};
use std::error::Error as _;
use std::fmt;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// What is wrong with one field of a question. Never repeats a document number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field, such as `number`; empty if the service named none.
    pub field: String,
    /// Where in the field, what is wrong and what was expected.
    pub description: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.description),
            field => write!(f, "{field}: {}", self.description),
        }
    }
}

impl std::error::Error for Fault {}

/// The description names the position too, as it does in the errors of single checks. Where the service sends none, as
/// of most items of a chunk with many faults, the code is put into words.
impl From<ItemError> for Fault {
    fn from(error: ItemError) -> Self {
        let code = error.code();
        Self {
            field: error.field,
            description: match error.description.as_str() {
                "" => words(code, error.position),
                _ => error.description,
            },
        }
    }
}

/// What a code says.
fn words(code: ItemErrorCode, position: u32) -> String {
    let words = match code {
        ItemErrorCode::Unspecified => "can't be used",
        ItemErrorCode::Empty => "is empty",
        ItemErrorCode::TooLong => "is too long",
        ItemErrorCode::Character => {
            return format!("character {position} is none that the field may hold");
        }
        ItemErrorCode::NotUtf8 => "is not UTF-8 text",
        ItemErrorCode::Decimal => "digits with a decimal point: expected a document number",
        ItemErrorCode::Exponent => "a number with an exponent: expected a document number",
        ItemErrorCode::Placeholder => "a placeholder, not a document number",
        ItemErrorCode::TwoNumbers => "two numbers: expected one",
        ItemErrorCode::UnknownValue => "there is no such value",
        ItemErrorCode::DiffersFromZone => "differs from the machine-readable zone",
    };
    words.to_owned()
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No endpoint was given.
    #[error("expected at least one endpoint, got none")]
    NoEndpoint,
    /// An endpoint is none.
    #[error("`{endpoint}` is not an endpoint: expected http://HOST:PORT")]
    Endpoint {
        /// The endpoint as given.
        endpoint: String,
    },
    /// A batch has more items than the service takes.
    #[error("the batch has {items} items, expected at most {max}")]
    BatchTooLarge {
        /// Its items.
        items: usize,
        /// The most the service takes.
        max: usize,
    },
    /// A question cannot be packed into a stream.
    #[error(transparent)]
    Chunk(#[from] super::ChunkError),
    /// The service does not understand the question; asking again is of no use.
    #[error("{message}")]
    Malformed {
        /// All that is wrong, in one text.
        message: String,
        /// What is wrong field by field; empty if the service did not say.
        faults: Vec<Fault>,
    },
    /// No answer came in time.
    #[error("no answer from {endpoint} within {deadline:?}")]
    Deadline {
        /// Who was asked last.
        endpoint: String,
        /// How long the call was allowed to take.
        deadline: Duration,
    },
    /// The service cannot be reached, or serves no snapshot.
    #[error("{endpoint} is not available: {message}")]
    Unavailable {
        /// Who was asked last.
        endpoint: String,
        /// Why.
        message: String,
    },
    /// The call failed otherwise.
    #[error("{endpoint} failed with {code:?}: {message}")]
    Failed {
        /// Who was asked.
        endpoint: String,
        /// The status of the call.
        code: Code,
        /// What the service said.
        message: String,
    },
    /// The answer is not what the contract promises.
    #[error("the answer breaks the contract: {what}: expected {expected}, got {got}")]
    Contract {
        /// What was counted.
        what: &'static str,
        /// What the contract promises.
        expected: u64,
        /// What came.
        got: u64,
    },
}

impl ClientError {
    /// Whether the question is at fault rather than the service or the way to it.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed { .. } | Self::Chunk(_))
    }

    /// The gRPC code that says the same.
    pub fn code(&self) -> Code {
        match self {
            Self::NoEndpoint
            | Self::Endpoint { .. }
            | Self::BatchTooLarge { .. }
            | Self::Chunk(_)
            | Self::Malformed { .. } => Code::InvalidArgument,
            Self::Deadline { .. } => Code::DeadlineExceeded,
            Self::Unavailable { .. } => Code::Unavailable,
            Self::Failed { code, .. } => *code,
            Self::Contract { .. } => Code::Internal,
        }
    }

    /// What a status says. `timed_out`: whether the deadline of the call has passed.
    pub(super) fn of(status: &Status, endpoint: &str, deadline: Duration, timed_out: bool) -> Self {
        let endpoint = endpoint.to_owned();
        match status.code() {
            Code::InvalidArgument => Self::Malformed {
                message: status.message().to_owned(),
                faults: faults(status),
            },
            Code::Unavailable => Self::Unavailable {
                endpoint,
                message: reason(status),
            },
            Code::DeadlineExceeded => Self::Deadline { endpoint, deadline },
            // How the transport ends a call whose time is up.
            Code::Cancelled if timed_out => Self::Deadline { endpoint, deadline },
            _ if is_connection_lost(status) => Self::Unavailable {
                endpoint,
                message: reason(status),
            },
            code => Self::Failed {
                endpoint,
                code,
                message: reason(status),
            },
        }
    }
}

/// Whether the connection broke under the call: the transport says UNKNOWN or CANCELLED then, as if
/// the service had answered so. A server that takes no further connections closes them like this.
pub(super) fn is_connection_lost(status: &Status) -> bool {
    // What the service answered has no source.
    let source = status.source();
    matches!(status.code(), Code::Unknown | Code::Cancelled)
        && source.is_some_and(<dyn std::error::Error>::is::<tonic::transport::Error>)
}

fn faults(status: &Status) -> Vec<Fault> {
    status
        .get_details_bad_request()
        .into_iter()
        .flat_map(|bad_request| bad_request.field_violations)
        .map(|violation| Fault {
            field: violation.field,
            description: violation.description,
        })
        .collect()
}

/// The message, and the innermost cause where the message does not name it: the transport says
/// "tcp connect error" and leaves "Connection refused" to its sources.
fn reason(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut cause = status.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    if let Some(cause) = cause.map(ToString::to_string)
        && !text.contains(&cause)
    {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::{ErrorDetails, FieldViolation};

    #[test]
    fn a_fault_reads_the_same_from_a_batch_and_from_a_single_check() {
        let text = "character 3: expected a letter or a digit";
        let item = Fault::from(ItemError {
            field: "number".to_owned(),
            position: 3,
            description: text.to_owned(),
            code: ItemErrorCode::Character.into(),
        });
        let details = ErrorDetails::with_bad_request(vec![FieldViolation::new("number", text)]);
        let status = Status::with_error_details(Code::InvalidArgument, "number", details);
        let error = ClientError::of(&status, "", Duration::ZERO, false);
        let ClientError::Malformed { faults, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(faults.as_slice(), std::slice::from_ref(&item));
        assert_eq!(item.to_string(), format!("number: {text}"));
    }

    #[test]
    fn statuses() {
        let deadline = Duration::from_secs(1);
        let cases = [
            (Code::InvalidArgument, false, Code::InvalidArgument),
            (Code::Unavailable, false, Code::Unavailable),
            (Code::Unavailable, true, Code::Unavailable),
            (Code::DeadlineExceeded, false, Code::DeadlineExceeded),
            (Code::Cancelled, true, Code::DeadlineExceeded),
            (Code::Cancelled, false, Code::Cancelled),
            (Code::Internal, true, Code::Internal),
            (Code::OutOfRange, false, Code::OutOfRange),
        ];
        for (code, timed_out, expected) in cases {
            let error = ClientError::of(&Status::new(code, "why"), "e", deadline, timed_out);
            assert_eq!(error.code(), expected, "{code:?}");
            assert_eq!(
                error.is_malformed(),
                code == Code::InvalidArgument,
                "{code:?}"
            );
        }
    }
}
