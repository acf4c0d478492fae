//! Fetching lists from the folders into which suppliers put them.

use super::config::Fetch;
use sltd::files::FolderReplacement;
use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The longest time for which files are watched that say nothing of when they were changed.
const WATCHED_MAX: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// So many files were fetched.
    Files(usize),
    /// There is nothing to fetch; what was fetched before stays.
    Nothing,
    /// Something changed a short time ago; what was fetched before stays.
    NotSettled,
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(files) => write!(f, "{files} files fetched"),
            Self::Nothing => f.write_str("nothing to fetch"),
            Self::NotSettled => f.write_str("not fetched: it is still being written to"),
        }
    }
}

/// A file of a supplier's, and what shows whether it changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    path: PathBuf,
    modified: SystemTime,
    length: u64,
    /// When the system has last seen a change of it; `None`: in the future.
    changed: Option<SystemTime>,
}

/// Fetches the files of a folder, as a whole or not at all: what is in `to` is replaced only once everything has been
/// copied, and stands whole whenever the process is killed. Files keep their modification times, which say how old the
/// data are.
///
/// # Errors
/// What the system says, with the file or folder.
pub fn fetch(fetch: &Fetch, now: SystemTime) -> Result<Fetched, (PathBuf, io::Error)> {
    FolderReplacement::recover(&fetch.to).map_err(at(&fetch.to))?;
    let files = match files(&fetch.from, now)? {
        files if files.is_empty() => return Ok(Fetched::Nothing),
        files => files,
    };
    let settled = |file: &Found| {
        // A time in the future, of a supplier's clock, is nothing to go by; when the system saw the last change is.
        let changed = match file.modified <= now {
            true => Some(file.modified),
            false => file.changed,
        };
        changed.map(|changed| {
            let age = now.duration_since(changed);
            age.is_ok_and(|age| age >= fetch.settled)
        })
    };
    if files.iter().any(|file| settled(file) == Some(false)) {
        return Ok(Fetched::NotSettled);
    }
    if files.iter().any(|file| settled(file).is_none()) {
        // Nothing tells when they were changed but that they are not.
        std::thread::sleep(fetch.settled.min(WATCHED_MAX));
        if self::files(&fetch.from, now)? != files {
            return Ok(Fetched::NotSettled);
        }
    }
    let replacement = FolderReplacement::begin(&fetch.to).map_err(at(&fetch.to))?;
    for file in &files {
        if let Err(error) = replacement.copy(&file.path, file.modified) {
            // What can't be removed now is removed by the next fetch.
            let _ = replacement.give_up();
            return Err(error);
        }
    }
    // Whether something was written meanwhile can be seen afterwards only.
    if self::files(&fetch.from, now)? != files {
        replacement.give_up().map_err(at(&fetch.to))?;
        return Ok(Fetched::NotSettled);
    }
    replacement.finish().map_err(at(&fetch.to))?;
    Ok(Fetched::Files(files.len()))
}

/// The files of a folder, in order; hidden ones and folders are left out.
fn files(folder: &Path, now: SystemTime) -> Result<Vec<Found>, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // What stands behind a link counts.
        let facts = fs::metadata(&path).map_err(at(&path))?;
        if facts.is_file() {
            files.push(Found {
                modified: facts.modified().map_err(at(&path))?,
                length: facts.len(),
                changed: changed(&facts).filter(|changed| *changed <= now),
                path,
            });
        }
    }
    files.sort();
    Ok(files)
}

/// When the system has last seen a change of a file.
fn changed(facts: &Metadata) -> Option<SystemTime> {
    let seconds = Duration::from_secs(facts.ctime().try_into().ok()?);
    let nanoseconds = Duration::from_nanos(facts.ctime_nsec().try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds + nanoseconds)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> (PathBuf, io::Error) + '_ {
    move |error| (path.to_owned(), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn lists_are_fetched_whole_once_they_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        let of = Fetch {
            from: folder.path().join("inbox"),
            to: folder.path().join("lists/of"),
            settled: Duration::from_secs(60),
        };
        let later = SystemTime::now() + Duration::from_secs(3600);
        let (path, error) = fetch(&of, later).unwrap_err();
        assert_eq!(
            (path, error.kind()),
            (of.from.clone(), io::ErrorKind::NotFound)
        );
        fs::create_dir_all(&of.from).unwrap();
        assert_eq!(fetch(&of, later).unwrap(), Fetched::Nothing);
        fs::write(of.from.join("a.csv"), "first").unwrap();
        fs::write(of.from.join(".partial"), "x").unwrap();
        assert_eq!(fetch(&of, SystemTime::now()).unwrap(), Fetched::NotSettled);
        assert!(!of.to.exists());
        assert_eq!(fetch(&of, later).unwrap(), Fetched::Files(1));
        let modified = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        assert_eq!(
            modified(of.to.join("a.csv")),
            modified(of.from.join("a.csv"))
        );
        // The next list has another name: the old one is not left beside it.
        fs::remove_file(of.from.join("a.csv")).unwrap();
        assert_eq!(fetch(&of, later).unwrap(), Fetched::Nothing);
        assert!(
            of.to.join("a.csv").exists(),
            "what did not come replaces nothing"
        );
        fs::write(of.from.join("b.csv"), "second").unwrap();
        assert_eq!(fetch(&of, later).unwrap(), Fetched::Files(1));
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            entries
                .map(|entry| entry.unwrap().file_name())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&of.to), ["b.csv"]);
        assert_eq!(names(&folder.path().join("lists")), ["of"]);
    }

    #[test]
    fn a_file_of_the_future_is_fetched_once_it_does_not_change() {
        let folder = tempfile::tempdir().unwrap();
        let of = Fetch {
            from: folder.path().join("inbox"),
            to: folder.path().join("lists"),
            settled: Duration::from_secs(60),
        };
        fs::create_dir_all(&of.from).unwrap();
        let path = of.from.join("a.csv");
        fs::write(&path, "first").unwrap();
        let now = SystemTime::now();
        let future = now + Duration::from_secs(90 * 86_400);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(future).unwrap();
        assert_eq!(fetch(&of, now).unwrap(), Fetched::NotSettled);
        let later = now + Duration::from_secs(3600);
        assert_eq!(fetch(&of, later).unwrap(), Fetched::Files(1));
        let fetched = fs::metadata(of.to.join("a.csv")).unwrap();
        assert_eq!(fetched.modified().unwrap(), future);
        // Where the system's times are of no use either, it is watched.
        let before = now - Duration::from_secs(3600);
        let watched = Fetch {
            settled: Duration::from_millis(10),
            ..of
        };
        assert_eq!(fetch(&watched, before).unwrap(), Fetched::Files(1));
    }

    #[test]
    fn what_can_not_be_read_is_named_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let of = Fetch {
            from: folder.path().join("inbox"),
            to: folder.path().join("lists"),
            settled: Duration::ZERO,
        };
        fs::create_dir_all(&of.from).unwrap();
        fs::write(of.from.join("a.csv"), "first").unwrap();
        assert_eq!(fetch(&of, SystemTime::now()).unwrap(), Fetched::Files(1));
        let link = of.from.join("b.csv");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        let (path, error) = fetch(&of, SystemTime::now()).unwrap_err();
        assert_eq!((path, error.kind()), (link, io::ErrorKind::NotFound));
        assert_eq!(fs::read(of.to.join("a.csv")).unwrap(), b"first");
    }
}
