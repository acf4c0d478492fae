//! Rows as they arrive: buffered, sorted by number, kept in memory or written to scratch files.

use super::super::error::BuildError;
use super::record::{Record, Reference};
use crate::files::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

/// Records of one part of a run in memory: what is given back at a time.
const PART_RECORDS: usize = 1 << 14;

/// Records of one thread, sorted by number, with their references.
#[derive(Debug)]
pub(super) struct Run {
    place: Place,
    records: usize,
}

#[derive(Debug)]
enum Place {
    /// Parts, with the texts of all.
    Memory { parts: Vec<Part>, texts: Vec<u8> },
    /// Records, then texts, in the order of the records.
    File { file: File, path: PathBuf },
}

/// A stretch of a run in memory. It is given back as soon as the pieces that need it are made: the
/// pieces then take its place, and a sort in memory needs little more than its rows once.
#[derive(Debug)]
struct Part {
    first: [u64; 3],
    /// `None` once given back.
    records: RwLock<Option<Box<[Record]>>>,
}

impl Part {
    fn new(records: &[Record]) -> Self {
        Self {
            first: records.first().map_or([0; 3], |record| record.number),
            records: RwLock::new(Some(records.into())),
        }
    }

    fn read<T>(&self, read: impl FnOnce(&[Record]) -> T) -> Option<T> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        records.as_deref().map(read)
    }
}

/// A buffer being filled by one thread.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub records: Vec<Record>,
    pub texts: Vec<u8>,
}

impl Buffer {
    /// One with room for so many records, so that it never grows: memory that is not used is not touched.
    pub(super) fn with_capacity(records: usize) -> Self {
        Self {
            records: Vec::with_capacity(records),
            texts: Vec::new(),
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> u64 {
        (self.records.len() * Record::LEN + self.texts.len()) as u64
    }

    /// Appends a record with its owner's reference.
    pub(super) fn push(&mut self, mut record: Record, reference: &str) {
        if !reference.is_empty() {
            record.reference = Reference::new(self.texts.len(), reference.len());
            self.texts.extend_from_slice(reference.as_bytes());
        }
        self.records.push(record);
    }

    /// Sorts by number, and puts the texts into the order of the records, so that a stretch of
    /// records has its texts in one stretch.
    fn sort(&mut self) {
        self.records.sort_unstable_by_key(Record::sort_key);
        if self.texts.is_empty() {
            return;
        }
        let mut texts = Vec::with_capacity(self.texts.len());
        for record in &mut self.records {
            if !record.reference.is_empty() {
                let text = record.reference.of(&self.texts);
                let moved = Reference::new(texts.len(), text.len());
                texts.extend_from_slice(text);
                record.reference = moved;
            }
        }
        self.texts = texts;
    }
}

/// All runs of a build.
#[derive(Debug)]
pub(super) struct Runs {
    scratch: PathBuf,
    memory: u64,
    held: AtomicU64,
    files: AtomicU64,
    runs: Mutex<Vec<Run>>,
}

impl Runs {
    /// Keeps up to `memory` bytes of runs in memory, the others in files in `scratch`.
    pub(super) fn new(scratch: &Path, memory: u64) -> Self {
        Self {
            scratch: scratch.to_owned(),
            memory,
            held: AtomicU64::new(0),
            files: AtomicU64::new(0),
            runs: Mutex::new(Vec::new()),
        }
    }

    /// Takes what a thread has gathered, and leaves its buffer empty.
    pub(super) fn add(&self, buffer: &mut Buffer) -> Result<(), BuildError> {
        if buffer.records.is_empty() {
            return Ok(());
        }
        buffer.sort();
        let records = buffer.records.len();
        let bytes = buffer.bytes();
        let place = if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.memory {
            let parts = buffer.records.chunks(PART_RECORDS).map(Part::new).collect();
            let texts = std::mem::take(&mut buffer.texts);
            Place::Memory { parts, texts }
        } else {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            let number = self.files.fetch_add(1, Ordering::Relaxed);
            let path = self.scratch.join(format!("run-{number}"));
            let file = write_records(&path, &buffer.records, &buffer.texts)?;
            Place::File { file, path }
        };
        buffer.records.clear();
        buffer.texts.clear();
        self.runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Run { place, records });
        Ok(())
    }

    /// The runs, when all threads are done.
    pub(super) fn finish(self) -> Vec<Run> {
        self.runs
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes records and texts to a scratch file, which is left open for reading.
pub(super) fn write_records(
    path: &Path,
    records: &[Record],
    texts: &[u8],
) -> Result<File, BuildError> {
    let write = || {
        let file = File::create(path)?;
        let mut out = BufWriter::with_capacity(1 << 18, &file);
        for record in records {
            out.write_all(&record.to_bytes())?;
        }
        out.write_all(texts)?;
        out.flush()?;
        drop(out);
        Ok(file)
    };
    write().map_err(|source| BuildError::io(path, source))
}

/// Reads `count` records from the `first` on.
pub(super) fn read_records(
    file: &File,
    first: usize,
    count: usize,
) -> std::io::Result<Vec<Record>> {
    let mut bytes = vec![0; count * Record::LEN];
    file.read_exact_at(&mut bytes, (first * Record::LEN) as u64)?;
    Ok(bytes
        .as_chunks::<{ Record::LEN }>()
        .0
        .iter()
        .map(Record::from_bytes)
        .collect())
}

impl Run {
    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// The number of one record; `None` if its part has been given back.
    pub(super) fn number_at(&self, index: usize) -> Result<Option<[u64; 3]>, BuildError> {
        match &self.place {
            Place::Memory { parts, .. } => {
                let number = |records: &[Record]| records[index % PART_RECORDS].number;
                Ok(parts[index / PART_RECORDS].read(number))
            }
            Place::File { file, path } => {
                let read = read_records(file, index, 1);
                let read = read.map_err(|source| BuildError::io(path, source))?;
                Ok(Some(read[0].number))
            }
        }
    }

    /// The place of the first record whose number is not below `bound`.
    pub(super) fn lower_bound(&self, bound: &[u64; 3]) -> Result<usize, BuildError> {
        if let Place::Memory { parts, .. } = &self.place {
            let below = parts.partition_point(|part| part.first < *bound);
            let Some(last) = below.checked_sub(1) else {
                return Ok(0);
            };
            let inside =
                parts[last].read(|part| part.partition_point(|record| record.number < *bound));
            // A part is given back when all of it is below the bounds still to come.
            let inside = inside.unwrap_or(PART_RECORDS);
            return Ok((last * PART_RECORDS + inside).min(self.records));
        }
        let (mut low, mut high) = (0, self.records);
        while low < high {
            let middle = low + (high - low) / 2;
            if self
                .number_at(middle)?
                .is_some_and(|number| number < *bound)
            {
                low = middle + 1
            } else {
                high = middle
            }
        }
        Ok(low)
    }

    /// Gives back the memory of records below `bound`, which nobody will ask for any more.
    pub(super) fn release(&self, bound: &[u64; 3]) {
        if let Place::Memory { parts, .. } = &self.place {
            // A part ends where the next begins.
            let ended = parts.windows(2).take_while(|pair| pair[1].first < *bound);
            for pair in ended {
                *pair[0]
                    .records
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = None;
            }
        }
    }

    /// Appends the records from `start` to `end`, with their texts, to a buffer.
    pub(super) fn copy_to(
        &self,
        start: usize,
        end: usize,
        out: &mut Buffer,
    ) -> Result<(), BuildError> {
        let from = out.records.len();
        let (texts, offset);
        let read;
        match &self.place {
            Place::Memory { parts, texts: all } => {
                let mut at = start;
                while at < end {
                    let part = at / PART_RECORDS;
                    let stop = end.min((part + 1) * PART_RECORDS);
                    let first = part * PART_RECORDS;
                    parts[part].read(|records| {
                        out.records
                            .extend_from_slice(&records[at - first..stop - first]);
                    });
                    at = stop;
                }
                (texts, offset) = (all.as_slice(), 0);
            }
            Place::File { file, path } => {
                let fail = |source| BuildError::io(path, source);
                out.records
                    .extend(read_records(file, start, end - start).map_err(fail)?);
                // The texts of a stretch stand in one stretch: from the first to the last.
                let mut referring = out.records[from..]
                    .iter()
                    .filter(|record| !record.reference.is_empty());
                let first = referring.next().map(|record| record.reference.range());
                let last = referring
                    .next_back()
                    .map(|record| record.reference.range())
                    .or(first.clone());
                let range = first
                    .zip(last)
                    .map_or(0..0, |(first, last)| first.start..last.end);
                let mut bytes = vec![0; range.len()];
                file.read_exact_at(
                    &mut bytes,
                    (self.records * Record::LEN + range.start) as u64,
                )
                .map_err(fail)?;
                read = bytes;
                (texts, offset) = (read.as_slice(), range.start);
            }
        }
        for record in &mut out.records[from..] {
            if !record.reference.is_empty() {
                let range = record.reference.range();
                let text = &texts[range.start - offset..range.end - offset];
                record.reference = Reference::new(out.texts.len(), text.len());
                out.texts.extend_from_slice(text);
            }
        }
        Ok(())
    }
}
