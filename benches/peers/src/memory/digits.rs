//! Roaring bitmaps of the numbers that are all digits.

use super::Known;
use crate::rivals::{SortedKey, unpadded};
use roaring::RoaringTreemap;
use sltd::document::DocumentNumber;

/// A bitmap for each length, since leading zeros count. Numbers with letters have no place in it.
#[derive(Debug, Default)]
pub(crate) struct DenseDigits([RoaringTreemap; DIGITS_MAX]);

/// More digits are no `u64`.
const DIGITS_MAX: usize = 19;

impl DenseDigits {
    /// Of those of the numbers that are all digits; runs are stored as runs where that is smaller.
    pub(crate) fn of(numbers: &[SortedKey]) -> Self {
        let mut all = Self::default();
        for number in numbers {
            if let Some((length, value)) = value(unpadded(number))
                && let Some(bitmap) = all.0.get_mut(length)
            {
                bitmap.insert(value);
            }
        }
        for bitmap in &mut all.0 {
            bitmap.optimize();
        }
        all
    }

    /// Whether it has a place for a number.
    pub(crate) fn takes(number: &[u8]) -> bool {
        value(number).is_some()
    }
}

impl Known for DenseDigits {
    #[inline]
    fn contains(&self, number: &DocumentNumber) -> bool {
        value(number.as_bytes()).is_some_and(|(length, value)| {
            self.0
                .get(length)
                .is_some_and(|bitmap| bitmap.contains(value))
        })
    }

    /// As serialised, which is the same containers without the pointers between them.
    fn bytes(&self) -> u64 {
        self.0
            .iter()
            .map(|bitmap| bitmap.serialized_size() as u64)
            .sum()
    }
}

/// How many digits there are, and what they say.
fn value(number: &[u8]) -> Option<(usize, u64)> {
    if number.len() >= DIGITS_MAX {
        return None;
    }
    let mut value = 0;
    for byte in number {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some((number.len(), value))
}
