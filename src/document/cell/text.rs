//! A cell as it came, in ASCII: what its characters stand for, separators included.

use crate::document::characters::{ascii, is_invisible};
use crate::document::transliteration::{base, fold};

/// What the characters of a cell stand for: letters and digits as they would be normalised, separators as they are in
/// ASCII, all white space as a blank, and everything else as `?`.
pub(super) struct Text {
    bytes: [u8; Self::LENGTH_MAX],
    length: usize,
}

/// A run of letters and digits, and how it is parted from the run before it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) end: usize,
    /// A slash, comma, semicolon or the like, a dash between blanks, or a word such as `to` stands before it.
    pub(super) parted: bool,
    /// A slash, a word such as `to`, or a dash between blanks stands before it: signs of a range.
    pub(super) range: bool,
    /// A word that can only stand between two numbers stands before it.
    pub(super) word: bool,
    /// A dash stands before it.
    pub(super) dash: bool,
}

/// Those of [`BETWEEN`] that are no series of letters.
const BETWEEN_ONLY: [&str; 10] = [
    "TO", "THRU", "THROUGH", "UNTIL", "AND", "OR", "BIS", "UND", "ODER", "TOT",
];

/// Words between the first and the last number of a range, or between two numbers.
const BETWEEN: [&str; 22] = [
    "TO", "THRU", "THROUGH", "UNTIL", "AND", "OR", "BIS", "UND", "ODER", "A", "AU", "ET", "AL",
    "Y", "E", "TOT", "EN", "DO", "AZ", "I", "PO", "TA",
];

impl Text {
    /// Longer texts are no cell of numbers.
    const LENGTH_MAX: usize = 96;
    /// The most runs looked at.
    pub(super) const RUNS_MAX: usize = 16;

    /// `None` for a text that is too long.
    pub(super) fn scan(raw: &str) -> Option<Self> {
        let mut text = Self {
            bytes: [b' '; Self::LENGTH_MAX],
            length: 0,
        };
        for character in raw.trim().chars() {
            let byte = match ascii(character) {
                Some(byte) if byte.is_ascii_whitespace() => b' ',
                Some(byte) => byte.to_ascii_uppercase(),
                None if is_invisible(character) => continue,
                None if character.is_whitespace() => b' ',
                None => {
                    let letter = base(character);
                    let spelling = fold(character).or_else(|| fold(letter));
                    match spelling.map(|spelling| spelling.bytes().next()) {
                        Some(Some(letter)) => letter,
                        // A letter without a spelling, such as the soft sign.
                        Some(None) => continue,
                        None if letter.is_ascii_alphabetic() => {
                            u8::try_from(letter.to_ascii_uppercase()).unwrap_or(b'?')
                        }
                        None => b'?',
                    }
                }
            };
            *text.bytes.get_mut(text.length)? = byte;
            text.length += 1;
        }
        Some(text)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The runs of letters and digits, without the words between two numbers. `None` if there are too many.
    pub(super) fn runs<'r>(&self, runs: &'r mut [Run; Self::RUNS_MAX]) -> Option<&'r [Run]> {
        let text = self.bytes();
        let mut count = 0;
        let mut at = 0;
        let mut word_before = false;
        let mut only_between = false;
        let mut previous_end = 0;
        while let Some(start) = find(text, at, |byte| byte.is_ascii_alphanumeric()) {
            let end = find(text, start, |byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
            at = end;
            let run = text.get(start..end).unwrap_or_default();
            let between = text.get(previous_end..start).unwrap_or_default();
            let blank = |at: Option<&u8>| at.is_none_or(|&byte| byte == b' ');
            let is_word = count > 0
                && blank(between.last())
                && blank(text.get(end))
                && BETWEEN.iter().any(|word| word.as_bytes() == run);
            if is_word {
                word_before = true;
                only_between |= BETWEEN_ONLY.iter().any(|word| word.as_bytes() == run);
                previous_end = end;
                continue;
            }
            let dashed = between.contains(&b'-');
            let free_dash = dashed && between.starts_with(b" ") && between.ends_with(b" ");
            let word = std::mem::take(&mut word_before);
            let sign = |signs: &[u8]| between.iter().any(|byte| signs.contains(byte));
            *runs.get_mut(count)? = Run {
                start,
                end,
                parted: word || free_dash || sign(b"/;,|&+~:?"),
                range: word || free_dash || sign(b"/~"),
                word: std::mem::take(&mut only_between),
                dash: dashed,
            };
            count += 1;
            previous_end = end;
        }
        runs.get(..count)
    }
}

fn find(text: &[u8], from: usize, what: impl Fn(u8) -> bool) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.iter().position(|&byte| what(byte)).map(|at| from + at)
}
