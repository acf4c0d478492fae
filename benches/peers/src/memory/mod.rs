//! Peers in memory: what knows which numbers are listed, and nothing of their reports.
//!
//! Each is made of the distinct numbers in order, and holds all of them but [`DenseDigits`], which holds those that
//! are all digits. The hash table of fingerprints and the sorted keys of fixed length stand in `benches/support`,
//! since the criterion benches use them too.

mod automaton;
mod bloom;
mod digits;
mod sorted;
mod strings;

pub(crate) use automaton::Automaton;
pub(crate) use bloom::Bloom;
pub(crate) use digits::DenseDigits;
pub(crate) use sorted::SortedText;
pub(crate) use strings::Strings;

use crate::rivals::Fingerprints;
use sltd::document::DocumentNumber;

/// Knows which numbers are listed.
pub(crate) trait Known {
    /// Whether a number is listed; what is no proof may be wrong about some that are not.
    fn contains(&self, number: &DocumentNumber) -> bool;

    /// Bytes of memory, without the few of the structure itself.
    fn bytes(&self) -> u64;
}

impl Known for Fingerprints {
    fn contains(&self, number: &DocumentNumber) -> bool {
        Self::contains(self, number)
    }

    fn bytes(&self) -> u64 {
        Self::bytes(self) as u64
    }
}

#[cfg(test)]
mod tests;
