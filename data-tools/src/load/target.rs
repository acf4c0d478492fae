//! What is asked: a server, its connections, and those who make one call after the other.

use sltd::proto::Verdict;
use std::borrow::Cow;
use tonic::Code;

/// The most calls in flight on one connection, whatever a server allows.
pub const IN_FLIGHT_MAX: usize = 256;

/// Verdicts there are, by number on the wire.
const VERDICTS: usize = 6;

/// A server under load. Shared by the threads of the load.
pub trait Target: Sync {
    /// One connection to it; stays on the thread that opened it.
    type Connection;
    /// One of those who share a connection.
    type Caller: Caller + 'static;

    /// A connection. Returns at once: connecting is part of the first calls, and of their latency.
    /// Runs within the runtime of its thread.
    fn connection(&self) -> Self::Connection;

    /// A caller on a connection.
    fn caller(&self, connection: &Self::Connection) -> Self::Caller;
}

/// Makes one call at a time.
pub trait Caller {
    /// Makes a call and waits for all of its answer. `turn` says which question it is: turns count
    /// from 0, and each is given to one call only.
    ///
    /// Dropped when the deadline has passed; the next call must not suffer from it.
    fn call(&mut self, turn: u64) -> impl Future<Output = Outcome>;

    /// The most calls the server takes at a time on the connection, as far as is known now.
    fn in_flight_max(&self) -> usize {
        IN_FLIGHT_MAX
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The gRPC status; what other protocols say is mapped to it.
    pub status: Code,
    /// The verdicts of the answer. All 0 if the call failed.
    pub verdicts: Verdicts,
    /// Why it failed, in a few words.
    pub why: Cow<'static, str>,
}

impl Outcome {
    /// A call that was answered.
    pub fn answered(verdicts: Verdicts) -> Self {
        Self {
            status: Code::Ok,
            verdicts,
            why: Cow::Borrowed(""),
        }
    }

    /// A call that failed.
    pub fn failed(status: Code, why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            verdicts: Verdicts::default(),
            why: why.into(),
        }
    }
}

/// How often each verdict was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdicts([u64; VERDICTS]);

impl Verdicts {
    /// Counts `count` answers with a verdict, given as its number on the wire. A number that the
    /// contract does not have counts as [`Verdict::Unspecified`], which is also what an item that could
    /// not be checked has.
    pub fn add(&mut self, verdict: i32, count: u64) {
        let known = usize::try_from(verdict).unwrap_or(0);
        let slot = if known < VERDICTS { known } else { 0 };
        if let Some(sum) = self.0.get_mut(slot) {
            *sum += count;
        }
    }

    /// Adds up.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// How often a verdict was given.
    pub fn get(&self, verdict: Verdict) -> u64 {
        let slot = usize::try_from(i32::from(verdict)).unwrap_or(0);
        self.0.get(slot).copied().unwrap_or(0)
    }

    /// Each verdict that was given, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (Verdict, u64)> + '_ {
        let named = |(number, &count): (usize, &u64)| {
            let verdict = Verdict::try_from(i32::try_from(number).ok()?).ok()?;
            (count > 0).then_some((verdict, count))
        };
        self.0.iter().enumerate().filter_map(named)
    }

    /// All of them together: documents looked up.
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }
}
