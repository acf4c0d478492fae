//! Rows as they arrive: buffered, sorted by number, kept in memory or written to scratch files.

use super::super::error::BuildError;
use super::record::{Record, Reference};
use super::scratch::{OpenScratchFiles, ScratchFile, read_records};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

/// Records of one part of a run in memory: what is given back at a time.
const PART_RECORDS: usize = 1 << 14;

/// Most scratch files of runs: each piece is put together from a stretch of each of them, so that with more of them a
/// build would only open files and seek.
const FILES_MAX: u64 = 1 << 13;

/// So many times the files would have been needed that there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManyFiles(pub u64);

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
    File(ScratchFile),
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
    open: OpenScratchFiles,
    runs: Mutex<Vec<Run>>,
    /// Bytes of rows that were not kept, as there were [`FILES_MAX`] files already.
    left_out: AtomicU64,
}

impl Runs {
    /// Keeps up to `memory` bytes of runs in memory, the others in files in `scratch`.
    pub(super) fn new(scratch: &Path, memory: u64, open: OpenScratchFiles) -> Self {
        Self {
            scratch: scratch.to_owned(),
            memory,
            held: AtomicU64::new(0),
            files: AtomicU64::new(0),
            open,
            runs: Mutex::new(Vec::new()),
            left_out: AtomicU64::new(0),
        }
    }

    /// How many of the scratch files may stay open.
    pub(super) fn open_files(&self) -> &OpenScratchFiles {
        &self.open
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
            if number >= FILES_MAX {
                // Only how much there is still counts: for the size of the memory that would do.
                self.left_out.fetch_add(bytes, Ordering::Relaxed);
                buffer.records.clear();
                buffer.texts.clear();
                return Ok(());
            }
            let path = self.scratch.join(format!("run-{number}"));
            let (records, texts) = (&buffer.records, &buffer.texts);
            Place::File(ScratchFile::write(path, &self.open, records, texts)?)
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
    ///
    /// # Errors
    /// How many times the files there may be there would have been, if that is more than once.
    pub(super) fn finish(self) -> Result<Vec<Run>, TooManyFiles> {
        let left_out = self.left_out.into_inner();
        let runs = self.runs.into_inner();
        let runs = runs.unwrap_or_else(PoisonError::into_inner);
        if left_out == 0 {
            return Ok(runs);
        }
        Err(TooManyFiles(self.files.into_inner().div_ceil(FILES_MAX)))
    }
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
            Place::File(file) => {
                let read = file.read(|file| read_records(file, index, 1))?;
                Ok(Some(read[0].number))
            }
        }
    }

    /// The place of the first record whose number is not below `bound`.
    pub(super) fn lower_bound(&self, bound: &[u64; 3]) -> Result<usize, BuildError> {
        let parts = match &self.place {
            Place::Memory { parts, .. } => parts,
            Place::File(file) => {
                return file.read(|file| {
                    let (mut low, mut high) = (0, self.records);
                    while low < high {
                        let middle = low + (high - low) / 2;
                        if read_records(file, middle, 1)?[0].number < *bound {
                            low = middle + 1
                        } else {
                            high = middle
                        }
                    }
                    Ok(low)
                });
            }
        };
        let below = parts.partition_point(|part| part.first < *bound);
        let Some(last) = below.checked_sub(1) else {
            return Ok(0);
        };
        let inside = parts[last].read(|part| part.partition_point(|record| record.number < *bound));
        // A part is given back when all of it is below the bounds still to come.
        let inside = inside.unwrap_or(PART_RECORDS);
        Ok((last * PART_RECORDS + inside).min(self.records))
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
            Place::File(file) => {
                let (bytes, range) = file.read(|file| {
                    out.records.extend(read_records(file, start, end - start)?);
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
                    let place = (self.records * Record::LEN + range.start) as u64;
                    file.read_exact_at(&mut bytes, place)?;
                    Ok((bytes, range))
                })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_files_are_counted_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::new(folder.path(), 0, OpenScratchFiles::at_most(3));
        let add = || {
            let mut buffer = Buffer::with_capacity(1);
            buffer.push(Record::from_bytes(&[0; Record::LEN]), "text");
            runs.add(&mut buffer).unwrap();
        };
        (0..FILES_MAX).for_each(|_| add());
        runs.files.store(2 * FILES_MAX, Ordering::Relaxed);
        add();
        let files = std::fs::read_dir(folder.path()).unwrap().count() as u64;
        assert_eq!(files, FILES_MAX);
        assert_eq!(runs.finish().unwrap_err(), TooManyFiles(3));
    }
}
