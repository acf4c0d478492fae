//! What is sent back for a call: messages and their status, or what tonic makes.

use super::budget::Budget;
use super::errors::CallError;
use super::monitor::BodyCall;
use super::outgoing::{Outgoing, Sending};
use super::standing::Standing;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body, Frame};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep};
use tokio_stream::Stream;
use tonic::{Code, Status};

/// The body of a response.
#[derive(Default)]
pub(super) enum Reply {
    /// Nothing: the status stands in the headers.
    #[default]
    Empty,
    /// One small framed message, then the status OK.
    Message(Bytes),
    /// Only the status OK is left to be sent.
    Trailers,
    /// One large message, then the status OK.
    Large(Box<MessagesReply>),
    /// The messages of a stream, then its status.
    Messages(Box<MessagesReply>),
    /// A body made by tonic.
    Tonic(Box<TonicReply>),
}

/// The messages of an answer. One is made when the one before has been sent.
pub(super) type Messages = Pin<Box<dyn Stream<Item = Result<Outgoing, CallError>> + Send>>;

/// A body of messages that hold memory.
pub(super) struct MessagesReply {
    /// Dropped at the end.
    messages: Option<Messages>,
    budget: Arc<Budget>,
    sending: Option<Sending>,
    ending: Ending,
}

/// A body made by tonic.
pub(super) struct TonicReply {
    body: tonic::body::Body,
    ending: Ending,
}

/// How a call ends whose status stands behind the body.
#[derive(Default)]
struct Ending {
    /// When the caller's deadline passes.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Counts how the call ends.
    call: Option<BodyCall>,
    /// Of the connection that it is for.
    standing: Option<Arc<Standing>>,
}

impl Ending {
    fn new(deadline: Option<Instant>) -> Self {
        Self {
            deadline: deadline.map(|at| Box::pin(tokio::time::sleep_until(at))),
            call: None,
            standing: None,
        }
    }

    /// A message goes out.
    fn progress(&self) {
        if let Some(standing) = &self.standing {
            standing.taken_up();
            standing.answered();
        }
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.deadline.as_mut();
        deadline.is_some_and(|at| at.as_mut().poll(cx).is_ready())
    }

    fn count(&mut self, code: Code) {
        if let Some(call) = &mut self.call {
            call.ended(code);
        }
    }

    /// The trailers that say an error.
    fn failed(&mut self, error: CallError) -> Result<Frame<Bytes>, Status> {
        let status = Status::from(error);
        self.count(status.code());
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers)?;
        Ok(Frame::trailers(trailers))
    }
}

impl MessagesReply {
    /// Of a source of messages, which is cut off with DEADLINE_EXCEEDED when the caller's deadline passes.
    pub(super) fn new(
        messages: Messages,
        budget: Arc<Budget>,
        deadline: Option<Instant>,
    ) -> Box<Self> {
        Box::new(Self {
            messages: Some(messages),
            budget,
            sending: None,
            ending: Ending::new(deadline),
        })
    }

    /// Of one message.
    pub(super) fn one(message: Outgoing, budget: Arc<Budget>) -> Box<Self> {
        Self::new(Box::pin(tokio_stream::once(Ok(message))), budget, None)
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(messages) = &mut self.messages else {
            return Poll::Ready(None);
        };
        if let Some(sending) = &self.sending {
            let stalled = match sending.poll(cx) {
                Poll::Ready(Ok(())) => None,
                Poll::Ready(Err(status)) => Some(status),
                // Behind the message nothing could be sent.
                Poll::Pending if self.ending.is_late(cx) => Some(cut_off(CallError::Deadline)),
                Poll::Pending => return Poll::Pending,
            };
            if let Some(status) = stalled {
                self.ending.count(status.code());
                self.messages = None;
                return Poll::Ready(Some(Err(status)));
            }
            self.sending = None;
        }
        let frame = match messages.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(message))) => {
                let (bytes, sending) = message.send(&self.budget);
                self.sending = Some(sending);
                self.ending.progress();
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Poll::Ready(Some(Err(error))) => self.ending.failed(error),
            Poll::Ready(None) => {
                self.ending.count(Code::Ok);
                Ok(Frame::trailers(ok()))
            }
            Poll::Pending if self.ending.is_late(cx) => self.ending.failed(CallError::Deadline),
            Poll::Pending => return Poll::Pending,
        };
        self.messages = None;
        Poll::Ready(Some(frame))
    }
}

impl Reply {
    /// A body made by tonic. tonic's deadline ends with the headers of an answer; a stream would go on
    /// for ever after it.
    pub(super) fn tonic(body: tonic::body::Body, deadline: Option<Instant>) -> Self {
        let ending = Ending::new(deadline);
        Self::Tonic(Box::new(TonicReply { body, ending }))
    }

    /// The same, as the answer to a call of the connection with this standing.
    pub(super) fn with_standing(mut self, standing: &Arc<Standing>) -> Self {
        let ending = match &mut self {
            Self::Tonic(reply) => &mut reply.ending,
            Self::Large(reply) | Self::Messages(reply) => &mut reply.ending,
            Self::Empty | Self::Message(_) | Self::Trailers => return self,
        };
        ending.standing = Some(Arc::clone(standing));
        self
    }

    /// The same, which counts `call` by the status that it ends with.
    pub(super) fn counting(mut self, call: BodyCall) -> Self {
        match &mut self {
            Self::Tonic(reply) => reply.ending.call = Some(call),
            Self::Messages(reply) => reply.ending.call = Some(call),
            Self::Empty | Self::Message(_) | Self::Trailers | Self::Large(_) => {}
        }
        self
    }
}

/// The error with which a stream is reset whose client does not take what is sent. Clients call it RESOURCE_EXHAUSTED
/// (gRPC over HTTP/2, "Errors"), or, where their own deadline has passed, no longer listen.
pub(super) fn cut_off(error: CallError) -> Status {
    let reason = match error {
        CallError::Deadline => h2::Reason::CANCEL,
        _ => h2::Reason::ENHANCE_YOUR_CALM,
    };
    let mut status = Status::from(error);
    // hyper looks for the reason among the sources of a body's error.
    status.set_source(Arc::new(h2::Error::from(reason)));
    status
}

/// The trailers that say OK.
fn ok() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}

/// The status that a response as a whole has; `None` if it stands behind the body, which is still to
/// be sent.
pub(super) fn status(response: &Response<Reply>) -> Option<Code> {
    match response.body() {
        Reply::Message(_) | Reply::Large(_) => Some(Code::Ok),
        Reply::Messages(_) => None,
        _ => code(response.headers()),
    }
}

fn code(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        match std::mem::take(this) {
            Self::Empty => Poll::Ready(None),
            Self::Message(bytes) => {
                *this = Self::Trailers;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Trailers => Poll::Ready(Some(Ok(Frame::trailers(ok())))),
            Self::Large(mut reply) => {
                let frame = reply.poll_frame(cx);
                *this = Self::Large(reply);
                frame
            }
            Self::Messages(mut reply) => {
                let frame = reply.poll_frame(cx);
                *this = Self::Messages(reply);
                frame
            }
            Self::Tonic(mut reply) => {
                let mut frame = Pin::new(&mut reply.body).poll_frame(cx);
                let late = frame.is_pending() && reply.ending.is_late(cx);
                if late {
                    frame = Poll::Ready(Some(reply.ending.failed(CallError::Deadline)));
                }
                if let Poll::Ready(Some(Ok(frame))) = &frame
                    && frame.is_data()
                {
                    reply.ending.progress();
                }
                if let Poll::Ready(Some(Ok(frame))) = &frame
                    && let Some(code) = frame.trailers_ref().and_then(code)
                {
                    reply.ending.count(code);
                }
                if !late {
                    *this = Self::Tonic(reply);
                }
                frame
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Message(_) | Self::Trailers => false,
            Self::Large(reply) | Self::Messages(reply) => reply.messages.is_none(),
            Self::Tonic(reply) => reply.body.is_end_stream(),
        }
    }
}
