//! The server as a whole: listener, threads, snapshot, shutdown.

use super::address::is_loopback;
use super::clock::Clock;
use super::condition::Condition;
use super::config::Config;
use super::connection;
use super::dispatch::Dispatch;
use super::health::Health;
use super::monitor::Monitor;
use super::reload::{self, Reloads};
use super::scrub::Scrub;
use super::watch::{LoadError, Looks, Watcher};
use super::worker::{self, Workers};
use crate::snapshot::signature::{KeyError, TrustedKeys};
use crate::snapshot::{self, HighestSeen, Terms};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Connections the kernel keeps for us until we accept them (it caps this by its own limit).
const BACKLOG: i32 = 4_096;
/// Wait after a failed accept, doubled up to the second while it goes on failing: with no file
/// descriptor left, accepting fails at once and for ever, and would burn a core.
const ACCEPT_WAIT_MIN: Duration = Duration::from_millis(10);
const ACCEPT_WAIT_MAX: Duration = Duration::from_secs(1);
/// The same complaint is logged this often at most.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Why the server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not a loopback one.
    #[error(
        "refusing to listen on {0}: connections are not encrypted, so only loopback addresses \
         (127.0.0.1, [::1]) are served"
    )]
    NotLoopback(SocketAddr),
    /// Another program listens on the address.
    #[error(
        "cannot listen on {0}: another program already does; choose another address or stop it"
    )]
    AddressInUse(SocketAddr),
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No snapshot can be served.
    #[error(transparent)]
    Store(#[from] snapshot::LoadError),
    /// A trusted key can't be used.
    #[error("trusted_key: {0}")]
    TrustedKey(#[from] KeyError),
    /// Reading the snapshot ended in a panic: a defect of the program, and most likely damaged data too.
    #[error("reading the snapshot ended in a panic; `sltd-data verify` may say more")]
    Panicked,
    /// The operating system refused a thread or another resource.
    #[error("cannot start serving: {0}")]
    Start(#[from] io::Error),
}

impl From<LoadError> for ServeError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            // Said of what is loaded later only.
            LoadError::Hangs(_) | LoadError::Panicked => Self::Panicked,
        }
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections whose calls had not ended in time and were cut.
    pub cut: usize,
}

/// Binds the address, which must be a loopback one; port 0 takes any free port.
///
/// # Errors
/// If the address is not a loopback one, is taken, or cannot be listened on.
pub fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    if !is_loopback(address) {
        return Err(ServeError::NotLoopback(address));
    }
    let listen = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // So that a restart doesn't wait for connections of the last run to time out. Never
        // SO_REUSEPORT: a second server would silently take half of the connections.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(TcpListener::from(socket))
    };
    listen().map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::AddressInUse(address),
        _ => ServeError::Listen { address, source },
    })
}

/// Serves the store's current snapshot, and each that is published later, until `shutdown` resolves;
/// then lets running calls end, for the configured time at most.
///
/// Connections are taken at once, but health says SERVING and checks are answered only when the
/// snapshot is verified and warmed; that moment is logged as `serving`, with the address, the generation and
/// the number of documents. Needs a Tokio runtime with time and I/O, on which only the accept loop and
/// the watch of the store run; calls are served by threads of their own.
///
/// Where the configuration says so, metrics are served beside, from the first moment to the last.
///
/// # Errors
/// If no snapshot can be served at the start, the metrics' address cannot be listened on, or threads
/// cannot be started. Snapshots that turn out bad later are refused: log, metrics, health and the
/// administrators' service say so.
pub async fn run(
    listener: TcpListener,
    store: PathBuf,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> Result<Drained, ServeError> {
    run_with_clock(listener, store, config, Clock::system(), shutdown).await
}

/// [`run`], and takes over the trusted keys of each configuration that comes out of `reloads`. Everything else in it takes
/// effect with a restart only, which the log says. A configuration that can't be used changes nothing.
///
/// # Errors
/// As [`run`].
pub async fn run_with_reloads(
    listener: TcpListener,
    store: PathBuf,
    config: &Config,
    reloads: Reloads,
    shutdown: impl Future<Output = ()>,
) -> Result<Drained, ServeError> {
    run_with(
        listener,
        store,
        config,
        (Clock::system(), reloads),
        shutdown,
    )
    .await
}

/// [`run`] by another clock: all that the server says of instants and ages, and what follows from
/// them, goes by it. What it waits for it waits for in the system's time.
///
/// # Errors
/// As [`run`].
pub async fn run_with_clock(
    listener: TcpListener,
    store: PathBuf,
    config: &Config,
    clock: Clock,
    shutdown: impl Future<Output = ()>,
) -> Result<Drained, ServeError> {
    // Nothing ever comes out of it.
    let (_, reloads) = tokio::sync::mpsc::channel(1);
    run_with(listener, store, config, (clock, reloads), shutdown).await
}

async fn run_with(
    listener: TcpListener,
    store: PathBuf,
    config: &Config,
    (clock, reloads): (Clock, Reloads),
    shutdown: impl Future<Output = ()>,
) -> Result<Drained, ServeError> {
    let terms = terms(config)?;
    let address = listener.local_addr()?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let condition = Arc::new(Condition::new(store, config, terms.trusted_keys(), clock));
    // Ends when dropped: after the drain, which it tells of.
    let _monitor = match config.metrics {
        Some(address) => Some(Monitor::start(bind(address)?, &condition)?),
        None => None,
    };
    let health = Health::not_serving_yet();
    let connections = Arc::clone(&condition.connections);
    let terms_of_workers = worker::Terms {
        connections_max: condition.connections_max,
        connection_age_max: config.max_connection_age,
        drain: config.drain,
    };
    let dispatches = dispatches(&condition, &health);
    let workers = Workers::start(dispatches, connections, terms_of_workers)?;
    let watcher = Watcher {
        terms: terms.clone(),
        options: config.load_options(),
        every: config.watch,
        condition: Arc::clone(&condition),
        health: health.clone(),
        looks: Looks::default(),
    };
    let serve = async {
        let (current, pointer) = watcher.begin().await?;
        tracing::info!(
            %address,
            generation = current.snapshot().generation(),
            documents = current.snapshot().documents(),
            "serving"
        );
        drop(current);
        // Ends when dropped, with the server.
        let scrub = config.scrub.map(|every| Scrub::start(&condition, every));
        let _scrub = scrub.transpose()?;
        watcher.run(pointer).await;
        Ok(())
    };
    let ended: Result<(), ServeError> = tokio::select! {
        ended = serve => ended,
        () = accept(&listener, &workers) => Ok(()),
        () = reload::run(reloads, config.clone(), terms, &condition) => Ok(()),
        () = shutdown => Ok(()),
    };
    // Those who watch health look for another server before their connection is ended.
    condition.drain();
    health.end();
    // Whoever connects from now on is refused by the kernel, not left waiting.
    drop(listener);
    if ended.is_ok() {
        let open = workers.connections().open();
        tracing::info!(open, at_most = ?config.drain, "draining");
    }
    let cut = tokio::task::spawn_blocking(move || workers.drain())
        .await
        .unwrap_or_default();
    ended?;
    tracing::info!(cut, "ended");
    Ok(Drained { cut })
}

/// What the threads that serve calls need, each its own.
pub(super) fn dispatches(
    condition: &Arc<Condition>,
    health: &Health,
) -> impl Fn(usize) -> io::Result<Dispatch> + Send + Sync + 'static {
    let (condition, health) = (Arc::clone(condition), health.clone());
    move |thread| {
        let counters = condition.counters.get(thread);
        let counters = counters.ok_or_else(|| io::Error::other("no such thread"))?;
        Dispatch::new(&condition, counters, &health).map_err(io::Error::other)
    }
}

/// On what terms snapshots are loaded: reads the trusted keys, and looks whether the folder is there in which the
/// highest generation seen is remembered. Where no key is trusted, nothing is remembered: who can put an older
/// snapshot into the store could as well number it anew.
fn terms(config: &Config) -> Result<Terms, ServeError> {
    if config.trusted_keys.is_empty() {
        return Ok(Terms::default());
    }
    let terms = Terms::default().trusting(TrustedKeys::open(config.trusted_keys.iter().cloned())?);
    // A configuration that was not validated may have none.
    let Some(state_dir) = &config.state_dir else {
        return Ok(terms);
    };
    let highest = HighestSeen::at(state_dir).map_err(snapshot::LoadError::from)?;
    Ok(terms.remembering(highest))
}

/// Takes connections and hands them out, for ever.
pub(super) async fn accept(listener: &tokio::net::TcpListener, workers: &Workers) {
    let mut wait = ACCEPT_WAIT_MIN;
    let mut complaints = Complaints::default();
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ticks.tick() => {
                workers.tick();
                continue;
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                wait = ACCEPT_WAIT_MIN;
                if !workers.make_room() {
                    workers.connections().turn_away();
                    if complaints.due() {
                        tracing::warn!(
                            open = workers.connections().open(),
                            "connections are closed as they come: too many are open"
                        );
                    }
                    continue;
                }
                // Fails only if the client is gone already.
                if let Ok(stream) = connection::prepare(&stream).and_then(|()| stream.into_std()) {
                    workers.hand(stream, peer.ip().to_canonical());
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if complaints.due() {
                    tracing::error!(%error, "cannot accept connections; trying again");
                }
                sleep(wait).await;
                wait = (wait * 2).min(ACCEPT_WAIT_MAX);
            }
        }
    }
}

/// Whether a failed accept concerns only the connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Keeps one complaint from filling the log.
#[derive(Default)]
struct Complaints {
    last: Option<Instant>,
}

impl Complaints {
    fn due(&mut self) -> bool {
        let due = self
            .last
            .is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY);
        if due {
            self.last = Some(Instant::now());
        }
        due
    }
}
