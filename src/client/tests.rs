//! The client against a service in this process.

use super::fake::{self, Rule, nobody, quick};
use super::*;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use tonic::Code;

/// Questions that get a hit, a fault and a miss.
fn questions() -> Vec<Question> {
    ["X0000001", "?", "X0000002"].map(Question::number).to_vec()
}

async fn client(endpoint: String) -> Client {
    Client::connect([endpoint], quick()).await.unwrap()
}

#[tokio::test]
async fn a_batch_gives_what_single_checks_give() {
    let (endpoint, _) = fake::serve(Rule::default()).await;
    let client = client(endpoint).await;
    let batch = client.batch(&questions()).await.unwrap();
    assert_eq!(batch.snapshot, fake::hit().snapshot);
    for (question, result) in questions().iter().zip(&batch.results) {
        match client.check(question).await {
            Ok(answer) => {
                let result = result.as_ref().unwrap();
                assert_eq!(result.verdict, answer.verdict);
                assert_eq!(result.matches, answer.matches);
                assert_eq!(result.coverage, answer.coverage);
            }
            Err(ClientError::Malformed { faults, .. }) => {
                assert_eq!(faults, [result.clone().unwrap_err()]);
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(batch.results[0], Ok(fake::hit()));
}

#[tokio::test]
async fn only_unavailable_is_tried_again() {
    // Calls answered UNAVAILABLE; number asked; outcome; calls made.
    let cases = [
        (0, "X0000002", Ok(()), 1),
        (2, "X0000002", Ok(()), 3),
        (3, "X0000002", Err(Code::Unavailable), 3),
        (0, "?", Err(Code::InvalidArgument), 1),
    ];
    for (unavailable, number, expected, calls) in cases {
        let unavailable = AtomicU32::new(unavailable);
        let (endpoint, rule) = fake::serve(Rule {
            unavailable,
            ..Rule::default()
        })
        .await;
        let outcome = client(endpoint).await.check(&number.into()).await;
        assert_eq!(outcome.map(|_| ()).map_err(|e| e.code()), expected);
        assert_eq!(rule.calls.load(Ordering::Relaxed), calls);
    }
}

/// When nothing answers, retries must not multiply the load.
#[tokio::test]
async fn retries_are_a_share_of_the_calls() {
    const CALLS: u32 = 200;
    let (endpoint, rule) = fake::serve(Rule {
        unavailable: AtomicU32::new(u32::MAX),
        ..Rule::default()
    })
    .await;
    let client = client(endpoint).await;
    for _ in 0..CALLS {
        // Clones share the budget.
        let error = client.clone().check(&"X0000002".into()).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
    }
    let retries = rule.calls.load(Ordering::Relaxed) - CALLS;
    // Ten seconds' worth of those that are free, and room for a machine so slow that they come twice.
    let bound = CALLS * ClientOptions::RETRY_PERCENT / 100 + 20 * ClientOptions::RETRIES_A_SECOND;
    assert!((1..=bound).contains(&retries), "{retries}");
}

#[tokio::test]
async fn a_server_that_wants_no_retry_gets_none() {
    // What the server says; calls made.
    for (pushback, calls) in [("-1", 1), ("3600000", 1), ("0", 3)] {
        let (endpoint, rule) = fake::serve(Rule {
            unavailable: AtomicU32::new(u32::MAX),
            pushback: Some(pushback),
            ..Rule::default()
        })
        .await;
        let error = client(endpoint).await.check(&"X0000002".into()).await;
        assert_eq!(error.unwrap_err().code(), Code::Unavailable);
        assert_eq!(rule.calls.load(Ordering::Relaxed), calls, "{pushback}");
    }
}

#[test]
fn debug_never_shows_a_number() {
    let answer = fake::hit();
    let detail = ItemDetail {
        item: 0,
        outcome: Ok(answer.clone()),
    };
    let batch = BatchAnswer {
        snapshot: None,
        results: vec![Ok(answer.clone())],
    };
    let outcome = outcomes::Outcome::answered(answer.clone());
    let question = Question::number("X0000001").issuing_state("UTO");
    let zone = crate::proto::CheckDocumentRequest {
        mrz: "P<UTOX0000001".to_owned(),
        ..question.request().clone()
    };
    let chunk = crate::proto::StreamCheckDocumentsRequest {
        numbers: b"X0000001\nX0000001".as_slice().into(),
        issuing_states: vec!["UTO".to_owned()],
        ..Default::default()
    };
    let shown = [
        format!("{answer:?}"),
        format!("{answer:#?}"),
        format!("{batch:?}"),
        format!("{detail:?}"),
        format!("{outcome:?}"),
        format!("{question:?}"),
        format!("{zone:?}"),
        format!("{chunk:?}"),
    ];
    for shown in shown {
        assert!(!shown.contains("X0000001"), "{shown}");
        // Bytes are shown as numbers by some.
        assert!(!shown.contains("88, 48, 48"), "{shown}");
        assert!(shown.contains("UTO"), "{shown}");
    }
}

#[tokio::test]
async fn a_dead_endpoint_is_passed_over_and_named_when_there_is_no_other() {
    let (endpoint, _) = fake::serve(Rule::default()).await;
    let dead = nobody().await;
    let both = Client::connect([dead.clone(), endpoint], quick())
        .await
        .unwrap();
    for _ in 0..4 {
        both.check(&"X0000002".into()).await.unwrap();
    }
    let error = client(dead.clone())
        .await
        .check(&"X0000002".into())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    let text = error.to_string();
    assert!(
        text.starts_with(&dead) && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn a_late_answer_is_no_answer() {
    let rule = Rule {
        delay: Duration::from_secs(60),
        ..Rule::default()
    };
    let (endpoint, _) = fake::serve(rule).await;
    let options = ClientOptions {
        deadline: Duration::from_millis(250),
        ..quick()
    };
    let client = Client::connect([endpoint], options).await.unwrap();
    let late = |error: ClientError| matches!(error, ClientError::Deadline { .. });
    assert!(late(client.check(&"X0000002".into()).await.unwrap_err()));
    assert!(late(client.batch(&questions()).await.unwrap_err()));
    let mut stream = client
        .stream(["X0000002"], StreamOptions::default())
        .await
        .unwrap();
    assert!(late(stream.next().await.unwrap_err()));
}

#[tokio::test]
async fn endpoints_are_checked_before_anything_is_sent() {
    let none: [String; 0] = [];
    let error = Client::connect(none, quick()).await.unwrap_err();
    assert_eq!(error, ClientError::NoEndpoint);
    let error = Client::connect(["localhost:7440"], quick())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_an_error() {
    let rule = Rule {
        broken: true,
        ..Rule::default()
    };
    let (endpoint, _) = fake::serve(rule).await;
    let client = client(endpoint).await;
    let broken = |error: &ClientError| {
        matches!(
            error,
            ClientError::Contract {
                got: 2,
                expected: 1,
                ..
            }
        )
    };
    assert!(broken(&client.batch(&questions()).await.unwrap_err()));
    let mut stream = client
        .stream(questions(), StreamOptions::default())
        .await
        .unwrap();
    let chunk = stream.next().await.unwrap().unwrap();
    assert!(broken(&chunk.details().unwrap_err()));
}

#[tokio::test]
async fn a_batch_beyond_the_limit_is_not_sent() {
    let (endpoint, rule) = fake::serve(Rule::default()).await;
    let many = vec![Question::number("X0000002"); BATCH_ITEMS_MAX + 1];
    let error = client(endpoint).await.batch(&many).await.unwrap_err();
    assert_eq!(
        error,
        ClientError::BatchTooLarge {
            items: 10_001,
            max: 10_000
        }
    );
    assert_eq!(rule.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn health() {
    let (endpoint, _) = fake::serve(Rule::default()).await;
    let client_up = client(endpoint).await;
    assert_eq!(client_up.health().await, Ok(Health::Serving));
    assert_eq!(
        client_up.wait_until_serving(Duration::from_secs(5)).await,
        Ok(())
    );
    let down = client(nobody().await).await;
    let error = down
        .wait_until_serving(Duration::from_millis(30))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}

fn stream_options(chunk_items: usize, chunks_in_flight: usize) -> StreamOptions {
    StreamOptions {
        chunk_items: NonZeroUsize::new(chunk_items).unwrap(),
        chunks_in_flight: NonZeroUsize::new(chunks_in_flight).unwrap(),
    }
}

#[tokio::test]
async fn a_stream_answers_in_order() {
    let (endpoint, _) = fake::serve(Rule::default()).await;
    let client = client(endpoint).await;
    for (items, size, in_flight) in [
        (0, 3, 1),
        (1, 3, 1),
        (3, 3, 4),
        (100, 7, 1),
        (100, 7, 4),
        (100, 1, 3),
    ] {
        // Every third number is reported, every fifth of the others is no number.
        let number = |i: usize| match i {
            i if i.is_multiple_of(3) => "X0000001",
            i if i.is_multiple_of(5) => "?",
            _ => "X0000002",
        };
        let options = stream_options(size, in_flight);
        let mut stream = client
            .stream((0..items).map(number), options)
            .await
            .unwrap();
        let mut verdicts = Vec::new();
        let mut details = Vec::new();
        while let Some(chunk) = stream.next().await.unwrap() {
            assert_eq!(chunk.first_item(), verdicts.len() as u64);
            assert_eq!(chunk.snapshot(), fake::hit().snapshot.as_ref());
            verdicts.extend(chunk.verdicts());
            details.extend(chunk.details().unwrap());
            assert_eq!(stream.answered(), verdicts.len() as u64);
        }
        let expected = (0..items).map(|i| match number(i) {
            "X0000001" => Verdict::Hit,
            "?" => Verdict::Unspecified,
            _ => Verdict::NoRecord,
        });
        assert_eq!(verdicts, expected.collect::<Vec<_>>());
        let told = (0..items)
            .filter(|&i| number(i) != "X0000002")
            .map(|i| i as u64);
        assert_eq!(
            details.iter().map(|d| d.item).collect::<Vec<_>>(),
            told.collect::<Vec<_>>()
        );
        for detail in details {
            assert_eq!(
                detail.outcome.is_ok(),
                number(detail.item as usize) == "X0000001"
            );
            assert!(detail.outcome.is_err() || detail.outcome == Ok(fake::hit()));
        }
    }
}

#[tokio::test]
async fn questions_do_not_run_ahead_of_the_answers() {
    let (endpoint, _) = fake::serve(Rule::default()).await;
    let client = client(endpoint).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let endless = std::iter::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        "X0000002"
    });
    let mut stream = client.stream(endless, stream_options(10, 2)).await.unwrap();
    for answered in 1..=50 {
        let chunk = stream.next().await.unwrap().unwrap();
        assert_eq!(chunk.len(), 10);
        // Answered, and two chunks on their way; the one just answered made room for another.
        assert!(taken.load(Ordering::Relaxed) <= (answered + 2) * 10);
    }
}

#[tokio::test]
async fn a_question_that_cannot_be_packed_ends_the_stream_after_the_answers_before_it() {
    let (endpoint, _) = fake::serve(Rule::default()).await;
    let numbers = ["X0000001", "X0000002", "X\n1", "X0000001"];
    let client = client(endpoint).await;
    let mut stream = client.stream(numbers, stream_options(1, 1)).await.unwrap();
    let mut answered = 0;
    let error = loop {
        match stream.next().await {
            Ok(Some(chunk)) => answered += chunk.len(),
            Ok(None) => panic!("the stream ended as if all were answered"),
            Err(error) => break error,
        }
    };
    assert_eq!(
        (answered, error),
        (2, ClientError::Chunk(ChunkError::LineFeed))
    );
}

#[tokio::test]
async fn chunks_may_come_from_a_channel() {
    let (endpoint, _) = fake::serve(Rule::default()).await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let chunks = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let client = client(endpoint).await;
    let mut stream = client
        .stream_chunks(chunks, stream_options(1, 4))
        .await
        .unwrap();
    // An empty chunk is skipped; one chunk at a time shows that no answer waits for the next question.
    sender.send(Chunk::new()).await.unwrap();
    for _ in 0..3 {
        let mut chunk = Chunk::new();
        chunk.push(&"X0000001".into()).unwrap();
        sender.send(chunk).await.unwrap();
        let answer = stream.next().await.unwrap().unwrap();
        assert_eq!(answer.verdicts().collect::<Vec<_>>(), [Verdict::Hit]);
    }
    drop(sender);
    assert_eq!(stream.next().await, Ok(None));
}
