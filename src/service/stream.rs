//! A job: any number of documents in packed chunks, answered in order.
//!
//! Nothing runs ahead: the next chunk is read when HTTP/2 asks for more of the answer, which it does
//! when the client has taken what was sent before. At most one chunk and one answer are in memory.

use super::chunk::{Chunk, ITEMS_MAX};
use super::compact::{ENTRY_OVERHEAD, Shared};
use super::convert;
use super::errors::{CallError, Violation, of_received_chunk};
use super::group::{GROUP, Groups};
use super::monitor::{Counters, Method};
use super::serving::{Current, Serving};
use super::slice::Slices;
use super::wire::MESSAGE_BYTES_MAX;
use crate::document::{DocumentNumber, DocumentType, alphabets};
use crate::proto;
use crate::proto::stream_item_detail::Outcome;
use crate::report::Query;
use crate::snapshot::Answer;
use jiff::Timestamp;
use prost::Message as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;

/// Bytes that the matches of one item may take.
const ITEM_MATCHES_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of details and tables from which on a message is sent and another one begun: room is left
/// for one more item, for the verdicts and for the snapshot.
const BYTES_FULL: usize = MESSAGE_BYTES_MAX - ITEM_MATCHES_BYTES_MAX - ITEMS_MAX - 8_192;

/// A chunk on its way through, and the snapshot it is checked against.
struct Progress {
    chunk: Chunk,
    current: Arc<Current>,
    now: Timestamp,
    /// The next item, and where its number begins.
    item: usize,
    offset: usize,
}

/// What is known of a job between two messages.
struct Job<S> {
    serving: Arc<Serving>,
    counters: Arc<Counters>,
    chunks: S,
    progress: Option<Progress>,
    /// Items answered so far.
    answered: u64,
}

impl<S> Job<S>
where
    S: Stream<Item = Result<proto::StreamCheckDocumentsRequest, Status>> + Unpin,
{
    /// The next message; `None` when the caller has no more chunks.
    async fn message(&mut self) -> Option<Result<proto::StreamCheckDocumentsResponse, Status>> {
        let progress = match self.progress.take() {
            Some(progress) => progress,
            None => match self.chunks.next().await? {
                Ok(raw) => match self.begin(raw) {
                    Ok(progress) => progress,
                    Err(error) => return Some(Err(error.into())),
                },
                Err(status) => return Some(Err(of_received_chunk(status))),
            },
        };
        Some(self.advance(progress).await.map_err(Status::from))
    }

    fn begin(&self, raw: proto::StreamCheckDocumentsRequest) -> Result<Progress, CallError> {
        let chunk = Chunk::read(raw)?;
        Ok(Progress {
            chunk,
            current: self.serving.hold()?,
            now: self.serving.now(),
            item: 0,
            offset: 0,
        })
    }

    /// Answers as many items of the chunk as one message holds.
    async fn advance(
        &mut self,
        mut progress: Progress,
    ) -> Result<proto::StreamCheckDocumentsResponse, CallError> {
        let Progress {
            chunk,
            current,
            now,
            ..
        } = &progress;
        let (mut item, mut offset) = (progress.item, progress.offset);
        let mut draft = Draft::new(chunk.items() - item);
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
                let read = DocumentNumber::from_cell_bytes(number).ok();
                let place = item + group.len();
                let is_placeholder = |number: &DocumentNumber| {
                    placeholders.contains_of(number, || chunk.state(place))
                };
                group.push(read.filter(|number| !is_placeholder(number)));
                end += number.len() + 1;
                ends.push(end);
            }
            groups.filter(&self.serving, current, group.drain(..))?;
            for (place, &end) in ends.iter().enumerate() {
                if draft.is_full() {
                    break 'message;
                }
                let issuer_index = chunk.issuer_index(item);
                let unreported = groups.unreported(place);
                let number = || groups.number(place);
                if !(unreported
                    && draft.push_unreported(issuer_index, chunk.type_value(item), number))
                {
                    match chunk.query(item, chunk.number_at(offset), placeholders) {
                        Err(violation) => draft.push_error(violation),
                        Ok(query) => {
                            let read = |answer: &Answer<'_>| {
                                draft.push(issuer_index, &query, answer, unreported);
                            };
                            groups.check((&self.serving, current, *now), place, &query, read)?;
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
        let message = draft.into_message(self.answered, current.named(*now));
        self.answered += message.verdicts.len() as u64;
        self.count(&message.verdicts, began);
        if item < chunk.items() {
            (progress.item, progress.offset) = (item, offset);
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
            self.counters.documents(method, verdict, found as u64);
        }
        self.counters.duration(method, began.elapsed());
    }
}

/// A message in the making.
struct Draft {
    verdicts: Vec<u8>,
    details: Vec<proto::StreamItemDetail>,
    details_bytes: usize,
    shared: Shared,
    covered: Covered,
    /// Those of `covered` whose numbers have an alphabet.
    ruled: Covered,
    /// The verdict of an item about whose number nothing is reported and which no alphabet excludes,
    /// once there was one: it is the same for all of them.
    unreported: Option<u8>,
}

impl Draft {
    fn new(items: usize) -> Self {
        Self {
            verdicts: Vec::with_capacity(items),
            details: Vec::new(),
            details_bytes: 0,
            shared: Shared::new(),
            covered: Covered::default(),
            ruled: Covered::default(),
            unreported: None,
        }
    }

    fn is_full(&self) -> bool {
        self.details_bytes + self.shared.bytes() >= BYTES_FULL
    }

    /// Adds an item about whose number nothing is reported, if that much is known of it: State and
    /// type have come before and so are in order and in the tables, and no alphabet excludes the number. Nearly all items of a job are
    /// such, and are not worth a question and an answer each.
    fn push_unreported<'n>(
        &mut self,
        issuer_index: u8,
        type_value: i32,
        number: impl FnOnce() -> Option<&'n DocumentNumber>,
    ) -> bool {
        match self.unreported {
            Some(verdict)
                if self.covered.contains(issuer_index, type_value)
                    && !(self.ruled.contains(issuer_index, type_value)
                        && number().is_none_or(alphabets::may_exclude)) =>
            {
                self.verdicts.push(verdict);
                true
            }
            _ => false,
        }
    }

    fn push(&mut self, issuer_index: u8, query: &Query, answer: &Answer<'_>, unreported: bool) {
        if self.covered.insert(issuer_index, query.document_type) {
            self.shared.coverage(query, answer);
            let state = query.issuer.and_then(|issuer| issuer.known());
            if state.is_some_and(|state| {
                query
                    .document_type
                    .is_some_and(|document_type| alphabets::is_known_of(&state, document_type))
            }) {
                self.ruled.insert(issuer_index, query.document_type);
            }
        }
        let verdict = convert::verdict(answer.judgement.verdict);
        if verdict != proto::Verdict::NoRecord || answer.judgement.same_number_other_issuers > 0 {
            let answer = self.shared.answer(query, answer, ITEM_MATCHES_BYTES_MAX);
            self.push_detail(Outcome::Answer(answer));
        }
        // Values of the enum are below 256.
        let value = u8::try_from(i32::from(verdict)).unwrap_or(0);
        if unreported && !query.number_is_impossible() {
            self.unreported = Some(value);
        }
        self.verdicts.push(value);
    }

    fn push_error(&mut self, violation: Violation) {
        self.push_detail(Outcome::Error(violation.into_item_error()));
        self.verdicts.push(0);
    }

    /// Adds the detail of the item whose verdict comes next.
    fn push_detail(&mut self, outcome: Outcome) {
        // At most 65,536 items: fits.
        let index = u32::try_from(self.verdicts.len()).unwrap_or(u32::MAX);
        let detail = proto::StreamItemDetail {
            index,
            outcome: Some(outcome),
        };
        self.details_bytes += detail.encoded_len() + ENTRY_OVERHEAD;
        self.details.push(detail);
    }

    fn into_message(
        self,
        first_item: u64,
        snapshot: proto::Snapshot,
    ) -> proto::StreamCheckDocumentsResponse {
        proto::StreamCheckDocumentsResponse {
            first_item,
            verdicts: self.verdicts.into(),
            details: self.details,
            shared: Some(self.shared.into_tables()),
            snapshot: Some(snapshot),
        }
    }
}

/// Which issuing States (by their index in the chunk) and types have been seen in a message.
struct Covered([u16; 256]);

impl Default for Covered {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Covered {
    /// Whether the two have come together; the type as its value on the wire, which is its code.
    fn contains(&self, issuer_index: u8, type_value: i32) -> bool {
        let seen = self.0.get(usize::from(issuer_index)).copied();
        let bit = u32::try_from(type_value)
            .ok()
            .and_then(|code| 1_u16.checked_shl(code));
        seen.zip(bit).is_some_and(|(seen, bit)| seen & bit != 0)
    }

    /// Whether the two come together for the first time.
    fn insert(&mut self, issuer_index: u8, document_type: Option<DocumentType>) -> bool {
        // Codes are 1 to 10.
        let bit = 1_u16 << document_type.map_or(0, DocumentType::code);
        let Some(seen) = self.0.get_mut(usize::from(issuer_index)) else {
            return true;
        };
        let first = *seen & bit == 0;
        *seen |= bit;
        first
    }
}

type Step<S> = Pin<Box<dyn Future<Output = (Job<S>, Option<Message>)> + Send>>;
type Message = Result<proto::StreamCheckDocumentsResponse, Status>;

/// The answers to a job.
pub(super) struct Answers<S> {
    state: State<S>,
}

enum State<S> {
    Between(Job<S>),
    Working(Step<S>),
    Ended,
}

/// Answers `StreamCheckDocuments`.
pub(super) fn check_documents<S>(
    serving: Arc<Serving>,
    counters: Arc<Counters>,
    chunks: S,
) -> Answers<S> {
    Answers {
        state: State::Between(Job {
            serving,
            counters,
            chunks,
            progress: None,
            answered: 0,
        }),
    }
}

impl<S> Stream for Answers<S>
where
    S: Stream<Item = Result<proto::StreamCheckDocumentsRequest, Status>> + Unpin + Send + 'static,
{
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut step: Step<S> = match std::mem::replace(&mut self.state, State::Ended) {
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
impl<S> Unpin for Answers<S> {}
