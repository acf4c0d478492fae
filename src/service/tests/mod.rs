//! The assembled server and tonic's client, over a real socket, before any snapshot is served.

mod ages;
mod encoded;
mod rules;
mod served;
mod store;

use super::clock::Clock;
use super::condition::Condition;
use super::config::Config;
use super::health::Health;
use super::worker::{Terms, Workers};
use super::{server, wire};
use crate::proto;
use crate::proto::lookup_service_client::LookupServiceClient;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_stream::StreamExt as _;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// What it says to checks. A connection that is lost says UNAVAILABLE, too.
const NO_SNAPSHOT: &str = "no snapshot is being served: try another server, or again later";

/// A server without a snapshot.
struct Server {
    address: SocketAddr,
    health: Health,
    workers: Arc<Workers>,
}

/// The threads of a server that has no snapshot.
fn workers(config: &Config, health: &Health) -> Workers {
    let condition = Condition::new(PathBuf::new(), config, Vec::new(), Clock::system());
    let condition = Arc::new(condition);
    let terms = Terms {
        connections_max: condition.connections_max,
        connection_age_max: config.max_connection_age,
        drain: config.drain,
    };
    let dispatches = server::dispatches(&condition, health);
    Workers::start(dispatches, Arc::clone(&condition.connections), terms).unwrap()
}

async fn start(connections_max: usize) -> Server {
    let config = Config {
        threads: NonZeroUsize::MIN.saturating_add(1),
        max_connections: NonZeroUsize::new(connections_max),
        ..Config::default()
    };
    let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let health = Health::not_serving_yet();
    let workers = Arc::new(workers(&config, &health));
    let accepting = Arc::clone(&workers);
    tokio::spawn(async move { server::accept(&listener, &accepting).await });
    Server {
        address,
        health,
        workers,
    }
}

impl Server {
    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address))
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    async fn client(&self) -> LookupServiceClient<Channel> {
        LookupServiceClient::new(self.channel().await)
    }
}

fn question(number: &str) -> proto::CheckDocumentRequest {
    proto::CheckDocumentRequest {
        number: number.to_owned(),
        ..proto::CheckDocumentRequest::default()
    }
}

#[tokio::test]
async fn without_a_snapshot_checks_are_unavailable_and_mistakes_still_named() {
    let mut client = start(10).await.client().await;
    let code = |status: tonic::Status| (status.code(), status.message().to_owned());
    let unavailable = client.check_document(question("AB123")).await.unwrap_err();
    assert_eq!(unavailable.code(), Code::Unavailable);
    let (wrong, message) = code(client.check_document(question("AB!23")).await.unwrap_err());
    assert_eq!(wrong, Code::InvalidArgument);
    assert!(
        message.starts_with("number: ") && !message.contains("AB!23"),
        "{message}"
    );
    let batch = proto::BatchCheckDocumentsRequest {
        items: vec![question("AB123"); 10_001],
    };
    let (wrong, message) = code(client.batch_check_documents(batch).await.unwrap_err());
    assert_eq!(
        (wrong, message.as_str()),
        (
            Code::InvalidArgument,
            "items: there are more than 10000 items: expected at most 10000"
        )
    );
    let chunk = proto::StreamCheckDocumentsRequest {
        numbers: "A1\nA2".into(),
        ..Default::default()
    };
    let mut answers = client
        .stream_check_documents(tokio_stream::iter([chunk]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answers.next().await.unwrap().unwrap_err().code(),
        Code::Unavailable
    );
    assert!(answers.next().await.is_none());
}

#[tokio::test]
async fn messages_over_the_limit_are_refused_and_the_connection_goes_on() {
    let mut client = start(10).await.client().await;
    let mut large = question("AB123");
    large.mrz = "<".repeat(wire::MESSAGE_BYTES_MAX);
    let refused = client.check_document(large).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let chunk = proto::StreamCheckDocumentsRequest {
        numbers: vec![b'A'; wire::MESSAGE_BYTES_MAX + 1].into(),
        ..Default::default()
    };
    let mut answers = client
        .stream_check_documents(tokio_stream::iter([chunk]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answers.next().await.unwrap().unwrap_err().code(),
        Code::ResourceExhausted
    );
    assert_eq!(
        client
            .check_document(question("AB123"))
            .await
            .unwrap_err()
            .code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_deadline_that_passes_is_deadline_exceeded() {
    let mut client = start(10).await.client().await;
    // A stream whose chunks never come: the deadline must end the body, not only the headers.
    let mut request = Request::new(tokio_stream::pending::<proto::StreamCheckDocumentsRequest>());
    // Put by hand: tonic's client would keep the deadline itself and answer first.
    request
        .metadata_mut()
        .insert("grpc-timeout", "50m".parse().unwrap());
    let mut answers = client
        .stream_check_documents(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answers.next().await.unwrap().unwrap_err().code(),
        Code::DeadlineExceeded
    );
    let mut request = Request::new(question("AB123"));
    request
        .metadata_mut()
        .insert("grpc-timeout", "soon".parse().unwrap());
    assert_eq!(
        client.check_document(request).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn health_says_what_is_set_and_reflection_knows_the_services() {
    let server = start(10).await;
    let mut health = HealthClient::new(server.channel().await);
    for serving in [false, true, false] {
        server.health.set(serving);
        for service in ["", "sltd.v1.LookupService"] {
            let request = HealthCheckRequest {
                service: service.to_owned(),
            };
            let status = health.check(request).await.unwrap().into_inner().status;
            assert_eq!(status, if serving { 1 } else { 2 }, "{service:?}");
        }
    }
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let request = tonic_reflection::pb::v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(server.channel().await);
    let mut answers = reflection
        .server_reflection_info(tokio_stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.next().await.unwrap().unwrap().message_response
    else {
        panic!("expected a list of services");
    };
    let names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    for expected in [
        "sltd.v1.LookupService",
        "sltd.v1.AdminService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(names.contains(&expected), "{names:?}");
    }
}

#[tokio::test]
async fn what_does_not_speak_http2_is_closed_and_others_go_on() {
    let server = start(10).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    for said in [
        b"GET / HTTP/1.1\r\n\r\n".as_slice(),
        b"\0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX",
    ] {
        let mut other = TcpStream::connect(server.address).await.unwrap();
        other.write_all(said).await.unwrap();
        assert!(
            matches!(other.read(&mut [0; 9]).await, Ok(0) | Err(_)),
            "{said:?}"
        );
    }
    assert_eq!(
        server
            .client()
            .await
            .check_document(question("A1"))
            .await
            .unwrap_err()
            .code(),
        Code::Unavailable
    );
    silent.shutdown().await.unwrap();
    assert!(matches!(silent.read(&mut [0; 9]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_thread_that_has_died_is_replaced() {
    let server = start(10).await;
    for deaths in 1..=2 {
        server.workers.kill_one();
        // Both threads serve: it has fewer connections than the other one.
        let mut clients = Vec::new();
        for _ in 0..4 {
            let mut client = server.client().await;
            let refused = client.check_document(question("A1")).await.unwrap_err();
            assert_eq!(refused.message(), NO_SNAPSHOT, "after {deaths} deaths");
            clients.push(client);
        }
        assert_eq!(server.workers.connections().threads_replaced(), deaths);
    }
}

#[tokio::test]
async fn a_drain_ends_idle_connections_and_cuts_what_does_not_end() {
    let config = Config {
        threads: NonZeroUsize::MIN,
        drain: Duration::from_millis(200),
        ..Config::default()
    };
    let workers = workers(&config, &Health::not_serving_yet());
    let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let hand = async || {
        let (channel, accepted) = tokio::join!(endpoint.connect(), listener.accept());
        let (stream, peer) = accepted.unwrap();
        workers.hand(stream.into_std().unwrap(), peer.ip());
        LookupServiceClient::new(channel.unwrap())
    };
    let (mut idle, mut busy) = (hand().await, hand().await);
    assert_eq!(
        idle.check_document(question("A1"))
            .await
            .unwrap_err()
            .code(),
        Code::Unavailable
    );
    let endless = tokio_stream::pending::<proto::StreamCheckDocumentsRequest>();
    let mut answers = busy
        .stream_check_documents(endless)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(workers.connections().open(), 2);
    let cut = tokio::task::spawn_blocking(move || workers.drain())
        .await
        .unwrap();
    assert_eq!(cut, 1);
    assert!(answers.next().await.unwrap().is_err());
}

#[test]
fn only_loopback_addresses_are_bound_and_only_once() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0"] {
        let refused = server::bind(address.parse().unwrap()).unwrap_err();
        assert!(
            matches!(refused, server::ServeError::NotLoopback(_)),
            "{refused}"
        );
    }
    let first = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let refused = server::bind(first.local_addr().unwrap()).unwrap_err();
    assert!(
        matches!(refused, server::ServeError::AddressInUse(_)),
        "{refused}"
    );
}
