//! The accounts of a source while it is read: chunks are finished in any order and entered in that
//! of the list, so that rejects stand in the order of their rows and know their numbers.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::SourceError;
use super::expired::ExpiredFile;
use super::reasons::ReasonCounts;
use super::reject::RejectsFile;
use super::worker::{Outcome, Tally};

/// How far ahead of the first unfinished chunk others may be: what bounds the rejects in memory.
const AHEAD_MAX: u64 = 16;

/// The accounts, shared by all workers.
pub(super) struct Ledger<'a> {
    /// The names of the streams.
    names: &'a [String],
    /// The source, and where its rows in force no longer are listed.
    expired: (&'a str, Option<&'a ExpiredFile>),
    state: Mutex<State>,
    moved_on: Condvar,
}

struct State {
    /// The chunk to be entered next.
    next: u64,
    /// Chunks finished before their turn.
    early: BTreeMap<u64, (usize, Outcome)>,
    /// Rows entered, for each stream.
    rows: Vec<u64>,
    /// Of those, the ones whose columns can't be told apart.
    without_columns: Vec<u64>,
    /// For each chunk, its stream and the rows of that before it.
    chunks: Vec<(usize, u64)>,
    tally: Tally,
    reasons: ReasonCounts,
    rejects: Option<RejectsFile>,
    stopped: bool,
    error: Option<SourceError>,
}

/// What is entered when everything has been.
pub(super) struct Closed {
    pub(super) tally: Tally,
    pub(super) reasons: ReasonCounts,
    pub(super) rows: Vec<u64>,
    pub(super) without_columns: Vec<u64>,
    pub(super) chunks: Vec<(usize, u64)>,
    pub(super) rejects: Option<RejectsFile>,
    pub(super) error: Option<SourceError>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        names: &'a [String],
        rejects: Option<RejectsFile>,
        expired: (&'a str, Option<&'a ExpiredFile>),
    ) -> Self {
        let state = State {
            next: 0,
            early: BTreeMap::new(),
            rows: vec![0; names.len()],
            without_columns: vec![0; names.len()],
            chunks: Vec::new(),
            tally: Tally::default(),
            reasons: ReasonCounts::default(),
            rejects,
            stopped: false,
            error: None,
        };
        Self {
            names,
            expired,
            state: Mutex::new(state),
            moved_on: Condvar::new(),
        }
    }

    /// Enters chunk number `chunk`, a part of stream number `stream`. Waits while it is too far ahead of
    /// the others. The sums so far, or `None` when the reading has failed.
    pub(super) fn enter(&self, chunk: u64, stream: usize, outcome: Outcome) -> Option<Tally> {
        let mut state = self.lock();
        // The worker that has the chunk `next` never waits here, so that the others wait in vain never.
        while !state.stopped && chunk > state.next + AHEAD_MAX {
            state = self
                .moved_on
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return None;
        }
        state.early.insert(chunk, (stream, outcome));
        while let Some((stream, outcome)) = {
            let next = state.next;
            state.early.remove(&next)
        } {
            if let Err(error) = state.enter(stream, &outcome, self.names, self.expired) {
                self.stop(&mut state, Some(error));
                return None;
            }
        }
        self.moved_on.notify_all();
        Some(state.tally)
    }

    /// Ends the reading. The first error counts.
    pub(super) fn fail(&self, error: SourceError) {
        self.stop(&mut self.lock(), Some(error));
    }

    fn stop(&self, state: &mut State, error: Option<SourceError>) {
        state.stopped = true;
        if state.error.is_none() {
            state.error = error;
        }
        self.moved_on.notify_all();
    }

    pub(super) fn has_failed(&self) -> bool {
        self.lock().stopped
    }

    /// Lets the others go when this thread unwinds: they must not wait for its chunk.
    pub(super) fn alarm(&self) -> Alarm<'_> {
        Alarm(self)
    }

    pub(super) fn close(self) -> Closed {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Closed {
            tally: state.tally,
            reasons: state.reasons,
            rows: state.rows,
            without_columns: state.without_columns,
            chunks: state.chunks,
            rejects: state.rejects,
            error: state.error,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(
        &mut self,
        stream: usize,
        outcome: &Outcome,
        names: &[String],
        (source, expired): (&str, Option<&ExpiredFile>),
    ) -> Result<(), SourceError> {
        let before = self.rows.get(stream).copied().unwrap_or(0);
        let name = names.get(stream).map_or("", String::as_str);
        if let Some(rejects) = &mut self.rejects {
            for reject in &outcome.rejects {
                let row = before + reject.row + 1;
                rejects
                    .write(name, row, reject.field, &reject.reason, &reject.raw)
                    .map_err(|error| SourceError::Rejects {
                        path: rejects.path().to_owned(),
                        error,
                    })?;
            }
        }
        if let Some(expired) = expired {
            expired
                .write(source, name, before, &outcome.expired)
                .map_err(|error| SourceError::Expired {
                    path: expired.path().to_owned(),
                    error,
                })?;
        }
        self.chunks.push((stream, before));
        if let Some(rows) = self.rows.get_mut(stream) {
            *rows = before + outcome.tally.rows;
        }
        if let Some(rows) = self.without_columns.get_mut(stream) {
            *rows += outcome.reasons.without_columns();
        }
        self.tally.add(&outcome.tally);
        self.reasons.merge(&outcome.reasons);
        self.next += 1;
        Ok(())
    }
}

/// See [`Ledger::alarm`].
pub(super) struct Alarm<'a>(&'a Ledger<'a>);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(&mut self.0.lock(), None);
        }
    }
}
