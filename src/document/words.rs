//! The words that lists and officers use for types and states of documents.

use super::characters::{ascii, is_invisible};
use super::transliteration::look_alike;

/// A word of a list without case, blanks, hyphens and the like: `Identity-Card` and `identity card` are one.
pub(crate) struct Word {
    letters: [u8; Self::LENGTH_MAX],
    length: usize,
}

impl Word {
    /// Longer texts are no word that is known.
    const LENGTH_MAX: usize = 40;

    /// `None` for a text with anything else in it.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut word = Self {
            letters: [0; Self::LENGTH_MAX],
            length: 0,
        };
        for character in text.chars() {
            if is_invisible(character)
                || character.is_whitespace()
                || matches!(character, '\u{2019}')
            {
                continue;
            }
            match ascii(character).or_else(|| look_alike(character))? {
                letter if letter.is_ascii_alphabetic() => {
                    *word.letters.get_mut(word.length)? = letter.to_ascii_lowercase();
                    word.length += 1;
                }
                b'-' | b'_' | b'.' | b'/' | b'<' | b'\'' => {}
                _ => return None,
            }
        }
        Some(word)
    }

    /// Its letters, in lower case.
    pub(crate) fn as_str(&self) -> &str {
        let letters = self.letters.get(..self.length).unwrap_or_default();
        std::str::from_utf8(letters).unwrap_or_default()
    }
}
