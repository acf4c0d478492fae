//! What is done to a disk: every way in which the rooms above make, read, replace and remove files.
//!
//! A file of a store comes into being under another name, is made durable and then gets its own, which is made durable
//! in turn ([`write_whole`], [`rename`]). [`File`] is what is written in parts. Nothing here knows what is in the files.
//!
//! All of it passes through one point, a `Watch`, which is nothing at all but with the feature `fault-injection`: tests
//! then let single operations fail, let the process die between two of them, and are told what a disk would hold if
//! the power went (`faults`). No program is built with the feature.

mod file;
mod folder;
mod lock;
mod uncached;
#[cfg(not(feature = "fault-injection"))]
mod unwatched;

#[cfg(feature = "fault-injection")]
pub mod faults;

pub use file::File;
pub use folder::FolderReplacement;
pub use lock::Lock;
pub use uncached::UncachedFile;

#[cfg(feature = "fault-injection")]
use faults::Watch;
#[cfg(not(feature = "fault-injection"))]
use unwatched::Watch;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Bytes copied at a time.
const PART: usize = 1 << 20;

/// The name under which a file is written before it gets its own.
pub fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    path.with_file_name(name)
}

/// Replaces (or makes) a file by one with these bytes.
///
/// Killed at any instant, or the power gone: the old file stands whole, or the new one does;
/// a [temporary] file may be left. The data are durable before the name points to them, and the name is
/// when this returns.
///
/// # Errors
/// What the system says. The new file may stand all the same, when only its name could not be made durable.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(&temporary, path)
}

/// Makes a copy of a file, or replaces one, as [`write_whole`] does.
///
/// # Errors
/// What the system says.
pub fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    let temporary = temporary(to);
    let (mut source, copy) = (fs::File::open(from)?, File::create(&temporary)?);
    let mut part = vec![0; PART];
    loop {
        match source.read(&mut part) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(read) => match part.get(..read) {
                Some(bytes) if read > 0 => copy.write_all(bytes)?,
                _ => break,
            },
        }
    }
    copy.sync_all()?;
    rename(&temporary, to)
}

/// Gives a durable file its name, durably.
///
/// # Errors
/// What the system says. The name may be there all the same, when only it could not be made durable.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    Watch::over(to).rename(from, to, || fs::rename(from, to))?;
    sync_folder(folder_of(to))
}

/// Exchanges two names, durably, so that each of them is there at any instant; false, and nothing done, where the file
/// system can't.
///
/// # Errors
/// What the system says.
pub fn exchange(from: &Path, to: &Path) -> io::Result<bool> {
    let exchanged = Watch::over(to).exchange(from, to, || {
        renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE).map_err(io::Error::from)
    });
    match exchanged {
        Err(error) if cannot_exchange(&error) => return Ok(false),
        exchanged => exchanged?,
    }
    sync_folder(folder_of(to))?;
    Ok(true)
}

fn cannot_exchange(error: &io::Error) -> bool {
    let unknown = [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP];
    let unknown = unknown.map(|errno| Some(errno.raw_os_error()));
    unknown.contains(&error.raw_os_error())
}

/// Gives a durable file another name beside the one that it has, durably.
///
/// # Errors
/// What the system says; some file systems can't.
pub fn link(from: &Path, to: &Path) -> io::Result<()> {
    Watch::over(to).link(from, to, || fs::hard_link(from, to))?;
    sync_folder(folder_of(to))
}

/// Makes the names in a folder durable.
///
/// # Errors
/// What the system says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    Watch::over(folder).sync_folder(folder, || fs::File::open(folder)?.sync_all())
}

/// The folder in which a name stands.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        // An empty parent is the working directory.
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Makes a folder that is not there.
///
/// # Errors
/// What the system says.
pub fn create_folder(path: &Path) -> io::Result<()> {
    Watch::over(path).create_folder(path, || fs::create_dir(path))
}

/// Makes a folder, and those in which it stands, where they are missing; durably, but for what was there.
///
/// # Errors
/// What the system says, also that a file has the name.
pub fn create_folders(path: &Path) -> io::Result<()> {
    // Of the working directory and the root there is nothing to make.
    if path.as_os_str().is_empty() || is_folder(path)? {
        return Ok(());
    }
    let above = folder_of(path);
    if above != path {
        create_folders(above)?;
    }
    match create_folder(path) {
        // Another process was quicker; or a file has the name.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && is_folder(path)? => {}
        made => made?,
    }
    sync_folder(above)
}

/// Removes a file; says whether it was there.
///
/// # Errors
/// What the system says.
pub fn remove_file(path: &Path) -> io::Result<bool> {
    absent_is_false(Watch::over(path).remove_file(path, || fs::remove_file(path)))
}

/// Removes a folder with all that is in it; says whether it was there.
///
/// # Errors
/// What the system says; some of it may then be removed.
pub fn remove_folder(path: &Path) -> io::Result<bool> {
    absent_is_false(Watch::over(path).remove_folder(path, || fs::remove_dir_all(path)))
}

/// Whether there is anything of this name.
///
/// # Errors
/// What the system says when it can't tell: then a file must not be taken for missing.
pub fn exists(path: &Path) -> io::Result<bool> {
    Watch::over(path).read(|| path.try_exists())
}

fn is_folder(path: &Path) -> io::Result<bool> {
    match Watch::over(path).read(|| fs::metadata(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        metadata => Ok(metadata?.is_dir()),
    }
}

/// A file's bytes.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    Watch::over(path).read(|| fs::read(path))
}

/// A file's text.
///
/// # Errors
/// What the system says; [`ErrorKind::InvalidData`] where it is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    Watch::over(path).read(|| fs::read_to_string(path))
}

/// A file's bytes up to a limit.
///
/// # Errors
/// What the system says.
pub fn read_up_to(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    Watch::over(path).read(|| {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// What is in a folder, in no order.
///
/// # Errors
/// What the system says.
pub fn list(folder: &Path) -> io::Result<Vec<DirEntry>> {
    Watch::over(folder).read(|| fs::read_dir(folder)?.collect())
}

fn absent_is_false(removed: io::Result<()>) -> io::Result<bool> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}
