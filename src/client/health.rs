//! Whether a server answers.

use crate::proto::health::health_check_response::ServingStatus;

/// What a server says of itself (`grpc.health.v1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Health {
    /// Checks are answered.
    Serving,
    /// Not yet, or no longer.
    NotServing,
    /// The server does not know, or says something newer than this client.
    Unknown,
}

impl From<ServingStatus> for Health {
    fn from(status: ServingStatus) -> Self {
        match status {
            ServingStatus::Serving => Self::Serving,
            ServingStatus::NotServing => Self::NotServing,
            ServingStatus::Unknown | ServingStatus::ServiceUnknown => Self::Unknown,
        }
    }
}
