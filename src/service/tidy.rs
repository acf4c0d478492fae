//! What a thread that serves calls does beside them.

use super::budget::Budget;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// A thread that works for less than this between two looks is idle.
const IDLE: Duration = Duration::from_millis(5);

/// Ends calls that have waited too long for their clients, and gives memory that a busy time has left free back to the
/// system when the thread is idle again. To be run by each thread, for as long as it lives: an allocator keeps what a
/// thread has freed until that thread allocates again, which an idle one does not.
pub(super) async fn tidy(budget: Arc<Budget>) {
    let mut looks = interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let metrics = Handle::current().metrics();
    // Each thread has a runtime of its own, with one worker.
    let busy = || metrics.worker_total_busy_duration(0);
    let (mut before, mut returned) = (busy(), busy());
    loop {
        looks.tick().await;
        budget.end_stalled();
        let now = busy();
        if now - before < IDLE && now - returned >= IDLE {
            crate::memory::return_free();
            returned = now;
        }
        before = now;
    }
}
