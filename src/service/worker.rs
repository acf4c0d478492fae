//! The threads that serve connections.
//!
//! Each runs a current-thread runtime of its own: a connection stays with its thread, and nothing a
//! call touches is shared with another thread but the snapshot, which is read only.

use super::connection;
use super::dispatch::Dispatch;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

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
    draining: watch::Sender<bool>,
}

impl Workers {
    /// Starts one thread for each dispatch; a drain will give running calls the time `drain`.
    pub(super) fn start(dispatches: Vec<Dispatch>, drain: Duration) -> io::Result<Self> {
        let (draining, _) = watch::channel(false);
        let mut workers = Vec::with_capacity(dispatches.len());
        for (index, dispatch) in dispatches.into_iter().enumerate() {
            let (connections, received) = mpsc::unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let draining = draining.subscribe();
            let open: Arc<AtomicUsize> = Arc::default();
            let still_open = Arc::clone(&open);
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
                open,
                connections,
                thread,
            });
        }
        Ok(Self { workers, draining })
    }

    /// Connections open now.
    pub(super) fn open(&self) -> usize {
        self.workers
            .iter()
            .map(|worker| worker.open.load(Ordering::Relaxed))
            .sum()
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
