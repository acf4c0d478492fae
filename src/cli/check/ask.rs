//! Questions to the service, a few calls at a time, answers in order.

use sltd::client::outcomes::{Outcome, Printer};
use sltd::client::questions::{Item, Source, read};
use sltd::client::{Client, Question};
use std::collections::VecDeque;
use std::io;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

/// The most questions in a call: enough to make the call's own cost vanish, few enough for its answer
/// to come at once.
const CALL_QUESTIONS_MAX: usize = 1_000;

/// The most calls under way.
const CALLS_MAX: usize = 4;

/// Questions read ahead of those asked.
const READ_AHEAD: usize = 1_000;

/// Reads a source to its end on a thread, no further ahead than a bounded channel lets it. An error
/// ends it.
pub(super) fn read_on_a_thread(source: Source) -> io::Result<Receiver<io::Result<Item>>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            // A closed channel: nobody wants more.
            let mut hand_over = |item| sender.blocking_send(Ok(item)).is_ok();
            if let Err(error) = read(source, &mut hand_over) {
                let _ = sender.blocking_send(Err(error));
            }
        })?;
    Ok(receiver)
}

/// Asks everything that `questions` brings and prints what comes of it.
///
/// A call takes what has been read by then, so whoever types waits for no one, and a file goes in full
/// batches. When the input breaks off, what was read before is answered first.
pub(super) async fn ask(
    client: &Client,
    mut questions: Receiver<io::Result<Item>>,
    printer: &mut Printer<impl io::Write>,
) -> io::Result<()> {
    let mut calls: VecDeque<JoinHandle<Vec<Outcome>>> = VecDeque::new();
    let mut open = true;
    let mut broken_off = None;
    loop {
        let mut read = Vec::new();
        let may_read = open && calls.len() < CALLS_MAX;
        tokio::select! {
            biased;
            outcomes = first(&mut calls), if !calls.is_empty() => {
                calls.pop_front();
                for outcome in outcomes {
                    printer.print(outcome)?;
                }
                if calls.is_empty() {
                    printer.flush()?;
                }
            }
            count = questions.recv_many(&mut read, CALL_QUESTIONS_MAX), if may_read => {
                open = count > 0;
                let mut items = Vec::with_capacity(read.len());
                for item in read {
                    match item {
                        Ok(item) => items.push(item),
                        Err(error) => broken_off = Some(error),
                    }
                }
                if !items.is_empty() {
                    calls.push_back(tokio::spawn(call(client.clone(), items)));
                }
            }
            else => break,
        }
    }
    printer.end(broken_off)
}

/// What comes of the call begun first. Cancel-safe.
async fn first(calls: &mut VecDeque<JoinHandle<Vec<Outcome>>>) -> Vec<Outcome> {
    let Some(call) = calls.front_mut() else {
        return Vec::new();
    };
    match call.await {
        Ok(outcomes) => outcomes,
        // A defect of ours, already reported: it must not look like answers that are missing.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_never_cancelled) => Vec::new(),
        },
    }
}

/// Asks about those items that are questions; one alone in a call of its own, whose answer is not cut.
async fn call(client: Client, items: Vec<Item>) -> Vec<Outcome> {
    let questions: Vec<Question> = items
        .iter()
        .filter_map(|item| item.question.clone().ok())
        .collect();
    let answers = match questions.as_slice() {
        [] => Ok(Vec::new()),
        [question] => client.check(question).await.map(|answer| vec![Ok(answer)]),
        questions => client.batch(questions).await.map(|batch| batch.results),
    };
    let (mut answers, failure) = match answers {
        Ok(answers) => (answers.into_iter(), None),
        Err(error) => (Vec::new().into_iter(), Some(error)),
    };
    let outcomes = items.into_iter().filter_map(|item| {
        let line = item.line;
        Some(match (item.question, &failure) {
            (Err(fault), _) => Outcome::malformed(line, vec![fault]),
            (Ok(_), Some(error)) => Outcome::failed(line, error.clone()),
            // The client gives as many answers as there were questions.
            (Ok(_), None) => match answers.next()? {
                Ok(answer) => Outcome::answered(answer),
                Err(fault) => Outcome::malformed(line, vec![fault]),
            },
        })
    });
    outcomes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sltd::client::{ClientOptions, Fault};
    use sltd::proto::lookup_service_server::{LookupService, LookupServiceServer};
    use sltd::proto::*;
    use std::time::Duration;
    use tokio_stream::wrappers::TcpListenerStream;
    use tonic::{Request, Response, Status, Streaming};

    /// Answers each number with itself as a count, calls with later numbers sooner, and not at all the
    /// call that asks about 5,000.
    struct Echo;

    fn count(request: &CheckDocumentRequest) -> u32 {
        request.number.parse().unwrap_or(0)
    }

    #[tonic::async_trait]
    impl LookupService for Echo {
        type StreamCheckDocumentsStream =
            tokio_stream::Empty<Result<StreamCheckDocumentsResponse, Status>>;

        async fn check_document(
            &self,
            request: Request<CheckDocumentRequest>,
        ) -> Result<Response<CheckDocumentResponse>, Status> {
            Ok(Response::new(CheckDocumentResponse {
                verdict: Verdict::NoRecord.into(),
                same_number_other_issuers: count(request.get_ref()),
                ..CheckDocumentResponse::default()
            }))
        }

        async fn batch_check_documents(
            &self,
            request: Request<BatchCheckDocumentsRequest>,
        ) -> Result<Response<BatchCheckDocumentsResponse>, Status> {
            let items = request.into_inner().items;
            let first = items.first().map_or(0, count);
            tokio::time::sleep(Duration::from_millis(
                u64::from(10_000u32.saturating_sub(first)) / 100,
            ))
            .await;
            if items.iter().any(|item| count(item) == 5_000) {
                return Err(Status::internal("a defect"));
            }
            let results = items.iter().map(|item| {
                let answer = CompactAnswer {
                    verdict: Verdict::NoRecord.into(),
                    same_number_other_issuers: count(item),
                    ..CompactAnswer::default()
                };
                BatchResult {
                    outcome: Some(batch_result::Outcome::Answer(answer)),
                }
            });
            Ok(Response::new(BatchCheckDocumentsResponse {
                results: results.collect(),
                ..BatchCheckDocumentsResponse::default()
            }))
        }

        async fn stream_check_documents(
            &self,
            _: Request<Streaming<StreamCheckDocumentsRequest>>,
        ) -> Result<Response<Self::StreamCheckDocumentsStream>, Status> {
            Err(Status::unimplemented(""))
        }
    }

    /// Asks about 1, 2, ... `items`, every seventh of which was found malformed already. Gives the lines
    /// and the exit code.
    async fn ask_about(items: u32) -> (Vec<serde_json::Value>, u8) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder()
            .add_service(LookupServiceServer::new(Echo))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        let (sender, questions) = tokio::sync::mpsc::channel(10_000);
        for number in 1..=items {
            let question = match number % 7 {
                0 => Err(Fault {
                    field: "type".to_owned(),
                    description: String::new(),
                }),
                _ => Ok(Question::number(number.to_string())),
            };
            sender
                .try_send(Ok(Item {
                    line: number.into(),
                    question,
                }))
                .unwrap();
        }
        drop(sender);
        let options = ClientOptions {
            deadline: Duration::from_secs(60),
            ..Default::default()
        };
        let client = Client::connect([endpoint], options).await.unwrap();
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, true);
        ask(&client, questions, &mut printer).await.unwrap();
        let code = printer.tally().exit_code();
        drop(printer);
        let lines = String::from_utf8(out).unwrap();
        (
            lines
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            code,
        )
    }

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_questions() {
        for (items, code) in [(1, 0), (2, 0), (4_500, 2), (5_500, 3)] {
            let (lines, got) = ask_about(items).await;
            assert_eq!(got, code, "{items}");
            assert_eq!(lines.len(), items as usize);
            for (number, line) in (1..).zip(&lines) {
                let expected = match number {
                    _ if number % 7 == 0 => line["error"]["code"] == 3,
                    4_001..=5_000 if items >= 5_000 => line["error"]["code"] == 13,
                    _ => line["sameNumberOtherIssuers"] == number,
                };
                assert!(expected, "{number}: {line}");
            }
        }
    }
}
