//! What time it is, for a check.

use jiff::Timestamp;

/// The time, to a few milliseconds: enough for the ages that an answer tells, and read from a page of
/// memory where the exact time asks the processor's counter, which on virtual machines costs as much
/// as the filter's probe.
pub(super) fn now() -> Timestamp {
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
        let coarse = now();
        let behind = before.duration_since(coarse);
        // One tick of the slowest kernels is 10 ms; more stands for a busy machine.
        assert!(
            behind.abs() < jiff::SignedDuration::from_secs(5),
            "{behind}"
        );
    }
}
