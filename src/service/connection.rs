//! One connection: its limits, its life and its end.

use super::budget::Endable;
use super::dispatch::{Caller, Dispatch};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Calls open at a time on one connection; more wait at the client. Enough to keep a core busy over
/// one connection, and a bound on what one client can make the server hold.
const STREAMS_MAX: u32 = 256;
/// Streams a client may open and reset before they were taken up, until the connection is closed
/// (rapid reset, CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
/// Streams the server itself may have to reset for a client's errors, until the connection is closed
/// (RUSTSEC-2024-0003).
const LOCAL_RESETS_MAX: usize = 256;
/// Bytes of all headers of a call: far more than a call has.
const HEADERS_BYTES_MAX: u32 = 16 * 1024;
/// Bytes of a frame. A chunk of 4 MiB is 64 frames then; a kiosk's call still gets in between.
const FRAME_BYTES_MAX: u32 = 64 * 1024;
/// Bytes a client may send ahead on a call, and on all calls of a connection together. Those that no call has taken
/// yet are beside the budget: each connection can hold so many.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;
/// Bytes of an answer that wait for a slow client, for each call.
const SEND_BUFFER: usize = 512 * 1024;
/// A connection without traffic is asked whether it is alive, and closed if it doesn't answer.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// The same on TCP's level, for connections that never got to HTTP/2.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
/// How long a new connection may take to say that it speaks HTTP/2. Pings begin only after that, so
/// a connection that never says anything would stay for ever.
const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);
/// The first bytes of an HTTP/2 connection (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const _: () = assert!(STREAM_WINDOW <= CONNECTION_WINDOW && FRAME_BYTES_MAX <= STREAM_WINDOW);

/// Sets what each accepted socket needs; a listener doesn't pass it on.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    // An answer is one small write: Nagle's algorithm would hold it back until the last is acknowledged.
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(TCP_KEEPALIVE))
}

/// Serves a connection until either side ends it. When `draining` turns true, no new call is taken
/// and the connection ends with the last call that runs.
pub(super) async fn serve(
    stream: TcpStream,
    dispatch: Arc<Dispatch>,
    mut draining: watch::Receiver<bool>,
) {
    tokio::select! {
        biased;
        speaks = timeout(PREFACE_TIMEOUT, speaks_http2(&stream)) => {
            if !matches!(speaks, Ok(Ok(true))) {
                tracing::debug!("a connection did not begin with HTTP/2 and was closed");
                return;
            }
        }
        () = begun(&mut draining) => return,
    }
    let caller = Arc::new(Caller::new(dispatch));
    let service = hyper::service::service_fn(move |request| {
        let caller = Arc::clone(&caller);
        async move { Ok::<_, Infallible>(caller.call(request).await) }
    });
    let connection = http2::Builder::new(Arrivals)
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(LOCAL_RESETS_MAX)
        .max_header_list_size(HEADERS_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        // gRPC clients have no use for it.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = poll_fn(|context| drive(connection.as_mut(), context)) => ended,
        () = begun(&mut draining) => {
            connection.as_mut().graceful_shutdown();
            poll_fn(|context| drive(connection.as_mut(), context)).await
        }
    };
    if let Err(error) = ended {
        // A client's business as a rule (it went away), and it must not fill the log.
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// A call that has arrived and waits for its first turn.
type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

thread_local! {
    /// The calls that the connection being polled on this thread has just brought.
    static ARRIVED: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
}

/// Takes the calls of a connection, for [`drive`] to run.
#[derive(Debug, Clone, Copy)]
struct Arrivals;

impl<F> Executor<F> for Arrivals
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, call: F) {
        // Boxed first: the closure below would move it once more.
        let call: Call = Box::pin(call);
        ARRIVED.with_borrow_mut(|arrived| arrived.push(call));
    }
}

/// Polls a connection and the calls that it brings.
///
/// A unary call is complete when it arrives, as a rule, and answered without waiting for anything: a
/// task for it would be moved, listed, woken and polled for nothing. So each call has its first turn
/// here, when all that have arrived are known, and what it does not end in becomes a task. Then the
/// connection is polled again and sends all their answers together.
fn drive<C: Future>(mut connection: Pin<&mut C>, context: &mut Context<'_>) -> Poll<C::Output> {
    loop {
        let ended = connection.as_mut().poll(context);
        let arrived = ARRIVED.take();
        if arrived.is_empty() || ended.is_ready() {
            return ended;
        }
        for call in arrived {
            first_turn(call);
        }
    }
}

/// Runs a call as far as it gets at once, and the rest of it as a task.
fn first_turn(mut call: Call) {
    // Whoever would be woken is not there yet: a task polls the call again at once.
    let mut context = Context::from_waker(Waker::noop());
    // As in a task of its own, a panic ends the call, whose stream is then reset, and leaves the
    // connection's other calls alone.
    match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut context))) {
        Ok(Poll::Ready(())) => {}
        Ok(Poll::Pending) => drop(tokio::spawn(Endable::new(call))),
        Err(_) => tracing::error!("a call ended in a panic"),
    }
}

/// Waits for the drain to begin.
async fn begun(draining: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which it is at the end only.
    let _ = draining.wait_for(|&draining| draining).await;
}

/// Whether the connection begins with the preface of HTTP/2, which is left in place.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut begin = [0; PREFACE.len()];
    let mut before = 0;
    loop {
        let count = stream.peek(&mut begin).await?;
        let Some((seen, expected)) = begin.get(..count).zip(PREFACE.get(..count)) else {
            return Ok(false);
        };
        if count == 0 || seen != expected {
            return Ok(false);
        }
        if count == PREFACE.len() {
            return Ok(true);
        }
        if count == before {
            // What is there already makes `peek` return at once: wait for more.
            sleep(Duration::from_millis(20)).await;
        }
        before = count;
    }
}
