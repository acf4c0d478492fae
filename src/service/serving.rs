//! The snapshot being served.

use super::clock::Clock;
use super::errors::CallError;
use super::{answer, convert};
use crate::document::DocumentNumber;
use crate::index::Damage;
use crate::proto;
use crate::report::Query;
use crate::snapshot::{Answer, Moment, Snapshot};
use arc_swap::{ArcSwapOption, Guard};
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Ages past which the answers change.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ages {
    /// Answers are marked stale.
    pub(super) soft: Option<Duration>,
    /// A miss is no longer NO_RECORD.
    pub(super) hard: Option<Duration>,
}

/// A snapshot and what is worked out of it once.
#[derive(Debug)]
pub(super) struct Current {
    snapshot: Snapshot,
    wire: proto::Snapshot,
    /// The same as a field of an answer, encoded: while it is fresh, and when it is stale.
    fields: [Vec<u8>; 2],
    stale_from: Timestamp,
    too_old_from: Timestamp,
    /// Whether a check has failed for what it read.
    doubted: AtomicBool,
}

impl Current {
    pub(super) fn new(snapshot: Snapshot, ages: Ages) -> Self {
        let built_at = snapshot.built_at();
        let after = |age: Option<Duration>| {
            age.and_then(|age| built_at.checked_add(age).ok())
                .unwrap_or(Timestamp::MAX)
        };
        // What must not be relied on any more is surely not fresh.
        let not_after = snapshot.manifest().not_after.unwrap_or(Timestamp::MAX);
        let too_old_from = after(ages.hard).min(not_after);
        let wire = convert::snapshot(&snapshot);
        let fields =
            [false, true].map(|stale| answer::snapshot(&proto::Snapshot { stale, ..wire }));
        Self {
            wire,
            fields,
            stale_from: after(ages.soft).min(too_old_from),
            too_old_from,
            snapshot,
            doubted: AtomicBool::new(false),
        }
    }

    /// The snapshot itself.
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The snapshot as answers name it at the instant `now`.
    pub(super) fn named(&self, now: Timestamp) -> proto::Snapshot {
        proto::Snapshot {
            stale: self.is_stale(now),
            ..self.wire
        }
    }

    /// Whether answers are marked stale at the instant `now`.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        now >= self.stale_from
    }

    /// Whether a miss is no longer NO_RECORD at the instant `now`.
    pub(super) fn is_too_old(&self, now: Timestamp) -> bool {
        now >= self.too_old_from
    }

    /// [`named`](Self::named) as the encoded field of an answer.
    pub(super) fn field(&self, now: Timestamp) -> &[u8] {
        let [fresh, stale] = &self.fields;
        if self.is_stale(now) { stale } else { fresh }
    }

    fn moment(&self, now: Timestamp) -> Moment {
        Moment {
            now,
            data_too_old: self.is_too_old(now),
        }
    }
}

/// The place that holds the snapshot being served. Readers never wait, neither for each other nor for
/// a swap.
#[derive(Debug)]
pub(super) struct Serving {
    current: ArcSwapOption<Current>,
    suspect: Notify,
    clock: Clock,
}

impl Serving {
    /// Holds none yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            current: ArcSwapOption::empty(),
            suspect: Notify::new(),
            clock,
        }
    }

    /// What time it is, for a check.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The snapshot of the moment, for a check that doesn't wait for anything.
    pub(super) fn guard(&self) -> Guard<Option<Arc<Current>>> {
        self.current.load()
    }

    /// The snapshot of the moment, for a call that lasts.
    pub(super) fn hold(&self) -> Result<Arc<Current>, CallError> {
        self.current.load_full().ok_or(CallError::NoSnapshot)
    }

    /// Puts another snapshot in its place, or none, and returns the one before. Calls under way keep
    /// the one they began with.
    pub(super) fn swap(&self, next: Option<Arc<Current>>) -> Option<Arc<Current>> {
        self.current.swap(next)
    }

    /// Checks one document and hands the answer to `read`.
    pub(super) fn check<T>(
        &self,
        current: &Current,
        query: &Query,
        now: Timestamp,
        read: impl FnOnce(&Answer<'_>) -> T,
    ) -> Result<T, CallError> {
        self.guarded(current, || {
            let answer = current.snapshot.check(query, current.moment(now))?;
            let is_of_reports = !answer.judgement.matches.is_empty();
            let read = read(&answer);
            if is_of_reports {
                // Owners' references are read when the answer is.
                current.snapshot.intact()?;
            }
            Ok(read)
        })
    }

    /// The same, but `write` is first handed the answer of a document that nobody reported, as nearly
    /// all are, while the filter is being read; and then, if need be, the one that counts. What it made
    /// of the latter is returned.
    pub(super) fn check_ahead<T>(
        &self,
        current: &Current,
        query: &Query,
        now: Timestamp,
        mut write: impl FnMut(&Answer<'_>) -> T,
    ) -> Result<T, CallError> {
        let (snapshot, moment) = (&current.snapshot, current.moment(now));
        self.guarded(current, || {
            if let Some(number) = &query.number {
                snapshot.fetch(number);
            }
            let unreported = write(&snapshot.check_unreported(query, moment));
            if query
                .number
                .is_some_and(|number| snapshot.may_contain(&number))
            {
                let answer = write(&snapshot.check(query, moment)?);
                // Owners' references are read when the answer is written.
                snapshot.intact()?;
                return Ok(answer);
            }
            Ok(unreported)
        })
    }

    /// [`check`](Self::check) for a document of which the filter has said already that nothing is reported.
    pub(super) fn check_unreported<T>(
        &self,
        current: &Current,
        query: &Query,
        now: Timestamp,
        read: impl FnOnce(&Answer<'_>) -> T,
    ) -> Result<T, CallError> {
        self.guarded(current, || {
            Ok(read(
                &current
                    .snapshot
                    .check_unreported(query, current.moment(now)),
            ))
        })
    }

    /// Sets `positions` to the places of the numbers about which anything may be reported, in order.
    pub(super) fn filter(
        &self,
        current: &Current,
        numbers: &[DocumentNumber],
        positions: &mut Vec<u32>,
    ) -> Result<(), CallError> {
        self.guarded(current, || {
            current.snapshot.may_contain_each(numbers, positions);
            Ok(())
        })
    }

    /// Catches a panic: data that passed verification and still trips the code must not take the
    /// connection's other calls down with it. That, and bytes that have changed since, marks the
    /// snapshot suspect, and the watcher verifies it again.
    fn guarded<T>(
        &self,
        current: &Current,
        work: impl FnOnce() -> Result<T, Damage>,
    ) -> Result<T, CallError> {
        // A panic fails the call, and with it all that the closure may have left half done.
        let cause = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(damage)) => Some(damage),
            Err(_) => None,
        };
        self.doubt(current, cause.as_ref());
        Err(CallError::Defect)
    }

    /// Marks a snapshot as suspect, and says why: once, as every check that reads from it may fail until it was verified
    /// again.
    #[cold]
    fn doubt(&self, current: &Current, cause: Option<&Damage>) {
        if !current.doubted.swap(true, Ordering::Relaxed) {
            let cause = cause.map_or_else(|| "panic".to_owned(), ToString::to_string);
            tracing::error!(
                generation = current.wire.generation,
                cause,
                "a check failed: the snapshot is suspect and will be verified again"
            );
        }
        self.suspect.notify_one();
    }

    /// Marks what is served as suspect.
    pub(super) fn suspect(&self) {
        self.suspect.notify_one();
    }

    /// Waits until a snapshot has been marked suspect.
    pub(super) async fn suspected(&self) {
        self.suspect.notified().await;
    }
}
