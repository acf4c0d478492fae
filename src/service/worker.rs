//! The threads that serve connections.
//!
//! Each runs a current-thread runtime of its own: a connection stays with its thread, and nothing a
//! call touches is shared with another thread but the snapshot, which is read only.

use super::connection;
use super::dispatch::Dispatch;
use super::other_protocol::MisuseLog;
use super::places::{Places, Room};
use super::standing::{Ask, Seconds, Standing};
use super::tidy::tidy;
use super::turns;
use std::io;
use std::net::{IpAddr, TcpStream};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The connections of clients, as they are counted.
#[derive(Debug)]
pub(super) struct Connections {
    /// Handed to each thread and not ended yet.
    open: Vec<Arc<AtomicUsize>>,
    accepted: AtomicU64,
    turned_away: AtomicU64,
    displaced: AtomicU64,
    threads_replaced: AtomicU64,
}

impl Connections {
    /// For so many threads.
    pub(super) fn of(threads: NonZeroUsize) -> Self {
        Self {
            open: (0..threads.get()).map(|_| Arc::default()).collect(),
            accepted: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            displaced: AtomicU64::new(0),
            threads_replaced: AtomicU64::new(0),
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

    /// Those that had to leave their places to others, since the start.
    pub(super) fn displaced(&self) -> u64 {
        self.displaced.load(Ordering::Relaxed)
    }

    /// Threads that ended before their time and were replaced, since the start.
    pub(super) fn threads_replaced(&self) -> u64 {
        self.threads_replaced.load(Ordering::Relaxed)
    }
}

/// A thread and the connections it serves.
struct Worker {
    /// Connections handed to it and not ended yet.
    open: Arc<AtomicUsize>,
    /// The way to it; dropped at the end, which tells it that no more will come.
    connections: mpsc::UnboundedSender<Errand>,
    /// Returns the number of connections that were cut.
    thread: thread::JoinHandle<usize>,
}

/// What is sent to a thread.
enum Errand {
    Serve(Connection),
    /// Ends the thread as a defect would.
    #[cfg(test)]
    Die,
}

/// An accepted connection on its way to a thread, and later in its hands. Counted until dropped.
struct Connection {
    stream: TcpStream,
    open: Open,
}

/// Counts a connection among the open ones, and tells its standing when it has ended.
struct Open {
    count: Arc<AtomicUsize>,
    standing: Arc<Standing>,
}

impl Open {
    fn count(count: &Arc<AtomicUsize>, standing: Arc<Standing>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self {
            count: Arc::clone(count),
            standing,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.standing.close();
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a server asks of its threads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Connections open at a time.
    pub(super) connections_max: usize,
    /// Age at which a client is told to go on over another one; none: never.
    pub(super) connection_age_max: Option<Duration>,
    /// How long running calls may take once the server is told to end.
    pub(super) drain: Duration,
}

/// All threads.
pub(super) struct Workers {
    workers: Mutex<Vec<Worker>>,
    /// Makes what the calls of a thread need, for the first thread and for those that take its place.
    dispatch: Box<dyn Fn(usize) -> io::Result<Dispatch> + Send + Sync>,
    connections: Arc<Connections>,
    places: Mutex<Places>,
    misuse: Arc<MisuseLog>,
    began: Instant,
    seconds: Seconds,
    terms: Terms,
}

impl Workers {
    /// Starts as many threads as `connections` knows. `dispatch` makes what the calls of each need.
    ///
    /// # Errors
    /// If the system refuses a thread or another resource, or `dispatch` fails.
    pub(super) fn start(
        dispatch: impl Fn(usize) -> io::Result<Dispatch> + Send + Sync + 'static,
        connections: Arc<Connections>,
        terms: Terms,
    ) -> io::Result<Self> {
        let misuse = Arc::new(MisuseLog::default());
        let open = connections.open.iter().enumerate();
        let workers = open
            .map(|(index, open)| Worker::start(index, dispatch(index)?, open, &misuse, terms.drain))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            workers: Mutex::new(workers),
            dispatch: Box::new(dispatch),
            connections,
            places: Mutex::new(Places::new(terms.connections_max)),
            misuse,
            began: Instant::now(),
            seconds: Seconds::default(),
            terms,
        })
    }

    /// The connections as they are counted.
    pub(super) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Makes room for one more connection; returns whether one more may come.
    pub(super) fn make_room(&self) -> bool {
        let room = lock(&self.places).make_room(self.connections.open());
        if room == Room::Made {
            self.connections.displaced.fetch_add(1, Ordering::Relaxed);
        }
        room != Room::Full
    }

    /// Hands a connection to the thread with the fewest.
    pub(super) fn hand(&self, stream: TcpStream, peer: IpAddr) {
        let standing = Standing::new(peer, &self.seconds);
        let standing = Arc::new(match self.terms.connection_age_max {
            Some(age) => standing.ending_at_about(age),
            None => standing,
        });
        let workers = self.replace_the_dead();
        let Some(worker) = workers
            .iter()
            .min_by_key(|worker| worker.open.load(Ordering::Relaxed))
        else {
            return;
        };
        self.connections.accepted.fetch_add(1, Ordering::Relaxed);
        let open = Open::count(&worker.open, Arc::clone(&standing));
        let connection = Connection { stream, open };
        if worker.connections.send(Errand::Serve(connection)).is_ok() {
            lock(&self.places).come(standing);
        }
    }

    /// To be called once a second.
    pub(super) fn tick(&self) {
        self.seconds.set(self.began.elapsed());
        drop(self.replace_the_dead());
        if self.terms.connection_age_max.is_some() {
            let places = lock(&self.places);
            places.ask(Ask::GoAway, Standing::is_past_its_age);
        }
    }

    /// Starts another thread in the place of each that has ended, which only a defect can cause: it has the fewest
    /// connections and would be handed every one that comes.
    fn replace_the_dead(&self) -> MutexGuard<'_, Vec<Worker>> {
        let mut workers = lock(&self.workers);
        for (index, worker) in workers.iter_mut().enumerate() {
            if !worker.thread.is_finished() {
                continue;
            }
            let started = (self.dispatch)(index).and_then(|dispatch| {
                Worker::start(
                    index,
                    dispatch,
                    &worker.open,
                    &self.misuse,
                    self.terms.drain,
                )
            });
            match started {
                Ok(started) => {
                    *worker = started;
                    self.connections
                        .threads_replaced
                        .fetch_add(1, Ordering::Relaxed);
                    tracing::error!(
                        thread = index,
                        "a serving thread has ended, and with it its connections: another one has taken its place"
                    );
                }
                Err(error) => {
                    tracing::error!(thread = index, %error, "a serving thread has ended and can't be replaced");
                }
            }
        }
        workers
    }

    /// Ends the connections: no new calls, running ones get their time. Returns when all have ended or
    /// the time is up, with the number of connections that were cut. Blocks.
    pub(super) fn drain(self) -> usize {
        lock(&self.places).ask(Ask::GoAway, |_| true);
        let workers = self.workers.into_inner();
        // Collected first: a thread drains only when its `connections` is dropped.
        let threads: Vec<_> = workers
            .unwrap_or_else(PoisonError::into_inner)
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

    /// Ends a thread as a defect would.
    #[cfg(test)]
    pub(super) fn kill_one(&self) {
        let workers = lock(&self.workers);
        let worker = workers.first().unwrap();
        worker.connections.send(Errand::Die).ok().unwrap();
        while !worker.thread.is_finished() {
            thread::yield_now();
        }
    }
}

/// Whoever panicked with one of these locks held has left it as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    fn start(
        index: usize,
        dispatch: Dispatch,
        open: &Arc<AtomicUsize>,
        misuse: &Arc<MisuseLog>,
        drain: Duration,
    ) -> io::Result<Self> {
        let (connections, received) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (still_open, misuse) = (Arc::clone(open), Arc::clone(misuse));
        let thread = thread::Builder::new()
            .name(format!("serve-{index}"))
            .spawn(move || {
                runtime.block_on(work(received, Arc::new(dispatch), misuse, drain));
                let cut = still_open.load(Ordering::Relaxed);
                // Whatever still runs is cut here.
                runtime.shutdown_background();
                cut
            })?;
        Ok(Self {
            open: Arc::clone(open),
            connections,
            thread,
        })
    }
}

/// The life of a thread: takes connections while any may come, then waits for theirs to end.
async fn work(
    mut errands: mpsc::UnboundedReceiver<Errand>,
    dispatch: Arc<Dispatch>,
    misuse: Arc<MisuseLog>,
    drain: Duration,
) {
    tokio::spawn(tidy(dispatch.budget()));
    tokio::spawn(turns::give());
    // Each connection holds a clone of `alive`; when the last is gone, `ended` says so.
    let (alive, mut ended) = mpsc::channel::<()>(1);
    while let Some(errand) = errands.recv().await {
        #[cfg_attr(
            not(test),
            expect(
                clippy::infallible_destructuring_match,
                reason = "tests know another errand"
            )
        )]
        let Connection { stream, open } = match errand {
            Errand::Serve(connection) => connection,
            #[cfg(test)]
            Errand::Die => panic!("killed by a test"),
        };
        let stream = match tokio::net::TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection could not be taken up and was closed");
                continue;
            }
        };
        let (dispatch, misuse, alive) = (Arc::clone(&dispatch), Arc::clone(&misuse), alive.clone());
        tokio::spawn(async move {
            let standing = Arc::clone(&open.standing);
            connection::serve(stream, standing, dispatch, misuse).await;
            drop((open, alive));
        });
    }
    drop(alive);
    // Nothing is ever sent: the channel closes when the last connection has ended.
    let _ = tokio::time::timeout(drain, ended.recv()).await;
}
