//! `grpc.health.v1`: whether checks are answered.

use super::errors::CallError;
use crate::proto::health::health_check_response::ServingStatus;
use crate::proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, health_server,
};
use crate::proto::{admin_service_server, lookup_service_server};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;
use tokio_stream::Stream;
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};

/// What the health service says: of the server as a whole and of the lookup service whether checks are
/// answered, and of the administrators' service that it serves, which it does at any time.
#[derive(Debug, Clone)]
pub(super) struct Health {
    said: Arc<watch::Sender<Said>>,
}

/// What is said of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    NotServing,
    Serving,
    /// It ends: those who watch are told, and their calls end.
    Ending,
}

/// The services as their health is told.
#[derive(Debug, Clone, Copy)]
enum Service {
    /// The lookup service, or the server as a whole.
    Lookup,
    /// The administrators' service.
    Administration,
    /// A service that the server does not have.
    Unknown,
}

impl Health {
    /// Says NOT_SERVING until told otherwise.
    pub(super) fn not_serving_yet() -> Self {
        Self {
            said: Arc::new(watch::Sender::new(Said::NotServing)),
        }
    }

    /// Says SERVING or NOT_SERVING from now on; those who watch are told. Returns whether it said the
    /// other before.
    pub(super) fn set(&self, serving: bool) -> bool {
        self.say(if serving {
            Said::Serving
        } else {
            Said::NotServing
        })
    }

    /// Says NOT_SERVING for good. Those who watch are told, and their calls end, so that they keep no
    /// connection open and look for another server.
    pub(super) fn end(&self) {
        self.say(Said::Ending);
    }

    /// Resolves when the server ends.
    pub(super) async fn ended(&self) {
        let mut said = self.said.subscribe();
        // An error would mean that the sender is gone, of which this holds one.
        let _ = said.wait_for(|said| *said == Said::Ending).await;
    }

    fn say(&self, now: Said) -> bool {
        self.said.send_if_modified(|said| {
            // Whatever the watcher of the store still finds, the server ends.
            let changes = *said != now && *said != Said::Ending;
            if changes {
                *said = now;
            }
            changes
        })
    }
}

impl Service {
    /// Every service with its name.
    const ALL: [(&'static str, Self); 3] = [
        ("", Self::Lookup),
        (lookup_service_server::SERVICE_NAME, Self::Lookup),
        (admin_service_server::SERVICE_NAME, Self::Administration),
    ];

    fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        found.map_or(Self::Unknown, |(_, service)| service)
    }

    fn status(self, said: Said) -> ServingStatus {
        match (self, said) {
            (Self::Unknown, _) => ServingStatus::ServiceUnknown,
            (Self::Administration, Said::NotServing | Said::Serving)
            | (Self::Lookup, Said::Serving) => ServingStatus::Serving,
            (Self::Lookup, Said::NotServing) | (_, Said::Ending) => ServingStatus::NotServing,
        }
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = Service::named(&request.get_ref().service);
        match service.status(*self.said.borrow()) {
            ServingStatus::ServiceUnknown => Err(Status::not_found(
                "the server has no such service; List names those that it has",
            )),
            status => Ok(Response::new(response(status))),
        }
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let said = *self.said.borrow();
        let statuses = Service::ALL.into_iter();
        let statuses =
            statuses.map(|(name, service)| (name.to_owned(), response(service.status(said))));
        Ok(Response::new(HealthListResponse {
            statuses: statuses.collect(),
        }))
    }

    type WatchStream = Statuses;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Statuses>, Status> {
        Ok(Response::new(Statuses {
            service: Service::named(&request.get_ref().service),
            said: WatchStream::new(self.said.subscribe()),
            last: None,
            ending: false,
            ended: false,
        }))
    }
}

/// The statuses of a service: the one that holds, then each change.
#[derive(Debug)]
pub(super) struct Statuses {
    service: Service,
    said: WatchStream<Said>,
    /// What was sent last.
    last: Option<ServingStatus>,
    /// The server ends: all that is left to be sent is the end of the call.
    ending: bool,
    ended: bool,
}

impl Stream for Statuses {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.ending {
            match ready!(Pin::new(&mut self.said).poll_next(cx)) {
                Some(said) => {
                    self.ending = said == Said::Ending;
                    let status = self.service.status(said);
                    if self.last.replace(status) != Some(status) {
                        return Poll::Ready(Some(Ok(response(status))));
                    }
                }
                None => self.ending = true,
            }
        }
        if self.ended {
            return Poll::Ready(None);
        }
        self.ended = true;
        Poll::Ready(Some(Err(CallError::Ending.into())))
    }
}
