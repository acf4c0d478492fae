//! Runs cut side by side into pieces of neighbouring numbers, each sorted and merged.

use super::super::error::BuildError;
use super::ordered::ordered;
use super::record::{Record, Span};
use super::runs::{Buffer, Run, Runs, TooManyFiles};
use super::scratch::{OpenScratchFiles, ScratchFile, read_records};
use super::{BUFFER_RECORDS_MIN, BUFFERS_SHARE, BuildOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Sizes of a piece in bytes: small enough for a core's cache where memory allows.
const PIECE_BYTES: std::ops::RangeInclusive<u64> = (64 << 10)..=(16 << 20);
/// Most pieces a sort is cut into: past it their samples alone would take memory.
const PIECES_MAX: u64 = 1 << 16;
/// Samples taken for each piece; more make pieces more equal.
const SAMPLES: usize = 16;

/// The records of a stretch of numbers, sorted, equal rows merged. All records of a number are
/// in one piece.
#[derive(Debug)]
pub(super) struct Piece {
    place: Place,
    /// Distinct documents.
    pub documents: u64,
    /// Distinct numbers.
    pub numbers: u64,
}

#[derive(Debug)]
enum Place {
    Memory(Buffer),
    File {
        file: ScratchFile,
        records: usize,
        texts: usize,
    },
}

/// A piece in memory.
pub(super) enum Loaded<'p> {
    Borrowed(&'p Buffer),
    Owned(Buffer),
}

impl std::ops::Deref for Loaded<'_> {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        match self {
            Self::Borrowed(buffer) => buffer,
            Self::Owned(buffer) => buffer,
        }
    }
}

/// A piece as sorted and merged, with what was learned on the way.
#[derive(Debug)]
struct Sorted {
    pub buffer: Buffer,
    pub documents: u64,
    pub numbers: u64,
    /// Rows merged into equal ones, by profile.
    pub merged: BTreeMap<u32, u64>,
}

impl Piece {
    /// Keeps a sorted piece in memory.
    fn in_memory(sorted: Sorted) -> Self {
        Self {
            documents: sorted.documents,
            numbers: sorted.numbers,
            place: Place::Memory(sorted.buffer),
        }
    }

    /// Writes a sorted piece to a scratch file.
    fn in_file(sorted: Sorted, path: PathBuf, open: &OpenScratchFiles) -> Result<Self, BuildError> {
        let Buffer { records, texts } = &sorted.buffer;
        let place = Place::File {
            file: ScratchFile::write(path, open, records, texts)?,
            records: records.len(),
            texts: texts.len(),
        };
        Ok(Self {
            place,
            documents: sorted.documents,
            numbers: sorted.numbers,
        })
    }

    /// The piece's records.
    pub(super) fn load(&self) -> Result<Loaded<'_>, BuildError> {
        match &self.place {
            Place::Memory(buffer) => Ok(Loaded::Borrowed(buffer)),
            Place::File {
                file,
                records,
                texts,
            } => {
                let read = file.read(|file| {
                    let mut bytes = vec![0; *texts];
                    file.read_exact_at(&mut bytes, (records * Record::LEN) as u64)?;
                    Ok(Buffer {
                        records: read_records(file, 0, *records)?,
                        texts: bytes,
                    })
                });
                read.map(Loaded::Owned)
            }
        }
    }
}

/// All pieces in order, and the pairs that occur in them.
pub(super) struct Pieces {
    pub all: Vec<Piece>,
    pub packed_pairs: BTreeSet<u32>,
}

/// Cuts runs into pieces, sorted and merged; also counts the rows merged by profile.
pub(super) fn all(
    runs: Runs,
    places: &[u32],
    options: &BuildOptions,
    mut progress: impl FnMut(f64),
) -> Result<(Pieces, BTreeMap<u32, u64>), BuildError> {
    let threads = options.threads.max(1);
    let piece_bytes =
        (options.memory / (32 * threads as u64)).clamp(*PIECE_BYTES.start(), *PIECE_BYTES.end());
    let open = runs.open_files().clone();
    let runs = runs.finish().map_err(|TooManyFiles(times)| {
        // Below that, runs are as long as with it.
        let least = BUFFERS_SHARE * threads as u64 * BUFFER_RECORDS_MIN * Record::LEN as u64;
        let needed = options.memory.max(least).saturating_mul(times);
        BuildError::TooLittleMemory {
            given: options.memory,
            needed: needed.next_multiple_of(1 << 20),
        }
    })?;
    let bounds = bounds(&runs, piece_bytes)?;
    let mut pieces = Pieces {
        all: Vec::with_capacity(bounds.len() + 1),
        packed_pairs: BTreeSet::new(),
    };
    let mut merged = BTreeMap::new();
    let mut memory = options.memory * 7 / 20;
    let count = bounds.len() + 1;
    let work = |index: usize| {
        let from = index.checked_sub(1).and_then(|before| bounds.get(before));
        let sorted = sort(&runs, from, bounds.get(index), places)?;
        let mut packed_pairs: Vec<u32> = sorted.buffer.records.iter().map(Record::pair).collect();
        packed_pairs.sort_unstable();
        packed_pairs.dedup();
        Ok((sorted, packed_pairs))
    };
    ordered(count, threads, work, |index, (mut sorted, packed_pairs)| {
        for (profile, rows) in std::mem::take(&mut sorted.merged) {
            *merged.entry(profile).or_default() += rows;
        }
        pieces.packed_pairs.extend(packed_pairs);
        let bytes = sorted.buffer.bytes();
        pieces.all.push(if bytes <= memory {
            memory -= bytes;
            Piece::in_memory(sorted)
        } else {
            let path = options.scratch.join(format!("piece-{index}"));
            Piece::in_file(sorted, path, &open)?
        });
        if let Some(bound) = bounds.get(index) {
            runs.iter().for_each(|run| run.release(bound));
        }
        progress((index + 1) as f64 / count as f64);
        Ok(())
    })?;
    Ok((pieces, merged))
}

/// Numbers that cut the runs into pieces of about `piece_bytes`: piece `i` holds the numbers from
/// bound `i - 1` up to bound `i`, exclusive. Where the cuts fall shows nowhere in the result.
fn bounds(runs: &[Run], piece_bytes: u64) -> Result<Vec<[u64; 3]>, BuildError> {
    let records: usize = runs.iter().map(Run::len).sum();
    let pieces = ((records * Record::LEN) as u64 / piece_bytes.max(1)).min(PIECES_MAX) as usize;
    if pieces == 0 {
        return Ok(Vec::new());
    }
    let step = (records / (pieces * SAMPLES)).max(1);
    let mut samples = Vec::with_capacity(records / step + runs.len());
    for run in runs {
        for index in (step / 2..run.len()).step_by(step) {
            samples.extend(run.number_at(index)?);
        }
    }
    samples.sort_unstable();
    let mut bounds: Vec<_> = samples.into_iter().skip(SAMPLES).step_by(SAMPLES).collect();
    bounds.dedup();
    Ok(bounds)
}

/// Gathers, sorts and merges the piece between two bounds. `places` gives each profile its
/// final number.
fn sort(
    runs: &[Run],
    from: Option<&[u64; 3]>,
    to: Option<&[u64; 3]>,
    places: &[u32],
) -> Result<Sorted, BuildError> {
    let mut slices = Vec::with_capacity(runs.len());
    for run in runs {
        let start = from.map_or(Ok(0), |bound| run.lower_bound(bound))?;
        let end = to.map_or(Ok(run.len()), |bound| run.lower_bound(bound))?;
        slices.push(start..end);
    }
    let mut buffer = Buffer::default();
    buffer
        .records
        .reserve_exact(slices.iter().map(ExactSizeIterator::len).sum());
    for (run, slice) in runs.iter().zip(slices) {
        run.copy_to(slice.start, slice.end, &mut buffer)?;
    }
    let Buffer { records, texts } = &mut buffer;
    for record in records.iter_mut() {
        record.set_profile(places[record.report().profile() as usize]);
    }
    // Stable, as that sort finds and merges the runs that each are in order already.
    records.sort_by(|a, b| a.cmp(b, texts));
    let mut merged = BTreeMap::new();
    records.dedup_by(|next, kept| {
        let equal = next.same_document(kept)
            && next.report() == kept.report()
            && next.reference.is_equal(texts, kept.reference, texts);
        if equal && next.span() != Span::Inside && next.span() == kept.span() {
            *merged.entry(kept.report().profile()).or_default() += 1;
        }
        if equal {
            // The order puts a row behind the insides of other ranges and shorter rows.
            *kept = *next;
        }
        equal
    });
    let changes = |differs: fn(&Record, &Record) -> bool| {
        let pairs = records
            .windows(2)
            .filter(|pair| differs(&pair[0], &pair[1]))
            .count();
        (pairs + usize::from(!records.is_empty())) as u64
    };
    let documents = changes(|a, b| !a.same_document(b));
    let numbers = changes(|a, b| a.number != b.number);
    records.shrink_to_fit();
    Ok(Sorted {
        buffer,
        documents,
        numbers,
        merged,
    })
}
