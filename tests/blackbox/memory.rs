//! Clients that would use up the server's memory. What it takes stays within what SECURITY.md says, and honest clients
//! are answered meanwhile.

use crate::support::plain::{BATCH, STREAM, UNARY, call, connect, unfinished, whole};
use crate::support::{
    Hostile, ROWS, Server, announced, block_on, kind, passport, prefixed, publish, wait_for,
};
use prost::Message as _;
use sltd::client::{StreamOptions, Verdict};
use sltd::proto::StreamCheckDocumentsRequest;
use tonic::Code;
use tonic_types::StatusExt as _;

/// What the server may take for requests and answers, in MiB.
const MEMORY: u64 = 64;
/// What SECURITY.md adds to it, in MiB, with as many connections as are opened here.
const BESIDE: u64 = 64;
/// Streams of a connection.
const STREAMS: u32 = 256;

/// A server of little memory, and what it takes before anybody has called.
fn small_server() -> (tempfile::TempDir, Server, u64) {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, format!("memory = \"{MEMORY}MiB\"\nthreads = 2\n")).unwrap();
    let arguments = ["--config", config.to_str().unwrap()];
    let server = Server::start_with(dir.path(), &arguments, "info");
    server.still_answers();
    let before = server.memory("VmRSS");
    (dir, server, before)
}

/// Asserts that the server has never taken more than it may, that honest clients are answered, and that memory comes
/// back once the hostile ones are gone.
fn endures(server: &Server, before: u64, hostile: Vec<Hostile>) {
    server.still_answers();
    assert_eq!(honest_job(server), 1_000, "{}", server.log());
    let most = server.memory("VmHWM");
    assert!(
        most <= before + MEMORY + BESIDE,
        "{before} MiB grew to {most}"
    );
    drop(hostile);
    wait_for("memory to be given back", || {
        server.memory("VmRSS") < before + BESIDE / 2
    });
    server.still_answers();
}

/// The answers that a job of 1,000 documents gets.
fn honest_job(server: &Server) -> usize {
    block_on(async {
        let questions = (0..1_000).map(|n| passport(format!("88DD{n:05}")));
        let client = server.client().await;
        let mut answers = client
            .stream(questions, StreamOptions::default())
            .await
            .unwrap();
        let mut count = 0;
        while let Some(chunk) = answers.next().await.unwrap() {
            let verdicts = chunk.verdicts();
            count += verdicts
                .filter(|verdict| *verdict == Verdict::NoRecord)
                .count();
        }
        count
    })
}

fn chunk(numbers: Vec<u8>) -> Vec<u8> {
    let chunk = StreamCheckDocumentsRequest {
        numbers: numbers.into(),
        ..Default::default()
    };
    prefixed(0, &chunk.encode_to_vec())
}

/// Opens connections with answer windows of so many bytes, and as many calls on each as there may be, until the server
/// takes no more.
fn flood(server: &Server, window: u32, path: &str, bytes: &[u8]) -> Vec<Hostile> {
    let attack = |_| {
        let mut hostile = Hostile::connect(server.address, window);
        for call in 0..STREAMS {
            if !hostile.begin(2 * call + 1, path, bytes) {
                break;
            }
        }
        hostile
    };
    std::thread::scope(|scope| {
        let attacks: Vec<_> = (0..4).map(|n| scope.spawn(move || attack(n))).collect();
        attacks
            .into_iter()
            .map(|attack| attack.join().unwrap())
            .collect()
    })
}

#[test]
fn answers_that_are_never_taken() {
    let (_dir, server, before) = small_server();
    // Each line is an item that has an error.
    let mut hostile = flood(&server, 0, STREAM, &chunk(vec![b'\n'; 65_536]));
    let resets = |hostile: &[Hostile]| -> usize {
        let counts = hostile
            .iter()
            .map(|hostile| hostile.count(kind::RST_STREAM));
        counts.sum()
    };
    assert!(resets(&hostile) > 0, "nobody was ended");
    // What nobody reads.
    for hostile in &mut hostile {
        while hostile.send(1, &[0; 16_384]) {}
    }
    endures(&server, before, hostile);
}

#[test]
fn answers_of_which_a_byte_is_taken() {
    let (_dir, server, before) = small_server();
    let hostile = flood(&server, 1, STREAM, &chunk(vec![b'\n'; 65_536]));
    endures(&server, before, hostile);
}

#[test]
fn requests_that_never_end() {
    let (_dir, server, before) = small_server();
    let mebi = 1 << 20;
    let half = announced(0, 4 * mebi, &vec![0; 3 * mebi]);
    for path in [BATCH, STREAM] {
        let hostile = flood(&server, 65_535, path, &half);
        endures(&server, before, hostile);
    }
}

/// What SECURITY.md adds for the calls that wait, in MiB, and for each connection, in KiB.
const WAITING: u64 = 128;
const EACH_KIB: u64 = 600;

#[test]
fn many_connections_with_all_calls_open() {
    const CONNECTIONS: u64 = 128;
    let (_dir, server, before) = small_server();
    let question = prefixed(0, b"\x0a\x0912AB34567");
    // Nothing of a message, half of it, a whole one whose end does not come; a job without a chunk.
    for (path, bytes) in [
        (UNARY, &question[..0]),
        (UNARY, &question[..9]),
        (UNARY, &question),
        (STREAM, &question[..0]),
    ] {
        let open = |_| {
            let mut hostile = Hostile::connect(server.address, 0);
            for call in 0..STREAMS {
                hostile.begin(2 * call + 1, path, bytes);
            }
            hostile
        };
        let hostile: Vec<_> = (0..CONNECTIONS).map(open).collect();
        server.still_answers();
        wait_for("calls to be ended", || {
            hostile
                .iter()
                .any(|hostile| hostile.count(kind::RST_STREAM) > 0)
        });
        let most = server.memory("VmHWM");
        assert!(
            most <= before + BESIDE + WAITING + CONNECTIONS * EACH_KIB / 1024,
            "{before} MiB grew to {most}"
        );
        drop(hostile);
    }
    server.still_answers();
}

#[test]
fn a_batch_of_too_many_items_is_not_read_to_its_end() {
    let (_dir, server, before) = small_server();
    let empty_items = prefixed(0, &[0x0a, 0].repeat(2 << 20));
    block_on(async {
        let connection = connect(&server).await;
        for _ in 0..8 {
            let (_, status) = call(&connection, BATCH, whole(empty_items.clone()), &[]).await;
            assert_eq!(status.code(), Code::InvalidArgument);
            assert!(status.message().contains("10000"), "{status:?}");
        }
    });
    let most = server.memory("VmHWM");
    assert!(most < before + BESIDE, "{before} MiB grew to {most}");
}

#[test]
fn a_job_that_stalls_is_ended_and_told_where_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "stalled_after = \"1s\"\n").unwrap();
    let arguments = ["--config", config.to_str().unwrap()];
    let server = Server::start_with(dir.path(), &arguments, "info");
    // Three items, and the half of a chunk.
    let begun = [
        chunk(b"A1\nA2\nA3".to_vec()),
        announced(0, 100, b"\x0a\x10"),
    ]
    .concat();
    let status = block_on(async {
        let connection = connect(&server).await;
        call(&connection, STREAM, unfinished(begun), &[]).await.1
    });
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(
        status.message().ends_with("go on from item 3"),
        "{status:?}"
    );
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["next_item"], "3");
    // One that doesn't take its answer can't be told: its stream is reset.
    for window in [0, 1] {
        let mut hostile = Hostile::connect(server.address, window);
        assert!(hostile.begin(1, STREAM, &chunk(b"A1\nA2".to_vec())));
        wait_for("the stream to be reset", || {
            hostile.count(kind::RST_STREAM) == 1
        });
    }
    server.still_answers();
}
