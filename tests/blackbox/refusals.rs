//! What the server does not take, and how it says so: the same way by every method.

use crate::support::plain::{METHODS, STREAM, UNARY, call, connect, whole};
use crate::support::{announced, block_on, prefixed, serve};
use bytes::Bytes;
use prost::Message as _;
use sltd::proto::{CheckDocumentRequest, StreamCheckDocumentsRequest};
use tonic::Code;
use tonic_types::StatusExt as _;

const MEBI: usize = 1 << 20;

#[test]
fn other_content_types_are_refused_by_http() {
    let (_dir, server) = serve();
    let cases = [
        ("application/grpc", 200),
        ("application/grpc+proto", 200),
        ("application/grpc;charset=utf-8", 200),
        ("application/grpc-web", 415),
        ("application/grpc-web+proto", 415),
        ("application/grpc+json", 415),
        ("application/grpcXYZ", 415),
        ("application/json", 415),
    ];
    block_on(async {
        let connection = connect(&server).await;
        for path in METHODS {
            for (content_type, expected) in cases {
                let headers = [("content-type", content_type)];
                let (http_status, _) = call(&connection, path, whole(vec![]), &headers).await;
                assert_eq!(http_status, expected, "{path}: {content_type}");
            }
        }
    });
    server.still_answers();
}

/// The bound that the contract names, on both sides of it.
#[test]
fn too_many_headers_are_answered_by_http() {
    let (_dir, server) = serve();
    block_on(async {
        let connection = connect(&server).await;
        for (length, expected) in [(15_000, 200), (20_000, 431)] {
            let filler = "x".repeat(length);
            let headers = [("x-filler", filler.as_str())];
            let (http_status, _) = call(&connection, UNARY, whole(vec![]), &headers).await;
            assert_eq!(http_status, expected, "{length}");
        }
    });
    server.still_answers();
}

#[test]
fn compression_is_refused_the_same_way_by_every_method() {
    let (_dir, server) = serve();
    let small = prefixed(0, &[]);
    let large = prefixed(0, &vec![0; 100_000]);
    let flagged = prefixed(1, &[0x1f, 0x8b]);
    type Headers = &'static [(&'static str, &'static str)];
    // Whatever the message is, and whether header, flag or both say so.
    let cases: [(&[u8], Headers); 7] = [
        (&small, &[("grpc-encoding", "gzip")]),
        (&large, &[("grpc-encoding", "gzip")]),
        (&small, &[("grpc-encoding", "deflate")]),
        (&small, &[("grpc-encoding", "zstd")]),
        (&flagged, &[("grpc-encoding", "gzip")]),
        (&flagged, &[]),
        (&flagged, &[("grpc-encoding", "identity")]),
    ];
    block_on(async {
        let connection = connect(&server).await;
        let mut said = std::collections::BTreeSet::new();
        for path in METHODS {
            for (body, headers) in &cases {
                let (http_status, status) =
                    call(&connection, path, whole(body.to_vec()), headers).await;
                let what = format!("{path}: {headers:?}: {status:?}");
                assert_eq!(
                    (http_status, status.code()),
                    (200, Code::Unimplemented),
                    "{what}"
                );
                let accepted = status.metadata().get("grpc-accept-encoding");
                assert_eq!(accepted.unwrap(), "identity", "{what}");
                said.insert(status.message().to_owned());
            }
            let identity = [("grpc-encoding", "identity")];
            let (_, status) = call(&connection, path, whole(small.clone()), &identity).await;
            assert_ne!(status.code(), Code::Unimplemented, "{path}: {status:?}");
        }
        assert_eq!(said.len(), 1, "{said:?}");
    });
    server.still_answers();
}

#[test]
fn what_is_too_large_undecodable_or_missing_is_said_the_same_way_by_every_method() {
    let (_dir, server) = serve();
    let garbage = prefixed(0, &[0xff; 40]);
    let too_large = announced(0, 5 * MEBI, &[0; 64]);
    block_on(async {
        let connection = connect(&server).await;
        for path in METHODS {
            let (_, status) = call(&connection, path, whole(garbage.clone()), &[]).await;
            assert_eq!(status.code(), Code::InvalidArgument, "{path}: {status:?}");
            let details = status.get_details_bad_request().expect(path);
            let [violation] = details.field_violations.as_slice() else {
                panic!("{path}: {details:?}")
            };
            assert!(!violation.description.is_empty(), "{path}: {violation:?}");
            let (_, status) = call(&connection, path, whole(too_large.clone()), &[]).await;
            assert_eq!(status.code(), Code::ResourceExhausted, "{path}: {status:?}");
            let message = status.message();
            let limit = message.strip_prefix("the message is larger than ");
            let limit =
                limit.and_then(|rest| rest.strip_suffix(" bytes, the most that this method takes"));
            assert!(
                limit.is_some_and(|limit| limit.parse::<u32>().is_ok()),
                "{path}: {message}"
            );
        }
        for path in [
            "/sltd.v1.LookupService/12AB34567",
            "/12AB34567/Check",
            "/",
            "/12AB34567",
        ] {
            let (_, status) = call(&connection, path, whole(garbage.clone()), &[]).await;
            assert_eq!(status.code(), Code::Unimplemented, "{path}: {status:?}");
            assert!(status.message().contains("sltd/v1"), "{status:?}");
            assert!(!status.message().contains("12AB34567"), "{status:?}");
        }
    });
    server.still_answers();
}

#[test]
fn all_faults_of_a_request_are_named_at_once() {
    let (_dir, server) = serve();
    let request = CheckDocumentRequest {
        number: "12AB3?".to_owned(),
        issuing_state: "GERMANY".to_owned(),
        r#type: 99,
        ..Default::default()
    };
    let chunk = StreamCheckDocumentsRequest {
        numbers: Bytes::from_static(b"1\n2\n"),
        issuing_states: vec!["D".to_owned(); 256],
        issuing_state_indexes: Bytes::from_static(b"\x01"),
        types: Bytes::from_static(b"\x01"),
        ..Default::default()
    };
    let cases: [(&str, Vec<u8>, &[&str]); 2] = [
        (
            UNARY,
            request.encode_to_vec(),
            &["number", "issuing_state", "type"],
        ),
        (
            STREAM,
            chunk.encode_to_vec(),
            &["issuing_states", "issuing_state_indexes", "types"],
        ),
    ];
    block_on(async {
        let connection = connect(&server).await;
        for (path, message, expected) in cases {
            let (_, status) = call(&connection, path, whole(prefixed(0, &message)), &[]).await;
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            let details = status.get_details_bad_request().unwrap();
            let fields: Vec<_> = details
                .field_violations
                .iter()
                .map(|v| v.field.as_str())
                .collect();
            assert_eq!(fields, expected, "{path}");
            for violation in &details.field_violations {
                assert!(
                    status.message().contains(&violation.description),
                    "{status:?}"
                );
            }
            assert!(!status.message().contains("12AB"), "{status:?}");
        }
    });
    server.still_answers();
}
