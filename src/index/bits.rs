//! Bit-packed records, and bit vectors that answer rank and select.
//!
//! Both are read in place from untrusted bytes: whatever these hold, nothing here panics or
//! reads outside them; a reader of damaged bytes gets `None`.

use super::error::Damage;
use super::fields::Fields;

/// Bits of one block of a [`BitVector`]: a cache line, for which one rank is stored.
const BLOCK_BITS: usize = 512;
const WORDS: usize = BLOCK_BITS / 64;
/// Zero bytes after packed records, so that a record is read with one 16-byte load.
pub(super) const SLACK: usize = 16;

/// Bits needed for values up to `max`.
pub(super) fn width(max: u64) -> u32 {
    u64::BITS - max.leading_zeros()
}

/// Writes records of one fixed width, least significant bit first.
#[derive(Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    pending: u128,
    pending_bits: u32,
}

impl Packer {
    /// Appends the low `width` bits of `record`; `width` is at most 120 and higher bits are zero.
    pub(super) fn push(&mut self, record: u128, width: u32) {
        debug_assert!(width <= 120 && (width == 0 || record >> width == 0));
        self.pending |= record << self.pending_bits;
        self.pending_bits += width;
        while self.pending_bits >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.pending_bits -= 8;
        }
    }

    /// The bytes written, with the slack readers need.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.pending_bits > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes.resize(self.bytes.len() + SLACK, 0);
        self.bytes
    }
}

/// Bytes that `count` records of `width` bits take, slack included.
pub(super) fn packed_len(count: u64, width: u32) -> u64 {
    (count * u64::from(width)).div_ceil(8) + SLACK as u64
}

/// Record `index` of records of `width` (at most 120) bits.
pub(super) fn unpack(bytes: &[u8], index: usize, width: u32) -> Option<u128> {
    let bit = index.checked_mul(width as usize)?;
    let window = bytes.get(bit / 8..)?.first_chunk::<16>()?;
    Some((u128::from_le_bytes(*window) >> (bit % 8)) & ((1u128 << width) - 1))
}

/// Where a bit vector stands inside its section; the bits themselves stay there.
///
/// ```text
/// vector = bits:u32 ones:u32 [ word:u64 * 8n  rank:u32 * n ]     n = ceil(bits / 512)
/// ```
/// `rank` is the number of ones before each block. A vector of ones only has no body.
#[derive(Debug, Clone, Copy)]
pub(super) struct BitVector {
    bits: u32,
    ones: u32,
    /// Offset of the first word in the section.
    words: usize,
}

/// Serialises bits as a [`BitVector`].
pub(super) fn encode_bits(bits: &[bool], out: &mut Vec<u8>) {
    let ones = bits.iter().filter(|bit| **bit).count();
    out.extend_from_slice(&(bits.len() as u32).to_le_bytes());
    out.extend_from_slice(&(ones as u32).to_le_bytes());
    if ones == bits.len() {
        return;
    }
    let mut ranks = Vec::with_capacity(bits.len().div_ceil(BLOCK_BITS));
    let mut seen = 0u32;
    for block in bits.chunks(BLOCK_BITS) {
        ranks.push(seen);
        let mut words = [0u64; WORDS];
        for (index, bit) in block.iter().enumerate() {
            if *bit {
                words[index / 64] |= 1 << (index % 64);
                seen += 1;
            }
        }
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
    for rank in ranks {
        out.extend_from_slice(&rank.to_le_bytes());
    }
}

impl BitVector {
    /// Reads the frame of a vector; `section` is the whole section that `fields` reads from.
    pub(super) fn parse(fields: &mut Fields<'_>, section: &[u8]) -> Result<Self, Damage> {
        let (bits, ones) = (fields.u32()?, fields.u32()?);
        let words = section.len() - fields.rest().len();
        if ones > bits {
            return Err(fields.malformed("a bit vector has more ones than bits"));
        }
        if ones < bits {
            let blocks = (bits as usize).div_ceil(BLOCK_BITS);
            fields.take(blocks * (BLOCK_BITS / 8 + 4))?;
        }
        Ok(Self { bits, ones, words })
    }

    /// Number of bits.
    pub(super) fn len(&self) -> usize {
        self.bits as usize
    }

    /// Number of ones.
    pub(super) fn ones(&self) -> usize {
        self.ones as usize
    }

    fn blocks(&self) -> usize {
        self.len().div_ceil(BLOCK_BITS)
    }

    fn word(&self, section: &[u8], index: usize) -> Option<u64> {
        let at = self.words + index * 8;
        section
            .get(at..)?
            .first_chunk()
            .map(|bytes| u64::from_le_bytes(*bytes))
    }

    fn rank_before(&self, section: &[u8], block: usize) -> Option<usize> {
        let at = self.words + self.blocks() * (BLOCK_BITS / 8) + block * 4;
        section
            .get(at..)?
            .first_chunk()
            .map(|bytes| u32::from_le_bytes(*bytes) as usize)
    }

    /// Whether bit `index` is set; `None` past the end.
    pub(super) fn get(&self, section: &[u8], index: usize) -> Option<bool> {
        if index >= self.len() {
            return None;
        }
        if self.ones == self.bits {
            return Some(true);
        }
        Some(self.word(section, index / 64)? >> (index % 64) & 1 == 1)
    }

    /// Ones before `index`; `None` past the end.
    pub(super) fn rank(&self, section: &[u8], index: usize) -> Option<usize> {
        if index > self.len() {
            return None;
        }
        if self.ones == self.bits {
            return Some(index);
        }
        if index == self.len() {
            return Some(self.ones());
        }
        let block = index / BLOCK_BITS;
        let mut rank = self.rank_before(section, block)?;
        for word in block * WORDS..index / 64 {
            rank += self.word(section, word)?.count_ones() as usize;
        }
        let below = self.word(section, index / 64)? & ((1u64 << (index % 64)) - 1);
        Some(rank + below.count_ones() as usize)
    }

    /// The last block with at most `nth` ones before it, for `nth` below the number of ones.
    fn block_of(&self, section: &[u8], nth: usize) -> Option<usize> {
        // Ones are spread evenly as a rule: the search begins where `nth` would then be and
        // widens from there, which takes two or three steps where halving takes eleven.
        let guess = (nth as u64 * self.blocks() as u64 / u64::from(self.ones)) as usize;
        let (mut low, mut high) = (guess, self.blocks());
        let mut step = 1;
        while low > 0 && self.rank_before(section, low)? > nth {
            high = low;
            low = low.saturating_sub(step);
            step *= 2;
        }
        let mut step = 1;
        while low + step < high && self.rank_before(section, low + step)? <= nth {
            low += step;
            step *= 2;
        }
        high = high.min(low + step);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if self.rank_before(section, middle)? <= nth {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(low)
    }

    /// Position of the first one at or after `from`; the length of the vector if there is none, so
    /// that the end of the last run is found like any other; `None` past the end.
    pub(super) fn next(&self, section: &[u8], from: usize) -> Option<usize> {
        if from > self.len() {
            return None;
        }
        if self.ones == self.bits || from == self.len() {
            return Some(from);
        }
        let mut word = self.word(section, from / 64)? & (u64::MAX << (from % 64));
        for index in from / 64..self.len().div_ceil(64) {
            if index > from / 64 {
                word = self.word(section, index)?;
            }
            if word != 0 {
                return Some(index * 64 + word.trailing_zeros() as usize);
            }
        }
        Some(self.len())
    }

    /// Position of the `nth` one, counted from 0; `None` if there are fewer.
    pub(super) fn select(&self, section: &[u8], nth: usize) -> Option<usize> {
        if nth >= self.ones() {
            return None;
        }
        if self.ones == self.bits {
            return Some(nth);
        }
        let low = self.block_of(section, nth)?;
        let mut left = nth.checked_sub(self.rank_before(section, low)?)?;
        for index in low * WORDS..(low + 1) * WORDS {
            let mut word = self.word(section, index)?;
            let ones = word.count_ones() as usize;
            if left < ones {
                for _ in 0..left {
                    word &= word - 1;
                }
                return Some(index * 64 + word.trailing_zeros() as usize);
            }
            left -= ones;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bit_vector_agrees_with_its_bits(bits in proptest::collection::vec(any::<bool>(), 0..3000), ones_only: bool) {
            let bits: Vec<bool> = bits.into_iter().map(|bit| bit || ones_only).collect();
            let mut section = vec![7; 5];
            encode_bits(&bits, &mut section);
            let mut fields = Fields::new(&section, "runs");
            fields.take(5).unwrap();
            let vector = BitVector::parse(&mut fields, &section).unwrap();
            fields.end().unwrap();
            let positions: Vec<usize> = (0..bits.len()).filter(|index| bits[*index]).collect();
            prop_assert_eq!(vector.len(), bits.len());
            for index in 0..=bits.len() {
                prop_assert_eq!(vector.rank(&section, index), Some(positions.partition_point(|p| *p < index)));
                prop_assert_eq!(vector.get(&section, index), bits.get(index).copied());
            }
            for (nth, position) in positions.iter().enumerate() {
                prop_assert_eq!(vector.select(&section, nth), Some(*position));
            }
            prop_assert_eq!(vector.select(&section, positions.len()), None);
            for index in 0..=bits.len() {
                let next = positions.iter().find(|position| **position >= index);
                prop_assert_eq!(vector.next(&section, index), Some(next.copied().unwrap_or(bits.len())));
            }
            prop_assert_eq!(vector.next(&section, bits.len() + 1), None);
            prop_assert_eq!(vector.rank(&section, bits.len() + 1), None);
        }

        #[test]
        fn packed_records_come_back(width in 0u32..=120, records in proptest::collection::vec(any::<u128>(), 0..100)) {
            let mask = (1u128 << width) - 1;
            let mut packer = Packer::default();
            for record in &records {
                packer.push(record & mask, width);
            }
            let bytes = packer.finish();
            prop_assert_eq!(bytes.len() as u64, packed_len(records.len() as u64, width));
            for (index, record) in records.iter().enumerate() {
                prop_assert_eq!(unpack(&bytes, index, width), Some(record & mask));
            }
        }

        #[test]
        fn damaged_vectors_never_panic(section in proptest::collection::vec(any::<u8>(), 0..400), index in 0usize..4000) {
            if let Ok(vector) = BitVector::parse(&mut Fields::new(&section, "runs"), &section) {
                let _ = (vector.rank(&section, index), vector.select(&section, index), vector.get(&section, index));
                let _ = vector.next(&section, index);
            }
        }
    }
}
