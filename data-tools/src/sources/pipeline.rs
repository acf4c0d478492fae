//! The threads that read one source: the caller's reads, unpacks and cuts, workers parse.
//!
//! Chunks travel through a bounded channel, and their buffers come back to the [`Pool`], so that memory
//! is bounded by the number of buffers. Every chunk has a number; what becomes of it is entered in the
//! [`Ledger`] in that order. A [`Watchdog`] ends the reading if the threads wait for each other.

mod buffers;
mod watchdog;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Sender, bounded};

use super::feed::Feed;
use super::input::{Input, with_text};
use super::layout::{Beginning, Head};
use super::ledger::{Closed, Ledger};
use super::reject::{ROW, Reason, Reject, RejectsFile};
use super::sltd_parquet::Table;
use super::unlikely::UnlikelyCounts;
use super::worker::Worker;
use super::{Progress, ReadOptions, RowSink, SourceError, czechia};
use crate::config::{Layout, SourceConfig};
use buffers::Pool;
pub(super) use buffers::{Buffer, Lease};
use watchdog::{Doing, Post, Threads, Watchdog, Watched};
pub use watchdog::{STALL_AFTER, Stage, Watch};

/// Bytes of a chunk, but for the rest of a row: small enough for a core's cache, large enough that
/// handing it over costs nothing.
pub(super) const CHUNK_BYTES: usize = 512 * 1024;

/// What a reading is made with.
pub(super) struct Tuning<'a> {
    /// Bytes of a chunk.
    pub(super) chunk_bytes: usize,
    /// Number of buffers.
    pub(super) buffers: usize,
    pub(super) watch: Watch<'a>,
}

impl Tuning<'_> {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            chunk_bytes: CHUNK_BYTES,
            // One for each worker, one for each place in the channel, two for the reader.
            buffers: 2 * threads.max(1) + 2,
            watch: Watch::default(),
        }
    }
}

/// A piece of work.
pub(super) struct Work {
    pub(super) number: u64,
    pub(super) stream: usize,
    pub(super) what: What,
}

/// What is to be parsed.
pub(super) enum What {
    /// Whole rows.
    Rows(Arc<Head>, Lease),
    /// One row whose columns can't be told apart.
    Unusable(Reason),
    /// A row group of a Parquet file.
    RowGroup(Arc<Table>, usize),
}

/// What has been read.
pub(super) struct Done {
    pub(super) closed: Closed,
    pub(super) unknown_columns: BTreeSet<String>,
    pub(super) unlikely: UnlikelyCounts,
}

/// Reads the inputs of a source.
pub(super) fn run<S: RowSink>(
    source: &SourceConfig,
    inputs: &[Input],
    options: &ReadOptions<'_>,
    tuning: &Tuning<'_>,
    make_sink: &(dyn Fn(usize) -> S + Sync),
    progress: &(dyn Fn(Progress) + Sync),
) -> Done {
    let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let rejects = options
        .rejects
        .map(|folder| RejectsFile::new(folder, source, inputs.len() > 1));
    let keep_rejects = rejects.is_some();
    let ledger = Ledger::new(&names, rejects, (&source.name, options.expired));
    let bytes = AtomicU64::new(0);
    let bytes_total = inputs.iter().map(|input| input.bytes).sum();
    let threads = options.threads.max(1);
    let feeding_failed = AtomicBool::new(false);
    let mut unknown_columns = BTreeSet::new();
    let mut unlikely = UnlikelyCounts::default();

    let reader = &Post::default();
    let posts: Vec<Post> = (0..threads).map(|_| Post::default()).collect();
    let posts = posts.as_slice();
    let known = Threads::default();

    std::thread::scope(|scope| {
        let (work, to_do) = bounded::<Work>(threads);
        let pool = Pool::new(tuning.buffers);
        let (running, ended) = bounded::<()>(0);
        let watchdog = Watchdog {
            watch: tuning.watch,
            reader,
            workers: posts,
            ended,
        };
        let (to_close, to_fail, watched) = (Arc::clone(&pool), &ledger, &known);
        scope.spawn(move || {
            watchdog.run(watched, |stage, limit| {
                let seconds = limit.as_secs();
                to_fail.fail(SourceError::Stalled { stage, seconds });
                to_close.close();
            });
        });
        known.add_current();
        let workers: Vec<_> = posts
            .iter()
            .enumerate()
            .map(|(index, post)| {
                let to_do = to_do.clone();
                let (ledger, bytes, feeding_failed) = (&ledger, &bytes, &feeding_failed);
                let known = &known;
                scope.spawn(move || {
                    known.add_current();
                    let _alarm = ledger.alarm();
                    let _end = AtEnd(post);
                    let sink = make_sink(index);
                    let sink = Watched { sink, post };
                    let mut worker = Worker::new(source, options.today, keep_rejects, sink);
                    worker.keep_expired = options.expired.is_some();
                    for piece in &to_do {
                        post.set(Doing::Parsing);
                        let (number, stream) = (piece.number, piece.stream);
                        let name = inputs.get(stream).map_or("", |input| input.name.as_str());
                        worker.begin_chunk(czechia::order(source, inputs, stream), number);
                        let outcome = match parse(&mut worker, piece, name, bytes) {
                            Ok(()) => worker.end_chunk().map_err(SourceError::from),
                            Err(error) => Err(error),
                        };
                        post.set(Doing::Rejects);
                        let entered = match outcome {
                            Ok(outcome) => ledger.enter(number, stream, outcome),
                            Err(error) => {
                                ledger.fail(error);
                                None
                            }
                        };
                        let tally = entered?;
                        progress(Progress {
                            // An archive's directory is read too, and stands in no entry.
                            bytes: bytes.load(Ordering::Relaxed).min(bytes_total),
                            bytes_total,
                            rows: tally.rows,
                            rejected: tally.rejected,
                        });
                        post.set(Doing::Waiting);
                    }
                    if feeding_failed.load(Ordering::Acquire) || ledger.has_failed() {
                        return None;
                    }
                    worker
                        .finish()
                        .map_err(|error| ledger.fail(error.into()))
                        .ok()
                })
            })
            .collect();
        drop(to_do);

        reader.set(Doing::Input);
        let mut feeder = Feeder {
            source,
            chunk_bytes: tuning.chunk_bytes,
            work,
            pool,
            post: reader,
            number: 0,
            unknown: BTreeSet::new(),
            withdraws: false,
        };
        let fed = inputs.iter().enumerate().try_for_each(|(stream, input)| {
            feeder.withdraws = czechia::withdraws(source, inputs, stream);
            feeder.input(stream, input, &bytes)
        });
        let Feeder { work, unknown, .. } = feeder;
        unknown_columns = unknown;
        // Before the channel closes: a worker that sees it closed must see this too.
        feeding_failed.store(fed.is_err(), Ordering::Release);
        drop(work);
        reader.set(Doing::Ended);
        for worker in workers {
            match worker.join() {
                Ok(Some((names, counts))) => {
                    unknown_columns.extend(names);
                    unlikely.merge(&counts);
                }
                Ok(None) => {}
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        // Only now, so that what was read before the damage has been counted.
        if let Err(Stop::Failed(error)) = fed {
            ledger.fail(error);
        }
        drop(running);
    });

    let mut closed = ledger.close();
    if let Some(SourceError::Damaged { file, rows, .. }) = &mut closed.error {
        *rows = names
            .iter()
            .position(|name| name == file)
            .and_then(|at| closed.rows.get(at))
            .copied()
            .unwrap_or(0);
    }
    Done {
        closed,
        unknown_columns,
        unlikely,
    }
}

/// Parses one piece of work.
fn parse<S: RowSink>(
    worker: &mut Worker<'_, S>,
    piece: Work,
    name: &str,
    bytes: &AtomicU64,
) -> Result<(), SourceError> {
    match piece.what {
        What::Rows(head, buffer) => head.rows(worker, buffer.bytes()),
        What::Unusable(reason) => worker.unusable_row(Reject::new(ROW, reason)),
        What::RowGroup(table, group) => {
            table
                .rows(worker, group)
                .map_err(|error| SourceError::Damaged {
                    file: name.to_owned(),
                    rows: 0,
                    error,
                })?;
            bytes.fetch_add(table.row_group_bytes(group), Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Says on a post that its thread has ended, also when it unwinds.
struct AtEnd<'a>(&'a Post);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.set(Doing::Ended);
    }
}

/// Why the feeding ended early.
pub(super) enum Stop {
    /// The source cannot be read.
    Failed(SourceError),
    /// The workers have gone; they say why.
    NobodyListens,
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

/// Hands out work.
pub(super) struct Feeder<'a> {
    source: &'a SourceConfig,
    chunk_bytes: usize,
    work: Sender<Work>,
    pool: Arc<Pool>,
    post: &'a Post,
    number: u64,
    unknown: BTreeSet<String>,
    /// Whether the stream being read is one of withdrawals.
    withdraws: bool,
}

impl Feeder<'_> {
    fn input(&mut self, stream: usize, input: &Input, bytes: &AtomicU64) -> Result<(), Stop> {
        if self.source.layout == Layout::SltdParquet {
            let table = Arc::new(Table::open(self.source, input, &mut self.unknown)?);
            return (0..table.row_groups()).try_for_each(|group| {
                self.send(stream, What::RowGroup(Arc::clone(&table), group))
            });
        }
        let mut ended = Ok(());
        with_text(input, self.source.encoding, bytes, |text| {
            ended = Feed::new(self, stream, &input.name, text).run();
            Ok(())
        })?;
        ended
    }

    /// The form of the rows of a stream.
    pub(super) fn head(
        &mut self,
        name: &str,
        beginning: &Beginning<'_>,
    ) -> Result<Head, SourceError> {
        Head::read(self.source, name, beginning, &mut self.unknown)
    }

    /// Whether the stream being read is one of withdrawals.
    pub(super) fn withdraws(&self) -> bool {
        self.withdraws
    }

    pub(super) fn source(&self) -> &SourceConfig {
        self.source
    }

    pub(super) fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    /// An empty buffer, as soon as there is one.
    pub(super) fn buffer(&self) -> Result<Lease, Stop> {
        self.post.set(Doing::Waiting);
        let buffer = self.pool.lease().ok_or(Stop::NobodyListens);
        self.post.set(Doing::Input);
        buffer
    }

    pub(super) fn send(&mut self, stream: usize, what: What) -> Result<(), Stop> {
        let work = Work {
            number: self.number,
            stream,
            what,
        };
        self.number += 1;
        self.post.set(Doing::Waiting);
        let sent = self.work.send(work).map_err(|_| Stop::NobodyListens);
        self.post.set(Doing::Input);
        sent
    }
}
