//! Which paths a pattern matches. What can't be looked into is an error: a list that lacks one of its files must not
//! pass for a whole one. So all names count, also those that are no UTF-8.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use glob::{Pattern, PatternError};

/// Why it is not known which paths a pattern matches.
#[derive(Debug)]
pub(super) enum WalkError {
    /// The pattern is none.
    Pattern(PatternError),
    /// A path can't be looked at.
    Open(PathBuf, io::Error),
}

/// One part of a pattern, between two slashes.
#[derive(Debug)]
enum Part {
    /// A name as it is, hidden or not.
    Name(OsString),
    /// The names that match; hidden ones do if the pattern begins with a dot too.
    Names(Pattern),
    /// Any number of folders, one within the other.
    Folders,
}

impl Part {
    fn read(part: &str) -> Result<Self, WalkError> {
        Ok(match part {
            "**" => Self::Folders,
            _ if part.contains(['*', '?', '[']) => Self::names(part)?,
            _ => Self::Name(part.into()),
        })
    }

    fn names(pattern: &str) -> Result<Self, WalkError> {
        let pattern = Pattern::new(pattern).map_err(WalkError::Pattern)?;
        Ok(Self::Names(pattern))
    }
}

/// The paths below a folder that a pattern matches, in order.
///
/// # Errors
/// The first path that can't be looked at, or that the pattern is none.
pub(super) fn walk(folder: &Path, pattern: &Path) -> Result<Vec<PathBuf>, WalkError> {
    let mut parts = Vec::new();
    for part in pattern.components() {
        if part != Component::CurDir {
            parts.push(Part::read(&part.as_os_str().to_string_lossy())?);
        }
    }
    if let Some(Part::Folders) = parts.last() {
        parts.push(Part::names("*")?);
    }
    let mut found = Vec::new();
    below(folder, &parts, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn below(folder: &Path, parts: &[Part], found: &mut Vec<PathBuf>) -> Result<(), WalkError> {
    let Some((part, rest)) = parts.split_first() else {
        found.push(folder.to_owned());
        return Ok(());
    };
    let mut go_on = |path: &Path| {
        if rest.is_empty() || is_folder(path)? {
            below(path, rest, found)?;
        }
        Ok(())
    };
    match part {
        Part::Name(name) => {
            let path = folder.join(name);
            match fs::symlink_metadata(&path) {
                Ok(_) => go_on(&path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(WalkError::Open(path, error)),
            }
        }
        Part::Names(pattern) => entries(folder)?
            .iter()
            .filter(|path| matches(pattern, path))
            .try_for_each(|path| go_on(path)),
        Part::Folders => {
            below(folder, rest, found)?;
            for path in entries(folder)? {
                if !is_hidden(&path) && is_folder(&path)? && !leads_back(folder, &path)? {
                    below(&path, parts, found)?;
                }
            }
            Ok(())
        }
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, WalkError> {
    let entries = fs::read_dir(or_here(folder)).and_then(|entries| {
        entries
            .map(|entry| Ok(folder.join(entry?.file_name())))
            .collect::<io::Result<_>>()
    });
    entries.map_err(|error| WalkError::Open(folder.to_owned(), error))
}

/// Whether something is a folder, or a link to one. A link to nowhere may have been one.
fn is_folder(path: &Path) -> Result<bool, WalkError> {
    match fs::metadata(path) {
        Ok(facts) => Ok(facts.is_dir()),
        // It has gone since.
        Err(_) if fs::symlink_metadata(path).is_err_and(is_gone) => Ok(false),
        Err(error) => Err(WalkError::Open(path.to_owned(), error)),
    }
}

fn is_gone(error: io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Whether a folder in `folder` is a link to that or to one above it.
fn leads_back(folder: &Path, path: &Path) -> Result<bool, WalkError> {
    if !path.is_symlink() {
        return Ok(false);
    }
    let open = |error| WalkError::Open(path.to_owned(), error);
    let to = path.canonicalize().map_err(open)?;
    let from = or_here(folder).canonicalize().map_err(open)?;
    Ok(from.starts_with(to))
}

/// A folder as the system wants it named.
fn or_here(folder: &Path) -> &Path {
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

fn matches(pattern: &Pattern, path: &Path) -> bool {
    let hidden_too = pattern.as_str().starts_with('.');
    let name = path.file_name().unwrap_or_default();
    pattern.matches(&name.to_string_lossy()) && (hidden_too || !is_hidden(path))
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn walked(folder: &Path, pattern: &str) -> Result<Vec<String>, String> {
        let found = walk(folder, Path::new(pattern)).map_err(|error| format!("{error:?}"))?;
        let below = found.iter().map(|path| path.strip_prefix(folder).unwrap());
        Ok(below.map(|path| path.display().to_string()).collect())
    }

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    #[test]
    fn patterns_match_names_of_files_and_folders() {
        let folder = folder(&[
            "a/x.csv",
            "a/y.csv",
            "b/x.csv",
            "b/c/x.csv",
            ".h/x.csv",
            "a/.x.csv",
        ]);
        for (pattern, expected) in [
            ("a/x.csv", vec!["a/x.csv"]),
            ("*/x.csv", vec!["a/x.csv", "b/x.csv"]),
            ("?/[xy].csv", vec!["a/x.csv", "a/y.csv", "b/x.csv"]),
            ("**/x.csv", vec!["a/x.csv", "b/c/x.csv", "b/x.csv"]),
            ("b/**", vec!["b/c", "b/c/x.csv", "b/x.csv"]),
            (".*/*", vec![".h/x.csv"]),
            ("a/.x*", vec!["a/.x.csv"]),
            ("./b/../a/x*", vec!["b/../a/x.csv"]),
            ("a/x.csv/*", vec![]),
            ("c/*", vec![]),
        ] {
            assert_eq!(
                walked(folder.path(), pattern).unwrap(),
                expected,
                "{pattern}"
            );
        }
        assert!(walked(folder.path(), "a[").is_err());
    }

    #[test]
    fn links_are_followed_but_not_in_a_circle() {
        let folder = folder(&["a/x.csv"]);
        symlink("..", folder.path().join("a/up")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        let found = walked(folder.path(), "**/*.csv").unwrap();
        assert_eq!(found, ["a/x.csv", "b/x.csv"]);
        let found = walked(folder.path(), "*/x.csv").unwrap();
        assert_eq!(found, ["a/x.csv", "b/x.csv"]);
    }

    #[test]
    fn what_can_not_be_looked_into_is_an_error() {
        let folder = folder(&["a/x.csv", "b/x.csv"]);
        symlink("nowhere", folder.path().join("share")).unwrap();
        for pattern in ["*/x.csv", "*/*.csv", "**/*.csv", "s*/x.csv"] {
            let error = walked(folder.path(), pattern).unwrap_err();
            assert!(
                error.contains("share") && error.contains("NotFound"),
                "{error}"
            );
        }
        assert_eq!(walked(folder.path(), "[ab]/x.csv").unwrap().len(), 2);
        let closed = folder.path().join("b");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        // Whoever may do everything can look into it all the same.
        if fs::read_dir(&closed).is_err() {
            for pattern in ["[ab]/x.csv", "[ab]/*.csv", "b/x.csv"] {
                let error = walked(folder.path(), pattern).unwrap_err();
                assert!(error.contains("PermissionDenied"), "{error}");
            }
        }
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    }
}
