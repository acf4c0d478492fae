//! A sorted array.

use super::Known;
use crate::Result;
use crate::rivals::{SortedKey, unpadded};
use sltd::document::DocumentNumber;

/// All numbers, one behind the other without gaps, and where each ends: the smallest form in which a binary search
/// finds them.
#[derive(Debug, Default)]
pub(crate) struct SortedText {
    text: Vec<u8>,
    ends: Vec<u32>,
}

impl SortedText {
    /// Of distinct numbers in order.
    ///
    /// # Errors
    /// When they take more than 4 GiB.
    pub(crate) fn of(numbers: &[SortedKey]) -> Result<Self> {
        let mut all = Self::default();
        all.ends.reserve_exact(numbers.len());
        for number in numbers {
            all.text.extend_from_slice(unpadded(number));
            all.ends.push(u32::try_from(all.text.len())?);
        }
        Ok(all)
    }

    fn number(&self, index: usize) -> Option<&[u8]> {
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => *self.ends.get(before)?,
        };
        self.text
            .get(start as usize..*self.ends.get(index)? as usize)
    }
}

impl Known for SortedText {
    #[inline]
    fn contains(&self, number: &DocumentNumber) -> bool {
        let asked = number.as_bytes();
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.number(middle).map(|number| number.cmp(asked)) {
                Some(std::cmp::Ordering::Less) => low = middle + 1,
                Some(std::cmp::Ordering::Greater) => high = middle,
                Some(std::cmp::Ordering::Equal) => return true,
                None => return false,
            }
        }
        false
    }

    fn bytes(&self) -> u64 {
        (self.text.len() + size_of_val(self.ends.as_slice())) as u64
    }
}
