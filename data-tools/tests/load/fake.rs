//! A lookup service that answers in a manner of its own, on one thread.

use sltd::proto::lookup_service_server::{LookupService, LookupServiceServer};
use sltd::proto::{
    BatchCheckDocumentsRequest, BatchCheckDocumentsResponse, CheckDocumentRequest,
    CheckDocumentResponse, StreamCheckDocumentsRequest, StreamCheckDocumentsResponse, Verdict,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

/// How calls are answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// At once, but one of them holds up the whole service.
    Stall {
        /// Which call, from 1.
        call: usize,
        /// For how long.
        time: Duration,
    },
    /// Each after a time.
    After(Duration),
    /// Never.
    Never,
}

/// What the service has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) calls: AtomicUsize,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) in_flight_max: AtomicUsize,
}

struct Fake {
    manner: Manner,
    seen: Arc<Seen>,
}

/// Starts a service; `set` may change tonic's settings.
pub(crate) fn serve(manner: Manner, set: fn(Server) -> Server) -> (String, Arc<Seen>) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Seen::default());
    let fake = Fake {
        manner,
        seen: Arc::clone(&seen),
    };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            set(Server::builder())
                .add_service(LookupServiceServer::new(fake))
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap();
        });
    });
    (url, seen)
}

/// Counts a call until dropped.
struct InFlight<'a>(&'a Seen);

impl<'a> InFlight<'a> {
    fn new(seen: &'a Seen) -> Self {
        let now = seen.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        seen.in_flight_max.fetch_max(now, Ordering::SeqCst);
        Self(seen)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tonic::async_trait]
impl LookupService for Fake {
    type StreamCheckDocumentsStream =
        tokio_stream::Empty<Result<StreamCheckDocumentsResponse, Status>>;

    async fn check_document(
        &self,
        _: Request<CheckDocumentRequest>,
    ) -> Result<Response<CheckDocumentResponse>, Status> {
        let _in_flight = InFlight::new(&self.seen);
        let number = self.seen.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match self.manner {
            // Blocks the only thread, and with it every connection.
            Manner::Stall { call, time } if number == call => std::thread::sleep(time),
            Manner::Stall { .. } => {}
            Manner::After(time) => tokio::time::sleep(time).await,
            Manner::Never => std::future::pending().await,
        }
        Ok(Response::new(CheckDocumentResponse {
            verdict: Verdict::NoRecord.into(),
            ..CheckDocumentResponse::default()
        }))
    }

    async fn batch_check_documents(
        &self,
        _: Request<BatchCheckDocumentsRequest>,
    ) -> Result<Response<BatchCheckDocumentsResponse>, Status> {
        Err(Status::resource_exhausted("no batches today"))
    }

    async fn stream_check_documents(
        &self,
        _: Request<Streaming<StreamCheckDocumentsRequest>>,
    ) -> Result<Response<Self::StreamCheckDocumentsStream>, Status> {
        // Ends well, with nothing answered.
        Ok(Response::new(tokio_stream::empty()))
    }
}
