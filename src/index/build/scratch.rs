//! Scratch files, of which only some stay open.
//!
//! A build with little memory for its rows makes thousands of them, where many systems let a process have 1,024 files
//! open. The first ones stay open, as that is fastest; the others are opened again by their names whenever they are
//! read.

use super::super::error::BuildError;
use super::record::Record;
use crate::files::{File, open_files_limit};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Open files that are left to everything else: lists, segments, threads.
const OTHERS: u64 = 256;

/// How many more scratch files of a build may stay open.
#[derive(Debug, Clone)]
pub(super) struct OpenScratchFiles(Arc<AtomicU64>);

impl OpenScratchFiles {
    /// As many as the system's limit leaves room for.
    pub(super) fn within_limit() -> Self {
        // The other half is for those who build at the same time in this process.
        Self::at_most(open_files_limit().saturating_sub(OTHERS) / 2)
    }

    pub(super) fn at_most(files: u64) -> Self {
        Self(Arc::new(AtomicU64::new(files)))
    }

    fn reserve_one(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
    }
}

/// A scratch file of records and their texts, complete.
#[derive(Debug)]
pub(super) struct ScratchFile {
    path: PathBuf,
    /// `None`: it is opened to be read.
    open: Option<File>,
    files: OpenScratchFiles,
}

impl ScratchFile {
    /// Writes records and texts to a new file.
    pub(super) fn write(
        path: PathBuf,
        files: &OpenScratchFiles,
        records: &[Record],
        texts: &[u8],
    ) -> Result<Self, BuildError> {
        let write = || {
            let file = File::create(&path)?;
            let mut out = BufWriter::with_capacity(1 << 18, &file);
            for record in records {
                out.write_all(&record.to_bytes())?;
            }
            out.write_all(texts)?;
            out.flush()?;
            drop(out);
            Ok(file)
        };
        let file = write().map_err(|source| BuildError::io(&path, source))?;
        Ok(Self {
            open: files.reserve_one().then_some(file),
            files: files.clone(),
            path,
        })
    }

    /// Reads from it.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&File) -> io::Result<T>,
    ) -> Result<T, BuildError> {
        let read = match &self.open {
            Some(file) => read(file),
            None => File::open(&self.path).and_then(|file| read(&file)),
        };
        read.map_err(|source| BuildError::io(&self.path, source))
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        if self.open.take().is_some() {
            self.files.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Reads `count` records of a scratch file from the `first` on.
pub(super) fn read_records(file: &File, first: usize, count: usize) -> io::Result<Vec<Record>> {
    let mut bytes = vec![0; count * Record::LEN];
    file.read_exact_at(&mut bytes, (first * Record::LEN) as u64)?;
    Ok(bytes
        .as_chunks::<{ Record::LEN }>()
        .0
        .iter()
        .map(Record::from_bytes)
        .collect())
}
