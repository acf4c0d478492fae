//! The normalised document number.

#[cfg(test)]
mod tests;

use super::cell;
use super::characters::{ascii, is_invisible};
use super::transliteration::{base, composed, fold};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A normalised document number: ASCII `A-Z0-9`, 1 to 24 bytes.
///
/// The only form of a number that is ever stored, hashed or compared, and never an integer: leading zeros count.
/// Order and equality are those of [`as_bytes`](Self::as_bytes). [`Display`](fmt::Display) prints the number,
/// [`Debug`] does not: what is debug-printed ends up in logs.
///
/// ```
/// use sltd::document::DocumentNumber;
///
/// // As printed, as listed with a Cyrillic series, as typed on a full-width keyboard.
/// for raw in ["ch 012-345", " СН 012345", "ＣＨ０１２３４５"] {
///     assert_eq!(DocumentNumber::normalise(raw)?.as_str(), "CH012345");
/// }
/// let error = DocumentNumber::normalise("CH 012?45").unwrap_err();
/// assert!(error.to_string().starts_with("character 7 is U+003F '?'"));
/// # Ok::<(), sltd::document::NumberError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
// Whole words, also with a tag beside them: copies of 25 bytes overlap themselves, and a processor waits for each to be
// written before it reads it.
#[repr(align(8))]
pub struct DocumentNumber {
    /// Zero past the end, and nowhere else.
    bytes: [u8; Self::MAX_LEN],
}

/// Why a text is no document number. Repeats nothing of the text but the one character it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Nothing is left once blanks and separators are dropped.
    #[error(
        "no letter or digit: expected 1 to {} of them",
        DocumentNumber::MAX_LEN
    )]
    Empty,
    /// More than [`DocumentNumber::MAX_LEN`] letters and digits.
    #[error(
        "{length} letters and digits: expected 1 to {}",
        DocumentNumber::MAX_LEN
    )]
    TooLong {
        /// Letters and digits of the normalised form.
        length: usize,
    },
    /// A character that no document number holds.
    #[error("character {position} is {}: expected letters, digits, spaces and - . / _ <", Shown(*.character))]
    Character {
        /// The character.
        character: char,
        /// Its place in the text as given, in characters, from 1.
        position: usize,
    },
    /// Digits with a decimal point or comma: a spreadsheet has stored the cell as an amount.
    #[error(
        "digits with a decimal point: expected a document number; a spreadsheet has probably kept it as an amount, so \
         export the column as text"
    )]
    Decimal,
    /// A number in scientific notation: a spreadsheet has stored the cell as an amount and lost digits.
    #[error(
        "a number with an exponent: expected a document number; a spreadsheet has probably kept it as an amount, so \
         export the column as text"
    )]
    Exponent,
    /// A word, words, run of zeros or single character that people enter where they have no number.
    #[error("a placeholder, not a document number")]
    Placeholder,
    /// Two numbers of one shape.
    #[error(
        "two numbers: expected one; in a list, the last number of a range belongs into the column range_end"
    )]
    TwoNumbers,
    /// The bytes are not UTF-8.
    #[error("byte {position} is not UTF-8 text: expected letters, digits, spaces and - . / _ <")]
    NotUtf8 {
        /// The first byte that is not, from 1.
        position: usize,
    },
}

/// What the fast path does with a byte: a letter or digit stands for itself.
const DROPPED: u8 = 0;
/// The byte needs the slow path: not ASCII, white space other than the space, or an error.
const SLOW: u8 = 1;

/// Bytes to letters and digits, [`DROPPED`] or [`SLOW`].
const FOLDED: [u8; 256] = {
    let mut table = [SLOW; 256];
    let mut byte = 0;
    while byte < 128 {
        let ascii = byte as u8;
        if ascii.is_ascii_alphanumeric() {
            table[byte] = ascii.to_ascii_uppercase();
        } else if matches!(ascii, b' ' | b'-' | b'.' | b'/' | b'_' | b'<') {
            table[byte] = DROPPED;
        }
        byte += 1;
    }
    table
};

impl DocumentNumber {
    /// The longest number kept, in bytes. The machine-readable zone holds at most 22 (Doc 9303 part 5).
    pub const MAX_LEN: usize = 24;

    /// Normalises a number as typed, printed or listed.
    ///
    /// Trims white space; turns letters into capitals; drops spaces, every dash, hyphen and minus, `.`, `/`, `_`, the
    /// filler `<` and what nobody sees (soft hyphens, zero-width characters, marks of direction); maps digits of all
    /// scripts and full-width forms to ASCII, and Cyrillic and Greek letters to Latin ones: by look where a look-alike
    /// exists (`С` is `C`, `Η` is `H`), else, for Cyrillic ones, by the transliteration of Doc 9303 part 3 section 6
    /// (`Ж` is `ZH`, the soft sign nothing). A letter and its marks are the same in one character and in several. `O`
    /// and `0`, `I` and `1` stay apart: both occur in real numbers.
    ///
    /// Normalising the result again changes nothing. Does not allocate.
    ///
    /// # Errors
    /// [`NumberError`] names the first character that is none of these and its position, before it looks at the
    /// length.
    pub fn normalise(raw: &str) -> Result<Self, NumberError> {
        match Self::normalise_ascii(raw.as_bytes()) {
            Some(number) => Ok(number),
            None => Self::normalise_slowly(raw),
        }
    }

    /// [`normalise`](Self::normalise) for a field of a file whose encoding has not been checked.
    ///
    /// # Errors
    /// Those of `normalise`, and [`NumberError::NotUtf8`].
    pub fn normalise_bytes(raw: &[u8]) -> Result<Self, NumberError> {
        if let Some(number) = Self::normalise_ascii(raw) {
            return Ok(number);
        }
        match std::str::from_utf8(raw) {
            Ok(raw) => Self::normalise_slowly(raw),
            Err(error) => Err(NumberError::NotUtf8 {
                position: error.valid_up_to() + 1,
            }),
        }
    }

    /// Reads the cell of a list or what somebody typed: [`normalise`](Self::normalise), but a text that holds no
    /// number, or more than one, is refused although its letters and digits would make one.
    ///
    /// Whether the number is a [placeholder](super::Placeholders) is not asked here, as sources may exempt some. A
    /// text that is a placeholder and no number (`#N/A`, `?`) is one whatever they exempt.
    ///
    /// ```
    /// use sltd::document::{DocumentNumber, NumberError};
    ///
    /// assert_eq!(DocumentNumber::from_cell("990000201.0"), Err(NumberError::Decimal));
    /// assert_eq!(DocumentNumber::from_cell("AB990204-AB990209"), Err(NumberError::TwoNumbers));
    /// assert_eq!(DocumentNumber::from_cell("12.345.678")?.as_str(), "12345678");
    /// # Ok::<(), NumberError>(())
    /// ```
    ///
    /// # Errors
    /// Those of `normalise`, [`NumberError::Decimal`], [`NumberError::Exponent`], [`NumberError::TwoNumbers`],
    /// [`NumberError::Placeholder`].
    #[inline]
    pub fn from_cell(raw: &str) -> Result<Self, NumberError> {
        match Self::normalise_ascii(raw.as_bytes()) {
            Some(number) if number.is_all_of(raw.as_bytes()) => Ok(number),
            _ => cell::read(raw),
        }
    }

    /// [`from_cell`](Self::from_cell) for a field of a file whose encoding has not been checked.
    ///
    /// # Errors
    /// Those of `from_cell`, and [`NumberError::NotUtf8`].
    #[inline]
    pub fn from_cell_bytes(raw: &[u8]) -> Result<Self, NumberError> {
        match Self::normalise_ascii(raw) {
            Some(number) if number.is_all_of(raw) => Ok(number),
            _ => match std::str::from_utf8(raw) {
                Ok(raw) => cell::read(raw),
                Err(error) => Err(NumberError::NotUtf8 {
                    position: error.valid_up_to() + 1,
                }),
            },
        }
    }

    /// Whether ASCII text holds this number and surely nothing else, at a glance: letters and digits alone are no
    /// amount and no two numbers, nor is a short number with one gap, as nearly all are printed. A point may be a decimal
    /// one, a hyphen behind an `E` the sign of an exponent, and what has no digit is words.
    #[inline]
    fn is_all_of(&self, raw: &[u8]) -> bool {
        let length = self.length();
        raw.len() == length || raw.len() == length + 1 && self.has_one_gap(raw)
    }

    /// [`is_all_of`](Self::is_all_of) for a text of which one character is not in the number.
    fn has_one_gap(&self, raw: &[u8]) -> bool {
        if raw.len() > cell::TWO_NUMBERS_MIN {
            return false;
        }
        let found = |what: u8| {
            raw.iter()
                .fold(false, |found, byte| found | (*byte == what))
        };
        let may_be_exponent = found(b'-') && (found(b'E') | found(b'e'));
        let has_digit = self
            .bytes
            .iter()
            .fold(false, |found, byte| found | byte.is_ascii_digit());
        has_digit && !(found(b'.') | may_be_exponent)
    }

    /// Takes bytes that are normalised already; `None` if they are not.
    pub fn from_normalised(bytes: &[u8]) -> Option<Self> {
        let mut number = Unfinished::new();
        for &byte in bytes {
            if !(byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
                return None;
            }
            number.push(byte);
        }
        number.finish().ok()
    }

    /// The number's bytes, `A-Z0-9`.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length()).unwrap_or_default()
    }

    /// How many bytes there are before the zeros.
    #[inline]
    fn length(&self) -> usize {
        let (words, _) = self.bytes.as_chunks();
        words.iter().fold(0, |length, word| {
            let zeros = u64::from_le_bytes(*word).leading_zeros() / u8::BITS;
            length + size_of::<u64>() - zeros as usize
        })
    }

    /// The number's bytes with zero bytes behind them: a form of one length for all numbers, which sorts as they do.
    #[inline]
    pub fn padded(&self) -> &[u8; Self::MAX_LEN] {
        &self.bytes
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// What nearly all numbers are made of. `None` for everything else, long texts and errors included: the slow
    /// path words them.
    ///
    /// No branch depends on what a byte is: where separators stand differs from number to number, and a wrong guess
    /// costs more than the rest of the loop. What is dropped is written as the zero that it must leave behind.
    #[inline]
    fn normalise_ascii(raw: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX_LEN];
        let mut len = 0;
        let mut slow = raw.len() > Self::MAX_LEN;
        for &byte in raw.iter().take(Self::MAX_LEN) {
            let folded = FOLDED[usize::from(byte)];
            if let Some(slot) = bytes.get_mut(len) {
                *slot = folded;
            }
            len += usize::from(folded != DROPPED);
            slow |= folded == SLOW;
        }
        (!slow && len > 0).then_some(Self { bytes })
    }

    #[cold]
    fn normalise_slowly(raw: &str) -> Result<Self, NumberError> {
        let trimmed = raw.trim_start();
        let before = raw.chars().count() - trimmed.chars().count();
        let mut number = Unfinished::new();
        let mut rest = trimmed.trim_end().chars();
        let mut position = before;
        while let Some(character) = rest.next() {
            position += 1;
            match ascii(character).map(|byte| FOLDED[usize::from(byte)]) {
                Some(DROPPED) => {}
                Some(folded) if folded != SLOW && composed(character, rest.as_str()).1 == 0 => {
                    number.push(folded);
                }
                _ if is_space(character) || is_invisible(character) => {}
                _ => {
                    let (letter, marks) = composed(character, rest.as_str());
                    match fold(letter).or_else(|| fold(base(letter))) {
                        Some(letters) => letters.bytes().for_each(|letter| number.push(letter)),
                        None => {
                            return Err(NumberError::Character {
                                character: letter,
                                position,
                            });
                        }
                    }
                    for _ in 0..marks {
                        rest.next();
                        position += 1;
                    }
                }
            }
        }
        number.finish()
    }
}

/// A space in the sense of Unicode (general category Zs), such as the no-break space that spreadsheets leave
/// behind. A tab or a line break within a number is something else: a sign that two fields ran together.
fn is_space(character: char) -> bool {
    character.is_whitespace()
        && !character.is_control()
        && !matches!(character, '\u{2028}' | '\u{2029}')
}

/// A number while it is put together. Counts on past the end, so that an error can say how long the text was.
struct Unfinished {
    bytes: [u8; DocumentNumber::MAX_LEN],
    length: usize,
}

impl Unfinished {
    fn new() -> Self {
        Self {
            bytes: [0; DocumentNumber::MAX_LEN],
            length: 0,
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
        }
        self.length += 1;
    }

    fn finish(self) -> Result<DocumentNumber, NumberError> {
        match self.length {
            0 => Err(NumberError::Empty),
            1..=DocumentNumber::MAX_LEN => Ok(DocumentNumber { bytes: self.bytes }),
            length => Err(NumberError::TooLong { length }),
        }
    }
}

impl PartialOrd for DocumentNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DocumentNumber {
    // The zeros past the end sort before every letter and digit: the padded arrays compare as the numbers do.
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

// Must not print the number: it ends up in logs.
impl fmt::Debug for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentNumber({} characters)", self.length())
    }
}

impl AsRef<[u8]> for DocumentNumber {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl FromStr for DocumentNumber {
    type Err = NumberError;

    /// The same as [`DocumentNumber::normalise`].
    fn from_str(raw: &str) -> Result<Self, NumberError> {
        Self::normalise(raw)
    }
}

/// A character in a message: its code point, and itself where that can be printed on a line.
struct Shown(char);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(character) = *self;
        write!(f, "U+{:04X}", u32::from(character))?;
        // `escape_debug` escapes what has no shape of its own: controls, marks, unassigned code points.
        let printable = character.is_ascii_graphic() || character.escape_debug().len() == 1;
        if printable && !character.is_whitespace() {
            write!(f, " '{character}'")
        } else {
            Ok(())
        }
    }
}
