//! How long things take.

use super::counters::Count;
use std::time::Duration;

/// Upper bounds of the buckets in nanoseconds, with one more bucket past the last. A check takes some
/// microseconds, a chunk of a job milliseconds; what takes longer than the last waits for something.
const BOUNDS_NS: [u64; 15] = [
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    200_000_000,
    1_000_000_000,
];

const NS_PER_S: f64 = 1e9;

/// Durations of one kind, as one thread counts them.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [Count; BOUNDS_NS.len() + 1],
    sum_ns: Count,
}

impl Histogram {
    pub(super) fn record(&self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_NS.iter().take_while(|bound| ns > **bound).count();
        if let Some(count) = self.buckets.get(bucket) {
            count.add(1);
        }
        self.sum_ns.add(ns);
    }
}

/// Durations of one kind that several threads have counted.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Durations {
    /// How many there were in each bucket, not those below it too.
    buckets: [u64; BOUNDS_NS.len() + 1],
    sum_ns: u64,
}

impl Durations {
    pub(super) fn add(&mut self, histogram: &Histogram) {
        for (sum, count) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *sum += count.get();
        }
        self.sum_ns += histogram.sum_ns.get();
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(super) fn sum_seconds(&self) -> f64 {
        self.sum_ns as f64 / NS_PER_S
    }

    /// Upper bounds in seconds, the last one infinite, with what fell into each bucket.
    pub(super) fn buckets_seconds(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS_NS.iter().map(|bound| *bound as f64 / NS_PER_S);
        let bounds = bounds.chain([f64::INFINITY]);
        bounds.zip(self.buckets).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_whose_bound_it_does_not_pass() {
        let cases = [
            (0, 5e-6),
            (5_000, 5e-6),
            (5_001, 1e-5),
            (1_000_000, 1e-3),
            (1_000_000_000, 1.0),
            (1_000_000_001, f64::INFINITY),
            (u64::MAX, f64::INFINITY),
        ];
        for (ns, expected) in cases {
            let histogram = Histogram::default();
            histogram.record(Duration::from_nanos(ns));
            let mut durations = Durations::default();
            durations.add(&histogram);
            let found: Vec<_> = durations.buckets_seconds();
            let filled: Vec<_> = found.iter().filter(|(_, count)| *count > 0).collect();
            assert_eq!(filled, [&(expected, 1)], "{ns} ns");
            assert_eq!(durations.count(), 1);
        }
    }

    #[test]
    fn threads_are_added_up() {
        let threads = [Histogram::default(), Histogram::default()];
        threads[0].record(Duration::from_micros(500));
        threads[1].record(Duration::from_millis(1_500));
        threads[1].record(Duration::from_micros(500));
        let mut durations = Durations::default();
        for thread in &threads {
            durations.add(thread);
        }
        assert_eq!((durations.count(), durations.sum_seconds()), (3, 1.501));
    }
}
