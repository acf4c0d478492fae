//! A file that is written or read in parts.

use super::Watch;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// An open file.
#[derive(Debug)]
pub struct File {
    file: fs::File,
    watch: Watch,
}

impl File {
    /// Makes a file, or empties the one that is there, to be written and read.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = fs::File::options();
        options.read(true).write(true).create(true).truncate(true);
        let (file, watch) = Watch::over(path).create(path, || options.open(path))?;
        Ok(Self { file, watch })
    }

    /// [`create`](Self::create) of a file that is not written again once this handle is gone: who opens it later may
    /// only read it, unless they are allowed everything. A file that is there is replaced if it may not be written.
    ///
    /// # Errors
    /// What the system says.
    pub fn create_read_only(path: &Path) -> io::Result<Self> {
        let mut options = fs::File::options();
        options.read(true).write(true).create(true).truncate(true);
        // Of who opens it later, not of this handle.
        options.mode(0o444);
        let open = || match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                fs::remove_file(path)?;
                options.open(path)
            }
            opened => opened,
        };
        let (file, watch) = Watch::over(path).create(path, open)?;
        Ok(Self { file, watch })
    }

    /// Opens a file to be written at its end, and read; makes it where it is missing.
    ///
    /// # Errors
    /// What the system says.
    pub fn append(path: &Path) -> io::Result<Self> {
        let mut options = fs::File::options();
        options.read(true).append(true).create(true);
        let (file, watch) = Watch::over(path).open_or_create(path, || options.open(path))?;
        Ok(Self { file, watch })
    }

    /// Opens a file, or a folder, to be read or locked. Waits for nobody, whatever it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let watch = Watch::over(path);
        let file = watch.read(|| super::open_without_waiting(path))?;
        Ok(Self { file, watch })
    }

    /// Opens a regular file to be read.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::InvalidData`] of what is not regular.
    pub fn open_regular(path: &Path) -> io::Result<Self> {
        let watch = Watch::over(path);
        let file = watch.read(|| super::open_regular(path))?;
        Ok(Self { file, watch })
    }

    /// Writes at the end of a file that was opened for that, or after what was written to a new one this way.
    ///
    /// # Errors
    /// What the system says; a part may then be written.
    pub fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.watch
            .write(bytes, None, |bytes| (&self.file).write_all(bytes))
    }

    /// Writes at an offset.
    ///
    /// # Errors
    /// What the system says; a part may then be written.
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.watch.write(bytes, Some(offset), |bytes| {
            self.file.write_all_at(bytes, offset)
        })
    }

    /// Fills a buffer from an offset on.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::UnexpectedEof`] where there is less.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.watch.read(|| self.file.read_exact_at(buffer, offset))
    }

    /// The last byte; `None` of an empty file.
    ///
    /// # Errors
    /// What the system says.
    pub fn last_byte(&self) -> io::Result<Option<u8>> {
        self.watch.read(|| {
            let Some(place) = self.file.metadata()?.len().checked_sub(1) else {
                return Ok(None);
            };
            let mut last = [0];
            self.file.read_exact_at(&mut last, place)?;
            Ok(Some(last[0]))
        })
    }

    /// Makes what was written durable, and all that the system knows of the file but its name.
    ///
    /// # Errors
    /// What the system says: what was written may then be lost, and another attempt would not tell.
    pub fn sync_all(&self) -> io::Result<()> {
        self.watch.sync(|| self.file.sync_all())
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// As of [`sync_all`](Self::sync_all).
    pub fn sync_data(&self) -> io::Result<()> {
        self.watch.sync(|| self.file.sync_data())
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn length(&self) -> io::Result<u64> {
        self.watch.read(|| Ok(self.file.metadata()?.len()))
    }

    /// Whether it is the file that has this name now.
    ///
    /// # Errors
    /// What the system says.
    pub fn has_name(&self, path: &Path) -> io::Result<bool> {
        self.watch.read(|| {
            let (own, named) = (self.file.metadata()?, fs::metadata(path)?);
            Ok((own.dev(), own.ino()) == (named.dev(), named.ino()))
        })
    }

    /// Another handle of the same open file.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            file: self.file.try_clone()?,
            watch: self.watch.clone(),
        })
    }

    /// The system's file: to be locked or mapped, not to be written.
    pub fn as_std(&self) -> &fs::File {
        &self.file
    }
}

impl Write for &File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Not the trait's function, which calls this one.
        File::write_all(self, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
