//! Fairness between kiosks and jobs that share a thread.

use std::time::{Duration, Instant};

/// How long a job may keep a thread before others have their turn: about what one unary call costs
/// it, so that a kiosk behind a job waits little longer than behind another kiosk. To look whether
/// anybody has come costs the job about a tenth of it.
const SLICE: Duration = Duration::from_micros(10);

/// Items between two looks at the clock: a look costs about a quarter of the cheapest check.
const STRIDE: u32 = 16;

/// Divides the work on many items into slices.
#[derive(Debug)]
pub(super) struct Slices {
    began: Instant,
    items: u32,
}

impl Slices {
    pub(super) fn begin() -> Self {
        Self {
            began: Instant::now(),
            items: 0,
        }
    }

    /// To be called after each item: lets others have their turn when the slice is used up.
    pub(super) async fn item_done(&mut self) {
        self.items += 1;
        if self.items.is_multiple_of(STRIDE) && self.began.elapsed() >= SLICE {
            self.step_aside().await;
        }
    }

    /// To be called between stretches of work that are not parted into items.
    pub(super) async fn step_aside(&mut self) {
        tokio::task::yield_now().await;
        self.began = Instant::now();
    }
}
