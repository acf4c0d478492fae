//! Text in any encoding as UTF-8.

use std::io::{self, Cursor, Read};
use std::ops::Range;

use encoding_rs::{Decoder, UTF_8, UTF_16BE, UTF_16LE};

use super::READ_BYTES;
use crate::config::Encoding;
use crate::sources::SourceError;

/// Bytes that tell an encoding, by its mark or by what is beside letters: those of a few characters.
const FIRST_BYTES: usize = 16;

/// Calls `read` with a text in UTF-8, without its byte order mark. What the mark says counts before what the source
/// says: no list in another encoding begins with it by chance.
pub(super) fn as_utf8(
    file: &str,
    text: &mut dyn Read,
    stated: Encoding,
    read: impl FnOnce(&mut dyn Read) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let damaged = |error: io::Error| SourceError::Damaged {
        file: file.to_owned(),
        rows: 0,
        error: Box::new(error),
    };
    let other = |found: &'static str| SourceError::Encoding {
        file: file.to_owned(),
        found,
    };
    let mut first = Vec::new();
    let mut begins = (&mut *text).take(FIRST_BYTES as u64);
    begins.read_to_end(&mut first).map_err(damaged)?;
    if let [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] = *first {
        return Err(other("the byte order mark of UTF-32, which is not read"));
    }
    let (encoding, mark) = match Encoding::from_mark(&first) {
        Some((encoding, mark)) => (encoding, mark),
        None => (stated, 0),
    };
    let Some(encoding) = encoding.without_mark() else {
        return Err(other(
            "UTF-16 without a byte order mark: state utf-16le or utf-16be",
        ));
    };
    let utf_16 = stated.is_utf_16() || encoding != UTF_8 && mark > 0;
    let (le, be) = (encoding == UTF_16LE, encoding == UTF_16BE);
    let wrong = match seems(&first) {
        _ if mark > 0 => None,
        Seems::Ascii if le || be => Some("a text that is no UTF-16"),
        Seems::Utf16Le if !le => {
            Some("UTF-16 without a byte order mark: state utf-16le if it is a list")
        }
        Seems::Utf16Be if !be => {
            Some("UTF-16 without a byte order mark: state utf-16be if it is a list")
        }
        _ => None,
    };
    if let Some(wrong) = wrong {
        return Err(other(wrong));
    }
    let mut whole = Cursor::new(first.split_off(mark)).chain(text);
    if encoding == UTF_8 {
        read(&mut whole)
    } else {
        read(&mut Transcoded::new(
            &mut whole,
            encoding.new_decoder_without_bom_handling(),
            utf_16,
        ))
    }
}

/// What the first bytes of a text look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seems {
    /// Plain letters, digits and signs, each a byte.
    Ascii,
    /// Such with a zero after each.
    Utf16Le,
    /// Such with a zero before each.
    Utf16Be,
    Unknown,
}

fn seems(first: &[u8]) -> Seems {
    let plain = |byte: u8| byte.is_ascii() && byte != 0;
    match *first {
        [a, 0, b, 0, ..] if plain(a) && plain(b) => Seems::Utf16Le,
        [0, a, 0, b, ..] if plain(a) && plain(b) => Seems::Utf16Be,
        [_, _, _, _, ..] if first.iter().all(|&byte| plain(byte)) => Seems::Ascii,
        _ => Seems::Unknown,
    }
}

/// Text in another encoding as UTF-8.
struct Transcoded<'a> {
    inner: &'a mut dyn Read,
    decoder: Decoder,
    utf_16: bool,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// The part of `text` that has not been handed out.
    left: Range<usize>,
    ended: bool,
}

impl<'a> Transcoded<'a> {
    fn new(inner: &'a mut dyn Read, decoder: Decoder, utf_16: bool) -> Self {
        // What is read has to fit, with what the decoder has kept of a character.
        let most = decoder.max_utf8_buffer_length(READ_BYTES);
        Self {
            inner,
            decoder,
            utf_16,
            raw: vec![0; READ_BYTES],
            text: vec![0; most.unwrap_or(4 * READ_BYTES)],
            left: 0..0,
            ended: false,
        }
    }

    /// Decodes what comes next.
    fn decode(&mut self) -> io::Result<()> {
        let read = self.inner.read(&mut self.raw)?;
        self.ended = read == 0;
        let raw = self.raw.get(..read).unwrap_or_default();
        let (_, _, written, errors) = self.decoder.decode_to_utf8(raw, &mut self.text, self.ended);
        if self.ended && errors && self.utf_16 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the text ends inside a character of UTF-16",
            ));
        }
        self.left = 0..written;
        Ok(())
    }
}

impl Read for Transcoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() && !self.ended {
            self.decode()?;
        }
        let read = self
            .text
            .get(self.left.clone())
            .unwrap_or_default()
            .read(buffer)?;
        self.left.start += read;
        Ok(read)
    }
}
