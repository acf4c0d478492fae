//! The messages of a request for many documents, as they arrive.
//!
//! Their bytes are taken from the [`Budget`] as they come, not as they are announced. A message must be there within a
//! time that its length allows for; a call that waits for the rest of one may be ended for others.

use super::budget::{Budget, Purpose, Share, Turns};
use super::errors::CallError;
use super::wire::{MESSAGE_BYTES_MAX, PREFIX, announced};
use bytes::{Buf as _, Bytes};
use http_body::Body;
use http_body_util::BodyExt as _;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What a message is allocated for at first; then it doubles.
const ALLOCATED_FIRST: usize = 64 * 1024;

/// How long a message of any length may take from its first byte to its last.
const RECEIVE_TIME: Duration = Duration::from_secs(10);
/// For so many bytes more it may take a second longer.
const RECEIVE_BYTES_A_SECOND: usize = 32 * 1024;

/// How long a message of so many bytes may take.
pub(super) fn receive_time(bytes: usize) -> Duration {
    RECEIVE_TIME + Duration::from_secs((bytes / RECEIVE_BYTES_A_SECOND) as u64)
}

/// A message, without what frames it, and what it holds.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    pub(super) share: Share,
}

/// Takes the messages off a body.
pub(super) struct Receiver<B> {
    body: B,
    /// What has arrived and belongs to the next message.
    rest: Bytes,
}

/// Where memory comes from, and in whose turn.
pub(super) type Source<'a> = (&'a Budget, &'a Turns);

impl<B> Receiver<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    pub(super) fn new(body: B) -> Self {
        Self {
            body,
            rest: Bytes::new(),
        }
    }

    /// The only message of a unary request. The end of the stream is awaited: an answer before it would make HTTP/2
    /// reset the stream.
    pub(super) async fn read_only_message(
        &mut self,
        source: Source<'_>,
    ) -> Result<Received, CallError> {
        let until = Instant::now() + receive_time(0);
        let none = || CallError::Undecodable("expected one message, got none".to_owned());
        let message = self
            .read_until(source, Some(until))
            .await?
            .ok_or_else(none)?;
        let until = Instant::now() + receive_time(0);
        if !self.rest.is_empty()
            || self
                .receive_more(source, Some(&message.share), Some(until))
                .await?
        {
            return Err(CallError::Undecodable(
                "there are bytes after the message".to_owned(),
            ));
        }
        Ok(message)
    }

    /// Waits until the next message of a stream begins; `false` when there is none. How long that may be is not
    /// limited: nothing is held then. Nothing is lost if this is given up.
    pub(super) async fn wait_for_message(&mut self, source: Source<'_>) -> Result<bool, CallError> {
        Ok(!self.rest.is_empty() || self.receive_more(source, None, None).await?)
    }

    /// The next message of a stream; `None` when there is none. As with [`wait_for_message`](Self::wait_for_message), it may be long until
    /// it begins.
    pub(super) async fn read_message(
        &mut self,
        source: Source<'_>,
    ) -> Result<Option<Received>, CallError> {
        self.read_until(source, None).await
    }

    async fn read_until(
        &mut self,
        source: Source<'_>,
        begins_until: Option<Instant>,
    ) -> Result<Option<Received>, CallError> {
        let (budget, turns) = source;
        if self.rest.is_empty() && !self.receive_more(source, None, begins_until).await? {
            return Ok(None);
        }
        let mut until = Instant::now() + receive_time(0);
        let mut prefix = [0; PREFIX];
        let mut filled = 0;
        while let Some(missing) = prefix
            .get_mut(filled..)
            .filter(|missing| !missing.is_empty())
        {
            if self.rest.is_empty() && !self.receive_more(source, None, Some(until)).await? {
                return Err(CallError::Undecodable("a message is cut short".to_owned()));
            }
            let count = missing.len().min(self.rest.len());
            for place in missing.iter_mut().take(count) {
                *place = self.rest.get_u8();
            }
            filled += count;
        }
        let size = announced(prefix, MESSAGE_BYTES_MAX)?;
        until += receive_time(size) - receive_time(0);
        let mut share = budget
            .reserve(turns, Purpose::Request, size.min(ALLOCATED_FIRST))
            .await?;
        let mut message = Vec::new();
        loop {
            let part = self
                .rest
                .split_to(self.rest.len().min(size - message.len()));
            let length = message.len() + part.len();
            if length > message.capacity() {
                // Grows with what arrives, not with what the prefix announces.
                let capacity = size.min(length.next_power_of_two().max(ALLOCATED_FIRST));
                budget.grow(turns, &mut share, capacity).await?;
                message.reserve_exact(capacity - message.len());
            }
            message.extend_from_slice(&part);
            if message.len() == size {
                break;
            }
            if !self.receive_more(source, Some(&share), Some(until)).await? {
                return Err(CallError::Undecodable(format!(
                    "expected {size} bytes, got {}",
                    message.len()
                )));
            }
        }
        if !self.rest.is_empty() {
            // What is left holds all that came with it.
            budget
                .grow(turns, &mut share, size + self.rest.len())
                .await?;
            self.rest = Bytes::copy_from_slice(&self.rest);
        }
        let bytes = message.into();
        Ok(Some(Received { bytes, share }))
    }

    /// Waits for more bytes while a share is held, not for longer than `until`; `false` at the end of the stream. A
    /// call that holds nothing is not ended for others.
    async fn receive_more(
        &mut self,
        (budget, _): Source<'_>,
        held: Option<&Share>,
        until: Option<Instant>,
    ) -> Result<bool, CallError> {
        let mut data = pin!(data(&mut self.body));
        let mut arrived = poll_fn(|context| Poll::Ready(data.as_mut().poll(context))).await;
        if arrived.is_pending() {
            let waiting = held.map(|share| budget.wait_for_client(share.held()));
            let ended = async {
                match &waiting {
                    Some(waiting) => waiting.ended().await,
                    None => std::future::pending().await,
                }
            };
            let late = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            arrived = tokio::select! {
                biased;
                data = data => Poll::Ready(data),
                () = ended => return Err(CallError::Stalled),
                () = late => return Err(CallError::NotReceived),
            };
        }
        match arrived {
            Poll::Ready(Ok(Some(data))) => {
                self.rest = data;
                Ok(true)
            }
            Poll::Ready(Ok(None)) => Ok(false),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(CallError::Defect),
        }
    }
}

/// The next bytes of a body that there are; `None` at its end.
async fn data<B>(body: &mut B) -> Result<Option<Bytes>, CallError>
where
    B: Body<Data = Bytes> + Unpin,
{
    while let Some(frame) = body.frame().await {
        match frame.map_err(|_| CallError::Gone)?.into_data() {
            Ok(data) if !data.is_empty() => return Ok(Some(data)),
            _ => {}
        }
    }
    Ok(None)
}
