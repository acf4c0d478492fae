//! Calls against the contract: each has its status, and the server goes on.

use crate::support::plain::{BATCH, METHODS, STREAM, UNARY, call, connect, unfinished, whole};
use crate::support::{announced, block_on, prefixed, serve};
use bytes::Bytes;
use prost::Message as _;
use sltd::proto::{BatchCheckDocumentsRequest, CheckDocumentRequest, StreamCheckDocumentsRequest};
use tonic::Code;
use tonic_types::StatusExt as _;

const MEBI: usize = 1 << 20;

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
    // A question that could be answered at once must not be, once its caller has given up.
    let no_time = ["0n", "0u", "0m", "0S", "0M", "0H", "00000000n", "1n"];
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
        for path in METHODS {
            for timeout in no_time {
                let headers = [("grpc-timeout", timeout)];
                let (_, status) = call(&connection, path, whole(message.clone()), &headers).await;
                assert_eq!(
                    status.code(),
                    Code::DeadlineExceeded,
                    "{path}: {timeout}: {status:?}"
                );
            }
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
