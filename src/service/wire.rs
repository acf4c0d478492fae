//! A unary call on the wire, without a detour.
//!
//! gRPC frames a message with one byte (compressed or not) and its length as four bytes, big-endian
//! (gRPC over HTTP/2, "Length-Prefixed-Message"). tonic's own way from an HTTP/2 stream to a unary
//! handler costs more than the check itself, and it answers undecodable bytes with INTERNAL; so the
//! unary methods are read and written here, and everything else goes through tonic on the same
//! connection.

use super::errors::CallError;
use super::reply::Reply;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::BodyExt as _;
use prost::Message;
use std::cell::RefCell;
use tonic::Status;

/// The largest message taken or sent, in bytes: what gRPC clients take by default.
pub(super) const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes before each message: the compression flag and the length.
const PREFIX: usize = 5;

/// Reads the one message of a unary request and decodes it.
pub(super) async fn read_message<M, B>(request: Request<B>) -> Result<M, CallError>
where
    M: Message + Default,
    B: Body<Data = Bytes> + Unpin,
{
    // prost's words for the fault may quote a field's name, never its content.
    M::decode(read(request).await?).map_err(|fault| CallError::Undecodable(fault.to_string()))
}

/// Reads the bytes of the one message of a unary request.
pub(super) async fn read<B>(request: Request<B>) -> Result<Bytes, CallError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut body = request.into_body();
    let mut received = Bytes::new();
    let mut parts = BytesMut::new();
    // Read to the end of the stream: an answer before it would make HTTP/2 reset the stream.
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| CallError::Gone)?.into_data() else {
            continue;
        };
        if parts.is_empty() && received.is_empty() {
            // As a rule the message comes in one piece and is decoded where it lies.
            received = data;
        } else {
            if parts.is_empty() {
                // Grows with what arrives, not with what the prefix announces.
                parts.extend_from_slice(&std::mem::take(&mut received));
            }
            parts.extend_from_slice(&data);
        }
        let so_far: &[u8] = if parts.is_empty() { &received } else { &parts };
        if announced(so_far)?.is_some_and(|size| so_far.len() > size) {
            return Err(CallError::Undecodable(
                "there are bytes after the message".to_owned(),
            ));
        }
    }
    let mut whole = if parts.is_empty() {
        received
    } else {
        parts.freeze()
    };
    match announced(&whole)? {
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
fn announced(bytes: &[u8]) -> Result<Option<usize>, CallError> {
    let Some(&[flag, a, b, c, d]) = bytes.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let size = u32::from_be_bytes([a, b, c, d]) as usize;
    match flag {
        0 if size <= MESSAGE_BYTES_MAX => Ok(Some(PREFIX + size)),
        0 => Err(CallError::TooLarge {
            size,
            limit: MESSAGE_BYTES_MAX,
        }),
        1 => Err(CallError::Compressed),
        _ => Err(CallError::Undecodable(
            "expected 0 or 1 as the first byte".to_owned(),
        )),
    }
}

/// Writes the answer of a unary call.
pub(super) fn write_message<M: Message>(outcome: Result<M, CallError>) -> Response<Reply> {
    reply(outcome.and_then(|message| {
        let size = message.encoded_len();
        let mut buffer = BytesMut::with_capacity(PREFIX + size);
        framed(&mut buffer, size, |buffer| message.encode_raw(buffer))
    }))
}

/// Bytes that the answers of one thread stand in, one behind the other. Allocated at a time, so that a
/// small answer costs no allocation; a slow reader of one keeps them all from being used again.
const REPLIES_BYTES: usize = 16 * 1024;
/// The largest answer whose space a thread keeps for the next.
const DRAFT_BYTES_KEPT: usize = 64 * 1024;

thread_local! {
    /// Where an answer is written, and where it then stands until it is sent. Written into a `Vec`: a
    /// `BytesMut` looks at more for each byte.
    static REPLIES: RefCell<(Vec<u8>, BytesMut)> = RefCell::default();
}

/// Writes the answer of a unary call: `encode` appends the message to the bytes it is given.
pub(super) fn write(encode: impl FnOnce(&mut Vec<u8>) -> Result<(), CallError>) -> Response<Reply> {
    reply(REPLIES.with_borrow_mut(|(draft, replies)| {
        draft.clear();
        encode(draft)?;
        if replies.capacity() < PREFIX + draft.len() {
            replies.reserve(REPLIES_BYTES.max(PREFIX + draft.len()));
        }
        let bytes = framed(replies, draft.len(), |replies| replies.put_slice(draft));
        draft.shrink_to(DRAFT_BYTES_KEPT);
        bytes
    }))
}

fn reply(outcome: Result<Bytes, CallError>) -> Response<Reply> {
    match outcome {
        Ok(bytes) => {
            let mut response = Response::new(Reply::Message(bytes));
            response
                .headers_mut()
                .insert(http::header::CONTENT_TYPE, GRPC);
            response
        }
        Err(error) => refuse(error),
    }
}

/// An answer that consists of an error only.
pub(super) fn refuse(error: CallError) -> Response<Reply> {
    Status::from(error).into_http()
}

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Appends a message of so many bytes behind its prefix to an empty buffer, and takes both off it.
fn framed(
    buffer: &mut BytesMut,
    size: usize,
    append: impl FnOnce(&mut BytesMut),
) -> Result<Bytes, CallError> {
    let Some(size_u32) = u32::try_from(size)
        .ok()
        .filter(|_| size <= MESSAGE_BYTES_MAX)
    else {
        // Answers are kept below the limit where they are made.
        tracing::error!(size, "an answer is larger than a message may be");
        return Err(CallError::Defect);
    };
    buffer.put_u8(0);
    buffer.put_u32(size_u32);
    append(buffer);
    Ok(buffer.split().freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::CheckDocumentRequest;
    use http_body::Frame;
    use http_body_util::StreamBody;

    /// A request body of these pieces.
    async fn read_pieces(pieces: &[&[u8]]) -> Result<CheckDocumentRequest, CallError> {
        let frames: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        read_message(Request::new(StreamBody::new(tokio_stream::iter(frames)))).await
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
        let message = message();
        framed(&mut BytesMut::new(), message.encoded_len(), |buffer| {
            message.encode_raw(buffer);
        })
        .unwrap()
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
            size: MESSAGE_BYTES_MAX + 1,
            limit: MESSAGE_BYTES_MAX,
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
            (&[b"\0\0\x40\0\x01"], too_large),
        ];
        for (pieces, expected) in cases {
            assert_eq!(read_pieces(pieces).await, Err(expected), "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn bytes_that_do_not_decode_are_the_callers_fault_and_not_repeated() {
        // Field 1, a text of two bytes that are not UTF-8; then a wire type that does not exist.
        for bytes in [
            b"\0\0\0\0\x04\x0a\x02\xc3\x28".as_slice(),
            b"\0\0\0\0\x02\x0f\x41",
        ] {
            let error = read_pieces(&[bytes]).await.unwrap_err();
            assert!(matches!(error, CallError::Undecodable(_)), "{error:?}");
            assert_eq!(Status::from(error).code(), tonic::Code::InvalidArgument);
        }
    }

    #[tokio::test]
    async fn an_answer_is_one_message_and_ok() {
        let mut body = write_message(Ok(message())).into_body();
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
