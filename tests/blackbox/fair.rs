//! Clients that cost much and bring nothing, and those that only look like it.
//!
//! How much an honest client suffers beside them is measured elsewhere (`tests/floods`); here is what becomes of them.

use crate::support::{
    END_HEADERS, END_STREAM, PREFACE, Raw, Server, frame, header_block, kind, prefixed, serve,
    wait_for,
};
use prost::Message as _;
use sltd::proto::{CheckDocumentRequest, StreamCheckDocumentsRequest};
use std::time::Duration;

const UNARY: &str = "/sltd.v1.LookupService/CheckDocument";
const STREAM: &str = "/sltd.v1.LookupService/StreamCheckDocuments";
/// Far more than any client may send without a call.
const FLOOD_BYTES: usize = 16 * 1024 * 1024;

/// How often the threads that serve calls have gone to sleep.
fn sleeps(server: &Server) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    let status =
        tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("status")).ok());
    let of_workers = status.filter(|status| status.starts_with("Name:\tserve-"));
    let counts = of_workers.map(|status| {
        let mut lines = status.lines();
        let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.unwrap().trim().parse::<u64>().unwrap()
    });
    counts.sum()
}

/// Looking whether more has come, again and again, cost a core for 15,900 such connections.
#[test]
#[cfg(target_os = "linux")]
fn who_has_said_half_of_the_preface_is_waited_for_asleep() {
    let (_dir, server) = serve();
    let mut half: Vec<Raw> = (0..200).map(|_| Raw::connect(server.address)).collect();
    for raw in &mut half {
        raw.send(&PREFACE[..1]);
    }
    server.still_answers();
    // Looking each 20 ms, threads would wake up some hundred times in this time.
    let before = sleeps(&server);
    std::thread::sleep(Duration::from_secs(2));
    let woken = sleeps(&server) - before;
    assert!(woken < 20, "{woken} times awake for nothing");
    // The rest may come in any pieces.
    let mut raw = half.pop().unwrap();
    for byte in &PREFACE[1..] {
        raw.send(&[*byte]);
        std::thread::sleep(Duration::from_millis(1));
    }
    raw.frame(kind::SETTINGS, 0, 0, &[]);
    raw.check(1).expect("an answer");
}

/// Sends `flood` again and again, reading what comes; returns how many bytes were taken until the server hung up.
fn flood(server: &Server, flood: impl Fn(u32) -> Vec<u8>) -> Option<usize> {
    let mut raw = Raw::open(server.address);
    let mut reader = raw.again();
    let reading = std::thread::spawn(move || reader.rest().len());
    let mut sent = 0;
    for round in 0.. {
        let bytes = flood(round);
        if sent >= FLOOD_BYTES || !raw.try_send(&bytes) {
            break;
        }
        sent += bytes.len();
    }
    raw.half_close();
    reading.join().unwrap();
    (sent < FLOOD_BYTES).then_some(sent)
}

/// The headers of a call and one more, with indexing, that fills the dynamic table (RFC 7541, section 6.2.1).
fn with_large_header(value: usize) -> Vec<u8> {
    let mut block = header_block(UNARY);
    block.extend([0x40, 1, b'x', 0x7f]);
    let mut rest = value - 127;
    while rest >= 128 {
        block.push((rest % 128) as u8 | 0x80);
        rest /= 128;
    }
    block.push(rest as u8);
    block.extend(vec![b'a'; value]);
    block
}

/// The bytes of a round.
type Flood<'a> = &'a dyn Fn(u32) -> Vec<u8>;

#[test]
fn who_sends_frames_and_never_calls_is_hung_up_on() {
    let (_dir, server) = serve();
    let many = |kind, flags, stream, payload: &[u8]| {
        frame(payload.len(), kind, flags, stream, payload).repeat(500)
    };
    let headers = |block: &[u8], round: u32| {
        let streams = (0..100).map(|n| 2 * (100 * round + n) + 1);
        let opened = streams.map(|stream| {
            frame(
                block.len(),
                kind::HEADERS,
                END_HEADERS | END_STREAM,
                stream,
                block,
            )
        });
        opened.collect::<Vec<_>>().concat()
    };
    // Names of headers that are refused: h2 answers 431 and tells nobody.
    let too_long = [
        header_block(UNARY),
        [&[0, 1, b'x', 0x7f, 0x81, 0xab, 1][..], &vec![b'a'; 22_144]].concat(),
    ]
    .concat();
    let reference = [header_block(UNARY), vec![0xbe; 8]].concat();
    let floods: [(&str, Flood); 7] = [
        ("PING", &|_| many(kind::PING, 0, 0, b"12345678")),
        ("answers to pings", &|_| many(kind::PING, 1, 0, b"12345678")),
        ("SETTINGS", &|_| {
            many(kind::SETTINGS, 0, 0, &[0, 5, 0, 0, 0x40, 0])
        }),
        ("PRIORITY", &|_| many(2, 0, 1, &[0, 0, 0, 3, 1])),
        ("frames of no known type", &|_| many(200, 0, 0, &[0; 64])),
        ("headers that are too long", &|round| {
            headers(&too_long, round)
        }),
        ("references to a large header", &|round| {
            let first = frame(0, 0, 0, 0, &[]).split_off(9);
            let block = with_large_header(3_900);
            let fill = frame(
                block.len(),
                kind::HEADERS,
                END_HEADERS | END_STREAM,
                200 * round + 1,
                &block,
            );
            let streams = (1..100).map(|n| 2 * (100 * round + n) + 1);
            let refer = streams.map(|stream| {
                frame(
                    reference.len(),
                    kind::HEADERS,
                    END_HEADERS | END_STREAM,
                    stream,
                    &reference,
                )
            });
            [first, fill, refer.collect::<Vec<_>>().concat()].concat()
        }),
    ];
    for (what, bytes) in floods {
        let sent = flood(&server, bytes);
        assert!(sent.is_some(), "{what}: all of it was taken");
        server.still_answers();
    }
}

#[test]
fn who_calls_may_send_other_frames_beside() {
    let (_dir, server) = serve();
    let mut raw = Raw::open(server.address);
    let mut beside = frame(8, kind::PING, 0, 0, b"12345678");
    beside.extend(frame(4, kind::WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()));
    // More than a connection without calls may send in all.
    for call in 0..100 {
        raw.send(&beside.repeat(500));
        raw.check(2 * call + 1).expect("an answer");
    }
}

/// A connection with a job that goes on, and what follows of its answers.
fn open_job(raw: &mut Raw) {
    raw.call(1, STREAM);
    ask_job(raw);
}

fn ask_job(raw: &mut Raw) {
    let chunk = StreamCheckDocumentsRequest {
        numbers: "12AB34567".into(),
        ..Default::default()
    };
    raw.frame(kind::DATA, 0, 1, &prefixed(0, &chunk.encode_to_vec()));
    loop {
        let frame = raw.next().expect("the job's connection was closed");
        if frame.kind == kind::DATA && frame.stream == 1 {
            return;
        }
    }
}

/// Calls that are cancelled before they are complete, as when their deadline is over.
fn cancelled(streams: std::ops::Range<u32>) -> Vec<u8> {
    let block = header_block(UNARY);
    let cancel = [0, 0, 0, 8];
    let streams = || streams.clone().map(|n| 2 * n + 1);
    let opened =
        streams().map(|stream| frame(block.len(), kind::HEADERS, END_HEADERS, stream, &block));
    let reset = streams().map(|stream| frame(4, kind::RST_STREAM, 0, stream, &cancel));
    opened.chain(reset).collect::<Vec<_>>().concat()
}

#[test]
fn deadlines_that_expire_in_bursts_end_no_job_of_the_same_connection() {
    let (_dir, server) = serve();
    let mut raw = Raw::open(server.address);
    // Answers to all of it may be under way.
    raw.frame(kind::WINDOW_UPDATE, 0, 0, &(1_u32 << 24).to_be_bytes());
    open_job(&mut raw);
    let mut next = 1;
    for burst in 0..8 {
        raw.send(&cancelled(next..next + 200));
        next += 200;
        ask_job(&mut raw);
        let answered = raw.check_all((next..next + 100).map(|n| 2 * n + 1));
        assert!(answered.is_some(), "burst {burst}");
        next += 100;
    }
}

#[test]
fn who_opens_calls_only_to_cancel_them_is_hung_up_on() {
    let (_dir, server) = serve();
    let whole = prefixed(0, &CheckDocumentRequest::default().encode_to_vec());
    for (path, message) in [
        (UNARY, true),
        (UNARY, false),
        (STREAM, false),
        ("/nothing", false),
    ] {
        let block = header_block(path);
        let reset = |stream| {
            let data = frame(whole.len(), kind::DATA, END_STREAM, stream, &whole);
            let opened = frame(block.len(), kind::HEADERS, END_HEADERS, stream, &block);
            let reset = frame(4, kind::RST_STREAM, 0, stream, &[0, 0, 0, 8]);
            [opened, if message { data } else { Vec::new() }, reset].concat()
        };
        let sent = flood(&server, |round| {
            (0..50)
                .flat_map(|n| reset(2 * (50 * round + n) + 1))
                .collect()
        });
        assert!(sent.is_some(), "{path}: all of it was taken");
        server.still_answers();
    }
}

#[test]
fn what_is_no_http2_is_said_once_in_the_log() {
    let (_dir, server) = serve();
    for _ in 0..50 {
        for begin in [
            &b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ] {
            let mut raw = Raw::connect(server.address);
            raw.send(begin);
            assert!(raw.rest().is_empty());
        }
    }
    for words in ["HTTP/1.1 came", "TLS came"] {
        wait_for(words, || server.log().contains(words));
        assert_eq!(server.log().matches(words).count(), 1, "{}", server.log());
    }
}

/// gRPC's C core sends the list of its addresses, where it has several, as `:authority`.
#[test]
fn an_authority_that_http2_refuses_is_said_once_in_the_log() {
    let (_dir, server) = serve();
    let mut raw = Raw::open(server.address);
    let block = header_block(UNARY);
    let place = block
        .windows(9)
        .position(|text| text == b"localhost")
        .unwrap();
    let list = b"127.0.0.1:7440,127.0.0.2:7440";
    let mut refused = block[..place - 1].to_vec();
    refused.push(list.len() as u8);
    refused.extend(list);
    refused.extend(&block[place + 9..]);
    for stream in [1, 3, 5] {
        raw.frame(kind::HEADERS, END_HEADERS | END_STREAM, stream, &refused);
        let reset = std::iter::from_fn(|| raw.next()).find(|frame| frame.kind == kind::RST_STREAM);
        assert_eq!(reset.expect("a refusal").payload, [0, 0, 0, 1]);
    }
    raw.check(7).expect("an answer");
    wait_for("the log to say so", || server.log().contains(":authority"));
    assert_eq!(
        server.log().matches(":authority").count(),
        1,
        "{}",
        server.log()
    );
}

#[test]
fn the_log_does_not_grow_at_a_clients_pace() {
    let (_dir, server) = serve();
    for _ in 0..20 {
        let mut raw = Raw::open(server.address);
        // Each is a line of h2's where it may speak.
        raw.send(&frame(8, kind::PING, 1, 0, b"12345678").repeat(500));
        raw.send(&cancelled(0..4_000));
        raw.half_close();
        raw.rest();
    }
    server.still_answers();
    let lines = server.log().lines().count();
    assert!(lines < 20, "{lines} lines: {}", server.log());
}
