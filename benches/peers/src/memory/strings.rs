//! `HashMap<String, _>`.

use super::Known;
use crate::Result;
use crate::process::own_anonymous_memory;
use crate::rivals::{SortedKey, unpadded};
use sltd::document::DocumentNumber;
use std::collections::HashMap;

/// What a program has without giving it a thought: the standard map from number to position, with its own hash.
pub(crate) struct Strings {
    positions: HashMap<String, u32>,
    bytes: u64,
}

impl Strings {
    /// Of distinct numbers.
    ///
    /// # Errors
    /// When there are more than 2^32, or a number is no text.
    pub(crate) fn of(numbers: &[SortedKey]) -> Result<Self> {
        let before = own_anonymous_memory()?;
        let mut positions = HashMap::with_capacity(numbers.len());
        for (position, number) in numbers.iter().enumerate() {
            let text = std::str::from_utf8(unpadded(number))?;
            positions.insert(text.to_owned(), u32::try_from(position)?);
        }
        // Only the allocator knows what so many small texts take.
        let bytes = own_anonymous_memory()?.saturating_sub(before);
        Ok(Self { positions, bytes })
    }
}

impl Known for Strings {
    #[inline]
    fn contains(&self, number: &DocumentNumber) -> bool {
        self.positions.contains_key(number.as_str())
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }
}
