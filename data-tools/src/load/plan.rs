//! How much is asked, how often, and for how long.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// A load. What is asked is a [`Target`](super::Target)'s business.
#[derive(Debug, Clone)]
pub struct Plan {
    /// When calls are made.
    pub arrivals: Arrivals,
    /// Connections. In a closed loop no more are opened than calls are in flight.
    pub connections: NonZeroUsize,
    /// Threads that share the connections, each with a runtime of its own. No more are started than there
    /// are connections.
    pub threads: NonZeroUsize,
    /// How long calls are made and not counted, at the beginning.
    pub warmup: Duration,
    /// How long calls are made and counted, after the warm-up.
    pub duration: Duration,
    /// How long after its intended start a call is given up.
    pub deadline: Duration,
}

/// When calls are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// On a schedule, whatever becomes of the calls before: as many a second, evenly spaced. Latency
    /// counts from the scheduled instant.
    Open {
        /// Calls a second, above 0.
        rate: f64,
    },
    /// Each when one before is answered.
    Closed {
        /// Calls in flight, over all connections.
        concurrency: NonZeroUsize,
    },
}

impl Plan {
    /// Connections that are opened.
    pub(super) fn connections(&self) -> usize {
        match self.arrivals {
            Arrivals::Open { .. } => self.connections.get(),
            Arrivals::Closed { concurrency } => self.connections.min(concurrency).get(),
        }
    }

    /// Threads that are started.
    pub(super) fn threads(&self) -> usize {
        self.threads.get().min(self.connections())
    }

    /// The instants of a run that begins at `begin`.
    pub(super) fn times(&self, begin: Instant) -> Times {
        let counted = begin + self.warmup;
        Times {
            begin,
            counted,
            end: counted + self.duration,
        }
    }
}

/// The instants of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// The first arrival.
    pub(super) begin: Instant,
    /// The warm-up is over: calls intended from here on are counted.
    pub(super) counted: Instant,
    /// No more arrivals. Calls under way are waited for.
    pub(super) end: Instant,
}
