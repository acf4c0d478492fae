//! From a text to the characters of a zone and the lengths of its lines.

use super::MrzError;
use crate::document::characters::ascii;
use std::fmt;

/// The lengths of a zone's lines, for messages: all that may be said of a text that fits no layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ZoneShape {
    lines: usize,
    lengths: [usize; Zone::MAX_LINES],
}

impl ZoneShape {
    /// Number of lines, blank ones not counted.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Characters of each line; of the first three where there are more.
    pub fn lengths(&self) -> &[usize] {
        self.lengths.get(..self.lines).unwrap_or(&self.lengths)
    }
}

impl fmt::Display for ZoneShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines > Zone::MAX_LINES {
            return write!(f, "{} lines", self.lines);
        }
        match *self.lengths() {
            [a] => write!(f, "one line of {a} characters"),
            [a, b] => write!(f, "lines of {a} and {b} characters"),
            [a, b, c] => write!(f, "lines of {a}, {b} and {c} characters"),
            _ => f.write_str("no line"),
        }
    }
}

/// The characters of a zone, one line after the other, all of `A-Z0-9<`.
pub(super) struct Zone {
    characters: [u8; Self::MAX_CHARACTERS],
    length: usize,
    shape: ZoneShape,
}

impl Zone {
    /// TD1: three lines of 30.
    const MAX_CHARACTERS: usize = 90;
    const MAX_LINES: usize = 3;

    /// Takes lines parted by line breaks or, in a text without any, by blanks. A blank within one of several
    /// lines is a wrong character: joining the pieces could shift every column after it unseen.
    pub(super) fn scan(text: &str) -> Result<Self, MrzError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let is_break = |character: char| matches!(character, '\n' | '\r');
        let has_breaks = text.contains(is_break);
        let parts = |character: char| {
            if has_breaks {
                is_break(character)
            } else {
                character.is_whitespace()
            }
        };

        let mut characters = [b'<'; Self::MAX_CHARACTERS];
        let mut length = 0;
        let mut shape = ZoneShape::default();
        for line in text
            .split(parts)
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let mut column = 0;
            for character in line.chars() {
                column += 1;
                let Some(byte) = fold(character) else {
                    let line = shape.lines + 1;
                    return Err(MrzError::Character { line, column });
                };
                // What is past the end is counted only: the shape fits no layout then.
                if let Some(slot) = characters.get_mut(length) {
                    *slot = byte;
                }
                length += 1;
            }
            if let Some(slot) = shape.lengths.get_mut(shape.lines) {
                *slot = column;
            }
            shape.lines += 1;
        }
        if length == 0 {
            return Err(MrzError::Empty);
        }
        Ok(Self {
            characters,
            length,
            shape,
        })
    }

    pub(super) fn shape(&self) -> ZoneShape {
        self.shape
    }

    /// The characters, without line breaks.
    pub(super) fn characters(&self) -> &[u8] {
        self.characters
            .get(..self.length)
            .unwrap_or(&self.characters)
    }

    /// Whether the lines have these lengths, or come as one line of their total length.
    pub(super) fn fits(&self, lengths: &[usize]) -> bool {
        let unbroken = self.shape.lines == 1 && self.length == lengths.iter().sum::<usize>();
        unbroken || (self.shape.lines <= Self::MAX_LINES && self.shape.lengths() == lengths)
    }
}

/// A character of the zone in its canonical form.
fn fold(character: char) -> Option<u8> {
    let byte = u8::try_from(character)
        .ok()
        .or_else(|| ascii(character))?
        .to_ascii_uppercase();
    matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'<').then_some(byte)
}
