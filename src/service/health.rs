//! `grpc.health.v1`: whether checks are answered.

use crate::proto::{admin_service_server, lookup_service_server};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, HealthService};

/// What the health service says: of the server as a whole and of the lookup service whether checks are
/// answered, and of the administrators' service that it serves, which it does at any time.
#[derive(Debug, Clone)]
pub(super) struct Health {
    reporter: HealthReporter,
    said: Arc<AtomicBool>,
}

impl Health {
    /// Says NOT_SERVING until told otherwise (tonic's own reporter begins with SERVING).
    pub(super) async fn not_serving_yet() -> Self {
        let health = Self {
            reporter: HealthReporter::new(),
            said: Arc::default(),
        };
        health.say(false).await;
        let administrators = admin_service_server::SERVICE_NAME;
        let serving = ServingStatus::Serving;
        health
            .reporter
            .set_service_status(administrators, serving)
            .await;
        health
    }

    /// Says SERVING or NOT_SERVING from now on; those who watch are told. Returns whether it said the
    /// other before.
    pub(super) async fn set(&self, serving: bool) -> bool {
        let changes = self.said.swap(serving, Ordering::Relaxed) != serving;
        if changes {
            self.say(serving).await;
        }
        changes
    }

    async fn say(&self, serving: bool) {
        let status = if serving {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        for service in ["", lookup_service_server::SERVICE_NAME] {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// The service that answers from this.
    pub(super) fn service(&self) -> HealthService {
        HealthService::from_health_reporter(self.reporter.clone())
    }
}
