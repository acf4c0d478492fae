//! Cells that hold no document number, or more than one.
//!
//! [`DocumentNumber::normalise`] drops what separates the parts of a number, and with it all that tells `990000201.0`
//! from a number of ten digits and `AB990204-AB990209` from one of sixteen. So the text is looked at as it came. What
//! cannot be one number is refused, and the error names the cause ([`read`]); what may be one but seldom is, is counted
//! ([`unlikely`]). [`Placeholders`] are the numbers that people enter where they have none, and words.

mod placeholders;
#[cfg(test)]
mod tests;
mod text;
mod unlikely;

#[cfg(test)]
pub(super) use placeholders::WORD_MAX;
pub use placeholders::{Exemption, Placeholders};
pub use unlikely::Unlikely;

use super::{DocumentNumber, NumberError};
use text::{Run, Text};

/// The fewest characters of each of two numbers in one cell: shorter runs are the groups of one number.
const NUMBER_MIN: usize = 6;
/// Fewer letters and digits are not two such numbers.
pub(super) const TWO_NUMBERS_MIN: usize = 2 * NUMBER_MIN;

/// Reads a text that is not made of letters and digits alone.
pub(super) fn read(raw: &str) -> Result<DocumentNumber, NumberError> {
    let number = DocumentNumber::normalise(raw);
    let Some(text) = Text::scan(raw) else {
        return number;
    };
    if is_exponent(text.bytes()) {
        return Err(NumberError::Exponent);
    }
    if is_decimal(text.bytes()) {
        return Err(NumberError::Decimal);
    }
    if holds_two_numbers(&text) {
        return Err(NumberError::TwoNumbers);
    }
    let is_none = match number {
        Ok(_) => placeholders::is_phrase(raw, &text),
        Err(NumberError::Character { .. } | NumberError::Empty) => {
            placeholders::is_word(raw, &text)
        }
        Err(_) => false,
    };
    if is_none {
        return Err(NumberError::Placeholder);
    }
    number
}

/// Whether it is a number in scientific notation: `1.23457E8`, `1,23457E+08`, `1E+08`. Without point, comma and sign
/// it may be a document number (`12E45678`), and so it may with a hyphen behind several digits (`12E-45678`).
fn is_exponent(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|&byte| byte == b'E') else {
        return false;
    };
    let (mantissa, exponent) = text.split_at(at);
    let without_blanks = |part: &[u8], most: usize| {
        let mut kept = [0; 8];
        let mut length = 0;
        for &byte in part.iter().filter(|&&byte| byte != b' ') {
            if let Some(slot) = kept.get_mut(length) {
                *slot = byte;
            }
            length += 1;
        }
        (length <= most).then_some((kept, length))
    };
    let mantissa = trim_blanks(strip_sign(mantissa));
    let mut points = mantissa.iter().filter(|&&byte| matches!(byte, b'.' | b','));
    let has_point = points.next().is_some();
    if points.next().is_some()
        || !mantissa.first().is_some_and(u8::is_ascii_digit)
        || !mantissa
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
    {
        return false;
    }
    // A sign and three digits at the most.
    let Some((kept, length)) = without_blanks(exponent.get(1..).unwrap_or_default(), 4) else {
        return false;
    };
    let exponent = kept.get(..length).unwrap_or_default();
    let digits = strip_sign(exponent);
    let signed = match exponent.first() {
        Some(b'+') => true,
        Some(b'-') => has_point || mantissa.len() == 1,
        _ => false,
    };
    (has_point || signed)
        && (1..=3).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && (signed || exponent.len() == digits.len())
}

/// Whether it is an amount with decimal places: digits with one point, or one comma, that cannot separate thousands
/// (`990000201.0`, `12345678.5`, `990.000.201,00`; but not `1.234`, and not `12.345.678`). A point at the end ends a
/// sentence.
fn is_decimal(text: &[u8]) -> bool {
    let text = trim_blanks(strip_sign(text));
    if !text
        .iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b' ' | b'\''))
    {
        return false;
    }
    let Some(at) = text.iter().rposition(|byte| matches!(byte, b'.' | b',')) else {
        return false;
    };
    let (before, after) = text.split_at(at);
    let (Some(&point), places) = (after.first(), after.get(1..).unwrap_or_default()) else {
        return false;
    };
    if places.is_empty() || !places.iter().all(u8::is_ascii_digit) || before.contains(&point) {
        return false;
    }
    let group = before
        .rsplit(|byte| !byte.is_ascii_digit())
        .next()
        .unwrap_or_default();
    let grouped_by_another = before.iter().any(|byte| matches!(byte, b'.' | b','));
    let separates_thousands =
        places.len() == 3 && (1..=3).contains(&group.len()) && group != b"0" && !grouped_by_another;
    !separates_thousands
}

/// Whether two parts of one shape, each long enough to be a number, stand beside each other.
fn holds_two_numbers(text: &Text) -> bool {
    let mut runs = [Run::default(); Text::RUNS_MAX];
    let Some(runs) = text.runs(&mut runs) else {
        return false;
    };
    let bytes = |run: &Run| text.bytes().get(run.start..run.end).unwrap_or_default();
    // `AB990204 to 09`: whatever stands on the two sides of such a word is not one number.
    let has_digit = |run: &Run| bytes(run).iter().any(u8::is_ascii_digit);
    // French numbers have two letters between digits, and are written `12 TO 34567` as well.
    if let [.., before, last] = runs
        && last.word
        && has_digit(last)
        && has_digit(before)
        && bytes(before).len() >= NUMBER_MIN - 1
    {
        return true;
    }
    // Each number without a gap.
    let whole = |run: &Run| bytes(run).len() >= NUMBER_MIN;
    for (index, run) in runs.iter().enumerate().filter(|(_, run)| whole(run)) {
        let others = runs.get(index + 1..).unwrap_or_default();
        if others
            .iter()
            .any(|other| same_shape(bytes(run), bytes(other)))
        {
            return true;
        }
    }
    // Numbers with gaps of their own, `AB 990204 - AB 990209`: as many runs each, with the same shapes.
    (2..=4)
        .filter(|parts| runs.len() % parts == 0)
        .any(|parts| {
            let count = runs.len() / parts;
            let Some(first) = runs.get(..count).filter(|_| count > 1) else {
                return false;
            };
            let length: usize = first.iter().map(|run| bytes(run).len()).sum();
            let mut others = runs.chunks_exact(count).skip(1);
            length >= NUMBER_MIN
                && others.all(|other| {
                    let begins = other.first().is_some_and(|run| {
                        // A series begins anew, or what parts the numbers is no gap.
                        run.parted || bytes(run).first().is_some_and(u8::is_ascii_alphabetic)
                    });
                    begins
                        && first
                            .iter()
                            .zip(other)
                            .all(|(a, b)| same_shape(bytes(a), bytes(b)))
                })
        })
}

/// Whether letters stand where letters do, and digits where digits do.
fn same_shape(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.is_ascii_digit() == b.is_ascii_digit())
}

fn strip_sign(text: &[u8]) -> &[u8] {
    match text {
        [b'+' | b'-', rest @ ..] => rest,
        text => text,
    }
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}
