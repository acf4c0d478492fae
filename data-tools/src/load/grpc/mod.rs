//! `LookupService` under load, through HTTP/2 itself: of a tonic client a call was measured to cost more than
//! twice as much processor time, which the server needs where both share a machine.
//!
//! Headers are built once, requests are encoded before the load begins, and of an answer only the verdicts
//! are decoded. Statuses are read where gRPC has them, in the trailers.

mod connection;
mod messages;
#[cfg(test)]
mod tests;

use super::Mode;
use super::questions::Questions;
use super::target::{Caller, IN_FLIGHT_MAX, Outcome, Target, Verdicts};
use bytes::Bytes;
pub use connection::GrpcConnection;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use http::header::{CONTENT_TYPE, HeaderValue, TE, USER_AGENT};
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Uri};
use messages::Messages;
use sltd::proto::lookup_service_server::SERVICE_NAME;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Port of a URL that names none.
const HTTP_PORT: u16 = 80;

/// Why a server can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Not the URL of a server.
    #[error("`{0}` is no server: expected a URL such as http://127.0.0.1:7440")]
    Url(String),
    /// What is to be sent makes no HTTP header.
    #[error("cannot call it: {0}")]
    Call(#[from] http::Error),
}

/// A lookup service and the calls that are made to it.
#[derive(Debug)]
pub struct Grpc {
    authority: String,
    mode: Mode,
    questions: Arc<Questions>,
    /// Documents of each call.
    items: NonZeroUsize,
    /// Each call's head; the body is a message of `questions`.
    head: Request<()>,
}

impl Grpc {
    /// The service at a URL. Each call asks one of the `questions`, which were read for the same `mode` and
    /// `items`. The server is told the deadline of a single call or a batch, as careful clients do.
    ///
    /// # Errors
    /// If it is not the URL of a server without encryption.
    pub fn new(
        url: &str,
        mode: Mode,
        items: NonZeroUsize,
        questions: Arc<Questions>,
        deadline: Duration,
    ) -> Result<Self, ServerError> {
        let wrong = || ServerError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        if uri.scheme() != Some(&Scheme::HTTP) || !matches!(uri.path(), "" | "/") {
            return Err(wrong());
        }
        let host = uri.host().ok_or_else(wrong)?;
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(HTTP_PORT));
        let method = match mode {
            Mode::Unary => "CheckDocument",
            Mode::Batch => "BatchCheckDocuments",
            Mode::Stream => "StreamCheckDocuments",
        };
        let path = PathAndQuery::try_from(format!("/{SERVICE_NAME}/{method}"));
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(authority.as_str())
            .path_and_query(path.map_err(http::Error::from)?)
            .build()?;
        let mut head = Request::post(uri)
            .header(TE, "trailers")
            .header(CONTENT_TYPE, "application/grpc")
            .header(USER_AGENT, concat!("sltd-data/", env!("CARGO_PKG_VERSION")))
            .body(())?;
        if mode != Mode::Stream {
            let timeout = HeaderValue::try_from(timeout(deadline)).map_err(http::Error::from)?;
            head.headers_mut().insert("grpc-timeout", timeout);
        }
        Ok(Self {
            authority,
            mode,
            questions,
            items: match mode {
                Mode::Unary => NonZeroUsize::MIN,
                Mode::Batch | Mode::Stream => items,
            },
            head,
        })
    }
}

/// A timeout as gRPC writes it: at most eight digits and a unit.
fn timeout(timeout: Duration) -> String {
    const DIGITS_MAX: u128 = 99_999_999;
    match timeout.as_millis() {
        ms if ms <= DIGITS_MAX => format!("{ms}m"),
        ms => format!("{}S", (ms / 1_000).min(DIGITS_MAX)),
    }
}

impl Target for Grpc {
    type Connection = GrpcConnection;
    type Caller = GrpcCaller;

    fn connection(&self) -> GrpcConnection {
        GrpcConnection::new(&self.authority)
    }

    fn caller(&self, connection: &GrpcConnection) -> GrpcCaller {
        GrpcCaller {
            connection: connection.clone(),
            sender: None,
            mode: self.mode,
            questions: Arc::clone(&self.questions),
            items: self.items.get() as u64,
            head: self.head.clone(),
            stream: None,
        }
    }
}

/// One call at a time on a connection it shares; of streams, one chunk at a time on a stream of its own.
pub struct GrpcCaller {
    connection: GrpcConnection,
    sender: Option<SendRequest<Bytes>>,
    mode: Mode,
    questions: Arc<Questions>,
    items: u64,
    head: Request<()>,
    /// An open stream without a question under way.
    stream: Option<Open>,
}

/// A stream: where chunks go, and where verdicts come from.
struct Open {
    chunks: SendStream<Bytes>,
    answers: Answers,
}

enum Answers {
    /// The head of the answer has not come yet: some servers send it with the first message.
    Awaited(ResponseFuture),
    Begun(Messages),
}

impl Caller for GrpcCaller {
    async fn call(&mut self, turn: u64) -> Outcome {
        let message = self.questions.message(turn);
        let verdicts = match self.mode {
            Mode::Unary => self.check(message, messages::of_one).await,
            Mode::Batch => self.check(message, messages::of_batch).await,
            Mode::Stream => self.check_chunk(message).await,
        };
        match verdicts {
            Ok(verdicts) => Outcome::answered(verdicts),
            Err(failure) => {
                // Perhaps it has ended with its connection; asking for another one costs little.
                self.sender = None;
                failure
            }
        }
    }

    fn in_flight_max(&self) -> usize {
        match &self.sender {
            Some(sender) => sender.current_max_send_streams().min(IN_FLIGHT_MAX),
            None => self.connection.in_flight_max(),
        }
    }
}

impl GrpcCaller {
    /// A call with one message each way.
    async fn check(
        &mut self,
        message: Bytes,
        verdicts: fn(Bytes) -> Result<Verdicts, Outcome>,
    ) -> Result<Verdicts, Outcome> {
        let (response, mut request) = self.begin().await?;
        request
            .send_data(message, true)
            .map_err(|error| messages::broken(&error))?;
        let response = response.await.map_err(|error| messages::broken(&error))?;
        let mut messages = Messages::of(response)?;
        let message = messages.next().await?;
        // The status comes first: an error may follow a message.
        messages.end().await?;
        verdicts(message.unwrap_or_default())
    }

    /// A chunk on the stream that is open, or on a new one.
    async fn check_chunk(&mut self, chunk: Bytes) -> Result<Verdicts, Outcome> {
        // Taken out: dropped halfway, as when the deadline passes, the stream is of no more use.
        let mut open = match self.stream.take() {
            Some(open) => open,
            None => {
                let (answers, chunks) = self.begin().await?;
                Open {
                    chunks,
                    answers: Answers::Awaited(answers),
                }
            }
        };
        open.chunks
            .send_data(chunk, false)
            .map_err(|error| messages::broken(&error))?;
        let mut answers = match open.answers {
            Answers::Begun(messages) => messages,
            Answers::Awaited(head) => {
                Messages::of(head.await.map_err(|error| messages::broken(&error))?)?
            }
        };
        let mut verdicts = Verdicts::default();
        while verdicts.sum() < self.items {
            let Some(message) = answers.next().await? else {
                // The server has ended the stream: with an error, as it should.
                answers.end().await?;
                return Err(Outcome::failed(
                    tonic::Code::Unknown,
                    "a stream ended before its questions were answered",
                ));
            };
            verdicts.merge(&messages::of_chunk(message)?);
        }
        self.stream = Some(Open {
            chunks: open.chunks,
            answers: Answers::Begun(answers),
        });
        Ok(verdicts)
    }

    /// Opens a stream of HTTP/2, as soon as there is a connection that takes it.
    async fn begin(&mut self) -> Result<(ResponseFuture, SendStream<Bytes>), Outcome> {
        loop {
            let sender = match &mut self.sender {
                Some(sender) => sender,
                none => none.insert(self.connection.sender().await?),
            };
            // Fails if the connection is lost or the server lets it run out: nothing was sent yet, so
            // that the call may as well be made on the next.
            match std::future::poll_fn(|cx| sender.poll_ready(cx)).await {
                Ok(()) => {
                    return sender
                        .send_request(self.head.clone(), false)
                        .map_err(|error| messages::broken(&error));
                }
                Err(_) => {
                    self.sender = None;
                    self.connection.retire();
                }
            }
        }
    }
}
