//! Digits read as the letters that stand there.

use super::zone::{Zone, letter_for};
use crate::document::Issuer;

/// A field of a zone that holds letters only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LetterField {
    /// The first place of the document code.
    DocumentCode,
    /// The issuing State.
    IssuingState,
    /// The holder's nationality.
    Nationality,
}

impl LetterField {
    /// Every field, in order.
    pub const ALL: [Self; 3] = [Self::DocumentCode, Self::IssuingState, Self::Nationality];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The fields in which a digit that OCR confuses with a letter was read as the letter: a set, listed in the order of
/// [`LetterField`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ReadAsLetters(u8);

impl ReadAsLetters {
    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The fields, in order.
    pub fn iter(self) -> impl Iterator<Item = LetterField> {
        LetterField::ALL
            .into_iter()
            .filter(move |field| self.0 & field.bit() != 0)
    }

    pub(super) fn insert(&mut self, field: LetterField) {
        self.0 |= field.bit();
    }
}

/// Reads a digit as the first letter of the document code, where a known issuer follows: of lines in the wrong order,
/// or a zone upside down, it is a digit.
pub(super) fn first_of_code(zone: &mut Zone) -> bool {
    // The Swiss driving licence begins with the number of the blank.
    if zone.shape().lengths().first() == Some(&9) {
        return false;
    }
    let &[first, _, a, b, c, ..] = zone.characters() else {
        return false;
    };
    let issuer = [a, b, c].map(|byte| letter_for(byte).unwrap_or(byte));
    let known = std::str::from_utf8(&issuer)
        .ok()
        .and_then(|field| Issuer::from_zone(field).ok())
        .is_some_and(|issuer| issuer.known().is_some());
    letter_for(first).is_some() && known && zone.read_letters(0..1)
}
