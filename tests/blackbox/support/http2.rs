//! HTTP/2 by hand (RFC 9113): for what no client library would send.

use super::PATIENCE;
use prost::Message as _;
use sltd::proto::CheckDocumentRequest;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// The first bytes of a connection.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types, as far as tests send or expect them.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// Flags of HEADERS and DATA.
pub(crate) const END_STREAM: u8 = 1;
/// Flag of PING and SETTINGS.
pub(crate) const ACK: u8 = 1;
/// Flag of HEADERS.
pub(crate) const END_HEADERS: u8 = 4;

/// A frame as received.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Raw(TcpStream);

impl Raw {
    /// Connects and says nothing.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Connects, sends the preface and empty settings.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let mut raw = Self::connect(address);
        raw.send(PREFACE);
        raw.frame(kind::SETTINGS, 0, 0, &[]);
        raw
    }

    /// The same from an address of this machine's own.
    pub(crate) fn open_from(from: [u8; 4], address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut raw = Self(stream);
        raw.send(PREFACE);
        raw.frame(kind::SETTINGS, 0, 0, &[]);
        raw
    }

    /// Another handle on the same connection.
    pub(crate) fn again(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }

    /// Asks about a document and reads to the end of the answer; `None` if there is none.
    pub(crate) fn check(&mut self, stream: u32) -> Option<()> {
        self.check_all([stream])
    }

    /// The same of several at once; `None` if one has no answer.
    pub(crate) fn check_all(&mut self, streams: impl IntoIterator<Item = u32>) -> Option<()> {
        let message = CheckDocumentRequest {
            number: "12AB34567".to_owned(),
            ..Default::default()
        };
        let message = prefixed(0, &message.encode_to_vec());
        let block = header_block("/sltd.v1.LookupService/CheckDocument");
        let mut calls = Vec::new();
        let mut open = BTreeSet::new();
        for stream in streams {
            calls.extend(frame(
                block.len(),
                kind::HEADERS,
                END_HEADERS,
                stream,
                &block,
            ));
            calls.extend(frame(
                message.len(),
                kind::DATA,
                END_STREAM,
                stream,
                &message,
            ));
            open.insert(stream);
        }
        self.send(&calls);
        let mut answered = open.clone();
        while !open.is_empty() {
            let frame = self.next()?;
            let ends = match frame.kind {
                kind::DATA | kind::HEADERS => frame.flags & END_STREAM != 0,
                kind => kind == kind::RST_STREAM,
            };
            if frame.kind == kind::DATA {
                answered.remove(&frame.stream);
            }
            if ends {
                open.remove(&frame.stream);
            }
        }
        answered.is_empty().then_some(())
    }

    /// Sends bytes; a server that has hung up already is no failure.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Sends bytes; returns whether the server was still there.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Sends a frame.
    pub(crate) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.send(&frame(payload.len(), kind, flags, stream, payload));
    }

    /// Begins a gRPC call.
    pub(crate) fn call(&mut self, stream: u32, path: &str) {
        let block = header_block(path);
        self.frame(kind::HEADERS, END_HEADERS, stream, &block);
    }

    /// Says that nothing more will come, and goes on listening; a server that has hung up already
    /// is no failure.
    pub(crate) fn half_close(&self) {
        match self.0.shutdown(Shutdown::Write) {
            Err(error) if error.kind() == std::io::ErrorKind::NotConnected => {}
            shut => shut.unwrap(),
        }
    }

    /// The same connection once more, to read while another thread writes.
    pub(crate) fn clone(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }

    /// Ends the connection both ways.
    pub(crate) fn hang_up(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }

    /// The next frame; `None` when the server has hung up.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.read(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.read(&mut payload)?;
        if kind == kind::PING && flags & ACK == 0 {
            // Whoever doesn't answer these is taken for dead.
            self.frame(kind::PING, ACK, 0, &payload);
        }
        Some(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes(stream),
            payload,
        })
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.0.read_exact(buffer) {
            Ok(()) => Some(()),
            // Distinct from hanging up: the server must not leave a wrong connection open.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the server neither answered nor hung up")
            }
            Err(_) => None,
        }
    }

    /// Everything until the server hangs up.
    pub(crate) fn rest(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

/// A frame whose header claims `length`.
pub(crate) fn frame(length: usize, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(length).unwrap().to_be_bytes();
    let mut bytes = length.to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The headers of a gRPC call, as literals without indexing and without Huffman coding (RFC 7541,
/// section 6.2.2).
pub(crate) fn header_block(path: &str) -> Vec<u8> {
    let headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            // Lengths below 127 are one byte.
            block.push(u8::try_from(text.len()).ok().filter(|&l| l < 127).unwrap());
            block.extend(text.bytes());
        }
    }
    block
}

/// A gRPC frame: flag, length, message.
pub(crate) fn prefixed(flag: u8, message: &[u8]) -> Vec<u8> {
    announced(flag, message.len(), message)
}

/// The same, claiming a length.
pub(crate) fn announced(flag: u8, length: usize, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flag];
    bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
    bytes.extend(message);
    bytes
}
