//! The socket of a connection, with a look at what goes through it.
//!
//! HTTP/2 answers many frames by itself, and reads on as long as there is anything to be read. So here is counted what
//! a client costs, and reading stops when its turn is over. It works on whatever carries bytes: a socket, or TLS.

use super::frames::{DATA, Frame, Frames, HEAD_BYTES, RST_STREAM};
use super::standing::{Excess, Standing};
use super::turns;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

/// The first bytes of an HTTP/2 connection (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes read at a time, beside those of DATA that has begun: a dozen calls, or a hundred small frames. What has been
/// read is worked through before anything can stop it.
const READ_BYTES: usize = 2 * 1024;
/// What a frame costs of a turn beside its bytes.
const FRAME_COST: usize = 128;
/// How many bytes of DATA cost as much as one of others: they are copied, not understood.
const DATA_CHEAPER: usize = 8;
/// RFC 9113, section 7.
const PROTOCOL_ERROR: u32 = 1;

/// A connection whose preface has been read.
pub(super) struct Metered<S, F> {
    stream: Take<S>,
    /// What is to be handed on of the preface.
    preface: &'static [u8],
    read: Frames,
    written: Frames,
    standing: Arc<Standing>,
    /// When time was last taken into account for what is free.
    allowed_at: Instant,
    /// Called when HTTP/2 itself refuses a call for its headers.
    refused: F,
}

impl<S: AsyncRead, F: Fn()> Metered<S, F> {
    /// Of a stream of which [`PREFACE`] has been read and nothing more.
    pub(super) fn new(stream: S, standing: Arc<Standing>, refused: F) -> Self {
        Self {
            stream: stream.take(0),
            preface: PREFACE,
            read: Frames::default(),
            written: Frames::default(),
            standing,
            allowed_at: Instant::now(),
            refused,
        }
    }

    /// Counts what has been read.
    fn count(&mut self, bytes: &[u8]) -> Result<(), Excess> {
        let (mut cost, mut not_data, mut resets) = (0, 0, 0);
        self.read.scan(bytes, |frame: Frame| {
            let size = HEAD_BYTES + frame.payload;
            if frame.kind == DATA {
                cost += size / DATA_CHEAPER + HEAD_BYTES;
            } else {
                cost += size + FRAME_COST;
                not_data += size;
            }
            resets += i64::from(frame.kind == RST_STREAM);
        });
        // A read is far below any of these.
        self.standing.spend(i64::try_from(cost).unwrap_or(i64::MAX));
        if resets > 0 {
            self.standing.cancel(resets)?;
        }
        if not_data > 0 {
            let bytes = i64::try_from(not_data).unwrap_or(i64::MAX);
            self.standing.charge(bytes, &mut self.allowed_at)?;
        }
        Ok(())
    }

    fn count_written<'b>(&mut self, slices: impl IntoIterator<Item = &'b [u8]>, mut bytes: usize) {
        for slice in slices {
            let written = slice.get(..bytes).unwrap_or(slice);
            self.written.scan(written, |frame| {
                if frame.code == Some(PROTOCOL_ERROR) {
                    (self.refused)();
                }
            });
            bytes -= written.len();
            if bytes == 0 {
                return;
            }
        }
    }
}

impl<S: AsyncRead + Unpin, F: Fn() + Unpin> AsyncRead for Metered<S, F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.preface.is_empty() {
            let more = this.preface.len().min(buffer.remaining());
            let (now, later) = this.preface.split_at(more);
            buffer.put_slice(now);
            this.preface = later;
            return Poll::Ready(Ok(()));
        }
        if let Some(first) = this.standing.turn_is_over() {
            if first {
                turns::wait(&this.standing);
            }
            return Poll::Pending;
        }
        let limit = READ_BYTES + this.read.data_left();
        this.stream.set_limit(limit as u64);
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(this.count(read).map_err(io::Error::other))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, F: Fn() + Unpin> AsyncWrite for Metered<S, F> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(self.stream.get_mut()).poll_write(context, bytes))?;
        self.count_written([bytes], written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(self.stream.get_mut());
        let written = ready!(stream.poll_write_vectored(context, slices))?;
        self.count_written(slices.iter().map(|slice| &**slice), written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(context)
    }
}
