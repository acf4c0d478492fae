//! Where the frames of HTTP/2 begin in a sequence of bytes (RFC 9113, section 4.1).
//!
//! h2 answers much by itself (PING, SETTINGS, header lists that are too large) and tells nobody. Whoever wants to
//! know what a client costs has to look at the frames.

/// DATA.
pub(super) const DATA: u8 = 0;
/// RST_STREAM.
pub(super) const RST_STREAM: u8 = 3;

/// Bytes of a frame before its payload.
pub(super) const HEAD_BYTES: usize = 9;
/// The same with the payload of RST_STREAM, which is an error code.
const RESET_BYTES: usize = HEAD_BYTES + 4;

/// A frame that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Its type.
    pub(super) kind: u8,
    /// Bytes of its payload.
    pub(super) payload: usize,
    /// The error code, of RST_STREAM.
    pub(super) code: Option<u32>,
}

/// Follows the frames of one direction of a connection, however its bytes are cut.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The beginning of a frame of which more is needed.
    begun: [u8; RESET_BYTES],
    begun_len: usize,
    /// Bytes of the payload still to come, and whether it is DATA's.
    left: usize,
    is_data: bool,
}

impl Frames {
    /// Bytes still to come of a DATA frame that has begun; 0 if another frame has, or none.
    pub(super) fn data_left(&self) -> usize {
        if self.is_data { self.left } else { 0 }
    }

    /// Passes over `bytes`; calls `began` for each frame of which the beginning is complete with them.
    pub(super) fn scan(&mut self, mut bytes: &[u8], mut began: impl FnMut(Frame)) {
        loop {
            let passed = self.left.min(bytes.len());
            self.left -= passed;
            bytes = bytes.get(passed..).unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
            let before = self.begun_len;
            // As a rule a frame's beginning is whole and is read where it lies.
            let begun = match before {
                0 => read(bytes),
                _ => None,
            };
            let Some((frame, read)) = begun.or_else(|| self.complete(bytes)) else {
                return;
            };
            self.begun_len = 0;
            self.left = (HEAD_BYTES + frame.payload).saturating_sub(read);
            self.is_data = frame.kind == DATA;
            bytes = bytes.get(read - before..).unwrap_or_default();
            began(frame);
        }
    }

    /// Adds to the beginning that is kept, and reads it if it is complete then.
    fn complete(&mut self, bytes: &[u8]) -> Option<(Frame, usize)> {
        let space = self.begun.get_mut(self.begun_len..).unwrap_or_default();
        let more = space.len().min(bytes.len());
        for (to, from) in space.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.begun_len += more;
        read(self.begun.get(..self.begun_len).unwrap_or_default())
    }
}

/// The frame that begins here, and how many bytes say so; `None` if more are needed.
fn read(bytes: &[u8]) -> Option<(Frame, usize)> {
    let &[a, b, c, kind, _flags, ..] = bytes.first_chunk::<HEAD_BYTES>()?;
    let payload = u32::from_be_bytes([0, a, b, c]) as usize;
    let frame = Frame {
        kind,
        payload,
        code: None,
    };
    if kind != RST_STREAM || payload != RESET_BYTES - HEAD_BYTES {
        return Some((frame, HEAD_BYTES));
    }
    let &[.., a, b, c, d] = bytes.first_chunk::<RESET_BYTES>()?;
    let code = Some(u32::from_be_bytes([a, b, c, d]));
    Some((Frame { code, ..frame }, RESET_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(kind: u8, payload: &[u8]) -> Vec<u8> {
        let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[..], &[kind, 0, 0, 0, 0, 1], payload].concat()
    }

    #[test]
    fn frames_are_found_however_their_bytes_are_cut() {
        let frames = [
            bytes_of(1, &[7; 20]),
            bytes_of(DATA, &[0; 300]),
            bytes_of(4, &[]),
            bytes_of(RST_STREAM, &[0, 0, 0, 8]),
            // Against the rules, which h2 says to the client.
            bytes_of(RST_STREAM, &[1, 2]),
            bytes_of(6, &[9; 8]),
            bytes_of(RST_STREAM, &[0, 0, 0, 1]),
        ]
        .concat();
        let frame = |kind, payload, code| Frame {
            kind,
            payload,
            code,
        };
        let expected = [
            frame(1, 20, None),
            frame(DATA, 300, None),
            frame(4, 0, None),
            frame(RST_STREAM, 4, Some(8)),
            frame(RST_STREAM, 2, None),
            frame(6, 8, None),
            frame(RST_STREAM, 4, Some(1)),
        ];
        for first in 0..=frames.len() {
            for step in [1, 2, 5, 13, 400] {
                let mut scan = Frames::default();
                let mut found = Vec::new();
                let (begin, rest) = frames.split_at(first);
                for bytes in [begin].into_iter().chain(rest.chunks(step)) {
                    scan.scan(bytes, |frame| found.push(frame));
                }
                assert_eq!(found, expected, "cut at {first}, then by {step}");
                assert_eq!(scan.data_left(), 0);
            }
        }
    }

    #[test]
    fn what_is_left_of_data_is_known() {
        let mut scan = Frames::default();
        let data = bytes_of(DATA, &[0; 100]);
        scan.scan(&data[..9], |_| {});
        assert_eq!(scan.data_left(), 100);
        scan.scan(&data[9..60], |_| {});
        assert_eq!(scan.data_left(), 49);
        scan.scan(&data[60..], |_| {});
        assert_eq!(scan.data_left(), 0);
        scan.scan(&bytes_of(1, &[0; 100])[..50], |_| {});
        assert_eq!(scan.data_left(), 0);
    }
}
