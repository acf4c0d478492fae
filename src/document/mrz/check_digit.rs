//! Check digits of the zone, Doc 9303 part 3 section 4.9.

use std::fmt;

/// A check digit of the zone, in the order in which failures are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckDigit {
    /// Over the document number.
    DocumentNumber,
    /// Over the date of birth.
    DateOfBirth,
    /// Over the date of expiry.
    DateOfExpiry,
    /// Over the optional data (TD3).
    OptionalData,
    /// Over several fields.
    Composite,
}

impl CheckDigit {
    /// Every check digit, in order.
    pub const ALL: [Self; 5] = [
        Self::DocumentNumber,
        Self::DateOfBirth,
        Self::DateOfExpiry,
        Self::OptionalData,
        Self::Composite,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The check digits of a zone that do not verify: a set, listed in the order of [`CheckDigit`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FailedCheckDigits(u8);

impl FailedCheckDigits {
    /// Whether all check digits verify.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many do not.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether this one does not.
    pub const fn contains(self, digit: CheckDigit) -> bool {
        self.0 & digit.bit() != 0
    }

    /// Those that do not, in order.
    pub fn iter(self) -> impl Iterator<Item = CheckDigit> {
        CheckDigit::ALL
            .into_iter()
            .filter(move |&digit| self.contains(digit))
    }

    pub(super) fn insert(&mut self, digit: CheckDigit) {
        self.0 |= digit.bit();
    }
}

impl fmt::Debug for FailedCheckDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<CheckDigit> for FailedCheckDigits {
    fn from_iter<I: IntoIterator<Item = CheckDigit>>(digits: I) -> Self {
        let mut failed = Self::default();
        digits.into_iter().for_each(|digit| failed.insert(digit));
        failed
    }
}

/// The value of a character of the zone: digits 0 to 9, letters 10 to 35, the filler 0.
pub(super) const fn value(character: u8) -> u32 {
    match character {
        b'0'..=b'9' => (character - b'0') as u32,
        b'A'..=b'Z' => (character - b'A') as u32 + 10,
        _ => 0,
    }
}

/// The check digit over `characters`, as the character that is printed: values weighted 7, 3, 1, modulo 10.
///
/// The weights have no factor in common with 10, so a substitution goes unseen exactly when the two values differ
/// by 0, 10, 20 or 30: `1` for `L`, `6` for `G`, `M` for `W`, `<` for `K`. Which of them is meant cannot be told
/// from the digit.
pub(super) fn compute(characters: impl IntoIterator<Item = u8>) -> u8 {
    let sum: u32 = characters
        .into_iter()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(character, weight)| value(character) * weight)
        .sum();
    b'0' + (sum % 10) as u8
}

/// Whether `digit` is the check digit over `characters`.
///
/// Over nothing but fillers both `0` and `<` are right: Doc 9303 part 4 says so of TD3's optional data, and a date
/// that is left out (a permit without end, a birth date nobody knows) is printed either way as well.
pub(super) fn verifies(digit: u8, characters: impl IntoIterator<Item = u8> + Clone) -> bool {
    let empty = || {
        characters
            .clone()
            .into_iter()
            .all(|character| character == b'<')
    };
    digit == compute(characters.clone()) || (digit == b'<' && empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHABET: &[u8; 37] = b"<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    #[test]
    fn digits_of_the_examples() {
        for (characters, digit) in [
            // Doc 9303 part 3, examples of section 4.9 and specimens of parts 4 and 5.
            ("520727", '3'),
            ("AB2134<<<", '5'),
            ("L898902C3", '6'),
            ("D23145890", '7'),
            ("740812", '2'),
            ("120415", '9'),
            ("ZE184226B<<<<<", '1'),
            ("", '0'),
            ("<<<<", '0'),
            // A misread letter O is seen, the corrected number verifies.
            ("BN0257453", '8'),
            ("A08O26475", '2'),
        ] {
            assert_eq!(
                char::from(compute(characters.bytes())),
                digit,
                "{characters}"
            );
            assert!(verifies(digit as u8, characters.bytes()), "{characters}");
        }
        assert_ne!(compute(*b"BNO257453"), b'8');
        assert_ne!(compute(*b"A08026475"), b'2');
    }

    /// Neighbours that change places go unseen where their values differ by a multiple of 5.
    #[test]
    fn swaps_that_cannot_be_seen() {
        for &first in ALPHABET {
            for &second in ALPHABET {
                let unseen = compute([first, second]) == compute([second, first]);
                let multiple = value(first).abs_diff(value(second)).is_multiple_of(5);
                assert_eq!(
                    unseen,
                    multiple,
                    "{} {}",
                    char::from(first),
                    char::from(second)
                );
            }
        }
    }

    #[test]
    fn an_empty_field_takes_a_filler() {
        assert!(verifies(b'<', *b"<<<<<<"));
        assert!(verifies(b'0', *b"<<<<<<"));
        assert!(!verifies(b'1', *b"<<<<<<"));
        // A digit of value 0 is not a filler, nor is a letter of value 10 a digit.
        assert!(!verifies(b'<', *b"00<<<<"));
        assert!(!verifies(b'A', *b"00<<<<"));
    }

    #[test]
    fn failures_are_a_set_in_order() {
        let failed: FailedCheckDigits = [
            CheckDigit::Composite,
            CheckDigit::DocumentNumber,
            CheckDigit::Composite,
        ]
        .into_iter()
        .collect();
        assert_eq!(failed.len(), 2);
        assert!(
            failed
                .iter()
                .eq([CheckDigit::DocumentNumber, CheckDigit::Composite])
        );
        assert!(
            failed.contains(CheckDigit::Composite) && !failed.contains(CheckDigit::DateOfBirth)
        );
        assert_eq!(format!("{failed:?}"), "{DocumentNumber, Composite}");
        assert!(FailedCheckDigits::default().is_empty() && !failed.is_empty());
        let all: FailedCheckDigits = CheckDigit::ALL.into_iter().collect();
        assert!(all.iter().eq(CheckDigit::ALL));
    }
}
