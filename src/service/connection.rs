//! One connection: its limits, its life and its end.

use super::budget::Endable;
use super::dispatch::{Caller, Dispatch};
use super::metered::{Metered, PREFACE};
use super::other_protocol::{MisuseLog, OtherProtocol};
use super::reply::Reply;
use super::standing::{Ask, Standing};
use http::{Request, Response};
use hyper::body::Incoming;
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
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};

/// Calls open at a time on one connection; more wait at the client. Enough to keep a core busy over
/// one connection, and a bound on what one client can make the server hold.
const STREAMS_MAX: u32 = 256;
/// Streams a client may open and reset before they were taken up, until h2 closes the connection: more than may be
/// open, since deadlines expire in bursts. What stops rapid reset (CVE-2023-44487) is [`Standing::cancel`].
const PENDING_RESETS_MAX: usize = 2 * STREAMS_MAX as usize;
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
/// How long a connection may still take that has to leave its place to another one.
const LEAVE_TIME: Duration = Duration::from_secs(5);

const _: () = assert!(STREAM_WINDOW <= CONNECTION_WINDOW && FRAME_BYTES_MAX <= STREAM_WINDOW);

/// Sets what each accepted socket needs; a listener doesn't pass it on.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    // An answer is one small write: Nagle's algorithm would hold it back until the last is acknowledged.
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(TCP_KEEPALIVE))
}

/// What the calls of one connection share.
struct Session {
    caller: Caller,
    standing: Arc<Standing>,
}

impl Session {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Reply> {
        self.standing.taken_up();
        let response = self.caller.call(request).await;
        match response.body() {
            Reply::Message(_) | Reply::Large(_) => {
                self.standing.answered();
                response
            }
            Reply::Messages(_) | Reply::Tonic(_) => {
                response.map(|body| body.with_standing(&self.standing))
            }
            // What is refused does not speak for a connection.
            Reply::Empty | Reply::Trailers => response,
        }
    }
}

/// Serves a connection until either side ends it, or it has done what its standing asks it for.
pub(super) async fn serve<S>(
    mut stream: S,
    standing: Arc<Standing>,
    dispatch: Arc<Dispatch>,
    misuse: Arc<MisuseLog>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut task = Task::new(&standing);
    {
        let mut preface = pin!(timeout(PREFACE_TIMEOUT, read_preface(&mut stream)));
        let read = poll_fn(|context| match task.asked(context) {
            Ask::Nothing => preface.as_mut().poll(context).map(Some),
            // It has begun nothing that could be ended in good order.
            Ask::GoAway | Ask::Leave | Ask::Cut => Poll::Ready(None),
        });
        match read.await {
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(Some(protocol)))) => return misuse.log_protocol(protocol, standing.peer),
            Some(_) => {
                tracing::debug!("a connection did not begin with HTTP/2 and was closed");
                return;
            }
            None => return,
        }
    }
    let session = Arc::new(Session {
        caller: Caller::new(dispatch),
        standing: Arc::clone(&standing),
    });
    let service = hyper::service::service_fn(move |request| {
        let session = Arc::clone(&session);
        async move { Ok::<_, Infallible>(session.answer(request).await) }
    });
    let refused = move || misuse.log_refused_call();
    let stream = Metered::new(stream, Arc::clone(&standing), refused);
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
    let mut done = Ask::Nothing;
    let mut leaving: Option<Pin<Box<Sleep>>> = None;
    let ended = poll_fn(|context| {
        let asked = task.asked(context);
        if asked > done {
            if done == Ask::Nothing {
                connection.as_mut().graceful_shutdown();
            }
            if asked == Ask::Leave {
                leaving = Some(Box::pin(sleep(LEAVE_TIME)));
            }
            done = asked;
        }
        let late = leaving.as_mut();
        if asked == Ask::Cut || late.is_some_and(|late| late.as_mut().poll(context).is_ready()) {
            return Poll::Ready(Ok(()));
        }
        standing.begin_turn();
        drive(connection.as_mut(), context)
    });
    if let Err(error) = ended.await {
        // A client's business as a rule (it went away), and it must not fill the log.
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// The task that serves a connection, as its standing knows it.
struct Task<'a> {
    standing: &'a Standing,
    known: Option<Waker>,
}

impl<'a> Task<'a> {
    fn new(standing: &'a Standing) -> Self {
        Self {
            standing,
            known: None,
        }
    }

    /// What is asked of the connection; from now on the task is woken when that changes.
    fn asked(&mut self, context: &Context<'_>) -> Ask {
        let waker = context.waker();
        // A task has one waker for all its life, so this is done once.
        if !self
            .known
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            self.known = Some(waker.clone());
            self.standing.set_task(waker.clone());
        }
        self.standing.asked()
    }
}

/// Reads the preface of HTTP/2, and nothing behind it. The error says what came instead, if that is known.
async fn read_preface<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(), Option<OtherProtocol>> {
    let mut begin = [0; PREFACE.len()];
    let mut filled = 0;
    while let Some(space) = begin.get_mut(filled..).filter(|space| !space.is_empty()) {
        let read = stream.read(space).await.map_err(|_| None)?;
        filled += read;
        let came = begin.get(..filled).unwrap_or_default();
        if read == 0 || !PREFACE.starts_with(came) {
            return Err(OtherProtocol::from_first_bytes(came));
        }
    }
    Ok(())
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
