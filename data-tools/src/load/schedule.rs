//! Arrivals of one thread.

use super::alarm::Alarm;
use super::plan::{Arrivals, Times};
use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A call that is to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// Which of all calls it is, from 0.
    pub(super) turn: u64,
    /// When it was to start.
    pub(super) intended: Instant,
}

/// The arrivals of one of several threads: every `threads`-th.
#[derive(Debug)]
pub(super) struct Schedule {
    arrivals: Arrivals,
    times: Times,
    thread: u64,
    threads: u64,
    /// Arrivals of this thread that were taken.
    taken: Cell<u64>,
    /// One permit for each arrival that is due and not taken. Whoever waits longest gets the next.
    due: Semaphore,
}

impl Schedule {
    pub(super) fn new(arrivals: Arrivals, times: Times, thread: usize, threads: usize) -> Self {
        Self {
            arrivals,
            times,
            thread: thread as u64,
            threads: threads as u64,
            taken: Cell::new(0),
            due: Semaphore::new(0),
        }
    }

    /// The next arrival, when its time has come; `None` if there is no more.
    pub(super) async fn next(&self) -> Option<Arrival> {
        match self.arrivals {
            Arrivals::Open { rate } => {
                self.due.acquire().await.ok()?.forget();
                let turn = self.take();
                self.at(turn, rate)
                    .map(|intended| Arrival { turn, intended })
            }
            Arrivals::Closed { .. } => {
                let intended = Instant::now();
                (intended < self.times.end).then(|| Arrival {
                    turn: self.take(),
                    intended,
                })
            }
        }
    }

    fn take(&self) -> u64 {
        let taken = self.taken.get();
        self.taken.set(taken + 1);
        taken * self.threads + self.thread
    }

    /// When a turn is to start; `None` if the time is up before.
    fn at(&self, turn: u64, rate: f64) -> Option<Instant> {
        let after = Duration::try_from_secs_f64(turn as f64 / rate).ok()?;
        let at = self.times.begin.checked_add(after)?;
        (at < self.times.end).then_some(at)
    }

    /// Waits for arrivals and lets those who wait in [`next`](Self::next) have them, until there is no
    /// more. After each, `wanting` is told how many found nobody waiting.
    pub(super) async fn keep(&self, rate: f64, mut wanting: impl FnMut(usize)) -> io::Result<()> {
        let mut alarm = Alarm::new()?;
        let mut turn = self.thread;
        while let Some(mut at) = self.at(turn, rate) {
            alarm.wait(at).await?;
            let now = Instant::now();
            let mut arrived = 0;
            while at <= now {
                arrived += 1;
                turn += self.threads;
                match self.at(turn, rate) {
                    Some(next) => at = next,
                    None => break,
                }
            }
            self.due.add_permits(arrived);
            wanting(self.due.available_permits());
        }
        Ok(())
    }

    /// Tells that many, who wait or will, that there is no more.
    pub(super) fn finish(&self, waiting: usize) {
        self.due.add_permits(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule(thread: usize, threads: usize) -> Schedule {
        let begin = Instant::now();
        let times = Times {
            begin,
            counted: begin,
            end: begin + SECOND / 10,
        };
        Schedule::new(Arrivals::Open { rate: 1_000.0 }, times, thread, threads)
    }

    #[test]
    fn threads_share_the_arrivals_of_one_schedule() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut turns = Vec::new();
        for thread in 0..3 {
            let schedule = Rc::new(schedule(thread, 3));
            let begin = schedule.times.begin;
            let taken = tokio::task::LocalSet::new().block_on(&runtime, async {
                let taking = Rc::clone(&schedule);
                let taken = tokio::task::spawn_local(async move {
                    let mut taken = Vec::new();
                    while let Some(arrival) = taking.next().await {
                        assert!(arrival.intended <= Instant::now(), "before its time");
                        taken.push(arrival);
                    }
                    taken
                });
                schedule.keep(1_000.0, |_| {}).await.unwrap();
                schedule.finish(1);
                taken.await.unwrap()
            });
            for arrival in taken {
                assert_eq!(
                    arrival.intended - begin,
                    SECOND / 1_000 * arrival.turn as u32
                );
                turns.push(arrival.turn);
            }
        }
        turns.sort_unstable();
        assert_eq!(turns, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn arrivals_that_find_nobody_are_told() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let schedule = schedule(0, 1);
        let mut wanting = 0;
        let kept = schedule.keep(1_000.0, |count| wanting = count);
        runtime.block_on(kept).unwrap();
        assert_eq!(wanting, 100);
    }
}
