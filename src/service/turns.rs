//! The line of connections that have used up their turn on a thread.
//!
//! A client that sends without a pause must not keep a thread from the others, and a hundred of them must not either:
//! they get their next turns one at a time, and between two of them the thread serves whoever else has sent anything.

use super::standing::Standing;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

thread_local! {
    static LINE: RefCell<Line> = const { RefCell::new(Line { waiting: VecDeque::new(), giver: None }) };
}

struct Line {
    waiting: VecDeque<Arc<Standing>>,
    /// The task that gives turns, while nobody waits.
    giver: Option<Waker>,
}

/// Puts a connection of this thread at the end of the line.
pub(super) fn wait(standing: &Arc<Standing>) {
    let giver = LINE.with_borrow_mut(|line| {
        line.waiting.push_back(Arc::clone(standing));
        line.giver.take()
    });
    if let Some(giver) = giver {
        giver.wake();
    }
}

/// Gives turns to those who wait on this thread, for ever.
pub(super) async fn give() {
    loop {
        let next = poll_fn(|context| {
            LINE.with_borrow_mut(|line| match line.waiting.pop_front() {
                Some(next) => Poll::Ready(next),
                None => {
                    line.giver = Some(context.waker().clone());
                    Poll::Pending
                }
            })
        });
        next.await.give_turn();
        // Comes back when all that is ready has been served and the system been asked for more.
        tokio::task::yield_now().await;
    }
}
