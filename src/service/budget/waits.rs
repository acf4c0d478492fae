//! Calls that hold memory and wait for their client to read or write.

use super::open::OpenCall;
use super::pool::Purpose;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// What a call holds of each pool, in the pool's units.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::service) struct Held([u32; Purpose::COUNT]);

impl Held {
    pub(super) fn new(purpose: Purpose, units: u32) -> Self {
        Self(
            [Purpose::Request, Purpose::Answer, Purpose::SingleAnswer]
                .map(|of| if of == purpose { units } else { 0 }),
        )
    }

    /// The sum of both.
    pub(in crate::service) fn plus(self, other: Self) -> Self {
        let Self([a, b, c]) = self;
        let Self([d, e, f]) = other;
        Self([
            a.saturating_add(d),
            b.saturating_add(e),
            c.saturating_add(f),
        ])
    }

    fn units(&self, purpose: Purpose) -> u32 {
        let Self([requests, answers, single_answers]) = *self;
        match purpose {
            Purpose::Request => requests,
            Purpose::Answer => answers,
            Purpose::SingleAnswer => single_answers,
        }
    }
}

/// All calls that wait, those first that have waited longest.
#[derive(Debug, Default)]
pub(super) struct Waits(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waits: BTreeMap<Place, Arc<Wait>>,
    begun: u64,
}

/// Since when, and which of those that began at once.
type Place = (Instant, u64);

/// One call that waits.
#[derive(Debug, Default)]
pub(super) struct Wait {
    held: Held,
    state: AtomicU8,
    /// Wakes the call's task.
    waker: Mutex<Option<Waker>>,
}

const OPEN: u8 = 0;
/// The call is to end.
const ENDED: u8 = 1;
/// The client has come.
const OVER: u8 = 2;

impl Wait {
    pub(super) fn is_ended(&self) -> bool {
        self.state.load(Ordering::Acquire) == ENDED
    }

    /// Tells the call to end.
    pub(super) fn end(&self) {
        let _ = self
            .state
            .compare_exchange(OPEN, ENDED, Ordering::AcqRel, Ordering::Acquire);
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn wake_by(&self, waker: &Waker) {
        let mut place = lock(&self.waker);
        match &mut *place {
            Some(before) => before.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
    }
}

/// Nothing under these locks can panic half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Waits {
    /// Ends the call that has waited longest of those that hold anything of a pool, if it has waited that long; returns
    /// what it holds.
    pub(super) fn end_longest(&self, purpose: Purpose, at_least: Duration) -> Option<u32> {
        let latest = Instant::now().checked_sub(at_least)?;
        let mut queue = lock(&self.0);
        let until = queue.waits.range(..=(latest, u64::MAX));
        let (&place, wait) = { until }.find(|(_, wait)| wait.held.units(purpose) > 0)?;
        let wait = Arc::clone(wait);
        queue.waits.remove(&place);
        drop(queue);
        wait.end();
        Some(wait.held.units(purpose))
    }

    /// Ends all that have waited longer.
    pub(super) fn end_older(&self, than: Duration) {
        let Some(latest) = Instant::now().checked_sub(than) else {
            return;
        };
        let mut queue = lock(&self.0);
        let mut ended = Vec::new();
        while let Some(first) = queue
            .waits
            .first_entry()
            .filter(|first| first.key().0 <= latest)
        {
            ended.push(first.remove());
        }
        drop(queue);
        for wait in ended {
            wait.end();
        }
    }
}

/// Says that a call waits, until dropped.
#[derive(Debug)]
pub(in crate::service) struct Waiting {
    waits: Arc<Waits>,
    place: Place,
    wait: Arc<Wait>,
}

thread_local! {
    /// The wait that the call being polled on this thread has begun last.
    static BEGUN: RefCell<Option<Arc<Wait>>> = const { RefCell::new(None) };
}

impl Waiting {
    pub(super) fn new(waits: &Arc<Waits>, held: Held) -> Self {
        let wait = Arc::new(Wait {
            held,
            state: AtomicU8::new(OPEN),
            waker: Mutex::new(None),
        });
        let mut queue = lock(&waits.0);
        queue.begun += 1;
        let place = (Instant::now(), queue.begun);
        queue.waits.insert(place, Arc::clone(&wait));
        drop(queue);
        BEGUN.set(Some(Arc::clone(&wait)));
        Self {
            waits: Arc::clone(waits),
            place,
            wait,
        }
    }

    /// Whether the call is to end. It is polled again when that changes.
    pub(in crate::service) fn is_ended(&self) -> bool {
        self.wait.is_ended()
    }

    /// Resolves when the call is to end.
    pub(in crate::service) async fn ended(&self) {
        poll_fn(|_| match self.is_ended() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.waits.0).waits.remove(&self.place);
        self.wait.state.store(OVER, Ordering::Release);
    }
}

/// A call that can be ended while it waits for its client.
///
/// Told to end, it is polled once more, and may say why. If it then still waits, it waits for room in the window that
/// the client has opened, of which only HTTP/2 knows: it is dropped, which resets its stream.
pub(in crate::service) struct Endable<C> {
    call: Option<C>,
    open: OpenCall,
    wait: Option<Arc<Wait>>,
}

impl<C> Endable<C> {
    /// Of a call that was polled on this thread before and nothing else since.
    pub(in crate::service) fn new(call: C) -> Self {
        Self {
            call: Some(call),
            open: OpenCall::begin(),
            wait: BEGUN.take(),
        }
    }
}

impl<C: Future<Output = ()> + Unpin> Future for Endable<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(call) = &mut this.call else {
            return Poll::Ready(());
        };
        this.open.polled();
        BEGUN.set(None);
        let polled = Pin::new(call).poll(context);
        if let Some(begun) = BEGUN.take() {
            this.wait = Some(begun);
        }
        if polled.is_ready() {
            return polled;
        }
        for wait in this.wait.iter().chain([&this.open.wait]) {
            // Looked at after the waker is in its place, so that an end in between is not missed.
            wait.wake_by(context.waker());
            if wait.is_ended() {
                this.call = None;
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}
