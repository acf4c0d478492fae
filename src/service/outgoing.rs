//! Messages that hold memory until HTTP/2 has sent them.
//!
//! hyper takes a message from a body before the client's window has room for it, and HTTP/2 keeps it until the client
//! makes room. So the share of memory belongs to the bytes and is returned when these are dropped, and no further
//! message is made before.

use super::budget::{Budget, Held, Share, Waiting};
use super::errors::CallError;
use super::reply::cut_off;
use super::wire::{MESSAGE_BYTES_MAX, PREFIX};
use bytes::Bytes;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use tonic::Status;

/// A framed message and what it holds.
#[derive(Debug)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    share: Share,
    /// What else the call holds until the message has been sent.
    beside: Held,
}

impl Outgoing {
    /// Of a message in its frame. Of the share only what the message takes is kept.
    pub(super) fn new(framed: Framed, mut share: Share) -> Result<Self, CallError> {
        let mut bytes = framed.finish()?;
        if bytes.capacity() / 5 * 4 > bytes.len() {
            bytes.shrink_to_fit();
        }
        share.shrink_to(bytes.capacity());
        let beside = Held::default();
        Ok(Self {
            bytes,
            share,
            beside,
        })
    }

    /// The same of a call that holds something else meanwhile.
    pub(super) fn with_request(self, share: &Share) -> Self {
        let beside = share.held();
        Self { beside, ..self }
    }

    /// The bytes to be sent, and what is known of their way.
    pub(super) fn send(self, budget: &Budget) -> (Bytes, Sending) {
        let sent = Arc::new(Sent::default());
        let waiting = budget.wait_for_client(self.share.held().plus(self.beside));
        let bytes = Bytes::from_owner(Leaving {
            message: self,
            sent: Arc::clone(&sent),
        });
        (bytes, Sending { sent, waiting })
    }
}

/// A message being written behind its prefix.
#[derive(Debug)]
pub(super) struct Framed(Vec<u8>);

impl Framed {
    /// Has room for so many bytes before it grows.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut framed = Vec::with_capacity(PREFIX + bytes);
        framed.resize(PREFIX, 0);
        Self(framed)
    }

    /// Of a message that was written behind as many bytes as the prefix has.
    pub(super) fn from_draft(draft: Vec<u8>) -> Self {
        Self(draft)
    }

    /// Where the message is appended.
    pub(super) fn message(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Bytes written, the prefix included.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes allocated.
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Writes the length of what was appended in its place.
    ///
    /// # Errors
    /// If a message may not be as long, which is a defect.
    pub(super) fn finish(self) -> Result<Vec<u8>, CallError> {
        let Self(mut bytes) = self;
        put_length(&mut bytes)?;
        Ok(bytes)
    }
}

/// Writes the length of a message into the prefix that it stands behind.
pub(super) fn put_length(framed: &mut [u8]) -> Result<(), CallError> {
    let size = framed.len().saturating_sub(PREFIX);
    let length = u32::try_from(size).ok();
    let prefix = framed.first_chunk_mut::<PREFIX>();
    let Some(([flag, place @ ..], length)) =
        prefix.zip(length).filter(|_| size <= MESSAGE_BYTES_MAX)
    else {
        // Answers are kept below the limit where they are made.
        tracing::error!(size, "an answer is larger than a message may be");
        return Err(CallError::Defect);
    };
    *flag = 0;
    *place = length.to_be_bytes();
    Ok(())
}

/// A message in the hands of HTTP/2.
struct Leaving {
    message: Outgoing,
    sent: Arc<Sent>,
}

impl AsRef<[u8]> for Leaving {
    fn as_ref(&self) -> &[u8] {
        &self.message.bytes
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.sent.set();
    }
}

/// Whether a message has left.
#[derive(Debug, Default)]
struct Sent {
    done: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Sent {
    fn set(&self) {
        self.done.store(true, Ordering::Release);
        let waker = self
            .waker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if self.done.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        *waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// A message on its way to the client.
#[derive(Debug)]
pub(super) struct Sending {
    sent: Arc<Sent>,
    waiting: Waiting,
}

impl Sending {
    /// Ready when all of it has been sent.
    ///
    /// # Errors
    /// If the client has taken so long that the call is to end. Its stream is to be reset: nothing can be sent behind
    /// the message that the client does not take.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Result<(), Status>> {
        match self.sent.poll(context) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending if self.waiting.is_ended() => {
                Poll::Ready(Err(cut_off(CallError::Stalled)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
