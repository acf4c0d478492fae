//! Answers of every form, from a server that speaks HTTP/2 and no gRPC of its own accord.

use super::*;
use bytes::BytesMut;
use http::{HeaderMap, Response};
use prost::Message as _;
use sltd::client::Verdict;
use sltd::proto::CheckDocumentResponse;
use tokio::net::TcpListener;
use tokio::task::LocalSet;
use tonic::Code;

/// What the server says to a call.
#[derive(Clone, Default)]
struct Answer {
    status: u16,
    head: &'static [(&'static str, &'static str)],
    pieces: Vec<Bytes>,
    /// `None`: the answer ends without any.
    trailers: Option<&'static [(&'static str, &'static str)]>,
    reset: Option<h2::Reason>,
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (name.parse().unwrap(), HeaderValue::from_static(value))
    };
    pairs.iter().map(pair).collect()
}

/// What a call comes to that is answered so.
fn outcome(answer: Answer) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queries.csv");
    std::fs::write(&path, "A1\n").unwrap();
    let one = NonZeroUsize::MIN;
    let questions = Arc::new(Questions::read(&path, Mode::Unary, one).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let deadline = Duration::from_secs(10);
        let target = Grpc::new(&url, Mode::Unary, one, questions, deadline).unwrap();
        tokio::task::spawn_local(serve(listener, answer));
        let connection = target.connection();
        target.caller(&connection).call(0).await
    })
}

async fn serve(listener: TcpListener, answer: Answer) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        assert_eq!(request.uri().path(), "/sltd.v1.LookupService/CheckDocument");
        assert_eq!(request.headers()["te"], "trailers");
        assert_eq!(request.headers()["grpc-timeout"], "10000m");
        if let Some(reason) = answer.reset {
            respond.send_reset(reason);
            continue;
        }
        let mut response = Response::new(());
        *response.status_mut() = answer.status.try_into().unwrap();
        *response.headers_mut() = headers(answer.head);
        let only_head = answer.pieces.is_empty() && answer.trailers.is_none();
        let mut body = respond.send_response(response, only_head).unwrap();
        if only_head {
            continue;
        }
        let last = answer.pieces.len().wrapping_sub(1);
        for (index, piece) in answer.pieces.iter().enumerate() {
            let end = index == last && answer.trailers.is_none();
            body.send_data(piece.clone(), end).unwrap();
        }
        if let Some(trailers) = answer.trailers {
            body.send_trailers(headers(trailers)).unwrap();
        }
    }
}

/// A framed answer NO_RECORD with more in it than its verdict.
fn message() -> Bytes {
    let response = CheckDocumentResponse {
        verdict: Verdict::NoRecord.into(),
        same_number_other_issuers: 7,
        ..CheckDocumentResponse::default()
    };
    let mut framed = BytesMut::from(&[0, 0, 0, 0, response.encoded_len() as u8][..]);
    response.encode(&mut framed).unwrap();
    framed.freeze()
}

const OK: Option<&[(&str, &str)]> = Some(&[("grpc-status", "0")]);

#[test]
fn a_message_is_read_however_it_is_cut() {
    let whole = message();
    for cut in 0..=whole.len() {
        let outcome = outcome(Answer {
            status: 200,
            pieces: vec![whole.slice(..cut), whole.slice(cut..)],
            trailers: OK,
            ..Answer::default()
        });
        assert_eq!(outcome.status, Code::Ok, "cut at {cut}: {outcome:?}");
        assert_eq!(outcome.verdicts.get(Verdict::NoRecord), 1);
        assert_eq!(outcome.verdicts.sum(), 1);
    }
}

#[test]
fn what_is_no_answer_gets_a_status() {
    let ok = Answer {
        status: 200,
        pieces: vec![message()],
        trailers: OK,
        ..Answer::default()
    };
    let http = |status| Answer {
        status,
        ..Answer::default()
    };
    let reset = |reason| Answer {
        reset: Some(reason),
        ..ok.clone()
    };
    let pieces = |bytes: &'static [u8]| Answer {
        pieces: vec![Bytes::from_static(bytes)],
        ..ok.clone()
    };
    let cases = [
        // Where gRPC has its errors: in the trailers, or in the head of an answer that has no more.
        (
            Answer {
                trailers: Some(&[("grpc-status", "8"), ("grpc-message", "too%20much")]),
                ..ok.clone()
            },
            Code::ResourceExhausted,
            "too much",
        ),
        (
            Answer {
                status: 200,
                head: &[("grpc-status", "14"), ("grpc-message", "not yet")],
                ..Answer::default()
            },
            Code::Unavailable,
            "not yet",
        ),
        (
            Answer {
                trailers: Some(&[]),
                ..ok.clone()
            },
            Code::Unknown,
            "without a status",
        ),
        (
            Answer {
                trailers: None,
                ..ok.clone()
            },
            Code::Unknown,
            "without a status",
        ),
        (http(404), Code::Unimplemented, "404"),
        (http(503), Code::Unavailable, "503"),
        (http(500), Code::Unknown, "500"),
        (reset(h2::Reason::REFUSED_STREAM), Code::Unavailable, ""),
        (reset(h2::Reason::CANCEL), Code::Cancelled, ""),
        (reset(h2::Reason::INTERNAL_ERROR), Code::Internal, ""),
        (pieces(b"\x01\0\0\0\0"), Code::Internal, "compressed"),
        (
            pieces(b"\0\0\0\0\x09\x08"),
            Code::Internal,
            "within a message",
        ),
        (
            pieces(b"\0\0\0\0\x01\x08"),
            Code::Internal,
            "does not decode",
        ),
    ];
    for (answer, code, why) in cases {
        let outcome = outcome(answer);
        assert_eq!(outcome.status, code, "{outcome:?}");
        assert!(outcome.why.contains(why), "{why}: {outcome:?}");
        assert_eq!(outcome.verdicts.sum(), 0);
    }
}

#[test]
fn timeouts_fit_eight_digits() {
    let cases = [
        (Duration::from_millis(1), "1m"),
        (Duration::from_secs(10), "10000m"),
        (Duration::from_secs(99_999), "99999000m"),
        (Duration::from_secs(100_000), "100000S"),
    ];
    for (time, expected) in cases {
        assert_eq!(timeout(time), expected);
    }
}
