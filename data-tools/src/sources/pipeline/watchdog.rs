//! A watchdog over the threads of the pipeline: it turns a stall into an error that names the stage.
//!
//! Every thread has a [`Post`] on which it says what it is doing. The pipeline has stalled when for
//! [`Watch::stall_after`] no thread has done anything, although none was waiting for an input or for
//! the disk. Then the reading fails, and whoever waits for another thread is let go. A thread that is
//! stuck in something that nobody can interrupt is reported to [`Watch::on_stuck`].

use sltd::snapshot::RowPosition;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::super::{Fate, Row, RowSink, SinkError, SourceError, Withdrawal};

/// How long nothing may move before the pipeline counts as stalled.
pub const STALL_AFTER: Duration = Duration::from_secs(120);
/// How long threads may take to end once they have been let go.
const LET_GO: Duration = Duration::from_secs(10);
/// How often the watchdog looks, at least.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A stage of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading, unpacking and cutting files.
    Reading,
    /// Parsing rows.
    Parsing,
    /// Entering what became of rows, and writing down the rejects.
    Rejects,
    /// Handing on rows.
    Sink,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reading => "reading",
            Self::Parsing => "parsing",
            Self::Rejects => "rejects ledger",
            Self::Sink => "sink",
        })
    }
}

/// When the pipeline counts as stalled, and what is done if its threads can't be let go.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// How long nothing may move.
    pub stall_after: Duration,
    /// Called after a stall, if a thread is stuck so that the reading can't return. To release what
    /// the process holds, such as the lock of a store, it has to end the process.
    pub on_stuck: &'a (dyn Fn(&SourceError) + Sync),
}

impl Default for Watch<'_> {
    fn default() -> Self {
        Self {
            stall_after: STALL_AFTER,
            on_stuck: &|_| {},
        }
    }
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("stall_after", &self.stall_after)
            .finish_non_exhaustive()
    }
}

/// What a thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// It waits for another thread of the pipeline.
    Waiting = 0,
    /// It reads an input, which may take any time.
    Input = 1,
    Parsing = 2,
    Rejects = 3,
    Sink = 4,
    /// It has ended.
    Ended = 5,
}

const DOING_BITS: u32 = 3;

/// Where a thread says what it is doing. It alone writes; the value counts what it has done.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Post(AtomicU64);

impl Post {
    /// Says what comes now.
    #[inline]
    pub(super) fn set(&self, doing: Doing) {
        let done = (self.0.load(Ordering::Relaxed) >> DOING_BITS) + 1;
        self.0
            .store(done << DOING_BITS | doing as u64, Ordering::Relaxed);
    }

    /// Reads how often the thread has moved on, and what it does.
    fn read(&self) -> (u64, u64) {
        let value = self.0.load(Ordering::Relaxed);
        (value >> DOING_BITS, value & ((1 << DOING_BITS) - 1))
    }
}

/// A sink that says on a post when it is at work.
pub(super) struct Watched<'p, S> {
    pub(super) sink: S,
    pub(super) post: &'p Post,
}

impl<S: RowSink> RowSink for Watched<'_, S> {
    #[inline]
    fn row(&mut self, row: &Row<'_>) -> Result<Fate, SinkError> {
        self.post.set(Doing::Sink);
        let fate = self.sink.row(row);
        self.post.set(Doing::Parsing);
        fate
    }

    fn withdraw(&mut self, withdrawal: &Withdrawal<'_>) -> Result<Fate, SinkError> {
        self.post.set(Doing::Sink);
        let fate = self.sink.withdraw(withdrawal);
        self.post.set(Doing::Parsing);
        fate
    }

    fn unwithdraw(&mut self, withdrawal: &Withdrawal<'_>) -> Result<Fate, SinkError> {
        self.post.set(Doing::Sink);
        let fate = self.sink.unwithdraw(withdrawal);
        self.post.set(Doing::Parsing);
        fate
    }

    fn expired(&mut self, row: &Row<'_>) -> Result<(), SinkError> {
        self.post.set(Doing::Sink);
        let taken = self.sink.expired(row);
        self.post.set(Doing::Parsing);
        taken
    }

    fn set_position(&mut self, position: RowPosition) {
        self.sink.set_position(position);
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.post.set(Doing::Sink);
        self.sink.finish()
    }
}

/// What the watchdog looks at.
pub(super) struct Watchdog<'a> {
    pub(super) watch: Watch<'a>,
    /// Of the thread that reads.
    pub(super) reader: &'a Post,
    pub(super) workers: &'a [Post],
    /// Its channel closes when all threads have ended.
    pub(super) ended: Receiver<()>,
}

impl Watchdog<'_> {
    /// Watches until all threads have ended. After a stall, `let_go` has to end all waiting.
    pub(super) fn run(self, threads: &Threads, let_go: impl FnOnce(Stage, Duration)) {
        let limit = self.watch.stall_after;
        let every = LOOK_EVERY.min(limit / 4).max(Duration::from_millis(1));
        // Looks are counted, not the time between them: a process that was suspended has not stalled.
        let (mut quiet, mut before) = (Duration::ZERO, self.done());
        while quiet < limit {
            match self.ended.recv_timeout(every) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
            let now = self.done();
            let waits_outside = self
                .posts()
                .any(|post| post.read().1 == Doing::Input as u64);
            if now != before || waits_outside || threads.wait_for_disk() {
                (quiet, before) = (Duration::ZERO, now);
            } else {
                quiet += every;
            }
        }
        let stage = self.stage();
        let_go(stage, limit);
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(LET_GO.min(limit * 4)) {
            (self.watch.on_stuck)(&SourceError::Stalled {
                stage,
                seconds: limit.as_secs(),
            });
        }
    }

    fn posts(&self) -> impl Iterator<Item = &Post> {
        self.workers.iter().chain([self.reader])
    }

    /// How much all threads have done.
    fn done(&self) -> u64 {
        self.posts()
            .map(|post| post.read().0)
            .fold(0, u64::wrapping_add)
    }

    /// The stage that keeps the others waiting.
    fn stage(&self) -> Stage {
        let any = |doing: Doing| {
            self.workers
                .iter()
                .any(|post| post.read().1 == doing as u64)
        };
        if any(Doing::Sink) {
            Stage::Sink
        } else if any(Doing::Parsing) {
            Stage::Parsing
        } else if any(Doing::Rejects) {
            Stage::Rejects
        } else {
            // All wait: for work, or for a buffer to read into.
            Stage::Reading
        }
    }
}

/// The threads of the pipeline, as the kernel knows them.
#[derive(Debug, Default)]
pub(super) struct Threads(std::sync::Mutex<Vec<PathBuf>>);

impl Threads {
    /// Adds the calling thread. Where the system has no /proc, nothing is known of it.
    pub(super) fn add_current(&self) {
        if let Ok(thread) = std::fs::read_link("/proc/thread-self") {
            let path = PathBuf::from("/proc").join(thread).join("stat");
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(path);
        }
    }

    /// Whether one of them is in an uninterruptible wait, which is one for a disk or a file server.
    fn wait_for_disk(&self) -> bool {
        let threads = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        threads.iter().any(|path| {
            // The state follows the name, which is in parentheses and may hold any character.
            std::fs::read_to_string(path).is_ok_and(|stat| {
                stat.rsplit_once(')')
                    .is_some_and(|(_, rest)| rest.trim_start().starts_with('D'))
            })
        })
    }
}
