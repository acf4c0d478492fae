//! Sorted numbers to blocks, and to the automaton that leads to them.

use super::super::bits::{Packer, SLACK};
use super::super::blocks::{BLOCK_NUMBERS, LETTERS, SHARED, suffix_value};
use super::super::error::BuildError;

/// A number, zero padded, and what is reported of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbered {
    pub number: [u8; 24],
    /// Its run: equal for numbers in a row that have equal reports.
    pub run: u32,
}

impl Numbered {
    fn bytes(&self) -> &[u8] {
        let len = self.number.iter().position(|byte| *byte == 0);
        &self.number[..len.unwrap_or(self.number.len())]
    }
}

/// The sections that lead from a number to its record.
pub(super) struct Keys {
    pub automaton: Vec<u8>,
    pub blocks: Vec<u8>,
    /// The run of each record in the blocks.
    pub records: Vec<u32>,
}

/// Automaton and blocks of sorted, distinct numbers. `record` gives the record of a run, of so many
/// `bits`.
pub(super) fn encode(
    numbers: &[Numbered],
    bits: u32,
    record: impl Fn(u32) -> u128,
) -> Result<Keys, BuildError> {
    let mut writer = BlockWriter {
        bits,
        record,
        automaton: fst::raw::Builder::memory(),
        blocks: Vec::new(),
        records: Vec::with_capacity(numbers.len()),
    };
    writer.divide(numbers, 0)?;
    writer.blocks.resize(writer.blocks.len() + SLACK, 0);
    Ok(Keys {
        automaton: writer
            .automaton
            .into_inner()
            .map_err(|_| BuildError::Worker)?,
        blocks: writer.blocks,
        records: writer.records,
    })
}

struct BlockWriter<R> {
    bits: u32,
    record: R,
    automaton: fst::raw::Builder<Vec<u8>>,
    blocks: Vec<u8>,
    records: Vec<u32>,
}

impl<R: Fn(u32) -> u128> BlockWriter<R> {
    /// Writes numbers that have their first `common` bytes in common: each group that has the
    /// next in common, too, as one block, or divided further. So the prefix of a block has a
    /// character at least, and a suffix at most 23, which take 120 bits.
    fn divide(&mut self, mut numbers: &[Numbered], common: usize) -> Result<(), BuildError> {
        // What ends here is a block of its own: it is the beginning of all others.
        if let Some((first, rest)) = numbers.split_first()
            && first.bytes().len() == common
        {
            self.block(&numbers[..1], common)?;
            numbers = rest;
        }
        while let Some(first) = numbers.first() {
            let byte = first.number[common];
            let same = numbers.partition_point(|numbered| numbered.number[common] == byte);
            let (group, rest) = numbers.split_at(same);
            if group.len() > BLOCK_NUMBERS {
                self.divide(group, common + 1)?;
            } else {
                let last = &group[group.len() - 1].number;
                let mut pairs = first.bytes().iter().zip(last);
                let prefix = pairs.position(|(a, b)| a != b);
                self.block(group, prefix.unwrap_or(first.bytes().len()))?;
            }
            numbers = rest;
        }
        Ok(())
    }

    /// Writes a block of numbers whose first `prefix` bytes, and no more, are the same.
    fn block(&mut self, numbers: &[Numbered], prefix: usize) -> Result<(), BuildError> {
        // Prefixes come in order, into memory: neither of its errors can occur.
        self.automaton
            .insert(&numbers[0].number[..prefix], self.blocks.len() as u64)
            .map_err(|_| BuildError::Worker)?;
        let suffixes = || numbers.iter().map(|numbered| &numbered.bytes()[prefix..]);
        let length = suffixes().map(<[u8]>::len).max().unwrap_or(0);
        let letters = suffixes().any(|suffix| suffix.iter().any(u8::is_ascii_uppercase));
        let mut starts = 0u128;
        for (place, pair) in numbers.windows(2).enumerate() {
            starts |= u128::from(pair[0].run != pair[1].run) << (place + 1);
        }
        let shared = starts.count_ones() as usize + 1 < numbers.len();
        let values: Vec<u128> = suffixes()
            .map(|suffix| suffix_value(suffix, length, letters).ok_or(BuildError::Worker))
            .collect::<Result<_, _>>()?;
        // The last is the largest.
        let largest = values.last().copied().unwrap_or(0);
        let width = u128::BITS - largest.leading_zeros();
        let form = if letters { LETTERS } else { 0 } | if shared { SHARED } else { 0 };
        let mut bytes = std::mem::take(&mut self.blocks);
        bytes.extend_from_slice(&(self.records.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&[numbers.len() as u8, length as u8, width as u8, form]);
        if shared {
            bytes.extend_from_slice(&starts.to_le_bytes());
        }
        let mut packer = Packer::new(bytes);
        for value in values {
            packer.push(value, width);
        }
        // Records begin at a whole byte.
        let mut packer = Packer::new(packer.into_bytes());
        for group in numbers.chunk_by(|one, next| one.run == next.run) {
            packer.push((self.record)(group[0].run), self.bits);
            self.records.push(group[0].run);
        }
        self.blocks = packer.into_bytes();
        Ok(())
    }
}
