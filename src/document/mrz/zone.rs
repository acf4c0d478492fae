//! From a text to the characters of a zone and the lengths of its lines.

use super::MrzError;
use crate::document::characters::{ascii, is_invisible};
use crate::document::transliteration::{composed, look_alike};
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

/// The characters of a zone, one line after the other: of `A-Z0-9<`, and what stands for others.
#[derive(Clone)]
pub(super) struct Zone {
    characters: [u8; Self::MAX_CHARACTERS],
    length: usize,
    shape: ZoneShape,
    /// Line and column of the first character that no zone holds.
    forbidden: Option<(usize, usize)>,
}

/// In place of a character that no zone holds.
const FORBIDDEN: u8 = b'?';
/// What readers give for the filler at the end of a line; anywhere else it is a character that no zone holds.
const UNDERSCORE: u8 = b'_';

impl Zone {
    /// TD1: three lines of 30.
    const MAX_CHARACTERS: usize = 90;
    const MAX_LINES: usize = 3;

    /// What may stand around a zone and a line of it, in order of trial. A quotation mark or a blank at the end of a line
    /// may be a column, too, where the lines fit no layout without: readers take fillers for them.
    pub(super) const AROUND: [Around; 3] = [is_quoted_or_blank, is_unseen_or_blank, is_unseen];

    /// Takes lines parted by line breaks or, in a text without any, by blanks. A blank within one of several
    /// lines is a wrong character: joining the pieces could shift every column after it unseen.
    ///
    /// What readers and files put around a zone and its lines is passed over, as far as `is_around` says so: control
    /// characters such as STX and ETX, which may also stand between two lines, quotation marks, and what nobody sees.
    pub(super) fn scan(text: &str, is_around: Around) -> Result<Self, MrzError> {
        let text = text.trim_matches(is_around);
        let has_breaks = text.contains(is_break);
        let parts = |character: char| {
            if has_breaks {
                is_break(character)
            } else {
                character.is_whitespace()
            }
        };

        let mut zone = Self {
            characters: [b'<'; Self::MAX_CHARACTERS],
            length: 0,
            shape: ZoneShape::default(),
            forbidden: None,
        };
        for line in text
            .split(parts)
            .filter(|line| !line.trim_matches(is_quoted_or_blank).is_empty())
            .map(|line| line.trim_matches(is_around))
        {
            let mut column = 0;
            let mut rest = line.chars();
            while let Some(character) = rest.next() {
                if is_invisible(character) {
                    continue;
                }
                column += 1;
                // A letter and its marks take one column.
                let (letter, marks) = composed(character, rest.as_str());
                rest.by_ref().take(marks).for_each(drop);
                let byte = fold(letter).unwrap_or(FORBIDDEN);
                if byte == FORBIDDEN {
                    let place = (zone.shape.lines + 1, column);
                    zone.forbidden.get_or_insert(place);
                }
                // What is past the end is counted only: the shape fits no layout then.
                if let Some(slot) = zone.characters.get_mut(zone.length) {
                    *slot = byte;
                }
                zone.length += 1;
            }
            if let Some(slot) = zone.shape.lengths.get_mut(zone.shape.lines) {
                *slot = column;
            }
            zone.shape.lines += 1;
        }
        if zone.length == 0 {
            return Err(MrzError::Empty);
        }
        Ok(zone)
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

    /// Whether the lines are the first ones of a layout of these, and not all.
    pub(super) fn begins(&self, lengths: &[usize]) -> bool {
        let given = self.shape.lengths();
        given.len() < lengths.len() && lengths.starts_with(given)
    }

    pub(super) fn has_underscores(&self) -> bool {
        self.characters().contains(&UNDERSCORE)
    }

    /// The error about the first character that no zone holds, if there is one.
    pub(super) fn forbidden(&self) -> Option<MrzError> {
        self.forbidden
            .map(|(line, column)| MrzError::Character { line, column })
    }

    /// Takes an underscore for the filler where it ends a line; one that stands elsewhere is no character of a zone.
    pub(super) fn end_lines(&mut self, lengths: &[usize]) {
        let mut start = 0;
        for &length in lengths {
            let mut at_end = true;
            for at in (start..start + length).rev() {
                match self.characters.get_mut(at) {
                    Some(slot) if *slot == UNDERSCORE && at_end => *slot = b'<',
                    Some(slot) if *slot == UNDERSCORE => {
                        *slot = FORBIDDEN;
                        let place = self.place(at);
                        let first = self.forbidden.is_none_or(|known| place < known);
                        if first {
                            self.forbidden = Some(place);
                        }
                    }
                    Some(b'<') => {}
                    _ => at_end = false,
                }
            }
            start += length;
        }
    }

    /// Puts the filler in place of the characters that no zone holds in a range.
    pub(super) fn blank_forbidden(&mut self, range: std::ops::Range<usize>) {
        for slot in self.characters.get_mut(range).unwrap_or_default() {
            if *slot == FORBIDDEN {
                *slot = b'<';
            }
        }
    }

    /// The error about a character that no zone holds and that has not been blanked.
    pub(super) fn still_forbidden(&self) -> Option<MrzError> {
        let at = self
            .characters()
            .iter()
            .position(|&byte| byte == FORBIDDEN)?;
        let (line, column) = self.place(at);
        Some(MrzError::Character { line, column })
    }

    /// Reads each digit of a range that OCR confuses with a letter as that letter; says whether there was one.
    pub(super) fn read_letters(&mut self, range: std::ops::Range<usize>) -> bool {
        let mut any = false;
        for slot in self.characters.get_mut(range).unwrap_or_default() {
            if let Some(letter) = letter_for(*slot) {
                *slot = letter;
                any = true;
            }
        }
        any
    }

    /// Line and column, from 1, of a character by its offset.
    fn place(&self, offset: usize) -> (usize, usize) {
        let mut before = 0;
        for (line, &length) in self.shape.lengths().iter().enumerate() {
            if offset < before + length {
                return (line + 1, offset - before + 1);
            }
            before += length;
        }
        (self.shape.lines, offset - before + 1)
    }
}

/// The letter that OCR reads as this digit: the pairs that users of readers complain of (foxanna/mrz_parser issues 3 and
/// 17, cheminfo/mrz `autoCorrection.ts`).
pub(super) fn letter_for(digit: u8) -> Option<u8> {
    Some(match digit {
        b'0' => b'O',
        b'1' => b'I',
        b'2' => b'Z',
        b'5' => b'S',
        b'8' => b'B',
        _ => return None,
    })
}

/// A character of the zone in its canonical form.
fn fold(character: char) -> Option<u8> {
    let byte = ascii(character)
        .or_else(|| look_alike(character))?
        .to_ascii_uppercase();
    matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'<' | UNDERSCORE).then_some(byte)
}

/// Whether a character around a line is none of it.
pub(super) type Around = fn(char) -> bool;

fn is_quoted_or_blank(character: char) -> bool {
    is_unseen_or_blank(character)
        || matches!(
            character,
            '"' | '\'' | '`' | '´' | '\u{2018}'..='\u{201F}' | '«' | '»' | '‹' | '›' | '＂' | '＇'
        )
}

fn is_unseen_or_blank(character: char) -> bool {
    character.is_whitespace() || is_unseen(character)
}

fn is_unseen(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

/// Line ends, and the control characters that readers put between lines: STX and ETX, NUL, the separators of files,
/// groups, records and units.
fn is_break(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{0}'..='\u{4}' | '\u{B}' | '\u{C}' | '\u{1C}'..='\u{1F}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}
