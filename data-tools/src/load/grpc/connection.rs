//! A connection that is made when it is first needed, and made again when it is lost.

use crate::load::target::{IN_FLIGHT_MAX, Outcome};
use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Ping, client};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tonic::Code;

/// The least time between the starts of two attempts to connect: a server that is down is not stormed.
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(100);
/// How long the answer to a ping is waited for before calls are made all the same.
const PONG_TIMEOUT: Duration = Duration::from_millis(250);
/// Bytes the server may send ahead on a call, and on all calls of a connection together; hyper's clients
/// grant the same.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 5 * 1024 * 1024;
/// Bytes of a frame of an answer.
const FRAME_BYTES_MAX: u32 = 64 * 1024;

/// What a connection is.
#[derive(Clone)]
enum Link {
    /// Not there, and nobody is making it.
    Down,
    /// Being made.
    Coming,
    /// Ready for calls; and which of all attempts it came of.
    Up(SendRequest<Bytes>, u64),
    /// The last attempt failed: why.
    Failed(String),
}

/// A connection to a server. All of it stays on one thread.
#[derive(Clone)]
pub struct GrpcConnection {
    /// Host and port.
    authority: Rc<str>,
    link: watch::Sender<Link>,
    attempts: Rc<Cell<(u64, Option<Instant>)>>,
}

impl GrpcConnection {
    pub(super) fn new(authority: &str) -> Self {
        Self {
            authority: authority.into(),
            link: watch::Sender::new(Link::Down),
            attempts: Rc::default(),
        }
    }

    /// The way to send calls, once the connection is there. Cancel-safe: whoever gives up waiting does
    /// not stop the attempt.
    pub(super) async fn sender(&self) -> Result<SendRequest<Bytes>, Outcome> {
        let mut link = self.link.subscribe();
        if matches!(*link.borrow(), Link::Down | Link::Failed(_)) {
            self.link.send_replace(Link::Coming);
            tokio::task::spawn_local(self.clone().keep());
        }
        let settled = link.wait_for(|link| !matches!(link, Link::Coming)).await;
        match settled.as_deref() {
            Ok(Link::Up(sender, _)) => Ok(sender.clone()),
            Ok(Link::Failed(why)) => Err(Outcome::failed(Code::Unavailable, why.clone())),
            _ => Err(Outcome::failed(
                Code::Unavailable,
                "the connection was lost",
            )),
        }
    }

    /// The most calls the server takes at a time, as far as is known.
    pub(super) fn in_flight_max(&self) -> usize {
        match &*self.link.borrow() {
            Link::Up(sender, _) => sender.current_max_send_streams().min(IN_FLIGHT_MAX),
            _ => IN_FLIGHT_MAX,
        }
    }

    /// Connects, and holds the connection until it ends.
    async fn keep(self) {
        let (before, last) = self.attempts.get();
        if let Some(last) = last {
            sleep_until(last + ATTEMPT_INTERVAL).await;
        }
        let attempt = before + 1;
        self.attempts.set((attempt, Some(Instant::now())));
        let connected = async {
            let stream = TcpStream::connect(&*self.authority)
                .await
                .map_err(|error| format!("cannot connect to {}: {error}", self.authority))?;
            stream
                .set_nodelay(true)
                .map_err(|error| error.to_string())?;
            let handshake = client::Builder::new()
                .enable_push(false)
                .initial_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .max_frame_size(FRAME_BYTES_MAX)
                .initial_max_send_streams(IN_FLIGHT_MAX)
                .handshake(stream);
            handshake.await.map_err(|error| error.to_string())
        };
        let (sender, mut connection) = match connected.await {
            Ok(connected) => connected,
            Err(why) => {
                self.link.send_replace(Link::Failed(why));
                return;
            }
        };
        // The server's settings, such as how many calls it takes at a time, come before its answer to
        // a ping: no call is made against limits that are only assumed.
        let ping_pong = connection.ping_pong();
        let up = Cell::new(false);
        let greet = async {
            if let Some(mut ping_pong) = ping_pong {
                // Some servers never answer pings. Whether one is there at all, calls will tell.
                let _ = timeout(PONG_TIMEOUT, ping_pong.ping(Ping::opaque())).await;
            }
            up.set(true);
            self.link.send_replace(Link::Up(sender, attempt));
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = connection => ended,
            () = greet => Ok(()),
        };
        if !up.get() {
            let why = ended.map_or_else(|error| error.to_string(), |()| "it was closed".to_owned());
            let why = format!("no HTTP/2 connection to {}: {why}", self.authority);
            self.link.send_replace(Link::Failed(why));
        } else {
            // Retired before, it has a successor.
            self.link.send_if_modified(|link| match link {
                Link::Up(_, of) if *of == attempt => {
                    *link = Link::Down;
                    true
                }
                _ => false,
            });
        }
    }

    /// The connection takes no more calls: the next caller makes another, while calls under way on this
    /// one may end.
    pub(super) fn retire(&self) {
        self.link.send_if_modified(|link| {
            let up = matches!(link, Link::Up(..));
            if up {
                *link = Link::Down;
            }
            up
        });
    }
}
