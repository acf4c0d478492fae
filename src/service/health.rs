//! `grpc.health.v1`: whether checks are answered.

use crate::proto::lookup_service_server::SERVICE_NAME;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, HealthService};

/// What the health service says, of the server as a whole and of the lookup service.
#[derive(Debug, Clone)]
pub(super) struct Health {
    reporter: HealthReporter,
}

impl Health {
    /// Says NOT_SERVING until told otherwise (tonic's own reporter begins with SERVING).
    pub(super) async fn not_serving_yet() -> Self {
        let health = Self {
            reporter: HealthReporter::new(),
        };
        health.set(false).await;
        health
    }

    /// Says SERVING or NOT_SERVING from now on; those who watch are told.
    pub(super) async fn set(&self, serving: bool) {
        let status = if serving {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        for service in ["", SERVICE_NAME] {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// The service that answers from this.
    pub(super) fn service(&self) -> HealthService {
        HealthService::from_health_reporter(self.reporter.clone())
    }
}
