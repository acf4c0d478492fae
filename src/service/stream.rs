//! A job: any number of documents in packed chunks, answered in order.
//!
//! Nothing runs ahead: the next chunk is read when HTTP/2 asks for more of the answer, which it does
//! when the client has taken what was sent before. At most one chunk and one answer are in memory.

use super::chunk::{Chunk, ITEMS_MAX};
use super::compact::{ENTRY_OVERHEAD, Shared};
use super::errors::{CallError, of_received_chunk};
use super::serving::{Current, Serving};
use super::slice::Slices;
use super::wire::MESSAGE_BYTES_MAX;
use crate::document::DocumentType;
use crate::proto;
use crate::proto::stream_item_detail::Outcome;
use jiff::Timestamp;
use prost::Message as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
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
            now: Timestamp::now(),
            item: 0,
            offset: 0,
        })
    }

    /// Answers as many items of the chunk as one message holds.
    async fn advance(
        &mut self,
        mut progress: Progress,
    ) -> Result<proto::StreamCheckDocumentsResponse, CallError> {
        let chunk = &progress.chunk;
        let mut shared = Shared::new();
        let mut verdicts = Vec::with_capacity(chunk.items() - progress.item);
        let mut details = Vec::new();
        let mut details_bytes = 0;
        let mut covered = Covered::default();
        let mut slices = Slices::begin();
        while progress.item < chunk.items() && details_bytes + shared.bytes() < BYTES_FULL {
            let number = chunk.number_at(progress.offset);
            let (verdict, outcome) = match chunk.query(progress.item, number) {
                Err(violation) => (
                    proto::Verdict::Unspecified,
                    Some(Outcome::Error(violation.into_item_error())),
                ),
                Ok(query) => {
                    let first_of_its_kind =
                        covered.insert(chunk.issuer_index(progress.item), query.document_type);
                    self.serving
                        .check(&progress.current, &query, progress.now, |answer| {
                            if first_of_its_kind {
                                shared.coverage(&query, answer);
                            }
                            let judgement = &answer.judgement;
                            let verdict = super::convert::verdict(judgement.verdict);
                            let nothing_to_add = verdict == proto::Verdict::NoRecord
                                && judgement.same_number_other_issuers == 0;
                            let outcome = (!nothing_to_add).then(|| {
                                Outcome::Answer(shared.answer(
                                    &query,
                                    answer,
                                    ITEM_MATCHES_BYTES_MAX,
                                ))
                            });
                            (verdict, outcome)
                        })?
                }
            };
            if let Some(outcome) = outcome {
                // At most 65,536 items: fits.
                let index = u32::try_from(verdicts.len()).unwrap_or(u32::MAX);
                let detail = proto::StreamItemDetail {
                    index,
                    outcome: Some(outcome),
                };
                details_bytes += detail.encoded_len() + ENTRY_OVERHEAD;
                details.push(detail);
            }
            // Values of the enum are below 256.
            verdicts.push(u8::try_from(i32::from(verdict)).unwrap_or(0));
            progress.offset += number.len() + 1;
            progress.item += 1;
            slices.item_done().await;
        }
        let message = proto::StreamCheckDocumentsResponse {
            first_item: self.answered,
            snapshot: Some(progress.current.named(progress.now)),
            details,
            shared: Some(shared.into_tables()),
            verdicts: verdicts.into(),
        };
        self.answered += message.verdicts.len() as u64;
        if progress.item < progress.chunk.items() {
            self.progress = Some(progress);
        }
        Ok(message)
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
pub(super) fn check_documents<S>(serving: Arc<Serving>, chunks: S) -> Answers<S> {
    Answers {
        state: State::Between(Job {
            serving,
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
