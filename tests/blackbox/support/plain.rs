//! Calls made by an HTTP/2 client that knows nothing of gRPC.

use super::Server;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tonic::Status;
use tonic::body::Body;

pub(crate) const UNARY: &str = "/sltd.v1.LookupService/CheckDocument";
pub(crate) const BATCH: &str = "/sltd.v1.LookupService/BatchCheckDocuments";
pub(crate) const STREAM: &str = "/sltd.v1.LookupService/StreamCheckDocuments";
/// Methods of every service, which the server reads in different ways.
pub(crate) const METHODS: [&str; 6] = [
    UNARY,
    BATCH,
    STREAM,
    "/sltd.v1.AdminService/GetStatus",
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
];

/// A connection that knows nothing of gRPC: deadlines are the server's alone.
pub(crate) type Connection = hyper::client::conn::http2::SendRequest<Body>;

pub(crate) async fn connect(server: &Server) -> Connection {
    let stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let (executor, stream) = (TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = hyper::client::conn::http2::handshake(executor, stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

/// Sends a body as a call; gives the HTTP status and what gRPC says.
pub(crate) async fn call(
    connection: &Connection,
    path: &str,
    body: Body,
    headers: &[(&str, &str)],
) -> (u16, Status) {
    let uri = format!("http://localhost{path}");
    let mut request = http::Request::post(uri).header("te", "trailers");
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/grpc");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut connection = connection.clone();
    connection.ready().await.unwrap();
    let response = connection
        .send_request(request.body(body).unwrap())
        .await
        .unwrap();
    let http_status = response.status().as_u16();
    if let Some(status) = Status::from_header_map(response.headers()) {
        return (http_status, status);
    }
    let collected = response.into_body().collect().await;
    let trailers = match collected {
        Ok(collected) => collected.trailers().and_then(Status::from_header_map),
        Err(error) => Some(Status::unknown(error.to_string())),
    };
    (
        http_status,
        trailers.unwrap_or_else(|| Status::unknown("no status")),
    )
}

pub(crate) fn whole(bytes: Vec<u8>) -> Body {
    Body::new(Full::new(Bytes::from(bytes)))
}

/// A body that begins and never ends.
pub(crate) fn unfinished(bytes: Vec<u8>) -> Body {
    use tokio_stream::StreamExt as _;
    let first = tokio_stream::iter([Ok::<_, Status>(http_body::Frame::data(Bytes::from(bytes)))]);
    Body::new(StreamBody::new(first.chain(tokio_stream::pending())))
}
