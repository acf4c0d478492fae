//! The load itself: threads, connections, and callers who take one arrival after the other.

use super::busy;
use super::plan::{Arrivals, Plan, Times};
use super::schedule::Schedule;
use super::tally::Tally;
use super::target::{Caller, IN_FLIGHT_MAX, Outcome, Target};
use std::cell::RefCell;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep_until;
use tonic::Code;

/// An arrival that starts later than this after its time has missed it.
pub const LATE: Duration = Duration::from_millis(1);

/// What a load has measured.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Latencies, statuses, verdicts.
    pub tally: Tally,
    /// How long was counted: the rates are over this.
    pub counted: Duration,
    /// Connections that were opened.
    pub connections: usize,
    /// Threads that asked.
    pub threads: usize,
    /// Processor time of this process while it was counted, user and system.
    pub cpu: Duration,
    /// Share of that time in which the busiest thread computed or waited for a core, 0 to 1.
    pub busiest: f64,
}

impl Measured {
    /// Calls answered a second.
    pub fn calls_per_second(&self) -> f64 {
        self.tally.answered_in_time() as f64 / self.counted.as_secs_f64()
    }

    /// Documents looked up a second.
    pub fn lookups_per_second(&self) -> f64 {
        self.tally.lookups_in_time() as f64 / self.counted.as_secs_f64()
    }
}

/// Makes the calls of a plan. Blocks until all of them have ended: after the last arrival at most as
/// long as the deadline.
///
/// # Errors
/// If the system refuses a thread or a timer.
pub fn drive<T: Target>(plan: &Plan, target: &T) -> io::Result<Measured> {
    let threads = plan.threads();
    let times = plan.times(Instant::now());
    thread::scope(|scope| {
        let start = |thread| {
            thread::Builder::new()
                .name(format!("load-{thread}"))
                .spawn_scoped(scope, move || {
                    on_thread(plan, target, times, thread, threads)
                })
        };
        let handles = (0..threads).map(start).collect::<io::Result<Vec<_>>>()?;
        let wait = |until: Instant| {
            thread::sleep(until.saturating_duration_since(Instant::now()));
            busy::process_cpu()
        };
        let before = wait(times.counted);
        let cpu = wait(times.end).saturating_sub(before);
        let mut tally = Tally::new().map_err(io::Error::other)?;
        let mut demand = Duration::ZERO;
        for handle in handles {
            let ended = handle.join();
            let ended = ended.map_err(|_| io::Error::other("a thread of the load has panicked"))?;
            let (its, wanted) = ended?;
            tally.merge(&its);
            demand = demand.max(wanted);
        }
        Ok(Measured {
            tally,
            counted: plan.duration,
            connections: plan.connections(),
            threads,
            cpu,
            busiest: demand.as_secs_f64() / plan.duration.as_secs_f64(),
        })
    })
}

/// The load of one thread: its connections and arrivals. Returns what was seen, and what the thread
/// wanted of a core while it was counted.
fn on_thread<T: Target>(
    plan: &Plan,
    target: &T,
    times: Times,
    thread: usize,
    threads: usize,
) -> io::Result<(Tally, Duration)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let tally = Rc::new(RefCell::new(Tally::new().map_err(io::Error::other)?));
    let demand = LocalSet::new().block_on(&runtime, async {
        let connections: Vec<T::Connection> = (thread..plan.connections())
            .step_by(threads)
            .map(|_| target.connection())
            .collect();
        let crew = Crew {
            target,
            connections,
            schedule: Rc::new(Schedule::new(plan.arrivals, times, thread, threads)),
            tally: Rc::clone(&tally),
            deadline: plan.deadline,
            times,
            callers: JoinSet::new(),
        };
        let demand = tokio::task::spawn_local(demand(times));
        match plan.arrivals {
            Arrivals::Closed { concurrency } => {
                // Callers take the connections of all threads in turn.
                let connections = plan.connections();
                let mine = |caller: &usize| caller % connections % threads == thread;
                crew.ask_in_turn((0..concurrency.get()).filter(mine).count())
                    .await?;
            }
            Arrivals::Open { rate } => crew.ask_on_schedule(rate).await?,
        }
        demand.await.map_err(io::Error::other)
    })?;
    // Callers are gone, and all else that held it with them.
    let tally = tally.borrow().clone();
    Ok((tally, demand))
}

/// What this thread wants of a core while it is counted.
async fn demand(times: Times) -> Duration {
    sleep_until(times.counted.into()).await;
    let before = busy::thread_demand();
    sleep_until(times.end.into()).await;
    busy::thread_demand().saturating_sub(before)
}

/// The callers of a thread.
struct Crew<'a, T: Target> {
    target: &'a T,
    connections: Vec<T::Connection>,
    schedule: Rc<Schedule>,
    tally: Rc<RefCell<Tally>>,
    deadline: Duration,
    times: Times,
    callers: JoinSet<()>,
}

impl<T: Target> Crew<'_, T> {
    /// Closed loop: that many callers. Beyond what the server takes at a time their calls wait, which is in
    /// the latencies.
    async fn ask_in_turn(mut self, callers: usize) -> io::Result<()> {
        for _ in 0..callers {
            self.add(|_| 0);
        }
        self.end().await
    }

    /// Open loop: a caller more whenever an arrival finds none free, as long as the server takes more calls
    /// at a time: arrivals beyond that wait, and have missed their time.
    async fn ask_on_schedule(mut self, rate: f64) -> io::Result<()> {
        let most = self.connections.len() * IN_FLIGHT_MAX;
        let schedule = Rc::clone(&self.schedule);
        let kept = schedule.keep(rate, |wanting| {
            for _ in 0..wanting.min(most - self.callers.len()) {
                self.add(|before| before);
            }
        });
        kept.await?;
        schedule.finish(self.callers.len());
        self.end().await
    }

    /// A caller on the next connection in turn; `place` is made of the number of those before it there.
    fn add(&mut self, place: fn(usize) -> usize) {
        let number = self.callers.len();
        let Some(connection) = self.connections.get(number % self.connections.len()) else {
            return;
        };
        let seat = Seat {
            caller: self.target.caller(connection),
            place: place(number / self.connections.len()),
            schedule: Rc::clone(&self.schedule),
            tally: Rc::clone(&self.tally),
            deadline: self.deadline,
            times: self.times,
        };
        self.callers.spawn_local(seat.ask());
    }

    async fn end(mut self) -> io::Result<()> {
        while let Some(ended) = self.callers.join_next().await {
            ended.map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// A caller and what it takes to make calls.
struct Seat<C> {
    caller: C,
    /// Retires when the server takes no more calls at a time than this.
    place: usize,
    schedule: Rc<Schedule>,
    tally: Rc<RefCell<Tally>>,
    deadline: Duration,
    times: Times,
}

impl<C: Caller> Seat<C> {
    /// Takes arrivals until there is no more, or the server turns out to take fewer calls at a time.
    async fn ask(mut self) {
        // Made once: moving a timer forward costs much less than making one.
        let mut alarm = pin!(sleep_until((self.times.end + self.deadline).into()));
        while self.place < self.caller.in_flight_max() {
            let Some(arrival) = self.schedule.next().await else {
                return;
            };
            let intended = arrival.intended;
            let late = intended.elapsed();
            let given_up = intended + self.deadline;
            if late >= self.deadline {
                let never = Outcome::failed(Code::DeadlineExceeded, "the deadline passed unsent");
                self.count(&never, intended, given_up);
                self.miss(intended, true);
                continue;
            }
            if late > LATE {
                self.miss(intended, false);
            }
            alarm.as_mut().reset(given_up.into());
            let passed = || Outcome::failed(Code::DeadlineExceeded, "the deadline passed");
            let mut outcome = tokio::select! {
                biased;
                outcome = self.caller.call(arrival.turn) => outcome,
                () = alarm.as_mut() => passed(),
            };
            let ended = Instant::now();
            if outcome.status != Code::Ok && ended >= given_up {
                // Servers that were told the deadline have their own words for it.
                outcome = passed();
            }
            self.count(&outcome, intended, ended);
        }
    }

    fn count(&self, outcome: &Outcome, intended: Instant, ended: Instant) {
        let mut tally = self.tally.borrow_mut();
        tally.ended(outcome, intended, ended, &self.times);
    }

    fn miss(&self, intended: Instant, unsent: bool) {
        self.tally.borrow_mut().miss(intended, &self.times, unsent);
    }
}
