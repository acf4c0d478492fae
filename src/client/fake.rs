//! A lookup service in this process, which answers by rule, and an answer to compare with.

use super::{Answer, ClientOptions, Verdict};
use crate::proto::lookup_service_server::{LookupService, LookupServiceServer};
use crate::proto::*;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// An answer that uses every message of the contract.
pub(crate) fn hit() -> Answer {
    let instant = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    let passport = DocumentType::Passport.into();
    Answer {
        verdict: Verdict::Hit.into(),
        reasons: vec![],
        document: Some(Document {
            number: "X0000001".to_owned(),
            issuing_state: "UTO".to_owned(),
            r#type: passport,
        }),
        same_number_other_issuers: 2,
        mrz: Some(MrzReading {
            layout: MrzLayout::Td3.into(),
            failed_check_digits: vec![CheckDigit::Composite.into()],
            long_number_check: 0,
            read_as_letters: Vec::new(),
        }),
        matches: vec![Match {
            status: ReportStatus::Stolen.into(),
            issuing_state: "UTO".to_owned(),
            r#type: passport,
            date_of_loss: "2024-06-30".to_owned(),
            date_reported: "2024-07-03".to_owned(),
            authority: Some(Authority {
                code: "UTO-NCB".to_owned(),
                name: "Utopia Central Bureau".to_owned(),
                contact: "+00 000".to_owned(),
            }),
            source: "uto-daily".to_owned(),
            confirm_with_authority: true,
            ..Match::default()
        }],
        matches_omitted: 0,
        snapshot: Some(Snapshot {
            generation: u64::MAX,
            data_as_of: instant(1_720_069_567, 0),
            built_at: instant(1_720_072_800, 500_000_000),
            stale: false,
        }),
        coverage: Some(Coverage {
            issuing_state: "UTO".to_owned(),
            r#type: passport,
            level: CoverageLevel::Current.into(),
            documents: 12_345,
            newest_report: "2024-07-03".to_owned(),
            source_age: Some(prost_types::Duration {
                seconds: 7_200,
                nanos: 0,
            }),
            change_age: None,
        }),
        format_plausible: Some(true),
    }
}

/// The same in the compact form, with what it points at.
fn compact_hit() -> (CompactAnswer, SharedTables) {
    let Answer {
        verdict,
        document,
        mrz,
        matches,
        coverage,
        ..
    } = hit();
    let texts = ["", "UTO", "uto-daily"].map(str::to_owned).to_vec();
    let authorities = matches.iter().filter_map(|m| m.authority.clone());
    let shared = SharedTables {
        texts,
        authorities: std::iter::once(Authority::default())
            .chain(authorities)
            .collect(),
        coverages: vec![Coverage::default(), coverage.unwrap()],
    };
    let matches = matches.into_iter().map(|m| CompactMatch {
        status: m.status,
        issuing_state_index: 1,
        r#type: m.r#type,
        date_of_loss: m.date_of_loss,
        date_reported: m.date_reported,
        authority_index: 1,
        source_index: 2,
        confirm_with_authority: true,
        ..CompactMatch::default()
    });
    let answer = CompactAnswer {
        verdict,
        document,
        same_number_other_issuers: 2,
        mrz,
        matches: matches.collect(),
        coverage_index: 1,
        format_plausible: Some(true),
        ..CompactAnswer::default()
    };
    (answer, shared)
}

/// What the service does with its calls.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    /// That many calls are answered UNAVAILABLE before the first good one.
    pub(crate) unavailable: AtomicU32,
    /// When to try again, as these answers say.
    pub(crate) pushback: Option<&'static str>,
    /// Calls seen.
    pub(crate) calls: AtomicU32,
    /// How long an answer takes.
    pub(crate) delay: Duration,
    /// Whether indexes point outside their tables.
    pub(crate) broken: bool,
}

impl Rule {
    async fn apply(&self) -> Result<(), Status> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.delay).await;
        let left = self.unavailable.load(Ordering::Relaxed);
        if left > 0 {
            self.unavailable.store(left - 1, Ordering::Relaxed);
            let mut status = Status::unavailable("not yet");
            if let Some(pushback) = self.pushback {
                let metadata = status.metadata_mut();
                metadata.insert("grpc-retry-pushback-ms", pushback.parse().unwrap());
            }
            return Err(status);
        }
        Ok(())
    }

    fn hit(&self) -> (CompactAnswer, SharedTables) {
        let (answer, mut shared) = compact_hit();
        if self.broken {
            shared.texts.truncate(2);
        }
        (answer, shared)
    }
}

/// The fault of the number `?`.
fn fault() -> ItemError {
    ItemError {
        field: "number".to_owned(),
        position: 1,
        description: "character 1: expected a letter or a digit".to_owned(),
        code: crate::proto::ItemErrorCode::Character.into(),
    }
}

fn no_record() -> CompactAnswer {
    CompactAnswer {
        verdict: Verdict::NoRecord.into(),
        ..CompactAnswer::default()
    }
}

struct Fake(Arc<Rule>);

type Answers = Pin<Box<dyn Stream<Item = Result<StreamCheckDocumentsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl LookupService for Fake {
    type StreamCheckDocumentsStream = Answers;

    async fn check_document(
        &self,
        request: Request<CheckDocumentRequest>,
    ) -> Result<Response<CheckDocumentResponse>, Status> {
        self.0.apply().await?;
        match request.get_ref().number.as_str() {
            "X0000001" => Ok(Response::new(hit())),
            "?" => {
                let description = "character 1: expected a letter or a digit";
                let violations = vec![FieldViolation::new("number", description)];
                Err(Status::with_error_details(
                    tonic::Code::InvalidArgument,
                    format!("number: {description}"),
                    ErrorDetails::with_bad_request(violations),
                ))
            }
            _ => Ok(Response::new(CheckDocumentResponse {
                verdict: Verdict::NoRecord.into(),
                ..CheckDocumentResponse::default()
            })),
        }
    }

    async fn batch_check_documents(
        &self,
        request: Request<BatchCheckDocumentsRequest>,
    ) -> Result<Response<BatchCheckDocumentsResponse>, Status> {
        self.0.apply().await?;
        let (hit_answer, shared) = self.0.hit();
        let results = request.get_ref().items.iter().map(|item| BatchResult {
            outcome: Some(match item.number.as_str() {
                "X0000001" => batch_result::Outcome::Answer(hit_answer.clone()),
                "?" => batch_result::Outcome::Error(fault()),
                _ => batch_result::Outcome::Answer(no_record()),
            }),
        });
        Ok(Response::new(BatchCheckDocumentsResponse {
            results: results.collect(),
            snapshot: hit().snapshot,
            shared: Some(shared),
        }))
    }

    async fn stream_check_documents(
        &self,
        request: Request<Streaming<StreamCheckDocumentsRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let rule = Arc::clone(&self.0);
        let mut first_item = 0;
        let answers = request.into_inner().then(move |chunk| {
            let rule = Arc::clone(&rule);
            async move {
                rule.apply().await?;
                chunk.map(|chunk| (rule, chunk))
            }
        });
        let answers = answers.map(move |chunk| {
            let (rule, chunk) = chunk?;
            let (hit_answer, shared) = rule.hit();
            let mut response = StreamCheckDocumentsResponse {
                first_item,
                shared: Some(shared),
                snapshot: hit().snapshot,
                ..StreamCheckDocumentsResponse::default()
            };
            let mut verdicts = Vec::new();
            let numbers = chunk.numbers.strip_suffix(b"\n").unwrap_or(&chunk.numbers);
            for (index, number) in (0..).zip(numbers.split(|&b| b == b'\n')) {
                let (verdict, outcome) = match number {
                    b"X0000001" => {
                        let answer = stream_item_detail::Outcome::Answer(hit_answer.clone());
                        (Verdict::Hit, Some(answer))
                    }
                    b"?" => {
                        let error = stream_item_detail::Outcome::Error(fault());
                        (Verdict::Unspecified, Some(error))
                    }
                    _ => (Verdict::NoRecord, None),
                };
                verdicts.push(verdict as u8);
                if outcome.is_some() {
                    response.details.push(StreamItemDetail { index, outcome });
                }
            }
            first_item += verdicts.len() as u64;
            response.verdicts = verdicts.into();
            Ok(response)
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

/// Starts the service on a free port, until the runtime ends.
pub(crate) async fn serve(rule: Rule) -> (String, Arc<Rule>) {
    let rule = Arc::new(rule);
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
    let listener = listener.await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<LookupServiceServer<Fake>>().await;
    let server = tonic::transport::Server::builder()
        .add_service(health)
        .add_service(LookupServiceServer::new(Fake(Arc::clone(&rule))))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    (endpoint, rule)
}

/// An endpoint where nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
    let listener = listener.await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Options that do not make tests wait.
pub(crate) fn quick() -> ClientOptions {
    ClientOptions {
        backoff: Duration::from_millis(1),
        ..ClientOptions::default()
    }
}
