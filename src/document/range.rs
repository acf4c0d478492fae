//! A range of document numbers.

use super::DocumentNumber;

/// An inclusive range of document numbers of one prefix and one length: `AB100000` to
/// `AB105000`, as stolen blanks are reported.
///
/// Both ends have the same length, differ in trailing digits only, and are not the wrong way
/// round; there are at most [`MAX_DOCUMENTS`](Self::MAX_DOCUMENTS) documents in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberRange {
    start: DocumentNumber,
    end: DocumentNumber,
    documents: u32,
}

/// Why two numbers make no range. The numbers themselves are not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The ends are of different length.
    #[error(
        "expected both ends of a range to have the same length, found {start} and {end} characters"
    )]
    Length {
        /// Characters of the first number.
        start: usize,
        /// Characters of the last number.
        end: usize,
    },
    /// The ends differ in more than trailing digits.
    #[error(
        "expected the ends of a range to differ in trailing digits only, found a letter at position {position}"
    )]
    Letter {
        /// Position of the first letter at or after the first difference, counted from 1.
        position: usize,
    },
    /// The last number is below the first.
    #[error("expected the end of a range at or above its start, found it below")]
    Descending,
    /// There are too many documents in it.
    #[error("expected at most {max} documents in a range, found {found}", max = NumberRange::MAX_DOCUMENTS)]
    TooMany {
        /// The documents found.
        found: u128,
    },
}

impl NumberRange {
    /// The most documents one range may name: a longer one is a typing error far more often
    /// than a theft.
    pub const MAX_DOCUMENTS: u32 = 1_000_000;

    /// The range from `start` to `end`, both included.
    ///
    /// # Errors
    /// [`RangeError`] when they are no range; equal numbers are a range of one document.
    pub fn new(start: DocumentNumber, end: DocumentNumber) -> Result<Self, RangeError> {
        let (low, high) = (start.as_bytes(), end.as_bytes());
        if low.len() != high.len() {
            return Err(RangeError::Length {
                start: low.len(),
                end: high.len(),
            });
        }
        let prefix = low.iter().zip(high).take_while(|(a, b)| a == b).count();
        let mut span: [u128; 2] = [0; 2];
        for (position, (&a, &b)) in low.iter().zip(high).enumerate().skip(prefix) {
            if !(a.is_ascii_digit() && b.is_ascii_digit()) {
                return Err(RangeError::Letter {
                    position: position + 1,
                });
            }
            // At most 24 digits: 10^24 fits into 80 bits.
            span = [
                span[0] * 10 + u128::from(a - b'0'),
                span[1] * 10 + u128::from(b - b'0'),
            ];
        }
        let found = span[1].checked_sub(span[0]).ok_or(RangeError::Descending)? + 1;
        match u32::try_from(found) {
            Ok(documents) if documents <= Self::MAX_DOCUMENTS => Ok(Self {
                start,
                end,
                documents,
            }),
            _ => Err(RangeError::TooMany { found }),
        }
    }

    /// A range of one document.
    pub fn single(number: DocumentNumber) -> Self {
        Self {
            start: number,
            end: number,
            documents: 1,
        }
    }

    /// The first number.
    pub fn start(&self) -> DocumentNumber {
        self.start
    }

    /// The last number.
    pub fn end(&self) -> DocumentNumber {
        self.end
    }

    /// How many documents it names: 1 to [`MAX_DOCUMENTS`](Self::MAX_DOCUMENTS).
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// Whether a number is one of them.
    pub fn contains(&self, number: &DocumentNumber) -> bool {
        // Of one length, with one prefix and digits behind it: the order of bytes is that of
        // numbers. Between two such numbers a letter can stand only where both have digits, and
        // letters sort above all digits, so what lies between has digits there too or is above
        // the shorter prefix; that is why every byte is looked at.
        let (low, high, asked) = (
            self.start.as_bytes(),
            self.end.as_bytes(),
            number.as_bytes(),
        );
        let prefix = low.iter().zip(high).take_while(|(a, b)| a == b).count();
        asked.len() == low.len()
            && (low..=high).contains(&asked)
            && asked.iter().skip(prefix).all(u8::is_ascii_digit)
    }
}

impl IntoIterator for NumberRange {
    type Item = DocumentNumber;
    type IntoIter = Numbers;

    fn into_iter(self) -> Numbers {
        Numbers {
            next: self.start,
            left: self.documents,
        }
    }
}

/// The numbers of a [`NumberRange`], in ascending order.
#[derive(Debug, Clone)]
pub struct Numbers {
    next: DocumentNumber,
    left: u32,
}

impl Iterator for Numbers {
    type Item = DocumentNumber;

    fn next(&mut self) -> Option<DocumentNumber> {
        self.left = self.left.checked_sub(1)?;
        let current = self.next;
        if self.left > 0 {
            self.next = successor(&current)?;
        }
        Some(current)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Numbers {}

/// The number with its trailing digits counted up by one; `None` when they are all nines.
fn successor(number: &DocumentNumber) -> Option<DocumentNumber> {
    let mut bytes = [0; DocumentNumber::MAX_LEN];
    let bytes = bytes.get_mut(..number.as_bytes().len())?;
    bytes.copy_from_slice(number.as_bytes());
    for byte in bytes.iter_mut().rev() {
        match byte {
            b'9' => *byte = b'0',
            b'0'..=b'8' => {
                *byte += 1;
                return DocumentNumber::from_normalised(bytes);
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> DocumentNumber {
        DocumentNumber::from_normalised(text.as_bytes()).unwrap()
    }

    #[track_caller]
    fn check(start: &str, end: &str, expected: Result<u32, RangeError>) {
        let range = NumberRange::new(number(start), number(end));
        assert_eq!(range.map(|range| range.documents()), expected);
        let Ok(range) = range else { return };
        let numbers: Vec<_> = range.into_iter().collect();
        assert_eq!(numbers.len(), range.documents() as usize);
        assert!(numbers.is_sorted() && numbers.iter().all(|number| range.contains(number)));
        assert_eq!(
            (numbers.first(), numbers.last()),
            (Some(&range.start()), Some(&range.end()))
        );
    }

    #[test]
    fn ranges() {
        check("AB100000", "AB105000", Ok(5001));
        check("7", "7", Ok(1));
        check("ABC", "ABC", Ok(1));
        check("A09", "A10", Ok(2));
        check(
            "999999999999999999999998",
            "999999999999999999999999",
            Ok(2),
        );
        check("000000", "999999", Ok(1_000_000));
        check(
            "0000000",
            "1000000",
            Err(RangeError::TooMany { found: 1_000_001 }),
        );
        check(
            "000000000000000000000000",
            "999999999999999999999999",
            Err(RangeError::TooMany {
                found: 10u128.pow(24),
            }),
        );
        check("AB1", "AB10", Err(RangeError::Length { start: 3, end: 4 }));
        check("AB1", "AC1", Err(RangeError::Letter { position: 2 }));
        check("A1B", "A2B", Err(RangeError::Letter { position: 3 }));
        check("A1", "AB", Err(RangeError::Letter { position: 2 }));
        check("AB2", "AB1", Err(RangeError::Descending));
    }

    #[test]
    fn a_letter_between_two_digits_is_not_in_the_range() {
        let range = NumberRange::new(number("A10"), number("A20")).unwrap();
        for (asked, expected) in [
            ("A15", true),
            ("A1B", false),
            ("A09", false),
            ("A21", false),
            ("A150", false),
            ("B15", false),
        ] {
            assert_eq!(range.contains(&number(asked)), expected, "{asked}");
        }
    }
}
