//! Numbers that may be right but seldom are: they are indexed, and counted.

use super::text::{Run, Text};
use crate::document::{DocumentNumber, DocumentType, IssuingState, format};

/// Why a number is unlikely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Unlikely {
    /// One character over and over, such as `1111111`.
    RepeatedCharacter = 0,
    /// A second number in short form behind the first, such as `AB990214/15`; papers are numbered `12345/19`, too.
    AbbreviatedRange = 1,
    /// It reads as a date: `19900101`, `01.01.1990`, `2026-11-01`.
    Date = 2,
    /// It has none of the formats known of its issuer's documents of the type; where none is known, it has no digit, as
    /// the names of another column.
    UnknownFormat = 3,
}

impl Unlikely {
    /// Every reason, in order.
    pub const ALL: [Self; 4] = [
        Self::RepeatedCharacter,
        Self::AbbreviatedRange,
        Self::Date,
        Self::UnknownFormat,
    ];

    /// Its stable name: `repeated_character`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RepeatedCharacter => "repeated_character",
            Self::AbbreviatedRange => "abbreviated_range",
            Self::Date => "date",
            Self::UnknownFormat => "unknown_format",
        }
    }

    /// The first reason for which a number is unlikely, in the order of [`ALL`](Self::ALL), if there is one. `raw` is
    /// the cell it was read from; of a number whose parts stand in two cells, the second.
    #[inline]
    pub fn find(
        raw: &str,
        number: &DocumentNumber,
        issuer: &IssuingState,
        document_type: DocumentType,
    ) -> Option<Self> {
        let bytes = number.as_bytes();
        if is_repeated(bytes) {
            return Some(Self::RepeatedCharacter);
        }
        // Only what has been dropped from the cell tells numbers apart, and one gap, as many are printed with, does not.
        let one_gap = raw.len() == bytes.len() + 1 && raw.as_bytes().contains(&b' ');
        if raw.len() != bytes.len()
            && !one_gap
            && let Some(text) = Text::scan(raw)
        {
            if is_abbreviated_range(&text) {
                return Some(Self::AbbreviatedRange);
            }
            if is_written_date(text.bytes()) {
                return Some(Self::Date);
            }
        }
        if is_plain_date(bytes) {
            return Some(Self::Date);
        }
        let fits = format::plausible(issuer, Some(document_type), number)
            .unwrap_or_else(|| bytes.iter().any(u8::is_ascii_digit));
        (!fits).then_some(Self::UnknownFormat)
    }
}

/// Whether one character makes up the number. Two or three of a kind are short, not repeated.
fn is_repeated(number: &[u8]) -> bool {
    match number {
        [first, rest @ ..] if rest.len() >= 3 => rest.iter().all(|byte| byte == first),
        _ => false,
    }
}

/// Whether up to four digits stand behind a slash or the like, fewer than the digits the number ends with; or more of
/// them, up to as many, that count on. Behind a mere hyphen, where check digits stand as well, all must count on.
fn is_abbreviated_range(text: &Text) -> bool {
    let mut runs = [Run::default(); Text::RUNS_MAX];
    let Some([.., first, last]) = text.runs(&mut runs) else {
        return false;
    };
    let bytes = |run: &Run| text.bytes().get(run.start..run.end).unwrap_or_default();
    let (number, short) = (bytes(first), bytes(last));
    let letters = number.len()
        - number
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
    let digits = number.get(letters..).unwrap_or_default();
    if short.is_empty()
        || !short.iter().all(u8::is_ascii_digit)
        || digits.len() < short.len()
        || number.len() < 5
    {
        return false;
    }
    let tail = digits.get(digits.len() - short.len()..).unwrap_or_default();
    let counts_on = short.len() >= 2 && short > tail;
    let is_short = short.len() <= 4 && short.len() < digits.len();
    (last.range && (is_short || counts_on)) || (last.dash && counts_on)
}

/// Whether digits in three groups are a day, month and year in one of the usual orders, with a time or without.
fn is_written_date(text: &[u8]) -> bool {
    let day = match text.iter().position(|byte| matches!(byte, b'T' | b' ')) {
        Some(at) if text.get(at + 1..).is_some_and(is_time) => text.get(..at).unwrap_or_default(),
        _ => text,
    };
    let mut groups = day.split(|byte| !byte.is_ascii_alphanumeric());
    let (Some(a), Some(b), Some(c), None) =
        (groups.next(), groups.next(), groups.next(), groups.next())
    else {
        return false;
    };
    let separators: usize = day
        .iter()
        .filter(|byte| !byte.is_ascii_alphanumeric())
        .count();
    if separators != 2 {
        return false;
    }
    match (value(a), value(b), value(c)) {
        (Some(year), Some(month), Some(day)) if a.len() == 4 && b.len() <= 2 && c.len() <= 2 => {
            is_day(year, month, day)
        }
        (Some(first), Some(second), Some(year)) if a.len() <= 2 && b.len() <= 2 => {
            let year = match c.len() {
                4 => year,
                2 => 2000 + year,
                _ => return false,
            };
            is_day(year, second, first) || is_day(year, first, second)
        }
        (Some(day), None, Some(year)) if a.len() <= 2 && matches!(c.len(), 2 | 4) => {
            let year = if c.len() == 2 { 2000 + year } else { year };
            month_of(b).is_some_and(|month| is_day(year, month, day))
        }
        _ => false,
    }
}

fn is_time(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
        && text.contains(&b':')
        && text
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z'))
}

/// Whether eight digits are a year, month and day, or a day, month and year.
fn is_plain_date(number: &[u8]) -> bool {
    let [y1, y2, y3, y4, m1, m2, d1, d2] = *number else {
        return false;
    };
    // Every row of a list comes here, and hardly any number has a century where a date has it.
    let century = |a, b| matches!((a, b), (b'1', b'9') | (b'2', b'0'));
    let of = |digits: &[u8]| value(digits).unwrap_or_default();
    (century(y1, y2) && is_day(of(&[y1, y2, y3, y4]), of(&[m1, m2]), of(&[d1, d2])))
        || (century(m1, m2) && is_day(of(&[m1, m2, d1, d2]), of(&[y3, y4]), of(&[y1, y2])))
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

fn value(digits: &[u8]) -> Option<u32> {
    let one = |value: Option<u32>, digit: &u8| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        value?.checked_mul(10)?.checked_add(digit)
    };
    let first = (!digits.is_empty()).then_some(0);
    digits.iter().fold(first, one)
}

/// The number of a month in its English short form, as spreadsheets write it.
fn month_of(text: &[u8]) -> Option<u32> {
    const MONTHS: &[u8; 36] = b"JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    let at = MONTHS.chunks_exact(3).position(|month| month == text)?;
    u32::try_from(at + 1).ok()
}
