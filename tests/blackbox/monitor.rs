//! `/metrics`, `/healthz` and `/readyz`, and clients of theirs that nobody wants.

use crate::support::{
    NUMBERS, ROWS, Server, block_on, get, passport, publish, say, sltd, store, wait_for,
    wait_for_metric,
};
use sltd::client::{Question, StreamOptions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

#[test]
fn metrics_count_what_was_asked() {
    let dir = store(ROWS);
    let (server, monitor) = Server::monitored(dir.path(), "threads = 2\n");
    // Nothing was asked yet, and what there is to be counted is there.
    let before = get(monitor, "/metrics");
    for name in [
        "sltd_calls_total{method=\"CheckDocument\",code=\"OK\"} 0",
        "sltd_documents_total{method=\"StreamCheckDocuments\",verdict=\"hit\"} 0",
        "sltd_answer_seconds_count{method=\"BatchCheckDocuments\"} 0",
    ] {
        assert!(before.text.contains(name), "{name}: {}", before.text);
    }
    let misses: Vec<_> = (0..70).map(|n| passport(format!("77CC{n:05}"))).collect();
    block_on(async {
        // Over two connections, and so on two threads.
        for client in [server.client().await, server.client().await] {
            for question in &misses[..5] {
                client.check(question).await.unwrap();
            }
            client.check(&passport("12AB34567")).await.unwrap();
            client.check(&Question::number("12AB34567")).await.unwrap();
            client.check(&passport("?")).await.unwrap_err();
        }
        let client = server.client().await;
        let mut batch = misses.clone();
        batch.push(passport("12AB34567"));
        batch.push(passport("?"));
        client.batch(&batch).await.unwrap();
        let questions: Vec<_> = batch.iter().cycle().take(720).cloned().collect();
        let mut answers = client
            .stream(questions, StreamOptions::default())
            .await
            .unwrap();
        while answers.next().await.unwrap().is_some() {}
    });
    // A stream is counted when its end has been sent.
    let streams = "sltd_calls_total{method=\"StreamCheckDocuments\",code=\"OK\"}";
    wait_for_metric(monitor, streams, 1.0);
    let metrics = get(monitor, "/metrics");
    for (name, expected) in [
        (
            "sltd_calls_total{method=\"CheckDocument\",code=\"OK\"}",
            14.0,
        ),
        (
            "sltd_calls_total{method=\"CheckDocument\",code=\"INVALID_ARGUMENT\"}",
            2.0,
        ),
        (
            "sltd_calls_total{method=\"BatchCheckDocuments\",code=\"OK\"}",
            1.0,
        ),
        (
            "sltd_documents_total{method=\"CheckDocument\",verdict=\"no_record\"}",
            10.0,
        ),
        (
            "sltd_documents_total{method=\"CheckDocument\",verdict=\"hit\"}",
            2.0,
        ),
        (
            "sltd_documents_total{method=\"CheckDocument\",verdict=\"review\"}",
            2.0,
        ),
        (
            "sltd_documents_total{method=\"BatchCheckDocuments\",verdict=\"no_record\"}",
            70.0,
        ),
        (
            "sltd_documents_total{method=\"BatchCheckDocuments\",verdict=\"hit\"}",
            1.0,
        ),
        (
            "sltd_documents_total{method=\"BatchCheckDocuments\",verdict=\"malformed\"}",
            1.0,
        ),
        (
            "sltd_documents_total{method=\"StreamCheckDocuments\",verdict=\"no_record\"}",
            700.0,
        ),
        (
            "sltd_documents_total{method=\"StreamCheckDocuments\",verdict=\"hit\"}",
            10.0,
        ),
        (
            "sltd_documents_total{method=\"StreamCheckDocuments\",verdict=\"malformed\"}",
            10.0,
        ),
        ("sltd_answer_seconds_count{method=\"CheckDocument\"}", 16.0),
        (
            "sltd_answer_seconds_bucket{method=\"CheckDocument\",le=\"+Inf\"}",
            16.0,
        ),
        (
            "sltd_answer_seconds_count{method=\"StreamCheckDocuments\"}",
            1.0,
        ),
        ("sltd_snapshot_generation", 1.0),
        ("sltd_ready", 1.0),
        ("sltd_snapshot_segments", 1.0),
        ("sltd_source_stale{source=\"own\"}", 0.0),
        ("sltd_connections_accepted_total", 3.0),
    ] {
        assert_eq!(metrics.metric(name), expected, "{name}: {}", metrics.text);
    }
    assert!(metrics.metric("sltd_answer_seconds_sum{method=\"CheckDocument\"}") > 0.0);
    for number in NUMBERS {
        assert!(!metrics.text.contains(number), "{number}: {}", metrics.text);
    }
}

#[test]
fn the_segments_of_snapshots_gone_by_are_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let length = |manifest: sltd::snapshot::Manifest| manifest.segments[0].length as f64;
    publish(&store, ROWS);
    let (_server, monitor) = Server::monitored(&store, "");
    let mapped = "sltd_segment_bytes{load=\"mmap\"}";
    for _ in 0..3 {
        let bytes = length(publish(&store, &ROWS.replace("stolen,", "lost,")));
        wait_for_metric(monitor, mapped, bytes);
        let bytes = length(publish(&store, ROWS));
        wait_for_metric(monitor, mapped, bytes);
    }
}

#[test]
fn clients_that_say_nothing_or_garbage_harm_nobody() {
    let dir = store(ROWS);
    let (server, monitor) = Server::monitored(dir.path(), "");
    // More than there is room for, and slow: those that came first are hung up on.
    let mut slow: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(monitor).unwrap();
            let _ = stream.write_all(b"GET /met");
            stream
        })
        .collect();
    server.still_answers();
    // Whoever comes with a question is answered.
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(get(monitor, path).status, 200, "{path}");
    }
    assert!(matches!(slow[0].read(&mut [0; 512]), Ok(_) | Err(_)));
    drop(slow);
    let endless = b"GET /healthz HTTP/1.1\r\nX: ".iter().copied();
    let endless: Vec<u8> = endless.chain(std::iter::repeat_n(b'a', 1 << 20)).collect();
    let garbage: [&[u8]; 4] = [
        b"\0\xff garbage\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        &endless,
    ];
    for said in garbage {
        let answer = say(monitor, said);
        assert!(answer.is_none_or(|page| page.status >= 400));
    }
    let post = say(
        monitor,
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    );
    assert_eq!(post.unwrap().status, 405);
    assert_eq!(get(monitor, "/nowhere").status, 404);
    assert_eq!(get(monitor, "/metrics").status, 200);
    server.still_answers();
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

#[test]
fn readiness_ends_with_the_drain_and_the_listener_after_it() {
    let dir = store(ROWS);
    let (mut server, monitor) = Server::monitored(dir.path(), "drain = \"2m\"\n");
    block_on(async {
        let client = server.client().await;
        let (sender, questions) = tokio::sync::mpsc::channel(1);
        let questions = tokio_stream::wrappers::ReceiverStream::new(questions);
        let options = StreamOptions {
            chunk_items: std::num::NonZeroUsize::MIN,
            ..StreamOptions::default()
        };
        let chunks = tokio_stream::StreamExt::map(questions, |question: Question| {
            let mut chunk = sltd::client::Chunk::new();
            chunk.push(&question).unwrap();
            chunk
        });
        sender.send(passport("12AB34567")).await.unwrap();
        let mut answers = client.stream_chunks(chunks, options).await.unwrap();
        answers.next().await.unwrap().unwrap();
        server.terminate();
        wait_for("the drain to be told of", || {
            get(monitor, "/readyz").status == 503
        });
        assert_eq!(
            get(monitor, "/readyz").text,
            "not ready: the server is ending\n"
        );
        assert_eq!(get(monitor, "/healthz").status, 200);
        drop(sender);
        assert!(answers.next().await.unwrap().is_none());
    });
    assert_eq!(server.wait().code(), Some(0));
    assert!(TcpStream::connect(monitor).is_err());
}

#[test]
fn only_loopback_addresses_tell() {
    let dir = store(ROWS);
    let store = dir.path().to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--store", store];
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (address, part, code) in [
        ("0.0.0.0:0", "not a loopback address", 2),
        (taken.as_str(), "cannot listen", 3),
    ] {
        let command = [&serve[..], &["--metrics", address]].concat();
        sltd(&command).exits(code).says(part);
    }
}
