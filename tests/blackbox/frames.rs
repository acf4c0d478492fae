//! Bytes against the rules of HTTP/2 (RFC 9113). The server hangs up, and goes on.

use crate::support::{
    END_HEADERS, END_STREAM, PREFACE, Raw, frame, header_block, kind, prefixed, serve,
};
use prost::Message as _;
use sltd::proto::CheckDocumentRequest;

const UNARY: &str = "/sltd.v1.LookupService/CheckDocument";

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
