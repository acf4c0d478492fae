//! A client that keeps to the letter of HTTP/2 and never takes an answer.

use super::http2::{END_HEADERS, Frame, PREFACE, Raw, frame, header_block, kind};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Setting of the window that each stream begins with.
const INITIAL_WINDOW_SIZE: u16 = 4;
/// A window without a window update (RFC 9113, section 6.9.2).
const WINDOW: i64 = 65_535;
/// The largest frame that need not be agreed on.
const FRAME_BYTES: usize = 16_384;
/// How long it tries to send before it takes the server to take no more.
const TRIES: Duration = Duration::from_secs(2);

/// A connection whose streams have a window of its choice for answers.
pub(crate) struct Hostile {
    raw: Raw,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

#[derive(Default)]
struct Seen {
    /// Bytes that may be sent.
    window: i64,
    frames: Vec<Frame>,
    ended: bool,
}

impl Hostile {
    /// Connects, and opens windows of so many bytes.
    pub(crate) fn connect(address: SocketAddr, window: u32) -> Self {
        let mut raw = Raw::connect(address);
        raw.send(PREFACE);
        let mut settings = INITIAL_WINDOW_SIZE.to_be_bytes().to_vec();
        settings.extend(window.to_be_bytes());
        raw.frame(kind::SETTINGS, 0, 0, &settings);
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        seen.0.lock().unwrap().window = WINDOW;
        let (mut reader, seen_by_reader) = (raw.clone(), Arc::clone(&seen));
        std::thread::spawn(move || {
            let (seen, changed) = &*seen_by_reader;
            while let Some(frame) = reader.next() {
                let mut seen = seen.lock().unwrap();
                if let (kind::WINDOW_UPDATE, 0, Ok(grown)) = (
                    frame.kind,
                    frame.stream,
                    frame.payload.as_slice().try_into(),
                ) {
                    seen.window += i64::from(u32::from_be_bytes(grown));
                }
                seen.frames.push(frame);
                changed.notify_all();
            }
            seen.lock().unwrap().ended = true;
            changed.notify_all();
        });
        Self { raw, seen }
    }

    /// Begins a call and sends bytes on it, which do not end it; `false` if the server does not take them all.
    pub(crate) fn begin(&mut self, stream: u32, path: &str, bytes: &[u8]) -> bool {
        let block = header_block(path);
        self.raw.send(&frame(
            block.len(),
            kind::HEADERS,
            END_HEADERS,
            stream,
            &block,
        ));
        self.send(stream, bytes)
    }

    /// Sends more on a call; `false` if the server does not take all.
    pub(crate) fn send(&mut self, stream: u32, bytes: &[u8]) -> bool {
        for part in bytes.chunks(FRAME_BYTES) {
            if !self.take_window(part.len()) {
                return false;
            }
            self.raw.frame(kind::DATA, 0, stream, part);
        }
        true
    }

    fn take_window(&self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap();
        let (seen, changed) = &*self.seen;
        let (mut seen, _) = changed
            .wait_timeout_while(seen.lock().unwrap(), TRIES, |seen| {
                seen.window < bytes && !seen.ended
            })
            .unwrap();
        if seen.window < bytes || seen.ended {
            return false;
        }
        seen.window -= bytes;
        true
    }

    /// The frames of a kind that the server has sent so far.
    pub(crate) fn count(&self, kind: u8) -> usize {
        let seen = self.seen.0.lock().unwrap();
        seen.frames
            .iter()
            .filter(|frame| frame.kind == kind)
            .count()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.raw.hang_up();
    }
}
