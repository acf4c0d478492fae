//! A folder of files that is replaced as a whole.

use super::{
    File, PART, create_folder, create_folders, exchange, exists, folder_of, remove_folder, rename,
    sync_folder,
};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files that are about to take the place of those in a folder.
///
/// Killed at any instant, or the power gone: what was in the folder before stands whole, or what takes its place does.
/// Where the file system can't exchange two names, there is an instant at which the folder has another name;
/// [`begin`](Self::begin) gives it its own again.
#[derive(Debug)]
pub struct FolderReplacement {
    folder: PathBuf,
    new: PathBuf,
    old: PathBuf,
}

impl FolderReplacement {
    /// Begins with no files; removes what was left of one that was not finished.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(folder: &Path) -> io::Result<Self> {
        let replacement = Self {
            folder: folder.to_owned(),
            new: beside(folder, ".fetched"),
            old: beside(folder, ".replaced"),
        };
        Self::recover(folder)?;
        create_folders(folder_of(folder))?;
        remove_folder(&replacement.new)?;
        create_folder(&replacement.new)?;
        Ok(replacement)
    }

    /// Gives a folder its name again, if a process was killed between taking it and giving it to another.
    ///
    /// # Errors
    /// What the system says.
    pub fn recover(folder: &Path) -> io::Result<()> {
        let old = beside(folder, ".replaced");
        if exists(&old)? && !exists(folder)? {
            rename(&old, folder)?;
        }
        Ok(())
    }

    /// Copies a file, with its name and the time of its last modification.
    ///
    /// # Errors
    /// What the system says, and of which of the two files.
    pub fn copy(&self, from: &Path, modified: SystemTime) -> Result<(), (PathBuf, io::Error)> {
        let reading = |error| (from.to_owned(), error);
        let to = self.new.join(from.file_name().unwrap_or_default());
        let writing = |error| (to.clone(), error);
        let mut source = fs::File::open(from).map_err(reading)?;
        let copy = File::create(&to).map_err(writing)?;
        let mut part = vec![0; PART];
        loop {
            let read = match source.read(&mut part) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(reading)?,
            };
            match part.get(..read) {
                Some(bytes) if read > 0 => copy.write_all(bytes).map_err(writing)?,
                _ => break,
            }
        }
        copy.as_std().set_modified(modified).map_err(writing)?;
        copy.sync_all().map_err(writing)
    }

    /// Lets the files take their place.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(self) -> io::Result<()> {
        // What is in it is durable before its name is.
        sync_folder(&self.new)?;
        if !exists(&self.folder)? {
            rename(&self.new, &self.folder)?;
        } else if exchange(&self.new, &self.folder)? {
            remove_folder(&self.new)?;
        } else {
            remove_folder(&self.old)?;
            rename(&self.folder, &self.old)?;
            rename(&self.new, &self.folder)?;
        }
        remove_folder(&self.old)?;
        Ok(())
    }

    /// Leaves the folder as it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn give_up(self) -> io::Result<()> {
        remove_folder(&self.new).map(|_| ())
    }
}

fn beside(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    folder.with_file_name(name)
}
