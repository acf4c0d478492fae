//! Work done side by side, its results taken in order.

use super::super::error::BuildError;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Results that may wait for an earlier one, for each thread: bounds what is held in memory.
const AHEAD: usize = 2;

struct State<T> {
    ready: BTreeMap<usize, Result<T, BuildError>>,
    taken: usize,
}

/// Calls `work` with `0..count` on `threads` threads, and `take` on this one with the results in
/// the order of their numbers. The first error, of either, ends it.
pub(super) fn ordered<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T, BuildError> + Sync,
    mut take: impl FnMut(usize, T) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let state = Mutex::new(State {
        ready: BTreeMap::new(),
        taken: 0,
    });
    let (produced, consumed) = (Condvar::new(), Condvar::new());
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);

    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let mut waiting = lock();
                    while index >= waiting.taken + threads * AHEAD && !stop.load(Ordering::Relaxed)
                    {
                        waiting = consumed
                            .wait(waiting)
                            .unwrap_or_else(PoisonError::into_inner);
                    }
                    drop(waiting);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    // A panic must reach the caller as an error, not leave it waiting for ever.
                    let result = catch_unwind(AssertUnwindSafe(|| work(index)))
                        .unwrap_or(Err(BuildError::Worker));
                    lock().ready.insert(index, result);
                    produced.notify_one();
                }
            });
        }
        let run = || {
            for index in 0..count {
                let mut waiting = lock();
                let result = loop {
                    match waiting.ready.remove(&index) {
                        Some(result) => break result,
                        None => {
                            waiting = produced
                                .wait(waiting)
                                .unwrap_or_else(PoisonError::into_inner)
                        }
                    }
                };
                drop(waiting);
                take(index, result?)?;
                lock().taken = index + 1;
                consumed.notify_all();
            }
            Ok(())
        };
        // The scope ends only when the workers do, and they wait for `stop`: a panic must not pass it by.
        let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(BuildError::Worker));
        stop.store(true, Ordering::Relaxed);
        // Under the lock, so that no worker can miss it between its check and its wait.
        drop(lock());
        consumed.notify_all();
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let mut taken = Vec::new();
            let work = |index: usize| {
                std::thread::sleep(std::time::Duration::from_micros((index * 37 % 11) as u64));
                Ok(index * 3)
            };
            ordered(50, threads, work, |index, result| {
                taken.push((index, result));
                Ok(())
            })
            .unwrap();
            assert_eq!(
                taken,
                (0..50).map(|index| (index, index * 3)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn an_error_or_a_panic_ends_it() {
        let failing = |index: usize| {
            if index == 7 {
                Err(BuildError::TooMany { what: "", limit: 1 })
            } else {
                Ok(index)
            }
        };
        assert!(matches!(
            ordered(100, 3, failing, |_, _| Ok(())),
            Err(BuildError::TooMany { .. })
        ));
        let panicking = |index: usize| {
            if index == 7 {
                panic!("expected in this test")
            } else {
                Ok(index)
            }
        };
        assert!(matches!(
            ordered(100, 3, panicking, |_, _| Ok(())),
            Err(BuildError::Worker)
        ));
        let refusing = |index, _| {
            if index == 3 {
                Err(BuildError::Worker)
            } else {
                Ok(())
            }
        };
        assert!(matches!(
            ordered(100, 3, Ok, refusing),
            Err(BuildError::Worker)
        ));
        // Workers that have run ahead as far as they may wait for the results to be taken.
        let panicking_on_taking = |index, _| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(index < 3, "expected in this test");
            Ok(())
        };
        assert!(matches!(
            ordered(100, 3, Ok, panicking_on_taking),
            Err(BuildError::Worker)
        ));
    }
}
