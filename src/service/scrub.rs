//! Reading again, from the disk, what is served: a byte that changes there shows before it is read into an answer, or
//! into the next start.
//!
//! A thread of its own does it, which the system lets compute and read only when nobody else wants to (`SCHED_IDLE`,
//! from which Linux takes the idle class of reads, too), and which pauses so that it never reads faster than
//! [`BYTES_PER_SECOND`]. The segments are read past the page cache where the file system can do that: what the cache
//! holds, and so what is answered from it, may be sound while the disk is not, and the other way round.

use super::condition::Condition;
use crate::index::LoadMode;
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Few enough to go unnoticed on any disk; 10 GB take five minutes.
const BYTES_PER_SECOND: f64 = (32 << 20) as f64;
/// After changed bytes were found, it is looked again this soon, whatever the configuration says.
const AGAIN: Duration = Duration::from_secs(15 * 60);
/// The lowest priority for those who don't know an idle one.
const NICENESS_MAX: i32 = 19;

/// What the last passes have found.
#[derive(Debug, Default)]
pub(super) struct Scrubbed {
    passes: AtomicU64,
    last: ArcSwapOption<Pass>,
}

/// One pass over all segments of the snapshot served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pass {
    /// When it ended.
    pub(super) ended_at: Timestamp,
    /// Bytes read.
    pub(super) bytes: u64,
    /// Whether all of it was read past the page cache.
    pub(super) direct: bool,
    /// Segments whose files are not what was verified when they were opened.
    pub(super) changed: Vec<ChangedSegment>,
}

/// A segment whose file is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangedSegment {
    /// The file's name in the store's folder of segments.
    pub(super) file: String,
    /// What is different.
    pub(super) what: String,
    /// When that was found first.
    pub(super) since: Timestamp,
}

impl Scrubbed {
    /// Passes ended since the start.
    pub(super) fn passes(&self) -> u64 {
        self.passes.load(Ordering::Relaxed)
    }

    /// The last of them.
    pub(super) fn last(&self) -> Option<Arc<Pass>> {
        self.last.load_full()
    }

    fn add(&self, pass: Pass) {
        self.last.store(Some(Arc::new(pass)));
        self.passes.fetch_add(1, Ordering::Relaxed);
    }
}

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Scrub {
    _end: Sender<()>,
}

impl Scrub {
    /// Begins, with the first pass after `every`.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub(super) fn start(condition: &Arc<Condition>, every: Duration) -> io::Result<Self> {
        let (end, ended) = channel();
        let condition = Arc::clone(condition);
        std::thread::Builder::new()
            .name("scrub".to_owned())
            .spawn(move || {
                idle();
                run(&condition, every, &ended);
            })?;
        Ok(Self { _end: end })
    }
}

/// Lets the system run this thread only when nobody else wants to run or to read.
fn idle() {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let idle = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    // Of this thread alone, as Linux has it; for other systems, and should the former be refused.
    let nice = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS_MAX);
    if let (Err(error), Err(_)) = (idle, nice) {
        tracing::warn!(?error, "the scrub has the priority of everybody else");
    }
}

fn run(condition: &Condition, every: Duration, ended: &Receiver<()>) {
    let mut wait = every;
    while goes_on(ended, wait) {
        let Some((pass, answers_are_whole)) = pass(condition, ended) else {
            // What was being read is served no longer, or the server ends.
            continue;
        };
        wait = match pass.changed.is_empty() {
            true => every,
            false => every.min(AGAIN),
        };
        tracing::debug!(bytes = pass.bytes, direct = pass.direct, "scrubbed");
        condition.scrubbed.add(pass);
        if !answers_are_whole {
            condition.serving.suspect();
        }
    }
}

/// Waits; false once the server ends.
fn goes_on(ended: &Receiver<()>, wait: Duration) -> bool {
    matches!(ended.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
}

/// Reads all segments that are served; says, too, whether what is answered from is whole, which it may be although a
/// file is not: one that was removed or replaced stays mapped, and of one whose disk fails the page cache may have all.
fn pass(condition: &Condition, ended: &Receiver<()>) -> Option<(Pass, bool)> {
    // Only the segments are held: nobody waits for the snapshot to be let go.
    let (generation, segments) = {
        let current = condition.serving.hold().ok()?;
        let snapshot = current.snapshot();
        let entries = snapshot.manifest().segments.iter();
        let files = entries.map(|entry| entry.file.clone());
        let segments = snapshot.segments().iter().cloned().zip(files);
        (snapshot.generation(), segments.collect::<Vec<_>>())
    };
    let before = condition.scrubbed.last();
    let mut answers_are_whole = true;
    let mut pass = Pass {
        ended_at: condition.now(),
        bytes: 0,
        direct: true,
        changed: Vec::new(),
    };
    for (segment, file) in segments {
        let path = condition.store.join("segments").join(&file);
        let mut last = Instant::now();
        let mut go_on = |bytes: usize| {
            let due = Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND);
            let goes_on = goes_on(ended, due.saturating_sub(last.elapsed()));
            last = Instant::now();
            goes_on
        };
        match segment.reread(&path, &mut go_on) {
            Ok(None) => return None,
            Ok(Some(reread)) => {
                pass.bytes += reread.bytes;
                pass.direct &= reread.direct;
            }
            Err(damage) => {
                if !is_served(condition, generation) {
                    // Removed once it was replaced, perhaps.
                    return None;
                }
                if condition.load == LoadMode::Mmap {
                    let whole = match segment.reread_open(&mut go_on) {
                        Ok(false) => return None,
                        whole => whole.is_ok(),
                    };
                    answers_are_whole &= whole;
                    if !whole || segment.is_mapped_from(&path) {
                        segment.suspect();
                    }
                }
                let known = before.iter().flat_map(|before| &before.changed);
                let known = known.clone().find(|known| known.file == file);
                tracing::error!(
                    file,
                    %damage,
                    "the file of a segment that is served is not what it was: `sltd-data repair` says what is intact"
                );
                pass.changed.push(ChangedSegment {
                    since: known.map_or_else(|| condition.now(), |known| known.since),
                    what: damage.to_string(),
                    file,
                });
            }
        }
    }
    pass.ended_at = condition.now();
    Some((pass, answers_are_whole))
}

fn is_served(condition: &Condition, generation: u64) -> bool {
    let served = condition.serving.hold();
    served.is_ok_and(|served| served.snapshot().generation() == generation)
}
