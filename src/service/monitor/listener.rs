//! The HTTP listener: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever starts and stops
//! servers.
//!
//! It has a thread of its own, and each connection may ask one thing, soon, and must take the answer
//! soon: whatever its clients do costs a bounded part of one thread, and none of those that serve calls.

use super::metrics::{CONTENT_TYPE, Exposition};
use crate::service::condition::Condition;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{sleep, timeout};

/// Connections open at a time; when one more comes, the oldest is closed. Whoever asks is answered at once, so the oldest
/// is one that does not: a probe that comes with its question always finds a place.
const CONNECTIONS_MAX: usize = 128;
/// How long a connection may take, from its first byte to the last of the answer.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(5);
/// Bytes of a request's headers, and of an answer at a time; hyper's least.
const BUFFER_BYTES: usize = 8 * 1024;
/// Wait after a failed accept: with no file descriptor left it fails at once and for ever.
const ACCEPT_WAIT: Duration = Duration::from_millis(100);

/// The running listener; ends when dropped.
#[derive(Debug)]
pub(in crate::service) struct Monitor {
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Monitor {
    /// Serves the condition of a server on a listener that does not block.
    ///
    /// # Errors
    /// If the system refuses a thread or another resource.
    pub(in crate::service) fn start(
        listener: TcpListener,
        condition: &Arc<Condition>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _within = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let pages = Arc::new(Pages {
            exposition: Exposition::of(condition),
            condition: Arc::clone(condition),
        });
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("monitor".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(&listener, &pages) => {}
                        // Dropped unsent is the same.
                        _ = ended => {}
                    }
                });
                runtime.shutdown_background();
            })?;
        tracing::info!(%address, "metrics are served");
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        drop(self.end.take());
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the thread that serves metrics has panicked");
        }
    }
}

/// Takes connections, for ever.
async fn accept(listener: &tokio::net::TcpListener, pages: &Arc<Pages>) {
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_WAIT).await;
            continue;
        };
        open.retain(|connection| !connection.is_finished());
        if open.len() >= CONNECTIONS_MAX
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        let pages = Arc::clone(pages);
        let connection = tokio::spawn(async move {
            // Late or broken off: the client's business.
            let _ = timeout(CONNECTION_TIME_MAX, serve(stream, pages)).await;
        });
        open.push_back(connection.abort_handle());
        // Whoever is there may ask before the next one comes.
        yield_now().await;
    }
}

async fn serve(stream: TcpStream, pages: Arc<Pages>) -> hyper::Result<()> {
    let service = service_fn(|request| {
        let answer = pages.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_TIME_MAX)
        .keep_alive(false)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

/// What there is to be asked for.
#[derive(Debug)]
struct Pages {
    exposition: Exposition,
    condition: Arc<Condition>,
}

impl Pages {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut refused = page(StatusCode::METHOD_NOT_ALLOWED, "expected GET or HEAD\n");
            let allowed = HeaderValue::from_static("GET, HEAD");
            refused.headers_mut().insert(header::ALLOW, allowed);
            return refused;
        }
        match request.uri().path() {
            "/metrics" => match self.exposition.write() {
                Ok(text) => {
                    let mut response = page(StatusCode::OK, text);
                    let content_type = HeaderValue::from_static(CONTENT_TYPE);
                    response
                        .headers_mut()
                        .insert(header::CONTENT_TYPE, content_type);
                    response
                }
                Err(_) => page(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the metrics cannot be written\n",
                ),
            },
            "/healthz" => page(StatusCode::OK, "alive\n"),
            "/readyz" => self.readiness(),
            _ => page(
                StatusCode::NOT_FOUND,
                "expected /metrics, /healthz or /readyz\n",
            ),
        }
    }

    /// Whether checks are to be sent here, and what stands refused, which does not change that.
    fn readiness(&self) -> Response<Full<Bytes>> {
        let (status, mut text) = match self.condition.readiness(self.condition.now()) {
            Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
            Err(why) => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("not ready: {}\n", why.words()),
            ),
        };
        if let Some(refused) = self.condition.refused() {
            // Writing into a text can't fail.
            let _ = writeln!(
                text,
                "refused since {}: {}: {}",
                refused.since,
                refused.manifest(),
                refused.detail
            );
        }
        page(status, text)
    }
}

fn page(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
