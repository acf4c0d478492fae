//! Logs what comes to the port and is no call: at most once an hour for each kind, however often it comes.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same is logged at most: what a client does wrong it does thousands of times.
const LOG_EVERY: Duration = Duration::from_secs(60 * 60);

/// The protocol that a connection speaks instead of HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OtherProtocol {
    Http1,
    Tls,
}

impl OtherProtocol {
    /// The protocol whose first bytes these are; `None` if it can't be told.
    pub(super) fn from_first_bytes(begin: &[u8]) -> Option<Self> {
        const METHODS: [&[u8]; 9] = [
            b"GET ", b"HEAD", b"POST", b"PUT ", b"DELE", b"CONN", b"OPTI", b"TRAC", b"PATC",
        ];
        // A record of a handshake, of version 3.x (RFC 8446, section 5.1).
        if begin.starts_with(&[0x16, 3]) {
            return Some(Self::Tls);
        }
        let method = METHODS.iter().any(|method| begin.starts_with(method));
        method.then_some(Self::Http1)
    }
}

/// Logs mistakes of clients, each kind at most once in [`LOG_EVERY`].
#[derive(Debug, Default)]
pub(super) struct MisuseLog {
    http1: RateLimit,
    tls: RateLimit,
    refused: RateLimit,
}

impl MisuseLog {
    /// Logs a connection that speaks another protocol.
    pub(super) fn log_protocol(&self, protocol: OtherProtocol, peer: IpAddr) {
        match protocol {
            OtherProtocol::Http1 => {
                if let Some(times) = self.http1.count() {
                    tracing::warn!(
                        %peer,
                        times,
                        "HTTP/1.1 came to the port for gRPC, which speaks HTTP/2 only; such connections are closed \
                         (/metrics, /healthz and /readyz are at the address `metrics`)"
                    );
                }
            }
            OtherProtocol::Tls => {
                if let Some(times) = self.tls.count() {
                    tracing::warn!(
                        %peer,
                        times,
                        "TLS came to the port for gRPC, which is not encrypted; such connections are closed: let the \
                         client connect without TLS"
                    );
                }
            }
        }
    }

    /// Logs a call that the HTTP/2 layer refused for its headers.
    pub(super) fn log_refused_call(&self) {
        if let Some(times) = self.refused.count() {
            tracing::warn!(
                times,
                "a call was refused for headers that HTTP/2 does not allow; as a rule a client with several addresses \
                 has sent their list as `:authority`: give it one name (grpc.default_authority)"
            );
        }
    }
}

/// Lets an event through at most once in [`LOG_EVERY`], and counts the others.
#[derive(Debug, Default)]
struct RateLimit(Mutex<(Option<Instant>, u64)>);

impl RateLimit {
    /// Counts an event; if it is to be logged, returns how many there were since one was logged last.
    fn count(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, times) = &mut *state;
        *times += 1;
        if last.is_some_and(|last| last.elapsed() < LOG_EVERY) {
            return None;
        }
        *last = Some(Instant::now());
        Some(std::mem::take(times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_known_by_its_begin() {
        let cases: [(&[u8], Option<OtherProtocol>); 8] = [
            (b"", None),
            (b"\x16", None),
            (b"\x16\x03\x01\x02", Some(OtherProtocol::Tls)),
            (b"\x16\x02\x01\x02", None),
            (b"GET / HTTP/1.1\r\n", Some(OtherProtocol::Http1)),
            (b"OPTIONS * HTTP/1.1", Some(OtherProtocol::Http1)),
            (b"PRI * HTTP/2.1", None),
            (b"12AB34567", None),
        ];
        for (begin, expected) in cases {
            assert_eq!(
                OtherProtocol::from_first_bytes(begin),
                expected,
                "{begin:?}"
            );
        }
    }

    #[test]
    fn what_comes_often_is_said_once() {
        let seldom = RateLimit::default();
        assert_eq!(seldom.count(), Some(1));
        assert!((0..1_000).all(|_| seldom.count().is_none()));
    }
}
