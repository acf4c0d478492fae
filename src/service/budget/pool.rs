//! Pools of bytes, and shares of them.

use super::open::{CALLS_EACH_MIN, CALLS_MAX, beat};
use super::waits::{Held, Waiting, Waits};
use crate::service::errors::CallError;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Bytes are counted in these: a semaphore's permits fit into 32 bits.
const UNIT: usize = 1024;
/// A call that waits for its client is not ended for others before it has waited this long: a client that reads and
/// writes pauses for less.
const GRACE: Duration = Duration::from_secs(1);
/// How often a call that waits for memory looks for one to end.
const PRESSURE_EVERY: Duration = Duration::from_millis(100);
/// How long a call waits for memory. Then its client is told to come again.
const PATIENCE: Duration = Duration::from_secs(30);

/// What memory is taken for. Each purpose has a pool of its own, so that a call that holds a request never waits for
/// one that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Purpose {
    /// A request for many documents.
    Request,
    /// The answer to one.
    Answer,
    /// A large answer to a single check: these have a reserve that nothing else uses.
    SingleAnswer,
}

impl Purpose {
    pub(super) const COUNT: usize = 3;
}

/// All pools, and the calls that wait for their clients.
#[derive(Debug)]
pub(in crate::service) struct Budget {
    pools: [Pool; Purpose::COUNT],
    waits: Arc<Waits>,
    stalled_after: Duration,
    /// Calls that may go on at a time, on each thread.
    calls_each: usize,
}

#[derive(Debug)]
struct Pool {
    room: Arc<Semaphore>,
    units: u32,
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX);
        Self {
            room: Arc::new(Semaphore::new(units as usize)),
            units,
        }
    }
}

/// A connection's place among those that wait for memory: of its calls one waits at a time, and the others for that
/// one, so that a connection with many calls does not keep others from their turn.
#[derive(Debug, Default)]
pub(in crate::service) struct Turns([Mutex<()>; Purpose::COUNT]);

/// Bytes that somebody may hold; returned when dropped.
#[derive(Debug)]
pub(in crate::service) struct Share {
    purpose: Purpose,
    permit: OwnedSemaphorePermit,
}

impl Share {
    /// How many bytes may be held.
    pub(in crate::service) fn bytes(&self) -> usize {
        self.permit.num_permits() * UNIT
    }

    /// Gives back what is more than `bytes`.
    pub(in crate::service) fn shrink_to(&mut self, bytes: usize) {
        let surplus = self
            .permit
            .num_permits()
            .saturating_sub(bytes.div_ceil(UNIT));
        drop(self.permit.split(surplus));
    }

    /// What it is of its pool.
    pub(in crate::service) fn held(&self) -> Held {
        let units = u32::try_from(self.permit.num_permits()).unwrap_or(u32::MAX);
        Held::new(self.purpose, units)
    }
}

impl Budget {
    /// Of so many bytes, for so many threads. A call that has waited for its client for `stalled_after` is ended even if nobody needs the
    /// memory.
    pub(in crate::service) fn new(
        memory: usize,
        stalled_after: Duration,
        threads: NonZeroUsize,
    ) -> Self {
        let eighth = memory / 8;
        Self {
            calls_each: (CALLS_MAX / threads).max(CALLS_EACH_MIN),
            pools: [3, 4, 1].map(|eighths| Pool::new(eighths * eighth)),
            waits: Arc::default(),
            stalled_after,
        }
    }

    /// Takes a share; waits for it if need be. A share larger than the pool is all of it.
    ///
    /// # Errors
    /// [`CallError::OutOfMemory`] if it has waited for long.
    pub(in crate::service) async fn reserve(
        &self,
        turns: &Turns,
        purpose: Purpose,
        bytes: usize,
    ) -> Result<Share, CallError> {
        let pool = self.pool(purpose);
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let units = units.min(pool.units);
        let permit = match Arc::clone(&pool.room).try_acquire_many_owned(units) {
            Ok(permit) => permit,
            Err(_) => Box::pin(self.wait_for_room(turns, purpose, units)).await?,
        };
        Ok(Share { purpose, permit })
    }

    /// Lets a share grow to so many bytes at least; waits if need be.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    pub(in crate::service) async fn grow(
        &self,
        turns: &Turns,
        share: &mut Share,
        bytes: usize,
    ) -> Result<(), CallError> {
        let all = self.pool(share.purpose).units as usize * UNIT;
        let missing = bytes.min(all).saturating_sub(share.bytes());
        if missing > 0 {
            let more = self.reserve(turns, share.purpose, missing).await?;
            share.permit.merge(more.permit);
        }
        Ok(())
    }

    /// The same without waiting; `false` if there is no room.
    pub(in crate::service) fn try_grow(&self, share: &mut Share, bytes: usize) -> bool {
        let missing = bytes.saturating_sub(share.bytes()).div_ceil(UNIT);
        let room = Arc::clone(&self.pool(share.purpose).room);
        let more = u32::try_from(missing).map(|units| room.try_acquire_many_owned(units));
        match more {
            Ok(Ok(more)) => {
                share.permit.merge(more);
                true
            }
            _ => false,
        }
    }

    /// Notes that a call which holds so much waits for its client, from now on until what is returned is dropped.
    pub(in crate::service) fn wait_for_client(&self, held: Held) -> Waiting {
        Waiting::new(&self.waits, held)
    }

    /// Ends the calls that have waited for their client for too long. To be called by each thread now and then: of a
    /// thread with too many calls, one that was not polled between two such calls may be ended for another.
    pub(in crate::service) fn end_stalled(&self) {
        beat(self.calls_each);
        self.waits.end_older(self.stalled_after);
    }

    fn pool(&self, purpose: Purpose) -> &Pool {
        let [requests, answers, single_answers] = &self.pools;
        match purpose {
            Purpose::Request => requests,
            Purpose::Answer => answers,
            Purpose::SingleAnswer => single_answers,
        }
    }

    async fn wait_for_room(
        &self,
        turns: &Turns,
        purpose: Purpose,
        units: u32,
    ) -> Result<OwnedSemaphorePermit, CallError> {
        let end = Instant::now() + PATIENCE;
        let Turns([requests, answers, single_answers]) = turns;
        let turn = match purpose {
            Purpose::Request => requests,
            Purpose::Answer => answers,
            Purpose::SingleAnswer => single_answers,
        };
        let _turn = timeout_at(end, turn.lock())
            .await
            .map_err(|_| CallError::OutOfMemory)?;
        let room = Arc::clone(&self.pool(purpose).room);
        let mut acquired = pin!(room.acquire_many_owned(units));
        loop {
            let mut missing = units;
            while missing > 0 {
                let Some(held) = self.waits.end_longest(purpose, GRACE) else {
                    break;
                };
                missing = missing.saturating_sub(held);
            }
            let now = Instant::now();
            if now >= end {
                return Err(CallError::OutOfMemory);
            }
            let again = end.min(now + PRESSURE_EVERY);
            if let Ok(permit) = timeout_at(again, acquired.as_mut()).await {
                // The pool is never closed.
                return permit.map_err(|_| CallError::Defect);
            }
        }
    }
}
