//! What was seen: latencies, statuses, verdicts.

use super::plan::Times;
use super::target::{Outcome, Verdicts};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};
use tonic::Code;

/// Significant decimal digits that the histogram keeps of a latency.
const DIGITS: u8 = 3;
/// The most a histogram of this precision can be told, and more than any deadline.
const LATENCY_MAX_NS: u64 = 100 * 365 * 86_400 * 1_000_000_000;

/// Counts of a thread, or of all.
#[derive(Clone)]
pub struct Tally {
    latency_ns: Histogram<u64>,
    statuses: BTreeMap<i32, Status>,
    verdicts: Verdicts,
    /// Calls answered before the end, and the documents of their answers.
    answered: u64,
    lookups: u64,
    /// Arrivals that could not start in time, and those among them that never started.
    missed: u64,
    unsent: u64,
}

/// Calls that ended with one status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Calls.
    pub calls: u64,
    /// What the first of them said.
    pub why: String,
}

/// Shows sums; a histogram has thousands of counts.
impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally")
            .field("calls", &self.calls())
            .field("latency_min_ns", &self.latency_ns.min())
            .field("latency_max_ns", &self.latency_ns.max())
            .field("statuses", &self.statuses)
            .field("verdicts", &self.verdicts)
            .field("missed", &self.missed)
            .field("unsent", &self.unsent)
            .finish_non_exhaustive()
    }
}

impl Tally {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// Never with the precision that is asked for.
    pub(super) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let mut latency_ns = Histogram::new_with_max(u64::from(u32::MAX), DIGITS)?;
        latency_ns.auto(true);
        Ok(Self {
            latency_ns,
            statuses: BTreeMap::new(),
            verdicts: Verdicts::default(),
            answered: 0,
            lookups: 0,
            missed: 0,
            unsent: 0,
        })
    }

    /// Counts a call that ended at `ended`.
    pub(super) fn ended(
        &mut self,
        outcome: &Outcome,
        intended: Instant,
        ended: Instant,
        times: &Times,
    ) {
        if intended < times.counted {
            return;
        }
        self.latency(ended.saturating_duration_since(intended));
        let status = self.statuses.entry(outcome.status.into()).or_default();
        status.calls += 1;
        if status.why.is_empty() && !outcome.why.is_empty() {
            status.why.push_str(&outcome.why);
        }
        self.verdicts.merge(&outcome.verdicts);
        if outcome.status == Code::Ok && ended <= times.end {
            self.answered += 1;
            self.lookups += outcome.verdicts.sum();
        }
    }

    /// Counts an arrival that did not start in time.
    pub(super) fn miss(&mut self, intended: Instant, times: &Times, unsent: bool) {
        if intended >= times.counted {
            self.missed += 1;
            self.unsent += u64::from(unsent);
        }
    }

    fn latency(&mut self, latency: Duration) {
        let ns = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.latency_ns.saturating_record(ns.min(LATENCY_MAX_NS));
    }

    /// Adds up.
    pub(super) fn merge(&mut self, other: &Self) {
        // Fails only for values that do not fit; both histograms grow as they need.
        let _ = self.latency_ns.add(&other.latency_ns);
        for (code, more) in &other.statuses {
            let status = self.statuses.entry(*code).or_default();
            status.calls += more.calls;
            if status.why.is_empty() {
                status.why.clone_from(&more.why);
            }
        }
        self.verdicts.merge(&other.verdicts);
        self.answered += other.answered;
        self.lookups += other.lookups;
        self.missed += other.missed;
        self.unsent += other.unsent;
    }

    /// Calls that ended, however they did: as many as are in the histogram.
    pub fn calls(&self) -> u64 {
        self.latency_ns.len()
    }

    /// Calls that were answered OK before the time was up.
    pub fn answered_in_time(&self) -> u64 {
        self.answered
    }

    /// Documents in the answers of those.
    pub fn lookups_in_time(&self) -> u64 {
        self.lookups
    }

    /// Arrivals that started more than [`LATE`](super::LATE) after their time, or never.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Arrivals whose deadline had passed before they could start, so that they were never sent.
    pub fn unsent(&self) -> u64 {
        self.unsent
    }

    /// Verdicts of all calls.
    pub fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// Statuses that occurred, in the order of their numbers.
    pub fn statuses(&self) -> impl Iterator<Item = (Code, &Status)> {
        let named = |(code, status): (&i32, _)| (Code::from_i32(*code), status);
        self.statuses.iter().map(named)
    }

    /// Calls that ended with a status.
    pub fn status(&self, code: Code) -> u64 {
        let status = self.statuses.get(&i32::from(code));
        status.map_or(0, |status| status.calls)
    }

    /// The latency, in microseconds, that a share of the calls did not pass; 0 without calls.
    pub fn latency_us(&self, share: f64) -> f64 {
        self.latency_ns.value_at_quantile(share) as f64 / 1e3
    }

    /// All latencies, in nanoseconds.
    pub fn latencies_ns(&self) -> &Histogram<u64> {
        &self.latency_ns
    }
}
