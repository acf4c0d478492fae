//! A unary call on the wire, without a detour.
//!
//! gRPC frames a message with one byte (compressed or not) and its length as four bytes, big-endian
//! (gRPC over HTTP/2, "Length-Prefixed-Message"). tonic's own way from an HTTP/2 stream to a unary
//! handler costs more than the check itself, and it answers undecodable bytes with INTERNAL; so the
//! unary methods are read and written here, and everything else goes through tonic on the same
//! connection.

use super::errors::CallError;
use super::outgoing::{Framed, put_length};
use super::receive::receive_time;
use super::reply::Reply;
use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::BodyExt as _;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use tokio::time::timeout;
use tonic::Status;

/// The largest message taken or sent, in bytes: what gRPC clients take by default.
pub(super) const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The largest message of one question, in bytes. A zone has 90, a number fewer.
pub(super) const QUESTION_BYTES_MAX: usize = 4 * 1024;

/// Bytes before each message: the compression flag and the length.
pub(super) const PREFIX: usize = 5;

/// Reads the bytes of the one message of a request for one document.
///
/// # Errors
/// If it is not one message of at most [`QUESTION_BYTES_MAX`], or not there in time.
pub(super) async fn read<B>(request: Request<B>) -> Result<Bytes, CallError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut reading = pin!(read_question(request.into_body()));
    // As a rule all is there already, and no clock is needed.
    match poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await {
        Poll::Ready(read) => read,
        Poll::Pending => Box::pin(timeout(receive_time(0), reading))
            .await
            .unwrap_or(Err(CallError::NotReceived)),
    }
}

async fn read_question<B>(mut body: B) -> Result<Bytes, CallError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut received = Bytes::new();
    let mut parts = BytesMut::new();
    // Read to the end of the stream: an answer before it would make HTTP/2 reset the stream.
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else {
            break;
        };
        let Ok(data) = frame.map_err(|_| CallError::Gone)?.into_data() else {
            continue;
        };
        let so_far: &[u8] = if received.is_empty() && parts.is_empty() {
            // As a rule the message comes in one piece and is decoded where it lies.
            received = data;
            &received
        } else {
            parts.extend_from_slice(&received);
            received.clear();
            parts.extend_from_slice(&data);
            &parts
        };
        let whole = size_of(so_far)?;
        if whole.is_some_and(|size| so_far.len() > size) {
            return Err(CallError::Undecodable(
                "there are bytes after the message".to_owned(),
            ));
        }
        if whole != Some(so_far.len()) {
            // A piece holds all that arrived with it, which may be much more.
            parts.extend_from_slice(&received);
            received.clear();
        }
    }
    let mut whole = if parts.is_empty() {
        received
    } else {
        parts.freeze()
    };
    match size_of(&whole)? {
        None => Err(CallError::Undecodable(
            "expected one message, got none".to_owned(),
        )),
        Some(size) if size > whole.len() => Err(CallError::Undecodable(format!(
            "expected {size} bytes, got {}",
            whole.len()
        ))),
        Some(_) => {
            whole.advance(PREFIX);
            Ok(whole)
        }
    }
}

/// The size of the framed message that begins with these bytes, prefix included; `None` while the
/// prefix is not complete.
fn size_of(bytes: &[u8]) -> Result<Option<usize>, CallError> {
    let Some(&prefix) = bytes.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    Ok(Some(PREFIX + announced(prefix, QUESTION_BYTES_MAX)?))
}

/// The size that the prefix of a message announces.
///
/// # Errors
/// If it is larger than `limit`, or the message is compressed.
pub(super) fn announced(prefix: [u8; PREFIX], limit: usize) -> Result<usize, CallError> {
    let [flag, a, b, c, d] = prefix;
    let size = u32::from_be_bytes([a, b, c, d]) as usize;
    match flag {
        0 if size <= limit => Ok(size),
        0 => Err(CallError::TooLarge { size, limit }),
        1 => Err(CallError::Compressed),
        _ => Err(CallError::Undecodable(
            "expected 0 or 1 as the first byte".to_owned(),
        )),
    }
}

/// Bytes that the answers of one thread stand in, one behind the other. Allocated at a time, so that a
/// small answer costs no allocation; a slow reader of one keeps them all from being used again, so they are few.
const REPLIES_BYTES: usize = 4 * 1024;
/// The largest answer to one question that needs no share of the memory.
const SMALL_BYTES_MAX: usize = REPLIES_BYTES;

thread_local! {
    /// Where an answer is written, and where it then stands until it is sent. Written into a `Vec`: a
    /// `BytesMut` looks at more for each byte.
    static REPLIES: RefCell<(Vec<u8>, BytesMut)> = RefCell::default();
}

/// An answer to one question, framed.
pub(super) enum Written {
    Small(Bytes),
    /// Not to be sent without a share of the memory.
    Large(Framed),
}

/// Writes the answer to one question: `encode` appends the message to the bytes it is given.
pub(super) fn write(
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), CallError>,
) -> Result<Written, CallError> {
    REPLIES.with_borrow_mut(|(draft, replies)| {
        draft.clear();
        draft.extend_from_slice(&[0; PREFIX]);
        encode(draft)?;
        if draft.len() > SMALL_BYTES_MAX {
            return Ok(Written::Large(Framed::from_draft(std::mem::take(draft))));
        }
        put_length(draft)?;
        if replies.capacity() < draft.len() {
            replies.reserve(REPLIES_BYTES);
        }
        replies.extend_from_slice(draft);
        Ok(Written::Small(replies.split().freeze()))
    })
}

/// Answers with a body that begins with a message.
pub(super) fn reply(body: Reply) -> Response<Reply> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, GRPC);
    response
}

/// An answer that consists of an error only.
pub(super) fn refuse(error: CallError) -> Response<Reply> {
    Status::from(error).into_http()
}

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::CheckDocumentRequest;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use prost::Message as _;

    /// Reads a request of these pieces.
    async fn read_pieces(pieces: &[&[u8]]) -> Result<CheckDocumentRequest, CallError> {
        let frames: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let body = StreamBody::new(tokio_stream::iter(frames));
        Ok(CheckDocumentRequest::decode(read(Request::new(body)).await?).unwrap())
    }

    fn message() -> CheckDocumentRequest {
        CheckDocumentRequest {
            number: "AB123456".to_owned(),
            issuing_state: "D".to_owned(),
            r#type: 1,
            mrz: String::new(),
        }
    }

    fn framed_message() -> Bytes {
        let written = write(|reply| {
            message().encode_raw(reply);
            Ok(())
        });
        match written.unwrap() {
            Written::Small(bytes) => bytes,
            Written::Large(_) => panic!("it is small"),
        }
    }

    #[tokio::test]
    async fn a_message_is_read_however_it_is_cut() {
        let whole = framed_message();
        for first in 0..=whole.len() {
            for second in first..=whole.len() {
                let pieces = [&whole[..first], &whole[first..second], &whole[second..]];
                assert_eq!(
                    read_pieces(&pieces).await,
                    Ok(message()),
                    "cut at {first} and {second}"
                );
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_message_is_refused() {
        let whole = framed_message();
        let undecodable = |why: &str| CallError::Undecodable(why.to_owned());
        let too_large = CallError::TooLarge {
            size: QUESTION_BYTES_MAX + 1,
            limit: QUESTION_BYTES_MAX,
        };
        let cases: [(&[&[u8]], CallError); 8] = [
            (&[], undecodable("expected one message, got none")),
            (&[b"\0\0\0"], undecodable("expected one message, got none")),
            (&[&whole[..9]], undecodable("expected 20 bytes, got 9")),
            (
                &[&whole, b"\0"],
                undecodable("there are bytes after the message"),
            ),
            (
                &[&whole, &whole],
                undecodable("there are bytes after the message"),
            ),
            (
                &[b"\x02\0\0\0\0"],
                undecodable("expected 0 or 1 as the first byte"),
            ),
            (&[b"\x01\0\0\0\0"], CallError::Compressed),
            (&[b"\0\0\0\x10\x01"], too_large),
        ];
        for (pieces, expected) in cases {
            assert_eq!(read_pieces(pieces).await, Err(expected), "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_is_one_message_and_ok() {
        let mut body = reply(Reply::Message(framed_message())).into_body();
        let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(data, framed_message());
        assert!(!body.is_end_stream());
        let trailers = body
            .frame()
            .await
            .unwrap()
            .unwrap()
            .into_trailers()
            .unwrap();
        assert_eq!(trailers.get("grpc-status").unwrap(), "0");
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
    }
}
