//! The filter, from the pieces' numbers.

use super::super::bytes::prefetch;
use super::super::error::BuildError;
use super::super::filter::{self, BLOCK_LEN, Mark};
use super::super::format::SectionKind;
use super::ordered::ordered;
use super::pieces::Piece;
use super::writer::SegmentWriter;
use std::sync::atomic::{AtomicU64, Ordering};

/// Least memory given to the bits, however little there is.
const MEMORY_MIN: u64 = 32 << 20;
/// Marks gathered before the first is made: an atomic write waits for its cache miss before the next
/// may begin, and by then its block is there.
const AHEAD: usize = 32;
/// Words turned into bytes at a time to be written.
const WRITE_WORDS: usize = 1 << 17;

/// Writes the filter's section, if there are any numbers.
pub(super) fn write(
    writer: &mut SegmentWriter,
    pieces: &[Piece],
    memory: u64,
    threads: usize,
    mut progress: impl FnMut(f64),
) -> Result<(), BuildError> {
    let blocks = filter::blocks(pieces.iter().map(|piece| piece.numbers).sum());
    if blocks == 0 {
        return Ok(());
    }
    // As many blocks at once as have their bits in memory; each group reads all pieces.
    let group_len = (memory.max(MEMORY_MIN) / BLOCK_LEN as u64).min(blocks);
    let steps = blocks.div_ceil(group_len) * pieces.len() as u64;
    let mut step = 0;
    let mut section = writer.begin(SectionKind::Filter);
    for first in (0..blocks).step_by(group_len as usize) {
        let group = first as usize..(first + group_len).min(blocks) as usize;
        let words: Vec<[AtomicU64; 2]> = group.clone().map(|_| Default::default()).collect();
        let set_piece = |index: usize| {
            let piece: &Piece = &pieces[index];
            let mut marks = Vec::with_capacity(AHEAD);
            for documents in piece.load()?.records.chunk_by(|a, b| a.number == b.number) {
                let mark = Mark::of(&documents[0].number_bytes(), blocks);
                if !group.contains(&mark.block) {
                    continue;
                }
                let block = &words[mark.block - group.start];
                prefetch(block);
                marks.push((block, mark.words));
                if marks.len() == AHEAD {
                    set_bits(&mut marks);
                }
            }
            set_bits(&mut marks);
            Ok(())
        };
        ordered(pieces.len(), threads, set_piece, |_, ()| {
            step += 1;
            progress(step as f64 / steps as f64);
            Ok(())
        })?;
        for words in words.chunks(WRITE_WORDS / 2) {
            let words = words.iter().flatten();
            let bytes: Vec<u8> = words
                .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
                .collect();
            writer.append(&mut section, &bytes)?;
        }
    }
    writer.close(section);
    Ok(())
}

/// Sets the bits of each mark in its block. Setting bits commutes: neither threads nor their order
/// show in the filter.
fn set_bits(marks: &mut Vec<(&[AtomicU64; 2], [u64; 2])>) {
    for (block, words) in marks.drain(..) {
        for (word, bits) in block.iter().zip(words) {
            word.fetch_or(bits, Ordering::Relaxed);
        }
    }
}
