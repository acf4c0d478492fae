//! Fetching lists from the folders into which suppliers put them.

use super::config::Fetch;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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

/// Fetches the files of a folder, as a whole or not at all: what is in `to` is replaced only once everything has been
/// copied. Files keep their modification times, which say how old the data are.
///
/// # Errors
/// What the system says, with the file or folder.
pub fn fetch(fetch: &Fetch, now: SystemTime) -> Result<Fetched, (PathBuf, io::Error)> {
    let files = match files(&fetch.from)? {
        files if files.is_empty() => return Ok(Fetched::Nothing),
        files => files,
    };
    let settled = |modified: SystemTime| {
        // One of the future is nothing to go by.
        now.duration_since(modified)
            .is_ok_and(|age| age >= fetch.settled)
    };
    if !files.iter().all(|(_, modified)| settled(*modified)) {
        return Ok(Fetched::NotSettled);
    }
    let fetched = beside(&fetch.to, ".fetched");
    remove(&fetched)?;
    fs::create_dir_all(&fetched).map_err(at(&fetched))?;
    for (path, modified) in &files {
        let target = fetched.join(path.file_name().unwrap_or_default());
        fs::copy(path, &target).map_err(at(path))?;
        let copy = File::options()
            .write(true)
            .open(&target)
            .map_err(at(&target))?;
        copy.set_modified(*modified).map_err(at(&target))?;
        copy.sync_all().map_err(at(&target))?;
    }
    // Whether something was written meanwhile can be seen afterwards only.
    if self::files(&fetch.from)? != files {
        remove(&fetched)?;
        return Ok(Fetched::NotSettled);
    }
    let replaced = beside(&fetch.to, ".replaced");
    remove(&replaced)?;
    match fs::rename(&fetch.to, &replaced) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err((fetch.to.clone(), error));
        }
        _ => {}
    }
    fs::rename(&fetched, &fetch.to).map_err(at(&fetch.to))?;
    remove(&replaced)?;
    Ok(Fetched::Files(files.len()))
}

/// The files of a folder with their modification times, in order; hidden ones and folders are left out. A folder that
/// does not exist has none.
fn files(folder: &Path) -> Result<Vec<(PathBuf, SystemTime)>, (PathBuf, io::Error)> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(at(folder))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(at(folder))?;
        let path = entry.path();
        // What stands behind a link counts.
        let facts = fs::metadata(&path).map_err(at(&path))?;
        if facts.is_file() && !entry.file_name().as_encoded_bytes().starts_with(b".") {
            files.push((path.clone(), facts.modified().map_err(at(&path))?));
        }
    }
    files.sort();
    Ok(files)
}

fn beside(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    folder.with_file_name(name)
}

fn remove(folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err((folder.to_owned(), error)),
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> (PathBuf, io::Error) + '_ {
    move |error| (path.to_owned(), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lists_are_fetched_whole_once_they_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        let of = Fetch {
            from: folder.path().join("inbox"),
            to: folder.path().join("lists/of"),
            settled: Duration::from_secs(60),
        };
        let later = SystemTime::now() + Duration::from_secs(3600);
        assert_eq!(fetch(&of, later).unwrap(), Fetched::Nothing);
        fs::create_dir_all(&of.from).unwrap();
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
}
