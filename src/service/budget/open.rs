//! The calls of a thread that go on, and which of them is ended when they are too many.
//!
//! Whatever a call waits for, it takes some kilobytes: HTTP/2's record of the stream, and the call itself. Hundreds on each
//! of thousands of connections would be more than all that the pools bound.

use super::waits::Wait;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Calls that may go on at a time, on all threads together.
pub(super) const CALLS_MAX: usize = 16_384;
/// On each thread at least.
pub(super) const CALLS_EACH_MIN: usize = 512;

/// The beat in which a call was polled last, and which of those it was.
type Place = (u64, u64);

/// The calls of a thread, those first that have not been polled for longest.
#[derive(Debug)]
struct Calls {
    open: BTreeMap<Place, Arc<Wait>>,
    begun: u64,
    beat: u64,
    max: usize,
}

thread_local! {
    static CALLS: RefCell<Calls> = const {
        RefCell::new(Calls {
            open: BTreeMap::new(),
            begun: 0,
            beat: 0,
            max: CALLS_MAX,
        })
    };
}

/// Begins another beat on this thread, on which so many calls may go on. Of more, those are ended that were last polled
/// before the beat before.
pub(super) fn beat(max: usize) {
    let ended: Vec<_> = CALLS.with_borrow_mut(|calls| {
        calls.beat += 1;
        calls.max = max;
        std::iter::from_fn(|| calls.one_too_many()).collect()
    });
    for call in ended {
        call.end();
    }
}

/// A call that goes on, until dropped.
#[derive(Debug)]
pub(super) struct OpenCall {
    place: Place,
    pub(super) wait: Arc<Wait>,
}

impl OpenCall {
    /// Begins one on this thread. If these are too many, one is ended as by [`beat`].
    pub(super) fn begin() -> Self {
        let wait = Arc::new(Wait::default());
        let (place, ended) = CALLS.with_borrow_mut(|calls| {
            let place = calls.place();
            calls.open.insert(place, Arc::clone(&wait));
            (place, calls.one_too_many())
        });
        if let Some(ended) = ended {
            ended.end();
        }
        Self { place, wait }
    }

    /// Notes that it was polled.
    pub(super) fn polled(&mut self) {
        CALLS.with_borrow_mut(|calls| {
            // Once in a beat is enough.
            if self.place.0 == calls.beat {
                return;
            }
            let place = calls.place();
            if let Some(wait) = calls.open.remove(&self.place) {
                calls.open.insert(place, wait);
            }
            self.place = place;
        });
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        // Where the thread ends, its list may be gone before its calls are.
        let _ = CALLS.try_with(|calls| {
            if let Ok(mut calls) = calls.try_borrow_mut() {
                calls.open.remove(&self.place);
            }
        });
    }
}

impl Calls {
    /// Takes the call that has waited longest off the list, if it is too long and the call has waited for a whole beat.
    fn one_too_many(&mut self) -> Option<Arc<Wait>> {
        if self.open.len() <= self.max {
            return None;
        }
        let beat = self.beat;
        let first = self.open.first_entry();
        let first = first.filter(|first| first.key().0 + 1 < beat)?;
        Some(first.remove())
    }

    fn place(&mut self) -> Place {
        self.begun += 1;
        (self.beat, self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_calls_the_one_is_ended_that_has_waited_longest() {
        let ended = |calls: &[&OpenCall]| -> Vec<bool> {
            calls.iter().map(|call| call.wait.is_ended()).collect()
        };
        beat(2);
        let mut busy = OpenCall::begin();
        let [first, second, third] = std::array::from_fn(|_| OpenCall::begin());
        assert_eq!(
            ended(&[&busy, &first]),
            [false, false],
            "they have only just begun"
        );
        beat(2);
        busy.polled();
        beat(2);
        assert_eq!(
            ended(&[&busy, &first, &second, &third]),
            [false, true, true, false]
        );
        let another = OpenCall::begin();
        assert_eq!(ended(&[&busy, &third, &another]), [false, true, false]);
        drop(busy);
        // Those that have ended by themselves don't count.
        let last = OpenCall::begin();
        beat(2);
        beat(2);
        assert_eq!(ended(&[&another, &last]), [false, false]);
    }
}
