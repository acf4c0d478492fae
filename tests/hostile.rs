//! What no honest client sends. The server answers with a status or hangs up, and goes on.

mod support;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sltd::proto::{BatchCheckDocumentsRequest, CheckDocumentRequest, StreamCheckDocumentsRequest};
use support::{
    END_HEADERS, END_STREAM, PREFACE, ROWS, Raw, Server, block_on, frame, header_block, kind,
    publish,
};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const UNARY: &str = "/sltd.v1.LookupService/CheckDocument";
const BATCH: &str = "/sltd.v1.LookupService/BatchCheckDocuments";
const STREAM: &str = "/sltd.v1.LookupService/StreamCheckDocuments";
const MEBI: usize = 1 << 20;

fn serve() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    (dir, server)
}

/// Bytes without sense, the same every time.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn what_is_not_http2_is_hung_up_on() {
    let (_dir, server) = serve();
    let mut wrong_preface = PREFACE.to_vec();
    wrong_preface[20] ^= 1;
    let beginnings: [(&str, Vec<u8>); 7] = [
        ("nothing", vec![]),
        ("noise", noise(1, 4096)),
        ("zeros", vec![0; 4096]),
        (
            "HTTP/1.1",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".to_vec(),
        ),
        (
            "the begin of a TLS handshake",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        ),
        ("a wrong preface", wrong_preface),
        ("half a preface", PREFACE[..12].to_vec()),
    ];
    for (what, bytes) in beginnings {
        let mut raw = Raw::connect(server.address);
        raw.send(&bytes);
        raw.half_close();
        assert!(raw.rest().is_empty(), "{what}: answered");
    }
    server.still_answers();
}

#[test]
fn frames_against_the_rules_end_the_connection() {
    let (_dir, server) = serve();
    let block = header_block(UNARY);
    let begun = frame(block.len(), kind::HEADERS, END_HEADERS, 1, &block);
    let after = |then: Vec<u8>| [begun.clone(), then].concat();
    let endless: Vec<u8> = (0..400)
        .flat_map(|_| frame(1024, kind::CONTINUATION, 0, 1, &[0; 1024]))
        .collect();
    let resets: Vec<u8> = (0..5_000u32)
        .flat_map(|n| {
            let stream = 2 * n + 1;
            let opened = frame(block.len(), kind::HEADERS, END_HEADERS, stream, &block);
            [opened, frame(4, kind::RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
        })
        .collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("noise", noise(2, 65_536)),
        (
            "a frame of 16 MiB",
            frame(0xff_ffff, kind::DATA, 0, 1, &[0; 1024]),
        ),
        (
            "more than the largest frame",
            frame(65_537, kind::HEADERS, END_HEADERS, 1, &vec![0; 65_537]),
        ),
        ("data of no stream", frame(3, kind::DATA, 0, 0, b"abc")),
        (
            "data of a stream that was never opened",
            frame(3, kind::DATA, 0, 7, b"abc"),
        ),
        (
            "headers of a server's stream",
            frame(block.len(), kind::HEADERS, END_HEADERS, 2, &block),
        ),
        (
            "headers that are no HPACK",
            frame(64, kind::HEADERS, END_HEADERS, 1, &[0xff; 64]),
        ),
        (
            "a continuation of nothing",
            frame(3, kind::CONTINUATION, END_HEADERS, 1, b"abc"),
        ),
        (
            "headers without end",
            [frame(1, kind::HEADERS, 0, 1, &[0]), endless].concat(),
        ),
        (
            "settings of odd length",
            frame(5, kind::SETTINGS, 0, 0, &[0; 5]),
        ),
        (
            "an acknowledgement with content",
            frame(6, kind::SETTINGS, 1, 0, &[0; 6]),
        ),
        ("a ping of odd length", frame(7, kind::PING, 0, 0, &[0; 7])),
        (
            "a window that grows by nothing",
            frame(4, kind::WINDOW_UPDATE, 0, 0, &[0; 4]),
        ),
        (
            "a window beyond its bound",
            frame(4, kind::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
        ),
        (
            "padding longer than the frame",
            after(frame(2, kind::DATA, 8, 1, &[200, 0])),
        ),
        ("streams opened and reset at once", resets),
    ];
    for (what, bytes) in cases {
        let mut raw = Raw::open(server.address);
        raw.send(&bytes);
        let frames = raw.rest();
        let goodbye = frames.iter().any(|frame| frame.kind == kind::GOAWAY);
        // Where our bytes were still on their way, TCP may lose the goodbye; never the hanging up.
        assert!(
            goodbye || frames.len() < 300,
            "{what}: {} frames and no goodbye",
            frames.len()
        );
        server.still_answers();
    }
}

#[test]
fn half_closed_and_forgotten_connections_are_let_go() {
    let (_dir, server) = serve();
    let request = CheckDocumentRequest {
        number: "12AB34567".to_owned(),
        ..Default::default()
    };
    let whole = prefixed(0, &request.encode_to_vec());
    for (what, sent, flags) in [
        ("a whole call", &whole[..], END_STREAM),
        ("a call without its end", &whole[..], 0),
        ("half a message", &whole[..8], 0),
        ("half a prefix", &whole[..3], 0),
        ("no message", &[][..], 0),
    ] {
        let mut raw = Raw::open(server.address);
        raw.call(1, UNARY);
        raw.frame(kind::DATA, flags, 1, sent);
        raw.half_close();
        let frames = raw.rest();
        assert!(
            frames.iter().all(|frame| frame.stream <= 1),
            "{what}: {frames:?}"
        );
        // Gone without a word, in the middle of everything.
        let mut raw = Raw::open(server.address);
        raw.call(1, UNARY);
        raw.frame(kind::DATA, flags, 1, sent);
    }
    server.still_answers();
}

/// A gRPC frame: flag, length, message.
fn prefixed(flag: u8, message: &[u8]) -> Vec<u8> {
    announced(flag, message.len(), message)
}

fn announced(flag: u8, length: usize, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flag];
    bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
    bytes.extend(message);
    bytes
}

/// A connection that knows nothing of gRPC: deadlines are the server's alone.
type Connection = hyper::client::conn::http2::SendRequest<Body>;

async fn connect(server: &Server) -> Connection {
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
async fn call(
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

fn whole(bytes: Vec<u8>) -> Body {
    Body::new(Full::new(Bytes::from(bytes)))
}

/// A body that begins and never ends.
fn unfinished(bytes: Vec<u8>) -> Body {
    use tokio_stream::StreamExt as _;
    let first = tokio_stream::iter([Ok::<_, Status>(http_body::Frame::data(Bytes::from(bytes)))]);
    Body::new(StreamBody::new(first.chain(tokio_stream::pending())))
}

#[test]
fn calls_against_the_contract_have_their_status() {
    let (_dir, server) = serve();
    let request = CheckDocumentRequest {
        number: "12AB34567".to_owned(),
        ..Default::default()
    };
    let message = request.encode_to_vec();
    let batch = |items: usize| {
        BatchCheckDocumentsRequest {
            items: vec![request.clone(); items],
        }
        .encode_to_vec()
    };
    let chunk = |numbers: Vec<u8>| {
        let numbers = Bytes::from(numbers);
        StreamCheckDocumentsRequest {
            numbers,
            ..Default::default()
        }
        .encode_to_vec()
    };
    let large = CheckDocumentRequest {
        mrz: "<".repeat(4 * MEBI),
        ..Default::default()
    }
    .encode_to_vec();
    let lines = |count: usize| chunk("7\n".repeat(count).into_bytes());
    let bad_chunk = StreamCheckDocumentsRequest {
        numbers: Bytes::from_static(b"1\n2\n"),
        types: Bytes::from_static(b"\x01"),
        ..Default::default()
    };
    let cases: Vec<(&str, &str, Vec<u8>, Code)> = vec![
        (
            "no method",
            "/sltd.v1.LookupService/Guess",
            prefixed(0, &message),
            Code::Unimplemented,
        ),
        (
            "no service",
            "/sltd.v1.Nobody/CheckDocument",
            prefixed(0, &message),
            Code::Unimplemented,
        ),
        ("no path", "/", prefixed(0, &message), Code::Unimplemented),
        ("no message", UNARY, vec![], Code::InvalidArgument),
        ("half a prefix", UNARY, vec![0, 0, 0], Code::InvalidArgument),
        (
            "half a message",
            UNARY,
            announced(0, 100, &message),
            Code::InvalidArgument,
        ),
        (
            "two messages",
            UNARY,
            prefixed(0, &message).repeat(2),
            Code::InvalidArgument,
        ),
        (
            "no protobuf",
            UNARY,
            prefixed(0, &[0xff; 40]),
            Code::InvalidArgument,
        ),
        (
            "not UTF-8",
            UNARY,
            prefixed(0, b"\x0a\x04\xff\xfe\xfd\xfc"),
            Code::InvalidArgument,
        ),
        (
            "a wrong flag",
            UNARY,
            prefixed(7, &message),
            Code::InvalidArgument,
        ),
        (
            "compressed",
            UNARY,
            prefixed(1, &message),
            Code::Unimplemented,
        ),
        (
            "announced as 4 GiB",
            UNARY,
            announced(0, u32::MAX as usize, &message),
            Code::ResourceExhausted,
        ),
        (
            "4 MiB and a little",
            UNARY,
            prefixed(0, &large),
            Code::ResourceExhausted,
        ),
        (
            "32 MiB",
            UNARY,
            announced(0, 32 * MEBI, &vec![0; 32 * MEBI]),
            Code::ResourceExhausted,
        ),
        (
            "an unknown type",
            UNARY,
            prefixed(0, &[&message[..], &[0x18, 99]].concat()),
            Code::InvalidArgument,
        ),
        (
            "an empty question",
            UNARY,
            prefixed(0, &[]),
            Code::InvalidArgument,
        ),
        (
            "no protobuf in a batch",
            BATCH,
            prefixed(0, &[0xff; 40]),
            Code::InvalidArgument,
        ),
        ("10,000 items", BATCH, prefixed(0, &batch(10_000)), Code::Ok),
        (
            "10,001 items",
            BATCH,
            prefixed(0, &batch(10_001)),
            Code::InvalidArgument,
        ),
        ("no items", BATCH, prefixed(0, &[]), Code::Ok),
        ("an empty job", STREAM, vec![], Code::Ok),
        (
            "65,536 numbers",
            STREAM,
            prefixed(0, &lines(65_536)),
            Code::Ok,
        ),
        (
            "65,537 numbers",
            STREAM,
            prefixed(0, &lines(65_537)),
            Code::InvalidArgument,
        ),
        (
            "a chunk of 4 MiB",
            STREAM,
            prefixed(0, &chunk(vec![b'7'; 4 * MEBI])),
            Code::ResourceExhausted,
        ),
        (
            "a chunk that is no protobuf",
            STREAM,
            prefixed(0, &[0xff; 40]),
            Code::InvalidArgument,
        ),
        (
            "types that are not one each",
            STREAM,
            prefixed(0, &bad_chunk.encode_to_vec()),
            Code::InvalidArgument,
        ),
        (
            "a chunk not UTF-8",
            STREAM,
            prefixed(0, &chunk(vec![0xff, b'\n', b'7'])),
            Code::Ok,
        ),
    ];
    block_on(async {
        let connection = connect(&server).await;
        for (what, path, body, code) in cases {
            let (http_status, status) = call(&connection, path, whole(body), &[]).await;
            assert_eq!(
                (http_status, status.code()),
                (200, code),
                "{what}: {status:?}"
            );
            assert!(!status.message().contains("12AB3"), "{what}: {status:?}");
        }
        let body = prefixed(0, &batch(10_001));
        let (_, status) = call(&connection, BATCH, whole(body), &[]).await;
        let violation = &status.get_details_bad_request().unwrap().field_violations[0];
        assert_eq!(violation.field, "items");
        assert!(violation.description.contains("10000"), "{violation:?}");
        // Neither is a gRPC call at all.
        let (http_status, _) = call(
            &connection,
            UNARY,
            whole(vec![]),
            &[("content-type", "application/json")],
        )
        .await;
        assert_eq!(http_status, 415);
    });
    server.still_answers();
}

#[test]
fn a_deadline_that_passes_is_answered_as_such() {
    let (_dir, server) = serve();
    let request = CheckDocumentRequest {
        number: "12AB34567".to_owned(),
        ..Default::default()
    };
    let message = prefixed(0, &request.encode_to_vec());
    let cases = [
        (
            "a question without its end",
            UNARY,
            "100m",
            Code::DeadlineExceeded,
        ),
        (
            "a batch without its end",
            BATCH,
            "100000u",
            Code::DeadlineExceeded,
        ),
        ("a job that goes on", STREAM, "100m", Code::DeadlineExceeded),
        ("no time at all", UNARY, "0n", Code::DeadlineExceeded),
        ("no timeout", UNARY, "soon", Code::InvalidArgument),
    ];
    block_on(async {
        let connection = connect(&server).await;
        for (what, path, timeout, code) in cases {
            let begin = if path == STREAM {
                vec![]
            } else {
                message.clone()
            };
            let (_, status) = call(
                &connection,
                path,
                unfinished(begin),
                &[("grpc-timeout", timeout)],
            )
            .await;
            assert_eq!(status.code(), code, "{what}: {status:?}");
        }
        let (_, status) = call(
            &connection,
            UNARY,
            whole(message),
            &[("grpc-timeout", "1M")],
        )
        .await;
        assert_eq!(status.code(), Code::Ok);
    });
    server.still_answers();
}

/// Connections held open at once, and the files this process needs beside them.
const IDLE: u64 = 10_000;
const OWN_FILES: u64 = 200;

/// How many connections this process may hold: all where the system lets it.
fn connections_allowed() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = IDLE + OWN_FILES;
    let granted = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < granted) {
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(granted),
                maximum: limit.maximum,
            },
        )
        .unwrap();
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    let allowed = current.saturating_sub(OWN_FILES).min(IDLE);
    if allowed < IDLE {
        println!(
            "NOTE: this system lets a process have {current} open files: {allowed} idle connections instead of {IDLE}"
        );
    }
    allowed
}

#[test]
fn ten_thousand_idle_connections_are_carried() {
    let (_dir, server) = serve();
    let idle: Vec<Raw> = (0..connections_allowed())
        .map(|_| Raw::open(server.address))
        .collect();
    server.still_answers();
    // They are open, each of them: every one answers a ping.
    for mut raw in idle {
        raw.frame(kind::PING, 0, 0, b"12345678");
        let answer = std::iter::from_fn(|| raw.next()).find(|frame| frame.kind == kind::PING);
        assert_eq!(
            answer.expect("an idle connection was closed").payload,
            b"12345678"
        );
    }
    server.still_answers();
}

#[test]
fn connections_over_the_limit_are_closed_and_the_rest_served() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "max_connections = 3\n").unwrap();
    let server = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info");
    let mut held: Vec<Raw> = (0..3).map(|_| Raw::open(server.address)).collect();
    for raw in &mut held {
        assert!(raw.next().is_some_and(|frame| frame.kind == kind::SETTINGS));
    }
    assert!(
        Raw::open(server.address).next().is_none(),
        "a fourth is taken"
    );
    assert!(
        server.log().contains("too many are open"),
        "{}",
        server.log()
    );
    held.pop();
    support::wait_for("the place to be free", || {
        Raw::open(server.address).next().is_some()
    });
    drop(held);
    support::wait_for("all places to be free", || server.answers().is_ok());
}
