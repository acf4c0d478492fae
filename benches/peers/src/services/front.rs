//! What one would write oneself: a tonic service in front of Redis. It answers as ours does, without coverage.

use super::cores::Cores;
use super::{redis, runtimes};
use crate::Result;
use crate::value::Dictionary;
use ::redis::aio::MultiplexedConnection;
use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, Issuer};
use sltd::proto::lookup_service_server::{LookupService, LookupServiceServer};
use sltd::proto::{self, CheckDocumentRequest, CheckDocumentResponse};
use sltd::report::{Candidate, Day, Disclosure, Judgement, Query, Verdict, judge};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

/// Starts the service on the servers' cores, on threads of this process and until it ends; its URL.
///
/// # Errors
/// When it can't listen.
pub(crate) fn start(dictionary: Dictionary, socket: PathBuf, cores: &Cores) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let url = format!("http://{}", listener.local_addr()?);
    let dictionary = Arc::new(dictionary);
    let cores = cores.clone();
    // On each runtime a connection of its own to Redis, on which all calls of the runtime are pipelined.
    let routes = async move || {
        let redis = redis::connect(&socket).await?;
        Result::Ok(Routes::new(LookupServiceServer::new(Front {
            redis,
            dictionary: Arc::clone(&dictionary),
        })))
    };
    thread::spawn(move || {
        let served = cores
            .move_to_servers()
            .and_then(|()| runtimes::serve_on_each(routes, &listener, cores.of_servers()));
        served.map_err(|error| eprintln!("the service in front of Redis has ended: {error}"))
    });
    Ok(url)
}

struct Front {
    redis: MultiplexedConnection,
    dictionary: Arc<Dictionary>,
}

#[tonic::async_trait]
impl LookupService for Front {
    type StreamCheckDocumentsStream =
        tokio_stream::Empty<std::result::Result<proto::StreamCheckDocumentsResponse, Status>>;

    async fn check_document(
        &self,
        request: Request<CheckDocumentRequest>,
    ) -> std::result::Result<Response<CheckDocumentResponse>, Status> {
        let request = request.into_inner();
        let malformed = |error: &dyn std::error::Error| Status::invalid_argument(error.to_string());
        let number =
            DocumentNumber::normalise(&request.number).map_err(|error| malformed(&error))?;
        let issuer = match request.issuing_state.as_str() {
            "" => None,
            text => Some(Issuer::parse(text).map_err(|error| malformed(&error))?),
        };
        let document_type = u8::try_from(request.r#type)
            .ok()
            .and_then(DocumentType::from_code);
        let mut redis = self.redis.clone();
        let value: Option<Vec<u8>> = ::redis::cmd("GET")
            .arg(number.as_str())
            .query_async(&mut redis)
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        let mut reported = Vec::new();
        if let Some(value) = &value {
            self.dictionary
                .unpack(value, |report| reported.push(report))
                .ok_or_else(|| Status::internal("a value can't be unpacked"))?;
        }
        let candidates = reported.into_iter().map(|reported| Candidate {
            issuing_state: reported.issuing_state,
            document_type: reported.document_type,
            report: reported.report,
            disclosure: Disclosure::Full,
        });
        let query = Query::from_fields(number, issuer, document_type);
        let today = Day::from_timestamp(Timestamp::now());
        let judgement = judge(&query, candidates, today, false);
        Ok(Response::new(answer(request, number, &judgement)))
    }

    async fn batch_check_documents(
        &self,
        _: Request<proto::BatchCheckDocumentsRequest>,
    ) -> std::result::Result<Response<proto::BatchCheckDocumentsResponse>, Status> {
        Err(Status::unimplemented("single questions only"))
    }

    async fn stream_check_documents(
        &self,
        _: Request<Streaming<proto::StreamCheckDocumentsRequest>>,
    ) -> std::result::Result<Response<Self::StreamCheckDocumentsStream>, Status> {
        Err(Status::unimplemented("single questions only"))
    }
}

fn answer(
    request: CheckDocumentRequest,
    number: DocumentNumber,
    judgement: &Judgement<'_>,
) -> CheckDocumentResponse {
    let verdict = match judgement.verdict {
        Verdict::NoRecord => proto::Verdict::NoRecord,
        Verdict::Hit => proto::Verdict::Hit,
        Verdict::Review => proto::Verdict::Review,
        Verdict::Inconclusive => proto::Verdict::Inconclusive,
        Verdict::Refer => proto::Verdict::Refer,
    };
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let matches = judgement.matches.iter().map(|found| {
        let report = &found.report;
        proto::Match {
            source_status: report.source_status.to_owned(),
            issuing_state: found.issuing_state.code().to_owned(),
            r#type: found.document_type.code().into(),
            date_of_loss: day(report.date_of_loss),
            date_reported: day(report.date_reported),
            review_date: day(report.review_date),
            authority: report.authority.map(|authority| proto::Authority {
                code: authority.code.to_owned(),
                name: authority.name.to_owned(),
                contact: authority.contact.to_owned(),
            }),
            restriction: report.restriction.to_owned(),
            source: report.source.to_owned(),
            third_party: report.third_party,
            owner_reference: report.owner_reference.to_owned(),
            confirm_with_authority: true,
            ..proto::Match::default()
        }
    });
    CheckDocumentResponse {
        verdict: verdict.into(),
        matches: matches.collect(),
        document: Some(proto::Document {
            number: number.to_string(),
            issuing_state: request.issuing_state,
            r#type: request.r#type,
        }),
        same_number_other_issuers: judgement.same_number_other_issuers,
        ..CheckDocumentResponse::default()
    }
}
