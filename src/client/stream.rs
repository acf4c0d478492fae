//! Any number of questions over one call.

use super::answer::expand;
use super::chunk::{CHUNK_ITEMS_MAX, Chunk, ChunkError, Packing};
use super::{Answer, Client, ClientError, Fault, Question, StreamOptions};
use crate::proto::lookup_service_client::LookupServiceClient;
use crate::proto::{
    Snapshot, StreamCheckDocumentsRequest, StreamCheckDocumentsResponse, Verdict,
    stream_item_detail,
};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::Stream;
use tonic::{Status, Streaming};

impl Client {
    /// Checks any number of documents, given by an iterator that is packed into chunks as the
    /// answers come in: no more than `options.chunks_in_flight` chunks are on their way.
    ///
    /// The iterator is driven on the runtime and must not block; to read from a blocking source, fill
    /// a channel on a thread and use [`stream_chunks`](Self::stream_chunks).
    ///
    /// Nothing is retried: whoever gets an error knows how many answers have come and can go on from
    /// there in a new stream.
    ///
    /// # Errors
    /// Why the stream cannot be opened.
    pub async fn stream<I>(
        &self,
        questions: I,
        options: StreamOptions,
    ) -> Result<AnswerStream, ClientError>
    where
        I: IntoIterator,
        I::IntoIter: Send + 'static,
        I::Item: Into<Question>,
    {
        let size = options.chunk_items.get().min(CHUNK_ITEMS_MAX);
        let chunks = Packing::new(questions.into_iter(), size);
        self.open(Box::pin(tokio_stream::iter(chunks)), options)
            .await
    }

    /// Checks the documents of chunks as they come. `options.chunk_items` does not matter.
    ///
    /// # Errors
    /// Why the stream cannot be opened.
    pub async fn stream_chunks<S>(
        &self,
        chunks: S,
        options: StreamOptions,
    ) -> Result<AnswerStream, ClientError>
    where
        S: Stream<Item = Chunk> + Send + 'static,
    {
        let chunks = tokio_stream::StreamExt::map(chunks, Ok);
        self.open(Box::pin(chunks), options).await
    }

    async fn open(
        &self,
        chunks: Pin<Box<dyn Stream<Item = Result<Chunk, ChunkError>> + Send>>,
        options: StreamOptions,
    ) -> Result<AnswerStream, ClientError> {
        let server = self.server();
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let requests = Requests {
            chunks,
            ledger: Arc::clone(&ledger),
            in_flight_max: options.chunks_in_flight.get(),
        };
        let deadline = self.options.deadline;
        let end = Instant::now() + deadline;
        let mut client = LookupServiceClient::new(server.channel.clone());
        let opened = timeout_at(end, client.stream_check_documents(requests)).await;
        let opened = opened.unwrap_or_else(|_elapsed| Err(Status::deadline_exceeded("")));
        let endpoint = server.endpoint.clone();
        match opened {
            Ok(response) => Ok(AnswerStream {
                answers: response.into_inner(),
                ledger,
                answered: 0,
                last_answer: Instant::now(),
                deadline,
                endpoint,
            }),
            Err(status) => Err(ClientError::of(&status, &endpoint, deadline, false)),
        }
    }
}

/// What is on its way, seen by the sending and the receiving half.
#[derive(Default)]
struct Ledger {
    /// Of each chunk sent and not wholly answered: its items still unanswered, and when it was sent.
    unanswered: VecDeque<(usize, Instant)>,
    /// The sending half, waiting for an answer before it sends more.
    sender: Option<Waker>,
    /// Why the sending half ended early.
    failure: Option<ChunkError>,
}

impl Ledger {
    /// Takes `items` answers off the oldest chunks; `false` if that many were never asked.
    fn settle(&mut self, mut items: usize) -> bool {
        while items > 0 {
            let Some((open, _)) = self.unanswered.front_mut() else {
                return false;
            };
            let settled = items.min(*open);
            *open -= settled;
            items -= settled;
            if *open == 0 {
                self.unanswered.pop_front();
            }
        }
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
        true
    }
}

/// A panic elsewhere leaves the ledger whole: every change of it is finished under its lock.
fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sending half.
struct Requests {
    chunks: Pin<Box<dyn Stream<Item = Result<Chunk, ChunkError>> + Send>>,
    ledger: Arc<Mutex<Ledger>>,
    in_flight_max: usize,
}

impl Stream for Requests {
    type Item = StreamCheckDocumentsRequest;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            {
                let mut ledger = lock(&this.ledger);
                if ledger.failure.is_some() {
                    return Poll::Ready(None);
                }
                if ledger.unanswered.len() >= this.in_flight_max {
                    ledger.sender = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
            match std::task::ready!(this.chunks.as_mut().poll_next(cx)) {
                None => return Poll::Ready(None),
                // Would be answered with nothing and stay in the ledger for ever.
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => {
                    let sent = (chunk.len(), Instant::now());
                    lock(&this.ledger).unanswered.push_back(sent);
                    return Poll::Ready(Some(chunk.into_wire()));
                }
                Some(Err(error)) => lock(&this.ledger).failure = Some(error),
            }
        }
    }
}

/// The answers of a stream, in the order of the questions. Dropping it ends the call.
pub struct AnswerStream {
    answers: Streaming<StreamCheckDocumentsResponse>,
    ledger: Arc<Mutex<Ledger>>,
    answered: u64,
    last_answer: Instant,
    deadline: Duration,
    endpoint: String,
}

impl std::fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerStream")
            .field("endpoint", &self.endpoint)
            .field("answered", &self.answered)
            .finish_non_exhaustive()
    }
}

impl AnswerStream {
    /// Number of questions answered so far.
    pub fn answered(&self) -> u64 {
        self.answered
    }

    /// The answers to the next questions; `None` when all have been answered. A chunk of questions is
    /// answered in one piece as a rule, in several if many are reported. Cancel-safe.
    ///
    /// # Errors
    /// Why the stream ended before all was answered; [`ClientError::Chunk`], once all questions before
    /// it are answered, if one cannot be packed. The stream is of no further use then.
    pub async fn next(&mut self) -> Result<Option<ChunkAnswer>, ClientError> {
        let received = loop {
            match timeout(self.patience(), self.answers.message()).await {
                Ok(received) => break received,
                Err(_elapsed) if self.overdue() => {
                    let status = Status::deadline_exceeded("");
                    return Err(self.failed(&status));
                }
                Err(_elapsed) => {}
            }
        };
        match received.map_err(|status| self.failed(&status))? {
            Some(response) => self.take(response).map(Some),
            None => self.finish().map(|()| None),
        }
    }

    /// How long to wait before looking whether an answer is overdue.
    fn patience(&self) -> Duration {
        match self.waiting_since() {
            // The sending half may send at any moment, unseen from here.
            None => self.deadline,
            Some(since) => self.deadline.saturating_sub(since.elapsed()),
        }
    }

    fn overdue(&self) -> bool {
        self.waiting_since()
            .is_some_and(|since| since.elapsed() >= self.deadline)
    }

    /// Since when the oldest unanswered chunk is the service's next: since it was sent, or since the
    /// answer before it came.
    fn waiting_since(&self) -> Option<Instant> {
        let ledger = lock(&self.ledger);
        ledger
            .unanswered
            .front()
            .map(|&(_, sent)| sent.max(self.last_answer))
    }

    fn failed(&self, status: &Status) -> ClientError {
        ClientError::of(status, &self.endpoint, self.deadline, false)
    }

    fn take(&mut self, response: StreamCheckDocumentsResponse) -> Result<ChunkAnswer, ClientError> {
        if response.first_item != self.answered {
            return Err(ClientError::Contract {
                what: "position of the first item",
                expected: self.answered,
                got: response.first_item,
            });
        }
        let items = response.verdicts.len();
        let mut ledger = lock(&self.ledger);
        let open = ledger
            .unanswered
            .iter()
            .map(|&(items, _)| items as u64)
            .sum();
        if !ledger.settle(items) {
            return Err(ClientError::Contract {
                what: "number of verdicts",
                expected: open,
                got: items as u64,
            });
        }
        drop(ledger);
        self.answered += items as u64;
        self.last_answer = Instant::now();
        Ok(ChunkAnswer(response))
    }

    fn finish(&self) -> Result<(), ClientError> {
        let ledger = lock(&self.ledger);
        let open: u64 = ledger
            .unanswered
            .iter()
            .map(|&(items, _)| items as u64)
            .sum();
        if open > 0 {
            return Err(ClientError::Contract {
                what: "number of verdicts",
                expected: self.answered + open,
                got: self.answered,
            });
        }
        ledger.failure.map_or(Ok(()), |failure| Err(failure.into()))
    }
}

/// Answers to consecutive questions of a stream.
#[derive(Clone, PartialEq)]
pub struct ChunkAnswer(StreamCheckDocumentsResponse);

/// Shows positions and counts, never a number.
impl std::fmt::Debug for ChunkAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkAnswer")
            .field("first_item", &self.first_item())
            .field("items", &self.len())
            .finish_non_exhaustive()
    }
}

/// More about one question of a chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemDetail {
    /// Position in the stream, from 0.
    pub item: u64,
    /// The answer, or what is wrong with the question.
    pub outcome: Result<Answer, Fault>,
}

impl ChunkAnswer {
    /// Position in the stream, from 0, of the question the first verdict belongs to.
    pub fn first_item(&self) -> u64 {
        self.0.first_item
    }

    /// Number of verdicts.
    pub fn len(&self) -> usize {
        self.0.verdicts.len()
    }

    /// Whether there are no verdicts.
    pub fn is_empty(&self) -> bool {
        self.0.verdicts.is_empty()
    }

    /// A verdict for each question, in order. [`Verdict::Unspecified`]: it could not be checked, its
    /// detail says why.
    pub fn verdicts(&self) -> impl ExactSizeIterator<Item = Verdict> + '_ {
        let verdicts = self.0.verdicts.iter();
        verdicts.map(|&byte| Verdict::try_from(i32::from(byte)).unwrap_or(Verdict::Unspecified))
    }

    /// More about those questions, in order, that could not be checked, have another verdict than
    /// NO_RECORD, or ask about a number that other States have reported.
    ///
    /// # Errors
    /// [`ClientError::Contract`] if the service broke the contract.
    pub fn details(&self) -> Result<Vec<ItemDetail>, ClientError> {
        let shared = self.0.shared.clone().unwrap_or_default();
        let snapshot = self.0.snapshot.as_ref();
        let details = self.0.details.iter().map(|detail| {
            if detail.index as usize >= self.len() {
                return Err(ClientError::Contract {
                    what: "index of a detail",
                    expected: (self.len() as u64).saturating_sub(1),
                    got: u64::from(detail.index),
                });
            }
            let outcome = match detail.outcome.clone() {
                Some(stream_item_detail::Outcome::Answer(answer)) => {
                    Ok(expand(answer, &shared, snapshot)?)
                }
                Some(stream_item_detail::Outcome::Error(error)) => Err(error.into()),
                None => {
                    return Err(ClientError::Contract {
                        what: "outcomes of a detail",
                        expected: 1,
                        got: 0,
                    });
                }
            };
            Ok(ItemDetail {
                item: self.first_item() + u64::from(detail.index),
                outcome,
            })
        });
        details.collect()
    }

    /// The data these answers were computed from. It may change from chunk to chunk.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.0.snapshot.as_ref()
    }
}
