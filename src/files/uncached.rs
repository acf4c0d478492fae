//! A file that is read from the disk, not from what the system keeps of it in memory.

use memmap2::MmapMut;
use rustix::fs::{Advice, OFlags, fadvise};
use std::fs;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Bytes read at a time: a multiple of any block of a disk, in pages of its own.
const PART: usize = 1 << 20;
/// What offsets are multiples of when the page cache is left out: no disk has larger blocks.
const BLOCK: usize = 4096;

/// A file opened past the page cache (`O_DIRECT`): what is read comes from the disk, or from the server of a network
/// file system. File systems in memory have nothing else; of those that can't leave the page cache out, what no process
/// has mapped is read again from the disk, and the rest from memory: then [`is_direct`](Self::is_direct) is false.
#[derive(Debug)]
pub struct UncachedFile {
    file: fs::File,
    direct: bool,
    part: MmapMut,
}

impl UncachedFile {
    /// Opens a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        // What is not a regular file is not waited for.
        drop(super::open_regular(path)?);
        let mut options = fs::File::options();
        options.read(true);
        let flags = i32::try_from(OFlags::DIRECT.bits()).unwrap_or_default();
        let (file, direct) = match options.clone().custom_flags(flags).open(path) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                (options.open(path)?, false)
            }
            opened => (opened?, flags != 0),
        };
        let mut opened = Self {
            file,
            direct,
            part: MmapMut::map_anon(PART)?,
        };
        if direct && let Err(error) = opened.file.read_at(&mut opened.part, 0) {
            // Some file systems refuse only the read.
            if error.kind() != io::ErrorKind::InvalidInput {
                return Err(error);
            }
            opened.file = options.open(path)?;
            opened.direct = false;
        }
        Ok(opened)
    }

    /// Whether all of it is read past the page cache.
    pub fn is_direct(&self) -> bool {
        self.direct
    }

    /// Reads the next part from an offset on, a multiple of 4,096; empty at the end.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_part(&mut self, offset: u64) -> io::Result<&[u8]> {
        if !self.direct {
            // A wish: what is mapped, or was not written yet, stays.
            let _ = fadvise(
                &self.file,
                offset,
                NonZeroU64::new(PART as u64),
                Advice::DontNeed,
            );
        }
        let mut read = 0;
        while let Some(rest) = self.part.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + read as u64) {
                Ok(0) => break,
                Ok(bytes) => read += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            // Only the end is no whole block.
            if !read.is_multiple_of(BLOCK) {
                break;
            }
        }
        Ok(self.part.get(..read).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for length in [0, 1, 4095, 4096, PART - 1, PART, PART + 1, 2 * PART + 5000] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            fs::write(&path, &bytes).unwrap();
            let mut file = UncachedFile::open(&path).unwrap();
            let mut read = Vec::new();
            loop {
                let part = file.read_part(read.len() as u64).unwrap();
                if part.is_empty() {
                    break;
                }
                read.extend_from_slice(part);
                if !read.len().is_multiple_of(PART) {
                    break;
                }
            }
            assert!(read == bytes, "{length}");
        }
    }
}
