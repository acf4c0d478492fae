//! What an index is measured against: the simplest structures in memory that hold the same numbers.

use hashbrown::HashTable;
use sltd::document::DocumentNumber;
use sltd::index::{Damage, Segment};
use xxhash_rust::xxh3::xxh3_64;

/// Numbers hashed before the first of them is looked for: as many as the index takes together.
const CHUNK: usize = 32;

/// The smallest hash table that knows which numbers are listed: their 64-bit hashes, which hash to themselves. Hashed is
/// the padded number, which costs less than the other form does (see `src/index/filter.rs`). It is
/// wrong about one number in 2^64 / entries, and can prove nothing.
#[derive(Debug)]
pub(crate) struct Fingerprints(HashTable<u64>);

impl Fingerprints {
    /// Of distinct numbers, without room for more.
    pub(crate) fn of(numbers: &[SortedKey]) -> Self {
        let mut table = HashTable::with_capacity(numbers.len());
        for key in numbers {
            let hash = xxh3_64(key);
            if table.find(hash, |entry| *entry == hash).is_none() {
                table.insert_unique(hash, hash, |entry| *entry);
            }
        }
        Self(table)
    }

    /// Bytes of memory, without the few of the table itself.
    pub(crate) fn bytes(&self) -> usize {
        self.0.allocation_size()
    }

    /// Whether a number is listed.
    #[inline]
    pub(crate) fn contains(&self, number: &DocumentNumber) -> bool {
        self.holds(xxh3_64(number.padded()))
    }

    /// How many of the numbers are listed; hashes a chunk before it looks for the first of it, as the index does.
    pub(crate) fn count(&self, numbers: &[DocumentNumber]) -> usize {
        let mut found = 0;
        for numbers in numbers.chunks(CHUNK) {
            let mut hashes = [0; CHUNK];
            for (hash, number) in hashes.iter_mut().zip(numbers) {
                *hash = xxh3_64(number.padded());
            }
            found += hashes
                .iter()
                .take(numbers.len())
                .filter(|hash| self.holds(**hash))
                .count();
        }
        found
    }

    #[inline]
    fn holds(&self, hash: u64) -> bool {
        self.0.find(hash, |entry| *entry == hash).is_some()
    }
}

/// A number with zeros behind it, so that keys compare as numbers do.
pub(crate) type SortedKey = [u8; DocumentNumber::MAX_LEN];

/// The distinct numbers of a segment in order: what a binary search needs, 24 bytes each.
///
/// # Errors
/// [`Damage`] when the segment's bytes have changed since they were verified.
pub(crate) fn sorted_keys(segment: &Segment) -> Result<Vec<SortedKey>, Damage> {
    let mut keys = Vec::with_capacity(usize::try_from(segment.numbers()).unwrap_or(0));
    segment.for_each(|number, _| keys.push(*number.padded()))?;
    keys.dedup();
    Ok(keys)
}

/// `count` numbers of the keys in random order.
pub(crate) fn sample(keys: &[SortedKey], count: usize) -> Vec<DocumentNumber> {
    let mut draw = Draw(1);
    let drawn = (0..count).filter_map(|_| keys.get(draw.below(keys.len())));
    drawn
        .filter_map(|key| DocumentNumber::from_normalised(unpadded(key)))
        .collect()
}

/// The number of a key.
pub(crate) fn unpadded(key: &SortedKey) -> &[u8] {
    let len = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
    key.get(..len).unwrap_or_default()
}

/// A small random source (SplitMix64), the same on every machine: which numbers are asked about, and in what order.
#[derive(Debug)]
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    /// Any number below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * bound as u128) >> 64) as usize
    }
}
