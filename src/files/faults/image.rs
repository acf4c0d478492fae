//! What is in a folder after a loss.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is lost with the process, or with the power, of what was not made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the process was killed, the system went on.
    Nothing,
    /// All of it: files are as of their last sync, names as of that of their folder.
    Everything,
    /// What files hold; all names are there. A file that was never synced is empty.
    Contents,
    /// The same, but for a half of what was written since.
    Halves,
    /// The same, but what was written since is there as zeros.
    Zeros,
    /// Of every name and every file by itself, drawn from a seed. Of a renaming one name can be there, or both, or none:
    /// more than file systems with a journal lose.
    Any(u64),
}

/// Files and folders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image(pub(super) BTreeMap<PathBuf, Option<Arc<Vec<u8>>>>);

impl Image {
    /// What a file holds; `None` if it is not there, or is a folder.
    pub fn file(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        let bytes = self.0.get(path.as_ref())?.as_ref()?;
        Some(bytes.as_slice())
    }

    /// Tells it from others, but by what is in some folders.
    pub fn digest(&self, leave_out: impl Fn(&Path) -> bool) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for (path, bytes) in &self.0 {
            if path.parent().is_some_and(&leave_out) {
                continue;
            }
            let path = path.as_os_str().as_encoded_bytes();
            let length = bytes.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64);
            hasher.update(&(path.len() as u64).to_le_bytes());
            hasher.update(path);
            hasher.update(&length.to_le_bytes());
            hasher.update(bytes.as_ref().map_or(&[][..], |bytes| bytes));
        }
        hasher.finalize()
    }

    /// Puts it into an empty folder.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        // A folder comes before what is in it.
        for (path, bytes) in &self.0 {
            let path = folder.join(path);
            match bytes {
                None => fs::create_dir(path)?,
                Some(bytes) => fs::write(path, &**bytes)?,
            }
        }
        Ok(())
    }
}
