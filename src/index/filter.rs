//! The filter in front of the automaton: "certainly not reported" in one cache miss.
//!
//! A blocked Bloom filter over the xxh3-64 hashes of document *numbers*, so that one filter serves
//! queries with and without issuer and type. Hashed is the padded form: bytes of one length for all
//! numbers leave the processor no branch to guess, which the other form's lengths do. It never says
//! no to a number that is reported, and says perhaps to about one in 400 that are not. Bits are only
//! ever set, so building it cannot fail and gives the same bytes in any order.

use super::bytes::{Bytes, prefetch};
use super::error::Damage;
use super::format::SectionKind;
use crate::document::DocumentNumber;
use memmap2::{Mmap, MmapMut};
use std::io;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of a block. A block never crosses a cache line, so a number costs one miss.
pub(super) const BLOCK_LEN: usize = 16;
/// Numbers of a block, on average: 16 bits a number.
const BLOCK_NUMBERS: u64 = 8;
/// How many numbers are hashed, and their blocks fetched, before the first of them is probed.
const AHEAD: usize = 32;

/// Blocks for a count of numbers: a function of nothing else, so that a rebuild is identical.
pub(super) fn blocks(numbers: u64) -> u64 {
    numbers.div_ceil(BLOCK_NUMBERS)
}

/// Where a number leaves its mark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// The block.
    pub(super) block: usize,
    /// The bits set in its first and its second word.
    pub(super) words: [u64; 2],
}

impl Mark {
    /// The mark of a number among so many blocks.
    pub(super) fn of(padded: &[u8; DocumentNumber::MAX_LEN], blocks: u64) -> Self {
        let hash = xxh3_64(padded);
        Self {
            block: block_of(hash, blocks),
            words: [first_bits(hash), second_bits(hash)],
        }
    }
}

/// The hash by which all filters know a number.
#[inline(always)]
pub(super) fn hash(number: &DocumentNumber) -> u64 {
    xxh3_64(number.padded())
}

/// The high bits of a hash choose the block.
#[inline(always)]
fn block_of(hash: u64, blocks: u64) -> usize {
    ((u128::from(hash) * u128::from(blocks)) >> 64) as usize
}

/// Bits of the first word: the lowest ten bits of the hash choose one of the patterns. A probe is sixty
/// instructions, and a processor looks ahead over about two hundred: looking the pattern up saves ten,
/// so that the misses of more probes overlap.
#[inline(always)]
fn first_bits(hash: u64) -> u64 {
    PATTERNS[hash as usize % PATTERNS.len()]
}

/// Bits of the second word, from bits of the hash that the first has no use for.
#[inline(always)]
fn second_bits(hash: u64) -> u64 {
    1 << (hash >> 18 & 63) | 1 << (hash >> 24 & 63) | 1 << (hash >> 30 & 63)
}

/// Sixteen shapes of four bits, each turned to all 64 places of a word.
static PATTERNS: [u64; 1024] = {
    let mut patterns = [0; 1024];
    let mut at = 0;
    while at < patterns.len() {
        let (shape, turn) = (at as u32 / 64, at as u32 % 64);
        let bits = 1 | 1 << (1 + shape) | 1 << (17 + 3 * shape) | 1 << (49 + 7 * shape % 15);
        patterns[at] = u64::rotate_left(bits, turn);
        at += 1;
    }
    patterns
};

/// A segment's filter.
#[derive(Debug)]
pub(super) struct Filter {
    blocks: u64,
    bits: Bits,
}

/// Where the bits are.
#[derive(Debug)]
enum Bits {
    /// With the rest of the segment.
    Shared(Bytes),
    /// In memory of their own: nothing stands between a question and its probe. Few instructions
    /// a question are what lets the waits for memory of several questions overlap.
    Private(Mmap),
}

/// A filter in the making, in memory.
#[derive(Debug)]
pub(super) struct Marking {
    blocks: u64,
    /// `None` where there is no block.
    bits: Option<MmapMut>,
}

impl Marking {
    /// Marks a number.
    pub(super) fn mark(&mut self, number: &DocumentNumber) {
        let mark = Mark::of(number.padded(), self.blocks);
        let blocks = self.bits.as_deref_mut().unwrap_or_default();
        if let Some(block) = blocks.as_chunks_mut::<BLOCK_LEN>().0.get_mut(mark.block) {
            for (to, bits) in block.as_chunks_mut::<8>().0.iter_mut().zip(mark.words) {
                *to = (u64::from_le_bytes(*to) | bits).to_le_bytes();
            }
        }
    }

    /// The filter; `None` where there are no numbers.
    pub(super) fn finish(self) -> io::Result<Option<Filter>> {
        let Some(bits) = self.bits else {
            return Ok(None);
        };
        Ok(Some(Filter {
            blocks: self.blocks,
            bits: Bits::Private(bits.make_read_only()?),
        }))
    }
}

impl Filter {
    /// Begins the filter of at most so many numbers.
    pub(super) fn begin(numbers: u64) -> io::Result<Marking> {
        let blocks = blocks(numbers);
        let len = blocks.saturating_mul(BLOCK_LEN as u64);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let bits = (len > 0).then(|| MmapMut::map_anon(len)).transpose()?;
        Ok(Marking { blocks, bits })
    }

    /// The filter of so many numbers; every block that a number can have is then inside `bits`.
    pub(super) fn parse(numbers: u64, bits: Bytes) -> Result<Self, Damage> {
        let blocks = blocks(numbers);
        let len = blocks.checked_mul(BLOCK_LEN as u64);
        if blocks == 0 || len != Some(bits.as_ref().len() as u64) {
            return Err(Damage::Malformed {
                section: SectionKind::Filter.name(),
                what: "its length is not that of the header's numbers",
            });
        }
        Ok(Self {
            blocks,
            bits: Bits::Shared(bits),
        })
    }

    /// Brings the bits into memory of their own.
    ///
    /// # Errors
    /// What the system says, or [`Damage::Digest`] when they are no longer those of `digest`.
    pub(super) fn warm(&mut self, digest: &[u8; 32]) -> Result<(), Damage> {
        let Bits::Shared(shared) = &self.bits else {
            return Ok(());
        };
        let Some(private) = shared.to_private()? else {
            return Ok(());
        };
        let found = blake3::Hasher::new().update_rayon(&private).finalize();
        if found.as_bytes() != digest {
            return Err(Damage::Digest {
                section: SectionKind::Filter.name(),
                shard: 0,
            });
        }
        self.bits = Bits::Private(private);
        Ok(())
    }

    #[inline(always)]
    fn blocks(&self) -> &[[u8; BLOCK_LEN]] {
        let bits = match &self.bits {
            Bits::Shared(bytes) => bytes.as_ref(),
            Bits::Private(memory) => memory,
        };
        bits.as_chunks().0
    }

    /// Whether the number may be reported; `false` is certain.
    // Inlined, whatever its size: what a loop over many numbers does not repeat for each leaves
    // room for more of them, whose cache misses overlap.
    #[inline(always)]
    pub(super) fn contains(&self, number: &DocumentNumber) -> bool {
        self.holds(hash(number))
    }

    /// [`contains`](Self::contains) of the number with this [`hash`].
    #[inline(always)]
    pub(super) fn holds(&self, hash: u64) -> bool {
        match self.block(hash) {
            Some(block) => {
                let bits = first_bits(hash);
                word(block, 0) & bits == bits && second_holds(block, hash)
            }
            // "Perhaps" is the answer that can do no harm; `parse` sees to it that no block is missing.
            None => true,
        }
    }

    /// Whether the bits may be others than those that were verified, so that a number that they do not hold may be
    /// reported all the same. Never, in memory of their own.
    #[inline(always)]
    pub(super) fn is_in_doubt(&self) -> bool {
        match &self.bits {
            Bits::Private(_) => false,
            Bits::Shared(bytes) => !bytes.are_intact(),
        }
    }

    #[inline(always)]
    fn block(&self, hash: u64) -> Option<&[u8; BLOCK_LEN]> {
        self.blocks().get(block_of(hash, self.blocks))
    }

    /// Asks for the block that [`contains`](Self::contains) will look at; returns the number's hash.
    #[inline]
    pub(super) fn fetch(&self, number: &DocumentNumber) -> u64 {
        let hash = hash(number);
        if let Some(block) = self.block(hash) {
            prefetch(block);
        }
        hash
    }

    /// [`contains`](Self::contains) for many numbers: appends the places of those that may be
    /// reported, in order. Each is probed when the block that was asked for long before is there:
    /// no probe waits, where the processor alone looks only a few numbers ahead. A number of which `also` says
    /// yes, by its hash, may be reported too.
    #[inline(always)]
    pub(super) fn contains_each(
        &self,
        numbers: &[DocumentNumber],
        also: impl Fn(u64) -> bool,
        places: &mut Vec<u32>,
    ) {
        let before = places.len();
        let mut hashes = [0; AHEAD];
        let (first, rest) = numbers.split_at(numbers.len().min(AHEAD));
        for (hash, number) in hashes.iter_mut().zip(first) {
            *hash = self.fetch(number);
        }
        for (place, number) in rest.iter().enumerate() {
            let hash = std::mem::replace(&mut hashes[place % AHEAD], self.fetch(number));
            if self.holds(hash) || also(hash) {
                places.push(place as u32);
            }
        }
        for place in rest.len()..numbers.len() {
            let hash = hashes[place % AHEAD];
            if self.holds(hash) || also(hash) {
                places.push(place as u32);
            }
        }
        if self.is_in_doubt() {
            places.truncate(before);
            places.extend(0..numbers.len() as u32);
        }
    }
}

#[inline(always)]
fn word(block: &[u8; BLOCK_LEN], place: usize) -> u64 {
    u64::from_le_bytes(block.as_chunks().0[place])
}

/// The second half of a probe. The first turns nearly all away: kept apart, so that nothing of this is
/// worked out in advance.
#[cold]
#[inline(never)]
fn second_holds(block: &[u8; BLOCK_LEN], hash: u64) -> bool {
    let bits = second_bits(hash);
    word(block, 1) & bits == bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> DocumentNumber {
        DocumentNumber::normalise(text).unwrap()
    }

    fn digits(index: u64) -> DocumentNumber {
        number(&format!("{index:09}"))
    }

    /// Sets the bits of these digits in a filter of so many numbers.
    fn put(bits: &mut [u8], numbers: u64, set: impl Iterator<Item = u64>) {
        for index in set {
            let mark = Mark::of(digits(index).padded(), blocks(numbers));
            for (place, word) in mark.words.into_iter().enumerate() {
                let start = mark.block * BLOCK_LEN + place * 8;
                for (byte, set) in bits[start..start + 8].iter_mut().zip(word.to_le_bytes()) {
                    *byte |= set;
                }
            }
        }
    }

    #[test]
    fn knows_what_was_put_in_and_little_else() {
        let numbers = 50_000u64;
        let mut bits = vec![0; blocks(numbers) as usize * BLOCK_LEN];
        put(&mut bits, numbers, 0..numbers);
        let filter = Filter::parse(numbers, Bytes::owned(&bits)).unwrap();
        let mut passed = 0;
        for index in 0..2 * numbers {
            let number = digits(index);
            let found = filter.contains(&number);
            assert!(
                found || index >= numbers,
                "a number that was put in is not found"
            );
            passed += u64::from(found && index >= numbers);
        }
        assert!(passed < numbers / 300, "{passed} false positives");
    }

    #[test]
    fn many_at_once_are_each() {
        let marked: Vec<u64> = (0..500).filter(|index| index % 3 == 0).collect();
        let mut bits = vec![0; blocks(500) as usize * BLOCK_LEN];
        put(&mut bits, 500, marked.iter().copied());
        let filter = Filter::parse(500, Bytes::owned(&bits)).unwrap();
        for len in [0, 1, 31, 32, 33, 64, 65, 500] {
            let numbers: Vec<DocumentNumber> = (0..len).map(digits).collect();
            let mut places = vec![7];
            filter.contains_each(&numbers, |_| false, &mut places);
            let one = |place: &u32| filter.contains(&numbers[*place as usize]);
            let expected: Vec<u32> = (0..len as u32).filter(one).collect();
            assert_eq!(places[0], 7, "what was there stays");
            assert_eq!(places[1..], expected, "of {len}");
            assert!(len == 0 || places.len() > len as usize / 3);
        }
    }

    #[test]
    fn a_filter_of_another_length_is_refused() {
        for (numbers, len) in [(8, 0), (8, 32), (9, 16), (0, 0), (0, 16), (u64::MAX, 16)] {
            let bits = Bytes::owned(&vec![0; len]);
            assert!(Filter::parse(numbers, bits).is_err(), "{numbers} in {len}");
        }
        assert!(Filter::parse(8, Bytes::owned(&[0; 16])).is_ok());
    }

    #[test]
    fn marks_are_pinned() {
        // The format rests on these values: a change is a new format version.
        let number = number("L898902C3");
        assert_eq!(xxh3_64(number.padded()), 0x1761_8aca_7621_53c7);
        let mark = Mark::of(number.padded(), 1000);
        assert_eq!(mark.block, 91);
        assert_eq!(
            mark.words,
            [
                1 << 5 | 1 << 7 | 1 << 23 | 1 << 56,
                1 << 8 | 1 << 54 | 1 << 41
            ]
        );
    }
}
