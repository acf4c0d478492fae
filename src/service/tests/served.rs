//! The server as it runs, on a small store.

use super::question;
use super::store::{REPORTED, publish};
use crate::proto;
use crate::proto::batch_result::Outcome;
use crate::proto::lookup_service_client::LookupServiceClient;
use crate::proto::stream_item_detail;
use crate::service::{Clock, Config, Drained, ServeError, server};
use prost::Message as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

pub(super) struct Running {
    pub(super) channel: Channel,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<Drained, ServeError>>,
}

/// Runs the server on the store and waits until health says SERVING.
pub(super) async fn run(store: &Path, config: Config) -> Running {
    run_with_clock(store, config, Clock::system()).await
}

/// The same by another clock.
pub(super) async fn run_with_clock(store: &Path, config: Config, clock: Clock) -> Running {
    let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let store = store.to_owned();
    let shutdown = async {
        let _ = stopped.await;
    };
    let ended = tokio::spawn(async move {
        server::run_with_clock(listener, store, &config, clock, shutdown).await
    });
    let channel = Endpoint::from_shared(format!("http://{address}"))
        .unwrap()
        .connect_lazy();
    let mut health = HealthClient::new(channel.clone());
    while health
        .check(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner()
        .status
        != 1
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Running {
        channel,
        stop,
        ended,
    }
}

impl Running {
    pub(super) fn client(&self) -> LookupServiceClient<Channel> {
        LookupServiceClient::new(self.channel.clone())
            // The server keeps below what clients take by default; a larger answer fails the test.
            .max_decoding_message_size(4 * 1024 * 1024)
    }

    pub(super) async fn end(self) -> Drained {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap()
    }
}

pub(super) fn quick() -> Config {
    Config {
        watch: Duration::from_millis(10),
        ..Config::default()
    }
}

pub(super) fn passport(number: &str, state: &str) -> proto::CheckDocumentRequest {
    proto::CheckDocumentRequest {
        issuing_state: state.to_owned(),
        r#type: 1,
        ..question(number)
    }
}

#[tokio::test]
async fn one_document() {
    use proto::Verdict::{Hit, Inconclusive, NoRecord, Review};
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    let running = run(folder.path(), quick()).await;
    let mut client = running.client();
    let zone = |mrz: &str| proto::CheckDocumentRequest {
        mrz: mrz.to_owned(),
        ..question("")
    };
    // Verdict, matches, other issuers.
    let cases = [
        (passport("AB 000005", "UKR"), Hit, 1, 0),
        (passport("AB000007", "UKR"), Hit, 1, 1),
        (passport("AB000007", "FRA"), Hit, 1, 1),
        (passport("AB000007", "D"), NoRecord, 0, 2),
        (question("AB000007"), Review, 2, 0),
        (passport("XX000007", "UKR"), NoRecord, 0, 0),
        (zone("nothing that is a zone"), Inconclusive, 0, 0),
    ];
    for (request, verdict, matches, others) in cases {
        let answer = client
            .check_document(request.clone())
            .await
            .unwrap()
            .into_inner();
        let found = (
            answer.verdict(),
            answer.matches.len(),
            answer.same_number_other_issuers,
        );
        assert_eq!(found, (verdict, matches, others), "{request:?}");
        assert_eq!(answer.snapshot.unwrap().generation, 1);
        assert_eq!(
            answer.coverage.is_some(),
            !request.issuing_state.is_empty(),
            "{request:?}"
        );
    }
    let hit = client
        .check_document(passport("AB000005", "UKR"))
        .await
        .unwrap()
        .into_inner();
    let expected = proto::Match {
        status: proto::ReportStatus::Stolen.into(),
        source_status: "taken".to_owned(),
        issuing_state: "UKR".to_owned(),
        r#type: proto::DocumentType::Passport.into(),
        date_of_loss: "2024-07-03".to_owned(),
        date_reported: "2024-07-04".to_owned(),
        review_date: String::new(),
        authority: Some(proto::Authority {
            code: "UA-1".to_owned(),
            name: "National Central Bureau".to_owned(),
            contact: "+000 00 000 000".to_owned(),
        }),
        restriction: String::new(),
        source: "list".to_owned(),
        third_party: false,
        owner_reference: "UA/2024/000000000005".to_owned(),
        confirm_with_authority: true,
        also_reported_by: Vec::new(),
    };
    assert_eq!(hit.matches, [expected]);
    let snapshot = hit.snapshot.unwrap();
    assert_eq!(snapshot.data_as_of.unwrap().seconds, 1_767_225_600);
    assert_eq!(snapshot.built_at.unwrap().seconds, 1_767_312_000);
    assert!(!snapshot.stale);
    assert_eq!(running.end().await, Drained { cut: 0 });
}

#[tokio::test]
async fn a_batch_of_hits_fits_into_a_message_and_errors_stay_in_their_place() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    let running = run(folder.path(), quick()).await;
    let mut items: Vec<_> = (0..10_000)
        .map(|index| passport(&format!("AB{index:06}"), "UKR"))
        .collect();
    items[33] = passport("AB?", "UKR");
    items[34] = passport("XX000034", "UKR");
    let request = proto::BatchCheckDocumentsRequest { items };
    let answers = running
        .client()
        .batch_check_documents(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answers.results.len(), 10_000);
    assert!(
        answers.encoded_len() < 2 * 1024 * 1024,
        "{} bytes",
        answers.encoded_len()
    );
    for (index, result) in answers.results.iter().enumerate() {
        match (index, result.outcome.as_ref().unwrap()) {
            (33, Outcome::Error(error)) => {
                assert_eq!((error.field.as_str(), error.position), ("number", 3))
            }
            (34, Outcome::Answer(answer)) => assert_eq!(answer.verdict(), proto::Verdict::NoRecord),
            (_, Outcome::Answer(answer)) => {
                assert_eq!(answer.verdict(), proto::Verdict::Hit, "{index}");
                assert_eq!(
                    (answer.matches.len(), answer.matches_omitted),
                    (1, 0),
                    "{index}"
                );
                assert_eq!(
                    answer.matches[0].owner_reference,
                    format!("UA/2024/{index:012}")
                );
                assert_eq!(
                    answer.same_number_other_issuers,
                    u32::from(index == 7),
                    "{index}"
                );
            }
            (index, outcome) => panic!("item {index}: {outcome:?}"),
        }
    }
    let shared = answers.shared.unwrap();
    assert_eq!(
        (
            shared.texts.len(),
            shared.authorities.len(),
            shared.coverages.len()
        ),
        (4, 2, 2)
    );
    running.end().await;
}

#[tokio::test]
async fn a_stream_is_answered_in_order_and_parted_where_a_message_would_be_too_large() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    let running = run(folder.path(), quick()).await;
    // Every second is reported; the first chunk's details alone are several messages.
    let number = |index: usize| match index % 4 {
        0 | 1 => format!("AB{:06}", index % REPORTED),
        2 => format!("XX{index:06}"),
        _ => "?".to_owned(),
    };
    let chunk = |items: std::ops::Range<usize>| proto::StreamCheckDocumentsRequest {
        numbers: items.map(number).collect::<Vec<_>>().join("\n").into(),
        issuing_states: vec!["UKR".to_owned()],
        r#type: 1,
        ..Default::default()
    };
    let ends = [0, 65_536, 65_536, 65_537, 65_569, 65_700];
    let chunks: Vec<_> = ends
        .windows(2)
        .map(|ends| chunk(ends[0]..ends[1]))
        .collect();
    let mut answers = running
        .client()
        .stream_check_documents(tokio_stream::iter(chunks))
        .await
        .unwrap()
        .into_inner();
    let (mut next, mut messages) = (0, 0);
    while let Some(message) = answers.message().await.unwrap() {
        assert_eq!(message.first_item, next as u64);
        let mut details = message.details.iter();
        for (place, &verdict) in message.verdicts.iter().enumerate() {
            let expected = [
                proto::Verdict::Hit,
                proto::Verdict::Hit,
                proto::Verdict::NoRecord,
                proto::Verdict::Unspecified,
            ][next % 4];
            assert_eq!(i32::from(verdict), i32::from(expected), "item {next}");
            if expected != proto::Verdict::NoRecord {
                let detail = details.next().unwrap();
                assert_eq!(detail.index as usize, place);
                match detail.outcome.as_ref().unwrap() {
                    stream_item_detail::Outcome::Answer(answer) => {
                        assert_eq!(answer.document.as_ref().unwrap().number, number(next));
                        assert_eq!(answer.matches.len(), 1);
                    }
                    stream_item_detail::Outcome::Error(error) => assert_eq!(error.field, "numbers"),
                }
            }
            next += 1;
        }
        assert!(details.next().is_none());
        messages += 1;
    }
    assert_eq!(next, 65_700);
    assert!(
        messages > 5,
        "a full chunk of hits and errors was expected to need several messages, not {messages} in all"
    );
    running.end().await;
}

#[tokio::test]
async fn what_is_published_is_taken_over_and_what_is_damaged_refused() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    let config = Config {
        soft_age: Some(Duration::from_secs(1)),
        ..quick()
    };
    let running = run(folder.path(), config).await;
    let mut client = running.client();
    let mut generation = async || {
        let answer = client
            .check_document(passport("AB000005", "UKR"))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.verdict(), proto::Verdict::Hit);
        let snapshot = answer.snapshot.unwrap();
        (snapshot.generation, snapshot.stale)
    };
    assert_eq!(generation().await, (1, true));
    publish(folder.path(), "9000-01-01T00:00:00Z");
    while generation().await != (2, false) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let current = folder.path().join("CURRENT");
    let good = std::fs::read(&current).unwrap();
    for damaged in ["", "00000009.json 00\n", "../../x 00\n"] {
        std::fs::write(&current, damaged).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(generation().await, (2, false), "{damaged:?}");
    }
    std::fs::write(&current, good).unwrap();
    publish(folder.path(), "9000-01-02T00:00:00Z");
    while generation().await != (3, false) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.end().await;
}

#[tokio::test]
async fn past_its_hard_age_a_miss_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    let running = run(
        folder.path(),
        Config {
            hard_age: Some(Duration::from_secs(1)),
            ..quick()
        },
    )
    .await;
    let mut client = running.client();
    let miss = client
        .check_document(passport("XX000007", "UKR"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(miss.verdict(), proto::Verdict::Inconclusive);
    assert_eq!(miss.reasons, [i32::from(proto::Reason::DataTooOld)]);
    let hit = client
        .check_document(passport("AB000007", "UKR"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(hit.verdict(), proto::Verdict::Hit);
    running.end().await;
}

#[tokio::test]
async fn a_store_without_a_snapshot_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let ended = server::run(
        listener,
        folder.path().to_owned(),
        &quick(),
        std::future::pending(),
    )
    .await;
    assert!(matches!(ended, Err(ServeError::Store(_))), "{ended:?}");
}
