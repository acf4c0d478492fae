//! Neighbouring numbers side by side: what the automaton leads to.
//!
//! All numbers with one beginning, [`BLOCK_NUMBERS`] at the most, form a block. It holds how each goes
//! on, as integers of one width in ascending order, and behind them what is reported of each: a number
//! and its report lie within a few neighbouring cache lines, which are fetched at once, where an
//! automaton would wait for one after the other. Numbers in a row with equal reports share a record.
//!
//! ```text
//! block = first:u32 numbers:u8 length:u8 width:u8 form:u8  [ starts:u128 ]  suffix * numbers  record*
//! ```
//! `first` is the number of the block's first record among all of the shard. Suffixes and records are
//! packed, and completed to a whole byte each.

use super::bits::{SLACK, unpack};
use super::bytes::{Bytes, prefetch};
use super::error::Damage;
use crate::document::DocumentNumber;

/// Most numbers of a block: as many as a `u128` has bits.
pub(super) const BLOCK_NUMBERS: usize = 128;
/// Bytes of a block's head.
const HEAD_LEN: usize = 8;
/// Form: the suffixes have letters.
pub(super) const LETTERS: u8 = 1;
/// Form: there are numbers that share the record of the one before.
pub(super) const SHARED: u8 = 2;
/// Bytes of a cache line, and how many of them a block takes, as a rule.
const LINE: usize = 64;
const LINES: usize = 6;

/// The integer that stands for a suffix of at most `length` (not above 24) characters: its digits in the base of
/// [`base`], 0 standing for the end, so that integers sort as suffixes do. `None` for a suffix that is
/// longer, or has a letter where none is expected.
#[inline]
pub(super) fn suffix_value(suffix: &[u8], length: usize, letters: bool) -> Option<u128> {
    if suffix.len() > length {
        return None;
    }
    let base = base(letters);
    let mut digits = (0..length).map(|place| {
        let digit = suffix.get(place).map_or(Some(0), |byte| digit(*byte));
        digit.filter(|digit| u64::from(*digit) < base)
    });
    // Up to 12 characters of either kind fit 64 bits, and 24 fit 128.
    if length <= 12 {
        let value = digits.try_fold(0u64, |value, digit| Some(value * base + u64::from(digit?)));
        return value.map(u128::from);
    }
    let base = u128::from(base);
    digits.try_fold(0u128, |value, digit| {
        Some(value * base + u128::from(digit?))
    })
}

/// How many digits there are: an end, `0` to `9`, and `A` to `Z` where there are letters.
fn base(letters: bool) -> u64 {
    if letters { 37 } else { 11 }
}

#[inline]
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0' + 1),
        b'A'..=b'Z' => Some(byte - b'A' + 11),
        _ => None,
    }
}

/// The blocks section of a shard.
#[derive(Debug)]
pub(super) struct Blocks(Bytes);

/// A block, opened for reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'s> {
    first: u32,
    numbers: u8,
    length: u8,
    width: u8,
    letters: bool,
    /// A bit for each number: whether its record is not that of the number before it.
    starts: Option<u128>,
    /// Suffixes, then records.
    packed: &'s [u8],
}

impl Blocks {
    /// The section; every block is looked at when it is asked for.
    pub(super) fn parse(bytes: Bytes) -> Result<Self, Damage> {
        if bytes.as_ref().len() < SLACK {
            return Err(Damage::Malformed {
                section: "blocks",
                what: "it ends too early",
            });
        }
        Ok(Self(bytes))
    }

    /// The block at an offset; `None` if there can be none.
    #[inline]
    pub(super) fn get(&self, offset: u64) -> Option<Block<'_>> {
        let block = self.0.as_ref().get(usize::try_from(offset).ok()?..)?;
        // All of it is asked for before the first line is there.
        for line in 1..LINES {
            if let Some(line) = block.get(line * LINE) {
                prefetch(line);
            }
        }
        let (head, rest) = block.split_first_chunk::<HEAD_LEN>()?;
        let [r0, r1, r2, r3, numbers, length, width, form] = *head;
        if usize::from(numbers) > BLOCK_NUMBERS
            || usize::from(length) > DocumentNumber::MAX_LEN
            || width > 120
        {
            return None;
        }
        let (starts, packed) = if form & SHARED == 0 {
            (None, rest)
        } else {
            let (starts, packed) = rest.split_first_chunk()?;
            (Some(u128::from_le_bytes(*starts)), packed)
        };
        Some(Block {
            first: u32::from_le_bytes([r0, r1, r2, r3]),
            numbers,
            length,
            width,
            letters: form & LETTERS != 0,
            starts,
            packed,
        })
    }

    /// Brings the blocks into memory.
    pub(super) fn warm(&self) -> std::io::Result<()> {
        self.0.warm()
    }
}

impl Block<'_> {
    /// Place of the number that goes on with a suffix, if it is there.
    #[inline]
    pub(super) fn find(&self, suffix: &[u8]) -> Option<usize> {
        let wanted = suffix_value(suffix, usize::from(self.length), self.letters)?;
        let (mut low, mut left) = (0, usize::from(self.numbers));
        // The last that is not above: halved without a branch that depends on what is read.
        while left > 1 {
            let half = left / 2;
            let above = self.value(low + half)? > wanted;
            low += if above { 0 } else { half };
            left -= half;
        }
        (self.value(low)? == wanted && left == 1).then_some(low)
    }

    #[inline]
    fn value(&self, place: usize) -> Option<u128> {
        unpack(self.packed, place, u32::from(self.width))
    }

    /// The record of a number, of so many bits, and its place among all of the shard.
    #[inline]
    pub(super) fn record(&self, place: usize, bits: u32) -> Option<(u128, usize)> {
        let record = match self.starts {
            None => place,
            Some(starts) => (starts & (u128::MAX >> (127 - (place & 127)))).count_ones() as usize,
        };
        let suffixes = usize::from(self.numbers) * usize::from(self.width);
        let records = self.packed.get(suffixes.div_ceil(8)..)?;
        Some((unpack(records, record, bits)?, self.first as usize + record))
    }

    /// Calls `each` with every number and its place, in order; `None` if the bytes are damaged.
    pub(super) fn each<E>(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(DocumentNumber, usize) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let base = u128::from(base(self.letters));
        for place in 0..usize::from(self.numbers) {
            let mut value = self.value(place)?;
            let mut text = [0; DocumentNumber::MAX_LEN];
            let (head, tail) = text.split_at_mut_checked(prefix.len())?;
            head.copy_from_slice(prefix);
            let tail = tail.get_mut(..usize::from(self.length))?;
            for byte in tail.iter_mut().rev() {
                *byte = match (value % base) as u8 {
                    0 => 0,
                    digit @ 1..=10 => b'0' + digit - 1,
                    letter => b'A' + letter - 11,
                };
                value /= base;
            }
            let len = text.iter().position(|byte| *byte == 0);
            let number = DocumentNumber::from_normalised(&text[..len.unwrap_or(text.len())])?;
            if number.padded() != &text || value != 0 {
                return None;
            }
            if let Err(error) = each(number, place) {
                return Some(Err(error));
            }
        }
        Some(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_sort_as_suffixes() {
        let suffixes = [
            "", "0", "00", "09", "1", "10", "9", "99", "9A", "A", "A0", "ZZ",
        ];
        for (at, one) in suffixes.iter().enumerate() {
            let value = |text: &str, length| suffix_value(text.as_bytes(), length, true);
            for other in &suffixes[at + 1..] {
                assert!(
                    value(one, 2).unwrap() < value(other, 2).unwrap(),
                    "{one} {other}"
                );
                assert!(value(one, 20).unwrap() < value(other, 20).unwrap());
            }
        }
    }

    #[test]
    fn what_a_block_cannot_hold_has_no_value() {
        assert_eq!(suffix_value(b"123", 2, false), None);
        assert_eq!(suffix_value(b"1A", 2, false), None);
        assert_eq!(suffix_value(b"1 ", 2, true), None);
        assert_eq!(suffix_value(b"", 0, false), Some(0));
        let longest = suffix_value(&[b'Z'; 23], 23, true).unwrap();
        assert!(longest < 1 << 120, "the longest suffix fits its bits");
    }
}
