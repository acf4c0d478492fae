//! Bit-packed records, and bit vectors that answer rank.
//!
//! Both are read in place from untrusted bytes: whatever these hold, nothing here panics or
//! reads outside them; a reader of damaged bytes gets `None`.

use super::error::Damage;
use super::fields::Fields;

/// Bytes of one line of a [`BitVector`].
const LINE_LEN: usize = 64;
/// Words of bits in a line; one more holds its rank.
const WORDS: usize = LINE_LEN / 8 - 1;
/// Bits of a line.
const LINE_BITS: usize = WORDS * 64;
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
    /// One that writes behind `bytes`.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }

    /// Appends the low `width` bits of `record`; `width` is at most 120 and higher bits are zero.
    #[inline]
    pub(super) fn push(&mut self, record: u128, width: u32) {
        debug_assert!(width <= 120 && (width == 0 || record >> width == 0));
        self.push_word(record as u64, width.min(64));
        if width > 64 {
            self.push_word((record >> 64) as u64, width - 64);
        }
    }

    #[inline]
    fn push_word(&mut self, word: u64, width: u32) {
        self.pending |= u128::from(word) << self.pending_bits;
        self.pending_bits += width;
        if self.pending_bits >= 64 {
            self.bytes
                .extend_from_slice(&(self.pending as u64).to_le_bytes());
            self.pending >>= 64;
            self.pending_bits -= 64;
        }
    }

    /// The bytes written, the last one completed with zeros.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        let left = self.pending_bits.div_ceil(8) as usize;
        self.bytes
            .extend_from_slice(&self.pending.to_le_bytes()[..left]);
        self.bytes
    }

    /// The bytes written, with the slack readers need.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut bytes = self.into_bytes();
        bytes.resize(bytes.len() + SLACK, 0);
        bytes
    }
}

/// Bytes that `count` records of `width` bits take, slack included.
pub(super) fn packed_len(count: u64, width: u32) -> u64 {
    (count * u64::from(width)).div_ceil(8) + SLACK as u64
}

/// Record `index` of records of `width` (at most 120) bits.
#[inline]
pub(super) fn unpack(bytes: &[u8], index: usize, width: u32) -> Option<u128> {
    let bit = index.checked_mul(width as usize)?;
    let window = bytes.get(bit / 8..)?;
    // Eight bytes hold what is narrow, whatever bit it begins at.
    if width <= 57 {
        let window = u64::from_le_bytes(*window.first_chunk()?);
        return Some(u128::from(window >> (bit % 8) & ((1 << width) - 1)));
    }
    let window = u128::from_le_bytes(*window.first_chunk()?);
    Some((window >> (bit % 8)) & ((1 << width) - 1))
}

/// Where a bit vector stands inside its section; the bits themselves stay there.
///
/// ```text
/// vector = bits:u32 ones:u32 zero:56 [ line ]*      line = rank:u64 word:u64*7
/// ```
/// `rank` is the number of ones before the line. A line is a cache line: a bit costs one miss, with
/// its rank. A vector of ones only has no lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct BitVector {
    bits: u32,
    ones: u32,
    /// Offset of the first line in the section.
    lines: usize,
}

/// Serialises bits as a [`BitVector`].
pub(super) fn encode_bits(bits: &[bool], out: &mut Vec<u8>) {
    let ones = bits.iter().filter(|bit| **bit).count();
    out.extend_from_slice(&(bits.len() as u32).to_le_bytes());
    out.extend_from_slice(&(ones as u32).to_le_bytes());
    out.resize(out.len() + LINE_LEN - 8, 0);
    if ones == bits.len() {
        return;
    }
    let mut seen = 0u64;
    for line in bits.chunks(LINE_BITS) {
        out.extend_from_slice(&seen.to_le_bytes());
        let mut words = [0u64; WORDS];
        for (word, bits) in words.iter_mut().zip(line.chunks(64)) {
            for (index, bit) in bits.iter().enumerate() {
                *word |= u64::from(*bit) << index;
            }
            seen += u64::from(word.count_ones());
        }
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
}

impl BitVector {
    /// Reads the frame of a vector; `section` is the whole section that `fields` reads from.
    pub(super) fn parse(fields: &mut Fields<'_>, section: &[u8]) -> Result<Self, Damage> {
        let (bits, ones) = (fields.u32()?, fields.u32()?);
        if ones > bits || fields.take(LINE_LEN - 8)?.iter().any(|byte| *byte != 0) {
            return Err(fields.malformed("a bit vector has a head that can't be"));
        }
        let lines = section.len() - fields.rest().len();
        if ones < bits {
            fields.take((bits as usize).div_ceil(LINE_BITS) * LINE_LEN)?;
        }
        Ok(Self { bits, ones, lines })
    }

    /// Number of bits.
    pub(super) fn len(&self) -> usize {
        self.bits as usize
    }

    /// Number of ones.
    pub(super) fn ones(&self) -> usize {
        self.ones as usize
    }

    /// Whether bit `index` is set, and the number of ones before it; `None` past the end.
    #[inline]
    pub(super) fn get(&self, section: &[u8], index: usize) -> Option<(bool, usize)> {
        if index >= self.len() {
            return None;
        }
        if self.ones == self.bits {
            return Some((true, index));
        }
        let at = self.lines + index / LINE_BITS * LINE_LEN;
        let line = section.get(at..)?.first_chunk::<LINE_LEN>()?;
        let (words, _) = line.as_chunks::<8>();
        let (rank, words) = words.split_first()?;
        let mut rank = u64::from_le_bytes(*rank);
        let within = index % LINE_BITS;
        for word in words.iter().take(within / 64) {
            rank += u64::from(u64::from_le_bytes(*word).count_ones());
        }
        let word = u64::from_le_bytes(*words.get(within / 64)?);
        let below = word & ((1u64 << (within % 64)) - 1);
        rank += u64::from(below.count_ones());
        Some((word >> (within % 64) & 1 == 1, usize::try_from(rank).ok()?))
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
            let mut fields = Fields::new(&section, "references");
            fields.take(5).unwrap();
            let vector = BitVector::parse(&mut fields, &section).unwrap();
            fields.end().unwrap();
            prop_assert_eq!(vector.len(), bits.len());
            prop_assert_eq!(vector.ones(), bits.iter().filter(|bit| **bit).count());
            let mut before = 0;
            for (index, bit) in bits.iter().enumerate() {
                prop_assert_eq!(vector.get(&section, index), Some((*bit, before)));
                before += usize::from(*bit);
            }
            prop_assert_eq!(vector.get(&section, bits.len()), None);
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
            if let Ok(vector) = BitVector::parse(&mut Fields::new(&section, "references"), &section) {
                let _ = vector.get(&section, index);
            }
        }
    }
}
