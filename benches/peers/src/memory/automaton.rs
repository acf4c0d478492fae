//! `fst` alone.

use super::Known;
use crate::Result;
use crate::rivals::{SortedKey, unpadded};
use sltd::document::DocumentNumber;

/// One automaton of all numbers, without values.
#[derive(Debug)]
pub(crate) struct Automaton(fst::Set<Vec<u8>>);

impl Automaton {
    /// Of distinct numbers in order.
    ///
    /// # Errors
    /// When they are not in order.
    pub(crate) fn of(numbers: &[SortedKey]) -> Result<Self> {
        Ok(Self(fst::Set::from_iter(numbers.iter().map(unpadded))?))
    }
}

impl Known for Automaton {
    #[inline]
    fn contains(&self, number: &DocumentNumber) -> bool {
        self.0.contains(number.as_bytes())
    }

    fn bytes(&self) -> u64 {
        self.0.as_fst().as_bytes().len() as u64
    }
}
