//! A Bloom filter of the crate `fastbloom`.

use super::Known;
use crate::rivals::SortedKey;
use fastbloom::BloomFilter;
use sltd::document::DocumentNumber;
use xxhash_rust::xxh3::xxh3_64;

/// A filter over xxh3-64 hashes, which the crate takes ready-made: its own default hash is slower.
pub(crate) struct Bloom(BloomFilter);

impl Bloom {
    /// Of distinct numbers; wrong about a share of the others of `false_positives`, above 0 and below 1.
    pub(crate) fn of(numbers: &[SortedKey], false_positives: f64) -> Self {
        let mut filter =
            BloomFilter::with_false_pos(false_positives).expected_items(numbers.len().max(1));
        for number in numbers {
            filter.insert_hash(xxh3_64(number));
        }
        Self(filter)
    }
}

impl Known for Bloom {
    #[inline]
    fn contains(&self, number: &DocumentNumber) -> bool {
        self.0.contains_hash(xxh3_64(number.padded()))
    }

    fn bytes(&self) -> u64 {
        size_of_val(self.0.as_slice()) as u64
    }
}
