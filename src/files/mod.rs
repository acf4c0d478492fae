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

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
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
    let (mut source, copy) = (open_regular(from)?, File::create(&temporary)?);
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

/// Opens a file, or a folder, to be read, without waiting for a writer where it is a pipe.
///
/// # Errors
/// What the system says.
pub fn open_without_waiting(path: &Path) -> io::Result<fs::File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let mut options = fs::File::options();
    options.read(true);
    options.custom_flags(i32::try_from(flags).unwrap_or_default());
    options.open(path)
}

/// Opens a file to be read that is a regular one, or a link to one: no pipe, no device, no folder.
///
/// # Errors
/// What the system says; [`ErrorKind::InvalidData`] of what is not regular.
fn open_regular(path: &Path) -> io::Result<fs::File> {
    let file = open_without_waiting(path)?;
    if file.metadata()?.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidData, "not a regular file"));
    }
    Ok(file)
}

/// The bytes of a regular file that has at most `max` of them.
///
/// # Errors
/// What the system says; [`ErrorKind::InvalidData`] of one that is larger or not regular.
pub fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let bytes = read_up_to(path, max.saturating_add(1))?;
    if bytes.len() as u64 > max {
        let larger = format!("larger than the {max} bytes that it may have");
        return Err(io::Error::new(ErrorKind::InvalidData, larger));
    }
    Ok(bytes)
}

/// The text of a regular file that has at most `max` bytes.
///
/// # Errors
/// As of [`read`]; [`ErrorKind::InvalidData`] also where it is not UTF-8.
pub fn read_to_string(path: &Path, max: u64) -> io::Result<String> {
    String::from_utf8(read(path, max)?)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

/// The bytes of a regular file up to a limit.
///
/// # Errors
/// What the system says; [`ErrorKind::InvalidData`] of one that is not regular.
pub fn read_up_to(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    Watch::over(path).read(|| {
        let file = open_regular(path)?;
        let length = file.metadata()?.len().min(limit);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// How many files this process may have open.
pub fn open_files_limit() -> u64 {
    // Without a limit, what the largest systems let a process have.
    getrlimit(Resource::Nofile).current.unwrap_or(1 << 20)
}

/// Lets this process have as many files open as the system allows it to ask for. Many systems begin with 1,024, for
/// the sake of programs that use `select`.
///
/// # Errors
/// What the system says; the limit is then as before.
pub fn raise_open_files_limit() -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return Ok(());
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    Ok(setrlimit(Resource::Nofile, raised)?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{FileType, Mode, mknodat};

    /// Asserts that nothing that reads whole files waits for one, or takes in more of it than it may.
    #[track_caller]
    fn check(path: &Path, expected: &str) {
        let bounded = [
            read(path, 4096).map(drop),
            read_to_string(path, 4096).map(drop),
            File::open_regular(path).map(drop),
            UncachedFile::open(path).map(drop),
        ];
        for read in bounded {
            let error = read.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
        check(&fifo, "not a regular file");
        check(Path::new("/dev/zero"), "not a regular file");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        check(&link, "not a regular file");
        let folder_error = read(folder.path(), 4096).unwrap_err();
        assert_eq!(folder_error.kind(), ErrorKind::IsADirectory);
        // A folder's lock is taken on the folder itself.
        File::open(folder.path()).unwrap();
    }

    #[test]
    fn files_are_read_up_to_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for length in [0, 1, 4095, 4096, 4097, 3 << 30] {
            let file = fs::File::create(&path).unwrap();
            file.set_len(length).unwrap();
            let bytes = read(&path, 4096);
            if length <= 4096 {
                assert_eq!(bytes.unwrap().len() as u64, length);
                continue;
            }
            let error = bytes.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().contains("larger than the 4096 bytes"));
            assert_eq!(read_up_to(&path, 5).unwrap().len(), 5);
        }
    }
}
