//! Tables of rows that are there whole or not at all, and for their owner alone.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// A table of rows of one source while it is written: a temporary file that takes its name only when it is whole.
/// Created with the first row.
#[derive(Debug)]
pub(super) struct WholeFile {
    path: PathBuf,
    temporary: PathBuf,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

impl WholeFile {
    /// The file of this name, until it is whole named by that and an ending; nothing is created yet.
    pub(super) fn new(folder: &Path, name: &str, temporary: &str) -> Self {
        Self {
            path: folder.join(name),
            temporary: folder.join(format!(".{name}{temporary}")),
            writer: None,
        }
    }

    /// Where it will stand.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one row; before the first, the names of the columns.
    pub(super) fn write<'v>(
        &mut self,
        columns: &[&str],
        values: impl Iterator<Item = &'v str>,
    ) -> io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let mut writer =
                    csv::Writer::from_writer(BufWriter::new(create_private(&self.temporary)?));
                writer.write_record(columns)?;
                self.writer.insert(writer)
            }
        };
        Ok(writer.write_record(values)?)
    }

    /// Makes the file visible under its name; where there is no row, removes the one before. Says where it stands.
    pub(super) fn finish(mut self) -> io::Result<Option<PathBuf>> {
        let Some(writer) = self.writer.take() else {
            remove_if_there(&self.temporary)?;
            if remove_if_there(&self.path)? {
                sync_folder(&self.path)?;
            }
            return Ok(None);
        };
        let file = writer
            .into_inner()
            .map_err(|error| error.into_error())?
            .into_inner()
            .map_err(|error| error.into_error())?;
        file.sync_all()?;
        std::fs::rename(&self.temporary, &self.path)?;
        sync_folder(&self.path)?;
        Ok(Some(self.path.clone()))
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // A reading that failed leaves no half a file; one that was killed leaves the temporary
        // file, which the next reading of this source replaces.
        if self.writer.take().is_some() {
            let _ = remove_if_there(&self.temporary);
        }
    }
}

/// Creates a file that its owner alone can read, whatever stood there before.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    remove_if_there(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(super) fn remove_if_there(path: &Path) -> io::Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
