//! The threads that serve connections.
//!
//! Each runs a current-thread runtime of its own: a connection stays with its thread, and nothing a
//! call touches is shared with another thread but the snapshot, which is read only.

use super::connection;
use super::dispatch::Dispatch;
use super::tidy::tidy;
use std::io;
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The connections of clients, as they are counted.
#[derive(Debug)]
pub(super) struct Connections {
    /// Handed to each thread and not ended yet.
    open: Vec<Arc<AtomicUsize>>,
    accepted: AtomicU64,
    turned_away: AtomicU64,
}

impl Connections {
    /// For so many threads.
    pub(super) fn of(threads: NonZeroUsize) -> Self {
        Self {
            open: (0..threads.get()).map(|_| Arc::default()).collect(),
            accepted: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
        }
    }

    /// Open now.
    pub(super) fn open(&self) -> usize {
        let open = self.open.iter();
        open.map(|open| open.load(Ordering::Relaxed)).sum()
    }

    /// Closed as it came, because too many were open.
    pub(super) fn turn_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// Taken since the start.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Closed as they came, since the start.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

/// A thread and the connections it serves.
struct Worker {
    /// Connections handed to it and not ended yet.
    open: Arc<AtomicUsize>,
    /// The way to it; dropped at the end, which tells it that no more will come.
    connections: mpsc::UnboundedSender<Connection>,
    /// Returns the number of connections that were cut.
    thread: thread::JoinHandle<usize>,
}

/// An accepted connection on its way to a thread, and later in its hands. Counted until dropped.
struct Connection {
    stream: TcpStream,
    open: OpenCount,
}

struct OpenCount(Arc<AtomicUsize>);

impl Drop for OpenCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All threads.
pub(super) struct Workers {
    workers: Vec<Worker>,
    connections: Arc<Connections>,
    draining: watch::Sender<bool>,
}

impl Workers {
    /// Starts one thread for each dispatch, of which `connections` knows as many; a drain will give
    /// running calls the time `drain`.
    pub(super) fn start(
        dispatches: Vec<Dispatch>,
        connections: Arc<Connections>,
        drain: Duration,
    ) -> io::Result<Self> {
        let (draining, _) = watch::channel(false);
        let mut workers = Vec::with_capacity(dispatches.len());
        for (index, (dispatch, open)) in dispatches.into_iter().zip(&connections.open).enumerate() {
            let (sender, received) = mpsc::unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let draining = draining.subscribe();
            let still_open = Arc::clone(open);
            let thread = thread::Builder::new()
                .name(format!("serve-{index}"))
                .spawn(move || {
                    runtime.block_on(work(received, Arc::new(dispatch), draining, drain));
                    let cut = still_open.load(Ordering::Relaxed);
                    // Whatever still runs is cut here.
                    runtime.shutdown_background();
                    cut
                })?;
            workers.push(Worker {
                open: Arc::clone(open),
                connections: sender,
                thread,
            });
        }
        Ok(Self {
            workers,
            connections,
            draining,
        })
    }

    /// The connections as they are counted.
    pub(super) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Hands a connection to the thread with the fewest.
    pub(super) fn hand(&self, stream: TcpStream) {
        let Some(worker) = self
            .workers
            .iter()
            .min_by_key(|worker| worker.open.load(Ordering::Relaxed))
        else {
            return;
        };
        worker.open.fetch_add(1, Ordering::Relaxed);
        self.connections.accepted.fetch_add(1, Ordering::Relaxed);
        let connection = Connection {
            stream,
            open: OpenCount(Arc::clone(&worker.open)),
        };
        if worker.connections.send(connection).is_err() {
            tracing::error!("a serving thread has ended before its time; a connection was closed");
        }
    }

    /// Ends the connections: no new calls, running ones get their time. Returns when all have ended or
    /// the time is up, with the number of connections that were cut. Blocks.
    pub(super) fn drain(self) -> usize {
        self.draining.send_replace(true);
        // Collected first: a thread drains only when its `connections` is dropped.
        let threads: Vec<_> = self
            .workers
            .into_iter()
            .map(|worker| worker.thread)
            .collect();
        let ended = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| {
                tracing::error!("a serving thread has panicked");
                0
            })
        });
        ended.sum()
    }
}

/// The life of a thread: takes connections while any may come, then waits for theirs to end.
async fn work(
    mut connections: mpsc::UnboundedReceiver<Connection>,
    dispatch: Arc<Dispatch>,
    draining: watch::Receiver<bool>,
    drain: Duration,
) {
    tokio::spawn(tidy(dispatch.budget()));
    // Each connection holds a clone of `alive`; when the last is gone, `ended` says so.
    let (alive, mut ended) = mpsc::channel::<()>(1);
    while let Some(Connection { stream, open }) = connections.recv().await {
        let stream = match tokio::net::TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken up and was closed");
                continue;
            }
        };
        let (dispatch, draining, alive) = (Arc::clone(&dispatch), draining.clone(), alive.clone());
        tokio::spawn(async move {
            connection::serve(stream, dispatch, draining).await;
            drop((open, alive));
        });
    }
    drop(alive);
    // Nothing is ever sent: the channel closes when the last connection has ended.
    let _ = tokio::time::timeout(drain, ended.recv()).await;
}
