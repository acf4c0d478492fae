//! What a caller may set.

use std::num::NonZeroUsize;
use std::time::Duration;

/// How a [`Client`](super::Client) calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// The longest a call may take, attempts and pauses together; sent with the call, so that the
    /// server stops too. In a stream: the longest wait for the next answer while a chunk is
    /// unanswered. Default 5 s.
    pub deadline: Duration,
    /// The longest an attempt may take to connect, so that one dead machine among several
    /// endpoints does not use up the deadline. Default 1 s.
    pub connect_timeout: Duration,
    /// Attempts after the first. Only UNAVAILABLE and a lost connection are tried again, at the next
    /// endpoint: everything else would fail the same way or has used up the deadline. Streams are not
    /// retried, nor is what the server does not want to have retried (`grpc-retry-pushback-ms`). All calls
    /// of a client and its clones share what may be spent on retries:
    /// [`RETRY_PERCENT`](Self::RETRY_PERCENT). Default 2.
    pub retries: u32,
    /// Pause before the first retry; it doubles before each further one. Each pause is longer by a random
    /// part of itself, up to twice as long, and never longer than [`BACKOFF_MAX`](Self::BACKOFF_MAX). The
    /// server may set it (`grpc-retry-pushback-ms`). Default 50 ms.
    pub backoff: Duration,
}

impl ClientOptions {
    /// The longest pause between two attempts.
    pub const BACKOFF_MAX: Duration = Duration::from_secs(2);
    /// Retries in per cent of the calls of the last ten seconds, at the most. When all servers are down,
    /// clients then don't multiply the load that waits for them.
    pub const RETRY_PERCENT: u32 = 20;
    /// Retries a second beyond that share, so that a client that calls rarely may retry, too.
    pub const RETRIES_A_SECOND: u32 = 1;
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(1),
            retries: 2,
            backoff: Duration::from_millis(50),
        }
    }
}

/// How a stream is cut into chunks and how far the questions may run ahead of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamOptions {
    /// Questions in a chunk, at most [`CHUNK_ITEMS_MAX`](super::CHUNK_ITEMS_MAX) (more counts as
    /// that). Default 8,192: large enough that the cost of a message vanishes, small enough that
    /// answers come at once.
    pub chunk_items: NonZeroUsize,
    /// Chunks sent and not yet answered. Default 4: one is checked, one travels each way, one is
    /// being packed.
    pub chunks_in_flight: NonZeroUsize,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            chunk_items: NonZeroUsize::MIN.saturating_add(8_191),
            chunks_in_flight: NonZeroUsize::MIN.saturating_add(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::DESCRIPTORS;
    use prost::Message as _;
    use serde_json::{Value, json};

    /// Clients in other languages call as this one does.
    #[test]
    fn the_service_config_says_what_this_client_does() {
        let text = include_str!("../../proto/service_config.json");
        let config: Value = serde_json::from_str(text).unwrap();
        let options = ClientOptions::default();
        let seconds = |duration: Duration| format!("{}s", duration.as_secs_f64());
        let [method] = config["methodConfig"].as_array().unwrap().as_slice() else {
            panic!("{config}")
        };
        assert_eq!(method["timeout"], json!(seconds(options.deadline)));
        let policy = &method["retryPolicy"];
        assert_eq!(policy["maxAttempts"], json!(options.retries + 1));
        assert_eq!(policy["initialBackoff"], json!(seconds(options.backoff)));
        let longest = seconds(ClientOptions::BACKOFF_MAX);
        assert_eq!(policy["maxBackoff"], json!(longest));
        assert_eq!(policy["retryableStatusCodes"], json!(["UNAVAILABLE"]));
        let share = f64::from(ClientOptions::RETRY_PERCENT) / 100.0;
        assert_eq!(config["retryThrottling"]["tokenRatio"], json!(share));

        // All unary methods of the contract and no others: a stream is not retried as a whole.
        let files = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let contract = files.file.iter().filter(|file| file.package() == "sltd.v1");
        let services = contract.flat_map(|file| &file.service);
        let unary = services.flat_map(|service| {
            let unary = service.method.iter();
            let unary = unary.filter(|method| !method.client_streaming());
            unary.map(|method| {
                json!({
                    "service": format!("sltd.v1.{}", service.name()),
                    "method": method.name(),
                })
            })
        });
        let named = method["name"].as_array().unwrap();
        let unary: Vec<Value> = unary.collect();
        assert_eq!(unary.len(), named.len(), "{unary:?}");
        assert!(
            unary.iter().all(|method| named.contains(method)),
            "{unary:?}"
        );
    }
}
