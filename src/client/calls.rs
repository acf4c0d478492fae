//! Unary calls: endpoints in turn, one deadline, bounded retries.

use super::retry::{self, Attempts};
use super::{Answer, BatchAnswer, ClientError, ClientOptions, Health, Question, ServerStatus};
use crate::proto::admin_service_client::AdminServiceClient;
use crate::proto::health::HealthCheckRequest;
use crate::proto::health::health_client::HealthClient;
use crate::proto::lookup_service_client::LookupServiceClient;
use crate::proto::{BatchCheckDocumentsRequest, GetStatusRequest};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Response, Status};
use tower::retry::budget::TpsBudget;

/// The most items a batch may have; the service refuses more.
pub const BATCH_ITEMS_MAX: usize = 10_000;

/// A connection that hears nothing for this long asks whether the other end is still there ...
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// ... and is given up when no answer comes in this time; the next call makes a new one.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A client of one or more servers that serve the same lists.
///
/// Cheap to clone; clones share the connections, one to each endpoint. Many calls may be under way
/// on a connection at the same time.
#[derive(Clone)]
pub struct Client {
    servers: Arc<[Server]>,
    /// Counts the attempts: each goes to the next endpoint in turn.
    turn: Arc<AtomicUsize>,
    /// What the calls of all clones may spend on retries.
    budget: Arc<TpsBudget>,
    pub(super) options: ClientOptions,
}

/// An endpoint and the connection to it.
pub(super) struct Server {
    pub(super) endpoint: String,
    pub(super) channel: Channel,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: Vec<&str> = self.servers.iter().map(|s| s.endpoint.as_str()).collect();
        f.debug_struct("Client")
            .field("endpoints", &endpoints)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the servers at `endpoints`, each in the form `http://HOST:PORT`, asked in turn.
    ///
    /// Nothing is sent yet: a connection is made when it is first needed, and again after it broke.
    /// So a server that is down shows in the calls, or in [`health`](Self::health). The connections
    /// belong to the Tokio runtime that this is awaited on.
    ///
    /// # Errors
    /// [`ClientError::NoEndpoint`] or [`ClientError::Endpoint`].
    pub async fn connect<I>(endpoints: I, options: ClientOptions) -> Result<Self, ClientError>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let servers = endpoints
            .into_iter()
            .map(|endpoint| server(endpoint.into(), &options))
            .collect::<Result<Arc<[Server]>, ClientError>>()?;
        if servers.is_empty() {
            return Err(ClientError::NoEndpoint);
        }
        Ok(Self {
            servers,
            turn: Arc::new(AtomicUsize::new(0)),
            budget: Arc::new(retry::budget()),
            options,
        })
    }

    /// Checks one document.
    ///
    /// # Errors
    /// [`ClientError::Malformed`] if the service does not understand the question; otherwise why
    /// there is no answer.
    pub async fn check(&self, question: &Question) -> Result<Answer, ClientError> {
        self.call(|channel, left| {
            let request = timed(question.request().clone(), left);
            async move {
                LookupServiceClient::new(channel)
                    .check_document(request)
                    .await
            }
        })
        .await
    }

    /// Checks up to [`BATCH_ITEMS_MAX`] documents against one and the same snapshot. An item that
    /// the service does not understand gets a fault in its place; the others are answered.
    ///
    /// # Errors
    /// [`ClientError::BatchTooLarge`] before anything is sent; otherwise why there is no answer.
    pub async fn batch(&self, questions: &[Question]) -> Result<BatchAnswer, ClientError> {
        if questions.len() > BATCH_ITEMS_MAX {
            return Err(ClientError::BatchTooLarge {
                items: questions.len(),
                max: BATCH_ITEMS_MAX,
            });
        }
        let response = self
            .call(|channel, left| {
                let items = questions.iter().map(|q| q.request().clone()).collect();
                let request = timed(BatchCheckDocumentsRequest { items }, left);
                async move {
                    LookupServiceClient::new(channel)
                        .batch_check_documents(request)
                        .await
                }
            })
            .await?;
        BatchAnswer::from_wire(response, questions.len())
    }

    /// What the server whose turn it is says of itself.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.health_with(&self.options).await
    }

    async fn health_with(&self, options: &ClientOptions) -> Result<Health, ClientError> {
        let response = self
            .call_with(options, |channel, left| {
                let request = timed(HealthCheckRequest::default(), left);
                async move { HealthClient::new(channel).check(request).await }
            })
            .await?;
        Ok(response.status().into())
    }

    /// What the server whose turn it is serves, what it has refused, and whether it is ready.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn status(&self) -> Result<ServerStatus, ClientError> {
        self.call(|channel, left| {
            let request = timed(GetStatusRequest {}, left);
            async move { AdminServiceClient::new(channel).get_status(request).await }
        })
        .await
    }

    /// Waits until the server whose turn it is says that it serves, at most as long as `patience`.
    ///
    /// # Errors
    /// [`ClientError::Unavailable`] if it has not said so by then.
    pub async fn wait_until_serving(&self, patience: Duration) -> Result<(), ClientError> {
        /// Short beside the second a server takes to start.
        const PAUSE: Duration = Duration::from_millis(20);
        let end = Instant::now() + patience;
        // Asked again here: the budget for retries is left to the calls that follow.
        let once = ClientOptions {
            retries: 0,
            ..self.options.clone()
        };
        loop {
            let last = match self.health_with(&once).await {
                Ok(Health::Serving) => return Ok(()),
                Ok(health) => ClientError::Unavailable {
                    endpoint: self.server().endpoint.clone(),
                    message: format!("expected health Serving, got {health:?}"),
                },
                Err(error) => error,
            };
            if Instant::now() + PAUSE >= end {
                return Err(last);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The server whose turn it is.
    pub(super) fn server(&self) -> &Server {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.servers.len();
        // `connect` refuses an empty list, so the index is within it.
        #[expect(
            clippy::indexing_slicing,
            reason = "reduced modulo the length, never 0"
        )]
        &self.servers[turn]
    }

    /// Calls until there is an answer, an error that will not go away, no retry left or no time.
    async fn call<T, F, Fut>(&self, attempt: F) -> Result<T, ClientError>
    where
        F: Fn(Channel, Duration) -> Fut,
        Fut: Future<Output = Result<Response<T>, Status>>,
    {
        self.call_with(&self.options, attempt).await
    }

    async fn call_with<T, F, Fut>(
        &self,
        options: &ClientOptions,
        attempt: F,
    ) -> Result<T, ClientError>
    where
        F: Fn(Channel, Duration) -> Fut,
        Fut: Future<Output = Result<Response<T>, Status>>,
    {
        let deadline = options.deadline;
        let end = Instant::now() + deadline;
        let mut attempts = Attempts::begin(&self.budget, options);
        loop {
            let server = self.server();
            let left = end.saturating_duration_since(Instant::now());
            let attempt = attempt(server.channel.clone(), left);
            let status = match timeout_at(end, attempt).await {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                Ok(Err(status)) => status,
                Err(_elapsed) => Status::deadline_exceeded(""),
            };
            let Some(again_at) = attempts.next(&status, end) else {
                let timed_out = Instant::now() >= end;
                return Err(ClientError::of(
                    &status,
                    &server.endpoint,
                    deadline,
                    timed_out,
                ));
            };
            tokio::time::sleep_until(again_at).await;
        }
    }
}

/// The request of a call that has `left` to be answered.
fn timed<T>(message: T, left: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(left);
    request
}

fn server(endpoint: String, options: &ClientOptions) -> Result<Server, ClientError> {
    let Some(uri) = plain_uri(&endpoint) else {
        return Err(ClientError::Endpoint { endpoint });
    };
    let channel = Endpoint::from(uri)
        .connect_timeout(options.connect_timeout)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .connect_lazy();
    Ok(Server { endpoint, channel })
}

/// The endpoint as a URI, if it is `http://HOST:PORT` and nothing more: a path would be ignored, and
/// a password (`user:password@`) would end up in messages.
fn plain_uri(endpoint: &str) -> Option<Uri> {
    let uri: Uri = endpoint.parse().ok()?;
    let authority = uri.authority()?;
    let plain = uri.scheme_str() == Some("http")
        && uri.port().is_some()
        && !authority.host().is_empty()
        && !authority.as_str().contains('@')
        && uri.path() == "/"
        && uri.query().is_none();
    plain.then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let cases = [
            ("http://127.0.0.1:7440", true),
            ("http://127.0.0.1:7440/", true),
            ("http://[::1]:7440", true),
            ("http://lookup.example:80", true),
            ("http://lookup.example", false),
            ("https://lookup.example:443", false),
            ("127.0.0.1:7440", false),
            ("http://u:p@lookup.example:80", false),
            ("http://lookup.example:80/path", false),
            ("http://lookup.example:80?q", false),
            ("lookup.example", false),
            ("", false),
        ];
        for (endpoint, expected) in cases {
            assert_eq!(plain_uri(endpoint).is_some(), expected, "{endpoint}");
        }
    }
}
