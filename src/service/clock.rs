//! What time it is.

use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Where a server has the time from: the system as a rule, or a hand that sets it. Nothing in a
/// server reads another clock for what it says of instants and ages.
///
/// ```
/// use jiff::{SignedDuration, Timestamp};
/// use sltd::service::Clock;
///
/// let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
/// let (clock, hand) = Clock::settable(noon);
/// assert_eq!(clock.now(), noon);
/// hand.set(noon + SignedDuration::from_hours(26));
/// assert_eq!(clock.now().to_string(), "2026-11-21T14:00:00Z");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds since 1970; `None`: the system's time.
    set: Option<Arc<AtomicI64>>,
}

/// What sets a [`Clock`] and all its clones.
#[derive(Debug, Clone)]
pub struct ClockHand(Arc<AtomicI64>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at an instant, to the millisecond, until it is set to another.
    pub fn settable(at: Timestamp) -> (Self, ClockHand) {
        let set = Arc::new(AtomicI64::new(at.as_millisecond()));
        let clock = Self {
            set: Some(Arc::clone(&set)),
        };
        (clock, ClockHand(set))
    }

    /// The time, to a few milliseconds.
    pub fn now(&self) -> Timestamp {
        match &self.set {
            None => system(),
            // Only ever set from an instant, so it is one.
            Some(set) => {
                Timestamp::from_millisecond(set.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

impl ClockHand {
    /// Sets the clock.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_millisecond(), Ordering::Relaxed);
    }
}

/// Time from an instant to `now`; none where a clock ahead of ours says that it is still to come.
pub(super) fn age(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// The system's time, to a few milliseconds: enough for the ages that an answer tells, and read from a page of
/// memory where the exact time asks the processor's counter, which on virtual machines costs as much
/// as the filter's probe.
fn system() -> Timestamp {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
        let nanoseconds = i32::try_from(time.tv_nsec).unwrap_or_default();
        // A clock outside of jiff's years is as wrong one way as the other.
        Timestamp::new(time.tv_sec, nanoseconds).unwrap_or_else(|_| Timestamp::now())
    }
    #[cfg(not(target_os = "linux"))]
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_systems_time() {
        let before = Timestamp::now();
        let coarse = Clock::system().now();
        let behind = before.duration_since(coarse);
        // One tick of the slowest kernels is 10 ms; more stands for a busy machine.
        assert!(
            behind.abs() < jiff::SignedDuration::from_secs(5),
            "{behind}"
        );
    }
}
