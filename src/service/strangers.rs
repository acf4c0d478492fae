//! What comes to the port and is no call, said in the log: once in a while, however often it comes.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The same is said this often at most: what a client does wrong it does thousands of times.
const SAY_EVERY: Duration = Duration::from_secs(60 * 60);

/// What a connection speaks instead of HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stranger {
    Http1,
    Tls,
}

impl Stranger {
    /// What begins with these bytes, as far as it can be told.
    pub(super) fn of(begin: &[u8]) -> Option<Self> {
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

/// Says it.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    http1: Seldom,
    tls: Seldom,
    refused: Seldom,
}

impl Strangers {
    /// One has come, from there.
    pub(super) fn came(&self, stranger: Stranger, peer: IpAddr) {
        match stranger {
            Stranger::Http1 => {
                if let Some(times) = self.http1.say() {
                    tracing::warn!(
                        %peer,
                        times,
                        "HTTP/1.1 came to the port for gRPC, which speaks HTTP/2 only; such connections are closed \
                         (/metrics, /healthz and /readyz are at the address `metrics`)"
                    );
                }
            }
            Stranger::Tls => {
                if let Some(times) = self.tls.say() {
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

    /// HTTP/2 has refused a call for its headers, before it was one.
    pub(super) fn call_refused(&self) {
        if let Some(times) = self.refused.say() {
            tracing::warn!(
                times,
                "a call was refused for headers that HTTP/2 does not allow; as a rule a client with several addresses \
                 has sent their list as `:authority`: give it one name (grpc.default_authority)"
            );
        }
    }
}

/// Lets something be said now and then.
#[derive(Debug, Default)]
struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// Whether it is to be said now; and then, how often it has been so since it was said last.
    fn say(&self) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, times) = &mut *said;
        *times += 1;
        if last.is_some_and(|last| last.elapsed() < SAY_EVERY) {
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
        let cases: [(&[u8], Option<Stranger>); 8] = [
            (b"", None),
            (b"\x16", None),
            (b"\x16\x03\x01\x02", Some(Stranger::Tls)),
            (b"\x16\x02\x01\x02", None),
            (b"GET / HTTP/1.1\r\n", Some(Stranger::Http1)),
            (b"OPTIONS * HTTP/1.1", Some(Stranger::Http1)),
            (b"PRI * HTTP/2.1", None),
            (b"12AB34567", None),
        ];
        for (begin, expected) in cases {
            assert_eq!(Stranger::of(begin), expected, "{begin:?}");
        }
    }

    #[test]
    fn what_comes_often_is_said_once() {
        let seldom = Seldom::default();
        assert_eq!(seldom.say(), Some(1));
        assert!((0..1_000).all(|_| seldom.say().is_none()));
    }
}
