//! The body of an answer, cut into messages; and of a message, what a load needs.

use crate::load::target::{Outcome, Verdicts};
use bytes::{Buf as _, Bytes, BytesMut};
use h2::RecvStream;
use http::{HeaderMap, Response, StatusCode};
use prost::Message;
use tonic::{Code, Status};

/// Bytes before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The messages of one call's answer.
pub(super) struct Messages {
    body: RecvStream,
    /// Received and not yet taken; a message that came in one piece is never copied.
    rest: Bytes,
}

impl Messages {
    /// The body of an answer whose head says nothing against it.
    pub(super) fn of(response: Response<RecvStream>) -> Result<Self, Outcome> {
        let (head, body) = response.into_parts();
        // An answer that is an error only has its status in the head.
        if let Some(status) = Status::from_header_map(&head.headers) {
            return Err(failure(&status));
        }
        if head.status != StatusCode::OK {
            let why = format!("answered with HTTP status {}", head.status);
            return Err(Outcome::failed(code_of_http(head.status), why));
        }
        Ok(Self {
            body,
            rest: Bytes::new(),
        })
    }

    /// The next message; `None` at the end of the body.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Outcome> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            let Some(piece) = self.body.data().await else {
                return if self.rest.is_empty() {
                    Ok(None)
                } else {
                    Err(undecodable("an answer ends within a message"))
                };
            };
            let piece = piece.map_err(|error| broken(&error))?;
            // Fails only for more than was received.
            let _ = self.body.flow_control().release_capacity(piece.len());
            if self.rest.is_empty() {
                self.rest = piece;
            } else {
                // What is owned by nobody else grows in place.
                let mut joined = BytesMut::from(std::mem::take(&mut self.rest));
                joined.extend_from_slice(&piece);
                self.rest = joined.freeze();
            }
        }
    }

    fn take(&mut self) -> Result<Option<Bytes>, Outcome> {
        let Some((prefix, _)) = self.rest.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let &[compressed, a, b, c, d] = prefix;
        if compressed != 0 {
            return Err(undecodable("an answer is compressed"));
        }
        let end = PREFIX + u32::from_be_bytes([a, b, c, d]) as usize;
        if self.rest.len() < end {
            return Ok(None);
        }
        let mut message = self.rest.split_to(end);
        message.advance(PREFIX);
        Ok(Some(message))
    }

    /// The status, which stands behind the body.
    pub(super) async fn end(mut self) -> Result<(), Outcome> {
        let trailers = self.body.trailers().await;
        let trailers = trailers.map_err(|error| broken(&error))?;
        status(trailers.as_ref())
    }
}

fn status(trailers: Option<&HeaderMap>) -> Result<(), Outcome> {
    match trailers.and_then(Status::from_header_map) {
        Some(status) if status.code() == Code::Ok => Ok(()),
        Some(status) => Err(failure(&status)),
        None => Err(Outcome::failed(
            Code::Unknown,
            "an answer ends without a status",
        )),
    }
}

fn failure(status: &Status) -> Outcome {
    if status.code() == Code::Ok {
        return undecodable("an answer has a status and no message");
    }
    Outcome::failed(status.code(), status.message().to_owned())
}

fn undecodable(why: &'static str) -> Outcome {
    Outcome::failed(Code::Internal, why)
}

/// What a call that HTTP/2 has broken off counts as.
pub(super) fn broken(error: &h2::Error) -> Outcome {
    use h2::Reason;
    // As gRPC over HTTP/2 has it; whatever ends the connection has ended the call without its fault.
    let code = match error.reason() {
        Some(reason) if error.is_reset() => match reason {
            Reason::REFUSED_STREAM => Code::Unavailable,
            Reason::CANCEL => Code::Cancelled,
            Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
            Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
            _ => Code::Internal,
        },
        _ => Code::Unavailable,
    };
    Outcome::failed(code, error.to_string())
}

/// What an answer counts as that is no gRPC, as gRPC's table has it.
fn code_of_http(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// Of a `CheckDocumentResponse`, and of a `CompactAnswer`.
#[derive(Clone, PartialEq, Message)]
struct OneVerdict {
    #[prost(int32, tag = "1")]
    verdict: i32,
}

/// Of a `BatchCheckDocumentsResponse`.
#[derive(Clone, PartialEq, Message)]
struct BatchVerdicts {
    #[prost(message, repeated, tag = "3")]
    results: Vec<BatchVerdict>,
}

/// Of a `BatchResult`. An item that could not be checked has no answer.
#[derive(Clone, PartialEq, Message)]
struct BatchVerdict {
    #[prost(message, optional, tag = "1")]
    answer: Option<OneVerdict>,
}

/// Of a `StreamCheckDocumentsResponse`.
#[derive(Clone, PartialEq, Message)]
struct ChunkVerdicts {
    #[prost(bytes = "bytes", tag = "2")]
    verdicts: Bytes,
}

/// The verdict of a `CheckDocumentResponse`.
pub(super) fn of_one(message: Bytes) -> Result<Verdicts, Outcome> {
    let mut verdicts = Verdicts::default();
    verdicts.add(decode::<OneVerdict>(message)?.verdict, 1);
    Ok(verdicts)
}

/// The verdicts of a `BatchCheckDocumentsResponse`.
pub(super) fn of_batch(message: Bytes) -> Result<Verdicts, Outcome> {
    let mut verdicts = Verdicts::default();
    for result in decode::<BatchVerdicts>(message)?.results {
        verdicts.add(result.answer.map_or(0, |answer| answer.verdict), 1);
    }
    Ok(verdicts)
}

/// The verdicts of a `StreamCheckDocumentsResponse`.
pub(super) fn of_chunk(message: Bytes) -> Result<Verdicts, Outcome> {
    let mut verdicts = Verdicts::default();
    for &verdict in &decode::<ChunkVerdicts>(message)?.verdicts {
        verdicts.add(verdict.into(), 1);
    }
    Ok(verdicts)
}

fn decode<M: Message + Default>(message: Bytes) -> Result<M, Outcome> {
    M::decode(message).map_err(|_| undecodable("an answer does not decode"))
}
