//! A job: any number of documents in packed chunks, answered in order.
//!
//! Nothing runs ahead: the next message is made, and the next chunk read, when HTTP/2 has sent all of the message
//! before. At most one chunk and one answer are in memory.

mod draft;

use super::budget::{Budget, Purpose, Share, Turns};
use super::chunk::Chunk;
use super::errors::CallError;
use super::group::{GROUP, Groups};
use super::health::Health;
use super::monitor::{Counters, Method};
use super::outgoing::Outgoing;
use super::question::NUMBER_BYTES_MAX;
use super::receive::{Received, Receiver};
use super::serving::{Current, Serving};
use super::slice::Slices;
use crate::document::DocumentNumber;
use crate::proto;
use crate::snapshot::Answer;
use bytes::Bytes;
use draft::{ANSWER_BYTES, Draft};
use http_body::Body;
use jiff::Timestamp;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_stream::Stream;

/// Bytes of memory that the answer to an item is expected to take; one that takes more lets the share grow.
const ITEM_BYTES: usize = 64;
/// When the server ends, a job that has waited for a chunk for this long is ended: its client pauses, and would keep the
/// server from ending for as long as it may.
const IDLE_AT_THE_END: Duration = Duration::from_secs(1);

/// A chunk on its way through, and the snapshot it is checked against.
struct Progress {
    chunk: Chunk,
    /// What the chunk holds.
    share: Share,
    current: Arc<Current>,
    now: Timestamp,
    /// The next item, and where its number begins.
    item: usize,
    offset: usize,
    /// Items so far that could not be checked.
    errors: usize,
}

/// What a job needs of the server and its connection.
pub(super) struct Means {
    pub(super) serving: Arc<Serving>,
    pub(super) counters: Arc<Counters>,
    pub(super) budget: Arc<Budget>,
    pub(super) turns: Arc<Turns>,
    pub(super) health: Health,
}

/// What is known of a job between two messages.
struct Job<B> {
    means: Means,
    chunks: Receiver<B>,
    progress: Option<Progress>,
    /// Items answered so far.
    answered: u64,
}

impl<B> Job<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// The next message; `None` when the caller has no more chunks.
    async fn message(&mut self) -> Option<Message> {
        let message = self.checked().await.transpose()?;
        Some(message.map_err(|cause| match cause {
            CallError::OutOfMemory
            | CallError::Stalled
            | CallError::NotReceived
            | CallError::Ending => CallError::JobEnded {
                cause: Box::new(cause),
                next_item: self.answered,
            },
            cause => cause,
        }))
    }

    async fn checked(&mut self) -> Result<Option<Outgoing>, CallError> {
        let progress = match self.progress.take() {
            Some(progress) => progress,
            None => {
                self.wait_for_chunk().await?;
                let source = (&*self.means.budget, &*self.means.turns);
                match self.chunks.read_message(source).await? {
                    Some(received) => self.begin(received)?,
                    None => return Ok(None),
                }
            }
        };
        self.advance(progress).await.map(Some)
    }

    /// Waits until a chunk begins, or there is none.
    async fn wait_for_chunk(&mut self) -> Result<(), CallError> {
        let Means {
            budget,
            turns,
            health,
            ..
        } = &self.means;
        let mut begins = pin!(self.chunks.wait_for_message((budget, turns)));
        // As a rule a chunk is there already.
        let at_once = poll_fn(|context| Poll::Ready(begins.as_mut().poll(context))).await;
        if let Poll::Ready(begun) = at_once {
            return begun.map(drop);
        }
        let idle = async {
            health.ended().await;
            sleep(IDLE_AT_THE_END).await;
        };
        tokio::select! {
            biased;
            begun = begins => begun.map(drop),
            () = idle => Err(CallError::Ending),
        }
    }

    fn begin(&self, received: Received) -> Result<Progress, CallError> {
        Ok(Progress {
            chunk: Chunk::read(received.bytes)?,
            share: received.share,
            current: self.means.serving.hold()?,
            now: self.means.serving.now(),
            item: 0,
            offset: 0,
            errors: 0,
        })
    }

    /// Answers as many items of the chunk as one message holds.
    async fn advance(&mut self, mut progress: Progress) -> Result<Outgoing, CallError> {
        let Progress {
            chunk,
            current,
            now,
            ..
        } = &progress;
        let Means {
            serving,
            budget,
            turns,
            ..
        } = &self.means;
        let (mut item, mut offset) = (progress.item, progress.offset);
        let left = chunk.items() - item;
        let expected = ANSWER_BYTES + left * ITEM_BYTES;
        let mut share = budget.reserve(turns, Purpose::Answer, expected).await?;
        let mut draft = Draft::new(left, progress.errors);
        let placeholders = current.snapshot().placeholders();
        let mut groups = Groups::default();
        let mut group = Vec::with_capacity(GROUP);
        let mut ends = Vec::with_capacity(GROUP);
        let began = Instant::now();
        let mut slices = Slices::begin();
        // Behind it lies the reading of the chunk.
        slices.step_aside().await;
        'message: while item < chunk.items() {
            group.clear();
            ends.clear();
            let mut end = offset;
            for _ in item..chunk.items().min(item + GROUP) {
                let number = chunk.number_at(end);
                // What is wrong with a number is worded when its turn comes.
                let read = read_number(number);
                let place = item + group.len();
                let is_placeholder = |number: &DocumentNumber| {
                    placeholders.contains_of(number, || chunk.state(place))
                };
                group.push(read.filter(|number| !is_placeholder(number)));
                end += number.len() + 1;
                ends.push(end);
            }
            groups.filter(serving, current, group.drain(..))?;
            for (place, &end) in ends.iter().enumerate() {
                let issuer_index = chunk.issuer_index(item);
                let unreported = groups.unreported(place);
                let number = || groups.number(place);
                if !(unreported
                    && draft.push_unreported(issuer_index, chunk.type_value(item), number))
                {
                    // Where there is no more room for a detail, the message ends.
                    if draft.is_full() || !draft.fits(&mut share, budget, turns).await? {
                        break 'message;
                    }
                    match chunk.query(item, chunk.number_at(offset), placeholders) {
                        Err(violation) => draft.push_error(violation),
                        Ok(query) => {
                            let read = |answer: &Answer<'_>| {
                                draft.push(issuer_index, &query, answer, unreported);
                            };
                            groups.check((serving, current, *now), place, &query, read)?;
                        }
                    }
                }
                item += 1;
                offset = end;
                slices.item_done().await;
            }
        }
        // What follows, the writing of the message, is done in one go.
        slices.step_aside().await;
        self.count(&draft.verdicts, began);
        let first_item = self.answered;
        self.answered += draft.verdicts.len() as u64;
        let errors = draft.errors;
        let framed = draft.into_message(first_item, current.named(*now));
        let mut message = Outgoing::new(framed, share)?;
        if item < chunk.items() {
            (progress.item, progress.offset, progress.errors) = (item, offset, errors);
            message = message.with_request(&progress.share);
            self.progress = Some(progress);
        }
        Ok(message)
    }

    /// Counts the documents of a message, and how long it took.
    fn count(&self, verdicts: &[u8], began: Instant) {
        let method = Method::StreamCheckDocuments;
        let known = (0..=u8::MAX).map_while(|value| {
            let verdict = proto::Verdict::try_from(i32::from(value)).ok()?;
            Some((value, verdict))
        });
        // One look for each verdict, many bytes at a time, is faster than one step for each byte.
        for (value, verdict) in known {
            let found = verdicts.iter().filter(|&&byte| byte == value).count();
            self.means.counters.documents(method, verdict, found as u64);
        }
        self.means.counters.duration(method, began.elapsed());
    }
}

/// A number that is one, perhaps a placeholder.
fn read_number(text: &[u8]) -> Option<DocumentNumber> {
    if text.len() > NUMBER_BYTES_MAX {
        return None;
    }
    DocumentNumber::from_cell_bytes(text).ok()
}

type Step<B> = Pin<Box<dyn Future<Output = (Box<Job<B>>, Option<Message>)> + Send>>;
type Message = Result<Outgoing, CallError>;

/// The answers to a job.
struct Answers<B> {
    state: State<B>,
}

enum State<B> {
    Between(Box<Job<B>>),
    Working(Step<B>),
    Ended,
}

/// Answers `StreamCheckDocuments`: the messages for the chunks of a request's body.
pub(super) fn check_documents<B>(
    means: Means,
    body: B,
) -> impl Stream<Item = Result<Outgoing, CallError>> + Send
where
    B: Body<Data = Bytes, Error: Send> + Unpin + Send + 'static,
{
    Answers {
        state: State::Between(Box::new(Job {
            means,
            chunks: Receiver::new(body),
            progress: None,
            answered: 0,
        })),
    }
}

impl<B> Stream for Answers<B>
where
    B: Body<Data = Bytes, Error: Send> + Unpin + Send + 'static,
{
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut step: Step<B> = match std::mem::replace(&mut self.state, State::Ended) {
            State::Between(mut job) => Box::pin(async move {
                let message = job.message().await;
                (job, message)
            }),
            State::Working(step) => step,
            State::Ended => return Poll::Ready(None),
        };
        match step.as_mut().poll(cx) {
            Poll::Pending => {
                self.state = State::Working(step);
                Poll::Pending
            }
            Poll::Ready((job, message)) => {
                // An error ends the stream: the status is the last that is sent.
                if matches!(message, Some(Ok(_))) {
                    self.state = State::Between(job);
                }
                Poll::Ready(message)
            }
        }
    }
}

// The job is moved, never pinned, between its steps.
impl<B> Unpin for Answers<B> {}
