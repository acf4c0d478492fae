//! The filter, partition by partition.

use super::super::error::BuildError;
use super::super::filter;
use super::super::format::SectionKind;
use super::ordered::ordered;
use super::pieces::Piece;
use super::writer::SegmentWriter;
use std::sync::{Mutex, PoisonError};

/// Writes filter and directory; returns the seed that worked.
pub(super) fn write(
    writer: &mut SegmentWriter,
    pieces: &[Piece],
    partitions: u32,
    hash_bytes: u64,
    threads: usize,
    mut progress: impl FnMut(f64),
) -> Result<u64, BuildError> {
    let numbers: u64 = pieces.iter().map(|piece| piece.numbers).sum();
    // As many partitions at once as have their hashes in memory; each group reads all pieces.
    let groups = (numbers * 8)
        .div_ceil(hash_bytes)
        .clamp(1, u64::from(partitions.max(1))) as u32;
    let group_len = partitions.div_ceil(groups).max(1);
    'seeds: for seed in 0..filter::SEEDS_MAX {
        let mut section = writer.begin(SectionKind::Filter);
        let (mut directory, mut written) = (Vec::new(), 0u64);
        for first in (0..partitions).step_by(group_len as usize) {
            let group = first as usize..(first + group_len).min(partitions) as usize;
            let mut hashes = vec![Vec::new(); group.len()];
            let gather = |index: usize| {
                let mut found = vec![Vec::new(); group.len()];
                let piece: &Piece = &pieces[index];
                for number in piece.load()?.records.chunk_by(|a, b| a.number == b.number) {
                    let bytes = number[0].number_bytes();
                    let len = bytes
                        .iter()
                        .position(|byte| *byte == 0)
                        .unwrap_or(bytes.len());
                    let hash = filter::hash(&bytes[..len], seed);
                    let partition = filter::partition_of(hash, partitions);
                    if group.contains(&partition) {
                        found[partition - group.start].push(hash);
                    }
                }
                Ok(found)
            };
            ordered(pieces.len(), threads, gather, |_, found| {
                for (all, found) in hashes.iter_mut().zip(found) {
                    all.extend_from_slice(&found);
                }
                Ok(())
            })?;
            let hashes: Vec<Mutex<Vec<u64>>> = hashes.into_iter().map(Mutex::new).collect();
            let build = |index: usize| {
                let hashes = &mut *hashes[index].lock().unwrap_or_else(PoisonError::into_inner);
                Ok(filter::build_partition(&mut std::mem::take(hashes)))
            };
            let mut failed = false;
            ordered(hashes.len(), threads, build, |index, built| {
                match built {
                    Some(built) => {
                        filter::encode(&built, written, &mut directory);
                        writer.append(&mut section, &built.fingerprints)?;
                        written += built.fingerprints.len() as u64;
                    }
                    None => failed = true,
                }
                progress((group.start + index + 1) as f64 / f64::from(partitions));
                Ok(())
            })?;
            if failed {
                continue 'seeds;
            }
        }
        writer.close(section)?;
        writer.table(SectionKind::FilterDirectory, &directory)?;
        return Ok(seed);
    }
    Err(filter::exhausted())
}
