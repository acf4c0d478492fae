//! What one connection costs, what it brings, and what is asked of it.
//!
//! A connection is served by one thread, which alone counts here; the accept loop, which is another, looks at the
//! counts when places run out, and asks.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

/// Bytes of frames other than DATA that a client may send without a call being taken up.
const FREE_BYTES: i64 = 1024 * 1024;
/// Bytes of such frames that each call, and each message of a stream, pays for: far more than come with one. So a
/// flood of them can't be hidden behind a call now and then.
const BYTES_OF_CALL: i64 = 16 * 1024;
/// Bytes of such frames that are free in each second: an idle connection answers pings for years.
const FREE_BYTES_PER_S: i64 = 1024;
/// Cancelled calls, over and above the answered ones, after which a client is told to go on over another connection.
/// Deadlines expire in bursts, of as many calls as are open.
const CANCELLED_MAX: i64 = 1024;
/// The same after which the connection is closed: a client that has been told goes on cancelling only what was open.
const CANCELLED_CUT: i64 = 2 * CANCELLED_MAX;

/// What a client may send in one turn of its connection, as [`Standing::spend`] counts: some 60 calls, or two of the
/// largest frames of a job. A turn ends with the bytes read last, so that it takes a tenth of a millisecond or so.
const TURN: i64 = 16 * 1024;

/// Seconds since the server began, as one thread counts them for all: read with every answer, so no clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Seconds(Arc<AtomicU32>);

impl Seconds {
    /// Sets them.
    pub(super) fn set(&self, elapsed: Duration) {
        let seconds = u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX);
        self.0.store(seconds, Ordering::Relaxed);
    }

    /// How many they are.
    pub(super) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a connection can be asked to do; the later ones outdo the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ask {
    /// To go on.
    Nothing = 0,
    /// To take no more calls and to end with the last that runs.
    GoAway = 1,
    /// The same, but soon.
    Leave = 2,
    /// To end at once.
    Cut = 3,
}

/// Why a connection is closed by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Excess {
    /// Frames without calls.
    #[error("the client sent more than {FREE_BYTES} bytes without a call")]
    NoCalls,
    /// Calls cancelled.
    #[error("the client cancelled {CANCELLED_CUT} calls more than were answered")]
    Cancelled,
}

/// The standing of a connection.
#[derive(Debug)]
pub(super) struct Standing {
    /// From where.
    pub(super) peer: IpAddr,
    /// The second of the server's life past which its client is to go on over another one.
    ends_at: Option<u32>,
    seconds: Seconds,
    /// One more than the second of the last answer; 0 if there was none.
    answered: AtomicU32,
    closed: AtomicBool,
    /// Bytes of frames other than DATA that it may still send.
    free: AtomicI64,
    /// Calls cancelled, less those answered, and not below zero.
    cancelled: AtomicI64,
    /// What it may still send in this turn, and whether it waits for the next.
    turn: AtomicI64,
    waits: AtomicBool,
    ask: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Standing {
    /// Of a connection taken now.
    pub(super) fn new(peer: IpAddr, seconds: &Seconds) -> Self {
        Self {
            peer,
            ends_at: None,
            seconds: seconds.clone(),
            answered: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            free: AtomicI64::new(FREE_BYTES),
            cancelled: AtomicI64::new(0),
            turn: AtomicI64::new(TURN),
            waits: AtomicBool::new(false),
            ask: AtomicU8::new(Ask::Nothing as u8),
            waker: Mutex::new(None),
        }
    }

    /// The same, whose client is to go on over another connection at about this age: a tenth earlier or later, so that
    /// not all that came together, as after a restart, go together.
    pub(super) fn ending_at_about(mut self, age: Duration) -> Self {
        // A system without chance gives all the same age.
        let chance = getrandom::u32().map_or(0.5, |chance| f64::from(chance) / f64::from(u32::MAX));
        let age = (age.as_secs_f64() * (0.9 + 0.2 * chance)).round();
        // At most u32's, at least 0.
        self.ends_at = Some(self.seconds.get().saturating_add(age as u32));
        self
    }

    /// Whether its client is to go on over another connection.
    pub(super) fn is_past_its_age(&self) -> bool {
        self.ends_at.is_some_and(|at| at <= self.seconds.get())
    }

    /// The connection is polled: a turn begins, but not that of one that has used up its last and waits in the line.
    pub(super) fn begin_turn(&self) {
        if !self.waits.load(Ordering::Relaxed) {
            self.turn.store(TURN, Ordering::Relaxed);
        }
    }

    /// Counts what came in this turn.
    pub(super) fn spend(&self, cost: i64) {
        let left = self.turn.load(Ordering::Relaxed).saturating_sub(cost);
        self.turn.store(left, Ordering::Relaxed);
    }

    /// Whether nothing more is to be read in this turn; and then, whether it is said for the first time.
    pub(super) fn turn_is_over(&self) -> Option<bool> {
        let over = self.turn.load(Ordering::Relaxed) <= 0;
        over.then(|| !self.waits.swap(true, Ordering::Relaxed))
    }

    /// Gives the connection its next turn.
    pub(super) fn give_turn(&self) {
        self.waits.store(false, Ordering::Relaxed);
        self.turn.store(TURN, Ordering::Relaxed);
        self.wake();
    }

    /// A call has been taken up, or a message of a stream been answered: that pays for frames.
    pub(super) fn taken_up(&self) {
        let free = self.free.load(Ordering::Relaxed);
        let free = FREE_BYTES.min(free + BYTES_OF_CALL);
        self.free.store(free, Ordering::Relaxed);
    }

    /// A call, or a message of a stream, has been answered.
    pub(super) fn answered(&self) {
        let second = self.seconds.get().saturating_add(1);
        self.answered.store(second, Ordering::Relaxed);
        let cancelled = self.cancelled.load(Ordering::Relaxed);
        if cancelled > 0 {
            self.cancelled.store(cancelled - 1, Ordering::Relaxed);
        }
    }

    /// The second of the last answer, if there was one.
    pub(super) fn last_answer(&self) -> Option<u32> {
        self.answered.load(Ordering::Relaxed).checked_sub(1)
    }

    /// The client has cancelled calls; says whether that was too much.
    pub(super) fn cancel(&self, calls: i64) -> Result<(), Excess> {
        let cancelled = self.cancelled.load(Ordering::Relaxed) + calls;
        self.cancelled.store(cancelled, Ordering::Relaxed);
        if cancelled > CANCELLED_CUT {
            return Err(Excess::Cancelled);
        }
        if cancelled > CANCELLED_MAX {
            self.ask(Ask::GoAway);
        }
        Ok(())
    }

    /// The client has sent frames other than DATA; says whether that was too much. `allowed_at` is when time was last
    /// taken into account.
    pub(super) fn charge(&self, bytes: i64, allowed_at: &mut Instant) -> Result<(), Excess> {
        let mut free = self.free.load(Ordering::Relaxed) - bytes;
        if free < 0 {
            // The clock is read only now, since it is for nearly no connection.
            let elapsed = allowed_at.elapsed();
            let seconds = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX);
            *allowed_at += Duration::from_secs(elapsed.as_secs());
            free = FREE_BYTES.min(free.saturating_add(seconds.saturating_mul(FREE_BYTES_PER_S)));
        }
        self.free.store(free, Ordering::Relaxed);
        if free < 0 {
            return Err(Excess::NoCalls);
        }
        Ok(())
    }

    /// Asks the connection for something, from any thread.
    pub(super) fn ask(&self, ask: Ask) {
        self.ask.fetch_max(ask as u8, Ordering::AcqRel);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = &*waker {
            waker.wake_by_ref();
        }
    }

    /// What is asked of the connection.
    pub(super) fn asked(&self) -> Ask {
        match self.ask.load(Ordering::Acquire) {
            0 => Ask::Nothing,
            1 => Ask::GoAway,
            2 => Ask::Leave,
            _ => Ask::Cut,
        }
    }

    /// Names the task of the connection.
    pub(super) fn set_task(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    /// The connection has ended.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // A waker keeps its task in memory.
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn standing() -> Standing {
        Standing::new(Ipv4Addr::LOCALHOST.into(), &Seconds::default())
    }

    #[test]
    fn frames_without_calls_are_free_up_to_a_bound_and_calls_pay_for_some() {
        let (standing, mut now) = (standing(), Instant::now());
        assert_eq!(standing.charge(FREE_BYTES, &mut now), Ok(()));
        assert_eq!(standing.charge(1, &mut now), Err(Excess::NoCalls));
        // One call for each mebibyte is no flood's excuse ...
        standing.taken_up();
        assert_eq!(standing.charge(FREE_BYTES, &mut now), Err(Excess::NoCalls));
        // ... and who calls may go on for ever.
        let (standing, mut now) = (self::standing(), Instant::now());
        for _ in 0..1_000 {
            standing.taken_up();
            assert_eq!(standing.charge(BYTES_OF_CALL, &mut now), Ok(()));
        }
    }

    #[test]
    fn an_idle_connection_may_answer_pings_for_years() {
        let standing = standing();
        let Some(mut hours_ago) = Instant::now().checked_sub(Duration::from_secs(3_600)) else {
            return;
        };
        for _ in 0..3 {
            assert_eq!(standing.charge(FREE_BYTES, &mut hours_ago), Ok(()));
        }
    }

    #[test]
    fn connections_that_come_together_do_not_go_together() {
        let seconds = Seconds::default();
        let age = Duration::from_secs(1_000_000);
        let new = || Standing::new(Ipv4Addr::LOCALHOST.into(), &seconds);
        assert!(!new().is_past_its_age());
        let standings: Vec<_> = (0..100).map(|_| new().ending_at_about(age)).collect();
        let past = |at| {
            seconds.set(Duration::from_secs(at));
            standings.iter().filter(|one| one.is_past_its_age()).count()
        };
        assert_eq!(past(899_999), 0);
        assert!((1..100).contains(&past(1_000_000)));
        assert_eq!(past(1_100_001), 100);
    }

    #[test]
    fn cancelled_calls_are_weighed_against_answered_ones() {
        let standing = standing();
        // Bursts of deadlines, with some answers in between, for ever.
        for _ in 0..100 {
            assert_eq!(standing.cancel(200), Ok(()));
            (0..200).for_each(|_| standing.answered());
        }
        assert_eq!(standing.asked(), Ask::Nothing);
        assert_eq!(standing.cancel(CANCELLED_MAX), Ok(()));
        assert_eq!(standing.asked(), Ask::Nothing);
        assert_eq!(standing.cancel(1), Ok(()));
        assert_eq!(standing.asked(), Ask::GoAway);
        assert_eq!(standing.cancel(CANCELLED_MAX), Err(Excess::Cancelled));
    }

    #[test]
    fn what_is_asked_only_grows() {
        let standing = standing();
        standing.ask(Ask::Leave);
        standing.ask(Ask::GoAway);
        assert_eq!(standing.asked(), Ask::Leave);
        standing.ask(Ask::Cut);
        assert_eq!(standing.asked(), Ask::Cut);
    }
}
