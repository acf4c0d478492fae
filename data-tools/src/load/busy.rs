//! Processor time, and the lack of it.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Processor time the process has used so far, user and system.
pub(super) fn process_cpu() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

/// What this thread has wanted of a core so far: time it computed, and time it was ready to and had to
/// wait for a core. The second is known on Linux only.
pub(super) fn thread_demand() -> Duration {
    clock(ClockId::ThreadCPUTime) + waited().unwrap_or_default()
}

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Time this thread was ready to run and another was running.
fn waited() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let waited_ns = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(waited_ns))
}
