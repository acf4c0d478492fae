//! The way of a call: from HTTP/2 stream to method.

use super::admin::Administration;
use super::budget::{Budget, Purpose, Turns};
use super::condition::Condition;
use super::convert;
use super::errors::{CallError, Violation, of_received};
use super::health::Health;
use super::monitor::{Counters, Method};
use super::outgoing::{Framed, Outgoing};
use super::receive::Receiver;
use super::reply::{self, MessagesReply, Reply};
use super::serving::Serving;
use super::stream::Means;
use super::wire::{self, Written};
use super::{batch, lookup, reflection, stream};
use crate::proto;
use crate::proto::admin_service_server::AdminServiceServer;
use crate::proto::health::health_server::HealthServer;
use http::header::{self, HeaderName};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::Service as _;

/// The largest message that administration, health and reflection take, in bytes: they are asked by a name
/// at the most.
pub(super) const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// All that the calls of one thread need. Each thread has its own: a count of references that all
/// threads change on every call would cost more than the check.
pub(super) struct Dispatch {
    serving: Arc<Serving>,
    counters: Arc<Counters>,
    budget: Arc<Budget>,
    health: Health,
    others: Routes,
}

impl Dispatch {
    /// For a thread that counts in `counters`.
    pub(super) fn new(
        condition: &Arc<Condition>,
        counters: &Arc<Counters>,
        health: &Health,
    ) -> Result<Self, tonic_reflection::server::Error> {
        let serving = &condition.serving;
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        };
        let administration = Administration::new(Arc::clone(condition));
        let others = Routes::new(
            HealthServer::new(health.clone()).max_decoding_message_size(QUESTION_BYTES_MAX),
        )
        .add_service(
            AdminServiceServer::new(administration).max_decoding_message_size(QUESTION_BYTES_MAX),
        )
        .add_service(reflection::v1::Reflection::new(
            reflection().build_v1()?,
            health,
        ))
        .add_service(reflection::v1alpha::Reflection::new(
            reflection().build_v1alpha()?,
            health,
        ))
        .prepare();
        Ok(Self {
            serving: Arc::clone(serving),
            counters: Arc::clone(counters),
            budget: Arc::clone(&condition.budget),
            health: health.clone(),
            others,
        })
    }
}

/// A connection, as its calls know it.
pub(super) struct Caller {
    dispatch: Arc<Dispatch>,
    turns: Arc<Turns>,
}

impl Caller {
    /// Of a connection whose calls `dispatch` answers.
    pub(super) fn new(dispatch: Arc<Dispatch>) -> Self {
        let turns = Arc::default();
        Self { dispatch, turns }
    }

    /// Answers one call. From the outside in: form of the request, count, deadline, method.
    pub(super) async fn call(&self, request: Request<Incoming>) -> Response<Reply> {
        if let Some(status) = not_grpc(&request) {
            let mut response = Response::new(Reply::Empty);
            *response.status_mut() = status;
            return response;
        }
        let method = Method::of(request.uri().path());
        let dispatch = &self.dispatch;
        let call = dispatch.counters.begin(method);
        // All but the one method that counts are boxed, so that its future stays small.
        let response = match (acceptable(request.headers()), method) {
            (Err(error), _) => wire::refuse(error),
            (Ok(deadline), Method::CheckDocument) => {
                within(deadline, self.check_document(request)).await
            }
            (Ok(deadline), Method::BatchCheckDocuments) => {
                Box::pin(within(deadline, self.batch_check_documents(request))).await
            }
            (Ok(deadline), Method::StreamCheckDocuments) => {
                self.stream_check_documents(request, deadline)
            }
            (Ok(deadline), Method::GetStatus | Method::Other) => {
                Box::pin(within(deadline, dispatch.other(request, deadline))).await
            }
        };
        match reply::status(&response) {
            Some(code) => {
                call.answered(code);
                response
            }
            None => {
                let call = call.goes_on(&dispatch.counters);
                response.map(|body| body.counting(call))
            }
        }
    }

    async fn check_document(&self, request: Request<Incoming>) -> Response<Reply> {
        let Dispatch {
            serving, counters, ..
        } = &*self.dispatch;
        let written = wire::read(request).await.and_then(|bytes| {
            wire::write(|reply| {
                let verdict = lookup::check_document(serving, &bytes, reply)?;
                counters.document(Method::CheckDocument, convert::verdict(verdict));
                Ok(())
            })
        });
        match written {
            Ok(Written::Small(bytes)) => wire::reply(Reply::Message(bytes)),
            Ok(Written::Large(framed)) => Box::pin(self.answer_largely(framed)).await,
            Err(error) => wire::refuse(error),
        }
    }

    /// Answers a single check with a message of more than the usual size.
    async fn answer_largely(&self, framed: Framed) -> Response<Reply> {
        let budget = &self.dispatch.budget;
        let share = budget.reserve(&self.turns, Purpose::SingleAnswer, framed.capacity());
        self.large(share.await.and_then(|share| Outgoing::new(framed, share)))
    }

    async fn batch_check_documents(&self, request: Request<Incoming>) -> Response<Reply> {
        let means = self.means();
        let source = (&*means.budget, &*means.turns);
        let received = Receiver::new(request.into_body())
            .read_only_message(source)
            .await;
        self.large(match received {
            Ok(received) => batch::check_documents(&means, received).await,
            Err(error) => Err(error),
        })
    }

    fn large(&self, answered: Result<Outgoing, CallError>) -> Response<Reply> {
        match answered {
            Ok(message) => {
                let budget = Arc::clone(&self.dispatch.budget);
                wire::reply(Reply::Large(MessagesReply::one(message, budget)))
            }
            Err(error) => wire::refuse(error),
        }
    }

    fn stream_check_documents(
        &self,
        request: Request<Incoming>,
        deadline: Option<Instant>,
    ) -> Response<Reply> {
        let messages = Box::pin(stream::check_documents(self.means(), request.into_body()));
        let budget = Arc::clone(&self.dispatch.budget);
        wire::reply(Reply::Messages(MessagesReply::new(
            messages, budget, deadline,
        )))
    }

    fn means(&self) -> Means {
        Means {
            serving: Arc::clone(&self.dispatch.serving),
            counters: Arc::clone(&self.dispatch.counters),
            budget: Arc::clone(&self.dispatch.budget),
            turns: Arc::clone(&self.turns),
            health: self.dispatch.health.clone(),
        }
    }
}

impl Dispatch {
    /// The memory that its calls may take.
    pub(super) fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    /// Administration, health and reflection, and UNIMPLEMENTED for what there is not.
    async fn other(
        &self,
        request: Request<Incoming>,
        deadline: Option<Instant>,
    ) -> Response<Reply> {
        let Ok(response) = self.others.clone().call(request).await;
        match Status::from_header_map(response.headers()) {
            // None of these services says so itself: it is what is said of a path that nobody has.
            Some(status) if status.code() == Code::Unimplemented => {
                wire::refuse(CallError::NoMethod)
            }
            Some(status) if status.code() != Code::Ok => {
                of_received(status, QUESTION_BYTES_MAX).into_http()
            }
            _ => response.map(|body| Reply::tonic(body, deadline)),
        }
    }
}

/// The HTTP status for a request that is no gRPC call at all, or one with messages in another form than
/// protobuf's binary one (gRPC over HTTP/2, "Content-Type": 415).
fn not_grpc<B>(request: &Request<B>) -> Option<StatusCode> {
    if request.method() != http::Method::POST {
        return Some(StatusCode::METHOD_NOT_ALLOWED);
    }
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_grpc = content_type.is_some_and(|value| is_grpc_protobuf(value.as_bytes()));
    (!is_grpc).then_some(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// Whether a content type is `application/grpc` or `application/grpc+proto`, whatever its parameters.
/// `application/grpc-web` and `application/grpc+json` are other forms of a message.
fn is_grpc_protobuf(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    // As nearly all clients have it.
    if content_type == GRPC {
        return true;
    }
    let end = content_type.iter().position(|&byte| byte == b';');
    let media_type = content_type.get(..end.unwrap_or(content_type.len()));
    let media_type = media_type.unwrap_or_default().trim_ascii();
    // Media types don't tell upper from lower case (RFC 9110, section 8.3.1).
    [GRPC, b"application/grpc+proto"]
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known))
}

static GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The caller's deadline, if the call can be taken by what its headers say.
///
/// A client that announces compression is refused even where its message is not compressed: clients
/// leave small messages as they are, and would fail at the first large one.
fn acceptable(headers: &HeaderMap) -> Result<Option<Instant>, CallError> {
    let encoding = headers.get(&GRPC_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(CallError::Compressed);
    }
    deadline(headers)
}

/// Awaits an answer, but not past the caller's deadline. (tonic would say CANCELLED then, which tells
/// the caller that it has given up itself.)
async fn within(
    deadline: Option<Instant>,
    answer: impl Future<Output = Response<Reply>>,
) -> Response<Reply> {
    match deadline {
        None => answer.await,
        Some(at) => timeout_at(at, answer)
            .await
            .unwrap_or_else(|_| wire::refuse(CallError::Deadline)),
    }
}

/// The instant at which the caller stops waiting: `grpc-timeout` is 1 to 8 digits and a unit (gRPC
/// over HTTP/2, "Timeout").
fn deadline(headers: &HeaderMap) -> Result<Option<Instant>, CallError> {
    let Some(value) = headers.get(&GRPC_TIMEOUT) else {
        return Ok(None);
    };
    let timeout = timeout(value.as_bytes()).ok_or_else(|| {
        Violation::of(
            "grpc-timeout",
            "expected 1 to 8 digits and one of H, M, S, m, u, n",
        )
    })?;
    if timeout < SHORTEST {
        return Err(CallError::Deadline);
    }
    Ok(Instant::now().checked_add(timeout))
}

/// Less than this has passed before a call could be answered, whatever it asks.
const SHORTEST: Duration = Duration::from_micros(1);

fn timeout(value: &[u8]) -> Option<Duration> {
    let (&unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits
        .iter()
        .fold(0, |count, digit| count * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(count * 3_600),
        b'M' => Duration::from_secs(count * 60),
        b'S' => Duration::from_secs(count),
        b'm' => Duration::from_millis(count),
        b'u' => Duration::from_micros(count),
        b'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        let cases = [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc+proto; charset=utf-8", true),
            ("application/grpc ;x=y", true),
            ("application/grpc;", true),
            ("Application/gRPC", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/grpc-web-text", false),
            ("application/grpc+json", false),
            ("application/grpc+protobuf", false),
            ("application/grpc+", false),
            ("application/grpcXYZ", false),
            ("application/grpc proto", false),
            ("application/grp", false),
            ("application/json", false),
            ("text/application/grpc", false),
            (";application/grpc", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_grpc_protobuf(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn timeouts() {
        let cases = [
            ("1S", Some(Duration::from_secs(1))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3_600))),
            ("2M", Some(Duration::from_secs(120))),
            ("250m", Some(Duration::from_millis(250))),
            ("0u", Some(Duration::ZERO)),
            ("7n", Some(Duration::from_nanos(7))),
            ("100000000S", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("-1S", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(timeout(text.as_bytes()), expected, "{text}");
        }
    }
}
