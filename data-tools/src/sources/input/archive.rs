//! ZIP archives. The directory of one is read once, however many entries it has.

use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::ZipArchive;
use zip::result::ZipResult;

use super::{Origin, READ_BYTES, ReadSeek, open_raw};

/// An archive whose directory has been read.
pub(super) struct Archive {
    zip: ZipArchive<Reopened>,
    /// Bytes taken from the file that have not been counted yet.
    taken: Arc<AtomicU64>,
}

impl Archive {
    pub(super) fn open(origin: &Origin) -> ZipResult<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let zip = ZipArchive::new(Reopened {
            origin: origin.clone(),
            file: None,
            position: 0,
            taken: Arc::clone(&taken),
        })?;
        taken.store(0, Ordering::Relaxed);
        Ok(Self { zip, taken })
    }

    /// What of it could be overlooked: programs take the last of entries with one name, and the last of archives that
    /// stand one after the other.
    pub(super) fn ambiguous(&self) -> Option<&'static str> {
        if self.zip.offset() > 0 {
            return Some("an archive that something stands before: expected one archive");
        }
        let twice = self.zip.has_duplicate_names();
        twice.then_some("an archive with several entries of one name: expected each name once")
    }

    /// The archive for reading, with a position of its own.
    pub(super) fn reader(&self) -> ZipArchive<impl Read + Seek + use<>> {
        self.zip.clone()
    }

    /// Counts what is taken from the file while a text of it is read.
    pub(super) fn counted<'c>(
        &'c self,
        text: &'c mut dyn Read,
        bytes: &'c AtomicU64,
    ) -> impl Read + 'c {
        Counted {
            text,
            taken: &self.taken,
            bytes,
        }
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive")
            .field("entries", &self.zip.len())
            .finish_non_exhaustive()
    }
}

/// A file that is opened when it is read. A clone is at the same position and opens it anew.
struct Reopened {
    origin: Origin,
    file: Option<BufReader<Box<dyn ReadSeek>>>,
    position: u64,
    taken: Arc<AtomicU64>,
}

impl Clone for Reopened {
    fn clone(&self) -> Self {
        Self {
            origin: self.origin.clone(),
            file: None,
            position: self.position,
            taken: Arc::clone(&self.taken),
        }
    }
}

impl Reopened {
    fn file(&mut self) -> io::Result<&mut BufReader<Box<dyn ReadSeek>>> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut raw = open_raw(&self.origin)?;
                raw.seek(SeekFrom::Start(self.position))?;
                BufReader::with_capacity(READ_BYTES, raw)
            }
        };
        Ok(self.file.insert(file))
    }
}

impl Read for Reopened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file()?.read(buffer)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.position = self.position.saturating_add(bytes);
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Reopened {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let file = self.file()?;
        let position = match position {
            // Entries follow each other: what is buffered may be of use.
            SeekFrom::Start(to) => {
                let from = file.stream_position()?;
                match i64::try_from(i128::from(to) - i128::from(from)) {
                    Ok(by) => {
                        file.seek_relative(by)?;
                        to
                    }
                    Err(_) => file.seek(position)?,
                }
            }
            _ => file.seek(position)?,
        };
        self.position = position;
        Ok(position)
    }
}

/// See [`Archive::counted`].
struct Counted<'c> {
    text: &'c mut dyn Read,
    taken: &'c AtomicU64,
    bytes: &'c AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(buffer)?;
        let taken = self.taken.swap(0, Ordering::Relaxed);
        self.bytes.fetch_add(taken, Ordering::Relaxed);
        Ok(read)
    }
}
