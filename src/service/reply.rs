//! What is sent back for a call: a message and its status, or what tonic makes.

use super::errors::CallError;
use super::monitor::BodyCall;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep};
use tonic::{Code, Status};

/// The body of a response.
#[derive(Default)]
pub(super) enum Reply {
    /// Nothing: the status stands in the headers.
    #[default]
    Empty,
    /// One framed message, then the status OK.
    Message(Bytes),
    /// Only the status OK is left to be sent.
    Trailers,
    /// A body made by tonic.
    Tonic(Box<TonicReply>),
}

/// A body made by tonic, cut off with DEADLINE_EXCEEDED when the caller's deadline passes.
pub(super) struct TonicReply {
    body: tonic::body::Body,
    deadline: Option<Pin<Box<Sleep>>>,
    /// Counts how the call ends, where that stands behind the body.
    call: Option<BodyCall>,
}

impl Reply {
    /// A body made by tonic. tonic's deadline ends with the headers of an answer; a stream would go on
    /// for ever after it.
    pub(super) fn tonic(body: tonic::body::Body, deadline: Option<Instant>) -> Self {
        Self::Tonic(Box::new(TonicReply {
            body,
            deadline: deadline.map(|at| Box::pin(tokio::time::sleep_until(at))),
            call: None,
        }))
    }

    /// The same, which counts `call` by the status that it ends with.
    pub(super) fn counting(mut self, call: BodyCall) -> Self {
        if let Self::Tonic(reply) = &mut self {
            reply.call = Some(call);
        }
        self
    }
}

/// The status that a response as a whole has; `None` if it stands behind the body, which is still to
/// be sent.
pub(super) fn status(response: &Response<Reply>) -> Option<Code> {
    match response.body() {
        Reply::Message(_) => Some(Code::Ok),
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
            Self::Trailers => {
                let mut trailers = HeaderMap::with_capacity(1);
                trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Self::Tonic(mut reply) => {
                let mut frame = Pin::new(&mut reply.body).poll_frame(cx);
                let deadline = reply.deadline.as_mut();
                let late = frame.is_pending()
                    && deadline.is_some_and(|at| at.as_mut().poll(cx).is_ready());
                if late {
                    let mut trailers = HeaderMap::new();
                    // Cannot fail: the message is plain ASCII.
                    let added = Status::from(CallError::Deadline).add_header(&mut trailers);
                    frame = Poll::Ready(Some(added.map(|()| Frame::trailers(trailers))));
                }
                if let (Some(call), Poll::Ready(Some(Ok(frame)))) = (&mut reply.call, &frame)
                    && let Some(code) = frame.trailers_ref().and_then(code)
                {
                    call.ended(code);
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
            Self::Tonic(reply) => reply.body.is_end_stream(),
        }
    }
}
